"""Who is sent where: the rule that is always there, and the judge that every plan must pass, whoever made it.

:func:`violations` says all that speaks against giving a job to a crew at a time; :func:`plan` gives out jobs in the
order of their value, each to the crew that is done with it first, and never against a violation.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from contracts.types import DateTimeInterval
from services.work_management.domain.crews import LONGEST_DUTY, Crew, CrewState, called
from services.work_management.domain.places import Place, travel
from services.work_management.domain.storm import Damage, order_of_repair

LIFE = 1
"""The rank of what endangers people; it takes crews away from what they have not begun."""

LAST_URGENT = 3
"""The last rank of work without delay: hazards, critical customers, outages. Such work may go on after a shift."""

LAST_RANK = 9
"""The rank of work whose requester states none."""

AGEING = timedelta(days=7)
"""After so long, work that is not urgent counts one rank more, so that it is done at some time [P]; policy."""


class Job(Struct, frozen=True, kw_only=True):
    """An order as the dispatcher sees it.

    Attributes:
        skills: how many people with each skill it takes.
        hours: the crew-hours at the place.
        window: when the crew is to arrive, as agreed with a customer.
        earliest, latest: before and after which it must not begin and end.
        lacks: what has to be there before anybody is sent, in words.
        device: where in the network the damage is; None for what is no outage.
        weight: the customers who are first without power here.
    """

    order: str
    rank: int = LAST_RANK
    requested_at: datetime
    skills: Mapping[str, int] = {}
    vehicles: frozenset[str] = frozenset()
    hours: timedelta
    place: Place | None = None
    window: DateTimeInterval | None = None
    earliest: datetime | None = None
    latest: datetime | None = None
    refused_by: frozenset[str] = frozenset()
    lacks: tuple[str, ...] = ()
    device: str | None = None
    above: str | None = None
    weight: float = 0.0


class Engagement(Struct, frozen=True, kw_only=True):
    """What a crew has in hand or is booked for.

    Attributes:
        begun: people are at work there already, or on it for good.
    """

    order: str
    crew: str
    leaves: datetime
    ends: datetime
    place: Place | None = None
    rank: int = LAST_RANK
    booked: bool = False
    begun: bool = False


class Slot(Struct, frozen=True, kw_only=True):
    """A job for a crew at a time; ``bumps`` is the order that it has to leave for it."""

    order: str
    crew: str
    leaves: datetime
    arrives: datetime
    ends: datetime
    bumps: str | None = None


class Plan(Struct, frozen=True, kw_only=True):
    """What is given out, why the rest is not, and when to look again without any news."""

    slots: tuple[Slot, ...] = ()
    reasons: dict[str, tuple[str, ...]] = {}
    again: datetime | None = None


def rank_of(job: Job, now: datetime) -> int:
    """The rank of a job; what is not urgent ages, and never becomes urgent by that."""
    if job.rank <= LAST_URGENT:
        return job.rank
    return max(LAST_URGENT + 1, job.rank - max(0, (now - job.requested_at) // AGEING))


def by_value(jobs: Iterable[Job], now: datetime) -> list[Job]:
    """Jobs in the order in which they are given out.

    By rank, where an outage counts as the most urgent that hangs on it; within a rank outages by the customers that
    a crew-hour restores, upstream damage first; else by the time that is left, and by age.
    """
    known = {job.order: job for job in jobs}
    ranks = {order: rank_of(job, now) for order, job in known.items()}
    for order, job in known.items():
        above = job.above
        while above in known:
            ranks[above] = min(ranks[above], ranks[order])
            above = known[above].above
    damages = [
        Damage(mrid=job.order, above=job.above, weight=job.weight, hours=_hours(job))
        for job in known.values()
        if job.device is not None
    ]
    place = {order: number for number, order in enumerate(order_of_repair(damages))}

    def value(job: Job) -> tuple[int, int, float, datetime, str]:
        due = job.latest or (None if job.window is None else job.window.end)
        left = float("inf") if due is None else due.timestamp()
        return (ranks[job.order], place.get(job.order, len(place)), left, job.requested_at, job.order)

    return sorted(known.values(), key=value)


def _hours(job: Job) -> float:
    return (job.hours + travel(None, None)) / timedelta(hours=1)


def slot_for(job: Job, crew: Crew, engagements: Sequence[Engagement], now: datetime) -> Slot:
    """When a crew would leave for a job, be there and be done, if it began as soon as it may."""
    start = max((each.ends for each in engagements if each.crew == crew.mrid and not each.booked), default=now)
    leaves = max(now, start)
    way = travel(where(crew, engagements), job.place)
    if job.window is not None and job.window.start is not None:
        leaves = max(leaves, job.window.start - way)
    if job.earliest is not None:
        leaves = max(leaves, job.earliest - way)
    return Slot(order=job.order, crew=crew.mrid, leaves=leaves, arrives=leaves + way, ends=leaves + way + job.hours)


def where(crew: Crew, engagements: Iterable[Engagement]) -> Place | None:
    """Where a crew will set out from: the place of what it has in hand, or where it was last."""
    in_hand = [each for each in engagements if each.crew == crew.mrid and not each.booked]
    return max(in_hand, key=lambda each: each.ends).place or crew.place if in_hand else crew.place


def violations(job: Job, crew: Crew, slot: Slot, engagements: Iterable[Engagement]) -> list[str]:
    """All that speaks against a slot; any scheduler's answer has to pass.

    Skills, vehicle, shift and hours of duty, one job at a time with the way between, the window of an appointment,
    and what has to be there first: material, clearance, approval.
    """
    found = [f"it lacks {each}" for each in job.lacks]
    found += _unable(job, crew, slot.arrives)
    found += _not_there(job, crew, slot)
    if crew.mrid in job.refused_by:
        found.append("it did not take it")
    found += _late(job, slot)
    for each in engagements:
        if each.crew == crew.mrid and each.order not in {job.order, slot.bumps}:
            found += _clash(each, job, slot)
    return found


def _unable(job: Job, crew: Crew, at: datetime) -> list[str]:
    found = []
    for skill, needed in sorted(job.skills.items()):
        able = crew.able(skill, at)
        if able < needed:
            found.append(f"{able} of {needed} with the skill '{skill}'")
    return found + [f"no '{each}'" for each in sorted(job.vehicles - crew.vehicles)]


def unfit(job: Job, crew: Crew, now: datetime) -> list[str]:
    """Why a crew cannot do any more what it has been given: its people, its vehicles, or that it is gone."""
    gone = {CrewState.OFF_SHIFT, CrewState.OUT_OF_SERVICE, CrewState.RELEASED}
    return _unable(job, crew, now) + ([f"it is {crew.state.value}"] if crew.state in gone else [])


def _not_there(job: Job, crew: Crew, slot: Slot) -> list[str]:
    if crew.state is not CrewState.AVAILABLE:
        return [f"it is {crew.state.value}"]
    if not crew.shifts:
        return []
    shift = crew.shift_at(slot.leaves)
    if shift is None:
        return ["it is not on shift"]
    if job.rank > LAST_URGENT and shift.end is not None and slot.ends > shift.end:
        return ["its shift ends before"]
    since = crew.on_duty_since(slot.leaves)
    if since is not None and slot.ends > since + LONGEST_DUTY:
        return [f"it would be on duty for more than {LONGEST_DUTY // timedelta(hours=1)} h"]
    return []


def _late(job: Job, slot: Slot) -> list[str]:
    found = []
    window = job.window
    if window is not None and window.end is not None and slot.arrives > window.end:
        found.append("it would come after the appointment")
    if window is not None and window.start is not None and slot.arrives < window.start:
        found.append("it would come before the appointment")
    if job.earliest is not None and slot.arrives < job.earliest:
        found.append("it may not begin so early")
    return found


def _clash(other: Engagement, job: Job, slot: Slot) -> list[str]:
    if other.booked and job.rank <= LAST_URGENT:
        return []
    if slot.leaves >= other.ends or slot.ends + travel(job.place, other.place) <= other.leaves:
        return []
    return [f"it has the order {other.order} at that time"]


def plan(jobs: Iterable[Job], crews: Sequence[Crew], engagements: Sequence[Engagement], now: datetime) -> Plan:
    """What to give out now, by one pass over the jobs in the order of their value.

    A crew that is at work is given nothing more; a job whose appointment is later is booked, at the time of leaving.
    What endangers people takes the crew that is there first from what it has not begun, if no other is free.
    """
    held = list(engagements)
    slots: list[Slot] = []
    reasons: dict[str, tuple[str, ...]] = {}
    for job in by_value(jobs, now):
        options, against = _options(job, crews, held, now)
        if not options and job.rank == LIFE:
            options = _taken_away(job, crews, held, now)
        if not options:
            reasons[job.order] = against
            continue
        best = min(options, key=lambda slot: (slot.ends, slot.crew))
        slots.append(best)
        held = [each for each in held if each.order not in {best.order, best.bumps}]
        held.append(_engaged(job, best, now))
    return Plan(slots=tuple(slots), reasons=reasons, again=_again(reasons, crews, now))


def _options(
    job: Job, crews: Sequence[Crew], held: Sequence[Engagement], now: datetime
) -> tuple[list[Slot], tuple[str, ...]]:
    options, against = [], []
    for crew in crews:
        slot = slot_for(job, crew, held, now)
        wrong = violations(job, crew, slot, held)
        busy = next((each for each in held if each.crew == crew.mrid and not each.booked), None)
        if busy is not None and not wrong and slot.leaves <= max(now, busy.ends):
            wrong = [f"it has the order {busy.order}"]
        if wrong:
            against.append(f"{crew.name}: {'; '.join(wrong)}")
        else:
            options.append(slot)
    return options, tuple(against) or ("there is no crew",)


def _taken_away(job: Job, crews: Sequence[Crew], held: Sequence[Engagement], now: datetime) -> list[Slot]:
    options = []
    for other in held:
        crew = called(crews, other.crew)
        if crew is not None and not other.begun and other.rank > LIFE:
            rest = [each for each in held if each.order != other.order]
            slot = replace(slot_for(job, crew, rest, now), bumps=other.order)
            if not violations(job, crew, slot, rest):
                options.append(slot)
    return options


def _engaged(job: Job, slot: Slot, now: datetime) -> Engagement:
    return Engagement(
        order=job.order,
        crew=slot.crew,
        leaves=slot.leaves,
        ends=slot.ends,
        place=job.place,
        rank=job.rank,
        booked=slot.leaves > now,
    )


def _again(reasons: Mapping[str, object], crews: Sequence[Crew], now: datetime) -> datetime | None:
    """When a shift begins, and with it perhaps what waits."""
    starts = (crew.next_shift(now) for crew in crews)
    return min((each for each in starts if each is not None), default=None) if reasons else None
