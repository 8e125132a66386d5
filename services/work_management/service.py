"""Requests in, orders out to crews, reports in, events out."""

from collections.abc import Sequence

from msgspec.structs import replace

from contracts.errors import NotFound, from_reply
from contracts.interfaces.work_management import WORK_MANAGEMENT
from contracts.message import Message
from contracts.nouns.maintenance_orders import MaintenanceOrders
from contracts.nouns.work_requests import WorkRequest, WorkRequests
from contracts.nouns.work_types import WorkStatusKind
from contracts.verbs import Verb
from services.work_management.domain import (
    ASK_AGAIN,
    Crew,
    Order,
    accept,
    assign,
    cancelled,
    closed,
    refused,
    reported,
    taken,
)
from services.work_management.store import Store
from shared.service import Service
from shared.work import Wake, Work

service = Service(WORK_MANAGEMENT, store=Store)

ENDS = {WorkStatusKind.CLOSED: Verb.CLOSED, WorkStatusKind.CANCELLED: Verb.CANCELED}
"""The event that tells of the end of an order."""


@service.on(Verb.CREATE, WorkRequests)
async def take_requests(message: Message[WorkRequests], work: Work[Store]) -> WorkRequests:
    """Each request becomes one order; a request that was taken before stays as it is."""
    crews = await work.store.lock_crews()
    accepted = []
    for request in message.noun.work_request:
        known = await work.store.request(request.mrid) if request.mrid else None
        accepted.append(known or await take(work, replace(request, mrid=request.mrid or work.new_id())))
    await dispatch(work, crews)
    return WorkRequests(work_request=tuple(accepted))


@service.on(Verb.CANCEL, WorkRequests)
async def cancel_requests(message: Message[WorkRequests], work: Work[Store]) -> WorkRequests:
    """Work that nobody wants any more is taken back, and its crew recalled; what is done already stays done."""
    crews = await work.store.lock_crews()
    for request in message.noun.work_request:
        before = await work.store.order_with([each.mrid for each in request.work if each.mrid is not None])
        if before is None:
            raise NotFound("there is no order for such a work", object_id=request.mrid)
        after = cancelled(before, work.now)
        await keep(work, before, after)
        if after != before and before.crew is not None:
            work.send(Verb.CANCEL, MaintenanceOrders(maintenance_order=(after.noun,)), about=after.mrid)
    await dispatch(work, crews)
    return message.noun


@service.on(Verb.GET, WorkRequests)
async def show_requests(message: Message[WorkRequests], work: Work[Store]) -> WorkRequests:
    """The requests that are named, or all."""
    if message.request is None or not message.request.id:
        return WorkRequests(work_request=tuple(await work.store.requests()))
    shown = []
    for wanted in message.request.id:
        request = await work.store.request(wanted.value)
        if request is None:
            raise NotFound("there is no such request", object_id=wanted.value)
        shown.append(request)
    return WorkRequests(work_request=tuple(shown))


@service.on(Verb.CHANGE, MaintenanceOrders)
async def take_reports(message: Message[MaintenanceOrders], work: Work[Store]) -> MaintenanceOrders:
    """A crew reports; when it has completed an order the order is closed and the crew is free for the next."""
    crews = await work.store.lock_crews()
    after = []
    for report in message.noun.maintenance_order:
        before = await find(work, report.mrid or "")
        await work.store.save_report(before, report, work.now)
        order = reported(before, report)
        await keep(work, before, order)
        if order.status is WorkStatusKind.COMPLETED:
            order = closed(before := order, work.now)
            await keep(work, before, order)
        after.append(order.noun)
    await dispatch(work, crews)
    return MaintenanceOrders(maintenance_order=tuple(after))


@service.on(Verb.GET, MaintenanceOrders)
async def show_orders(message: Message[MaintenanceOrders], work: Work[Store]) -> MaintenanceOrders:
    """The orders that are named, or all that are not closed."""
    if message.request is None or not message.request.id:
        orders = await work.store.open_orders()
    else:
        orders = [await find(work, wanted.value) for wanted in message.request.id]
    return MaintenanceOrders(maintenance_order=tuple(order.noun for order in orders))


@service.on_reply(Verb.CREATE, MaintenanceOrders)
async def hear_of_dispatch(message: Message[MaintenanceOrders], work: Work[Store]) -> None:
    """The crew takes the order, or it goes to the next one."""
    crews = await work.store.lock_crews()
    before = await find(work, work.about)
    failure = None if message.reply is None else from_reply(message.reply)
    await keep(work, before, taken(before, work.now) if failure is None else refused(before, work.now))
    if failure is not None:
        work.wake("ask-again", before.mrid, work.now + ASK_AGAIN)
        await dispatch(work, crews)


@service.on_wake("ask-again")
async def ask_again(wake: Wake, work: Work[Store]) -> None:
    """An order that nobody took is offered to everybody once more."""
    crews = await work.store.lock_crews()
    order = await find(work, wake.key)
    if order.status is WorkStatusKind.WAITING_TO_BE_SCHEDULED:
        await work.store.save_orders([replace(order, refused=())])
        await dispatch(work, crews)


async def take(work: Work[Store], request: WorkRequest) -> WorkRequest:
    """Accept a request and make its order, which waits for a crew."""
    accepted, order = accept(request, work.new_id(), [work.new_id() for _ in request.work], work.now)
    await work.store.save_request(accepted)
    await work.store.save_orders([order])
    work.publish(Verb.CREATED, MaintenanceOrders(maintenance_order=(order.noun,)), key=order.mrid)
    return accepted


async def find(work: Work[Store], mrid: str) -> Order:
    """An order by its mRID."""
    order = await work.store.order(mrid)
    if order is None:
        raise NotFound("there is no such order", object_id=mrid)
    return order


async def keep(work: Work[Store], before: Order, order: Order) -> None:
    """Save an order, and tell of it when it is told differently."""
    await work.store.save_orders([order])
    if order.noun != before.noun:
        verb = ENDS.get(order.status, Verb.CHANGED)
        work.publish(verb, MaintenanceOrders(maintenance_order=(order.noun,)), key=order.mrid)


async def dispatch(work: Work[Store], crews: Sequence[Crew]) -> None:
    """Send what can be sent to crews that are free."""
    waiting = {order.mrid: order for order in await work.store.waiting()}
    for order in assign(waiting.values(), crews, await work.store.queues(), work.now):
        await keep(work, waiting[order.mrid], order)
        work.send(Verb.CREATE, MaintenanceOrders(maintenance_order=(order.noun,)), about=order.mrid)
