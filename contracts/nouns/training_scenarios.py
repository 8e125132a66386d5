"""TrainingScenarios: a storm to order, and how the system did in it.

Ours [P]; the business function is Emergency Simulation of IEC 61968-1:2020. The same seed on the same model in the same
granted time gives the same storm.

When a storm has ended it also tells what was really true: who was in the dark and how long, by the rules of IEEE 1366
counted from the truth and not from what anybody reported. What is reported is held against it.
"""

from enum import StrEnum

from msgspec import Struct, field

from contracts.nouns.units import PhaseCode
from contracts.types import Instant, Name, ObjectReference, attribute

NAMESPACE = "urn:busbar:2026:TrainingScenarios#"

Minutes = float
"""Minutes."""

PerCustomer = float
"""Times for each customer served."""

Probability = float
"""From 0 to 1."""

Seconds = float
"""Seconds."""


class FaultKind(StrEnum):
    """What is wrong at the place that was struck; an open conductor draws no current of a fault."""

    LINE_TO_GROUND = "lineToGround"
    LINE_TO_LINE = "lineToLine"
    LINE_TO_LINE_TO_GROUND = "lineToLineToGround"
    OPEN_CONDUCTOR = "openConductor"
    THREE_PHASE = "threePhase"


class ScenarioStatusKind(StrEnum):
    """How far the storm is."""

    FAILED = "failed"
    FINISHED = "finished"
    REQUESTED = "requested"
    RUNNING = "running"


class Fault(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """What was struck, by mRID, the device that opened for it (none when nothing did), and who is dark by it.

    ``kind`` and ``phases`` say what is wrong; ``temporary`` is a fault that goes away once it has no voltage.
    """

    mrid: str
    device: str | None = None
    equipment: str
    kind: FaultKind | None = None
    occurred_date_time: Instant
    phases: PhaseCode | None = None
    temporary: bool | None = None
    usage_point: tuple[ObjectReference, ...] = field(name="UsagePoint", default=())


class FieldConditions(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """How the field behaves in this storm; what is not said is as the simulation is set.

    *Protection*: ``reclosing`` devices close again by themselves, and ``sectionalising`` ones open while they are dead;
    faults are ``single_phase`` where chance has it, and a fuse melts on the phases of its fault alone. ``fuse_saving``
    lets the ``fast_shots`` of a recloser come before the fuses below it. ``vanishing`` is how likely a temporary fault
    is gone after a time without voltage, ``miscoordination`` how likely the next device opens instead, and
    ``open_conductor`` the share of faults that draw no current. Fault indicators miss and err by ``indicator_miss`` and
    ``indicator_false``.

    *Telemetry*: ``telemetry`` is the share of remotely operable switches that have it (breakers always do);
    ``station_loss`` how likely a station falls silent for a while when something moves, ``chattering`` how likely it
    reports a position several times over; ``command_failure`` and ``command_silence`` how likely a command is refused,
    or taken and not carried out.

    *Meters*: ``message_loss`` and ``message_double`` are shares of their messages, ``gasp_repeats`` how often a last
    gasp is said again within 20 minutes, ``clock_error`` by how much a clock may be wrong, ``collector_failure`` how
    likely a collector dies together with the supply of its pole.

    *Callers*: ``call`` is the share of usage points in the dark that call, ``call_again`` of those who call once more,
    ``callback`` of those who, told that power is back, say that it is not; ``wrong_address`` the share of calls about
    a neighbour, ``hazard`` that of faults that are a danger; ``lines`` is how many can call at once (0: any number).

    *Crews*: ``speed`` on the road in km/h, ``wrong_finding`` how likely the first finding names the wrong device,
    ``clearance`` how long a crew waits for its clearance, ``shift_hours`` after how long it goes home (0: never).
    """

    call: Probability | None = None
    call_again: Probability | None = None
    callback: Probability | None = None
    chattering: Probability | None = None
    clearance: Minutes | None = None
    clock_error: Seconds | None = None
    collector_failure: Probability | None = None
    command_failure: Probability | None = None
    command_silence: Probability | None = None
    fast_shots: int | None = None
    fuse_saving: bool | None = None
    gasp_repeats: int | None = None
    hazard: Probability | None = None
    indicator_false: Probability | None = None
    indicator_miss: Probability | None = None
    lines: int | None = None
    message_double: Probability | None = None
    message_loss: Probability | None = None
    miscoordination: Probability | None = None
    open_conductor: Probability | None = None
    reclosing: bool | None = None
    sectionalising: bool | None = None
    shift_hours: float | None = None
    single_phase: bool | None = None
    speed: float | None = None
    station_loss: Probability | None = None
    telemetry: Probability | None = None
    vanishing: Probability | None = None
    wrong_address: Probability | None = None
    wrong_finding: Probability | None = None


class OutageMatch(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """Which outage told of which fault, both by mRID.

    ``device_found`` says whether it named the device that opened, ``predicted`` whether it did before any crew had said
    what it found.
    """

    device_found: bool
    fault: str
    outage: str
    predicted: bool | None = None


class TrainingScenario(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One storm: ``seed`` and the number of ``faults`` are asked for, the rest is the outcome.

    ``faults`` stay until they are repaired; ``temporary_faults``, beside them, go away when the protection has cut
    them off. ``faults_struck`` counts those for which somebody must go out. ``matched`` counts the faults of which an
    outage named the device and covered exactly who was dark, ``predicted_right`` those whose device was named before
    any crew had said what it found. ``customers_interrupted`` counts every customer that was dark at any time for
    longer than a momentary interruption, ``customers_dark_at_end`` those who still are.

    The truth, in a storm that has ended: ``customers_served``, ``customer_interruptions`` and ``customer_minutes``
    (sustained ones), and the indices that follow from them.
    """

    mrid: str
    caidi: Minutes | None = None
    customer_interruptions: int | None = None
    customer_minutes: Minutes | None = None
    customers_dark_at_end: int | None = None
    customers_interrupted: int | None = None
    customers_served: int | None = None
    description: str | None = None
    end_time: Instant | None = None
    faults: int
    faults_struck: int | None = None
    maifi: PerCustomer | None = None
    maifi_e: PerCustomer | None = None
    matched: int | None = None
    predicted_right: int | None = None
    saidi: Minutes | None = None
    saifi: PerCustomer | None = None
    seed: int
    start_time: Instant | None = None
    status_kind: ScenarioStatusKind | None = None
    temporary_faults: int | None = None
    fault: tuple[Fault, ...] = field(name="Fault", default=())
    field_conditions: FieldConditions | None = field(name="FieldConditions", default=None)
    names: tuple[Name, ...] = field(name="Names", default=())
    outage_match: tuple[OutageMatch, ...] = field(name="OutageMatch", default=())


class TrainingScenarios(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the noun."""

    training_scenario: tuple[TrainingScenario, ...] = field(name="TrainingScenario", default=())
