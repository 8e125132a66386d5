"""Scenarios 6, 16 and 17 of the metering guide as one asks for them: what rules say of readings that are kept."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec import json

from contracts.interface import Lane
from contracts.nouns.meter_readings import IntervalReading
from contracts.verbs import Verb
from services.meter_reading_and_control.domain import calendar
from shared.tools.testing import Installation
from tests.acceptance.judged_days import ONE_DAY, Shown, asked, intervals, power, said
from tests.acceptance.test_metering import (
    BERLIN,
    DAY,
    MRC,
    QUARTER,
    Office,
    at_end,
    dials,
    office,
    told,
    whole_day,
)

SPIKED, DARK = DAY + ONE_DAY, DAY + 2 * ONE_DAY
LONE_GAP = [{"id": "gaps", "version": 3, "since": "2027-01-01", "rules": {"V8": {}}, "ladder": [{"method": "E7"}]}]


async def judged(here: Office, **options: str) -> Shown:
    """What rules say of the intervals from Monday to Wednesday, by the end of the interval."""
    return intervals(await asked(here, "point", (DAY, DARK), **options))


async def refusal(here: Office, **options: str) -> str:
    """The code with which such a question is refused."""
    reply = (await asked(here, "point", (DAY, DARK), **options)).reply
    return reply.error[0].code if reply is not None and reply.error else ""


def of_day(found: Shown, values: list[IntervalReading]) -> list[IntervalReading]:
    return [found[each.time_stamp] for each in values if each.time_stamp]


async def test_gaps_spikes_and_outages_are_told_apart_and_a_late_register_scales_what_was_estimated(
    dms: Installation, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Scenarios 6, 16, 17: a gap of 3 h, a spike, an outage of 5 h; and what other rules would say of them."""
    rules = tmp_path / "rules.json"
    rules.write_bytes(json.encode(LONE_GAP))
    monkeypatch.setenv("BUSBAR_METER_RULE_SETS", str(rules))
    monday, tuesday, wednesday = whole_day(DAY), whole_day(SPIKED), whole_day(DARK)
    tuesday[50] = at_end(tuesday[50].time_stamp or datetime.now(UTC), 5000)
    gap, dark = slice(40, 52), slice(20, 40)
    first, after = calendar.bounds(DAY, BERLIN)
    async with office(dms, monkeypatch) as here:
        await here.admin.follow(here.admin.space.events(Lane.OUTAGE, MRC))
        for weeks in (1, 2, 3):
            await here.do(Verb.CREATE, told(whole_day(DAY - 7 * weeks * ONE_DAY)))
        for values, without in ((monday, gap), (tuesday, slice(0)), (wednesday, dark)):
            await here.do(Verb.CREATE, told([*values[: without.start or 0], *values[without.stop :]]))
        off, on = (wednesday[place].time_stamp or first for place in (19, 39))
        await power(here, "3.26.9.185", off)
        kept, events = await here.digest(), await here.events()

        found = await judged(here, judgedBy="valid")
        assert len(found) == 3 * 96
        assert said(found[first + QUARTER]) == {"1.0.0": "", "3.0.1": ""}
        estimates = of_day(found, monday[gap])
        assert [each.value for each in estimates] == [str(100 + place) for place in range(40, 52)]
        assert {said(each)["3.8.0"] for each in estimates} == {"method=E4"}
        (spike,) = of_day(found, tuesday[50:51])
        assert (spike.value, said(spike)) == ("150", {"3.5.256": "V13 fail intervals/1", "3.8.0": "method=E3"})
        held = of_day(found, wednesday[dark])
        assert {each.value for each in held} == {None}
        assert {each.comment for each in held[0].reading_qualities if (each.comment or "").startswith("held")}

        await power(here, "3.26.9.216", on)
        await here.do(Verb.CREATE, dials("meter", (first, 0), (after, 15)))
        again = await judged(here, judgedBy="intervals/1")
        outage = of_day(again, wednesday[dark])
        assert {each.value for each in outage} == {"0"}
        assert all({"3.2.32", "3.8.0"} <= set(said(each)) and said(each)["3.8.0"] == "method=E1" for each in outage)
        scaled = of_day(again, monday)
        assert sum(int(each.value or 0) for each in scaled) == 15_000
        assert {said(each)["3.8.0"] for each in scaled[gap]} == {"method=E6 E4"}
        assert [each.value for each in scaled[:40]] == [each.value for each in monday[:40]], "measured, so as it was"

        other = await judged(here, judgedBy="gaps", comparedTo="valid")
        assert of_day(other, tuesday[50:51])[0].value == "5000"
        assert set(other) == {each.time_stamp for each in (*monday[gap], tuesday[50], *wednesday[dark])}
        assert await judged(here, judgedBy="valid", comparedTo="intervals") == {}
        assert await judged(here, judgedBy="valid") == again
        assert (await here.digest(), await here.events() - events) == (kept, 2), "the two registers, and no more"
        assert await refusal(here, judgedBy="gaps/2") == "2.29"
        assert await refusal(here, comparedTo="valid") == "2.15"
