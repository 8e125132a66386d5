"""Campaigns in a process that is killed, and in the played field of the simulation (metering guide 2.5 and 9)."""

import asyncio
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from msgspec import Struct

from contracts.catalogue import CATALOGUE
from contracts.errors import Unavailable
from contracts.message import Message, Reply, Result
from contracts.nouns.end_device_controls import EndDeviceControls
from contracts.nouns.end_device_groups import EndDeviceGroup, EndDeviceGroups
from contracts.nouns.feeder_topology import FeederTopology
from contracts.nouns.network_models import ModelStatusKind, NetworkModel, NetworkModels
from contracts.types import ObjectReference
from contracts.verbs import Verb
from services.emergency_simulation.service import service as simulation
from services.meter_reading_and_control.service import service as meter_reading
from shared.bus.topology import durables
from shared.config import Context
from shared.runtime import running
from shared.tools.bootstrap import Schema
from shared.tools.testing import Installation, Peer
from tests.acceptance.test_campaigns import METERS, Desk, field
from tests.acceptance.test_controls import MRC, OK, Utility, around
from tests.acceptance.test_metering import LONG_AGO, linked, meter
from tests.chaos.supervisor import hasten
from tests.fixtures.streets import equipment, feeder, usage_point
from tests.service.toys.world import eventually, rows

pytestmark = pytest.mark.asyncio(loop_scope="package")


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


async def hear(peer: Peer, stream: str, durable: str) -> None:
    """Take what comes to a role, since time stands still until somebody has."""
    async for delivery in peer.bus.pull(stream, durable):
        await delivery.ack()


class Played(Struct):
    """The played field with its meters in the group ``north``, and people who order campaigns."""

    installation: Installation
    people: Desk
    points: tuple[str, ...]


@asynccontextmanager
async def played_field(dms: Installation) -> AsyncIterator[Played]:
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
            yield Played(installation, Desk(asker), tuple(each.mrid for each in points))


async def test_the_meters_of_the_played_field_take_new_software_each_once_and_are_read_after_it(
    dms: Installation,
) -> None:
    async with played_field(dms) as here:
        people = here.people
        assert await people.asks(Verb.CREATE, "software", "draft", canary="3", window="00:00/00:00") == []
        assert await people.asks(Verb.CHANGE, "software", "approved", user="bob") == []
        await eventually(lambda: people.stands_at("software", "COMPLETE: 20 VERIFIED"), 30)
        took = await rows(here.installation, simulation.role, "SELECT usage_point, control FROM software")
        assert {(row["usage_point"], row["control"]) for row in took} == {(each, "software") for each in here.points}


async def test_a_campaign_pauses_by_itself_where_software_goes_wrong_and_says_of_each_meter_how(
    dms: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, share in (("DOWNLOAD", "0.2"), ("HASH", "0.2"), ("ROLLBACK", "0.2"), ("IDENTITY", "0.2")):
        monkeypatch.setenv(f"BUSBAR_SIMULATION_SOFTWARE_{name}", share)
    async with played_field(dms) as here:
        people = here.people
        assert await people.asks(Verb.CREATE, "bad", "draft", canary="20", rate="6000", window="00:00/00:00") == []
        assert await people.asks(Verb.CHANGE, "bad", "approved", user="bob") == []
        await eventually(lambda: has_ended(people, "bad"), 30)
        assert (await people.stands("bad")).startswith("PAUSED: ")
        ended = Counter((await people.devices("bad")).values())
        assert set(ended) == {
            "VERIFIED",
            "FAILED: 5.3 the download broke off",
            "FAILED: 5.3 the hash of the software is another",
            "FAILED: 5.3 it did not start, and the software before it runs again",
            "FAILED: 2.4 it has lost its metrology identity",
        }
        lost = await rows(here.installation, simulation.role, "SELECT usage_point FROM software WHERE is_nameless")
        assert len(lost) == ended["FAILED: 2.4 it has lost its metrology identity"]


async def has_ended(people: Desk, campaign: str) -> bool:
    """True when of no device of a campaign it is open how it ends."""
    return await people.none_in(campaign, "SENT") and await people.none_in(campaign, "DONE")
