"""Days that are over are judged without being asked for: what is found and estimated is kept, and told."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec import json
from msgspec.structs import replace

from contracts.interface import Lane
from contracts.nouns.meter_readings import MeterReadings
from contracts.types import DateTimeInterval, ObjectReference
from contracts.verbs import Verb
from services.meter_reading_and_control.domain import calendar
from services.meter_reading_and_control.domain.vee.rule_sets import INTERVALS
from shared.tools.testing import Installation
from tests.acceptance.judged_days import NOW, ONE_DAY, at, power, said, shown
from tests.acceptance.test_metering import (
    BERLIN,
    DAY,
    LONG_AGO,
    MRC,
    Office,
    at_end,
    dials,
    linked,
    local,
    meter,
    office,
    told,
    whole_day,
)

GAP = slice(40, 52)
HOURS = "0.0.7.4.1.1.12.0.0.0.0.0.0.0.0.0.72.0"


async def changes(here: Office) -> list[Any]:
    """The events about changed readings that were told since."""
    found: list[Any] = []
    while True:
        try:
            message = (await here.admin.next(timeout_s=0.3)).message
        except TimeoutError:
            return found
        if message.header.verb is Verb.CHANGED:
            found += message.noun.meter_reading


async def test_a_register_that_comes_two_days_later_scales_what_was_estimated_and_nothing_else(
    dms: Installation, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Scenario 6: version 2, the sum is exact, who listens is told; judged once more nothing is added."""
    lone = replace(INTERVALS, id="lax", since=date(2040, 1, 1), rules={**INTERVALS.rules, "V13": {"ratio": 99}})
    (tmp_path / "rules.json").write_bytes(json.encode([lone]))
    monkeypatch.setenv("BUSBAR_METER_RULE_SETS", str(tmp_path / "rules.json"))
    monday = whole_day(DAY)
    spike = monday[70].time_stamp or NOW
    file = told([*monday[: GAP.start], *monday[GAP.stop : 70], at_end(spike, 5000), *monday[71:]])
    first, after = calendar.bounds(DAY, BERLIN)
    async with office(dms, monkeypatch) as here:
        await here.admin.follow(here.admin.space.events(Lane.READINGS, MRC))
        for weeks in (1, 2, 3):
            await here.do(Verb.CREATE, told(whole_day(DAY - 7 * weeks * ONE_DAY)))
        await here.do(Verb.CREATE, file)
        assert await changes(here) == []
        await at(here, NOW + timedelta(hours=2))
        found = await shown(here)
        assert len(found) == 96
        assert [found[each.time_stamp or NOW].value for each in monday] == [each.value for each in monday[:70]] + [
            "170",
            *[each.value for each in monday[71:]],
        ]
        gap = [found[each.time_stamp or NOW] for each in monday[GAP]]
        assert {(each.source, said(each)["3.8.0"]) for each in gap} == {(MRC, "method=E4")}
        assert said(gap[0])["3.5.259"] == "V8 fail intervals/1"
        assert said(found[spike]) == {"3.5.256": "V13 fail intervals/1", "3.8.0": "method=E3"}
        assert "3.0.1" in said(found[local(1)])
        (event,) = await changes(here)
        assert len(event.interval_blocks[0].interval_readings) == 13

        assert await shown(here, judgedBy="valid", comparedTo="kept") == {}, "a preview sees what is kept"
        lax = await shown(here, judgedBy="lax", comparedTo="kept")
        assert {end: each.value for end, each in lax.items()} == {spike: "5000"}
        before = await here.digest(), await here.events()
        await here.do(Verb.CREATE, file)
        await at(here, NOW + timedelta(hours=4))
        assert (await here.digest(), await here.events()) == before, "told again and judged again: nothing is added"

        later = NOW + 2 * ONE_DAY
        await at(here, later)
        await here.do(Verb.CREATE, dials("meter", (first, 0), (after, 15)))
        assert "3.0.1" not in said((await shown(here))[local(1)]), "nobody has judged what is known now"
        await at(here, later + timedelta(hours=2))
        scaled = await shown(here)
        assert sum(int(each.value or 0) for each in scaled.values()) == 15_000
        assert {said(scaled[each.time_stamp or NOW])["3.8.0"] for each in monday[GAP]} == {"method=E6 E4"}
        measured = [each.time_stamp or NOW for each in [*monday[: GAP.start], *monday[GAP.stop : 70], *monday[71:]]]
        assert [scaled[each].value for each in measured] == [found[each].value for each in measured]
        assert await here.database.fetchval("SELECT max(version) FROM block WHERE market_day = $1", DAY) == 3
        (event,) = await changes(here)
        assert {each.time_stamp for each in event.interval_blocks[0].interval_readings} == set(found) - set(measured)
        as_then = await shown(here, asOf=later.isoformat())
        assert {end: each.value for end, each in as_then.items()} == {end: each.value for end, each in found.items()}

        await here.do(Verb.CREATE, told([at_end(monday[45].time_stamp or NOW, 99)]))
        late = (await shown(here))[monday[45].time_stamp or NOW]
        assert (late.value, said(late)) == ("99", {"1.0.0": ""}), "what was measured replaces what was estimated"


