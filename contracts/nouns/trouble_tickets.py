"""TroubleTickets: what customers report.

IEC 61968-8:2015 has the message type; no public copy of the profile was found. 61968-style: written from the public
class model by the ordering rule, not verified against the published profile [P]. The namespace is our proposal. Class:
TroubleTicket of the public class model.

Ours: ``UsagePoint`` says where the power is missing (the class model goes there by the customer's agreements),
``revisionNumber`` is a whole number (text in the class model), ``status.value`` is one of :class:`TroubleTicketState`,
and ``EstimatedRestorationTime`` is that of the outage to which the ticket belongs. ``status.reason`` is what the caller
may be told.
"""

from enum import StrEnum

from msgspec import Struct, field

from contracts.nouns.unplanned_outages import EstimatedRestorationTime
from contracts.types import Instant, Name, ObjectReference, Status, attribute

NAMESPACE = "http://iec.ch/TC57/2015/TroubleTickets#"


class TroubleReportingKind(StrEnum):
    """How the report came in."""

    CALL = "call"
    EMAIL = "email"
    IVR = "ivr"
    LETTER = "letter"
    OTHER = "other"


class IncidentHazard(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A danger that the customer tells of."""

    mrid: str | None = None
    type: str | None = None
    names: tuple[Name, ...] = field(name="Names", default=())


class NotificationTriggerKind(StrEnum):
    """What the customer wants to be told about."""

    ETR_CHANGE = "etrChange"
    INFORM_DISPATCHED = "informDispatched"
    INITIAL_ETR = "initialEtr"
    POWER_OUT = "powerOut"
    POWER_RESTORED = "powerRestored"


class CustomerNotification(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """How and when the customer wants to be told."""

    contact_type: str | None = None
    contact_value: str | None = None
    earliest_date_time_to_call: Instant | None = None
    latest_date_time_to_call: Instant | None = None
    trigger: NotificationTriggerKind | None = None


class TroubleTicket(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One report.

    ``date_time_of_report`` is when the customer reported it, ``trouble_code`` what: one of :class:`TroubleCode`, or
    another word. ``incident`` is the outage that explains it, or the hazard or other trouble that was made of it.
    """

    mrid: str | None = None
    comment: str | None = None
    created_date_time: Instant | None = None
    date_time_of_report: Instant
    description: str | None = None
    first_responder: str | None = None
    last_modified_date_time: Instant | None = None
    reporting_kind: TroubleReportingKind | None = None
    resolved_date_time: Instant | None = None
    revision_number: int | None = None
    subject: str | None = None
    trouble_code: str | None = None
    customer: ObjectReference | None = field(name="Customer", default=None)
    estimated_restoration_time: EstimatedRestorationTime | None = field(name="EstimatedRestorationTime", default=None)
    hazards: tuple[IncidentHazard, ...] = field(name="Hazards", default=())
    incident: ObjectReference | None = field(name="Incident", default=None)
    names: tuple[Name, ...] = field(name="Names", default=())
    notification: CustomerNotification | None = field(name="Notification", default=None)
    status: Status | None = None
    usage_point: ObjectReference | None = field(name="UsagePoint", default=None)


class TroubleTickets(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile."""

    trouble_ticket: tuple[TroubleTicket, ...] = field(name="TroubleTicket", default=())


class TroubleCode(StrEnum):
    """What customers report: the values of ``troubleCode`` that we know (ours).

    Wires on the ground, fire and an open neutral, which shows in some lights that are bright while others are dim, are
    dangerous and are never grouped. Other words are other trouble, without an outage.
    """

    FIRE = "fire"
    FLICKER = "flicker"
    OPEN_NEUTRAL = "openNeutral"
    PARTIAL_POWER = "partialPower"
    POWER_OUT = "powerOut"
    STREET_LIGHT = "streetLight"
    TREE = "tree"
    WIRE_DOWN = "wireDown"


class TroubleTicketState(StrEnum):
    """Where a ticket is in its life: the values of ``TroubleTicket.status`` (ours).

    A ticket that names no place that is known waits for a clerk. One that is attached to an outage counts as informed
    from the first estimate on. Who may still be without supply after a restoration, or may have an own trouble, is
    called back.
    """

    UNLOCATED = "UNLOCATED"
    ATTACHED = "ATTACHED"
    NON_OUTAGE = "NON_OUTAGE"
    INFORMED = "INFORMED"
    CALLBACK_DUE = "CALLBACK_DUE"
    CALLBACK_OK = "CALLBACK_OK"
    CALLBACK_NEGATIVE = "CALLBACK_NEGATIVE"
    CALLBACK_NO_ANSWER = "CALLBACK_NO_ANSWER"
    CLOSED = "CLOSED"
