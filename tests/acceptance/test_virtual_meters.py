"""Usage points without a meter and intervals of several lengths (metering guide 6; scenario 14 of section 17)."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from msgspec import json

from contracts.compact_readings import CONTENT_TYPE
from contracts.message import Id, Request
from contracts.nouns.get_meter_readings import GetMeterReadings
from contracts.nouns.reading_types import ReadingType
from contracts.nouns.usage_point_config import UsagePointConfig
from contracts.verbs import Verb
from shared.tools.testing import Installation
from tests.fixtures.metering_groups import made_of, set_up
from tests.fixtures.metering_utility import LONG_AGO, MIDNIGHT, MRC, NOW, Utility, told, utility

FIVE, THIRTY = (f"0.0.{each}.4.1.1.12.0.0.0.0.0.0.0.0.0.72.0" for each in (6, 5))
FIVE_TOLD, THIRTY_TOLD = (each.replace(".1.1.12.", ".1.2.12.") for each in (FIVE, THIRTY))
REGISTER = "0.0.0.1.1.2.12.0.0.0.0.0.0.0.0.0.72.0"
REGISTER_KWH = REGISTER.replace(".0.72.0", ".3.72.0")
NIGHT_REGISTER = "0.0.0.1.1.2.12.0.0.0.0.2.0.0.0.0.72.0"
NIGHT_OF_DAY, OF_DAY = (f"11.0.0.4.1.2.12.0.0.0.0.{tou}.0.0.0.0.72.0" for tou in (2, 0))
PEAK_OF_DAY = "11.8.5.6.1.2.8.0.0.0.0.0.0.0.0.0.38.0"
SLOTS = [7 * place % 50 for place in range(288)]
HALVES = [1000 + place for place in range(48)]


async def values(
    here: Utility, point: str, *types: str, as_of: datetime | None = None
) -> dict[str, list[tuple[str | None, list[str]]]]:
    """What is known of a usage point by reading type: the value of each interval with its qualities."""
    query = GetMeterReadings(reading_type=tuple(ReadingType(mrid=each) for each in types))
    found: dict[str, list[tuple[str | None, list[str]]]] = {}
    for part in await here.ask(query, point, as_of=as_of):
        assert part.usage_point is not None
        assert part.usage_point.mrid == point
        for block in part.interval_blocks:
            shown = found.setdefault(block.reading_type.ref, [])
            for each in block.interval_readings:
                shown.append((each.value, [one.reading_quality_type.ref for one in each.reading_qualities]))
    return found


async def two_meters(here: Utility) -> None:
    """One that tells every five minutes, and one that tells every thirty."""
    await here.install("a5", "p5", LONG_AGO)
    await here.install("a30", "p30", LONG_AGO)
    await here.tell(told("a5", dict(enumerate(SLOTS)), FIVE), CONTENT_TYPE)
    await here.tell(told("a30", dict(enumerate(HALVES)), THIRTY), CONTENT_TYPE)
    await here.all_is_taken()


async def test_given_a_virtual_point_of_30_and_5_minutes_then_sums_on_30_are_exact_and_six_inferred_slots_are_a_half(
    dms: Installation,
) -> None:
    async with utility(dms) as here:
        await two_meters(here)
        assert await set_up(here, made_of("both", p5=1, p30=1)) == []
        halves = [sum(SLOTS[6 * place : 6 * place + 6]) + HALVES[place] for place in range(48)]
        plain = await values(here, "both")
        assert plain == {THIRTY_TOLD: [(str(each), ["3.11.0"]) for each in halves]}, "nobody need be split"
        assert await values(here, "both", THIRTY_TOLD) == plain

        (slots,) = (await values(here, "both", FIVE_TOLD)).values()
        assert len(slots) == 288
        assert {tuple(qualities) for _, qualities in slots} == {("3.11.1",)}
        numbers = [int(value or 0) for value, _ in slots]
        assert [sum(numbers[6 * place : 6 * place + 6]) for place in range(48)] == halves
        parts = [number - slot for number, slot in zip(numbers, SLOTS, strict=True)]
        assert all(max(parts[at : at + 6]) - min(parts[at : at + 6]) <= 1 for at in range(0, 288, 6))
        assert await values(here, "p30", FIVE) == {}, "what a meter told is not split"


async def test_weights_count_from_their_time_on_and_as_they_were_known_and_what_one_member_lacks_all_lack(
    dms: Installation,
) -> None:
    noon = MIDNIGHT + timedelta(hours=12)
    async with utility(dms) as here:
        await two_meters(here)
        assert await set_up(here, made_of("rest", p30=1, p5=-0.5)) == []
        assert await set_up(here, made_of("rest", p30=1, p5=-0.5)) == [], "told twice it is the same"
        assert await set_up(here, made_of("rest", p30=2)) == ["5.2"]
        assert await set_up(here, made_of("outer", rest=2, p5=1)) == []
        halves = [sum(SLOTS[6 * place : 6 * place + 6]) for place in range(48)]
        before = [HALVES[place] - halves[place] / 2 for place in range(48)]
        assert [float(value or "nan") for value, _ in (await values(here, "rest"))[THIRTY_TOLD]] == before
        doubled = [value for value, _ in (await values(here, "outer"))[THIRTY_TOLD]]
        assert doubled == [str(2 * each) for each in HALVES], "twice the rest, and once what was taken off"

        await here.set_clock(NOW + timedelta(hours=1))
        assert await set_up(here, made_of("rest", noon, p30=1), Verb.CHANGE) == []
        after = [float(value or "nan") for value, _ in (await values(here, "rest"))[THIRTY_TOLD]]
        assert after == [*before[:24], *map(float, HALVES[24:])]
        known = (await values(here, "rest", as_of=NOW + timedelta(minutes=30)))[THIRTY_TOLD]
        assert [float(value or "nan") for value, _ in known] == before

        await here.install("a", "p", LONG_AGO)
        await here.tell(told("a", {place: 10 for place in range(48) if place != 20}, THIRTY), CONTENT_TYPE)
        await here.all_is_taken()
        assert await set_up(here, made_of("three", p30=1, p=1)) == []
        (lacking,) = (await values(here, "three")).values()
        assert [place for place, (value, _) in enumerate(lacking) if value is None] == [20]
        assert lacking[20][1] == ["3.5.259"]


@pytest.mark.parametrize(
    ("noun", "code"),
    [
        (made_of("outer", inner=1, p5=1), "2.29"),
        (made_of("outer", outer=1), "2.29"),
        (made_of("outer", nowhere=1), "2.12"),
        (made_of("p5", p30=1), "5.2"),
    ],
)
async def test_what_would_be_made_of_itself_or_of_nobody_or_has_a_meter_is_refused(
    dms: Installation, noun: UsagePointConfig, code: str
) -> None:
    async with utility(dms) as here:
        await two_meters(here)
        assert await set_up(here, made_of("outer", p5=1)) == []
        assert await set_up(here, made_of("inner", outer=1, p30=1)) == []
        point = noun.usage_point[0].mrid
        assert await set_up(here, noun, Verb.CHANGE if point == "outer" else Verb.CREATE) == [code]
        shown = await here.clerk.request(MRC, Verb.GET, UsagePointConfig, question=Request(id=(Id(value="outer"),)))
        assert shown.payload == made_of("outer", p5=1)


async def readings(here: Utility, point: str, *types: str) -> dict[str, list[tuple[datetime, str | None, list[str]]]]:
    """What is told of a usage point by reading type: time, value and qualities."""
    query = GetMeterReadings(reading_type=tuple(ReadingType(mrid=each) for each in types))
    found: dict[str, list[tuple[datetime, str | None, list[str]]]] = {}
    for part in await here.ask(query, point):
        for each in part.readings:
            codes = [one.reading_quality_type.ref for one in each.reading_qualities]
            told_of = found.setdefault(each.reading_type.ref if each.reading_type else "", [])
            told_of.append((each.time_stamp or NOW, each.value, codes))
    return found


async def test_registers_and_buckets_of_a_virtual_point_are_told_like_those_of_a_meter(
    dms: Installation, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It runs from the first whole day on, in kWh as well; from a day that lacks an interval on it has no value."""
    workday = {"00:00": 2, "06:00": 1, "22:00": 2}
    tariff = [{"id": "homes", "since": "2026-01-01", "seasons": [{"begins": "01-01", "workday": workday}]}]
    (tmp_path / "tariff.json").write_bytes(json.encode(tariff))
    monkeypatch.setenv("BUSBAR_METER_TARIFF_CALENDARS", str(tmp_path / "tariff.json"))
    async with utility(dms) as here:
        await two_meters(here)
        for meter, code, count, number in (("a5", FIVE, 288, 10), ("a30", THIRTY, 48, 100)):
            await here.tell(told(meter, dict.fromkeys(range(-count, 0), number), code), CONTENT_TYPE)
            await here.tell(told(meter, dict.fromkeys(range(count + 1, 2 * count), number), code), CONTENT_TYPE)
        await here.set_clock(NOW + timedelta(hours=18))  # nothing is estimated yet
        await here.all_is_taken()
        assert await set_up(here, made_of("rest", p30=1, p5=-0.5)) == []
        halves = [HALVES[place] - sum(SLOTS[6 * place : 6 * place + 6]) / 2 for place in range(48)]
        before, day = 48 * (100 - 30), sum(halves)
        night = sum(halves[:12]) + sum(halves[44:])
        midnights = [MIDNIGHT + timedelta(days=number) for number in (-1, 0, 1, 2)]

        found = await readings(here, "rest", REGISTER, REGISTER_KWH, NIGHT_REGISTER)
        assert [at for at, _, _ in found[REGISTER]] == midnights
        stands = [value and float(value) for _, value, _ in found[REGISTER]]
        assert stands == [0, before, before + day, None]
        assert [codes for _, _, codes in found[REGISTER]] == [["3.11.0"]] * 3 + [["3.5.259"]]
        in_kwh = [value and 1000 * float(value) for _, value, _ in found[REGISTER_KWH]]
        assert in_kwh == [0, before, pytest.approx(before + day), None]
        nights = [value and float(value) for _, value, _ in found[NIGHT_REGISTER]]
        assert nights == [0, 16 * 70, 16 * 70 + night, None]
        followed = await readings(here, "rest", NIGHT_OF_DAY, OF_DAY, PEAK_OF_DAY)
        assert [value and float(value) for _, value, _ in followed[NIGHT_OF_DAY]] == [16 * 70, night, None]
        assert [value and float(value) for _, value, _ in followed[OF_DAY]] == [before, day, None]
        assert float(followed[PEAK_OF_DAY][1][1] or 0) == 2 * max(halves)
        assert await values(here, "rest", REGISTER, OF_DAY) == {}, "who asks for registers gets no intervals"
        assert set(await values(here, "rest", REGISTER, THIRTY_TOLD)) == {THIRTY_TOLD}
