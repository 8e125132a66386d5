"""The interval in which a meter took new software says so (metering guide 2.5), on real servers."""

from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from contracts.message import Reply, Result
from contracts.nouns.end_device_controls import (
    EndDevice,
    EndDeviceControl,
    EndDeviceControls,
    EndDeviceTiming,
)
from contracts.types import DateTimeInterval, Reference
from contracts.verbs import Verb
from shared.tools.testing import Installation
from tests.acceptance.judged_days import LATER, NOW, at, said, shown
from tests.acceptance.test_campaigns import FIRMWARE
from tests.acceptance.test_metering import DAY, MRC, Office, at_end, local, office, told, whole_day

pytestmark = pytest.mark.asyncio(loop_scope="package")

END = local(10, 15)
"""The end of the interval in which it happens."""


async def takes_software(here: Office, when: datetime) -> None:
    """The meter is told to take new software, and says when it did."""
    here.head_end.drain("command", "head-end")
    here.cis.drain("reply", "operator")
    control = EndDeviceControl(
        mrid="new", end_device_control_type=Reference(ref=FIRMWARE), end_devices=(EndDevice(mrid="meter"),)
    )
    await here.cis.command(MRC, Verb.CREATE, EndDeviceControls(end_device_control=(control,)))
    asked = (await here.head_end.next()).message
    done = replace(
        asked.noun.end_device_control[0], primary_device_timing=EndDeviceTiming(interval=DateTimeInterval(start=when))
    )
    await here.head_end.reply(asked, Reply(result=Result.OK), EndDeviceControls(end_device_control=(done,)))
    reply = (await here.cis.next()).message.reply
    assert reply is not None
    assert reply.result is Result.OK


@pytest.mark.parametrize("is_there", [True, False])
async def test_the_interval_in_which_a_meter_took_new_software_says_so_and_nothing_is_overwritten(
    dms: Installation, monkeypatch: pytest.MonkeyPatch, *, is_there: bool
) -> None:
    day = whole_day(DAY)
    async with office(dms, monkeypatch) as here:
        if is_there:
            await here.do(Verb.CREATE, told(day))
            await at(here, LATER)
            assert "3.0.1" in said((await shown(here))[END])
        await takes_software(here, local(10, 7))
        if not is_there:
            await here.do(Verb.CREATE, told(day))
        await at(here, LATER + timedelta(hours=3))
        found = await shown(here)
        assert {end for end, each in found.items() if "3.4.6" in said(each)} == {END}
        assert said(found[END]) == {"1.0.0": "", "3.0.1": "", "3.4.6": "control new"}
        assert (found[END].source, found[END].value) == (MRC, day[40].value)
        assert await here.database.fetchval("SELECT max(version) FROM block WHERE market_day = $1", DAY) == 2
        before = await shown(here, asOf=(LATER + timedelta(minutes=1)).isoformat())
        if is_there:
            assert not any("3.4.6" in said(each) for each in before.values())

        digest = await here.digest()
        await here.do(Verb.CREATE, told(day))
        await at(here, LATER + timedelta(hours=6))
        assert await here.digest() == digest, "told again and judged again nothing is added"
        await here.do(Verb.CREATE, told([at_end(END, 77, reported=NOW + timedelta(hours=9))]))
        await at(here, LATER + timedelta(hours=9))
        late = (await shown(here))[END]
        assert (late.value, said(late)["3.4.6"]) == ("77", "control new"), "what is told later says so too"
