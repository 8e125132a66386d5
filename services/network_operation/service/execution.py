"""Plans as they are carried out: step after step, each by whom it is for."""

from datetime import datetime

from msgspec.structs import replace

from contracts.errors import from_reply
from contracts.message import Message
from contracts.nouns.controls import Controls
from contracts.nouns.operational_tags import OperationalTags
from contracts.nouns.switching_plans import SwitchingPlan, SwitchingPlans, SwitchingStepState
from contracts.types import Status
from contracts.verbs import Verb
from services.network_operation.domain import tags
from services.network_operation.domain.acts import PAPERWORK, Act, ActKind, act_of
from services.network_operation.domain.alarms import conditions
from services.network_operation.domain.alarms.conditions import Scope
from services.network_operation.domain.execution import (
    Decision,
    begun,
    commanded,
    confirmed,
    decided,
    in_place,
    instruction,
    is_under_way,
    placed_by,
    settled,
    stopped,
)
from services.network_operation.domain.figures import FiguresOf
from services.network_operation.domain.paperwork import filed
from services.network_operation.domain.situation import Situation
from services.network_operation.domain.steps import (
    StepKey,
    awaited,
    crew_part,
    due,
    ready,
    step_state,
    steps,
    with_step,
)
from services.network_operation.service.alarms import judge
from services.network_operation.service.clearances import save_clearance
from services.network_operation.service.declared import service
from services.network_operation.service.power_flow import follow_loads, with_figures
from services.network_operation.service.topology import keep_network
from services.network_operation.store import Store
from shared.work import Wake, Work


@service.on_reply(Verb.CREATE, Controls)
async def hear_of_command(message: Message[Controls], work: Work[Store]) -> None:
    """A command that failed leaves its step pending; one that was taken proves nothing, only the field does."""
    failure = None if message.reply is None else from_reply(message.reply)
    if failure is not None:
        await stop(StepKey.parse(work.about), SwitchingStepState.PENDING, failure.reason, work)


@service.on_wake("step")
async def give_up(wake: Wake, work: Work[Store]) -> None:
    """Of a step that nobody confirmed in time it is not known what became of it."""
    await stop(StepKey.parse(wake.payload), SwitchingStepState.PENDING, "no confirmation in time", work)


@service.on_wake("plan")
async def begin_in_time(wake: Wake, work: Work[Store]) -> None:
    """The planned time of a step has come."""
    await work.store.lock_network()
    plan = await work.store.plan(wake.key)
    if plan is not None:
        await carry_on(plan, work)


async def carry_on(plan: SwitchingPlan, work: Work[Store]) -> SwitchingPlan:
    """Begin every step that may begin now; then the plan waits, or is over."""
    while (key := ready(plan, work.now)) is not None:
        plan = await begin(plan, key, work)
    later = due(plan)
    if later is None:
        work.cancel_wake("plan", plan.mrid)
    else:
        work.wake("plan", plan.mrid, later)
    plan = settled(plan, placed_by(plan) & in_place(await work.store.situation(plan.mrid)), work.now)
    await keep(plan, work)
    return plan


async def begin(plan: SwitchingPlan, key: StepKey, work: Work[Store]) -> SwitchingPlan:
    """Let the rules judge a step in the situation of this moment, and have it carried out."""
    known = await work.store.known_plan(plan.mrid)
    situation = await work.store.situation(plan.mrid)
    basis = None if known is None else known.basis

    def decide(figures: FiguresOf) -> Decision:
        return decided(plan, key, replace(situation, figures=figures), basis)

    step = await with_figures(decide, work)
    plan = begun(plan, work.now)
    if step.act is None or step.refusal is not None:
        return stopped(plan, key, SwitchingStepState.FAILED, step.refusal or "it says nothing", work.now)
    if step.is_done:
        return with_step(plan, key, SwitchingStepState.PREVIOUSLY_COMPLETED, work.now)
    plan = with_step(plan, key, SwitchingStepState.INSTRUCTED, work.now)
    if step.own:
        refusal = await take_effect(step.act, plan, situation, work)
        if refusal is not None:
            return stopped(plan, key, SwitchingStepState.FAILED, refusal, work.now)
        return confirmed(plan, key, work.now)
    told = instruction(key, step.act, remote=step.remote, at=work.now)
    if told.controls is not None:
        work.send(Verb.CREATE, told.controls, about=str(key))
    else:
        work.send(Verb.EXECUTE, crew_part(plan, key), about=str(key))
    work.wake("step", str(key), told.until, str(key))
    return plan


