"""Assets: entered and changed, and what others tell of their lives."""

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime, timedelta

from contracts.errors import Conflict, NotFound, from_reply
from contracts.message import Message
from contracts.nouns.assets import Assets
from contracts.nouns.feeder_topology import FeederTopology
from contracts.nouns.maintenance_orders import MaintenanceOrders
from contracts.nouns.network_models import ModelStatusKind, NetworkModels
from contracts.nouns.unplanned_outages import UnplannedOutages
from contracts.nouns.work_requests import WorkRequests
from contracts.verbs import Verb
from services.asset_management.domain import changes, plans
from services.asset_management.domain.history import Fact
from services.asset_management.domain.lifecycle import GONE, Event
from services.asset_management.domain.places import liveness_in, positions_in
from services.asset_management.domain.records import Entry
from services.asset_management.service.declared import service
from services.asset_management.service.health import end_remedy
from services.asset_management.service.plans import ASK_AGAIN, end_call, keep_plan, with_plan
from services.asset_management.service.register import PART, find, receipts, shown, tell
from services.asset_management.store import Store
from services.asset_management.views import assets as assets_view
from services.asset_management.views import orders
from services.asset_management.views.digests import digest
from shared.work import Work

SETTLED = timedelta(minutes=1)
"""So long after the last new asset the fleet is scored."""


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


@service.on(Verb.CLOSED, UnplannedOutages)
async def follow_outages(message: Message[UnplannedOutages], work: Work[Store]) -> None:
    """The devices that opened have operated on a fault."""
    done = [each for outage in message.noun.unplanned_outage for each in orders.operations_in(outage, work.now)]
    await work.store.save_activities(done, work.now)


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
