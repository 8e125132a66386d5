"""WorkRequests: somebody asks for work to be done.

IEC 61968-6:2015. Source: one public copy of the profile. How sure: read there, not compared with the published text
[S]. The profile restricts mRID to the pattern of a UUID; published samples break it, so any text is taken here.

Fault management asks for the repair of an outage so: ``Work.kind`` is ``repair``, the mRID of the outage stands in
``Work.Names`` with the name type ``UnplannedOutage``, and the predicted device is the asset of the first task.
"""

from msgspec import Struct, field

from contracts.nouns.work_types import (
    ActivityRecord,
    AssetLocationHazard,
    CoordinateSystem,
    InternalLocation,
    Organisation,
    PositionPoint,
    Priority,
    WorkAddress,
    WorkKind,
    WorkStatusKind,
    WorkTaskKind,
    WorkTimeSchedule,
)
from contracts.types import Instant, Name, ObjectReference, attribute

NAMESPACE = "http://iec.ch/TC57/2015/WorkRequests#"


class WorkLocation(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """Where the work is."""

    mrid: str | None = None
    direction: str | None = None
    coordinate_system: CoordinateSystem | None = field(name="CoordinateSystem", default=None)
    hazards: tuple[AssetLocationHazard, ...] = field(name="Hazards", default=())
    internal_location: InternalLocation | None = field(name="InternalLocation", default=None)
    main_address: WorkAddress | None = None
    names: tuple[Name, ...] = field(name="Names", default=())
    position_points: tuple[PositionPoint, ...] = field(name="PositionPoints", default=())


class Asset(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A piece of equipment that the work is about, or that it replaces."""

    mrid: str | None = None
    critical: bool | None = None
    utc_number: str | None = None
    location: WorkLocation | None = field(name="Location", default=None)
    names: tuple[Name, ...] = field(name="Names", default=())


class WorkTask(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One step of the work, with its crews and its assets."""

    mrid: str | None = None
    crew_eta: Instant | None = field(name="crewETA", default=None)
    instruction: str | None = None
    subject: str | None = None
    task_kind: WorkTaskKind | None = None
    assets: tuple[Asset, ...] = field(name="Assets", default=())
    crews: tuple[ObjectReference, ...] = field(name="Crews", default=())
    names: tuple[Name, ...] = field(name="Names", default=())


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


class WorkRequest(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One request, by whom and for which works."""

    mrid: str | None = None
    names: tuple[Name, ...] = field(name="Names", default=())
    organisation: Organisation | None = field(name="Organisation", default=None)
    work: tuple[Work, ...] = field(name="Work", default=())


class WorkRequests(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile."""

    work_request: tuple[WorkRequest, ...] = field(name="WorkRequest", default=())
