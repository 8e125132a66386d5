"""Market days: from midnight to midnight where the customers live, with 92, 96 or 100 quarters of an hour."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache

from contracts.errors import Invalid

DAY = timedelta(days=1)
WEEK = timedelta(days=7)


def market_day(instant: datetime, zone: tzinfo) -> date:
    """The local day in which ``instant`` lies."""
    return instant.astimezone(zone).date()


@lru_cache(maxsize=1024)
def bounds(day: date, zone: tzinfo) -> tuple[datetime, datetime]:
    """The first instant of ``day`` and the first after it, in UTC."""
    first, after = (datetime.combine(each, time(), zone).astimezone(UTC) for each in (day, day + DAY))
    return first, after


def touched(instant: datetime, zone: tzinfo) -> set[date]:
    """The days of which ``instant`` is in, or at an edge; at midnight they are two."""
    return {market_day(instant, zone), market_day(instant - timedelta(microseconds=1), zone)}


def days(start: datetime, end: datetime, zone: tzinfo) -> tuple[date, date]:
    """The first and the last day of a time."""
    return market_day(start, zone), market_day(end, zone)


def after_month(day: date) -> date:
    """The first day of the month after that of ``day``."""
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1)


def each_day(first: date, last: date) -> Iterator[date]:
    """The days from the first to the last."""
    while first <= last:
        yield first
        first += DAY


def weeks(first: date, last: date) -> Iterator[tuple[date, date]]:
    """The first and the last day of each week of a time; the last may be shorter."""
    while first <= last:
        yield first, min(first + WEEK - DAY, last)
        first += WEEK


def is_whole(day: date, zone: tzinfo, length: timedelta) -> bool:
    """True where ``day`` is a whole number of intervals, which one of 23.5 hours is not of hours."""
    first, after = bounds(day, zone)
    return not (after - first) % length


@lru_cache(maxsize=1024)
def starts(day: date, zone: tzinfo, length: timedelta) -> tuple[datetime, ...]:
    """When the intervals of ``day`` begin, in UTC; as many as the day has.

    Raises:
        Invalid: 2.10, the day is no whole number of intervals.
    """
    first, after = bounds(day, zone)
    count, rest = divmod(after - first, length)
    if rest:
        raise Invalid(f"{day} is no whole number of intervals of {length}", code="2.10")
    return tuple(first + place * length for place in range(count))


@lru_cache(maxsize=1024)
def clock_slots(day: date, zone: tzinfo, length: timedelta) -> tuple[int, ...]:
    """For each interval of ``day`` its place in a day without a change of the clock; an hour may come twice.

    Raises:
        Invalid: 2.10, the day is no whole number of intervals.
    """
    clocks = (start.astimezone(zone).replace(tzinfo=None) for start in starts(day, zone, length))
    return tuple((clock - datetime.combine(day, time())) // length for clock in clocks)


def columns(day: date, zone: tzinfo, length: timedelta, count: int) -> tuple[datetime | None, ...]:
    """When the values of a list of ``count`` without times begin; None where the clock skips that time.

    A list has either one value for each interval of the day, or, where the day is short, one for each interval that
    the clock of an ordinary day has. A long day cannot be told so, since nobody could say which hour is which.

    Raises:
        Invalid: 2.29, the list has neither of the two lengths.
    """
    slots = starts(day, zone, length)
    if count == len(slots):
        return slots
    if count != DAY // length or count < len(slots):
        raise Invalid(f"{count} values without times; {day} has {len(slots)} intervals", code="2.29")
    midnight = datetime.combine(day, time())
    wall = (midnight + place * length for place in range(count))
    return tuple(_exists(local.replace(tzinfo=zone)) for local in wall)


def _exists(local: datetime) -> datetime | None:
    instant = local.astimezone(UTC)
    shown = instant.astimezone(local.tzinfo).replace(tzinfo=None)
    return instant if shown == local.replace(tzinfo=None) else None
