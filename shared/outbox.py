"""What a transaction says is written with what it does, and sent afterwards by one relay for each service.

Rows are sent in lines. A line is what one role tells in one partition of a lane, whatever the noun and the verb, or
what it commands of one role; its rows are sent one after the other, in the order in which they were said. Lines do not
wait for each other, and no row waits for an unfinished transaction elsewhere. Order for a key holds because a key has
one line, and because the aggregate's row is locked before its outbox row is written. The events of each subject in a
line get consecutive numbers.

A number is given before the message is sent and kept when it must be sent again, as is its Nats-Msg-Id, so the broker
drops a double and a consumer that counts finds every loss.
"""

import asyncio
import contextlib
import logging
from collections.abc import Mapping, Sequence

import asyncpg
import msgspec

from contracts.errors import Malformed
from contracts.verbs import Verb
from shared.arrival import Arrival, pattern_of
from shared.bus.connection import Bus
from shared.envelope import SEQUENCE, Row
from shared.inbox import AlreadyTaken, Key
from shared.lines import Lines
from shared.store import DATABASE_ERRORS, Connection, Database, Record
from shared.telemetry import Hop, Metrics, Telemetry
from shared.work import Sent

log = logging.getLogger(__name__)

BATCH = 256
"""Rows that are numbered together."""

RETRY_S = 0.2
"""How long the relay waits when the broker did not take something."""

LOOK_AGAIN_S = 1.0
"""How often the relay looks without being told."""

HOLD_UP_S = 0.005
"""How long rows that are sent hold up those that are numbered next: what comes meanwhile is numbered together."""

MARK_AFTER_S = 0.1
"""When what was sent is noted where nothing else is to be sent; else it is noted with what comes next.

What was not noted when the process ended is sent again, and the broker drops the double."""

_NAMES_VERB = {"command", "event", "request"}
"""The kinds of subjects that end with noun, verb and one token more."""

