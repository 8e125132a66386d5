"""The played field: it is struck, it protects itself, it is seen from afar, and people go out and mend it."""

import os
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TypeVar

from msgspec import Struct, json, structs

from contracts.codes.end_device_events import EventKind
from contracts.errors import Conflict, Invalid, NotFound
from contracts.interfaces.callers import CALLERS
from contracts.interfaces.crews import CREWS
from contracts.interfaces.emergency_simulation import EMERGENCY_SIMULATION
from contracts.interfaces.head_end import HEAD_END
from contracts.interfaces.scada import SCADA
from contracts.message import Message
from contracts.nouns.controls import Controls
from contracts.nouns.end_device_controls import EndDeviceControls
from contracts.nouns.feeder_topology import Equipment, FeederTopology
from contracts.nouns.maintenance_orders import MaintenanceOrder, MaintenanceOrders
from contracts.nouns.network_models import NetworkModels
from contracts.nouns.switching_plans import SwitchingPlans
from contracts.nouns.training_scenarios import TrainingScenarios
from contracts.nouns.unplanned_outages import UnplannedOutages
from contracts.nouns.work_types import WorkStatusKind
from contracts.verbs import Verb
from services.emergency_simulation import views
from services.emergency_simulation.config import odds_from
from services.emergency_simulation.domain import behaviour
from services.emergency_simulation.domain.behaviour import Due, Spell
from services.emergency_simulation.domain.chance import Stream
from services.emergency_simulation.domain.network import SOURCE, Operation, Outcome, settle
from services.emergency_simulation.domain.scenario import PATIENCE, Standing, found_at, is_over, plan_faults, report
from services.emergency_simulation.store import Field, Memory, Store
from shared.service import Service
from shared.work import LATER, Later, Wake, Work

T = TypeVar("T")

RELAY_TIME = timedelta(milliseconds=100)
"""Between a device that closes onto a fault and the one that opens for it."""

NOTHING_LOST = Standing(customers_dark=0, customers_interrupted=0)

service = Service(
    EMERGENCY_SIMULATION,
    plays=(HEAD_END, SCADA, CREWS, CALLERS),
    store=Store,
    memory=lambda: Memory(odds_from(os.environ)),
    grants_clock=True,
)


class Job(Struct, frozen=True, kw_only=True):
    """What a crew in the field has in hand: its order, where that sends it, and the fault that it found."""

    order: MaintenanceOrder
    place: str
    fault: str | None = None


class Moved(Struct, frozen=True, kw_only=True):
    """A device that moved, which the control centre has not seen yet."""

    operation: Operation
    at: datetime


@service.on(Verb.CREATE, TrainingScenarios)
async def order_storm(message: Message[TrainingScenarios], work: Work[Store]) -> TrainingScenarios:
    """A storm is planned on the network as it is now; from here on it comes by itself."""
    order = _only(message.noun.training_scenario, "scenario")
    topology = await work.request(FeederTopology)
    if not topology.feeder:
        raise Conflict("there is no network to strike yet")
    await work.store.lock_field()
    if await work.store.running_scenario() is not None:
        raise Conflict("another storm is not over, and there is only one field")
    if await work.store.scenario(order.mrid) is not None:
        raise Conflict("a storm with this mRID was ordered before", object_id=order.mrid)
    field = await work.store.adopt(topology)
    start = behaviour.after(max(order.start_time or work.now, work.now), 0)
    scenario = report(structs.replace(order, start_time=start), (), (), NOTHING_LOST)
    faults = plan_faults(field.network, field.open, scenario, start)
    await work.store.keep(scenario, start, faults)
    for fault in faults:
        work.wake("strike", fault.mrid, fault.at, new_thread=True)
    work.wake("give-up", scenario.mrid, start + PATIENCE)
    return TrainingScenarios(training_scenario=(scenario,))


