"""The last topology of each feeder, the evidence, the outages and the tickets, as they are kept.

Longer than 400 lines because whatever judges an area reads nearly all of it.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from msgspec import json
from msgspec.structs import astuple, replace

from contracts.nouns.feeder_topology import Feeder, FeederChange
from contracts.nouns.switching_events import SwitchingEvent, SwitchingEventType
from contracts.nouns.switching_plans import SwitchActionKind
from contracts.nouns.trouble_tickets import TroubleTicket
from contracts.nouns.units import PhaseCode
from services.fault_management.domain.calls import SAME_CALLER, Incident, is_same_caller, point_of
from services.fault_management.domain.decisions import Decision
from services.fault_management.domain.durations import Circumstances, History, Part, Took
from services.fault_management.domain.estimates import Outlook, took
from services.fault_management.domain.etr import Etr
from services.fault_management.domain.evidence import (
    ABOUT_THE_METER,
    HISTORY,
    SKEW,
    Evidence,
    EvidenceKind,
    Outcome,
    Ping,
)
from services.fault_management.domain.network import Network
from services.fault_management.domain.operation import Operation
from services.fault_management.domain.outage import FINAL, KNOWN_DARK, LOOSE, Outage, S, is_loose
from services.fault_management.domain.proposal import Scene, awaits_return, moved_for
from services.fault_management.domain.situation import Situation
from services.fault_management.domain.structure import ALL, code, mask
from services.fault_management.store.memory import MEMORY, Memory
from shared.store import Record
from shared.store import Store as KernelStore

BEFORE = timedelta(minutes=10)
"""The operations of so long before an outage began may have to do with it: a recloser's first trips."""

FRESH = timedelta(minutes=15)
"""So long the durations of the past are not read again."""

LATEST = 500
"""So many durations of each part are heard, the latest ones."""


