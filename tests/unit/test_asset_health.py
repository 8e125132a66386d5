"""Health scores by the published formulae: the golden numbers of the methodology, its tables, and what follows."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.asset_management.domain import classes
from services.asset_management.domain.assessment import Inputs, Observation, assess, criticality, oil_modifier
from services.asset_management.domain.classes import CLASSES, Costs
from services.asset_management.domain.health import (
    BANDS,
    WORST,
    WORST_FORECAST,
    Health,
    Modifier,
    ageing_rate,
    band,
    combined,
    expected_life,
    failure_rate,
    forecast,
    health,
    initial_score,
    score_factor,
)

TX = CLASSES["distribution transformer"]
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_age_alone_makes_the_golden_scores() -> None:
    rate = ageing_rate(expected_life(60, 1, 1))
    assert rate == pytest.approx(0.0399649, abs=5e-8)
    scores = [initial_score(rate, age) for age in (10, 20, 40, 60, 80)]
    assert scores == pytest.approx([0.7457, 1.1120, 2.4730, 5.5, 5.5], abs=5e-5)


@pytest.mark.parametrize(
    ("score", "per_cent"),
    [(0.5, 0.2223), (4, 0.2223), (5.5, 0.4716), (6.5, 0.7161), (8, 1.2254), (10, 2.2231), (15, 6.8070)],
)
def test_failures_follow_the_golden_curve_with_its_floor_below_four(score: float, per_cent: float) -> None:
    assert failure_rate(TX.k, score) == pytest.approx(per_cent, abs=5e-5)


def test_forty_years_and_a_factor_of_1_3_make_the_golden_forecast() -> None:
    now = health(60, 40, Modifier(1.3))
    assert now.score == pytest.approx(3.2150, abs=5e-5)
    ten, twenty = forecast(now, 40, 10), forecast(now, 40, 20)
    assert (ten, twenty) == pytest.approx((4.779, 7.104), abs=5e-4)
    assert failure_rate(TX.k, ten) == pytest.approx(0.3358, abs=5e-5)
    assert failure_rate(TX.k, twenty) == pytest.approx(0.8992, abs=5e-5)


def test_factors_combine_as_the_golden_numbers_say() -> None:
    assert combined([1.4, 1.2, 1.1], 2) == pytest.approx(1.53333, abs=5e-6)
    assert combined([0.9, 0.95, 1], 2) == pytest.approx(0.866667, abs=5e-7)
    assert combined([0.9], 2) == 0.9
    assert combined([], 2) == 1
    assert combined([1.4, 1.2], 1) == 1.4


def test_what_was_seen_and_what_was_measured_make_one_factor() -> None:
    assert score_factor(1.4, 1.2) == pytest.approx(1.4 + 0.2 / 1.5)
    assert score_factor(0.9, 1.4) == 1.4
    assert score_factor(0.9, 0.8) == pytest.approx(0.8 - 0.1 / 1.5)


def test_the_cap_is_applied_before_the_collar_and_both_before_the_ends_of_the_scale() -> None:
    assert health(60, 60, Modifier(1.5, cap=5.4)).score == 5.4
    assert health(60, 1, Modifier(0.9, cap=5.4, collar=8.0)).score == 8.0
    assert health(60, 60, Modifier(1.8), reliability=9.0).score == 10.0
    assert health(60, 0, Modifier(0.8), reliability=0.1).score == 0.5


def test_bands_are_a_table_with_a_version() -> None:
    edges = [0.5, 2.99, 3, 5.49, 5.5, 6.49, 6.5, 7.99, 8, 15]
    assert [band(score) for score in edges] == ["HI1"] * 2 + ["HI2"] * 2 + ["HI3"] * 2 + ["HI4"] * 2 + ["HI5"] * 2
    assert (band(3.5, "v1.1"), band(3.5, "v2.1")) == ("HI1", "HI2")
    assert all([each.least for each in bands] == sorted(each.least for each in bands) for bands in BANDS.values())


@given(st.floats(0.5, 10), st.floats(0, 100), st.floats(0, 60))
def test_health_never_gets_better_by_itself_and_stays_on_the_scale(score: float, age: float, years: float) -> None:
    now = Health(initial=score, rate=ageing_rate(60), factor=1, cap=WORST, collar=score, score=score)
    assert score <= forecast(now, age, years) <= WORST_FORECAST
    assert failure_rate(TX.k, forecast(now, age, years)) >= failure_rate(TX.k, score)


def test_a_total_of_costs_is_counted_and_not_copied() -> None:
    """Two of the transcribed totals differ from the sum of their columns: 157 188 for 204 286 at 33 kV."""
    assert CLASSES["power transformer"].costs.total == 204_286
    assert TX.costs.total == 22_272
    assert all(kind.costs.total == sum(kind.costs) for kind in CLASSES.values())


def test_every_word_of_every_table_makes_a_factor_and_no_table_is_empty() -> None:
    for kind in CLASSES.values():
        for words in (*kind.observed.values(), *kind.measured.values()):
            assert words
            assert all(0.8 <= each.factor <= 1.8 and each.collar <= each.cap for each in words.values())


def inputs(*observations: Observation, kind: str = "Distribution transformer", year: int = 1986, **more: Any) -> Inputs:
    made = date(year, 3, 1)
    return Inputs(asset_type=kind, made_on=made, at=NOW, known_at=NOW, observations=observations, **more)


def word(name: str, said: str) -> Observation:
    return Observation(name=name, at=NOW, word=said)


def number(name: str, value: float) -> Observation:
    return Observation(name=name, at=NOW, number=value)


def test_what_has_no_published_class_or_no_age_has_no_score() -> None:
    assert assess(inputs(kind="Street lamp")) is None
    assert assess(Inputs(asset_type="Recloser", made_on=None, at=NOW, known_at=NOW)) is None


def test_substantial_deterioration_makes_hi5_at_once() -> None:
    found = assess(inputs(word("externalCondition", "Substantial Deterioration")))
    assert found is not None
    assert (found.health.collar, found.band) == (8.0, "HI5")
    assert found.failure_rate == pytest.approx(1.2254, abs=5e-5)


def test_a_transformer_that_is_heavily_loaded_ages_sooner() -> None:
    by_load = {load: assess(inputs(number("maximumLoad", load))) for load in (40, 60, 90, 120)}
    scores = [found.health.score for found in by_load.values() if found is not None]
    assert scores == sorted(scores)
    assert len(set(scores)) == 4


def test_before_1980_power_transformers_were_made_to_last_longer() -> None:
    older, newer = (assess(inputs(kind="Power transformer", year=year)) for year in (1979, 1981))
    assert older is not None
    assert newer is not None
    assert older.health.rate < newer.health.rate


def test_oil_is_scored_by_its_three_numbers() -> None:
    said = {"moisture": number("moisture", 15), "acidity": number("acidity", 0.15)}
    assert oil_modifier(said) == Modifier(1.0)
    said["breakdownStrength"] = number("breakdownStrength", 30)
    assert oil_modifier(said) == Modifier(1.4, collar=5.5)
    assert oil_modifier({}) is None


def test_the_costs_of_a_failure_are_those_of_the_class_times_those_of_the_place() -> None:
    found = assess(
        inputs(
            word("access", "underground"),
            word("locationRisk", "high"),
            word("typeRisk", "high"),
            word("bunded", "yes"),
            number("distanceToWater", 39),
            number("ratedPower", 315),
            customers=400,
        )
    )
    assert found is not None
    reference = TX.costs
    assert found.costs == Costs(
        financial=reference.financial * 2.0,
        safety=reference.safety * 1.6,
        environmental=reference.environmental * 2.5 * 0.5 * 0.6,
        network=reference.network * 2,
    )
    assert found.risk.total == pytest.approx(found.failure_rate / 100 * found.costs.total)


def test_criticality_is_relative_to_the_average_of_the_class() -> None:
    assert [criticality(share) for share in (0.5, 0.75, 1.25, 2.0)] == ["C1", "C2", "C3", "C4"]
    few, many = (assess(inputs(customers=customers)) for customers in (0, 4000))
    assert few is not None
    assert many is not None
    assert (few.criticality, many.criticality) == ("C2", "C4")


def test_a_line_fails_by_the_kilometre() -> None:
    short, long = (assess(inputs(kind="Underground cable", length_m=metres)) for metres in (500.0, 2000.0))
    assert short is not None
    assert long is not None
    assert long.failure_rate == pytest.approx(4 * short.failure_rate)


def test_gases_and_oil_count_for_a_power_transformer() -> None:
    plain = assess(inputs(kind="Power transformer"))
    wet = assess(inputs(number("moisture", 60), number("acidity", 0.6), kind="Power transformer"))
    assert plain is not None
    assert wet is not None
    assert wet.health.factor > plain.health.factor == 1
    assert classes.class_of(" power TRANSFORMER ") is CLASSES["power transformer"]
