"""What is odd about a model that can be used: rules V4, V5, V10, V12, V14 and V15 of the guide (section 3.14).

Nothing here refuses a model. Real models have all of this, and whoever reads the list decides what to do about it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from math import cos, hypot, radians

from contracts.nouns.feeder_topology import Equipment, Feeder
from contracts.nouns.network_models import ModelFindingKind
from services.network_model_management.domain.model import CONDUCTING, LINES, LOCATIONS, SWITCHES, Finding, Model
from services.network_model_management.domain.places import Places, place_of
from services.network_model_management.domain.supply import Edge, Supply
from services.network_model_management.domain.switches import is_normally_open

NAMED = 8
"""So many switches of a loop are named, the others counted."""

FARTHEST_KM = 200.0
"""What stands farther from the middle of its feeder is not where it is said to be [P]."""

_KM_PER_DEGREE = 111.2
_CLOSED, _OPEN = {"2"}, {"0"}
_NAMED_IN_CONTAINER = (
    ("ConnectivityNode.ConnectivityNodeContainer", frozenset({"ConnectivityNode"})),
    ("Equipment.EquipmentContainer", CONDUCTING),
)


def supply_findings(feeders: tuple[Feeder, ...], phases_unknown: frozenset[str]) -> Iterator[Finding]:
    """What the way from the sources shows: loops, phases that do not arrive, and what nothing protects."""
    supply = Supply(feeders, phases_unknown)
    names = {feeder.mrid: feeder.names[0].name for feeder in feeders if feeder.names}
    for closing in supply.loops:
        yield _loop(supply, closing, names)
    yield from _unsupplied_phases(feeders, supply, phases_unknown)
    yield from _protection(supply)


def model_findings(model: Model, places: Places, feeders: tuple[Feeder, ...]) -> Iterator[Finding]:
    """What the objects say of themselves: names twice, normal positions that contradict, places."""
    yield from _names(model)
    yield from _normal_positions(model)
    yield from _coordinates(model, places)
    yield from _places(feeders)


def _loop(supply: Supply, closing: Edge, names: dict[str, str]) -> Finding:
    """V4: an edge that closes a loop, or joins two sources, in the normal state."""
    one, other = supply.source_of[closing.start], supply.source_of[closing.end]
    cycle = supply.cycle(closing)
    if (other.name, other.mrid) < (one.name, one.mrid):
        one, other, cycle = other, one, cycle[::-1]
    switches = [each.name for each in cycle if each.kind in SWITCHES]
    over = ", ".join(switches[:NAMED]) or "no switch"
    more = f" and {len(switches) - NAMED} more switches" if len(switches) > NAMED else ""
    if one is not other:
        text = f"joins the sources {one.name} and {other.name} in the normal state, over {over}{more}"
    else:
        passed = {closing.feeder, supply.feeder_of.get(closing.start), supply.feeder_of.get(closing.end)} - {None}
        where = " and ".join(sorted(names.get(str(each), str(each)) for each in passed))
        text = f"closes a loop in the normal state, in {where}, over {over}{more}"
    equipment = closing.equipment
    return Finding(kind=ModelFindingKind.LOOP, mrid=equipment.mrid, text=f"{equipment.kind} {text}")


def _unsupplied_phases(
    feeders: tuple[Feeder, ...], supply: Supply, phases_unknown: frozenset[str]
) -> Iterator[Finding]:
    """V5: phases of an equipment that do not reach it."""
    found: set[tuple[str, str]] = set()
    ends = [(edge.equipment, edge.start) for edge in supply.edges]
    ends += [(each, each.node1) for feeder in feeders for each in feeder.equipment if each.node2 is None]
    for equipment, node in ends:
        lacking = "" if equipment.mrid in phases_unknown else _lacking(equipment.phases, supply, node)
        if lacking:
            found.add((node, equipment.phases))
            text = f"{equipment.kind} on phases {equipment.phases}, of which {lacking} does not reach it"
            yield Finding(kind=ModelFindingKind.PHASES_NOT_SUPPLIED, mrid=equipment.mrid, text=text)
    for point in (each for feeder in feeders for each in feeder.usage_point):
        lacking = _lacking(point.phases, supply, point.node)
        if lacking and (point.node, point.phases) not in found and point.mrid not in phases_unknown:
            text = f"UsagePoint on phases {point.phases}, of which {lacking} does not reach it"
            yield Finding(kind=ModelFindingKind.PHASES_NOT_SUPPLIED, mrid=point.mrid, text=text)


def _lacking(phases: str, supply: Supply, node: str) -> str:
    """The phases that do not reach a node; none where nothing does, which is another finding."""
    reaching = supply.phases.get(node)
    return "" if reaching is None else "".join(sorted(set(phases) - reaching))


def _protection(supply: Supply) -> Iterator[Finding]:
    """V10: lines that nothing protects, laterals without a device of their own, a recloser behind a fuse."""
    above: dict[str, Equipment | None] = {}
    fuses: dict[str, Equipment] = {}
    bare: Counter[str] = Counter()
    for edge in supply.edges:
        equipment, device = edge.equipment, above.get(edge.start)
        fuse = fuses.get(edge.start)
        if equipment.kind == "Recloser" and fuse is not None:
            text = f"Recloser behind the fuse {fuse.name}, which melts before it opens"
            yield Finding(kind=ModelFindingKind.PROTECTION_ORDER, mrid=equipment.mrid, text=text)
        if equipment.kind in LINES and device is None:
            bare[supply.source_of[edge.start].mrid] += 1
        if equipment.kind in LINES and device is not None and len(equipment.phases) < len(device.phases):
            text = f"{equipment.kind} on phases {equipment.phases} without a device between it and {device.name}"
            if len(equipment.phases) < len(supply.phases[edge.start]):
                yield Finding(kind=ModelFindingKind.UNPROTECTED, mrid=equipment.mrid, text=text)
        above[edge.end] = equipment if equipment.protective else device
        if equipment.kind == "Fuse":
            fuses[edge.end] = equipment
        elif fuse is not None:
            fuses[edge.end] = fuse
    for mrid, count in bare.items():
        text = f"EnergySource of which {count} lines have no protective device above them"
        yield Finding(kind=ModelFindingKind.UNPROTECTED, mrid=mrid, text=text)


def _names(model: Model) -> Iterator[Finding]:
    """V12: two objects of one class with one name in one container."""
    for association, kinds in _NAMED_IN_CONTAINER:
        named: defaultdict[tuple[str, str, str], list[str]] = defaultdict(list)
        for each in model.of(*kinds):
            name = each.values.get("IdentifiedObject.name")
            if name:
                named[each.kind, each.link(association), name].append(each.mrid)
        for (kind, _, name), mrids in named.items():
            text = f"{kind} named '{name}' like {len(mrids) - 1} more of its class and container"
            for mrid in mrids if len(mrids) > 1 else ():
                yield Finding(kind=ModelFindingKind.DUPLICATE_NAME, mrid=mrid, text=text)


def _normal_positions(model: Model) -> Iterator[Finding]:
    """V14: a measurement whose normal value is another position than the switch's.

    2 is closed where positions have two bits, 0 is open where they have one; what 1 means the model does not say.
    """
    for each in model.of("Discrete"):
        switch = model.follow(each, "Measurement.PowerSystemResource")
        value = each.values.get("Discrete.normalValue", "")
        if switch is None or switch.kind not in SWITCHES or value not in _CLOSED | _OPEN:
            continue
        opened = is_normally_open(model, switch)
        if opened != (value in _OPEN):
            said, normal = ("closed", "open") if opened else ("open", "closed")
            text = f"{switch.kind} normally {normal}, and the normal value of its measurement {each.name} is {said}"
            yield Finding(kind=ModelFindingKind.NORMAL_POSITION, mrid=switch.mrid, text=text)


def _coordinates(model: Model, places: Places) -> Iterator[Finding]:
    """V15: places in another system than WGS 84, and points that are no longitude and latitude."""
    others: Counter[str] = Counter()
    for location in model.of(*LOCATIONS):
        system = model.follow(location, "Location.CoordinateSystem")
        if system is not None and not places.is_geographic(location):
            others[system.id] += 1
        elif places.of_location(location) is None:
            for point in model.pointing("PositionPoint.Location", location):
                if place_of(point) is None:
                    text = f"PositionPoint of {location.name} without a longitude and a latitude"
                    yield Finding(kind=ModelFindingKind.MISPLACED, mrid=point.mrid, text=text)
    for system in model.of("CoordinateSystem"):
        if others[system.id]:
            urn = system.values.get("CoordinateSystem.crsUrn", "")
            text = f"CoordinateSystem '{urn}' of {others[system.id]} locations, which are not told: it is not WGS 84"
            yield Finding(kind=ModelFindingKind.MISPLACED, mrid=system.mrid, text=text)


def _places(feeders: tuple[Feeder, ...]) -> Iterator[Finding]:
    """V15: equipment without a place where other has one, or far from all other of its feeder."""
    placed = {feeder.mrid: [each for each in feeder.equipment if each.latitude is not None] for feeder in feeders}
    for feeder in feeders if any(placed.values()) else ():
        missing = len(feeder.equipment) - len(placed[feeder.mrid])
        if missing:
            text = f"Feeder of which {missing} of {len(feeder.equipment)} pieces of equipment have no place"
            yield Finding(kind=ModelFindingKind.MISSING_PLACE, mrid=feeder.mrid, text=text)
        yield from _far_away(placed[feeder.mrid])


def _far_away(placed: Iterable[Equipment]) -> Iterator[Finding]:
    points = [(each, each.longitude or 0.0, each.latitude or 0.0) for each in placed]
    if not points:
        return
    east, north = sorted(x for _, x, _ in points)[len(points) // 2], sorted(y for _, _, y in points)[len(points) // 2]
    for each, x, y in points:
        kilometres = hypot((x - east) * cos(radians(north)), y - north) * _KM_PER_DEGREE
        if kilometres > FARTHEST_KM:
            text = f"{each.kind} {kilometres:.0f} km from the middle of its feeder"
            yield Finding(kind=ModelFindingKind.MISPLACED, mrid=each.mrid, text=text)
