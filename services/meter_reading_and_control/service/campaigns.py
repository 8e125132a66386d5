"""Campaigns are drafted, approved by somebody else, told to devices a few at a time, paused when too many fail.

All that a campaign does is one look at it (:func:`look`): at its time, when somebody steers it, and when a device has
ended. Who looks has the lock of the campaign; a device is told and noted in one commit, so a process that dies between
two devices has told each once. What is told goes by the lanes of controls like all else.
"""

from collections.abc import AsyncIterator, Sequence

from msgspec import json
from msgspec.structs import replace

from contracts.errors import Conflict, Invalid, NotFound, Unavailable
from contracts.message import Message
from contracts.nouns.end_device_controls import EndDeviceControls
from contracts.nouns.reading_types import ReadingReasonKind
from contracts.verbs import Verb
from services.meter_reading_and_control.domain import campaigns
from services.meter_reading_and_control.domain.addressing import user_of
from services.meter_reading_and_control.domain.campaigns import RUNS, Campaign, Device, DeviceState, Event, State
from services.meter_reading_and_control.domain.controls import Command
from services.meter_reading_and_control.domain.reads import UNAVAILABLE, Job, Part, Wanted
from services.meter_reading_and_control.service.asking import ask
from services.meter_reading_and_control.service.declared import service
from services.meter_reading_and_control.service.guarding import left_alone, where
from services.meter_reading_and_control.service.lanes import line_up
from services.meter_reading_and_control.store import Store
from services.meter_reading_and_control.views import campaigns as views
from shared.work import Wake, Work

NOWHERE = ("2.13", "the meter is nowhere")


async def draft(message: Message[EndDeviceControls], work: Work[Store]) -> EndDeviceControls:
    """A new campaign, for the devices that are named and the members of its groups now; the same again is the same."""
    wanted = views.drafted(message, user_of(message), work.now)
    known = await work.store.campaign(wanted.mrid)
    if known is not None and known.control == wanted.control:
        return await as_it_stands(known, work)
    if known is not None or await work.store.commands_named([wanted.mrid]):
        raise Conflict(f"the control {wanted.mrid} was given before", code="5.2", object_id=wanted.mrid)
    named = [each.mrid for each in wanted.control.end_devices if each.mrid]
    members = await work.store.members(each.mrid or "" for each in wanted.control.end_device_groups)
    devices = list(dict.fromkeys([*named, *members]))
    there = await where(devices, work)
    if not there.keys() & set(devices):
        raise Invalid("none of its devices is anywhere", code="2.13" if devices else "2.4", object_id=wanted.mrid)
    drawn = campaigns.drawn(wanted.mrid, (each for each in devices if each in there), work.now)
    gone = [
        skipped(Device(device=each, place=place, due_at=work.now))
        for place, each in enumerate((each for each in devices if each not in there), start=len(drawn))
    ]
    await keep(wanted, work)
    await work.store.save_devices(wanted.mrid, [*drawn, *gone])
    return await as_it_stands(wanted, work)


@service.on(Verb.CHANGE, EndDeviceControls)
async def steer(message: Message[EndDeviceControls], work: Work[Store]) -> EndDeviceControls:
    """A campaign is approved, paused or goes on, as the option ``campaign`` says; its control stays what it is."""
    event, mrid = views.steered(message), views.the_control(message.noun).mrid or ""
    before = await work.store.campaign(mrid)
    if before is None:
        raise NotFound("there is no such campaign", code="2.15", object_id=mrid)
    if event is Event.APPROVE:
        after = campaigns.approved(before, user_of(message), work.now)
    else:
        after = campaigns.moved(before, event, work.now, message.noun.end_device_control[0].reason or "")
    return await as_it_stands(await look(await keep(after, work), work), work)


async def abort(mrids: Sequence[str], work: Work[Store]) -> bool:
    """Campaigns among the controls that are cancelled end; what was sent runs on and is noted. True where one was."""
    known = [await work.store.campaign(each) for each in sorted(set(mrids))]
    for before in filter(None, known):
        after = campaigns.moved(before, Event.ABORT, work.now)
        await work.store.take_back(after.mrid, work.now)
        await work.store.skip_all(after.mrid, "the campaign was aborted")
        await look(await keep(after, work), work)
    return any(known)


