"""What is known of usage points beside the values of their days, gathered with a few questions for all of them."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from fractions import Fraction

from contracts.codes.end_device_events import EventKind
from contracts.codes.reading_type import ReadingTypeCode
from contracts.nouns.usage_point_config import UsagePoint
from services.meter_reading_and_control.domain import calendar, usage_points
from services.meter_reading_and_control.domain.readings import interval_length
from services.meter_reading_and_control.domain.registers import factor_at
from services.meter_reading_and_control.domain.vee.beside import NOTHING, WATT_HOURS, Beside
from services.meter_reading_and_control.service.equipment import equipment_at
from services.meter_reading_and_control.store import Store
from services.meter_reading_and_control.views.derived import SECONDARY, Equipment
from shared.work import Work

HOUR = timedelta(hours=1)


async def beside(
    points: Sequence[str], code: ReadingTypeCode, days: Sequence[date], work: Work[Store]
) -> Mapping[tuple[str, date], Beside]:
    """What is known of usage points on days, as it is known now; those of which nothing is are not named."""
    setups = await work.store.usage_points(points)
    agreed = await work.store.agreed_at(points)
    switched: dict[str, list[tuple[datetime, EventKind]]] = {}
    for point, at, kind in await work.store.switched(points):
        switched.setdefault(point, []).append((at, kind))
    known = sorted({*setups, *agreed, *switched})
    rated = [point for point in setups if any(usage_points.rated_w(each) is not None for each in setups[point])]
    equipment = await equipment_at(rated, None, work) if rated and code.unit == WATT_HOURS else {}
    found = {}
    for day in days:
        edges = calendar.bounds(day, work.store.memory.zone)
        for point in known:
            setup = usage_points.at(setups.get(point, ()), edges[0])
            each = beside_of(
                setup,
                rated=rated_in(setup, equipment.get(point), code, edges[0]),
                is_inactive=usage_points.is_disconnected(setup, switched.get(point, ()), *edges)
                or usage_points.is_vacant(agreed.get(point, ()), *edges),
            )
            if each != NOTHING:
                found[point, day] = each
    return found


def beside_of(setup: UsagePoint | None, *, rated: Fraction | None, is_inactive: bool) -> Beside:
    """What is known of a usage point that is set up like this."""
    if setup is None:
        return Beside(is_inactive=is_inactive)
    return Beside(
        of_class=usage_points.named(setup, usage_points.CLASS),
        rated=rated,
        is_inactive=is_inactive,
        is_idle=bool(setup.minimal_usage_expected),
        has_generation=bool(usage_points.named(setup, usage_points.GENERATION)),
    )


def rated_in(
    setup: UsagePoint | None, equipment: Equipment | None, code: ReadingTypeCode, at: datetime
) -> Fraction | None:
    """What may pass in one interval by the rating, in the unit of the reading type.

    What is measured behind instrument transformers is smaller by the factor of its meter; where meters were exchanged
    the smallest counts.
    """
    watts = None if setup is None else usage_points.rated_w(setup)
    if watts is None or equipment is None:
        return None
    ratios = [
        factor_at(equipment.factors(each.meter), at)
        for each in equipment.installed
        if code.commodity == SECONDARY and (each.ends is None or each.ends > at)
    ]
    hours = Fraction(interval_length(code) // timedelta(minutes=1), 60)
    return watts * hours / Fraction(10) ** code.multiplier / min((each for each in ratios if each), default=1)
