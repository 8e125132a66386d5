"""The truth's own ledger, by the golden vectors of the guide."""

from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from services.emergency_simulation.domain.ledger import Darkness, truth_of
from tests.fixtures.streets import START


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def dark(point: str, *minutes: tuple[float, float | None]) -> list[Darkness]:
    return [
        Darkness(usage_point=point, began=at(began), ended=None if ended is None else at(ended))
        for began, ended in minutes
    ]


def test_customers_who_come_back_in_steps_count_each_by_their_own_duration() -> None:
    customers = {"early": 400, "later": 150, "last": 50, "never": 400}
    ledger = dark("early", (0, 3)) + dark("later", (0, 30)) + dark("last", (0, 120))
    truth = truth_of(ledger, customers, at(200))
    assert (truth.served, truth.interruptions, truth.minutes, truth.customers) == (1000, 200, 10_500, 200)
    assert (truth.saifi, truth.saidi, truth.caidi) == (0.2, 10.5, 52.5)
    assert truth.momentary == truth.momentary_events == 400


def test_two_trips_that_a_recloser_clears_are_two_momentary_interruptions_and_one_event() -> None:
    truth = truth_of(dark("u", (0, 0.5 / 60), (1 / 60, 16 / 60)), {"u": 1}, at(60))
    assert (truth.momentary, truth.momentary_events, truth.interruptions, truth.minutes) == (2, 1, 0, 0)


def test_the_same_trips_that_end_in_a_lockout_are_one_interruption_since_the_first_of_them() -> None:
    truth = truth_of(dark("u", (0, 0.5), (0.6, 1.1), (1.2, 61.2)), {"u": 3}, at(70))
    assert (truth.momentary, truth.momentary_events, truth.interruptions) == (0, 0, 3)
    assert abs(truth.minutes - 3 * 61.2) < 1e-9


def test_five_minutes_to_the_instant_are_momentary_and_what_lasts_counts_until_now() -> None:
    assert truth_of(dark("u", (0, 5)), {"u": 1}, at(9)).interruptions == 0
    truth = truth_of(dark("u", (0, None)), {"u": 1}, at(9))
    assert (truth.interruptions, truth.minutes) == (1, 9)


def test_momentary_interruptions_within_five_minutes_are_one_event_and_none_before_a_sustained_one() -> None:
    assert truth_of(dark("u", (0, 1), (4, 5), (6, 7)), {"u": 1}, at(60)).momentary_events == 2
    truth = truth_of(dark("u", (0, 1), (4, 60)), {"u": 1}, at(60))
    assert (truth.momentary, truth.momentary_events, truth.interruptions) == (1, 0, 1)
    assert truth.minutes == 56


times = st.lists(st.floats(min_value=0.1, max_value=400), min_size=2, max_size=9, unique=True)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), times), st.randoms())
def test_no_order_of_the_lines_changes_the_truth_and_its_minutes_are_within_the_darkness(
    drawn: dict[str, list[float]], chance: object
) -> None:
    ledger = [
        line
        for point, minutes in drawn.items()
        for line in dark(point, *zip(sorted(minutes)[::2], sorted(minutes)[1::2], strict=False))
    ]
    customers = {"a": 1, "b": 2, "c": 3}
    truth = truth_of(ledger, customers, at(500))
    shuffled = list(ledger)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # a random.Random of Hypothesis
    assert truth_of(shuffled, customers, at(500)) == truth
    short = {point: 1.0 * len(minutes) for point, minutes in drawn.items()}  # at most so many gaps of a minute count
    whole = sum(customers[line.usage_point] * ((line.ended or at(500)) - line.began).total_seconds() for line in ledger)
    assert truth.minutes <= whole / 60 + sum(customers[point] * gaps for point, gaps in short.items()) + 1e-6
    assert truth.momentary_events <= truth.momentary


def test_a_blink_soon_after_a_restoration_is_another_event() -> None:
    truth = truth_of(dark("u", (0, 42), (43 - 1 / 60, 43)), {"u": 25}, at(70))
    assert (truth.interruptions, truth.minutes, truth.momentary, truth.momentary_events) == (25, 25 * 42, 25, 25)
