"""What is common to readings that go from bytes straight into the columns of :mod:`contracts.compact_readings`.

MeterReadings are mostly written so that each MeterReading is one block of values, with their times, and the mRID of its
meter, its usage point or both; each value is a number in its shortest form, and may have codes of quality, a source and
when it was reported. :mod:`contracts.readings_in_xml` and :mod:`contracts.readings_in_msgpack` read all of what they
are given and nothing but this; for anything else they raise ValueError, and say nothing about what it is. What they
make is what ``condensed`` makes of the same noun: a property test holds the two together.

It is for speed: a value as an object takes two or three microseconds until it is in a column, and here half of one.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, repeat
from typing import Any, NamedTuple

from contracts.compact_readings import CompactReadings, Group
from contracts.condensed_readings import Shape, are_numbers, in_columns, steps
from contracts.nouns.reading_types import ReadingQuality

Qualities = tuple[ReadingQuality, ...]
Values = list[str | None]
Details = Sequence[tuple[Any, Any, Any]] | None


class Row(NamedTuple):
    """What one MeterReading tells, as it is written.

    Attributes:
        kind: the ref of its ReadingType.
        times: of the values; what is equal is written the same.
        values: None where there is no value.
        details: of each value when it was reported, its source and its qualities, each empty where it is absent; None
            where no value has any.
    """

    kind: str
    times: Sequence[Any]
    values: Values
    details: Details
    meter: str | None
    point: str | None


class Frame(NamedTuple):
    """What stands around the values of one block, and mostly around those of the next as well.

    Attributes:
        head, between, tail: before the first time, between a value and the next time, and behind the last value.
        fixed: what stands between: each time and what is between it and its value.
        width: how long each of ``fixed`` is.
    """

    head: Any
    between: Any
    tail: Any
    fixed: list[Any]
    width: int
    times: Sequence[Any]

    def values(self, block: Any) -> list[Any] | None:
        """The values in ``block``; None where something else stands around them."""
        if not block.startswith(self.head) or not block.endswith(self.tail):
            return None
        pieces, width = block[len(self.head) : len(block) - len(self.tail)].split(self.between), self.width
        return [each[width:] for each in pieces] if [each[:width] for each in pieces] == self.fixed else None


def frame_of(block: Any, match: Callable[[Any, int], re.Match[Any] | None], times: Sequence[Any]) -> Frame | None:
    """The frame of a block that ``match`` reads value by value; None where there is one value only."""
    first = match(block, 0)
    second = None if first is None or len(times) == 1 else match(block, first.end())
    if first is None or second is None:
        return None
    inner = block[first.end(1) : first.start(2)]
    return Frame(
        head=block[: first.start(1)],
        between=block[first.end(2) : second.start(1)],
        tail=block[first.end(2) : first.end()],
        fixed=[each + inner for each in times],
        width=len(times[0] + inner),
        times=times,
    )


def is_wave(times: Sequence[Any], kinds: Sequence[Any], meters: Sequence[Any], points: Sequence[Any]) -> bool:
    """True for values that differ in their numbers and mRIDs alone."""
    named, bare = all(meters) or all(points), not any(meters) or not any(points)
    same = len({*times}) == len({*kinds}) == 1
    return same and named and (bare or (all(meters) and all(points)))


def wave(kind: str, at_us: int, values: Sequence[str], meters: Sequence[str], points: Sequence[str]) -> CompactReadings:
    """One value of each of many meters, or usage points, or both.

    Raises:
        ValueError: some value is no number in its shortest form.
    """
    if not are_numbers(values):
        raise ValueError
    shape = Shape(kind, at_us, 0, 1, has_meter=bool(meters), has_point=bool(points), source=None, reported_us=None)
    return CompactReadings(groups=(Group(columns=in_columns(shape, values, None, meters, points)),))


class Gathered:
    """Groups of rows while they grow; what is written alike is read once.

    Args:
        instant: reads a time, in microseconds since 1970.
        text: reads a source.
        qualities: reads the qualities of a value.
    """

    def __init__(
        self, instant: Callable[[Any], int], text: Callable[[Any], str], qualities: Callable[[Any], Qualities]
    ) -> None:
        self._instant = instant
        self._text = text
        self._qualities = qualities
        self._read_times: dict[Sequence[Any], tuple[int, int]] = {}
        self._read_qualities: dict[bytes | str, Qualities] = {"": (), b"": ()}
        self._groups: list[Group] = []
        self._shape: Shape | None = None
        self._rows: list[Row] = []

    def add(self, row: Row) -> None:
        """Take the next row.

        Raises:
            ValueError: it has no shape that a group can have.
        """
        times = self._read_times.get(row.times)
        if times is None:
            times = self._read_times[row.times] = self._steps(row.times)
        if row.meter is None and row.point is None:
            raise ValueError
        said = ("", "") if row.details is None else row.details[0][:2]
        if row.details is not None and any(each[:2] != said for each in row.details):
            raise ValueError
        reported, source = said
        shape = Shape(
            kind=row.kind,
            first_us=times[0],
            step_us=times[1],
            intervals=len(row.values),
            has_meter=row.meter is not None,
            has_point=row.point is not None,
            source=self._text(source) if source else None,
            reported_us=self._instant(reported) if reported else None,
        )
        if shape != self._shape:
            self._close()
            self._shape = shape
        self._rows.append(row)

    def compact(self) -> CompactReadings:
        """What all rows tell.

        Raises:
            ValueError: there is none, or some value is no number in its shortest form.
        """
        self._close()
        if not self._groups:
            raise ValueError
        return CompactReadings(groups=tuple(self._groups))

    def _steps(self, written: Sequence[Any]) -> tuple[int, int]:
        """When the first of some values ends, and after how long each next one."""
        times = [self._instant(each) for each in written]
        step = steps(times)
        if step is None:
            raise ValueError
        return times[0], step

    def _close(self) -> None:
        rows, shape = self._rows, self._shape
        if shape is None:
            return
        values = [*chain.from_iterable(row.values for row in rows)]
        if not are_numbers([each for each in values if each is not None]):
            raise ValueError
        qualities = None
        if any(row.details is not None for row in rows):
            qualities = [each for row in rows for each in self._qualities_of(row)]
        meters = [row.meter for row in rows if row.meter is not None]
        points = [row.point for row in rows if row.point is not None]
        self._groups.append(Group(columns=in_columns(shape, values, qualities, meters, points)))
        self._rows = []

    def _qualities_of(self, row: Row) -> Iterator[Qualities]:
        if row.details is None:
            yield from repeat((), len(row.values))
            return
        known = self._read_qualities
        for _, _, written in row.details:
            if written not in known:
                known[written] = self._qualities(written)
            yield known[written]
