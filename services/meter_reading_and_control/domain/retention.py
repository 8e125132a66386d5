"""Which months of readings have had their time (metering guide 16)."""

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, date, datetime, time, tzinfo

from contracts.errors import Invalid
from services.meter_reading_and_control.domain.calendar import after_month

AT = time(3)
"""The hour of the first day of a month at which is looked: a quiet one."""


def too_old(months: Iterable[date], first_kept: date) -> list[date]:
    """Those of ``months`` of which no day is kept any more."""
    return [month for month in months if after_month(month) <= first_kept]


def packable(months: Iterable[date], packed: Collection[date], first_with_versions: date) -> list[date]:
    """Those of ``months`` of which no versions are kept any more and which are not ``packed`` yet."""
    return [month for month in too_old(months, first_with_versions) if month not in packed]


def refuse_forgotten(as_of: datetime, days: tuple[date, date], packed: Mapping[date, datetime]) -> None:
    """Say that nobody knows what was known of ``days`` at a time before months of them were ``packed``.

    Raises:
        Invalid: 2.29, so it is.
    """
    forgotten = [
        month
        for month, packed_at in packed.items()
        if as_of < packed_at and month <= days[1] and days[0] < after_month(month)
    ]
    if forgotten:
        since = after_month(max(forgotten))
        raise Invalid(f"Option asOf: what was known at {as_of} is kept of days since {since} alone", code="2.29")


def next_look(now: datetime, zone: tzinfo) -> datetime:
    """When the next month has its time."""
    first = after_month(now.astimezone(zone).date())
    return datetime.combine(first, AT, zone).astimezone(UTC)
