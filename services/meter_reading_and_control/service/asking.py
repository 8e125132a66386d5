"""Meters are read now: asked once however many want to know, waited for, and given up."""

from msgspec import json
from msgspec.structs import replace

from contracts.message import Request
from contracts.nouns.meter_readings import MeterReadings
from contracts.nouns.reading_types import ReadingReasonKind
from services.meter_reading_and_control.domain import lanes
from services.meter_reading_and_control.domain.lanes import COLLECTOR
from services.meter_reading_and_control.domain.reads import Job, Part, State, given_up
from services.meter_reading_and_control.service.declared import service
from services.meter_reading_and_control.store import Store
from services.meter_reading_and_control.views import inquiries
from shared.work import LATER, Later, Wake, Whole, Work


async def read_now(request: Request, work: Work[Store]) -> Whole | Later:
    """Answer from what is known where its age is allowed, and ask the meters for the rest."""
    asked = inquiries.inquiry(request)
    asked = replace(asked, named=(*asked.named, *await work.store.members(asked.groups)))
    known = await work.store.installed(asked.named)
    parts = inquiries.parts(asked, known, await work.store.meters(asked.named), work.now)
    if asked.max_age is not None:
        points = [part.usage_point for part in parts]
        reads = await work.store.registers(points, (work.now - asked.max_age, work.now), None)
        values = [value for value, _ in reads]
        parts = tuple(inquiries.from_cache(part, values, work.now, asked.max_age) for part in parts)
    job = Job(
        mrid=work.ticket,
        parts=await without_the_silent(parts, work),
        asked_at=work.now,
        due_at=work.now + work.store.memory.read_patience,
        reason=ReadingReasonKind.INQUIRY,
        ticket=work.ticket,
    )
    if job.is_over:
        return inquiries.outcome(job)
    await ask(job, work)
    return LATER


async def without_the_silent(parts: tuple[Part, ...], work: Work[Store]) -> tuple[Part, ...]:
    """The parts; those whose meters are reached by who answers nothing, head-end or collector, end at once with 5.1."""
    ways = await work.store.ways(part.wanted.meter for part in parts if part.state is State.SENT)
    head_ends = await work.store.budgets(way.head_end for way in ways.values())
    collectors = await work.store.collectors(ways.values())
    resting = {way: lanes.at_rest(each, work.now, COLLECTOR) for way, each in collectors.items() if each.rests_until}
    resting |= {
        way: lanes.at_rest(budget, work.now)
        for way in ways.values()
        if (budget := head_ends.get(way.head_end)) is not None and budget.rests_until is not None
    }
    return tuple(
        replace(part, state=State.REFUSED, code="5.1", reason=resting[ways[part.wanted.meter]])
        if part.state is State.SENT and ways.get(part.wanted.meter) in resting
        else part
        for part in parts
    )


async def ask(job: Job, work: Work[Store]) -> None:
    """Ask the head-end for what is not on its way already, and wait for all of it until the job is due.

    Who answers no request names in the job the wake that is to follow (``then``, ``about``); its payload is the job as
    it ended.
    """
    wanted = job.waits_for
    await work.store.lock_all_of(each.meter for each in wanted)
    new = wanted - await work.store.under_way(wanted)
    for place, (values, query) in enumerate(inquiries.questions(new, job.reason)):
        question = f"{job.mrid} {place}"
        await work.store.begin(question, values)
        work.inquire(MeterReadings, role="head-end", about=question, query=query)
    await work.store.save_job(job)
    work.wake("read-patience", job.mrid, job.due_at)


async def settle(job: Job, work: Work[Store]) -> None:
    """Keep how a question stands; when it is over, tell who asked."""
    await work.store.save_job(job)
    if not job.is_over:
        return
    work.cancel_wake("read-patience", job.mrid)
    if job.ticket:
        work.answer(job.ticket, inquiries.outcome(job))
    if job.then:
        work.wake(job.then, job.about, work.now, json.encode(job).decode())


@service.on_wake("read-patience")
async def stop_waiting(wake: Wake, work: Work[Store]) -> None:
    """Who asked is told that there was no answer; what comes later is kept like everything that meters tell."""
    job = await work.store.job(wake.key)
    if job is None:
        return
    await work.store.lock_all_of(each.meter for each in job.waits_for)
    job = await work.store.job(wake.key) or job
    others = [each for each in await work.store.jobs_about(w.meter for w in job.waits_for) if each.mrid != job.mrid]
    await work.store.end(job.waits_for.difference(*(each.waits_for for each in others)))
    await settle(given_up(job), work)
