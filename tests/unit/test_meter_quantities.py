"""Time of use, demand and longer intervals follow from intervals as the metering guide says (section 6)."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import Invalid
from services.meter_reading_and_control.domain import calendar
from services.meter_reading_and_control.domain.quantities import Slot, longer, peak, summed
from services.meter_reading_and_control.domain.readings import Origin, Quality, Value
from services.meter_reading_and_control.domain.time_of_use import Season, TariffCalendar, valid_at

BERLIN = ZoneInfo("Europe/Berlin")
QUARTER, HALF_HOUR, FIVE = timedelta(minutes=15), timedelta(minutes=30), timedelta(minutes=5)
NIGHT, DAYTIME = 2, 1
HOMES = TariffCalendar(
    id="homes",
    since=date(2026, 1, 1),
    seasons=(
        Season(begins="10-01", workday={"00:00": NIGHT, "06:00": DAYTIME, "22:00": NIGHT}, sunday={"00:00": NIGHT}),
        Season(begins="04-01", workday={"00:00": DAYTIME}, holiday={"00:00": 3}),
    ),
    holidays=(date(2026, 5, 1), date(2026, 12, 25)),
)
ESTIMATED = Quality(code="3.8.0", comment="method=E4")
NUMBERS = st.lists(st.integers(0, 10**6), min_size=1, max_size=60)


def value(number: int, *qualities: Quality, scale: int = 0) -> Value:
    return Value(number=number, scale=scale, origin=Origin(qualities=qualities) if qualities else Origin())


def slots(numbers: list[int], length: timedelta = QUARTER) -> list[Slot]:
    begin = datetime(2026, 5, 4, tzinfo=UTC)
    return [Slot(start=begin + place * length, value=value(number)) for place, number in enumerate(numbers)]


@pytest.mark.parametrize(
    ("day", "night"),
    [
        (date(2026, 11, 2), 32),  # a Monday: eight hours of night
        (date(2026, 10, 25), 100),  # a Sunday with the hour that comes twice
        (date(2026, 10, 26), 32),
        (date(2026, 12, 25), 96),  # a holiday of a season without rules for holidays is a Sunday
        (date(2026, 1, 2), 32),  # before the first season of the year the last one is still valid
        (date(2026, 7, 1), 0),
    ],
)
def test_each_interval_of_a_local_day_falls_into_the_bucket_of_its_season_and_kind_of_day(
    day: date, night: int
) -> None:
    buckets = HOMES.buckets(day, BERLIN, QUARTER)
    assert len(buckets) == len(calendar.starts(day, BERLIN, QUARTER))
    assert buckets.count(NIGHT) == night


def test_the_hour_that_comes_twice_falls_twice_into_its_bucket_and_the_one_that_is_skipped_into_none() -> None:
    fold = TariffCalendar(
        id="fold", since=HOMES.since, seasons=(Season(begins="01-01", workday={"00:00": 1, "02:00": 2, "03:00": 1}),)
    )
    autumn, spring = date(2026, 10, 25), date(2026, 3, 29)
    assert [fold.buckets(day, BERLIN, QUARTER).count(2) for day in (autumn, spring)] == [8, 0]


def test_a_calendar_is_valid_from_its_first_day_until_the_next_one_is() -> None:
    later = TariffCalendar(id="later", since=date(2027, 1, 1), seasons=HOMES.seasons)
    days = (date(2025, 12, 31), date(2026, 12, 31), date(2027, 1, 1))
    assert [valid_at((later, HOMES), day) for day in days] == [None, HOMES, later]


def test_a_bucket_that_begins_within_an_interval_is_refused() -> None:
    odd = TariffCalendar(
        id="odd", since=HOMES.since, seasons=(Season(begins="01-01", workday={"00:00": 1, "06:10": 2}),)
    )
    assert len(odd.buckets(HOMES.since, UTC, timedelta(minutes=10))) == 144
    with pytest.raises(Invalid, match="06:10") as refused:
        odd.buckets(HOMES.since, UTC, QUARTER)
    assert refused.value.code == "2.10"


@pytest.mark.parametrize(
    ("seasons", "why"),
    [
        ((), "no season"),
        ((Season(begins="01-01", workday={"06:00": 1}),), "begins with nothing"),
        ((Season(begins="01-01", workday={"00:00": 0}),), "less than 1"),
        ((Season(begins="13-01", workday={"00:00": 1}),), "month"),
    ],
)
def test_a_calendar_that_leaves_a_time_without_a_bucket_cannot_be_made(seasons: tuple[Season, ...], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        TariffCalendar(id="bad", since=HOMES.since, seasons=seasons)


@given(NUMBERS, st.integers(1, 6))
def test_longer_intervals_have_the_sum_of_what_is_in_them(numbers: list[int], many: int) -> None:
    whole = longer([value(each) for each in numbers], many)
    assert len(whole) == len(numbers) // many
    assert [each.number if each else None for each in whole] == [
        sum(numbers[place * many : (place + 1) * many]) for place in range(len(whole))
    ]


def test_a_sum_is_missing_where_a_part_is_and_tells_what_any_part_was_worth() -> None:
    assert summed([value(1), None]) is None
    assert summed([]) is None
    total = summed([value(15, scale=-1), value(2, ESTIMATED)])
    assert total is not None
    assert (total.exact, [each.code for each in total.origin.qualities]) == (Fraction(7, 2), ["3.11.0", "3.8.0"])


@given(NUMBERS, st.integers(1, 4), st.integers(1, 4))
def test_the_greatest_demand_is_that_of_the_first_of_the_greatest_blocks(
    numbers: list[int], steps: int, many: int
) -> None:
    block, step = steps * many * FIVE, steps * FIVE
    found = peak(slots(numbers, FIVE), FIVE, block, step)
    windows = [
        (sum(numbers[first : first + steps * many]), -first)
        for first in range(0, len(numbers) - steps * many + 1, steps)
    ]
    if not windows:
        assert found is None
        return
    assert found is not None
    total, first = max(windows)
    assert Fraction(found.text) == Fraction(total * 60, 5 * steps * many)
    assert found.ends == slots(numbers, FIVE)[-first].start + block


def test_a_rolling_demand_sees_the_peak_that_fixed_blocks_cut_in_two() -> None:
    numbers = [0, 0, 0, 100, 100, 100, 100, 100, 100, 0, 0, 0]
    fixed, rolling = (peak(slots(numbers, FIVE), FIVE, HALF_HOUR, step) for step in (HALF_HOUR, FIVE))
    assert fixed is not None
    assert rolling is not None
    assert (fixed.text, rolling.text) == ("600", "1200")


def test_a_demand_with_a_missing_interval_is_not_known() -> None:
    known = slots([1, 2, 3])
    assert peak([*known[:2], Slot(start=known[2].start, value=None)], QUARTER, QUARTER, QUARTER) is None