async def test_in_a_storm_nothing_is_estimated_for_what_is_dark_and_afterwards_it_is(
    dms: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scenario 22, as far as readings go: five of twelve meters fall silent; of one the whole outage is told."""
    monkeypatch.setenv("BUSBAR_METER_STORM_LEAST", "10")
    storm = date(2026, 11, 30)
    meters = ["meter", *(f"m{number}" for number in range(11))]
    silent = meters[:5]

    def day_of(day: date, dark: int = 24) -> MeterReadings:
        values = [at_end(local(hour, day=day) + timedelta(hours=1), 100 + hour) for hour in range(24)]
        told_by = [told(values[:dark] if mrid in silent else values, mrid, HOURS) for mrid in meters]
        return MeterReadings(meter_reading=tuple(each.meter_reading[0] for each in told_by))

    async with office(dms, monkeypatch) as here:
        for mrid in meters[1:]:
            await here.do(Verb.CREATE, meter(mrid, serial=mrid))
            await here.do(Verb.CREATE, linked(mrid, LONG_AGO, f"{mrid} point"))
        for back in (3, 2, 1):
            await here.do(Verb.CREATE, day_of(storm - back * ONE_DAY))
        await here.do(Verb.CREATE, day_of(storm, dark=5))
        await here.admin.follow(here.admin.space.events(Lane.OUTAGE, MRC))
        await power(here, "3.26.9.185", local(5, day=storm))
        await power(here, "3.26.9.216", local(20, day=storm))

        await at(here, NOW + timedelta(hours=5))
        waits = (await shown(here, storm, "m0 point", HOURS))[local(12, day=storm)]
        assert waits.value is None
        assert {each.comment for each in waits.reading_qualities} == {
            "V8 fail intervals/1",
            "held: many meters of its area are silent",
        }
        lit = (await shown(here, storm, "m9 point", HOURS))[local(12, day=storm)]
        assert (lit.value, set(said(lit))) == ("111", {"1.0.0", "3.0.1"})
        known = await shown(here, storm, code=HOURS)
        assert {known[local(hour, day=storm)].value for hour in range(6, 20)} == {"0"}, "of this one all is known"
        assert known[local(22, day=storm)].value is None

        await here.do(Verb.CREATE, dials("meter", (NOW, 1)))
        await here.admin.bus.publish_core(here.admin.space.clock, json.encode({"now": NOW + ONE_DAY}))
        await here.do(Verb.CREATE, day_of(storm + ONE_DAY))
        await at(here, NOW + ONE_DAY + timedelta(hours=5))
        await at(here, NOW + ONE_DAY + timedelta(hours=7))
        taken_up = (await shown(here, storm, "m0 point", HOURS))[local(12, day=storm)]
        assert (taken_up.value, said(taken_up)["3.8.0"]) == ("111", "method=E4")
        assert (await shown(here, storm, code=HOURS))[local(12, day=storm)].value == "0"


async def test_a_usage_point_that_cannot_be_judged_is_set_aside_and_nobody_waits_for_it(
    dms: Installation, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Of one of three the row of what is usual is damaged: it is named with the reason, until the row is mended."""
    days = [DAY, DAY + ONE_DAY]

    def day_of(day: date) -> MeterReadings:
        values = [at_end(local(hour, day=day) + timedelta(hours=1), 100 + hour) for hour in range(24) if hour != 12]
        told_by = [told(values, mrid, HOURS) for mrid in ("meter", "damaged", "last")]
        return MeterReadings(meter_reading=tuple(each.meter_reading[0] for each in told_by))

    async def set_aside() -> list[Any]:
        return [
            (each.usage_point, block.reading_type.ref, one.time_period, one.reading_qualities[0].comment)
            for each in await here.refused("damaged point", "damaged", "point", "last point")
            for block in each.interval_blocks
            for one in block.interval_readings
        ]

    async with office(dms, monkeypatch) as here:
        for mrid in ("damaged", "last"):
            await here.do(Verb.CREATE, meter(mrid, serial=mrid))
            await here.do(Verb.CREATE, linked(mrid, LONG_AGO, f"{mrid} point"))
        await here.do(Verb.CREATE, day_of(days[0]))
        await at(here, NOW + timedelta(hours=2))
        series = await here.database.fetchval("SELECT id FROM series WHERE usage_point = 'damaged point'")
        row = await here.database.fetchval("SELECT usage FROM statistic WHERE series = $1", series)
        await here.database.execute("UPDATE statistic SET usage = $2 WHERE series = $1", series, row[:-3])

        await here.do(Verb.CREATE, day_of(days[1]))
        await here.do(Verb.CREATE, told(whole_day(days[1]), "last"))
        await at(here, NOW + timedelta(hours=4))
        end = local(13, day=days[1])
        for point in ("point", "last point"):
            estimate = (await shown(here, days[1], point, HOURS))[end]
            assert (estimate.value, said(estimate)["3.8.0"]) == ("112", "method=E3")
        assert "3.0.1" in said((await shown(here, days[1], "last point"))[local(13, day=days[1])])
        spoiled = await shown(here, days[1], "damaged point", HOURS)
        assert (spoiled[end].value, said(spoiled[local(3, day=days[1])])) == (None, {"1.0.0": ""})
        ((place, code, period, why),) = await set_aside()
        start, after = calendar.bounds(days[1], BERLIN)
        assert (place, code) == (ObjectReference(mrid="damaged point"), HOURS)
        assert period == DateTimeInterval(start=start, end=after)
        assert why.startswith("5.3 ValueError: ")
        parts = [vars(each).get("part") for each in caplog.records if each.message == "a defect spoiled a part"]
        assert parts == [f"{days[1]} of bunch {series // 256}", f"{days[1]} of bunch {series // 256}, series {series}"]
        assert await here.database.fetchval("SELECT count(*) FROM to_judge") == 0

        await here.database.execute("UPDATE statistic SET usage = $2 WHERE series = $1", series, row)
        await here.do(Verb.CREATE, told([at_end(local(22, day=days[1]), 130)], "damaged", HOURS))
        await at(here, NOW + timedelta(hours=6))
        mended = await shown(here, days[1], "damaged point", HOURS)
        assert (mended[end].value, said(mended[end])["3.8.0"]) == ("112", "method=E3")
        assert await set_aside() == []
