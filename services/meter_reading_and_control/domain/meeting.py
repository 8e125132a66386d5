"""What is told again: values of waves held against what is known of the same interval, as arrays."""

from enum import IntEnum
from functools import lru_cache

import numpy as np
from msgspec import json

from services.meter_reading_and_control.domain.columns import BUNCH, MOST, Array, Chunk, marks_of
from services.meter_reading_and_control.domain.folding import NOTHING, Layer
from services.meter_reading_and_control.domain.readings import Origin


class Met(IntEnum):
    """What a value meets: nothing, itself, or something else that is known of its interval."""

    NOTHING = 0
    ITSELF = 1
    OTHER = 2


class Meeting:
    """The values of a chunk while they are held against what is known of their interval.

    Attributes:
        found: what each value of the chunk meets (:class:`Met`).
    """

    def __init__(self, chunk: Chunk) -> None:
        self.found: Array = np.full(len(chunk.members), Met.NOTHING, np.int8)
        self._scale, self._numbers = chunk.scale, chunk.numbers.astype(np.int64)
        self._marks: Array = np.array(marks_of(chunk.runs, len(chunk.members)), np.int64)
        self._origins = json.decode(chunk.origins, type=tuple[Origin, ...])
        self._at: Array = np.full(BUNCH, -1)
        self._at[np.frombuffer(chunk.members, np.uint8)] = np.arange(len(chunk.members))

    def see(self, members: Array, known: Layer) -> None:
        """Hold the values against a layer; what it says of each of ``members`` is known of the same interval.

        A value that met itself once was told before, whatever else is known.
        """
        at = self._at[members]
        met = (at >= 0) & (known.numbers != NOTHING)
        at = at[met]
        scale = min(self._scale, known.scale)
        here, fits_here = _at_scale(self._numbers[at], self._scale - scale)
        there, fits_there = _at_scale(known.numbers[met], known.scale - scale)
        alike = np.array([[mine == _origin(each) for each in known.origins] for mine in self._origins])
        same = fits_here & fits_there & (here == there) & alike[self._marks[at], known.marks[met]]
        self.found[at] = np.where(same | (self.found[at] == Met.ITSELF), Met.ITSELF, Met.OTHER)


def _at_scale(numbers: Array, digits: int) -> tuple[Array, Array]:
    """The numbers with so many digits more, and which of them have not too many."""
    fits = np.abs(numbers) < MOST // 10**digits if digits < 18 else numbers == 0  # noqa: PLR2004  digits of MOST
    return np.where(fits, numbers, 0) * 10 ** min(digits, 18), fits


@lru_cache(1024)
def _origin(text: str) -> Origin:
    return json.decode(text, type=Origin)
