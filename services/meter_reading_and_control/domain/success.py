"""How many of the reads of a market day came in time, and why the others did not (metering guide 6, read success).

RSR is the share of the reads that were due which are there, BSR the share of the meters of which the whole day is there
from midnight to midnight. A read is a value that was told; an estimate is none.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from functools import lru_cache

import numpy as np
from msgspec import Struct, json

from contracts.codes.reading_quality import ReadingQualityCode
from services.meter_reading_and_control.domain.columns import Array
from services.meter_reading_and_control.domain.installation import Installed
from services.meter_reading_and_control.domain.readings import NOTHING_KNOWN, Origin

NEVER = 2**40
"""When a read came that never did; otherwise that is in seconds since 1970."""

CUT_OFF_DAYS = (1, 3, 10)
"""So many days after a market day it is looked at, at six o'clock."""

_SIX = time(6)
_ESTIMATED = 8


class Cause(StrEnum):
    """Why a day is not whole; of several the one that comes later here."""

    COMMS = "comms"
    """Nothing else is known."""
    METER = "meter"
    """Its meter told of a fault of its own, or was reached since and had no more."""
    CONFIG = "config"
    """Its meter never told an interval, or told some that could not be taken."""
    OUTAGE_EXCUSED = "outageExcused"
    """There was no power in all that is missing."""
    EXCHANGE = "exchange"
    """A meter was put, exchanged or removed on that day."""


CAUSES = tuple(Cause)


class Due(Struct, frozen=True, kw_only=True):
    """A usage point of which reads are due on a day.

    Attributes:
        group: to what it is counted, such as its head-end.
        installed: its meters on that day, the last one last.
    """

    usage_point: str
    group: str
    installed: tuple[Installed, ...]

    @property
    def meter(self) -> str:
        """Its meter at the end of the day."""
        return self.installed[-1].meter

    def stays(self, first: datetime, after: datetime) -> bool:
        """True when one meter was there in all of that time."""
        return any(each.lasts(first, after) for each in self.installed)

    def there(self, slots: Sequence[datetime], length: timedelta, meter: str | None = None) -> Array:
        """In which intervals a meter was there, or that one."""
        own = [each for each in self.installed if meter is None or each.meter == meter]
        return np.array([any(each.touches(slot, slot + length) for each in own) for slot in slots], bool)


class Reads(Struct, frozen=True, eq=False, kw_only=True):
    """Reads of one length that are due on a day: rows of intervals.

    Attributes:
        points: of which usage point each row is, by its place.
        due: whether a read is due.
        came: when it came, or :data:`NEVER`.
        off: whether there was no power.
    """

    points: Array
    due: Array
    came: Array
    off: Array


class Counts(Struct, frozen=True, kw_only=True):
    """What came by a cut-off.

    Attributes:
        cut_off: by when.
        reads, stored: how many reads were due, and how many are there.
        meters, complete: how many usage points were due, and how many are whole.
        causes: of how many that are not whole each is the cause.
    """

    cut_off: datetime
    reads: int
    stored: int
    meters: int
    complete: int
    causes: tuple[int, ...]

    def plus(self, other: "Counts") -> "Counts":
        """Both together."""
        return Counts(
            cut_off=self.cut_off,
            reads=self.reads + other.reads,
            stored=self.stored + other.stored,
            meters=self.meters + other.meters,
            complete=self.complete + other.complete,
            causes=tuple(mine + its for mine, its in zip(self.causes, other.causes, strict=True)),
        )


def cut_offs(day: date, days: Iterable[int], now: datetime, zone: tzinfo) -> list[datetime]:
    """When a market day is looked at, as far as that has been."""
    found = (datetime.combine(day + timedelta(days=each), _SIX, zone) for each in days)
    return [each for each in found if each <= now]


@lru_cache(maxsize=4096)
def reads_among(origins: str) -> Array:
    """For each of the origins, as JSON, whether a value of it was read: told, and neither missing nor an estimate.

    An estimate that stands in the place of a value that is not believed does not take away that it was read.
    """
    return np.array([_is_read(each) for each in json.decode(origins, type=tuple[Origin, ...])], bool)


def _is_read(origin: Origin) -> bool:
    if origin.instead_of is not None:
        return True
    categories = {ReadingQualityCode.parse(each.code).category for each in origin.qualities}
    return origin.rank != NOTHING_KNOWN and _ESTIMATED not in categories


def interrupted(off: Iterable[tuple[datetime, datetime | None]], slots: Sequence[datetime], length: timedelta) -> Array:
    """In which intervals there was no power at some time."""
    spells = list(off)
    return np.array(
        [any(lost < slot + length and (back is None or back > slot) for lost, back in spells) for slot in slots], bool
    )


def late(reads: Iterable[Reads], due: int, cut_off: datetime) -> Array:
    """The places of the usage points of which something had not come by then."""
    found = np.zeros(due, bool)
    for each in reads:
        found[each.points[((each.came > cut_off.timestamp()) & each.due).any(axis=1)]] = True
    return np.flatnonzero(found)


def counted(
    reads: Sequence[Reads], groups: Array, causes: Array, untold: Array, at: Sequence[datetime]
) -> dict[int, list[Counts]]:
    """What came by each cut-off, by group.

    Args:
        reads: what is due, by its length.
        groups: of each usage point that is due the number of its group.
        causes: of each the place of its cause among :data:`CAUSES` if it is not whole, but for an outage.
        untold: whether it never told an interval, so that it cannot be whole.
        at: the cut-offs.
    """
    size = int(groups.max(initial=-1)) + 1
    found: dict[int, list[Counts]] = {group: [] for group in range(size)}
    for cut_off in at:
        total, there = np.zeros(size), np.zeros(size)
        whole, dark = ~untold, ~untold
        for each in reads:
            missing = each.due & (each.came > cut_off.timestamp())
            due = each.due.sum(axis=1)
            total += np.bincount(groups[each.points], due, size)
            there += np.bincount(groups[each.points], due - missing.sum(axis=1), size)
            whole[each.points[missing.any(axis=1)]] = False
            dark[each.points[(missing & ~each.off).any(axis=1)]] = False
        excused = CAUSES.index(Cause.OUTAGE_EXCUSED)
        why = np.where(dark & (causes < excused), excused, causes)
        table = np.bincount(groups[~whole] * len(CAUSES) + why[~whole], minlength=size * len(CAUSES))
        meters, complete = (np.bincount(some, minlength=size).tolist() for some in (groups, groups[whole]))
        for group in range(size):
            counts = Counts(
                cut_off=cut_off,
                reads=int(total[group]),
                stored=int(there[group]),
                meters=meters[group],
                complete=complete[group],
                causes=tuple(table.reshape(size, len(CAUSES))[group].tolist()),
            )
            found[group].append(counts)
    return found
