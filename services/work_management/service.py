"""Requests in, orders out to crews, reports in, events out.

Longer than 400 lines because each exchange of requests, orders and crews has its handler, of a few lines each.
"""

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from contracts.errors import Conflict, Invalid, NotFound, Rejected, from_reply
from contracts.interfaces.work_management import WORK_MANAGEMENT
from contracts.message import Message
from contracts.nouns.crews import Crews
from contracts.nouns.feeder_topology import FeederTopology
from contracts.nouns.maintenance_orders import MaintenanceOrders
from contracts.nouns.material_items import MaterialItems
from contracts.nouns.network_models import ModelStatusKind, NetworkModels
from contracts.nouns.safety_documents import ClearanceState, SafetyDocuments
from contracts.nouns.unplanned_outages import UnplannedOutages
from contracts.nouns.work_requests import WorkRequest, WorkRequests
from contracts.verbs import Verb
from services.work_management import views
from services.work_management.domain import crews as crew_rules
from services.work_management.domain import materials
from services.work_management.domain.board import Surroundings, devices_and_outages, engagements, job_of, jobs
from services.work_management.domain.closing import follow_up, is_left_undone, missing
from services.work_management.domain.life import Fact
from services.work_management.domain.orders import (
    ANSWER_WITHIN,
    ASK_AGAIN,
    CLEARANCE,
    MATERIAL,
    Order,
    accept,
    allows,
    decided,
    identities,
    missing_ids,
    named,
    with_facts,
    with_lacks,
)
from services.work_management.domain.places import spots_in
from services.work_management.domain.planning import Slot, plan, slot_for, unfit, violations
from services.work_management.domain.reports import amended, booking_in, heard, is_a_report
from services.work_management.domain.states import DONE, Event, State
from services.work_management.domain.storm import CRITICAL_WEIGHT
from services.work_management.store import Store
from shared.service import Service
from shared.work import Wake, Work

service = Service(WORK_MANAGEMENT, store=Store)

CREWS, EVERYBODY = "crews", "everybody"


# Requests.


@service.on(Verb.CREATE, WorkRequests)
async def take_requests(message: Message[WorkRequests], work: Work[Store]) -> WorkRequests:
    """Each request becomes one order; a request that was taken before stays as it is."""
    await work.store.lock_desk()
    accepted = []
    for request in message.noun.work_request:
        known = await work.store.request(request.mrid) if request.mrid else None
        accepted.append(known or await take(work, replace(request, mrid=request.mrid or work.new_id())))
    await dispatch(work)
    return WorkRequests(work_request=tuple(accepted))


@service.on(Verb.CANCEL, WorkRequests)
async def cancel_requests(message: Message[WorkRequests], work: Work[Store]) -> WorkRequests:
    """Work that nobody wants any more is taken back, and its crew recalled; the answer says how far each work is."""
    await work.store.lock_desk()
    told = []
    for request in message.noun.work_request:
        orders = await work.store.orders_with([each.mrid for each in request.work if each.mrid is not None])
        if not orders:
            raise NotFound("there is no order for such a work", object_id=request.mrid)
        after = []
        for before in orders:
            reason = views.reason_in(request)
            order = decided(before, Event.CANCEL, work.now, reason=reason) if allows(before, Event.CANCEL) else before
            after.append(await keep(work, before, order))
        told.append(views.as_far_as(request, after))
    await dispatch(work)
    return WorkRequests(work_request=tuple(told))


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


# Orders.


@service.on(Verb.CHANGE, MaintenanceOrders)
async def change_orders(message: Message[MaintenanceOrders], work: Work[Store]) -> MaintenanceOrders:
    """A crew reports, another scheduler gives an order to a crew, or the desk plans it otherwise."""
    await work.store.lock_desk()
    after = []
    for change in message.noun.maintenance_order:
        before = await find(work, change.mrid or "")
        booking = booking_in(change)
        if work.principal == CREWS or is_a_report(change):
            await work.store.save_report(before, change, work.now)
            order = heard(before, change, work.now)
        elif booking is not None:
            order = await booked(work, before, *booking)
        else:
            order = amended(before, change, work.now)
        after.append((await keep(work, before, order)).noun)
    await dispatch(work)
    return MaintenanceOrders(maintenance_order=tuple(after))


