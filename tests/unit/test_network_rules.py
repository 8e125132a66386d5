"""Each switching rule, where it speaks and where it is silent."""

from typing import Any

import pytest
from msgspec.structs import replace

from contracts.nouns.operational_tags import OperationalTagType
from contracts.nouns.safety_documents import ClearanceDocument, ClearanceState
from contracts.nouns.switching_plans import RuleOverride
from contracts.nouns.switching_studies import SeverityKind
from contracts.nouns.units import PhaseCode
from contracts.nouns.unplanned_outages import CrewStatusKind, OutageState, OutageStatusKind, UnplannedOutage
from contracts.types import ObjectReference, Status
from services.network_operation.domain.acts import Act, ActKind
from services.network_operation.domain.clearances import Clearance
from services.network_operation.domain.figures import Figures
from services.network_operation.domain.phases import Phases
from services.network_operation.domain.rules import RULES, judged, standing
from services.network_operation.domain.rules.move import Basis, Move, Violation
from services.network_operation.domain.situation import FaultedArea, Situation
from services.network_operation.domain.temporary import Temporary, TemporaryKind
from tests.fixtures.switching_yard import piece, proof, tag, yard

REFUSE, WARN = SeverityKind.REFUSE, SeverityKind.WARN
K = ActKind
TAG = OperationalTagType


def found(situation: Situation, kind: ActKind, device: str, **more: Any) -> list[tuple[str, SeverityKind, str]]:
    """Rule, severity and object of everything that is found about one act."""
    move = Move(act=Act(kind=kind, device=device), before=situation)
    return told(replace(move, **more))


def told(move: Move) -> list[tuple[str, SeverityKind, str]]:
    return [(each.rule, each.severity, each.object) for each in judged(move)]


def rules(findings: list[tuple[str, SeverityKind, str]]) -> set[str]:
    return {rule for rule, _, _ in findings}


def ground(node: str, mrid: str = "ground") -> Temporary:
    return Temporary(mrid=mrid, kind=TemporaryKind.GROUND, node1=node, plan="p")


def placing(each: Temporary) -> Act:
    return Act(kind=K.PLACE, device=each.mrid, temporary=each)


def grounded(situation: Situation, node: str) -> Situation:
    return situation.after(placing(ground(node)))


def clearance(*boundary: str, zone: str, state: ClearanceState = ClearanceState.ISSUED) -> Clearance:
    return Clearance(
        document=ClearanceDocument(
            mrid="clearance",
            issued_to_supervisor=ObjectReference(mrid="bob"),
            status=Status(value=state),
            tagged_psrs=tuple(ObjectReference(mrid=mrid) for mrid in boundary),
        ),
        zone=tuple(zone.split()),
    )


def test_the_rules_are_those_of_the_guide_in_its_order() -> None:
    assert [rule.id for rule in RULES] == [f"R{number}" for number in range(1, 16)]
    assert [rule.id for rule in RULES if not rule.overridable] == ["R1", "R2", "R3", "R9"]


def test_an_ordinary_operation_of_a_breaker_finds_nothing_but_who_loses_supply() -> None:
    assert found(yard(), K.OPEN, "B1") == [("R11", WARN, "P-f")]
    assert found(yard(opened="B2"), K.CLOSE, "B2") == []


@pytest.mark.parametrize(
    ("kind", "act", "forbidden"),
    [
        (TAG.DO_NOT_OPERATE, K.OPEN, True),
        (TAG.DO_NOT_OPERATE, K.CLOSE, True),
        (TAG.HOLD_OPEN, K.OPEN, False),
        (TAG.HOLD_OPEN, K.CLOSE, True),
        (TAG.GROUND_PLACED, K.CLOSE, True),
        (TAG.GROUND_PLACED, K.OPEN, False),
        (TAG.HOT_LINE, K.ENABLE_RECLOSING, True),
        (TAG.HOT_LINE, K.DISABLE_RECLOSING, False),
        (TAG.HOT_LINE, K.CLOSE, False),
        (TAG.CAUTION, K.CLOSE, False),
    ],
)
def test_r1_a_tag_forbids_what_its_kind_says(kind: OperationalTagType, act: ActKind, forbidden: bool) -> None:
    situation = yard(opened="B2", tags=(tag("B2", kind),))
    assert (("R1", REFUSE, "B2") in found(situation, act, "B2")) is forbidden


