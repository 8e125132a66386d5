"""Between what is kept and the nouns."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from contracts.errors import Invalid
from contracts.message import Request
from contracts.nouns.audit_reports import AuditReport
from contracts.nouns.event_records import EventRecord
from contracts.nouns.get_event_records import GetEventRecords
from contracts.types import ObjectReference
from services.event_history.domain import Entry, Head, Search, Verification

_HEAD = re.compile("[0-9]{1,18}:[0-9a-f]{64}")

FLAWS = 100
"""A report lists so many flaws; all are counted."""


def search_in(request: Request | None) -> Search:
    """What a request looks for; without any qualifier everything."""
    if request is None:
        return Search()
    query = request.query if isinstance(request.query, GetEventRecords) else GetEventRecords()
    objects = [*(each.mrid for each in query.object), *(each.value for each in request.id)]
    return Search(
        lane=query.lane,
        noun=query.noun,
        verb=query.verb,
        source=query.source,
        thread=query.thread,
        objects=tuple(mrid for mrid in objects if mrid is not None),
        text=query.text,
        start=request.start_time,
        end=request.end_time,
        with_body=bool(query.with_body),
    )


def told(entry: Entry) -> EventRecord:
    """A record as it is told."""
    kept = entry.kept
    return EventRecord(
        body=_text(entry.body),
        content_hash=kept.content_hash.hex(),
        content_type=entry.content_type,
        context_date_time=entry.context_at,
        correlation_id=entry.correlation_id,
        lane=kept.lane,
        message_id=entry.message_id,
        noun=entry.noun,
        number=kept.number,
        record_hash=kept.hash.hex(),
        size=entry.size,
        source=entry.source,
        stored_date_time=kept.stored_at,
        subject=kept.subject,
        time_stamp=entry.time_stamp,
        verb=entry.verb,
        object=tuple(ObjectReference(mrid=mrid) for mrid in entry.mrids),
    )


def known_heads(request: Request | None, lanes: Sequence[str]) -> Mapping[str, Head]:
    """The heads that the asker has kept: options named by their lanes, with ``<number>:<hash>``.

    Raises:
        Invalid: there is no such lane, or the value is none.
    """
    heads: dict[str, Head] = {}
    for option in () if request is None else request.option:
        number, _, digest = (option.value or "").partition(":")
        if option.name not in lanes:
            raise Invalid(f"Option {option.name}: it may be {', '.join(lanes)}")
        if not _HEAD.fullmatch(option.value or ""):
            raise Invalid(f"Option {option.name}: '{option.value}' is no number with the hash of a record")
        heads[option.name] = Head(number=int(number), hash=bytes.fromhex(digest))
    return heads


def report(lane: str, head: Head, walked: Verification, now: datetime) -> AuditReport:
    """What came of the verification of a lane."""
    return AuditReport(
        checked_date_time=now,
        flaw_count=len(walked.flaws),
        head_hash=head.hash.hex(),
        head_number=head.number,
        lane=lane,
        records=walked.records,
        flaw=tuple(walked.flaws[:FLAWS]),
    )


def _text(body: bytes | None) -> str | None:
    """A body as text, if it is text."""
    try:
        return None if body is None else body.decode()
    except UnicodeDecodeError:
        return None
