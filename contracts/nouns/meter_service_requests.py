"""MeterServiceRequests: work at meters that is asked for.

IEC 61968-9, profile of 2011. Source: one public copy from an interoperability test. How sure: read there, not compared
with the published text [S].

The copy has a Header of the envelope inside of the payload, a quirk of that draft that is left out.
"""

from enum import StrEnum

from msgspec import Struct, field

from contracts.nouns.reading_types import ReadingQuality, ReadingReasonKind, ReadingType
from contracts.nouns.service_kinds import CustomerKind, MeterMultiplierKind, ServiceMultiplierKind
from contracts.nouns.units import PhaseCode
from contracts.types import DateTimeInterval, Instant, Name, ObjectReference, Reference, Status, attribute

NAMESPACE = "http://iec.ch/TC57/2011/MeterServiceRequests#"

ActivePower = float
"""Watt."""

CurrentFlow = float
"""Ampere."""

Voltage = float
"""Volt."""


class MeterServiceWorkKind(StrEnum):
    """What kind of work it is."""

    CONSTRUCTION = "construction"
    DISCONNECT = "disconnect"
    INSPECTION = "inspection"
    MAINTENANCE = "maintenance"
    METER = "meter"
    OTHER = "other"
    RECONNECT = "reconnect"
    REPAIR = "repair"
    SERVICE = "service"
    TEST = "test"


class ActivityRecord(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """Something that happened to it."""

    created_date_time: Instant
    reason: str | None = None
    severity: str | None = None
    type: str


class Customer(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """Who is served."""

    mrid: str | None = None
    kind: CustomerKind | None = None
    puc_number: str | None = None
    special_need: str | None = None
    vip: bool | None = None
    customer_agreements: tuple[ObjectReference, ...] = field(name="CustomerAgreements", default=())
    names: tuple[Name, ...] = field(name="Names", default=())
    status: Status | None = None


class MeterMultiplier(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A factor of a meter."""

    mrid: str | None = None
    kind: MeterMultiplierKind
    value: float
    names: tuple[Name, ...] = field(name="Names", default=())


class Reading(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A value at a time; a number in this profile."""

    reason: ReadingReasonKind | None = None
    reported_date_time: Instant | None = None
    source: str | None = None
    time_stamp: Instant
    value: float | None = None
    reading_qualities: tuple[ReadingQuality, ...] = field(name="ReadingQualities", default=())
    reading_type: Reference = field(name="ReadingType")
    time_period: DateTimeInterval | None = None


class MeterReading(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """What one meter, or one usage point, measured."""

    readings: tuple[Reading, ...] = field(name="Readings", default=())
    values_interval: DateTimeInterval | None = None


class Meter(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The meter."""

    mrid: str | None = None
    amr_system: str | None = None
    form_number: str | None = None
    serial_number: str | None = None
    meter_multipliers: tuple[MeterMultiplier, ...] = field(name="MeterMultipliers", default=())
    meter_readings: tuple[MeterReading, ...] = field(name="MeterReadings", default=())
    names: tuple[Name, ...] = field(name="Names", default=())


class StreetDetail(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The street part of an address."""

    address_general: str | None = None
    building_name: str | None = None
    code: str | None = None
    name: str | None = None
    number: str | None = None
    prefix: str | None = None
    suffix: str | None = None
    suite_number: str | None = None
    type: str | None = None
    within_town_limits: bool | None = None


class TownDetail(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The town part of an address."""

    code: str | None = None
    country: str | None = None
    name: str | None = None
    section: str | None = None
    state_or_province: str | None = None


class StreetAddress(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """An address."""

    street_detail: StreetDetail | None = None
    town_detail: TownDetail | None = None


class ServiceLocation(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The place of a service."""

    access_method: str | None = None
    needs_inspection: bool | None = None
    site_access_problem: str | None = None
    main_address: StreetAddress | None = None


class ServiceMultiplier(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A factor of the measurement at a usage point."""

    mrid: str | None = None
    kind: ServiceMultiplierKind
    value: float
    names: tuple[Name, ...] = field(name="Names", default=())


class UsagePoint(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """Where something is delivered."""

    check_billing: bool | None = None
    grounded: bool | None = None
    is_virtual: bool | None = None
    nominal_service_voltage: Voltage | None = None
    phase_code: PhaseCode | None = None
    rated_current: CurrentFlow | None = None
    rated_power: ActivePower | None = None
    service_delivery_remark: str | None = None
    service_priority: str | None = None
    service_location: ServiceLocation | None = field(name="ServiceLocation", default=None)
    service_multipliers: tuple[ServiceMultiplier, ...] = field(name="ServiceMultipliers", default=())


class MeterServiceWork(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A piece of work at a meter."""

    kind: MeterServiceWorkKind | None = None
    last_modified_date_time: Instant | None = None
    priority: str | None = None
    request_date_time: Instant | None = None
    type: str | None = None
    activity_records: tuple[ActivityRecord, ...] = field(name="ActivityRecords", default=())
    customers: tuple[Customer, ...] = field(name="Customers", default=())
    meter: Meter = field(name="Meter")
    old_meter: Meter | None = field(name="OldMeter", default=None)
    status: Status | None = None
    usage_point: UsagePoint | None = field(name="UsagePoint", default=None)


class ReadingQualityType(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A quality in its three parts."""

    mrid: str | None = None
    category: str | None = None
    sub_category: str | None = None
    system_id: str | None = field(name="systemId", default=None)
    names: tuple[Name, ...] = field(name="Names", default=())


class MeterServiceRequests(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile."""

    meter_service_work: tuple[MeterServiceWork, ...] = field(name="MeterServiceWork", default=())
    reading_quality_type: tuple[ReadingQualityType, ...] = field(name="ReadingQualityType", default=())
    reading_type: tuple[ReadingType, ...] = field(name="ReadingType", default=())
