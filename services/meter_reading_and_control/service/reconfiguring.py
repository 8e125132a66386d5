"""A meter has taken new software, or is set up anew: the interval in which it did says so (metering guide 2.5)."""

from collections.abc import Mapping, Sequence
from datetime import date

from contracts.codes.end_device_controls import ControlKind
from contracts.codes.reading_quality import CONFIGURATION_CHANGED
from contracts.codes.reading_type import ReadingTypeCode
from services.meter_reading_and_control.domain import calendar
from services.meter_reading_and_control.domain.controls import Command
from services.meter_reading_and_control.domain.readings import Quality, interval_length
from services.meter_reading_and_control.service.marking import heed
from services.meter_reading_and_control.service.places import Place
from services.meter_reading_and_control.store import Store
from shared.work import Work


async def note(command: Command, work: Work[Store]) -> None:
    """A device has done what it was told: where that was about itself, the day on which it did is judged with it."""
    if not command.campaign and command.kind is not ControlKind.FIRMWARE:
        return
    for there in await work.store.installed([command.device]):
        if there.covers(command.since):
            await work.store.save_reconfigured(there.usage_point, command.since, command.mrid)
            await heed({there.usage_point: {calendar.market_day(command.since, work.store.memory.zone)}}, work)


async def reconfigured(
    places: Sequence[Place], code: ReadingTypeCode, day: date, work: Work[Store]
) -> Mapping[int, Mapping[int, Quality]]:
    """The quality of the intervals of a day in which meters were reconfigured, by their places and those of a day."""
    zone, length = work.store.memory.zone, interval_length(code)
    edges = calendar.bounds(day, zone)
    when = await work.store.reconfigured([each.usage_point for each in places], *edges)
    return {
        number: {
            (at - edges[0]) // length: Quality(code=CONFIGURATION_CHANGED, comment=f"control {control}")
            for at, control in when[place.usage_point]
        }
        for number, place in enumerate(places)
        if place.usage_point in when
    }
