"""MeterReadings into the columns of :mod:`contracts.compact_readings`, as far as they have that shape."""

import re
import sys
from array import array
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import NamedTuple

from msgspec import json

from contracts.compact_readings import (
    MISSING_32,
    MISSING_64,
    Columns,
    CompactQuality,
    CompactReadings,
    Group,
    Ids,
)
from contracts.nouns.meter_readings import IntervalReading, Meter, MeterReading, MeterReadings
from contracts.nouns.reading_types import ReadingQuality
from contracts.types import ObjectReference

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NUMBER = re.compile(r"0|-?(?:[1-9][0-9]*(?:\.[0-9]*[1-9])?|0\.[0-9]*[1-9])")
_NUMBERS = re.compile(rf"(?:(?:{_NUMBER.pattern}) )*+")
_DIGITS = str.maketrans("123456789", "000000000")
_MOST_DIGITS = 9
"""Of a value that is put into a column: whatever the scale of its group, eight bytes hold it."""

_EXACT_DECIMALS = 6
"""Nine digits before the point and so many behind it are a whole number that a float holds."""

_INTEGERS = json.Decoder(list[int], strict=False)

_UUIDS = re.compile(r"(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})*+")
_UUID_LENGTH = 36


class Shape(NamedTuple):
    """What the rows of one group have in common, as :class:`Columns` says it."""

    kind: str
    first_us: int
    step_us: int
    intervals: int
    has_meter: bool
    has_point: bool
    source: str | None
    reported_us: int | None


def condensed(noun: MeterReadings) -> CompactReadings:
    """``noun`` by the column, as far as it has that shape; what has not is kept as it is."""
    groups: list[Group] = []
    for key, readings in groupby(noun.meter_reading, _shape):
        if key is None:
            groups.append(Group(others=tuple(readings)))
        else:
            groups.append(Group(columns=_columns(key, [*readings])))
    rest = MeterReadings(
        end_device_event_type=noun.end_device_event_type,
        reading_quality_type=noun.reading_quality_type,
        reading_type=noun.reading_type,
    )
    return CompactReadings(groups=tuple(groups), rest=None if rest == MeterReadings() else rest)


def _shape(reading: MeterReading) -> Shape | None:
    """What readings of one group have in common; None for a reading that is in none."""
    if not _is_row(reading):
        return None
    (block,) = reading.interval_blocks
    values = block.interval_readings
    ends = [microseconds(each.time_stamp) for each in values if each.time_stamp is not None]
    step = steps(ends) if len(ends) == len(values) else None
    source, reported = values[0].source, values[0].reported_date_time
    if step is None or any(
        not _is_plain(each) or (each.source, each.reported_date_time) != (source, reported) for each in values
    ):
        return None
    return Shape(
        kind=block.reading_type.ref,
        first_us=ends[0],
        step_us=step,
        intervals=len(values),
        has_meter=reading.meter is not None,
        has_point=reading.usage_point is not None,
        source=source,
        reported_us=None if reported is None else microseconds(reported),
    )


def steps(ends: Sequence[int]) -> int | None:
    """How many microseconds later each next interval ends, 0 for one alone; None where that differs or is not later."""
    if len(ends) == 1:
        return 0
    step = ends[1] - ends[0]
    return step if step > 0 and [*ends] == [*range(ends[0], ends[0] + step * len(ends), step)] else None


def _is_row(reading: MeterReading) -> bool:
    """True for one block of values and mRIDs, with nothing beside them."""
    meter, point, blocks = reading.meter, reading.usage_point, reading.interval_blocks
    if len(blocks) != 1 or blocks[0].pending_calculation is not None or not blocks[0].interval_readings:
        return False
    named = (meter is None or meter == Meter(mrid=meter.mrid)) and (
        point is None or point == ObjectReference(mrid=point.mrid)
    )
    ids = [each.mrid for each in (meter, point) if each is not None]
    plain = MeterReading(interval_blocks=blocks, meter=meter, usage_point=point)
    return named and bool(ids) and None not in ids and reading == plain


def _is_plain(value: IntervalReading) -> bool:
    """True for a value in its shortest form, with nothing but codes and comments beside it."""
    if value.time_period is not None or (value.value is not None and not _fits(value.value)):
        return False
    return all(each.source is None and each.time_stamp is None for each in value.reading_qualities)


