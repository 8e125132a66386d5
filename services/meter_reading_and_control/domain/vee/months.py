"""What is used on average on a day of a month: thirteen months of it, so that a drop against a year is seen (guide 7).

One row for each usage point and reading type. A month is entered once it is over, from the days of
:mod:`.statistics`, and again as long as these hold all of it, so what comes late counts. The numbers are for
comparing and not for bills.
"""

from datetime import date

import numpy as np
from msgspec import Struct

from services.meter_reading_and_control.domain.vee.statistics import (
    DAYS,
    LEAST_DAYS,
    Ordinals,
    Statistics,
    Uses,
    whole_days,
)

MONTHS = 13
"""How many months a row holds: one and the twelve before it."""

LEAST_MONTHS = 6
"""So many of the twelve before must be known [P]."""


class Months(Struct, frozen=True, eq=False, kw_only=True):
    """The last months of usage points, a row for each.

    Attributes:
        last: the newest month of each row, as its number (:func:`number_of`); 0 where none is known.
        use: [points x MONTHS], what was used on average on a day, in the unit of the reading type; the newest month is
            the last column, and what is not known is no number.
    """

    last: Ordinals
    use: Uses

    @classmethod
    def empty(cls, points: int) -> "Months":
        """Nothing is known."""
        return cls(last=np.zeros(points, np.int64), use=np.full((points, MONTHS), np.nan))


def number_of(day: date) -> int:
    """The number of the month of a day; that of the next month is one more."""
    return day.year * 12 + day.month - 1


def first_day(number: int) -> date:
    """The first day of the month of that number."""
    return date(number // 12, number % 12 + 1, 1)


def mean_use(days: Statistics, month: int) -> Uses:
    """What was used on average on the whole days of a month.

    No number where the month is not over, or is too long ago, or has too few whole days.
    """
    first, after = first_day(month).toordinal(), first_day(month + 1).toordinal()
    is_held = (days.last >= after - 1) & (days.last - first < DAYS)
    use, is_whole = whole_days(days, first, after - first)
    count = is_whole.sum(axis=1)
    return np.where(is_held & (count >= LEAST_DAYS), use.sum(axis=1) / np.maximum(count, 1), np.nan)


def with_month(known: Months, month: int, use: Uses) -> Months:
    """The months after one was entered, where its use is known."""
    is_told = ~np.isnan(use)
    last = np.where(is_told, np.maximum(known.last, month), known.last)
    places = np.arange(MONTHS)[None, :] + (last - known.last)[:, None]
    moved = np.where(places < MONTHS, np.take_along_axis(known.use, places.clip(0, MONTHS - 1), axis=1), np.nan)
    at = MONTHS - 1 - (last - month)
    rows = np.flatnonzero(is_told & (at >= 0))
    moved[rows, at[rows]] = use[rows]
    return Months(last=last, use=moved)


def shares(known: Months, month: int, since: int = 0) -> Uses:
    """What was used in a month for each unit that was used on average in the twelve before.

    Months before ``since`` are those of somebody else. No number where too few of them are known, or nothing was used.
    """
    numbers = known.last[:, None] - np.arange(MONTHS)[::-1][None, :]
    is_own = (numbers == month) & ~np.isnan(known.use)
    is_past = (numbers >= max(month - MONTHS + 1, since)) & (numbers < month) & ~np.isnan(known.use)
    own = np.where(is_own, known.use, 0.0).sum(axis=1)
    mean = np.where(is_past, known.use, 0.0).sum(axis=1) / np.maximum(is_past.sum(axis=1), 1)
    is_known = is_own.any(axis=1) & (is_past.sum(axis=1) >= LEAST_MONTHS) & (mean > 0)
    return np.where(is_known, own / np.where(mean > 0, mean, 1.0), np.nan)
