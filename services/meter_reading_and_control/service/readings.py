"""What meters measure: kept in versions, and shown."""

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import date

from msgspec.structs import replace

from contracts.errors import to_reply
from contracts.message import Message, Reply, Request, Result
from contracts.nouns.meter_readings import MeterReading, MeterReadings
from contracts.verbs import Verb
from services.meter_reading_and_control.domain import calendar
from services.meter_reading_and_control.domain.quarantine import Question
from services.meter_reading_and_control.domain.readings import Interval, Register, empty_block, grouped, merged, news
from services.meter_reading_and_control.domain.retention import refuse_forgotten
from services.meter_reading_and_control.domain.vee.keeping import OURS
from services.meter_reading_and_control.service.asking import read_now
from services.meter_reading_and_control.service.coincidence import added
from services.meter_reading_and_control.service.declared import service
from services.meter_reading_and_control.service.equipment import equipment_at
from services.meter_reading_and_control.service.marking import heed
from services.meter_reading_and_control.service.membership import groups_of, points_of
from services.meter_reading_and_control.service.privacy import is_outside, refuse_single, released
from services.meter_reading_and_control.service.quantities import quantities_of
from services.meter_reading_and_control.service.success import success_of
from services.meter_reading_and_control.service.validation import previews
from services.meter_reading_and_control.service.virtual import virtual_pages
from services.meter_reading_and_control.store import Store
from services.meter_reading_and_control.views import answers, inquiries, judged, refused, success, sums
from services.meter_reading_and_control.views.derived import Equipment, primary, usages
from services.meter_reading_and_control.views.quantities import longer_blocks
from services.meter_reading_and_control.views.told import Refusal, Teller
from shared.work import Later, Whole, Work


@service.on(Verb.CREATE, MeterReadings)
async def enter_readings(message: Message[MeterReadings], work: Work[Store]) -> Whole:
    """Readings from somebody who waits for the word which of them were refused."""
    taken, refusals = await take(message.noun.meter_reading, message.header.source or work.principal, work)
    errors = tuple(error for each in refusals for error in to_reply(each.error).error)
    result = Result.OK if not errors else Result.PARTIAL if taken else Result.FAILED
    return Whole(reply=Reply(result=result, error=errors))


@service.on(Verb.GET, MeterReadings)
async def show_readings(
    message: Message[MeterReadings], work: Work[Store]
) -> AsyncIterator[MeterReadings | Whole | Later]:
    """The readings of usage points, or of those where the meters are that are named; one part for each."""
    request = message.request or Request()
    if is_outside(work):
        refuse_single(request, work)
        async for page in known_of(request, work):
            yield page
        return
    if inquiries.is_now(request):
        yield await read_now(request, work)
        return
    if refused.is_asked_for(request):
        async for page in kept_apart(refused.question(request), work):
            yield page
        return
    counting = success.asked_in(request)
    async for page in known_of(request, work) if counting is None else success_of(request, counting, work):
        yield page


async def kept_apart(asked: Question, work: Work[Store]) -> AsyncIterator[MeterReadings]:
    """The readings that were not taken, and the days that could not be judged."""
    async for parts in work.store.refused(asked):
        yield refused.shown(parts)
    if not asked.sources or OURS in asked.sources:
        async for days in work.store.aside(asked):
            yield refused.unjudged(days, work.store.memory.zone)


async def known_of(request: Request, work: Work[Store]) -> AsyncIterator[MeterReadings]:
    """What is known of those who are named: one by one, added, or as rules have it."""
    asked = answers.question(request)
    wanted = judged.preview(request, work.store.memory.rule_sets)
    adding = sums.adding_in(request)
    if asked.as_of is not None:
        days = calendar.days(asked.start, asked.end, work.store.memory.zone)
        refuse_forgotten(asked.as_of, days, await work.store.packed_months())
    groups = await groups_of(sums.named_in(request), asked, work)
    if adding is not None:
        give = released if is_outside(work) else added
        async for page in give(groups, asked, adding, work):
            yield page
        return
    for point in sorted(await work.store.virtual_points(asked.points)) if wanted is None else ():
        async for page in virtual_pages(point, asked, work):
            yield page
    for point, part in await points_of(asked, groups, work):
        equipment = (await equipment_at([point], asked.as_of, work))[point]
        pages = (
            pages_of(point, equipment, part, work) if wanted is None else previews(point, equipment, part, wanted, work)
        )
        async for page in pages:
            yield page


