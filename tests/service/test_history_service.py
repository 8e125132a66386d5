"""Event history on real servers: every lane is recorded once, found by thread and object, and proved."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from contracts.catalogue import CATALOGUE
from contracts.errors import from_reply
from contracts.interface import Lane
from contracts.message import Option, Request
from contracts.nouns.audit_reports import AuditReport, AuditReports, FlawKind
from contracts.nouns.end_device_events import EndDeviceEvent, EndDeviceEvents
from contracts.nouns.event_records import EventRecord, EventRecords
from contracts.nouns.get_event_records import GetEventRecords
from contracts.types import ObjectReference, Reference
from contracts.verbs import Verb
from services.event_history.service import service as event_history
from services.meter_reading_and_control.service import service as meter_reading
from shared.runtime import running
from shared.tools.bootstrap import Schema
from shared.tools.testing import Installation, Peer

EH = "event-history"
MRC = "meter-reading-and-control"


class Desk:
    """A running history with a meter service beside it, and who asks them."""

    def __init__(self, installation: Installation, head_end: Peer, operator: Peer) -> None:
        self.installation = installation
        self.head_end = head_end
        self.operator = operator

    async def gasp(self, meter: str, second: int, thread: str) -> None:
        """A meter that lost power."""
        event = EndDeviceEvent(
            created_date_time=datetime(2026, 3, 14, 18, tzinfo=UTC) + timedelta(seconds=second),
            assets=ObjectReference(mrid=meter),
            end_device_event_type=Reference(ref="3.26.9.185"),
            usage_point=ObjectReference(mrid=f"{meter}-point"),
        )
        events = EndDeviceEvents(end_device_event=(event,))
        await self.head_end.tell(Verb.CREATED, events, key=meter, correlation_id=thread)

    async def records(self, **wanted: Any) -> tuple[EventRecord, ...]:
        """What the history finds."""
        question = Request(query=GetEventRecords(**wanted))
        answer = await self.operator.request(EH, Verb.GET, EventRecords, question=question)
        return () if answer.payload is None else answer.payload.event_record

    async def gasps(self, count: int, thread: str) -> tuple[EventRecord, ...]:
        """One last gasp after the other, so far apart that each is news; what is recorded of them."""
        found: tuple[EventRecord, ...] = ()
        for number in range(count):
            await self.gasp("meter", 10 * number, thread)
            found = await self.recorded(2 * (number + 1), lane="outage")
        return found

    async def recorded(self, count: int, **wanted: Any) -> tuple[EventRecord, ...]:
        """The same, once there are so many."""
        async with asyncio.timeout(20):
            while True:
                found = await self.records(**wanted)
                if len(found) >= count:
                    return found
                await asyncio.sleep(0.1)

    async def audit(self, **heads: str) -> dict[str, AuditReport]:
        """The report of each lane."""
        question = Request(option=tuple(Option(name=lane, value=head) for lane, head in heads.items()))
        answer = await self.operator.request(EH, Verb.GET, AuditReports, question=question)
        error = None if answer.reply is None else from_reply(answer.reply)
        if error is not None:
            raise error
        return {report.lane: report for report in answer.noun.audit_report}

    async def tamper(self, sql: str) -> None:
        """Change the database behind the back of the service."""
        login = self.installation.settings.login(EH)
        connection = await asyncpg.connect(
            host=login.host, port=login.port, user=login.user, password=login.password, database=login.database
        )
        try:
            await connection.execute(sql)
        finally:
            await connection.close()


@asynccontextmanager
async def desk(dms: Installation) -> AsyncIterator[Desk]:
    schemas = (Schema(EH, event_history.migrations), Schema(MRC, meter_reading.migrations))
    installation = dms.of(*schemas)
    await installation.prepare()
    async with (
        running(event_history, meter_reading, settings=installation.settings, catalogue=CATALOGUE),
        installation.peer("head-end") as head_end,
        installation.peer("operator") as operator,
    ):
        yield Desk(installation, head_end, operator)


async def test_a_thread_is_found_over_services_in_its_order_with_the_message_as_it_was(dms: Installation) -> None:
    async with desk(dms) as here:
        thread = str(uuid4())
        await here.gasp("meter", 1, thread)
        told, passed_on = await here.recorded(2, thread=thread, with_body=True)
        await here.gasp("stranger", 2, str(uuid4()))
        assert [(told.source, told.verb, told.noun), (passed_on.source, passed_on.verb, passed_on.noun)] == [
            ("head-end", "created", "EndDeviceEvents"),
            (MRC, "created", "EndDeviceEvents"),
        ]
        assert told.stored_date_time < passed_on.stored_date_time
        assert told.correlation_id == passed_on.correlation_id == thread
        assert told.body is not None
        assert f"<CorrelationID>{thread}</CorrelationID>" in told.body
        assert (told.content_type, told.lane) == ("application/xml", Lane.OUTAGE)
        about = await here.recorded(2, object=(ObjectReference(mrid="stranger-point"),))
        assert {record.source for record in about} == {"head-end", MRC}
        assert about[0].body is None
        found = await here.records(text="stranger-point", source="head-end")
        assert [record.number for record in found] == [about[0].number]
        assert await here.records(thread=str(uuid4())) == ()


async def test_a_lane_that_is_handed_out_again_from_its_beginning_is_recorded_once(dms: Installation) -> None:
    async with desk(dms) as here:
        first = await here.gasps(20, "flood")
        installation = here.installation
    async with installation.peer("admin") as admin:
        await admin.bus.manager.delete_consumer(admin.space.stream(Lane.OUTAGE), f"{EH}_record")
    await installation.prepare(afresh=False)
    async with (
        running(event_history, settings=installation.settings, catalogue=CATALOGUE),
        installation.peer("head-end") as head_end,
        installation.peer("operator") as operator,
    ):
        here = Desk(installation, head_end, operator)
        await here.gasp("meter", 300, "after")
        after = await here.recorded(41, lane="outage")
        assert [record.record_hash for record in after[:-1]] == [record.record_hash for record in first]
        assert sorted(record.number for record in after) == list(range(1, 42))
        assert (await here.audit())["outage"].flaw_count == 0


FORGED = """
UPDATE body SET content = 'forged'
WHERE hash = (SELECT content_hash FROM record WHERE lane = 'outage' AND number = 5)
"""
EXCHANGED = """
UPDATE record SET number = -number WHERE lane = 'outage' AND number IN (6, 7);
UPDATE record SET number = 13 + number WHERE lane = 'outage' AND number < 0
"""


@pytest.mark.parametrize(
    ("sql", "kind", "number"),
    [
        ("UPDATE record SET subject = subject || '0' WHERE lane = 'outage' AND number = 3", FlawKind.CHANGED, 3),
        ("UPDATE record SET content_hash = sha256('x') WHERE lane = 'outage' AND number = 4", FlawKind.CHANGED, 4),
        (FORGED, FlawKind.CHANGED, 5),
        ("DELETE FROM record WHERE lane = 'outage' AND number = 2", FlawKind.DROPPED, 2),
        ("DELETE FROM record WHERE lane = 'outage' AND number > 8", FlawKind.DROPPED, 9),
        (EXCHANGED, FlawKind.REORDERED, 6),
    ],
)
async def test_a_changed_a_dropped_and_a_reordered_record_are_each_found(
    dms: Installation, sql: str, kind: FlawKind, number: int
) -> None:
    async with desk(dms) as here:
        await here.gasps(5, "audit")
        sound = (await here.audit())["outage"]
        assert (sound.records, sound.flaw_count) == (10, 0)
        await here.tamper(sql)
        report = (await here.audit())["outage"]
        assert report.flaw_count >= 1
        assert (report.flaw[0].kind, report.flaw[0].number) == (kind, number)


async def test_a_chain_that_was_cut_off_with_its_head_is_found_by_a_note_kept_elsewhere(dms: Installation) -> None:
    async with desk(dms) as here:
        await here.gasps(3, "note")
        noted = (await here.audit())["outage"]
        head = f"{noted.head_number}:{noted.head_hash}"
        assert (await here.audit(outage=head))["outage"].flaw_count == 0
        await here.tamper(
            "DELETE FROM record WHERE lane = 'outage' AND number > 4;"
            " UPDATE head SET number = 4, hash = (SELECT hash FROM record WHERE lane = 'outage' AND number = 4)"
            " WHERE lane = 'outage'"
        )
        assert (await here.audit())["outage"].flaw_count == 0
        (flaw,) = (await here.audit(outage=head))["outage"].flaw
        assert (flaw.kind, flaw.number) == (FlawKind.DROPPED, 5)


async def test_what_was_asked_and_answered_is_in_the_journal(dms: Installation) -> None:
    async with desk(dms) as here:
        await here.operator.request(MRC, Verb.GET, EndDeviceEvents)
        (asked,) = await here.recorded(1, lane="journal", noun="EndDeviceEvents")
        assert (asked.source, asked.verb, asked.size) == ("operator", "get", 0)