def test_r1_a_caution_warns_and_a_tag_that_is_planned_or_removed_says_nothing() -> None:
    assert ("R1", WARN, "B2") in found(yard(opened="B2", tags=(tag("B2", TAG.CAUTION),)), K.CLOSE, "B2")


def test_r1_what_tripped_under_a_hot_line_tag_is_not_closed() -> None:
    held = yard(opened="B1", tags=(tag("B1", TAG.HOT_LINE),), tripped=frozenset({"B1"}))
    assert ("R1", REFUSE, "B1") in found(held, K.CLOSE, "B1")
    assert "R1" not in rules(found(replace(held, tripped=frozenset()), K.CLOSE, "B1"))
    whole = replace(held, tags=(tag("yard", TAG.HOT_LINE),))
    assert ("R1", REFUSE, "yard") in found(whole, K.CLOSE, "B1")


def test_r1_a_closed_switch_cannot_be_held_open() -> None:
    act = Act(kind=K.PLACE_TAG, device="B1", tag=tag("B1"))
    assert told(Move(act=act, before=yard())) == [("R1", REFUSE, "B1")]
    assert told(Move(act=act, before=yard(opened="B1"))) == []


def test_r2_nothing_energises_a_grounded_section() -> None:
    situation = grounded(yard(opened="D1"), "c")
    assert ("R2", REFUSE, "ground") in found(situation, K.CLOSE, "D1")
    assert ("R2", REFUSE, "ground") in found(situation, K.CLOSE, "Q1")
    assert "R2" not in rules(found(situation, K.OPEN, "F1"))
    jumper = Temporary(mrid="j", kind=TemporaryKind.JUMPER, node1="b", node2="d", plan="p")
    assert ("R2", REFUSE, "ground") in told(Move(act=placing(jumper), before=situation))


def test_r2_looks_at_the_phases() -> None:
    single = piece("D1", "Disconnector", "b", "c", open=True, phases=PhaseCode.A)
    earth = Temporary(mrid="ground", kind=TemporaryKind.GROUND, node1="c", phases=PhaseCode.BC, plan="p")
    situation = yard(single).after(placing(earth))
    assert "R2" not in rules(found(situation, K.CLOSE, "D1"))


def test_r2_a_generator_is_not_joined_to_a_grounded_section() -> None:
    situation = grounded(yard(piece("PV", "PowerElectronicsConnection", "f"), opened="D1 F1"), "c")
    assert ("R2", REFUSE, "ground") in found(situation, K.CLOSE, "F1")


def test_r3_a_ground_needs_a_dead_section_tested_and_tagged_on_all_sides() -> None:
    act = placing(ground("c"))
    assert told(Move(act=act, before=yard())) == [("R3", REFUSE, "c")]
    isolated = yard(opened="D1")
    assert told(Move(act=act, before=isolated)) == [("R3", REFUSE, "D1"), ("R3", REFUSE, "Q1"), ("R3", REFUSE, "c")]
    tagged = replace(isolated, tags=(tag("D1"), tag("Q1", TAG.DO_NOT_OPERATE)))
    assert told(Move(act=act, before=tagged)) == [("R3", REFUSE, "c")]
    assert told(Move(act=act, before=replace(tagged, proofs=(proof("c"),)))) == [("R3", REFUSE, "c")]
    tested = tagged.after(Act(kind=K.TEST, device="L2"))
    assert told(Move(act=act, before=tested)) == []


