"""What of the grid is live and how it hangs together: nodes merged over closed switches, and islands with a source."""

from collections.abc import Iterable, Mapping
from itertools import repeat

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from contracts.nouns.feeder_topology import Feeder
from services.network_operation.domain.power_flow.grid import Grid
from services.network_operation.domain.power_flow.phases import mask_of
from services.network_operation.domain.power_flow.rows import Truths, Whole


class SwitchedState(Struct, frozen=True, kw_only=True):
    """The network as it is switched.

    Attributes:
        live: by node, the phases with some voltage, as energisation has it; a dead node may be absent.
        abnormal: by node, those of them that do not have the right one.
        closed: by switch, the phases that it conducts; one that is absent is open.
        factors: by node, what its loads are multiplied by, as after a long interruption; else 1.
        without_generation: nodes whose infeeds do not run.
    """

    live: Mapping[str, int]
    abnormal: Mapping[str, int] = {}
    closed: Mapping[str, int]
    factors: Mapping[str, float] = {}
    without_generation: frozenset[str] = frozenset()


class Islands(Struct, frozen=True, kw_only=True):
    """The grid in one state, by row or by node.

    Attributes:
        live: the live phases of each node; ``abnormal`` likewise.
        closed: the phases that each switch conducts.
        cluster: for each node the one that stands for it and all that closed switches join with it.
        joins: the switches that make two nodes one; ``partly`` those that conduct some phases of a node only.
        lines: the lines that are live.
        units, regulators: the transformers that are live at two windings at least.
        collapsed: those that feed nodes which nothing else does.
        island: for each node the smallest node of its island; -1 where it is dead.
        has_source: for each node whether its island has a source, and not only collapsed transformers.
    """

    live: Whole
    abnormal: Whole
    closed: Whole
    cluster: Whole
    joins: Truths
    partly: Truths
    lines: Truths
    units: Truths
    regulators: Truths
    collapsed: Truths
    island: Whole
    has_source: Truths


def state_of(feeders: Iterable[Feeder]) -> SwitchedState:
    """The state that live feeders tell."""
    live: dict[str, int] = {}
    abnormal: dict[str, int] = {}
    closed: dict[str, int] = {}
    for feeder in feeders:
        for node in feeder.connectivity_node:
            wrong = mask_of(node.abnormal_phases)
            if node.source_phases is not None or wrong:
                live[node.mrid] = mask_of(node.source_phases) | wrong
            if wrong:
                abnormal[node.mrid] = wrong
        for each in feeder.equipment:
            if each.open is not None:
                closed[each.mrid] = 0 if each.open else mask_of(each.phases) & ~mask_of(each.open_phases)
    return SwitchedState(live=live, abnormal=abnormal, closed=closed)


def islands_of(grid: Grid, state: SwitchedState) -> Islands:
    """The islands of the grid in this state."""
    live = _by_name(grid.nodes, state.live)
    switches, lines, banks = grid.switches, grid.lines, grid.banks
    closed = _by_name(switches.mrid, state.closed)
    both = live[switches.node1] & live[switches.node2]
    conducts = (closed & both) != 0
    joins = conducts & (closed == switches.phases) & ((both & ~closed) == 0)
    cluster = joined(len(grid.nodes), switches.node1[joins], switches.node2[joins])
    line_ends = cluster[lines.node1], cluster[lines.node2]
    live_lines = (live[lines.node1] & live[lines.node2] & lines.phases) != 0
    live_lines &= line_ends[0] != line_ends[1]
    unit_nodes = [[winding.node for winding in unit.windings if live[winding.node]] for unit in banks.units]
    units = _truths(len(nodes) > 1 for nodes in unit_nodes)
    regulators = _truths(bool(live[each.node1] & live[each.node2] & each.phases) for each in banks.regulators)
    pairs = [(nodes[0], other) for nodes in unit_nodes for other in nodes[1:]]
    pairs += [(each.node1, each.node2) for each, is_live in zip(banks.regulators, regulators, strict=True) if is_live]
    partly = conducts & ~joins
    edges = np.array(pairs, dtype=np.int64).reshape(len(pairs), 2)
    one = np.concatenate((line_ends[0][live_lines], switches.node1[partly], edges[:, 0], np.arange(len(cluster))))
    other = np.concatenate((line_ends[1][live_lines], switches.node2[partly], edges[:, 1], cluster))
    island = joined(len(grid.nodes), one, other)
    fed = np.zeros(len(grid.nodes), dtype=bool)
    sources = grid.sources.node
    fed[island[sources[live[sources] != 0]]] = True
    has_source = fed[island] & (live != 0)
    tanks = banks.tanks
    collapsed = (live[tanks.node1] != 0) & (live[tanks.node2] != 0) & ~has_source[tanks.node2]
    return Islands(
        live=live,
        abnormal=_by_name(grid.nodes, state.abnormal) & live,
        closed=closed,
        cluster=cluster,
        joins=joins,
        partly=partly,
        lines=live_lines,
        units=units,
        regulators=regulators,
        collapsed=collapsed,
        island=np.where(live != 0, island, -1),
        has_source=has_source,
    )


def joined(count: int, one: Whole, other: Whole) -> Whole:
    """For each of ``count`` nodes the smallest to which a chain of the pairs leads.

    Every round each root takes the smallest root that a pair joins it with, and paths are cut short; the number of
    rounds grows with the logarithm of the longest chain.
    """
    root = np.arange(count)
    while True:
        roots, others = root[one], root[other]
        apart = roots != others
        if not apart.any():
            return root
        one, other = one[apart], other[apart]
        high = np.maximum(roots[apart], others[apart])
        np.minimum.at(root, high, np.minimum(roots[apart], others[apart]))
        while True:
            shorter = root[root]
            if np.array_equal(shorter, root):
                break
            root = shorter


def _by_name(names: tuple[str, ...], values: Mapping[str, int]) -> Whole:
    return np.fromiter(map(values.get, names, repeat(0)), dtype=np.int64, count=len(names))


def _truths(values: Iterable[object]) -> NDArray[np.bool_]:
    return np.array([bool(value) for value in values], dtype=bool)