SAVE = """
WITH stored AS (
    UPDATE inbox SET reply = $5, reply_content_type = $6, reply_id = $7
    WHERE role = $1 AND source = $2 AND message_id = $3 AND digest = $4
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

_MARK = "UPDATE outbox SET sent_at = now() WHERE id = ANY($1::bigint[])"

MARK_AND_NUMBER = f"""
WITH marked AS ({_MARK}), batch AS (
    SELECT id, subject, counted, row_number() OVER (PARTITION BY subject ORDER BY id) AS place
    FROM (
        SELECT id, subject, counted FROM outbox
        WHERE sent_at IS NULL AND sequence IS NULL AND line <> ALL($2::text[]) ORDER BY id LIMIT $3
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
RETURNING outbox.id, line, source, outbox.subject, message_id, headers, body, outbox.sequence, replays
"""  # noqa: S608 - constants

BY_INDEX = "SET enable_bitmapscan = off; SET enable_seqscan = off"
"""Without these the planner, which finds the outbox small, reads bitmaps. Only a plain index scan marks entries of rows
that were sent as dead; a bitmap scan visits them all again in each round, until the next vacuum."""

_LEFT_OVER = """
SELECT id, line, source, subject, message_id, headers, body, sequence, replays
FROM outbox WHERE sent_at IS NULL AND sequence IS NOT NULL AND id <> ALL($1::bigint[]) ORDER BY id LIMIT 1024
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
        SAVE,
        key and key.role,
        key and key.source,
        key and key.message_id,
        key and key.digest,
        reply and reply.body,
        reply and reply.headers["Content-Type"],
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


async def awaited(connection: Connection, arrival: Arrival) -> Sent | None:
    """The command that a reply answers; None when it was answered before.

    Raises:
        Malformed: 2.15, the one who answers was given no such command.
    """
    row = await connection.fetchrow(
        "SELECT message_id, asker, role, verb, noun, about, replied_at FROM sent WHERE message_id = $1",
        arrival.answers_to,
    )
    if row is None or (row["role"], row["asker"]) != (arrival.source, arrival.role):
        raise Malformed(f"'{arrival.source}' answers a command that it was not given", code="2.15")
    if row["replied_at"] is not None:
        return None
    return Sent(
        message_id=row["message_id"],
        asker=row["asker"],
        role=row["role"],
        verb=Verb(row["verb"]),
        noun=row["noun"],
        about=row["about"],
    )


async def mark_answered(connection: Connection, arrival: Arrival, key: Key) -> None:
    """Note that a command got its last reply.

    Raises:
        AlreadyTaken: another reply was the last one.
    """
    tag = await connection.execute(
        "UPDATE sent SET replied_at = now() WHERE message_id = $1 AND replied_at IS NULL", arrival.answers_to
    )
    if tag != "UPDATE 1":
        raise AlreadyTaken(key)


class Relay:
    """Sends the rows of one service, if it holds the lease; several processes may run one, and one of them sends.

    A process without the lease passes on to the one that has it that there is something to send.

    Args:
        buses: the connection of each role that the service takes.
    """

    def __init__(
        self, database: Database, buses: Mapping[str, Bus], telemetry: Telemetry, metrics: Metrics, role: str
    ) -> None:
        self._database = database
        self._buses = buses
        self._telemetry = telemetry
        self._told = asyncio.Event()
        self._looked_at = 0.0
        self._lines = Lines(self._send)
        self._sent = metrics.counter("busbar_outbox_sent_total", "Messages that the relay sent", role=role)
        self._doubles = metrics.counter("busbar_outbox_doubles_total", "Messages the broker had already", role=role)
        self.holds_lease = False
        self.sent = 0

    def tell(self) -> None:
        """Say that a transaction with rows was committed."""
        self._told.set()

    def tell_left_over(self) -> None:
        """Say that rows with a number wait again."""
        self._looked_at = 0.0
        self._told.set()

    async def run(self) -> None:
        """Send until cancelled; a database or a broker that is away only delays it."""
        delay_s = 0.1
        while True:
            try:
                connection = await self._database.dedicated("relay")
                delay_s = 0.1
                try:
                    await self._lead(connection)
                finally:
                    self.holds_lease = False
                    connection.terminate()
            except DATABASE_ERRORS as error:
                log.warning("the relay waits for the database", extra={"reason": str(error)})
            await asyncio.sleep(delay_s)
            delay_s = min(delay_s * 2, 2.0)

    async def flush(self, patience_s: float) -> None:
        """Wait until nothing is unsent, or for ``patience_s``."""
        try:
            async with asyncio.timeout(patience_s):
                while self.holds_lease and await unsent(self._database):
                    self.tell()
                    await asyncio.sleep(0.01)
        except DATABASE_ERRORS:
            log.warning("rows were left in the outbox; they will be sent by whoever comes next")

    async def _lead(self, connection: "asyncpg.Connection[Record]") -> None:
        channel = await self._take_lease(connection)
        await connection.execute(BY_INDEX)
        await connection.add_listener(channel, lambda *_: self.tell())
        self._lines, self._looked_at = Lines(self._send), 0.0
        try:
            while True:
                await self._pass_on(connection, self._lines)
        finally:
            await self._lines.close()

    async def _pass_on(self, connection: "asyncpg.Connection[Record]", lines: Lines) -> None:
        """Number what is to be sent and put it into its lines; a line that is slow does not hold up the others."""
        loop = asyncio.get_running_loop()
        self._told.clear()
        if loop.time() - self._looked_at >= (RETRY_S if lines.stuck else LOOK_AGAIN_S):
            self._looked_at = loop.time()
            await connection.execute(_MARK, await lines.take_done())
            lines.stuck.clear()
            await lines.add(await connection.fetch(_LEFT_OVER, [*lines.under_way, *lines.unmarked]))
        rows = await connection.fetch(MARK_AND_NUMBER, await lines.take_done(), list(lines.stuck), BATCH)
        await lines.add(rows)
        await lines.settle(HOLD_UP_S)
        while len(lines.under_way) >= BATCH:
            await lines.settle(HOLD_UP_S)
        if len(rows) < BATCH:
            is_to_mark = bool(lines.unmarked or lines.under_way)
            patience_s = MARK_AFTER_S if is_to_mark else RETRY_S if lines.stuck else LOOK_AGAIN_S
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), patience_s)

    @property
    def unmarked(self) -> Sequence[int]:
        """Rows that were sent, of which the database does not know it yet."""
        return self._lines.unmarked

    async def _take_lease(self, connection: "asyncpg.Connection[Record]") -> str:
        """Wait for the lease, which lives as long as ``connection``; gives the channel of its holder."""
        channel: str = await connection.fetchval("SELECT current_schema() || '/outbox'")
        while not await connection.fetchval("SELECT pg_try_advisory_lock(hashtext($1))", channel):
            try:
                await asyncio.wait_for(self._told.wait(), LOOK_AGAIN_S)
            except TimeoutError:
                continue
            self._told.clear()
            await connection.execute("SELECT pg_notify($1, '')", channel)
        self.holds_lease = True
        return channel

    async def _send(self, row: Record) -> None:
        bus = self._buses[row["source"]]
        headers = msgspec.json.decode(row["headers"], type=dict[str, str])
        pattern = pattern_of(row["subject"])
        tokens = pattern.split(".")
        hop = Hop(
            destination=".".join(tokens[:4]),
            subject=pattern,
            verb=tokens[-2] if tokens[2] in _NAMES_VERB else Verb.REPLY,
            noun=tokens[-3] if tokens[2] in _NAMES_VERB else "",
            message_id=row["message_id"],
            size=len(row["body"]),
        )
        with self._telemetry.send(row["source"], hop, headers):
            if tokens[0] == "_INBOX" or tokens[2] == "request":
                await bus.publish_core(row["subject"], row["body"], headers)
                self._count()
                return
            if row["sequence"]:
                headers[SEQUENCE] = str(row["sequence"])
            message_id = row["message_id"] if not row["replays"] else f"{row['message_id']}:{row['replays']}"
            receipt = await bus.publish_stream(row["subject"], row["body"], headers, msg_id=message_id)
        if receipt.duplicate:
            self._doubles.add()
        self._count()

    def _count(self) -> None:
        self.sent += 1
        self._sent.add()


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
        "WHERE counted AND subject = $1 AND sequence = ANY($2::bigint[]) AND sent_at IS NOT NULL",
        subject,
        list(sequences),
    )
    return int(tag.rpartition(" ")[2])
