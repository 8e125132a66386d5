"""A storm from its order to its score."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from contracts.errors import Invalid
from contracts.nouns import training_scenarios as noun
from contracts.nouns.training_scenarios import OutageMatch, ScenarioStatusKind, TrainingScenario
from contracts.types import ObjectReference
from services.emergency_simulation.domain.behaviour import after, cause_of
from services.emergency_simulation.domain.chance import Stream
from services.emergency_simulation.domain.network import Network, settle

PATIENCE = timedelta(hours=24)
"""A storm that is not over after so long, in the time of the context, has failed."""


class Fault(Struct, frozen=True, kw_only=True):
    """One stroke and what it did.

    Attributes:
        at: when it strikes.
        device: what opened first; None before it struck, or when its place was dead.
        dark: the usage points that lost power by it.
    """

    mrid: str
    scenario: str
    equipment: str
    cause: str
    at: datetime
    device: str | None = None
    dark: tuple[str, ...] = ()
    struck: bool = False
    repaired: bool = False


class Outage(Struct, frozen=True, kw_only=True):
    """What the system last said of one outage: the devices that it named and everybody whom it covered."""

    mrid: str
    devices: frozenset[str]
    usage_points: frozenset[str]
    closed: bool


class Standing(Struct, frozen=True, kw_only=True):
    """How things stand in the truth: customers in the dark now, and those who were at any time of the storm."""

    customers_dark: int
    customers_interrupted: int


def plan_faults(network: Network, opened: frozenset[str], scenario: TrainingScenario, start: datetime) -> list[Fault]:
    """Where and when a storm strikes: the same for the same seed, network, switch positions and start.

    Lines are struck before anything else. No two faults open the same device or darken the same usage point; where wide
    ones leave no room for the others, only laterals without protection of their own below them are struck. The first
    strikes 1 to 5 minutes after the start, the others on average 10 minutes after one another [P].

    Raises:
        Invalid: when the network has no room for so many.
    """
    stream = Stream(scenario.seed, "faults")
    guards = network.guards(opened)
    inner = network.innermost(guards)
    places = _places(network, stream)
    struck = _apart(network, opened, places, scenario.faults)
    if len(struck) < scenario.faults:
        struck = _apart(
            network,
            opened,
            (place for place in places if network.device_above(place, guards) in inner),
            scenario.faults,
        )
    if len(struck) < scenario.faults:
        raise Invalid(f"the network has room for {len(struck)} faults that do not touch, not for {scenario.faults}")
    faults: list[Fault] = []
    at = after(start, stream.between(60, 300, "first"))
    for number, equipment in enumerate(struck):
        mrid = stream.identity("fault", str(number), start.isoformat())
        cause = cause_of(stream, equipment)
        faults.append(Fault(mrid=mrid, scenario=scenario.mrid, equipment=equipment, cause=cause, at=at))
        at = after(at, stream.exponential(600, "next", str(number)))
    return faults


def _apart(network: Network, opened: frozenset[str], places: Iterable[str], count: int) -> list[str]:
    """The first ``count`` of the places whose faults darken somebody and do not touch one another, or fewer."""
    chosen: list[str] = []
    taken: set[str] = set()
    for equipment in places:
        if len(chosen) == count:
            break
        outcome = settle(network, opened, faults={equipment})
        touched = {*outcome.lost, *outcome.trips.values()}
        if outcome.lost and not taken & touched:
            taken |= touched
            chosen.append(equipment)
    return chosen


def _places(network: Network, stream: Stream) -> list[str]:
    """What can be struck, in the order of chance, whatever the order of the model; lines first."""
    places = (each for each in network.equipment.values() if each.node2 is not None and each.normal_open is None)
    drawn = sorted((each.kind != "ACLineSegment", stream.fraction("place", each.mrid), each.mrid) for each in places)
    return [mrid for _, _, mrid in drawn]


def found_at(network: Network, opened: Collection[str], faults: Iterable[Fault], place: str) -> Fault | None:
    """The fault that a crew finds that was sent to ``place``, a device or a usage point; None when there is nothing.

    It finds the one for which this device opened; else it follows the wires that ``place`` normally feeds and finds
    the one whose extent is the most alike. What is repaired and back in operation leaves no trace.
    """
    traces = [fault for fault in faults if fault.struck and (not fault.repaired or fault.device in opened)]
    normal = network.initially_open
    fed = {place} & network.usage_points.keys() or network.dark(normal | {place}) - network.dark(normal)
    related = [fault for fault in traces if fault.device == place or fed & set(fault.dark)]
    return min(
        related,
        key=lambda fault: (fault.device != place, len(fed ^ set(fault.dark)), fault.at, fault.mrid),
        default=None,
    )


def is_over(faults: Iterable[Fault], outages: Iterable[Outage], standing: Standing) -> bool:
    """True when everything was struck and repaired, has power again, and the system has closed what it opened."""
    return (
        standing.customers_dark == 0
        and all(fault.struck and fault.repaired for fault in faults)
        and all(outage.closed for outage in outages)
    )


def matches(faults: Iterable[Fault], outages: Sequence[Outage]) -> list[tuple[OutageMatch, bool]]:
    """For each fault that darkened somebody the outage that tells of it best, if one does.

    The second value is True when that outage named the device that opened and covered exactly who was dark.
    """
    found = []
    for fault in faults:
        dark = frozenset(fault.dark)
        telling = [outage for outage in outages if dark & outage.usage_points]
        if telling:
            best = max(
                telling,
                key=lambda outage: (fault.device in outage.devices, -len(dark ^ outage.usage_points), outage.mrid),
            )
            device_found = fault.device in best.devices
            match = OutageMatch(device_found=device_found, fault=fault.mrid, outage=best.mrid)
            found.append((match, device_found and best.usage_points == dark))
    return found


def report(
    scenario: TrainingScenario,
    faults: Iterable[Fault],
    outages: Sequence[Outage],
    standing: Standing,
    ended: datetime | None = None,
) -> TrainingScenario:
    """The storm as it stands, told to everybody; faults to come are not told.

    ``ended`` is when it ended: finished when everything is over, failed otherwise.
    """
    struck = [fault for fault in faults if fault.struck]
    found = matches(struck, outages)
    status = ScenarioStatusKind.RUNNING if struck else ScenarioStatusKind.REQUESTED
    if ended is not None:
        over = len(struck) == scenario.faults and is_over(struck, outages, standing)
        status = ScenarioStatusKind.FINISHED if over else ScenarioStatusKind.FAILED
    return msgspec.structs.replace(
        scenario,
        customers_dark_at_end=None if ended is None else standing.customers_dark,
        customers_interrupted=standing.customers_interrupted,
        end_time=ended,
        faults_struck=len(struck),
        matched=sum(exact for _, exact in found),
        status_kind=status,
        fault=tuple(
            noun.Fault(
                mrid=fault.mrid,
                device=fault.device,
                equipment=fault.equipment,
                occurred_date_time=fault.at,
                usage_point=tuple(ObjectReference(mrid=point) for point in fault.dark),
            )
            for fault in struck
        ),
        outage_match=tuple(match for match, _ in found),
    )
