"""Pulling from a durable consumer: one standing request at the broker, and a short queue in front of the handlers."""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import msgspec

from contracts.errors import BusbarError, Unavailable
from shared.bus.messages import Delivery, Frame, Headers, headers_of

if TYPE_CHECKING:
    from shared.bus.connection import Bus
    from shared.bus.listening import Listening

_log = logging.getLogger(__name__)

EXPIRES_S = 5.0
"""How long one request stands at the broker."""

HEARTBEAT_S = 1.0
"""How often the broker shows that it still stands."""

_FULL = frozenset({"Batch Completed", "Message Size Exceeds MaxBytes"})
"""How a request ends, with the status 409, that has brought as much as it may."""

_SILENT_LIMIT = 2
_BARREN_LIMIT = 3
_FIRST_PAUSE_S = 0.25
_LONGEST_PAUSE_S = 5.0


class Pull:
    """The deliveries of one durable, as an asynchronous iterator; one task takes from it.

    It never ends by itself. A request that the broker has forgotten is known by its missing heartbeats within
    seconds and put again, at once after a reconnect; a subscription that stays silent is made anew.

    Args:
        bus: the connection.
        stream: the stream.
        durable: its durable consumer, made by the bootstrap.
        batch: how many deliveries may wait here, in the queue or under way; the time of each runs already.
        max_bytes: how much one request may bring; None for no limit.
        expires_s: how long one request stands.
        heartbeat_s: how often the broker shows that it stands; less than half of ``expires_s``.
    """

    def __init__(
        self,
        bus: "Bus",
        stream: str,
        durable: str,
        batch: int,
        *,
        max_bytes: int | None = None,
        expires_s: float = EXPIRES_S,
        heartbeat_s: float = HEARTBEAT_S,
    ) -> None:
        self.stream = stream
        self.durable = durable
        self.subject = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}"
        self._bus = bus
        self._batch = batch
        self._max_bytes = max_bytes
        self._expires_s = expires_s
        self._heartbeat_s = heartbeat_s
        self._queue: deque[Delivery] = deque()
        self._arrived = asyncio.Event()
        self._listening: Listening | None = None
        self._inbox = ""
        self._requests = 0
        self._standing = 0
        self._silent = 0
        self._barren = 0
        self._pending = 0
        self._pause_s = 0.0
        self._not_before = 0.0
        self._error: BusbarError | None = None
        self._closed = False

    def __aiter__(self) -> AsyncIterator[Delivery]:
        return self

    async def __anext__(self) -> Delivery:
        taken = await self.take()
        if not taken:
            raise StopAsyncIteration
        return taken[0]

    async def take(self, most: int = 1) -> list[Delivery]:
        """Waits for a delivery and gives all that are here, at most ``most``; none once the pull is closed.

        Raises:
            Denied: when the broker does not let this role pull from the durable.
        """
        while not self._queue:
            if self._error is not None:
                raise self._error
            if self._closed:
                return []
            await self._replenish()
            await self._wait()
        taken = [self._queue.popleft() for _ in range(min(most, len(self._queue)))]
        await self._replenish()
        return taken

    @property
    def waiting(self) -> tuple[Delivery, ...]:
        """What is here and nobody has taken."""
        return tuple(self._queue)

    async def close(self) -> None:
        """Stops pulling and gives back what nobody has taken; whoever waits in :meth:`take` gets nothing."""
        if self._closed:
            return
        self._closed = True
        self._bus.pulls.discard(self)
        self._arrived.set()
        if self._listening is not None:
            await self._listening.stop()
        while self._queue:
            await self._queue.popleft().nak()

    def renew(self) -> None:
        """The connection is new: no request stands any more."""
        self._standing = 0
        self._not_before = 0.0
        self._arrived.set()

    def refuse(self, error: BusbarError) -> None:
        """Ends the pull with an error: the broker does not allow it."""
        self._error = error
        self._arrived.set()

    async def _replenish(self) -> None:
        """Puts a request for what there is room for, unless one stands or the handlers have enough to do."""
        if self._standing or self._closed or len(self._queue) > self._batch // 2 or not self._bus.connected:
            return
        if asyncio.get_running_loop().time() < self._not_before:
            return
        try:
            if self._listening is None:
                await self._listen()
            self._requests += 1
            self._standing = self._batch - len(self._queue)
            wish = {
                "batch": self._standing,
                "expires": int(self._expires_s * 1e9),
                "idle_heartbeat": int(self._heartbeat_s * 1e9),
            }
            if self._max_bytes is not None:
                wish["max_bytes"] = self._max_bytes
            reply = f"{self._inbox}.{self._requests}"
            await self._bus.publish_core(self.subject, msgspec.json.encode(wish), reply=reply)
        except Unavailable:
            self._standing = 0  # the connection has just gone; its return wakes the waiting

    async def _listen(self) -> None:
        self._inbox = self._bus.new_inbox()
        self._listening = await self._bus.take(f"{self._inbox}.*", self._receive)

    def _receive(self, frames: list[Frame]) -> None:
        """Takes what one read of the connection brought: deliveries, which have a reply, and statuses."""
        self._silent = 0
        queue, settle = self._queue, self._bus.settle
        before = len(queue)
        for frame in frames:
            subject, reply, block, _ = frame
            if not reply:
                if subject.decode() == f"{self._inbox}.{self._requests}":
                    self._status(headers_of(block))
                continue
            try:
                queue.append(Delivery.of(frame, settle))
            except ValueError as error:
                _log.warning("what was delivered is no delivery: %s", error, extra={"durable": self.durable})
        if arrived := len(queue) - before:
            self._standing = max(0, self._standing - arrived)
            self._barren = 0
            self._pause_s = 0.0
            self._pending = queue[-1].pending
        self._arrived.set()

    def _status(self, told: Headers) -> None:
        """Reads a status of the standing request: 100 heartbeat, 404, 408 or full its end, all else a difficulty."""
        status = told.get("Status", "")
        if status == "100":
            return
        self._standing = 0
        if status in ("404", "408") or told.get("Description", "") in _FULL:
            self._barren += 1
            return
        self._pause_s = min(_LONGEST_PAUSE_S, max(_FIRST_PAUSE_S, 2 * self._pause_s))
        self._not_before = asyncio.get_running_loop().time() + self._pause_s
        description = told.get("Description", "no such durable, or no leader")
        _log.warning(
            "the broker does not deliver",
            extra={"stream": self.stream, "durable": self.durable, "status": status, "reason": description},
        )

    async def _wait(self) -> None:
        """Waits for a sign of life, and takes its absence for the loss of the request."""
        self._arrived.clear()
        if self._queue or self._closed or self._error is not None:
            return
        limit_s: float | None = None  # while the connection is away only its return counts
        if self._standing:
            limit_s = 2.5 * self._heartbeat_s
        elif self._bus.connected:
            limit_s = max(0.0, self._not_before - asyncio.get_running_loop().time())
        try:
            async with asyncio.timeout(limit_s):
                await self._arrived.wait()
        except TimeoutError:
            if self._standing and self._bus.connected:
                self._silent += 1
                self._standing = 0
        if self._silent >= _SILENT_LIMIT or (self._barren >= _BARREN_LIMIT and self._pending > 0):
            await self._resubscribe()

    async def _resubscribe(self) -> None:
        """Listens on a new inbox; the old one says what it still has and goes."""
        self._silent = self._barren = self._standing = 0
        self._bus.counters.resubscribed += 1
        _log.warning("a pull went silent and is made anew", extra={"stream": self.stream, "durable": self.durable})
        old, self._listening = self._listening, None
        if old is not None:
            await old.stop()
