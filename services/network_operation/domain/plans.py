"""The life of a switching plan: who moves it on, and what must hold.

``DRAFT -> CHECKED -> APPROVED -> ISSUED -> IN_PROGRESS -> COMPLETED``; ``CANCELLED`` before anything has begun,
``ABORTED`` afterwards. An aborted plan is not over for people: it gets steps that make it safe, or a person declares
that it is. A plan that its author wants at once, without the state DRAFT, is an emergency plan: issued by one person or
by a role for itself, without check and approval.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from contracts.errors import Conflict, Invalid
from contracts.nouns.switching_plans import RuleOverride, SwitchingPlan, SwitchingPlanState, SwitchingStepState
from contracts.types import ObjectReference, Status
from services.network_operation.domain.execution import aborted, in_place, next_state, placed_by
from services.network_operation.domain.figures import FiguresOf
from services.network_operation.domain.people import (
    Duty,
    Speaker,
    demand_operator,
    demand_other,
    demand_supervisor,
)
from services.network_operation.domain.rules.move import Basis, Violation
from services.network_operation.domain.rules.planning import differing, standing_in
from services.network_operation.domain.situation import Situation
from services.network_operation.domain.steps import (
    MAKE_SAFE,
    StepKey,
    described,
    is_open,
    ordered,
    state,
    step_state,
    steps,
    switched_devices,
    with_step,
)
from services.network_operation.domain.study import Wanted, acts_of, forbidding, foreseen

P = SwitchingPlanState
T = SwitchingStepState

COMING = frozenset({P.APPROVED, P.ISSUED, P.IN_PROGRESS})
"""These are going to be carried out."""


class Moved(Struct, frozen=True, kw_only=True):
    """A plan in its next state, and what it was checked against."""

    plan: SwitchingPlan
    basis: Basis | None = None


def taken(plan: SwitchingPlan, person: Speaker, situation: Situation, at: datetime) -> Moved:
    """A new plan: a draft where it says so, else issued at once.

    Raises:
        Invalid: it says nothing that can be carried out, or is in another state already.
        Denied: this person does not issue plans.
        Conflict: a rule refuses it; all refusals are named.
    """
    wanted = state(plan) if plan.status is not None else P.ISSUED
    if wanted not in {P.DRAFT, P.ISSUED}:
        raise Invalid(f"a new plan is a draft or is issued, not {wanted}", object_id=plan.mrid)
    fresh = _drafted(plan, person, at)
    acts_of(fresh, situation.grid)
    return Moved(plan=fresh) if wanted is P.DRAFT else _emergency(fresh, person, situation, at)


class Wish(Struct, frozen=True, kw_only=True):
    """What is asked of a plan, by whom, when, and in which situation; ``others`` are all plans that may matter."""

    asked: SwitchingPlan
    person: Speaker
    situation: Situation
    at: datetime
    others: tuple[SwitchingPlan, ...] = ()

    def with_figures(self, figures: FiguresOf) -> "Wish":
        """The same where figures of a power flow are to be had."""
        return replace(self, situation=replace(self.situation, figures=figures))

    @property
    def reason(self) -> str | None:
        """The reason that is given."""
        return None if self.asked.status is None else self.asked.status.reason


def moved(known: Moved, wish: Wish) -> Moved:
    """What a plan becomes by a change that a person asks for.

    A plan whose issue is refused is a draft again; the reason names the rule and the object that differs.

    Raises:
        Invalid: what is asked for makes no sense.
        Denied: this person may not do it.
        Conflict: the plan cannot become that, or a rule refuses it.
    """
    before = state(known.plan)
    to = before if wish.asked.status is None else state(wish.asked)
    change = _CHANGES.get((before, to))
    if change is None:
        raise Conflict(f"a plan that is {before} cannot become {to}", object_id=known.plan.mrid)
    return change(known, wish)


def _drafted(plan: SwitchingPlan, person: Speaker, at: datetime) -> SwitchingPlan:
    plan = replace(
        ordered(plan),
        created_date_time=at,
        revision_number=0,
        approved_date_time=None,
        cancelled_date_time=None,
        approver=None,
        author=ObjectReference(mrid=person.name),
        checker=None,
        issuer=None,
        rule_override=_stated(plan.rule_override, person),
    )
    return next_state(plan, P.DRAFT, at)


def _stated(overrides: Iterable[RuleOverride], person: Speaker) -> tuple[RuleOverride, ...]:
    """The overrides as the word of one person, whatever they say of who else answers."""
    if not person.is_person:
        return ()
    author = ObjectReference(mrid=person.name)
    return tuple(replace(each, approver=None, author=author, role=person.duty) for each in overrides)


def _amended(known: Moved, wish: Wish) -> Moved:
    plan = known.plan
    _demand_author(plan, wish.person, "changes it")
    fresh = _drafted(replace(wish.asked, mrid=plan.mrid), wish.person, wish.at)
    acts_of(fresh, wish.situation.grid)
    revision = (plan.revision_number or 0) + 1
    return Moved(plan=replace(fresh, created_date_time=plan.created_date_time, revision_number=revision))


def _checked(known: Moved, wish: Wish) -> Moved:
    plan, person = known.plan, wish.person
    demand_operator(person, "checks a plan")
    demand_other(person, _mrid(plan.author), "check it")
    approver = ObjectReference(mrid=person.name) if person.duty is Duty.SUPERVISOR else None
    overrides = tuple(replace(each, approver=approver) for each in plan.rule_override)
    plan = replace(plan, checker=ObjectReference(mrid=person.name), rule_override=overrides)
    remark = _judged(plan, wish.situation, people=True)
    return Moved(plan=next_state(plan, P.CHECKED, wish.at, remark=remark), basis=_basis(plan, wish.situation))


def _approved(known: Moved, wish: Wish) -> Moved:
    plan, person = known.plan, wish.person
    demand_supervisor(person, "approves a plan")
    demand_other(person, _mrid(plan.author), "approve it")
    if plan.planned_period is not None and plan.planned_period.end is not None and plan.planned_period.end <= wish.at:
        raise Conflict("its planned period is over", object_id=plan.mrid)
    for other in wish.others:
        both = switched_devices(plan) & switched_devices(other)
        if other.mrid != plan.mrid and state(other) in COMING and both and _overlap(plan, other):
            raise Conflict(f"the plan {other.mrid} switches {min(both)} in the same time", object_id=min(both))
    plan = next_state(plan, P.APPROVED, wish.at)
    return replace(known, plan=replace(plan, approved_date_time=wish.at, approver=ObjectReference(mrid=person.name)))


def _cancelled(known: Moved, wish: Wish) -> Moved:
    if any(step_state(step) is not None for step in steps(known.plan)):
        raise Conflict("its execution has begun: it can only be aborted", object_id=known.plan.mrid)
    _demand_author(known.plan, wish.person, "cancels it")
    plan = next_state(known.plan, P.CANCELLED, wish.at, wish.reason)
    return replace(known, plan=replace(plan, cancelled_date_time=wish.at))


def _aborted(known: Moved, wish: Wish) -> Moved:
    _demand_author(known.plan, wish.person, "aborts it")
    return replace(known, plan=aborted(known.plan, wish.at, wish.reason or f"aborted by '{wish.person.name}'"))


def _at_once(known: Moved, wish: Wish) -> Moved:
    demand_operator(wish.person, "issues a plan")
    return _emergency(known.plan, wish.person, wish.situation, wish.at)


def _emergency(plan: SwitchingPlan, person: Speaker, situation: Situation, at: datetime) -> Moved:
    if person.is_person:
        demand_operator(person, "issues a plan")
        plan = replace(plan, issuer=ObjectReference(mrid=person.name))
    remark = _judged(plan, situation, people=person.is_person)
    said = "issued as an emergency, without check and approval"
    remark = said if remark is None else f"{said}; {remark}"
    return Moved(plan=next_state(plan, P.ISSUED, at, remark=remark), basis=_basis(plan, situation))


def _issued(known: Moved, wish: Wish) -> Moved:
    demand_operator(wish.person, "issues a plan")
    plan, basis = replace(known.plan, issuer=ObjectReference(mrid=wish.person.name)), known.basis
    found = None if basis is None else differing(basis.standing, _basis(plan, wish.situation).standing)
    reasons = [] if found is None else [f"R12: '{found[0]}' {found[1]}"]
    reasons += _sentences(_forbidden(plan, wish.situation, basis, people=True))
    if not reasons:
        return Moved(plan=next_state(plan, P.ISSUED, wish.at), basis=basis)
    back = replace(known.plan, approved_date_time=None, approver=None, checker=None)
    return Moved(plan=next_state(back, P.DRAFT, wish.at, f"not issued: {'; '.join(reasons)}"))


def _decided(known: Moved, wish: Wish) -> Moved:
    """Let a plan go on: some steps deleted; the stopped ones tried again, or more added that make it safe."""
    demand_operator(wish.person, "decides how a plan goes on")
    plan = replace(_without_deleted(known.plan, wish), issuer=ObjectReference(mrid=wish.person.name))
    plan = _made_safe(plan, wish.asked) if state(plan) is P.ABORTED else _again(plan, wish.at)
    remark = _judged(plan, wish.situation, people=True)
    return Moved(plan=next_state(plan, state(plan), wish.at, remark=remark), basis=_basis(plan, wish.situation))


def _declared_safe(known: Moved, wish: Wish) -> Moved:
    demand_operator(wish.person, "declares a plan safe")
    plan = replace(_without_deleted(known.plan, wish), issuer=ObjectReference(mrid=wish.person.name))
    if not wish.reason:
        raise Invalid("status/reason: who declares an aborted plan safe says why", object_id=plan.mrid)
    if is_open(plan):
        raise Conflict("a step of it is still open", object_id=plan.mrid)
    left = placed_by(plan) & in_place(wish.situation)
    if left:
        raise Conflict(f"still in place: {', '.join(sorted(left))}", object_id=min(left))
    said = f"declared safe by '{wish.person.name}': {wish.reason}"
    return replace(known, plan=next_state(plan, P.COMPLETED, wish.at, said))


def _without_deleted(plan: SwitchingPlan, wish: Wish) -> SwitchingPlan:
    """The plan without the steps that the wish marks as deleted; a step that is executed cannot be."""
    wanted = {
        (group.sequence_number, step.sequence_number, step.sub_step_sequence_number)
        for group in wish.asked.switching_step_groups
        for step in group.switching_step
        if step.status is not None and step.status.value == T.DELETED
    }
    places = [
        (group.sequence_number, step.sequence_number, step.sub_step_sequence_number)
        for group in plan.switching_step_groups
        for step in group.switching_step
    ]
    for number, place in enumerate(places):
        if place in wanted:
            if step_state(steps(plan)[number]) not in {None, T.FAILED, T.PENDING, T.DELETED}:
                raise Conflict(f"{described(steps(plan)[number], number)} cannot be deleted any more")
            plan = with_step(plan, StepKey(plan=plan.mrid, number=number), T.DELETED, wish.at)
    return plan


def _made_safe(plan: SwitchingPlan, asked: SwitchingPlan) -> SwitchingPlan:
    """The aborted plan with the groups that are new in ``asked``, marked as making it safe."""
    known = {group.sequence_number for group in plan.switching_step_groups}
    new = [group for group in ordered(asked).switching_step_groups if group.sequence_number not in known]
    if new and known and new[0].sequence_number < max(known):
        raise Invalid("steps that make a plan safe come after all others", object_id=plan.mrid)
    added = tuple(replace(group, status=Status(value=MAKE_SAFE)) for group in new)
    return replace(plan, switching_step_groups=(*plan.switching_step_groups, *added))


def _again(plan: SwitchingPlan, at: datetime) -> SwitchingPlan:
    """The plan with the steps that went wrong as if they had not begun."""
    for number, step in enumerate(steps(plan)):
        if step_state(step) in {T.FAILED, T.PENDING}:
            plan = with_step(plan, StepKey(plan=plan.mrid, number=number), None, at)
    return plan


def _judged(plan: SwitchingPlan, situation: Situation, *, people: bool) -> str | None:
    """What the rules warn of, after they refused nothing.

    Raises:
        Conflict: they refuse; all refusals are named.
    """
    forbidden = _forbidden(plan, situation, None, people=people)
    if forbidden:
        raise Conflict("; ".join(_sentences(forbidden)), object_id=forbidden[0][1].object or plan.mrid)
    series, _ = foreseen(acts_of(plan, situation.grid), situation, by_person=people, plan=plan.mrid)
    warnings = _sentences((each.number, violation) for each in series for violation in each.violations)
    return "; ".join(warnings) or None


def _forbidden(
    plan: SwitchingPlan, situation: Situation, basis: Basis | None, *, people: bool
) -> tuple[tuple[int, Violation], ...]:
    acts: tuple[Wanted, ...] = acts_of(plan, situation.grid)
    series, _ = foreseen(acts, situation, by_person=people, basis=basis, plan=plan.mrid)
    return forbidding(series, plan.rule_override, by_person=people)


def _sentences(violations: Iterable[tuple[int, Violation]]) -> list[str]:
    return [f"step {number}: {violation}" for number, violation in violations]


def _basis(plan: SwitchingPlan, situation: Situation) -> Basis:
    devices: set[str] = set()
    for wanted in acts_of(plan, situation.grid):
        devices.add(wanted.act.device)
        if wanted.act.temporary is not None:
            devices |= {wanted.act.temporary.node1, wanted.act.temporary.node2 or wanted.act.temporary.node1}
    return Basis(model_version=situation.model_version, standing=standing_in(situation, frozenset(devices)))


def _demand_author(plan: SwitchingPlan, person: Speaker, what: str) -> None:
    """Pass whoever wrote the plan, and those who decide about switching."""
    if person.name != _mrid(plan.author):
        demand_operator(person, f"or the author of a plan {what}")


def _overlap(one: SwitchingPlan, other: SwitchingPlan) -> bool:
    """True unless both plans say when they are meant, and the times do not meet."""
    first, second = one.planned_period, other.planned_period
    if first is None or second is None:
        return True
    ends_before = first.end is not None and second.start is not None and first.end <= second.start
    begins_after = second.end is not None and first.start is not None and second.end <= first.start
    return not (ends_before or begins_after)


def _mrid(reference: ObjectReference | None) -> str | None:
    return None if reference is None else reference.mrid


_CHANGES: Mapping[tuple[SwitchingPlanState, SwitchingPlanState], Callable[[Moved, Wish], Moved]] = {
    (P.DRAFT, P.DRAFT): _amended,
    (P.CHECKED, P.DRAFT): _amended,
    (P.APPROVED, P.DRAFT): _amended,
    (P.DRAFT, P.CHECKED): _checked,
    (P.CHECKED, P.APPROVED): _approved,
    (P.DRAFT, P.ISSUED): _at_once,
    (P.APPROVED, P.ISSUED): _issued,
    (P.DRAFT, P.CANCELLED): _cancelled,
    (P.CHECKED, P.CANCELLED): _cancelled,
    (P.APPROVED, P.CANCELLED): _cancelled,
    (P.ISSUED, P.CANCELLED): _cancelled,
    (P.ISSUED, P.ABORTED): _aborted,
    (P.IN_PROGRESS, P.ABORTED): _aborted,
    (P.IN_PROGRESS, P.IN_PROGRESS): _decided,
    (P.ABORTED, P.ABORTED): _decided,
    (P.ABORTED, P.COMPLETED): _declared_safe,
}
"""Every change that people may ask for; all other states follow from the execution."""