class Store(KernelStore):
    """What fault management keeps. Whoever judges an area first takes :meth:`lock` of its feeders."""

    memory: Memory

    async def missing(self, changes: Sequence[FeederChange]) -> tuple[str, ...] | None:
        """The feeders that have to be asked for because of ``changes``; none named is all, None is no one."""
        return (await self._memory()).missing(changes)

    async def follow(self, feeders: Sequence[Feeder], changes: Sequence[FeederChange]) -> list[Network]:
        """Take the newer ones of ``feeders`` and ``changes``; the areas in which this process learned something.

        Each process hears the same events, and has the areas judged as far as it knows them: whoever judges may be
        behind the others, and is right once it has caught up.
        """
        memory = await self._memory()
        newer = [feeder for feeder in feeders if memory.put(feeder)]
        after = (memory.apply(change) for change in changes)
        newer += [feeder for feeder in after if feeder is not None and memory.put(feeder)]
        networks = {network.feeders: network for feeder in newer if (network := memory.network(feeder.mrid))}
        await self.lock_areas(networks.values())
        changed = False
        for feeder in sorted(newer, key=lambda each: each.mrid):
            row = await self.lock(
                "INSERT INTO feeder (mrid, model_version, revision, event_time, noun) VALUES ($1, $2, $3, $4, $5)"
                " ON CONFLICT (mrid) DO UPDATE SET model_version = excluded.model_version,"
                " revision = excluded.revision, event_time = excluded.event_time, noun = excluded.noun"
                " WHERE feeder.model_version <> excluded.model_version OR feeder.revision < excluded.revision"
                " RETURNING mrid",
                feeder.mrid,
                feeder.model_version,
                feeder.revision,
                feeder.event_time,
                json.encode(feeder).decode(),
            )
            changed = changed or row is not None
        if changed:
            await self.execute("DELETE FROM feeder WHERE model_version <> $1", newer[-1].model_version)
        return [network for _, network in sorted(networks.items())]

    async def lock_areas(self, networks: Iterable[Network]) -> list[Network]:
        """Wait until nobody else judges these areas; always in the order of the feeders' mRIDs.

        Those that are in the table, and so are locked now; the others are being judged for the first time by whoever
        brings their topology.
        """
        wanted = list(networks)
        feeders = sorted(mrid for network in wanted for mrid in network.feeders)
        rows = await self.lock_all("SELECT mrid FROM feeder WHERE mrid = ANY($1) ORDER BY mrid FOR UPDATE", feeders)
        locked = {row["mrid"] for row in rows}
        return [network for network in wanted if locked.issuperset(network.feeders)]

    async def networks(self, points: Iterable[str] = (), devices: Iterable[str] = ()) -> list[Network]:
        """The areas of some usage points and devices."""
        return (await self._memory()).networks(points, devices)

    async def feeders_of(self, points: Iterable[str]) -> list[str]:
        """The feeders of some usage points."""
        return (await self._memory()).feeders_of(points)

    async def network(self, feeder: str) -> Network | None:
        """The area of a feeder."""
        return (await self._memory()).network(feeder)

    async def add_evidence(self, evidence: Sequence[Evidence]) -> frozenset[str]:
        """Keep evidence; the usage points of which something new was heard.

        Always written in one order, so that two who hear the same never wait for each other in a circle.
        """
        evidence = sorted(evidence)
        rows = await self.lock_all(
            "INSERT INTO evidence (usage_point, happened_at, kind, source)"
            " SELECT * FROM unnest($1::text[], $2::timestamptz[], $3::text[], $4::text[])"
            " ON CONFLICT DO NOTHING RETURNING usage_point",
            [each.usage_point for each in evidence],
            [each.time for each in evidence],
            [each.kind.value for each in evidence],
            [each.source for each in evidence],
        )
        return frozenset(row["usage_point"] for row in rows)

    async def add_operations(self, operations: Iterable[Operation]) -> frozenset[str]:
        """Keep what happened in the field; what is known already stays as it is. The devices with something new."""
        return await self._log([_row(each) for each in operations])

    async def add_events(self, events: Sequence[SwitchingEvent]) -> frozenset[str]:
        """The same, as network operation tells it, with the flags of fault indicators."""
        return await self._log(
            [
                (
                    event.mrid,
                    event.operated_switch.mrid,
                    event.phases,
                    event.kind,
                    event.type,
                    event.created_date_time,
                    None if event.switching_plan is None else event.switching_plan.mrid,
                )
                for event in events
                if event.operated_switch.mrid is not None
            ]
        )

    async def _log(self, rows: Sequence[tuple[object, ...]]) -> frozenset[str]:
        added = await self.lock_all(
            "INSERT INTO operation (mrid, device, phases, kind, type, at, plan)"
            " SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[],"
            " $7::text[]) ON CONFLICT DO NOTHING RETURNING device",
            *(list(column) for column in (zip(*rows, strict=True) if rows else [()] * 7)),
        )
        return frozenset(row["device"] for row in added)

    async def situation(self, network: Network, now: datetime, new_id: Callable[[], str]) -> Situation:
        """All that is known of an area: what was switched, what ended meanwhile, and what was heard since."""
        feeders = list(network.feeders)
        outages = _outages(await self.fetch("SELECT body FROM outage WHERE feeder = ANY($1) AND NOT over", feeders))
        recent = now - HISTORY - SKEW
        start = max(now - MEMORY, min([recent, *(outage.since - BEFORE for outage in outages)]))
        outages += _outages(
            await self.fetch(
                "SELECT body FROM outage WHERE feeder = ANY($1) AND over AND ended_at >= $2", feeders, start
            )
        )
        topology = self.memory.timeline(network.feeders, await self._operations(network, start), start)
        await self.add_operations(topology.implied)
        evidence = await self._evidence(network, outages, recent)
        pings = _pings(
            await self.fetch(
                "SELECT mrid, usage_point, asked_at, outcome FROM ping WHERE usage_point = ANY($1) AND asked_at >= $2",
                list(network.points),
                start,
            )
        )
        return Situation(topology, evidence, outages, now, new_id, pings=pings)

    async def _operations(self, network: Network, start: datetime) -> list[Operation]:
        """The log from ``start`` on, and for each switch the last operation before it."""
        columns = "mrid, device, phases, kind, type, at, plan"
        moves = "kind IS NOT NULL AND type IS DISTINCT FROM 'LOCKOUT'"
        rows = await self.fetch(
            f"SELECT {columns} FROM operation WHERE device = ANY($1) AND at >= $2 AND kind IS NOT NULL"  # noqa: S608 - constants
            f" UNION ALL (SELECT DISTINCT ON (device, phases) {columns} FROM operation"
            f" WHERE device = ANY($1) AND at < $2 AND {moves} ORDER BY device, phases, at DESC)",
            list(network.structure.switches),
            start,
        )
        return sorted(map(_operation, rows), key=lambda each: (each.time, each.mrid))

    async def _evidence(self, network: Network, outages: Iterable[Outage], recent: datetime) -> list[Evidence]:
        """What was heard of all since ``recent``, of whoever is in an open outage since that began.

        Of the feeder of an outage that is only inferred all is heard since then: a neighbour who had power speaks
        against it, however long ago that was. Who was disconnected before stays so until something else is heard.
        """
        since: dict[str, datetime] = {}
        for outage in sorted(outages, key=lambda each: each.since, reverse=True):
            if outage.state not in FINAL:
                own = {*outage.points, *outage.partial}
                homes = {network.feeder_of[mrid] for mrid in own & network.points.keys()} if is_loose(outage) else ()
                around = [mrid for feeder in homes for mrid in network.structure.points_of[feeder]]
                since |= dict.fromkeys((*own, *around), outage.since - SKEW)
        rows = await self.fetch(
            "SELECT usage_point, happened_at, kind, source FROM evidence"
            " WHERE happened_at >= $2 AND usage_point = ANY($1)"
            " UNION SELECT usage_point, happened_at, kind, source FROM evidence"
            " JOIN unnest($3::text[], $4::timestamptz[]) AS own (mrid, since)"
            " ON usage_point = mrid AND happened_at >= since AND happened_at < $2"
            " UNION (SELECT DISTINCT ON (usage_point) usage_point, happened_at, kind, source FROM evidence"
            " WHERE usage_point = ANY($1) AND kind = ANY($5) AND happened_at < $2"
            " ORDER BY usage_point, happened_at DESC)",
            list(network.points),
            recent,
            list(since),
            list(since.values()),
            sorted(ABOUT_THE_METER),
        )
        return [
            Evidence(
                usage_point=row["usage_point"],
                time=row["happened_at"],
                kind=EvidenceKind(row["kind"]),
                source=row["source"],
            )
            for row in rows
        ]

    async def save_outages(self, outages: Sequence[Outage]) -> None:
        """Keep outages, new or changed."""
        await self.executemany(
            "INSERT INTO outage (mrid, feeder, over, since, ended_at, work, body) VALUES ($1, $2, $3, $4, $5, $6, $7)"
            " ON CONFLICT (mrid) DO UPDATE SET over = excluded.over, since = excluded.since,"
            " ended_at = excluded.ended_at, work = excluded.work, body = excluded.body",
            [
                (
                    outage.mrid,
                    outage.feeder,
                    outage.state in FINAL,
                    outage.since,
                    outage.ended_at,
                    outage.work,
                    json.encode(outage).decode(),
                )
                for outage in outages
            ],
        )

    async def scene(self, outage: Outage) -> Scene | None:
        """What a proposal for an outage is made of, without the tags; None where its feeder is not known any more."""
        feeders = (await self._memory()).around(outage.feeder)
        if not feeders or outage.device is None:
            return None
        if awaits_return(outage):
            return Scene(feeders=feeders, tripped=outage.device, back=moved_for(outage))
        rows = await self.fetch(
            "SELECT DISTINCT ON (device) device, type FROM operation WHERE device = ANY($1) AND kind IS NULL"
            " AND at >= $2 AND type LIKE 'FAULT_INDICATION%' ORDER BY device, at DESC",
            [flag.mrid for feeder in feeders for flag in feeder.fault_indicator],
            outage.since - SKEW,
        )
        flags = frozenset(row["device"] for row in rows if row["type"] == SwitchingEventType.FAULT_INDICATION)
        return Scene(feeders=feeders, tripped=outage.device, flags=flags)

    async def outlook(self, situation: Situation) -> Outlook:
        """What estimates for an area need to know of everything else."""
        rules, now = self.memory.rules, situation.now
        plain = Outlook(history=await self._history(now), zone=rules.zone, crews=rules.crews)
        if await self.fetchval("SELECT count(*) FROM outage WHERE NOT over") <= rules.storm:
            return plain
        waiting = LOOSE | KNOWN_DARK
        others = [o for o in await self.open_outages() if o.feeder not in situation.network.feeders]
        others = [outage for outage in others if outage.state in waiting]
        began = sorted(outage.suspected_at for outage in (*others, *situation.open(waiting)))
        since = began[rules.storm] if len(began) > rules.storm else None
        return replace(plain, storm_since=since, others=tuple(others) if since is not None else ())

    async def _history(self, now: datetime) -> History:
        """How long the parts of restorations took, as it was known a few minutes ago at most."""
        known = self.memory.durations
        if known is None or not known[0] <= now < known[0] + FRESH:
            rows = await self.fetch(
                "SELECT part, device, cause, hours, storm, minutes FROM (SELECT *, row_number() OVER"
                " (PARTITION BY part ORDER BY ended_at DESC, outage) AS place FROM duration) AS latest"
                " WHERE place <= $1",
                LATEST,
            )
            known = self.memory.durations = (now, History(map(_took, rows)))
        return known[1]

    async def save_estimates(self, situation: Situation, outlook: Outlook) -> None:
        """Keep what was estimated, by whom, and how long the parts of what is over took."""
        await self.executemany(
            "INSERT INTO estimate (outage, revision, told_at, time, source, sure) VALUES ($1, $2, $3, $4, $5, $6)"
            " ON CONFLICT DO NOTHING",
            [
                (outage.mrid, outage.revision, situation.now, outage.etr.time, outage.etr.source, outage.etr.sure)
                for outage in situation.changed
                if outage.etr is not None and outage.etr != _etr_of(situation.before(outage.mrid))
            ],
        )
        over = [outage for outage in situation.changed if outage.state is S.CLOSED]
        await self.executemany(
            "INSERT INTO duration (outage, part, ended_at, device, cause, hours, storm, minutes)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
            [
                (outage.mrid, each.part, outage.ended_at, *astuple(each.circumstances), each.minutes)
                for outage in over
                for each in took(outage, situation.network, outlook)
            ],
        )

    async def save_pings(self, pings: Sequence[Ping]) -> None:
        """Keep which meters were asked, and what came of it."""
        await self.executemany(
            "INSERT INTO ping (mrid, usage_point, asked_at, outcome) VALUES ($1, $2, $3, $4)"
            " ON CONFLICT (mrid) DO UPDATE SET outcome = excluded.outcome",
            [(ping.mrid, ping.usage_point, ping.asked_at, ping.outcome) for ping in pings],
        )

    async def ping(self, mrid: str) -> Ping | None:
        """A question to a meter."""
        rows = await self.fetch("SELECT mrid, usage_point, asked_at, outcome FROM ping WHERE mrid = $1", mrid)
        return next(iter(_pings(rows)), None)

    async def outage(self, mrid: str) -> Outage | None:
        """One outage, whatever became of it."""
        body = await self.fetchval("SELECT body FROM outage WHERE mrid = $1", mrid)
        return None if body is None else json.decode(body, type=Outage)

    async def lock_outage(self, mrid: str) -> None:
        """Wait until nobody else changes an outage that is over; nobody judges those any more."""
        await self.lock("SELECT mrid FROM outage WHERE mrid = $1 FOR UPDATE", mrid)

    async def save_decision(self, outage: Outage, asked: Decision, now: datetime) -> None:
        """Keep what an operator decided, and to which revision of the outage it led."""
        await self.execute(
            "INSERT INTO decision (outage, revision, decided_at, decided_by, reason, asked)"
            " VALUES ($1, $2, $3, $4, $5, $6)",
            outage.mrid,
            outage.revision,
            now,
            asked.by,
            asked.reason,
            json.encode(asked).decode(),
        )

    async def outage_with(self, names: Sequence[str], works: Sequence[str]) -> Outage | None:
        """The outage with one of these names or one of these works."""
        sql = "SELECT body FROM outage WHERE mrid = ANY($1) OR work = ANY($2) ORDER BY mrid LIMIT 1"
        body = await self.fetchval(sql, names, works)
        return None if body is None else json.decode(body, type=Outage)

    async def open_outages(self) -> list[Outage]:
        """All outages that are not over, the oldest first."""
        return _outages(await self.fetch("SELECT body FROM outage WHERE NOT over ORDER BY since, mrid"))

    async def outages_between(self, start: datetime | None, end: datetime | None) -> list[Outage]:
        """The outages that lasted at some time from ``start`` to ``end``, the oldest first."""
        return _outages(
            await self.fetch(
                "SELECT body FROM outage WHERE since <= coalesce($2, 'infinity'::timestamptz)"
                " AND (NOT over OR ended_at >= coalesce($1, '-infinity'::timestamptz)) ORDER BY since, mrid",
                start,
                end,
            )
        )

    async def save_ticket(self, ticket: TroubleTicket) -> None:
        """Keep a ticket with what was answered to it."""
        await self.execute(
            "INSERT INTO trouble_ticket (mrid, usage_point, reported_at, noun) VALUES ($1, $2, $3, $4)"
            " ON CONFLICT (mrid) DO UPDATE SET usage_point = excluded.usage_point, noun = excluded.noun",
            ticket.mrid,
            point_of(ticket),
            ticket.date_time_of_report,
            json.encode(ticket).decode(),
        )

    async def tickets(self, mrids: Sequence[str]) -> list[TroubleTicket]:
        """The tickets of these mRIDs, in the order of them."""
        return _tickets(await self.fetch("SELECT noun FROM trouble_ticket WHERE mrid = ANY($1) ORDER BY mrid", mrids))

    async def open_tickets(self) -> list[TroubleTicket]:
        """The tickets that are not closed, the oldest first."""
        return _tickets(
            await self.fetch(
                "SELECT noun FROM trouble_ticket WHERE noun->'status'->>'value' IS DISTINCT FROM 'CLOSED'"
                " ORDER BY reported_at, mrid"
            )
        )

    async def same_caller(self, ticket: TroubleTicket) -> TroubleTicket | None:
        """The ticket of the same caller about the same trouble, if he called shortly before."""
        rows = await self.fetch(
            "SELECT noun FROM trouble_ticket WHERE mrid = $1 OR (usage_point = $2 AND reported_at BETWEEN $3 AND $4)"
            " ORDER BY reported_at, mrid",
            ticket.mrid,
            point_of(ticket),
            ticket.date_time_of_report - SAME_CALLER,
            ticket.date_time_of_report + SAME_CALLER,
        )
        return next((each for each in _tickets(rows) if is_same_caller(each, ticket)), None)

    async def open_incidents(self, point: str) -> list[Incident]:
        """The incidents at a usage point that are not over; whoever asks has locked its area."""
        return _incidents(
            await self.fetch("SELECT body FROM incident WHERE usage_point = $1 AND NOT over ORDER BY mrid", point)
        )

    async def incident_with(self, works: Sequence[str]) -> Incident | None:
        """The incident with one of these works."""
        rows = await self.fetch("SELECT body FROM incident WHERE work = ANY($1) ORDER BY mrid LIMIT 1", works)
        return next(iter(_incidents(rows)), None)

    async def save_incident(self, incident: Incident) -> None:
        """Keep an incident, new or changed."""
        await self.execute(
            "INSERT INTO incident (mrid, usage_point, over, work, body) VALUES ($1, $2, $3, $4, $5)"
            " ON CONFLICT (mrid) DO UPDATE SET over = excluded.over, work = excluded.work, body = excluded.body",
            incident.mrid,
            incident.point,
            incident.closed_at is not None,
            incident.work,
            json.encode(incident).decode(),
        )

    async def _memory(self) -> Memory:
        """What this process knows, read from the table once; then it is followed."""
        memory = self.memory
        if not memory.complete:
            rows = await self.fetch("SELECT noun FROM feeder ORDER BY event_time, mrid")
            for row in rows:
                memory.put(json.decode(row["noun"], type=Feeder))
            if rows:
                opened = await self.fetch(
                    "SELECT device, max(at) AS at FROM operation WHERE device = ANY($1) AND kind = $2 AND at >= $3"
                    " GROUP BY device",
                    list(memory.ties),
                    SwitchActionKind.OPEN,
                    memory.told_apart,
                )
                memory.ties_opened({row["device"]: row["at"] for row in opened})
            memory.complete = True
        return memory


