"""When meters are read: the times of a schedule, and what became of each (metering guide 2.1).

Schedule: `active <-> suspended -> expired | cancelled`. Occurrence: `collecting -> complete | partial | missed`, asked
again for its gaps until the cut-off. A pattern is of the local clock: a time that the clock shows twice is one
occurrence, at its first instant; one that it skips is as much later as the clock jumps. What fell into a suspension is
not caught up.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from contracts.codes.reading_type import ReadingTypeCode
from contracts.errors import Conflict, Invalid
from contracts.nouns.meter_read_schedule import MeterReadSchedule, TimeSchedule
from services.meter_reading_and_control.domain import calendar
from services.meter_reading_and_control.domain.installation import Installed
from services.meter_reading_and_control.domain.readings import LENGTHS, Block, Register
from services.meter_reading_and_control.domain.reads import Wanted

SHORTEST = timedelta(minutes=1)
"""No schedule repeats itself sooner."""


class ScheduleState(StrEnum):
    """Where a schedule is in its life."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class OccurrenceState(StrEnum):
    """What became of one time of a schedule."""

    COLLECTING = "collecting"
    COMPLETE = "complete"
    PARTIAL = "partial"
    MISSED = "missed"


class Schedule(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A schedule as it was ordered.

    Attributes:
        passed: the meters that the head-end was told of at last.
        refused: why the head-end does not do it; then the gaps are all that is read.
    """

    mrid: str
    noun: MeterReadSchedule
    state: ScheduleState
    passed: tuple[str, ...] = ()
    refused: str = ""

    @property
    def types(self) -> tuple[str, ...]:
        """The reading types, in one spelling."""
        codes = (ReadingTypeCode.parse(each.mrid) for each in self.noun.reading_type if each.mrid)
        return tuple(dict.fromkeys(str(code.canonical) for code in codes))


class Time(Struct, frozen=True, kw_only=True, order=True):
    """One time of a schedule.

    Attributes:
        due_at: the instant.
        nominal: what the local clock shows then, which names the occurrence.
        since: the time before it; what was measured from then on is collected.
    """

    due_at: datetime
    nominal: str
    since: datetime


class Occurrence(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one time of a schedule; ``missing`` has not come yet, or did not until the cut-off."""

    schedule: str
    time: Time
    state: OccurrenceState = OccurrenceState.COLLECTING
    wanted: int = 0
    missing: tuple[Wanted, ...] = ()
    is_closed: bool = False


def checked(noun: MeterReadSchedule) -> MeterReadSchedule:
    """The order, if it can be carried out.

    Raises:
        Invalid: 5.8, it says not what or not when; 2.6, a reading type cannot be read; 2.29, it names whom we do not
            know, or a pattern that we do not know, or repeats itself too soon.
    """
    if not any(each.mrid for each in noun.reading_type) or not noun.time_schedule:
        raise Invalid("MeterReadSchedule: it needs a ReadingType and a TimeSchedule", code="5.8")
    if noun.customer_account or noun.customer_agreement or noun.usage_point_group:
        raise Invalid("MeterReadSchedule: it may name end devices, groups of them and usage points", code="2.29")
    if not (noun.end_device or noun.end_device_group or noun.usage_point):
        raise Invalid("MeterReadSchedule: it names nobody", code="2.15")
    for each in noun.reading_type:
        ReadingTypeCode.parse(each.mrid or "")
    for times in noun.time_schedule:
        _check_time(times)
    return noun


def _check_time(times: TimeSchedule) -> None:
    pattern, period = times.recurrence_pattern, times.recurrence_period
    if times.schedule_interval.start is None:
        raise Invalid("TimeSchedule: scheduleInterval/start is missing", code="5.8")
    if pattern is not None and pattern.strip().lower() not in _PATTERNS:
        raise Invalid(f"recurrencePattern '{pattern}' is none of {', '.join(_PATTERNS)}", code="2.29")
    if period is not None and not SHORTEST.total_seconds() <= period < timedelta.max.total_seconds():
        raise Invalid(f"recurrencePeriod {period:g} is less than a minute", code="2.29")
    if pattern is not None and period is not None:
        raise Invalid("TimeSchedule: a recurrencePattern and a recurrencePeriod contradict each other", code="2.29")


def ordered(state: ScheduleState, noun: MeterReadSchedule) -> ScheduleState:
    """The state of a schedule that is ordered, or changed, to be ``noun``.

    Raises:
        Conflict: 5.2, it is over.
    """
    if state in {ScheduleState.CANCELLED, ScheduleState.EXPIRED}:
        raise Conflict(f"the schedule is {state}")
    is_off = all(each.disabled for each in noun.time_schedule)
    return ScheduleState.SUSPENDED if is_off else ScheduleState.ACTIVE


def next_time(schedule: Schedule, after: datetime, zone: tzinfo) -> Time | None:
    """The first time of an active schedule after an instant; None when there is none any more."""
    if schedule.state is not ScheduleState.ACTIVE:
        return None
    found = (_next(each, after, zone) for each in schedule.noun.time_schedule if not each.disabled)
    return min((each for each in found if each is not None), default=None)


def times_after(schedule: Schedule, after: datetime, zone: tzinfo, most: int) -> tuple[Time, ...]:
    """The next times of a schedule, ``most`` of them."""
    found: list[Time] = []
    while len(found) < most and (time := next_time(schedule, found[-1].due_at if found else after, zone)) is not None:
        found.append(time)
    return tuple(found)


def _next(times: TimeSchedule, after: datetime, zone: tzinfo) -> Time | None:
    start, end = times.schedule_interval.start, times.schedule_interval.end
    if start is None:
        return None
    found = (each for each in _times(times, start, after, zone) if each.due_at > after and each.due_at >= start)
    first = min(found, default=None)
    return None if first is None or (end is not None and first.due_at >= end) else first


def _times(times: TimeSchedule, start: datetime, after: datetime, zone: tzinfo) -> Iterator[Time]:
    """Its single times, and some of the repeated ones around the next."""
    local = start.astimezone(zone).replace(tzinfo=None)
    if times.offset is not None:
        local = local.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(seconds=times.offset)
    for point in times.time_points:
        relative = None if point.relative_time_interval is None else timedelta(seconds=point.relative_time_interval)
        at = point.date_time or (None if relative is None else start + relative)
        if at is not None:
            yield Time(due_at=at.astimezone(UTC), nominal=at.astimezone(UTC).isoformat(), since=at - calendar.DAY)
    if times.recurrence_pattern is not None:
        nth, length = _PATTERNS[times.recurrence_pattern.strip().lower()]
        place = max(0, (after.astimezone(zone).replace(tzinfo=None) - local) // length - 1)
        for each in range(place, place + 5):
            nominal, before = nth(local, each), nth(local, each - 1)
            yield Time(due_at=_utc(nominal, zone), nominal=nominal.isoformat(), since=_utc(before, zone))
    elif times.recurrence_period is not None:
        step = timedelta(seconds=times.recurrence_period)
        base = _utc(local, zone)
        place = max(0, (after - base) // step)
        for each in range(place, place + 3):
            due = base + each * step
            yield Time(due_at=due, nominal=due.isoformat(), since=due - step)
    elif not times.time_points:
        yield Time(due_at=_utc(local, zone), nominal=local.isoformat(), since=_utc(local - calendar.DAY, zone))


def _utc(local: datetime, zone: tzinfo) -> datetime:
    """The instant at which the clock shows a time first; where it skips it, as much later as it jumps."""
    return local.replace(tzinfo=zone, fold=0).astimezone(UTC)


def _monthly(start: datetime, place: int) -> datetime:
    """So many months later, on the day of the start or the last that the month has."""
    year, month = divmod(start.year * 12 + start.month - 1 + place, 12)
    first = start.replace(year=year, month=month + 1, day=1)
    last = (first + 31 * calendar.DAY).replace(day=1) - calendar.DAY
    return first.replace(day=min(start.day, last.day))


def _month_ends(start: datetime, place: int) -> datetime:
    """So many months later, on the last day of the month."""
    return _monthly(start.replace(day=31, month=1), place + start.month - 1)


_PATTERNS: Mapping[str, tuple[Callable[[datetime, int], datetime], timedelta]] = {
    "hourly": (lambda start, place: start + place * timedelta(hours=1), timedelta(hours=1)),
    "daily": (lambda start, place: start + place * calendar.DAY, calendar.DAY),
    "weekly": (lambda start, place: start + place * 7 * calendar.DAY, 7 * calendar.DAY),
    "monthly": (_monthly, 31 * calendar.DAY),
    "last day of the month": (_month_ends, 31 * calendar.DAY),
}
"""The recurrencePatterns: when the n-th time of one that begins at some local time is, and the longest step."""


class Place(Struct, frozen=True, kw_only=True, order=True):
    """A meter that a schedule reads, and where it is."""

    meter: str
    usage_point: str
    starts: datetime


def places(named: Iterable[str], known: Sequence[Installed], at: datetime) -> tuple[Place, ...]:
    """The meters of those that are named, meters or usage points, as they are installed at that time."""
    wanted = set(named)
    here = (each for each in known if each.covers(at) and {each.meter, each.usage_point} & wanted)
    return tuple(sorted({Place(meter=each.meter, usage_point=each.usage_point, starts=each.starts) for each in here}))


class Known(Struct, frozen=True, kw_only=True):
    """What has come of the time that an occurrence collects, of some usage points."""

    blocks: Sequence[Block]
    registers: Sequence[Register]
    zone: tzinfo


def gaps(place: Place, types: Iterable[str], time: Time, known: Known) -> Iterator[Wanted]:
    """What is missing of one meter: of intervals those that are whole within the time, of a register a value since."""
    for code in types:
        parsed = ReadingTypeCode.parse(code)
        length = LENGTHS.get(parsed.names["measuring_period"])
        if length is None:
            reads = (
                each for each in known.registers if (each.usage_point, each.reading_type) == (place.usage_point, code)
            )
            if not any(each.read_at > time.since for each in reads):
                yield Wanted(meter=place.meter, reading_type=code)
        elif _has_hole(place, code, length, time, known):
            since = max(time.since, place.starts)
            yield Wanted(meter=place.meter, reading_type=code, since=since, until=time.due_at)


def _has_hole(place: Place, code: str, length: timedelta, time: Time, known: Known) -> bool:
    mine = [each for each in known.blocks if (each.usage_point, each.reading_type) == (place.usage_point, code)]
    since = max(time.since, place.starts)
    first, last = calendar.days(since, time.due_at, known.zone)
    day = first
    while day <= last:
        blocks = [each for each in mine if each.day == day]
        for number, start in enumerate(calendar.starts(day, known.zone, length)):
            is_wanted = since <= start and start + length <= time.due_at
            if is_wanted and not any(each.values[number] is not None for each in blocks):
                return True
        day += calendar.DAY
    return False


def seen(occurrence: Occurrence, wanted: int, missing: Sequence[Wanted], *, is_last: bool) -> Occurrence:
    """The occurrence after a look at what has come; the last look closes it."""
    state = OccurrenceState.COMPLETE if not missing else OccurrenceState.PARTIAL
    if missing and len(missing) >= wanted:
        state = OccurrenceState.MISSED if is_last else OccurrenceState.COLLECTING
    return replace(occurrence, state=state, wanted=wanted, missing=tuple(missing), is_closed=is_last or not missing)
