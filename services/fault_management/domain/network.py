"""What hangs on what: the supply tree of the feeders that are fed together.

The graph has nodes where terminals meet and edges for equipment with two ends. A device is *upstream* of a usage point
when it alone connects the point with the sources, that is, when its edge is a bridge between them (Tarjan's low-link
gives all bridges in linear time); so the answer is exact in meshes too. The phases of equipment are taken together.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from contracts.nouns.feeder_topology import Equipment, Feeder, UsagePoint

_ROOT = ""


class Device(Struct, frozen=True, kw_only=True):
    """Equipment that may open on a fault and so may be the reason why everything below it is dark.

    That is what protects; where nothing protects the way to a source, it is each switch; and the source itself.

    Attributes:
        upstream: the next device towards the source.
        closed: it is telemetered and reported closed, so that it cannot be what opened.
    """

    mrid: str
    kind: str
    upstream: str | None
    closed: bool


class _Edge(Struct, frozen=True):
    """Equipment between two nodes; a source stands between the root and its node."""

    equipment: Equipment
    one: str
    other: str

    def across(self, node: str) -> str:
        """The node at the other end."""
        return self.other if node == self.one else self.one


def areas(feeders: Iterable[Feeder]) -> list[tuple[Feeder, ...]]:
    """Put together the feeders that share a node otherwise than by a normally open switch; each in the order of mRID.

    Feeders of one busbar are one area, since the loss of the busbar darkens all of them.
    """
    ordered = sorted(feeders, key=lambda feeder: feeder.mrid)
    parts: list[tuple[set[str], list[Feeder]]] = []
    for feeder in ordered:
        nodes = {node.mrid for node in feeder.connectivity_node}
        for equipment in feeder.equipment:
            if not equipment.normal_open:
                nodes |= {equipment.node1, equipment.node2 or equipment.node1}
        members = [feeder]
        apart = []
        for part in parts:
            if nodes.isdisjoint(part[0]):
                apart.append(part)
            else:
                nodes |= part[0]
                members = part[1] + members
        parts = [*apart, (nodes, members)]
    return [tuple(members) for _, members in parts]


class Network:
    """The supply tree of one area, as operated now.

    Attributes:
        feeders: the mRIDs of the feeders, sorted.
        points: the usage points by mRID.
        groups: for each usage point the transformer that feeds it, or its node where the model has no transformer.
        zone: for each usage point the next device upstream; absent where no way leads to a source.
        devices: the devices by mRID, each after all that are downstream of it.
        dead: the usage points that network operation reports as not energised.
    """

    def __init__(self, feeders: Iterable[Feeder]) -> None:
        members = sorted(feeders, key=lambda feeder: feeder.mrid)
        self.feeders = tuple(feeder.mrid for feeder in members)
        self.points: dict[str, UsagePoint] = {point.mrid: point for feeder in members for point in feeder.usage_point}
        self.feeder_of = {point.mrid: feeder.mrid for feeder in members for point in feeder.usage_point}
        self.groups = {mrid: point.transformer or point.node for mrid, point in self.points.items()}
        self._event_time = {feeder.mrid: feeder.event_time for feeder in members}
        self._equipment = {each.mrid: (each, feeder.mrid) for feeder in members for each in feeder.equipment}
        live = {node.mrid for feeder in members for node in feeder.connectivity_node if node.source_phases is not None}
        self.dead = frozenset(mrid for mrid, point in self.points.items() if point.node not in live)
        tree = _Tree([each for feeder in members for each in feeder.equipment])
        self._spans = tree.spans
        self._boundaries = tree.boundaries
        self.devices: dict[str, Device] = {device.mrid: device for device in reversed(tree.devices)}
        self.zone = {
            mrid: tree.device_above[point.node]
            for mrid, point in self.points.items()
            if point.node in tree.device_above
        }
        places = sorted((tree.number[p.node], mrid) for mrid, p in self.points.items() if p.node in tree.number)
        self._places = [place for place, _ in places]
        self._placed = [mrid for _, mrid in places]

    def under(self, equipment: str) -> frozenset[str]:
        """The usage points that lose supply when ``equipment`` opens; none when it is no bridge."""
        first, last = self._spans.get(equipment, (0, 0))
        return frozenset(self._placed[bisect_left(self._places, first) : bisect_left(self._places, last)])

    def is_under(self, equipment: str, other: str) -> bool:
        """True when ``equipment`` hangs on ``other`` alone."""
        first, last = self._spans.get(equipment, (-1, -1))
        outer_first, outer_last = self._spans.get(other, (0, 0))
        return outer_first <= first and last <= outer_last and equipment != other

    def is_switch(self, equipment: str | None) -> bool:
        """True for what opens and closes."""
        return equipment in self._equipment and _switches(self._equipment[equipment][0])

    def is_open(self, equipment: str | None) -> bool:
        """True for what network operation reports open."""
        return equipment in self._equipment and bool(self._equipment[equipment][0].open)

    def is_operated_by_hand(self, equipment: str | None) -> bool:
        """True for a switch to which somebody must go."""
        return self.is_switch(equipment) and not self._equipment[equipment or ""][0].remotely_operable

    def name(self, equipment: str | None) -> str | None:
        """What people call it."""
        return self._equipment[equipment][0].name if equipment in self._equipment else None

    def supplied_since(self, point: str) -> datetime:
        """The time of the operation by which the state of the usage point's feeder came about."""
        return self._event_time[self.feeder_of[point]]

    def dead_sections(self) -> list[tuple[str, datetime, frozenset[str]]]:
        """Each device that is open out of turn, when that was reported to be, and whom it keeps dark."""
        sections = []
        for mrid in self._boundaries:
            dark = self.under(mrid) & self.dead
            if mrid in self.devices and dark:
                sections.append((mrid, self._event_time[self._equipment[mrid][1]], dark))
        return sections


