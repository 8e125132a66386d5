"""The register of assets: what is entered and changed, what crews and operators report, what follows for condition.

Longer than 400 lines because the register, the condition and the upkeep of assets hang together by their lives.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from contracts.errors import Conflict, Invalid, NotFound, from_reply
from contracts.interfaces.asset_management import ASSET_MANAGEMENT
from contracts.message import Message
from contracts.nouns.analytic_scores import AnalyticScores
from contracts.nouns.asset_catalogue import AssetCatalogue, CatalogAssetType
from contracts.nouns.asset_health_events import AssetHealthEvents, AssetHealthState
from contracts.nouns.assets import Asset, Assets
from contracts.nouns.feeder_topology import FeederTopology
from contracts.nouns.maintenance_orders import MaintenanceOrders
from contracts.nouns.maintenance_plans import MaintenancePlans, MaintenancePlanState
from contracts.nouns.network_models import ModelStatusKind, NetworkModels
from contracts.nouns.procedure_data_sets import InspectionState, ProcedureDataSets
from contracts.nouns.test_results import TestDataSet, TestResults
from contracts.nouns.unplanned_outages import UnplannedOutages
from contracts.nouns.work_requests import WorkRequests
from contracts.types import ObjectReference
from contracts.verbs import Verb
from services.asset_management.domain import changes, classes, findings, gases, health_events, inspections, plans
from services.asset_management.domain.assessment import Observation, assess
from services.asset_management.domain.health_events import HealthEvent, Sight
from services.asset_management.domain.history import Fact
from services.asset_management.domain.lifecycle import GONE, Event
from services.asset_management.domain.places import liveness_in, positions_in
from services.asset_management.domain.records import Entry, Inspection, KeptPlan, Record
from services.asset_management.store import DEGASSED, Store
from services.asset_management.views import assets as assets_view
from services.asset_management.views import condition, orders, upkeep
from services.asset_management.views.digests import digest
from shared.service import Service
from shared.work import Wake, Work

service = Service(ASSET_MANAGEMENT, store=Store)

PART = 200
"""Assets in one part of a reply."""

SLICE = 100
"""Assets that are scored together."""

SETTLED = timedelta(minutes=1)
"""So long after the last new asset the fleet is scored."""

ASK_AGAIN = timedelta(days=1)
"""After this work that was refused is asked for once more."""


# The catalogue.


@service.on(Verb.CREATE, AssetCatalogue)
async def enter_types(message: Message[AssetCatalogue], work: Work[Store]) -> AssetCatalogue:
    """Types come into the catalogue; the same ones again change nothing."""
    await work.store.lock_register()
    sent = [(each.mrid, digest(each), each) for each in message.noun.catalog_asset_type]
    new = changes.fresh(sent, await work.store.catalogue_digests([mrid for mrid, _, _ in sent]))
    await work.store.save_types([(each, digest(each)) for each in new])
    for each in new:
        work.publish(Verb.CREATED, AssetCatalogue(catalog_asset_type=(each,)), key=each.mrid)
    return references(message.noun.catalog_asset_type)


@service.on(Verb.CHANGE, AssetCatalogue)
async def change_types(message: Message[AssetCatalogue], work: Work[Store]) -> AssetCatalogue:
    """A type is replaced by what is said now."""
    await work.store.lock_register()
    known = await work.store.catalogue_digests([each.mrid for each in message.noun.catalog_asset_type])
    for each in message.noun.catalog_asset_type:
        if each.mrid not in known:
            raise NotFound("there is no such type in the catalogue", object_id=each.mrid)
        if known[each.mrid] != digest(each):
            await work.store.save_types([(each, digest(each))])
            work.publish(Verb.CHANGED, AssetCatalogue(catalog_asset_type=(each,)), key=each.mrid)
    return references(message.noun.catalog_asset_type)


@service.on(Verb.GET, AssetCatalogue)
async def show_types(message: Message[AssetCatalogue], work: Work[Store]) -> AssetCatalogue:
    """The types that are named, by themselves or by their models, or all."""
    ids = ids_of(message)
    found = await work.store.catalogue(ids)
    if ids and not found:
        raise NotFound("there is no such type in the catalogue", object_id=ids[0])
    return AssetCatalogue(catalog_asset_type=tuple(found))


# The register.


@service.on(Verb.CREATE, Assets)
async def enter_assets(message: Message[Assets], work: Work[Store]) -> Assets:
    """Assets come into the register, all of a message or none; the same ones again change nothing."""
    await work.store.lock_register()
    sent = [(each.mrid, digest(each), each) for each in message.noun.asset]
    known = await work.store.digests([mrid for mrid, _, _ in sent])
    arrivals = [assets_view.arrival(each, work.now) for each in changes.fresh(sent, known)]
    await work.store.refuse_clashes([each.claim for each in arrivals])
    await work.store.add_assets([each.entry for each in arrivals], work.now)
    await work.store.save_placements([each.placement for each in arrivals if each.placement is not None], work.now)
    await work.store.save_activities([each for one in arrivals for each in one.activities], work.now)
    new = [each.mrid for each in arrivals]
    moved = await settle(work, [each.fact for each in arrivals], binding=True)
    await tell(work, Verb.CHANGED, moved - set(new))
    await tell(work, Verb.CREATED, new)
    if new:
        work.wake("score", "fleet", work.now + SETTLED)
    return await receipts(work, [mrid for mrid, _, _ in sent])


@service.on(Verb.CHANGE, Assets)
async def change_assets(message: Message[Assets], work: Work[Store]) -> Assets:
    """An asset is otherwise from when on the change says; its states move by the table or not at all."""
    await work.store.lock_register()
    for each in message.noun.asset:
        record = await find(work, each.mrid)
        wanted = assets_view.change(record, each, work.now, f"change {work.new_id()}")
        facts = await steps(work, wanted)
        await work.store.refuse_clashes([wanted.claim])
        await work.store.save_placements([] if wanted.placement is None else [wanted.placement], work.now)
        await work.store.save_activities(wanted.activities, work.now)
        moved = await settle(work, facts, binding=True)
        await work.store.change_asset(Entry(core=wanted.core, maker=changes.maker(wanted.core), digest=record.digest))
        different = wanted.core != record.core or wanted.placement is not None or wanted.activities
        await tell(work, Verb.CHANGED, moved | ({each.mrid} if different else set()))
    return await receipts(work, [each.mrid for each in message.noun.asset])


@service.on(Verb.GET, Assets)
async def show_assets(message: Message[Assets], work: Work[Store]) -> AsyncIterator[Assets]:
    """The assets that are named, or that were at a position or location, for a date."""
    asked = assets_view.question_in(message.request, work.now)
    found = await matching(work, asked)
    for place in range(0, max(1, len(found)), PART):
        yield Assets(asset=tuple(await shown(work, found[place : place + PART], asked.at, asked.known_at)))


# What crews, operators and the network report.


@service.on(Verb.CLOSED, MaintenanceOrders)
async def follow_work(message: Message[MaintenanceOrders], work: Work[Store]) -> None:
    """What was built in and taken out, what had failed, and what was waited for and is done."""
    await work.store.lock_register()
    for order in message.noun.maintenance_order:
        places = await work.store.places_among(orders.named_in(order))
        await work.store.save_activities(orders.failures_in(order, places, work.now), work.now)
        facts = orders.facts_in(order, places, work.now)
        await tell(work, Verb.CHANGED, await settle(work, facts))
        for mrid, done_at in orders.fate_of(order, orders.HEALTH_EVENT, work.now):
            await end_remedy(work, mrid, done_at, "the work was cancelled")
        for mrid, done_at in orders.fate_of(order, orders.PLAN, work.now):
            await end_call(work, mrid, done_at)


@service.on(Verb.CLOSED, UnplannedOutages)
async def follow_outages(message: Message[UnplannedOutages], work: Work[Store]) -> None:
    """The devices that opened have operated on a fault."""
    done = [each for outage in message.noun.unplanned_outage for each in orders.operations_in(outage, work.now)]
    await work.store.save_activities(done, work.now)


@service.on(Verb.CREATED, NetworkModels)
async def learn_positions(message: Message[NetworkModels], work: Work[Store]) -> None:
    """A new model says which positions there are, and who depends on them."""
    if all(model.status_kind is ModelStatusKind.REJECTED for model in message.noun.network_model):
        return
    built = await work.request(FeederTopology, role="network-model-management")
    await work.store.replace_positions([each for feeder in built.whole() for each in positions_in(feeder)])


@service.on(Verb.CHANGED, FeederTopology)
async def follow_voltage(message: Message[FeederTopology], work: Work[Store]) -> None:
    """What was built in is in service when its position gets its voltage."""
    topology = message.noun
    news = [each.mrid for each in topology.feeder_change if not each.connectivity_node and not each.switch_state]
    if news:
        now = await work.request(FeederTopology, role="network-operation", ids=news)
        topology = FeederTopology(feeder=now.whole(), feeder_change=topology.feeder_change)
    told = liveness_in(topology)
    if not told:
        return
    await work.store.lock_register()
    await work.store.save_liveness(told)
    nodes = {node for each in told for node in (*each.live, *each.dead)}
    built_in = await work.store.built_in_at(await work.store.positions_on(nodes))
    await tell(work, Verb.CHANGED, await settle(work, [], assets=built_in))


# Condition.


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


@service.on(Verb.CHANGE, AssetHealthEvents)
async def decide_events(message: Message[AssetHealthEvents], work: Work[Store]) -> AssetHealthEvents:
    """A person accepts a risk until a day, finds well what was remedied, or closes what is well."""
    await work.store.lock_register()
    decided = []
    user = message.header.user
    for given in message.noun.asset_health_event:
        event = await find_event(work, given.mrid)
        status = given.status
        if status is None or status.value not in set(AssetHealthState):
            raise Invalid("status/value: a change of a health event says its state", object_id=given.mrid)
        by = status.remark or (None if user is None else user.user_id)
        until = given.accepted_until_date_time
        state = AssetHealthState(status.value or "")
        decided.append(
            await keep_event(work, health_events.decided(event, state, until=until, by=by, now=work.now), Verb.CHANGED)
        )
        if until is not None and state is AssetHealthState.ACCEPTED_RISK:
            work.wake("expire", event.mrid, until)
    return condition.as_events(decided)


@service.on(Verb.GET, AssetHealthEvents)
async def show_events(message: Message[AssetHealthEvents], work: Work[Store]) -> AssetHealthEvents:
    """The health events that are named, by themselves or by their assets, or all that are not over."""
    return condition.as_events(await work.store.health_events(ids_of(message)))


# Upkeep.


@service.on(Verb.CREATE, MaintenancePlans)
async def enter_plans(message: Message[MaintenancePlans], work: Work[Store]) -> MaintenancePlans:
    """A plan brings up its procedure again and again; the same plan again changes nothing."""
    await work.store.lock_register()
    kept = []
    for given in message.noun.maintenance_plan:
        known = await work.store.plan(given.mrid)
        if known is not None and known.digest != digest(given):
            raise Conflict("it is known already and was entered otherwise; retire it", object_id=given.mrid)
        if known is None:
            record = await refer(work, given.asset)
            site = await work.store.site_of(record.core.mrid, work.now)
            new = await dated(work, upkeep.plan_in(given, record.core.mrid, site))
            known = await keep_plan(work, new, Verb.CREATED)
        kept.append(known)
    return upkeep.as_noun(kept)


@service.on(Verb.CHANGE, MaintenancePlans)
async def change_plans(message: Message[MaintenancePlans], work: Work[Store]) -> MaintenancePlans:
    """A plan is suspended, resumed or retired."""
    await work.store.lock_register()
    kept = []
    for given in message.noun.maintenance_plan:
        before = await find_plan(work, given.mrid)
        step = plans.TO[upkeep.wanted_state(given)]
        after = await dated(work, with_plan(before, plans.moved(before.plan, step)))
        kept.append(await keep_plan(work, after, Verb.CHANGED))
    return upkeep.as_noun(kept)


@service.on(Verb.GET, MaintenancePlans)
async def show_plans(message: Message[MaintenancePlans], work: Work[Store]) -> MaintenancePlans:
    """The plans that are named, by themselves or by their assets, or all that are not retired."""
    return upkeep.as_noun(await work.store.plans(ids_of(message)))


@service.on_reply(Verb.CREATE, WorkRequests)
async def hear_of_work(message: Message[WorkRequests], work: Work[Store]) -> None:
    """Work that is refused is asked for again in a day."""
    failure = None if message.reply is None else from_reply(message.reply)
    if failure is None:
        return
    await work.store.lock_register()
    kind, _, mrid = work.about.partition(" ")
    if kind == "event":
        await end_remedy(work, mrid, None, f"work management refused the work: {failure.reason}")
        work.wake("ask-again", mrid, work.now + ASK_AGAIN)
        return
    for kept in await work.store.plans_called(mrid):
        await end_call(work, kept.plan.mrid, None)


# Time.


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


@service.on_wake("expire")
async def end_acceptance(wake: Wake, work: Work[Store]) -> None:
    """A risk is no longer accepted."""
    await work.store.lock_register()
    event = await find_event(work, wake.key)
    if event.until is not None and event.until <= wake.at:
        await ask_for_work(work, health_events.expired(event), Verb.CHANGED)


@service.on_wake("ask-again")
async def ask_again(wake: Wake, work: Work[Store]) -> None:
    """Work that was refused is asked for once more."""
    await work.store.lock_register()
    event = await find_event(work, wake.key)
    if event.needs_work:
        await ask_for_work(work, event, Verb.CHANGED)


@service.on_wake("call")
async def call_plans(wake: Wake, work: Work[Store]) -> None:
    """What is due at a site at about the same time becomes one request for work."""
    await work.store.lock_register()
    kept = await find_plan(work, wake.key)
    if kept.plan.state not in plans.WAITING or kept.plan.due is None:
        return
    at_site = {each.plan.mrid: each for each in await work.store.plans_at(kept.plan.site)}
    together = plans.called_together(kept.plan, [each.plan for each in at_site.values()])
    call, ids = work.new_id(), [work.new_id() for _ in range(len(together) + 1)]
    called = [replace(plans.moved(plan, plans.Step.CALLED), call=call) for plan in together]
    for plan in called:
        await keep_plan(work, with_plan(at_site[plan.mrid], plan), Verb.CHANGED)
    records = await work.store.records({plan.asset for plan in called})
    until = upkeep.morning(min(plan.due for plan in called if plan.due is not None))
    cores = {mrid: record.core for mrid, record in records.items()}
    work.send(Verb.CREATE, orders.work_for_plans(called, cores, work.now, until, ids), about=f"plans {call}")


# Lives.


async def settle(
    work: Work[Store], told: Sequence[Fact], *, binding: bool = False, assets: Iterable[str] = ()
) -> set[str]:
    """Keep what is told of lives; the assets of whom something else is known now. The plans of what is gone end."""
    if not told and not assets:
        return set()
    after, moved = await work.store.settle(told, work.now, binding=binding, assets=assets)
    gone = [asset for asset in sorted(moved) if after.spans[asset] and after.spans[asset][-1].state in GONE]
    for kept in [each for asset in gone for each in await work.store.plans_for(asset)]:
        await keep_plan(work, with_plan(kept, plans.moved(kept.plan, plans.Step.RETIRED)), Verb.CHANGED)
    return moved


async def steps(work: Work[Store], wanted: changes.Change) -> list[Fact]:
    """The facts that a change is, held to what must be there before them."""
    mrid = wanted.core.mrid
    spans = (await work.store.spans([mrid])).get(mrid, [])
    now = next((span for span in spans if span.holds(wanted.at)), None)
    if now is None:
        raise Conflict(f"nothing is known of the asset at {wanted.at.isoformat()}", object_id=mrid)
    facts = changes.facts_of(wanted, now, [work.new_id() for _ in Event])
    commissioned = await work.store.was_tested(mrid, "commissioning", wanted.at)
    media = [(each.name, each.number or 0.0) for each in await work.store.numbers(mrid, changes.MEDIA)]
    changes.refuse_what_is_not_ready(wanted, facts, commissioned=commissioned, open_media=changes.open_media(media))
    return facts


async def tell(work: Work[Store], verb: Verb, mrids: Iterable[str]) -> None:
    """Tell of assets as they are now, one event each; a change counts their revision."""
    ordered = sorted(mrids)
    if not ordered:
        return
    if verb is Verb.CHANGED:
        await work.store.next_revisions(ordered, work.now)
    for asset in await shown(work, ordered, None, work.now):
        work.publish(verb, Assets(asset=(asset,)), key=asset.mrid)


async def shown(work: Work[Store], mrids: Sequence[str], at: datetime | None, known_at: datetime) -> list[Asset]:
    """Assets as they were at an instant, by what was known at another; without one as they are at last."""
    past = None if known_at == work.now else known_at
    records, spans = await work.store.records(mrids, past), await work.store.spans(mrids, past)
    ends = {mrid: at or max(work.now, *(span.starts for span in spans[mrid])) for mrid in records if mrid in spans}
    latest = max(ends.values(), default=work.now)
    locations = await work.store.placements(mrids, latest, known_at)
    others = await work.store.activities(mrids, latest, known_at)
    facts = await work.store.told_facts(mrids, latest, known_at)
    found = (
        assets_view.told(
            records[mrid],
            spans[mrid],
            ends[mrid],
            locations.get(mrid),
            assets_view.records_of(mrid, facts[mrid], others.get(mrid, ())),
        )
        for mrid in mrids
        if mrid in ends
    )
    return [asset for asset in found if asset is not None]


async def receipts(work: Work[Store], mrids: Sequence[str]) -> Assets:
    """What an answer says of assets that were entered or changed."""
    found = await shown(work, list(dict.fromkeys(mrids)), None, work.now)
    return Assets(asset=tuple(map(assets_view.receipt, found)))


async def matching(work: Work[Store], asked: assets_view.Question) -> list[str]:
    """The assets that a question is about."""
    if not asked.ids:
        return await work.store.assets_like(serial=asked.serial, asset_type=asked.asset_type)
    found: dict[str, None] = {}
    for mrid, kind in zip(asked.ids, asked.kinds, strict=True):
        found |= dict.fromkeys(await named(work, mrid, kind, asked.at))
    if asked.serial is None and asked.asset_type is None:
        return list(found)
    return [
        each for each in await work.store.assets_like(serial=asked.serial, asset_type=asked.asset_type) if each in found
    ]


async def named(work: Work[Store], mrid: str, kind: str | None, at: datetime) -> list[str]:
    """The asset of this mRID, or what was at this position or location; where nobody says which, the first that is."""
    if kind in {None, "Asset"} and await work.store.digests([mrid]):
        return [mrid]
    if kind in {None, "PowerSystemResource"} and (
        await work.store.ever_at([mrid]) or await work.store.positions([mrid])
    ):
        return await work.store.assets_at([mrid], at)
    if kind in {None, "Location"} and await work.store.known_locations([mrid]):
        return await work.store.assets_in([mrid], at)
    raise NotFound(f"there is no such {kind or 'asset, position or location'}", object_id=mrid)


async def find(work: Work[Store], mrid: str) -> Record:
    """An asset of the register."""
    record = (await work.store.records([mrid])).get(mrid)
    if record is None:
        raise NotFound("there is no such asset in the register", object_id=mrid)
    return record


async def refer(work: Work[Store], reference: ObjectReference) -> Record:
    """The asset that something is about."""
    if not reference.mrid:
        raise Invalid("Asset/mRID: it is said by its mRID which asset it is about", code=changes.MANDATORY)
    return await find(work, reference.mrid)


# What is known of condition, and what follows.


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


async def raise_events(work: Work[Store], sight: Sight, wrong: Iterable[findings.Finding], cleared: set[str]) -> None:
    """What is wrong joins the event of its code or becomes one; what is well ends it."""
    known = await work.store.open_events(sight.asset)
    for finding in wrong:
        event = known.get(finding.code)
        after = health_events.raised(finding, sight, work.new_id(), work.now)
        if event is not None:
            after = health_events.seen_again(event, finding, sight.at)
        if after != event:
            await ask_for_work(work, after, Verb.CREATED if event is None else Verb.CHANGED)
    for event in (known[code] for code in sorted(cleared & known.keys())):
        after = health_events.seen_well(event, sight.at)
        if after != event:
            await keep_event(work, after, Verb.CHANGED)


async def ask_for_work(work: Work[Store], event: HealthEvent, verb: Verb) -> None:
    """Keep and tell a health event; where it needs work that is asked for, once."""
    if not event.needs_work:
        await keep_event(work, event, verb)
        return
    state = health_events.moved(event.state, health_events.Step.REQUESTED)
    asked = await keep_event(work, replace(event, state=state, work=work.new_id(), note=None), verb)
    core, ids = (await find(work, event.asset)).core, (work.new_id(), work.new_id())
    work.send(Verb.CREATE, orders.work_for_event(asked, core, work.now, ids), about=f"event {event.mrid}")


async def keep_event(work: Work[Store], event: HealthEvent, verb: Verb) -> HealthEvent:
    """Keep and tell a health event."""
    kept = replace(event, revision=event.revision + 1, changed_at=work.now)
    await work.store.save_event(kept)
    work.publish(verb, condition.as_events([kept]), key=kept.mrid)
    return kept


async def end_remedy(work: Work[Store], mrid: str, done_at: datetime | None, why: str) -> None:
    """The work for a health event was done, or will not be."""
    event = await work.store.health_event(mrid)
    if event is None:
        return
    after = health_events.given_up(event, why) if done_at is None else health_events.remedied(event, done_at)
    if after != event:
        await keep_event(work, after, Verb.CHANGED)


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


# What comes again.


async def dated(work: Work[Store], kept: KeptPlan) -> KeptPlan:
    """A plan with its next date, as far as it can be known now."""
    plan = kept.plan
    if plan.state not in plans.WAITING:
        return kept
    counter = [] if plan.counter is None else await work.store.numbers(plan.asset, [plan.counter])
    readings = [plans.Reading(on=each.at.date(), value=each.number or 0.0) for each in counter]
    value = None if plan.threshold is None else await work.store.last_score(plan.asset)
    return with_plan(kept, plans.next_due(plan, readings, value, work.now.date()))


async def keep_plan(work: Work[Store], kept: KeptPlan, verb: Verb) -> KeptPlan:
    """Keep and tell a plan; it is called when its horizon is reached."""
    plan, revision = kept.plan, kept.revision + (verb is Verb.CHANGED)
    told = upkeep.told(replace(kept, revision=revision), work.now)
    await work.store.save_plan(told)
    work.publish(verb, upkeep.as_noun([told]), key=plan.mrid)
    day = plans.call_on(plan)
    if day is None or plan.state not in plans.WAITING:
        work.cancel_wake("call", plan.mrid)
    else:
        work.wake("call", plan.mrid, upkeep.morning(day))
    return told


async def end_call(work: Work[Store], mrid: str, done_at: datetime | None) -> None:
    """The work of a plan was done, or will not be; then it is called again in a day."""
    kept = await work.store.plan(mrid)
    if kept is None or kept.plan.state is not MaintenancePlanState.CALLED:
        return
    plan = kept.plan
    if done_at is None:
        await keep_plan(work, with_plan(kept, replace(plans.moved(plan, plans.Step.GIVEN_UP), call=None)), Verb.CHANGED)
        work.wake("call", mrid, work.now + ASK_AGAIN)
        return
    counter = [] if plan.counter is None else await work.store.numbers(plan.asset, [plan.counter])
    count = max((each.number or 0.0 for each in counter if each.at <= done_at), default=None)
    await keep_plan(work, with_plan(kept, plans.fulfilled(plan, done_at.date(), count)), Verb.CHANGED)


def with_plan(kept: KeptPlan, plan: plans.Plan) -> KeptPlan:
    """What is kept, with other rules."""
    return replace(kept, plan=plan)


async def find_event(work: Work[Store], mrid: str) -> HealthEvent:
    """A health event by its mRID."""
    event = await work.store.health_event(mrid)
    if event is None:
        raise NotFound("there is no such health event", object_id=mrid)
    return event


async def find_plan(work: Work[Store], mrid: str) -> KeptPlan:
    """A plan by its mRID."""
    kept = await work.store.plan(mrid)
    if kept is None:
        raise NotFound("there is no such maintenance plan", object_id=mrid)
    return kept


# Questions.


def ids_of(message: Message[Any]) -> list[str]:
    """The mRIDs that a request names."""
    return [] if message.request is None else [each.value for each in message.request.id]


def period_of(message: Message[Any]) -> tuple[datetime | None, datetime | None]:
    """The time that a request names."""
    request = message.request
    return (None, None) if request is None else (request.start_time, request.end_time)


def references(types: Iterable[CatalogAssetType]) -> AssetCatalogue:
    """What an answer says of types that were entered or changed."""
    return AssetCatalogue(catalog_asset_type=tuple(CatalogAssetType(mrid=each.mrid) for each in types))
