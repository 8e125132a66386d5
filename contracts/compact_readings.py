"""MeterReadings by the column: many meters, one reading type and equal steps of time in a few arrays.

Our own profile, and no part of a standard: the noun says the same, and :func:`condensed` and :func:`expanded` lead from
one to the other without loss. A day block is a group of meters with as many values as the day has intervals; a wave is
one with a single value. What does not have this shape stands beside it as the noun has it.

Numbers are little-endian integers of two's complement, row after row, one row for each meter; a value is its number
times 10 to the ``scale``, and the smallest number says that there is no value. An mRID that is a UUID, in lower case
with hyphens, may be its sixteen bytes.
"""

import sys
from array import array
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain, repeat
from typing import Any

from msgspec import Struct, field, structs

from contracts.nouns.meter_readings import IntervalBlock, IntervalReading, Meter, MeterReading, MeterReadings
from contracts.nouns.reading_types import ReadingQuality
from contracts.types import ObjectReference, Reference, attribute

CONTENT_TYPE = "application/vnd.busbar.meter-readings+msgpack"
"""What ``Content-Type`` says of a message whose payload is a :class:`CompactReadings`."""

MISSING_32, MISSING_64 = -(2**31), -(2**63)
"""The number that says that there is no value, by the width of the numbers."""

LEAST_SCALE = -18
MOST_VALUES = 250_000
"""Values of one message, in all its groups."""

