"""Scenarios 16 to 21 of the guide: who and what forbids to switch, and for how long."""

from typing import Any

import pytest

from contracts.errors import Conflict, Denied
from contracts.message import User
from contracts.nouns.get_switching_studies import SwitchingOption
from contracts.nouns.measurements import SwitchPosition
from contracts.nouns.operational_tags import OperationalTag, OperationalTagType
from contracts.nouns.safety_documents import ClearanceState
from contracts.nouns.switching_plans import (
    GroundAction,
    JumperAction,
    RuleOverride,
    SwitchActionKind,
    SwitchingPlan,
    SwitchingPlans,
    SwitchingPlanState,
    SwitchingStep,
    TempEquipActionKind,
    VerificationAction,
)
from contracts.nouns.switching_studies import StudyOperation, SwitchingStudy
from contracts.types import ObjectReference, Status
from contracts.verbs import Verb
from services.network_operation.domain.acts import TESTED_DEAD
from shared.tools.testing import Installation
from tests.fixtures.control_room import (
    ADA,
    COLLEAGUE,
    EVE,
    OPERATOR,
    SUPERVISOR,
    ControlRoom,
    control_room,
    plans,
    references,
)
from tests.fixtures.switching_yard import piece, switching, yard

P, C, TAG = SwitchingPlanState, ClearanceState, OperationalTagType
OPEN, CLOSE = SwitchActionKind.OPEN, SwitchActionKind.CLOSE


def ref(mrid: str) -> ObjectReference:
    return ObjectReference(mrid=mrid)


def grounding(node: str, mrid: str) -> SwitchingStep:
    action = GroundAction(kind=TempEquipActionKind.PLACE, ground=ref(mrid), grounded_equipment=ref(node))
    return SwitchingStep(sequence_number=1, ground_action=action)


def proving(node: str) -> SwitchingStep:
    action = VerificationAction(verification_condition=TESTED_DEAD, power_system_resource=ref(node))
    return SwitchingStep(sequence_number=1, verification_action=action)


def step_states(plan: SwitchingPlan) -> list[str | None]:
    steps = (step for group in plan.switching_step_groups for step in group.switching_step)
    return [None if step.status is None else step.status.value for step in steps]


def override(rule: str) -> RuleOverride:
    return RuleOverride(reason="it must be", rule=rule, approver=ref("per"))


async def closing(room: ControlRoom, device: str) -> SwitchingStudy:
    """What the look-ahead says to automation about closing a device."""
    operation = StudyOperation(kind=CLOSE, operated_switch=ref(device))
    (study,) = await room.look_ahead(SwitchingOption(mrid=device, operation=(operation,)))
    return study


async def drafted(room: ControlRoom, mrid: str, *steps: SwitchingStep, **more: Any) -> None:
    """A planned plan of an operator."""
    await room.ask(Verb.CREATE, plans(mrid, *steps, status=Status(value=P.DRAFT), **more), OPERATOR)


async def isolated(room: ControlRoom) -> list[OperationalTag]:
    """The section of c and d opened on all sides, tagged, tested dead and grounded; the tags."""
    await room.switch("open", *(switching(1, OPEN, device) for device in ("B1", "D1", "F1")), person=None)
    tags = [await room.hang(device, OPERATOR) for device in ("D1", "F1", "Q1")]
    await room.ask(Verb.CREATE, plans("earth", proving("c"), grounding("c", "g1")), None)
    await room.standing_still("earth")
    return tags


async def issued_clearance(room: ControlRoom, mrid: str, holder: User) -> None:
    """A clearance on that section that a person holds."""
    await room.clearance(mrid, C.DRAFT, OPERATOR, tagged_psrs=references(["D1", "F1", "Q1"]))
    await room.clearance(mrid, C.PREPARED, OPERATOR)
    await room.clearance(mrid, C.ISSUED, SUPERVISOR, issued_to_supervisor=ref(holder.user_id))


async def test_a_breaker_that_trips_under_a_hot_line_tag_is_closed_by_nobody_from_no_side(dms: Installation) -> None:
    """Scenario 16: a crew holds a hot-line tag on the tie feeder, the breaker trips there."""
    async with control_room(dms, *yard().grid.feeders) as room:
        assert "R13: the reclosing of R1 is not off" in await _hanging(room, "R1")
        await room.switch("reclosing off", switching(1, SwitchActionKind.DISABLE_RECLOSING, "R1"))
        tag = await room.hang("R1", EVE, TAG.HOT_LINE)
        await room.trip("R1")

        enable = plans("reclosing", switching(1, SwitchActionKind.ENABLE_RECLOSING, "R1"))
        again, by_tie = (plans(name, switching(1, CLOSE, device)) for name, device in (("again", "R1"), ("tie", "Q1")))
        for wanted, rule in ((enable, "R1"), (again, "R1"), (by_tie, "R13")):
            for person in (None, OPERATOR, SUPERVISOR):
                assert f"step 1: {rule}" in await room.refusal(Verb.CREATE, wanted, person)
        for device in ("R1", "Q1", "Q2"):
            assert not (await closing(room, device)).feasible
        assert room.commands == ["R1 0"]

        await room.take_away(tag, EVE)
        assert (await closing(room, "Q1")).feasible
        assert await room.switch("restore", switching(1, CLOSE, "R1"))
        assert room.commands == ["R1 0", "R1 2"]


