"""Zones and the gates between them: the network as isolation and restoration see it.

A zone is all that hangs together without a switch and without a fault indicator: where something is broken inside of
it cannot be told, nor can part of it be switched off. A gate is what lies between two zones.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping

from msgspec import Struct

from contracts.nouns.feeder_topology import Equipment, Feeder, UsagePoint


class Gate(Struct, frozen=True, kw_only=True):
    """A switch or a fault indicator, between the zones ``one`` and ``other``.

    Attributes:
        switch: False for a fault indicator, through which current always passes.
        closed: current passes.
        operable: it can be switched from afar, and its state is believed.
        protective: it opens by itself on a fault behind it.
    """

    mrid: str
    one: str
    other: str
    switch: bool
    closed: bool
    operable: bool
    protective: bool

    def across(self, zone: str) -> str:
        """The zone on the other side."""
        return self.other if zone == self.one else self.one


class Zone(Struct, frozen=True, kw_only=True):
    """One zone.

    Attributes:
        points: whom it serves, by mRID.
        live: it has supply now.
        source: it has a source of its own.
        breakable: there is something in it that can break.
    """

    mrid: str
    points: tuple[UsagePoint, ...]
    live: bool
    source: bool
    breakable: bool

    @property
    def customers(self) -> int:
        """How many customers it serves."""
        return sum(point.customers for point in self.points)

    @property
    def critical(self) -> int:
        """How many of them must not be without supply."""
        return sum(point.customers for point in self.points if point.critical)


class Grid:
    """The zones and gates of some feeders.

    Attributes:
        zones: by mRID, which is the smallest one of what is in it.
        gates: by mRID.
        suspect: the switches whose state is not believed, or that are open in some phases only.
    """

    def __init__(self, feeders: Iterable[Feeder]) -> None:
        members = sorted(feeders, key=lambda feeder: feeder.mrid)
        equipment = {each.mrid: each for feeder in members for each in feeder.equipment}
        flags = {flag.mrid: flag for feeder in members for flag in feeder.fault_indicator}
        places = {(flag.equipment, flag.node): mrid for mrid, flag in sorted(flags.items())}
        together = _Together()
        for each in equipment.values():
            for end, node in _ends(each):
                together.add(_vertex(each, end))
                together.add(node)
                if (each.mrid, node) not in places:
                    together.join(_vertex(each, end), node)
        self.suspect = frozenset(each.mrid for each in equipment.values() if each.suspect or each.open_phases)
        self.gates: dict[str, Gate] = {}
        for mrid, each in sorted(equipment.items()):
            if _switches(each) and each.node2 is not None:
                self.gates[mrid] = self._switch(each, together)
        for (mrid, node), flag in sorted(places.items(), key=lambda item: item[1]):
            if mrid in equipment:
                end = 1 if equipment[mrid].node1 == node else 2
                one, other = together.zone(node), together.zone(_vertex(equipment[mrid], end))
                self.gates[flag] = Gate(
                    mrid=flag, one=one, other=other, switch=False, closed=True, operable=False, protective=False
                )
        self.zones = dict(sorted(self._zones(members, equipment, together).items()))
        self._at: defaultdict[str, list[Gate]] = defaultdict(list)
        for gate in self.gates.values():
            self._at[gate.one].append(gate)
            self._at[gate.other].append(gate)

    def at(self, zone: str) -> list[Gate]:
        """The gates of a zone, by mRID."""
        return self._at[zone]

    def reach(self, start: Iterable[str], closed: Collection[str], barred: Collection[str] = ()) -> dict[str, str]:
        """The zones to which gates in ``closed`` lead from ``start``, each with the gate by which it was reached.

        Nothing leads into a zone that is ``barred``. The zones of ``start`` have no gate.
        """
        reached = dict.fromkeys((zone for zone in sorted(start) if zone not in barred), "")
        queue = list(reached)
        for zone in queue:
            for gate in self.at(zone):
                other = gate.across(zone)
                if gate.mrid in closed and other not in reached and other not in barred:
                    reached[other] = gate.mrid
                    queue.append(other)
        return reached

    @property
    def closed(self) -> frozenset[str]:
        """The gates through which current passes now."""
        return frozenset(mrid for mrid, gate in self.gates.items() if gate.closed)

    def _switch(self, each: Equipment, together: "_Together") -> Gate:
        return Gate(
            mrid=each.mrid,
            one=together.zone(_vertex(each, 1)),
            other=together.zone(_vertex(each, 2)),
            switch=True,
            closed=not each.open,
            operable=each.remotely_operable and each.mrid not in self.suspect,
            protective=each.protective,
        )

    def _zones(
        self, members: Iterable[Feeder], equipment: Mapping[str, Equipment], together: "_Together"
    ) -> dict[str, Zone]:
        live: set[str] = set()
        points: defaultdict[str, dict[str, UsagePoint]] = defaultdict(dict)
        for feeder in members:
            live |= {together.zone(n.mrid) for n in feeder.connectivity_node if n.source_phases is not None}
            for point in feeder.usage_point:
                points[together.zone(point.node)][point.mrid] = point
        fixed = [each for each in equipment.values() if not _switches(each)]
        sources = {together.zone(each.node1) for each in fixed if each.kind == "EnergySource"}
        breakable = {together.zone(_vertex(each, 1)) for each in fixed}
        names = (
            {zone for gate in self.gates.values() for zone in (gate.one, gate.other)} | breakable | live | set(points)
        )
        return {
            zone: Zone(
                mrid=zone,
                points=tuple(point for _, point in sorted(points[zone].items())),
                live=zone in live,
                source=zone in sources,
                breakable=zone in breakable,
            )
            for zone in names
        }


class _Together:
    """What hangs together: a forest of places, each tree named by the smallest of them."""

    def __init__(self) -> None:
        self._above: dict[str, str] = {}

    def add(self, place: str) -> None:
        """A place exists."""
        self._above.setdefault(place, place)

    def join(self, one: str, other: str) -> None:
        """Two places hang together."""
        first, second = sorted((self.zone(one), self.zone(other)))
        self._above[second] = first

    def zone(self, place: str) -> str:
        """The zone in which a place is; one that nothing is known of is alone."""
        while self._above.get(place, place) != place:
            self._above[place] = place = self._above[self._above[place]]
        return place


def _switches(equipment: Equipment) -> bool:
    return equipment.normal_open is not None or equipment.open is not None


def _ends(equipment: Equipment) -> Iterator[tuple[int, str]]:
    yield 1, equipment.node1
    if equipment.node2 is not None:
        yield 2, equipment.node2


def _vertex(equipment: Equipment, end: int) -> str:
    """The place at one end of a piece of equipment; what is no switch is one place."""
    return f"{equipment.mrid} {end}" if _switches(equipment) else equipment.mrid
