"""Meters are asked whether they have power, and what follows from an answer, and from none."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from contracts.nouns.unplanned_outages import CrewStatusKind
from services.fault_management.domain import verification
from services.fault_management.domain.assessment import Report
from services.fault_management.domain.evidence import EvidenceKind, Outcome
from services.fault_management.domain.outage import S
from services.fault_management.domain.situation import Wish
from services.fault_management.domain.verification import DOUBT, SILENCE
from tests.fixtures.fault_desk import Desk, gasps, heard
from tests.fixtures.small_feeder import POINTS, T0, TRANSFORMERS, s, under

CALL = EvidenceKind.CALL
ANSWERED = Outcome.ANSWERED


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_caller_whose_meter_answers_has_his_trouble_inside_and_nobody_is_sent(desk: Desk) -> None:
    desk.hear(heard(CALL, "T11-1", at=10, source="ticket"), at=10)
    assert desk.asked() == ["T11-1"], "a customer waits, so his meter is asked at once"
    (outage,) = desk.end(ANSWERED, at=16)
    assert (outage.state, outage.points, outage.tickets) == (S.VERIFY, ("T11-1",), ("ticket",))
    (outage,) = desk.hear([], at=7200)
    assert (outage.state, desk.wishes) == (S.VERIFY, []), "it waits for somebody to call back"
    assert desk.hear(heard(EvidenceKind.RESTORED, "T11-1", at=7300, source="ticket"), at=7300) == []
    assert desk.outages[outage.mrid].state is S.DISMISSED


def test_a_meter_that_does_not_answer_says_nothing(desk: Desk) -> None:
    desk.hear(heard(CALL, "T11-1", at=10), at=10)
    (outage,) = desk.end(Outcome.SILENT, at=70)
    assert outage.state is S.SUSPECTED
    assert desk.asked() == [], "it is asked once"
    (outage,) = desk.hear([], at=1000)
    assert (outage.state, [wish for wish, _ in desk.wishes]) == (S.PREDICTED, [Wish.WORK])


def test_a_late_answer_recalls_the_crew_and_who_calls_again_may_get_another(desk: Desk) -> None:
    desk.hear(heard(CALL, "T11-1", at=10), at=10)
    desk.end(Outcome.SILENT, at=70)
    (asked,) = desk.hear([], at=1000)
    (outage,) = desk.hear(heard(EvidenceKind.ANSWERED, "T11-1", at=1010), at=1020)
    assert outage.state is S.VERIFY
    assert [wish for wish, _ in desk.wishes] == [Wish.WORK, Wish.RECALL]
    (outage,) = desk.hear(heard(CALL, "T11-1", at=1500), at=1500)
    assert desk.asked() == ["T11-1"], "what he says now is asked anew"
    (outage,) = desk.end(Outcome.SILENT, at=1560)
    assert (outage.mrid, outage.state) == (asked.mrid, S.PREDICTED)
    assert [wish for wish, _ in desk.wishes] == [Wish.WORK, Wish.RECALL, Wish.WORK]
    assert outage.work != asked.work


def test_a_crew_that_is_there_already_is_not_recalled_and_what_it_finds_counts(desk: Desk) -> None:
    desk.hear(heard(CALL, "T11-1", at=10), at=10)
    (outage,) = desk.hear([], at=1000)
    (outage,) = desk.report(outage, Report(crew=CrewStatusKind.ARRIVED), at=1900)
    (outage,) = desk.end(ANSWERED, at=1950)
    assert (outage.state, [wish for wish, _ in desk.wishes]) == (S.VERIFY, [Wish.WORK])
    (outage,) = desk.report(outage, Report(crew=CrewStatusKind.ARRIVED, cause="equipment"), at=2000)
    assert (outage.state, outage.points) == (S.CONFIRMED, ("T11-1",))


def test_a_single_last_gasp_is_asked_about_after_two_minutes_and_dismissed_by_an_answer(desk: Desk) -> None:
    desk.hear(gasps("T11-1", at=0), at=40)
    desk.hear([], at=159)
    assert desk.asked() == []
    (outage,) = desk.hear([], at=160)
    assert desk.asked() == ["T11-1"]
    assert desk.end(ANSWERED, at=166) == []
    assert (desk.outages[outage.mrid].state, desk.wishes) == (S.DISMISSED, [])


def test_a_gasp_with_a_call_is_never_dismissed_by_an_answer(desk: Desk) -> None:
    desk.hear(gasps("T11-1", at=0), at=40)
    (before,) = desk.hear(heard(CALL, "T11-1", at=60), at=60)
    assert desk.asked() == ["T11-1"]
    (outage,) = desk.end(ANSWERED, at=66)
    assert (outage.mrid, outage.state) == (before.mrid, S.VERIFY)


def test_who_called_with_power_speaks_for_no_outage_of_the_neighbours(desk: Desk) -> None:
    desk.hear(heard(CALL, "T11-1", at=10), at=10)
    (inside,) = desk.end(ANSWERED, at=16)
    desk.hear(heard(CALL, "T11-2", at=100), at=100)
    first, second = desk.hear([], at=200)
    assert (first.mrid, first.state) == (inside.mrid, S.VERIFY)
    assert (second.state, second.points) == (S.SUSPECTED, ("T11-2",))


def test_a_caller_whose_trouble_was_inside_belongs_to_the_outage_that_darkens_him_later(desk: Desk) -> None:
    desk.hear(heard(CALL, "T11-1", at=10), at=10)
    (inside,) = desk.end(ANSWERED, at=16)
    desk.hear(gasps("T11-1", "T11-2", "T11-3", at=300), at=340)
    (outage,) = desk.hear([], at=420)
    assert (outage.mrid, outage.state, outage.device) == (inside.mrid, S.PREDICTED, "T11")


@pytest.mark.parametrize("kind", [EvidenceKind.DISCONNECTED, EvidenceKind.REMOVED])
def test_meters_that_are_cut_off_on_purpose_are_not_asked(desk: Desk, kind: EvidenceKind) -> None:
    desk.hear(heard(kind, "T11-1", at=0), at=5)
    assert desk.hear(gasps("T11-1", at=2), at=300) == []
    desk.hear(heard(EvidenceKind.PARTIAL, "T12-1", at=310), at=310)
    assert desk.asked() == [], "and who misses only a part of the power has a meter that answers"


def restored(desk: Desk, *lit: str) -> str:
    """The whole feeder was out from 0 to 600 s; these meters have told that power is back."""
    desk.follow("B", at=0)
    (outage,) = desk.follow(at=600)
    desk.hear(heard(EvidenceKind.RESTORED, *lit, at=600), at=620)
    return outage.mrid


LIT = ["T12-1", "T21-1", "T31-1", "T32-1"]


def test_a_transformer_that_stays_dark_among_lit_ones_is_a_nested_outage_since_the_beginning(desk: Desk) -> None:
    parent = restored(desk, *LIT)
    desk.hear([], at=689)
    assert desk.asked() == []
    desk.hear([], at=690)
    assert desk.asked() == ["T11-1", "T11-2"], "two of those who are not heard, and nobody else"
    desk.end(Outcome.SILENT, at=750)
    desk.hear([], at=840)
    assert desk.asked() == ["T11-3", "T11-4"], "once more before anything is concluded"
    desk.end(Outcome.SILENT, at=900)
    _, nested = desk.hear([], at=905)
    assert nested.state is S.SUSPECTED
    (nested,) = desk.hear([], at=965)
    assert (nested.state, nested.device, nested.parent, nested.since) == (S.PREDICTED, "T11", parent, T0)
    assert list(nested.points) == [f"T11-{number}" for number in range(1, 7)]
    closed = desk.outages[parent]
    assert (closed.state, closed.unconfirmed, closed.unknown) == (S.CLOSED, False, ())
    assert closed.handed == nested.points
    assert {closed.restored[mrid] for mrid in nested.points} == {s(600)}, "counted once: until then by the parent"


def test_silence_is_unknown_where_nobody_close_by_is_heard(desk: Desk) -> None:
    parent = restored(desk, "T21-1", "T31-1", "T32-1")
    for at in (690, 840):
        desk.hear([], at=at)
        desk.end(Outcome.SILENT, at=at + 60)
    (outage,) = desk.hear([], at=600 + DOUBT.total_seconds())
    assert (outage.mrid, outage.state, list(outage.unknown)) == (parent, S.RESTORED, under("F1"))
    desk.hear(heard(EvidenceKind.RESTORED, *under("F1"), at=600), at=1001)
    assert desk.outages[parent].state is S.CLOSED, "the collector is back, and tells what it had not told"


def test_what_nobody_could_verify_is_closed_without_being_called_verified(desk: Desk) -> None:
    parent = restored(desk, "T21-1", "T31-1", "T32-1")
    assert desk.hear([], at=600 + SILENCE.total_seconds()) == []
    closed = desk.outages[parent]
    assert (closed.state, closed.unconfirmed, list(closed.unknown)) == (S.CLOSED, True, under("F1"))
    assert S.VERIFIED not in {each.state for each in desk.told}


@pytest.mark.parametrize("is_part", [True, False])
def test_neighbours_who_never_lost_their_power_can_tell_that_the_radio_lives(desk: Desk, *, is_part: bool) -> None:
    desk.hear(gasps(*(f"T11-{number}" for number in range(1, 7)), at=0), at=40)
    (outage,) = desk.hear([], at=110)
    assert outage.device == "T11"
    (outage,) = desk.report(outage, Report(crew=CrewStatusKind.FIELD_COMPLETE, repaired_at=s(900)), at=900)
    assert outage.state is S.RESTORED
    desk.hear([], at=990)
    assert desk.asked() == ["T11-1", "T11-2", "T12-1", "T12-2"]
    desk.end(ANSWERED, "T12-1", at=995)
    desk.end(Outcome.SILENT, at=1050)
    desk.hear([], at=1140)
    assert desk.asked() == ["T11-3", "T11-4"]
    desk.end(Outcome.SILENT, at=1200)
    (nested,) = desk.hear([], at=1265)
    assert (nested.state, nested.device, nested.parent) == (S.PREDICTED, "T11", outage.mrid)
    if not is_part:  # as where another outage came between
        nested = desk.outages[nested.mrid] = replace(nested, parent=None, taken_from=None, since=s(990))
    desk.report(nested, Report(crew=CrewStatusKind.FIELD_COMPLETE, repaired_at=s(4000)), at=4000)
    assert desk.outages[nested.mrid].state is S.DISMISSED, "it was the radio that was silent: nobody was in the dark"
    assert desk.hear([], at=4100) == []


def test_the_time_at_which_a_meter_answers_is_not_that_of_the_restoration(desk: Desk) -> None:
    desk.hear(gasps(*under("F2"), at=0), at=40)
    (outage,) = desk.hear([], at=110)
    desk.report(outage, Report(crew=CrewStatusKind.FIELD_COMPLETE, repaired_at=s(900)), at=900)
    desk.hear([], at=990)
    assert desk.end(ANSWERED, "T21-1", at=996) == []
    assert set(desk.outages[outage.mrid].restored.values()) == {s(900)}


def test_a_wave_of_questions_is_limited_and_begins_with_who_depends_on_the_supply(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "MOST", 3)
    restored(desk)
    desk.hear([], at=690)
    desk.hear([], at=691)
    assert desk.asked() == ["T11-1", "T31-1", "T31-2"]
    desk.hear([], at=840)
    assert desk.asked(at=840) == ["T12-1", "T12-2", "T21-1"], "then who was never asked"


def test_customers_who_are_disconnected_keep_no_restoration_open(desk: Desk) -> None:
    own = [mrid for mrid in POINTS if mrid.startswith("T11")]
    desk.hear(heard(EvidenceKind.DISCONNECTED, *own, at=-500), at=-490)
    parent = restored(desk, *LIT)
    assert desk.hear([], at=690) == []
    assert (desk.outages[parent].state, desk.outages[parent].unconfirmed, desk.asked()) == (S.CLOSED, False, [])


@settings(max_examples=60, deadline=None)
@given(data=st.data(), lit=st.sets(st.sampled_from(sorted(TRANSFORMERS))))
def test_answers_that_are_late_doubled_and_in_any_order_end_in_the_same(data: st.DataObject, lit: set[str]) -> None:
    ends = []
    for _ in range(2):
        desk = Desk()
        desk.follow("B", at=0)
        desk.follow(at=600)
        desk.hear([], at=690)
        desk.hear([], at=840)
        waiting = [*desk.asked()] * data.draw(st.integers(1, 2))
        for mrid in data.draw(st.permutations(waiting)):
            if mrid[:3] in lit:
                desk.hear(heard(EvidenceKind.ANSWERED, mrid, at=845), at=910)
                desk.end(ANSWERED, mrid, at=910)
            else:
                desk.end(Outcome.SILENT, mrid, at=910)
        desk.hear([], at=980)
        ends.append(sorted((o.state, o.device or "", o.points, o.since, o.unknown) for o in desk.look(980).open()))
    assert ends[0] == ends[1]
    dark = {device for state, device, *_ in ends[0] if state is S.PREDICTED}
    assert dark == {each for each in TRANSFORMERS if each not in lit and vouched(each, lit)}


def vouched(transformer: str, lit: set[str]) -> bool:
    """True when another transformer below the same fuse is lit."""
    return any(TRANSFORMERS[each] == TRANSFORMERS[transformer] for each in lit)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_an_answer_to_a_caller_ends_in_the_same_however_late_it_comes(data: st.DataObject) -> None:
    ends = []
    for _ in range(2):
        desk = Desk()
        desk.hear(heard(CALL, "T11-1", at=0), at=1)
        news = data.draw(st.permutations(["answer", "answer", "given up", "gasp elsewhere", "time"]))
        for each in news:
            if each == "answer":
                desk.hear(heard(EvidenceKind.ANSWERED, "T11-1", at=50), at=1000)
            if each == "given up":
                desk.end(Outcome.SILENT, at=1000)
            if each == "gasp elsewhere":
                desk.hear(gasps("T32-1", at=20), at=1000)
            if each == "time":
                desk.hear([], at=1000)
        ends.append(sorted((o.state, o.device or "", o.points, o.since) for o in desk.look(1000).open()))
        assert Wish.RECALL in dict(desk.wishes) or Wish.WORK not in {w for w, m in desk.wishes if m == "id-1"}
    assert ends[0] == ends[1]
    assert (S.VERIFY, "", ("T11-1",), T0) in ends[0]
