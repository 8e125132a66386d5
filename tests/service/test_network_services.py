"""Network model management and network operation on real servers, with peers for all their neighbours."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from msgspec import json

from contracts.catalogue import CATALOGUE
from contracts.errors import BusbarError, Conflict, Invalid, NotFound, from_reply
from contracts.interface import Lane
from contracts.message import Error, Level, Message, Reply, Result
from contracts.nouns.feeder_topology import Equipment, Feeder, FeederChange, FeederTopology
from contracts.nouns.measurements import Discrete, DiscreteValue, Measurements, MeasurementType, SwitchPosition
from contracts.nouns.network_models import ModelStatusKind, NetworkModel, NetworkModels
from contracts.nouns.switching_events import SwitchingEvents, SwitchingEventType
from contracts.nouns.switching_plans import (
    SwitchAction,
    SwitchActionKind,
    SwitchingPlan,
    SwitchingPlans,
    SwitchingStep,
    SwitchingStepGroup,
)
from contracts.types import ObjectReference
from contracts.verbs import Verb
from services.network_model_management.service import service as network_model_management
from services.network_operation.service import service as network_operation
from shared.config import Context, Settings
from shared.runtime import running
from shared.tools.bootstrap import Schema
from shared.tools.testing import Installation, Peer

N = TypeVar("N")

HARBOUR = (Path(__file__).parents[2] / "infra" / "networks" / "harbour.xml").read_text()
NMM, NO = "network-model-management", "network-operation"
MORNING = datetime(2026, 3, 1, 6, tzinfo=UTC)
OPEN, CLOSE = SwitchActionKind.OPEN, SwitchActionKind.CLOSE


class Net:
    """Both services, their neighbours as peers, and what the tests ask again and again."""

    def __init__(self, admin: Peer, scada: Peer, crews: Peer) -> None:
        self.admin = admin
        self.scada = scada
        self.crews = crews
        self.feeders: dict[str, Feeder] = {}
        self.waiting: list[Message[Any]] = []

    async def grant(self, now: datetime) -> None:
        """Move the time of the context."""
        await self.admin.bus.publish_core(self.admin.space.clock, json.encode({"now": now}))

    async def offer(self, document: str) -> Message[NetworkModels]:
        """Offer a model."""
        model = NetworkModel(mrid="harbour", model_format="CIM100 RDF/XML", document=document)
        return await self.admin.request(NMM, Verb.CREATE, NetworkModels(network_model=(model,)), timeout_s=20)

    async def adopted(self) -> dict[str, Equipment]:
        """The switches by name, once network operation has told the feeders of the harbour."""
        await self.offer(HARBOUR)
        await self.told(Verb.CREATED, NetworkModels)
        for _ in range(2):
            change = (await self.told(Verb.CHANGED, FeederTopology)).feeder_change[0]
            self.feeders[change.mrid] = await self.feeder(NO, change.mrid)
        known = self.feeders.values()
        return {each.name: each for feeder in known for each in feeder.equipment if each.open is not None}

    async def changed(self) -> tuple[FeederChange, Feeder]:
        """The next change of a feeder, and the feeder after it."""
        (change,) = (await self.told(Verb.CHANGED, FeederTopology)).feeder_change
        after = self.feeders[change.mrid].after(change)
        assert after is not None
        self.feeders[change.mrid] = after
        return change, after

    async def operation(self) -> tuple[str | None, str | None]:
        """The kind and the type of the operation that the next event tells."""
        (event,) = (await self.told(Verb.CREATED, SwitchingEvents)).switching_event
        return event.kind, event.type

    async def told(self, verb: Verb, noun: type[N]) -> N:
        """The next event of this kind; those of other kinds wait, since only one key's events keep their order."""
        while True:
            for place, message in enumerate(self.waiting):
                if (message.header.verb, message.header.noun) == (verb, noun.__name__):
                    del self.waiting[place]
                    assert isinstance(message.payload, noun)
                    return message.payload
            self.waiting.append((await self.admin.next()).message)

    async def feeder(self, role: str, mrid: str) -> Feeder:
        """A feeder as ``role`` tells it."""
        message = await self.admin.request(role, Verb.GET, FeederTopology, ids=[mrid])
        (feeder,) = message.noun.feeder
        assert isinstance(feeder, Feeder)
        return feeder

    async def measure(self, device: Equipment, position: SwitchPosition, at: datetime, *also: MeasurementType) -> None:
        """Telemetry of a switch position, and of what else is so at that instant."""
        values = {MeasurementType.SWITCH_POSITION: int(position), **dict.fromkeys(also, 1)}
        discrete = tuple(
            Discrete(
                measurement_type=kind,
                discrete_values=(DiscreteValue(time_stamp=at, value=value),),
                power_system_resource=ObjectReference(mrid=device.mrid),
            )
            for kind, value in values.items()
        )
        await self.scada.tell(Verb.CREATED, Measurements(discrete=discrete), key=device.mrid)

    async def plan(self, mrid: str, *steps: tuple[SwitchActionKind, str]) -> Message[SwitchingPlans]:
        """Ask for a switching plan with steps on these devices."""
        taken = tuple(
            SwitchingStep(
                sequence_number=number,
                switch_action=SwitchAction(kind=kind, operated_switch=ObjectReference(mrid=device)),
            )
            for number, (kind, device) in enumerate(steps, start=1)
        )
        group = SwitchingStepGroup(sequence_number=1, switching_step=taken)
        plan = SwitchingPlan(mrid=mrid, switching_step_groups=(group,))
        return await self.admin.request(NO, Verb.CREATE, SwitchingPlans(switching_plan=(plan,)))

    async def told_plan(self, verb: Verb) -> tuple[str | None, str | None]:
        """The state of the plan that the next event tells, and the reason for it."""
        (plan,) = (await self.told(verb, SwitchingPlans)).switching_plan
        assert plan.status is not None
        return plan.status.value, plan.status.reason


