"""What a series of acts would do, one after the other, from the situation as it is: the look-ahead."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from contracts.errors import Invalid
from contracts.nouns.feeder_topology import UsagePoint
from contracts.nouns.get_switching_studies import SwitchingOption
from contracts.nouns.switching_plans import RuleOverride, SwitchingPlan
from contracts.nouns.switching_studies import MOST_TOLD, RuleViolation, SwitchingStudy
from contracts.types import ObjectReference
from services.network_operation.domain.acts import SWITCHING, Act, ActKind, act_of, switch_act
from services.network_operation.domain.feeder_flow import LastFlow
from services.network_operation.domain.figures import NOTHING_LIVE, UNSOLVED, Question
from services.network_operation.domain.grid import Grid, open_phases
from services.network_operation.domain.phases import Phases
from services.network_operation.domain.rules import WITHOUT_EFFECT, judged, standing
from services.network_operation.domain.rules.move import Basis, Move, Violation
from services.network_operation.domain.situation import Situation
from services.network_operation.domain.steps import ENDED, has_crew, step_state, steps


class Foreseen(Struct, frozen=True, kw_only=True):
    """One act of a series with what the rules say of it; ``number`` counts from 1."""

    number: int
    act: Act
    violations: tuple[Violation, ...] = ()


class Wanted(Struct, frozen=True, kw_only=True):
    """An act of a series before it is judged; ``remote`` is True for telecontrol."""

    number: int
    act: Act
    remote: bool = False


def acts_of(plan: SwitchingPlan, grid: Grid) -> tuple[Wanted, ...]:
    """What the steps of a plan do that are not ended yet.

    Raises:
        Invalid: it has no steps, or steps that say nothing that can be done; every reason is named.
    """
    wanted, problems = [], []
    for number, step in enumerate(steps(plan), start=1):
        if step_state(step) in ENDED:
            continue
        try:
            act = act_of(step.action, f"{plan.mrid}/{number - 1}", plan.mrid, grid)
        except Invalid as refused:
            problems.append(f"step {step.sequence_number}: {refused.reason}")
        else:
            wanted.append(Wanted(number=number, act=act, remote=is_remote(act, grid) and not has_crew(step.action)))
    if not steps(plan):
        problems.append("the plan has no steps")
    if problems:
        raise Invalid("; ".join(problems), object_id=plan.mrid)
    return tuple(wanted)


def is_remote(act: Act, grid: Grid) -> bool:
    """True for what telecontrol can do."""
    switch = grid.get(act.device)
    return act.kind in SWITCHING and switch is not None and switch.remotely_operable


def is_done(act: Act, situation: Situation) -> bool:
    """True when everything is already as the act would make it."""
    switch = situation.grid.get(act.device)
    match act.kind:
        case ActKind.OPEN | ActKind.CLOSE if switch is not None:
            own = Phases.of(switch.phases) if act.phases is None else Phases.of(switch.phases) & act.phases
            opened = open_phases(switch) & own
            return opened == (own if act.kind is ActKind.OPEN else Phases(0))
        case ActKind.ENABLE_RECLOSING | ActKind.DISABLE_RECLOSING:
            return situation.reclosing.get(act.device) is (act.kind is ActKind.ENABLE_RECLOSING)
        case ActKind.PLACE | ActKind.REMOVE:
            is_there = any(each.mrid == act.device for each in situation.temporaries)
            return is_there is (act.kind is ActKind.PLACE)
        case ActKind.REMOVE_TAG if act.tag is not None:
            return all(tag.mrid != act.tag.mrid for tag in situation.tags)
    return False


def foreseen(
    acts: Iterable[Wanted],
    situation: Situation,
    *,
    by_person: bool = False,
    basis: Basis | None = None,
    plan: str = "",
) -> tuple[tuple[Foreseen, ...], Situation]:
    """What the rules say of each act in its turn, and the situation after the last.

    Of what is done already only R12 is asked: another plan may be about to undo it.
    """
    found = []
    for wanted in acts:
        move = Move(
            act=wanted.act,
            before=situation,
            basis=basis,
            by_person=by_person,
            plan=plan,
            remote=wanted.remote,
        )
        if is_done(wanted.act, situation):
            found.append(Foreseen(number=wanted.number, act=wanted.act, violations=judged(move, WITHOUT_EFFECT)))
        else:
            found.append(Foreseen(number=wanted.number, act=wanted.act, violations=judged(move)))
            situation = move.after
    return tuple(found), situation


def forbidding(
    series: Iterable[Foreseen], overrides: Sequence[RuleOverride] = (), *, by_person: bool = False
) -> tuple[tuple[int, Violation], ...]:
    """The violations that forbid a series, each with the number of its act."""
    return tuple(
        (each.number, violation)
        for each in series
        for violation in standing(each.violations, overrides, by_person=by_person)
    )


def studied(
    option: SwitchingOption,
    situation: Situation,
    at: datetime,
    *,
    by_person: bool = False,
) -> SwitchingStudy:
    """What an option would do after its last operation.

    Raises:
        Invalid: it operates nothing, or something that is no switch of the model.
    """
    if not option.operation:
        raise Invalid("an option without operations has no effect to study", object_id=option.mrid)
    acts = [
        switch_act(
            each.kind,
            each.operated_switch,
            situation.grid,
            None if each.phases is None else Phases.of(each.phases),
        )
        for each in option.operation
    ]
    wanted = [
        Wanted(number=number, act=act, remote=is_remote(act, situation.grid))
        for number, act in enumerate(acts, start=1)
    ]
    series, end = foreseen(wanted, situation, by_person=by_person)
    dropped, picked_up = situation.grid.dropped_by(end.grid), end.grid.dropped_by(situation.grid)
    last_act = acts[-1]
    last = situation.figures(
        Question(
            grid=end.grid,
            devices=(*sorted({each.device for each in acts} - {last_act.device}), last_act.device),
            picked_up=situation.grid.energised_by(end.grid),
        )
    )
    return SwitchingStudy(
        mrid=option.mrid,
        created_date_time=at,
        customers_dropped=sum(point.customers for point in dropped),
        customers_picked_up=sum(point.customers for point in picked_up),
        feasible=not forbidding(series, by_person=by_person),
        loop_current=last.through if _closes_loop(last_act, end.grid) else None,
        margin=last.margin,
        picked_up_power=last.picked_up,
        power_flow=last.status,
        branch_loading=last.loadings[:MOST_TOLD],
        de_energized_usage_point=_references(dropped),
        energized_usage_point=_references(picked_up),
        node_voltage=last.voltages[:MOST_TOLD],
        operation=option.operation,
        rule_violation=tuple(_told(each.number, violation) for each in series for violation in each.violations),
    )


def present(option: SwitchingOption, flows: Iterable[LastFlow], at: datetime) -> SwitchingStudy:
    """The study of an option that does nothing: how the network is, by the last power flow of each feeder."""
    known = tuple(flows)
    good = [each.good for each in known if each.good is not None]
    loadings = {each.power_system_resource.mrid: each for flow in good for each in flow.loadings}
    voltages = {each.connectivity_node.mrid: each for flow in good for each in flow.voltages}
    return SwitchingStudy(
        mrid=option.mrid,
        created_date_time=at,
        customers_dropped=0,
        customers_picked_up=0,
        feasible=True,
        margin=min((flow.margin for flow in good if flow.margin is not None), default=None),
        power_flow="; ".join(sorted({each.status for each in known} - {NOTHING_LIVE})) or UNSOLVED.status,
        branch_loading=tuple(sorted(loadings.values(), key=lambda each: -each.loading))[:MOST_TOLD],
        feeder_loading=tuple(each.told for each in known),
        node_voltage=tuple(sorted(voltages.values(), key=lambda each: -abs(each.voltage - 1)))[:MOST_TOLD],
    )


def with_rivals(situation: Situation, plans: Iterable[tuple[str, frozenset[str]]], own: str) -> Situation:
    """The situation with the devices that other plans are going to switch."""
    rivals = {device: plan for plan, devices in plans if plan != own for device in devices}
    return replace(situation, rivals=rivals)


def _closes_loop(act: Act, after: Grid) -> bool:
    """True when an act has closed a switch between two sides that would be live without it."""
    switch = after.get(act.device)
    if act.kind is not ActKind.CLOSE or switch is None or switch.node2 is None:
        return False
    apart = after.switched(act.device, is_open=True)
    return apart.is_live([switch.node1]) and apart.is_live([switch.node2])


def _told(number: int, violation: Violation) -> RuleViolation:
    return RuleViolation(
        reason=violation.reason,
        rule=violation.rule,
        sequence_number=number,
        severity=violation.severity,
        power_system_resource=ObjectReference(mrid=violation.object) if violation.object else None,
    )


def _references(points: Iterable[UsagePoint]) -> tuple[ObjectReference, ...]:
    return tuple(ObjectReference(mrid=point.mrid) for point in points)
