"""Network model management on real servers: versions, differences and what keeps them from being activated."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from contracts.catalogue import CATALOGUE
from contracts.errors import BusbarError, Conflict, Invalid, NotFound, Unavailable, from_reply
from contracts.interface import Lane
from contracts.message import Message, Reply
from contracts.nouns.feeder_topology import Equipment, Feeder, FeederTopology
from contracts.nouns.network_differences import DifferenceStatusKind, NetworkDifference, NetworkDifferences
from contracts.nouns.network_models import Blob, ModelStatusKind, NetworkModel, NetworkModels, ObjectMapping
from contracts.nouns.operational_tags import OperationalTag, OperationalTags
from contracts.nouns.safety_documents import ClearanceDocument, SafetyDocuments
from contracts.nouns.unplanned_outages import OutageStatusKind, UnplannedOutage, UnplannedOutages
from contracts.types import Name, ObjectReference, Status
from contracts.verbs import Verb
from services.network_model_management.service import service as network_model_management
from shared.envelope import success
from shared.runtime import running
from shared.tools.bootstrap import Schema
from shared.tools.testing import Installation, Peer
from tests.fixtures.statements import RDF, statements

NMM, NO, FM = "network-model-management", "network-operation", "fault-management"
HARBOUR = (Path(__file__).parents[2] / "infra" / "networks" / "harbour.xml").read_bytes()
CIM = "http://iec.ch/TC57/CIM100#"
RDF_XML = "CIM100 RDF/XML"


def rdf(body: str) -> str:
    return f'<rdf:RDF xmlns:cim="{CIM}" xmlns:rdf="{RDF}">{body}</rdf:RDF>'


def renamed(name: str, mrid: str) -> str:
    return rdf(
        f'<rdf:Description rdf:about="urn:uuid:{mrid}"><cim:IdentifiedObject.name>{name}</cim:IdentifiedObject.name>'
        "</rdf:Description>"
    )


def failure(message: Message[Any]) -> BusbarError | None:
    assert message.reply is not None
    return from_reply(message.reply)


class Net:
    """The service, and what the tests ask of it again and again."""

    def __init__(self, admin: Peer, installation: Installation) -> None:
        self.admin = admin
        self.installation = installation

    async def offer(self, *documents: str, mapping: tuple[ObjectMapping, ...] = ()) -> Message[NetworkModels]:
        """Offer a model in one document or several."""
        models = tuple(
            NetworkModel(
                mrid="harbour",
                model_format=RDF_XML,
                document=each,
                mapping=mapping,
                names=(Name(name=f"part {place}"),),
            )
            for place, each in enumerate(documents, start=1)
        )
        return await self.admin.request(NMM, Verb.CREATE, NetworkModels(network_model=models), timeout_s=30)

    async def change(self, difference: NetworkDifference) -> Message[NetworkDifferences]:
        """Offer a difference."""
        offer = NetworkDifferences(network_difference=(difference,))
        return await self.admin.request(NMM, Verb.CREATE, offer, timeout_s=30)

    async def document(self) -> bytes:
        """The document of the active model, inline or from the object store."""
        message = await self.admin.request(NMM, Verb.GET, NetworkModels, ids=["harbour"], timeout_s=30)
        (model,) = message.noun.network_model
        if model.blob is not None:
            return await self.admin.bus.blobs.get(model.blob.reference)
        return (model.document or "").encode()

    async def feeders(self) -> tuple[Feeder, ...]:
        """The feeders of the active model."""
        feeders: tuple[Feeder, ...] = (await self.admin.request(NMM, Verb.GET, FeederTopology)).noun.feeder
        return feeders

    async def equipment(self, name: str) -> Equipment:
        """A piece of equipment by its name."""
        (found,) = [each for feeder in await self.feeders() for each in feeder.equipment if each.name == name]
        return found


@asynccontextmanager
async def managed(dms: Installation) -> AsyncIterator[Net]:
    installation = dms.of(Schema(NMM, network_model_management.migrations))
    await installation.prepare()
    async with (
        running(network_model_management, settings=installation.settings, catalogue=CATALOGUE),
        installation.peer("admin") as admin,
    ):
        await admin.follow(admin.space.events(Lane.GENERAL, NMM))
        yield Net(admin, installation)


async def test_a_difference_makes_a_version_and_its_reverse_the_same_statements_again(dms: Installation) -> None:
    async with managed(dms) as net:
        assert isinstance(failure(await net.change(difference("d", "", rdf("")))), NotFound)
        await net.offer(HARBOUR.decode())
        fuse = await net.equipment("Chapel Lane fuse")
        forward, reverse = renamed("Chapel fuse", fuse.mrid), renamed("Chapel Lane fuse", fuse.mrid)
        wrong = failure(await net.change(difference("d", forward, renamed("Church fuse", fuse.mrid))))
        assert isinstance(wrong, Invalid)
        assert "the model does not say IdentifiedObject.name Church fuse" in wrong.reason
        assert "IdentifiedObject.name would be Chapel Lane fuse and Chapel fuse" in wrong.reason

        (told,) = (await net.change(difference("d", forward, reverse))).noun.network_difference
        assert (told.revision, told.status_kind) == (2, DifferenceStatusKind.IN_SERVICE)
        assert (told.base_model.mrid, told.forward_differences) == ("harbour", None)
        assert (await net.equipment("Chapel fuse")).mrid == fuse.mrid
        assert len(statements(await net.document()) ^ statements(HARBOUR)) == 2

        (kept,) = (await net.admin.request(NMM, Verb.GET, NetworkDifferences, ids=["d"])).noun.network_difference
        undo = replace(
            kept,
            mrid="u",
            forward_differences=kept.reverse_differences,
            reverse_differences=kept.forward_differences,
        )
        assert failure(await net.change(undo)) is None
        assert statements(await net.document()) == statements(HARBOUR)
        versions = (await net.admin.request(NMM, Verb.GET, NetworkModels)).noun.network_model
        assert [(each.revision, each.status_kind) for each in versions] == [
            (3, ModelStatusKind.ACTIVE),
            (2, ModelStatusKind.SUPERSEDED),
            (1, ModelStatusKind.SUPERSEDED),
        ]
        events = [(await net.admin.next()).message.noun.network_model[0].revision for _ in range(3)]
        assert events == [1, 2, 3]
        listed = (await net.admin.request(NMM, Verb.GET, NetworkDifferences)).noun.network_difference
        assert [each.mrid for each in listed] == ["u", "d"]
        assert isinstance(failure(await net.admin.request(NMM, Verb.GET, NetworkDifferences, ids=["x"])), NotFound)


async def test_an_object_is_told_alone_and_a_difference_may_be_in_the_object_store(dms: Installation) -> None:
    async with managed(dms) as net:
        await net.offer(HARBOUR.decode())
        fuse = await net.equipment("Chapel Lane fuse")
        (model,) = (await net.admin.request(NMM, Verb.GET, NetworkModels, ids=[fuse.mrid])).noun.network_model
        alone = statements((model.document or "").encode())
        assert {each[0] for each in alone} == {f"urn:uuid:{fuse.mrid}"}
        assert alone < statements(HARBOUR)
        assert isinstance(failure(await net.admin.request(NMM, Verb.GET, NetworkModels, ids=["lost"])), NotFound)

        sides = "".join(
            f'<dm:{side}Differences rdf:parseType="Statements"><rdf:Description rdf:about="urn:uuid:{fuse.mrid}">'
            f"<cim:IdentifiedObject.name>{name}</cim:IdentifiedObject.name></rdf:Description></dm:{side}Differences>"
            for side, name in (("reverse", "Chapel Lane fuse"), ("forward", "Chapel fuse"))
        )
        whole = rdf(
            '<dm:DifferenceModel xmlns:dm="http://iec.ch/TC57/61970-552/DifferenceModel/1#" rdf:about="#_d">'
            f"{sides}</dm:DifferenceModel>"
        ).encode()
        blob = Blob(reference=await net.admin.bus.blobs.put(whole), sha256=sha256(whole).hexdigest(), size=len(whole))
        stored = NetworkDifference(mrid="d", model_format=RDF_XML, base_model=ObjectReference(), blob=blob)
        assert failure(await net.change(stored)) is None
        assert (await net.equipment("Chapel fuse")).mrid == fuse.mrid
        other = replace(stored, blob=replace(blob, sha256=sha256(b"").hexdigest()))
        assert isinstance(failure(await net.change(other)), Invalid)


async def test_a_model_in_two_documents_is_exported_with_the_statements_of_both(dms: Installation) -> None:
    async with managed(dms) as net:
        fuse = HARBOUR.decode().split("<cim:Fuse ")[1].split('"')[1]
        more = rdf(f'<cim:Fuse rdf:about="{fuse}"><cim:Equipment.aggregate>false</cim:Equipment.aggregate></cim:Fuse>')
        assert failure(await net.offer(HARBOUR.decode(), more)) is None
        assert statements(await net.document()) == statements(HARBOUR) | statements(more.encode())


async def test_a_version_that_would_lose_what_is_open_or_out_is_not_activated(dms: Installation) -> None:
    async with managed(dms) as net, AsyncExitStack() as neighbours:
        await net.offer(HARBOUR.decode())
        live = list(await net.feeders())
        fuse = await net.equipment("Chapel Lane fuse")
        rephased = HARBOUR.decode().replace(fuse.mrid, f"{fuse.mrid[:-1]}{'1' if fuse.mrid[-1] == '0' else '0'}")
        nobody = failure(await net.offer(rephased))
        assert isinstance(nobody, Unavailable)

        outages: list[UnplannedOutage] = []

        tags: list[OperationalTag] = []
        clearances: list[ClearanceDocument] = []

        async def tell_live(question: Message[Any]) -> tuple[Reply, Any]:
            answers = {
                "FeederTopology": FeederTopology(feeder=tuple(live)),
                "OperationalTags": OperationalTags(operational_tag=tuple(tags)),
                "SafetyDocuments": SafetyDocuments(clearance_document=tuple(clearances)),
            }
            return success(), answers[question.header.noun]

        async def tell_outages(_: Message[Any]) -> tuple[Reply, Any]:
            return success(), UnplannedOutages(unplanned_outage=tuple(outages))

        operation = await neighbours.enter_async_context(net.installation.peer(NO))
        faults = await neighbours.enter_async_context(net.installation.peer(FM))
        await operation.serve(tell_live)
        await faults.serve(tell_outages)

        normal = live[:]
        live[:] = [
            replace(
                feeder,
                equipment=tuple(
                    replace(each, open=True) if each.mrid == fuse.mrid else each for each in feeder.equipment
                ),
            )
            for feeder in live
        ]
        refused = failure(await net.offer(rephased))
        assert isinstance(refused, Conflict)
        assert f"{fuse.mrid} is open and normally closed and would be lost" in refused.reason

        live[:] = normal
        outages.append(
            UnplannedOutage(
                mrid="o",
                outage_kind=OutageStatusKind.PREDICTED,
                revision_number=1,
                opened_switches=(ObjectReference(mrid=fuse.mrid),),
            )
        )
        refused = failure(await net.offer(rephased))
        assert isinstance(refused, Conflict)
        assert f"{fuse.mrid} is part of the outage o and would be lost" in refused.reason

        outages.clear()
        reference = ObjectReference(mrid=fuse.mrid)
        tags.append(OperationalTag(mrid="t", power_system_resource=reference, status=Status(value="PLACED")))
        clearances.append(ClearanceDocument(mrid="c", tagged_psrs=(reference,), status=Status(value="ISSUED")))
        ground = replace(fuse, mrid="g", kind="Ground", node1=fuse.node2 or "", node2=None, open=None)
        live.append(replace(live[0], mrid="temporary", equipment=(ground,), usage_point=(), connectivity_node=()))
        refused = failure(await net.offer(rephased.replace(fuse.node2 or "", "0" * 8 + (fuse.node2 or "")[8:])))
        assert isinstance(refused, Conflict)
        assert set(refused.reason.removeprefix("not activated: ").split("; ")) == {
            f"{fuse.mrid} has the tag t, is a border of the clearance c and would be lost",
            f"{fuse.node2} has the Ground g and would be lost",
        }

        tags[0] = replace(tags[0], status=Status(value="REMOVED"))
        clearances[0] = replace(clearances[0], status=Status(value="RELEASED"))
        assert failure(await net.offer(rephased)) is None
        assert (await net.equipment("Chapel Lane fuse")).mrid != fuse.mrid


async def test_a_mapped_object_stays_known_by_its_mrid_in_models_and_in_differences(dms: Installation) -> None:
    async with managed(dms) as net:
        await net.offer(HARBOUR.decode())
        fuse, other = await net.equipment("Chapel Lane fuse"), await net.equipment("Baker Lane fuse")
        moved = HARBOUR.decode().replace(fuse.mrid, "fuse-2")
        twice = [ObjectMapping(mrid=each, document_mrid="fuse-2") for each in (fuse.mrid, other.mrid)]
        refused = failure(await net.offer(moved, mapping=tuple(twice)))
        assert isinstance(refused, Invalid)
        assert "fuse-2: Mapping/documentMRID: named 2 times" in refused.reason
        assert failure(await net.offer(moved, mapping=(ObjectMapping(mrid=fuse.mrid, document_mrid="fuse-2"),))) is None
        assert (await net.equipment("Chapel Lane fuse")).mrid == fuse.mrid
        taken = failure(await net.offer(moved.replace(other.mrid, fuse.mrid)))
        assert isinstance(taken, Invalid)
        assert f"fuse-2: it is known as {fuse.mrid}, and so is the object of line" in taken.reason

        change = difference("d", renamed("Chapel fuse", "fuse-2"), renamed("Chapel Lane fuse", "fuse-2"))
        assert failure(await net.change(change)) is None
        assert (await net.equipment("Chapel fuse")).mrid == fuse.mrid
        (model,) = (await net.admin.request(NMM, Verb.GET, NetworkModels, ids=[fuse.mrid])).noun.network_model
        assert {each[0] for each in statements((model.document or "").encode())} == {"urn:uuid:fuse-2"}


def difference(mrid: str, forward: str, reverse: str) -> NetworkDifference:
    return NetworkDifference(
        mrid=mrid,
        model_format=RDF_XML,
        forward_differences=forward,
        reverse_differences=reverse,
        base_model=ObjectReference(mrid="harbour"),
    )
