"""The live feeders, the positions of switches and the switching plans."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import json

from contracts.nouns.feeder_topology import Feeder
from contracts.nouns.switching_events import SwitchingEvent
from contracts.nouns.switching_plans import SwitchingPlan
from services.network_operation.domain.switching import is_under_way
from services.network_operation.domain.topology import Position
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
        noun = await self.fetchval("SELECT noun FROM plan WHERE mrid = $1", mrid)
        return None if noun is None else json.decode(noun, type=SwitchingPlan)

    async def plans_under_way(self) -> tuple[SwitchingPlan, ...]:
        """The plans that have not ended."""
        rows = await self.fetch("SELECT noun FROM plan WHERE under_way ORDER BY mrid")
        return tuple(json.decode(row["noun"], type=SwitchingPlan) for row in rows)

    async def save_plan(self, plan: SwitchingPlan) -> None:
        """Keep a plan, new or changed."""
        await self.execute(
            "INSERT INTO plan (mrid, under_way, noun) VALUES ($1, $2, $3)"
            " ON CONFLICT (mrid) DO UPDATE SET under_way = excluded.under_way, noun = excluded.noun",
            plan.mrid,
            is_under_way(plan),
            json.encode(plan).decode(),
        )
