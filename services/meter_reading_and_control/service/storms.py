"""Many meters lose their power at once: those of bellwethers are told first, the others follow, none is lost."""

from collections.abc import Sequence
from datetime import timedelta

from contracts.codes.end_device_events import EventKind
from contracts.nouns.end_device_events import EndDeviceEvent, EndDeviceEvents
from contracts.verbs import Verb
from services.meter_reading_and_control.domain.events import Drop, Heard
from services.meter_reading_and_control.domain.storm import LOOK, PACE, judged, waiting
from services.meter_reading_and_control.service.declared import service
from services.meter_reading_and_control.store import Store
from shared.work import Wake, Work

TOGETHER = 250
"""So many events are told in one message at most, so that whoever hears them commits often."""


async def in_storm(heard: Sequence[Heard], work: Work[Store]) -> list[Heard]:
    """The events, with those marked that wait because there is a storm."""
    if all(each.kind is not EventKind.POWER_LOST for each in heard):
        return list(heard)
    storm = await work.store.storm()
    bellwethers = frozenset[str]() if storm.since is None else await work.store.bellwethers()
    return waiting(heard, storm, bellwethers, work.now)


async def look_at_storm(added: Sequence[Heard], work: Work[Store]) -> None:
    """Count last gasps, have those that wait follow, and drop what was momentary among them."""
    if gasps := sum(each.kind is EventKind.POWER_LOST for each in added):
        await work.store.count_gasps(gasps, work.now)
        due = work.now.replace(second=work.now.second // 10 * 10, microsecond=0) + LOOK
        work.wake("storm", due.isoformat(), due, new_thread=True)
        if any(each.held for each in added):
            work.wake("drain", due.isoformat(), due + LOOK, new_thread=True)
    back = [(each.meter, each.happened_at) for each in added if each.kind is EventKind.POWER_RESTORED]
    if back and await work.store.anything_held():
        for _ in range(await work.store.drop_momentary(back)):
            work.count("held_events", dropped=Drop.MOMENTARY)


@service.on_wake("storm")
async def judge_storm(_: Wake, work: Work[Store]) -> None:
    """It is a storm, still one or no more; while it is, that is judged again soon."""
    before = await work.store.storm()
    after = judged(before, await work.store.gasps_of_late(work.now), work.store.memory.storm_rate, work.now)
    if after != before:
        await work.store.save_storm(after)
    if (after.since is None) is not (before.since is None):
        work.count("storms", state="over" if after.since is None else "begun")
    if after.since is not None:
        work.wake("storm", "goes on", work.now + LOOK, new_thread=True)


@service.on_wake("drain")
async def drain(_: Wake, work: Work[Store]) -> None:
    """Those that wait follow, the oldest first, at a pace that who hears them can keep."""
    told = await work.store.let_go(PACE)
    for _point, _event in told:
        work.count("held_events", dropped="no")
    pass_them_on(told, work)
    if await work.store.anything_held():
        work.wake("drain", "rest", work.now + timedelta(seconds=1), new_thread=True)


def pass_them_on(events: Sequence[tuple[str, EndDeviceEvent]], work: Work[Store]) -> None:
    """Tell events, those of one usage point in their order, and together what travels together."""
    for line in work.lines(Verb.CREATED, EndDeviceEvents, [point for point, _ in events]):
        points = set(line)
        told = [event for point, event in events if point in points]
        for first in range(0, len(told), TOGETHER):
            part = tuple(told[first : first + TOGETHER])
            work.publish(Verb.CREATED, EndDeviceEvents(end_device_event=part), key=line[0])
