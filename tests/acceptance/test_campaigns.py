"""Campaigns (metering guide 2.5 and 9): a few devices first, then all at a rate; on real servers."""

import asyncio
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import pytest

from contracts.catalogue import CATALOGUE
from contracts.codes.end_device_controls import DISCONNECT
from contracts.errors import Unavailable
from contracts.message import Error, Id, Message, Option, Reply, Request, Result, User
from contracts.nouns.end_device_controls import EndDeviceControl, EndDeviceControls
from contracts.nouns.end_device_groups import EndDeviceGroup, EndDeviceGroups
from contracts.nouns.feeder_topology import FeederTopology
from contracts.nouns.get_meter_readings import GetMeterReadings
from contracts.nouns.meter_readings import Meter, MeterReading, MeterReadings
from contracts.nouns.network_models import ModelStatusKind, NetworkModel, NetworkModels
from contracts.nouns.reading_types import Reading
from contracts.types import ObjectReference, Reference
from contracts.verbs import Verb
from services.emergency_simulation.service import service as simulation
from services.meter_reading_and_control.service import service as meter_reading
from shared.bus.topology import durables
from shared.config import Context
from shared.runtime import running
from shared.tools.bootstrap import Schema
from shared.tools.testing import Installation, Peer
from tests.acceptance.test_controls import MRC, OK, T0, Utility, around, utility
from tests.acceptance.test_metering import LONG_AGO, REGISTER, linked, meter
from tests.chaos.supervisor import hasten
from tests.fixtures.streets import equipment, feeder, usage_point
from tests.service.toys.world import eventually, rows

pytestmark = pytest.mark.asyncio(loop_scope="package")

FIRMWARE = "3.11.0.52"
METERS = tuple(f"m{number}" for number in range(12))


def software(mrid: str, code: str = FIRMWARE) -> EndDeviceControls:
    control = EndDeviceControl(
        mrid=mrid, end_device_control_type=Reference(ref=code), end_device_groups=(ObjectReference(mrid="north"),)
    )
    return EndDeviceControls(end_device_control=(control,))


class Desk:
    """People who order campaigns, and look at them."""

    def __init__(self, cis: Peer) -> None:
        self.cis = cis

    async def stands(self, mrid: str) -> str:
        (only,) = await self.shown(mrid, "progress")
        return str(only.reason)

    async def devices(self, mrid: str) -> dict[str, str]:
        """How each device of a campaign stands."""
        _, *devices = await self.shown(mrid, "devices")
        return {str(each.end_devices[0].mrid): str(each.reason) for each in devices}

    async def stands_at(self, mrid: str, how: str) -> bool:
        """True when a campaign stands like that."""
        return await self.stands(mrid) == how

    async def none_in(self, mrid: str, state: str) -> bool:
        """True when no device of a campaign stands like that."""
        return state not in {each.partition(":")[0] for each in (await self.devices(mrid)).values()}

    async def shown(self, mrid: str, what: str) -> tuple[EndDeviceControl, ...]:
        question = Request(option=(Option(name="campaign", value=what),), id=(Id(value=mrid),))
        answer = await self.cis.request(MRC, Verb.GET, EndDeviceControls, question=question)
        return tuple(answer.noun.end_device_control)

    async def asks(
        self, verb: Verb, mrid: str, word: str, user: str = "ann", code: str = FIRMWARE, **options: str
    ) -> list[str]:
        """Ask for something about a campaign; the codes of the answer."""
        option = tuple(Option(name=name, value=value) for name, value in {"campaign": word, **options}.items())
        answer = await self.cis.request(
            MRC, verb, software(mrid, code), question=Request(option=option), user=User(user_id=user)
        )
        assert answer.reply is not None
        return [error.code for error in answer.reply.error]


