"""The played field: it is struck, it protects itself, it is seen from afar, and people go out and mend it.

Longer than 400 lines because one service plays six roles, and each of its thirty handlers is a few lines.
"""

import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from msgspec import Struct, json, structs

from contracts.codes.end_device_controls import ControlKind
from contracts.errors import Conflict, Invalid, NotFound
from contracts.interfaces.callers import CALLERS
from contracts.interfaces.crews import CREWS
from contracts.interfaces.emergency_simulation import EMERGENCY_SIMULATION
from contracts.interfaces.head_end import HEAD_END
from contracts.interfaces.scada import SCADA
from contracts.interfaces.weather import WEATHER
from contracts.message import Message
from contracts.nouns.controls import Controls
from contracts.nouns.end_device_controls import EndDeviceControls
from contracts.nouns.feeder_topology import Equipment, FeederTopology
from contracts.nouns.maintenance_orders import MaintenanceOrder, MaintenanceOrders
from contracts.nouns.meter_read_schedule import MeterReadSchedule, TimePoint
from contracts.nouns.meter_readings import MeterReadings
from contracts.nouns.network_models import NetworkModels
from contracts.nouns.scenario_scores import ScenarioScores
from contracts.nouns.switching_plans import SwitchingPlans
from contracts.nouns.training_scenarios import TrainingScenarios
from contracts.nouns.unplanned_outages import UnplannedOutages
from contracts.nouns.work_types import WorkStatusKind
from contracts.verbs import Verb
from services.emergency_simulation import views
from services.emergency_simulation.config import conditions_from, habits_from, ills_from
from services.emergency_simulation.domain import (
    callers,
    crews,
    disconnectors,
    grounds,
    meters,
    reading,
    software,
    telemetry,
)
from services.emergency_simulation.domain.callers import Call
from services.emergency_simulation.domain.chance import Stream
from services.emergency_simulation.domain.conditions import chosen
from services.emergency_simulation.domain.crews import Crew
from services.emergency_simulation.domain.disconnectors import Obedience as Obeyed
from services.emergency_simulation.domain.disconnectors import unsupplied
from services.emergency_simulation.domain.ledger import truth_of
from services.emergency_simulation.domain.meters import Delivery, Sent
from services.emergency_simulation.domain.planning import plan_faults, weather_of
from services.emergency_simulation.domain.protection import Flag, Move, Operation, Outcome, Protection
from services.emergency_simulation.domain.reading import File, Poll
from services.emergency_simulation.domain.scenario import CALM, PATIENCE, progress, report
from services.emergency_simulation.domain.score import score_of
from services.emergency_simulation.domain.software import Fate
from services.emergency_simulation.domain.telemetry import Obedience, Seen
from services.emergency_simulation.domain.timing import after
from services.emergency_simulation.store import Field, Memory, Store
from services.emergency_simulation.views import orders, readings
from shared.service import Service
from shared.work import LATER, Later, Wake, Work

T = TypeVar("T")

WITNESSED = timedelta(seconds=2)
"""How long people look on after the last device that may close by itself."""

service = Service(
    EMERGENCY_SIMULATION,
    plays=(HEAD_END, SCADA, CREWS, CALLERS, WEATHER),
    store=Store,
    memory=lambda: Memory(conditions_from(os.environ), habits_from(os.environ), ills_from(os.environ)),
    grants_clock=True,
)


class Job(Struct, frozen=True, kw_only=True):
    """What a crew in the field has in hand: its order, where that sends it, and the fault that it found."""

    order: MaintenanceOrder
    crew: str
    place: str
    fault: str | None = None
    named: str | None = None


class Round(Struct, frozen=True, kw_only=True):
    """One time of a schedule at which meters are read."""

    schedule: str
    point: TimePoint


class Witness(Struct, frozen=True, kw_only=True):
    """What a crew has switched, and the plans as it will report them if that holds."""

    plans: SwitchingPlans
    operations: tuple[Operation, ...]


