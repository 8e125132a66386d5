"""Arrays with one row for each equipment."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Complex = NDArray[np.complex128]
Whole = NDArray[np.int64]
Truths = NDArray[np.bool_]


def limits(stated: Iterable[tuple[float | None, float | None]]) -> Floats:
    """Amperes for always and in an emergency by row, NaN where nobody says; each stands in for the other."""
    pairs = [(normal or emergency or np.nan, emergency or normal or np.nan) for normal, emergency in stated]
    return np.array(pairs, dtype=float).reshape(len(pairs), 2)


def places(place: dict[str, int], mrids: Iterable[str]) -> Whole:
    """The places of these objects."""
    return np.array([place[mrid] for mrid in mrids], dtype=np.int64)


def whole(numbers: Iterable[int]) -> Whole:
    """Whole numbers as an array."""
    return np.array(list(numbers), dtype=np.int64)


def floats(numbers: Iterable[float]) -> Floats:
    """Numbers as an array."""
    return np.array(list(numbers), dtype=float)
