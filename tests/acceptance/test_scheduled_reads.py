"""Meters that are read at set times (metering guide 2.1, 13 F1), message by message on real servers."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from contracts.errors import Conflict, from_reply
from contracts.message import Error, Id, Message, Reply, Request, Result
from contracts.nouns.end_device_groups import EndDeviceGroup, EndDeviceGroups
from contracts.nouns.get_meter_readings import GetMeterReadings
from contracts.nouns.meter_read_schedule import MeterReadSchedule, TimeSchedule
from contracts.nouns.meter_readings import MeterReadings
from contracts.nouns.reading_types import ReadingType
from contracts.types import DateTimeInterval, ObjectReference
from contracts.verbs import Verb
from shared.envelope import success
from shared.tools.testing import Installation
from tests.acceptance.test_metering import INTERVAL, LONG_AGO, MRC, REGISTER, dials, linked, meter, told, whole_day
from tests.acceptance.test_reads import Desk, desk
from tests.service.toys.world import eventually

HOUR = timedelta(hours=1)
MIDNIGHT = datetime(2026, 12, 1, 23, tzinfo=UTC)
"""The end of the first day in Berlin that is collected."""
DAY = date(2026, 12, 1)
METERS = ("meter", "second", "third")


def daily(*, disabled: bool | None = None) -> MeterReadSchedule:
    every = TimeSchedule(
        disabled=disabled, recurrence_pattern="daily", schedule_interval=DateTimeInterval(start=MIDNIGHT)
    )
    return MeterReadSchedule(
        end_device_group=(ObjectReference(mrid="street"),),
        reading_type=(ReadingType(mrid=INTERVAL), ReadingType(mrid=REGISTER)),
        time_schedule=(every,),
    )


class Reader(Desk):
    """The same desk, with a schedule that reads the three meters of a street each midnight."""

    async def begin(self) -> None:
        for mrid in METERS[1:]:
            await self.here.do(Verb.CREATE, meter(mrid, serial=mrid))
            await self.here.do(Verb.CREATE, linked(mrid, LONG_AGO, f"point {mrid}"))
        self.here.head_end.drain("command", "head-end")
        members = tuple(ObjectReference(mrid=mrid) for mrid in METERS)
        street = EndDeviceGroups(end_device_group=(EndDeviceGroup(mrid="street", end_devices=members),))
        await self.here.do(Verb.CREATE, street)
        assert await self.order(Verb.CREATE, daily()) == ["active"]

    async def order(self, verb: Verb, noun: Any) -> list[str | None]:
        """Order something of the schedule; what the answer says of it."""
        answer = await self.here.cis.request(MRC, verb, noun, ids=["nightly"])
        assert answer.reply is not None
        error = from_reply(answer.reply)
        if error is not None:
            raise error
        return [each.reason for each in answer.reply.error]

    async def command(self, verb: Verb) -> MeterReadSchedule:
        """What the head-end is told next of the schedule."""
        message = (await self.here.head_end.next()).message
        assert (message.header.verb, message.header.noun) == (verb, "MeterReadSchedule")
        assert message.request is not None
        assert [each.value for each in message.request.id] == ["nightly"]
        await self.here.head_end.reply(message, success())
        assert isinstance(message.payload, MeterReadSchedule)
        return message.payload

    async def until(self, at: datetime) -> None:
        await self.pass_time(at - self.now)

    async def true(self, sql: str) -> None:
        """Wait until a question to the database is answered with yes."""
        await eventually(lambda: self.here.database.fetchval(sql))


def asked(question: Message[Any]) -> tuple[list[str | None], list[str | None], bool]:
    """Which meters, which types, and whether of a time that has passed."""
    assert question.request is not None
    query = question.request.query
    assert isinstance(query, GetMeterReadings)
    types = [each.mrid for each in query.reading_type]
    return [each.mrid for each in query.end_device], types, query.reading[0].time_period is not None


async def test_a_schedule_collects_a_day_asks_again_for_its_gaps_and_says_at_the_cut_off_what_is_missing(
    dms: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F1: one meter is missing, one has a hole, one is not known, and a file comes twice."""
    async with desk(dms, monkeypatch) as plain:
        here = Reader(plain.here)
        await here.begin()
        passed = await here.command(Verb.CREATE)
        assert [each.mrid for each in passed.end_device] == list(METERS)
        points = passed.time_schedule[0].time_points
        assert [each.date_time for each in points[:2]] == [MIDNIGHT, MIDNIGHT + 24 * HOUR]
        assert points[0].window == DateTimeInterval(start=MIDNIGHT - 24 * HOUR, end=MIDNIGHT)

        await here.until(MIDNIGHT)
        await here.command(Verb.CHANGE)
        day = whole_day(DAY)
        file = [told(day), told([*day[:40], *day[44:]], "second"), told(day[:1], "stranger")]
        file += [dials(mrid, (MIDNIGHT, 1000)) for mrid in METERS[:2]]
        noun = MeterReadings(meter_reading=tuple(each for part in file for each in part.meter_reading))
        for _ in range(2):
            await here.here.head_end.tell(Verb.CREATED, noun, key="collector")
        await here.true("SELECT count(*) = 2 FROM register_read")

        await here.until(MIDNIGHT + HOUR)
        questions = sorted([await here.question() for _ in range(2)], key=lambda each: asked(each)[1])
        assert [asked(each) for each in questions] == [
            (["third"], [REGISTER], False),
            (["second", "third"], [INTERVAL], True),
        ]
        gone = Error(code="5.7", reason="no word of it", id=Id(value="third"))
        refusal = Reply(result=Result.PARTIAL, error=(gone,))
        await here.here.head_end.reply(questions[1], refusal, told(day[40:44], "second"))
        await here.here.head_end.reply(questions[0], replace(refusal, result=Result.FAILED))
        await here.true("SELECT count(*) = 0 FROM read_job")

        await here.until(MIDNIGHT + 2 * HOUR)
        questions = [await here.question() for _ in range(2)]
        assert {asked(each)[0][0] for each in questions} == {"third"}
        assert (await here.order(Verb.GET, MeterReadSchedule))[1:] == ["partial: 4 of 6; missing: third"]
        await here.until(MIDNIGHT + 24 * HOUR)
        await here.command(Verb.CHANGE)
        await here.true("SELECT count(*) = 1 FROM occurrence WHERE body ->> 'is_closed' = 'true'")
        words = await here.order(Verb.GET, MeterReadSchedule)
        assert words[:2] == ["active", "partial: 4 of 6; missing: third"]
        refused = await here.here.database.fetch("SELECT code, meter FROM refused_reading")
        assert [tuple(each) for each in refused] == [("2.4", "stranger")]
        sql = "SELECT max(version) FROM block JOIN series ON series.id = series WHERE meter = 'meter'"
        assert await here.here.database.fetchval(sql) == 1


