"""From a CIM model to the topology of its feeders, in the normal state.

Everything is told in primary phases (A, B, C): what hangs on the legs ``s1`` and ``s2`` of a centre-tapped transformer
has the phase of its primary winding, so that whoever traces a feeder passes a transformer without a change of phase.
Nothing here depends on the order of the document or on the spelling of an mRID.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime

from msgspec import Struct

from contracts.nouns.electrical_models import ElectricalModel
from contracts.nouns.feeder_topology import ConnectivityNode, Equipment, FaultIndicator, Feeder, UsagePoint
from contracts.nouns.network_models import ModelFindingKind
from contracts.types import Name
from services.network_model_management.domain.checks import model_findings, supply_findings
from services.network_model_management.domain.connectivity import Connectivity
from services.network_model_management.domain.electrical import Drawn, electrical_models
from services.network_model_management.domain.findings import (
    island_findings,
    listed,
    nominal_voltages,
    unknown_classes,
    voltage_findings,
)
from services.network_model_management.domain.model import (
    BRANCHES,
    CONSUMERS,
    END_DEVICES,
    PHASE_CLASSES,
    SWITCHES,
    CimObject,
    Finding,
    Model,
    Problem,
)
from services.network_model_management.domain.phases import ALL, NONE, code_of, is_leg, letters
from services.network_model_management.domain.places import Places
from services.network_model_management.domain.ratings import electrical_findings
from services.network_model_management.domain.switches import (
    is_normally_open,
    is_open,
    open_phases,
    phases_at_node2,
    reclose_sequences,
)
from services.network_model_management.domain.transformers import connection_of, primary_phases

PROTECTIVE = frozenset({"Breaker", "Fuse", "Recloser", "Sectionaliser"})
"""What opens by itself on a fault."""

REMOTELY_OPERABLE = frozenset({"Breaker", "LoadBreakSwitch", "Recloser"})
"""What has a drive and a remote terminal; a crew goes to all others."""


class Import(Struct, frozen=True, kw_only=True):
    """What came of a document: its feeders and what was assumed, or everything that is wrong with it.

    ``electrical`` are the electrical data of the feeders, in their order; ``findings`` are the first of each kind,
    ``finding_count`` is how many there were.
    """

    electrical: tuple[ElectricalModel, ...] = ()
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
    electrical, lacking = electrical_models(derivation.drawn(), version)
    findings = {*derivation.findings, *derivation.whole_findings(feeders), *unknown_classes(objects), *lacking}
    findings.update(electrical_findings(electrical, feeders))
    return Import(electrical=electrical, feeders=feeders, findings=listed(findings), finding_count=len(findings))


class _Derivation:
    """One derivation: the model, what is looked up often in it, and the findings on the way."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.findings: list[Finding] = []
        self._hung = Connectivity(model)
        self._equipment = self._hung.equipment
        self._nodes = self._hung.nodes
        self._places = Places(model)
        self._phases_of: dict[str, frozenset[str]] = {}
        self._phases_unknown: set[str] = set()

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
        indicators: defaultdict[str, list[FaultIndicator]] = defaultdict(list)
        usage_points: defaultdict[str, list[UsagePoint]] = defaultdict(list)
        home = self._home()
        for node in self.model.of("ConnectivityNode"):
            feeder = self._container(node, "ConnectivityNode.ConnectivityNodeContainer", home)
            nodes[feeder.id].append(ConnectivityNode(mrid=node.mrid))
        phases = self._phases_of = {each.id: self._phases(each) for each in self._equipment}
        for each in self._equipment:
            feeder = self._container(each, "Equipment.EquipmentContainer", home)
            equipment[feeder.id].extend(self._drawn(each, phases[each.id]))
        for each, indicator in self._fault_indicators():
            indicators[self._container(each, "Equipment.EquipmentContainer", home).id].append(indicator)
        for each, point in self._usage_points(phases):
            usage_points[self._container(each, "Equipment.EquipmentContainer", home).id].append(point)
        return tuple(
            Feeder(
                mrid=feeder.mrid,
                event_time=at,
                model_version=version,
                revision=0,
                connectivity_node=tuple(nodes[feeder.id]),
                equipment=tuple(equipment[feeder.id]),
                fault_indicator=tuple(indicators[feeder.id]),
                names=(Name(name=feeder.name),),
                usage_point=tuple(usage_points[feeder.id]),
            )
            for feeder in self.model.of("Feeder")
        )

    def drawn(self) -> Drawn:
        """The model with what :meth:`feeders` derived, for its electrical data."""
        home, zones = self._home(), self._hung.joined(BRANCHES, open_too=True)
        voltages = nominal_voltages(self.model, self._equipment, self._nodes, zones)
        associations = {"ConnectivityNode": "ConnectivityNode.ConnectivityNodeContainer"}
        return Drawn(
            model=self.model,
            nodes=self._nodes,
            phases={each: code_of(phases) for each, phases in self._phases_of.items()},
            feeder_of=lambda each: self._container(
                each, associations.get(each.kind, "Equipment.EquipmentContainer"), home
            ),
            voltage_of=lambda node: voltages.get(zones.find(node.id)),
        )

    def whole_findings(self, feeders: tuple[Feeder, ...]) -> Iterator[Finding]:
        """What only the whole network shows: voltages, islands, the way from the sources, names and places."""
        yield from supply_findings(feeders, frozenset(self._phases_unknown))
        yield from model_findings(self.model, self._places, feeders)
        joined = self._hung.joined(BRANCHES, open_too=True)
        yield from voltage_findings(self.model, self._equipment, self._nodes, joined)
        yield from island_findings(self.model, self._nodes, self._hung.joined(BRANCHES | {"PowerTransformer"}))

    def _phases(self, equipment: CimObject) -> frozenset[str]:
        """The primary phases of the equipment; a missing statement is ABC with a finding."""
        if equipment.kind == "PowerTransformer":
            return primary_phases(self.model, equipment)
        codes = [
            part.values.get(names.phase, "")
            for kind, names in PHASE_CLASSES.items()
            for part in self.model.pointing(names.equipment, equipment)
            if part.kind == kind
        ] or [
            terminal.values.get("Terminal.phases", "")
            for terminal in self.model.pointing("Terminal.ConductingEquipment", equipment)
        ]
        found = self._resolved(codes, self._nodes[equipment.id][0])
        if not found and equipment.kind in BRANCHES | CONSUMERS:
            self._find(ModelFindingKind.MISSING_PHASES, equipment, "without phases: taken as ABC")
            self._phases_unknown.add(equipment.mrid)
        return found or ALL

    def _resolved(self, codes: Iterable[str], node: CimObject) -> frozenset[str]:
        """The letters in some phase codes; a leg stands for the phase that feeds the zone of ``node``."""
        found = NONE
        for code in codes:
            found |= self._hung.leg_phases(node) if is_leg(code) else letters(code)
        return found

    def _drawn(self, equipment: CimObject, phases: frozenset[str]) -> Iterator[Equipment]:
        """The equipment as edges: one, or one for each further winding of a transformer, from the first winding."""
        first, *others = self._nodes[equipment.id]
        is_switch = equipment.kind in SWITCHES
        length = equipment.values.get("Conductor.length")
        longitude, latitude = self._places.of(equipment) or (None, None)
        is_transformer = equipment.kind == "PowerTransformer"
        opened = open_phases(self.model, equipment) if is_switch else None
        if opened:
            self._find(ModelFindingKind.OPEN_PHASE, equipment, f"with phase {opened} open while others are closed")
        for place, other in enumerate(others or [None], start=2):
            yield Equipment(
                mrid=equipment.mrid if place == 2 else f"{equipment.mrid}-{place}",  # noqa: PLR2004 - the first edge
                connection=connection_of(self.model, equipment, place) if is_transformer else None,
                name=equipment.name,
                kind=equipment.kind,
                latitude=latitude,
                length=None if length is None else float(length),
                longitude=longitude,
                node1=first.mrid,
                node2=None if other is None else other.mrid,
                phases=code_of(phases),
                phases_at_node2=phases_at_node2(self.model, equipment) if is_switch else None,
                normal_open=is_normally_open(self.model, equipment) if is_switch else None,
                open=is_open(self.model, equipment) if is_switch else None,
                open_phases=opened,
                protective=equipment.kind in PROTECTIVE,
                remotely_operable=equipment.kind in REMOTELY_OPERABLE,
                reclose_sequences=reclose_sequences(self.model, equipment) if is_switch else (),
            )

    def _fault_indicators(self) -> Iterator[tuple[CimObject, FaultIndicator]]:
        """The fault indicators with the equipment at whose terminals they sit."""
        for each in self.model.of("FaultIndicator"):
            terminal = self.model.follow(each, "AuxiliaryEquipment.Terminal")
            if terminal is None:
                self._find(ModelFindingKind.LEFT_OUT, each, "without a terminal: left out")
                continue
            equipment = self.model.by_id[terminal.link("Terminal.ConductingEquipment")]
            node = self.model.by_id[terminal.link("Terminal.ConnectivityNode")]
            yield (
                equipment,
                FaultIndicator(mrid=each.mrid, equipment=equipment.mrid, name=each.name, node=node.mrid),
            )

    def _usage_points(self, phases: dict[str, frozenset[str]]) -> Iterator[tuple[CimObject, UsagePoint]]:
        """The usage points of the model with their equipment, and each consumer without one as a usage point."""
        served: set[str] = set()
        for each in self.model.of("UsagePoint"):
            equipment = self.model.follow(each, "UsagePoint.Equipments")
            if equipment is None:
                self._find(ModelFindingKind.LEFT_OUT, each, "without Equipments: left out")
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
        transformer = self._hung.supplier(node)
        longitude, latitude = self._places.of(point) or self._places.of(equipment) or (None, None)
        return UsagePoint(
            mrid=point.mrid,
            name=point.name,
            node=node.mrid,
            phases=code_of(phases),
            transformer=None if transformer is None else transformer.mrid,
            meter=f"{point.mrid}-meter" if meter is None else meter.mrid,
            customers=int(point.values.get("EnergyConsumer.customerCount", "1")),
            critical=point.values.get("UsagePoint.servicePriority", "").lower() == "critical",
            latitude=latitude,
            longitude=longitude,
        )

    def _home(self) -> CimObject:
        """The feeder of what stands nowhere: that of the first source which stands in one, else the first."""
        containers = (
            self.model.follow(source, "Equipment.EquipmentContainer") for source in self.model.of("EnergySource")
        )
        feeders = [each for each in containers if each is not None and each.kind == "Feeder"]
        return feeders[0] if feeders else self.model.of("Feeder")[0]

    def _container(self, each: CimObject, association: str, home: CimObject) -> CimObject:
        """The feeder in which an object stands; for one in a substation the first that this energises."""
        container = self.model.follow(each, association)
        if container is not None and container.kind == "Bay":
            container = self.model.follow(container, "Bay.VoltageLevel") or container
        if container is not None and container.kind == "VoltageLevel":
            container = self.model.follow(container, "VoltageLevel.Substation")
        if container is None or container.kind == "Feeder":
            return container or home
        return next(iter(self.model.pointing("Feeder.NormalEnergizingSubstation", container)), home)

    def _find(self, kind: ModelFindingKind, each: CimObject, text: str) -> None:
        self.findings.append(Finding(kind=kind, mrid=each.mrid, text=f"{each.kind} {text}"))
