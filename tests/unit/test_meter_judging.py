"""What a rule set says of the day of one usage point, as values with qualities."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from contracts.codes.reading_type import ReadingTypeCode
from contracts.errors import Invalid
from contracts.nouns.end_device_events import EndDeviceEvent
from contracts.types import Reference
from services.meter_reading_and_control.config import config_from
from services.meter_reading_and_control.domain import calendar
from services.meter_reading_and_control.domain.readings import Origin, Quality, Value
from services.meter_reading_and_control.domain.vee.beside import Beside
from services.meter_reading_and_control.domain.vee.days import is_judged
from services.meter_reading_and_control.domain.vee.judging import Case, Verdict, interruptions, judged
from services.meter_reading_and_control.domain.vee.rule_sets import INTERVALS
from services.meter_reading_and_control.domain.vee.sides import Side
from services.meter_reading_and_control.domain.vee.statistics import usual

BERLIN = ZoneInfo("Europe/Berlin")
DAY = date(2026, 5, 4)
FORWARD = ReadingTypeCode.parse("0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.0.72.0")
NET = replace(FORWARD, flow_direction=4)
KILO = replace(FORWARD, multiplier=3)


def value(number: int, *codes: str, scale: int = 0) -> Value:
    qualities = tuple(sorted(Quality(code=code) for code in (codes or ("1.0.0",))))
    return Value(number=number, scale=scale, origin=Origin(qualities=qualities))


def a_day(scale: int = 0, count: int = 96) -> list[Value | None]:
    return [value(100 + place, scale=scale) for place in range(count)]


def case(values: Sequence[Value | None], code: ReadingTypeCode = FORWARD, day: date = DAY, **known: object) -> Case:
    return replace(Case(reading_type=code, day=day, values=values), **known)


def said(verdicts: Sequence[Verdict], place: int) -> tuple[object, tuple[str, ...], str]:
    verdict = verdicts[place]
    return None if verdict.value is None else verdict.value.exact, verdict.found, verdict.method


def test_scenario_11_what_counts_down_may_be_negative_and_what_goes_one_way_may_not() -> None:
    values = a_day()
    values[48] = value(-40)
    assert said(judged(case(values, NET), INTERVALS, BERLIN), 48) == (-40, (), "")
    assert said(judged(case(values), INTERVALS, BERLIN), 48) == (148, ("V20",), "E3")


def test_scenario_15_intervals_of_a_clock_that_jumped_are_valid_and_their_sum_closes() -> None:
    values = a_day()
    values[40], values[44] = value(140, "3.4.64"), value(144, "3.4.128")
    total = sum(each.number for each in values if each is not None)
    known = case(values, gained=value(total), least=value(1))
    assert {(each.found, each.method) for each in judged(known, INTERVALS, BERLIN)} == {((), "")}
    doubled = case([*values[:50], value(999), *values[51:]], gained=value(total), least=value(1))
    assert {each.found for each in judged(doubled, INTERVALS, BERLIN)} >= {("V5",)}, (
        "a sum that does not close is found"
    )


def test_scenario_2_the_long_day_has_all_its_values_from_days_without_a_change_of_the_clock() -> None:
    long = date(2026, 10, 25)
    history = {long - timedelta(days=7 * week): a_day() for week in (1, 2, 3)}
    found = judged(case([None] * 100, day=long, history=history), INTERVALS, BERLIN)
    assert [said(found, place)[0] for place in (8, 12, 99)] == [108, 108, 195]
    assert {each.method for each in found} == {"E4"}


def test_what_a_person_edited_is_judged_and_stays() -> None:
    values = a_day()
    values[50] = value(5000, "3.7.0")
    assert said(judged(case(values), INTERVALS, BERLIN), 50) == (5000, ("V13",), "")


def test_an_interval_that_two_meters_share_is_whole_and_one_that_is_cut_is_not() -> None:
    values = a_day()
    values[40], values[60] = value(140, "3.4.2", "3.11.0"), value(1, "3.4.2")
    found = judged(case(values), INTERVALS, BERLIN)
    assert (said(found, 40), said(found, 60)) == ((140, (), ""), (160, ("V12",), "E3"))


@pytest.mark.parametrize(("code", "scale"), [(FORWARD, 0), (KILO, -3), (FORWARD, -3)])
def test_whether_a_day_is_unusual_does_not_depend_on_the_unit_in_which_it_is_told(
    code: ReadingTypeCode, scale: int
) -> None:
    factor = 10 ** -(scale + code.multiplier)
    for level, is_unusual in ((4, False), (40, True)):
        low, high = ([value(each * factor, scale=scale)] * 96 for each in (level, 3 * level))
        history = {DAY - timedelta(days=back): low for back in range(1, 15)}
        found = judged(case(high, code, usual=usual(history, DAY)), INTERVALS, BERLIN)
        assert ("V14" in found[0].found) is is_unusual, "a reference below 1 kWh a day judges nothing"


def test_a_day_of_which_nothing_came_and_nothing_is_known_stays_empty() -> None:
    found = judged(case([None] * 96), INTERVALS, BERLIN)
    assert {(each.value, each.found) for each in found} == {(None, ("V8",))}
    assert {quality.code for each in found for quality in each.qualities} == {"3.5.259"}


def test_numbers_that_an_array_cannot_hold_are_refused_and_what_is_at_an_instant_is_not_judged() -> None:
    with pytest.raises(Invalid, match="not judged"):
        judged(case([*a_day()[:95], value(10**17)]), INTERVALS, BERLIN)
    assert not is_judged(ReadingTypeCode.parse("0.0.2.12.0.1.54.0.0.0.0.0.0.0.128.0.29.0"))


@given(st.permutations([("3.26.9.185", 0), ("3.26.9.185", 5), ("3.26.9.216", 30), ("3.26.0.47", 60)]))
def test_outages_are_the_same_in_whatever_order_their_events_came(told: list[tuple[str, int]]) -> None:
    noon = datetime(2026, 5, 4, 12, tzinfo=UTC)
    events = [
        EndDeviceEvent(created_date_time=noon + timedelta(minutes=at), end_device_event_type=Reference(ref=code))
        for code, at in told
    ]
    assert interruptions(events) == [(noon, noon + timedelta(minutes=30)), (noon + timedelta(minutes=60), None)]


@given(st.lists(st.one_of(st.none(), st.integers(-50, 10_000)), min_size=96, max_size=96), st.integers(0, 400_000))
def test_a_day_judged_twice_is_the_same_and_what_passed_is_as_it_was(numbers: list[int | None], gained: int) -> None:
    values = [None if each is None else value(each) for each in numbers]
    history = {DAY - timedelta(days=7): a_day()}
    known = case(values, history=history, gained=value(gained), least=value(1))
    found = judged(known, INTERVALS, BERLIN)
    assert found == judged(known, INTERVALS, BERLIN)
    assert len(found) == len(calendar.starts(DAY, BERLIN, timedelta(minutes=15)))
    for told, each in zip(values, found, strict=True):
        assert each.method or (each.value is None) == (told is None)
        if not each.method and told is not None and each.value is not None:
            assert each.value.exact == told.exact


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("no list", "malformed"),
        ('[{"id": "a", "version": 1, "since": "2026-01-01", "rules": {"V99": {}}, "ladder": []}]', "there is no V99"),
        ('[{"id": "a", "version": 1, "since": "2026-01-01", "rules": {"V13": {"rato": 1}}, "ladder": []}]', "V13 rato"),
        ('[{"id": "intervals", "version": 1, "since": "2026-01-01", "rules": {}, "ladder": []}]', "one id and version"),
    ],
)
def test_a_file_of_rule_sets_that_cannot_be_meant_stops_the_service(
    text: str, says: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("rules") / "rules.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=says):
        config_from({"BUSBAR_METER_RULE_SETS": str(path)})


def test_estimates_are_looked_at_once_more_by_what_passed_what_may_pass_and_which_way() -> None:
    """E6 puts into a gap what the service cannot carry, since the register has it; a check meter runs backwards."""
    values = a_day()
    values[40] = values[41] = None
    measured = sum(each.number for each in values if each is not None)
    may_pass = Beside(rated=400.0)
    heavy = judged(case(values, gained=value(measured + 2000), least=value(1), beside=may_pass), INTERVALS, BERLIN)
    assert [said(heavy, place) for place in (40, 41)] == [
        (996, ("V8", "V16e"), "E6 E3"),
        (1004, ("V8", "V16e"), "E6 E3"),
    ]
    assert heavy[39].found == ()
    qualities = () if heavy[40].value is None else heavy[40].value.origin.qualities
    assert {each.comment for each in qualities if each.code == "3.5.256"} == {"V16e warn intervals/1"}
    check = Side(numbers=np.full(96, -30), valid=np.ones(96, np.bool_), scale=0)
    lax = replace(INTERVALS, rules={**INTERVALS.rules, "V7": {"relative": 99.0}})
    backwards = judged(case(values, beside=Beside(check=check)), lax, BERLIN)
    assert said(backwards, 40) == (-30, ("V8", "V20e"), "E2")


def test_a_register_that_gained_less_than_was_measured_is_found_when_gaps_are_filled() -> None:
    values = a_day()
    values[40] = None
    measured = sum(each.number for each in values if each is not None)
    found = judged(case(values, gained=value(measured - 500), least=value(1)), INTERVALS, BERLIN)
    assert said(found, 40) == (140, ("V8", "V5e"), "E3"), "nothing is estimated anew"
    assert said(found, 41) == (141, ("V5e",), "")
    without = replace(INTERVALS, rules={"V8": {}})
    assert said(judged(case(values, gained=value(measured - 500), least=value(1)), without, BERLIN), 40)[1] == ("V8",)
    with pytest.raises(ValueError, match="there is no V5e"):
        replace(INTERVALS, rules={"V5e": {}})