async def finish(key: StepKey, at: datetime, work: Work[Store]) -> None:
    """A crew has done what no measurement shows."""
    await work.store.lock_network()
    plan = await work.store.plan(key.plan)
    if plan is None or key not in awaited(plan):
        return
    situation = await work.store.situation(plan.mrid)
    act = act_of(steps(plan)[key.number].action, str(key), plan.mrid, situation.grid)
    refusal = await take_effect(act, plan, situation, work)
    if refusal is None:
        await confirm(plan, key, at, work)
    else:
        await stop(key, SwitchingStepState.FAILED, refusal, work)


async def take_effect(act: Act, plan: SwitchingPlan, situation: Situation, work: Work[Store]) -> str | None:
    """Keep what an act has changed besides the positions of switches; the reason, if it cannot be."""
    if act.kind in {ActKind.PLACE, ActKind.REMOVE}:
        await rewire(act, work)
        return None
    if act.kind is ActKind.TEST:
        proofs = situation.after(act).proofs
        if proofs == situation.proofs:
            return "the section is not known to be dead"
        await work.store.keep_proofs(proofs)
    if act.kind not in PAPERWORK:
        return None
    paper = filed(act, plan, situation, Status(date_time=work.now))
    if paper.tag is not None:
        verb = Verb.CREATED if await work.store.tag(paper.tag.mrid) is None else Verb.CHANGED
        await work.store.save_tag(paper.tag)
        work.publish(verb, OperationalTags(operational_tag=(paper.tag,)), key=tags.device_of(paper.tag))
        await judge(conditions.about_tag(paper.tag, situation.grid), work)
    if paper.clearance is not None:
        await save_clearance(Verb.CHANGED, paper.clearance, work)
    return paper.refusal


async def rewire(act: Act, work: Work[Store]) -> None:
    """Put a temporary object into the live network, or take it out."""
    live = await work.store.lock_network()
    if act.temporary is not None:
        await work.store.place(act.temporary)
        after = live.with_temporary(act.temporary, work.now, work.new_id())
    else:
        await work.store.remove(act.device)
        after = live.without_temporary(act.device, work.now, work.new_id())
    await keep_network(after, (after.news(mrid) for mrid in after.since(live)), work)
    await judge(Scope(everything=True), work)
    await follow_loads(after, work.now, work)


async def confirm(plan: SwitchingPlan, key: StepKey, at: datetime, work: Work[Store]) -> None:
    """A step was carried out; its plan goes on."""
    work.cancel_wake("step", str(key))
    await carry_on(confirmed(plan, key, at), work)


async def stop(key: StepKey, to: SwitchingStepState, reason: str, work: Work[Store]) -> None:
    """Something went wrong with a step, and with a device that has not obeyed; nothing when it is awaited no more."""
    live = await work.store.lock_network()
    plan = await work.store.plan(key.plan)
    if plan is not None and key in awaited(plan) and step_state(steps(plan)[key.number]) is not to:
        work.cancel_wake("step", str(key))
        await keep(stopped(plan, key, to, reason, work.now), work)
        device = commanded(plan, key, live.grid)
        if device is not None:
            await judge(Scope(failed=(conditions.command_failed(device, reason, live.grid, work.now),)), work)


async def keep(plan: SwitchingPlan, work: Work[Store]) -> None:
    """Save a plan and tell how it stands, if that is news."""
    if await work.store.plan(plan.mrid) != plan:
        await work.store.save_plan(plan)
        verb = Verb.CHANGED if is_under_way(plan) else Verb.CLOSED
        work.publish(verb, SwitchingPlans(switching_plan=(plan,)), key=plan.mrid)
