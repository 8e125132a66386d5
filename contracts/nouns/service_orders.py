"""ServiceOrders: work at a customer's place that was accepted.

IEC 61968-6:2015, profile of 2015. Source: one public copy, of the messages that create. How sure: read there, not
compared with the published text [S].

That copy makes many elements mandatory. The profile restricts mRID to the pattern of a UUID; published samples break
it, so any text is taken.
"""

from msgspec import Struct, field

from contracts.nouns.reading_types import RationalNumber, Reading, ReadingInterharmonic, ReadingReasonKind
from contracts.nouns.service_kinds import (
    CustomerKind,
    MeterMultiplierKind,
    ServiceKind,
    ServiceMultiplierKind,
    SupplierKind,
    UsagePointConnectedKind,
)
from contracts.nouns.units import PhaseCode
from contracts.nouns.work_types import (
    Priority,
    TelephoneNumber,
    WorkKind,
    WorkStatusKind,
    WorkTaskKind,
    WorkTimeScheduleKind,
)
from contracts.types import DateTimeInterval, Instant, Name, ObjectReference, Reference, Status, attribute

NAMESPACE = "http://iec.ch/TC57/2015/ServiceOrders#"

CurrentFlow = float
"""Ampere."""

Voltage = float
"""Volt."""


class ReadingQualityType(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A quality in its three parts."""

    mrid: str | None = None
    category: str
    sub_category: str
    system_id: str = field(name="systemId")
    names: tuple[Name, ...] = field(name="Names", default=())


class ReadingType(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """What a value measures: by its mRID of eighteen numbers, by the parts of it in words, or both."""

    mrid: str | None = None
    accumulation: str
    aggregate: str
    commodity: str
    consumption_tier: int
    cpp: int
    currency: str
    flow_direction: str
    macro_period: str
    measurement_kind: str
    measuring_period: str
    multiplier: str
    phases: str
    tou: int
    unit: str
    argument: RationalNumber
    interharmonic: ReadingInterharmonic
    names: tuple[Name, ...] = field(name="Names", default=())


class ActivityRecord(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """Something that happened to the work: a remark, a finding, a change of its state."""

    created_date_time: Instant
    reason: str | None = None
    severity: str | None = None
    type: str


class Appointment(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """When the customer is to be met."""

    call_ahead: bool | None = None
    meeting_interval: DateTimeInterval | None = None


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


class WorkTimeSchedule(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """When the work is asked for, planned or done."""

    kind: WorkTimeScheduleKind
    schedule_interval: DateTimeInterval


class CoordinateSystem(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The reference system of coordinates, as a URN of EPSG."""

    crs_urn: str


class AssetLocationHazard(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A danger at the place of work."""

    type: str


class InternalLocation(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """Where inside a building; the profile spells these elements with capitals."""

    building_name: str | None = field(name="BuildingName", default=None)
    building_number: str = field(name="BuildingNumber")
    floor: str = field(name="Floor")
    room_number: str = field(name="RoomNumber")


class WorkStreetDetail(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The street part of an address, with three free lines."""

    address_general: str
    address_general2: str | None = None
    address_general3: str | None = None
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
    name: str
    section: str | None = None
    state_or_province: str | None = None


class WorkAddress(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """An address with three free lines."""

    street_detail: WorkStreetDetail
    town_detail: TownDetail


class PositionPoint(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One point of a shape, in the coordinate system beside it."""

    sequence_number: int | None = None
    x_position: str
    y_position: str
    z_position: str | None = None


class WorkLocation(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """Where the work is."""

    mrid: str | None = None
    direction: str | None = None
    coordinate_system: CoordinateSystem | None = field(name="CoordinateSystem", default=None)
    hazards: tuple[AssetLocationHazard, ...] = field(name="Hazards", default=())
    internal_location: InternalLocation | None = field(name="InternalLocation", default=None)
    main_address: WorkAddress
    names: tuple[Name, ...] = field(name="Names", default=())
    phone1: TelephoneNumber | None = None
    position_points: tuple[PositionPoint, ...] = field(name="PositionPoints", default=())


class MeterMultiplier(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A factor of a meter."""

    mrid: str | None = None
    kind: MeterMultiplierKind
    value: float
    names: tuple[Name, ...] = field(name="Names", default=())


class MeterReading(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """What one meter, or one usage point, measured."""

    readings: tuple[Reading, ...] = field(name="Readings", default=())
    values_interval: DateTimeInterval | None = None


class Asset(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A piece of equipment that the work is about, or that it replaces."""

    mrid: str | None = None
    amr_system: str | None = None
    critical: bool | None = None
    form_number: str | None = None
    serial_number: str | None = None
    utc_number: str | None = None
    meter_multipliers: tuple[MeterMultiplier, ...] = field(name="MeterMultipliers", default=())
    meter_readings: tuple[MeterReading, ...] = field(name="MeterReadings", default=())
    names: tuple[Name, ...] = field(name="Names", default=())


class Person(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The name of a person."""

    first_name: str | None = None
    last_name: str | None = None


class CrewMember(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One person of a crew."""

    person: Person = field(name="Person")


class Crew(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """Who goes."""

    mrid: str | None = None
    crew_members: tuple[CrewMember, ...] = field(name="CrewMembers", default=())
    names: tuple[Name, ...] = field(name="Names", default=())


class MetrologyRequirement(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """What is to be measured, and why."""

    mrid: str | None = None
    reason: ReadingReasonKind | None = None
    names: tuple[Name, ...] = field(name="Names", default=())
    reading_types: tuple[Reference, ...] = field(name="ReadingTypes", default=())


class ServiceCategory(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """What is delivered."""

    mrid: str | None = None
    kind: ServiceKind
    names: tuple[Name, ...] = field(name="Names", default=())


class ServiceMultiplier(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A factor of the measurement at a usage point."""

    mrid: str | None = None
    kind: ServiceMultiplierKind
    value: float
    names: tuple[Name, ...] = field(name="Names", default=())


class ServiceSupplier(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """Who delivers."""

    mrid: str | None = None
    kind: SupplierKind
    names: tuple[Name, ...] = field(name="Names", default=())


class StreetDetail(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The street part of an address."""

    address_general: str
    building_name: str | None = None
    code: str | None = None
    name: str | None = None
    number: str | None = None
    prefix: str | None = None
    suffix: str | None = None
    suite_number: str | None = None
    type: str | None = None
    within_town_limits: bool | None = None


class StreetAddress(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """An address."""

    street_detail: StreetDetail
    town_detail: TownDetail


class UsagePointLocation(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The place of a usage point."""

    mrid: str | None = None
    access_method: str | None = None
    direction: str | None = None
    geo_info_reference: str | None = None
    remark: str | None = None
    site_access_problem: str | None = None
    type: str | None = None
    coordinate_system: CoordinateSystem | None = field(name="CoordinateSystem", default=None)
    hazards: tuple[AssetLocationHazard, ...] = field(name="Hazards", default=())
    internal_location: InternalLocation | None = field(name="InternalLocation", default=None)
    main_address: StreetAddress
    names: tuple[Name, ...] = field(name="Names", default=())
    position_points: tuple[PositionPoint, ...] = field(name="PositionPoints", default=())


class UsagePoint(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """Where something is delivered."""

    mrid: str | None = None
    check_billing: bool | None = None
    connection_state: UsagePointConnectedKind | None = None
    grounded: bool | None = None
    is_sdp: bool | None = None
    is_virtual: bool | None = None
    nominal_service_voltage: Voltage | None = None
    phase_code: PhaseCode | None = None
    rated_current: CurrentFlow
    service_delivery_remark: str | None = None
    service_priority: str | None = None
    metrology_requirements: tuple[MetrologyRequirement, ...] = field(name="MetrologyRequirements", default=())
    names: tuple[Name, ...] = field(name="Names", default=())
    service_category: ServiceCategory | None = field(name="ServiceCategory", default=None)
    service_multipliers: tuple[ServiceMultiplier, ...] = field(name="ServiceMultipliers", default=())
    service_supplier: ServiceSupplier | None = field(name="ServiceSupplier", default=None)
    usage_point_location: UsagePointLocation | None = field(name="UsagePointLocation", default=None)


class WorkTask(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One step of the work, with its crews and its assets."""

    mrid: str | None = None
    crew_eta: Instant = field(name="crewETA")
    instruction: str | None = None
    status_kind: WorkStatusKind
    subject: str
    task_kind: WorkTaskKind
    assets: tuple[Asset, ...] = field(name="Assets", default=())
    crews: tuple[Crew, ...] = field(name="Crews", default=())
    names: tuple[Name, ...] = field(name="Names", default=())
    old_asset: Asset | None = field(name="OldAsset", default=None)
    time_schedules: tuple[WorkTimeSchedule, ...] = field(name="TimeSchedules", default=())
    usage_point: UsagePoint | None = field(name="UsagePoint", default=None)


class Work(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The work itself; its mRID stays the same from the request through the order."""

    mrid: str | None = None
    kind: WorkKind
    last_modified_date_time: Instant | None = None
    request_date_time: Instant | None = None
    status_kind: WorkStatusKind
    type: str | None = None
    activity_records: tuple[ActivityRecord, ...] = field(name="ActivityRecords", default=())
    appointments: tuple[Appointment, ...] = field(name="Appointments", default=())
    customers: tuple[Customer, ...] = field(name="Customers", default=())
    names: tuple[Name, ...] = field(name="Names", default=())
    priority: Priority | None = None
    time_schedules: tuple[WorkTimeSchedule, ...] = field(name="TimeSchedules", default=())
    work_location: WorkLocation | None = field(name="WorkLocation", default=None)
    work_tasks: tuple[WorkTask, ...] = field(name="WorkTasks", default=())


class ServiceOrder(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One order with its works."""

    mrid: str | None = None
    names: tuple[Name, ...] = field(name="Names", default=())
    work: tuple[Work, ...] = field(name="Work", default=())


class ServiceOrders(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile."""

    reading_quality_type: tuple[ReadingQualityType, ...] = field(name="ReadingQualityType", default=())
    reading_type: tuple[ReadingType, ...] = field(name="ReadingType", default=())
    service_order: tuple[ServiceOrder, ...] = field(name="ServiceOrder", default=())
