"""How the values of a day reach the head-end: late, never, twice, cut short, or with the time of a wrong clock.

Like the values, each fate is a function of seed, meter and day. Public figures for how meters fail are few: the
defaults are what contracts promise of reading (98.5 per cent in three days) and proposals of the metering guide.
"""

from collections.abc import Sequence
from datetime import date

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from shared.fleet.chance import Purpose, bits, keys, share
from shared.fleet.metering import ORIGIN, Fleet

_DAY_S = 86_400
_JUMP_S = 3600


class Conditions(Struct, frozen=True, kw_only=True):
    """How well a field works; shares are of meter-days unless said otherwise.

    Attributes:
        first_attempt, next_day, third_day: read at the first attempt, by the end of the next day, of the third day.
        bad_meters: share of meters that are never read.
        doubled: told twice.
        cut: told without the last intervals.
        clock_jumps, clock_resets: the clock is an hour wrong; it has begun again at the year 2000.
        window_s: from when until when after midnight the meters are read at night, in seconds.
    """

    first_attempt: float = 0.97
    next_day: float = 0.993
    third_day: float = 0.997
    bad_meters: float = 0.002
    doubled: float = 0.005
    cut: float = 0.0005
    clock_jumps: float = 1e-5
    clock_resets: float = 1e-6
    window_s: tuple[int, int] = (900, 14_400)


PERFECT = Conditions(
    first_attempt=1, next_day=1, third_day=1, bad_meters=0, doubled=0, cut=0, clock_jumps=0, clock_resets=0
)
"""Everything arrives once, whole and in the first night."""


class Outage(Struct, frozen=True, kw_only=True):
    """A time in which the head-end takes nothing, in seconds after the midnight that ends the day; then it catches up.

    Attributes:
        drain_s: how long it takes to read what it missed.
    """

    start_s: float
    end_s: float
    drain_s: float = 7200.0


class Fates(Struct, frozen=True, kw_only=True):
    """What becomes of a day's values of each meter; all arrays have its length.

    Attributes:
        at_s: when they are told, in seconds after the midnight that ends the day; infinite for never.
        copies: how often they are told, 1 or 2; the second time follows within an hour.
        again_after_s: after what time the second comes.
        kept: how many intervals are told, from the first on.
        clock_s: by what the meter's clock is wrong, in seconds.
    """

    at_s: NDArray[np.float64]
    copies: NDArray[np.int64]
    again_after_s: NDArray[np.float64]
    kept: NDArray[np.int64]
    clock_s: NDArray[np.int64]


def fates(
    fleet: Fleet, meters: NDArray[np.int64], day: date, conditions: Conditions, outages: Sequence[Outage] = ()
) -> Fates:
    """What becomes of the values that ``meters`` measured on the local ``day``."""
    number = (day - ORIGIN).days
    count = len(fleet.starts(day))

    def lot(purpose: Purpose, part: int = 0) -> NDArray[np.float64]:
        return share(bits(keys(fleet.seed, purpose, meters), 8 * number + part))

    read = lot(Purpose.READ)
    first, last = conditions.window_s
    at = first + lot(Purpose.WINDOW) * (last - first)
    at = np.where(read >= conditions.first_attempt, last + lot(Purpose.WINDOW, 1) * (_DAY_S - last), at)
    at += np.where(read >= conditions.next_day, _DAY_S * (1 + lot(Purpose.WINDOW, 2)), 0)
    bad = share(keys(fleet.seed, Purpose.BAD, meters)) < conditions.bad_meters
    at[bad | (read >= conditions.third_day)] = np.inf
    for outage in outages:
        missed = (at >= outage.start_s) & (at < outage.end_s)
        at = np.where(missed, outage.end_s + lot(Purpose.DRAIN) * outage.drain_s, at)
    clock = lot(Purpose.CLOCK)
    reset = clock < conditions.clock_resets
    jumped = ~reset & (clock < conditions.clock_resets + conditions.clock_jumps)
    direction = np.where(lot(Purpose.CLOCK, 1) < 0.5, -_JUMP_S, _JUMP_S)  # noqa: PLR2004 an hour on or back alike
    year_2000 = 946_684_800 - int(fleet.starts(day)[0])
    return Fates(
        at_s=at,
        copies=1 + (lot(Purpose.DOUBLE) < conditions.doubled).astype(np.int64),
        again_after_s=lot(Purpose.DOUBLE, 1) * 3600,
        kept=np.where(lot(Purpose.CUT) < conditions.cut, (lot(Purpose.CUT, 1) * count).astype(np.int64), count),
        clock_s=np.where(reset, year_2000, np.where(jumped, direction, 0)),
    )
