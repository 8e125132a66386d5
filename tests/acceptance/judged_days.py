"""Days at the office that are over: time goes on, and what was found of them is asked for."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

from msgspec import json

from contracts.message import Message, Option, Request
from contracts.nouns.end_device_events import EndDeviceEvent, EndDeviceEvents
from contracts.nouns.get_meter_readings import GetMeterReadings
from contracts.nouns.meter_readings import IntervalReading, MeterReadings
from contracts.nouns.usage_point_config import UsagePoint, UsagePointConfig
from contracts.types import Name, NameType, ObjectReference, Reference
from contracts.verbs import Verb
from services.meter_reading_and_control.domain import calendar
from tests.acceptance.test_metering import BERLIN, DAY, INTERVAL, MRC, Office

NOW = datetime(2026, 12, 1, tzinfo=UTC)
ONE_DAY = timedelta(days=1)
Shown = dict[datetime, IntervalReading]

LATER = NOW + timedelta(hours=2)
"""When what was told by now has been judged."""

DUE = """SELECT count(*) + (SELECT count(*) FROM to_judge) FROM wake
WHERE name IN ('judge', 'day-over', 'held') AND at <= $1"""


async def at(here: Office, now: datetime) -> None:
    """Time goes on, and what is due by then is judged."""
    await here.admin.bus.publish_core(here.admin.space.clock, json.encode({"now": now}))
    async with asyncio.timeout(30):
        while await here.database.fetchval(DUE, now):  # noqa: ASYNC110  by the service
            await asyncio.sleep(0.02)


async def asked(here: Office, point: str, days: tuple[date, date], **options: str) -> Message[Any]:
    """What is said of some days of a usage point, the last one included."""
    request = Request(
        start_time=calendar.bounds(days[0], BERLIN)[0],
        end_time=calendar.bounds(days[1], BERLIN)[1],
        query=GetMeterReadings(usage_point=(ObjectReference(mrid=point),)),
        option=tuple(Option(name=name, value=value) for name, value in options.items()),
    )
    return await here.cis.request(MRC, Verb.GET, MeterReadings, question=request)


def intervals(answer: Message[Any], code: str = INTERVAL) -> Shown:
    """The intervals of an answer in a reading type, by their end."""
    parts = () if answer.payload is None else answer.payload.meter_reading
    blocks = [block for each in parts for block in each.interval_blocks if block.reading_type.ref == code]
    return {each.time_stamp: each for block in blocks for each in block.interval_readings if each.time_stamp}


async def shown(here: Office, day: date = DAY, point: str = "point", code: str = INTERVAL, **options: str) -> Shown:
    """The intervals of a day in a reading type, by their end."""
    return intervals(await asked(here, point, (day, day), **options), code)


async def found(here: Office, point: str = "point", code: str = INTERVAL, day: date = DAY, **options: str) -> Any:
    """What rules found of the intervals of a day: by the name of the rule, in how many; and methods of estimates."""
    counted: dict[str, int] = {}
    for each in (await shown(here, day, point, code, **options)).values():
        for quality in each.reading_qualities:
            comment = quality.comment or ""
            if comment.startswith(("V", "method=")):
                name = comment.partition(" ")[0]
                counted[name] = counted.get(name, 0) + 1
    return counted


async def both(here: Office, point: str = "point", code: str = INTERVAL, day: date = DAY) -> Any:
    """What is kept of a day that was judged; the same as one that asks for it is told."""
    kept = await found(here, point, code, day)
    assert kept == await found(here, point, code, day, judgedBy="valid")
    return kept


def said(value: IntervalReading) -> dict[str, str]:
    """The qualities of a value with their comments."""
    return {each.reading_quality_type.ref: each.comment or "" for each in value.reading_qualities}


async def power(here: Office, code: str, at: datetime) -> None:
    """The meter tells that its power went or came back; until meter reading has passed it on."""
    event = EndDeviceEvent(
        created_date_time=at,
        assets=ObjectReference(mrid="meter"),
        end_device_event_type=Reference(ref=code),
        usage_point=ObjectReference(mrid="point"),
    )
    await here.head_end.tell(Verb.CREATED, EndDeviceEvents(end_device_event=(event,)), key="point")
    heard: list[str] = []
    while code not in heard:
        passed_on = (await here.admin.next()).message.noun.end_device_event
        heard += [each.end_device_event_type.ref for each in passed_on]


def named(name: str, kind: str) -> Name:
    return Name(name=name, name_type=NameType(name=kind))


def set_up(mrid: str = "point", **said: Any) -> UsagePointConfig:
    return UsagePointConfig(usage_point=(UsagePoint(mrid=mrid, **said),))
