"""What an order comes to by what is decided and reported, in whatever order that becomes known."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from msgspec.structs import replace

from contracts.errors import Conflict, Invalid
from contracts.nouns import maintenance_orders as orders
from contracts.nouns import work_requests as requests
from contracts.nouns.maintenance_orders import MaintenanceOrder
from contracts.nouns.work_requests import WorkRequest
from contracts.nouns.work_types import ActivityRecord, WorkKind, WorkStatusKind, WorkTaskKind
from contracts.types import Name, NameType
from services.work_management.domain.closing import follow_up, is_left_undone, missing
from services.work_management.domain.life import Fact, play
from services.work_management.domain.orders import Order, accept, allows, decided, with_facts
from services.work_management.domain.reports import amended, heard
from services.work_management.domain.states import BY_CREW, FINAL, REPORTED, TABLE, TOLD, Event, State, whole

K, S, E = WorkStatusKind, State, Event
T0 = datetime(2026, 3, 14, 10, 0, tzinfo=UTC)
OUTAGE = Name(name="outage", name_type=NameType(name="UnplannedOutage"))
LONG_AFTER = T0 + timedelta(days=1)


def at(minutes: float) -> datetime:
    return T0 + timedelta(minutes=minutes)


def order(*tasks: str, status: WorkStatusKind | None = None) -> Order:
    made = tuple(requests.WorkTask(mrid=each, assets=(requests.Asset(mrid="F1"),)) for each in tasks or ("task",))
    work = requests.Work(mrid="work", kind=WorkKind.REPAIR, names=(OUTAGE,), status_kind=status, work_tasks=made)
    return accept(WorkRequest(mrid="request", work=(work,)), "order", [], T0)[1]


def sent(*tasks: str) -> Order:
    return decided(order(*tasks), E.DISPATCH, T0, crew="a")


def told(
    status: WorkStatusKind | None, minute: float, *records: ActivityRecord, task: str = "task", **content: object
) -> MaintenanceOrder:
    said = orders.WorkTask(mrid=task, status_kind=status, **content)  # type: ignore[arg-type]  # shorter
    work = orders.Work(mrid="work", last_modified_date_time=at(minute), activity_records=records, work_tasks=(said,))
    return MaintenanceOrder(mrid="order", work=(work,))


def record(kind: str, minute: float, reason: str | None = None) -> ActivityRecord:
    return ActivityRecord(created_date_time=at(minute), reason=reason, type=kind)


def test_an_order_keeps_the_identity_the_names_and_the_assets_of_what_was_asked_for() -> None:
    (work,) = order().noun.work
    assert (work.mrid, work.names[0], work.work_tasks[0].assets[0].mrid) == ("work", OUTAGE, "F1")
    assert work.status_kind is K.WAITING_TO_BE_SCHEDULED


def test_a_request_without_work_or_with_work_without_tasks_is_refused() -> None:
    with pytest.raises(Invalid, match="asks for no work"):
        accept(WorkRequest(mrid="empty"), "order", [], T0)
    with pytest.raises(Invalid, match="work 1 has no task"):
        accept(WorkRequest(mrid="idle", work=(requests.Work(),)), "order", ["work"], T0)


def test_an_order_with_a_done_and_a_cancelled_task_is_completed_and_with_two_cancelled_ones_cancelled() -> None:
    assert TOLD[whole([S.FIELD_COMPLETE, S.CANCELLED])] is K.COMPLETED
    assert TOLD[whole([S.CANCELLED, S.CANCELLED])] is K.CANCELLED
    assert TOLD[whole([S.FIELD_COMPLETE, S.DISPATCHED])] is K.IN_PROGRESS
    assert TOLD[whole([S.PLANNED, S.ENROUTE])] is K.ENROUTE


def test_start_complete_and_hold_that_arrive_in_the_wrong_order_come_to_the_right_one() -> None:
    """Scenario 7: start 10:00, hold 10:30, complete 11:00, which arrive as complete, start, hold."""
    one = sent()
    one = heard(one, told(K.COMPLETED, 60), LONG_AFTER)
    one = heard(one, told(K.IN_PROGRESS, 0), LONG_AFTER)
    one = heard(one, told(None, 60, record("hold", 30, "lunch")), LONG_AFTER)
    life = one.life("task")
    assert life.state is S.FIELD_COMPLETE
    assert [(each.event, each.at) for each in life.history[1:]] == [
        (E.START, at(0)),
        (E.PAUSE, at(30)),
        (E.COMPLETE, at(60)),
    ]
    assert life.labour == {"a": timedelta(minutes=30)}


def test_of_a_cancel_and_an_acceptance_at_one_instant_the_cancel_wins_whichever_comes_first() -> None:
    """Scenario 8."""
    accepted = Fact(event=E.ACCEPT, at=at(1), crew="a")
    first = with_facts(decided(sent(), E.CANCEL, at(1)), [accepted])
    then = decided(with_facts(sent(), [accepted]), E.CANCEL, at(1))
    assert first.state is then.state is S.CANCELLED
    assert first.lives()[0].crew is then.lives()[0].crew is None


def test_work_that_has_begun_is_not_cancelled_but_ends_as_not_done() -> None:
    begun = heard(sent(), told(K.ON_SITE, 10), at(10))
    recalled = decided(begun, E.CANCEL, at(20), reason="nobody wants it")
    assert (recalled.state, recalled.status) == (S.RECALLED, K.IN_PROGRESS)
    ended = heard(recalled, told(K.COMPLETED, 30), at(30))
    assert (ended.state, ended.life("task").outcome) == (S.FIELD_COMPLETE, "notDone")
    assert ended.life("task").labour == {"a": timedelta(minutes=20)}
    assert not is_left_undone(ended)


def test_a_report_that_it_was_done_before_it_was_cancelled_is_believed_however_late_it_comes() -> None:
    cancelled = decided(sent(), E.CANCEL, at(20))
    assert heard(cancelled, told(K.COMPLETED, 10), at(90)).state is S.FIELD_COMPLETE
    assert heard(cancelled, told(K.COMPLETED, 30), at(90)).state is S.CANCELLED


def test_the_hours_of_the_first_crew_stay_when_another_takes_over() -> None:
    begun = heard(sent(), told(K.IN_PROGRESS, 0), at(5))
    moved = decided(begun, E.DISPATCH, at(40), crew="b")
    ended = heard(moved, told(K.IN_PROGRESS, 50, crews=(orders.Crew(mrid="b"),)), at(50))
    ended = heard(ended, told(K.COMPLETED, 60, crews=(orders.Crew(mrid="b"),)), at(60))
    assert ended.life("task").labour == {"a": timedelta(minutes=40), "b": timedelta(minutes=10)}


def test_what_the_table_does_not_have_is_refused_with_the_present_state() -> None:
    with pytest.raises(Conflict, match="the order is planned, and 'close' does not apply") as refused:
        decided(order(), E.CLOSE, T0)
    assert refused.value.code == "5.2"
    with pytest.raises(Conflict, match="was not given to the crew 'z'"):
        heard(sent(), told(K.ON_SITE, 1, crews=(orders.Crew(mrid="z"),)), at(1))
    with pytest.raises(Invalid, match="'closed'"):
        heard(sent(), told(K.CLOSED, 5), at(5))
    with pytest.raises(Invalid, match="works of the order"):
        heard(sent(), MaintenanceOrder(mrid="order", work=(orders.Work(mrid="another"),)), at(5))


def test_an_order_that_needs_approval_waits_for_it_and_a_hold_for_its_release() -> None:
    waiting = order(status=K.WAITING_ON_APPROVAL)
    assert waiting.status is K.WAITING_ON_APPROVAL
    change = MaintenanceOrder(mrid="order", work=(orders.Work(mrid="work", status_kind=K.APPROVED),))
    approved = amended(waiting, change, at(1))
    assert approved.state is S.PLANNED
    hold = MaintenanceOrder(mrid="order", work=(orders.Work(mrid="work", activity_records=(record("hold", 2, "?"),)),))
    held = amended(approved, hold, at(2))
    assert (held.state, allows(held, E.DISPATCH)) == (S.ON_HOLD, False)
    assert decided(held, E.RELEASE, at(3)).state is S.PLANNED


def test_an_exchange_is_closed_only_when_it_says_what_went_out_and_what_came_in() -> None:
    done = heard(sent(), told(K.COMPLETED, 10, task_kind=WorkTaskKind.EXCHANGE), at(10))
    assert missing(done, []) == ["the task task does not say what went out and what came in"]
    said = told(
        K.COMPLETED,
        11,
        task_kind=WorkTaskKind.EXCHANGE,
        old_asset=orders.Asset(mrid="T1"),
        assets=(orders.Asset(mrid="T2"),),
    )
    whole_story = heard(done, said, at(12))
    assert missing(whole_story, []) == []
    (task,) = whole_story.tasks
    assert (task.old_asset and task.old_asset.mrid, task.assets[0].mrid) == ("T1", "T2")
    assert missing(whole_story, ["D"]) == ["the safety document D is not released"]


def test_what_is_done_in_part_is_followed_by_an_order_with_the_same_outage_and_rank() -> None:
    one = heard(sent("x", "y"), told(K.COMPLETED, 10, task="x"), at(10))
    one = heard(one, told(K.COMPLETED, 12, record("completion", 12, "partial"), task="y"), at(12))
    assert is_left_undone(one)
    rest = follow_up(one, "order 2", ["work 2", "y 2"], at(13))
    assert ([task.mrid for task in rest.tasks], rest.rank) == (["y 2"], one.rank)
    assert OUTAGE in rest.noun.work[0].names


reports = st.lists(
    st.builds(
        lambda status, minute, held: told(
            None if held else status,
            minute,
            *([record("hold", minute, "rain")] if held else [record("finding", minute, "weather")]),
            assets=(orders.Asset(mrid=f"F{minute}"),),
        ),
        st.sampled_from(sorted(REPORTED)),
        st.integers(0, 50),
        st.booleans(),
    ),
    max_size=7,
    unique_by=lambda report: report.work[0].last_modified_date_time,
)


@given(came=reports, data=st.data())
def test_the_same_reports_give_the_same_order_in_any_sequence(
    came: list[MaintenanceOrder], data: st.DataObject
) -> None:
    ends = []
    for sequence in (came, data.draw(st.permutations(came + came[:3]))):
        one = sent()
        for report in sequence:
            one = heard(one, report, LONG_AFTER)
        ends.append((one.noun, one.state))
    assert ends[0] == ends[1]


class Orders(RuleBasedStateMachine):
    """An order, moved by its desk and its crews; nothing that either says leads beside the table."""

    def __init__(self) -> None:
        super().__init__()
        self.one = order("x", "y")
        self.now = T0

    def _later(self) -> datetime:
        self.now += timedelta(minutes=7)
        return self.now

    @rule(event=st.sampled_from(sorted(set(Event) - BY_CREW)), crew=st.sampled_from("ab"))
    def decide(self, event: Event, crew: str) -> None:
        now, before = self._later(), self.one
        possible = any((life.state, event) in TABLE for life in before.lives())
        try:
            self.one = decided(before, event, now, crew=crew)
        except Conflict:
            assert not possible
        else:
            assert possible

    @rule(
        event=st.sampled_from(sorted(BY_CREW)),
        crew=st.sampled_from("ab"),
        task=st.sampled_from([None, "x", "y"]),
        late=st.integers(0, 60),
        twice=st.booleans(),
    )
    def report(self, event: Event, crew: str, task: str | None, late: int, *, twice: bool) -> None:
        if crew in {fact.crew for fact in self.one.facts if fact.event is E.DISPATCH}:
            fact = Fact(event=event, at=self._later() - timedelta(minutes=late), crew=crew, task=task)
            self.one = with_facts(with_facts(self.one, [fact]), [fact] * twice)

    @invariant()
    def every_path_is_one_of_the_table(self) -> None:
        for life in self.one.lives():
            state = self.one.begins
            for fact, (_, reached) in zip(life.history, life.path, strict=True):
                assert TABLE[state, fact.event] is reached
                state = reached
            assert state is life.state
            assert not any(before in FINAL for _, before in life.path[:-1])

    @invariant()
    def the_order_in_which_it_became_known_does_not_matter(self) -> None:
        again = replace(self.one, facts=tuple(reversed(self.one.facts)) + self.one.facts)
        assert [play(again.facts, task) for task in ("x", "y")] == self.one.lives()


TestOrders = Orders.TestCase
TestOrders.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
