"""What a process remembers of where meters are, so that a batch of readings asks the database for none of them."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

import numpy as np

from services.meter_reading_and_control.domain.columns import EPOCH, MICROSECOND

Array = np.ndarray[Any, np.dtype[Any]]

ALWAYS = np.iinfo(np.int64).max
NOWHERE = -1


class Roster:
    """The meters that are at one usage point and never were at another; of all else nothing is remembered.

    Attributes:
        seen: the number of the last move of a meter that was taken notice of.
        months: the first days of months whose tables are there.
    """

    def __init__(self) -> None:
        self.seen = 0
        self.months: frozenset[date] = frozenset()
        self._place: dict[str, int] = {}
        self._points: list[str] = []
        self._times = np.empty((2, 1024), np.int64)
        self._series: dict[str, Array] = {}

    def forget(self, meters: Iterable[str]) -> None:
        """They have moved."""
        for meter in meters:
            self._place.pop(meter, None)

    def unknown(self, meters: Iterable[str]) -> list[str]:
        """Those of ``meters`` of which nothing is remembered."""
        return [meter for meter in dict.fromkeys(meters) if meter not in self._place]

    def learn(self, known: Iterable[tuple[str, str, datetime, datetime | None]]) -> None:
        """Remember meters: the usage point, from when and until when."""
        for meter, point, starts, ends in known:
            place = len(self._points)
            if place == self._times.shape[1]:
                self._times = np.concatenate([self._times, np.empty_like(self._times)], axis=1)
            self._place[meter] = place
            self._points.append(point)
            self._times[:, place] = (_us(starts), ALWAYS if ends is None else _us(ends))

    def places(self, meters: Sequence[str], points: Sequence[str] | None, begins_us: int, ends_us: int) -> Array:
        """Where each meter is remembered, if it is at that usage point all that time; else :data:`NOWHERE`."""
        get = self._place.get
        places = np.array([get(meter, NOWHERE) for meter in meters], np.int64)
        fits = places >= 0
        fits[fits] = (self._times[0, places[fits]] <= begins_us) & (ends_us <= self._times[1, places[fits]])
        if points is not None:
            known = self._points
            same = [place < 0 or known[place] == point for place, point in zip(places.tolist(), points, strict=True)]
            fits &= np.array(same, bool)
        return np.where(fits, places, NOWHERE)

    def points(self, places: Array) -> list[str]:
        """The usage points of places."""
        return list(map(self._points.__getitem__, places.tolist()))

    def series(self, code: str, places: Array) -> Array:
        """The numbers of the series of one reading type at ``places``; 0 where it is not remembered."""
        known = self._series.get(code)
        if known is None or len(known) < len(self._points):
            more = np.zeros(self._times.shape[1], np.int64)
            if known is not None:
                more[: len(known)] = known
            self._series[code] = known = more
        return known[places]

    def learn_series(self, code: str, places: Sequence[int], series: Sequence[int]) -> None:
        """Remember the numbers of series."""
        self._series[code][list(places)] = series


def _us(at: datetime) -> int:
    return (at - EPOCH) // MICROSECOND
