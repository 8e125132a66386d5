"""The bus: one connection of one role to NATS, with what nats-py 2.16 does wrong put right.

=========================================================  =========================================================
what nats-py does                                          what is done here
=========================================================  =========================================================
an exception in a callback ends its reading task           callbacks are contained (:mod:`shared.bus.faults`)
a CancelledError from a callback ends its subscription     likewise, unless the task itself is cancelled
a half-open peer is found after six minutes                a ping every 2 s, two may be missing
closing towards such a peer waits for its send buffer      the socket is aborted (:mod:`shared.bus.transport`)
a failed attempt to reconnect leaves its socket open       it is closed before the next one (likewise)
``publish_async`` leaks when an acknowledgement is lost    not used: :meth:`Bus.publish_stream` waits, with a limit
reconnecting ends after 60 attempts, without jitter        it never ends; jittered exponential delay
an unforeseen error ends reconnecting without a word       the watchdog sees that nobody reconnects: ``on_lost``
an -ERR of the server closes the client for good           ``on_lost``
a client may hear nothing and say that it is connected     an echo over the own inbox every 5 s; 30 s: ``on_lost``
a refused publish succeeds, and its answer times out       the waiting end with ``Denied`` at once; :meth:`self_test`
slow consumers are reported and forgotten                  counted; bounded queues
publishing while disconnected is buffered                  it fails at once; the outbox keeps what must not be lost
a request waits in vain when the connection breaks         its waiting ends at once
``fetch`` loses requests and mixes their statuses          :class:`shared.bus.pull.Pull`
a message costs it more than a reading may                 deliveries go past it (:mod:`shared.bus.frames`)
a timed-out ``flush`` makes its late PONG end the reading  :meth:`flush` is an echo and needs no PONG
=========================================================  =========================================================
"""

import asyncio
import logging
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import cast

import nats.errors
from nats.aio.msg import Msg
from nats.js.manager import JetStreamManager

from contracts.errors import Denied, Invalid, Unavailable
from shared.bus.blobs import Blobs
from shared.bus.faults import Counters, Faults
from shared.bus.frames import Taker
from shared.bus.grants import USER_INFO, Permissions, granted, missing
from shared.bus.link import Link, OnLost
from shared.bus.listening import Callback, Listening, contained
from shared.bus.messages import Headers, PubAck, Received, acknowledgement, read_consumers
from shared.bus.pull import Pull
from shared.bus.replies import Expected, Interrupted, NobodyServes, Replies
from shared.bus.subjects import Space, inbox

_log = logging.getLogger(__name__)

PING_INTERVAL_S = 2.0
ECHO_INTERVAL_S = 5.0
ECHO_LIMIT_S = 30.0
PENDING_MESSAGES = 65_536
PENDING_BYTES = 64 << 20
_ROUND_TRIP_S = 5.0
_CLOSE_S = 5.0
_RETRY_S = 0.2
_AWAY = (
    nats.errors.OutboundBufferLimitError,
    nats.errors.ConnectionClosedError,
    nats.errors.ConnectionDrainingError,
    nats.errors.ConnectionReconnectingError,
)


