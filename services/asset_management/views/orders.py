"""Between assets and work: what is asked of work management, and what its orders and outages say of assets."""

from collections.abc import Sequence
from datetime import datetime

from contracts.nouns import maintenance_orders as orders
from contracts.nouns.assets import Asset as Register
from contracts.nouns.device_types import ActivityRecord
from contracts.nouns.maintenance_orders import MaintenanceOrder, ProcedureKind
from contracts.nouns.unplanned_outages import UnplannedOutage
from contracts.nouns.work_requests import Asset, Work, WorkRequest, WorkRequests, WorkTask
from contracts.nouns.work_types import (
    Priority,
    WorkKind,
    WorkStatusKind,
    WorkTaskKind,
    WorkTimeSchedule,
    WorkTimeScheduleKind,
)
from contracts.types import DateTimeInterval, Name, NameType, NameTypeAuthority
from services.asset_management.domain.health_events import HealthEvent
from services.asset_management.domain.history import Fact
from services.asset_management.domain.lifecycle import Event
from services.asset_management.domain.plans import Plan
from services.asset_management.domain.records import Activity

ROLE = "asset-management"
HEALTH_EVENT, PLAN, POSITION = "AssetHealthEvent", "MaintenancePlan", "PowerSystemResource"

PLANNED_RANK = 7
"""The rank of work that comes again."""

_KIND = {
    ProcedureKind.INSPECTION: WorkKind.INSPECTION,
    ProcedureKind.DIAGNOSIS: WorkKind.TEST,
    ProcedureKind.TEST: WorkKind.TEST,
    ProcedureKind.MAINTENANCE: WorkKind.MAINTENANCE,
    ProcedureKind.OTHER: WorkKind.OTHER,
}


def work_for_event(event: HealthEvent, asset: Register, now: datetime, ids: Sequence[str]) -> WorkRequests:
    """Ask for the remedy of what is wrong; ``ids`` are those of the request and of its task."""
    task = WorkTask(
        mrid=ids[1],
        instruction=event.advice,
        subject=f"{asset.description or asset.type or asset.mrid}: {event.reason}",
        task_kind=WorkTaskKind.INVESTIGATE,
        assets=(_asset(asset),),
    )
    work = Work(
        mrid=event.work,
        kind=WorkKind.MAINTENANCE,
        request_date_time=now,
        names=(_name(event.mrid, HEALTH_EVENT),),
        priority=Priority(justification=event.reason, rank=event.priority.rank, type=event.priority.value),
        time_schedules=(_until(event.latest),),
        work_tasks=(task,),
    )
    return WorkRequests(work_request=(WorkRequest(mrid=ids[0], work=(work,)),))


def work_for_plans(
    plans: Sequence[Plan], assets: dict[str, Register], now: datetime, until: datetime, ids: Sequence[str]
) -> WorkRequests:
    """Ask for what is due at a site, a task for each plan; ``ids`` are those of the request and of its tasks."""
    tasks = tuple(
        WorkTask(
            mrid=task,
            instruction=plan.instruction,
            subject=f"{plan.kind.value} due on {plan.due}",
            task_kind=WorkTaskKind.INVESTIGATE,
            assets=(_asset(assets[plan.asset]),),
            names=(_name(plan.mrid, PLAN),),
        )
        for plan, task in zip(plans, ids[1:], strict=True)
    )
    kinds = {_KIND[plan.kind] for plan in plans}
    work = Work(
        mrid=plans[0].call,
        kind=kinds.pop() if len(kinds) == 1 else WorkKind.MAINTENANCE,
        request_date_time=now,
        priority=Priority(justification="it is due", rank=PLANNED_RANK, type="plan"),
        time_schedules=(_until(until),),
        work_tasks=tasks,
    )
    return WorkRequests(work_request=(WorkRequest(mrid=ids[0], work=(work,)),))


def named_in(order: MaintenanceOrder) -> set[str]:
    """Everything that an order names as an asset, new or old: an asset or a position."""
    tasks = [task for work in order.work for task in work.work_tasks]
    named = {asset.mrid for task in tasks for asset in task.assets}
    named |= {task.old_asset.mrid for task in tasks if task.old_asset is not None}
    return {each for each in named if each is not None}


def facts_in(order: MaintenanceOrder, places: set[str], now: datetime) -> list[Fact]:
    """What an order says of the lives of assets; ``places`` are those of its names that are positions.

    A task that exchanges names what went out in OldAsset, by asset or by position, and what came in in Assets. A task
    that builds in says where by a name of the type PowerSystemResource.
    """
    return [
        fact
        for work in order.work
        if work.status_kind is not WorkStatusKind.CANCELLED
        for task in work.work_tasks
        if task.status_kind is not WorkStatusKind.CANCELLED
        for fact in _facts_of(task, f"{order.mrid} {task.mrid}", _done_at(task, work, now), places)
    ]