@service.on(Verb.CREATE, TrainingScenarios)
async def order_storm(message: Message[TrainingScenarios], work: Work[Store]) -> TrainingScenarios:
    """A storm is planned on the network as it is now; from here on it comes by itself."""
    order = _only(message.noun.training_scenario, "scenario")
    conditions = chosen(work.store.memory.settings, order.field_conditions)
    topology = await work.request(FeederTopology)
    if not topology.feeder:
        raise Conflict("there is no network to strike yet")
    await work.store.lock_field()
    if await work.store.running_scenario() is not None:
        raise Conflict("another storm is not over, and there is only one field")
    if await work.store.scenario(order.mrid) is not None:
        raise Conflict("a storm with this mRID was ordered before", object_id=order.mrid)
    field = await work.store.adopt(topology)
    start = after(max(order.start_time or work.now, work.now), 0)
    scenario = progress(structs.replace(order, start_time=start), ())
    faults = plan_faults(field.network, field.open, scenario, start, conditions)
    await work.store.keep(scenario, start, faults, conditions)
    for fault in faults:
        work.wake("strike", fault.mrid, fault.at, new_thread=True)
    for at, winds in weather_of(field.network, scenario, start).observations():
        work.wake("observe", f"{scenario.mrid} {at.isoformat()}", at, json.encode(winds).decode())
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


@service.on(Verb.GET, ScenarioScores)
async def show_scores(message: Message[ScenarioScores], work: Work[Store]) -> ScenarioScores:
    """How well the storms that are named, or all that have ended, were handled."""
    wanted = [each.value for each in message.request.id] if message.request else []
    scores = await work.store.scores(wanted)
    missing = sorted(set(wanted) - {score.mrid for score in scores})
    if missing:
        raise NotFound("no storm with this mRID has ended", object_id=missing[0])
    return ScenarioScores(scenario_score=tuple(scores))


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
    """What the system says of its outages is kept for the score; customers hear it say that power is back."""
    scenario = await work.store.running_scenario()
    if scenario is None:
        return
    closed = message.header.verb is Verb.CLOSED
    heard = [(outage, views.heard(outage, closed=closed)) for outage in message.noun.unplanned_outage]
    for outage, said in heard:
        at = outage.last_modified_date_time or work.now
        await work.store.save_outage(scenario.mrid, outage.revision_number, at, said)
        await _told_restored(work, views.told_restored(outage))
    if any(said.closed for _, said in heard):
        await work.store.lock_field()
        await _tell(work)


@service.on_wake("give-up")
async def give_up(_: Wake, work: Work[Store]) -> None:
    """A storm that does not come to an end has failed."""
    await work.store.lock_field()
    await _end(work)


@service.on_wake("calm")
async def calm(wake: Wake, work: Work[Store]) -> None:
    """It has been quiet for a while, and if nothing has come up since, the storm is over."""
    await work.store.lock_field()
    if (await work.store.standing(wake.key)).is_over:
        await _end(work)


@service.on_wake("strike")
async def strike(wake: Wake, work: Work[Store]) -> None:
    """Something breaks, and the protection cuts it off."""
    field = await work.store.lock_field()
    fault = await work.store.fault(wake.key)
    await _happen(work, field, lambda protection: protection.strike(fault, wake.at))
    struck = await work.store.fault(wake.key)
    near = struck.dark or tuple(field.network.usage_points)
    _will_call(work, callers.alarms(_stream(field, "callers"), struck, near))
    await _tell(work)


@service.on_wake("observe")
async def observe(wake: Wake, work: Work[Store]) -> None:
    """The stations tell of the wind."""
    winds = json.decode(wake.payload, type=list[tuple[str, float]])
    work.publish(Verb.CREATED, views.gusts(winds, wake.at), key="weather", role=WEATHER.role)


@service.on_wake("reclose")
async def reclose(wake: Wake, work: Work[Store]) -> None:
    """A device closes by itself."""
    field = await work.store.lock_field()
    await _happen(work, field, lambda protection: protection.reclose(wake.key, wake.at))
    await _tell(work)


@service.on_wake("qualify")
async def qualify(wake: Wake, work: Work[Store]) -> None:
    """Who is still in the dark will be heard of: meters become sure now, and people reach for the telephone."""
    field = await work.store.field()
    began = json.decode(wake.payload, type=datetime)
    spells = await work.store.still_dark(began)
    radio = _stream(field, "radio")
    _will_send(work, field, meters.gasps(radio, spells, field.conditions), wake.key)
    off = await work.store.disconnected(each.usage_point for each in spells)
    served = [each for each in spells if each.usage_point not in off]
    points = list(field.network.usage_points)
    _will_call(work, callers.calls(_stream(field, "callers"), served, points, field.conditions))


