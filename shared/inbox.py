"""Exactly one effect: the key of a message is taken by the first statement of the transaction that has the effect.

The key is (role, Source, MessageID, digest of what the message says). Whoever comes second waits for the first to end
and then finds the key taken; the stored reply is repeated. The same MessageID with another digest is another message.
"""

from typing import Any

from msgspec import Struct

from contracts.errors import Denied
from contracts.message import Message
from contracts.verbs import Verb
from shared.arrival import Arrival, Entrance
from shared.codec import digest
from shared.store import Connection, Database


class Key(Struct, frozen=True):
    """What makes a message the same message."""

    role: str
    source: str
    message_id: str
    digest: bytes

    @property
    def identity(self) -> str:
        """The key as one text, from which the identities of all that follows are derived."""
        return f"{self.role}\n{self.source}\n{self.message_id}\n{self.digest.hex()}"


class Stored(Struct, frozen=True, kw_only=True):
    """The reply that was given before, byte for byte; all None while there is none.

    Attributes:
        reply_id: its MessageID.
    """

    body: bytes | None
    content_type: str | None
    reply_id: str | None


class AlreadyTaken(Exception):  # noqa: N818  it is no error but the second sight of a message
    """The message had its effect before."""

    def __init__(self, key: Key) -> None:
        super().__init__(f"the message {key.message_id} of {key.source} was taken before")
        self.key = key


class Inbox:
    """The first statement of one message's transaction.

    Args:
        key: the message.
        told: for an event with a number, its subject and number.
        nonce: for a request with ReplayDetection, what must not have been used before.
    """

    def __init__(self, key: Key, *, told: tuple[str, int] | None = None, nonce: str | None = None) -> None:
        self.key = key
        self._told = told
        self._nonce = nonce

    async def take(self, connection: Connection) -> None:
        """Take the key.

        Raises:
            AlreadyTaken: somebody took it before.
            Denied: 7.4, the nonce was used by another message.
        """
        key = self.key
        taker = (key.role, key.source, key.message_id, key.digest)
        if self._told is None:
            first = await connection.fetchval("SELECT take_message($1, $2, $3, $4)", *taker)
        else:
            first = await connection.fetchval("SELECT take_event($1, $2, $3, $4, $5, $6)", *taker, *self._told)
        if not first:
            raise AlreadyTaken(key)
        if self._nonce is not None:
            await use_nonce(connection, key.source, self._nonce)


def key_of(arrival: Arrival, message: Message[Any]) -> Key:
    """The key of a message; of what has no effect, a question or what is followed, the digest is not needed."""
    has_effect = arrival.verb is not Verb.GET and arrival.entrance is not Entrance.FOLLOWED
    message_id = message.header.message_id or arrival.place
    return Key(arrival.role, arrival.source, message_id, digest(message) if has_effect else b"")


async def use_nonce(connection: Connection, source: str, nonce: str) -> None:
    """Use a nonce up.

    Raises:
        Denied: 7.4, it was used before.
    """
    fresh = await connection.fetchval(
        "INSERT INTO nonce (source, nonce) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING true", source, nonce
    )
    if not fresh:
        raise Denied("Header/ReplayDetection/Nonce was used before", code="7.4")


async def hear(connection: Connection, arrivals: list[Arrival]) -> None:
    """Move the positions of the producers of events that pass by the inbox."""
    numbered = [arrival for arrival in arrivals if arrival.sequence is not None]
    if numbered:
        await connection.execute(
            "SELECT hear(source, subject, sequence) FROM unnest($1::text[], $2::text[], $3::bigint[]) "
            "AS told (source, subject, sequence)",
            [arrival.source for arrival in numbered],
            [arrival.subject for arrival in numbered],
            [arrival.sequence for arrival in numbered],
        )


async def stored_reply(database: Database, key: Key) -> Stored | None:
    """What was answered to the message before; None when it is not known."""
    row = await database.pool.fetchrow(
        "SELECT reply, reply_content_type, reply_id FROM inbox "
        "WHERE role = $1 AND source = $2 AND message_id = $3 AND digest = $4",
        key.role,
        key.source,
        key.message_id,
        key.digest,
    )
    if row is None:
        return None
    return Stored(body=row["reply"], content_type=row["reply_content_type"], reply_id=row["reply_id"])
