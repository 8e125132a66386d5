"""Exactly one effect: the key of a message is taken by the first statement of the transaction that has the effect.

The key is (Source, MessageID, digest of what the message says). Whoever comes second waits for the first to end and
then finds the key taken; the stored reply is repeated. The same MessageID with another digest is another message.
"""

from msgspec import Struct

from contracts.errors import Denied
from shared.store import Connection, Database


class Key(Struct, frozen=True):
    """What makes a message the same message."""

    source: str
    message_id: str
    digest: bytes


class Told(Struct, frozen=True):
    """Where an event stands among those of its producer on its subject; None where the producer does not count."""

    producer: str
    subject: str
    sequence: int | None


class Stored(Struct, frozen=True, kw_only=True):
    """The reply that was given before, byte for byte.

    Attributes:
        reply_to: where it went by the outbox; None when it was answered at once.
        reply_id: its MessageID.
    """

    body: bytes | None
    content_type: str | None
    reply_to: str | None
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
        told: for an event, its place.
        nonce: for a request with ReplayDetection, what must not have been used before.
    """

    def __init__(self, key: Key, *, told: Told | None = None, nonce: str | None = None) -> None:
        self.key = key
        self._told = told
        self._nonce = nonce

    async def take(self, connection: Connection) -> None:
        """Take the key.

        Raises:
            AlreadyTaken: somebody took it before.
            Denied: 7.4, the nonce was used by another message.
        """
        key, told = self.key, self._told
        if told is None:
            first = await connection.fetchval("SELECT take_message($1, $2, $3)", key.source, key.message_id, key.digest)
        else:
            first = await connection.fetchval(
                "SELECT take_event($1, $2, $3, $4, $5, $6)",
                key.source,
                key.message_id,
                key.digest,
                told.producer,
                told.subject,
                told.sequence,
            )
        if not first:
            raise AlreadyTaken(key)
        if self._nonce is not None:
            await use_nonce(connection, key.source, self._nonce)


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


async def stored_reply(database: Database, key: Key) -> Stored | None:
    """What was answered to the message before; None when it is not known."""
    row = await database.pool.fetchrow(
        "SELECT reply, reply_content_type, reply_to, reply_id FROM inbox "
        "WHERE source = $1 AND message_id = $2 AND digest = $3",
        key.source,
        key.message_id,
        key.digest,
    )
    if row is None:
        return None
    return Stored(
        body=row["reply"],
        content_type=row["reply_content_type"],
        reply_to=row["reply_to"],
        reply_id=row["reply_id"],
    )
