"""Maintenance plans and what was called by them."""

from collections.abc import Sequence

from msgspec import json

from contracts.nouns.maintenance_plans import MaintenancePlan
from services.asset_management.domain.plans import Plan
from services.asset_management.domain.records import KeptPlan
from shared.store import Record
from shared.store import Store as KernelStore


class Upkeep(KernelStore):
    """The table ``plan``."""

    async def plan(self, mrid: str) -> KeptPlan | None:
        """One plan."""
        row = await self.fetchrow("SELECT revision, digest, body, noun FROM plan WHERE mrid = $1", mrid)
        return None if row is None else _kept(row)

    async def plans(self, ids: Sequence[str]) -> list[KeptPlan]:
        """The plans of these mRIDs or for these assets; where none is named all that are not retired."""
        rows = await self.fetch(
            "SELECT revision, digest, body, noun FROM plan WHERE mrid = ANY($1) OR asset = ANY($1)"
            " OR (cardinality($1::text[]) = 0 AND state <> 'RETIRED') ORDER BY mrid",
            ids,
        )
        return [_kept(row) for row in rows]

    async def plans_for(self, asset: str) -> list[KeptPlan]:
        """The plans for an asset that are not retired."""
        rows = await self.fetch(
            "SELECT revision, digest, body, noun FROM plan WHERE asset = $1 AND state <> 'RETIRED' ORDER BY mrid",
            asset,
        )
        return [_kept(row) for row in rows]

    async def plans_at(self, site: str) -> list[KeptPlan]:
        """The plans of a site that may be called."""
        rows = await self.fetch(
            "SELECT revision, digest, body, noun FROM plan WHERE site = $1 AND state IN ('ACTIVE', 'DUE')"
            " ORDER BY mrid",
            site,
        )
        return [_kept(row) for row in rows]

    async def plans_called(self, call: str) -> list[KeptPlan]:
        """The plans that were called by a work."""
        rows = await self.fetch("SELECT revision, digest, body, noun FROM plan WHERE call = $1 ORDER BY mrid", call)
        return [_kept(row) for row in rows]

    async def save_plan(self, kept: KeptPlan) -> None:
        """Keep a plan, new or changed."""
        plan = kept.plan
        await self.execute(
            "INSERT INTO plan (mrid, asset, site, state, call, revision, digest, body, noun)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (mrid) DO UPDATE SET site = excluded.site,"
            " state = excluded.state, call = excluded.call, revision = excluded.revision, body = excluded.body,"
            " noun = excluded.noun",
            plan.mrid,
            plan.asset,
            plan.site,
            plan.state.value,
            plan.call,
            kept.revision,
            kept.digest,
            json.encode(plan).decode(),
            json.encode(kept.noun).decode(),
        )


def _kept(row: Record) -> KeptPlan:
    return KeptPlan(
        plan=json.decode(row["body"], type=Plan),
        noun=json.decode(row["noun"], type=MaintenancePlan),
        revision=row["revision"],
        digest=row["digest"],
    )
