"""The indices of IEEE 1366: golden vectors, and sums that must agree."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from contracts.errors import Conflict, Invalid
from contracts.nouns.reliability_indices import ComparisonKind, DeviationKind, InterruptionKind
from services.compliance_management.config import rules_from
from services.compliance_management.domain.customers import Count, average
from services.compliance_management.domain.indices import Figures, Question, daily_saidi, figures, threshold
from services.compliance_management.domain.interruptions import Entry, interruptions, momentary_events

T0 = datetime(2026, 3, 14, 10, 0, tzinfo=UTC)
DAY = datetime(2026, 3, 14, tzinfo=UTC)
THOUSAND = (Count(since=datetime(2020, 1, 1, tzinfo=UTC), customers=1000),)
RULES = rules_from({})


def s(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def entry(began: float, ended: float | None, customers: int = 1, point: str = "p", **changes: Any) -> Entry:
    """A line of the ledger, in seconds."""
    line = Entry(
        usage_point=point,
        feeder="feeder",
        customers=customers,
        began_at=s(began),
        ended_at=None if ended is None else s(ended),
        planned=False,
    )
    return replace(line, **changes)


def question(**changes: Any) -> Question:
    asked = Question(
        start=DAY,
        end=DAY + timedelta(days=1),
        cut_off=DAY + timedelta(days=30),
        rules=RULES,
        zone=UTC,
        kind=InterruptionKind.UNPLANNED,
        feeder=None,
        with_major_days=True,
    )
    return replace(asked, **changes)


def found(entries: Sequence[Entry], counts: Sequence[Count] = THOUSAND, **changes: Any) -> Figures:
    return figures(question(**changes), entries, counts, counts)


def test_golden_vector_a_three_steps_of_restoration() -> None:
    entries = [
        entry(0, 180, 400, "a"),
        entry(0, 1800, 150, "b"),
        entry(0, 7200, 50, "c"),
    ]
    it = found(entries)
    assert (it.customer_interruptions, it.customer_minutes) == (200, 10_500)
    assert (it.saifi, it.saidi, it.caidi) == (0.2, 10.5, 52.5)
    assert (it.maifi, it.maifi_e) == (0.4, 0.4)
    assert it.asai == pytest.approx(1 - 10_500 / (1000 * 1440))


def test_golden_vector_b_a_reclosing_sequence_that_holds_is_two_interruptions_and_one_event() -> None:
    it = found([entry(0, 0.5, 1000), entry(1, 16, 1000)])
    assert (it.maifi, it.maifi_e, it.saifi, it.caidi) == (2, 1, 0, None)


def test_golden_vector_c_the_same_sequence_that_locks_out_is_no_event_and_one_sustained_interruption() -> None:
    it = found([entry(0, 0.5, 1000), entry(1, 16, 1000), entry(17, 3617, 1000)])
    assert (it.maifi_e, it.saifi, it.saidi) == (0, 1, 60)


def test_golden_vector_d_the_threshold_of_major_event_days() -> None:
    days = [0, 0.5, 1, 2, 4, 0.25]
    assert threshold(days, DeviationKind.SAMPLE) == pytest.approx(15.4855, abs=5e-5)
    assert threshold(days, DeviationKind.POPULATION) == pytest.approx(11.5958, abs=5e-5)
    assert threshold([0, 3], DeviationKind.SAMPLE) is None


def test_five_minutes_to_the_instant_are_momentary_and_more_are_sustained() -> None:
    assert found([entry(0, 300)]).customer_interruptions == 0
    assert found([entry(0, 300)]).maifi == 0.001
    assert found([entry(0, 300.001)]).customer_interruptions == 1


def test_momentaries_that_begin_more_than_five_minutes_after_the_first_are_another_event() -> None:
    begin = [0.0, 100, 300, 301, 700]
    lines = interruptions([entry(each, each + 0.5) for each in begin], s(10_000))
    assert [each.began_at for each in momentary_events(lines)] == [s(0), s(301), s(700)]


def test_where_one_outage_takes_over_from_another_it_is_one_interruption() -> None:
    handed = found([entry(0, 240), entry(240, 480)])
    assert (handed.customer_interruptions, handed.customer_minutes, handed.maifi) == (1, 8, 0)


def test_what_is_not_over_lasts_until_the_cut_off_and_may_yet_be_momentary() -> None:
    assert found([entry(0, None)], cut_off=s(300)).maifi == 0
    still = found([entry(0, None)], cut_off=s(600))
    assert (still.customer_interruptions, still.customer_minutes) == (1, 10)
    assert found([entry(0, 1200)], cut_off=s(600)) == still


def test_planned_interruptions_are_counted_apart() -> None:
    entries = [entry(0, 600), entry(0, 1200, 2, "planned", planned=True)]
    assert found(entries).customer_minutes == 10
    assert found(entries, kind=InterruptionKind.PLANNED).customer_minutes == 40


def test_a_feeder_is_counted_by_its_own_customers() -> None:
    entries = [entry(0, 600), entry(0, 600, 1, "q", feeder="other")]
    it = figures(question(feeder="other"), entries, (replace(THOUSAND[0], customers=10),), THOUSAND)
    assert (it.customers_served, it.saifi) == (10, 0.1)


def test_asai_knows_leap_years() -> None:
    def asai(year: int) -> float:
        period = (datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC))
        line = replace(entry(0, None, 1000), began_at=period[0], ended_at=period[0] + timedelta(hours=6))
        return found([line], start=period[0], end=period[1], cut_off=period[1] + timedelta(1)).asai

    assert asai(2023) == pytest.approx(1 - 6 / 8760)
    assert asai(2024) == pytest.approx(1 - 6 / 8784)


def test_cemi_counts_customers_with_so_many_interruptions_or_with_more_by_the_setting() -> None:
    lines = [entry(each * 3600, each * 3600 + 600, 7, "often") for each in range(3)]
    lines += [entry(0, 600, 90, "once"), entry(7200, 7201, 90, "once")]
    three = replace(RULES, cemi_interruptions=3)
    assert found(lines, rules=three).cemi == 0.007
    assert found(lines, rules=replace(three, cemi_comparison=ComparisonKind.MORE_THAN)).cemi == 0


def test_celid_tells_one_long_interruption_from_many_that_are_long_together() -> None:
    lines = [entry(0, 3600, 3, "long"), entry(0, 1800, 5, "twice"), entry(7200, 9000, 5, "twice")]
    it = found(lines, rules=replace(RULES, celid_hours=1.0))
    assert (it.celid_s, it.celid_t) == (0.003, 0.008)


def test_customers_served_are_the_average_of_the_period() -> None:
    counts = [Count(since=DAY, customers=100), Count(since=DAY + timedelta(hours=18), customers=200)]
    assert average(counts, DAY, DAY + timedelta(days=1)) == 125
    assert average(counts, DAY - timedelta(days=2), DAY - timedelta(days=1)) == 100
    assert average(counts, DAY + timedelta(days=2), DAY + timedelta(days=2)) == 200
    assert average([], DAY, DAY + timedelta(days=1)) == 0


def test_an_interruption_belongs_to_the_local_day_on_which_it_began() -> None:
    zone = ZoneInfo("America/New_York")
    late = entry(0, None, 1000)
    late = replace(late, began_at=datetime(2026, 3, 8, 4, 50, tzinfo=UTC), ended_at=datetime(2026, 3, 10, tzinfo=UTC))
    (day,) = daily_saidi(interruptions([late], s(0)), THOUSAND, zone)
    assert day.isoformat() == "2026-03-07"
    local: dict[str, Any] = {
        "start": datetime(2026, 3, 8, tzinfo=zone),
        "end": datetime(2026, 3, 9, tzinfo=zone),
        "zone": zone,
    }
    whole_day = replace(
        late, began_at=datetime(2026, 3, 8, 5, tzinfo=UTC), ended_at=datetime(2026, 3, 9, 4, tzinfo=UTC)
    )
    assert found([late], **local).saidi == 0
    assert found([whole_day], **local).asai == pytest.approx(0)  # the night in which the clocks change has 23 hours


def history_of_golden_vector_d() -> list[Entry]:
    first = datetime(2025, 6, 1, 12, tzinfo=UTC)
    return [
        replace(
            entry(0, 600, 1, f"h{day}"),
            customers=round(100 * saidi),
            began_at=begin,
            ended_at=begin + timedelta(minutes=10),
        )
        for day, saidi in enumerate((0.5, 1, 2, 4, 0.25))
        if (begin := first + timedelta(days=day))
    ]


def test_a_storm_is_left_out_with_its_day_and_all_its_minutes_belong_to_the_day_it_began() -> None:
    """A storm from 23:50 on that lasts three days is one major event day; the day after has its own small SAIDI."""
    storm = replace(entry(0, 0, 1000, "storm"), began_at=datetime(2026, 3, 14, 23, 50, tzinfo=UTC))
    storm = replace(storm, ended_at=datetime(2026, 3, 17, 23, 50, tzinfo=UTC))
    small = replace(storm, usage_point="small", customers=10, began_at=DAY + timedelta(days=1, hours=2))
    small = replace(small, ended_at=small.began_at + timedelta(minutes=30))
    entries = [*history_of_golden_vector_d(), storm, small]
    month: dict[str, Any] = {"start": datetime(2026, 3, 1, tzinfo=UTC), "end": datetime(2026, 4, 1, tzinfo=UTC)}
    all_of_it = found(entries, **month)
    assert all_of_it.t_med == pytest.approx(15.4855, abs=5e-5)
    assert (all_of_it.major_event_days, all_of_it.saidi) == (1, 3 * 1440 + 0.3)
    without = found(entries, **month, with_major_days=False)
    assert (without.major_event_days, without.saidi) == (1, 0.3)


def test_a_day_at_the_threshold_is_none_and_a_correction_may_make_it_one() -> None:
    entries = history_of_golden_vector_d()
    day = entry(0, 15 * 60, 1000)
    assert found([*entries, day]).major_event_days == 0
    assert found([*entries, replace(day, ended_at=s(16 * 60))]).major_event_days == 1
    assert found([day]).t_med is None


def test_a_period_that_has_not_begun_and_a_utility_without_customers_are_refused() -> None:
    with pytest.raises(Invalid, match="had not begun"):
        found([], cut_off=DAY)
    with pytest.raises(Conflict, match="no network model"):
        found([], counts=())


def test_a_running_period_is_judged_by_the_time_that_has_passed() -> None:
    assert found([entry(0, 3600, 1000)], cut_off=DAY + timedelta(hours=12)).asai == pytest.approx(11 / 12)


lines_of_many = st.lists(
    st.tuples(st.sampled_from("pqrs"), st.integers(0, 90_000), st.integers(1, 2000), st.booleans()), max_size=30
)


@given(lines_of_many)
def test_the_sums_of_the_ledger_are_the_indices(drawn: list[tuple[str, int, int, bool]]) -> None:
    free: dict[str, int] = {}
    entries = []
    for point, begin, length, planned in sorted(drawn, key=lambda each: each[1]):
        start = max(begin, free.get(point, 0))
        free[point] = start + length + 1
        entries.append(entry(start, start + length, "pqrs".index(point) + 1, point, planned=planned))
    asked: dict[str, Any] = {"end": DAY + timedelta(days=3)}
    both = [found(entries, **asked, kind=kind) for kind in InterruptionKind]
    long = [
        each for each in entries if each.ended_at is not None and each.ended_at - each.began_at > timedelta(minutes=5)
    ]
    minutes = sum(
        each.customers * (each.ended_at - each.began_at).total_seconds() / 60 for each in long if each.ended_at
    )
    assert sum(each.customer_interruptions for each in both) == sum(each.customers for each in long)
    assert sum(each.customer_minutes for each in both) == pytest.approx(minutes)
    assert sum(each.saidi for each in both) == pytest.approx(minutes / 1000)
    momentary = sum(each.customers for each in entries) - sum(each.customers for each in long)
    assert sum(each.maifi for each in both) == pytest.approx(momentary / 1000)
    assert all(each.maifi_e <= each.maifi for each in both)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("BUSBAR_INDEX_TIME_ZONE", "Atlantis/Capital"),
        ("BUSBAR_INDEX_DEVIATION", "guess"),
        ("BUSBAR_INDEX_CEMI", "4"),
        ("BUSBAR_INDEX_CELID_HOURS", "soon"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_by_its_value(variable: str, value: str) -> None:
    with pytest.raises(ValueError, match=value):
        rules_from({variable: value})


def test_the_settings_say_how_a_utility_counts() -> None:
    rules = rules_from(
        {
            "BUSBAR_INDEX_TIME_ZONE": "Europe/Madrid",
            "BUSBAR_INDEX_DEVIATION": "population",
            "BUSBAR_INDEX_CEMI": ">3",
            "BUSBAR_INDEX_CELID_HOURS": "12",
        }
    )
    assert (rules.time_zone, rules.deviation, rules.celid_hours) == ("Europe/Madrid", "population", 12)
    assert (rules.cemi_comparison, rules.cemi_interruptions) == ("moreThan", 3)
