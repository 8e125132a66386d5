"""The look-ahead, and what crews put on the network for a time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from contracts.errors import Invalid
from contracts.nouns.get_switching_studies import SwitchingOption
from contracts.nouns.switching_plans import (
    CutAction,
    GroundAction,
    JumperAction,
    SwitchActionKind,
    TempEquipActionKind,
)
from contracts.nouns.switching_studies import BranchLoading, SeverityKind, StudyOperation
from contracts.nouns.units import PhaseCode
from contracts.types import ObjectReference
from services.network_operation.domain.acts import Act, ActKind, act_of
from services.network_operation.domain.figures import Figures
from services.network_operation.domain.situation import Situation
from services.network_operation.domain.study import is_done, studied
from services.network_operation.domain.temporary import placed, removed
from tests.fixtures.switching_yard import NOON, tag, yard

OPEN, CLOSE = SwitchActionKind.OPEN, SwitchActionKind.CLOSE
PLACE = TempEquipActionKind.PLACE


def option(*operations: tuple[SwitchActionKind, str], phases: PhaseCode | None = None) -> SwitchingOption:
    return SwitchingOption(
        mrid="option",
        operation=tuple(
            StudyOperation(kind=kind, phases=phases, operated_switch=ObjectReference(mrid=device))
            for kind, device in operations
        ),
    )


def ref(mrid: str) -> ObjectReference:
    return ObjectReference(mrid=mrid)


def test_a_transfer_tells_who_is_picked_up_and_what_nobody_has_computed() -> None:
    study = studied(option((OPEN, "D1"), (CLOSE, "Q1")), yard(opened="B1"), NOON)
    assert (study.customers_dropped, study.customers_picked_up, study.feasible) == (0, 50, True)
    assert [each.mrid for each in study.energized_usage_point] == ["P-d", "P-f"]
    assert study.power_flow == "not solved"
    assert [(each.rule, each.severity, each.sequence_number) for each in study.rule_violation] == [
        ("R8", SeverityKind.WARN, 2)
    ]


def test_an_option_is_judged_as_a_whole_in_its_order() -> None:
    break_first = studied(option((OPEN, "R1"), (CLOSE, "Q2")), yard(), NOON)
    assert (break_first.feasible, break_first.customers_dropped) == (True, 0)
    make_first = studied(option((CLOSE, "Q2"), (OPEN, "R1")), yard(), NOON)
    assert not make_first.feasible
    assert [(each.rule, each.sequence_number) for each in make_first.rule_violation if each.severity == "refuse"] == [
        ("R6", 1)
    ]


def test_a_tag_makes_an_option_infeasible_and_an_unknown_switch_is_refused() -> None:
    tagged = yard(opened="B2", tags=(tag("B2"),))
    study = studied(option((CLOSE, "B2")), tagged, NOON)
    assert (study.feasible, study.rule_violation[0].power_system_resource) == (False, ref("B2"))
    with pytest.raises(Invalid, match="'L1' is no switch"):
        studied(option((OPEN, "L1")), yard(), NOON)


def test_a_study_of_one_phase_drops_whom_it_leaves_without_one() -> None:
    study = studied(option((OPEN, "F1"), phases=PhaseCode.A), yard(), NOON)
    assert [each.mrid for each in study.de_energized_usage_point] == ["P-f"]
    assert {each.rule for each in study.rule_violation} == {"R4", "R7", "R11"}


def test_figures_of_the_power_flow_stand_in_the_study_and_decide() -> None:
    loaded = BranchLoading(loading=130.0, emergency_loading=108.0, power_system_resource=ref("R1"))
    figures = Figures(status="solved", loadings=(loaded,), margin=-8.0)
    calm = Figures(status="solved")
    computed = yard(opened="B1", figures=lambda asked: calm if asked.grid.get("Q1").open else figures)
    study = studied(option((OPEN, "D1"), (CLOSE, "Q1")), computed, NOON)
    assert (study.feasible, study.margin, study.power_flow) == (False, -8.0, "solved")
    assert study.branch_loading == (loaded,)
    with pytest.raises(Invalid, match="without operations"):
        studied(option(), computed, NOON)


def supplied(situation: Situation) -> set[str]:
    return {mrid for mrid in situation.grid.usage_points if situation.grid.state.is_supplied(mrid)}


def carried_out(situation: Situation, action: GroundAction | JumperAction | CutAction, name: str = "x") -> Situation:
    return situation.after(act_of(action, name, "plan", situation.grid))


def test_a_jumper_goes_past_equipment_or_between_nodes() -> None:
    past = carried_out(yard(opened="D1"), JumperAction(kind=PLACE, jumped_equipments=(ref("D1"),)))
    assert supplied(past) == {"P-b", "P-d", "P-f", "P-h"}
    between = carried_out(yard(opened="D1"), JumperAction(kind=PLACE, jumped_equipments=(ref("b"), ref("d"))))
    assert supplied(between) == supplied(past)
    with pytest.raises(Invalid, match="goes past one piece of equipment"):
        carried_out(yard(), JumperAction(kind=PLACE, jumped_equipments=(ref("D1"), ref("d"))))


def test_a_cut_parts_a_line_and_what_was_cut_is_mended() -> None:
    parted = carried_out(yard(), CutAction(kind=PLACE, along_ac_line_segment=ref("L2"), cut=ref("cut")))
    assert supplied(parted) == {"P-b", "P-h"}
    with pytest.raises(Invalid, match="a line with two ends"):
        carried_out(parted, CutAction(kind=PLACE, along_ac_line_segment=ref("L2")), "again")
    mended = parted.after(Act(kind=ActKind.REMOVE, device="cut"))
    assert mended.grid.feeders == yard().grid.feeders
    assert mended.temporaries == ()


def test_a_ground_says_on_which_side_it_is() -> None:
    earthed = carried_out(yard(opened="D1"), GroundAction(kind=PLACE, along_ac_line_segment=ref("L2"), ground=ref("g")))
    assert [each.mrid for each in earthed.grid.grounds_of(earthed.grid.section("d"))] == ["g"]
    with pytest.raises(Invalid, match="does not say on which side"):
        carried_out(yard(), GroundAction(kind=PLACE, grounded_equipment=ref("D1")))
    with pytest.raises(Invalid, match="neither equipment nor a node"):
        carried_out(yard(), GroundAction(kind=PLACE, grounded_equipment=ref("nowhere")))


def test_what_is_in_place_already_is_done() -> None:
    earthed = carried_out(yard(opened="D1"), GroundAction(kind=PLACE, grounded_equipment=ref("c"), ground=ref("g")))
    for kind, done in ((ActKind.PLACE, True), (ActKind.REMOVE, False)):
        assert is_done(Act(kind=kind, device="g"), earthed) is done
        assert is_done(Act(kind=kind, device="other"), earthed) is not done


@given(
    st.lists(st.sampled_from(["jumper", "ground", "cut"]), unique=True), st.permutations(["jumper", "ground", "cut"])
)
def test_what_is_placed_and_taken_away_in_any_order_leaves_the_feeders_as_they_were(
    wanted: list[str], order: list[str]
) -> None:
    actions: dict[str, GroundAction | JumperAction | CutAction] = {
        "jumper": JumperAction(kind=PLACE, jumped_equipments=(ref("Q1"),)),
        "ground": GroundAction(kind=PLACE, grounded_equipment=ref("c")),
        "cut": CutAction(kind=PLACE, along_ac_line_segment=ref("L4")),
    }
    start = yard()
    situation = start
    for name in wanted:
        situation = carried_out(situation, actions[name], name)
    feeders = situation.grid.feeders
    built = start.grid.feeders
    for each in situation.temporaries:
        built = placed(built, each)
    assert built[0].equipment == feeders[0].equipment
    for name in order:
        for each in situation.temporaries:
            if each.mrid == name:
                feeders = removed(feeders, each)
    assert feeders[0].equipment == start.grid.feeders[0].equipment


INVERSE = {
    ActKind.OPEN: ActKind.CLOSE,
    ActKind.CLOSE: ActKind.OPEN,
    ActKind.PLACE: ActKind.REMOVE,
    ActKind.PLACE_TAG: ActKind.REMOVE_TAG,
}


@given(st.lists(st.sampled_from(["B1", "D1", "Q1", "jumper", "ground", "cut", "tag"]), max_size=6))
def test_what_was_done_undone_backwards_leaves_everything_as_it_was(wanted: list[str]) -> None:
    placing: dict[str, GroundAction | JumperAction | CutAction] = {
        "jumper": JumperAction(kind=PLACE, jumped_equipments=(ref("Q2"),)),
        "ground": GroundAction(kind=PLACE, grounded_equipment=ref("c")),
        "cut": CutAction(kind=PLACE, along_ac_line_segment=ref("L5")),
    }
    situation = start = yard()
    done: list[Act] = []
    for name in wanted:
        if name in placing:
            act = Act(kind=ActKind.PLACE, device=name)
            act = act if is_done(act, situation) else act_of(placing[name], name, "plan", situation.grid)
        elif name == "tag":
            act = Act(kind=ActKind.PLACE_TAG, device="B1", tag=tag("B1", holder=str(len(done))))
        else:
            is_open = situation.grid.state.device(name).open
            act = Act(kind=ActKind.CLOSE if is_open else ActKind.OPEN, device=name)
        if not is_done(act, situation):
            situation = situation.after(act)
            done.append(act)
    for act in reversed(done):
        situation = situation.after(replace(act, kind=INVERSE[act.kind], temporary=None))
    assert (situation.temporaries, situation.tags) == ((), ())
    assert situation.grid.feeders == start.grid.feeders
