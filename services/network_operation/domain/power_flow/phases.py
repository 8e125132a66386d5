"""Phases as bits and as places in an array."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

LETTERS = "ABC"
PAIRS = (1, 2, 0)
"""The second phase of what lies between phases, by its first: AB, BC, CA."""

ALL = 7

TURN = np.exp(-2j * np.pi / 3 * np.arange(3))
"""The directions of the three phases when all is symmetrical."""

_BITS = np.array([[bool(mask & 1 << phase) for phase in range(3)] for mask in range(ALL + 1)])


@cache
def mask_of(code: str | None) -> int:
    """The bits of the phases in a code; the neutral and the legs are none."""
    return sum(1 << phase for phase, letter in enumerate(LETTERS) if code is not None and letter in code)


def bits(masks: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Masks as truth values of A, B, C in a last axis of three."""
    found: NDArray[np.bool_] = _BITS[masks]
    return found
