"""Following: every process hears every event of a subject, after a snapshot by ``get``.

The events of a stream also reach whoever subscribes to their subject directly, so following needs no consumer at the
broker. What this may lose, around a reconnect or to a slow process, is found by the producer's numbers and mended by a
new snapshot. Snapshot and events go to the same handler, one at a time; since each carries a whole object with a
revision, the order in which the two arrive does not matter.
"""

import asyncio
import logging
from typing import Any

from contracts.errors import BusbarError, Unavailable
from contracts.interface import Catalogue, Interface, Subscription
from contracts.verbs import Verb
from shared.arrival import Arrival, Entrance
from shared.bus.connection import Bus
from shared.bus.listening import Listening
from shared.bus.messages import Received
from shared.bus.subjects import EventSubject
from shared.clock import real_now
from shared.envelope import CONTENT_TYPE, Cause, Writer
from shared.handling import Desk
from shared.telemetry import Metrics
from shared.work import Resources

log = logging.getLogger(__name__)

SNAPSHOT_AGAIN_S = 2.0
"""How long to wait when the role that is followed is away."""


class Follower:
    """Follows for all roles of one running service."""

    def __init__(
        self, desk: Desk, writer: Writer, resources: Resources, catalogue: Catalogue, metrics: Metrics, role: str
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
        """Follow no longer."""
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
                if followed.stale and not await self._snapshot(followed):
                    await asyncio.sleep(SNAPSHOT_AGAIN_S)
                received = followed.next()
                if received is not None:
                    await self._handle(followed, received.subject, dict(received.headers), received.body)
            finally:
                followed.busy = False

    async def _snapshot(self, followed: "_Followed") -> bool:
        """Ask for everything, and hand it to the handler of the events as if it were one."""
        heard, noun = followed.heard, followed.heard.noun.__name__
        self._resyncs.add()
        followed.stale = False
        cause = Cause(identity=f"snapshot\n{heard.role}\n{noun}", thread=None, trace={})
        try:
            payload: Any = await self._resources.ask(followed.interface, heard.role, heard.noun, None, cause)
        except BusbarError as error:
            log.log(
                logging.INFO if isinstance(error, Unavailable) else logging.ERROR,
                "there is no snapshot to follow yet: %s",
                error.reason,
                extra={"followed": heard.role, "noun": noun},
            )
            followed.stale = True
            return False
        row = self._writer.event(
            self._catalogue.interfaces[heard.role], heard.verb, payload, key="", message_id="snapshot", cause=cause
        )
        await self._handle(followed, row.subject, {CONTENT_TYPE: row.headers[CONTENT_TYPE]}, row.body)
        return True

    async def _handle(self, followed: "_Followed", subject: str, headers: dict[str, str], body: bytes) -> None:
        parsed = EventSubject.parse(subject)
        arrival = Arrival(
            entrance=Entrance.FOLLOWED,
            role=followed.interface.role,
            source=parsed.source,
            noun=parsed.noun,
            verb=Verb(parsed.verb),
            subject=subject,
            headers=headers,
            body=body,
            received_at=real_now(),
        )
        if arrival.sequence is not None and followed.misses(subject, arrival.sequence):
            log.warning("an event was lost on its way; taking a snapshot", extra={"subject": subject})
            followed.stale = True
        outcome = await self._desk.take(arrival)
        if outcome.retry_in_s is not None or outcome.answers:
            followed.stale = True


class _Followed:
    """What one subscription has heard and not yet handled."""

    def __init__(self, interface: Interface, heard: Subscription) -> None:
        self.interface = interface
        self.heard = heard
        self.stale = True
        self.busy = False
        self._queue: list[Received] = []
        self._heard = asyncio.Event()
        self._heard.set()
        self._last: dict[str, int] = {}

    @property
    def waiting(self) -> int:
        return len(self._queue) + int(self.busy)

    async def take(self, received: Received) -> None:
        self._queue.append(received)
        self._heard.set()

    def resync(self) -> None:
        """After a reconnect nobody knows what was missed."""
        self.stale = True
        self._heard.set()

    async def wait(self) -> None:
        if not self._queue and not self.stale:
            self._heard.clear()
            await self._heard.wait()
        self.busy = True

    def next(self) -> Received | None:
        return self._queue.pop(0) if self._queue else None

    def misses(self, subject: str, sequence: int) -> bool:
        """Note a number; True when numbers before it were not heard."""
        last = self._last.get(subject)
        self._last[subject] = max(sequence, last or 0)
        return last is not None and sequence > last + 1
