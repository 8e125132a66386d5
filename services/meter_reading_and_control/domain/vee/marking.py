"""What the qualities of a value say of its interval."""

from collections.abc import Mapping
from functools import lru_cache

from contracts.codes.reading_quality import ESTIMATED, ReadingQualityCode
from services.meter_reading_and_control.domain.readings import (
    DERIVED_SUM,
    NOTHING_KNOWN,
    PARTIAL,
    VALID,
    Origin,
    Quality,
    Value,
)
from services.meter_reading_and_control.domain.vee.days import Mark

_ESTIMATES = ReadingQualityCode.parse(ESTIMATED).category
_DATA_ERRORS = range(4, 9)
_MARKS: Mapping[tuple[int, int], Mark] = {
    (4, 1): Mark.OVERFLOW,
    (4, 5): Mark.TEST,
    (4, 3): Mark.LONG,
    (4, 9): Mark.CLOCK,
    (2, 32): Mark.OFF,
}
"""By category and index. A jump of the clock (4.64, 4.128) says nothing: the values were put into true time when they
were taken."""


def marks_of(value: Value | None) -> int:
    """What is known of the interval of a value."""
    return int(Mark.MISSING) if value is None else origin_marks(value.origin)


def origin_marks(origin: Origin) -> int:
    """What is known of the interval of a value of this origin; one that two meters share is whole by their sum."""
    return _marks(origin.qualities)


@lru_cache(maxsize=4096)
def _marks(qualities: tuple[Quality, ...]) -> int:
    rank = Origin(qualities=qualities).rank
    if rank == NOTHING_KNOWN:
        return int(Mark.MISSING)
    said = set(qualities)
    marks = int(Mark.PARTIAL) if PARTIAL in said and DERIVED_SUM not in said else 0
    marks |= 0 if rank >= VALID else int(Mark.UNSURE)
    for code in (ReadingQualityCode.parse(each.code) for each in said):
        marks |= int(_MARKS.get((code.category, code.index), 0))
        if code.category == 1 and code.index in _DATA_ERRORS:
            marks |= int(Mark.DEVICE)
        if code.category == _ESTIMATES:
            marks |= int(Mark.ESTIMATED)
    return marks
