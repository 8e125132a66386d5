"""Evidence in, outages out; and what an outage needs of others until the meters say that it is over.

Longer than 400 lines because eight neighbours speak to it, and each of their messages has a handler of its own.
"""

import os
from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import partial

from msgspec.structs import replace

from contracts.errors import NotFound, from_reply
from contracts.interfaces.fault_management import FAULT_MANAGEMENT
from contracts.message import Message
from contracts.nouns.end_device_controls import EndDeviceControls
from contracts.nouns.end_device_events import EndDeviceEvents
from contracts.nouns.feeder_topology import FeederTopology
from contracts.nouns.maintenance_orders import MaintenanceOrder, MaintenanceOrders
from contracts.nouns.operational_tags import OperationalTags
from contracts.nouns.switching_events import SwitchingEvents
from contracts.nouns.switching_plans import SwitchingPlans
from contracts.nouns.switching_studies import SwitchingStudies, SwitchingStudy
from contracts.nouns.trouble_tickets import TroubleTicket, TroubleTickets
from contracts.nouns.unplanned_outages import UnplannedOutages
from contracts.nouns.work_requests import WorkRequests
from contracts.verbs import Verb
from services.fault_management import views
from services.fault_management.config import rules_from
from services.fault_management.domain.assessment import (
    Report,
    assess,
    begin_plan,
    end_plan,
    next_look,
    report,
    report_late,
)
from services.fault_management.domain.calls import (
    Concern,
    amended,
    attached,
    called_again,
    callers_to_tell,
    concern_of,
    explaining,
    is_news,
    point_of,
    reported,
    unexplained,
    unlocated,
    with_call,
)
from services.fault_management.domain.decisions import Decision, correct, decide, operator
from services.fault_management.domain.estimates import Outlook, estimate, next_estimate
from services.fault_management.domain.evidence import Evidence, EvidenceKind
from services.fault_management.domain.outage import FINAL, Outage
from services.fault_management.domain.proposal import AGAIN, advise, awaits_return, next_switching, offer
from services.fault_management.domain.situation import Situation, Wish, plan_for
from services.fault_management.store import Store
from services.fault_management.store.memory import Memory
from shared.service import Service
from shared.work import Wake, Work

service = Service(FAULT_MANAGEMENT, store=Store, memory=lambda: Memory(rules_from(os.environ)))

SOON = timedelta(milliseconds=100)
"""So long what is heard is gathered: log, state and meters tell of one event by different ways."""

INCIDENT = "incident"
"""What a request for work is about that is not about an outage, before the mRID."""


@service.on(Verb.CHANGED, FeederTopology)
async def follow_topology(message: Message[FeederTopology], work: Work[Store]) -> None:
    """What network operation reports open, dead or live again is known, whatever the evidence says."""
    feeders, changes = message.noun.whole(), message.noun.feeder_change
    missing = await work.store.missing(changes)
    if missing is not None:
        feeders += (await work.request(FeederTopology, ids=missing)).whole()
    for network in await work.store.follow(feeders, changes):
        work.wake("judge", network.feeders[0], work.now + SOON)


@service.on(Verb.CREATED, SwitchingEvents)
async def hear_operations(message: Message[SwitchingEvents], work: Work[Store]) -> None:
    """What was switched and when is kept: with the structure of the feeders it tells how things were at any time."""
    events = message.noun.switching_event
    news = await work.store.add_events(events)
    for network in await work.store.networks(devices=news):
        work.wake("judge", network.feeders[0], work.now + SOON)


@service.on(Verb.CREATED, EndDeviceEvents)
async def hear_meters(message: Message[EndDeviceEvents], work: Work[Store]) -> None:
    """Last gasps and returns of power are evidence; what many meters tell at one time is judged once."""
    news = await work.store.add_evidence(views.evidence_in(message.noun, work.now))
    await judge_soon(work, news)


