"""Devices that belong together: whoever names the group means its members."""

from collections.abc import Iterable

from contracts.errors import Conflict, Invalid, NotFound
from contracts.message import Message
from contracts.nouns.end_device_groups import EndDeviceGroup, EndDeviceGroups
from contracts.verbs import Verb
from services.meter_reading_and_control.service.declared import service
from services.meter_reading_and_control.store import Store
from services.meter_reading_and_control.views.schedules import each_group
from shared.work import Work


@service.on(Verb.CREATE, EndDeviceGroups)
async def make_groups(message: Message[EndDeviceGroups], work: Work[Store]) -> EndDeviceGroups:
    """New groups of meters that are known; one that is here already and the same stays as it is."""
    wanted = each_group(message.noun)
    known = await known_groups(wanted, work)
    for group in wanted:
        there = known.get(group.mrid or "")
        if there is not None and there != group:
            raise Conflict(f"group {group.mrid} has other members; change it", object_id=group.mrid)
        if there is None:
            await keep_group(group, Verb.CREATED, work)
    return message.noun


@service.on(Verb.CHANGE, EndDeviceGroups)
async def change_groups(message: Message[EndDeviceGroups], work: Work[Store]) -> EndDeviceGroups:
    """Groups as they are from now on, with all their members."""
    wanted = each_group(message.noun)
    known = await known_groups(wanted, work)
    for group in wanted:
        there = known.get(group.mrid or "")
        if there is None:
            raise NotFound("there is no such group", object_id=group.mrid)
        if there != group:
            await keep_group(group, Verb.CHANGED, work)
    return message.noun


@service.on(Verb.DELETE, EndDeviceGroups)
async def delete_groups(message: Message[EndDeviceGroups], work: Work[Store]) -> EndDeviceGroups:
    """Groups that are no more; one that a schedule reads stays."""
    wanted = each_group(message.noun)
    known = await known_groups(wanted, work)
    for group in wanted:
        if group.mrid in await work.store.groups_in_use():
            raise Conflict(f"group {group.mrid} is read by a schedule; cancel it first", object_id=group.mrid)
        if group.mrid in known:
            await work.store.delete_group(group.mrid)
            work.publish(Verb.DELETED, EndDeviceGroups(end_device_group=(known[group.mrid],)), key=group.mrid)
    return message.noun


@service.on(Verb.GET, EndDeviceGroups)
async def show_groups(message: Message[EndDeviceGroups], work: Work[Store]) -> EndDeviceGroups:
    """The groups that are named, or all."""
    ids = [] if message.request is None else [each.value for each in message.request.id]
    return EndDeviceGroups(end_device_group=tuple((await work.store.groups(ids)).values()))


async def known_groups(wanted: Iterable[EndDeviceGroup], work: Work[Store]) -> dict[str, EndDeviceGroup]:
    """Those of the groups that are known, which nobody else changes until this is done."""
    mrids = [each.mrid for each in wanted if each.mrid]
    await work.store.lock_all_of(mrids)
    return await work.store.groups(mrids) if mrids else {}


async def keep_group(group: EndDeviceGroup, verb: Verb, work: Work[Store]) -> None:
    """Keep a group of meters that are known, and tell it."""
    members = [each.mrid for each in group.end_devices if each.mrid]
    known = await work.store.meters(members)
    stranger = next((each for each in members if each not in known), None)
    if stranger is not None:
        raise Invalid(f"meter {stranger} is not known", code="2.4", object_id=stranger)
    await work.store.save_group(group)
    work.publish(verb, EndDeviceGroups(end_device_group=(group,)), key=group.mrid or "")
