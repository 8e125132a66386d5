"""Latencies in buckets whose width grows with them, so that a minute and ten microseconds fit with the same precision.

The buckets are those of HdrHistogram (Gil Tene) with 2,048 to a half of the range, which is three significant digits.
Its package for Python records one value a call, 0.3 million a second; here whole arrays are counted at once, so that
the measuring is not what is measured.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

_BITS = 11
_HALF = 1 << _BITS
_LARGEST = 3_600_000_000
"""An hour in microseconds; what is longer counts as that."""

_BUCKETS = ((_LARGEST.bit_length() - _BITS) + 1) * _HALF

PERCENTILES = (50.0, 75.0, 95.0, 99.0, 99.9, 99.99)


class Histogram:
    """Counts of latencies; two can be added.

    Attributes:
        counts: by bucket.
        largest_us: the longest, in microseconds.
    """

    def __init__(self) -> None:
        self.counts: NDArray[np.int64] = np.zeros(_BUCKETS, np.int64)
        self.largest_us = 0

    @classmethod
    def of(cls, latencies_s: NDArray[np.float64] | Iterable[float]) -> "Histogram":
        """The histogram of latencies in seconds."""
        made = cls()
        made.record(np.asarray(latencies_s, np.float64))
        return made

    def record(self, latencies_s: NDArray[np.float64]) -> None:
        """Count latencies in seconds; one that is negative counts as none."""
        if not len(latencies_s):
            return
        whole = np.clip(np.rint(latencies_s * 1e6), 0, _LARGEST).astype(np.int64)
        self.largest_us = max(self.largest_us, int(whole.max()))
        self.counts += np.bincount(_bucket(whole), minlength=_BUCKETS)

    def add(self, other: "Histogram") -> None:
        """Count what the other one has counted."""
        self.counts += other.counts
        self.largest_us = max(self.largest_us, other.largest_us)

    @property
    def count(self) -> int:
        """How many were counted."""
        return int(self.counts.sum())

    @property
    def largest_s(self) -> float:
        """The longest, in seconds, exactly."""
        return self.largest_us / 1e6

    def percentile_s(self, percent: float) -> float:
        """The latency that ``percent`` of all do not exceed, in seconds; 0 where there is none."""
        if not self.count:
            return 0.0
        wanted = max(1, int(np.ceil(self.count * percent / 100)))
        place = int(np.searchsorted(np.cumsum(self.counts), wanted))
        return min(_highest(place), self.largest_us) / 1e6

    def summary(self) -> dict[str, float]:
        """The percentiles in milliseconds, with the number of latencies and the longest."""
        told = {f"p{percent:g}": round(self.percentile_s(percent) * 1e3, 3) for percent in PERCENTILES}
        return {"count": self.count, **told, "max": round(self.largest_s * 1e3, 3)}

    def curve(self) -> list[tuple[float, float]]:
        """Points of the distribution: the share that is not longer, and the latency in milliseconds."""
        shares = [*np.linspace(0, 90, 19), 95, 97, 98, 99, 99.5, 99.9, 99.95, 99.99, 100]
        return [(float(share), round(self.percentile_s(float(share)) * 1e3, 4)) for share in shares]


def _bucket(whole: NDArray[np.int64]) -> NDArray[np.int64]:
    """The bucket of each whole number: exact up to 4,095, then so many to each doubling."""
    _, exponent = np.frexp(whole.astype(np.float64))
    shift = np.maximum(exponent.astype(np.int64) - (_BITS + 1), 0)
    found: NDArray[np.int64] = shift * _HALF + (whole >> shift)
    return found


def _highest(place: int) -> int:
    """The largest number of a bucket."""
    shift = max(place // _HALF - 1, 0)
    return ((place - shift * _HALF + 1) << shift) - 1
