"""One area as operated: its supply tree in one state of its switches, and what people call things."""

from collections.abc import Collection, Iterable

from contracts.nouns.feeder_topology import Feeder
from services.fault_management.domain.structure import ALL, Structure, code
from services.fault_management.domain.supply import Supply
from services.fault_management.domain.tree import Device, Tree


def areas(feeders: Iterable[Feeder], lately: Collection[str] = ()) -> list[tuple[Feeder, ...]]:
    """Put together the feeders that share a node otherwise than by an open tie; each in the order of mRID.

    Feeders of one busbar are one area, since the loss of the busbar darkens all of them. A tie that is closed joins
    those at its ends, and so does one that was closed ``lately``: who lost supply meanwhile lost that of both.
    """
    ordered = sorted(feeders, key=lambda feeder: feeder.mrid)
    parts: list[tuple[set[str], list[Feeder]]] = []
    for feeder in ordered:
        nodes = {node.mrid for node in feeder.connectivity_node}
        for equipment in feeder.equipment:
            if not equipment.normal_open or equipment.open is False or equipment.mrid in lately:
                nodes |= {equipment.node1, equipment.node2 or equipment.node1}
        members = [feeder]
        apart = []
        for part in parts:
            if nodes.isdisjoint(part[0]):
                apart.append(part)
            else:
                nodes |= part[0]
                members = part[1] + members
        parts = [*apart, (nodes, members)]
    return [tuple(sorted(members, key=lambda feeder: feeder.mrid)) for _, members in parts]


class Network:
    """An area in one state.

    Attributes:
        structure: what is built.
        supply: who has supply.
        feeders: the mRIDs of the feeders, sorted.
        points: the usage points by mRID.
        feeder_of: the feeder of each usage point.
        groups: for each usage point the transformer that feeds it, or its node where the model has no transformer.
        dead: the usage points that have no supply.
    """

    def __init__(self, structure: Structure, supply: Supply, dead: frozenset[str] | None = None) -> None:
        self.structure = structure
        self.supply = supply
        self.feeders = structure.feeders
        self.points = structure.points
        self.feeder_of = structure.feeder_of
        self.groups = structure.groups
        self.dead = supply.dead if dead is None else dead

    @property
    def tree(self) -> Tree:
        """What hangs on what."""
        return self.supply.tree

    @property
    def devices(self) -> dict[str, Device]:
        """The devices by mRID, each after all that are downstream of it."""
        return self.tree.devices

    @property
    def zone(self) -> dict[str, str]:
        """For each usage point the next device upstream; absent where no way leads to a source."""
        return self.tree.zone

    def under(self, equipment: str, phases: int = ALL) -> frozenset[str]:
        """The usage points that lose their supply when ``equipment`` opens on ``phases``; none when it is no bridge."""
        return self.tree.wholly_under(equipment, phases)

    def is_under(self, equipment: str, other: str) -> bool:
        """True when ``equipment`` hangs on ``other`` alone."""
        return self.tree.is_under(equipment, other)

    def is_switch(self, equipment: str | None) -> bool:
        """True for what opens and closes."""
        return self.structure.is_switch(equipment)

    def is_open(self, equipment: str | None) -> bool:
        """True for what is open on one of its phases at least."""
        return equipment in self.supply.opened

    def is_operated_by_hand(self, equipment: str | None) -> bool:
        """True for a switch to which somebody must go."""
        return self.is_switch(equipment) and not self.structure.equipment[equipment or ""].remotely_operable

    def name(self, equipment: str | None) -> str | None:
        """What people call it."""
        each = self.structure.equipment.get(equipment or "")
        return None if each is None else each.name

    def title(self, equipment: str | None, phases: int | None = None) -> str:
        """What a sentence calls it, with the phases that it is about where they are not all."""
        name = self.name(equipment) or equipment or "one transformer"
        own = self.structure.phases.get(equipment or "", ALL)
        letters = None if phases is None or phases & own == own else code(phases)
        return name if letters is None else f"{name}, phase {letters}"
