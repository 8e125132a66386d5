"""Meters that are read now (metering guide 2.2, 13 F2), message by message on real servers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec import json

from contracts.message import Error, Id, Message, Option, Reply, Request, Result
from contracts.nouns.get_meter_readings import GetMeterReadings
from contracts.nouns.get_meter_readings import Reading as Asked
from contracts.nouns.meter_readings import Meter, MeterReading, MeterReadings
from contracts.nouns.reading_types import Reading, ReadingReasonKind, ReadingType
from contracts.types import ObjectReference, Reference
from contracts.verbs import Verb
from shared.tools.testing import Installation
from tests.acceptance.test_metering import LONG_AGO, MRC, REGISTER, Office, linked, meter, office
from tests.service.toys.world import eventually

NOW = datetime(2026, 12, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Desk:
    """A customer system that asks for the present, and a head-end that answers when the test says so."""

    def __init__(self, here: Office) -> None:
        self.here = here
        self.now = NOW

    async def ask(self, *names: str, code: str = REGISTER, **options: str) -> str:
        """Ask without waiting; gives the MessageID, under which the answer comes."""
        query = GetMeterReadings(
            reading=(Asked(reason=ReadingReasonKind.INQUIRY),),
            reading_type=(ReadingType(mrid=code),),
            usage_point=tuple(ObjectReference(mrid=name) for name in names),
        )
        option = tuple(Option(name=name, value=value) for name, value in options.items())
        return await self.here.cis.inquire(MRC, MeterReadings, Request(query=query, option=option))

    async def question(self) -> Message[Any]:
        """What the head-end is asked next."""
        message = (await self.here.head_end.next()).message
        assert message.header.verb is Verb.GET
        assert message.header.async_reply_flag
        return message

    async def shows(
        self, question: Message[Any], value: str, mrid: str = "meter", *, at: datetime | None = None, code: str = "0.0"
    ) -> None:
        """The head-end answers with what a meter shows; the last word unless the ``code`` says that more comes."""
        register = Reading(time_stamp=at or self.now, value=value, reading_type=Reference(ref=REGISTER))
        reading = MeterReading(meter=Meter(mrid=mrid), readings=(register,))
        result = Result.OK if code == "0.0" else Result.PARTIAL
        errors = () if code == "0.0" else (Error(code=code),)
        noun = MeterReadings(meter_reading=(reading,))
        await self.here.head_end.reply(question, Reply(result=result, error=errors), noun)

    async def answer(self, *asked: str) -> list[tuple[str, list[str | None], list[str]]]:
        """The answers to who asked: result, values, codes; in the order of ``asked``."""
        heard = [(await self.here.cis.next()).message for _ in asked]
        by_thread = {message.header.correlation_id: message for message in heard}
        assert set(by_thread) == set(asked)
        return [summary(by_thread[each]) for each in asked]

    async def pass_time(self, time: timedelta) -> None:
        self.now += time
        await self.here.admin.bus.publish_core(self.here.admin.space.clock, json.encode({"now": self.now}))


def summary(message: Message[Any]) -> tuple[str, list[str | None], list[str]]:
    assert message.reply is not None
    return message.reply.result, registers(message.payload), [error.code for error in message.reply.error]


@asynccontextmanager
async def desk(dms: Installation, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    async with office(dms, monkeypatch) as here:
        await here.head_end.hear_requests()
        here.cis.drain("reply", "operator")
        yield Desk(here)


async def told(here: Office, verb: Verb) -> list[str]:
    """The values that were told in events of this verb."""
    sql = "SELECT body FROM outbox WHERE subject LIKE '%.event.readings.%.MeterReadings.' || $1 || '.%' ORDER BY id"
    nouns = [here.cis.codec.decode(row["body"], "application/xml") for row in await here.database.fetch(sql, verb)]
    return [value or "" for noun in nouns if isinstance(noun, Message) for value in registers(noun.payload)]


def registers(noun: MeterReadings | None) -> list[str | None]:
    return [] if noun is None else [each.value for reading in noun.meter_reading for each in reading.readings]


async def test_two_who_ask_for_the_same_meter_share_one_question_and_one_answer(
    dms: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F2: what is in flight is joined; a value that is known answers only who allows its age."""
    async with desk(dms, monkeypatch) as here:
        first, second = await here.ask("point"), await here.ask("point")
        question = await here.question()
        assert question.request is not None
        query = question.request.query
        assert isinstance(query, GetMeterReadings)
        assert [each.mrid for each in query.end_device] == ["meter"]
        assert query.reading[0].reason is ReadingReasonKind.INQUIRY
        await here.shows(question, "17")
        assert await here.answer(first, second) == [("OK", ["17"], [])] * 2
        assert here.here.head_end.heard.empty()
        assert await told(here.here, Verb.CREATED) == ["17"]

        await here.pass_time(MINUTE)
        question_2 = await here.ask("point", maxAge="30")
        await here.shows(await here.question(), "18")
        assert await here.answer(question_2) == [("OK", ["18"], [])]
        cached = Request(
            query=GetMeterReadings(reading=(Asked(reason=ReadingReasonKind.INQUIRY),)),
            id=(Id(value="point"),),
            option=(Option(name="maxAge", value="90"),),
        )
        at_once = await here.here.cis.request(MRC, Verb.GET, MeterReadings, question=cached)
        assert summary(at_once) == ("OK", ["18"], [])
        assert here.here.head_end.heard.empty()


