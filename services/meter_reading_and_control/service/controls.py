"""What is asked of devices: guarded, passed on once, answered once; and what is not answered is read back."""

from collections.abc import AsyncIterator
from datetime import datetime

from msgspec import json
from msgspec.structs import replace

from contracts.codes.end_device_controls import ControlKind
from contracts.errors import BusbarError, NotFound, Rejected, Unavailable, from_reply, to_reply
from contracts.message import Message, Reply, Result
from contracts.nouns.end_device_controls import EndDeviceControls
from contracts.nouns.meter_service_requests import MeterServiceRequests
from contracts.nouns.reading_types import ReadingReasonKind
from contracts.nouns.usage_point_config import UsagePoint
from contracts.verbs import Verb
from services.meter_reading_and_control.domain import addressing, controls, services, usage_points
from services.meter_reading_and_control.domain.controls import Command, Event, State
from services.meter_reading_and_control.domain.guards import forbidden, needs_second_person, same_words
from services.meter_reading_and_control.domain.reads import Job, Part, Wanted
from services.meter_reading_and_control.service import campaigns, reconfiguring
from services.meter_reading_and_control.service.asking import ask
from services.meter_reading_and_control.service.declared import service
from services.meter_reading_and_control.service.events import keep
from services.meter_reading_and_control.service.guarding import counted, facts_for, refuse_repeated
from services.meter_reading_and_control.service.lanes import hear_from, line_up, miss
from services.meter_reading_and_control.service.settling import keep_command, settle
from services.meter_reading_and_control.store import Store
from services.meter_reading_and_control.views import campaigns as views
from shared.work import LATER, Later, Wake, Whole, Work

LOOK = " state"
"""What a question for the state of a switch is about: the command and this word."""


@service.on(Verb.CREATE, EndDeviceControls)
async def take_controls(message: Message[EndDeviceControls], work: Work[Store]) -> Whole | Later | EndDeviceControls:
    """Controls are guarded and sent to the head-end, or wait for their time; who asked hears when it is known.

    With the option ``campaign`` it is a campaign, of which nothing is sent before it is approved.
    """
    if views.CAMPAIGN in views.options(message):
        return await campaigns.draft(message, work)
    named = {group.mrid or "" for each in message.noun.end_device_control for group in each.end_device_groups}
    groups = {mrid: await work.store.members([mrid]) for mrid in sorted(named)}
    return await order(
        addressing.commands(message.noun, work.ticket, addressing.user_of(message), work.now, groups), work
    )


@service.on(Verb.CREATE, MeterServiceRequests)
async def take_services(message: Message[MeterServiceRequests], work: Work[Store]) -> Whole | Later:
    """To disconnect and to reconnect are controls of meters; how each piece of work ended is told to all."""
    return await order(services.ordered(message.noun, work.ticket, addressing.user_of(message), work.now), work)


async def order(asked: list[Command], work: Work[Store]) -> Whole | Later:
    """Judge commands by the guards, and give them, or have them wait for their time."""
    user = asked[0].user
    facts = await facts_for(asked, work)
    await work.store.lock_all_of([each.device for each in asked if each.switches])
    await refuse_repeated(asked, work)
    facts = await counted(facts, asked, work)
    for command in asked:
        if (no := forbidden(command, facts, work.store.memory.guards, work.now, work.store.memory.zone)) is not None:
            raise no
    if (no := needs_second_person(asked, facts, work.store.memory.guards)) is not None:
        await work.store.say_second_word(same_words(asked), user, work.now)
        return Whole(reply=Reply(result=Result.FAILED, error=to_reply(no).error))
    await work.store.expect(work.ticket, len(asked))
    later = [each for each in asked if each.starts is not None and each.starts > work.now]
    for command in later:
        await keep_command(controls.moved(command, Event.PUT_OFF, work.now), work)
        work.wake("control", command.id, command.starts or work.now)
    await line_up([each for each in asked if each not in later], work)
    return LATER


