"""What is usual at usage points: the usage of their last days, so that no rule reads a history (metering guide 4).

One row for each usage point and reading type holds 64 days up to the last one that was judged. A day is judged by the
four weeks before it; that the row goes back further lets a day be judged again, and the same, five weeks later.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from enum import IntFlag
from fractions import Fraction

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from services.meter_reading_and_control.domain.readings import VALID, Value
from services.meter_reading_and_control.domain.vee.days import Days, Mark, Mask, Numbers
from services.meter_reading_and_control.domain.vee.marking import marks_of

DAYS = 64
"""How many days a row of statistics holds."""

HISTORY = timedelta(days=28)
"""So many days before a day are looked at for like days and for what is usual."""

LEAST_DAYS = 7
"""So many whole days are needed to say what is usual."""

_LARGEST = 10**18

Ordinals = NDArray[np.int64]
Uses = NDArray[np.float64]


class DayMark(IntFlag):
    """What a day was: WHOLE has all its values, measured and valid; in FILLED some are missing or estimated."""

    WHOLE = 1
    FILLED = 2


class Usual(Struct, frozen=True, kw_only=True):
    """What is usual at a usage point before a day.

    Attributes:
        mean: usage of a whole day, in the unit of the reading type; None where too few are known.
        idle_days: so many whole days before it had no usage at all.
        filled_days: so many days right before it had values that were missing or estimated.
    """

    mean: Fraction | None = None
    idle_days: int = 0
    filled_days: int = 0


class Statistics(Struct, frozen=True, eq=False, kw_only=True):
    """The last days of usage points, a row for each.

    Attributes:
        last: the newest day of each row, as an ordinal; 0 where nothing is known.
        scales: a usage is its number times 10 to the scale of its row.
        usage: [points x DAYS], of whole days; 0 elsewhere. The newest day is the last column.
        marks: bits of DayMark, of the same shape.
    """

    last: Ordinals
    scales: Ordinals
    usage: Numbers
    marks: NDArray[np.uint8]

    @classmethod
    def empty(cls, points: int) -> "Statistics":
        """Nothing is known."""
        return cls(
            last=np.zeros(points, np.int64),
            scales=np.zeros(points, np.int64),
            usage=np.zeros((points, DAYS), np.int64),
            marks=np.zeros((points, DAYS), np.uint8),
        )

    def rows(self, places: NDArray[np.intp]) -> "Statistics":
        """Some of the rows."""
        return Statistics(
            last=self.last[places], scales=self.scales[places], usage=self.usage[places], marks=self.marks[places]
        )


class Before(Struct, frozen=True, eq=False, kw_only=True):
    """What is usual before a day, of many usage points, in counts of the scale that was asked for.

    Attributes:
        mean: 0 where too few days are known.
    """

    mean: Numbers
    idle_days: Numbers
    filled_days: Numbers


def before(known: Statistics, day: date, scale: int) -> Before:
    """What is usual before ``day``, in counts of ``scale``."""
    columns = np.arange(-(HISTORY // timedelta(days=1)), 0) + day.toordinal()
    places = DAYS - 1 - (known.last[:, None] - columns[None, :])
    there = (places >= 0) & (places < DAYS)
    marks = np.where(there, np.take_along_axis(known.marks, places.clip(0, DAYS - 1), axis=1), 0)
    usage = np.where(there, np.take_along_axis(known.usage, places.clip(0, DAYS - 1), axis=1), 0)
    whole = (marks & DayMark.WHOLE) != 0
    count = whole.sum(axis=1)
    factor = np.power(10.0, known.scales - scale)
    mean = np.rint(np.where(whole, usage, 0).sum(axis=1) / np.maximum(count, 1) * factor)
    used = whole & (usage != 0)
    filled = (marks & DayMark.FILLED) != 0
    return Before(
        mean=np.where(count >= LEAST_DAYS, mean.clip(-_LARGEST, _LARGEST), 0).astype(np.int64),
        idle_days=(whole & ~_from_the_last(used)).sum(axis=1),
        filled_days=(~_from_the_last(~filled)).sum(axis=1),
    )


def whole_days(known: Statistics, first: int, count: int) -> tuple[Uses, Mask]:
    """What was used on days from an ordinal on, in the unit of the reading type, and which of them are whole."""
    places = DAYS - 1 - (known.last[:, None] - np.arange(first, first + count)[None, :])
    within = places.clip(0, DAYS - 1)
    marks = np.where((places >= 0) & (places < DAYS), np.take_along_axis(known.marks, within, axis=1), 0)
    whole = (marks & DayMark.WHOLE) != 0
    usage = np.where(whole, np.take_along_axis(known.usage, within, axis=1), 0)
    return usage * np.power(10.0, known.scales)[:, None], whole


def _from_the_last(found: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """True in each column that is not behind the last one in which it is true."""
    seen: NDArray[np.bool_] = np.logical_or.accumulate(found[:, ::-1], axis=1)[:, ::-1]
    return seen


def with_day(known: Statistics, day: date, days: Days, scale: int) -> Statistics:
    """The statistics after a day, whose values are counts of ``scale``."""
    ordinal = day.toordinal()
    last = np.maximum(known.last, ordinal)
    places = np.arange(DAYS)[None, :] + (last - known.last)[:, None]
    there = places < DAYS
    usage = np.where(there, np.take_along_axis(known.usage, places.clip(0, DAYS - 1), axis=1), 0)
    marks = np.where(there, np.take_along_axis(known.marks, places.clip(0, DAYS - 1), axis=1), 0).astype(np.uint8)
    finer = np.where(known.last == 0, scale, np.minimum(known.scales, scale))
    usage *= np.power(10, known.scales.clip(min=finer) - finer)[:, None]
    whole = ~days.marked(Mark.MISSING | Mark.UNSURE).any(axis=1)
    filled = days.marked(Mark.MISSING | Mark.ESTIMATED).any(axis=1)
    at = DAYS - 1 - (last - ordinal)
    rows = np.flatnonzero(at >= 0)
    total = np.where(whole, days.values.sum(axis=1) * np.power(10, scale - finer), 0)
    usage[rows, at[rows]] = total[rows]
    is_so = np.where(whole, int(DayMark.WHOLE), 0) + np.where(filled, int(DayMark.FILLED), 0)
    marks[rows, at[rows]] = is_so[rows]
    return Statistics(last=last, scales=finer, usage=usage, marks=marks)


def usual(history: Mapping[date, Sequence[Value | None]], day: date) -> Usual:
    """The same from the values of the days before ``day``."""
    whole = [values for past, values in sorted(history.items(), reverse=True) if past < day and _is_whole(values)]
    usage = [sum((each.exact for each in values if each is not None), Fraction(0)) for values in whole]
    idle = next((place for place, each in enumerate(usage) if each), len(usage))
    filled = 0
    while _is_filled(history.get(day - (filled + 1) * timedelta(days=1))):
        filled += 1
    mean = sum(usage, Fraction(0)) / len(usage) if len(usage) >= LEAST_DAYS else None
    return Usual(mean=mean, idle_days=idle, filled_days=filled)


def _is_whole(values: Sequence[Value | None]) -> bool:
    return all(each is not None and each.origin.rank >= VALID for each in values)


def _is_filled(values: Sequence[Value | None] | None) -> bool:
    wanting = int(Mark.MISSING | Mark.ESTIMATED)
    return values is not None and any(marks_of(each) & wanting for each in values)
