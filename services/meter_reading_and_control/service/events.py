"""What happens to meters: kept, and passed on once."""

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence

from contracts.codes.end_device_events import EventKind
from contracts.message import Message
from contracts.nouns.end_device_events import EndDeviceEvent, EndDeviceEvents
from contracts.verbs import Verb
from services.meter_reading_and_control.domain.events import (
    Heard,
    Stage,
    counted,
    meter_of,
    passed_on,
    received,
    switchings,
    usage_point_of,
)
from services.meter_reading_and_control.domain.installation import Installed
from services.meter_reading_and_control.domain.readings import grouped
from services.meter_reading_and_control.domain.suppression import Facts, judged
from services.meter_reading_and_control.service.declared import service
from services.meter_reading_and_control.service.marking import heed_power, heed_switches
from services.meter_reading_and_control.service.storms import in_storm, look_at_storm, pass_them_on
from services.meter_reading_and_control.service.tampering import look_for_tampering
from services.meter_reading_and_control.store import Store
from services.meter_reading_and_control.views import linkage
from shared.work import Work

DROPPED = ("dropped", "true")
"""The option of ``get EndDeviceEvents`` by which those are seen that were not passed on (ours)."""

COUNTED = ("counted", "true")
"""The option by which events are not seen but counted, by code and by what became of them (ours)."""


@service.on_batch(Verb.CREATED, EndDeviceEvents, in_turn=True)
async def pass_on(messages: list[Message[EndDeviceEvents]], work: Work[Store]) -> None:
    """What is new is passed on at once, a last gasp above all; what is told again is counted."""
    await keep([event for message in messages for event in message.noun.end_device_event], work)


@service.on(Verb.GET, EndDeviceEvents)
async def show_events(message: Message[EndDeviceEvents], work: Work[Store]) -> AsyncIterator[EndDeviceEvents]:
    """The events of the usage points or meters that are named, in the time that is asked for."""
    request = message.request
    mrids = [] if request is None else [each.value for each in request.id]
    times = (None, None) if request is None else (request.start_time, request.end_time)
    options = set() if request is None else {(each.name, each.value) for each in request.option}
    if COUNTED in options:
        known = await work.store.tallies(mrids, *times)
        yield EndDeviceEvents(end_device_event=tuple(counted(code, tallies) for code, tallies in known.items()))
        return
    async for page in work.store.events(mrids, *times, is_dropped=DROPPED in options):
        yield EndDeviceEvents(end_device_event=page)


async def keep(events: Sequence[EndDeviceEvent], work: Work[Store]) -> None:
    """Keep events, and pass on what is new."""
    if not events:
        return
    meters = sorted({meter for event in events if (meter := meter_of(event)) is not None})
    known = await work.store.installed(meters)
    own = dict(grouped(known, lambda there: there.meter))
    await work.store.learn_places(event for event in events if meter_of(event) not in own)
    lost = sorted({meter_of(event) or "" for event in events if usage_point_of(event) is None})
    places = await work.store.places(lost) if lost else {}
    heard = []
    for event in events:
        meter = meter_of(event) or ""
        place = linkage.placed(event, own.get(meter, ())) or places.get(meter)
        heard.append(received(event, event.mrid or work.new_id(), place, work.store.memory.generation))
    heard.sort(key=lambda each: each.happened_at)
    added = await work.store.add(await in_storm(judged(heard, await facts_about(heard, own, work)), work))
    count(heard, added, work)
    await look_at_storm(added, work)
    pass_them_on(passed_on(added), work)
    await heed_power(added, work)
    await heed_switches(added, work)
    await look_for_tampering(added, work)


def count(heard: Iterable[Heard], added: Iterable[Heard], work: Work[Store]) -> None:
    """Count every event with what became of it; those that were told before are the rest."""
    told = Counter(each.kind for each in heard)
    for each in added:
        work.count(
            "meter_events", kind=each.kind or "other", dropped=each.dropped or (Stage.HELD if each.held else "no")
        )
        told[each.kind] -= 1
    for kind in told.elements():
        work.count("meter_events", kind=kind or "other", dropped=Stage.DUPLICATE)


async def facts_about(heard: Sequence[Heard], own: dict[str, list[Installed]], work: Work[Store]) -> Facts:
    """What is known of the places where power was lost; nothing is asked for where none was."""
    lost = [each for each in heard if each.kind is EventKind.POWER_LOST]
    if not lost:
        return Facts()
    points = sorted({each.usage_point for each in lost if each.usage_point is not None})
    meters = {each.meter for each in lost}
    switched = [*await work.store.switched(points), *switchings(heard)]
    return Facts(
        installed=own,
        works=dict(grouped(await work.store.works_at({*points, *meters}), lambda there: there.place)),
        planned=dict(grouped(await work.store.planned_at(points), lambda there: there.usage_point)),
        switched={point: [each[1:] for each in there] for point, there in grouped(switched, lambda each: each[0])},
        gasps=await work.store.gasps(meters, lost[0].happened_at, lost[-1].happened_at),
    )
