"""When meters are read, and what became of each time."""

from collections.abc import Iterable
from datetime import datetime

from msgspec import json

from services.meter_reading_and_control.domain.schedules import Occurrence, Schedule
from shared.store import Store as KernelStore


class Schedules(KernelStore):
    """Schedules and their occurrences."""

    async def schedules(self, mrids: Iterable[str] = ()) -> dict[str, Schedule]:
        """Those of ``mrids`` that are known, or all when none is named."""
        rows = await self.fetch(
            "SELECT mrid, body FROM read_schedule WHERE $1::text[] = '{}' OR mrid = ANY($1) ORDER BY mrid",
            sorted(set(mrids)),
        )
        return {row["mrid"]: json.decode(row["body"], type=Schedule) for row in rows}

    async def schedule(self, mrid: str) -> Schedule | None:
        """One schedule, which nobody else changes until this is done."""
        row = await self.lock("SELECT body FROM read_schedule WHERE mrid = $1 FOR UPDATE", mrid)
        return None if row is None else json.decode(row["body"], type=Schedule)

    async def save_schedule(self, schedule: Schedule) -> None:
        """Keep how a schedule stands."""
        await self.execute(
            "INSERT INTO read_schedule (mrid, body) VALUES ($1, $2)"
            " ON CONFLICT (mrid) DO UPDATE SET body = excluded.body",
            schedule.mrid,
            json.encode(schedule).decode(),
        )

    async def add_occurrence(self, occurrence: Occurrence) -> bool:
        """Keep a time of a schedule; False when it has been before."""
        row = await self.lock(
            "INSERT INTO occurrence (schedule, nominal, due_at, body) VALUES ($1, $2, $3, $4)"
            " ON CONFLICT DO NOTHING RETURNING nominal",
            occurrence.schedule,
            occurrence.time.nominal,
            occurrence.time.due_at,
            json.encode(occurrence).decode(),
        )
        return row is not None

    async def save_occurrence(self, occurrence: Occurrence) -> None:
        """Keep what became of a time."""
        await self.execute(
            "UPDATE occurrence SET body = $3 WHERE schedule = $1 AND nominal = $2",
            occurrence.schedule,
            occurrence.time.nominal,
            json.encode(occurrence).decode(),
        )

    async def occurrence(self, schedule: str, nominal: str) -> Occurrence | None:
        """One time of a schedule."""
        row = await self.fetchrow("SELECT body FROM occurrence WHERE schedule = $1 AND nominal = $2", schedule, nominal)
        return None if row is None else json.decode(row["body"], type=Occurrence)

    async def occurrences(
        self, schedules: Iterable[str], start: datetime | None, end: datetime | None
    ) -> list[Occurrence]:
        """The times of schedules from ``start`` until before ``end``, in their order."""
        rows = await self.fetch(
            "SELECT body FROM occurrence WHERE schedule = ANY($1) AND due_at >= coalesce($2, '-infinity'::timestamptz)"
            " AND due_at < coalesce($3, 'infinity'::timestamptz) ORDER BY due_at, schedule",
            list(schedules),
            start,
            end,
        )
        return [json.decode(row["body"], type=Occurrence) for row in rows]
