"""What a transaction says is written with what it does, and sent afterwards by one relay for each service.

Each subject has its own order: rows of one subject are sent one after the other, in the order of their ids, and get
consecutive numbers. Subjects do not wait for each other, and no row waits for an unfinished transaction elsewhere.
Order for a key holds because a key has one subject, and because the aggregate's row is locked before its outbox row
is written.

A number is given before the message is sent and kept when it must be sent again, as is its Nats-Msg-Id, so the broker
drops a double and a consumer that counts finds every loss.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
import msgspec

from contracts.errors import Unavailable
from shared.bus.connection import Bus
from shared.envelope import SEQUENCE, Row
from shared.failpoints import failpoint
from shared.inbox import Key
from shared.store import Connection, Database, Record
from shared.telemetry import Hop, Metrics, Telemetry
from shared.work import Sent

log = logging.getLogger(__name__)

BATCH = 256
"""Rows that are numbered together."""

RETRY_S = 0.2
"""How long the relay waits when the broker did not take something."""

LOOK_AGAIN_S = 1.0
"""How often the relay looks without being told, for rows of another process."""

_SAVE = """
WITH stored AS (
    UPDATE inbox SET reply = $4, reply_content_type = $5, reply_to = $6, reply_id = $7
    WHERE source = $1 AND message_id = $2 AND digest = $3
), awaited AS (
    INSERT INTO sent (message_id, asker, role, verb, noun, about)
    SELECT * FROM unnest($8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[])
)
INSERT INTO outbox (source, subject, message_id, headers, body, counted)
SELECT source, subject, message_id, headers::jsonb, body, counted
FROM unnest($14::text[], $15::text[], $16::text[], $17::text[], $18::bytea[], $19::boolean[])
    WITH ORDINALITY AS row (source, subject, message_id, headers, body, counted, place)
