"""IncidentInformation: what customers are told of an incident.

IEC 61968-8:2015 has the message type; no public copy of the profile was found. 61968-style: written from the public
class model by the ordering rule, not verified against the published profile [P]. The namespace is our proposal.
Classes: Incident and IncidentHazard.

Ours: ``revisionNumber`` is a whole number that grows by one with each change (text in the class model). The
estimate and the usage points are ours as well: in the class model they are the outage's.
"""

from msgspec import Struct, field

from contracts.nouns.customer_types import CustomerNotification
from contracts.nouns.location_types import PositionPoint, StreetAddress
from contracts.nouns.unplanned_outages import EstimatedRestorationTime
from contracts.types import Instant, Name, ObjectReference, Status, attribute

NAMESPACE = "http://iec.ch/TC57/2015/IncidentInformation#"


class IncidentHazard(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A danger for the public."""

    mrid: str | None = None
    type: str | None = None
    names: tuple[Name, ...] = field(name="Names", default=())


class IncidentLocation(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """Where it is, as far as it may be told."""

    mrid: str | None = None
    main_address: StreetAddress | None = None
    names: tuple[Name, ...] = field(name="Names", default=())
    position_points: tuple[PositionPoint, ...] = field(name="PositionPoints", default=())


class Incident(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One incident, in words for customers; ``outage`` is why they are dark."""

    mrid: str
    cause: str | None = None
    comment: str | None = None
    created_date_time: Instant | None = None
    description: str | None = None
    last_modified_date_time: Instant | None = None
    revision_number: int | None = None
    subject: str | None = None
    type: str | None = None
    customer_notifications: tuple[CustomerNotification, ...] = field(name="CustomerNotifications", default=())
    estimated_restoration_time: EstimatedRestorationTime | None = field(name="EstimatedRestorationTime", default=None)
    hazards: tuple[IncidentHazard, ...] = field(name="Hazards", default=())
    location: IncidentLocation | None = field(name="Location", default=None)
    names: tuple[Name, ...] = field(name="Names", default=())
    outage: ObjectReference | None = field(name="Outage", default=None)
    owner: ObjectReference | None = field(name="Owner", default=None)
    status: Status | None = None
    trouble_tickets: tuple[ObjectReference, ...] = field(name="TroubleTickets", default=())
    usage_points: tuple[ObjectReference, ...] = field(name="UsagePoints", default=())
    works: tuple[ObjectReference, ...] = field(name="Works", default=())


class IncidentInformation(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile."""

    incident: tuple[Incident, ...] = field(name="Incident", default=())
