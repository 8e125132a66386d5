"""Meters, where they are and what they measure; their events, passed on once; controls, and their end."""

import os
from collections.abc import AsyncIterator, Sequence

from msgspec.structs import replace

from contracts.errors import Conflict, Invalid, NotFound, Unavailable, from_reply, to_reply
from contracts.interfaces.meter_reading_and_control import METER_READING_AND_CONTROL
from contracts.message import Message, Reply, Result
from contracts.nouns.end_device_controls import EndDeviceControls
from contracts.nouns.end_device_events import EndDeviceEvent, EndDeviceEvents
from contracts.nouns.master_data_linkage_config import MasterDataLinkageConfig
from contracts.nouns.meter_config import MeterConfig
from contracts.nouns.meter_readings import MeterReading, MeterReadings
from contracts.verbs import Verb
from services.meter_reading_and_control.config import config_from
from services.meter_reading_and_control.domain import calendar
from services.meter_reading_and_control.domain import installation as installations
from services.meter_reading_and_control.domain.controls import (
    Control,
    answer_to,
    answered_at,
    event_of,
    patience,
    the_control,
)
from services.meter_reading_and_control.domain.events import by_usage_point, meter_of, received
from services.meter_reading_and_control.domain.meters import (
    each_by_itself,
    effective_at,
    same_device,
    together_again,
)
from services.meter_reading_and_control.domain.readings import (
    Interval,
    Register,
    empty_block,
    grouped,
    merged,
    news,
)
from services.meter_reading_and_control.store import Store
from services.meter_reading_and_control.views import answers, linkage
from services.meter_reading_and_control.views.derived import Equipment, primary, usages
from services.meter_reading_and_control.views.told import Refusal, Teller
from shared.service import Service
from shared.work import LATER, Later, Wake, Whole, Work

service = Service(METER_READING_AND_CONTROL, store=Store, memory=lambda: config_from(os.environ))


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


@service.on(Verb.CREATE, MeterConfig)
async def take_meters(message: Message[MeterConfig], work: Work[Store]) -> MeterConfig:
    """New meters; one that is here already and the same stays as it is."""
    mrids = [each.mrid for each in message.noun.meter if each.mrid]
    await work.store.lock_all_of(mrids)
    known = await work.store.meters(mrids)
    for config in each_by_itself(message.noun):
        there = same_device(config.meter[0], known)
        if there is None:
            await set_up(config, Verb.CREATED, work)
        elif there != config:
            mrid = config.meter[0].mrid
            raise Conflict(f"meter {mrid} is set up otherwise; change it", object_id=mrid)
    return message.noun


@service.on(Verb.CHANGE, MeterConfig)
async def change_meters(message: Message[MeterConfig], work: Work[Store]) -> MeterConfig:
    """How meters are set up from their ConfigurationEvents on, such as with another multiplier; each is told whole."""
    mrids = [each.mrid for each in message.noun.meter if each.mrid]
    await work.store.lock_all_of(mrids)
    known = await work.store.meters(mrids)
    for config in each_by_itself(message.noun):
        there = same_device(config.meter[0], known)
        if there is None:
            raise NotFound("there is no such meter", code="2.4", object_id=config.meter[0].mrid)
        if there != config:
            await set_up(config, Verb.CHANGED, work)
    return message.noun


@service.on(Verb.GET, MeterConfig)
async def show_meters(message: Message[MeterConfig], work: Work[Store]) -> AsyncIterator[MeterConfig]:
    """Meters as they are set up, those that are named at the beginning of the time that is asked for, or all."""
    request = message.request
    if request is not None and request.id:
        found = await work.store.meters([each.value for each in request.id], request.start_time)
        yield together_again(found.values())
        return
    async for page in work.store.all_meters():
        yield together_again(page)


@service.on(Verb.CREATE, MasterDataLinkageConfig)
async def install_meter(message: Message[MasterDataLinkageConfig], work: Work[Store]) -> MasterDataLinkageConfig:
    """A meter is put where none is."""
    return await relink(message.noun, installations.install, Verb.CREATED, work)