@service.on(Verb.CREATE, TroubleTickets)
async def take_call(message: Message[TroubleTickets], work: Work[Store]) -> TroubleTickets:
    """A call joins the outage that explains it, or opens one; the caller learns which at once."""
    calls, tickets = [], []
    for ticket in message.noun.trouble_ticket:
        told = replace(ticket, mrid=ticket.mrid or work.new_id())
        before = await work.store.same_caller(told)
        tickets.append(told if before is None else called_again(before, told))
        calls.append(views.call(replace(told, mrid=tickets[-1].mrid), work.now))
    outages = await take_evidence(work, [call for call in calls if call is not None])
    answered = [await answer(work, ticket, outages) for ticket in tickets]
    for ticket in answered:
        await work.store.save_ticket(ticket)
    return TroubleTickets(trouble_ticket=tuple(answered))


@service.on(Verb.CHANGE, TroubleTickets)
async def change_tickets(message: Message[TroubleTickets], work: Work[Store]) -> TroubleTickets:
    """A clerk has found the place of a ticket, or somebody has called back."""
    changed = []
    for news in message.noun.trouble_ticket:
        before = next(iter(await work.store.tickets([news.mrid or ""])), None)
        if before is None:
            raise NotFound("there is no such ticket", object_id=news.mrid)
        ticket = amended(before, news, work.now)
        if is_news(before, ticket):
            at = None if point_of(before) != point_of(ticket) else work.now
            call = views.call(ticket, work.now, at)
            outages = await take_evidence(work, [] if call is None else [call])
            ticket = await answer(work, ticket, outages)
        await tell_ticket(work, ticket)
        await take_evidence(work, views.all_well(before, ticket, work.now))
        changed.append(ticket)
    return TroubleTickets(trouble_ticket=tuple(changed))


@service.on(Verb.GET, TroubleTickets)
async def show_tickets(message: Message[TroubleTickets], work: Work[Store]) -> TroubleTickets:
    """The tickets that are named, or else all that are not closed."""
    wanted = [] if message.request is None else [each.value for each in message.request.id]
    shown = await (work.store.tickets(wanted) if wanted else work.store.open_tickets())
    missing = set(wanted) - {ticket.mrid for ticket in shown}
    if missing:
        raise NotFound("there is no such ticket", object_id=min(missing))
    return TroubleTickets(trouble_ticket=tuple(shown))


@service.on(Verb.GET, UnplannedOutages)
async def show_outages(message: Message[UnplannedOutages], work: Work[Store]) -> UnplannedOutages:
    """The outages that are named, or that lasted in a time, or else all that are not over."""
    request = message.request
    if request is not None and request.id:
        outages = [await find(work, each.value) for each in request.id]
    elif request is not None and (request.start_time or request.end_time):
        outages = await work.store.outages_between(request.start_time, request.end_time)
    else:
        outages = await work.store.open_outages()
    shown = [views.as_noun([each], await work.store.network(each.feeder)) for each in outages]
    return UnplannedOutages(unplanned_outage=tuple(outage for noun in shown for outage in noun.unplanned_outage))


@service.on(Verb.CHANGE, UnplannedOutages)
async def change_outages(message: Message[UnplannedOutages], work: Work[Store]) -> UnplannedOutages:
    """An operator decides about outages, or corrects what was closed."""
    changed, by = [], operator(message.header.user)
    for noun in message.noun.unplanned_outage:
        outage = await find(work, noun.mrid)
        network = await work.store.network(outage.feeder)
        asked = views.decision_in(noun, by, outage, network)
        situation = await look_at(work, outage)
        if situation is None:
            changed.append(await correct_outage(work, asked))
        else:
            decide(situation, situation.get(outage.mrid), asked)
            await settle(work, situation)
            changed.append(situation.get(outage.mrid))
        await work.store.save_decision(changed[-1], asked, work.now)
    nouns = [views.as_noun([each], await work.store.network(each.feeder), work.now) for each in changed]
    return UnplannedOutages(unplanned_outage=tuple(outage for noun in nouns for outage in noun.unplanned_outage))


@service.on(Verb.CHANGED, MaintenanceOrders)
@service.on(Verb.CLOSED, MaintenanceOrders)
async def follow_work(message: Message[MaintenanceOrders], work: Work[Store]) -> None:
    """The crew says where it is, what it found and when it is done."""
    for order in message.noun.maintenance_order:
        outage = await work.store.outage_with(*views.outage_of(order))
        if outage is None:
            await follow_incident(work, order)
            continue
        situation, news = await look_at(work, outage), views.report_in(order, work.now)
        if situation is None:
            await add_finding(work, outage.mrid, news)
        else:
            report(situation, situation.get(outage.mrid), news)
            await settle(work, situation)


