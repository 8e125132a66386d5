"""Isolation and restoration by switching: what to open around a fault, and whom to supply from where meanwhile.

First the nearest switches that can be operated from afar are opened around all that may be the fault's place. Then the
part above is supplied by the device that tripped, and the islands below by ties, whole or cut in pieces. Each end state
is an :class:`Option`; which of them the network bears is for network operation to say (operations guide 3.6).
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain, combinations, islice

from msgspec import Struct

from contracts.nouns.switching_plans import SwitchActionKind
from services.fault_management.domain.fault_location import Location
from services.fault_management.domain.grid import Gate, Grid

BUDGET = 4096
"""How many sets of operations are looked at, those with few operations first: all that 12 switches have."""

OPEN, CLOSE = SwitchActionKind.OPEN, SwitchActionKind.CLOSE


class Move(Struct, frozen=True, kw_only=True, order=True):
    """One operation of a switch."""

    switch: str
    kind: SwitchActionKind


class Isolation(Struct, frozen=True, kw_only=True):
    """The fault's place, cut off.

    Attributes:
        area: the zones that stay dark until the repair.
        moves: what to open, from above to below.
        upstream: the zones that the tripped device supplies again; none where it has to stay open itself.
    """

    area: frozenset[str]
    moves: tuple[Move, ...]
    upstream: frozenset[str]


class Option(Struct, frozen=True, kw_only=True):
    """One way to supply islands: first all that is opened, then all that is closed.

    Attributes:
        zones: which zones have supply then.
        critical, customers: how many that are.
    """

    moves: tuple[Move, ...]
    zones: frozenset[str]
    critical: int
    customers: int

    @property
    def order(self) -> tuple[int, int, int, tuple[Move, ...]]:
        """The better comes first: critical customers, then customers, then fewer operations."""
        return (-self.critical, -self.customers, len(self.moves), self.moves)


def isolate(grid: Grid, location: Location, tripped: str, blocked: Collection[str]) -> Isolation | None:
    """Cut off whatever may be the fault's place; None where that cannot be done from afar.

    Args:
        grid: the network after the trip.
        location: where the fault may be.
        tripped: the device that opened.
        blocked: switches that must not move, by a tag or for another reason.
    """
    area = set(location.feared)
    border: dict[str, Gate] = {}
    queue = sorted(area)
    for zone in queue:
        for gate in grid.at(zone):
            other = gate.across(zone)
            if _holds(grid, gate, blocked):
                border[gate.mrid] = gate
            elif other not in area:
                if grid.zones[other].live:
                    return None
                area.add(other)
                queue.append(other)
    cut = {mrid: gate for mrid, gate in border.items() if gate.closed and not {gate.one, gate.other} <= area}
    order = list(location.below)
    ordered = sorted(cut.values(), key=lambda gate: (min(map(order.index, (gate.one, gate.other))), gate.mrid))
    head = next(iter(location.below))
    upstream: frozenset[str] = frozenset()
    if head not in area and grid.gates[tripped].operable and tripped not in blocked:
        upstream = frozenset(grid.reach([head], grid.closed - cut.keys()))
    return Isolation(
        area=frozenset(area),
        moves=tuple(Move(switch=gate.mrid, kind=OPEN) for gate in ordered),
        upstream=upstream,
    )


def _holds(grid: Grid, gate: Gate, blocked: Collection[str]) -> bool:
    """True for what is open, or can be opened from afar."""
    if not gate.closed:
        return gate.mrid not in grid.suspect
    return gate.switch and gate.operable and gate.mrid not in blocked


def options(
    grid: Grid, location: Location, isolation: Isolation, tripped: str, blocked: Collection[str]
) -> list[Option]:
    """All ways to supply the islands below, the best first; no loop, no parallel, nothing of what is cut off."""
    dead = frozenset(location.below) - isolation.area - isolation.upstream
    live = {mrid for mrid, zone in grid.zones.items() if zone.live} | isolation.upstream
    closed = (grid.closed - {move.switch for move in isolation.moves}) | ({tripped} if isolation.upstream else set())
    free = [
        gate
        for gate in grid.gates.values()
        if gate.switch and gate.operable and gate.mrid not in blocked and gate.mrid != tripped
    ]
    ties = [gate for gate in free if gate.mrid not in grid.closed and _joins(gate, dead, live)]
    cuts = [gate for gate in free if gate.mrid in closed and {gate.one, gate.other} <= dead]
    found: dict[tuple[frozenset[str], ...], Option] = {}
    for chosen in islice(_subsets(sorted([*ties, *cuts], key=lambda gate: gate.mrid)), BUDGET):
        option = _supplied(grid, chosen, closed, dead, live)
        if option is not None:
            sources = frozenset(move.switch for move in option.moves if move.kind is CLOSE)
            found.setdefault((option.zones, sources), option)
    return sorted(found.values(), key=lambda each: each.order)


def _joins(gate: Gate, dead: Collection[str], live: Collection[str]) -> bool:
    ends = {gate.one, gate.other}
    return bool(ends & set(dead)) and ends <= {*dead, *live}


def _subsets(gates: Sequence[Gate]) -> Iterator[tuple[Gate, ...]]:
    return chain.from_iterable(combinations(gates, size) for size in range(1, len(gates) + 1))


def _supplied(
    grid: Grid, chosen: Iterable[Gate], closed: Collection[str], dead: frozenset[str], live: Collection[str]
) -> Option | None:
    """Who of ``dead`` has supply when the state of the ``chosen`` switches is changed; None where that is no tree."""
    moves = tuple(sorted(Move(switch=gate.mrid, kind=OPEN if gate.mrid in closed else CLOSE) for gate in chosen))
    passing = set(closed).symmetric_difference(move.switch for move in moves)
    barred = grid.zones.keys() - dead - set(live)
    entries = [gate for gate in grid.gates.values() if gate.mrid in passing and _enters(gate, dead, live)]
    reached = grid.reach(sorted({end for gate in entries for end in (gate.one, gate.other)} & dead), passing, barred)
    zones = frozenset(reached) & dead
    inner = sum(1 for gate in grid.gates.values() if gate.mrid in passing and {gate.one, gate.other} <= zones)
    if not zones or inner + len(entries) != len(zones):
        return None
    return Option(
        moves=tuple(sorted(moves, key=lambda move: (move.kind is CLOSE, move.switch))),
        zones=zones,
        critical=sum(grid.zones[zone].critical for zone in zones),
        customers=sum(grid.zones[zone].customers for zone in zones),
    )


def _enters(gate: Gate, dead: Collection[str], live: Collection[str]) -> bool:
    return (gate.one in dead and gate.other in live) or (gate.other in dead and gate.one in live)


def energised(grid: Grid, moves: Sequence[Move]) -> Iterator[frozenset[str]]:
    """Which zones have supply after each of the moves, one after the other."""
    closed = set(grid.closed)
    sources = {zone for zone, each in grid.zones.items() if each.source}
    sources |= {zone for zone, each in grid.zones.items() if each.live} - grid.reach(sources, closed).keys()
    for move in moves:
        if move.kind is OPEN:
            closed.discard(move.switch)
        else:
            closed.add(move.switch)
        yield frozenset(grid.reach(sources, closed))


def is_safe(grid: Grid, moves: Sequence[Move], feared: Collection[str]) -> bool:
    """True when none of the moves gives supply to a zone where the fault may be."""
    return all(zones.isdisjoint(feared) for zones in energised(grid, moves))


def normal_moves(
    grid: Grid, normal_open: Mapping[str, bool], switches: Collection[str], *, make_first: bool
) -> tuple[Move, ...]:
    """What leads from the present state of some switches back to the normal one.

    Args:
        grid: the network now.
        normal_open: for each switch whether it is open in the normal state.
        switches: those that were moved for an outage.
        make_first: what closes closes before anything opens, so that nobody is interrupted.
    """
    ways = [(normal_open[mrid], mrid) for mrid in sorted(switches) if grid.gates[mrid].closed == normal_open[mrid]]
    ordered = sorted(ways, key=lambda way: (way[0] is make_first, way[1]))
    return tuple(Move(switch=mrid, kind=OPEN if opens else CLOSE) for opens, mrid in ordered)
