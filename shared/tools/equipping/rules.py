"""What a network lacks, and where it belongs. The figures are our proposals [P]; the rules are those of the trade.

* A feeder that nothing protects gets a breaker where its first line leaves the busbar.
* One that has nothing but that breaker gets a recloser on its trunk, where half of its customers are beyond it, a
  sectionaliser on its large laterals, and a fuse on the others.
* A lateral of fewer phases than what protects it gets a fuse; one of two phases below what recloses gets a
  sectionaliser, which opens both.
* A consumer on medium voltage, which stands for a station with many customers, gets a fuse.
* A consumer without usage points gets some, each with a meter: as many customers as it is said to have, or as its power
  feeds. Where its power is stated phase by phase they take the phases in turn.
* A feeder without a way to another one gets a normally open tie, if there is another of its voltage.
* What stands nowhere on the earth gets a place: that of its neighbours, or one beside them as far as its line is long.
"""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from contracts.errors import Invalid
from contracts.nouns.feeder_topology import Equipment, Feeder
from contracts.nouns.units import PhaseCode
from shared.tools.equipping.document import Wiring
from shared.tools.equipping.layout import Place, laid_out
from shared.tools.equipping.tree import LINE, TRANSFORMER, Branch, Tree

LOW_VOLTAGE_V = 1000.0
WATTS_OF_A_POINT = 50_000.0
MOST_POINTS = 8
LARGE_LATERAL = 0.25
"""A lateral with more than this share of the customers of its feeder gets a sectionaliser."""

BREAKER_SHOTS, RECLOSER_SHOTS = (0.5, 15.0), (0.5, 15.0, 45.0)
AMPERES = {"Breaker": 600, "Recloser": 560, "Sectionaliser": 200, "Fuse": 100, "LoadBreakSwitch": 600}
CONSUMERS = frozenset({"ConformLoad", "EnergyConsumer", "NonConformLoad"})


class Device(Struct, frozen=True, kw_only=True):
    """A switch to be put between an equipment and the node at which it ends."""

    kind: str
    name: str
    equipment: str
    node: str
    phases: PhaseCode
    shots: tuple[float, ...] = ()


class Customer(Struct, frozen=True, kw_only=True):
    """A usage point of a consumer, with its meter; it has all phases of the consumer where none are named."""

    consumer: str
    name: str
    number: int
    phases: PhaseCode | None = None


class Tie(Struct, frozen=True, kw_only=True):
    """A line like ``pattern`` from one node to another, with a normally open switch at its beginning."""

    name: str
    pattern: str
    start: str
    end: str


class Plan(Struct, frozen=True, kw_only=True):
    """All that is lacking; ``places`` are the points of what had none, ``spots`` those of all nodes."""

    devices: tuple[Device, ...]
    customers: tuple[Customer, ...]
    ties: tuple[Tie, ...]
    places: dict[str, tuple[Place, ...]]
    spots: dict[str, Place]

    @property
    def is_empty(self) -> bool:
        """True for a network that lacks nothing."""
        return not (self.devices or self.customers or self.ties or self.places)


def lacking(feeders: Iterable[Feeder], wiring: Wiring) -> Plan:
    """What the network lacks; ``wiring`` is the document from which its feeders were derived.

    Raises:
        Invalid: the feeders have an object that the document does not name, because it is known by an older mRID.
    """
    feeders = tuple(sorted(feeders, key=lambda each: each.mrid))
    for mrid in sorted(each.mrid for feeder in feeders for each in feeder.equipment):
        if mrid not in wiring.uri and mrid.rpartition("-")[0] not in wiring.uri:
            raise Invalid("the document has this object under another mRID, by a mapping", object_id=mrid)
    customers = tuple(_customers(feeders, wiring))
    at_node = {each.mrid: each.node1 for feeder in feeders for each in feeder.equipment if each.kind in CONSUMERS}
    weights: dict[str, int] = {}
    for node in [at_node[each.consumer] for each in customers]:
        weights[node] = weights.get(node, 0) + 1
    served = {each.consumer for each in customers}
    for point in {each.mrid: each for feeder in feeders for each in feeder.usage_point}.values():
        if point.mrid not in served:
            weights[point.node] = weights.get(point.node, 0) + 1
    tree = Tree(feeders, weights)
    voltage = _Voltages(tree, wiring)
    heads = list(_heads(tree, voltage))
    devices = {(each.equipment, each.node): each for each in _protection(tree, voltage, heads)}
    for each in _station_fuses(tree, voltage):
        devices.setdefault((each.equipment, each.node), each)
    spots, places = laid_out(tree)
    places = {mrid: points for mrid, points in places.items() if mrid in wiring.uri}
    ties = tuple(_ties(tree, voltage, heads, spots))
    ordered = sorted(devices.values(), key=lambda each: (each.kind, each.name, each.equipment))
    return Plan(devices=tuple(ordered), customers=customers, ties=ties, places=places, spots=spots)


