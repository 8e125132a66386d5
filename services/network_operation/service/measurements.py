"""Measured values, and the operator's word in their place."""

from collections.abc import AsyncIterator
from itertools import chain

from msgspec.structs import replace

from contracts.errors import NotFound
from contracts.message import Message
from contracts.nouns.measurements import Measurements
from contracts.verbs import Verb
from services.network_operation.domain import measured, overrides
from services.network_operation.domain.alarms.conditions import Scope
from services.network_operation.domain.live import stood
from services.network_operation.domain.operations import operation
from services.network_operation.domain.people import speaker
from services.network_operation.domain.positions import Standing
from services.network_operation.service.alarms import judge
from services.network_operation.service.declared import service
from services.network_operation.service.journal import log, record
from services.network_operation.service.topology import move_network
from services.network_operation.store import Store
from shared.work import Wake, Work


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
