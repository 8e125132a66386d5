"""Tags and clearances as steps of plans: what becomes of them, or why not."""

from msgspec import Struct
from msgspec.structs import replace

from contracts.errors import BusbarError
from contracts.nouns.operational_tags import OperationalTag, OperationalTagState
from contracts.nouns.safety_documents import ClearanceState
from contracts.nouns.switching_plans import SwitchingPlan
from contracts.types import Status
from services.network_operation.domain import clearances, tags
from services.network_operation.domain.acts import Act, ActKind
from services.network_operation.domain.clearances import Clearance
from services.network_operation.domain.execution import placed_by
from services.network_operation.domain.people import Duty, Speaker
from services.network_operation.domain.situation import Situation

_TAG_STATES = {
    ActKind.PLACE_TAG: OperationalTagState.PLACED,
    ActKind.VERIFY_TAG: OperationalTagState.VERIFIED,
    ActKind.REMOVE_TAG: OperationalTagState.REMOVED,
}
_CLEARANCE_STATES = {
    ActKind.PREPARE_CLEARANCE: ClearanceState.PREPARED,
    ActKind.ISSUE_CLEARANCE: ClearanceState.ISSUED,
    ActKind.RELEASE_CLEARANCE: ClearanceState.RELEASED,
}


class Paper(Struct, frozen=True, kw_only=True):
    """A tag or a clearance after an act, or the reason why it stays as it is."""

    clearance: Clearance | None = None
    refusal: str | None = None
    tag: OperationalTag | None = None


def filed(act: Act, plan: SwitchingPlan, situation: Situation, now: Status) -> Paper:
    """What an act of a plan makes of its tag or its clearance. ``now`` has the time."""
    try:
        if act.tag is not None:
            return Paper(tag=_tag(act, act.tag, plan, situation, now))
        return Paper(clearance=_clearance(act, plan, situation, now))
    except BusbarError as refused:
        return Paper(refusal=refused.reason)


def answering(plan: SwitchingPlan) -> Speaker:
    """Who answers for a plan: the person who issued it, or the role that wants it."""
    if plan.issuer is not None and plan.issuer.mrid is not None:
        return Speaker(name=plan.issuer.mrid, duty=Duty.OPERATOR)
    return Speaker(name="" if plan.author is None else plan.author.mrid or "")


def _tag(act: Act, wanted: OperationalTag, plan: SwitchingPlan, situation: Situation, now: Status) -> OperationalTag:
    to = _TAG_STATES[act.kind]
    known = next((tag for tag in situation.tags if tag.mrid == wanted.mrid), None)
    person = answering(plan)
    if known is None:
        return tags.made(replace(wanted, status=Status(value=to)), person, situation.grid, now)
    if tags.holder_of(wanted) or known.mrid in placed_by(plan):
        person = Speaker(name=tags.holder_of(wanted) or tags.holder_of(known))
    return tags.changed(known, replace(known, status=Status(value=to)), person, now)


def _clearance(act: Act, plan: SwitchingPlan, situation: Situation, now: Status) -> Clearance:
    known = next((each for each in situation.clearances if each.mrid == act.device), None)
    if known is None:
        raise BusbarError(f"there is no clearance '{act.device}'")
    asked = replace(known.document, status=Status(value=_CLEARANCE_STATES[act.kind]))
    return clearances.moved(known, asked, answering(plan), situation.site, now)
