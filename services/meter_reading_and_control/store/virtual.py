"""Usage points without a meter, and what they are made of, from when on and since when that is known."""

from collections.abc import Iterable
from datetime import datetime

from msgspec import json

from contracts.nouns.usage_point_config import UsagePoint
from services.meter_reading_and_control.domain.usage_points import effective_at
from services.meter_reading_and_control.domain.virtual import Formula, formula_of
from shared.store import Store as KernelStore

_KNOWN = (
    "SELECT DISTINCT ON (usage_point, since) usage_point, since, noun FROM virtual_point"
    " WHERE usage_point = ANY($1) AND recorded_at <= coalesce($2, 'infinity'::timestamptz)"
    " ORDER BY usage_point, since, recorded_at DESC"
)


class Virtual(KernelStore):
    """The virtual usage points."""

    async def lock_virtual(self) -> None:
        """Let nobody else say what a usage point is made of until this is done: two words together may be a cycle."""
        await self.lock("SELECT pg_advisory_xact_lock(hashtextextended('virtual', 0))")

    async def virtual_points(self, points: Iterable[str]) -> set[str]:
        """Those of the usage points that are virtual, or ever were."""
        rows = await self.fetch(
            "SELECT DISTINCT usage_point FROM virtual_point WHERE usage_point = ANY($1)", sorted(set(points))
        )
        return {row["usage_point"] for row in rows}

    async def formulas(self, point: str, as_of: datetime | None) -> list[Formula]:
        """What a usage point is made of, and what its members are made of, as it was known ``as_of`` a time."""
        found: list[Formula] = []
        wanted, seen = {point}, set[str]()
        while wanted:
            rows = await self.fetch(_KNOWN, sorted(wanted), as_of)
            new = [formula_of(json.decode(row["noun"], type=UsagePoint)) for row in rows]
            seen |= wanted
            wanted = {member for each in new for member, _ in each.members} - seen
            found += new
        return found

    async def save_virtual(self, point: UsagePoint, now: datetime) -> None:
        """Keep what a usage point is made of from its time on."""
        await self.execute(
            "INSERT INTO virtual_point (usage_point, since, recorded_at, noun) VALUES ($1, $2, $3, $4)"
            " ON CONFLICT (usage_point, since, recorded_at) DO UPDATE SET noun = excluded.noun",
            point.mrid,
            effective_at(point),
            now,
            json.encode(point).decode(),
        )
