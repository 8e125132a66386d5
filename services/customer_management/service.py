"""Customers and their agreements in; calls, incidents, notices and requests in and out.

Longer than 400 lines because twenty exchanges have a handler each, and each handler is a few lines.
"""

import os
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

from msgspec.structs import replace

from contracts.errors import Conflict, NotFound, from_reply
from contracts.interfaces.customer_management import CUSTOMER_MANAGEMENT
from contracts.message import Message
from contracts.nouns.customer_account_config import CustomerAccount, CustomerAccountConfig
from contracts.nouns.customer_agreement_config import CustomerAgreement, CustomerAgreementConfig
from contracts.nouns.customer_config import Customer, CustomerConfig
from contracts.nouns.customer_types import NotificationTriggerKind
from contracts.nouns.incident_information import IncidentInformation
from contracts.nouns.maintenance_orders import MaintenanceOrders
from contracts.nouns.planned_outage_notifications import PlannedOutageNotifications
from contracts.nouns.service_location_config import ServiceLocation, ServiceLocationConfig
from contracts.nouns.service_requests import ServiceRequest, ServiceRequests, ServiceRequestState
from contracts.nouns.trouble_tickets import TroubleTickets
from contracts.nouns.unplanned_outages import OutageState, UnplannedOutages
from contracts.nouns.usage_point_groups import UsagePointGroup, UsagePointGroups
from contracts.nouns.usage_point_location_config import UsagePointLocation, UsagePointLocationConfig
from contracts.nouns.work_requests import WorkRequests
from contracts.types import ObjectReference
from contracts.verbs import Verb
from services.customer_management import views
from services.customer_management.config import zone_from
from services.customer_management.domain import agreement as agreements
from services.customer_management.domain import requests
from services.customer_management.domain.incidents import OVER, Known, concerned, news
from services.customer_management.domain.notices import Notice, composed, delivered, wording
from services.customer_management.store import Store
from shared.service import Service
from shared.work import LATER, Later, Wake, Work

service = Service(CUSTOMER_MANAGEMENT, store=Store, memory=lambda: zone_from(os.environ))

CALLER_WAITS = timedelta(seconds=10)
"""So long a caller waits for the word of fault management before we answer by what we know."""

Document = Customer | CustomerAccount | ServiceLocation | UsagePointLocation


@service.on(Verb.CREATE, CustomerConfig)
async def take_customers(message: Message[CustomerConfig], work: Work[Store]) -> CustomerConfig:
    """New customers; one that is here already and the same stays as it is."""
    taken = []
    for each in message.noun.customer:
        customer = replace(each, mrid=each.mrid or work.new_id())
        if await is_new(customer, work):
            told = CustomerConfig(customer=(views.seen_by("", customer),))
            work.publish(Verb.CREATED, told, key=customer.mrid or "")
        taken.append(customer)
    return CustomerConfig(customer=tuple(taken))


@service.on(Verb.CHANGE, CustomerConfig)
async def change_customers(message: Message[CustomerConfig], work: Work[Store]) -> CustomerConfig:
    """A customer is written anew, whole."""
    for customer in message.noun.customer:
        if await work.store.document(Customer, customer.mrid or "") is None:
            raise NotFound("there is no such customer", object_id=customer.mrid)
        await work.store.save_document(customer)
        told = CustomerConfig(customer=(views.seen_by("", customer),))
        work.publish(Verb.CHANGED, told, key=customer.mrid or "")
    return message.noun


@service.on(Verb.GET, CustomerConfig)
async def show_customers(message: Message[CustomerConfig], work: Work[Store]) -> AsyncIterator[CustomerConfig]:
    """Customers, with their names only for roles behind which people sit."""
    async for page in work.store.documents(Customer, views.ids_in(message.request)):
        yield CustomerConfig(customer=tuple(views.seen_by(work.principal, customer) for customer in page))


@service.on(Verb.CREATE, CustomerAccountConfig)
async def take_accounts(message: Message[CustomerAccountConfig], work: Work[Store]) -> CustomerAccountConfig:
    """New accounts of customers that are known."""
    taken = [replace(each, mrid=each.mrid or work.new_id()) for each in message.noun.customer_account]
    for account in taken:
        await known(Customer, account.customer, work)
        await is_new(account, work)
    return CustomerAccountConfig(customer_account=tuple(taken))


