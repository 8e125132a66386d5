"""How meters are set up, and where they are."""

from collections.abc import AsyncIterator

from contracts.errors import Conflict, Invalid, NotFound, to_reply
from contracts.message import Message, Reply, Result
from contracts.nouns.master_data_linkage_config import MasterDataLinkageConfig
from contracts.nouns.meter_config import MeterConfig
from contracts.verbs import Verb
from services.meter_reading_and_control.domain import installation as installations
from services.meter_reading_and_control.domain.meters import (
    collisions,
    each_by_itself,
    effective_at,
    same_device,
    together_again,
)
from services.meter_reading_and_control.service.declared import service
from services.meter_reading_and_control.service.events import keep
from services.meter_reading_and_control.service.readings import take
from services.meter_reading_and_control.store import Store
from services.meter_reading_and_control.views import linkage
from shared.work import Whole, Work


@service.on(Verb.CREATE, MeterConfig)
async def take_meters(message: Message[MeterConfig], work: Work[Store]) -> MeterConfig | Whole:
    """New meters; one that is here already and the same stays as it is."""
    known = await known_meters(message.noun, work)
    twins = await find_twins(message, known, work)
    if twins is not None:
        return twins
    for config in each_by_itself(message.noun):
        there = same_device(config.meter[0], known)
        if there is None:
            await set_up(config, Verb.CREATED, work)
        elif there != config:
            mrid = config.meter[0].mrid
            raise Conflict(f"meter {mrid} is set up otherwise; change it", object_id=mrid)
    return message.noun


@service.on(Verb.CHANGE, MeterConfig)
async def change_meters(message: Message[MeterConfig], work: Work[Store]) -> MeterConfig | Whole:
    """How meters are set up from their ConfigurationEvents on, such as with another multiplier; each is told whole."""
    known = await known_meters(message.noun, work)
    twins = await find_twins(message, known, work)
    if twins is not None:
        return twins
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


async def known_meters(noun: MeterConfig, work: Work[Store]) -> dict[str, MeterConfig]:
    """Those of the meters that are known, which nobody else changes until this is done."""
    mrids = [each.mrid for each in noun.meter if each.mrid]
    await work.store.lock_all_of(mrids)
    return await work.store.meters(mrids)


async def find_twins(message: Message[MeterConfig], known: dict[str, MeterConfig], work: Work[Store]) -> Whole | None:
    """Whole messages are refused in which a device has the mRID of another; who told it is remembered for that.

    A source that tells the right device after all is believed again.
    """
    source = message.header.source or work.principal
    twins = collisions(message.noun, known, source)
    if twins:
        await work.store.save_collisions(twins, work.now)
        errors = tuple(error for each in twins for error in to_reply(each.conflict).error)
        return Whole(reply=Reply(result=Result.FAILED, error=errors))
    told = {(each.mrid or "", each.amr_system or source) for each in message.noun.meter}
    open_ones = {each for each in await work.store.collisions(known) if (each.meter, each.source) in told}
    await work.store.end_collisions(open_ones)
    return None


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
    await work.store.move(meter)
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
