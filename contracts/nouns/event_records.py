"""EventRecords: messages that were told, as the event history has kept them.

Ours [P]; IEC 61968-1 clause 7 asks that events can be audited and leaves the exchange open.
"""

from msgspec import Struct, field

from contracts.types import Instant, ObjectReference, attribute

NAMESPACE = "urn:busbar:2026:EventRecords#"


class EventRecord(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One message.

    ``lane`` and ``number`` are its place in the chain of that lane, ``subject`` and ``stored_date_time`` where and when
    the broker stored it, ``context_date_time`` the time of the context when it was kept. ``message_id``,
    ``correlation_id`` and ``time_stamp`` are from its header. ``content_hash`` is the SHA-256 of the body,
    ``record_hash`` that of the link in the chain, both in hexadecimal digits. ``body`` is the message itself as text,
    where it is asked for and was kept.
    """

    body: str | None = None
    content_hash: str
    content_type: str | None = None
    context_date_time: Instant | None = None
    correlation_id: str | None = None
    lane: str
    message_id: str | None = None
    noun: str
    number: int
    record_hash: str
    size: int
    source: str
    stored_date_time: Instant
    subject: str
    time_stamp: Instant | None = None
    verb: str
    object: tuple[ObjectReference, ...] = field(name="Object", default=())


class EventRecords(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the noun, in the order in which the broker stored the messages."""

    event_record: tuple[EventRecord, ...] = field(name="EventRecord", default=())
