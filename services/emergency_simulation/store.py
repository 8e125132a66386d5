"""The truth of the field and the storms, in tables; the network itself is read once for each process and revision."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec import Struct, json

from contracts.nouns.feeder_topology import FeederTopology
from contracts.nouns.training_scenarios import TrainingScenario
from services.emergency_simulation.domain.behaviour import Odds, Spell
from services.emergency_simulation.domain.network import Network, Operation
from services.emergency_simulation.domain.scenario import Fault, Outage, Standing
from shared.store import Record
from shared.store import Store as KernelStore


class Memory:
    """What one process keeps: how well the field can be seen, and the network of the revision that it read last."""

    def __init__(self, odds: Odds) -> None:
        self.odds = odds
        self.revision = 0
        self.network = Network(())


class Field(Struct, frozen=True, kw_only=True):
    """The one field: its network, what is open in it, and the seed of whatever happens by chance."""

    network: Network
    open: frozenset[str]
    seed: int
    odds: Odds


class Store(KernelStore):
    """What emergency simulation keeps."""

    memory: Memory

    async def field(self) -> Field:
        """The field as it is."""
        row = await self.fetchrow("SELECT revision, seed FROM field")
        return await self._field(row)

    async def lock_field(self) -> Field:
        """The field as it is, and nobody else changes it until this unit of work has ended."""
        return await self._field(await self.lock("SELECT revision, seed FROM field FOR UPDATE"))

    async def adopt(self, topology: FeederTopology) -> Field:
        """Take over a network; what exists already keeps its position and its history."""
        network = Network(topology.feeder)
        await self.execute("UPDATE field SET revision = revision + 1, topology = $1", json.encode(topology))
        await self.execute("DELETE FROM switch WHERE mrid <> ALL($1)", list(network.equipment))
        await self.executemany(
            "INSERT INTO switch (mrid, open) VALUES ($1, $2) ON CONFLICT (mrid) DO NOTHING",
            [
                (each.mrid, each.mrid in network.initially_open)
                for each in network.equipment.values()
                if each.normal_open is not None
            ],
        )
        await self.execute("DELETE FROM usage_point WHERE mrid <> ALL($1)", list(network.usage_points))
        await self.executemany(
            "INSERT INTO usage_point (mrid, customers) VALUES ($1, $2)"
            " ON CONFLICT (mrid) DO UPDATE SET customers = excluded.customers",
            [(point.mrid, point.customers) for point in network.usage_points.values()],
        )
        seed = await self.fetchval("SELECT seed FROM field")
        return Field(network=network, open=await self._open(), seed=seed, odds=self.memory.odds)

    async def move(self, operations: Iterable[Operation]) -> None:
        """Keep the new positions of devices."""
        await self.executemany(
            "INSERT INTO switch (mrid, open) VALUES ($1, $2) ON CONFLICT (mrid) DO UPDATE SET open = excluded.open",
            [(operation.device, operation.open) for operation in operations],
        )

    async def lose(self, points: Iterable[str], now: datetime) -> list[Spell]:
        """Usage points lose power; gives the spells in the dark that begin."""
        rows = await self.lock_all(
            "UPDATE usage_point SET dark = true, spells = spells + 1, lost_at = $2 WHERE mrid = ANY($1)"
            " RETURNING mrid, spells",
            list(points),
            now,
        )
        return _spells(rows, now)

    async def regain(self, points: Iterable[str], now: datetime) -> list[Spell]:
        """Usage points have power again; gives the spells with power that begin."""
        rows = await self.lock_all(
            "UPDATE usage_point SET dark = false WHERE mrid = ANY($1) RETURNING mrid, spells", list(points)
        )
        return _spells(rows, now)

    async def lasts(self, spell: Spell, *, dark: bool) -> bool:
        """True when a spell, in the dark or not, is still the present one."""
        row = await self.fetchrow("SELECT spells, dark FROM usage_point WHERE mrid = $1", spell.usage_point)
        return row is not None and (row["spells"], row["dark"]) == (spell.number, dark)

    async def has_power(self, point: str) -> bool:
        """True when a usage point that is in the field is not in the dark."""
        return bool(await self.fetchval("SELECT NOT dark FROM usage_point WHERE mrid = $1", point))

    async def standing(self, since: datetime) -> Standing:
        """How many customers are in the dark now, and how many lost power since then."""
        row = await self.fetchrow(
            "SELECT coalesce(sum(customers) FILTER (WHERE dark), 0)::integer AS customers_dark,"
            " coalesce(sum(customers) FILTER (WHERE lost_at >= $1), 0)::integer AS customers_interrupted"
            " FROM usage_point",
            since,
        )
        return Standing(**dict(row or {}))

    async def scenario(self, mrid: str) -> TrainingScenario | None:
        """One storm as it was last told."""
        return _scenario(await self.fetchrow("SELECT body FROM scenario WHERE mrid = $1", mrid))

    async def running_scenario(self) -> TrainingScenario | None:
        """The storm that is not over, if there is one."""
        return _scenario(await self.fetchrow("SELECT body FROM scenario WHERE NOT over"))

    async def scenarios(self, mrids: Sequence[str]) -> list[TrainingScenario]:
        """These storms, or all when none is named, in the order of their start."""
        rows = await self.fetch(
            "SELECT body FROM scenario WHERE $1::text[] = '{}' OR mrid = ANY($1) ORDER BY started_at, mrid", list(mrids)
        )
        return [json.decode(row["body"], type=TrainingScenario) for row in rows]

    async def keep(self, scenario: TrainingScenario, start: datetime, faults: Iterable[Fault]) -> None:
        """Keep a new storm with all its strokes to come."""
        await self.execute("UPDATE field SET seed = $1", scenario.seed)
        await self.execute(
            "INSERT INTO scenario (mrid, started_at, body) VALUES ($1, $2, $3)",
            scenario.mrid,
            start,
            json.encode(scenario),
        )
        await self.executemany(
            "INSERT INTO fault (mrid, scenario, equipment, cause, at) VALUES ($1, $2, $3, $4, $5)",
            [(fault.mrid, fault.scenario, fault.equipment, fault.cause, fault.at) for fault in faults],
        )

    async def save_scenario(self, scenario: TrainingScenario) -> None:
        """Keep a storm as it is told now; one with an end is over."""
        await self.execute(
            "UPDATE scenario SET body = $2, over = $3 WHERE mrid = $1",
            scenario.mrid,
            json.encode(scenario),
            scenario.end_time is not None,
        )

    async def fault(self, mrid: str) -> Fault:
        """The fault with this mRID, which exists."""
        return _fault(*await self.fetch("SELECT * FROM fault WHERE mrid = $1", mrid))

    async def faults(self, scenario: str) -> list[Fault]:
        """The faults of a storm in the order of their strokes, those to come included."""
        return [
            _fault(row) for row in await self.fetch("SELECT * FROM fault WHERE scenario = $1 ORDER BY at", scenario)
        ]

    async def struck_faults(self) -> list[Fault]:
        """All faults that have struck in any storm."""
        return [_fault(row) for row in await self.fetch("SELECT * FROM fault WHERE struck ORDER BY at")]

    async def save_fault(self, fault: Fault) -> None:
        """Keep what a fault did, or that it was repaired."""
        await self.execute(
            "UPDATE fault SET device = $2, dark = $3, struck = $4, repaired = $5 WHERE mrid = $1",
            fault.mrid,
            fault.device,
            list(fault.dark),
            fault.struck,
            fault.repaired,
        )

    async def outages(self, scenario: str) -> list[Outage]:
        """What was heard of outages during a storm."""
        rows = await self.fetch("SELECT * FROM outage WHERE scenario = $1 ORDER BY mrid", scenario)
        return [
            Outage(
                mrid=row["mrid"],
                devices=frozenset(row["devices"]),
                usage_points=frozenset(row["usage_points"]),
                closed=row["closed"],
            )
            for row in rows
        ]

    async def save_outage(self, scenario: str, revision: int, outage: Outage) -> None:
        """Keep what was said of an outage, unless something newer was; an empty list says nothing new."""
        await self.execute(
            "INSERT INTO outage AS known (mrid, scenario, revision, devices, usage_points, closed)"
            " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (mrid) DO UPDATE SET revision = excluded.revision,"
            " devices = CASE excluded.devices WHEN '{}' THEN known.devices ELSE excluded.devices END,"
            " usage_points = CASE excluded.usage_points WHEN '{}' THEN known.usage_points"
            " ELSE excluded.usage_points END,"
            " closed = excluded.closed WHERE known.revision < excluded.revision",
            outage.mrid,
            scenario,
            revision,
            sorted(outage.devices),
            sorted(outage.usage_points),
            outage.closed,
        )

    async def _field(self, row: Record | None) -> Field:
        revision, seed = (row["revision"], row["seed"]) if row else (0, 0)
        if revision != self.memory.revision:
            topology = await self.fetchval("SELECT topology FROM field")
            self.memory.network = Network(json.decode(topology, type=FeederTopology).feeder)
            self.memory.revision = revision
        return Field(network=self.memory.network, open=await self._open(), seed=seed, odds=self.memory.odds)

    async def _open(self) -> frozenset[str]:
        return frozenset(row["mrid"] for row in await self.fetch("SELECT mrid FROM switch WHERE open"))


def _spells(rows: Iterable[Record], now: datetime) -> list[Spell]:
    found = (Spell(usage_point=row["mrid"], number=row["spells"], since=now) for row in rows)
    return sorted(found, key=lambda spell: spell.usage_point)


def _scenario(row: Record | None) -> TrainingScenario | None:
    return None if row is None else json.decode(row["body"], type=TrainingScenario)


def _fault(row: Record) -> Fault:
    return Fault(**{**dict(row), "dark": tuple(row["dark"])})
