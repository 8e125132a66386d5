"""Meter reading and control on real servers, with a head-end as its peer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec import json

from contracts.catalogue import CATALOGUE
from contracts.codes.end_device_controls import PING
from contracts.codes.ping_results import CODES, PingResult, ping_result
from contracts.interface import Lane
from contracts.message import Error, Message, Option, Reply, Request, Result
from contracts.nouns.device_types import ConfigurationEvent
from contracts.nouns.end_device_controls import EndDevice, EndDeviceControl, EndDeviceControls, EndDeviceTiming
from contracts.nouns.end_device_events import EndDeviceEvent, EndDeviceEvents
from contracts.nouns.master_data_linkage_config import MasterDataLinkageConfig
from contracts.nouns.meter_config import Meter, MeterConfig
from contracts.types import DateTimeInterval, ObjectReference, Reference
from contracts.verbs import Verb
from services.meter_reading_and_control.service import service as meter_reading
from services.meter_reading_and_control.store import events as kept_events
from shared.runtime import running
from shared.tools.bootstrap import Schema
from shared.tools.testing import Installation, Peer

MRC = "meter-reading-and-control"
T0 = datetime(2026, 3, 14, 18, 0, tzinfo=UTC)


def events(code: str, meter: str, point: str | None, second: int) -> EndDeviceEvents:
    event = EndDeviceEvent(
        created_date_time=T0 + timedelta(seconds=second),
        assets=ObjectReference(mrid=meter),
        end_device_event_type=Reference(ref=code),
        usage_point=None if point is None else ObjectReference(mrid=point),
    )
    return EndDeviceEvents(end_device_event=(event,))


async def test_new_events_are_passed_on_once_in_one_code_and_can_be_asked_for(
    dms: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_events, "PAGE", 2)
    installation = dms.of(Schema(MRC, meter_reading.migrations))
    await installation.prepare()
    async with (
        running(meter_reading, settings=installation.settings, catalogue=CATALOGUE),
        installation.peer("head-end") as head_end,
        installation.peer("admin") as admin,
    ):
        await admin.follow(admin.space.events(Lane.OUTAGE, MRC))
        await head_end.tell(Verb.CREATED, events("3.26.0.47", "meter", "point", 0), key="point")
        (gasp,) = (await admin.next()).message.noun.end_device_event
        assert (gasp.end_device_event_type.ref, gasp.usage_point.mrid) == ("3.26.9.185", "point")
        assert gasp.created_date_time == T0

        await head_end.tell(Verb.CREATED, events("3.26.9.185", "meter", "point", 0), key="point")
        await head_end.tell(Verb.CREATED, events("3.26.9.185", "stranger", None, 1), key="point")
        await head_end.tell(Verb.CREATED, events("3.26.9.216", "meter", None, 60), key="point")
        (back,) = (await admin.next()).message.noun.end_device_event
        assert (back.end_device_event_type.ref, back.usage_point.mrid) == ("3.26.9.216", "point")
        with pytest.raises(TimeoutError):
            await admin.next(timeout_s=0.5)

        kept = (await admin.request(MRC, Verb.GET, EndDeviceEvents)).noun.end_device_event
        assert [event.assets.mrid for event in kept] == ["meter", "stranger", "meter"]
        one = await admin.request(MRC, Verb.GET, EndDeviceEvents, ids=["point"])
        assert one.noun.end_device_event == (gasp, back)


async def test_every_last_gasp_is_forwarded_once_or_counted_with_its_reason(dms: Installation) -> None:
    """Many messages at once, as batches: what became of the events adds up, and is what others were told."""
    installation = dms.of(Schema(MRC, meter_reading.migrations))
    await installation.prepare()
    told = [events("3.26.9.185", f"meter {number}", f"point {number}", 0) for number in range(60)]
    told += [events("3.26.9.185", f"meter {number}", f"point {number}", 0) for number in range(20)]
    told += [events("3.26.0.47", f"meter {number}", None, 3) for number in range(10)]
    told += [events("3.26.9.185", "stranger", None, 0)]
    async with (
        running(meter_reading, settings=installation.settings, catalogue=CATALOGUE),
        installation.peer("head-end") as head_end,
        installation.peer("admin") as admin,
    ):
        await admin.follow(admin.space.events(Lane.OUTAGE, MRC))
        for noun in told:
            await head_end.tell(Verb.CREATED, noun, key="one partition")
        heard: list[str] = []
        while len(heard) < 60:
            message: Message[EndDeviceEvents] = (await admin.next()).message
            heard += [each.usage_point.mrid or "" for each in message.noun.end_device_event if each.usage_point]
        question = Request(option=(Option(name="counted", value="true"),))
        for _ in range(100):
            (gasps,) = (await admin.request(MRC, Verb.GET, EndDeviceEvents, question=question)).noun.end_device_event
            stages = {each.name: int(each.value or "") for each in gasps.end_device_event_details}
            if stages["received"] == len(told):
                break
            await asyncio.sleep(0.05)
        assert sorted(heard) == sorted(f"point {number}" for number in range(60))
        assert stages == {"received": 91, "duplicate": 20, "held": 0, "forwarded": 60, "repeated": 10, "unlocated": 1}
        with pytest.raises(TimeoutError):
            await admin.next(timeout_s=0.3)


def ping(meter: str, answered_at: datetime | None = None) -> EndDeviceControls:
    timing = None if answered_at is None else EndDeviceTiming(interval=DateTimeInterval(start=answered_at))
    control = EndDeviceControl(
        mrid=f"ping {meter}",
        end_device_control_type=Reference(ref=PING),
        end_devices=(EndDevice(mrid=meter),),
        primary_device_timing=timing,
        usage_points=(ObjectReference(mrid=f"{meter} point"),),
    )
    return EndDeviceControls(end_device_control=(control,))


class Street:
    """A head-end, whoever asks for controls, and the clock."""

    def __init__(self, head_end: Peer, asker: Peer, admin: Peer) -> None:
        self.head_end = head_end
        self.asker = asker
        self.admin = admin

    async def at(self, second: int) -> None:
        now = T0 + timedelta(seconds=second)
        await self.admin.bus.publish_core(self.admin.space.clock, json.encode({"now": now}))
        await asyncio.sleep(0.1)

    async def reaches_the_head_end(self) -> Message[Any]:
        return (await self.head_end.next()).message

    async def answers(self) -> Reply:
        reply = (await self.asker.next()).message.reply
        assert reply is not None
        return reply


@asynccontextmanager
async def street(dms: Installation) -> AsyncIterator[Street]:
    installation = dms.of(Schema(MRC, meter_reading.migrations), granted_clock=True)
    await installation.prepare()
    async with (
        running(meter_reading, settings=installation.settings, catalogue=CATALOGUE),
        installation.peer("head-end") as head_end,
        installation.peer("operator") as asker,
        installation.peer("admin") as admin,
    ):
        head_end.drain("command", "head-end")
        asker.drain("reply", "operator")
        await admin.follow(admin.space.events(Lane.OUTAGE, MRC))
        here = Street(head_end, asker, admin)
        await here.at(0)
        yield here


async def test_a_ping_is_answered_when_the_meter_has_answered(dms: Installation) -> None:
    async with street(dms) as here:
        await here.asker.command(MRC, Verb.CREATE, ping("alive"))
        asked = await here.reaches_the_head_end()
        assert asked.noun == ping("alive")
        await here.at(8)
        await here.head_end.reply(asked, Reply(result=Result.OK), ping("alive", T0 + timedelta(seconds=7)))
        answer = (await here.asker.next()).message
        assert answer.reply is not None
        assert (answer.reply.result, answer.noun) == (Result.OK, ping("alive", T0 + timedelta(seconds=7)))

        await here.asker.command(MRC, Verb.CREATE, ping("nobody"))
        unknown = Reply(result=Result.FAILED, error=(Error(code="2.4", reason="there is no such meter"),))
        await here.head_end.reply(await here.reaches_the_head_end(), unknown)
        assert [error.code for error in (await here.answers()).error] == ["2.4"]


async def test_silence_is_told_after_a_minute_and_an_answer_after_that_is_an_event(dms: Installation) -> None:
    async with street(dms) as here:
        await here.asker.command(MRC, Verb.CREATE, ping("slow"))
        asked = await here.reaches_the_head_end()
        await here.at(59)
        with pytest.raises(TimeoutError):
            await here.asker.next(timeout_s=0.5)
        await here.at(60)
        given_up = await here.answers()
        assert [(error.code, error.reason) for error in given_up.error] == [
            ("4.1", "the device did not answer within 60 s")
        ]
        await here.at(100)
        await here.head_end.reply(asked, Reply(result=Result.OK), ping("slow", T0 + timedelta(seconds=95)))
        (event,) = (await here.admin.next()).message.noun.end_device_event
        assert (event.end_device_event_type.ref, event.usage_point.mrid) == ("3.26.9.216", "slow point")
        assert event.created_date_time == T0 + timedelta(seconds=95)
        assert [detail.name for detail in event.end_device_event_details] == ["control"], "because it was asked"
        with pytest.raises(TimeoutError):
            await here.asker.next(timeout_s=0.5)


async def test_no_meter_at_all_and_one_twice_are_refused(dms: Installation) -> None:
    async with street(dms) as here:
        twice = EndDeviceControls(end_device_control=(*ping("one").end_device_control, *ping("one").end_device_control))
        nobody = EndDeviceControls(
            end_device_control=(EndDeviceControl(mrid="x", end_device_control_type=Reference(ref=PING)),)
        )
        for noun, code in ((twice, "5.2"), (nobody, "2.4")):
            answer = await here.asker.request(MRC, Verb.CREATE, noun)
            assert answer.reply is not None
            assert [error.code for error in answer.reply.error] == [code]


async def test_the_five_results_of_a_ping_are_told_apart_by_who_asked(dms: Installation) -> None:
    async with street(dms) as here:
        told = {}
        for result in PingResult:
            await here.asker.command(MRC, Verb.CREATE, ping(result))
            asked = await here.reaches_the_head_end()
            if result is PingResult.ON:
                await here.head_end.reply(asked, Reply(result=Result.OK), ping(result, T0))
            elif result is PingResult.UNKNOWN:
                await here.at(60)
            else:
                failed = Reply(result=Result.FAILED, error=(Error(code=CODES[result]),))
                await here.head_end.reply(asked, failed)
            told[result] = ping_result(await here.answers())
        assert all(result is said for result, said in told.items())
        assert ping_result(Reply(result=Result.FAILED, error=(Error(code="3.1"),))) is None


def put(pairs: list[tuple[str, str]]) -> MasterDataLinkageConfig:
    return MasterDataLinkageConfig(
        configuration_event=ConfigurationEvent(effective_date_time=T0),
        meter=tuple(ObjectReference(mrid=meter) for meter, _ in pairs),
        usage_point=tuple(ObjectReference(mrid=point) for _, point in pairs),
    )


async def test_of_many_meters_in_one_message_each_is_taken_or_refused_by_itself_and_told_once(
    dms: Installation,
) -> None:
    installation = dms.of(Schema(MRC, meter_reading.migrations))
    await installation.prepare()
    async with (
        running(meter_reading, settings=installation.settings, catalogue=CATALOGUE),
        installation.peer("operator") as clerk,
        installation.peer("admin") as admin,
    ):
        await admin.follow(admin.space.events(Lane.GENERAL, MRC))
        names = [f"meter {number}" for number in range(40)]
        config = MeterConfig(meter=tuple(Meter(mrid=name, serial_number="1") for name in names))
        assert (await clerk.request(MRC, Verb.CREATE, config)).reply == Reply(result=Result.OK)
        other = MeterConfig(meter=(Meter(mrid="meter 7", serial_number="1", type="new"), *config.meter[:3]))
        answer = await clerk.request(MRC, Verb.CREATE, other)
        assert answer.reply is not None
        assert [(each.code, each.id and each.id.value) for each in answer.reply.error] == [("5.2", "meter 7")]
        assert answer.reply.result is Result.PARTIAL

        pairs = [(name, f"point of {name}") for name in names]
        odd = [("stranger", "point"), ("meter 0", "another point"), ("meter 1", "point of meter 2")]
        answer = await clerk.request(MRC, Verb.CREATE, put(pairs + odd))
        assert answer.reply is not None
        assert (answer.reply.result, [each.code for each in answer.reply.error]) == (
            Result.PARTIAL,
            ["2.4", "5.2", "5.2"],
        )
        assert answer.noun == put(pairs)
        assert (await clerk.request(MRC, Verb.CREATE, put(pairs))).reply == Reply(result=Result.OK)
        assert (await clerk.request(MRC, Verb.GET, MasterDataLinkageConfig, ids=["meter 9"])).noun == put([pairs[9]])

        told: dict[str, list[str]] = {"MeterConfig": [], "MasterDataLinkageConfig": []}
        while sum(map(len, told.values())) < 2 * len(names):
            heard = (await admin.next()).message
            told[heard.header.noun] += [each.mrid for each in heard.noun.meter]
        assert {noun: sorted(all_of) for noun, all_of in told.items()} == dict.fromkeys(told, sorted(names))
        with pytest.raises(TimeoutError):
            await admin.next(timeout_s=0.3)
