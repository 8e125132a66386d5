"""The events of the meters: kept, put into one code for each meaning, and passed on once; controls, and their end."""

import os
from collections.abc import AsyncIterator, Sequence

from contracts.errors import Unavailable, from_reply
from contracts.interfaces.meter_reading_and_control import METER_READING_AND_CONTROL
from contracts.message import Message
from contracts.nouns.end_device_controls import EndDeviceControls
from contracts.nouns.end_device_events import EndDeviceEvent, EndDeviceEvents
from contracts.verbs import Verb
from services.meter_reading_and_control.config import generation_from
from services.meter_reading_and_control.domain import (
    Control,
    answer_to,
    answered_at,
    by_usage_point,
    event_of,
    meter_of,
    patience,
    received,
    the_control,
)
from services.meter_reading_and_control.store import Store
from shared.service import Service
from shared.work import LATER, Later, Wake, Work

service = Service(METER_READING_AND_CONTROL, store=Store, memory=lambda: generation_from(os.environ))


@service.on(Verb.CREATED, EndDeviceEvents)
async def pass_on(message: Message[EndDeviceEvents], work: Work[Store]) -> None:
    """What is new is passed on at once, a last gasp above all; what is told again is counted."""
    await keep(message.noun.end_device_event, work)


@service.on(Verb.GET, EndDeviceEvents)
async def show_events(message: Message[EndDeviceEvents], work: Work[Store]) -> AsyncIterator[EndDeviceEvents]:
    """The events of the usage points or meters that are named, in the time that is asked for."""
    request = message.request
    mrids = [] if request is None else [each.value for each in request.id]
    times = (None, None) if request is None else (request.start_time, request.end_time)
    async for page in work.store.events(mrids, *times):
        yield EndDeviceEvents(end_device_event=page)


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
    if failure is None and (event := event_of(control, at, work.store.memory)) is not None:
        await keep([event], work)


@service.on_wake("patience")
async def give_up(wake: Wake, work: Work[Store]) -> None:
    """No answer is no word about the power: the asker is told that there was none."""
    control = await work.store.end_control(wake.key)
    if control is not None:
        await work.store.save_control(wake.key, Control(control=control.control, given_up=True))
        seconds = int(patience(control.control).total_seconds())
        work.answer(wake.key, error=Unavailable(f"the device did not answer within {seconds} s", code="4.1"))


async def keep(events: Sequence[EndDeviceEvent], work: Work[Store]) -> None:
    """Keep events, and pass on what is new."""
    places = await work.store.places([meter for event in events if (meter := meter_of(event)) is not None])
    heard = [received(event, work.new_id(), places, work.store.memory) for event in events]
    await work.store.learn_places(events)
    for usage_point, new in by_usage_point(await work.store.add(heard)).items():
        work.publish(Verb.CREATED, EndDeviceEvents(end_device_event=tuple(new)), key=usage_point)