def test_r3_a_test_is_void_once_the_section_was_live_or_joined_to_more() -> None:
    tags = (tag("D1"), tag("Q1"))
    tested = yard(opened="D1 F1", tags=tags).after(Act(kind=K.TEST, device="c"))
    assert tested.proofs[0].nodes == ("c", "d")
    assert tested.after(Act(kind=K.CLOSE, device="D1")).after(Act(kind=K.OPEN, device="D1")).proofs == ()
    assert tested.after(Act(kind=K.CLOSE, device="F1")).proofs == ()
    assert yard(opened="D1").after(Act(kind=K.TEST, device="b")).proofs == ()


def test_r3_a_generator_in_the_section_must_be_tagged_too() -> None:
    situation = yard(
        piece("PV", "PowerElectronicsConnection", "f"),
        opened="D1",
        tags=(tag("D1"), tag("Q1")),
        proofs=(proof(*"cdef"),),
    )
    assert told(Move(act=placing(ground("c")), before=situation)) == [("R3", REFUSE, "PV")]
    tagged = replace(situation, tags=(*situation.tags, tag("PV")))
    assert told(Move(act=placing(ground("c")), before=tagged)) == []


def test_r4_load_is_broken_by_what_is_made_for_it() -> None:
    assert ("R4", REFUSE, "D1") in found(yard(), K.OPEN, "D1")
    assert ("R4", WARN, "F1") in found(yard(), K.OPEN, "F1")
    sectionaliser = piece("F1", "Sectionaliser", "d", "e", open=False, normal_open=False)
    assert ("R4", WARN, "F1") in found(yard(sectionaliser), K.OPEN, "F1")
    assert "R4" not in rules(found(yard(), K.OPEN, "B1"))
    assert "R4" not in rules(found(yard(opened="B1"), K.OPEN, "D1"))
    assert "R4" not in rules(found(yard(closed="Q1"), K.OPEN, "D1"))


def test_r4_a_measured_current_counts_more_than_who_hangs_behind() -> None:
    assert ("R4", REFUSE, "F1") in found(yard(currents={"F1": 12.0}), K.OPEN, "F1")
    assert "R4" not in rules(found(yard(currents={"D1": 0.0}), K.OPEN, "D1"))


def test_r4_a_line_that_feeds_somebody_is_not_cut_and_no_jumper_that_does_is_taken_away() -> None:
    cut = Temporary(mrid="cut", kind=TemporaryKind.CUT, node1="c", node2="d", line="L2", plan="p")
    assert ("R4", REFUSE, "cut") in told(Move(act=placing(cut), before=yard()))
    assert "R4" not in rules(told(Move(act=placing(cut), before=yard(opened="D1"))))
    jumper = Temporary(mrid="j", kind=TemporaryKind.JUMPER, node1="b", node2="c", plan="p")
    bridged = yard(opened="D1").after(placing(jumper))
    assert ("R4", REFUSE, "j") in told(Move(act=Act(kind=K.REMOVE, device="j"), before=bridged))


def outage(*dark: str, isolation: str = "", **more: Any) -> UnplannedOutage:
    given: dict[str, Any] = {"status": Status(value=OutageState.CONFIRMED), **more}
    return UnplannedOutage(
        mrid="outage",
        outage_kind=OutageStatusKind.CONFIRMED,
        revision_number=1,
        de_energized_usage_point=tuple(ObjectReference(mrid=mrid) for mrid in dark),
        outage_isolation_equipment=tuple(ObjectReference(mrid=mrid) for mrid in isolation.split()),
        **given,
    )


