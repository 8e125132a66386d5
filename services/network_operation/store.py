"""The live feeders, the positions of switches, what hangs on them, and the switching plans."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import json

from contracts.nouns.feeder_topology import Feeder
from contracts.nouns.operational_tags import OperationalTag, OperationalTagState
from contracts.nouns.safety_documents import ClearanceDocument
from contracts.nouns.switching_events import SwitchingEvent, SwitchingEventType
from contracts.nouns.switching_plans import SwitchingPlan
from contracts.nouns.unplanned_outages import UnplannedOutage
from services.network_operation.domain.clearances import Clearance, Proof, is_over
from services.network_operation.domain.execution import is_under_way
from services.network_operation.domain.grid import Grid
from services.network_operation.domain.plans import Moved
from services.network_operation.domain.rules.move import Basis
from services.network_operation.domain.situation import FaultedArea, Situation
from services.network_operation.domain.steps import awaited, coming_devices
from services.network_operation.domain.study import with_rivals
from services.network_operation.domain.tags import state as tag_state
from services.network_operation.domain.temporary import Temporary
from services.network_operation.domain.topology import Position, Reclosing
from shared.store import Store as KernelStore


class Store(KernelStore):
    """What network operation keeps. Every write follows :meth:`lock_network` in the same transaction."""

    async def lock_network(self) -> int:
        """Wait until nobody else changes the network; the revision of the model in use, 0 before the first."""
        row = await self.lock("SELECT model_revision FROM network FOR UPDATE")
        revision: int = 0 if row is None else row["model_revision"]
        return revision

    async def feeders(self, mrids: Sequence[str] = ()) -> tuple[Feeder, ...]:
        """The feeders as they are now: those named, or all when none is named."""
        rows = await self.fetch("SELECT noun FROM feeder WHERE $1 OR mrid = ANY($2) ORDER BY place", not mrids, mrids)
        return tuple(json.decode(row["noun"], type=Feeder) for row in rows)

    async def save_feeders(self, feeders: Sequence[Feeder]) -> None:
        """Keep the new state of feeders that are known."""
        await self.executemany(
            "UPDATE feeder SET noun = $2 WHERE mrid = $1",
            [(feeder.mrid, json.encode(feeder).decode()) for feeder in feeders],
        )

    async def replace_feeders(self, feeders: Sequence[Feeder], model_revision: int) -> None:
        """Take the feeders of a new model for the old ones."""
        await self.execute("UPDATE network SET model_revision = $1", model_revision)
        await self.execute("DELETE FROM feeder")
        await self.executemany(
            "INSERT INTO feeder (mrid, place, noun) VALUES ($1, $2, $3)",
            [(feeder.mrid, place, json.encode(feeder).decode()) for place, feeder in enumerate(feeders)],
        )

    async def positions(self) -> dict[str, Position]:
        """The last operation of each switch that was heard of."""
        rows = await self.fetch("SELECT device, open, at FROM switch_position")
        return {row["device"]: Position(**row) for row in rows}

    async def position(self, device: str) -> Position | None:
        """The last operation of one switch."""
        row = await self.fetchrow("SELECT device, open, at FROM switch_position WHERE device = $1", device)
        return None if row is None else Position(**row)

    async def save_position(self, position: Position) -> None:
        """Keep the last operation of a switch."""
        await self.execute(
            "INSERT INTO switch_position (device, open, at) VALUES ($1, $2, $3)"
            " ON CONFLICT (device) DO UPDATE SET open = excluded.open, at = excluded.at",
            position.device,
            position.open,
            position.at,
        )

    async def last_operation(self, device: str, at: datetime) -> SwitchingEvent | None:
        """What a device did last until ``at``, that instant included."""
        noun = await self.fetchval(
            "SELECT noun FROM switching_event WHERE device = $1 AND at <= $2 AND noun ? 'kind'"
            " ORDER BY at DESC, number DESC LIMIT 1",
            device,
            at,
        )
        return None if noun is None else json.decode(noun, type=SwitchingEvent)

    async def add_event(self, event: SwitchingEvent) -> bool:
        """Keep what happened in the field; False when it is known already."""
        row = await self.lock(
            "INSERT INTO switching_event (mrid, device, at, noun) VALUES ($1, $2, $3, $4)"
            " ON CONFLICT DO NOTHING RETURNING mrid",
            event.mrid,
            event.operated_switch.mrid,
            event.created_date_time,
            json.encode(event).decode(),
        )
        return row is not None

    async def plan(self, mrid: str) -> SwitchingPlan | None:
        """One plan, whatever became of it."""
        known = await self.known_plan(mrid)
        return None if known is None else known.plan

    async def known_plan(self, mrid: str) -> Moved | None:
        """One plan with what it was checked against."""
        row = await self.fetchrow("SELECT noun, basis FROM plan WHERE mrid = $1", mrid)
        return None if row is None else _known(row)

    async def known_plans_under_way(self) -> tuple[Moved, ...]:
        """The plans that have not ended, with what they were checked against."""
        return tuple(map(_known, await self.fetch("SELECT noun, basis FROM plan WHERE under_way ORDER BY mrid")))

    async def plans_under_way(self) -> tuple[SwitchingPlan, ...]:
        """The plans that have not ended."""
        rows = await self.fetch("SELECT noun FROM plan WHERE under_way ORDER BY mrid")
        return tuple(json.decode(row["noun"], type=SwitchingPlan) for row in rows)

    async def plans_awaiting(self) -> tuple[SwitchingPlan, ...]:
        """The plans with a step that may still be carried out in the field."""
        rows = await self.fetch("SELECT noun FROM plan WHERE awaited ORDER BY mrid")
        return tuple(json.decode(row["noun"], type=SwitchingPlan) for row in rows)

    async def save_plan(self, plan: SwitchingPlan) -> None:
        """Keep a plan, new or changed."""
        await self.execute(
            "INSERT INTO plan (mrid, under_way, awaited, noun) VALUES ($1, $2, $3, $4)"
            " ON CONFLICT (mrid) DO UPDATE SET under_way = excluded.under_way, awaited = excluded.awaited,"
            " noun = excluded.noun",
            plan.mrid,
            is_under_way(plan),
            bool(awaited(plan)),
            json.encode(plan).decode(),
        )

    async def save_basis(self, plan: str, basis: Basis | None) -> None:
        """Keep what a plan was checked against."""
        await self.execute(
            "UPDATE plan SET basis = $2 WHERE mrid = $1", plan, None if basis is None else json.encode(basis).decode()
        )

    async def situation(self, own: str = "") -> Situation:
        """All that switching is judged by; ``own`` is the plan for which it is asked."""
        feeders = await self.feeders()
        situation = Situation(
            grid=Grid.of(feeders),
            model_version=feeders[0].model_version if feeders else "",
            clearances=await self.clearances(),
            faults=await self._faults(),
            proofs=await self.proofs(),
            reclosing=await self._reclosing(),
            tags=await self.tags(),
            temporaries=await self.temporaries(),
            tripped=await self._tripped(),
        )
        plans = [*await self.plans_under_way(), *await self.plans_awaiting()]
        return with_rivals(situation, ((plan.mrid, coming_devices(plan)) for plan in plans), own)

    async def tags(self) -> tuple[OperationalTag, ...]:
        """The tags that hang or are to hang."""
        rows = await self.fetch("SELECT noun FROM tag WHERE NOT removed ORDER BY mrid")
        return tuple(json.decode(row["noun"], type=OperationalTag) for row in rows)

    async def tag(self, mrid: str) -> OperationalTag | None:
        """One tag, whatever became of it."""
        noun = await self.fetchval("SELECT noun FROM tag WHERE mrid = $1", mrid)
        return None if noun is None else json.decode(noun, type=OperationalTag)

    async def save_tag(self, tag: OperationalTag) -> None:
        """Keep a tag, new or changed."""
        await self.execute(
            "INSERT INTO tag (mrid, removed, noun) VALUES ($1, $2, $3)"
            " ON CONFLICT (mrid) DO UPDATE SET removed = excluded.removed, noun = excluded.noun",
            tag.mrid,
            tag_state(tag) is OperationalTagState.REMOVED,
            json.encode(tag).decode(),
        )

    async def clearances(self) -> tuple[Clearance, ...]:
        """The clearances that are not over."""
        rows = await self.fetch("SELECT noun, zone FROM clearance WHERE NOT over ORDER BY mrid")
        return tuple(_clearance(row) for row in rows)

    async def clearance(self, mrid: str) -> Clearance | None:
        """One clearance, whatever became of it."""
        row = await self.fetchrow("SELECT noun, zone FROM clearance WHERE mrid = $1", mrid)
        return None if row is None else _clearance(row)

    async def save_clearance(self, clearance: Clearance) -> None:
        """Keep a clearance, new or changed."""
        await self.execute(
            "INSERT INTO clearance (mrid, over, zone, noun) VALUES ($1, $2, $3, $4)"
            " ON CONFLICT (mrid) DO UPDATE SET over = excluded.over, zone = excluded.zone, noun = excluded.noun",
            clearance.mrid,
            is_over(clearance),
            json.encode(clearance.zone).decode(),
            json.encode(clearance.document).decode(),
        )

    async def temporaries(self) -> tuple[Temporary, ...]:
        """The grounds, jumpers and cuts in place, in the order in which they were placed."""
        rows = await self.fetch("SELECT value FROM temporary ORDER BY number")
        return tuple(json.decode(row["value"], type=Temporary) for row in rows)

    async def place(self, each: Temporary) -> None:
        """Keep a temporary object."""
        await self.execute("INSERT INTO temporary (mrid, value) VALUES ($1, $2)", each.mrid, json.encode(each).decode())

    async def remove(self, mrid: str) -> None:
        """Forget a temporary object."""
        await self.execute("DELETE FROM temporary WHERE mrid = $1", mrid)

    async def proofs(self) -> tuple[Proof, ...]:
        """The sections that were tested dead."""
        rows = await self.fetch("SELECT value FROM proof ORDER BY mrid")
        return tuple(json.decode(row["value"], type=Proof) for row in rows)

    async def keep_proofs(self, proofs: Sequence[Proof]) -> None:
        """Keep these proofs and no other."""
        await self.execute("DELETE FROM proof WHERE mrid <> ALL($1)", [proof.mrid for proof in proofs])
        await self.executemany(
            "INSERT INTO proof (mrid, value) VALUES ($1, $2) ON CONFLICT (mrid) DO UPDATE SET value = excluded.value",
            [(proof.mrid, json.encode(proof).decode()) for proof in proofs],
        )

    async def save_reclosing(self, heard: Reclosing) -> None:
        """Keep what was last heard of a device's reclosing."""
        await self.execute(
            "INSERT INTO reclosing (device, enabled, at) VALUES ($1, $2, $3)"
            " ON CONFLICT (device) DO UPDATE SET enabled = excluded.enabled, at = excluded.at"
            " WHERE reclosing.at <= excluded.at",
            heard.device,
            heard.enabled,
            heard.at,
        )

    async def save_outage(self, outage: UnplannedOutage) -> None:
        """Keep what an outage means for switching, unless something newer is known of it."""
        area = FaultedArea.of(outage)
        await self.execute(
            "INSERT INTO outage (mrid, revision, area) VALUES ($1, $2, $3)"
            " ON CONFLICT (mrid) DO UPDATE SET revision = excluded.revision, area = excluded.area"
            " WHERE outage.revision < excluded.revision",
            outage.mrid,
            outage.revision_number,
            None if area is None else json.encode(area).decode(),
        )

    async def _faults(self) -> tuple[FaultedArea, ...]:
        rows = await self.fetch("SELECT area FROM outage WHERE area IS NOT NULL ORDER BY mrid")
        return tuple(json.decode(row["area"], type=FaultedArea) for row in rows)

    async def _reclosing(self) -> dict[str, bool]:
        rows = await self.fetch("SELECT device, enabled FROM reclosing")
        return {row["device"]: row["enabled"] for row in rows}

    async def _tripped(self) -> frozenset[str]:
        """The open devices whose last operation was one of protection."""
        rows = await self.fetch(
            "SELECT position.device FROM switch_position position CROSS JOIN LATERAL ("
            " SELECT noun ->> 'type' AS type FROM switching_event event"
            " WHERE event.device = position.device AND noun ? 'kind' ORDER BY at DESC, number DESC LIMIT 1) last"
            " WHERE position.open AND last.type = ANY($1)",
            [SwitchingEventType.TRIP.value, SwitchingEventType.LOCKOUT.value],
        )
        return frozenset(row["device"] for row in rows)


def _known(row: Any) -> Moved:
    basis = None if row["basis"] is None else json.decode(row["basis"], type=Basis)
    return Moved(plan=json.decode(row["noun"], type=SwitchingPlan), basis=basis)


def _clearance(row: Any) -> Clearance:
    return Clearance(
        document=json.decode(row["noun"], type=ClearanceDocument), zone=json.decode(row["zone"], type=tuple[str, ...])
    )