async def test_a_sequence_stops_at_the_switch_that_says_it_failed_and_moves_later(dms: Installation) -> None:
    """Scenario 17: a switch answers failed and reports open 40 s later: pending, a person decides, nothing closes."""
    async with control_room(dms, *yard().grid.feeders) as room:
        room.broken = {"R1": "failed"}
        steps = (switching(1, OPEN, "B2"), switching(1, OPEN, "R1"), switching(1, CLOSE, "Q1"))
        await room.ask(Verb.CREATE, plans("sequence", *steps), None)
        stopped = await room.settled("sequence", P.ABORTED)
        assert step_states(stopped) == ["COMPLETED", "PENDING", "ABORTED"]
        await room.pass_time(seconds=40)
        await room.report("R1", SwitchPosition.OPEN)
        await room.seen("R1", is_open=True)
        late = await room.plan("sequence")
        assert (late.status and late.status.value, step_states(late)) == (
            P.ABORTED,
            ["COMPLETED", "COMPLETED", "ABORTED"],
        )
        assert room.commands == ["B2 1", "R1 1"]
        told = [message for message in room.told() if message.header.noun == "SwitchingEvents"]
        moves = [
            (event.operated_switch.mrid, event.switching_plan) for each in told for event in each.noun.switching_event
        ]
        assert moves == [("B2", ref("sequence")), ("R1", ref("sequence"))]
        decided = await room.move("sequence", P.COMPLETED, OPERATOR, reason="the tie stays open")
        assert decided.status is not None
        assert decided.status.reason == "declared safe by 'ola': the tie stays open"


async def test_a_trip_in_its_feeders_ends_a_sequence_of_automation(dms: Installation) -> None:
    """Of section 3.6, 4: an unexpected trip stops a sequence, and it is handed over."""
    async with control_room(dms, *yard(opened="R1").grid.feeders) as room:
        room.broken = {"Q1": ""}
        await room.ask(Verb.CREATE, plans("sequence", switching(1, CLOSE, "Q1"), switching(1, OPEN, "B2")), None)
        await room.ask(Verb.CREATE, plans("of a person", switching(1, CLOSE, "R1")), OPERATOR)
        await room.trip("B1")
        stopped = await room.settled("sequence", P.ABORTED)
        assert (step_states(stopped), stopped.status and stopped.status.reason) == (
            ["PENDING", "ABORTED"],
            "'B1' tripped meanwhile",
        )
        assert room.commands == ["Q1 2", "R1 2"]


async def test_a_plan_that_was_approved_is_not_issued_after_a_jumper_was_placed_in_its_way(dms: Installation) -> None:
    """Scenario 18: approved on Monday, a jumper on Tuesday, not issued on Wednesday."""
    async with control_room(dms, *yard(opened="B2").grid.feeders) as room:
        await drafted(room, "monday", switching(1, CLOSE, "B2"))
        await room.move("monday", P.CHECKED, COLLEAGUE)
        await room.move("monday", P.APPROVED, SUPERVISOR)
        await room.pass_time(days=1)
        jumper = JumperAction(
            kind=TempEquipActionKind.PLACE, jumper=ref("jumper"), jumped_equipments=references(["bay", "k"])
        )
        await room.ask(Verb.CREATE, plans("tuesday", SwitchingStep(sequence_number=1, jumper_action=jumper)), OPERATOR)
        await room.standing_still("tuesday")
        await room.pass_time(days=1)

        refused = await room.move("monday", P.ISSUED, OPERATOR)
        assert refused.status is not None
        assert refused.status.value == P.DRAFT
        assert refused.status.reason == (
            "not issued: R12: 'jumper' was not there when the plan was checked and is a Jumper in place"
        )
        assert room.commands == []