@service.on_wake("deliver")
async def deliver(wake: Wake, work: Work[Store]) -> None:
    """The head-end tells what has come in of a neighbourhood."""
    delivery = json.decode(wake.payload, type=Delivery)
    field = await work.store.field()
    told = {each.usage_point for each in delivery.messages}
    spells = await work.store.spells(told | field.radio.hosts(delivery.collector))
    radio = _stream(field, "radio")
    came = meters.received(delivery, spells, field.radio, radio, field.conditions)
    if came:
        events = views.meter_events(came, field.network, field.seed, field.conditions)
        work.publish(Verb.CREATED, events, key=delivery.collector)


@service.on_wake("call")
async def call(wake: Wake, work: Work[Store]) -> None:
    """A customer who is still in the dark, or sees a danger, calls; where all lines are busy, once more later."""
    made = json.decode(wake.payload, type=Call)
    spells = (await work.store.spells([made.usage_point])).get(made.usage_point, [])
    if made.number and not any(each.number == made.number and each.ended is None for each in spells):
        return
    field = await work.store.lock_field()
    name = f"{made.usage_point} {made.number} {made.turn}"
    if await work.store.take_line(name, wake.at, wake.at + callers.TALK, field.conditions.lines):
        ticket = views.call(made, field.seed, wake.at)
        work.send(Verb.CREATE, ticket, about=made.usage_point, role="customer-management")
        return
    again = callers.redialled(_stream(field, "callers"), made, wake.at)
    _will_call(work, [structs.replace(made, at=again, tries=made.tries + 1)])


@service.on(Verb.CREATE, EndDeviceControls)
async def order_meter(message: Message[EndDeviceControls], work: Work[Store]) -> Later:
    """A meter is asked whether it has power, or to do something; it answers after some seconds, if at all."""
    field = await work.store.field()
    kind, point = orders.ordered(message.noun, field.network)
    at = meters.ping_time(_stream(field, "radio"), point, work.now)
    if kind is not ControlKind.PING:
        await work.store.keep_order(work.ticket, orders.order_of(message.noun, point))
    names = {ControlKind.PING: "pong", ControlKind.LOAD_CONTROL: "shed", ControlKind.FIRMWARE: "load"}
    work.wake(names.get(kind, "throw"), work.ticket, at, _text(message.noun))
    return LATER


@service.on(Verb.CANCEL, EndDeviceControls)
async def cancel_order(message: Message[EndDeviceControls], work: Work[Store]) -> None:
    """An order that is still on its way to the meter is cancelled, and load that is shed is released."""
    field = await work.store.field()
    _, point = orders.ordered(message.noun, field.network)
    gone = await work.store.cancel_orders([orders.order_of(message.noun, point)])
    if not gone:
        raise Conflict("it was carried out, or is not known", code="6.5", object_id=point)
    for ticket in gone:
        work.cancel_wake("throw", ticket)
        work.cancel_wake("shed", ticket)
        work.cancel_wake("load", ticket)
        work.cancel_wake("released", ticket)


@service.on_wake("shed")
async def shed(wake: Wake, work: Work[Store]) -> None:
    """A load is shed until its time is over, unless that is over already or the customer opts out."""
    controls = json.decode(wake.payload, type=EndDeviceControls)
    field = await work.store.field()
    _, point = orders.ordered(controls, field.network)
    ends, mandatory = orders.ends_of(controls), orders.is_mandatory(controls)
    is_late = ends is not None and ends <= wake.at
    sheds = disconnectors.sheds(_stream(field, "switches"), point, wake.at, mandatory=mandatory)
    if not await _is_heard(point, field, wake.at, work) or is_late or not sheds:
        await work.store.end_order(wake.key)
    elif ends is not None:
        work.wake("released", wake.key, ends)
    if not await _is_heard(point, field, wake.at, work):
        return
    if is_late or not sheds:
        reason = "its time was over when it came" if is_late else "the customer opted out"
        work.answer(wake.key, error=Conflict(reason, code="5.3", object_id=point))
    else:
        work.answer(wake.key, orders.ponged(controls, wake.at))


@service.on_wake("released")
async def release(wake: Wake, work: Work[Store]) -> None:
    """The time is over for which a load was shed."""
    await work.store.end_order(wake.key)


@service.on_wake("pong")
async def pong(wake: Wake, work: Work[Store]) -> None:
    """A meter answers, if it has power and the radio carries its word; else there is silence for ever."""
    controls = json.decode(wake.payload, type=EndDeviceControls)
    field = await work.store.field()
    _, point = orders.ordered(controls, field.network)
    if await _is_heard(point, field, wake.at, work):
        work.answer(wake.key, orders.ponged(controls, wake.at))


