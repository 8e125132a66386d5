"""Network operation: positions in, live feeders out; plans in, instructions out, one after the other.

Longer than 400 lines because all that switches stands here in one place: plans, tags and clearances change the state of
one network under one lock, and a plan goes on, and alarms come and go, wherever one of them does.
"""

import os
from asyncio import gather
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from datetime import datetime, timedelta
from itertools import chain
from typing import TypeVar

from msgspec.structs import replace

from contracts.errors import Conflict, Invalid, NotFound, from_reply
from contracts.interfaces.network_operation import NETWORK_OPERATION
from contracts.message import Message, Request
from contracts.nouns.alarms import Alarm, Alarms
from contracts.nouns.controls import Controls
from contracts.nouns.electrical_models import ElectricalModels
from contracts.nouns.feeder_topology import FeederChange, FeederTopology
from contracts.nouns.get_switching_studies import GetSwitchingStudies
from contracts.nouns.measurements import Measurements
from contracts.nouns.network_models import NetworkModels
from contracts.nouns.operational_tags import OperationalTag, OperationalTags, OperationalTagState
from contracts.nouns.safety_documents import SafetyDocuments
from contracts.nouns.switching_events import SwitchingEvent, SwitchingEvents
from contracts.nouns.switching_plans import SwitchingPlan, SwitchingPlans, SwitchingStepState
from contracts.nouns.switching_studies import SwitchingStudies, SwitchingStudy
from contracts.nouns.unplanned_outages import UnplannedOutages
from contracts.types import Status
from contracts.verbs import Verb
from services.network_operation.config import rules_from
from services.network_operation.domain import clearances, measured, overrides, tags
from services.network_operation.domain.acts import PAPERWORK, Act, ActKind, act_of
from services.network_operation.domain.alarms import conditions, desk, machine
from services.network_operation.domain.alarms.conditions import Scope
from services.network_operation.domain.alarms.flood import WINDOW, flooded
from services.network_operation.domain.clearances import Clearance, still_valid
from services.network_operation.domain.execution import (
    Decision,
    aborted,
    begun,
    commanded,
    confirmed,
    decided,
    in_place,
    instruction,
    is_disturbed,
    is_outside_of_plans,
    is_under_way,
    log_of,
    miscellaneous,
    placed_by,
    settled,
    stopped,
    the_plan,
    waiting_for,
)
from services.network_operation.domain.feeder_flow import FeederFlow
from services.network_operation.domain.figures import Figures, FiguresOf, answers, first_look
from services.network_operation.domain.interruptions import cold_loads, interrupted, lasting, next_change
from services.network_operation.domain.live import Live, past, stood
from services.network_operation.domain.loading import (
    dark_nodes,
    feeder_flows,
    figures_of,
    members,
    posed,
    switched_state,
)
from services.network_operation.domain.network_state import NetworkState
from services.network_operation.domain.operations import (
    Note,
    by_command,
    by_hand,
    by_itself,
    moved_phases,
    notes_in,
    operation,
    signals,
)
from services.network_operation.domain.paperwork import filed
from services.network_operation.domain.people import speaker
from services.network_operation.domain.phases import Phases
from services.network_operation.domain.plans import Moved, Wish, moved, taken
from services.network_operation.domain.positions import Position, Standing, hear, positions_in
from services.network_operation.domain.power_flow.grid import packed
from services.network_operation.domain.reclosing import Reclosing, reclosing_in
from services.network_operation.domain.rules import refuse
from services.network_operation.domain.rules.move import Move
from services.network_operation.domain.situation import Situation
from services.network_operation.domain.steps import (
    StepKey,
    awaited,
    crew_part,
    due,
    executed_at,
    position_after,
    ready,
    reclosing_after,
    step_state,
    steps,
    with_step,
)
from services.network_operation.domain.study import present, studied
from services.network_operation.store import Memory, Store
from shared.service import Service
from shared.work import Wake, Work

T = TypeVar("T")

AT_ONCE = 4
"""So many states of the network are solved by one process, one after the other."""

service = Service(NETWORK_OPERATION, store=Store, memory=lambda: Memory(rules_from(os.environ)))

FLOOD_WATCH = timedelta(minutes=1)
"""How often it is looked whether a flood is over."""

SILENCE_MARGIN = timedelta(seconds=1)
"""How long after a value has become old it is missed."""


@service.on(Verb.CREATED, NetworkModels)
async def adopt_model(message: Message[NetworkModels], work: Work[Store]) -> None:
    """A new model replaces the old one; what is known of its switches is carried over by mRID."""
    revision = max((model.revision or 0 for model in message.noun.network_model), default=0)
    built = await work.request(FeederTopology)
    live = await work.store.lock_network()
    if revision < live.wiring.model_revision:
        return
    feeders = built.whole()
    live = live.adopted(feeders, await work.store.standings(), revision, work.now, work.new_id())
    await work.store.replace_model(live, feeders, work.now)
    for mrid in live.told:
        work.publish(Verb.CHANGED, FeederTopology(feeder_change=(live.news(mrid),)), key=mrid)
    await recheck_proofs(live, work)
    await judge(Scope(everything=True), work)
    await follow_loads(live, work.now, work)


