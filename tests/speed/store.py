"""``python -m tests.speed.store [--readings N]``: what readings take on disk, and how soon an answer about them begins.

Market days of quarters of an hour are put into an embedded PostgreSQL as the service writes them: by its store, in the
columns in which they come. The values have the noise of single homes. Of a hundred meters three have a gap that was
estimated, by two methods, so their qualities are runs; of a hundred blocks one is corrected later, which is a second
version. The last days come as waves, interval by interval, and are folded like those of the service.

``bytes_per_reading`` is what all tables of values hold on disk, with indexes, for each reading that was told. Then the
service runs, and ``get MeterReadings`` asks for a day, a week and all of the time of meters by chance: milliseconds
until the first part of the answer is there, XML and bus included, and until the last. Each answer is read to its end
before the next question, and its values are counted. Beside them somebody is asked about whom nothing is known
(``nobody``), which is what bus, kernel and the other work of the machine take. At last all months are packed, as the
service does with those that are old.
"""

import argparse
import json
import os
import random
import sys
import tempfile
import time
from contextlib import aclosing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import asyncpg
import numpy as np
import uvloop
from msgspec.structs import replace
from nats.aio.client import Client

from contracts.catalogue import CATALOGUE
from contracts.compact_readings import Columns, CompactQuality
from contracts.message import Id, Message, Request
from contracts.verbs import Verb
from loadtest.bench_readings import MIGRATIONS, QUARTER_US, QUARTERS, ROLE, Bench, meter
from services.meter_reading_and_control.config import Config, config_from
from services.meter_reading_and_control.domain.columns import Array, chunks_of, rows_of, sheet_of
from services.meter_reading_and_control.domain.readings import Origin, Quality, Value
from services.meter_reading_and_control.store import Store
from services.meter_reading_and_control.store.series import Series
from shared.bus.subjects import RequestSubject
from shared.codec import CONTENT_XML
from shared.config import Context, Settings
from shared.envelope import CONTENT_TYPE, more_follows
from shared.store import Database, Transaction
from shared.tools.bootstrap import Schema
from shared.tools.testing import Installation, Peer, administrator

INTERVALS = 96
FIRST = date(2025, 1, 1)
EPOCH = date(1970, 1, 1)
WITH_GAPS, CORRECTED = 0.03, 0.01
TOGETHER = 20_000
"""Meters of one transaction."""

FOLD_PARTS = 32
"""So many waves are folded together, as the service does."""

GOAL_BYTES, GOAL_MS = 10.0, 50.0
ASKER = "operator"
NOBODY = "nobody"
TABLES = ("block", "tail", "filled", "series")


class Shelf:
    """The store that is filled."""

    def __init__(self, database: Database, memory: Config, meters: int) -> None:
        self._database, self._memory = database, memory
        self._meters = meters
        self._draw = np.random.default_rng(7)
        self._series: Array = np.zeros(meters, np.int64)

    async def begin(self) -> None:
        """Number the series."""
        for first in range(0, self._meters, TOGETHER):
            wanted = [self._key(place) for place in range(first, min(first + TOGETHER, self._meters))]
            async with _Writing(self._database, self._memory) as store:
                found = await store.series_of(wanted)
            self._series[first : first + len(wanted)] = [found[each] for each in wanted]

    def _key(self, place: int) -> Series:
        return Series(f"point of {meter(place)}", QUARTERS, meter(place))

    async def tell_day(self, day: date) -> None:
        """A day in blocks, and corrections of some of it."""
        for first in range(0, self._meters, TOGETHER):
            size = min(TOGETHER, self._meters - first)
            columns = self._columns(day, first, size)
            sheet = sheet_of(columns, "head-end", _morning(day), UTC)
            assert sheet is not None
            rows = rows_of(sheet, np.arange(size), self._series[first : first + size])
            async with _Writing(self._database, self._memory) as store:
                there = await store.add_first([rows], _morning(day))
                assert there == [[]]
        async with _Writing(self._database, self._memory) as store:
            for place in np.flatnonzero(self._draw.random(self._meters) < CORRECTED).tolist():
                await self._correct(store, day, place)

    async def _correct(self, store: Store, day: date, place: int) -> None:
        (block,) = await store.blocks([self._key(place).usage_point], (day, day), None)
        origin = Origin(qualities=(Quality(code="3.7.0"),), source="desk", reported_at=_morning(day))
        values = list(block.values)
        values[int(self._draw.integers(0, INTERVALS))] = Value(number=1, scale=-3, origin=origin)
        await store.save_block(replace(block, version=block.version + 1, values=tuple(values)), _morning(day))

    async def pack(self) -> None:
        """Pack all months."""
        async with _Writing(self._database, self._memory) as store:
            months = await store.months()
        for month in months:
            async with _Writing(self._database, self._memory) as store:
                await store.pack(month, _morning(month))

    async def tell_waves(self, day: date) -> None:
        """A day interval by interval, folded as they come."""
        columns = [self._columns(day, first, TOGETHER) for first in range(0, self._meters, TOGETHER)]
        for place in range(INTERVALS):
            now = datetime.combine(day, datetime.min.time(), UTC) + timedelta(minutes=15 * (place + 1), seconds=30)
            for first, whole in zip(range(0, self._meters, TOGETHER), columns, strict=True):
                size = min(TOGETHER, self._meters - first)
                sheet = sheet_of(_interval(whole, place), "head-end", now, UTC)
                assert sheet is not None
                async with _Writing(self._database, self._memory) as store:
                    await store.add_to_tail(chunks_of(sheet, np.arange(size), self._series[first : first + size]), now)
            if (place + 1) % FOLD_PARTS == 0:
                await self._fold(now)

    async def _fold(self, now: datetime) -> None:
        async with _Writing(self._database, self._memory) as store:
            due = await store.due_to_fold(FOLD_PARTS, now, 1_000_000)
        for bunch, day in due:
            async with _Writing(self._database, self._memory) as store:
                await store.fold(bunch, day)

    def _columns(self, day: date, first: int, most: int) -> Columns:
        """The days of some meters; a value without a quality is measured."""
        size = min(most, self._meters - first)
        values = self._draw.gamma(1.5, 80.0, (size, INTERVALS)).astype(np.int32)
        marks = np.zeros((size, INTERVALS), np.int64)
        for row in np.flatnonzero(self._draw.random(size) < WITH_GAPS).tolist():
            begins = int(self._draw.integers(0, INTERVALS - 12))
            marks[row, begins : begins + int(self._draw.integers(2, 12))] = int(self._draw.integers(1, 3))
        flat = marks.reshape(-1)
        edges = np.concatenate([[0], np.flatnonzero(np.diff(flat)) + 1, [len(flat)]])
        return Columns(
            reading_type=QUARTERS,
            first_us=(day - EPOCH).days * 86_400_000_000 + QUARTER_US,
            step_us=QUARTER_US,
            count=INTERVALS,
            scale=-3,
            numbers=values.tobytes(),
            qualities=tuple((CompactQuality(code="3.8.0", comment=f"method={each}"),) for each in ("E3", "E4")),
            runs=tuple(np.stack([np.diff(edges), flat[edges[:-1]]], axis=1).reshape(-1).tolist()),
            meters=tuple(meter(place) for place in range(first, first + size)),
        )


