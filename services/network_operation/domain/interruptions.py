"""Who is dark since when, and how cold the loads are because of it (guide 3.7).

Only a node that has lost all its phases counts as dark: how long one phase of several was away nobody keeps.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from services.network_operation.domain.cold_load import ColdLoad

STEP = timedelta(minutes=1)
"""So often at most the power flow follows loads that become warmer."""

NOTICED = 0.05
"""A change of a factor by less than this is not followed. [P]"""

LONGEST = timedelta(hours=6)


class Interruption(Struct, frozen=True, kw_only=True):
    """Nodes, sorted, that went dark together and got their supply back together, or are dark still."""

    since: datetime
    nodes: tuple[str, ...]
    until: datetime | None = None


class ColdLoads(Struct, frozen=True, kw_only=True):
    """What loads are multiplied by at nodes where that is not 1, and the nodes whose infeeds stay away."""

    factors: dict[str, float] = {}
    without_generation: frozenset[str] = frozenset()


def interrupted(known: Iterable[Interruption], dark: frozenset[str], at: datetime) -> tuple[Interruption, ...]:
    """The interruptions once just these nodes are dark, since ``at`` as far as anything changed.

    Who goes dark again before the load was warm has been dark all the time: that errs to the side of more load.
    """
    found: list[Interruption] = []
    left = set(dark)
    for each in known:
        here = [node for node in each.nodes if node in left]
        gone = [node for node in each.nodes if node not in left]
        left.difference_update(here)
        if here:
            found.append(replace(each, nodes=tuple(here), until=None))
        if gone:
            found.append(replace(each, nodes=tuple(gone), until=each.until or max(at, each.since)))
    if left:
        found.append(Interruption(since=at, nodes=tuple(sorted(left))))
    return tuple(found)


def lasting(known: Iterable[Interruption], at: datetime, cold: ColdLoad) -> tuple[Interruption, ...]:
    """Those that loads still feel, or will."""
    return tuple(
        each for each in known if each.until is None or not cold.is_over(each.until - each.since, at - each.until)
    )


def cold_loads(known: Iterable[Interruption], at: datetime, cold: ColdLoad) -> ColdLoads:
    """How cold the loads are, those of the dark if they got their supply back now."""
    factors: dict[str, float] = {}
    still: set[str] = set()
    for each in known:
        factor = _factor(each, at, cold)
        if factor > 1:
            factors.update(dict.fromkeys(each.nodes, factor))
        if _is_still(each, at, cold):
            still.update(each.nodes)
    return ColdLoads(factors=factors, without_generation=frozenset(still))


def next_change(known: Iterable[Interruption], at: datetime, cold: ColdLoad) -> datetime | None:
    """When the power flow is to be made again because loads have become warmer; None when none will."""
    warming = [each for each in known if each.until is not None]
    now = [(_factor(each, at, cold), _is_still(each, at, cold)) for each in warming]
    for step in range(1, LONGEST // STEP + 1) if warming else ():
        later = at + step * STEP
        for each, (factor, is_still) in zip(warming, now, strict=True):
            moved = factor - _factor(each, later, cold)
            if moved > NOTICED or is_still is not _is_still(each, later, cold):
                return later
    return None


def _factor(each: Interruption, at: datetime, cold: ColdLoad) -> float:
    if each.until is None:
        return cold.first_factor(max(at - each.since, timedelta(0)))
    return cold.factor(each.until - each.since, max(at - each.until, timedelta(0)))


def _is_still(each: Interruption, at: datetime, cold: ColdLoad) -> bool:
    return each.until is None or at - each.until < cold.reconnection
