"""Who hangs on what, as operated now, exact in meshes too.

The supports of the zones are a tree that hangs on the sources. A switch stands *above* a place exactly if it is a
bridge: an arc of the tree that no way round makes needless. A way round is an arc that conducts and supports nothing;
it covers the arcs of the tree between its ends. So all bridges are found in one go (after Tarjan 1974, with a union of
sets in the place of low-links). Behind a winding between phases a place hangs on several ways at once. Where a way
round passes through such a winding, or any two of three phases do, each switch on the ways is tried.
"""

from collections.abc import Iterable, Iterator
from functools import cached_property

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from contracts.errors import NotFound
from services.network_operation.domain.network_state import Effect, NetworkState, Operation
from services.network_operation.domain.phases import ALL, Phases
from services.network_operation.domain.structure import NOWHERE
from services.network_operation.domain.supply import ITSELF, bank_behind
from services.network_operation.domain.windings import DEAD, LIVE, case

ROOT = -1
"""What all sources hang on."""


class Loop(Struct, frozen=True, kw_only=True, order=True):
    """A circle of closed switches, by their mRIDs; with the sources between which it lies, if there are two."""

    switches: tuple[str, ...]
    sources: tuple[str, ...] = ()


class Stretch(Struct, frozen=True, kw_only=True):
    """What lies between two switches: those on the way, and the usage points that hang on the first alone."""

    switches: tuple[str, ...]
    usage_points: tuple[str, ...]


class Up(Struct, frozen=True, kw_only=True):
    """One step towards the source: the zone above, and the arc that leads there.

    Through a winding it leads to other zones ``also``; ``is_sure`` when each of them is needed.
    """

    zone: int
    arc: int | None = None
    also: tuple[int, ...] = ()
    is_winding: bool = False
    is_sure: bool = True


class Round(Struct, frozen=True, kw_only=True):
    """A way round: two zones that something joins which supports neither, and the switch that it is, if it is one."""

    zone1: int
    zone2: int
    switch: int | None = None


