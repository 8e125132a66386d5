"""`busbar network`: models of the network in and out, through the same door as everybody's."""

import asyncio
import hashlib
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from lxml import etree
from msgspec.structs import replace

from contracts.errors import Invalid, NotFound
from contracts.nouns.feeder_topology import FeederTopology
from contracts.nouns.network_differences import NetworkDifference, NetworkDifferences
from contracts.nouns.network_models import Blob, ModelStatusKind, NetworkModel, NetworkModels, ObjectMapping
from contracts.types import Name, ObjectReference
from contracts.verbs import Verb
from shared.config import Settings
from shared.tools.cli.asking import asked, insisted, operator
from shared.tools.cli.composition import Composition
from shared.tools.cli.shipped import file_of
from shared.tools.equipping.writing import Equipping, equipped
from shared.tools.testing import Peer

MANAGEMENT = "network-model-management"
INLINE_BYTES = 400_000
"""A larger document goes through the object store."""


RDF_XML = "CIM100 RDF/XML"
_FORMATS = {".json": "pandapower JSON"}
IMPORT_S = 300.0
"""How long a large model may take; it waits for its turn in the one process that reads models."""

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_DM = "http://iec.ch/TC57/61970-552/DifferenceModel/1#"
_MODEL = f"{{{_DM}}}DifferenceModel"
_FORWARD, _REVERSE = f"{{{_DM}}}forwardDifferences", f"{{{_DM}}}reverseDifferences"


async def import_network(
    settings: Settings, composition: Composition, *names: str, mappings: tuple[ObjectMapping, ...] = ()
) -> NetworkModel:
    """Import a model in one file or in several, or a network that is shipped by its name; the active model then.

    Raises:
        NotFound: there is no such file.
        Invalid: the model is refused, with everything that is wrong.
        Conflict: something that it lacks carries an outage or stands otherwise than normal.
    """
    files = [await asyncio.to_thread(file_of, name, settings.state_dir) for name in names]
    documents = [await asyncio.to_thread(file.read_bytes) for file in files]
    digest = hashlib.sha256(b"".join(documents)).hexdigest()
    async with operator(settings, composition) as peer:
        models = [
            await _with_document(
                NetworkModel(
                    mrid=str(uuid5(NAMESPACE_URL, digest)),
                    model_format=_FORMATS.get(file.suffix, RDF_XML),
                    description=files[0].stem,
                    mapping=mappings if file is files[0] else (),
                    names=(Name(name=file.stem),),
                ),
                document,
                peer,
            )
            for file, document in zip(files, documents, strict=True)
        ]
        answer: NetworkModels = await insisted(
            peer, MANAGEMENT, Verb.CREATE, NetworkModels(network_model=tuple(models)), timeout_s=IMPORT_S
        )
    return answer.network_model[0]


async def apply_difference(
    settings: Settings, composition: Composition, name: str, base: str | None, mappings: tuple[ObjectMapping, ...] = ()
) -> NetworkDifference:
    """Apply a difference model of 61970-552 in a file, by default to the active model.

    Raises:
        NotFound: there is no such file.
        Invalid: it is refused, with everything that is wrong.
    """
    file = _existing(name)
    if file is None:
        raise NotFound(f"there is no file '{name}'")
    model = _difference_model(await asyncio.to_thread(file.read_bytes))
    async with operator(settings, composition) as peer:
        return await _applied(peer, model, _known(_mrid(model), base, file.stem, mappings))


async def equip_network(
    settings: Settings, composition: Composition
) -> tuple[NetworkDifference, Equipping] | tuple[None, None]:
    """Add to the active model what it lacks for operation, by a difference; none where it lacks nothing.

    Raises:
        NotFound: no network is active.
        Invalid: objects of the model are known by other mRIDs than its document gives them.
    """
    document = await export_network(settings, composition, None)
    async with operator(settings, composition) as peer:
        topology: FeederTopology = await asked(peer, MANAGEMENT, Verb.GET, FeederTopology, timeout_s=60.0)
        equipping = await asyncio.to_thread(equipped, topology.whole(), document)
        if equipping is None:
            return None, None
        model = _difference_model(equipping.document)
        return await _applied(peer, model, _known(equipping.mrid, None, "equipped for operation", ())), equipping


