"""EndDeviceEvents as dataclasses of xsdata, which is what the codec is measured against.

They are what ``xsdata generate`` makes of the schemas, but for the Payload, which holds the noun and not any element.
"""

from dataclasses import dataclass, field
from functools import partial

from xsdata.models.datatype import XmlDateTime

from loadtest.xsdata_envelope import Header, Reference, element, reader

_PROFILE = "http://iec.ch/TC57/2011/EndDeviceEvents#"


_element = partial(element, uri=_PROFILE)


@dataclass
class NameTypeAuthority:
    """As in the schema."""

    description: str | None = field(default=None, metadata=_element("description"))
    name: str | None = field(default=None, metadata=_element("name"))


@dataclass
class NameType:
    """As in the schema."""

    description: str | None = field(default=None, metadata=_element("description"))
    name: str | None = field(default=None, metadata=_element("name"))
    name_type_authority: NameTypeAuthority | None = field(default=None, metadata=_element("NameTypeAuthority"))


@dataclass
class Name:
    """As in the schema."""

    name: str | None = field(default=None, metadata=_element("name"))
    name_type: NameType | None = field(default=None, metadata=_element("NameType"))


@dataclass
class ObjectReference:
    """As in the schema."""

    mrid: str | None = field(default=None, metadata=_element("mRID"))
    names: list[Name] = field(default_factory=list, metadata=_element("Names"))


@dataclass
class Status:
    """As in the schema."""

    date_time: XmlDateTime | None = field(default=None, metadata=_element("dateTime"))
    reason: str | None = field(default=None, metadata=_element("reason"))
    remark: str | None = field(default=None, metadata=_element("remark"))
    value: str | None = field(default=None, metadata=_element("value"))


@dataclass
class EndDeviceEventDetail:
    """As in the schema."""

    name: str | None = field(default=None, metadata=_element("name"))
    value: str | None = field(default=None, metadata=_element("value"))


@dataclass
class EndDeviceEvent:
    """As in the schema."""

    mrid: str | None = field(default=None, metadata=_element("mRID"))
    created_date_time: XmlDateTime | None = field(default=None, metadata=_element("createdDateTime"))
    issuer_id: str | None = field(default=None, metadata=_element("issuerID"))
    issuer_tracking_id: str | None = field(default=None, metadata=_element("issuerTrackingID"))
    reason: str | None = field(default=None, metadata=_element("reason"))
    severity: str | None = field(default=None, metadata=_element("severity"))
    user_id: str | None = field(default=None, metadata=_element("userID"))
    assets: ObjectReference | None = field(default=None, metadata=_element("Assets"))
    end_device_event_details: list[EndDeviceEventDetail] = field(
        default_factory=list, metadata=_element("EndDeviceEventDetails")
    )
    end_device_event_type: Reference | None = field(default=None, metadata=_element("EndDeviceEventType"))
    names: list[Name] = field(default_factory=list, metadata=_element("Names"))
    status: Status | None = field(default=None, metadata=_element("status"))
    usage_point: ObjectReference | None = field(default=None, metadata=_element("UsagePoint"))


@dataclass
class EndDeviceEvents:
    """As in the schema, without the types of events, which no message here has."""

    end_device_event: list[EndDeviceEvent] = field(default_factory=list, metadata=_element("EndDeviceEvent"))


@dataclass
class Payload:
    """The noun."""

    end_device_events: EndDeviceEvents | None = field(default=None, metadata=_element("EndDeviceEvents"))


@dataclass
class EventMessage:
    """As in the schema."""

    header: Header | None = field(default=None, metadata=element("Header"))
    payload: Payload | None = field(default=None, metadata=element("Payload"))


read = reader(EventMessage)
"""The message in a body, read by xsdata."""
