"""Network model management and network operation on real servers, with peers for all their neighbours."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from contracts.catalogue import CATALOGUE
from contracts.errors import Unavailable, from_reply
from contracts.message import Error, Level, Message, Reply, Result
from contracts.nouns.controls import Controls
from contracts.nouns.feeder_topology import Equipment, Feeder, FeederTopology
from contracts.nouns.measurements import Discrete, DiscreteValue, Measurements, SwitchPosition
from contracts.nouns.network_models import NetworkModel, NetworkModels
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
from shared.tools.testing import Heard, Installation, Peer

HARBOUR = (Path(__file__).parents[2] / "infra" / "networks" / "harbour.xml").read_text()
NMM, NO = "network-model-management", "network-operation"
OPEN, CLOSE = SwitchActionKind.OPEN, SwitchActionKind.CLOSE


class Net:
    """Both services, the neighbours as peers, and what the test asks of them again and again."""

    def __init__(self, peers: dict[str, Peer]) -> None:
        self.admin, self.scada, self.crews, self.listener = peers.values()

    async def import_model(self, document: str = HARBOUR) -> Message[NetworkModels]:
        offered = NetworkModel(mrid="harbour", model_format="CIM100 RDF/XML", document=document)
        return await self.admin.request(
            NMM, Verb.CREATE, NetworkModels(network_model=(offered,)), timeout_s=20
        )

    async def feeders(self, role: str) -> tuple[Feeder, ...]:
        """All feeders that ``role`` tells, asked for one by one since each part of a reply holds one."""
        heard = await self.admin.request(role, Verb.GET, FeederTopology)
        return heard.noun.feeder  # type: ignore[no-any-return] # a message of any noun

    async def adopted(self) -> dict[str, Equipment]:
        """The switches by name, once network operation has told all feeders of an imported model."""
        imported = await self.import_model()
        assert from_reply(imported.reply or Reply(result=Result.FAILED)) is None
        told = [await self.told(Verb.CHANGED, FeederTopology) for _ in range(2)]
        return {each.name: each for noun in told for each in noun.feeder[0].equipment if each.open is not None}

    async def told(self, verb: Verb, noun: type[Any]) -> Any:
        """The next event, which must be this one."""
        heard = (await self.listener.next()).message
        assert (heard.header.verb, heard.header.noun) == (verb, noun.__name__)
        return heard.noun

    async def measure(self, device: Equipment, position: SwitchPosition, at: datetime) -> None:
        """Telemetry of a switch position."""
        value = DiscreteValue(time_stamp=at, value=position)
        resource = ObjectReference(mrid=device.mrid)
        discrete = Discrete(
            measurement_type="SwitchPosition", discrete_values=(value,), power_system_resource=resource
        )
        await self.scada.tell(Verb.CREATED, Measurements(discrete=(discrete,)), key=device.mrid)

    async def plan(self, mrid: str, *steps: tuple[SwitchActionKind, Equipment]) -> Message[SwitchingPlans]:
        """Ask for a switching plan."""
        taken = tuple(
            SwitchingStep(
                sequence_number=number,
                switch_action=SwitchAction(kind=kind, operated_switch=ObjectReference(mrid=device.mrid)),
            )
            for number, (kind, device) in enumerate(steps, start=1)
        )
        group = SwitchingStepGroup(sequence_number=1, switching_step=taken)
        plan = SwitchingPlan(mrid=mrid, switching_step_groups=(group,))
        return await self.admin.request(NO, Verb.CREATE, SwitchingPlans(switching_plan=(plan,)))


@asynccontextmanager
async def net(state: Path) -> AsyncIterator[Net]:
    settings = Settings(state_dir=state, context=Context.TESTING)
    services = (network_model_management, network_operation)
    async with AsyncExitStack() as stack:
        schemas = [Schema.of(each) for each in services]
        installation = await stack.enter_async_context(Installation.start(settings, CATALOGUE, schemas))
        (settings.credentials / settings.context / "admin.nk").symlink_to("../admin.nk")
        await installation.prepare()
        await stack.enter_async_context(running(*services, settings=installation.settings, catalogue=CATALOGUE))
        names = ("admin", "scada", "crews", "fault-management")
        peers = {name: await stack.enter_async_context(installation.peer(name)) for name in names}
        peers["scada"].drain("command", "scada")
        peers["crews"].drain("command", "crews")
        listener = peers["fault-management"] = await stack.enter_async_context(installation.peer("auditor"))
        await listener.follow(listener.space.events_of(NO))
        yield Net(peers)


def status(message: Message[Any] | Heard) -> str:
    noun = message.message.noun if isinstance(message, Heard) else message.noun
    value = noun.switching_plan[0].status.value
    assert isinstance(value, str)
    return value
