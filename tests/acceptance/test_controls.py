"""Scenario 20 of the metering guide, and what its table of controls says, on real servers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec import json
from msgspec.structs import replace

from contracts.catalogue import CATALOGUE
from contracts.codes.end_device_controls import CONNECT, DISCONNECT, PING, SWITCH_STATE
from contracts.interface import Lane
from contracts.message import Error, Message, ReplayDetection, Reply, Result
from contracts.nouns.end_device_controls import (
    EndDevice,
    EndDeviceControl,
    EndDeviceControls,
    EndDeviceTiming,
    RandomisationKind,
)
from contracts.nouns.end_device_events import EndDeviceEvents
from contracts.nouns.end_device_groups import EndDeviceGroup, EndDeviceGroups
from contracts.nouns.meter_config import Meter, MeterConfig
from contracts.nouns.usage_point_groups import UsagePointGroup, UsagePointGroups
from contracts.types import DateTimeInterval, ObjectReference, Reference
from contracts.verbs import Verb
from services.meter_reading_and_control.domain.controls import Command
from services.meter_reading_and_control.service import service as meter_reading
from services.meter_reading_and_control.store.commands import Commands
from shared.runtime import running
from shared.tools.bootstrap import Schema
from shared.tools.testing import Installation, Peer

pytestmark = pytest.mark.asyncio(loop_scope="package")

MRC = "meter-reading-and-control"
T0 = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
OK = Reply(result=Result.OK)


def order(
    *meters: str, code: str = DISCONNECT, mrid: str = "", starts: datetime | None = None, reason: str | None = None
) -> EndDeviceControls:
    timing = None if starts is None else EndDeviceTiming(interval=DateTimeInterval(start=starts))
    return EndDeviceControls(
        end_device_control=(
            EndDeviceControl(
                mrid=mrid or f"{code} {meters[0]}",
                reason=reason,
                end_device_control_type=Reference(ref=code),
                end_devices=tuple(EndDevice(mrid=meter) for meter in meters),
                primary_device_timing=timing,
                usage_points=tuple(ObjectReference(mrid=f"{meter} point") for meter in meters),
            ),
        )
    )


class Utility:
    """A CIS, a head-end, customer management, and the clock."""

    def __init__(self, installation: Installation, cis: Peer, head_end: Peer, customers: Peer, admin: Peer) -> None:
        self.installation = installation
        self.cis = cis
        self.customers = customers
        self.head_end = head_end
        self.admin = admin
        self.critical: dict[str, str] = {}

    async def at(self, **since: int) -> None:
        now = T0 + timedelta(**since)
        await self.admin.bus.publish_core(self.admin.space.clock, json.encode({"now": now}))
        await asyncio.sleep(0.1)

    async def needs(self, _: Message[Any]) -> tuple[Reply, Any]:
        groups = tuple(
            UsagePointGroup(mrid=need, type=need, usage_points=(ObjectReference(mrid=point),))
            for point, need in self.critical.items()
        )
        return OK, UsagePointGroups(usage_point_group=groups)

    async def field(self) -> Message[Any]:
        """What comes to the head-end."""
        return (await self.head_end.next()).message

    async def hears(self) -> Reply:
        reply = (await self.cis.next()).message.reply
        assert reply is not None
        return reply

    async def told(self) -> list[str]:
        """The codes of events that were told by now, in their order."""
        found: list[str] = []
        while True:
            try:
                heard = (await self.admin.next(0.4)).message
            except TimeoutError:
                return found
            if isinstance(heard.payload, EndDeviceEvents):
                found += [each.end_device_event_type.ref for each in heard.payload.end_device_event]

    async def state(self, *mrids: str) -> list[str]:
        answer = await self.cis.request(MRC, Verb.GET, EndDeviceControls, ids=list(mrids))
        return [] if answer.payload is None else [str(each.reason) for each in answer.payload.end_device_control]

    async def becomes(self, mrid: str, state: str) -> None:
        for _ in range(100):
            if await self.state(mrid) == [state]:
                return
            await asyncio.sleep(0.05)
        pytest.fail(f"{mrid} does not become {state}")

    async def nothing_comes_to_the_field(self) -> None:
        with pytest.raises(TimeoutError):
            await self.head_end.next(timeout_s=0.4)


@asynccontextmanager
async def utility(dms: Installation) -> AsyncIterator[Utility]:
    installation = dms.of(Schema(MRC, meter_reading.migrations), granted_clock=True)
    await installation.prepare()
    async with (
        running(meter_reading, settings=installation.settings, catalogue=CATALOGUE),
        around(installation) as here,
    ):
        yield here


@asynccontextmanager
async def around(installation: Installation) -> AsyncIterator[Utility]:
    """Everybody around the service, wherever that runs."""
    async with (
        installation.peer("head-end") as head_end,
        installation.peer("operator") as cis,
        installation.peer("customer-management") as customers,
        installation.peer("admin") as admin,
    ):
        head_end.drain("command", "head-end")
        cis.drain("reply", "operator")
        await admin.follow(admin.space.events(Lane.OUTAGE, MRC))
        here = Utility(installation, cis, head_end, customers, admin)
        await customers.serve(here.needs)
        await here.at(seconds=0)
        yield here


async def test_given_no_answer_for_60_s_then_the_cis_hears_unknown_and_a_late_disconnected_is_one_event_and_no_command(
    dms: Installation,
) -> None:
    async with utility(dms) as here:
        await here.cis.command(MRC, Verb.CREATE, order("m1"))
        asked = await here.field()
        await here.at(seconds=60)
        assert [error.code for error in (await here.hears()).error] == ["4.1"]
        assert await here.state("3.31.0.23 m1") == ["UNKNOWN"]
        look = await here.field()
        assert look.noun.end_device_control[0].end_device_control_type.ref == SWITCH_STATE, "read back, not sent again"
        await here.at(seconds=300)
        await here.head_end.reply(asked, OK, order("m1", starts=T0 + timedelta(seconds=290)))
        assert await here.told() == ["3.31.0.68"]
        assert await here.state("3.31.0.23 m1") == ["CONFIRMED"]
        await here.head_end.reply(look, OK, order("m1", code=SWITCH_STATE, reason="disconnected"))
        await here.head_end.reply(asked, OK, order("m1"))
        assert await here.told() == []
        await here.nothing_comes_to_the_field()


async def test_given_no_answer_when_the_switch_is_read_back_otherwise_then_the_control_has_failed(
    dms: Installation,
) -> None:
    async with utility(dms) as here:
        await here.cis.command(MRC, Verb.CREATE, order("m1"))
        await here.field()
        await here.at(seconds=60)
        await here.hears()
        look = await here.field()
        await here.head_end.reply(look, OK, order("m1", code=SWITCH_STATE, reason="connected"))
        assert await here.told() == ["3.31.0.84"]
        assert (await here.state("3.31.0.23 m1"))[0].startswith("FAILED")


async def test_given_a_cancel_that_crosses_execution_then_cancel_failed_is_told_with_the_state(
    dms: Installation,
) -> None:
    async with utility(dms) as here:
        await here.cis.command(MRC, Verb.CREATE, order("m1"))
        asked = await here.field()
        await here.cis.command(MRC, Verb.CANCEL, order("m1"))
        cancel = await here.field()
        assert cancel.header.verb is Verb.CANCEL
        await here.head_end.reply(asked, OK, order("m1"))
        replies = [await here.hears(), await here.hears()]
        assert sorted(str(reply.result) for reply in replies) == ["FAILED", "OK"]
        assert {error.code for reply in replies for error in reply.error} == {"6.5"}
        assert await here.told() == ["3.31.0.68", "3.31.0.86"]
        gone = Reply(result=Result.FAILED, error=(Error(code="6.5", reason="it was carried out"),))
        await here.head_end.reply(cancel, gone)
        assert await here.state("3.31.0.23 m1") == ["CONFIRMED"]


async def test_given_a_control_for_later_when_it_is_cancelled_then_nothing_is_sent_and_both_are_told(
    dms: Installation,
) -> None:
    async with utility(dms) as here:
        await here.cis.command(MRC, Verb.CREATE, order("m1", starts=T0 + timedelta(hours=1)))
        await here.becomes("3.31.0.23 m1", "SCHEDULED")
        await here.cis.command(MRC, Verb.CANCEL, order("m1"))
        replies = [await here.hears(), await here.hears()]
        assert {error.code for reply in replies for error in reply.error} == {"6.5"}
        await here.at(hours=2)
        await here.nothing_comes_to_the_field()
        assert await here.state("3.31.0.23 m1") == ["CANCELLED"]


async def test_given_a_signed_request_that_is_replayed_then_it_is_refused(dms: Installation) -> None:
    async with utility(dms) as here:
        detection = ReplayDetection(nonce="once", created=datetime.now(UTC))
        await here.cis.command(MRC, Verb.CREATE, order("m1"), replay_detection=detection)
        await here.field()
        await here.cis.command(MRC, Verb.CREATE, order("m2"), replay_detection=detection)
        assert [error.code[0] for error in (await here.hears()).error] == ["7"]
        await here.nothing_comes_to_the_field()


async def test_given_two_devices_when_one_refuses_then_the_answer_is_partial_and_names_it(dms: Installation) -> None:
    async with utility(dms) as here:
        await here.cis.command(MRC, Verb.CREATE, order("m1", "m2", mrid="both"))
        first, second = await here.field(), await here.field()
        await here.head_end.reply(first, OK, first.noun)
        with pytest.raises(TimeoutError):
            await here.cis.next(timeout_s=0.4)
        no = Reply(result=Result.FAILED, error=(Error(code="5.3", reason="the switch is stuck"),))
        await here.head_end.reply(second, no)
        reply = await here.hears()
        assert reply.result is Result.PARTIAL
        assert [(error.code, error.reason) for error in reply.error] == [("5.3", "the switch is stuck")]
        assert sorted(await here.told()) == ["3.31.0.68", "3.31.0.84"]


async def test_the_commands_of_a_request_are_read_once_however_many_answers_come(
    dms: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, commands_of = [], Commands.commands_of

    async def counted(store: Commands, ticket: str) -> list[Command]:
        read.append(found := await commands_of(store, ticket))
        return found

    monkeypatch.setattr(Commands, "commands_of", counted)
    async with utility(dms) as here:
        await here.cis.command(MRC, Verb.CREATE, order(*(f"m{number}" for number in range(20)), code=PING, mrid="all"))
        for _ in range(20):
            asked = await here.field()
            await here.head_end.reply(asked, OK, asked.noun)
        assert (await here.hears()).result is Result.OK
    assert [len(found) for found in read] == [20]


async def test_given_a_busy_head_end_then_a_reconnection_overtakes_and_who_waits_too_long_is_told_when_to_come_again(
    dms: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUSBAR_METER_HEAD_END_RATE", "1")
    async with utility(dms) as here:
        await here.cis.command(MRC, Verb.CREATE, order(*(f"m{number}" for number in range(14)), code=PING, mrid="all"))
        pings = [await here.field() for _ in range(10)]
        await here.cis.command(MRC, Verb.CREATE, order("m0", code=CONNECT))
        await here.cis.command(MRC, Verb.CREATE, order("m20", code=CONNECT))
        await here.becomes("3.31.0.18 m20", "ACCEPTED")
        await here.nothing_comes_to_the_field()
        await here.at(seconds=2)
        assert (await here.field()).noun == order("m20", code=CONNECT), "the meter m0 is asked something else now"
        for asked in [*pings, await here.field()]:
            await here.head_end.reply(asked, OK, asked.noun)
        await here.at(seconds=61)
        reply = await here.hears()
        assert reply.result is Result.PARTIAL
        assert {(error.code, error.reason) for error in reply.error} == {
            ("5.1", "its turn has not come in 60 s; ask again in 4 s")
        }
        assert len(reply.error) == 3
        assert (await here.field()).noun == order("m0", code=CONNECT), "its turn came when the meter was free"


async def test_a_group_sheds_load_for_a_while_and_who_cancels_releases_it_at_an_end_that_is_spread(
    dms: Installation,
) -> None:
    group = EndDeviceGroup(mrid="north", end_devices=(ObjectReference(mrid="m1"), ObjectReference(mrid="m2")))
    control = EndDeviceControl(
        mrid="dr",
        end_device_control_type=Reference(ref="3.15.0.18"),
        end_device_groups=(ObjectReference(mrid="north"),),
        primary_device_timing=EndDeviceTiming(duration=60, randomisation=RandomisationKind.START),
    )
    event = EndDeviceControls(end_device_control=(control,))
    async with utility(dms) as here:
        await here.cis.command(MRC, Verb.CREATE, event)
        assert [error.code for error in (await here.hears()).error] == ["2.15"], "there is no such group"
        for mrid in ("m1", "m2"):
            await here.cis.command(MRC, Verb.CREATE, MeterConfig(meter=(Meter(mrid=mrid, serial_number=mrid),)))
            assert (await here.hears()).result is Result.OK
        await here.cis.command(MRC, Verb.CREATE, EndDeviceGroups(end_device_group=(group,)))
        assert (await here.hears()).result is Result.OK
        await here.cis.command(MRC, Verb.CREATE, event)
        for _ in range(2):
            asked = await here.field()
            await here.head_end.reply(asked, OK, asked.noun)
        assert (await here.hears()).result is Result.OK
        await here.cis.command(MRC, Verb.CREATE, event)
        assert [error.code for error in (await here.hears()).error] == ["5.2"], "it is kept, with who was in the group"
        await here.at(minutes=20)
        await here.cis.command(MRC, Verb.CANCEL, event)
        for _ in range(2):
            released = await here.field()
            timing = released.noun.end_device_control[0].primary_device_timing
            assert (released.header.verb, timing.randomisation) == (Verb.CANCEL, RandomisationKind.END)
            await here.head_end.reply(released, OK)
        assert (await here.hears()).result is Result.OK
        assert await here.state("dr") == ["CLOSED", "CLOSED"]


async def test_a_control_that_was_given_before_or_while_another_is_under_way_is_a_conflict(dms: Installation) -> None:
    async with utility(dms) as here:
        await here.cis.command(MRC, Verb.CREATE, order("m1"))
        asked = await here.field()
        await here.cis.command(MRC, Verb.CREATE, order("m1", code=CONNECT))
        assert [error.code for error in (await here.hears()).error] == ["5.2"]
        await here.head_end.reply(asked, OK, asked.noun)
        await here.hears()
        again = replace(order("m1").end_device_control[0], reason="once more")
        await here.cis.command(MRC, Verb.CREATE, EndDeviceControls(end_device_control=(again,)))
        assert [error.code for error in (await here.hears()).error] == ["5.2"]
        await here.nothing_comes_to_the_field()
