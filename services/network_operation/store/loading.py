"""What the power flow needs and what it found."""

from collections.abc import Iterable

from msgspec import json

from services.network_operation.domain.feeder_flow import FeederFlow, LastFlow
from services.network_operation.domain.interruptions import Interruption
from shared.store import Store as KernelStore


class Loading(KernelStore):
    """Electrical data, interruptions and the last power flow of each feeder."""

    async def kept_electrical(self, revision: int) -> bytes | None:
        """The electrical data of a revision of the model, from the table; None until they were asked for."""
        data: bytes | None = await self.fetchval("SELECT data FROM electrical WHERE model_revision = $1", revision)
        return data

    async def save_electrical(self, revision: int, data: bytes) -> None:
        """Keep the electrical data of a revision of the model instead of all others."""
        await self.execute("DELETE FROM electrical WHERE model_revision <> $1", revision)
        await self.execute("INSERT INTO electrical VALUES ($1, $2) ON CONFLICT DO NOTHING", revision, data)

    async def interruptions(self) -> tuple[Interruption, ...]:
        """The interruptions that loads feel."""
        rows = await self.fetch("SELECT value FROM interruption ORDER BY number")
        return tuple(json.decode(row["value"], type=Interruption) for row in rows)

    async def keep_interruptions(self, known: Iterable[Interruption]) -> None:
        """Keep these interruptions and no other."""
        await self.execute("DELETE FROM interruption")
        await self.executemany(
            "INSERT INTO interruption (value) VALUES ($1)", [(json.encode(each).decode(),) for each in known]
        )

    async def last_flows(self, feeders: Iterable[str]) -> tuple[LastFlow, ...]:
        """What is known of these feeders, in their order."""
        rows = await self.fetch("SELECT value FROM feeder_flow")
        known = {each.feeder: each for row in rows for each in (json.decode(row["value"], type=LastFlow),)}
        return tuple(known.get(feeder, LastFlow(feeder=feeder)) for feeder in feeders)

    async def save_flows(self, flows: Iterable[FeederFlow]) -> None:
        """Keep a new power flow of some feeders; the last good one stays where it failed."""
        new = {each.feeder: each for each in flows}
        kept = [each.after(new[each.feeder]) for each in await self.last_flows(sorted(new))]
        await self.executemany(
            "INSERT INTO feeder_flow (feeder, value) VALUES ($1, $2)"
            " ON CONFLICT (feeder) DO UPDATE SET value = excluded.value",
            [(each.feeder, json.encode(each).decode()) for each in kept],
        )
