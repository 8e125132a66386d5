"""A storm: where it strikes, what crews find, what was true of it, and what the score says."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from contracts.errors import Invalid
from contracts.nouns.feeder_topology import Feeder
from contracts.nouns.training_scenarios import FaultKind, FieldConditions, ScenarioStatusKind, TrainingScenario
from services.emergency_simulation.domain.conditions import Conditions, chosen
from services.emergency_simulation.domain.crews import found_at
from services.emergency_simulation.domain.faults import Fault
from services.emergency_simulation.domain.ledger import Darkness, truth_of
from services.emergency_simulation.domain.network import Network
from services.emergency_simulation.domain.planning import plan_faults, play_out
from services.emergency_simulation.domain.scenario import Outage, Said, Standing, progress, report
from services.emergency_simulation.domain.supply import Supply
from tests.fixtures.streets import PROTECTED, START, fault, feeder, feeders, road, street

PLAIN = Conditions(reclosing=False, sectionalising=False, single_phase=False)
OVER = Standing(customers_dark=0, faults_open=0, outages_open=0)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def storm(
    network: Network, seed: int, faults: int, conditions: Conditions = PLAIN, temporary: int | None = None
) -> list[Fault]:
    order = TrainingScenario(mrid="storm", seed=seed, faults=faults, temporary_faults=temporary)
    return plan_faults(network, network.normally, order, START, conditions)


def carried_out(network: Network, planned: list[Fault], conditions: Conditions = PLAIN) -> list[Fault]:
    """The faults after they have struck one after the other."""
    supply = Supply(network)
    opened = network.normally
    struck: list[Fault] = []
    for each in planned:
        told = play_out(supply, opened, each, conditions, 1, *(one for one in struck if not one.repaired))
        struck.append(told.fault)
        opened = told.opened
    return struck


@settings(deadline=None)
@given(feeders(), st.data(), st.integers(min_value=0, max_value=2**32), st.sampled_from([PLAIN, PROTECTED]))
def test_the_same_seed_strikes_the_same_places_whatever_the_order_of_the_model(
    built: Feeder, data: st.DataObject, seed: int, conditions: Conditions
) -> None:
    other = feeder(data.draw(st.permutations(built.equipment)), data.draw(st.permutations(built.usage_point)))
    for count in (1, 2):
        try:
            planned = storm(Network([built]), seed, count, conditions)
        except Invalid:
            with pytest.raises(Invalid):
                storm(Network([other]), seed, count, conditions)
        else:
            assert storm(Network([other]), seed, count, conditions) == planned


@settings(deadline=None)
@given(feeders(), st.integers(min_value=0, max_value=2**32), st.sampled_from([PLAIN, PROTECTED]))
def test_the_faults_of_a_storm_darken_somebody_and_do_not_touch(
    built: Feeder, seed: int, conditions: Conditions
) -> None:
    network = Network([built])
    try:
        planned = storm(network, seed, 2, conditions)
    except Invalid:
        return
    first, second = carried_out(network, planned, conditions)
    assert first.dark
    assert second.dark
    assert not set(first.dark) & set(second.dark)
    assert first.device != second.device
    assert START < first.at <= second.at
    assert first.mrid != second.mrid


def test_another_seed_strikes_elsewhere_and_a_storm_that_has_no_room_is_refused() -> None:
    network = Network([street()])
    places = {tuple(each.equipment for each in storm(network, seed, 2)) for seed in range(50)}
    assert places == {("line-a", "line-b"), ("line-b", "line-a")}
    assert len({storm(network, seed, 1)[0].at for seed in range(50)}) > 25
    with pytest.raises(Invalid, match="has room for 2 faults that do not touch, not for 3"):
        storm(network, 1, 3)


def test_most_faults_are_to_ground_on_one_phase_and_each_still_darkens_somebody() -> None:
    network = Network([road()])
    struck = [carried_out(network, storm(network, seed, 1, PROTECTED), PROTECTED)[0] for seed in range(120)]
    ground = [each for each in struck if each.kind is FaultKind.LINE_TO_GROUND]
    assert 0.6 < len(ground) / len(struck) < 0.9
    assert {each.phases for each in ground} == {0b001, 0b010, 0b100}
    assert all(each.dark for each in struck)
    melted = [each for each in ground if each.device == "fuse"]
    assert {each.dark for each in melted} <= {("A",), ("B",), ("C",)}


def test_temporary_faults_come_beside_the_others_and_are_cleared_by_reclosing() -> None:
    network = Network([road()])
    planned = storm(network, 3, 1, PROTECTED, temporary=2)
    passing = [each for each in planned if each.temporary]
    assert len(planned) == 3
    assert len(passing) == 2
    assert [each.at for each in planned] == sorted(each.at for each in planned)
    for each in passing:
        (told,) = carried_out(network, [each], PROTECTED)
        assert told.repaired
        assert not told.lasting
    with pytest.raises(Invalid, match="0 temporary faults could be cleared by reclosing"):
        storm(network, 3, 1, PLAIN, temporary=1)


def test_other_conditions_of_radio_callers_and_crews_leave_the_faults_where_they_are() -> None:
    network = Network([road()])
    other = structs.replace(PROTECTED, message_loss=0.5, call=0.9, speed=60.0, wrong_finding=0.5, clock_error=5.0)
    for seed in range(20):
        assert storm(network, seed, 1, other) == storm(network, seed, 1, PROTECTED)


def test_a_storm_chooses_its_conditions_and_what_cannot_be_is_refused() -> None:
    wanted = FieldConditions(message_loss=0.3, reclosing=True, fast_shots=2)
    assert chosen(PLAIN, None) == PLAIN
    assert chosen(PLAIN, wanted) == structs.replace(PLAIN, message_loss=0.3, reclosing=True, fast_shots=2)
    assert set(FieldConditions.__struct_fields__) == set(Conditions.__struct_fields__)
    with pytest.raises(Invalid, match=r"message_loss is 1\.5, but must be a probability from 0 to 1"):
        chosen(PLAIN, FieldConditions(message_loss=1.5))
    with pytest.raises(Invalid, match="gasp_repeats is 7, but must be from 0 to 6"):
        chosen(PLAIN, FieldConditions(gasp_repeats=7))
    with pytest.raises(Invalid, match="no crew would ever arrive"):
        chosen(PLAIN, FieldConditions(speed=0.0))


def test_a_crew_finds_the_fault_at_its_device_its_place_or_by_following_the_wires() -> None:
    network = Network([street()])
    faults = carried_out(network, storm(network, 3, 2))
    by_device = {each.device: each for each in faults}
    assert set(by_device) == {"fuse-a", "fuse-b"}
    opened = {"fuse-a", "fuse-b"}
    assert found_at(network, opened, faults, "fuse-a") == by_device["fuse-a"]
    assert found_at(network, opened, faults, "line-b") == by_device["fuse-b"]
    assert found_at(network, opened, faults, "b1") == by_device["fuse-b"]
    assert found_at(network, opened, faults, "breaker") == faults[0]
    assert found_at(network, opened, faults, "m") is None
    repaired = [structs.replace(each, repaired=True) for each in faults]
    assert found_at(network, opened, repaired, "fuse-a") == structs.replace(by_device["fuse-a"], repaired=True)
    assert found_at(network, set(), repaired, "fuse-a") is None


def outage(mrid: str, device: str, points: set[str], *said: tuple[float, str]) -> Outage:
    return Outage(
        mrid=mrid,
        devices=frozenset({device}),
        usage_points=frozenset(points),
        closed=True,
        said=tuple(Said(at=at(seconds), devices=frozenset({named})) for seconds, named in said),
    )


def test_a_fault_is_matched_by_the_outage_that_names_its_device_and_covers_exactly_who_was_dark() -> None:
    network = Network([street()])
    faults = carried_out(network, storm(network, 3, 2))
    by_device = {each.device: each for each in faults}
    right = outage("right", "fuse-a", {"a1", "a2"}, (60, "fuse-a"))
    wide = outage("wide", "fuse-b", {"b1", "b2", "m"}, (60, "breaker"), (900, "fuse-b"))
    order = TrainingScenario(mrid="storm", seed=3, faults=2)
    found = [structs.replace(each, repaired=True, found_at=at(900)) for each in faults]
    darkness = [Darkness(usage_point=point, began=START, ended=at(600)) for point in ("a1", "a2")]
    truth = truth_of(darkness, {"a1": 2, "a2": 2, "b1": 4}, at(900))
    told = report(order, found, [right, wide], standing=OVER, truth=truth, ended=at(900))
    assert (told.matched, told.predicted_right, told.faults_struck, told.customers_interrupted) == (1, 1, 2, 4)
    assert (told.customer_minutes, told.customers_served, told.saidi, told.saifi, told.caidi) == (40, 8, 5, 0.5, 10)
    assert told.status_kind is ScenarioStatusKind.FINISHED
    assert {each.fault: (each.outage, each.device_found, each.predicted) for each in told.outage_match} == {
        by_device["fuse-a"].mrid: ("right", True, True),
        by_device["fuse-b"].mrid: ("wide", True, False),
    }
    failed = report(order, faults, [], standing=structs.replace(OVER, faults_open=1), truth=truth, ended=START)
    assert failed.status_kind is ScenarioStatusKind.FAILED
    assert (failed.matched, failed.outage_match) == (0, ())


def test_a_storm_is_over_when_nobody_is_dark_nothing_is_broken_and_no_outage_is_open() -> None:
    assert OVER.is_over
    for name in Standing.__struct_fields__:
        assert not structs.replace(OVER, **{name: 1}).is_over


def test_faults_to_come_are_not_told_and_a_momentary_one_needs_nobody_to_go_out() -> None:
    order = TrainingScenario(mrid="storm", seed=3, faults=2)
    assert progress(order, [fault("line-a")]).status_kind is ScenarioStatusKind.REQUESTED
    passing = fault("line-b", temporary=True, struck=True, repaired=True, final=True)
    told = progress(order, [fault("line-a"), fault("main", struck=True), passing])
    assert [each.equipment for each in told.fault] == ["main", "line-b"]
    assert told.faults_struck == 1
    assert told.status_kind is ScenarioStatusKind.RUNNING
