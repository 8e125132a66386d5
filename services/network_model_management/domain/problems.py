"""What keeps a document from being a model: everything that is wrong with its objects, by line."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping

from services.network_model_management.domain.model import (
    CONDUCTING,
    CONSUMERS,
    LINES,
    MRID,
    PHASE_CLASSES,
    SWITCHES,
    CimObject,
    Problem,
)

# What an association that we follow must lead to; the others only have to lead somewhere.
_TARGETS: Mapping[str, frozenset[str]] = {
    "AuxiliaryEquipment.Terminal": frozenset({"Terminal"}),
    "ConductingEquipment.BaseVoltage": frozenset({"BaseVoltage"}),
    "EndDevice.UsagePoint": frozenset({"UsagePoint"}),
    "Location.CoordinateSystem": frozenset({"CoordinateSystem"}),
    "RecloseSequence.ProtectedSwitch": SWITCHES,
    "Terminal.ConductingEquipment": CONDUCTING,
    "Terminal.ConnectivityNode": frozenset({"ConnectivityNode"}),
    "TransformerEnd.BaseVoltage": frozenset({"BaseVoltage"}),
    "TransformerEnd.Terminal": frozenset({"Terminal"}),
    "TransformerTank.PowerTransformer": frozenset({"PowerTransformer"}),
    "TransformerTank.TransformerTankInfo": frozenset({"TransformerTankInfo"}),
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
_END_NUMBER: tuple[str, Callable[[str], float]] = ("TransformerEnd.endNumber", int)
_CUSTOMERS: tuple[str, Callable[[str], float]] = ("EnergyConsumer.customerCount", int)
_NUMBERS: Mapping[str, tuple[tuple[str, Callable[[str], float]], ...]] = {
    "BaseVoltage": (("BaseVoltage.nominalVoltage", float),),
    "PowerTransformerEnd": (
        _END_NUMBER,
        ("PowerTransformerEnd.ratedU", float),
        ("PowerTransformerEnd.phaseAngleClock", int),
    ),
    "RecloseSequence": (("RecloseSequence.recloseDelay", float), ("RecloseSequence.recloseStep", int)),
    "Terminal": (("ACDCTerminal.sequenceNumber", int),),
    "TransformerEndInfo": (("TransformerEndInfo.phaseAngleClock", int),),
    "TransformerTankEnd": (_END_NUMBER,),
    "UsagePoint": (_CUSTOMERS,),
    **dict.fromkeys(CONSUMERS, (_CUSTOMERS,)),
    **dict.fromkeys(LINES, (("Conductor.length", float),)),
}
_READ_CLOSELY = _REQUIRED.keys() | _NUMBERS.keys()

Objects = tuple[CimObject, ...]


def joined(documents: tuple[Objects, ...]) -> tuple[Objects, tuple[Problem, ...]]:
    """The objects of a model in several documents: what two of them say of one object is said of it together."""
    if len(documents) == 1:
        return documents[0], ()
    found: dict[str, CimObject] = {}
    problems: list[Problem] = []
    for document in documents:
        own = set()
        for each in document:
            known = found.get(each.id)
            if known is None or each.id in own:
                found[each.id if known is None else f"{each.id} {each.line}"] = each
            elif known.kind != each.kind:
                problems.append(each.problem(f"{each.kind} here and {known.kind} in {known.file}, line {known.line}"))
            else:
                found[each.id] = _together(known, each)
                problems.extend(_contradictions(known, each))
            own.add(each.id)
    return tuple(found.values()), tuple(problems)


def document_problems(objects: Objects) -> tuple[Problem, ...]:
    """Duplicate identifiers, links to nothing or to the wrong class, missing links and bad numbers, by line.

    A sound document is the rule and may be large, so whole columns are checked first and only then what is in them.
    """
    kinds = {each.id: each.kind for each in objects}
    columns: defaultdict[str, list[str]] = defaultdict(list)
    for each in objects:
        for name, targets in each.links.items():
            columns[name].append(targets)
    suspects = frozenset(name for name, targets in columns.items() if not _sound(name, targets, kinds))
    return tuple(sorted((*_duplicates(objects, kinds), *_broken_links(objects, kinds, suspects), *_lacking(objects))))


def _together(one: CimObject, other: CimObject) -> CimObject:
    links = dict(one.links)
    for name, targets in other.links.items():
        links[name] = " ".join(dict.fromkeys(f"{links.get(name, '')} {targets}".split()))
    return CimObject(
        kind=one.kind, id=one.id, line=one.line, values={**one.values, **other.values}, links=links, file=one.file
    )


def _contradictions(one: CimObject, other: CimObject) -> Iterator[Problem]:
    for name in sorted(one.values.keys() & other.values.keys()):
        if one.values[name] != other.values[name]:
            yield other.problem(f"{name} is '{other.values[name]}' here and '{one.values[name]}' in {one.file}")


def _sound(name: str, targets: list[str], kinds: Mapping[str, str]) -> bool:
    """True when no link of an association can be wrong; one with several targets is never taken for sound."""
    met = set(map(kinds.get, targets))
    allowed = _TARGETS.get(name)
    return None not in met and (allowed is None or met <= allowed)


def _duplicates(objects: Objects, kinds: Mapping[str, str]) -> Iterator[Problem]:
    if len(kinds) == len(objects) == len({each.values.get(MRID) or each.id for each in objects}):
        return
    first: dict[str, CimObject] = {}
    first_mrid: dict[str, CimObject] = {}
    for each in objects:
        known = first.setdefault(each.id, each)
        if known is not each:
            yield each.problem(f"the identifier is already that of line {known.line}")
            continue
        known = first_mrid.setdefault(each.mrid, each)
        if known is not each:
            yield each.problem(f"the mRID {each.mrid} is already that of line {known.line}")


def _broken_links(objects: Objects, kinds: Mapping[str, str], suspects: frozenset[str]) -> Iterator[Problem]:
    if not suspects:
        return
    for each in objects:
        for name in suspects & each.links.keys():
            allowed = _TARGETS.get(name)
            for target in each.links[name].split(" "):
                kind = kinds.get(target)
                if kind is None:
                    yield each.problem(f"{name} leads to {target}, which is not there")
                elif allowed is not None and kind not in allowed:
                    yield each.problem(f"{name} leads to {target}, which is a {kind}")


def _lacking(objects: Objects) -> Iterator[Problem]:
    """Links that are missing and numbers that are none."""
    for each in objects:
        if each.kind not in _READ_CLOSELY:
            continue
        for name in _REQUIRED.get(each.kind, ()):
            if name not in each.links:
                yield each.problem(f"{each.kind} without {name}")
        for name, read in _NUMBERS.get(each.kind, ()):
            stated = each.values.get(name)
            try:
                read("0" if stated is None else stated)
            except ValueError:
                yield each.problem(f"{name} is not a number: '{stated}'")
