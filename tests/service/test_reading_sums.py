"""Readings of usage points that belong together: of a transformer, a feeder, a zone, a group; one by one and added."""

from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from contracts.compact_readings import CONTENT_TYPE
from contracts.nouns.end_device_groups import EndDeviceGroup, EndDeviceGroups
from contracts.nouns.get_meter_readings import GetMeterReadings
from contracts.nouns.get_meter_readings import MeterReadings as Coincident
from contracts.nouns.get_meter_readings import Reading as Asked
from contracts.nouns.meter_readings import MeterReading
from contracts.nouns.reading_types import ReadingType
from contracts.types import DateTimeInterval, ObjectReference, Reference
from contracts.verbs import Verb
from shared.tools.testing import Installation
from tests.fixtures.metering_groups import PRIMARY_HOURS, Network, zones
from tests.fixtures.metering_utility import HOURS, LONG_AGO, MIDNIGHT, MRC, NOW, QUARTERS, told, utility

VOLTAGE = "0.0.7.0.0.1.54.0.0.0.0.0.0.0.0.0.29.0"


def values(readings: list[MeterReading]) -> dict[str, list[str | None]]:
    """The values of each usage point or sum."""
    found: dict[str, list[str | None]] = {}
    for each in readings:
        assert each.usage_point is not None
        shown = [one.value for block in each.interval_blocks for one in block.interval_readings]
        found.setdefault(each.usage_point.mrid or "", []).extend(shown)
    return found


async def test_readings_of_a_transformer_a_feeder_and_a_zone_are_added_by_who_belonged_to_it_and_say_who_is_missing(
    dms: Installation,
) -> None:
    async with (
        utility(dms) as here,
        here.installation.peer("network-model-management") as modeller,
        here.installation.peer("customer-management") as customers,
    ):
        network = Network(here, modeller)
        await modeller.serve(network.answer)
        await customers.serve(zones)
        for number, ratio in (("1", None), ("2", None), ("3", 4)):
            await here.install(f"a{number}", f"p{number}", LONG_AGO, ratio=ratio)
        await network.build(NOW, p1="t1", p2="t1", p3="t2")
        for meter, value, hours in (("a1", 100, 24), ("a2", 50, 23), ("a3", 10, 24)):
            await here.tell(told(meter, dict.fromkeys(range(hours), value)), CONTENT_TYPE)
        await here.all_is_taken()

        nothing = GetMeterReadings()
        (of_t1,) = await here.ask(nothing, "t1", sum="each")
        assert of_t1.interval_blocks[0].reading_type == Reference(ref=PRIMARY_HOURS)
        assert values([of_t1]) == {"t1": ["150"] * 23 + [None]}
        last = of_t1.interval_blocks[0].interval_readings[-1].reading_qualities[0]
        assert (last.reading_quality_type.ref, last.comment) == ("3.5.259", "1 of 2")
        (half,) = await here.ask(nothing, "t1", sum="each", leastShare="0.5")
        last_half = half.interval_blocks[0].interval_readings[-1]
        assert last_half.value == "100"
        assert ("3.4.2", "1 of 2") in [(q.reading_quality_type.ref, q.comment) for q in last_half.reading_qualities]
        assert values(await here.ask(nothing, "feeder", sum="each")) == {"feeder": ["190"] * 23 + [None]}
        assert values(await here.ask(nothing, "t1", "t2", sum="together")) == {"t1 + t2": ["190"] * 23 + [None]}
        zone = GetMeterReadings(usage_point_group=(ObjectReference(mrid="zone"),))
        assert values(await here.ask(zone, sum="each")) == {"zone": ["40"] * 24}
        assert values(await here.ask(zone)) == {"p3": ["10"] * 24}

        await here.set_clock(NOW + timedelta(hours=1))
        await network.build(MIDNIGHT + timedelta(hours=12), p1="t1", p2="t2", p3="t2")
        assert values(await here.ask(nothing, "t1", "t2", sum="each")) == {
            "t1": ["150"] * 12 + ["100"] * 12,
            "t2": ["40"] * 12 + ["90"] * 11 + [None],
        }
        assert values(await here.ask(nothing, "t1", as_of=NOW, sum="each")) == {"t1": ["150"] * 23 + [None]}
        tank = GetMeterReadings(transformer_tank=(ObjectReference(mrid="t1"),))
        assert values(await here.ask(tank)) == {"p1": ["100"] * 24, "p2": ["50"] * 12}

        group = EndDeviceGroup(mrid="some", end_devices=(ObjectReference(mrid="a1"), ObjectReference(mrid="a3")))
        await here.clerk.request(MRC, Verb.CREATE, EndDeviceGroups(end_device_group=(group,)))
        some = GetMeterReadings(end_device_group=(ObjectReference(mrid="some"),))
        assert values(await here.ask(some)) == {"p1": ["100"] * 24, "p3": ["10"] * 24}
        assert values(await here.ask(some, sum="each")) == {"some": ["140"] * 24}

        with pytest.raises(AssertionError, match=r"2\.10"):
            await here.ask(GetMeterReadings(reading_type=(ReadingType(mrid=VOLTAGE),)), "t1", sum="each")
        with pytest.raises(AssertionError, match=r"2\.15"):
            await here.ask(nothing, "nowhere", sum="each")


