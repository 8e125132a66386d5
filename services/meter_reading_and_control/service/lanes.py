"""Controls wait for their turn at their head-end: the urgent first, no lane without its share, one for each device.

Whose collector is busy or silent waits for it, and those of other collectors overtake. Whoever gives a collector
something has the lock of its head-end.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby

from msgspec.structs import replace

from contracts.errors import BusbarError, Unavailable
from contracts.nouns.end_device_controls import EndDeviceControls
from contracts.verbs import Verb
from services.meter_reading_and_control.domain import controls, lanes
from services.meter_reading_and_control.domain.controls import Command, Event
from services.meter_reading_and_control.domain.guards import forbidden
from services.meter_reading_and_control.domain.lanes import Budget, Way
from services.meter_reading_and_control.service.declared import service
from services.meter_reading_and_control.service.guarding import facts_here
from services.meter_reading_and_control.service.settling import keep_command, settle
from services.meter_reading_and_control.store import Store
from shared.work import Wake, Work


async def line_up(asked: Sequence[Command], work: Work[Store]) -> None:
    """Send commands whose turn is now, and have the others wait in their lanes; the head-ends one after the other."""
    ways = await work.store.ways(each.device for each in asked)
    placed = [replace(each, **ways.get(each.device, Way())._asdict()) for each in asked]
    for head_end, group in groupby(sorted(placed, key=lambda c: c.head_end), key=lambda each: each.head_end):
        await line_up_at(head_end, list(group), work)


async def line_up_at(head_end: str, asked: Sequence[Command], work: Work[Store]) -> None:
    """The same at one head-end; who comes while others wait is behind those of his lane.

    Raises:
        Unavailable: 3.2, too many wait there.
    """
    rate = work.store.memory.head_end_rate
    budget = await work.store.budget(head_end)
    waiting = await work.store.waiting(head_end)
    if waiting + len(asked) > lanes.MOST:
        raise Unavailable(lanes.too_many(waiting, rate), code="3.2", object_id=asked[0].mrid)
    busy = await work.store.busy(each.device for each in asked)
    collectors = await work.store.collectors(way_of(each) for each in asked)
    chosen, budget = lanes.chosen(
        [] if waiting else asked, busy, budget, rate, work.now, room=room_of(collectors, work)
    )
    for command in chosen:
        await give(command, work)
    for command in asked:
        if command not in chosen:
            work.count("controls_waiting", lane=lanes.lane_of(command).name.lower())
            await work.store.save_command(lanes.queued(command, work.now))
    await work.store.save_budget(head_end, budget)
    collectors = await give_collectors(chosen, collectors, work)
    if len(chosen) < len(asked):
        work.wake("lane", head_end, work.now if waiting else look_at(budget, collectors, work))


@service.on_wake("lane")
async def next_in_line(wake: Wake, work: Work[Store]) -> None:
    """Somebody's turn has come; he is judged once more by what is known here, and who waited too long is told so."""
    rate = work.store.memory.head_end_rate
    budget = await work.store.budget(wake.key)
    queues = await work.store.queues(wake.key)
    collectors = await work.store.collectors(way for _, way in queues)
    overdue = await work.store.overdue(wake.key, work.now)
    waiting = await work.store.waiting(wake.key) if overdue else 0
    for command in overdue:
        reason = lanes.too_late(command, waiting, rate, budget, work.now, collector=collectors.get(way_of(command)))
        work.count("controls_overdue", lane=lanes.lane_of(command).name.lower())
        await settle(command, controls.moved(command, Event.OVERDUE, work.now, code="5.1", reason=reason), work)
    most, room = lanes.free(budget, rate, work.now), room_of(collectors, work)
    wanted = {(lane, way.collector): room.get(way.collector, most) for lane, way in queues}
    ready = await work.store.next_of(wake.key, {at: many for at, many in wanted.items() if many > 0}, most)
    facts = await facts_here(ready, work)
    chosen, budget = lanes.chosen(ready, frozenset(), budget, rate, work.now, room=room)
    for command in chosen:
        no = forbidden(command, facts, work.store.memory.guards, work.now, work.store.memory.zone)
        if no is None:
            await give(command, work)
        else:
            await settle(command, controls.moved(command, Event.FORBID, work.now, code=no.code, reason=no.reason), work)
    await work.store.save_budget(wake.key, budget)
    collectors = await give_collectors(chosen, collectors, work)
    if await work.store.anybody_waits(wake.key):
        work.wake("lane", wake.key, look_at(budget, collectors, work))


