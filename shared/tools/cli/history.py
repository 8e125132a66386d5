"""`busbar history`, `audit` and `replay`: what was said, whether it still is what was said, and to say it again."""

import asyncio
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec import structs

from contracts.errors import Conflict, Invalid
from contracts.interface import Lane
from contracts.message import Message, Option, Request
from contracts.nouns.audit_reports import AuditReport, AuditReports
from contracts.nouns.event_records import EventRecord, EventRecords
from contracts.nouns.get_event_records import GetEventRecords
from contracts.types import ObjectReference
from contracts.verbs import Verb
from shared.bus.subjects import EventSubject
from shared.config import Context, Settings
from shared.envelope import CONTENT_TYPE
from shared.tools.cli.asking import asked, operator
from shared.tools.cli.composition import Composition
from shared.tools.cli.looking import show
from shared.tools.testing import Peer

ROLE = "event-history"
PATIENCE_S = 120.0

REPLAYED = "Busbar-Replayed"
"""The header of NATS by which a replayed message is known: the context, lane and number of the original."""


async def history(
    settings: Settings,
    composition: Composition,
    query: GetEventRecords,
    *,
    start: datetime | None,
    end: datetime | None,
    raw: bool,
    as_json: bool,
) -> int:
    """Print the messages that are looked for, in the order in which they were told; 1 when there are none."""
    wanted = structs.replace(query, with_body=raw)
    async with operator(settings, composition) as peer:
        found = await _records(peer, wanted, start, end)
    if as_json:
        show(found)
        return 0 if found else 1
    for record in found:
        sys.stdout.write(_line(record) + "\n")
        if raw:
            sys.stdout.write((record.body or "(the message is not kept as text)") + "\n\n")
    roles = {record.source for record in found}
    sys.stderr.write(f"{len(found)} messages of {len(roles)} roles.\n")
    return 0 if found else 1


async def audit(
    settings: Settings, composition: Composition, *, note: Path | None, against: Path | None, as_json: bool
) -> int:
    """Verify every chain; 1 when something was changed, dropped or reordered.

    The heads of the chains are written to ``note``; ``against`` is such a file, written earlier and kept where nobody
    who can change the database can change it.
    """
    heads = {} if against is None else await asyncio.to_thread(_heads_in, against)
    question = Request(option=tuple(Option(name=lane, value=head) for lane, head in heads.items()))
    async with operator(settings, composition) as peer:
        found: AuditReports | None = await asked(
            peer, ROLE, Verb.GET, AuditReports, timeout_s=PATIENCE_S, question=question
        )
    reports = () if found is None else found.audit_report
    if as_json:
        show(reports)
    else:
        for report in reports:
            sys.stdout.write(_verdict(report))
    if note is not None:
        kept = {report.lane: f"{report.head_number}:{report.head_hash}" for report in reports}
        await asyncio.to_thread(note.write_bytes, msgspec.json.format(msgspec.json.encode(kept), indent=2) + b"\n")
    return 1 if any(report.flaw_count for report in reports) else 0


async def replay(
    settings: Settings,
    composition: Composition,
    query: GetEventRecords,
    *,
    start: datetime | None,
    end: datetime | None,
    into: str,
) -> int:
    """Tell the events of a span again in another context, in their order, each by its role there.

    They keep their MessageIDs, so that who has had them is not disturbed; what is asked or commanded is not replayed.

    Raises:
        Conflict: the other context is this one, or production.
    """
    if into in {settings.context, Context.PRODUCTION}:
        raise Conflict(f"what happened in {settings.context} is not told again in {into}: name another context")
    async with operator(settings, composition) as peer:
        found = await _records(peer, structs.replace(query, with_body=True), start, end)
    events = [record for record in found if record.lane not in {Lane.JOURNAL, Lane.DEAD}]
    bodies = [record for record in events if record.body is not None]
    speakers: dict[str, Peer] = {}
    try:
        for record in bodies:
            if record.source not in speakers:
                there = structs.replace(settings, context=Context(into))
                speakers[record.source] = await Peer(there, composition.catalogue, record.source).__aenter__()
            await _tell_again(speakers[record.source], record, settings.context)
    finally:
        for speaker in speakers.values():
            await speaker.__aexit__(None, None, None)
    known = len(events) - len(bodies)
    sys.stdout.write(f"{len(bodies)} events told again in {into}; {known} are known by their hash only.\n")
    return 0


async def _records(
    peer: Peer, query: GetEventRecords, start: datetime | None, end: datetime | None
) -> tuple[EventRecord, ...]:
    found: EventRecords | None = await asked(
        peer,
        ROLE,
        Verb.GET,
        EventRecords,
        timeout_s=PATIENCE_S,
        question=Request(start_time=start, end_time=end, query=query),
    )
    return () if found is None else found.event_record


async def _tell_again(speaker: Peer, record: EventRecord, original: str) -> None:
    content_type = record.content_type or "application/xml"
    message = speaker.codec.decode((record.body or "").encode(), content_type)
    if not isinstance(message, Message):
        raise Invalid(f"{record.lane} {record.number} is no message that can be told")
    header = structs.replace(message.header, context=speaker.space.context.upper())
    subject = structs.replace(EventSubject.parse(record.subject), context=speaker.space.context)
    headers = {CONTENT_TYPE: content_type, REPLAYED: f"{original}/{record.lane}/{record.number}"}
    body = speaker.codec.encode(structs.replace(message, header=header), content_type)
    await speaker.bus.publish_stream(str(subject), body, headers, msg_id=f"{record.message_id}-replayed")


def _line(record: EventRecord) -> str:
    at = record.context_date_time or record.stored_date_time
    about = ", ".join(each.mrid or "" for each in record.object[:3]) + (" ..." if len(record.object) > 3 else "")  # noqa: PLR2004
    return f"{at:%Y-%m-%d %H:%M:%S}  {record.source:26} {record.verb:9} {record.noun:20} {about}"


def _verdict(report: AuditReport) -> str:
    what = "in order" if not report.flaw_count else f"{report.flaw_count} flaws"
    lines = [f"{report.lane:10} {report.records:8} records, {what}\n"]
    lines += [f"           {flaw.kind} at {flaw.number}: {flaw.reason}\n" for flaw in report.flaw]
    return "".join(lines)


def _heads_in(file: Path) -> dict[str, str]:
    return msgspec.json.decode(file.read_bytes(), type=dict[str, str])


def query_of(given: Any) -> GetEventRecords:
    """The query that the words of the command line ask for."""
    return GetEventRecords(
        lane=given.lane,
        noun=given.noun,
        source=given.source,
        text=given.text,
        thread=given.thread,
        object=tuple(ObjectReference(mrid=mrid) for mrid in given.object),
    )
