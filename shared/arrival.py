"""What came and what becomes of it: the two values between the transports and the handling of messages."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from contracts.verbs import Verb
from shared.codec import CONTENT_JSON, CONTENT_MSGPACK, CONTENT_XML
from shared.envelope import CONTENT_TYPE, PRODUCER, SEQUENCE, Row

_DIGITS = 19
"""A number with fewer fits into a bigint."""

_REPLY_TOKENS = 6


class Entrance(StrEnum):
    """By which door a message came."""

    REQUEST = "request"
    COMMAND = "command"
    EVENT = "event"
    FOLLOWED = "followed"
    REPLY = "reply"


class Arrival(Struct, frozen=True, kw_only=True):
    """A message as the transport knows it, unread.

    Attributes:
        role: the role of ours that it is for.
        source: the role that the broker vouches for as its sender.
        reply_to: the inbox that waits for the answer to a core request.
        received_at: when the broker got it; for core NATS, when we did.
        stream: where it lies, if in a stream, at ``stream_sequence``, handed out ``deliveries`` times.
        answers_to: for a reply, the MessageID of the command.
        is_requeued: it was a dead letter, and is not judged as a replay.
        give: gives a part of the answer to the inbox that waits, while the next is made; None where none waits.
    """

    entrance: Entrance
    role: str
    source: str
    noun: str
    verb: Verb
    subject: str
    headers: dict[str, str]
    body: bytes
    received_at: datetime
    reply_to: str | None = None
    stream: str | None = None
    stream_sequence: int | None = None
    deliveries: int = 1
    answers_to: str | None = None
    is_requeued: bool = False
    give: Callable[[Row], Awaitable[None]] | None = None

    @property
    def content_type(self) -> str:
        """The encoding of the body; XML where none is named."""
        return self.headers.get(CONTENT_TYPE, CONTENT_XML)

    @property
    def encoding(self) -> str:
        """The encoding in which it is answered: its own, or XML where that is not known."""
        base = self.content_type.partition(";")[0].strip().lower()
        return base if base in {CONTENT_JSON, CONTENT_MSGPACK} else CONTENT_XML

    @property
    def place(self) -> str:
        """What distinguishes this arrival from all others where the message itself does not say who it is."""
        return self.reply_to or "" if self.stream is None else f"{self.stream}:{self.stream_sequence}"

    @property
    def sequence(self) -> int | None:
        """The number that its source gave an event on its subject; None where it does not count."""
        number = self.headers.get(SEQUENCE, "")
        is_number = number.isascii() and number.isdigit() and len(number) < _DIGITS
        return int(number) if is_number and self.headers.get(PRODUCER, self.source) == self.source else None


class Outcome(Struct, frozen=True, kw_only=True):
    """What became of a message, and what the transport must do: send the answers in order, then settle.

    Attributes:
        answers: for the inbox that waits.
        retry_in_s: None when the message is done; else how long to wait until it is handed out again.
        failure: why it had no effect; None when it had one, now or before.
    """

    answers: tuple[Row, ...] = ()
    retry_in_s: float | None = None
    failure: str | None = None


def pattern_of(subject: str) -> str:
    """``subject`` without what is different for each message, as spans and metrics name it."""
    tokens = subject.split(".")
    if tokens[0] == "_INBOX":
        return ".".join([*tokens[:2], "*"])
    if len(tokens) == _REPLY_TOKENS and tokens[2] == "reply":
        tokens[4] = "*"
    return ".".join(tokens)
