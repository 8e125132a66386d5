"""A process that makes load: it says each message when it is due, whatever became of those before (an open model).

It tells or it asks, since who asks should not wait for himself while he tells; who asks for controls plays the head-end
that carries them out as well.

Its orders come on stdin: first the plan, then the instant at which the run begins. What it measured goes into a file.
A message that is late because the broker has too many unacknowledged ones of this generator is late by the system under
test, which shows in its latency; one that is late for any other reason is late by the generator, which is its lag.
"""

import asyncio
import gc
import os
import sys
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import uvloop
from msgspec import Struct
from numpy.typing import NDArray

from loadtest.asking import ASKER, Asking, refusal
from loadtest.field_work import answering
from loadtest.scenario import Load, Scenario, What
from loadtest.schedule import due
from loadtest.telling import BLOCK, HEAD_END, Telling, tells
from loadtest.wire import Wire
from shared.config import Context, Settings

AHEAD_BYTES = 64 << 20
"""So much of what is due later is made before the run begins, and in every pause."""

GIVES_WAY = 10
"""How nice who tells is: the meters of a utility do not compute on the machines of its DMS. Where that is too nice the
generator is late, which is said."""

SILENCE_S = 5.0
"""After that a message that has no answer is said again, byte for byte (docs/binding.md)."""

BATCH = 256
"""Messages of one write, so that answers are heard between writes."""

REASONS = 10
"""So many of the reasons for refusals are kept."""

_PAUSE_S = 0.002


class Plan(Struct, frozen=True, kw_only=True):
    """What a generator is told.

    Attributes:
        asks: it asks what the scenario asks; else it tells what that tells.
        number, of: which of how many that do the same.
        run: the run.
        seeds: the files with the seeds of the roles.
        result: where its measurements go.
    """

    scenario: Scenario
    run: str
    asks: bool = False
    number: int
    of: int
    nats_url: str
    root: str
    context: str
    seeds: dict[str, str]
    result: str


class Stream:
    """Messages of one role over one connection, in the order in which they are due.

    Attributes:
        load, index, due, sent, answered, lag, sequence, failed, values: of each message: its load and number in that,
            when it was due, sent and answered in seconds of the run (not a number: never), by what the generator
            itself was late, its number in the broker's stream, whether it was refused, the readings it holds.
        reasons: why something was refused, at most :data:`REASONS` of them.
    """

    def __init__(self, plan: Plan, role: str, loads: list[tuple[int, Load]], window: int) -> None:
        self._makers: dict[int, Telling | Asking] = {}
        self._window = window
        inbox = f"_INBOX.{plan.context}-{role}.load{plan.number}{plan.run}"
        self._wire = Wire(plan.nats_url, Path(plan.seeds[role]), inbox, self._answer)
        parts: list[tuple[NDArray[np.float64], NDArray[np.int64], int]] = []
        for place, load in loads:
            maker = (Telling if tells(load) else Asking)(plan.scenario, load, plan.run, plan.root, plan.context)
            self._makers[place] = maker
            mine = _mine(maker, plan)
            when = due(load.arrivals, maker.count, plan.scenario.lasts_s(load), plan.scenario.seed)
            parts.append((load.start_s + when[mine], mine, place))
        whens = np.concatenate([part[0] for part in parts]) if parts else np.zeros(0)
        order = np.argsort(whens, kind="stable")
        self.due = whens[order]
        self.index = np.concatenate([part[1] for part in parts])[order] if parts else np.zeros(0, np.int64)
        self.load = np.concatenate([np.full(len(part[0]), part[2]) for part in parts])[order] if parts else self.index
        count = len(order)
        self.sent, self.answered, self.lag = (np.full(count, np.nan) for _ in range(3))
        self.sequence, self.values = np.zeros(count, np.int64), np.zeros(count, np.int64)
        self.failed = np.zeros(count, np.bool_)
        self.reasons: set[str] = set()
        self.again = 0
        self.bytes = 0
        self._ahead: deque[bytes] = deque()
        self._ahead_bytes = 0
        self._made = 0
        self._open: dict[int, bytes] = {}
        self._opened_at = 0.0
        self._began = 0.0
        self._freed = asyncio.Event()

    @property
    def wire(self) -> Wire:
        """The connection."""
        return self._wire

    async def prepare(self) -> None:
        """Connect, and make what is due first."""
        if len(self.due):
            await self._wire.open()
        while self._make():
            pass

    async def run(self, began: float, until: float) -> None:
        """Say everything when it is due, and wait for the answers; no longer than ``until``, in seconds of the run."""
        self._began = began
        again = asyncio.create_task(self._repeat(), name="say again")
        try:
            async with asyncio.timeout_at(asyncio.get_running_loop().time() + until - self._now()):
                await self._say()
                while self._open:
                    self._freed.clear()
                    await self._freed.wait()
        except TimeoutError:
            pass  # what has no answer shows in the arrays
        finally:
            again.cancel()
            await asyncio.wait({again})
            await self._wire.close()

    async def _say(self) -> None:
        place, count = 0, len(self.due)
        while place < count:
            now = self._now()
            if self.due[place] > now:
                if self.due[place] - now < _PAUSE_S or not self._make():
                    await asyncio.sleep(min(self.due[place] - now, 0.05))
                else:
                    await asyncio.sleep(0)
                continue
            if len(self._open) >= self._window or not self._wire.is_open:
                await self._wait_for_room()
                continue
            place = await self._write(place, now)

    async def _wait_for_room(self) -> None:
        self._freed.clear()
        if self._wire.is_open:
            await self._freed.wait()
        else:
            await self._wire.can_write()
        self._opened_at = self._now()

    async def _write(self, place: int, now: float) -> int:
        """Send what is due and has room; the place of the next."""
        room = min(self._window - len(self._open), BATCH)
        end = min(place + room, int(np.searchsorted(self.due, now, side="right")))
        frames = []
        for number in range(place, end):
            if not self._ahead:
                self._make()
            frame = self._ahead.popleft()
            self._ahead_bytes -= len(frame)
            self._open[number] = frame
            frames.append(frame)
        self._wire.write(frames)
        self.sent[place:end] = at = self._now()
        self.lag[place:end] = at - np.maximum(self.due[place:end], self._opened_at)
        self.bytes += sum(map(len, frames))
        await asyncio.sleep(0)
        if not self._wire.can_take_more:
            await self._wire.can_write()
            self._opened_at = self._now()
        return end

    def _make(self) -> bool:
        """Make the next message, unless enough are made or there is none."""
        number = self._made
        if number >= len(self.due) or (self._ahead and self._ahead_bytes > AHEAD_BYTES):
            return False
        maker = self._makers[int(self.load[number])]
        index = int(self.index[number])
        told = maker.told(index)
        if isinstance(maker, Telling):
            self.values[number] = maker.part(index).values
        frame = self._wire.frame(number, told.subject, told.headers, told.body)
        self._ahead.append(frame)
        self._ahead_bytes += len(frame)
        self._made = number + 1
        return True

    def _answer(self, number: int, body: memoryview) -> None:
        frame = self._open.get(number)
        if frame is None:
            return
        told = bytes(body[:512])
        if isinstance(self._makers[int(self.load[number])], Telling):
            sequence = _sequence(told)
            if sequence is None:
                return  # the stream is full or has no leader: it is said again
            self.sequence[number] = sequence
        elif told.startswith(b"NATS/1.0 503") or b"\xa4code\xa35.1" in told:
            return  # nobody serves, or not now
        elif b"\xa7PARTIAL" in told and b"\xa30.1" in told:
            return  # more follows
        elif b"\xa6FAILED" in told:
            self._refused(number, bytes(body))
        self.answered[number] = self._now()
        del self._open[number]
        self._freed.set()

    def _refused(self, number: int, told: bytes) -> None:
        self.failed[number] = True
        if len(self.reasons) < REASONS:
            self.reasons.add(refusal(told))

    async def _repeat(self) -> None:
        """Say again what has no answer, which is also how everything goes on after a connection broke."""
        while True:
            await asyncio.sleep(SILENCE_S / 5)
            late = [number for number in self._open if self._now() - self.sent[number] > SILENCE_S]
            if late and self._wire.is_open:
                self._wire.write([self._open[number] for number in late])
                self.again += len(late)
                await asyncio.sleep(SILENCE_S)

    def _now(self) -> float:
        return time.monotonic() - self._began


