"""What happens to meters: kept, and passed on once."""

from collections.abc import AsyncIterator, Sequence

from contracts.message import Message
from contracts.nouns.end_device_events import EndDeviceEvent, EndDeviceEvents
from contracts.verbs import Verb
from services.meter_reading_and_control.domain.events import by_usage_point, meter_of, received
from services.meter_reading_and_control.service.declared import service
from services.meter_reading_and_control.store import Store
from services.meter_reading_and_control.views import linkage
from shared.work import Work


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


async def keep(events: Sequence[EndDeviceEvent], work: Work[Store]) -> None:
    """Keep events, and pass on what is new."""
    meters = [meter for event in events if (meter := meter_of(event)) is not None]
    places, known = await work.store.places(meters), await work.store.installed(meters)
    generation = work.store.memory.generation
    heard = [received(event, work.new_id(), places | linkage.placed(event, known), generation) for event in events]
    await work.store.learn_places(events)
    for usage_point, new in by_usage_point(await work.store.add(heard)).items():
        work.publish(Verb.CREATED, EndDeviceEvents(end_device_event=tuple(new)), key=usage_point)
