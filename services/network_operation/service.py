"""Network operation: positions in, live feeders out; plans in, instructions out, one after the other."""

from collections.abc import AsyncIterator
from itertools import chain

from contracts.errors import Conflict, NotFound, from_reply
from contracts.interfaces.network_operation import NETWORK_OPERATION
from contracts.message import Message
from contracts.nouns.controls import Controls
from contracts.nouns.feeder_topology import FeederTopology
from contracts.nouns.measurements import Measurements
from contracts.nouns.network_models import NetworkModels
from contracts.nouns.switching_events import SwitchingEvent, SwitchingEvents
from contracts.nouns.switching_plans import SwitchingPlan, SwitchingPlans
from contracts.verbs import Verb
from services.network_operation.domain.operations import (
    by_command,
    by_hand,
    by_itself,
    is_repetition,
    notes_in,
    operation,
    signals,
)
from services.network_operation.domain.switching import (
    StepKey,
    aborted,
    advanced,
    awaited,
    check,
    confirmed,
    crew_part,
    executed_at,
    is_under_way,
    issued,
    position_after,
    the_plan,
)
from services.network_operation.domain.topology import (
    Position,
    adopted,
    difference,
    is_news,
    news,
    operated,
    positions_in,
    switches,
)
from services.network_operation.store import Store
from shared.service import Service
from shared.work import Wake, Work

service = Service(NETWORK_OPERATION, store=Store)


@service.on(Verb.CREATED, NetworkModels)
async def adopt_model(message: Message[NetworkModels], work: Work[Store]) -> None:
    """A new model replaces the old one; what is known of its switches is carried over by mRID."""
    revision = max((model.revision or 0 for model in message.noun.network_model), default=0)
    built = await work.request(FeederTopology)
    if revision < await work.store.lock_network():
        return
    feeders = adopted(built.whole(), await work.store.feeders(), await work.store.positions(), work.now)
    await work.store.replace_feeders(feeders, revision)
    for feeder in feeders:
        work.publish(Verb.CHANGED, FeederTopology(feeder_change=(news(feeder),)), key=feeder.mrid)


@service.on(Verb.CREATED, Measurements)
async def hear_field(message: Message[Measurements], work: Work[Store]) -> None:
    """What telemetry says of switches becomes the live state, and may be what a plan waits for; flags are told."""
    notes = notes_in(message.noun)
    for position in positions_in(message.noun):
        await take_position(position, operation(position, notes), work)
    for signal in signals(notes):
        await record(signal, work)


@service.on(Verb.GET, FeederTopology)
async def tell_feeders(message: Message[FeederTopology], work: Work[Store]) -> AsyncIterator[FeederTopology]:
    """The feeders as they are now, one in each part of the reply; a large one in several."""
    wanted = [] if message.request is None else [each.value for each in message.request.id]
    feeders = await work.store.feeders(wanted)
    missing = set(wanted) - {feeder.mrid for feeder in feeders}
    if missing:
        raise NotFound("there is no such feeder", object_id=min(missing))
    if not feeders:
        yield FeederTopology()
    for part in chain.from_iterable(feeder.parts() for feeder in feeders):
        yield FeederTopology(feeder=(part,))


@service.on(Verb.CREATE, SwitchingPlans)
async def take_plan(message: Message[SwitchingPlans], work: Work[Store]) -> SwitchingPlans:
    """An emergency plan that passes the check is issued, and its first step is instructed at once."""
    plan = the_plan(message.noun)
    await work.store.lock_network()
    if await work.store.plan(plan.mrid) is not None:
        raise Conflict("there is a plan with this mRID already", object_id=plan.mrid)
    check(plan, switches(await work.store.feeders()), await work.store.plans_under_way())
    plan = issued(plan, work.now)
    work.publish(Verb.CREATED, SwitchingPlans(switching_plan=(plan,)), key=plan.mrid)
    return SwitchingPlans(switching_plan=(await carry_on(plan, work),))


@service.on(Verb.GET, SwitchingPlans)
async def tell_plans(message: Message[SwitchingPlans], work: Work[Store]) -> SwitchingPlans:
    """The plans named, whatever became of them; else all that are under way."""
    if message.request is None or not message.request.id:
        return SwitchingPlans(switching_plan=await work.store.plans_under_way())
    told = []
    for wanted in message.request.id:
        plan = await work.store.plan(wanted.value)
        if plan is None:
            raise NotFound("there is no such plan", object_id=wanted.value)
        told.append(plan)
    return SwitchingPlans(switching_plan=tuple(told))


