"""Meter reading and control on real servers, with a head-end as its peer."""

from datetime import UTC, datetime, timedelta

import pytest

from contracts.catalogue import CATALOGUE
from contracts.interface import Lane
from contracts.nouns.end_device_events import EndDeviceEvent, EndDeviceEvents
from contracts.types import ObjectReference, Reference
from contracts.verbs import Verb
from services.meter_reading_and_control import store
from services.meter_reading_and_control.service import service as meter_reading
from shared.runtime import running
from shared.tools.bootstrap import Schema
from shared.tools.testing import Installation

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
    monkeypatch.setattr(store, "PAGE", 2)
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