def way_of(command: Command) -> Way:
    """By which head-end and collector a command goes."""
    return Way(command.head_end, command.collector)


def room_of(collectors: Mapping[Way, Budget], work: Work[Store]) -> dict[str, int]:
    """How many each of the collectors of one head-end may be given now."""
    rate = work.store.memory.collector_rate
    return {way.collector: lanes.free(budget, rate, work.now) for way, budget in collectors.items()}


def look_at(budget: Budget, collectors: Mapping[Way, Budget], work: Work[Store]) -> datetime:
    """When to look again at those who wait at a head-end and its collectors."""
    config = work.store.memory
    return lanes.next_by(budget, collectors.values(), config.head_end_rate, config.collector_rate, work.now)


async def give_collectors(
    sent: Sequence[Command], collectors: Mapping[Way, Budget], work: Work[Store]
) -> dict[Way, Budget]:
    """What collectors have been given after these were sent by them; it is kept."""
    rate, by_way = work.store.memory.collector_rate, dict[Way, list[Command]]()
    for command in sent:
        by_way.setdefault(way_of(command), []).append(command)
    after = {
        way: lanes.given(budget, by_way[way], rate, work.now) for way, budget in collectors.items() if way in by_way
    }
    await work.store.save_collectors(after)
    return {**collectors, **after}


async def hear_from(command: Command, failure: BusbarError | None, work: Work[Store]) -> None:
    """A head-end has answered a command; if it or the collector was silent before, what waits there goes on.

    That it cannot reach the meter is an answer of the head-end and none of the collector.
    """
    way = way_of(command)
    head_end = (await work.store.budgets([way.head_end])).get(way.head_end, Budget())
    collector = (await work.store.collectors([way])).get(way)
    is_reached = failure is None or failure.code != lanes.OUT_OF_REACH
    if not head_end.is_silent and (collector is None or (is_reached and not collector.is_silent)):
        return
    head_end = await work.store.budget(way.head_end)
    if head_end.is_silent:
        await work.store.save_budget(way.head_end, lanes.answered(head_end))
        work.count("head_ends", state="answers")
        work.wake("lane", way.head_end, work.now)
    if not is_reached:
        await miss_at_collector(command, work)
    elif collector is not None and collector.is_silent:
        await work.store.save_collectors({way: lanes.answered((await work.store.collectors([way]))[way])})
        work.count("collectors", state="answers")
        work.wake("lane", way.head_end, work.now)


async def miss(command: Command, work: Work[Store]) -> None:
    """A command was not answered in time; its collector rests when that goes on, and so does its head-end."""
    before = await work.store.budget(command.head_end)
    if not lanes.counts_for_head_end(await miss_at_collector(command, work), before, command):
        return
    after = lanes.unanswered(before, command, work.store.memory.silent_after, work.now)
    if after.rests > before.rests:
        work.count("head_ends", state="rests")
    await work.store.save_budget(command.head_end, after)


async def miss_at_collector(command: Command, work: Work[Store]) -> Budget | None:
    """The same at the collector alone, where one is known; what it was given before."""
    way = way_of(command)
    before = (await work.store.collectors([way])).get(way)
    if before is not None:
        after = lanes.unanswered(before, command, work.store.memory.silent_after, work.now)
        if after.rests > before.rests:
            work.count("collectors", state="rests")
        await work.store.save_collectors({way: after})
    return before


async def give(command: Command, work: Work[Store]) -> None:
    """Send a command to the head-end, once, and wait for its answer."""
    work.send(Verb.CREATE, EndDeviceControls(end_device_control=(command.control,)), about=command.id)
    work.wake("patience", command.id, work.now + command.patience)
    await keep_command(controls.moved(command, Event.SEND, work.now), work)