@service.on_wake("throw")
async def throw(wake: Wake, work: Work[Store]) -> None:
    """A meter that the order reaches moves its switch, or tells how it stands."""
    controls = json.decode(wake.payload, type=EndDeviceControls)
    field = await work.store.field()
    kind, point = orders.ordered(controls, field.network)
    await work.store.end_order(wake.key)
    if not await _is_heard(point, field, wake.at, work):
        return
    obedience = Obeyed.DONE
    if kind is not ControlKind.SWITCH_STATE:
        obedience = disconnectors.obeyed(_stream(field, "switches"), point, wake.at)
        if obedience in disconnectors.MOVES:
            move = work.store.open_disconnector if kind is ControlKind.DISCONNECT else work.store.close_disconnector
            await move(point, wake.at)
    if obedience is Obeyed.REFUSED:
        work.answer(wake.key, error=Conflict("the switch does not move", code="5.3", object_id=point))
    elif obedience is Obeyed.DONE:
        state = "disconnected" if await work.store.disconnected([point]) else "connected"
        work.answer(wake.key, orders.ponged(controls, wake.at, state))


@service.on_wake("load")
async def load(wake: Wake, work: Work[Store]) -> None:
    """A meter takes the software of a control, or it goes wrong; once however often it is told."""
    controls = json.decode(wake.payload, type=EndDeviceControls)
    field = await work.store.field()
    _, point = orders.ordered(controls, field.network)
    control = controls.end_device_control[0].mrid or ""
    await work.store.end_order(wake.key)
    if not await _is_heard(point, field, wake.at, work):
        return
    if not await work.store.has_software(point, control):
        fate = software.fate(_stream(field, "software"), point, control, work.store.memory.ills)
        if fate in software.SAID:
            work.answer(wake.key, error=Conflict(software.SAID[fate], code="5.3", object_id=point))
            return
        await work.store.take_software(point, control, wake.at, is_nameless=fate is Fate.NAMELESS)
    work.answer(wake.key, orders.ponged(controls, wake.at))


async def _is_heard(point: str, field: Field, at: datetime, work: Work[Store]) -> bool:
    """Whether a meter that is spoken to has power and can be heard."""
    spells = await work.store.spells({point} | field.radio.hosts(field.radio.collector_of[point]))
    return meters.answers(_stream(field, "radio"), point, at, spells, radio=field.radio, conditions=field.conditions)


@service.on(Verb.GET, MeterReadings)
async def read_meters(message: Message[MeterReadings], work: Work[Store]) -> Later:
    """Meters are asked for their readings; each answers after a while of its own, or not at all."""
    field = await work.store.field()
    asked = readings.asked(message.request, field.network)
    asked = readings.known_by_name(asked, await work.store.nameless(asked.points), field.network)
    poll = reading.begun(asked, _stream(field, "radio"), work.now)
    work.wake("read", work.ticket, poll.next_at, _text(poll))
    return LATER


@service.on_wake("read")
async def hear_meters(wake: Wake, work: Work[Store]) -> None:
    """The head-end passes on what has come in, and ends when all have answered, or when it has waited long enough."""
    field = await work.store.field()
    came, poll = reading.come(json.decode(wake.payload, type=Poll), wake.at)
    collectors = {field.radio.collector_of[point] for point in came}
    spells = await work.store.spells({*came, *(host for each in collectors for host in field.radio.hosts(each))})
    radio, conditions, at = _stream(field, "radio"), field.conditions, wake.at
    heard = [p for p in came if meters.answers(radio, p, at, spells, radio=field.radio, conditions=conditions)]
    off = await work.store.disconnections(heard)
    sources = {
        p: readings.source(p, field.network, field.seed, unsupplied(spells.get(p, ()), off.get(p, ()))) for p in heard
    }
    told = [readings.reading(p, poll, meter, at) for p, meter in sources.items()]
    poll = reading.silenced(poll, sorted(set(came) - set(heard)))
    if poll.due or (poll.silent and at < poll.next_at):
        if told:
            work.answer(wake.key, readings.told(told), more=True)
        work.wake("read", wake.key, poll.next_at, _text(reading.answered(poll, heard)))
    else:
        work.answer(wake.key, readings.last_word(poll, told, field.network))


