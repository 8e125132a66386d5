"""What comes from the bus: a message as it was received, and a delivery of a stream that wants to be settled."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

import msgspec
from msgspec import Struct
from nats.aio.msg import Msg

from contracts.errors import Unavailable

Headers = Mapping[str, str]

Settle = Callable[[str, bytes], Awaitable[bool]]
"""Sends a verdict on a delivery; False when the connection is away, and the broker delivers again."""


class Received(Struct, frozen=True, gc=False):
    """A message of core NATS: a request, an event that is followed, or a reply.

    Attributes:
        reply: where the sender wants the answer, by its own word; empty when it wants none.
    """

    subject: str
    body: bytes
    headers: Headers
    reply: str


class PubAck(Struct, frozen=True):
    """The broker has stored a message.

    Attributes:
        seq: its sequence in the stream.
        duplicate: True when the stream had this ``Nats-Msg-Id`` already, so nothing was stored.
    """

    stream: str
    seq: int
    duplicate: bool = False


class _ApiError(Struct):
    description: str = ""


class _Acknowledgement(Struct):
    stream: str = ""
    seq: int = 0
    duplicate: bool = False
    error: _ApiError | None = None


_read = msgspec.json.Decoder(_Acknowledgement).decode


def acknowledgement(subject: str, body: bytes) -> PubAck:
    """What a stream answered to a message on ``subject``.

    Raises:
        Unavailable: when it did not take it, since it is full for example.
    """
    answer = _read(body)
    if answer.error is not None:
        raise Unavailable(f"the stream does not take {subject}: {answer.error.description}")
    return PubAck(answer.stream, answer.seq, answer.duplicate)


class _Consumer(Struct):
    num_pending: int = 0
    num_ack_pending: int = 0


class Consumers(Struct):
    """One page of what the broker tells of the consumers of a stream."""

    total: int = 0
    consumers: tuple[_Consumer, ...] = ()
    error: _ApiError | None = None

    @property
    def waiting(self) -> int:
        """How many messages wait for them or are worked on."""
        return sum(consumer.num_pending + consumer.num_ack_pending for consumer in self.consumers)


read_consumers = msgspec.json.Decoder(Consumers).decode


class Delivery:
    """A message of a stream, which the broker delivers again unless it is settled within the durable's ``ack_wait``.

    Settling never raises. It returns False when it could not be sent since the connection is away; the delivery
    then comes again, to whoever is next, and the receiver knows it by its identifier.
    """

    __slots__ = ("_msg", "_settle", "settled")

    def __init__(self, msg: Msg, settle: Settle) -> None:
        self._msg = msg
        self._settle = settle
        self.settled = False

    @property
    def subject(self) -> str:
        """The subject under which it was published."""
        return self._msg.subject

    @property
    def body(self) -> bytes:
        """The message itself."""
        return self._msg.data

    @property
    def headers(self) -> Headers:
        """Its headers; empty when it has none."""
        return self._msg.headers or {}

    @property
    def stream(self) -> str:
        """The stream that delivers it."""
        return self._msg.metadata.stream

    @property
    def durable(self) -> str:
        """The durable consumer through which it comes."""
        return self._msg.metadata.consumer

    @property
    def stream_sequence(self) -> int:
        """Its sequence in the stream."""
        return self._msg.metadata.sequence.stream

    @property
    def num_delivered(self) -> int:
        """How often it was delivered, this time included."""
        return self._msg.metadata.num_delivered

    @property
    def timestamp(self) -> datetime:
        """When the broker stored it, in UTC."""
        return self._msg.metadata.timestamp

    @property
    def pending(self) -> int:
        """How many messages still waited for this durable when it was delivered."""
        return self._msg.metadata.num_pending

    async def ack(self) -> bool:
        """It is done."""
        return await self._finish(b"+ACK")

    async def nak(self, delay_s: float = 0.0) -> bool:
        """It could not be done now; deliver it again after ``delay_s`` seconds."""
        return await self._finish(b'-NAK {"delay": %d}' % int(delay_s * 1e9) if delay_s > 0 else b"-NAK")

    async def term(self, reason: str = "") -> bool:
        """It can never be done; do not deliver it again."""
        return await self._finish(f"+TERM {reason}".strip().encode())

    async def in_progress(self) -> bool:
        """It is being worked on; the ``ack_wait`` starts anew."""
        return await self._settle(self._msg.reply, b"+WPI")

    async def _finish(self, verdict: bytes) -> bool:
        self.settled = True
        return await self._settle(self._msg.reply, verdict)
