"""ServiceLocationConfig: the premises at which customers are served.

IEC 61968-9 names the noun; no public copy of the profile was found. 61968-style: written from the public class
model by the ordering rule, not verified against the published profile [P]. The namespace is our proposal. Class:
ServiceLocation.
"""

from msgspec import Struct, field

from contracts.nouns.device_types import ConfigurationEvent, ElectronicAddress
from contracts.nouns.location_types import CoordinateSystem, PositionPoint, StreetAddress, TelephoneNumber
from contracts.types import Name, ObjectReference, Status, attribute

NAMESPACE = "http://iec.ch/TC57/2011/ServiceLocationConfig#"


class ServiceLocation(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """Premises, and how one gets in."""

    mrid: str | None = None
    access_method: str | None = None
    direction: str | None = None
    geo_info_reference: str | None = None
    needs_inspection: bool | None = None
    site_access_problem: str | None = None
    type: str | None = None
    configuration_events: ConfigurationEvent | None = field(name="ConfigurationEvents", default=None)
    coordinate_system: CoordinateSystem | None = field(name="CoordinateSystem", default=None)
    customer_agreements: tuple[ObjectReference, ...] = field(name="CustomerAgreements", default=())
    electronic_address: ElectronicAddress | None = None
    end_devices: tuple[ObjectReference, ...] = field(name="EndDevices", default=())
    main_address: StreetAddress | None = None
    names: tuple[Name, ...] = field(name="Names", default=())
    phone1: TelephoneNumber | None = None
    phone2: TelephoneNumber | None = None
    position_points: tuple[PositionPoint, ...] = field(name="PositionPoints", default=())
    secondary_address: StreetAddress | None = None
    status: Status | None = None
    usage_points: tuple[ObjectReference, ...] = field(name="UsagePoints", default=())


class ServiceLocationConfig(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile."""

    service_location: tuple[ServiceLocation, ...] = field(name="ServiceLocation", default=())
