"""What comes in about an order: what its crew reports, and what the desk changes of its plan.

A crew's word for a status is a fact at ``lastModifiedDateTime`` of its work. What the profile has no word for is an
activity record of the type ``hold``, ``resume``, ``decline`` or ``completion`` (whose reason is ``done``, ``partial``
or ``notDone``), at the time of the record. All other records are kept as they are.
"""

from collections.abc import Iterator
from datetime import datetime

from msgspec.structs import replace

from contracts.errors import Conflict, Invalid
from contracts.nouns import maintenance_orders as orders
from contracts.nouns.maintenance_orders import MaintenanceOrder
from contracts.nouns.work_types import ActivityRecord, WorkStatusKind, WorkTimeSchedule, WorkTimeScheduleKind
from services.work_management.domain.life import Fact
from services.work_management.domain.orders import Order, Told, decided, interval_of, settled, with_facts
from services.work_management.domain.states import REPORTED, TOLD, Event, State

RECORDED = {"hold": Event.PAUSE, "resume": Event.RESUME, "decline": Event.DECLINE}
COMPLETION = "completion"
OUTCOMES = frozenset({"done", "partial", "notDone"})

_OWN = frozenset({*RECORDED, COMPLETION, *(event.value for event in Event)})
"""The types of records that are facts, or that the order makes from its facts."""


def heard(order: Order, report: MaintenanceOrder, now: datetime) -> Order:
    """An order with what a crew reports of it; what comes late is placed where it belongs, and twice is once.

    Raises:
        Invalid: when it is about other works or tasks, or says what only the desk can.
        Conflict: when the order was never given to that crew.
    """
    _refuse_strangers(order, report)
    planned = {task.mrid: task for task in order.tasks}
    facts: list[Fact] = []
    told: list[Told] = []
    records: list[tuple[str, ActivityRecord]] = []
    for work in report.work:
        at = min(_at(work, now), now)
        own = next(each for each in order.noun.work if each.mrid == work.mrid)
        crew = _crew_in(order, work)
        facts += _facts_in(work, own, crew, at, now)
        records += [(work.mrid or "", each) for each in work.activity_records if each.type not in _OWN]
        found = any(each.type == "finding" for each in work.activity_records)
        for task in work.work_tasks:
            done = REPORTED.get(_said(work, task) or WorkStatusKind.APPROVED) is Event.COMPLETE
            if done or found:
                told.append(Told(at=at, done=done, task=_content(task, planned[task.mrid])))
    new = [each for each in told if each not in order.told]
    known = {*order.records, *order_records(order)}
    order = replace(
        order,
        told=(*order.told, *new),
        records=(*order.records, *dict.fromkeys(each for each in records if each not in known)),
    )
    return settled(with_facts(order, facts))


def order_records(order: Order) -> Iterator[tuple[str, ActivityRecord]]:
    """The records with which the works of an order were planned."""
    return ((work.mrid or "", each) for work in order.planned.work for each in work.activity_records)


def _refuse_strangers(order: Order, report: MaintenanceOrder) -> None:
    works = {work.mrid: {task.mrid for task in work.work_tasks} for work in order.noun.work}
    if not report.work or any(work.mrid not in works for work in report.work):
        raise Invalid("the report must be about works of the order", object_id=order.mrid)
    for work in report.work:
        if any(task.mrid not in works[work.mrid] for task in work.work_tasks):
            raise Invalid("the report must be about tasks of the work", object_id=work.mrid)
        for status in (work.status_kind, *(task.status_kind for task in work.work_tasks)):
            if status is not None and status not in REPORTED:
                raise Invalid(f"a crew cannot make an order '{status.value}'", object_id=order.mrid)
        for record in work.activity_records:
            if record.type == COMPLETION and record.reason not in OUTCOMES:
                raise Invalid(f"an order cannot end as '{record.reason}'", object_id=order.mrid)


def _at(work: orders.Work, now: datetime) -> datetime:
    return work.last_modified_date_time or now


def _crew_in(order: Order, work: orders.Work) -> str:
    """Who reports: the crew that the report names, or else the one that has the order or had it last."""
    sent = [fact.crew for fact in order.facts if fact.event is Event.DISPATCH]
    last = order.crew or next(reversed(sent), None)
    said = next((crew.mrid for task in work.work_tasks for crew in task.crews if crew.mrid is not None), last)
    if said is None or said not in sent:
        raise Conflict(f"the order was not given to the crew '{said or ''}'", object_id=order.mrid)
    return said


def _said(work: orders.Work, task: orders.WorkTask) -> WorkStatusKind | None:
    """How far a task is: as far as it says itself, or the work does; who passes an order on changes often only one."""
    said = [each for each in (task.status_kind, work.status_kind) if each is not None]
    return max(said, key=list(REPORTED).index, default=None)


def _facts_in(work: orders.Work, own: orders.Work, crew: str, at: datetime, now: datetime) -> Iterator[Fact]:
    """What happened, by a report: to the tasks that it names, or to all of the work."""
    outcome = max((each for each in work.activity_records if each.type == COMPLETION), key=_when, default=None)
    named = {task.mrid: task for task in work.work_tasks}
    for task in own.work_tasks:
        told = named.get(task.mrid)
        status = work.status_kind if told is None else _said(work, told)
        if status is not None:
            event = REPORTED[status]
            reason = outcome.reason if event is Event.COMPLETE and outcome is not None else None
            yield Fact(event=event, at=at, crew=crew, task=task.mrid, reason=reason)
    for record in work.activity_records:
        if record.type in RECORDED and record not in own.activity_records:
            moment = min(record.created_date_time or at, now)
            for task in own.work_tasks:
                if not named or task.mrid in named:
                    yield Fact(event=RECORDED[record.type], at=moment, crew=crew, task=task.mrid, reason=record.reason)