@asynccontextmanager
async def harbour(state: Path, *, granted_clock: bool = False) -> AsyncIterator[Net]:
    settings = Settings(state_dir=state, context=Context.TESTING, granted_clock=granted_clock)
    services = (network_model_management, network_operation)
    schemas = [Schema(each.role, each.migrations) for each in services]
    async with AsyncExitStack() as stack:
        installation = await stack.enter_async_context(Installation.start(settings, CATALOGUE, schemas))
        (settings.credentials / settings.context / "admin.nk").symlink_to("../admin.nk")
        await installation.prepare()
        await stack.enter_async_context(running(*services, settings=installation.settings, catalogue=CATALOGUE))
        admin, scada, crews = [
            await stack.enter_async_context(installation.peer(role)) for role in ("admin", "scada", "crews")
        ]
        scada.drain("command", "scada")
        crews.drain("command", "crews")
        await admin.follow(admin.space.events(Lane.GENERAL, NMM))
        await admin.follow(admin.space.events(Lane.CONTROL, NO))
        net = Net(admin, scada, crews)
        if granted_clock:
            await net.grant(MORNING)
        yield net


def failure(message: Message[Any]) -> BusbarError | None:
    assert message.reply is not None
    return from_reply(message.reply)


async def test_a_model_becomes_versions_and_live_feeders(state: Path) -> None:
    async with harbour(state) as net:
        refused = failure(await net.offer(HARBOUR.replace("Terminal.ConnectivityNode", "Terminal.Nothing", 1)))
        assert isinstance(refused, Invalid)
        assert "Terminal without Terminal.ConnectivityNode" in refused.reason

        first = await net.offer(HARBOUR)
        (model,) = first.noun.network_model
        assert (model.revision, model.status_kind, model.document) == (1, ModelStatusKind.ACTIVE, None)
        assert (await net.told(Verb.CREATED, NetworkModels)).network_model == (model,)
        told = [(await net.told(Verb.CHANGED, FeederTopology)).feeder_change[0] for _ in range(2)]
        hill, quay = [await net.feeder(NO, change.mrid) for change in told]
        assert [change.revision for change in told] == [hill.revision, quay.revision]
        assert not any(change.connectivity_node or change.switch_state for change in told)
        assert (hill.model_version, hill.revision, len(quay.usage_point)) == ("1", 1, 19)
        assert all(node.source_phases is not None for node in (*hill.connectivity_node, *quay.connectivity_node))
        built = await net.feeder(NMM, quay.mrid)
        assert built.equipment == quay.equipment

        again = await net.offer(HARBOUR)
        assert again.noun.network_model == (model,)
        second = await net.offer(HARBOUR.replace("Anchor Street 1<", "Anchor Lane 1<"))
        assert second.noun.network_model[0].revision == 2
        assert (await net.told(Verb.CREATED, NetworkModels)).network_model[0].revision == 2
        assert (await net.told(Verb.CHANGED, FeederTopology)).feeder_change[0].revision == 2

        listed = await net.admin.request(NMM, Verb.GET, NetworkModels)
        assert [(each.revision, each.status_kind) for each in listed.noun.network_model] == [
            (2, ModelStatusKind.ACTIVE),
            (1, ModelStatusKind.SUPERSEDED),
        ]
        whole = await net.admin.request(NMM, Verb.GET, NetworkModels, ids=["harbour"])
        assert "Anchor Lane 1<" in whole.noun.network_model[0].document
        assert isinstance(failure(await net.admin.request(NMM, Verb.GET, NetworkModels, ids=["lost"])), NotFound)


