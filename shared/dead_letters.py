"""What could not be handled and whom nobody could tell: kept with its reason until somebody looks.

A dead letter is a row of the service that got it, and a copy in the lane ``dead`` for whoever watches all of them.
Requeueing hands the message to its service again, as if it had just come. A wake that failed is kept the same way.
"""

from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from contracts.errors import BusbarError
from contracts.interface import Lane
from contracts.message import Reply, Result
from contracts.verbs import Verb
from shared.arrival import Arrival, Entrance
from shared.bus.subjects import CommandSubject, EventSubject, ReplySubject, RequestSubject
from shared.clock import real_now
from shared.envelope import MESSAGE_BYTES, Cause, Writer
from shared.outbox import save
from shared.store import Connection, Transaction
from shared.work import Wake

LISTED = 100
"""How many dead letters one listing shows."""

WAKE = "wake"
"""The first word of the subject of a dead letter that was a wake."""

_KEEP = """
INSERT INTO dead_letter AS d (role, subject, code, reason, headers, body, stream, stream_sequence)
VALUES ($1, $2, $3, $4, $5::jsonb, $6, $7, $8)
ON CONFLICT (stream, stream_sequence) DO UPDATE
SET code = excluded.code, reason = excluded.reason, at = now(), requeued_at = NULL
RETURNING (xmax = 0) AS is_new
"""


class DeadLetter(Struct, frozen=True, kw_only=True):
    """One row, as it is listed.

    Attributes:
        requeued_at: when it was handed to its service again; None while it waits, also when it has failed again.
        size: bytes of its body.
    """

    id: int
    role: str
    subject: str
    code: str
    reason: str
    at: datetime
    requeued_at: datetime | None
    size: int


async def keep(transaction: Transaction, arrival: Arrival, code: str, reason: str, writer: Writer | None) -> None:
    """Put a message aside with its reason; with a ``writer`` a copy goes into the lane ``dead``."""
    connection = await transaction.writing()
    is_new = await connection.fetchval(
        _KEEP,
        arrival.role,
        arrival.subject,
        code,
        _storable(reason),
        _storable(msgspec.json.encode(arrival.headers).decode()),
        arrival.body,
        arrival.stream,
        arrival.stream_sequence,
    )
    if not is_new or writer is None or len(arrival.body) > MESSAGE_BYTES:
        return
    cause = Cause(identity=f"{arrival.subject}\n{arrival.place}", thread=None, trace={})
    message_id = cause.new_id(arrival.role, "dead letter")
    copy = writer.told(
        Lane.DEAD,
        arrival.role,
        arrival.noun or "Reply",
        arrival.verb,
        key=arrival.subject,
        message_id=message_id,
        content_type=arrival.encoding,
        body=arrival.body,
        cause=cause,
    )
    await save(connection, [copy])


async def keep_refused_reply(transaction: Transaction, arrival: Arrival, reply: Reply) -> None:
    """Keep a refusal for which the service has no handler; a success is what was expected."""
    if reply.result is Result.FAILED:
        error = reply.error[0] if reply.error else None
        code, reason = ("5.3", None) if error is None else (error.code, error.reason)
        await keep(transaction, arrival, code, reason or "a command was refused without a reason", None)


async def keep_wake(connection: Connection, role: str, wake: Wake, error: Exception) -> None:
    """Put a wake aside, in place of which it will not be fired any more."""
    code, reason = "5.3", f"it failed too often; the last time: {type(error).__name__}"
    if isinstance(error, BusbarError):
        code, reason = error.code, error.reason
    await connection.execute(
        "WITH gone AS (DELETE FROM wake WHERE id = $7) "
        "INSERT INTO dead_letter (role, subject, code, reason, headers, body) VALUES ($1, $2, $3, $4, $5::jsonb, $6)",
        role,
        f"{WAKE} {wake.name} {wake.key}",
        code,
        _storable(reason),
        "{}",
        msgspec.json.encode(wake),
        wake.id,
    )


async def listed(connection: Connection, limit: int = LISTED) -> list[DeadLetter]:
    """The newest dead letters first."""
    rows = await connection.fetch(
        "SELECT id, role, subject, code, reason, at, requeued_at, length(body) AS size "
        "FROM dead_letter ORDER BY at DESC, id DESC LIMIT $1",
        limit,
    )
    return [DeadLetter(**dict(row)) for row in rows]


async def take_up(connection: Connection, number: int) -> Arrival | Wake | None:
    """What is handed to its service once more, or None when there is no dead letter of this number."""
    row = await connection.fetchrow(
        "UPDATE dead_letter SET requeued_at = now() WHERE id = $1 "
        "RETURNING role, subject, headers, body, stream, stream_sequence",
        number,
    )
    if row is None:
        return None
    if row["subject"].startswith(f"{WAKE} "):
        return msgspec.json.decode(row["body"], type=Wake)
    return _arrival(row)


def _arrival(row: Any) -> Arrival:
    """A dead letter as it came, received now."""
    subject: str = row["subject"]
    kind = subject.split(".")[2]
    facts: dict[str, Any] = {
        "role": row["role"],
        "subject": subject,
        "headers": msgspec.json.decode(row["headers"], type=dict[str, str]),
        "body": row["body"],
        "received_at": real_now(),
        "stream": row["stream"],
        "stream_sequence": row["stream_sequence"],
        "is_requeued": True,
    }
    if kind == "event":
        event = EventSubject.parse(subject)
        return Arrival(entrance=Entrance.EVENT, source=event.source, noun=event.noun, verb=event.verb, **facts)
    if kind == "reply":
        answered = ReplySubject.parse(subject)
        return Arrival(
            entrance=Entrance.REPLY,
            source=answered.responder,
            noun="",
            verb=Verb.REPLY,
            answers_to=answered.message_id,
            **facts,
        )
    asked = CommandSubject.parse(subject) if kind == "command" else RequestSubject.parse(subject)
    entrance = Entrance.COMMAND if kind == "command" else Entrance.REQUEST
    return Arrival(entrance=entrance, source=asked.asker, noun=asked.noun, verb=asked.verb, **facts)


def _storable(text: str) -> str:
    """``text`` without the one character that PostgreSQL does not keep."""
    return text.replace("\x00", "").replace("\\u0000", "")
