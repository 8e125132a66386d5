"""A CIM model as a set of objects, and what keeps it from being one."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping

from msgspec import Struct

CIM = "http://iec.ch/TC57/CIM100#"

SWITCHES = frozenset(
    {
        "Breaker",
        "Cut",
        "Disconnector",
        "Fuse",
        "Jumper",
        "LoadBreakSwitch",
        "Recloser",
        "Sectionaliser",
        "Switch",
    }
)
LINES = frozenset({"ACLineSegment", "SeriesCompensator"})
BRANCHES = SWITCHES | LINES
CONSUMERS = frozenset({"ConformLoad", "EnergyConsumer", "NonConformLoad"})
SHUNTS = CONSUMERS | {
    "AsynchronousMachine",
    "BusbarSection",
    "EnergySource",
    "EquivalentInjection",
    "ExternalNetworkInjection",
    "Ground",
    "Junction",
    "LinearShuntCompensator",
    "NonlinearShuntCompensator",
    "PowerElectronicsConnection",
    "StaticVarCompensator",
    "SynchronousMachine",
}
CONDUCTING = BRANCHES | SHUNTS | {"PowerTransformer"}
END_DEVICES = frozenset({"EndDevice", "Meter"})


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

# What an association that we follow must lead to; the others only have to lead somewhere.
_TARGETS: Mapping[str, frozenset[str]] = {
    "ConductingEquipment.BaseVoltage": frozenset({"BaseVoltage"}),
    "EndDevice.UsagePoint": frozenset({"UsagePoint"}),
    "Terminal.ConductingEquipment": CONDUCTING,
    "Terminal.ConnectivityNode": frozenset({"ConnectivityNode"}),
    "TransformerEnd.BaseVoltage": frozenset({"BaseVoltage"}),
    "TransformerEnd.Terminal": frozenset({"Terminal"}),
    "TransformerTank.PowerTransformer": frozenset({"PowerTransformer"}),
    "TransformerTankEnd.TransformerTank": frozenset({"TransformerTank"}),
    "PowerTransformerEnd.PowerTransformer": frozenset({"PowerTransformer"}),
    "UsagePoint.Equipments": CONDUCTING,
    "ACLineSegmentPhase.ACLineSegment": frozenset({"ACLineSegment"}),
    "EnergyConsumerPhase.EnergyConsumer": CONSUMERS,
    "EnergySourcePhase.EnergySource": frozenset({"EnergySource"}),
    "SwitchPhase.Switch": SWITCHES,
}

# Without these the object hangs in the air.
_REQUIRED: Mapping[str, tuple[str, ...]] = {
    "Terminal": ("Terminal.ConductingEquipment", "Terminal.ConnectivityNode"),
    "TransformerTank": ("TransformerTank.PowerTransformer",),
    "TransformerTankEnd": ("TransformerTankEnd.TransformerTank", "TransformerEnd.Terminal"),
    "PowerTransformerEnd": ("PowerTransformerEnd.PowerTransformer", "TransformerEnd.Terminal"),
    **{kind: (names.equipment,) for kind, names in PHASE_CLASSES.items()},
}


# Numbers that we read, each with how it is read.
_NUMBERS: Mapping[str, Callable[[str], float]] = {
    "ACDCTerminal.sequenceNumber": int,
    "BaseVoltage.nominalVoltage": float,
    "EnergyConsumer.customerCount": int,
    "PowerTransformerEnd.ratedU": float,
    "TransformerEnd.endNumber": int,
}


class Problem(Struct, frozen=True, kw_only=True, order=True):
    """Why a document is refused: the line, the identifier of the object and what is wrong with it."""

    line: int
    id: str = ""
    text: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.id}: {self.text}" if self.id else f"line {self.line}: {self.text}"


def refusal(problems: tuple[Problem, ...]) -> str:
    """One text that names every problem; of very many the first hundred, since a reply has to fit in a message."""
    told = "; ".join(str(problem) for problem in problems[:100])
    more = f"; and {len(problems) - 100} more" if len(problems) > 100 else ""  # noqa: PLR2004 - the hundred above
    return f"{len(problems)} problems in the document: {told}{more}"


class Finding(Struct, frozen=True, kw_only=True, order=True):
    """What was assumed because the model does not say it; it does not keep the model out."""

    mrid: str
    text: str


class CimObject(Struct, frozen=True, kw_only=True):
    """One object of the document.

    Attributes:
        kind: the CIM class.
        id: the identifier of RDF without its prefix; what links lead to.
        line: where it begins in the document.
        values: attributes by their full name (``Switch.open``); an enumeration is its literal.
        links: associations by their full name, as identifiers.
    """

    kind: str
    id: str
    line: int
    values: Mapping[str, str]
    links: Mapping[str, tuple[str, ...]]

    @property
    def mrid(self) -> str:
        """The mRID that the object states, else its identifier."""
        return self.values.get("IdentifiedObject.mRID") or self.id

    @property
    def name(self) -> str:
        """The name by which people know it, else its mRID."""
        return self.values.get("IdentifiedObject.name") or self.mrid

    @property
    def rank(self) -> tuple[str, str]:
        """The place in a list that does not depend on the order of the file."""
        return self.name, self.mrid

    def link(self, name: str) -> str:
        """The identifier that a single association leads to, or an empty string."""
        found = self.links.get(name)
        return found[0] if found else ""


class Model:
    """Objects by identifier, by class and by what they point at; the lists are sorted by name."""

    def __init__(self, objects: Iterable[CimObject]) -> None:
        self.objects = tuple(sorted(objects, key=lambda each: each.rank))
        self.by_id = {each.id: each for each in self.objects}
        self._by_kind: defaultdict[str, list[CimObject]] = defaultdict(list)
        self._pointing: defaultdict[tuple[str, str], list[CimObject]] = defaultdict(list)
        for each in self.objects:
            self._by_kind[each.kind].append(each)
            for name, targets in each.links.items():
                for target in targets:
                    self._pointing[name, target].append(each)

    def of(self, *kinds: str) -> tuple[CimObject, ...]:
        """All objects of these classes."""
        found = [each for kind in kinds for each in self._by_kind.get(kind, ())]
        return tuple(sorted(found, key=lambda each: each.rank))

    def pointing(self, name: str, target: CimObject) -> tuple[CimObject, ...]:
        """All objects whose association ``name`` leads to ``target``."""
        return tuple(self._pointing.get((name, target.id), ()))

    def follow(self, source: CimObject, name: str) -> CimObject | None:
        """The object to which a single association leads, or None where it is not stated."""
        return self.by_id.get(source.link(name))


def document_problems(objects: tuple[CimObject, ...]) -> tuple[Problem, ...]:
    """Duplicate identifiers, links to nothing or to the wrong class, missing links and bad numbers, by line."""
    return tuple(sorted((*_duplicates(objects), *_broken_links(objects), *_bad_numbers(objects))))


def _duplicates(objects: tuple[CimObject, ...]) -> Iterator[Problem]:
    first: dict[str, CimObject] = {}
    first_mrid: dict[str, CimObject] = {}
    for each in objects:
        known = first.setdefault(each.id, each)
        if known is not each:
            yield Problem(line=each.line, id=each.id, text=f"the identifier is already that of line {known.line}")
            continue
        known = first_mrid.setdefault(each.mrid, each)
        if known is not each:
            yield Problem(line=each.line, id=each.id, text=f"the mRID {each.mrid} is already that of line {known.line}")


def _broken_links(objects: tuple[CimObject, ...]) -> Iterator[Problem]:
    kinds = {each.id: each.kind for each in objects}
    for each in objects:
        for name, targets in each.links.items():
            allowed = _TARGETS.get(name)
            for target in targets:
                kind = kinds.get(target)
                if kind is None:
                    yield Problem(line=each.line, id=each.id, text=f"{name} leads to {target}, which is not there")
                elif allowed is not None and kind not in allowed:
                    yield Problem(line=each.line, id=each.id, text=f"{name} leads to {target}, which is a {kind}")
        for name in _REQUIRED.get(each.kind, ()):
            if name not in each.links:
                yield Problem(line=each.line, id=each.id, text=f"{each.kind} without {name}")


def _bad_numbers(objects: tuple[CimObject, ...]) -> Iterator[Problem]:
    for each in objects:
        for name in _NUMBERS.keys() & each.values.keys():
            try:
                _NUMBERS[name](each.values[name])
            except ValueError:
                yield Problem(line=each.line, id=each.id, text=f"{name} is not a number: '{each.values[name]}'")
