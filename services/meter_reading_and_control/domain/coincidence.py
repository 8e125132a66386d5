"""The greatest of sums, and what each of those took at most that are in them (metering guide 6, coincident demand)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from fractions import Fraction

from services.meter_reading_and_control.domain.readings import NOTHING_KNOWN, Value
from services.meter_reading_and_control.domain.sums import Sum


class Coincidence:
    """What was greatest while days were looked at, in their order.

    Attributes:
        start: when the interval with the greatest sum begins; of equals the first. None where there is none.
        sum: the sum of that interval.
    """

    def __init__(self) -> None:
        self.start: datetime | None = None
        self.sum: Sum | None = None
        self._greatest = Fraction(0)
        self._own: dict[str, Fraction] = {}

    def see_member(self, point: str, values: Sequence[Value | None], counts: Iterable[bool]) -> None:
        """Look at what one usage point took in a day, in those intervals that count."""
        mine = (each for each, does in zip(values, counts, strict=True) if does)
        known = [each.exact for each in mine if each is not None and each.origin.rank != NOTHING_KNOWN]
        if known:
            self._own[point] = max(*known, self._own.get(point, known[0]))

    def see_sums(self, starts: Sequence[datetime], sums: Iterable[Sum | None], counts: Iterable[bool]) -> None:
        """Look at the sums of a day, in those intervals that count."""
        for start, each, does in zip(starts, sums, counts, strict=True):
            if not does or each is None or each.value is None:
                continue
            if self.start is None or each.value.exact > self._greatest:
                self.start, self.sum, self._greatest = start, each, each.value.exact

    @property
    def factor(self) -> Fraction | None:
        """The greatest sum by the sum of what each took at most, at a time of its own; None where that is nothing."""
        total = sum(self._own.values(), Fraction(0))
        return self._greatest / total if total > 0 else None
