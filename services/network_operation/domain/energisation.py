"""Which nodes are live on which phases, and which switches alone keep them so.

The graph has the connectivity nodes as vertices and the equipment with two ends as edges. Open switches are no edges.
All phases are primary phases, so a transformer passes them on as they are.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from enum import IntFlag

from msgspec import Struct

from contracts.nouns.feeder_topology import Equipment, Feeder
from contracts.nouns.units import PhaseCode


class Phases(IntFlag):
    """A set of phases as bits."""

    A = 1
    B = 2
    C = 4

    @classmethod
    def of(cls, code: PhaseCode) -> "Phases":
        """The phases in a code; the neutral is none of them."""
        return cls(sum(phase for phase in cls if phase.name is not None and phase.name in code))

    @property
    def code(self) -> PhaseCode | None:
        """The code for these phases, None for no phase at all."""
        return PhaseCode("".join(phase.name or "" for phase in self)) if self else None


NONE = Phases(0)
ALL = Phases.A | Phases.B | Phases.C

EARTH = ""
"""The node on which the far side of every source stands; no connectivity node has this mRID."""


class Edge(Struct, frozen=True, kw_only=True):
    """A way through ``equipment`` to the node ``other``; ``number`` is the same in both directions."""

    number: int
    other: str
    phases: Phases
    equipment: Equipment


class Point(Struct, frozen=True, kw_only=True):
    """A node and the phases that matter there."""

    node: str
    phases: Phases


class Network:
    """The conducting graph of some feeders in their present state; all sources hang on one node, :data:`EARTH`."""

    def __init__(self, feeders: Iterable[Feeder]) -> None:
        self.edges: defaultdict[str, list[Edge]] = defaultdict(list)
        for number, each in enumerate(equipment for feeder in feeders for equipment in feeder.equipment):
            other = EARTH if each.kind == "EnergySource" else each.node2
            if other is not None and not each.open:
                phases = Phases.of(each.phases)
                self.edges[each.node1].append(Edge(number=number, other=other, phases=phases, equipment=each))
                self.edges[other].append(Edge(number=number, other=each.node1, phases=phases, equipment=each))


def live_phases(network: Network) -> Mapping[str, Phases]:
    """The phases on which each node is live; a node that is dead on all of them is absent.

    Breadth-first; a node enters the queue only with phases that are new to it, at most three times.
    """
    live = {EARTH: ALL}
    queue = deque([Point(node=EARTH, phases=ALL)])
    while queue:
        point = queue.popleft()
        for edge in network.edges[point.node]:
            known = live.get(edge.other, NONE)
            new = point.phases & edge.phases & ~known
            if new:
                live[edge.other] = known | new
                queue.append(Point(node=edge.other, phases=new))
    del live[EARTH]
    return live


def upstream_switches(network: Network, points: Iterable[Point]) -> tuple[str, ...]:
    """The mRIDs of the closed switches each of which alone, opened, makes all ``points`` dead, source side first.

    On one phase a switch stands upstream of a node exactly if it is a bridge of the graph that separates the node from
    all sources together; this holds in meshes too. A point counts on the phases on which it is live; a set with a point
    that is dead on all its phases has no switch upstream. The last switch of the answer is the nearest common one.
    """
    trees = {phase: _Tree(network, phase) for phase in Phases}
    common: list[str] | None = None
    for point in points:
        live = [tree for phase, tree in trees.items() if phase in point.phases and point.node in tree]
        if not live:
            return ()
        for tree in live:
            path = tree.switches_above(point.node)
            common = path if common is None else [switch for switch in common if switch in path]
    return tuple(common or ())


class _Tree:
    """The depth-first tree of one phase from all sources, with the bridges among its edges (Tarjan 1974)."""

    def __init__(self, network: Network, phase: Phases) -> None:
        self._way: dict[str, tuple[str, Edge]] = {}
        self._entered = {EARTH: 0}
        self._low = {EARTH: 0}
        # Each entry: a node, the number of the edge by which it was entered, and its edges that are still to be seen.
        path: list[tuple[str, int, Iterator[Edge]]] = [(EARTH, -1, iter(network.edges[EARTH]))]
        while path:
            node, entrance, edges = path[-1]
            edge = next((each for each in edges if phase in each.phases and each.number != entrance), None)
            if edge is None:
                path.pop()
                if path:
                    before = path[-1][0]
                    self._low[before] = min(self._low[before], self._low[node])
            elif edge.other in self._entered:
                self._low[node] = min(self._low[node], self._entered[edge.other])
            else:
                self._entered[edge.other] = self._low[edge.other] = len(self._entered)
                self._way[edge.other] = (node, edge)
                path.append((edge.other, edge.number, iter(network.edges[edge.other])))

    def __contains__(self, node: str) -> bool:
        return node in self._way

    def switches_above(self, node: str) -> list[str]:
        """The switches that are bridges between the sources and ``node``, source side first."""
        found: list[str] = []
        while node != EARTH:
            before, edge = self._way[node]
            is_bridge = self._low[node] == self._entered[node]
            if is_bridge and edge.equipment.open is not None:
                found.append(edge.equipment.mrid)
            node = before
        return found[::-1]
