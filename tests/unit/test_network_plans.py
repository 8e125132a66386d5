"""The life of a switching plan: who moves it on, how it is carried out, and how it ends.

Longer than 400 lines because one life is told here from the draft to the end, and its states are only true together.
"""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import json
from msgspec.structs import replace

from contracts.errors import Conflict, Denied, Invalid
from contracts.message import Header, User
from contracts.nouns.measurements import SwitchPosition
from contracts.nouns.switching_events import SwitchingEvent, SwitchingEventType
from contracts.nouns.switching_plans import (
    EnergySourceAction,
    GenericAction,
    GroundAction,
    JumperAction,
    OperationalTag,
    RuleOverride,
    SwitchActionKind,
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
from contracts.types import DateTimeInterval, ObjectReference, Status
from contracts.verbs import Verb
from services.network_operation.domain.acts import Act, ActKind
from services.network_operation.domain.execution import (
    aborted,
    begun,
    confirmed,
    decided,
    in_place,
    instruction,
    is_under_way,
    miscellaneous,
    placed_by,
    settled,
    stopped,
    the_plan,
    waiting_for,
)
from services.network_operation.domain.people import Duty, Speaker, speaker
from services.network_operation.domain.plans import Moved, Wish, moved, taken
from services.network_operation.domain.positions import Position
from services.network_operation.domain.situation import Situation
from services.network_operation.domain.steps import (
    StepKey,
    awaited,
    crew_part,
    due,
    executed_at,
    position_after,
    ready,
    reclosing_after,
    state,
    step_state,
    steps,
    with_step,
)
from services.network_operation.domain.temporary import Temporary, TemporaryKind
from tests.fixtures.switching_yard import NOON, plan, switching, tag, yard

P, T = SwitchingPlanState, SwitchingStepState
OPEN, CLOSE = SwitchActionKind.OPEN, SwitchActionKind.CLOSE
FM = Speaker(name="fault-management")
AMY, BOB = Speaker(name="amy", duty=Duty.OPERATOR), Speaker(name="bob", duty=Duty.OPERATOR)
SUE, CAL = Speaker(name="sue", duty=Duty.SUPERVISOR), Speaker(name="cal", duty=Duty.CREW)
ONE_CLOSE = plan(switching(1, CLOSE, "B2"), state=P.DRAFT)


def key(number: int, mrid: str = "plan") -> StepKey:
    return StepKey(plan=mrid, number=number)


def to(
    state: SwitchingPlanState, person: Speaker, situation: Situation, reason: str | None = None, **more: Any
) -> Wish:
    asked = SwitchingPlan(mrid="plan", status=Status(value=state, reason=reason), **more)
    return Wish(asked=asked, person=person, situation=situation, at=NOON)


def walked(draft: SwitchingPlan, situation: Situation, *wishes: tuple[SwitchingPlanState, Speaker]) -> Moved:
    known = taken(draft, AMY, situation, NOON)
    for wanted, person in wishes:
        known = moved(known, to(wanted, person, situation))
    return known


def issued(*series: SwitchingStep, situation: Situation | None = None, person: Speaker = FM) -> SwitchingPlan:
    return taken(plan(*series), person, situation or yard(opened="B2 Q1 Q2"), NOON).plan


def step_states(of: SwitchingPlan) -> list[SwitchingStepState | None]:
    return [step_state(step) for step in steps(of)]


def test_a_person_is_known_by_the_header_and_a_role_by_itself() -> None:
    header = Header(verb=Verb.CREATE, noun="SwitchingPlans")
    assert speaker(header, "operator") == Speaker(name="operator")
    named = replace(header, user=User(user_id="sue", organization="Supervisor "))
    assert speaker(named, "operator") == SUE
    assert speaker(replace(header, user=User(user_id="cal")), "operator") == CAL
    assert not CAL.may_switch


def test_a_planned_plan_takes_a_writer_a_second_person_a_supervisor_and_an_operator() -> None:
    situation = yard(opened="B2")
    known = taken(ONE_CLOSE, AMY, situation, NOON)
    assert (state(known.plan), known.plan.author) == (P.DRAFT, ObjectReference(mrid="amy"))
    with pytest.raises(Denied, match="second person"):
        moved(known, to(P.CHECKED, AMY, situation))
    with pytest.raises(Denied, match="'cal' is a crew"):
        moved(known, to(P.CHECKED, CAL, situation))
    with pytest.raises(Denied, match="a role without a person"):
        moved(known, to(P.CHECKED, FM, situation))
    checked = moved(known, to(P.CHECKED, BOB, situation))
    with pytest.raises(Denied, match="only a supervisor"):
        moved(checked, to(P.APPROVED, BOB, situation))
    approved = moved(checked, to(P.APPROVED, SUE, situation))
    with pytest.raises(Denied):
        moved(approved, to(P.ISSUED, CAL, situation))
    done = moved(approved, to(P.ISSUED, AMY, situation)).plan
    people = [each.mrid for each in (done.author, done.checker, done.approver, done.issuer) if each is not None]
    assert (state(done), people, done.approved_date_time) == (P.ISSUED, ["amy", "bob", "sue", "amy"], NOON)
    assert [done.revision_number, known.plan.revision_number] == [4, 1]


@pytest.mark.parametrize(
    ("before", "wanted"),
    [
        (P.DRAFT, P.APPROVED),
        (P.DRAFT, P.COMPLETED),
        (P.CHECKED, P.ISSUED),
        (P.COMPLETED, P.DRAFT),
        (P.CANCELLED, P.ISSUED),
    ],
)
def test_no_state_is_skipped(before: SwitchingPlanState, wanted: SwitchingPlanState) -> None:
    known = Moved(plan=replace(ONE_CLOSE, status=Status(value=before), author=ObjectReference(mrid="amy")))
    with pytest.raises(Conflict, match=f"a plan that is {before} cannot become {wanted}"):
        moved(known, to(wanted, SUE, yard(opened="B2")))


def test_a_plan_that_a_rule_refuses_is_not_checked() -> None:
    tagged = yard(opened="B2", tags=(tag("B2"),))
    with pytest.raises(Conflict, match="step 1: R1: B2 has a tag HOLD_OPEN of 'amy'"):
        walked(ONE_CLOSE, tagged, (P.CHECKED, BOB))


def test_an_override_becomes_good_by_the_supervisor_who_checks() -> None:
    override = RuleOverride(reason="no other way", rule="R6", approver=ObjectReference(mrid="nobody"))
    draft = replace(plan(switching(1, CLOSE, "Q2"), state=P.DRAFT), rule_override=(override,))
    with pytest.raises(Conflict, match="R6: its sides are fed by different sources"):
        walked(draft, yard(), (P.CHECKED, BOB))
    (stated,) = walked(draft, yard(), (P.CHECKED, SUE)).plan.rule_override
    assert (stated.author, stated.approver, stated.role) == (
        ObjectReference(mrid="amy"),
        ObjectReference(mrid="sue"),
        "operator",
    )


def test_an_approval_needs_a_period_that_is_not_over_and_no_other_plan_in_it() -> None:
    situation = yard(opened="B2")
    hour = timedelta(hours=1)
    early, late = (DateTimeInterval(start=NOON + n * hour, end=NOON + (n + 1) * hour) for n in (1, 2))
    checked = walked(replace(ONE_CLOSE, planned_period=early), situation, (P.CHECKED, BOB))
    rival = plan(switching(1, CLOSE, "B2"), mrid="rival", state=P.APPROVED, planned_period=late)
    wish = to(P.APPROVED, SUE, situation)
    assert state(moved(checked, replace(wish, others=(rival,))).plan) is P.APPROVED
    for period in (early, None):
        with pytest.raises(Conflict, match="the plan rival switches B2 in the same time"):
            moved(checked, replace(wish, others=(replace(rival, planned_period=period),)))
    with pytest.raises(Conflict, match="planned period is over"):
        moved(checked, replace(wish, at=NOON + 2 * hour))


def test_a_plan_whose_state_has_changed_since_the_check_is_a_draft_again_and_names_what_differs() -> None:
    situation = yard(opened="B2")
    approved = walked(ONE_CLOSE, situation, (P.CHECKED, BOB), (P.APPROVED, SUE))
    bridged = situation.after(
        Act(
            kind=ActKind.PLACE,
            device="j1",
            temporary=Temporary(mrid="j1", kind=TemporaryKind.JUMPER, node1="k", node2="h", plan="other"),
        )
    )
    refused = moved(approved, to(P.ISSUED, AMY, bridged)).plan
    assert (state(refused), refused.checker, refused.approver, refused.issuer) == (P.DRAFT, None, None, None)
    assert refused.status is not None
    assert refused.status.reason is not None
    assert "R12: 'j1' was not there when the plan was checked and is a Jumper in place" in refused.status.reason
    moved_switch = moved(approved, to(P.ISSUED, AMY, yard(opened="B2 F1"))).plan
    assert "R12: 'F1' was closed when the plan was checked and is open" in str(moved_switch.status)
    newer = moved(approved, to(P.ISSUED, AMY, replace(situation, model_version="2"))).plan
    assert "R12: it was checked against the model 1, and 2 is in use" in str(newer.status)


def test_an_emergency_plan_is_issued_by_one_operator_or_by_a_role_and_says_so() -> None:
    for person in (AMY, FM):
        new = taken(plan(switching(1, CLOSE, "B2")), person, yard(opened="B2"), NOON).plan
        assert new.status is not None
        assert (new.status.value, new.issuer is not None) == (P.ISSUED, person.is_person)
        assert new.status.remark is not None
        assert new.status.remark.startswith("issued as an emergency, without check and approval")
    with pytest.raises(Denied):
        taken(plan(switching(1, CLOSE, "B2")), CAL, yard(opened="B2"), NOON)
    with pytest.raises(Invalid, match="not COMPLETED"):
        taken(plan(switching(1, CLOSE, "B2"), state=P.COMPLETED), AMY, yard(), NOON)
    drafted = taken(ONE_CLOSE, AMY, yard(opened="B2"), NOON)
    assert state(moved(drafted, to(P.ISSUED, AMY, yard(opened="B2"))).plan) is P.ISSUED


def test_what_the_asker_says_of_execution_people_and_second_persons_is_not_believed() -> None:
    said = switching(1, CLOSE, "B2", issued_date_time=NOON, executed_date_time=NOON)
    said = replace(said, status=Status(value=T.COMPLETED))
    nobody = ObjectReference(mrid="nobody")
    new = taken(
        plan(said, author=nobody, checker=nobody, approver=nobody, issuer=nobody), FM, yard(opened="B2"), NOON
    ).plan
    (step,) = steps(new)
    assert (step.status, step.action.issued_date_time, step.action.executed_date_time) == (None, None, None)
    assert (new.author, new.checker, new.approver, new.issuer) == (
        ObjectReference(mrid="fault-management"),
        None,
        None,
        None,
    )


def test_a_draft_is_changed_by_its_author_and_loses_its_check() -> None:
    situation = yard(opened="B2")
    checked = walked(ONE_CLOSE, situation, (P.CHECKED, BOB))
    other = plan(switching(1, OPEN, "R1"), state=P.DRAFT)
    with pytest.raises(Denied):
        moved(checked, Wish(asked=other, person=CAL, situation=situation, at=NOON))
    again = moved(checked, Wish(asked=other, person=AMY, situation=situation, at=NOON)).plan
    assert (state(again), again.checker, again.revision_number) == (P.DRAFT, None, 3)
    assert [step.switch_action.operated_switch.mrid for step in steps(again) if step.switch_action] == ["R1"]


def test_a_plan_is_cancelled_before_and_aborted_after_it_has_begun() -> None:
    situation = yard(opened="B2")
    cancelled = moved(walked(ONE_CLOSE, situation), to(P.CANCELLED, AMY, situation, "not needed")).plan
    assert (state(cancelled), cancelled.cancelled_date_time) == (P.CANCELLED, NOON)
    going = with_step(
        issued(switching(1, CLOSE, "B2"), switching(2, CLOSE, "Q1"), person=AMY), key(0), T.INSTRUCTED, NOON
    )
    with pytest.raises(Conflict, match="can only be aborted"):
        moved(Moved(plan=going), to(P.CANCELLED, AMY, situation))
    given_up = moved(Moved(plan=begun(going, NOON)), to(P.ABORTED, AMY, situation, "fog")).plan
    assert (state(given_up), step_states(given_up)) == (P.ABORTED, [T.PENDING, T.ABORTED])


def test_an_aborted_plan_ends_by_steps_that_make_it_safe_or_by_the_word_of_a_person() -> None:
    situation = yard(opened="B2 Q1 Q2")
    going = aborted(issued(switching(1, CLOSE, "B2"), person=AMY), NOON, "fog")
    assert state(settled(going, (), NOON)) is P.ABORTED
    safe = SwitchingStepGroup(sequence_number=2, switching_step=(switching(1, OPEN, "B1"),))
    with pytest.raises(Conflict, match="R11"):
        moved(Moved(plan=going), to(P.ABORTED, AMY, situation, switching_step_groups=(safe,)))
    quiet = SwitchingStepGroup(sequence_number=2, switching_step=(switching(1, OPEN, "R1"),))
    more = moved(Moved(plan=going), to(P.ABORTED, AMY, situation, switching_step_groups=(quiet,))).plan
    assert (state(more), ready(more, NOON)) == (P.ABORTED, key(1))
    more = confirmed(with_step(more, key(1), T.INSTRUCTED, NOON), key(1), NOON)
    assert state(settled(more, (), NOON)) is P.COMPLETED

    with pytest.raises(Invalid, match="says why"):
        moved(Moved(plan=going), to(P.COMPLETED, AMY, situation))
    said = moved(Moved(plan=going), to(P.COMPLETED, AMY, situation, "seen on the spot")).plan
    assert said.status is not None
    assert (said.status.value, said.status.reason) == (P.COMPLETED, "declared safe by 'amy': seen on the spot")
    unsure = stopped(
        with_step(issued(switching(1, CLOSE, "B2")), key(0), T.INSTRUCTED, NOON), key(0), T.PENDING, "no", NOON
    )
    with pytest.raises(Conflict, match="still open"):
        moved(Moved(plan=unsure), to(P.COMPLETED, AMY, situation, "seen"))


def test_after_a_failure_automation_gives_up_and_a_person_decides() -> None:
    series = (switching(1, CLOSE, "B2"), switching(2, CLOSE, "Q1"))
    of_fm, of_amy = (
        stopped(
            with_step(issued(*series, person=person), key(0), T.INSTRUCTED, NOON), key(0), T.PENDING, "no answer", NOON
        )
        for person in (FM, AMY)
    )
    assert (state(of_fm), step_states(of_fm), is_under_way(of_fm)) == (P.ABORTED, [T.PENDING, T.ABORTED], False)
    assert of_fm.status is not None
    assert of_fm.status.reason == "step 1 (B2): no answer"
    assert (state(of_amy), step_states(of_amy), ready(of_amy, NOON)) == (P.ISSUED, [T.PENDING, None], None)
    held = Moved(plan=begun(of_amy, NOON))
    situation = yard(opened="B2 Q1 Q2")
    again = moved(held, to(P.IN_PROGRESS, BOB, situation)).plan
    assert (step_states(again), ready(again, NOON), again.issuer) == ([None, None], key(0), ObjectReference(mrid="bob"))
    gone = SwitchingStepGroup(
        sequence_number=1, switching_step=(replace(switching(1, CLOSE, "B2"), status=Status(value=T.DELETED)),)
    )
    without = moved(held, to(P.IN_PROGRESS, BOB, situation, switching_step_groups=(gone,))).plan
    assert (step_states(without), ready(without, NOON)) == ([T.DELETED, None], key(1))


def test_steps_run_in_the_order_of_groups_and_sequence_numbers() -> None:
    later = SwitchingStepGroup(sequence_number=2, switching_step=(switching(1, OPEN, "B1"),))
    first = SwitchingStepGroup(sequence_number=1, switching_step=(switching(7, OPEN, "R1"), switching(2, OPEN, "B2")))
    new = taken(SwitchingPlan(mrid="p", switching_step_groups=(later, first)), FM, yard(), NOON).plan
    assert [step.switch_action.operated_switch.mrid for step in steps(new) if step.switch_action] == ["B2", "R1", "B1"]


def test_steps_that_are_free_run_side_by_side_and_the_next_waits_for_all_of_them() -> None:
    going = issued(
        switching(1, OPEN, "B1", free=True),
        switching(2, OPEN, "R1", free=True),
        switching(3, CLOSE, "B2"),
        situation=yard(opened="B2"),
    )
    assert ready(going, NOON) == key(0)
    going = with_step(going, key(0), T.INSTRUCTED, NOON)
    assert ready(going, NOON) == key(1)
    going = with_step(going, key(1), T.INSTRUCTED, NOON)
    assert (ready(going, NOON), awaited(going)) == (None, (key(0), key(1)))
    going = confirmed(going, key(1), NOON)
    assert ready(going, NOON) is None
    assert ready(confirmed(going, key(0), NOON), NOON) == key(2)


def test_a_step_waits_for_its_planned_time() -> None:
    later = NOON + timedelta(minutes=5)
    going = issued(switching(1, CLOSE, "B2", planned_date_time=later), switching(2, OPEN, "R1"))
    assert (ready(going, NOON), due(going), ready(going, later)) == (None, later, key(0))


def test_the_rules_are_asked_again_before_each_step() -> None:
    going = issued(switching(1, CLOSE, "B2"))
    assert decided(going, key(0), yard(opened="B2"), None).refusal is None
    tagged = decided(going, key(0), yard(opened="B2", tags=(tag("B2", holder="cal"),)), None)
    assert tagged.refusal == "R1: B2 has a tag HOLD_OPEN of 'cal'"
    assert decided(going, key(0), yard(), None).is_done
    gone = replace(going, switching_step_groups=plan(switching(1, CLOSE, "X")).switching_step_groups)
    assert decided(gone, key(0), yard(), None).refusal == "'X' is no switch of the model"


def test_of_steps_that_run_side_by_side_each_is_judged_as_if_the_others_were_done() -> None:
    free = plan(switching(1, CLOSE, "R1", free=True), switching(2, CLOSE, "Q2", free=True), state=P.ISSUED)
    alone = decided(free, key(1), yard(opened="R1"), None)
    assert alone.refusal is None
    beside = decided(with_step(free, key(0), T.INSTRUCTED, NOON), key(1), yard(opened="R1"), None)
    assert beside.refusal is not None
    assert "R6: its sides are fed by different sources" in beside.refusal


def test_a_remote_switch_gets_a_command_and_half_a_minute_and_a_named_crew_goes_by_hand() -> None:
    remote = decided(issued(switching(1, CLOSE, "B2")), key(0), yard(opened="B2"), None)
    assert remote.act is not None
    told = instruction(key(0), remote.act, remote=remote.remote, at=NOON)
    assert told.controls is not None
    (command,) = told.controls.command
    assert (command.control_type, command.value) == ("SwitchPosition", SwitchPosition.CLOSED)
    assert told.until == NOON + timedelta(seconds=30)
    crew = (ObjectReference(mrid="cal"),)
    by_hand = decided(issued(switching(1, CLOSE, "B2", crew=crew)), key(0), yard(opened="B2"), None)
    assert by_hand.act is not None
    told = instruction(key(0), by_hand.act, remote=by_hand.remote, at=NOON)
    assert (told.controls, told.until) == (None, NOON + timedelta(hours=2))


def test_reclosing_is_commanded_as_a_value_of_its_own() -> None:
    going = issued(
        switching(1, SwitchActionKind.DISABLE_RECLOSING, "R1"), switching(2, SwitchActionKind.ENABLE_RECLOSING, "R1")
    )
    for number, enabled in ((0, False), (1, True)):
        step = decided(going, key(number), yard(reclosing={"R1": not enabled}), None)
        assert step.act is not None
        told = instruction(key(number), step.act, remote=step.remote, at=NOON)
        assert told.controls is not None
        assert [(each.control_type, each.value) for each in told.controls.command] == [
            ("ReclosingEnabled", int(enabled))
        ]
        heard = reclosing_after(going, key(number), NOON)
        assert heard is not None
        assert (heard.device, heard.enabled, position_after(going, key(number), NOON)) == ("R1", enabled, None)


def test_an_operation_completes_one_step_at_most() -> None:
    first, second = (
        replace(with_step(issued(switching(1, CLOSE, "B2")), key(0), T.INSTRUCTED, NOON), mrid=mrid) for mrid in "ab"
    )
    closed = Position(device="B2", open=False, at=NOON)
    assert waiting_for(closed, (first, second)) == (first, key(0, "a"))
    assert waiting_for(replace(closed, open=True), (first, second)) is None


def test_a_plan_is_not_completed_while_something_that_it_placed_is_left() -> None:
    ground = GroundAction(
        kind=TempEquipActionKind.PLACE, ground=ObjectReference(mrid="g1"), grounded_equipment=ObjectReference(mrid="c")
    )
    named = OperationalTag(mrid="t1", power_system_resource=ObjectReference(mrid="D1"))
    series = (
        SwitchingStep(sequence_number=1, ground_action=ground),
        SwitchingStep(sequence_number=2, tag_action=TagAction(kind=TagActionKind.PLACE, operational_tag=named)),
        SwitchingStep(
            sequence_number=3,
            jumper_action=JumperAction(kind=TempEquipActionKind.PLACE, jumped_equipments=(ObjectReference(mrid="D1"),)),
        ),
        SwitchingStep(sequence_number=4, generic_action=GenericAction(description="report")),
    )
    done = plan(*series, state=P.IN_PROGRESS)
    for number in range(4):
        done = with_step(done, key(number), T.COMPLETED, NOON)
    assert placed_by(done) == {"g1", "t1", "plan/2"}
    waiting = settled(done, {"g1", "t1"}, NOON)
    assert waiting.status is not None
    assert (state(waiting), waiting.status.reason) == (P.IN_PROGRESS, "all steps are done; still in place: g1, t1")
    assert settled(waiting, {"g1", "t1"}, NOON) == waiting
    assert state(settled(waiting, (), NOON)) is P.COMPLETED
    assert in_place(yard(tags=(tag("D1"),))) == {"HOLD_OPEN D1 amy"}


def test_a_plan_without_steps_or_with_steps_that_say_nothing_is_refused_with_every_reason() -> None:
    with pytest.raises(Invalid, match="the plan has no steps"):
        taken(plan(), FM, yard(), NOON)
    tested = VerificationAction(verification_condition="Tested dead", power_system_resource=ObjectReference(mrid="D1"))
    with pytest.raises(Invalid) as refused:
        taken(
            plan(
                switching(1, OPEN, "L1"),
                SwitchingStep(
                    sequence_number=2, energy_source_action=EnergySourceAction(kind=TempEquipActionKind.PLACE)
                ),
                SwitchingStep(sequence_number=3, jumper_action=JumperAction(kind=TempEquipActionKind.PLACE)),
                SwitchingStep(sequence_number=4, verification_action=tested),
            ),
            FM,
            yard(),
            NOON,
        )
    assert refused.value.reason == (
        "step 1: 'L1' is no switch of the model; step 2: temporary sources are not carried out;"
        " step 3: a jumper goes past one piece of equipment with two ends, or between two nodes;"
        " step 4: what is tested dead is a node or a line: anything else has two sides"
    )


def test_one_plan_is_taken_at_a_time() -> None:
    with pytest.raises(Invalid, match="0 plans"):
        the_plan(SwitchingPlans())
    assert the_plan(SwitchingPlans(switching_plan=(ONE_CLOSE,))) == ONE_CLOSE


def test_the_part_of_a_crew_is_its_step_and_its_time_is_the_time_of_the_operation() -> None:
    going = issued(switching(1, CLOSE, "B2"), switching(2, OPEN, "F1"))
    (part,) = crew_part(going, key(1)).switching_plan
    assert [step.switch_action.operated_switch.mrid for step in steps(part) if step.switch_action] == ["F1"]
    assert executed_at(None) is None
    assert executed_at(crew_part(going, key(1))) is None
    placing = GroundAction(kind=TempEquipActionKind.PLACE, grounded_equipment=ObjectReference(mrid="c"))
    earthing = plan(SwitchingStep(sequence_number=1, ground_action=placing))
    (told,) = steps(crew_part(earthing, key(0)).switching_plan[0])
    assert told.ground_action == replace(placing, ground=ObjectReference(mrid="plan/0")), "so that it can be removed"
    done = confirmed(going, key(1), NOON + timedelta(minutes=9))
    assert executed_at(SwitchingPlans(switching_plan=(done,))) == NOON + timedelta(minutes=9)


@given(st.permutations([("B1", 3), ("B2", 1), ("Q1", 2), ("R1", 2)]))
def test_the_log_of_what_no_plan_asked_for_is_in_the_order_of_time_however_it_was_heard(
    heard: list[tuple[str, int]],
) -> None:
    log = None
    for device, minute in heard:
        event = SwitchingEvent(
            mrid=device,
            created_date_time=NOON + timedelta(minutes=minute),
            kind=OPEN,
            type=SwitchingEventType.REPORTED,
            operated_switch=ObjectReference(mrid=device),
        )
        log = miscellaneous(log, event, NOON)
    assert log is not None
    assert log.mrid == "miscellaneous-2026-03-02"
    assert [
        (step.sequence_number, step.switch_action.operated_switch.mrid) for step in steps(log) if step.switch_action
    ] == [
        (1, "B2"),
        (2, "Q1"),
        (3, "R1"),
        (4, "B1"),
    ]


@given(st.text(min_size=1), st.integers(0, 1000))
def test_a_step_key_survives_being_written(mrid: str, number: int) -> None:
    assert StepKey.parse(str(key(number, mrid))) == key(number, mrid)


@given(
    st.lists(st.tuples(st.sampled_from([OPEN, CLOSE]), st.sampled_from(["B1", "R1", "B2"])), min_size=1, max_size=6),
    st.sets(st.sampled_from(["B1", "R1", "B2"])),
    st.integers(0, 6),
)
def test_a_plan_executes_every_step_once_in_order_or_ends_at_the_one_that_failed(
    wanted: list[tuple[SwitchActionKind, str]], opened: set[str], failing: int
) -> None:
    situation = yard(opened=" ".join(opened))
    current = issued(
        *(switching(number, kind, device) for number, (kind, device) in enumerate(wanted)), situation=situation
    )
    instructed = []
    at: datetime = NOON
    while (next_key := ready(current, at)) is not None:
        current = json.decode(json.encode(begun(current, at)), type=SwitchingPlan)
        step = decided(current, next_key, situation, None)
        assert step.act is not None
        if step.is_done:
            current = with_step(current, next_key, T.PREVIOUSLY_COMPLETED, at)
            continue
        current = with_step(current, next_key, T.INSTRUCTED, at)
        instructed.append(next_key.number)
        assert (awaited(current), ready(current, at)) == ((next_key,), None)
        if len(instructed) > failing:
            current = stopped(current, next_key, T.FAILED, "it does not move", at)
        else:
            situation = situation.after(step.act)
            current = confirmed(current, next_key, at)
    current = settled(current, (), at)
    assert instructed == sorted(set(instructed))
    found = step_states(current)
    if state(current) is P.COMPLETED:
        assert set(found) <= {T.COMPLETED, T.PREVIOUSLY_COMPLETED}
        last = {device: kind is OPEN for kind, device in wanted}
        assert {device: situation.grid.state.device(device).open for device in last} == last
    else:
        assert state(current) is P.ABORTED
        failed = found.index(T.FAILED)
        assert set(found[failed + 1 :]) <= {T.ABORTED}
        assert set(found[:failed]) <= {T.COMPLETED, T.PREVIOUSLY_COMPLETED}