@service.on(Verb.CREATED, Measurements)
async def hear_field(message: Message[Measurements], work: Work[Store]) -> None:
    """What telemetry says of switches becomes the live state, and may be what a plan waits for; flags are told."""
    await work.store.lock_network()
    points, notes = measured.points_in(message.noun), notes_in(message.noun)
    await work.store.keep_points(points)
    positions = positions_in(message.noun)
    obeyed = [position.device for position in positions if await take_position(position, work, notes=notes)]
    for signal in signals(notes):
        await record(signal, work)
    for heard in reclosing_in(message.noun):
        await take_reclosing(heard, work)
        obeyed.append(heard.device)
    for watched in sorted({point.equipment for point in points if conditions.is_watched(point)}):
        work.wake("silence", watched, work.now + work.store.memory.rules.stale + SILENCE_MARGIN)
    devices = frozenset(each.device for each in positions) | {each.device for each in notes}
    await judge(replace(conditions.about(points), devices=devices, obeyed=frozenset(obeyed)), work)


@service.on(Verb.GET, Measurements)
async def tell_values(message: Message[Measurements], work: Work[Store]) -> AsyncIterator[Measurements]:
    """The last values of the points, or of the equipment, that are named; else all. A word goes before a value."""
    named = [] if message.request is None else [each.value for each in message.request.id]
    live, standings = await work.store.network(), await work.store.dressed(named)
    points = [point.aged(work.now, work.store.memory.rules.stale) for point in await work.store.points(named)]
    switches = live.state.structure.equipment
    yield Measurements(
        discrete=tuple(chain.from_iterable(overrides.told(each, switches.get(each.device)) for each in standings))
    )
    for part in measured.parts(points):
        yield part


@service.on(Verb.CREATE, Measurements)
async def dress_switch(message: Message[Measurements], work: Work[Store]) -> Measurements:
    """An operator says where a switch stands; for a time that goes before all that telemetry tells of it."""
    structure = (await work.store.lock_network()).state.structure
    word = overrides.word_in(message.noun, speaker(message.header, work.principal), structure, work.now)
    device = word.switch.mrid
    overrides.refuse_to_hide(device, await work.store.situation())
    known = word.after(await work.store.standing(device))
    await stand(known, f"{word.by}: {word.reason}", work)
    work.wake("word", device, word.until, word.since.isoformat())
    return Measurements(discrete=overrides.told(known, word.switch))


@service.on(Verb.DELETE, Measurements)
async def undress_switch(message: Message[Measurements], work: Work[Store]) -> Measurements:
    """An operator takes his word back; what telemetry has told meanwhile counts again."""
    structure = (await work.store.lock_network()).state.structure
    person = speaker(message.header, work.principal)
    device = overrides.taken_back(message.noun, person, structure)
    known = await work.store.standing(device)
    if known.override is None:
        raise NotFound("nobody says by word where it stands", object_id=device)
    await stand(replace(known, override=None), f"{person.name}: the word is taken back", work)
    work.cancel_wake("word", device)
    points = await work.store.points([device])
    return next(measured.parts(points), Measurements())


@service.on_wake("word")
async def end_word(wake: Wake, work: Work[Store]) -> None:
    """The time is over for which an operator has said where a switch stands."""
    await work.store.lock_network()
    known = await work.store.standing(wake.key)
    if known.override is not None and known.override.since.isoformat() == wake.payload:
        await stand(replace(known, override=None), "the word of an operator has ended", work)


@service.on(Verb.GET, FeederTopology)
async def tell_feeders(message: Message[FeederTopology], work: Work[Store]) -> AsyncIterator[FeederTopology]:
    """The feeders as they are now, or were at the EndTime; one in each part of the reply, a large one in several."""
    request = message.request or Request()
    if request.end_time is not None and request.end_time < work.now:
        built, at = await work.store.built_at(request.end_time), request.end_time
        feeders = past(built, await work.store.open_at(at), at)
    else:
        feeders = (await work.store.network()).feeders
    wanted = {each.value for each in request.id}
    missing = wanted - {feeder.mrid for feeder in feeders}
    if missing:
        raise NotFound("there is no such feeder", object_id=min(missing))
    if not feeders:
        yield FeederTopology()
    for part in chain.from_iterable(feeder.parts() for feeder in feeders if not wanted or feeder.mrid in wanted):
        yield FeederTopology(feeder=(part,))


