"""What a model leaves open or contradicts, seen over the whole network: voltages, islands and unknown classes."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping

from contracts.nouns.network_models import ModelFindingKind
from services.network_model_management.domain.classes import CLASSES
from services.network_model_management.domain.model import CONSUMERS, CimObject, Finding, Model
from services.network_model_management.domain.zones import Zones

LISTED = 100
"""How many findings of one kind are listed; all are counted."""


def listed(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The first findings of each kind, so that what is told of a model fits in a message."""
    told: Counter[ModelFindingKind] = Counter()
    kept: list[Finding] = []
    for finding in sorted(findings):
        told[finding.kind] += 1
        if told[finding.kind] <= LISTED:
            kept.append(finding)
    return tuple(kept)


def unknown_classes(objects: tuple[CimObject, ...]) -> Iterator[Finding]:
    """Each class that the class model does not have, with the first of its objects."""
    counts = Counter(each.kind for each in objects)
    for kind in sorted(counts.keys() - CLASSES):
        first = min(each.mrid for each in objects if each.kind == kind)
        text = f"{kind} is no class of the model: {counts[kind]} objects are kept and not understood"
        yield Finding(kind=ModelFindingKind.UNKNOWN_CLASS, mrid=first, text=text)


def voltage_findings(
    model: Model, equipment: tuple[CimObject, ...], nodes: Mapping[str, tuple[CimObject, ...]], zones: Zones
) -> Iterator[Finding]:
    """Equipment whose voltage nobody states: not it, its container, a winding at its node, nor a neighbour.

    ``zones`` are the nodes that lines and switches join, open ones as well: one voltage is to be expected in each.
    """
    stated = _stated(model, equipment, nodes, zones)
    for each in equipment:
        if each.kind != "PowerTransformer" and not any(stated.get(zones.find(node.id)) for node in nodes[each.id]):
            text = f"{each.kind} without a base voltage: neither it nor a neighbour states one"
            yield Finding(kind=ModelFindingKind.MISSING_BASE_VOLTAGE, mrid=each.mrid, text=text)
    for voltages in stated.values():
        if len(voltages) > 1:
            named = ", ".join(sorted(voltages))
            first = min(each.mrid for each in voltages.values())
            text = f"base voltages of {named} V are joined without a transformer"
            yield Finding(kind=ModelFindingKind.MIXED_BASE_VOLTAGES, mrid=first, text=text)


def island_findings(model: Model, nodes: Mapping[str, tuple[CimObject, ...]], zones: Zones) -> Iterator[Finding]:
    """Islands that no source reaches in the normal state, and each consumer in one; ``zones`` join what is closed."""
    live = {zones.find(nodes[source.id][0].id) for source in model.of("EnergySource")}
    islands: defaultdict[str, list[str]] = defaultdict(list)
    for node in model.of("ConnectivityNode"):
        zone = zones.find(node.id)
        if zone not in live:
            islands[zone].append(node.mrid)
    for members in islands.values():
        text = f"no source reaches the island of this node and {len(members) - 1} others in the normal state"
        yield Finding(kind=ModelFindingKind.UNSUPPLIED_ISLAND, mrid=min(members), text=text)
    for consumer in model.of(*CONSUMERS):
        if zones.find(nodes[consumer.id][0].id) not in live:
            text = f"{consumer.kind} that no source reaches in the normal state"
            yield Finding(kind=ModelFindingKind.UNSUPPLIED_CONSUMER, mrid=consumer.mrid, text=text)


def nominal_voltages(
    model: Model, equipment: tuple[CimObject, ...], nodes: Mapping[str, tuple[CimObject, ...]], zones: Zones
) -> Mapping[str, float]:
    """The nominal voltage of each zone in V, the lowest where several are stated; else that of a winding there."""
    stated = _stated(model, equipment, nodes, zones)
    found = {zone: [float(volts) for volts in voltages if _is_number(volts)] for zone, voltages in stated.items()}
    for end in model.of("PowerTransformerEnd"):
        terminal = model.follow(end, "TransformerEnd.Terminal")
        rated = end.values.get("PowerTransformerEnd.ratedU", "")
        if terminal is not None and _is_number(rated):
            zone = found.setdefault(zones.find(terminal.link("Terminal.ConnectivityNode")), [])
            zone.extend(() if zone else (float(rated),))
    return {zone: min(volts) for zone, volts in found.items() if volts}


def _is_number(text: str) -> bool:
    """True for digits with a fraction or an exponent, as voltages are written; an identifier is none."""
    return text.replace(".", "", 1).replace("e+", "", 1).isdecimal()


def _stated(
    model: Model, equipment: tuple[CimObject, ...], nodes: Mapping[str, tuple[CimObject, ...]], zones: Zones
) -> Mapping[str, Mapping[str, CimObject]]:
    """The base voltages that are stated in each zone, each with an object that states it."""
    stated: defaultdict[str, dict[str, CimObject]] = defaultdict(dict)
    for each in equipment:
        base = _base_voltage(model, each)
        if base is not None:
            for node in nodes[each.id]:
                stated[zones.find(node.id)].setdefault(_volts(base), each)
    for kind in ("PowerTransformerEnd", "TransformerTankEnd"):
        for end in model.of(kind):
            base = model.follow(end, "TransformerEnd.BaseVoltage")
            terminal = model.follow(end, "TransformerEnd.Terminal")
            if base is not None and terminal is not None:
                zone = zones.find(terminal.link("Terminal.ConnectivityNode"))
                stated[zone].setdefault(_volts(base), end)
    return stated


def _volts(base: CimObject) -> str:
    """What tells a base voltage from another: its value, or its identifier where it has none."""
    stated = base.values.get("BaseVoltage.nominalVoltage")
    return base.id if stated is None else f"{float(stated):g}"


def _base_voltage(model: Model, equipment: CimObject) -> CimObject | None:
    """The base voltage that the equipment states, or its voltage level, directly or through a bay.

    A transformer has several, at its windings.
    """
    if equipment.kind == "PowerTransformer":
        return None
    own = model.follow(equipment, "ConductingEquipment.BaseVoltage")
    if own is not None:
        return own
    container = model.follow(equipment, "Equipment.EquipmentContainer")
    if container is not None and container.kind == "Bay":
        container = model.follow(container, "Bay.VoltageLevel")
    return None if container is None else model.follow(container, "VoltageLevel.BaseVoltage")
