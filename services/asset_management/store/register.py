"""The catalogue, and the assets as things: what is true of each whatever its state and wherever it is."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec import json

from contracts.nouns.asset_catalogue import CatalogAssetType
from contracts.nouns.assets import Asset
from services.asset_management.domain.records import Entry, Record
from shared.store import Store as KernelStore


class Register(KernelStore):
    """The tables ``catalogue_type``, ``product_model``, ``asset`` and ``asset_revision``."""

    async def lock_register(self) -> None:
        """Wait until nobody else changes what is kept."""
        await self.lock("UPDATE register SET changes = changes + 1 RETURNING changes")

    async def catalogue(self, mrids: Sequence[str]) -> list[CatalogAssetType]:
        """The types of the catalogue of these mRIDs, or with models of these; all where none is named."""
        rows = await self.fetch(
            "SELECT noun FROM catalogue_type WHERE cardinality($1::text[]) = 0 OR mrid = ANY($1)"
            " OR mrid IN (SELECT catalogue_type FROM product_model WHERE mrid = ANY($1)) ORDER BY mrid",
            mrids,
        )
        return [json.decode(row["noun"], type=CatalogAssetType) for row in rows]

    async def catalogue_digests(self, mrids: Iterable[str]) -> dict[str, str]:
        """What was sent of the types that are known."""
        rows = await self.fetch("SELECT mrid, digest FROM catalogue_type WHERE mrid = ANY($1)", sorted(mrids))
        return {row["mrid"]: row["digest"] for row in rows}

    async def save_types(self, types: Sequence[tuple[CatalogAssetType, str]]) -> None:
        """Keep types of the catalogue with their models, new or changed, each with its digest."""
        await self.executemany(
            "INSERT INTO catalogue_type (mrid, digest, noun) VALUES ($1, $2, $3)"
            " ON CONFLICT (mrid) DO UPDATE SET digest = excluded.digest, noun = excluded.noun",
            [(each.mrid, digest, json.encode(each).decode()) for each, digest in types],
        )
        await self.executemany(
            "INSERT INTO product_model (mrid, catalogue_type) VALUES ($1, $2)"
            " ON CONFLICT (mrid) DO UPDATE SET catalogue_type = excluded.catalogue_type",
            [(model.mrid, each.mrid) for each, _ in types for model in each.product_asset_model if model.mrid],
        )

    async def models(self, mrids: Iterable[str]) -> set[str]:
        """Which of these models the catalogue has."""
        rows = await self.fetch("SELECT mrid FROM product_model WHERE mrid = ANY($1)", sorted(mrids))
        return {row["mrid"] for row in rows}

    async def digests(self, mrids: Iterable[str]) -> dict[str, str]:
        """What was sent of the assets that are known."""
        rows = await self.fetch("SELECT mrid, digest FROM asset WHERE mrid = ANY($1)", sorted(mrids))
        return {row["mrid"]: row["digest"] for row in rows}

    async def serials(self, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
        """Who has these serial numbers already, by maker and number."""
        ordered = sorted(pairs)
        rows = await self.fetch(
            "SELECT a.maker, a.serial, a.mrid FROM asset a JOIN unnest($1::text[], $2::text[]) AS w (maker, serial)"
            " ON a.maker = w.maker AND a.serial = w.serial",
            [maker for maker, _ in ordered],
            [serial for _, serial in ordered],
        )
        return {(row["maker"], row["serial"]): row["mrid"] for row in rows}

    async def add_assets(self, entries: Sequence[Entry], now: datetime) -> None:
        """Keep new assets."""
        await self.executemany(
            "INSERT INTO asset (mrid, revision, maker, serial, type, digest, noun) VALUES ($1, 1, $2, $3, $4, $5, $6)",
            [
                (e.core.mrid, e.maker, e.core.serial_number, e.core.type, e.digest, json.encode(e.core).decode())
                for e in entries
            ],
        )
        await self._keep_revisions([each.core.mrid for each in entries], now)

    async def change_asset(self, entry: Entry) -> None:
        """Keep what is true of an asset now; the revision follows with :meth:`next_revisions`."""
        core = entry.core
        await self.execute(
            "UPDATE asset SET maker = $2, serial = $3, type = $4, noun = $5 WHERE mrid = $1",
            core.mrid,
            entry.maker,
            core.serial_number,
            core.type,
            json.encode(core).decode(),
        )

    async def next_revisions(self, mrids: Iterable[str], now: datetime) -> None:
        """Count changes of assets, each of which is told."""
        ordered = sorted(mrids)
        await self.execute("UPDATE asset SET revision = revision + 1 WHERE mrid = ANY($1)", ordered)
        await self._keep_revisions(ordered, now)

    async def _keep_revisions(self, mrids: Sequence[str], now: datetime) -> None:
        await self.execute(
            "INSERT INTO asset_revision (mrid, revision, recorded_at, noun)"
            " SELECT mrid, revision, $2, noun FROM asset WHERE mrid = ANY($1)",
            mrids,
            now,
        )

    async def records(self, mrids: Iterable[str], known_at: datetime | None = None) -> dict[str, Record]:
        """Assets as they are known, or as they were known at an instant."""
        rows = await self.fetch(
            "SELECT a.mrid, r.revision, a.digest, a.band, r.noun FROM asset a JOIN LATERAL ("
            "  SELECT revision, noun FROM asset_revision"
            "  WHERE mrid = a.mrid AND ($2::timestamptz IS NULL OR recorded_at <= $2) ORDER BY revision DESC LIMIT 1"
            ") r ON true WHERE a.mrid = ANY($1)",
            sorted(mrids),
            known_at,
        )
        return {
            row["mrid"]: Record(
                core=json.decode(row["noun"], type=Asset),
                revision=row["revision"],
                digest=row["digest"],
                band=row["band"],
            )
            for row in rows
        }

    async def assets_like(self, *, serial: str | None, asset_type: str | None) -> list[str]:
        """The assets of a serial number and a type; what is None does not matter."""
        rows = await self.fetch(
            "SELECT mrid FROM asset WHERE ($1::text IS NULL OR serial = $1)"
            " AND ($2::text IS NULL OR lower(type) = lower($2)) ORDER BY mrid",
            serial,
            asset_type,
        )
        return [row["mrid"] for row in rows]

    async def to_score(self, since: datetime, most: int) -> list[str]:
        """Assets that were not looked at since an instant, those never looked at first."""
        rows = await self.fetch(
            "SELECT mrid FROM asset WHERE scored_at IS NULL OR scored_at < $1"
            " ORDER BY scored_at NULLS FIRST, mrid LIMIT $2",
            since,
            most,
        )
        return [row["mrid"] for row in rows]

    async def mark_scored(self, bands: Iterable[tuple[str, str | None]], now: datetime) -> None:
        """Note that assets were looked at, with the band that each is in."""
        await self.executemany(
            "UPDATE asset SET scored_at = $2, band = coalesce($3, band) WHERE mrid = $1",
            [(mrid, now, band) for mrid, band in bands],
        )
