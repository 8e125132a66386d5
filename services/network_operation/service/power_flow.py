"""Voltages and currents: of the network as it is, and as a plan would leave it."""

from asyncio import gather
from collections.abc import Callable
from datetime import datetime
from itertools import chain
from typing import TypeVar

from msgspec.structs import replace

from contracts.errors import Invalid
from contracts.message import Message
from contracts.nouns.electrical_models import ElectricalModels
from contracts.nouns.get_switching_studies import GetSwitchingStudies
from contracts.nouns.switching_studies import SwitchingStudies, SwitchingStudy
from contracts.verbs import Verb
from services.network_operation.domain.alarms.conditions import Scope
from services.network_operation.domain.feeder_flow import FeederFlow
from services.network_operation.domain.figures import Figures, FiguresOf, answers, first_look
from services.network_operation.domain.interruptions import cold_loads, interrupted, lasting, next_change
from services.network_operation.domain.live import Live
from services.network_operation.domain.loading import (
    dark_nodes,
    feeder_flows,
    figures_of,
    members,
    posed,
    shared_out,
    switched_state,
)
from services.network_operation.domain.people import speaker
from services.network_operation.domain.power_flow.grid import packed
from services.network_operation.domain.study import present, studied
from services.network_operation.service.alarms import judge
from services.network_operation.service.declared import service
from services.network_operation.store import Store
from shared.work import Wake, Work

T = TypeVar("T")


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
        shares = shared_out(data, questions)
        parts = await gather(*(work.compute(figures_of, part, share) for part, share in shares))
        found.extend(chain.from_iterable(parts))
    return ruling(answers(dict(zip(first.asked, found, strict=False))))


async def follow_loads(live: Live, at: datetime, work: Work[Store]) -> None:
    """Keep who is dark since when, and have the power flow of the network made anew."""
    known = await work.store.interruptions()
    felt = lasting(known, work.now, work.store.memory.rules.cold_load)
    now = interrupted(felt, dark_nodes(live.state), at)
    if now != known:
        await work.store.keep_interruptions(now)
    work.wake("power flow", "", work.now)