@service.on(Verb.CREATE, SwitchingPlans)
async def take_plan(message: Message[SwitchingPlans], work: Work[Store]) -> SwitchingPlans:
    """A draft is kept; any other plan is an emergency: if the rules let it, its first step is instructed at once."""
    plan = the_plan(message.noun)
    await ask_about_outage(plan, work)
    await work.store.lock_network()
    if await work.store.plan(plan.mrid) is not None:
        raise Conflict("there is a plan with this mRID already", object_id=plan.mrid)
    person = speaker(message.header, work.principal)
    situation = await work.store.situation(plan.mrid)
    new = await with_figures(lambda figures: taken(plan, person, replace(situation, figures=figures), work.now), work)
    return SwitchingPlans(switching_plan=(await move_on(Verb.CREATED, new, work),))


@service.on(Verb.CHANGE, SwitchingPlans)
async def change_plan(message: Message[SwitchingPlans], work: Work[Store]) -> SwitchingPlans:
    """A person moves a plan on. Where its issue is refused, the plan that comes back is a draft and says why."""
    asked = the_plan(message.noun)
    known = await work.store.known_plan(asked.mrid)
    if known is None:
        raise NotFound("there is no such plan", object_id=asked.mrid)
    await ask_about_outage(known.plan, work)
    await work.store.lock_network()
    wish = Wish(
        asked=asked,
        person=speaker(message.header, work.principal),
        situation=await work.store.situation(asked.mrid),
        at=work.now,
        others=await work.store.plans_under_way(),
    )
    before = await work.store.known_plan(asked.mrid) or known
    new = await with_figures(lambda figures: moved(before, wish.with_figures(figures)), work)
    for key in set(awaited(known.plan)) - set(awaited(new.plan)):
        work.cancel_wake("step", str(key))
    verb = Verb.CHANGED if is_under_way(new.plan) else Verb.CLOSED
    return SwitchingPlans(switching_plan=(await move_on(verb, new, work),))


@service.on(Verb.GET, Alarms)
async def tell_alarms(message: Message[Alarms], work: Work[Store]) -> Alarms:
    """The alarms named, whatever became of them; else all that are not over, and the flood while there is one."""
    named = [] if message.request is None else [each.value for each in message.request.id]
    alarms, flood = await work.store.alarms(named), await work.store.flood()
    missing = [mrid for mrid in named if mrid not in alarms]
    if missing:
        raise NotFound("there is no such alarm", object_id=missing[0])
    wanted = named or list(alarms)
    is_on = flood is not None and flood.end_date_time is None
    return Alarms(alarm=tuple(alarms[mrid] for mrid in wanted), alarm_flood=flood if is_on else None)


@service.on(Verb.CHANGE, Alarms)
async def act_on_alarms(message: Message[Alarms], work: Work[Store]) -> Alarms:
    """A person has seen alarms, puts them aside for a time, or takes them out of service; or the reverse."""
    await work.store.lock_network()
    person = speaker(message.header, work.principal)
    known = await work.store.alarms([asked.mrid for asked in message.noun.alarm])
    after: dict[str, Alarm] = {}
    for asked in message.noun.alarm:
        if asked.mrid not in known:
            raise NotFound("there is no such alarm", object_id=asked.mrid)
        alarm = after.get(asked.mrid, known[asked.mrid])
        after[asked.mrid] = machine.acted(alarm, asked, person, work.now)
    news = [machine.told(known[mrid], alarm, work.now) for mrid, alarm in after.items()]
    await sound(news, known, work)
    return Alarms(alarm=tuple(news))


@service.on_wake("shelf")
async def end_shelf(wake: Wake, work: Work[Store]) -> None:
    """The time is over for which an alarm was put aside."""
    await work.store.lock_network()
    known = await work.store.alarms([wake.key])
    alarm = known.get(wake.key)
    if alarm is not None and alarm.shelving is not None and alarm.shelving.until_date_time == wake.at:
        await sound([machine.told(alarm, machine.unshelved(alarm), work.now)], known, work)


@service.on_wake("settling")
async def look_again(_wake: Wake, work: Work[Store]) -> None:
    """What explained an alarm is gone for a while: if it still holds it is shown."""
    await judge(Scope(), work)


@service.on_wake("silence")
async def miss_news(wake: Wake, work: Work[Store]) -> None:
    """Nothing was heard of a piece of equipment for too long; a switch that nobody reaches is not believed."""
    await work.store.lock_network()
    points, known = await work.store.points([wake.key]), await work.store.standing(wake.key)
    for position in conditions.doubts(points, known):
        await take_position(position, work)
    await judge(Scope(equipment=frozenset({wake.key})), work)


@service.on_wake("flood")
async def watch_flood(_wake: Wake, work: Work[Store]) -> None:
    """A flood goes on until fewer alarms come."""
    await work.store.lock_network()
    await count_calls(work)


@service.on(Verb.GET, SwitchingPlans)
async def tell_plans(message: Message[SwitchingPlans], work: Work[Store]) -> SwitchingPlans:
    """The plans named, whatever became of them; else all that are under way."""
    if message.request is None or not message.request.id:
        return SwitchingPlans(switching_plan=await work.store.plans_under_way())
    told = []
    for wanted in message.request.id:
        plan = await work.store.plan(wanted.value)
        if plan is None:
            raise NotFound("there is no such plan", object_id=wanted.value)
        told.append(plan)
    return SwitchingPlans(switching_plan=tuple(told))