class _Voltages:
    """The nominal voltage at each node, as far as the equipment there states it."""

    def __init__(self, tree: Tree, wiring: Wiring) -> None:
        self._at: dict[str, float] = {}
        for mrid, each in sorted(tree.equipment.items()):
            volts = None if each.kind == TRANSFORMER else wiring.volts(mrid)
            for node in (each.node1, each.node2) if volts is not None else ():
                if node is not None and volts is not None:
                    self._at.setdefault(node, volts)

    def at(self, node: str) -> float:
        return self._at.get(node, float("inf"))

    def is_low(self, node: str) -> bool:
        return self.at(node) <= LOW_VOLTAGE_V

    def changes(self, branch: Branch) -> bool:
        """True where a transformer leads to another voltage; a regulator does not."""
        return branch.equipment.kind == TRANSFORMER and self.at(branch.upper) != self.at(branch.lower)


def _heads(tree: Tree, voltage: _Voltages) -> Iterator[Branch]:
    """The first line of each feeder: no other lies between it and the transformer, or the source, that feeds it."""
    for branch in tree.branches:
        if branch.equipment.kind != LINE or voltage.is_low(branch.upper) or not branch.weight:
            continue
        if not any(each.equipment.kind == LINE for each in _same_voltage(branch, voltage)):
            yield branch


def _same_voltage(branch: Branch, voltage: _Voltages) -> Iterator[Branch]:
    """The branches above of the same voltage, the nearest first."""
    for each in branch.above():
        if voltage.changes(each):
            return
        yield each


def _protection(tree: Tree, voltage: _Voltages, heads: Iterable[Branch]) -> Iterator[Device]:
    for head in heads:
        own = [each for each in head.below() if _is_of(each, head, voltage)]
        if not any(each.equipment.protective for each in _same_voltage(head, voltage)):
            yield _device("Breaker", head, BREAKER_SHOTS)
        if not any(each.equipment.protective for each in own):
            yield from _of_bare_feeder(head, voltage)
    yield from _fuses_of_phases(tree, voltage)


def _is_of(branch: Branch, head: Branch, voltage: _Voltages) -> bool:
    return branch is head or (not voltage.is_low(branch.upper) and not voltage.changes(branch))


def _of_bare_feeder(head: Branch, voltage: _Voltages) -> Iterator[Device]:
    """A recloser on the trunk, and a device on each lateral that serves somebody."""
    recloses = False
    branch: Branch | None = head
    while branch is not None:
        following = [each for each in branch.children if not voltage.changes(each) and each.weight]
        if branch is not head and branch.equipment.kind == LINE and not recloses and 2 * branch.weight <= head.weight:
            recloses = True
            yield _device("Recloser", branch, RECLOSER_SHOTS)
        for lateral in following[1:]:
            line = next((each for each in lateral.below() if each.equipment.kind == LINE), None)
            if line is not None and line.weight:
                yield _device("Sectionaliser" if line.weight > LARGE_LATERAL * head.weight else "Fuse", line)
        branch = following[0] if following else None


