"""GetMeterReadings: which readings are asked for.

IEC 61968-9, profile of 2011. Source: one public copy, vendor additions removed. How sure: read there, not compared with
the published text [S].

It stands in ``Request``.
"""

from msgspec import Struct, field

from contracts.nouns.reading_types import ReadingReasonKind, ReadingType
from contracts.types import DateTimeInterval, ObjectReference, attribute

NAMESPACE = "http://iec.ch/TC57/2011/GetMeterReadings#"


class EndDeviceEvent(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """Something that happened at a device; ``created_date_time`` is when it happened."""

    end_device_event_type: ObjectReference = field(name="EndDeviceEventType")


class CoincidentReading(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """What was read at the same time."""

    reason: ReadingReasonKind | None = None
    source: str | None = None
    reading_type: ReadingType = field(name="ReadingType")
    time_period: DateTimeInterval | None = None


class MeterReadings(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """What the readings that are asked for belong to: a meter, a usage point, an event that caused them."""

    is_coincident_trigger: bool | None = None
    end_device_events: EndDeviceEvent | None = field(name="EndDeviceEvents", default=None)
    meter: ObjectReference | None = field(name="Meter", default=None)
    readings: CoincidentReading | None = field(name="Readings", default=None)
    usage_point: ObjectReference | None = field(name="UsagePoint", default=None)


class Reading(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A value at a time, such as a register."""

    reason: ReadingReasonKind | None = None
    source: str | None = None
    time_period: DateTimeInterval | None = None


class ReadingQuality(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """Who says what about the worth of a value."""

    reading_quality_type: ObjectReference = field(name="ReadingQualityType")


class TimeSchedule(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """When."""

    schedule_interval: DateTimeInterval


class GetMeterReadings(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile."""

    end_device: tuple[ObjectReference, ...] = field(name="EndDevice", default=())
    end_device_group: tuple[ObjectReference, ...] = field(name="EndDeviceGroup", default=())
    meter_readings: MeterReadings | None = field(name="MeterReadings", default=None)
    reading: tuple[Reading, ...] = field(name="Reading", default=())
    reading_quality: tuple[ReadingQuality, ...] = field(name="ReadingQuality", default=())
    reading_type: tuple[ReadingType, ...] = field(name="ReadingType", default=())
    time_schedule: tuple[TimeSchedule, ...] = field(name="TimeSchedule", default=())
    transformer_tank: tuple[ObjectReference, ...] = field(name="TransformerTank", default=())
    usage_point: tuple[ObjectReference, ...] = field(name="UsagePoint", default=())
    usage_point_group: tuple[ObjectReference, ...] = field(name="UsagePointGroup", default=())
