"""Who has supply with the switches in one state, and what network operation says about it."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cached_property
from typing import TypeVar

from msgspec import Struct

from contracts.nouns.feeder_topology import Feeder
from services.fault_management.domain.structure import Structure, mask, open_phases
from services.fault_management.domain.tree import Tree

K = TypeVar("K")
V = TypeVar("V")


class Supply:
    """A structure with ``opened`` open: equipment by mRID, with its open phases as bits.

    A dead section keeps the place in the tree that it had before: an open switch that is normally closed leads on into
    what nothing else reaches. So most operations change who has supply, and no tree.
    """

    def __init__(self, structure: Structure, opened: Mapping[str, int], tree_of: Callable[[bytes], Tree]) -> None:
        self.structure = structure
        self.opened = {mrid: phases for mrid, phases in opened.items() if phases and mrid in structure.edges_of}
        self._tree_of = tree_of
        self._open = bytearray(len(structure.edges))
        for mrid, phases in self.opened.items():
            for number in structure.edges_of[mrid]:
                self._open[number] = phases >> structure.edges[number].phase & 1
        live = bytearray(structure.root + 1)
        self._spread(live, structure.root)
        self._live = bytes(live)

    @cached_property
    def dead(self) -> frozenset[str]:
        """The usage points without any live phase."""
        live, vertices = self._live, self.structure.vertices
        return frozenset(mrid for mrid, own in vertices.items() if not any(live[vertex] for vertex in own))

    @cached_property
    def tree(self) -> Tree:
        """What hangs on what."""
        barred = bytearray(self._open)
        for number in self._leading[0]:
            barred[number] = 0
        return self._tree_of(bytes(barred))

    @cached_property
    def dead_sections(self) -> dict[str, frozenset[str]]:
        """By each open device that is closed normally and next to what is live: the dead usage points behind it."""
        found: dict[str, set[str]] = {}
        for number in self._leading[1]:
            dark = self.dead.intersection(self.tree.below(*self.tree.spans.get(number, (0, 0))))
            if dark:
                found.setdefault(self.structure.edges[number].equipment, set()).update(dark)
        return {mrid: frozenset(points) for mrid, points in found.items()}

    def is_closed(self, equipment: str) -> bool:
        """True for what is telemetered and reported closed, so that it cannot be what opened."""
        return self.structure.equipment[equipment].remotely_operable and equipment not in self.opened

    def _spread(self, reached: bytearray, start: int) -> None:
        ways, is_open = self.structure.ways, self._open
        reached[start] = 1
        stack = [start]
        while stack:
            for other, number in ways[stack.pop()]:
                if not reached[other] and not is_open[number]:
                    reached[other] = 1
                    stack.append(other)

    @cached_property
    def _leading(self) -> tuple[list[int], list[int]]:
        """The open edges through which dead sections keep their place, and those of them next to what is live."""
        structure = self.structure
        reached = bytearray(self._live)
        waiting = [
            number
            for mrid in sorted(self.opened)
            for number in structure.edges_of[mrid]
            if self._open[number] and structure.is_closed_normally(number)
        ]
        leading: list[int] = []
        boundaries: list[int] = []
        border = True
        while ready := [n for n in waiting if reached[structure.edges[n].one] != reached[structure.edges[n].other]]:
            for number in sorted(ready, key=lambda n: self._preference(n, reached)):
                edge = structure.edges[number]
                if reached[edge.one] and reached[edge.other]:
                    continue
                leading.append(number)
                self._spread(reached, edge.one if reached[edge.other] else edge.other)
                if border:
                    boundaries.append(number)
            border = False
        return leading, boundaries

    def _preference(self, number: int, reached: bytearray) -> tuple[bool, bool, str, int]:
        """The way on which a section is fed normally comes first."""
        structure = self.structure
        edge = structure.edges[number]
        inner = edge.one if reached[edge.other] else edge.other
        each = structure.equipment[edge.equipment]
        return structure.first_way.get(inner) != number, not each.protective, each.mrid, edge.phase


class Told(Struct, frozen=True, kw_only=True):
    """What network operation says of a feeder.

    Attributes:
        at: the time of the last change.
        opened: its switches, and those of ties that it has, with their open phases as bits.
        dead: its usage points without any live phase.
    """

    at: datetime
    opened: dict[str, int]
    dead: frozenset[str]


class Supplies:
    """A structure with its supply in the latest states; each is worked out once as long as it is in use."""

    TREES = 16
    STATES = 512

    def __init__(self, structure: Structure) -> None:
        self.structure = structure
        self._trees: dict[bytes, Tree] = {}
        self._supplies: dict[frozenset[tuple[str, int]], Supply] = {}
        self._told: dict[str, tuple[Feeder, Told]] = {}

    def at(self, opened: Mapping[str, int]) -> Supply:
        """The supply with ``opened`` open."""
        key = frozenset((mrid, phases) for mrid, phases in opened.items() if phases)
        return _recent(self._supplies, key, lambda: Supply(self.structure, opened, self._tree), self.STATES)

    def told(self, feeder: Feeder) -> Told:
        """What a feeder says that network operation told."""
        known = self._told.get(feeder.mrid)
        if known is None or known[0] is not feeder:
            known = self._told[feeder.mrid] = (feeder, self._read(feeder))
        return known[1]

    def _tree(self, barred: bytes) -> Tree:
        return _recent(self._trees, barred, lambda: Tree(self.structure, barred), self.TREES)

    def _read(self, feeder: Feeder) -> Told:
        live = {node.mrid: mask(node.source_phases) for node in feeder.connectivity_node if node.source_phases}
        vertices = self.structure.vertices
        return Told(
            at=feeder.event_time,
            opened={each.mrid: open_phases(each) for each in feeder.equipment if each.mrid in self.structure.switches},
            dead=frozenset(
                point.mrid
                for point in feeder.usage_point
                if point.mrid in vertices
                and not any(live.get(point.node, 0) >> vertex % 3 & 1 for vertex in vertices[point.mrid])
            ),
        )


def _recent(known: dict[K, V], key: K, make: Callable[[], V], most: int) -> V:
    """What is known under ``key``, or else made; what was not asked for longest is forgotten."""
    value = known.pop(key) if key in known else make()
    known[key] = value
    if len(known) > most:
        del known[next(iter(known))]
    return value