@service.on(Verb.GET, SwitchingStudies)
async def look_ahead(message: Message[SwitchingStudies], work: Work[Store]) -> SwitchingStudies:
    """What each option would do to the network as it is now, without doing it; an empty one tells how it is."""
    query = None if message.request is None else message.request.query
    if not isinstance(query, GetSwitchingStudies):
        raise Invalid("GetSwitchingStudies: the question names no options", code="1.6")
    situation = await work.store.situation()
    people = speaker(message.header, work.principal).may_switch
    flows = await work.store.last_flows((await work.store.network()).told)

    def study(figures: FiguresOf) -> tuple[SwitchingStudy, ...]:
        computed = replace(situation, figures=figures)
        return tuple(
            studied(option, computed, work.now, by_person=people)
            if option.operation
            else present(option, flows, work.now)
            for option in query.switching_option
        )

    return SwitchingStudies(switching_study=await with_figures(study, work))


@service.on(Verb.CREATE, OperationalTags)
async def take_tags(message: Message[OperationalTags], work: Work[Store]) -> OperationalTags:
    """Tags are hung, or announced."""
    await work.store.lock_network()
    person, made = speaker(message.header, work.principal), []
    for asked in message.noun.operational_tag:
        if await work.store.tag(asked.mrid) is not None:
            raise Conflict("there is a tag with this mRID already", object_id=asked.mrid)
        situation = await work.store.situation()
        made.append(tags.made(asked, person, situation.grid, Status(date_time=work.now)))
        await save_tag(made[-1], situation, work)
        work.publish(Verb.CREATED, OperationalTags(operational_tag=(made[-1],)), key=tags.device_of(made[-1]))
    return OperationalTags(operational_tag=tuple(made))


@service.on(Verb.CHANGE, OperationalTags)
async def change_tags(message: Message[OperationalTags], work: Work[Store]) -> OperationalTags:
    """A tag is placed, verified, handed over, or taken away by its holder."""
    await work.store.lock_network()
    person, changed = speaker(message.header, work.principal), []
    for asked in message.noun.operational_tag:
        known = await work.store.tag(asked.mrid)
        if known is None:
            raise NotFound("there is no such tag", object_id=asked.mrid)
        changed.append(tags.changed(known, asked, person, Status(date_time=work.now)))
        await save_tag(changed[-1], await work.store.situation(), work)
        work.publish(Verb.CHANGED, OperationalTags(operational_tag=(changed[-1],)), key=tags.device_of(known))
    await let_plans_end(work)
    return OperationalTags(operational_tag=tuple(changed))


@service.on(Verb.GET, OperationalTags)
async def tell_tags(message: Message[OperationalTags], work: Work[Store]) -> OperationalTags:
    """The tags named; else all that hang or are to hang."""
    if message.request is None or not message.request.id:
        return OperationalTags(operational_tag=await work.store.tags())
    told = []
    for wanted in message.request.id:
        tag = await work.store.tag(wanted.value)
        if tag is None:
            raise NotFound("there is no such tag", object_id=wanted.value)
        told.append(tag)
    return OperationalTags(operational_tag=tuple(told))


@service.on(Verb.CREATE, SafetyDocuments)
async def take_clearances(message: Message[SafetyDocuments], work: Work[Store]) -> SafetyDocuments:
    """Clearances begin as drafts."""
    grid, made = (await work.store.lock_network()).grid, []
    for asked in clearances.only_clearances(message.noun):
        if await work.store.clearance(asked.mrid) is not None:
            raise Conflict("there is a clearance with this mRID already", object_id=asked.mrid)
        made.append(clearances.drafted(asked, grid, Status(date_time=work.now)))
        await save_clearance(Verb.CREATED, made[-1], work)
    return SafetyDocuments(clearance_document=tuple(each.document for each in made))


@service.on(Verb.CHANGE, SafetyDocuments)
async def change_clearances(message: Message[SafetyDocuments], work: Work[Store]) -> SafetyDocuments:
    """A clearance is prepared, issued, suspended, surrendered by its holder, released or cancelled."""
    await work.store.lock_network()
    person, changed = speaker(message.header, work.principal), []
    for asked in clearances.only_clearances(message.noun):
        known = await work.store.clearance(asked.mrid)
        if known is None:
            raise NotFound("there is no such clearance", object_id=asked.mrid)
        site = (await work.store.situation()).site
        changed.append(clearances.moved(known, asked, person, site, Status(date_time=work.now)))
        await save_clearance(Verb.CHANGED, changed[-1], work)
    return SafetyDocuments(clearance_document=tuple(each.document for each in changed))