@service.on(Verb.GET, CustomerAccountConfig)
async def show_accounts(
    message: Message[CustomerAccountConfig], work: Work[Store]
) -> AsyncIterator[CustomerAccountConfig]:
    """Accounts."""
    async for page in work.store.documents(CustomerAccount, views.ids_in(message.request)):
        yield CustomerAccountConfig(customer_account=tuple(page))


@service.on(Verb.CREATE, ServiceLocationConfig)
async def take_service_locations(message: Message[ServiceLocationConfig], work: Work[Store]) -> ServiceLocationConfig:
    """New premises."""
    taken = [replace(each, mrid=each.mrid or work.new_id()) for each in message.noun.service_location]
    for location in taken:
        await is_new(location, work)
    return ServiceLocationConfig(service_location=tuple(taken))


@service.on(Verb.GET, ServiceLocationConfig)
async def show_service_locations(
    message: Message[ServiceLocationConfig], work: Work[Store]
) -> AsyncIterator[ServiceLocationConfig]:
    """Premises."""
    async for page in work.store.documents(ServiceLocation, views.ids_in(message.request)):
        yield ServiceLocationConfig(service_location=tuple(page))


@service.on(Verb.CREATE, UsagePointLocationConfig)
async def take_point_locations(
    message: Message[UsagePointLocationConfig], work: Work[Store]
) -> UsagePointLocationConfig:
    """New places of usage points."""
    taken = [replace(each, mrid=each.mrid or work.new_id()) for each in message.noun.usage_point_location]
    for location in taken:
        await is_new(location, work)
    return UsagePointLocationConfig(usage_point_location=tuple(taken))


@service.on(Verb.GET, UsagePointLocationConfig)
async def show_point_locations(
    message: Message[UsagePointLocationConfig], work: Work[Store]
) -> AsyncIterator[UsagePointLocationConfig]:
    """Places of usage points."""
    async for page in work.store.documents(UsagePointLocation, views.ids_in(message.request)):
        yield UsagePointLocationConfig(usage_point_location=tuple(page))


@service.on(Verb.CREATE, CustomerAgreementConfig)
async def move_in(message: Message[CustomerAgreementConfig], work: Work[Store]) -> CustomerAgreementConfig:
    """New agreements, unless somebody else has the usage point in that time."""
    taken = []
    for each in message.noun.customer_agreement:
        wanted = agreements.begun(replace(each, mrid=each.mrid or work.new_id()), work.now)
        await known(Customer, wanted.customer, work)
        await work.store.lock_points(point.mrid for point in wanted.usage_points if point.mrid is not None)
        before = await work.store.agreement(wanted.mrid or "")
        if before is None:
            await keep(wanted, Verb.CREATED, work)
        elif agreements.claims(before) != agreements.claims(wanted):
            raise Conflict("there is another agreement of this mRID; change it", object_id=wanted.mrid)
        taken.append(before or wanted)
    return CustomerAgreementConfig(customer_agreement=tuple(taken))


@service.on(Verb.CHANGE, CustomerAgreementConfig)
async def change_agreements(message: Message[CustomerAgreementConfig], work: Work[Store]) -> CustomerAgreementConfig:
    """A move out, a suspension, another tariff."""
    changed = []
    for wanted in message.noun.customer_agreement:
        before = await find_agreement(wanted.mrid or "", work)
        await work.store.lock_points(point.mrid for point in before.usage_points if point.mrid is not None)
        changed.append(agreements.moved(await find_agreement(wanted.mrid or "", work), wanted, work.now))
        await keep(changed[-1], Verb.CHANGED, work)
    return CustomerAgreementConfig(customer_agreement=tuple(changed))


@service.on(Verb.GET, CustomerAgreementConfig)
async def show_agreements(
    message: Message[CustomerAgreementConfig], work: Work[Store]
) -> AsyncIterator[CustomerAgreementConfig]:
    """Agreements by their own mRID, a customer's or a usage point's."""
    async for page in work.store.agreements(views.ids_in(message.request)):
        yield CustomerAgreementConfig(customer_agreement=tuple(page))


