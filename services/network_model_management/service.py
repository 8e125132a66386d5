"""Network model management: documents in, versions and feeders out."""

from collections.abc import AsyncIterator

from contracts.errors import Conflict, Invalid, NotFound
from contracts.interfaces.network_model_management import NETWORK_MODEL_MANAGEMENT
from contracts.message import Message
from contracts.nouns.feeder_topology import FeederTopology
from contracts.nouns.network_models import NetworkModels
from contracts.verbs import Verb
from services.network_model_management.adapters import digest_of, document_of, import_document, with_document
from services.network_model_management.domain.model import refusal
from services.network_model_management.domain.versions import activated, the_offered
from services.network_model_management.store import Store, Version
from shared.service import Service
from shared.work import Work

service = Service(NETWORK_MODEL_MANAGEMENT, store=Store)


@service.on(Verb.CREATE, NetworkModels)
async def import_model(message: Message[NetworkModels], work: Work[Store]) -> NetworkModels:
    """A document without errors becomes the active version; the one that is active already stays it."""
    offered = the_offered(message.noun)
    document = await document_of(offered, work.blobs)
    digest = digest_of(document)
    active = await work.store.active()
    if active is not None and active.sha256 == digest:
        return NetworkModels(network_model=(active.model,))
    revision = 1 if active is None else active.revision + 1
    imported = await work.compute(import_document, document, str(revision), work.now)
    if imported.problems:
        raise Invalid(refusal(imported.problems), object_id=offered.mrid)
    model = activated(offered, revision, imported.findings, work.now)
    version = Version(revision=revision, model=model, sha256=digest)
    if not await work.store.activate(version, document, imported.feeders):
        raise Conflict("another model was imported at the same time", object_id=offered.mrid)
    work.publish(Verb.CREATED, NetworkModels(network_model=(model,)), key=model.mrid)
    return NetworkModels(network_model=(model,))


@service.on(Verb.GET, NetworkModels)
async def tell_models(message: Message[NetworkModels], work: Work[Store]) -> NetworkModels:
    """All versions without documents; asked for by mRID, the newest version of each with its document."""
    versions = await work.store.versions()
    if message.request is None or not message.request.id:
        return NetworkModels(network_model=tuple(version.model for version in versions))
    newest = {version.model.mrid: version for version in reversed(versions)}
    told = []
    for wanted in message.request.id:
        version = newest.get(wanted.value)
        if version is None:
            raise NotFound("there is no such model", object_id=wanted.value)
        document = await work.store.document(version.revision)
        told.append(await with_document(version.model, document, work.blobs))
    return NetworkModels(network_model=tuple(told))


@service.on(Verb.GET, FeederTopology)
async def tell_feeders(message: Message[FeederTopology], work: Work[Store]) -> AsyncIterator[FeederTopology]:
    """The feeders of the active model in their normal state, one in each part of the reply."""
    wanted = [] if message.request is None else [each.value for each in message.request.id]
    feeders = await work.store.feeders(wanted)
    missing = set(wanted) - {feeder.mrid for feeder in feeders}
    if missing:
        raise NotFound("there is no such feeder in the active model", object_id=min(missing))
    for place in range(max(1, len(feeders))):
        yield FeederTopology(feeder=feeders[place : place + 1])
