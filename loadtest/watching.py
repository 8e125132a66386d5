"""What is seen of the system during a run: what waits in the broker, what processes use, what the database writes."""

import asyncio
import json
import os
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import asyncpg
import numpy as np
from aiohttp import ClientError, ClientSession
from msgspec import Struct, field
from numpy.typing import NDArray

from contracts.interface import Lane
from loadtest.deployment import Deployment
from shared.bus.connection import Bus
from shared.bus.subjects import ADMIN, Space
from shared.store import Login

BACKLOG_S = 0.1
"""How often the broker is asked; the precision of the time at which a message counts as stored."""

RESOURCES_S = 0.5

MEMORY_EVERY = 10
"""Memory is looked at every so many times: the kernel walks through all pages of a process to tell it."""

_LAGS = re.compile(r'^busbar_loop_lag_seconds_bucket\{le="([^"]+)"\} (\d+)', re.MULTILINE)

_PSS = re.compile(r"^Pss: +(\d+) kB", re.MULTILINE)

_TAKEN = re.compile(r"^busbar_batched_messages_total\{[^}]*\} (\d+)", re.MULTILINE)

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Durable(Struct, frozen=True, kw_only=True):
    """A consumer of the role: its name in its stream, and the partitions that it reads (none: all)."""

    stream: str
    name: str
    filters: tuple[str, ...]


class Backlog(Struct, kw_only=True):
    """What waited, over time.

    Attributes:
        at_s: when the broker was asked, in seconds of the run.
        waiting: messages that no consumer of the role has acknowledged, at each time.
        floors: for each durable up to which number of the stream everything is acknowledged, at each time.
    """

    durables: list[Durable] = field(default_factory=list)
    at_s: list[float] = field(default_factory=list)
    waiting: list[int] = field(default_factory=list)
    floors: list[list[int]] = field(default_factory=list)

    def stored_s(self, stream: str, subjects: Sequence[str], sequences: NDArray[np.int64]) -> NDArray[np.float64]:
        """When each message was acknowledged by all that read it, in seconds of the run; not a number for never.

        Args:
            stream: where the messages are.
            subjects: the subject of each.
            sequences: the number of each in the stream.
        """
        at, floors = np.array([*self.at_s, np.nan]), np.array(self.floors, np.int64).reshape(len(self.at_s), -1)
        found = np.full(len(sequences), -np.inf)
        for place, durable in enumerate(self.durables):
            if durable.stream != stream:
                continue
            reads = np.array([any(_matches(subject, each) for each in durable.filters) for subject in subjects])
            when = at[np.searchsorted(floors[:, place], sequences)] if len(self.at_s) else np.nan
            found = np.where(reads, np.maximum(found, when), found)
        return np.where(np.isinf(found), np.nan, found)


def _matches(subject: str, pattern: str) -> bool:
    words, wanted = subject.split("."), pattern.split(".")
    if wanted[-1] == ">":
        wanted, words = wanted[:-1], words[: len(wanted) - 1]
    return len(words) == len(wanted) and all(want in {"*", word} for word, want in zip(words, wanted, strict=True))


class Use(Struct, kw_only=True):
    """What the processes used over time.

    Attributes:
        at_s: when they were looked at, in seconds of the run.
        cpu_s: by name, the CPU seconds so far at each time.
        memory: by name, the bytes in memory when that was looked at last before each time; of shared pages the share.
        loop_lag: by role, how often its event loop was woken how late: the upper bound in seconds, and the count.
        taken: by name, the messages of readings that a process has taken since it began.
    """

    at_s: list[float] = field(default_factory=list)
    cpu_s: dict[str, list[float]] = field(default_factory=dict)
    memory: dict[str, list[int]] = field(default_factory=dict)
    loop_lag: dict[str, dict[float, int]] = field(default_factory=dict)
    taken: dict[str, int] = field(default_factory=dict)