async def test_a_plan_closes_a_breaker_by_telemetry_and_a_fuse_by_the_word_of_a_crew(state: Path) -> None:
    async with harbour(state) as net:
        switches = await net.adopted()
        breaker, fuse = switches["Quay breaker"], switches["Anchor Street fuse"]
        start = datetime.now(UTC) - timedelta(minutes=30)
        await net.measure(breaker, SwitchPosition.OPEN, start)
        assert await net.operation() == (OPEN, SwitchingEventType.REPORTED)
        change, quay = await net.changed()
        assert (quay.revision, quay.event_time) == (2, start)
        assert {node.source_phases for node in quay.connectivity_node} == {None}
        assert [each.mrid for each in change.de_energized_usage_point] == sorted(each.mrid for each in quay.usage_point)
        assert await net.feeder(NO, quay.mrid) == quay
        (log,) = (await net.told(Verb.CLOSED, SwitchingPlans)).switching_plan
        assert log.mrid == f"miscellaneous-{start.date()}"
        await net.measure(breaker, SwitchPosition.CLOSED, start - timedelta(minutes=1))

        assert isinstance(failure(await net.plan("wrong", (CLOSE, "no such switch"))), Invalid)
        taken = await net.plan("restore", (CLOSE, breaker.mrid), (OPEN, fuse.mrid))
        assert failure(taken) is None
        assert await net.told_plan(Verb.CREATED) == ("ISSUED", None)
        assert await net.told_plan(Verb.CHANGED) == ("IN_PROGRESS", None)
        assert isinstance(failure(await net.plan("rival", (OPEN, breaker.mrid))), Conflict)

        command = (await net.scada.next()).message
        (control,) = command.noun.command
        assert (control.power_system_resource.mrid, control.value) == (breaker.mrid, SwitchPosition.CLOSED)
        await net.scada.reply(command, Reply(result=Result.OK))
        await net.measure(breaker, SwitchPosition.CLOSED, start + timedelta(minutes=20))
        assert await net.operation() == (CLOSE, SwitchingEventType.COMMAND)
        change, quay = await net.changed()
        assert (quay.revision, len(change.energized_usage_point)) == (3, 19)
        assert await net.told_plan(Verb.CHANGED) == ("IN_PROGRESS", None)

        order = (await net.crews.next()).message
        (part,) = order.noun.switching_plan
        ((step,),) = [group.switching_step for group in part.switching_step_groups]
        assert step.switch_action.operated_switch.mrid == fuse.mrid
        await net.crews.reply(order, Reply(result=Result.OK))
        assert await net.operation() == (OPEN, SwitchingEventType.MANUAL)
        change, quay = await net.changed()
        assert len(change.de_energized_usage_point) == 5
        dark = {node.mrid for node in quay.connectivity_node if node.source_phases is None}
        assert sum(point.node in dark for point in quay.usage_point) == 5
        assert await net.told_plan(Verb.CLOSED) == ("COMPLETED", None)
        ended = await net.admin.request(NO, Verb.GET, SwitchingPlans, ids=["restore"])
        (group,) = ended.noun.switching_plan[0].switching_step_groups
        actions = [step.switch_action for step in group.switching_step]
        assert all(action.executed_date_time is not None for action in actions)
        assert (await net.admin.request(NO, Verb.GET, SwitchingPlans)).noun.switching_plan == ()


