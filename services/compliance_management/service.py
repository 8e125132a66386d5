"""Outages are entered in the ledger; reports are counted from it, and restated when it was corrected."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from contracts.errors import Conflict, Invalid, NotFound
from contracts.interfaces.compliance_management import COMPLIANCE_MANAGEMENT
from contracts.message import Message
from contracts.nouns.feeder_topology import FeederTopology
from contracts.nouns.network_models import NetworkModels
from contracts.nouns.reliability_indices import ReliabilityIndex, ReliabilityIndices
from contracts.nouns.unplanned_outages import UnplannedOutages
from contracts.verbs import Verb
from services.compliance_management import views
from services.compliance_management.config import rules_from
from services.compliance_management.domain.indices import answers, history_start
from services.compliance_management.domain.interruptions import packed
from services.compliance_management.store import Store
from shared.service import Service
from shared.work import Wake, Work

service = Service(COMPLIANCE_MANAGEMENT, store=Store, memory=lambda: rules_from(os.environ))

RESTATED_EVERY = timedelta(minutes=5)
"""Corrections are gathered until the next multiple of this, so that a report is restated once for many of them."""


@service.on(Verb.CREATED, UnplannedOutages)
@service.on(Verb.CHANGED, UnplannedOutages)
@service.on(Verb.CLOSED, UnplannedOutages)
async def enter_outages(message: Message[UnplannedOutages], work: Work[Store]) -> None:
    """What is told of an outage is entered, whatever was told of it before; the reports it concerns are restated."""
    tellings = [views.telling_of(outage, message.header, work.now) for outage in message.noun.unplanned_outage]
    lines = []
    for outage in await work.store.add_tellings(tellings, work.now):
        lines += await work.store.restate(outage, await work.store.next_ledger())
    for mrid in await work.store.reports_about(lines):
        work.wake("restate", mrid, next_time(work.now))


@service.on(Verb.CREATED, NetworkModels)
async def learn_customers(message: Message[NetworkModels], work: Work[Store]) -> None:
    """A new model says how many customers are served from now on."""
    served, since = views.served_in(await work.request(FeederTopology), message.noun)
    if since is not None:
        await work.store.learn_customers(served, since, await work.store.next_ledger())


@service.on(Verb.GET, ReliabilityIndices)
async def show_indices(message: Message[ReliabilityIndices], work: Work[Store]) -> ReliabilityIndices:
    """The reports that are named, the indices of a period counted now, or else all reports that were filed."""
    request = message.request
    if request is not None and request.id:
        revision = views.number_in(views.options_in(request.option, ("revision",)), "revision")
        found = [await find(work, each.value, revision) for each in request.id]
        return ReliabilityIndices(reliability_index=tuple(found))
    if request is None or (request.start_time is None and request.end_time is None):
        return ReliabilityIndices(reliability_index=await work.store.reports())
    asked = views.wanted(request, work.store.memory, [work.new_id() for _ in range(3)])
    return ReliabilityIndices(reliability_index=tuple(await count(work, asked)))


@service.on(Verb.CREATE, ReliabilityIndices)
async def file_reports(message: Message[ReliabilityIndices], work: Work[Store]) -> ReliabilityIndices:
    """A report is counted and kept; from then on it is restated when the ledger is corrected."""
    asked = message.noun.reliability_index
    filed = [replace(report, revision=1) for index in asked for report in await count(work, [index])]
    for report in filed:
        if not await keep(work, report, Verb.CREATED):
            raise Conflict("there is a report of this mRID; a correction restates it", object_id=report.mrid)
    return ReliabilityIndices(reliability_index=tuple(filed))


@service.on_wake("restate")
async def restate_report(wake: Wake, work: Work[Store]) -> None:
    """A report of which the figures are others now has a new revision; the old one stays as it was told."""
    before = await find(work, wake.key)
    (after,) = await count(work, [replace(before, data_cut_off=None, ledger_revision=None)])
    if views.differ(before, after):
        await keep(work, replace(after, revision=(before.revision or 0) + 1), Verb.CHANGED)


async def find(work: Work[Store], mrid: str, revision: int | None = None) -> ReliabilityIndex:
    """A report that was filed."""
    report = await work.store.report(mrid, revision)
    if report is None:
        raise NotFound("there is no such report", object_id=mrid)
    return report


async def count(work: Work[Store], indices: Sequence[ReliabilityIndex]) -> list[ReliabilityIndex]:
    """The indices with their figures, from the ledger as it is, or as it was in the state that they name.

    They are of one period, one feeder and one time zone.
    """
    questions = [views.question_in(index, work.store.memory, work.now) for index in indices]
    first, said = questions[0], indices[0].ledger_revision
    newest = await work.store.ledger()
    ledger = newest if said is None else said
    if ledger > newest:
        raise Invalid(f"ledgerRevision: the ledger is at {newest}")
    entries = packed(await work.store.entries(history_start(first.start, first.zone), ledger))
    counts, of_all = await work.store.counts(first.feeder, ledger), await work.store.counts(None, ledger)
    found = await work.compute(answers, questions, entries, counts, of_all)
    triples = zip(indices, questions, found, strict=True)
    return [views.counted(index, question, each, ledger, work.now) for index, question, each in triples]


async def keep(work: Work[Store], report: ReliabilityIndex, verb: Verb) -> bool:
    """Keep a revision of a report and tell it; False when there is one already."""
    period, cut_off = report.period, report.data_cut_off
    if period.start is None or period.end is None or cut_off is None:
        raise Invalid("a report has a period and a cut-off", object_id=report.mrid)
    kept = await work.store.save_report(report, period.start, period.end, cut_off)
    if kept:
        work.publish(verb, ReliabilityIndices(reliability_index=(report,)), key=report.mrid)
    return kept


def next_time(now: datetime) -> datetime:
    """When the corrections that come now are gathered."""
    zero = datetime(1970, 1, 1, tzinfo=UTC)
    return zero + ((now - zero) // RESTATED_EVERY + 1) * RESTATED_EVERY
