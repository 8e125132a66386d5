"""How many reads of a day came by its cut-offs, and why the others did not (metering guide 6, read success)."""

from datetime import UTC, datetime, timedelta

from contracts.codes.end_device_events import EMITTED, EventKind
from contracts.compact_readings import CONTENT_TYPE
from contracts.message import Id, Option, Request, Result
from contracts.nouns.end_device_events import EndDeviceEvent, EndDeviceEvents
from contracts.nouns.end_device_groups import EndDeviceGroup, EndDeviceGroups
from contracts.nouns.meter_config import Meter as Device
from contracts.nouns.meter_config import MeterConfig
from contracts.nouns.meter_readings import MeterReadings
from contracts.types import ObjectReference, Reference
from contracts.verbs import Verb
from services.meter_reading_and_control.views.success import BSR, RSR
from shared.tools.testing import Installation
from tests.fixtures.metering_utility import LONG_AGO, MRC, Utility, told, utility
from tests.service.toys.world import eventually

DAY = datetime(2026, 5, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)
FAULT = "3.18.72.79"


def happened(meter: str, code: str, at: datetime) -> EndDeviceEvent:
    return EndDeviceEvent(
        created_date_time=at, assets=ObjectReference(mrid=meter), end_device_event_type=Reference(ref=code)
    )


async def counts(here: Utility, by: str, *ids: str, last: datetime = DAY) -> dict[str | None, list[list[str | None]]]:
    """By group and cut-off: the reads, the whole days, and why the others are not whole."""
    question = Request(
        id=tuple(Id(value=each) for each in ids),
        option=(Option(name="success", value=by),),
        start_time=DAY,
        end_time=last + 24 * HOUR,
    )
    answer = await here.clerk.request(MRC, Verb.GET, MeterReadings, question=question)
    assert answer.reply is not None
    assert answer.reply.result is not Result.FAILED, answer.reply
    found: dict[str | None, dict[datetime | None, list[str | None]]] = {}
    for part in [] if answer.payload is None else answer.noun.meter_reading:
        of_group = found.setdefault(part.usage_point and part.usage_point.mrid, {})
        for each in part.readings:
            comment = each.reading_qualities[0].comment
            is_why = each.reading_qualities[0].reading_quality_type.ref == "3.5.259"
            word = f"{comment} {each.value}" if is_why else comment
            assert each.reading_type is not None
            assert each.reading_type.ref in {RSR, BSR}
            of_group.setdefault(each.time_stamp, []).append(word)
    return {name: list(of_group.values()) for name, of_group in found.items()}


async def test_reads_of_a_day_are_counted_at_each_cut_off_by_head_end_with_the_cause_of_what_is_missing(
    dms: Installation,
) -> None:
    """One meter in time, one late, one dark, one faulty, one that never told anything, one exchanged at noon."""
    async with utility(dms) as here:
        for number in range(1, 7):
            await here.install(f"a{number}", f"p{number}", LONG_AGO)
            north = Device(mrid=f"a{number}", serial_number=f"a{number}", amr_system="north" if number < 4 else "south")
            await here.order(Verb.CHANGE, MeterConfig(meter=(north,)))
            if number != 5:
                await here.tell(told(f"a{number}", dict.fromkeys(range(24), 100), day=DAY - 24 * HOUR), CONTENT_TYPE)
        await here.install("a7", "p6", DAY + 12 * HOUR, Verb.CHANGE)
        await here.order(Verb.CHANGE, MeterConfig(meter=(Device(mrid="a7", serial_number="a7", amr_system="south"),)))
        await here.set_clock(DAY + 29 * HOUR)
        hole = [hour for hour in range(24) if hour not in {3, 4}]
        for meter, hours in (("a1", [*range(24)]), ("a3", hole), ("a4", hole), ("a6", [*range(12)])):
            await here.tell(told(meter, dict.fromkeys(hours, 100), day=DAY), CONTENT_TYPE)
        events = (
            happened("a3", EMITTED[EventKind.POWER_LOST], DAY + 3 * HOUR),
            happened("a3", EMITTED[EventKind.POWER_RESTORED], DAY + 5 * HOUR),
            happened("a4", FAULT, DAY + 3 * HOUR),
        )
        await here.head_end.tell(Verb.CREATED, EndDeviceEvents(end_device_event=events))
        await eventually(lambda: here.database.fetchval("SELECT count(*) = 3 FROM event WHERE code NOT LIKE '3.6.%'"))
        await here.all_is_taken()
        assert await counts(here, "together") == {}, "no cut-off has been"

        await here.set_clock(DAY + 31 * HOUR)
        assert await counts(here, "headEnd") == {
            "north": [["46 of 72", "1 of 3", "comms 1", "outageExcused 1"]],
            "south": [["34 of 48", "0 of 3", "meter 1", "config 1", "exchange 1"]],
        }
        await here.set_clock(DAY + 40 * HOUR)
        await here.tell(told("a2", dict.fromkeys(range(24), 100), day=DAY), CONTENT_TYPE)
        await here.all_is_taken()
        await here.set_clock(DAY + 80 * HOUR)
        first, second = (await counts(here, "together"))["all"]
        assert first == ["80 of 120", "1 of 6", "comms 1", "meter 1", "config 1", "outageExcused 1", "exchange 1"]
        assert second == ["104 of 120", "2 of 6", "meter 1", "config 1", "outageExcused 1", "exchange 1"]
        assert (await counts(here, "together", "p2"))["all"] == [
            ["0 of 24", "0 of 1", "comms 1"],
            ["24 of 24", "1 of 1"],
        ]

        members = (ObjectReference(mrid="a1"), ObjectReference(mrid="a2"))
        group = EndDeviceGroup(mrid="mast", type="collector", end_devices=members)
        await here.clerk.request(MRC, Verb.CREATE, EndDeviceGroups(end_device_group=(group,)))
        by_collector = await counts(here, "collector")
        assert by_collector["mast"][0] == ["24 of 48", "1 of 2", "comms 1"]
        assert by_collector[""][0][0] == "56 of 72"


async def test_what_is_estimated_is_no_read_and_what_is_in_a_wave_is_one(dms: Installation) -> None:
    async with utility(dms) as here:
        await here.install("a1", "p1", LONG_AGO)
        await here.set_clock(DAY + 26 * HOUR)
        await here.tell(told("a1", dict.fromkeys(range(20), 100), day=DAY), CONTENT_TYPE)
        for hour in (20, 21):
            await here.tell(told("a1", {hour: 100}, day=DAY), CONTENT_TYPE)
        await here.all_is_taken()
        await here.set_clock(DAY + 32 * HOUR)
        sql = "SELECT count(*) > 0 FROM block WHERE origins::text LIKE '%method%'"
        await eventually(lambda: here.database.fetchval(sql))
        assert await counts(here, "together") == {"all": [["22 of 24", "0 of 1", "comms 1"]]}
