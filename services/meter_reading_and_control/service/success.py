"""How many of the reads of market days came in time."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date, datetime

import numpy as np

from contracts.codes.reading_type import ReadingTypeCode
from contracts.message import Request
from contracts.nouns.meter_readings import MeterReadings
from services.meter_reading_and_control.domain import calendar
from services.meter_reading_and_control.domain.columns import Array
from services.meter_reading_and_control.domain.membership import united
from services.meter_reading_and_control.domain.readings import LENGTHS, grouped, interval_length
from services.meter_reading_and_control.domain.success import (
    CAUSES,
    NEVER,
    Cause,
    Counts,
    Due,
    Reads,
    counted,
    cut_offs,
    interrupted,
    late,
)
from services.meter_reading_and_control.service.membership import groups_of
from services.meter_reading_and_control.store import Store
from services.meter_reading_and_control.store.series import Series
from services.meter_reading_and_control.store.success import Part
from services.meter_reading_and_control.views import answers, success, sums
from shared.work import Work


async def success_of(request: Request, asked: success.Asked, work: Work[Store]) -> AsyncIterator[MeterReadings]:
    """The days that are asked for, a part for each, as far as they have had a cut-off."""
    zone = work.store.memory.zone
    named = await whom(request, work)
    for day in calendar.each_day(*asked.days(zone)):
        at = cut_offs(day, work.store.memory.read_days, work.now, zone)
        if not at:
            break
        found: dict[str, Sequence[Counts]] = {}
        async for due in work.store.due_on(calendar.bounds(day, zone), named, by_collector=asked.by_collector):
            for name, counts in (await counts_of(due, day, at, work)).items():
                key = name if asked.each else success.ALL
                before = found.get(key)
                found[key] = counts if before is None else [a.plus(b) for a, b in zip(before, counts, strict=True)]
        yield success.shown(found, calendar.bounds(day, zone))
    yield MeterReadings()


async def whom(request: Request, work: Work[Store]) -> list[str]:
    """The meters and usage points that are asked about; none means all.

    Raises:
        Invalid: 2.15, there is no such group or transformer.
    """
    if not success.names_anybody(request):
        return []
    asked = answers.question(request)
    groups = await groups_of(sums.named_in(request), asked, work)
    return sorted(asked.points | asked.meters | united(groups).members.keys())


async def counts_of(
    due: Sequence[Due], day: date, at: Sequence[datetime], work: Work[Store]
) -> Mapping[str, Sequence[Counts]]:
    """What came of some usage points by each cut-off, by group."""
    if not due:
        return {}
    reads = await reads_of(due, day, work)
    untold = np.ones(len(due), bool)
    for each in reads:
        untold[each.points] = False
    missing = [due[place] for place in late(reads, len(due), at[0]).tolist()]
    await mark_outages(reads, due, missing, day, work)
    names = sorted({each.group for each in due})
    groups = np.array([names.index(each.group) for each in due])
    silent = [due[place] for place in np.flatnonzero(untold).tolist()]
    causes = await causes_of(due, [*missing, *silent], day, at[-1], work)
    causes[untold] = np.maximum(causes[untold], CAUSES.index(Cause.CONFIG))
    return {names[number]: counts for number, counts in counted(reads, groups, causes, untold, at).items()}


async def reads_of(due: Sequence[Due], day: date, work: Work[Store]) -> list[Reads]:
    """The reads that are due of usage points, by their length: of each type that was told lately, or else ever."""
    place = {each.usage_point: number for number, each in enumerate(due)}
    known = [each for each in await work.store.all_series(list(place)) if _length_name(each[1]) in LENGTHS]
    numbers = [number for number, _ in known]
    parts = [part async for part in work.store.came(numbers, day)]
    told = {number for part in parts for number in part.series.tolist()}
    told |= await work.store.told_recently([number for number in numbers if number not in told], day)
    lately = {(each.usage_point, each.reading_type) for number, each in known if number in told}
    points = {point for point, _ in lately}
    wanted = [
        (number, each)
        for number, each in known
        if (each.usage_point, each.reading_type) in lately or each.usage_point not in points
    ]
    found = []
    for length, alike in grouped(wanted, lambda each: interval_length(ReadingTypeCode.parse(each[1].reading_type))):
        slots = calendar.starts(day, work.store.memory.zone, length)
        keys = sorted({(each.usage_point, each.reading_type) for _, each in alike})
        row = {key: number for number, key in enumerate(keys)}
        rows = {number: row[each.usage_point, each.reading_type] for number, each in alike}
        reads = Reads(
            points=np.array([place[point] for point, _ in keys]),
            due=np.ones((len(keys), len(slots)), bool),
            came=np.full((len(keys), len(slots)), NEVER, np.int64),
            off=np.zeros((len(keys), len(slots)), bool),
        )
        elsewhere = elsewhere_of(due, day, alike, place, work)
        for part in parts:
            put(reads, rows, part, elsewhere)
        edges = calendar.bounds(day, work.store.memory.zone)
        for number, (point, _) in enumerate(keys):
            if not due[place[point]].stays(*edges):
                reads.due[number] = due[place[point]].there(slots, length)
        found.append(reads)
    return found


def elsewhere_of(
    due: Sequence[Due], day: date, alike: Sequence[tuple[int, Series]], place: Mapping[str, int], work: Work[Store]
) -> dict[int, Array]:
    """Of the series whose meter was not there all day: in which intervals it was elsewhere, so that nothing counts."""
    zone = work.store.memory.zone
    edges, found = calendar.bounds(day, zone), {}
    for number, each in alike:
        at = due[place[each.usage_point]]
        if each.meter and not at.stays(*edges):
            length = interval_length(ReadingTypeCode.parse(each.reading_type))
            found[number] = ~at.there(calendar.starts(day, zone, length), length, each.meter)
    return found


def put(reads: Reads, rows: Mapping[int, int], part: Part, elsewhere: Mapping[int, Array]) -> None:
    """Put in when reads of some series came; what came several times came when it came first."""
    mine = np.array([number in rows for number in part.series.tolist()], bool)
    if not mine.any():
        return
    series, came = part.series[mine], part.came[mine]
    for number, gone in elsewhere.items():
        came[np.ix_(series == number, gone[part.places])] = NEVER
    np.minimum.at(reads.came[:, part.places], np.array([rows[number] for number in series.tolist()]), came)


async def mark_outages(
    reads: Sequence[Reads], due: Sequence[Due], missing: Sequence[Due], day: date, work: Work[Store]
) -> None:
    """Mark the intervals in which usage points had no power, of those of which something is missing."""
    outages = await work.store.outages_at([each.usage_point for each in missing])
    zone = work.store.memory.zone
    first, after = calendar.bounds(day, zone)
    for each in reads:
        length = (after - first) / each.due.shape[1]
        slots = calendar.starts(day, zone, length)
        for row, number in enumerate(each.points.tolist()):
            if off := outages.get(due[number].usage_point):
                each.off[row] = interrupted(off, slots, length)


async def causes_of(due: Sequence[Due], missing: Sequence[Due], day: date, until: datetime, work: Work[Store]) -> Array:
    """Of each usage point why its day is not whole, if it is not and was not without power."""
    edges = calendar.bounds(day, work.store.memory.zone)
    trouble = await work.store.in_trouble([each.usage_point for each in missing], edges[0], until)
    refused = await work.store.not_taken([each.meter for each in missing], edges[0], until)
    found = np.full(len(due), CAUSES.index(Cause.COMMS))
    for number, each in enumerate(due):
        if not each.stays(*edges):
            found[number] = CAUSES.index(Cause.EXCHANGE)
        elif each.meter in refused:
            found[number] = CAUSES.index(Cause.CONFIG)
        elif each.usage_point in trouble:
            found[number] = CAUSES.index(Cause.METER)
    return found


def _length_name(each: Series) -> str:
    return ReadingTypeCode.parse(each.reading_type).names["measuring_period"]
