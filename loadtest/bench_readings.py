"""How fast readings become durable and can be asked for, beside what server-side COPY and the bus alone can do.

``python -m loadtest.bench_readings [--json] [SCENARIO ...]``. The service runs in a process of its own, the head-end
and the servers beside it. What a round tells is a market day, or a wave of it; the clock runs from the first message
that is published to the acknowledgement of the last, which comes after its commit. After each round the same rows are
copied by the server from a file into an empty table of the same form (``copy``), and the same messages are pulled with
nothing done to them (``pull``). Where all of a round is told before it is delivered, the same service on nats-py
alone takes a round of its own (``nats_py``, :mod:`loadtest.peer_nats_py`). The medians of the rounds count.

Longer than 400 lines because what is measured and what it is held against share one installation and one telling.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import asyncpg
import numpy as np
import uvloop
from msgspec import Struct, structs
from msgspec import json as msgspec_json
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig, DeliverPolicy

from contracts.catalogue import CATALOGUE
from contracts.compact_readings import CONTENT_TYPE, Columns, CompactReadings, Group, expanded
from contracts.interface import Lane
from contracts.message import Header, Message
from contracts.nouns.meter_config import Meter, MeterConfig
from contracts.nouns.meter_readings import MeterReadings
from contracts.verbs import Verb
from loadtest import peer_nats_py
from shared.bus.subjects import EventSubject, Space, partition
from shared.codec import CONTENT_MSGPACK, CONTENT_XML, Codec
from shared.config import Context, Settings
from shared.tools.bootstrap import Schema, prepare
from shared.tools.testing import Installation, administrator

ROUNDS = 5
ROLE = "meter-reading-and-control"
SERVICES, PEER = ("-m", "services"), ("-c", peer_nats_py.RUN)
QUARTERS = "0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0"
MIGRATIONS = Path(__file__).resolve().parents[1] / "services" / ROLE.replace("-", "_") / "migrations"
QUARTER_US = 900_000_000
INTERVALS = 96
CAPACITY_BYTES = 8 << 30
"""Of the streams; a full one would refuse."""

WINDOW = 1024
"""Messages that are published and not yet acknowledged."""

EARLIER = 100
"""Rounds of which no interval is that of another one."""

_EPOCH = date(1970, 1, 1)


class Scenario(Struct, frozen=True, kw_only=True):
    """What a round tells.

    Attributes:
        meters: how many there are.
        together: how many of them one message holds.
        intervals: of each meter in a round.
        content_type: in which encoding.
        goal: readings a second.
        ratios: how many times as many as what it is held against.
        backlog: all of a round is told before the broker delivers any of it, since it makes each message safe by itself
            and would be the limit. The service is new in each round and has heard of the meters by then.
    """

    meters: int
    together: int
    intervals: int
    content_type: str
    goal: float
    ratios: dict[str, float] = {}
    backlog: bool = False

    @property
    def readings(self) -> int:
        """Of a round."""
        return self.meters * self.intervals


SCENARIOS = {
    "day_blocks": Scenario(
        meters=50_000, together=200, intervals=96, content_type=CONTENT_TYPE, goal=1_000_000, ratios={"copy": 0.2}
    ),
    "day_blocks_msgpack": Scenario(
        meters=20_000, together=50, intervals=96, content_type=CONTENT_MSGPACK, goal=400_000
    ),
    "xml": Scenario(meters=5_000, together=20, intervals=96, content_type=CONTENT_XML, goal=100_000),
    "wave": Scenario(meters=100_000, together=1_000, intervals=1, content_type=CONTENT_TYPE, goal=278_000),
    "single_readings": Scenario(
        meters=100_000,
        together=1,
        intervals=1,
        content_type=CONTENT_TYPE,
        goal=0,
        ratios={"nats_py": 4},
        backlog=True,
    ),
}


def bodies(scenario: Scenario, number: int) -> Iterator[bytes]:
    """The messages of the round of that number; each round is another day, or the next interval."""
    codec = Codec(CATALOGUE)
    randomness = np.random.default_rng(number)
    day = (date(2026, 1, 1) - _EPOCH).days + (number if scenario.intervals > 1 else 0)
    first_us = day * 86_400_000_000 + QUARTER_US * (1 if scenario.intervals > 1 else 1 + number)
    for first in range(0, scenario.meters, scenario.together):
        size = min(scenario.together, scenario.meters - first)
        numbers = randomness.integers(0, 3000, size * scenario.intervals, dtype=np.int32)
        columns = Columns(
            reading_type=QUARTERS,
            first_us=first_us,
            step_us=QUARTER_US if scenario.intervals > 1 else 0,
            count=scenario.intervals,
            scale=-3,
            numbers=numbers.tobytes(),
            meters=tuple(meter(place) for place in range(first, first + size)),
        )
        compact = CompactReadings(groups=(Group(columns=columns),))
        header = Header(verb=Verb.CREATED, noun="MeterReadings", source="head-end", message_id=str(uuid4()))
        payload = compact if scenario.content_type == CONTENT_TYPE else expanded(compact)
        yield codec.encode(Message[MeterReadings](header=header, payload=payload), scenario.content_type)  # type: ignore[arg-type]  # a compact form


def meter(place: int) -> str:
    """The mRID of a meter."""
    return f"meter {place:08}"


class Taken(Struct, frozen=True, kw_only=True):
    """What a round took.

    Attributes:
        seconds: from the first message that is told, or delivered, until all are acknowledged.
        cpu_s: of the process of the service meanwhile; None where it runs beside the telling.
    """

    seconds: float
    cpu_s: float | None = None


def _cpu_s(process: int) -> float:
    """Processor time that a process has taken, in seconds."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Bench:
    """The servers, the service and the head-end."""

    def __init__(self, installation: Installation, database: "asyncpg.Connection[asyncpg.Record]", bus: Client) -> None:
        self._installation = installation
        self._settings = installation.settings
        self._database = database
        self._bus = bus
        self._space = Space(self._settings.root, self._settings.context)
        self._stream = self._space.stream(Lane.READINGS)
        self._durable = f"{ROLE}_shared"

    async def provide(self, meters: int) -> None:
        """Have meters, each at a usage point."""
        first = datetime(2020, 1, 1, tzinfo=UTC)
        mrids = [meter(place) for place in range(meters)]
        nouns = [msgspec_json.encode(MeterConfig(meter=(Meter(mrid=mrid),))).decode() for mrid in mrids]
        await self._database.execute(
            "INSERT INTO meter (mrid, effective_at, noun) SELECT mrid, $3, noun::jsonb"
            " FROM unnest($1::text[], $2::text[]) AS told (mrid, noun)",
            mrids,
            nouns,
            first,
        )
        await self._database.execute(
            "INSERT INTO installed (usage_point, starts, meter) SELECT 'point of ' || mrid, $2, mrid"
            " FROM unnest($1::text[]) AS mrid",
            mrids,
            first,
        )
        await self._database.execute("ANALYZE")

    @asynccontextmanager
    async def service(self, program: tuple[str, str] = SERVICES, **changes: str) -> AsyncIterator[int]:
        """Run the service, as ``program`` does; the number of its process."""
        environment = {
            **os.environ,
            "BUSBAR_ROOT": self._settings.root,
            "BUSBAR_CONTEXT": self._settings.context,
            "BUSBAR_NATS_URL": self._settings.nats_url,
            "BUSBAR_POSTGRES_HOST": self._settings.postgres_host,
            "BUSBAR_POSTGRES_PORT": str(self._settings.postgres_port),
            "BUSBAR_STATE": str(self._settings.state_dir),
            **changes,
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable, *program, "run", ROLE, env=environment, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None  # noqa: S101  it is a pipe
        if b"Running" not in await process.stdout.readline():
            raise RuntimeError("the service did not start")
        try:
            yield process.pid
        finally:
            with suppress(ProcessLookupError):
                process.terminate()
            await process.wait()

    async def round(self, scenario: Scenario, number: int, program: tuple[str, str] = SERVICES) -> Taken:
        """Tell one round; what it takes until all of it is kept, by ``program`` where that works off a backlog."""
        told = [*bodies(scenario, number)]
        stream = self._bus.jetstream(timeout=30)
        if not scenario.backlog:
            begun_at = time.perf_counter()
            await self._tell(told, scenario.content_type)
            await self.drained(stream)
            return Taken(seconds=time.perf_counter() - begun_at)
        async with self.service(program) as process:
            known = structs.replace(scenario, together=1_000)
            await self._tell([*bodies(known, EARLIER + number)], known.content_type)
            await self.drained(stream)
            await self._pause(until=time.time() + 3600)
            await self._tell(told, scenario.content_type)
            cpu_s = _cpu_s(process)
            await self._pause(until=0)
            while await self._waiting(stream, begun=False) == len(told):  # noqa: ASYNC110  by another process
                await asyncio.sleep(0.002)
            begun_at = time.perf_counter()
            await self.drained(stream)
            return Taken(seconds=time.perf_counter() - begun_at, cpu_s=_cpu_s(process) - cpu_s)

    async def _tell(self, told: Sequence[bytes], content_type: str) -> None:
        """Publish messages, until the broker has all of them."""
        headers = {"Content-Type": content_type}
        inbox = self._bus.new_inbox()
        acknowledged, all_are = 0, asyncio.Event()

        async def count(message: Msg) -> None:
            nonlocal acknowledged
            if b'"error"' in message.data:
                raise RuntimeError(message.data.decode())
            acknowledged += 1
            if acknowledged == len(told):
                all_are.set()

        counting = await self._bus.subscribe(inbox, cb=count)
        for place, body in enumerate(told):
            subject = EventSubject(
                root=self._space.root,
                context=self._space.context,
                lane=Lane.READINGS,
                source="head-end",
                noun="MeterReadings",
                verb=Verb.CREATED,
                partition=partition(str(place), Lane.READINGS),
            )
            await self._bus.publish(str(subject), body, reply=inbox, headers=headers)
            while place - acknowledged >= WINDOW:  # noqa: ASYNC110  by the broker
                await asyncio.sleep(0)
        await all_are.wait()
        await counting.unsubscribe()

    async def _pause(self, until: float) -> None:
        """Have the broker deliver nothing until that time, in seconds since 1970."""
        told = {"pause_until": datetime.fromtimestamp(until, UTC).isoformat().replace("+00:00", "Z")}
        reply = await self._bus.request(
            f"$JS.API.CONSUMER.PAUSE.{self._stream}.{self._durable}", json.dumps(told).encode(), timeout=30
        )
        if b'"error"' in reply.data:
            raise RuntimeError(reply.data.decode())

    async def drained(self, stream: JetStreamContext) -> None:
        """Wait until all that was told is acknowledged."""
        while await self._waiting(stream):  # noqa: ASYNC110  by another process
            await asyncio.sleep(0.01)

    async def _waiting(self, stream: JetStreamContext, *, begun: bool = True) -> int:
        """How many messages are not acknowledged, or are not delivered."""
        info = await stream.consumer_info(self._stream, self._durable)
        return (info.num_pending or 0) + ((info.num_ack_pending or 0) if begun else 0)

    async def count(self) -> int:
        """How many blocks there are."""
        return int(await self._database.fetchval("SELECT count(*) FROM block"))

    async def copy(self, number: int) -> float:
        """Seconds that the server takes for the rows of a day, from a file into an empty table of the same form."""
        day = date(2026, 1, 1) + timedelta(days=number)
        file = f"{await self._database.fetchval('SHOW data_directory')}/bench.copy"
        rows = f"COPY (SELECT * FROM block WHERE market_day = '{day}') TO '{file}' (FORMAT binary)"  # noqa: S608  a date
        await self._database.execute(rows)
        await self._database.execute(
            "DROP TABLE IF EXISTS alone; CREATE TABLE alone (LIKE block INCLUDING ALL) PARTITION BY RANGE (market_day);"
            "CREATE TABLE alone_of_year PARTITION OF alone FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')"
        )
        begun_at = time.perf_counter()
        await self._database.execute(f"COPY alone FROM '{file}' (FORMAT binary)")
        taken = time.perf_counter() - begun_at
        await self._database.execute("DROP TABLE alone")
        return taken

    async def pull(self, count: int) -> float:
        """Seconds that it takes to pull the last ``count`` messages and do nothing with them."""
        stream = self._bus.jetstream(timeout=30)
        info = await stream.consumer_info(self._stream, self._durable)
        assert info.delivered is not None  # noqa: S101  the broker tells it always
        config = ConsumerConfig(
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=info.delivered.stream_seq - count + 1,
            filter_subject=f"{self._space.root}.{self._space.context}.event.readings.head-end.>",
        )
        pulling = await stream.pull_subscribe("", stream=self._stream, config=config)
        begun_at, got = time.perf_counter(), 0
        while got < count:
            messages = await pulling.fetch(min(500, count - got), timeout=10)
            for message in messages:
                await message.ack()
            got += len(messages)
        taken = time.perf_counter() - begun_at
        await pulling.unsubscribe()
        return taken


async def measure(names: list[str], rounds: int, say: Callable[[str], None]) -> dict[str, object]:
    """All rounds of the scenarios."""
    found: dict[str, object] = {}
    with tempfile.TemporaryDirectory(prefix="busbar-bench-") as folder:
        Path(folder).chmod(0o711)  # noqa: ASYNC240  nothing else runs yet
        settings = Settings(root="bench", context=Context.TESTING, state_dir=Path(folder) / "state")
        async with Installation.start(settings, CATALOGUE, [Schema(ROLE, MIGRATIONS)]) as installation:
            for name in names:
                await prepare(
                    installation.settings,
                    CATALOGUE,
                    installation.schemas,
                    administrator(installation.servers),
                    afresh=True,
                    capacity_bytes=CAPACITY_BYTES,
                )
                found[name] = await _scenario(installation, SCENARIOS[name], rounds, say)
                say(f"{name}: {json.dumps(found[name])}")
    return found


async def _scenario(
    installation: Installation, scenario: Scenario, rounds: int, say: Callable[[str], None]
) -> dict[str, object]:
    settings, admin = installation.settings, administrator(installation.servers)
    database = await asyncpg.connect(
        host=admin.host,
        port=admin.port,
        user=admin.user,
        password=admin.password,
        database=settings.login(ROLE).database,
        server_settings={"search_path": ROLE.replace("-", "_")},
    )
    bus = Client()
    await bus.connect(settings.nats_url, nkeys_seed=str(settings.credentials / "admin.nk"))
    bench = Bench(installation, database, bus)
    rates: dict[str, list[float]] = {"service": [], "nats_py": [], "copy": [], "pull": []}
    cpu_us: dict[str, list[float]] = {}
    messages = -(-scenario.meters // scenario.together)
    try:
        await bench.provide(scenario.meters)
        async with AsyncExitStack() as stack:
            if not scenario.backlog:
                await stack.enter_async_context(bench.service())
            await bench.round(scenario, 0)
            for number in range(1, rounds + 1):
                told = [("service", await bench.round(scenario, number))]
                if scenario.intervals > 1 and await bench.count() != scenario.meters * (number + 1):
                    raise RuntimeError(f"{await bench.count()} blocks are kept of {scenario.meters * (number + 1)}")
                if scenario.backlog:
                    told.append(("nats_py", await bench.round(scenario, rounds + number, PEER)))
                for name, taken in told:
                    rates[name].append(scenario.readings / taken.seconds)
                    if taken.cpu_s is not None:
                        cpu_us.setdefault(name, []).append(taken.cpu_s / scenario.readings * 1e6)
                rates["pull"].append(scenario.readings / await bench.pull(messages))
                if scenario.intervals > 1:
                    rates["copy"].append(scenario.readings / await bench.copy(number))
                say(
                    f"  round {number}: "
                    + ", ".join(f"{name} {each[-1]:,.0f}/s" for name, each in rates.items() if each)
                    + "".join(f", {name} {each[-1]:.1f} us of a core each" for name, each in cpu_us.items())
                )
    finally:
        await bus.close()
        await database.close()
    medians = {name: statistics.median(each) for name, each in rates.items() if each}
    times = {name: medians["service"] / rate for name, rate in medians.items() if name != "service"}
    return {
        "readings_per_s": round(medians["service"]),
        "ratio_to_raw_limit": {name: round(each, 3) for name, each in times.items()},
        "raw_per_s": {name: round(rate) for name, rate in medians.items() if name != "service"},
        "cpu_us_per_reading": {name: round(statistics.median(each), 1) for name, each in cpu_us.items()},
        "goal": {"readings_per_s": scenario.goal, **scenario.ratios},
        "reached": medians["service"] >= scenario.goal
        and all(times[name] >= goal for name, goal in scenario.ratios.items()),
    }


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenarios", nargs="*", choices=[*SCENARIOS, []], help="which; all by default")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="how often each is measured; the median counts")
    parser.add_argument("--json", action="store_true", help="say nothing but the figures, as JSON")
    options = parser.parse_args()
    say = (lambda _: None) if options.json else _say
    found = uvloop.run(measure(options.scenarios or [*SCENARIOS], options.rounds, say))
    if options.json:
        _say(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
