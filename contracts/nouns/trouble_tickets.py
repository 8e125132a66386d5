"""TroubleTickets: what customers report.

IEC 61968-8:2015 has the message type; no public copy of the profile was found. 61968-style: written from the public
class model by the ordering rule, not verified against the published profile [P]. The namespace is our proposal. Class:
TroubleTicket of the public class model.

Ours: ``UsagePoint`` says where the power is missing (the class model goes there by the customer's agreements), and
``revisionNumber`` is a whole number (text in the class model).
"""

from enum import StrEnum

from msgspec import Struct, field

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

    ``date_time_of_report`` is when the customer reported it, ``trouble_code`` what: ``powerOut``, ``partialPower``,
    ``wireDown`` and so on.
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
    hazards: tuple[IncidentHazard, ...] = field(name="Hazards", default=())
    incident: ObjectReference | None = field(name="Incident", default=None)
    names: tuple[Name, ...] = field(name="Names", default=())
    notification: CustomerNotification | None = field(name="Notification", default=None)
    status: Status | None = None
    usage_point: ObjectReference | None = field(name="UsagePoint", default=None)


class TroubleTickets(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile."""

    trouble_ticket: tuple[TroubleTicket, ...] = field(name="TroubleTicket", default=())