class Bus:
    """One connection of one role, made by :meth:`connect`.

    Attributes:
        role: who speaks.
        space: the root and the context in which it speaks.
        blobs: the object store of the context.
        listenings: the open subscriptions.
        pulls: the open pulls.
    """

    def __init__(self, role: str, space: Space, on_lost: OnLost) -> None:
        self.role = role
        self.space = space
        self.blobs = Blobs(self, space.bucket)
        self.listenings: set[Listening] = set()
        self.pulls: set[Pull] = set()
        self._inbox = inbox(space.context, role)
        self._replies = Replies(self._inbox)
        self._faults = Faults(self._refused)
        self._link = Link(self._faults, on_lost, self._replies.interrupt, self._up)
        self._client = self._link.client
        self._reconnected: list[Callable[[], None]] = []

    @classmethod
    async def connect(
        cls,
        servers: Sequence[str],
        *,
        role: str,
        context: str,
        on_lost: OnLost,
        root: str = "busbar",
        seed_file: Path | None = None,
        tls: ssl.SSLContext | None = None,
        patience_s: float = 30.0,
        ping_interval_s: float = PING_INTERVAL_S,
        echo_interval_s: float = ECHO_INTERVAL_S,
        echo_limit_s: float = ECHO_LIMIT_S,
    ) -> "Bus":
        """Connects ``role`` of a context.

        Args:
            servers: addresses like ``nats://host:4222``.
            role: the role, which is also the user of the broker and the name of its inbox.
            context: the context; one connection serves one.
            on_lost: is told why, once, when the connection will not come back by itself; the process should end.
            root: the utility.
            seed_file: the NKey seed of the user; None only for a broker without users.
            tls: for ``tls://`` addresses.
            patience_s: how long the first connection may take, in seconds.
            ping_interval_s: after three of these without an answer the connection is made anew, in seconds.
            echo_interval_s: how often the bus listens for itself, in seconds.
            echo_limit_s: without an echo for so long it is lost, in seconds.

        Raises:
            Denied: when the broker does not accept the credentials.
            Unavailable: when there is no connection within ``patience_s``.
        """
        bus = cls(role, Space(root, context), on_lost)
        await bus._link.open(
            servers,
            name=f"{context}-{role}",
            inbox=bus._inbox,
            seed_file=seed_file,
            tls=tls,
            patience_s=patience_s,
            ping_interval_s=ping_interval_s,
        )
        await bus.listen(bus._replies.pattern, bus._reply)
        await bus.flush()
        bus._link.watch(bus.flush, echo_interval_s, echo_limit_s)
        return bus

    @property
    def connected(self) -> bool:
        """True while the connection is there, as far as is known."""
        return self._link.connected

    @property
    def counters(self) -> Counters:
        """What went wrong since the connection was made."""
        return self._faults.counters

    @property
    def violations(self) -> tuple[str, ...]:
        """What the broker refused, as ``publish <subject>`` or ``subscribe <subject>``, in lower case."""
        return tuple(self._faults.violations)

    @property
    def manager(self) -> JetStreamManager:
        """The management of streams and consumers, for the bootstrap."""
        return JetStreamManager(self._client)

    async def publish_core(self, subject: str, body: bytes, headers: Headers | None = None, *, reply: str = "") -> None:
        """Publishes without any acknowledgement: a reply, or what may be lost.

        Raises:
            Unavailable: when the connection is away; nothing is buffered.
            Invalid: when the message is larger than the broker takes.
        """
        try:
            await self._client.publish(subject, body, reply=reply, headers=cast("dict[str, str] | None", headers))
        except _AWAY as error:
            raise Unavailable(f"the broker is away; nothing was published on {subject}") from error
        except nats.errors.MaxPayloadError as error:
            limit = self._client.max_payload
            raise Invalid(f"a message of {len(body)} bytes is larger than the {limit} that the bus takes") from error

    def on_reconnect(self, callback: Callable[[], None]) -> None:
        """Calls ``callback`` whenever the connection is made anew: what was heard by subscription may have gaps."""
        self._reconnected.append(callback)

    async def request(
        self, subject: str, body: bytes, headers: Headers | None = None, timeout_s: float = 5.0
    ) -> Received:
        """Asks and waits for one reply.

        Raises:
            Unavailable: at once when nobody serves the subject or the connection breaks, else after ``timeout_s``.
            Denied: when the broker does not let this role ask there.
            Invalid: when the message is larger than the broker takes.
        """
        expected = self._replies.expect(subject)
        try:
            return await self._send(expected, subject, body, headers, timeout_s)
        finally:
            self._replies.forget(expected)

    async def ask(
        self, subject: str, body: bytes, headers: Headers | None = None, timeout_s: float = 5.0
    ) -> AsyncGenerator[Received, None]:
        """Asks and yields the replies as they come; which is the last only its reader knows.

        Close it when that is read: ``async with aclosing(bus.ask(...)) as replies``.

        Raises:
            Unavailable: as for :meth:`request`; ``timeout_s`` is the longest silence.
            Denied: as for :meth:`request`.
            Invalid: as for :meth:`request`.
        """
        expected = self._replies.expect(subject)
        try:
            yield await self._send(expected, subject, body, headers, timeout_s)
            while True:
                yield await self._await(expected, timeout_s)
        finally:
            self._replies.forget(expected)

    async def publish_stream(
        self, subject: str, body: bytes, headers: Headers | None = None, *, msg_id: str, timeout_s: float = 5.0
    ) -> PubAck:
        """Publishes into the stream of ``subject`` and waits until it is stored.

        When the connection breaks meanwhile, or the stream has no leader yet, it is tried again with the same
        ``msg_id`` within the time; the stream drops what it has.

        Raises:
            Unavailable: at once when the connection is away, else when it is not stored within ``timeout_s``, or the
                stream is full. It may have been stored all the same; try again with the same ``msg_id``.
            Denied: when the broker does not let this role publish there.
            Invalid: when the message is larger than the broker takes.
        """
        if not self.connected:
            raise Unavailable(f"the broker is away; nothing was published on {subject}")
        headers = {**(headers or {}), "Nats-Msg-Id": msg_id}
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    try:
                        reply = await self.request(subject, body, headers, timeout_s)
                        break
                    except Interrupted:
                        await self._link.wait_up()
                    except NobodyServes:
                        await asyncio.sleep(_RETRY_S)
        except TimeoutError:
            raise Unavailable(f"no stream has acknowledged {subject} within {timeout_s:g} s") from None
        return acknowledgement(subject, reply.body)

    async def serve(self, subject: str, queue: str, callback: Callback) -> Listening:
        """Hears ``subject`` in turn with the other members of ``queue``; see :meth:`subscribe`."""
        return await self._hear(subject, queue, callback)

    async def subscribe(self, subject: str, callback: Callback) -> Listening:
        """Hears ``subject``, and returns when the broker has accepted that.

        One message at a time is given to ``callback``; it should hand on what takes long. What it raises is logged
        and counted.

        Raises:
            Denied: when the broker does not let this role hear it.
            Unavailable: when the connection is away.
        """
        return await self._hear(subject, "", callback)

    def pull(self, stream: str, durable: str, batch: int = 64, *, max_bytes: int | None = None) -> Pull:
        """The deliveries of a durable, as an asynchronous iterator; see :class:`Pull`."""
        pull = Pull(self, stream, durable, batch, max_bytes=max_bytes)
        self.pulls.add(pull)
        return pull

    async def backlog(self, stream: str) -> int:
        """How many messages of ``stream`` wait for, or are worked on by, any durable.

        Raises:
            Unavailable: when the broker does not say.
            Denied: when the broker does not let this role see it.
        """
        seen, waiting = 0, 0
        while True:
            told = await self.request(f"$JS.API.CONSUMER.LIST.{stream}", b'{"offset": %d}' % seen)
            page = read_consumers(told.body)
            if page.error is not None:
                raise Unavailable(f"the broker does not tell what waits in {stream}: {page.error.description}")
            seen, waiting = seen + len(page.consumers), waiting + page.waiting
            if not page.consumers or seen >= page.total:
                return waiting

    async def self_test(self, wanted: Permissions) -> None:
        """Asks the broker what this user may do, and compares.

        A broker accepts a publish that it then drops, so a wrong permission would show only when it hurts.

        Raises:
            Denied: when something of ``wanted`` is not granted; the reason lists it.
            Unavailable: when the broker does not say.
        """
        told = await self.request(USER_INFO, b"")
        lacking = list(missing(wanted, granted(told.body)))
        if lacking:
            raise Denied(f"the broker does not grant to '{self.role}': {', '.join(lacking)}")

    async def flush(self, timeout_s: float = _ROUND_TRIP_S) -> None:
        """Returns when the broker has got all that was said before, and this bus has heard itself.

        Raises:
            Unavailable: when that takes longer than ``timeout_s``.
        """
        expected = self._replies.expect("the own inbox")
        try:
            await self._send(expected, expected.inbox, b"", None, timeout_s)
        finally:
            self._replies.forget(expected)

    async def close(self) -> None:
        """Stops hearing, gives back what was pulled and not taken, makes sure that all is said, and disconnects."""
        try:
            async with asyncio.timeout(_CLOSE_S):
                for pull in tuple(self.pulls):
                    await pull.close()
                for listening in tuple(self.listenings):
                    await listening.stop()
                await self.flush()
        except (TimeoutError, Unavailable):
            _log.warning("the bus was closed while the broker was away")
        await self._link.close()

    async def listen(self, subject: str, callback: Callable[[Msg], Awaitable[None]], queue: str = "") -> Listening:
        """Subscribes without waiting for the broker's word; for the parts of the bus, whose callbacks do not raise."""
        try:
            subscription = await self._client.subscribe(
                subject, queue, callback, pending_msgs_limit=PENDING_MESSAGES, pending_bytes_limit=PENDING_BYTES
            )
        except _AWAY as error:
            raise Unavailable(f"the bus is closed; nothing is heard on {subject}") from error
        return Listening(subscription, self.listenings.discard)

    async def take(self, subject: str, taker: Taker) -> Listening:
        """Subscribes for the parts of the bus to which many messages come: they are given in lists, past nats-py."""
        try:
            subscription = await self._client.subscribe(subject)
        except _AWAY as error:
            raise Unavailable(f"the bus is closed; nothing is taken on {subject}") from error
        number, frames = str(subscription._id).encode(), self._link.transport.frames  # noqa: SLF001 - as the broker says
        frames.takers[number] = partial(self._faults.contained, taker)
        return Listening(subscription, lambda _: frames.leave(number))

    def new_inbox(self) -> str:
        """A subject of its own in the inbox of this role."""
        return self._client.new_inbox()

    def settle(self, deliveries: Sequence[bytes], verdict: bytes) -> bool:
        """Sends a verdict on deliveries, in one piece; False when the connection is away."""
        if not self.connected:
            self.counters.unsettled += len(deliveries)
            return False
        rest = b" %d\r\n%s\r\n" % (len(verdict), verdict)
        self._link.transport.write(b"PUB " + (rest + b"PUB ").join(deliveries) + rest)
        return True

    async def _hear(self, subject: str, queue: str, callback: Callback) -> Listening:
        self._faults.denied.discard(subject.lower())
        listening = await self.listen(subject, contained(callback, self.counters), queue)
        self.listenings.add(listening)
        await self.flush()
        if subject.lower() in self._faults.denied:
            await listening.stop()
            raise Denied(f"the broker does not let '{self.role}' hear {subject}")
        return listening

    async def _send(
        self, expected: Expected, subject: str, body: bytes, headers: Headers | None, timeout_s: float
    ) -> Received:
        await self.publish_core(subject, body, headers, reply=expected.inbox)
        return await self._await(expected, timeout_s)

    async def _await(self, expected: Expected, timeout_s: float) -> Received:
        timer = asyncio.get_running_loop().call_later(timeout_s, expected.expire, timeout_s)
        try:
            return await expected.next()
        finally:
            timer.cancel()

    async def _reply(self, msg: Msg) -> None:
        self._replies.receive(Received(msg.subject, msg.data, msg.headers or {}, msg.reply))

    def _refused(self, act: str, subject: str) -> None:
        """Ends the waiting for what the broker refuses; it tells the subject in lower case."""
        if act != "publish":
            return
        error = Denied(f"the broker does not let '{self.role}' publish on {subject}")
        self._replies.refuse(subject, error)
        for pull in self.pulls:
            if pull.subject.lower() == subject:
                pull.refuse(error)

    def _up(self) -> None:
        for pull in self.pulls:
            pull.renew()
        for callback in self._reconnected:
            self._faults.contained(callback)
