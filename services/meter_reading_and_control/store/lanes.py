"""Who waits for its turn at which head-end and collector, and what each of them was given."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from msgspec import json

from services.meter_reading_and_control.domain.controls import Command, State
from services.meter_reading_and_control.domain.lanes import Budget, Way
from shared.store import Store as KernelStore

BUSY = [State.SENT, State.CANCEL_PENDING]

_QUEUES = (
    "WITH RECURSIVE queue (lane, collector) AS ("
    "(SELECT lane, collector FROM command WHERE head_end = $1 AND overdue_at IS NOT NULL"
    " ORDER BY lane, collector LIMIT 1)"
    " UNION ALL SELECT next.lane, next.collector FROM queue, LATERAL"
    " (SELECT lane, collector FROM command WHERE head_end = $1 AND overdue_at IS NOT NULL"
    " AND (lane, collector) > (queue.lane, queue.collector) ORDER BY lane, collector LIMIT 1) AS next)"
    " SELECT lane, collector FROM queue"
)
"""A step of the index for each lane and collector, however many wait there."""

_NEXT = (
    "WITH oldest AS (SELECT waits.* FROM unnest($2::int[], $3::text[], $4::int[]) AS queue (lane, collector, room),"
    " LATERAL (SELECT id, lane, overdue_at FROM command WHERE head_end = $1 AND command.lane = queue.lane"
    " AND command.collector = queue.collector AND overdue_at IS NOT NULL AND NOT EXISTS"
    " (SELECT FROM command AS other WHERE other.device = command.device AND other.state IN ('SENT', 'CANCEL_PENDING')"
    " OFFSET 0) AND NOT EXISTS"
    " (SELECT FROM command AS other WHERE other.device = command.device AND other.overdue_at IS NOT NULL"
    " AND (other.lane, other.overdue_at, other.id) < (command.lane, command.overdue_at, command.id) OFFSET 0)"
    " ORDER BY overdue_at, id LIMIT least(queue.room, $5)) AS waits"
    "), placed AS (SELECT id, row_number() OVER (PARTITION BY lane ORDER BY overdue_at, id) AS place FROM oldest)"
    " SELECT body FROM command JOIN placed USING (id) WHERE place <= $5 AND overdue_at IS NOT NULL"
    " ORDER BY lane, overdue_at, id FOR UPDATE OF command SKIP LOCKED"
)
"""The oldest of each queue, of these the oldest of each lane. OFFSET 0 has the database ask for a device by its index,
instead of reading all commands once for each queue: 20,000 that wait for 2,000 collectors cost 20 ms, not 2 s."""


class Lanes(KernelStore):
    """The lanes of controls."""

    async def ways(self, devices: Iterable[str]) -> dict[str, Way]:
        """By which system and collector meters and usage points are reached, where it is known; the first collector."""
        rows = await self.fetch(
            "SELECT asked.device, setup.noun -> 'Meter' -> 0 ->> 'amrSystem' AS head_end,"
            " (SELECT min(collector) FROM collected WHERE collected.meter = setup.mrid) AS collector"
            " FROM unnest($1::text[]) AS asked (device)"
            " LEFT JOIN installed ON installed.usage_point = asked.device AND installed.ends IS NULL"
            " CROSS JOIN LATERAL (SELECT mrid, noun FROM meter WHERE mrid = coalesce(installed.meter, asked.device)"
            " ORDER BY effective_at DESC LIMIT 1) AS setup",
            sorted(set(devices)),
        )
        return {row["device"]: Way(row["head_end"] or "", row["collector"] or "") for row in rows}

    async def budget(self, head_end: str) -> Budget:
        """What a head-end was given; nobody else gives it anything until this is done."""
        locked = "SELECT budget FROM head_end WHERE name = $1 FOR UPDATE"
        row = await self.lock(locked, head_end)
        if row is None:
            await self.execute("INSERT INTO head_end (name) VALUES ($1) ON CONFLICT DO NOTHING", head_end)
            row = await self.lock(locked, head_end)
        return Budget() if row is None or row["budget"] is None else json.decode(row["budget"], type=Budget)

    async def budgets(self, head_ends: Iterable[str]) -> dict[str, Budget]:
        """What head-ends were given, as it was seen last."""
        rows = await self.fetch(
            "SELECT name, budget FROM head_end WHERE name = ANY($1) AND budget IS NOT NULL", sorted(set(head_ends))
        )
        return {row["name"]: json.decode(row["budget"], type=Budget) for row in rows}

    async def save_budget(self, head_end: str, budget: Budget) -> None:
        """Keep what a head-end was given."""
        await self.execute("UPDATE head_end SET budget = $2 WHERE name = $1", head_end, json.encode(budget).decode())

    async def collectors(self, ways: Iterable[Way]) -> dict[Way, Budget]:
        """What collectors were given, as it was seen last; where no collector is known there is none."""
        asked = sorted({way for way in ways if way.collector})
        if not asked:
            return {}
        rows = await self.fetch(
            "SELECT head_end, name, budget FROM unnest($1::text[], $2::text[]) AS asked (head_end, name)"
            " JOIN collector USING (head_end, name)",
            [way.head_end for way in asked],
            [way.collector for way in asked],
        )
        known = {Way(row["head_end"], row["name"]): json.decode(row["budget"], type=Budget) for row in rows}
        return {way: known.get(way, Budget()) for way in asked}

    async def save_collectors(self, budgets: Mapping[Way, Budget]) -> None:
        """Keep what collectors were given; whoever does so has the lock of :meth:`budget` of their head-end."""
        await self.executemany(
            "INSERT INTO collector (head_end, name, budget) VALUES ($1, $2, $3)"
            " ON CONFLICT (head_end, name) DO UPDATE SET budget = excluded.budget",
            [(*way, json.encode(budget).decode()) for way, budget in budgets.items()],
        )

    async def waiting(self, head_end: str) -> int:
        """How many wait there."""
        found: int = await self.fetchval(
            "SELECT count(*) FROM command WHERE head_end = $1 AND overdue_at IS NOT NULL", head_end
        )
        return found

    async def anybody_waits(self, head_end: str) -> bool:
        """True when somebody waits there."""
        found: bool = await self.fetchval(
            "SELECT EXISTS (SELECT FROM command WHERE head_end = $1 AND overdue_at IS NOT NULL)", head_end
        )
        return found

    async def busy(self, devices: Iterable[str]) -> set[str]:
        """Those of the devices that were sent something and have not answered."""
        rows = await self.fetch(
            "SELECT device FROM command WHERE device = ANY($1) AND state = ANY($2)", sorted(set(devices)), BUSY
        )
        return {row["device"] for row in rows}

    async def waits_for(self, device: str) -> bool:
        """True when a command waits that is for this device."""
        found: bool = await self.fetchval(
            "SELECT EXISTS (SELECT FROM command WHERE device = $1 AND overdue_at IS NOT NULL)", device
        )
        return found

    async def queues(self, head_end: str) -> list[tuple[int, Way]]:
        """In which lanes, and for which collectors, somebody waits there."""
        rows = await self.fetch(_QUEUES, head_end)
        return [(row["lane"], Way(head_end, row["collector"])) for row in rows]

    async def next_of(self, head_end: str, room: Mapping[tuple[int, str], int], most: int) -> list[Command]:
        """The oldest of each lane whose devices are free, locked, the most urgent lane first.

        What somebody has in hand, such as who cancels it, is passed over. ``room`` says how many each lane and
        collector may have; of a device there is the most urgent alone.
        """
        rows = await self.lock_all(
            _NEXT,
            head_end,
            [lane for lane, _ in room],
            [collector for _, collector in room],
            list(room.values()),
            most,
        )
        return [json.decode(row["body"], type=Command) for row in rows]

    async def overdue(self, head_end: str, now: datetime) -> list[Command]:
        """Those that have waited too long, locked."""
        rows = await self.lock_all(
            "SELECT body FROM command WHERE head_end = $1 AND overdue_at <= $2"
            " ORDER BY overdue_at, id FOR UPDATE SKIP LOCKED",
            head_end,
            now,
        )
        return [json.decode(row["body"], type=Command) for row in rows]
