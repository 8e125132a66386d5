"""Inspections and tests: recorded, judged, scored."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta

from contracts.errors import Conflict, NotFound
from contracts.message import Message
from contracts.nouns.analytic_scores import AnalyticScores
from contracts.nouns.procedure_data_sets import InspectionState, ProcedureDataSets
from contracts.nouns.test_results import TestDataSet, TestResults
from contracts.verbs import Verb
from services.asset_management.domain import classes, findings, gases, inspections
from services.asset_management.domain.assessment import Observation, assess
from services.asset_management.domain.health_events import Sight
from services.asset_management.domain.records import Inspection
from services.asset_management.service.declared import service
from services.asset_management.service.health import raise_events
from services.asset_management.service.plans import dated, keep_plan
from services.asset_management.service.register import PART, find, ids_of, period_of, refer
from services.asset_management.store import DEGASSED, Store
from services.asset_management.views import condition
from services.asset_management.views.digests import digest
from shared.work import Wake, Work

SLICE = 100
"""Assets that are scored together."""


@service.on(Verb.CREATE, ProcedureDataSets)
async def record_inspections(message: Message[ProcedureDataSets], work: Work[Store]) -> ProcedureDataSets:
    """What was seen is kept and judged; the same data set again changes nothing."""
    await work.store.lock_register()
    kept = []
    for given in message.noun.procedure_data_set:
        before = await work.store.inspection(given.mrid)
        if before is not None and before.digest != digest(given):
            raise Conflict("it is known already and was recorded otherwise", object_id=given.mrid)
        if before is None:
            record = await refer(work, given.asset)
            before = condition.inspection(given, record.core.mrid, work.now)
            await keep_inspection(work, before, Verb.CREATED)
        kept.append(before)
    return condition.as_sets(kept)


@service.on(Verb.CHANGE, ProcedureDataSets)
async def change_inspections(message: Message[ProcedureDataSets], work: Work[Store]) -> ProcedureDataSets:
    """An inspection goes on: begun, recorded, prevented, planned anew, reviewed, closed or cancelled."""
    await work.store.lock_register()
    kept = []
    for given in message.noun.procedure_data_set:
        before = await work.store.inspection(given.mrid)
        if before is None:
            raise NotFound("there is no such data set", object_id=given.mrid)
        after = condition.changed_inspection(before, given, work.now)
        await keep_inspection(work, after, Verb.CHANGED)
        kept.append(after)
    return condition.as_sets(kept)


@service.on(Verb.GET, ProcedureDataSets)
async def show_inspections(message: Message[ProcedureDataSets], work: Work[Store]) -> ProcedureDataSets:
    """The data sets that are named, by themselves or by their assets, or all, in a time."""
    start, end = period_of(message)
    return ProcedureDataSets(procedure_data_set=tuple(await work.store.inspections(ids_of(message), start, end)))


@service.on(Verb.CREATE, TestResults)
async def record_tests(message: Message[TestResults], work: Work[Store]) -> TestResults:
    """What a test found is kept and judged; the same test again changes nothing."""
    await work.store.lock_register()
    kept: list[TestDataSet] = []
    for given in message.noun.test_data_set:
        known = await work.store.test_digest(given.mrid)
        if known is not None and known != digest(given):
            raise Conflict("it is known already and was recorded otherwise", object_id=given.mrid)
        if known is None:
            await record_test(work, given)
        kept += await work.store.tests([given.mrid], None, None)
    return TestResults(test_data_set=tuple(kept))


@service.on(Verb.GET, TestResults)
async def show_tests(message: Message[TestResults], work: Work[Store]) -> TestResults:
    """The tests that are named, by themselves or by their assets, or all, in a time."""
    start, end = period_of(message)
    return TestResults(test_data_set=tuple(await work.store.tests(ids_of(message), start, end)))


@service.on(Verb.GET, AnalyticScores)
async def show_scores(message: Message[AnalyticScores], work: Work[Store]) -> AsyncIterator[AnalyticScores]:
    """The newest scores of the assets that are named, or of all, for a date."""
    start, _ = period_of(message)
    found = await work.store.scores(ids_of(message), start or work.now)
    for place in range(0, max(1, len(found)), PART):
        yield condition.merged(found[place : place + PART])


@service.on_wake("score")
async def score_fleet(wake: Wake, work: Work[Store]) -> None:
    """Age alone worsens health: every asset is scored once a month, some at a time."""
    await work.store.lock_register()
    month = work.now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    due = await work.store.to_score(month, SLICE)
    await score(work, due, work.now)
    await work.store.mark_scored([(mrid, None) for mrid in due], work.now)
    following = (month + timedelta(days=32)).replace(day=1)
    work.wake("score", wake.key, work.now if len(due) == SLICE else following)


@service.on_wake("inspection")
async def remind_of_inspection(wake: Wake, work: Work[Store]) -> None:
    """A planned inspection is due, or overdue."""
    await work.store.lock_register()
    before = await work.store.inspection(wake.key)
    if before is not None and before.state in inspections.WAITING:
        step = inspections.Step.FELL_DUE if before.state is InspectionState.PLANNED else inspections.Step.LAPSED
        after = condition.stepped(before, inspections.moved(before.state, step), work.now)
        await keep_inspection(work, after, Verb.CHANGED)


async def keep_inspection(work: Work[Store], kept: Inspection, verb: Verb) -> None:
    """Keep and tell a data set; what was recorded is judged, what is planned comes up again."""
    await work.store.save_inspection(kept)
    work.publish(verb, condition.as_sets([kept]), key=kept.noun.mrid)
    noun, asset = kept.noun, kept.noun.asset.mrid or ""
    if kept.state is InspectionState.RECORDED and verb in {Verb.CREATED, Verb.CHANGED}:
        seen = condition.observations(noun.measurement_value, noun.properties, kept.at, noun.mrid)
        if noun.type == DEGASSED:
            await work.store.save_activities([condition.degassed(noun, kept.at)], work.now)
        await learn(work, Sight(asset=asset, at=kept.at, source=noun.mrid), seen)
    elif kept.state is InspectionState.PLANNED:
        work.wake("inspection", noun.mrid, kept.at - inspections.AHEAD)
    elif kept.state is InspectionState.DUE:
        work.wake("inspection", noun.mrid, kept.at)
    else:
        work.cancel_wake("inspection", noun.mrid)


async def record_test(work: Work[Store], given: TestDataSet) -> None:
    """Keep, judge and tell a test."""
    record = await refer(work, given.asset)
    asset = record.core.mrid
    noun, at = condition.recorded_test(given, asset, work.now)
    seen = condition.observations(given.measurement_value, given.properties, at, given.mrid)
    sample = condition.sample(given, at)
    urgent: list[findings.Finding] = []
    if sample is not None:
        await work.store.save_sample(asset, given.mrid, sample, work.now)
        since = await work.store.last_activity(asset, DEGASSED, sample.taken_at)
        before = await work.store.samples(asset, since, sample.taken_at, work.now)
        status, diagnosis = gases.status(before or (sample,)), gases.diagnose(sample.gases)
        noun = condition.judged(noun, diagnosis, status)
        finding = findings.gas_finding(status, diagnosis)
        urgent = [] if finding is None else [finding]
    await work.store.save_test(noun, at, digest(given))
    work.publish(Verb.CREATED, TestResults(test_data_set=(noun,)), key=noun.mrid)
    await learn(work, Sight(asset=asset, at=at, source=noun.mrid, tested=True), seen, urgent)


async def learn(
    work: Work[Store], sight: Sight, seen: Sequence[Observation], urgent: Sequence[findings.Finding] = ()
) -> None:
    """What was seen becomes findings, scores and dates of plans; only the newest of each thing counts."""
    record = await find(work, sight.asset)
    await work.store.save_observations(sight.asset, sight.source or "", seen, work.now)
    newest = (await work.store.newest([sight.asset], max(work.now, sight.at), work.now)).get(sight.asset, ())
    latest = {each.name: each.at for each in newest}
    current = [each for each in seen if each.at >= latest.get(each.name, each.at)]
    kind = classes.class_of(record.core.type)
    wrong = [*findings.findings(current, kind), *urgent]
    await raise_events(work, sight, wrong, findings.cleared(current, kind))
    effective = max(sight.at, await work.store.last_effective(sight.asset) or sight.at)
    await score(work, [sight.asset], effective, sight)
    for kept in await work.store.plans_for(sight.asset):
        after = await dated(work, kept)
        if after != kept:
            await keep_plan(work, after, Verb.CHANGED)


async def score(work: Work[Store], mrids: Sequence[str], at: datetime, sight: Sight | None = None) -> None:
    """Count, keep and tell the scores of assets; what fell into one of the last bands is wrong by that alone."""
    known = await work.store.inputs_for(mrids, at, work.now)
    records = await work.store.records(known)
    scores = [
        condition.scored(each, found, mrid, work.now, (work.new_id(), work.new_id()))
        for mrid, each in known.items()
        if (found := assess(each)) is not None
    ]
    told = [each.noun for each in scores if await work.store.save_score(each, work.now)]
    if told:
        work.publish(Verb.CREATED, condition.merged(told), key=scores[0].asset)
    await work.store.mark_scored([(each.asset, each.band) for each in scores], work.now)
    for each in scores:
        finding = findings.worsened(records[each.asset].band, each.band)
        if finding is not None and not await work.store.open_events(each.asset):
            await raise_events(work, sight or Sight(asset=each.asset, at=at), [finding], set())