@service.on(Verb.CHANGED, SwitchingPlans)
@service.on(Verb.CLOSED, SwitchingPlans)
async def follow_plan(message: Message[SwitchingPlans], work: Work[Store]) -> None:
    """A plan that was carried out needs nothing, since the topology tells; one that was not needs an operator."""
    for plan in message.noun.switching_plan:
        over, trouble = views.ended(plan)
        outage = None if plan.outage is None else plan.outage.mrid
        if outage is not None and views.is_begun(plan):
            await note_plan(work, outage, partial(begin_plan, plan=plan.mrid))
        if outage is not None and over:
            await note_plan(work, outage, partial(end_plan, plan=plan.mrid, trouble=trouble))


@service.on_reply(Verb.CREATE, SwitchingPlans)
async def hear_of_plan(message: Message[SwitchingPlans], work: Work[Store]) -> None:
    """A plan that network operation refuses ends there."""
    failure = None if message.reply is None else from_reply(message.reply)
    if failure is not None:
        outage, plan = work.about.split()
        trouble = f"network operation refused the switching plan: {failure.reason}"
        await note_plan(work, outage, partial(end_plan, plan=plan, trouble=trouble))


@service.on_reply(Verb.CREATE, WorkRequests)
async def hear_of_work(message: Message[WorkRequests], work: Work[Store]) -> None:
    """The work has the identity that work management gives it."""
    if work.about.startswith(INCIDENT):
        return
    outage = await find(work, work.about)
    situation = await look_at(work, outage)
    if situation is not None:
        outage = situation.get(outage.mrid)
        failure = None if message.reply is None else from_reply(message.reply)
        trouble = None if failure is None else f"work management refused the work: {failure.reason}"
        situation.put(
            replace(outage, work=views.work_in(message.payload) or outage.work, trouble=trouble or outage.trouble)
        )
        await settle(work, situation)


@service.on_reply(Verb.CREATE, EndDeviceControls)
async def hear_of_ping(message: Message[EndDeviceControls], work: Work[Store]) -> None:
    """A meter that answers has power; that one does not answer says nothing by itself."""
    asked = await work.store.ping(work.about)
    if asked is None:
        return
    outcome, evidence = views.outcome_of(asked, message, work.now)
    await work.store.lock_areas(await work.store.networks([asked.usage_point]))
    await work.store.save_pings([replace(asked, outcome=outcome)])
    await work.store.add_evidence(evidence)
    await judge_soon(work, [asked.usage_point])


@service.on_wake("judge")
async def judge_feeder(wake: Wake, work: Work[Store]) -> None:
    """Something was heard of a feeder since its area was judged."""
    network = await work.store.network(wake.key)
    for locked in await work.store.lock_areas([] if network is None else [network]):
        await settle(work, await work.store.situation(locked, work.now, work.new_id))


@service.on_wake("predict")
@service.on_wake("verify")
@service.on_wake("estimate")
async def look_again(wake: Wake, work: Work[Store]) -> None:
    """Some time has passed, and that alone may change what the evidence means."""
    outage = await find(work, wake.key)
    situation = await look_at(work, outage)
    if situation is not None:
        await settle(work, situation, woken=wake.key)


@service.on_wake("switching")
async def propose_switching(wake: Wake, work: Work[Store]) -> None:
    """Ask network operation what can be switched for an outage, and propose the best of it."""
    outage = await find(work, wake.key)
    scene = await work.store.scene(outage)
    if scene is None or outage.state in FINAL:
        return
    tags = await work.request(OperationalTags)
    advice = await work.compute(advise, replace(scene, tags=tags.operational_tag))
    studies: tuple[SwitchingStudy, ...] = ()
    if advice.ways:
        studies = (await work.request(SwitchingStudies, query=views.options_of(advice))).switching_study
    situation = await look_at(work, outage)
    if situation is not None:
        automatic = work.store.memory.rules.switching == "auto"
        offer(situation, situation.get(outage.mrid), advice, studies, automatic=automatic)
        await settle(work, situation)
        if awaits_return(situation.get(outage.mrid)):
            work.wake("switching", outage.mrid, work.now + AGAIN)


