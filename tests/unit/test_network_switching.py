"""The life of a switching plan."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import json

from contracts.errors import Conflict, Invalid
from contracts.nouns.feeder_topology import Equipment
from contracts.nouns.measurements import SwitchPosition
from contracts.nouns.switching_plans import (
    GenericAction,
    SwitchAction,
    SwitchActionKind,
    SwitchingPlan,
    SwitchingPlans,
    SwitchingPlanState,
    SwitchingStep,
    SwitchingStepGroup,
)
from contracts.nouns.units import PhaseCode
from contracts.types import ObjectReference
from services.network_operation.domain.switching import (
    StepKey,
    aborted,
    actions,
    advanced,
    awaited,
    check,
    confirmed,
    crew_part,
    executed_at,
    is_under_way,
    issued,
    position_after,
    state,
    the_plan,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
OPEN, CLOSE = SwitchActionKind.OPEN, SwitchActionKind.CLOSE


def device(mrid: str, *, is_open: bool, remote: bool = True) -> Equipment:
    return Equipment(
        mrid=mrid,
        kind="Breaker" if remote else "Fuse",
        name=mrid,
        node1="1",
        node2="2",
        normal_open=False,
        open=is_open,
        phases=PhaseCode.ABC,
        protective=True,
        remotely_operable=remote,
    )


def step(number: int, kind: SwitchActionKind, mrid: str) -> SwitchingStep:
    action = SwitchAction(kind=kind, operated_switch=ObjectReference(mrid=mrid))
    return SwitchingStep(sequence_number=number, switch_action=action)


def plan(*steps: SwitchingStep, mrid: str = "plan") -> SwitchingPlan:
    group = SwitchingStepGroup(sequence_number=1, switching_step=steps)
    return SwitchingPlan(mrid=mrid, outage=ObjectReference(mrid="outage"), switching_step_groups=(group,))


DEVICES = {
    each.mrid: each
    for each in (device("b", is_open=True), device("r", is_open=False), device("fuse", is_open=True, remote=False))
}


def test_steps_run_in_the_order_of_groups_and_sequence_numbers() -> None:
    later = SwitchingStepGroup(sequence_number=2, switching_step=(step(1, CLOSE, "third"),))
    first = SwitchingStepGroup(sequence_number=1, switching_step=(step(7, OPEN, "second"), step(2, OPEN, "first")))
    taken = issued(SwitchingPlan(mrid="p", switching_step_groups=(later, first)), NOON)
    assert [action.operated_switch.mrid for action in actions(taken)] == ["first", "second", "third"]
    assert (state(taken), taken.revision_number) == (SwitchingPlanState.ISSUED, 1)


def test_what_the_asker_says_of_execution_is_not_believed() -> None:
    action = SwitchAction(
        kind=CLOSE, operated_switch=ObjectReference(mrid="b"), issued_date_time=NOON, executed_date_time=NOON
    )
    taken = issued(plan(SwitchingStep(sequence_number=1, switch_action=action)), NOON)
    assert (actions(taken)[0].issued_date_time, actions(taken)[0].executed_date_time) == (None, None)


def test_a_remote_switch_gets_a_command_and_half_a_minute() -> None:
    taken, instruction = advanced(issued(plan(step(1, CLOSE, "b")), NOON), DEVICES, NOON)
    assert instruction is not None
    (command,) = instruction.controls.command
    assert (command.power_system_resource.mrid, command.value) == ("b", SwitchPosition.CLOSED)
    assert instruction.until == NOON + timedelta(seconds=30)
    assert (state(taken), awaited(taken)) == (SwitchingPlanState.IN_PROGRESS, instruction.key)


def test_any_other_switch_gets_a_crew_two_hours_and_a_plan_of_its_own_step() -> None:
    taken = issued(plan(step(1, OPEN, "r"), step(2, CLOSE, "fuse")), NOON)
    taken, first = advanced(taken, DEVICES, NOON)
    assert first is not None
    devices = {**DEVICES, "r": device("r", is_open=True)}
    taken, second = advanced(confirmed(taken, first.key, NOON), devices, NOON)
    assert second is not None
    assert (second.switch.mrid, second.until) == ("fuse", NOON + timedelta(hours=2))
    (part,) = crew_part(taken, second.key).switching_plan
    assert [action.operated_switch.mrid for action in actions(part)] == ["fuse"]
    assert (part.mrid, part.outage) == (taken.mrid, taken.outage)


def test_a_switch_that_stands_there_already_makes_its_step_previously_completed() -> None:
    taken, instruction = advanced(issued(plan(step(1, OPEN, "b"), step(2, CLOSE, "r")), NOON), DEVICES, NOON)
    assert (instruction, state(taken), is_under_way(taken)) == (None, SwitchingPlanState.COMPLETED, False)
    assert [(action.issued_date_time, action.executed_date_time) for action in actions(taken)] == [(None, NOON)] * 2


def test_an_aborted_plan_names_its_step_and_awaits_nothing() -> None:
    taken, instruction = advanced(issued(plan(step(1, CLOSE, "b"), step(2, OPEN, "r")), NOON), DEVICES, NOON)
    assert instruction is not None
    taken = aborted(taken, instruction.key, "no confirmation in time", NOON)
    assert taken.status is not None
    assert taken.status.reason == "step 1 (b): no confirmation in time"
    assert (state(taken), awaited(taken), is_under_way(taken)) == (SwitchingPlanState.ABORTED, None, False)
    assert position_after(taken, instruction.key, NOON).open is False


def test_a_switch_that_has_left_the_model_aborts_the_plan() -> None:
    taken, instruction = advanced(issued(plan(step(1, CLOSE, "b")), NOON), {}, NOON)
    assert (state(taken), instruction) == (SwitchingPlanState.ABORTED, None)


def test_a_plan_without_steps_with_other_actions_or_unknown_switches_is_refused_with_every_reason() -> None:
    with pytest.raises(Invalid, match="the plan has no steps"):
        check(plan(), DEVICES, ())
    generic = SwitchingStep(sequence_number=2, generic_action=GenericAction())
    reclosing = step(3, SwitchActionKind.DISABLE_RECLOSING, "b")
    with pytest.raises(Invalid, match=r"step 1: 'x' is no switch.*; step 2: only.*; step 3: only"):
        check(plan(step(1, OPEN, "x"), generic, reclosing), DEVICES, ())
    check(plan(step(1, OPEN, "r")), DEVICES, ())


def test_two_plans_under_way_do_not_touch_the_same_switch() -> None:
    other = issued(plan(step(1, CLOSE, "b"), mrid="other"), NOON)
    with pytest.raises(Conflict, match="the plan other that is under way switches b too"):
        check(plan(step(1, OPEN, "b")), DEVICES, (other,))
    check(plan(step(1, OPEN, "r")), DEVICES, (other,))


def test_one_plan_is_taken_at_a_time() -> None:
    with pytest.raises(Invalid, match="0 plans"):
        the_plan(SwitchingPlans())
    assert the_plan(SwitchingPlans(switching_plan=(plan(),))) == plan()


def test_the_time_of_a_crew_is_the_time_of_its_operation() -> None:
    taken, instruction = advanced(issued(plan(step(1, CLOSE, "fuse")), NOON), DEVICES, NOON)
    assert instruction is not None
    assert executed_at(None) is None
    assert executed_at(crew_part(taken, instruction.key)) is None
    done = confirmed(taken, instruction.key, NOON + timedelta(minutes=9))
    assert executed_at(SwitchingPlans(switching_plan=(done,))) == NOON + timedelta(minutes=9)


@given(st.text(min_size=1), st.integers(0, 1000))
def test_a_step_key_survives_being_written(mrid: str, number: int) -> None:
    key = StepKey(plan=mrid, number=number)
    assert StepKey.parse(str(key)) == key


@given(
    st.lists(st.tuples(st.sampled_from([OPEN, CLOSE]), st.sampled_from("abcd")), min_size=1, max_size=6),
    st.dictionaries(st.sampled_from("abcd"), st.booleans()),
    st.integers(0, 6),
)
def test_a_plan_executes_every_step_once_in_order_or_ends_at_the_one_that_failed(
    wanted: list[tuple[SwitchActionKind, str]], start: dict[str, bool], failing: int
) -> None:
    standing = {mrid: start.get(mrid, False) for mrid in "abcd"}
    steps = [step(number, kind, mrid) for number, (kind, mrid) in enumerate(wanted)]
    current = issued(plan(*steps), NOON)
    instructed = []
    revision = current.revision_number
    while is_under_way(current):
        devices = {mrid: device(mrid, is_open=is_open) for mrid, is_open in standing.items()}
        current, instruction = advanced(current, devices, NOON)
        current = json.decode(json.encode(current), type=SwitchingPlan)
        if instruction is None:
            break
        instructed.append(instruction.key.number)
        assert awaited(current) == instruction.key
        if len(instructed) > failing:
            current = aborted(current, instruction.key, "it does not move", NOON)
            break
        standing[instruction.switch.mrid] = instruction.open
        current = confirmed(current, instruction.key, NOON)
    assert instructed == sorted(set(instructed))
    assert (current.revision_number or 0) > (revision or 0)
    executed = [action.executed_date_time is not None for action in actions(current)]
    if state(current) is SwitchingPlanState.COMPLETED:
        assert all(executed)
        assert standing == {**standing, **{mrid: kind is OPEN for kind, mrid in wanted}}
    else:
        assert state(current) is SwitchingPlanState.ABORTED
        assert executed == [True] * instructed[-1] + [False] * (len(executed) - instructed[-1])