async def test_an_answer_after_the_deadline_is_told_as_an_event_after_its_asker_heard_4_1(
    dms: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F2: the deadline, the late answer; who asks after the deadline asks anew."""
    async with desk(dms, monkeypatch) as here:
        asked = await here.ask("point")
        late = await here.question()
        await here.pass_time(MINUTE)
        assert await here.answer(asked) == [("FAILED", [], ["4.1"])]
        again = await here.ask("point")
        fresh = await here.question()
        await here.shows(late, "20", at=NOW)
        await here.shows(fresh, "21")
        assert await here.answer(again) == [("OK", ["21"], [])]
        sql = "SELECT count(*) = 2 FROM register_read"  # the two answers are not of one line
        await eventually(lambda: here.here.database.fetchval(sql))
        assert sorted(await told(here.here, Verb.CREATED)) == ["20", "21"]
        assert await here.here.database.fetchval("SELECT count(*) FROM read_under_way") == 0


async def test_a_meter_that_was_exchanged_meanwhile_does_not_answer_for_its_usage_point(
    dms: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F2: the meter is swapped between question and answer; the reading is quarantined with 2.13."""
    async with desk(dms, monkeypatch) as here:
        asked = await here.ask("point")
        question = await here.question()
        await here.here.do(Verb.CREATE, meter("new", serial="2"))
        await here.here.do(Verb.CHANGE, linked("new", NOW - MINUTE))
        await here.shows(question, "30")
        assert await here.answer(asked) == [("FAILED", [], ["2.13"])]
        again = await here.ask("point")
        await here.shows(await here.question(), "3", "new")
        assert await here.answer(again) == [("OK", ["3"], [])]


async def test_of_several_meters_those_that_answer_are_told_with_the_reason_for_each_other(
    dms: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F1.5, F2: incomplete, unknown, refused by the head-end; an answer in parts."""
    async with desk(dms, monkeypatch) as here:
        for mrid, point in (("second", "point 2"), ("third", "point 3")):
            await here.here.do(Verb.CREATE, meter(mrid, serial=mrid))
            await here.here.do(Verb.CREATE, linked(mrid, LONG_AGO, point))
        asked = await here.ask("point", "point 2", "point 3", "nowhere")
        question = await here.question()
        await here.shows(question, "40", code="0.1")
        error = Error(code="5.7", reason="the meter is in a factory", id=Id(value="third"))
        await here.here.head_end.reply(question, Reply(result=Result.FAILED, error=(error,)))
        assert await here.answer(asked) == [("PARTIAL", ["40"], ["5.6", "5.7", "2.4"])]