def test_r5_automation_does_not_close_onto_a_fault_and_a_person_answers_for_it() -> None:
    area = FaultedArea.of(outage("P-b", "P-d", "P-f"))
    assert area is not None
    situation = yard(opened="B1", faults=(area,))
    assert ("R5", REFUSE, "outage") in found(situation, K.CLOSE, "B1")
    by_hand = Move(act=Act(kind=K.CLOSE, device="B1"), before=situation, by_person=True)
    assert ("R5", WARN, "outage") in told(by_hand)
    (violation,) = [each for each in judged(by_hand) if each.rule == "R5"]
    assert standing((violation,), (), by_person=True) == (violation,)
    word = RuleOverride(reason="patrolled", rule="R5", author=ObjectReference(mrid="amy"))
    assert standing((violation,), (word,), by_person=True) == ()


def test_r5_what_is_isolated_may_be_brought_back_around_the_fault_and_not_through_it() -> None:
    area = FaultedArea.of(outage("P-b", "P-d", "P-f", isolation="D1 F1"))
    assert area is not None
    isolated = yard(opened="B1 D1 F1", faults=(area,))
    assert "R5" not in rules(found(isolated, K.CLOSE, "B1"))
    assert ("R5", REFUSE, "outage") in found(isolated, K.CLOSE, "D1")


def test_r5_a_repaired_and_a_merely_predicted_outage_forbid_nothing() -> None:
    assert FaultedArea.of(outage("P-b", status_kind=CrewStatusKind.FIELD_COMPLETE)) is None
    assert FaultedArea.of(outage("P-b", status=Status(value=OutageState.PREDICTED))) is None
    assert FaultedArea.of(outage("P-b", status=Status(value=OutageState.RESTORED))) is None


def test_r6_two_feeders_of_one_transformer_may_be_paralleled_with_a_warning() -> None:
    findings = found(yard(), K.CLOSE, "Q1")
    assert ("R6", WARN, "Q1") in findings
    assert ("R6", WARN, "R1") in findings
    assert ("R6", WARN, "R1") not in found(yard(reclosing={"R1": False}), K.CLOSE, "Q1")
    solved = yard(
        figures=lambda question: Figures(status="solved", through=87.0 if question.devices == ("Q1",) else None)
    )
    loop = Move(act=Act(kind=K.CLOSE, device="Q1"), before=solved)
    assert "it closes a loop in which 87 A would flow" in [each.reason for each in judged(loop)]


def test_r6_two_sources_are_never_paralleled() -> None:
    assert ("R6", REFUSE, "Q2") in found(yard(), K.CLOSE, "Q2")
    assert "R6" not in rules(found(yard(opened="R1"), K.CLOSE, "Q2"))


@pytest.mark.parametrize(("group", "severity"), [("Dyn11", WARN), ("Dyn5", REFUSE), ("Dy", REFUSE), (None, REFUSE)])
def test_r6_transformers_of_one_source_must_shift_alike(group: str | None, severity: SeverityKind) -> None:
    second = piece("T2", "PowerTransformer", "grid1", "bay", connection=group)
    assert ("R6", severity, "Q2") in found(yard(second), K.CLOSE, "Q2")


def test_r6_phases_that_have_changed_places_are_not_joined() -> None:
    rolled = piece("L4", "ACLineSegment", "g", "h", phases_at_node2="BCA")
    assert ("R6", REFUSE, "Q1") in found(yard(rolled), K.CLOSE, "Q1")
    back = piece("Q1", "LoadBreakSwitch", "d", "h", open=True, phases_at_node2="BCA")
    assert ("R6", WARN, "Q1") in found(yard(rolled, back), K.CLOSE, "Q1")


def test_r7_a_three_phase_load_is_not_left_on_two_phases() -> None:
    move = Move(act=Act(kind=K.OPEN, device="F1", phases=Phases.A), before=yard())
    assert ("R7", WARN, "P-f") in told(move)
    assert move.after.grid.voltage("f") == Phases.B | Phases.C
    assert "R7" not in rules(found(yard(), K.OPEN, "F1"))


