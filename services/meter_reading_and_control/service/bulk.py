"""What meters measured, many messages at once: whole days by the column, and the rest value by value."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta

import numpy as np
from msgspec import Struct, json, structs

from contracts.compact_readings import Columns, CompactReadings, Group, Ids, expanded
from contracts.condensed_readings import condensed
from contracts.message import Message
from contracts.nouns.meter_readings import MeterReading, MeterReadings
from contracts.verbs import Verb
from services.meter_reading_and_control.domain.columns import (
    BUNCH,
    Array,
    Chunk,
    Sheet,
    chunks_of,
    firsts_of,
    joined,
    part_of,
    rows_of,
    sheet_of,
    told_anew,
)
from services.meter_reading_and_control.domain.meeting import Met
from services.meter_reading_and_control.domain.names import some
from services.meter_reading_and_control.domain.readings import grouped
from services.meter_reading_and_control.service.declared import service
from services.meter_reading_and_control.service.marking import have_judged, is_late, judge_again
from services.meter_reading_and_control.service.readings import named, take
from services.meter_reading_and_control.store import Store
from shared.work import Wake, Work

EVENT_BYTES = 900_000
"""How much goes into one event; less than a message can have."""

FOLD_EVERY_S = 10
"""How often is looked for what is to be folded, while waves come."""

FOLD_PARTS, FOLD_AGE, FOLD_MOST = 32, timedelta(hours=1), 32
"""What has so many parts is folded, and what is so old; so many bunches in one transaction where so many are due."""

FOLD_PAUSE = timedelta(seconds=0.25)
"""Where fewer are due they are folded one by one with a pause between, so that nothing else has long to wait."""


class Taken(Struct, frozen=True):
    """Rows of a sheet whose meters are where they should be.

    Attributes:
        places: which rows of the sheet.
        points: the usage point of each.
        series: the number of the series of each.
    """

    source: str
    columns: Columns
    sheet: Sheet
    places: Array
    points: Ids
    series: Array


@service.on_batch(Verb.CREATED, MeterReadings, compact=True)
async def hear_readings(messages: list[Message[MeterReadings]], work: Work[Store]) -> None:
    """What meters measured; what cannot be taken is kept with the reason, and the rest is taken."""
    await take_all(messages, work)


@service.on_batch(Verb.CHANGED, MeterReadings, compact=True)
async def hear_corrections(messages: list[Message[MeterReadings]], work: Work[Store]) -> None:
    """Better values of what was told before; the rule of replacement says whether they are."""
    await take_all(messages, work)


async def take_all(messages: Sequence[Message[MeterReadings]], work: Work[Store]) -> None:
    """Take what stands in columns as it is where nothing stands in the way, and all else value by value."""
    await work.store.heed_moves()
    taken: list[Taken] = []
    rest: list[tuple[str, list[MeterReading]]] = []
    for source, columns, others in by_source(messages, work.principal):
        rest.append((source, others))
        for sheet in columns:
            found, left = await placed(sheet, source, work)
            taken += found
            rest.append((source, left))
    await work.store.have_days(each.sheet.day for each in taken)
    waves = [each for each in taken if not each.sheet.is_whole]
    told, met = await keep_waves(waves, work)
    rest += met
    await work.store.lock_all_of(named(reading for _, readings in rest for reading in readings))
    days = [each for each in taken if each.sheet.is_whole]
    there = await work.store.add_first([rows_of(each.sheet, each.places, each.series) for each in days], work.now)
    for each, places in zip(days, there, strict=True):
        new, other = await settle(each, places, work)
        rest.append((each.source, other))
        told += again(each, new)
    tell(told, work)
    for source, readings in rest:
        await take(readings, source, work)
    have_judged({each.sheet.day for each in taken}, work)
    await judge_again(bunches_of([each for each in taken if is_late(each.sheet.day, work)]), work)


def bunches_of(taken: Iterable[Taken]) -> set[tuple[date, int]]:
    """The days and bunches of what was taken."""
    return {(each.sheet.day, bunch) for each in taken for bunch in np.unique(each.series // BUNCH).tolist()}


def by_source(
    messages: Sequence[Message[MeterReadings]], principal: str
) -> Iterator[tuple[str, list[Columns], list[MeterReading]]]:
    """What each source tells in columns, those of one shape together, and what has no such shape."""
    for source, of_source in grouped(messages, lambda message: message.header.source or principal):
        groups = [group for message in of_source for group in compact(message.payload).groups]
        columns = joined(group.columns for group in groups if group.columns is not None)
        yield source, columns, [reading for group in groups for reading in group.others]


def sorted_out(chunks: Sequence[Chunk], met: Mapping[int, Array], rows: int) -> tuple[Array, Array]:
    """Which of so many rows need a closer look, and which are new in all intervals; the others were told before."""
    told, before, odd = np.zeros(rows, int), np.zeros(rows, int), np.zeros(rows, bool)
    for chunk in chunks:
        told[chunk.rows] += 1
    for number, found in met.items():
        before[chunks[number].rows] += found == Met.ITSELF
        odd[chunks[number].rows] |= found == Met.OTHER
    return odd | ((before > 0) & (before < told)), (before == 0) & ~odd


async def keep_waves(
    waves: Sequence[Taken], work: Work[Store]
) -> tuple[list[Columns], list[tuple[str, list[MeterReading]]]]:
    """Keep parts of days as they come, to be folded soon; what is new, and what meets other values."""
    told: list[Columns] = []
    left: list[tuple[str, list[MeterReading]]] = []
    for each in waves:
        wave, other = once(each)
        left.append((wave.source, other))
        chunks = [*chunks_of(wave.sheet, wave.places, wave.series)]
        met = await work.store.met(chunks)
        odd, fresh = sorted_out(chunks, met, wave.sheet.numbers.shape[0])
        if odd.any():
            left.append((wave.source, readings_of(part_of(wave.columns, np.flatnonzero(odd)))))
        new = np.flatnonzero(fresh[wave.places])
        kept = chunks if len(new) == len(wave.places) else chunks_of(wave.sheet, wave.places[new], wave.series[new])
        await work.store.add_to_tail(kept, work.now)
        told += again(wave, new)
    if told:
        due = work.now.replace(second=work.now.second // FOLD_EVERY_S * FOLD_EVERY_S, microsecond=0)
        work.wake("fold", due.isoformat(), due + timedelta(seconds=FOLD_EVERY_S), new_thread=True)
    return told, left


def once(wave: Taken) -> tuple[Taken, list[MeterReading]]:
    """A wave with each series once, as its head-end may say it again; and the readings that say something else then."""
    if (np.diff(np.sort(wave.series)) > 0).all():
        return wave, []
    is_first, says_else = firsts_of(wave.sheet, wave.places, wave.series)
    places, points = wave.places[is_first], some(wave.points, np.flatnonzero(is_first))
    kept = structs.replace(wave, places=places, points=points, series=wave.series[is_first])
    return kept, readings_of(part_of(wave.columns, wave.places[says_else])) if says_else.any() else []


@service.on_wake("fold")
async def fold_waves(wake: Wake, work: Work[Store]) -> None:
    """Waves become blocks where enough have come, or when they are old; a wake may say which are left to be folded."""
    if wake.payload:
        due = json.decode(wake.payload, type=list[tuple[int, date]])
    else:
        due = await work.store.due_to_fold(FOLD_PARTS, work.now - FOLD_AGE, FOLD_MOST)
    at_once = FOLD_MOST if len(due) == FOLD_MOST else 1
    for bunch, day in due[:at_once]:
        await work.store.fold(bunch, day)
    if at_once == FOLD_MOST:
        work.wake("fold", "rest", work.now, new_thread=True)
    elif len(due) > 1:
        work.wake("fold", "rest", work.now + FOLD_PAUSE, json.encode(due[1:]).decode(), new_thread=True)
    elif (oldest := await work.store.oldest_of_tail()) is not None:
        work.wake("fold", "rest", max(oldest + FOLD_AGE, work.now) + timedelta(seconds=1), new_thread=True)


def again(taken: Taken, new: Array) -> list[Columns]:
    """What is told to others of those rows that are new."""
    points = some(taken.points, new)
    return [told_anew(taken.columns, taken.sheet, taken.places[new], points)] if points else []


def compact(payload: MeterReadings | CompactReadings | None) -> CompactReadings:
    """The payload of a message by the column, however it came."""
    return payload if isinstance(payload, CompactReadings) else condensed(payload or MeterReadings())


async def placed(columns: Columns, source: str, work: Work[Store]) -> tuple[list[Taken], list[MeterReading]]:
    """The rows of ``columns`` that can be taken as they are, and those that need a closer look."""
    sheet = (
        None
        if columns.meters is None
        else sheet_of(columns, source, work.now, work.store.memory.zone, work.now - work.store.memory.kept)
    )
    if sheet is None or columns.meters is None:
        return [], readings_of(columns)
    places = await work.store.recall(columns.meters)
    known = work.store.memory.known
    fits = known.fitting(places, columns.usage_points, sheet.begins_us, sheet.ends_us) & ~sheet.odd
    good = np.flatnonzero(fits)
    left = [] if fits.all() else readings_of(part_of(columns, np.flatnonzero(~fits)))
    if not len(good):
        return [], left
    series = await work.store.series_at(sheet.code, columns.meters, good, places[good])
    points_of = known.points(places[good])
    return [Taken(source=source, columns=columns, sheet=sheet, places=good, points=points_of, series=series)], left


async def settle(taken: Taken, there: Sequence[int], work: Work[Store]) -> tuple[Array, list[MeterReading]]:
    """Of rows some of whose blocks were ``there``: the places of the new, and the readings that say something else."""
    every = np.arange(len(taken.places))
    if not there:
        return every, []
    before = await work.store.told_before(rows_of(taken.sheet, taken.places, taken.series), there)
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
            part = part_of(columns, slice(first, first + most))
            weight = len(part.numbers) + 100 * part.rows
            if groups and size + weight > EVENT_BYTES:
                work.publish(Verb.CREATED, CompactReadings(groups=tuple(groups)), key=work.cause.identity)
                groups, size = [], 0
            groups.append(Group(columns=part))
            size += weight
    if groups:
        work.publish(Verb.CREATED, CompactReadings(groups=tuple(groups)), key=work.cause.identity)
