"""Upkeep that comes again: entered, called when it is due, done."""

from datetime import datetime, timedelta

from msgspec.structs import replace

from contracts.errors import Conflict, NotFound
from contracts.message import Message
from contracts.nouns.maintenance_plans import MaintenancePlans, MaintenancePlanState
from contracts.verbs import Verb
from services.asset_management.domain import plans
from services.asset_management.domain.records import KeptPlan
from services.asset_management.service.declared import service
from services.asset_management.service.register import ids_of, refer
from services.asset_management.store import Store
from services.asset_management.views import orders, upkeep
from services.asset_management.views.digests import digest
from shared.work import Wake, Work

ASK_AGAIN = timedelta(days=1)
"""After this work that was refused is asked for once more."""


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


async def find_plan(work: Work[Store], mrid: str) -> KeptPlan:
    """A plan by its mRID."""
    kept = await work.store.plan(mrid)
    if kept is None:
        raise NotFound("there is no such maintenance plan", object_id=mrid)
    return kept
