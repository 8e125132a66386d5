"""Readings by the column and the same readings one by one: whatever the way and the order, the answers are the same."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from uuid import uuid4

import pytest
from msgspec.structs import replace

from contracts.compact_readings import CONTENT_TYPE
from contracts.message import Message
from contracts.nouns.meter_readings import IntervalBlock, IntervalReading, Meter, MeterReading, MeterReadings
from contracts.nouns.reading_types import ReadingQuality
from contracts.types import Reference
from contracts.verbs import Verb
from services.meter_reading_and_control.store.blocks import Blocks
from shared.codec import CONTENT_MSGPACK, CONTENT_XML
from shared.envelope import CONTENT_TYPE as HEADER
from shared.tools.testing import Installation
from tests.fixtures.metering_utility import HOURS, LONG_AGO, MRC, NOW, QUARTERS, utility

LENGTHS = {QUARTERS: timedelta(minutes=15), HOURS: timedelta(hours=1)}
EXCHANGED = datetime(2026, 5, 4, 12, tzinfo=UTC)
DAYS = (date(2026, 5, 4), date(2026, 5, 5), date(2026, 5, 6))
QUALITIES = ("", "", "", "3.8.0", "3.5.259", "3.7.0", "not.a.quality")


MEANWHILE = """INSERT INTO tail SELECT bunch, market_day, place, part + 1, scale, width, members,
decode(repeat('0000006f', 3), 'hex'), NULL, '[{"source": "head-end"}]', $1 FROM tail WHERE place = 0"""
"""What another process keeps that did not see yet what this one keeps: 111 as the first value."""


def readings(random: Random, meter: str) -> MeterReading:
    """A day, a part of one or a single interval, mostly plain, now and then with what makes it odd."""
    code = random.choice((QUARTERS, QUARTERS, HOURS))
    day, length = random.choice(DAYS), LENGTHS[code]
    count = timedelta(days=1) // length
    first, last = (0, count) if random.random() < 0.6 else sorted(random.sample(range(count + 1), 2))
    quality, plain = random.choice(QUALITIES), random.random() < 0.6
    reported = random.choice((None, NOW, NOW - timedelta(hours=1)))
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    values = []
    for place in range(first, last):
        told = quality if not plain and random.random() < 0.5 else ""
        number = str(random.choice((1, 2, 10)) * 100 + place)
        value = None if not plain and random.random() < 0.05 else number
        qualities = (ReadingQuality(reading_quality_type=Reference(ref=told)),) if told else ()
        values.append(
            IntervalReading(
                time_stamp=midnight + length * (place + 1),
                value=value,
                reading_qualities=qualities,
                reported_date_time=reported,
            )
        )
    block = IntervalBlock(interval_readings=tuple(values), reading_type=Reference(ref=code))
    return MeterReading(interval_blocks=(block,), meter=Meter(mrid=meter))


def twin(noun: MeterReadings) -> MeterReadings:
    """The same of the meters that are not read by the head-end."""
    return MeterReadings(
        meter_reading=tuple(
            replace(each, meter=Meter(mrid="b" + (each.meter.mrid or "")[1:]))
            for each in noun.meter_reading
            if each.meter
        )
    )


@pytest.mark.parametrize("seed", range(3))
async def test_readings_told_by_the_column_in_any_order_and_twice_answer_like_those_that_are_entered_one_by_one(
    dms: Installation, seed: int
) -> None:
    random = Random(seed)
    async with utility(dms) as here:
        for twins in "ab":
            for meter in "123":
                await here.install(f"{twins}{meter}", f"{twins} point {meter}", LONG_AGO)
        meters = ("a1", "a2", "a3", "a stranger")
        nouns = [
            MeterReadings(meter_reading=tuple(readings(random, each) for each in random.sample(meters, 3)))
            for _ in range(12)
        ]
        for noun in nouns:
            await here.clerk.request(MRC, Verb.CREATE, twin(noun))
        told = [*nouns, *random.sample(nouns, 4)]
        random.shuffle(told)
        for place, noun in enumerate(told):
            await here.tell(noun, random.choice((CONTENT_TYPE, CONTENT_TYPE, CONTENT_XML, CONTENT_MSGPACK)))
            if place == len(told) // 2:
                await here.all_is_taken()
        await here.all_is_taken()
        for meter in "123":
            answer = await here.answer(f"a point {meter}")
            assert answer
            assert answer == await here.answer(f"b point {meter}")
        assert await here.refusals("a") == await here.refusals("b")


async def test_one_of_many_single_readings_that_is_wrong_is_put_aside_for_its_own_reason_and_the_others_are_kept(
    dms: Installation,
) -> None:
    midnight = datetime(2026, 5, 4, tzinfo=UTC)
    async with utility(dms) as here:
        for meter in "123":
            await here.install(f"a{meter}", f"a point {meter}", LONG_AGO)
        told: list[tuple[str, bytes]] = []

        def tell(meter: str, place: int, **odd: Any) -> None:
            header = replace(here.head_end.header(Verb.CREATED, "MeterReadings", message_id=str(uuid4())), **odd)
            value = IntervalReading(time_stamp=midnight + timedelta(minutes=15) * (place + 1), value=str(place))
            block = IntervalBlock(interval_readings=(value,), reading_type=Reference(ref=QUARTERS))
            noun = MeterReadings(meter_reading=(MeterReading(interval_blocks=(block,), meter=Meter(mrid=meter)),))
            body = here.head_end.codec.encode(Message(header=header, payload=noun), CONTENT_TYPE)
            told.append((header.message_id or "", body))

        for place in range(40):
            for meter in "123":
                tell(f"a{meter}", place)
        tell("a1", 50, source="scada")
        tell("a1", 51, context="PRODUCTION")
        tell("a1", 52, verb=Verb.CHANGED)
        told.append((str(uuid4()), told[0][1][:-1] + b"\xc1"))
        Random(1).shuffle(told)
        kind = {HEADER: CONTENT_TYPE}
        await asyncio.gather(
            *(here.head_end.tell_raw(Verb.CREATED, "MeterReadings", body, name, headers=kind) for name, body in told)
        )
        here.told += len(told)
        await here.all_is_taken()
        letters = await here.database.fetch("SELECT code FROM dead_letter ORDER BY code")
        assert [row["code"] for row in letters] == ["1.8", "2.14", "2.9", "7.7"]
        for meter in "123":
            (reading,) = await here.answer(f"a point {meter}")
            values = [each.value for each in reading.interval_blocks[0].interval_readings]
            assert values == [str(place) for place in range(40)] + [None] * 56


async def test_a_day_told_by_the_column_across_an_exchange_of_the_meter_is_refused_for_the_time_it_was_not_there(
    dms: Installation,
) -> None:
    async with utility(dms) as here:
        await here.install("a1", "a point 1", LONG_AGO)
        midnight = datetime(2026, 5, 4, tzinfo=UTC)
        values = tuple(
            IntervalReading(time_stamp=midnight + timedelta(minutes=15) * place, value="1") for place in range(1, 97)
        )
        block = IntervalBlock(interval_readings=values, reading_type=Reference(ref=QUARTERS))

        def day(meter: str) -> MeterReadings:
            return MeterReadings(meter_reading=(MeterReading(interval_blocks=(block,), meter=Meter(mrid=meter)),))

        await here.tell(day("a1"), CONTENT_TYPE)
        await here.all_is_taken()
        await here.install("a2", "a point 1", EXCHANGED, Verb.CHANGE)
        await here.tell(day("a2"), CONTENT_TYPE)
        await here.all_is_taken()
        assert await here.refusals("a2") == [("2.13", 48)]
        (reading,) = await here.answer("a point 1")
        found = [each.value for each in reading.interval_blocks[0].interval_readings]
        assert found[:96] == ["1"] * 96


async def test_waves_are_seen_at_once_and_as_of_their_time_before_and_after_they_are_folded(dms: Installation) -> None:
    midnight = datetime(2026, 5, 6, tzinfo=UTC)
    async with utility(dms) as here:
        for meter in "123":
            await here.install(f"a{meter}", f"a point {meter}", LONG_AGO)

        async def wave(place: int, value: int, *, at: datetime, quality: str = "") -> None:
            await here.set_clock(at)
            told = (ReadingQuality(reading_quality_type=Reference(ref=quality)),) if quality else ()
            one = IntervalReading(
                time_stamp=midnight + timedelta(minutes=15) * place, value=str(value), reading_qualities=told
            )
            block = IntervalBlock(interval_readings=(one,), reading_type=Reference(ref=QUARTERS))
            every = (MeterReading(interval_blocks=(block,), meter=Meter(mrid=f"a{meter}")) for meter in "123")
            noun = MeterReadings(meter_reading=tuple(every))
            await here.tell(noun, CONTENT_TYPE)
            await here.tell(noun, CONTENT_TYPE)
            await here.all_is_taken()

        async def values(as_of: datetime | None = None) -> list[str | None]:
            (reading,) = await here.answer("a point 2", as_of)
            return [each.value for each in reading.interval_blocks[0].interval_readings if each.value is not None]

        times = [NOW + timedelta(minutes=place) for place in range(5)]
        await wave(1, 101, at=times[0], quality="3.8.0")
        await wave(2, 102, at=times[1])
        assert await values() == ["101", "102"]
        await here.database.execute(MEANWHILE, times[2])
        seen = [await values(each) for each in times[:3]]
        assert seen == [["101"], ["101", "102"], ["111", "102"]]
        assert await here.database.fetchval("SELECT count(*) FROM tail") == 3

        await here.set_clock(NOW + timedelta(hours=2))
        await here.all_is_folded()
        assert await here.database.fetchval("SELECT count(*) FROM block WHERE version = 0") == 3
        assert [await values(each) for each in times[:3]] == seen
        await wave(3, 103, at=NOW + timedelta(hours=2))
        assert await values() == ["111", "102", "103"]
        assert [await values(each) for each in times[:3]] == seen
        await here.set_clock(NOW + timedelta(hours=4))
        await here.all_is_folded()
        assert await values() == ["111", "102", "103"]
        assert [await values(each) for each in times[:3]] == seen


async def test_what_one_message_tells_twice_is_kept_and_passed_on_once_and_what_it_corrects_is_corrected(
    dms: Installation,
) -> None:
    at = datetime(2026, 5, 4, 0, 15, tzinfo=UTC)

    def told(meter: str, value: str) -> MeterReading:
        block = IntervalBlock(
            interval_readings=(IntervalReading(time_stamp=at, value=value),), reading_type=Reference(ref=QUARTERS)
        )
        return MeterReading(interval_blocks=(block,), meter=Meter(mrid=meter))

    async with utility(dms) as here:
        for twins in "ab":
            for meter in "123":
                await here.install(f"{twins}{meter}", f"{twins} point {meter}", LONG_AGO)
        once = [told("a1", "5"), told("a2", "6"), told("a3", "7")]
        wave = MeterReadings(meter_reading=(*once, *once[:2], told("a3", "8")))
        await here.clerk.request(MRC, Verb.CREATE, twin(wave))
        await here.tell(wave, CONTENT_TYPE)
        await here.all_is_taken()
        assert await here.database.fetchval("SELECT max(octet_length(members)) FROM tail") == 3
        for meter in "123":
            assert await here.answer(f"a point {meter}") == await here.answer(f"b point {meter}")
        assert [each for each in await here.passed_on() if each[0].startswith("a")] == [
            ("a point 1", "5"),
            ("a point 2", "6"),
            ("a point 3", "7"),
            ("a point 3", "8"),
        ]


async def test_a_wave_told_again_after_it_was_folded_and_cut_otherwise_adds_only_what_is_new(dms: Installation) -> None:
    midnight = datetime(2026, 5, 6, tzinfo=UTC)
    async with utility(dms) as here:
        for meter in "123":
            await here.install(f"r{meter}", f"r point {meter}", LONG_AGO)
        await here.set_clock(NOW)

        async def wave(values: dict[str, str], *, reported: datetime | None = None) -> None:
            every = []
            for meter, value in values.items():
                one = IntervalReading(
                    time_stamp=midnight + timedelta(minutes=15), value=value, reported_date_time=reported
                )
                block = IntervalBlock(interval_readings=(one,), reading_type=Reference(ref=QUARTERS))
                every.append(MeterReading(interval_blocks=(block,), meter=Meter(mrid=meter)))
            await here.tell(MeterReadings(meter_reading=tuple(every)), CONTENT_TYPE)
            await here.all_is_taken()

        async def kept() -> tuple[list[int], list[int]]:
            tail = await here.database.fetch("SELECT length(members) AS members FROM tail ORDER BY 1")
            blocks = await here.database.fetch("SELECT version FROM block ORDER BY series, version")
            return [row["members"] for row in tail], [row["version"] for row in blocks]

        await wave({"r1": "1.5", "r2": "2.5"})
        await wave({"r2": "2.50"})
        assert await kept() == ([2], [])
        await here.set_clock(NOW + timedelta(hours=2))
        await here.all_is_folded()
        await wave({"r1": "1.5", "r2": "2.5", "r3": "3.5"})
        assert await kept() == ([1], [0, 0])
        await wave({"r1": "1.6", "r2": "2.5", "r3": "3.5"}, reported=NOW)
        assert await kept() == ([1], [0, 1, 0, 1, 1])
        answers = [await here.answer(f"r point {meter}") for meter in "123"]
        assert [each[0].interval_blocks[0].interval_readings[0].value for each in answers] == ["1.6", "2.5", "3.5"]


async def test_what_is_folded_while_somebody_asks_is_in_the_answer(
    dms: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    midnight = datetime(2026, 5, 6, tzinfo=UTC)
    read = Blocks._block_rows
    async with utility(dms) as here:
        for meter in "123":
            await here.install(f"f{meter}", f"f point {meter}", LONG_AGO)
        await here.set_clock(NOW)
        one = IntervalReading(time_stamp=midnight + timedelta(minutes=15), value="7")
        block = IntervalBlock(interval_readings=(one,), reading_type=Reference(ref=QUARTERS))
        every = (MeterReading(interval_blocks=(block,), meter=Meter(mrid=f"f{meter}")) for meter in "123")
        await here.tell(MeterReadings(meter_reading=tuple(every)), CONTENT_TYPE)
        await here.all_is_taken()

        async def slowly(*arguments: Any) -> Any:
            found = await read(*arguments)
            await here.set_clock(NOW + timedelta(hours=2))
            await here.all_is_folded()
            return found

        assert await here.database.fetchval("SELECT count(*) FROM tail") == 1
        monkeypatch.setattr(Blocks, "_block_rows", slowly)
        (reading,) = await here.answer("f point 2")
        shown = [each.value for each in reading.interval_blocks[0].interval_readings if each.value is not None]
        assert shown == ["7"]
