"""A storm as it is told: how it stands, what was true, and how well the system did."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from msgspec import Struct, structs

from contracts.nouns import training_scenarios as noun
from contracts.nouns.training_scenarios import OutageMatch, ScenarioStatusKind, TrainingScenario
from contracts.types import ObjectReference
from services.emergency_simulation.domain.faults import Fault
from services.emergency_simulation.domain.ledger import Truth
from services.emergency_simulation.domain.network import code_of

PATIENCE = timedelta(hours=24)
"""A storm that is not over after so long, in the time of the context, has failed."""


CALM = timedelta(minutes=3)
"""All must have been well for so long, since what has just happened may still be on its way to those who judge it."""

MANY = 5000
"""More usage points than this are not told one by one, so that the message stays small."""


class Said(Struct, frozen=True, kw_only=True):
    """Devices that the system named for an outage, since when in the time of the story."""

    at: datetime
    devices: frozenset[str]


class Outage(Struct, frozen=True, kw_only=True):
    """What the system said of one outage.

    Attributes:
        devices: what it named last.
        usage_points: everybody whom it covered.
        said: what it named before, oldest first.
    """

    mrid: str
    devices: frozenset[str]
    usage_points: frozenset[str]
    closed: bool
    said: tuple[Said, ...] = ()

    def named_before(self, at: datetime | None) -> frozenset[str]:
        """The devices that it named last before that time, or at all."""
        earlier = [each.devices for each in self.said if at is None or each.at < at]
        return earlier[-1] if earlier else frozenset()


class Standing(Struct, frozen=True, kw_only=True):
    """What must come to nothing before a storm is over: who is in the dark, what is broken, which outages are open."""

    customers_dark: int
    faults_open: int
    outages_open: int

    @property
    def is_over(self) -> bool:
        """True when everything has struck, is repaired and has power, and the system has closed what it opened."""
        return not (self.customers_dark or self.faults_open or self.outages_open)


def matches(faults: Iterable[Fault], outages: Sequence[Outage]) -> list[tuple[OutageMatch, bool]]:
    """For each fault that left somebody in the dark the outage that tells of it best, if one does.

    The second value is True when that outage named the device that opened and covered exactly who was dark.
    """
    found = []
    telling: dict[str, list[Outage]] = {}
    for outage in outages:
        for point in outage.usage_points:
            telling.setdefault(point, []).append(outage)
    for fault in faults:
        dark = frozenset(fault.dark)
        about = {outage.mrid: outage for point in dark for outage in telling.get(point, ())}
        if not about:
            continue
        best = max(
            about.values(),
            key=lambda outage: (_names(fault, outage.devices), -len(dark ^ outage.usage_points), outage.mrid),
        )
        device_found = _names(fault, best.devices)
        match = OutageMatch(
            device_found=device_found,
            fault=fault.mrid,
            outage=best.mrid,
            predicted=_names(fault, best.named_before(fault.found_at)),
        )
        found.append((match, device_found and best.usage_points == dark))
    return found


def _names(fault: Fault, devices: frozenset[str]) -> bool:
    """True when the device that opened is among these; a broken wire opens none, so any will do that is there."""
    return bool(devices) if fault.opens else fault.device in devices


def progress(scenario: TrainingScenario, faults: Iterable[Fault]) -> TrainingScenario:
    """The storm while it lasts; faults to come are not told."""
    struck = [fault for fault in faults if fault.struck]
    return structs.replace(
        scenario,
        faults_struck=sum(fault.lasting for fault in struck),
        status_kind=ScenarioStatusKind.RUNNING if struck else ScenarioStatusKind.REQUESTED,
        fault=tuple(_told(fault, ()) for fault in struck),
    )


def report(
    scenario: TrainingScenario,
    faults: Iterable[Fault],
    outages: Sequence[Outage],
    *,
    standing: Standing,
    truth: Truth,
    ended: datetime,
) -> TrainingScenario:
    """The storm that has ended: finished when everything is over, failed otherwise."""
    faults = tuple(faults)
    lasting = [fault for fault in faults if fault.lasting]
    found = matches(lasting, outages)
    many = sum(len(fault.dark) for fault in faults)
    return structs.replace(
        progress(scenario, faults),
        caidi=truth.caidi,
        customer_interruptions=truth.interruptions,
        customer_minutes=truth.minutes,
        customers_dark_at_end=standing.customers_dark,
        customers_interrupted=truth.customers,
        customers_served=truth.served,
        end_time=ended,
        maifi=truth.momentary / truth.served,
        maifi_e=truth.momentary_events / truth.served,
        matched=sum(exact for _, exact in found),
        predicted_right=sum(bool(match.predicted) for match, _ in found),
        saidi=truth.saidi,
        saifi=truth.saifi,
        status_kind=ScenarioStatusKind.FINISHED if standing.is_over else ScenarioStatusKind.FAILED,
        fault=tuple(_told(fault, fault.dark if many <= MANY else ()) for fault in faults if fault.struck),
        outage_match=tuple(match for match, _ in found),
    )


def _told(fault: Fault, dark: Iterable[str]) -> noun.Fault:
    return noun.Fault(
        mrid=fault.mrid,
        device=fault.device,
        equipment=fault.equipment,
        kind=fault.kind,
        occurred_date_time=fault.at,
        phases=code_of(fault.phases),
        temporary=True if fault.temporary else None,
        usage_point=tuple(ObjectReference(mrid=point) for point in dark),
    )
