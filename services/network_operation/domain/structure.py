"""The network as built, as integers: what is joined for good, and what may be opened between.

A *point* is one phase of one node. Points that are joined by what never opens (lines, transformers that pass phase by
phase) are one *zone*, so all of a zone is live or none of it. An *arc* is one phase of a switch between two zones; a
*bank* is a transformer that does not pass phase by phase, between three zones and three. The graph of zones and arcs is
far smaller than that of nodes, and it stays the same as long as the model does.

Everything is numbered in the order of mRIDs, so that nothing depends on the order of the model.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TypeVar

import numpy as np
import rustworkx as rx
from msgspec import Struct
from numpy.typing import NDArray

from contracts.nouns.feeder_topology import Equipment, Feeder, UsagePoint
from services.network_operation.domain.phases import PLACES, Phases, places
from services.network_operation.domain.windings import Winding, winding

T = TypeVar("T", Equipment, UsagePoint)

SOURCE = "EnergySource"
GROUND = "Ground"
GENERATORS = frozenset(
    {
        "AsynchronousMachine",
        "EquivalentInjection",
        "ExternalNetworkInjection",
        "PowerElectronicsConnection",
        "SynchronousMachine",
    }
)
"""What may feed a network that has lost its sources."""

NOWHERE = -1
"""The zone of a phase that a node does not have; one place is kept for it after the last zone, and is always dead."""

_FEW = 50
"""Below this part of all zones their members are put together one by one, and else all are looked through."""

Zones = tuple[int, int, int]
"""The zones of the phases A, B and C at one place, or :data:`NOWHERE`."""


class Arc(Struct, frozen=True):
    """One phase of a switch: its number among the switches, the bit of the phase at the first node, and its zones."""

    switch: int
    phase: int
    zone1: int
    zone2: int


class Bank(Struct, frozen=True):
    """A transformer that does not pass phase by phase, with the zones of its sides, and all of them together."""

    equipment: Equipment
    winding: Winding
    side1: Zones
    side2: Zones
    zones: tuple[int, ...]


class Structure:
    """The feeders of one version of the model; what stands in two feeders counts once.

    Attributes:
        feeders: the feeders as built, by mRID.
        equipment: all equipment by mRID.
        usage_points: all usage points by mRID.
        nodes: the mRIDs of the nodes; their place is their number.
        node: the number of a node by its mRID.
        switches: what opens and closes; its place is its number.
        switch: the number of a switch by its mRID.
        feeders_of_node: in which feeders each node is told.
        feeders_of_switch: in which feeders each switch is told.
        feeders_of_point: in which feeders each usage point is told, by its mRID.
        zones_of_node: the zones of each node.
        zone_count: how many zones there are.
        arcs: all arcs; one whose ends are joined anyhow is none.
        arcs_of_switch: for each switch the numbers of its arcs.
        arcs_at: for each zone its arcs, as pairs of the arc and the zone at its other end.
        banks: all banks.
        banks_at: for each zone that a bank touches, its banks.
        sources: the zones that each source feeds, by its mRID.
        fed: the zones that sources feed.
        generating: the zones that a generator may feed.
        grounds: the zones that each ground of the model is on, by its mRID.
        grounded: all those zones.
    """

    def __init__(self, feeders: Iterable[Feeder]) -> None:
        self.feeders: Mapping[str, Feeder] = {each.mrid: each for each in sorted(feeders, key=lambda each: each.mrid)}
        members = self.feeders.values()
        self.equipment = _by_mrid(each for feeder in members for each in feeder.equipment)
        self.usage_points = _by_mrid(each for feeder in members for each in feeder.usage_point)
        self.switches: Sequence[Equipment] = [each for each in self.equipment.values() if is_switch(each)]
        self.switch: Mapping[str, int] = {each.mrid: number for number, each in enumerate(self.switches)}
        homes = dict(_homes(members))
        self.nodes: Sequence[str] = sorted(homes)
        self.node: Mapping[str, int] = {mrid: number for number, mrid in enumerate(self.nodes)}
        self.feeders_of_node: Sequence[tuple[str, ...]] = [homes[mrid] for mrid in self.nodes]
        told = _tellers((each.mrid, feeder.mrid) for feeder in members for each in feeder.equipment)
        self.feeders_of_switch: Sequence[tuple[str, ...]] = [told[each.mrid] for each in self.switches]
        self.feeders_of_point = _tellers((each.mrid, feeder.mrid) for feeder in members for each in feeder.usage_point)
        self._join()

    def zones(self, node: str) -> Zones:
        """The zones of a node; nowhere for one that is unknown."""
        number = self.node.get(node)
        return (NOWHERE, NOWHERE, NOWHERE) if number is None else self.zones_of_node[number]

    def zones_of(self, node: str, phases: str) -> tuple[int, ...]:
        """The zones of some phases of a node, without those that it does not have."""
        zones = self.zones(node)
        return tuple(zones[place] for place in places(phases) if zones[place] != NOWHERE)

    @cached_property
    def equipment_at(self) -> Mapping[str, tuple[str, ...]]:
        """The mRIDs of the equipment that ends at each node, sorted."""
        found: dict[str, list[str]] = {}
        for mrid, each in self.equipment.items():
            for node in (each.node1, each.node2):
                if node is not None:
                    found.setdefault(node, []).append(mrid)
        return {node: tuple(mrids) for node, mrids in found.items()}

    @cached_property
    def zone_table(self) -> NDArray[np.int64]:
        """The zones of each node by phase, :data:`NOWHERE` for a phase that it does not have."""
        return np.array(self.zones_of_node, dtype=np.int64).reshape(-1, 3)

    @cached_property
    def nodes_of_zone(self) -> "Members":
        """The numbers of the nodes that each zone has."""
        return Members(self.zone_count, self.zone_table)

    @cached_property
    def ends_of_arcs(self) -> NDArray[np.int64]:
        """The two zones of each arc."""
        return np.array([(arc.zone1, arc.zone2) for arc in self.arcs], dtype=np.int64).reshape(-1, 2)

    @cached_property
    def points(self) -> Sequence[UsagePoint]:
        """The usage points in the order of their mRIDs; their place is their number."""
        return list(self.usage_points.values())

    @cached_property
    def zones_of_points(self) -> NDArray[np.int64]:
        """For each usage point the zones of its phases A, B and C, :data:`NOWHERE` for what it or its node has not."""
        found = np.full((len(self.points), 3), NOWHERE, dtype=np.int64)
        for number, point in enumerate(self.points):
            zones = self.zones(point.node)
            for place in places(point.phases):
                found[number, place] = zones[place]
        return found

    @cached_property
    def points_of_zone(self) -> "Members":
        """The numbers of the usage points that are served from each zone."""
        return Members(self.zone_count, self.zones_of_points)

    def _join(self) -> None:
        """Join the points for good, and put arcs and banks between the zones that follow."""
        fixed: list[tuple[int, int]] = []
        present = bytearray(3 * len(self.nodes))
        for point in self.usage_points.values():
            for place in places(point.phases):
                present[3 * self.node[point.node] + place] = 1
        wound: dict[str, Winding] = {}
        for each in self.equipment.values():
            ways = self._ways(each)
            for _, one, other in ways:
                present[one] = present[other] = 1
            found = winding(each.connection, Phases.of(each.phases)) if each.node2 is not None else None
            if found is not None:
                wound[each.mrid] = found
            elif each.node2 is not None and not is_switch(each):
                fixed += [(one, other) for _, one, other in ways]
        zone = self._number_zones(fixed, present)
        self.zones_of_node: Sequence[Zones] = [
            (zone[at], zone[at + 1], zone[at + 2]) for at in range(0, len(zone), len(PLACES))
        ]
        self._place_arcs(zone)
        self._place_banks(wound)
        self._place_ends()

    def _number_zones(self, fixed: list[tuple[int, int]], present: bytearray) -> Sequence[int]:
        """The zone of each point, numbered in the order of their first points."""
        graph = rx.PyGraph[None, None](multigraph=True)
        graph.add_nodes_from([None] * len(present))
        graph.add_edges_from_no_data(fixed)
        parts = [part for part in rx.connected_components(graph) if present[next(iter(part))]]
        zone = [NOWHERE] * len(present)
        for number, part in enumerate(sorted(parts, key=min)):
            for point in part:
                zone[point] = number
        self.zone_count = len(parts)
        return zone

    def _ways(self, each: Equipment) -> list[tuple[int, int, int]]:
        """For each phase its bit and the points that it joins; a point with itself where there is one node only."""
        one = 3 * self.node[each.node1]
        other = one if each.node2 is None else 3 * self.node[each.node2]
        here = places(each.phases)
        there = here if each.phases_at_node2 is None else tuple(map("ABC".index, each.phases_at_node2))
        return [(1 << a, one + a, other + b) for a, b in zip(here, there, strict=False)]

    def _place_arcs(self, zone: Sequence[int]) -> None:
        self.arcs: list[Arc] = []
        self.arcs_of_switch: list[list[int]] = []
        self.arcs_at: list[list[tuple[int, int]]] = [[] for _ in range(self.zone_count)]
        for number, switch in enumerate(self.switches):
            own = []
            for phase, one, other in self._ways(switch):
                arc = Arc(number, phase, zone[one], zone[other])
                if arc.zone1 != arc.zone2:
                    own.append(len(self.arcs))
                    self.arcs_at[arc.zone1].append((len(self.arcs), arc.zone2))
                    self.arcs_at[arc.zone2].append((len(self.arcs), arc.zone1))
                    self.arcs.append(arc)
            self.arcs_of_switch.append(own)

    def _place_banks(self, wound: Mapping[str, Winding]) -> None:
        self.banks: list[Bank] = []
        self.banks_at: defaultdict[int, list[int]] = defaultdict(list)
        for mrid, found in wound.items():
            each = self.equipment[mrid]
            side1, side2 = self._side(each.node1, found), self._side(each.node2 or each.node1, found)
            zones = tuple(sorted({*side1, *side2} - {NOWHERE}))
            for zone in zones:
                self.banks_at[zone].append(len(self.banks))
            self.banks.append(Bank(each, found, side1, side2, zones))

    def _side(self, node: str, found: Winding) -> Zones:
        """The zones of the winding's phases at a node."""
        one, two, three = (
            zone if found.phases >> place & 1 else NOWHERE for place, zone in zip(PLACES, self.zones(node), strict=True)
        )
        return (one, two, three)

    def _place_ends(self) -> None:
        """Note where sources, generators and grounds are."""
        self.sources: dict[str, tuple[int, ...]] = {}
        self.generating: set[int] = set()
        self.grounds: dict[str, tuple[int, ...]] = {}
        for each in self.equipment.values():
            zones = self.zones_of(each.node1, each.phases)
            if each.kind == SOURCE and not each.open:
                self.sources[each.mrid] = zones
            elif each.kind in GENERATORS:
                self.generating.update(zones)
            elif each.kind == GROUND:
                self.grounds[each.mrid] = zones
        self.grounded = frozenset(zone for zones in self.grounds.values() for zone in zones)
        self.fed = frozenset(zone for zones in self.sources.values() for zone in zones)


