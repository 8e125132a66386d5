"""What hangs on what, phase by phase: the supply tree of a structure.

A device is *upstream* of a vertex when it alone connects the vertex with the sources, that is, when its edge is a
bridge between them (Tarjan's low-link gives all bridges in linear time); so the answer is exact in meshes too. What is
below an edge is an interval of the depth-first numbers, so "is it below" is two comparisons.
"""

from bisect import bisect_left
from functools import cached_property

from msgspec import Struct

from services.fault_management.domain.structure import ALL, Structure, switches


class Device(Struct, frozen=True, kw_only=True):
    """Equipment that may open on a fault and so may be the reason why everything below it is dark.

    That is what protects; where nothing protects the way to a source, it is each switch; and the source itself.

    Attributes:
        upstream: the next device towards the source, on all its phases.
        depth: how many devices are upstream.
    """

    mrid: str
    kind: str
    upstream: str | None
    depth: int


class Tree:
    """The depth-first tree from the sources over all edges but the ``barred`` ones, which are marked by their numbers.

    Attributes:
        spans: for each bridge the depth-first numbers of the vertices below it, from the first to before the last.
    """

    def __init__(self, structure: Structure, barred: bytes) -> None:
        self.structure = structure
        self._number = [-1] * len(structure.ways)
        self.spans: dict[int, tuple[int, int]] = {}
        order, entered = self._walk(barred)
        self._records: list[tuple[str, int]] = []
        """Each device on a phase, with the place of the record of the next one upstream or -1; sources first."""
        self._above = [-1] * len(structure.ways)
        """For each vertex the place of the record of the next device upstream, or -1."""
        self._place(order, entered)
        places = sorted(
            (self._number[vertex], mrid)
            for mrid, vertices in structure.vertices.items()
            for vertex in vertices
            if self._number[vertex] >= 0
        )
        self._places = [place for place, _ in places]
        self._placed = [mrid for _, mrid in places]
        self._under: dict[tuple[str, int], frozenset[str]] = {}
        self._wholly: dict[tuple[str, int], frozenset[str]] = {}

    def under(self, equipment: str, phases: int = ALL) -> frozenset[str]:
        """The usage points that lose a phase when ``equipment`` opens on ``phases``; none when it is no bridge."""
        key = (equipment, phases)
        if key not in self._under:
            self._under[key] = frozenset(self._counted(equipment, phases))
        return self._under[key]

    def wholly_under(self, equipment: str, phases: int = ALL) -> frozenset[str]:
        """The usage points that lose all their phases when ``equipment`` opens on ``phases``."""
        key = (equipment, phases)
        if key not in self._wholly:
            vertices = self.structure.vertices
            counted = self._counted(equipment, phases)
            self._wholly[key] = frozenset(mrid for mrid, count in counted.items() if count == len(vertices[mrid]))
        return self._wholly[key]

    def is_under(self, equipment: str, other: str) -> bool:
        """True when ``equipment`` hangs on ``other`` alone, on all its phases."""
        inner, outer = self._intervals(equipment, ALL), self._intervals(other, ALL)
        return (
            equipment != other
            and bool(inner)
            and all(any(low <= first and last <= high for low, high in outer) for first, last in inner)
        )

    def phases_through(self, equipment: str, point: str) -> int:
        """The phases of ``equipment`` on which alone a usage point gets some of its phases, as bits."""
        numbers = [self._number[vertex] for vertex in self.structure.vertices[point]]
        found = 0
        for number in self.structure.edges_of.get(equipment, ()):
            first, last = self.spans.get(number, (0, 0))
            if any(first <= each < last for each in numbers):
                found |= 1 << self.structure.edges[number].phase
        return found

    @cached_property
    def devices(self) -> dict[str, Device]:
        """The devices by mRID, each after all that are downstream of it."""
        parents: dict[str, set[int]] = {}
        for mrid, parent in self._records:
            parents.setdefault(mrid, set()).add(parent)
        found: dict[str, Device] = {}
        for mrid, above in parents.items():  # each comes after those upstream
            upstream = self._common(above)
            depth = 0 if upstream is None else found[upstream].depth + 1
            found[mrid] = Device(mrid=mrid, kind=self.structure.equipment[mrid].kind, upstream=upstream, depth=depth)
        ordered = sorted(found.values(), key=lambda device: (-device.depth, device.mrid))
        return {device.mrid: device for device in ordered}

    @cached_property
    def zone(self) -> dict[str, str]:
        """For each usage point the next device upstream of all its phases; absent where there is none."""
        found = {}
        for mrid, vertices in self.structure.vertices.items():
            device = self._common({self._above[vertex] for vertex in vertices})
            if device is not None:
                found[mrid] = device
        return found

    @cached_property
    def zone_groups(self) -> dict[str | None, frozenset[str]]:
        """The transformers (or nodes with customers) whose next device is the key."""
        found: dict[str | None, set[str]] = {}
        for mrid, group in self.structure.groups.items():
            found.setdefault(self.zone.get(mrid), set()).add(group)
        return {device: frozenset(groups) for device, groups in found.items()}

    @cached_property
    def laterals(self) -> dict[str | None, tuple[str, ...]]:
        """The devices with customers whose next device upstream is the key."""
        found: dict[str | None, list[str]] = {}
        for device in self.devices.values():
            if self.under(device.mrid):
                found.setdefault(device.upstream, []).append(device.mrid)
        return {device: tuple(below) for device, below in found.items()}

    def chain(self, point: str) -> list[str]:
        """The devices upstream of a usage point, the nearest first."""
        found = []
        device = self.zone.get(point)
        while device is not None:
            found.append(device)
            device = self.devices[device].upstream
        return found

    def _walk(self, barred: bytes) -> tuple[list[int], list[int]]:
        """Number the vertices depth-first; their order, and the edge by which each was entered."""
        ways, number, root = self.structure.ways, self._number, self.structure.root
        low = [0] * len(number)
        entered = [-1] * len(number)
        order = [root]
        number[root] = 0
        stack = [(root, iter(ways[root]))]
        while stack:
            vertex, edges = stack[-1]
            for other, edge in edges:
                if barred[edge] or edge == entered[vertex]:
                    continue
                if number[other] >= 0:
                    low[vertex] = min(low[vertex], number[other])
                    continue
                entered[other] = edge
                number[other] = low[other] = len(order)
                order.append(other)
                stack.append((other, iter(ways[other])))
                break
            else:
                stack.pop()
                if stack:
                    upper = stack[-1][0]
                    if low[vertex] == number[vertex]:
                        self.spans[entered[vertex]] = (number[vertex], len(order))
                    low[upper] = min(low[upper], low[vertex])
        return order, entered

    def _place(self, order: list[int], entered: list[int]) -> None:
        """Find the next device above each vertex, from the sources down."""
        structure, above = self.structure, self._above
        protected = bytearray(len(structure.ways))
        for vertex in order[1:]:
            number = entered[vertex]
            edge = structure.edges[number]
            upper = edge.one if vertex == edge.other else edge.other
            record, protected[vertex] = above[upper], protected[upper]
            each = structure.equipment.get(edge.equipment)
            if each is not None and number in self.spans:
                is_switch = switches(each) and not protected[upper]
                if each.protective or is_switch or each.kind == "EnergySource":
                    self._records.append((each.mrid, record))
                    record = len(self._records) - 1
                protected[vertex] = protected[upper] or each.protective
            above[vertex] = record

    def _common(self, records: set[int]) -> str | None:
        """The nearest device in or above all of ``records``; None where one of them is -1 or there is none."""
        if len(records) == 1:
            (only,) = records
            return None if only < 0 else self._records[only][0]
        chains = [self._chain(record) for record in sorted(records)]
        shared = set(chains[0]).intersection(*chains[1:])
        return next((mrid for mrid in chains[0] if mrid in shared), None)

    def _chain(self, record: int) -> list[str]:
        found = []
        while record >= 0:
            mrid, record = self._records[record]
            found.append(mrid)
        return found

    def _intervals(self, equipment: str, phases: int) -> list[tuple[int, int]]:
        edges = self.structure.edges
        return [
            self.spans[number]
            for number in self.structure.edges_of.get(equipment, ())
            if phases >> edges[number].phase & 1 and number in self.spans
        ]

    def _counted(self, equipment: str, phases: int) -> dict[str, int]:
        """The usage points below equipment, with the number of their phases there."""
        counted: dict[str, int] = {}
        for first, last in self._intervals(equipment, phases):
            for mrid in self.below(first, last):
                counted[mrid] = counted.get(mrid, 0) + 1
        return counted

    def below(self, first: int, last: int) -> list[str]:
        """The usage points with a vertex in an interval of depth-first numbers, as often as they have one."""
        return self._placed[bisect_left(self._places, first) : bisect_left(self._places, last)]
