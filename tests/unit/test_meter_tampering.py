"""What speaks for tampering, and why a last gasp says nothing of the network (metering guide 7, 8)."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from contracts.codes.end_device_events import EventKind
from contracts.codes.reading_type import ReadingTypeCode
from services.meter_reading_and_control.config import weights_from
from services.meter_reading_and_control.domain.events import Drop
from services.meter_reading_and_control.domain.installation import Installed
from services.meter_reading_and_control.domain.suppression import (
    Facts,
    FieldWork,
    Planned,
    explaining,
    explains_day,
    suppressed,
)
from services.meter_reading_and_control.domain.tamper import (
    CASE,
    WEIGHTS,
    Happened,
    Sign,
    Suspicion,
    SuspicionState,
    are_as_usual,
    cleared,
    explained,
    is_use,
    shown,
    signs,
    suspected,
)
from services.meter_reading_and_control.domain.vee.findings import Finding
from services.meter_reading_and_control.domain.vee.statistics import Before
from services.meter_reading_and_control.domain.vee.validation import BIT

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
E = EventKind


def seen(*told: tuple[EventKind, timedelta]) -> tuple[Sign, ...]:
    return signs([Happened(at=NOW - ago, kind=kind) for kind, ago in told], NOW)


def test_each_sign_is_seen_by_the_events_that_belong_together() -> None:
    assert seen() == ()
    assert seen((E.TAMPER, HOUR), (E.TAMPER, MINUTE)) == (Sign.TAMPER,)
    assert seen((E.TAMPER, 31 * 24 * HOUR)) == ()
    assert seen((E.REVERSE_FLOW, MINUTE)) == ()
    assert seen((E.POWER_RESTORED, HOUR), (E.REVERSE_FLOW, MINUTE)) == (Sign.REVERSE_AFTER_OUTAGE,)
    assert seen((E.POWER_RESTORED, 30 * HOUR), (E.REVERSE_FLOW, MINUTE)) == ()
    assert seen((E.POWER_RESTORED, MINUTE), (E.REVERSE_FLOW, HOUR)) == ()
    assert seen((E.LOAD_SIDE_VOLTAGE, MINUTE)) == ()
    assert seen((E.DISCONNECTED, HOUR), (E.LOAD_SIDE_VOLTAGE, MINUTE)) == (Sign.LOAD_SIDE_VOLTAGE,)
    assert seen((E.DISCONNECTED, 3 * HOUR), (E.CONNECTED, HOUR), (E.LOAD_SIDE_VOLTAGE, MINUTE)) == ()
    assert seen((E.TAMPER, HOUR), (E.POWER_LOST, HOUR + 4 * MINUTE)) == (Sign.TAMPER, Sign.TAMPER_AND_POWER_LOSS)
    assert seen((E.TAMPER, HOUR), (E.POWER_LOST, 2 * HOUR)) == (Sign.TAMPER,)


@given(st.permutations([(E.TAMPER, 60), (E.POWER_LOST, 61), (E.POWER_RESTORED, 30), (E.REVERSE_FLOW, 5)]))
def test_the_signs_do_not_depend_on_the_order_of_arrival(told: list[tuple[EventKind, int]]) -> None:
    found = seen(*((kind, minutes * MINUTE) for kind, minutes in told))
    assert found == (Sign.TAMPER, Sign.REVERSE_AFTER_OUTAGE, Sign.TAMPER_AND_POWER_LOSS)
    assert sum(WEIGHTS[sign] for sign in found) > CASE


def new(*shown: Sign) -> Suspicion:
    return Suspicion(
        usage_point="point", meter="meter", since=NOW, latest=NOW, state=SuspicionState.WATCHED, signs=shown
    )


def test_a_suspicion_becomes_a_case_by_its_score_stays_one_and_ends_by_work_or_when_it_is_cleared_before() -> None:
    watched = suspected(None, new(Sign.TAMPER), WEIGHTS, CASE, None)
    assert (watched.state, watched.score) == (SuspicionState.WATCHED, 4)
    case = suspected(watched, new(Sign.TAMPER, Sign.REVERSE_AFTER_OUTAGE), WEIGHTS, CASE, None)
    assert (case.state, case.score) == (SuspicionState.CASE, 8)
    assert suspected(case, new(Sign.TAMPER), WEIGHTS, CASE, None).state is SuspicionState.CASE
    assert cleared(case, NOW) == case
    over = cleared(watched, NOW)
    assert (over.state, over.is_open) == (SuspicionState.CLEARED, False)
    assert suspected(over, new(Sign.TAMPER), WEIGHTS, CASE, None).state is SuspicionState.WATCHED
    assert suspected(case, new(Sign.TAMPER), WEIGHTS, CASE, "work").state is SuspicionState.EXPLAINED
    assert explained(case, "work").reason == "work work at the place"
    assert suspected(None, new(Sign.TAMPER), WEIGHTS, 4, None).state is SuspicionState.CASE


def test_the_weights_are_settings() -> None:
    said = weights_from({"BUSBAR_METER_TAMPER_WEIGHTS": "tamper:8, loadSideVoltage:0"})
    assert (said[Sign.TAMPER], said[Sign.LOAD_SIDE_VOLTAGE], said[Sign.REVERSE_AFTER_OUTAGE]) == (8, 0, 4)
    for wrong in ("tamper", "tilt:3", "tamper:-1", "tamper:many"):
        with pytest.raises(ValueError, match="BUSBAR_METER_TAMPER_WEIGHTS"):
            weights_from({"BUSBAR_METER_TAMPER_WEIGHTS": wrong})


def put(at: datetime) -> dict[str, list[Installed]]:
    return {"meter": [Installed(usage_point="point", starts=at, meter="meter")]}


def dropped(facts: Facts, kind: EventKind | None = E.POWER_LOST, at: datetime = NOW) -> Drop | None:
    return suppressed(kind, "meter", "point", at, facts)


def test_a_last_gasp_is_suppressed_by_what_people_do_at_its_place_and_nothing_else_is() -> None:
    work = FieldWork(work="w", place="point", starts=NOW - HOUR)
    planned = Planned(usage_point="point", starts=NOW - HOUR, ends=NOW + HOUR)
    facts = {
        Drop.WORK: Facts(works={"point": [work]}),
        Drop.PLANNED: Facts(planned={"point": [planned]}),
        Drop.DISCONNECTED: Facts(switched={"point": [(NOW - HOUR, E.DISCONNECTED)]}),
        Drop.EXCHANGE: Facts(installed=put(NOW - MINUTE)),
        Drop.NOT_INSTALLED: Facts(installed=put(NOW + HOUR)),
    }
    for reason, known in facts.items():
        assert dropped(known) is reason
        for kind in (E.POWER_RESTORED, E.TAMPER, None):
            assert dropped(known, kind) is None
    other = FieldWork(work="w", place="other", starts=NOW - HOUR)
    assert dropped(Facts(installed=put(NOW - 100 * HOUR), works={"other": [other]})) is None
    over = FieldWork(work="w", place="point", starts=NOW - 2 * HOUR, ends=NOW - HOUR)
    assert dropped(Facts(works={"point": [over]})) is None
    switched = [(NOW - HOUR, E.CONNECTED), (NOW - 2 * HOUR, E.DISCONNECTED)]
    assert dropped(Facts(switched={"point": switched})) is None
    assert dropped(Facts(planned={"point": [planned]}), at=NOW + 2 * HOUR) is None


def test_work_explains_tampering_within_a_day_of_it() -> None:
    work = FieldWork(work="w", place="meter", starts=NOW, ends=NOW + HOUR)
    for hours, is_explained in ((-23, True), (-25, False), (0, True), (24, True), (26, False)):
        found = explaining([work], ["point", "meter"], NOW + hours * HOUR)
        assert (found is work) is is_explained
    assert explaining([work], ["elsewhere"], NOW) is None


def test_days_show_signs_by_what_rules_found_of_energy_that_is_used() -> None:
    bits = {name: int(BIT[name]) for name in ("V13", "V18", "V19", "V30")}
    nothing = Finding(revision=1, rule_set=("intervals", 1), of_day=0, of_intervals=(0, bits["V13"]))
    assert shown(nothing) == frozenset()
    assert shown(replace(nothing, of_day=bits["V19"])) == {Sign.USAGE_ON_INACTIVE}
    found = replace(nothing, of_day=bits["V18"], of_intervals=(0, bits["V13"] | bits["V30"]))
    assert shown(found) == {Sign.ZERO_AMONG_NEIGHBOURS, Sign.LOAD_WITHOUT_VOLTAGE}
    forward = ReadingTypeCode.parse("0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.0.72.0")
    assert is_use(forward)
    assert not is_use(replace(forward, flow_direction=19))
    assert not is_use(replace(forward, unit=73))


@pytest.mark.parametrize(
    ("means", "idle", "usual"),
    [([], [], False), ([9, 9], [0, 0], False), ([9, 9, 9], [0, 0, 0], True), ([9, 9, 9, 0], [0, 0, 0, 20], True),
     ([9, 9, 9], [0, 0, 1], False), ([9] * 6, [0, 0, 0, 4, 4, 4], False)],
)  # fmt: skip
def test_neighbours_are_as_usual_where_three_and_most_of_them_use_something(
    means: list[int], idle: list[int], usual: bool
) -> None:
    known = Before(mean=np.array(means), idle_days=np.array(idle), filled_days=np.zeros(len(means), np.int64))
    assert are_as_usual(known) is usual


def test_a_day_is_explained_by_work_within_a_day_of_any_time_of_it() -> None:
    day = (NOW, NOW + 24 * HOUR)
    for hours, is_explained in ((-25, False), (-23, True), (20, True), (47, True), (49, False)):
        work = FieldWork(work="w", place="point", starts=NOW + hours * HOUR, ends=NOW + hours * HOUR)
        assert explains_day([work], ["meter", "point"], day) is is_explained
        assert not explains_day([work], ["other"], day)


def test_what_was_only_watched_ends_when_nothing_of_it_is_found_any_more() -> None:
    watched = suspected(None, new(Sign.USAGE_ON_INACTIVE), WEIGHTS, CASE, None)
    assert (watched.state, watched.score) == (SuspicionState.WATCHED, 5)
    assert suspected(watched, new(), WEIGHTS, CASE, None).state is SuspicionState.CLEARED
    case = suspected(watched, new(Sign.USAGE_ON_INACTIVE, Sign.TAMPER), WEIGHTS, CASE, None)
    assert (case.state, case.score) == (SuspicionState.CASE, 9)
    assert suspected(case, new(), WEIGHTS, CASE, None).state is SuspicionState.CASE
