"""When messages are due: decided before the run, whatever the system under test does meanwhile (an open model)."""

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from shared.fleet.chance import Purpose, bits, keys, share


class Arrivals(StrEnum):
    """How messages are spread over their time."""

    CONSTANT = "constant"
    POISSON = "poisson"
    BURST = "burst"
    """Most at the beginning: half of them in the first fifth, as last gasps come."""


def due(arrivals: Arrivals, count: int, over_s: float, seed: int) -> NDArray[np.float64]:
    """When each of ``count`` messages is due, in seconds from the start of the load, in the order of time."""
    if arrivals is Arrivals.CONSTANT:
        return np.arange(count, dtype=np.float64) * (over_s / max(count, 1))
    lot = share(bits(keys(seed, Purpose.WINDOW, np.array([count])), np.arange(count)))
    if arrivals is Arrivals.POISSON:
        # given their number, the arrivals of a Poisson process lie evenly at random
        return np.sort(lot) * over_s
    half = np.arange(count) < count // 2
    return np.sort(np.where(half, lot * over_s / 5, lot * over_s))
