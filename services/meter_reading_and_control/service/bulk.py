"""What meters measured, many messages at once: whole days by the column, and the rest value by value."""

from collections.abc import Iterable, Sequence

import numpy as np
from msgspec import Struct

from contracts.compact_readings import Columns, CompactReadings, Group, condensed, expanded, texts
from contracts.message import Message
from contracts.nouns.meter_readings import MeterReading, MeterReadings
from contracts.verbs import Verb
from services.meter_reading_and_control.domain.columns import (
    Array,
    Rows,
    Sheet,
    part_of,
    rows_of,
    sheet_of,
    told_anew,
)
from services.meter_reading_and_control.domain.roster import NOWHERE
from services.meter_reading_and_control.service.declared import service
from services.meter_reading_and_control.service.readings import named, take
from services.meter_reading_and_control.store import Store
from shared.work import Work

EVENT_BYTES = 900_000
"""How much goes into one event; less than a message can have."""


class Taken(Struct, frozen=True):
    """Rows of a sheet whose meters are where they should be.

    Attributes:
        places: which rows of the sheet.
        points: the usage point of each.
    """

    source: str
    columns: Columns
    sheet: Sheet
    places: Array
    points: list[str]
    rows: Rows


@service.on_batch(Verb.CREATED, MeterReadings, compact=True)
async def hear_readings(messages: list[Message[MeterReadings]], work: Work[Store]) -> None:
    """What meters measured; what cannot be taken is kept with the reason, and the rest is taken."""
    await take_all(messages, work)


@service.on_batch(Verb.CHANGED, MeterReadings, compact=True)
async def hear_corrections(messages: list[Message[MeterReadings]], work: Work[Store]) -> None:
    """Better values of what was told before; the rule of replacement says whether they are."""
    await take_all(messages, work)


async def take_all(messages: Sequence[Message[MeterReadings]], work: Work[Store]) -> None:
    """Take whole days by the column where nothing stands in the way, and all else value by value."""
    await work.store.heed_moves()
    taken: list[Taken] = []
    rest: list[tuple[str, list[MeterReading]]] = []
    for message in messages:
        source = message.header.source or work.principal
        for group in compact(message.payload).groups:
            found, left = await placed(group.columns, source, work)
            taken += found
            rest.append((source, [*left, *group.others]))
    await work.store.lock_all_of(named(reading for _, readings in rest for reading in readings))
    told = []
    for each, places in zip(taken, await work.store.add_first([each.rows for each in taken], work.now), strict=True):
        new, other = await settle(each, places, work)
        rest.append((each.source, other))
        if len(new):
            points = [each.points[place] for place in new.tolist()]
            told.append(told_anew(each.columns, each.sheet, each.places[new], points))
    tell(told, work)
    for source, readings in rest:
        await take(readings, source, work)


def compact(payload: MeterReadings | CompactReadings | None) -> CompactReadings:
    """The payload of a message by the column, however it came."""
    return payload if isinstance(payload, CompactReadings) else condensed(payload or MeterReadings())


async def placed(columns: Columns | None, source: str, work: Work[Store]) -> tuple[list[Taken], list[MeterReading]]:
    """The rows of ``columns`` that can be taken as they are, and those that need a closer look."""
    if columns is None:
        return [], []
    sheet = None if columns.meters is None else sheet_of(columns, source, work.now, work.store.memory.zone)
    if sheet is None or columns.meters is None:
        return [], readings_of(columns)
    meters = texts(columns.meters)
    points = None if columns.usage_points is None else texts(columns.usage_points)
    known = await work.store.recall(meters)
    places = known.places(meters, points, sheet.begins_us, sheet.ends_us)
    fits = (places != NOWHERE) & ~sheet.odd
    good = np.flatnonzero(fits)
    left = [] if fits.all() else readings_of(part_of(columns, np.flatnonzero(~fits)))
    if not len(good):
        return [], left
    series = await work.store.series_at(sheet.code, [meters[place] for place in good.tolist()], places[good])
    told = [known.point(place) for place in places[good].tolist()]
    rows = rows_of(sheet, good, series)
    return [Taken(source=source, columns=columns, sheet=sheet, places=good, points=told, rows=rows)], left


async def settle(taken: Taken, there: Sequence[int], work: Work[Store]) -> tuple[Array, list[MeterReading]]:
    """Of rows some of whose blocks were ``there``: the places of the new, and the readings that say something else."""
    every = np.arange(len(taken.places))
    if not there:
        return every, []
    before = await work.store.told_before(taken.rows, there)
    other = [place for place in there if place not in before]
    return np.delete(every, there), readings_of(part_of(taken.columns, taken.places[other])) if other else []


def readings_of(columns: Columns) -> list[MeterReading]:
    """The readings of the noun that ``columns`` stand for."""
    return list(expanded(CompactReadings(groups=(Group(columns=columns),))).meter_reading)


def tell(told: Iterable[Columns], work: Work[Store]) -> None:
    """Tell what is new, in as few events as hold it."""
    groups: list[Group] = []
    size = 0
    for columns in told:
        most = max(1, EVENT_BYTES // (100 + len(columns.numbers) // columns.rows))
        for first in range(0, columns.rows, most):
            part = part_of(columns, np.arange(first, min(first + most, columns.rows)))
            weight = len(part.numbers) + 100 * part.rows
            if groups and size + weight > EVENT_BYTES:
                work.publish(Verb.CREATED, CompactReadings(groups=tuple(groups)), key=work.cause.identity)
                groups, size = [], 0
            groups.append(Group(columns=part))
            size += weight
    if groups:
        work.publish(Verb.CREATED, CompactReadings(groups=tuple(groups)), key=work.cause.identity)
