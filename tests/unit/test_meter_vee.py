"""Validation and estimation of market days: the golden vectors of the guide, and what has to hold of any day."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from numpy.typing import NDArray

from contracts.errors import Invalid
from services.meter_reading_and_control.domain import calendar
from services.meter_reading_and_control.domain.vee.days import Days, Facts, Mark, supply_marks
from services.meter_reading_and_control.domain.vee.estimation import (
    Estimate,
    Knowledge,
    Scaling,
    estimated,
    interpolated,
    shared_out,
)
from services.meter_reading_and_control.domain.vee.rule_sets import INTERVALS, Estimator, RuleSet, chosen
from services.meter_reading_and_control.domain.vee.rules import RULES, SECOND_LOOK
from services.meter_reading_and_control.domain.vee.validation import (
    BIT,
    difference,
    looked_again,
    named,
    rows,
    validated,
)

QUARTER = timedelta(minutes=15)
BERLIN = ZoneInfo("Europe/Berlin")
MIDNIGHT = datetime(2026, 6, 1, tzinfo=UTC)


def a_day(*values: Sequence[int], marks: dict[int, Mark] | None = None, length: timedelta = QUARTER) -> Days:
    """Days of the given rows, all with the same marks."""
    numbers = np.array(values, np.int64)
    bits = np.zeros(numbers.shape, np.uint16)
    for place, mark in (marks or {}).items():
        bits[:, place] |= np.uint16(mark)
    starts = [MIDNIGHT + place * length for place in range(numbers.shape[1])]
    return Days(values=numbers, marks=bits, length=length, starts=starts)


def many(**columns: Any) -> Facts:
    """Facts of one usage point."""
    return Facts(**{name: np.array([value]) for name, value in columns.items()})


def only(*names: str, **settings: float) -> RuleSet:
    return replace(INTERVALS, rules=dict.fromkeys(names, settings))


def fill(
    values: Sequence[int],
    failed: Sequence[int],
    known: Knowledge | None = None,
    *,
    marks: NDArray[np.uint16] | None = None,
    ladder: tuple[Estimator, ...] = INTERVALS.ladder,
    length: timedelta = QUARTER,
) -> Estimate:
    """Estimate the intervals whose places are named."""
    mask = np.zeros(len(values), np.bool_)
    mask[list(failed)] = True
    bits = np.zeros(len(values), np.uint16) if marks is None else marks
    known = known or Knowledge(slots=range(len(values)))
    rule_set = replace(INTERVALS, ladder=ladder)
    return estimated(np.array(values, np.int64), bits, mask, known, rule_set=rule_set, length=length)


def test_g1_a_line_from_400_to_800_over_seven_intervals() -> None:
    assert [interpolated(400, 800, place, 7) for place in range(1, 8)] == [450, 500, 550, 600, 650, 700, 750]


def test_g4_a_total_is_shared_out_without_a_rest() -> None:
    assert shared_out(1234, [250, 300, 350, 100]) == [309, 370, 432, 123]
    assert shared_out(100, [0, 0, 0]) == [34, 33, 33]


@given(st.integers(0, 10**12), st.lists(st.integers(0, 10**9), min_size=1, max_size=100))
def test_what_is_shared_out_closes_to_the_last_unit_and_no_part_is_a_unit_off(total: int, weights: list[int]) -> None:
    parts = shared_out(total, weights)
    whole = sum(weights)
    assert sum(parts) == total
    assert all(abs(part * whole - total * weight) < whole for part, weight in zip(parts, weights, strict=True) if whole)


def test_scenario_17_a_spike_fails_although_the_sum_is_right_and_is_a_warning_right_after_an_outage() -> None:
    values = [1000, 1100, 1200, 1300, 5000]
    facts = many(advance=9600, least=1)
    found = validated(a_day(values), facts, only("V5", "V13", "V13w"))
    assert not found.failed_days.any()
    assert found.failed.tolist() == [[False, False, False, False, True]]
    after = validated(a_day(values, marks={2: Mark.OFF}), facts, only("V5", "V13", "V13w"))
    assert not after.failed.any()
    assert after.found("V13w").tolist() == [[False, False, False, False, True]]


def test_small_values_have_no_spikes() -> None:
    day = a_day([10, 11, 12, 13, 50])
    assert validated(day, many(class_mean=100), only("V13")).failed.sum() == 0
    assert validated(day, many(class_mean=50), only("V13")).failed.sum() == 1


@pytest.mark.parametrize(
    ("advance", "facts", "fails"),
    [
        (400, {}, False),
        (402, {}, False),
        (403, {}, True),
        (403, {"pulse": 1}, False),
        (500, {"read_offset_s": 900}, False),
        (500, {"read_offset_s": 800}, True),
        (500, {"advance_known": False}, False),
    ],
)
def test_the_sum_of_a_day_agrees_with_its_register_within_what_the_guide_allows(
    advance: int, facts: dict[str, Any], fails: bool
) -> None:
    found = validated(a_day([100] * 4), many(advance=advance, least=1, **facts), only("V5", relative=0))
    assert found.failed_days.tolist() == [fails]


def test_the_sum_of_a_day_with_a_gap_is_not_judged() -> None:
    found = validated(a_day([100, 0, 100], marks={1: Mark.MISSING}), many(advance=300, least=1), only("V5", "V8"))
    assert not found.failed_days.any()
    assert found.failed.tolist() == [[False, True, False]]


A_DAY = [100, 120, 90, 110] * 24
CASES: dict[str, tuple[Days, Facts]] = {
    "V4": (a_day(A_DAY, marks={5: Mark.CLOCK}), Facts()),
    "V5": (a_day(A_DAY), many(advance=1, least=1)),
    "V6": (a_day(A_DAY), many(advance=1000, least=1, tou_sum=1004, tou_count=2)),
    "V7": (a_day(A_DAY), Facts(least=np.array([1]), check=np.array([[110, *A_DAY[1:]]]))),
    "V8": (a_day(A_DAY, marks={5: Mark.MISSING}), Facts()),
    "V10": (a_day(A_DAY, marks={5: Mark.OVERFLOW}), Facts()),
    "V11": (a_day(A_DAY, marks={5: Mark.TEST}), Facts()),
    "V12": (a_day(A_DAY, marks={5: Mark.PARTIAL}), Facts()),
    "V12w": (a_day(A_DAY, marks={5: Mark.PARTIAL | Mark.OFF}), Facts()),
    "V13": (a_day([400, *A_DAY[1:]]), Facts()),
    "V13w": (a_day([400, *A_DAY[1:]], marks={0: Mark.OFF}), Facts()),
    "V14": (a_day(A_DAY), many(reference=3000)),
    "V15": (a_day([1, *A_DAY[1:]]), Facts()),
    "V16": (a_day(A_DAY), many(limit=119)),
    "V17": (a_day([0, *A_DAY[1:]]), Facts(least=np.array([1]), reactive=np.array([[6] * 96]))),
    "V18": (a_day([0] * 96), many(zero_days=6)),
    "V19": (a_day(A_DAY), many(inactive=True)),
    "V20": (a_day([-1, *A_DAY[1:]]), Facts()),
    "V21": (a_day(A_DAY), many(reverse=60, generation=False)),
    "V22": (a_day([100] * 12 + A_DAY[12:]), Facts()),
    "V23": (a_day(A_DAY, marks={5: Mark.DEVICE}), Facts()),
    "V24": (a_day([0, *A_DAY[1:]], marks={0: Mark.OFF}), Facts()),
    "V25": (a_day(A_DAY), many(register_fell=True)),
    "V27": (a_day(A_DAY), many(siblings_missing=True)),
    "V28": (a_day(A_DAY, marks={5: Mark.ESTIMATED}), many(estimated_days=10)),
    "V30": (a_day(A_DAY), Facts(voltage=np.array([[0.4, *[1.0] * 95]]))),
}


@pytest.mark.parametrize("name", sorted(CASES))
def test_each_rule_that_looks_first_finds_what_it_is_for_and_nothing_in_an_ordinary_day(name: str) -> None:
    days, facts = CASES[name]
    assert validated(days, facts, only(name)).found(name).any()
    assert not validated(a_day(A_DAY), Facts(), only(name)).found(name).any()


def test_every_rule_looks_first_or_once_more() -> None:
    assert {*CASES, *SECOND_LOOK.values()} == set(RULES)


def test_of_many_days_the_second_look_sees_estimates_only() -> None:
    days, made = a_day([-5, 130, -5, 130]), np.array([[False, False, True, True]])
    found = looked_again(days, made, many(limit=120, advance=300, least=1), INTERVALS)
    assert found.found("V20e").tolist() == [[False, False, True, False]]
    assert found.found("V16e").tolist() == [[False, False, False, True]]
    assert found.found("V5e").tolist() == [True]
    assert not found.failed.any()
    assert not found.failed_days.any()
    nothing = looked_again(days, np.zeros_like(made), many(limit=120, advance=300, least=1), INTERVALS)
    assert not nothing.of_intervals.any()
    assert not nothing.of_days.any()


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("V14", many(reference=3000, reference_estimated=0.5)),
        ("V14", many(reference=900)),
        ("V18", many(zero_days=5)),
        ("V18", many(zero_days=30, inactive=True)),
        ("V18", many(zero_days=30, minimal_use_expected=True)),
        ("V21", many(reverse=60, generation=True)),
        ("V28", many(estimated_days=9)),
    ],
)
def test_what_explains_a_finding_takes_it_away(name: str, facts: Facts) -> None:
    days, _ = CASES[name]
    assert not validated(days, facts, only(name)).found(name).any()


def test_a_business_without_use_is_found_after_a_day() -> None:
    found = validated(a_day([0] * 96), many(zero_days=0, business=True), only("V18"))
    assert found.found("V18").all()


def test_findings_name_their_rules_and_the_rule_set_with_its_version() -> None:
    found = validated(a_day([-5, *A_DAY[1:]], marks={0: Mark.TEST}), Facts(), INTERVALS)
    assert named(int(found.of_intervals[0, 0])) == ("V11", "V20")
    assert found.rule_sets == [("intervals", 1)]
    assert rows(found.failed) == [0]
    assert len({int(bit) for bit in BIT.values()}) == len(RULES)


@given(st.lists(st.lists(st.integers(-50, 2000), min_size=96, max_size=96), min_size=2, max_size=5), st.data())
def test_a_usage_point_is_judged_the_same_whoever_is_judged_with_it(
    rows_: list[list[int]], data: st.DataObject
) -> None:
    marks = np.array(data.draw(st.lists(st.integers(0, 1023), min_size=96, max_size=96)), np.uint16)
    days = replace(a_day(*rows_), marks=np.tile(marks, (len(rows_), 1)))
    advance, least = days.values.sum(axis=1), np.ones(len(rows_), np.int64)
    together = validated(days, Facts(advance=advance, least=least), INTERVALS)
    for place in range(len(rows_)):
        one = slice(place, place + 1)
        alone = replace(days, values=days.values[one], marks=days.marks[one])
        found = validated(alone, Facts(advance=advance[one], least=least[one]), INTERVALS)
        assert (found.of_intervals == together.of_intervals[one]).all()
        assert (found.of_days == together.of_days[one]).all()


def test_the_preview_of_a_change_of_rules_counts_what_would_differ() -> None:
    days = a_day([400, *A_DAY[1:]], A_DAY)
    now = validated(days, Facts(), only("V13"))
    then = validated(days, Facts(), only("V13", ratio=4.0))
    assert difference(now, then).fewer == {"V13": 1}
    assert (difference(now, then).kept, difference(now, then).estimated) == (1, 0)


def test_the_rule_set_of_a_day_is_the_one_that_is_valid_then_and_fits() -> None:
    later = replace(INTERVALS, version=2, since=date(2026, 7, 1))
    homes = replace(INTERVALS, id="homes", since=date(2026, 7, 1), applies_to_class="res*")
    sets = [later, INTERVALS, homes]
    assert chosen(sets, "residential", "0.0.2", date(2026, 6, 30)).id == "intervals"
    assert chosen(sets, "residential", "0.0.2", date(2026, 7, 1)).id == "homes"
    assert chosen(sets, "business", "0.0.2", date(2026, 7, 1)).version == 2
    with pytest.raises(Invalid, match="no rule set applies"):
        chosen(sets, "residential", "0.0.2", date(1999, 1, 1))


def test_a_rule_set_with_a_rule_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no V99"):
        RuleSet(id="x", version=1, since=date(2026, 1, 1), rules={"V99": {}}, ladder=())


def test_scenario_18_a_gap_of_two_hours_at_the_start_is_level_and_a_longer_one_is_as_on_like_days() -> None:
    like = [(np.full(96, 70, np.int64), np.ones(96, np.bool_))]
    known = Knowledge(slots=range(96), like_days=like)
    level = fill([0] * 8 + [50] * 88, range(8), known)
    assert level.values[:8].tolist() == [50] * 8
    assert set(level.methods[:8]) == {"E3"}
    longer = fill([0] * 9 + [50] * 87, range(9), known)
    assert longer.values[:9].tolist() == [70] * 9
    assert set(longer.methods[:9]) == {"E4"}


def test_scenario_16_an_outage_between_its_two_events_is_zeros_and_one_without_an_end_is_held() -> None:
    starts = [MIDNIGHT + place * QUARTER for place in range(96)]
    down, up = MIDNIGHT + timedelta(hours=10, minutes=5), MIDNIGHT + timedelta(hours=15)
    like = [(np.full(96, 70, np.int64), np.ones(96, np.bool_))]
    gap, sold = range(40, 60), 76 * 100
    values = [0 if place in gap else 100 for place in range(96)]
    known = Knowledge(slots=range(96), like_days=like, advance=sold)
    done = fill(values, gap, known, marks=supply_marks(starts, QUARTER, [(down, up)]))
    assert done.values[40:60].tolist() == [0] * 20
    assert set(done.methods[40:60]) == {"E1"}
    assert done.scaling is Scaling.NO_REGISTER
    waiting = fill(values, gap, known, marks=supply_marks(starts, QUARTER, [(down, None)]))
    assert waiting.missing[40:60].all()
    assert waiting.held[40:60].all()
    assert waiting.values.tolist() == values


def test_a_gap_that_goes_on_after_an_outage_is_zeros_only_while_power_was_off() -> None:
    starts = [MIDNIGHT + place * QUARTER for place in range(96)]
    marks = supply_marks(starts, QUARTER, [(starts[40], starts[60])])
    like = [(np.full(96, 70, np.int64), np.ones(96, np.bool_))]
    done = fill([100] * 96, range(40, 80), Knowledge(slots=range(96), like_days=like), marks=marks)
    assert done.values[40:80].tolist() == [0] * 20 + [70] * 20
    assert done.methods[40:80] == ["E1"] * 20 + ["E4"] * 20


def test_what_the_register_gained_in_an_outage_was_used_in_its_last_interval() -> None:
    starts = [MIDNIGHT + place * QUARTER for place in range(10)]
    marks = supply_marks(starts, QUARTER, [(starts[3], starts[6] + timedelta(minutes=5))])
    done = fill([10] * 10, range(3, 7), Knowledge(slots=range(10), advance=73), marks=marks)
    assert done.values[3:7].tolist() == [0, 0, 0, 13]


def test_scenario_6_a_register_that_comes_later_scales_the_estimates_alone() -> None:
    values = [100] * 96
    like = [(np.array([40, 80] * 48, np.int64), np.ones(96, np.bool_))]
    gap = range(20, 32)
    first = fill(values, gap, Knowledge(slots=range(96), like_days=like))
    assert first.scaling is Scaling.NO_REGISTER
    assert first.values[20:32].tolist() == [40, 80] * 6
    scaled = fill(values, gap, Knowledge(slots=range(96), like_days=like, advance=8400 + 1000))
    assert scaled.scaling is Scaling.DONE
    assert int(scaled.values.sum()) == 9400
    assert all(scaled.values[place] == 100 for place in range(96) if place not in gap)


def test_estimates_are_not_scaled_below_zero() -> None:
    done = fill([100] * 8, [3, 4], Knowledge(slots=range(8), advance=500))
    assert done.scaling is Scaling.UNSCALED
    assert done.values.tolist() == [100] * 8


def test_scenario_2_the_long_day_is_estimated_by_the_time_of_the_clock_and_has_all_its_intervals() -> None:
    starts = calendar.starts(date(2026, 10, 25), BERLIN, QUARTER)
    slots = calendar.clock_slots(date(2026, 10, 25), BERLIN, QUARTER)
    like = [(np.arange(96, dtype=np.int64), np.ones(96, np.bool_))]
    done = fill([0] * 100, range(100), Knowledge(slots=slots, like_days=like))
    assert len(starts) == len(done.values) == 100
    assert done.values[8:16].tolist() == [8, 9, 10, 11, 8, 9, 10, 11]
    assert not done.missing.any()
    short = calendar.clock_slots(date(2026, 3, 29), BERLIN, QUARTER)
    assert len(short) == 92
    assert short[7:9] == (7, 12)


def test_a_check_meter_goes_before_a_line_and_a_line_before_like_days() -> None:
    check = (np.full(8, 77, np.int64), np.ones(8, np.bool_))
    assert fill([10] * 8, [4], Knowledge(slots=range(8), check=check)).methods[4] == "E2"
    assert fill([10] * 8, [4]).methods[4] == "E3"


def test_outages_are_no_ends_of_a_line() -> None:
    marks = np.zeros(8, np.uint16)
    marks[3] = np.uint16(Mark.OFF)
    assert fill([10, 10, 10, 0, 0, 30, 30, 30], [4], marks=marks).values[4] == 30
    marks[5] = np.uint16(Mark.OFF)
    assert fill([10, 10, 10, 0, 0, 0, 30, 30], [4], marks=marks).values[4] == 0


def test_without_a_history_the_shape_of_the_class_is_used_and_without_that_the_gap_stays() -> None:
    profile = np.full(24, 1 / 24)
    hour = timedelta(hours=1)
    known = Knowledge(slots=range(24), profile=profile, daily_use=2400.0)
    assert set(fill([0] * 24, range(24), known, length=hour).values.tolist()) == {100}
    nothing = fill([0] * 24, range(24), length=hour)
    assert nothing.missing.all()
    assert set(nothing.methods) == {""}
    agreed = fill([0] * 24, range(24), length=hour, ladder=(Estimator(method="E7"),))
    assert not agreed.missing.any()


@given(
    st.lists(st.integers(0, 10_000), min_size=96, max_size=96),
    st.sets(st.integers(0, 95)),
    st.none() | st.integers(0, 10**6),
)
def test_what_was_measured_never_changes_and_a_scaled_day_equals_its_register(
    values: list[int], failed: set[int], advance: int | None
) -> None:
    like = [(np.arange(96, dtype=np.int64) * 10, np.ones(96, np.bool_))]
    done = fill(values, sorted(failed), Knowledge(slots=range(96), like_days=like, advance=advance))
    assert all(done.values[place] == value for place, value in enumerate(values) if place not in failed)
    assert all(bool(method) == (place in failed) for place, method in enumerate(done.methods))
    if done.scaling is Scaling.DONE:
        assert int(done.values.sum()) == advance