@service.on(Verb.GET, SafetyDocuments)
async def tell_clearances(message: Message[SafetyDocuments], work: Work[Store]) -> SafetyDocuments:
    """The clearances named; else all that are not over."""
    if message.request is None or not message.request.id:
        return SafetyDocuments(clearance_document=tuple(each.document for each in await work.store.clearances()))
    told = []
    for wanted in message.request.id:
        clearance = await work.store.clearance(wanted.value)
        if clearance is None:
            raise NotFound("there is no such clearance", object_id=wanted.value)
        told.append(clearance.document)
    return SafetyDocuments(clearance_document=tuple(told))


@service.on(Verb.CREATED, UnplannedOutages)
@service.on(Verb.CHANGED, UnplannedOutages)
@service.on(Verb.CLOSED, UnplannedOutages)
async def hear_of_outages(message: Message[UnplannedOutages], work: Work[Store]) -> None:
    """Nothing is closed onto a fault that fault management knows of."""
    for outage in message.noun.unplanned_outage:
        await work.store.save_outage(outage)


@service.on_reply(Verb.CREATE, Controls)
async def hear_of_command(message: Message[Controls], work: Work[Store]) -> None:
    """A command that failed leaves its step pending; one that was taken proves nothing, only the field does."""
    failure = None if message.reply is None else from_reply(message.reply)
    if failure is not None:
        await stop(StepKey.parse(work.about), SwitchingStepState.PENDING, failure.reason, work)


@service.on_reply(Verb.EXECUTE, SwitchingPlans)
async def hear_of_crew(message: Message[SwitchingPlans], work: Work[Store]) -> None:
    """The word of the crew is what was done, even when its plan was given up meanwhile."""
    key = StepKey.parse(work.about)
    failure = None if message.reply is None else from_reply(message.reply)
    if failure is not None:
        await stop(key, SwitchingStepState.FAILED, failure.reason, work)
        return
    plan = await work.store.plan(key.plan)
    if plan is None:
        return
    at = executed_at(message.payload) or work.now
    position, reclosing = position_after(plan, key, at), reclosing_after(plan, key, at)
    if position is not None:
        await take_position(position, work, plan=key.plan)
        await judge(Scope(devices=frozenset({position.device}), obeyed=frozenset({position.device})), work)
    elif reclosing is not None:
        await take_reclosing(reclosing, work)
        await judge(Scope(obeyed=frozenset({reclosing.device})), work)
    else:
        await finish(key, at, work)


@service.on_wake("step")
async def give_up(wake: Wake, work: Work[Store]) -> None:
    """Of a step that nobody confirmed in time it is not known what became of it."""
    await stop(StepKey.parse(wake.payload), SwitchingStepState.PENDING, "no confirmation in time", work)


@service.on_wake("plan")
async def begin_in_time(wake: Wake, work: Work[Store]) -> None:
    """The planned time of a step has come."""
    await work.store.lock_network()
    plan = await work.store.plan(wake.key)
    if plan is not None:
        await carry_on(plan, work)


@service.on_wake("power flow")
async def solve_network(_wake: Wake, work: Work[Store]) -> None:
    """Loading and voltage of the network as it is now; again when it changes, and while cold loads become warmer."""
    live, cold = await work.store.network(), work.store.memory.rules.cold_load
    data = await work.store.electrical(live.wiring.model_revision)
    new = data is None
    if data is None:
        models = (await work.request(ElectricalModels)).electrical_model
        if any(each.model_version != live.model_version for each in models):
            return  # of another model, which is about to be adopted
        data = packed(models) if models else b""
    known = await work.store.interruptions()
    flows: tuple[FeederFlow, ...] = ()
    if data:
        state = switched_state(live.state, cold_loads(known, work.now, cold))
        of = members(live.state)
        flows = await work.compute(feeder_flows, data, state, of, work.now, live.model_version)
    await work.store.lock_network()
    if new:
        await work.store.save_electrical(live.wiring.model_revision, data)
    await work.store.save_flows(flows)
    await judge(Scope(flows=await work.store.last_flows(live.told)), work)
    later = next_change(known, work.now, cold)
    if later is not None:
        work.wake("power flow", "", later)


async def follow_loads(live: Live, at: datetime, work: Work[Store]) -> None:
    """Keep who is dark since when, and have the power flow of the network made anew."""
    known = await work.store.interruptions()
    felt = lasting(known, work.now, work.store.memory.rules.cold_load)
    now = interrupted(felt, dark_nodes(live.state), at)
    if now != known:
        await work.store.keep_interruptions(now)
    work.wake("power flow", "", work.now)


async def with_figures(ruling: Callable[[FiguresOf], T], work: Work[Store]) -> T:
    """Rule with the figures that the rules want: first without, to learn which those are, then with them."""
    first = first_look(ruling)
    if not first.asked and first.result is not None:
        return first.result
    data = await work.store.electrical((await work.store.network()).wiring.model_revision)
    cold = work.store.memory.rules.cold_load
    loads = cold_loads(await work.store.interruptions(), work.now, cold)
    found: list[Figures] = []
    if data:
        questions = tuple(posed(each, loads) for each in first.asked.values())
        shares = (questions[place : place + AT_ONCE] for place in range(0, len(questions), AT_ONCE))
        parts = await gather(*(work.compute(figures_of, data, share) for share in shares))
        found.extend(chain.from_iterable(parts))
    return ruling(answers(dict(zip(first.asked, found, strict=False))))