@service.on(Verb.CLOSE, MaintenanceOrders)
async def close_orders(message: Message[MaintenanceOrders], work: Work[Store]) -> MaintenanceOrders:
    """The office closes what crews have completed, unless something is missing."""
    await work.store.lock_desk()
    after = []
    for told in message.noun.maintenance_order:
        before = await find(work, told.mrid or "")
        problems = await still_missing(work, before)
        if before.state is State.FIELD_COMPLETE and problems:
            raise Rejected("; ".join(problems), object_id=before.mrid)
        order = before if before.state is State.CLOSED else decided(before, Event.CLOSE, work.now)
        after.append((await keep(work, before, order)).noun)
    return MaintenanceOrders(maintenance_order=tuple(after))


@service.on(Verb.GET, MaintenanceOrders)
async def show_orders(message: Message[MaintenanceOrders], work: Work[Store]) -> MaintenanceOrders:
    """The orders that are named, or all that are not over, with why they wait; a query chooses among them."""
    if message.request is None or not message.request.id:
        orders = await work.store.open_orders()
    else:
        orders = [await find(work, wanted.value) for wanted in message.request.id]
    reasons = await work.store.reasons()
    chosen = [order for order in orders if views.is_asked_for(order, message.request)]
    return MaintenanceOrders(maintenance_order=tuple(views.shown(each, reasons.get(each.mrid, ())) for each in chosen))


@service.on_reply(Verb.CREATE, MaintenanceOrders)
async def hear_of_dispatch(message: Message[MaintenanceOrders], work: Work[Store]) -> None:
    """The crew takes the order, or it goes to the next one."""
    await work.store.lock_desk()
    mrid, _, crew = work.about.partition("\n")
    before = await find(work, mrid)
    failure = None if message.reply is None else from_reply(message.reply)
    event, reason = (Event.ACCEPT, None) if failure is None else (Event.DECLINE, failure.reason)
    fact = Fact(event=event, at=work.now, crew=crew or before.crew, reason=reason)
    after = await keep(work, before, with_facts(before, [fact]))
    if after.state is State.PLANNED:
        work.wake("ask-again", before.mrid, work.now + ASK_AGAIN)
        await dispatch(work)


# Timers.


@service.on_wake("unanswered")
async def miss_an_answer(wake: Wake, work: Work[Store]) -> None:
    """A crew that has not answered is not counted on; the order goes to the next one."""
    await work.store.lock_desk()
    before = await find(work, wake.key)
    if before.state is State.DISPATCHED and before.crew == wake.payload:
        await keep(work, before, decided(before, Event.TIME_OUT, work.now, crew=wake.payload))
        work.wake("ask-again", before.mrid, work.now + ASK_AGAIN)
        await dispatch(work)


@service.on_wake("ask-again")
async def ask_again(wake: Wake, work: Work[Store]) -> None:
    """An order that nobody took is offered to everybody once more."""
    await work.store.lock_desk()
    order = await find(work, wake.key)
    if order.state is State.PLANNED:
        await work.store.save_order(replace(order, asked_again=work.now))
        await dispatch(work)


@service.on_wake("leave")
async def send_the_booked(wake: Wake, work: Work[Store]) -> None:
    """A crew that is booked leaves now, if it still can; else the order is planned anew."""
    await work.store.lock_desk()
    before = await find(work, wake.key)
    if before.state is State.SCHEDULED and before.crew is not None:
        released = decided(before, Event.UNSCHEDULE, work.now, reason="planned anew when it was to leave")
        slot, against = await judged(work, released, before.crew)
        if against:
            await keep(work, before, released)
        else:
            await give(work, before, slot)
    await dispatch(work)


@service.on_wake("look-again")
async def look_again(_: Wake, work: Work[Store]) -> None:
    """A shift begins, and with it perhaps what waits."""
    await work.store.lock_desk()
    await dispatch(work)


# Crews.


@service.on(Verb.CREATE, Crews)
async def enter_crews(message: Message[Crews], work: Work[Store]) -> Crews:
    """Crews come into the roster; the same ones again change nothing."""
    await work.store.lock_desk()
    for told in message.noun.crew:
        known = await work.store.crew(told.mrid)
        crew = crew_rules.entered(told)
        if known is not None and known != crew:
            raise Conflict("the crew is known already, and otherwise; change it instead", object_id=told.mrid)
        if known is None:
            await work.store.save_crew(crew)
            work.publish(Verb.CREATED, Crews(crew=(told,)), key=told.mrid)
    await dispatch(work)
    return message.noun


