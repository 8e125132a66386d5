"""Sums of usage points that belong together: all of them, or the greatest and what each of them took then."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from contracts.codes.reading_type import ReadingTypeCode
from contracts.nouns.meter_readings import MeterReadings
from services.meter_reading_and_control.domain import calendar
from services.meter_reading_and_control.domain.coincidence import Coincidence
from services.meter_reading_and_control.domain.membership import Group, covers, united
from services.meter_reading_and_control.domain.readings import interval_length
from services.meter_reading_and_control.service.sums import sums_of, values_on
from services.meter_reading_and_control.store import Store
from services.meter_reading_and_control.views import coincidence, sums
from services.meter_reading_and_control.views.answers import Question
from shared.work import Work

PAGE = 500
"""So many members go into one part of a reply."""


async def added(
    groups: Sequence[Group], asked: Question, adding: sums.Adding, work: Work[Store]
) -> AsyncIterator[MeterReadings]:
    """The sums of each group, or of all together; of whom it is asked for, the greatest and what made it."""
    for group in groups if adding.each else [united(groups)]:
        pages = coincidences_of if adding.is_peak else sums_of
        async for page in pages(group, asked, adding, work):
            yield page
    yield MeterReadings()


async def coincidences_of(
    group: Group, asked: Question, adding: sums.Adding, work: Work[Store]
) -> AsyncIterator[MeterReadings]:
    """The interval with the greatest sum in the time that is asked for, by reading type."""
    zone, members = work.store.memory.zone, sorted(group.members)
    types = sums.types_of(await work.store.types_of(members), sums.types_to_add(asked))
    found = {code: Coincidence() for code in sorted(types.added)}
    async for day, _ in work.store.known_pages(members, calendar.days(asked.start, asked.end, zone), calendar.DAY):
        tallies = sums.empty_tallies(types, day, zone)
        within = {code: counts(code, tally.starts, asked, work.now) for code, tally in tallies.items()}
        async for point, values in values_on(day, members, types, asked, work):
            sums.add(tallies, values, types.expected(point), group.members[point])
            for code in types.expected(point):
                starts = tallies[code].starts
                mine = (covers(group.members[point], start) for start in starts)
                does = [one and other for one, other in zip(within[code], mine, strict=True)]
                found[code].see_member(point, sums.in_type(code, values, len(starts)), does)
        for code, tally in tallies.items():
            found[code].see_sums(tally.starts, tally.told(adding.least_share), within[code])
    for code, each in found.items():
        if each.start is None:
            continue
        day = calendar.market_day(each.start, zone)
        starts = calendar.starts(day, zone, interval_length(ReadingTypeCode.parse(code)))
        then = [
            point for point in members if covers(group.members[point], each.start) and code in types.expected(point)
        ]
        place = starts.index(each.start)
        taken = {
            point: sums.in_type(code, values, len(starts))[place]
            async for point, values in values_on(day, then, types, asked, work)
        }
        parts = [*coincidence.shown(group.name, code, each, taken)]
        for first in range(0, len(parts), PAGE):
            yield MeterReadings(meter_reading=tuple(parts[first : first + PAGE]))


def counts(code: str, starts: Sequence[datetime], asked: Question, now: datetime) -> list[bool]:
    """Which intervals lie in the time that is asked for, and are over."""
    length = interval_length(ReadingTypeCode.parse(code))
    return [start >= asked.start and start + length <= min(asked.end, now) for start in starts]
