"""SwitchingPlanRequests: that a plan be made: what is to be dead, when, for which work.

IEC 61968-3:2021 has the document; the spelling of the noun is ours; no public copy of the profile was found.
61968-style: written in the manner of the public class model by the ordering rule, not verified against the
published profile [P]. The namespace is our proposal. Of the class SwitchingPlanRequest only the name and what
refers to it are public; what is in it is ours.

Ours: ``revisionNumber`` is a whole number that grows by one with each change (text in the class model).
"""

from msgspec import Struct, field

from contracts.types import DateTimeInterval, Instant, Name, ObjectReference, Status, attribute

NAMESPACE = "http://iec.ch/TC57/2021/SwitchingPlanRequests#"


class SwitchingPlanRequest(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One request; ``equipments`` is what is to be made dead or to be put back."""

    mrid: str
    comment: str | None = None
    created_date_time: Instant | None = None
    description: str | None = None
    last_modified_date_time: Instant | None = None
    purpose: str | None = None
    rank: int | None = None
    revision_number: int | None = None
    equipments: tuple[ObjectReference, ...] = field(name="Equipments", default=())
    names: tuple[Name, ...] = field(name="Names", default=())
    outage: ObjectReference | None = field(name="Outage", default=None)
    outage_plan: ObjectReference | None = field(name="OutagePlan", default=None)
    planned_period: DateTimeInterval | None = None
    status: Status | None = None
    switching_plans: tuple[ObjectReference, ...] = field(name="SwitchingPlans", default=())
    work_tasks: tuple[ObjectReference, ...] = field(name="WorkTasks", default=())


class SwitchingPlanRequests(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile."""

    switching_plan_request: tuple[SwitchingPlanRequest, ...] = field(name="SwitchingPlanRequest", default=())
