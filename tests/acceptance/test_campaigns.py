"""Campaigns (metering guide 2.5 and 9): a few devices first, then all at a rate; on real servers."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from contracts.codes.end_device_controls import DISCONNECT
from contracts.message import Error, Id, Message, Option, Reply, Request, Result, User
from contracts.nouns.end_device_controls import EndDeviceControl, EndDeviceControls
from contracts.nouns.end_device_events import EndDeviceEvents
from contracts.nouns.end_device_groups import EndDeviceGroup, EndDeviceGroups
from contracts.nouns.get_meter_readings import GetMeterReadings
from contracts.nouns.meter_readings import Meter, MeterReading, MeterReadings
from contracts.nouns.reading_types import Reading
from contracts.types import ObjectReference, Reference
from contracts.verbs import Verb
from services.meter_reading_and_control.domain import lanes
from shared.tools.testing import Installation, Peer
from tests.acceptance.test_controls import MRC, OK, T0, Utility, order, utility
from tests.acceptance.test_metering import REGISTER, linked, meter
from tests.service.test_meter_service import events
from tests.service.toys.world import eventually, rows

pytestmark = pytest.mark.asyncio(loop_scope="package")

FIRMWARE = "3.11.0.52"
METERS = tuple(f"m{number}" for number in range(12))


def software(mrid: str, code: str = FIRMWARE) -> EndDeviceControls:
    control = EndDeviceControl(
        mrid=mrid, end_device_control_type=Reference(ref=code), end_device_groups=(ObjectReference(mrid="north"),)
    )
    return EndDeviceControls(end_device_control=(control,))


class Desk:
    """People who order campaigns, and look at them."""

    def __init__(self, cis: Peer) -> None:
        self.cis = cis

    async def stands(self, mrid: str) -> str:
        (only,) = await self.shown(mrid, "progress")
        return str(only.reason)

    async def devices(self, mrid: str) -> dict[str, str]:
        """How each device of a campaign stands."""
        _, *devices = await self.shown(mrid, "devices")
        return {str(each.end_devices[0].mrid): str(each.reason) for each in devices}

    async def stands_at(self, mrid: str, how: str) -> bool:
        """True when a campaign stands like that."""
        return await self.stands(mrid) == how

    async def none_in(self, mrid: str, state: str) -> bool:
        """True when no device of a campaign stands like that."""
        return state not in {each.partition(":")[0] for each in (await self.devices(mrid)).values()}

    async def shown(self, mrid: str, what: str) -> tuple[EndDeviceControl, ...]:
        question = Request(option=(Option(name="campaign", value=what),), id=(Id(value=mrid),))
        answer = await self.cis.request(MRC, Verb.GET, EndDeviceControls, question=question)
        return tuple(answer.noun.end_device_control)

    async def asks(
        self, verb: Verb, mrid: str, word: str, user: str = "ann", code: str = FIRMWARE, **options: str
    ) -> list[str]:
        """Ask for something about a campaign; the codes of the answer."""
        option = tuple(Option(name=name, value=value) for name, value in {"campaign": word, **options}.items())
        answer = await self.cis.request(
            MRC, verb, software(mrid, code), question=Request(option=option), user=User(user_id=user)
        )
        assert answer.reply is not None
        return [error.code for error in answer.reply.error]


class Field(Desk):
    """A head-end and its meters: what a control asks for is done once, however often it comes.

    Attributes:
        told: how often each meter was told what, by the mRID of the control.
        acts: how often each has done it.
        refuses, mute: the meters that refuse, and that say nothing; ``unread`` cannot be read.
    """

    def __init__(self, here: Utility) -> None:
        super().__init__(here.cis)
        self.here = here
        self.told: Counter[tuple[str, str]] = Counter()
        self.acts: Counter[tuple[str, str]] = Counter()
        self.refuses: set[str] = set()
        self.mute: set[str] = set()
        self.unread: set[str] = set()
        self.seconds = 0

    async def answer(self) -> None:
        """Answer all that comes."""
        while True:
            message = (await self.here.head_end.next(timeout_s=3600)).message
            await (self.read if message.header.noun == "MeterReadings" else self.act)(message)

    async def has_told(self, meters: int) -> bool:
        """True when so many meters have been told something."""
        return len(self.told) >= meters

    async def act(self, message: Message[EndDeviceControls]) -> None:
        (control,) = message.noun.end_device_control
        (device,) = (each.mrid or "" for each in control.end_devices)
        key = control.mrid or "", device
        self.told[key] += 1
        if device in self.refuses:
            no = Reply(result=Result.FAILED, error=(Error(code="5.3", reason="the image is for other hardware"),))
            await self.here.head_end.reply(message, no)
        elif device not in self.mute:
            self.acts[key] = 1
            await self.here.head_end.reply(message, OK, message.noun)

    async def read(self, message: Message[MeterReadings]) -> None:
        query = None if message.request is None else message.request.query
        assert isinstance(query, GetMeterReadings)
        (device,) = (each.mrid or "" for each in query.end_device)
        if device not in self.unread:
            value = Reading(
                time_stamp=T0 + timedelta(seconds=self.seconds), value="17", reading_type=Reference(ref=REGISTER)
            )
            reading = MeterReading(meter=Meter(mrid=device), readings=(value,))
            await self.here.head_end.reply(message, OK, MeterReadings(meter_reading=(reading,)))

    async def pass_until(self, mrid: str, states: Iterable[str], step: int = 10) -> str:
        """Let time go by until a campaign is in one of these states; how it stands."""
        async with asyncio.timeout(120):
            while True:
                stands = await self.stands(mrid)
                if stands.partition(":")[0] in states:
                    return stands
                self.seconds += step
                await self.here.at(seconds=self.seconds)


@asynccontextmanager
async def field(here: Utility) -> AsyncIterator[Field]:
    """Meters in a group, and a head-end that answers for them."""
    await here.head_end.hear_requests()
    for mrid in METERS:
        await here.cis.request(MRC, Verb.CREATE, meter(mrid))
        await here.cis.request(MRC, Verb.CREATE, linked(mrid, T0 - timedelta(days=9), f"{mrid} point"))
    members = tuple(ObjectReference(mrid=mrid) for mrid in METERS)
    await here.cis.request(
        MRC, Verb.CREATE, EndDeviceGroups(end_device_group=(EndDeviceGroup(mrid="north", end_devices=members),))
    )
    there = Field(here)
    answering = asyncio.create_task(there.answer())
    try:
        yield there
    finally:
        answering.cancel()
        await asyncio.wait({answering})


async def test_given_canaries_that_fail_then_nobody_else_is_told_and_given_good_ones_then_all_follow(
    dms: Installation,
) -> None:
    async with utility(dms) as here, field(here) as there:
        assert await there.asks(Verb.CREATE, "bad", "draft", canary="2") == []
        assert await there.stands("bad") == "DRAFT: 12 PENDING"
        assert await there.asks(Verb.CHANGE, "bad", "approved") == ["6.1"], "it needs a second person"
        there.refuses = set(METERS)
        assert await there.asks(Verb.CHANGE, "bad", "approved", user="bob") == []
        paused = await there.pass_until("bad", ["PAUSED"])
        assert "5.3 the image is for other hardware" in paused
        there.seconds += 7200
        await here.at(seconds=there.seconds)
        await eventually(lambda: there.none_in("bad", "SENT"))
        assert len(there.told) == 2, "the first two alone"
        assert there.acts == {}
        await here.cis.request(MRC, Verb.CANCEL, software("bad"))
        assert (await there.stands("bad")).startswith("ABORTED: 2 FAILED, 10 SKIPPED")

        there.refuses.clear()
        assert await there.asks(Verb.CREATE, "good", "draft", canary="2", rate="12", window="00:00/00:00") == []
        assert await there.asks(Verb.CHANGE, "good", "approved", user="bob") == []
        assert await there.pass_until("good", ["ROLLING"], step=0) == "ROLLING: 10 PENDING, 2 VERIFIED"
        assert await there.pass_until("good", ["COMPLETE"]) == "COMPLETE: 12 VERIFIED"
        assert {there.acts["good", mrid] for mrid in METERS} == {1}
        assert {there.told["good", mrid] for mrid in METERS} == {1}


async def test_given_devices_that_say_nothing_then_they_are_told_three_times_by_one_mrid_and_the_campaign_pauses(
    dms: Installation,
) -> None:
    async with utility(dms) as here, field(here) as there:
        assert await there.asks(Verb.CREATE, "quiet", "draft", canary="1", rate="6000", window="00:30/23:30") == []
        first = (await there.shown("quiet", "devices"))[1].end_devices[0].mrid
        there.mute = set(METERS) - {first, "m1", "m2"}
        assert await there.asks(Verb.CHANGE, "quiet", "approved", user="bob") == []
        paused = await there.pass_until("quiet", ["PAUSED"], step=300)
        assert "have failed" in paused
        assert {there.told["quiet", mrid] for mrid in there.mute} <= {2, 3}
        there.mute.clear()
        there.seconds += 3600
        await here.at(seconds=there.seconds)
        await eventually(lambda: there.none_in("quiet", "SENT"))
        assert await there.asks(Verb.CHANGE, "quiet", "resumed") == []
        complete = await there.pass_until("quiet", ["COMPLETE"], step=300)
        stands = Counter(each.partition(":")[0] for each in (await there.devices("quiet")).values())
        assert complete == "COMPLETE: " + ", ".join(f"{stands[each]} {each}" for each in ("VERIFIED", "FAILED"))
        assert max(there.told.values()) <= 3
        assert set(there.acts.values()) == {1}


async def test_what_is_for_no_campaign_and_what_was_given_before_is_refused(dms: Installation) -> None:
    async with utility(dms) as here, field(here) as there:
        assert await there.asks(Verb.CREATE, "off", "draft", code=DISCONNECT) == ["2.9"]
        assert await there.asks(Verb.CREATE, "odd", "draft", window="23:30/00:30") == ["2.29"]
        assert await there.asks(Verb.CREATE, "odd", "rolling") == ["2.29"]
        assert await there.asks(Verb.CHANGE, "none", "approved") == ["2.15"]
        assert await there.asks(Verb.CREATE, "one", "draft") == []
        assert await there.asks(Verb.CREATE, "one", "draft") == [], "the same again is the same"
        assert await there.asks(Verb.CREATE, "one", "draft", code="3.11.0.25") == ["5.2"]
        assert await there.asks(Verb.CHANGE, "one", "resumed") == ["5.2"]
        assert there.told == {}


async def test_in_the_half_hours_about_midnight_nobody_is_told_and_then_it_goes_on(dms: Installation) -> None:
    async with utility(dms) as here, field(here) as there:
        there.seconds = 11 * 3600 + 1800
        await here.at(seconds=there.seconds)
        assert await there.asks(Verb.CREATE, "night", "draft", window="00:00/00:00") == []
        assert await there.asks(Verb.CHANGE, "night", "approved", user="bob") == []
        assert await there.stands("night") == "CANARY: 12 PENDING"
        there.seconds += 3599
        await here.at(seconds=there.seconds)
        assert there.told == {}
        assert await there.pass_until("night", ["COMPLETE"]) == "COMPLETE: 12 VERIFIED"


async def test_who_waits_for_his_turn_when_a_campaign_is_paused_is_taken_back_and_told_when_it_goes_on(
    dms: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUSBAR_METER_COLLECTOR_RATE", "1")
    async with utility(dms) as here, field(here) as there:
        members = tuple(ObjectReference(mrid=mrid) for mrid in METERS)
        mast = EndDeviceGroup(mrid="mast", type="collector", end_devices=members)
        await here.cis.request(MRC, Verb.CREATE, EndDeviceGroups(end_device_group=(mast,)))
        assert await there.asks(Verb.CREATE, "many", "draft", canary="12", rate="6000") == []
        assert await there.asks(Verb.CHANGE, "many", "approved", user="bob") == []
        await eventually(lambda: there.stands_at("many", "CANARY: 2 SENT, 10 VERIFIED"))
        assert await there.asks(Verb.CHANGE, "many", "paused") == []
        assert await there.stands("many") == "PAUSED: 2 PENDING, 10 VERIFIED"
        there.seconds += 600
        await here.at(seconds=there.seconds)
        assert len(there.told) == 10, "what the collector of ten seconds took"
        assert await there.asks(Verb.CHANGE, "many", "resumed") == []
        assert await there.pass_until("many", ["COMPLETE"]) == "COMPLETE: 12 VERIFIED"
        assert set(there.told.values()) == {1}


async def test_in_a_storm_of_last_gasps_and_when_the_window_has_closed_nobody_is_told(
    dms: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUSBAR_METER_STORM_GASPS", "1")
    async with utility(dms) as here, field(here) as there:
        assert await there.asks(Verb.CREATE, "wind", "draft", canary="1", rate="3", window="12:00/12:01") == []
        assert await there.asks(Verb.CHANGE, "wind", "approved", user="bob") == []
        assert await there.pass_until("wind", ["ROLLING"], step=0) == "ROLLING: 11 PENDING, 1 VERIFIED"
        gasps = [events("3.26.9.185", f"n{number}", f"n{number} point", 5).end_device_event[0] for number in range(61)]
        await here.head_end.tell(Verb.CREATED, EndDeviceEvents(end_device_event=tuple(gasps)), key="many")
        await eventually(lambda: rows(here.installation, MRC, "SELECT FROM gasps_taken WHERE gasps > 60"))
        await here.at(seconds=9)
        await here.at(seconds=10)
        await eventually(lambda: rows(here.installation, MRC, "SELECT FROM gasp_storm WHERE since IS NOT NULL"))
        told = len(there.told)
        for there.seconds, why in ((50, "there is a storm"), (1000, "the window has closed"), (86_395, "the same")):
            await here.at(seconds=there.seconds)
            assert await there.stands("wind") != "", why
            assert len(there.told) == told, why
        there.seconds = 86_400
        await here.at(seconds=there.seconds)
        await eventually(lambda: there.has_told(told + 1))


async def test_an_mrid_of_a_campaign_is_given_to_nothing_else(dms: Installation) -> None:
    async with utility(dms) as here, field(here) as there:
        assert await there.asks(Verb.CREATE, "one", "draft") == []
        await here.cis.command(MRC, Verb.CREATE, order("m1", code=FIRMWARE, mrid="one"))
        assert [error.code for error in (await here.hears()).error] == ["5.2"]


async def test_given_a_head_end_that_takes_no_more_then_a_campaign_waits_with_its_next_batch(
    dms: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with utility(dms) as here, field(here) as there:
        with monkeypatch.context() as full:
            full.setattr(lanes, "MOST", len(METERS) - 1)
            assert await there.asks(Verb.CREATE, "many", "draft", canary="12", rate="6000") == []
            assert await there.asks(Verb.CHANGE, "many", "approved", user="bob") == []
            assert await there.stands("many") == "CANARY: 12 PENDING"
        assert await there.pass_until("many", ["COMPLETE"]) == "COMPLETE: 12 VERIFIED"
        assert set(there.told.values()) == {1}