async def show(message: Message[EndDeviceControls], work: Work[Store]) -> AsyncIterator[EndDeviceControls]:
    """How campaigns stand, those that are named or all, with each of their devices where that is asked for."""
    named = [] if message.request is None else [each.value for each in message.request.id]
    known = await work.store.campaigns(named)
    counts = await work.store.counts_in([each.mrid for each in known])
    yield EndDeviceControls(end_device_control=tuple(views.shown(each, counts.get(each.mrid, {})) for each in known))
    for each in known if views.options(message)[views.CAMPAIGN] == views.DEVICES else ():
        async for page in work.store.devices_of(each.mrid):
            yield EndDeviceControls(end_device_control=tuple(views.device_shown(each, device) for device in page))


@service.on_wake("campaign")
async def go_on(wake: Wake, work: Work[Store]) -> None:
    """The time has come at which something of a campaign is due."""
    campaign = await work.store.campaign(wake.key)
    if campaign is not None:
        await look(campaign, work)


@service.on_wake("campaign-answer")
async def hear_of_device(wake: Wake, work: Work[Store]) -> None:
    """A device has done what it was told, or not, or nobody knows; who has done it is read."""
    command = json.decode(wake.payload, type=Command)
    campaign = await work.store.campaign(command.campaign)
    before = await work.store.device_of(command.campaign, command.device)
    if campaign is not None and before is not None:
        error = command.error
        code, reason = ("", "") if error is None else (error.code, error.reason)
        await work.store.forget_commands_of(command.ticket)
        await note(campaign, before, campaigns.answered(before, code, reason, work.now), work)


@service.on_wake("campaign-read")
async def hear_of_read(wake: Wake, work: Work[Store]) -> None:
    """A device that has done it was read, or cannot be."""
    mrid, name = json.decode(wake.key, type=tuple[str, str])
    job = json.decode(wake.payload, type=Job)
    campaign, before = await work.store.campaign(mrid), await work.store.device_of(mrid, name)
    if campaign is not None and before is not None:
        code = "" if job.answered else job.failures[0].code if job.failures else UNAVAILABLE
        await note(campaign, before, campaigns.read(before, work.now, code), work)


async def note(campaign: Campaign, before: Device, after: Device, work: Work[Store]) -> None:
    """Keep how a device stands, tell it where it has ended, and look at the campaign, which may pause because of it."""
    await work.store.save_devices(campaign.mrid, [after])
    if after.state not in campaigns.OPEN and after.state is not before.state:
        told = EndDeviceControls(end_device_control=(views.device_shown(campaign, after),))
        work.publish(Verb.CHANGED, told, key=after.device)
        work.count("campaign_devices", state=after.state.lower())
    counted = campaigns.counted(campaign, before, after, work.now)
    await look(counted if counted.state is campaign.state else await keep(counted, work), work)


async def look(campaign: Campaign, work: Work[Store]) -> Campaign:
    """Do what is due of a campaign, and be woken when more is."""
    for device in await work.store.to_read(campaign.mrid, work.now):
        await read(campaign, device, work)
    campaign = await stepped(campaign, work)
    if campaign.state in RUNS:
        campaign = await stepped(await tell(campaign, work), work)
    elif campaign.state is State.PAUSED:
        await work.store.take_back(campaign.mrid, work.now)
    await work.store.save_campaign(campaign)
    await look_again(campaign, work)
    return campaign


async def stepped(campaign: Campaign, work: Work[Store]) -> Campaign:
    """The campaign after what comes by itself: its time, the end of the first devices, the end of all."""
    is_due = campaign.begins is None or campaign.begins <= work.now
    if campaign.state is State.APPROVED and is_due:
        campaign = await keep(campaigns.moved(campaign, Event.BEGIN, work.now), work)
    if campaign.state is State.CANARY and not await work.store.is_any_open(campaign.mrid, campaign.canaries):
        campaign = await keep(campaigns.moved(campaign, Event.PROVE, work.now), work)
    if campaign.state is State.ROLLING and not await work.store.is_any_open(campaign.mrid, None):
        campaign = await keep(campaigns.moved(campaign, Event.FINISH, work.now), work)
    return campaign


