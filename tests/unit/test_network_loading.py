"""What network operation makes of a power flow: the loading of feeders, the look-ahead, and how cold loads are."""

import os
import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from contracts.errors import Conflict
from contracts.nouns.get_switching_studies import SwitchingOption
from contracts.nouns.switching_plans import SwitchActionKind
from contracts.nouns.switching_studies import StudyOperation, SwitchingStudy
from contracts.types import ObjectReference
from services.network_model_management.adapters.importing import Document, import_documents
from services.network_model_management.domain.derivation import Import
from services.network_model_management.domain.versions import PANDAPOWER, RDF_XML
from services.network_operation.domain.cold_load import ColdLoad
from services.network_operation.domain.feeder_flow import FeederFlow, LastFlow
from services.network_operation.domain.figures import Question, answers, first_look
from services.network_operation.domain.grid import Grid
from services.network_operation.domain.interruptions import (
    ColdLoads,
    Interruption,
    cold_loads,
    interrupted,
    lasting,
    next_change,
)
from services.network_operation.domain.loading import (
    dark_nodes,
    feeder_flows,
    figures_of,
    members,
    posed,
    shared_out,
    switched_state,
)
from services.network_operation.domain.power_flow.grid import packed
from services.network_operation.domain.power_flow.islands import state_of
from services.network_operation.domain.situation import Situation
from services.network_operation.domain.study import studied
from services.network_operation.domain.temporary import Temporary, TemporaryKind, placed
from tests.fixtures.loaded_yard import electrical, loaded_yard

ROOT = Path(__file__).resolve().parents[2]
IEEE13 = ROOT.parent / "shared" / "samples" / "models" / "IEEE13.xml"
NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
WARM = ColdLoads()
COLD = ColdLoad()


def imported(content: bytes, model_format: str = RDF_XML) -> Import:
    document = Document(content=content, model_format=model_format)
    return import_documents((document,), "1", NOON).result


def flows(model: Import, grid: Grid) -> tuple[FeederFlow, ...]:
    return feeder_flows(packed(model.electrical), switched_state(grid.state, WARM), members(grid.state), NOON, "1")


def study(model: Import, grid: Grid, operations: dict[str, SwitchActionKind], cold: ColdLoads = WARM) -> SwitchingStudy:
    """What the service answers, with the figures that it computes for it."""
    option = SwitchingOption(
        mrid="option",
        operation=tuple(
            StudyOperation(kind=kind, operated_switch=ObjectReference(mrid=device))
            for device, kind in operations.items()
        ),
    )
    situation = Situation(grid=grid)
    look = first_look(lambda figures: studied(option, replace(situation, figures=figures), NOON, by_person=True))
    questions = tuple(posed(each, cold) for each in look.asked.values())
    data = packed(model.electrical)
    found = [each for part, share in shared_out(data, questions) for each in figures_of(part, share)]
    assert found == list(figures_of(data, questions)), "what is about a question is enough to answer it"
    return studied(
        option, replace(situation, figures=answers(dict(zip(look.asked, found, strict=True)))), NOON, by_person=True
    )


def ties(grid: Grid) -> list[str]:
    return [each.mrid for each in grid.state.structure.switches if each.normal_open and each.kind == "LoadBreakSwitch"]


def refusals(of: SwitchingStudy) -> set[str]:
    return {each.rule for each in of.rule_violation if each.severity == "refuse"}


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Import:
    file = tmp_path_factory.mktemp("town") / "town.xml"
    script = ROOT / "infra" / "networks" / "make_town.py"
    subprocess.run(
        [sys.executable, str(script), "--usage-points", "3000", "--output", str(file)], check=True, env=dict(os.environ)
    )
    return imported(file.read_bytes())


def test_all_feeders_of_the_town_are_solved_within_their_limits(town: Import) -> None:
    found = flows(town, Grid.of(town.feeders))
    assert len(found) == 12
    for each in found:
        assert each.status == "solved"
        assert each.lowest_voltage is not None
        assert each.highest_voltage is not None
        assert 0.97 < each.lowest_voltage < each.highest_voltage < 1.05
        assert each.highest_loading is not None
        assert 50 < each.highest_loading < 100
        assert (each.loadings, each.voltages) == ((), ())