@service.on(Verb.CREATE, MeterReadSchedule)
@service.on(Verb.CHANGE, MeterReadSchedule)
async def take_schedule(message: Message[MeterReadSchedule], work: Work[Store]) -> None:
    """Meters are to be read at set times; what is under way already comes."""
    mrid = readings.schedule_id(message)
    before, coming = readings.points_of(await work.store.schedule(mrid)), readings.points_of(message.noun)
    await work.store.save_schedule(mrid, message.noun)
    for name, point in before.items():
        if point.date_time is not None and point.date_time > work.now:
            work.cancel_wake("collect", f"{mrid} {name}")
    for name, point in coming.items():
        if point.date_time is not None and point.date_time > work.now:
            work.wake("collect", f"{mrid} {name}", point.date_time, _text(Round(schedule=mrid, point=point)))


@service.on(Verb.CANCEL, MeterReadSchedule)
async def drop_schedule(message: Message[MeterReadSchedule], work: Work[Store]) -> None:
    """Meters are not read at these times any more."""
    mrid = readings.schedule_id(message)
    for name in readings.points_of(await work.store.schedule(mrid)):
        work.cancel_wake("collect", f"{mrid} {name}")
    await work.store.drop_schedule(mrid)


@service.on_wake("collect")
async def collect(wake: Wake, work: Work[Store]) -> None:
    """The meters of a schedule are read, and the head-end makes files of what they tell."""
    told = json.decode(wake.payload, type=Round)
    schedule, field = await work.store.schedule(told.schedule), await work.store.field()
    if schedule is not None:
        groups = readings.by_collector(schedule, field.network, field.radio)
        order = readings.order(schedule, told.schedule, told.point)
        for file in reading.files(_stream(field, "files"), groups, order, work.store.memory.habits):
            work.wake("file", file.name, file.at, _text(file))


@service.on_wake("file")
async def tell_file(wake: Wake, work: Work[Store]) -> None:
    """The head-end tells what meters have read; one that is in the dark, or behind a dead collector, does not come."""
    file = json.decode(wake.payload, type=File)
    field = await work.store.field()
    spells = await work.store.spells({each.point for each in file.days} | field.radio.hosts(file.collector))
    radio, network = _stream(field, "radio"), field.network
    conditions = structs.replace(field.conditions, message_loss=0.0)
    heard = [
        each
        for each in file.days
        if meters.answers(radio, each.point, wake.at, spells, radio=field.radio, conditions=conditions)
    ]
    nameless = await work.store.nameless(each.point for each in heard)
    heard = [each for each in heard if each.point not in nameless]
    off = await work.store.disconnections(each.point for each in heard)
    idle = [unsupplied(spells.get(each.point, ()), off.get(each.point, ())) for each in heard]
    sources = [readings.source(each.point, network, field.seed, times) for each, times in zip(heard, idle, strict=True)]
    days = [readings.day(each, file, source) for each, source in zip(heard, sources, strict=True)]
    told = readings.told([*days, *readings.stranger(file)])
    if told is not None:
        work.publish(Verb.CREATED, told, key=file.collector)


@service.on_wake("scan")
async def scan(wake: Wake, work: Work[Store]) -> None:
    """The control centre sees that a device has moved, or that an indicator shows."""
    told = json.decode(wake.payload, type=Seen)
    field = await work.store.field()
    for move in told.moves:
        has = field.network.phases(move.device)
        work.publish(Verb.CREATED, views.moved(move, has), key=move.device)
    for flag in told.flags:
        work.publish(Verb.CREATED, views.flagged(flag), key=flag.indicator)


@service.on(Verb.CREATE, Controls)
async def control(message: Message[Controls], work: Work[Store]) -> None:
    """A command is accepted; what it did will be seen."""
    field = await work.store.field()
    stream = _stream(field, "scada")
    for asked in views.commanded(message.noun):
        if not telemetry.has_telemetry(stream, _device(field, asked.device), field.conditions):
            raise Invalid("the device has no drive", object_id=asked.device)
        obedience = telemetry.obeyed(stream, asked.device, work.now, field.conditions)
        if obedience is Obedience.REFUSED:
            raise Conflict("the station does not carry out the command", object_id=asked.device)
        if obedience is Obedience.DONE:
            name = "drive" if isinstance(asked, Operation) else "set"
            work.wake(name, asked.device, telemetry.drive_time(stream, asked.device, work.now), _text(asked))


