"""What the field says and is told, between the nouns of the standard and the values of the truth."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from msgspec import structs

from contracts.codes.end_device_controls import ControlKind, control_kind_of
from contracts.codes.end_device_events import EMITTED, EventKind
from contracts.errors import Invalid, NotFound
from contracts.nouns.controls import Controls
from contracts.nouns.end_device_controls import EndDeviceControls, EndDeviceTiming
from contracts.nouns.end_device_events import EndDeviceEvent, EndDeviceEvents
from contracts.nouns.feeder_topology import UsagePoint
from contracts.nouns.maintenance_orders import Asset, MaintenanceOrder, MaintenanceOrders, Work, WorkTask
from contracts.nouns.measurements import (
    Discrete,
    DiscreteValue,
    Measurements,
    MeasurementValueQuality,
    Source,
    SwitchPosition,
    Validity,
)
from contracts.nouns.switching_plans import (
    SwitchAction,
    SwitchActionKind,
    SwitchingPlan,
    SwitchingPlans,
    SwitchingStep,
)
from contracts.nouns.trouble_tickets import TroubleReportingKind, TroubleTicket, TroubleTickets
from contracts.nouns.unplanned_outages import OutageState, UnplannedOutage
from contracts.nouns.work_types import ActivityRecord, WorkStatusKind
from contracts.types import DateTimeInterval, ObjectReference, Reference
from services.emergency_simulation.domain.behaviour import Spell
from services.emergency_simulation.domain.chance import Stream
from services.emergency_simulation.domain.network import Operation
from services.emergency_simulation.domain.scenario import Fault, Outage

POSITION = "SwitchPosition"
_MOVES = {SwitchActionKind.OPEN: True, SwitchActionKind.CLOSE: False}


def meter_event(kind: EventKind, point: UsagePoint, spell: Spell, seed: int) -> EndDeviceEvents:
    """What a meter says of the beginning of a spell; said twice, it is the same event."""
    event = EndDeviceEvent(
        mrid=Stream(seed, "meters").identity(kind, spell.usage_point, str(spell.number)),
        created_date_time=spell.since,
        assets=ObjectReference(mrid=point.meter),
        end_device_event_type=Reference(ref=EMITTED[kind]),
        usage_point=ObjectReference(mrid=point.mrid),
    )
    return EndDeviceEvents(end_device_event=(event,))


def call(spell: Spell, seed: int, now: datetime) -> TroubleTickets:
    """What a customer in the dark reports."""
    ticket = TroubleTicket(
        mrid=Stream(seed, "callers").identity(spell.usage_point, str(spell.number)),
        date_time_of_report=now,
        reporting_kind=TroubleReportingKind.CALL,
        trouble_code="powerOut",
        usage_point=ObjectReference(mrid=spell.usage_point),
    )
    return TroubleTickets(trouble_ticket=(ticket,))


def pinged(controls: EndDeviceControls, points: Mapping[str, UsagePoint]) -> str:
    """The usage point whose meter is asked whether it has power.

    Raises:
        Invalid: it is not one ping of one meter.
        NotFound: 2.4, there is no such meter in the field.
    """
    if [control_kind_of(each.end_device_control_type.ref) for each in controls.end_device_control] != [
        ControlKind.PING
    ]:
        raise Invalid("a meter of this field takes one ping at a time, and nothing else")
    (control,) = controls.end_device_control
    meters = {device.mrid for device in control.end_devices}
    named = {point.mrid for point in control.usage_points}
    found = sorted(mrid for mrid, point in points.items() if mrid in named or point.meter in meters)
    if not found:
        raise NotFound("there is no such meter in the field", code="2.4", object_id=control.mrid)
    return found[0]


def ponged(controls: EndDeviceControls, at: datetime) -> EndDeviceControls:
    """The answer of the meter, with its time."""
    timing = EndDeviceTiming(interval=DateTimeInterval(start=at))
    (control,) = controls.end_device_control
    return EndDeviceControls(end_device_control=(structs.replace(control, primary_device_timing=timing),))


def position(operation: Operation, at: datetime) -> Measurements:
    """The position of a device since ``at``."""
    value = DiscreteValue(
        time_stamp=at,
        value=int(SwitchPosition.OPEN if operation.open else SwitchPosition.CLOSED),
        measurement_value_quality=MeasurementValueQuality(source=Source.PROCESS, validity=Validity.GOOD),
    )
    discrete = Discrete(
        measurement_type=POSITION,
        discrete_values=(value,),
        power_system_resource=ObjectReference(mrid=operation.device),
    )
    return Measurements(discrete=(discrete,))


def commanded(controls: Controls) -> list[Operation]:
    """The operations that controls ask for.

    Raises:
        Invalid: for a set point, or a command that is not to open or to close a switch.
    """
    if controls.set_point:
        raise Invalid("nothing in this field has a set point")
    return [
        Operation(
            _named(command.power_system_resource),
            open=_position(command.control_type, command.value) is SwitchPosition.OPEN,
        )
        for command in controls.command
    ]


def _position(control_type: str, value: int) -> SwitchPosition:
    if control_type != POSITION or value not in {SwitchPosition.OPEN, SwitchPosition.CLOSED}:
        raise Invalid(f"the command '{control_type}' with the value {value} neither opens nor closes a switch")
    return SwitchPosition(value)


def place(order: MaintenanceOrder) -> str:
    """Where a crew is sent: the first asset of the order.

    Raises:
        Invalid: when the order names none.
    """
    for task in _tasks(order):
        for asset in task.assets:
            if asset.mrid is not None:
                return asset.mrid
    raise Invalid("the order has no task with an asset, so the crew does not know where to go", object_id=order.mrid)


def _tasks(order: MaintenanceOrder) -> Iterable[WorkTask]:
    return (task for work in order.work for task in work.work_tasks)


def progress(
    order: MaintenanceOrder, status: WorkStatusKind, now: datetime, finding: ActivityRecord | None = None
) -> MaintenanceOrder:
    """The order as the crew that has it reports it."""
    records = () if finding is None else (finding,)
    return structs.replace(order, work=tuple(_progress(work, status, now, records) for work in order.work))


def _progress(work: Work, status: WorkStatusKind, now: datetime, records: tuple[ActivityRecord, ...]) -> Work:
    return structs.replace(
        work,
        status_kind=status,
        last_modified_date_time=now,
        activity_records=(*work.activity_records, *records),
        work_tasks=tuple(structs.replace(task, status_kind=status) for task in work.work_tasks),
    )


def found(order: MaintenanceOrder, fault: Fault | None, now: datetime) -> MaintenanceOrder:
    """The order as a crew on site reports it, with the device and the cause that it found, if it found anything."""
    cause = "unknown" if fault is None else fault.cause
    finding = ActivityRecord(created_date_time=now, reason=cause, type="finding")
    arrived = progress(order, WorkStatusKind.ON_SITE, now, finding)
    if fault is None or fault.device is None:
        return arrived
    work, *others = arrived.work
    task, *rest = work.work_tasks
    task = structs.replace(task, assets=(Asset(mrid=fault.device),))
    return structs.replace(arrived, work=(structs.replace(work, work_tasks=(task, *rest)), *others))


def reported(order: MaintenanceOrder) -> MaintenanceOrders:
    """One order as the noun."""
    return MaintenanceOrders(maintenance_order=(order,))


def instructed(plans: SwitchingPlans) -> list[Operation]:
    """The operations that are left to the crew, in their order."""
    return [Operation(_named(action.operated_switch), open=_MOVES[action.kind]) for action in _manual(plans)]


def executed(plans: SwitchingPlans, now: datetime) -> SwitchingPlans:
    """The plans with the time of execution at what was left to the crew."""
    done = _manual(plans)
    return SwitchingPlans(switching_plan=tuple(_executed_plan(plan, done, now) for plan in plans.switching_plan))


def _manual(plans: SwitchingPlans) -> list[SwitchAction]:
    """The switch actions that wait for a crew: those that name one, or all where none does."""
    actions = [
        step.switch_action
        for plan in plans.switching_plan
        for group in sorted(plan.switching_step_groups, key=lambda group: group.sequence_number)
        for step in sorted(group.switching_step, key=lambda step: step.sequence_number)
        if step.switch_action is not None
    ]
    waiting = [action for action in actions if action.kind in _MOVES and action.executed_date_time is None]
    return [action for action in waiting if action.crew] or waiting


def _executed_plan(plan: SwitchingPlan, done: list[SwitchAction], now: datetime) -> SwitchingPlan:
    groups = (
        structs.replace(group, switching_step=tuple(_executed_step(step, done, now) for step in group.switching_step))
        for group in plan.switching_step_groups
    )
    return structs.replace(plan, switching_step_groups=tuple(groups))


def _executed_step(step: SwitchingStep, done: list[SwitchAction], now: datetime) -> SwitchingStep:
    if step.switch_action is None or step.switch_action not in done:
        return step
    return structs.replace(step, switch_action=structs.replace(step.switch_action, executed_date_time=now))


def heard(outage: UnplannedOutage, *, closed: bool) -> Outage:
    """What an event says of an outage; one that was dismissed is closed too."""
    state = None if outage.status is None else outage.status.value
    points = (*outage.de_energized_usage_point, *outage.energized_usage_point)
    return Outage(
        mrid=outage.mrid,
        devices=frozenset(device.mrid for device in outage.opened_switches if device.mrid is not None),
        usage_points=frozenset(point.mrid for point in points if point.mrid is not None),
        closed=closed or state in {OutageState.CLOSED, OutageState.DISMISSED},
    )


def _named(reference: ObjectReference) -> str:
    if reference.mrid is None:
        raise Invalid("the field knows devices by their mRID, and one has none")
    return reference.mrid
