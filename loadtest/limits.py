"""The raw limits: how fast the parts could be without any of what the system adds, on the same bytes in the same run.

They are measured between the rounds of a run, so that both sides find the same machine; only their ratio is worth much.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import asyncpg
import nats.js.api as js
from lxml import etree
from msgspec import json, msgpack, structs

from contracts.catalogue import CATALOGUE
from contracts.interface import Lane
from loadtest.deployment import Deployment
from loadtest.scenario import Encoding, Load, Scenario, ScenarioError
from loadtest.telling import Telling, tells
from loadtest.watching import connected
from loadtest.wire import Wire
from shared.bus.connection import Bus
from shared.bus.subjects import ADMIN, Space
from shared.codec import Codec

PARSE_S = 0.2
PULL_BATCH = 500

_PULL_S = 30.0


async def copy_per_s(deployment: Deployment, scenario: Scenario, days: list[date], readings: int) -> float | None:
    """Readings a second of a server-side COPY of the rows of a round into a table with the same keys, in one commit.

    None where the database is not ours, or has no such rows.
    """
    if deployment.administrator is None or not readings:
        return None
    settings = deployment.settings
    connection = await connected(deployment.administrator, settings.postgres_database)
    schema = scenario.role.replace("-", "_")
    seconds = 0.0
    try:
        folder = await connection.fetchval("SHOW data_directory")
        for table in scenario.kept_in:
            if await connection.fetchval("SELECT to_regclass($1)", f"{schema}.{table}") is None:
                return None
            seconds += await _copied_s(connection, f"{schema}.{table}", f"{folder}/raw_limit", days)
    finally:
        await connection.close()
    return readings / seconds if seconds else None


async def _copied_s(connection: "asyncpg.Connection[asyncpg.Record]", table: str, file: str, days: list[date]) -> float:
    """How long the COPY of the rows of some days takes; 0 where there are none."""
    columns = await connection.fetch(
        "SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND attname = 'market_day'",
        table,
    )
    chosen = ",".join(f"'{day}'" for day in days)
    where = f"WHERE market_day IN ({chosen})" if columns else ""
    # the name of the table is that of the scenario, which found it; no text from outside comes in
    said = await connection.execute(f"COPY (SELECT * FROM {table} {where}) TO '{file}' (FORMAT binary)")  # noqa: S608
    if said == "COPY 0":
        return 0.0
    limit = f"raw_limit_{uuid4().hex[:8]}"
    await connection.execute(f"CREATE TABLE public.{limit} (LIKE {table} INCLUDING ALL)")
    try:
        began = time.perf_counter()
        await connection.execute(f"COPY public.{limit} FROM '{file}' (FORMAT binary)")
        return time.perf_counter() - began
    finally:
        await connection.execute(f"DROP TABLE public.{limit}")


async def pull_per_s(deployment: Deployment, messages: int, readings: int, first: int) -> float | None:
    """Readings a second of a pull of the same messages from the broker, without a look into them and without effect.

    Args:
        deployment: where.
        messages: how many the round told.
        readings: how many are in them.
        first: the number of the first in the stream of readings.
    """
    if not messages or not readings:
        return None
    settings = deployment.settings
    space = Space(settings.root, settings.context)
    stream, name = space.stream(Lane.READINGS), f"raw_limit_{uuid4().hex[:8]}"
    bus = await Bus.connect(
        settings.nats_url.split(","),
        role=ADMIN,
        context=settings.context,
        root=settings.root,
        seed_file=settings.credentials / f"{ADMIN}.nk",
        on_lost=lambda _: None,
    )
    heard, done = 0, asyncio.Event()

    def take(_: int, body: memoryview) -> None:
        nonlocal heard
        del body
        heard += 1
        if heard >= messages:
            done.set()

    wire = Wire(settings.nats_url.split(",")[0], settings.credentials / f"{ADMIN}.nk", f"_INBOX.limit.{name}", take)
    try:
        await bus.manager.add_consumer(
            stream,
            js.ConsumerConfig(
                name=name,
                ack_policy=js.AckPolicy.NONE,
                deliver_policy=js.DeliverPolicy.BY_START_SEQUENCE,
                opt_start_seq=first,
                inactive_threshold=60,
                filter_subject=f"{settings.root}.{settings.context}.event.{Lane.READINGS}.head-end.>",
            ),
        )
        await wire.open()
        wanted = b'{"batch":%d,"expires":%d}' % (messages, int(_PULL_S * 1e9))
        began = time.perf_counter()
        wire.write([wire.frame(0, f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{name}".encode(), b"NATS/1.0\r\n\r\n", wanted)])
        async with asyncio.timeout(_PULL_S):
            await done.wait()
        return readings / (time.perf_counter() - began)
    except TimeoutError:
        return None
    finally:
        await wire.close()
        await bus.close()


def parsing(scenario: Scenario) -> dict[str, dict[str, float]]:
    """For each load: how many readings a second can be parsed alone, and read and checked by the codec, on a core."""
    return {load.name: _parsed(scenario, load) for load in scenario.loads if tells(load)}


def _parsed(scenario: Scenario, load: Load) -> dict[str, float]:
    telling = Telling(scenario, load, "limit", "busbar", "testing")
    indices = range(min(8, telling.count))
    bodies = [telling.told(index) for index in indices]
    readings = sum(telling.part(index).values for index in indices)
    kind = bodies[0].headers.decode().partition("Content-Type: ")[2].strip()
    codec = Codec(CATALOGUE)
    alone = _alone(load.encoding)
    rates = {
        "alone_per_s": _rate(lambda: [alone(each.body) for each in bodies], readings),
        "checked_per_s": _rate(lambda: [codec.decode_compact(each.body, kind) for each in bodies], readings),
    }
    rates["ratio"] = round(rates["checked_per_s"] / rates["alone_per_s"], 3)
    return rates


def _alone(encoding: Encoding) -> Callable[[bytes], object]:
    if encoding is Encoding.XML:
        return etree.fromstring
    return json.decode if encoding is Encoding.JSON else msgpack.decode


def _rate(work: Callable[[], object], readings: int) -> float:
    """Readings a second of processor time; the best of several, which others disturb least."""
    best = 0.0
    ends = time.monotonic() + PARSE_S
    while time.monotonic() < ends:
        began = time.process_time()
        work()
        best = max(best, readings / max(time.process_time() - began, 1e-9))
    return round(best, 1)


def days_of(scenario: Scenario, count: int) -> Iterator[Scenario]:
    """The scenario for each of ``count`` rounds, on days that no round before it has told."""
    days = span(scenario)
    for number in range(count):
        yield past(structs.replace(scenario, day=scenario.day + timedelta(days=number * days)), days)


def past(scenario: Scenario, days: int) -> Scenario:
    """The same scenario, if what it tells of so many days is over; what has not been measured yet is refused.

    Raises:
        ScenarioError: it is not.
    """
    last = scenario.day + timedelta(days=days)
    if last > datetime.now(UTC).date():
        sentence = f"{scenario.meters:,} meters have measured too little for so many readings: days until {last}"
        raise ScenarioError(f"{sentence} would be told; take more --meters, a lower --rate or a shorter --duration")
    return scenario


def span(scenario: Scenario) -> int:
    """How many days a run of the scenario is about."""
    return max(_span(scenario, load) for load in scenario.loads)


def _span(scenario: Scenario, load: Load) -> int:
    """How many days the messages of a load are about."""
    if not tells(load):
        return 1
    telling = Telling(scenario, load, "span", "busbar", "testing")
    return (telling.part(telling.count - 1).day - scenario.day).days + 1
