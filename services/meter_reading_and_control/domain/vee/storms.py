"""In a storm nothing is estimated for what is dark, or dark houses would be billed for a day like others (guide 8).

An area are the usage points of one bunch: those whose readings were first told together. It is in a storm where far
fewer values came than usual, or where many meters told that they lost their power and not that it is back. Its gaps
wait until a later day is as usual again, late values have filled them, or three days have passed.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from msgspec import Struct

from services.meter_reading_and_control.domain.vee.judging import Interruptions

FALL, BACK = 0.30, 0.05
"""So much below its norm the share of values that came is in a storm, and so near it when that is over."""

DARK = 0.01
"""Of so many usage points the last word of the day was that power was lost [P: of all meters, for storm mode]."""

NORM = timedelta(days=7)
"""So many days before a day are its norm."""

_LEAST_DAYS = 3

LONGEST = timedelta(days=3)
"""So long after a day its gaps wait at most."""

SILENT = "many meters of its area are silent"
"""Why a gap in a storm waits."""


class Reads(Struct, frozen=True, kw_only=True):
    """How many values of an area were due on a day, how many came, and whether its gaps waited."""

    day: date
    due: int
    came: int
    is_held: bool = False

    @property
    def share(self) -> float:
        """The share that came; all of nothing."""
        return self.came / self.due if self.due else 1.0


def is_storm(reads: Reads, others: Iterable[Reads], *, points: int, dark: int, least: int, over: timedelta) -> bool:
    """True where gaps of a day wait and are not estimated.

    Args:
        reads: what came of the day.
        others: the same of other days that were judged.
        points: how many usage points the area has.
        dark: how many of them had lost their power at the end of the day, as far as anybody told.
        least: an area of fewer usage points is in no storm.
        over: how long the day is over.
    """
    if points < least or over >= LONGEST:
        return False
    before = [each for each in others if reads.day - NORM <= each.day < reads.day and not each.is_held]
    norm = sum(each.share for each in before) / len(before) if len(before) >= _LEAST_DAYS else None
    later = max((each for each in others if each.day > reads.day), key=lambda each: each.day, default=None)
    if later is not None and not later.is_held and later.share >= (1.0 if norm is None else norm) * (1 - BACK):
        return False
    return dark > DARK * points or (norm is not None and reads.share <= norm * (1 - FALL))


def dark_at(off: Iterable[Interruptions], end: datetime) -> int:
    """At how many usage points power was off at that time, as far as anybody has told."""
    return sum(any(down < end and (up is None or up > end) for down, up in each) for each in off)
