"""Switching plans: taken when the rules allow them, changed, shown."""

from msgspec.structs import replace

from contracts.errors import Conflict, NotFound
from contracts.message import Message
from contracts.nouns.switching_plans import SwitchingPlan, SwitchingPlans
from contracts.nouns.unplanned_outages import UnplannedOutages
from contracts.verbs import Verb
from services.network_operation.domain.execution import is_under_way, the_plan
from services.network_operation.domain.people import speaker
from services.network_operation.domain.plans import Moved, Wish, moved, taken
from services.network_operation.domain.steps import awaited
from services.network_operation.service.declared import service
from services.network_operation.service.execution import carry_on
from services.network_operation.service.power_flow import with_figures
from services.network_operation.store import Store
from shared.work import Work


@service.on(Verb.CREATE, SwitchingPlans)
async def take_plan(message: Message[SwitchingPlans], work: Work[Store]) -> SwitchingPlans:
    """A draft is kept; any other plan is an emergency: if the rules let it, its first step is instructed at once."""
    plan = the_plan(message.noun)
    await ask_about_outage(plan, work)
    await work.store.lock_network()
    if await work.store.plan(plan.mrid) is not None:
        raise Conflict("there is a plan with this mRID already", object_id=plan.mrid)
    person = speaker(message.header, work.principal)
    situation = await work.store.situation(plan.mrid)
    new = await with_figures(lambda figures: taken(plan, person, replace(situation, figures=figures), work.now), work)
    return SwitchingPlans(switching_plan=(await move_on(Verb.CREATED, new, work),))


@service.on(Verb.CHANGE, SwitchingPlans)
async def change_plan(message: Message[SwitchingPlans], work: Work[Store]) -> SwitchingPlans:
    """A person moves a plan on. Where its issue is refused, the plan that comes back is a draft and says why."""
    asked = the_plan(message.noun)
    known = await work.store.known_plan(asked.mrid)
    if known is None:
        raise NotFound("there is no such plan", object_id=asked.mrid)
    await ask_about_outage(known.plan, work)
    await work.store.lock_network()
    wish = Wish(
        asked=asked,
        person=speaker(message.header, work.principal),
        situation=await work.store.situation(asked.mrid),
        at=work.now,
        others=await work.store.plans_under_way(),
    )
    before = await work.store.known_plan(asked.mrid) or known
    new = await with_figures(lambda figures: moved(before, wish.with_figures(figures)), work)
    for key in set(awaited(known.plan)) - set(awaited(new.plan)):
        work.cancel_wake("step", str(key))
    verb = Verb.CHANGED if is_under_way(new.plan) else Verb.CLOSED
    return SwitchingPlans(switching_plan=(await move_on(verb, new, work),))


@service.on(Verb.GET, SwitchingPlans)
async def tell_plans(message: Message[SwitchingPlans], work: Work[Store]) -> SwitchingPlans:
    """The plans named, whatever became of them; else all that are under way."""
    if message.request is None or not message.request.id:
        return SwitchingPlans(switching_plan=await work.store.plans_under_way())
    told = []
    for wanted in message.request.id:
        plan = await work.store.plan(wanted.value)
        if plan is None:
            raise NotFound("there is no such plan", object_id=wanted.value)
        told.append(plan)
    return SwitchingPlans(switching_plan=tuple(told))


async def move_on(verb: Verb, new: Moved, work: Work[Store]) -> SwitchingPlan:
    """Keep a plan in its new state with what it was checked against, tell it, and carry it on."""
    await work.store.save_plan(new.plan)
    await work.store.save_basis(new.plan.mrid, new.basis)
    work.publish(verb, SwitchingPlans(switching_plan=(new.plan,)), key=new.plan.mrid)
    return await carry_on(new.plan, work)


async def ask_about_outage(plan: SwitchingPlan, work: Work[Store]) -> None:
    """Learn how the outage stands that a plan is about, since the word of it may be slower than the plan."""
    if plan.outage is not None and plan.outage.mrid is not None:
        told = await work.request(UnplannedOutages, ids=[plan.outage.mrid])
        for outage in told.unplanned_outage:
            await work.store.save_outage(outage)
