"""Cold-load pick-up: how much more a section takes after a long interruption than before it (guide 3.7).

Thermostats that were off all come on together, and their diversity comes back only slowly. Infeeds stay away at first,
since inverters watch the voltage for some minutes before they connect again.
"""

from bisect import bisect_right
from datetime import timedelta
from itertools import pairwise
from math import exp

from msgspec import Struct


class ColdLoad(Struct, frozen=True, kw_only=True):
    """How a section behaves after an interruption; all figures are settings [P].

    Attributes:
        factors: minutes of interruption and the factor of the load right after it, in growing order; between them it
            grows evenly, beyond the last it stays.
        plateau: how long the factor stays what it is right after.
        decay: the time constant with which it then goes back to 1.
        reconnection: how long infeeds stay away.
    """

    factors: tuple[tuple[float, float], ...] = ((15.0, 1.0), (30.0, 1.5), (60.0, 2.0), (240.0, 3.0))
    plateau: timedelta = timedelta(minutes=30)
    decay: timedelta = timedelta(minutes=45)
    reconnection: timedelta = timedelta(minutes=5)

    def first_factor(self, interruption: timedelta) -> float:
        """What the load is multiplied by right after an interruption of this length."""
        minutes = interruption / timedelta(minutes=1)
        place = bisect_right(self.factors, minutes, key=lambda each: each[0])
        if place in {0, len(self.factors)}:
            return self.factors[max(place - 1, 0)][1]
        (before, low), (after, high) = list(pairwise(self.factors))[place - 1]
        return low + (high - low) * (minutes - before) / (after - before)

    def factor(self, interruption: timedelta, since: timedelta) -> float:
        """What the load is multiplied by so long after the end of an interruption of this length."""
        excess = self.first_factor(interruption) - 1
        beyond = max(since - self.plateau, timedelta(0))
        return 1 + excess * exp(-(beyond / self.decay))

    def is_over(self, interruption: timedelta, since: timedelta, least: float = 0.01) -> bool:
        """True when the load is within ``least`` of what it was, and infeeds are back."""
        return since >= self.reconnection and self.factor(interruption, since) < 1 + least
