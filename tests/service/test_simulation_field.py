"""The played field on real servers and a granted clock, with peers for everybody who lives outside it.

The peers do what they do while they hold a message, so that time stands still until they have done it.
Longer than 400 lines because the people outside the field are played here, a class for each story.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, TypeVar

from msgspec.structs import replace

from contracts.catalogue import CATALOGUE
from contracts.codes.end_device_controls import DISCONNECT, PING, SWITCH_STATE
from contracts.errors import from_reply
from contracts.interface import Lane
from contracts.message import Id, Message, Reply, Request, Result
from contracts.nouns.controls import Command, Controls
from contracts.nouns.end_device_controls import EndDeviceControl, EndDeviceControls
from contracts.nouns.end_device_events import EndDeviceEvents
from contracts.nouns.feeder_topology import Feeder, FeederTopology
from contracts.nouns.get_meter_readings import GetMeterReadings
from contracts.nouns.maintenance_orders import Asset, MaintenanceOrder, MaintenanceOrders, Work, WorkTask
from contracts.nouns.measurements import Measurements, MeasurementType, SwitchPosition
from contracts.nouns.meter_read_schedule import EndDevice, MeterReadSchedule, TimePoint, TimeSchedule
from contracts.nouns.meter_readings import MeterReadings
from contracts.nouns.reading_types import ReadingType
from contracts.nouns.scenario_scores import CourseKind, ScenarioScores
from contracts.nouns.switching_plans import (
    GroundAction,
    SwitchAction,
    SwitchActionKind,
    SwitchingPlan,
    SwitchingPlans,
    SwitchingStep,
    SwitchingStepGroup,
    TempEquipActionKind,
    VerificationAction,
)
from contracts.nouns.training_scenarios import (
    FaultKind,
    FieldConditions,
    ScenarioStatusKind,
    TrainingScenario,
    TrainingScenarios,
)
from contracts.nouns.trouble_tickets import TroubleTickets
from contracts.nouns.units import PhaseCode
from contracts.nouns.unplanned_outages import OutageStatusKind, UnplannedOutage, UnplannedOutages
from contracts.types import DateTimeInterval, ObjectReference, Reference
from contracts.verbs import Verb
from services.emergency_simulation.domain.conditions import Conditions, chosen
from services.emergency_simulation.domain.network import Network, code_of
from services.emergency_simulation.domain.planning import plan_faults
from services.emergency_simulation.service import service as emergency_simulation
from shared.bus.topology import durables
from shared.clock import GrantedClock
from shared.codec import CONTENT_XML
from shared.config import Context
from shared.envelope import success
from shared.runtime import FIRST_GRANT_S, running
from shared.tools.bootstrap import Schema
from shared.tools.testing import Installation, Peer
from tests.fixtures.streets import START, road, street

ES = "emergency-simulation"
HISTORY = "event-history"
PEERS = tuple(
    role for role, interface in CATALOGUE.interfaces.items() if not interface.field and role not in {ES, "operator"}
)
T = TypeVar("T")
LOST, RESTORED = "3.26.9.185", "3.26.9.216"


class Outside:
    """Everybody outside the field, and what they heard, in the order in which they heard it."""

    def __init__(self, admin: Peer, auditor: Peer, peers: dict[str, Peer]) -> None:
        self.admin = admin
        self.auditor = auditor
        self.peers = peers
        self.heard: list[tuple[str, Any]] = []

    async def topology(self, _: Message[Any]) -> tuple[Reply, FeederTopology]:
        return success(), FeederTopology(feeder=(self.built(),))

    def built(self) -> Feeder:
        """The network, by default the street."""
        return street()

    async def listen(self, peer: Peer, stream: str, durable: str) -> None:
        async for delivery in peer.bus.pull(stream, durable):
            if peer.role == HISTORY:  # hears everything again, and copies of requests that are no messages
                await delivery.ack()
                continue
            message = peer.codec.decode(delivery.body, CONTENT_XML)
            assert isinstance(message, Message)
            self.heard.append((peer.role, message.payload))
            await self.react(message)
            await delivery.ack()

    async def react(self, message: Message[Any]) -> None:
        """What the outside does about it; by default nothing."""

    async def order(self, seed: int, faults: int = 1, **more: Any) -> Message[TrainingScenarios]:
        scenario = TrainingScenario(mrid=f"storm {seed}", seed=seed, faults=faults, **more)
        return await self.admin.request(ES, Verb.CREATE, TrainingScenarios(training_scenario=(scenario,)), timeout_s=60)

    async def end_of_storm(self) -> TrainingScenario:
        """The storm as it is told when it has ended; the other words about it come before."""
        while True:
            noun = (await self.auditor.next(60)).message.payload
            assert isinstance(noun, TrainingScenarios)
            (scenario,) = noun.training_scenario
            if scenario.end_time is not None:
                asked = await self.admin.request(ES, Verb.GET, TrainingScenarios, ids=[scenario.mrid])
                assert asked.noun == noun
                return scenario

    def said(self, kind: type[T]) -> list[T]:
        """The nouns of one kind in the order in which they were heard."""
        return [payload for _, payload in self.heard if isinstance(payload, kind)]

    def meters(self, code: str) -> list[str]:
        """The usage points whose meters sent this, in the order of their messages."""
        events = [event for noun in self.said(EndDeviceEvents) for event in noun.end_device_event]
        return [
            event.usage_point.mrid or ""
            for event in events
            if event.end_device_event_type.ref == code and event.usage_point is not None
        ]

    def positions(self) -> list[tuple[str, SwitchPosition]]:
        return [
            (discrete.power_system_resource.mrid or "", SwitchPosition(discrete.discrete_values[0].value))
            for noun in self.said(Measurements)
            for discrete in noun.discrete
            if discrete.power_system_resource is not None
            and discrete.measurement_type == MeasurementType.SWITCH_POSITION
        ]

    def first_gasp(self, noun: object) -> bool:
        """True for the first that is heard of a loss of power."""
        return isinstance(noun, EndDeviceEvents) and len(self.said(EndDeviceEvents)) == 1 and bool(self.meters(LOST))


class Restorers(Outside):
    """An outage is made of the first gasp, a crew is sent, and the fuse is closed once it has repaired."""

    device = "fuse-a"
    dark: tuple[str, ...] = ("a1", "a2")

    async def react(self, message: Message[Any]) -> None:
        noun = message.payload
        if self.first_gasp(noun):
            await self.say(Verb.CREATED, revision=1)
            task = WorkTask(assets=(Asset(mrid=self.device),))
            order = MaintenanceOrder(mrid="order", work=(Work(mrid="work", work_tasks=(task,)),))
            noun = MaintenanceOrders(maintenance_order=(order,))
            await self.peers["work-management"].command("crews", Verb.CREATE, noun)
        elif isinstance(noun, MaintenanceOrders) and status(noun) == "completed":
            action = SwitchAction(kind=SwitchActionKind.CLOSE, operated_switch=ObjectReference(mrid=self.device))
            await self.peers["network-operation"].command("crews", Verb.EXECUTE, plan(action))
        elif isinstance(noun, EndDeviceEvents) and len(self.meters(RESTORED)) == len(self.dark):
            await self.say(Verb.CLOSED, revision=2)

    async def say(self, verb: Verb, revision: int) -> None:
        outage = UnplannedOutage(
            mrid="outage",
            outage_kind=OutageStatusKind.CONFIRMED,
            revision_number=revision,
            de_energized_usage_point=references(self.dark) if verb is Verb.CREATED else (),
            energized_usage_point=() if verb is Verb.CREATED else references(self.dark),
            opened_switches=references((self.device,)),
        )
        noun = UnplannedOutages(unplanned_outage=(outage,))
        await self.peers["fault-management"].tell(verb, noun, key="outage")


def references(mrids: Iterable[str]) -> tuple[ObjectReference, ...]:
    return tuple(ObjectReference(mrid=mrid) for mrid in mrids)


def plan(*actions: SwitchAction) -> SwitchingPlans:
    steps = tuple(SwitchingStep(sequence_number=number, switch_action=action) for number, action in enumerate(actions))
    group = SwitchingStepGroup(sequence_number=1, switching_step=steps)
    return SwitchingPlans(switching_plan=(SwitchingPlan(mrid="plan", switching_step_groups=(group,)),))


def status(noun: MaintenanceOrders) -> str | None:
    return noun.maintenance_order[0].work[0].status_kind


def seed_that_strikes(equipment: str, built: Feeder | None = None, wanted: FieldConditions | None = None) -> int:
    """The first seed whose only stroke hits this; chance in the storm is by seed, place and start alone."""
    network = Network([built or street()])
    for seed in range(1000):
        order = TrainingScenario(mrid="any", seed=seed, faults=1)
        planned = plan_faults(network, network.normally, order, START, chosen(Conditions(), wanted))
        if planned[0].equipment == equipment:
            return seed
    raise AssertionError(equipment)


@asynccontextmanager
async def field(dms: Installation, kind: type[Outside]) -> AsyncIterator[Outside]:
    schema = Schema(ES, emergency_simulation.migrations)
    installation = dms.of(schema, context=Context.TRAINING, granted_clock=True)
    async with AsyncExitStack() as stack:
        await installation.prepare()
        peers = {role: await stack.enter_async_context(installation.peer(role)) for role in PEERS}
        admin = await stack.enter_async_context(installation.peer("admin"))
        auditor = await stack.enter_async_context(installation.peer("auditor"))
        await auditor.follow(auditor.space.events(Lane.GENERAL, ES))
        outside = kind(admin, auditor, peers)
        await peers["network-model-management"].serve(outside.topology)
        async with asyncio.TaskGroup() as tasks:
            listening = [
                tasks.create_task(outside.listen(peer, durable.stream, durable.name))
                for role, peer in peers.items()
                for durable in durables(CATALOGUE, installation.settings.root, Context.TRAINING, role)
            ]
            process = running(emergency_simulation, settings=installation.settings, catalogue=CATALOGUE, external=PEERS)
            async with process as played:
                assert isinstance(played.clock, GrantedClock)
                await played.clock.first_grant(FIRST_GRANT_S)
                yield outside
            for task in listening:
                task.cancel()


async def test_a_storm_is_seen_heard_repaired_and_scored(dms: Installation) -> None:
    async with field(dms, Restorers) as outside:
        accepted = await outside.order(seed_that_strikes("line-a"))
        assert accepted.noun.training_scenario[0].status_kind is ScenarioStatusKind.REQUESTED
        early = await outside.admin.request(ES, Verb.GET, ScenarioScores, ids=["another storm"])
        assert early.reply is not None
        assert early.reply.error[0].reason == "no storm with this mRID has ended"
        storm = await outside.end_of_storm()
        scores = (await outside.admin.request(ES, Verb.GET, ScenarioScores, ids=[storm.mrid])).noun
    assert storm.status_kind is ScenarioStatusKind.FINISHED
    (score,) = scores.scenario_score
    minutes = {course.kind: course.customer_minutes for course in score.course}
    assert minutes[CourseKind.RUN] == storm.customer_minutes
    assert 0 < minutes[CourseKind.REFERENCE] <= minutes[CourseKind.RUN] <= minutes[CourseKind.WAITING]
    assert [each.fault for each in score.fault_score] == [storm.fault[0].mrid]
    assert (storm.faults_struck, storm.matched, storm.customers_interrupted) == (1, 1, 4)
    assert storm.customers_dark_at_end == 0
    assert storm.fault[0].device == "fuse-a"
    assert sorted(outside.meters(LOST)) == sorted(outside.meters(RESTORED)) == ["a1", "a2"]
    assert outside.positions() == []
    callers = [ticket.usage_point for noun in outside.said(TroubleTickets) for ticket in noun.trouble_ticket]
    assert {point.mrid for point in callers if point is not None} <= {"a1", "a2"}
    reports = outside.said(MaintenanceOrders)
    assert [status(report) for report in reports] == ["enroute", "onSite", "completed"]
    (finding,) = reports[1].maintenance_order[0].work[0].activity_records
    assert finding.type == "finding"
    (done,) = outside.said(SwitchingPlans)
    action = done.switching_plan[0].switching_step_groups[0].switching_step[0].switch_action
    assert action is not None
    assert action.executed_date_time is not None


class Operators(Outside):
    """Whoever sees the breaker open closes it again at once, without a look at the fault."""

    async def react(self, message: Message[Any]) -> None:
        if isinstance(message.payload, Measurements) and len(self.positions()) == 1:
            command = Command(
                control_type="SwitchPosition",
                value=int(SwitchPosition.CLOSED),
                power_system_resource=ObjectReference(mrid="breaker"),
            )
            await self.peers["network-operation"].command("scada", Verb.CREATE, Controls(command=(command,)))


async def test_closing_onto_a_fault_is_seen_as_closed_and_open_again_and_a_storm_without_end_fails(
    dms: Installation,
) -> None:
    async with field(dms, Operators) as outside:
        await outside.order(seed_that_strikes("main"))
        storm = await outside.end_of_storm()
    assert outside.positions() == [
        ("breaker", SwitchPosition.OPEN),
        ("breaker", SwitchPosition.CLOSED),
        ("breaker", SwitchPosition.OPEN),
    ]
    times = [noun.discrete[0].discrete_values[0].time_stamp for noun in outside.said(Measurements)]
    assert times == sorted(set(times))
    assert storm.status_kind is ScenarioStatusKind.FAILED
    assert (storm.matched, storm.customers_dark_at_end, storm.customers_interrupted) == (0, 9, 9)
    assert len(outside.meters(LOST)) == 5
    assert outside.meters(RESTORED) == []


class Linesmen(Restorers):
    """Crews test and ground the struck lateral, close its fuse too early, and then take the ground away."""

    def __init__(self, admin: Peer, auditor: Peer, peers: dict[str, Peer]) -> None:
        super().__init__(admin, auditor, peers)
        self.refused: list[str] = []

    async def react(self, message: Message[Any]) -> None:
        if self.first_gasp(message.payload):
            test = VerificationAction(verification_condition="tested dead", power_system_resource=LINE_B)
            await self.instruct(SwitchingStep(sequence_number=1, verification_action=test))
            tested = replace(test, power_system_resource=LINE_A)
            placed = GroundAction(kind=TempEquipActionKind.PLACE, ground=GROUND, grounded_equipment=LINE_A)
            await self.instruct(
                SwitchingStep(sequence_number=1, verification_action=tested),
                SwitchingStep(sequence_number=2, ground_action=placed),
            )
        failure = None if message.reply is None else from_reply(message.reply)
        if failure is not None:
            self.refused.append(f"{failure.object_id}: {failure.reason}")
        if failure is not None and failure.object_id == self.device:
            gone = GroundAction(kind=TempEquipActionKind.REMOVE, ground=GROUND)
            await self.instruct(SwitchingStep(sequence_number=1, ground_action=gone))
        elif isinstance(message.payload, SwitchingPlans) and executed(message.payload) == [TempEquipActionKind.REMOVE]:
            action = SwitchAction(kind=SwitchActionKind.CLOSE, operated_switch=ObjectReference(mrid=self.device))
            await self.peers["network-operation"].command("crews", Verb.EXECUTE, plan(action))
        await super().react(message)

    async def instruct(self, *steps: SwitchingStep) -> None:
        group = SwitchingStepGroup(sequence_number=1, switching_step=steps)
        noun = SwitchingPlans(switching_plan=(SwitchingPlan(mrid="work", switching_step_groups=(group,)),))
        await self.peers["network-operation"].command("crews", Verb.EXECUTE, noun)


LINE_A, LINE_B, GROUND = (ObjectReference(mrid=mrid) for mrid in ("line-a", "line-b", "ground"))


def executed(plans: SwitchingPlans) -> list[TempEquipActionKind | None]:
    """What was carried out at the steps of a plan: of a ground whether it was placed, of all else nothing is told."""
    steps = [step for group in plans.switching_plan[0].switching_step_groups for step in group.switching_step]
    done = [step for step in steps if step.action.executed_date_time is not None]
    return [None if step.ground_action is None else step.ground_action.kind for step in done]


async def test_crews_test_what_they_ground_and_nothing_closes_onto_a_ground(dms: Installation) -> None:
    async with field(dms, Linesmen) as outside:
        await outside.order(seed_that_strikes("line-a"))
        storm = await outside.end_of_storm()
        assert isinstance(outside, Linesmen)
        assert outside.refused == [
            "line-b: the crew has tested it, and it is live",
            "fuse-a: the device opened again at once",
        ]
        done = [executed(noun) for noun in outside.said(SwitchingPlans)]
        assert done == [[None, TempEquipActionKind.PLACE], [TempEquipActionKind.REMOVE], [None]]
        assert (storm.status_kind, storm.customers_dark_at_end) == (ScenarioStatusKind.FINISHED, 0)


QUARTERS = "0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.0.72.0"
DONE = f"{DISCONNECT} b1"
SHED = "3.15.0.18"
REGISTER = "0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0"


class Askers(Restorers):
    """At the first gasp the meters of both laterals are asked whether they have power, and what they show."""

    silent: tuple[tuple[str, str], ...] = ()

    async def react(self, message: Message[Any]) -> None:
        if message.header.noun == "MeterReadings" and message.reply is not None:
            self.silent = tuple((each.code, each.id.value) for each in message.reply.error if each.id)
        if isinstance(message.payload, EndDeviceControls) and message.payload.end_device_control[0].mrid == DONE:
            await self.peers["meter-reading-and-control"].command("head-end", Verb.CREATE, order("b1", SWITCH_STATE))
        if self.first_gasp(message.payload):
            for point in ("a1", "b1"):
                await self.peers["meter-reading-and-control"].command("head-end", Verb.CREATE, order(point, PING))
            for code in (DISCONNECT, SHED):
                await self.peers["meter-reading-and-control"].command("head-end", Verb.CREATE, order("b1", code))
            names = tuple(ObjectReference(mrid=mrid) for mrid in ("a1-meter", "b1-meter", "stranger"))
            question = Request(query=GetMeterReadings(end_device=names))
            await self.peers["meter-reading-and-control"].inquire("head-end", MeterReadings, question)
            await self.schedule(message.noun.end_device_event[0].created_date_time + timedelta(minutes=2))
        await super().react(message)

    async def schedule(self, at: datetime) -> None:
        """All meters of the street are to be read at a time, of the hour before."""
        window = DateTimeInterval(start=at - timedelta(hours=1), end=at)
        times = TimeSchedule(
            schedule_interval=DateTimeInterval(start=at), time_points=(TimePoint(date_time=at, window=window),)
        )
        noun = MeterReadSchedule(
            end_device=tuple(EndDevice(mrid=f"{point}-meter") for point in ("a1", "b1")),
            reading_type=(ReadingType(mrid=QUARTERS), ReadingType(mrid=REGISTER)),
            time_schedule=(times,),
        )
        peer = self.peers["meter-reading-and-control"]
        header = peer.header(Verb.CREATE, "MeterReadSchedule")
        subject = peer.writer.reply_subject(peer.role, header.message_id or "", "head-end")
        header = replace(header, async_reply_flag=True, reply_address=subject)
        body = Message(header=header, request=Request(id=(Id(value="hourly"),)), payload=noun)
        encoded = peer.codec.encode(body, CONTENT_XML)
        await peer.command_raw("head-end", Verb.CREATE, "MeterReadSchedule", encoded, header.message_id or "")


def order(point: str, code: str) -> EndDeviceControls:
    control = EndDeviceControl(
        mrid=f"{code} {point}",
        dr_program_mandatory=True,
        end_device_control_type=Reference(ref=code),
        usage_points=(ObjectReference(mrid=point),),
    )
    return EndDeviceControls(end_device_control=(control,))


async def test_a_meter_that_has_power_answers_and_obeys_when_it_is_asked_and_one_in_the_dark_never_does(
    dms: Installation,
) -> None:
    async with field(dms, Askers) as outside:
        await outside.order(seed_that_strikes("line-a"))
        await outside.end_of_storm()
    said = {noun.end_device_control[0].mrid: noun for noun in outside.said(EndDeviceControls)}
    assert set(said) == {f"{PING} b1", f"{DISCONNECT} b1", f"{SWITCH_STATE} b1", f"{SHED} b1"}
    assert said[f"{SWITCH_STATE} b1"].end_device_control[0].reason == "disconnected"
    answer = said[f"{PING} b1"]
    timing = answer.end_device_control[0].primary_device_timing
    assert timing is not None
    assert timing.interval is not None
    assert timing.interval.start is not None
    answered, told = outside.said(MeterReadings)
    for reading in (*answered.meter_reading, *told.meter_reading):
        assert reading.meter is not None
        assert reading.meter.mrid == "b1-meter"
    (file,) = told.meter_reading
    assert [len(file.readings), len(file.interval_blocks[0].interval_readings)] in ([1, 3], [1, 4])
    assert isinstance(outside, Askers)
    assert outside.silent == (("2.4", "stranger"), ("4.1", "a1-meter"))


PROTECTED = FieldConditions(reclosing=True, single_phase=True, vanishing=1.0, indicator_miss=0.0)


class Watchers(Outside):
    """People on a road with a recloser who only look on."""

    def built(self) -> Feeder:
        return road()

    def told(self, kind: MeasurementType) -> list[tuple[str, datetime]]:
        """What was said of this kind, and of when, in the order in which it was heard."""
        return [
            (discrete.power_system_resource.mrid or "", discrete.discrete_values[0].time_stamp)
            for noun in self.said(Measurements)
            for discrete in noun.discrete
            if discrete.measurement_type == kind and discrete.power_system_resource is not None
        ]


async def test_what_reclosing_clears_is_seen_by_the_control_centre_and_ends_without_anybody_going_out(
    dms: Installation,
) -> None:
    async with field(dms, Watchers) as outside:
        assert isinstance(outside, Watchers)
        await outside.order(7, faults=0, temporary_faults=1, field_conditions=PROTECTED)
        storm = await outside.end_of_storm()
    (fault,) = storm.fault
    opened, closed = outside.told(MeasurementType.SWITCH_POSITION)
    assert outside.positions() == [("recloser", SwitchPosition.OPEN), ("recloser", SwitchPosition.CLOSED)]
    assert opened[1] == fault.occurred_date_time
    assert closed[1] - opened[1] == timedelta(seconds=0.5)
    assert outside.told(MeasurementType.TRIP) == [opened]
    assert outside.told(MeasurementType.LOCKOUT) == []
    assert outside.meters(LOST) == outside.meters(RESTORED) == []
    assert storm.status_kind is ScenarioStatusKind.FINISHED
    assert (storm.faults_struck, storm.customers_interrupted, storm.customer_minutes) == (0, 0, 0)
    assert storm.maifi == storm.maifi_e == 6 / 7
    assert fault.temporary


class RoadMenders(Restorers):
    """The same people on a road where a fuse melts on one phase."""

    device = "fuse"
    dark = ("A",)

    def built(self) -> Feeder:
        return road()


async def test_a_fuse_melts_on_one_phase_after_the_fast_shot_and_the_truth_has_the_minutes_of_that_phase(
    dms: Installation,
) -> None:
    seed = next(
        seed
        for seed in range(seed_that_strikes("lateral", road(), PROTECTED), 1000)
        if dark_phase(seed) == ("lateral", PhaseCode.A)
    )
    async with field(dms, RoadMenders) as outside:
        await outside.order(seed, field_conditions=PROTECTED)
        storm = await outside.end_of_storm()
    (fault,) = storm.fault
    assert (fault.device, fault.phases, fault.kind) == ("fuse", PhaseCode.A, FaultKind.LINE_TO_GROUND)
    assert outside.meters(LOST) == outside.meters(RESTORED) == ["A"]
    assert [device for device, _ in outside.positions()] == ["recloser", "recloser"]
    assert (storm.matched, storm.predicted_right, storm.customers_interrupted) == (1, 1, 1)
    (done,) = outside.said(SwitchingPlans)
    action = done.switching_plan[0].switching_step_groups[0].switching_step[0].switch_action
    assert action is not None
    assert action.executed_date_time is not None
    melted = fault.occurred_date_time + timedelta(seconds=0.6)
    minutes = (action.executed_date_time - melted).total_seconds() / 60
    assert storm.customer_minutes is not None
    assert abs(storm.customer_minutes - minutes - 0.6 / 60) < 1e-6


def dark_phase(seed: int) -> tuple[str, PhaseCode]:
    network = Network([road()])
    order = TrainingScenario(mrid="any", seed=seed, faults=1)
    (planned,) = plan_faults(network, network.normally, order, START, chosen(Conditions(), PROTECTED))
    return planned.equipment, code_of(planned.phases)


async def test_the_same_seed_gives_the_same_storm_word_for_word(dms: Installation) -> None:
    words = []
    for _ in range(2):
        async with field(dms, Restorers) as outside:
            await outside.order(seed_that_strikes("line-a"))
            await outside.end_of_storm()
        words.append(outside.heard)
    assert sorted(map(repr, words[0])) == sorted(map(repr, words[1]))


async def test_one_storm_at_a_time_and_what_makes_no_sense_is_refused(dms: Installation) -> None:
    async with field(dms, Outside) as outside:

        async def refused(to: str, verb: Verb, noun: object) -> str:
            answer = await outside.admin.request(to, verb, noun)
            assert answer.reply is not None
            assert answer.reply.result is Result.FAILED
            return answer.reply.error[0].reason or ""

        assert "has room for 2 faults" in await refused_storm(refused, faults=9)
        assert (await outside.order(1)).reply == success()
        unknown = SwitchAction(kind=SwitchActionKind.OPEN, operated_switch=ObjectReference(mrid="nowhere"))
        assert await refused("crews", Verb.EXECUTE, plan(unknown)) == "the field has no such device"
        manual = Command(control_type="SwitchPosition", value=1, power_system_resource=ObjectReference(mrid="fuse-a"))
        assert await refused("scada", Verb.CREATE, Controls(command=(manual,))) == "the device has no drive"
        order = MaintenanceOrders(maintenance_order=(MaintenanceOrder(mrid="order"),))
        assert "does not know where to go" in await refused("crews", Verb.CREATE, order)
        assert "another storm is not over" in await refused_storm(refused, faults=1)


async def refused_storm(refused: Any, *, faults: int) -> str:
    scenario = TrainingScenario(mrid="refused", seed=1, faults=faults)
    reason = await refused(ES, Verb.CREATE, TrainingScenarios(training_scenario=(scenario,)))
    assert isinstance(reason, str)
    return reason
