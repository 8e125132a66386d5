"""A usage point on a day: what is stored of it as arrays, or value by value where meters were exchanged."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import numpy as np
from msgspec import Struct

from contracts.codes.reading_type import ReadingTypeCode
from services.meter_reading_and_control.domain import calendar
from services.meter_reading_and_control.domain.readings import Block, Value, grouped, interval_length
from services.meter_reading_and_control.domain.vee.bunches import Row, is_ours, row_of_layer, row_of_values
from services.meter_reading_and_control.domain.vee.days import Mark
from services.meter_reading_and_control.domain.vee.judging import Interruptions
from services.meter_reading_and_control.domain.vee.keeping import as_told
from services.meter_reading_and_control.store import Store
from services.meter_reading_and_control.store.copying import layer_of
from services.meter_reading_and_control.store.judging import Member
from services.meter_reading_and_control.views.derived import Equipment
from services.meter_reading_and_control.views.judged import of_all_meters
from shared.store import Record
from shared.work import Work


class Place(Struct, frozen=True, kw_only=True):
    """A usage point on a day.

    Attributes:
        first: the number of the first of its series.
        members: its series.
        rows: what is stored of them.
        equipment: its meters, without how they were set up.
        off: when it had no power.
    """

    first: int
    usage_point: str
    members: Sequence[Member]
    rows: Sequence[Record]
    equipment: Equipment
    off: Interruptions


def row_of(place: Place, code: ReadingTypeCode, day: date, work: Work[Store]) -> tuple[Row, bool]:
    """The day of a usage point as an array, as it was told, and whether some of it was estimated here."""
    row = plain_row(place, day, work)
    if row is not None:
        return row, False
    values = values_of(place, place.rows, [day], work)[day]
    told, marks, scale = row_of_values([as_told(each) for each in values])
    if absent := place.equipment.absent(day, code, work.store.memory.zone):
        marks[np.array(absent)] |= np.uint16(Mark.ABSENT)
    return Row(numbers=told, marks=marks, scale=scale), any(as_told(each) is not each for each in values)


def plain_row(place: Place, day: date, work: Work[Store]) -> Row | None:
    """The day of a usage point that is one row of one meter which was there all day, and nothing is ours; else None."""
    edges = calendar.bounds(day, work.store.memory.zone)
    if len(place.rows) != 1:
        return None
    meter = next(each.series.meter for each in place.members if each.number == place.rows[0]["series"])
    layer = layer_of(place.rows[0])
    stays = not meter or any(each.meter == meter and each.lasts(*edges) for each in place.equipment.installed)
    if not stays or is_ours(layer):
        return None
    numbers, marks = row_of_layer(layer)
    return Row(numbers=numbers, marks=marks, scale=layer.scale)


def stored_blocks(place: Place, rows: Iterable[Record], work: Work[Store]) -> list[Block]:
    """The blocks of a usage point as they are stored."""
    return work.store.as_blocks(rows, {each.number: each.series for each in place.members})


def blocks_of(place: Place, rows: Iterable[Record], work: Work[Store]) -> list[Block]:
    """The blocks of a usage point, of which only counts what a meter told while it was there."""
    return [place.equipment.there(each, work.store.memory.zone) for each in stored_blocks(place, rows, work)]


def values_of(
    place: Place, rows: Iterable[Record], days: Sequence[date], work: Work[Store]
) -> Mapping[date, tuple[Value | None, ...]]:
    """The values of a usage point on some days, of all its meters together."""
    code = ReadingTypeCode.parse(place.members[0].series.reading_type)
    known = dict(grouped(blocks_of(place, rows, work), lambda each: each.day))
    return {
        day: of_all_meters(known[day])
        if day in known
        else (None,) * len(calendar.starts(day, work.store.memory.zone, interval_length(code)))
        for day in days
    }
