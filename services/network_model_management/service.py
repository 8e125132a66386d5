"""Network model management: documents and differences in, versions and feeders out."""

from collections.abc import AsyncIterator
from datetime import datetime
from itertools import chain

from contracts.errors import Conflict, Invalid, NotFound
from contracts.interfaces.network_model_management import NETWORK_MODEL_MANAGEMENT
from contracts.message import Message
from contracts.nouns.electrical_models import ElectricalModels
from contracts.nouns.feeder_topology import Feeder, FeederTopology
from contracts.nouns.network_differences import NetworkDifference, NetworkDifferences
from contracts.nouns.network_models import NetworkModel, NetworkModels, ObjectMapping
from contracts.nouns.operational_tags import OperationalTags
from contracts.nouns.safety_documents import SafetyDocuments
from contracts.nouns.unplanned_outages import UnplannedOutages
from contracts.verbs import Verb
from services.network_model_management.adapters.blobs import digest_of, fetched
from services.network_model_management.adapters.difference_model import offered
from services.network_model_management.adapters.importing import (
    Imported,
    change_document,
    documents_of,
    import_documents,
    with_document,
    with_statements,
)
from services.network_model_management.adapters.rdf import excerpt
from services.network_model_management.domain.carried import carriers, conflicts, lost_or_rephased, told_of
from services.network_model_management.domain.identities import Meaning
from services.network_model_management.domain.model import refusal
from services.network_model_management.domain.versions import (
    activated,
    in_service,
    the_difference,
    the_offered,
    valid_from,
    with_findings,
)
from services.network_model_management.store import Applied, Store, Version
from shared.service import Service
from shared.work import Work

service = Service(NETWORK_MODEL_MANAGEMENT, store=Store)


@service.on(Verb.CREATE, NetworkModels)
async def import_model(message: Message[NetworkModels], work: Work[Store]) -> NetworkModels:
    """A model without errors becomes the active version; the one that is active already stays it."""
    models = the_offered(message.noun)
    documents = await documents_of(models, work.blobs)
    digest = digest_of(*(each.content for each in documents))
    meaning = await meaning_of(tuple(each for model in models for each in model.mapping), work)
    active = await work.store.active()
    if active is not None and active.sha256 == digest and not meaning.mappings:
        return NetworkModels(network_model=(with_findings(active.model, active.findings),))
    revision = 1 if active is None else active.revision + 1
    at = valid_from([] if active is None else [active.model], work.now)
    imported = await work.compute(import_documents, documents, str(revision), at, meaning)
    version = await checked(models[0], imported, revision, digest, at, meaning, work)
    await activate(version, imported, meaning, work)
    return NetworkModels(network_model=(with_findings(version.model, version.findings),))


@service.on(Verb.CREATE, NetworkDifferences)
async def apply_difference(message: Message[NetworkDifferences], work: Work[Store]) -> NetworkDifferences:
    """A difference that fits the model makes its next version, which becomes the active one."""
    difference = the_difference(message.noun)
    versions = await work.store.versions()
    base = next((each for each in versions if difference.base_model.mrid in {None, each.model.mrid}), None)
    if base is None:
        raise NotFound("BaseModel: there is no such model", object_id=difference.base_model.mrid)
    whole = b"" if difference.blob is None else await fetched(difference.blob, work.blobs, difference.mrid)
    document = await work.store.document(base.revision)
    revision = versions[0].revision + 1
    offer = offered(difference, whole)
    meaning = await meaning_of(difference.mapping, work)
    at = valid_from([each.model for each in versions], work.now)
    changed = await work.compute(change_document, document, offer, str(revision), at, meaning)
    imported = changed.imported
    version = await checked(base.model, imported, revision, digest_of(imported.document), at, meaning, work)
    applied = Applied(
        difference=in_service(difference, version.model, at),
        forward=changed.outcome.forward,
        reverse=changed.outcome.reverse,
    )
    await activate(version, imported, meaning, work, applied)
    return NetworkDifferences(network_difference=(applied.difference,))


@service.on(Verb.GET, NetworkModels)
async def tell_models(message: Message[NetworkModels], work: Work[Store]) -> NetworkModels:
    """All versions without documents; by mRID, the newest version of a model with its document and its findings.

    The mRID of an object of the active model gives that model with a document of this object alone.
    """
    versions = await work.store.versions()
    if message.request is None or not message.request.id:
        return NetworkModels(network_model=tuple(version.model for version in versions))
    newest = {version.model.mrid: version for version in reversed(versions)}
    wanted = [each.value for each in message.request.id]
    told = []
    for mrid in wanted:
        if mrid in newest:
            version = newest[mrid]
            document = await work.store.document(version.revision)
            told.append(await with_document(with_findings(version.model, version.findings), document, work.blobs))
    objects = frozenset(wanted) - newest.keys()
    if objects:
        told.append(await objects_in(versions[0] if versions else None, objects, work))
    return NetworkModels(network_model=tuple(told))


