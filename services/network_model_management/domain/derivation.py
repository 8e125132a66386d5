"""From a CIM model to the topology of its feeders, in the normal state.

Everything is told in primary phases (A, B, C): what hangs on the legs ``s1`` and ``s2`` of a centre-tapped transformer
has the phase of its primary winding, so that whoever traces a feeder passes a transformer without a change of phase.
Nothing here depends on the order of the document or on the spelling of an mRID.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import pairwise

from msgspec import Struct

from contracts.nouns.feeder_topology import ConnectivityNode, Equipment, Feeder, UsagePoint
from contracts.nouns.network_models import ModelFindingKind
from contracts.nouns.units import PhaseCode
from contracts.types import Name
from services.network_model_management.domain.findings import (
    island_findings,
    listed,
    unknown_classes,
    voltage_findings,
)
from services.network_model_management.domain.model import (
    BRANCHES,
    CONDUCTING,
    CONSUMERS,
    END_DEVICES,
    PHASE_CLASSES,
    SWITCHES,
    CimObject,
    Finding,
    Model,
    Problem,
)
from services.network_model_management.domain.zones import Zones

PROTECTIVE = frozenset({"Breaker", "Fuse", "Recloser", "Sectionaliser"})
"""What opens by itself on a fault."""

REMOTELY_OPERABLE = frozenset({"Breaker", "LoadBreakSwitch", "Recloser"})
"""What has a drive and a remote terminal; a crew goes to all others."""

LOW_VOLTAGE_V = 1000.0
"""Up to this nominal voltage a winding supplies customers directly (IEC 60038)."""

_ALL = frozenset("ABC")


class Import(Struct, frozen=True, kw_only=True):
    """What came of a document: its feeders and what was assumed, or everything that is wrong with it.

    ``findings`` are the first of each kind, ``finding_count`` is how many there were.
    """

    feeders: tuple[Feeder, ...] = ()
    findings: tuple[Finding, ...] = ()
    finding_count: int = 0
    problems: tuple[Problem, ...] = ()


def import_model(objects: tuple[CimObject, ...], version: str, at: datetime) -> Import:
    """The feeders of a sound model, as its ``version`` that is valid from ``at`` on; their revision is 0."""
    derivation = _Derivation(Model(objects))
    problems = tuple(sorted(derivation.problems()))
    if problems:
        return Import(problems=problems)
    feeders = derivation.feeders(version, at)
    findings = {*derivation.findings, *derivation.whole_findings(), *unknown_classes(objects)}
    return Import(feeders=feeders, findings=listed(findings), finding_count=len(findings))


class _Derivation:
    """One derivation: the model, what is looked up often in it, and the findings on the way."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.findings: list[Finding] = []
        self._equipment = model.of(*CONDUCTING)
        self._nodes = {each.id: self._nodes_of(each) for each in self._equipment}
        self._zones = self._joined(BRANCHES)
        self._transformer_of_zone: dict[str, CimObject] = {}
        self._legs_of_zone: defaultdict[str, frozenset[str]] = defaultdict(frozenset)
        for transformer in model.of("PowerTransformer"):
            self._supply_zones(transformer)

    def problems(self) -> Iterator[Problem]:
        """Equipment that cannot be drawn as an edge or hung on a node, and a model without source or feeder."""
        for kind in ("EnergySource", "Feeder"):
            if not self.model.of(kind):
                yield Problem(line=0, text=f"the model has no {kind}")
        for each in self._equipment:
            count = len(self._nodes[each.id])
            if each.kind in BRANCHES and count != 2:  # noqa: PLR2004 - an edge has two ends
                yield each.problem(f"{each.kind} with {count} terminals instead of 2")
            elif each.kind == "PowerTransformer" and count < 2:  # noqa: PLR2004 - the same
                yield each.problem(f"{each.kind} whose windings meet {count} nodes")
            elif count == 0:
                yield each.problem(f"{each.kind} without a terminal")

    def feeders(self, version: str, at: datetime) -> tuple[Feeder, ...]:
        """All feeders by name, each with the nodes, the equipment and the usage points that belong to it."""
        nodes: defaultdict[str, list[ConnectivityNode]] = defaultdict(list)
        equipment: defaultdict[str, list[Equipment]] = defaultdict(list)
        usage_points: defaultdict[str, list[UsagePoint]] = defaultdict(list)
        home = self._home()
        for node in self.model.of("ConnectivityNode"):
            feeder = self._container(node, "ConnectivityNode.ConnectivityNodeContainer", home)
            nodes[feeder.id].append(ConnectivityNode(mrid=node.mrid))
        phases = {each.id: self._phases(each) for each in self._equipment}
        for each in self._equipment:
            feeder = self._container(each, "Equipment.EquipmentContainer", home)
            equipment[feeder.id].extend(self._drawn(each, phases[each.id]))
        for each, point in self._usage_points(phases):
            feeder = self._container(each, "Equipment.EquipmentContainer", home)
            usage_points[feeder.id].append(point)
        return tuple(
            Feeder(
                mrid=feeder.mrid,
                event_time=at,
                model_version=version,
                revision=0,
                connectivity_node=tuple(nodes[feeder.id]),
                equipment=tuple(equipment[feeder.id]),
                names=(Name(name=feeder.name),),
                usage_point=tuple(usage_points[feeder.id]),
            )
            for feeder in self.model.of("Feeder")
        )

    def whole_findings(self) -> Iterator[Finding]:
        """What only the whole network shows: voltages that nobody states, and islands."""
        joined = Zones()
        for each in self._equipment:
            if each.kind in BRANCHES:
                joined.join(*(node.id for node in self._nodes[each.id]))
        yield from voltage_findings(self.model, self._equipment, self._nodes, joined)
        yield from island_findings(self.model, self._nodes, self._joined(BRANCHES | {"PowerTransformer"}))

    def _nodes_of(self, equipment: CimObject) -> tuple[CimObject, ...]:
        """The nodes that the equipment joins: by terminal for most, by winding for a transformer."""
        if equipment.kind == "PowerTransformer":
            terminals = [self.model.by_id[end.link("TransformerEnd.Terminal")] for end in self._ends(equipment)]
            nodes = [self.model.by_id[terminal.link("Terminal.ConnectivityNode")] for terminal in terminals]
            return tuple({node.id: node for node in nodes}.values())
        terminals = sorted(
            self.model.pointing("Terminal.ConductingEquipment", equipment),
            key=lambda each: int(each.values.get("ACDCTerminal.sequenceNumber", "0")),
        )
        return tuple(self.model.by_id[terminal.link("Terminal.ConnectivityNode")] for terminal in terminals)

    def _joined(self, kinds: frozenset[str]) -> Zones:
        """The zones that the equipment of these classes makes of the nodes in the normal state."""
        zones = Zones()
        for each in self._equipment:
            if each.kind in kinds and not self._normally_open(each):
                for one, other in pairwise(self._nodes[each.id]):
                    zones.join(one.id, other.id)
        return zones

    def _ends(self, transformer: CimObject) -> list[CimObject]:
        """The ends of all windings of all tanks, high-voltage side first."""
        ends = list(self.model.pointing("PowerTransformerEnd.PowerTransformer", transformer))
        for tank in self.model.pointing("TransformerTank.PowerTransformer", transformer):
            ends.extend(self.model.pointing("TransformerTankEnd.TransformerTank", tank))
        return sorted(ends, key=_end_number)

    def _supply_zones(self, transformer: CimObject) -> None:
        """Note which zones the transformer supplies at low voltage, and which phase the legs of a zone come from."""
        for end in self._ends(transformer):
            terminal = self.model.by_id[end.link("TransformerEnd.Terminal")]
            zone = self._zones.find(terminal.link("Terminal.ConnectivityNode"))
            legs = _is_leg(end.values.get("TransformerTankEnd.orderedPhases", ""))
            if legs:
                self._legs_of_zone[zone] |= self._primary_phases(transformer)
            if legs or (_end_number(end) > 1 and self._voltage(end) <= LOW_VOLTAGE_V):
                self._transformer_of_zone.setdefault(zone, transformer)

    def _voltage(self, end: CimObject) -> float:
        """The nominal voltage of a winding in V; infinite where nothing says it."""
        base = self.model.follow(end, "TransformerEnd.BaseVoltage")
        stated = base.values.get("BaseVoltage.nominalVoltage") if base else end.values.get("PowerTransformerEnd.ratedU")
        return float(stated) if stated else float("inf")

    def _primary_phases(self, transformer: CimObject) -> frozenset[str]:
        """The phases of the first windings of all tanks; a transformer without tanks is three-phase."""
        phases: frozenset[str] = frozenset()
        for tank in self.model.pointing("TransformerTank.PowerTransformer", transformer):
            ends = sorted(self.model.pointing("TransformerTankEnd.TransformerTank", tank), key=_end_number)
            if ends:
                phases |= _letters(ends[0].values.get("TransformerTankEnd.orderedPhases", ""))
        return phases or _ALL

    def _phases(self, equipment: CimObject) -> frozenset[str]:
        """The primary phases of the equipment; a missing statement is ABC with a finding."""
        if equipment.kind == "PowerTransformer":
            return self._primary_phases(equipment)
        codes = [
            part.values.get(names.phase, "")
            for kind, names in PHASE_CLASSES.items()
            for part in self.model.pointing(names.equipment, equipment)
            if part.kind == kind and self._in_place(part, equipment)
        ] or [
            terminal.values.get("Terminal.phases", "")
            for terminal in self.model.pointing("Terminal.ConductingEquipment", equipment)
        ]
        found = self._resolved(codes, self._nodes[equipment.id][0])
        if not found and equipment.kind in BRANCHES | CONSUMERS:
            self.findings.append(
                Finding(
                    kind=ModelFindingKind.MISSING_PHASES,
                    mrid=equipment.mrid,
                    text=f"{equipment.kind} without phases: taken as ABC",
                )
            )
        return found or _ALL

    def _resolved(self, codes: Iterable[str], node: CimObject) -> frozenset[str]:
        """The letters in some phase codes; a leg stands for the phase that feeds the zone of ``node``."""
        found: frozenset[str] = frozenset()
        for code in codes:
            found |= self._legs_of_zone[self._zones.find(node.id)] if _is_leg(code) else _letters(code)
        return found

    def _in_place(self, part: CimObject, equipment: CimObject) -> bool:
        """False for a phase of a switch that is open while others are closed: one position is told for all phases."""
        if part.kind != "SwitchPhase" or self._open(equipment) or _flag(part, "SwitchPhase.closed", missing=True):
            return True
        self.findings.append(
            Finding(
                kind=ModelFindingKind.OPEN_PHASE,
                mrid=equipment.mrid,
                text=f"{equipment.kind} with one phase open: that phase is left out",
            )
        )
        return False

    def _open(self, switch: CimObject) -> bool:
        """The position that the model states: of the phases where they are stated, else of the whole switch."""
        parts = self.model.pointing("SwitchPhase.Switch", switch)
        if any("SwitchPhase.closed" in part.values for part in parts):
            return not any(_flag(part, "SwitchPhase.closed") for part in parts)
        return _flag(switch, "Switch.open", missing=self._normally_open(switch))

    def _normally_open(self, equipment: CimObject) -> bool:
        """The normal position; a line is never open."""
        parts = self.model.pointing("SwitchPhase.Switch", equipment)
        if any("SwitchPhase.normalOpen" in part.values for part in parts):
            return all(_flag(part, "SwitchPhase.normalOpen") for part in parts)
        return _flag(equipment, "Switch.normalOpen")

    def _drawn(self, equipment: CimObject, phases: frozenset[str]) -> Iterator[Equipment]:
        """The equipment as edges: one, or one for each further winding of a transformer, from the first winding."""
        first, *others = self._nodes[equipment.id]
        is_switch = equipment.kind in SWITCHES
        for place, other in enumerate(others or [None]):
            yield Equipment(
                mrid=equipment.mrid if place == 0 else f"{equipment.mrid}-{place + 2}",
                name=equipment.name,
                kind=equipment.kind,
                node1=first.mrid,
                node2=None if other is None else other.mrid,
                phases=_code(phases),
                normal_open=self._normally_open(equipment) if is_switch else None,
                open=self._open(equipment) if is_switch else None,
                protective=equipment.kind in PROTECTIVE,
                remotely_operable=equipment.kind in REMOTELY_OPERABLE,
            )

    def _usage_points(self, phases: dict[str, frozenset[str]]) -> Iterator[tuple[CimObject, UsagePoint]]:
        """The usage points of the model with their equipment, and each consumer without one as a usage point."""
        served: set[str] = set()
        for each in self.model.of("UsagePoint"):
            equipment = self.model.follow(each, "UsagePoint.Equipments")
            if equipment is None:
                self.findings.append(
                    Finding(
                        kind=ModelFindingKind.LEFT_OUT, mrid=each.mrid, text="UsagePoint without Equipments: left out"
                    )
                )
                continue
            served.add(equipment.id)
            meters = (meter for meter in self.model.pointing("EndDevice.UsagePoint", each) if meter.kind in END_DEVICES)
            code = each.values.get("UsagePoint.phaseCode", "")
            found = self._resolved([code], self._nodes[equipment.id][0]) or phases[equipment.id]
            yield equipment, self._usage_point(each, equipment, found, next(meters, None))
        for consumer in self.model.of(*CONSUMERS):
            if consumer.id not in served:
                yield consumer, self._usage_point(consumer, consumer, phases[consumer.id], None)

    def _usage_point(
        self, point: CimObject, equipment: CimObject, phases: frozenset[str], meter: CimObject | None
    ) -> UsagePoint:
        node = self._nodes[equipment.id][0]
        transformer = self._transformer_of_zone.get(self._zones.find(node.id))
        return UsagePoint(
            mrid=point.mrid,
            name=point.name,
            node=node.mrid,
            phases=_code(phases),
            transformer=None if transformer is None else transformer.mrid,
            meter=f"{point.mrid}-meter" if meter is None else meter.mrid,
            customers=int(point.values.get("EnergyConsumer.customerCount", "1")),
            critical=point.values.get("UsagePoint.servicePriority", "").lower() == "critical",
        )

    def _home(self) -> CimObject:
        """The feeder of all that stands in none: that of the first source which stands in one, else the first."""
        containers = (
            self.model.follow(source, "Equipment.EquipmentContainer") for source in self.model.of("EnergySource")
        )
        feeders = [each for each in containers if each is not None and each.kind == "Feeder"]
        return feeders[0] if feeders else self.model.of("Feeder")[0]

    def _container(self, each: CimObject, association: str, home: CimObject) -> CimObject:
        container = self.model.follow(each, association)
        return container if container is not None and container.kind == "Feeder" else home


def _letters(code: str) -> frozenset[str]:
    """The phases in a PhaseCode, SinglePhaseKind or OrderedPhaseCodeKind; the neutral is none."""
    return _ALL.intersection(code)


def _is_leg(code: str) -> bool:
    """True for the legs of a centre-tapped winding: s1, s2, s12, s1N, Ns2."""
    return "s" in code


def _code(phases: frozenset[str]) -> PhaseCode:
    return PhaseCode("".join(sorted(phases)))


def _end_number(end: CimObject) -> int:
    return int(end.values.get("TransformerEnd.endNumber", "1"))


def _flag(each: CimObject, name: str, *, missing: bool = False) -> bool:
    stated = each.values.get(name)
    return missing if stated is None else stated in {"true", "1"}