def _when(record: ActivityRecord) -> float:
    return 0.0 if record.created_date_time is None else record.created_date_time.timestamp()


def _content(task: orders.WorkTask, planned: orders.WorkTask) -> orders.WorkTask:
    """What of a reported task is the crew's to say."""
    return orders.WorkTask(
        mrid=task.mrid,
        assets=task.assets,
        old_asset=task.old_asset,
        task_kind=None if task.task_kind is planned.task_kind else task.task_kind,
        material_items=task.material_items,
    )


def amended(order: Order, change: MaintenanceOrder, now: datetime) -> Order:
    """An order as the desk plans it now: what the change has replaces what was planned, its status is a decision.

    Approved ends the review, waitingToBeScheduled takes it from its crew or lets it go on; records of the type
    ``hold``, ``release`` and ``reject`` say why.

    Raises:
        Invalid: when it is about other works or tasks, or says what the desk cannot.
        Conflict: when the table does not allow it, or the order is over.
    """
    known = {work.mrid: work for work in order.planned.work}
    if not change.work or any(work.mrid not in known for work in change.work):
        raise Invalid("the change must be about works of the order", object_id=order.mrid)
    if order.state in {State.CLOSED, State.CANCELLED, State.REJECTED}:
        raise Conflict(f"the order is {order.state.value}", object_id=order.mrid)
    given = {work.mrid: work for work in change.work}
    works = tuple(_replanned(work, given[work.mrid]) if work.mrid in given else work for work in order.planned.work)
    order = settled(replace(order, planned=replace(order.planned, work=works)))
    for event, reason in _decisions(order, change):
        order = decided(order, event, now, reason=reason)
    return order


def _replanned(work: orders.Work, change: orders.Work) -> orders.Work:
    tasks = {task.mrid: task for task in work.work_tasks}
    strangers = [task for task in change.work_tasks if task.mrid not in tasks]
    if strangers:
        raise Invalid("there is no such task in the work", object_id=strangers[0].mrid)
    changed = {task.mrid: task for task in change.work_tasks}
    return replace(
        work,
        priority=change.priority or work.priority,
        work_location=change.work_location or work.work_location,
        names=tuple(dict.fromkeys((*work.names, *change.names))),
        time_schedules=_planned(change.time_schedules) or work.time_schedules,
        work_tasks=tuple(
            _replanned_task(task, changed[task.mrid]) if task.mrid in changed else task for task in work.work_tasks
        ),
    )


def _replanned_task(task: orders.WorkTask, change: orders.WorkTask) -> orders.WorkTask:
    return replace(
        task,
        assets=change.assets or task.assets,
        instruction=change.instruction or task.instruction,
        material_items=change.material_items or task.material_items,
        names=tuple(dict.fromkeys((*task.names, *change.names))),
        subject=change.subject or task.subject,
        task_kind=change.task_kind or task.task_kind,
        time_schedules=_planned(change.time_schedules) or task.time_schedules,
    )


def _planned(schedules: tuple[WorkTimeSchedule, ...]) -> tuple[WorkTimeSchedule, ...]:
    return tuple(each for each in schedules if each.kind is not WorkTimeScheduleKind.ACTUAL)


def _decisions(order: Order, change: MaintenanceOrder) -> Iterator[tuple[Event, str | None]]:
    """The decisions in a change; its status is one where it is another than the order is told with."""
    records = [each for work in change.work for each in work.activity_records]
    for kind in (Event.HOLD, Event.RELEASE, Event.REJECT):
        for record in records:
            if record.type == kind.value and (record.created_date_time is None or _new(order, kind, record)):
                yield kind, record.reason
    status = next((work.status_kind for work in change.work if work.status_kind is not None), None)
    if status is None or status in {TOLD[order.state], WorkStatusKind.SCHEDULED, *REPORTED}:
        return
    if status is WorkStatusKind.APPROVED:
        if order.state is State.IN_REVIEW:
            yield Event.APPROVE, None
    elif status is WorkStatusKind.WAITING_TO_BE_SCHEDULED:
        yield Event.UNSCHEDULE, next((each.reason for each in records), None)
    else:
        raise Invalid(f"the desk cannot make an order '{status.value}'", object_id=order.mrid)


def _new(order: Order, kind: Event, record: ActivityRecord) -> bool:
    """Whether a record with a time is not one that the order itself has told already."""
    return not any(fact.event is kind and fact.at == record.created_date_time for fact in order.facts)


def booking_in(change: MaintenanceOrder) -> tuple[str, datetime | None] | None:
    """The crew that another scheduler gives an order to, and when it is to leave; None where a change gives none."""
    for work in change.work:
        for task in work.work_tasks:
            for crew in task.crews:
                if WorkStatusKind.SCHEDULED in {work.status_kind, task.status_kind} and crew.mrid is not None:
                    spans = [interval_of(each, WorkTimeScheduleKind.ESTIMATE) for each in (task, work)]
                    return crew.mrid, next((each.start for each in spans if each is not None and each.start), None)
    return None


def is_a_report(change: MaintenanceOrder) -> bool:
    """Whether a change says something that only a crew can; somebody at the desk may say it for a crew by radio."""
    status = {work.status_kind for work in change.work} | {
        task.status_kind for work in change.work for task in work.work_tasks
    }
    records = {each.type for work in change.work for each in work.activity_records}
    return bool(status & set(REPORTED)) or bool(records & {"resume", "decline", COMPLETION, "finding"})
