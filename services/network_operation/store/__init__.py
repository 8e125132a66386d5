"""The models, the network as operated now and as it was, what hangs on it, and the switching plans.

Longer than 400 lines because a service has one store, and all that switches stands under the lock of one network.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from msgspec import json

from contracts.nouns.feeder_topology import Feeder
from contracts.nouns.operational_tags import OperationalTag, OperationalTagState
from contracts.nouns.safety_documents import ClearanceDocument
from contracts.nouns.switching_events import SwitchingEvent, SwitchingEventType
from contracts.nouns.switching_plans import SwitchingPlan
from contracts.nouns.unplanned_outages import UnplannedOutage
from services.network_operation.config import Rules
from services.network_operation.domain.alarms.conditions import Facts, Scope
from services.network_operation.domain.clearances import Clearance, Proof, is_over
from services.network_operation.domain.execution import is_under_way
from services.network_operation.domain.feeding import Feeding
from services.network_operation.domain.live import Live, Mark, Told, Wiring, standing, with_temporaries
from services.network_operation.domain.phases import Phases
from services.network_operation.domain.plans import Moved
from services.network_operation.domain.positions import Position, Standing
from services.network_operation.domain.reclosing import Reclosing
from services.network_operation.domain.rules.move import Basis
from services.network_operation.domain.situation import FaultedArea, Situation
from services.network_operation.domain.steps import awaited, coming_devices
from services.network_operation.domain.structure import Structure
from services.network_operation.domain.study import with_rivals
from services.network_operation.domain.tags import state as tag_state
from services.network_operation.domain.temporary import Temporary
from services.network_operation.store.alarms import AlarmList
from services.network_operation.store.loading import Loading
from services.network_operation.store.points import Points
from shared.store import Record

SNAPSHOT_EVERY = 1000
"""After so many movements of switch phases there is a snapshot of all of them."""


class Memory:
    """The last states of the network that one running process knows, so that none is made from the tables twice.

    A state may be one whose transaction failed; then no row ever names it, and it is forgotten in time.

    Attributes:
        rules: the settings of the process.
        electrical: the electrical data that were used last, with the revision of their model.
    """

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.electrical: tuple[int, bytes] | None = None
        self._known: dict[Mark, Live] = {}
        self._feeding: tuple[Structure, Feeding] | None = None

    def known(self, row: Record | None) -> Live | None:
        """The state that a row of the network names."""
        return self._known.get(_mark(row))

    def structure(self, wiring: Wiring) -> Structure | None:
        """The structure of a network that is wired like this."""
        return next((live.state.structure for live in self._known.values() if live.wiring == wiring), None)

    def feeding(self, structure: Structure) -> Feeding:
        """The heads of the feeders of a structure."""
        if self._feeding is None or self._feeding[0] is not structure:
            self._feeding = (structure, Feeding(structure))
        return self._feeding[1]

    def learn(self, live: Live) -> None:
        """Remember a state, and forget the oldest of four."""
        self._known.pop(live.mark, None)
        self._known[live.mark] = live
        if len(self._known) > _REMEMBERED:
            del self._known[next(iter(self._known))]


_REMEMBERED = 4


class Store(AlarmList, Loading, Points):
    """What network operation keeps. Every write follows :meth:`lock_network` in the same transaction."""

    memory: Memory

    async def lock_network(self) -> Live:
        """Wait until nobody else changes the network; how it is."""
        row = await self.lock("SELECT number, made_by, model_revision FROM network FOR UPDATE")
        return self.memory.known(row) or await self._load(row)

    async def network(self) -> Live:
        """The network as it is, while others may change it."""
        row = await self.fetchrow("SELECT number, made_by, model_revision FROM network")
        while (live := self.memory.known(row)) is None:
            loaded = await self._load(row)
            row = await self.fetchrow("SELECT number, made_by, model_revision FROM network")
            if loaded.mark == _mark(row):
                return loaded
        return live

    async def electrical(self, revision: int) -> bytes | None:
        """The electrical data of a revision of the model; None until they were asked for."""
        known = self.memory.electrical
        if known is not None and known[0] == revision:
            return known[1]
        data = await self.kept_electrical(revision)
        if data is not None:
            self.memory.electrical = (revision, data)
        return data

    async def keep_network(self, live: Live, changed: Iterable[str]) -> None:
        """Keep the next state of the network, in which these feeders are told anew."""
        self.memory.learn(live)
        await self.execute("UPDATE network SET number = $1, made_by = $2", live.mark.number, live.mark.made_by)
        await self.executemany(
            "INSERT INTO feeder_told (mrid, revision, event_time) VALUES ($1, $2, $3)"
            " ON CONFLICT (mrid) DO UPDATE SET revision = excluded.revision, event_time = excluded.event_time",
            [(mrid, live.told[mrid].revision, live.told[mrid].event_time) for mrid in sorted(changed)],
        )

    async def replace_model(self, live: Live, built: Sequence[Feeder], at: datetime) -> None:
        """Take the feeders of a new model for the old ones, which are kept as history."""
        revision = live.wiring.model_revision
        await self.execute("UPDATE network SET model_revision = $1", revision)
        await self.execute("DELETE FROM feeder WHERE model_revision = $1", revision)
        await self.execute("INSERT INTO model VALUES ($1, $2) ON CONFLICT DO NOTHING", revision, at)
        await self.executemany(
            "INSERT INTO feeder (model_revision, mrid, place, noun) VALUES ($1, $2, $3, $4)",
            [(revision, feeder.mrid, place, json.encode(feeder).decode()) for place, feeder in enumerate(built)],
        )
        await self.keep_network(live, live.told)

    async def standings(self) -> tuple[Standing, ...]:
        """What is known of each switch that was heard of."""
        rows = await self.fetch("SELECT body FROM standing")
        return tuple(json.decode(row["body"], type=Standing) for row in rows)

    async def standing(self, device: str) -> Standing:
        """What is known of one switch."""
        body = await self.fetchval("SELECT body FROM standing WHERE device = $1", device)
        return Standing(device=device) if body is None else json.decode(body, type=Standing)

    async def dressed(self, named: Sequence[str] = ()) -> tuple[Standing, ...]:
        """What is known of the switches that stand where an operator says: of these, or without any of all."""
        rows = await self.fetch(
            "SELECT body FROM standing WHERE body ->> 'override' IS NOT NULL"
            " AND ($1::text[] = '{}' OR device = ANY($1)) ORDER BY device",
            list(named),
        )
        return tuple(json.decode(row["body"], type=Standing) for row in rows)

    async def save_standing(self, standing: Standing) -> None:
        """Keep what is known of a switch."""
        await self.execute(
            "INSERT INTO standing (device, body) VALUES ($1, $2)"
            " ON CONFLICT (device) DO UPDATE SET body = excluded.body",
            standing.device,
            json.encode(standing).decode(),
        )

    async def open_before(self, device: str, at: datetime) -> dict[str, bool]:
        """Which phases of a switch were open at a time, that instant included, as far as was told."""
        rows = await self.fetch(
            "SELECT DISTINCT ON (phase) phase, open FROM movement WHERE device = $1 AND at <= $2"
            " ORDER BY phase, at DESC, number DESC",
            device,
            at,
        )
        return {row["phase"]: row["open"] for row in rows}

    async def add_movement(self, position: Position, moved: Phases) -> None:
        """Enter into the timeline that some phases of a switch moved; snapshots of what is later are void.

        Now and then a new snapshot is taken, so that the past is never far from one.
        """
        await self.execute("DELETE FROM snapshot WHERE at >= $1", position.at)
        rows = await self.lock_all(
            "INSERT INTO movement (device, phase, at, open) SELECT $1, phase, $3, $4 FROM unnest($2::text[]) AS phase"
            " RETURNING number",
            position.device,
            [phase.name for phase in moved],
            position.at,
            position.open,
        )
        if any(row["number"] % SNAPSHOT_EVERY == 0 for row in rows):
            newest = await self.fetchval("SELECT max(at) FROM movement")
            kept = json.encode(await self.open_at(newest)).decode()
            await self.execute("INSERT INTO snapshot VALUES ($1, $2) ON CONFLICT DO NOTHING", newest, kept)

    async def open_at(self, at: datetime) -> dict[str, dict[str, bool]]:
        """Which phases of which switches were open at a time, that instant included, as far as was told."""
        base = await self.fetchrow("SELECT at, open FROM snapshot WHERE at <= $1 ORDER BY at DESC LIMIT 1", at)
        found = {} if base is None else json.decode(base["open"], type=dict[str, dict[str, bool]])
        rows = await self.fetch(
            "SELECT DISTINCT ON (device, phase) device, phase, open FROM movement"
            " WHERE at <= $1 AND at > coalesce($2, '-infinity'::timestamptz)"
            " ORDER BY device, phase, at DESC, number DESC",
            at,
            None if base is None else base["at"],
        )
        for row in rows:
            found.setdefault(row["device"], {})[row["phase"]] = row["open"]
        return found

    async def built_at(self, at: datetime) -> tuple[Feeder, ...]:
        """The feeders of the model that was in use at a time, as built; before the first those of the first."""
        revision = await self.fetchval(
            "SELECT revision FROM model"
            " ORDER BY adopted_at <= $1 DESC, abs(extract(epoch FROM adopted_at - $1)) LIMIT 1",
            at,
        )
        return await self._built(revision or 0)

    async def last_operation(self, device: str, at: datetime) -> SwitchingEvent | None:
        """What a device did last until ``at``, that instant included."""
        noun = await self.fetchval(
            "SELECT noun FROM switching_event WHERE device = $1 AND at <= $2 AND noun ? 'kind'"
            " ORDER BY at DESC, number DESC LIMIT 1",
            device,
            at,
        )
        return None if noun is None else json.decode(noun, type=SwitchingEvent)

    async def last_operations(self, devices: frozenset[str]) -> dict[str, SwitchingEvent]:
        """What each of some devices did last, by its mRID."""
        if not devices:
            return {}
        rows = await self.fetch(
            "SELECT DISTINCT ON (device) device, noun FROM switching_event WHERE device = ANY($1) AND noun ? 'kind'"
            " ORDER BY device, at DESC, number DESC",
            sorted(devices),
        )
        return {row["device"]: json.decode(row["noun"], type=SwitchingEvent) for row in rows}

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
        live = await self.network()
        situation = Situation(
            grid=live.grid,
            model_version=live.model_version,
            clearances=await self.clearances(),
            dressed=frozenset(each.device for each in await self.dressed()),
            faults=await self._faults(),
            proofs=await self.proofs(),
            reclosing=await self._reclosing(),
            tags=await self.tags(),
            temporaries=await self.temporaries(),
            tripped=await self._tripped(live.opened),
        )
        plans = [*await self.plans_under_way(), *await self.plans_awaiting()]
        return with_rivals(situation, ((plan.mrid, coming_devices(plan)) for plan in plans), own)

    async def facts(self, scope: Scope, now: datetime) -> tuple[Facts, Scope]:
        """All that alarms are judged by, and of what; the network is locked."""
        live, known = await self.lock_network(), await self.alarms()
        scope = scope.with_known(known.values())
        facts = Facts(
            grid=live.grid,
            feeding=self.memory.feeding(live.state.structure),
            known=known,
            last=await self.last_operations(scope.devices),
            points=await self.points(sorted(scope.equipment)) if scope.equipment else (),
            tags=await self.tags() if scope.devices else (),
            now=now,
            stale=self.memory.rules.stale,
        )
        return facts, scope

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

    async def _built(self, revision: int) -> tuple[Feeder, ...]:
        rows = await self.fetch("SELECT noun FROM feeder WHERE model_revision = $1 ORDER BY place", revision)
        return tuple(json.decode(row["noun"], type=Feeder) for row in rows)

    async def _load(self, row: Record | None) -> Live:
        """The network from the tables: the structure too, unless it is the same as before."""
        revision = 0 if row is None else row["model_revision"]
        wiring = Wiring(model_revision=revision, temporaries=await self.temporaries())
        structure = self.memory.structure(wiring)
        if structure is None:
            structure = Structure(with_temporaries(await self._built(revision), wiring.temporaries))
        state = standing(structure, await self.standings())
        rows = await self.fetch(
            "SELECT mrid, revision, event_time FROM feeder_told JOIN feeder USING (mrid) WHERE model_revision = $1"
            " ORDER BY place",
            revision,
        )
        told = {row["mrid"]: Told(revision=row["revision"], event_time=row["event_time"]) for row in rows}
        live = Live(_mark(row), wiring, state, told)
        self.memory.learn(live)
        return live

    async def _faults(self) -> tuple[FaultedArea, ...]:
        rows = await self.fetch("SELECT area FROM outage WHERE area IS NOT NULL ORDER BY mrid")
        return tuple(json.decode(row["area"], type=FaultedArea) for row in rows)

    async def _reclosing(self) -> dict[str, bool]:
        rows = await self.fetch("SELECT device, enabled FROM reclosing")
        return {row["device"]: row["enabled"] for row in rows}

    async def _tripped(self, opened: Sequence[str]) -> frozenset[str]:
        """Those of the open devices whose last operation was one of protection."""
        rows = await self.fetch(
            "SELECT DISTINCT ON (device) device, noun ->> 'type' AS type FROM switching_event"
            " WHERE device = ANY($1) AND noun ? 'kind' ORDER BY device, at DESC, number DESC",
            opened,
        )
        by_protection = {SwitchingEventType.TRIP, SwitchingEventType.LOCKOUT}
        return frozenset(row["device"] for row in rows if row["type"] in by_protection)


def _known(row: Any) -> Moved:
    basis = None if row["basis"] is None else json.decode(row["basis"], type=Basis)
    return Moved(plan=json.decode(row["noun"], type=SwitchingPlan), basis=basis)


def _clearance(row: Any) -> Clearance:
    return Clearance(
        document=json.decode(row["noun"], type=ClearanceDocument), zone=json.decode(row["zone"], type=tuple[str, ...])
    )


def _mark(row: Record | None) -> Mark:
    return Mark() if row is None else Mark(row["number"], row["made_by"])
