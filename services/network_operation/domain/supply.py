"""Which zones are live, which have some voltage, which are dead; and what keeps each as it is.

The levels are the least that follow from the sources: a zone has the highest level among what feeds it through closed
arcs and banks. Each zone remembers its *support*, what it has its level from, and the supports lead back to the sources
without a circle. So an opening takes away nothing but what hangs on the support that it cuts, and what is lost that way
is then fed anew from its borders; a closing only adds. The work is in proportion to what changes, not to the network.

Supports lead to no circle because a live zone hangs on live zones alone, and what is live never changes its support
while it is; the same holds for what is abnormal among what is at least that.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from services.network_operation.domain.phases import PLACES
from services.network_operation.domain.structure import Structure, Zones
from services.network_operation.domain.windings import DEAD, LIVE, Levels, case

NOTHING, ITSELF = -1, -2
"""The support of a dead zone, and of one that has a source."""


class Supply(Struct, frozen=True):
    """The state of all zones; never changed after it is made.

    Attributes:
        closed: for each arc, whether it conducts.
        level: for each zone DEAD, ABNORMAL or LIVE.
        support: for each zone the number of the arc that feeds it, or a code below -2 for a bank and its side.
        inputs: for each zone that a bank feeds the zones on the other side from which it got its level.
    """

    closed: bytearray
    level: bytearray
    support: list[int]
    inputs: dict[int, tuple[int, ...]]


def supply(structure: Structure, closed: Iterable[int]) -> Supply:
    """The supply from nothing; ``closed`` has 1 for each arc that conducts, else 0."""
    places = structure.zone_count + 1
    flow = _Flow(structure, Supply(bytearray(closed), bytearray(places), [NOTHING] * places, {}))
    for zone in sorted(structure.fed):
        flow.take(zone, LIVE, ITSELF)
    flow.flood()
    return flow.supply


def switched(structure: Structure, before: Supply, opened: Iterable[int], closed: Iterable[int]) -> Supply:
    """The supply after some arcs opened and others closed."""
    now = Supply(before.closed.copy(), before.level.copy(), before.support.copy(), before.inputs.copy())
    flow = _Flow(structure, now)
    flow.open(opened)
    flow.close(closed)
    flow.flood()
    return flow.supply


class _Flow:
    """A supply in the making.

    Attributes:
        raised: zones that have more to pass on.
        stirred: banks on whose zones something changed.
    """

    def __init__(self, structure: Structure, unfinished: Supply) -> None:
        self.supply = unfinished
        self.raised: list[int] = []
        self.stirred: set[int] = set()
        self._structure = structure

    def take(self, zone: int, level: int, support: int) -> None:
        """Raise a zone that has less."""
        if self.supply.level[zone] < level:
            self.supply.level[zone] = level
            self.supply.support[zone] = support
            self.raised.append(zone)

    def flood(self) -> None:
        """Pass on what zones have until nothing changes."""
        level, support, closed = self.supply.level, self.supply.support, self.supply.closed
        arcs_at, banks_at = self._structure.arcs_at, self._structure.banks_at
        while self.raised or self.stirred:
            raised, self.raised = self.raised, []
            for zone in raised:
                here = level[zone]
                for arc, other in arcs_at[zone]:
                    if level[other] < here and closed[arc]:
                        level[other] = here
                        support[other] = arc
                        raised.append(other)
                self.stirred.update(banks_at.get(zone, ()))
            stirred, self.stirred = self.stirred, set()
            for bank in sorted(stirred):
                self._drive(bank)

    def close(self, arcs: Iterable[int]) -> None:
        """Let arcs conduct."""
        for number in arcs:
            arc = self._structure.arcs[number]
            self.supply.closed[number] = 1
            self.take(arc.zone2, self.supply.level[arc.zone1], number)
            self.take(arc.zone1, self.supply.level[arc.zone2], number)

    def open(self, arcs: Iterable[int]) -> None:
        """Let arcs conduct no more: forget what hangs on them, then feed that from what is left."""
        level, support, closed = self.supply.level, self.supply.support, self.supply.closed
        arcs_at, banks_at = self._structure.arcs_at, self._structure.banks_at
        lost: list[int] = []
        for number in arcs:
            arc = self._structure.arcs[number]
            closed[number] = 0
            lost += [zone for zone in (arc.zone1, arc.zone2) if support[zone] == number]
        for zone in lost:
            level[zone] = DEAD
            support[zone] = NOTHING
            for number, other in arcs_at[zone]:
                if support[other] == number:
                    lost.append(other)
            for bank in banks_at.get(zone, ()):
                self.stirred.add(bank)
                lost += self._fed_by(bank, zone)
        for zone in lost:
            for number, other in arcs_at[zone]:
                if level[other] > level[zone] and closed[number]:
                    self.take(zone, level[other], number)

    def _drive(self, number: int) -> None:
        """Raise both sides of a bank to what follows from the other."""
        bank = self._structure.banks[number]
        self._pass(bank.side1, bank.side2, bank.winding.forward, _code(number, 2))
        self._pass(bank.side2, bank.side1, bank.winding.backward, _code(number, 1))

    def _pass(self, one: Zones, other: Zones, table: Sequence[Levels], code: int) -> None:
        """Raise one side of a bank to what follows from the other."""
        level = self.supply.level
        passed = table[case(level[one[0]], level[one[1]], level[one[2]])]
        for place, zone in enumerate(other):
            if level[zone] < passed[place]:
                self.supply.inputs[zone] = self._needed(one, place, table)
                self.take(zone, passed[place], code)

    def _needed(self, zones: Zones, place: int, table: Sequence[Levels]) -> tuple[int, ...]:
        """The zones of a side without any one of which a phase of the other would have less; else all that have some.

        The phase of the same name comes first, if it is among them.
        """
        has = [self.supply.level[zone] for zone in zones]
        level = table[case(has[0], has[1], has[2])][place]
        some = [each for each in PLACES if has[each] != DEAD]
        needed = [each for each in some if table[case(*_without(has, each))][place] < level]
        return tuple(zones[each] for each in sorted(needed or some, key=lambda each: (each != place, each)))

    def _fed_by(self, number: int, zone: int) -> list[int]:
        """The zones that a bank feeds from the side on which ``zone`` is, and that are not forgotten yet."""
        bank, support = self._structure.banks[number], self.supply.support
        found = []
        if zone in bank.side1:
            code = _code(number, 2)
            found += [each for each in bank.side2 if support[each] == code]
        if zone in bank.side2:
            code = _code(number, 1)
            found += [each for each in bank.side1 if support[each] == code]
        return found


def bank_behind(support: int) -> tuple[int, int]:
    """The bank and the side of it that feeds a zone with this support; no bank has a negative number."""
    return ((-support - 3) // 2, 2 if support % 2 == 0 else 1)


def _without(levels: Sequence[int], place: int) -> Levels:
    one, two, three = (DEAD if each == place else levels[each] for each in PLACES)
    return (one, two, three)


def _code(bank: int, side: int) -> int:
    """The support of what a bank feeds on one of its sides."""
    return -2 * bank - side - 2
