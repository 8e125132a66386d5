"""Squalls move over the map, what lies in their way is struck while they pass, and the stations see them."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from contracts.nouns.training_scenarios import TrainingScenario
from services.emergency_simulation.domain.conditions import Conditions
from services.emergency_simulation.domain.network import Network
from services.emergency_simulation.domain.planning import plan_faults, weather_of
from services.emergency_simulation.domain.weather import BREEZE, LINGER_S, OBSERVED, PEAK, Weather, rate_of
from tests.fixtures.streets import START, equipment, feeder, street, usage_point

SIDE = 12
PLAIN = Conditions(reclosing=False, sectionalising=False, single_phase=False)


def meadow() -> Network:
    """A square of fused lines a kilometre from one another, each with a customer of its own."""
    parts = [equipment("source", "EnergySource", "n")]
    points = []
    for row in range(SIDE):
        for column in range(SIDE):
            name = f"{row:02} {column:02}"
            place = {"latitude": 45.0 + row / 111.2, "longitude": column / 111.2 / 0.7071}
            parts.append(structs.replace(equipment(f"fuse {name}", "Fuse", "n", f"a {name}"), **place))
            parts.append(structs.replace(equipment(f"line {name}", "ACLineSegment", f"a {name}", f"b {name}"), **place))
            points.append(usage_point(f"house {name}", f"b {name}"))
    parts[0] = structs.replace(parts[0], latitude=45.0, longitude=0.0)
    return Network([feeder(parts, points)])


MEADOW = meadow()


def order(seed: int, faults: int) -> TrainingScenario:
    return TrainingScenario(mrid="storm", seed=seed, faults=faults)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32))
def test_each_place_is_struck_while_a_squall_passes_it(seed: int) -> None:
    weather = weather_of(MEADOW, order(seed, 9), START)
    faults = plan_faults(MEADOW, MEADOW.normally, order(seed, 9), START, PLAIN)
    assert len(weather.squalls) == 3
    for fault in faults:
        spot = weather.spot(fault.equipment)
        assert spot is not None
        late = [(fault.at - squall.passes(spot)).total_seconds() for squall in weather.squalls]
        assert any(0 <= each <= LINGER_S + 2 for each in late)
        assert fault.at > START


def test_the_path_of_a_squall_is_struck_more_often_than_what_lies_aside() -> None:
    """Over many storms the gust where a fault struck is stronger than the gust at any place."""
    struck, anywhere = [], []
    for seed in range(12):
        weather = weather_of(MEADOW, order(seed, 9), START)
        strongest = {
            mrid: max(squall.gust(spot) for squall in weather.squalls)
            for mrid in MEADOW.mrids
            if (spot := weather.spot(mrid)) is not None
        }
        planned = plan_faults(MEADOW, MEADOW.normally, order(seed, 9), START, PLAIN)
        struck += [rate_of(strongest[fault.equipment]) for fault in planned]
        anywhere += [rate_of(gust) for gust in strongest.values()]
    assert sum(struck) / len(struck) > 1.15 * sum(anywhere) / len(anywhere)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32), st.integers(1, 30))
def test_stations_tell_of_gusts_while_a_squall_is_there_and_of_a_breeze_when_it_has_gone(
    seed: int, faults: int
) -> None:
    weather = Weather(MEADOW, seed, faults, START)
    told = weather.observations()
    assert [at for at, _ in told] == sorted({at for at, _ in told})
    for squall in weather.squalls:
        assert START < squall.enters_at < squall.leaves_at
        within = [at for at, _ in told if squall.enters_at <= at <= squall.leaves_at]
        assert len(within) >= (squall.leaves_at - squall.enters_at) // OBSERVED
        assert squall.gust((1e3, 1e3), squall.enters_at) == pytest.approx(BREEZE)
    assert all(BREEZE <= gust <= PEAK[1] for _, winds in told for _, gust in winds)
    assert told == Weather(MEADOW, seed, faults, START).observations()
    assert told[-1][0] - weather.squalls[-1].leaves_at <= timedelta(days=1)


def test_without_places_there_is_no_weather_and_faults_come_one_after_the_other() -> None:
    network = Network([street()])
    assert weather_of(network, order(1, 2), START).squalls == ()
    assert len(plan_faults(network, network.normally, order(1, 2), START, PLAIN)) == 2
