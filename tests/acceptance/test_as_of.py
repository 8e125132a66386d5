"""Scenario 10 of the metering guide, the part of meter data: what was asked as of a time is the same for ever."""

from datetime import datetime, timedelta

from msgspec import json

from contracts.compact_readings import CONTENT_TYPE
from contracts.nouns.get_meter_readings import GetMeterReadings
from contracts.nouns.get_meter_readings import MeterReadings as Coincident
from contracts.nouns.reading_types import ReadingType
from contracts.verbs import Verb
from shared.codec import CONTENT_XML
from shared.tools.testing import Installation
from tests.fixtures.metering_groups import PRIMARY_HOURS, Network, made_of, set_up
from tests.fixtures.metering_utility import HOURS, LONG_AGO, MIDNIGHT, NOW, Utility, told, utility

HOUR = timedelta(hours=1)
NIGHT = "11.8.7.6.1.1.8.0.0.0.0.0.0.0.0.0.38.0"


async def answers(here: Utility, as_of: datetime) -> list[bytes]:
    """Everything that a settlement run asks, to the bit: readings, a peak, primary values, sums, a virtual point."""
    nothing = GetMeterReadings()
    types = tuple(ReadingType(mrid=each) for each in (HOURS, PRIMARY_HOURS, NIGHT))
    peak = GetMeterReadings(meter_readings=Coincident(is_coincident_trigger=True))
    return [
        json.encode(each)
        for each in (
            await here.ask(nothing, "p1", as_of=as_of),
            await here.ask(GetMeterReadings(reading_type=types), "p1", "p2", as_of=as_of),
            await here.ask(nothing, "t1", as_of=as_of, sum="each", leastShare="0.5"),
            await here.ask(peak, "t1", as_of=as_of, sum="together", leastShare="0.5"),
            await here.ask(nothing, "rest", as_of=as_of),
        )
    ]


async def test_given_a_final_run_when_everything_is_corrected_then_asked_as_of_its_cut_off_again_it_is_bit_identical(
    dms: Installation,
) -> None:
    """Values, quality, a gap, the multiplier, an exchange, the network and the weights are corrected afterwards."""
    async with utility(dms) as here, here.installation.peer("network-model-management") as modeller:
        network = Network(here, modeller)
        await modeller.serve(network.answer)
        await here.install("a1", "p1", LONG_AGO, ratio=40)
        await here.install("a2", "p2", LONG_AGO)
        await network.build(LONG_AGO, p1="t1", p2="t1")
        assert await set_up(here, made_of("rest", p1=1, p2=-0.5)) == []
        await here.tell(told("a1", {hour: 10 + hour for hour in range(24)}, at=NOW), CONTENT_TYPE)
        await here.tell(told("a2", dict.fromkeys(range(22), 500), quality="3.8.0", at=NOW), CONTENT_XML)
        await here.all_is_taken()

        run = NOW + timedelta(minutes=30)
        await here.set_clock(run)
        final = await answers(here, run)
        assert len(set(final)) == len(final)

        corrections = NOW + timedelta(hours=1)
        await here.set_clock(corrections)
        await here.tell(told("a1", {3: 99, 4: 98}, at=corrections), CONTENT_XML)
        await here.tell(told("a2", dict.fromkeys(range(24), 480), at=corrections), CONTENT_TYPE)
        await here.all_is_taken()
        await here.set_up("a1", ratio=50)
        await here.install("a3", "p2", MIDNIGHT + 12 * HOUR, Verb.CHANGE)
        await network.build(MIDNIGHT + 6 * HOUR, p1="t1", p2="t2")
        assert await set_up(here, made_of("rest", MIDNIGHT, p1=1, p2=-1), Verb.CHANGE) == []
        await here.set_clock(NOW + timedelta(hours=3))
        await here.all_is_folded()

        assert await answers(here, run) == final
        now = await answers(here, NOW + timedelta(hours=2))
        assert [new == old for new, old in zip(now, final, strict=True)] == [False] * len(final), "all was corrected"
