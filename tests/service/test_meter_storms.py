"""A storm of last gasps on real servers: bellwethers first, the others drained, what was momentary dropped."""

from datetime import UTC, datetime, timedelta

import pytest

from contracts.codes.end_device_events import EventKind, codes_of
from contracts.message import Message, Option, Request
from contracts.nouns.end_device_events import EndDeviceEvents
from contracts.nouns.end_device_groups import EndDeviceGroup, EndDeviceGroups
from contracts.nouns.meter_config import Meter, MeterConfig
from contracts.types import ObjectReference
from contracts.verbs import Verb
from services.meter_reading_and_control.store.events import GASPS_NEAR
from shared.tools.testing import Installation
from tests.service.test_meter_service import MRC, Street, events, street
from tests.service.toys.world import eventually, rows

LOST, BACK = "3.26.9.185", "3.26.9.216"
COUNTED = Request(option=(Option(name="counted", value="true"),))


def gasps(*meters: str, second: int, code: str = LOST) -> EndDeviceEvents:
    told = [events(code, meter, f"{meter} point", second).end_device_event[0] for meter in meters]
    return EndDeviceEvents(end_device_event=tuple(told))


async def stages(here: Street) -> dict[str, int]:
    counted = (await here.admin.request(MRC, Verb.GET, EndDeviceEvents, question=COUNTED)).noun.end_device_event
    (lost,) = [each for each in counted if each.end_device_event_type.ref == LOST]
    return {each.name: int(each.value or "") for each in lost.end_device_event_details}


async def become(here: Street, **wanted: int) -> None:
    async def is_so() -> bool:
        return wanted.items() <= (await stages(here)).items()

    await eventually(is_so)


async def blow(dms: Installation) -> None:
    """Wait until it is found that there is a storm."""
    await eventually(lambda: rows(dms, MRC, "SELECT FROM gasp_storm WHERE since IS NOT NULL"))


async def heard(here: Street, count: int) -> list[str]:
    points: list[str] = []
    while len(points) < count:
        message: Message[EndDeviceEvents] = (await here.admin.next()).message
        points += [each.usage_point.mrid or "" for each in message.noun.end_device_event if each.usage_point]
    return sorted(points)


async def test_in_a_storm_bellwethers_are_told_first_and_the_others_follow_but_for_those_that_have_power_again(
    dms: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUSBAR_METER_STORM_GASPS", "1")
    async with street(dms) as here:
        await here.asker.request(MRC, Verb.CREATE, MeterConfig(meter=(Meter(mrid="bell", serial_number="1"),)))
        group = EndDeviceGroup(mrid="first", type="bellwether", end_devices=(ObjectReference(mrid="bell"),))
        await here.asker.request(MRC, Verb.CREATE, EndDeviceGroups(end_device_group=(group,)))
        many = [f"m{number}" for number in range(61)]
        await here.head_end.tell(Verb.CREATED, gasps(*many, second=0), key="many")
        assert len(await heard(here, 61)) == 61, "it is not a storm yet"

        await here.at(10)
        await blow(dms)
        await here.at(11)
        await here.head_end.tell(Verb.CREATED, gasps("bell", "one", "two", second=9), key="few")
        await become(here, held=2)
        assert await heard(here, 1) == ["bell point"]
        await here.head_end.tell(Verb.CREATED, gasps("two", second=11, code=BACK), key="few")
        assert await heard(here, 1) == ["two point"], "that power is back is told"
        await become(here, held=1, momentary=1)

        await here.at(31)
        assert await heard(here, 1) == ["one point"]
        await become(here, received=64, duplicate=0, held=0, forwarded=63, momentary=1)


async def keep_gasps(dms: Installation, count: int, at: datetime) -> None:
    kept = (
        "INSERT INTO event (meter, code, happened_at, usage_point, noun)"
        " SELECT 'm' || number, $1, $2::timestamptz + number * interval '0.1 ms', 'p' || number, '{}'"
        " FROM generate_series(1, $3::int) AS number"
    )
    await rows(dms, MRC, kept, LOST, at, count)


async def test_the_last_gasps_of_some_meters_are_found_by_meter_while_thousands_tell_theirs_at_the_same_time(
    dms: Installation,
) -> None:
    at, near = datetime(2026, 1, 15, 18, 0, tzinfo=UTC), timedelta(seconds=5)
    async with street(dms):
        await keep_gasps(dms, 200, at - timedelta(days=1))
        await rows(dms, MRC, "ANALYZE event")  # what is known of the table is older than the storm
        await keep_gasps(dms, 20_000, at)
        meters = [f"m{number}" for number in range(1, 20_000, 20)]
        asked = (meters, sorted(codes_of(EventKind.POWER_LOST)), at - near, at + near, "repeated")
        assert len(await rows(dms, MRC, GASPS_NEAR, *asked)) == len(meters)
        plan = "\n".join(row[0] for row in await rows(dms, MRC, f"EXPLAIN {GASPS_NEAR}", *asked))
        assert "event_pkey" in plan, plan
        assert "happened_at" in plan.partition("Index Cond")[2].partition("\n")[0], plan