@service.on_reply(Verb.CREATE, Controls)
async def hear_of_command(message: Message[Controls], work: Work[Store]) -> None:
    """A command that failed ends its plan; one that was taken proves nothing, only the position does."""
    failure = None if message.reply is None else from_reply(message.reply)
    if failure is not None:
        await abort(StepKey.parse(work.about), failure.reason, work)


@service.on_reply(Verb.EXECUTE, SwitchingPlans)
async def hear_of_crew(message: Message[SwitchingPlans], work: Work[Store]) -> None:
    """The word of the crew is the position of its switch, even when its plan was given up meanwhile."""
    key = StepKey.parse(work.about)
    failure = None if message.reply is None else from_reply(message.reply)
    if failure is not None:
        await abort(key, failure.reason, work)
        return
    plan = await work.store.plan(key.plan)
    if plan is not None:
        position = position_after(plan, key, executed_at(message.payload) or work.now)
        await take_position(position, by_hand(operation(position), key.plan), work)


@service.on_wake("step")
async def give_up(wake: Wake, work: Work[Store]) -> None:
    """A step that nobody confirmed in time ends its plan."""
    await abort(StepKey.parse(wake.payload), "no confirmation in time", work)


async def take_position(position: Position, event: SwitchingEvent, work: Work[Store]) -> None:
    """Tell an operation, make it the live state unless it is old, and go on with the plan that waits for it."""
    await work.store.lock_network()
    feeders = await work.store.feeders()
    waiting = [
        (plan, key)
        for plan in await work.store.plans_under_way()
        if (key := awaited(plan)) is not None and position_after(plan, key, position.at) == position
    ]
    switch = switches(feeders).get(position.device)
    last = await work.store.last_operation(position.device, position.at)
    if not is_repetition(event, switch, last):
        event = by_command(event, waiting[0][0].mrid) if waiting else by_itself(event, switch, last)
        await record(event, work)
    if not is_news(position, await work.store.position(position.device)):
        return
    await work.store.save_position(position)
    changed = operated(feeders, position)
    await work.store.save_feeders(changed)
    before = {feeder.mrid: feeder for feeder in feeders}
    for feeder in changed:
        change = difference(before[feeder.mrid], feeder)
        work.publish(Verb.CHANGED, FeederTopology(feeder_change=(change,)), key=feeder.mrid)
    for plan, key in waiting:
        await carry_on(confirmed(plan, key, position.at), work)


async def record(event: SwitchingEvent, work: Work[Store]) -> None:
    """Keep what happened in the field and tell it, once."""
    if await work.store.add_event(event):
        key = event.operated_switch.mrid or ""
        work.publish(Verb.CREATED, SwitchingEvents(switching_event=(event,)), key=key)


async def carry_on(plan: SwitchingPlan, work: Work[Store]) -> SwitchingPlan:
    """Instruct the next step, or close the plan."""
    plan, instruction = advanced(plan, switches(await work.store.feeders()), work.now)
    if instruction is None:
        work.cancel_wake("step", plan.mrid)
    else:
        key = str(instruction.key)
        if instruction.switch.remotely_operable:
            work.send(Verb.CREATE, instruction.controls, about=key)
        else:
            work.send(Verb.EXECUTE, crew_part(plan, instruction.key), about=key)
        work.wake("step", plan.mrid, instruction.until, key)
    await keep(plan, work)
    return plan


async def abort(key: StepKey, reason: str, work: Work[Store]) -> None:
    """End a plan at the step whose confirmation it awaits; nothing when it does not await that any more."""
    await work.store.lock_network()
    plan = await work.store.plan(key.plan)
    if plan is not None and awaited(plan) == key:
        work.cancel_wake("step", plan.mrid)
        await keep(aborted(plan, key, reason, work.now), work)


async def keep(plan: SwitchingPlan, work: Work[Store]) -> None:
    """Save a plan and tell how it stands."""
    await work.store.save_plan(plan)
    verb = Verb.CHANGED if is_under_way(plan) else Verb.CLOSED
    work.publish(verb, SwitchingPlans(switching_plan=(plan,)), key=plan.mrid)
