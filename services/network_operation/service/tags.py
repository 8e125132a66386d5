"""Tags: hung, taken off, shown; what they forbid does not happen."""

from contracts.errors import Conflict, NotFound
from contracts.message import Message
from contracts.nouns.operational_tags import OperationalTag, OperationalTags, OperationalTagState
from contracts.types import Status
from contracts.verbs import Verb
from services.network_operation.domain import tags
from services.network_operation.domain.acts import Act, ActKind
from services.network_operation.domain.alarms import conditions
from services.network_operation.domain.execution import in_place, placed_by, settled
from services.network_operation.domain.people import speaker
from services.network_operation.domain.rules import refuse
from services.network_operation.domain.rules.move import Move
from services.network_operation.domain.situation import Situation
from services.network_operation.service.alarms import judge
from services.network_operation.service.declared import service
from services.network_operation.service.execution import keep
from services.network_operation.store import Store
from shared.work import Work


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


async def save_tag(tag: OperationalTag, situation: Situation, work: Work[Store]) -> None:
    """Keep a tag, if the rules let it hang there or be taken away."""
    kind = {OperationalTagState.PLACED: ActKind.PLACE_TAG, OperationalTagState.REMOVED: ActKind.REMOVE_TAG}
    act = kind.get(tags.state(tag))
    if act is not None:
        refuse(Move(act=Act(kind=act, device=tags.device_of(tag), tag=tag), before=situation))
    await work.store.save_tag(tag)
    await judge(conditions.about_tag(tag, situation.grid), work)


async def let_plans_end(work: Work[Store]) -> None:
    """A plan that waits only for what it has placed to be gone may be over now."""
    left = in_place(await work.store.situation())
    for plan in await work.store.plans_under_way():
        await keep(settled(plan, placed_by(plan) & left, work.now), work)
