"""Following: every process hears every event of a subject, after a snapshot by ``get``.

The events of a stream also reach whoever subscribes to their subject directly, so following needs no consumer at the
broker. What this may lose, around a reconnect or to a slow process, is found by the producer's numbers and mended by a
new snapshot. Snapshot and events go to the same handler, one at a time; since each carries a whole object with a
revision, or a difference that follows one revision and no other, the order in which the two arrive does not matter.
"""

import asyncio
import logging
from collections import deque
from typing import Any
from uuid import uuid4

from contracts.errors import BusbarError, Unavailable
from contracts.interface import Catalogue, Interface, Subscription
from contracts.message import Message
from shared.arrival import Arrival, Entrance
from shared.bus.connection import Bus
from shared.bus.listening import Listening
from shared.bus.messages import Received
from shared.bus.subjects import EventSubject
from shared.clock import real_now
from shared.envelope import Cause, Writer
from shared.handling import Desk
from shared.telemetry import Metrics
from shared.work import Resources

log = logging.getLogger(__name__)

SNAPSHOT_AGAIN_S = 1.0
"""How long to wait when the role that is followed is away; doubled each time, at most half a minute."""

WAITING_MOST = 4096
"""Events that may wait for their handler; beyond that a snapshot is cheaper."""


class Follower:
    """Follows for all roles of one running service."""

    def __init__(
        self, desk: Desk, writer: Writer, resources: Resources, *, catalogue: Catalogue, metrics: Metrics, role: str
    ) -> None:
        self._desk = desk
        self._writer = writer
        self._resources = resources
        self._catalogue = catalogue
        self._resyncs = metrics.counter(
            "busbar_follow_snapshots_total", "Snapshots taken to begin or to mend a gap", role=role
        )
        self._listening: list[Listening] = []
        self._loops: list[asyncio.Task[None]] = []
        self._queues: list[_Followed] = []

    @property
    def waiting(self) -> int:
        """Events heard and not yet handled, and snapshots that are due."""
        return sum(queue.waiting for queue in self._queues)

    async def open(self, bus: Bus, interface: Interface, heard: Subscription, tasks: asyncio.TaskGroup) -> None:
        """Subscribe first, then take the snapshot, so that nothing falls between."""
        followed = _Followed(interface, heard)
        self._queues.append(followed)
        noun = heard.noun.__name__
        lane = self._catalogue.lane(heard.role, heard.verb, noun)
        subject = bus.space.events(lane, heard.role, noun, heard.verb)
        self._listening.append(await bus.subscribe(subject, followed.take))
        bus.on_reconnect(followed.resync)
        self._loops.append(tasks.create_task(self._run(followed), name=f"follow {heard.role} {noun}"))

    async def close(self) -> None:
        """Follow no longer; what is being handled is broken off, since it can have no lasting effect."""
        for listening in self._listening:
            await listening.stop()
        for loop in self._loops:
            loop.cancel()
        if self._loops:
            await asyncio.wait(self._loops)

    async def _run(self, followed: "_Followed") -> None:
        while True:
            await followed.wait()
            try:
                if followed.is_snapshot_due:
                    await self._snapshot(followed)
                received = followed.next()
                if received is not None:
                    await self._hear(followed, received)
            finally:
                followed.busy = False

    async def _snapshot(self, followed: "_Followed") -> None:
        """Ask for everything, and hand it to the handler of the events as if it were one."""
        heard, noun, message_id = followed.heard, followed.heard.noun.__name__, str(uuid4())
        self._resyncs.add()
        followed.stale = False
        cause = Cause(identity=message_id, thread=message_id, trace={})
        try:
            payload: Any = await self._resources.ask(followed.interface, heard.role, heard.noun, None, cause)
        except BusbarError as error:
            level = logging.INFO if isinstance(error, Unavailable) else logging.ERROR
            log.log(level, "no snapshot yet: %s", error.reason, extra={"followed": heard.role, "noun": noun})
            followed.failed()
            return
        header = self._writer.header(heard.role, heard.verb, noun, message_id=message_id, thread=message_id)
        subject = EventSubject(
            root=self._writer.space.root,
            context=self._writer.space.context,
            lane=self._catalogue.lane(heard.role, heard.verb, noun),
            source=heard.role,
            noun=noun,
            verb=heard.verb,
            partition=0,
        )
        outcome = await self._desk.take(
            _arrival(followed, str(subject), {}, b""), Message(header=header, payload=payload)
        )
        if outcome.failure is None:
            followed.succeeded()
        else:
            followed.failed()

    async def _hear(self, followed: "_Followed", received: Received) -> None:
        arrival = _arrival(followed, received.subject, dict(received.headers), received.body)
        if arrival.sequence is not None and followed.misses(received.subject, arrival.sequence):
            log.warning("an event was lost on its way; taking a snapshot", extra={"subject": received.subject})
            followed.resync()
        outcome = await self._desk.take(arrival)
        if outcome.failure is not None:
            followed.failed()


class _Followed:
    """What one subscription has heard and not yet handled."""

    def __init__(self, interface: Interface, heard: Subscription) -> None:
        self.interface = interface
        self.heard = heard
        self.stale = True
        self.busy = False
        self._again_at = 0.0
        self._failures = 0
        self._queue: deque[Received] = deque()
        self._heard = asyncio.Event()
        self._last: dict[str, int] = {}

    @property
    def waiting(self) -> int:
        return len(self._queue) + int(self.busy or self.stale)

    @property
    def is_snapshot_due(self) -> bool:
        return self.stale and asyncio.get_running_loop().time() >= self._again_at

    async def take(self, received: Received) -> None:
        if len(self._queue) >= WAITING_MOST:
            self._queue.clear()
            self.stale = True
        self._queue.append(received)
        self._heard.set()

    def resync(self) -> None:
        """Something was missed, or after a reconnect may have been."""
        self.stale = True
        self._heard.set()

    def succeeded(self) -> None:
        self._failures, self._again_at = 0, 0.0

    def failed(self) -> None:
        """A snapshot is due once more, and not at once."""
        self.stale = True
        delay_s = min(SNAPSHOT_AGAIN_S * 2**self._failures, 30.0)
        self._again_at = asyncio.get_running_loop().time() + delay_s
        self._failures += 1

    async def wait(self) -> None:
        """Return when there is something to handle, or a snapshot to take."""
        while not self._queue and not self.is_snapshot_due:
            self._heard.clear()
            left = max(0.0, self._again_at - asyncio.get_running_loop().time()) if self.stale else None
            try:
                await asyncio.wait_for(self._heard.wait(), left)
            except TimeoutError:
                continue
        self.busy = True

    def next(self) -> Received | None:
        return self._queue.popleft() if self._queue else None

    def misses(self, subject: str, sequence: int) -> bool:
        """Note a number; True when numbers before it were not heard."""
        last = self._last.get(subject)
        self._last[subject] = max(sequence, last or 0)
        return last is not None and sequence > last + 1


def _arrival(followed: _Followed, subject: str, headers: dict[str, str], body: bytes) -> Arrival:
    parsed = EventSubject.parse(subject)
    return Arrival(
        entrance=Entrance.FOLLOWED,
        role=followed.interface.role,
        source=parsed.source,
        noun=parsed.noun,
        verb=parsed.verb,
        subject=subject,
        headers=headers,
        body=body,
        received_at=real_now(),
    )
