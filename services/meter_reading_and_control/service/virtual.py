"""Usage points without a meter: what they are made of, and their values, made when they are asked for and not kept.

The profile has no element for what a usage point is made of. It stands in its ServiceMultipliers, the factors of the
measurement at it: the mRID is that of the member, the value its sign and weight (ours).
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import date, datetime
from itertools import chain

from msgspec import Struct
from msgspec.structs import replace

from contracts.codes.reading_type import ReadingTypeCode
from contracts.errors import Conflict, Invalid, Rejected
from contracts.nouns.meter_readings import MeterReadings
from contracts.nouns.reading_types import Reading
from contracts.nouns.usage_point_config import UsagePoint
from services.meter_reading_and_control.domain import calendar
from services.meter_reading_and_control.domain.readings import Block, empty_block, grouped, interval_length
from services.meter_reading_and_control.domain.sums import Sum
from services.meter_reading_and_control.domain.virtual import Piece, formula_of, pieces, refuse_cycle
from services.meter_reading_and_control.service.sums import values_on
from services.meter_reading_and_control.store import Store
from services.meter_reading_and_control.views import quantities, sums, virtual, virtual_registers
from services.meter_reading_and_control.views.answers import Question
from shared.work import Work

AT_ONCE = 100
"""So many readings of registers go into one part of an answer."""


class Made(Struct, frozen=True, kw_only=True):
    """A virtual usage point, what it comes down to, its members, and in which types they told anything."""

    usage_point: str
    pieces: Sequence[Piece]
    members: Sequence[str]
    types: sums.Types


async def sorted_out(new: Sequence[UsagePoint], work: Work[Store]) -> tuple[list[UsagePoint], list[Rejected]]:
    """Keep what virtual ones of usage points are made of; which usage points can be set up, and why others cannot."""
    was = await work.store.virtual_points([each.mrid for each in new if each.mrid])
    if was or any(each.is_virtual for each in new):
        await work.store.lock_virtual()
    kept: list[UsagePoint] = []
    errors: list[Rejected] = []
    for each in new:
        try:
            if each.is_virtual or each.mrid in was:
                await make_of(each, work)
            kept.append(each)
        except Rejected as error:
            errors.append(error)
    return kept, errors


async def make_of(point: UsagePoint, work: Work[Store]) -> None:
    """Keep what a usage point is made of.

    Raises:
        Invalid: 5.8, 2.29, its factors cannot be members, or it would be made of itself; 2.12, a member is not known.
        Conflict: 5.2, there is a meter.
    """
    mrid, formula = point.mrid or "", formula_of(point)
    members = {member for member, _ in formula.members}
    measured = await work.store.points_of([mrid, *members], ())
    if mrid in measured and point.is_virtual:
        raise Conflict(f"usage point {mrid} has a meter", object_id=mrid)
    unknown = sorted(members - measured - await work.store.virtual_points(members) - {mrid})
    if unknown:
        raise Invalid(f"usage point {unknown[0]} is not known", code="2.12", object_id=unknown[0])
    others = [each for member in sorted(members - measured) for each in await work.store.formulas(member, None)]
    refuse_cycle([formula, *others], mrid)
    await work.store.save_virtual(point, work.now)


async def virtual_pages(point: str, asked: Question, work: Work[Store]) -> AsyncIterator[MeterReadings]:
    """The intervals of a virtual usage point, and what is asked for that follows from them."""
    known = pieces(point, await work.store.formulas(point, asked.as_of))
    members = sorted({member for piece in known for member in piece.weights})
    types = sums.types_of(await work.store.types_of(members), frozenset())
    made = Made(usage_point=point, pieces=known, members=members, types=types)
    intervals = virtual_registers.intervals_in(asked.types)
    if intervals or not asked.types:
        async for page in interval_pages(made, replace(asked, types=intervals), work):
            yield page
    periods = virtual_registers.periods_in(asked.types)
    for told in [await told_of_periods(made, alike, asked, work) for _, alike in grouped(periods, _macro_period)]:
        yield MeterReadings(meter_reading=quantities.shown(point, told))
    if registers := virtual_registers.registers_in(asked.types):
        async for readings in register_pages(made, registers, asked, work):
            yield MeterReadings(meter_reading=(virtual_registers.shown(point, readings, asked),))
    yield MeterReadings()


def _macro_period(wanted: quantities.Wanted) -> int:
    return wanted.code.macro_period


async def interval_pages(made: Made, asked: Question, work: Work[Store]) -> AsyncIterator[MeterReadings]:
    """The intervals, by a week at most."""
    zone, wanted = work.store.memory.zone, virtual.targets(made.types, asked)
    async for days in work.store.known_pages(made.members, calendar.days(asked.start, asked.end, zone)):
        found: dict[ReadingTypeCode, list[tuple[datetime, Sum | None]]] = {target: [] for target in wanted}
        for day in calendar.each_day(*days):
            taken = await taken_on(day, made, asked, work)
            for target in wanted:
                starts = calendar.starts(day, zone, interval_length(target))
                found[target] += virtual.of_day(target, taken, made.types, made.pieces, starts)
        shown = virtual.shown(made.usage_point, found, asked, work.now)
        if shown is not None:
            yield MeterReadings(meter_reading=(shown,))


async def told_of_periods(
    made: Made, wanted: Sequence[quantities.Wanted], asked: Question, work: Work[Store]
) -> list[Reading]:
    """The energies and demands of days, or of months, that are over."""
    memory, found = work.store.memory, list[Reading]()
    span = await known_span(made, calendar.days(asked.start, asked.end, memory.zone), work)
    for days in quantities.periods(wanted[0].code.macro_period, span):
        first, after = calendar.bounds(days[0], memory.zone)[0], calendar.bounds(days[1], memory.zone)[1]
        if first < asked.start or after > min(asked.end, work.now):
            continue
        powers = {each.code.multiplier for each in wanted}
        of_days = [await blocks_on(day, made, powers, asked, work) for day in calendar.each_day(*days)]
        blocks = [*chain.from_iterable(of_days)]
        told = (quantities.reading(each, days, blocks, memory.calendars, memory.zone) for each in wanted)
        found += [each for each in told if each is not None]
    return found


async def register_pages(
    made: Made, codes: Sequence[ReadingTypeCode], asked: Question, work: Work[Store]
) -> AsyncIterator[list[Reading]]:
    """How registers stand at each midnight; they are made from the first day on of which anything is known."""
    memory, powers = work.store.memory, {code.multiplier for code in codes}
    running, readings = [virtual_registers.Running(code) for code in codes], list[Reading]()
    last = calendar.market_day(min(asked.end, work.now), memory.zone) - calendar.DAY
    for day in calendar.each_day(*await known_span(made, (date.min, last), work)):
        blocks = await blocks_on(day, made, powers, asked, work)
        for each in running:
            readings += each.pass_day(day, blocks, memory.calendars, memory.zone)
        if len(readings) >= AT_ONCE:
            yield readings
            readings = []
    yield readings


async def known_span(made: Made, days: tuple[date, date], work: Work[Store]) -> tuple[date, date]:
    """The first and the last of ``days`` between which members may have values; for none they are reversed."""
    known = [await work.store.known_days(each, days) for each in made.members]
    spans = [each for each in known if each[0] <= each[1]]
    if not spans:
        return days[1], days[1] - calendar.DAY
    return min(first for first, _ in spans), max(last for _, last in spans)


async def blocks_on(day: date, made: Made, powers: Iterable[int], asked: Question, work: Work[Store]) -> list[Block]:
    """The intervals of a day of each kind, the shortest for which none is split, in units of these powers of ten."""
    taken, zone = await taken_on(day, made, asked, work), work.store.memory.zone
    found = []
    for target in virtual.targets(made.types, replace(asked, types=frozenset())):
        starts = calendar.starts(day, zone, interval_length(target))
        sums_of_day = virtual.of_day(target, taken, made.types, made.pieces, starts)
        values = tuple(None if each is None else each.value for _, each in sums_of_day)
        if any(each is not None for each in values):
            block = replace(empty_block(made.usage_point, str(target), day, "", zone), values=values)
            found += [virtual_registers.in_unit(block, each) for each in sorted(powers)]
    return found


async def taken_on(day: date, made: Made, asked: Question, work: Work[Store]) -> virtual.Taken:
    """What the members took on a day."""
    return {each: values async for each, values in values_on(day, made.members, made.types, asked, work)}
