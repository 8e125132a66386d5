"""Processes that are started again when they die, and what a story of theirs came to."""

import asyncio
import os
import signal
import sys
from collections import Counter, defaultdict
from contextlib import suppress

from msgspec import Struct

from contracts.errors import Unavailable
from contracts.verbs import Verb
from shared.tools.testing import Installation, Peer
from tests.service.toys.orders import Orders, orders
from tests.service.toys.world import admin, rows

ACK_WAIT_S = 1.0
"""How soon the broker gives what a killed process had to the next; short, since a test waits for it."""


_TOLD = (
    "SELECT message_id, substring(convert_from(body, 'UTF8') from $1) AS mrid FROM outbox WHERE counted "
    "AND (subject LIKE '%.event.general.%' OR subject LIKE '%.event.readings.%') "
    "AND convert_from(body, 'UTF8') LIKE $2 ORDER BY id"
)


class Process:
    """A toy service; whoever kills it, it comes back, without a failpoint."""

    def __init__(self, toys: Installation, role: str) -> None:
        self._toys = toys
        self._role = role
        self._process: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Task[None] | None = None
        self.deaths = 0

    async def start(self, failpoint: str = "") -> None:
        """Start, to die at ``failpoint``."""
        await self._spawn(failpoint)
        self._watch = asyncio.create_task(self._restart())

    async def died(self) -> None:
        """Wait until it has died once; a failpoint with a pause may let the story end before."""
        async with asyncio.timeout(20):
            while not self.deaths:  # noqa: ASYNC110  the watch of another task counts
                await asyncio.sleep(0.02)

    async def stop(self) -> None:
        """Stop in order."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.wait({self._watch})
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.terminate()
            await self._process.wait()

    async def _restart(self) -> None:
        while self._process is not None:
            await self._process.wait()
            self.deaths += 1
            await self._spawn("")

    async def _spawn(self, failpoint: str) -> None:
        settings = self._toys.settings
        environment = {
            **os.environ,
            "BUSBAR_CONTEXT": settings.context,
            "BUSBAR_NATS_URL": settings.nats_url,
            "BUSBAR_POSTGRES_HOST": settings.postgres_host,
            "BUSBAR_POSTGRES_PORT": str(settings.postgres_port),
            "BUSBAR_STATE": str(settings.state_dir),
            "BUSBAR_LOG_LEVEL": "WARNING",
            "BUSBAR_FAILPOINT": failpoint,
        }
        file = settings.state_dir / "logs" / f"{self._role}.log"
        with file.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.chaos.toy_process", self._role, env=environment, stdout=log, stderr=log
            )


class Counts(Struct, frozen=True, kw_only=True):
    """What became of a story: of commands, of what they did, of their answers, and of the events that were told."""

    commands: int
    effects: int
    answers: int
    told: int
    heard: int
    doubled: int
    order_violations: int

    @property
    def is_whole(self) -> bool:
        """Each command has one effect and one answer, each event was heard once and in its order."""
        complete = self.commands == self.effects == self.answers and self.told == self.heard == self.commands
        return complete and not self.doubled and not self.order_violations


async def hasten(toys: Installation) -> None:
    """Make the broker's patience with killed processes short."""
    async with admin(toys) as broker:
        for kind in ("command", "reply", "control", "readings", "general"):
            stream = f"busbar_testing_{kind}"
            for consumer in await broker.manager.consumers_info(stream):
                await broker.manager.add_consumer(stream, consumer.config.evolve(ack_wait=ACK_WAIT_S))


async def at_rest(toys: Installation) -> None:
    """Wait until nothing waits for a service or is worked on: what a death left behind was handed out again."""
    async with admin(toys) as broker, asyncio.timeout(30):
        for kind in ("command", "control", "readings", "general"):
            while await broker.backlog(f"busbar_testing_{kind}"):  # noqa: ASYNC110  the broker is asked
                await asyncio.sleep(0.05)


async def give(customer: Peer, verb: Verb, payload: Orders, message_id: str) -> None:
    """Give a command until it is accepted."""
    async with asyncio.timeout(30):
        while True:
            try:
                await customer.command("shop", verb, payload, message_id=message_id)
            except Unavailable:
                await asyncio.sleep(0.05)
            else:
                return


async def tell_story(customer: Peer, name: str, count: int) -> None:
    """Orders of five keys, each of which is told to the ledger; each third makes the shop command the depot besides."""
    for number in range(count):
        verb = Verb.CREATE if number % 3 else Verb.CHANGE
        await give(customer, verb, orders(f"{name}-{number % 5}/{number}", amount=number), f"{name}_{number}")


async def counted(toys: Installation, name: str, count: int) -> Counts:
    """Count what became of a story so far; the commands of the shop to the depot count as the customer's do."""
    like = f"{name}-%"
    things = [
        row
        for role in ("shop", "depot")
        for row in await rows(toys, role, "SELECT mrid, times FROM thing WHERE mrid LIKE $1", like)
    ]
    replied = Counter(row["mrid"] for row in await rows(toys, "shop", "SELECT mrid FROM note WHERE mrid LIKE $1", like))
    heard = Counter(
        (row["mrid"], row["text"].partition(" ")[0])
        for row in await rows(toys, "ledger", "SELECT mrid, text FROM note WHERE mrid LIKE $1 ORDER BY id", like)
    )
    told = {
        (role, row["message_id"]): row["mrid"]
        for role in ("shop", "depot")
        for row in await rows(toys, role, _TOLD, f"{name}-[0-9]+/[0-9]+", f"%{name}-%")
    }
    async with admin(toys) as broker:
        pattern = "busbar.testing.reply.customer.>"
        info = await broker.manager.stream_info("busbar_testing_reply", subjects_filter=pattern)
    answers = {
        subject: number
        for subject, number in (info.state.subjects or {}).items()
        if subject.split(".")[4].startswith(f"{name}_")
    }
    return Counts(
        commands=count + (count + 2) // 3,
        effects=len(things),
        answers=len(answers) + len(replied),
        told=len(told),
        heard=len(heard),
        doubled=sum(max(0, number - 1) for number in (*answers.values(), *replied.values(), *heard.values()))
        + sum(max(0, row["times"] - 1) for row in things),
        order_violations=_violations(list(told.values()), [mrid for mrid, text in heard if text.isdigit()]),
    )


def _violations(told: list[str], heard: list[str]) -> int:
    """How many events of a key were heard before one that was told before them."""
    place = {mrid: number for number, mrid in enumerate(told)}
    last: defaultdict[str, int] = defaultdict(lambda: -1)
    violations = 0
    for mrid in heard:
        key = mrid.partition("/")[0]
        violations += place.get(mrid, 0) < last[key]
        last[key] = max(last[key], place.get(mrid, 0))
    return violations


def kill(pid: int) -> None:
    """Kill -9."""
    os.kill(pid, signal.SIGKILL)
