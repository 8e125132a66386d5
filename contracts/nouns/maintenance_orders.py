"""MaintenanceOrders: work that was accepted, with its tasks, crews and times.

IEC 61968-6:2015. Source: one public copy of the profile, a local extension removed. How sure: read there, not compared
with the published text [S]. The profile restricts mRID to the pattern of a UUID; published samples break it, so any
text is taken.

The Work of an order keeps the mRID and the names of the Work of its request. What a crew finds is an ActivityRecord of
the type ``finding`` whose reason is the cause (equipment, vegetation, weather, animal, thirdParty, overload,
lossOfSupply, unknown); the device that it found is the asset of the task. A task that exchanged an asset names the
one that went out in OldAsset, by its own mRID or by that of its position, and the new one in Assets; where one was
built in stands in its Names, with the type ``PowerSystemResource``.
"""

from datetime import date
from enum import StrEnum

from msgspec import Struct, field

from contracts.nouns.units import PhaseCode, UnitMultiplier
from contracts.nouns.work_types import (
    ActivityRecord,
    AssetLocationHazard,
    CoordinateSystem,
    InternalLocation,
    Organisation,
    PositionPoint,
    Priority,
    TelephoneNumber,
    WorkAddress,
    WorkKind,
    WorkStatusKind,
    WorkTaskKind,
    WorkTimeSchedule,
)
from contracts.types import Instant, Name, attribute

NAMESPACE = "http://iec.ch/TC57/2015/MaintenanceOrders#"

Length = float
"""Metres."""


class WorkLocation(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """Where the work is."""

    mrid: str | None = None
    direction: str | None = None
    coordinate_system: CoordinateSystem | None = field(name="CoordinateSystem", default=None)
    hazards: tuple[AssetLocationHazard, ...] = field(name="Hazards", default=())
    internal_location: InternalLocation | None = field(name="InternalLocation", default=None)
    main_address: WorkAddress | None = None
    names: tuple[Name, ...] = field(name="Names", default=())
    phone1: TelephoneNumber | None = None
    position_points: tuple[PositionPoint, ...] = field(name="PositionPoints", default=())


class ProcedureKind(StrEnum):
    """What a procedure is for."""

    DIAGNOSIS = "diagnosis"
    INSPECTION = "inspection"
    MAINTENANCE = "maintenance"
    OTHER = "other"
    TEST = "test"


class Measurement(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A quantity that a procedure asks for."""

    measurement_type: str | None = None
    phases: PhaseCode | None = None
    unit_multiplier: UnitMultiplier | None = None
    unit_symbol: str | None = None


class Procedure(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """What to do with an asset, and what to measure."""

    instruction: str | None = None
    kind: ProcedureKind | None = None
    sequence_number: str | None = None
    measurements: tuple[Measurement, ...] = field(name="Measurements", default=())


class Asset(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A piece of equipment that the work is about, or that it replaces."""

    mrid: str | None = None
    critical: bool | None = None
    utc_number: str | None = None
    location: WorkLocation | None = field(name="Location", default=None)
    names: tuple[Name, ...] = field(name="Names", default=())
    procedures: tuple[Procedure, ...] = field(name="Procedures", default=())


class Person(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The name of a person."""

    first_name: str | None = None
    last_name: str | None = None


class CrewMember(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One person of a crew."""

    person: Person | None = field(name="Person", default=None)


class VehicleUsageKind(StrEnum):
    """Who uses a vehicle."""

    CONTRACTOR = "contractor"
    CREW = "crew"
    OTHER = "other"
    USER = "user"


class WorkAsset(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A vehicle or tool of a crew."""

    mrid: str | None = None
    critical: bool | None = None
    last_calibration_date: date | None = None
    odometer_read_date_time: Instant | None = None
    odometer_reading: Length | None = None
    usage_kind: VehicleUsageKind | None = None
    utc_number: str | None = None
    location: WorkLocation | None = field(name="Location", default=None)
    names: tuple[Name, ...] = field(name="Names", default=())
    procedures: tuple[Procedure, ...] = field(name="Procedures", default=())


class Crew(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """Who goes."""

    mrid: str | None = None
    crew_members: tuple[CrewMember, ...] = field(name="CrewMembers", default=())
    names: tuple[Name, ...] = field(name="Names", default=())
    work_assets: tuple[WorkAsset, ...] = field(name="WorkAssets", default=())


class Quantity(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """How much of a material."""

    multiplier: UnitMultiplier | None = None
    unit: str | None = None
    value: int | None = None


class MaterialItem(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """Material for a task."""

    mrid: str | None = None
    names: tuple[Name, ...] = field(name="Names", default=())
    quantity: Quantity | None = None


class WorkTask(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One step of the work, with its crews and its assets."""

    mrid: str | None = None
    crew_eta: Instant | None = field(name="crewETA", default=None)
    instruction: str | None = None
    status_kind: WorkStatusKind | None = None
    subject: str | None = None
    task_kind: WorkTaskKind | None = None
    assets: tuple[Asset, ...] = field(name="Assets", default=())
    crews: tuple[Crew, ...] = field(name="Crews", default=())
    material_items: tuple[MaterialItem, ...] = field(name="MaterialItems", default=())
    names: tuple[Name, ...] = field(name="Names", default=())
    old_asset: Asset | None = field(name="OldAsset", default=None)
    time_schedules: tuple[WorkTimeSchedule, ...] = field(name="TimeSchedules", default=())


class Work(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The work itself; its mRID stays the same from the request through the order."""

    mrid: str | None = None
    kind: WorkKind | None = None
    last_modified_date_time: Instant | None = None
    request_date_time: Instant | None = None
    status_kind: WorkStatusKind | None = None
    activity_records: tuple[ActivityRecord, ...] = field(name="ActivityRecords", default=())
    names: tuple[Name, ...] = field(name="Names", default=())
    priority: Priority | None = None
    time_schedules: tuple[WorkTimeSchedule, ...] = field(name="TimeSchedules", default=())
    work_location: WorkLocation | None = field(name="WorkLocation", default=None)
    work_tasks: tuple[WorkTask, ...] = field(name="WorkTasks", default=())


class MaintenanceOrder(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One order with its works."""

    mrid: str | None = None
    names: tuple[Name, ...] = field(name="Names", default=())
    organisation: Organisation | None = field(name="Organisation", default=None)
    work: tuple[Work, ...] = field(name="Work", default=())


class MaintenanceOrders(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile."""

    maintenance_order: tuple[MaintenanceOrder, ...] = field(name="MaintenanceOrder", default=())
