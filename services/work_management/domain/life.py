"""The life of a task, played from facts: what the desk decided and what crews reported, by the time of each.

Reports arrive late, twice and in any order, since crews work out of reach of the radio. So nothing is derived from the
order of arrival: all facts are put in the order in which they happened and played by the table. What does not fit
there has no effect and stays as history.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from services.work_management.domain.states import BY_CREW, FINAL, STARTED, TABLE, Event, State


class Fact(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that happened.

    Attributes:
        at: when it happened, by the clock of whoever says so.
        number: which decision of the desk it is, in their order; 0 for what a crew reports.
        crew: who reports it, or who gets the task.
        task: the mRID of the one task that it is about; None for all tasks of the order.
        reason: why, or for what has ended ``partial`` or ``notDone``.
        until: for a schedule when the crew is to leave, for a dispatch when it is expected there.
    """

    event: Event
    at: datetime
    number: int = 0
    crew: str | None = None
    task: str | None = None
    reason: str | None = None
    until: datetime | None = None


class Life(Struct, frozen=True, kw_only=True):
    """What the facts come to.

    Attributes:
        crew: who has the task, or had it last.
        path: the states in their order, each with when it began.
        history: the facts that had an effect.
        labour: how long each crew was at work.
        outcome: of what is complete: ``done``, ``partial`` or ``notDone``.
        until: when a crew that is booked is to leave, or one that was sent is expected.
    """

    state: State
    crew: str | None = None
    path: tuple[tuple[datetime, State], ...] = ()
    history: tuple[Fact, ...] = ()
    labour: dict[str, timedelta] = {}
    outcome: str | None = None
    until: datetime | None = None

    @property
    def since(self) -> datetime | None:
        """When the present state began."""
        return self.path[-1][0] if self.path else None

    def when(self, *states: State) -> datetime | None:
        """When the task first was in one of these states."""
        return next((at for at, state in self.path if state in states), None)


def in_order(facts: Iterable[Fact]) -> list[Fact]:
    """Facts as they happened; what a crew reports cannot be before it was given the task, whatever its clock says.

    At one instant the desk's decisions come first, then the reports in the order of progress, then the closing.
    """
    known = list(facts)
    given = sorted((each.at, each.crew) for each in known if each.event is Event.DISPATCH and each.crew is not None)
    placed = []
    for fact in known:
        at = fact.at
        if fact.event in BY_CREW:
            own = [moment for moment, crew in given if crew == fact.crew]
            at = max(at, max((moment for moment in own if moment <= at), default=min(own, default=at)))
        stage = 2 if fact.event is Event.CLOSE else int(fact.event in BY_CREW)
        placed.append(((at, stage, fact.number, _SEQUENCE.index(fact.event), fact.crew or "", fact.reason or ""), fact))
    return [replace(fact, at=key[0]) for key, fact in sorted(placed, key=lambda each: each[0])]


_SEQUENCE = list(Event)


def play(facts: Iterable[Fact], task: str, begins: State = State.PLANNED) -> Life:
    """The life of one task, whatever the order in which the facts came to be known."""
    life = Life(state=begins)
    for fact in in_order({each for each in facts if each.task in {None, task}}):
        if fact.event in BY_CREW and fact.crew != life.crew:
            continue
        if after(life.state, fact.event) is not None:
            life = _step(life, fact)
    return life


def after(state: State, event: Event) -> State | None:
    """Where an event leads, or None where the table does not have it."""
    return TABLE.get((state, event))


def _step(life: Life, fact: Fact) -> Life:
    state = TABLE[life.state, fact.event]
    labour = life.labour
    if life.state in {*STARTED, State.RECALLED} and life.crew is not None and life.since is not None:
        worked = labour.get(life.crew, timedelta()) + (fact.at - life.since)
        labour = {**labour, life.crew: worked}
    outcome = life.outcome
    if state is State.FIELD_COMPLETE:
        cut_short = life.state is State.RECALLED or fact.event is Event.CANCEL
        said = fact.reason if fact.event is Event.COMPLETE else None
        outcome = said or ("notDone" if cut_short else "done")
    if state in {State.SCHEDULED, State.DISPATCHED}:
        crew = fact.crew
    else:
        crew = life.crew if state not in {State.PLANNED, State.ON_HOLD, *(FINAL - {State.CLOSED})} else None
    return Life(
        state=state,
        crew=crew,
        path=(*life.path, (fact.at, state)),
        history=(*life.history, fact),
        labour=labour,
        outcome=outcome,
        until=fact.until if state in {State.SCHEDULED, State.DISPATCHED} else life.until,
    )
