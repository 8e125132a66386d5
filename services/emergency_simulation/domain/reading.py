"""Meters that are asked for their readings: each answers after a while of its own, or not at all."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from services.emergency_simulation.domain.chance import Stream
from services.emergency_simulation.domain.meters import PING_S
from services.emergency_simulation.domain.timing import after

PATIENCE = timedelta(minutes=2)
"""How long the head-end waits for a meter before it says that there was no answer [P]."""


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