@service.on(Verb.GET, TrainingScenarios)
async def show_storms(message: Message[TrainingScenarios], work: Work[Store]) -> TrainingScenarios:
    """The storms that are named, or all, each as it was last told."""
    wanted = [each.value for each in message.request.id] if message.request else []
    scenarios = await work.store.scenarios(wanted)
    missing = sorted(set(wanted) - {scenario.mrid for scenario in scenarios})
    if missing:
        raise NotFound("no storm with this mRID was ordered", object_id=missing[0])
    return TrainingScenarios(training_scenario=tuple(scenarios))


@service.on(Verb.CREATED, NetworkModels)
async def rebuild_field(_: Message[NetworkModels], work: Work[Store]) -> None:
    """The field is built as the new model says, but not in the middle of a storm."""
    if await work.store.running_scenario() is None:
        topology = await work.request(FeederTopology)
        await work.store.lock_field()
        await work.store.adopt(topology)


@service.on(Verb.CREATED, UnplannedOutages)
@service.on(Verb.CHANGED, UnplannedOutages)
@service.on(Verb.CLOSED, UnplannedOutages)
async def hear_outage(message: Message[UnplannedOutages], work: Work[Store]) -> None:
    """What the system says of its outages is kept for the score, and for nothing else."""
    await work.store.lock_field()
    scenario = await work.store.running_scenario()
    if scenario is not None:
        for outage in message.noun.unplanned_outage:
            said = views.heard(outage, closed=message.header.verb is Verb.CLOSED)
            await work.store.save_outage(scenario.mrid, outage.revision_number, said)
        await _tell(work)


@service.on_wake("give-up")
async def give_up(_: Wake, work: Work[Store]) -> None:
    """A storm that does not come to an end has failed."""
    await work.store.lock_field()
    await _tell(work, ended=True)


@service.on_wake("strike")
async def strike(wake: Wake, work: Work[Store]) -> None:
    """Something breaks, and the protection cuts it off."""
    field = await work.store.lock_field()
    fault = structs.replace(await work.store.fault(wake.key), struck=True)
    await work.store.save_fault(fault)
    await _operate(work, field, (), wake.at)
    await _tell(work)


@service.on_wake("gasp")
async def gasp(wake: Wake, work: Work[Store]) -> None:
    """A meter says that it lost power, unless it has it again."""
    spell = json.decode(wake.payload, type=Spell)
    if await work.store.lasts(spell, dark=True):
        await _say(work, EventKind.POWER_LOST, spell)


@service.on_wake("power-up")
async def power_up(wake: Wake, work: Work[Store]) -> None:
    """A meter says that it has power again, unless it lost it anew."""
    spell = json.decode(wake.payload, type=Spell)
    if await work.store.lasts(spell, dark=False):
        await _say(work, EventKind.POWER_RESTORED, spell)


@service.on_wake("call")
async def call(wake: Wake, work: Work[Store]) -> None:
    """A customer who is still in the dark calls."""
    spell = json.decode(wake.payload, type=Spell)
    if await work.store.lasts(spell, dark=True):
        field = await work.store.field()
        ticket = views.call(spell, field.seed, wake.at)
        work.send(Verb.CREATE, ticket, about=spell.usage_point, role="customer-management")


@service.on(Verb.CREATE, EndDeviceControls)
async def ping(message: Message[EndDeviceControls], work: Work[Store]) -> Later:
    """A meter is asked whether it has power; only one that has it will say so, and that takes some seconds."""
    field = await work.store.field()
    point = views.pinged(message.noun, field.network.usage_points)
    due = behaviour.ping_time(Stream(field.seed, "radio"), point, work.now)
    work.wake("pong", work.ticket, due, _text(message.noun))
    return LATER


@service.on_wake("pong")
async def pong(wake: Wake, work: Work[Store]) -> None:
    """A meter answers, if it has power; a dark one is silent for ever."""
    controls = json.decode(wake.payload, type=EndDeviceControls)
    field = await work.store.field()
    if await work.store.has_power(views.pinged(controls, field.network.usage_points)):
        work.answer(wake.key, views.ponged(controls, wake.at))


@service.on_wake("scan")
async def scan(wake: Wake, work: Work[Store]) -> None:
    """The control centre sees that a device has moved."""
    moved = json.decode(wake.payload, type=Moved)
    work.publish(Verb.CREATED, views.position(moved.operation, moved.at), key=moved.operation.device)


