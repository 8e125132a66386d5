"""SwitchingPlans: what is to be switched, in which order, by whom.

IEC 61968-3:2021 has the document; no public copy of the profile was found. 61968-style: written from the public class
model by the ordering rule, not verified against the published profile [P]. The namespace and the spelling of the noun
are our proposal. Classes: SwitchingPlan, SwitchingStepGroup, SwitchingStep and the switching actions of the newer
public class model; the abstract action of a step is written as a choice of elements named by their classes.

Steps run in the order of ``sequenceNumber``; consecutive steps marked ``isFreeSequence`` may change places among
themselves. ``status.value`` of a plan is one of :class:`SwitchingPlanState` (ours).
"""

from enum import StrEnum

from msgspec import Struct, field

from contracts.types import DateTimeInterval, Instant, Name, ObjectReference, Status, attribute

NAMESPACE = "http://iec.ch/TC57/2021/SwitchingPlans#"


class ClearanceActionKind(StrEnum):
    """What is done with the clearance."""

    ISSUE = "issue"
    RELEASE = "release"
    UPDATE = "update"


class ClearanceAction(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """Give out, change or take back a clearance."""

    mrid: str | None = None
    description: str | None = None
    executed_date_time: Instant | None = None
    issued_date_time: Instant | None = None
    kind: ClearanceActionKind
    planned_date_time: Instant | None = None
    clearance: ObjectReference | None = field(name="Clearance", default=None)
    crew: tuple[ObjectReference, ...] = field(name="Crew", default=())
    names: tuple[Name, ...] = field(name="Names", default=())
    operator: ObjectReference | None = field(name="Operator", default=None)


class TempEquipActionKind(StrEnum):
    """Whether temporary equipment comes or goes."""

    PLACE = "place"
    REMOVE = "remove"


class CutAction(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """Cut a line, or mend the cut."""

    mrid: str | None = None
    description: str | None = None
    executed_date_time: Instant | None = None
    issued_date_time: Instant | None = None
    kind: TempEquipActionKind
    planned_date_time: Instant | None = None
    along_ac_line_segment: ObjectReference | None = field(name="AlongACLineSegment", default=None)
    crew: tuple[ObjectReference, ...] = field(name="Crew", default=())
    cut: ObjectReference | None = field(name="Cut", default=None)
    names: tuple[Name, ...] = field(name="Names", default=())
    operator: ObjectReference | None = field(name="Operator", default=None)


class EnergySourceAction(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """Place or remove a temporary source."""

    mrid: str | None = None
    description: str | None = None
    executed_date_time: Instant | None = None
    issued_date_time: Instant | None = None
    kind: TempEquipActionKind
    planned_date_time: Instant | None = None
    crew: tuple[ObjectReference, ...] = field(name="Crew", default=())
    energy_source: ObjectReference | None = field(name="EnergySource", default=None)
    names: tuple[Name, ...] = field(name="Names", default=())
    operator: ObjectReference | None = field(name="Operator", default=None)


class GenericAction(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """Something else, in words."""

    mrid: str | None = None
    description: str | None = None
    executed_date_time: Instant | None = None
    issued_date_time: Instant | None = None
    planned_date_time: Instant | None = None
    crew: tuple[ObjectReference, ...] = field(name="Crew", default=())
    names: tuple[Name, ...] = field(name="Names", default=())
    operator: ObjectReference | None = field(name="Operator", default=None)


class GroundAction(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """Place or remove a temporary ground."""

    mrid: str | None = None
    description: str | None = None
    executed_date_time: Instant | None = None
    issued_date_time: Instant | None = None
    kind: TempEquipActionKind
    planned_date_time: Instant | None = None
    along_ac_line_segment: ObjectReference | None = field(name="AlongACLineSegment", default=None)
    crew: tuple[ObjectReference, ...] = field(name="Crew", default=())
    ground: ObjectReference | None = field(name="Ground", default=None)
    grounded_equipment: ObjectReference | None = field(name="GroundedEquipment", default=None)
    names: tuple[Name, ...] = field(name="Names", default=())
    operator: ObjectReference | None = field(name="Operator", default=None)


class JumperAction(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """Place or remove a jumper."""

    mrid: str | None = None
    description: str | None = None
    executed_date_time: Instant | None = None
    issued_date_time: Instant | None = None
    kind: TempEquipActionKind
    planned_date_time: Instant | None = None
    along_ac_line_segments: tuple[ObjectReference, ...] = field(name="AlongACLineSegments", default=())
    crew: tuple[ObjectReference, ...] = field(name="Crew", default=())
    jumped_equipments: tuple[ObjectReference, ...] = field(name="JumpedEquipments", default=())
    jumper: ObjectReference | None = field(name="Jumper", default=None)
    names: tuple[Name, ...] = field(name="Names", default=())
    operator: ObjectReference | None = field(name="Operator", default=None)


class SwitchActionKind(StrEnum):
    """What is done with the switch."""

    CLOSE = "close"
    DISABLE_RECLOSING = "disableReclosing"
    ENABLE_RECLOSING = "enableReclosing"
    OPEN = "open"


class SwitchAction(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """Operate a switch; ``executed_date_time`` is there when it was."""

    mrid: str | None = None
    description: str | None = None
    executed_date_time: Instant | None = None
    issued_date_time: Instant | None = None
    kind: SwitchActionKind
    planned_date_time: Instant | None = None
    crew: tuple[ObjectReference, ...] = field(name="Crew", default=())
    names: tuple[Name, ...] = field(name="Names", default=())
    operated_switch: ObjectReference = field(name="OperatedSwitch")
    operator: ObjectReference | None = field(name="Operator", default=None)


class TagActionKind(StrEnum):
    """What is done with the tag."""

    PLACE = "place"
    REMOVE = "remove"
    VERIFY = "verify"


class OperationalTag(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A tag and what it hangs on."""

    mrid: str | None = None
    comment: str | None = None
    type: str | None = None
    names: tuple[Name, ...] = field(name="Names", default=())
    power_system_resource: ObjectReference | None = field(name="PowerSystemResource", default=None)


class TagAction(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """Place, remove or check a tag."""

    mrid: str | None = None
    description: str | None = None
    executed_date_time: Instant | None = None
    issued_date_time: Instant | None = None
    kind: TagActionKind
    planned_date_time: Instant | None = None
    crew: tuple[ObjectReference, ...] = field(name="Crew", default=())
    names: tuple[Name, ...] = field(name="Names", default=())
    operational_tag: OperationalTag | None = field(name="OperationalTag", default=None)
    operator: ObjectReference | None = field(name="Operator", default=None)


class VerificationAction(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """Look whether a condition holds before going on."""

    mrid: str | None = None
    description: str | None = None
    executed_date_time: Instant | None = None
    issued_date_time: Instant | None = None
    planned_date_time: Instant | None = None
    verification_condition: str | None = None
    crew: tuple[ObjectReference, ...] = field(name="Crew", default=())
    names: tuple[Name, ...] = field(name="Names", default=())
    operator: ObjectReference | None = field(name="Operator", default=None)
    power_system_resource: ObjectReference | None = field(name="PowerSystemResource", default=None)


SwitchingAction = (
    ClearanceAction
    | CutAction
    | EnergySourceAction
    | GenericAction
    | GroundAction
    | JumperAction
    | SwitchAction
    | TagAction
    | VerificationAction
)
"""What a step does."""


class SwitchingStep(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One step: its place in the order, and exactly one action; a step without ``status`` has not begun.

    Raises:
        ValueError: when it has no action or more than one.
    """

    is_free_sequence: bool | None = None
    sequence_number: int
    sub_step_sequence_number: int | None = None
    clearance_action: ClearanceAction | None = field(name="ClearanceAction", default=None)
    cut_action: CutAction | None = field(name="CutAction", default=None)
    energy_source_action: EnergySourceAction | None = field(name="EnergySourceAction", default=None)
    generic_action: GenericAction | None = field(name="GenericAction", default=None)
    ground_action: GroundAction | None = field(name="GroundAction", default=None)
    jumper_action: JumperAction | None = field(name="JumperAction", default=None)
    status: Status | None = None
    switch_action: SwitchAction | None = field(name="SwitchAction", default=None)
    tag_action: TagAction | None = field(name="TagAction", default=None)
    verification_action: VerificationAction | None = field(name="VerificationAction", default=None)

    def __post_init__(self) -> None:
        if len(self._actions) != 1:
            raise ValueError(f"step {self.sequence_number} has {len(self._actions)} actions; a step has exactly one")

    @property
    def action(self) -> SwitchingAction:
        """The action of the step, of whatever kind."""
        return self._actions[0]

    @property
    def _actions(self) -> list[SwitchingAction]:
        choice = (
            self.clearance_action,
            self.cut_action,
            self.energy_source_action,
            self.generic_action,
            self.ground_action,
            self.jumper_action,
            self.switch_action,
            self.tag_action,
            self.verification_action,
        )
        return [action for action in choice if action is not None]


class SwitchingStepGroup(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """Steps that belong together, such as isolation or restoration."""

    mrid: str | None = None
    description: str | None = None
    is_free_sequence: bool | None = None
    sequence_number: int
    names: tuple[Name, ...] = field(name="Names", default=())
    status: Status | None = None
    switching_step: tuple[SwitchingStep, ...] = field(name="SwitchingStep", default=())


class RuleOverride(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """That a switching rule shall not stop a plan: by whom, in which role, why, and who else answers for it.

    Without ``power_system_resource`` it is meant wherever the rule speaks.
    """

    reason: str
    role: str | None = None
    rule: str
    approver: ObjectReference | None = field(name="Approver", default=None)
    author: ObjectReference | None = field(name="Author", default=None)
    power_system_resource: ObjectReference | None = field(name="PowerSystemResource", default=None)


class SwitchingPlan(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One plan, whole; ``outage`` is the outage that it ends or makes, ``purpose`` one line for the operator.

    Without ``issuer`` no person answers for it: its author is a role, which wants it executed by itself.
    """

    mrid: str
    approved_date_time: Instant | None = None
    cancelled_date_time: Instant | None = None
    comment: str | None = None
    created_date_time: Instant | None = None
    description: str | None = None
    last_modified_date_time: Instant | None = None
    purpose: str | None = None
    rank: int | None = None
    revision_number: int | None = None
    approver: ObjectReference | None = field(name="Approver", default=None)
    author: ObjectReference | None = field(name="Author", default=None)
    checker: ObjectReference | None = field(name="Checker", default=None)
    issuer: ObjectReference | None = field(name="Issuer", default=None)
    names: tuple[Name, ...] = field(name="Names", default=())
    outage: ObjectReference | None = field(name="Outage", default=None)
    planned_period: DateTimeInterval | None = None
    rule_override: tuple[RuleOverride, ...] = field(name="RuleOverride", default=())
    safety_documents: tuple[ObjectReference, ...] = field(name="SafetyDocuments", default=())
    status: Status | None = None
    switching_step_groups: tuple[SwitchingStepGroup, ...] = field(name="SwitchingStepGroups", default=())
    work_tasks: tuple[ObjectReference, ...] = field(name="WorkTasks", default=())


class SwitchingPlans(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile."""

    switching_plan: tuple[SwitchingPlan, ...] = field(name="SwitchingPlan", default=())


class SwitchingPlanState(StrEnum):
    """Where a plan is in its life: the values of ``SwitchingPlan.status`` (ours)."""

    DRAFT = "DRAFT"
    CHECKED = "CHECKED"
    APPROVED = "APPROVED"
    ISSUED = "ISSUED"
    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"
    ABORTED = "ABORTED"


class SwitchingStepState(StrEnum):
    """Where a step is in its life: the values of ``SwitchingStep.status`` (ours).

    PENDING: it was instructed, and nobody knows what became of it; it stays so until the field or a person says.
    """

    ABORTED = "ABORTED"
    COMPLETED = "COMPLETED"
    DELETED = "DELETED"
    FAILED = "FAILED"
    INSTRUCTED = "INSTRUCTED"
    PENDING = "PENDING"
    PREVIOUSLY_COMPLETED = "PREVIOUSLY_COMPLETED"
