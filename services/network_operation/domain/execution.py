"""How a plan is carried out: what a step does to it, how it stops and how it ends.

A plan for which a person answers stops at a step that went wrong and waits for that person. A plan of automation gives
up there: it is aborted, and nothing more of it is switched.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from contracts.errors import Invalid
from contracts.nouns.controls import Command, Controls
from contracts.nouns.measurements import MeasurementType, SwitchPosition
from contracts.nouns.switching_events import SwitchingEvent, SwitchingEventType
from contracts.nouns.switching_plans import (
    CutAction,
    GroundAction,
    JumperAction,
    OperationalTag,
    SwitchAction,
    SwitchActionKind,
    SwitchingAction,
    SwitchingPlan,
    SwitchingPlans,
    SwitchingPlanState,
    SwitchingStep,
    SwitchingStepGroup,
    SwitchingStepState,
    TagAction,
    TagActionKind,
    TempEquipActionKind,
    VerificationAction,
)
from contracts.types import ObjectReference, Status
from services.network_operation.domain.acts import PAPERWORK, Act, ActKind, act_of
from services.network_operation.domain.grid import Grid
from services.network_operation.domain.positions import Position
from services.network_operation.domain.rules.move import Basis
from services.network_operation.domain.situation import Situation
from services.network_operation.domain.steps import (
    ENDED,
    StepKey,
    awaited,
    described,
    has_crew,
    makes_safe,
    position_after,
    state,
    step_state,
    steps,
    with_step,
)
from services.network_operation.domain.study import Wanted, forbidding, foreseen, is_done, is_remote
from services.network_operation.domain.tags import in_force

P = SwitchingPlanState
T = SwitchingStepState

REMOTE_LIMIT = timedelta(seconds=30)
"""How long a commanded switch may take to report its new position."""

MANUAL_LIMIT = timedelta(hours=2)
"""How long a crew may take to go to a place and do there what it is told."""

OVER = frozenset({P.COMPLETED, P.CANCELLED, P.ABORTED})
"""Nothing more is switched by these, unless a person makes an aborted plan safe."""


class Instruction(Struct, frozen=True, kw_only=True):
    """A step that is to be carried out now: by remote control, or else by a crew."""

    key: StepKey
    controls: Controls | None
    until: datetime


def the_plan(plans: SwitchingPlans) -> SwitchingPlan:
    """The one plan of a request.

    Raises:
        Invalid: there is none, or there are several.
    """
    if len(plans.switching_plan) != 1:
        raise Invalid(f"SwitchingPlans: {len(plans.switching_plan)} plans in one request; one is taken at a time")
    return plans.switching_plan[0]


def is_under_way(plan: SwitchingPlan) -> bool:
    """True until the plan has ended."""
    return state(plan) not in OVER


def by_person(plan: SwitchingPlan) -> bool:
    """True when a person answers for the execution of a plan."""
    return plan.issuer is not None


def instruction(key: StepKey, act: Act, *, remote: bool, at: datetime) -> Instruction:
    """Who is told what about a step, and until when an answer is awaited."""
    controls = command(act) if remote else None
    return Instruction(key=key, controls=controls, until=at + (REMOTE_LIMIT if remote else MANUAL_LIMIT))


def command(act: Act) -> Controls:
    """What remote control is told: a position, or whether a device may close again by itself."""
    is_position = act.kind in {ActKind.OPEN, ActKind.CLOSE}
    position = SwitchPosition.OPEN if act.kind is ActKind.OPEN else SwitchPosition.CLOSED
    told = Command(
        control_type=MeasurementType.SWITCH_POSITION if is_position else MeasurementType.RECLOSING_ENABLED,
        value=int(position) if is_position else int(act.kind is ActKind.ENABLE_RECLOSING),
        power_system_resource=ObjectReference(mrid=act.device),
    )
    return Controls(command=(told,))


class Decision(Struct, frozen=True, kw_only=True):
    """What becomes of a step now: refused with a reason, done already, or to be carried out by ``act``.

    ``own`` is what network operation does by itself, ``remote`` what telecontrol does; a crew does all the rest.
    """

    act: Act | None = None
    is_done: bool = False
    own: bool = False
    refusal: str | None = None
    remote: bool = False


def decided(plan: SwitchingPlan, key: StepKey, situation: Situation, basis: Basis | None) -> Decision:
    """What becomes of a step in this situation, and whatever becomes of the steps that run at the same time."""
    situation = replace(situation, verified=_verified(plan))
    action = steps(plan)[key.number].action
    try:
        act = act_of(action, str(key), plan.mrid, situation.grid)
    except Invalid as refused:
        return Decision(refusal=refused.reason)
    remote = is_remote(act, situation.grid) and not has_crew(action)
    wanted = (Wanted(number=key.number + 1, act=act, remote=remote),)
    refusals = []
    for each in (situation, _with_awaited(plan, key, situation)):
        series, _ = foreseen(wanted, each, by_person=by_person(plan), basis=basis, plan=plan.mrid)
        refusals += [str(found) for _, found in forbidding(series, plan.rule_override, by_person=by_person(plan))]
    if refusals:
        return Decision(act=act, refusal="; ".join(dict.fromkeys(refusals)))
    if is_done(act, situation):
        return Decision(act=act, is_done=True)
    return Decision(act=act, own=act.kind in PAPERWORK and not has_crew(action), remote=remote)


def next_state(
    plan: SwitchingPlan, to: SwitchingPlanState, at: datetime, reason: str | None = None, *, remark: str | None = None
) -> SwitchingPlan:
    """The plan in another state, one revision further."""
    return replace(
        plan,
        last_modified_date_time=at,
        revision_number=(plan.revision_number or 0) + 1,
        status=Status(date_time=at, reason=reason, remark=remark, value=to),
    )


def begun(plan: SwitchingPlan, at: datetime) -> SwitchingPlan:
    """The plan once something of it was instructed; an aborted one stays that."""
    return plan if state(plan) is P.ABORTED else next_state(plan, P.IN_PROGRESS, at)


def stopped(plan: SwitchingPlan, key: StepKey, to: SwitchingStepState, reason: str, at: datetime) -> SwitchingPlan:
    """The plan after a step went wrong: a person decides how it goes on, and automation gives up at once."""
    said = f"{described(steps(plan)[key.number], key.number)}: {reason}"
    plan = with_step(plan, key, to, at, reason)
    if by_person(plan):
        return next_state(plan, state(plan), at, said)
    return aborted(plan, at, said)


def aborted(plan: SwitchingPlan, at: datetime, reason: str) -> SwitchingPlan:
    """The plan given up: what was not begun will not be; what was instructed is pending until the field says more."""
    for number, step in enumerate(steps(plan)):
        key = StepKey(plan=plan.mrid, number=number)
        if step_state(step) is None:
            plan = with_step(plan, key, T.ABORTED, at)
        elif step_state(step) is T.INSTRUCTED:
            plan = with_step(plan, key, T.PENDING, at, "the plan was aborted")
    return next_state(plan, P.ABORTED, at, reason)


def is_disturbed(plan: SwitchingPlan, basis: Basis | None, event: SwitchingEvent) -> bool:
    """True when protection opens something in the feeders of a sequence of automation that is not at its end.

    What happened before the plan was made is known to who made it.
    """
    if event.type != SwitchingEventType.TRIP or by_person(plan) or state(plan) not in {P.ISSUED, P.IN_PROGRESS}:
        return False
    is_later = plan.created_date_time is not None and event.created_date_time > plan.created_date_time
    goes_on = any(step_state(step) is None for step in steps(plan))
    return is_later and goes_on and basis is not None and event.operated_switch.mrid in basis.standing


def settled(plan: SwitchingPlan, left_behind: Iterable[str], at: datetime) -> SwitchingPlan:
    """The plan completed if all its steps are done and nothing that it placed is left, else as it is.

    An aborted plan is completed by its steps that make it safe, never by having none.
    """
    left = sorted(left_behind)
    made_safe = [step for group in plan.switching_step_groups if makes_safe(group) for step in group.switching_step]
    counted = steps(plan) if state(plan) is not P.ABORTED else tuple(made_safe)
    done = bool(counted) and all(step_state(step) in ENDED - {T.FAILED} for step in counted)
    if not done or state(plan) not in {P.ISSUED, P.IN_PROGRESS, P.ABORTED} or awaited(plan):
        return plan
    if left:
        reason = f"all steps are done; still in place: {', '.join(left)}"
        is_said = plan.status is not None and plan.status.reason == reason
        return plan if is_said else next_state(plan, state(plan), at, reason)
    return next_state(plan, P.COMPLETED, at)


def confirmed(plan: SwitchingPlan, key: StepKey, at: datetime) -> SwitchingPlan:
    """The plan after an awaited step was seen to be carried out, ``at`` the time of the operation."""
    plan = with_step(plan, key, T.COMPLETED, at)
    return replace(plan, last_modified_date_time=at, revision_number=(plan.revision_number or 0) + 1)


def placed_by(plan: SwitchingPlan) -> frozenset[str]:
    """The mRIDs of what the steps of a plan place: tags and temporary objects."""
    return frozenset(
        _reference(step.action) or f"{plan.mrid}/{number}"
        for number, step in enumerate(steps(plan))
        if _places(step.action)
    )


def waiting_for(position: Position, plans: Iterable[SwitchingPlan]) -> tuple[SwitchingPlan, StepKey] | None:
    """The one step that a position completes; an operation completes no more than one."""
    keys = ((plan, key) for plan in plans for key in awaited(plan))
    wanted = (position.device, position.open)
    return next(
        (
            each
            for each in keys
            if (after := position_after(*each, position.at)) is not None and (after.device, after.open) == wanted
        ),
        None,
    )


def is_of_plan(event: SwitchingEvent) -> bool:
    """True for an operation that somebody carried out for a plan, by his word."""
    return event.switching_plan is not None


def is_outside_of_plans(event: SwitchingEvent) -> bool:
    """True for an operation by people that no plan asked for; what protection does is none."""
    is_operation = event.kind is not None and event.type == SwitchingEventType.REPORTED
    return is_operation and not is_of_plan(event)


def log_of(event: SwitchingEvent) -> str:
    """The mRID of the log to which an operation belongs: that of its day (UTC)."""
    return f"miscellaneous-{event.created_date_time.date().isoformat()}"


def miscellaneous(log: SwitchingPlan | None, event: SwitchingEvent, at: datetime) -> SwitchingPlan:
    """The log of what was switched outside of plans with one more operation, in the order of their times."""
    if log is None:
        log = SwitchingPlan(
            mrid=log_of(event), created_date_time=at, purpose="Switched outside of any plan", revision_number=0
        )
    action = SwitchAction(
        kind=event.kind or SwitchActionKind.OPEN,
        executed_date_time=event.created_date_time,
        operated_switch=event.operated_switch,
    )
    status = Status(date_time=event.created_date_time, value=T.COMPLETED)
    done = [*steps(log), SwitchingStep(sequence_number=0, status=status, switch_action=action)]
    done.sort(key=_time_and_device)
    numbered = tuple(replace(step, sequence_number=number) for number, step in enumerate(done, start=1))
    group = SwitchingStepGroup(sequence_number=1, switching_step=numbered)
    return next_state(replace(log, switching_step_groups=(group,)), P.COMPLETED, at)


def in_place(situation: Situation) -> frozenset[str]:
    """The mRIDs of all tags and temporary objects."""
    return frozenset(tag.mrid for tag in situation.tags if in_force(tag)) | {
        each.mrid for each in situation.temporaries
    }


def _time_and_device(step: SwitchingStep) -> tuple[datetime, str]:
    action = step.switch_action
    if action is None or action.executed_date_time is None:
        raise ValueError("what is in the log was executed")
    return action.executed_date_time, action.operated_switch.mrid or ""


def _places(action: SwitchingAction) -> bool:
    match action:
        case TagAction(kind=TagActionKind.PLACE):
            return True
        case GroundAction() | JumperAction() | CutAction():
            return action.kind is TempEquipActionKind.PLACE
    return False


def _reference(action: SwitchingAction) -> str | None:
    match action:
        case TagAction(operational_tag=OperationalTag(mrid=mrid)):
            return mrid
        case (
            GroundAction(ground=ObjectReference(mrid=mrid))
            | JumperAction(jumper=ObjectReference(mrid=mrid))
            | CutAction(cut=ObjectReference(mrid=mrid))
        ):
            return mrid
    return None


def _verified(plan: SwitchingPlan) -> frozenset[str]:
    """What crews have looked at for this plan."""
    return frozenset(
        action.power_system_resource.mrid or ""
        for step in steps(plan)
        if isinstance(action := step.action, VerificationAction)
        and action.power_system_resource is not None
        and step_state(step) is T.COMPLETED
    )


def _with_awaited(plan: SwitchingPlan, key: StepKey, situation: Situation) -> Situation:
    """The situation once everything is carried out that is under way beside a step."""
    for other in awaited(plan):
        if other != key:
            try:
                act = act_of(steps(plan)[other.number].action, str(other), plan.mrid, situation.grid)
            except Invalid:
                continue
            situation = situation.after(act)
    return situation


def commanded(plan: SwitchingPlan, key: StepKey, grid: Grid) -> str | None:
    """The device that telecontrol was told to operate by a step; None where a crew was, or nobody."""
    action = steps(plan)[key.number].action
    if not isinstance(action, SwitchAction) or has_crew(action):
        return None
    switch = grid.get(action.operated_switch.mrid or "")
    return None if switch is None or not switch.remotely_operable else switch.mrid
