"""The values of virtual usage points on the wire."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from contracts.codes.reading_type import ReadingTypeCode
from contracts.nouns.meter_readings import IntervalBlock, MeterReading
from contracts.types import ObjectReference, Reference
from services.meter_reading_and_control.domain.readings import LENGTHS, Value, interval_length
from services.meter_reading_and_control.domain.sums import Sum, can_be_split, flows_back, kind_of
from services.meter_reading_and_control.domain.virtual import Piece, at_length, combined
from services.meter_reading_and_control.views.answers import Question
from services.meter_reading_and_control.views.sums import Types, shown_sum, types_to_add

Taken = Mapping[str, Mapping[str, Sequence[Value | None]]]
"""What usage points took in a day, by reading type."""


def targets(types: Types, asked: Question) -> list[ReadingTypeCode]:
    """The types in which a virtual usage point is shown: those that are asked for, in that length.

    Where none is asked for, in the shortest intervals that no member must be split for.

    Raises:
        Invalid: 2.10, values of a type that is asked for cannot be added.
    """
    wanted = [ReadingTypeCode.parse(each) for each in types_to_add(asked)]
    found = []
    for kind in sorted({kind_of(ReadingTypeCode.parse(each)) for each in types.added}, key=str):
        if wanted:
            found += [each for each in wanted if kind_of(each) == kind and each.names["measuring_period"] in LENGTHS]
            continue
        own = (
            [each for each in map(ReadingTypeCode.parse, told) if kind_of(each) == kind] for told in types.told.values()
        )
        found.append(max((min(each, key=interval_length) for each in own if each), key=interval_length))
    return sorted(found, key=str)


def of_day(
    target: ReadingTypeCode, taken: Taken, types: Types, known: Sequence[Piece], starts: Sequence[datetime]
) -> list[tuple[datetime, Sum | None]]:
    """The values of a virtual usage point in one type on a day, by the ``starts`` of the intervals.

    Of what flows back only those members are expected that ever told it.
    """
    kind, values = kind_of(target), {}
    for point, told in taken.items():
        own = {each for each in types.told.get(point, ()) if kind_of(ReadingTypeCode.parse(each)) == kind}
        if flows_back(kind) and not own:
            continue
        here = {len(told[each]): told[each] for each in own if each in told}
        if not can_be_split(target):
            here = {slots: each for slots, each in here.items() if slots == len(starts)}
        values[point] = at_length(here, len(starts))
    return [*zip(starts, combined(values, known, starts), strict=True)]


def shown(
    point: str, found: Mapping[ReadingTypeCode, Iterable[tuple[datetime, Sum | None]]], asked: Question, now: datetime
) -> MeterReading | None:
    """The values of a virtual usage point, by reading type; None where there are none."""
    blocks = []
    for target, of_type in found.items():
        length = interval_length(target)
        readings = tuple(
            shown_sum(start + length, each)
            for start, each in of_type
            if each is not None and start >= asked.start and start + length <= min(asked.end, now)
        )
        if readings:
            blocks.append(IntervalBlock(interval_readings=readings, reading_type=Reference(ref=str(target))))
    return MeterReading(interval_blocks=tuple(blocks), usage_point=ObjectReference(mrid=point)) if blocks else None
