"""Scenario 22 of the guide: a new version of the network while something is held of the old one."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg
from lxml import etree
from msgspec import json
from msgspec.structs import replace

from contracts.catalogue import CATALOGUE
from contracts.codes.end_device_events import EMITTED, EventKind
from contracts.errors import BusbarError, Conflict, Invalid, from_reply
from contracts.message import Reply, Result, User
from contracts.nouns.end_device_events import EndDeviceEvent, EndDeviceEvents
from contracts.nouns.feeder_topology import Equipment, FeederTopology
from contracts.nouns.maintenance_orders import Asset, MaintenanceOrder, MaintenanceOrders, Work, WorkTask
from contracts.nouns.network_models import NetworkModel, NetworkModels, ObjectMapping
from contracts.nouns.operational_tags import OperationalTag, OperationalTags, OperationalTagState, OperationalTagType
from contracts.nouns.unplanned_outages import OutageState, UnplannedOutages
from contracts.nouns.work_types import ActivityRecord, WorkStatusKind
from contracts.types import ObjectReference, Reference, Status
from contracts.verbs import Verb
from services.compliance_management.service import service as compliance_management
from services.fault_management.service import service as fault_management
from services.network_model_management.service import service as network_model_management
from services.network_operation.service import service as network_operation
from shared.runtime import running
from shared.tools.bootstrap import Schema
from shared.tools.testing import Installation, Peer
from tests.fixtures.control_room import until

HARBOUR = (Path(__file__).parents[2] / "infra" / "networks" / "harbour.xml").read_bytes()
CIM = "{http://iec.ch/TC57/CIM100#}"
RESOURCE = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}resource"
NMM, NO, FM, CO = (
    "network-model-management",
    "network-operation",
    "fault-management",
    "compliance-management",
)
SERVICES = (network_model_management, network_operation, fault_management, compliance_management)
NEIGHBOURS = ("scada", "crews", "work-management", "meter-reading-and-control", "callers")
OLA = User(user_id="ola", organization="operator")
MORNING = datetime(2026, 3, 1, 6, tzinfo=UTC)
NEW_FUSE = "0f0f0f0f-1111-4222-8333-444444444444"
LATERAL = "Chapel Lane"


class Utility:
    """Models, operation, faults and the ledger, with peers for all around them."""

    def __init__(self, installation: Installation, peers: dict[str, Peer]) -> None:
        self.installation = installation
        self.peers = peers

    async def grant(self, **span: float) -> None:
        """Move the time to so long after the morning."""
        admin = self.peers["admin"]
        await admin.bus.publish_core(admin.space.clock, json.encode({"now": MORNING + timedelta(**span)}))
        await asyncio.sleep(0.1)

    async def asked(self, role: str, noun: Any, **more: Any) -> Any:
        """What a role tells."""
        return (await self.peers["operator"].request(role, Verb.GET, noun, timeout_s=20, **more)).noun

    async def offer(self, document: bytes, *mappings: ObjectMapping) -> BusbarError | None:
        """Offer a version of the harbour; why it is refused, if it is."""
        model = NetworkModel(
            mrid="harbour", model_format="CIM100 RDF/XML", document=document.decode(), mapping=mappings
        )
        offer = NetworkModels(network_model=(model,))
        answer = await self.peers["operator"].request(NMM, Verb.CREATE, offer, timeout_s=30)
        assert answer.reply is not None
        return from_reply(answer.reply)

    async def adopted(self, revision: str) -> None:
        """Wait until network operation works with a version."""

        async def is_there() -> bool:
            feeders = (await self.asked(NO, FeederTopology)).feeder
            return bool(feeders) and {each.model_version for each in feeders} == {revision}

        await until(is_there)

    async def equipment(self, role: str, name: str) -> Equipment:
        """A piece of equipment by its name, as a role tells it."""
        feeders = (await self.asked(role, FeederTopology)).feeder
        (found,) = [each for feeder in feeders for each in feeder.equipment if each.name == name]
        assert isinstance(found, Equipment)
        return found

    async def lights_out(self) -> None:
        """The meters of the lateral tell that they lost power, and fault management understands why."""
        await self.grant(minutes=2)
        points = [
            point
            for feeder in (await self.asked(NO, FeederTopology)).feeder
            for point in feeder.usage_point
            if point.name.startswith(LATERAL)
        ]
        for point in points:
            event = EndDeviceEvent(
                created_date_time=MORNING + timedelta(seconds=60),
                assets=ObjectReference(mrid=point.meter),
                end_device_event_type=Reference(ref=EMITTED[EventKind.POWER_LOST]),
                usage_point=ObjectReference(mrid=point.mrid),
            )
            events = EndDeviceEvents(end_device_event=(event,))
            await self.peers["meter-reading-and-control"].tell(Verb.CREATED, events, key=point.mrid)

        tenths = count(1)

        async def is_heard() -> bool:
            await self.grant(minutes=2, milliseconds=100 * next(tenths))
            return bool((await self.asked(FM, UnplannedOutages)).unplanned_outage)

        await until(is_heard)
        await asyncio.sleep(0.5)
        await self.grant(minutes=5)

    async def crew_on_site(self, device: str) -> None:
        """A crew finds the device open, which confirms the outage, and that enters it in the ledger."""
        peer = self.peers["work-management"]
        message = (await peer.next()).message
        await peer.reply(message, Reply(result=Result.OK), message.payload)
        ((work,),) = [request.work for request in message.noun.work_request]
        at = MORNING + timedelta(minutes=20)
        found = ActivityRecord(created_date_time=at, reason="vegetation", type="finding")
        done = Work(
            mrid=work.mrid,
            status_kind=WorkStatusKind.ON_SITE,
            last_modified_date_time=at,
            activity_records=(found,),
            work_tasks=(WorkTask(mrid="task", assets=(Asset(mrid=device),)),),
        )
        await self.grant(minutes=20)
        orders = MaintenanceOrders(maintenance_order=(MaintenanceOrder(mrid="order", work=(done,)),))
        await peer.tell(Verb.CHANGED, orders, key="order")

        async def is_confirmed() -> bool:
            outages = (await self.asked(FM, UnplannedOutages)).unplanned_outage
            return [each.status.value for each in outages] == [OutageState.CONFIRMED]

        async def is_entered() -> bool:
            return await self.rows(CO, "SELECT count(*) FROM entry") == b"[(7,)]"

        await until(is_confirmed)
        await until(is_entered)

    async def hang(self, device: str) -> None:
        """A tag of an operator on a device."""
        tag = OperationalTag(
            mrid="tag-1",
            type=OperationalTagType.DO_NOT_OPERATE,
            power_system_resource=ObjectReference(mrid=device),
            status=Status(value=OperationalTagState.PLACED),
        )
        tags = OperationalTags(operational_tag=(tag,))
        answer = await self.peers["operator"].request(NO, Verb.CREATE, tags, user=OLA, timeout_s=20)
        assert answer.reply is not None
        assert from_reply(answer.reply) is None

    async def held(self) -> dict[str, bytes]:
        """What is held of the network, byte by byte: positions, tags, outages and the ledger.

        Of outages without the names of switches, which are those of the model.
        """
        outages = (await self.asked(FM, UnplannedOutages)).unplanned_outage
        feeders = (await self.asked(NO, FeederTopology)).feeder
        switches = {
            each.mrid: (each.open, each.open_phases, each.suspect)
            for feeder in feeders
            for each in feeder.equipment
            if each.open is not None
        }
        return {
            "positions": json.encode(sorted(switches.items())),
            "tags": json.encode(await self.asked(NO, OperationalTags)),
            "outages": json.encode(
                [
                    replace(each, opened_switches=tuple(replace(switch, names=()) for switch in each.opened_switches))
                    for each in outages
                ]
            ),
            "ledger": await self.rows(CO, "SELECT * FROM entry ORDER BY usage_point, began_at, known_from"),
        }

    async def rows(self, role: str, sql: str) -> bytes:
        """What a service has in its tables."""
        login = self.installation.settings.login(role)
        connection = await asyncpg.connect(
            host=login.host, port=login.port, user=login.user, password=login.password, database=login.database
        )
        try:
            return repr([tuple(row) for row in await connection.fetch(sql)]).encode()
        finally:
            await connection.close()


@asynccontextmanager
async def utility(dms: Installation) -> AsyncIterator[Utility]:
    schemas = [Schema(each.role, each.migrations) for each in SERVICES]
    installation = dms.of(*schemas, granted_clock=True)
    async with AsyncExitStack() as stack:
        await installation.prepare()
        await stack.enter_async_context(running(*SERVICES, settings=installation.settings, catalogue=CATALOGUE))
        names = ("admin", "operator", *NEIGHBOURS)
        peers = {name: await stack.enter_async_context(installation.peer(name)) for name in names}
        peers["work-management"].drain("command", "work-management")
        yield Utility(installation, peers)


def next_version() -> bytes:
    """The harbour with another fuse by name and mRID at the head of the lateral, which is on phase A instead of C."""
    root = etree.fromstring(HARBOUR)
    for element in root:
        name = element.findtext(f"{CIM}IdentifiedObject.name", "")
        for child in element if name.startswith(LATERAL) else ():
            link = child.get(RESOURCE, "")
            if link.endswith((".C", ".CN")):
                child.set(RESOURCE, link.replace(".C", ".A"))
    document = etree.tostring(root).replace(b">Chapel Lane fuse<", b">Church Lane fuse<")
    fuse = re.search(rb'<cim:Fuse rdf:about="urn:uuid:([^"]+)">\s*<[^>]+>[^<]+</[^>]+>\s*<[^>]+>Church Lane', document)
    assert fuse is not None
    return document.replace(fuse[1], NEW_FUSE.encode())


async def test_a_version_that_renames_and_rephases_what_is_out_and_tagged_waits_for_a_mapping(
    dms: Installation,
) -> None:
    """Scenario 22: activation is refused with the list; after mapping states and ledger survive byte-identical."""
    async with utility(dms) as here:
        await here.grant(minutes=0)
        assert await here.offer(HARBOUR) is None
        await here.adopted("1")
        await here.lights_out()
        fuse = await here.equipment(NO, f"{LATERAL} fuse")
        await here.crew_on_site(fuse.mrid)
        await here.hang(fuse.mrid)
        (outage,) = (await here.asked(FM, UnplannedOutages)).unplanned_outage
        before = await here.held()

        refused = await here.offer(next_version())
        assert isinstance(refused, Conflict)
        listed = sorted(refused.reason.removeprefix("not activated: ").split("; "))
        assert f"{fuse.mrid} is part of the outage {outage.mrid}, has the tag tag-1 and would be lost" in listed
        dark = sorted(each.mrid for each in outage.de_energized_usage_point)
        assert len(dark) == 7
        assert [each for each in listed if "would change" in each] == [
            f"{mrid} is part of the outage {outage.mrid} and would change from phases C to A" for mrid in dark
        ]
        assert await here.held() == before
        assert (await here.equipment(NMM, f"{LATERAL} fuse")).mrid == fuse.mrid

        mappings = [ObjectMapping(mrid=mrid, document_mrid=mrid) for mrid in dark]
        assert isinstance(await here.offer(next_version(), *mappings), Conflict)
        nowhere = ObjectMapping(mrid=fuse.mrid, document_mrid="nowhere")
        unknown = await here.offer(next_version(), nowhere, *mappings)
        assert isinstance(unknown, Invalid)
        assert "nowhere: Mapping/documentMRID: the document has no such object" in unknown.reason

        same = ObjectMapping(mrid=fuse.mrid, document_mrid=NEW_FUSE)
        assert await here.offer(next_version(), same, *mappings) is None
        await here.adopted("2")
        renamed = await here.equipment(NO, "Church Lane fuse")
        assert (renamed.mrid, renamed.phases) == (fuse.mrid, "A")
        await here.grant(minutes=21)
        assert await here.held() == before
        (outage,) = (await here.asked(FM, UnplannedOutages)).unplanned_outage
        assert [name.name for switch in outage.opened_switches for name in switch.names] == ["Church Lane fuse"]

        document = (await here.asked(NMM, NetworkModels, ids=[fuse.mrid])).network_model[0].document
        assert f"urn:uuid:{NEW_FUSE}" in document
        assert await here.offer(next_version().replace(b"Church Lane fuse", b"Chapel fuse")) is None
        assert (await here.equipment(NMM, "Chapel fuse")).mrid == fuse.mrid