@service.on(Verb.GET, NetworkDifferences)
async def tell_differences(message: Message[NetworkDifferences], work: Work[Store]) -> NetworkDifferences:
    """All differences that were applied, without their statements; by mRID, with the exact ones."""
    if message.request is None or not message.request.id:
        return NetworkDifferences(network_difference=await work.store.differences())
    told: list[NetworkDifference] = []
    for wanted in message.request.id:
        found = await work.store.difference(wanted.value)
        if found is None:
            raise NotFound("there is no such difference", object_id=wanted.value)
        told.append(await with_statements(found.difference, found.forward, found.reverse, work.blobs))
    return NetworkDifferences(network_difference=tuple(told))


@service.on(Verb.GET, FeederTopology)
async def tell_feeders(message: Message[FeederTopology], work: Work[Store]) -> AsyncIterator[FeederTopology]:
    """The feeders of the active model in their normal state, one in each part of the reply; a large one in several."""
    wanted = [] if message.request is None else [each.value for each in message.request.id]
    feeders = await work.store.feeders(wanted)
    missing = set(wanted) - {feeder.mrid for feeder in feeders}
    if missing:
        raise NotFound("there is no such feeder in the active model", object_id=min(missing))
    if not feeders:
        yield FeederTopology()
    for part in chain.from_iterable(feeder.parts() for feeder in feeders):
        yield FeederTopology(feeder=(part,))


@service.on(Verb.GET, ElectricalModels)
async def tell_electrical_data(
    message: Message[ElectricalModels], work: Work[Store]
) -> AsyncIterator[ElectricalModels]:
    """What is needed for a power flow of the active model: each feeder in one part of the reply or several."""
    wanted = [] if message.request is None else [each.value for each in message.request.id]
    models = await work.store.electrical(wanted)
    missing = set(wanted) - {model.mrid for model in models}
    if missing:
        raise NotFound("there is no such feeder in the active model", object_id=min(missing))
    for place in range(max(1, len(models))):
        yield ElectricalModels(electrical_model=models[place : place + 1])


async def objects_in(version: Version | None, mrids: frozenset[str], work: Work[Store]) -> NetworkModel:
    """The version with a document that has only these of its objects."""
    named = {mrid: document for document, mrid in (await work.store.identities()).items()}
    document, found = b"", frozenset[str]()
    if version is not None:
        wanted = frozenset(named.get(mrid, mrid) for mrid in mrids)
        document, found = await work.compute(excerpt, await work.store.document(version.revision), wanted)
    missing = {mrid for mrid in mrids if named.get(mrid, mrid) not in found}
    if version is None or missing:
        raise NotFound("there is no such model, and no such object in the active one", object_id=min(missing))
    return await with_document(version.model, document, work.blobs)


async def meaning_of(mappings: tuple[ObjectMapping, ...], work: Work[Store]) -> Meaning:
    """What the objects of an offered document mean, by what is known and by the mappings that come with it."""
    known = told_of(await work.store.feeders(())) if mappings else frozenset[str]()
    return Meaning(identities=await work.store.identities(), mappings=mappings, known=known)


async def checked(  # noqa: PLR0917 - what makes a version
    model: NetworkModel,
    imported: Imported,
    revision: int,
    digest: str,
    at: datetime,
    meaning: Meaning,
    work: Work[Store],
) -> Version:
    """The next version, once nothing is wrong with it and nothing that carries something would suffer.

    The neighbours are asked only when something would be lost or have other phases.

    Raises:
        Invalid: everything that is wrong with the model.
        Conflict: what carries an outage, a tag or a clearance, or stands otherwise than normal, would be lost or have
            other phases, and is not mapped.
        Unavailable: something would, and nobody can say whether it carries anything.
    """
    result = imported.result
    if result.problems:
        raise Invalid(refusal(result.problems), object_id=model.mrid)
    await keep_what_carries(result.feeders, meaning, work)
    told = activated(model, revision, result.finding_count, at)
    return Version(revision=revision, model=told, sha256=digest, findings=result.findings)


async def keep_what_carries(feeders: tuple[Feeder, ...], meaning: Meaning, work: Work[Store]) -> None:
    """Refuse feeders that would take away what an outage, a tag, a clearance or an operator holds."""
    before = await work.store.feeders(())
    changes = lost_or_rephased(before, feeders, meaning.mapped)
    if not changes:
        return
    live = await work.request(FeederTopology)
    outages = await work.request(UnplannedOutages)
    tags, clearances = await work.request(OperationalTags), await work.request(SafetyDocuments)
    found = conflicts(changes, carriers(live.feeder, outages, tags, clearances, told_of(before)))
    if found:
        more = f"; and {len(found) - 100} more" if len(found) > 100 else ""  # noqa: PLR2004 - it has to fit in a reply
        raise Conflict(f"not activated: {'; '.join(found[:100])}{more}")


async def activate(
    version: Version, imported: Imported, meaning: Meaning, work: Work[Store], applied: Applied | None = None
) -> None:
    """Make a version the active one, and tell."""
    if not await work.store.activate(version, imported.document, imported.result, applied):
        raise Conflict("another version was made at the same time", object_id=version.model.mrid)
    if meaning.mappings:
        await work.store.keep_identities(meaning.after)
    work.publish(Verb.CREATED, NetworkModels(network_model=(version.model,)), key=version.model.mrid)
