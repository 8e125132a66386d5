"""Whatever the field, the crews and network operation say, in any order: outages keep their promises."""

from collections import Counter
from contextlib import suppress

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from contracts.errors import Rejected
from contracts.nouns.switching_events import SwitchingEventType as T
from contracts.nouns.unplanned_outages import CrewStatusKind
from services.fault_management.domain.assessment import Report
from services.fault_management.domain.decisions import Decision
from services.fault_management.domain.evidence import EvidenceKind, Outcome
from services.fault_management.domain.outage import KNOWN_DARK, LOOSE, NEXT, Plan, PlanStatus, S
from services.fault_management.domain.situation import Wish
from tests.fixtures.fault_desk import Desk, heard, operation
from tests.fixtures.small_feeder import POINTS, s

DEVICES = ["B", "F1", "F2", "F3"]


class Outages(RuleBasedStateMachine):
    """One area, told anything."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk()
        self.at = 1000.0
        self.opened: set[str] = set()
        self.moved: set[tuple[str, float]] = set()

    @rule(
        kind=st.sampled_from(list(EvidenceKind)),
        points=st.sets(st.sampled_from(POINTS), min_size=1, max_size=8),
        age=st.integers(-20, 900),
    )
    def hear(self, kind: EvidenceKind, points: set[str], age: int) -> None:
        self.desk.hear(heard(kind, *sorted(points), at=self.at - age), at=self.at)

    @rule(device=st.sampled_from(DEVICES), kind=st.sampled_from(list(EvidenceKind)))
    def hear_all_below(self, device: str, kind: EvidenceKind) -> None:
        self.desk.hear(heard(kind, *sorted(self.desk.network.under(device)), at=self.at), at=self.at)

    @rule(seconds=st.sampled_from([1, 60, 90, 900, 1800, 7200]))
    def wait(self, seconds: int) -> None:
        self.at += seconds
        self.desk.hear([], at=self.at)

    @rule(device=st.sampled_from(DEVICES))
    def switch(self, device: str) -> None:
        """A switch is reported in its other position; none moves twice at one instant."""
        self.at += (device, self.at) in self.moved
        self.moved.add((device, self.at))
        self.opened ^= {device}
        self.desk.follow(*sorted(self.opened), at=self.at)

    @rule(
        device=st.sampled_from(DEVICES),
        kind=st.sampled_from(["open", "close", "lockout"]),
        how=st.sampled_from([T.TRIP, T.RECLOSE, T.COMMAND, T.MANUAL]),
        age=st.integers(0, 600),
    )
    def operate(self, device: str, kind: str, how: T, age: int) -> None:
        """An entry of the log of operations, told late or at once."""
        if (device, self.at - age) not in self.moved:
            self.moved.add((device, self.at - age))
            self.desk.operate(operation(device, kind, self.at - age, how), at=self.at)

    @precondition(lambda self: self.desk.look(0).open())
    @rule(
        data=st.data(),
        device=st.sampled_from([*DEVICES, "T11", "T21", None]),
        cause=st.sampled_from(["animal", None]),
        done=st.booleans(),
    )
    def report(self, data: st.DataObject, device: str | None, cause: str | None, done: bool) -> None:
        outage = data.draw(st.sampled_from(self.desk.look(0).open()))
        repaired_at = s(self.at) if done else None
        news = Report(crew=CrewStatusKind.ARRIVED, cause=cause, device=device, repaired_at=repaired_at)
        self.desk.report(outage, news, at=self.at)

    @precondition(lambda self: self.desk.look(0).open())
    @rule(
        data=st.data(),
        state=st.sampled_from([None, S.CONFIRMED, S.DISMISSED, S.CLOSED]),
        device=st.sampled_from([*DEVICES, None]),
        frozen=st.sampled_from([True, False, None]),
        hours=st.sampled_from([None, 1, 5]),
    )
    def decide(
        self, data: st.DataObject, state: S | None, device: str | None, *, frozen: bool | None, hours: int | None
    ) -> None:
        """An operator wants something; what may not be is refused and changes nothing."""
        outage = data.draw(st.sampled_from(self.desk.look(0).open()))
        asked = Decision(
            mrid=outage.mrid,
            by="ola",
            revision=outage.revision,
            state=state,
            reason="because",
            cause="animal",
            remedy="none",
            device=device if state is not None else None,
            frozen=frozen,
            expected=None if hours is None else s(self.at + hours * 3600),
        )
        with suppress(Rejected):
            self.desk.decide(outage, asked, at=self.at)

    @precondition(lambda self: self.plans())
    @rule(data=st.data(), trouble=st.sampled_from([None, "it was aborted"]))
    def end_plan(self, data: st.DataObject, trouble: str | None) -> None:
        mrid, plan = data.draw(st.sampled_from(self.plans()))
        self.desk.end_plan(self.desk.outages[mrid], plan.mrid, trouble, at=self.at)

    @precondition(lambda self: self.desk.asked())
    @rule(data=st.data(), outcome=st.sampled_from(list(Outcome)))
    def end_questions(self, data: st.DataObject, outcome: Outcome) -> None:
        points = data.draw(st.sets(st.sampled_from(self.desk.asked()), min_size=1))
        self.desk.end(outcome, *sorted(points), at=self.at)

    def plans(self) -> list[tuple[str, Plan]]:
        """The plans that are under way, with their outages."""
        return [
            (outage.mrid, plan)
            for outage in self.desk.look(0).open()
            for plan in (outage.opening, outage.closing)
            if plan is not None and plan.status is PlanStatus.ASKED
        ]

    @invariant()
    def nobody_is_dark_by_two_outages(self) -> None:
        dark = [
            mrid
            for outage in self.desk.look(0).open(KNOWN_DARK | LOOSE)
            for mrid in outage.points
            if mrid not in outage.restored
        ]
        assert [mrid for mrid, times in Counter(dark).items() if times > 1] == []

    @invariant()
    def every_value_is_told_once_and_in_order(self) -> None:
        told: dict[str, list[int]] = {}
        for outage in self.desk.told:
            told.setdefault(outage.mrid, []).append(outage.revision)
        assert all(revisions == list(range(1, len(revisions) + 1)) for revisions in told.values())

    @invariant()
    def states_follow_the_table(self) -> None:
        last: dict[str, S] = {}
        for outage in self.desk.told:
            before = last.get(outage.mrid, outage.state)
            assert outage.state is before or outage.state in NEXT[before]
            last[outage.mrid] = outage.state

    @invariant()
    def everything_is_asked_for_once_and_work_again_only_after_it_was_taken_back(self) -> None:
        times = Counter(self.desk.wishes)
        for wish, mrid in times:
            taken_back = times[Wish.RECALL, mrid] if wish in {Wish.WORK, Wish.RECALL} else 0
            assert times[wish, mrid] <= 1 + taken_back
            assert times[Wish.RECALL, mrid] <= times[Wish.WORK, mrid]

    @invariant()
    def only_who_was_called_about_has_his_trouble_inside(self) -> None:
        called = {each.usage_point for each in self.desk.evidence if each.kind is EvidenceKind.CALL}
        for outage in self.desk.look(self.at).open(frozenset({S.VERIFY})):
            assert len(outage.points) == 1
            assert called.issuperset(outage.points)
            assert not outage.work_asked or outage.recalled or outage.crew is CrewStatusKind.ARRIVED

    @invariant()
    def nothing_is_closed_that_nobody_repaired(self) -> None:
        asked = {mrid for wish, mrid in self.desk.wishes if wish is Wish.CLOSING}
        assert all(self.desk.outages[mrid].repaired_at is not None for mrid in asked)

    @invariant()
    def a_known_outage_has_somebody_and_ends_after_it_began(self) -> None:
        for outage in self.desk.outages.values():
            assert outage.points
            assert set(outage.restored) <= set(outage.points)
            if outage.state is S.CLOSED:
                assert outage.ended_at is not None


TestOutages = Outages.TestCase
TestOutages.settings = settings(max_examples=100, stateful_step_count=20, deadline=None)


def test_a_crew_and_a_meter_that_name_the_same_device_speak_of_one_outage() -> None:
    desk = Desk()
    desk.hear(heard(EvidenceKind.GASP, "T12-1", at=969) + heard(EvidenceKind.GASP, "T11-1", "T21-1", at=1000), at=1004)
    elsewhere = next(outage for outage in desk.outages.values() if outage.points == ("T21-1",))
    desk.report(elsewhere, Report(crew=CrewStatusKind.ARRIVED, cause="animal", device="F1"), at=1004)
    (known, other) = desk.hear([], at=1100)
    assert (known.state, known.device, known.since) == (S.CONFIRMED, "F1", s(969))
    assert other.points == ("T21-1",)


def test_a_fuse_that_turns_out_to_have_melted_first_takes_its_customers_out_of_the_outage_above() -> None:
    desk = Desk()
    (outage,) = desk.operate(operation("B", "open", 1000, T.TRIP), at=1000)
    desk.report(outage, Report(crew=CrewStatusKind.ARRIVED, cause="animal", device="B"), at=1001)
    fuse, above = desk.operate(operation("F1", "open", 999, T.TRIP), at=1002)
    assert (fuse.device, len(fuse.points), above.device, len(above.points)) == ("F1", 12, "B", 18)


def test_a_trip_that_is_told_after_the_crew_had_repaired_it_is_not_another_outage() -> None:
    desk = Desk()
    (suspicion,) = desk.hear(heard(EvidenceKind.GASP, "T11-1", at=1000), at=1000)
    done = Report(crew=CrewStatusKind.ARRIVED, cause="animal", device="B", repaired_at=s(1000))
    (restored,) = desk.report(suspicion, done, at=1000)
    (known,) = desk.operate(operation("B", "open", 999, T.TRIP), at=1001)
    assert (restored.state, known.state, known.mrid) == (S.RESTORED, S.CONFIRMED, restored.mrid)
