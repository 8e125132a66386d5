"""How long the parts of a restoration take: what history says, by class, and how parts add up.

A duration is not a number but :data:`Spread`: equally likely values, in minutes and in rising order. So a sum of parts
has a P80 of its own, which is less than the sum of their P80s.
"""

import math
from collections.abc import Iterable, Sequence
from datetime import timedelta
from enum import StrEnum
from functools import cache, lru_cache, reduce

from msgspec import Struct

Spread = tuple[float, ...]
"""Equally likely minutes, rising."""

POINTS = 40
"""How many values a spread has."""

ENOUGH = 20
"""A class with fewer durations than this is not heard; its parent is (operations guide 3.9)."""


_HOURS = ((6, "night"), (18, "day"), (22, "evening"), (24, "night"))
"""The parts of the day, each with the hour at which it ends."""


class Part(StrEnum):
    """The parts of a restoration, in their order."""

    DISPATCH = "dispatch"
    """From the request for work until a crew has left."""

    TRAVEL = "travel"
    """Until it is on the site."""

    ASSESS = "assess"
    """Until it knows what is broken."""

    REPAIR = "repair"
    """Until that is repaired."""

    RESTORE = "restore"
    """Until the supply is back."""


class Circumstances(Struct, frozen=True, kw_only=True):
    """What the duration of a part depends on.

    Attributes:
        device: the kind of what is out, such as ``Fuse``; empty while nothing is named.
        cause: the cause that was found; empty before that.
        hours: the part of the day, see :func:`hours_of`.
        storm: many outages were open.
    """

    device: str = ""
    cause: str = ""
    hours: str = ""
    storm: bool = False

    def classes(self) -> tuple["Circumstances", ...]:
        """The classes that these circumstances belong to, the narrowest first; the last is every outage."""
        return (
            self,
            Circumstances(device=self.device, cause=self.cause, storm=self.storm),
            Circumstances(device=self.device, storm=self.storm),
            Circumstances(device=self.device),
            Circumstances(),
        )


class Took(Struct, frozen=True, kw_only=True):
    """A part of an outage of the past, and how long it took."""

    part: Part
    circumstances: Circumstances
    minutes: float


FIRST: dict[Part, tuple[float, float]] = {
    Part.DISPATCH: (5, 15),
    Part.TRAVEL: (20, 35),
    Part.ASSESS: (8, 15),
    Part.REPAIR: (50, 90),
    Part.RESTORE: (8, 15),
}
"""Median and P80 in minutes while there is no history [P]; a log-normal spread is drawn through both."""


class History:
    """What parts took in the past, by class."""

    def __init__(self, past: Iterable[Took]) -> None:
        self._minutes: dict[tuple[Part, Circumstances], list[float]] = {}
        for took in past:
            for each in dict.fromkeys(took.circumstances.classes()):
                self._minutes.setdefault((took.part, each), []).append(took.minutes)
        self._spreads: dict[tuple[Part, Circumstances], Spread] = {}

    def spread(self, part: Part, circumstances: Circumstances) -> Spread:
        """How long ``part`` takes, by the narrowest class that was seen often enough, or else as assumed at first."""
        for each in circumstances.classes():
            minutes = self._minutes.get((part, each), [])
            if len(minutes) >= ENOUGH:
                if (part, each) not in self._spreads:
                    self._spreads[part, each] = condensed(minutes)
                return self._spreads[part, each]
        return _log_normal(*FIRST[part])


def hours_of(hour: int) -> str:
    """The part of the day to which a local hour belongs."""
    return next(name for end, name in _HOURS if hour < end)


def condensed(minutes: Sequence[float]) -> Spread:
    """The spread of some durations."""
    ordered = sorted(minutes)
    return tuple(ordered[(2 * place + 1) * len(ordered) // (2 * POINTS)] for place in range(POINTS))


def exactly(minutes: float) -> Spread:
    """A duration that is known."""
    return (minutes,) * POINTS


def added(one: Spread, other: Spread) -> Spread:
    """Two durations one after the other, independent of one another."""
    return condensed([first + second for first in one for second in other])


@lru_cache(4096)
def all_added(spreads: tuple[Spread, ...]) -> Spread:
    """Durations one after the other; those of parts that have not begun come again with each estimate."""
    return reduce(added, spreads)


def left(spread: Spread, elapsed: timedelta) -> Spread:
    """What is left of a duration after some of it has ``elapsed`` and it is not over.

    What has lasted longer than anything known takes half as long again [P].
    """
    gone = elapsed / timedelta(minutes=1)
    rest = [each - gone for each in spread if each > gone]
    return condensed(rest) if rest else exactly(gone / 2)


def quantile(spread: Spread, share: float) -> timedelta:
    """The duration that is not exceeded with the probability ``share``."""
    return timedelta(minutes=spread[min(len(spread) - 1, int(share * len(spread)))])


@cache
def _log_normal(median: float, p80: float) -> Spread:
    sigma = math.log(p80 / median) / _normal(0.8)
    return tuple(median * math.exp(sigma * _normal((place + 0.5) / POINTS)) for place in range(POINTS))


def _normal(share: float) -> float:
    """The quantile of the standard normal distribution, by bisection."""
    low, high = -8.0, 8.0
    for _ in range(60):
        middle = (low + high) / 2
        if (1 + math.erf(middle / math.sqrt(2))) / 2 < share:
            low = middle
        else:
            high = middle
    return low
