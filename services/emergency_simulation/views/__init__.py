"""What the field says and is told, between the nouns of the standard and the values of the truth."""

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct, structs

from contracts.codes.end_device_events import EMITTED, EventKind
from contracts.errors import Invalid
from contracts.nouns.controls import Command, Controls
from contracts.nouns.end_device_events import EndDeviceEvent, EndDeviceEvents
from contracts.nouns.maintenance_orders import Asset, MaintenanceOrder, MaintenanceOrders, Work, WorkTask
from contracts.nouns.measurements import (
    Analog,
    AnalogValue,
    Discrete,
    DiscreteValue,
    Measurements,
    MeasurementType,
    MeasurementValueQuality,
    Source,
    SwitchPosition,
    Validity,
)
from contracts.nouns.switching_plans import (
    CutAction,
    EnergySourceAction,
    GroundAction,
    JumperAction,
    SwitchAction,
    SwitchActionKind,
    SwitchingAction,
    SwitchingPlan,
    SwitchingPlans,
    SwitchingStep,
    TempEquipActionKind,
    VerificationAction,
)
from contracts.nouns.trouble_tickets import IncidentHazard, TroubleReportingKind, TroubleTicket, TroubleTickets
from contracts.nouns.units import PhaseCode
from contracts.nouns.unplanned_outages import OutageState, UnplannedOutage
from contracts.nouns.work_types import ActivityRecord, WorkStatusKind
from contracts.types import ObjectReference, Reference
from services.emergency_simulation.domain.callers import POWER_OUT, Call
from services.emergency_simulation.domain.chance import Stream
from services.emergency_simulation.domain.conditions import Conditions
from services.emergency_simulation.domain.grounds import DeadTest, Grounding
from services.emergency_simulation.domain.meters import MeterWord, Sent, Spell, clock_error
from services.emergency_simulation.domain.network import Network, code_of
from services.emergency_simulation.domain.protection import Flag, Move, Operation
from services.emergency_simulation.domain.scenario import Outage

_MOVES = {SwitchActionKind.OPEN: True, SwitchActionKind.CLOSE: False}

TESTED_DEAD = "tested dead"
"""The condition of a verification by which a crew tests that something is without voltage."""

_KINDS = {MeterWord.LOST: EventKind.POWER_LOST, MeterWord.RESTORED: EventKind.POWER_RESTORED}


class Setting(Struct, frozen=True):
    """A device that may close again by itself from now on, or may not."""

    device: str
    enabled: bool


def meter_events(
    heard: Iterable[tuple[Sent, Spell]], network: Network, seed: int, conditions: Conditions
) -> EndDeviceEvents:
    """What meters say of the beginning and the end of times in the dark; said twice, it is the same event."""
    events = {}
    clocks = Stream(seed, "clocks")
    for sent, spell in heard:
        point = network.usage_points[spell.usage_point]
        mrid = Stream(seed, "meters").identity(sent.word, spell.usage_point, str(spell.number))
        at = spell.began if sent.word is MeterWord.LOST else spell.ended or spell.began
        events[mrid] = EndDeviceEvent(
            mrid=mrid,
            created_date_time=at + clock_error(clocks, spell.usage_point, conditions),
            assets=ObjectReference(mrid=point.meter),
            end_device_event_type=Reference(ref=EMITTED[_KINDS[sent.word]]),
            usage_point=ObjectReference(mrid=point.mrid),
        )
    return EndDeviceEvents(end_device_event=tuple(events.values()))


def call(made: Call, seed: int, now: datetime) -> TroubleTickets:
    """What a customer reports."""
    hazards = () if made.code == POWER_OUT else (IncidentHazard(type=made.code),)
    ticket = TroubleTicket(
        mrid=Stream(seed, "callers").identity(made.usage_point, str(made.number), str(made.turn), made.code),
        date_time_of_report=now,
        reporting_kind=TroubleReportingKind.CALL,
        trouble_code=made.code,
        hazards=hazards,
        usage_point=ObjectReference(mrid=made.about),
    )
    return TroubleTickets(trouble_ticket=(ticket,))


def moved(move: Move, has: int) -> Measurements:
    """The position of a device since it moved, with what its protection says of the same instant.

    ``has`` are the phases that the device has; they are named where not all of them moved.
    """
    phases = None if move.phases == has else code_of(move.phases)
    position = SwitchPosition.OPEN if move.open else SwitchPosition.CLOSED
    told = [_discrete(move.device, MeasurementType.SWITCH_POSITION, int(position), move.at, phases)]
    if move.trip:
        told.append(_discrete(move.device, MeasurementType.TRIP, 1, move.at, phases))
    if move.lockout:
        told.append(_discrete(move.device, MeasurementType.LOCKOUT, 1, move.at))
    analog = () if move.current is None else (_current(move.device, move.current, move.at),)
    return Measurements(analog=analog, discrete=tuple(told))


