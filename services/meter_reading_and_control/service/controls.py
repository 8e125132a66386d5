"""What is asked of devices: passed on, and answered once."""

from contracts.errors import Unavailable, from_reply
from contracts.message import Message
from contracts.nouns.end_device_controls import EndDeviceControls
from contracts.verbs import Verb
from services.meter_reading_and_control.domain.controls import (
    Control,
    answer_to,
    answered_at,
    event_of,
    patience,
    the_control,
)
from services.meter_reading_and_control.service.declared import service
from services.meter_reading_and_control.service.events import keep
from services.meter_reading_and_control.store import Store
from shared.work import LATER, Later, Wake, Work


@service.on(Verb.CREATE, EndDeviceControls)
async def pass_control(message: Message[EndDeviceControls], work: Work[Store]) -> Later:
    """A control goes to the head-end; its answer comes when the device has answered, or not in time."""
    control = the_control(message.noun)
    await work.store.save_control(work.ticket, Control(control=control))
    work.send(Verb.CREATE, EndDeviceControls(end_device_control=(control,)), about=work.ticket)
    work.wake("patience", work.ticket, work.now + patience(control))
    return LATER


@service.on_reply(Verb.CREATE, EndDeviceControls)
async def hear_of_control(message: Message[EndDeviceControls], work: Work[Store]) -> None:
    """What the device did answers the control; when it was given up meanwhile, it is told as an event."""
    control = await work.store.end_control(work.about)
    failure = None if message.reply is None else from_reply(message.reply)
    at = answered_at(message.payload, work.now)
    if control is None:
        return
    work.cancel_wake("patience", work.about)
    if not control.given_up:
        work.answer(work.about, answer_to(control, at) if failure is None else None, error=failure)
    if failure is None and (event := event_of(control, at, work.store.memory.generation)) is not None:
        await keep([event], work)


@service.on_wake("patience")
async def give_up(wake: Wake, work: Work[Store]) -> None:
    """No answer is no word about the power: the asker is told that there was none."""
    control = await work.store.end_control(wake.key)
    if control is not None:
        await work.store.save_control(wake.key, Control(control=control.control, given_up=True))
        seconds = int(patience(control.control).total_seconds())
        work.answer(wake.key, error=Unavailable(f"the device did not answer within {seconds} s", code="4.1"))
