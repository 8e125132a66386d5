"""EndDeviceGroups: groups of devices that are controlled together.

IEC 61968-9 names the noun; no public copy of the profile was found. 61968-style: written from the public class
model by the ordering rule, not verified against the published profile [P]. The namespace is our proposal. Class:
EndDeviceGroup.
"""

from msgspec import Struct, field

from contracts.types import Instant, Name, ObjectReference, Status, attribute

NAMESPACE = "http://iec.ch/TC57/2011/EndDeviceGroups#"


class Version(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The version of a group; a control keeps the one that it was sent to."""

    date: Instant | None = None
    major: int | None = None
    minor: int | None = None
    revision: int | None = None


class EndDeviceGroup(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A group and its members."""

    mrid: str | None = None
    description: str | None = None
    type: str | None = None
    demand_response_programs: tuple[ObjectReference, ...] = field(name="DemandResponsePrograms", default=())
    end_devices: tuple[ObjectReference, ...] = field(name="EndDevices", default=())
    names: tuple[Name, ...] = field(name="Names", default=())
    status: Status | None = None
    version: Version | None = None


class EndDeviceGroups(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile."""

    end_device_group: tuple[EndDeviceGroup, ...] = field(name="EndDeviceGroup", default=())
