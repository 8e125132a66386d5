"""UsagePointLocationConfig: where usage points are, to the metre.

IEC 61968-9 names the noun; no public copy of the profile was found. 61968-style: written from the public class
model by the ordering rule, not verified against the published profile [P]. The namespace is our proposal. Class:
UsagePointLocation.
"""

from msgspec import Struct, field

from contracts.nouns.device_types import ConfigurationEvent, ElectronicAddress
from contracts.nouns.location_types import CoordinateSystem, PositionPoint, StreetAddress, TelephoneNumber
from contracts.types import Name, ObjectReference, Status, attribute

NAMESPACE = "http://iec.ch/TC57/2011/UsagePointLocationConfig#"


class UsagePointLocation(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The place of a usage point, and how one gets there."""

    mrid: str | None = None
    access_method: str | None = None
    direction: str | None = None
    geo_info_reference: str | None = None
    remark: str | None = None
    site_access_problem: str | None = None
    type: str | None = None
    configuration_events: ConfigurationEvent | None = field(name="ConfigurationEvents", default=None)
    coordinate_system: CoordinateSystem | None = field(name="CoordinateSystem", default=None)
    electronic_address: ElectronicAddress | None = None
    main_address: StreetAddress | None = None
    names: tuple[Name, ...] = field(name="Names", default=())
    phone1: TelephoneNumber | None = None
    phone2: TelephoneNumber | None = None
    position_points: tuple[PositionPoint, ...] = field(name="PositionPoints", default=())
    secondary_address: StreetAddress | None = None
    status: Status | None = None
    usage_points: tuple[ObjectReference, ...] = field(name="UsagePoints", default=())


class UsagePointLocationConfig(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile."""

    usage_point_location: tuple[UsagePointLocation, ...] = field(name="UsagePointLocation", default=())
