"""MeterReadings: what meters measured.

IEC 61968-9, profile of 2011. Source: two public copies, equal but for the type of a value. How sure: confirmed by two
sources [X].

The value of a reading is text here, as in the later copy; in the earlier one it is a number.
"""

from msgspec import Struct, field

from contracts.nouns.reading_types import Reading, ReadingQuality, ReadingType
from contracts.types import DateTimeInterval, Instant, Name, ObjectReference, Reference, Status, attribute

NAMESPACE = "http://iec.ch/TC57/2011/MeterReadings#"


class EndDeviceEventType(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A type of event in four words."""

    mrid: str | None = None
    domain: str | None = None
    event_or_action: str | None = None
    sub_domain: str | None = None
    type: str | None = None
    names: tuple[Name, ...] = field(name="Names", default=())


class EndDeviceEventDetail(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One value that the device told with the event."""

    name: str
    value: str | None = None


class EndDeviceEvent(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """Something that happened at a device; ``created_date_time`` is when it happened."""

    mrid: str | None = None
    created_date_time: Instant
    issuer_id: str | None = None
    issuer_tracking_id: str | None = None
    reason: str | None = None
    severity: str | None = None
    user_id: str | None = None
    assets: ObjectReference | None = field(name="Assets", default=None)
    end_device_event_details: tuple[EndDeviceEventDetail, ...] = field(name="EndDeviceEventDetails", default=())
    end_device_event_type: Reference = field(name="EndDeviceEventType")
    names: tuple[Name, ...] = field(name="Names", default=())
    status: Status | None = None
    usage_point: ObjectReference | None = field(name="UsagePoint", default=None)


class IntervalReading(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The value of an interval that ends at ``time_stamp``."""

    reported_date_time: Instant | None = None
    source: str | None = None
    time_stamp: Instant | None = None
    value: str | None = None
    reading_qualities: tuple[ReadingQuality, ...] = field(name="ReadingQualities", default=())
    time_period: DateTimeInterval | None = None


class PendingCalculation(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """What is still to be done with the raw values."""

    multiply_before_add: bool | None = None
    offset: int | None = None
    scalar_denominator: int | None = None
    scalar_float: float | None = None
    scalar_numerator: int | None = None
    reading_type: Reference = field(name="ReadingType")


class IntervalBlock(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The values of one reading type, one for each interval, in the order of time."""

    interval_readings: tuple[IntervalReading, ...] = field(name="IntervalReadings", default=())
    pending_calculation: PendingCalculation | None = field(name="PendingCalculation", default=None)
    reading_type: Reference = field(name="ReadingType")


class Meter(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The meter."""

    mrid: str | None = None
    names: tuple[Name, ...] = field(name="Names", default=())
    status: Status | None = None


class MeterReading(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """What one meter, or one usage point, measured."""

    is_coincident_trigger: bool | None = None
    end_device_events: tuple[EndDeviceEvent, ...] = field(name="EndDeviceEvents", default=())
    interval_blocks: tuple[IntervalBlock, ...] = field(name="IntervalBlocks", default=())
    meter: Meter | None = field(name="Meter", default=None)
    readings: tuple[Reading, ...] = field(name="Readings", default=())
    usage_point: ObjectReference | None = field(name="UsagePoint", default=None)
    values_interval: DateTimeInterval | None = None


class ReadingQualityType(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A quality in its three parts."""

    mrid: str | None = None
    category: str | None = None
    sub_category: str | None = None
    system_id: str | None = field(name="systemId", default=None)
    names: tuple[Name, ...] = field(name="Names", default=())


class MeterReadings(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile."""

    end_device_event_type: tuple[EndDeviceEventType, ...] = field(name="EndDeviceEventType", default=())
    meter_reading: tuple[MeterReading, ...] = field(name="MeterReading", default=())
    reading_quality_type: tuple[ReadingQualityType, ...] = field(name="ReadingQualityType", default=())
    reading_type: tuple[ReadingType, ...] = field(name="ReadingType", default=())
