"""Sums of what usage points take that belong together."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date

from contracts.nouns.meter_readings import MeterReadings
from services.meter_reading_and_control.domain import calendar
from services.meter_reading_and_control.domain.membership import Group
from services.meter_reading_and_control.domain.readings import Value, grouped
from services.meter_reading_and_control.domain.sums import Tally
from services.meter_reading_and_control.service.equipment import equipment_at
from services.meter_reading_and_control.store import Store
from services.meter_reading_and_control.views import sums
from services.meter_reading_and_control.views.answers import Question
from shared.work import Work

AT_ONCE = 50
"""So many usage points are read at a time, so that a feeder does not hold up what else is to be done."""


async def sums_of(
    group: Group, asked: Question, adding: sums.Adding, work: Work[Store]
) -> AsyncIterator[MeterReadings]:
    """The sums of a group, a part for each day."""
    members, days = sorted(group.members), calendar.days(asked.start, asked.end, work.store.memory.zone)
    types = sums.types_of(await work.store.types_of(members), sums.types_to_add(asked))
    async for day, _ in work.store.known_pages(members, days, longest=calendar.DAY):
        tallies = await tallies_of(group, day, types, asked, work)
        part = sums.shown(group.name, tallies, asked, adding.least_share, work.now)
        if part is not None:
            yield MeterReadings(meter_reading=(part,))


async def tallies_of(
    group: Group, day: date, types: sums.Types, asked: Question, work: Work[Store]
) -> dict[str, Tally]:
    """The values of a group on a day, added by type."""
    tallies = sums.empty_tallies(types, day, work.store.memory.zone)
    async for point, values in values_on(day, sorted(group.members), types, asked, work):
        sums.add(tallies, values, types.expected(point), group.members[point])
    return tallies


async def values_on(
    day: date, points: Sequence[str], types: sums.Types, asked: Question, work: Work[Store]
) -> AsyncIterator[tuple[str, Mapping[str, Sequence[Value | None]]]]:
    """What usage points took on a day, each of all its meters, by reading type."""
    for first in range(0, len(points), AT_ONCE):
        some = points[first : first + AT_ONCE]
        blocks = dict(grouped(await work.store.blocks(some, (day, day), asked.as_of), lambda each: each.usage_point))
        equipment = await equipment_at(some, asked.as_of, work)
        for each in some:
            yield each, sums.taken(blocks.get(each, []), equipment[each], types.taken, work.store.memory.zone)