async def test_two_clearances_on_a_section_keep_it_until_the_second_is_surrendered(dms: Installation) -> None:
    """Scenario 19: two clearances, one surrendered; closing is refused, and so is a supervisor's override."""
    async with control_room(dms, *yard().grid.feeders) as room:
        tags = await isolated(room)
        await issued_clearance(room, "first", EVE)
        await issued_clearance(room, "second", ADA)
        await room.clearance("first", C.SURRENDERED, EVE)
        with pytest.raises(Conflict, match="R9: it is the last tag that isolates work under the clearance second"):
            await room.take_away(tags[0], OPERATOR)
        close = plans("close", switching(1, CLOSE, "D1"))
        held = "R9: D1 isolates work under the clearance second of 'ada'"
        for person in (None, OPERATOR, SUPERVISOR):
            assert held in await room.refusal(Verb.CREATE, close, person)
        await drafted(room, "forced", switching(1, CLOSE, "D1"), rule_override=tuple(map(override, ("R1", "R2", "R9"))))
        forced = SwitchingPlans(switching_plan=(SwitchingPlan(mrid="forced", status=Status(value=P.CHECKED)),))
        assert held in await room.refusal(Verb.CHANGE, forced, SUPERVISOR)
        with pytest.raises(Denied, match="held by 'ada', who alone"):
            await room.clearance("second", C.SURRENDERED, SUPERVISOR)

        await room.clearance("second", C.SURRENDERED, ADA)
        for tag in tags:
            await room.take_away(tag, OPERATOR)
        mend = GroundAction(kind=TempEquipActionKind.REMOVE, ground=ref("g1"))
        opened = await room.switch(
            "restore",
            SwitchingStep(sequence_number=1, ground_action=mend),
            *(switching(1, CLOSE, each) for each in ("D1", "F1", "B1")),
        )
        assert opened.status is not None
        assert opened.status.value == P.COMPLETED
        assert {node.mrid for node in (await room.feeder()).connectivity_node if node.source_phases} >= {"c", "d", "f"}


async def test_a_tie_is_closed_between_feeders_of_one_transformer_and_not_of_two_substations(dms: Installation) -> None:
    """Scenario 20: another substation, a shift or unknown phasing is refused; the same transformer is allowed."""
    async with control_room(dms, *yard().grid.feeders) as room:
        refused = await closing(room, "Q2")
        (other,) = [each for each in refused.rule_violation if each.severity == "refuse"]
        assert (refused.feasible, other.rule, other.reason) == (
            False,
            "R6",
            "its sides are fed by different sources, S1 and S2",
        )
        allowed = await closing(room, "Q1")
        assert allowed.feasible
        (loop,) = [
            each for each in allowed.rule_violation if each.rule == "R6" and each.power_system_resource == ref("Q1")
        ]
        assert (loop.severity, loop.reason) == ("warn", "it closes a loop in which an unknown current would flow")
        assert "R6" in await room.refusal(Verb.CREATE, plans("parallel", switching(1, CLOSE, "Q2")), OPERATOR)

    for group, reason in (("Dyn5", "differ by 180 degrees"), (None, "is unknown")):
        second = piece("T2", "PowerTransformer", "grid1", "bay", connection=group)
        async with control_room(dms, *yard(second).grid.feeders) as room:
            refused = await closing(room, "Q2")
            assert not refused.feasible
            assert any(reason in each.reason for each in refused.rule_violation if each.rule == "R6")


async def test_a_lateral_with_solar_panels_may_be_live_until_it_was_tested_dead(dms: Installation) -> None:
    """Scenario 21: after its fuse is open a lateral with panels is possibly live; no ground before a test."""
    panels = piece("PV", "PowerElectronicsConnection", "f")
    async with control_room(dms, *yard(panels).grid.feeders) as room:
        await room.switch("open", switching(1, OPEN, "F1"), person=None)
        for device in ("F1", "PV"):
            await room.hang(device, OPERATOR, TAG.DO_NOT_OPERATE)
        nodes = {node.mrid: node for node in (await room.feeder()).connectivity_node}
        assert {nodes[node].source_phases for node in "ef"} == {None}

        earth = plans("earth", grounding("e", "g1"))
        with pytest.raises(Conflict, match="R3: the section was not tested dead and may be live from PV"):
            await room.ask(Verb.CREATE, earth, OPERATOR)
        room.broken = {"VerificationAction": "there is voltage"}
        await room.ask(Verb.CREATE, plans("test", proving("e"), grounding("e", "g1")), None)
        assert (await room.settled("test", P.ABORTED)).status is not None
        assert [type(step.action).__name__ for step in room.orders] == ["SwitchAction", "VerificationAction"]
        with pytest.raises(Conflict, match="R3"):
            await room.ask(Verb.CREATE, earth, OPERATOR)

        room.broken = {}
        await room.ask(Verb.CREATE, plans("again", proving("e"), grounding("e", "g1")), None)
        assert (await room.standing_still("again")).status is not None
        assert {each.kind for each in (await room.feeder()).equipment if each.mrid == "g1"} == {"Ground"}


async def _hanging(room: ControlRoom, device: str) -> str:
    try:
        await room.hang(device, EVE, TAG.HOT_LINE)
    except Conflict as refused:
        return refused.reason
    return ""
