"""The wires of the field as a graph: what hangs on what, on which phases, whatever is open at the moment.

Phases are bits (A 1, B 2, C 4). Everything is in primary phases, so a transformer passes on the phases it has. Where
phases change places along the way (``phases_at_node2``) the graph says so. Everything goes by the order of mRIDs, so
that nothing depends on the order of the model.
"""

from collections.abc import Iterable

from msgspec import Struct

from contracts.nouns.feeder_topology import Equipment, FaultIndicator, Feeder, UsagePoint
from contracts.nouns.units import PhaseCode

SOURCE = "EnergySource"
ALL = 0b111
EARTH = 0
"""The node behind all sources."""

_LETTERS = "ABC"


class Way(Struct, frozen=True):
    """A way from a node over ``edge`` to the node ``other``.

    Attributes:
        leads: for each phase at this node the phase at the other one, -1 where the way has not got it.
        bits: for each phase at this node the bit that it has in the equipment's own phases (those at ``node1``).
    """

    edge: int
    other: int
    leads: tuple[int, int, int]
    bits: tuple[int, int, int]


class Network:
    """The equipment of all feeders; what stands in two feeders counts once.

    Attributes:
        equipment: by mRID, in the order of mRIDs; its place in that order is the number of its edge.
        mrids: the mRID of each edge.
        ends: the two nodes of each edge; a source lies between :data:`EARTH` and its node, and what ends at one node
            is no edge.
        ways: the ways from each node.
        points: the usage points at each node, by mRID, with their phases.
        place_of: the number of each node by its mRID.
        meters: the usage point of each meter.
        normally: what is open in the normal state, with the phases that are.
    """

    def __init__(self, feeders: Iterable[Feeder]) -> None:
        feeders = tuple(feeders)
        equipment = {each.mrid: each for feeder in feeders for each in feeder.equipment}
        self.equipment: dict[str, Equipment] = {mrid: equipment[mrid] for mrid in sorted(equipment)}
        self.mrids = tuple(self.equipment)
        self.edge_of = {mrid: edge for edge, mrid in enumerate(self.mrids)}
        points = {point.mrid: point for feeder in feeders for point in feeder.usage_point}
        self.usage_points: dict[str, UsagePoint] = {mrid: points[mrid] for mrid in sorted(points)}
        self.meters = {point.meter: mrid for mrid, point in self.usage_points.items()}
        self.indicators = _indicators(feeders)
        names = {name for each in equipment.values() for name in (each.node1, each.node2) if name is not None}
        names |= {point.node for point in points.values()}
        self.place_of = {name: place for place, name in enumerate(sorted(names), start=EARTH + 1)}
        self.ends: list[tuple[int, int] | None] = [self._ends(each) for each in self.equipment.values()]
        self.ways: list[list[Way]] = [[] for _ in range(len(self.place_of) + 1)]
        for edge, each in enumerate(self.equipment.values()):
            self._join(edge, each)
        self.points: dict[int, list[tuple[str, int]]] = {}
        for point in self.usage_points.values():
            self.points.setdefault(self.place_of[point.node], []).append((point.mrid, mask_of(point.phases)))
        self.normally = {each.mrid: mask for each in self.equipment.values() if (mask := _open_phases(each))}

    def phases(self, mrid: str) -> int:
        """The phases of a piece of equipment, as bits."""
        return mask_of(self.equipment[mrid].phases)

    def is_switch(self, mrid: str) -> bool:
        """True for what opens and closes."""
        return self.equipment[mrid].normal_open is not None

    def _ends(self, each: Equipment) -> tuple[int, int] | None:
        if each.kind == SOURCE:
            return EARTH, self.place_of[each.node1]
        if each.node2 is None or each.node2 == each.node1:
            return None
        return self.place_of[each.node1], self.place_of[each.node2]

    def _join(self, edge: int, each: Equipment) -> None:
        ends = self.ends[edge]
        if ends is None:
            return
        leads = [-1, -1, -1]
        back = [-1, -1, -1]
        bits = [0, 0, 0]
        own = [phase for phase in range(3) if mask_of(each.phases) >> phase & 1]
        letters = [_LETTERS.index(letter) for letter in each.phases_at_node2 or "" if letter in _LETTERS]
        for phase, there in zip(own, letters if len(letters) == len(own) else own, strict=True):
            leads[phase], back[there], bits[there] = there, phase, 1 << phase
        one, other = ends
        self.ways[one].append(Way(edge, other, (leads[0], leads[1], leads[2]), (1, 2, 4)))
        self.ways[other].append(Way(edge, one, (back[0], back[1], back[2]), (bits[0], bits[1], bits[2])))


def mask_of(text: str) -> int:
    """The phases A, B and C in ``text`` as bits; all of them where none is named."""
    return sum(1 << bit for bit, phase in enumerate(_LETTERS) if phase in text) or ALL


def code_of(mask: int) -> PhaseCode:
    """The code of these phases."""
    return PhaseCode("".join(letter for bit, letter in enumerate(_LETTERS) if mask >> bit & 1) or PhaseCode.NONE)


def _open_phases(each: Equipment) -> int:
    """The phases on which a switch is open in the model: all of them, some or none."""
    if each.normal_open is None:
        return 0
    if each.normal_open if each.open is None else each.open:
        return ALL
    return 0 if each.open_phases is None else mask_of(each.open_phases)


def _indicators(feeders: Iterable[Feeder]) -> dict[str, list[FaultIndicator]]:
    """The fault indicators on each piece of equipment."""
    known = {each.mrid: each for feeder in feeders for each in feeder.fault_indicator}
    found: dict[str, list[FaultIndicator]] = {}
    for mrid in sorted(known):
        found.setdefault(known[mrid].equipment, []).append(known[mrid])
    return found
