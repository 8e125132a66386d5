"""ServiceRequests: what customers ask for: a connection, a move, a look at the meter.

IEC 61968-8:2015 has the message type; no public copy of the profile was found. 61968-style: written in the manner
of the public class model by the ordering rule, not verified against the published profile [P]. The namespace is our
proposal. No class of the public class model is a service request; it is written as a Document with what
WorkRequests and ServiceOrders have.

Ours: ``revisionNumber`` is a whole number that grows by one with each change (text in the class model).
"""

from enum import StrEnum

from msgspec import Struct, field

from contracts.nouns.work_types import Priority, WorkKind
from contracts.types import DateTimeInterval, Instant, Name, ObjectReference, Status, attribute

NAMESPACE = "http://iec.ch/TC57/2015/ServiceRequests#"


class Appointment(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """When somebody comes, and whether to call before."""

    call_ahead: bool | None = None
    meeting_interval: DateTimeInterval | None = None


class ServiceRequest(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One request and what became of it; ``kind`` is the kind of work that it needs, if it needs any."""

    mrid: str
    comment: str | None = None
    created_date_time: Instant | None = None
    description: str | None = None
    kind: WorkKind | None = None
    last_modified_date_time: Instant | None = None
    request_date_time: Instant | None = None
    revision_number: int | None = None
    subject: str | None = None
    type: str | None = None
    appointments: tuple[Appointment, ...] = field(name="Appointments", default=())
    customer: ObjectReference | None = field(name="Customer", default=None)
    customer_agreement: ObjectReference | None = field(name="CustomerAgreement", default=None)
    names: tuple[Name, ...] = field(name="Names", default=())
    priority: Priority | None = None
    service_location: ObjectReference | None = field(name="ServiceLocation", default=None)
    status: Status | None = None
    usage_point: ObjectReference | None = field(name="UsagePoint", default=None)
    works: tuple[ObjectReference, ...] = field(name="Works", default=())


class ServiceRequests(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile."""

    service_request: tuple[ServiceRequest, ...] = field(name="ServiceRequest", default=())


class ServiceRequestState(StrEnum):
    """Where a request is in its life: the values of ``ServiceRequest.status`` (ours)."""

    RECEIVED = "RECEIVED"
    CLASSIFIED = "CLASSIFIED"
    IN_PROGRESS = "IN_PROGRESS"
    RESOLVED = "RESOLVED"
    CONFIRMED = "CONFIRMED"
    REOPENED = "REOPENED"
    CANCELLED = "CANCELLED"
