"""SwitchingOrders: that somebody execute a plan, or some groups of its steps.

IEC 61968-3:2021 has the document; the spelling of the noun is ours; no public copy of the profile was found.
61968-style: written in the manner of the public class model by the ordering rule, not verified against the
published profile [P]. The namespace is our proposal. Of the class SwitchingOrder the name and its location are
public; the rest is ours.

Ours: ``revisionNumber`` is a whole number that grows by one with each change (text in the class model).
"""

from msgspec import Struct, field

from contracts.types import DateTimeInterval, Instant, Name, ObjectReference, Status, attribute

NAMESPACE = "http://iec.ch/TC57/2021/SwitchingOrders#"


class SwitchingOrder(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One order to one crew or one operator."""

    mrid: str
    comment: str | None = None
    created_date_time: Instant | None = None
    description: str | None = None
    issued_date_time: Instant | None = None
    last_modified_date_time: Instant | None = None
    revision_number: int | None = None
    crew: tuple[ObjectReference, ...] = field(name="Crew", default=())
    location: ObjectReference | None = field(name="Location", default=None)
    names: tuple[Name, ...] = field(name="Names", default=())
    operator: ObjectReference | None = field(name="Operator", default=None)
    planned_period: DateTimeInterval | None = None
    status: Status | None = None
    switching_plan: ObjectReference = field(name="SwitchingPlan")
    switching_step_groups: tuple[ObjectReference, ...] = field(name="SwitchingStepGroups", default=())


class SwitchingOrders(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile."""

    switching_order: tuple[SwitchingOrder, ...] = field(name="SwitchingOrder", default=())
