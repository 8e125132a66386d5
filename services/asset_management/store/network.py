"""The network that the assets stand in: its equipment as built, and when its nodes were live."""

from collections.abc import Iterable, Sequence

from services.asset_management.domain.places import Liveliness, Position
from shared.store import Store as KernelStore


class Network(KernelStore):
    """The tables ``equipment`` and ``liveness``."""

    async def replace_positions(self, positions: Sequence[Position]) -> None:
        """Keep the equipment of a model in the place of what was known before."""
        await self.execute("DELETE FROM equipment")
        rows = [
            (each.mrid, each.name, each.kind, each.feeder, each.node1, each.node2, each.customers, each.length_m)
            for each in sorted(positions, key=lambda each: each.mrid)
        ]
        await self.execute(
            "INSERT INTO equipment (mrid, name, kind, feeder, node1, node2, customers, length_m)"
            " SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int[],"
            " $8::float8[]) ON CONFLICT DO NOTHING",
            *([row[column] for row in rows] for column in range(8)),
        )

    async def positions(self, mrids: Iterable[str]) -> dict[str, Position]:
        """The equipment of these mRIDs that the model has."""
        rows = await self.fetch("SELECT * FROM equipment WHERE mrid = ANY($1)", sorted(mrids))
        return {row["mrid"]: Position(**row) for row in rows}

    async def has_network(self) -> bool:
        """True when a model was heard of."""
        return bool(await self.fetchval("SELECT EXISTS (SELECT FROM equipment)"))

    async def positions_on(self, nodes: Iterable[str]) -> list[str]:
        """The equipment that hangs at these nodes."""
        rows = await self.fetch(
            "SELECT mrid FROM equipment WHERE node1 = ANY($1) OR node2 = ANY($1) ORDER BY mrid", sorted(nodes)
        )
        return [row["mrid"] for row in rows]

    async def save_liveness(self, told: Sequence[Liveliness]) -> None:
        """Keep what was told of nodes; what is told again changes nothing."""
        await self.executemany(
            "INSERT INTO liveness (feeder, at, revision, live, dead) VALUES ($1, $2, $3, $4, $5)"
            " ON CONFLICT DO NOTHING",
            [(each.feeder, each.at, each.revision, each.live, each.dead) for each in told],
        )

    async def liveness(self, nodes: Iterable[str]) -> list[Liveliness]:
        """What was told of any of these nodes."""
        rows = await self.fetch("SELECT * FROM liveness WHERE live && $1 OR dead && $1", sorted(nodes))
        return [
            Liveliness(
                feeder=row["feeder"],
                at=row["at"],
                revision=row["revision"],
                live=tuple(row["live"]),
                dead=tuple(row["dead"]),
            )
            for row in rows
        ]
