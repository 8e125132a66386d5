"""A CIM model as a set of objects, what is wrong with it and what is only assumed."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from msgspec import Struct

from contracts.nouns.network_models import ModelFindingKind

CIM = "http://iec.ch/TC57/CIM100#"
MRID = "IdentifiedObject.mRID"

SWITCHES = frozenset(
    {
        "Breaker",
        "Cut",
        "DisconnectingCircuitBreaker",
        "Disconnector",
        "Fuse",
        "GroundDisconnector",
        "Jumper",
        "LoadBreakSwitch",
        "ProtectedSwitch",
        "Recloser",
        "Sectionaliser",
        "Switch",
    }
)
LINES = frozenset({"ACLineSegment", "EquivalentBranch", "SeriesCompensator"})
BRANCHES = SWITCHES | LINES
CONSUMERS = frozenset({"ConformLoad", "EnergyConsumer", "NonConformLoad"})
SHUNTS = CONSUMERS | {
    "AsynchronousMachine",
    "BusbarSection",
    "Clamp",
    "EarthFaultCompensator",
    "EnergySource",
    "EquivalentInjection",
    "EquivalentShunt",
    "ExternalNetworkInjection",
    "Ground",
    "GroundingImpedance",
    "Junction",
    "LinearShuntCompensator",
    "NonlinearShuntCompensator",
    "PetersenCoil",
    "PowerElectronicsConnection",
    "StationSupply",
    "StaticVarCompensator",
    "SynchronousMachine",
}
CONDUCTING = BRANCHES | SHUNTS | {"PowerTransformer"}
END_DEVICES = frozenset({"EndDevice", "Meter"})
LOCATIONS = frozenset({"Location", "ServiceLocation", "UsagePointLocation", "WorkLocation"})


class PhaseClass(Struct, frozen=True, kw_only=True):
    """A class that states one phase of an equipment: where the phase stands and where the equipment."""

    phase: str
    equipment: str


PHASE_CLASSES: Mapping[str, PhaseClass] = {
    "ACLineSegmentPhase": PhaseClass(phase="ACLineSegmentPhase.phase", equipment="ACLineSegmentPhase.ACLineSegment"),
    "EnergyConsumerPhase": PhaseClass(
        phase="EnergyConsumerPhase.phase", equipment="EnergyConsumerPhase.EnergyConsumer"
    ),
    "EnergySourcePhase": PhaseClass(phase="EnergySourcePhase.phase", equipment="EnergySourcePhase.EnergySource"),
    "LinearShuntCompensatorPhase": PhaseClass(
        phase="ShuntCompensatorPhase.phase", equipment="ShuntCompensatorPhase.ShuntCompensator"
    ),
    "NonlinearShuntCompensatorPhase": PhaseClass(
        phase="ShuntCompensatorPhase.phase", equipment="ShuntCompensatorPhase.ShuntCompensator"
    ),
    "PowerElectronicsConnectionPhase": PhaseClass(
        phase="PowerElectronicsConnectionPhase.phase",
        equipment="PowerElectronicsConnectionPhase.PowerElectronicsConnection",
    ),
    "SwitchPhase": PhaseClass(phase="SwitchPhase.phaseSide1", equipment="SwitchPhase.Switch"),
}

ELECTRICAL = frozenset(
    {
        "BatteryUnit",
        "CurrentLimit",
        "LoadResponseCharacteristic",
        "NoLoadTest",
        "OperationalLimitSet",
        "OperationalLimitType",
        "PerLengthPhaseImpedance",
        "PerLengthSequenceImpedance",
        "PhaseImpedanceData",
        "PhotovoltaicUnit",
        "PowerTransformerInfo",
        "RatioTapChanger",
        "ShortCircuitTest",
        "TapChangerControl",
        "TransformerCoreAdmittance",
        "TransformerEndInfo",
        "TransformerMeshImpedance",
        "TransformerTankInfo",
    }
)
"""What only the electrical data are derived from."""

FOLLOWED = frozenset(
    {
        *CONDUCTING,
        *END_DEVICES,
        *LOCATIONS,
        *PHASE_CLASSES,
        *ELECTRICAL,
        "BaseVoltage",
        "Bay",
        "ConnectivityNode",
        "CoordinateSystem",
        "Discrete",
        "FaultIndicator",
        "Feeder",
        "PositionPoint",
        "PowerTransformerEnd",
        "RecloseSequence",
        "Substation",
        "Terminal",
        "TransformerTank",
        "TransformerTankEnd",
        "UsagePoint",
        "VoltageLevel",
    }
)
"""The classes from which feeders and their electrical data are derived; all others are only kept and checked."""


class Problem(Struct, frozen=True, kw_only=True, order=True):
    """Why a document is refused: the line, the identifier of the object and what is wrong with it.

    ``file`` names the document where a model has several; ``line`` is 0 where no line is to blame.
    """

    file: str = ""
    line: int
    id: str = ""
    text: str

    def __str__(self) -> str:
        place = " ".join(part for part in (self.file, f"line {self.line}" if self.line else "") if part)
        return ": ".join(part for part in (place, self.id, self.text) if part)


def refusal(problems: tuple[Problem, ...]) -> str:
    """One text that names every problem; of very many the first hundred, since a reply has to fit in a message."""
    told = "; ".join(str(problem) for problem in problems[:100])
    more = f"; and {len(problems) - 100} more" if len(problems) > 100 else ""  # noqa: PLR2004 - the hundred above
    return f"{len(problems)} problems in the document: {told}{more}"


class Finding(Struct, frozen=True, kw_only=True, order=True):
    """What was assumed because the model does not say it; it does not keep the model out."""

    kind: ModelFindingKind
    mrid: str
    text: str


class CimObject(Struct, frozen=True, kw_only=True, gc=False):
    """One object of the document.

    Attributes:
        kind: the CIM class.
        id: the identifier of RDF without its prefix; what links lead to.
        line: where it begins in the document.
        values: attributes by their full name (``Switch.open``); an enumeration is its literal. Of a class that is not
            followed only the mRID.
        links: associations by their full name, as identifiers; several are separated by a blank.
        file: the name of the document where a model has several.
    """

    kind: str
    id: str
    line: int
    values: Mapping[str, str]
    links: Mapping[str, str]
    file: str = ""

    @property
    def mrid(self) -> str:
        """The mRID that the object states, else its identifier."""
        return self.values.get(MRID) or self.id

    @property
    def name(self) -> str:
        """The name by which people know it, else its mRID."""
        return self.values.get("IdentifiedObject.name") or self.mrid

    @property
    def rank(self) -> tuple[str, str]:
        """The place in a list that does not depend on the order of the file."""
        return self.name, self.mrid

    def link(self, name: str) -> str:
        """The first identifier that an association leads to, or an empty string."""
        return self.links.get(name, "").partition(" ")[0]

    def problem(self, text: str) -> Problem:
        """What is wrong with this object."""
        return Problem(file=self.file, line=self.line, id=self.id, text=text)


class Model:
    """The objects that are followed, by identifier, by class and by what they point at; lists are sorted by name."""

    def __init__(self, objects: Iterable[CimObject]) -> None:
        self.by_id: dict[str, CimObject] = {}
        self._by_kind: defaultdict[str, list[CimObject]] = defaultdict(list)
        self._pointing: defaultdict[tuple[str, str], list[CimObject]] = defaultdict(list)
        for each in objects:
            if each.kind in FOLLOWED:
                self.by_id[each.id] = each
                self._by_kind[each.kind].append(each)
                for name, targets in each.links.items():
                    for target in targets.split(" "):
                        self._pointing[name, target].append(each)

    def of(self, *kinds: str) -> tuple[CimObject, ...]:
        """All objects of these classes."""
        found = [each for kind in kinds for each in self._by_kind.get(kind, ())]
        return tuple(sorted(found, key=_rank))

    def pointing(self, name: str, target: CimObject) -> list[CimObject]:
        """All objects whose association ``name`` leads to ``target``."""
        return sorted(self._pointing.get((name, target.id), ()), key=_rank)

    def follow(self, source: CimObject, name: str) -> CimObject | None:
        """The object to which a single association leads, or None where it is not stated."""
        return self.by_id.get(source.link(name))


def _rank(each: CimObject) -> tuple[str, str]:
    return each.rank
