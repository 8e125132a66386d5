"""How a network is supplied in its normal state: from the sources outwards, edge by edge and phase by phase."""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator

from msgspec import Struct

from contracts.nouns.feeder_topology import Equipment, Feeder

SOURCE = "EnergySource"


class Edge(Struct, frozen=True, kw_only=True):
    """An edge as it is passed on the way from a source: the node before it, the one behind, and its feeder."""

    equipment: Equipment
    feeder: str
    start: str
    end: str


class Supply:
    """The way from the sources to every node that they reach, over what is normally closed.

    Attributes:
        edges: the edges of the tree, from the sources outwards.
        loops: the edges that close a loop.
        phases: what reaches each node.
        source_of: the source that reaches each node first.
        feeder_of: the feeder of the edge that leads to each node.
    """

    def __init__(self, feeders: Iterable[Feeder], phases_unknown: frozenset[str]) -> None:
        """``phases_unknown`` are the equipment of which no phases are stated: what reaches them passes them."""
        self.edges: list[Edge] = []
        self.loops: list[Edge] = []
        self.phases: dict[str, frozenset[str]] = {}
        self.source_of: dict[str, Equipment] = {}
        self.feeder_of: dict[str, str] = {}
        self._unknown = phases_unknown
        self._way: dict[str, Edge] = {}
        self._beside: defaultdict[str, list[tuple[Equipment, str]]] = defaultdict(list)
        sources = []
        for feeder in feeders:
            for each in feeder.equipment:
                if each.kind == SOURCE:
                    sources.append(each)
                elif each.node2 is not None and not each.normal_open:
                    for node in dict.fromkeys((each.node1, each.node2)):
                        self._beside[node].append((each, feeder.mrid))
        self._spread(sources)

    def cycle(self, closing: Edge) -> tuple[Equipment, ...]:
        """What lies on the loop that an edge closes, or on the way between two sources, in the order of the way."""
        one, other = list(self._up(closing.start)), list(self._up(closing.end))
        while one and other and one[-1] is other[-1]:
            one.pop()
            other.pop()
        return tuple(edge.equipment for edge in (*reversed(one), closing, *other))

    def _spread(self, sources: Iterable[Equipment]) -> None:
        passed: set[str] = set()
        waiting: deque[str] = deque()
        for source in sources:
            if source.node1 not in self.phases:
                self.phases[source.node1] = frozenset(source.phases)
                self.source_of[source.node1] = source
                waiting.append(source.node1)
        while waiting:
            node = waiting.popleft()
            for equipment, feeder in self._beside[node]:
                if equipment.mrid in passed:
                    continue
                passed.add(equipment.mrid)
                other = (equipment.node2 if equipment.node1 == node else equipment.node1) or ""
                edge = Edge(equipment=equipment, feeder=feeder, start=node, end=other)
                if other in self.phases:
                    self.loops.append(edge)
                    continue
                self.edges.append(edge)
                self._way[other] = edge
                self.feeder_of[other] = feeder
                self.phases[other] = self._behind(edge)
                self.source_of[other] = self.source_of[node]
                waiting.append(other)

    def _behind(self, edge: Edge) -> frozenset[str]:
        """The phases behind an edge: those that reach it and that it has, where they change places by new names."""
        equipment, before = edge.equipment, self.phases[edge.start]
        if equipment.mrid in self._unknown:
            return before
        if equipment.phases_at_node2 is None:
            return before & frozenset(equipment.phases)
        pairs = zip(equipment.phases, equipment.phases_at_node2, strict=False)
        forward = edge.start == equipment.node1
        return frozenset(two if forward else one for one, two in pairs if (one if forward else two) in before)

    def _up(self, node: str) -> Iterator[Edge]:
        while (edge := self._way.get(node)) is not None:
            yield edge
            node = edge.start
