"""The electrical data of the feeders of a model: what ElectricalModels tells, from the ways in which CIM says it.

What a document leaves out stays out: a line without an impedance is told without one and is a finding, since no
currents can be computed where it is live.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from msgspec import Struct

from contracts.nouns.electrical_models import (
    ElectricalGeneration,
    ElectricalLine,
    ElectricalLoad,
    ElectricalModel,
    ElectricalNode,
    ElectricalShunt,
    ElectricalSource,
    ElectricalSwitch,
    GenerationKind,
    LoadResponseCharacteristic,
    PerLengthPhaseImpedance,
    PerLengthSequenceImpedance,
    PhaseImpedanceData,
    PhasePower,
    WindingConnection,
)
from contracts.nouns.network_models import ModelFindingKind
from contracts.nouns.units import PhaseCode
from contracts.types import Name
from services.network_model_management.domain.electrical_transformers import Transformers, connection_of
from services.network_model_management.domain.model import CONSUMERS, LINES, SWITCHES, CimObject, Finding, Model
from services.network_model_management.domain.numbers import Numbers, flag

UNLIMITED_S = 1e6
"""A limit that may last longer, here eleven days, is one for always."""

_MACHINES = frozenset({"AsynchronousMachine", "EquivalentInjection", "ExternalNetworkInjection", "SynchronousMachine"})
_GENERATION = _MACHINES | {"PowerElectronicsConnection"}
_SHUNTS = frozenset({"EquivalentShunt", "LinearShuntCompensator"})
_SEQUENCES = ("r", "x", "r0", "x0", "bch", "gch", "b0ch", "g0ch")
_PER_CENT = 100.0

T = TypeVar("T", bound=Struct)


class Drawn(Struct, frozen=True, kw_only=True):
    """A model of which the topology was derived.

    Attributes:
        model: the model.
        nodes: the nodes that each equipment joins, by the equipment's identifier.
        phases: the primary phases of each equipment, by the same.
        feeder_of: the feeder to which an equipment or a node belongs.
        voltage_of: the nominal voltage of a node in V, or None.
    """

    model: Model
    nodes: Mapping[str, tuple[CimObject, ...]]
    phases: Mapping[str, PhaseCode]
    feeder_of: Callable[[CimObject], CimObject]
    voltage_of: Callable[[CimObject], float | None]


def electrical_models(drawn: Drawn, version: str) -> tuple[tuple[ElectricalModel, ...], tuple[Finding, ...]]:
    """The electrical data of each feeder, in the order of the feeders, and what is missing in them."""
    telling = _Telling(drawn)
    models = tuple(telling.feeders(version))
    return models, (*telling.findings, *telling.numbers.findings)


class _Telling:
    """One derivation, with what was looked up already and the findings on the way."""

    def __init__(self, drawn: Drawn) -> None:
        self.findings: list[Finding] = []
        self.numbers = Numbers()
        self._drawn = drawn
        self._model = drawn.model
        self._transformers = Transformers(drawn.model, self.numbers)
        self._impedances = drawn.model.of("PerLengthPhaseImpedance", "PerLengthSequenceImpedance")
        self._limits_of_set: dict[str, tuple[float | None, float | None]] = {}

    def feeders(self, version: str) -> Iterator[ElectricalModel]:
        """The feeders by name."""
        model = self._model
        nodes = self._by_feeder(self._node, "ConnectivityNode")
        lines = self._by_feeder(self._line, *LINES)
        switches = self._by_feeder(self._switch, *SWITCHES)
        transformers = self._by_feeder(
            lambda each: self._transformers.told(each, self._transformer_limits(each)), "PowerTransformer"
        )
        loads = self._by_feeder(self._load, *CONSUMERS)
        generation = self._by_feeder(self._generation, *_GENERATION)
        sources = self._by_feeder(self._source, "EnergySource")
        shunts = self._shunts()
        for feeder in model.of("Feeder"):
            used = {line.per_length_impedance for line in lines[feeder.id]}
            impedances = [each for each in self._impedances if each.mrid in used]
            yield ElectricalModel(
                mrid=feeder.mrid,
                model_version=version,
                names=(Name(name=feeder.name),),
                node=tuple(nodes[feeder.id]),
                line=tuple(lines[feeder.id]),
                switch=tuple(switches[feeder.id]),
                transformer=tuple(transformers[feeder.id]),
                load=tuple(loads[feeder.id]),
                generation=tuple(generation[feeder.id]),
                shunt=tuple(shunts[feeder.id]),
                source=tuple(sources[feeder.id]),
                per_length_phase_impedance=tuple(
                    self._matrix(each) for each in impedances if each.kind == "PerLengthPhaseImpedance"
                ),
                per_length_sequence_impedance=tuple(
                    self._sequence(each) for each in impedances if each.kind == "PerLengthSequenceImpedance"
                ),
            )

    def _by_feeder(self, tell: Callable[[CimObject], T | None], *kinds: str) -> dict[str, list[T]]:
        found: defaultdict[str, list[T]] = defaultdict(list)
        for each in self._model.of(*kinds):
            told = tell(each)
            if told is not None:
                found[self._drawn.feeder_of(each).id].append(told)
        return found

    def _node(self, node: CimObject) -> ElectricalNode:
        return ElectricalNode(mrid=node.mrid, nominal_voltage=self._drawn.voltage_of(node))

    def _line(self, line: CimObject) -> ElectricalLine:
        one, other = self._drawn.nodes[line.id]
        phases = self._drawn.phases[line.id]
        stated = {name: self.numbers.of(line, f"{line.kind}.{name}") for name in _SEQUENCES}
        length = self.numbers.of(line, "Conductor.length")
        impedance = self._model.follow(line, "ACLineSegment.PerLengthImpedance")
        if impedance is not None and length is not None and impedance.kind.startswith("PerLength"):
            stated = dict.fromkeys(stated)
        else:
            impedance = None
        if impedance is None and (stated["r"] is None or stated["x"] is None):
            stated = dict.fromkeys(stated)
            self._miss(line, "without an impedance")
        normal, emergency = self._limits(line)
        return ElectricalLine(
            mrid=line.mrid,
            node1=one.mrid,
            node2=other.mrid,
            phases=phases,
            phase_order=None if impedance is None else self._order(line) or phases.value,
            length=length,
            per_length_impedance=None if impedance is None else impedance.mrid,
            normal_limit=normal,
            emergency_limit=emergency,
            **stated,
        )

    def _order(self, line: CimObject) -> str:
        """The phases of a line in the order of the rows of its matrix."""
        parts = self._model.pointing("ACLineSegmentPhase.ACLineSegment", line)
        numbered = [
            (
                self.numbers.whole(part, "ACLineSegmentPhase.sequenceNumber", 0),
                part.values.get("ACLineSegmentPhase.phase", ""),
            )
            for part in parts
        ]
        return "".join(phase for _, phase in sorted(numbered))

    def _matrix(self, impedance: CimObject) -> PerLengthPhaseImpedance:
        numbers, data = self.numbers, []
        for part in self._model.pointing("PhaseImpedanceData.PhaseImpedance", impedance):
            number = numbers.whole(part, "PhaseImpedanceData.sequenceNumber", 1)
            row = numbers.whole(part, "PhaseImpedanceData.row", _row(number))
            column = numbers.whole(part, "PhaseImpedanceData.column", number - _row(number) * (_row(number) - 1) // 2)
            r, x, b = (numbers.some(part, f"PhaseImpedanceData.{name}", 0.0) for name in ("r", "x", "b"))
            data.append(PhaseImpedanceData(row=max(row, column), column=min(row, column), r=r, x=x, b=b))
        count = numbers.whole(impedance, "PerLengthPhaseImpedance.conductorCount", 0)
        return PerLengthPhaseImpedance(
            mrid=impedance.mrid,
            conductor_count=count or max((each.row for each in data), default=0),
            phase_impedance_data=tuple(sorted(data, key=lambda each: (each.row, each.column))),
        )

    def _sequence(self, impedance: CimObject) -> PerLengthSequenceImpedance:
        stated = {name: self.numbers.of(impedance, f"{impedance.kind}.{name}") for name in _SEQUENCES}
        r, x = stated.pop("r"), stated.pop("x")
        return PerLengthSequenceImpedance(mrid=impedance.mrid, r=r or 0.0, x=x or 0.0, **stated)

    def _switch(self, switch: CimObject) -> ElectricalSwitch:
        one, other = self._drawn.nodes[switch.id]
        normal, emergency = self._limits(switch)
        return ElectricalSwitch(
            mrid=switch.mrid,
            node1=one.mrid,
            node2=other.mrid,
            phases=self._drawn.phases[switch.id],
            rated_current=self.numbers.of(switch, "Switch.ratedCurrent"),
            breaking_capacity=self.numbers.of(switch, "ProtectedSwitch.breakingCapacity"),
            normal_limit=normal,
            emergency_limit=emergency,
        )

    def _transformer_limits(self, transformer: CimObject) -> tuple[float | None, float | None]:
        """The limits at the terminal of its first end; without any impedance it is a finding."""
        end = self._transformers.first_end(transformer)
        told = self._transformers.told(transformer, (None, None))
        units = told.transformer_tank or (told,)
        if not all(unit.transformer_mesh_impedance for unit in units):
            self._miss(transformer, "without an impedance")
        terminal = None if end is None else self._model.follow(end, "TransformerEnd.Terminal")
        own = self._model.pointing("OperationalLimitSet.Equipment", transformer)
        return self._limits_in([*own, *(() if terminal is None else self._sets_at(terminal))])

    def _load(self, load: CimObject) -> ElectricalLoad:
        connection = connection_of(load.values.get("EnergyConsumer.phaseConnection")) or WindingConnection.YN
        return ElectricalLoad(
            mrid=load.mrid,
            node=self._drawn.nodes[load.id][0].mrid,
            phases=self._drawn.phases[load.id],
            phase_connection=connection,
            p=self.numbers.of(load, "EnergyConsumer.p"),
            q=self.numbers.of(load, "EnergyConsumer.q"),
            load_response=self._response(load),
            phase_power=tuple(self._phase_powers(load, "EnergyConsumerPhase", "EnergyConsumer", 1.0)),
        )

    def _response(self, load: CimObject) -> LoadResponseCharacteristic | None:
        """How the load follows the voltage; an exponent becomes the impedance and power that have its slope."""
        response, numbers = self._model.follow(load, "EnergyConsumer.LoadResponse"), self.numbers
        if response is None:
            return None
        shares: dict[str, float] = {}
        for part in ("p", "q"):
            named = f"LoadResponseCharacteristic.{part}"
            if flag(response, "LoadResponseCharacteristic.exponentModel"):
                exponent = numbers.some(response, f"{named}VoltageExponent", 0.0)
                current = _PER_CENT if exponent == 1 else 0.0
                impedance = 0.0 if exponent == 1 else exponent / 2 * _PER_CENT
            else:
                current = numbers.some(response, f"{named}ConstantCurrent", 0.0)
                impedance = numbers.some(response, f"{named}ConstantImpedance", 0.0)
            shares |= {f"{part}_constant_current": current, f"{part}_constant_impedance": impedance}
        told = LoadResponseCharacteristic(**shares)
        return None if told == LoadResponseCharacteristic() else told

    def _phase_powers(self, each: CimObject, kind: str, association: str, sign: float) -> Iterator[PhasePower]:
        """What each phase takes, by the name of the phase."""
        parts = self._model.pointing(f"{kind}.{association}", each)
        for part in sorted(parts, key=lambda part: part.values.get(f"{kind}.phase", "")):
            p, q = (self.numbers.of(part, f"{kind}.{name}") for name in ("p", "q"))
            phase = part.values.get(f"{kind}.phase", "")
            if phase and (p is not None or q is not None):
                yield PhasePower(phase=phase, p=sign * (p or 0.0), q=sign * (q or 0.0))

    def _generation(self, each: CimObject) -> ElectricalGeneration:
        named = "RotatingMachine" if each.kind.endswith("Machine") else each.kind
        p, q = (self.numbers.some(each, f"{named}.{name}", 0.0) for name in ("p", "q"))
        kind, sign = self._infeed(each, p)
        phase_kind = "PowerElectronicsConnectionPhase"
        return ElectricalGeneration(
            mrid=each.mrid,
            node=self._drawn.nodes[each.id][0].mrid,
            phases=self._drawn.phases[each.id],
            kind=kind,
            p=sign * p + 0.0,
            q=sign * q + 0.0,
            rated_s=self.numbers.of(each, f"{named}.ratedS"),
            phase_power=tuple(self._phase_powers(each, phase_kind, "PowerElectronicsConnection", sign)),
        )

    def _infeed(self, each: CimObject, p: float) -> tuple[GenerationKind, float]:
        """What it is, and the sign that makes its power count into the network.

        By 61970-301 power counts out of the network, and widespread documents have it the other way round. A panel
        cannot take power, and of a battery its state is told; only where neither decides the standard does.
        """
        if each.kind in _MACHINES:
            return GenerationKind.MACHINE, -1.0
        unit = self._model.follow(each, "PowerElectronicsConnection.PowerElectronicsUnit")
        if unit is not None and unit.kind == "PhotovoltaicUnit":
            return GenerationKind.PHOTOVOLTAIC, 1.0 if p > 0 else -1.0
        if unit is not None and unit.kind == "BatteryUnit":
            state = unit.values.get("BatteryUnit.batteryState", "")
            wanted = {"discharging": 1.0, "charging": -1.0, "waiting": -1.0}.get(state, -1.0 if p > 0 else 1.0)
            return GenerationKind.BATTERY, wanted if p > 0 else -wanted
        return GenerationKind.OTHER, -1.0

    def _shunts(self) -> dict[str, list[ElectricalShunt]]:
        """The shunts by feeder; one whose phases are told apart is one for each phase."""
        found: defaultdict[str, list[ElectricalShunt]] = defaultdict(list)
        for each in self._model.of(*_SHUNTS):
            told = found[self._drawn.feeder_of(each).id]
            connection = connection_of(each.values.get("ShuntCompensator.phaseConnection")) or WindingConnection.YN
            node, phases = self._drawn.nodes[each.id][0].mrid, self._drawn.phases[each.id]
            parts = self._model.pointing("ShuntCompensatorPhase.ShuntCompensator", each)
            for part in parts or [each]:
                phase = part.values.get("ShuntCompensatorPhase.phase", "")
                b, g = self._admittance(part)
                told.append(
                    ElectricalShunt(
                        mrid=part.mrid,
                        node=node,
                        phases=PhaseCode(phase) if phase in set(PhaseCode) else phases,
                        phase_connection=connection,
                        b=b,
                        g=g,
                    )
                )
        return found

    def _admittance(self, shunt: CimObject) -> tuple[float, float]:
        numbers = self.numbers
        if shunt.kind == "EquivalentShunt":
            return numbers.some(shunt, "EquivalentShunt.b", 0.0), numbers.some(shunt, "EquivalentShunt.g", 0.0)
        named = "ShuntCompensatorPhase" if shunt.kind.endswith("Phase") else "ShuntCompensator"
        stated = numbers.first(shunt, f"{named}.sections", f"{named}.normalSections")
        sections = 1.0 if stated is None else stated
        b, g = (numbers.some(shunt, f"{shunt.kind}.{name}PerSection", 0.0) for name in ("b", "g"))
        return b * sections, g * sections

    def _source(self, source: CimObject) -> ElectricalSource:
        attributes = {
            "nominal_voltage": "nominalVoltage",
            "voltage_angle": "voltageAngle",
            "voltage_magnitude": "voltageMagnitude",
            **{name: name for name in ("r", "x", "r0", "x0")},
        }
        stated = {field: self.numbers.of(source, f"EnergySource.{name}") for field, name in attributes.items()}
        return ElectricalSource(mrid=source.mrid, node=self._drawn.nodes[source.id][0].mrid, **stated)

    def _limits(self, equipment: CimObject) -> tuple[float | None, float | None]:
        """What the equipment may carry always and in an emergency, in A, over all its terminals."""
        sets = self._model.pointing("OperationalLimitSet.Equipment", equipment)
        for terminal in self._model.pointing("Terminal.ConductingEquipment", equipment):
            sets.extend(self._sets_at(terminal))
        return self._limits_in(sets)

    def _sets_at(self, terminal: CimObject) -> list[CimObject]:
        """The sets of limits of a terminal, which either of the two may name."""
        named = terminal.links.get("ACDCTerminal.OperationalLimitSet", "").split()
        found = [self._model.by_id[each] for each in named if each in self._model.by_id]
        return found + self._model.pointing("OperationalLimitSet.Terminal", terminal)

    def _limits_in(self, sets: list[CimObject]) -> tuple[float | None, float | None]:
        pairs = [self._limits_of(each) for each in sets]
        normal = min((each for each, _ in pairs if each is not None), default=None)
        emergency = min((each for _, each in pairs if each is not None), default=None)
        return normal, emergency

    def _limits_of(self, limits: CimObject) -> tuple[float | None, float | None]:
        """The least limit for always and the largest that may last for a while, of one set."""
        if limits.id not in self._limits_of_set:
            always: list[float] = []
            awhile: list[float] = []
            for limit in self._model.pointing("OperationalLimit.OperationalLimitSet", limits):
                amperes = self.numbers.first(limit, "CurrentLimit.value", "CurrentLimit.normalValue")
                if limit.kind == "CurrentLimit" and amperes is not None:
                    (always if self._lasts(limit) else awhile).append(amperes)
            self._limits_of_set[limits.id] = (min(always, default=None), max(awhile, default=None))
        return self._limits_of_set[limits.id]

    def _lasts(self, limit: CimObject) -> bool:
        """True for a limit without an end."""
        kind = self._model.follow(limit, "OperationalLimit.OperationalLimitType")
        if kind is None or flag(kind, "OperationalLimitType.isInfiniteDuration"):
            return True
        seconds = self.numbers.of(kind, "OperationalLimitType.acceptableDuration")
        return seconds is None or seconds > UNLIMITED_S

    def _miss(self, equipment: CimObject, what: str) -> None:
        text = f"{equipment.kind} {what}: no currents are computed where it is live"
        self.findings.append(Finding(kind=ModelFindingKind.MISSING_IMPEDANCE, mrid=equipment.mrid, text=text))


def _row(number: int) -> int:
    """The row of the n-th element of a lower triangle that is written row after row."""
    row = 1
    while row * (row + 1) // 2 < number:
        row += 1
    return row
