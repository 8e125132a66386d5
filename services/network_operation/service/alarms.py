"""Alarms: they come and go with the state of the network, and people act on them."""

from collections.abc import Iterable, Mapping
from datetime import timedelta

from contracts.errors import NotFound
from contracts.message import Message
from contracts.nouns.alarms import Alarm, Alarms
from contracts.verbs import Verb
from services.network_operation.domain.alarms import conditions, desk, machine
from services.network_operation.domain.alarms.conditions import Scope
from services.network_operation.domain.alarms.flood import WINDOW, flooded
from services.network_operation.domain.people import speaker
from services.network_operation.service.declared import service
from services.network_operation.store import Store
from shared.work import Wake, Work

FLOOD_WATCH = timedelta(minutes=1)
"""How often it is looked whether a flood is over."""


@service.on(Verb.GET, Alarms)
async def tell_alarms(message: Message[Alarms], work: Work[Store]) -> Alarms:
    """The alarms named, whatever became of them; else all that are not over, and the flood while there is one."""
    named = [] if message.request is None else [each.value for each in message.request.id]
    alarms, flood = await work.store.alarms(named), await work.store.flood()
    missing = [mrid for mrid in named if mrid not in alarms]
    if missing:
        raise NotFound("there is no such alarm", object_id=missing[0])
    wanted = named or list(alarms)
    is_on = flood is not None and flood.end_date_time is None
    return Alarms(alarm=tuple(alarms[mrid] for mrid in wanted), alarm_flood=flood if is_on else None)


@service.on(Verb.CHANGE, Alarms)
async def act_on_alarms(message: Message[Alarms], work: Work[Store]) -> Alarms:
    """A person has seen alarms, puts them aside for a time, or takes them out of service; or the reverse."""
    await work.store.lock_network()
    person = speaker(message.header, work.principal)
    known = await work.store.alarms([asked.mrid for asked in message.noun.alarm])
    after: dict[str, Alarm] = {}
    for asked in message.noun.alarm:
        if asked.mrid not in known:
            raise NotFound("there is no such alarm", object_id=asked.mrid)
        alarm = after.get(asked.mrid, known[asked.mrid])
        after[asked.mrid] = machine.acted(alarm, asked, person, work.now)
    news = [machine.told(known[mrid], alarm, work.now) for mrid, alarm in after.items()]
    await sound(news, known, work)
    return Alarms(alarm=tuple(news))


@service.on_wake("shelf")
async def end_shelf(wake: Wake, work: Work[Store]) -> None:
    """The time is over for which an alarm was put aside."""
    await work.store.lock_network()
    known = await work.store.alarms([wake.key])
    alarm = known.get(wake.key)
    if alarm is not None and alarm.shelving is not None and alarm.shelving.until_date_time == wake.at:
        await sound([machine.told(alarm, machine.unshelved(alarm), work.now)], known, work)


@service.on_wake("settling")
async def look_again(_wake: Wake, work: Work[Store]) -> None:
    """What explained an alarm is gone for a while: if it still holds it is shown."""
    await judge(Scope(), work)


@service.on_wake("flood")
async def watch_flood(_wake: Wake, work: Work[Store]) -> None:
    """A flood goes on until fewer alarms come."""
    await work.store.lock_network()
    await count_calls(work)


async def judge(scope: Scope, work: Work[Store]) -> None:
    """Let alarms come and go with what holds now."""
    facts, scope = await work.store.facts(scope, work.now)
    held = conditions.found(scope, facts)
    new = [each.alarm for each in held if each.alarm not in facts.known]
    known = await work.store.alarms(new) if new else facts.known
    await sound(desk.judged(known, held, scope, facts.grid, work.now), known, work)


async def sound(alarms: Iterable[Alarm], known: Mapping[str, Alarm], work: Work[Store]) -> None:
    """Keep alarms that are otherwise than they were known, tell them, and look at them again in time."""
    called = False
    for alarm in alarms:
        before = known.get(alarm.mrid)
        if alarm == before:
            continue
        calls = machine.sounds(before, alarm)
        called |= calls
        await work.store.save_alarm(alarm, calls=calls)
        work.publish(Verb.CREATED if before is None else Verb.CHANGED, Alarms(alarm=(alarm,)), key=alarm.mrid)
        for name, mark in (("shelf", alarm.shelving), ("settling", alarm.suppression)):
            if mark is not None and mark.until_date_time is not None:
                work.wake(name, alarm.mrid, mark.until_date_time)
    if called:
        await count_calls(work)


async def count_calls(work: Work[Store]) -> None:
    """Tell when more alarms call than the operators can look at, and when that is over."""
    known = await work.store.flood()
    flood = flooded(known, await work.store.calls(work.now - WINDOW), work.store.memory.rules.operators, work.now)
    if flood is None:
        return
    if flood != known:
        await work.store.save_flood(flood)
        work.publish(Verb.CHANGED, Alarms(alarm_flood=flood), key="flood")
    if flood.end_date_time is None:
        work.wake("flood", "all", work.now + FLOOD_WATCH)
