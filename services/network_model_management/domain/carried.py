"""What a new version must not take away: what carries an outage, a tag or a clearance, or stands otherwise than normal.

A switch that an operator or a fault holds away from its normal position, whatever is part of an open outage, what has
a tag or is the border of a clearance, and where a temporary ground, jumper or cut stands, are known to network
operation and fault management by mRID. A version in which such an object is missing or has other phases would leave
them with something that they can neither find nor restore. A mapping tells what has become of it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet

from contracts.nouns.feeder_topology import Equipment, Feeder
from contracts.nouns.operational_tags import OperationalTags, OperationalTagState
from contracts.nouns.safety_documents import ClearanceState, SafetyDocuments
from contracts.nouns.unplanned_outages import UnplannedOutages
from contracts.types import ObjectReference, Status

_PLACED = frozenset({OperationalTagState.PLACED, OperationalTagState.VERIFIED})
_HELD = frozenset(
    {ClearanceState.PREPARED, ClearanceState.ISSUED, ClearanceState.SUSPENDED, ClearanceState.SURRENDERED}
)


def lost_or_rephased(
    before: Iterable[Feeder], after: Iterable[Feeder], mapped: AbstractSet[str] = frozenset()
) -> dict[str, str]:
    """What becomes of the objects that are not the same after a change, by mRID; ``mapped`` may have other phases."""
    new = dict(_phases(after))
    return {
        mrid: "would be lost" if mrid not in new else f"would change from phases {phases} to {new[mrid]}"
        for mrid, phases in _phases(before)
        if new.get(mrid) != phases and not (mrid in mapped and mrid in new)
    }


def carriers(
    live: Iterable[Feeder],
    outages: UnplannedOutages,
    tags: OperationalTags | None = None,
    clearances: SafetyDocuments | None = None,
    built: AbstractSet[str] | None = None,
) -> dict[str, str]:
    """What each object carries now, by mRID; ``built`` is what the model has, of which all else is temporary."""
    carried: defaultdict[str, list[str]] = defaultdict(list)
    held = (
        *_held_by_equipment([each for feeder in live for each in feeder.equipment], built),
        *_held_by_outages(outages),
        *_held_by_tags(tags or OperationalTags()),
        *_held_by_clearances(clearances or SafetyDocuments()),
    )
    for mrid, what in held:
        carried[mrid].append(what)
    return {mrid: ", ".join(dict.fromkeys(whats)) for mrid, whats in carried.items()}


def conflicts(changes: Mapping[str, str], carried: Mapping[str, str]) -> tuple[str, ...]:
    """A sentence for each object that carries something and would be lost or have other phases."""
    return tuple(f"{mrid} {carried[mrid]} and {changes[mrid]}" for mrid in sorted(changes.keys() & carried.keys()))


def told_of(feeders: Iterable[Feeder]) -> frozenset[str]:
    """The mRIDs of all equipment, usage points and nodes."""
    return frozenset(mrid for mrid, _ in _phases(feeders))


def _phases(feeders: Iterable[Feeder]) -> Iterator[tuple[str, str]]:
    """What there is, with its phases; a node has those of what it joins, so none of its own."""
    for feeder in feeders:
        yield from ((each.mrid, each.phases) for each in feeder.equipment)
        yield from ((each.mrid, each.phases) for each in feeder.usage_point)
        yield from ((each.mrid, "") for each in feeder.connectivity_node)


def _held_by_equipment(equipment: Iterable[Equipment], built: AbstractSet[str] | None) -> Iterator[tuple[str, str]]:
    for each in equipment:
        if each.open is not None and each.open != bool(each.normal_open):
            normally = "open" if each.normal_open else "closed"
            yield each.mrid, f"is {'open' if each.open else 'closed'} and normally {normally}"
        if built is not None and each.mrid not in built:
            yield from ((node, f"has the {each.kind} {each.mrid}") for node in (each.node1, each.node2) if node)


def _held_by_outages(outages: UnplannedOutages) -> Iterator[tuple[str, str]]:
    for outage in outages.unplanned_outage:
        for references in (
            outage.opened_switches,
            outage.outage_isolation_equipment,
            outage.faults,
            outage.de_energized_usage_point,
        ):
            yield from ((mrid, f"is part of the outage {outage.mrid}") for mrid in _mrids(references))


def _held_by_tags(tags: OperationalTags) -> Iterator[tuple[str, str]]:
    for tag in tags.operational_tag:
        if _state(tag.status) in _PLACED and tag.power_system_resource is not None:
            yield from ((mrid, f"has the tag {tag.mrid}") for mrid in _mrids((tag.power_system_resource,)))


def _held_by_clearances(clearances: SafetyDocuments) -> Iterator[tuple[str, str]]:
    for clearance in clearances.clearance_document:
        if _state(clearance.status) in _HELD:
            text = f"is a border of the clearance {clearance.mrid}"
            yield from ((mrid, text) for mrid in _mrids(clearance.tagged_psrs))


def _state(status: Status | None) -> str:
    return "" if status is None else status.value or ""


def _mrids(references: Iterable[ObjectReference]) -> Iterator[str]:
    return (each.mrid for each in references if each.mrid is not None)