async def ask_about_outage(plan: SwitchingPlan, work: Work[Store]) -> None:
    """Learn how the outage stands that a plan is about, since the word of it may be slower than the plan."""
    if plan.outage is not None and plan.outage.mrid is not None:
        told = await work.request(UnplannedOutages, ids=[plan.outage.mrid])
        for outage in told.unplanned_outage:
            await work.store.save_outage(outage)


async def take_position(
    position: Position, work: Work[Store], *, notes: tuple[Note, ...] = (), plan: str | None = None
) -> bool:
    """Tell an operation, make it the live state as far as it counts, and go on with the one plan that waits for it.

    ``plan`` is given with what a crew says that it has carried out. True when something has moved.
    """
    live = await work.store.lock_network()
    known = await work.store.standing(position.device)
    heard = hear(known, position)
    state = stood(live.state, heard.standing)
    is_new = heard.standing != known
    is_there = position.sure and state.stands(position.device, is_open=position.open)
    awaiting = await work.store.plans_awaiting() if is_there and (is_new or plan is not None) else ()
    waiting = waiting_for(position, awaiting)
    event = await tell_operation(position, heard.history, live, work, notes=notes, plan=plan, waiting=waiting)
    if is_new:
        await work.store.save_standing(heard.standing)
        await move_network(live, state, position.at, work)
    if event is not None:
        await hand_over(event, work)
        await log(event, work)
    if waiting is not None:
        await confirm(*waiting, position.at, work)
    return event is not None


async def judge(scope: Scope, work: Work[Store]) -> None:
    """Let alarms come and go with what holds now."""
    facts, scope = await work.store.facts(scope, work.now)
    held = conditions.found(scope, facts)
    new = [each.alarm for each in held if each.alarm not in facts.known]
    known = await work.store.alarms(new) if new else facts.known
    await sound(desk.judged(known, held, scope, facts.grid, work.now), known, work)


async def sound(alarms: Iterable[Alarm], known: Mapping[str, Alarm], work: Work[Store]) -> None:
    """Keep alarms that are otherwise than they were known, tell them, and look at them again in time."""
    called = False
    for alarm in alarms:
        before = known.get(alarm.mrid)
        if alarm == before:
            continue
        calls = machine.sounds(before, alarm)
        called |= calls
        await work.store.save_alarm(alarm, calls=calls)
        work.publish(Verb.CREATED if before is None else Verb.CHANGED, Alarms(alarm=(alarm,)), key=alarm.mrid)
        for name, mark in (("shelf", alarm.shelving), ("settling", alarm.suppression)):
            if mark is not None and mark.until_date_time is not None:
                work.wake(name, alarm.mrid, mark.until_date_time)
    if called:
        await count_calls(work)


async def count_calls(work: Work[Store]) -> None:
    """Tell when more alarms call than the operators can look at, and when that is over."""
    known = await work.store.flood()
    flood = flooded(known, await work.store.calls(work.now - WINDOW), work.store.memory.rules.operators, work.now)
    if flood is None:
        return
    if flood != known:
        await work.store.save_flood(flood)
        work.publish(Verb.CHANGED, Alarms(alarm_flood=flood), key="flood")
    if flood.end_date_time is None:
        work.wake("flood", "all", work.now + FLOOD_WATCH)


async def stand(standing: Standing, reason: str, work: Work[Store]) -> None:
    """Let a switch stand as an operator says, or no longer: told and entered where it is otherwise than before."""
    live = await work.store.lock_network()
    switch = live.state.structure.equipment.get(standing.device)
    before = (await work.store.standing(standing.device)).open_phases(switch)
    await work.store.save_standing(standing)
    for position in overrides.changes(before, standing.open_phases(switch), standing.device, work.now):
        await work.store.add_movement(position, position.phases)
        event = replace(operation(position, position.phases, switch), reason=reason)
        await record(event, work)
        await log(event, work)
    await move_network(live, stood(live.state, standing), work.now, work)
    await judge(Scope(devices=frozenset({standing.device})), work)


async def tell_operation(
    position: Position,
    counting: Phases,
    live: Live,
    work: Work[Store],
    *,
    notes: tuple[Note, ...],
    plan: str | None,
    waiting: tuple[SwitchingPlan, StepKey] | None,
) -> SwitchingEvent | None:
    """Enter what moved into the timeline and tell it, with how that came about; None when nothing did."""
    switch = live.state.structure.equipment.get(position.device)
    moved = moved_phases(position, counting, switch, await work.store.open_before(position.device, position.at))
    if not moved:
        return None
    event = operation(position, moved, switch, notes)
    if plan is not None:
        event = by_hand(event, plan)
    elif waiting is not None:
        event = by_command(event, waiting[0].mrid)
    else:
        event = by_itself(event, switch, await work.store.last_operation(position.device, position.at))
    await work.store.add_movement(position, moved)
    await record(event, work)
    return event