def _fuses_of_phases(tree: Tree, voltage: _Voltages) -> Iterator[Device]:
    """A device on each lateral of fewer phases than what arrives there and than what protects it."""
    for branch in tree.branches:
        above = next((each for each in branch.above() if each.equipment.protective), None)
        fewer = branch.parent is not None and len(branch.equipment.phases) < len(branch.parent.equipment.phases)
        if branch.equipment.kind != LINE or above is None or not fewer or voltage.is_low(branch.upper):
            continue
        if len(branch.equipment.phases) < len(above.equipment.phases):
            counts = len(branch.equipment.phases) > 1 and any(_recloses(each.equipment) for each in branch.above())
            yield _device("Sectionaliser" if counts else "Fuse", branch)


def _recloses(each: Equipment) -> bool:
    return each.kind == "Recloser" or bool(each.reclose_sequences)


def _station_fuses(tree: Tree, voltage: _Voltages) -> Iterator[Device]:
    for node, shunts in sorted(tree.shunts.items()):
        way = tree.leading_to.get(node)
        if way is None or voltage.is_low(node) or way.equipment.kind == "Fuse":
            continue
        for each in shunts:
            if each.kind in CONSUMERS:
                yield Device(kind="Fuse", name=f"{each.name} fuse", equipment=each.mrid, node=node, phases=each.phases)


def _device(kind: str, branch: Branch, shots: tuple[float, ...] = ()) -> Device:
    each = branch.equipment
    name = f"{each.name} {kind.lower()}"
    return Device(kind=kind, name=name, equipment=each.mrid, node=branch.upper, phases=each.phases, shots=shots)


def _customers(feeders: Iterable[Feeder], wiring: Wiring) -> Iterator[Customer]:
    equipment = {each.mrid: each for feeder in feeders for each in feeder.equipment}
    points = {point.mrid: point for feeder in feeders for point in feeder.usage_point}
    for mrid in sorted(points.keys() & equipment.keys()):
        consumer = equipment[mrid]
        stated, power = wiring.customers.get(mrid, 1), wiring.watts(mrid)
        number = stated if stated > 1 else min(MOST_POINTS, max(1, round(power / WATTS_OF_A_POINT)))
        for place in range(number):
            phases = PhaseCode(consumer.phases[place % len(consumer.phases)]) if mrid in wiring.by_phase else None
            yield Customer(consumer=mrid, name=f"{consumer.name} {place + 1}", number=place + 1, phases=phases)


def _ties(tree: Tree, voltage: _Voltages, heads: list[Branch], spots: dict[str, Place]) -> Iterator[Tie]:
    """A tie for each feeder that no open switch joins to anything, to the nearest end of another."""
    joined = {node for each in tree.equipment.values() if each.normal_open for node in (each.node1, each.node2)}
    ends = {id(head): _end(head, voltage) for head in heads}
    done: set[int] = set()
    for head in heads:
        own = {each.lower for each in head.below()} | {head.upper}
        others = [
            each
            for each in heads
            if each is not head and each.lower not in own and voltage.at(each.lower) == voltage.at(head.lower)
        ]
        if id(head) in done or own & joined or not others:
            continue
        start = ends[id(head)]
        other = min(others, key=lambda each: (_apart(spots, start.lower, ends[id(each)].lower), each.equipment.mrid))
        end = ends[id(other)]
        if start.equipment.phases != end.equipment.phases:
            continue
        done |= {id(head), id(other)}
        name = f"{start.equipment.name} - {end.equipment.name} tie"
        yield Tie(name=name, pattern=start.equipment.mrid, start=start.lower, end=end.lower)


def _end(head: Branch, voltage: _Voltages) -> Branch:
    """The last line of the trunk that has all phases of its first."""
    branch = last = head
    while True:
        on = [each for each in branch.children if not voltage.changes(each)]
        if not on or len(on[0].equipment.phases) < len(head.equipment.phases):
            return last
        branch = on[0]
        last = branch if branch.equipment.kind == LINE else last


def _apart(spots: dict[str, Place], one: str, other: str) -> float:
    (x1, y1), (x2, y2) = spots[one], spots[other]
    return (x1 - x2) ** 2 + (y1 - y2) ** 2