@service.on_wake("turn")
async def turn(wake: Wake, work: Work[Store]) -> None:
    """An agreement begins, or ends, by its time."""
    agreement = await find_agreement(wake.key, work)
    await work.store.lock_points(point.mrid for point in agreement.usage_points if point.mrid is not None)
    before = await find_agreement(wake.key, work)
    after = agreements.passed(before, wake.at)
    if after != before:
        await keep(replace(after, revision_number=(before.revision_number or 0) + 1), Verb.CHANGED, work)


@service.on(Verb.CREATE, TroubleTickets)
async def take_call(message: Message[TroubleTickets], work: Work[Store]) -> Later:
    """A call goes to fault management as the ticket of its usage point; the caller hears at once what it says."""
    tickets = []
    for call in message.noun.trouble_ticket:
        who = "" if call.customer is None else call.customer.mrid or ""
        ticket = views.located(call, await work.store.homes(who, work.now))
        point = "" if ticket.usage_point is None else ticket.usage_point.mrid or ""
        opened = await work.store.open_ticket(point)
        mrid = (ticket.mrid or work.new_id()) if opened is None else opened.mrid
        tickets.append(replace(ticket, mrid=mrid, customer=None))
        await work.store.save_ticket(tickets[-1])
    asked = TroubleTickets(trouble_ticket=tuple(tickets))
    await work.store.wait(work.ticket, asked)
    work.send(Verb.CREATE, asked, about=work.ticket)
    work.wake("answer", work.ticket, work.now + CALLER_WAITS)
    return LATER


@service.on_reply(Verb.CREATE, TroubleTickets)
async def answer_caller(message: Message[TroubleTickets], work: Work[Store]) -> None:
    """What fault management says is what the caller hears, if it is still on the line; its ticket is kept anyhow."""
    asked = await work.store.answer(work.about)
    failure = None if message.reply is None else from_reply(message.reply)
    said = TroubleTickets() if message.payload is None else message.payload
    for ticket in said.trouble_ticket:
        await work.store.save_ticket(ticket)
    if asked is not None:
        work.cancel_wake("answer", work.about)
        work.answer(work.about, None if failure is not None else said, error=failure)


@service.on_wake("answer")
async def answer_by_ourselves(wake: Wake, work: Work[Store]) -> None:
    """Nobody waits on the line for a service that is away."""
    asked = await work.store.answer(wake.key)
    if asked is not None:
        answered = []
        for ticket in asked.trouble_ticket:
            point = "" if ticket.usage_point is None else ticket.usage_point.mrid or ""
            known_here = await work.store.incident_at(point)
            answered.append(views.by_own_knowledge(ticket, known_here, work.now, work.store.memory))
        work.answer(wake.key, TroubleTickets(trouble_ticket=tuple(answered)))


@service.on(Verb.CREATED, UnplannedOutages)
@service.on(Verb.CHANGED, UnplannedOutages)
@service.on(Verb.CLOSED, UnplannedOutages)
async def hear_outage(message: Message[UnplannedOutages], work: Work[Store]) -> None:
    """What is news for customers is told to those who want to hear it; the incident is told to everybody else."""
    for outage in message.noun.unplanned_outage:
        found = await work.store.incident(outage.mrid)
        before = None if found is None else found[1]
        after, triggers = news(before, views.known_of(outage))
        if before is None and after.state in {OutageState.SUSPECTED, OutageState.VERIFY, *OVER}:
            continue
        if after != before:
            await tell_incident(work.new_id() if found is None else found[0], before, after, work)
        for trigger in triggers:
            text = wording(trigger, after.estimate, work.store.memory)
            await notify(trigger, text, outage.mrid, concerned(after, trigger), work)


@service.on_wake("notices")
async def send_held(wake: Wake, work: Work[Store]) -> None:
    """The morning comes, or the hour is over."""
    await work.store.save_notices([delivered(notice, wake.at) for notice in await work.store.due_notices(wake.at)])
    await wake_for_notices(work)


