"""What may be assumed by whoever goes near: another question than whether customers have supply.

A dead zone is *possibly live* when a generator may feed it, when a bank touches it that has some voltage on another of
its zones (a delta winding feeds a lost phase back), or across a switch whose state is not believed; and so is what
hangs together with it. It is *earthed* when a ground is in its closed reach, whatever else is there: that is what a
ground is placed for. A zone with voltage that has a ground itself is *faulted*. All others are as their supply is.
"""

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet

from contracts.nouns.feeder_topology import SafetyStateKind
from services.network_operation.domain.structure import NOWHERE, Structure
from services.network_operation.domain.supply import Supply
from services.network_operation.domain.windings import DEAD

Specials = Mapping[int, SafetyStateKind]
"""The zones that are otherwise than their supply says: EARTHED, POSSIBLY_LIVE or FAULTED."""


class Surroundings:
    """What safety depends on beside the supply.

    Args:
        structure: the network.
        supply: its supply now.
        grounded: the zones that have a ground.
        doubted: the open arcs that may be closed.
    """

    def __init__(
        self, structure: Structure, supply: Supply, grounded: AbstractSet[int], doubted: AbstractSet[int]
    ) -> None:
        self._structure = structure
        self._supply = supply
        self._grounded = grounded
        self._doubted = doubted

    def specials(self, before: Specials, touched: Iterable[int]) -> Specials:
        """The special zones, where nothing but ``touched`` zones has another supply, arcs or grounds than before."""
        level = self._supply.level
        after = dict(before)
        left = set(touched)
        left |= {other for zone in left for other in self._beyond(zone)}
        for zone in sorted(left):
            after.pop(zone, None)
            if level[zone] != DEAD and zone in self._grounded:
                after[zone] = SafetyStateKind.FAULTED
        seen: set[int] = set()
        for zone in sorted(left):
            if level[zone] == DEAD and zone not in seen:
                for part, state in self._judged(zone, seen):
                    for each in part:
                        after.pop(each, None)
                        if state is not None:
                            after[each] = state
        return after

    def _judged(self, start: int, seen: set[int]) -> Iterator[tuple[list[int], SafetyStateKind | None]]:
        """The dead parts that hang together with ``start`` in any way, each with what is special about it."""
        parts = [self._part(start, seen)]
        part_of = dict.fromkeys(parts[0], 0)
        links: list[set[int]] = []
        for part in parts:
            beyond = {other for zone in part for other in self._beyond(zone)}
            links.append({other for other in beyond if other not in part_of or parts[part_of[other]] is not part})
            for other in sorted(beyond):
                if self._supply.level[other] == DEAD and other not in part_of:
                    part_of |= dict.fromkeys(found := self._part(other, seen), len(parts))
                    parts.append(found)
        earthed = [not self._grounded.isdisjoint(part) for part in parts]
        reached = [place for place, part in enumerate(parts) if self._may_be_fed(part, links[place])]
        possible = set(reached)
        for place in reached:
            for other in () if earthed[place] else links[place]:
                near = part_of.get(other)
                if near is not None and near not in possible:
                    possible.add(near)
                    reached.append(near)
        for place, part in enumerate(parts):
            state = SafetyStateKind.POSSIBLY_LIVE if place in possible else None
            yield part, SafetyStateKind.EARTHED if earthed[place] else state

    def _part(self, start: int, seen: set[int]) -> list[int]:
        """The dead zones in the closed reach of ``start``."""
        closed = self._supply.closed
        seen.add(start)
        part = [start]
        for zone in part:
            for arc, other in self._structure.arcs_at[zone]:
                if closed[arc] and other not in seen:
                    seen.add(other)
                    part.append(other)
        return part

    def _may_be_fed(self, part: Iterable[int], beyond: Iterable[int]) -> bool:
        """True for a part with a generator, and for one that has voltage just beyond it."""
        generating, level = self._structure.generating, self._supply.level
        return any(zone in generating for zone in part) or any(level[zone] != DEAD for zone in beyond)

    def _beyond(self, zone: int) -> Iterator[int]:
        """The other zones of the banks that touch a zone, and those across a switch in doubt."""
        if zone in self._structure.banks_at:
            for number in self._structure.banks_at[zone]:
                bank = self._structure.banks[number]
                yield from (other for other in (*bank.side1, *bank.side2) if other not in {zone, NOWHERE})
        if self._doubted:
            yield from (other for arc, other in self._structure.arcs_at[zone] if arc in self._doubted)
