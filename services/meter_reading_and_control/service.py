"""The events of the meters: kept, put into one code for each meaning, and passed on once."""

import os
from collections.abc import AsyncIterator

from contracts.interfaces.meter_reading_and_control import METER_READING_AND_CONTROL
from contracts.message import Message
from contracts.nouns.end_device_events import EndDeviceEvents
from contracts.verbs import Verb
from services.meter_reading_and_control.config import generation_from
from services.meter_reading_and_control.domain import by_usage_point, meter_of, received
from services.meter_reading_and_control.store import Store
from shared.service import Service
from shared.work import Work

service = Service(METER_READING_AND_CONTROL, store=Store, memory=lambda: generation_from(os.environ))


@service.on(Verb.CREATED, EndDeviceEvents)
async def pass_on(message: Message[EndDeviceEvents], work: Work[Store]) -> None:
    """What is new is passed on at once, a last gasp above all; what is told again is counted."""
    events = message.noun.end_device_event
    places = await work.store.places([meter for event in events if (meter := meter_of(event)) is not None])
    heard = [received(event, work.new_id(), places, work.store.memory) for event in events]
    await work.store.learn_places(events)
    for usage_point, new in by_usage_point(await work.store.add(heard)).items():
        work.publish(Verb.CREATED, EndDeviceEvents(end_device_event=tuple(new)), key=usage_point)


@service.on(Verb.GET, EndDeviceEvents)
async def show_events(message: Message[EndDeviceEvents], work: Work[Store]) -> AsyncIterator[EndDeviceEvents]:
    """The events of the usage points or meters that are named, in the time that is asked for."""
    request = message.request
    mrids = [] if request is None else [each.value for each in request.id]
    times = (None, None) if request is None else (request.start_time, request.end_time)
    async for page in work.store.events(mrids, *times):
        yield EndDeviceEvents(end_device_event=page)
