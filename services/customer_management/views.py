"""Between the values of the rules and the nouns; and who may see whom."""

from collections.abc import Iterable, Sequence
from datetime import datetime, time, tzinfo

from msgspec.structs import replace

from contracts.errors import Invalid
from contracts.message import Request
from contracts.nouns.customer_config import Customer
from contracts.nouns.customer_types import CustomerNotification
from contracts.nouns.incident_information import Incident
from contracts.nouns.planned_outage_notifications import PlannedOutageNotification
from contracts.nouns.service_requests import ServiceRequest
from contracts.nouns.trouble_tickets import TroubleTicket
from contracts.nouns.unplanned_outages import EstimatedRestorationTime, OutageState, UnplannedOutage
from contracts.nouns.work_requests import Asset, Work, WorkRequest, WorkRequests, WorkTask
from contracts.nouns.work_types import WorkTaskKind
from contracts.types import ObjectReference, Status
from services.customer_management.domain.incidents import Known
from services.customer_management.domain.notices import Notice, Preference, Recipient

SEES_NAMES = frozenset({"console", "gateway", "operator"})
"""The roles behind which a person sits who may see who a customer is; all others see what the grid needs."""


def ids_in(request: Request | None) -> list[str]:
    """What a request names."""
    return [] if request is None else [each.value for each in request.id]


def seen_by(principal: str, customer: Customer) -> Customer:
    """A customer as a role may see it: without name, address and number, unless people sit behind the role."""
    if principal in SEES_NAMES:
        return customer
    return replace(customer, locale=None, names=(), notifications=(), organisation=None, puc_number=None)


def known_of(outage: UnplannedOutage) -> Known:
    """What an event of fault management says for customers."""
    points = (*outage.de_energized_usage_point, *outage.energized_usage_point)
    estimate = outage.estimated_restoration_time
    status = OutageState.SUSPECTED if outage.status is None else OutageState(outage.status.value or "SUSPECTED")
    return Known(
        outage=outage.mrid,
        revision=outage.revision_number,
        state=status,
        points=tuple(sorted({point.mrid for point in points if point.mrid is not None})),
        began_at=None if outage.actual_period is None else outage.actual_period.start,
        estimate=None if estimate is None else estimate.ert,
        cause=outage.cause,
        crew=outage.status_kind,
        unverified=tuple(sorted(point.mrid for point in outage.unverified_usage_point if point.mrid is not None)),
    )


def recipients(residents: Iterable[tuple[str, Customer]], zone: tzinfo) -> list[Recipient]:
    """Customers as those who may be told something."""
    return [
        Recipient(
            customer=customer.mrid or "",
            usage_point=point,
            critical=customer.special_need is not None,
            preferences=tuple(
                Preference(
                    trigger=wish.trigger,
                    channel=wish.contact_type or "letter",
                    earliest=_time_of_day(wish.earliest_date_time_to_call, zone),
                    latest=_time_of_day(wish.latest_date_time_to_call, zone),
                )
                for wish in customer.notifications
                if wish.trigger is not None
            ),
        )
        for point, customer in residents
    ]


def incident(mrid: str, known: Known, now: datetime, notices: Sequence[Notice] = ()) -> Incident:
    """An incident as it is told: no names, and who was told what by mRID where it is asked for."""
    return Incident(
        mrid=mrid,
        cause=known.cause,
        last_modified_date_time=now,
        revision_number=known.revision,
        subject=f"{len(known.points)} usage points without power",
        type="unplannedOutage",
        customer_notifications=tuple(
            CustomerNotification(
                contact_type=each.channel, trigger=each.trigger, customer=ObjectReference(mrid=each.customer)
            )
            for each in notices
        ),
        estimated_restoration_time=None if known.estimate is None else EstimatedRestorationTime(ert=known.estimate),
        outage=ObjectReference(mrid=known.outage),
        status=Status(date_time=now, value=known.state),
        usage_points=tuple(ObjectReference(mrid=point) for point in known.points),
    )


def located(ticket: TroubleTicket, homes: Sequence[str]) -> TroubleTicket:
    """A ticket with its usage point: the one that it names, or the only one of its customer.

    Raises:
        Invalid: there is none, or the customer has several and must say which.
    """
    if ticket.usage_point is not None and ticket.usage_point.mrid is not None:
        return ticket
    who = None if ticket.customer is None else ticket.customer.mrid
    if who is None:
        raise Invalid("a call says which customer or which usage point it is about", object_id=ticket.mrid)
    if len(homes) != 1:
        reason = (
            f"the customer is served at {', '.join(homes)}; which one is it?" if homes else "nobody is served there"
        )
        raise Invalid(f"UsagePoint: {reason}", object_id=who)
    return replace(ticket, usage_point=ObjectReference(mrid=homes[0]))


def by_own_knowledge(ticket: TroubleTicket, known: Known | None, now: datetime, zone: tzinfo) -> TroubleTicket:
    """The answer to a caller while fault management is silent."""
    if known is None:
        status = Status(date_time=now, reason="Thank you, we are looking into it.", value="RECEIVED")
        return replace(ticket, status=status)
    until = "" if known.estimate is None else f" We expect it back by {known.estimate.astimezone(zone):%H:%M on %d %B}."
    reason = f"We know that the power is out where you are.{until}"
    status = Status(date_time=now, reason=reason, remark=known.state, value="ATTACHED")
    return replace(ticket, incident=ObjectReference(mrid=known.outage), status=status)


def work_for(request: ServiceRequest, now: datetime) -> WorkRequests:
    """The work that a service request needs."""
    place = request.usage_point or request.service_location
    task = WorkTask(
        mrid=f"{request.mrid}-task",
        instruction=request.description,
        subject=request.subject,
        task_kind=WorkTaskKind.INVESTIGATE,
        assets=(Asset(mrid=None if place is None else place.mrid),),
    )
    work = Work(
        mrid=f"{request.mrid}-work",
        kind=request.kind,
        request_date_time=now,
        priority=request.priority,
        work_tasks=(task,),
    )
    return WorkRequests(work_request=(WorkRequest(mrid=f"{request.mrid}-request", work=(work,)),))


def planned_text(notification: PlannedOutageNotification, zone: tzinfo) -> str:
    """What customers read of a planned outage.

    Raises:
        Invalid: it does not say from when until when.
    """
    period = notification.planned_period
    if period is None or period.start is None or period.end is None:
        raise Invalid("plannedPeriod: a notice says from when until when", object_id=notification.mrid)
    begin, end = period.start.astimezone(zone), period.end.astimezone(zone)
    why = "" if notification.reason is None else f" Reason: {notification.reason}."
    return f"Your power will be off from {begin:%H:%M on %d %B} until {end:%H:%M on %d %B}.{why}"


def _time_of_day(instant: datetime | None, zone: tzinfo) -> time | None:
    return None if instant is None else instant.astimezone(zone).time()