class Field(Desk):
    """A head-end and its meters: what a control asks for is done once, however often it comes.

    Attributes:
        told: how often each meter was told what, by the mRID of the control.
        acts: how often each has done it.
        refuses, mute: the meters that refuse, and that say nothing; ``unread`` cannot be read.
    """

    def __init__(self, here: Utility) -> None:
        super().__init__(here.cis)
        self.here = here
        self.told: Counter[tuple[str, str]] = Counter()
        self.acts: Counter[tuple[str, str]] = Counter()
        self.refuses: set[str] = set()
        self.mute: set[str] = set()
        self.unread: set[str] = set()
        self.seconds = 0

    async def answer(self) -> None:
        """Answer all that comes."""
        while True:
            message = (await self.here.head_end.next(timeout_s=3600)).message
            await (self.read if message.header.noun == "MeterReadings" else self.act)(message)

    async def act(self, message: Message[EndDeviceControls]) -> None:
        (control,) = message.noun.end_device_control
        (device,) = (each.mrid or "" for each in control.end_devices)
        key = control.mrid or "", device
        self.told[key] += 1
        if device in self.refuses:
            no = Reply(result=Result.FAILED, error=(Error(code="5.3", reason="the image is for other hardware"),))
            await self.here.head_end.reply(message, no)
        elif device not in self.mute:
            self.acts[key] = 1
            await self.here.head_end.reply(message, OK, message.noun)

    async def read(self, message: Message[MeterReadings]) -> None:
        query = None if message.request is None else message.request.query
        assert isinstance(query, GetMeterReadings)
        (device,) = (each.mrid or "" for each in query.end_device)
        if device not in self.unread:
            value = Reading(
                time_stamp=T0 + timedelta(seconds=self.seconds), value="17", reading_type=Reference(ref=REGISTER)
            )
            reading = MeterReading(meter=Meter(mrid=device), readings=(value,))
            await self.here.head_end.reply(message, OK, MeterReadings(meter_reading=(reading,)))

    async def pass_until(self, mrid: str, states: Iterable[str], step: int = 10) -> str:
        """Let time go by until a campaign is in one of these states; how it stands."""
        async with asyncio.timeout(40):
            while True:
                stands = await self.stands(mrid)
                if stands.partition(":")[0] in states:
                    return stands
                self.seconds += step
                await self.here.at(seconds=self.seconds)


class Process:
    """Meter reading and control in a process of its own."""

    def __init__(self, installation: Installation) -> None:
        settings = installation.settings
        self._log = settings.state_dir / "logs" / "campaigns.log"
        self._environment = {
            **os.environ,
            "BUSBAR_CONTEXT": settings.context,
            "BUSBAR_NATS_URL": settings.nats_url,
            "BUSBAR_POSTGRES_HOST": settings.postgres_host,
            "BUSBAR_POSTGRES_PORT": str(settings.postgres_port),
            "BUSBAR_STATE": str(settings.state_dir),
            "BUSBAR_GRANTED_CLOCK": "true",
        }

    async def start(self) -> None:
        """Start it; it is ready when it answers."""
        self._log.parent.mkdir(exist_ok=True)
        with self._log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "services", "run", MRC, env=self._environment, stdout=log, stderr=log
            )

    async def kill(self) -> None:
        """End it at once, by its id."""
        self.process.kill()
        await self.process.wait()


@asynccontextmanager
async def field(here: Utility) -> AsyncIterator[Field]:
    """Meters in a group, and a head-end that answers for them."""
    await here.head_end.hear_requests()
    for mrid in METERS:
        await here.cis.request(MRC, Verb.CREATE, meter(mrid))
        await here.cis.request(MRC, Verb.CREATE, linked(mrid, T0 - timedelta(days=9), f"{mrid} point"))
    members = tuple(ObjectReference(mrid=mrid) for mrid in METERS)
    await here.cis.request(
        MRC, Verb.CREATE, EndDeviceGroups(end_device_group=(EndDeviceGroup(mrid="north", end_devices=members),))
    )
    there = Field(here)
    answering = asyncio.create_task(there.answer())
    try:
        yield there
    finally:
        answering.cancel()
        await asyncio.wait({answering})


async def test_given_canaries_that_fail_then_nobody_else_is_told_and_given_good_ones_then_all_follow(
    dms: Installation,
) -> None:
    async with utility(dms) as here, field(here) as there:
        assert await there.asks(Verb.CREATE, "bad", "draft", canary="2") == []
        assert await there.stands("bad") == "DRAFT: 12 PENDING"
        assert await there.asks(Verb.CHANGE, "bad", "approved") == ["6.1"], "it needs a second person"
        there.refuses = set(METERS)
        assert await there.asks(Verb.CHANGE, "bad", "approved", user="bob") == []
        paused = await there.pass_until("bad", ["PAUSED"])
        assert "5.3 the image is for other hardware" in paused
        there.seconds += 7200
        await here.at(seconds=there.seconds)
        assert len(there.told) == 2, "the first two alone"
        assert there.acts == {}
        await here.cis.request(MRC, Verb.CANCEL, software("bad"))
        assert (await there.stands("bad")).startswith("ABORTED: 2 FAILED, 10 SKIPPED")

        there.refuses.clear()
        assert await there.asks(Verb.CREATE, "good", "draft", canary="2", rate="12", window="00:00/00:00") == []
        assert await there.asks(Verb.CHANGE, "good", "approved", user="bob") == []
        assert await there.pass_until("good", ["ROLLING"], step=0) == "ROLLING: 10 PENDING, 2 VERIFIED"
        assert await there.pass_until("good", ["COMPLETE"]) == "COMPLETE: 12 VERIFIED"
        assert {there.acts["good", mrid] for mrid in METERS} == {1}
        assert {there.told["good", mrid] for mrid in METERS} == {1}