@service.on(Verb.CHANGE, MasterDataLinkageConfig)
async def exchange_meter(message: Message[MasterDataLinkageConfig], work: Work[Store]) -> MasterDataLinkageConfig:
    """A meter takes the place of what is there, at one instant."""
    return await relink(message.noun, installations.exchange, Verb.CHANGED, work)


@service.on(Verb.DELETE, MasterDataLinkageConfig)
async def remove_meter(message: Message[MasterDataLinkageConfig], work: Work[Store]) -> MasterDataLinkageConfig:
    """A meter is taken away; where it was stays known."""
    return await relink(message.noun, installations.remove, Verb.DELETED, work)


@service.on(Verb.GET, MasterDataLinkageConfig)
async def show_linkage(message: Message[MasterDataLinkageConfig], work: Work[Store]) -> MasterDataLinkageConfig:
    """Which meter is at the usage point that is named, or where the meter is, at the time that is asked for."""
    mrid = linkage.the_id(message.request)
    at = (message.request.start_time if message.request else None) or work.now
    known = await work.store.installed([mrid])
    found = installations.at_point(known, mrid, at) or installations.of_meter(known, mrid, at)
    if found is None:
        raise NotFound(f"nothing is known to belong to {mrid} at {at}", object_id=mrid)
    return linkage.shown(found)


@service.on(Verb.CREATED, MeterReadings)
async def hear_readings(message: Message[MeterReadings], work: Work[Store]) -> None:
    """What meters measured; what cannot be taken is kept with the reason, and the rest is taken."""
    await take(message.noun.meter_reading, message.header.source or work.principal, work)


@service.on(Verb.CHANGED, MeterReadings)
async def hear_corrections(message: Message[MeterReadings], work: Work[Store]) -> None:
    """Better values of what was told before; the rule of replacement says whether they are."""
    await take(message.noun.meter_reading, message.header.source or work.principal, work)


@service.on(Verb.CREATE, MeterReadings)
async def enter_readings(message: Message[MeterReadings], work: Work[Store]) -> Whole:
    """Readings from somebody who waits for the word which of them were refused."""
    taken, refused = await take(message.noun.meter_reading, message.header.source or work.principal, work)
    errors = tuple(error for each in refused for error in to_reply(each.error).error)
    result = Result.OK if not errors else Result.PARTIAL if taken else Result.FAILED
    return Whole(reply=Reply(result=result, error=errors))


@service.on(Verb.GET, MeterReadings)
async def show_readings(message: Message[MeterReadings], work: Work[Store]) -> AsyncIterator[MeterReadings]:
    """The readings of usage points, or of those where the meters are that are named; one part for each."""
    asked = answers.question(message.request)
    for point in sorted(await work.store.points_of(asked.points, asked.meters)):
        zone = work.store.memory.zone
        blocks = await work.store.blocks([point], calendar.days(asked.start, asked.end, zone), asked.as_of)
        reads = await work.store.registers([point], (asked.start, asked.end), asked.as_of)
        registers = [register for register, _ in reads]
        equipment = await equipment_of(point, work)
        blocks = [equipment.there(each, zone) for each in blocks]
        blocks += primary(blocks, asked.types, equipment, zone)
        shown = [*answers.of_usage_point(point, blocks, registers, asked, now=work.now, zone=zone)]
        days = usages(point, registers, asked.types, equipment, zone)
        yield MeterReadings(meter_reading=tuple(each for each in (*shown, days) if each is not None))


async def set_up(config: MeterConfig, verb: Verb, work: Work[Store]) -> None:
    """Keep how a meter is set up, and tell it."""
    (meter,) = config.meter
    await work.store.save_meter(config, effective_at(meter))
    work.publish(verb, config, key=meter.mrid or "")


async def relink(
    noun: MasterDataLinkageConfig, order: installations.Order, verb: Verb, work: Work[Store]
) -> MasterDataLinkageConfig:
    """Do what is ordered about one meter and one usage point, tell it, and place the readings that waited for it."""
    meter, point, at = linkage.the_link(noun)
    await work.store.lock_all_of([meter, point])
    if not await work.store.meters([meter]):
        raise Invalid(f"meter {meter} is not known", code="2.4", object_id=meter)
    change = order(await work.store.installed([meter, point]), meter, point, at)
    await work.store.save_change(change)
    await keep(linkage.events_of(change, work.store.memory.generation), work)
    if change.ended is not None or change.begun is not None:
        work.publish(verb, noun, key=point)
    if change.begun is not None:
        for source, reading in await work.store.refused_of(meter):
            await take([reading], source, work)
    return noun


