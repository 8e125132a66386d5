"""A stage for acceptance scenarios: some services play, peers stand for all others, and time goes by their timers.

Whoever is no service here is a peer that takes what is sent to its role, answers as its part says, and remembers it.
While a peer has a message in hand time stands still. Meters answer pings unless their usage point is in the dark;
crews take every order; network operation takes every plan and switches nothing.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, TypeVar

from msgspec.structs import replace

from contracts.catalogue import CATALOGUE
from contracts.codes.end_device_events import EMITTED, EventKind
from contracts.interface import Lane
from contracts.message import Error, Level, Message, Reply, Result, User
from contracts.nouns.controls import Controls
from contracts.nouns.electrical_models import ElectricalModels
from contracts.nouns.end_device_controls import EndDeviceControls, EndDeviceTiming
from contracts.nouns.end_device_events import EndDeviceEvent, EndDeviceEvents
from contracts.nouns.feeder_topology import Feeder, FeederTopology
from contracts.nouns.maintenance_orders import MaintenanceOrder, MaintenanceOrders
from contracts.nouns.measurements import Discrete, DiscreteValue, Measurements, SwitchPosition
from contracts.nouns.operational_tags import OperationalTags
from contracts.nouns.switching_studies import SwitchingStudies
from contracts.nouns.trouble_tickets import TroubleTicket, TroubleTickets
from contracts.nouns.unplanned_outages import UnplannedOutage, UnplannedOutages
from contracts.nouns.usage_point_groups import UsagePointGroups
from contracts.nouns.work_types import ActivityRecord, WorkStatusKind
from contracts.types import DateTimeInterval, ObjectReference, Reference
from contracts.verbs import Verb
from shared.bus.topology import durables
from shared.clock import GrantedClock
from shared.codec import CONTENT_XML
from shared.granting import Granter
from shared.runtime import running
from shared.service import Service
from shared.tools.bootstrap import Schema
from shared.tools.testing import Installation, Peer
from tests.fixtures.small_feeder import T0, change

FM = "fault-management"
RADIO = timedelta(seconds=6)
T = TypeVar("T")


class Stage:
    """What stands on the stage, and what was said.

    Attributes:
        feeders: the network as network operation has it, by mRID.
        dark: the usage points without supply, whose meters are silent.
        off: those whose meters are reached and say that they have none.
        mute: those whose meters cannot be reached although they may have supply.
        heard: every message that a peer got, in order.
        told: every event of fault management, in order.
        orders: the orders that the crews took, by mRID.
        commands: what telecontrol was told, as ``<device> open`` or ``<device> close``.
        broken: the devices that do not obey, with what is said instead.
    """

    def __init__(self, peers: dict[str, Peer], admin: Peer, granter: Granter, feeders: Iterable[Feeder]) -> None:
        self.peers = peers
        self.admin = admin
        self.feeders = {feeder.mrid: feeder for feeder in feeders}
        self.dark: set[str] = set()
        self.off: set[str] = set()
        self.mute: set[str] = set()
        self.heard: list[Message[Any]] = []
        self.told: list[Message[Any]] = []
        self.orders: dict[str, MaintenanceOrder] = {}
        self.commands: list[str] = []
        self.broken: dict[str, str] = {}
        self._granter = granter
        self._now = T0

    @property
    def now(self) -> datetime:
        """The time on the stage."""
        return self._now

    def at(self, seconds: float) -> datetime:
        """The instant so many seconds into the play."""
        return T0 + timedelta(seconds=seconds)

    async def play(self, until: float) -> None:
        """Let time go by, timer for timer, until so many seconds into the play, and let everything come to rest."""
        end = self.at(until)
        async with asyncio.timeout(60):
            while True:
                wake = await self._rest()
                if wake is None or wake > end:
                    break
                await self._grant(wake)
            await self._grant(max(end, self._now))
            await self._rest()

    async def _grant(self, now: datetime) -> None:
        self._now = now
        await self._granter._grant(now)

    async def _rest(self) -> datetime | None:
        """Wait until everything is at rest; when the next timer is due."""
        while True:
            looks = [await self._granter._look(), await self._granter._look()]
            first, second = looks
            if first is not None and second is not None:
                before, after = ([status.done for status in look] for look in (first, second))
                if before == after:
                    return min((s.next_wake for s in second if s.next_wake is not None), default=None)
            await asyncio.sleep(0.02)

    async def listen(self, peer: Peer, stream: str, durable: str) -> None:
        """Take what comes to a role that no service plays."""
        async for delivery in peer.bus.pull(stream, durable):
            if peer.role == "event-history":  # its lanes carry copies of everything, in any encoding
                await delivery.ack()
                continue
            message = peer.codec.decode(delivery.body, CONTENT_XML)
            assert isinstance(message, Message)
            self.heard.append(message)
            if stream == peer.space.stream("command"):
                await self.react(peer, message)
            await delivery.ack()

    async def nobody(self, _: Message[Any]) -> tuple[Reply, UsagePointGroups]:
        """Nobody depends on the supply more than others."""
        return Reply(result=Result.OK), UsagePointGroups()

    async def react(self, peer: Peer, message: Message[Any]) -> None:
        """What a peer does about a command."""
        noun = message.payload
        if isinstance(noun, Controls):
            await self.telecontrol(peer, message)
            return
        if isinstance(noun, EndDeviceControls):
            (control,) = noun.end_device_control
            there = {point.mrid for point in control.usage_points}
            if there & self.off:
                error = Error(code="5.3", level=Level.FATAL, reason="no power")
                await peer.reply(message, Reply(result=Result.FAILED, error=(error,)))
                return
            if there & (self.dark | self.mute):
                return
            timing = EndDeviceTiming(interval=DateTimeInterval(start=self.now))
            noun = EndDeviceControls(end_device_control=(replace(control, primary_device_timing=timing),))
        if isinstance(noun, MaintenanceOrders):
            self.orders |= {order.mrid or "": order for order in noun.maintenance_order}
        await peer.reply(message, Reply(result=Result.OK), noun)

    async def telecontrol(self, peer: Peer, message: Message[Any]) -> None:
        """Do what a command says, unless the device is broken: then say so and do nothing."""
        (command,) = message.noun.command
        device = command.power_system_resource.mrid or ""
        self.commands.append(f"{device} {'open' if command.value == SwitchPosition.OPEN else 'close'}")
        if device in self.broken:
            error = Error(code="5.3", level=Level.FATAL, reason=self.broken[device])
            await peer.reply(message, Reply(result=Result.FAILED, error=(error,)))
            return
        await peer.reply(message, Reply(result=Result.OK))
        await self.measured(device, (command.control_type, command.value))

    async def measured(self, device: str, *values: tuple[str, int]) -> None:
        """Telemetry tells values of a device, by their type."""
        told = tuple(
            Discrete(
                measurement_type=kind,
                discrete_values=(DiscreteValue(time_stamp=self.now, value=int(value)),),
                power_system_resource=ObjectReference(mrid=device),
            )
            for kind, value in values
        )
        await self.peers["scada"].tell(Verb.CREATED, Measurements(discrete=told), key=device)

    async def snapshot(self, message: Message[Any]) -> tuple[Reply, Any]:
        """What network operation, or network model management, answers: of most things that it has none."""
        for none in (ElectricalModels, OperationalTags, SwitchingStudies):
            if message.header.noun == none.__name__:
                return Reply(result=Result.OK), none()
        return Reply(result=Result.OK), FeederTopology(feeder=tuple(self.feeders.values()))

    async def switched(self, *after: Feeder) -> None:
        """Network operation tells another state of feeders."""
        for feeder in after:
            before = self.feeders[feeder.mrid]
            self.feeders[feeder.mrid] = replace(feeder, revision=before.revision + 1)
            told = FeederTopology(feeder_change=(change(before, self.feeders[feeder.mrid]),))
            await self.peers["network-operation"].tell(Verb.CHANGED, told, key=feeder.mrid)

    async def meters(self, kind: EventKind, *points: str, at: float) -> None:
        """Meters tell by the head-end, one message each."""
        for mrid in points:
            event = EndDeviceEvent(
                created_date_time=self.at(at),
                assets=ObjectReference(mrid=f"{mrid}-meter"),
                end_device_event_type=Reference(ref=EMITTED[kind]),
                usage_point=ObjectReference(mrid=mrid),
            )
            noun = EndDeviceEvents(end_device_event=(event,))
            await self.peers["head-end"].tell(Verb.CREATED, noun, key=mrid)

    async def call(self, point: str, at: float, **details: Any) -> TroubleTicket:
        """A customer calls; the ticket as it is answered."""
        ticket = TroubleTicket(date_time_of_report=self.at(at), usage_point=ObjectReference(mrid=point), **details)
        noun = TroubleTickets(trouble_ticket=(ticket,))
        answer = await self.peers["callers"].request(FM, Verb.CREATE, noun)
        (answered,) = answer.noun.trouble_ticket
        assert isinstance(answered, TroubleTicket)
        return answered

    async def crew(self, order: MaintenanceOrder, status: WorkStatusKind, at: float, cause: str | None = None) -> None:
        """A crew reports to work management."""
        (work,) = order.work
        found = () if cause is None else (ActivityRecord(created_date_time=self.at(at), reason=cause, type="finding"),)
        work = replace(work, status_kind=status, last_modified_date_time=self.at(at), activity_records=found)
        report = MaintenanceOrders(maintenance_order=(replace(order, work=(work,)),))
        await self.peers["crews"].command("work-management", Verb.CHANGE, report)

    async def order_operator(self, verb: Verb, noun: Any, **fields: Any) -> Message[Any]:
        """What a person at the desk asks of fault management."""
        fields.setdefault("user", User(user_id="ada", organization="control room"))
        return await self.peers["operator"].request(FM, verb, noun, **fields)

    async def outages(self) -> list[UnplannedOutage]:
        """The outages that are not over."""
        answer = await self.peers["operator"].request(FM, Verb.GET, UnplannedOutages)
        return [] if answer.payload is None else list(answer.noun.unplanned_outage)

    def said(self, kind: type[T]) -> list[T]:
        """The nouns of one kind that peers got, in order."""
        return [message.payload for message in self.heard if isinstance(message.payload, kind)]

    def states(self, mrid: str | None = None) -> list[str | None]:
        """The states of the outages, or of one, as they were told."""
        return [
            None if outage.status is None else outage.status.value
            for message in self.told
            if isinstance(message.payload, UnplannedOutages)
            for outage in message.payload.unplanned_outage
            if mrid in {None, outage.mrid}
        ]

    def tickets(self) -> list[TroubleTicket]:
        """Every value of a ticket that fault management told, in order."""
        nouns = (message.payload for message in self.told if isinstance(message.payload, TroubleTickets))
        return [ticket for noun in nouns for ticket in noun.trouble_ticket]


@asynccontextmanager
async def stage(
    theatre: Installation, network: Feeder | Iterable[Feeder], *services: Service[Any]
) -> AsyncIterator[Stage]:
    """A play with these services on one feeder or several; everybody else is a peer."""
    own = {service.role for service in services}
    installation = theatre.of(*(Schema(each.role, each.migrations) for each in services), granted_clock=True)
    await installation.prepare()
    async with AsyncExitStack() as stack:
        roles = [role for role in CATALOGUE.interfaces if role not in own]
        peers = {role: await stack.enter_async_context(installation.peer(role)) for role in roles}
        admin = await stack.enter_async_context(installation.peer("admin"))
        clock = GrantedClock()
        granter = Granter(admin.bus, clock, tuple(sorted(own)), absent=frozenset(), start=T0)
        play = Stage(peers, admin, granter, [network] if isinstance(network, Feeder) else network)
        await admin.follow(admin.space.events(Lane.OUTAGE, FM))
        async with asyncio.TaskGroup() as tasks:
            listening = [
                tasks.create_task(play.listen(peer, durable.stream, durable.name))
                for role, peer in peers.items()
                for durable in durables(CATALOGUE, installation.settings.root, installation.settings.context, role)
            ]
            listening.append(tasks.create_task(_record(play)))
            for role in sorted({"network-operation", "network-model-management"} & peers.keys()):
                await peers[role].serve(play.snapshot)
            if "customer-management" in peers:
                await peers["customer-management"].serve(play.nobody)
            async with running(*services, settings=installation.settings, catalogue=CATALOGUE, external=tuple(roles)):
                await play._grant(T0)
                yield play
            for task in listening:
                task.cancel()


async def _record(play: Stage) -> None:
    while True:
        play.told.append((await play.admin.next(3600)).message)


def points(references: Iterable[ObjectReference]) -> set[str | None]:
    """The mRIDs of references."""
    return {reference.mrid for reference in references}
