"""What a meter has counted: a function of seed, meter and time, so any value can be made alone and in any order.

One whole number of Wh since 2020 stands behind everything: a register shows it, an interval is the difference of two of
them. So registers and intervals agree to the Wh, and a meter in the dark counts nothing. A household uses some 3,500
kWh a year, more in the evening (metering guide 14); how much each uses, each day and each quarter, is chance.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from services.emergency_simulation.domain.chance import Stream
from services.emergency_simulation.domain.meters import Spell

EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
"""When all registers stood at 0."""

DAILY_WH = (9_589.0, 0.5)
"""The median of what a household uses in a day, and the standard deviation of its logarithm."""

_QUARTER = timedelta(minutes=15)
_DAY = timedelta(days=1)
_SLOTS = _DAY // _QUARTER
_BY_HOUR = (30, 26, 24, 23, 23, 26, 36, 48, 50, 46, 44, 46, 52, 48, 43, 42, 46, 58, 72, 78, 72, 62, 50, 38)
"""How the use of a day is spread over its hours, in UTC: low at night, high in the evening [P]."""

_FINE = 1000
_WEIGHTS = tuple(_BY_HOUR[slot // 4] * _FINE for slot in range(_SLOTS))
_BEFORE = tuple(sum(_WEIGHTS[:slot]) for slot in range(_SLOTS + 1))


def counted(stream: Stream, meter: str, at: datetime, dark: Iterable[Spell] = ()) -> int:
    """The Wh that ``meter`` has counted until ``at``, less what it would have in its times in the ``dark``."""
    total = _counted(stream, meter, at)
    for spell in dark:
        ends = min(spell.ended or at, at)
        if spell.began < ends:
            total -= _counted(stream, meter, ends) - _counted(stream, meter, spell.began)
    return total


def _counted(stream: Stream, meter: str, at: datetime) -> int:
    day, within = divmod(at - EPOCH, _DAY)
    first, after = _at_midnight(stream, meter, day), _at_midnight(stream, meter, day + 1)
    slot, rest = divmod(within, _QUARTER)
    since, until = (_share(stream, meter, day, each) for each in (slot, slot + 1))
    share = since + (until - since) * int(rest.total_seconds()) // int(_QUARTER.total_seconds())
    return first + (after - first) * share // _BEFORE[-1]


@lru_cache(maxsize=4096)
def _at_midnight(stream: Stream, meter: str, day: int) -> int:
    """What the register shows at the beginning of a day: as many days, and a chance that is less than one of them."""
    usual = max(1, int(stream.lognormal(*DAILY_WH, "usual", meter)))
    return usual * day + int(0.3 * usual * stream.fraction("day", meter, str(day)))


def _share(stream: Stream, meter: str, day: int, slot: int) -> int:
    """How much of a day's use lies before a quarter of an hour; it grows, by chance more or less."""
    if slot in {0, _SLOTS}:
        return _BEFORE[slot]
    return _BEFORE[slot] + int(0.5 * _WEIGHTS[slot] * stream.fraction("slot", meter, str(day), str(slot)))