def test_r9_an_issued_clearance_blocks_its_boundary_and_its_section() -> None:
    held = grounded(yard(opened="D1 F1", tags=(tag("D1"), tag("Q1"), tag("F1"))), "c")
    held = replace(held, clearances=(clearance("D1", "Q1", "F1", zone="c d"),))
    for device in ("D1", "Q1", "F1"):
        assert ("R9", REFUSE, device) in found(held, K.CLOSE, device)
        assert ("R9", REFUSE, device) in found(held, K.OPEN, device)
    jumper = Temporary(mrid="j", kind=TemporaryKind.JUMPER, node1="d", node2="e", plan="p")
    assert ("R9", REFUSE, "j") in told(Move(act=placing(jumper), before=held))
    assert ("R9", REFUSE, "ground") in found(held, K.REMOVE, "ground")
    last = Act(kind=K.REMOVE_TAG, device="D1", tag=tag("D1"))
    assert ("R9", REFUSE, "D1") in told(Move(act=last, before=held))
    more = replace(held, tags=(*held.tags, tag("D1", holder="bob")))
    assert "R9" not in rules(told(Move(act=last, before=more)))
    over = replace(held, clearances=(clearance("D1", "Q1", "F1", zone="c d", state=ClearanceState.SURRENDERED),))
    assert "R9" not in rules(found(over, K.CLOSE, "D1"))


def test_r9_a_clearance_is_not_prepared_on_equipment_that_is_not_ready() -> None:
    waiting = replace(yard(opened="D1"), clearances=(clearance("D1", "Q1", zone="", state=ClearanceState.DRAFT),))
    reasons = [
        each.reason for each in judged(Move(act=Act(kind=K.PREPARE_CLEARANCE, device="clearance"), before=waiting))
    ]
    assert reasons == [
        "D1 has no tag that keeps it open",
        "Q1 has no tag that keeps it open",
        "the section of 'c' was not tested dead since it was last live or changed",
        "the section of 'c' is not grounded",
    ]


def test_r10_earthing_switches_and_line_switches_are_interlocked() -> None:
    earth = (piece("G", "GroundDisconnector", "d", "earth", open=True), piece("E", "Ground", "earth"))
    tags = (tag("D1"), tag("Q1"), tag("F1"))
    beside = yard(*earth, opened="D1", tags=tags, proofs=(proof(*"cdef"),))
    assert found(beside, K.CLOSE, "G") == [("R10", REFUSE, "F1")]
    apart = yard(*earth, opened="D1 F1", tags=tags, proofs=(proof(*"cd"),))
    assert found(apart, K.CLOSE, "G") == []
    assert {"R2", "R3"} <= rules(found(yard(*earth), K.CLOSE, "G"))
    earthed = replace(apart.after(Act(kind=K.CLOSE, device="G")), tags=())
    assert ("R10", REFUSE, "G") in found(earthed, K.CLOSE, "F1")
    assert ("R2", REFUSE, "E") in found(earthed, K.CLOSE, "Q1")


def test_r11_a_person_answers_by_name_for_critical_customers() -> None:
    (violation,) = judged(Move(act=Act(kind=K.OPEN, device="B1"), before=yard(), by_person=True))
    assert (violation.rule, violation.object, violation.wants_word) == ("R11", "P-f", True)
    assert standing((violation,), (), by_person=True) == (violation,)
    assert standing((violation,), (), by_person=False) == ()


def test_r12_two_plans_do_not_touch_the_same_switch_and_an_old_model_is_refused() -> None:
    assert ("R12", REFUSE, "B2") in found(yard(opened="B2", rivals={"B2": "other"}), K.CLOSE, "B2")
    assert "R12" not in rules(found(yard(opened="B2", rivals={"B1": "other"}), K.CLOSE, "B2"))
    basis = Basis(model_version="0")
    assert ("R12", REFUSE, "plan") in found(yard(opened="B2"), K.CLOSE, "B2", basis=basis, plan="plan")


