"""Readings by the column: whole market days of many meters as arrays, without an object for each value.

What these functions take is what :mod:`services.meter_reading_and_control.views.told` takes of the same readings one by
one; where a row needs a closer look they leave it to that.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

import numpy as np
import numpy.ma  # np.unique loads it when first called: 20 ms, in the middle of a message
from msgspec import Struct, json, structs

from contracts.codes.reading_type import ReadingTypeCode
from contracts.compact_readings import Columns, CompactQuality, Ids
from contracts.errors import Rejected
from services.meter_reading_and_control.domain import calendar
from services.meter_reading_and_control.domain.names import some
from services.meter_reading_and_control.domain.readings import Origin, Quality, interval_length

Array = np.ndarray[Any, np.dtype[Any]]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
BUNCH = 256
"""How many neighbouring numbers of series belong to one reading type."""

MOST = 10**18
"""No number that is kept is as large: it has eighteen digits at most."""


class Sheet(Struct, frozen=True, kw_only=True):
    """Values of many meters in one market day and one reading type: an array of meters by intervals.

    Attributes:
        code: the reading type, canonical.
        day: the market day.
        first: the place in the day of the first interval.
        is_whole: the array has all intervals of the day.
        begins_us, ends_us: from when until when, in microseconds since 1970.
        scale: a value is its number times 10 to the scale.
        numbers: four or eight bytes each; the least one where there is no value.
        marks: which of the origins each value has; None where all have the first.
        origins: where the values come from and what they are worth.
        odd: the rows that need a closer look.
    """

    code: str
    day: date
    first: int
    is_whole: bool
    begins_us: int
    ends_us: int
    scale: int
    numbers: Array
    marks: Array | None
    origins: tuple[Origin, ...]
    odd: Array


class Rows(Struct, frozen=True, kw_only=True):
    """Blocks of one market day that differ in their series and numbers.

    Attributes:
        series: whose values each row holds.
        numbers: as in a :class:`Sheet`.
        runs: for each row, which of its origins how many values have; None where all rows have the same one.
        origins: for each row those of its values and no other, as JSON; one for all where there are no ``runs``.
    """

    day: date
    series: Array
    scale: int
    numbers: Array
    runs: list[bytes | None] | None
    origins: list[bytes]


def sheet_of(columns: Columns, source: str, now: datetime, zone: tzinfo, oldest: datetime = EPOCH) -> Sheet | None:
    """What ``columns`` tell of one market day; None where they do not, or where all of it needs a closer look.

    Args:
        columns: with whose shape nothing is wrong.
        source: who tells it, where they do not say so.
        now: no value is measured after it.
        zone: of the market days.
        oldest: no value is older.
    """
    try:
        code = ReadingTypeCode.parse(columns.reading_type).canonical
        length_us = interval_length(code) // MICROSECOND
        origins = _origins(columns, source)
        begins_us = columns.first_us - length_us
        day = calendar.market_day(EPOCH + begins_us * MICROSECOND, zone)
        starts = calendar.starts(day, zone, length_us * MICROSECOND)
    except Rejected:
        return None
    ends_us = begins_us + columns.count * length_us
    first, rest = divmod(begins_us - (starts[0] - EPOCH) // MICROSECOND, length_us)
    steady = columns.step_us == length_us or columns.count == 1
    in_time = (oldest - EPOCH) // MICROSECOND <= begins_us and ends_us <= (now - EPOCH) // MICROSECOND
    if rest or first + columns.count > len(starts) or not steady or not in_time:
        return None
    shape = (columns.rows, columns.count)
    numbers: Array = np.frombuffer(columns.numbers, "<i8" if columns.wide else "<i4").reshape(shape)
    missing = numbers == np.iinfo(numbers.dtype).min
    marks = None
    if columns.runs:
        marks = np.repeat(np.array(columns.runs[1::2], np.int16), columns.runs[::2]).reshape(shape)
    unsaid = missing if marks is None else missing & (marks == 0)
    odd = unsaid.any(axis=1) | missing.all(axis=1)
    if columns.wide:
        odd |= ((np.abs(numbers) >= MOST) & ~missing).any(axis=1)
    return Sheet(
        code=str(code),
        day=day,
        first=first,
        is_whole=columns.count == len(starts),
        begins_us=begins_us,
        ends_us=ends_us,
        scale=columns.scale,
        numbers=numbers,
        marks=marks,
        origins=origins,
        odd=odd,
    )


def _origins(columns: Columns, source: str) -> tuple[Origin, ...]:
    """The origin of values without a quality, and of those with each set of qualities.

    Raises:
        Rejected: a quality cannot be read.
    """
    reported = None if columns.reported_us is None else EPOCH + columns.reported_us * MICROSECOND
    plain = Origin(source=columns.source or source, reported_at=reported)
    told = [plain]
    for qualities in columns.qualities:
        known = tuple(sorted({Quality(code=each.code, comment=each.comment or "") for each in qualities}))
        _ = [each.rank for each in known]
        told.append(Origin(qualities=known or plain.qualities, source=plain.source, reported_at=reported))
    return tuple(told)


def firsts_of(sheet: Sheet, places: Array, series: Array) -> tuple[Array, Array]:
    """Which of those rows of ``sheet`` are the first of their series, and which others say something else than it."""
    _, firsts, numbered = np.unique(series, return_index=True, return_inverse=True)
    first = firsts[numbered]
    is_first = first == np.arange(len(series))
    says_else = (sheet.numbers[places] != sheet.numbers[places[first]]).any(axis=1)
    if sheet.marks is not None:
        says_else |= (sheet.marks[places] != sheet.marks[places[first]]).any(axis=1)
    return is_first, says_else


def rows_of(sheet: Sheet, places: Array, series: Array) -> Rows:
    """The blocks of those rows of ``sheet`` that are at ``places``, each in its series."""
    told = [json.encode(each) for each in sheet.origins]
    runs, origins = None, [_listed(told[:1])]
    if sheet.marks is not None:
        patterns, which = np.unique(sheet.marks[places], axis=0, return_inverse=True)
        used = [np.unique(pattern, return_inverse=True) for pattern in patterns]
        own = [(runs_of(marks.reshape(-1).tolist()), _listed([told[each] for each in of])) for of, marks in used]
        rows = [own[each] for each in which.reshape(-1).tolist()]
        runs, origins = [each for each, _ in rows], [each for _, each in rows]
    return Rows(
        day=sheet.day, series=series, scale=sheet.scale, numbers=sheet.numbers[places], runs=runs, origins=origins
    )


def _listed(told: Iterable[bytes]) -> bytes:
    return b"[" + b",".join(told) + b"]"


class Chunk(Struct, frozen=True, kw_only=True):
    """The value of one interval of series that are in one bunch.

    Attributes:
        rows: of the sheet, from which the values come.
        members: a byte for each: its number within the bunch.
        runs: which origin how many values have; None where all have the first.
        origins: JSON.
    """

    bunch: int
    day: date
    place: int
    scale: int
    rows: Array
    members: bytes
    numbers: Array
    runs: bytes | None
    origins: bytes


def chunks_of(sheet: Sheet, places: Array, series: Array) -> Iterator[Chunk]:
    """The values of those rows of ``sheet`` that are at ``places``, each in its series, by bunch and interval."""
    order = np.argsort(series, kind="stable")
    series, places = series[order], places[order]
    edges = np.flatnonzero(np.diff(series // BUNCH)) + 1
    origins = json.encode(sheet.origins if sheet.marks is not None else sheet.origins[:1])
    nothing = np.iinfo(sheet.numbers.dtype).min
    for mine, at in zip(np.split(series, edges), np.split(places, edges), strict=True):
        members = (mine % BUNCH).astype(np.uint8)
        for column in range(sheet.numbers.shape[1]):
            numbers = sheet.numbers[at, column]
            known = numbers != nothing
            if not known.any():
                continue
            yield Chunk(
                bunch=int(mine[0]) // BUNCH,
                day=sheet.day,
                place=sheet.first + column,
                scale=sheet.scale,
                rows=at[known],
                members=members[known].tobytes(),
                numbers=numbers[known],
                runs=None if sheet.marks is None else runs_of(sheet.marks[at, column][known].tolist()),
                origins=origins,
            )


def joined(many: Iterable[Columns]) -> list[Columns]:
    """Rows of one shape together, such as single readings of many messages; the rest as it is."""
    alike: dict[tuple[Any, ...], list[Columns]] = {}
    for each in many:
        shape = (each.reading_type, each.first_us, each.step_us, each.count, each.scale, each.wide, each.source)
        kinds = (type(each.meters), type(each.usage_points), each.reported_us, each.qualities, bool(each.runs))
        alike.setdefault((*shape, *kinds), []).append(each)
    return [together[0] if len(together) == 1 else _joined(together) for together in alike.values()]


def _joined(alike: Sequence[Columns]) -> Columns:
    return structs.replace(
        alike[0],
        numbers=b"".join([each.numbers for each in alike]),
        meters=_all_ids([each.meters for each in alike]),
        usage_points=_all_ids([each.usage_points for each in alike]),
        runs=tuple(part for each in alike for part in each.runs),
    )


def _all_ids(many: Sequence[Ids | None]) -> Ids | None:
    if isinstance(many[0], bytes):
        return b"".join(each for each in many if isinstance(each, bytes))
    return None if many[0] is None else tuple(mrid for each in many if isinstance(each, tuple) for mrid in each)


def part_of(columns: Columns, places: Array | slice) -> Columns:
    """Some rows of ``columns``, in their order."""
    count = len(range(columns.rows)[places]) if isinstance(places, slice) else len(places)
    if count == columns.rows:
        return columns
    width = 8 if columns.wide else 4
    rows = np.frombuffer(columns.numbers, f"V{width * columns.count}")[places]
    lengths, marks = columns.runs[::2], columns.runs[1::2]
    if len(marks) == 1:
        runs: tuple[int, ...] = (count * columns.count, *marks)
    elif marks:
        runs = _lengths(np.repeat(np.array(marks), lengths).reshape(columns.rows, columns.count)[places])
    else:
        runs = ()
    return structs.replace(
        columns,
        numbers=rows.tobytes(),
        runs=runs,
        meters=None if columns.meters is None else some(columns.meters, places),
        usage_points=None if columns.usage_points is None else some(columns.usage_points, places),
    )


def told_anew(columns: Columns, sheet: Sheet, places: Array, points: Ids) -> Columns:
    """Those rows of ``sheet``, which came as ``columns``, as others are told them: with all that is known."""
    part = part_of(structs.replace(columns, runs=()), places)
    runs = (len(places) * columns.count, 1) if sheet.marks is None else _lengths(sheet.marks[places] + 1)
    return structs.replace(
        part,
        reading_type=sheet.code,
        usage_points=points,
        source=sheet.origins[0].source,
        qualities=tuple(
            tuple(CompactQuality(code=each.code, comment=each.comment or None) for each in origin.qualities)
            for origin in sheet.origins
        ),
        runs=runs,
    )


def _lengths(marks: Array) -> tuple[int, ...]:
    """How many neighbours have the same mark and which, in turn, over all rows."""
    flat = marks.reshape(-1)
    edges = np.flatnonzero(np.diff(flat)) + 1
    begins = np.concatenate([[0], edges])
    lengths = np.diff(np.concatenate([begins, [len(flat)]]))
    return tuple(np.stack([lengths, flat[begins]], axis=1).reshape(-1).tolist())


def runs_of(marks: Sequence[int]) -> bytes | None:
    """Pairs of a length and a mark, two bytes each; None where all are 0."""
    if not any(marks):
        return None
    return np.array(_lengths(np.array(marks)), ">u2").tobytes()


def marks_of(runs: bytes | None, count: int) -> Sequence[int]:
    """The marks of ``count`` values."""
    if runs is None:
        return (0,) * count
    pairs = np.frombuffer(runs, ">u2")
    marks: list[int] = np.repeat(pairs[1::2], pairs[::2]).tolist()
    return marks
