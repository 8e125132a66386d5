"""Meters are read at set times: the head-end is told when, and asked again for what has not come."""

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime

from msgspec import json
from msgspec.structs import replace

from contracts.errors import Conflict, Invalid, NotFound, from_reply
from contracts.message import Message
from contracts.nouns.meter_read_schedule import MeterReadSchedule
from contracts.nouns.reading_types import ReadingReasonKind
from contracts.verbs import Verb
from services.meter_reading_and_control.domain import calendar
from services.meter_reading_and_control.domain.reads import Job, Part, Wanted
from services.meter_reading_and_control.domain.schedules import (
    Known,
    Occurrence,
    Place,
    Schedule,
    ScheduleState,
    Time,
    checked,
    gaps,
    next_time,
    ordered,
    places,
    seen,
    times_after,
)
from services.meter_reading_and_control.service.asking import ask
from services.meter_reading_and_control.service.declared import service
from services.meter_reading_and_control.store import Store
from services.meter_reading_and_control.views import schedules
from shared.work import Wake, Whole, Work

AT_ONCE = 200
"""How many usage points are looked at together."""


@service.on(Verb.CREATE, MeterReadSchedule)
async def begin_schedule(message: Message[MeterReadSchedule], work: Work[Store]) -> Whole:
    """Meters shall be read at set times; the same order again is the same schedule."""
    mrid, noun = schedules.identity(message), checked(message.noun)
    there = await work.store.schedule(mrid)
    if there is not None and there.noun != noun:
        raise Conflict(f"there is another schedule {mrid}; change it", object_id=mrid)
    if there is None:
        await check_known(noun, work)
        there = Schedule(mrid=mrid, noun=noun, state=ordered(ScheduleState.ACTIVE, noun))
        await pass_on(Verb.CREATE, there, work.now, work)
    return schedules.shown(there, ())


@service.on(Verb.CHANGE, MeterReadSchedule)
async def change_schedule(message: Message[MeterReadSchedule], work: Work[Store]) -> Whole:
    """Another order from now on; what fell into a suspension is not caught up."""
    there = await the_one(schedules.the_schedule(message), work)
    noun = checked(message.noun)
    await check_known(noun, work)
    state = ordered(there.state, noun)
    if noun != there.noun:
        there = replace(there, noun=noun, state=state, refused="")
        await pass_on(Verb.CHANGE, there, work.now, work)
    return schedules.shown(there, ())


@service.on(Verb.CANCEL, MeterReadSchedule)
async def cancel_schedule(message: Message[MeterReadSchedule], work: Work[Store]) -> Whole:
    """Nothing is read by it any more; what has been is still completed."""
    there = await the_one(schedules.the_schedule(message), work)
    if there.state is not ScheduleState.CANCELLED:
        there = replace(there, state=ScheduleState.CANCELLED)
        await work.store.save_schedule(there)
        work.cancel_wake("occurrence", there.mrid)
        work.send(Verb.CANCEL, there.noun, ids=[there.mrid], about=there.mrid)
    return schedules.shown(there, ())


@service.on(Verb.GET, MeterReadSchedule)
async def show_schedule(message: Message[MeterReadSchedule], work: Work[Store]) -> Whole:
    """One schedule, and what became of its times from StartTime until EndTime."""
    mrid = schedules.the_schedule(message)
    there = (await work.store.schedules([mrid])).get(mrid)
    if there is None:
        raise NotFound("there is no such schedule", object_id=mrid)
    request = message.request
    times = (None, None) if request is None else (request.start_time, request.end_time)
    return schedules.shown(there, await work.store.occurrences([mrid], *times))


@service.on_reply(Verb.CREATE, MeterReadSchedule)
@service.on_reply(Verb.CHANGE, MeterReadSchedule)
async def hear_of_schedule(message: Message[MeterReadSchedule], work: Work[Store]) -> None:
    """What the head-end will not do by itself it is asked for, gap by gap; why stands in the schedule."""
    failure = None if message.reply is None else from_reply(message.reply)
    there = await work.store.schedule(work.about)
    if there is not None:
        await work.store.save_schedule(replace(there, refused="" if failure is None else failure.reason))


@service.on_wake("occurrence")
async def begin_occurrence(wake: Wake, work: Work[Store]) -> None:
    """The head-end reads now, and tells in its own time; a look at what has come follows."""
    there = await work.store.schedule(wake.key)
    if there is None or there.state is not ScheduleState.ACTIVE:
        return
    time = json.decode(wake.payload, type=Time)
    if await work.store.add_occurrence(Occurrence(schedule=there.mrid, time=time)):
        work.wake("top-up", f"{there.mrid} {time.nominal}", time.due_at + work.store.memory.top_up, wake.payload)
    await pass_on(Verb.CHANGE, there, time.due_at, work)