ORDER BY place
"""

_NUMBER = """
WITH batch AS (
    SELECT id, subject, counted, row_number() OVER (PARTITION BY subject ORDER BY id) AS place
    FROM (
        SELECT id, subject, counted FROM outbox WHERE sent_at IS NULL AND sequence IS NULL ORDER BY id LIMIT $1
    ) AS first
), total AS (
    SELECT subject, count(*) AS rows FROM batch WHERE counted GROUP BY subject
), numbered AS (
    INSERT INTO sequence AS s (subject, last) SELECT subject, rows FROM total
    ON CONFLICT (subject) DO UPDATE SET last = s.last + excluded.last
    RETURNING subject, last
)
UPDATE outbox SET sequence = coalesce(numbered.last - total.rows + batch.place, 0)
FROM batch LEFT JOIN numbered USING (subject) LEFT JOIN total USING (subject)
WHERE outbox.id = batch.id
RETURNING outbox.id, source, outbox.subject, message_id, headers, body, outbox.sequence, replays
"""

_LEFT_OVER = """
SELECT id, source, subject, message_id, headers, body, sequence, replays
FROM outbox WHERE sent_at IS NULL AND sequence IS NOT NULL ORDER BY id LIMIT $1
"""


async def save(
    connection: Connection,
    rows: Sequence[Row],
    *,
    sent: Sequence[Sent] = (),
    key: Key | None = None,
    reply: Row | None = None,
) -> None:
    """Write what a transaction says, in one statement.

    Args:
        connection: in the transaction.
        rows: what goes out, in order.
        sent: the commands among them whose reply is awaited.
        key: the message that is answered.
        reply: the answer, stored to be repeated; one with a subject is among ``rows``, one without is given at once.
    """
    await connection.execute(
        _SAVE,
        key and key.source,
        key and key.message_id,
        key and key.digest,
        reply and reply.body,
        reply and reply.headers["Content-Type"],
        reply and reply.subject,
        reply and reply.message_id,
        [command.message_id for command in sent],
        [command.asker for command in sent],
        [command.role for command in sent],
        [command.verb for command in sent],
        [command.noun for command in sent],
        [command.about for command in sent],
        [row.source for row in rows],
        [row.subject for row in rows],
        [row.message_id for row in rows],
        [msgspec.json.encode(row.headers).decode() for row in rows],
        [row.body for row in rows],
        [row.counted for row in rows],
    )


class Relay:
    """Sends the rows of one service, if it holds the lease; several processes may run one, and one of them sends.

    Args:
        buses: the connection of each role that the service takes.
    """

    def __init__(
        self, database: Database, buses: Mapping[str, Bus], telemetry: Telemetry, metrics: Metrics, role: str
    ) -> None:
        self._database = database
        self._buses = buses
        self._telemetry = telemetry
        self._left_over = False
        self._told = asyncio.Event()
        self._holds_lease = False
        self._sent = metrics.counter("busbar_outbox_sent_total", "Messages that the relay sent", role=role)
        self._doubles = metrics.counter("busbar_outbox_doubles_total", "Messages the broker had already", role=role)
        self.sent = 0

    def tell(self) -> None:
        """Say that a transaction with rows was committed."""
        self._told.set()

    def tell_left_over(self) -> None:
        """Say that rows with a number wait again."""
        self._left_over = True
        self._told.set()

    async def run(self) -> None:
        """Send until cancelled; a database or a broker that is away only delays it."""
        delay_s = 0.1
        while True:
            try:
                connection = await self._database.dedicated("relay")
                try:
                    await self._lead(connection)
                finally:
                    self._holds_lease = False
                    await connection.close(timeout=1)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
                log.warning("the relay waits for the database", extra={"reason": str(error)})
                await asyncio.sleep(delay_s)
                delay_s = min(delay_s * 2, 2.0)
            else:
                delay_s = 0.1

    async def flush(self, patience_s: float) -> None:
        """Wait until nothing is unsent, or for ``patience_s``."""
        try:
            async with asyncio.timeout(patience_s):
                while self._holds_lease and await unsent(self._database):
                    self.tell()
                    await asyncio.sleep(0.01)
        except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            log.warning("rows were left in the outbox; they will be sent by whoever comes next")

    async def _lead(self, connection: "asyncpg.Connection[Record]") -> None:
        while not await connection.fetchval("SELECT pg_try_advisory_lock(hashtext(current_schema() || '/relay'))"):
            await asyncio.sleep(LOOK_AGAIN_S)
        self._holds_lease = True
        await connection.add_listener("outbox", lambda *_: self.tell())
        complete = await self._send(await connection.fetch(_LEFT_OVER, BATCH), connection)
        while True:
            if not complete or self._left_over:
                await asyncio.sleep(0 if complete else RETRY_S)
                self._left_over = False
                complete = await self._send(await connection.fetch(_LEFT_OVER, BATCH), connection)
                continue
            self._told.clear()
            rows = await connection.fetch(_NUMBER, BATCH)
            if rows:
                complete = await self._send(sorted(rows, key=_by_id), connection)
                continue
            try:
                await asyncio.wait_for(self._told.wait(), LOOK_AGAIN_S)
            except TimeoutError:
                complete = await self._send(await connection.fetch(_LEFT_OVER, BATCH), connection)

    async def _send(self, rows: Sequence[Record], connection: Connection) -> bool:
        """Send rows, each subject in order and all subjects at once; False when some must be tried again."""
        if not rows:
            return True
        failpoint("after-commit")
        queues: dict[str, list[Record]] = defaultdict(list)
        for row in rows:
            queues[row["subject"]].append(row)
        done: list[int] = []
        await asyncio.gather(*(self._send_in_order(queue, done) for queue in queues.values()))
        failpoint("after-publish")
        if done:
            await connection.execute("UPDATE outbox SET sent_at = now() WHERE id = ANY($1::bigint[])", done)
            self.sent += len(done)
            self._sent.add(len(done))
        return len(done) == len(rows)

    async def _send_in_order(self, queue: Sequence[Record], done: list[int]) -> None:
        for row in queue:
            try:
                await self._send_one(row)
            except Unavailable as error:
                log.warning("the relay waits for the broker", extra={"subject": row["subject"], "reason": str(error)})
                return
            done.append(row["id"])

    async def _send_one(self, row: Record) -> None:
        bus = self._buses[row["source"]]
        headers = msgspec.json.decode(row["headers"], type=dict[str, str])
        tokens = row["subject"].split(".")
        hop = Hop(
            destination=".".join(tokens[:4]),
            subject=row["subject"],
            verb=tokens[6] if tokens[2] == "event" else tokens[2],
            noun=tokens[5] if tokens[2] == "event" else "",
            message_id=row["message_id"],
            size=len(row["body"]),
        )
        with self._telemetry.send(row["source"], hop, headers):
            if row["subject"].startswith("_INBOX."):
                await bus.publish_core(row["subject"], row["body"], headers)
                return
            if row["sequence"]:
                headers[SEQUENCE] = str(row["sequence"])
            message_id = row["message_id"] if not row["replays"] else f"{row['message_id']}:{row['replays']}"
            receipt = await bus.publish_stream(row["subject"], row["body"], headers, msg_id=message_id)
        if receipt.duplicate:
            self._doubles.add()


async def unsent(database: Database) -> int:
    """How many rows wait to be sent."""
    return int(await database.pool.fetchval("SELECT count(*) FROM outbox WHERE sent_at IS NULL"))


async def replay(connection: Connection, subject: str, sequences: Sequence[int]) -> int:
    """Send again what a consumer misses, under the same number; the broker must not take it for a double.

    Returns:
        how many of them are still kept.
    """
    tag = await connection.execute(
        "UPDATE outbox SET sent_at = NULL, replays = replays + 1 "
        "WHERE subject = $1 AND sequence = ANY($2::bigint[]) AND sent_at IS NOT NULL",
        subject,
        list(sequences),
    )
    return int(tag.rpartition(" ")[2])


def _by_id(row: Record) -> Any:
    return row["id"]
