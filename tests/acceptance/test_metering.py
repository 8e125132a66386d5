"""The acceptance scenarios of the metering guide, message by message on real servers.

Longer than 400 lines because the office that all scenarios of metering share stands here.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from struct import unpack
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from msgspec import json
from msgspec.structs import replace

from contracts.catalogue import CATALOGUE
from contracts.codes.end_device_events import CLOCK_AHEAD
from contracts.codes.reading_quality import ESTIMATED
from contracts.errors import Conflict, Unavailable, from_reply
from contracts.interface import Lane
from contracts.message import Id, Message, Option, Request
from contracts.nouns.device_types import Channel, ConfigurationEvent, SimpleEndDeviceFunction
from contracts.nouns.device_types import Register as RegisterConfig
from contracts.nouns.get_meter_readings import GetMeterReadings
from contracts.nouns.get_meter_readings import Reading as Asked
from contracts.nouns.master_data_linkage_config import MasterDataLinkageConfig
from contracts.nouns.meter_config import Meter, MeterConfig, MeterMultiplier
from contracts.nouns.meter_readings import (
    EndDeviceEvent,
    EndDeviceEventDetail,
    IntervalBlock,
    IntervalReading,
    MeterReading,
    MeterReadings,
    PendingCalculation,
)
from contracts.nouns.meter_readings import Meter as Reader
from contracts.nouns.reading_types import Reading, ReadingQuality, ReadingType
from contracts.nouns.service_kinds import MeterMultiplierKind
from contracts.types import DateTimeInterval, ObjectReference, Reference
from contracts.verbs import Verb
from services.meter_reading_and_control.domain import calendar
from services.meter_reading_and_control.service import service as meter_reading
from shared.runtime import running
from shared.tools.bootstrap import Schema
from shared.tools.testing import Installation, Peer

MRC = "meter-reading-and-control"
BERLIN = ZoneInfo("Europe/Berlin")
QUARTER = timedelta(minutes=15)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
DAY = date(2026, 5, 4)

INTERVAL = "0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.0.72.0"
"""Wh of a quarter of an hour, secondary."""
PRIMARY = "0.0.2.4.1.2.12.0.0.0.0.0.0.0.0.0.72.0"
REGISTER = "0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0"
"""The register of imported kWh, secondary."""
DAILY = "11.0.0.4.1.2.12.0.0.0.0.0.0.0.0.3.72.0"
"""kWh of a day, primary."""


def local(hour: int, minute: int = 0, day: date = DAY) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=BERLIN).astimezone(UTC)


def meter(mrid: str, ratio: float = 1.0, since: datetime | None = None, serial: str = "1", system: str = "") -> Any:
    channel = Channel(reading_type=Reference(ref=REGISTER))
    dial = RegisterConfig(left_digit_count=5, right_digit_count=0, channels=(channel,))
    metering = SimpleEndDeviceFunction(mrid=f"{mrid} metering", registers=(dial,))
    made = Meter(
        mrid=mrid,
        amr_system=system or None,
        serial_number=serial,
        configuration_events=None if since is None else ConfigurationEvent(effective_date_time=since),
        simple_end_device_function=(Reference(ref=f"{mrid} metering"),),
        meter_multipliers=(MeterMultiplier(kind=MeterMultiplierKind.CT_RATIO, value=ratio),),
    )
    return MeterConfig(meter=(made,), simple_end_device_function=(metering,))


def linked(mrid: str, at: datetime, point: str = "point") -> MasterDataLinkageConfig:
    return MasterDataLinkageConfig(
        configuration_event=ConfigurationEvent(effective_date_time=at),
        meter=(ObjectReference(mrid=mrid),),
        usage_point=(ObjectReference(mrid=point),),
    )


def at_end(end: datetime, value: int | str, quality: str = "", reported: datetime | None = None) -> IntervalReading:
    qualities = (ReadingQuality(reading_quality_type=Reference(ref=quality)),) if quality else ()
    return IntervalReading(time_stamp=end, value=str(value), reading_qualities=qualities, reported_date_time=reported)


def told(
    values: Sequence[IntervalReading], mrid: str = "meter", code: str = INTERVAL, start: datetime | None = None
) -> MeterReadings:
    block = IntervalBlock(interval_readings=tuple(values), reading_type=Reference(ref=code))
    period = None if start is None else DateTimeInterval(start=start)
    reading = MeterReading(interval_blocks=(block,), meter=Reader(mrid=mrid), values_interval=period)
    return MeterReadings(meter_reading=(reading,))


def dials(mrid: str, *reads: tuple[datetime, int]) -> MeterReadings:
    readings = tuple(
        Reading(time_stamp=at, value=str(number), reading_type=Reference(ref=REGISTER)) for at, number in reads
    )
    return MeterReadings(meter_reading=(MeterReading(meter=Reader(mrid=mrid), readings=readings),))


def whole_day(day: date) -> list[IntervalReading]:
    return [at_end(start + QUARTER, 100 + place) for place, start in enumerate(calendar.starts(day, BERLIN, QUARTER))]


class Office:
    """A utility that puts messages to meter reading and control, and its head-end."""

    def __init__(self, cis: Peer, head_end: Peer, admin: Peer, database: Any, installation: Installation) -> None:
        self.installation = installation
        self.cis = cis
        self.head_end = head_end
        self.admin = admin
        self.database = database

    async def do(self, verb: Verb, noun: Any) -> Message[Any]:
        answer = await self.cis.request(MRC, verb, noun)
        error = None if answer.reply is None else from_reply(answer.reply)
        if error is not None:
            raise error
        return answer

    async def begin(self, noun: Any) -> None:
        """The first order of all: it waits until the service has heard what time it is."""
        for _ in range(500):
            with suppress(Unavailable):
                await self.do(Verb.CREATE, noun)
                return
            await asyncio.sleep(0.02)
        pytest.fail("meter reading and control does not hear what time it is")

    async def codes(self, noun: MeterReadings) -> list[str]:
        """The codes with which a part of the readings is refused."""
        reply = (await self.cis.request(MRC, Verb.CREATE, noun)).reply
        assert reply is not None
        return [error.code for error in reply.error]

    async def find(self, *codes: str) -> list[MeterReading]:
        types = tuple(ReadingType(mrid=code) for code in codes)
        query = GetMeterReadings(reading_type=types, usage_point=(ObjectReference(mrid="point"),))
        answer = await self.cis.request(MRC, Verb.GET, MeterReadings, question=Request(query=query))
        return [] if answer.noun is None else list(answer.noun.meter_reading)

    async def refused(self, *names: str, source: str | None = None) -> list[MeterReading]:
        """The readings of these meters or usage points that were not taken."""
        query = GetMeterReadings(reading=(Asked(source=source),))
        request = Request(
            query=query, id=tuple(Id(value=name) for name in names), option=(Option(name="refused", value="true"),)
        )
        answer = await self.cis.request(MRC, Verb.GET, MeterReadings, question=request)
        return [] if answer.payload is None else list(answer.payload.meter_reading)

    async def intervals(self, code: str = INTERVAL) -> dict[datetime, IntervalReading]:
        found = [block for reading in await self.find(code) for block in reading.interval_blocks]
        return {each.time_stamp: each for block in found for each in block.interval_readings if each.time_stamp}

    async def daily(self) -> list[tuple[str | None, str]]:
        readings = [each for found in await self.find(DAILY) for each in found.readings]
        return [(each.value, each.reading_qualities[0].reading_quality_type.ref) for each in readings]

    async def digest(self) -> str:
        sql = "SELECT md5(string_agg(b::text, '' ORDER BY b::text)) FROM block b"
        found: str = await self.database.fetchval(sql)
        return found

    async def events(self) -> int:
        """How many events about readings were told by now."""
        sql = "SELECT count(*)::int FROM outbox WHERE subject LIKE '%.event.readings.%'"
        found: int = await self.database.fetchval(sql)
        return found


@asynccontextmanager
async def office(dms: Installation, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Office]:
    monkeypatch.setenv("BUSBAR_METER_TIME_ZONE", "Europe/Berlin")
    installation = dms.of(Schema(MRC, meter_reading.migrations), granted_clock=True)
    await installation.prepare()
    login = installation.settings.login(MRC)
    database = await asyncpg.connect(
        host=login.host, port=login.port, user=login.user, password=login.password, database=login.database
    )
    try:
        async with (
            running(meter_reading, settings=installation.settings, catalogue=CATALOGUE),
            installation.peer("operator") as cis,
            installation.peer("head-end") as head_end,
            installation.peer("admin") as admin,
        ):
            now = datetime(2026, 12, 1, tzinfo=UTC)
            await admin.bus.publish_core(admin.space.clock, json.encode({"now": now}))
            here = Office(cis, head_end, admin, database, installation)
            await here.begin(meter("meter"))
            await here.do(Verb.CREATE, linked("meter", LONG_AGO))
            yield here
    finally:
        await database.close()


async def test_given_berlin_2026_03_29_when_92_intervals_arrive_then_the_day_is_complete_and_equals_the_registers(
    dms: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scenario 1: 96 columns with values from 02:00 to 02:45 are rejected, and taken where those are empty."""
    short = date(2026, 3, 29)
    first, after = calendar.bounds(short, BERLIN)
    columns = [IntervalReading(value="1") for _ in range(96)]
    async with office(dms, monkeypatch) as here:
        assert await here.codes(told(columns, start=first)) == ["2.29"]
        assert await here.intervals() == {}
        assert await here.codes(told(whole_day(short))) == []
        found = await here.intervals()
        assert len(found) == 92
        assert all(each.value is not None for each in found.values())
        total = sum(int(each.value or 0) for each in found.values())
        await here.do(Verb.CREATE, dials("meter", (first, 0), (after, total)))
        assert await here.daily() == [(str(total), "3.11.0")]
        empty = [IntervalReading() if 8 <= place < 12 else each for place, each in enumerate(columns)]
        later = [replace(each, reported_date_time=after) if each.value else each for each in empty]
        assert await here.codes(told(later, start=first)) == []
        assert {each.value for each in (await here.intervals()).values()} == {"1"}