@service.on_wake("drive")
async def drive(wake: Wake, work: Work[Store]) -> None:
    """A drive moves its device; one that stands there already says so."""
    operation = json.decode(wake.payload, type=Operation)
    field = await work.store.lock_field()
    outcome = await _operate(work, field, [operation], wake.at)
    if not any((move.device, move.open) == (operation.device, operation.open) for move in outcome.moves):
        has = field.network.phases(operation.device)
        stands = Move(device=operation.device, open=operation.open, phases=has, at=wake.at)
        work.publish(Verb.CREATED, views.moved(stands, has), key=operation.device)
    await _tell(work)


@service.on_wake("set")
async def set_reclosing(wake: Wake, work: Work[Store]) -> None:
    """A device is told whether it may close again by itself."""
    setting = json.decode(wake.payload, type=views.Setting)
    await _set_reclosing(setting, await work.store.lock_field(), work)
    work.publish(Verb.CREATED, views.set_to(setting, wake.at), key=setting.device)


@service.on(Verb.CREATE, MaintenanceOrders)
async def dispatch(message: Message[MaintenanceOrders], work: Work[Store]) -> None:
    """A crew takes an order and will leave."""
    order = _only(message.noun.maintenance_order, "order")
    if order.mrid is None:
        raise Invalid("the order has no mRID, so nothing can be reported of it")
    field = await work.store.field()
    job = Job(order=order, crew=views.crew_of(order), place=views.place(order))
    if job.place not in field.network.equipment and job.place not in field.network.usage_points:
        raise NotFound("the crew finds no such place in the field", object_id=job.place)
    stream = _stream(field, "crews")
    crew = (await work.store.crews()).get(job.crew) or Crew(
        mrid=job.crew, place=crews.home_of(stream, field.network, job.crew), since=work.now
    )
    if crews.is_off_shift(crew, work.now, field.conditions):
        raise Conflict("the crew is off shift", object_id=job.crew)
    await work.store.save_crew(crew)
    work.wake("depart", order.mrid, crews.departure(stream, job.place, work.now), _text(job))


@service.on(Verb.CANCEL, MaintenanceOrders)
async def recall(message: Message[MaintenanceOrders], work: Work[Store]) -> None:
    """A crew that was called back goes nowhere; one that has begun to repair makes an end of it."""
    for order in message.noun.maintenance_order:
        for stage in ("depart", "look"):
            work.cancel_wake(stage, order.mrid or "")


@service.on_wake("depart")
async def depart(wake: Wake, work: Work[Store]) -> None:
    """A crew leaves for the place of its order."""
    job = json.decode(wake.payload, type=Job)
    field = await work.store.field()
    job = structs.replace(job, order=views.progress(job.order, WorkStatusKind.ENROUTE, wake.at))
    work.send(Verb.CHANGE, views.reported(job.order), about=wake.key)
    stream, crew = _stream(field, "crews"), (await work.store.crews())[job.crew]
    goal = crews.place_of(field.network, job.place)
    due = crews.finding_time(stream, crew.place, goal, job.place, now=wake.at, conditions=field.conditions)
    await work.store.save_crew(structs.replace(crew, place=goal))
    work.wake("look", wake.key, due, _text(job))


@service.on_wake("look")
async def look(wake: Wake, work: Work[Store]) -> None:
    """A crew has arrived, looked and found what there is, or takes one device for another."""
    job = json.decode(wake.payload, type=Job)
    field = await work.store.lock_field()
    stream = _stream(field, "crews")
    scenario = await work.store.running_scenario()
    struck = [] if scenario is None else await work.store.faults(scenario.mrid)
    fault = crews.found_at(field.network, field.open, struck, job.place)
    device = crews.taken_for(stream, field.network, fault, field.conditions)
    order = views.found(job.order, None if fault is None else fault.cause, device, wake.at, WorkStatusKind.ON_SITE)
    work.send(Verb.CHANGE, views.reported(order), about=wake.key)
    if fault is None:
        work.wake("mend", wake.key, wake.at, _text(structs.replace(job, order=order)))
        return
    await work.store.save_fault(structs.replace(fault, found_at=fault.found_at or wake.at))
    due = crews.repair_time(stream, fault, wake.at, field.conditions)
    work.wake("mend", wake.key, due, _text(structs.replace(job, order=order, fault=fault.mrid, named=device)))