class _Writing:
    """A transaction of the store."""

    def __init__(self, database: Database, memory: Config) -> None:
        self._transaction = Transaction(database)
        self._store = Store(self._transaction, memory)

    async def __aenter__(self) -> Store:
        return self._store

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        await (self._transaction.commit() if kind is None else self._transaction.release())


def _interval(whole: Columns, place: int) -> Columns:
    """One interval of days."""
    numbers = np.frombuffer(whole.numbers, "<i4").reshape(-1, INTERVALS)[:, place]
    return replace(
        whole, first_us=whole.first_us + place * QUARTER_US, count=1, step_us=0, numbers=numbers.tobytes(), runs=()
    )


def _morning(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time(), UTC) + timedelta(days=1, hours=2)


async def held(database: "asyncpg.Connection[asyncpg.Record]") -> dict[str, int]:
    """Bytes on disk of each table of values with its partitions, their indexes and what is stored aside."""
    found = {}
    for table in TABLES:
        found[table] = await database.fetchval(
            "SELECT pg_total_relation_size($1::regclass) + coalesce((SELECT sum(pg_total_relation_size(inhrelid))"
            " FROM pg_inherits WHERE inhparent = $1::regclass), 0)::bigint",
            table,
        )
    return found


async def ask(peer: Peer, point: str, days: tuple[date, date]) -> tuple[float, float, int]:
    """Milliseconds until the first part of the answer and until the last, and how many values there are."""
    start, end = (datetime.combine(day, datetime.min.time(), UTC) for day in days)
    header = peer.header(Verb.GET, "MeterReadings")
    question: Message[None] = Message(
        header=header, request=Request(start_time=start, end_time=end, id=(Id(value=point),))
    )
    body = peer.codec.encode(question, CONTENT_XML)
    subject = RequestSubject(
        root=peer.space.root, context=peer.space.context, role=ROLE, noun="MeterReadings", verb=Verb.GET, asker=ASKER
    )
    first_ms, last_ms, values = 0.0, 0.0, 0
    begun_at = time.perf_counter()
    async with aclosing(peer.bus.ask(str(subject), body, {CONTENT_TYPE: CONTENT_XML}, 30.0)) as replies:
        async for received in replies:
            last_ms = 1000 * (time.perf_counter() - begun_at)
            first_ms = first_ms or last_ms
            answer: Any = peer.codec.decode(received.body, CONTENT_XML)
            assert answer.reply is not None
            readings = () if answer.payload is None else answer.noun.meter_reading
            blocks = [block for reading in readings for block in reading.interval_blocks]
            values += sum(each.value is not None for block in blocks for each in block.interval_readings)
            if not more_follows(answer.reply):
                break
    return first_ms, last_ms, values


