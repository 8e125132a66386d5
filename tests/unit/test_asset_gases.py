"""Gases in oil: the ratios of IEC 60599, the status of IEEE C57.104, the modifier of CNAIM."""

from datetime import UTC, datetime, timedelta

import pytest

from services.asset_management.domain.gases import (
    BREATHING,
    CNAIM_WEIGHTS,
    NOTHING,
    SEALED,
    STRICTER,
    Sample,
    diagnose,
    gas_modifier,
    gas_score,
    ratios,
    status,
)
from services.asset_management.domain.health import Modifier

HOT = {"H2": 100.0, "CH4": 150.0, "C2H6": 50.0, "C2H4": 250.0, "C2H2": 5.0}
DAY = datetime(2026, 3, 1, tzinfo=UTC)


def sample(days: float, **gases: float) -> Sample:
    return Sample(taken_at=DAY + timedelta(days=days), gases=gases)


def test_the_golden_sample_is_a_thermal_fault_above_700_degrees() -> None:
    assert diagnose(HOT).faults == ("T3",)


def test_the_same_ratios_at_a_tenth_of_the_gas_are_no_diagnosis() -> None:
    found = diagnose({gas: value / 10 for gas, value in HOT.items()})
    assert (found.faults, found.text) == ((), NOTHING)
    assert found.ratios == ratios(HOT)


def test_a_ratio_without_a_denominator_is_not_applicable_and_makes_no_fault() -> None:
    found = diagnose({**HOT, "C2H6": 0.0})
    assert found.ratios.r5 is None
    assert found.faults == ()
    assert found.text == "undetermined; R5 not applicable"
    assert ratios({}) == ratios({"H2": 0.0, "C2H4": 0.0})


@pytest.mark.parametrize(
    ("gases", "faults"),
    [
        ({"H2": 1000, "CH4": 50, "C2H6": 100, "C2H4": 10, "C2H2": 0}, ("PD",)),
        ({"H2": 500, "CH4": 100, "C2H6": 20, "C2H4": 30, "C2H2": 90}, ("D1",)),
        ({"H2": 500, "CH4": 300, "C2H6": 20, "C2H4": 100, "C2H2": 100}, ("D2",)),
        ({"H2": 500, "CH4": 200, "C2H6": 20, "C2H4": 100, "C2H2": 150}, ("D1", "D2")),
        ({"H2": 50, "CH4": 200, "C2H6": 300, "C2H4": 100, "C2H2": 0}, ("T1",)),
        ({"H2": 50, "CH4": 200, "C2H6": 100, "C2H4": 300, "C2H2": 1}, ("T2",)),
        ({"H2": 500, "CH4": 300, "C2H6": 900, "C2H4": 10, "C2H2": 0}, ()),
    ],
)
def test_ratios_name_the_fault_and_both_where_two_fit(gases: dict[str, float], faults: tuple[str, ...]) -> None:
    assert diagnose(gases).faults == faults


def test_a_communicating_tap_changer_may_have_more_acetylene() -> None:
    gases = {**{gas: value / 10 for gas, value in HOT.items()}, "C2H2": 100.0}
    assert diagnose(gases).text != NOTHING
    assert diagnose(gases, communicating=True).text == NOTHING


def test_without_oxygen_and_nitrogen_the_stricter_limits_count_and_that_is_said() -> None:
    unknown = status([sample(0, CH4=60)])
    assert (unknown.number, unknown.assumed is None) == (3, False)
    sealed = status([sample(0, CH4=60, O2=1000, N2=60000)])
    assert (sealed.number, sealed.assumed) == (1, None)
    breathing = status([sample(0, CH4=30, O2=20000, N2=60000)])
    assert (breathing.number, breathing.reasons) == (2, ("CH4 30 exceeds the 90 % value 20",))
    for name in ("p90", "p95", "change", "rate"):
        for gas, limit in getattr(STRICTER, name).items():
            assert limit == min(getattr(SEALED, name)[gas], getattr(BREATHING, name)[gas])


def test_a_jump_since_the_sample_before_makes_status_2_and_a_steady_rise_status_3() -> None:
    air = {"O2": 1000.0, "N2": 60000.0}
    jump = [sample(0, H2=10, **air), sample(30, H2=55, **air)]
    assert (status(jump).number, status(jump).reasons) == (2, ("H2 45 exceeds the change 40",))
    rise = [sample(day, H2=10 + day * 30 / 365, **air) for day in (0, 180, 360)]
    assert status(rise).number == 3
    assert "the rate" in status(rise).reasons[0]
    assert status(list(reversed(rise))) == status(rise)
    slow = [sample(day, H2=10 + day * 10 / 365, **air) for day in (0, 180, 360)]
    assert status(slow).number == 1
    short = [sample(day, H2=10 + day * 30 / 365, **air) for day in (0, 30, 60)]
    assert status(short).number == 1


def test_two_samples_of_one_day_are_normal() -> None:
    twice = [sample(0, H2=50.0, O2=1, N2=100), sample(0.1, H2=52.0, O2=1, N2=100)]
    assert status(twice).number == 1


def test_the_modifier_of_gases_has_a_collar_by_the_score_and_a_factor_by_its_change() -> None:
    assert gas_modifier([]) == Modifier()
    assert gas_score(HOT) == 50 * 4 + 30 * 10 + 30 * 16 + 30 * 4 + 120 * 2
    assert gas_modifier([sample(0, **HOT)]) == Modifier(1.0, collar=1340 / 220)
    low = sample(-100, H2=21.0)
    assert gas_modifier([sample(0, **HOT), low]).factor == 1.5
    assert gas_modifier([sample(0, H2=0.0), sample(-1, H2=0.0)]).factor == 1.0
    assert gas_modifier([sample(0, H2=50.0), sample(-1, H2=0.0)]).factor == 1.5
    assert gas_modifier([sample(0, H2=21.0), sample(-1, H2=50.0)]).factor == 0.9
    worst = dict.fromkeys(CNAIM_WEIGHTS, 9000.0)
    assert gas_modifier([sample(0, **worst)]).collar == 7.0
    assert gas_modifier([sample(0, H2=1.0)]).collar == 1.0
