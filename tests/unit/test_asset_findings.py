"""What was seen becomes findings, and findings become health events that are over when somebody looks again."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from msgspec.structs import replace

from contracts.errors import Conflict, Invalid
from contracts.nouns.asset_health_events import AssetHealthState
from contracts.nouns.procedure_data_sets import InspectionState
from services.asset_management.domain import gases, health_events, inspections
from services.asset_management.domain.assessment import Observation
from services.asset_management.domain.classes import CLASSES
from services.asset_management.domain.findings import (
    LIMITS,
    Finding,
    Priority,
    cleared,
    findings,
    gas_finding,
    worsened,
)
from services.asset_management.domain.health_events import NEXT, HealthEvent, Sight, Step

A, P = AssetHealthState, Priority
NOW = datetime(2026, 3, 10, tzinfo=UTC)
TX = CLASSES["distribution transformer"]
LEAK = Finding(code="leaks", priority=P.P3, reason="a drop", advice="mend it")


def h(hours: float) -> datetime:
    return NOW + timedelta(hours=hours)


def word(name: str, said: str) -> Observation:
    return Observation(name=name, at=NOW, word=said)


def number(name: str, value: float) -> Observation:
    return Observation(name=name, at=NOW, number=value)


def event(state: AssetHealthState = A.PRIORITISED, at: float = 0) -> HealthEvent:
    return replace(health_events.raised(LEAK, Sight(asset="T1", at=h(at)), "E1", NOW), state=state)


def test_a_value_beyond_its_limit_is_a_finding_of_the_priority_of_that_limit() -> None:
    near = [0.3, 0.8, 1.5, 3.0]
    found = [findings([number("clearanceToVegetation", value)], None) for value in near]
    assert [[each.priority for each in one] for one in found] == [[P.P1], [P.P2], [P.P3], []]
    assert findings([number("temperatureRise", 41)], None)[0].priority is P.P1
    assert findings([number("somethingElse", 1)], None) == []
    for limit in LIMITS.values():
        edges = [edge for _, edge in limit.steps]
        assert edges == sorted(edges, reverse=not limit.low)


def test_a_word_is_as_urgent_as_its_collar_and_the_worst_comes_first() -> None:
    seen = [word("cableBoxes", "substantial deterioration"), word("externalCondition", "Some deterioration")]
    assert [(each.code, each.priority) for each in findings(seen, TX)] == [("externalCondition", P.P4)]
    worse = [word("externalCondition", "substantial deterioration"), number("oilLevel", 10)]
    assert [each.priority for each in findings(worse, TX)] == [P.P1, P.P2]
    assert findings(worse[:1], None) == []


def test_an_inspector_may_say_what_is_wrong_in_words_of_his_own() -> None:
    (found,) = findings([word("defect", "P2: bird nest on the bushing")], TX)
    assert (found.code, found.priority) == ("defect: bird nest on the bushing", P.P2)
    for said in ("bad", "P5 bad", "P1", ""):
        with pytest.raises(Invalid):
            findings([word("defect", said)], TX)


def test_what_was_seen_and_is_well_clears_its_code() -> None:
    seen = [word("externalCondition", "no deterioration"), number("oilLevel", 10), word("defect", "P1 smoke")]
    assert cleared(seen, TX) == {"externalCondition"}


def test_a_status_of_gases_is_a_finding_from_two_on() -> None:
    diagnosis = gases.diagnose({})
    told = [gases.Status(number=number, reasons=("much",), assumed=None) for number in (1, 2, 3)]
    assert [found and found.priority for found in (gas_finding(each, diagnosis) for each in told)] == [None, P.P4, P.P2]


def test_health_that_falls_into_one_of_the_last_bands_is_a_finding_and_the_first_score_is_none() -> None:
    assert worsened(None, "HI5") is None
    assert worsened("HI5", "HI4") is None
    assert worsened("HI2", "HI3") is None
    fallen = worsened("HI3", "HI5")
    assert fallen is not None
    assert fallen.priority is P.P3


@pytest.mark.parametrize(("state", "step"), list(product(AssetHealthState, Step)))
def test_a_health_event_takes_every_step_or_refuses_it_with_its_state(state: AssetHealthState, step: Step) -> None:
    if health_events.may(state, step):
        assert health_events.moved(state, step) is NEXT[state, step]
    else:
        with pytest.raises(Conflict, match=f"'{state}'"):
            health_events.moved(state, step)


@pytest.mark.parametrize(("state", "step"), list(product(InspectionState, inspections.Step)))
def test_an_inspection_takes_every_step_or_refuses_it_with_its_state(
    state: InspectionState, step: inspections.Step
) -> None:
    to = inspections.NEXT.get((state, step))
    if to is not None:
        assert inspections.moved(state, step) is to
        assert inspections.TO[to] is step
    else:
        with pytest.raises(Conflict, match=f"'{state}'"):
            inspections.moved(state, step)


def test_what_is_least_urgent_waits_for_work_that_is_planned_anyway() -> None:
    assert event().needs_work
    assert not replace(event(), priority=P.P4).needs_work
    assert not event(A.WORK_REQUESTED).needs_work


def test_what_is_found_again_joins_and_may_be_more_urgent_but_asks_for_no_more_work() -> None:
    asked = event(A.WORK_REQUESTED)
    again = health_events.seen_again(asked, replace(LEAK, priority=P.P1, reason="a pool"), h(5))
    assert (again.state, again.priority, again.reason) == (A.WORK_REQUESTED, P.P1, "a pool")
    late = health_events.seen_again(again, replace(LEAK, reason="stains"), h(-5))
    assert (late.reason, late.since, late.seen_at, late.priority) == ("a pool", h(-5), h(5), P.P1)


def test_what_was_seen_before_the_work_does_not_open_it_anew_and_what_is_seen_after_does() -> None:
    done = health_events.remedied(event(A.WORK_REQUESTED), h(10))
    assert done.state is A.REMEDIED
    assert health_events.seen_again(done, LEAK, h(9)) == done
    assert health_events.seen_again(done, LEAK, h(11)).state is A.PRIORITISED
    assert health_events.seen_well(done, h(9)) == done
    assert health_events.seen_well(done, h(11)).state is A.VERIFIED
    assert health_events.remedied(done, h(12)) == done


def test_work_that_is_given_up_leaves_the_event_to_be_decided() -> None:
    left = health_events.given_up(replace(event(A.WORK_REQUESTED), work="W"), "no crew")
    assert (left.state, left.work, left.note) == (A.PRIORITISED, None, "no crew")
    assert health_events.given_up(left, "again") == left


def test_a_risk_is_accepted_by_somebody_until_a_day_and_then_it_is_open_again() -> None:
    taken = health_events.decided(event(), A.ACCEPTED_RISK, until=h(100), by="Ruiz", now=NOW)
    assert (taken.state, taken.by) == (A.ACCEPTED_RISK, "Ruiz")
    assert health_events.expired(taken).state is A.PRIORITISED
    assert health_events.expired(event()) == event()
    for until, by in ((None, "Ruiz"), (h(100), None), (h(-1), "Ruiz")):
        with pytest.raises(Invalid):
            health_events.decided(event(), A.ACCEPTED_RISK, until=until, by=by, now=NOW)
    with pytest.raises(Conflict, match="nobody makes a health event 'WORK_REQUESTED' by hand"):
        health_events.decided(event(), A.WORK_REQUESTED, until=None, by=None, now=NOW)
    closed = health_events.decided(event(A.VERIFIED), A.CLOSED, until=None, by=None, now=NOW)
    assert closed.state is A.CLOSED
    assert event().latest == NOW + timedelta(days=180)
