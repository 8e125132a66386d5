"""Meters that are read: each answers after a while of its own, or not at all; at set times the head-end tells files.

Figures are our proposals [P]. By default all is in good order; :class:`Habits` says how often it is not.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from contracts.errors import Invalid
from services.emergency_simulation.domain.chance import Stream
from services.emergency_simulation.domain.meters import PING_S
from services.emergency_simulation.domain.timing import after

PATIENCE = timedelta(minutes=2)
"""How long the head-end waits for a meter before it says that there was no answer [P]."""


FILE = 20
"""How many meters are told in one file."""

FILE_S = (30.0, 1.0)
"""The median of the time after which a file is told, and the standard deviation of its logarithm."""

DISORDER = timedelta(hours=26)
"""By so much a file comes late that comes out of order: after the next one."""

AGAIN = timedelta(minutes=2)
"""So long after a file it is told again, where it is."""

HOLE = (2, 12)
"""So many intervals are missing where a meter has a hole."""


class Habits(Struct, frozen=True, kw_only=True):
    """What goes wrong in scheduled readings: shares of meters and of files, from 0 to 1.

    Attributes:
        reading_miss: meters of which a file lacks the day.
        reading_hole: meters whose day has a hole.
        reading_stranger: files with a meter that nobody knows.
        reading_double: files that are told twice.
        reading_disorder: files that come after the ones of the next day.
        reading_jump: meters whose clock is an hour ahead for some hours of the day.
    """

    reading_miss: float = 0.0
    reading_hole: float = 0.0
    reading_stranger: float = 0.0
    reading_double: float = 0.0
    reading_disorder: float = 0.0
    reading_jump: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        Raises:
            Invalid: with one sentence that names the habit.
        """
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if not 0.0 <= value <= 1.0:
                raise Invalid(f"{name} is {value:g}, but must be a share from 0 to 1")


class Day(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one meter tells of the time that is collected; from ``hole`` until before ``mended`` it has no intervals."""

    point: str
    hole: int = 0
    mended: int = 0
    jumps: bool = False


class File(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the head-end tells at one time of a schedule, of some meters.

    Attributes:
        name: which file it is.
        collector: where its meters are collected.
        at: when it is told.
        types: what it tells, as reading types.
        since, until: of what time.
        days: of which meters.
        stranger: a meter in it that nobody knows.
    """

    name: str
    collector: str
    at: datetime
    types: tuple[str, ...]
    since: datetime
    until: datetime
    days: tuple[Day, ...]
    stranger: str = ""


def files(stream: Stream, groups: Mapping[str, Sequence[str]], order: File, habits: Habits) -> Iterator[File]:
    """The files of one time of a schedule, each time that it is told.

    Args:
        stream: the chance of readings.
        groups: the usage points that are read, by the collector of each.
        order: the time and the types; told at the time itself.
        habits: what goes wrong.
    """
    for collector, points in sorted(groups.items()):
        for place in range(0, len(points), FILE):
            name = f"{order.name} {collector} {place}"
            days = [_day(stream, point, order, habits) for point in points[place : place + FILE]]
            late = after(order.at, stream.lognormal(*FILE_S, "file", name))
            if stream.fraction("disorder", name) < habits.reading_disorder:
                late += DISORDER
            told = replace(order, name=name, collector=collector, at=late, days=tuple(each for each in days if each))
            if stream.fraction("stranger", name) < habits.reading_stranger:
                told = replace(told, stranger=stream.identity("stranger", name))
            if told.days or told.stranger:
                yield told
                if stream.fraction("double", name) < habits.reading_double:
                    yield replace(told, name=f"{name} again", at=late + AGAIN)


def _day(stream: Stream, point: str, order: File, habits: Habits) -> Day | None:
    name = (point, order.until.isoformat())
    if stream.fraction("miss", *name) < habits.reading_miss:
        return None
    day = Day(point=point, jumps=stream.fraction("jump", *name) < habits.reading_jump)
    if stream.fraction("hole", *name) < habits.reading_hole:
        start = int(stream.between(0, 80, "start", *name))
        day = replace(day, hole=start, mended=start + int(stream.between(*HOLE, "length", *name)))
    return day


LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class Poll(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A question to meters.

    Attributes:
        points: where they are.
        types: what they are to tell, as reading types.
        reason: why they are read.
        unknown: whom nobody knows here.
        start, end: of what time intervals are asked for.
        due: the answers to come, in their order.
        silent: those that did not answer.
        is_partly_answered: something was answered already.
        ends_at: when the head-end stops waiting.
    """

    points: tuple[str, ...]
    types: tuple[str, ...]
    reason: str
    unknown: tuple[str, ...] = ()
    start: datetime | None = None
    end: datetime | None = None
    due: tuple[tuple[datetime, str], ...] = ()
    silent: tuple[str, ...] = ()
    is_partly_answered: bool = False
    ends_at: datetime = LONG_AGO

    @property
    def next_at(self) -> datetime:
        """When something happens next: an answer may come, or the head-end stops waiting."""
        return self.due[0][0] if self.due else self.ends_at


def begun(poll: Poll, stream: Stream, now: datetime) -> Poll:
    """The question as it goes out: when each meter will answer, if it does; half of them within 6 s."""
    ends = now + PATIENCE
    due = sorted(
        (min(after(now, stream.lognormal(*PING_S, "read", point, now.isoformat())), ends), point)
        for point in poll.points
    )
    return replace(poll, due=tuple(due), ends_at=ends)


def come(poll: Poll, at: datetime) -> tuple[list[str], Poll]:
    """Whose answers have come by now, if they do, and what is still to come."""
    came = [point for due, point in poll.due if due <= at]
    return came, replace(poll, due=tuple(each for each in poll.due if each[0] > at))


def answered(poll: Poll, points: Iterable[str]) -> Poll:
    """The question, after some have answered."""
    return replace(poll, is_partly_answered=poll.is_partly_answered or any(True for _ in points))


def silenced(poll: Poll, points: Iterable[str]) -> Poll:
    """The question, with those who did not answer."""
    return replace(poll, silent=(*poll.silent, *points))
