"""Who waits for its turn at which head-end, and what each head-end was given."""

from collections.abc import Iterable
from datetime import datetime

from msgspec import json

from services.meter_reading_and_control.domain.controls import Command, State
from services.meter_reading_and_control.domain.lanes import Budget
from shared.store import Store as KernelStore

BUSY = [State.SENT, State.CANCEL_PENDING]

_NEXT = (
    "SELECT waits.body FROM generate_series(1, 7) AS of (lane), LATERAL"
    " (SELECT body, overdue_at, id FROM command WHERE head_end = $1 AND command.lane = of.lane"
    " AND overdue_at IS NOT NULL AND NOT EXISTS"
    " (SELECT FROM command AS other WHERE other.device = command.device AND other.state = ANY($3))"
    " ORDER BY overdue_at, id LIMIT $2 FOR UPDATE SKIP LOCKED) AS waits ORDER BY of.lane, waits.overdue_at, waits.id"
)


class Lanes(KernelStore):
    """The lanes of controls."""

    async def head_ends(self, devices: Iterable[str]) -> dict[str, str]:
        """By which system meters and usage points are reached, where their meters say so."""
        rows = await self.fetch(
            "SELECT asked.device, setup.noun -> 'Meter' -> 0 ->> 'amrSystem' AS head_end"
            " FROM unnest($1::text[]) AS asked (device)"
            " LEFT JOIN installed ON installed.usage_point = asked.device AND installed.ends IS NULL"
            " CROSS JOIN LATERAL (SELECT noun FROM meter WHERE mrid = coalesce(installed.meter, asked.device)"
            " ORDER BY effective_at DESC LIMIT 1) AS setup",
            sorted(set(devices)),
        )
        return {row["device"]: row["head_end"] or "" for row in rows}

    async def budget(self, head_end: str) -> Budget:
        """What a head-end was given; nobody else gives it anything until this is done."""
        await self.execute("INSERT INTO head_end (name) VALUES ($1) ON CONFLICT DO NOTHING", head_end)
        row = await self.lock("SELECT budget FROM head_end WHERE name = $1 FOR UPDATE", head_end)
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

    async def next_of(self, head_end: str, most: int) -> list[Command]:
        """The oldest of each lane whose devices are free, locked, the most urgent lane first.

        What somebody has in hand, such as who cancels it, is passed over.
        """
        rows = await self.lock_all(_NEXT, head_end, most, BUSY)
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
