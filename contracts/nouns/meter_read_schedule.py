"""MeterReadSchedule: when which meters are to be read.

IEC 61968-9, profile of 2011. Source: one public copy from an interoperability test. How sure: read there, not compared
with the published text [S].
"""

from msgspec import Struct, field

from contracts.nouns.reading_types import ReadingType
from contracts.types import DateTimeInterval, Instant, Name, ObjectReference, attribute

NAMESPACE = "http://iec.ch/TC57/2011/MeterReadSchedule#"

Seconds = float
"""Seconds."""


class EndDevice(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A device at the end of the network, such as a meter or a display."""

    mrid: str
    names: tuple[Name, ...] = field(name="Names", default=())


class TimePoint(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One point of a schedule."""

    date_time: Instant | None = None
    relative_time_interval: Seconds | None = None
    sequence_number: int | None = None
    window: DateTimeInterval | None = None


class TimeSchedule(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """When."""

    disabled: bool | None = None
    offset: Seconds | None = None
    recurrence_pattern: str | None = None
    recurrence_period: Seconds | None = None
    schedule_interval: DateTimeInterval
    time_points: tuple[TimePoint, ...] = field(name="TimePoints", default=())


class MeterReadSchedule(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile."""

    customer_account: tuple[ObjectReference, ...] = field(name="CustomerAccount", default=())
    customer_agreement: tuple[ObjectReference, ...] = field(name="CustomerAgreement", default=())
    end_device: tuple[EndDevice, ...] = field(name="EndDevice", default=())
    end_device_group: tuple[ObjectReference, ...] = field(name="EndDeviceGroup", default=())
    reading_type: tuple[ReadingType, ...] = field(name="ReadingType", default=())
    time_schedule: tuple[TimeSchedule, ...] = field(name="TimeSchedule", default=())
    usage_point: tuple[ObjectReference, ...] = field(name="UsagePoint", default=())
    usage_point_group: tuple[ObjectReference, ...] = field(name="UsagePointGroup", default=())