async def move_network(live: Live, state: NetworkState, at: datetime, work: Work[Store]) -> None:
    """Make a state the present one since ``at``, and tell what is different."""
    if state is not live.state:
        live, changes = live.moved(state, at, work.new_id())
        await keep_network(live, changes, work)
        await follow_loads(live, at, work)


async def keep_network(live: Live, changes: Iterable[FeederChange], work: Work[Store]) -> None:
    """Keep the next state of the network, and tell the changes of its feeders."""
    told = tuple(changes)
    await work.store.keep_network(live, [change.mrid for change in told])
    for change in told:
        work.publish(Verb.CHANGED, FeederTopology(feeder_change=(change,)), key=change.mrid)
    await recheck_proofs(live, work)


async def take_reclosing(heard: Reclosing, work: Work[Store]) -> None:
    """Keep whether a device closes again by itself, and go on with the plan that waits for it."""
    await work.store.lock_network()
    await work.store.save_reclosing(heard)
    for plan in await work.store.plans_awaiting():
        for key in awaited(plan):
            if reclosing_after(plan, key, heard.at) == heard:
                await confirm(plan, key, heard.at, work)
                return


async def record(event: SwitchingEvent, work: Work[Store]) -> None:
    """Keep what happened in the field and tell it, once."""
    if await work.store.add_event(event):
        key = event.operated_switch.mrid or ""
        work.publish(Verb.CREATED, SwitchingEvents(switching_event=(event,)), key=key)


async def log(event: SwitchingEvent, work: Work[Store]) -> None:
    """Enter an operation that no plan asked for into the log of its day."""
    if is_outside_of_plans(event):
        await keep(miscellaneous(await work.store.plan(log_of(event)), event, work.now), work)


async def hand_over(event: SwitchingEvent, work: Work[Store]) -> None:
    """What trips unexpectedly ends the sequences of automation around it; a person decides how they go on."""
    for known in await work.store.known_plans_under_way():
        if is_disturbed(known.plan, known.basis, event):
            for key in awaited(known.plan):
                work.cancel_wake("step", str(key))
            reason = f"'{event.operated_switch.mrid}' tripped meanwhile"
            await keep(aborted(known.plan, work.now, reason), work)


async def recheck_proofs(live: Live, work: Work[Store]) -> None:
    """Forget that a section was tested dead where that is no longer sure."""
    proofs = await work.store.proofs()
    if proofs:
        await work.store.keep_proofs(still_valid(proofs, live.grid))


async def move_on(verb: Verb, new: Moved, work: Work[Store]) -> SwitchingPlan:
    """Keep a plan in its new state with what it was checked against, tell it, and carry it on."""
    await work.store.save_plan(new.plan)
    await work.store.save_basis(new.plan.mrid, new.basis)
    work.publish(verb, SwitchingPlans(switching_plan=(new.plan,)), key=new.plan.mrid)
    return await carry_on(new.plan, work)


async def carry_on(plan: SwitchingPlan, work: Work[Store]) -> SwitchingPlan:
    """Begin every step that may begin now; then the plan waits, or is over."""
    while (key := ready(plan, work.now)) is not None:
        plan = await begin(plan, key, work)
    later = due(plan)
    if later is None:
        work.cancel_wake("plan", plan.mrid)
    else:
        work.wake("plan", plan.mrid, later)
    plan = settled(plan, placed_by(plan) & in_place(await work.store.situation(plan.mrid)), work.now)
    await keep(plan, work)
    return plan


async def begin(plan: SwitchingPlan, key: StepKey, work: Work[Store]) -> SwitchingPlan:
    """Let the rules judge a step in the situation of this moment, and have it carried out."""
    known = await work.store.known_plan(plan.mrid)
    situation = await work.store.situation(plan.mrid)
    basis = None if known is None else known.basis

    def decide(figures: FiguresOf) -> Decision:
        return decided(plan, key, replace(situation, figures=figures), basis)

    step = await with_figures(decide, work)
    plan = begun(plan, work.now)
    if step.act is None or step.refusal is not None:
        return stopped(plan, key, SwitchingStepState.FAILED, step.refusal or "it says nothing", work.now)
    if step.is_done:
        return with_step(plan, key, SwitchingStepState.PREVIOUSLY_COMPLETED, work.now)
    plan = with_step(plan, key, SwitchingStepState.INSTRUCTED, work.now)
    if step.own:
        refusal = await take_effect(step.act, plan, situation, work)
        if refusal is not None:
            return stopped(plan, key, SwitchingStepState.FAILED, refusal, work.now)
        return confirmed(plan, key, work.now)
    told = instruction(key, step.act, remote=step.remote, at=work.now)
    if told.controls is not None:
        work.send(Verb.CREATE, told.controls, about=str(key))
    else:
        work.send(Verb.EXECUTE, crew_part(plan, key), about=str(key))
    work.wake("step", str(key), told.until, str(key))
    return plan


