"""What is known of a usage point beside its values: how it is set up, who has it, and what rules make of that."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from contracts.codes.end_device_events import EventKind
from contracts.codes.reading_type import ReadingTypeCode
from contracts.errors import Conflict, Invalid, NotFound
from contracts.nouns.customer_agreement_config import CustomerAgreement
from contracts.nouns.device_types import ConfigurationEvent
from contracts.nouns.service_kinds import UsagePointConnectedKind
from contracts.nouns.units import PhaseCode
from contracts.nouns.usage_point_config import UsagePoint
from contracts.types import DateTimeInterval, Name, NameType, ObjectReference, Status
from contracts.verbs import Verb
from services.meter_reading_and_control.config import config_from
from services.meter_reading_and_control.domain import usage_points
from services.meter_reading_and_control.domain.readings import Value
from services.meter_reading_and_control.domain.usage_points import Agreed
from services.meter_reading_and_control.domain.vee.beside import Beside
from services.meter_reading_and_control.domain.vee.judging import Case, judged
from services.meter_reading_and_control.domain.vee.profiles import Profile, has_profiles, profile_of
from services.meter_reading_and_control.domain.vee.rule_sets import INTERVALS
from services.meter_reading_and_control.domain.vee.sides import (
    Side,
    channels_of,
    greatest,
    reactive_of,
    voltages_of,
)
from tests.unit.test_meter_judging import value

BERLIN = ZoneInfo("Europe/Berlin")
DAY = date(2026, 5, 4)
BEGINS, ENDS = datetime(2026, 5, 3, 22, tzinfo=UTC), datetime(2026, 5, 4, 22, tzinfo=UTC)
HOUR = timedelta(hours=1)
FORWARD = ReadingTypeCode.parse("0.0.7.4.1.1.12.0.0.0.0.0.0.0.0.0.72.0")
REVERSE = ReadingTypeCode.parse("0.0.7.4.19.1.12.0.0.0.0.0.0.0.0.0.72.0")
NET = ReadingTypeCode.parse("0.0.7.4.4.1.12.0.0.0.0.0.0.0.0.0.72.0")


def found(values: list[Value | None], code: ReadingTypeCode, beside: Beside) -> list[set[str]]:
    case = Case(reading_type=code, day=DAY, values=values, beside=beside)
    return [set(each.found) for each in judged(case, INTERVALS, BERLIN)]


def day_of(number: int) -> list[Value | None]:
    return [value(number + place) for place in range(24)]


def test_more_than_the_rating_and_a_quarter_of_it_fails_and_what_just_fits_does_not() -> None:
    values = [*day_of(1000)[:12], value(1250), *day_of(1000)[13:]]
    assert all("V16" not in each for each in found(values, FORWARD, Beside(rated=1000.0)))
    values[12] = value(1251)
    assert [place for place, each in enumerate(found(values, FORWARD, Beside(rated=1000.0))) if "V16" in each] == [12]


@pytest.mark.parametrize(("code", "sign"), [(REVERSE, 1), (NET, -1)])
def test_scenario_11_what_flows_back_where_no_generator_is_registered_is_a_finding_and_no_estimate(
    code: ReadingTypeCode, sign: int
) -> None:
    values: list[Value | None] = [value(sign * (3 + place % 2)) for place in range(24)]
    unknown = found(values, code, Beside())
    assert all("V21" not in each for each in unknown), "nobody has said how the usage point is set up"
    assert all("V21" not in each for each in found(values, code, Beside(of_class="residential")))
    case = Case(reading_type=code, day=DAY, values=values, beside=Beside(has_generation=False))
    verdicts = judged(case, INTERVALS, BERLIN)
    assert all("V21" in each.found and not each.method for each in verdicts)
    little: list[Value | None] = [value(sign * (1 + place % 2)) for place in range(24)]
    assert all("V21" not in each for each in found(little, code, Beside(has_generation=False))), "36 Wh are no feed"


def test_usage_where_nothing_can_be_used_is_a_finding_and_no_usage_where_none_is_expected_is_none() -> None:
    assert all("V19" in each for each in found(day_of(10), FORWARD, Beside(is_inactive=True)))
    assert all("V19" not in each for each in found(day_of(10), FORWARD, Beside(is_idle=True)))
    nothing: list[Value | None] = [value(0)] * 24
    business = Beside(of_class="commercialIndustrial")
    assert all("V18" in each for each in found(nothing, FORWARD, business)), "a business is idle for no day"
    assert all(
        "V18" not in each for each in found(nothing, FORWARD, Beside(of_class="commercialIndustrial", is_idle=True))
    )
    assert all("V18" not in each for each in found(nothing, FORWARD, Beside(of_class="residential")))


@pytest.mark.parametrize(
    ("phases", "voltage", "watts"),
    [
        (PhaseCode.AN, 230.0, 6900),
        (PhaseCode.ABCN, 230.0, 20700),
        (PhaseCode.ABC, 400.0, 20785),
        (PhaseCode.S12N, 240.0, 7200),
        (None, 230.0, 6900),
    ],
)
def test_the_rating_is_what_the_conductors_carry(phases: PhaseCode | None, voltage: float, watts: int) -> None:
    point = UsagePoint(mrid="p", phase_code=phases, rated_current=30.0, nominal_service_voltage=voltage)
    rated = usage_points.rated_w(point)
    assert rated is not None
    assert round(rated) == watts
    assert usage_points.rated_w(UsagePoint(mrid="p", rated_current=30.0)) is None
    assert usage_points.rated_w(UsagePoint(mrid="p", rated_current=30.0, rated_power=5000.0)) == 5000


@given(st.permutations(range(4)))
def test_a_usage_point_is_disconnected_by_the_last_word_before_the_day_in_whatever_order_it_came(
    order: list[int],
) -> None:
    told = [
        (BEGINS - 9 * HOUR, EventKind.DISCONNECTED),
        (BEGINS - 6 * HOUR, EventKind.CONNECTED),
        (BEGINS - 3 * HOUR, EventKind.DISCONNECTED),
        (ENDS + HOUR, EventKind.CONNECTED),
    ]
    switched = [told[place] for place in order]
    assert usage_points.is_disconnected(None, switched, BEGINS, ENDS)
    assert not usage_points.is_disconnected(None, [*switched, (BEGINS + HOUR, EventKind.CONNECTED)], BEGINS, ENDS)
    set_up = UsagePoint(
        mrid="p",
        connection_state=UsagePointConnectedKind.CONNECTED,
        configuration_events=ConfigurationEvent(effective_date_time=BEGINS - HOUR),
    )
    assert not usage_points.is_disconnected(set_up, switched, BEGINS, ENDS)
    assert not usage_points.is_disconnected(None, [], BEGINS, ENDS)


def test_a_usage_point_is_vacant_after_an_agreement_is_over_and_not_where_none_is_known() -> None:
    def agreement(starts: datetime, ends: datetime | None, state: str = "ACTIVE") -> list[Agreed]:
        told = CustomerAgreement(
            mrid=f"{starts}",
            usage_points=(ObjectReference(mrid="p"),),
            status=Status(value=state),
            validity_interval=DateTimeInterval(start=starts, end=ends),
        )
        return usage_points.agreed(told)

    over = agreement(BEGINS - 90 * HOUR, BEGINS, "ENDED")
    assert usage_points.is_vacant(over, BEGINS, ENDS)
    assert not usage_points.is_vacant([], BEGINS, ENDS)
    assert not usage_points.is_vacant(agreement(ENDS, None), BEGINS, ENDS), (
        "one that begins later says nothing of today"
    )
    assert not usage_points.is_vacant([*over, *agreement(BEGINS + HOUR, None)], BEGINS, ENDS), "moved in at one o'clock"
    assert usage_points.is_vacant([*over, *agreement(BEGINS + HOUR, None, "CANCELLED")], BEGINS, ENDS)


def test_a_usage_point_is_set_up_once_and_changed_where_it_is_known() -> None:
    one, other = UsagePoint(mrid="p", rated_current=30.0), UsagePoint(mrid="p", rated_current=60.0)
    assert usage_points.sorted_out([one, one], {}, Verb.CREATE) == ([one], [])
    new, errors = usage_points.sorted_out([other], {"p": one}, Verb.CREATE)
    assert (new, [type(each) for each in errors]) == ([], [Conflict])
    assert usage_points.sorted_out([other], {"p": one}, Verb.CHANGE) == ([other], [])
    assert [type(each) for each in usage_points.sorted_out([one], {}, Verb.CHANGE)[1]] == [NotFound]
    with pytest.raises(Invalid, match="mRID is missing"):
        usage_points.sorted_out([UsagePoint()], {}, Verb.CREATE)


def side(numbers: list[int], scale: int = 0, factor: float = 1.0, invalid: int = -1) -> Side:
    valid = np.arange(len(numbers)) != invalid
    return Side(numbers=np.array(numbers, np.int64), valid=valid, scale=scale, factor=factor)


def test_the_counterparts_of_energy_are_those_of_its_intervals_and_its_phase() -> None:
    reactive = replace(FORWARD, unit=73, flow_direction=2, multiplier=3)
    volts = replace(FORWARD, accumulation=6, measurement_kind=158, unit=29, phases=128, flow_direction=0)
    others = [reactive, replace(reactive, measuring_period=2), volts, replace(volts, phases=64), REVERSE]
    assert reactive_of(FORWARD, others) == [reactive]
    assert reactive_of(reactive, others) == []
    assert voltages_of(FORWARD, others) == [volts, replace(volts, phases=64)]
    assert voltages_of(replace(FORWARD, phases=64), others) == [replace(volts, phases=64)]
    assert channels_of([str(FORWARD), str(volts), str(replace(FORWARD, measuring_period=0)), "none"]) == {str(FORWARD)}


def test_of_all_phases_the_greatest_counts_and_only_where_all_are_known() -> None:
    found = greatest([side([10, 20, 30]), side([99, 150, 310], scale=-1, invalid=2)])
    assert found is not None
    assert (found.at_scale(-1).tolist(), found.valid.tolist()) == ([100, 200, 310], [True, True, False])
    assert greatest([]) is None


def test_a_dead_element_and_a_load_without_voltage_are_found_by_what_is_measured_beside() -> None:
    values = [*day_of(100)[:10], value(0), value(0), *day_of(100)[12:]]
    reactive = side([6] * 11 + [5] * 13)
    assert [place for place, each in enumerate(found(values, FORWARD, Beside(reactive=reactive))) if "V17" in each] == [
        10
    ]
    volts = side([230] * 9 + [110, 110, 0] + [116] * 12, factor=1 / 230)
    assert [place for place, each in enumerate(found(values, FORWARD, Beside(voltage=volts))) if "V30" in each] == [9]
    assert all("V27" in each for each in found(values, FORWARD, Beside(is_channel_missing=True)))
    assert all("V27" not in each for each in found([None] * 24, FORWARD, Beside(is_channel_missing=True)))


def test_a_check_meter_stands_in_where_it_is_valid_and_does_not_say_what_failed() -> None:
    check = side([2 * (100 + place) for place in range(24)], factor=0.5, invalid=20)
    gap: list[Value | None] = [None if place in {3, 4, 5, 20} else value(100 + place) for place in range(24)]
    verdicts = judged(Case(reading_type=FORWARD, day=DAY, values=gap, beside=Beside(check=check)), INTERVALS, BERLIN)
    assert [verdicts[place].method for place in (3, 4, 5, 20)] == ["E2", "E2", "E2", "E3"]
    assert [each.value.exact for each in verdicts[3:6] if each.value] == [103, 104, 105]
    assert all("V7" not in each.found for each in verdicts)
    spiked = [*day_of(100)[:12], value(900), *day_of(100)[13:]]
    for said, method in ((112, "E2"), (900, "E3")):
        numbers = [100 + place if place != 12 else said for place in range(24)]
        case = Case(reading_type=FORWARD, day=DAY, values=spiked, beside=Beside(check=side(numbers)))
        verdict = judged(case, INTERVALS, BERLIN)[12]
        assert (verdict.method, "V7" in verdict.found) == (method, said == 112), "one that says the same proves nothing"


def test_the_check_meter_of_a_usage_point_is_named_and_its_losses_are_1_where_they_are_no_number() -> None:
    def point(**names: str) -> UsagePoint:
        return UsagePoint(mrid="p", names=tuple(Name(name=n, name_type=NameType(name=t)) for t, n in names.items()))

    assert usage_points.checked_by(point(checkUsagePoint="c", checkLossFactor="1.02")) == ("c", 1.02)
    assert usage_points.checked_by(point(checkUsagePoint="c", checkLossFactor="two")) == ("c", 1.0)
    assert usage_points.checked_by(point(checkUsagePoint="c", checkLossFactor="nan")) == ("c", 1.0)
    assert usage_points.checked_by(point(checkUsagePoint="p")) is None
    assert usage_points.checked_by(point(checkLossFactor="2")) is None


shapes = st.lists(st.floats(0, 9), min_size=1, max_size=96).filter(lambda each: sum(each) > 0).map(tuple)


@given(shapes, shapes, st.sampled_from([24, 48, 96, 288]))
def test_a_profile_shares_out_all_of_a_day_whatever_the_intervals(
    workday: tuple[float, ...], weekend: tuple[float, ...], count: int
) -> None:
    profile = Profile(of_class="*", daily_use=1.0, workday=workday, weekend=weekend)
    for day, told in ((DAY, workday), (DAY - timedelta(days=1), weekend)):
        shares = profile.shares(day, count)
        assert shares.shape == (count,)
        assert (shares >= 0).all()
        assert shares.sum() == pytest.approx(1)
        whole = shares.reshape(-1, count // len(told)).sum(axis=1) if count % len(told) == 0 else None
        assert whole is None or whole == pytest.approx(np.array(told) / sum(told))


def test_the_profile_of_a_class_is_the_one_that_says_most_of_it_and_for_what_is_used() -> None:
    every, homes = (Profile(of_class=each, daily_use=1.0, workday=(1.0,)) for each in ("*", "residential*"))
    assert profile_of([every, homes], "residentialFarmService") is homes
    assert profile_of([every, homes], "") is every
    assert profile_of([homes], "") is None
    assert (has_profiles(FORWARD), has_profiles(REVERSE), has_profiles(replace(FORWARD, unit=73))) == (
        True,
        False,
        False,
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[{"of_class": "a", "daily_use": 1, "workday": []}]', "not all 0"),
        ('[{"of_class": "a", "daily_use": 1, "workday": [1, -1]}]', "0 or more"),
        ('[{"of_class": "a", "daily_use": 0, "workday": [1]}]', "more than 0"),
        ("[" + ",".join(['{"of_class": "a", "daily_use": 1, "workday": [1]}'] * 2) + "]", "of one class"),
    ],
)
def test_profiles_that_are_no_shape_of_a_day_stop_the_service(text: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "profiles.json").write_text(text)
    with pytest.raises(ValueError, match=says):
        config_from({"BUSBAR_METER_PROFILES": str(tmp_path / "profiles.json")})


def test_registers_of_buckets_may_differ_from_the_total_by_a_count_of_each() -> None:
    values: list[Value | None] = [value(100 + place) for place in range(24)]
    total = sum(each.number for each in values if each is not None)
    for parts, is_wrong in ((total, False), (total - 3, False), (total + 4, True), (total - 4, True)):
        known = Case(
            reading_type=FORWARD,
            day=DAY,
            values=values,
            gained=value(total),
            least=value(1),
            beside=Beside(tiers=(Fraction(parts), 2)),
        )
        assert all(("V6" in each.found) is is_wrong for each in judged(known, INTERVALS, BERLIN))


def test_who_has_a_history_gets_the_shape_of_the_class_and_the_use_of_its_own() -> None:
    half = Profile(of_class="*", daily_use=1.0, workday=(1.0, 3.0))
    gap: list[Value | None] = [None if 6 <= place < 18 else value(10 + place % 2) for place in range(24)]
    known = Case(reading_type=FORWARD, day=DAY, values=gap, beside=Beside(profile=half, class_use=2400.0))
    own = replace(known, usual=replace(known.usual, mean=Fraction(240)))
    for case, per_hour in ((known, 2400 // 48), (own, 240 // 48)):
        verdicts = judged(case, INTERVALS, BERLIN)
        assert {each.method for each in verdicts[6:18]} == {"E5"}
        assert [each.value.exact for each in verdicts[6:18] if each.value] == [per_hour] * 6 + [3 * per_hour] * 6