async def test_given_berlin_2026_10_25_when_100_intervals_arrive_then_the_two_hours_from_two_are_apart(
    dms: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scenario 2: of 96 that are received exactly four are missing, and named."""
    long = date(2026, 10, 25)
    values = whole_day(long)
    async with office(dms, monkeypatch) as here:
        await here.do(Verb.CREATE, told([*values[:8], *values[12:]]))
        missing = [
            (end, each.reading_qualities[0].reading_quality_type.ref)
            for end, each in (await here.intervals()).items()
            if each.value is None
        ]
        assert missing == [(each.time_stamp, "3.5.259") for each in values[8:12]]
        await here.do(Verb.CREATE, told(values[8:12]))
        found = list((await here.intervals()).values())
        assert [each.value for each in found] == [each.value for each in values]
        at_two = [each.time_stamp for each in found if each.time_stamp and each.time_stamp.astimezone(BERLIN).hour == 2]
        assert len(set(at_two)) == 8


async def test_given_an_exchange_at_10_07_then_the_usage_of_the_day_is_each_part_by_its_own_multiplier(
    dms: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scenario 4: the interval of 10:00 is flagged, and a late value of the old meter for 11:00 is in quarantine."""
    first, after = calendar.bounds(DAY, BERLIN)
    at = local(10, 7)
    async with office(dms, monkeypatch) as here:
        await here.admin.follow(here.admin.space.events(Lane.OUTAGE, MRC))
        await here.do(Verb.CREATE, meter("new", ratio=40, serial="2"))
        await here.do(Verb.CHANGE, linked("new", at))
        heard: list[tuple[str, str]] = []
        while ("new", "3.6.0.105") not in heard:
            events = (await here.admin.next()).message.noun.end_device_event
            heard += [(event.assets.mrid, event.end_device_event_type.ref) for event in events]
        assert heard[-2:] == [("meter", "3.6.0.212"), ("new", "3.6.0.105")]
        await here.do(Verb.CREATE, dials("meter", (first, 99_960), (at, 99_980)))
        await here.do(Verb.CREATE, dials("new", (at, 0), (after, 3)))
        assert await here.daily() == [("140", "3.11.0")]

        part = DateTimeInterval(start=local(10), end=at)
        rest = DateTimeInterval(start=at, end=local(10, 15))
        await here.do(Verb.CREATE, told([IntervalReading(time_period=part, value="100")]))
        await here.do(Verb.CREATE, told([IntervalReading(time_period=rest, value="7")], "new"))
        shared = (await here.intervals(PRIMARY))[local(10, 15)]
        assert shared.value == "380"
        assert {"3.4.2", "3.11.0"} <= {each.reading_quality_type.ref for each in shared.reading_qualities}

        assert await here.codes(told([at_end(local(11, 15), 5)])) == ["2.13"]
        kept = await here.database.fetch("SELECT meter, code FROM refused_reading")
        assert [tuple(row) for row in kept] == [("meter", "2.13")]


async def test_given_an_exchange_that_is_told_late_then_the_old_meter_counts_until_its_removal_only(
    dms: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scenario 4, in another order: the values that came before the news stay in the store and count no more."""
    at = local(10)
    async with office(dms, monkeypatch) as here:
        await here.do(Verb.CREATE, told([at_end(at, 5), at_end(local(11, 15), 6)]))
        await here.admin.follow(here.admin.space.events(Lane.GENERAL, MRC))
        await here.do(Verb.CREATE, meter("new", serial="2"))
        await here.do(Verb.CHANGE, linked("new", at))
        await here.do(Verb.CREATE, told([at_end(local(11, 15), 7)], "new"))
        found = await here.intervals()
        assert (found[at].value, found[local(11, 15)].value) == ("5", "7")
        await here.do(Verb.DELETE, linked("new", local(18)))
        await here.do(Verb.DELETE, linked("new", local(18)))
        verbs: list[Verb] = []
        while Verb.DELETED not in verbs:
            header = (await here.admin.next()).message.header
            verbs += [header.verb] if header.noun == "MasterDataLinkageConfig" else []
        assert verbs[-2:] == [Verb.CHANGED, Verb.DELETED]
        with pytest.raises(TimeoutError):
            await here.admin.next(timeout_s=0.5)


async def test_given_a_register_of_five_digits_when_it_goes_from_99950_to_123_then_173_passed(
    dms: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scenario 5: from 7 to 5 is a finding and not 99,998."""
    async with office(dms, monkeypatch) as here:
        first, after = calendar.bounds(DAY, BERLIN)
        next_day = calendar.bounds(DAY + timedelta(days=1), BERLIN)[1]
        await here.do(Verb.CREATE, dials("meter", (first, 99_950), (after, 123)))
        assert await here.daily() == [("173", "3.11.0")]
        await here.do(Verb.CREATE, dials("meter", (next_day, 100)))
        assert await here.daily() == [("173", "3.11.0"), (None, "3.5.257")]


async def test_given_one_file_three_times_and_cut_otherwise_and_out_of_order_then_there_is_one_version(
    dms: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scenario 7: no event more, and the database is the same to the byte."""
    values = whole_day(DAY)
    async with office(dms, monkeypatch) as here:
        await here.do(Verb.CREATE, told(values))
        digest, events = await here.digest(), await here.events()
        for again in (values, values, list(reversed(values)), values[50:], values[:50]):
            await here.do(Verb.CREATE, told(again))
        assert await here.digest() == digest
        assert await here.events() == events
        assert await here.database.fetchval("SELECT max(version) FROM block") == 1


async def test_given_an_estimate_and_measurements_of_one_interval_then_rank_and_report_decide_in_any_order(
    dms: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scenario 8: the versions stay, and the answer as of a time is what it was."""
    end = local(9)
    estimate = at_end(end, 400, ESTIMATED, reported=local(20))
    early, late = at_end(end, 412, reported=local(10)), at_end(end, 415, reported=local(12))
    async with office(dms, monkeypatch) as here:
        for value, now in ((late, "415"), (estimate, "415"), (early, "415")):
            await here.do(Verb.CREATE, told([value]))
            assert (await here.intervals())[end].value == now
        assert await here.database.fetchval("SELECT max(version) FROM block") == 1
        corrected = replace(late, value="420", reported_date_time=local(13))
        await here.head_end.tell(Verb.CHANGED, told([corrected]), key="point")
        await here.admin.follow(here.admin.space.events(Lane.READINGS, MRC))
        while (await here.admin.next()).message.header.verb is not Verb.CHANGED:
            pass
        assert (await here.intervals())[end].value == "420"
        kept = await here.database.fetch("SELECT numbers FROM block ORDER BY version")
        assert [max(unpack(">96i", row["numbers"])) for row in kept] == [415, 420]


async def test_given_a_ratio_changed_in_mid_month_then_an_interval_has_the_one_of_its_start_and_none_twice(
    dms: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scenario 12: what is primary already is not multiplied again; scenario 13: a pending calculation is exact."""
    first, after = calendar.bounds(DAY, BERLIN)
    noon = local(12)
    async with office(dms, monkeypatch) as here:
        await here.do(Verb.CREATE, told([at_end(noon, 10), at_end(noon + QUARTER, 10)]))
        await here.do(Verb.CHANGE, meter("meter", ratio=40))
        await here.do(Verb.CHANGE, meter("meter", ratio=80, since=noon))
        found = await here.intervals(PRIMARY)
        assert (found[noon].value, found[noon + QUARTER].value) == ("400", "800")
        assert (await here.intervals(INTERVAL))[noon].value == "10"
        await here.do(Verb.CREATE, told([at_end(local(15), 10)], code=PRIMARY))
        assert (await here.intervals(PRIMARY))[local(15)].value == "10"

        await here.do(Verb.CREATE, dials("meter", (first, 0), (after, 3)))
        assert await here.daily() == [(None, "3.5.257")]
        await here.do(Verb.CREATE, dials("meter", (noon, 1)))
        assert await here.daily() == [("200", "3.11.0")]

        pending = PendingCalculation(
            multiply_before_add=True,
            offset=5,
            scalar_denominator=1000,
            scalar_numerator=1,
            reading_type=Reference(ref=PRIMARY),
        )
        raw = told([at_end(local(16), 2500)])
        (reading,) = raw.meter_reading
        blocks = tuple(replace(each, pending_calculation=pending) for each in reading.interval_blocks)
        await here.do(Verb.CREATE, MeterReadings(meter_reading=(replace(reading, interval_blocks=blocks),)))
        assert (await here.intervals(PRIMARY))[local(16)].value == "7.5"


async def test_given_a_clock_that_jumps_an_hour_and_back_then_nothing_counts_twice_and_the_sum_still_closes(
    dms: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scenario 15: short intervals are flagged; what a meter tells of the year 2000 is refused, its register is not."""
    first, after = calendar.bounds(DAY, BERLIN)
    jumps = ((local(10, 20), 3600), (local(14, 40), 0))
    edges = sorted({*calendar.starts(DAY, BERLIN, QUARTER), after, *(at for at, _ in jumps)})
    values = []
    for begins, ends in pairwise(edges):
        ahead = timedelta(seconds=next((far for at, far in reversed(jumps) if at <= begins), 0))
        period = DateTimeInterval(start=begins + ahead, end=ends + ahead)
        values.append(IntervalReading(time_period=period, value=str((ends - begins) // timedelta(minutes=1))))
    clock = tuple(
        EndDeviceEvent(
            created_date_time=at,
            end_device_event_details=(EndDeviceEventDetail(name=CLOCK_AHEAD, value=str(far)),),
            end_device_event_type=Reference(ref="3.36.0.79"),
        )
        for at, far in jumps
    )
    (reading,) = told(values).meter_reading
    jumped = MeterReadings(meter_reading=(replace(reading, end_device_events=clock),))
    async with office(dms, monkeypatch) as here:
        for _ in range(2):
            assert await here.codes(jumped) == []
        found = await here.intervals()
        assert [each.value for each in found.values()] == ["15"] * 96
        flags = {end: [q.reading_quality_type.ref for q in each.reading_qualities] for end, each in found.items()}
        assert {end: codes for end, codes in flags.items() if {"3.4.64", "3.4.128"} & set(codes)} == {
            local(10, 30): ["1.0.0", "3.4.64"],
            local(14, 45): ["1.0.0", "3.4.128"],
        }
        assert sum(int(each.value or 0) for each in found.values()) == 96 * 15
        lost = [at_end(datetime(2000, 1, 1, hour, tzinfo=UTC), 9) for hour in range(1, 4)]
        assert await here.codes(told(lost)) == ["2.29"] * 3
        await here.do(Verb.CREATE, dials("meter", (first, 0), (after, 96 * 15)))
        assert await here.daily() == [(str(96 * 15), "3.11.0")]


async def test_given_two_sources_with_one_mrid_for_different_meters_then_the_second_is_told_both_keys(
    dms: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scenario 19: nothing is merged, and what the second source tells of that mRID is quarantined, and can be seen."""
    async with office(dms, monkeypatch) as here:
        await here.do(Verb.CREATE, meter("twin", serial="77", system="mesh"))
        await here.do(Verb.CREATE, meter("twin", serial="77", system="mesh"))
        for verb in (Verb.CREATE, Verb.CHANGE):
            with pytest.raises(Conflict) as refused:
                await here.do(verb, meter("twin", serial="78", system="powerline"))
            assert all(word in refused.value.reason for word in ("77", "mesh", "78", "powerline"))
        kept = (await here.cis.request(MRC, Verb.GET, MeterConfig, ids=["twin"])).noun
        assert kept == meter("twin", serial="77", system="mesh")

        await here.do(Verb.DELETE, linked("meter", local(6)))
        await here.do(Verb.CREATE, linked("twin", local(6)))
        for value, system, code in ((5, "mesh", []), (6, "powerline", ["2.14"])):
            reading = replace(at_end(local(9 + value), value), source=system)
            assert await here.codes(told([reading], "twin")) == code
        known = {end: each.value for end, each in (await here.intervals()).items() if each.value is not None}
        assert known == {local(14): "5"}
        (seen,) = await here.refused("twin", source="powerline")
        (reading,) = seen.interval_blocks[0].interval_readings
        assert (reading.value, reading.time_stamp) == ("6", local(15))
        (why,) = reading.reading_qualities
        assert why.reading_quality_type.ref == "3.7.3"
        assert all(word in (why.comment or "") for word in ("2.14", "77", "mesh", "78", "powerline"))
        assert await here.refused("twin", source="mesh") == []

        day = [replace(each, source="powerline") for each in whole_day(DAY + timedelta(days=1))]
        await here.head_end.tell(Verb.CREATED, told(day, "twin"), key="twin")
        for _ in range(500):
            if len(await here.refused("twin", source="powerline")) == 1 + len(day):
                break
            await asyncio.sleep(0.02)
        assert await here.database.fetchval("SELECT count(*) FROM block") == 1

        await here.do(Verb.CHANGE, meter("twin", serial="77", system="powerline"))
        reading = replace(at_end(local(15), 7), source="powerline")
        assert await here.codes(told([reading], "twin")) == []


async def test_given_bad_readings_among_good_ones_then_each_is_refused_by_its_code_and_the_rest_is_taken(
    dms: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Chapter 13, F1: a hole, an unknown meter, a bad value; what had no place is taken when it has one."""
    async with office(dms, monkeypatch) as here:
        good, bad = at_end(local(9), 5), at_end(local(10), "many")
        (mine,) = told(
            [good, bad, IntervalReading(value="3", time_stamp=datetime(2030, 1, 1, tzinfo=UTC))]
        ).meter_reading
        (stranger,) = told([at_end(local(9), 7)], "stranger").meter_reading
        (odd,) = told([good], code="0.0.79").meter_reading
        assert await here.codes(MeterReadings(meter_reading=(mine, stranger, odd))) == ["2.29", "2.29", "2.4", "2.6"]
        assert (await here.intervals())[local(9)].value == "5"

        await here.do(Verb.CREATE, meter("stranger", serial="3"))
        await here.do(Verb.DELETE, linked("meter", local(6)))
        await here.do(Verb.CREATE, linked("stranger", local(6)))
        assert (await here.intervals())[local(9)].value == "7"
