"""SwitchingStudies: what would happen if something were switched, without switching it.

Ours [P]; IEC 61968-3 has the look-ahead of operations in its use cases and no profile for it. Asked for with
:class:`GetSwitchingStudies`, several options at once; each is answered against the live state of one instant. An option
without operations is the network as it is: its study tells the last power flow of each feeder, with the time of it.
"""

from enum import StrEnum

from msgspec import Struct, field

from contracts.nouns.switching_plans import SwitchActionKind
from contracts.nouns.units import PhaseCode
from contracts.types import Instant, Name, ObjectReference, attribute

NAMESPACE = "urn:busbar:2026:SwitchingStudies#"

MOST_TOLD = 50
"""So many branches and so many nodes are told of one option."""


class StudyOperation(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One operation of an option; ``phases`` where not all are meant."""

    kind: SwitchActionKind
    phases: PhaseCode | None = None
    operated_switch: ObjectReference = field(name="OperatedSwitch")


class SeverityKind(StrEnum):
    """Whether a violation forbids the operation or warns."""

    REFUSE = "refuse"
    WARN = "warn"


class RuleViolation(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A switching rule that an operation would break; ``sequence_number`` counts the operations from 1."""

    reason: str
    rule: str
    sequence_number: int
    severity: SeverityKind
    power_system_resource: ObjectReference | None = field(name="PowerSystemResource", default=None)


class BranchLoading(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A branch whose loading, in per cent of its rating, is beyond the limit.

    ``coldLoad`` is true where it would be within its emergency rating if no load were cold after an interruption;
    ``current`` is the largest of its phases, A; ``emergencyLoading`` is in per cent of the emergency rating.
    """

    cold_load: bool | None = None
    current: float | None = None
    emergency_loading: float | None = None
    loading: float
    power_system_resource: ObjectReference = field(name="PowerSystemResource")


class NodeVoltage(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A node whose voltage, per unit of the nominal one, is outside its band on the phase where it is worst.

    ``coldLoad`` is true where it would be within its emergency band if no load were cold after an interruption.
    """

    cold_load: bool | None = None
    phases: PhaseCode | None = None
    voltage: float
    connectivity_node: ObjectReference = field(name="ConnectivityNode")


class FeederLoading(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The last power flow of a feeder that could be solved, and why a later one could not.

    ``powerFlow`` says how far it may be believed: ``solved``, ``nothing is live``, or what else; it is absent while
    there was none. Loading and ``margin``, the least that is left to an emergency rating, are per cent, voltages per
    unit; what has no figure is not known.
    """

    calculated_date_time: Instant | None = None
    failed_date_time: Instant | None = None
    failure: str | None = None
    highest_loading: float | None = None
    highest_voltage: float | None = None
    lowest_voltage: float | None = None
    margin: float | None = None
    model_version: str | None = None
    power_flow: str | None = None
    feeder: ObjectReference = field(name="Feeder")
    most_loaded: ObjectReference | None = field(name="MostLoaded", default=None)


class SwitchingStudy(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One option and what it would do after its last operation.

    ``feasible`` is False when a rule refuses. ``power_flow`` says whether loadings and voltages were computed:
    ``solved``, or why not. ``margin`` is the least that is left to an emergency rating, in per cent, ``loopCurrent``
    what flows through the device that is closed last, A, and ``pickedUpPower`` what those who get supply would take, W,
    a cold load included. Of branches and nodes beyond their limits the worst are told, :data:`MOST_TOLD` at most.
    """

    mrid: str
    created_date_time: Instant
    customers_dropped: int
    customers_picked_up: int
    feasible: bool
    loop_current: float | None = None
    margin: float | None = None
    picked_up_power: float | None = None
    power_flow: str | None = None
    branch_loading: tuple[BranchLoading, ...] = field(name="BranchLoading", default=())
    de_energized_usage_point: tuple[ObjectReference, ...] = field(name="DeEnergizedUsagePoint", default=())
    energized_usage_point: tuple[ObjectReference, ...] = field(name="EnergizedUsagePoint", default=())
    feeder_loading: tuple[FeederLoading, ...] = field(name="FeederLoading", default=())
    names: tuple[Name, ...] = field(name="Names", default=())
    node_voltage: tuple[NodeVoltage, ...] = field(name="NodeVoltage", default=())
    operation: tuple[StudyOperation, ...] = field(name="Operation", default=())
    rule_violation: tuple[RuleViolation, ...] = field(name="RuleViolation", default=())


class SwitchingStudies(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the noun."""

    switching_study: tuple[SwitchingStudy, ...] = field(name="SwitchingStudy", default=())
