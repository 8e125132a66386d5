"""What the kernel costs: the same questions and events with it and without, in one run, as ratios.

``python -m loadtest.bench_kernel`` prints JSON. Each part has its own process: the keeper, the listener, and the load,
which is plain nats-py. Rounds alternate, and the medians are compared.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from uuid import uuid4

import asyncpg
import uvloop
from msgspec import structs
from nats.aio.client import Client

from contracts.message import Header, Id, Message, Request
from contracts.verbs import Verb
from loadtest import bench_bare
from loadtest.bench_service import BARE, CATALOGUE, KEPT, KERNEL, Thing, Things, keeper_service, listener_service
from shared.codec import CONTENT_XML, Codec
from shared.config import Context, Settings
from shared.runtime import running
from shared.tools.bootstrap import Schema
from shared.tools.testing import Installation

ROUNDS = 5
AT_ONCE = 16
"""Requests that the load has open at a time."""

GET_S = 2.0
"""How long a round of questions takes."""

EVENTS = 400
"""Events of a round."""

GOAL = 0.5


async def run(part: str) -> None:
    """One of the processes, until it is killed."""
    settings = Settings.from_environment(os.environ)
    if part == "kernel-keeper":
        await _run_kernel(settings)
    elif part == "kernel-listener":
        async with running(listener_service(), settings=settings, catalogue=CATALOGUE):
            _say("ready")
            await asyncio.Event().wait()
    else:
        client, pool = await bench_bare.connect(settings, part)
        _say("ready")
        if part == bench_bare.LISTENER:
            await bench_bare.listen(settings, client, pool)
        keeper = bench_bare.Keeper(settings, client, pool)
        await keeper.serve()
        await keeper.relay()


async def _run_kernel(settings: Settings) -> None:
    async with running(keeper_service(), settings=settings, catalogue=CATALOGUE):
        _say("ready")
        await asyncio.Event().wait()


async def load(verb: Verb, role: str, count: int) -> None:
    """Ask ``role``: for some seconds, or for so many creations; prints how many answers came in how long."""
    settings = Settings.from_environment(os.environ)
    client = Client()
    await client.connect(
        settings.nats_url,
        nkeys_seed=str(settings.seed_file("asker")),
        inbox_prefix=f"_INBOX.{settings.context}-asker",
    )
    codec = Codec(CATALOGUE)
    header = Header(verb=verb, noun="Things", context="TESTING", source="asker", message_id=str(uuid4()))
    subject = f"{settings.root}.{settings.context}.request.{role}.Things.{verb}.asker"
    question: Message[Things] = Message(header=header, request=Request(id=tuple(Id(value=mrid) for mrid in KEPT)))
    asked = codec.encode(question, CONTENT_XML)
    told = [
        codec.encode(
            Message(
                header=structs.replace(header, message_id=str(uuid4())),
                payload=Things(thing=(Thing(mrid=str(uuid4()), amount=1),)),
            ),
            CONTENT_XML,
        )
        for _ in range(count)
    ]
    headers, answers, begun_at = {"Content-Type": CONTENT_XML}, 0, time.perf_counter()

    async def ask() -> None:
        nonlocal answers
        while told if verb is Verb.CREATE else time.perf_counter() - begun_at < GET_S:
            reply = await client.request(subject, told.pop() if told else asked, timeout=30, headers=headers)
            if b"FAILED" in reply.data:
                raise RuntimeError(reply.data.decode())
            answers += 1

    await asyncio.gather(*(ask() for _ in range(AT_ONCE)))
    _say(json.dumps({"answers": answers, "seconds": time.perf_counter() - begun_at}))
    await client.close()


class Bench:
    """The parts under measurement."""

    def __init__(self, installation: Installation) -> None:
        self._settings = installation.settings
        self._environment = {
            **os.environ,
            "BUSBAR_ROOT": self._settings.root,
            "BUSBAR_CONTEXT": self._settings.context,
            "BUSBAR_NATS_URL": self._settings.nats_url,
            "BUSBAR_POSTGRES_HOST": self._settings.postgres_host,
            "BUSBAR_POSTGRES_PORT": str(self._settings.postgres_port),
            "BUSBAR_STATE": str(self._settings.state_dir),
        }

    @asynccontextmanager
    async def part(self, name: str) -> AsyncIterator[None]:
        """Run one process."""
        process = await self._spawn("--part", name)
        assert process.stdout is not None  # noqa: S101  it is a pipe
        await process.stdout.readline()
        try:
            yield
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def gets_per_s(self, role: str) -> float:
        """How many questions ``role`` answers in a second."""
        told = await self._load(Verb.GET, role, 0)
        return told["answers"] / told["seconds"]

    async def events_per_s(self, role: str, listener: str) -> float:
        """How many events go from a request to ``role`` to the row that ``listener`` writes, in a second."""
        login = self._settings.login(listener)
        connection = await asyncpg.connect(
            host=login.host, port=login.port, database=login.database, user=login.user, password=login.password
        )
        wanted = await connection.fetchval("SELECT count(*) FROM thing") + EVENTS
        loading = asyncio.create_task(self._load(Verb.CREATE, role, EVENTS))
        while await connection.fetchval("SELECT count(*) FROM thing") < wanted:  # noqa: ASYNC110  by another process
            await asyncio.sleep(0.01)
        ended_at = time.perf_counter()
        told = await loading
        await connection.close()
        return EVENTS / max(told["seconds"], ended_at - (time.perf_counter() - told["seconds"]))

    async def _load(self, verb: Verb, role: str, count: int) -> dict[str, float]:
        process = await self._spawn("--load", verb, role, str(count))
        out, _ = await process.communicate()
        told: dict[str, float] = json.loads(out)
        return told

    async def _spawn(self, *arguments: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "loadtest.bench_kernel",
            *arguments,
            env=self._environment,
            stdout=asyncio.subprocess.PIPE,
        )


async def measure(rounds: int) -> dict[str, object]:
    """Alternate between the kernel and the bare scripts."""
    with tempfile.TemporaryDirectory(prefix="busbar-bench-") as folder:
        Path(folder).chmod(0o711)  # noqa: ASYNC240  nothing else runs yet
        settings = Settings(root="bench", context=Context.TESTING, state_dir=Path(folder) / "state")
        schemas = [Schema(interface.role, Path(__file__).parent / "migrations") for interface in (*KERNEL, *BARE)]
        async with Installation.start(settings, CATALOGUE, schemas) as installation, AsyncExitStack() as stack:
            await installation.prepare()
            bench = Bench(installation)
            for interface in (*KERNEL, *BARE):
                await stack.enter_async_context(bench.part(interface.role))
            gets, events = _empty(), _empty()
            for _ in range(rounds):
                for name, (keeper, listener) in (("kernel", KERNEL), ("bare", BARE)):
                    gets[name].append(await bench.gets_per_s(keeper.role))
                    events[name].append(await bench.events_per_s(keeper.role, listener.role))
            return {"get": _compared(gets), "event": _compared(events)}


def _empty() -> dict[str, list[float]]:
    return {"kernel": [], "bare": []}


def _compared(rates: dict[str, list[float]]) -> dict[str, object]:
    """Medians, and what share of the bare rate the kernel reaches."""
    kernel, bare = (statistics.median(rates[name]) for name in ("kernel", "bare"))
    ratio = kernel / bare
    return {
        "kernel_per_s": round(kernel, 1),
        "bare_per_s": round(bare, 1),
        "ratio": round(ratio, 3),
        "goal": GOAL,
        "reached": ratio >= GOAL,
    }


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> None:
    """Measure, or be one of the parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="how often each is measured; the median counts")
    parser.add_argument("--part", help=argparse.SUPPRESS)
    parser.add_argument("--load", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        uvloop.run(run(options.part))
    elif options.load:
        verb, role, count = options.load
        uvloop.run(load(Verb(verb), role, int(count)))
    else:
        _say(json.dumps(uvloop.run(measure(options.rounds)), indent=2))


if __name__ == "__main__":
    main()
