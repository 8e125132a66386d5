"""What a new version must not take away: what carries an outage, or stands otherwise than normal.

A switch that an operator or a fault holds away from its normal position and whatever is part of an open outage are
known to network operation and fault management by mRID. A version in which such an object is missing or has other
phases would leave them with something that they can neither find nor restore.
"""

from collections.abc import Iterable, Iterator, Mapping

from contracts.nouns.feeder_topology import Feeder
from contracts.nouns.unplanned_outages import UnplannedOutages
from contracts.types import ObjectReference


def lost_or_rephased(before: Iterable[Feeder], after: Iterable[Feeder]) -> dict[str, str]:
    """What becomes of the objects that are not the same after a change, by mRID."""
    new = dict(_phases(after))
    return {
        mrid: "would be lost" if mrid not in new else f"would change from phases {phases} to {new[mrid]}"
        for mrid, phases in _phases(before)
        if new.get(mrid) != phases
    }


def carriers(live: Iterable[Feeder], outages: UnplannedOutages) -> dict[str, str]:
    """What each object carries now, by mRID."""
    carried = {
        each.mrid: f"is {'open' if each.open else 'closed'} and normally {'open' if each.normal_open else 'closed'}"
        for feeder in live
        for each in feeder.equipment
        if each.open is not None and each.open != bool(each.normal_open)
    }
    for outage in outages.unplanned_outage:
        for references in (
            outage.opened_switches,
            outage.outage_isolation_equipment,
            outage.faults,
            outage.de_energized_usage_point,
        ):
            carried.update(dict.fromkeys(_mrids(references), f"is part of the outage {outage.mrid}"))
    return carried


def conflicts(changes: Mapping[str, str], carried: Mapping[str, str]) -> tuple[str, ...]:
    """A sentence for each object that carries something and would be lost or have other phases."""
    return tuple(f"{mrid} {carried[mrid]} and {changes[mrid]}" for mrid in sorted(changes.keys() & carried.keys()))


def _phases(feeders: Iterable[Feeder]) -> Iterator[tuple[str, str]]:
    for feeder in feeders:
        yield from ((each.mrid, each.phases) for each in feeder.equipment)
        yield from ((each.mrid, each.phases) for each in feeder.usage_point)


def _mrids(references: Iterable[ObjectReference]) -> Iterator[str]:
    return (each.mrid for each in references if each.mrid is not None)
