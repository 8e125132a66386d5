"""A head-end that answers nothing (metering guide 9, circuit breaker), on real servers."""

import pytest

from contracts.codes.end_device_controls import CONNECT, PING
from contracts.message import Request
from contracts.nouns.get_meter_readings import GetMeterReadings
from contracts.nouns.get_meter_readings import Reading as AskedReading
from contracts.nouns.meter_readings import MeterReadings
from contracts.nouns.reading_types import ReadingReasonKind
from contracts.types import ObjectReference
from contracts.verbs import Verb
from shared.tools.testing import Installation
from tests.acceptance.test_controls import MRC, OK, T0, order, utility
from tests.acceptance.test_metering import linked, meter

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
