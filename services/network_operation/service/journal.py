"""The log of operations: who switched what, when and why."""

from contracts.nouns.switching_events import SwitchingEvent, SwitchingEvents
from contracts.nouns.switching_plans import SwitchingPlan
from contracts.verbs import Verb
from services.network_operation.domain.execution import (
    aborted,
    is_disturbed,
    is_outside_of_plans,
    log_of,
    miscellaneous,
)
from services.network_operation.domain.live import Live
from services.network_operation.domain.operations import Note, by_command, by_hand, by_itself, moved_phases, operation
from services.network_operation.domain.phases import Phases
from services.network_operation.domain.positions import Position
from services.network_operation.domain.steps import StepKey, awaited
from services.network_operation.service.execution import keep
from services.network_operation.store import Store
from shared.work import Work


async def tell_operation(
    position: Position,
    counting: Phases,
    live: Live,
    work: Work[Store],
    *,
    notes: tuple[Note, ...],
    plan: str | None,
    waiting: tuple[SwitchingPlan, StepKey] | None,
) -> SwitchingEvent | None:
    """Enter what moved into the timeline and tell it, with how that came about; None when nothing did."""
    switch = live.state.structure.equipment.get(position.device)
    moved = moved_phases(position, counting, switch, await work.store.open_before(position.device, position.at))
    if not moved:
        return None
    event = operation(position, moved, switch, notes)
    if plan is not None:
        event = by_hand(event, plan)
    elif waiting is not None:
        event = by_command(event, waiting[0].mrid)
    else:
        event = by_itself(event, switch, await work.store.last_operation(position.device, position.at))
    await work.store.add_movement(position, moved)
    await record(event, work)
    return event


async def record(event: SwitchingEvent, work: Work[Store]) -> None:
    """Keep what happened in the field and tell it, once."""
    if await work.store.add_event(event):
        key = event.operated_switch.mrid or ""
        work.publish(Verb.CREATED, SwitchingEvents(switching_event=(event,)), key=key)


async def log(event: SwitchingEvent, work: Work[Store]) -> None:
    """Enter an operation that no plan asked for into the log of its day."""
    if is_outside_of_plans(event):
        await keep(miscellaneous(await work.store.plan(log_of(event)), event, work.now), work)


async def hand_over(event: SwitchingEvent, work: Work[Store]) -> None:
    """What trips unexpectedly ends the sequences of automation around it; a person decides how they go on."""
    for known in await work.store.known_plans_under_way():
        if is_disturbed(known.plan, known.basis, event):
            for key in awaited(known.plan):
                work.cancel_wake("step", str(key))
            reason = f"'{event.operated_switch.mrid}' tripped meanwhile"
            await keep(aborted(known.plan, work.now, reason), work)
