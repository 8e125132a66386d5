"""The same service on nats-py alone: the peer that ``bench_readings`` runs beside it.

``RUN`` is a program that is ``busbar`` without what the kernel does for what comes many at once. The deliveries of a
durable come from ``fetch`` of a pull subscription of nats-py, with headers of their own; each message is decoded and
checked by itself, and each is acknowledged by itself. Everything else is the same: the batches, the handlers, the
transactions.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

from nats.aio.msg import Msg
from nats.js import JetStreamContext

from shared.bus.connection import Bus
from shared.bus.messages import Delivery

RUN = "from loadtest import peer_nats_py; peer_nats_py.stand_in(); from services.__main__ import main; exit(main())"
"""The program, as ``python -c`` takes it."""

WAIT_S, LOST_S = 0.4, 0.8
"""How long a fetch waits, and after how long one is lost that nats-py has forgotten."""


class Fetched:
    """A delivery as nats-py has it, with the face of :class:`shared.bus.messages.Delivery`."""

    def __init__(self, msg: Msg) -> None:
        self._msg = msg
        self.subject = msg.subject
        self.body = msg.data
        self.headers = msg.headers or {}
        self.settled = False
        place = msg.metadata
        self.stream = place.stream
        self.durable = place.consumer
        self.stream_sequence = place.sequence.stream
        self.place = str(place.sequence.stream).encode()
        self.num_delivered = place.num_delivered
        self.timestamp = place.timestamp.astimezone(UTC) if place.timestamp else datetime.now(UTC)
        self.pending = place.num_pending

    async def ack(self) -> bool:
        """It is done."""
        self.settled = True
        await self._msg.ack()
        return True

    async def nak(self, delay_s: float = 0.0) -> bool:
        """Deliver it again."""
        self.settled = True
        await self._msg.nak(delay_s or None)
        return True

    async def term(self, reason: str = "") -> bool:
        """Do not deliver it again."""
        del reason
        self.settled = True
        await self._msg.term()
        return True

    async def in_progress(self) -> bool:
        """It is being worked on."""
        await self._msg.in_progress()
        return True

    @staticmethod
    async def ack_all(deliveries: Sequence["Fetched"]) -> bool:
        """They are done."""
        for delivery in deliveries:
            await delivery.ack()
        return True


class Fetching:
    """The deliveries of a durable, with the face of :class:`shared.bus.pull.Pull`.

    Attributes:
        waiting: what nobody has taken, which nothing is: what is fetched is given.
    """

    def __init__(self, bus: Bus, stream: str, durable: str, batch: int) -> None:
        self.subject = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}"
        self._context = JetStreamContext(bus._client)  # noqa: SLF001  the peer is nats-py
        self._stream, self._durable, self._batch = stream, durable, batch
        self._subscription: JetStreamContext.PullSubscription | None = None
        self._closed = False
        self.waiting: tuple[Fetched, ...] = ()

    async def take(self, most: int = 1) -> list[Fetched]:
        """Wait for deliveries and give all that are here, at most ``most``."""
        while not self._closed:
            try:
                async with asyncio.timeout(LOST_S):
                    if self._subscription is None:
                        self._subscription = await self._context.pull_subscribe_bind(self._durable, self._stream)
                    messages = await self._subscription.fetch(min(most, self._batch), timeout=WAIT_S)
            except TimeoutError:
                continue
            if messages:
                return [Fetched(message) for message in messages]
        return []

    async def close(self) -> None:
        """Stop pulling."""
        self._closed = True

    def renew(self) -> None:
        """Nothing: nats-py reconnects by itself."""

    def refuse(self, error: Exception) -> None:
        """Give up.

        Raises:
            Exception: what the broker said.
        """
        raise error


def _fetching(bus: Bus, stream: str, durable: str, batch: int = 64, *, max_bytes: int | None = None) -> Fetching:
    del max_bytes
    return Fetching(bus, stream, durable, batch)


def stand_in() -> None:
    """Put what is here in the place of what the kernel does."""
    Bus.pull = _fetching  # type: ignore[assignment,method-assign]  # the same face
    Delivery.ack_all = Fetched.ack_all  # type: ignore[assignment,method-assign]  # likewise