class Watch:
    """Watches a deployment from :meth:`start` until :meth:`stop`."""

    def __init__(self, deployment: Deployment, role: str) -> None:
        self._deployment = deployment
        self._role = role
        self._space = Space(deployment.settings.root, deployment.settings.context)
        self._streams = [self._space.stream(lane) for lane in (Lane.READINGS, Lane.OUTAGE)]
        self._bus: Bus | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._began = 0.0
        self._kept: dict[str, float] = {}
        self._last: dict[str, tuple[int, float]] = {}
        self.backlog = Backlog()
        self.use = Use()

    async def open(self) -> None:
        """Connect as the role that may see consumers."""
        settings = self._deployment.settings
        self._bus = await Bus.connect(
            settings.nats_url.split(","),
            role=ADMIN,
            context=settings.context,
            root=settings.root,
            seed_file=settings.credentials / f"{ADMIN}.nk",
            on_lost=lambda _: None,
        )
        self.backlog.durables = [durable async for durable, _ in self._consumers()]

    def start(self, began: float) -> None:
        """Watch; ``began`` is the beginning of the run on the monotonic clock."""
        self._began = began
        self._tasks = [asyncio.create_task(self._watch_backlog()), asyncio.create_task(self._watch_use())]

    async def stop(self) -> None:
        """Stop watching."""
        for name, part in self._deployment.parts.items():
            with suppress(OSError, ClientError):
                text = await _told(part.page)
                self.use.loop_lag[name] = _loop_lag(text)
                self.use.taken[name] = sum(map(int, _TAKEN.findall(text)))
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
            with suppress(Exception):  # what was done last would count as waiting
                await self._look()
        if self._bus is not None:
            await self._bus.close()

    async def at_rest(self, within_s: float) -> bool:
        """Wait until nothing waits for the role any more; False when something still does."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            with suppress(Exception):
                if not sum([waiting async for _, (waiting, _) in self._consumers()]):
                    return True
            await asyncio.sleep(BACKLOG_S)
        return False

    async def _consumers(self) -> Any:
        assert self._bus is not None  # noqa: S101  it was opened
        for stream in self._streams:
            seen, total = 0, 1
            while seen < total:
                told = await self._bus.request(f"$JS.API.CONSUMER.LIST.{stream}", b'{"offset": %d}' % seen)
                page = json.loads(told.body)
                total = page.get("total", 0)
                consumers = page.get("consumers") or []
                seen += max(len(consumers), 1)
                for each in consumers:
                    if each["name"] == self._role or each["name"].startswith(f"{self._role}_"):
                        config = each["config"]
                        filters = config.get("filter_subjects") or [config.get("filter_subject", ">")]
                        durable = Durable(stream=stream, name=each["name"], filters=tuple(filters))
                        yield (
                            durable,
                            (each["num_pending"] + each["num_ack_pending"], _floor(each)),
                        )

    async def _watch_backlog(self) -> None:
        while True:
            with suppress(Exception):  # the broker may be away, which the run shows otherwise
                await self._look()
            await asyncio.sleep(BACKLOG_S)

    async def _look(self) -> None:
        """Ask the broker once."""
        places = {(each.stream, each.name): place for place, each in enumerate(self.backlog.durables)}
        floors = [*self.backlog.floors[-1]] if self.backlog.floors else [0] * len(places)
        waiting = 0
        async for durable, (pending, floor) in self._consumers():
            waiting += pending
            place = places.get((durable.stream, durable.name))
            if place is not None:
                floors[place] = max(floors[place], floor)
        self.backlog.at_s.append(time.monotonic() - self._began)
        self.backlog.waiting.append(waiting)
        self.backlog.floors.append(floors)

    async def _watch_use(self) -> None:
        while True:
            is_for_memory = len(self.use.at_s) % MEMORY_EVERY == 0
            self.use.at_s.append(time.monotonic() - self._began)
            for name, pid in self._deployment.pids().items():
                cpu_s, pids = await asyncio.to_thread(used_by, pid)
                self.use.cpu_s.setdefault(name, []).append(self._total(name, pid, cpu_s))
                memory = self.use.memory.setdefault(name, [])
                memory.append(await asyncio.to_thread(memory_of, pids) if is_for_memory or not memory else memory[-1])
            await asyncio.sleep(RESOURCES_S)

    def _total(self, name: str, pid: int, cpu_s: float) -> float:
        """CPU over all lives of a process that may have been killed."""
        last_pid, last = self._last.get(name, (pid, 0.0))
        if last_pid != pid or cpu_s < last:
            self._kept[name] = self._kept.get(name, 0.0) + last
        self._last[name] = (pid, cpu_s)
        return self._kept.get(name, 0.0) + cpu_s


async def _told(page: str) -> str:
    """The numbers that a process tells."""
    async with ClientSession() as session, session.get(page) as answer:
        return await answer.text()


def _loop_lag(text: str) -> dict[float, int]:
    """How often an event loop was woken how late since its process began, from the numbers that it tells."""
    found, before = {}, 0
    for bound, count in _LAGS.findall(text):
        found[float(bound.replace("+Inf", "inf"))] = int(count) - before
        before = int(count)
    return found


def _floor(consumer: Mapping[str, Any]) -> int:
    """Up to which number of the stream the consumer has acknowledged everything that it reads.

    A consumer that has nothing in flight and nothing to come has acknowledged all that is there.
    """
    delivered, acknowledged = consumer["delivered"]["stream_seq"], consumer["ack_floor"]["stream_seq"]
    return int(delivered if not consumer["num_ack_pending"] else acknowledged)


def used_by(pid: int) -> tuple[float, list[int]]:
    """CPU seconds of a process with its children, and which these are, from /proc; 0 where there is none.

    What a child has used counts for its parent once it has ended, so the sum never falls.
    """
    children: dict[int, list[int]] = {}
    ticks: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError, IndexError, ValueError):
                words = (folder / "stat").read_text().rpartition(")")[2].split()
                ticks[int(folder.name)] = sum(map(int, words[11:15]))
                children.setdefault(int(words[1]), []).append(int(folder.name))
    found, todo = [], [pid]
    while todo:
        each = todo.pop()
        if each in ticks:
            found.append(each)
            todo += children.get(each, [])
    return sum(ticks[each] for each in found) / _TICKS, found


def memory_of(pids: Iterable[int]) -> int:
    """Bytes in memory of processes, from /proc.

    A page that several processes share counts for each of them by its share (PSS), where the kernel tells that.
    """
    memory = 0
    for pid in pids:
        folder = Path("/proc") / str(pid)
        with suppress(OSError, IndexError, ValueError):
            found = None
            with suppress(PermissionError, FileNotFoundError):
                found = _PSS.search((folder / "smaps_rollup").read_text())
            resident = int((folder / "statm").read_text().split()[1]) * _PAGE
            memory += resident if found is None else int(found[1]) * 1024
    return memory


async def written(login: Login | None) -> int | None:
    """The bytes of write-ahead log that the database has written since it was made; None where it is not ours."""
    if login is None:
        return None
    connection = await connected(login)
    try:
        return int(await connection.fetchval("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn"))
    finally:
        await connection.close()


async def connected(login: Login, database: str | None = None) -> Any:
    """A connection of the administrator."""
    return await asyncpg.connect(
        host=login.host,
        port=login.port,
        user=login.user,
        password=login.password,
        database=database or login.database,
    )
