"""Readings that are kept: how they are shown in parts, as of a time, and for how long."""

from datetime import UTC, date, datetime, timedelta

import pytest

from contracts.compact_readings import CONTENT_TYPE
from contracts.nouns.get_meter_readings import GetMeterReadings
from contracts.nouns.meter_readings import IntervalBlock, IntervalReading, Meter, MeterReading, MeterReadings
from contracts.nouns.reading_types import Reading, ReadingType
from contracts.types import ObjectReference, Reference
from contracts.verbs import Verb
from shared.codec import CONTENT_XML
from shared.tools.testing import Installation
from tests.fixtures.metering_utility import HOURS, LONG_AGO, NOW, told, utility
from tests.service.toys.world import eventually


async def test_the_answer_about_a_long_time_comes_in_pages_that_grow_from_a_day_to_a_week(dms: Installation) -> None:
    async with utility(dms) as here:
        await here.install("a1", "a point 1", LONG_AGO)
        first = date(2026, 1, 2)
        for day in (*(first + timedelta(days=place) for place in (0, 1, 2, 4, 6, 7, 14, 20)), date(2026, 4, 30)):
            midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
            await here.tell(told("a1", {place: place + 1 for place in range(24)}, day=midnight), CONTENT_TYPE)
        await here.all_is_taken()
        pages = await here.answer("a point 1")
        assert [len(page.interval_blocks[0].interval_readings) for page in pages] == [24, 48, 72, 48, 24]


