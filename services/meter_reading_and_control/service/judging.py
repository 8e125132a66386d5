"""Market days are judged when they are over: what is found is kept, and gaps and what failed are estimated."""

from collections.abc import Mapping, Sequence
from datetime import date, tzinfo
from fractions import Fraction
from functools import partial

import numpy as np
from msgspec.structs import replace

from contracts.nouns.meter_readings import MeterReading, MeterReadings
from contracts.verbs import Verb
from services.meter_reading_and_control.domain import calendar
from services.meter_reading_and_control.domain.columns import BUNCH
from services.meter_reading_and_control.domain.readings import (
    Block,
    Value,
    empty_block,
    grouped,
    interval_length,
    merged,
    news,
)
from services.meter_reading_and_control.domain.vee import findings
from services.meter_reading_and_control.domain.vee.bunches import (
    Judgement,
    Marks,
    counts_of,
    judged_together,
    row_of_values,
    statistics_after,
)
from services.meter_reading_and_control.domain.vee.days import Numbers
from services.meter_reading_and_control.domain.vee.judging import Case, Verdict, is_exact, judged
from services.meter_reading_and_control.domain.vee.keeping import as_told, explained, to_keep
from services.meter_reading_and_control.domain.vee.rule_sets import ANY_CLASS, RuleSet, chosen
from services.meter_reading_and_control.domain.vee.statistics import Usual
from services.meter_reading_and_control.domain.vee.storms import SILENT, Reads, dark_at, is_storm
from services.meter_reading_and_control.service.bunches import Known, histories, known_of
from services.meter_reading_and_control.service.declared import service
from services.meter_reading_and_control.service.marking import have_judged, judge_again
from services.meter_reading_and_control.service.places import Place, blocks_of, stored_blocks, values_of
from services.meter_reading_and_control.service.tampering import look_at_days, look_at_month
from services.meter_reading_and_control.store import Store
from services.meter_reading_and_control.store.judging import Member
from services.meter_reading_and_control.views import answers
from shared.work import Wake, Work

AT_ONCE = 4
"""So many bunches are judged in one transaction."""

TOLD_AT_ONCE = 1000
"""So many values go into one event."""


@service.on_wake("day-over")
async def judge_day(wake: Wake, work: Work[Store]) -> None:
    """A day is over, and the time has passed in which its values come: all that is known of it is judged."""
    day = date.fromisoformat(wake.key)
    await work.store.all_to_judge(day, work.now)
    work.wake("judge", "rest", work.now, new_thread=True)
    if await work.store.transformer_meters("", 1):
        work.wake("balance", day.isoformat(), work.now + work.store.memory.judge_late, new_thread=True)
    have_judged([day + calendar.DAY], work)


@service.on_wake("judge")
async def judge_some(_: Wake, work: Work[Store]) -> None:
    """Some of what is to be judged; the rest follows."""
    await work.store.spread_late(work.now)
    due = await work.store.due_to_judge(AT_ONCE)
    for day, bunch in due:
        await judge_what_can_be(bunch, day, work)
    if len(due) == AT_ONCE:
        work.wake("judge", "rest", work.now, new_thread=True)


async def judge_what_can_be(bunch: int, day: date, work: Work[Store]) -> None:
    """Judge a day of a bunch; a usage point that spoils it by a defect is set aside with the reason."""
    members = await work.store.bunch_members(bunch)
    name, aside = f"{day} of bunch {bunch}", dict[int, str]()
    if await work.attempt(name, partial(judge_bunch, bunch, members, day)):
        for first, own in grouped(members, lambda each: each.first):
            judge_alone = partial(judge_bunch, bunch, own, day)
            if why := await work.attempt(f"{name}, series {first}", judge_alone, is_trial=True):
                aside[first] = why
        rest = [each for each in members if each.first not in aside]
        if why := await work.attempt(f"{name}, the rest", partial(judge_bunch, bunch, rest, day)):
            aside |= {each.first: why for each in rest}
    await work.store.set_aside(bunch, day, aside, work.now)
    for _ in aside:
        work.count("days_set_aside")


