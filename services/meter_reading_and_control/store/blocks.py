"""Values of intervals in blocks by market day, one by one and many at once."""

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import date, datetime
from struct import pack, unpack
from typing import Any

import numpy as np
from msgspec import Struct, json

from services.meter_reading_and_control.domain.columns import Array, Rows, marks_of, runs_of
from services.meter_reading_and_control.domain.readings import Block, Origin, Value
from services.meter_reading_and_control.domain.roster import Roster
from services.meter_reading_and_control.store.copying import copied, each_numbers
from shared.store import Record, Store, Transaction

BUNCH = 256
"""How many neighbouring numbers of series belong to one reading type."""

_NO_NUMBER = {4: -(2**31), 8: -(2**63)}
_CODES = {4: "i", 8: "q"}
_COLUMNS = ("market_day", "series", "version", "scale", "width", "numbers", "runs", "origins", "recorded_at")


class Series(Struct, frozen=True, order=True):
    """Whose values they are, and of what; ``meter`` is empty for what no meter measured."""

    usage_point: str
    reading_type: str
    meter: str


class Blocks(Store):
    """The blocks.

    What is new in a transaction is not remembered beyond it, since it may be undone.
    """

    def __init__(self, transaction: Transaction, memory: Any = None) -> None:
        super().__init__(transaction, memory)
        self._begun: set[int] = set()

    async def blocks(self, points: Sequence[str], days: tuple[date, date], as_of: datetime | None) -> list[Block]:
        """The blocks of usage points on the days from the first to the last, as they were known ``as_of`` a time."""
        rows = await self.fetch(
            "SELECT s.usage_point, s.reading_type, s.meter, b.* FROM generate_series("
            "  greatest($2, (SELECT min(market_day) FROM block)), least($3, (SELECT max(market_day) FROM block)),"
            "  interval '1 day') AS day"
            " CROSS JOIN (SELECT * FROM series WHERE usage_point = ANY($1)) AS s"
            " CROSS JOIN LATERAL (SELECT * FROM block WHERE market_day = day::date AND series = s.id"
            "  AND recorded_at <= coalesce($4, 'infinity'::timestamptz) ORDER BY version DESC LIMIT 1) AS b"
            " ORDER BY s.usage_point, s.reading_type, b.market_day, s.meter",
            points,
            *days,
            as_of,
        )
        return [_block(row) for row in rows]

    async def save_block(self, block: Block, now: datetime) -> None:
        """Keep a version of a block."""
        series = Series(block.usage_point, block.reading_type, block.meter)
        ids = await self.series_of([series])
        await self.have_days([block.day])
        known = [each for each in block.values if each is not None]
        scale = min((each.scale for each in known), default=0)
        origins = sorted({json.encode(each.origin).decode() for each in known})
        place = {origin: mark for mark, origin in enumerate(origins)}
        marks = [0 if each is None else place[json.encode(each.origin).decode()] for each in block.values]
        width, numbers = _packed([None if each is None else each.at_scale(scale) for each in block.values])
        await self.execute(
            "INSERT INTO block (market_day, series, version, scale, width, numbers, runs, origins, recorded_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            block.day,
            ids[series],
            block.version,
            scale,
            width,
            numbers,
            runs_of(marks),
            f"[{','.join(origins)}]",
            now,
        )

    async def have_days(self, days: Iterable[date]) -> None:
        """Have the tables of these days."""
        missing = [day for day in set(days) if day.replace(day=1) not in self.memory.known.months]
        if missing:
            there = await self.lock_all("SELECT month FROM have_months($1) AS month", missing)
            self.memory.known.months |= {row["month"] for row in there}

    async def series_of(self, wanted: Sequence[Series]) -> dict[Series, int]:
        """The numbers of series; new ones get theirs, side by side in the order in which they are named."""
        found = await self._series(wanted)
        if len(found) < len(set(wanted)):
            await self.lock("SELECT pg_advisory_xact_lock(hashtextextended('series', 0))")
            found = await self._series(wanted)
            missing = [each for each in dict.fromkeys(wanted) if each not in found]
            for code in dict.fromkeys(each.reading_type for each in missing):
                found |= await self._begin_series(code, [each for each in missing if each.reading_type == code])
        return found

    async def _series(self, wanted: Sequence[Series]) -> dict[Series, int]:
        rows = await self.fetch(
            "SELECT id, usage_point, reading_type, meter FROM series JOIN unnest($1::text[], $2::text[], $3::text[])"
            " AS wanted (usage_point, reading_type, meter) USING (usage_point, reading_type, meter)",
            [each.usage_point for each in wanted],
            [each.reading_type for each in wanted],
            [each.meter for each in wanted],
        )
        return {Series(row["usage_point"], row["reading_type"], row["meter"]): row["id"] for row in rows}

    async def _begin_series(self, code: str, new: Sequence[Series]) -> dict[Series, int]:
        """Number new series of one reading type: in its last bunch where they fit, else from a new one on."""
        row = await self.lock(
            "SELECT (SELECT max(id) FROM series WHERE reading_type = $1) AS own, (SELECT max(id) FROM series) AS last",
            code,
        )
        own, last = (None, None) if row is None else (row["own"], row["last"])
        fits = own is not None and own // BUNCH == (own + len(new)) // BUNCH
        first = own + 1 if own is not None and fits else BUNCH * (0 if last is None else last // BUNCH + 1)
        numbered = {each: first + place for place, each in enumerate(new)}
        await self.executemany(
            "INSERT INTO series (id, usage_point, reading_type, meter) VALUES ($1, $2, $3, $4)",
            [(number, each.usage_point, each.reading_type, each.meter) for each, number in numbered.items()],
        )
        self._begun.update(numbered.values())
        return numbered

    async def heed_moves(self) -> None:
        """Forget the meters that were put, exchanged or removed; none moves until this transaction ends."""
        known: Roster = self.memory.known
        rows = await self.lock_all("SELECT number, meter FROM moved_since($1)", known.seen)
        known.forget(row["meter"] for row in rows)
        known.seen = max((row["number"] for row in rows), default=known.seen)

    async def recall(self, meters: Iterable[str]) -> Roster:
        """What is remembered, with what is worth it of these meters."""
        known: Roster = self.memory.known
        if unknown := known.unknown(meters):
            known.learn(await self._only_places(unknown))
        return known

    async def series_at(self, code: str, meters: Sequence[str], places: Array) -> Array:
        """The numbers of the series of one reading type, for meters at those places of what is remembered."""
        known: Roster = self.memory.known
        series = known.series(code, places)
        if lacking := np.flatnonzero(series == 0).tolist():
            wanted = [Series(known.point(places[each]), code, meters[each]) for each in lacking]
            found = await self.series_of(wanted)
            series[lacking] = [found[each] for each in wanted]
            sure = [each for each in lacking if series[each] not in self._begun]
            known.learn_series(code, places[sure].tolist(), series[sure].tolist())
        return series

    async def _only_places(self, meters: Sequence[str]) -> list[tuple[str, str, datetime, datetime | None]]:
        """Meter, usage point, from when and until when, of those that are set up and were never anywhere else.

        What is told of an mRID that several devices have is looked at each time, since it may be of another one.
        """
        rows = await self.fetch(
            "SELECT meter, min(usage_point) AS usage_point, min(starts) AS starts, min(ends) AS ends FROM installed"
            " WHERE meter = ANY($1) AND EXISTS (SELECT FROM meter AS m WHERE m.mrid = installed.meter)"
            " AND NOT EXISTS (SELECT FROM collision WHERE collision.meter = installed.meter)"
            " GROUP BY meter HAVING count(*) = 1",
            meters,
        )
        return [(row["meter"], row["usage_point"], row["starts"], row["ends"]) for row in rows]

    async def add_first(self, many: Sequence[Rows], now: datetime) -> list[list[int]]:
        """Keep the first version of many blocks at once; for each of ``many`` the places of the rows that were there.

        They are copied as if none was there. Where one is, those that are not are inserted.
        """
        await self.have_days(rows.day for rows in many)
        if not many or await self.copy("block", _COLUMNS, _pieces(many, now)):
            return [[] for _ in many]
        return [await self._insert(rows, now) for rows in many]

    async def _insert(self, rows: Rows, now: datetime) -> list[int]:
        kept = await self.lock_all(
            "INSERT INTO block (market_day, series, version, scale, width, numbers, runs, origins, recorded_at)"
            " SELECT $1, told.series, 1, $2, $3, told.numbers, told.runs, $4, $5"
            " FROM unnest($6::bigint[], $7::bytea[], $8::bytea[]) AS told (series, numbers, runs)"
            " ON CONFLICT DO NOTHING RETURNING series",
            rows.day,
            rows.scale,
            rows.numbers.itemsize,
            rows.origins.decode(),
            now,
            rows.series.tolist(),
            each_numbers(rows),
            rows.runs or [None] * len(rows.series),
        )
        new = {row["series"] for row in kept}
        there, seen = [], set[int]()
        for place, series in enumerate(rows.series.tolist()):
            if series not in new or series in seen:
                there.append(place)
            seen.add(series)
        return there

    async def told_before(self, rows: Rows, places: Sequence[int]) -> set[int]:
        """Those ``places`` of rows of which a version says exactly the same."""
        series = rows.series[list(places)].tolist()
        there = await self.fetch(
            "SELECT series, scale, numbers, runs FROM block WHERE market_day = $1 AND series = ANY($2)"
            " AND origins = $3::jsonb",
            rows.day,
            series,
            rows.origins.decode(),
        )
        told = {(row["series"], row["scale"], row["numbers"], row["runs"]) for row in there}
        numbers, runs = each_numbers(rows), rows.runs or [None] * len(rows.series)
        return {
            place
            for place, each in zip(places, series, strict=True)
            if (each, rows.scale, numbers[place], runs[place]) in told
        }


async def _pieces(many: Iterable[Rows], now: datetime) -> AsyncIterator[bytes]:
    yield b"PGCOPY\n\xff\r\n\0" + bytes(8)
    for rows in many:
        yield copied(rows, now)
    yield b"\xff\xff"


def _packed(values: Sequence[int | None]) -> tuple[int, bytes]:
    """The width of the numbers, and they."""
    width = 4 if all(each is None or abs(each) < -_NO_NUMBER[4] for each in values) else 8
    told = [_NO_NUMBER[width] if each is None else each for each in values]
    return width, pack(f">{len(told)}{_CODES[width]}", *told)


def _block(row: Record) -> Block:
    origins = json.decode(row["origins"], type=tuple[Origin, ...])
    width, scale = row["width"], row["scale"]
    numbers = unpack(f">{len(row['numbers']) // width}{_CODES[width]}", row["numbers"])
    values = (
        None if number == _NO_NUMBER[width] else Value(number=number, scale=scale, origin=origins[mark])
        for number, mark in zip(numbers, marks_of(row["runs"], len(numbers)), strict=True)
    )
    return Block(
        usage_point=row["usage_point"],
        reading_type=row["reading_type"],
        day=row["market_day"],
        meter=row["meter"],
        version=row["version"],
        values=tuple(values),
    )