_ID_BYTES = 16
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FIRST_US, _LAST_US = ((datetime(year, 1, 1, tzinfo=UTC) - _EPOCH) // _MICROSECOND for year in (1, 9999))
Ids = tuple[str, ...] | bytes
"""One mRID for each row, as text, or all as sixteen bytes each."""


class CompactQuality(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One quality: the ``ref`` of its ReadingQualityType, and the comment."""

    code: str
    comment: str | None = None


class Columns(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """Values of many meters in one reading type, at equal steps of time.

    Attributes:
        reading_type: the ``ref`` of the ReadingType of each block.
        first_us: when the first interval of each row ends: microseconds since 1970 in UTC.
        step_us: how many microseconds later the next one ends; 0 where there is only one.
        count: intervals of each row.
        scale: -18 to 0.
        wide: the numbers have eight bytes each, else four.
        numbers: ``rows x count`` numbers.
        meters: the mRID of each row's Meter; None where no row has one.
        usage_points: likewise of its UsagePoint.
        qualities: the sets of qualities that occur, if any does.
        runs: over all values, how many have the same qualities and which, in turn: 0 none, 1 the first set and so on;
            empty where no value has any.
        source: the source of all values.
        reported_us: their reportedDateTime.
    """

    reading_type: str
    first_us: int
    step_us: int = 0
    count: int = 1
    scale: int = 0
    wide: bool = False
    numbers: bytes
    meters: Ids | None = None
    usage_points: Ids | None = None
    qualities: tuple[tuple[CompactQuality, ...], ...] = ()
    runs: tuple[int, ...] = ()
    source: str | None = None
    reported_us: int | None = None

    @property
    def rows(self) -> int:
        """How many meters, or usage points, have a row."""
        ids = self.meters if self.meters is not None else self.usage_points
        return 0 if ids is None else len(ids) // _ID_BYTES if isinstance(ids, bytes) else len(ids)


class Group(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """What follows next: rows of columns, and then readings of other shapes."""

    columns: Columns | None = None
    others: tuple[MeterReading, ...] = ()


class CompactReadings(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A MeterReadings; ``rest`` holds what it says beside its readings."""

    groups: tuple[Group, ...] = ()
    rest: MeterReadings | None = field(name="rest", default=None)


def problem(compact: CompactReadings) -> str | None:
    """What is wrong with the shape of ``compact``, as a sentence about it; None when nothing is."""
    values = 0
    for group in compact.groups:
        columns = group.columns
        if columns is None:
            continue
        if (found := _problem(columns)) is not None:
            return found
        values += columns.rows * columns.count
    return f"holds more than {MOST_VALUES} values" if values > MOST_VALUES else None


def _problem(columns: Columns) -> str | None:
    values = columns.rows * columns.count
    if not _has_ids(columns):
        return "has not one mRID of a meter or usage point for each row"
    if values < 1 or len(columns.numbers) != values * (8 if columns.wide else 4):
        return "has not one number for each row and interval"
    if (found := _problem_of_times(columns)) is not None:
        return found
    if not LEAST_SCALE <= columns.scale <= 0:
        return f"has a scale that is not {LEAST_SCALE} to 0"
    if columns.runs and not _covers(columns, values):
        return "has runs of qualities that do not cover its values"
    return None


def _problem_of_times(columns: Columns) -> str | None:
    first_us, step_us, count = columns.first_us, columns.step_us, columns.count
    if (step_us <= 0) if count > 1 else (step_us != 0):
        return "has steps of time that lead nowhere"
    if not _FIRST_US <= first_us <= first_us + step_us * (count - 1) <= _LAST_US:
        return "has a time that is out of the range of times"
    if columns.reported_us is not None and not _FIRST_US <= columns.reported_us <= _LAST_US:
        return "has a time that is out of the range of times"
    return None


def _has_ids(columns: Columns) -> bool:
    rows = columns.rows
    for ids in (columns.meters, columns.usage_points):
        if ids is not None and len(ids) != (rows * _ID_BYTES if isinstance(ids, bytes) else rows):
            return False
    return columns.meters is not None or columns.usage_points is not None


def _covers(columns: Columns, values: int) -> bool:
    lengths, places = columns.runs[::2], columns.runs[1::2]
    is_covered = len(lengths) == len(places) and sum(lengths) == values and min(lengths) > 0
    return is_covered and min(places) >= 0 and max(places) <= len(columns.qualities)


def free(compact: CompactReadings) -> tuple[str | bytes, ...] | None:
    """What may be different in messages of one row each that are alike else, in the order in which it is written.

    That is the numbers and the mRIDs of the row; None where ``compact`` is not one row and nothing else.
    """
    columns = compact.groups[0].columns if len(compact.groups) == 1 and not compact.groups[0].others else None
    if columns is None or columns.rows != 1 or compact.rest is not None:
        return None
    ids = (each for each in (columns.meters, columns.usage_points) if each is not None)
    return (columns.numbers, *(each if isinstance(each, bytes) else each[0] for each in ids))


def stacked(compact: CompactReadings, found: Sequence[Sequence[Any]]) -> CompactReadings:
    """All rows of messages that are like ``compact``; for each of what is :func:`free` in it, what they have there."""
    columns = compact.groups[0].columns
    assert columns is not None  # noqa: S101  it has one row
    numbers, *ids = found
    told = iter(ids)
    meters = None if columns.meters is None else _stacked_ids(columns.meters, next(told))
    points = None if columns.usage_points is None else _stacked_ids(columns.usage_points, next(told))
    runs = columns.runs * len(numbers)
    rows = structs.replace(columns, numbers=b"".join(numbers), meters=meters, usage_points=points, runs=runs)
    return CompactReadings(groups=(Group(columns=rows),))


def lean(compact: CompactReadings) -> CompactReadings:
    """``compact`` without its bytes, of which it may have a megabyte: the texts, times and numbers in it."""
    return structs.replace(compact, groups=tuple(map(_lean, compact.groups)))


def _lean(group: Group) -> Group:
    if group.columns is None:
        return group
    meters, points = (
        b"" if isinstance(ids, bytes) else ids for ids in (group.columns.meters, group.columns.usage_points)
    )
    return structs.replace(
        group, columns=structs.replace(group.columns, numbers=b"", meters=meters, usage_points=points)
    )


def _stacked_ids(ids: Ids, found: Sequence[Any]) -> Ids:
    return b"".join(found) if isinstance(ids, bytes) else tuple(found)


def texts(ids: Ids) -> Sequence[str]:
    """The mRIDs as text."""
    if not isinstance(ids, bytes):
        return ids
    digits = ids.hex()
    return [
        f"{digits[at : at + 8]}-{digits[at + 8 : at + 12]}-{digits[at + 12 : at + 16]}-{digits[at + 16 : at + 20]}"
        f"-{digits[at + 20 : at + 32]}"
        for at in range(0, len(digits), 2 * _ID_BYTES)
    ]


def expanded(compact: CompactReadings) -> MeterReadings:
    """The noun that ``compact`` tells.

    Raises:
        ValueError: its shape is wrong; the text is a sentence about it.
    """
    if (found := problem(compact)) is not None:
        raise ValueError(found)
    readings: list[MeterReading] = []
    for group in compact.groups:
        if group.columns is not None:
            readings += _rows(group.columns)
        readings += group.others
    rest = compact.rest or MeterReadings()
    return MeterReadings(
        end_device_event_type=rest.end_device_event_type,
        meter_reading=tuple(readings),
        reading_quality_type=rest.reading_quality_type,
        reading_type=rest.reading_type,
    )


def _rows(columns: Columns) -> Iterator[MeterReading]:
    numbers = array("q" if columns.wide else "i", columns.numbers)
    if sys.byteorder == "big":
        numbers.byteswap()
    missing = MISSING_64 if columns.wide else MISSING_32
    ends = [_time(columns.first_us + place * columns.step_us) for place in range(columns.count)]
    reported = None if columns.reported_us is None else _time(columns.reported_us)
    sets = [(), *(tuple(_told(each) for each in one) for one in columns.qualities)]
    runs = columns.runs or (len(numbers), 0)
    lengths = zip(runs[::2], runs[1::2], strict=True)
    qualities = chain.from_iterable(repeat(sets[place], length) for length, place in lengths)
    values = (
        IntervalReading(
            reported_date_time=reported,
            source=columns.source,
            time_stamp=ends[place % columns.count],
            value=None if number == missing else _text(number, columns.scale),
            reading_qualities=quality,
        )
        for place, (number, quality) in enumerate(zip(numbers, qualities, strict=True))
    )
    kind = Reference(ref=columns.reading_type)
    nobody: Iterable[str | None] = repeat(None, columns.rows)
    meters = nobody if columns.meters is None else texts(columns.meters)
    points = nobody if columns.usage_points is None else texts(columns.usage_points)
    for meter, point in zip(meters, points, strict=True):
        row = tuple(next(values) for _ in range(columns.count))
        yield MeterReading(
            interval_blocks=(IntervalBlock(interval_readings=row, reading_type=kind),),
            meter=None if meter is None else Meter(mrid=meter),
            usage_point=None if point is None else ObjectReference(mrid=point),
        )


def _told(quality: CompactQuality) -> ReadingQuality:
    return ReadingQuality(comment=quality.comment, reading_quality_type=Reference(ref=quality.code))


def _text(number: int, scale: int) -> str:
    """The number times 10 to the scale, in as few digits as it takes."""
    if scale == 0:
        return str(number)
    digits = str(abs(number)).rjust(1 - scale, "0")
    whole, part = digits[:scale], digits[scale:].rstrip("0")
    return f"{'-' if number < 0 else ''}{whole}{'.' if part else ''}{part}"


def _time(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)
