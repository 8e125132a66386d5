"""What the field tells: positions and values by telemetry and from crews, and their silence."""

from datetime import timedelta

from msgspec.structs import replace

from contracts.errors import from_reply
from contracts.message import Message
from contracts.nouns.measurements import Measurements
from contracts.nouns.switching_plans import SwitchingPlans, SwitchingStepState
from contracts.verbs import Verb
from services.network_operation.domain import measured
from services.network_operation.domain.alarms import conditions
from services.network_operation.domain.alarms.conditions import Scope
from services.network_operation.domain.execution import waiting_for
from services.network_operation.domain.live import stood
from services.network_operation.domain.operations import Note, notes_in, signals
from services.network_operation.domain.positions import Position, hear, positions_in
from services.network_operation.domain.reclosing import Reclosing, reclosing_in
from services.network_operation.domain.steps import StepKey, awaited, executed_at, position_after, reclosing_after
from services.network_operation.service.alarms import judge
from services.network_operation.service.declared import service
from services.network_operation.service.execution import confirm, finish, stop
from services.network_operation.service.journal import hand_over, log, record, tell_operation
from services.network_operation.service.topology import move_network
from services.network_operation.store import Store
from shared.work import Wake, Work

SILENCE_MARGIN = timedelta(seconds=1)
"""How long after a value has become old it is missed."""


@service.on(Verb.CREATED, Measurements)
async def hear_field(message: Message[Measurements], work: Work[Store]) -> None:
    """What telemetry says of switches becomes the live state, and may be what a plan waits for; flags are told."""
    await work.store.lock_network()
    points, notes = measured.points_in(message.noun), notes_in(message.noun)
    await work.store.keep_points(points)
    positions = positions_in(message.noun)
    obeyed = [position.device for position in positions if await take_position(position, work, notes=notes)]
    for signal in signals(notes):
        await record(signal, work)
    for heard in reclosing_in(message.noun):
        await take_reclosing(heard, work)
        obeyed.append(heard.device)
    for watched in sorted({point.equipment for point in points if conditions.is_watched(point)}):
        work.wake("silence", watched, work.now + work.store.memory.rules.stale + SILENCE_MARGIN)
    devices = frozenset(each.device for each in positions) | {each.device for each in notes}
    await judge(replace(conditions.about(points), devices=devices, obeyed=frozenset(obeyed)), work)


@service.on_wake("silence")
async def miss_news(wake: Wake, work: Work[Store]) -> None:
    """Nothing was heard of a piece of equipment for too long; a switch that nobody reaches is not believed."""
    await work.store.lock_network()
    points, known = await work.store.points([wake.key]), await work.store.standing(wake.key)
    for position in conditions.doubts(points, known):
        await take_position(position, work)
    await judge(Scope(equipment=frozenset({wake.key})), work)


@service.on_reply(Verb.EXECUTE, SwitchingPlans)
async def hear_of_crew(message: Message[SwitchingPlans], work: Work[Store]) -> None:
    """The word of the crew is what was done, even when its plan was given up meanwhile."""
    key = StepKey.parse(work.about)
    failure = None if message.reply is None else from_reply(message.reply)
    if failure is not None:
        await stop(key, SwitchingStepState.FAILED, failure.reason, work)
        return
    plan = await work.store.plan(key.plan)
    if plan is None:
        return
    at = executed_at(message.payload) or work.now
    position, reclosing = position_after(plan, key, at), reclosing_after(plan, key, at)
    if position is not None:
        await take_position(position, work, plan=key.plan)
        await judge(Scope(devices=frozenset({position.device}), obeyed=frozenset({position.device})), work)
    elif reclosing is not None:
        await take_reclosing(reclosing, work)
        await judge(Scope(obeyed=frozenset({reclosing.device})), work)
    else:
        await finish(key, at, work)


async def take_position(
    position: Position, work: Work[Store], *, notes: tuple[Note, ...] = (), plan: str | None = None
) -> bool:
    """Tell an operation, make it the live state as far as it counts, and go on with the one plan that waits for it.

    ``plan`` is given with what a crew says that it has carried out. True when something has moved.
    """
    live = await work.store.lock_network()
    known = await work.store.standing(position.device)
    heard = hear(known, position)
    state = stood(live.state, heard.standing)
    is_new = heard.standing != known
    is_there = position.sure and state.stands(position.device, is_open=position.open)
    awaiting = await work.store.plans_awaiting() if is_there and (is_new or plan is not None) else ()
    waiting = waiting_for(position, awaiting)
    event = await tell_operation(position, heard.history, live, work, notes=notes, plan=plan, waiting=waiting)
    if is_new:
        await work.store.save_standing(heard.standing)
        await move_network(live, state, position.at, work)
    if event is not None:
        await hand_over(event, work)
        await log(event, work)
    if waiting is not None:
        await confirm(*waiting, position.at, work)
    return event is not None


async def take_reclosing(heard: Reclosing, work: Work[Store]) -> None:
    """Keep whether a device closes again by itself, and go on with the plan that waits for it."""
    await work.store.lock_network()
    await work.store.save_reclosing(heard)
    for plan in await work.store.plans_awaiting():
        for key in awaited(plan):
            if reclosing_after(plan, key, heard.at) == heard:
                await confirm(plan, key, heard.at, work)
                return
