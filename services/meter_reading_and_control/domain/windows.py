"""When of the local day a campaign tells devices something (metering guide 2.5)."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from msgspec import Struct

from contracts.errors import Invalid

EARLIEST, LATEST = time(0, 30), time(23, 30)
"""Half an hour before and after local midnight nothing is told, since registers are read then (guide 2.5)."""

WINDOW = "09:00/16:00"
"""People are there then [P]."""


class Window(Struct, frozen=True, kw_only=True):
    """From when until when of the local day devices are told; over midnight where it ends before it begins."""

    begins: time
    ends: time

    def allows(self, at: datetime, zone: tzinfo) -> bool:
        """True when devices may be told at that time: in the window, and not about midnight."""
        now = at.astimezone(zone).time()
        has_begun, has_ended = now >= self.begins, now >= self.ends
        is_within = has_begun and not has_ended if self.begins < self.ends else has_begun or not has_ended
        return is_within and EARLIEST <= now < LATEST

    def opens(self, now: datetime, zone: tzinfo) -> datetime:
        """The first time from ``now`` on at which it allows something."""
        if self.allows(now, zone):
            return now
        return next(each for each in self.edges(now, zone) if self.allows(each, zone))

    def closes(self, now: datetime, zone: tzinfo) -> datetime:
        """The first time after ``now`` at which it does not."""
        return next(each for each in self.edges(now, zone) if not self.allows(each, zone))

    def edges(self, now: datetime, zone: tzinfo) -> Iterator[datetime]:
        """The times after ``now``, of a week, at which what it allows may change.

        One that the clock skips is as much later as the clock jumps.
        """
        clocks = (self.begins, self.ends, EARLIEST, LATEST)
        first: date = now.astimezone(zone).date()
        for number in range(8):
            day = first + timedelta(days=number)
            local = (datetime.combine(day, each.replace(fold=fold), zone) for each in clocks for fold in (0, 1))
            yield from sorted(at for each in local if (at := each.astimezone(UTC)) > now)


def window_of(text: str) -> Window:
    """The window that words such as ``09:00/16:00`` say.

    Raises:
        Invalid: 2.29, they say none, or one in which nothing is ever allowed.
    """
    try:
        begins, ends = (time.fromisoformat(each.strip()) for each in text.split("/"))
    except ValueError:
        raise Invalid(f"window: '{text}' is no window of the day such as '{WINDOW}'", code="2.29") from None
    window = Window(begins=begins, ends=ends)
    midday = datetime(2000, 1, 1, 12, tzinfo=UTC)
    if begins.tzinfo or ends.tzinfo or not any(window.allows(each, UTC) for each in window.edges(midday, UTC)):
        raise Invalid(f"window: '{text}' leaves no time but that about midnight", code="2.29")
    return window
