"""Structures that are equal in every 2015 profile of Part 6 that uses them.

Source: the public copies of WorkRequests and MaintenanceOrders; read in one public source. A profile that demands more
(ServiceOrders makes many elements mandatory) has its own struct of the same name in its own module.
"""

from enum import StrEnum

from msgspec import Struct, field

from contracts.types import DateTimeInterval, Instant, Name, attribute


class WorkKind(StrEnum):
    """What kind of work it is."""

    CONNECT = "connect"
    CONSTRUCTION = "construction"
    DISCONNECT = "disconnect"
    INSPECTION = "inspection"
    MAINTENANCE = "maintenance"
    OTHER = "other"
    RECONNECT = "reconnect"
    REPAIR = "repair"
    SERVICE = "service"
    TEST = "test"


class WorkStatusKind(StrEnum):
    """How far a piece of work is, in the twelve words of the profile."""

    APPROVED = "approved"
    CANCELLED = "cancelled"
    CLOSED = "closed"
    COMPLETED = "completed"
    DISPATCHED = "dispatched"
    ENROUTE = "enroute"
    IN_PROGRESS = "inProgress"
    ON_SITE = "onSite"
    SCHEDULED = "scheduled"
    WAITING_ON_APPROVAL = "waitingOnApproval"
    WAITING_ON_MATERIAL = "waitingOnMaterial"
    WAITING_TO_BE_SCHEDULED = "waitingToBeScheduled"


class WorkTaskKind(StrEnum):
    """What a task does with its asset."""

    EXCHANGE = "exchange"
    INSTALL = "install"
    INVESTIGATE = "investigate"
    REMOVE = "remove"


class WorkTimeScheduleKind(StrEnum):
    """What the interval of a schedule means."""

    ACTUAL = "actual"
    EARLIEST = "earliest"
    ESTIMATE = "estimate"
    LATEST = "latest"
    REQUEST = "request"


class ActivityRecord(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """Something that happened to the work: a remark, a finding, a change of its state."""

    created_date_time: Instant | None = None
    reason: str | None = None
    severity: str | None = None
    type: str | None = None


class AssetLocationHazard(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A danger at the place of work."""

    type: str | None = None


class InternalLocation(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """Where inside a building; the profile spells these elements with capitals."""

    building_name: str | None = field(name="BuildingName", default=None)
    building_number: str | None = field(name="BuildingNumber", default=None)
    floor: str | None = field(name="Floor", default=None)
    room_number: str | None = field(name="RoomNumber", default=None)


class WorkTimeSchedule(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """When the work is asked for, planned or done."""

    kind: WorkTimeScheduleKind | None = None
    schedule_interval: DateTimeInterval | None = None


class CoordinateSystem(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The reference system of coordinates, as a URN of EPSG."""

    crs_urn: str | None = None


class PositionPoint(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One point of a shape, in the coordinate system beside it."""

    sequence_number: int | None = None
    x_position: str | None = None
    y_position: str | None = None
    z_position: str | None = None


class WorkStreetDetail(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The street part of an address, with three free lines."""

    address_general: str | None = None
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
    name: str | None = None
    section: str | None = None
    state_or_province: str | None = None


class WorkAddress(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """An address with three free lines."""

    street_detail: WorkStreetDetail | None = None
    town_detail: TownDetail | None = None


class Priority(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """How urgent it is: a rank (lower is sooner), its scale and the reason."""

    justification: str | None = None
    rank: int | None = None
    type: str | None = None


class TelephoneNumber(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A telephone number in its parts."""

    area_code: str | None = None
    city_code: str | None = None
    country_code: str | None = None
    extension: str | None = None
    local_number: str | None = None


class StreetDetail(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The street part of an address, with one free line."""

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


class StreetAddress(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """An address with one free line."""

    street_detail: StreetDetail | None = None
    town_detail: TownDetail | None = None


class Organisation(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """Who asks for the work or does it."""

    mrid: str | None = None
    names: tuple[Name, ...] = field(name="Names", default=())
    phone1: TelephoneNumber | None = None
    street_address: StreetAddress | None = None
