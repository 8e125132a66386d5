"""Disconnections of many meters of one feeder (metering guide 9), on real servers."""

import pytest

from contracts.codes.end_device_controls import DISCONNECT
from contracts.message import User
from contracts.nouns.end_device_controls import EndDeviceControl, EndDeviceControls
from contracts.nouns.end_device_groups import EndDeviceGroup, EndDeviceGroups
from contracts.types import ObjectReference, Reference
from contracts.verbs import Verb
from shared.tools.testing import Installation
from tests.acceptance.test_controls import MRC, OK, T0, order, utility
from tests.acceptance.test_metering import linked, meter

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_a_second_meter_of_a_small_feeder_within_an_hour_needs_a_second_person_however_it_is_named(
    dms: Installation,
) -> None:
    by_place = EndDeviceControl(
        mrid="by its place",
        end_device_control_type=Reference(ref=DISCONNECT),
        usage_points=(ObjectReference(mrid="point"),),
    )
    second = EndDeviceControls(end_device_control=(by_place,))
    async with utility(dms) as here:
        for name in ("m1", "m2"):
            await here.cis.request(MRC, Verb.CREATE, meter(name))
        await here.cis.request(MRC, Verb.CREATE, linked("m2", T0))
        feeder = EndDeviceGroup(
            mrid="F1", type="feeder", end_devices=(ObjectReference(mrid="m1"), ObjectReference(mrid="m2"))
        )
        await here.cis.request(MRC, Verb.CREATE, EndDeviceGroups(end_device_group=(feeder,)))
        await here.cis.command(MRC, Verb.CREATE, order("m1"), user=User(user_id="ann"))
        asked = await here.field()
        await here.head_end.reply(asked, OK, asked.noun)
        assert (await here.hears()).result is OK.result

        await here.cis.command(MRC, Verb.CREATE, second, user=User(user_id="ann"))
        (error,) = (await here.hears()).error
        assert error.code == "6.1"
        assert str(error.reason).startswith("2 disconnections on F1, which feeds 2, within an hour need the word")
        await here.nothing_comes_to_the_field()
        await here.cis.command(MRC, Verb.CREATE, second, user=User(user_id="bob"))
        assert (await here.field()).noun == second
