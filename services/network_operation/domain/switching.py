"""Switching plans as values: what may be switched, which step comes next, and how a plan ends.

A plan is the noun itself. What became of a step can be read from its action:

* neither ``issuedDateTime`` nor ``executedDateTime``: still to come, or never begun when the plan was aborted;
* only ``issuedDateTime``: instructed, its confirmation is awaited; failed when the plan was aborted;
* both: completed;
* only ``executedDateTime``: previously completed, the switch stood there already.

Plans here are emergency plans: DRAFT, ISSUED by the one who asks, IN_PROGRESS from the first instruction on, COMPLETED
or ABORTED. A plan in which a command went out can no longer be cancelled.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import count

from msgspec import Struct
from msgspec.structs import replace

from contracts.errors import Conflict, Invalid
from contracts.nouns.controls import Command, Controls
from contracts.nouns.feeder_topology import Equipment
from contracts.nouns.measurements import SwitchPosition
from contracts.nouns.switching_plans import (
    SwitchAction,
    SwitchActionKind,
    SwitchingPlan,
    SwitchingPlans,
    SwitchingPlanState,
    SwitchingStep,
)
from contracts.types import ObjectReference, Status
from services.network_operation.domain.topology import SWITCH_POSITION, Position

REMOTE_LIMIT = timedelta(seconds=30)
"""How long a commanded switch may take to report its new position."""

MANUAL_LIMIT = timedelta(hours=2)
"""How long a crew may take to go to a switch and operate it."""

ENDED = frozenset({SwitchingPlanState.COMPLETED, SwitchingPlanState.CANCELLED, SwitchingPlanState.ABORTED})


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


class Instruction(Struct, frozen=True, kw_only=True):
    """A step that is to be carried out now: by remote control, or else by a crew."""

    key: StepKey
    switch: Equipment
    open: bool
    until: datetime

    @property
    def controls(self) -> Controls:
        """The command for remote control."""
        command = Command(
            control_type=SWITCH_POSITION,
            value=int(SwitchPosition.OPEN if self.open else SwitchPosition.CLOSED),
            power_system_resource=ObjectReference(mrid=self.switch.mrid),
        )
        return Controls(command=(command,))


def the_plan(plans: SwitchingPlans) -> SwitchingPlan:
    """The one plan of a request.

    Raises:
        Invalid: there is none, or there are several.
    """
    if len(plans.switching_plan) != 1:
        raise Invalid(f"SwitchingPlans: {len(plans.switching_plan)} plans in one request; one is taken at a time")
    return plans.switching_plan[0]


def check(plan: SwitchingPlan, devices: Mapping[str, Equipment], under_way: Iterable[SwitchingPlan]) -> None:
    """Whether a plan may be issued now.

    Raises:
        Invalid: it has no steps, or steps that are no switching of a switch in the model.
        Conflict: another plan that is under way touches one of its switches.
    """
    steps = [step for group in plan.switching_step_groups for step in group.switching_step]
    problems = [] if steps else ["the plan has no steps"]
    problems += [f"step {step.sequence_number}: {problem}" for step in steps for problem in _problems(step, devices)]
    if problems:
        raise Invalid("; ".join(problems), object_id=plan.mrid)
    touched = {_device(action) for action in actions(plan)}
    for other in under_way:
        both = touched & {_device(action) for action in actions(other)}
        if both:
            raise Conflict(f"the plan {other.mrid} that is under way switches {min(both)} too", object_id=plan.mrid)


def issued(plan: SwitchingPlan, at: datetime) -> SwitchingPlan:
    """The plan in the order of execution, with nothing executed yet."""
    groups = tuple(
        replace(group, switching_step=tuple(map(_fresh, sorted(group.switching_step, key=_place))))
        for group in sorted(plan.switching_step_groups, key=lambda group: group.sequence_number)
    )
    plan = replace(plan, created_date_time=at, revision_number=0, switching_step_groups=groups)
    return _changed(plan, SwitchingPlanState.ISSUED, at)


def actions(plan: SwitchingPlan) -> tuple[SwitchAction, ...]:
    """The switch actions in the order in which they stand."""
    return tuple(
        step.switch_action
        for group in plan.switching_step_groups
        for step in group.switching_step
        if step.switch_action is not None
    )


def is_under_way(plan: SwitchingPlan) -> bool:
    """True until the plan has ended."""
    return state(plan) not in ENDED


def state(plan: SwitchingPlan) -> SwitchingPlanState:
    """Where the plan is in its life."""
    return SwitchingPlanState(plan.status.value) if plan.status and plan.status.value else SwitchingPlanState.DRAFT


def awaited(plan: SwitchingPlan) -> StepKey | None:
    """The step whose confirmation the plan awaits, or None."""
    if is_under_way(plan):
        for number, action in enumerate(actions(plan)):
            if action.issued_date_time is not None and action.executed_date_time is None:
                return StepKey(plan=plan.mrid, number=number)
    return None


def position_after(plan: SwitchingPlan, key: StepKey, at: datetime) -> Position:
    """Where the switch of a step stands once the step was carried out ``at`` that time."""
    action = actions(plan)[key.number]
    return Position(device=_device(action), open=_opens(action), at=at)


def advanced(
    plan: SwitchingPlan, devices: Mapping[str, Equipment], at: datetime
) -> tuple[SwitchingPlan, Instruction | None]:
    """The plan one instruction further, and that instruction; or the plan completed.

    Steps whose switch stands where it shall are previously completed. A switch that has left the model aborts the plan.
    """
    for number, action in enumerate(actions(plan)):
        if action.executed_date_time is not None:
            continue
        switch = devices.get(_device(action))
        key = StepKey(plan=plan.mrid, number=number)
        if switch is None:
            return aborted(plan, key, "the switch is no longer in the model", at), None
        if switch.open == _opens(action):
            plan = _with_action(plan, number, replace(action, executed_date_time=at))
            continue
        plan = _with_action(plan, number, replace(action, issued_date_time=at))
        until = at + (REMOTE_LIMIT if switch.remotely_operable else MANUAL_LIMIT)
        instruction = Instruction(key=key, switch=switch, open=_opens(action), until=until)
        return _changed(plan, SwitchingPlanState.IN_PROGRESS, at), instruction
    return _changed(plan, SwitchingPlanState.COMPLETED, at), None


def confirmed(plan: SwitchingPlan, key: StepKey, at: datetime) -> SwitchingPlan:
    """The plan after the switch of the awaited step was seen where it shall be, ``at`` the time of the operation."""
    return _with_action(plan, key.number, replace(actions(plan)[key.number], executed_date_time=at))


def aborted(plan: SwitchingPlan, key: StepKey, reason: str, at: datetime) -> SwitchingPlan:
    """The plan given up at a step; nothing more is switched."""
    device = _device(actions(plan)[key.number])
    return _changed(plan, SwitchingPlanState.ABORTED, at, f"step {key.number + 1} ({device}): {reason}")


def crew_part(plan: SwitchingPlan, key: StepKey) -> SwitchingPlans:
    """The plan with nothing in it but the one step that a crew shall carry out."""
    numbers = count()
    groups = tuple(
        replace(group, switching_step=tuple(step for step in group.switching_step if next(numbers) == key.number))
        for group in plan.switching_step_groups
    )
    part = replace(plan, switching_step_groups=tuple(group for group in groups if group.switching_step))
    return SwitchingPlans(switching_plan=(part,))


def executed_at(plans: SwitchingPlans | None) -> datetime | None:
    """The time at which a crew says that it carried out its step, if it says so."""
    if plans is None:
        return None
    times = (action.executed_date_time for plan in plans.switching_plan for action in actions(plan))
    return next((time for time in times if time is not None), None)


def _problems(step: SwitchingStep, devices: Mapping[str, Equipment]) -> Iterator[str]:
    action = step.switch_action
    if action is None or action.kind not in {SwitchActionKind.OPEN, SwitchActionKind.CLOSE}:
        yield "only the opening and closing of switches is carried out"
    elif action.operated_switch.mrid not in devices:
        yield f"'{action.operated_switch.mrid}' is no switch of the model"


def _device(action: SwitchAction) -> str:
    return action.operated_switch.mrid or ""


def _opens(action: SwitchAction) -> bool:
    return action.kind is SwitchActionKind.OPEN


def _place(step: SwitchingStep) -> tuple[int, int]:
    return step.sequence_number, step.sub_step_sequence_number or 0


def _fresh(step: SwitchingStep) -> SwitchingStep:
    """The step without what only execution may say."""
    action = step.switch_action
    if action is None:
        return step
    return replace(step, switch_action=replace(action, issued_date_time=None, executed_date_time=None))


def _with_action(plan: SwitchingPlan, number: int, action: SwitchAction) -> SwitchingPlan:
    """The plan with another action in the step ``number``."""
    numbers = count()
    groups = tuple(
        replace(
            group,
            switching_step=tuple(
                replace(step, switch_action=action) if next(numbers) == number else step
                for step in group.switching_step
            ),
        )
        for group in plan.switching_step_groups
    )
    return replace(plan, switching_step_groups=groups)


def _changed(plan: SwitchingPlan, to: SwitchingPlanState, at: datetime, reason: str | None = None) -> SwitchingPlan:
    return replace(
        plan,
        last_modified_date_time=at,
        revision_number=(plan.revision_number or 0) + 1,
        status=Status(date_time=at, reason=reason, value=to),
    )
