"""What could not be handled and whom nobody could tell: kept with its reason until somebody looks.

A dead letter is a row of the service that got it, and a copy in the lane ``dead`` for whoever watches all of them.
Requeueing hands the message to its service again, as if it had just come.
"""

from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from contracts.errors import BusbarError
from contracts.message import Reply
from shared.arrival import Arrival
from shared.envelope import Row
from shared.outbox import save
from shared.store import Connection, Database, Record, Transaction

FORGIVEN = 5
"""How often a defect may spoil the handling of a message before it is put aside."""


class DeadLetter(Struct, frozen=True, kw_only=True):
    """One row, as it is listed."""

    id: int
    role: str
    subject: str
    code: str
    reason: str
    at: datetime
    requeued_at: datetime | None
    size: int


async def keep(transaction: Transaction, arrival: Arrival, error: BusbarError, copy: Row) -> None:
    """Put a message aside with its reason."""
    connection = await transaction.writing()
    kept = await connection.fetchval(
        "INSERT INTO dead_letter (role, subject, code, reason, headers, body, stream, stream_sequence) "
        "VALUES ($1, $2, $3, $4, $5::jsonb, $6, $7, $8) ON CONFLICT DO NOTHING RETURNING true",
        arrival.role,
        arrival.subject,
        error.code,
        error.reason,
        msgspec.json.encode(arrival.headers).decode(),
        arrival.body,
        arrival.stream,
        arrival.stream_sequence,
    )
    if kept:
        await save(connection, [copy])


async def unheard_reply(transaction: Transaction, arrival: Arrival, reply: Reply) -> None:
    """A refusal for which the service has no handler is kept; a success is what was expected."""
    if not reply.error or reply.result == "OK":
        return
    connection = await transaction.writing()
    await connection.execute(
        "INSERT INTO dead_letter (role, subject, code, reason, headers, body, stream, stream_sequence) "
        "VALUES ($1, $2, $3, $4, $5::jsonb, $6, $7, $8) ON CONFLICT DO NOTHING",
        arrival.role,
        arrival.subject,
        reply.error[0].code,
        reply.error[0].reason or "a command was refused",
        msgspec.json.encode(arrival.headers).decode(),
        arrival.body,
        arrival.stream,
        arrival.stream_sequence,
    )


async def count_failure(database: Database, arrival: Arrival, error: Exception) -> float | None:
    """Note that a delivery was spoiled.

    Returns:
        the seconds after which to try again, or None when it was tried often enough.
    """
    count: int = await database.pool.fetchval(
        "INSERT INTO failure AS f (stream, stream_sequence, count, last) VALUES ($1, $2, 1, $3) "
        "ON CONFLICT (stream, stream_sequence) DO UPDATE SET count = f.count + 1, last = excluded.last "
        "RETURNING count",
        arrival.stream,
        arrival.stream_sequence,
        type(error).__name__,
    )
    return None if count >= FORGIVEN else float(min(0.1 * 4**count, 30.0))


async def listed(connection: Connection, limit: int = 100) -> list[DeadLetter]:
    """The newest dead letters first."""
    rows = await connection.fetch(
        "SELECT id, role, subject, code, reason, at, requeued_at, length(body) AS size "
        "FROM dead_letter ORDER BY id DESC LIMIT $1",
        limit,
    )
    return [DeadLetter(**dict(row)) for row in rows]


async def taken_up(connection: Connection, number: int) -> dict[str, Any] | None:
    """The message of a dead letter that is handed to its service once more, or None when there is none."""
    row = await connection.fetchrow(
        "UPDATE dead_letter SET requeued_at = now() WHERE id = $1 "
        "RETURNING role, subject, headers, body, stream, stream_sequence",
        number,
    )
    return None if row is None else dict(row)
