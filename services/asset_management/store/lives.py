"""The facts of lives and the history that follows from them; locations and what else happened, each with its time."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec import json

from contracts.nouns.assets import AssetLocation
from contracts.nouns.device_types import ActivityRecord
from services.asset_management.domain.history import Fact, History, Span
from services.asset_management.domain.lifecycle import State
from services.asset_management.domain.records import Activity, Placement, Told
from shared.store import Record as Row
from shared.store import Store as KernelStore


class Lives(KernelStore):
    """The tables ``fact``, ``span``, ``placement`` and ``activity``."""

    async def facts_around(self, told: Iterable[Fact], assets: Iterable[str] = ()) -> list[Fact]:
        """All facts that have to do with each other and with what is told, however far the chain goes."""
        names = {name for fact in told for name in (fact.asset, fact.replaces, fact.position)} | set(assets)
        while True:
            rows = await self.fetch(
                "SELECT asset, position, replaces, moved_out, body FROM fact WHERE asset = ANY($1)"
                " OR replaces = ANY($1) OR moved_out = ANY($1) OR position = ANY($1)",
                sorted(name for name in names if name is not None),
            )
            found = {row[column] for row in rows for column in ("asset", "position", "replaces", "moved_out")} - {None}
            if found <= names:
                return [json.decode(row["body"], type=Fact) for row in rows]
            names |= found

    async def save_facts(self, facts: Sequence[Fact], now: datetime) -> None:
        """Keep facts; one that is known already stays as it is."""
        await self.executemany(
            "INSERT INTO fact (id, asset, position, replaces, at, recorded_at, body)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING",
            [
                (each.id, each.asset, each.position, each.replaces, each.at, now, json.encode(each).decode())
                for each in facts
            ],
        )

    async def save_history(self, history: History, facts: Iterable[Fact], now: datetime) -> set[str]:
        """Make what is known of lives follow from facts; the assets of whom something else is known now."""
        await self.executemany(
            "UPDATE fact SET refused = $2, moved_out = $3 WHERE id = $1"
            " AND (refused IS DISTINCT FROM $2 OR moved_out IS DISTINCT FROM $3)",
            [(each.id, history.refused.get(each.id), history.moved_out.get(each.id)) for each in facts],
        )
        after = {span for spans in history.spans.values() for span in spans}
        rows = await self.fetch(
            "SELECT asset, state, position, starts, ends FROM span WHERE asset = ANY($1) AND known_until IS NULL",
            sorted(history.spans),
        )
        before = set(map(_span, rows))
        await self.executemany(
            "UPDATE span SET known_until = $3 WHERE asset = $1 AND starts = $2 AND known_until IS NULL",
            [(each.asset, each.starts, now) for each in before - after],
        )
        await self.executemany(
            "INSERT INTO span (asset, state, position, starts, ends, known_from) VALUES ($1, $2, $3, $4, $5, $6)",
            [(each.asset, each.state.value, each.position, each.starts, each.ends, now) for each in after - before],
        )
        return {span.asset for span in before ^ after}

    async def spans(self, assets: Iterable[str], known_at: datetime | None = None) -> dict[str, list[Span]]:
        """The spans of assets in time, as they are known or were known at an instant."""
        rows = await self.fetch(
            "SELECT asset, state, position, starts, ends FROM span WHERE asset = ANY($1)"
            " AND CASE WHEN $2::timestamptz IS NULL THEN known_until IS NULL"
            " ELSE known_from <= $2 AND (known_until IS NULL OR known_until > $2) END ORDER BY asset, starts",
            sorted(assets),
            known_at,
        )
        found: dict[str, list[Span]] = {}
        for row in rows:
            found.setdefault(row["asset"], []).append(_span(row))
        return found

    async def assets_at(self, positions: Sequence[str], at: datetime) -> list[str]:
        """The assets that are at these positions at an instant."""
        rows = await self.fetch(
            "SELECT asset FROM span WHERE position = ANY($1) AND starts <= $2 AND (ends IS NULL OR ends > $2)"
            " AND known_until IS NULL ORDER BY asset",
            positions,
            at,
        )
        return [row["asset"] for row in rows]

    async def ever_at(self, positions: Sequence[str]) -> set[str]:
        """Those of the positions that any asset was ever told to be at."""
        rows = await self.fetch(
            "SELECT DISTINCT position FROM fact WHERE position = ANY($1)"
            " UNION SELECT position FROM span WHERE position = ANY($1)",
            positions,
        )
        return {row["position"] for row in rows}

    async def built_in_at(self, positions: Sequence[str]) -> set[str]:
        """The assets at these positions of which it was told that they were built in there."""
        rows = await self.fetch(
            "SELECT DISTINCT s.asset FROM span s JOIN fact f ON f.asset = s.asset AND f.body ->> 'event' = 'installed'"
            " WHERE s.position = ANY($1) AND s.known_until IS NULL",
            positions,
        )
        return {row["asset"] for row in rows}

    async def save_placements(self, placements: Sequence[Placement], now: datetime) -> None:
        """Keep where assets are from when on."""
        await self.executemany(
            "INSERT INTO placement (asset, since, recorded_at, location, noun) VALUES ($1, $2, $3, $4, $5)"
            " ON CONFLICT DO NOTHING",
            [
                (each.asset, each.since, now, each.location.mrid, json.encode(each.location).decode())
                for each in placements
            ],
        )

    async def placements(self, assets: Iterable[str], at: datetime, known_at: datetime) -> dict[str, AssetLocation]:
        """Where assets are at an instant, by what was known at another."""
        rows = await self.fetch(
            "SELECT DISTINCT ON (asset) asset, noun FROM placement WHERE asset = ANY($1) AND since <= $2"
            " AND recorded_at <= $3 ORDER BY asset, since DESC, recorded_at DESC",
            sorted(assets),
            at,
            known_at,
        )
        return {row["asset"]: json.decode(row["noun"], type=AssetLocation) for row in rows}

    async def assets_in(self, locations: Sequence[str], at: datetime) -> list[str]:
        """The assets at these locations at an instant."""
        rows = await self.fetch(
            "SELECT asset FROM (SELECT DISTINCT ON (asset) asset, location FROM placement"
            " WHERE asset IN (SELECT asset FROM placement WHERE location = ANY($1)) AND since <= $2"
            " ORDER BY asset, since DESC, recorded_at DESC) now WHERE location = ANY($1) ORDER BY asset",
            locations,
            at,
        )
        return [row["asset"] for row in rows]

    async def known_locations(self, mrids: Sequence[str]) -> set[str]:
        """Those that are locations of assets, now or once."""
        rows = await self.fetch("SELECT DISTINCT location FROM placement WHERE location = ANY($1)", mrids)
        return {row["location"] for row in rows}

    async def save_activities(self, activities: Sequence[Activity], now: datetime) -> None:
        """Keep what happened; what is told again changes nothing."""
        places: dict[str, int] = {}
        rows = []
        for each in activities:
            places[each.source] = place = places.get(each.source, 0) + 1
            told = each.record
            rows.append(
                (
                    each.source,
                    place,
                    each.asset,
                    each.position,
                    each.at,
                    now,
                    told.type or "remark",
                    told.reason,
                    told.severity,
                )
            )
        await self.executemany(
            "INSERT INTO activity (source, place, asset, position, at, recorded_at, type, reason, severity)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
            rows,
        )

    async def activities(
        self, assets: Iterable[str], at: datetime, known_at: datetime
    ) -> dict[str, list[ActivityRecord]]:
        """What happened to assets, or at positions while they were there, until an instant."""
        rows = await self.fetch(
            "SELECT asset, at, type, reason, severity FROM activity"
            " WHERE asset = ANY($1) AND at <= $2 AND recorded_at <= $3"
            " UNION ALL SELECT s.asset, a.at, a.type, a.reason, a.severity FROM span s JOIN activity a"
            "  ON a.position = s.position AND a.at >= s.starts AND (s.ends IS NULL OR a.at < s.ends)"
            "  WHERE s.asset = ANY($1) AND s.known_until IS NULL AND a.at <= $2 AND a.recorded_at <= $3"
            " ORDER BY at, type, reason",
            sorted(assets),
            at,
            known_at,
        )
        found: dict[str, list[ActivityRecord]] = {}
        for row in rows:
            record = ActivityRecord(
                created_date_time=row["at"], reason=row["reason"], severity=row["severity"], type=row["type"]
            )
            found.setdefault(row["asset"], []).append(record)
        return found

    async def last_activity(self, asset: str, kind: str, at: datetime) -> datetime | None:
        """When something of a kind last happened to an asset until an instant."""
        found: datetime | None = await self.fetchval(
            "SELECT max(at) FROM activity WHERE asset = $1 AND type = $2 AND at <= $3", asset, kind, at
        )
        return found

    async def told_facts(self, assets: Iterable[str], at: datetime, known_at: datetime) -> dict[str, list[Told]]:
        """The facts of assets until an instant, with what became of them: their own, and those that moved them out."""
        wanted = sorted(assets)
        rows = await self.fetch(
            "SELECT asset, body, refused, moved_out FROM fact WHERE (asset = ANY($1) OR moved_out = ANY($1))"
            " AND at <= $2 AND recorded_at <= $3 ORDER BY at, id",
            wanted,
            at,
            known_at,
        )
        found: dict[str, list[Told]] = {mrid: [] for mrid in wanted}
        for row in rows:
            fact = json.decode(row["body"], type=Fact)
            told = Told(fact=fact, refused=row["refused"], moved_out=row["moved_out"])
            for mrid in {row["asset"], row["moved_out"]} & found.keys():
                found[mrid].append(told)
        return found


def _span(row: Row) -> Span:
    return Span(
        asset=row["asset"],
        state=State(row["state"]),
        starts=row["starts"],
        ends=row["ends"],
        position=row["position"],
    )