@service.on(Verb.CANCEL, EndDeviceControls)
async def cancel_controls(message: Message[EndDeviceControls], work: Work[Store]) -> Later | None:
    """What was not sent is cancelled; of what was sent the head-end says whether it can be. A campaign ends."""
    mrids = [each.mrid for each in message.noun.end_device_control if each.mrid]
    if await campaigns.abort(mrids, work):
        return None
    known = [await work.store.command(each.id) for each in await work.store.commands_named(mrids)] if mrids else []
    found = [each for each in known if each is not None]
    if not found:
        raise NotFound("there is no such control", code="2.15")
    waiting = 0
    for before in found:
        holds = controls.holds(before, work.now)
        after = controls.moved(before, Event.RELEASE if holds else Event.CANCEL, work.now)
        if after.state is not State.CANCELLED:
            waiting, after = waiting + 1, replace(after, cancel_ticket=work.ticket)
            word = controls.released(after) if holds else EndDeviceControls(end_device_control=(after.control,))
            work.send(Verb.CANCEL, word, about=after.id)
        await settle(before, after, work)
    if not waiting:
        return None
    await work.store.expect(work.ticket, waiting)
    return LATER


@service.on(Verb.GET, EndDeviceControls)
async def show_controls(message: Message[EndDeviceControls], work: Work[Store]) -> AsyncIterator[EndDeviceControls]:
    """How the controls that are named stand, or all of which not everything is known; or how campaigns stand."""
    if views.CAMPAIGN in views.options(message):
        async for part in campaigns.show(message, work):
            yield part
        return
    named = [] if message.request is None else [each.value for each in message.request.id]
    yield controls.shown(await work.store.commands_named(named))


@service.on_reply(Verb.CREATE, EndDeviceControls)
async def hear_of_control(message: Message[EndDeviceControls], work: Work[Store]) -> None:
    """What a device did, or how its switch stands, counts whenever it comes, and once."""
    command = await work.store.command(work.about.removesuffix(LOOK))
    if command is None:
        return
    failure = None if message.reply is None else from_reply(message.reply)
    await hear_from(command, failure, work)
    at = controls.answered_at(message.payload, work.now)
    if work.about.endswith(LOOK):
        stands = None if failure is not None else controls.stands_as_wanted(command, message.payload)
        if stands is None:
            await look_again(command, work)
            return
        reason = "" if stands else "the switch stands otherwise"
        await hear(
            command,
            Event.CONFIRM if stands else Event.REFUSE,
            at,
            None if stands else Rejected(reason, code="5.3"),
            work,
        )
    elif isinstance(failure, Unavailable) and command.switches:
        await hear(command, Event.TIME_OUT, work.now, failure, work)
    else:
        await hear(command, Event.CONFIRM if failure is None else Event.REFUSE, at, failure, work)


@service.on_reply(Verb.CANCEL, EndDeviceControls)
async def hear_of_cancellation(message: Message[EndDeviceControls], work: Work[Store]) -> None:
    """The head-end has cancelled a control; where it had been carried out, that word comes by itself."""
    command = await work.store.command(work.about)
    failure = None if message.reply is None else from_reply(message.reply)
    if command is not None and (failure is None or command.state is State.RELEASING):
        await hear(command, Event.DROPPED if failure is None else Event.REFUSE, work.now, failure, work)


@service.on_wake("control")
async def carry_out(wake: Wake, work: Work[Store]) -> None:
    """The time of a control has come; the guards are asked once more, since much may have happened since."""
    waiting = await work.store.waiting_command(wake.key)
    if waiting is None:
        return
    facts = await facts_for([waiting], work)
    command = await work.store.command(wake.key)
    if command is None or not controls.can(command, Event.SEND):
        return
    rules, zone = work.store.memory.guards, work.store.memory.zone
    no = forbidden(command, facts, rules, work.now, zone)
    if no is None:
        await line_up([command], work)
    else:
        await settle(command, controls.moved(command, Event.FORBID, work.now, code=no.code, reason=no.reason), work)


