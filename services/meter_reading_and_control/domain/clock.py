"""A meter whose clock was wrong for a while: its intervals are put where they belong (metering guide 3.6, 17.15).

A meter stamps by its own clock. Where that jumps, an interval is short or seems long, and where it is set back some
times are told twice, of different energy. Who reads the meter knows when it jumped and by how much; with that every
interval is found again in true time, so nothing is counted twice and nothing is lost.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from msgspec import Struct

FORWARD, BACK = "3.4.64", "3.4.128"
"""The quality of an interval in which the clock was set forward, or back; found by meter data management."""


class Jump(Struct, frozen=True, kw_only=True, order=True):
    """A clock jumped ``at`` that true time, and was ``ahead`` by so much from then on."""

    at: datetime
    ahead: timedelta


class Piece(Struct, frozen=True, kw_only=True):
    """A stretch of true time, and the quality of one in which the clock jumped."""

    begins: datetime
    ends: datetime
    quality: str = ""


def righted(told: Iterable[tuple[datetime, datetime]], jumps: Sequence[Jump]) -> list[Piece]:
    """The intervals that a meter told by its own clock, in true time.

    Args:
        told: begin and end of each by the clock of the meter, in the order in which it recorded them.
        jumps: all that is known of its clock; before the first it was right.
    """
    course = [Jump(at=datetime.min.replace(tzinfo=jumps[0].at.tzinfo), ahead=timedelta()), *sorted(jumps)]
    place, last = 0, course[0].at
    found = []
    for begins, ends in told:
        while _is_past(course, place, begins, last):
            place += 1
        first, after = begins - course[place].ahead, place
        while after + 1 < len(course) and ends - course[after].ahead > course[after + 1].at:
            after += 1
        last = ends - course[after].ahead
        found.append(Piece(begins=first, ends=last, quality=_quality(course, first, last)))
        place = after
    return found


def _is_past(course: Sequence[Jump], place: int, begins: datetime, last: datetime) -> bool:
    """True when an interval that begins so by the clock was recorded after the next jump."""
    if place + 1 >= len(course):
        return False
    true = begins - course[place].ahead
    return true >= course[place + 1].at or true < last


def _quality(course: Sequence[Jump], begins: datetime, ends: datetime) -> str:
    """What the nearest jump in or at the edge of a stretch makes of it."""
    for before, jump in pairwise(course):
        if begins <= jump.at <= ends:
            return FORWARD if jump.ahead > before.ahead else BACK
    return ""