class _Tree:
    """The depth-first tree of the graph, with its bridges.

    Open switches are no edges, except that one which is normally closed leads on into what nothing else reaches: a dead
    section keeps the place in the tree that it had before.
    """

    def __init__(self, equipment: list[Equipment]) -> None:
        edges = [_Edge(each, each.node1, each.node2) for each in equipment if each.node2 is not None]
        edges += [_Edge(each, _ROOT, each.node1) for each in equipment if each.kind == "EnergySource"]
        edges.sort(key=lambda edge: (not edge.equipment.protective, edge.equipment.mrid))
        self._at: defaultdict[str, list[_Edge]] = defaultdict(list)
        reached = {_ROOT}
        for edge in edges:
            if not edge.equipment.open:
                self._join(edge)
        self._reach(_ROOT, reached)
        self.boundaries: list[str] = []
        self._extend([edge for edge in edges if edge.equipment.open and not edge.equipment.normal_open], reached)
        self.number: dict[str, int] = {}
        self._above: dict[str, _Edge | None] = {_ROOT: None}
        bridges, ends = self._walk()
        self.spans = {edge.equipment.mrid: (self.number[node], ends[node]) for node, edge in bridges.items()}
        self.devices: list[Device] = []
        self.device_above: dict[str, str] = {}
        self._place(bridges)

    def _join(self, edge: _Edge) -> None:
        self._at[edge.one].append(edge)
        self._at[edge.other].append(edge)

    def _reach(self, start: str, reached: set[str]) -> None:
        stack = [start]
        while stack:
            node = stack.pop()
            for edge in self._at[node]:
                other = edge.across(node)
                if other not in reached:
                    reached.add(other)
                    stack.append(other)

    def _extend(self, opened: list[_Edge], reached: set[str]) -> None:
        """Lead on through open switches, first those at the border of what has supply."""
        border = True
        while ready := [edge for edge in opened if (edge.one in reached) != (edge.other in reached)]:
            for edge in ready:
                if edge.one in reached and edge.other in reached:
                    continue
                self._join(edge)
                for node in (edge.one, edge.other):
                    if node not in reached:
                        reached.add(node)
                        self._reach(node, reached)
                if border:
                    self.boundaries.append(edge.equipment.mrid)
            border = False

    def _walk(self) -> tuple[dict[str, _Edge], dict[str, int]]:
        """Number the nodes depth-first; the bridges by the node below them, and where the subtree of a node ends."""
        low: dict[str, int] = {}
        ends: dict[str, int] = {}
        bridges: dict[str, _Edge] = {}
        self.number[_ROOT] = low[_ROOT] = 0
        stack = [(_ROOT, iter(self._at[_ROOT]))]
        while stack:
            node, ways = stack[-1]
            edge = next(ways, None)
            if edge is None:
                stack.pop()
                ends[node] = len(self.number)
                above = self._above[node]
                if above is not None:
                    upper = above.across(node)
                    low[upper] = min(low[upper], low[node])
                    if low[node] > self.number[upper]:
                        bridges[node] = above
            elif edge is not self._above[node]:
                other = edge.across(node)
                if other in self.number:
                    low[node] = min(low[node], self.number[other])
                else:
                    self._above[other] = edge
                    self.number[other] = low[other] = len(self.number)
                    stack.append((other, iter(self._at[other])))
        return bridges, ends

    def _place(self, bridges: dict[str, _Edge]) -> None:
        """Find the next device above each node, from the sources down."""
        protected: dict[str, bool] = {_ROOT: False}
        for node in self.number:
            above = self._above[node]
            if above is None:
                continue
            upper = above.across(node)
            each = above.equipment
            device = self.device_above.get(upper)
            protected[node] = protected[upper] or (each.protective and node in bridges)
            is_source = each.kind == "EnergySource"
            if node in bridges and (each.protective or is_source or (_switches(each) and not protected[upper])):
                closed = each.remotely_operable and not each.open
                self.devices.append(Device(mrid=each.mrid, kind=each.kind, upstream=device, closed=closed))
                device = each.mrid
            if device is not None:
                self.device_above[node] = device


def _switches(equipment: Equipment) -> bool:
    return equipment.normal_open is not None or equipment.open is not None