async def judge_bunch(bunch: int, members: Sequence[Member], day: date, work: Work[Store]) -> None:
    """Judge a day of the members of a bunch; the same day judged twice changes nothing."""
    known = await known_of(members, day, work)
    if known is None:
        return
    zone = work.store.memory.zone
    for_all, rule_sets = rule_sets_of(known, work)
    reads = await reads_of(bunch, known, work)
    held = np.full(len(known.rows), reads.is_held)
    off = [each.off for each in known.places]
    found = judged_together(known.rows, off, known.usual, known.code, day, rule_sets=rule_sets, zone=zone, held=held)
    before = await work.store.findings(known.series, day)
    after, verdicts = await estimate(known, found, rule_sets, SILENT if reads.is_held else "", work)
    said = findings.with_second_look(found.findings, verdicts)
    new = findings.news(said, known.series, before)
    await work.store.save_findings(day, new, work.now)
    await look_at_days(known, new, before, work)
    rows = [
        after.get(place, (row.numbers, marks, row.scale))
        for place, (row, marks) in enumerate(zip(known.rows, found.marks, strict=True))
    ]
    usual = statistics_after(rows, known.usual, known.code, day, zone)
    await work.store.save_statistics(known.series, usual)
    await look_at_month(known, usual, work)
    await work.store.save_judged(bunch, for_all.key, reads, work.now)
    work.count("bunches_judged", held="yes" if reads.is_held else "no")
    if reads.is_held:
        work.wake("held", day.isoformat(), work.now + work.store.memory.judge_late, new_thread=True)


def rule_sets_of(known: Known, work: Work[Store]) -> tuple[RuleSet, Sequence[RuleSet]]:
    """The rule set for usage points of no class, and that for each by its class."""
    classes = {ANY_CLASS, *(each.beside.of_class for each in known.rows)}
    valid = {each: chosen(work.store.memory.rule_sets, each, str(known.code), known.day) for each in classes}
    return valid[ANY_CLASS], [valid[each.beside.of_class] for each in known.rows]


async def reads_of(bunch: int, known: Known, work: Work[Store]) -> Reads:
    """What came of a day of a bunch, and whether its gaps wait since many of its meters were silent."""
    end = calendar.bounds(known.day, work.store.memory.zone)[1]
    due, came = counts_of(known.rows)
    reads = Reads(day=known.day, due=due, came=came)
    return replace(
        reads,
        is_held=is_storm(
            reads,
            await work.store.reads_around(bunch, known.day),
            points=len(known.places),
            dark=dark_at([each.off for each in known.places], end),
            least=work.store.memory.storm_least,
            over=work.now - end,
        ),
    )


@service.on_wake("held")
async def judge_what_waits(wake: Wake, work: Work[Store]) -> None:
    """Gaps that waited are looked at again: a storm may be over."""
    await work.store.judge_held(date.fromisoformat(wake.key), work.now)
    work.wake("judge", "rest", work.now, new_thread=True)


async def estimate(
    known: Known, found: Judgement, rule_sets: Sequence[RuleSet], held: str, work: Work[Store]
) -> tuple[Mapping[int, tuple[Numbers, Marks, int]], Mapping[int, Sequence[Verdict]]]:
    """Keep estimates of what failed, and tell them.

    How the days of these usage points are now, and what was said of them, by their place.

    With a reason why they are ``held`` gaps are left as they are.
    """
    zone = work.store.memory.zone
    failed = set(np.flatnonzero(found.findings.failed.any(axis=1)).tolist())
    again = await free(
        [each for each in sorted(failed | known.ours | known.reconfigured.keys()) if found.is_judged[each]], known, work
    )
    history = await histories([known.places[each] for each in again], known.day, work)
    after: dict[int, tuple[Numbers, Marks, int]] = {}
    verdicts: dict[int, Sequence[Verdict]] = {}
    told = []
    for number, past in zip(again, history, strict=True):
        place = known.places[number]
        values = values_of(place, place.rows, [known.day], work)[known.day]
        case = replace(case_of(known, found, number, zone), values=[*map(as_told, values)], history=past, held=held)
        verdicts[number] = judged(case, rule_sets[number], zone) if is_exact(case) else ()
        changed = known.reconfigured.get(number, {})
        kept = to_keep(values, verdicts[number], work.now, changed) if verdicts[number] else {}
        for old, new in changed_blocks(place, kept, known, work):
            await work.store.save_block(new, work.now)
            fresh = {at: explained(value) for at, value in news(old.values, new.values).items()}
            told.append(answers.block_news(new, fresh, zone))
        after[number] = row_of_values([kept.get(at, value) for at, value in enumerate(values)])
    tell(told, work)
    return after, verdicts


