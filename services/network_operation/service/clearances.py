"""Clearances: given, handed back, shown."""

from contracts.errors import Conflict, NotFound
from contracts.message import Message
from contracts.nouns.safety_documents import SafetyDocuments
from contracts.types import Status
from contracts.verbs import Verb
from services.network_operation.domain import clearances
from services.network_operation.domain.clearances import Clearance
from services.network_operation.domain.people import speaker
from services.network_operation.service.declared import service
from services.network_operation.store import Store
from shared.work import Work


@service.on(Verb.CREATE, SafetyDocuments)
async def take_clearances(message: Message[SafetyDocuments], work: Work[Store]) -> SafetyDocuments:
    """Clearances begin as drafts."""
    grid, made = (await work.store.lock_network()).grid, []
    for asked in clearances.only_clearances(message.noun):
        if await work.store.clearance(asked.mrid) is not None:
            raise Conflict("there is a clearance with this mRID already", object_id=asked.mrid)
        made.append(clearances.drafted(asked, grid, Status(date_time=work.now)))
        await save_clearance(Verb.CREATED, made[-1], work)
    return SafetyDocuments(clearance_document=tuple(each.document for each in made))


@service.on(Verb.CHANGE, SafetyDocuments)
async def change_clearances(message: Message[SafetyDocuments], work: Work[Store]) -> SafetyDocuments:
    """A clearance is prepared, issued, suspended, surrendered by its holder, released or cancelled."""
    await work.store.lock_network()
    person, changed = speaker(message.header, work.principal), []
    for asked in clearances.only_clearances(message.noun):
        known = await work.store.clearance(asked.mrid)
        if known is None:
            raise NotFound("there is no such clearance", object_id=asked.mrid)
        site = (await work.store.situation()).site
        changed.append(clearances.moved(known, asked, person, site, Status(date_time=work.now)))
        await save_clearance(Verb.CHANGED, changed[-1], work)
    return SafetyDocuments(clearance_document=tuple(each.document for each in changed))


@service.on(Verb.GET, SafetyDocuments)
async def tell_clearances(message: Message[SafetyDocuments], work: Work[Store]) -> SafetyDocuments:
    """The clearances named; else all that are not over."""
    if message.request is None or not message.request.id:
        return SafetyDocuments(clearance_document=tuple(each.document for each in await work.store.clearances()))
    told = []
    for wanted in message.request.id:
        clearance = await work.store.clearance(wanted.value)
        if clearance is None:
            raise NotFound("there is no such clearance", object_id=wanted.value)
        told.append(clearance.document)
    return SafetyDocuments(clearance_document=tuple(told))


async def save_clearance(verb: Verb, clearance: Clearance, work: Work[Store]) -> None:
    """Keep a clearance and tell it."""
    await work.store.save_clearance(clearance)
    work.publish(verb, SafetyDocuments(clearance_document=(clearance.document,)), key=clearance.mrid)
