"""The steps of a plan: in which order, how far each is, and which one comes next.

A step without a status has not begun. INSTRUCTED awaits its confirmation; PENDING was instructed, and an error or the
lack of an answer leaves open what became of it, so that only the field or a person ends it. Steps run one after the
other; steps that stand side by side and are marked as free run at the same time. A step with a planned time waits for
it. After a failed or a pending step nothing begins until a person says so.
"""

from collections.abc import Iterator
from datetime import datetime
from itertools import count, groupby

from msgspec import Struct
from msgspec.structs import replace

from contracts.errors import Invalid
from contracts.nouns.switching_plans import (
    SwitchAction,
    SwitchActionKind,
    SwitchingAction,
    SwitchingPlan,
    SwitchingPlans,
    SwitchingPlanState,
    SwitchingStep,
    SwitchingStepGroup,
    SwitchingStepState,
)
from contracts.types import ObjectReference, Status
from services.network_operation.domain.positions import Position, Teller
from services.network_operation.domain.reclosing import Reclosing

T = SwitchingStepState

MAKE_SAFE = "MAKE_SAFE"
"""The status of a group of steps that makes an aborted plan safe."""

DONE = frozenset({T.COMPLETED, T.PREVIOUSLY_COMPLETED, T.DELETED})
"""After these the next step may begin."""

ENDED = DONE | {T.FAILED, T.ABORTED}
"""Nothing more becomes of these."""

AWAITED = frozenset({T.INSTRUCTED, T.PENDING})
"""What these want may still happen in the field."""

EXECUTING = frozenset({SwitchingPlanState.ISSUED, SwitchingPlanState.IN_PROGRESS, SwitchingPlanState.ABORTED})

_FIELDS = (
    "clearance_action",
    "cut_action",
    "energy_source_action",
    "generic_action",
    "ground_action",
    "jumper_action",
    "switch_action",
    "tag_action",
    "verification_action",
)


class StepKey(Struct, frozen=True, kw_only=True):
    """A step of a plan, counted from 0 in the order of execution; as text ``<plan>/<number>``."""

    plan: str
    number: int

    def __str__(self) -> str:
        return f"{self.plan}/{self.number}"

    @classmethod
    def parse(cls, text: str) -> "StepKey":
        """The key that was written as ``text``."""
        plan, _, number = text.rpartition("/")
        return cls(plan=plan, number=int(number))


def state(plan: SwitchingPlan) -> SwitchingPlanState:
    """Where the plan is in its life.

    Raises:
        Invalid: it says something that is no state.
    """
    value = plan.status.value if plan.status and plan.status.value else SwitchingPlanState.DRAFT
    if value not in set(SwitchingPlanState):
        raise Invalid(f"'{value}' is no state of a plan", object_id=plan.mrid)
    return SwitchingPlanState(value)


def steps(plan: SwitchingPlan) -> tuple[SwitchingStep, ...]:
    """All steps in the order in which they stand."""
    return tuple(step for group in plan.switching_step_groups for step in group.switching_step)


def step_state(step: SwitchingStep) -> SwitchingStepState | None:
    """How far a step is; None before it begins."""
    return None if step.status is None or step.status.value is None else T(step.status.value)


def ordered(plan: SwitchingPlan) -> SwitchingPlan:
    """The plan in the order of execution, with nothing executed yet."""
    groups = tuple(
        replace(group, switching_step=tuple(map(_fresh, sorted(group.switching_step, key=_place))))
        for group in sorted(plan.switching_step_groups, key=lambda group: group.sequence_number)
    )
    return replace(plan, switching_step_groups=groups)


def ready(plan: SwitchingPlan, at: datetime) -> StepKey | None:
    """The step that may begin now; None when there is none, or when a person has to decide first."""
    return next((StepKey(plan=plan.mrid, number=number) for number, due in _candidates(plan) if due <= at), None)


def due(plan: SwitchingPlan) -> datetime | None:
    """When the next step may begin that waits for its planned time alone."""
    return min((each for _, each in _candidates(plan)), default=None)


def awaited(plan: SwitchingPlan) -> tuple[StepKey, ...]:
    """The steps that were instructed and may still be carried out."""
    return tuple(
        StepKey(plan=plan.mrid, number=number) for number, step in enumerate(steps(plan)) if step_state(step) in AWAITED
    )


def is_open(plan: SwitchingPlan) -> bool:
    """True while a step of the plan is not ended."""
    return any(step_state(step) not in ENDED for step in steps(plan))


def is_stopped(plan: SwitchingPlan) -> bool:
    """True when a failed or a pending step waits for a person's decision."""
    return any(step_state(step) in {T.FAILED, T.PENDING} for step in _current(plan))


def with_step(
    plan: SwitchingPlan, key: StepKey, to: SwitchingStepState | None, at: datetime, reason: str | None = None
) -> SwitchingPlan:
    """The plan with a step in another state; its action gets the times of issue and execution."""
    step = steps(plan)[key.number]
    action = step.action
    if to is None:
        action = replace(action, issued_date_time=None, executed_date_time=None)
    elif to is T.INSTRUCTED:
        action = replace(action, issued_date_time=at)
    elif to in {T.COMPLETED, T.PREVIOUSLY_COMPLETED}:
        action = replace(action, executed_date_time=at)
    status = None if to is None else Status(date_time=at, reason=reason, value=to)
    return _put(plan, key.number, replace(_with_action(step, action), status=status))