def _fits(text: str) -> bool:
    """True for a number in its shortest form that is not too long."""
    return sum(map(str.isdigit, text)) <= _MOST_DIGITS and _NUMBER.fullmatch(text) is not None


def are_numbers(texts: Sequence[str]) -> bool:
    """True where each is a number that a column can hold, written in its shortest form."""
    if max(map(len, texts), default=0) > _MOST_DIGITS:
        return all(map(_fits, texts))
    joined = " ".join([*texts, ""])
    return joined.count(" ") == len(texts) and _NUMBERS.fullmatch(joined) is not None


def microseconds(at: datetime) -> int:
    """Since 1970 in UTC."""
    return (at - _EPOCH) // _MICROSECOND


def _columns(shape: Shape, readings: Sequence[MeterReading]) -> Columns:
    values = [each for reading in readings for each in reading.interval_blocks[0].interval_readings]
    return in_columns(
        shape,
        [each.value for each in values],
        [each.reading_qualities for each in values],
        [reading.meter.mrid or "" for reading in readings if reading.meter],
        [reading.usage_point.mrid or "" for reading in readings if reading.usage_point],
    )


def in_columns(
    shape: Shape,
    values: Sequence[str | None],
    qualities: Sequence[tuple[ReadingQuality, ...]] | None,
    meters: Sequence[str],
    points: Sequence[str],
) -> Columns:
    """Rows of one shape.

    Args:
        shape: what they have in common.
        values: of all rows; numbers that a column can hold, in their shortest form.
        qualities: of each value; None where no value has any.
        meters: the mRID of the meter of each row, if rows have one.
        points: likewise of the usage point.
    """
    told = [each for each in values if each is not None]
    scale = _scale(told)
    known = _numbers(told, scale)
    wide = max(known, default=0) >= -MISSING_32 or min(known, default=0) <= MISSING_32
    if len(known) < len(values):
        rest, missing = iter(known), MISSING_64 if wide else MISSING_32
        known = [missing if each is None else next(rest) for each in values]
    numbers = array("q" if wide else "i", known)
    if sys.byteorder == "big":
        numbers.byteswap()
    sets: dict[tuple[ReadingQuality, ...], int] = {(): 0}
    places = [sets.setdefault(each, len(sets)) for each in qualities or ()]
    return Columns(
        reading_type=shape.kind,
        first_us=shape.first_us,
        step_us=shape.step_us,
        count=shape.intervals,
        scale=scale,
        wide=wide,
        numbers=numbers.tobytes(),
        meters=packed(meters) if shape.has_meter else None,
        usage_points=packed(points) if shape.has_point else None,
        qualities=tuple(
            tuple(CompactQuality(code=each.reading_quality_type.ref, comment=each.comment) for each in one)
            for one in [*sets][1:]
        ),
        runs=tuple(part for place, run in groupby(places) for part in (sum(1 for _ in run), place)) * (len(sets) > 1),
        source=shape.source,
        reported_us=shape.reported_us,
    )


def _scale(texts: Sequence[str]) -> int:
    """Less than 0 by the most digits that a number has behind its point."""
    masked = " ".join(texts).translate(_DIGITS)
    decimals = 0
    while f".{'0' * (decimals + 1)}" in masked:
        decimals += 1
    return -decimals


def _numbers(texts: Sequence[str], scale: int) -> list[int]:
    """Numbers without their decimal points, of which each has as many digits behind it as the scale says."""
    if texts and scale >= -_EXACT_DECIMALS:
        exponent = f"e{-scale}," if scale else ","
        return _INTEGERS.decode(f"[{exponent.join([*texts, ''])}0]")[:-1]
    parts = (text.partition(".") for text in texts)
    return [int(whole + part.ljust(-scale, "0")) for whole, _, part in parts]


def packed(ids: Sequence[str]) -> Ids:
    """The mRIDs as sixteen bytes each where all of them are UUIDs, else as they are."""
    if {*map(len, ids)} == {_UUID_LENGTH} and _UUIDS.fullmatch("".join(ids)):
        return bytes.fromhex("".join(ids).replace("-", ""))
    return tuple(ids)