@service.on_wake("mend")
async def mend(wake: Wake, work: Work[Store]) -> None:
    """A crew is done, and knows by now which device it was."""
    job = json.decode(wake.payload, type=Job)
    field = await work.store.lock_field()
    order = views.progress(job.order, WorkStatusKind.COMPLETED, wake.at)
    if job.fault is not None:
        fault = await work.store.fault(job.fault)
        await _happen(work, field, lambda protection: protection.repair(fault, wake.at))
        if fault.device != job.named:
            order = views.found(job.order, fault.cause, fault.device, wake.at, WorkStatusKind.COMPLETED)
    work.send(Verb.CHANGE, views.reported(order), about=wake.key)
    await _tell(work)


@service.on(Verb.EXECUTE, SwitchingPlans)
async def instruct(message: Message[SwitchingPlans], work: Work[Store]) -> Later:
    """A crew takes instructions to switch, to test or to ground, and answers when it has done so."""
    field = await work.store.field()
    told = views.instructed(message.noun)
    for device in told.devices:
        _device(field, device)
    lines = [grounds.line_at(field.network, place) for place in told.sites]
    places = [crews.place_of(field.network, mrid) for mrid in (*told.devices, *lines)]
    names = "".join((*told.devices, *lines))
    known = (await work.store.crews()).values()
    due = crews.switching_time(_stream(field, "crews"), known, places, names, now=work.now, conditions=field.conditions)
    work.wake("switch", work.ticket, due, _text(message.noun))
    return LATER


@service.on_wake("switch")
async def switch(wake: Wake, work: Work[Store]) -> None:
    """A crew tests, grounds and switches, and looks on until nothing more will move by itself."""
    plans = json.decode(wake.payload, type=SwitchingPlans)
    field = await work.store.lock_field()
    told = views.instructed(plans)
    refusal = await _work_at_lines(told, field, work)
    if refusal is not None:
        work.answer(wake.key, error=refusal)
        return
    for setting in told.settings:
        await _set_reclosing(setting, field, work)
    outcome = await _operate(work, field, told.operations, wake.at)
    seen = Witness(plans=views.executed(plans, wake.at), operations=told.operations)
    if outcome.recloses:
        over = max(at for _, at in outcome.recloses) + WITNESSED
        work.wake("witness", wake.key, over, _text(seen))
    else:
        _answer(work, wake.key, seen, outcome.opened)
    await _tell(work)


@service.on_wake("witness")
async def witness(wake: Wake, work: Work[Store]) -> None:
    """A crew has seen whether what it switched has held, and answers."""
    field = await work.store.field()
    _answer(work, wake.key, json.decode(wake.payload, type=Witness), field.open)


def _answer(work: Work[Store], ticket: str, seen: Witness, opened: Mapping[str, int]) -> None:
    wanted = {operation.device: operation.open for operation in seen.operations}
    failed = sorted(device for device, is_open in wanted.items() if is_open != (device in opened))
    if failed:
        work.answer(ticket, error=Conflict("the device opened again at once", object_id=failed[0]))
    else:
        work.answer(ticket, seen.plans)


async def _work_at_lines(told: views.Instructed, field: Field, work: Work[Store]) -> Conflict | None:
    """Test what is to be tested, and place and remove grounds; or why not. A crew tests before it grounds."""
    network = field.network
    live = grounds.live_line(field.supply, [grounds.line_at(network, place) for place in told.sites])
    if live is not None:
        return Conflict("the crew has tested it, and it is live", object_id=live)
    placed = await work.store.grounds()
    missing = next((each.mrid for each in told.grounds if each.place is None and each.mrid not in placed), None)
    if missing is not None:
        return Conflict("the crew finds no such ground", object_id=missing)
    for each in told.grounds:
        if each.place is None:
            await work.store.remove_ground(each.mrid)
        else:
            await work.store.place_ground(each.mrid, grounds.line_at(network, each.place))
    return None


async def _set_reclosing(setting: views.Setting, field: Field, work: Work[Store]) -> None:
    await _happen(work, field, lambda protection: protection.enable(setting.device, enabled=setting.enabled))
    if not setting.enabled:
        work.cancel_wake("reclose", setting.device)


async def _told_restored(work: Work[Store], points: Collection[str]) -> None:
    """Who is told that power is back, and has none, may say so."""
    field = await work.store.field()
    if points and field.conditions.callback:
        served = set(points) - await work.store.disconnected(points)
        dark = [spell for each in (await work.store.spells(served)).values() for spell in each if spell.ended is None]
        _will_call(work, callers.callbacks(_stream(field, "callers"), dark, work.now, field.conditions))


