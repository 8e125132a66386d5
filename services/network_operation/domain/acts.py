"""What a step does, freed from the noun in which it is written."""

from enum import StrEnum

from msgspec import Struct

from contracts.errors import Invalid
from contracts.nouns.operational_tags import OperationalTag, OperationalTagType
from contracts.nouns.switching_plans import (
    ClearanceAction,
    ClearanceActionKind,
    CutAction,
    EnergySourceAction,
    GenericAction,
    GroundAction,
    JumperAction,
    SwitchAction,
    SwitchActionKind,
    SwitchingAction,
    TagAction,
    TagActionKind,
    TempEquipActionKind,
    VerificationAction,
)
from contracts.types import ObjectReference
from services.network_operation.domain.grid import Grid
from services.network_operation.domain.phases import Phases
from services.network_operation.domain.temporary import Temporary, cut, ground, jumper

TESTED_DEAD = "tested dead"
"""The condition of a VerificationAction by which a crew records that it has tested a section and found it dead."""


class ActKind(StrEnum):
    """What is done."""

    CLOSE = "close"
    DISABLE_RECLOSING = "disable reclosing"
    ENABLE_RECLOSING = "enable reclosing"
    ISSUE_CLEARANCE = "issue a clearance"
    OPEN = "open"
    OTHER = "something else"
    PLACE = "place"
    PLACE_TAG = "place a tag"
    PREPARE_CLEARANCE = "prepare a clearance"
    RELEASE_CLEARANCE = "release a clearance"
    REMOVE = "remove"
    REMOVE_TAG = "remove a tag"
    TEST = "test dead"
    VERIFY = "verify"
    VERIFY_TAG = "verify a tag"


SWITCHING = frozenset({ActKind.OPEN, ActKind.CLOSE, ActKind.ENABLE_RECLOSING, ActKind.DISABLE_RECLOSING})
"""What is done with a switch of the model."""

TAGGING = frozenset({ActKind.PLACE_TAG, ActKind.VERIFY_TAG, ActKind.REMOVE_TAG})
"""What is done with tags."""

PAPERWORK = TAGGING | {ActKind.PREPARE_CLEARANCE, ActKind.ISSUE_CLEARANCE, ActKind.RELEASE_CLEARANCE}
"""What network operation does by itself unless a crew is named."""


class Act(Struct, frozen=True, kw_only=True):
    """One thing that is done to ``device``: a switch, a temporary object, a clearance, or what is tagged or tested."""

    kind: ActKind
    device: str
    phases: Phases | None = None
    tag: OperationalTag | None = None
    temporary: Temporary | None = None


_SWITCH_ACTS = {
    SwitchActionKind.OPEN: ActKind.OPEN,
    SwitchActionKind.CLOSE: ActKind.CLOSE,
    SwitchActionKind.ENABLE_RECLOSING: ActKind.ENABLE_RECLOSING,
    SwitchActionKind.DISABLE_RECLOSING: ActKind.DISABLE_RECLOSING,
}
_TAG_ACTS = {
    TagActionKind.PLACE: ActKind.PLACE_TAG,
    TagActionKind.REMOVE: ActKind.REMOVE_TAG,
    TagActionKind.VERIFY: ActKind.VERIFY_TAG,
}
_CLEARANCE_ACTS = {
    ClearanceActionKind.ISSUE: ActKind.ISSUE_CLEARANCE,
    ClearanceActionKind.RELEASE: ActKind.RELEASE_CLEARANCE,
    ClearanceActionKind.UPDATE: ActKind.PREPARE_CLEARANCE,
}


