"""Rules that need more than the values of a day, from the message that tells it to the finding, on real servers."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec import json
from msgspec.structs import replace

from contracts.interface import Lane
from contracts.nouns.customer_agreement_config import CustomerAgreement, CustomerAgreementConfig
from contracts.nouns.device_types import Channel, ConfigurationEvent, Register, SimpleEndDeviceFunction
from contracts.nouns.meter_config import Meter, MeterConfig
from contracts.nouns.meter_readings import Meter as Reader
from contracts.nouns.meter_readings import MeterReading, MeterReadings
from contracts.nouns.reading_types import Reading
from contracts.nouns.units import PhaseCode
from contracts.nouns.usage_point_config import MetrologyRequirement
from contracts.types import DateTimeInterval, ObjectReference, Reference, Status
from contracts.verbs import Verb
from services.meter_reading_and_control.domain import calendar
from services.meter_reading_and_control.domain.vee.rule_sets import INTERVALS, Estimator
from shared.tools.testing import Installation
from tests.acceptance.judged_days import LATER, NOW, ONE_DAY, at, both, found, named, power, set_up, shown
from tests.acceptance.test_metering import (
    BERLIN,
    DAY,
    INTERVAL,
    LONG_AGO,
    MRC,
    REGISTER,
    at_end,
    dials,
    linked,
    meter,
    office,
    told,
    whole_day,
)

REACTIVE = INTERVAL.replace(".0.0.72.0", ".0.0.73.0")
VOLTAGE = "0.2.2.6.0.1.158.0.0.0.0.0.0.0.128.0.29.0"
TIER_1, TIER_2 = (REGISTER.replace(".0.0.0.0.3.72.0", f".{tou}.0.0.0.3.72.0") for tou in (1, 2))
REVERSE = INTERVAL.replace(".4.1.1.12.", ".4.19.1.12.")


async def test_what_flows_back_is_found_where_no_generator_is_registered_and_not_where_one_is(
    dms: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scenario 11: negative on the forward channel is V20 and estimated; reverse without DER is V21 and stays."""
    sunny = [at_end(each.time_stamp or NOW, 10) for each in whole_day(DAY)]
    for number, each in enumerate(sunny):
        sunny[number] = at_end(each.time_stamp or NOW, 10 + number % 7)
    wrong = whole_day(DAY)
    wrong[48] = at_end(wrong[48].time_stamp or NOW, -40)
    async with office(dms, monkeypatch) as here:
        await here.do(Verb.CREATE, meter("solar", serial="2"))
        await here.do(Verb.CREATE, linked("solar", LONG_AGO, "solar point"))
        solar = set_up("solar point", names=(named("photovoltaic 7 kW", "generation"),))
        await here.do(Verb.CREATE, set_up(names=(named("residential", "class"),)))
        await here.do(Verb.CREATE, solar)
        await here.do(Verb.CREATE, solar)
        for mrid in ("meter", "solar"):
            await here.do(Verb.CREATE, told(wrong if mrid == "meter" else whole_day(DAY), mrid))
            await here.do(Verb.CREATE, told(sunny, mrid, REVERSE))
        await at(here, LATER)
        assert await both(here, code=REVERSE) == {"V21": 96}
        assert await both(here, "solar point", REVERSE) == {}
        assert await both(here) == {"V20": 1, "method=E3": 1}
        await here.do(Verb.CHANGE, set_up(names=(named("wind", "generation"),)))
        assert await found(here, code=REVERSE, judgedBy="valid") == {}, "it was registered, and counts from the start"


