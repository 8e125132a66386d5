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

    A sound document is the rule and may be large, so objects of one class with the same associations are checked
    together, column by column, and one by one only where a column is not sound.
    """
    kinds = {each.id: each.kind for each in objects}
    alike: defaultdict[tuple[str, ...], list[CimObject]] = defaultdict(list)
    for each in objects:
        alike[each.kind, *each.links].append(each)
    problems = [*_duplicates(objects, kinds)]
    for (kind, *names), some in alike.items():
        for name in names:
            problems.extend(_broken_links(some, name, kinds))
        problems.extend(_lacking(some, kind, names))
    return tuple(sorted(problems))


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


def _broken_links(some: list[CimObject], name: str, kinds: Mapping[str, str]) -> Iterator[Problem]:
    """What is wrong with one association of objects that all have it."""
    allowed = _TARGETS.get(name)
    met = set(map(kinds.get, [each.links[name] for each in some]))
    if None not in met and (allowed is None or met <= allowed):
        return
    for each in some:
        for target in each.links[name].split(" "):
            kind = kinds.get(target)
            if kind is None:
                yield each.problem(f"{name} leads to {target}, which is not there")
            elif allowed is not None and kind not in allowed:
                yield each.problem(f"{name} leads to {target}, which is a {kind}")


def _lacking(some: list[CimObject], kind: str, names: list[str]) -> Iterator[Problem]:
    """Links that objects of one class with these associations miss, and numbers that are none."""
    for name in _REQUIRED.get(kind, ()):
        if name not in names:
            yield from (each.problem(f"{kind} without {name}") for each in some)
    for name, read in _NUMBERS.get(kind, ()):
        stated = {each.values.get(name, "0") for each in some}
        wrong = {text for text in stated if not _is_read(text, read)}
        if wrong:
            yield from (
                each.problem(f"{name} is not a number: '{each.values[name]}'")
                for each in some
                if each.values.get(name) in wrong
            )


def _is_read(text: str, read: Callable[[str], float]) -> bool:
    try:
        read(text)
    except ValueError:
        return False
    return True
