"""In which order damages of a radial network are repaired: the one rule that is always there.

A damage keeps everybody downstream of it without power, so a repair restores nobody until all upstream of it are done.
The order is that of Tan et al., "Scheduling Post-Disaster Repairs in Electricity Distribution Networks" (arXiv
1702.08382): each damage is rated with those downstream that it pays to repair right after it; the optimum for one crew,
and within 2 - 1/m of it for m crews.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from msgspec import Struct

CRITICAL_WEIGHT = 500.0
"""So many customers a critical one counts for besides itself; policy."""


class Damage(Struct, frozen=True, kw_only=True):
    """Something to be repaired.

    Attributes:
        above: the nearest damage upstream that is not repaired either.
        weight: of the customers who are first without power here, critical ones with their weight.
        hours: of a crew, with the way.
    """

    mrid: str
    above: str | None = None
    weight: float
    hours: float


def rho(damages: Iterable[Damage]) -> dict[str, float]:
    """For each damage the best customers per crew-hour that it opens the way to.

    A damage absorbs the block downstream of it with the best rate while that rate is better than its own.
    """
    known = {each.mrid: each for each in damages}
    below = _below(known)
    rates: dict[str, float] = {}
    blocks: dict[str, tuple[float, float, list[str]]] = {}
    for mrid in _leaves_first(known, below):
        weight, hours = known[mrid].weight, known[mrid].hours
        open_blocks = [each for each in below[mrid] if each in blocks]
        while open_blocks:
            best = max(open_blocks, key=lambda each: (_rate(*blocks[each][:2]), each))
            if _rate(*blocks[best][:2]) <= _rate(weight, hours):
                break
            weight, hours = weight + blocks[best][0], hours + blocks[best][1]
            open_blocks.remove(best)
            open_blocks += blocks[best][2]
        rates[mrid] = _rate(weight, hours)
        blocks[mrid] = (weight, hours, open_blocks)
    return rates


def order_of_repair(damages: Iterable[Damage]) -> list[str]:
    """The damages as they are given out: of those with nothing left upstream the one with the best rate comes next."""
    known = {each.mrid: each for each in damages}
    rates = rho(known.values())
    left = dict(known)
    sequence: list[str] = []
    while left:
        ready = [mrid for mrid, each in left.items() if each.above not in left] or list(left)
        chosen = max(sorted(ready), key=rates.__getitem__)
        del left[chosen]
        sequence.append(chosen)
    return sequence


def nearest_above(devices: Mapping[str, str], chains: Mapping[str, list[str]]) -> dict[str, str | None]:
    """For each damage the nearest other damage upstream of it.

    Args:
        devices: the device at which each damage is.
        chains: for each device what lies upstream of it, the nearest first.
    """
    at: dict[str, str] = {}
    for mrid, device in sorted(devices.items()):
        at.setdefault(device, mrid)
    return {
        mrid: next((at[each] for each in chains.get(device, []) if each in at and at[each] != mrid), None)
        for mrid, device in devices.items()
    }


def _rate(weight: float, hours: float) -> float:
    return weight / hours if hours > 0 else float("inf")


def _below(known: Mapping[str, Damage]) -> dict[str, list[str]]:
    below: dict[str, list[str]] = defaultdict(list)
    for mrid, each in sorted(known.items()):
        if each.above in known:
            below[each.above or ""].append(mrid)
    return below


def _leaves_first(known: Mapping[str, Damage], below: Mapping[str, list[str]]) -> list[str]:
    """Each damage after everything downstream of it; what leads in a circle is left at its end."""
    roots = [mrid for mrid, each in sorted(known.items()) if each.above not in known]
    found: list[str] = []
    seen: set[str] = set()
    for start in (*roots, *sorted(known)):
        stack = [start]
        while stack:
            mrid = stack.pop()
            if mrid not in seen:
                seen.add(mrid)
                found.append(mrid)
                stack += below.get(mrid, [])
    return found[::-1]