@service.on(Verb.CREATE, Controls)
async def control(message: Message[Controls], work: Work[Store]) -> None:
    """A command is accepted; what it did will be seen."""
    field = await work.store.field()
    for operation in views.commanded(message.noun):
        if not _device(field, operation.device).remotely_operable:
            raise Invalid("the device has no drive", object_id=operation.device)
        due = behaviour.command_time(Stream(field.seed, "scada"), operation.device, work.now)
        work.wake("drive", operation.device, due, _text(operation))


@service.on_wake("drive")
async def drive(wake: Wake, work: Work[Store]) -> None:
    """A drive moves its device; one that stands there already says so."""
    operation = json.decode(wake.payload, type=Operation)
    field = await work.store.lock_field()
    outcome = await _operate(work, field, (operation,), wake.at)
    if operation not in outcome.operations:
        work.publish(Verb.CREATED, views.position(operation, wake.at), key=operation.device)
    await _tell(work)


@service.on(Verb.CREATE, MaintenanceOrders)
async def dispatch(message: Message[MaintenanceOrders], work: Work[Store]) -> None:
    """A crew takes an order and will leave."""
    order = _only(message.noun.maintenance_order, "order")
    if order.mrid is None:
        raise Invalid("the order has no mRID, so nothing can be reported of it")
    field = await work.store.field()
    job = Job(order=order, place=views.place(order))
    if job.place not in field.network.equipment and job.place not in field.network.usage_points:
        raise NotFound("the crew finds no such place in the field", object_id=job.place)
    work.wake("depart", order.mrid, behaviour.departure(Stream(field.seed, "crews"), job.place, work.now), _text(job))


@service.on_wake("depart")
async def depart(wake: Wake, work: Work[Store]) -> None:
    """A crew leaves for the place of its order."""
    job = json.decode(wake.payload, type=Job)
    field = await work.store.field()
    job = structs.replace(job, order=views.progress(job.order, WorkStatusKind.ENROUTE, wake.at))
    work.send(Verb.CHANGE, views.reported(job.order), about=wake.key)
    due = behaviour.finding_time(Stream(field.seed, "crews"), job.place, wake.at)
    work.wake("look", wake.key, due, _text(job))


@service.on_wake("look")
async def look(wake: Wake, work: Work[Store]) -> None:
    """A crew has arrived, looked and found what there is."""
    job = json.decode(wake.payload, type=Job)
    field = await work.store.field()
    fault = found_at(field.network, field.open, await work.store.struck_faults(), job.place)
    job = structs.replace(
        job, order=views.found(job.order, fault, wake.at), fault=None if fault is None else fault.mrid
    )
    work.send(Verb.CHANGE, views.reported(job.order), about=wake.key)
    due = wake.at if fault is None else behaviour.repair_time(Stream(field.seed, "crews"), fault.mrid, wake.at)
    work.wake("mend", wake.key, due, _text(job))


@service.on_wake("mend")
async def mend(wake: Wake, work: Work[Store]) -> None:
    """A crew is done; where no switch opened but the source itself, that comes back now."""
    job = json.decode(wake.payload, type=Job)
    field = await work.store.lock_field()
    if job.fault is not None:
        fault = structs.replace(await work.store.fault(job.fault), repaired=True)
        await work.store.save_fault(fault)
        if fault.device is not None and _device(field, fault.device).kind == SOURCE:
            await _operate(work, field, (Operation(fault.device, open=False),), wake.at)
    order = views.progress(job.order, WorkStatusKind.COMPLETED, wake.at)
    work.send(Verb.CHANGE, views.reported(order), about=wake.key)
    await _tell(work)


@service.on(Verb.EXECUTE, SwitchingPlans)
async def instruct(message: Message[SwitchingPlans], work: Work[Store]) -> Later:
    """A crew takes instructions to switch and answers when it has switched."""
    field = await work.store.field()
    operations = views.instructed(message.noun)
    for operation in operations:
        _device(field, operation.device)
    names = "".join(operation.device for operation in operations)
    due = behaviour.switching_time(Stream(field.seed, "crews"), names, work.now)
    work.wake("switch", work.ticket, due, _text(message.noun))
    return LATER


