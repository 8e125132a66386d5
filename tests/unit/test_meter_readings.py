"""Market days, registers, installations and the versions of readings, by the golden vectors of the metering guide."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from contracts.codes.reading_quality import ESTIMATED, MEASURED, MISSING
from contracts.errors import BusbarError, Invalid
from services.meter_reading_and_control.domain import calendar
from services.meter_reading_and_control.domain.installation import (
    Change,
    Installed,
    Order,
    each_in_turn,
    exchange,
    install,
    remove,
)
from services.meter_reading_and_control.domain.readings import Origin, Quality, Value, merged, news, together, value_of
from services.meter_reading_and_control.domain.registers import Factor, advance, as_text, calculated, usage

BERLIN = ZoneInfo("Europe/Berlin")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
QUARTER = timedelta(minutes=15)
T0 = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "zone", "length", "count"),
    [
        (date(2026, 3, 28), BERLIN, QUARTER, 96),
        (date(2026, 3, 29), BERLIN, QUARTER, 92),
        (date(2026, 10, 25), BERLIN, QUARTER, 100),
        (date(2026, 10, 25), BERLIN, timedelta(hours=1), 25),
        (date(2026, 3, 29), BERLIN, timedelta(minutes=5), 276),
        (date(2026, 10, 4), LORD_HOWE, QUARTER, 94),
        (date(2026, 4, 5), LORD_HOWE, QUARTER, 98),
    ],
)
def test_a_market_day_has_as_many_intervals_as_its_clock_has_time(
    day: date, zone: ZoneInfo, length: timedelta, count: int
) -> None:
    assert len(calendar.starts(day, zone, length)) == count
    assert calendar.is_whole(day, zone, length)


def test_a_day_of_23_and_a_half_hours_is_no_whole_number_of_hours() -> None:
    assert not calendar.is_whole(date(2026, 10, 4), LORD_HOWE, timedelta(hours=1))


def test_the_days_of_berlin_begin_and_end_as_in_g7() -> None:
    assert calendar.bounds(date(2026, 3, 29), BERLIN) == (
        datetime(2026, 3, 28, 23, tzinfo=UTC),
        datetime(2026, 3, 29, 22, tzinfo=UTC),
    )
    assert calendar.bounds(date(2026, 10, 25), BERLIN) == (
        datetime(2026, 10, 24, 22, tzinfo=UTC),
        datetime(2026, 10, 25, 23, tzinfo=UTC),
    )


def test_ninety_six_columns_of_the_short_day_leave_out_the_hour_that_the_clock_skips() -> None:
    columns = calendar.columns(date(2026, 3, 29), BERLIN, QUARTER, 96)
    assert [place for place, start in enumerate(columns) if start is None] == [8, 9, 10, 11]
    assert tuple(each for each in columns if each is not None) == calendar.starts(date(2026, 3, 29), BERLIN, QUARTER)
    with pytest.raises(Invalid) as refused:
        calendar.columns(date(2026, 10, 25), BERLIN, QUARTER, 96)
    assert refused.value.code == "2.29"


def test_a_register_rolls_over_and_one_that_falls_is_a_finding() -> None:
    f = Fraction
    assert advance(f(99_950), f(123), modulus=100_000).gained == 173
    fell = advance(f(7), f(5), modulus=100_000)
    assert fell.gained == -2
    assert fell.decreased
    assert advance(f(7), f(5), modulus=100_000, net=True).gained == -2
    assert not advance(f(7), f(5), modulus=100_000, net=True).decreased
    assert advance(f(99_950), f(123), modulus=None).decreased
    assert advance(f(99_950), f(123), modulus=100_000, most=f(100)).decreased


def test_a_multiplier_is_applied_once_and_exactly() -> None:
    factor = [Factor(since=T0, value=Fraction(40))]
    reads = [(T0, Fraction(0)), (T0 + timedelta(days=1), Fraction("12.345"))]
    assert as_text(usage(reads, modulus=None, factors=factor)) == "493.8"
    changed = [*factor, Factor(since=T0 + timedelta(hours=5), value=Fraction(80))]
    with pytest.raises(Invalid, match="without a reading"):
        usage(reads, modulus=None, factors=changed)
    split = [reads[0], (T0 + timedelta(hours=5), Fraction(2)), reads[1]]
    assert usage(split, modulus=None, factors=changed) == 2 * 40 + Fraction("10.345") * 80


def test_a_pending_calculation_multiplies_before_or_after_it_adds() -> None:
    value, scalar = Fraction(2500), Fraction(1, 1000)
    assert as_text(calculated(value, scalar=scalar, offset=5, multiply_first=True)) == "7.5"
    assert as_text(calculated(value, scalar=scalar, offset=5, multiply_first=False)) == "2.505"


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**9), max_value=10**9))
def test_a_value_is_the_same_number_after_it_was_stored(number: object) -> None:
    value = value_of(str(number), Origin())
    assert value.exact == Fraction(str(number))
    assert Fraction(as_text(value.exact)) == value.exact


def value(number: int, quality: str = MEASURED, comment: str = "", minutes: int | None = None) -> Value:
    reported = None if minutes is None else T0 + timedelta(minutes=minutes)
    origin = Origin(qualities=(Quality(code=quality, comment=comment),), source="head-end", reported_at=reported)
    return Value(number=number, scale=-3, origin=origin)


def test_an_estimate_does_not_replace_what_was_measured_and_is_replaced_by_it() -> None:
    measured, estimated = value(412), value(400, ESTIMATED, "method=E4", minutes=60)
    assert merged((measured,), [(0, estimated)]) is None
    assert merged((estimated,), [(0, measured)]) == (measured,)
    assert merged((value(1, ESTIMATED, "method=E7"),), [(0, estimated)]) == (estimated,)
    assert merged((value(0, MISSING),), [(0, estimated)]) == (estimated,)
    locked = value(7, "3.7.0")
    assert merged((locked,), [(0, measured)]) is None


values = st.builds(
    value,
    st.integers(0, 3),
    st.sampled_from([MEASURED, "3.0.1", ESTIMATED, "3.10.1", "3.7.0", MISSING]),
    st.sampled_from(["", "method=E3", "method=E4"]),
    st.none() | st.integers(0, 3),
)


@given(st.lists(st.tuples(st.integers(0, 3), values), max_size=12), st.data())
def test_readings_end_in_the_same_values_in_any_order_however_often_and_however_cut(
    told: list[tuple[int, Value]], data: st.DataObject
) -> None:
    def after(messages: Sequence[Sequence[tuple[int, Value]]]) -> tuple[Value | None, ...]:
        block: tuple[Value | None, ...] = (None,) * 4
        for message in messages:
            block = merged(block, message) or block
        return block

    mixed = data.draw(st.permutations(told + told))
    cut = data.draw(st.integers(0, len(mixed)))
    assert after([mixed[:cut], mixed[cut:]]) == after([told]) == after([[each] for each in mixed])


def test_only_another_value_or_quality_is_news() -> None:
    old, later = (value(5, minutes=1),), (value(5, minutes=2),)
    assert merged(old, [(0, later[0])]) == later
    assert news(old, later) == {}
    assert news(old, (value(6, minutes=2),)) == {0: value(6, minutes=2)}


def test_what_two_meters_measured_of_one_interval_is_their_sum_and_says_so() -> None:
    both = together({"old": value(100), "new": Value(number=7, scale=-1, origin=Origin())})
    assert both is not None
    assert both.exact == Fraction("0.8")
    assert {each.code for each in both.origin.qualities} == {MEASURED, "3.4.2", "3.11.0"}
    assert together({"": value(9, ESTIMATED), "old": value(100)}) == value(100)
    assert together({}) is None


METERS, POINTS = ("m1", "m2", "m3"), ("p1", "p2")
orders: st.SearchStrategy[Order] = st.sampled_from([install, exchange, remove])


def after(known: Sequence[Installed], change: Change) -> list[Installed]:
    rows = {(each.usage_point, each.starts): each for each in known}
    for each in (change.ended, change.begun):
        if each is not None:
            rows[each.usage_point, each.starts] = each
    return sorted(rows.values())


class Installing(RuleBasedStateMachine):
    """Orders about meters and usage points, late and twice."""

    def __init__(self) -> None:
        super().__init__()
        self.known: list[Installed] = []

    @rule(order=orders, meter=st.sampled_from(METERS), point=st.sampled_from(POINTS), hour=st.integers(0, 9))
    def order(self, order: Order, meter: str, point: str, hour: int) -> None:
        at = T0 + timedelta(hours=hour)
        about = [each for each in self.known if meter == each.meter or point == each.usage_point]
        try:
            change = order(about, meter, point, at)
        except BusbarError as error:
            assert error.code in {"2.13", "5.2"}  # noqa: PT017 whether it is refused is up to the machine
            return
        self.known = after(self.known, change)
        again = [each for each in self.known if meter == each.meter or point == each.usage_point]
        assert after(again, order(again, meter, point, at)) == again

    @invariant()
    def a_meter_is_at_one_place_and_a_place_has_one_meter(self) -> None:
        for first in self.known:
            assert first.ends is None or first.starts < first.ends
            for other in self.known:
                if first is not other and (first.meter == other.meter or first.usage_point == other.usage_point):
                    assert not first.overlaps(other)


TestInstalling = Installing.TestCase


def alone(order: Order, known: Sequence[Installed], meter: str, point: str, at: datetime) -> Change | BusbarError:
    """What one order does, in which the meter m3 is not known."""
    if meter == "m3":
        return Invalid("meter m3 is not known", code="2.4")
    try:
        return order([each for each in known if meter == each.meter or point == each.usage_point], meter, point, at)
    except BusbarError as error:
        return error


def said(outcome: Change | BusbarError) -> Change | tuple[str, str]:
    return outcome if isinstance(outcome, Change) else (outcome.code, outcome.reason)


@given(
    st.lists(
        st.tuples(orders, st.integers(0, 9), st.lists(st.tuples(st.sampled_from(METERS), st.sampled_from(POINTS))))
    )
)
def test_an_order_about_many_meters_does_what_as_many_orders_about_one_each_would(
    told: list[tuple[Order, int, list[tuple[str, str]]]],
) -> None:
    known: list[Installed] = []
    for order, hour, pairs in told:
        at = T0 + timedelta(hours=hour)
        outcomes = each_in_turn(known, pairs, at, order, {"m1", "m2"})
        for (meter, point), outcome in zip(pairs, outcomes, strict=True):
            one = alone(order, known, meter, point, at)
            assert said(outcome) == said(one)
            if isinstance(one, Change):
                known = after(known, one)


@given(st.permutations(range(4)))
def test_exchanges_end_in_the_same_history_in_any_order(order: list[int]) -> None:
    known: list[Installed] = []
    for number in order:
        known = after(known, exchange(known, f"m{number}", "p", T0 + timedelta(days=number)))
    assert [(each.meter, each.starts, each.ends) for each in known] == [
        (f"m{number}", T0 + timedelta(days=number), T0 + timedelta(days=number + 1) if number < 3 else None)
        for number in range(4)
    ]