async def free(wanted: Sequence[int], known: Known, work: Work[Store]) -> list[int]:
    """Those usage points, by their places, that nobody else is changing or has changed; the others are judged again."""
    if not wanted:
        return []
    points = await work.store.lock_some_of([known.places[each].usage_point for each in wanted])
    numbers = [member.number for each in wanted for member in known.places[each].members]
    rows = await work.store.day_rows(numbers, [known.day])
    now = {(number, row["version"], row["recorded_at"]) for (number, _), told in rows.items() for row in told}
    found = []
    for each in wanted:
        place = known.places[each]
        seen = {(row["series"], row["version"], row["recorded_at"]) for row in place.rows}
        mine = {member.number for member in place.members}
        if place.usage_point in points and seen == {entry for entry in now if entry[0] in mine}:
            found.append(each)
    if len(found) < len(wanted):
        await judge_again({(known.day, known.places[0].first // BUNCH)}, work)
    return found


def case_of(known: Known, found: Judgement, number: int, zone: tzinfo) -> Case:
    """What is known of the day of one usage point, beside its values, by its place among those that are judged."""
    place, row = known.places[number], known.rows[number]
    mean = int(found.usual.mean[number])
    return Case(
        reading_type=known.code,
        day=known.day,
        values=(),
        usual=Usual(
            mean=Fraction(mean) * Fraction(10) ** int(found.scales[number]) if mean else None,
            idle_days=int(found.usual.idle_days[number]),
            filled_days=int(found.usual.filled_days[number]),
        ),
        absent=place.equipment.absent(known.day, known.code, zone),
        gained=row.gained,
        least=row.least,
        fell=row.fell,
        interruptions=place.off,
        beside=row.beside,
    )


def changed_blocks(
    place: Place, kept: Mapping[int, Value], known: Known, work: Work[Store]
) -> list[tuple[Block, Block]]:
    """The blocks that change by what is kept, before and after; a value goes to the meter that had its interval."""
    zone = work.store.memory.zone
    there = {each.meter: each for each in blocks_of(place, place.rows, work)}
    slots = calendar.starts(known.day, zone, interval_length(known.code))
    by_meter: dict[str, list[tuple[int, Value]]] = {}
    for at, value in kept.items():
        tell_it = [meter for meter, block in there.items() if block.values[at] is not None]
        ends = slots[at] + interval_length(known.code)
        had_it = [each.meter for each in place.equipment.installed if each.touches(slots[at], ends)]
        for meter in tell_it if len(tell_it) == 1 else had_it[:1] if not tell_it else []:
            by_meter.setdefault(meter, []).append((at, value))
    stored = {each.meter: each for each in stored_blocks(place, place.rows, work)}
    changed = []
    for meter, values in sorted(by_meter.items()):
        old = stored.get(meter) or empty_block(place.usage_point, str(known.code), known.day, meter, zone)
        if (new := merged(old.values, values)) is not None:
            changed.append((old, replace(old, version=old.version + 1, values=new)))
    return changed


def tell(told: Sequence[MeterReading], work: Work[Store]) -> None:
    """Tell what changed, those of one usage point in their order, in as few events as hold it."""
    points = [each.usage_point.mrid or "" for each in told if each.usage_point is not None]
    for line in work.lines(Verb.CHANGED, MeterReadings, points):
        own, group, size = set(line), list[MeterReading](), 0
        for reading, point in zip(told, points, strict=True):
            if point not in own:
                continue
            values = sum(len(block.interval_readings) for block in reading.interval_blocks)
            if group and size + values > TOLD_AT_ONCE:
                work.publish(Verb.CHANGED, MeterReadings(meter_reading=tuple(group)), key=line[0])
                group, size = [], 0
            group.append(reading)
            size += values
        if group:
            work.publish(Verb.CHANGED, MeterReadings(meter_reading=tuple(group)), key=line[0])
