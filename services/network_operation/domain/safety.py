"""What may be assumed by whoever goes near: another question than whether customers have supply.

A dead zone is *possibly live* when a generator may feed it, when a bank touches it that has some voltage on another of
its zones (a delta winding feeds a lost phase back), or across a switch whose state is not believed; and so is what
hangs together with it. It is *earthed* when a ground is in its closed reach, whatever else is there: that is what a
ground is placed for. A zone with voltage that has a ground itself is *faulted*. All others are as their supply is.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

from contracts.nouns.feeder_topology import SafetyStateKind
from services.network_operation.domain.structure import Structure
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
        structure, level = self._structure, self._supply.level
        if not (structure.generating or structure.banks or self._grounded or self._doubted):
            return {}
        after = dict(before)
        left = set(touched)
        seen: set[int] = set()
        left.update(*(tie for zone in tuple(left) for tie in self._ties(zone, seen)))
        for zone in left:
            after.pop(zone, None)
            if level[zone] != DEAD and zone in self._grounded:
                after[zone] = SafetyStateKind.FAULTED
        part_of: dict[int, int] = {}
        for zone in left:
            if level[zone] == DEAD and zone not in part_of:
                self._judge(zone, part_of, after)
        return after

    def _judge(self, start: int, part_of: dict[int, int], after: dict[int, SafetyStateKind]) -> None:
        """Enter what is special about the dead parts that hang together with ``start`` in any way."""
        level = self._supply.level
        waiting = [len(part_of)]
        parts = {waiting[0]: self._part(start, part_of)}
        ties: list[tuple[int, ...]] = []
        seen: set[int] = set()
        for number in waiting:
            for zone in parts[number]:
                for tie in self._ties(zone, seen):
                    ties.append(tie)
                    for other in tie:
                        if level[other] == DEAD and other not in part_of:
                            waiting.append(len(part_of))
                            parts[waiting[-1]] = self._part(other, part_of)
        earthed = {number for number, part in parts.items() if not self._grounded.isdisjoint(part)}
        possible = self._possible(parts, part_of, ties, earthed)
        for number, part in parts.items():
            for zone in part:
                after.pop(zone, None)
            if number in earthed or number in possible:
                state = SafetyStateKind.EARTHED if number in earthed else SafetyStateKind.POSSIBLY_LIVE
                after.update(dict.fromkeys(part, state))

    def _possible(
        self, parts: Mapping[int, list[int]], part_of: Mapping[int, int], ties: list[tuple[int, ...]], but: set[int]
    ) -> set[int]:
        """The parts that something may feed: a generator, or across a tie; what is among ``but`` passes nothing on."""
        level, generating = self._supply.level, self._structure.generating
        fed = {number for number, part in parts.items() if generating and not generating.isdisjoint(part)}
        tied = [({part_of[zone] for zone in tie if level[zone] == DEAD}, tie) for tie in ties]
        fed.update(*(dead for dead, tie in tied if any(level[zone] != DEAD for zone in tie)))
        ties_of: defaultdict[int, list[set[int]]] = defaultdict(list)
        for dead, _ in tied if fed else ():
            for number in dead:
                ties_of[number].append(dead)
        waiting = list(fed)
        for number in waiting:
            for dead in () if number in but else ties_of[number]:
                waiting += dead - fed
                fed |= dead
        return fed

    def _part(self, start: int, part_of: dict[int, int]) -> list[int]:
        """The dead zones in the closed reach of ``start``; their number is how many were found before."""
        closed, arcs_at = self._supply.closed, self._structure.arcs_at
        number = part_of[start] = len(part_of)
        part = [start]
        for zone in part:
            for arc, other in arcs_at[zone]:
                if closed[arc] and other not in part_of:
                    part_of[other] = number
                    part.append(other)
        return part

    def _ties(self, zone: int, seen: set[int]) -> list[tuple[int, ...]]:
        """The zones of each bank that touches a zone and was not seen yet; and each pair across a switch in doubt."""
        found: list[tuple[int, ...]] = []
        for number in self._structure.banks_at.get(zone, ()):
            if number not in seen:
                seen.add(number)
                found.append(self._structure.banks[number].zones)
        if self._doubted:
            found += [(zone, other) for arc, other in self._structure.arcs_at[zone] if arc in self._doubted]
        return found