@service.on_wake("cycle")
async def judge_device(wake: Wake, work: Work[Store]) -> None:
    """A device that closes again by itself has stayed as it was for long enough: now it is known what happened."""
    networks = await work.store.networks(devices=[wake.key])
    await work.store.lock_areas(networks)
    for network in networks:
        await settle(work, await work.store.situation(network, work.now, work.new_id))


async def answer(work: Work[Store], ticket: TroubleTicket, outages: list[Outage]) -> TroubleTicket:
    """What becomes of a ticket: it belongs to an outage, or is made an incident, or waits for a clerk."""
    if not await work.store.lock_areas(await work.store.networks([point_of(ticket) or ""])):
        return unlocated(ticket, work.now)
    if concern_of(ticket) is Concern.SUPPLY:
        outage = explaining(outages, ticket.mrid or "")
        if outage is None:
            return unexplained(ticket, work.now)
        return attached(ticket, outage, work.now, work.store.memory.rules.zone)
    known = await work.store.open_incidents(point_of(ticket) or "")
    incident = with_call(known, ticket, (work.new_id(), work.new_id()), work.now)
    await work.store.save_incident(incident)
    if incident.mrid not in {each.mrid for each in known}:
        request = views.incident_request(incident, work.now, (work.new_id(), work.new_id()))
        work.send(Verb.CREATE, request, about=f"{INCIDENT} {incident.mrid}")
    return reported(ticket, incident, work.now)


async def tell_callers(work: Work[Store], situation: Situation) -> None:
    """Whoever called about an outage that is news has a ticket that says so."""
    for outage, tickets in callers_to_tell(situation):
        for ticket in await work.store.tickets(tickets):
            told = attached(ticket, outage, work.now, work.store.memory.rules.zone)
            if told != ticket:
                await tell_ticket(work, told)


async def tell_ticket(work: Work[Store], ticket: TroubleTicket) -> None:
    """Save a ticket that says something new, and tell it."""
    await work.store.save_ticket(ticket)
    work.publish(views.told_of_ticket(ticket), TroubleTickets(trouble_ticket=(ticket,)), key=ticket.mrid or "")


async def follow_incident(work: Work[Store], order: MaintenanceOrder) -> None:
    """When the work on an incident is done, it is over, and so are its tickets."""
    incident = await work.store.incident_with(views.works_of(order))
    done = views.report_in(order, work.now).repaired_at
    if incident is not None and incident.closed_at is None and done is not None:
        incident = replace(incident, closed_at=done)
        await work.store.save_incident(incident)
        for ticket in await work.store.tickets(incident.tickets):
            await tell_ticket(work, reported(ticket, incident, work.now))


async def find(work: Work[Store], mrid: str) -> Outage:
    """An outage by its mRID."""
    outage = await work.store.outage(mrid)
    if outage is None:
        raise NotFound("there is no such outage", object_id=mrid)
    return outage


async def look_at(work: Work[Store], outage: Outage) -> Situation | None:
    """The area of an outage that is not over, locked; None when it is over or its feeder is no longer known."""
    network = await work.store.network(outage.feeder)
    if network is None or outage.state in FINAL:
        return None
    await work.store.lock_areas([network])
    situation = await work.store.situation(network, work.now, work.new_id)
    return situation if any(each.mrid == outage.mrid for each in situation.open()) else None


async def correct_outage(work: Work[Store], asked: Decision) -> Outage:
    """Make and tell the next revision of an outage that is over."""
    await work.store.lock_outage(asked.mrid)
    outage = await find(work, asked.mrid)
    start, end = (
        edge({*outage.restored.values(), outage.since, asked.since or outage.since, *asked.restored.values()})
        for edge in (min, max)
    )
    corrected = correct(outage, asked, await work.store.outages_between(start, end), work.now)
    await work.store.save_outages([corrected])
    network = await work.store.network(outage.feeder)
    work.publish(Verb.CHANGED, views.as_noun([corrected], network, work.now), key=outage.mrid)
    return corrected


