"""The network in one state: what is open, grounded or in doubt, and what is live because of it.

This is the value to think with. :meth:`NetworkState.after` gives another state and leaves this one as it is, at a cost
in proportion to what changes, so options can be tried one after the other; :class:`Effect` says what lies between two.
"""

from collections.abc import Iterable, Mapping
from functools import cached_property

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from contracts.errors import NotFound
from contracts.nouns.feeder_topology import ConnectivityNode, Equipment, Feeder, SafetyStateKind
from services.network_operation.domain.phases import ALL, EVERY_SET, NONE, PLACES, Phases
from services.network_operation.domain.safety import Specials, Surroundings
from services.network_operation.domain.structure import NOWHERE, Arc, Structure
from services.network_operation.domain.supply import Supply, supply, switched
from services.network_operation.domain.windings import ABNORMAL, DEAD, LIVE

_SERIOUS = (
    SafetyStateKind.FAULTED,
    SafetyStateKind.LIVE,
    SafetyStateKind.POSSIBLY_LIVE,
    SafetyStateKind.DEAD,
    SafetyStateKind.EARTHED,
)
"""The states of safety, that of the most dangerous phase first."""


class Operation(Struct, frozen=True, kw_only=True):
    """Some or all phases of a switch open or close."""

    device: str
    open: bool
    phases: Phases = ALL


class Grounding(Struct, frozen=True, kw_only=True):
    """A ground that somebody placed at a node."""

    mrid: str
    node: str
    phases: Phases = ALL


class Section(Struct, frozen=True, kw_only=True):
    """What hangs together without an open switch between, on the phases that were asked about.

    Attributes:
        nodes: the nodes in it, sorted.
        usage_points: the usage points at them that have one of its phases, sorted.
        borders: the switches that are open at its border, sorted.
        grounds: the grounds on it, those of the model included, sorted.
        states: all states of safety of its phases.
    """

    nodes: tuple[str, ...]
    usage_points: tuple[str, ...]
    borders: tuple[str, ...]
    grounds: tuple[str, ...]
    states: frozenset[SafetyStateKind]


class Effect:
    """What lies between two states of one structure; everything sorted by mRID.

    Attributes:
        node_count: how many nodes have another supply or another state of safety.
        point_count: how many usage points lost one of their phases or have all of them again.
    """

    def __init__(self, before: "NetworkState", after: "NetworkState") -> None:
        self._structure = after.structure
        zones = {zone for zone, _ in before.specials.items() ^ after.specials.items()}
        zones.update(_differences(before.supply.level, after.supply.level))
        self._nodes = self._structure.nodes_of_zone.of(sorted(zones))
        points = self._structure.points_of_zone.of(sorted(zones))
        had, has = before.have_all(points), after.have_all(points)
        self._dropped, self._picked_up = points[had & ~has], points[has & ~had]
        self._switches = {*_differences(before.open_masks, after.open_masks), *(before.doubted ^ after.doubted)}
        self.node_count = len(self._nodes)
        self.point_count = len(self._dropped) + len(self._picked_up)

    @cached_property
    def nodes(self) -> tuple[str, ...]:
        """The nodes that have another supply or another state of safety."""
        return tuple(self._structure.nodes[number] for number in self._nodes)

    @cached_property
    def switches(self) -> tuple[str, ...]:
        """The switches that stand otherwise, or of which the state is in doubt now and was not, or the reverse."""
        return tuple(self._structure.switches[number].mrid for number in sorted(self._switches))

    @cached_property
    def dropped(self) -> tuple[str, ...]:
        """The usage points that lost one of their phases; IEEE 1366 calls that an interruption."""
        return tuple(self._structure.points[number].mrid for number in self._dropped)

    @cached_property
    def picked_up(self) -> tuple[str, ...]:
        """The usage points that have all their phases again."""
        return tuple(self._structure.points[number].mrid for number in self._picked_up)