async def test_a_command_that_fails_ends_its_plan_and_nothing_more_is_switched(state: Path) -> None:
    async with harbour(state) as net:
        switches = await net.adopted()
        recloser, tie = switches["Quay recloser"], switches["Tie"]
        await net.plan("transfer", (OPEN, recloser.mrid), (CLOSE, tie.mrid))
        await net.told_plan(Verb.CREATED)
        await net.told_plan(Verb.CHANGED)
        command = (await net.scada.next()).message
        stuck = Error(code="5.3", level=Level.FATAL, reason="the drive is stuck")
        await net.scada.reply(command, Reply(result=Result.FAILED, error=(stuck,)))
        assert await net.told_plan(Verb.CLOSED) == ("ABORTED", f"step 1 ({recloser.mrid}): the drive is stuck")
        with pytest.raises(TimeoutError):
            await net.scada.next(timeout_s=0.5)
        await net.measure(recloser, SwitchPosition.OPEN, datetime.now(UTC))
        assert await net.operation() == (OPEN, SwitchingEventType.COMMAND)
        _, quay = await net.changed()
        assert [each.open for each in quay.equipment if each.mrid == recloser.mrid] == [True]
        (late,) = (await net.told(Verb.CLOSED, SwitchingPlans)).switching_plan
        said = [step.status for step in late.switching_step_groups[0].switching_step]
        assert [each and each.value for each in said] == ["COMPLETED", "ABORTED"]
        with pytest.raises(TimeoutError):
            await net.scada.next(timeout_s=0.5)


async def test_a_crew_that_is_too_late_ends_the_plan_and_its_word_still_counts(state: Path) -> None:
    async with harbour(state, granted_clock=True) as net:
        fuse = (await net.adopted())["Fish Market fuse"]
        await net.plan("open", (OPEN, fuse.mrid))
        await net.told_plan(Verb.CREATED)
        await net.told_plan(Verb.CHANGED)
        order = (await net.crews.next()).message
        await net.grant(MORNING + timedelta(hours=1, minutes=59))
        with pytest.raises(TimeoutError):
            await net.admin.next(timeout_s=0.5)
        await net.grant(MORNING + timedelta(hours=2))
        assert await net.told_plan(Verb.CLOSED) == ("ABORTED", f"step 1 ({fuse.mrid}): no confirmation in time")
        await net.crews.reply(order, Reply(result=Result.OK))
        assert await net.operation() == (OPEN, SwitchingEventType.MANUAL)
        _, quay = await net.changed()
        assert quay.event_time == MORNING + timedelta(hours=2)
        assert [each.open for each in quay.equipment if each.mrid == fuse.mrid] == [True]


async def test_a_trip_a_reclosing_and_a_lockout_are_told_each_once_with_the_time_of_the_field(state: Path) -> None:
    async with harbour(state) as net:
        recloser = (await net.adopted())["Quay recloser"]
        start = datetime.now(UTC) - timedelta(minutes=30)
        trip = (recloser, SwitchPosition.OPEN, start, MeasurementType.TRIP)
        await net.measure(*trip)
        (event,) = (await net.told(Verb.CREATED, SwitchingEvents)).switching_event
        assert (event.kind, event.type, event.created_date_time) == (OPEN, SwitchingEventType.TRIP, start)
        assert event.operated_switch.mrid == recloser.mrid
        await net.changed()
        await net.measure(*trip)
        await net.measure(recloser, SwitchPosition.CLOSED, start + timedelta(seconds=15))
        assert await net.operation() == (CLOSE, SwitchingEventType.RECLOSE)
        await net.changed()
        at = start + timedelta(seconds=16)
        await net.measure(recloser, SwitchPosition.OPEN, at, MeasurementType.TRIP, MeasurementType.LOCKOUT)
        assert await net.operation() == (OPEN, SwitchingEventType.TRIP)
        await net.changed()
        assert await net.operation() == (OPEN, SwitchingEventType.LOCKOUT)
        await net.measure(recloser, SwitchPosition.CLOSED, at + timedelta(seconds=15))
        assert await net.operation() == (CLOSE, SwitchingEventType.REPORTED)


async def test_an_operation_that_is_heard_of_late_is_told_and_changes_nothing(state: Path) -> None:
    async with harbour(state) as net:
        recloser = (await net.adopted())["Quay recloser"]
        start = datetime.now(UTC) - timedelta(minutes=30)
        await net.measure(recloser, SwitchPosition.OPEN, start)
        assert await net.operation() == (OPEN, SwitchingEventType.REPORTED)
        await net.changed()
        await net.measure(recloser, SwitchPosition.OPEN, start - timedelta(minutes=2))
        (event,) = (await net.told(Verb.CREATED, SwitchingEvents)).switching_event
        assert event.created_date_time == start - timedelta(minutes=2)
        await net.measure(recloser, SwitchPosition.CLOSED, start - timedelta(minutes=1))
        assert await net.operation() == (CLOSE, SwitchingEventType.REPORTED)
        await net.measure(recloser, SwitchPosition.CLOSED, start + timedelta(minutes=1))
        assert await net.operation() == (CLOSE, SwitchingEventType.REPORTED)
        change, _ = await net.changed()
        assert change.revision == 3
