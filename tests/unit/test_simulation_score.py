"""The score of a storm: what a dispatcher who knows everything would have done, and what a run is worth beside it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from contracts.errors import Invalid
from contracts.nouns.feeder_topology import Feeder
from contracts.nouns.scenario_scores import CourseKind, ScenarioScore
from contracts.nouns.training_scenarios import TrainingScenario
from services.emergency_simulation.domain.conditions import Conditions
from services.emergency_simulation.domain.faults import Fault
from services.emergency_simulation.domain.ledger import Darkness
from services.emergency_simulation.domain.network import Network
from services.emergency_simulation.domain.planning import plan_faults, play_out
from services.emergency_simulation.domain.reference import Solution, solve
from services.emergency_simulation.domain.score import score_of
from services.emergency_simulation.domain.supply import Supply
from tests.fixtures.streets import PROTECTED, START, equipment, fault, feeder, feeders, street, usage_point

PLAIN = Conditions(reclosing=False, sectionalising=False, single_phase=False)
HOUR = timedelta(hours=1)


def struck(network: Network, *faults: Fault) -> list[Fault]:
    """The faults after their protection has cut them off."""
    supply = Supply(network)
    supply.move(network.normally)
    return [play_out(supply, network.normally, each, PLAIN, 1).fault for each in faults]


def solved(network: Network, faults: Sequence[Fault], *crews: str) -> Solution:
    customers = {point.mrid: point.customers for point in network.usage_points.values()}
    return solve(network, faults, customers, crews, seed=1, conditions=PLAIN)


def lit_at(solution: Solution) -> dict[str, datetime | None]:
    return {spell.usage_point: spell.ended for spell in solution.darkness}


def test_who_can_be_fed_over_a_tie_has_power_when_the_crew_has_cut_off_the_fault() -> None:
    network = Network([street()])
    solution = solved(network, struck(network, fault("main")))
    (answer,) = solution.answers
    lit = lit_at(solution)
    assert lit["a1"] == lit["a2"] == lit["m"] == answer.restored_at
    assert lit["b1"] == lit["b2"] == answer.isolated_at
    assert START < answer.isolated_at < answer.repaired_at < answer.restored_at


def test_a_fault_that_its_fuse_has_cut_off_is_isolated_when_it_strikes_and_waits_for_its_repair() -> None:
    network = Network([street()])
    (answer,) = solved(network, struck(network, fault("line-a"))).answers
    assert answer.isolated_at == START


def test_what_is_operated_from_afar_helps_at_once() -> None:
    """Two breakers in a row, the fault behind the second, though the first has opened."""
    parts = [
        equipment("source", "EnergySource", "n0"),
        equipment("first", "Breaker", "n0", "n1"),
        equipment("near", "ACLineSegment", "n1", "n2"),
        equipment("second", "Recloser", "n2", "n3"),
        equipment("far", "ACLineSegment", "n3", "n4"),
    ]
    network = Network([feeder(parts, [usage_point("here", "n2"), usage_point("there", "n4")])])
    told = structs.replace(fault("far"), device="first", dark=("here", "there"), struck=True, final=True)
    solution = solved(network, [told])
    assert lit_at(solution) == {"here": START + timedelta(minutes=1), "there": solution.answers[0].restored_at}


def test_the_one_crew_goes_first_where_more_customers_wait_and_two_crews_go_at_once() -> None:
    network = Network([street()])
    many, few = struck(network, fault("main"), fault("line-a"))
    few = structs.replace(few, dark=("a1",))
    alone = {each.fault: each for each in solved(network, [many, few]).answers}
    assert alone[many.mrid].repaired_at < alone[few.mrid].repaired_at
    both = {each.fault: each for each in solved(network, [many, few], "one", "other").answers}
    assert both[few.mrid].repaired_at < alone[few.mrid].repaired_at
    assert {each.crew for each in both.values()} == {"one", "other"}


@settings(deadline=None)
@given(feeders(), st.integers(0, 2**32), st.sampled_from([PLAIN, PROTECTED]), st.integers(1, 3))
def test_nobody_is_in_the_dark_in_the_reference_who_was_not_in_the_run_nor_after_the_repair(
    built: Feeder, seed: int, conditions: Conditions, crews: int
) -> None:
    network = Network([built])
    try:
        order = TrainingScenario(mrid="s", seed=seed, faults=2)
        planned = plan_faults(network, network.normally, order, START, conditions)
    except Invalid:
        return
    faults = struck(network, *planned)
    solution = solved(network, faults, *map(str, range(crews)))
    assert [answer.fault for answer in solution.answers] == [each.mrid for each in faults]
    back = {
        point: answer.restored_at for each, answer in zip(faults, solution.answers, strict=True) for point in each.dark
    }
    for spell in solution.darkness:
        assert spell.ended is not None
        assert spell.ended <= max(answer.restored_at for answer in solution.answers)
        assert spell.usage_point in back
    for each, answer in zip(faults, solution.answers, strict=True):
        assert each.at <= answer.isolated_at
        assert each.at < answer.repaired_at < answer.restored_at


def scored(*lit_after: float) -> ScenarioScore:
    """The score of a run in which the customers of the fuse had power again after so many hours each."""
    network = Network([street()])
    faults = struck(network, fault("line-a"))
    darkness = [
        Darkness(usage_point=point, began=START, ended=START + hours * HOUR)
        for point, hours in zip(faults[0].dark, lit_after, strict=True)
    ]
    customers = {point.mrid: point.customers for point in network.usage_points.values()}
    return score_of(
        "storm",
        network,
        faults,
        darkness,
        customers=customers,
        crews=["one"],
        seed=1,
        conditions=PLAIN,
        ended=START + 9 * HOUR,
    )


def test_the_score_is_the_share_of_the_reference_and_waiting_is_worth_what_it_costs() -> None:
    told = scored(4, 8)
    courses = {course.kind: course for course in told.course}
    minutes = {kind: course.customer_minutes for kind, course in courses.items()}
    assert minutes[CourseKind.RUN] == pytest.approx(2 * 60 * (4 + 8))
    assert minutes[CourseKind.WAITING] == pytest.approx(2 * 60 * (8 + 8))
    assert told.score == pytest.approx(100 * minutes[CourseKind.REFERENCE] / minutes[CourseKind.RUN])
    assert told.waiting_score == pytest.approx(100 * minutes[CourseKind.REFERENCE] / minutes[CourseKind.WAITING])
    assert told.waiting_score < told.score < 100
    assert [(step.customers, step.date_time) for step in courses[CourseKind.RUN].customers_off] == [
        (4, START),
        (2, START + 4 * HOUR),
        (0, START + 8 * HOUR),
    ]
    assert told.fault_score[0].run_restored_date_time == START + 8 * HOUR
    assert told.fault_score[0].customers == 4


@given(st.floats(1, 9), st.floats(1, 9))
def test_who_has_power_sooner_never_has_a_lower_score(one: float, other: float) -> None:
    assert scored(min(one, other), 9).score >= scored(max(one, other), 9).score
