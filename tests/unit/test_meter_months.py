"""What is used on average in months, and what is a drop (metering guide 7)."""

from datetime import date, timedelta
from math import isnan, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.meter_reading_and_control.domain.tamper import has_dropped
from services.meter_reading_and_control.domain.vee.days import Days
from services.meter_reading_and_control.domain.vee.months import (
    LEAST_MONTHS,
    MONTHS,
    Months,
    first_day,
    mean_use,
    number_of,
    shares,
    with_month,
)
from services.meter_reading_and_control.domain.vee.statistics import Statistics, with_day

MONTH = number_of(date(2026, 5, 31))
ONE = timedelta(days=1)


def entered(told: list[tuple[int, float]]) -> Months:
    known = Months.empty(1)
    for month, use in told:
        known = with_month(known, month, np.array([use]))
    return known


def of_days(first: date, uses: list[int | None]) -> Statistics:
    known = Statistics.empty(1)
    for number, use in enumerate(uses):
        marks = np.full((1, 1), 0 if use is not None else 1, np.uint16)
        day = Days(values=np.array([[use or 0]]), marks=marks, length=ONE, starts=())
        known = with_day(known, first + number * ONE, day, -1)
    return known


def test_months_are_numbered_one_after_the_other() -> None:
    assert first_day(MONTH) == date(2026, 5, 1)
    assert [first_day(MONTH + each) for each in (7, 8)] == [date(2026, 12, 1), date(2027, 1, 1)]
    assert {number_of(first_day(each)) - each for each in range(MONTH, MONTH + 40)} == {0}


def test_the_use_of_a_month_is_the_mean_of_its_whole_days_once_it_is_over() -> None:
    may: list[int | None] = [10, None, 30] * 10
    assert isnan(mean_use(of_days(date(2026, 5, 1), may), MONTH)[0]), "the last day has not been judged"
    (use,) = mean_use(of_days(date(2026, 4, 20), [*[9] * 11, *may, 5]), MONTH)
    assert use == pytest.approx((10 * 10 + 10 * 30 + 5) / 21 / 10)
    assert isnan(mean_use(of_days(date(2026, 5, 1), [7] * 6 + [None] * 25), MONTH)[0]), "six days are too few"
    long_ago = of_days(date(2026, 5, 1), [7] * 65)
    assert isnan(mean_use(long_ago, MONTH)[0]), "its first day is held no more"
    assert mean_use(of_days(date(2026, 5, 1), [7] * 64), MONTH)[0] == pytest.approx(0.7)


@given(st.permutations(range(20)), st.lists(st.floats(0.1, 100), min_size=20, max_size=20))
def test_months_are_the_same_in_whatever_order_they_are_entered_and_the_last_thirteen_are_kept(
    order: list[int], uses: list[float]
) -> None:
    known = entered([(MONTH + each, uses[each]) for each in order])
    assert known.last.tolist() == [MONTH + 19]
    assert known.use[0].tolist() == uses[-MONTHS:]
    again = with_month(known, MONTH + 10, np.array([1.5]))
    assert again.use[0].tolist() == [*uses[7:10], 1.5, *uses[11:]], "what is judged again is entered again"
    assert with_month(known, MONTH + 20, np.array([nan])).use[0].tolist() == uses[-MONTHS:]


def test_a_share_is_of_the_twelve_months_before_and_needs_six_of_them() -> None:
    year = [(MONTH - back, 100.0) for back in range(1, 13)]
    assert shares(entered([*year, (MONTH - 13, 900.0), (MONTH, 30.0)]), MONTH)[0] == pytest.approx(0.3)
    assert isnan(shares(entered(year), MONTH)[0]), "the month itself is not known"
    short = [*year[:LEAST_MONTHS], (MONTH, 30.0)]
    assert shares(entered(short), MONTH)[0] == pytest.approx(0.3)
    assert isnan(shares(entered(short[1:]), MONTH)[0])
    assert isnan(shares(entered([*year, (MONTH, 30.0)]), MONTH, MONTH - LEAST_MONTHS + 1)[0]), "somebody else's"
    assert isnan(shares(entered([*((month, 0.0) for month, _ in year), (MONTH, 0.0)]), MONTH)[0])


@pytest.mark.parametrize(
    ("share", "others", "is_drop"),
    [
        (0.39, [1.0, 1.0, 1.0], True),
        (0.41, [1.0, 1.0, 1.0], False),
        (0.3, [1.0, 1.0], False),
        (0.3, [1.0, 1.0, nan], False),
        (0.3, [0.5, 0.7, 0.6], False),
        (0.3, [1.2, 0.9, 0.1], True),
        (0.5, [2.0, 2.0, 2.0], False),
        (nan, [1.0, 1.0, 1.0], False),
        (0.0, [1.0, 1.0, 1.0, nan], True),
    ],
)
def test_a_drop_is_by_more_than_sixty_per_cent_against_the_own_year_and_the_neighbours(
    share: float, others: list[float], is_drop: bool
) -> None:
    assert has_dropped(share, np.array(others)) is is_drop
