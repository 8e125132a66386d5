"""What hangs on collapsed transformers: their load as it is seen at the primary phases, and the voltage behind them."""

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from services.network_operation.domain.power_flow.grid import EARTH, Grid
from services.network_operation.domain.power_flow.islands import Islands
from services.network_operation.domain.power_flow.rows import Complex, Floats, Truths, Whole
from services.network_operation.domain.power_flow.transformers import Tanks

ROUNDS = 20
CLOSE_ENOUGH = 1e-9


class Rank(Struct, frozen=True, kw_only=True):
    """Collapsed transformers that are equally many of them away from a source, as arrays by row.

    ``node`` is the primary node, ``at`` the node that stands for it in arrays by node, and ``zone`` the first node of
    the island behind; ``shares`` are the parts of the load of each phase of the zone that the transformer takes.
    """

    rows: Whole
    node: Whole
    at: Whole
    zone: Whole
    first: Whole
    second: Whole
    z: Complex
    core: Complex
    volts: Floats
    shares: Floats


class Seen(Struct, frozen=True, kw_only=True):
    """What collapsed transformers do at some voltages.

    Attributes:
        taken: the power that is taken at each node and phase for what lies behind, VA.
        voltage: by node and phase per unit, with those of the zones at their first nodes.
        currents: of the transformers by row, A.
    """

    taken: Complex
    voltage: Complex
    currents: Complex


class Behind(Struct, frozen=True, kw_only=True):
    """All collapsed transformers that feed something, from the source outwards; ``count`` is how many the grid has."""

    ranks: tuple[Rank, ...]
    count: int

    @property
    def nodes(self) -> Whole:
        """The primary nodes of those that a solved island feeds."""
        return self.ranks[0].node if self.ranks else np.empty(0, dtype=np.int64)

    def within(self, nodes: Truths) -> "Behind":
        """Those that hang on some nodes, directly or behind others."""
        reached, ranks = nodes.copy(), []
        for rank in self.ranks:
            chosen = reached[rank.at]
            if chosen.any():
                ranks.append(Rank(**{name: getattr(rank, name)[chosen] for name in Rank.__struct_fields__}))
                reached[rank.zone[chosen]] = True
        return replace(self, ranks=tuple(ranks))

    def roots(self, islands: Islands) -> Whole:
        """For each node the first node of the island with a source that feeds it, -1 where none does."""
        root = np.where(islands.has_source, islands.island, -1)
        of_zone = root.copy()
        for rank in self.ranks:
            of_zone[rank.zone] = of_zone[rank.at]
        is_behind = ~islands.has_source & (islands.island >= 0)
        root[is_behind] = of_zone[islands.island[is_behind]]
        return root


def behind(grid: Grid, islands: Islands) -> Behind:
    """The collapsed transformers in this state, ranked."""
    tanks = grid.banks.tanks
    waiting = np.flatnonzero(islands.collapsed)
    reached = islands.has_source.copy()
    ranks: list[Rank] = []
    while True:
        is_ready = reached[tanks.node1[waiting]]
        if not is_ready.any():
            return Behind(ranks=tuple(ranks), count=len(grid.banks.collapsed))
        rank = _rank(tanks, waiting[is_ready], islands)
        waiting = waiting[~is_ready]
        ranks.append(rank)
        fed = np.zeros(len(reached), dtype=bool)
        fed[rank.zone] = True
        reached |= (islands.island >= 0) & fed[islands.island]


def seen(ranks: Behind, zones: Complex, voltage: Complex, nominal: Floats) -> Seen:
    """What collapsed transformers do, given the voltages at the nodes where they hang.

    Args:
        ranks: the transformers.
        zones: the load of each zone by its first node, by phase and by part (power, current, impedance), VA.
        voltage: by node and phase, per unit of the nominal voltage to earth.
        nominal: by node.
    """
    if not ranks.ranks:
        return Seen(
            taken=np.zeros(voltage.shape, dtype=complex),
            voltage=voltage,
            currents=np.full(ranks.count, np.nan, dtype=complex),
        )
    voltage = voltage.copy()
    currents = np.full(ranks.count, np.nan, dtype=complex)
    taken = np.zeros(voltage.shape, dtype=complex)
    # each pass, one rank more sees what the ranks behind it take
    for _ in ranks.ranks:
        before, taken = taken, np.zeros(voltage.shape, dtype=complex)
        for rank in ranks.ranks:
            load = _load(rank, zones, before)
            across, factor = _across(rank, voltage, nominal)
            far = _far(across, rank, load)
            for phase in range(3):
                rows = rank.shares[:, phase] > 0
                voltage[rank.zone[rows], phase] = far[rows] / rank.volts[rows]
            current = (across - far) / rank.z + across * rank.core
            currents[rank.rows] = current
            for phase_of, sign in ((rank.first, 1.0), (rank.second, -1.0)):
                at = phase_of != EARTH
                place = rank.at[at], phase_of[at]
                np.add.at(taken, place, sign * voltage[place] * factor[at] * np.conj(current[at]))
    return Seen(taken=taken, voltage=voltage, currents=currents)


def _load(rank: Rank, zones: Complex, taken: Complex) -> Complex:
    """The load of each transformer by part: its shares of what its zone takes itself and passes on."""
    whole = zones[rank.zone]
    whole[:, :, 0] += taken[rank.zone]
    load: Complex = (rank.shares[:, :, None] * whole).sum(axis=1)
    return load


def _across(rank: Rank, voltage: Complex, nominal: Floats) -> tuple[Complex, Floats]:
    """The voltage across the primary windings in V, and what makes V of one per unit at their node."""
    factor = nominal[rank.node] / np.sqrt(3)
    first = voltage[rank.at, rank.first]
    second = np.where(rank.second == EARTH, 0, voltage[rank.at, np.maximum(rank.second, 0)])
    return (first - second) * factor, factor


def _far(across: Complex, rank: Rank, load: Complex) -> Complex:
    """The voltage behind the impedances, at the primary winding, with these loads; below half of it they are ohms."""
    far = across.copy()
    for _ in range(ROUNDS):
        level = np.abs(far) / rank.volts
        power = load[:, 0] * np.minimum(1, (level / 0.5) ** 2) + load[:, 1] * level + load[:, 2] * level**2
        safe = np.where(far == 0, rank.volts, far)
        with np.errstate(invalid="ignore"):
            new = across - rank.z * np.conj(np.where(far == 0, 0, power) / safe)
        moved = np.abs(np.where(np.isnan(new), 0, new - far)).max(initial=0.0)
        far = new
        if moved < CLOSE_ENOUGH * float(rank.volts.max(initial=1.0)):
            break
    return far


def _rank(tanks: Tanks, rows: Whole, islands: Islands) -> Rank:
    node, zone, first = tanks.node1[rows], islands.island[tanks.node2[rows]], tanks.first[rows]
    shares = np.ones((len(rows), 3))
    counts = np.bincount(zone)
    for several in np.flatnonzero(counts > 1):
        members = np.flatnonzero(zone == several)
        shares[members] = 0
        for phase in range(3):
            own = members[first[members] == phase]
            own = own if len(own) else members
            shares[own, phase] = 1 / len(own)
    return Rank(
        rows=rows,
        node=node,
        at=np.where(islands.has_source[node], node, islands.island[node]),
        zone=zone,
        first=first,
        second=tanks.second[rows],
        z=tanks.z[rows],
        core=tanks.core[rows],
        volts=tanks.volts[rows],
        shares=shares,
    )
