"""SwitchingStudies: what would happen if something were switched, without switching it.

Ours [P]; IEC 61968-3 has the look-ahead of operations in its use cases and no profile for it. Asked for with
:class:`GetSwitchingStudies`, several options at once; each is answered against the live state of one instant.
"""

from enum import StrEnum

from msgspec import Struct, field

from contracts.nouns.switching_plans import SwitchActionKind
from contracts.nouns.units import PhaseCode
from contracts.types import Instant, Name, ObjectReference, attribute

NAMESPACE = "urn:busbar:2026:SwitchingStudies#"


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
    """A branch whose loading, in per cent of its rating, is beyond the limit."""

    loading: float
    power_system_resource: ObjectReference = field(name="PowerSystemResource")


class NodeVoltage(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A node whose voltage, per unit of the nominal one, is outside its band."""

    phases: PhaseCode | None = None
    voltage: float
    connectivity_node: ObjectReference = field(name="ConnectivityNode")


class SwitchingStudy(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One option and what it would do after its last operation.

    ``feasible`` is False when a rule refuses. ``power_flow`` says whether loadings and voltages were computed:
    ``solved``, or why not. ``margin`` is the least that is left to an emergency rating, in per cent.
    """

    mrid: str
    created_date_time: Instant
    customers_dropped: int
    customers_picked_up: int
    feasible: bool
    margin: float | None = None
    power_flow: str | None = None
    branch_loading: tuple[BranchLoading, ...] = field(name="BranchLoading", default=())
    de_energized_usage_point: tuple[ObjectReference, ...] = field(name="DeEnergizedUsagePoint", default=())
    energized_usage_point: tuple[ObjectReference, ...] = field(name="EnergizedUsagePoint", default=())
    names: tuple[Name, ...] = field(name="Names", default=())
    node_voltage: tuple[NodeVoltage, ...] = field(name="NodeVoltage", default=())
    operation: tuple[StudyOperation, ...] = field(name="Operation", default=())
    rule_violation: tuple[RuleViolation, ...] = field(name="RuleViolation", default=())


class SwitchingStudies(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the noun."""

    switching_study: tuple[SwitchingStudy, ...] = field(name="SwitchingStudy", default=())