async def tell(campaign: Campaign, work: Work[Store]) -> Campaign:
    """Tell the next devices, as many as may be told now; where none may, take back what still waits for its turn."""
    zone, is_storm = work.store.memory.zone, (await work.store.storm()).since is not None
    if is_storm or not campaign.window.allows(work.now, zone):
        await work.store.take_back(campaign.mrid, work.now)
    under_way = await work.store.under_way_in(campaign.mrid)
    most = campaigns.room(campaign, under_way, work.now, zone, is_storm=is_storm)
    due = await work.store.to_tell(campaign.mrid, first_of(campaign), work.now, most)
    there = await where([each.device for each in due], work)
    alone = await left_alone(there, work)
    await work.store.save_devices(campaign.mrid, [skipped(each) for each in due if each.device not in there])
    put_off = [campaigns.put_off(each, *alone[each.device]) for each in due if each.device in alone]
    await work.store.save_devices(campaign.mrid, put_off)
    sent = [each for each in due if each.device in there.keys() - alone.keys()]
    if not sent:
        return campaign
    try:
        async with work.part("tell") as part:
            await part.store.save_devices(campaign.mrid, [campaigns.told(each) for each in sent])
            await line_up([campaigns.command(campaign, each, work.now) for each in sent], part)
    except Unavailable:  # so many wait at a head-end that it takes no more: they are told with the next batch
        pass
    return replace(campaign, next_at=work.now + campaign.pause)


async def read(campaign: Campaign, device: Device, work: Work[Store]) -> None:
    """Read a device that has done it; where it is nowhere any more nobody will know how it is."""
    there = await where([device.device], work)
    if device.device not in there:
        await work.store.save_devices(campaign.mrid, [skipped(device)])
        return
    await work.store.save_devices(campaign.mrid, [campaigns.asked(device, work.now)])
    job = Job(
        mrid=work.new_id(),
        parts=(Part(wanted=Wanted(meter=device.device), usage_point=there[device.device]),),
        asked_at=work.now,
        due_at=work.now + work.store.memory.read_patience,
        reason=ReadingReasonKind.OTHER,
        then="campaign-read",
        about=json.encode((campaign.mrid, device.device)).decode(),
    )
    await ask(job, work)


async def look_again(campaign: Campaign, work: Work[Store]) -> None:
    """Be woken when the next device may be told or read, and when the window closes on those that wait."""
    tells, reads = await work.store.next_due(campaign.mrid, first_of(campaign))
    times = [] if reads is None else [reads]
    if campaign.state is State.APPROVED and campaign.begins is not None:
        times.append(campaign.begins)
    if campaign.state in RUNS:
        zone, under_way = work.store.memory.zone, await work.store.under_way_in(campaign.mrid)
        is_storm = (await work.store.storm()).since is not None
        least = work.now + campaigns.STORM_LOOK if is_storm else work.now
        if tells is not None and under_way < campaigns.UNDER_WAY:
            times.append(campaign.window.opens(max(tells, campaign.next_at or least, least), zone))
        if under_way and campaign.window.allows(work.now, zone):
            times.append(campaign.window.closes(work.now, zone))
    if times:
        work.wake("campaign", campaign.mrid, max(min(times), work.now))


async def keep(campaign: Campaign, work: Work[Store]) -> Campaign:
    """Keep a campaign in another state, and tell all who listen."""
    await work.store.save_campaign(campaign)
    work.count("campaigns", state=campaign.state.lower())
    work.publish(Verb.CHANGED, await as_it_stands(campaign, work), key=campaign.mrid)
    return campaign


async def as_it_stands(campaign: Campaign, work: Work[Store]) -> EndDeviceControls:
    """A campaign with how many of its devices stand how."""
    counts = await work.store.counts_in([campaign.mrid])
    return EndDeviceControls(end_device_control=(views.shown(campaign, counts.get(campaign.mrid, {})),))


def first_of(campaign: Campaign) -> int | None:
    """How many devices are told while it is among the first; None where all are."""
    return campaign.canaries if campaign.state is State.CANARY else None


def skipped(device: Device) -> Device:
    """A device that is not told since its meter is nowhere."""
    code, reason = NOWHERE
    return replace(device, state=DeviceState.SKIPPED, code=code, reason=reason)