@service.on(Verb.CHANGE, Crews)
async def change_crews(message: Message[Crews], work: Work[Store]) -> Crews:
    """A crew is otherwise: its people, its shift, its state, its place; what it cannot do any more goes to others."""
    await work.store.lock_desk()
    changed = []
    for told in message.noun.crew:
        before = await work.store.crew(told.mrid)
        if before is None:
            raise NotFound("there is no such crew", object_id=told.mrid)
        changed.append(await replace_crew(work, before, crew_rules.changed(before, told)))
    await dispatch(work)
    return Crews(crew=tuple(crew.told for crew in changed))


@service.on(Verb.GET, Crews)
async def show_crews(message: Message[Crews], work: Work[Store]) -> Crews:
    """The crews that are named, or all."""
    crews = await work.store.crews()
    wanted = [each.value for each in message.request.id] if message.request is not None else []
    lost = sorted(set(wanted) - {crew.mrid for crew in crews})
    if lost:
        raise NotFound("there is no such crew", object_id=lost[0])
    return Crews(crew=tuple(crew.told for crew in crews if not wanted or crew.mrid in wanted))


# What has to be there first: material, and permission to work.


@service.on(Verb.CREATE, MaterialItems)
async def enter_material(message: Message[MaterialItems], work: Work[Store]) -> MaterialItems:
    """Items come into the stores; the same ones again change nothing."""
    await work.store.lock_desk()
    known = await work.store.stocks(each.mrid for each in message.noun.material_item)
    for told in message.noun.material_item:
        if told.mrid in known and not views.is_the_same(known[told.mrid].told, told):
            raise Conflict("the item is known already, and otherwise; change it instead", object_id=told.mrid)
        if told.mrid not in known:
            await work.store.save_material(replace(told, allocated=None))
            work.publish(Verb.CREATED, MaterialItems(material_item=(told,)), key=told.mrid)
    await dispatch(work)
    return message.noun


@service.on(Verb.CHANGE, MaterialItems)
async def change_material(message: Message[MaterialItems], work: Work[Store]) -> MaterialItems:
    """The stores were counted, or something came in; what waited for it is promised what it needs."""
    await work.store.lock_desk()
    items = [each.mrid for each in message.noun.material_item]
    known = await work.store.stocks(items)
    for told in message.noun.material_item:
        if told.mrid not in known:
            raise NotFound("there is no such item", object_id=told.mrid)
        await work.store.save_material(materials.renewed(known[told.mrid].told, told))
    await dispatch(work)
    return await tell_stock(work, items)


@service.on(Verb.GET, MaterialItems)
async def show_material(message: Message[MaterialItems], work: Work[Store]) -> MaterialItems:
    """The items that are named, or all, with what is promised of each."""
    wanted = [each.value for each in message.request.id] if message.request is not None else []
    stocks = await work.store.stocks(wanted or None)
    lost = sorted(set(wanted) - stocks.keys())
    if lost:
        raise NotFound("there is no such item", object_id=lost[0])
    return MaterialItems(material_item=tuple(stock.shown() for stock in stocks.values()))


@service.on(Verb.CREATED, SafetyDocuments)
@service.on(Verb.CHANGED, SafetyDocuments)
async def follow_permissions(message: Message[SafetyDocuments], work: Work[Store]) -> None:
    """Nobody is sent before the permission is there, and nothing is closed before it is given back."""
    await work.store.lock_desk()
    for mrid, revision, state in views.documents_in(message.noun):
        await work.store.save_document(mrid, revision, state)
    for order in await work.store.complete_orders():
        if not await still_missing(work, order):
            await keep(work, order, decided(order, Event.CLOSE, work.now))
    await dispatch(work)


# The network.


@service.on(Verb.CREATED, NetworkModels)
async def learn_the_network(message: Message[NetworkModels], work: Work[Store]) -> None:
    """A new model says where things are, and what is upstream of what."""
    if all(model.status_kind is ModelStatusKind.REJECTED for model in message.noun.network_model):
        return
    built = await work.request(FeederTopology)
    await work.store.lock_desk()
    await work.store.replace_network(spots_in(built.whole(), CRITICAL_WEIGHT))


