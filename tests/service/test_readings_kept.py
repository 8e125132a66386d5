"""Readings that are kept: how they are shown in parts, as of a time, and for how long."""

from datetime import UTC, date, datetime, timedelta

import pytest

from contracts.compact_readings import CONTENT_TYPE
from contracts.nouns.meter_readings import IntervalBlock, IntervalReading, Meter, MeterReading, MeterReadings
from contracts.nouns.reading_types import ReadingQuality
from contracts.types import Reference
from shared.tools.testing import Installation
from tests.fixtures.metering_utility import HOURS, LONG_AGO, NOW, utility
from tests.service.toys.world import eventually


async def test_the_answer_about_a_long_time_comes_in_pages_that_grow_from_a_day_to_a_week(dms: Installation) -> None:
    async with utility(dms) as here:
        await here.install("a1", "a point 1", LONG_AGO)
        first = date(2026, 1, 2)
        for day in (*(first + timedelta(days=place) for place in (0, 1, 2, 4, 6, 7, 14, 20)), date(2026, 4, 30)):
            midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
            values = tuple(
                IntervalReading(time_stamp=midnight + timedelta(hours=place), value=str(place))
                for place in range(1, 25)
            )
            block = IntervalBlock(interval_readings=values, reading_type=Reference(ref=HOURS))
            one = MeterReading(interval_blocks=(block,), meter=Meter(mrid="a1"))
            await here.tell(MeterReadings(meter_reading=(one,)), CONTENT_TYPE)
        await here.all_is_taken()
        pages = await here.answer("a point 1")
        assert [len(page.interval_blocks[0].interval_readings) for page in pages] == [24, 48, 72, 48, 24]


async def test_months_lose_their_versions_and_then_go_when_they_have_had_their_time(
    dms: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUSBAR_METER_VERSIONS_DAYS", "31")
    monkeypatch.setenv("BUSBAR_METER_KEPT_DAYS", "150")
    midnight = datetime(2026, 5, 5, tzinfo=UTC)

    def told(first: int, last: int, value: int, quality: str = "") -> MeterReadings:
        qualities = (ReadingQuality(reading_quality_type=Reference(ref=quality)),) if quality else ()
        values = tuple(
            IntervalReading(time_stamp=midnight + timedelta(hours=place), value=str(value), reading_qualities=qualities)
            for place in range(first, last + 1)
        )
        block = IntervalBlock(interval_readings=values, reading_type=Reference(ref=HOURS))
        return MeterReadings(meter_reading=(MeterReading(interval_blocks=(block,), meter=Meter(mrid="a1")),))

    async with utility(dms) as here:
        await here.install("a1", "a point 1", LONG_AGO)

        async def values(as_of: datetime | None = None) -> list[str | None]:
            (reading,) = await here.answer("a point 1", as_of)
            return [each.value for each in reading.interval_blocks[0].interval_readings]

        async def rows() -> list[tuple[int, int]]:
            found = await here.database.fetch("SELECT version, width FROM block ORDER BY version")
            return [tuple(row) for row in found]

        await here.tell(told(1, 12, 300), CONTENT_TYPE)
        await here.all_is_taken()
        await here.set_clock(NOW + timedelta(hours=2))
        await here.all_is_folded()
        await here.tell(told(13, 24, 301), CONTENT_TYPE)
        await here.tell(told(2, 2, 17, "3.7.0"), CONTENT_TYPE)
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

        await here.tell(told(3, 3, 18, "3.7.0"), CONTENT_TYPE)
        await here.all_is_taken()
        assert await values() == ["300", "17", "18", *now[3:]]
        assert await values(datetime(2026, 7, 2, tzinfo=UTC)) == ["300", "17", "18", *now[3:]]

        await here.set_clock(datetime(2026, 11, 2, tzinfo=UTC))
        await eventually(lambda: here.database.fetchval("SELECT count(*) = 0 FROM months()"))
        assert await here.answer("a point 1") == []
        await here.tell(told(1, 24, 300), CONTENT_TYPE)
        await here.all_is_taken()
        assert await here.refusals("a1") == [("2.29", 24)]
        assert await here.database.fetchval("SELECT count(*) FROM block") == 0