async def answers(peer: Peer, meters: int, spans: dict[str, tuple[date, date]], asks: int) -> dict[str, object]:
    """How long answers about each span take; the spans take turns, so that none has the machine for itself."""
    chance = random.Random(11)
    first_ms: dict[str, list[float]] = {name: [] for name in spans}
    last_ms: dict[str, list[float]] = {name: [] for name in spans}
    for _ in range(asks):
        for name, days in spans.items():
            point = NOBODY if name == NOBODY else f"point of {meter(chance.randrange(meters))}"
            first, last, values = await ask(peer, point, days)
            if values != (0 if name == NOBODY else INTERVALS * (days[1] - days[0]).days):
                raise RuntimeError(f"{values} values came of {days[0]} until {days[1]}")
            first_ms[name].append(first)
            last_ms[name].append(last)
    return {
        name: {
            "first_part_p50_ms": round(median(first_ms[name]), 1),
            "first_part_p99_ms": round(float(np.percentile(first_ms[name], 99)), 1),
            "whole_p50_ms": round(median(last_ms[name]), 1),
        }
        for name in spans
    }


async def measure(readings: int, days: int, waves: int, asks: int) -> dict[str, object]:
    """Fill, weigh and ask."""
    meters = max(1, round(readings / (days * INTERVALS)))
    with tempfile.TemporaryDirectory(prefix="busbar-shelf-") as folder:
        Path(folder).chmod(0o711)  # noqa: ASYNC240  nothing else runs yet
        settings = Settings(root="bench", context=Context.TESTING, state_dir=Path(folder) / "state")
        async with Installation.start(settings, CATALOGUE, [Schema(ROLE, MIGRATIONS)]) as installation:
            await installation.prepare()
            return await _measured(installation, meters, days, waves, asks)


async def _measured(installation: Installation, meters: int, days: int, waves: int, asks: int) -> dict[str, object]:
    admin = administrator(installation.servers)
    database = await asyncpg.connect(
        host=admin.host,
        port=admin.port,
        user=admin.user,
        password=admin.password,
        database=installation.settings.login(ROLE).database,
        server_settings={"search_path": ROLE.replace("-", "_")},
    )
    await Bench(installation, database, Client()).provide(meters)
    pool = await Database.open(installation.settings.login(ROLE))
    before = sum((await held(database)).values())
    try:
        shelf = Shelf(pool, config_from({}), meters)
        await shelf.begin()
        begun_at = time.perf_counter()
        in_waves = FIRST + timedelta(days=days - waves)
        for number in range(days):
            day = FIRST + timedelta(days=number)
            await (shelf.tell_day(day) if day < in_waves else shelf.tell_waves(day))
            _progress(f"{day}: {(number + 1) * meters * INTERVALS:,} readings, {time.perf_counter() - begun_at:.0f} s")
        filled_s = time.perf_counter() - begun_at
        await database.execute("VACUUM (ANALYZE)")
        tables = await held(database)
        end = FIRST + timedelta(days=days)
        spans = {"day": (end - timedelta(days=1), end), "week": (end - timedelta(days=7), end), "all": (FIRST, end)}
        async with Bench(installation, database, Client()).service(), installation.peer(ASKER) as peer:
            await answers(peer, meters, spans, 3)
            found = await answers(peer, meters, spans | {NOBODY: (FIRST, end)}, asks)
        rows = await _rows(database)
        begun_at = time.perf_counter()
        await shelf.pack()
        packed_s = time.perf_counter() - begun_at
        packed = await held(database)
    finally:
        await pool.close()
        await database.close()
    told = meters * days * INTERVALS
    return {
        "readings": told,
        "meters": meters,
        "days": days,
        "days_in_waves": waves,
        "blocks": rows,
        "filled_in_s": round(filled_s),
        "bytes": tables,
        "bytes_per_reading": round((sum(tables.values()) - before) / told, 2),
        "bytes_per_reading_packed": round((sum(packed.values()) - before) / told, 2),
        "packed_in_s": round(packed_s, 1),
        "goal_bytes_per_reading": GOAL_BYTES,
        "load_average": round(os.getloadavg()[0], 1),
        "answers": found,
        "goal_first_part_p99_ms": GOAL_MS,
    }


async def _rows(database: "asyncpg.Connection[asyncpg.Record]") -> dict[str, int]:
    row = await database.fetchrow(
        "SELECT count(*) FILTER (WHERE version = 1) AS first, count(*) FILTER (WHERE version > 1) AS later,"
        " count(*) FILTER (WHERE version = 0) AS folded, count(runs) AS with_runs FROM block"
    )
    return dict(row or {})


def _progress(text: str) -> None:
    sys.stderr.write(f"\r{text}")
    sys.stderr.flush()


def main() -> None:
    """Measure and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readings", type=int, default=3_504_000, help="how many are stored; 100 meters by default")
    parser.add_argument("--days", type=int, default=365, help="of how many days")
    parser.add_argument("--waves", type=int, default=7, help="how many of these days come interval by interval")
    parser.add_argument("--asks", type=int, default=20, help="how often each question is asked")
    asked = parser.parse_args()
    found = uvloop.run(measure(asked.readings, asked.days, min(asked.waves, asked.days), asked.asks))
    json.dump(found, sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