@service.on(Verb.GET, IncidentInformation)
async def show_incidents(message: Message[IncidentInformation], work: Work[Store]) -> IncidentInformation:
    """Incidents that are named, with who was told what; or all that are open."""
    wanted = views.ids_in(message.request)
    shown = []
    for mrid, known_here in await work.store.incidents(wanted):
        told = await work.store.told(known_here.outage) if wanted else []
        shown.append(views.incident(mrid, known_here, work.now, told))
    return IncidentInformation(incident=tuple(shown))


@service.on(Verb.CREATE, ServiceRequests)
async def take_requests(message: Message[ServiceRequests], work: Work[Store]) -> ServiceRequests:
    """What customers ask for; where it needs work, the work is ordered."""
    taken = []
    for each in message.noun.service_request:
        before = await work.store.service_request(each.mrid)
        if before is None:
            taken.append(requests.received(each, work.now))
            await tell_request(taken[-1], Verb.CREATED, work)
            if each.kind is not None:
                work.send(Verb.CREATE, views.work_for(taken[-1], work.now), about=each.mrid)
        else:
            taken.append(before)
    return ServiceRequests(service_request=tuple(taken))


@service.on(Verb.CHANGE, ServiceRequests)
async def change_requests(message: Message[ServiceRequests], work: Work[Store]) -> ServiceRequests:
    """A customer confirms, is not content, or wants it no more; a clerk classifies or resolves."""
    changed = []
    for wanted in message.noun.service_request:
        before = await work.store.service_request(wanted.mrid)
        if before is None:
            raise NotFound("there is no such request", object_id=wanted.mrid)
        reason = None if wanted.status is None else wanted.status.reason
        after = requests.moved(before, requests.state(wanted), work.now, reason)
        if after != before:
            await tell_request(after, Verb.CHANGED, work)
        changed.append(after)
    return ServiceRequests(service_request=tuple(changed))


@service.on(Verb.GET, ServiceRequests)
async def show_requests(message: Message[ServiceRequests], work: Work[Store]) -> ServiceRequests:
    """Requests that are named, or all."""
    return ServiceRequests(service_request=tuple(await work.store.service_requests(views.ids_in(message.request))))


@service.on_reply(Verb.CREATE, WorkRequests)
async def hear_of_work(message: Message[WorkRequests], work: Work[Store]) -> None:
    """The request is in progress once its work has an identity; what work management refuses a clerk must see to."""
    request = await work.store.service_request(work.about)
    works = [] if message.payload is None else [each.mrid for one in message.payload.work_request for each in one.work]
    if request is not None and works and works[0] is not None:
        await tell_request(requests.with_work(request, works[0], work.now), Verb.CHANGED, work)


@service.on(Verb.CLOSED, MaintenanceOrders)
async def hear_of_end(message: Message[MaintenanceOrders], work: Work[Store]) -> None:
    """The work that a request needed is done."""
    for order in message.noun.maintenance_order:
        works = [each.mrid for each in order.work if each.mrid is not None]
        request = await work.store.request_of_work(works)
        if request is not None and requests.state(request) is ServiceRequestState.IN_PROGRESS:
            await tell_request(requests.moved(request, ServiceRequestState.RESOLVED, work.now), Verb.CHANGED, work)


@service.on(Verb.CREATE, PlannedOutageNotifications)
async def announce(message: Message[PlannedOutageNotifications], work: Work[Store]) -> PlannedOutageNotifications:
    """Customers are told of a planned outage; told again, it has no further effect."""
    for notification in message.noun.planned_outage_notification:
        text = views.planned_text(notification, work.store.memory)
        if await work.store.save_planned(notification):
            points = [point.mrid for point in notification.usage_points if point.mrid is not None]
            await notify(NotificationTriggerKind.POWER_OUT, text, notification.mrid, points, work)
            told = PlannedOutageNotifications(planned_outage_notification=(notification,))
            work.publish(Verb.CREATED, told, key=notification.mrid)
    return message.noun