async def pages_of(
    point: str, equipment: Equipment, asked: answers.Question, work: Work[Store]
) -> AsyncIterator[MeterReadings]:
    """What is known of one usage point: its intervals by a week at most, so that a long time has no larger pages.

    At last come its registers and what follows from them.
    """
    zone = work.store.memory.zone
    async for days in work.store.known_pages([point], calendar.days(asked.start, asked.end, zone)):
        blocks = [equipment.there(each, zone) for each in await work.store.blocks([point], days, asked.as_of)]
        blocks += primary(blocks, asked.types, equipment, zone)
        blocks += longer_blocks(blocks, asked.types)
        said = await work.store.said(point, days, asked.as_of)
        if shown := tuple(answers.of_usage_point(point, blocks, (), asked, now=work.now, zone=zone, said=said)):
            yield MeterReadings(meter_reading=shown)
    reads = await work.store.registers([point], (asked.start, asked.end), asked.as_of)
    registers = [register for register, _ in reads]
    shown = tuple(answers.of_usage_point(point, (), registers, asked, now=work.now, zone=zone))
    used = usages(point, registers, asked.types, equipment, zone)
    told = frozenset(each.reading_type.ref for each in (() if used is None else used.readings) if each.reading_type)
    followed = await quantities_of(point, replace(asked, types=asked.types - told), equipment, work)
    yield MeterReadings(meter_reading=(*shown, *followed) if used is None else (*shown, *followed, used))


async def take(readings: Sequence[MeterReading], source: str, work: Work[Store]) -> tuple[int, list[Refusal]]:
    """Take what can be taken of ``readings`` and tell what is new of it.

    Returns:
        how many values could be taken, and what was refused, which is kept as well.
    """
    mrids = named(readings)
    if not readings:
        return 0, []
    await work.store.lock_all_of(mrids)
    teller = Teller(
        source=source,
        zone=work.store.memory.zone,
        now=work.now,
        kept=work.store.memory.kept,
        installed=await work.store.installed(mrids),
        meters=frozenset(await work.store.meters(mrids)),
        collisions=await work.store.collisions(mrids),
    )
    told = [each for reading in readings for each in teller.read(reading)]
    refusals = [each for each in told if isinstance(each, Refusal)]
    for each in refusals:
        await work.store.refuse(each.part, each.error, source, work.now)
    await take_intervals([each for each in told if isinstance(each, Interval)], work)
    await take_registers([each for each in told if isinstance(each, Register)], work)
    return len(told) - len(refusals), refusals


def named(readings: Iterable[MeterReading]) -> list[str]:
    """The meters and usage points that ``readings`` name."""
    return [each.mrid for reading in readings for each in (reading.meter, reading.usage_point) if each and each.mrid]


async def take_intervals(told: Sequence[Interval], work: Work[Store]) -> None:
    """Put values of intervals into the blocks of their days; a block that changes has a new version."""
    zone = work.store.memory.zone
    heard: dict[str, set[date]] = {}
    for (point, day), of_day in grouped(told, lambda each: (each.usage_point, each.day)):
        known = {(each.reading_type, each.meter): each for each in await work.store.blocks([point], (day, day), None)}
        for (code, meter), values in grouped(of_day, lambda each: (each.reading_type, each.meter)):
            old = known.get((code, meter)) or empty_block(point, code, day, meter, zone)
            changed = merged(old.values, [(each.place, each.value) for each in values])
            if changed is None:
                continue
            new = replace(old, version=old.version + 1, values=changed)
            await work.store.save_block(new, work.now)
            heard.setdefault(point, set()).add(day)
            if fresh := news(old.values, changed):
                verb = Verb.CHANGED if any(old.values[place] is not None for place in fresh) else Verb.CREATED
                work.publish(verb, MeterReadings(meter_reading=(answers.block_news(new, fresh, zone),)), key=point)
    await heed(heard, work)


async def take_registers(told: Sequence[Register], work: Work[Store]) -> None:
    """Keep values of registers; a better one for the same time is a new version."""
    heard: dict[str, set[date]] = {}
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
            heard.setdefault(point, set()).update(calendar.touched(at, work.store.memory.zone))
            if old is None or old.says != best.says:
                verb = Verb.CREATED if old is None else Verb.CHANGED
                work.publish(verb, MeterReadings(meter_reading=(answers.register_news(new),)), key=point)
    await heed(heard, work)
