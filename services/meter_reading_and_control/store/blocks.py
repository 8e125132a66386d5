"""Values of intervals in blocks by market day, one by one and many at once."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from struct import pack, unpack

import numpy as np
from msgspec import json, structs

from contracts.errors import Unavailable
from services.meter_reading_and_control.domain import calendar
from services.meter_reading_and_control.domain.columns import BUNCH, Array, Chunk, Rows, marks_of, runs_of
from services.meter_reading_and_control.domain.folding import LAG_S, NOTHING, Folding
from services.meter_reading_and_control.domain.meeting import Meeting, Met
from services.meter_reading_and_control.domain.readings import Block, Origin, Value, empty_block, merged
from services.meter_reading_and_control.store.copying import (
    copied,
    each_numbers,
    folded,
    layer_of,
    layers_at,
    once,
    part_of_tail,
    tail_row,
)
from services.meter_reading_and_control.store.series import Series, SeriesStore
from shared.store import Record

_NO_NUMBER = {4: -(2**31), 8: -(2**63)}
_CODES = {4: "i", 8: "q"}
_COLUMNS = ("market_day", "series", "version", "scale", "width", "numbers", "runs", "origins", "recorded_at")


class Blocks(SeriesStore):
    """The blocks."""

    async def blocks(self, points: Sequence[str], days: tuple[date, date], as_of: datetime | None) -> list[Block]:
        """The blocks of usage points on the days from the first to the last, as they were known ``as_of`` a time.

        The tail is read first: what is folded meanwhile is then seen twice and counts once, and is never missed.
        """
        series = await self.fetch("SELECT * FROM series WHERE usage_point = ANY($1)", points)
        of = {row["id"]: Series(row["usage_point"], row["reading_type"], row["meter"]) for row in series}
        found: dict[tuple[Series, date], Block] = {}
        tail = await self._tail_rows({number // BUNCH for number in of}, days, as_of)
        for row in await self._block_rows([*of], days, as_of):
            self._see(found, of[row["series"]], row["market_day"], _told(row, as_of), row["version"])
        for row in tail:
            for number, told in _members(row):
                if number in of:
                    self._see(found, of[number], row["market_day"], [told], 0)
        return [block for _, block in sorted(found.items())]

    async def known_days(self, point: str, days: tuple[date, date]) -> tuple[date, date]:
        """The first and the last of ``days`` on which a usage point may have values; for none they are reversed."""
        row = await self.fetchrow(
            "WITH own AS (SELECT DISTINCT id / $2 AS bunch FROM series WHERE usage_point = $1),"
            " waves AS (SELECT min(market_day) AS first, max(market_day) AS last FROM tail JOIN own USING (bunch))"
            " SELECT least((SELECT min(market_day) FROM block), first) AS first,"
            " greatest((SELECT max(market_day) FROM block), last) AS last FROM waves",
            point,
            BUNCH,
        )
        if row is None or row["first"] is None:
            return days[1], days[1] - calendar.DAY
        return max(days[0], row["first"]), min(days[1], row["last"])

    def _see(
        self,
        found: dict[tuple[Series, date], Block],
        series: Series,
        day: date,
        told: Iterable[tuple[int, Value]],
        version: int,
    ) -> None:
        """Put values into what is seen of a block."""
        old = found.get((series, day)) or self._empty(series, day)
        values = merged(old.values, told) or old.values
        found[series, day] = structs.replace(old, values=values, version=max(old.version, version))

    def _empty(self, series: Series, day: date) -> Block:
        return empty_block(series.usage_point, series.reading_type, day, series.meter, self.memory.zone)

    async def _block_rows(self, series: Sequence[int], days: tuple[date, date], as_of: datetime | None) -> list[Record]:
        return await self.fetch(
            "SELECT b.* FROM generate_series("
            "  greatest($2, (SELECT min(market_day) FROM block)), least($3, (SELECT max(market_day) FROM block)),"
            "  interval '1 day') AS day"
            " CROSS JOIN unnest($1::bigint[]) AS wanted"
            " CROSS JOIN LATERAL ((SELECT * FROM block WHERE market_day = day::date AND series = wanted"
            "  AND version > 0 AND recorded_at <= coalesce($4, 'infinity'::timestamptz) ORDER BY version DESC LIMIT 1)"
            "  UNION ALL SELECT * FROM block WHERE market_day = day::date AND series = wanted AND version = 0) AS b",
            series,
            *days,
            as_of,
        )

    async def _tail_rows(self, bunches: Iterable[int], days: tuple[date, date], as_of: datetime | None) -> list[Record]:
        return await self.fetch(
            "SELECT * FROM tail WHERE bunch = ANY($1) AND market_day BETWEEN $2 AND $3"
            " AND recorded_at <= coalesce($4, 'infinity'::timestamptz)",
            [*bunches],
            *days,
            as_of,
        )

    async def add_to_tail(self, chunks: Iterable[Chunk], now: datetime) -> None:
        """Keep values of waves; what was told before is there once."""
        await self.executemany(
            "INSERT INTO tail (bunch, market_day, place, part, scale, width, members, numbers, runs, origins,"
            " recorded_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING",
            [tail_row(chunk, now) for chunk in chunks],
        )

    async def met(self, chunks: Sequence[Chunk]) -> dict[int, Array]:
        """What is there where ``chunks`` are, by their places: of each value whether it is :class:`Met`.

        Most meet nothing, or exactly themselves in the tail, which is seen without looking at a value.
        """
        keys = ([each.bunch for each in chunks], [each.day for each in chunks], [each.place for each in chunks])
        tail = await self.fetch(
            "SELECT ordinality - 1 AS chunk, tail.* FROM"
            " unnest($1::bigint[], $2::date[], $3::smallint[]) WITH ORDINALITY AS told (bunch, market_day, place)"
            " JOIN tail USING (bunch, market_day, place)",
            *keys,
        )
        same = {row["chunk"] for row in tail if row["part"] == part_of_tail(chunks[row["chunk"]])}
        found = {number: np.full(len(chunks[number].members), Met.ITSELF, np.int8) for number in same}
        known = [(row["chunk"], np.frombuffer(row["members"], np.uint8), layer_of(row)) for row in tail]
        meetings: dict[int, Meeting] = {}
        for number, members, layer in (*known, *layers_at(await self._blocks_at(keys), chunks)):
            if number not in same:
                meeting = meetings.setdefault(number, Meeting(chunks[number]))
                meeting.see(members, layer)
        return found | {number: meeting.found for number, meeting in meetings.items()}

    async def _blocks_at(self, keys: tuple[list[int], list[date], list[int]]) -> list[Record]:
        """What blocks have of one interval: of those bunches, days and places in which some have a value."""
        return await self.fetch(
            "SELECT chunk, series % $4 AS member, scale, width, runs, origins,"
            " substring(numbers FROM told.place * width + 1 FOR width) AS numbers"
            " FROM (SELECT ordinality - 1 AS chunk, told.* FROM"
            "  unnest($1::bigint[], $2::date[], $3::smallint[]) WITH ORDINALITY AS told (bunch, market_day, place)"
            "  JOIN filled USING (bunch, market_day) WHERE coalesce(get_byte(places, place), 1) = 1) AS told"
            " JOIN block ON block.market_day = told.market_day AND series BETWEEN bunch * $4 AND bunch * $4 + $4 - 1",
            *keys,
            BUNCH,
        )

    async def _fill(self, of: Iterable[tuple[int, date]]) -> None:
        """Some blocks of these bunches and days are written as a whole."""
        await self.executemany(
            "INSERT INTO filled (bunch, market_day) VALUES ($1, $2)"
            " ON CONFLICT (bunch, market_day) DO UPDATE SET places = NULL WHERE filled.places IS NOT NULL",
            sorted(set(of)),
        )

    async def due_to_fold(self, parts: int, before: datetime, most: int) -> list[tuple[int, date]]:
        """Bunches and days of which so many parts are in the tail, or one from before that time."""
        rows = await self.fetch(
            "SELECT bunch, market_day FROM tail GROUP BY bunch, market_day"
            " HAVING count(*) >= $1 OR min(recorded_at) < $2 LIMIT $3",
            parts,
            before,
            most,
        )
        return sorted((row["bunch"], row["market_day"]) for row in rows)

    async def oldest_of_tail(self) -> datetime | None:
        """When the oldest value in the tail was recorded."""
        found: datetime | None = await self.fetchval("SELECT min(recorded_at) FROM tail")
        return found

    async def fold(self, bunch: int, day: date) -> None:
        """Put what the tail has of a bunch and day into its blocks; what contradicts them is a version of its own."""
        await self.lock("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"fold {bunch} {day}")
        parts = await self.lock_all("DELETE FROM tail WHERE bunch = $1 AND market_day = $2 RETURNING *", bunch, day)
        ids = (bunch * BUNCH, bunch * BUNCH + BUNCH - 1)
        kind = await self.fetchval("SELECT reading_type FROM series WHERE id BETWEEN $1 AND $2 LIMIT 1", *ids)
        if not parts or kind is None:
            return
        folding = Folding(len(empty_block("", kind, day, "", self.memory.zone).values))
        there = await self.lock_all(
            "DELETE FROM block WHERE market_day = $1 AND series BETWEEN $2 AND $3 AND version = 0 RETURNING *",
            day,
            *ids,
        )
        for row in there:
            folding.lay(row["series"] % BUNCH, layer_of(row), row["recorded_at"], row["lags"])
        left: list[tuple[int, datetime, tuple[int, Value]]] = []
        for row in sorted(parts, key=lambda each: (each["recorded_at"], each["part"])):
            members = np.frombuffer(row["members"], np.uint8)
            odd = folding.put(row["place"], members, layer_of(row), row["recorded_at"])
            told = _members(row) if odd.any() else []
            left += [
                (number, row["recorded_at"], each) for (number, each), is_odd in zip(told, odd, strict=False) if is_odd
            ]
        await self.have_days([day])
        if not await self.copy("block", (*_COLUMNS, "lags"), once(folded(folding, bunch, day))):
            raise Unavailable(f"bunch {bunch} of {day} is folded elsewhere")
        await self.execute(
            "INSERT INTO filled (bunch, market_day, places) VALUES ($1, $2, $3)"
            " ON CONFLICT (bunch, market_day) DO UPDATE SET places = $3 WHERE filled.places IS NOT NULL",
            bunch,
            day,
            (folding.numbers != NOTHING).any(axis=0).astype(np.uint8).tobytes(),
        )
        for number, recorded_at, each in left:
            await self._outrank(number, day, each, recorded_at)

    async def _outrank(self, number: int, day: date, told: tuple[int, Value], recorded_at: datetime) -> None:
        """A value that meets another one: where it counts more, it makes a version."""
        row = await self.fetchrow("SELECT * FROM series WHERE id = $1", number)
        if row is None:
            return
        series = Series(row["usage_point"], row["reading_type"], row["meter"])
        found: dict[tuple[Series, date], Block] = {}
        for each in await self._block_rows([number], (day, day), None):
            self._see(found, series, day, _told(each, None), each["version"])
        old = found.get((series, day)) or self._empty(series, day)
        changed = merged(old.values, [told])
        if changed is not None:
            await self.save_block(structs.replace(old, version=old.version + 1, values=changed), recorded_at)

    async def save_block(self, block: Block, now: datetime) -> None:
        """Keep a version of a block."""
        series = Series(block.usage_point, block.reading_type, block.meter)
        ids = await self.series_of([series])
        await self.have_days([block.day])
        await self._fill([(ids[series] // BUNCH, block.day)])
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

    async def add_first(self, many: Sequence[Rows], now: datetime) -> list[list[int]]:
        """Keep the first version of many blocks at once; for each of ``many`` the places of the rows that were there.

        They are copied as if none was there. Where one is, those that are not are inserted. Which bunches are filled is
        said last: until the end of this transaction others who fill the same wait there, and have copied by then.
        """
        await self.have_days(rows.day for rows in many)
        if not many or await self.copy("block", _COLUMNS, once(copied(rows, now) for rows in many)):
            there: list[list[int]] = [[] for _ in many]
        else:
            there = [await self._insert(rows, now) for rows in many]
        await self._fill((bunch, rows.day) for rows in many for bunch in np.unique(rows.series // BUNCH).tolist())
        return there

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


def _packed(values: Sequence[int | None]) -> tuple[int, bytes]:
    """The width of the numbers, and they."""
    width = 4 if all(each is None or abs(each) < -_NO_NUMBER[4] for each in values) else 8
    told = [_NO_NUMBER[width] if each is None else each for each in values]
    return width, pack(f">{len(told)}{_CODES[width]}", *told)


def _told(row: Record, as_of: datetime | None) -> list[tuple[int, Value]]:
    """The values of a row of a block with their places, as far as they were recorded by then."""
    told = _values(row)
    if row["lags"] is None or as_of is None:
        return [(place, value) for place, value in enumerate(told) if value is not None]
    seconds = (as_of - row["recorded_at"]).total_seconds()
    lags = np.frombuffer(row["lags"], ">u2").tolist()
    return [
        (place, value)
        for place, (value, lag) in enumerate(zip(told, lags, strict=True))
        if value is not None and lag * LAG_S <= seconds
    ]


def _members(row: Record) -> list[tuple[int, tuple[int, Value]]]:
    """The values of a row of the tail: the number of the series, the place, and the value."""
    numbers = [row["bunch"] * BUNCH + member for member in row["members"]]
    told = _values(row)
    return [(number, (row["place"], each)) for number, each in zip(numbers, told, strict=True) if each is not None]


def _values(row: Record) -> list[Value | None]:
    origins = json.decode(row["origins"], type=tuple[Origin, ...])
    width, scale = row["width"], row["scale"]
    numbers = unpack(f">{len(row['numbers']) // width}{_CODES[width]}", row["numbers"])
    return [
        None if number == _NO_NUMBER[width] else Value(number=number, scale=scale, origin=origins[mark])
        for number, mark in zip(numbers, marks_of(row["runs"], len(numbers)), strict=True)
    ]
