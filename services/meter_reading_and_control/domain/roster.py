"""What a process remembers of where meters are, so that a batch of readings asks the database for none of them."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime

import numpy as np

from contracts.compact_readings import Ids
from services.meter_reading_and_control.domain.columns import EPOCH, MICROSECOND
from services.meter_reading_and_control.domain.names import Array, Index, Names

ALWAYS = np.iinfo(np.int64).max
NOWHERE = -1


class Roster:
    """The meters that are at one usage point and never were at another; of all else nothing is remembered.

    All of it is in arrays: some 70 bytes for a meter and 8 for each of its reading types.

    Attributes:
        seen: the number of the last move of a meter that was taken notice of.
        months: the first days of months whose tables are there.
    """

    def __init__(self) -> None:
        self.seen = 0
        self.months: frozenset[date] = frozenset()
        self._names = Names()
        self._index = Index()
        self._count = 0
        self._meters, self._points = np.empty((1024, 2), np.uint64), np.empty((1024, 2), np.uint64)
        self._times = np.empty((1024, 2), np.int64)
        self._series: dict[str, Array] = {}

    @property
    def is_empty(self) -> bool:
        """True while nothing was ever remembered."""
        return not self._count

    def forget(self, meters: Sequence[str]) -> None:
        """They have moved."""
        places, at = self._found(tuple(meters))
        self._index.clear(at[places != NOWHERE])

    def find(self, meters: Ids) -> Array:
        """Where each meter is remembered; :data:`NOWHERE` where nothing is."""
        return self._found(meters)[0]

    def learn(self, known: Iterable[tuple[str, str, datetime, datetime | None]]) -> None:
        """Remember meters: the usage point, from when and until when."""
        told = [*known]
        meters = self._names.keys(tuple(each[0] for each in told), keep=True)
        points = self._names.keys(tuple(each[1] for each in told), keep=True)
        chosen = self._index.put(meters, self._count)
        last = self._count + len(chosen)
        while last > len(self._meters):
            self._meters, self._points, self._times = (
                np.concatenate([each, np.empty_like(each)]) for each in (self._meters, self._points, self._times)
            )
        mine = slice(self._count, last)
        self._meters[mine], self._points[mine] = meters[chosen], points[chosen]
        times = [(_us(starts), ALWAYS if ends is None else _us(ends)) for _, _, starts, ends in told]
        self._times[mine] = np.array(times, np.int64).reshape(-1, 2)[chosen]
        self._count = last

    def fitting(self, places: Array, points: Ids | None, begins_us: int, ends_us: int) -> Array:
        """Which of the places where meters are remembered say that they are at those usage points all that time."""
        fits: Array = places != NOWHERE
        fits &= (self._times[places, 0] <= begins_us) & (ends_us <= self._times[places, 1])
        if points is not None:
            fits &= (self._points[places] == self._names.keys(points)).all(axis=1)
        return fits

    def points(self, places: Array) -> Ids:
        """The usage points of places."""
        return self._names.ids(self._points[places])

    def series(self, code: str, places: Array) -> Array:
        """The numbers of the series of one reading type at ``places``; 0 where it is not remembered."""
        known = self._series.get(code)
        if known is None or len(known) < self._count:
            more = np.zeros(len(self._meters), np.int64)
            if known is not None:
                more[: len(known)] = known
            self._series[code] = known = more
        return known[places]

    def learn_series(self, code: str, places: Sequence[int], series: Sequence[int]) -> None:
        """Remember the numbers of series."""
        self._series[code][list(places)] = series

    def _found(self, meters: Ids) -> tuple[Array, Array]:
        """The places of meters, :data:`NOWHERE` for what is not remembered; and where they stand in the index."""
        keys = self._names.keys(meters)
        places, at = self._index.find(keys)
        places[(self._meters[places] != keys).any(axis=1)] = NOWHERE
        return places, at


def _us(at: datetime) -> int:
    return (at - EPOCH) // MICROSECOND
