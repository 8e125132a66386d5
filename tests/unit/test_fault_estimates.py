"""When power is expected back: the parts, the storm's queue, and what is told of it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.fault_management.domain.durations import (
    ENOUGH,
    FIRST,
    Circumstances,
    History,
    Part,
    Took,
    added,
    condensed,
    exactly,
    hours_of,
    left,
    quantile,
)
from services.fault_management.domain.etr import (
    NOTICE,
    STEADY,
    Etr,
    EtrSource,
    Progress,
    Queued,
    next_look,
    queue,
    remaining,
    rounded_up,
    updated,
)

T0 = datetime(2026, 3, 14, 18, 0, tzinfo=UTC)
NOTHING = History([])
FUSE = Circumstances(device="Fuse", cause="vegetation", hours="day")


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def repairs(circumstances: Circumstances, length: float, number: int = ENOUGH) -> list[Took]:
    return [Took(part=Part.REPAIR, circumstances=circumstances, minutes=length) for _ in range(number)]


def test_without_history_the_first_guess_has_its_median_and_its_p80() -> None:
    for part, (median, p80) in FIRST.items():
        spread = NOTHING.spread(part, FUSE)
        assert quantile(spread, 0.5) / minutes(1) == pytest.approx(median, rel=0.05)
        assert quantile(spread, 0.8) / minutes(1) == pytest.approx(p80, rel=0.08), "rather more than less"


def test_the_narrowest_class_that_was_seen_often_enough_is_heard() -> None:
    night = Circumstances(device="Fuse", cause="vegetation", hours="night")
    past = repairs(FUSE, 30) + repairs(night, 60, ENOUGH - 1) + repairs(Circumstances(device="Breaker"), 200, 100)
    history = History(past)
    assert quantile(history.spread(Part.REPAIR, FUSE), 0.8) == minutes(30)
    seen_too_seldom = history.spread(Part.REPAIR, night)
    assert (seen_too_seldom[0], seen_too_seldom[-1]) == (30, 60), "both hours of trees in fuses"
    assert quantile(history.spread(Part.REPAIR, Circumstances(device="Recloser")), 0.8) == minutes(200)
    assert history.spread(Part.TRAVEL, FUSE) == NOTHING.spread(Part.TRAVEL, FUSE)


def test_a_sum_of_parts_has_a_smaller_p80_than_the_parts_together() -> None:
    travel, repair = NOTHING.spread(Part.TRAVEL, FUSE), NOTHING.spread(Part.REPAIR, FUSE)
    both = added(travel, repair)
    assert quantile(both, 0.8) < quantile(travel, 0.8) + quantile(repair, 0.8)
    assert quantile(both, 0.8) > quantile(repair, 0.8)


@given(
    spread=st.lists(st.floats(0, 1000), min_size=1, max_size=60).map(condensed),
    gone=st.floats(0, 2000),
)
def test_what_is_left_of_a_duration_is_positive_and_never_more_than_the_whole_or_half_as_much_again(
    spread: tuple[float, ...], gone: float
) -> None:
    rest = left(spread, minutes(gone))
    assert all(each >= 0 for each in rest)
    assert max(rest) <= max(spread[-1], gone / 2) + 1e-6


def test_facts_take_the_place_of_what_is_done() -> None:
    asked = Progress(asked_at=T0)
    arrived = Progress(asked_at=T0, ended={Part.DISPATCH: T0 + minutes(5), Part.TRAVEL: T0 + minutes(20)})
    assessed = Progress(asked_at=T0, ended={**arrived.ended, Part.ASSESS: T0 + minutes(30)}, repair_minutes=100)
    now = T0 + minutes(30)
    whole = quantile(remaining(asked, FUSE, NOTHING, T0), 0.8)
    rest = quantile(remaining(arrived, FUSE, NOTHING, now), 0.8)
    said = quantile(remaining(assessed, FUSE, NOTHING, now), 0.8)
    assert (arrived.current, assessed.current) == (Part.ASSESS, Part.REPAIR)
    assert rest < whole
    assert minutes(100) < said < minutes(100) + minutes(FIRST[Part.RESTORE][1] * 1.1)


@pytest.mark.parametrize(
    ("away", "told"), [(7, 15), (61, 75), (119, 120), (121, 150), (301, 330), (361, 480), (481, 600)]
)
def test_an_estimate_is_rounded_up_the_coarser_the_farther_away(away: int, told: int) -> None:
    assert rounded_up(T0 + minutes(away), T0) == T0 + minutes(told)


def first(spread: tuple[float, ...], *, sure: bool = False) -> Etr:
    ended = dict.fromkeys((Part.DISPATCH, Part.TRAVEL, Part.ASSESS), T0) if sure else {}
    return updated(None, spread, Progress(asked_at=T0, ended=ended), T0, source=EtrSource.COMPUTED)


def test_an_estimate_is_sure_only_after_somebody_has_looked() -> None:
    assert first(exactly(60)) == Etr(time=T0 + minutes(60), source=EtrSource.COMPUTED)
    assert first(exactly(60), sure=True).sure


def test_a_told_estimate_does_not_move_by_little() -> None:
    told = first(exactly(60))
    progress = Progress(asked_at=T0)
    later = T0 + minutes(10)
    little = updated(told, exactly(61), progress, later, source=EtrSource.COMPUTED)
    assert abs(T0 + minutes(75) - told.time) >= STEADY
    assert little.time == T0 + minutes(75)
    assert updated(told, exactly(45), progress, later, source=EtrSource.COMPUTED) == told
    assert updated(told, exactly(120), progress, later, source=EtrSource.COMPUTED).time == T0 + minutes(150)


def test_a_told_estimate_is_extended_before_it_runs_out_unless_the_crew_is_done() -> None:
    told = first(exactly(60))
    late = told.time - NOTICE
    extended = updated(told, exactly(5), Progress(asked_at=T0), late, source=EtrSource.COMPUTED)
    assert extended.time >= told.time + STEADY
    assert extended.extended == 1
    ended = dict.fromkeys((Part.DISPATCH, Part.TRAVEL, Part.ASSESS, Part.REPAIR), late)
    done = Progress(asked_at=T0, ended=ended)
    assert updated(told, exactly(5), done, late, source=EtrSource.COMPUTED).time == told.time
    assert next_look(told, T0, T0) == late


def test_what_people_say_is_kept_and_marked_when_it_has_run_out() -> None:
    said = Etr(time=T0 + minutes(40), source=EtrSource.OPERATOR)
    progress = Progress(asked_at=T0)
    assert updated(said, exactly(500), progress, T0 + minutes(39), source=EtrSource.COMPUTED) == said
    late = updated(said, exactly(500), progress, T0 + minutes(40), source=EtrSource.COMPUTED)
    assert (late.time, late.source, late.overdue) == (said.time, EtrSource.OPERATOR, True)
    assert next_look(said, T0, T0) == said.time
    assert next_look(late, T0, late.time) is None


@given(
    told=st.one_of(st.none(), st.integers(-600, 600)),
    rest=st.floats(0, 3000),
    done=st.booleans(),
)
def test_a_computed_estimate_never_lies_in_the_past(told: int | None, rest: float, *, done: bool) -> None:
    before = None if told is None else Etr(time=T0 + minutes(told), source=EtrSource.COMPUTED)
    ended = dict.fromkeys(list(Part)[:-1], T0) if done else {}
    after = updated(before, exactly(rest), Progress(asked_at=T0, ended=ended), T0, source=EtrSource.COMPUTED)
    assert after.time >= T0
    assert next_look(after, T0, T0) is not None


def queued(mrid: str, rank: int, *, manned: bool = False) -> Queued:
    ended = {Part.DISPATCH: T0} if manned else {}
    return Queued(
        mrid=mrid,
        rank=rank,
        since=T0,
        progress=Progress(asked_at=T0, ended=ended),
        circumstances=Circumstances(device="Fuse"),
    )


def test_in_a_storm_the_urgent_comes_first_and_who_has_a_crew_keeps_it() -> None:
    outages = [queued("c", 3), queued("b", 2), queued("a", 9, manned=True), queued("d", 3)]
    alone = queue(outages, 1, NOTHING, T0)
    order = sorted(alone, key=lambda mrid: quantile(alone[mrid], 0.8))
    assert order == ["a", "b", "c", "d"]
    many = queue(outages, 4, NOTHING, T0)
    assert many["b"] == many["c"] == many["d"]
    assert quantile(many["d"], 0.8) < quantile(alone["d"], 0.8) / 2


@given(st.permutations([queued(name, rank) for name, rank in (("a", 1), ("b", 2), ("c", 2), ("d", 3))]))
def test_the_order_in_which_outages_are_named_changes_no_estimate(outages: list[Queued]) -> None:
    assert queue(outages, 2, NOTHING, T0) == queue(sorted(outages, key=lambda each: each.mrid), 2, NOTHING, T0)


def test_the_day_has_three_parts() -> None:
    assert [hours_of(hour) for hour in (5, 6, 17, 18, 21, 22)] == [
        "night",
        "day",
        "day",
        "evening",
        "evening",
        "night",
    ]
