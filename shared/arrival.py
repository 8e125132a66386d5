"""What came and what becomes of it: the two values between the transports and the handling of messages."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from contracts.verbs import Verb
from shared.envelope import CONTENT_TYPE, PRODUCER, SEQUENCE


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

    @property
    def content_type(self) -> str:
        """The encoding of the body; XML where none is named."""
        return self.headers.get(CONTENT_TYPE, "application/xml")

    @property
    def producer(self) -> str:
        """Who counts its messages on this subject."""
        return self.headers.get(PRODUCER, self.source)

    @property
    def sequence(self) -> int | None:
        """The producer's number, where it counts."""
        number = self.headers.get(SEQUENCE, "")
        return int(number) if number.isascii() and number.isdigit() and len(number) < 19 else None  # noqa: PLR2004


class Outcome(Struct, frozen=True, kw_only=True):
    """What the transport must do: send the answers to the waiting inbox in order, then settle.

    Attributes:
        retry_in_s: None when the message is done; else how long to wait until it is handed out again.
    """

    answers: tuple[bytes, ...] = ()
    retry_in_s: float | None = None