async def add_finding(work: Work[Store], mrid: str, news: Report) -> None:
    """Take what a crew has found into the record of an outage that is over, and tell it."""
    await work.store.lock_outage(mrid)
    outage = await find(work, mrid)
    network = await work.store.network(outage.feeder)
    known = report_late(outage, news, network)
    if known != outage:
        await work.store.save_outages([known])
        work.publish(Verb.CHANGED, views.as_noun([known], network, work.now), key=mrid)


async def take_evidence(work: Work[Store], evidence: list[Evidence]) -> list[Outage]:
    """Keep evidence and judge the areas it is about; their outages."""
    if not evidence:
        return []
    networks = await work.store.lock_areas(await work.store.networks(each.usage_point for each in evidence))
    news = await work.store.add_evidence(evidence)
    outages: list[Outage] = []
    for network in networks:
        situation = await work.store.situation(network, work.now, work.new_id)
        called = {each.usage_point for each in evidence if each.kind is EvidenceKind.CALL}  # they want an answer
        if not (news | called).isdisjoint(network.points):
            await settle(work, situation)
        outages += situation.all()
    return outages


async def judge_soon(work: Work[Store], points: Iterable[str]) -> None:
    """Have the areas of ``points`` judged soon, and once for all that is heard until then.

    Evidence needs no lock of its area: whoever writes it sets the wake in the same transaction, and a wake that is set
    anew while it is fired is fired again.
    """
    for feeder in await work.store.feeders_of(points):
        work.wake("judge", feeder, work.now + SOON)


async def note_plan(work: Work[Store], outage: str, note: Callable[[Situation, Outage], None]) -> None:
    """Note what became of a plan that an outage asked for."""
    known = await work.store.outage(outage)
    situation = None if known is None else await look_at(work, known)
    if situation is not None:
        note(situation, situation.get(outage))
        await settle(work, situation)


async def ask_meters(work: Work[Store], situation: Situation) -> None:
    """Keep what the silence of meters said, and ask those that are to be asked now."""
    await work.store.add_evidence(situation.concluded)
    await work.store.save_pings(situation.asked)
    for ping in situation.asked:
        work.send(Verb.CREATE, views.question(ping, situation.network), about=ping.mrid)


async def settle(work: Work[Store], situation: Situation, woken: str | None = None) -> None:
    """Judge an area, save what came of it, and say it."""
    assess(situation)
    network = situation.network
    outlook = await work.store.outlook(situation)
    estimate(situation, outlook)
    await work.store.save_outages(situation.changed)
    await work.store.save_estimates(situation, outlook)
    await ask_meters(work, situation)
    await tell_callers(work, situation)
    for outage in situation.steps:
        work.publish(views.told(outage), views.as_noun([outage], network, work.now), key=outage.mrid)
    for wish, mrid in situation.wishes:
        outage = situation.get(mrid)
        if wish is Wish.WORK:
            request = views.work_request(outage, network, work.now, (work.new_id(), work.new_id()))
            work.send(Verb.CREATE, request, about=mrid)
        if wish is Wish.RECALL:
            work.send(Verb.CANCEL, views.recall(outage, work.now), about=mrid)
        if wish is Wish.WITHDRAWAL and outage.restoring is not None:
            work.send(Verb.CHANGE, views.withdrawal(outage.restoring), about=mrid)
        plan = plan_for(wish, outage)
        if plan is not None:
            asked = views.switching_plan(wish, outage, plan, network, work.now)
            work.send(Verb.CREATE, asked, about=f"{mrid} {plan.mrid}")
    set_timers(work, situation, outlook, woken)


def set_timers(work: Work[Store], situation: Situation, outlook: Outlook, woken: str | None) -> None:
    """Look again at what time alone may change."""
    for outage in situation.moved(woken):
        look = next_look(situation, outage)
        if look is not None:
            work.wake(look[0], outage.mrid, look[1])
    for outage in situation.changed:
        at = next_switching(situation, outage)
        if at is not None and work.store.memory.rules.switching != "off":
            work.wake("switching", outage.mrid, at)
    for outage in situation.estimated(woken):
        again = next_estimate(outage, outlook, work.now)
        if again is not None:
            work.wake("estimate", outage.mrid, again)
        else:
            work.cancel_wake("estimate", outage.mrid)
    for cycle in situation.history.cycling:
        work.wake("cycle", cycle.device, cycle.until or work.now)
