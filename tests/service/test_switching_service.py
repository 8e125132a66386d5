"""Plans, tags and clearances at the desk of network operation, on real servers with a field that obeys."""

from datetime import timedelta

import pytest

from contracts.errors import Conflict, Denied, Invalid, NotFound
from contracts.nouns.get_switching_studies import SwitchingOption
from contracts.nouns.measurements import SwitchPosition
from contracts.nouns.operational_tags import OperationalTags, OperationalTagState, OperationalTagType
from contracts.nouns.safety_documents import ClearanceState, SafetyDocuments
from contracts.nouns.switching_plans import (
    GenericAction,
    GroundAction,
    JumperAction,
    OperationalTag,
    SwitchActionKind,
    SwitchingPlan,
    SwitchingPlanState,
    SwitchingStep,
    SwitchingStepState,
    TagAction,
    TagActionKind,
    TempEquipActionKind,
    VerificationAction,
)
from contracts.nouns.switching_studies import StudyOperation
from contracts.types import ObjectReference, Status
from contracts.verbs import Verb
from services.network_operation.domain.acts import TESTED_DEAD
from services.network_operation.domain.steps import step_state, steps
from shared.tools.testing import Installation
from tests.fixtures.control_room import (
    COLLEAGUE,
    EVE,
    OPERATOR,
    SUPERVISOR,
    ControlRoom,
    control_room,
    plans,
    references,
)
from tests.fixtures.switching_yard import switching, yard

P, T, C = SwitchingPlanState, SwitchingStepState, ClearanceState
OPEN, CLOSE = SwitchActionKind.OPEN, SwitchActionKind.CLOSE
PLACE, REMOVE = TempEquipActionKind.PLACE, TempEquipActionKind.REMOVE
FEEDERS = yard(opened="B2").grid.feeders


def ref(mrid: str) -> ObjectReference:
    return ObjectReference(mrid=mrid)


def states(plan: SwitchingPlan) -> list[SwitchingStepState | None]:
    return [step_state(step) for step in steps(plan)]


def proving(node: str) -> SwitchingStep:
    return SwitchingStep(
        sequence_number=1,
        verification_action=VerificationAction(verification_condition=TESTED_DEAD, power_system_resource=ref(node)),
    )


def grounding(node: str, mrid: str, kind: TempEquipActionKind = PLACE) -> SwitchingStep:
    action = GroundAction(kind=kind, ground=ref(mrid), grounded_equipment=ref(node))
    return SwitchingStep(sequence_number=1, ground_action=action)


def tagging(kind: TagActionKind, device: str, mrid: str) -> SwitchingStep:
    named = OperationalTag(mrid=mrid, type=OperationalTagType.HOLD_OPEN, power_system_resource=ref(device))
    return SwitchingStep(sequence_number=1, tag_action=TagAction(kind=kind, operational_tag=named))


async def told(room: ControlRoom, verb: Verb, noun: str) -> list[str | None]:
    """The mRIDs of what is told next under this verb and noun."""
    while True:
        message = (await room.peers["admin"].next()).message
        if (message.header.verb, message.header.noun) == (verb, noun):
            (members,) = [
                getattr(message.noun, name) for name in message.noun.__struct_fields__ if getattr(message.noun, name)
            ]
            return [each.mrid for each in members]


