"""Where the network lies: the places of its nodes, from the places of its equipment.

A model tells one place for each piece of equipment; of a line it is the middle. Where a switch, a transformer or a
source stands its nodes are known. From there a line leads to its other node by reflection at its middle, so a row of
lines between two poles is drawn as it was surveyed.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping

from msgspec import Struct

from contracts.nouns.feeder_topology import Equipment, FeederTopology, UsagePoint

LINE = "ACLineSegment"
_LOADS = frozenset({"EnergyConsumer", "PowerElectronicsConnection"})
"""What stands at the end of a service wire, some way from its node."""

Point = tuple[float, float]
"""Longitude and latitude in degrees."""


class Line(Struct, frozen=True):
    """A line between two nodes as it is drawn: from the one over its middle to the other.

    What else is closed between two nodes, such as a switch or a transformer, is drawn as a line where it bridges a gap.
    """

    mrid: str
    nodes: tuple[str, str]
    points: tuple[Point, ...]


class Device(Struct, frozen=True):
    """A switch or a source: where it stands, and whether it is open in the normal state."""

    mrid: str
    name: str
    kind: str
    place: Point
    nodes: tuple[str, ...]
    normal_open: bool | None


class Customer(Struct, frozen=True):
    """A usage point: where it is, how many customers it serves, and what serves it."""

    mrid: str
    place: Point
    customers: int
    critical: bool
    group: str
    """The transformer that serves it, or its node."""


class Plan:
    """The network as it is drawn.

    Attributes:
        nodes: the place of each node, as far as it is known.
        lines: what is drawn as a line; one whose ends are not known is left out.
        devices: switches and sources, by mRID.
        customers: usage points, by mRID.
        names: what each piece of equipment is called.
        places: where each piece of equipment stands.
        served: how many customers there are.
        feeders: the names of the feeders.
        live: the nodes that had voltage when the plan was drawn.
        opened: the switches that were open then.
    """

    def __init__(self, topology: FeederTopology) -> None:
        feeders = topology.whole()
        equipment = {each.mrid: each for feeder in feeders for each in feeder.equipment}
        points = {each.mrid: each for feeder in feeders for each in feeder.usage_point}
        self.names = {each.mrid: each.name for each in equipment.values()}
        self.places = {each.mrid: place for each in equipment.values() if (place := _place(each)) is not None}
        self.nodes = _nodes(equipment.values())
        self.lines = tuple(line for each in equipment.values() if (line := self._line(each)) is not None)
        self.devices = {each.mrid: device for each in equipment.values() if (device := self._device(each)) is not None}
        customers = (self._customer(each) for each in points.values())
        self.customers = {each.mrid: each for each in customers if each is not None}
        self.served = sum(each.customers for each in points.values())
        self.feeders = tuple(name.name for feeder in feeders for name in feeder.names[:1])
        nodes = [node for feeder in feeders for node in feeder.connectivity_node]
        self.live = frozenset(node.mrid for node in nodes if node.source_phases is not None)
        self.opened = frozenset(
            each.mrid
            for each in equipment.values()
            if each.normal_open is not None and (each.normal_open if each.open is None else each.open)
        )

    @property
    def box(self) -> tuple[float, float, float, float] | None:
        """West, south, east and north of all that is drawn; None where the model tells no places."""
        drawn = [*self.nodes.values(), *(each.place for each in self.customers.values())]
        if not drawn:
            return None
        east, north = [place[0] for place in drawn], [place[1] for place in drawn]
        return min(east), min(north), max(east), max(north)

    def of_device(self, mrid: str | None) -> Point | None:
        """Where a piece of equipment stands."""
        return None if mrid is None else self.places.get(mrid)

    def count(self, points: Iterable[str]) -> int:
        """How many customers these usage points serve."""
        return sum(self.customers[each].customers for each in points if each in self.customers)

    def _line(self, each: Equipment) -> Line | None:
        if each.node2 is None or each.normal_open:
            return None
        one, middle, other = self.nodes.get(each.node1), self.places.get(each.mrid), self.nodes.get(each.node2)
        if one is None or other is None or (each.kind != LINE and one == other):
            return None
        points = tuple(point for point in (one, middle, other) if point is not None)
        return Line(each.mrid, (each.node1, each.node2), points)

    def _device(self, each: Equipment) -> Device | None:
        place = self.places.get(each.mrid)
        if place is None or (each.normal_open is None and each.kind != "EnergySource"):
            return None
        nodes = tuple(node for node in (each.node1, each.node2) if node is not None)
        return Device(each.mrid, each.name, each.kind, place, nodes, each.normal_open)

    def _customer(self, point: UsagePoint) -> Customer | None:
        own = None if point.longitude is None or point.latitude is None else (point.longitude, point.latitude)
        place = own or self.nodes.get(point.node)
        if place is None:
            return None
        return Customer(point.mrid, place, point.customers, point.critical, point.transformer or point.node)


def _place(each: Equipment) -> Point | None:
    return None if each.longitude is None or each.latitude is None else (each.longitude, each.latitude)


def _nodes(equipment: Iterable[Equipment]) -> dict[str, Point]:
    """The place of each node: the middle of what stands at it, else what its lines say, else its loads."""
    standing: dict[str, list[Point]] = defaultdict(list)
    loads: dict[str, list[Point]] = defaultdict(list)
    ways: dict[str, list[tuple[str, Point | None]]] = defaultdict(list)
    for each in equipment:
        place = _place(each)
        nodes = [node for node in (each.node1, each.node2) if node is not None]
        if each.kind == LINE and len(nodes) == 2:  # noqa: PLR2004 - a line has two ends
            ways[nodes[0]].append((nodes[1], place))
            ways[nodes[1]].append((nodes[0], place))
        elif place is not None:
            for node in nodes:
                (loads if each.kind in _LOADS else standing)[node].append(place)
    known = {node: _middle(places) for node, places in standing.items()}
    _lead(known, ways)
    for node, places in loads.items():
        known.setdefault(node, _middle(places))
    _lead(known, ways)
    return known


def _lead(known: dict[str, Point], ways: Mapping[str, list[tuple[str, Point | None]]]) -> None:
    """Go on from what is known along the lines."""
    queue = deque(known)
    while queue:
        node = queue.popleft()
        here = known[node]
        for other, middle in ways.get(node, ()):
            if other not in known and middle is not None:
                known[other] = (2 * middle[0] - here[0], 2 * middle[1] - here[1])
                queue.append(other)


def _middle(places: list[Point]) -> Point:
    return sum(place[0] for place in places) / len(places), sum(place[1] for place in places) / len(places)
