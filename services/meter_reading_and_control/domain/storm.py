"""When last gasps are so many that not all of them are told at once, and which are told first (metering guide 8).

In a storm those of the bellwethers pass one by one, since a few meters of each transformer say where it is dark; the
others wait for some seconds and follow at a pace that who hears them can keep. A gasp that waits and whose meter tells
in time that power is back was momentary. Where there is no bellwether nothing waits.
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from contracts.codes.end_device_events import EventKind
from services.meter_reading_and_control.domain.events import Heard

BELLWETHER = "bellwether"
"""The type of a group of end devices whose last gasps are told first (ours)."""

WINDOW = timedelta(minutes=1)
"""The time in which last gasps are counted (guide 8)."""

CALM = timedelta(minutes=15)
"""So long there must be less than half as many until it is no storm any more (guide 8)."""

LOOK = timedelta(seconds=10)
"""So often it is judged whether there is a storm, and so long after the first one that waits the others follow."""

PACE = 1000
"""So many of those that wait are told in a second [P]: 300,000 in five minutes."""

MOMENTARY = timedelta(minutes=1)
"""What was over after so short a time is no outage for whoever hears of it late (guide 8, stage 5)."""


class Storm(Struct, frozen=True, kw_only=True):
    """Whether there is a storm: ``since`` when, and since when there are less than half as many last gasps."""

    since: datetime | None = None
    calm_since: datetime | None = None


def judged(storm: Storm, gasps: int, rate: int, now: datetime) -> Storm:
    """The storm after a look at the last minute.

    Args:
        storm: as it was found before.
        gasps: how many came in within :data:`WINDOW`.
        rate: so many a second are a storm.
        now: the time of the look.
    """
    most = rate * WINDOW.total_seconds()
    if storm.since is None:
        return Storm(since=now if gasps > most else None)
    if gasps >= most / 2:
        return replace(storm, calm_since=None)
    calm_since = storm.calm_since or now
    return Storm() if now - calm_since >= CALM else replace(storm, calm_since=calm_since)


def waiting(heard: Iterable[Heard], storm: Storm, bellwethers: Collection[str], now: datetime) -> list[Heard]:
    """The events with those marked that wait; a storm counts from the instant after it was found on."""
    if storm.since is None or storm.since >= now or not bellwethers:
        return list(heard)
    return [replace(each, held=_waits(each, bellwethers)) for each in heard]


def _waits(heard: Heard, bellwethers: Collection[str]) -> bool:
    return heard.kind is EventKind.POWER_LOST and heard.dropped is None and heard.meter not in bellwethers