def test_a_tie_of_the_town_takes_over_a_feeder_at_once_and_warns_of_cold_transformers_later(town: Import) -> None:
    grid = Grid.of(town.feeders)
    named = {each.name: each.mrid for each in grid.state.structure.switches}
    dark = grid.switched(named["Bluff 1 breaker"], is_open=True)
    tie = {named["Tie Bluff 1 to Bluff 2"]: SwitchActionKind.CLOSE}

    def later(hours: float) -> SwitchingStudy:
        since = interrupted((), dark_nodes(dark.state), NOON - timedelta(hours=hours))
        return study(town, dark, tie, cold_loads(since, NOON, COLD))

    soon, after_hours, too_late = later(0.1), later(1), later(5)
    assert soon.feasible
    assert soon.customers_picked_up == 250
    assert soon.branch_loading == ()
    assert soon.picked_up_power is not None
    assert 250 * 2e3 < soon.picked_up_power < 250 * 20e3
    assert after_hours.picked_up_power == pytest.approx(2 * soon.picked_up_power)
    assert after_hours.feasible
    kinds = {
        (known.kind if (known := grid.get(each.power_system_resource.mrid or "")) else "")
        for each in after_hours.branch_loading
    }
    assert kinds == {"PowerTransformer"}
    assert all(each.cold_load for each in after_hours.branch_loading)
    assert refusals(too_late) == {"R8"}
    home = study(
        town,
        dark,
        {named["Bluff 1 breaker"]: SwitchActionKind.CLOSE},
        cold_loads(interrupted((), dark_nodes(dark.state), NOON - timedelta(hours=5)), NOON, COLD),
    )
    assert home.feasible


@pytest.mark.filterwarnings(
    "ignore:tap_dependency_table is missing:DeprecationWarning"
)  # said by pandapower of its own
def test_the_look_ahead_knows_loop_currents_and_limits_of_mv_oberrhein() -> None:
    pandapower = pytest.importorskip("pandapower")
    model = imported((Path(pandapower.__file__).parent / "networks" / "mv_oberrhein.json").read_bytes(), PANDAPOWER)
    grid = Grid.of(model.feeders)
    studies = [study(model, grid, {tie: SwitchActionKind.CLOSE}) for tie in ties(grid)]
    assert [sorted(refusals(each)) for each in studies].count(["R6"]) == 3
    loops = [each for each in studies if each.feasible]
    assert len(loops) == 3
    for each in loops:
        assert each.power_flow == "solved"
        assert each.loop_current is not None
        assert each.margin is not None
        assert 1 < each.loop_current < 200
        assert 0 < each.margin < 100
    tie, current = loops[0].operation[0].operated_switch.mrid or "", loops[0].loop_current or 0.0
    weak = study(with_rating(model, tie, 0.9 * current), grid, {tie: SwitchActionKind.CLOSE})
    (refusal,) = [each for each in weak.rule_violation if each.severity == "refuse"]
    assert (refusal.rule, refusal.power_system_resource) == ("R8", ObjectReference(mrid=tie))
    assert "would carry 111 % of its rating" in refusal.reason


def with_rating(model: Import, switch: str, amperes: float) -> Import:
    """The same with a switch that may carry so much."""
    models = tuple(
        replace(
            each,
            switch=tuple(
                replace(piece, normal_limit=amperes, emergency_limit=amperes, rated_current=amperes)
                if piece.mrid == switch
                else piece
                for piece in each.switch
            ),
        )
        for each in model.electrical
    )
    return replace(model, electrical=models)


def test_the_look_ahead_solves_the_ieee_13_node_feeder_by_phase() -> None:
    if not IEEE13.exists():
        pytest.skip("the published feeder is not beside the repository")
    model = imported(IEEE13.read_bytes())
    grid = Grid.of(model.feeders)
    (flow,) = flows(model, grid)
    assert flow.status == "solved"
    assert flow.lowest_voltage is not None
    assert flow.lowest_voltage > 0.95
    breaker = next(each.mrid for each in grid.state.structure.switches if each.kind == "Breaker")
    dark = grid.switched(breaker, is_open=True)
    back = study(model, dark, {breaker: SwitchActionKind.CLOSE})
    assert back.power_flow == "solved"
    assert back.picked_up_power == pytest.approx(3.5e6, rel=0.05)
    assert {each.power_system_resource.mrid for each in back.branch_loading} >= {flow.most_loaded}
    # the published feeder is beyond limits in its normal state
    assert back.feasible


def test_the_state_that_the_power_flow_gets_is_that_of_the_feeders() -> None:
    grid = Grid.of((loaded_yard(opened="B1", closed="Q1"),)).switched("F1", is_open=True)
    told, ours = state_of(grid.feeders), switched_state(grid.state, WARM)
    assert {node: mask for node, mask in ours.live.items() if mask} == dict(told.live)
    assert (ours.closed, ours.abnormal) == (dict(told.closed), dict(told.abnormal))


