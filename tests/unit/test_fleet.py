"""A fleet's values are facts that can be asked for again, alone, in any order and by anybody."""

from datetime import date, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.fleet.delivery import PERFECT, Conditions, Outage, fates
from shared.fleet.metering import LAST, ORIGIN, Fleet, texts
from shared.fleet.shapes import Kind

BERLIN = ZoneInfo("Europe/Berlin")
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)
FLEET = Fleet(7, 1_000_000, BERLIN)

days = st.one_of(st.dates(ORIGIN, LAST - timedelta(days=1)), st.sampled_from([SPRING, AUTUMN]))
numbers = st.lists(st.integers(0, 999_999), min_size=1, max_size=40)


@given(numbers, days, st.booleans())
def test_a_meter_day_is_the_same_alone_and_among_others_in_any_order(
    chosen: list[int], day: date, fed_in: bool
) -> None:
    together = FLEET.intervals(np.array(chosen), day, fed_in=fed_in)
    order = sorted(range(len(chosen)), key=lambda place: (chosen[place] * 2654435761) % 997)
    shuffled = Fleet(7, 50, BERLIN).intervals(np.array([chosen[place] for place in order]), day, fed_in=fed_in)
    assert (shuffled == together[order]).all()
    alone = FLEET.intervals(np.array(chosen[:1]), day, fed_in=fed_in)
    assert (alone[0] == together[0]).all()


@given(numbers, days, st.sampled_from([300, 900, 1800, 3600]), st.booleans())
def test_the_register_advances_by_the_sum_of_the_intervals(
    chosen: list[int], day: date, interval_s: int, fed_in: bool
) -> None:
    fleet = Fleet(3, 1_000_000, BERLIN, interval_s)
    meters = np.array(chosen)
    intervals = fleet.intervals(meters, day, fed_in=fed_in)
    before, after = (fleet.registers(meters, each, fed_in=fed_in) for each in (day, day + timedelta(days=1)))
    assert (intervals >= 0).all()
    assert (intervals.sum(axis=1) == after - before).all()


@pytest.mark.parametrize(
    ("zone", "day", "count"),
    [
        ("Europe/Berlin", SPRING, 92),
        ("Europe/Berlin", AUTUMN, 100),
        ("Europe/Berlin", date(2026, 6, 1), 96),
        ("Australia/Lord_Howe", date(2026, 10, 4), 94),
        ("Australia/Lord_Howe", date(2026, 4, 5), 98),
    ],
)
def test_a_day_has_as_many_intervals_as_it_is_long(zone: str, day: date, count: int) -> None:
    fleet = Fleet(1, 10, ZoneInfo(zone))
    starts = fleet.starts(day)
    assert (len(starts), set(np.diff(starts).tolist())) == (count, {900})
    assert fleet.intervals(np.arange(10), day).shape == (10, count)
    following = fleet.starts(day + timedelta(days=1))
    assert following[0] == starts[-1] + 900


def test_single_meters_are_spiky_and_many_together_are_smooth() -> None:
    values = FLEET.intervals(np.arange(4000), date(2026, 1, 14)).astype(float)
    households = values[FLEET.kinds(np.arange(4000)) == Kind.HOUSEHOLD]
    single = households.max(axis=1) / np.maximum(households.mean(axis=1), 1)
    together = households.sum(axis=0)
    assert np.median(single) > 4
    assert together.max() / together.mean() < 2
    assert together.argmax() in range(17 * 4, 21 * 4), "households use most in the evening of a winter's day"
    assert 2_500_000 < households.sum(axis=1).mean() * 365 < 6_000_000


def test_panels_feed_in_by_day_alone_and_another_seed_is_another_fleet() -> None:
    meters = np.arange(2000)
    fed_in = FLEET.intervals(meters, date(2026, 6, 21), fed_in=True)
    panels = FLEET.feeds_in(meters)
    assert 0.05 < panels.mean() < 0.25
    assert not fed_in[~panels].any()
    assert not fed_in[:, :16].any()
    assert (fed_in[panels].sum(axis=1) > 0).all()
    other = Fleet(8, 1_000_000, BERLIN)
    assert (other.intervals(meters, SPRING) != FLEET.intervals(meters, SPRING)).mean() > 0.9
    names = texts(FLEET.meter_ids(meters) + FLEET.point_ids(meters) + other.meter_ids(meters))
    assert len(set(names)) == len(names) == 6000
    assert [names[7]] == texts(FLEET.meter_ids(np.array([7])))
    assert {str(UUID(name)) for name in names} == set(names)


def test_what_is_delivered_late_twice_cut_or_never_is_so_in_the_shares_that_are_asked_for() -> None:
    meters = np.arange(100_000)
    field = Conditions(doubled=0.1, cut=0.05, clock_jumps=0.01)
    found = fates(FLEET, meters, SPRING, field)
    never = np.isinf(found.at_s)
    assert never.mean() == pytest.approx(0.003 + 0.002, abs=0.001)
    assert (found.at_s < 14_400).mean() == pytest.approx(0.97 * 0.998, abs=0.003)
    assert (found.copies == 2).mean() == pytest.approx(0.1, abs=0.01)
    assert (found.kept < 92).mean() == pytest.approx(0.05, abs=0.005)
    assert set(np.unique(found.clock_s)) <= {-3600, 0, 3600, *found.clock_s[np.abs(found.clock_s) > 3600].tolist()}
    assert (found.clock_s != 0).mean() == pytest.approx(0.01, abs=0.003)
    some = fates(FLEET, meters[5000:5100], SPRING, field)
    assert (some.at_s == found.at_s[5000:5100]).all()
    perfect = fates(FLEET, meters, SPRING, PERFECT)
    assert (perfect.at_s < 14_400).all()
    assert perfect.kept.min() == 92


def test_nothing_is_delivered_while_the_head_end_is_away_and_all_of_it_afterwards() -> None:
    meters = np.arange(10_000)
    outage = Outage(start_s=3600, end_s=3600 + 8 * 3600, drain_s=7200)
    found = fates(FLEET, meters, SPRING, PERFECT, [outage])
    assert not ((found.at_s >= outage.start_s) & (found.at_s < outage.end_s)).any()
    assert (found.at_s < outage.end_s + outage.drain_s).all()


def test_days_outside_the_calendar_and_intervals_that_fill_no_hour_are_refused() -> None:
    with pytest.raises(ValueError, match="is not from"):
        FLEET.intervals(np.arange(2), ORIGIN - timedelta(days=1))
    with pytest.raises(ValueError, match="do not fill hours"):
        Fleet(1, 1, BERLIN, 1000)
