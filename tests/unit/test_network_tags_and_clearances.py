"""Tags and clearances: who holds them, what they keep, and how they end."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec.structs import replace

from contracts.errors import Conflict, Denied, Invalid
from contracts.nouns.operational_tags import OperationalTag, OperationalTagState, OperationalTagType
from contracts.nouns.safety_documents import ClearanceDocument, ClearanceState, SafetyDocument, SafetyDocuments
from contracts.nouns.switching_plans import (
    ClearanceAction,
    ClearanceActionKind,
    SwitchingStep,
    TagAction,
    TagActionKind,
)
from contracts.nouns.switching_plans import OperationalTag as NamedTag
from contracts.types import ObjectReference, Status
from services.network_operation.domain import clearances, tags
from services.network_operation.domain.acts import Act, ActKind, act_of
from services.network_operation.domain.clearances import Clearance
from services.network_operation.domain.paperwork import filed
from services.network_operation.domain.people import Duty, Speaker
from services.network_operation.domain.rules import judged, standing
from services.network_operation.domain.rules.move import Move
from services.network_operation.domain.situation import Situation
from services.network_operation.domain.temporary import Temporary, TemporaryKind
from tests.fixtures.switching_yard import NOON, plan, tag, yard

TAG, S = OperationalTagType, ClearanceState
NOW = Status(date_time=NOON)
OLA = Speaker(name="ola", duty=Duty.OPERATOR)
SUE = Speaker(name="sue", duty=Duty.SUPERVISOR)
EVE, ADA = Speaker(name="eve", duty=Duty.CREW), Speaker(name="ada", duty=Duty.CREW)


def asked(state: ClearanceState, holder: str | None = None) -> ClearanceDocument:
    to = None if holder is None else ObjectReference(mrid=holder)
    return ClearanceDocument(mrid="clearance", issued_to_supervisor=to, status=Status(value=state))


def isolated() -> Situation:
    """The section of c and d isolated, tagged, tested dead and grounded."""
    situation = yard(opened="D1 F1", tags=(tag("D1"), tag("F1"), tag("Q1")))
    situation = situation.after(Act(kind=ActKind.TEST, device="c"))
    ground = Temporary(mrid="g1", kind=TemporaryKind.GROUND, node1="c", plan="p")
    return situation.after(Act(kind=ActKind.PLACE, device="g1", temporary=ground))


def draft(*boundary: str, **more: Any) -> Clearance:
    document = ClearanceDocument(
        mrid="clearance",
        tagged_psrs=tuple(ObjectReference(mrid=mrid) for mrid in boundary or ("D1", "F1", "Q1")),
        **more,
    )
    return clearances.drafted(document, yard().grid, NOW)


def moved(known: Clearance, to: ClearanceDocument, person: Speaker, situation: Situation) -> Clearance:
    return clearances.moved(known, to, person, situation.site, NOW)


def test_a_tag_belongs_to_its_author_or_to_who_hangs_it() -> None:
    grid = yard().grid
    named = tags.made(replace(tag("B1", holder="eve"), created_date_time=None), OLA, grid, NOW)
    assert (tags.holder_of(named), named.revision_number, tags.state(named)) == ("eve", 1, OperationalTagState.PLACED)
    own = tags.made(replace(tag("B1"), author=None, status=None), OLA, grid, NOW)
    assert (tags.holder_of(own), tags.state(own)) == ("ola", OperationalTagState.PLANNED)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (replace(tag("B1"), type="RED"), "'RED' is no type of a tag"),
        (tag("X"), "'X' is neither equipment nor a feeder"),
        (replace(tag("B1"), power_system_resource=None), "does not say what it hangs on"),
        (tag("B1", state=OperationalTagState.REMOVED), "planned or placed, not REMOVED"),
        (replace(tag("B1"), status=Status(value="LOST")), "'LOST' is no state of a tag"),
    ],
)
def test_a_tag_that_makes_no_sense_is_refused(wrong: OperationalTag, reason: str) -> None:
    with pytest.raises(Invalid, match=reason):
        tags.made(wrong, OLA, yard().grid, NOW)


def test_a_tag_is_placed_then_verified_then_removed_and_never_goes_back() -> None:
    known = tag("B1", holder="eve", state=OperationalTagState.PLANNED)
    for to in (OperationalTagState.PLACED, OperationalTagState.VERIFIED, OperationalTagState.REMOVED):
        known = tags.changed(known, replace(known, status=Status(value=to)), EVE, NOW)
    assert known.revision_number == 3
    with pytest.raises(Conflict, match="REMOVED cannot become PLACED"):
        tags.changed(known, replace(known, status=Status(value=OperationalTagState.PLACED)), EVE, NOW)


@pytest.mark.parametrize("person", [OLA, SUE, ADA, Speaker(name="console")])
def test_only_its_holder_takes_a_tag_away_or_hands_it_over(person: Speaker) -> None:
    known = tag("B1", holder="eve")
    gone = replace(known, status=Status(value=OperationalTagState.REMOVED))
    with pytest.raises(Denied, match="held by 'eve'"):
        tags.changed(known, gone, person, NOW)
    heir = replace(known, author=ObjectReference(mrid=person.name))
    with pytest.raises(Denied):
        tags.changed(known, heir, person, NOW)
    given = tags.changed(known, heir, EVE, NOW)
    assert tags.state(tags.changed(given, gone, person, NOW)) is OperationalTagState.REMOVED


def test_a_clearance_goes_from_a_draft_to_its_release_by_the_right_persons() -> None:
    site = isolated()
    known = draft()
    assert (clearances.state(known.document), known.zone, known.blocks) == (S.DRAFT, (), False)
    with pytest.raises(Denied, match="'eve' is a crew"):
        moved(known, asked(S.PREPARED), EVE, site)
    known = moved(known, asked(S.PREPARED), OLA, site)
    assert (known.zone, known.blocks) == (("c", "d"), False)
    with pytest.raises(Invalid, match="issued to a person"):
        moved(known, asked(S.ISSUED), OLA, site)
    known = moved(known, asked(S.ISSUED, "eve"), OLA, site)
    assert (known.holder, known.blocks, known.document.issued_date_time) == ("eve", True, NOON)
    for other in (OLA, SUE, ADA, Speaker(name="eve")):
        with pytest.raises(Denied, match="held by 'eve', who alone"):
            moved(known, asked(S.SURRENDERED), other, site)
    with pytest.raises(Conflict, match="ISSUED cannot become RELEASED"):
        moved(known, asked(S.RELEASED), SUE, site)
    known = moved(known, asked(S.SURRENDERED), EVE, site)
    assert not known.blocks
    known = moved(known, asked(S.RELEASED), OLA, site)
    assert (known.document.released_by_supervisor, clearances.is_over(known)) == (ObjectReference(mrid="ola"), True)
    assert known.document.revision_number == 5
    assert clearances.state(moved(known, asked(S.CANCELLED), OLA, site).document) is S.CANCELLED


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda site: site.after(Act(kind=ActKind.CLOSE, device="F1")), "F1 is not open on all phases"),
        (lambda site: replace(site, tags=site.tags[1:]), "D1 has no tag that keeps it open"),
        (lambda site: replace(site, proofs=()), "was not tested dead"),
        (lambda site: site.after(Act(kind=ActKind.REMOVE, device="g1")), "is not grounded"),
    ],
)
def test_a_clearance_is_issued_only_while_all_is_as_it_was_prepared(spoil: object, reason: str) -> None:
    assert callable(spoil)
    known = moved(draft(), asked(S.PREPARED), OLA, isolated())
    with pytest.raises(Conflict, match=reason):
        moved(known, asked(S.ISSUED, "eve"), OLA, spoil(isolated()))


def test_a_boundary_encloses_what_it_is_about() -> None:
    with pytest.raises(Conflict, match="the boundary leaves out Q1"):
        moved(draft("D1", "F1"), asked(S.PREPARED), OLA, isolated())
    with pytest.raises(Conflict, match=r"B1 is not open on all phases; .*encloses no dead section"):
        moved(draft("B1"), asked(S.PREPARED), OLA, isolated())
    with pytest.raises(Invalid, match="names the devices of its boundary"):
        clearances.drafted(ClearanceDocument(mrid="c"), yard().grid, NOW)
    with pytest.raises(Invalid, match="'X' is not in the model"):
        clearances.drafted(ClearanceDocument(mrid="c", tagged_psrs=(ObjectReference(mrid="X"),)), yard().grid, NOW)
    with pytest.raises(Invalid, match="no other documents"):
        clearances.only_clearances(SafetyDocuments(safety_document=(SafetyDocument(mrid="s"),)))


def test_without_the_need_of_a_ground_none_is_asked_for() -> None:
    bare = isolated().after(Act(kind=ActKind.REMOVE, device="g1"))
    known = moved(draft(must_be_grounded=False), asked(S.PREPARED), OLA, bare)
    assert known.zone == ("c", "d")


def test_a_clearance_is_suspended_and_handed_over_by_its_holder_alone() -> None:
    site = isolated()
    known = moved(moved(draft(), asked(S.PREPARED), OLA, site), asked(S.ISSUED, "eve"), OLA, site)
    with pytest.raises(Denied):
        moved(known, asked(S.ISSUED, "ada"), SUE, site)
    with pytest.raises(Conflict, match="issued to 'eve' already"):
        moved(known, asked(S.ISSUED, "eve"), EVE, site)
    assert moved(known, asked(S.ISSUED, "ada"), EVE, site).holder == "ada"
    pause = moved(known, asked(S.SUSPENDED), EVE, site)
    assert not pause.blocks
    with pytest.raises(Conflict, match="suspended by 'eve'"):
        moved(pause, asked(S.ISSUED, "ada"), OLA, site)
    with pytest.raises(Conflict, match="not tested dead"):
        moved(pause, asked(S.ISSUED), OLA, replace(site, proofs=()))
    assert moved(pause, asked(S.ISSUED), OLA, site).blocks
    assert clearances.state(moved(pause, asked(S.SURRENDERED), EVE, site).document) is S.SURRENDERED


def test_a_plan_hangs_and_removes_its_own_tags_and_never_those_of_others() -> None:
    def step(kind: TagActionKind, mrid: str) -> TagAction:
        named = NamedTag(mrid=mrid, type=TAG.HOLD_OPEN, power_system_resource=ObjectReference(mrid="D1"))
        return TagAction(kind=kind, operational_tag=named)

    theirs = tag("D1", holder="eve")
    own = plan(
        SwitchingStep(sequence_number=1, tag_action=step(TagActionKind.PLACE, "t1")), issuer=ObjectReference(mrid="ola")
    )
    situation = yard(opened="D1", tags=(theirs,))
    hung = filed(act_of(step(TagActionKind.PLACE, "t1"), "n", "plan", situation.grid), own, situation, NOW).tag
    assert hung is not None
    assert (tags.holder_of(hung), tags.state(hung), tags.device_of(hung)) == ("ola", OperationalTagState.PLACED, "D1")
    both = replace(situation, tags=(theirs, hung))
    gone = filed(act_of(step(TagActionKind.REMOVE, "t1"), "n", "plan", situation.grid), own, both, NOW)
    assert gone.tag is not None
    assert tags.state(gone.tag) is OperationalTagState.REMOVED
    kept = filed(act_of(step(TagActionKind.REMOVE, theirs.mrid), "n", "plan", situation.grid), own, both, NOW)
    assert (kept.tag, kept.refusal) == (None, "the tag is held by 'eve', and 'ola' cannot take it away")


def test_a_plan_issues_a_clearance_for_a_person_and_does_not_release_what_is_not_surrendered() -> None:
    site = isolated()
    ready = moved(draft(issued_to_supervisor=ObjectReference(mrid="eve")), asked(S.PREPARED), OLA, site)
    site = replace(site, clearances=(ready,))

    def step(kind: ClearanceActionKind) -> Act:
        return act_of(ClearanceAction(kind=kind, clearance=ObjectReference(mrid="clearance")), "n", "plan", site.grid)

    of_ola, of_fm = plan(issuer=ObjectReference(mrid="ola")), plan(author=ObjectReference(mrid="fault-management"))
    given = filed(step(ClearanceActionKind.ISSUE), of_ola, site, NOW).clearance
    assert given is not None
    assert (given.holder, given.blocks) == ("eve", True)
    assert filed(step(ClearanceActionKind.ISSUE), of_fm, site, NOW).refusal is not None
    held = replace(site, clearances=(given,))
    refused = filed(step(ClearanceActionKind.RELEASE), of_ola, held, NOW)
    assert refused.refusal == "a clearance that is ISSUED cannot become RELEASED"


class Holders(RuleBasedStateMachine):
    """Persons hang and take tags, and work under clearances, on one device and the section behind it.

    The model is nothing but counts: who holds which kind of tag, and who works under which clearance.
    """

    people = st.sampled_from([EVE, ADA, OLA, SUE])

    @initialize()
    def begin(self) -> None:
        self.situation = isolated()
        self.held: list[tuple[str, OperationalTagType, OperationalTag]] = []
        self.working: dict[str, str] = {}
        self.now = NOON

    def status(self) -> Status:
        self.now += timedelta(minutes=1)
        return Status(date_time=self.now)

    @rule(person=people, kind=st.sampled_from(sorted(TAG)))
    def hang(self, person: Speaker, kind: OperationalTagType) -> None:
        asked_for = replace(tag("D1", kind, person.name), mrid=f"{len(self.held)} {self.now}")
        new = tags.made(asked_for, person, self.situation.grid, self.status())
        assert not judged(Move(act=Act(kind=ActKind.PLACE_TAG, device="D1", tag=new), before=self.situation))
        self.situation = replace(self.situation, tags=(*self.situation.tags, new))
        self.held.append((person.name, kind, new))

    @precondition(lambda self: self.held)
    @rule(person=people, data=st.data())
    def take_away(self, person: Speaker, data: st.DataObject) -> None:
        holder, kind, known = data.draw(st.sampled_from(self.held))
        try:
            gone = tags.changed(
                known, replace(known, status=Status(value=OperationalTagState.REMOVED)), person, self.status()
            )
        except Denied:
            assert person.name != holder
            return
        assert person.name == holder
        assert tags.state(gone) is OperationalTagState.REMOVED
        self.held.remove((holder, kind, known))
        left = tuple(each for each in self.situation.tags if each.mrid != known.mrid)
        self.situation = replace(self.situation, tags=left)

    @rule(holder=st.sampled_from([EVE, ADA]), issuer=people)
    def issue(self, holder: Speaker, issuer: Speaker) -> None:
        mrid = f"clearance {holder.name}"
        if mrid in self.working:
            return
        try:
            known = replace(draft(), document=replace(draft().document, mrid=mrid))
            known = moved(known, asked(S.PREPARED), issuer, self.situation)
            known = moved(known, asked(S.ISSUED, holder.name), issuer, self.situation)
        except Denied:
            assert not issuer.may_switch
            return
        others = tuple(each for each in self.situation.clearances if each.mrid != mrid)
        self.situation = replace(self.situation, clearances=(*others, known))
        self.working[mrid] = holder.name

    @precondition(lambda self: self.working)
    @rule(person=people, data=st.data())
    def surrender(self, person: Speaker, data: st.DataObject) -> None:
        mrid = data.draw(st.sampled_from(sorted(self.working)))
        known = next(each for each in self.situation.clearances if each.mrid == mrid)
        try:
            back = moved(known, asked(S.SURRENDERED), person, self.situation)
        except Denied:
            assert person.name != self.working[mrid]
            return
        assert person.name == self.working.pop(mrid)
        others = tuple(each for each in self.situation.clearances if each.mrid != mrid)
        self.situation = replace(self.situation, clearances=(*others, back))

    @invariant()
    def the_device_is_free_when_the_last_holder_has_let_go(self) -> None:
        free_of_tags = replace(
            self.situation, tags=tuple(each for each in self.situation.tags if each.mrid != "HOLD_OPEN D1 amy")
        )
        held_open = {kind for _, kind, _ in self.held} & {TAG.DO_NOT_OPERATE, TAG.HOLD_OPEN, TAG.GROUND_PLACED}
        found = judged(Move(act=Act(kind=ActKind.CLOSE, device="D1"), before=free_of_tags, by_person=True))
        refusing = {each.rule for each in standing(found, (), by_person=True)}
        assert ("R1" in refusing) == bool(held_open)
        assert ("R9" in refusing) == bool(self.working)


TestHolders = Holders.TestCase
TestHolders.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)


def test_errors_of_paperwork_are_reasons_and_no_exceptions() -> None:
    unknown = act_of(
        ClearanceAction(kind=ClearanceActionKind.ISSUE, clearance=ObjectReference(mrid="x")), "n", "plan", yard().grid
    )
    assert filed(unknown, plan(), yard(), NOW).refusal == "there is no clearance 'x'"
