"""Durable timers: written with the transaction that sets them, due by the clock of the context.

Firing one is like handling a message: the first statement of its transaction keeps others from firing it, so that of
two processes one has the effect. It is removed at the end, where others write their wakes too: a handler that holds
what this one waits for, and sets the same wake anew, would otherwise wait for it in turn. Attempts are counted before
they are made, so a wake that ends the process again and again is put aside as well as one that fails.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from contracts.errors import Rejected, Unavailable
from shared import dead_letters
from shared.clock import Clock
from shared.envelope import Cause
from shared.inbox import AlreadyTaken, Key
from shared.service import Service
from shared.store import DATABASE_ERRORS, Connection, Database, Record, Transaction, is_not_now
from shared.suspects import FORGIVEN
from shared.telemetry import Hop, Telemetry
from shared.work import Wake

if TYPE_CHECKING:
    from shared.handling import Desk

log = logging.getLogger(__name__)

POSTPONED_S = 1.0
"""How long a wake that failed waits, in real time; doubled with each failure, at most half a minute."""

LOOK_AGAIN_S = 0.2
"""How often postponed wakes are looked at."""

BATCH = 64
"""Wakes that are taken up together; after a crash they are taken up one by one."""

_TAKE_UP = """
WITH due AS MATERIALIZED (
    SELECT name, key, id FROM wake WHERE at <= $1 AND id <> ALL($2::text[]) ORDER BY at, name, key
    LIMIT CASE WHEN EXISTS (SELECT FROM wake WHERE attempts > 0 AND at <= $1 AND id <> ALL($2::text[]))
        THEN 1 ELSE $3::integer END
), seen AS MATERIALIZED (
    SELECT *, pg_try_advisory_xact_lock(hashtextextended('wake ' || id, 0)) AS free FROM due
), marked AS (
    UPDATE wake SET attempts = attempts + 1 FROM seen
    WHERE seen.free AND wake.name = seen.name AND wake.key = seen.key AND wake.id = seen.id
    RETURNING wake.name, wake.key, wake.id, at, payload, thread, trace, attempts
)
SELECT seen.name, seen.key, seen.id, free, at, payload, thread, trace, attempts FROM seen LEFT JOIN marked USING (id)
"""
"""What is due, marked as begun unless another process is at it just now."""

_SET = """
INSERT INTO wake (name, key, id, at, payload, thread, trace)
SELECT name, key, id, at, payload, thread, trace::jsonb
FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::text[], $7::text[])
    AS row (name, key, id, at, payload, thread, trace)
ON CONFLICT (name, key) DO UPDATE
SET id = excluded.id, at = excluded.at, payload = excluded.payload, thread = excluded.thread, trace = excluded.trace,
    attempts = 0