def flagged(flag: Flag) -> Measurements:
    """A fault indicator that shows that current has passed, or no longer does."""
    return Measurements(
        discrete=(_discrete(flag.indicator, MeasurementType.FAULT_INDICATION, int(flag.shows), flag.at),)
    )


def set_to(setting: Setting, at: datetime) -> Measurements:
    """A device that may close again by itself since ``at``, or may not."""
    return Measurements(
        discrete=(_discrete(setting.device, MeasurementType.RECLOSING_ENABLED, int(setting.enabled), at),)
    )


def _discrete(
    device: str, kind: MeasurementType, value: int, at: datetime, phases: PhaseCode | None = None
) -> Discrete:
    return Discrete(
        measurement_type=kind,
        phases=phases,
        discrete_values=(DiscreteValue(time_stamp=at, value=value, measurement_value_quality=_GOOD),),
        power_system_resource=ObjectReference(mrid=device),
    )


def _current(device: str, amperes: float, at: datetime) -> Analog:
    return Analog(
        measurement_type=MeasurementType.FAULT_CURRENT,
        unit_symbol="A",
        analog_values=(AnalogValue(time_stamp=at, value=amperes, measurement_value_quality=_GOOD),),
        power_system_resource=ObjectReference(mrid=device),
    )


def gusts(winds: Iterable[tuple[str, float]], at: datetime) -> Measurements:
    """The gusts in m/s that stations measure, each beside the equipment that it is named after."""
    return Measurements(
        analog=tuple(
            Analog(
                measurement_type=MeasurementType.WIND_GUST,
                unit_symbol="mPers",
                analog_values=(AnalogValue(time_stamp=at, value=gust, measurement_value_quality=_GOOD),),
                power_system_resource=ObjectReference(mrid=station),
            )
            for station, gust in winds
        )
    )


_GOOD = MeasurementValueQuality(source=Source.PROCESS, validity=Validity.GOOD)


def commanded(controls: Controls) -> list[Operation | Setting]:
    """What controls ask for: operations, and settings of reclosing.

    Raises:
        Invalid: for a set point, or a command that is none of these.
    """
    if controls.set_point:
        raise Invalid("nothing in this field has a set point")
    return [_asked(command) for command in controls.command]


def _asked(command: Command) -> Operation | Setting:
    device, kind, value = _named(command.power_system_resource), command.control_type, command.value
    if kind == MeasurementType.RECLOSING_ENABLED and value in {0, 1}:
        return Setting(device, bool(value))
    if kind != MeasurementType.SWITCH_POSITION or value not in {SwitchPosition.OPEN, SwitchPosition.CLOSED}:
        raise Invalid(f"the command '{kind}' with the value {value} neither opens nor closes a switch")
    return Operation(device, value == SwitchPosition.OPEN)


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


def found(
    order: MaintenanceOrder, cause: str | None, device: str | None, now: datetime, status: WorkStatusKind
) -> MaintenanceOrder:
    """The order as a crew reports it, with the device and the cause that it found, if it found anything."""
    finding = ActivityRecord(created_date_time=now, reason=cause or "unknown", type="finding")
    arrived = progress(order, status, now, finding)
    if device is None:
        return arrived
    work, *others = arrived.work
    task, *rest = work.work_tasks
    task = structs.replace(task, assets=(Asset(mrid=device),))
    return structs.replace(arrived, work=(structs.replace(work, work_tasks=(task, *rest)), *others))


def crew_of(order: MaintenanceOrder) -> str:
    """The crew to which an order was given; one without a name is the same one each time."""
    named = (crew.mrid for task in _tasks(order) for crew in task.crews)
    return next((mrid for mrid in named if mrid is not None), "crew")


def reported(order: MaintenanceOrder) -> MaintenanceOrders:
    """One order as the noun."""
    return MaintenanceOrders(maintenance_order=(order,))


class Instructed(Struct, frozen=True, kw_only=True):
    """What is left to a crew, of each kind in its order."""

    operations: tuple[Operation, ...] = ()
    settings: tuple[Setting, ...] = ()
    tests: tuple[DeadTest, ...] = ()
    grounds: tuple[Grounding, ...] = ()

    @property
    def devices(self) -> tuple[str, ...]:
        """The devices that are operated or set."""
        return tuple([each.device for each in self.operations] + [each.device for each in self.settings])

    @property
    def sites(self) -> tuple[str, ...]:
        """The lines and nodes that must be dead for what is done there."""
        placed = [each.place for each in self.grounds if each.place is not None]
        return tuple([each.place for each in self.tests] + placed)


