"""Sums of what usage points take that belong together."""

from collections.abc import AsyncIterator, Sequence
from datetime import date

from contracts.nouns.meter_readings import MeterReadings
from services.meter_reading_and_control.domain import calendar
from services.meter_reading_and_control.domain.membership import Group, united
from services.meter_reading_and_control.domain.readings import grouped
from services.meter_reading_and_control.domain.sums import Tally
from services.meter_reading_and_control.service.equipment import equipment_at
from services.meter_reading_and_control.store import Store
from services.meter_reading_and_control.views import sums
from services.meter_reading_and_control.views.answers import Question
from shared.work import Work

AT_ONCE = 50
"""So many usage points are read at a time, so that a feeder does not hold up what else is to be done."""


async def sums_of(
    groups: Sequence[Group], asked: Question, adding: sums.Adding, work: Work[Store]
) -> AsyncIterator[MeterReadings]:
    """The sums of each group, or of all together, a part for each day."""
    wanted, zone = sums.types_to_add(asked), work.store.memory.zone
    days = calendar.days(asked.start, asked.end, zone)
    for group in groups if adding.each else [united(groups)]:
        members = sorted(group.members)
        types = sums.types_of(await work.store.types_of(members), wanted)
        async for day, _ in work.store.known_pages(members, days, longest=calendar.DAY):
            tallies = await tallies_of(group, day, types, asked, work)
            part = sums.shown(group.name, tallies, asked, adding.least_share, work.now)
            if part is not None:
                yield MeterReadings(meter_reading=(part,))
    yield MeterReadings()


async def tallies_of(
    group: Group, day: date, types: sums.Types, asked: Question, work: Work[Store]
) -> dict[str, Tally]:
    """The values of a group on a day, added by type."""
    zone = work.store.memory.zone
    members, tallies = sorted(group.members), sums.empty_tallies(types, day, zone)
    for first in range(0, len(members), AT_ONCE):
        some = members[first : first + AT_ONCE]
        blocks = dict(grouped(await work.store.blocks(some, (day, day), asked.as_of), lambda each: each.usage_point))
        equipment = await equipment_at(some, asked.as_of, work)
        for point in some:
            values = sums.taken(blocks.get(point, []), equipment[point], frozenset(tallies), zone)
            sums.add(tallies, values, types.expected(point), group.members[point])
    return tallies
