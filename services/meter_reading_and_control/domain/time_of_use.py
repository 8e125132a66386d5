"""Time of use: into which bucket of a tariff an interval falls (metering guide 6).

A calendar speaks of local time. So the hour that comes twice in autumn falls twice into its bucket, and where the
calendar, the zone or its version changes the buckets follow, as nothing is kept that was made with them.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta, tzinfo

from msgspec import Struct

from contracts.errors import Invalid
from services.meter_reading_and_control.domain import calendar

Switches = Mapping[str, int]
"""The bucket, 1 or more, that begins at each local time ``HH:MM``; the first begins at ``00:00``."""

_SATURDAY, _SUNDAY = 5, 6


class Season(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The days of a part of the year.

    Attributes:
        begins: its first day, ``MM-DD``; it lasts until the next one begins.
        workday: of Monday to Friday, and of whatever has no switches of its own.
        saturday, sunday: of these days.
        holiday: of holidays; those of Sunday where there are none.
    """

    begins: str
    workday: Switches
    saturday: Switches | None = None
    sunday: Switches | None = None
    holiday: Switches | None = None

    def switches(self, day: date, *, is_holiday: bool) -> Switches:
        """Those of a day."""
        sunday = self.sunday or self.workday
        if is_holiday:
            return self.holiday or sunday
        return {_SATURDAY: self.saturday or self.workday, _SUNDAY: sunday}.get(day.weekday(), self.workday)


class TariffCalendar(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The buckets of all days from one on.

    Attributes:
        id: its name.
        since: the first market day for which it is valid.
        seasons: in any order; before the first of a year the last is still valid.
        holidays: the days that are none of work.
    """

    id: str
    since: date
    seasons: tuple[Season, ...]
    holidays: tuple[date, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what leaves a time without a bucket.

        Raises:
            ValueError: there is no season, a day or a time is none, a day does not begin with a bucket, or a bucket
                is less than 1.
        """
        if not self.seasons:
            raise ValueError(f"calendar {self.id}: it has no season")
        for season in self.seasons:
            date.fromisoformat(f"2000-{season.begins}")
            kinds = (season.workday, season.saturday, season.sunday, season.holiday)
            for switches in (each for each in kinds if each is not None):
                times = [time.fromisoformat(each) for each in switches]
                if time() not in times:
                    raise ValueError(
                        f"calendar {self.id}: a day of the season from {season.begins} begins with nothing"
                    )
                if min(switches.values()) < 1:
                    raise ValueError(f"calendar {self.id}: a bucket is less than 1")

    def bucket(self, local: datetime) -> int:
        """The bucket of a local time."""
        switches = self._switches(local.date())
        begun = max(each for each in switches if time.fromisoformat(each) <= local.time().replace(fold=0))
        return switches[begun]

    def buckets(self, day: date, zone: tzinfo, length: timedelta) -> tuple[int, ...]:
        """The bucket of each interval of a market day.

        Raises:
            Invalid: 2.10, a bucket begins within an interval of that length.
        """
        for each in self._switches(day):
            begins = timedelta(hours=int(each[:2]), minutes=int(each[3:5]))
            if begins % length:
                raise Invalid(
                    f"calendar {self.id}: a bucket begins at {each}, within an interval of {length}", code="2.10"
                )
        return tuple(self.bucket(start.astimezone(zone)) for start in calendar.starts(day, zone, length))

    def _switches(self, day: date) -> Switches:
        begun = [each for each in self.seasons if each.begins <= f"{day:%m-%d}"]
        season = max(begun or self.seasons, key=lambda each: each.begins)
        return season.switches(day, is_holiday=day in self.holidays)


def valid_at(calendars: Iterable[TariffCalendar], day: date) -> TariffCalendar | None:
    """The calendar that is valid for a market day; None where none is yet."""
    return max((each for each in calendars if each.since <= day), key=lambda each: each.since, default=None)
