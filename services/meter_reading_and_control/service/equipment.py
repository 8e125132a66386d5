"""The meters of usage points."""

from collections.abc import Sequence
from datetime import datetime

from services.meter_reading_and_control.domain.readings import grouped
from services.meter_reading_and_control.store import Store
from services.meter_reading_and_control.views.derived import Equipment
from shared.work import Work


async def equipment_at(points: Sequence[str], as_of: datetime | None, work: Work[Store]) -> dict[str, Equipment]:
    """The meters that ever were at each of these usage points, as it was known as of a time."""
    there = dict(grouped(await work.store.installed(points, as_of), lambda each: each.usage_point))
    meters = sorted({each.meter for point in points for each in there.get(point, [])})
    setups = await work.store.setups(meters, as_of)
    return {
        point: Equipment(
            installed=there.get(point, []),
            setups={each.meter: setups.get(each.meter, []) for each in there.get(point, [])},
        )
        for point in points
    }