def instructed(plans: SwitchingPlans) -> Instructed:
    """What is left to the crew.

    Raises:
        Invalid: it shall do what nobody can do in this field: lay a jumper, cut a line, bring a generator.
    """
    operations: list[Operation] = []
    settings: list[Setting] = []
    tests: list[DeadTest] = []
    grounds: list[Grounding] = []
    for action in _manual(plans):
        match action:
            case SwitchAction() if action.kind in _MOVES:
                operations.append(Operation(_named(action.operated_switch), open=_MOVES[action.kind]))
            case SwitchAction():
                enabled = action.kind is SwitchActionKind.ENABLE_RECLOSING
                settings.append(Setting(_named(action.operated_switch), enabled=enabled))
            case VerificationAction():
                if (action.verification_condition or "").strip().lower() == TESTED_DEAD:
                    tests.append(DeadTest(place=_named(action.power_system_resource)))
            case GroundAction():
                placed = action.kind is not TempEquipActionKind.REMOVE
                where = action.along_ac_line_segment or action.grounded_equipment
                grounds.append(Grounding(mrid=_named(action.ground), place=_named(where) if placed else None))
            case CutAction() | JumperAction() | EnergySourceAction():
                raise Invalid(f"the crews of this field carry out no {type(action).__name__}")
            case _:
                pass  # tags, clearances and what is only described change nothing in the field
    return Instructed(
        operations=tuple(operations), settings=tuple(settings), tests=tuple(tests), grounds=tuple(grounds)
    )


def executed(plans: SwitchingPlans, now: datetime) -> SwitchingPlans:
    """The plans with the time of execution at what was left to the crew."""
    done = _manual(plans)
    return SwitchingPlans(switching_plan=tuple(_executed_plan(plan, done, now) for plan in plans.switching_plan))


def _manual(plans: SwitchingPlans) -> list[SwitchingAction]:
    """The actions that wait for a crew: those that name one, or all where none does."""
    actions = [
        step.action
        for plan in plans.switching_plan
        for group in sorted(plan.switching_step_groups, key=lambda group: group.sequence_number)
        for step in sorted(group.switching_step, key=lambda step: step.sequence_number)
    ]
    waiting = [action for action in actions if action.executed_date_time is None]
    return [action for action in waiting if action.crew] or waiting


def _executed_plan(plan: SwitchingPlan, done: list[SwitchingAction], now: datetime) -> SwitchingPlan:
    groups = (
        structs.replace(group, switching_step=tuple(_executed_step(step, done, now) for step in group.switching_step))
        for group in plan.switching_step_groups
    )
    return structs.replace(plan, switching_step_groups=tuple(groups))


def _executed_step(step: SwitchingStep, done: list[SwitchingAction], now: datetime) -> SwitchingStep:
    if step.action not in done:
        return step
    name = next(name for name in step.__struct_fields__ if getattr(step, name) is step.action)
    return structs.replace(step, **{name: structs.replace(step.action, executed_date_time=now)})


_OVER = frozenset({OutageState.CLOSED, OutageState.MOMENTARY, OutageState.DISMISSED, OutageState.VERIFY})


def heard(outage: UnplannedOutage, *, closed: bool) -> Outage:
    """What an event says of an outage; one that was dismissed is closed too, and so is a customer's own trouble.

    Nobody is sent to that: it waits for somebody to call the customer back, whom nobody plays.
    """
    state = None if outage.status is None else outage.status.value
    points = (*outage.de_energized_usage_point, *outage.energized_usage_point)
    return Outage(
        mrid=outage.mrid,
        devices=frozenset(device.mrid for device in outage.opened_switches if device.mrid is not None),
        usage_points=frozenset(point.mrid for point in points if point.mrid is not None),
        closed=closed or state in _OVER,
    )


def told_restored(outage: UnplannedOutage) -> set[str]:
    """The usage points whose customers are told that their power is back, once an outage counts as restored."""
    if outage.status is None or outage.status.value != OutageState.RESTORED:
        return set()
    return {point.mrid for point in outage.energized_usage_point if point.mrid is not None}


def _named(reference: ObjectReference | None) -> str:
    if reference is None or reference.mrid is None:
        raise Invalid("the field knows things by their mRID, and one has none")
    return reference.mrid
