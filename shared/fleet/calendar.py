"""The days of a zone as seconds of UTC: a day has as many intervals as it is long (92, 96 or 100 quarter hours)."""

from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray


@lru_cache(maxsize=4096)
def midnight(day: date, zone: tzinfo) -> int:
    """When the local ``day`` begins, in seconds since 1970 UTC."""
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())


def length(day: date, zone: tzinfo) -> int:
    """How long the local ``day`` is, in seconds."""
    return midnight(day + timedelta(days=1), zone) - midnight(day, zone)


def starts(day: date, zone: tzinfo, interval_s: int) -> NDArray[np.int64]:
    """When the intervals of the local ``day`` begin, in seconds since 1970 UTC, in the order of time."""
    return np.arange(midnight(day, zone), midnight(day + timedelta(days=1), zone), interval_s, dtype=np.int64)


@lru_cache(maxsize=256)
def quarters(day: date, zone: tzinfo, interval_s: int) -> NDArray[np.int64]:
    """The quarter hour of the clock in which each interval of the local ``day`` begins, 0 to 95."""
    clock = (datetime.fromtimestamp(at, UTC).astimezone(zone) for at in starts(day, zone, interval_s).tolist())
    return np.array([(each.hour * 60 + each.minute) // 15 for each in clock], np.int64)
