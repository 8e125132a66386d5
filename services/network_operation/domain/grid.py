"""The whole network at one instant, as switching looks at it: what it is, and what it would be after an operation.

A section is a set of nodes that hang together over equipment that conducts on any phase, transformers included: what
becomes live together, or is earthed together. Its border are the open switches around it and the generators in it, for
a generator is a way by which a section can come alive.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

from msgspec import Struct
from msgspec.structs import replace

from contracts.nouns.feeder_topology import Equipment, Feeder, UsagePoint
from services.network_operation.domain.network_state import Effect, NetworkState, Operation
from services.network_operation.domain.phases import ALL, NONE, Phases
from services.network_operation.domain.structure import GENERATORS, Structure

INVERTERS = frozenset({"PowerElectronicsConnection"})
"""Generators that leave the network by themselves when they lose it (IEEE 1547)."""

GROUND_SWITCH, CUT = "GroundDisconnector", "Cut"


class Feed(Struct, frozen=True, kw_only=True):
    """By which way a node is live: its source, the switches and transformers on the way, and what its phases are there.

    ``letters`` are the phases of the source that stand on A, B and C of the node.
    """

    source: str
    switches: tuple[str, ...] = ()
    transformers: tuple[str, ...] = ()
    letters: str = "ABC"


class Grid:
    """A state of the network with questions of switching; it does not change."""

    def __init__(self, state: NetworkState) -> None:
        self.state = state

    @classmethod
    def of(cls, feeders: Iterable[Feeder]) -> "Grid":
        """The network as some feeders tell it, all together."""
        structure = Structure(feeders)
        return cls(NetworkState.of(structure, doubted=(each.mrid for each in structure.switches if each.suspect)))

    @cached_property
    def feeders(self) -> tuple[Feeder, ...]:
        """The feeders in this state, by mRID."""
        return tuple(self.state.feeder(mrid) for mrid in self.state.structure.feeders)

    @property
    def usage_points(self) -> Mapping[str, UsagePoint]:
        """All usage points by mRID."""
        return self.state.structure.usage_points

    def get(self, mrid: str) -> Equipment | None:
        """A piece of equipment as it stands now; None where there is no such."""
        if mrid in self.state.structure.switch:
            return self.state.device(mrid)
        return self.state.structure.equipment.get(mrid)

    def name(self, mrid: str) -> str:
        """What people call a piece of equipment; of anything else its mRID."""
        known = self.state.structure.equipment.get(mrid)
        return mrid if known is None else known.name

    def is_node(self, mrid: str) -> bool:
        """True for a node."""
        return mrid in self.state.structure.node

    def beside(self, node: str) -> tuple[Equipment, ...]:
        """The equipment that ends at a node, in the order of mRIDs."""
        mrids = self.state.structure.equipment_at.get(node, ())
        return tuple(each for mrid in mrids if (each := self.get(mrid)) is not None)

    def voltage(self, node: str) -> Phases:
        """The phases of a node that have voltage, be it the right one or not."""
        return self.state.live(node) | self.state.abnormal(node)

    def is_live(self, nodes: Iterable[str]) -> bool:
        """True when any of the nodes has voltage on any phase."""
        return any(self.voltage(node) for node in nodes)

    def section(self, node: str) -> frozenset[str]:
        """The section of a node."""
        return frozenset(self.state.section(node).nodes) | {node}

    def border(self, section: frozenset[str]) -> tuple[Equipment, ...]:
        """The switches around a section, open as they are, and the generators in it, by mRID.

        A cut is no way in, and what lies behind an earthing switch is earth.
        """
        found = {
            each.mrid: each
            for node in section
            for each in self.beside(node)
            if each.kind in GENERATORS
            or (each.open and each.kind not in {CUT, GROUND_SWITCH} and not section.issuperset(_ends(each)))
        }
        return tuple(found[mrid] for mrid in sorted(found))

    @property
    def grounds(self) -> tuple[Equipment, ...]:
        """All that earths something, by mRID."""
        return tuple(self.state.structure.equipment[mrid] for mrid in self.state.structure.grounds)

    def grounds_of(self, section: frozenset[str]) -> tuple[Equipment, ...]:
        """What earths a section."""
        return tuple(each for each in self.grounds if each.node1 in section)

    def generators(self, section: frozenset[str]) -> tuple[Equipment, ...]:
        """What may make a section live although no source does, by mRID."""
        found = {each.mrid: each for node in section for each in self.beside(node) if each.kind in GENERATORS}
        return tuple(found[mrid] for mrid in sorted(found))

    def switched(self, device: str, *, is_open: bool, phases: Phases | None = None) -> "Grid":
        """The network after a switch was operated, on some ``phases`` only where they are given."""
        operation = Operation(device=device, open=is_open, phases=ALL if phases is None else phases)
        return Grid(self.state.after(operation))

    @cached_property
    def normal(self) -> "Grid":
        """The network with every switch in its normal position."""
        wanted = ((each, ALL if each.normal_open else NONE) for each in self.state.structure.switches)
        moved = [
            Operation(device=each.mrid, open=bool(each.normal_open))
            for each, phases in wanted
            if self.state.open_phases(each.mrid) != phases & Phases.of(each.phases)
        ]
        return Grid(self.state.after(*moved))

    def energised_by(self, after: "Grid") -> frozenset[str]:
        """The nodes that have voltage on more phases ``after`` than here."""
        nodes: Iterable[str] = after.state.structure.nodes
        if after.state.structure is self.state.structure:
            nodes = Effect(self.state, after.state).nodes
        return frozenset(node for node in nodes if after.voltage(node) & ~self.voltage(node))

    def dropped_by(self, after: "Grid") -> tuple[UsagePoint, ...]:
        """The usage points that lose a phase until ``after``, by mRID."""
        if after.state.structure is self.state.structure:
            return tuple(self.usage_points[mrid] for mrid in Effect(self.state, after.state).dropped)
        before, then = self.state, after.state
        return tuple(
            point
            for mrid, point in self.usage_points.items()
            if before.is_supplied(mrid) and not then.is_supplied(mrid)
        )

    def feed(self, node: str) -> Feed | None:
        """The shortest way by which a node is fed; None where no source is. Of ways as short the first source counts.

        It is looked for from the node, so that it costs what is about the node and not the whole network.
        """
        ahead: dict[str, tuple[Equipment, str] | None] = {node: None}
        level = [node]
        while level:
            sources = [self._sources[each] for each in level if each in self._sources]
            if sources:
                return self._along(min(sources), ahead)
            beyond = []
            for here in level:
                for each in self.beside(here):
                    other = each.node2 if each.node1 == here else each.node1
                    if other is not None and not each.open and other not in ahead:
                        ahead[other] = each, here
                        beyond.append(other)
            level = beyond
        return None

    @cached_property
    def _sources(self) -> Mapping[str, tuple[str, str]]:
        """The first source at each node that has one: its mRID and the node."""
        at = ((self.state.structure.equipment[mrid].node1, mrid) for mrid in reversed(self.state.structure.sources))
        return {node: (mrid, node) for node, mrid in at}

    def _along(self, source: tuple[str, str], ahead: Mapping[str, tuple[Equipment, str] | None]) -> Feed:
        """What a source feeds at the end of the way that begins at its node."""
        mrid, node = source
        feed = Feed(source=mrid)
        while (step := ahead[node]) is not None:
            equipment, beyond = step
            feed = passed(feed, equipment, node)
            node = beyond
        return feed


def loop(one: Feed, other: Feed) -> tuple[str, ...]:
    """The switches on two ways, without those that both ways pass."""
    return tuple(sorted({*one.switches} ^ {*other.switches}))


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


def _ends(equipment: Equipment) -> Iterator[str]:
    yield equipment.node1
    if equipment.node2 is not None:
        yield equipment.node2
