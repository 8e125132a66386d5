"""Days of many usage points judged together: as arrays, with what is usual, and what is kept of it."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import json
from msgspec.structs import replace

from contracts.codes.reading_type import ReadingTypeCode
from services.meter_reading_and_control.domain.folding import NOTHING, Layer
from services.meter_reading_and_control.domain.readings import Origin, Quality, Value, merged
from services.meter_reading_and_control.domain.vee.beside import Beside
from services.meter_reading_and_control.domain.vee.bunches import (
    Row,
    judged_together,
    row_of_layer,
    row_of_values,
    statistics_after,
)
from services.meter_reading_and_control.domain.vee.findings import Said, bits_of, news, runs_of_bits, with_second_look
from services.meter_reading_and_control.domain.vee.judging import Case, Interruptions, judged
from services.meter_reading_and_control.domain.vee.keeping import OURS, as_told, explained, to_keep
from services.meter_reading_and_control.domain.vee.profiles import Profile
from services.meter_reading_and_control.domain.vee.rule_sets import INTERVALS, Estimator, RuleSet, chosen
from services.meter_reading_and_control.domain.vee.sides import Side
from services.meter_reading_and_control.domain.vee.statistics import Statistics, Usual, before, usual
from services.meter_reading_and_control.domain.vee.storms import Reads, dark_at, is_storm
from services.meter_reading_and_control.domain.vee.validation import named

BERLIN = ZoneInfo("Europe/Berlin")
DAY = date(2026, 5, 4)
HOURLY = ReadingTypeCode.parse("0.0.7.4.1.1.12.0.0.0.0.0.0.0.0.0.72.0")
NOW = datetime(2026, 5, 5, 6, tzinfo=UTC)
ONE = timedelta(days=1)
QUALITIES = ("1.0.0", "3.8.0", "3.7.0", "1.4.5", "2.10.1", "3.5.259")

Values = Sequence[Value | None]


def value(number: int, *codes: str, scale: int = 0, hour: int = 0) -> Value:
    qualities = tuple(Quality(code=code) for code in (codes or ("1.0.0",)))
    return Value(number=number, scale=scale, origin=Origin(qualities=qualities, reported_at=NOW + hour * ONE / 24))


readings = st.none() | st.builds(
    value, st.integers(-20, 5000), st.sampled_from(QUALITIES), scale=st.sampled_from([0, 0, 0, -3])
)
days = st.lists(readings, min_size=24, max_size=24)


def layer_of(values: Values) -> Layer:
    """The day as it is stored."""
    scale = min((each.scale for each in values if each is not None), default=0)
    origins = sorted({json.encode(each.origin).decode() for each in values if each is not None})
    marks = [0 if each is None else origins.index(json.encode(each.origin).decode()) for each in values]
    numbers = [NOTHING if each is None else each.at_scale(scale) for each in values]
    return Layer(scale=scale, numbers=np.array(numbers), marks=np.array(marks), origins=tuple(origins))


sides = st.none() | st.builds(
    Side,
    numbers=st.lists(st.integers(0, 5000), min_size=24, max_size=24).map(np.array),
    valid=st.lists(st.booleans(), min_size=24, max_size=24).map(np.array),
    scale=st.sampled_from([0, -3]),
    factor=st.sampled_from([1.0, 0.5]),
)
besides = st.just(Beside()) | st.builds(
    Beside,
    of_class=st.sampled_from(["", "residential", "pumpingLoad"]),
    rated=st.none() | st.floats(100, 4000),
    is_inactive=st.booleans(),
    is_idle=st.booleans(),
    has_generation=st.booleans(),
    is_channel_missing=st.booleans(),
    tiers=st.none() | st.tuples(st.fractions(0, 90_000, max_denominator=3), st.integers(1, 4)),
    profile=st.none() | st.just(Profile(of_class="*", daily_use=1.0, workday=(1.0, 3.0))),
    class_use=st.none() | st.floats(1000, 90_000),
    reactive=sides,
    voltage=sides,
    check=sides,
)


PUMPS = RuleSet(
    id="pumps",
    version=2,
    since=DAY,
    rules={"V8": {}, "V13": {"ratio": 0.1}, "V18": {}},
    ladder=(Estimator(method="E7"),),
    applies_to_class="pumping*",
)


def rule_set_of(beside: Beside) -> RuleSet:
    return chosen([INTERVALS, PUMPS], beside.of_class, str(HOURLY), DAY)


@settings(max_examples=25)
@given(st.lists(st.tuples(days, st.none() | st.integers(0, 90_000), st.booleans(), besides), min_size=1, max_size=4))
def test_what_is_found_together_is_what_is_found_of_each_by_itself(
    told: list[tuple[list[Value | None], int | None, bool, Beside]],
) -> None:
    off = (NOW - timedelta(hours=20), NOW - timedelta(hours=17))
    rows = []
    for values, gained, _, beside in told:
        layer = layer_of(values)
        numbers, marks = row_of_layer(layer)
        gain = None if gained is None else value(gained)
        row = Row(numbers=numbers, marks=marks, scale=layer.scale, gained=gain, least=gain and value(1), beside=beside)
        rows.append(row)
    together = judged_together(
        rows,
        [[off] if is_off else [] for _, _, is_off, _ in told],
        Statistics.empty(len(rows)),
        HOURLY,
        DAY,
        rule_sets=[rule_set_of(beside) for _, _, _, beside in told],
        zone=BERLIN,
        held=np.zeros(len(rows), np.bool_),
    )
    assert together.is_judged.all()
    for place, (values, gained, is_off, beside) in enumerate(told):
        known = Case(reading_type=HOURLY, day=DAY, values=values, interruptions=[off] if is_off else [], beside=beside)
        if gained is not None:
            known = replace(known, gained=value(gained), least=value(1))
        alone = judged(known, rule_set_of(beside), BERLIN)
        both = with_second_look(together.findings, {place: alone})
        bits = both.of_intervals[place] | both.of_days[place]
        assert [set(named(int(each))) for each in bits] == [set(each.found) for each in alone]
        assert together.findings.rule_sets[place] == rule_set_of(beside).key
    again = news(together.findings, list(range(len(rows))), news(together.findings, list(range(len(rows))), {}))
    assert again == {}, "found twice it is no news"


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 40), st.lists(days, min_size=2, max_size=2)), min_size=1, max_size=6))
def test_a_row_of_statistics_says_what_a_history_of_four_weeks_says(
    told: list[tuple[int, list[list[Value | None]]]],
) -> None:
    known = Statistics.empty(2)
    history: list[dict[date, Values]] = [{}, {}]
    for back, of_points in told:
        day = DAY - back * ONE
        known = statistics_after([row_of_values(each) for each in of_points], known, HOURLY, day, BERLIN)
        for of_point, values in zip(history, of_points, strict=True):
            of_point[day] = values
    found = before(known, DAY, -3)
    for place, of_point in enumerate(history):
        said = usual({day: each for day, each in of_point.items() if DAY - 28 * ONE <= day < DAY}, DAY)
        mean = 0 if said.mean is None else round(said.mean * 1000)
        assert (int(found.mean[place]), int(found.idle_days[place]), int(found.filled_days[place])) == (
            mean,
            said.idle_days,
            said.filled_days,
        )


def test_what_is_usual_is_the_mean_of_whole_days_and_how_long_nothing_was_used() -> None:
    known = Statistics.empty(1)
    for back in range(20, 0, -1):
        used = 0 if back < 4 else 100
        row = row_of_values([value(used)] * 24)
        known = statistics_after([row], known, HOURLY, DAY - back * ONE, BERLIN)
    found = before(known, DAY, 0)
    assert (int(found.mean[0]), int(found.idle_days[0])) == (round(17 * 2400 / 20), 3)
    earlier = before(known, DAY - 10 * ONE, 0)
    assert (int(earlier.mean[0]), int(earlier.idle_days[0])) == (2400, 0), (
        "a day can be judged again later, and the same"
    )


@given(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=100))
def test_bits_are_kept_in_runs(bits: list[int]) -> None:
    assert bits_of(runs_of_bits(bits)) == tuple(bits)


def kept(
    known: Values, told: Values, now: datetime, gained: int | None = None, beside: dict[int, Quality] | None = None
) -> list[Value | None]:
    """The day after it was judged, of which so much is known."""
    like = {DAY - 7 * ONE: [value(100 + place) for place in range(24)]}
    case = Case(
        reading_type=HOURLY,
        day=DAY,
        values=told,
        history=like,
        usual=Usual(),
        gained=None if gained is None else value(gained),
        least=value(1),
    )
    found = to_keep(known, judged(case, INTERVALS, BERLIN), now, beside or {})
    return list(merged(known, found.items()) or known)


def test_an_estimate_is_replaced_by_whatever_would_have_replaced_what_it_stands_for_and_by_nothing_less() -> None:
    told: list[Value | None] = [value(100 + place, hour=3) for place in range(24)]
    told[10] = value(9000, hour=3)
    judged_now = kept(told, told, NOW)
    spike = judged_now[10]
    assert spike is not None
    assert {(each.code, each.comment) for each in explained(spike).origin.qualities} == {
        ("3.8.0", "method=E3"),
        ("3.5.256", "V13 fail intervals/1"),
    }
    assert (spike.number, spike.origin.source, as_told(spike)) == (110, OURS, told[10])
    assert merged(judged_now, [(10, value(9000, hour=3))]) is None, "told again it is not believed either"
    assert merged(judged_now, [(10, value(77, hour=2))]) is None, "it would not have replaced the spike"
    later = merged(judged_now, [(10, value(77, hour=4))])
    assert later is not None
    assert later[10] == value(77, hour=4)


@given(st.lists(st.integers(0, 9000), min_size=1, max_size=4, unique=True), st.data())
def test_in_any_order_an_estimate_and_what_was_told_end_in_the_same_value(
    numbers: list[int], data: st.DataObject
) -> None:
    told = [value(number, hour=hour) for hour, number in enumerate(numbers)]
    stand = data.draw(st.sampled_from(told))
    ours = Origin(
        qualities=(Quality(code="3.8.0", comment="method=E3"),), source=OURS, reported_at=NOW, instead_of=stand
    )
    everything = [*told, Value(number=1, scale=0, origin=ours)]
    block: tuple[Value | None, ...] = (None,)
    for each in data.draw(st.permutations(everything)):
        block = merged(block, [(0, each)]) or block
    assert block[0] == (everything[-1] if stand == told[-1] else told[-1])


@settings(max_examples=25)
@given(days, st.none() | st.integers(0, 90_000), st.none() | st.integers(0, 90_000))
def test_what_is_kept_is_the_same_when_it_is_judged_again_and_what_was_told_is_never_lost(
    told: list[Value | None], gained: int | None, later: int | None
) -> None:
    first = kept(told, told, NOW, gained)
    assert [as_told(each) for each in first] == told
    assert all(each is None or each.origin.source != OURS or each.origin.rank for each in first), "an estimate is one"
    assert kept(first, [as_told(each) for each in first], NOW + ONE, gained) == first
    second = kept(first, [as_told(each) for each in first], NOW + ONE, later)
    assert [as_told(each) for each in second] == told
    assert kept(second, [as_told(each) for each in second], NOW + 2 * ONE, later) == second


@settings(max_examples=25)
@given(days, st.integers(0, 23))
def test_what_is_known_beside_an_interval_is_kept_with_whatever_value_it_has_and_once(
    told: list[Value | None], place: int
) -> None:
    plain, taken = kept(told, told, NOW), Quality(code="3.4.6", comment="control new")
    marked = kept(told, told, NOW, beside={place: taken})
    assert [as_told(each) for each in marked] == told
    before, after = plain[place], marked[place]
    if before is not None and after is not None and after != before:
        assert after.exact == before.exact
        assert set(after.origin.qualities) == {*before.origin.qualities, taken}
        assert after.origin.source == OURS
    else:
        assert before is None or before.origin.rank in (0, 70, 100), "a gap, or what a person edited or accepted"
    assert marked[:place] + marked[place + 1 :] == plain[:place] + plain[place + 1 :]
    assert kept(marked, told, NOW + ONE, beside={place: taken}) == marked
    later = kept(plain, told, NOW + ONE, beside={place: taken})[place]
    assert (later is None) == (after is None)
    assert later is None or after is None or later.says == after.says, "also where it is known only later"


def test_a_value_is_valid_where_no_rule_failed_and_only_while_nothing_has_come_since() -> None:
    said = Said(rule_set=("intervals", 1), finding=None, is_current=True)
    assert {each.code for each in said.shown(value(5), 0).origin.qualities} == {"1.0.0", "3.0.1"}
    assert replace(said, is_current=False).shown(value(5), 0) == value(5)
    assert said.shown(value(5), 0).exact == Fraction(5)


def a_storm(
    share: int, *, others: Sequence[Reads] | None = None, dark: int = 0, points: int = 256, over: int = 6
) -> bool:
    usual_days = [Reads(day=DAY - back * ONE, due=100, came=98) for back in range(1, 8)]
    reads = Reads(day=DAY, due=100, came=share)
    around = usual_days if others is None else [*usual_days, *others]
    return is_storm(reads, around, points=points, dark=dark, least=100, over=timedelta(hours=over))


def test_a_storm_is_where_far_fewer_values_came_than_usual_or_many_are_dark_and_ends_when_it_is_as_usual_again() -> (
    None
):
    assert not a_storm(80)
    assert a_storm(68)
    assert not a_storm(68, points=99), "too few to say so"
    assert a_storm(98, dark=3)
    assert not a_storm(98, dark=2)
    assert not a_storm(0, over=72), "three days are enough"
    back, still = (Reads(day=DAY + ONE, due=100, came=came) for came in (94, 90))
    assert not a_storm(0, others=[back])
    assert a_storm(0, others=[still])
    assert a_storm(0, others=[back, replace(still, day=DAY + 2 * ONE)])
    assert not is_storm(Reads(day=DAY, due=100, came=10), [], points=256, dark=0, least=100, over=ONE), "no norm yet"


def test_dark_is_who_lost_power_before_the_end_of_the_day_and_has_not_told_of_it_since() -> None:
    hour = timedelta(hours=1)
    off: list[Interruptions] = [
        [(NOW - hour, None)],
        [(NOW - hour, NOW + hour)],
        [(NOW - hour, NOW)],
        [(NOW + hour, None)],
        [],
    ]
    assert dark_at(off, NOW) == 2
