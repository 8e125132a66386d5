"""When last gasps are a storm, and which of them wait (metering guide 8)."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from contracts.nouns.end_device_events import EndDeviceEvent
from contracts.types import ObjectReference, Reference
from services.meter_reading_and_control.domain.events import Drop, Generation, Heard, passed_on, received
from services.meter_reading_and_control.domain.storm import CALM, LOOK, Storm, judged, waiting

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
RATE = 20
LOST, BACK = "3.26.9.185", "3.26.9.216"


@given(st.lists(st.integers(0, 3000), max_size=300))
def test_a_storm_begins_above_twenty_a_second_and_ends_after_a_quarter_of_an_hour_below_half(counts: list[int]) -> None:
    storm, below = Storm(), 0
    for number, count in enumerate(counts):
        was = storm.since is not None
        storm = judged(storm, count, RATE, NOW + number * LOOK)
        below = below + 1 if was and count < 600 else 0
        ends = (below - 1) * LOOK >= CALM
        assert (storm.since is not None) is ((was and not ends) or (not was and count > 1200))
        below = 0 if storm.since is None else below


def heard(code: str, meter: str, suppressed: Drop | None = None) -> Heard:
    event = EndDeviceEvent(
        created_date_time=NOW,
        assets=ObjectReference(mrid=meter),
        end_device_event_type=Reference(ref=code),
        usage_point=ObjectReference(mrid=f"{meter} point"),
    )
    told = received(event, meter, None, Generation.FIRST)
    return replace(told, suppressed=suppressed)


def test_in_a_storm_last_gasps_wait_but_for_those_of_bellwethers_and_nothing_else_does() -> None:
    told = [heard(LOST, "bell"), heard(LOST, "plain"), heard(BACK, "plain"), heard(LOST, "shed", Drop.PLANNED)]
    storm = Storm(since=NOW - LOOK)
    found = waiting(told, storm, {"bell"}, NOW)
    assert [each.meter for each in found if each.held] == ["plain"]
    assert [point for point, _ in passed_on(found)] == ["bell point", "plain point"]
    for calm in (Storm(), Storm(since=NOW), Storm(since=NOW + timedelta(seconds=1))):
        assert not any(each.held for each in waiting(told, calm, {"bell"}, NOW)), "it counts from the next instant on"
    assert not any(each.held for each in waiting(told, storm, frozenset(), NOW)), "nobody would be told first"