async def test_months_lose_their_versions_and_then_go_when_they_have_had_their_time(
    dms: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUSBAR_METER_VERSIONS_DAYS", "31")
    monkeypatch.setenv("BUSBAR_METER_KEPT_DAYS", "150")

    def hours(first: int, last: int, value: int, quality: str = "") -> MeterReadings:
        return told("a1", dict.fromkeys(range(first - 1, last), value), quality=quality)

    async with utility(dms) as here:
        await here.install("a1", "a point 1", LONG_AGO)

        async def values(as_of: datetime | None = None) -> list[str | None]:
            (reading,) = await here.answer("a point 1", as_of)
            return [each.value for each in reading.interval_blocks[0].interval_readings]

        async def rows() -> list[tuple[int, int]]:
            found = await here.database.fetch("SELECT version, width FROM block ORDER BY version")
            return [tuple(row) for row in found]

        await here.tell(hours(1, 12, 300), CONTENT_TYPE)
        await here.all_is_taken()
        await here.set_clock(NOW + timedelta(hours=2))
        await here.all_is_folded()
        await here.tell(hours(13, 24, 301), CONTENT_TYPE)
        await here.tell(hours(2, 2, 17, "3.7.0"), CONTENT_TYPE)
        await here.all_is_taken()
        first = NOW + timedelta(hours=1)
        assert await values(first) == ["300"] * 12 + [None] * 12
        await here.set_clock(NOW + timedelta(hours=4))
        await here.all_is_folded()
        now = ["300", "17", *["300"] * 10, *["301"] * 12]
        assert await values() == now
        assert await rows() == [(0, 4), (1, 4)]

        await here.set_clock(datetime(2026, 7, 2, tzinfo=UTC))
        await eventually(lambda: here.database.fetchval("SELECT true FROM packed"))
        assert await rows() == [(1, 2)]
        assert await values() == now
        assert await values(datetime(2026, 7, 3, tzinfo=UTC)) == now
        with pytest.raises(AssertionError, match=r"2\.29"):
            await values(first)

        await here.tell(hours(3, 3, 18, "3.7.0"), CONTENT_TYPE)
        await here.all_is_taken()
        assert await values() == ["300", "17", "18", *now[3:]]
        assert await values(datetime(2026, 7, 2, tzinfo=UTC)) == ["300", "17", "18", *now[3:]]

        await here.set_clock(datetime(2026, 11, 2, tzinfo=UTC))
        await eventually(lambda: here.database.fetchval("SELECT count(*) = 0 FROM months()"))
        assert await here.answer("a point 1") == []
        await here.tell(hours(1, 24, 300), CONTENT_TYPE)
        await here.all_is_taken()
        assert await here.refusals("a1") == [("2.29", 24)]
        assert await here.database.fetchval("SELECT count(*) FROM block") == 0


async def test_what_was_known_at_a_time_is_the_same_to_the_moment_before_and_after_waves_are_folded(
    dms: Installation,
) -> None:
    midnight = datetime(2026, 5, 6, tzinfo=UTC)
    async with utility(dms) as here:
        await here.install("a1", "a point 1", LONG_AGO)

        async def wave(place: int, at: datetime) -> None:
            await here.set_clock(at)
            await here.tell(told("a1", {place - 1: place}, day=midnight), CONTENT_TYPE)
            await here.all_is_taken()

        async def known(as_of: datetime) -> list[str | None]:
            answer = await here.answer("a point 1", as_of)
            return [each.value for one in answer for each in one.interval_blocks[0].interval_readings if each.value]

        first = NOW + timedelta(seconds=61, milliseconds=300)
        times = [first, first + timedelta(seconds=1, milliseconds=900), first + timedelta(seconds=7)]
        for place, at in enumerate(times, 1):
            await wave(place, at)
        moments = [first + timedelta(seconds=0.4 * step) for step in range(-2, 26)]
        seen = [await known(each) for each in moments]
        assert [seen[0], seen[-1]] == [[], ["1", "2", "3"]]
        await here.set_clock(NOW + timedelta(hours=2))
        await here.all_is_folded()
        assert [await known(each) for each in moments] == seen


async def test_a_bill_asked_for_as_of_its_day_is_the_same_after_the_multiplier_was_corrected_and_an_exchange_was_told(
    dms: Installation,
) -> None:
    midnight = datetime(2026, 5, 5, tzinfo=UTC)
    secondary_register, daily = "0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.0.72.0", "11.0.0.4.1.2.12.0.0.0.0.0.0.0.0.0.72.0"
    primary_hours = "0.0.7.4.1.2.12.0.0.0.0.0.0.0.0.0.72.0"
    async with utility(dms) as here:
        await here.install("a1", "a point 1", LONG_AGO, ratio=40)
        values = tuple(
            IntervalReading(time_stamp=midnight + timedelta(hours=place), value="2") for place in range(1, 25)
        )
        hours = IntervalBlock(interval_readings=values, reading_type=Reference(ref=HOURS))
        registers = tuple(
            Reading(
                time_stamp=midnight + timedelta(days=day), value=value, reading_type=Reference(ref=secondary_register)
            )
            for day, value in ((0, "100"), (1, "148"))
        )
        told = MeterReading(interval_blocks=(hours,), readings=registers, meter=Meter(mrid="a1"))
        await here.tell(MeterReadings(meter_reading=(told,)), CONTENT_XML)
        await here.all_is_taken()

        types = tuple(ReadingType(mrid=each) for each in (primary_hours, daily))
        query = GetMeterReadings(usage_point=(ObjectReference(mrid="a point 1"),), reading_type=types)

        async def bill(as_of: datetime | None) -> tuple[list[str | None], list[str | None]]:
            found = await here.ask(query, as_of=as_of)
            blocks = [block for each in found for block in each.interval_blocks]
            return (
                [one.value for block in blocks for one in block.interval_readings],
                [one.value for each in found for one in each.readings],
            )

        issued = await bill(NOW)
        assert issued == (["80"] * 24, ["1920"])

        await here.set_clock(NOW + timedelta(hours=1))
        await here.set_up("a1", ratio=50)
        assert await bill(None) == (["100"] * 24, ["2400"])
        assert await bill(NOW) == issued

        await here.set_clock(NOW + timedelta(hours=2))
        corrected = await bill(NOW + timedelta(hours=1, minutes=30))
        await here.install("a2", "a point 1", midnight + timedelta(hours=12), Verb.CHANGE)
        assert await bill(None) == (["100"] * 12 + [None] * 12, [])
        assert await bill(NOW + timedelta(hours=1, minutes=30)) == corrected == (["100"] * 24, ["2400"])
        assert await bill(NOW) == issued
