"""Messages in, as they are; records, threads and proofs out."""

import os
from collections.abc import AsyncIterator
from datetime import timedelta

from msgspec import structs

from contracts.interface import Lane
from contracts.interfaces.event_history import EVENT_HISTORY
from contracts.message import Message
from contracts.nouns.audit_reports import AuditReports
from contracts.nouns.event_records import EventRecords
from contracts.verbs import Verb
from services.event_history import views
from services.event_history.adapters.describing import described
from services.event_history.adapters.hashing import START, content_hash, link
from services.event_history.config import body_days_from
from services.event_history.domain import Entry, Head, Kept, Verification
from services.event_history.store import Store
from shared.recording import Record
from shared.service import Service
from shared.work import Wake, Work

service = Service(EVENT_HISTORY, store=Store, memory=lambda: body_days_from(os.environ))


@service.on_record
async def keep(records: list[Record], work: Work[Store]) -> None:
    """What the broker hands out is written at the end of its chain, once."""
    lane = records[0].lane
    head = await work.store.lock_chain(lane, START)
    known = await work.store.known(lane, [record.sequence for record in records])
    entries = []
    for record in records:
        if (record.sequence, record.stored_at) not in known:
            entries.append(entry_of(record, head, work))
            head = Head(number=entries[-1].kept.number, hash=entries[-1].kept.hash)
    if entries:
        await work.store.append(entries)
    if work.store.memory is not None:
        tomorrow = work.now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        work.wake("forget", "bodies", tomorrow)


@service.on_wake("forget")
async def forget(wake: Wake, work: Work[Store]) -> None:
    """Bodies that have been kept for long enough go; what they were can still be proved."""
    if work.store.memory is not None:
        await work.store.forget_bodies(wake.at - timedelta(days=work.store.memory))


@service.on(Verb.GET, EventRecords)
async def show_records(message: Message[EventRecords], work: Work[Store]) -> AsyncIterator[EventRecords]:
    """The messages that are looked for, in the order in which they were told."""
    async for page in work.store.search(views.search_in(message.request)):
        yield EventRecords(event_record=tuple(views.told(entry) for entry in page))


@service.on(Verb.GET, AuditReports)
async def verify(message: Message[AuditReports], work: Work[Store]) -> AsyncIterator[AuditReports]:
    """Each chain is followed from its first record to its last, one lane in each part of the reply."""
    heads = await work.store.heads()
    known = views.known_heads(message.request, tuple(Lane))
    for lane in sorted(heads.keys() | known.keys()):
        head = heads.get(lane, Head(number=0, hash=START))
        walk = Verification(link, START, known.get(lane))
        async for piece in work.store.chain(lane, head.number):
            walk.walk(piece)
        walk.end(head)
        yield AuditReports(audit_report=(views.report(lane, head, walk, work.now),))


def entry_of(record: Record, head: Head, work: Work[Store]) -> Entry:
    """A message as it is kept after ``head``; readings, which are many, only by their hash."""
    tokens = record.subject.split(".")
    content_type = record.headers.get("Content-Type", "application/xml")
    said = described(record.body, content_type)
    kept = Kept(
        lane=record.lane,
        number=head.number + 1,
        sequence=record.sequence,
        subject=record.subject,
        stored_at=record.stored_at,
        content_hash=content_hash(record.body),
        hash=b"",
    )
    is_copy = record.lane in {Lane.JOURNAL, Lane.DEAD}
    asker = said.source or record.headers.get("Busbar-Asker")
    return Entry(
        kept=structs.replace(kept, hash=link(head.hash, kept)),
        context_at=work.now,
        source=(asker if is_copy else None) or tokens[-4],
        noun=tokens[-3],
        verb=tokens[-2],
        message_id=said.message_id or record.headers.get("Nats-Msg-Id"),
        correlation_id=said.correlation_id,
        time_stamp=said.time_stamp,
        content_type=content_type,
        size=len(record.body),
        mrids=() if record.lane is Lane.READINGS else said.mrids,
        body=None if record.lane is Lane.READINGS else record.body,
    )