def act_of(action: SwitchingAction, name: str, plan: str, grid: Grid) -> Act:
    """What an action of a plan does; what it places has the mRID that it gives, or else ``name``.

    Raises:
        Invalid: it does not say it, or it is about something that is not in the model.
    """
    match action:
        case SwitchAction():
            return switch_act(action.kind, action.operated_switch, grid)
        case TagAction():
            return _tag_act(action, name, grid)
        case ClearanceAction():
            return Act(kind=_CLEARANCE_ACTS[action.kind], device=_mrid(action.clearance, "which clearance"))
        case GroundAction() | JumperAction() | CutAction():
            return _temporary_act(action, name, plan, grid)
        case VerificationAction():
            return _verification(action, grid)
        case GenericAction():
            return Act(kind=ActKind.OTHER, device="")
        case EnergySourceAction():
            raise Invalid("temporary sources are not carried out")


def switch_act(kind: SwitchActionKind, switch: ObjectReference, grid: Grid, phases: Phases | None = None) -> Act:
    """What is done with a switch.

    Raises:
        Invalid: it is no switch of the model.
    """
    known = grid.get(switch.mrid or "")
    if known is None or known.open is None:
        raise Invalid(f"'{switch.mrid}' is no switch of the model", object_id=switch.mrid)
    return Act(kind=_SWITCH_ACTS[kind], device=known.mrid, phases=phases)


def _tag_act(action: TagAction, name: str, grid: Grid) -> Act:
    said = action.operational_tag
    if said is None:
        raise Invalid("the action does not say which tag")
    device = _mrid(said.power_system_resource, "what the tag hangs on")
    if not is_taggable(device, grid):
        raise Invalid(f"'{device}' is neither equipment nor a feeder of the model", object_id=device)
    tag = OperationalTag(
        mrid=said.mrid or name,
        comment=said.comment,
        type=said.type or OperationalTagType.DO_NOT_OPERATE,
        author=action.crew[0] if action.crew else None,
        power_system_resource=ObjectReference(mrid=device),
        tag_action=None if action.mrid is None else ObjectReference(mrid=action.mrid),
    )
    return Act(kind=_TAG_ACTS[action.kind], device=device, tag=tag)


def is_taggable(device: str, grid: Grid) -> bool:
    """True for equipment and for feeders."""
    return grid.get(device) is not None or device in grid.state.structure.feeders


def _temporary_act(action: GroundAction | JumperAction | CutAction, name: str, plan: str, grid: Grid) -> Act:
    match action:
        case GroundAction():
            reference = action.ground
        case JumperAction():
            reference = action.jumper
        case CutAction():
            reference = action.cut
    if action.kind is TempEquipActionKind.REMOVE:
        return Act(kind=ActKind.REMOVE, device=_mrid(reference, "which one is removed"))
    mrid = name if reference is None or reference.mrid is None else reference.mrid
    match action:
        case GroundAction():
            temporary = ground(action, mrid, plan, grid)
        case JumperAction():
            temporary = jumper(action, mrid, plan, grid)
        case CutAction():
            temporary = cut(action, mrid, plan, grid)
    return Act(kind=ActKind.PLACE, device=mrid, temporary=temporary)


def _verification(action: VerificationAction, grid: Grid) -> Act:
    device = "" if action.power_system_resource is None else action.power_system_resource.mrid or ""
    if device and grid.get(device) is None and not grid.is_node(device):
        raise Invalid(f"'{device}' is neither equipment nor a node of the model", object_id=device)
    if (action.verification_condition or "").strip().lower() != TESTED_DEAD:
        return Act(kind=ActKind.VERIFY, device=device)
    if tested_node(device, grid) is None:
        raise Invalid("what is tested dead is a node or a line: anything else has two sides", object_id=device or None)
    return Act(kind=ActKind.TEST, device=device)


def tested_node(device: str, grid: Grid) -> str | None:
    """The node at which ``device`` is tested: itself, or the first end of equipment that has one side only."""
    if grid.is_node(device):
        return device
    known = grid.get(device)
    if known is None or (known.node2 is not None and known.open is not None):
        return None
    return known.node1


def _mrid(reference: ObjectReference | None, what: str) -> str:
    if reference is None or reference.mrid is None:
        raise Invalid(f"the action does not say {what}")
    return reference.mrid
