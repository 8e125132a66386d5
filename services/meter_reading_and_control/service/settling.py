"""How a control of a device is kept, and how a request ends with the last of its devices."""

from msgspec import json
from msgspec.structs import replace

from contracts.errors import Conflict
from contracts.nouns.end_device_controls import EndDeviceControls
from contracts.verbs import Verb
from services.meter_reading_and_control.domain import controls, services
from services.meter_reading_and_control.domain.controls import Command, State
from services.meter_reading_and_control.store import Store
from shared.work import Whole, Work


async def settle(before: Command, command: Command, work: Work[Store]) -> None:
    """Keep how a command stands, and tell who waits for it once that is known."""
    if command.cancel_ticket and command.state not in {State.CANCEL_PENDING, State.RELEASING}:
        await answer_cancellation(command, work)
        command = replace(command, cancel_ticket="")
    await keep_command(command, work)
    if command.service is not None and command.state not in controls.OPEN:
        work.publish(Verb.CHANGED, services.told([command]), key=command.device)
    if command.campaign and command.state not in controls.OPEN:
        work.wake("campaign-answer", command.id, work.now, json.encode(command).decode())
    if command.state not in controls.OPEN:
        work.cancel_wake("patience", command.id)
        work.cancel_wake("control", command.id)
    ended = before.state in controls.OPEN and command.state not in controls.OPEN
    if ended and await work.store.one_less(command.ticket):
        await answer(command.ticket, work)
    elif controls.is_over(command) and not (ended or await work.store.is_waited_for(command.ticket)):
        await work.store.forget_command(command.id)
    if ended and await work.store.waits_for(command.device):
        work.wake("lane", command.head_end, work.now)


async def answer_cancellation(command: Command, work: Work[Store]) -> None:
    """Tell who cancelled that all devices have heeded it, or at the first that has not that it is too late."""
    if controls.is_cancelled(command):
        if await work.store.one_less(command.cancel_ticket):
            work.answer(command.cancel_ticket)
    elif await work.store.is_waited_for(command.cancel_ticket):
        await work.store.forget_request(command.cancel_ticket)
        too_late = Conflict("it could not be cancelled any more", code="6.5", object_id=command.mrid)
        work.answer(command.cancel_ticket, error=too_late)


async def answer(ticket: str, work: Work[Store]) -> None:
    """Tell who asked how it ended, once no command of the request is open."""
    together = await work.store.commands_of(ticket)
    done = EndDeviceControls(
        end_device_control=tuple(controls.done_at(each) for each in together if each.error is None)
    )
    if (known := controls.outcome(together, done)) is not None:
        reply, payload = known
        work.answer(ticket, Whole(reply=reply, payload=services.told(together) if together[0].service else payload))
        await work.store.forget_commands_of(ticket)


async def keep_command(command: Command, work: Work[Store]) -> None:
    """Keep a command; what is kept for good is told to all who listen."""
    await work.store.save_command(command)
    if command.is_kept:
        work.publish(Verb.CHANGED, controls.shown([command]), key=command.device)
