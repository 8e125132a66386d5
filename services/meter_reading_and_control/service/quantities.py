"""Quantities that follow from intervals, made when they are asked for and not kept (metering guide 6)."""

from msgspec.structs import replace

from contracts.codes.reading_type import ReadingTypeCode
from contracts.nouns.meter_readings import MeterReading
from services.meter_reading_and_control.domain import calendar
from services.meter_reading_and_control.domain.readings import Block, grouped
from services.meter_reading_and_control.store import Store
from services.meter_reading_and_control.views import quantities
from services.meter_reading_and_control.views.answers import Question
from services.meter_reading_and_control.views.derived import PRIMARY, Equipment, primary
from shared.work import Work


async def quantities_of(
    point: str, asked: Question, equipment: Equipment, work: Work[Store]
) -> tuple[MeterReading, ...]:
    """The energies of buckets and the greatest demands that are asked for, of whole days and months that are over."""
    zone, found = work.store.memory.zone, []
    wanted = grouped(quantities.wanted(asked.types), lambda each: each.code.macro_period)
    known = calendar.days(asked.start, asked.end, zone)
    if wanted:
        known = await work.store.known_days(point, known)
    for period, alike in wanted:
        for days in quantities.periods(period, known):
            first, after = calendar.bounds(days[0], zone)[0], calendar.bounds(days[1], zone)[1]
            if first < asked.start or after > min(asked.end, work.now):
                continue
            blocks = [equipment.there(block, zone) for block in await work.store.blocks([point], days, asked.as_of)]
            blocks += primary(blocks, _primary_types(blocks), equipment, zone)
            blocks = [block for block in blocks if asked.about(point, block.meter)]
            told = (quantities.reading(each, days, blocks, work.store.memory.calendars, zone) for each in alike)
            found += [each for each in told if each is not None]
    return quantities.shown(point, found)


def _primary_types(blocks: list[Block]) -> frozenset[str]:
    codes = (ReadingTypeCode.parse(block.reading_type) for block in blocks)
    return frozenset(str(replace(code, commodity=PRIMARY)) for code in codes)