def position_after(plan: SwitchingPlan, key: StepKey, at: datetime) -> Position | None:
    """Where the switch of a step stands by the word of a crew that carried it out; None when it moves no switch."""
    action = steps(plan)[key.number].switch_action
    if action is None or action.kind not in {SwitchActionKind.OPEN, SwitchActionKind.CLOSE}:
        return None
    opens = action.kind is SwitchActionKind.OPEN
    return Position(device=action.operated_switch.mrid or "", open=opens, at=at, teller=Teller.CREW)


def reclosing_after(plan: SwitchingPlan, key: StepKey, at: datetime) -> Reclosing | None:
    """What becomes of the reclosing of a device by a step, ``at`` that time; None when it is about something else."""
    action = steps(plan)[key.number].switch_action
    if action is None or action.kind in {SwitchActionKind.OPEN, SwitchActionKind.CLOSE}:
        return None
    return Reclosing(
        device=action.operated_switch.mrid or "", enabled=action.kind is SwitchActionKind.ENABLE_RECLOSING, at=at
    )


def switched_devices(plan: SwitchingPlan) -> frozenset[str]:
    """The switches of the steps that are not ended."""
    return frozenset(
        step.switch_action.operated_switch.mrid or ""
        for step in steps(plan)
        if step.switch_action is not None and step_state(step) not in ENDED
    )


def coming_devices(plan: SwitchingPlan) -> frozenset[str]:
    """The switches that a plan is executing, or about to."""
    if state(plan) is SwitchingPlanState.ABORTED:
        return frozenset(
            step.switch_action.operated_switch.mrid or ""
            for step in _current(plan)
            if step.switch_action is not None and step_state(step) not in ENDED
        )
    return switched_devices(plan) if state(plan) in EXECUTING else frozenset()


def has_crew(action: SwitchingAction) -> bool:
    """True when a crew is named for an action."""
    return bool(action.crew)


def crew_part(plan: SwitchingPlan, key: StepKey) -> SwitchingPlans:
    """The plan with nothing in it but the one step that a crew shall carry out; a ground has the name that it gets."""
    numbers = count()
    groups = tuple(
        replace(
            group,
            switching_step=tuple(_named(step, key) for step in group.switching_step if next(numbers) == key.number),
        )
        for group in plan.switching_step_groups
    )
    part = replace(plan, switching_step_groups=tuple(group for group in groups if group.switching_step))
    return SwitchingPlans(switching_plan=(part,))


def _named(step: SwitchingStep, key: StepKey) -> SwitchingStep:
    ground = step.ground_action
    if ground is None or (ground.ground is not None and ground.ground.mrid is not None):
        return step
    return replace(step, ground_action=replace(ground, ground=ObjectReference(mrid=str(key))))


def executed_at(plans: SwitchingPlans | None) -> datetime | None:
    """The time at which a crew says that it carried out its step, if it says so."""
    if plans is None:
        return None
    times = (step.action.executed_date_time for plan in plans.switching_plan for step in steps(plan))
    return next((time for time in times if time is not None), None)


def described(step: SwitchingStep, number: int) -> str:
    """A step as people speak of it."""
    action = step.action
    about = action.operated_switch.mrid if isinstance(action, SwitchAction) else type(action).__name__
    return f"step {number + 1} ({about})"


def _candidates(plan: SwitchingPlan) -> Iterator[tuple[int, datetime]]:
    """The steps that nothing but their planned time holds back, with that time or else the earliest of all."""
    if state(plan) not in EXECUTING or is_stopped(plan):
        return
    for run in _runs(plan):
        begun = [step_state(step) for _, step in run]
        for number, step in run:
            if step_state(step) is None:
                yield number, step.action.planned_date_time or _EARLIEST
        if not DONE.issuperset(begun):
            return


_EARLIEST = datetime.fromisoformat("0001-01-01T00:00:00+00:00")


def _current(plan: SwitchingPlan) -> tuple[SwitchingStep, ...]:
    """The steps that count: all, or in an aborted plan those that make it safe."""
    if state(plan) is not SwitchingPlanState.ABORTED:
        return steps(plan)
    return tuple(step for group in plan.switching_step_groups if makes_safe(group) for step in group.switching_step)


def makes_safe(group: SwitchingStepGroup) -> bool:
    """True for steps that were added after the plan was aborted."""
    return group.status is not None and group.status.value == MAKE_SAFE


def _runs(plan: SwitchingPlan) -> Iterator[list[tuple[int, SwitchingStep]]]:
    """Steps that may run at the same time: each by itself, or neighbours that are free, within a group."""
    numbers = count()
    for group in plan.switching_step_groups:
        numbered = [(next(numbers), step) for step in group.switching_step]
        if state(plan) is SwitchingPlanState.ABORTED and not makes_safe(group):
            continue
        for is_free, run in groupby(numbered, key=lambda each: bool(each[1].is_free_sequence)):
            if is_free:
                yield list(run)
            else:
                yield from ([each] for each in run)


def _place(step: SwitchingStep) -> tuple[int, int]:
    return step.sequence_number, step.sub_step_sequence_number or 0


def _fresh(step: SwitchingStep) -> SwitchingStep:
    """The step without what only execution may say."""
    action = replace(step.action, issued_date_time=None, executed_date_time=None)
    return replace(_with_action(step, action), status=None)


def _with_action(step: SwitchingStep, action: SwitchingAction) -> SwitchingStep:
    name = next(each for each in _FIELDS if getattr(step, each) is not None)
    return replace(step, **{name: action})


def _put(plan: SwitchingPlan, number: int, step: SwitchingStep) -> SwitchingPlan:
    """The plan with another step in the place ``number``."""
    numbers = count()
    groups = tuple(
        replace(
            group, switching_step=tuple(step if next(numbers) == number else other for other in group.switching_step)
        )
        for group in plan.switching_step_groups
    )
    return replace(plan, switching_step_groups=groups)