def _row(each: Operation) -> tuple[object, ...]:
    kind = None if each.open is None else SwitchActionKind.OPEN if each.open else SwitchActionKind.CLOSE
    return (each.mrid, each.device, code(each.phases), kind, each.type, each.time, each.plan)


def _operation(row: Record) -> Operation:
    is_lockout = row["type"] == SwitchingEventType.LOCKOUT
    return Operation(
        mrid=row["mrid"],
        device=row["device"],
        time=row["at"],
        open=None if is_lockout else row["kind"] == SwitchActionKind.OPEN,
        phases=ALL if row["phases"] is None else mask(PhaseCode(row["phases"])),
        type=None if row["type"] is None else SwitchingEventType(row["type"]),
        plan=row["plan"],
    )


def _took(row: Record) -> Took:
    named = Circumstances(device=row["device"], cause=row["cause"], hours=row["hours"], storm=row["storm"])
    return Took(part=Part(row["part"]), circumstances=named, minutes=row["minutes"])


def _etr_of(outage: Outage | None) -> Etr | None:
    return None if outage is None else outage.etr


def _pings(rows: Iterable[Record]) -> list[Ping]:
    return [
        Ping(
            mrid=row["mrid"],
            usage_point=row["usage_point"],
            asked_at=row["asked_at"],
            outcome=None if row["outcome"] is None else Outcome(row["outcome"]),
        )
        for row in rows
    ]


def _outages(rows: Iterable[Record]) -> list[Outage]:
    return [json.decode(row["body"], type=Outage) for row in rows]


def _tickets(rows: Iterable[Record]) -> list[TroubleTicket]:
    return [json.decode(row["noun"], type=TroubleTicket) for row in rows]


def _incidents(rows: Iterable[Record]) -> list[Incident]:
    return [json.decode(row["body"], type=Incident) for row in rows]