async def test_sums_are_made_of_longer_intervals_and_the_greatest_says_what_each_took_then_and_how_they_coincide(
    dms: Installation,
) -> None:
    """One tells hours, the other quarters of an hour; each is greatest at a time at which the other is not."""
    async with utility(dms) as here, here.installation.peer("network-model-management") as modeller:
        network = Network(here, modeller)
        await modeller.serve(network.answer)
        await here.install("a1", "p1", LONG_AGO)
        await here.install("a2", "p2", LONG_AGO)
        await network.build(NOW, p1="t1", p2="t1")
        hours, quarters = [100] * 24, [10] * 96
        hours[7], hours[18], quarters[48:52], quarters[72:76] = 300, 200, [90] * 4, [50] * 4
        step = timedelta(minutes=15)
        for meter, code, numbers in (("a1", HOURS, hours), ("a2", QUARTERS, quarters)):
            await here.tell(told(meter, dict(enumerate(numbers)), code), CONTENT_TYPE)
        await here.all_is_taken()

        of_hours = GetMeterReadings(reading_type=(ReadingType(mrid=PRIMARY_HOURS),))
        sums = [hours[hour] + sum(quarters[4 * hour : 4 * hour + 4]) for hour in range(24)]
        assert values(await here.ask(of_hours, "t1", sum="each")) == {"t1": list(map(str, sums))}
        at_peak = GetMeterReadings(
            meter_readings=Coincident(is_coincident_trigger=True), reading_type=of_hours.reading_type
        )
        parts = await here.ask(at_peak, "t1", sum="each")
        assert values(parts) == {"t1": ["460"], "p1": ["100"], "p2": ["360"]}
        assert {each.interval_blocks[0].interval_readings[0].time_stamp for each in parts} == {MIDNIGHT + 52 * step}
        (quality,) = parts[0].interval_blocks[0].interval_readings[0].reading_qualities
        assert (quality.reading_quality_type.ref, quality.comment) == ("3.11.0", "coincidenceFactor=0.697")
        assert all(each.is_coincident_trigger for each in parts)
        with pytest.raises(AssertionError, match=r"2\.15"):
            await here.ask(at_peak, "p1")


async def test_a_role_outside_gets_sums_of_fifteen_of_whom_none_is_large_and_that_do_not_tell_each_other_apart(
    dms: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scenario 26: 14, or one with 16.7 % of 15, are refused; so are 15 beside 16 of the same time."""
    names = [f"m{number}" for number in range(16)]
    groups = {"14": names[:14], "large": [*names[:14], "big"], "16": names, "15": names[:15], "all": [*names, "big"]}
    noon = MIDNIGHT + timedelta(hours=12)
    monkeypatch.setenv("BUSBAR_METER_OUTSIDERS", "gateway, operator")
    async with utility(dms) as here:
        for name in (*names, "big"):
            await here.install(name, f"point {name}", LONG_AGO)
            await here.tell(told(name, dict.fromkeys(range(24), 280 if name == "big" else 100)), CONTENT_TYPE)
        await here.all_is_taken()
        made = tuple(
            EndDeviceGroup(mrid=mrid, end_devices=tuple(ObjectReference(mrid=each) for each in members))
            for mrid, members in groups.items()
        )
        await here.clerk.request(MRC, Verb.CREATE, EndDeviceGroups(end_device_group=made))

        def of(group: str, start: datetime = MIDNIGHT, end: datetime = noon) -> GetMeterReadings:
            period = Asked(time_period=DateTimeInterval(start=start, end=end))
            return GetMeterReadings(end_device_group=(ObjectReference(mrid=group),), reading=(period,))

        for refused, why in (("14", "fewer than 15"), ("large", "more than 15 %")):
            with pytest.raises(AssertionError, match=rf"7\.7.*{why}"):
                await here.ask(of(refused), sum="each")
        assert values(await here.ask(of("16"), sum="each")) == {"16": ["1600"] * 12}
        assert values(await here.ask(of("16"), sum="together")) == {"16": ["1600"] * 12}, "again is no news"
        for alike in ("15", "all"):
            with pytest.raises(AssertionError, match=r"7\.7.*tells of fewer"):
                await here.ask(of(alike), sum="each")
        after = of("15", noon, MIDNIGHT + timedelta(hours=24))
        assert values(await here.ask(after, sum="each")) == {"15": ["1500"] * 12}, "of another time"
        peak = replace(of("16"), meter_readings=Coincident(is_coincident_trigger=True))
        with pytest.raises(AssertionError, match=r"7\.5"):
            await here.ask(of("16"))
        with pytest.raises(AssertionError, match=r"7\.5"):
            await here.ask(peak, sum="each")
        with pytest.raises(AssertionError, match=r"7\.5"):
            await here.ask(of("16"), sum="each", leastShare="0.9")
        with pytest.raises(AssertionError, match=r"7\.5"):
            await here.ask(of("16"), refused="true")
        once_more = await here.ask(of("16"), sum="each", refused="true")
        assert values(once_more) == {"16": ["1600"] * 12}, "it gets nothing but the sum"
        with pytest.raises(AssertionError, match=r"7\.5"):
            await here.ask(GetMeterReadings(), "point big")