@service.on(Verb.GET, PlannedOutageNotifications)
async def show_planned(message: Message[PlannedOutageNotifications], work: Work[Store]) -> PlannedOutageNotifications:
    """Notices of planned outages that are named, or all."""
    found = await work.store.planned(views.ids_in(message.request))
    return PlannedOutageNotifications(planned_outage_notification=tuple(found))


@service.on(Verb.GET, UsagePointGroups)
async def show_critical(_: Message[UsagePointGroups], work: Work[Store]) -> UsagePointGroups:
    """Which usage points are critical now and why, without a name: a group for each need."""
    groups = await work.store.critical_points(work.now)
    return UsagePointGroups(
        usage_point_group=tuple(
            UsagePointGroup(
                mrid=f"critical-{need}", type=need, usage_points=tuple(ObjectReference(mrid=point) for point in points)
            )
            for need, points in groups.items()
        )
    )


async def known(kind: type[Customer], reference: ObjectReference | None, work: Work[Store]) -> None:
    """That the customer who is referred to is here."""
    mrid = None if reference is None else reference.mrid
    if mrid is None or await work.store.document(kind, mrid) is None:
        raise NotFound("there is no such customer", object_id=mrid)


async def is_new(document: Document, work: Work[Store]) -> bool:
    """Keep a new object; False for one that is here already and the same."""
    before = await work.store.document(type(document), document.mrid or "")
    if before is None:
        await work.store.save_document(document)
    elif before != document:
        raise Conflict(f"there is another {type(document).__name__} of this mRID", object_id=document.mrid)
    return before is None


async def find_agreement(mrid: str, work: Work[Store]) -> CustomerAgreement:
    """An agreement by its mRID."""
    agreement = await work.store.agreement(mrid)
    if agreement is None:
        raise NotFound("there is no such agreement", object_id=mrid)
    return agreement


async def keep(agreement: CustomerAgreement, verb: Verb, work: Work[Store]) -> None:
    """Save and tell an agreement whose usage points nobody else has; wake when its time comes."""
    wanted = agreements.claims(agreement)
    agreements.check_claims(wanted, await work.store.claims([claim.usage_point for claim in wanted]))
    await work.store.save_agreement(agreement)
    due, mrid = agreements.turns_at(agreement), agreement.mrid or ""
    if due is None:
        work.cancel_wake("turn", mrid)
    else:
        work.wake("turn", mrid, due)
    work.publish(verb, CustomerAgreementConfig(customer_agreement=(agreement,)), key=mrid)


async def tell_incident(mrid: str, before: Known | None, after: Known, work: Work[Store]) -> None:
    """Save and tell an incident; its tickets close with it."""
    await work.store.save_incident(mrid, after)
    verb = Verb.CREATED if before is None else Verb.CHANGED
    if after.state in OVER:
        verb = Verb.CLOSED
        await work.store.close_tickets(after.outage)
    told = views.incident(mrid, after, work.now)
    work.publish(verb, IncidentInformation(incident=(told,)), key=mrid)


async def tell_request(request: ServiceRequest, verb: Verb, work: Work[Store]) -> None:
    """Save and tell a service request."""
    await work.store.save_request(request)
    over = requests.state(request) in requests.FINAL
    told = ServiceRequests(service_request=(request,))
    work.publish(Verb.CLOSED if over else verb, told, key=request.mrid)


async def notify(
    trigger: NotificationTriggerKind, text: str, about: str, points: Sequence[str], work: Work[Store]
) -> list[Notice]:
    """Tell a piece of news to whoever is concerned and wants to hear it, now or when the night is over."""
    zone = work.store.memory
    residents = [(each.usage_point, each.customer) for each in await work.store.residents(points, work.now)]
    notices = composed(
        trigger,
        text,
        about,
        views.recipients(residents, zone),
        await work.store.notices(about),
        now=work.now,
        zone=zone,
        mrids=iter(work.new_id, None),
    )
    await work.store.save_notices(notices)
    await wake_for_notices(work)
    return notices


async def wake_for_notices(work: Work[Store]) -> None:
    """Be woken when the next held notice may go."""
    due = await work.store.next_due()
    if due is not None:
        work.wake("notices", "next", due)