class NetworkState:
    """A structure with the state of its switches and grounds. Make one with :meth:`of`, the next with :meth:`after`.

    Attributes:
        structure: the network as built.
        open_masks: for each switch, by its number, the bits of the phases that are open.
        doubted: the numbers of the switches whose state is not believed.
        grounds: the grounds that were placed, by mRID.
        supply: the levels of the zones.
        specials: the zones that are otherwise than their supply says.
    """

    def __init__(
        self,
        structure: Structure,
        *,
        open_masks: bytes,
        doubted: frozenset[int],
        grounds: Mapping[str, Grounding],
        supplied: Supply,
        specials: Specials,
    ) -> None:
        self.structure = structure
        self.open_masks = open_masks
        self.doubted = doubted
        self.grounds = grounds
        self.supply = supplied
        self.specials = specials

    @classmethod
    def of(
        cls,
        structure: Structure,
        positions: Mapping[str, Phases] | None = None,
        *,
        doubted: Iterable[str] = (),
        grounds: Iterable[Grounding] = (),
    ) -> "NetworkState":
        """The state in which switches stand as the model says, but for ``positions``: their open phases by mRID."""
        positions = positions or {}
        masks = bytes(positions.get(each.mrid, modelled(each)) & Phases.of(each.phases) for each in structure.switches)
        closed = (not masks[arc.switch] & arc.phase for arc in structure.arcs)
        numbers = frozenset(structure.switch[mrid] for mrid in doubted if mrid in structure.switch)
        placed = {each.mrid: each for each in grounds}
        supplied = supply(structure, closed)
        state = cls(structure, open_masks=masks, doubted=numbers, grounds=placed, supplied=supplied, specials={})
        state.specials = state._surroundings.specials({}, range(structure.zone_count))
        return state

    def device(self, mrid: str) -> Equipment:
        """A switch as it stands now.

        Raises:
            NotFound: the model has no such switch.
        """
        number = self._number(mrid)
        each = self.structure.switches[number]
        mask = self.open_masks[number]
        is_open = mask == Phases.of(each.phases)
        some = EVERY_SET[mask].code if mask and not is_open else None
        return replace(each, open=is_open, open_phases=some, suspect=True if number in self.doubted else None)

    def stands(self, mrid: str, *, is_open: bool) -> bool:
        """True when all phases of a switch are open, or all closed; a switch in no model stands nowhere."""
        number = self.structure.switch.get(mrid)
        whole = NONE if number is None or not is_open else Phases.of(self.structure.switches[number].phases)
        return number is not None and self.open_masks[number] == whole

    def open_phases(self, mrid: str) -> Phases:
        """The phases of a switch that are open."""
        return EVERY_SET[self.open_masks[self._number(mrid)]]

    def after(
        self,
        *operations: Operation,
        doubted: Mapping[str, bool] | None = None,
        placed: Iterable[Grounding] = (),
        removed: Iterable[str] = (),
    ) -> "NetworkState":
        """The state after operations, in their order, and after grounds were placed or removed.

        Args:
            operations: what opens and closes; what stands there already stays so.
            doubted: for switches, whether their state is not believed any more, or is again.
            placed: grounds to add.
            removed: the mRIDs of grounds to take away.

        Raises:
            NotFound: the model has no such switch or node, or no such ground was placed.
        """
        masks = bytearray(self.open_masks)
        for each in operations:
            number = self._number(each.device)
            whole = Phases.of(self.structure.switches[number].phases)
            mask = masks[number] | each.phases if each.open else masks[number] & ~each.phases
            masks[number] = mask & whole
        numbers = set(self.doubted)
        for mrid, is_doubted in (doubted or {}).items():
            numbers = numbers | {self._number(mrid)} if is_doubted else numbers - {self._number(mrid)}
        grounds = dict(self.grounds)
        for mrid in removed:
            if grounds.pop(mrid, None) is None:
                raise NotFound("there is no such ground", object_id=mrid)
        for ground in placed:
            if ground.node not in self.structure.node:
                raise NotFound("there is no such node", object_id=ground.node)
            grounds[ground.mrid] = ground
        return self._with(bytes(masks), frozenset(numbers), grounds)

    def live(self, node: str) -> Phases:
        """The phases of a node that are as they should be."""
        return self._phases(node, LIVE)

    def abnormal(self, node: str) -> Phases:
        """The phases of a node that have some voltage and not the right one."""
        return self._phases(node, ABNORMAL)

    def safety(self, node: str) -> SafetyStateKind:
        """What may be assumed at a node: the state of its most dangerous phase; dead where nothing leads."""
        found = {self._safety(zone) for zone in self.structure.zones(node) if zone != NOWHERE}
        return next((state for state in _SERIOUS if state in found), SafetyStateKind.DEAD)

    def is_supplied(self, usage_point: str) -> bool:
        """True while none of the phases of a usage point is dead; abnormal voltage is no interruption."""
        point = self.structure.usage_points[usage_point]
        zones = self.structure.zones_of(point.node, point.phases)
        return bool(zones) and all(self.supply.level[zone] != DEAD for zone in zones)

    def have_all(self, points: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of the usage points with these numbers are supplied."""
        zones = self.structure.zones_of_points[points]
        dead = np.frombuffer(self.supply.level, dtype=np.uint8)[zones] == DEAD
        nowhere = zones == NOWHERE
        supplied: NDArray[np.bool_] = ~(dead & ~nowhere).any(axis=1) & ~nowhere.all(axis=1)
        return supplied

    def node(self, mrid: str) -> ConnectivityNode:
        """A node as it is told: a state of safety stands there only when it does not follow from the supply."""
        live, abnormal, safety = self.live(mrid), self.abnormal(mrid), self.safety(mrid)
        plain = SafetyStateKind.LIVE if live or abnormal else SafetyStateKind.DEAD
        return ConnectivityNode(
            mrid=mrid,
            abnormal_phases=abnormal.code,
            safety_state=None if safety is plain else safety,
            source_phases=live.code,
        )

    def feeder(self, mrid: str) -> Feeder:
        """A feeder as it is now, with the revision and the time of the model."""
        built = self.structure.feeders[mrid]
        return replace(
            built,
            connectivity_node=tuple(self.node(each.mrid) for each in built.connectivity_node),
            equipment=tuple(
                self.device(each.mrid) if each.mrid in self.structure.switch else each for each in built.equipment
            ),
        )

    def section(self, node: str, phases: Phases = ALL) -> Section:
        """What hangs together with some phases of a node through closed switches and transformers."""
        return self._section(self.reach(node, phases))

    def sides(self, device: str) -> tuple[Section, Section]:
        """What closing a switch would join on the phases that are open, at its first node and at its second.

        Both are the same where another way joins them already.
        """
        arcs = self._open_arcs(self._number(device))
        one, other = (self._reach(ends) for ends in ({arc.zone1 for arc in arcs}, {arc.zone2 for arc in arcs}))
        return self._section(one), self._section(other)

    def reach(self, node: str, phases: Phases = ALL) -> set[int]:
        """The zones that hang together with some phases of a node through closed switches and transformers."""
        zones = self.structure.zones(node)
        return self._reach(zones[place] for place in PLACES if phases >> place & 1 and zones[place] != NOWHERE)

    def _number(self, device: str) -> int:
        number = self.structure.switch.get(device)
        if number is None:
            raise NotFound("the model has no such switch", object_id=device)
        return number

    def _open_arcs(self, switch: int) -> list[Arc]:
        arcs = (self.structure.arcs[number] for number in self.structure.arcs_of_switch[switch])
        return [arc for arc in arcs if self.open_masks[switch] & arc.phase]

    def _with(self, masks: bytes, doubted: frozenset[int], grounds: Mapping[str, Grounding]) -> "NetworkState":
        moved = set(_differences(self.open_masks, masks))
        opened: list[int] = []
        closed: list[int] = []
        for switch in sorted(moved):
            for number in self.structure.arcs_of_switch[switch]:
                arc = self.structure.arcs[number]
                if (self.open_masks[switch] ^ masks[switch]) & arc.phase:
                    (opened if masks[switch] & arc.phase else closed).append(number)
        supplied = switched(self.structure, self.supply, opened, closed) if moved else self.supply
        state = NetworkState(
            self.structure,
            open_masks=masks,
            doubted=doubted,
            grounds=grounds,
            supplied=supplied,
            specials=self.specials,
        )
        touched = set(_differences(self.supply.level, supplied.level))
        for switch in moved | (doubted ^ self.doubted):
            arcs = (self.structure.arcs[number] for number in self.structure.arcs_of_switch[switch])
            touched |= {zone for arc in arcs for zone in (arc.zone1, arc.zone2)}
        touched |= state._grounded ^ self._grounded
        if touched:
            state.specials = state._surroundings.specials(self.specials, touched)
        return state

    @cached_property
    def _grounded(self) -> frozenset[int]:
        """The zones that have a ground."""
        placed = (zone for ground in self.grounds.values() for zone in self._zones_of(ground))
        return frozenset(self.structure.grounded).union(placed)

    @property
    def _surroundings(self) -> Surroundings:
        """What the safety of zones follows from; a switch in doubt that is open may be closed."""
        doubted = {
            number
            for switch in self.doubted
            for number in self.structure.arcs_of_switch[switch]
            if not self.supply.closed[number]
        }
        return Surroundings(self.structure, self.supply, self._grounded, doubted)

    def _zones_of(self, ground: Grounding) -> tuple[int, ...]:
        return self.structure.zones_of(ground.node, ground.phases.code or "")

    def _phases(self, node: str, level: int) -> Phases:
        zones, levels = self.structure.zones(node), self.supply.level
        return EVERY_SET[
            sum(1 << place for place in PLACES if zones[place] != NOWHERE and levels[zones[place]] == level)
        ]

    def _safety(self, zone: int) -> SafetyStateKind:
        plain = SafetyStateKind.DEAD if self.supply.level[zone] == DEAD else SafetyStateKind.LIVE
        return self.specials.get(zone, plain)

    def _section(self, zones: set[int]) -> Section:
        structure = self.structure
        members = sorted(zones)
        borders = {
            structure.switches[structure.arcs[arc].switch].mrid
            for zone in zones
            for arc, _ in structure.arcs_at[zone]
            if not self.supply.closed[arc]
        }
        placed = (each.mrid for each in self.grounds.values() if not zones.isdisjoint(self._zones_of(each)))
        built = (mrid for mrid, own in structure.grounds.items() if not zones.isdisjoint(own))
        return Section(
            nodes=tuple(structure.nodes[number] for number in structure.nodes_of_zone.of(members)),
            usage_points=tuple(structure.points[number].mrid for number in structure.points_of_zone.of(members)),
            borders=tuple(sorted(borders)),
            grounds=tuple(sorted([*placed, *built])),
            states=frozenset(map(self._safety, zones)),
        )

    def _reach(self, starts: Iterable[int]) -> set[int]:
        """The zones that hang together with some through closed arcs and banks."""
        structure, closed = self.structure, self.supply.closed
        order = sorted(set(starts))
        seen = set(order)
        for zone in order:
            near = [other for arc, other in structure.arcs_at[zone] if closed[arc]]
            if zone in structure.banks_at:
                banks = (structure.banks[number] for number in structure.banks_at[zone])
                near += [other for bank in banks for other in bank.zones]
            fresh = [other for other in dict.fromkeys(near) if other not in seen]
            seen.update(fresh)
            order += fresh
        return seen


def modelled(switch: Equipment) -> Phases:
    """The phases of a switch that are open as the model has it."""
    is_open = switch.normal_open if switch.open is None else switch.open
    return Phases.of(switch.phases) if is_open else Phases.of(switch.open_phases or "")


def _differences(before: bytes | bytearray, after: bytes | bytearray) -> list[int]:
    """The places at which two states of the same things differ."""
    if before is after:
        return []
    one, other = np.frombuffer(before, dtype=np.uint8), np.frombuffer(after, dtype=np.uint8)
    return [int(place) for place in np.flatnonzero(one != other)]
