"""Processes that are started again when they die, and what a story of theirs came to."""

import asyncio
import os
import signal
import sys
from collections import Counter, defaultdict
from contextlib import suppress
from pathlib import Path

from msgspec import Struct, structs

from contracts.errors import Unavailable
from contracts.verbs import Verb
from shared.tools.testing import Installation, Peer
from tests.service.toys.orders import Orders, orders
from tests.service.toys.world import admin, rows

ACK_WAIT_S = 1.0
"""How soon the broker gives what a killed process had to the next; short, since a test waits for it."""


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
        logs = settings.state_dir / "logs" / f"{self._role}.log"
        with Path(logs).open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.chaos.toy_process", self._role, env=environment, stdout=log, stderr=log
            )


class Counts(Struct, frozen=True, kw_only=True):
    """What became of a story; of the four last there must be none."""

    commands: int
    effects: int
    answers: int
    told: int
    heard: int
    doubled: int
    lost: int
    unanswered: int
    order_violations: int

    @property
    def is_whole(self) -> bool:
        """Each command has one effect and one answer, each event was heard once and in its order."""
        return not (self.doubled or self.lost or self.unanswered or self.order_violations)


async def hasten(toys: Installation) -> None:
    """Make the broker's patience with killed processes short."""
    async with admin(toys) as broker:
        for kind in ("command", "reply", "control", "readings", "general"):
            stream = f"busbar_testing_{kind}"
            for consumer in await broker.manager.consumers_info(stream):
                await broker.manager.add_consumer(stream, consumer.config.evolve(ack_wait=ACK_WAIT_S))


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
    """Orders of five keys, each of which is told to the ledger; a third of them makes the shop command the depot."""
    for number in range(count):
        order = f"{name}-{number % 5}/{number}"
        if number % 3:
            await give(customer, Verb.CREATE, orders(order, amount=number), f"{name}.{number}".replace(".", "_"))
        else:
            await give(customer, Verb.CHANGE, orders(order, amount=number), f"{name}.{number}".replace(".", "_"))


async def counted(toys: Installation, name: str, count: int) -> Counts:
    """Count what became of a story so far."""
    like = f"{name}-%"
    made = await rows(toys, "shop", "SELECT mrid, times FROM thing WHERE mrid LIKE $1", like)
    sent = await rows(toys, "depot", "SELECT mrid, times FROM thing WHERE mrid LIKE $1", like)
    replied = await rows(toys, "shop", "SELECT mrid FROM note WHERE mrid LIKE $1", like)
    told = await rows(
        toys,
        "shop",
        "SELECT substring(convert_from(body, 'UTF8') from $1) AS mrid FROM outbox WHERE counted "
        "AND subject LIKE '%.general.shop.Orders.created.%' AND convert_from(body, 'UTF8') LIKE $2 ORDER BY id",
        f"{name}-[0-9]+/[0-9]+",
        f"%{name}-%",
    )
    heard = await rows(toys, "ledger", "SELECT mrid, text FROM note WHERE mrid LIKE $1 ORDER BY id", like)
    async with admin(toys) as broker:
        pattern = "busbar.testing.reply.customer.>"
        info = await broker.manager.stream_info("busbar_testing_reply", subjects_filter=pattern)
    answers = {
        subject: number for subject, number in (info.state.subjects or {}).items() if subject.split(".")[4].startswith(f"{name}_")
    }
    created = [row["mrid"] for row in heard if row["text"].isdigit()]
    others = Counter((row["mrid"], row["text"].partition(" ")[0]) for row in heard if not row["text"].isdigit())
    doubles = [
        *(times - 1 for times in Counter(created).values()),
        *(times - 1 for times in Counter(row["mrid"] for row in replied).values()),
        *(number - 1 for number in answers.values()),
        *(max(0, row["times"] - 1) for row in (*made, *sent)),
    ]
    third = (count + 2) // 3
    expected = 4 * third + (count - third)
    return Counts(
        commands=count,
        effects=len(made),
        answers=len(answers),
        told=len(told) + 3 * third,
        heard=len(set(created)) + len(others) + len({row["mrid"] for row in replied}),
        doubled=sum(doubles),
        lost=max(0, count - len(made)) + expected - len(set(created)) - len(others) - len({row["mrid"] for row in replied}) - third,
        unanswered=count - len(answers),
        order_violations=_violations([row["mrid"] for row in told], created),
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