async def test_a_plan_isolates_tests_grounds_and_tags_and_another_undoes_it(dms: Installation) -> None:
    async with control_room(dms, *FEEDERS) as room:
        jumper = JumperAction(kind=PLACE, jumper=ref("j1"), jumped_equipments=references(["g", "e"]))
        report = SwitchingStep(sequence_number=1, generic_action=GenericAction(description="put up the fence"))
        isolate = plans(
            "isolate",
            switching(1, SwitchActionKind.DISABLE_RECLOSING, "R1"),
            switching(1, OPEN, "B1"),
            switching(1, OPEN, "D1", free=True),
            switching(1, OPEN, "F1", free=True),
            tagging(TagActionKind.PLACE, "D1", "t1"),
            tagging(TagActionKind.PLACE, "F1", "t2"),
            tagging(TagActionKind.PLACE, "Q1", "t3"),
            proving("c"),
            grounding("c", "g1"),
            SwitchingStep(sequence_number=1, jumper_action=jumper),
            report,
        )
        await room.ask(Verb.CREATE, isolate, None)
        plan = await room.standing_still("isolate")
        assert plan.status is not None
        assert plan.status.reason == "all steps are done; still in place: g1, j1, t1, t2, t3"
        assert states(plan) == [T.COMPLETED] * 11
        assert room.commands == ["R1 0", "B1 1"]
        assert [type(step.action).__name__ for step in room.orders] == [
            "SwitchAction",
            "SwitchAction",
            "VerificationAction",
            "GroundAction",
            "JumperAction",
            "GenericAction",
        ]
        feeder = await room.feeder()
        assert {each.mrid: each.kind for each in feeder.equipment if each.mrid in {"g1", "j1"}} == {
            "g1": "Ground",
            "j1": "Jumper",
        }
        assert {node.mrid for node in feeder.connectivity_node if node.source_phases} >= {"e", "f"}
        held = (await room.ask(Verb.GET, OperationalTags)).operational_tag
        assert [(tag.mrid, tag.author) for tag in held] == [(f"t{n}", ref("operator")) for n in (1, 2, 3)]
        assert "R1: D1 has a tag HOLD_OPEN of 'operator'" in await room.refusal(
            Verb.CREATE, plans("too early", switching(1, CLOSE, "D1")), SUPERVISOR
        )

        undo = plans(
            "undo",
            grounding("c", "g1", REMOVE),
            SwitchingStep(sequence_number=1, jumper_action=JumperAction(kind=REMOVE, jumper=ref("j1"))),
        )
        assert "R4: j1 is no load-break switch and feeds 30 customers" in await room.refusal(Verb.CREATE, undo, None)
        feed = switching(1, OPEN, "R1")
        undo = plans("undo", *steps(undo.switching_plan[0])[:1], feed, *steps(undo.switching_plan[0])[1:])
        await room.ask(Verb.CREATE, undo, None)
        await room.settled("undo", P.COMPLETED)
        for mrid in ("t1", "t2", "t3"):
            (tag,) = (await room.ask(Verb.GET, OperationalTags, ids=[mrid])).operational_tag
            await room.take_away(tag, None)  # type: ignore[arg-type]  # the role that hung it speaks for itself
        assert (await room.settled("isolate", P.COMPLETED)).status is not None
        assert (await room.feeder()).equipment == tuple(
            each for each in (await room.feeder()).equipment if each.mrid not in {"g1", "j1"}
        )


async def test_a_planned_plan_is_carried_out_after_four_people_have_moved_it(dms: Installation) -> None:
    async with control_room(dms, *FEEDERS) as room:
        later = room.now + timedelta(hours=1)
        draft = plans("planned", switching(1, CLOSE, "B2", planned_date_time=later), status=Status(value=P.DRAFT))
        await room.ask(Verb.CREATE, draft, OPERATOR)
        with pytest.raises(Denied):
            await room.move("planned", P.CHECKED, OPERATOR)
        await room.move("planned", P.CHECKED, COLLEAGUE)
        with pytest.raises(Denied):
            await room.move("planned", P.APPROVED, COLLEAGUE)
        await room.move("planned", P.APPROVED, SUPERVISOR)
        issued = await room.move("planned", P.ISSUED, OPERATOR)
        assert (issued.status and issued.status.value, room.commands) == (P.ISSUED, [])
        await room.grant(later)
        assert states(await room.settled("planned", P.COMPLETED)) == [T.COMPLETED]
        assert room.commands == ["B2 2"]
        assert await told(room, Verb.CLOSED, "SwitchingPlans") == ["planned"]


async def test_a_step_without_an_answer_stays_pending_until_the_field_or_a_person_says_more(dms: Installation) -> None:
    async with control_room(dms, *FEEDERS) as room:
        room.broken = {"B2": "", "B1": "the drive is stuck"}
        await room.ask(Verb.CREATE, plans("silent", switching(1, CLOSE, "B2"), switching(1, OPEN, "R1")), OPERATOR)
        await room.pass_time(seconds=31)
        stopped = await room.standing_still("silent")
        assert (states(stopped), stopped.status and stopped.status.reason) == (
            [T.PENDING, None],
            "step 1 (B2): no confirmation in time",
        )
        await room.report("B2", SwitchPosition.CLOSED)
        assert states(await room.settled("silent", P.COMPLETED)) == [T.COMPLETED, T.COMPLETED]

        await room.ask(Verb.CREATE, plans("stuck", switching(1, OPEN, "B1"), switching(1, CLOSE, "R1")), None)
        given_up = await room.settled("stuck", P.ABORTED)
        assert (states(given_up), given_up.status and given_up.status.reason) == (
            [T.PENDING, T.ABORTED],
            "step 1 (B1): the drive is stuck",
        )
        assert room.commands == ["B2 2", "R1 1", "B1 1"]
        with pytest.raises(Conflict, match="still open"):
            await room.move("stuck", P.COMPLETED, OPERATOR, reason="seen on the spot")