async def test_what_is_more_than_the_service_carries_fails_by_the_rating_of_that_day(
    dms: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """V16: 3 A at 230 V are 172.5 Wh in a quarter of an hour; behind transformers of 2:1 half of it is measured."""
    values = whole_day(DAY)
    values[50] = at_end(values[50].time_stamp or NOW, 300)
    after = calendar.bounds(DAY, BERLIN)[1]
    async with office(dms, monkeypatch) as here:
        await here.do(Verb.CREATE, meter("two", ratio=2.0, serial="2"))
        await here.do(Verb.CREATE, linked("two", LONG_AGO, "two point"))
        small: dict[str, Any] = {"nominal_service_voltage": 230.0, "phase_code": PhaseCode.AN}
        await here.do(Verb.CREATE, set_up(rated_current=3.0, **small))
        await here.do(Verb.CREATE, set_up("two point", rated_current=6.0, **small))
        more = ConfigurationEvent(effective_date_time=after)
        await here.do(Verb.CHANGE, set_up(rated_current=9.0, configuration_events=more, **small))
        for mrid in ("meter", "two"):
            await here.do(Verb.CREATE, told(values, mrid))
        await here.do(Verb.CREATE, told([at_end((e.time_stamp or NOW) + ONE_DAY, e.value or "") for e in values]))
        await at(here, LATER)
        assert await both(here) == {"V16": 1, "method=E3": 1}
        assert await both(here, "two point") == {"V16": 1, "method=E3": 1}
        assert await both(here, day=DAY + ONE_DAY) == {}, "from then on it carries more"


async def test_estimates_that_the_service_cannot_carry_or_the_register_has_not_are_found_and_stay(
    dms: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the register 1.1 kWh passed in half an hour that is missing; the next day it has too little."""
    next_day = DAY + ONE_DAY
    edges = [calendar.bounds(day, BERLIN)[0] for day in (DAY, next_day, next_day + ONE_DAY)]
    async with office(dms, monkeypatch) as here:
        rating = set_up(rated_current=3.0, nominal_service_voltage=230.0, phase_code=PhaseCode.AN)
        await here.do(Verb.CREATE, rating)
        for day in (DAY, next_day):
            values = whole_day(day)
            await here.do(Verb.CREATE, told([*values[:40], *values[42:]]))
        await here.do(Verb.CREATE, dials("meter", *zip(edges, (0, 15, 26), strict=True)))
        await at(here, LATER)
        assert await both(here) == {"V8": 2, "V16e": 2, "method=E6": 2}
        assert await both(here, day=next_day) == {"V8": 2, "V5e": 96, "method=E3": 2}
        before = await here.digest(), await here.events()
        await here.do(Verb.CREATE, told([values[50]]))
        await at(here, LATER + timedelta(hours=3))
        assert (await here.digest(), await here.events()) == before, "nothing is estimated anew for it"
        findings = await here.database.fetch("SELECT rule_set, rule_version, revision FROM finding")
        assert {tuple(each) for each in findings} == {("intervals", 1, 1)}


async def test_usage_is_found_where_the_switch_is_open_and_where_nobody_has_an_agreement(
    dms: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """V19: disconnected on Monday evening, connected on Wednesday morning; and a tenant who moves out on Tuesday."""
    days = [DAY + number * ONE_DAY for number in range(4)]
    moved_out = calendar.bounds(days[1], BERLIN)[0]
    agreement = CustomerAgreement(
        mrid="agreement",
        revision_number=2,
        customer=ObjectReference(mrid="customer"),
        usage_points=(ObjectReference(mrid="flat"),),
        status=Status(value="TERMINATING"),
        validity_interval=DateTimeInterval(start=LONG_AGO, end=moved_out),
    )
    async with office(dms, monkeypatch) as here, here.installation.peer("customer-management") as customers:
        await here.do(Verb.CREATE, meter("of flat", serial="2"))
        await here.do(Verb.CREATE, linked("of flat", LONG_AGO, "flat"))
        for day in days:
            for mrid in ("meter", "of flat"):
                await here.do(Verb.CREATE, told(whole_day(day), mrid))
        await here.admin.follow(here.admin.space.events(Lane.OUTAGE, MRC))
        await power(here, "3.31.0.68", datetime(2026, 5, 4, 18, tzinfo=UTC))
        await power(here, "3.31.0.42", datetime(2026, 5, 6, 8, tzinfo=UTC))
        await customers.tell(Verb.CHANGED, CustomerAgreementConfig(customer_agreement=(agreement,)), key="agreement")
        async with asyncio.timeout(30):
            while not await here.database.fetchval("SELECT count(*) FROM agreed"):  # noqa: ASYNC110  by the service
                await asyncio.sleep(0.02)
        await at(here, LATER)
        assert [await both(here, day=day) for day in days] == [{}, {"V19": 96}, {}, {}], "all of Tuesday it was open"
        of_flat = [await both(here, "flat", day=day) for day in days]
        assert of_flat == [{}, *[{"V19": 96}] * 3]
        await power(here, "3.31.0.42", datetime(2026, 5, 5, 8, tzinfo=UTC))
        await at(here, LATER + timedelta(hours=3))
        assert await both(here, day=days[1]) == {}, "it is told late that it was closed on Tuesday"


async def test_channels_that_are_configured_and_silent_are_found_at_those_that_are_not(
    dms: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """V27, by what the usage point requires and by the channels of its meter; an estimate is no word of a channel."""
    wanted = MetrologyRequirement(reading_types=(Reference(ref=INTERVAL), Reference(ref=REACTIVE)))
    channels = tuple(Channel(reading_type=Reference(ref=code)) for code in (INTERVAL, REVERSE))
    metering = SimpleEndDeviceFunction(mrid="metering", registers=(Register(channels=channels),))
    two_way = Meter(mrid="two way", serial_number="2", simple_end_device_function=(Reference(ref="metering"),))
    async with office(dms, monkeypatch) as here:
        await here.do(Verb.CREATE, MeterConfig(meter=(two_way,), simple_end_device_function=(metering,)))
        await here.do(Verb.CREATE, linked("two way", LONG_AGO, "house"))
        await here.do(Verb.CREATE, set_up(metrology_requirements=(wanted,)))
        for day in (DAY, DAY + ONE_DAY):
            for mrid in ("meter", "two way"):
                await here.do(Verb.CREATE, told(whole_day(day), mrid))
        await here.do(Verb.CREATE, told(whole_day(DAY), "meter", REACTIVE))
        await here.do(Verb.CREATE, told(whole_day(DAY), "two way", REVERSE))
        await at(here, LATER)
        assert await both(here) == {}
        assert await both(here, "house") == {}
        assert await both(here, day=DAY + ONE_DAY) == {"V27": 96}
        assert await both(here, "house", day=DAY + ONE_DAY) == {"V27": 96}


async def test_reactive_without_active_energy_and_energy_without_voltage_are_found(
    dms: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """V17 and V30: three quarters without kWh and with kVArh; two in which every phase has almost no voltage."""
    values = whole_day(DAY)
    for place in (10, 11, 12, 13):
        values[place] = at_end(values[place].time_stamp or NOW, 0)
    reactive = [at_end(each.time_stamp or NOW, 5 if place == 13 else 6) for place, each in enumerate(values)]
    dark = {1: (30, 31, 32), 2: (31, 32, 33)}
    volts = {
        phase: [
            at_end(each.time_stamp or NOW, "20.5" if place in off else "229.7") for place, each in enumerate(values)
        ]
        for phase, off in dark.items()
    }
    async with office(dms, monkeypatch) as here:
        await here.do(Verb.CREATE, set_up(nominal_service_voltage=230.0, phase_code=PhaseCode.ABN))
        await here.do(Verb.CREATE, told(values))
        await here.do(Verb.CREATE, told(reactive, code=REACTIVE))
        for phase, code in ((1, VOLTAGE), (2, VOLTAGE.replace(".128.0.29.", ".64.0.29."))):
            await here.do(Verb.CREATE, told(volts[phase], code=code))
        await at(here, LATER)
        assert await both(here) == {"V17": 3, "V30": 2}


async def test_a_check_meter_fills_gaps_with_the_losses_between_both_and_is_compared(
    dms: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """V7 and E2: two per cent are lost between both, the check meter tells late, and of an hour has nothing either."""
    values = whole_day(DAY)
    lossy = [at_end(each.time_stamp or NOW, 2 * (100 + place)) for place, each in enumerate(values)]
    values = [at_end(each.time_stamp or NOW, round(2.04 * (100 + place))) for place, each in enumerate(values)]
    values[60] = at_end(values[60].time_stamp or NOW, 300)
    gap, lone = slice(40, 52), slice(70, 74)
    names = (named("check point", "checkUsagePoint"), named("1.02", "checkLossFactor"))
    async with office(dms, monkeypatch) as here:
        await here.do(Verb.CREATE, meter("check", ratio=2.0, serial="2"))
        await here.do(Verb.CREATE, linked("check", LONG_AGO, "check point"))
        await here.do(Verb.CREATE, meter("main", ratio=2.0, serial="3"))
        await here.do(Verb.CREATE, linked("main", LONG_AGO, "main point"))
        await here.do(Verb.CREATE, set_up("main point", names=names))
        await here.do(Verb.CREATE, told([*lossy[: lone.start], *lossy[lone.stop :]], "check"))
        await here.do(
            Verb.CREATE, told([*values[: gap.start], *values[gap.stop : lone.start], *values[lone.stop :]], "main")
        )
        await at(here, LATER)
        assert await both(here, "main point") == {"V7": 1, "V8": 16, "method=E2": 12, "method=E3": 4}
        kept = await shown(here, point="main point")
        assert [kept[each.time_stamp or NOW].value for each in values[gap]] == [each.value for each in values[gap]]


async def test_registers_of_the_buckets_of_a_tariff_that_do_not_add_up_to_the_total_are_found(
    dms: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """V6: 15 kWh in all are 9 + 6, and within a count of each register 8 + 4 are as well; 8 + 2 are not."""
    edges = [calendar.bounds(DAY + number * ONE_DAY, BERLIN)[0] for number in range(4)]
    counted = {REGISTER: (0, 15, 29, 43), TIER_1: (0, 9, 17, 25), TIER_2: (0, 6, 10, 12)}
    reads = [
        Reading(time_stamp=at_edge, value=str(number), reading_type=Reference(ref=code))
        for code, numbers in counted.items()
        for at_edge, number in zip(edges, numbers, strict=True)
    ]
    async with office(dms, monkeypatch) as here:
        for number in range(3):
            await here.do(Verb.CREATE, told(whole_day(DAY + number * ONE_DAY)))
        reading = MeterReading(meter=Reader(mrid="meter"), readings=tuple(reads))
        await here.do(Verb.CREATE, MeterReadings(meter_reading=(reading,)))
        await at(here, LATER)
        assert [await both(here, day=day) for day in (DAY, DAY + ONE_DAY)] == [{}, {}]
        assert await both(here, day=DAY + 2 * ONE_DAY) == {"V6": 96}


async def test_who_has_no_history_gets_the_load_profile_of_the_class(
    dms: Installation, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """E5: a home uses 9,600 Wh a day, twice as much an hour from noon on; of who has no class nothing is known."""
    (tmp_path / "profiles.json").write_bytes(
        json.encode([{"of_class": "residential*", "daily_use": 9600, "workday": [1.0] * 12 + [2.0] * 12}])
    )
    monkeypatch.setenv("BUSBAR_METER_PROFILES", str(tmp_path / "profiles.json"))
    values = whole_day(DAY)
    there = [*values[:40], *values[56:]]
    async with office(dms, monkeypatch) as here:
        await here.do(Verb.CREATE, meter("home", ratio=2.0, serial="2"))
        await here.do(Verb.CREATE, linked("home", LONG_AGO, "home point"))
        await here.do(Verb.CREATE, set_up("home point", names=(named("residential", "class"),)))
        for mrid in ("meter", "home"):
            await here.do(Verb.CREATE, told(there, mrid))
        await at(here, LATER)
        assert await both(here) == {"V8": 16}
        assert await both(here, "home point") == {"V8": 16, "method=E5": 16}
        kept = await shown(here, point="home point")
        by_profile = [kept[each.time_stamp or NOW].value for each in values[40:56]]
        assert by_profile == ["33"] * 8 + ["67"] * 8, "secondary, by a factor of 2"


async def test_usage_points_of_a_class_are_judged_by_the_rule_set_of_their_class(
    dms: Installation, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A pump may take five times as much at once; homes and who has no class may not, side by side in one bunch."""
    pumps = replace(
        INTERVALS,
        id="pumps",
        since=date(2026, 5, 1),
        applies_to_class="pumping*",
        rules={**INTERVALS.rules, "V13": {"ratio": 9}},
        ladder=(Estimator(method="E7"),),
    )
    (tmp_path / "rules.json").write_bytes(json.encode([pumps]))
    monkeypatch.setenv("BUSBAR_METER_RULE_SETS", str(tmp_path / "rules.json"))
    values = whole_day(DAY)
    values[50] = at_end(values[50].time_stamp or NOW, 900)
    there = [*values[:20], *values[22:]]
    async with office(dms, monkeypatch) as here:
        for mrid, of_class in (("home", "residential"), ("pump", "pumpingLoad")):
            await here.do(Verb.CREATE, meter(mrid, serial=mrid))
            await here.do(Verb.CREATE, linked(mrid, LONG_AGO, f"{mrid} point"))
            await here.do(Verb.CREATE, set_up(f"{mrid} point", names=(named(of_class, "class"),)))
        for mrid in ("meter", "home", "pump"):
            await here.do(Verb.CREATE, told(there, mrid))
        await at(here, LATER)
        assert await both(here) == {"V8": 2, "V13": 1, "method=E3": 3}
        assert await both(here, "home point") == {"V8": 2, "V13": 1, "method=E3": 3}
        assert await both(here, "pump point") == {"V8": 2, "method=E7": 2}
        rows = await here.database.fetch("SELECT rule_set FROM finding ORDER BY series")
        assert [row["rule_set"] for row in rows] == ["intervals", "intervals", "pumps"]
        named_one = await found(here, "home point", judgedBy="pumps")
        assert named_one == {"V8": 2, "method=E7": 2}, "one that is named judges whoever it is asked of"


async def test_scenario_18_two_hours_at_the_beginning_are_level_and_a_quarter_more_is_as_on_like_days(
    dms: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The day before is missing, so one side is unknown: 2 h are the value behind them, 2 h 15 those of a week ago."""
    level, longer = DAY, DAY + 7 * ONE_DAY
    async with office(dms, monkeypatch) as here:
        await here.do(Verb.CREATE, told(whole_day(DAY - 7 * ONE_DAY)))
        for day, gap in ((level, 8), (longer, 9)):
            values = [at_end(each.time_stamp or NOW, 50) for each in whole_day(day)]
            for place in range(gap, 96, 2):
                values[place] = at_end(values[place].time_stamp or NOW, 60)
            await here.do(Verb.CREATE, told(values[gap:]))
        await at(here, LATER)
        assert await both(here, day=level) == {"V8": 8, "method=E3": 8}
        assert await both(here, day=longer) == {"V8": 9, "method=E4": 9}


async def test_what_is_told_late_of_a_usage_point_has_its_days_judged_again_and_a_town_that_is_set_up_has_not(
    dms: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tenant moved out on 20 November, and since the 25th a generator is registered: told on 1 December."""
    days = [date(2026, 11, number) for number in (18, 22, 27)]
    moved_out, built = (calendar.bounds(date(2026, 11, number), BERLIN)[0] for number in (20, 25))
    fed_in = [[at_end(each.time_stamp or NOW, 10 + n % 7) for n, each in enumerate(whole_day(day))] for day in days]
    agreement = CustomerAgreement(
        mrid="agreement",
        usage_points=(ObjectReference(mrid="point"),),
        status=Status(value="ENDED"),
        validity_interval=DateTimeInterval(start=LONG_AGO, end=moved_out),
    )
    async with office(dms, monkeypatch) as here, here.installation.peer("customer-management") as customers:
        for values in fed_in:
            await here.do(Verb.CREATE, told(values, code=REVERSE))
        await at(here, LATER)
        assert [await both(here, code=REVERSE, day=day) for day in days] == [{}, {}, {}]
        await here.do(Verb.CREATE, set_up())
        await at(here, LATER + timedelta(hours=3))
        assert [await found(here, code=REVERSE, day=day) for day in days] == [{}, {}, {}], "it was always so"
        since = ConfigurationEvent(effective_date_time=built)
        await here.do(Verb.CHANGE, set_up(configuration_events=since, names=(named("wind", "generation"),)))
        await customers.tell(Verb.CHANGED, CustomerAgreementConfig(customer_agreement=(agreement,)), key="agreement")
        async with asyncio.timeout(30):
            while not await here.database.fetchval("SELECT count(*) FROM agreed"):  # noqa: ASYNC110  by the service
                await asyncio.sleep(0.02)
        await at(here, LATER + timedelta(hours=6))
        assert await found(here, code=REVERSE, day=days[0]) == {}
        assert await both(here, code=REVERSE, day=days[1]) == {"V19": 96, "V21": 96}
        assert await both(here, code=REVERSE, day=days[2]) == {"V19": 96}
