"""What the head-end answers when it was asked: taken like all that it tells, and told to who waits for it."""

from contracts.message import Message
from contracts.nouns.meter_readings import MeterReadings
from contracts.verbs import Verb
from services.meter_reading_and_control.domain.reads import heard, refused
from services.meter_reading_and_control.service.asking import settle
from services.meter_reading_and_control.service.declared import service
from services.meter_reading_and_control.service.readings import take
from services.meter_reading_and_control.store import Store
from services.meter_reading_and_control.views import inquiries
from shared.work import Work


@service.on_reply(Verb.GET, MeterReadings)
async def hear_answer(message: Message[MeterReadings], work: Work[Store]) -> None:
    """An answer in time ends the waiting of all who wanted it; a late one is kept and told, and answers nobody."""
    asked = await work.store.asked_in(work.about)
    await work.store.lock_all_of(each.meter for each in asked)
    told = () if message.payload is None else message.payload.meter_reading
    _, refusals = await take(told, message.header.source or work.principal, work)
    asked = await work.store.asked_in(work.about)
    word = inquiries.word(message, asked, refusals)
    await work.store.end(word.came | set(word.errors))
    for job in await work.store.jobs_about(each.meter for each in asked):
        await settle(refused(heard(job, word.readings, word.came), word.errors), work)
