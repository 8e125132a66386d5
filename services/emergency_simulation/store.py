"""The truth of the field and the storms, in tables; the network itself is read once for each process and revision.

Longer than 400 lines because the field is one, and so is the lock under which everything in it changes.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from msgspec import Struct, json, structs

from contracts.nouns.feeder_topology import FeederTopology
from contracts.nouns.meter_read_schedule import MeterReadSchedule
from contracts.nouns.scenario_scores import ScenarioScore
from contracts.nouns.training_scenarios import FaultKind, TrainingScenario
from services.emergency_simulation.domain.conditions import Conditions
from services.emergency_simulation.domain.crews import Crew, Place
from services.emergency_simulation.domain.faults import Fault
from services.emergency_simulation.domain.ledger import Darkness
from services.emergency_simulation.domain.meters import Radio, Spell
from services.emergency_simulation.domain.network import Network
from services.emergency_simulation.domain.protection import Outcome, Relay
from services.emergency_simulation.domain.reading import Habits
from services.emergency_simulation.domain.scenario import Outage, Said, Standing
from services.emergency_simulation.domain.software import Ills
from services.emergency_simulation.domain.supply import Supply
from shared.store import Record
from shared.store import Store as KernelStore


class Memory:
    """What one process keeps: how its field behaves, and what follows from the network of the revision it read last.

    The supply is no truth of its own: it is brought to whatever is open before it is used.
    """

    def __init__(self, settings: Conditions, habits: Habits, ills: Ills) -> None:
        self.settings = settings
        self.habits = habits
        self.ills = ills
        self.learn(0, Network(()))

    def learn(self, revision: int, network: Network) -> None:
        """Take over a network."""
        self.revision = revision
        self.network = network
        self.supply = Supply(network)
        self.radio = Radio(network)


class Field(Struct, frozen=True, kw_only=True):
    """The one field: its network, what is open in it on which phases, its behaviour and the seed of all chance."""

    network: Network
    supply: Supply
    radio: Radio
    open: dict[str, int]
    seed: int
    conditions: Conditions


class Store(KernelStore):
    """What emergency simulation keeps."""

    memory: Memory

    async def field(self) -> Field:
        """The field as it is."""
        return await self._field(await self.fetchrow("SELECT revision, seed, conditions FROM field"))

    async def lock_field(self) -> Field:
        """The field as it is, and nobody else changes it until this unit of work has ended."""
        return await self._field(await self.lock("SELECT revision, seed, conditions FROM field FOR UPDATE"))

    async def adopt(self, topology: FeederTopology) -> Field:
        """Take over a network; what exists already keeps its position and its history."""
        network = Network(topology.feeder)
        await self.execute("UPDATE field SET revision = revision + 1, topology = $1", json.encode(topology))
        await self.execute("DELETE FROM switch WHERE mrid <> ALL($1)", list(network.equipment))
        await self.executemany(
            "INSERT INTO switch (mrid, open_phases) VALUES ($1, $2) ON CONFLICT (mrid) DO NOTHING",
            [(mrid, network.normally.get(mrid, 0)) for mrid in network.mrids if network.is_switch(mrid)],
        )
        await self.execute("DELETE FROM usage_point WHERE mrid <> ALL($1)", list(network.usage_points))
        await self.executemany(
            "INSERT INTO usage_point (mrid, customers) VALUES ($1, $2)"
            " ON CONFLICT (mrid) DO UPDATE SET customers = excluded.customers",
            [(point.mrid, point.customers) for point in network.usage_points.values()],
        )
        row = await self.fetchrow("SELECT seed FROM field")
        return Field(
            network=network,
            supply=Supply(network),
            radio=Radio(network),
            open=await self._open(),
            seed=0 if row is None else row["seed"],
            conditions=self.memory.settings,
        )

    async def keep_order(self, ticket: str, mrid: str) -> None:
        """An order to a meter is on its way."""
        await self.execute("INSERT INTO meter_order (ticket, mrid) VALUES ($1, $2)", ticket, mrid)

    async def end_order(self, ticket: str) -> None:
        """It has reached the meter, or nobody."""
        await self.execute("DELETE FROM meter_order WHERE ticket = $1", ticket)

    async def cancel_orders(self, mrids: Iterable[str]) -> list[str]:
        """The tickets of those orders that were on their way and are no more."""
        rows = await self.lock_all("DELETE FROM meter_order WHERE mrid = ANY($1) RETURNING ticket", list(mrids))
        return sorted(row["ticket"] for row in rows)

    async def has_software(self, point: str, control: str) -> bool:
        """True when the meter of a usage point has taken the software of a control."""
        found: bool = await self.fetchval(
            "SELECT EXISTS (SELECT FROM software WHERE usage_point = $1 AND control = $2)", point, control
        )
        return found

    async def take_software(self, point: str, control: str, at: datetime, *, is_nameless: bool) -> None:
        """The meter of a usage point has taken the software of a control; with it, it may be nameless."""
        await self.execute(
            "INSERT INTO software (usage_point, control, taken_at, is_nameless) VALUES ($1, $2, $3, $4)",
            point,
            control,
            at,
            is_nameless,
        )

    async def nameless(self, points: Iterable[str]) -> set[str]:
        """The usage points of which the meter does not say which one it is, by the software that it took last."""
        rows = await self.fetch(
            "SELECT usage_point FROM (SELECT DISTINCT ON (usage_point) usage_point, is_nameless FROM software"
            " WHERE usage_point = ANY($1) ORDER BY usage_point, taken_at DESC) AS last WHERE is_nameless",
            sorted(set(points)),
        )
        return {row["usage_point"] for row in rows}

    async def open_disconnector(self, point: str, at: datetime) -> None:
        """The disconnect switch of a meter is opened, where it was closed."""
        await self.execute(
            "INSERT INTO disconnection (usage_point, began) VALUES ($1, $2) ON CONFLICT DO NOTHING", point, at
        )

    async def close_disconnector(self, point: str, at: datetime) -> None:
        """The disconnect switch of a meter is closed, where it was open."""
        await self.execute("UPDATE disconnection SET ended = $2 WHERE usage_point = $1 AND ended IS NULL", point, at)

    async def disconnected(self, points: Iterable[str]) -> frozenset[str]:
        """Those of the usage points whose disconnect switch is open."""
        rows = await self.fetch(
            "SELECT usage_point FROM disconnection WHERE ended IS NULL AND usage_point = ANY($1)", list(points)
        )
        return frozenset(row["usage_point"] for row in rows)

    async def disconnections(self, points: Iterable[str]) -> dict[str, list[Spell]]:
        """All times in which usage points were disconnected, oldest first."""
        rows = await self.fetch(
            "SELECT usage_point, 0 AS number, began, ended FROM disconnection WHERE usage_point = ANY($1)"
            " ORDER BY usage_point, began",
            list(points),
        )
        found: dict[str, list[Spell]] = {}
        for row in rows:
            found.setdefault(row["usage_point"], []).append(Spell(**dict(row)))
        return found

    async def keep_outcome(self, outcome: Outcome) -> None:
        """Keep the positions, memories, flags and faults that have changed."""
        moved = sorted({move.device for move in outcome.moves})
        if moved:
            await self.execute(
                "INSERT INTO switch (mrid, open_phases) SELECT * FROM unnest($1::text[], $2::integer[])"
                " ON CONFLICT (mrid) DO UPDATE SET open_phases = excluded.open_phases",
                moved,
                [outcome.opened.get(device, 0) for device in moved],
            )
        for relay in outcome.relays:
            await self.execute(
                "INSERT INTO relay (device, trips, moved_at, enabled) VALUES ($1, $2, $3, $4)"
                " ON CONFLICT (device) DO UPDATE"
                " SET trips = excluded.trips, moved_at = excluded.moved_at, enabled = excluded.enabled",
                *structs.astuple(relay),
            )
        if outcome.flags:
            shown = sorted({flag.indicator for flag in outcome.flags})
            await self.execute("INSERT INTO flag SELECT unnest($1::text[]) ON CONFLICT DO NOTHING", shown)
        for fault in outcome.faults:
            await self.save_fault(fault)

    async def lower_flags(self, live: Iterable[str]) -> list[str]:
        """Take back the flags of these indicators; gives those that showed."""
        rows = await self.lock_all("DELETE FROM flag WHERE indicator = ANY($1) RETURNING indicator", list(live))
        return sorted(row["indicator"] for row in rows)

    async def flags(self) -> list[str]:
        """The fault indicators that show."""
        return [row["indicator"] for row in await self.fetch("SELECT indicator FROM flag ORDER BY indicator")]

    async def relays(self) -> dict[str, Relay]:
        """What the devices remember that protect."""
        return {row["device"]: Relay(**dict(row)) for row in await self.fetch("SELECT * FROM relay")}

    async def lose(self, points: Iterable[str], at: datetime) -> None:
        """Usage points lose power."""
        await self.execute(
            "WITH gone AS (UPDATE usage_point SET dark = true, spells = spells + 1 WHERE mrid = ANY($1)"
            " RETURNING mrid, spells)"
            " INSERT INTO darkness (usage_point, number, began) SELECT mrid, spells, $2 FROM gone",
            list(points),
            at,
        )

    async def regain(self, points: Iterable[str], at: datetime) -> list[Spell]:
        """Usage points have power again; gives the times in the dark that have ended."""
        found = list(points)
        await self.execute("UPDATE usage_point SET dark = false WHERE mrid = ANY($1)", found)
        rows = await self.lock_all(
            "UPDATE darkness SET ended = $2 WHERE ended IS NULL AND usage_point = ANY($1) RETURNING darkness.*",
            found,
            at,
        )
        return sorted(Spell(**dict(row)) for row in rows)

    async def still_dark(self, began: datetime) -> list[Spell]:
        """The times in the dark that began at an instant and last."""
        rows = await self.fetch("SELECT * FROM darkness WHERE began = $1 AND ended IS NULL", began)
        return sorted(Spell(**dict(row)) for row in rows)

    async def spells(self, points: Iterable[str]) -> dict[str, list[Spell]]:
        """All times in the dark of usage points, oldest first."""
        rows = await self.fetch(
            "SELECT * FROM darkness WHERE usage_point = ANY($1) ORDER BY usage_point, number", list(points)
        )
        found: dict[str, list[Spell]] = {}
        for row in rows:
            found.setdefault(row["usage_point"], []).append(Spell(**dict(row)))
        return found

    async def darkness(self, since: datetime) -> list[Darkness]:
        """The ledger from a time on; who was disconnected when the lights went out had no interruption."""
        rows = await self.fetch(
            "SELECT usage_point, began, ended FROM darkness WHERE began >= $1 AND NOT EXISTS"
            " (SELECT FROM disconnection AS off WHERE off.usage_point = darkness.usage_point"
            " AND off.began <= darkness.began AND (off.ended IS NULL OR off.ended > darkness.began))",
            since,
        )
        return [Darkness(**dict(row)) for row in rows]

    async def standing(self, scenario: str) -> Standing:
        """What must come to nothing before a storm is over."""
        row = await self.fetchrow(
            "SELECT (SELECT coalesce(sum(customers), 0) FROM usage_point WHERE dark)::integer AS customers_dark,"
            " (SELECT count(*) FROM fault WHERE scenario = $1 AND NOT (struck AND repaired))::integer AS faults_open,"
            " (SELECT count(*) FROM outage WHERE scenario = $1 AND NOT closed)::integer AS outages_open",
            scenario,
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

    async def keep(
        self, scenario: TrainingScenario, start: datetime, faults: Iterable[Fault], conditions: Conditions
    ) -> None:
        """Keep a new storm with all its strokes to come; devices and people begin it without a memory."""
        await self.execute("UPDATE field SET seed = $1, conditions = $2", scenario.seed, json.encode(conditions))
        for table in ("relay", "flag", "crew", "line"):
            await self.execute(f"DELETE FROM {table}")  # noqa: S608 - four words from the line above
        await self.execute(
            "INSERT INTO scenario (mrid, started_at, body) VALUES ($1, $2, $3)",
            scenario.mrid,
            start,
            json.encode(scenario),
        )
        for fault in faults:
            await self.execute(
                "INSERT INTO fault (mrid, scenario, equipment, cause, at, kind, phases, temporary, damage, hazard)"
                " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                *structs.astuple(fault)[:10],
            )

    async def scores(self, mrids: Sequence[str]) -> list[ScenarioScore]:
        """The scores of these storms, or all when none is named."""
        rows = await self.fetch(
            "SELECT body FROM score WHERE $1::text[] = '{}' OR scenario = ANY($1) ORDER BY scenario", list(mrids)
        )
        return [json.decode(row["body"], type=ScenarioScore) for row in rows]

    async def save_score(self, score: ScenarioScore) -> None:
        """Keep the score of a storm that has ended."""
        await self.execute(
            "INSERT INTO score (scenario, body) VALUES ($1, $2) ON CONFLICT DO NOTHING", score.mrid, json.encode(score)
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
        rows = await self.fetch("SELECT * FROM fault WHERE scenario = $1 ORDER BY at, mrid", scenario)
        return [_fault(row) for row in rows]

    async def active_faults(self) -> list[Fault]:
        """The faults that have struck, until they are gone and no device tries any more."""
        rows = await self.fetch("SELECT * FROM fault WHERE struck AND NOT (repaired AND final)")
        return [_fault(row) for row in rows]

    async def grounds(self) -> dict[str, str]:
        """The grounds that are placed, with the line at which each is."""
        return {row["mrid"]: row["equipment"] for row in await self.fetch("SELECT * FROM ground ORDER BY mrid")}

    async def place_ground(self, mrid: str, line: str) -> None:
        """A crew has placed a ground."""
        await self.execute("INSERT INTO ground (mrid, equipment) VALUES ($1, $2) ON CONFLICT DO NOTHING", mrid, line)

    async def remove_ground(self, mrid: str) -> None:
        """A crew has taken a ground away."""
        await self.execute("DELETE FROM ground WHERE mrid = $1", mrid)

    async def save_fault(self, fault: Fault) -> None:
        """Keep what a fault did, or what became of it."""
        await self.execute(
            "UPDATE fault SET device = $2, dark = $3, struck = $4, repaired = $5, final = $6, dead_times = $7,"
            " found_at = $8, trying = $9 WHERE mrid = $1",
            fault.mrid,
            fault.device,
            list(fault.dark),
            fault.struck,
            fault.repaired,
            fault.final,
            fault.dead_times,
            fault.found_at,
            list(fault.trying),
        )

    async def outages(self, scenario: str) -> list[Outage]:
        """What was heard of outages during a storm."""
        said: dict[str, list[Said]] = {}
        rows = await self.fetch(
            "SELECT said.* FROM said JOIN outage ON outage.mrid = said.outage WHERE scenario = $1 ORDER BY revision",
            scenario,
        )
        for row in rows:
            said.setdefault(row["outage"], []).append(Said(at=row["at"], devices=frozenset(row["devices"])))
        return [
            Outage(
                mrid=row["mrid"],
                devices=frozenset(row["devices"]),
                usage_points=frozenset(row["usage_points"]),
                closed=row["closed"],
                said=tuple(said.get(row["mrid"], ())),
            )
            for row in await self.fetch("SELECT * FROM outage WHERE scenario = $1 ORDER BY mrid", scenario)
        ]

    async def save_outage(self, scenario: str, revision: int, at: datetime, outage: Outage) -> None:
        """Keep what was said of an outage, unless something newer was; an empty list says nothing new."""
        devices = sorted(outage.devices)
        if devices:
            await self.execute(
                "INSERT INTO said (outage, revision, at, devices) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
                outage.mrid,
                revision,
                at,
                devices,
            )
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
            devices,
            sorted(outage.usage_points),
            outage.closed,
        )

    async def schedule(self, mrid: str) -> MeterReadSchedule | None:
        """A schedule by which meters are read, which nobody else changes until this is done."""
        row = await self.lock("SELECT body FROM reading_schedule WHERE mrid = $1 FOR UPDATE", mrid)
        return None if row is None else json.decode(row["body"], type=MeterReadSchedule)

    async def save_schedule(self, mrid: str, schedule: MeterReadSchedule) -> None:
        """Keep a schedule as it is now."""
        await self.execute(
            "INSERT INTO reading_schedule (mrid, body) VALUES ($1, $2)"
            " ON CONFLICT (mrid) DO UPDATE SET body = excluded.body",
            mrid,
            json.encode(schedule),
        )

    async def drop_schedule(self, mrid: str) -> None:
        """Forget a schedule."""
        await self.execute("DELETE FROM reading_schedule WHERE mrid = $1", mrid)

    async def crews(self) -> dict[str, Crew]:
        """The crews that were sent somewhere, and where they are."""
        return {row["mrid"]: _crew(row) for row in await self.fetch("SELECT * FROM crew ORDER BY mrid")}

    async def save_crew(self, crew: Crew) -> None:
        """Keep where a crew is."""
        await self.execute(
            "INSERT INTO crew (mrid, since, longitude, latitude) VALUES ($1, $2, $3, $4) ON CONFLICT (mrid)"
            " DO UPDATE SET longitude = excluded.longitude, latitude = excluded.latitude",
            crew.mrid,
            crew.since,
            None if crew.place is None else crew.place.longitude,
            None if crew.place is None else crew.place.latitude,
        )

    async def take_line(self, call: str, now: datetime, until: datetime, lines: int) -> bool:
        """Take one of the lines for a call; False when all are taken."""
        await self.execute("DELETE FROM line WHERE until <= $1", now)
        taken: int = await self.fetchval("SELECT count(*) FROM line")
        if lines and taken >= lines:
            return False
        await self.execute("INSERT INTO line (call, until) VALUES ($1, $2) ON CONFLICT DO NOTHING", call, until)
        return True

    async def customers(self) -> Mapping[str, int]:
        """How many customers are served at each usage point."""
        return {row["mrid"]: row["customers"] for row in await self.fetch("SELECT mrid, customers FROM usage_point")}

    async def _field(self, row: Record | None) -> Field:
        revision, seed, body = (row["revision"], row["seed"], row["conditions"]) if row else (0, 0, None)
        if revision != self.memory.revision:
            topology = await self.fetchval("SELECT topology FROM field")
            self.memory.learn(revision, Network(json.decode(topology, type=FeederTopology).feeder))
        return Field(
            network=self.memory.network,
            supply=self.memory.supply,
            radio=self.memory.radio,
            open=await self._open(),
            seed=seed,
            conditions=self.memory.settings if body is None else json.decode(body, type=Conditions),
        )

    async def _open(self) -> dict[str, int]:
        rows = await self.fetch("SELECT mrid, open_phases FROM switch WHERE open_phases <> 0")
        return {row["mrid"]: row["open_phases"] for row in rows}


def _scenario(row: Record | None) -> TrainingScenario | None:
    return None if row is None else json.decode(row["body"], type=TrainingScenario)


def _fault(row: Record) -> Fault:
    return Fault(
        **{**dict(row), "dark": tuple(row["dark"]), "trying": tuple(row["trying"]), "kind": FaultKind(row["kind"])}
    )


def _crew(row: Record) -> Crew:
    place = None if row["longitude"] is None else Place(row["longitude"], row["latitude"])
    return Crew(mrid=row["mrid"], place=place, since=row["since"])
