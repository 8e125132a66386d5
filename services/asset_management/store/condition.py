"""Inspections and tests with what they found, the scores that follow, and what is wrong."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec import json

from contracts.nouns.analytic_scores import AnalyticScores
from contracts.nouns.procedure_data_sets import InspectionState, ProcedureDataSet
from contracts.nouns.test_results import TestDataSet
from services.asset_management.domain.assessment import Observation
from services.asset_management.domain.gases import Sample
from services.asset_management.domain.health_events import HealthEvent
from services.asset_management.domain.records import Inspection, Scored
from shared.store import Record
from shared.store import Store as KernelStore


class Condition(KernelStore):
    """The tables ``data_set``, ``test_data_set``, ``observation``, ``oil_sample``, ``score`` and ``health_event``."""

    async def inspection(self, mrid: str) -> Inspection | None:
        """One data set."""
        row = await self.fetchrow("SELECT state, revision, digest, at, noun FROM data_set WHERE mrid = $1", mrid)
        return None if row is None else _inspection(row)

    async def inspections(
        self, ids: Sequence[str], start: datetime | None, end: datetime | None
    ) -> list[ProcedureDataSet]:
        """Data sets of these mRIDs or of these assets, or all, in a time."""
        rows = await self.fetch(_OF_TIME.format(table="data_set"), ids, start, end)
        return [json.decode(row["noun"], type=ProcedureDataSet) for row in rows]

    async def save_inspection(self, kept: Inspection) -> None:
        """Keep a data set, new or changed."""
        noun = kept.noun
        await self.execute(
            "INSERT INTO data_set (mrid, asset, state, at, revision, digest, noun) VALUES ($1, $2, $3, $4, $5, $6, $7)"
            " ON CONFLICT (mrid) DO UPDATE SET state = excluded.state, at = excluded.at, revision = excluded.revision,"
            " noun = excluded.noun",
            noun.mrid,
            noun.asset.mrid,
            kept.state.value,
            kept.at,
            kept.revision,
            kept.digest,
            json.encode(noun).decode(),
        )

    async def test_digest(self, mrid: str) -> str | None:
        """What was sent of a test, if it is known."""
        found: str | None = await self.fetchval("SELECT digest FROM test_data_set WHERE mrid = $1", mrid)
        return found

    async def tests(self, ids: Sequence[str], start: datetime | None, end: datetime | None) -> list[TestDataSet]:
        """Tests of these mRIDs or of these assets, or all, in a time."""
        rows = await self.fetch(_OF_TIME.format(table="test_data_set"), ids, start, end)
        return [json.decode(row["noun"], type=TestDataSet) for row in rows]

    async def save_test(self, noun: TestDataSet, at: datetime, digest: str) -> None:
        """Keep a test."""
        await self.execute(
            "INSERT INTO test_data_set (mrid, asset, type, at, digest, noun) VALUES ($1, $2, $3, $4, $5, $6)",
            noun.mrid,
            noun.asset.mrid,
            noun.type or "",
            at,
            digest,
            json.encode(noun).decode(),
        )

    async def was_tested(self, asset: str, kind: str, until: datetime) -> bool:
        """True when a test of a kind was made on an asset until an instant."""
        sql = "SELECT EXISTS (SELECT FROM test_data_set WHERE asset = $1 AND type = $2 AND at <= $3)"
        return bool(await self.fetchval(sql, asset, kind, until))

    async def save_observations(self, asset: str, source: str, seen: Sequence[Observation], now: datetime) -> None:
        """Keep what was seen; what is told again changes nothing."""
        await self.executemany(
            "INSERT INTO observation (source, place, asset, name, at, recorded_at, word, number)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
            [
                (source, place, asset, each.name, each.at, now, each.word, each.number)
                for place, each in enumerate(seen, start=1)
            ],
        )

    async def newest(
        self, assets: Iterable[str], at: datetime, known_at: datetime
    ) -> dict[str, tuple[Observation, ...]]:
        """The newest of each thing that was seen of assets until an instant, by what was known at another."""
        rows = await self.fetch(
            "SELECT DISTINCT ON (asset, name) asset, name, at, word, number FROM observation WHERE asset = ANY($1)"
            " AND at <= $2 AND recorded_at <= $3 ORDER BY asset, name, at DESC, source DESC, place DESC",
            sorted(assets),
            at,
            known_at,
        )
        found: dict[str, list[Observation]] = {}
        for row in rows:
            seen = Observation(name=row["name"], at=row["at"], word=row["word"], number=row["number"])
            found.setdefault(row["asset"], []).append(seen)
        return {asset: tuple(seen) for asset, seen in found.items()}

    async def numbers(self, asset: str, names: Iterable[str]) -> list[Observation]:
        """All numbers that were seen of some things of an asset, in time."""
        rows = await self.fetch(
            "SELECT name, at, number FROM observation WHERE asset = $1 AND name = ANY($2) AND number IS NOT NULL"
            " ORDER BY at, name",
            asset,
            sorted(names),
        )
        return [Observation(name=row["name"], at=row["at"], number=row["number"]) for row in rows]

    async def save_sample(self, asset: str, source: str, sample: Sample, now: datetime) -> None:
        """Keep the gases of a sample of oil."""
        await self.execute(
            "INSERT INTO oil_sample (source, asset, at, recorded_at, gases) VALUES ($1, $2, $3, $4, $5)",
            source,
            asset,
            sample.taken_at,
            now,
            json.encode(sample.gases).decode(),
        )

    async def samples(self, asset: str, since: datetime | None, at: datetime, known_at: datetime) -> tuple[Sample, ...]:
        """The samples of an asset's oil after an instant and until another, in time."""
        rows = await self.fetch(
            "SELECT at, gases FROM oil_sample WHERE asset = $1 AND ($2::timestamptz IS NULL OR at > $2) AND at <= $3"
            " AND recorded_at <= $4 ORDER BY at, source",
            asset,
            since,
            at,
            known_at,
        )
        return tuple(Sample(taken_at=row["at"], gases=json.decode(row["gases"], type=dict[str, float])) for row in rows)

    async def last_effective(self, asset: str) -> datetime | None:
        """For when the newest score of an asset is."""
        found: datetime | None = await self.fetchval("SELECT max(effective_at) FROM score WHERE asset = $1", asset)
        return found

    async def last_score(self, asset: str) -> float | None:
        """The newest health score of an asset."""
        found: float | None = await self.fetchval(
            "SELECT value FROM score WHERE asset = $1 ORDER BY effective_at DESC, calculated_at DESC LIMIT 1", asset
        )
        return found

    async def save_score(self, scored: Scored, now: datetime) -> bool:
        """Keep a score; False when the same was counted from the same before."""
        row = await self.lock(
            "INSERT INTO score (asset, effective_at, calculated_at, inputs_hash, band, value, inputs, noun)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING RETURNING asset",
            scored.asset,
            scored.inputs.at,
            now,
            scored.inputs_hash,
            scored.band,
            scored.value,
            json.encode(scored.inputs).decode(),
            json.encode(scored.noun).decode(),
        )
        return row is not None

    async def scores(self, assets: Sequence[str], at: datetime) -> list[AnalyticScores]:
        """The newest scores of these assets, or of all, for an instant."""
        rows = await self.fetch(
            "SELECT DISTINCT ON (asset) noun FROM score WHERE (cardinality($1::text[]) = 0 OR asset = ANY($1))"
            " AND effective_at <= $2 ORDER BY asset, effective_at DESC, calculated_at DESC",
            assets,
            at,
        )
        return [json.decode(row["noun"], type=AnalyticScores) for row in rows]

    async def health_event(self, mrid: str) -> HealthEvent | None:
        """One health event."""
        body = await self.fetchval("SELECT body FROM health_event WHERE mrid = $1", mrid)
        return None if body is None else json.decode(body, type=HealthEvent)

    async def health_events(self, ids: Sequence[str]) -> list[HealthEvent]:
        """The health events of these mRIDs or of these assets; where none is named all that are not over."""
        rows = await self.fetch(
            "SELECT body FROM health_event WHERE mrid = ANY($1) OR asset = ANY($1)"
            " OR (cardinality($1::text[]) = 0 AND state NOT IN ('VERIFIED', 'CLOSED')) ORDER BY mrid",
            ids,
        )
        return [json.decode(row["body"], type=HealthEvent) for row in rows]

    async def open_events(self, asset: str) -> dict[str, HealthEvent]:
        """What is wrong with an asset and not over, by code."""
        rows = await self.fetch(
            "SELECT body FROM health_event WHERE asset = $1 AND state NOT IN ('VERIFIED', 'CLOSED') ORDER BY mrid",
            asset,
        )
        events = [json.decode(row["body"], type=HealthEvent) for row in rows]
        return {each.code: each for each in events}

    async def save_event(self, event: HealthEvent) -> None:
        """Keep a health event, new or changed."""
        await self.execute(
            "INSERT INTO health_event (mrid, asset, code, state, body) VALUES ($1, $2, $3, $4, $5)"
            " ON CONFLICT (mrid) DO UPDATE SET state = excluded.state, body = excluded.body",
            event.mrid,
            event.asset,
            event.code,
            event.state.value,
            json.encode(event).decode(),
        )


_OF_TIME = (
    "SELECT noun FROM {table} WHERE (cardinality($1::text[]) = 0 OR mrid = ANY($1) OR asset = ANY($1))"
    " AND ($2::timestamptz IS NULL OR at >= $2) AND ($3::timestamptz IS NULL OR at < $3) ORDER BY at, mrid"
)


def _inspection(row: Record) -> Inspection:
    return Inspection(
        noun=json.decode(row["noun"], type=ProcedureDataSet),
        state=InspectionState(row["state"]),
        revision=row["revision"],
        digest=row["digest"],
        at=row["at"],
    )