@service.on_wake("top-up")
async def look_for_gaps(wake: Wake, work: Work[Store]) -> None:
    """What has not come is asked for, until the cut-off; then it is missing."""
    time = json.decode(wake.payload, type=Time)
    mrid = wake.key.removesuffix(f" {time.nominal}")
    there, before = await work.store.schedule(mrid), await work.store.occurrence(mrid, time.nominal)
    if there is None or before is None:
        return
    here = await places_of(there, time.due_at, work)
    missing = [each async for each in gaps_of(there, here, time, work)]
    cut_off = time.due_at + work.store.memory.cut_off
    after = seen(before, len(here) * len(there.types), [wanted for _, wanted in missing], is_last=work.now >= cut_off)
    await work.store.save_occurrence(after)
    if not after.is_closed:
        await top_up(f"{wake.key} {work.now.isoformat()}", missing, work)
        work.wake("top-up", wake.key, min(work.now + work.store.memory.top_up, cut_off), wake.payload)


async def top_up(mrid: str, missing: Sequence[tuple[Place, Wanted]], work: Work[Store]) -> None:
    """Ask the head-end for what has not come; the next look sees what that brought."""
    parts = tuple(Part(wanted=wanted, usage_point=place.usage_point) for place, wanted in missing)
    due = work.now + work.store.memory.read_patience
    await ask(Job(mrid=mrid, parts=parts, asked_at=work.now, due_at=due, reason=ReadingReasonKind.OTHER), work)


async def gaps_of(
    there: Schedule, here: Sequence[Place], time: Time, work: Work[Store]
) -> AsyncIterator[tuple[Place, Wanted]]:
    """What has not come of the time that an occurrence collects."""
    zone = work.store.memory.zone
    for start in range(0, len(here), AT_ONCE):
        some = here[start : start + AT_ONCE]
        points = [place.usage_point for place in some]
        blocks = await work.store.blocks(points, calendar.days(time.since, time.due_at, zone), None)
        reads = await work.store.registers(points, (time.since, work.now), None)
        known = Known(blocks=blocks, registers=[register for register, _ in reads], zone=zone)
        for place in some:
            for wanted in gaps(place, there.types, time, known):
                yield place, wanted


async def pass_on(verb: Verb, there: Schedule, after: datetime, work: Work[Store]) -> None:
    """Keep a schedule, tell the head-end whom to read when, and wait for its next time."""
    zone = work.store.memory.zone
    here = await places_of(there, work.now, work)
    meters = tuple(place.meter for place in here)
    times = times_after(there, after, zone, schedules.AHEAD)
    if not times and there.state is ScheduleState.ACTIVE:
        there = replace(there, state=ScheduleState.EXPIRED)
    await work.store.save_schedule(replace(there, passed=meters))
    work.send(verb, schedules.for_head_end(there, meters, times), ids=[there.mrid], about=there.mrid)
    following = next_time(there, after, zone)
    if following is None:
        work.cancel_wake("occurrence", there.mrid)
    else:
        work.wake("occurrence", there.mrid, following.due_at, json.encode(following).decode())


async def places_of(there: Schedule, at: datetime, work: Work[Store]) -> tuple[Place, ...]:
    """Whom a schedule reads at that time: by name, by place and by group."""
    everybody = (*schedules.named(there.noun), *await work.store.members(schedules.groups(there.noun)))
    return places(everybody, await work.store.installed(everybody), at)


async def check_known(noun: MeterReadSchedule, work: Work[Store]) -> None:
    """Whom it names must be known.

    Raises:
        Invalid: 2.4, 2.12 or 2.15, a meter, a usage point or a group is not.
    """
    meters = [each.mrid for each in noun.end_device]
    points = [each.mrid for each in noun.usage_point if each.mrid]
    await work.store.members(schedules.groups(noun))
    stranger = first_not_in(meters, await work.store.meters(meters))
    if stranger is not None:
        raise Invalid(f"meter {stranger} is not known", code="2.4", object_id=stranger)
    stranger = first_not_in(points, await work.store.points_of(points, ()))
    if stranger is not None:
        raise Invalid(f"usage point {stranger} is not known", code="2.12", object_id=stranger)


def first_not_in(named: Iterable[str], known: Iterable[str]) -> str | None:
    """The first of those that are named and not known."""
    there = set(known)
    return next((each for each in named if each not in there), None)


async def the_one(mrid: str, work: Work[Store]) -> Schedule:
    """A schedule that is known, which nobody else changes until this is done."""
    there = await work.store.schedule(mrid)
    if there is None:
        raise NotFound("there is no such schedule", object_id=mrid)
    return there