async def finish(key: StepKey, at: datetime, work: Work[Store]) -> None:
    """A crew has done what no measurement shows."""
    await work.store.lock_network()
    plan = await work.store.plan(key.plan)
    if plan is None or key not in awaited(plan):
        return
    situation = await work.store.situation(plan.mrid)
    act = act_of(steps(plan)[key.number].action, str(key), plan.mrid, situation.grid)
    refusal = await take_effect(act, plan, situation, work)
    if refusal is None:
        await confirm(plan, key, at, work)
    else:
        await stop(key, SwitchingStepState.FAILED, refusal, work)


async def take_effect(act: Act, plan: SwitchingPlan, situation: Situation, work: Work[Store]) -> str | None:
    """Keep what an act has changed besides the positions of switches; the reason, if it cannot be."""
    if act.kind in {ActKind.PLACE, ActKind.REMOVE}:
        await rewire(act, work)
        return None
    if act.kind is ActKind.TEST:
        proofs = situation.after(act).proofs
        if proofs == situation.proofs:
            return "the section is not known to be dead"
        await work.store.keep_proofs(proofs)
    if act.kind not in PAPERWORK:
        return None
    paper = filed(act, plan, situation, Status(date_time=work.now))
    if paper.tag is not None:
        verb = Verb.CREATED if await work.store.tag(paper.tag.mrid) is None else Verb.CHANGED
        await work.store.save_tag(paper.tag)
        work.publish(verb, OperationalTags(operational_tag=(paper.tag,)), key=tags.device_of(paper.tag))
        await judge(conditions.about_tag(paper.tag, situation.grid), work)
    if paper.clearance is not None:
        await save_clearance(Verb.CHANGED, paper.clearance, work)
    return paper.refusal


async def rewire(act: Act, work: Work[Store]) -> None:
    """Put a temporary object into the live network, or take it out."""
    live = await work.store.lock_network()
    if act.temporary is not None:
        await work.store.place(act.temporary)
        after = live.with_temporary(act.temporary, work.now, work.new_id())
    else:
        await work.store.remove(act.device)
        after = live.without_temporary(act.device, work.now, work.new_id())
    await keep_network(after, (after.news(mrid) for mrid in after.since(live)), work)
    await judge(Scope(everything=True), work)
    await follow_loads(after, work.now, work)


async def confirm(plan: SwitchingPlan, key: StepKey, at: datetime, work: Work[Store]) -> None:
    """A step was carried out; its plan goes on."""
    work.cancel_wake("step", str(key))
    await carry_on(confirmed(plan, key, at), work)


async def stop(key: StepKey, to: SwitchingStepState, reason: str, work: Work[Store]) -> None:
    """Something went wrong with a step, and with a device that has not obeyed; nothing when it is awaited no more."""
    live = await work.store.lock_network()
    plan = await work.store.plan(key.plan)
    if plan is not None and key in awaited(plan) and step_state(steps(plan)[key.number]) is not to:
        work.cancel_wake("step", str(key))
        await keep(stopped(plan, key, to, reason, work.now), work)
        device = commanded(plan, key, live.grid)
        if device is not None:
            await judge(Scope(failed=(conditions.command_failed(device, reason, live.grid, work.now),)), work)


async def let_plans_end(work: Work[Store]) -> None:
    """A plan that waits only for what it has placed to be gone may be over now."""
    left = in_place(await work.store.situation())
    for plan in await work.store.plans_under_way():
        await keep(settled(plan, placed_by(plan) & left, work.now), work)


async def save_tag(tag: OperationalTag, situation: Situation, work: Work[Store]) -> None:
    """Keep a tag, if the rules let it hang there or be taken away."""
    kind = {OperationalTagState.PLACED: ActKind.PLACE_TAG, OperationalTagState.REMOVED: ActKind.REMOVE_TAG}
    act = kind.get(tags.state(tag))
    if act is not None:
        refuse(Move(act=Act(kind=act, device=tags.device_of(tag), tag=tag), before=situation))
    await work.store.save_tag(tag)
    await judge(conditions.about_tag(tag, situation.grid), work)


async def save_clearance(verb: Verb, clearance: Clearance, work: Work[Store]) -> None:
    """Keep a clearance and tell it."""
    await work.store.save_clearance(clearance)
    work.publish(verb, SafetyDocuments(clearance_document=(clearance.document,)), key=clearance.mrid)


async def keep(plan: SwitchingPlan, work: Work[Store]) -> None:
    """Save a plan and tell how it stands, if that is news."""
    if await work.store.plan(plan.mrid) != plan:
        await work.store.save_plan(plan)
        verb = Verb.CHANGED if is_under_way(plan) else Verb.CLOSED
        work.publish(verb, SwitchingPlans(switching_plan=(plan,)), key=plan.mrid)