async def _operate(work: Work[Store], field: Field, operations: Sequence[Operation], at: datetime) -> Outcome:
    """People operate devices, which then do not go on by themselves."""
    for operation in operations:
        work.cancel_wake("reclose", operation.device)
    return await _happen(work, field, lambda protection: protection.operate(operations, at))


async def _happen(work: Work[Store], field: Field, event: Callable[[Protection], Outcome]) -> Outcome:
    """Let the truth follow from what happens, and set in motion what the field makes of it."""
    shorts = grounds.short_circuits(await work.store.grounds(), field.network, work.now)
    faults, relays = [*await work.store.active_faults(), *shorts], await work.store.relays()
    outcome = event(Protection(field.supply, field.open, faults, relays, conditions=field.conditions, seed=field.seed))
    await work.store.keep_outcome(outcome)
    for device, at in outcome.recloses:
        work.wake("reclose", device, at)
    flags = list(outcome.flags)
    radio = _stream(field, "radio")
    for step in outcome.steps:
        if step.lost:
            await work.store.lose(step.lost, step.at)
            work.wake("qualify", step.at.isoformat(), step.at + meters.CERTAIN, json.encode(step.at).decode())
        if step.lit:
            ended = await work.store.regain(step.lit, step.at)
            _will_send(work, field, meters.wakings(radio, ended, field.conditions), step.at.isoformat())
            live = field.supply.live_of(field.network.indicators)
            lowered = await work.store.lower_flags(live)
            flags += [Flag(indicator=indicator, at=step.at, shows=False) for indicator in lowered]
    _will_scan(work, field, outcome.moves, flags)
    return outcome


def _will_scan(work: Work[Store], field: Field, moves: Iterable[Move], flags: Iterable[Flag]) -> None:
    stream = _stream(field, "scada")
    for due, device, told in telemetry.scans(stream, field.network, moves, flags, field.conditions):
        work.wake("scan", f"{told.since.isoformat()} {device}", due, _text(told))


def _will_send(work: Work[Store], field: Field, sent: Iterable[Sent], event: str) -> None:
    for delivery in meters.deliveries(_stream(field, "radio"), sent, field.radio, field.conditions):
        work.wake("deliver", f"{delivery.collector} {delivery.at.isoformat()} {event}", delivery.at, _text(delivery))


def _will_call(work: Work[Store], made: Iterable[Call]) -> None:
    for each in made:
        work.wake("call", f"{each.usage_point} {each.number} {each.turn} {each.code}", each.at, _text(each))


async def _tell(work: Work[Store]) -> None:
    """Tell how the storm stands, if that is news; where all is well, see whether it stays so."""
    scenario = await work.store.running_scenario()
    if scenario is None:
        return
    if (await work.store.standing(scenario.mrid)).is_over:
        work.wake("calm", scenario.mrid, work.now + CALM)
    told = progress(scenario, await work.store.faults(scenario.mrid))
    if told != scenario:
        await work.store.save_scenario(told)
        work.publish(Verb.CHANGED, TrainingScenarios(training_scenario=(told,)), key=told.mrid)


async def _end(work: Work[Store]) -> None:
    """Tell the end of a storm: what was true, and how well the system did."""
    scenario = await work.store.running_scenario()
    if scenario is None or scenario.start_time is None:
        return
    faults, outages = await work.store.faults(scenario.mrid), await work.store.outages(scenario.mrid)
    darkness, customers = await work.store.darkness(scenario.start_time), await work.store.customers()
    standing, truth = await work.store.standing(scenario.mrid), truth_of(darkness, customers, work.now)
    told = report(scenario, faults, outages, standing=standing, truth=truth, ended=work.now)
    field, crews = await work.store.field(), await work.store.crews()
    score = score_of(
        scenario.mrid,
        field.network,
        faults,
        darkness,
        customers=customers,
        crews=crews,
        seed=field.seed,
        conditions=field.conditions,
        ended=work.now,
    )
    await work.store.save_score(score)
    await work.store.save_scenario(told)
    work.publish(Verb.CHANGED, TrainingScenarios(training_scenario=(told,)), key=told.mrid)
    work.cancel_wake("give-up", scenario.mrid)
    work.cancel_wake("calm", scenario.mrid)


def _stream(field: Field, process: str) -> Stream:
    return Stream(field.seed, process)


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