@service.on(Verb.CREATED, UnplannedOutages)
@service.on(Verb.CHANGED, UnplannedOutages)
@service.on(Verb.CLOSED, UnplannedOutages)
async def follow_outages(message: Message[UnplannedOutages], work: Work[Store]) -> None:
    """How many customers an order restores is what its outage says."""
    for outage in message.noun.unplanned_outage:
        points = [each.mrid for each in outage.de_energized_usage_point if each.mrid is not None]
        await work.store.save_outage(outage.mrid, outage.revision_number, points)


# What the handlers share.


async def take(work: Work[Store], request: WorkRequest) -> WorkRequest:
    """Accept a request and make its order, which waits for a crew."""
    ids = [work.new_id() for _ in range(missing_ids(request))]
    accepted, order = accept(request, work.new_id(), ids, work.now)
    await work.store.save_request(accepted)
    await make(work, order)
    return accepted


async def make(work: Work[Store], order: Order) -> None:
    """Keep a new order, promise it its material, and tell of it."""
    await work.store.save_order(order)
    order = await provide(work, order)
    await work.store.save_order(order)
    work.publish(Verb.CREATED, MaintenanceOrders(maintenance_order=(order.noun,)), key=order.mrid)


async def find(work: Work[Store], mrid: str) -> Order:
    """An order by its mRID."""
    order = await work.store.order(mrid)
    if order is None:
        raise NotFound("there is no such order", object_id=mrid)
    return order


async def keep(work: Work[Store], before: Order, order: Order) -> Order:
    """Keep a changed order, tell of it, and do what follows for its crew; close it when nothing is missing."""
    order = await provide(work, order)
    if order == before:
        return order
    await work.store.save_order(order)
    tell(work, before, order)
    for crew in views.recalled(before, order):
        recall = MaintenanceOrders(maintenance_order=(views.for_crew(order, before, crew),))
        work.send(Verb.CANCEL, recall, about=order.mrid)
    if order.state in DONE and before.state not in DONE:
        await come_home(work, order)
        if is_left_undone(order):
            await make(work, follow_up(order, work.new_id(), [work.new_id() for _ in identities(order)], work.now))
    if order.state is State.FIELD_COMPLETE and not await still_missing(work, order):
        return await keep(work, order, decided(order, Event.CLOSE, work.now))
    return order


async def provide(work: Work[Store], order: Order) -> Order:
    """An order with what it lacks before anybody can be sent; its material is promised, used or given back."""
    documents, kit, consumed = named(order, CLEARANCE), materials.wanted(order), materials.used(order)
    if not documents and not kit and not consumed:
        return order
    held = await work.store.reservations(order.mrid)
    stocks = await work.store.stocks({*kit, *held, *(consumed or {})})
    changes = materials.after(order, held, stocks)
    for told in materials.taken(changes, held, stocks):
        await work.store.save_material(told)
    if changes:
        await work.store.save_reservations(changes)
        await tell_stock(work, [each.item for each in changes])
    free = {item: materials.without(stock, held.get(item)) for item, stock in stocks.items()}
    lacks = [f"{MATERIAL}: {each}" for each in materials.lacking(kit, free)]
    unissued = await work.store.documents_not({ClearanceState.ISSUED}, documents)
    lacks += [f"the safety document {each}, which is not issued" for each in unissued]
    return with_lacks(order, lacks)


async def still_missing(work: Work[Store], order: Order) -> list[str]:
    """What keeps an order from being closed."""
    given_back = {ClearanceState.RELEASED, ClearanceState.CANCELLED}
    return missing(order, await work.store.documents_not(given_back, named(order, CLEARANCE)))


async def tell_stock(work: Work[Store], items: Sequence[str]) -> MaterialItems:
    """Tell of items as they are now."""
    stocks = await work.store.stocks(items)
    for item, stock in stocks.items():
        work.publish(Verb.CHANGED, MaterialItems(material_item=(stock.shown(),)), key=item)
    return MaterialItems(material_item=tuple(stock.shown() for stock in stocks.values()))


def tell(work: Work[Store], before: Order, order: Order) -> None:
    """Tell of an order that is told differently now."""
    if order.noun != before.noun:
        verb = views.ENDS.get(order.state, Verb.CHANGED)
        work.publish(verb, MaintenanceOrders(maintenance_order=(order.noun,)), key=order.mrid)


async def come_home(work: Work[Store], order: Order) -> None:
    """The crew is where it worked last."""
    crew = await work.store.crew(order.crew or "")
    around = await work.store.surroundings(*devices_and_outages([order]))
    place = job_of(order, work.now, around.places).place
    if crew is not None and place is not None:
        await work.store.save_crew(replace(crew, place=place))


