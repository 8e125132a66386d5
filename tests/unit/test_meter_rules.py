"""One code for each meaning, one place for each meter."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from contracts.nouns.end_device_events import EndDeviceEvent
from contracts.types import ObjectReference, Reference
from services.meter_reading_and_control.config import generation_from
from services.meter_reading_and_control.domain.events import (
    Drop,
    Generation,
    Tally,
    counted,
    passed_on,
    received,
    stages,
)
from services.meter_reading_and_control.domain.installation import Installed
from services.meter_reading_and_control.domain.suppression import SAME, Facts, judged
from services.meter_reading_and_control.views.linkage import placed

T0 = datetime(2026, 3, 14, 18, 0, tzinfo=UTC)


def event(code: str, meter: str | None = "meter", point: str | None = "point") -> EndDeviceEvent:
    return EndDeviceEvent(
        created_date_time=T0,
        assets=None if meter is None else ObjectReference(mrid=meter),
        end_device_event_type=Reference(ref=code),
        usage_point=None if point is None else ObjectReference(mrid=point),
    )


@pytest.mark.parametrize("code", ["3.26.9.185", "3.26.0.47", "3.26.136.47", "3.26.17.185", "3.26.0.85"])
def test_every_code_for_a_last_gasp_is_passed_on_as_one(code: str) -> None:
    assert received(event(code), "id", None, Generation.FIRST).code == "3.26.9.185"
    assert received(event(code), "id", None, Generation.SECOND).code == "3.26.0.47"


def test_a_code_that_means_nothing_to_us_stays_as_it_is() -> None:
    assert received(event("99.1.2.3"), "id", None, Generation.FIRST).code == "99.1.2.3"


def test_an_event_without_a_usage_point_is_at_the_one_where_its_meter_was_heard_before() -> None:
    heard = received(event("3.26.9.185", point=None), "id", "point", Generation.FIRST)
    assert (heard.usage_point, heard.dropped, heard.event.mrid) == ("point", None, "id")
    assert [point for point, _ in passed_on([heard])] == ["point"]


def test_an_event_is_where_its_meter_was_by_order_or_had_been_last_and_nowhere_before_it_was_put() -> None:
    day = timedelta(days=1)
    own = [
        Installed(usage_point="old", starts=T0 - 3 * day, ends=T0 - 2 * day, meter="meter"),
        Installed(usage_point="new", starts=T0 - day, ends=T0 + day, meter="meter"),
    ]
    told = event("3.26.9.185", point=None)
    at = {-4: None, -3: "old", -2: "old", -1: "new", 0: "new", 5: "new"}
    assert {days: placed(replace(told, created_date_time=T0 + days * day), own) for days in at} == at


def test_an_event_of_a_meter_that_is_nowhere_is_kept_with_the_reason_and_not_passed_on() -> None:
    heard = received(event("3.26.9.185", point=None), "id", None, Generation.FIRST)
    assert heard.dropped is Drop.UNLOCATED
    assert passed_on([heard]) == []


def test_the_generation_of_the_codes_is_a_setting_and_a_wrong_one_is_refused_by_name() -> None:
    assert generation_from({}) is Generation.FIRST
    assert generation_from({"BUSBAR_METER_EVENT_CODES": "second"}) is Generation.SECOND
    with pytest.raises(ValueError, match="BUSBAR_METER_EVENT_CODES is 'third'"):
        generation_from({"BUSBAR_METER_EVENT_CODES": "third"})


@given(st.lists(st.tuples(st.sampled_from(["one", "two"]), st.integers(0, 30)), min_size=1))
def test_of_last_gasps_of_a_meter_within_five_seconds_one_counts_and_none_is_lost(told: list[tuple[str, int]]) -> None:
    times = [(meter, T0 + timedelta(seconds=second)) for meter, second in sorted(told, key=lambda each: each[1])]
    heard = [
        received(replace(event("3.26.9.185", meter), created_date_time=at), f"{number}", None, Generation.FIRST)
        for number, (meter, at) in enumerate(times)
    ]
    found = judged(heard, Facts())
    assert [each.event for each in found] == [each.event for each in heard]
    for meter in ("one", "two"):
        passed = sorted({each.happened_at for each in found if each.meter == meter and each.dropped is None})
        assert all(later - earlier > SAME for earlier, later in pairwise(passed))
        dropped = [each for each in found if each.meter == meter and each.dropped is not None]
        assert all(each.dropped is Drop.REPEATED for each in dropped)
        assert all(any(abs(each.happened_at - at) <= SAME for at in passed) for each in dropped)
    before = {meter: [at for each, at in times if each == meter] for meter in ("one", "two")}
    assert judged(heard, Facts(gasps=before)) == heard, "what was here before is known by its own time"


@given(
    st.lists(
        st.tuples(st.sampled_from([None, *Drop]), st.integers(0, 10**6), st.integers(0, 10**6)),
        min_size=1,
        unique_by=lambda each: each[0],
    )
)
def test_what_became_of_events_adds_up_to_what_was_received(told: list[tuple[Drop | None, int, int]]) -> None:
    tallies = [Tally(dropped=reason, events=events, repeats=again, latest=T0) for reason, events, again in told]
    found = stages(tallies)
    assert found.pop("held") == 0
    received_in_all = found.pop("received")
    assert sum(found.values()) == received_in_all == sum(events + again for _, events, again in told)
    shown = {each.name: int(each.value or "") for each in counted("3.26.9.185", tallies).end_device_event_details}
    assert shown == {"received": received_in_all, "held": 0, **found}