async def keep(events: Sequence[EndDeviceEvent], work: Work[Store]) -> None:
    """Keep events, and pass on what is new."""
    meters = [meter for event in events if (meter := meter_of(event)) is not None]
    places, known = await work.store.places(meters), await work.store.installed(meters)
    generation = work.store.memory.generation
    heard = [received(event, work.new_id(), places | linkage.placed(event, known), generation) for event in events]
    await work.store.learn_places(events)
    for usage_point, new in by_usage_point(await work.store.add(heard)).items():
        work.publish(Verb.CREATED, EndDeviceEvents(end_device_event=tuple(new)), key=usage_point)


async def equipment_of(point: str, work: Work[Store]) -> Equipment:
    """The meters that ever were at a usage point."""
    there = [each for each in await work.store.installed([point]) if each.usage_point == point]
    return Equipment(installed=there, setups=await work.store.setups([each.meter for each in there]))


async def take(readings: Sequence[MeterReading], source: str, work: Work[Store]) -> tuple[int, list[Refusal]]:
    """Take what can be taken of ``readings`` and tell what is new of it.

    Returns:
        how many values could be taken, and what was refused, which is kept as well.
    """
    mrids = [each.mrid for reading in readings for each in (reading.meter, reading.usage_point) if each and each.mrid]
    await work.store.lock_all_of(mrids)
    teller = Teller(
        source=source,
        zone=work.store.memory.zone,
        now=work.now,
        installed=await work.store.installed(mrids),
        meters=frozenset(await work.store.meters(mrids)),
    )
    told = [each for reading in readings for each in teller.read(reading)]
    refused = [each for each in told if isinstance(each, Refusal)]
    for each in refused:
        await work.store.refuse(each.part, each.error, source, work.now)
    await take_intervals([each for each in told if isinstance(each, Interval)], work)
    await take_registers([each for each in told if isinstance(each, Register)], work)
    return len(told) - len(refused), refused


async def take_intervals(told: Sequence[Interval], work: Work[Store]) -> None:
    """Put values of intervals into the blocks of their days; a block that changes has a new version."""
    zone = work.store.memory.zone
    for (point, day), of_day in grouped(told, lambda each: (each.usage_point, each.day)):
        known = {(each.reading_type, each.meter): each for each in await work.store.blocks([point], (day, day), None)}
        for (code, meter), values in grouped(of_day, lambda each: (each.reading_type, each.meter)):
            old = known.get((code, meter)) or empty_block(point, code, day, meter, zone)
            changed = merged(old.values, [(each.place, each.value) for each in values])
            if changed is None:
                continue
            new = replace(old, version=old.version + 1, values=changed)
            await work.store.save_block(new, work.now)
            if fresh := news(old.values, changed):
                verb = Verb.CHANGED if any(old.values[place] is not None for place in fresh) else Verb.CREATED
                work.publish(verb, MeterReadings(meter_reading=(answers.block_news(new, fresh, zone),)), key=point)


async def take_registers(told: Sequence[Register], work: Work[Store]) -> None:
    """Keep values of registers; a better one for the same time is a new version."""
    for (point, at), together in grouped(told, lambda each: (each.usage_point, each.read_at)):
        reads = await work.store.registers([point], (at, at), None)
        known = {(each.reading_type, each.meter): (each.value, version) for each, version in reads}
        for (code, meter), values in grouped(together, lambda each: (each.reading_type, each.meter)):
            old, version = known.get((code, meter), (None, 0))
            best = max([each.value for each in values], key=lambda value: value.precedence)
            if old is not None and best.precedence <= old.precedence:
                continue
            new = replace(values[0], value=best)
            await work.store.save_register(new, version + 1, work.now)
            if old is None or old.says != best.says:
                verb = Verb.CREATED if old is None else Verb.CHANGED
                work.publish(verb, MeterReadings(meter_reading=(answers.register_news(new),)), key=point)
