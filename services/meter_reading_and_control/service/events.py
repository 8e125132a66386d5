"""What happens to meters: kept, and passed on once."""

from collections.abc import AsyncIterator, Sequence

from msgspec.structs import replace

from contracts.codes.end_device_events import EventKind
from contracts.message import Message
from contracts.nouns.end_device_events import EndDeviceEvent, EndDeviceEvents
from contracts.verbs import Verb
from services.meter_reading_and_control.domain.events import Heard, by_usage_point, meter_of, received
from services.meter_reading_and_control.domain.installation import Installed
from services.meter_reading_and_control.domain.suppression import Facts, suppressed
from services.meter_reading_and_control.service.declared import service
from services.meter_reading_and_control.service.tampering import look_for_tampering
from services.meter_reading_and_control.store import Store
from services.meter_reading_and_control.views import linkage
from shared.work import Work

DROPPED = ("dropped", "true")
"""The option of ``get EndDeviceEvents`` by which those are seen that were not passed on (ours)."""


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
    is_dropped = request is not None and any((each.name, each.value) == DROPPED for each in request.option)
    async for page in work.store.events(mrids, *times, is_dropped=is_dropped):
        yield EndDeviceEvents(end_device_event=page)


async def keep(events: Sequence[EndDeviceEvent], work: Work[Store]) -> None:
    """Keep events, and pass on what is new."""
    meters = [meter for event in events if (meter := meter_of(event)) is not None]
    places, known = await work.store.places(meters), await work.store.installed(meters)
    generation = work.store.memory.generation
    heard = [received(event, work.new_id(), places | linkage.placed(event, known), generation) for event in events]
    facts = await facts_about(heard, known, work)
    heard = [
        replace(each, suppressed=suppressed(each.kind, each.meter, each.usage_point or "", each.happened_at, facts))
        for each in heard
    ]
    await work.store.learn_places(events)
    added = await work.store.add(heard)
    for each in added:
        work.count("meter_events", kind=each.kind or "other", dropped=each.dropped or "no")
    for usage_point, new in by_usage_point(added).items():
        work.publish(Verb.CREATED, EndDeviceEvents(end_device_event=tuple(new)), key=usage_point)
    await look_for_tampering(added, work)


async def facts_about(heard: Sequence[Heard], known: Sequence[Installed], work: Work[Store]) -> Facts:
    """What is known of the places where power was lost; nothing is asked for where none was."""
    lost = [each for each in heard if each.kind is EventKind.POWER_LOST and each.usage_point is not None]
    if not lost:
        return Facts()
    points = sorted({each.usage_point for each in lost if each.usage_point is not None})
    return Facts(
        installed=known,
        works=await work.store.works_at({*points, *(each.meter for each in lost)}),
        planned=await work.store.planned_at(points),
        switched=await work.store.switched(points),
    )
