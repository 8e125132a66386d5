"""How meters are set up, and where they are."""

from collections.abc import AsyncIterator, Mapping, Sequence

from contracts.errors import BusbarError, NotFound, Rejected, to_reply
from contracts.message import Message, Reply, Result
from contracts.nouns.master_data_linkage_config import MasterDataLinkageConfig
from contracts.nouns.meter_config import MeterConfig
from contracts.nouns.usage_point_config import UsagePointConfig
from contracts.verbs import Verb
from services.meter_reading_and_control.domain import installation as installations
from services.meter_reading_and_control.domain.meters import (
    beginning,
    changing,
    collisions,
    sorted_out,
    together_again,
)
from services.meter_reading_and_control.domain.retention import next_look
from services.meter_reading_and_control.service.declared import service
from services.meter_reading_and_control.service.events import keep
from services.meter_reading_and_control.service.readings import take
from services.meter_reading_and_control.store import Store
from services.meter_reading_and_control.views import linkage
from shared.work import Whole, Work

Payload = MeterConfig | MasterDataLinkageConfig | UsagePointConfig

TOLD_TOGETHER = 200
"""So many meters at most are told in one event, which holds them in XML as well."""


@service.on(Verb.CREATE, MeterConfig)
async def take_meters(message: Message[MeterConfig], work: Work[Store]) -> MeterConfig | Whole:
    """New meters; one that is here already and the same stays as it is."""
    known = await known_meters(message.noun, work)
    twins = await find_twins(message, known, work)
    if twins is not None:
        return twins
    new, errors = sorted_out(message.noun, known, beginning)
    await set_up(new, Verb.CREATED, work)
    return in_parts(together_again(new), len(message.noun.meter), errors) or message.noun


@service.on(Verb.CHANGE, MeterConfig)
async def change_meters(message: Message[MeterConfig], work: Work[Store]) -> MeterConfig | Whole:
    """How meters are set up from their ConfigurationEvents on, such as with another multiplier; each is told whole."""
    known = await known_meters(message.noun, work)
    twins = await find_twins(message, known, work)
    if twins is not None:
        return twins
    new, errors = sorted_out(message.noun, known, changing)
    await set_up(new, Verb.CHANGED, work)
    return in_parts(together_again(new), len(message.noun.meter), errors) or message.noun


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
async def install_meter(
    message: Message[MasterDataLinkageConfig], work: Work[Store]
) -> MasterDataLinkageConfig | Whole:
    """A meter is put where none is."""
    return await relink(message.noun, installations.install, Verb.CREATED, work)


@service.on(Verb.CHANGE, MasterDataLinkageConfig)
async def exchange_meter(
    message: Message[MasterDataLinkageConfig], work: Work[Store]
) -> MasterDataLinkageConfig | Whole:
    """A meter takes the place of what is there, at one instant."""
    return await relink(message.noun, installations.exchange, Verb.CHANGED, work)


@service.on(Verb.DELETE, MasterDataLinkageConfig)
async def remove_meter(message: Message[MasterDataLinkageConfig], work: Work[Store]) -> MasterDataLinkageConfig | Whole:
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


async def set_up(configs: Sequence[MeterConfig], verb: Verb, work: Work[Store]) -> None:
    """Keep how meters are set up, and tell it, together what travels together."""
    if not configs:
        return
    await work.store.save_meters(configs, work.now)
    work.wake("retain", "next", next_look(work.now, work.store.memory.zone))
    by_mrid = {config.meter[0].mrid or "": config for config in configs}
    for line in work.lines(verb, MeterConfig, by_mrid):
        for first in range(0, len(line), TOLD_TOGETHER):
            some = line[first : first + TOLD_TOGETHER]
            work.publish(verb, together_again([by_mrid[mrid] for mrid in some]), key=line[0])


async def relink(
    noun: MasterDataLinkageConfig, order: installations.Order, verb: Verb, work: Work[Store]
) -> MasterDataLinkageConfig | Whole:
    """Do what is ordered about meters and usage points, tell it, and place the readings that waited for it."""
    pairs, at = linkage.the_links(noun)
    meters = [meter for meter, _ in pairs]
    mrids = [mrid for pair in pairs for mrid in pair]
    await work.store.move(meters)
    await work.store.lock_all_of(mrids)
    known, are_set_up = await work.store.installed(mrids), await work.store.set_up_of(meters)
    outcomes = installations.each_in_turn(known, pairs, at, order, are_set_up)
    errors = [each for each in outcomes if isinstance(each, Rejected)]
    done = [(pair, each) for pair, each in zip(pairs, outcomes, strict=True) if not isinstance(each, Rejected)]
    answer = in_parts(linkage.linking([pair for pair, _ in done], noun), len(pairs), errors) or noun
    changed = [(pair, change) for pair, change in done if change != installations.NOTHING]
    await work.store.save_changes([change for _, change in changed], work.now)
    generation = work.store.memory.generation
    await keep([event for _, change in changed for event in linkage.events_of(change, generation)], work)
    tell_links({point: meter for (meter, point), _ in changed}, noun, verb, work)
    await take_what_waited([meter for (meter, _), change in changed if change.begun is not None], work)
    return answer


def tell_links(meters: Mapping[str, str], noun: MasterDataLinkageConfig, verb: Verb, work: Work[Store]) -> None:
    """Tell which meters are at which usage points from now on, or no longer, together what travels together."""
    for line in work.lines(verb, MasterDataLinkageConfig, meters):
        for first in range(0, len(line), TOLD_TOGETHER):
            some = line[first : first + TOLD_TOGETHER]
            work.publish(verb, linkage.linking([(meters[point], point) for point in some], noun), key=line[0])


async def take_what_waited(meters: Sequence[str], work: Work[Store]) -> None:
    """Readings that were told before anybody knew where their meters are."""
    if meters:
        for source, reading in await work.store.refused_of(meters):
            await take([reading], source, work)


def in_parts(done: Payload, ordered: int, errors: Sequence[BusbarError]) -> Whole | None:
    """The answer to an order about many of which some cannot be; None where all can.

    Raises:
        BusbarError: it is about one, which cannot be.
    """
    if not errors:
        return None
    if ordered == 1:
        raise errors[0]
    told = tuple(error for each in errors for error in to_reply(each).error)
    if len(errors) == ordered:
        return Whole(reply=Reply(result=Result.FAILED, error=told))
    return Whole(reply=Reply(result=Result.PARTIAL, error=told), payload=done)
