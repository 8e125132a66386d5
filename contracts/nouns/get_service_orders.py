"""GetServiceOrders: which service orders are asked for.

IEC 61968-6:2015, profile of 2015. Source: one public copy of the profile. How sure: read there, not compared with the
published text [S].

It stands in ``Request``. The profile restricts mRID to the pattern of a UUID; published samples break it, so any text
is taken.
"""

from msgspec import Struct, field

from contracts.nouns.service_kinds import CustomerKind, ServiceKind, UsagePointConnectedKind
from contracts.nouns.work_types import (
    InternalLocation,
    Priority,
    StreetAddress,
    WorkKind,
    WorkStatusKind,
    WorkTimeSchedule,
)
from contracts.types import Name, ObjectReference, attribute

NAMESPACE = "http://iec.ch/TC57/2015/GetServiceOrders#"


class Asset(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A piece of equipment that the work is about, or that it replaces."""

    mrid: str | None = None
    critical: bool | None = None
    names: tuple[Name, ...] = field(name="Names", default=())


class Customer(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """Who is served."""

    mrid: str | None = None
    kind: CustomerKind | None = None
    names: tuple[Name, ...] = field(name="Names", default=())


class ServiceCategory(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """What is delivered."""

    kind: ServiceKind | None = None


class UsagePoint(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """Where something is delivered."""

    mrid: str | None = None
    connection_state: UsagePointConnectedKind | None = None
    is_sdp: bool | None = None
    names: tuple[Name, ...] = field(name="Names", default=())


class UsagePointLocation(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The place of a usage point."""

    mrid: str | None = None
    access_method: str | None = None
    internal_location: InternalLocation | None = field(name="InternalLocation", default=None)
    main_address: StreetAddress | None = None
    names: tuple[Name, ...] = field(name="Names", default=())


class Work(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """Works of this kind, status and priority."""

    kind: WorkKind | None = None
    status_kind: WorkStatusKind | None = None
    priority: Priority | None = None


class WorkLocation(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """Where the work is."""

    mrid: str | None = None
    internal_location: InternalLocation | None = field(name="InternalLocation", default=None)
    main_address: StreetAddress | None = None
    names: tuple[Name, ...] = field(name="Names", default=())


class GetServiceOrders(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile."""

    asset: tuple[Asset, ...] = field(name="Asset", default=())
    crew: tuple[ObjectReference, ...] = field(name="Crew", default=())
    customer: tuple[Customer, ...] = field(name="Customer", default=())
    old_asset: tuple[Asset, ...] = field(name="OldAsset", default=())
    service_category: tuple[ServiceCategory, ...] = field(name="ServiceCategory", default=())
    service_order: tuple[ObjectReference, ...] = field(name="ServiceOrder", default=())
    time_schedule: tuple[WorkTimeSchedule, ...] = field(name="TimeSchedule", default=())
    usage_point: tuple[UsagePoint, ...] = field(name="UsagePoint", default=())
    usage_point_location: tuple[UsagePointLocation, ...] = field(name="UsagePointLocation", default=())
    work: tuple[Work, ...] = field(name="Work", default=())
    work_location: tuple[WorkLocation, ...] = field(name="WorkLocation", default=())