async def test_a_device_operated_outside_of_plans_goes_into_the_log_of_the_day(dms: Installation) -> None:
    async with control_room(dms, *FEEDERS) as room:
        await room.report("R1", SwitchPosition.OPEN)
        await room.seen("R1", is_open=True)
        log = await room.plan(f"miscellaneous-{room.now.date()}")
        assert [(each.operated_switch.mrid, each.kind) for step in steps(log) if (each := step.switch_action)] == [
            ("R1", OPEN)
        ]
        await room.trip("B1")
        assert len(steps(await room.plan(log.mrid))) == 1


async def test_tags_and_clearances_are_told_and_asked_for(dms: Installation) -> None:
    async with control_room(dms, *FEEDERS) as room:
        tag = await room.hang("B2", EVE)
        assert await told(room, Verb.CREATED, "OperationalTags") == [tag.mrid]
        with pytest.raises(Conflict, match="a tag with this mRID"):
            await room.hang("B2", EVE)
        with pytest.raises(Conflict, match="R1: B1 is closed and cannot be held open"):
            await room.hang("B1", EVE)
        with pytest.raises(Conflict, match="R13: the reclosing of R1 is not off"):
            await room.hang("R1", EVE, OperationalTagType.HOT_LINE)
        with pytest.raises(Denied):
            await room.take_away(tag, SUPERVISOR)
        await room.take_away(tag, EVE)
        assert await told(room, Verb.CHANGED, "OperationalTags") == [tag.mrid]
        (gone,) = (await room.ask(Verb.GET, OperationalTags, ids=[tag.mrid])).operational_tag
        assert (gone.status and gone.status.value, gone.revision_number) == (OperationalTagState.REMOVED, 2)
        assert (await room.ask(Verb.GET, OperationalTags)).operational_tag == ()

        await room.clearance("c1", C.DRAFT, OPERATOR, tagged_psrs=references(["B2"]))
        assert await told(room, Verb.CREATED, "SafetyDocuments") == ["c1"]
        with pytest.raises(Conflict, match="B2 has no tag that keeps it open"):
            await room.clearance("c1", C.PREPARED, OPERATOR)
        with pytest.raises(NotFound):
            await room.clearance("c2", C.PREPARED, OPERATOR)
        await room.clearance("c1", C.CANCELLED, OPERATOR)
        assert await told(room, Verb.CHANGED, "SafetyDocuments") == ["c1"]
        assert (await room.ask(Verb.GET, SafetyDocuments)).clearance_document == ()
        (kept,) = (await room.ask(Verb.GET, SafetyDocuments, ids=["c1"])).clearance_document
        assert (kept.status and kept.status.value) == C.CANCELLED


async def test_the_look_ahead_answers_several_options_without_switching_anything(dms: Installation) -> None:
    async with control_room(dms, *FEEDERS) as room:
        await room.trip("R1")
        options = tuple(
            SwitchingOption(mrid=mrid, operation=(StudyOperation(kind=CLOSE, operated_switch=ref(device)),))
            for mrid, device in (("again", "R1"), ("by the tie", "Q1"), ("by a dead tie", "Q2"))
        )
        studies = await room.look_ahead(*options)
        found = {study.mrid: (study.customers_picked_up, study.feasible) for study in studies}
        assert found == {"again": (40, True), "by the tie": (40, True), "by a dead tie": (0, True)}
        unknown = SwitchingOption(mrid="x", operation=(StudyOperation(kind=OPEN, operated_switch=ref("L1")),))
        with pytest.raises(Invalid):
            await room.look_ahead(unknown)
        assert room.commands == []
