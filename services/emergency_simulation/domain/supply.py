"""What is live: kept from one state of the switches to the next, so that an operation costs what it changes.

A vertex is a node on one phase. Each live vertex knows the edge that feeds it, so the live vertices are a forest that
grows from the earth behind the sources. Opening an edge can only take life from what grows beyond it, and closing one
only gives it to what is dead. Which edge feeds a vertex depends on history where there are loops; whether it is live
does not, and nothing else is told.
"""

from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence

from contracts.nouns.feeder_topology import FaultIndicator
from services.emergency_simulation.domain.network import ALL, EARTH, SOURCE, Network, Way

Vertex = tuple[int, int]
"""A node and a phase."""

Came = dict[Vertex, tuple[Vertex, Way] | None]
"""From where each vertex of a search was reached; the starts from nowhere."""

_DEAD = -1
_ROOT = -2


class Supply:
    """Which nodes of a network are live on which phases, with what is open at the moment.

    Attributes:
        live: the phases on which each node is live, as bits.
        dark: the usage points without any live phase; a meter works as long as it has one.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self.live = [0] * len(network.ways)
        self.live[EARTH] = ALL
        self._feeds = [[_DEAD] * len(network.ways) for _ in range(3)]
        for feeds in self._feeds:
            feeds[EARTH] = _ROOT
        self._open = {network.edge_of[each.mrid]: ALL for each in network.equipment.values() if each.kind == SOURCE}
        self.dark = set(network.usage_points)

    def move(self, opened: Mapping[str, int]) -> tuple[set[str], set[str]]:
        """Go over to the state in which these pieces of equipment are open on these phases, as bits.

        Gives the usage points that went dark and those that have power again.
        """
        edge_of = self.network.edge_of
        wanted = {edge_of[mrid]: mask for mrid, mask in opened.items() if mask and mrid in edge_of}
        before, self._open = self._open, wanted
        moved = sorted(before.keys() | wanted.keys())
        touched: set[int] = set()
        for edge in moved:
            if cut := wanted.get(edge, 0) & ~before.get(edge, 0):
                self._cut(edge, cut, touched)
        for edge in moved:
            if joined := before.get(edge, 0) & ~wanted.get(edge, 0):
                self._join(edge, joined, touched)
        return self._told(touched)

    def live_of(self, indicators: Mapping[str, Iterable[FaultIndicator]]) -> list[str]:
        """The fault indicators at whose node there is supply."""
        place_of = self.network.place_of
        all_of_them = (each for group in indicators.values() for each in group)
        return [each.mrid for each in all_of_them if each.node in place_of and self.live[place_of[each.node]]]

    def is_fed(self, equipment: str, phases: int) -> bool:
        """True when one of these phases of a piece of equipment is live at one of its ends."""
        return bool(self._fed(equipment, phases))

    def way_to_source(self, equipment: str, phases: int) -> list[tuple[str, int]]:
        """What lies between some equipment and a source, the nearest first, with the ``phases`` as they are there.

        The shortest way on the first of the phases that is live; empty when none is. It follows from the network and
        what is open alone.
        """
        found = self._fed(equipment, phases)
        if not found:
            return []
        phase = min(phase for phase, _ in found)
        own = self.network.edge_of[equipment]
        starts = sorted({vertex for first, vertex in found if first == phase})
        came = self._search(starts, without=own) or self._search(starts)
        return self._walked(came, equipment, phases)

    def _search(self, starts: Sequence[Vertex], without: int | None = None) -> Came:
        """Breadth-first from vertices to the earth, not through the edge ``without``; empty when that is out of reach.

        Where phases change places in a loop the only way may lead through that edge on another phase.
        """
        came: Came = dict.fromkeys(starts)
        queue = deque(starts)
        while queue:
            vertex = queue.popleft()
            for way, there in self._ways(vertex):
                reached = (way.other, there)
                if way.edge != without and reached not in came:
                    came[reached] = (vertex, way)
                    if way.other == EARTH:
                        return came
                    queue.append(reached)
        return {}

    def neighbours(self, node: int) -> list[tuple[int, str]]:
        """The nodes to which something closed leads from a node, on any phase that is live there, and what leads."""
        found = []
        for way in self.network.ways[node]:
            closed = [
                phase
                for phase in range(3)
                if way.leads[phase] >= 0
                and self.live[node] >> phase & 1
                and not self._open.get(way.edge, 0) & way.bits[phase]
            ]
            if closed:
                found.append((way.other, self.network.mrids[way.edge]))
        return found

    def _walked(self, came: Came, equipment: str, phases: int) -> list[tuple[str, int]]:
        """The way back from the earth, turned round, with the phases carried along it."""
        ways: list[Way] = []
        end = next(vertex for vertex in reversed(came) if vertex[0] == EARTH)
        step, node = came[end], end[0]
        while step is not None:
            (node, _), way = step
            ways.append(way)
            step = came[step[0]]
        there = self._at_node(equipment, phases, node)
        walked = []
        for way in reversed(ways):
            carried = [phase for phase in range(3) if there >> phase & 1 and way.leads[phase] >= 0]
            there = sum(1 << way.leads[phase] for phase in carried)
            walked.append((self.network.mrids[way.edge], sum(way.bits[phase] for phase in carried)))
        return walked

    def _fed(self, equipment: str, phases: int) -> list[tuple[int, Vertex]]:
        """The live vertices at the ends of a piece of equipment, with the phase of its own that each is."""
        network = self.network
        each = network.equipment[equipment]
        found = []
        for name in (each.node1, each.node2):
            if name is None:
                continue
            node = network.place_of[name]
            for phase in range(3):
                at = self._at_node(equipment, phases & 1 << phase, node)
                found += [(phase, (node, there)) for there in range(3) if at & self.live[node] & 1 << there]
        return found

    def _at_node(self, equipment: str, phases: int, node: int) -> int:
        """The phases of a piece of equipment as they are called at one of its nodes."""
        network = self.network
        ends = network.ends[network.edge_of[equipment]]
        if ends is None or node == ends[0] or ends[0] == EARTH:
            return phases
        for way in network.ways[ends[0]]:
            if way.edge == network.edge_of[equipment]:
                return sum({1 << way.leads[p] for p in range(3) if phases >> p & 1 and way.leads[p] >= 0})
        return phases

    def _ways(self, vertex: Vertex) -> Iterable[tuple[Way, int]]:
        """The ways that lead on from a vertex now, with the phase at their other end."""
        node, phase = vertex
        opened = self._open
        for way in self.network.ways[node]:
            there = way.leads[phase]
            if there >= 0 and not opened.get(way.edge, 0) & way.bits[phase]:
                yield way, there

    def _cut(self, edge: int, phases: int, touched: set[int]) -> None:
        ends = self.network.ends[edge]
        if ends is None:
            return
        lost: list[Vertex] = []
        for node in ends:
            for way in self.network.ways[node]:
                if way.edge != edge:
                    continue
                for phase, there in enumerate(way.leads):
                    if there >= 0 and way.bits[phase] & phases and self._feeds[there][way.other] == edge:
                        lost.append((way.other, there))
        self._wither(lost, touched)
        for vertex in lost:
            if any(self._feeds[there][way.other] != _DEAD for way, there in self._ways(vertex)):
                self._revive(vertex, touched)

    def _wither(self, lost: list[Vertex], touched: set[int]) -> None:
        """Take the life of the vertices ``lost`` and of all that they feed; these are added to them."""
        for node, phase in lost:
            self._feeds[phase][node] = _DEAD
        at = 0
        while at < len(lost):
            node, phase = lost[at]
            at += 1
            touched.add(node)
            for way in self.network.ways[node]:
                there = way.leads[phase]
                if there >= 0 and self._feeds[there][way.other] == way.edge:
                    self._feeds[there][way.other] = _DEAD
                    lost.append((way.other, there))

    def _revive(self, vertex: Vertex, touched: set[int]) -> None:
        """Feed a dead vertex from a live neighbour, if it is still dead, and let it feed others."""
        node, phase = vertex
        if self._feeds[phase][node] != _DEAD:
            return
        way = next(way for way, there in self._ways(vertex) if self._feeds[there][way.other] != _DEAD)
        self._feeds[phase][node] = way.edge
        touched.add(node)
        self._grow(vertex, touched)

    def _join(self, edge: int, phases: int, touched: set[int]) -> None:
        ends = self.network.ends[edge]
        if ends is None:
            return
        for node in ends:
            for way in self.network.ways[node]:
                if way.edge != edge:
                    continue
                for phase, there in enumerate(way.leads):
                    joined = there >= 0 and way.bits[phase] & phases
                    if joined and self._feeds[phase][node] != _DEAD and self._feeds[there][way.other] == _DEAD:
                        self._feeds[there][way.other] = edge
                        touched.add(way.other)
                        self._grow((way.other, there), touched)

    def _grow(self, vertex: Vertex, touched: set[int]) -> None:
        """Let a vertex that has become live feed what is dead beyond it."""
        stack = [vertex]
        while stack:
            last = stack.pop()
            for way, there in self._ways(last):
                if self._feeds[there][way.other] == _DEAD:
                    self._feeds[there][way.other] = way.edge
                    touched.add(way.other)
                    stack.append((way.other, there))

    def _told(self, touched: Collection[int]) -> tuple[set[str], set[str]]:
        """Bring ``live`` and ``dark`` up to date at the nodes that were touched, and say what is new."""
        lost, lit = set(), set()
        for node in touched:
            self.live[node] = sum(1 << phase for phase in range(3) if self._feeds[phase][node] != _DEAD)
            for point, phases in self.network.points.get(node, ()):
                is_dark = not self.live[node] & phases
                if is_dark and point not in self.dark:
                    lost.add(point)
                elif not is_dark and point in self.dark:
                    lit.add(point)
        self.dark |= lost
        self.dark -= lit
        return lost, lit
