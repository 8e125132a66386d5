"""What was told of other reading types, or at other usage points, on the days that are judged."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, datetime
from itertools import chain

from contracts.codes.reading_type import ReadingTypeCode
from services.meter_reading_and_control.domain.readings import grouped
from services.meter_reading_and_control.domain.vee.bunches import Row, row_of_values
from services.meter_reading_and_control.domain.vee.keeping import as_told
from services.meter_reading_and_control.service.places import Place, row_of
from services.meter_reading_and_control.store import Store
from services.meter_reading_and_control.views.derived import Equipment
from services.meter_reading_and_control.views.judged import of_all_meters
from shared.work import Work

Told = Mapping[tuple[str, str, date], Row]
"""By usage point, reading type and day."""

Teller = Callable[[Sequence[tuple[str, str]], Sequence[date], Work[Store]], Awaitable[Told]]
"""Finds what was told of usage points and reading types on days."""


async def told_in_rows(wanted: Sequence[tuple[str, str]], days: Sequence[date], work: Work[Store]) -> Told:
    """From what is stored, as arrays; what is still in the tail is folded."""
    members = await work.store.members_of(wanted)
    stored = await work.store.day_rows([each.number for each in members], days)
    points = sorted({each.series.usage_point for each in members})
    installed = dict(grouped(await work.store.installed(points), lambda each: each.usage_point))
    found = {}
    for first, own in grouped(sorted(members, key=lambda each: each.first), lambda each: each.first):
        point, code = own[0].series.usage_point, own[0].series.reading_type
        equipment = Equipment(installed=installed.get(point, ()), setups={})
        for day in days:
            rows = [*chain.from_iterable(stored.get((each.number, day), ()) for each in own)]
            place = Place(first=first, usage_point=point, members=own, rows=rows, equipment=equipment, off=())
            if rows:
                found[point, code, day] = row_of(place, ReadingTypeCode.parse(code), day, work)[0]
    return found


def told_in_values(as_of: datetime | None) -> Teller:
    """Value by value, as it was known ``as_of`` a time, for who asks: nothing is folded."""

    async def told(wanted: Sequence[tuple[str, str]], days: Sequence[date], work: Work[Store]) -> Told:
        points = sorted({point for point, _ in wanted})
        if not points or not days:
            return {}
        installed = dict(grouped(await work.store.installed(points, as_of), lambda each: each.usage_point))
        blocks = [
            Equipment(installed=installed.get(each.usage_point, ()), setups={}).there(each, work.store.memory.zone)
            for each in await work.store.blocks(points, (days[0], days[-1]), as_of)
            if (each.usage_point, each.reading_type) in set(wanted)
        ]
        found = {}
        for key, own in grouped(
            sorted(blocks, key=lambda each: (each.usage_point, each.reading_type, each.day)),
            lambda each: (each.usage_point, each.reading_type, each.day),
        ):
            numbers, marks, scale = row_of_values([as_told(each) for each in of_all_meters(own)])
            found[key] = Row(numbers=numbers, marks=marks, scale=scale)
        return found

    return told
