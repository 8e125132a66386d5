"""GetEndDeviceEvents: which events are asked for.

IEC 61968-9, profile of 2011. Source: one public copy, vendor additions removed; it may be a vendor's own profile. How
sure: read there, not compared with the published text [S].

It stands in ``Request``.
"""

from msgspec import Struct, field

from contracts.nouns.service_kinds import ServiceKind
from contracts.types import DateTimeInterval, Instant, Name, ObjectReference, Reference, Status, attribute

NAMESPACE = "http://iec.ch/TC57/2011/GetEndDeviceEvents#"


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


class ServiceCategory(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """What is delivered."""

    mrid: str | None = None
    kind: ServiceKind | None = None
    names: tuple[Name, ...] = field(name="Names", default=())


class TimeSchedule(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """When."""

    schedule_interval: DateTimeInterval


class GetEndDeviceEvents(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile."""

    customer: tuple[ObjectReference, ...] = field(name="Customer", default=())
    end_device_event: tuple[EndDeviceEvent, ...] = field(name="EndDeviceEvent", default=())
    end_device_event_type: tuple[ObjectReference, ...] = field(name="EndDeviceEventType", default=())
    end_device_group: tuple[ObjectReference, ...] = field(name="EndDeviceGroup", default=())
    meter: tuple[ObjectReference, ...] = field(name="Meter", default=())
    service_category: tuple[ServiceCategory, ...] = field(name="ServiceCategory", default=())
    time_schedule: tuple[TimeSchedule, ...] = field(name="TimeSchedule", default=())
    usage_point: tuple[ObjectReference, ...] = field(name="UsagePoint", default=())