class Members:
    """What each zone has, by numbers.

    Args:
        zones: how many zones there are.
        rows: for each member the zones that it has, :data:`NOWHERE` where there is none; one row each.
    """

    def __init__(self, zones: int, rows: NDArray[np.int64]) -> None:
        self._rows = rows
        numbers = np.repeat(np.arange(len(rows)), rows.shape[1])
        flat = rows.ravel()
        known = flat != NOWHERE
        order = np.argsort(flat[known], kind="stable")
        self._members = numbers[known][order]
        self._first = np.searchsorted(flat[known][order], np.arange(zones + 1))

    def of(self, zones: Sequence[int]) -> NDArray[np.int64]:
        """The members of some zones, each once, in their order."""
        count = len(self._first) - 1
        if len(zones) * _FEW > count:
            chosen = np.zeros(count + 1, dtype=bool)
            chosen[list(zones)] = True
            return np.flatnonzero(chosen[self._rows].any(axis=1))
        parts = [self._members[self._first[zone] : self._first[zone + 1]] for zone in zones]
        return np.unique(np.concatenate(parts)) if parts else self._members[:0]


def is_switch(each: Equipment) -> bool:
    """True for what opens and closes between two nodes."""
    return each.node2 is not None and (each.open is not None or each.normal_open is not None)


def _by_mrid(members: Iterable[T]) -> Mapping[str, T]:
    """Members by mRID in its order; the first of those that have the same."""
    found: dict[str, T] = {}
    for each in members:
        found.setdefault(each.mrid, each)
    return {mrid: found[mrid] for mrid in sorted(found)}


def _tellers(members: Iterable[tuple[str, str]]) -> Mapping[str, tuple[str, ...]]:
    """The feeders that tell each member."""
    found: dict[str, tuple[str, ...]] = {}
    for mrid, feeder in members:
        found[mrid] = (*found.get(mrid, ()), feeder)
    return found


def _homes(feeders: Iterable[Feeder]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The feeders that tell each node; none for a node that is only named by what stands there."""
    told: defaultdict[str, list[str]] = defaultdict(list)
    for feeder in feeders:
        for node in feeder.connectivity_node:
            told[node.mrid].append(feeder.mrid)
        named = [each.node1 for each in feeder.equipment] + [point.node for point in feeder.usage_point]
        for mrid in [*named, *(each.node2 for each in feeder.equipment if each.node2 is not None)]:
            told[mrid]
    return ((mrid, tuple(feeders)) for mrid, feeders in told.items())
