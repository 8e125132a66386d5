"""When power is expected back: the estimate, and when it may be told (operations guide 3.9).

An estimate is made of parts. What is done counts with its facts, what is under way with what is left of it, what is to
come with its history. The P80 is told, rounded up. In a storm nobody knows when a crew will be free, so the whole queue
is played through in the order of priority.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from contracts.nouns.unplanned_outages import ERTConfidenceKind, EstimatedRestorationTime
from services.fault_management.domain.durations import (
    Circumstances,
    History,
    Part,
    Spread,
    added,
    all_added,
    exactly,
    left,
    quantile,
)

SHARE = 0.8
"""The estimate that is told is kept with this probability."""

STEADY = timedelta(minutes=15)
"""An estimate that moves by less than this is not told anew."""

MATURITY = timedelta(minutes=10)
"""An outage of which no device is known has no estimate before it is so old."""

NOTICE = timedelta(minutes=10)
"""So long before a told estimate runs out it is extended, unless the crew is done."""

ASSESSING = timedelta(minutes=30)
"""So long after a storm has begun nobody is told a time who has no crew: the damage is being assessed [P]."""

_GRIDS = (
    (timedelta(hours=2), timedelta(minutes=15)),
    (timedelta(hours=6), timedelta(minutes=30)),
    (timedelta.max, timedelta(hours=2)),
)
_ZERO = datetime(1970, 1, 1, tzinfo=UTC)


class EtrSource(StrEnum):
    """Who says when power is expected back; what people say is never overwritten."""

    COMPUTED = "computed"
    STORM = "storm"
    """Computed for everybody in the area, since nobody has a crew of his own yet."""

    CREW = "crew"
    OPERATOR = "operator"


PEOPLE = frozenset({EtrSource.CREW, EtrSource.OPERATOR})


class Etr(Struct, frozen=True, kw_only=True):
    """An estimate that was told.

    Attributes:
        sure: it rests on what a crew has seen.
        extended: how often it ran out and was moved.
        overdue: people gave it, it has run out, and nobody gave another.
    """

    time: datetime
    source: EtrSource
    sure: bool = False
    extended: int = 0
    overdue: bool = False


class Progress(Struct, frozen=True, kw_only=True):
    """How far the work on an outage is.

    Attributes:
        asked_at: when work was asked for, or the outage was first heard of.
        ended: when each part ended that is over.
        repair_minutes: how long the repair takes by the word of the crew.
        expected: when the crew last said that power is back.
        storm: many outages were open meanwhile.
    """

    asked_at: datetime
    ended: Mapping[Part, datetime] = {}
    repair_minutes: float | None = None
    expected: datetime | None = None
    storm: bool = False

    @property
    def current(self) -> Part:
        """The part that is under way."""
        done = [place for place, part in enumerate(_PARTS) if part in self.ended]
        return _PARTS[min(done[-1] + 1, len(_PARTS) - 1)] if done else _PARTS[0]

    @property
    def since(self) -> datetime:
        """When the part under way began."""
        return max((self.ended[part] for part in _PARTS if part in self.ended), default=self.asked_at)

    @property
    def manned(self) -> bool:
        """A crew has left for it."""
        return self.current is not Part.DISPATCH

    @property
    def assessed(self) -> bool:
        """A crew has seen what is broken."""
        return self.current in {Part.REPAIR, Part.RESTORE}


class Queued(Struct, frozen=True, kw_only=True):
    """An outage in the queue of a storm; a lower ``rank`` comes first, and of equals the older one."""

    mrid: str
    rank: int
    since: datetime
    progress: Progress
    circumstances: Circumstances


_PARTS = tuple(Part)


def remaining(progress: Progress, circumstances: Circumstances, history: History, now: datetime) -> Spread:
    """How long it takes from ``now`` until the supply is back."""
    parts = _PARTS[_PARTS.index(progress.current) :]
    under_way = left(_spread(parts[0], progress, circumstances, history), max(now - progress.since, timedelta(0)))
    to_come = tuple(_spread(part, progress, circumstances, history) for part in parts[1:])
    return added(under_way, all_added(to_come)) if to_come else under_way


def _spread(part: Part, progress: Progress, circumstances: Circumstances, history: History) -> Spread:
    if part is Part.REPAIR and progress.repair_minutes is not None:
        return exactly(progress.repair_minutes)
    return history.spread(part, circumstances)


def queue(outages: Sequence[Queued], crews: int, history: History, now: datetime) -> dict[str, Spread]:
    """How long each outage takes when ``crews`` crews do one after the other, the most urgent first.

    Those that have a crew keep it. A waiting outage gets the crew that is free first; it is free when half of the
    restorations before it would be over.
    """
    ordered = sorted(outages, key=lambda each: (not each.progress.manned, each.rank, each.since, each.mrid))
    result: dict[str, Spread] = {}
    free: list[timedelta] = []
    for each in ordered:
        if each.progress.manned:
            result[each.mrid] = remaining(each.progress, each.circumstances, history, now)
            free.append(quantile(result[each.mrid], 0.5))
    free += [timedelta(0)] * (max(crews, 1) - len(free))
    for each in ordered:
        if not each.progress.manned:
            start = min(free)
            work = remaining(each.progress, each.circumstances, history, now)
            result[each.mrid] = added(exactly(start / timedelta(minutes=1)), work)
            free[free.index(start)] = start + quantile(work, 0.5)
    return result


def rounded_up(time: datetime, now: datetime) -> datetime:
    """``time`` on the next quarter of an hour, half an hour or two hours, the farther away the coarser."""
    grid = next(step for limit, step in _GRIDS if time - now < limit)
    return _ZERO + -((_ZERO - time) // grid) * grid


def updated(
    told: Etr | None,
    spread: Spread,
    progress: Progress,
    now: datetime,
    *,
    source: EtrSource,
    not_before: datetime | None = None,
) -> Etr:
    """The estimate to be told after ``told``, which stays unless there is a reason for another.

    What people said stays; when it has run out it is marked. A computed one moves only by a quarter of an hour or more,
    or when it was ``not_before`` something else. Close to its end it is extended, so that it never lies in the past.
    """
    time = rounded_up(max(now + quantile(spread, SHARE), not_before or now), now)
    fresh = Etr(time=time, source=source, sure=progress.assessed)
    if told is None:
        return fresh
    if told.source in PEOPLE:
        return replace(told, overdue=told.time <= now)
    runs_out = told.time - NOTICE <= now and Part.REPAIR not in progress.ended
    if runs_out or told.time <= now:
        later = max(time, rounded_up(max(told.time, now) + STEADY, now))
        return replace(fresh, time=later, extended=told.extended + 1)
    if abs(time - told.time) < STEADY and told.time >= (not_before or told.time):
        return replace(told, source=source, sure=fresh.sure)
    return replace(fresh, extended=told.extended)


def next_look(told: Etr | None, suspected_at: datetime, now: datetime) -> datetime | None:
    """When the estimate must be looked at again although nothing happens."""
    if told is None:
        return max(suspected_at + MATURITY, now + timedelta(minutes=1))
    if told.source in PEOPLE:
        return told.time if told.time > now else None
    return max(told.time - NOTICE, now + timedelta(minutes=1))


def shown(etr: Etr) -> EstimatedRestorationTime:
    """An estimate as others see it."""
    confidence = ERTConfidenceKind.HIGH if etr.sure else ERTConfidenceKind.LOW
    return EstimatedRestorationTime(confidence_kind=confidence, ert=etr.time, ert_source=etr.source)
