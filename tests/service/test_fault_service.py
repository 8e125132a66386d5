"""Fault management on real servers, with peers for all its neighbours, in granted time.

Longer than 400 lines because all its tests need the same field of neighbours.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Any

import asyncpg
from msgspec import json
from msgspec.structs import replace

from contracts.catalogue import CATALOGUE
from contracts.codes.end_device_controls import PING
from contracts.codes.end_device_events import ANSWERS, EMITTED, EventKind
from contracts.interface import Lane
from contracts.message import Error, Message, Reply, Result
from contracts.nouns.end_device_controls import EndDeviceControls, EndDeviceTiming
from contracts.nouns.end_device_events import EndDeviceEvent, EndDeviceEventDetail, EndDeviceEvents
from contracts.nouns.feeder_topology import Feeder, FeederChange, FeederTopology
from contracts.nouns.maintenance_orders import Asset, MaintenanceOrder, MaintenanceOrders, Work, WorkTask
from contracts.nouns.switching_events import SwitchingEvent, SwitchingEvents, SwitchingEventType
from contracts.nouns.switching_plans import SwitchActionKind
from contracts.nouns.trouble_tickets import TroubleTicket, TroubleTickets
from contracts.nouns.unplanned_outages import (
    CrewStatusKind,
    OutageState,
    OutageStatusKind,
    UnplannedOutage,
    UnplannedOutages,
)
from contracts.nouns.work_types import ActivityRecord, WorkStatusKind, WorkTimeSchedule, WorkTimeScheduleKind
from contracts.types import DateTimeInterval, ObjectReference, Reference
from contracts.verbs import Verb
from services.fault_management.service import SOON
from services.fault_management.service import service as fault_management
from shared.runtime import running
from shared.tools.bootstrap import Schema
from shared.tools.testing import Installation, Peer
from tests.fixtures.small_feeder import POINTS, change, feeder, s, under

FM = "fault-management"
S = OutageState


class Field:
    """The neighbours of fault management, and what the tests ask again and again."""

    def __init__(self, installation: Installation, peers: dict[str, Peer]) -> None:
        self.installation = installation
        self.peers = peers
        self.topology = feeder()
        self.seconds = 0.0

    @asynccontextmanager
    async def fault_management(self) -> AsyncIterator[None]:
        """The service, running."""
        async with running(fault_management, settings=self.installation.settings, catalogue=CATALOGUE):
            yield

    async def snapshot(self, message: Message[Any]) -> tuple[Reply, Any]:
        """What network operation answers to a question; no tag hangs anywhere, and nothing can be switched."""
        if message.header.noun == FeederTopology.__name__:
            return Reply(result=Result.OK), FeederTopology(feeder=(self.topology,))
        return Reply(result=Result.OK), CATALOGUE.nouns[message.header.noun]()

    async def grant(self, seconds: float) -> None:
        """Move the time of the context."""
        self.seconds = seconds
        admin = self.peers["admin"]
        await admin.bus.publish_core(admin.space.clock, json.encode({"now": s(seconds)}))
        await asyncio.sleep(0.1)

    async def switched(self, after: Feeder) -> None:
        """Network operation tells how the feeder changed."""
        before, self.topology = self.topology, replace(after, revision=self.topology.revision + 1)
        await self.tell(change(before, self.topology))

    async def tell(self, what: FeederChange) -> None:
        """Network operation tells a change."""
        topology = FeederTopology(feeder_change=(what,))
        await self.peers["network-operation"].tell(Verb.CHANGED, topology, key=what.mrid)

    async def kept(self, sql: str) -> list[Any]:
        """What fault management has in its tables."""
        async with self.connection() as connection:
            return [tuple(row) for row in await connection.fetch(sql)]

    async def until_kept(self, sql: str, rows: list[Any]) -> None:
        """Wait until that is in the tables of fault management."""
        for _ in range(100):
            if await self.kept(sql) == rows:
                return
            await self.grant(self.seconds + SOON.total_seconds())
        raise TimeoutError

    @asynccontextmanager
    async def judging(self) -> AsyncIterator[None]:
        """Hold the lock of whoever judges the area."""
        async with self.connection() as connection, connection.transaction():
            assert await connection.fetch("SELECT mrid FROM feeder FOR UPDATE")
            yield

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Any]:
        """A connection to the tables of fault management."""
        login = self.installation.settings.login(FM)
        connection = await asyncpg.connect(
            host=login.host, port=login.port, user=login.user, password=login.password, database=login.database
        )
        try:
            yield connection
        finally:
            await connection.close()

    async def meters(self, kind: EventKind, *points: str, at: float) -> None:
        """Meters tell, one message each."""
        for mrid in points:
            event = EndDeviceEvent(
                created_date_time=s(at),
                assets=ObjectReference(mrid=f"{mrid}-meter"),
                end_device_event_type=Reference(ref=EMITTED[kind]),
                usage_point=ObjectReference(mrid=mrid),
            )
            events = EndDeviceEvents(end_device_event=(event,))
            await self.peers["meter-reading-and-control"].tell(Verb.CREATED, events, key=mrid)

    async def call(self, point: str, at: float, mrid: str) -> TroubleTicket:
        """A customer calls; the ticket as it is answered."""
        ticket = TroubleTicket(mrid=mrid, date_time_of_report=s(at), usage_point=ObjectReference(mrid=point))
        answer = await self.peers["callers"].request(FM, Verb.CREATE, TroubleTickets(trouble_ticket=(ticket,)))
        (answered,) = answer.noun.trouble_ticket
        assert isinstance(answered, TroubleTicket)
        return answered

    async def located_call(self, point: str, at: float, mrid: str) -> TroubleTicket:
        """The same, once the topology is there."""
        while True:
            answered = await self.call(point, at, mrid)
            if answered.incident is not None:
                return answered
            await asyncio.sleep(0.05)

    async def crew(
        self,
        order: MaintenanceOrder,
        status: WorkStatusKind,
        at: float,
        cause: str | None = None,
        expected: float | None = None,
    ) -> None:
        """Work management tells how far the work is."""
        (work,) = order.work
        found = () if cause is None else (ActivityRecord(created_date_time=s(at), reason=cause, type="finding"),)
        work = replace(work, status_kind=status, last_modified_date_time=s(at), activity_records=found)
        if expected is not None:
            until = DateTimeInterval(end=s(expected))
            schedule = WorkTimeSchedule(kind=WorkTimeScheduleKind.ESTIMATE, schedule_interval=until)
            work = replace(work, time_schedules=(schedule,))
        told = MaintenanceOrders(maintenance_order=(replace(order, work=(work,)),))
        verb = Verb.CLOSED if status is WorkStatusKind.CLOSED else Verb.CHANGED
        await self.peers["work-management"].tell(verb, told, key="order")

    async def heard(self, role: str) -> Message[Any]:
        """What a neighbour hears next; meanwhile time passes, as fault management judges a moment later."""
        for _ in range(40):
            try:
                return (await self.peers[role].next(timeout_s=0.25)).message
            except TimeoutError:
                await self.grant(self.seconds + SOON.total_seconds())
        raise TimeoutError

    async def told(self) -> tuple[Verb, UnplannedOutage]:
        """The next event of fault management about an outage."""
        message = await self.heard("admin")
        while not isinstance(message.payload, UnplannedOutages):
            message = await self.heard("admin")
        (outage,) = message.noun.unplanned_outage
        assert isinstance(outage, UnplannedOutage)
        return message.header.verb, outage

    async def until(self, state: OutageState) -> UnplannedOutage:
        """The event that first tells of this state."""
        while True:
            _, outage = await self.told()
            if outage.status is not None and outage.status.value == state:
                return outage

    async def asked(self, role: str) -> Message[Any]:
        """The next command to a neighbour, taken with a plain OK."""
        message = await self.heard(role)
        await self.peers[role].reply(message, Reply(result=Result.OK), message.payload)
        return message

    async def shown(self) -> tuple[UnplannedOutage, ...]:
        """The outages that are not over."""
        answer = await self.peers["admin"].request(FM, Verb.GET, UnplannedOutages)
        outages: tuple[UnplannedOutage, ...] = answer.noun.unplanned_outage
        return outages


@asynccontextmanager
async def field(dms: Installation) -> AsyncIterator[Field]:
    installation = dms.of(Schema(fault_management.role, fault_management.migrations), granted_clock=True)
    async with AsyncExitStack() as stack:
        await installation.prepare()
        roles = ("admin", "network-operation", "work-management", "meter-reading-and-control", "callers")
        peers = {role: await stack.enter_async_context(installation.peer(role)) for role in roles}
        for role in ("network-operation", "work-management"):
            peers[role].drain("command", role)
        await peers["admin"].follow(peers["admin"].space.events(Lane.OUTAGE, FM))
        yield Field(installation, peers)


def points(references: tuple[ObjectReference, ...]) -> set[str | None]:
    return {reference.mrid for reference in references}


def order_for(message: Message[Any], device: str) -> MaintenanceOrder:
    """The order that work management makes of a request, with what the crew says is out."""
    ((work,),) = [request.work for request in message.noun.work_request]
    task = WorkTask(mrid="task", assets=(Asset(mrid=device),))
    return MaintenanceOrder(mrid="order", work=(Work(mrid=work.mrid, work_tasks=(task,)),))


def operation(message: Message[Any]) -> tuple[SwitchActionKind, str | None]:
    (plan,) = message.noun.switching_plan
    ((step,),) = [group.switching_step for group in plan.switching_step_groups]
    return step.switch_action.kind, step.switch_action.operated_switch.mrid


async def test_a_melted_fuse_is_found_repaired_closed_and_verified(dms: Installation) -> None:
    async with field(dms) as here, here.fault_management():
        await here.peers["network-operation"].serve(here.snapshot)
        await here.grant(40)
        ticket = await here.located_call("T11-1", 35, "call")
        assert ticket.status is not None
        assert (ticket.mrid, ticket.status.value, ticket.status.remark) == ("call", "ATTACHED", S.SUSPECTED)
        verb, suspected = await here.told()
        assert ticket.incident is not None
        assert (verb, suspected.mrid) == (Verb.CREATED, ticket.incident.mrid)
        await here.meters(EventKind.POWER_LOST, *under("F1"), at=0)
        await asyncio.sleep(1)
        await here.grant(101)
        predicted = await here.until(S.PREDICTED)
        assert (predicted.mrid, points(predicted.opened_switches)) == (suspected.mrid, {"F1"})
        assert points(predicted.de_energized_usage_point) == set(under("F1"))
        assert (predicted.original_customers_served, points(predicted.trouble_ticket)) == (12, {"call"})

        order = order_for(await here.asked("work-management"), "F1")
        await here.crew(order, WorkStatusKind.ENROUTE, 300)
        verb, enroute = await here.told()
        assert (verb, enroute.status_kind) == (Verb.CHANGED, CrewStatusKind.ENROUTE)
        await here.crew(order, WorkStatusKind.ON_SITE, 900, "vegetation")
        confirmed = await here.until(S.CONFIRMED)
        assert (confirmed.cause, confirmed.outage_kind) == ("vegetation", "confirmed")
        assert operation(await here.asked("network-operation")) == (SwitchActionKind.OPEN, "F1")
        await here.switched(feeder("F1", at=s(950)))
        await here.crew(order, WorkStatusKind.COMPLETED, 1800, "vegetation")
        await here.crew(order, WorkStatusKind.CLOSED, 1800, "vegetation")
        assert operation(await here.asked("network-operation")) == (SwitchActionKind.CLOSE, "F1")
        await here.grant(2000)
        await here.switched(feeder(at=s(2000)))
        restored = await here.until(S.RESTORED)
        assert points(restored.energized_usage_point) == set(under("F1"))
        await here.meters(EventKind.POWER_RESTORED, "T11-3", "T12-5", at=2000)
        await asyncio.sleep(0.5)
        await here.grant(2090)
        verb, verified = await here.told()
        assert (verb, verified.status and verified.status.value) == (Verb.CHANGED, S.VERIFIED)
        verb, closed = await here.told()
        assert (verb, closed.status and closed.status.value) == (Verb.CLOSED, S.CLOSED)
        assert closed.actual_period is not None
        assert (closed.actual_period.start, closed.actual_period.end) == (s(0), s(2000))
        assert await here.shown() == ()


async def test_the_word_of_the_crew_on_when_power_is_back_outranks_what_was_computed(dms: Installation) -> None:
    async with field(dms) as here, here.fault_management():
        await here.peers["network-operation"].serve(here.snapshot)
        await here.grant(2)
        await here.located_call("T11-1", 0, "call")
        await here.switched(feeder("B", at=s(1)))
        first = (await here.until(S.CONFIRMED)).estimated_restoration_time
        assert first is not None
        assert (first.ert_source, first.confidence_kind, first.ert) == ("computed", "low", s(3 * 3600))
        order = order_for(await here.asked("work-management"), "B")
        await here.grant(610)
        await here.crew(order, WorkStatusKind.ENROUTE, 600, expected=9000)
        _, enroute = await here.told()
        assert enroute.estimated_restoration_time is not None
        assert enroute.estimated_restoration_time.ert_source == "computed", "a schedule is no word of the crew"
        await here.grant(1800)
        await here.crew(order, WorkStatusKind.ON_SITE, 1800, "weather", expected=5000)
        known = enroute
        while known.status_kind is not CrewStatusKind.ARRIVED:
            _, known = await here.told()
        assert known.estimated_restoration_time is not None
        said = known.estimated_restoration_time
        assert (said.ert_source, said.confidence_kind, said.ert) == ("crew", "high", s(5000))
        await here.grant(3000)
        assert (await here.shown())[0].estimated_restoration_time == said
        answered = await here.call("T21-1", 3000, "late call")
        assert answered.estimated_restoration_time == said
        await here.grant(5000)
        _, overdue = await here.told()
        while overdue.estimated_restoration_time is not None:  # what people said runs out, and nobody says more
            _, overdue = await here.told()
        await here.grant(5400)
        await here.crew(order, WorkStatusKind.COMPLETED, 5400, "weather", expected=5000)
        await here.grant(5500)
        await here.switched(feeder(at=s(5500)))
        await here.meters(EventKind.POWER_RESTORED, *POINTS, at=5500)
        await here.until(S.RESTORED)
        await asyncio.sleep(0.5)
        await here.grant(5600)
        await here.until(S.CLOSED)
        assert [row[0] for row in await here.kept("SELECT source FROM estimate ORDER BY told_at, revision")] == [
            "computed",
            "crew",
            "crew",
        ]
        parts = "SELECT part, minutes FROM duration WHERE device = 'Breaker' AND cause = 'weather'"
        assert dict(await here.kept(parts))["assess"] == 0, "it found the damage when it arrived"
        assert dict(await here.kept(parts))["repair"] == 60


async def test_evidence_that_arrives_all_at_once_and_twice_makes_one_outage(dms: Installation) -> None:
    async with field(dms) as here, here.fault_management():
        await here.peers["network-operation"].serve(here.snapshot)
        await here.grant(40)
        await here.located_call("T31-1", 35, "first")
        calls = (here.call(mrid, 38, f"call {mrid}") for mrid in under("F3"))
        await asyncio.gather(
            here.meters(EventKind.POWER_LOST, *under("F3"), at=0),
            here.meters(EventKind.POWER_LOST, *reversed(under("F3")), at=0),
            *calls,
        )
        await asyncio.sleep(1)
        await here.grant(101)
        await here.until(S.PREDICTED)
        (outage,) = await here.shown()
        assert points(outage.opened_switches) == {"F3"}
        assert len(outage.trouble_ticket) == len(under("F3")), "who called first and again is one caller"
        request = await here.heard("work-management")
        assert request.noun.work_request[0].work[0].priority.rank == 2, "one of the customers is critical"


async def test_what_many_meters_tell_while_their_area_is_judged_is_kept_at_once_and_judged_once(
    dms: Installation,
) -> None:
    async with field(dms) as here, here.fault_management():
        await here.peers["network-operation"].serve(here.snapshot)
        await here.grant(40)
        await here.located_call("T11-1", 35, "call")
        assert (await here.told())[0] is Verb.CREATED
        async with here.judging():
            await here.meters(EventKind.POWER_LOST, *under("F1"), at=36)
            await here.until_kept("SELECT count(*) FROM evidence WHERE kind = 'gasp'", [(len(under("F1")),)])
            assert await here.kept("SELECT count(*) FROM wake WHERE name = 'judge'") == [(1,)]
        await here.until_kept("SELECT key FROM wake WHERE name = 'judge'", [])
        (outage,) = await here.shown()
        assert points(outage.de_energized_usage_point) == set(under("F1"))
        await here.grant(101)
        assert points((await here.until(S.PREDICTED)).opened_switches) == {"F1"}


async def test_without_network_operation_calls_join_by_the_last_topology_and_nothing_is_closed(
    dms: Installation,
) -> None:
    async with field(dms) as here:
        async with here.fault_management(), here.installation.peer("network-operation") as network_operation:
            await network_operation.serve(here.snapshot)
            await here.grant(40)
            await here.located_call("T11-1", 35, "before")
            await here.switched(feeder("B", at=s(40)))
            known = await here.until(S.CONFIRMED)
            assert points(known.de_energized_usage_point) == set(POINTS)
        async with here.fault_management():
            await here.grant(50)
            answered = await here.call("T21-4", 45, "after")
            assert answered.incident is not None
            assert answered.incident.mrid == known.mrid
            await here.grant(50 + timedelta(hours=3).total_seconds())
            (outage,) = await here.shown()
            assert outage.status is not None
            assert outage.status.value == S.CONFIRMED


async def test_a_call_from_a_place_that_nobody_knows_is_taken_all_the_same(dms: Installation) -> None:
    async with field(dms) as here, here.fault_management():
        await here.grant(40)
        answered = await here.call("nowhere", 35, "lost")
        assert answered.status is not None
        assert (answered.incident, answered.status.value) == (None, "UNLOCATED")


async def test_a_feeder_of_which_a_change_was_missed_or_that_has_a_new_model_is_asked_for(dms: Installation) -> None:
    async with field(dms) as here, here.fault_management():
        await here.peers["network-operation"].serve(here.snapshot)
        await here.grant(40)
        await here.located_call("T11-1", 35, "before")
        missed = replace(feeder("B", at=s(40)), revision=4)
        here.topology = missed
        await here.tell(FeederChange(mrid="feeder", event_time=s(40), model_version="1", revision=4))
        known = await here.until(S.CONFIRMED)
        assert points(known.de_energized_usage_point) == set(POINTS)
        await here.grant(1060)
        here.topology = replace(feeder(at=s(1050)), model_version="2", revision=5)
        await here.tell(FeederChange(mrid="feeder", event_time=s(1050), model_version="2", revision=5))
        restored = await here.until(S.RESTORED)
        assert points(restored.energized_usage_point) == set(POINTS)
        kept: list[Any] = []
        async with asyncio.timeout(30):
            while kept != [("2", 5)]:
                await asyncio.sleep(0.05)
                kept = await here.kept("SELECT model_version, revision FROM feeder")


async def test_an_operation_that_is_told_again_is_kept_once_and_flags_are_kept_beside_it(dms: Installation) -> None:
    async with field(dms) as here, here.fault_management():
        await here.grant(40)
        trip = SwitchingEvent(
            mrid="B/0/open",
            created_date_time=s(0),
            kind=SwitchActionKind.OPEN,
            type=SwitchingEventType.TRIP,
            operated_switch=ObjectReference(mrid="B"),
        )
        flag = replace(trip, mrid="FI/0", kind=None, type=SwitchingEventType.FAULT_INDICATION)
        for events in ((trip,), (flag, trip), (flag,)):
            told = SwitchingEvents(switching_event=events)
            await here.peers["network-operation"].tell(Verb.CREATED, told, key="B")
        kept: list[Any] = []
        async with asyncio.timeout(30):
            while len(kept) < 2:
                await asyncio.sleep(0.05)
                kept = await here.kept("SELECT mrid, kind, type, at FROM operation ORDER BY mrid")
        assert kept == [("B/0/open", "open", "TRIP", s(0)), ("FI/0", None, "FAULT_INDICATION", s(0))]


async def test_a_question_waits_for_who_puts_it_to_the_meter_and_late_and_doubled_answers_count_once(
    dms: Installation,
) -> None:
    async with field(dms) as here, here.fault_management():
        await here.peers["network-operation"].serve(here.snapshot)
        await here.grant(10)
        await here.located_call("T11-1", 10, "call")
        _, suspected = await here.told()
        assert suspected.status is not None
        assert suspected.status.value == S.SUSPECTED
        await here.grant(400)
        meters = here.peers["meter-reading-and-control"]
        meters.drain("command", "meter-reading-and-control")
        asked = (await meters.next()).message
        (control,) = asked.noun.end_device_control
        assert (control.end_device_control_type.ref, points(control.usage_points)) == (PING, {"T11-1"})
        assert [device.mrid for device in control.end_devices] == ["T11-1-meter"]
        late = Reply(result=Result.FAILED, error=(Error(code="4.1", reason="the device did not answer"),))
        await meters.reply(asked, late)

        answer = EndDeviceEvent(
            created_date_time=s(390),
            assets=ObjectReference(mrid="T11-1-meter"),
            end_device_event_details=(EndDeviceEventDetail(name=ANSWERS, value=control.mrid),),
            end_device_event_type=Reference(ref=EMITTED[EventKind.POWER_RESTORED]),
            usage_point=ObjectReference(mrid="T11-1"),
        )
        for _ in range(2):
            await meters.tell(Verb.CREATED, EndDeviceEvents(end_device_event=(answer,)), key="T11-1")
        inside = await here.until(S.VERIFY)
        assert (inside.mrid, inside.revision_number) == (suspected.mrid, 2)
        timing = EndDeviceTiming(interval=DateTimeInterval(start=s(390)))
        answered = EndDeviceControls(end_device_control=(replace(control, primary_device_timing=timing),))
        await meters.reply(asked, Reply(result=Result.OK), answered)
        await asyncio.sleep(0.5)
        (kept,) = await here.shown()
        assert (kept.revision_number, kept.status and kept.status.value) == (2, S.VERIFY)
        assert kept.outage_kind is OutageStatusKind.PREDICTED, "nobody is interrupted by it"
        evidence = "SELECT count(*) FROM evidence WHERE kind = 'answered'"
        assert await here.kept(evidence) == [(1,)]
