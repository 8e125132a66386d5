"""The whole network at one instant, to be asked what it is and what it would be after an operation.

A section is a set of nodes that hang together over equipment that conducts on any phase, transformers included: what
becomes live together, or is earthed together. Its border are the open switches around it and the generators in it, for
a generator is a way by which a section can come alive.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

from msgspec import Struct
from msgspec.structs import replace

from contracts.nouns.feeder_topology import Equipment, Feeder, UsagePoint
from contracts.nouns.units import PhaseCode
from services.network_operation.domain.energisation import ALL, EARTH, NONE, Network, Phases, live_phases

INVERTERS = frozenset({"PowerElectronicsConnection"})
"""Generators that leave the network by themselves when they lose it (IEEE 1547)."""

MACHINES = frozenset({"AsynchronousMachine", "EquivalentInjection", "ExternalNetworkInjection", "SynchronousMachine"})
"""Generators that may keep an island alive."""

GENERATORS = INVERTERS | MACHINES

GROUND, GROUND_SWITCH, CUT = "Ground", "GroundDisconnector", "Cut"


class Feed(Struct, frozen=True, kw_only=True):
    """By which way a node is live: its source, the switches and transformers on the way, and what its phases are there.

    ``letters`` are the phases of the source that stand on A, B and C of the node.
    """

    source: str
    switches: tuple[str, ...] = ()
    transformers: tuple[str, ...] = ()
    letters: str = "ABC"


class Grid:
    """The network as some feeders tell it, all together; it does not change."""

    def __init__(self, feeders: Iterable[Feeder]) -> None:
        self.feeders = tuple(feeders)
        self.equipment = {each.mrid: each for feeder in self.feeders for each in feeder.equipment}
        self._network = Network(
            replace(feeder, equipment=tuple(map(_conducting, feeder.equipment))) for feeder in self.feeders
        )

    @cached_property
    def live(self) -> Mapping[str, Phases]:
        """The phases on which each node is live; dead nodes are absent."""
        return live_phases(self._network)

    @cached_property
    def at_node(self) -> Mapping[str, tuple[Equipment, ...]]:
        """The equipment that ends at each node, in the order of mRIDs."""
        found: defaultdict[str, list[Equipment]] = defaultdict(list)
        for mrid in sorted(self.equipment):
            each = self.equipment[mrid]
            for node in _ends(each):
                found[node].append(each)
        return {node: tuple(some) for node, some in found.items()}

    @cached_property
    def usage_points(self) -> tuple[UsagePoint, ...]:
        """All usage points."""
        return tuple(point for feeder in self.feeders for point in feeder.usage_point)

    @cached_property
    def supplied(self) -> frozenset[str]:
        """The usage points all of whose phases are live."""
        return frozenset(
            point.mrid for point in self.usage_points if not Phases.of(point.phases) & ~self.live.get(point.node, NONE)
        )

    @cached_property
    def _sections(self) -> Mapping[str, frozenset[str]]:
        found: dict[str, frozenset[str]] = {}
        for start in sorted(self.at_node):
            if start not in found:
                members = {start}
                queue = deque([start])
                while queue:
                    for edge in self._network.edges[queue.popleft()]:
                        if edge.other not in members and edge.other != EARTH and edge.phases:
                            members.add(edge.other)
                            queue.append(edge.other)
                found |= dict.fromkeys(members, frozenset(members))
        return found

    @cached_property
    def feeds(self) -> Mapping[str, Feed]:
        """The shortest way by which each live node is fed; sources in the order of mRIDs."""
        found: dict[str, Feed] = {}
        queue: deque[str] = deque()
        for mrid in sorted(self.equipment):
            source = self.equipment[mrid]
            if source.kind == "EnergySource" and source.node1 not in found:
                found[source.node1] = Feed(source=mrid)
                queue.append(source.node1)
        while queue:
            node = queue.popleft()
            for edge in self._network.edges[node]:
                if edge.phases and edge.other not in found and edge.other != EARTH:
                    found[edge.other] = passed(found[node], edge.equipment, node)
                    queue.append(edge.other)
        return found

    def loop(self, one: str, other: str) -> tuple[str, ...]:
        """The switches on the ways by which two live nodes are fed, without those that both ways pass."""
        ways = [frozenset(self.feeds[node].switches) for node in (one, other) if node in self.feeds]
        return tuple(sorted(frozenset[str]().union(*ways) - frozenset.intersection(*ways))) if ways else ()

    def section(self, node: str) -> frozenset[str]:
        """The section of a node."""
        return self._sections.get(node, frozenset({node}))

    def is_live(self, nodes: Iterable[str]) -> bool:
        """True when any of the nodes is live on any phase."""
        return any(node in self.live for node in nodes)

    def border(self, section: frozenset[str]) -> tuple[Equipment, ...]:
        """The switches around a section, open as they are, and the generators in it, by mRID.

        A cut is no way in, and what lies behind an earthing switch is earth.
        """
        found = {
            each.mrid: each
            for node in section
            for each in self.at_node.get(node, ())
            if each.kind in GENERATORS
            or (each.open and each.kind not in {CUT, GROUND_SWITCH} and not section.issuperset(_ends(each)))
        }
        return tuple(found[mrid] for mrid in sorted(found))

    def grounds(self, section: frozenset[str]) -> tuple[Equipment, ...]:
        """What earths a section."""
        return self._within(section, frozenset({GROUND}))

    def generators(self, section: frozenset[str]) -> tuple[Equipment, ...]:
        """What may make a section live although no source does."""
        return self._within(section, GENERATORS)

    def with_equipment(self, each: Equipment) -> "Grid":
        """The network with one piece of equipment in another state."""
        return Grid(
            replace(
                feeder,
                equipment=tuple(each if other.mrid == each.mrid else other for other in feeder.equipment),
            )
            for feeder in self.feeders
        )

    def switched(self, device: str, *, is_open: bool, phases: Phases | None = None) -> "Grid":
        """The network after a switch was operated, on some ``phases`` only where they are given."""
        switch = self.equipment[device]
        return self.with_equipment(_operated(switch, is_open=is_open, phases=phases))

    def energised_by(self, after: "Grid") -> frozenset[str]:
        """The nodes that have more live phases ``after`` than here."""
        return frozenset(node for node, phases in after.live.items() if phases & ~self.live.get(node, NONE))

    def _within(self, section: frozenset[str], kinds: frozenset[str]) -> tuple[Equipment, ...]:
        found = {each.mrid: each for node in section for each in self.at_node.get(node, ()) if each.kind in kinds}
        return tuple(found[mrid] for mrid in sorted(found))


def passed(feed: Feed, equipment: Equipment, node: str) -> Feed:
    """What ``feed`` is at the other end of the equipment that is entered at ``node``."""
    if equipment.kind == "PowerTransformer":
        feed = replace(feed, transformers=(*feed.transformers, equipment.mrid))
    if equipment.open is not None:
        feed = replace(feed, switches=(*feed.switches, equipment.mrid))
    if equipment.phases_at_node2 is None:
        return feed
    forward = dict(zip(equipment.phases, equipment.phases_at_node2, strict=False))
    there = forward if node == equipment.node1 else {new: old for old, new in forward.items()}
    at = dict(zip("ABC", feed.letters, strict=True))
    moved = {there.get(letter, letter): origin for letter, origin in at.items()}
    return replace(feed, letters="".join(moved.get(letter, "-") for letter in "ABC"))


def open_phases(equipment: Equipment) -> Phases:
    """The phases on which a switch is open."""
    if equipment.open:
        return Phases.of(equipment.phases)
    return NONE if equipment.open_phases is None else Phases.of(equipment.open_phases)


def _operated(switch: Equipment, *, is_open: bool, phases: Phases | None) -> Equipment:
    own = Phases.of(switch.phases)
    moved = own if phases is None else own & phases
    opened = (open_phases(switch) | moved) if is_open else (open_phases(switch) & ~moved)
    partly = opened.code if opened and opened != own else None
    return replace(switch, open=bool(own) and opened == own, open_phases=partly)


def _conducting(equipment: Equipment) -> Equipment:
    """The equipment with no more phases than conduct."""
    if equipment.open or equipment.open_phases is None:
        return equipment
    kept = (Phases.of(equipment.phases) & ALL & ~Phases.of(equipment.open_phases)).code
    return replace(equipment, open=True) if kept is None else replace(equipment, phases=PhaseCode(kept))


def _ends(equipment: Equipment) -> Iterator[str]:
    yield equipment.node1
    if equipment.node2 is not None:
        yield equipment.node2
