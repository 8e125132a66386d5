"""A head-end or a collector that answers nothing, or has its hands full (metering guide 9), on real servers."""

import pytest

from contracts.codes.end_device_controls import CONNECT, PING
from contracts.message import Error, Reply, Request, Result
from contracts.nouns.end_device_groups import EndDeviceGroup, EndDeviceGroups
from contracts.nouns.get_meter_readings import GetMeterReadings
from contracts.nouns.get_meter_readings import Reading as AskedReading
from contracts.nouns.meter_readings import MeterReadings
from contracts.nouns.reading_types import ReadingReasonKind
from contracts.types import ObjectReference
from contracts.verbs import Verb
from shared.tools.testing import Installation
from tests.acceptance.test_controls import MRC, OK, T0, Utility, order, utility
from tests.acceptance.test_metering import linked, meter
from tests.service.toys.world import eventually

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_given_a_silent_head_end_then_controls_wait_and_reads_fail_until_one_control_is_answered(
    dms: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUSBAR_METER_SILENT_AFTER", "2")
    async with utility(dms) as here:
        await here.cis.request(MRC, Verb.CREATE, meter("m1"))
        await here.cis.request(MRC, Verb.CREATE, linked("m1", T0))
        await here.cis.command(MRC, Verb.CREATE, order("m1", "m2", code=PING, mrid="both"))
        await here.field()
        await here.field()
        await here.at(seconds=60)
        assert {error.code for error in (await here.hears()).error} == {"4.1"}

        await here.cis.command(MRC, Verb.CREATE, order("m3", code=CONNECT, mrid="three"))
        await here.cis.command(MRC, Verb.CREATE, order("m4", code=CONNECT, mrid="four"))
        await here.becomes("three", "ACCEPTED")
        await here.becomes("four", "ACCEPTED")
        await here.nothing_comes_to_the_field()
        query = GetMeterReadings(
            usage_point=(ObjectReference(mrid="point"),), reading=(AskedReading(reason=ReadingReasonKind.INQUIRY),)
        )
        read = await here.cis.request(MRC, Verb.GET, MeterReadings, question=Request(query=query))
        assert read.reply is not None
        assert [(each.code, each.reason) for each in read.reply.error] == [
            ("5.1", "its head-end has not answered 2 times; ask again in 60 s")
        ]

        await here.at(seconds=121)
        probe = await here.field()
        await here.nothing_comes_to_the_field()
        await here.head_end.reply(probe, OK, probe.noun)
        assert {probe.noun, (await here.field()).noun} == {
            order("m3", code=CONNECT, mrid="three"),
            order("m4", code=CONNECT, mrid="four"),
        }


async def collected(here: Utility, **collectors: tuple[str, ...]) -> None:
    """Meters are known, and by which collectors they are reached."""
    for name, meters in collectors.items():
        for mrid in meters:
            await here.cis.request(MRC, Verb.CREATE, meter(mrid))
        members = tuple(ObjectReference(mrid=mrid) for mrid in meters)
        group = EndDeviceGroup(mrid=name, type="collector", end_devices=members)
        await here.cis.request(MRC, Verb.CREATE, EndDeviceGroups(end_device_group=(group,)))


async def has_failed(here: Utility, mrid: str) -> bool:
    """True when one of the devices of a control has failed."""
    return any(state.startswith("FAILED") for state in await here.state(mrid))


async def test_given_a_silent_collector_then_it_rests_while_the_rest_of_the_head_end_goes_on(
    dms: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUSBAR_METER_SILENT_AFTER", "2")
    unreachable = Reply(result=Result.FAILED, error=(Error(code="5.6", reason="no way to it"),))
    async with utility(dms) as here:
        await collected(here, dead=("m1", "m2", "m3"), alive=("m4", "m5"))
        await here.cis.command(MRC, Verb.CREATE, order("m1", "m2", code=PING, mrid="both"))
        await here.head_end.reply(await here.field(), unreachable)
        await here.field()
        await eventually(lambda: has_failed(here, "both"))
        await here.at(seconds=60)
        assert {error.code for error in (await here.hears()).error} == {"5.4", "5.6", "4.1"}

        await here.cis.command(MRC, Verb.CREATE, order("m3", code=CONNECT, mrid="three"))
        await here.becomes("three", "ACCEPTED")
        await here.cis.command(MRC, Verb.CREATE, order("m4", code=PING, mrid="four"))
        asked = await here.field()
        assert asked.noun == order("m4", code=PING, mrid="four"), "the other collector goes on"
        await here.head_end.reply(asked, OK, asked.noun)
        assert (await here.hears()).result is Result.OK
        await here.nothing_comes_to_the_field()

        await here.at(seconds=121)
        probe = await here.field()
        assert probe.noun == order("m3", code=CONNECT, mrid="three")
        await here.head_end.reply(probe, OK, probe.noun)
        assert (await here.hears()).result is Result.OK


async def test_given_a_collector_that_has_its_hands_full_then_those_of_others_overtake_and_its_own_follow_at_its_rate(
    dms: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUSBAR_METER_COLLECTOR_RATE", "1")
    async with utility(dms) as here:
        await collected(here, full=tuple(f"m{number}" for number in range(12)), free=("n1",))
        await here.cis.command(MRC, Verb.CREATE, order(*(f"m{number}" for number in range(12)), code=PING, mrid="all"))
        pings = [await here.field() for _ in range(10)]
        await here.nothing_comes_to_the_field()
        await here.cis.command(MRC, Verb.CREATE, order("n1", code=PING, mrid="other"))
        asked = await here.field()
        assert asked.noun == order("n1", code=PING, mrid="other")
        await here.at(seconds=1)
        pings.append(await here.field())
        await here.nothing_comes_to_the_field()
        await here.at(seconds=2)
        pings.append(await here.field())
        names = {each.noun.end_device_control[0].end_devices[0].mrid for each in pings}
        assert names == {f"m{number}" for number in range(12)}
