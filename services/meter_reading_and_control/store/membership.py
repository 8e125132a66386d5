"""Where usage points are served, by the models of the network, from when on and since when that is known."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from services.meter_reading_and_control.domain.membership import Served
from shared.store import Store as KernelStore


class Membership(KernelStore):
    """What belongs to which transformer and feeder."""

    async def lock_membership(self) -> None:
        """Let nobody else learn a model until this is done."""
        await self.lock("SELECT pg_advisory_xact_lock(hashtextextended('served', 0))")

    async def served_now(self) -> dict[str, Served]:
        """Where each usage point is served at last."""
        rows = await self.fetch(
            "SELECT DISTINCT ON (usage_point) usage_point, since, feeder, transformer FROM served"
            " ORDER BY usage_point, since DESC, recorded_at DESC"
        )
        return {row["usage_point"]: Served(**dict(row)) for row in rows}

    async def save_served(self, news: Iterable[Served], now: datetime) -> None:
        """Keep where usage points are served from then on."""
        await self.executemany(
            "INSERT INTO served (usage_point, since, recorded_at, feeder, transformer) VALUES ($1, $2, $3, $4, $5)"
            " ON CONFLICT (usage_point, since, recorded_at)"
            " DO UPDATE SET feeder = excluded.feeder, transformer = excluded.transformer",
            [(each.usage_point, each.since, now, each.feeder, each.transformer) for each in news],
        )

    async def served(self, places: Sequence[str], as_of: datetime | None) -> list[Served]:
        """All that was known, as of a time, of the usage points that ever belonged to these transformers or feeders."""
        rows = await self.fetch(
            "SELECT DISTINCT ON (usage_point, since) usage_point, since, feeder, transformer FROM served"
            " WHERE usage_point IN (SELECT usage_point FROM served WHERE feeder = ANY($1) OR transformer = ANY($1))"
            " AND recorded_at <= coalesce($2, 'infinity'::timestamptz)"
            " ORDER BY usage_point, since, recorded_at DESC",
            places,
            as_of,
        )
        return [Served(**dict(row)) for row in rows]

    async def types_of(self, points: Sequence[str]) -> dict[str, set[str]]:
        """The reading types of the intervals that usage points ever had."""
        rows = await self.fetch(
            "SELECT DISTINCT usage_point, reading_type FROM series WHERE usage_point = ANY($1)", points
        )
        found: dict[str, set[str]] = {}
        for row in rows:
            found.setdefault(row["usage_point"], set()).add(row["reading_type"])
        return found

    async def lock_released(self) -> None:
        """Let nobody else release sums until this is done."""
        await self.lock("SELECT pg_advisory_xact_lock(hashtextextended('released', 0))")

    async def was_released_alike(self, members: Sequence[str], period: tuple[datetime, datetime], least: int) -> bool:
        """True where sums of who differs from these ``members`` by fewer than ``least`` were given of that time."""
        found: bool = await self.fetchval(
            "SELECT EXISTS (SELECT FROM released_sum WHERE members && $1 AND starts < $3 AND ends > $2"
            " AND cardinality(members) + cardinality($1)"
            "  - 2 * (SELECT count(*) FROM unnest(members) AS each WHERE each = ANY($1)) BETWEEN 1 AND $4 - 1)",
            members,
            *period,
            least,
        )
        return found

    async def save_released(self, members: Sequence[str], period: tuple[datetime, datetime], now: datetime) -> None:
        """Keep that sums of these usage points were given of that time, unless it is known."""
        await self.execute(
            "INSERT INTO released_sum (members, starts, ends, released_at) SELECT $1, $2, $3, $4 WHERE NOT EXISTS ("
            " SELECT FROM released_sum WHERE members = $1 AND starts <= $2 AND ends >= $3)",
            members,
            *period,
            now,
        )
