"""TrainingScenarios: a storm to order, and how the system did in it.

Ours [P]; the business function is Emergency Simulation of IEC 61968-1:2020. The same seed on the same model in the same
granted time gives the same storm.
"""

from enum import StrEnum

from msgspec import Struct, field

from contracts.types import Instant, Name, ObjectReference, attribute

NAMESPACE = "urn:busbar:2026:TrainingScenarios#"


class ScenarioStatusKind(StrEnum):
    """How far the storm is."""

    FAILED = "failed"
    FINISHED = "finished"
    REQUESTED = "requested"
    RUNNING = "running"


class Fault(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """What was struck, by mRID, the protective device that opened for it (none when nothing did), and who went dark."""

    mrid: str
    device: str | None = None
    equipment: str
    occurred_date_time: Instant
    usage_point: tuple[ObjectReference, ...] = field(name="UsagePoint", default=())


class OutageMatch(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """Which outage told of which fault, both by mRID, and whether it named the device that opened."""

    device_found: bool
    fault: str
    outage: str


class TrainingScenario(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One storm: ``seed`` and the number of ``faults`` are asked for, the rest is the outcome.

    ``matched`` counts the faults whose device fault management found; ``customers_interrupted`` counts every customer
    that was dark at any time, ``customers_dark_at_end`` those who still are.
    """

    mrid: str
    customers_dark_at_end: int | None = None
    customers_interrupted: int | None = None
    description: str | None = None
    end_time: Instant | None = None
    faults: int
    faults_struck: int | None = None
    matched: int | None = None
    seed: int
    start_time: Instant | None = None
    status_kind: ScenarioStatusKind | None = None
    fault: tuple[Fault, ...] = field(name="Fault", default=())
    names: tuple[Name, ...] = field(name="Names", default=())
    outage_match: tuple[OutageMatch, ...] = field(name="OutageMatch", default=())


class TrainingScenarios(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the noun."""

    training_scenario: tuple[TrainingScenario, ...] = field(name="TrainingScenario", default=())
