"""Usage points without a meter: what they are made of, and their values, made when they are asked for and not kept.

The profile has no element for what a usage point is made of. It stands in its ServiceMultipliers, the factors of the
measurement at it: the mRID is that of the member, the value its sign and weight (ours).
"""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from contracts.codes.reading_type import ReadingTypeCode
from contracts.errors import Conflict, Invalid, Rejected
from contracts.nouns.meter_readings import MeterReadings
from contracts.nouns.usage_point_config import UsagePoint
from services.meter_reading_and_control.domain import calendar
from services.meter_reading_and_control.domain.readings import interval_length
from services.meter_reading_and_control.domain.sums import Sum
from services.meter_reading_and_control.domain.virtual import formula_of, pieces, refuse_cycle
from services.meter_reading_and_control.service.sums import values_on
from services.meter_reading_and_control.store import Store
from services.meter_reading_and_control.views import sums, virtual
from services.meter_reading_and_control.views.answers import Question
from shared.work import Work


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
    """The values of a virtual usage point, by a week at most."""
    zone = work.store.memory.zone
    known = pieces(point, await work.store.formulas(point, asked.as_of))
    members = sorted({member for piece in known for member in piece.weights})
    types = sums.types_of(await work.store.types_of(members), frozenset())
    wanted = virtual.targets(types, asked)
    async for days in work.store.known_pages(members, calendar.days(asked.start, asked.end, zone)):
        found: dict[ReadingTypeCode, list[tuple[datetime, Sum | None]]] = {target: [] for target in wanted}
        for day in calendar.each_day(*days):
            taken = {each: values async for each, values in values_on(day, members, types, asked, work)}
            for target in wanted:
                starts = calendar.starts(day, zone, interval_length(target))
                found[target] += virtual.of_day(target, taken, types, known, starts)
        shown = virtual.shown(point, found, asked, work.now)
        if shown is not None:
            yield MeterReadings(meter_reading=(shown,))
    yield MeterReadings()