async def replace_crew(work: Work[Store], before: crew_rules.Crew, crew: crew_rules.Crew) -> crew_rules.Crew:
    """Keep a changed crew, and take back what it cannot do any more and has not begun."""
    if crew == before:
        return crew
    await work.store.save_crew(crew)
    if crew.told != before.told:
        work.publish(Verb.CHANGED, Crews(crew=(crew.told,)), key=crew.mrid)
    for order in (await work.store.board()).values():
        wrong = unfit(job_of(order, work.now, {}), crew, work.now) if order.crew == crew.mrid else []
        if wrong and allows(order, Event.UNSCHEDULE):
            await keep(work, order, decided(order, Event.UNSCHEDULE, work.now, reason="; ".join(wrong)))
    return crew


async def judged(work: Work[Store], order: Order, crew: str, leaves: datetime | None = None) -> tuple[Slot, list[str]]:
    """When a crew would do an order, and all that speaks against it."""
    crews = {each.mrid: each for each in await work.store.crews()}
    if crew not in crews:
        raise NotFound("there is no such crew", object_id=crew)
    others = [each for each in (await work.store.board()).values() if each.mrid != order.mrid]
    around = await work.store.surroundings(*devices_and_outages([order, *others]))
    held = engagements(others, work.now, around.places)
    job = job_of(order, work.now, around.places)
    slot = slot_for(job, crews[crew], held, leaves or work.now)
    if leaves is not None:
        slot = replace(
            slot, leaves=leaves, arrives=leaves + (slot.arrives - slot.leaves), ends=leaves + (slot.ends - slot.leaves)
        )
    return slot, violations(job, crews[crew], slot, held)


async def booked(work: Work[Store], order: Order, crew: str, leaves: datetime | None) -> Order:
    """An order as another scheduler gives it to a crew, if nothing speaks against that."""
    if leaves is not None and leaves < work.now:
        raise Invalid("a crew cannot leave in the past", object_id=order.mrid)
    slot, against = await judged(work, order, crew, leaves)
    if against:
        raise Conflict(f"the crew cannot be given the order: {'; '.join(against)}", object_id=order.mrid)
    after = decided(order, Event.SCHEDULE, work.now, crew=crew, until=slot.leaves)
    work.wake("leave", order.mrid, slot.leaves)
    return after


async def dispatch(work: Work[Store]) -> None:
    """Give out what can be given out, and keep why the rest waits."""
    again = True
    while again:
        board = await work.store.board()
        for order in sorted(board.values(), key=lambda each: (each.rank, each.requested_at, each.mrid)):
            if order.lacks:
                board[order.mrid] = await keep(work, order, order)
        around: Surroundings = await work.store.surroundings(*devices_and_outages(board.values()))
        waiting = jobs(board.values(), work.now, around)
        if not waiting:
            return
        held = engagements(board.values(), work.now, around.places)
        plans = plan(waiting, await work.store.crews(), held, work.now)
        for slot in plans.slots:
            if slot.bumps is not None:
                bumped = board[slot.bumps]
                reason = "a crew is needed where people are in danger"
                await keep(work, bumped, decided(bumped, Event.UNSCHEDULE, work.now, reason=reason))
            await give(work, board[slot.order], slot)
        again = any(slot.bumps for slot in plans.slots)
        await work.store.save_reasons(plans.reasons)
        if plans.again is not None:
            work.wake("look-again", EVERYBODY, plans.again)


async def give(work: Work[Store], before: Order, slot: Slot) -> None:
    """Send an order to its crew, or book the crew for when it has to leave."""
    crew = await work.store.crew(slot.crew)
    name = None if crew is None else crew.name
    if slot.leaves > work.now:
        order = decided(before, Event.SCHEDULE, work.now, crew=slot.crew, reason=name, until=slot.leaves)
        work.wake("leave", before.mrid, slot.leaves)
        await keep(work, before, order)
        return
    order = decided(before, Event.DISPATCH, work.now, crew=slot.crew, reason=name, until=slot.arrives)
    await keep(work, before, order)
    noun = MaintenanceOrders(maintenance_order=(order.noun,))
    work.send(Verb.CREATE, noun, about=f"{order.mrid}\n{slot.crew}")
    work.wake("unanswered", order.mrid, work.now + ANSWER_WITHIN, slot.crew)