async def reverse_difference(
    settings: Settings, composition: Composition, name: str, base: str | None, mappings: tuple[ObjectMapping, ...] = ()
) -> NetworkDifference:
    """Undo a difference: that of a file, or the one of that mRID in the model to which it was applied.

    Raises:
        NotFound: there is neither.
        Invalid: it is refused, with everything that is wrong.
    """
    file = _existing(name)
    async with operator(settings, composition) as peer:
        if file is not None:
            model = _difference_model(await asyncio.to_thread(file.read_bytes))
            done = _mrid(model)
        else:
            known: NetworkDifferences = await asked(peer, MANAGEMENT, Verb.GET, NetworkDifferences, ids=[name])
            difference = known.network_difference[0]
            base, done = difference.base_model.mrid, difference.mrid
            if difference.blob is None:
                undone = replace(
                    difference,
                    mrid=_undoing(done),
                    created_date_time=None,
                    description=f"reverse of {difference.description or done}",
                    forward_differences=difference.reverse_differences,
                    reverse_differences=difference.forward_differences,
                    mapping=mappings,
                )
                return await _offered(peer, undone)
            model = _difference_model(await peer.bus.blobs.get(difference.blob.reference))
        for element in list(model.iterchildren(_FORWARD, _REVERSE)):
            element.tag = _REVERSE if element.tag == _FORWARD else _FORWARD
        return await _applied(peer, model, _known(_undoing(done), base, f"reverse of {done}", mappings))


def _known(mrid: str, base: str | None, description: str, mappings: tuple[ObjectMapping, ...]) -> NetworkDifference:
    """A difference without its statements."""
    return NetworkDifference(
        mrid=mrid,
        model_format=RDF_XML,
        description=description,
        base_model=ObjectReference(mrid=base),
        mapping=mappings,
    )


async def _applied(peer: Peer, model: etree._Element, difference: NetworkDifference) -> NetworkDifference:
    """Apply a difference model, which goes through the object store as it is."""
    document = etree.tostring(model.getroottree(), encoding="utf-8")
    return await _offered(peer, replace(difference, blob=await _blob(document, peer)))


async def _offered(peer: Peer, difference: NetworkDifference) -> NetworkDifference:
    offer = NetworkDifferences(network_difference=(difference,))
    answer: NetworkDifferences = await insisted(peer, MANAGEMENT, Verb.CREATE, offer, timeout_s=IMPORT_S)
    return answer.network_difference[0]


async def _with_document(model: NetworkModel, document: bytes, peer: Peer) -> NetworkModel:
    """The model with its document inline, or in the object store when it is large."""
    if len(document) <= INLINE_BYTES:
        return replace(model, document=document.decode("utf-8"))
    return replace(model, blob=await _blob(document, peer))


async def _blob(document: bytes, peer: Peer) -> Blob:
    reference = await peer.bus.blobs.put(document)
    return Blob(reference=reference, sha256=hashlib.sha256(document).hexdigest(), size=len(document))


def _existing(name: str) -> Path | None:
    file = Path(name)
    return file if file.exists() else None


def _difference_model(document: bytes) -> etree._Element:
    """The dm:DifferenceModel in a document.

    Raises:
        Invalid: it is no XML, or has none or several.
    """
    try:
        root = etree.fromstring(document, etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True))
    except etree.XMLSyntaxError as error:
        raise Invalid(f"ill-formed XML: {error.msg}") from error
    models: list[etree._Element] = list(root.iterchildren(_MODEL))
    if len(models) != 1:
        raise Invalid(f"the file has {len(models)} elements dm:DifferenceModel instead of one")
    return models[0]


def _mrid(model: etree._Element) -> str:
    """The identifier of a difference model; one that has none has that of its content."""
    stated = model.get(f"{{{_RDF}}}about", "").removeprefix("urn:uuid:").removeprefix("#").removeprefix("_")
    return stated or str(uuid5(NAMESPACE_URL, hashlib.sha256(etree.tostring(model)).hexdigest()))


def _undoing(mrid: str) -> str:
    """The mRID of what undoes a difference."""
    return str(uuid5(NAMESPACE_URL, f"reverse of {mrid}"))


async def networks(
    settings: Settings, composition: Composition, *, patience_s: float = 0.0
) -> tuple[NetworkModel, ...]:
    """The models that are known, without their documents; ``patience_s`` for a role that is only just starting."""
    async with operator(settings, composition) as peer:
        answer: NetworkModels = await insisted(peer, MANAGEMENT, Verb.GET, NetworkModels, patience_s=patience_s)
    return answer.network_model


async def export_network(settings: Settings, composition: Composition, mrid: str | None) -> bytes:
    """The document of a model, or that of one object of the active model; by default of the active model.

    Raises:
        NotFound: there is no such model and no such object.
    """
    async with operator(settings, composition) as peer:
        known: NetworkModels = await insisted(peer, MANAGEMENT, Verb.GET, NetworkModels)
        wanted = mrid or next(
            (model.mrid for model in known.network_model if model.status_kind is ModelStatusKind.ACTIVE), None
        )
        if wanted is None:
            raise NotFound("no network is active")
        answer: NetworkModels = await insisted(peer, MANAGEMENT, Verb.GET, NetworkModels, ids=[wanted])
        model = answer.network_model[0]
        if model.blob is not None:
            document: bytes = await peer.bus.blobs.get(model.blob.reference)
            return document
    return (model.document or "").encode()
