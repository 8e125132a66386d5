"""UnplannedOutages: outages that nobody planned, from the first suspicion to the end.

IEC 61968-3:2021 has the noun; no public copy of the profile was found. 61968-style: written from the public class model
by the ordering rule, not verified against the published profile [P]. The namespace is our proposal. Classes:
UnplannedOutage and Outage of the newer public class model.

Ours: ``revisionNumber`` is a whole number that grows by one with each change (text in the class model), and
``status.value`` is one of :class:`OutageState`; ``phases``, ``ParentOutage`` and ``RestorationStep``, which are
optional, as are ``frozen``, ``remedy``, ``verification`` and ``UnverifiedUsagePoint``. Every event carries the whole
outage after the change.

An operator asks for a change with the outage as it should be: what is left out, or as it is, stays. ``revisionNumber``
is the one that he saw, ``status.value`` may become CONFIRMED, DISMISSED or CLOSED, ``status.reason`` says why. What was
closed is corrected in the same way, and becomes the next revision.
"""

from enum import StrEnum

from msgspec import Struct, field

from contracts.nouns.units import PhaseCode
from contracts.types import DateTimeInterval, Instant, Name, ObjectReference, Status, attribute

NAMESPACE = "http://iec.ch/TC57/2021/UnplannedOutages#"


class OutageCauseKind(StrEnum):
    """The kinds of cause that the public class model has."""

    ANIMAL = "animal"
    PLANNED = "planned"
    UNPLANNED = "unplanned"


class OutageStatusKind(StrEnum):
    """Whether the outage is inferred or seen."""

    CONFIRMED = "confirmed"
    PREDICTED = "predicted"


class CrewStatusKind(StrEnum):
    """Where the crew is, seen from the outage."""

    ARRIVED = "arrived"
    ASSIGNED = "assigned"
    AWAITING_CREW_ASSIGNMENT = "awaitingCrewAssignment"
    ENROUTE = "enroute"
    FIELD_COMPLETE = "fieldComplete"


class ERTConfidenceKind(StrEnum):
    """How much the estimate is to be trusted."""

    HIGH = "high"
    LOW = "low"


class VerificationKind(StrEnum):
    """Whether it is certain that a restoration holds (ours)."""

    CONFIRMED = "confirmed"
    UNKNOWN = "unknown"


class EstimatedRestorationTime(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """When power is expected back, by whose estimate."""

    confidence_kind: ERTConfidenceKind | None = None
    ert: Instant
    ert_source: str | None = None


class AreaKind(StrEnum):
    """What kind of area it is."""

    BOROUGH = "borough"
    COUNTY = "county"
    PARISH = "parish"
    SERVICE_AREA = "serviceArea"
    STATE = "state"
    TOWNSHIP = "township"
    WARD = "ward"
    ZIPCODE = "zipcode"


class OutageArea(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """An area that is affected, for the public."""

    mrid: str | None = None
    community_descriptor: str | None = None
    earliest_reported_time: Instant | None = None
    meters_served: int | None = None
    outage_area_kind: AreaKind | None = None
    names: tuple[Name, ...] = field(name="Names", default=())


class RestorationStep(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """Whose interruption ended at the same time: power was back, or another outage took over (ours)."""

    date_time: Instant
    usage_point: tuple[ObjectReference, ...] = field(name="UsagePoint", default=())


class UnplannedOutage(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One outage, whole, as it is after its latest change.

    ``opened_switches`` are the devices that opened or are thought to have, ``de_energized_usage_point`` who is dark
    now, ``energized_usage_point`` who was dark and has power again. ``status_kind`` is where the crew is; ``cause`` is
    a word of the crew's finding, since the kinds of the class model do not tell causes apart. ``phases`` are those that
    are out where others are not. ``frozen`` predictions stay as they are by the will of an operator, ``remedy`` is what
    was done in the end. ``parent_outage`` is the one of which this was a part before it turned out to have a
    reason of its own. ``restoration_step`` says for ``energized_usage_point`` when, the earliest first; without it they
    had power again at ``status.dateTime`` of the revision that first named them. ``unverified_usage_point`` are those
    that should have power again while nobody can say whether they have: they are to be called back; and those that
    another outage took over, who are not to hear that they have. ``verification`` is absent as long as it is not known
    whether the restoration holds.
    """

    mrid: str
    cancelled_date_time: Instant | None = None
    cause: str | None = None
    cause_kind: OutageCauseKind | None = None
    comment: str | None = None
    community_descriptor: str | None = None
    created_date_time: Instant | None = None
    customers_restored: int | None = None
    description: str | None = None
    frozen: bool | None = None
    last_modified_date_time: Instant | None = None
    meters_affected: int | None = None
    original_customers_served: int | None = None
    original_meters_affected: int | None = None
    outage_kind: OutageStatusKind
    phases: PhaseCode | None = None
    remedy: str | None = None
    reported_start_time: Instant | None = None
    revision_number: int
    status_kind: CrewStatusKind | None = None
    utility_disclaimer: str | None = None
    verification: VerificationKind | None = None
    actual_period: DateTimeInterval | None = None
    de_energized_usage_point: tuple[ObjectReference, ...] = field(name="DeEnergizedUsagePoint", default=())
    energized_usage_point: tuple[ObjectReference, ...] = field(name="EnergizedUsagePoint", default=())
    estimated_period: DateTimeInterval | None = None
    estimated_restoration_time: EstimatedRestorationTime | None = field(name="EstimatedRestorationTime", default=None)
    faults: tuple[ObjectReference, ...] = field(name="Faults", default=())
    incident: tuple[ObjectReference, ...] = field(name="Incident", default=())
    names: tuple[Name, ...] = field(name="Names", default=())
    opened_switches: tuple[ObjectReference, ...] = field(name="OpenedSwitches", default=())
    outage_area: tuple[OutageArea, ...] = field(name="OutageArea", default=())
    outage_isolation_equipment: tuple[ObjectReference, ...] = field(name="OutageIsolationEquipment", default=())
    parent_outage: ObjectReference | None = field(name="ParentOutage", default=None)
    restoration_step: tuple[RestorationStep, ...] = field(name="RestorationStep", default=())
    status: Status | None = None
    switching_plans: tuple[ObjectReference, ...] = field(name="SwitchingPlans", default=())
    trouble_ticket: tuple[ObjectReference, ...] = field(name="TroubleTicket", default=())
    unverified_usage_point: tuple[ObjectReference, ...] = field(name="UnverifiedUsagePoint", default=())


class UnplannedOutages(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile."""

    unplanned_outage: tuple[UnplannedOutage, ...] = field(name="UnplannedOutage", default=())


class OutageState(StrEnum):
    """Where an outage is in its life: the values of ``UnplannedOutage.status`` (ours).

    A suspicion becomes a prediction when enough evidence agrees, or is dismissed; a confirmed outage is never predicted
    again. Restored means that the topology is energised, verified that the meters said so. VERIFY is a call whose meter
    has power: the trouble is likely at the customer's side, who is called back. MOMENTARY is over when it is told:
    power was away for no more than five minutes (IEEE 1366).
    """

    MOMENTARY = "MOMENTARY"
    SUSPECTED = "SUSPECTED"
    DISMISSED = "DISMISSED"
    PREDICTED = "PREDICTED"
    CONFIRMED = "CONFIRMED"
    PARTIALLY_RESTORED = "PARTIALLY_RESTORED"
    RESTORED = "RESTORED"
    VERIFIED = "VERIFIED"
    VERIFY = "VERIFY"
    CLOSED = "CLOSED"
