"""GetEventRecords: which messages are looked for.

Ours [P]; the query that goes with :mod:`contracts.nouns.event_records`. StartTime and EndTime of the request bound the
time at which the broker stored them.
"""

from msgspec import Struct, field

from contracts.types import ObjectReference, attribute

NAMESPACE = "urn:busbar:2026:GetEventRecords#"


class GetEventRecords(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the query: everything that is given must hold.

    ``thread`` is a CorrelationID, or the MessageID with which a thread began; ``object`` is named in the message;
    ``text`` stands in it. ``with_body`` asks for the messages themselves.
    """

    lane: str | None = None
    noun: str | None = None
    source: str | None = None
    text: str | None = None
    thread: str | None = None
    verb: str | None = None
    with_body: bool | None = None
    object: tuple[ObjectReference, ...] = field(name="Object", default=())
