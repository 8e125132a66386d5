"""How usage points are set up, and who has them."""

from collections.abc import AsyncIterator

from contracts.message import Message
from contracts.nouns.customer_agreement_config import CustomerAgreementConfig
from contracts.nouns.usage_point_config import UsagePointConfig
from contracts.verbs import Verb
from services.meter_reading_and_control.domain import usage_points
from services.meter_reading_and_control.service import virtual
from services.meter_reading_and_control.service.declared import service
from services.meter_reading_and_control.service.marking import heed_since
from services.meter_reading_and_control.service.meters import in_parts
from services.meter_reading_and_control.store import Store
from shared.work import Whole, Work


@service.on(Verb.CREATE, UsagePointConfig)
async def take_usage_points(message: Message[UsagePointConfig], work: Work[Store]) -> UsagePointConfig | Whole:
    """New usage points; one that is here already and the same stays as it is."""
    return await set_up_points(message.noun, Verb.CREATE, work)


@service.on(Verb.CHANGE, UsagePointConfig)
async def change_usage_points(message: Message[UsagePointConfig], work: Work[Store]) -> UsagePointConfig | Whole:
    """How usage points are set up from their ConfigurationEvents on; each is told whole."""
    return await set_up_points(message.noun, Verb.CHANGE, work)


@service.on(Verb.GET, UsagePointConfig)
async def show_usage_points(message: Message[UsagePointConfig], work: Work[Store]) -> AsyncIterator[UsagePointConfig]:
    """Usage points as they are set up, those that are named at the beginning of the time that is asked for, or all."""
    request = message.request
    if request is not None and request.id:
        known = await work.store.usage_points([each.value for each in request.id])
        found = (usage_points.at(each, request.start_time or work.now) for each in known.values())
        yield UsagePointConfig(usage_point=tuple(each for each in found if each is not None))
        return
    async for page in work.store.all_usage_points():
        yield UsagePointConfig(usage_point=tuple(page))


@service.on(Verb.CREATED, CustomerAgreementConfig)
@service.on(Verb.CHANGED, CustomerAgreementConfig)
async def hear_of_agreement(message: Message[CustomerAgreementConfig], work: Work[Store]) -> None:
    """From when until when somebody has a usage point, and whether he is suspended; who that is is not kept here."""
    for each in message.noun.customer_agreement:
        told = usage_points.agreed(each)
        await work.store.save_agreed(each.mrid or "", told)
        turns = {have.usage_point: usage_points.last_turn(have, work.now) for have in told}
        await heed_since({point: at for point, at in turns.items() if at is not None}, work)


async def set_up_points(noun: UsagePointConfig, verb: Verb, work: Work[Store]) -> UsagePointConfig | Whole:
    """Keep how usage points are set up, and tell it; what each says of it last is what it is compared with."""
    mrids = [each.mrid for each in noun.usage_point if each.mrid]
    await work.store.lock_all_of(mrids)
    known = {mrid: setups[-1] for mrid, setups in (await work.store.usage_points(mrids)).items()}
    new, errors = usage_points.sorted_out(noun.usage_point, known, verb)
    new, refused = await virtual.sorted_out(new, work)
    errors += refused
    await work.store.save_usage_points(new)
    await heed_since({each.mrid or "": usage_points.effective_at(each) for each in new}, work)
    for each in new:
        told = Verb.CREATED if verb is Verb.CREATE else Verb.CHANGED
        work.publish(told, UsagePointConfig(usage_point=(each,)), key=each.mrid or "")
    return in_parts(UsagePointConfig(usage_point=tuple(new)), len(noun.usage_point), errors) or noun