@service.on_wake("patience")
async def give_up(wake: Wake, work: Work[Store]) -> None:
    """No answer is no word about the device: the asker is told that there was none, and a switch is looked at."""
    command = await work.store.command(wake.key)
    if command is not None and controls.can(command, Event.TIME_OUT):
        await miss(command, work)
        await hear(command, Event.TIME_OUT, work.now, None, work)


@service.on_wake("switch")
async def look(wake: Wake, work: Work[Store]) -> None:
    """The head-end is asked how a switch stands of which nobody knows."""
    command = await work.store.command(wake.key)
    if command is not None and command.state is State.UNKNOWN and command.looks < controls.LOOKS:
        await work.store.save_command(replace(command, looks=command.looks + 1))
        work.send(Verb.CREATE, controls.question(command), about=command.id + LOOK)
        work.wake("switch", command.id, work.now + controls.LOOK_AGAIN)


@service.on_wake("switched")
async def close(wake: Wake, work: Work[Store]) -> None:
    """The register was read after a switch had moved, or what was to hold for a while is over: nothing more follows."""
    command = await work.store.command(wake.key)
    if command is not None and controls.can(command, Event.READ_BACK):
        code = "4.1" if command.state is State.RELEASING else ""
        await settle(command, controls.moved(command, Event.READ_BACK, work.now, code=code), work)


async def hear(command: Command, event: Event, at: datetime, failure: BusbarError | None, work: Work[Store]) -> None:
    """A word about a command; one for which the table has no step came late or twice, and changes nothing."""
    if not controls.can(command, event):
        return
    code, reason = ("", "") if failure is None else (failure.code, failure.reason)
    after = controls.moved(command, event, at, code=code, reason=reason)
    if after.state is State.UNKNOWN and after.switches:
        work.wake("switch", after.id, work.now)
    generation, told = work.store.memory.generation, []
    if after.state in {State.CONFIRMED, State.FAILED}:
        late = command.state is State.UNKNOWN
        told = [each for each in [controls.event_of(after, at, generation, late=late)] if each is not None]
    if command.state is State.CANCEL_PENDING and after.state is State.CONFIRMED:
        told.append(controls.crossed(after, at, generation))
    await keep(told, work)
    if after.state is State.CONFIRMED:
        await reconfiguring.note(after, work)
    if after.state is State.CONFIRMED and after.switches:
        work.wake("moved", after.id, work.now, json.encode(after).decode())
    elif after.state is State.CONFIRMED and after.ends is not None:
        work.wake("switched", after.id, after.ends)
    await settle(command, after, work)


async def look_again(command: Command, work: Work[Store]) -> None:
    """The state of a switch could not be told; it is asked for again after a while, some times."""
    if command.state is State.UNKNOWN and command.looks < controls.LOOKS:
        work.wake("switch", command.id, work.now + controls.LOOK_AGAIN)


@service.on_wake("moved")
async def read_back(wake: Wake, work: Work[Store]) -> None:
    """Read the register of a meter whose switch has moved; the readings are told like all others.

    Who asked for it hears first that it has.
    """
    command = json.decode(wake.payload, type=Command)
    known = await work.store.installed([command.device])
    here = next((each for each in known if each.ends is None), None)
    if here is None:
        return
    setups = await work.store.usage_points([here.usage_point])
    point = usage_points.at(setups.get(here.usage_point, ()), work.now) or UsagePoint(mrid=here.usage_point)
    work.publish(Verb.CHANGED, services.connection(point, command.kind), key=here.usage_point)
    disconnected = command.kind is ControlKind.DISCONNECT
    job = Job(
        mrid=work.new_id(),
        parts=(Part(wanted=Wanted(meter=here.meter), usage_point=here.usage_point),),
        asked_at=work.now,
        due_at=work.now + work.store.memory.read_patience,
        reason=ReadingReasonKind.SERVICE_DISCONNECT if disconnected else ReadingReasonKind.SERVICE_CONNECT,
        then="switched",
        about=command.id,
    )
    await ask(job, work)
