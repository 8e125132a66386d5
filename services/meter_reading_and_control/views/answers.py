"""From values to MeterReadings: what is asked for, and what is new (IEC 61968-9)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, tzinfo
from itertools import chain

from msgspec import Struct
from msgspec.structs import replace

from contracts.codes.reading_type import ReadingTypeCode
from contracts.errors import Invalid
from contracts.message import Request
from contracts.nouns.get_meter_readings import GetMeterReadings
from contracts.nouns.meter_readings import IntervalBlock, IntervalReading, Meter, MeterReading
from contracts.nouns.reading_types import Reading, ReadingQuality, ReadingReasonKind
from contracts.types import ObjectReference, Reference
from services.meter_reading_and_control.domain import calendar
from services.meter_reading_and_control.domain.readings import (
    Block,
    Origin,
    Quality,
    Register,
    Value,
    interval_length,
    together,
)
from services.meter_reading_and_control.domain.vee.findings import Said

MISSING = "3.5.259"
"""Known to be missing by meter data management."""

_ALWAYS = (datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC))


class Question(Struct, frozen=True, kw_only=True):
    """Which readings are asked for; what is empty does not narrow the question.

    Attributes:
        points, meters: of whom; the IDs of the request may be either.
        types: reading types.
        start, end: from when until when.
        qualities, sources, reasons: what a value must have one of.
        as_of: the answer is what it would have been at that time (option ``asOf``).
    """

    points: frozenset[str]
    meters: frozenset[str]
    types: frozenset[str]
    start: datetime
    end: datetime
    qualities: frozenset[str]
    sources: frozenset[str]
    reasons: frozenset[str]
    as_of: datetime | None

    def about(self, point: str, meter: str) -> bool:
        """True when what ``meter`` told of ``point`` is asked for."""
        return point in self.points or meter in self.meters

    def only(self, point: str, start: datetime, end: datetime) -> "Question":
        """The same of one usage point in that time."""
        return replace(self, points=frozenset({point}), meters=frozenset(), start=start, end=end)

    def wants(self, origin: Origin) -> bool:
        """True when a value of this origin is asked for."""
        return (
            (not self.qualities or any(each.code in self.qualities for each in origin.qualities))
            and (not self.sources or origin.source in self.sources)
            and (not self.reasons or origin.reason in self.reasons)
        )


def question(request: Request | None) -> Question:
    """What a ``get MeterReadings`` asks for.

    Raises:
        Invalid: 2.15, it names nobody; 2.6, a reading type cannot be read; 2.29, ``asOf`` is no time with a zone.
    """
    request = request or Request()
    query = request.query if isinstance(request.query, GetMeterReadings) else GetMeterReadings()
    ids = {each.value for each in request.id}
    about = query.meter_readings
    points = _mrids(query.usage_point, () if about is None or about.usage_point is None else (about.usage_point,))
    meters = _mrids(query.end_device, () if about is None or about.meter is None else (about.meter,))
    groups = _mrids(query.transformer_tank, query.usage_point_group, query.end_device_group)
    if not ids | points | meters | groups:
        raise Invalid("GetMeterReadings: it names no usage point, no meter and no group", code="2.15")
    periods = [each.time_period for each in query.reading if each.time_period is not None]
    periods += [each.schedule_interval for each in query.time_schedule]
    starts = [request.start_time, *(each.start for each in periods)]
    ends = [request.end_time, *(each.end for each in periods)]
    types = (ReadingTypeCode.parse(each.mrid) for each in query.reading_type if each.mrid)
    return Question(
        points=frozenset(points | ids),
        meters=frozenset(meters | ids),
        types=frozenset(str(each.canonical) for each in types),
        start=max((each for each in starts if each is not None), default=_ALWAYS[0]),
        end=min((each for each in ends if each is not None), default=_ALWAYS[1]),
        qualities=frozenset(_mrids((each.reading_quality_type for each in query.reading_quality), ())),
        sources=frozenset(each.source for each in query.reading if each.source),
        reasons=frozenset(each.reason.value for each in query.reading if each.reason),
        as_of=_as_of(request),
    )


def of_usage_point(
    point: str,
    blocks: Iterable[Block],
    registers: Iterable[Register],
    asked: Question,
    *,
    now: datetime,
    zone: tzinfo,
    said: Mapping[tuple[str, date], Said] = {},
) -> Iterable[MeterReading]:
    """What is known of one usage point: its intervals over all its meters, and the registers of each meter.

    With the intervals stands what was ``said`` of their days when they were judged.
    """
    days: dict[str, dict[date, list[Block]]] = defaultdict(lambda: defaultdict(list))
    for block in blocks:
        if asked.about(point, block.meter) and (not asked.types or block.reading_type in asked.types):
            days[block.reading_type][block.day].append(block)
    shown = []
    for code, of_day in sorted(days.items()):
        values = chain.from_iterable(
            _day(parts, asked, said.get((code, day)), now=now, zone=zone) for day, parts in sorted(of_day.items())
        )
        shown.append(IntervalBlock(interval_readings=tuple(values), reading_type=Reference(ref=code)))
    if whole := tuple(each for each in shown if each.interval_readings):
        yield MeterReading(interval_blocks=whole, usage_point=ObjectReference(mrid=point))
    by_meter: dict[str, list[Register]] = defaultdict(list)
    for register in registers:
        told = asked.about(point, register.meter) and (not asked.types or register.reading_type in asked.types)
        if told and asked.wants(register.value.origin):
            by_meter[register.meter].append(register)
    for meter, reads in sorted(by_meter.items()):
        yield MeterReading(
            meter=Meter(mrid=meter) if meter else None,
            readings=tuple(shown_register(each) for each in reads),
            usage_point=ObjectReference(mrid=point),
        )


def _day(
    blocks: Sequence[Block], asked: Question, said: Said | None, *, now: datetime, zone: tzinfo
) -> Iterable[IntervalReading]:
    """The intervals of one day, those that are missing named."""
    length = interval_length(ReadingTypeCode.parse(blocks[0].reading_type))
    for place, start in enumerate(calendar.starts(blocks[0].day, zone, length)):
        if start < asked.start or start + length > asked.end or start + length > now:
            continue
        parts = {block.meter: value for block in blocks if (value := block.values[place]) is not None}
        value = together(parts)
        if value is not None and said is not None:
            value = said.shown(value, place)
        if value is not None and asked.wants(value.origin):
            yield shown_interval(start + length, value)
        elif value is None and (not asked.qualities or MISSING in asked.qualities) and not asked.sources:
            why = () if said is None else said.missing(place)
            yield IntervalReading(
                time_stamp=start + length, reading_qualities=shown_qualities(why or (Quality(code=MISSING),))
            )


def block_news(block: Block, places: Mapping[int, Value], zone: tzinfo) -> MeterReading:
    """Those values of a block that are new, by their places."""
    length = interval_length(ReadingTypeCode.parse(block.reading_type))
    slots = calendar.starts(block.day, zone, length)
    values = tuple(shown_interval(slots[place] + length, value) for place, value in sorted(places.items()))
    told = IntervalBlock(interval_readings=values, reading_type=Reference(ref=block.reading_type))
    return MeterReading(
        interval_blocks=(told,),
        meter=Meter(mrid=block.meter) if block.meter else None,
        usage_point=ObjectReference(mrid=block.usage_point),
    )


def register_news(register: Register) -> MeterReading:
    """A register that is new."""
    return MeterReading(
        meter=Meter(mrid=register.meter) if register.meter else None,
        readings=(shown_register(register),),
        usage_point=ObjectReference(mrid=register.usage_point),
    )


def shown_interval(end: datetime, value: Value) -> IntervalReading:
    """The value of the interval that ends at ``end``."""
    return IntervalReading(
        reported_date_time=value.origin.reported_at,
        source=value.origin.source or None,
        time_stamp=end,
        value=value.text,
        reading_qualities=shown_qualities(value.origin.qualities),
    )


def shown_register(register: Register) -> Reading:
    """The value of a register."""
    origin = register.value.origin
    return Reading(
        reason=ReadingReasonKind(origin.reason) if origin.reason else None,
        reported_date_time=origin.reported_at,
        source=origin.source or None,
        time_stamp=register.read_at,
        value=register.value.text,
        reading_qualities=shown_qualities(origin.qualities),
        reading_type=Reference(ref=register.reading_type),
    )


def shown_qualities(qualities: Iterable[Quality]) -> tuple[ReadingQuality, ...]:
    """The qualities of a value."""
    return tuple(
        ReadingQuality(comment=each.comment or None, reading_quality_type=Reference(ref=each.code))
        for each in qualities
    )


def _mrids(*groups: Iterable[ObjectReference]) -> set[str]:
    return {each.mrid for each in chain(*groups) if each.mrid is not None}


def _as_of(request: Request) -> datetime | None:
    text = next((each.value for each in request.option if each.name == "asOf"), None)
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise Invalid(f"Option asOf: '{text}' is no time", code="2.29") from error
    if found.tzinfo is None:
        raise Invalid(f"Option asOf: '{text}' has no zone", code="2.29")
    return found
