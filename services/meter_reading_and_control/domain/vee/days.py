"""What is judged: one market day of one reading type, a row for each usage point and a column for each interval."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import IntFlag

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from contracts.codes.reading_type import ReadingTypeCode

Numbers = NDArray[np.int64]
Mask = NDArray[np.bool_]
Bits = NDArray[np.uint32]


DELTA = 4
"""The accumulation of a ReadingType of what passed in intervals."""


def is_judged(reading_type: ReadingTypeCode) -> bool:
    """True for what passed in intervals; what was at an instant is not judged, and never estimated (guide 5.1)."""
    return reading_type.accumulation == DELTA


class Mark(IntFlag):
    """What is known of one interval beside its value, from the meter, from its events or from what was done to it.

    Missing is not zero, and neither is an outage: OFF is supply that was off for some of the interval, between a
    power-down and a power-up; HELD is after a power-down whose end nobody has told yet, or in a storm. ABSENT is before
    a meter came, or after it went: nothing is missing there. UNSURE is less than measured and valid.
    """

    MISSING = 1
    OFF = 2
    HELD = 4
    OVERFLOW = 8
    TEST = 16
    PARTIAL = 32
    LONG = 64
    DEVICE = 128
    CLOCK = 256
    ESTIMATED = 512
    UNSURE = 1024
    ABSENT = 2048


class Days(Struct, frozen=True, eq=False, kw_only=True):
    """A market day of many usage points.

    Attributes:
        values: whole numbers in least counts of one scale, [points x intervals]; anything where MISSING is marked.
        marks: bits of :class:`Mark`, of the same shape.
        length: of an interval.
        starts: when each interval begins, in UTC.
    """

    values: Numbers
    marks: NDArray[np.uint16]
    length: timedelta
    starts: Sequence[datetime]

    def marked(self, mark: Mark) -> Mask:
        """Where any of the bits of ``mark`` is set."""
        found: Mask = (self.marks & np.uint16(mark)) != 0
        return found

    @property
    def present(self) -> Mask:
        """Where there is a value."""
        return ~self.marked(Mark.MISSING)


class Facts(Struct, frozen=True, eq=False, kw_only=True):
    """What is known of each usage point beside its day; an array of one place for each row, or None where unknown.

    Energy is in the least counts of the day, factors applied. A rule whose facts are unknown finds nothing.

    Attributes:
        advance: what the register gained over the day, by row; see ``advance_known``.
        advance_known: where both readings of the register are there.
        least: least count of the register times its factor; 0 where no register is known.
        pulse: energy of one pulse times the factor.
        read_offset_s: the sum of how far the two readings of the register lie from the edges of the day, in s.
        tou_sum: what all registers of time of use gained together; ``tou_count`` is how many there are.
        check: the values of the check meter, [points x intervals].
        reactive: the reactive counterpart, [points x intervals].
        voltage: of the same phase, as a share of the nominal voltage, [points x intervals].
        limit: the most that passes in one interval, 1.25 times the rating.
        class_mean: of one interval in the class of the usage point.
        reference: usage of a day in the same month of last year, else of the last period.
        reference_estimated: the share of it that was estimated, 0 to 1.
        zero_days: so many days before this one had no usage at all.
        estimated_days: so many days before this one were estimated.
        inactive: the supply is disconnected or nobody has an agreement.
        minimal_use_expected: no usage is what is expected here.
        business: commercial or industrial.
        generation: a generator is registered.
        reverse: what went the other way in the day.
        register_fell: the register went down, and not by a roll-over.
        siblings_missing: another channel that is configured has no data.
    """

    advance: Numbers | None = None
    advance_known: Mask | None = None
    least: Numbers | None = None
    pulse: Numbers | None = None
    read_offset_s: Numbers | None = None
    tou_sum: Numbers | None = None
    tou_count: Numbers | None = None
    check: Numbers | None = None
    reactive: Numbers | None = None
    voltage: NDArray[np.float64] | None = None
    limit: Numbers | None = None
    class_mean: Numbers | None = None
    reference: Numbers | None = None
    reference_estimated: NDArray[np.float64] | None = None
    zero_days: Numbers | None = None
    estimated_days: Numbers | None = None
    inactive: Mask | None = None
    minimal_use_expected: Mask | None = None
    business: Mask | None = None
    generation: Mask | None = None
    reverse: Numbers | None = None
    register_fell: Mask | None = None
    siblings_missing: Mask | None = None


def supply_marks(
    starts: Sequence[datetime], length: timedelta, interruptions: Iterable[tuple[datetime, datetime | None]]
) -> NDArray[np.uint16]:
    """The marks OFF and HELD of one usage point, [intervals], from its power-downs and power-ups.

    Args:
        starts: when the intervals begin.
        length: of one interval.
        interruptions: pairs of a power-down and its power-up; None where the end has not been told.
    """
    marks = np.zeros(len(starts), np.uint16)
    for down, up in interruptions:
        for place, start in enumerate(starts):
            if start + length > down and (up is None or start < up):
                marks[place] |= np.uint16(Mark.HELD if up is None else Mark.OFF)
    return marks
