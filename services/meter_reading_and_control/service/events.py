"""What happens to meters: kept, and passed on once."""

from collections.abc import AsyncIterator, Sequence

from msgspec.structs import replace

from contracts.codes.end_device_events import EventKind
from contracts.message import Message
from contracts.nouns.end_device_events import EndDeviceEvent, EndDeviceEvents
from contracts.verbs import Verb
from services.meter_reading_and_control.domain.events import Heard, meter_of, passed_on, received
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
    own: dict[str, list[Installed]] = {}
    for there in known:
        own.setdefault(there.meter, []).append(there)
    heard = []
    for event in events:
        meter = meter_of(event) or ""
        place = linkage.placed(event, own.get(meter, ())) or places.get(meter)
        heard.append(received(event, work.new_id(), place, work.store.memory.generation))
    facts = await facts_about(heard, known, work)
    heard = [
        replace(each, suppressed=suppressed(each.kind, each.meter, each.usage_point or "", each.happened_at, facts))
        for each in heard
    ]
    await work.store.learn_places(events)
    added = await work.store.add(heard)
    for each in added:
        work.count("meter_events", kind=each.kind or "other", dropped=each.dropped or "no")
    pass_them_on(passed_on(added), work)
    await look_for_tampering(added, work)


def pass_them_on(events: Sequence[tuple[str, EndDeviceEvent]], work: Work[Store]) -> None:
    """Tell events, those of one usage point in their order, and together what travels together."""
    for line in work.lines(Verb.CREATED, EndDeviceEvents, [point for point, _ in events]):
        points = set(line)
        told = tuple(event for point, event in events if point in points)
        work.publish(Verb.CREATED, EndDeviceEvents(end_device_event=told), key=line[0])


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
