"""The versions of the model, the feeders of the active one and the differences between them."""

from collections.abc import Mapping, Sequence

from msgspec import Struct, json
from msgspec.structs import replace

from contracts.nouns.electrical_models import ElectricalModel
from contracts.nouns.feeder_topology import Feeder
from contracts.nouns.network_differences import NetworkDifference
from contracts.nouns.network_models import NetworkModel
from services.network_model_management.domain.derivation import Import
from services.network_model_management.domain.model import Finding
from services.network_model_management.domain.parts import parts_of
from services.network_model_management.domain.versions import superseded
from shared.store import Record
from shared.store import Store as KernelStore


class Version(Struct, frozen=True, kw_only=True):
    """One version: how it is told, the SHA-256 of what was offered in hexadecimal digits, and what was assumed."""

    revision: int
    model: NetworkModel
    sha256: str
    findings: tuple[Finding, ...] = ()


class Applied(Struct, frozen=True, kw_only=True):
    """A difference that made a version: how it is told, and its statements."""

    difference: NetworkDifference
    forward: bytes
    reverse: bytes


class Store(KernelStore):
    """What network model management keeps."""

    async def active(self) -> Version | None:
        """The version in use, or None before the first import."""
        row = await self.fetchrow("SELECT revision, sha256, noun, findings FROM model ORDER BY revision DESC LIMIT 1")
        return None if row is None else _version(row)

    async def versions(self) -> tuple[Version, ...]:
        """All versions, the active one first."""
        rows = await self.fetch("SELECT revision, sha256, noun, findings FROM model ORDER BY revision DESC")
        active, earlier = rows[:1], rows[1:]
        return (*map(_version, active), *(_superseded(_version(row)) for row in earlier))

    async def document(self, revision: int) -> bytes:
        """The document of a version."""
        document: bytes = await self.fetchval("SELECT document FROM model WHERE revision = $1", revision)
        return document

    async def identities(self) -> dict[str, str]:
        """The mRID by which each object is known, by that of the documents; of those that have two."""
        rows = await self.fetch("SELECT document_mrid, mrid FROM identity")
        return {row["document_mrid"]: row["mrid"] for row in rows}

    async def keep_identities(self, identities: Mapping[str, str]) -> None:
        """Keep these, and no others."""
        await self.execute("DELETE FROM identity")
        await self.executemany("INSERT INTO identity (document_mrid, mrid) VALUES ($1, $2)", list(identities.items()))

    async def activate(self, version: Version, document: bytes, result: Import, applied: Applied | None = None) -> bool:
        """Keep a new version and make it the active one; False when another took its revision meanwhile."""
        kept = await self.lock(
            "INSERT INTO model (revision, mrid, sha256, noun, document, findings) VALUES ($1, $2, $3, $4, $5, $6)"
            " ON CONFLICT (revision) DO NOTHING RETURNING revision",
            version.revision,
            version.model.mrid,
            version.sha256,
            json.encode(version.model).decode(),
            document,
            json.encode(version.findings).decode(),
        )
        if kept is None:
            return False
        await self.execute("DELETE FROM feeder")
        await self.executemany(
            "INSERT INTO feeder (mrid, place, noun) VALUES ($1, $2, $3)",
            [(feeder.mrid, place, json.encode(feeder).decode()) for place, feeder in enumerate(result.feeders)],
        )
        await self.execute("DELETE FROM electrical")
        await self.executemany(
            "INSERT INTO electrical (mrid, part, noun) VALUES ($1, $2, $3)",
            [
                (model.mrid, number, json.encode(part).decode())
                for model in result.electrical
                for number, part in enumerate(parts_of(model))
            ],
        )
        if applied is not None:
            await self.execute(
                "INSERT INTO difference (revision, mrid, noun, forward, reverse) VALUES ($1, $2, $3, $4, $5)",
                version.revision,
                applied.difference.mrid,
                json.encode(applied.difference).decode(),
                applied.forward,
                applied.reverse,
            )
        return True

    async def feeders(self, mrids: Sequence[str]) -> tuple[Feeder, ...]:
        """The feeders of the active model: those named, or all when none is named."""
        rows = await self.fetch("SELECT noun FROM feeder WHERE $1 OR mrid = ANY($2) ORDER BY place", not mrids, mrids)
        return tuple(json.decode(row["noun"], type=Feeder) for row in rows)

    async def electrical(self, mrids: Sequence[str]) -> tuple[ElectricalModel, ...]:
        """The electrical data of the feeders named, or of all when none is named, in parts."""
        rows = await self.fetch(
            "SELECT electrical.noun FROM electrical JOIN feeder USING (mrid)"
            " WHERE $1 OR mrid = ANY($2) ORDER BY place, part",
            not mrids,
            mrids,
        )
        return tuple(json.decode(row["noun"], type=ElectricalModel) for row in rows)

    async def differences(self) -> tuple[NetworkDifference, ...]:
        """All differences that were applied, the last one first, without their statements."""
        rows = await self.fetch("SELECT noun FROM difference ORDER BY revision DESC")
        return tuple(json.decode(row["noun"], type=NetworkDifference) for row in rows)

    async def difference(self, mrid: str) -> Applied | None:
        """A difference with its statements, as it was applied last."""
        row = await self.fetchrow(
            "SELECT noun, forward, reverse FROM difference WHERE mrid = $1 ORDER BY revision DESC LIMIT 1", mrid
        )
        if row is None:
            return None
        told = json.decode(row["noun"], type=NetworkDifference)
        return Applied(difference=told, forward=row["forward"], reverse=row["reverse"])


def _version(row: Record) -> Version:
    return Version(
        revision=row["revision"],
        model=json.decode(row["noun"], type=NetworkModel),
        sha256=row["sha256"],
        findings=json.decode(row["findings"], type=tuple[Finding, ...]),
    )


def _superseded(version: Version) -> Version:
    return replace(version, model=superseded(version.model))