def test_what_a_crew_put_up_has_no_electrical_data_and_no_figures() -> None:
    yard = loaded_yard(opened="D1")
    jumper = Temporary(mrid="j", kind=TemporaryKind.JUMPER, node1="b", node2="c", plan="p")
    grid = Grid.of(placed((yard,), jumper))
    asked = posed(Question(grid=grid, devices=("F1",)), WARM)
    (unknown,) = figures_of(packed((electrical(yard),)), (asked,))
    assert unknown.status == "not solved: no electrical data of the Jumper 'j'"
    assert not unknown.are_known
    (elsewhere,) = figures_of(packed((electrical(yard),)), (posed(Question(grid=grid, devices=("B2",)), WARM),))
    assert elsewhere.status == "solved"
    (whole,) = feeder_flows(
        packed((electrical(yard),)), switched_state(grid.state, WARM), members(grid.state), NOON, "1"
    )
    assert (whole.status, whole.highest_loading) == (unknown.status, None)


def test_what_is_live_and_has_no_source_in_the_electrical_data_is_not_solved() -> None:
    yard = loaded_yard()
    grid, model = Grid.of((yard,)), electrical(yard)
    half = packed((replace(model, source=model.source[:1]),))
    (flow,) = feeder_flows(half, switched_state(grid.state, WARM), members(grid.state), NOON, "1")
    assert flow.status == "not solved: 4 live nodes without a source in the electrical data"
    assert (flow.highest_loading, flow.lowest_voltage) == (None, None)


def test_a_refusal_that_wants_no_figures_is_final_and_one_that_does_is_judged_again() -> None:
    grid = Grid.of((loaded_yard(),))

    def refuse(_figures: object) -> None:
        raise Conflict("no")

    with pytest.raises(Conflict):
        first_look(refuse)

    def refuse_by_figures(figures: object) -> None:
        assert callable(figures)
        figures(Question(grid=grid, devices=("Q1",)))
        figures(Question(grid=grid, devices=("Q1",)))
        raise Conflict("no")

    look = first_look(refuse_by_figures)
    assert (look.result, [each.devices for each in look.asked.values()]) == (None, [("Q1",)])


def test_a_power_flow_that_failed_changes_no_figure() -> None:
    good = FeederFlow(feeder="f", made_at=NOON, model_version="1", status="solved", highest_loading=40.0)
    bad = FeederFlow(feeder="f", made_at=NOON + timedelta(minutes=1), model_version="1", status="not solved: why")
    never = LastFlow(feeder="f").after(bad)
    assert (never.status, never.told.calculated_date_time, never.told.highest_loading) == (
        "not solved: why",
        None,
        None,
    )
    kept = LastFlow(feeder="f").after(good).after(bad)
    assert (kept.good, kept.failed_at, kept.failure) == (good, bad.made_at, "not solved: why")
    assert kept.after(good) == LastFlow(feeder="f", good=good)


MOVES = st.lists(st.tuples(st.frozensets(st.sampled_from("abcd")), st.integers(0, 90)), max_size=8)


@given(MOVES)
def test_a_node_is_in_one_interruption_and_just_the_dark_are_in_one_that_lasts(
    moves: Iterable[tuple[frozenset[str], int]],
) -> None:
    known: tuple[Interruption, ...] = ()
    at = NOON
    for dark, minutes in moves:
        at += timedelta(minutes=minutes)
        known = interrupted(known, dark, at)
        assert interrupted(known, dark, at + timedelta(minutes=5)) == known
        every = [node for each in known for node in each.nodes]
        assert len(every) == len(set(every))
        assert {node for each in known if each.until is None for node in each.nodes} == dark
        assert all(each.since <= (each.until or at) for each in known)


@given(MOVES)
def test_loads_that_change_no_more_are_warm(moves: Iterable[tuple[frozenset[str], int]]) -> None:
    known: tuple[Interruption, ...] = ()
    at = NOON
    for dark, minutes in moves:
        at += timedelta(minutes=minutes)
        known = interrupted(known, dark, at)
    known = interrupted(known, frozenset(), at)
    count = 0
    while (later := next_change(known, at, COLD)) is not None:
        assert later >= at + timedelta(minutes=1)
        at, count = later, count + 1
    # from three times the load to one in steps that can be noticed, and the return of infeeds, for each of the moves
    assert count <= 8 * 45
    assert all(factor < 1.06 for factor in cold_loads(known, at, COLD).factors.values())
    assert not cold_loads(known, at, COLD).without_generation
    assert lasting(known, at + timedelta(hours=3), COLD) == ()


def test_who_loses_supply_again_while_the_load_is_cold_was_dark_all_the_time() -> None:
    first = interrupted((), frozenset("ab"), NOON)
    back = interrupted(first, frozenset(), NOON + timedelta(hours=3))
    assert cold_loads(back, NOON + timedelta(hours=3, minutes=1), COLD).without_generation == {"a", "b"}
    again = interrupted(back, frozenset("a"), NOON + timedelta(hours=3, minutes=1))
    assert {(each.nodes, each.since, each.until) for each in again} == {
        (("a",), NOON, None),
        (("b",), NOON, NOON + timedelta(hours=3)),
    }
