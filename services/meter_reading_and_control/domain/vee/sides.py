"""What is measured beside a reading type at the same usage point, or at that of a check meter, on the same day."""

from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from contracts.codes.reading_type import ReadingTypeCode
from contracts.errors import Invalid
from services.meter_reading_and_control.domain.readings import interval_length
from services.meter_reading_and_control.domain.vee.days import Mark, Mask, is_judged

VAR_HOURS, WATT_HOURS, VOLTS = 73, 72, 29
"""Units."""

LARGEST = 10**18
"""At most what an array surely holds."""

VOLTAGES = (54, 158)
"""measurementKinds."""


class Side(Struct, frozen=True, eq=False, kw_only=True):
    """What was measured beside a day, an interval for each of it.

    Attributes:
        numbers: whole; 0 where there is none.
        valid: where they were measured and nothing is known against them.
        scale: the value is the number times 10 to this, in the unit of what it is beside.
        factor: and times this, such as the losses between two meters.
    """

    numbers: NDArray[np.int64]
    valid: NDArray[np.bool_]
    scale: int
    factor: float = 1.0

    def at_scale(self, scale: int) -> NDArray[np.float64]:
        """Its values in counts of ``scale``."""
        found = self.numbers * (self.factor * 10.0 ** (self.scale - scale))
        return np.asarray(np.clip(found, -LARGEST, LARGEST), np.float64)


def side_of(numbers: NDArray[np.int64], marks: NDArray[np.uint16], scale: int, factor: float = 1.0) -> Side:
    """What was measured, from its numbers and marks."""
    return Side(numbers=numbers, valid=(marks & ~np.uint16(Mark.OFF | Mark.ABSENT)) == 0, scale=scale, factor=factor)


def stacked(sides: Sequence[Side | None], scale: int, width: int) -> tuple[NDArray[np.float64], Mask]:
    """The values in counts of ``scale``, a row for each, and where they are valid."""
    values, valid = np.zeros((len(sides), width)), np.zeros((len(sides), width), np.bool_)
    for place, side in enumerate(sides):
        if side is not None:
            values[place], valid[place] = side.at_scale(scale), side.valid
    return values, valid


def greatest(sides: Sequence[Side]) -> Side | None:
    """The greatest value of each interval, such as of all phases, where all are valid; None of nothing."""
    if not sides:
        return None
    scale = min(each.scale for each in sides)
    numbers = np.max([np.rint(each.at_scale(scale)) for each in sides], axis=0).astype(np.int64)
    return Side(numbers=numbers, valid=np.logical_and.reduce([each.valid for each in sides]), scale=scale)


def reactive_of(code: ReadingTypeCode, others: Iterable[ReadingTypeCode]) -> list[ReadingTypeCode]:
    """The reactive counterparts of energy: the same but for unit, power of ten and which way it flows."""
    if code.unit != WATT_HOURS:
        return []
    wanted = replace(code, unit=VAR_HOURS, flow_direction=0, multiplier=0)
    return [each for each in others if replace(each, flow_direction=0, multiplier=0) == wanted]


def voltages_of(code: ReadingTypeCode, others: Iterable[ReadingTypeCode]) -> list[ReadingTypeCode]:
    """The voltages of the same phase in the same intervals; of all phases where the energy is that of all."""
    if code.unit != WATT_HOURS:
        return []
    return [
        each
        for each in others
        if each.unit == VOLTS
        and each.measurement_kind in VOLTAGES
        and each.measuring_period == code.measuring_period
        and (not code.phases or each.phases == code.phases)
    ]


def channels_of(types: Iterable[str]) -> set[str]:
    """Those reading types of configured channels whose intervals are judged."""
    return {each for each in types if _is_channel(each)}


@lru_cache(maxsize=4096)
def _is_channel(text: str) -> bool:
    try:
        code = ReadingTypeCode.parse(text)
        interval_length(code)
    except Invalid:
        return False
    return is_judged(code)
