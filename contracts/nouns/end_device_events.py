"""EndDeviceEvents: what meters and other end devices tell of themselves.

IEC 61968-9, profile of 2011. Source: two public copies, equal after vendor additions are removed. How sure: confirmed
by two sources [X].

The ``ref`` of EndDeviceEventType is the code of the event, such as ``3.26.9.185``; the meter is the asset.
"""

from msgspec import Struct, field

from contracts.types import Instant, Name, ObjectReference, Reference, Status, attribute

NAMESPACE = "http://iec.ch/TC57/2011/EndDeviceEvents#"


class EndDeviceEventDetail(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One value that the device told with the event."""

    name: str
    value: str | None = None


class EndDeviceEvent(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """Something that happened at a device; ``created_date_time`` is when it happened, not when it was sent."""

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


class EndDeviceEventType(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A type of event in four words; its name or mRID is the code ``type.domain.subDomain.eventOrAction``."""

    mrid: str | None = None
    domain: str | None = None
    event_or_action: str | None = None
    sub_domain: str | None = None
    type: str | None = None
    names: tuple[Name, ...] = field(name="Names", default=())


class EndDeviceEvents(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile; the types that the events refer to may stand beside them."""

    end_device_event: tuple[EndDeviceEvent, ...] = field(name="EndDeviceEvent", default=())
    end_device_event_type: tuple[EndDeviceEventType, ...] = field(name="EndDeviceEventType", default=())
