"""Which feeders feed a place now, and which feeders stand parallel.

A feeder's *heads* are those of its protective switches that have no other one of its own above them in the normal
state; where it has none that protects, any switch counts. What is live falls into parts between the heads. A part is
fed by the feeders whose heads bring it supply; when those are several, they are parallel.
"""

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet

from services.network_operation.domain.network_state import NetworkState
from services.network_operation.domain.phases import NONE, Phases
from services.network_operation.domain.structure import NOWHERE, Structure
from services.network_operation.domain.supply import Supply
from services.network_operation.domain.windings import DEAD


class Feeding:
    """The heads of all feeders of a structure.

    Attributes:
        heads: the mRIDs of the heads, each with its feeder.
    """

    def __init__(self, structure: Structure) -> None:
        self._structure = structure
        positions = {
            each.mrid: Phases.of(each.phases) if each.normal_open else NONE
            for each in structure.switches
            if each.normal_open is not None
        }
        normal = NetworkState.of(structure, positions).supply
        fed = {arc: zone for zone, arc in enumerate(normal.support) if arc >= 0}
        found: dict[int, str] = {}
        for feeder in structure.feeders:
            own = [number for number, told in enumerate(structure.feeders_of_switch) if feeder in told]
            protective = {number for number in own if structure.switches[number].protective}
            found |= dict.fromkeys(self._topmost(protective or set(own), normal, fed), feeder)
        self.heads = {structure.switches[number].mrid: feeder for number, feeder in sorted(found.items())}
        self._inner = {
            arc: (fed[arc], feeder)
            for number, feeder in found.items()
            for arc in structure.arcs_of_switch[number]
            if arc in fed
        }

    def feeders_at(self, state: NetworkState, node: str) -> tuple[str, ...]:
        """The feeders that feed a node now, sorted; none where it is dead or fed without any head."""
        zones = (zone for zone in self._structure.zones(node) if zone != NOWHERE and state.supply.level[zone] != DEAD)
        return tuple(
            sorted(
                {feeder for zone in zones for feeder in self._feeders_of(self._part(zone, state.supply), state.supply)}
            )
        )

    def parallels(self, state: NetworkState, among: AbstractSet[str] | None = None) -> tuple[tuple[str, ...], ...]:
        """The sets of feeders that stand parallel now, each sorted; only where one of ``among`` begins, if given."""
        found, seen = set(), set[int]()
        for _, (zone, feeder) in sorted(self._inner.items()):
            if among is not None and feeder not in among:
                continue
            if zone not in seen and state.supply.level[zone] != DEAD:
                part = self._part(zone, state.supply)
                seen |= part
                found.add(tuple(sorted(set(self._feeders_of(part, state.supply)))))
        return tuple(sorted(feeders for feeders in found if len(feeders) > 1))

    def _topmost(self, switches: set[int], normal: Supply, fed: dict[int, int]) -> Iterator[int]:
        """Those of some switches above which none of the others stands in the normal state."""
        for number in sorted(switches):
            arcs = [arc for arc in self._structure.arcs_of_switch[number] if arc in fed]
            if arcs and not any(other in switches - {number} for arc in arcs for other in self._ways(fed[arc], normal)):
                yield number

    def _ways(self, zone: int, normal: Supply) -> Iterator[int]:
        """The switches through which a zone is fed, windings included."""
        waiting = [zone]
        for each in waiting:
            support = normal.support[each]
            if support >= 0:
                arc = self._structure.arcs[support]
                yield arc.switch
                waiting.append(arc.zone2 if each == arc.zone1 else arc.zone1)
            elif each in normal.inputs and support != NOWHERE:
                waiting += normal.inputs[each][:1]

    def _part(self, start: int, supply: Supply) -> set[int]:
        """What hangs together with a zone without passing a head."""
        structure, part, waiting = self._structure, {start}, [start]
        for zone in waiting:
            near = [other for arc, other in structure.arcs_at[zone] if supply.closed[arc] and arc not in self._inner]
            near += [other for number in structure.banks_at.get(zone, ()) for other in structure.banks[number].zones]
            fresh = {other for other in near if other not in part and supply.level[other] != DEAD}
            part |= fresh
            waiting += fresh
        return part

    def _feeders_of(self, part: Iterable[int], supply: Supply) -> Iterator[str]:
        """The feeders whose heads bring supply into a part; a head through which supply leaves brings none."""
        for zone in part:
            for arc, other in self._structure.arcs_at[zone]:
                inner = self._inner.get(arc)
                if inner is not None and inner[0] == zone and supply.closed[arc] and supply.support[other] != arc:
                    yield inner[1]