def _facts_of(task: orders.WorkTask, key: str, at: datetime, places: set[str]) -> list[Fact]:
    old = None if task.old_asset is None else task.old_asset.mrid
    if old is None and task.task_kind in {None, WorkTaskKind.INVESTIGATE}:
        return []
    named = [asset for asset in task.assets if asset.mrid is not None and asset.mrid != old]
    new = [asset for asset in named if asset.mrid not in places]
    told = next((asset.mrid for asset in named if asset.mrid in places), None)
    position = (old if old in places else None) or told or next((p for p in map(_position, named) if p), None)
    source = f"order {key.partition(' ')[0]}"
    if task.task_kind is WorkTaskKind.REMOVE or not new:
        gone = [old] if old is not None else [asset.mrid for asset in named]
        return [
            Fact(
                id=f"{key} {each}",
                asset=None if each in places else each,
                at=at,
                event=Event.REMOVED,
                position=each if each in places else None,
                by_work=True,
                source=source,
            )
            for each in gone
        ]
    exchange = old is not None or task.task_kind is WorkTaskKind.EXCHANGE
    return [
        Fact(
            id=f"{key} {asset.mrid}",
            asset=asset.mrid,
            at=at,
            event=Event.INSTALLED,
            position=position,
            replaces=None if old in places else old,
            evicts=exchange and old in {None, *places},
            by_work=True,
            source=source,
        )
        for asset in new
    ]


def failures_in(order: MaintenanceOrder, places: set[str], now: datetime) -> list[Activity]:
    """What a repair found: the failure of the device it was at, with its cause."""
    return [
        Activity(
            source=f"order {order.mrid}",
            record=ActivityRecord(reason=record.reason, severity=record.severity, type="failure"),
            at=record.created_date_time or _done_at(work.work_tasks[0], work, now),
            asset=None if device in places else device,
            position=device if device in places else None,
        )
        for work in order.work
        if work.kind is WorkKind.REPAIR and work.work_tasks
        for record in work.activity_records
        if record.type == "finding"
        for device in [next((asset.mrid for asset in work.work_tasks[0].assets), None)]
        if device is not None
    ]


def operations_in(outage: UnplannedOutage, now: datetime) -> list[Activity]:
    """What an outage says of the devices that opened, at their positions."""
    period = outage.actual_period
    began = (None if period is None else period.start) or outage.reported_start_time or now
    return [
        Activity(
            source=f"outage {outage.mrid}",
            record=ActivityRecord(
                reason=f"opened on a fault: {outage.cause or 'cause unknown'}",
                severity=f"{outage.original_customers_served or 0} customers without supply",
                type="operation",
            ),
            at=began,
            position=switch.mrid,
        )
        for switch in outage.opened_switches
        if switch.mrid is not None
    ]


def fate_of(order: MaintenanceOrder, kind: str, now: datetime) -> list[tuple[str, datetime | None]]:
    """The health events or plans that an order was for, each with when it was done; None where it was cancelled."""
    return [
        (name.name, None if cancelled else _done_at(task, work, now))
        for work in order.work
        for task in work.work_tasks
        for cancelled in [WorkStatusKind.CANCELLED in {work.status_kind, task.status_kind}]
        for name in (*work.names, *task.names)
        if name.name_type is not None and name.name_type.name == kind
    ]


def _done_at(task: orders.WorkTask, work: orders.Work, now: datetime) -> datetime:
    """When a task was done: the end of its actual time, or of its work's, or else when that was last changed."""
    ends = [
        each.schedule_interval.end
        for each in (*task.time_schedules, *work.time_schedules)
        if each.kind is WorkTimeScheduleKind.ACTUAL and each.schedule_interval is not None
    ]
    return next((end for end in ends if end is not None), None) or work.last_modified_date_time or now


def _position(asset: orders.Asset) -> str | None:
    named = (each.name for each in asset.names if each.name_type is not None and each.name_type.name == POSITION)
    return next(named, None)


def _asset(asset: Register) -> Asset:
    return Asset(mrid=asset.mrid, critical=asset.critical, utc_number=asset.utc_number, names=asset.names)


def _name(mrid: str, kind: str) -> Name:
    return Name(name=mrid, name_type=NameType(name=kind, name_type_authority=NameTypeAuthority(name=ROLE)))


def _until(end: datetime) -> WorkTimeSchedule:
    return WorkTimeSchedule(kind=WorkTimeScheduleKind.LATEST, schedule_interval=DateTimeInterval(end=end))