async def test_given_devices_that_say_nothing_then_they_are_told_three_times_by_one_mrid_and_the_campaign_pauses(
    dms: Installation,
) -> None:
    async with utility(dms) as here, field(here) as there:
        assert await there.asks(Verb.CREATE, "quiet", "draft", canary="1", rate="6000", window="00:30/23:30") == []
        first = (await there.shown("quiet", "devices"))[1].end_devices[0].mrid
        there.mute = set(METERS) - {first, "m1", "m2"}
        assert await there.asks(Verb.CHANGE, "quiet", "approved", user="bob") == []
        paused = await there.pass_until("quiet", ["PAUSED"], step=300)
        assert "have failed" in paused
        assert {there.told["quiet", mrid] for mrid in there.mute} <= {2, 3}
        there.mute.clear()
        there.seconds += 3600
        await here.at(seconds=there.seconds)
        await eventually(lambda: there.none_in("quiet", "SENT"))
        assert await there.asks(Verb.CHANGE, "quiet", "resumed") == []
        complete = await there.pass_until("quiet", ["COMPLETE"], step=300)
        stands = Counter(each.partition(":")[0] for each in (await there.devices("quiet")).values())
        assert complete == "COMPLETE: " + ", ".join(f"{stands[each]} {each}" for each in ("VERIFIED", "FAILED"))
        assert max(there.told.values()) <= 3
        assert set(there.acts.values()) == {1}


async def test_what_is_for_no_campaign_and_what_was_given_before_is_refused(dms: Installation) -> None:
    async with utility(dms) as here, field(here) as there:
        assert await there.asks(Verb.CREATE, "off", "draft", code=DISCONNECT) == ["2.9"]
        assert await there.asks(Verb.CREATE, "odd", "draft", window="23:30/00:30") == ["2.29"]
        assert await there.asks(Verb.CREATE, "odd", "rolling") == ["2.29"]
        assert await there.asks(Verb.CHANGE, "none", "approved") == ["2.15"]
        assert await there.asks(Verb.CREATE, "one", "draft") == []
        assert await there.asks(Verb.CREATE, "one", "draft") == [], "the same again is the same"
        assert await there.asks(Verb.CREATE, "one", "draft", code="3.11.0.25") == ["5.2"]
        assert await there.asks(Verb.CHANGE, "one", "resumed") == ["5.2"]
        assert there.told == {}


async def test_in_the_half_hours_about_midnight_nobody_is_told_and_then_it_goes_on(dms: Installation) -> None:
    async with utility(dms) as here, field(here) as there:
        there.seconds = 11 * 3600 + 1800
        await here.at(seconds=there.seconds)
        assert await there.asks(Verb.CREATE, "night", "draft", window="00:00/00:00") == []
        assert await there.asks(Verb.CHANGE, "night", "approved", user="bob") == []
        assert await there.stands("night") == "CANARY: 12 PENDING"
        there.seconds += 3599
        await here.at(seconds=there.seconds)
        assert there.told == {}
        assert await there.pass_until("night", ["COMPLETE"]) == "COMPLETE: 12 VERIFIED"


async def test_given_a_service_that_is_killed_in_the_middle_of_a_campaign_then_each_device_has_acted_once(
    dms: Installation,
) -> None:
    installation = dms.of(Schema(MRC, meter_reading.migrations), granted_clock=True)
    await installation.prepare()
    await hasten(installation)
    service = Process(installation)
    await service.start()
    deaths = 0
    try:
        async with around(installation) as here:
            await eventually(lambda: is_there(here, 0), 20)
            async with field(here) as there:
                assert await there.asks(Verb.CREATE, "kill", "draft", canary="2", rate="6", window="00:00/00:00") == []
                assert await there.asks(Verb.CHANGE, "kill", "approved", user="bob") == []
                while len(there.told) < len(METERS):
                    there.seconds += 10
                    await here.at(seconds=there.seconds)
                    if len(there.told) > 3 * (deaths + 1) and deaths < 3:
                        deaths += 1
                        await service.kill()
                        await service.start()
                        await eventually(lambda: is_there(here, there.seconds), 20)
                assert await there.pass_until("kill", ["COMPLETE"]) == "COMPLETE: 12 VERIFIED"
                assert there.acts == {("kill", mrid): 1 for mrid in METERS}
                assert there.told == there.acts, "nobody was told twice"
    finally:
        await service.kill()
    assert deaths > 1


