"""PlannedOutageNotifications: who is told of a planned outage, and for when.

IEC 61968-3:2021 has the noun; no public copy of the profile was found. 61968-style: written in the manner of the
public class model by the ordering rule, not verified against the published profile [P]. The namespace is our
proposal. Of the class PlannedOutageNotification only the name and what refers to it are public; what is in it is
ours.

Ours: ``revisionNumber`` is a whole number that grows by one with each change (text in the class model).
"""

from msgspec import Struct, field

from contracts.types import DateTimeInterval, Instant, Name, ObjectReference, Status, attribute

NAMESPACE = "http://iec.ch/TC57/2021/PlannedOutageNotifications#"


class PlannedOutageNotification(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One notice: these customers will be dark in that period."""

    mrid: str
    comment: str | None = None
    created_date_time: Instant | None = None
    description: str | None = None
    last_modified_date_time: Instant | None = None
    reason: str | None = None
    revision_number: int | None = None
    subject: str | None = None
    customers: tuple[ObjectReference, ...] = field(name="Customers", default=())
    names: tuple[Name, ...] = field(name="Names", default=())
    planned_outage: ObjectReference = field(name="PlannedOutage")
    planned_period: DateTimeInterval | None = None
    status: Status | None = None
    switching_plans: tuple[ObjectReference, ...] = field(name="SwitchingPlans", default=())
    usage_points: tuple[ObjectReference, ...] = field(name="UsagePoints", default=())


class PlannedOutageNotifications(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile."""

    planned_outage_notification: tuple[PlannedOutageNotification, ...] = field(
        name="PlannedOutageNotification", default=()
    )
