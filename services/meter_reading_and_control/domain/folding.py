"""Waves into blocks: the values of one bunch of series on one market day, as arrays."""

from datetime import datetime, timedelta

import numpy as np
from msgspec import Struct

from services.meter_reading_and_control.domain.columns import BUNCH, EPOCH, MOST, Array

NOTHING = np.iinfo(np.int64).min

LAG_S = 2
"""The unit of the time between the first value of a folded block that was recorded and another, in seconds."""

_MOST_LAG = 2**16 - 1


def on_grid(at: datetime) -> datetime:
    """The time at which a value of a wave counts as recorded: the next one at which a whole lag has passed since 1970.

    So what is known as of a time is the same before and after the wave is folded.
    """
    return EPOCH + timedelta(seconds=-(-(at - EPOCH) // timedelta(seconds=LAG_S)) * LAG_S)


class Layer(Struct, frozen=True, eq=False, kw_only=True):
    """Values as they were stored.

    Attributes:
        numbers: eight bytes each; :data:`NOTHING` where there is no value.
        marks: which of the origins each has.
        origins: each as JSON.
    """

    scale: int
    numbers: Array
    marks: Array
    origins: tuple[str, ...]


class Folding:
    """The blocks of a bunch while values are put into them.

    Attributes:
        scale: of all numbers.
        numbers, marks: arrays of series by intervals; :data:`NOTHING` where there is no value.
        seconds: when each was recorded, since 1970, rounded up.
        origins: each as JSON, with its mark.
    """

    def __init__(self, count: int) -> None:
        self.scale = 0
        self.numbers: Array = np.full((BUNCH, count), NOTHING, np.int64)
        self.marks: Array = np.zeros((BUNCH, count), np.int64)
        self.seconds: Array = np.zeros((BUNCH, count), np.int64)
        self.origins: dict[str, int] = {}

    def lay(self, member: int, layer: Layer, recorded_at: datetime, lags: bytes) -> None:
        """Put in what was folded before."""
        numbers, marks, _ = self._fitted(layer)
        self.numbers[member], self.marks[member] = numbers, marks
        self.seconds[member] = _second(recorded_at) + LAG_S * np.frombuffer(lags, ">u2").astype(np.int64)

    def put(self, place: int, members: Array, layer: Layer, recorded_at: datetime) -> Array:
        """Put in values of one interval, later than all before; True for each that meets another, and is not put in.

        So is one that was recorded too late, or has too many digits, to be put in.
        """
        numbers, marks, fits = self._fitted(layer)
        there = self.numbers[members, place]
        same = (there == numbers) & (self.marks[members, place] == marks)
        second = _second(recorded_at)
        first = np.where(self.numbers[members] == NOTHING, second, self.seconds[members]).min(axis=1)
        fresh = (there == NOTHING) & fits & (second - first <= LAG_S * _MOST_LAG)
        at = members[fresh]
        self.numbers[at, place], self.marks[at, place], self.seconds[at, place] = numbers[fresh], marks[fresh], second
        left: Array = ~(fresh | same)
        return left

    def lags(self, member: int) -> tuple[int, Array]:
        """When the first value of a series was recorded, and how much later each was, in its unit."""
        known = self.numbers[member] != NOTHING
        first = int(self.seconds[member][known].min())
        lags: Array = np.where(known, -(-(self.seconds[member] - first) // LAG_S), 0)
        return first, lags

    def _fitted(self, layer: Layer) -> tuple[Array, Array, Array]:
        """Numbers in the scale of all and marks of all, and which of the numbers have not too many digits."""
        if layer.scale < self.scale:
            known = self.numbers != NOTHING
            self.numbers[known] *= 10 ** (self.scale - layer.scale)
            self.scale = layer.scale
        factor = 10 ** (layer.scale - self.scale)
        fits = (np.abs(layer.numbers) < MOST // factor) | (layer.numbers == NOTHING)
        numbers = np.where(layer.numbers == NOTHING, NOTHING, np.where(fits, layer.numbers, 0) * factor)
        told = np.array([self.origins.setdefault(each, len(self.origins)) for each in layer.origins])
        return numbers, told[layer.marks], fits


def _second(at: datetime) -> int:
    return int(-(-(at - EPOCH).total_seconds() // 1))