"""

_UNMARK = "UPDATE wake SET attempts = attempts - 1 WHERE id = $1 AND attempts > 0"

_KEEP_OTHERS_OFF = "SELECT pg_try_advisory_xact_lock(hashtextextended('wake ' || $1, 0))"
"""True for one transaction at a time. What is there is looked at by a statement of its own, which sees what was ended
before this one was let in."""


async def save_wakes(connection: Connection, wakes: Mapping[tuple[str, str], Wake | None]) -> None:
    """Set and cancel what a handler asked for, in an order that all keep, so that nobody waits in a circle."""
    cancelled = sorted(place for place, wake in wakes.items() if wake is None)
    if cancelled:
        await connection.execute(
            "DELETE FROM wake USING unnest($1::text[], $2::text[]) AS gone (name, key) "
            "WHERE wake.name = gone.name AND wake.key = gone.key",
            [name for name, _ in cancelled],
            [key for _, key in cancelled],
        )
    await set_wakes(connection, [wake for _, wake in sorted(wakes.items()) if wake is not None])


async def end_wake(connection: Connection, fired: Wake, wakes: dict[tuple[str, str], Wake | None]) -> None:
    """Remove a wake that was fired.

    Where somebody set it anew while it was being handled, the new one stays, and is not replaced by what ``wakes`` say
    of it: it will be fired after this and judge by what is there then.

    Raises:
        AlreadyTaken: somebody cancelled it meanwhile, so what was done is to be undone.
    """
    if await connection.fetchval("DELETE FROM wake WHERE id = $1 RETURNING true", fired.id):
        return
    place = (fired.name, fired.key)
    if not await connection.fetchval("SELECT true FROM wake WHERE name = $1 AND key = $2", *place):
        raise AlreadyTaken(Key("", "wake", fired.id, b""))
    wakes.pop(place, None)


async def set_wakes(connection: Connection, wakes: Sequence[Wake]) -> None:
    """Set wakes; one of the same name and key that still waits is replaced."""
    if wakes:
        await connection.execute(
            _SET,
            [wake.name for wake in wakes],
            [wake.key for wake in wakes],
            [wake.id for wake in wakes],
            [wake.at for wake in wakes],
            [wake.payload for wake in wakes],
            [wake.thread for wake in wakes],
            [msgspec.json.encode(wake.trace).decode() for wake in wakes],
        )


class Timers:
    """Fires the wakes of one service."""

    def __init__(
        self,
        *,
        service: Service[Any],
        database: Database,
        desk: "Desk",
        clock: Clock,
        telemetry: Telemetry,
    ) -> None:
        self._service = service
        self._database = database
        self._desk = desk
        self._clock = clock
        self._telemetry = telemetry
        self._changed = asyncio.Event()
        self._until: datetime | None = None
        self._closing = False
        self._postponed: dict[str, tuple[float, int]] = {}

    def tell(self, at: datetime) -> None:
        """Say that wakes were set, the earliest for ``at``; one that comes after what is waited for is seen then."""
        if self._until is None or at < self._until:
            self._changed.set()

    def close(self) -> None:
        """Fire nothing new; :meth:`run` ends when what was begun is done."""
        self._closing = True
        self._changed.set()

    async def run(self) -> None:
        """Fire until closed."""
        while not self._closing:
            self._changed.clear()
            try:
                if not await self._fire_due():
                    await self._wait()
            except (Unavailable, *DATABASE_ERRORS) as error:
                log.info("the timers wait: %s", error)
                await asyncio.sleep(LOOK_AGAIN_S)

    async def _wait(self) -> None:
        """Until the next wake is due, something changes, or a postponed wake may be tried again."""
        self._until = await self._database.pool.fetchval(
            "SELECT min(at) FROM wake WHERE id <> ALL($1::text[])", list(self._postponed)
        )
        again = asyncio.get_running_loop().call_later(LOOK_AGAIN_S, self._changed.set) if self._postponed else None
        try:
            if not self._closing:
                await self._clock.wait(self._until, self._changed)
        finally:
            self._until = None
            if again is not None:
                again.cancel()

    async def _fire_due(self) -> bool:
        now = asyncio.get_running_loop().time()
        self._postponed = {
            key: (until, failed) for key, (until, failed) in self._postponed.items() if failed or until > now
        }
        waiting = [wake_id for wake_id, (until, _) in self._postponed.items() if until > now]
        rows = await self._database.pool.fetch(_TAKE_UP, self._clock.now(), waiting, BATCH)
        for row in rows:
            if not row["free"]:
                self._leave(row["id"])
        taken_up = [row for row in rows if row["attempts"] is not None]
        for row in sorted(taken_up, key=_by_time):
            if self._closing:
                break
            await self._fire(_wake(row), row["attempts"])
        return bool(taken_up)

    def _leave(self, wake_id: str) -> None:
        """Another process is at it; it is looked at again, since that one may die."""
        self._postponed[wake_id] = (asyncio.get_running_loop().time() + POSTPONED_S, 0)

    async def _fire(self, wake: Wake, attempts: int) -> None:
        role = self._service.role
        hop = Hop(destination=f"{role} wake", subject=f"{role} wake", verb="wake", noun=wake.name, message_id=wake.id)
        self._desk.in_flight += 1
        try:
            with self._telemetry.process(role, hop, wake.trace):
                await self._handle(wake, attempts)
        except AlreadyTaken:
            log.debug("the wake is fired by another process, or was cancelled")
            self._leave(wake.id)
            await self._database.pool.execute(_UNMARK, wake.id)
        except Exception as error:
            if is_not_now(error):
                log.warning("not now: %s", error, extra={"wake": wake.name, "key": wake.key})
                await self._postpone(wake, is_blamed=False)
            else:
                log.exception("a defect spoiled a wake", extra={"wake": wake.name, "key": wake.key})
                await self._spoiled(wake, attempts, error)
        else:
            self._postponed.pop(wake.id, None)
        finally:
            self._desk.in_flight -= 1
            self._desk.handled += 1

    async def _handle(self, wake: Wake, attempts: int) -> None:
        handler = self._service.wakes.get(wake.name)
        if handler is None:
            raise Rejected(f"no handler takes the wake '{wake.name}'", code="2.9")

        async def take(connection: Connection) -> None:
            mine = await connection.fetchval(_KEEP_OTHERS_OFF, wake.id)
            if not (mine and await connection.fetchval("SELECT true FROM wake WHERE id = $1", wake.id)):
                raise AlreadyTaken(Key(self._service.role, "wake", wake.id, b""))

        trace: dict[str, str] = {}
        self._telemetry.inject(trace)
        cause = Cause(identity=f"wake\n{wake.id}", thread=wake.thread, trace=trace)
        transaction = Transaction(self._database, take, give_way=self._desk.precedence.give_way)
        try:
            if attempts > FORGIVEN:
                await transaction.writing()  # nobody else is at it
                raise Rejected("it ended the process again and again", code="5.3")
            work = self._desk.work(cause, transaction, principal=self._service.role)
            await handler(wake, work)
            await self._desk.write(work, transaction, fired=wake)
        finally:
            await transaction.release()

    async def _postpone(self, wake: Wake, *, is_blamed: bool) -> None:
        _, count = self._postponed.get(wake.id, (0.0, 0))
        delay_s = min(POSTPONED_S * 2**count, 30.0)
        self._postponed[wake.id] = (asyncio.get_running_loop().time() + delay_s, count + 1)
        if not is_blamed:
            await self._database.pool.execute("UPDATE wake SET attempts = 0 WHERE id = $1", wake.id)

    async def _spoiled(self, wake: Wake, attempts: int, error: Exception) -> None:
        """A wake that cannot succeed is put aside with its reason, at once where a rule said no."""
        if not isinstance(error, Rejected) and attempts < FORGIVEN:
            await self._postpone(wake, is_blamed=True)
            return
        self._postponed.pop(wake.id, None)
        async with self._database.pool.acquire() as connection:
            await dead_letters.keep_wake(connection, self._service.role, wake, error)


def _wake(row: Record) -> Wake:
    return Wake(
        name=row["name"],
        key=row["key"],
        at=row["at"],
        payload=row["payload"],
        id=row["id"],
        thread=row["thread"],
        trace=msgspec.json.decode(row["trace"], type=dict[str, str]),
    )


def _by_time(row: Record) -> Any:
    return row["at"], row["name"], row["key"]
