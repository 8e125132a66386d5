"""What is electrically true: which nodes are live, what opens on a fault, and who loses power by it.

Transformers and lines pass the phases they have; a switch is open or closed on all its phases.
"""

from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Mapping

from msgspec import Struct

from contracts.nouns.feeder_topology import Equipment, Feeder, UsagePoint

SOURCE = "EnergySource"
_ALL = 0b111


class Operation(Struct, frozen=True):
    """A device that opens or closes."""

    device: str
    open: bool


class Guard(Struct, frozen=True, order=True):
    """What opens on a fault at a node; nodes nearer to a source have a lower ``rank``."""

    rank: int
    device: str


class Outcome(Struct, frozen=True, kw_only=True):
    """What became of operations and faults once the protection has done its work.

    Attributes:
        operations: every device that moved, in order; one may close and open again.
        trips: the device that opened first for each fault that was fed, by the struck equipment.
        open: all devices that are open now.
        lost: usage points that were live before and are dark now.
        regained: usage points that were dark before and are live now.
    """

    operations: tuple[Operation, ...]
    trips: dict[str, str]
    open: frozenset[str]
    lost: frozenset[str]
    regained: frozenset[str]


class Network:
    """The equipment of all feeders as a graph over their nodes; what stands in two feeders counts once.

    Everything goes by the order of mRIDs, so that nothing depends on the order of the model.
    """

    def __init__(self, feeders: Iterable[Feeder]) -> None:
        feeders = tuple(feeders)
        equipment = {each.mrid: each for feeder in feeders for each in feeder.equipment}
        self.equipment: dict[str, Equipment] = {mrid: equipment[mrid] for mrid in sorted(equipment)}
        self.usage_points: dict[str, UsagePoint] = {
            point.mrid: point for feeder in feeders for point in feeder.usage_point
        }
        self.initially_open = frozenset(
            each.mrid for each in self.equipment.values() if (each.normal_open if each.open is None else each.open)
        )
        self._ways: defaultdict[str, list[tuple[Equipment, str, int]]] = defaultdict(list)
        for each in self.equipment.values():
            if each.node2 is not None:
                phases = _phases(each.phases)
                self._ways[each.node1].append((each, each.node2, phases))
                self._ways[each.node2].append((each, each.node1, phases))

    def live(self, opened: Collection[str]) -> Mapping[str, int]:
        """The phases, as bits, on which each node is live; a dead node is absent."""
        live: dict[str, int] = {}
        queue = deque((each.node1, _phases(each.phases)) for each in self._sources(opened))
        while queue:
            node, phases = queue.popleft()
            new = phases & ~live.get(node, 0)
            if new:
                live[node] = live.get(node, 0) | new
                queue.extend((other, new & own) for each, other, own in self._ways[node] if each.mrid not in opened)
        return live

    def dark(self, opened: Collection[str]) -> frozenset[str]:
        """The usage points without any live phase; a meter works as long as it has one."""
        live = self.live(opened)
        return frozenset(
            point.mrid for point in self.usage_points.values() if not live.get(point.node, 0) & _phases(point.phases)
        )

    def guards(self, opened: Collection[str]) -> dict[str, Guard]:
        """What opens on a fault at each live node, looking along the shortest way to a source.

        The nearest protective device; without one the nearest switch; without any the source itself.
        """
        guards: dict[str, Guard] = {}
        queue: deque[tuple[str, str | None, str | None, str]] = deque()
        queue.extend((each.node1, None, None, each.mrid) for each in self._sources(opened))
        while queue:
            node, protective, switch, source = queue.popleft()
            if node in guards:
                continue
            guards[node] = Guard(len(guards), protective or switch or source)
            for each, other, _ in self._ways[node]:
                if each.mrid not in opened and other not in guards:
                    nearer = each.mrid if each.protective else protective
                    queue.append((other, nearer, switch if each.normal_open is None else each.mrid, source))
        return guards

    def device_above(self, equipment: str, guards: Mapping[str, Guard]) -> str | None:
        """What opens on a fault at ``equipment``, seen from its end nearer to a source; None when it is dead."""
        struck = self.equipment[equipment]
        ends = [guards[node] for node in (struck.node1, struck.node2 or struck.node1) if node in guards]
        return min(ends).device if ends else None

    def innermost(self, guards: Mapping[str, Guard]) -> frozenset[str]:
        """The guards of usage points that have no guard of other usage points below them."""
        direct = {guards[point.node].device for point in self.usage_points.values() if point.node in guards}
        outer: set[str] = set()
        for device in direct:
            below, upper = device, self.device_above(device, guards)
            while upper is not None and upper != below and upper not in outer:
                outer.add(upper)
                below, upper = upper, self.device_above(upper, guards)
        return frozenset(direct - outer)

    def _sources(self, opened: Collection[str]) -> Iterable[Equipment]:
        return (each for each in self.equipment.values() if each.kind == SOURCE and each.mrid not in opened)


def settle(
    network: Network, opened: frozenset[str], wanted: Iterable[Operation] = (), faults: Collection[str] = ()
) -> Outcome:
    """Carry out the ``wanted`` operations, each followed by the trips that it causes.

    ``faults`` are the struck pieces of equipment that nobody has repaired yet. A fault that is still fed after a
    device has opened, as in a mesh, trips the next one, until it is dead.
    """
    before = network.dark(opened)
    operations: list[Operation] = []
    trips: dict[str, str] = {}
    for operation in (None, *wanted):
        if operation is not None and operation.open != (operation.device in opened):
            opened = opened | {operation.device} if operation.open else opened - {operation.device}
            operations.append(operation)
        for fault in sorted(faults):
            while (device := network.device_above(fault, network.guards(opened))) is not None:
                trips.setdefault(fault, device)
                opened = opened | {device}
                operations.append(Operation(device, open=True))
    after = network.dark(opened)
    return Outcome(operations=tuple(operations), trips=trips, open=opened, lost=after - before, regained=before - after)


def _phases(text: str) -> int:
    """The phases A, B and C in ``text`` as bits; all of them where none is named."""
    return sum(1 << bit for bit, phase in enumerate("ABC") if phase in text) or _ALL
