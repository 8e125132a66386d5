"""Maintenance that comes again: dates, what is called together, and the states of a plan."""

from datetime import date, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from contracts.errors import Conflict, Invalid
from contracts.nouns.maintenance_plans import MaintenancePlanState
from services.asset_management.domain.plans import (
    NEXT,
    Plan,
    Reading,
    Step,
    call_on,
    called_together,
    check,
    fulfilled,
    may,
    months_later,
    moved,
    next_due,
)

M = MaintenancePlanState
YEARLY = Plan(mrid="yearly", asset="T1", site="S", months=12, last_done=date(2025, 5, 10))


@pytest.mark.parametrize(("state", "step"), list(product(MaintenancePlanState, Step)))
def test_a_plan_takes_every_step_or_refuses_it_with_its_state(state: MaintenancePlanState, step: Step) -> None:
    plan = replace(YEARLY, state=state)
    if may(plan, step):
        assert moved(plan, step).state is NEXT[state, step]
    else:
        with pytest.raises(Conflict, match=f"'{state}'"):
            moved(plan, step)


def test_an_interval_is_counted_from_the_day_on_which_it_was_done() -> None:
    due = next_due(YEARLY)
    assert (due.due, call_on(due)) == (date(2026, 5, 10), date(2026, 4, 10))
    assert next_due(replace(YEARLY, months=None, days=30)).due == date(2025, 6, 9)
    assert next_due(replace(YEARLY, last_done=None)).due is None


@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)), st.integers(0, 240))
def test_months_later_is_the_same_day_or_the_last_of_the_month(day: date, months: int) -> None:
    later = months_later(day, months)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day == day.day or (later.day < day.day and (later + timedelta(days=1)).day == 1)


def test_what_falls_outside_the_season_is_done_at_the_end_of_the_one_before() -> None:
    summer = replace(YEARLY, season=((4, 1), (10, 31)))
    assert next_due(replace(summer, last_done=date(2025, 1, 15))).due == date(2025, 10, 31)
    assert next_due(replace(summer, last_done=date(2025, 12, 1))).due == date(2026, 10, 31)
    assert next_due(summer).due == date(2026, 5, 10)
    winter = replace(YEARLY, season=((11, 1), (2, 28)))
    assert next_due(replace(winter, last_done=date(2025, 1, 15))).due == date(2026, 1, 15)
    assert next_due(winter).due == date(2026, 2, 28)


COUNTED = Plan(mrid="counted", asset="R1", site="S", counter="operations", limit=1000)


def test_a_counter_is_due_when_it_reaches_its_limit_as_fast_as_it_goes() -> None:
    readings = [Reading(on=date(2026, 3, 1), value=600), Reading(on=date(2026, 1, 1), value=482)]
    assert next_due(COUNTED, readings).due == date(2026, 3, 1) + timedelta(days=200)
    assert next_due(COUNTED, [Reading(on=date(2026, 3, 1), value=1001)]).due == date(2026, 3, 1)
    assert next_due(COUNTED, readings[:1]).due is None
    assert next_due(COUNTED).due is None
    still = [Reading(on=date(2026, 1, 1), value=5), Reading(on=date(2026, 2, 1), value=5)]
    assert next_due(COUNTED, still).due is None
    done = replace(COUNTED, last_count=590)
    assert (
        next_due(done, [replace(each, value=each.value + 590) for each in readings]).due
        == next_due(COUNTED, readings).due
    )


def test_a_threshold_that_is_crossed_makes_it_due_today_and_it_stays_due() -> None:
    plan = Plan(mrid="by health", asset="T1", site="S", threshold=6.5)
    today = date(2026, 3, 1)
    assert next_due(plan, score=6.4, today=today).due is None
    due = next_due(plan, score=6.5, today=today)
    assert due.due == today
    assert next_due(due, score=7.0, today=date(2026, 4, 1)).due == today


def test_what_is_due_at_one_site_within_its_tolerance_is_called_together() -> None:
    oil = replace(YEARLY, mrid="oil", due=date(2026, 5, 10))
    look = replace(YEARLY, mrid="look", asset="T2", due=date(2026, 5, 20))
    far = replace(look, mrid="far", due=date(2026, 5, 26))
    elsewhere = replace(look, mrid="elsewhere", site="other")
    called = replace(look, mrid="called", state=M.CALLED)
    dateless = replace(look, mrid="dateless", due=None)
    together = called_together(oil, [far, called, elsewhere, dateless, look, oil])
    assert [each.mrid for each in together] == ["look", "oil"]
    assert [each.mrid for each in called_together(replace(look, tolerance=0), [oil])] == ["look", "oil"]


def test_finishing_late_shifts_the_next_date_but_not_that_of_a_statutory_plan() -> None:
    called = replace(YEARLY, state=M.CALLED, due=date(2026, 5, 10), call="W")
    late = date(2026, 6, 30)
    assert fulfilled(called, late).due == date(2027, 6, 30)
    lawful = fulfilled(replace(called, statutory=True), late)
    assert (lawful.due, lawful.state, lawful.call) == (date(2027, 5, 10), M.ACTIVE, None)
    counted = replace(COUNTED, state=M.CALLED, due=date(2026, 5, 10))
    assert (fulfilled(counted, late, 990.0).last_count, fulfilled(counted, late, 990.0).due) == (990.0, None)


def test_a_plan_has_one_trigger_that_makes_sense() -> None:
    check(YEARLY)
    check(COUNTED)
    for wrong in (
        replace(YEARLY, months=None),
        replace(YEARLY, threshold=5.0),
        replace(YEARLY, days=3),
        replace(YEARLY, months=0),
        replace(COUNTED, limit=None),
        replace(COUNTED, limit=-1.0),
        replace(YEARLY, horizon=-1),
    ):
        with pytest.raises(Invalid):
            check(wrong)
