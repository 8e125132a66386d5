"""Where the fault is: what the flags of fault indicators say of each zone below the device that tripped.

Each zone gets the probability of all flags, were the fault in it: an indicator on the way to it shows the fault unless
it misses it, one elsewhere does not unless it is wrong (operations guide 3.6).
"""

import math
from collections.abc import Collection, Mapping
from enum import StrEnum

from msgspec import Struct

from services.fault_management.domain.grid import Grid

MISSED = 0.05
"""The probability that an indicator does not show a fault whose current passed it."""

FALSE = 0.02
"""The probability that it shows one whose current did not."""

UNSELECTIVE = 0.02
"""The probability that a device lets another one above it trip for a fault below itself."""

SHOWN = 20.0
"""A zone that is less likely than the best one by more than this factor is no candidate."""

FEARED = 49.0
"""Onto a zone that is less likely by no more than this nothing is closed: one wrong flag makes a factor of 47.5."""


class Located(StrEnum):
    """What may be made of the flags."""

    CLEAR = "clear"
    """They agree, and leave less than everything."""

    CONTRADICTORY = "contradictory"
    """At least one of them must be wrong: an operator decides."""

    UNKNOWN = "unknown"
    """They tell nothing apart, so somebody must go and look."""


class Candidate(Struct, frozen=True, kw_only=True):
    """A zone in which the fault may be; ``score`` is its probability among all zones."""

    zone: str
    score: float


class Location(Struct, frozen=True, kw_only=True):
    """Where the fault may be.

    Attributes:
        below: the zones that the tripped device feeds, each with the gate towards it; the first hangs on the device.
        candidates: the likely ones, the likeliest first.
        feared: those onto which nothing may be closed; the candidates and more.
    """

    found: Located
    below: Mapping[str, str]
    candidates: tuple[Candidate, ...]
    feared: frozenset[str]


def downstream(grid: Grid, tripped: str) -> dict[str, str] | None:
    """The zones that ``tripped`` feeds, each with the gate towards it; None where they have supply from elsewhere too.

    The tripped device is open, all others stand as they did when it tripped.
    """
    gate = grid.gates.get(tripped)
    if gate is None:
        return None
    closed = grid.closed - {tripped}
    sides = [grid.reach([zone], closed) for zone in (gate.one, gate.other)]
    dark = [side for side in sides if not any(grid.zones[zone].live for zone in side)]
    if len(dark) != 1 or gate.one in sides[1]:
        return None
    return dark[0]


def locate(grid: Grid, tripped: str, flags: Collection[str]) -> Location | None:
    """Where the fault is after ``tripped`` locked out, with ``flags`` the indicators that show a fault.

    None where that cannot be asked: the device is not known, or what it fed is not simply dark.
    """
    below = downstream(grid, tripped)
    if below is None:
        return None
    ways = _ways(grid, below)
    indicators = sorted({gate.mrid for zone in below for gate in grid.at(zone) if not gate.switch})
    chance: dict[str, float] = {}
    wrong: dict[str, int] = {}
    for zone in (zone for zone in below if grid.zones[zone].breakable):
        on_the_way = ways[zone]
        wrong[zone] = sum((mrid in on_the_way) != (mrid in flags) for mrid in indicators)
        guards = sum(grid.gates[mrid].protective for mrid in on_the_way)
        chance[zone] = guards * math.log(UNSELECTIVE) + sum(
            math.log(_chance(shown=mrid in flags, passed=mrid in on_the_way)) for mrid in indicators
        )
    if not chance:
        return None
    best = max(chance.values())
    total = sum(math.exp(each - best) for each in chance.values())
    likely = [zone for zone, each in chance.items() if each >= best - math.log(SHOWN)]
    scored = (Candidate(zone=zone, score=math.exp(chance[zone] - best) / total) for zone in likely)
    open_to_all = {zone for zone in chance if not any(grid.gates[mrid].protective for mrid in ways[zone])}
    found = Located.CLEAR if min(wrong[zone] for zone in likely) == 0 else Located.CONTRADICTORY
    return Location(
        found=Located.UNKNOWN if open_to_all <= set(likely) and found is Located.CLEAR else found,
        below=below,
        candidates=tuple(sorted(scored, key=lambda each: (-each.score, each.zone))),
        feared=frozenset(zone for zone, each in chance.items() if each >= best - math.log(FEARED)),
    )


def _ways(grid: Grid, below: Mapping[str, str]) -> dict[str, frozenset[str]]:
    """The gates between the tripped device and each zone below it."""
    ways: dict[str, frozenset[str]] = {}
    for zone, mrid in below.items():
        ways[zone] = ways[grid.gates[mrid].across(zone)] | {mrid} if mrid else frozenset()
    return ways


def _chance(*, shown: bool, passed: bool) -> float:
    """The probability of one flag."""
    if passed:
        return 1 - MISSED if shown else MISSED
    return FALSE if shown else 1 - FALSE