def test_r13_reclosing_is_off_before_a_hot_line_tag_and_stays_off() -> None:
    placed = Act(kind=K.PLACE_TAG, device="R1", tag=tag("R1", TAG.HOT_LINE))
    assert told(Move(act=placed, before=yard())) == [("R13", REFUSE, "R1")]
    off = yard(reclosing={"R1": False})
    assert told(Move(act=placed, before=off)) == []
    tagged = off.after(placed)
    assert {("R1", REFUSE, "R1"), ("R13", REFUSE, "R1")} <= set(found(tagged, K.ENABLE_RECLOSING, "R1"))
    two = replace(tagged, tags=(*tagged.tags, tag("R1", TAG.HOT_LINE, "bob")))
    one_left = two.after(Act(kind=K.REMOVE_TAG, device="R1", tag=tag("R1", TAG.HOT_LINE)))
    assert "R13" in rules(found(one_left, K.ENABLE_RECLOSING, "R1"))
    free = one_left.after(Act(kind=K.REMOVE_TAG, device="R1", tag=tag("R1", TAG.HOT_LINE, "bob")))
    assert found(free, K.ENABLE_RECLOSING, "R1") == []


def test_r13_a_section_that_tripped_under_a_hot_line_tag_is_not_fed_from_elsewhere() -> None:
    tripped = yard(opened="R1", tags=(tag("R1", TAG.HOT_LINE),), tripped=frozenset({"R1"}))
    assert ("R13", REFUSE, "R1") in found(tripped, K.CLOSE, "Q1")
    assert ("R13", REFUSE, "R1") in found(tripped, K.CLOSE, "Q2")
    assert "R13" not in rules(found(replace(tripped, tags=()), K.CLOSE, "Q1"))


def test_r14_a_suspect_device_is_not_controlled_from_afar_until_somebody_has_looked() -> None:
    unsure = piece("B2", "Breaker", "bay", "k", open=True, suspect=True)
    assert ("R14", REFUSE, "B2") in found(yard(unsure), K.CLOSE, "B2", remote=True)
    assert "R14" not in rules(found(yard(unsure), K.CLOSE, "B2"))
    looked = yard(unsure).after(Act(kind=K.VERIFY, device="B2"))
    assert "R14" not in rules(found(looked, K.CLOSE, "B2", remote=True))


def test_r15_no_island_is_left_to_a_machine_and_inverters_warn() -> None:
    machine, solar = (piece("G", kind, "f") for kind in ("SynchronousMachine", "PowerElectronicsConnection"))
    assert ("R15", REFUSE, "G") in found(yard(machine), K.OPEN, "F1")
    assert ("R15", WARN, "G") in found(yard(solar), K.OPEN, "F1")
    assert "R15" not in rules(found(yard(machine, closed="Q1"), K.OPEN, "D1"))


def test_an_override_takes_two_persons_and_is_nothing_to_automation_and_to_the_rules_of_life_and_death() -> None:
    def violation(rule: str, *, overridable: bool) -> Violation:
        return Violation(rule=rule, severity=REFUSE, reason="no", object="x", overridable=overridable)

    amy, bob = ObjectReference(mrid="amy"), ObjectReference(mrid="bob")
    alone = RuleOverride(reason="storm", rule="R6", author=amy)
    same = replace(alone, approver=amy)
    both = replace(alone, approver=bob)
    elsewhere = replace(both, power_system_resource=ObjectReference(mrid="y"))
    silent = replace(both, reason=" ")
    six = (violation("R6", overridable=True),)
    assert [standing(six, (each,), by_person=True) for each in (alone, same, elsewhere, silent)] == [six] * 4
    assert standing(six, (both,), by_person=True) == ()
    assert standing(six, (both,), by_person=False) == six
    for rule in ("R1", "R2", "R3", "R9"):
        hard = (violation(rule, overridable=False),)
        assert standing(hard, (replace(both, rule=rule),), by_person=True) == hard
