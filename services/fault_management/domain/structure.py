"""What is built, with numbers in the place of names: nodes by phase, the ways between them, and who is served where.

A *vertex* is a node on one phase, ``3 * node + phase`` with the phases A, B, C as 0, 1, 2. An *edge* is equipment
with two ends on one of its phases, between two vertices; a source stands between :attr:`Structure.root` and its node.
Sets of phases are bit masks, A as 1, B as 2, C as 4; those of equipment are its phases at its first node.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from msgspec import Struct

from contracts.nouns.feeder_topology import Equipment, Feeder, UsagePoint
from contracts.nouns.units import PhaseCode

ALL = 7
"""All three phases."""

_LETTERS = "ABC"


def mask(code: PhaseCode) -> int:
    """The phases of a code as bits; a neutral is no phase."""
    return sum(1 << place for place, letter in enumerate(_LETTERS) if letter in code)


def code(phases: int) -> PhaseCode | None:
    """The code of some phases; None for none."""
    letters = "".join(letter for place, letter in enumerate(_LETTERS) if phases >> place & 1)
    return PhaseCode(letters) if letters else None


def switches(equipment: Equipment) -> bool:
    """True for what opens and closes."""
    return equipment.normal_open is not None or equipment.open is not None


def open_phases(equipment: Equipment) -> int:
    """The phases on which a switch is reported open."""
    if equipment.open:
        return mask(equipment.phases)
    return 0 if equipment.open_phases is None else mask(equipment.open_phases) & mask(equipment.phases)


class Edge(Struct, frozen=True):
    """Equipment on one phase, between two vertices."""

    equipment: str
    phase: int
    one: int
    other: int


class Structure:
    """The equipment and the usage points of some feeders, with the ties that other feeders have to them.

    Where such a tie, or an own one that leads out, is closed, its far end counts as supplied from elsewhere.

    Args:
        feeders: the feeders.
        others: all other feeders, for the ties.

    Attributes:
        feeders: the mRIDs of the feeders, sorted.
        points: the usage points by mRID.
        feeder_of: the feeder of each usage point.
        points_of: the usage points of each feeder.
        groups: for each usage point the transformer that feeds it, or its node where the model has no transformer.
        group_members: the usage points of each of these.
        equipment: the equipment by mRID; its state is not looked at.
        home: the feeder of each piece of equipment.
        told_by: the mRIDs of the feeders, and of those from which there are ties, sorted.
        switches: the mRIDs of all that opens and closes, in order.
        root: the vertex from which all sources feed.
        edges: all edges; those of no equipment feed a node from elsewhere.
        edges_of: the edges of equipment.
        ways: for each vertex where the edges at it lead, as (vertex, edge), those of protective equipment first.
        phases: the phases of equipment, as bits.
        vertices: for each usage point the vertices by which it is supplied in the normal state.
        first_way: for each vertex the edge by which it is supplied in the normal state, if it is.
    """

    def __init__(self, feeders: Iterable[Feeder], others: Iterable[Feeder] = ()) -> None:
        members = sorted(feeders, key=lambda feeder: feeder.mrid)
        self.feeders = tuple(feeder.mrid for feeder in members)
        self.points: dict[str, UsagePoint] = {point.mrid: point for feeder in members for point in feeder.usage_point}
        self.feeder_of = {point.mrid: feeder.mrid for feeder in members for point in feeder.usage_point}
        self.points_of = {feeder.mrid: frozenset(point.mrid for point in feeder.usage_point) for feeder in members}
        self.groups = {mrid: point.transformer or point.node for mrid, point in self.points.items()}
        named = {node.mrid for feeder in members for node in feeder.connectivity_node}
        pieces = [(each, feeder.mrid) for feeder in members for each in feeder.equipment]
        pieces += [
            (each, feeder.mrid)
            for feeder in others
            for each in feeder.equipment
            if each.normal_open and not named.isdisjoint({each.node1, each.node2})
        ]
        self.group_members: dict[str, frozenset[str]] = _inverted(self.groups)
        self.equipment = {each.mrid: each for each, _ in pieces}
        self.home = {each.mrid: feeder for each, feeder in pieces}
        self.told_by = sorted({*self.feeders, *self.home.values()})
        self.switches = dict.fromkeys(sorted(mrid for mrid, each in self.equipment.items() if switches(each)))
        self.phases = {mrid: mask(each.phases) for mrid, each in self.equipment.items()}
        nodes = self._nodes(members)
        self.root = 3 * len(nodes)
        self.edges: list[Edge] = []
        self.edges_of: defaultdict[str, list[int]] = defaultdict(list)
        self.ways: list[list[tuple[int, int]]] = [[] for _ in range(self.root + 1)]
        for each in sorted(self.equipment.values(), key=lambda each: (not each.protective, each.mrid)):
            self._draw(each, nodes)
        self._supply_from_elsewhere(members, nodes)
        self.first_way = self._normal()
        self.vertices: dict[str, tuple[int, ...]] = {}
        for mrid, point in self.points.items():
            own = [3 * nodes[point.node] + phase for phase in range(3) if mask(point.phases) >> phase & 1]
            served = tuple(vertex for vertex in own if vertex in self.first_way)
            self.vertices[mrid] = served or tuple(own)

    def is_switch(self, equipment: str | None) -> bool:
        """True for what opens and closes."""
        return equipment in self.equipment and switches(self.equipment[equipment])

    def is_closed_normally(self, edge: int) -> bool:
        """True unless a switch is open in the normal state."""
        mrid = self.edges[edge].equipment
        return not mrid or not self.equipment[mrid].normal_open

    def _nodes(self, feeders: Iterable[Feeder]) -> dict[str, int]:
        named = {node.mrid for feeder in feeders for node in feeder.connectivity_node}
        named |= {point.node for point in self.points.values()}
        for each in self.equipment.values():
            named |= {each.node1, each.node2 or each.node1}
        return {node: number for number, node in enumerate(sorted(named))}

    def _draw(self, each: Equipment, nodes: dict[str, int]) -> None:
        source = each.kind == "EnergySource"
        if each.node2 is None and not source:
            return
        letters = [letter for letter in each.phases if letter in _LETTERS]
        there = each.phases_at_node2 or letters
        for letter, other in zip(letters, there, strict=False):
            phase = _LETTERS.index(letter)
            one = 3 * nodes[each.node1] + phase
            if source or each.node2 is None:
                self._add(Edge(each.mrid, phase, self.root, one))
            else:
                self._add(Edge(each.mrid, phase, one, 3 * nodes[each.node2] + _LETTERS.index(other)))

    def _add(self, edge: Edge) -> None:
        number = len(self.edges)
        self.edges.append(edge)
        self.edges_of[edge.equipment].append(number)
        self.ways[edge.one].append((edge.other, number))
        self.ways[edge.other].append((edge.one, number))

    def _supply_from_elsewhere(self, feeders: Iterable[Feeder], nodes: dict[str, int]) -> None:
        """Feed the nodes at which nothing of these feeders stands but the ends of ties."""
        inner = {node.mrid for feeder in feeders for node in feeder.connectivity_node}
        inner |= {point.node for point in self.points.values()}
        for each in self.equipment.values():
            if not each.normal_open:
                inner |= {each.node1, each.node2 or each.node1}
        for node in sorted(nodes.keys() - inner):
            for phase in range(3):
                self._add(Edge("", phase, self.root, 3 * nodes[node] + phase))

    def _normal(self) -> dict[int, int]:
        first: dict[int, int] = {self.root: -1}
        queue = [self.root]
        for vertex in queue:
            for other, number in self.ways[vertex]:
                if other not in first and self.is_closed_normally(number):
                    first[other] = number
                    queue.append(other)
        return first


def _inverted(keys: Mapping[str, str]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for mrid, key in keys.items():
        found.setdefault(key, set()).add(mrid)
    return {key: frozenset(mrids) for key, mrids in found.items()}
