"""Durable timers: written with the transaction that sets them, due by the clock of the context.

Firing one is like handling a message: the first statement of its transaction removes it, so that of two processes
that fire it one has the effect.
"""

import asyncio
import logging
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import asyncpg

from contracts.errors import BusbarError, Rejected, Unavailable
from shared.clock import Clock
from shared.envelope import Cause
from shared.inbox import AlreadyTaken, Key
from shared.service import Service
from shared.store import Connection, Database, Record, Transaction
from shared.telemetry import Hop, Telemetry
from shared.work import Wake

if TYPE_CHECKING:
    from shared.handling import Desk

log = logging.getLogger(__name__)

POSTPONED_S = 1.0
"""How long a wake that failed waits, in real time; doubled with each failure, at most a minute."""

_NOT_NOW = (Unavailable, OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError)


async def save_wakes(connection: Connection, wakes: Mapping[tuple[str, str], Wake | None]) -> None:
    """Set and cancel what a handler asked for."""
    for (name, key), wake in wakes.items():
        if wake is None:
            await connection.execute("DELETE FROM wake WHERE name = $1 AND key = $2", name, key)
            continue
        await connection.execute(
            "INSERT INTO wake (name, key, at, payload) VALUES ($1, $2, $3, $4) "
            "ON CONFLICT (name, key) DO UPDATE SET at = excluded.at, payload = excluded.payload",
            name,
            key,
            wake.at,
            wake.payload,
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
        self._failed: dict[tuple[str, str], tuple[float, int]] = {}

    def tell(self) -> None:
        """Say that wakes were set or cancelled."""
        self._changed.set()

    async def next_at(self) -> datetime | None:
        """When the earliest wake is due."""
        at: datetime | None = await self._database.pool.fetchval("SELECT min(at) FROM wake")
        return at

    async def run(self) -> None:
        """Fire until cancelled."""
        while True:
            self._changed.clear()
            try:
                fired = await self._fire_due()
                if not fired:
                    await self._clock.wait(await self._next_unfailed(), self._changed)
            except _NOT_NOW as error:
                log.info("the timers wait: %s", error)
                await asyncio.sleep(0.5)

    async def _next_unfailed(self) -> datetime | None:
        """The next wake that has not failed; while one has, somebody must look again soon."""
        if self._failed:
            asyncio.get_running_loop().call_later(0.2, self._changed.set)
        at: datetime | None = await self._database.pool.fetchval("SELECT min(at) FROM wake WHERE at > $1", self._now())
        return at

    async def _fire_due(self) -> bool:
        rows = await self._database.pool.fetch(
            "SELECT name, key, at, payload FROM wake WHERE at <= $1 ORDER BY at, name, key LIMIT 64", self._now()
        )
        fired = False
        for row in rows:
            if self._failed.get((row["name"], row["key"]), (0.0, 0))[0] > asyncio.get_running_loop().time():
                continue
            await self._fire(Wake(name=row["name"], key=row["key"], at=row["at"], payload=row["payload"]))
            fired = True
        return fired

    async def _fire(self, wake: Wake) -> None:
        role = self._service.role
        hop = Hop(destination=f"{role} wake", subject=f"{role} wake", verb="wake", noun=wake.name)
        self._desk.in_flight += 1
        try:
            with self._telemetry.process(role, hop, None):
                await self._handle(wake)
        except AlreadyTaken:
            log.debug("the wake was fired by another process")
        except _NOT_NOW as error:
            log.warning("not now: %s", error, extra={"wake": wake.name, "key": wake.key})
            self._postpone(wake)
        except Exception as error:
            log.exception("a defect spoiled a wake", extra={"wake": wake.name, "key": wake.key})
            await self._spoiled(wake, error)
        else:
            self._failed.pop((wake.name, wake.key), None)
        finally:
            self._desk.in_flight -= 1
            self._desk.handled += 1

    async def _handle(self, wake: Wake) -> None:
        handler = self._service.wakes.get(wake.name)
        if handler is None:
            raise Rejected(f"no handler takes the wake '{wake.name}'")

        async def take(connection: Connection) -> None:
            await _remove(connection, wake)

        trace: dict[str, str] = {}
        self._telemetry.inject(trace)
        cause = Cause(identity=f"wake\n{wake.name}\n{wake.key}\n{wake.at.isoformat()}", thread=None, trace=trace)
        transaction = Transaction(self._database, take)
        try:
            work = self._desk.work(cause, transaction, principal=self._service.role)
            await handler(wake, work)
            await self._desk.write(work, transaction)
        finally:
            await transaction.release()

    def _postpone(self, wake: Wake) -> int:
        _, count = self._failed.get((wake.name, wake.key), (0.0, 0))
        delay_s = min(POSTPONED_S * 2**count, 60.0)
        self._failed[wake.name, wake.key] = (asyncio.get_running_loop().time() + delay_s, count + 1)
        return count + 1

    async def _spoiled(self, wake: Wake, error: Exception) -> None:
        """A wake that cannot succeed is put aside with its reason, at once where a rule said no."""
        if not isinstance(error, Rejected) and self._postpone(wake) < 5:  # noqa: PLR2004
            return
        self._failed.pop((wake.name, wake.key), None)
        reason = error.reason if isinstance(error, BusbarError) else f"it failed: {type(error).__name__}"
        async with self._database.pool.acquire() as connection, connection.transaction():
            await connection.execute(
                "INSERT INTO dead_letter (role, subject, code, reason, headers, body) "
                "VALUES ($1, $2, '5.3', $3, '{}', $4)",
                self._service.role,
                f"wake {wake.name} {wake.key}",
                reason,
                wake.payload.encode(),
            )
            await connection.execute("DELETE FROM wake WHERE name = $1 AND key = $2", wake.name, wake.key)

    def _now(self) -> datetime:
        return self._clock.now()


async def _remove(connection: Connection, wake: Wake) -> None:
    gone = await connection.fetchval(
        "DELETE FROM wake WHERE name = $1 AND key = $2 AND at = $3 RETURNING true", wake.name, wake.key, wake.at
    )
    if not gone:
        raise AlreadyTaken(Key("wake", f"{wake.name} {wake.key}", b""))
