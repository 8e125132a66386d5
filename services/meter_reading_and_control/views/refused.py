"""What is kept apart, on the wire: readings that were not taken, and days that could not be judged, with the reason."""

from collections.abc import Iterable
from datetime import datetime, tzinfo

from msgspec.structs import replace

from contracts.errors import Invalid
from contracts.message import Request
from contracts.nouns.get_meter_readings import GetMeterReadings
from contracts.nouns.meter_readings import IntervalBlock, IntervalReading, MeterReading, MeterReadings
from contracts.nouns.reading_types import ReadingQuality
from contracts.types import DateTimeInterval, ObjectReference, Reference
from services.meter_reading_and_control.domain import calendar
from services.meter_reading_and_control.domain.quarantine import Aside, Question, Refused
from services.meter_reading_and_control.domain.vee.keeping import OURS

OPTION = "refused"
"""The option of ``get MeterReadings`` by which readings are seen that were not taken; its value is ``true`` (ours)."""

REJECTED, DEFECT = "3.7.3", "5.3"
"""Rejected by meter data management, and the code of what failed here by a defect."""


def is_asked_for(request: Request) -> bool:
    """True when it asks for readings that were not taken.

    Raises:
        Invalid: 2.29, the option says something else than ``true``.
    """
    said = [each.value for each in request.option if each.name == OPTION]
    if said and said != ["true"]:
        raise Invalid(f"Option {OPTION}: it may be 'true'", code="2.29")
    return bool(said)


def question(request: Request) -> Question:
    """Which are asked for: by meter or usage point, by source, and by the time at which they were refused."""
    query = request.query if isinstance(request.query, GetMeterReadings) else GetMeterReadings()
    objects = (each.mrid for each in (*query.end_device, *query.usage_point) if each.mrid)
    return Question(
        named=(*(each.value for each in request.id), *objects),
        sources=tuple(each.source for each in query.reading if each.source),
        start=request.start_time,
        end=request.end_time,
    )


def shown(parts: Iterable[Refused]) -> MeterReadings:
    """What was told, each value with the quality of what is rejected, the code and the reason."""
    return MeterReadings(meter_reading=tuple(_shown(each) for each in parts))


def unjudged(days: Iterable[Aside], zone: tzinfo) -> MeterReadings:
    """Days that could not be judged: each as one interval without a value, with the code and the reason."""
    return MeterReadings(meter_reading=tuple(_day(each, zone) for each in days))


def _day(each: Aside, zone: tzinfo) -> MeterReading:
    start, end = calendar.bounds(each.day, zone)
    why = _why(DEFECT, each.reason, OURS, each.aside_at)
    day = IntervalReading(time_period=DateTimeInterval(start=start, end=end), reading_qualities=(why,))
    block = IntervalBlock(interval_readings=(day,), reading_type=Reference(ref=each.reading_type))
    return MeterReading(interval_blocks=(block,), usage_point=ObjectReference(mrid=each.usage_point))


def _why(code: str, reason: str, source: str, at: datetime) -> ReadingQuality:
    return ReadingQuality(
        comment=f"{code} {reason}", source=source, time_stamp=at, reading_quality_type=Reference(ref=REJECTED)
    )


def _shown(each: Refused) -> MeterReading:
    why = _why(each.code, each.reason, each.source, each.refused_at)
    readings = (replace(one, reading_qualities=(*one.reading_qualities, why)) for one in each.part.readings)
    blocks = (_block(block, why) for block in each.part.interval_blocks)
    return replace(each.part, readings=tuple(readings), interval_blocks=tuple(blocks))


def _block(block: IntervalBlock, why: ReadingQuality) -> IntervalBlock:
    values = (replace(one, reading_qualities=(*one.reading_qualities, why)) for one in block.interval_readings)
    return replace(block, interval_readings=tuple(values))
