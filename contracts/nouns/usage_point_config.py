"""UsagePointConfig: usage points as they are set up.

IEC 61968-9, profile of 2011. Source: one public copy, vendor additions removed. How sure: read there, not compared with
the published text [S].

An open end that is probably a vendor's is left out.
"""

from enum import StrEnum

from msgspec import Struct, field

from contracts.nouns.device_types import ConfigurationEvent
from contracts.nouns.reading_types import ReadingReasonKind, ReadingType
from contracts.nouns.service_kinds import ServiceKind, ServiceMultiplierKind, SupplierKind, UsagePointConnectedKind
from contracts.nouns.units import PhaseCode
from contracts.types import Name, ObjectReference, Reference, Status, attribute

NAMESPACE = "http://iec.ch/TC57/2011/UsagePointConfig#"

ActivePower = float
"""Watt."""

CurrentFlow = float
"""Ampere."""

Voltage = float
"""Volt."""


class AmiBillingReadyKind(StrEnum):
    """How ready a usage point is for billing by remote readings."""

    AMI_CAPABLE = "amiCapable"
    AMI_DISABLED = "amiDisabled"
    BILLING_APPROVED = "billingApproved"
    ENABLED = "enabled"
    NON_AMI = "nonAmi"
    NON_METERED = "nonMetered"
    OPERABLE = "operable"


class MetrologyRequirement(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """What is to be measured, and why."""

    mrid: str | None = None
    reason: ReadingReasonKind | None = None
    names: tuple[Name, ...] = field(name="Names", default=())
    reading_types: tuple[Reference, ...] = field(name="ReadingTypes", default=())


class PricingStructure(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The price that applies."""

    mrid: str | None = None
    code: str | None = None
    names: tuple[Name, ...] = field(name="Names", default=())


class ServiceCategory(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """What is delivered."""

    mrid: str | None = None
    kind: ServiceKind | None = None
    names: tuple[Name, ...] = field(name="Names", default=())


class ServiceMultiplier(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A factor of the measurement at a usage point."""

    mrid: str | None = None
    kind: ServiceMultiplierKind | None = None
    value: float | None = None
    names: tuple[Name, ...] = field(name="Names", default=())


class ServiceSupplier(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """Who delivers."""

    mrid: str | None = None
    kind: SupplierKind | None = None
    names: tuple[Name, ...] = field(name="Names", default=())


class UsagePoint(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """Where something is delivered."""

    mrid: str | None = None
    ami_billing_ready: AmiBillingReadyKind | None = None
    check_billing: bool | None = None
    connection_state: UsagePointConnectedKind | None = None
    estimated_load: CurrentFlow | None = None
    grounded: bool | None = None
    is_sdp: bool | None = None
    is_virtual: bool | None = None
    minimal_usage_expected: bool | None = None
    nominal_service_voltage: Voltage | None = None
    outage_region: str | None = None
    phase_code: PhaseCode | None = None
    rated_current: CurrentFlow | None = None
    rated_power: ActivePower | None = None
    read_cycle: str | None = None
    read_route: str | None = None
    service_delivery_remark: str | None = None
    service_priority: str | None = None
    configuration_events: ConfigurationEvent | None = field(name="ConfigurationEvents", default=None)
    equipments: ObjectReference | None = field(name="Equipments", default=None)
    metrology_requirements: tuple[MetrologyRequirement, ...] = field(name="MetrologyRequirements", default=())
    names: tuple[Name, ...] = field(name="Names", default=())
    pricing_structures: PricingStructure | None = field(name="PricingStructures", default=None)
    service_category: ServiceCategory | None = field(name="ServiceCategory", default=None)
    service_location: ObjectReference | None = field(name="ServiceLocation", default=None)
    service_multipliers: tuple[ServiceMultiplier, ...] = field(name="ServiceMultipliers", default=())
    service_supplier: ServiceSupplier | None = field(name="ServiceSupplier", default=None)
    usage_point_location: ObjectReference | None = field(name="UsagePointLocation", default=None)
    status: Status | None = None


class UsagePointConfig(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile."""

    reading_type: tuple[ReadingType, ...] = field(name="ReadingType", default=())
    usage_point: tuple[UsagePoint, ...] = field(name="UsagePoint", default=())
