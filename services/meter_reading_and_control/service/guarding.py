"""What is known of the places where something is to be disconnected or connected, and what was ordered before."""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from contracts.codes.end_device_controls import ControlKind
from contracts.errors import Conflict
from contracts.message import Message
from contracts.nouns.service_requests import ServiceRequests
from contracts.nouns.usage_point_groups import UsagePointGroups
from contracts.verbs import Verb
from services.meter_reading_and_control.domain.controls import Command
from services.meter_reading_and_control.domain.guards import (
    CLOSING,
    HOUR,
    Facts,
    dispute_in,
    points_of,
    same_words,
)
from services.meter_reading_and_control.domain.quiet import Quiet, quiet
from services.meter_reading_and_control.domain.readings import grouped
from services.meter_reading_and_control.service.declared import service
from services.meter_reading_and_control.store import Store
from shared.work import Work

DISCONNECTIONS = "disconnections"
"""The lock of whoever counts how many are disconnected."""


async def facts_for(asked: Sequence[Command], work: Work[Store]) -> Facts:
    """What the guards want to know; customer management is asked only where something is to be disconnected."""
    if all(each.kind is not ControlKind.DISCONNECT for each in asked):
        return await facts_here(asked, work)
    groups = (await work.request(UsagePointGroups, role="customer-management")).usage_point_group
    here = await facts_here(asked, work)
    at = await where(points_of(asked), work)
    needs = {point.mrid: group.type or "critical" for group in groups for point in group.usage_points if point.mrid}
    return replace(here, needs=needs | {meter: needs[point] for meter, point in at.items() if point in needs})


async def facts_here(asked: Sequence[Command], work: Work[Store]) -> Facts:
    """What is known here by what others told, without asking anybody."""
    fed = await fed_behind(points_of(each for each in asked if each.kind in CLOSING), work)
    of_campaigns = [each.device for each in asked if each.campaign]
    alone = await left_alone(await where(of_campaigns, work), work) if of_campaigns else {}
    places = points_of(each for each in asked if each.kind is ControlKind.DISCONNECT)
    if not places:
        return Facts(needs={}, dark=frozenset(), fed=fed, quiet=alone)
    at = await where(places, work)
    points = {*places, *at.values()}
    disputed, noticed = await work.store.disputed(points), await work.store.noticed(points, work.now)
    agreed = await work.store.agreed_at(sorted(points))
    return Facts(
        needs={},
        fed=fed,
        quiet=alone,
        dark=await work.store.dark(places),
        agreed=agreed | {meter: agreed[point] for meter, point in at.items() if point in agreed},
        disputed=disputed | {meter for meter, point in at.items() if point in disputed},
        noticed=noticed | {meter: noticed[point] for meter, point in at.items() if point in noticed},
    )


async def fed_behind(places: Sequence[str], work: Work[Store]) -> frozenset[str]:
    """Those of the places that have voltage behind an open switch, as a meter there has said."""
    if not places:
        return frozenset()
    at = await where(places, work)
    fed = await work.store.fed_behind({*places, *at, *at.values()})
    return fed | {meter for meter, point in at.items() if point in fed}


async def left_alone(meters: Mapping[str, str], work: Work[Store]) -> dict[str, Quiet]:
    """Those of the meters, with their usage points, that a campaign leaves alone now."""
    loads = grouped(await work.store.loads({*meters, *meters.values()}), lambda each: each.device)
    agreed = await work.store.agreed_at(sorted({*meters.values()}))
    found = {}
    for meter, point in meters.items():
        own = [load for device, of_device in loads if device in {meter, point} for load in of_device]
        if (until := quiet(own, agreed.get(point, ()), work.now)) is not None:
            found[meter] = until
    return found


async def where(places: Sequence[str], work: Work[Store]) -> dict[str, str]:
    """At which usage points meters are, of those that are named or at a usage point that is."""
    return {each.meter: each.usage_point for each in await work.store.installed(places) if each.ends is None}


@service.on(Verb.CREATED, ServiceRequests)
@service.on(Verb.CHANGED, ServiceRequests)
@service.on(Verb.CLOSED, ServiceRequests)
async def hear_of_request(message: Message[ServiceRequests], work: Work[Store]) -> None:
    """Whether a dispute is open; other requests of customers guard nothing."""
    for dispute in filter(None, map(dispute_in, message.noun.service_request)):
        await work.store.save_dispute(dispute)


async def counted(facts: Facts, asked: Sequence[Command], work: Work[Store]) -> Facts:
    """The facts with how many are disconnected; who else counts waits, so that two requests are not one too many."""
    if all(each.kind is not ControlKind.DISCONNECT for each in asked):
        return facts
    await work.store.lock_all_of([DISCONNECTIONS])
    since = work.now - HOUR
    others = frozenset(await work.store.second_words(same_words(asked), since))
    return replace(
        facts,
        disconnected=await work.store.disconnected_since(since),
        feeders=await work.store.feeders_of([each.device for each in asked], since),
        second=others,
    )


async def refuse_repeated(asked: Sequence[Command], work: Work[Store]) -> None:
    """Refuse what is kept and was given before, and a second order to a switch while one is under way."""
    mrids = sorted({each.control.mrid for each in asked if each.control.mrid})
    if campaigns := (await work.store.campaigns(mrids) if mrids else []):
        raise Conflict(f"{campaigns[0].mrid} is a campaign", code="5.2", object_id=campaigns[0].mrid)
    named = sorted({each.control.mrid for each in asked if each.is_kept and each.control.mrid})
    for other in await work.store.in_the_way(named, (each.device for each in asked if each.switches)):
        if other.mrid in named:
            raise Conflict(f"the control {other.mrid} was given before", code="5.2", object_id=other.mrid)
        raise Conflict(f"another control of {other.device} is under way", code="5.2", object_id=other.mrid)
