"""What comes from the bus: a message as it was received, and a delivery of a stream that wants to be settled."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache

import msgspec
from msgspec import Struct

from contracts.errors import Unavailable

Headers = Mapping[str, str]

_VERSION = b"NATS/1.0"
_STATUS_DIGITS = 3

Frame = tuple[bytes, bytes, bytes, bytes]
"""A message as it came: subject, where to answer or empty, block of headers or empty, body."""

Settle = Callable[[Sequence[bytes], bytes], bool]
"""Sends a verdict on deliveries; False when the connection is away, and the broker delivers again."""


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


_ACK = b"$JS.ACK."
_PLACE, _NAMES, _DOMAIN = 7, 2, 2
"""How many tokens say where a delivery stands; so many names begin them, and so many may be before them."""

_ZEROED = bytes(ord("0") if chr(letter) in "0123456789" else letter for letter in range(256))

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


@lru_cache(maxsize=1024)
def _places_in(zeroed: bytes) -> tuple[slice, ...] | None:
    """Where in a reply stand stream, durable, deliveries, sequence, that of the durable, time and what is pending.

    They follow ``$JS.ACK``. A broker may put a domain and an account before the stream, and more behind. nats-py makes
    objects of it, which takes several times as long and counts where a message is one reading.

    Args:
        zeroed: the reply with a zero for each digit, as which thousands of them are the same.

    Returns:
        None when it is no such subject.
    """
    if not zeroed.startswith(_ACK):
        return None
    words, at, found = zeroed[len(_ACK) :].split(b"."), len(_ACK), []
    for word in words:
        found.append(slice(at, at + len(word)))
        at += len(word) + 1
    if len(words) != _PLACE:
        if len(words) < _PLACE + _DOMAIN:
            return None
        words, found = words[_DOMAIN : _DOMAIN + _PLACE], found[_DOMAIN : _DOMAIN + _PLACE]
    return None if b"" in words or b"".join(words[_NAMES:]).strip(b"0") else tuple(found)


@lru_cache(maxsize=1024)
def headers_of(block: bytes) -> Headers:
    """The headers in a block of them, as nats-py reads them; those of a status have ``Status`` and ``Description``.

    Many messages have the same block, so it is read once; whoever changes what is given changes a copy.
    """
    first, _, lines = block.partition(b"\r\n")
    found: dict[str, str] = {}
    status = first.removeprefix(_VERSION).strip()
    code, description = status[:_STATUS_DIGITS], status[_STATUS_DIGITS:].strip()
    if code.isdigit():
        found["Status"] = code.decode()
        if description:
            found["Description"] = description.decode(errors="replace")
    for line in lines.split(b"\r\n"):
        name, colon, value = line.partition(b":")
        name = name.strip()
        if colon and name.isascii() and not any(letter.isspace() for letter in name.decode()):
            found[name.decode()] = value.strip().decode(errors="replace")
    return found


class Delivery(Struct, eq=False, gc=False):
    """A message of a stream, which the broker delivers again unless it is settled within the durable's ``ack_wait``.

    Settling never raises. It returns False when it could not be sent since the connection is away; the delivery
    then comes again, to whoever is next, and the receiver knows it by its identifier.

    Attributes:
        body: the message itself.
        reply: where it is settled.
        settle: says so.
        settled: a verdict was given.
    """

    _subject: bytes
    reply: bytes
    _block: bytes
    body: bytes
    settle: Settle
    _places: tuple[slice, ...]
    settled: bool = False

    @classmethod
    def of(cls, frame: Frame, settle: Settle) -> "Delivery":
        """The delivery that came as ``frame``.

        Raises:
            ValueError: when it says no place where it is settled.
        """
        subject, reply, block, body = frame
        places = _places_in(reply.translate(_ZEROED))
        if places is None:
            raise ValueError(f"'{reply.decode(errors='replace')}' does not say where a delivery stands")
        return cls(subject, reply, block, body, settle, places)

    @property
    def subject(self) -> str:
        """The subject under which it was published."""
        return self._subject.decode()

    @property
    def headers(self) -> Headers:
        """Its headers; empty when it has none."""
        return headers_of(self._block) if self._block else {}

    @property
    def stream(self) -> str:
        """The stream that delivers it."""
        return self.reply[self._places[0]].decode()

    @property
    def durable(self) -> str:
        """The durable consumer through which it comes."""
        return self.reply[self._places[1]].decode()

    @property
    def stream_sequence(self) -> int:
        """Its sequence in the stream."""
        return int(self.reply[self._places[3]])

    @property
    def place(self) -> bytes:
        """Its sequence in the stream, as the broker writes it."""
        return self.reply[self._places[3]]

    @property
    def num_delivered(self) -> int:
        """How often it was delivered, this time included."""
        return int(self.reply[self._places[2]])

    @property
    def timestamp(self) -> datetime:
        """When the broker stored it, in UTC."""
        return datetime.fromtimestamp(int(self.reply[self._places[5]]) / 1e9, UTC)

    @property
    def pending(self) -> int:
        """How many messages still waited for this durable when it was delivered."""
        return int(self.reply[self._places[6]])

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
        return self.settle([self.reply], b"+WPI")

    @staticmethod
    async def ack_all(deliveries: Sequence["Delivery"]) -> bool:
        """They are done, all of one pull; that is said in one piece."""
        for delivery in deliveries:
            delivery.settled = True
        return not deliveries or deliveries[0].settle([each.reply for each in deliveries], b"+ACK")

    async def _finish(self, verdict: bytes) -> bool:
        self.settled = True
        return self.settle([self.reply], verdict)
