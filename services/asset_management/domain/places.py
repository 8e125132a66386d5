"""Positions of the network: how many customers depend on each, and when each was live.

A position is a piece of equipment of the network model (a PowerSystemResource). Who depends on it is counted in the
normal state: the customers behind it, seen from the source.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec import Struct

from contracts.nouns.feeder_topology import Equipment, Feeder, FeederTopology

SOURCE = "EnergySource"


class Position(Struct, frozen=True, kw_only=True):
    """A place for an asset; ``customers`` lose their supply when it fails, ``length_m`` is that of a line."""

    mrid: str
    name: str
    kind: str
    feeder: str
    node1: str
    node2: str | None
    customers: int
    length_m: float | None = None

    @property
    def nodes(self) -> tuple[str, ...]:
        """The nodes at which it hangs."""
        return (self.node1,) if self.node2 is None else (self.node1, self.node2)


class Liveliness(Struct, frozen=True, kw_only=True):
    """The nodes of a feeder that were told to be live or dead from an instant on."""

    feeder: str
    at: datetime
    revision: int
    live: tuple[str, ...]
    dead: tuple[str, ...]


def positions_in(feeder: Feeder) -> list[Position]:
    """The equipment of a feeder, each with the customers behind it; in a mesh, behind it on the shortest way."""
    at_node: dict[str, int] = defaultdict(int)
    for point in feeder.usage_point:
        at_node[point.node] += point.customers
    behind = _behind(feeder.equipment, at_node)
    return [
        Position(
            mrid=each.mrid,
            name=each.name,
            kind=each.kind,
            feeder=feeder.mrid,
            node1=each.node1,
            node2=each.node2,
            customers=behind.get(each.mrid, 0),
            length_m=each.length,
        )
        for each in feeder.equipment
    ]


def _behind(equipment: Sequence[Equipment], at_node: dict[str, int]) -> dict[str, int]:
    """For each piece of equipment on the ways from the sources the customers beyond it."""
    edges: dict[str, list[tuple[str, str]]] = defaultdict(list)
    sources = []
    for each in sorted(equipment, key=lambda item: item.mrid):
        if each.kind == SOURCE:
            sources.append(each)
        if each.node2 is not None and not each.normal_open:
            edges[each.node1].append((each.mrid, each.node2))
            edges[each.node2].append((each.mrid, each.node1))
    reached_by: dict[str, tuple[str, str] | None] = {source.node1: None for source in sources}
    order = list(reached_by)
    queue = deque(order)
    while queue:
        node = queue.popleft()
        for mrid, other in edges[node]:
            if other not in reached_by:
                reached_by[other] = (mrid, node)
                order.append(other)
                queue.append(other)
    below = {node: at_node.get(node, 0) for node in order}
    behind: dict[str, int] = {}
    for node in reversed(order):
        way = reached_by[node]
        if way is not None:
            behind[way[0]] = behind.get(way[0], 0) + below[node]
            below[way[1]] += below[node]
    ends = {each.mrid: at_node.get(each.node1, 0) for each in equipment if each.node2 is None and each.kind != SOURCE}
    return {**ends, **{source.mrid: below[source.node1] for source in sources}, **behind}


def liveness_in(topology: FeederTopology) -> list[Liveliness]:
    """What a message says of nodes: of whole feeders all of them, of changes those that changed."""
    told: Iterable[Feeder] = topology.feeder
    whole = [(each.mrid, each.event_time, each.revision, each.connectivity_node) for each in told]
    changes = [
        (each.mrid, each.event_time, each.revision, each.connectivity_node)
        for each in topology.feeder_change
        if each.connectivity_node
    ]
    return [
        Liveliness(
            feeder=feeder,
            at=at,
            revision=revision,
            live=tuple(node.mrid for node in nodes if node.source_phases is not None),
            dead=tuple(node.mrid for node in nodes if node.source_phases is None),
        )
        for feeder, at, revision, nodes in (*whole, *changes)
    ]


def timeline(position: Position, told: Iterable[Liveliness]) -> list[tuple[datetime, bool]]:
    """When a position became live and dead; it is live while one of its nodes is."""
    states: dict[str, bool] = {}
    line: list[tuple[datetime, bool]] = []
    for each in sorted(told, key=lambda item: (item.at, item.revision)):
        before = dict(states)
        states |= {node: True for node in position.nodes if node in each.live}
        states |= {node: False for node in position.nodes if node in each.dead}
        if states != before:
            live = any(states.values())
            if not line or line[-1][1] is not live:
                line.append((each.at, live))
    return line