async def test_what_fell_into_a_suspension_is_not_caught_up_and_a_cancelled_schedule_reads_no_more(
    dms: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Chapter 2.1: active, suspended, active, cancelled; anything else is a conflict."""
    async with desk(dms, monkeypatch) as plain:
        here = Reader(plain.here)
        await here.begin()
        await here.command(Verb.CREATE)
        assert await here.order(Verb.CREATE, daily()) == ["active"]
        assert await here.order(Verb.CHANGE, daily(disabled=True)) == ["suspended"]
        assert (await here.command(Verb.CHANGE)).time_schedule[0].time_points == ()
        await here.until(MIDNIGHT + 36 * HOUR)
        await here.true("SELECT count(*) = 0 FROM occurrence")
        assert await here.order(Verb.CHANGE, daily()) == ["active"]
        points = (await here.command(Verb.CHANGE)).time_schedule[0].time_points
        assert points[0].date_time == MIDNIGHT + 48 * HOUR
        assert await here.order(Verb.GET, MeterReadSchedule) == ["active"]
        assert await here.order(Verb.CANCEL, MeterReadSchedule) == ["cancelled"]
        await here.command(Verb.CANCEL)
        with pytest.raises(Conflict, match="cancelled"):
            await here.order(Verb.CHANGE, daily())
        stranger = Request(id=(Id(value="weekly"),))
        for verb, noun, code in (
            (Verb.CANCEL, MeterReadSchedule, "2.15"),
            (Verb.CREATE, replace(daily(), end_device_group=(ObjectReference(mrid="nowhere"),)), "2.15"),
            (Verb.CREATE, replace(daily(), usage_point=(ObjectReference(mrid="nowhere"),)), "2.12"),
            (Verb.CREATE, replace(daily(), reading_type=()), "5.8"),
        ):
            answer = await here.here.cis.request(MRC, verb, noun, question=stranger)
            assert answer.reply is not None
            assert [each.code for each in answer.reply.error] == [code]
