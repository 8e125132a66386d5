"""Controls wait for their turn at their head-end: the urgent first, no lane without its share, one for each device."""

from collections.abc import Sequence
from itertools import groupby

from msgspec.structs import replace

from contracts.errors import Unavailable
from contracts.nouns.end_device_controls import EndDeviceControls
from contracts.verbs import Verb
from services.meter_reading_and_control.domain import controls, lanes
from services.meter_reading_and_control.domain.controls import Command, Event
from services.meter_reading_and_control.domain.guards import forbidden
from services.meter_reading_and_control.service.declared import service
from services.meter_reading_and_control.service.guarding import facts_here
from services.meter_reading_and_control.service.settling import keep_command, settle
from services.meter_reading_and_control.store import Store
from shared.work import Wake, Work


async def line_up(asked: Sequence[Command], work: Work[Store]) -> None:
    """Send commands whose turn is now, and have the others wait in their lanes; the head-ends one after the other."""
    at = await work.store.head_ends(each.device for each in asked)
    placed = sorted((replace(each, head_end=at.get(each.device, "")) for each in asked), key=lambda c: c.head_end)
    for head_end, group in groupby(placed, key=lambda each: each.head_end):
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
    chosen, budget = lanes.chosen([] if waiting else asked, busy, budget, rate, work.now)
    for command in chosen:
        await give(command, work)
    for command in asked:
        if command not in chosen:
            work.count("controls_waiting", lane=lanes.lane_of(command).name.lower())
            await work.store.save_command(lanes.queued(command, work.now))
    await work.store.save_budget(head_end, budget)
    if len(chosen) < len(asked):
        work.wake("lane", head_end, work.now if waiting else lanes.next_at(budget, rate, work.now))


@service.on_wake("lane")
async def next_in_line(wake: Wake, work: Work[Store]) -> None:
    """Somebody's turn has come; he is judged once more by what is known here, and who waited too long is told so."""
    rate = work.store.memory.head_end_rate
    budget = await work.store.budget(wake.key)
    overdue = await work.store.overdue(wake.key, work.now)
    waiting = await work.store.waiting(wake.key) if overdue else 0
    for command in overdue:
        reason = lanes.too_late(command, waiting, rate, budget, work.now)
        work.count("controls_overdue", lane=lanes.lane_of(command).name.lower())
        await settle(command, controls.moved(command, Event.OVERDUE, work.now, code="5.1", reason=reason), work)
    ready = await work.store.next_of(wake.key, lanes.burst(rate))
    facts = await facts_here(ready, work)
    chosen, budget = lanes.chosen(ready, frozenset(), budget, rate, work.now)
    for command in chosen:
        no = forbidden(command, facts, work.store.memory.guards, work.now, work.store.memory.zone)
        if no is None:
            await give(command, work)
        else:
            await settle(command, controls.moved(command, Event.FORBID, work.now, code=no.code, reason=no.reason), work)
    await work.store.save_budget(wake.key, budget)
    if await work.store.anybody_waits(wake.key):
        work.wake("lane", wake.key, lanes.next_at(budget, rate, work.now))


async def hear_from(head_end: str, work: Work[Store]) -> None:
    """A head-end has answered; if it was silent before, what waits for it goes on."""
    known = (await work.store.budgets([head_end])).get(head_end)
    if known is not None and known.is_silent:
        await work.store.save_budget(head_end, lanes.answered(await work.store.budget(head_end)))
        work.count("head_ends", state="answers")
        work.wake("lane", head_end, work.now)


async def miss(command: Command, work: Work[Store]) -> None:
    """A head-end has not answered a command in time; it rests when that goes on."""
    before = await work.store.budget(command.head_end)
    after = lanes.unanswered(before, command, work.store.memory.silent_after, work.now)
    if after.rests > before.rests:
        work.count("head_ends", state="rests")
    await work.store.save_budget(command.head_end, after)


async def give(command: Command, work: Work[Store]) -> None:
    """Send a command to the head-end, once, and wait for its answer."""
    work.send(Verb.CREATE, EndDeviceControls(end_device_control=(command.control,)), about=command.id)
    work.wake("patience", command.id, work.now + command.patience)
    await keep_command(controls.moved(command, Event.SEND, work.now), work)
