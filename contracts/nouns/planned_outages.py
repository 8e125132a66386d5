"""PlannedOutages: outages on purpose, from the wish to the end.

IEC 61968-3:2021 has the noun; no public copy of the profile was found. 61968-style: written from the public class
model by the ordering rule, not verified against the published profile [P]. The namespace is our proposal. Classes:
PlannedOutage and Outage of the newer public class model.

Ours: ``revisionNumber`` is a whole number that grows by one with each change (text in the class model).
``status.value`` is one of :class:`PlannedOutageState`, and ``WorkTasks`` is what the power is off for.
"""

from enum import StrEnum

from msgspec import Struct, field

from contracts.nouns.unplanned_outages import CrewStatusKind, EstimatedRestorationTime, OutageArea, OutageStatusKind
from contracts.types import DateTimeInterval, Instant, Name, ObjectReference, Status, attribute

NAMESPACE = "http://iec.ch/TC57/2021/PlannedOutages#"


class PlannedOutage(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One outage, whole, as it is after its latest change.

    ``estimated_period`` is the window that is asked for or approved, ``actual_period`` when the power was off.
    ``equipments`` is what is to be worked on, ``outage_isolation_equipment`` what opens for it.
    """

    mrid: str
    cancelled_date_time: Instant | None = None
    comment: str | None = None
    community_descriptor: str | None = None
    created_date_time: Instant | None = None
    customers_restored: int | None = None
    description: str | None = None
    last_modified_date_time: Instant | None = None
    meters_affected: int | None = None
    original_customers_served: int | None = None
    original_meters_affected: int | None = None
    outage_kind: OutageStatusKind | None = None
    reason: str | None = None
    revision_number: int | None = None
    status_kind: CrewStatusKind | None = None
    utility_disclaimer: str | None = None
    actual_period: DateTimeInterval | None = None
    de_energized_usage_point: tuple[ObjectReference, ...] = field(name="DeEnergizedUsagePoint", default=())
    energized_usage_point: tuple[ObjectReference, ...] = field(name="EnergizedUsagePoint", default=())
    equipments: tuple[ObjectReference, ...] = field(name="Equipments", default=())
    estimated_period: DateTimeInterval | None = None
    estimated_restoration_time: EstimatedRestorationTime | None = field(name="EstimatedRestorationTime", default=None)
    names: tuple[Name, ...] = field(name="Names", default=())
    opened_switches: tuple[ObjectReference, ...] = field(name="OpenedSwitches", default=())
    outage_area: tuple[OutageArea, ...] = field(name="OutageArea", default=())
    outage_isolation_equipment: tuple[ObjectReference, ...] = field(name="OutageIsolationEquipment", default=())
    outage_plan: ObjectReference | None = field(name="OutagePlan", default=None)
    status: Status | None = None
    switching_plans: tuple[ObjectReference, ...] = field(name="SwitchingPlans", default=())
    updated_ratings: tuple[ObjectReference, ...] = field(name="UpdatedRatings", default=())
    work_tasks: tuple[ObjectReference, ...] = field(name="WorkTasks", default=())


class PlannedOutages(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile."""

    planned_outage: tuple[PlannedOutage, ...] = field(name="PlannedOutage", default=())


class PlannedOutageState(StrEnum):
    """Where a planned outage is in its life: the values of ``PlannedOutage.status`` (ours)."""

    REQUESTED = "REQUESTED"
    UNDER_STUDY = "UNDER_STUDY"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    NOTIFIED = "NOTIFIED"
    ACTIVE = "ACTIVE"
    RESTORED = "RESTORED"
    CLOSED = "CLOSED"
    CANCELLED = "CANCELLED"
    ABORTED = "ABORTED"
