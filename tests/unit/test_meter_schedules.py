"""When meters are read: the times of schedules over changes of the clock, and what is missing of each (guide 2.1)."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import Conflict, Invalid
from contracts.nouns.meter_read_schedule import EndDevice, MeterReadSchedule, TimePoint, TimeSchedule
from contracts.nouns.reading_types import ReadingType
from contracts.types import DateTimeInterval
from services.meter_reading_and_control.domain import calendar
from services.meter_reading_and_control.domain.installation import Installed
from services.meter_reading_and_control.domain.readings import Block, Origin, Register, Value
from services.meter_reading_and_control.domain.reads import Wanted
from services.meter_reading_and_control.domain.schedules import (
    Known,
    Occurrence,
    OccurrenceState,
    Schedule,
    ScheduleState,
    checked,
    gaps,
    next_time,
    ordered,
    places,
    seen,
    times_after,
)

BERLIN = ZoneInfo("Europe/Berlin")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
QUARTER = timedelta(minutes=15)
INTERVAL = "0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.0.72.0"
REGISTER = "0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0"


def schedule(start: datetime, *, state: ScheduleState = ScheduleState.ACTIVE, **times: Any) -> Schedule:
    end = times.pop("end", None)
    every = TimeSchedule(schedule_interval=DateTimeInterval(start=start, end=end), **times)
    noun = MeterReadSchedule(
        end_device=(EndDevice(mrid="meter"),), reading_type=(ReadingType(mrid=INTERVAL),), time_schedule=(every,)
    )
    return Schedule(mrid="schedule", noun=checked(noun), state=state)


def shown(found: Schedule, after: datetime, most: int, zone: ZoneInfo = BERLIN) -> list[str]:
    return [time.due_at.astimezone(zone).strftime("%d %H:%M %z") for time in times_after(found, after, zone, most)]


def test_an_occurrence_in_the_hour_that_the_clock_shows_twice_fires_once() -> None:
    start = datetime(2026, 10, 24, 2, 30, tzinfo=BERLIN)
    daily = schedule(start, recurrence_pattern="daily")
    assert shown(daily, start - QUARTER, 3) == ["24 02:30 +0200", "25 02:30 +0200", "26 02:30 +0100"]
    hourly = schedule(datetime(2026, 10, 25, 0, 0, tzinfo=BERLIN), recurrence_pattern="hourly")
    of_the_day = times_after(hourly, datetime(2026, 10, 24, 21, 59, tzinfo=UTC), BERLIN, 24)
    assert len({time.nominal for time in of_the_day}) == 24
    assert of_the_day[-1].due_at.astimezone(BERLIN).hour == 23


def test_a_time_that_the_clock_skips_comes_as_much_later_and_a_period_does_not_heed_the_clock() -> None:
    start = datetime(2026, 3, 28, 2, 30, tzinfo=BERLIN)
    daily = schedule(start, recurrence_pattern="daily")
    assert shown(daily, start, 2) == ["29 03:30 +0200", "30 02:30 +0200"]
    elapsed = schedule(start, recurrence_period=86_400.0)
    assert shown(elapsed, start, 2) == ["29 03:30 +0200", "30 03:30 +0200"]
    (first, second) = times_after(daily, start, BERLIN, 2)
    assert (first.since, second.since) == (start, first.due_at)


def test_the_patterns_are_daily_weekly_and_monthly_and_the_offset_counts_from_midnight() -> None:
    start = datetime(2026, 1, 31, 9, tzinfo=UTC)
    assert shown(schedule(start, recurrence_pattern="weekly"), start, 2, ZoneInfo("UTC")) == [
        "07 09:00 +0000",
        "14 09:00 +0000",
    ]
    monthly = schedule(start, recurrence_pattern="monthly", offset=3600.0)
    found = times_after(monthly, start, ZoneInfo("UTC"), 3)
    assert [(each.due_at.month, each.due_at.day, each.due_at.hour) for each in found] == [
        (2, 28, 1),
        (3, 31, 1),
        (4, 30, 1),
    ]
    ends = schedule(datetime(2026, 2, 1, 9, tzinfo=UTC), recurrence_pattern="last day of the month")
    found = times_after(ends, datetime(2026, 1, 1, tzinfo=UTC), ZoneInfo("UTC"), 2)
    assert [(each.due_at.month, each.due_at.day) for each in found] == [(2, 28), (3, 31)]


def test_a_schedule_ends_and_one_that_is_suspended_or_over_has_no_times() -> None:
    start = datetime(2026, 5, 1, tzinfo=UTC)
    short = schedule(start, end=start + 2 * calendar.DAY, recurrence_pattern="daily")
    assert len(times_after(short, start - QUARTER, BERLIN, 9)) == 2
    for state in set(ScheduleState) - {ScheduleState.ACTIVE}:
        assert next_time(schedule(start, state=state, recurrence_pattern="daily"), start, BERLIN) is None
    points = (TimePoint(date_time=start + QUARTER), TimePoint(relative_time_interval=60.0))
    assert [each.due_at - start for each in times_after(schedule(start, time_points=points), start, BERLIN, 9)] == [
        timedelta(minutes=1),
        QUARTER,
    ]
    off = schedule(start, disabled=True, recurrence_pattern="daily").noun
    on = schedule(start, recurrence_pattern="daily").noun
    assert ordered(ScheduleState.ACTIVE, off) is ScheduleState.SUSPENDED
    assert ordered(ScheduleState.SUSPENDED, on) is ScheduleState.ACTIVE
    for over in (ScheduleState.CANCELLED, ScheduleState.EXPIRED):
        with pytest.raises(Conflict):
            ordered(over, on)


@pytest.mark.parametrize(
    "times",
    [
        {"recurrence_pattern": "at noon"},
        {"recurrence_period": 1.0},
        {"recurrence_period": float("nan")},
        {"recurrence_period": 3600.0, "recurrence_pattern": "daily"},
    ],
)
def test_what_cannot_be_repeated_is_refused(times: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        schedule(datetime(2026, 5, 1, tzinfo=UTC), **times)


@given(
    st.sampled_from(["hourly", "daily", "weekly", "monthly", "last day of the month"]),
    st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1)),  # noqa: DTZ001  local times of the zone below
    st.integers(0, 800),
    st.sampled_from([BERLIN, LORD_HOWE]),
)
def test_the_next_time_is_the_first_after_and_no_two_have_one_name(
    pattern: str, local: datetime, days: int, zone: ZoneInfo
) -> None:
    start = local.replace(tzinfo=zone).astimezone(UTC)
    each = schedule(start, recurrence_pattern=pattern)
    after = start + days * calendar.DAY
    found = times_after(each, after, zone, 6)
    dues = [time.due_at for time in found]
    assert dues == sorted(set(dues))
    assert dues[0] > after
    assert len({time.nominal for time in found}) == len(found)
    assert next_time(each, dues[2], zone) == found[3]
    assert next_time(each, dues[3] - timedelta(seconds=1), zone) == found[3]
    assert all(one.due_at == other.since for one, other in pairwise(found))


def test_of_an_occurrence_the_holes_and_the_registers_that_have_not_come_are_missing() -> None:
    day = date(2026, 5, 4)
    first, after = calendar.bounds(day, BERLIN)
    daily = schedule(first, recurrence_pattern="daily")
    (time,) = times_after(daily, first, BERLIN, 1)
    assert (time.since, time.due_at) == (first, after)
    known = [Installed(usage_point="point", starts=first - calendar.DAY, meter="meter")]
    (place,) = places(["point", "meter"], known, after)
    value = Value(number=1, scale=0, origin=Origin())
    whole = Block(usage_point="point", reading_type=INTERVAL, day=day, meter="meter", version=1, values=(value,) * 96)
    holed = Block(
        usage_point="point", reading_type=INTERVAL, day=day, meter="meter", version=1, values=(value,) * 95 + (None,)
    )
    read = Register(usage_point="point", reading_type=REGISTER, read_at=after, meter="meter", value=value)

    def missing(blocks: list[Block], registers: list[Register]) -> list[str]:
        told = Known(blocks=blocks, registers=registers, zone=BERLIN)
        return [each.reading_type for each in gaps(place, [INTERVAL, REGISTER], time, told)]

    assert missing([], []) == [INTERVAL, REGISTER]
    assert missing([holed], [read]) == [INTERVAL]
    assert missing([whole], [read]) == []
    wanted = Wanted(meter="meter", reading_type=INTERVAL)
    begun = Occurrence(schedule="schedule", time=time)
    assert [seen(begun, 2, gone, is_last=last).state for gone, last in (((), False), ((wanted,), False))] == [
        OccurrenceState.COMPLETE,
        OccurrenceState.PARTIAL,
    ]
    assert seen(begun, 1, (wanted,), is_last=False).state is OccurrenceState.COLLECTING
    assert seen(begun, 1, (wanted,), is_last=True).state is OccurrenceState.MISSED
    assert seen(begun, 2, (wanted,), is_last=True).is_closed


@pytest.mark.parametrize(("day", "count"), [(date(2026, 10, 4), 94), (date(2026, 4, 5), 98)])
def test_given_lord_howe_when_its_clock_moves_by_half_an_hour_then_94_or_98_quarters_are_the_whole_day(
    day: date, count: int
) -> None:
    """Scenario 3: one quarter less is a gap, and the schedule of the day asks for it."""
    first, after = calendar.bounds(day, LORD_HOWE)
    (time,) = times_after(schedule(first, recurrence_pattern="daily"), first, LORD_HOWE, 1)
    assert (time.since, time.due_at) == (first, after)
    (place,) = places(["point"], [Installed(usage_point="point", starts=first, meter="meter")], first)
    value = Value(number=1, scale=0, origin=Origin())
    for known, is_whole in ((count, True), (count - 1, False)):
        values = (value,) * known + (None,) * (count - known)
        block = Block(usage_point="point", reading_type=INTERVAL, day=day, meter="meter", version=1, values=values)
        told = Known(blocks=[block], registers=[], zone=LORD_HOWE)
        assert (list(gaps(place, [INTERVAL], time, told)) == []) is is_whole
