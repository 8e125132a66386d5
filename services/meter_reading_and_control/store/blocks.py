"""Values of intervals in blocks by market day, one by one and many at once."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

import numpy as np
from msgspec import structs

from contracts.errors import Unavailable
from services.meter_reading_and_control.domain import calendar
from services.meter_reading_and_control.domain.columns import BUNCH, Array, Chunk, Rows
from services.meter_reading_and_control.domain.folding import NOTHING, Folding
from services.meter_reading_and_control.domain.meeting import Meeting, Met
from services.meter_reading_and_control.domain.readings import Block, Value, empty_block, merged
from services.meter_reading_and_control.store.copying import (
    IN_TURN,
    copied,
    each_numbers,
    folded,
    in_pieces,
    layer_of,
    layers_at,
    part_of_tail,
    tail_row,
    whole,
)
from services.meter_reading_and_control.store.rows import COLUMNS, columns_of, members_of, origins_of, told_by
from services.meter_reading_and_control.store.series import Series, SeriesStore
from shared.store import Record


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
            self._see(found, of[row["series"]], row["market_day"], told_by(row, as_of), row["version"])
        for row in tail:
            for number, told in members_of(row):
                if number in of:
                    self._see(found, of[number], row["market_day"], [told], 0)
        return [block for _, block in sorted(found.items())]

    async def known_days(self, point: str, days: tuple[date, date]) -> tuple[date, date]:
        """The first and the last of ``days`` between which nothing may be missing; for none they are reversed."""
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

    async def known_pages(
        self, points: Sequence[str], days: tuple[date, date], longest: timedelta = calendar.WEEK
    ) -> AsyncIterator[tuple[date, date]]:
        """The first and the last day of parts of ``days``, each beginning on one on which points may have values.

        A day, two days, four days, and then weeks, unless the ``longest`` is shorter: so there is something to show
        soon, and each is looked for when it is wanted, so that is as soon in a long time as in a short one.
        """
        rows = await self.fetch("SELECT id FROM series WHERE usage_point = ANY($1)", points)
        series = [row["id"] for row in rows]
        bunches = sorted({each // BUNCH for each in series})
        length = calendar.DAY
        first = await self._known_day(series, bunches, days)
        while first is not None:
            after = first + length
            yield first, min(after - calendar.DAY, days[1])
            length = min(2 * length, longest)
            first = await self._known_day(series, bunches, (after, days[1])) if after <= days[1] else None

    async def _known_day(self, series: Sequence[int], bunches: Sequence[int], days: tuple[date, date]) -> date | None:
        """The first of ``days`` of which there is a block of these series, or something in the tail of their bunches.

        The tail is read first, as for the blocks themselves.
        """
        tail = await self.fetchval(
            "SELECT min(market_day) FROM tail WHERE bunch = ANY($1) AND market_day BETWEEN $2 AND $3", bunches, *days
        )
        block = await self.fetchval(
            "SELECT min(known.market_day) FROM unnest($1::bigint[]) AS own CROSS JOIN LATERAL ("
            "  SELECT f.market_day FROM filled AS f CROSS JOIN LATERAL"
            "   (SELECT FROM block WHERE market_day = f.market_day AND series = ANY($2) LIMIT 1) AS there"
            "  WHERE f.bunch = own AND f.market_day BETWEEN $3 AND $4 ORDER BY f.market_day LIMIT 1) AS known",
            bunches,
            series,
            *days,
        )
        return min((each for each in (tail, block) if each is not None), default=None)

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

    def as_blocks(self, rows: Iterable[Record], of: Mapping[int, Series]) -> list[Block]:
        """The blocks that stored rows are of, all that they say of one day together."""
        found: dict[tuple[Series, date], Block] = {}
        for row in rows:
            self._see(found, of[row["series"]], row["market_day"], told_by(row, None), row["version"])
        return [block for _, block in sorted(found.items())]

    def _empty(self, series: Series, day: date) -> Block:
        return empty_block(series.usage_point, series.reading_type, day, series.meter, self.memory.zone)

    async def _block_rows(self, series: Sequence[int], days: tuple[date, date], as_of: datetime | None) -> list[Record]:
        return await self.fetch(
            "SELECT b.* FROM generate_series($2::date, $3::date, interval '1 day') AS day"
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

        Most meet nothing, or exactly themselves in the tail, which is seen without looking at a value. Chunks are
        looked up one by one (``OFFSET`` says so to the planner, which would read the whole of a tail that it takes for
        small).
        """
        keys = ([each.bunch for each in chunks], [each.day for each in chunks], [each.place for each in chunks])
        tail = await self.fetch(
            "SELECT ordinality - 1 AS chunk, tail.* FROM"
            " unnest($1::bigint[], $2::date[], $3::smallint[]) WITH ORDINALITY AS told (bunch, market_day, place)"
            " CROSS JOIN LATERAL (SELECT * FROM tail WHERE bunch = told.bunch AND market_day = told.market_day"
            "  AND place = told.place OFFSET 0) AS tail",
            *keys,
        )
        same = {row["chunk"] for row in tail if row["part"] == part_of_tail(chunks[row["chunk"]])}
        found = {number: np.full(len(chunks[number].members), Met.ITSELF, np.int8) for number in same}
        known = [
            (row["chunk"], np.frombuffer(row["members"], np.uint8), layer_of(row))
            for row in tail
            if not set(row["members"]).isdisjoint(chunks[row["chunk"]].members)
        ]
        meetings: dict[int, Meeting] = {}
        for number, members, layer in (*known, *layers_at(await self._blocks_at(keys), chunks)):
            if number in same:
                continue
            if number not in meetings:
                meetings[number] = Meeting(chunks[number])
            meetings[number].see(members, layer)
        return found | {number: meeting.found for number, meeting in meetings.items()}

    async def _blocks_at(self, keys: tuple[list[int], list[date], list[int]]) -> list[Record]:
        """What blocks have of one interval: of those bunches, days and places in which some have a value.

        Bunches are looked up one by one as well: most have nothing, and all blocks must not be read to find that out.
        """
        return await self.fetch(
            "SELECT chunk, series % $4 AS member, scale, width, runs, origins,"
            " substring(numbers FROM told.place * width + 1 FOR width) AS numbers"
            " FROM (SELECT ordinality - 1 AS chunk, told.* FROM"
            "  unnest($1::bigint[], $2::date[], $3::smallint[]) WITH ORDINALITY AS told (bunch, market_day, place)"
            "  JOIN filled USING (bunch, market_day) WHERE coalesce(get_byte(places, place), 1) = 1) AS told"
            " CROSS JOIN LATERAL (SELECT * FROM block WHERE market_day = told.market_day"
            "  AND series BETWEEN told.bunch * $4 AND told.bunch * $4 + $4 - 1 OFFSET 0) AS block",
            *keys,
            BUNCH,
        )

    async def _fill(self, of: Iterable[tuple[int, date]]) -> None:
        """Some blocks of these bunches and days are written as a whole."""
        rows = sorted(set(of))
        await self.execute(
            "INSERT INTO filled (bunch, market_day) SELECT bunch, day FROM unnest($1::bigint[], $2::date[])"
            " AS told (bunch, day)"
            " ON CONFLICT (bunch, market_day) DO UPDATE SET places = NULL WHERE filled.places IS NOT NULL",
            [bunch for bunch, _ in rows],
            [day for _, day in rows],
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
        for number, row in enumerate(there):
            if number % IN_TURN == 0:
                await self.breathe()
            folding.lay(row["series"] % BUNCH, layer_of(row), row["recorded_at"], row["lags"])
        left: list[tuple[int, datetime, tuple[int, Value]]] = []
        for number, row in enumerate(sorted(parts, key=lambda each: (each["recorded_at"], each["part"]))):
            if number % IN_TURN == 0:
                await self.breathe()
            members = np.frombuffer(row["members"], np.uint8)
            odd = folding.put(row["place"], members, layer_of(row), row["recorded_at"])
            told = members_of(row) if odd.any() else []
            left += [
                (number, row["recorded_at"], each) for (number, each), is_odd in zip(told, odd, strict=False) if is_odd
            ]
        await self.have_days([day])
        if not await self.copy("block", (*COLUMNS, "lags"), whole(in_pieces(folded(folding, bunch, day)))):
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
            self._see(found, series, day, told_by(each, None), each["version"])
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
        await self.execute(
            "INSERT INTO block (market_day, series, version, scale, width, numbers, runs, origins, recorded_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            block.day,
            ids[series],
            block.version,
            *columns_of(block.values),
            now,
        )

    async def have_days(self, days: Iterable[date]) -> None:
        """Have the tables of these days; first of all, since whoever looks into the blocks waits until this is done."""
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
        if not many or await self.copy("block", COLUMNS, whole(copied(rows, now) for rows in many)):
            there: list[list[int]] = [[] for _ in many]
        else:
            there = [await self._insert(rows, now) for rows in many]
        await self._fill((bunch, rows.day) for rows in many for bunch in np.unique(rows.series // BUNCH).tolist())
        return there

    async def _insert(self, rows: Rows, now: datetime) -> list[int]:
        kept = await self.lock_all(
            "INSERT INTO block (market_day, series, version, scale, width, numbers, runs, origins, recorded_at)"
            " SELECT $1, told.series, 1, $2, $3, told.numbers, told.runs, told.origins::jsonb, $4"
            " FROM unnest($5::bigint[], $6::bytea[], $7::bytea[], $8::text[]) AS told (series, numbers, runs, origins)"
            " ON CONFLICT DO NOTHING RETURNING series",
            rows.day,
            rows.scale,
            rows.numbers.itemsize,
            now,
            rows.series.tolist(),
            *_each(rows),
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
            "SELECT series, scale, numbers, runs, origins FROM block WHERE market_day = $1 AND series = ANY($2)",
            rows.day,
            series,
        )
        told = {(row["series"], row["scale"], row["numbers"], row["runs"], origins_of(row["origins"])) for row in there}
        numbers, runs, origins = _each(rows)
        return {
            place
            for place, each in zip(places, series, strict=True)
            if (each, rows.scale, numbers[place], runs[place], origins_of(origins[place])) in told
        }


def _each(rows: Rows) -> tuple[list[bytes], list[bytes | None], list[str]]:
    """The numbers, runs and origins of each row."""
    origins = [each.decode() for each in rows.origins]
    if rows.runs is None:
        return each_numbers(rows), [None] * len(rows.series), origins * len(rows.series)
    return each_numbers(rows), rows.runs, origins