async def is_there(here: Utility, seconds: int) -> bool:
    """True when the service answers, having heard what time it is."""
    await here.at(seconds=seconds)
    try:
        answer = await here.cis.request(MRC, Verb.GET, EndDeviceControls, timeout_s=1)
    except Unavailable:
        return False
    return answer.reply is not None and answer.reply.result is Result.OK


async def test_who_waits_for_his_turn_when_a_campaign_is_paused_is_taken_back_and_told_when_it_goes_on(
    dms: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUSBAR_METER_COLLECTOR_RATE", "1")
    async with utility(dms) as here, field(here) as there:
        members = tuple(ObjectReference(mrid=mrid) for mrid in METERS)
        mast = EndDeviceGroup(mrid="mast", type="collector", end_devices=members)
        await here.cis.request(MRC, Verb.CREATE, EndDeviceGroups(end_device_group=(mast,)))
        assert await there.asks(Verb.CREATE, "many", "draft", canary="12", rate="6000") == []
        assert await there.asks(Verb.CHANGE, "many", "approved", user="bob") == []
        await eventually(lambda: there.stands_at("many", "CANARY: 2 SENT, 10 VERIFIED"))
        assert await there.asks(Verb.CHANGE, "many", "paused") == []
        assert await there.stands("many") == "PAUSED: 2 PENDING, 10 VERIFIED"
        there.seconds += 600
        await here.at(seconds=there.seconds)
        assert len(there.told) == 10, "what the collector of ten seconds took"
        assert await there.asks(Verb.CHANGE, "many", "resumed") == []
        assert await there.pass_until("many", ["COMPLETE"]) == "COMPLETE: 12 VERIFIED"
        assert set(there.told.values()) == {1}


async def hear(peer: Peer, stream: str, durable: str) -> None:
    """Take what comes to a role, since time stands still until somebody has."""
    async for delivery in peer.bus.pull(stream, durable):
        await delivery.ack()


async def test_the_meters_of_the_played_field_take_new_software_each_once_and_are_read_after_it(
    dms: Installation,
) -> None:
    """The head-end is that of the simulation: meters that answer after seconds, some never, some with another word."""
    points = [usage_point(f"p{number}", "n2") for number in range(20)]
    built = feeder([equipment("source", "EnergySource", "n0"), equipment("main", "ACLineSegment", "n0", "n2")], points)
    schemas = (Schema(service.role, service.migrations) for service in (simulation, meter_reading))
    installation = dms.of(*schemas, context=Context.TRAINING, granted_clock=True)
    await installation.prepare()
    roles = [role for role, interface in CATALOGUE.interfaces.items() if not interface.field]
    others = tuple(role for role in roles if role not in {simulation.role, MRC, "operator"})
    async with AsyncExitStack() as stack:
        asker = await stack.enter_async_context(installation.peer("operator"))
        peers = {role: await stack.enter_async_context(installation.peer(role)) for role in others}
        for role, peer in peers.items():
            for durable in durables(CATALOGUE, installation.settings.root, Context.TRAINING, role):
                stack.callback(asyncio.create_task(hear(peer, durable.stream, durable.name)).cancel)
        models = peers["network-model-management"]

        async def topology(_: Message[object]) -> tuple[Reply, FeederTopology]:
            return OK, FeederTopology(feeder=(built,))

        await models.serve(topology)
        played = running(
            simulation, meter_reading, settings=installation.settings, catalogue=CATALOGUE, external=others
        )
        async with played:
            model = NetworkModel(mrid="model", model_format="CIM100 RDF/XML", status_kind=ModelStatusKind.ACTIVE)
            await models.tell(Verb.CREATED, NetworkModels(network_model=(model,)), key="model")
            await eventually(lambda: rows(installation, simulation.role, "SELECT FROM field WHERE revision > 0"))
            for point in points:
                await asker.request(MRC, Verb.CREATE, meter(point.meter or ""))
                await asker.request(MRC, Verb.CREATE, linked(point.meter or "", LONG_AGO, point.mrid))
            members = tuple(ObjectReference(mrid=point.meter) for point in points)
            group = EndDeviceGroup(mrid="north", end_devices=members)
            await asker.request(MRC, Verb.CREATE, EndDeviceGroups(end_device_group=(group,)))
            people = Desk(asker)
            assert await people.asks(Verb.CREATE, "software", "draft", canary="3", window="00:00/00:00") == []
            assert await people.asks(Verb.CHANGE, "software", "approved", user="bob") == []
            await eventually(lambda: people.stands_at("software", "COMPLETE: 20 VERIFIED"), 30)
            took = await rows(installation, simulation.role, "SELECT usage_point, control FROM software")
        assert {(row["usage_point"], row["control"]) for row in took} == {(each.mrid, "software") for each in points}
