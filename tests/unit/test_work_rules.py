"""Who gets which order, and what late reports come to."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import Invalid
from contracts.nouns import maintenance_orders as orders
from contracts.nouns import work_requests as requests
from contracts.nouns.maintenance_orders import MaintenanceOrder
from contracts.nouns.work_requests import WorkRequest
from contracts.nouns.work_types import ActivityRecord, Priority, WorkKind, WorkStatusKind
from contracts.types import Name, NameType
from services.work_management.domain import (
    FORWARD,
    REPORTED,
    Crew,
    Order,
    accept,
    assign,
    cancelled,
    choose,
    closed,
    refused,
    reported,
    taken,
)

K = WorkStatusKind
T0 = datetime(2026, 3, 14, 18, 0, tzinfo=UTC)
OUTAGE = Name(name="outage", name_type=NameType(name="UnplannedOutage"))


def crew(mrid: str, *skills: str, available: bool = True, capacity: int = 1) -> Crew:
    return Crew(mrid=mrid, name=mrid, skills=frozenset(skills), available=available, capacity=capacity)


def request(mrid: str = "request", rank: int | None = None, device: str = "F1") -> WorkRequest:
    task = requests.WorkTask(mrid="task", assets=(requests.Asset(mrid=device),))
    priority = None if rank is None else Priority(rank=rank)
    work = requests.Work(kind=WorkKind.REPAIR, names=(OUTAGE,), priority=priority, work_tasks=(task,))
    return WorkRequest(mrid=mrid, work=(work,))


def order(mrid: str = "order", rank: int | None = None, at: datetime = T0) -> Order:
    return accept(request(rank=rank), mrid, ["work"], at)[1]


def sent(mrid: str = "order") -> Order:
    (one,) = assign([order(mrid)], [crew("a", "line")], {}, T0)
    return one


def told(status: WorkStatusKind | None, minute: int, *records: ActivityRecord, device: str = "F1") -> MaintenanceOrder:
    task = orders.WorkTask(mrid="task", assets=(orders.Asset(mrid=device),))
    work = orders.Work(
        mrid="work",
        status_kind=status,
        last_modified_date_time=T0 + timedelta(minutes=minute),
        activity_records=records,
        work_tasks=(task,),
    )
    return MaintenanceOrder(mrid="order", work=(work,))


def finding(minute: int, cause: str) -> ActivityRecord:
    return ActivityRecord(created_date_time=T0 + timedelta(minutes=minute), reason=cause, type="finding")


def test_an_order_keeps_the_identity_the_names_and_the_assets_of_what_was_asked_for() -> None:
    accepted, made = accept(request(), "order", ["work"], T0)
    assert (accepted.work[0].mrid, accepted.work[0].status_kind) == ("work", K.APPROVED)
    (work,) = made.noun.work
    assert (work.mrid, work.names[0], work.work_tasks[0].assets[0].mrid) == ("work", OUTAGE, "F1")
    assert (made.mrid, made.status, made.request) == ("order", K.WAITING_TO_BE_SCHEDULED, "request")


def test_a_request_without_work_or_with_work_without_tasks_is_refused() -> None:
    with pytest.raises(Invalid, match="asks for no work"):
        accept(WorkRequest(mrid="empty"), "order", [], T0)
    with pytest.raises(Invalid, match="work 1 has no task"):
        accept(WorkRequest(mrid="idle", work=(requests.Work(),)), "order", ["work"], T0)


def test_the_crew_is_able_available_and_free_and_has_the_shortest_queue() -> None:
    crews = [
        crew("a", "service"),
        crew("b", "line", available=False),
        crew("c", "line", capacity=3),
        crew("d", "line", capacity=3),
        crew("e", "line", capacity=3),
        crew("f", "line"),
    ]
    chosen = choose(crews, order(), {"c": 2, "d": 1, "e": 1, "f": 1})
    assert chosen is not None
    assert chosen.mrid == "d"


def test_the_most_urgent_order_is_sent_first_and_the_rest_waits_for_a_free_crew() -> None:
    waiting = [
        order("plain"),
        order("late", rank=2, at=T0 + timedelta(1)),
        order("soon", rank=2),
        order("life", rank=1),
    ]
    given_out = assign(waiting, [crew("a", "line"), crew("b", "line")], {}, T0)
    assert [(each.mrid, each.crew, each.status) for each in given_out] == [
        ("life", "a", K.SCHEDULED),
        ("soon", "b", K.SCHEDULED),
    ]
    assert assign(waiting, [crew("a", "line")], {"a": 1}, T0) == []


def test_an_order_that_its_crew_refuses_goes_to_another_one() -> None:
    again = refused(sent(), T0)
    assert (again.status, again.crew, again.refused) == (K.WAITING_TO_BE_SCHEDULED, None, ("a",))
    assert assign([again], [crew("a", "line")], {}, T0) == []
    assert assign([again], [crew("a", "line"), crew("b", "line")], {}, T0)[0].crew == "b"


def test_the_answer_of_a_crew_that_comes_after_its_reports_changes_nothing() -> None:
    under_way = reported(sent(), told(K.ENROUTE, 5))
    assert taken(under_way, T0) == under_way
    assert refused(under_way, T0) == under_way
    assert taken(sent(), T0).status is K.DISPATCHED


def test_a_report_about_other_works_or_with_the_word_of_a_dispatcher_is_refused() -> None:
    with pytest.raises(Invalid, match="works of the order"):
        reported(sent(), MaintenanceOrder(mrid="order", work=(orders.Work(mrid="another"),)))
    with pytest.raises(Invalid, match="'closed'"):
        reported(sent(), told(K.CLOSED, 5))


def test_a_finding_that_arrives_after_the_end_is_kept_and_does_not_lead_back() -> None:
    done = closed(reported(sent(), told(K.COMPLETED, 60)), T0)
    late = reported(done, told(K.ON_SITE, 20, finding(20, "animal"), device="T11"))
    (work,) = late.noun.work
    assert (late.status, work.activity_records[0].reason, work.work_tasks[0].assets[0].mrid) == (
        K.CLOSED,
        "animal",
        "T11",
    )


reports = st.lists(
    st.builds(
        lambda status, minute, found: told(
            status, minute, *([finding(minute, "weather")] if found else []), device=f"F{minute}"
        ),
        st.sampled_from(sorted(REPORTED)),
        st.integers(0, 50),
        st.booleans(),
    ),
    max_size=8,
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
            after = reported(one, report)
            assert FORWARD.index(after.status) >= FORWARD.index(one.status)
            one = after
        ends.append(one)
    assert ends[0] == ends[1]


def test_a_cancelled_order_stays_cancelled_whatever_its_crew_reports_and_what_is_done_is_not_cancelled() -> None:
    recalled = cancelled(sent(), T0)
    assert recalled.status is K.CANCELLED
    assert reported(recalled, told(K.COMPLETED, 5)).status is K.CANCELLED
    done = closed(reported(sent(), told(K.COMPLETED, 5)), T0)
    assert cancelled(done, T0) is done