class Tracing:
    """Traces of one state; what several of them need is worked out once, when it is first needed."""

    def __init__(self, state: NetworkState) -> None:
        self.state = state
        self._structure = state.structure
        self._up: dict[int, Up] = {}
        self._depth: dict[int, int] = {ROOT: 0}

    def above(self, node: str, phase: Phases) -> tuple[str, ...]:
        """The switches of which each alone, opened, takes one phase of a node out of supply; the source side first."""
        zone = self._structure.zones(node)[phase.bit_length() - 1]
        if zone == NOWHERE or self.state.supply.level[zone] == DEAD:
            return ()
        return tuple(self._structure.switches[switch].mrid for switch in self._bridges(zone))

    def common(self, places: Iterable[tuple[str, Phases]]) -> tuple[str, ...]:
        """The switches above all of some places, the source side first: the last is the nearest that they share.

        A place counts on those of the phases on which it has supply; where it has none nothing is common.
        """
        shared: list[str] | None = None
        for node, phases in places:
            ways = [self.above(node, phase) for phase in phases & (self.state.live(node) | self.state.abnormal(node))]
            if not ways:
                return ()
            for way in ways:
                shared = list(way) if shared is None else [each for each in shared if each in way]
        return tuple(shared or ())

    def protection(self, node: str, phases: Phases = ALL) -> str | None:
        """The nearest device that protects all of some phases of a node."""
        way = self.common([(node, phases)])
        return next((each for each in reversed(way) if self._structure.equipment[each].protective), None)

    def below(self, device: str) -> tuple[str, ...]:
        """The usage points that lose a phase when a switch opens, sorted."""
        return Effect(self.state, self.state.after(Operation(device=device, open=True))).dropped

    def between(self, upper: str, lower: str) -> Stretch:
        """What lies between a switch and one that hangs on it.

        Raises:
            NotFound: there is no such switch, or the second does not hang on the first.
        """
        number = self._structure.switch.get(lower)
        arcs = [] if number is None else [self._structure.arcs[arc] for arc in self._structure.arcs_of_switch[number]]
        for arc in arcs:
            for zone in (each for each in (arc.zone1, arc.zone2) if self.state.supply.level[each] != DEAD):
                way = [self._structure.switches[switch].mrid for switch in self._bridges(zone)]
                if way[-1:] == [lower] and upper in way[:-1]:
                    points = set(self.below(upper)) - set(self.below(lower))
                    return Stretch(switches=tuple(way[way.index(upper) + 1 : -1]), usage_points=tuple(sorted(points)))
        raise NotFound(f"'{lower}' does not hang on '{upper}'", object_id=lower)

    def open_points(self, device: str) -> tuple[str, ...]:
        """The open switches at which what hangs on a switch ends, sorted."""
        after = self.state.after(Operation(device=device, open=True)).supply.level
        lost = (zone for zone, level in enumerate(self.state.supply.level) if level > after[zone])
        return self._named(switch for zone in lost for switch, _ in self._open_at(zone))

    def ties(self, node: str, phases: Phases = ALL) -> tuple[str, ...]:
        """The open switches across which what hangs together with a node would find supply, sorted."""
        reach, level = self.state.reach(node, phases), self.state.supply.level
        found = ((switch, other) for zone in reach for switch, other in self._open_at(zone))
        return self._named(switch for switch, other in found if other not in reach and level[other] == LIVE)

    def isolation(self, element: str) -> tuple[str, ...]:
        """The switches, open or closed, that cut a piece of equipment or a node off from all else, sorted.

        A transformer cuts nothing off: what lies behind it belongs to the section, up to its switches.

        Raises:
            NotFound: there is no such equipment and no such node.
        """
        each = self._structure.equipment.get(element)
        nodes = [element] if each is None else [node for node in (each.node1, each.node2) if node is not None]
        if any(node not in self._structure.node for node in nodes):
            raise NotFound("there is no such equipment and no such node", object_id=element)
        order = sorted({zone for node in nodes for zone in self._structure.zones(node) if zone != NOWHERE})
        for zone in order:
            banks = (self._structure.banks[number] for number in self._structure.banks_at.get(zone, ()))
            order += sorted({other for bank in banks for other in bank.zones}.difference(order))
        section = set(order)
        arcs = {arc for zone in order for arc, other in self._structure.arcs_at[zone] if other not in section}
        own = () if each is None else (self._structure.switch[element],) if element in self._structure.switch else ()
        return self._named([*(self._structure.arcs[arc].switch for arc in arcs), *own])

    @cached_property
    def loops(self) -> tuple[Loop, ...]:
        """The circles through which what is live is fed from two sides, each once."""
        found = set()
        for each in self._rounds:
            one, other = dict(self._way(each.zone1)), dict(self._way(each.zone2))
            circle = [way[zone] for way in (one, other) for zone in way.keys() - (one.keys() & other.keys())]
            switches = {switch for switch in (*circle, each.switch) if switch is not None}
            roots = {next(reversed(one)), next(reversed(other))}
            sources = [mrid for mrid, zones in self._structure.sources.items() if not roots.isdisjoint(zones)]
            between = tuple(sorted(sources)) if len(roots) > 1 else ()
            found.add(Loop(switches=self._named(switches), sources=between))
        return tuple(sorted(found))

    @cached_property
    def _rounds(self) -> list[Round]:
        """All ways round."""
        structure, supply = self._structure, self.state.supply
        arcs = (structure.arcs[int(number)] for number in np.flatnonzero(self._is_round))
        found = [Round(zone1=arc.zone1, zone2=arc.zone2, switch=arc.switch) for arc in arcs]
        for number, bank in enumerate(structure.banks):
            if any(zone != NOWHERE and bank_behind(supply.support[zone]) != (number, 2) for zone in bank.side2):
                found += [*self._rounds_of(number, 1), *self._rounds_of(number, 2)]
        return found

    @property
    def _is_round(self) -> NDArray[np.bool_]:
        """Which arcs conduct between two zones that have supply and support neither."""
        ends = self._structure.ends_of_arcs
        closed = np.frombuffer(self.state.supply.closed, dtype=np.uint8) != 0
        level = np.frombuffer(self.state.supply.level, dtype=np.uint8)
        support = np.array(self.state.supply.support, dtype=np.int64)[ends]
        needless = (support != np.arange(len(ends))[:, None]).all(axis=1)
        found: NDArray[np.bool_] = closed & (level[ends[:, 0]] != DEAD) & needless
        return found

    def _rounds_of(self, number: int, side: int) -> Iterator[Round]:
        """The ways round through the windings that could feed one side of a bank and need not."""
        supply, bank = self.state.supply, self._structure.banks[number]
        zones, other, table = bank.side1, bank.side2, bank.winding.backward
        if side != 1:
            zones, other, table = bank.side2, bank.side1, bank.winding.forward
        if any(zone != NOWHERE and bank_behind(supply.support[zone])[0] == number for zone in other):
            return
        passed = table[case(*(supply.level[zone] for zone in other))]
        for place, zone in enumerate(zones):
            ways = [each for each in (other[place], *other) if supply.level[each] != DEAD]
            is_fed = zone != NOWHERE and supply.level[zone] != DEAD and passed[place] == supply.level[zone]
            if is_fed and ways and bank_behind(supply.support[zone])[0] != number:
                yield Round(zone1=zone, zone2=ways[0])

    @cached_property
    def _covered(self) -> set[int]:
        """The zones whose step up has a way round."""
        top: dict[int, int] = {}

        def nearest(zone: int) -> int:
            """The nearest zone upwards whose own step is not covered yet; all on the way are taught it."""
            way = []
            while zone in top:
                way.append(zone)
                zone = top[zone]
            top.update(dict.fromkeys(way, zone))
            return zone

        for each in self._rounds:
            one, other = nearest(each.zone1), nearest(each.zone2)
            while one != other:
                if self._depth_of(one) < self._depth_of(other):
                    one, other = other, one
                top[one] = self._step(one).zone
                one = nearest(one)
        return set(top)

    @cached_property
    def _is_plain(self) -> bool:
        """True when no way round passes through a winding between phases."""
        covered = (self._step(zone).is_winding for zone in self._covered)
        return all(each.switch is not None for each in self._rounds) and not any(covered)

    def _bridges(self, zone: int) -> list[int]:
        """The switches above a zone, the source side first."""
        found, is_sure = self._above(zone)
        if is_sure:
            return list(dict.fromkeys(switch for switch, below in found if below not in self._covered))
        ways = dict.fromkeys(switch for switch, _ in found)
        return [switch for switch in ways if self._is_needed(switch, zone)]

    def _above(self, zone: int) -> tuple[list[tuple[int, int]], bool]:
        """The switches on the ways from a zone to the sources, each with the zone that it feeds, the source side first.

        False beside them when the bridges among them are not all that counts.
        """
        found: list[tuple[int, int]] = []
        while zone != ROOT:
            up = self._step(zone)
            if up.arc is not None:
                found.append((self._structure.arcs[up.arc].switch, zone))
            zone = up.zone
            if up.is_winding:
                parts = [self._above(each) for each in (zone, *up.also)]
                ways = dict.fromkeys(step for part, _ in parts for step in part)
                is_sure = self._is_plain and up.is_sure and all(sure for _, sure in parts)
                return [*ways, *reversed(found)], is_sure
        return found[::-1], self._is_plain

    def _step(self, zone: int) -> Up:
        """The step up from a zone that has supply."""
        known = self._up.get(zone)
        if known is None:
            known = self._up[zone] = self._found_step(zone)
        return known

    def _found_step(self, zone: int) -> Up:
        support = self.state.supply.support[zone]
        if support == ITSELF:
            return Up(zone=ROOT)
        if support >= 0:
            arc = self._structure.arcs[support]
            return Up(zone=arc.zone2 if zone == arc.zone1 else arc.zone1, arc=support)
        first, *others = self.state.supply.inputs[zone]
        return Up(zone=first, also=tuple(others), is_winding=True, is_sure=self._needs_each(zone, [first, *others]))

    def _needs_each(self, zone: int, inputs: list[int]) -> bool:
        """True when a zone would have less without any one of the zones from which a bank feeds it."""
        number, side = bank_behind(self.state.supply.support[zone])
        bank, level = self._structure.banks[number], self.state.supply.level
        into, zones = (bank.side1, bank.side2) if side == 1 else (bank.side2, bank.side1)
        table = bank.winding.backward if side == 1 else bank.winding.forward
        place = into.index(zone)
        return all(
            table[case(*(DEAD if each == lost else level[each] for each in zones))][place] < level[zone]
            for lost in inputs
        )

    def _depth_of(self, zone: int) -> int:
        """How many steps a zone is below the root."""
        way = []
        while zone not in self._depth:
            way.append(zone)
            zone = self._step(zone).zone
        for below in reversed(way):
            self._depth[below] = self._depth[zone] + 1
            zone = below
        return self._depth[zone]

    def _way(self, zone: int) -> Iterator[tuple[int, int | None]]:
        """The zones from one up to its source, each with the switch that feeds it, if one does."""
        while zone != ROOT:
            up = self._step(zone)
            yield zone, None if up.arc is None else self._structure.arcs[up.arc].switch
            zone = up.zone

    def _is_needed(self, switch: int, zone: int) -> bool:
        after = self.state.after(Operation(device=self._structure.switches[switch].mrid, open=True))
        return after.supply.level[zone] < self.state.supply.level[zone]

    def _open_at(self, zone: int) -> Iterator[tuple[int, int]]:
        """The switches that are open at a zone, with the zone beyond."""
        closed = self.state.supply.closed
        return (
            (self._structure.arcs[arc].switch, other) for arc, other in self._structure.arcs_at[zone] if not closed[arc]
        )

    def _named(self, switches: Iterable[int]) -> tuple[str, ...]:
        """The mRIDs of switches, each once, sorted."""
        return tuple(self._structure.switches[switch].mrid for switch in sorted(set(switches)))