def _mine(maker: Telling | Asking, plan: Plan) -> NDArray[np.int64]:
    """The messages of one generator: those of its blocks of meters, and every so many questions."""
    if isinstance(maker, Asking):
        return np.arange(plan.number, maker.count, plan.of)
    firsts = np.array([maker.part(index).first for index in range(maker.groups)])
    owner = firsts // BLOCK % plan.of
    return np.flatnonzero(owner[np.arange(maker.count) % maker.groups] == plan.number)


def _sequence(told: bytes) -> int | None:
    """The number that the broker gave a message, from its acknowledgement; None when it says something else."""
    place = told.find(b'"seq":')
    if place < 0 or b'"error"' in told:
        return None
    digits = told[place + 6 : place + 26].lstrip()
    length = next((at for at, byte in enumerate(digits) if not 48 <= byte <= 57), len(digits))  # noqa: PLR2004 digits
    return int(digits[:length]) if length else None


async def generate(plan: Plan) -> None:
    """Make the load that ``plan`` says, from the instant that stdin tells, and write what was measured."""
    loads = [(place, load) for place, load in enumerate(plan.scenario.loads) if tells(load) is not plan.asks]
    role, window = (ASKER, 1 << 20) if plan.asks else (HEAD_END, plan.scenario.window)
    stream = Stream(plan, role, loads, window)
    async with _head_end(plan):
        await stream.prepare()
        gc.freeze()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        began = float(await asyncio.to_thread(sys.stdin.readline))
        used = time.process_time()
        await stream.run(began, plan.scenario.duration_s + plan.scenario.drain_s)
    measured: dict[str, Any] = {
        name: getattr(stream, name)
        for name in ("load", "index", "due", "sent", "answered", "lag", "sequence", "failed", "values")
    }
    measured |= {
        "cpu_s": time.process_time() - used,
        "reasons": np.array(sorted(stream.reasons), dtype=np.str_),
        "refusals": np.array(stream.wire.refusals, dtype=np.str_),
        "reconnects": stream.wire.reconnects,
        "again": stream.again,
        "bytes": stream.bytes,
    }
    np.savez(plan.result, **measured)


@asynccontextmanager
async def _head_end(plan: Plan) -> AsyncIterator[None]:
    """The head-end at work for the time of the block, where this is the first process that asks for controls."""
    controls = any(load.what in {What.CONTROLS, What.PINGS} for load in plan.scenario.loads)
    if not (controls and plan.asks and plan.number == 0):
        yield
        return
    settings = Settings(
        root=plan.root,
        context=Context(plan.context),
        nats_url=plan.nats_url,
        credentials_dir=Path(plan.seeds[HEAD_END]).parents[1],
    )
    async with answering(settings):
        yield


def main() -> None:
    """Be a generator."""
    plan = msgspec.json.decode(sys.stdin.readline(), type=Plan)
    if not plan.asks:
        os.nice(GIVES_WAY)
    uvloop.run(generate(plan))


if __name__ == "__main__":
    main()
