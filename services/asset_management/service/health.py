"""What is wrong with assets: raised, decided about, worked on, over."""

from collections.abc import Iterable
from datetime import datetime

from msgspec.structs import replace

from contracts.errors import Invalid, NotFound
from contracts.message import Message
from contracts.nouns.asset_health_events import AssetHealthEvents, AssetHealthState
from contracts.verbs import Verb
from services.asset_management.domain import findings, health_events
from services.asset_management.domain.health_events import HealthEvent, Sight
from services.asset_management.service.declared import service
from services.asset_management.service.register import find, ids_of
from services.asset_management.store import Store
from services.asset_management.views import condition, orders
from shared.work import Wake, Work


@service.on(Verb.CHANGE, AssetHealthEvents)
async def decide_events(message: Message[AssetHealthEvents], work: Work[Store]) -> AssetHealthEvents:
    """A person accepts a risk until a day, finds well what was remedied, or closes what is well."""
    await work.store.lock_register()
    decided = []
    user = message.header.user
    for given in message.noun.asset_health_event:
        event = await find_event(work, given.mrid)
        status = given.status
        if status is None or status.value not in set(AssetHealthState):
            raise Invalid("status/value: a change of a health event says its state", object_id=given.mrid)
        by = status.remark or (None if user is None else user.user_id)
        until = given.accepted_until_date_time
        state = AssetHealthState(status.value or "")
        decided.append(
            await keep_event(work, health_events.decided(event, state, until=until, by=by, now=work.now), Verb.CHANGED)
        )
        if until is not None and state is AssetHealthState.ACCEPTED_RISK:
            work.wake("expire", event.mrid, until)
    return condition.as_events(decided)


@service.on(Verb.GET, AssetHealthEvents)
async def show_events(message: Message[AssetHealthEvents], work: Work[Store]) -> AssetHealthEvents:
    """The health events that are named, by themselves or by their assets, or all that are not over."""
    return condition.as_events(await work.store.health_events(ids_of(message)))


@service.on_wake("expire")
async def end_acceptance(wake: Wake, work: Work[Store]) -> None:
    """A risk is no longer accepted."""
    await work.store.lock_register()
    event = await find_event(work, wake.key)
    if event.until is not None and event.until <= wake.at:
        await ask_for_work(work, health_events.expired(event), Verb.CHANGED)


@service.on_wake("ask-again")
async def ask_again(wake: Wake, work: Work[Store]) -> None:
    """Work that was refused is asked for once more."""
    await work.store.lock_register()
    event = await find_event(work, wake.key)
    if event.needs_work:
        await ask_for_work(work, event, Verb.CHANGED)


async def raise_events(work: Work[Store], sight: Sight, wrong: Iterable[findings.Finding], cleared: set[str]) -> None:
    """What is wrong joins the event of its code or becomes one; what is well ends it."""
    known = await work.store.open_events(sight.asset)
    for finding in wrong:
        event = known.get(finding.code)
        after = health_events.raised(finding, sight, work.new_id(), work.now)
        if event is not None:
            after = health_events.seen_again(event, finding, sight.at)
        if after != event:
            await ask_for_work(work, after, Verb.CREATED if event is None else Verb.CHANGED)
    for event in (known[code] for code in sorted(cleared & known.keys())):
        after = health_events.seen_well(event, sight.at)
        if after != event:
            await keep_event(work, after, Verb.CHANGED)


async def ask_for_work(work: Work[Store], event: HealthEvent, verb: Verb) -> None:
    """Keep and tell a health event; where it needs work that is asked for, once."""
    if not event.needs_work:
        await keep_event(work, event, verb)
        return
    state = health_events.moved(event.state, health_events.Step.REQUESTED)
    asked = await keep_event(work, replace(event, state=state, work=work.new_id(), note=None), verb)
    core, ids = (await find(work, event.asset)).core, (work.new_id(), work.new_id())
    work.send(Verb.CREATE, orders.work_for_event(asked, core, work.now, ids), about=f"event {event.mrid}")


async def keep_event(work: Work[Store], event: HealthEvent, verb: Verb) -> HealthEvent:
    """Keep and tell a health event."""
    kept = replace(event, revision=event.revision + 1, changed_at=work.now)
    await work.store.save_event(kept)
    work.publish(verb, condition.as_events([kept]), key=kept.mrid)
    return kept


async def end_remedy(work: Work[Store], mrid: str, done_at: datetime | None, why: str) -> None:
    """The work for a health event was done, or will not be."""
    event = await work.store.health_event(mrid)
    if event is None:
        return
    after = health_events.given_up(event, why) if done_at is None else health_events.remedied(event, done_at)
    if after != event:
        await keep_event(work, after, Verb.CHANGED)


async def find_event(work: Work[Store], mrid: str) -> HealthEvent:
    """A health event by its mRID."""
    event = await work.store.health_event(mrid)
    if event is None:
        raise NotFound("there is no such health event", object_id=mrid)
    return event
