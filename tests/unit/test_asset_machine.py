"""Whatever the office asks for and crews report, in any order: no asset is in a state that the table does not have."""

from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from contracts.errors import Conflict
from services.asset_management.domain.history import Fact, History, refuse_what_does_not_fit, settle
from services.asset_management.domain.lifecycle import IN_PLACE, SHAPES, TABLE, Event, State, steps

ASSETS, POSITIONS = ["A", "B", "C"], ["P", "Q"]
BEGINS = datetime(2026, 1, 1, tzinfo=UTC)


class Lives(RuleBasedStateMachine):
    """A register that takes requests or refuses them, and believes crews as far as it can."""

    def __init__(self) -> None:
        super().__init__()
        self.facts: list[Fact] = []
        self.clock = BEGINS
        self.shadow: dict[str, tuple[State, str | None]] = {}
        self.in_order = True

    def history(self) -> History:
        return settle(self.facts)

    @precondition(lambda self: len(self.shadow) < len(ASSETS))
    @rule(state=st.sampled_from(list(State)), position=st.sampled_from(POSITIONS))
    def enter(self, state: State, position: str) -> None:
        asset = ASSETS[len(self.shadow)]
        place = position if state in IN_PLACE else None
        if place is not None and place in {held for _, held in self.shadow.values()}:
            return
        self.facts.append(Fact(id=f"begin {asset}", asset=asset, at=BEGINS, state=state, position=place))
        if self.history().refused.get(f"begin {asset}"):
            self.facts.pop()
            return
        self.shadow[asset] = (state, place)

    @precondition(lambda self: self.shadow)
    @rule(data=st.data(), goal=st.sampled_from(list(State)), position=st.sampled_from(POSITIONS))
    def ask(self, data: st.DataObject, goal: State, position: str) -> None:
        """The office wants an asset to be in a state from now on; the shadow says whether that can be."""
        asset = data.draw(st.sampled_from(sorted(self.shadow)))
        self.clock += timedelta(hours=1)
        state, held = self.shadow[asset]
        try:
            events = steps(state, SHAPES[goal])
        except Conflict:
            assert (state, goal) not in {(at, to) for (at, _), to in TABLE.items()}
            return
        told = [
            Fact(
                id=f"{len(self.facts)} {place}",
                asset=asset,
                at=self.clock,
                event=event,
                position=position if event is Event.INSTALLED else None,
            )
            for place, event in enumerate(events)
        ]
        before, after = self.history(), settle([*self.facts, *told])
        taken = Event.INSTALLED in events and position in {p for a, (_, p) in self.shadow.items() if a != asset}
        try:
            refuse_what_does_not_fit(before, after, told)
        except Conflict:
            assert taken or not self.in_order
            return
        assert not taken
        self.facts += told
        place = position if Event.INSTALLED in events else held
        self.shadow[asset] = (goal, place if goal in IN_PLACE else None)

    @precondition(lambda self: len(self.shadow) > 1)
    @rule(data=st.data(), late=st.integers(0, 10), twice=st.booleans())
    def exchange(self, data: st.DataObject, late: int, twice: bool) -> None:
        """A crew reports, perhaps late and perhaps twice, that one asset took the place of another."""
        old, new = data.draw(st.permutations(sorted(self.shadow)))[:2]
        self.clock += timedelta(hours=1)
        at = self.clock - timedelta(hours=late)
        fact = Fact(
            id=f"{old} {new} {at}", asset=new, at=at, event=Event.INSTALLED, replaces=old, by_work=True, source="a crew"
        )
        self.facts += [fact, fact] if twice else [fact]
        self.in_order = self.in_order and late == 0
        history = self.history()
        for asset in self.shadow:
            span = history.at(asset, self.clock)
            if span is not None:
                self.shadow[asset] = (span.state, span.position)

    @invariant()
    def the_history_agrees_with_what_was_allowed(self) -> None:
        history = self.history()
        for asset, (state, position) in self.shadow.items():
            span = history.at(asset, self.clock)
            assert span is not None
            assert (span.state, span.position) == (state, position)

    @invariant()
    def one_position_for_each_asset_and_one_asset_at_each_position(self) -> None:
        spans = [span for each in self.history().spans.values() for span in each]
        for moment in {span.starts for span in spans}:
            held = [span.position for span in spans if span.holds(moment) and span.position is not None]
            assert len(held) == len(set(held))
            assert all((span.position is None) or span.state in IN_PLACE for span in spans)

    @invariant()
    def the_order_of_telling_does_not_matter(self) -> None:
        assert settle(reversed(self.facts)) == self.history()


TestLives = Lives.TestCase
TestLives.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