@service.on_wake("switch")
async def switch(wake: Wake, work: Work[Store]) -> None:
    """A crew switches, sees whether it holds, and answers."""
    plans = json.decode(wake.payload, type=SwitchingPlans)
    field = await work.store.lock_field()
    operations = views.instructed(plans)
    outcome = await _operate(work, field, operations, wake.at)
    wanted = {operation.device: operation.open for operation in operations}
    tripped = sorted(device for device, is_open in wanted.items() if is_open != (device in outcome.open))
    if tripped:
        work.answer(wake.key, error=Conflict("the device opened again at once", object_id=tripped[0]))
    else:
        work.answer(wake.key, views.executed(plans, wake.at))
    await _tell(work)


async def _operate(work: Work[Store], field: Field, operations: Iterable[Operation], at: datetime) -> Outcome:
    """Let the truth follow from operations and faults, and set in motion what the field makes of it."""
    faults = [fault for fault in await work.store.struck_faults() if not fault.repaired]
    outcome = settle(field.network, field.open, operations, {fault.equipment for fault in faults})
    for fault in faults:
        if fault.device is None and fault.equipment in outcome.trips:
            dark = tuple(sorted(outcome.lost))
            await work.store.save_fault(structs.replace(fault, device=outcome.trips[fault.equipment], dark=dark))
    await work.store.move(outcome.operations)
    for number, operation in enumerate(outcome.operations):
        if field.network.equipment[operation.device].remotely_operable:
            moved = Moved(operation=operation, at=at + number * RELAY_TIME)
            due = behaviour.scan_time(Stream(field.seed, "scada"), operation.device, at)
            work.wake("scan", f"{at.isoformat()} {number} {operation.device}", due, _text(moved))
    lost = await work.store.lose(outcome.lost, at)
    lit = await work.store.regain(outcome.regained, at)
    radio = Stream(field.seed, "radio")
    _await(work, "gasp", (due for spell in lost for due in behaviour.last_gasps(radio, spell, field.odds)))
    _await(work, "power-up", (due for spell in lit for due in behaviour.power_ups(radio, spell, field.odds)))
    _await(work, "call", behaviour.calls(Stream(field.seed, "callers"), lost, field.odds))
    return outcome


async def _tell(work: Work[Store], *, ended: bool = False) -> None:
    """Tell how the storm stands, if that is news; its end is news."""
    scenario = await work.store.running_scenario()
    if scenario is None or scenario.start_time is None:
        return
    faults = await work.store.faults(scenario.mrid)
    outages = await work.store.outages(scenario.mrid)
    standing = await work.store.standing(scenario.start_time)
    ended = ended or is_over(faults, outages, standing)
    told = report(scenario, faults, outages, standing, work.now if ended else None)
    if told != scenario:
        await work.store.save_scenario(told)
        work.publish(Verb.CHANGED, TrainingScenarios(training_scenario=(told,)), key=told.mrid)
    if ended:
        work.cancel_wake("give-up", scenario.mrid)


async def _say(work: Work[Store], kind: EventKind, spell: Spell) -> None:
    field = await work.store.field()
    point = field.network.usage_points[spell.usage_point]
    work.publish(Verb.CREATED, views.meter_event(kind, point, spell, field.seed), key=spell.usage_point)


def _await(work: Work[Store], name: str, dues: Iterable[Due]) -> None:
    for due in dues:
        work.wake(name, due.key, due.at, _text(due.spell))


def _device(field: Field, mrid: str) -> Equipment:
    device = field.network.equipment.get(mrid)
    if device is None:
        raise NotFound("the field has no such device", object_id=mrid)
    return device


def _only(objects: tuple[T, ...], what: str) -> T:
    if len(objects) != 1:
        raise Invalid(f"exactly one {what} is asked for at a time, not {len(objects)}")
    return objects[0]


def _text(value: Struct) -> str:
    return json.encode(value).decode()
