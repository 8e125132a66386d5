"""Chance that can be asked again: bits that are a function of a key and a counter.

The function is SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): the counter times the golden gamma, added to the key
and mixed. Everything is 64-bit integers that wrap, so the bits are the same on every machine, whole or in parts.
"""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Bits = NDArray[np.uint64]

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)


class Purpose(IntEnum):
    """What bits are for; two purposes never share any."""

    KIND = 1
    DEMAND = 2
    SHIFT = 3
    DAILY = 4
    WEATHER = 5
    FAST = 6
    MIDDLE = 7
    SLOW = 8
    START = 9
    METER_ID = 10
    POINT_ID = 11
    BAD = 12
    READ = 13
    WINDOW = 14
    DOUBLE = 15
    CUT = 16
    CLOCK = 17
    DRAIN = 18


def mixed(values: Bits) -> Bits:
    """The finalizer: each bit of the result depends on each bit of ``values``; they are overwritten."""
    values ^= values >> _S30
    values *= _FIRST
    values ^= values >> _S27
    values *= _SECOND
    values ^= values >> _S31
    return values


def keys(seed: int, purpose: Purpose, of: NDArray[np.int64]) -> Bits:
    """A key for each of ``of``, such as meters by their numbers."""
    start = mixed(np.array([seed % (1 << 64)], np.uint64) + np.array([purpose], np.uint64) * _GAMMA)
    return mixed((of.astype(np.uint64) + np.uint64(1)) * _GAMMA + start)


def bits(key: Bits, counter: NDArray[np.int64] | int) -> Bits:
    """64 bits for each key and counter, which broadcast."""
    steps = np.atleast_1d(np.asarray(counter, np.int64)).astype(np.uint64) + np.uint64(1)
    return mixed(key + steps * _GAMMA)


def share(values: Bits) -> NDArray[np.float64]:
    """Numbers of at least 0 and less than 1, exact to 53 bits; the bits are left as they are."""
    part: NDArray[np.float64] = (values >> _S11).astype(np.float64)
    return part * 2.0**-53


def normal(values: Bits) -> NDArray[np.float64]:
    """Numbers that are nearly normal, mean 0 and deviation 1: the sum of four parts of 16 bits.

    Only sums and products are used, which are the same on every machine; the tails end at 3.5.
    """
    total = np.zeros(values.shape)
    for part in range(4):
        total += ((values >> np.uint64(16 * part)) & np.uint64(0xFFFF)).astype(np.float64)
    scaled: NDArray[np.float64] = (total * 2.0**-16 - 2.0) * 3.0**0.5
    return scaled
