"""The audit trail as values: a chain for each lane, and what is wrong with one.

The hash of a record covers the hash before it, so nothing in the middle can be changed, taken out or exchanged without
a break. What was cut off at the end is found by the number of the head, which is kept apart, or by an earlier head
that somebody has kept elsewhere.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from msgspec import Struct

from contracts.nouns.audit_reports import Flaw, FlawKind


class Kept(Struct, frozen=True, kw_only=True):
    """A record as it stands in the chain.

    Attributes:
        number: its place in the chain, from 1.
        sequence: its place in the stream of the broker.
        hash: what was written down as its link.
        sound: its body, where one is kept, still has the content hash.
    """

    lane: str
    number: int
    sequence: int
    subject: str
    stored_at: datetime
    content_hash: bytes
    hash: bytes
    sound: bool = True


class Head(Struct, frozen=True, kw_only=True):
    """The end of a chain: the number and the hash of its last record."""

    number: int
    hash: bytes


class Entry(Struct, frozen=True, kw_only=True):
    """A record with everything by which it can be found; ``body`` is None where only its hash is kept."""

    kept: Kept
    context_at: datetime
    source: str
    noun: str
    verb: str
    message_id: str | None
    correlation_id: str | None
    time_stamp: datetime | None
    content_type: str
    size: int
    mrids: tuple[str, ...] = ()
    body: bytes | None = None


class Search(Struct, frozen=True, kw_only=True):
    """What is looked for; everything that is given must hold."""

    lane: str | None = None
    noun: str | None = None
    verb: str | None = None
    source: str | None = None
    thread: str | None = None
    objects: tuple[str, ...] = ()
    text: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    with_body: bool = False


class Verification:
    """The walk along one chain, in pieces from the first record to the last.

    Args:
        link: the hash of a record that follows a hash.
        start: what the first record follows.
        known: the hash that an earlier head had at its number, kept elsewhere.
    """

    def __init__(self, link: Callable[[bytes, Kept], bytes], start: bytes, known: Head | None = None) -> None:
        self._link = link
        self._at = Head(number=0, hash=start)
        self._known = known
        self.flaws: list[Flaw] = []
        self.records = 0

    def walk(self, piece: Sequence[Kept]) -> None:
        """Go on with the next records, in the order of their numbers."""
        for place, kept in enumerate(piece):
            self._step(kept, piece[max(0, place - 500) : place + 500])

    def end(self, head: Head) -> None:
        """Hold the end against the head that is written down apart, and against the one that is known."""
        if head.number > self._at.number:
            self._flaw(FlawKind.DROPPED, self._at.number + 1, f"{head.number - self._at.number} records at the end")
        elif head != self._at:
            self._flaw(FlawKind.CHANGED, head.number, "the end of the chain is not the one that was written down")
        if self._known is not None and self._known.number > self._at.number:
            self._flaw(FlawKind.DROPPED, self._at.number + 1, f"the chain once reached {self._known.number}")

    def _step(self, kept: Kept, around: Sequence[Kept]) -> None:
        self.records += 1
        missing = kept.number - self._at.number - 1
        if missing:
            self._flaw(FlawKind.DROPPED, self._at.number + 1, f"{missing} records are missing")
        elif self._link(self._at.hash, kept) != kept.hash:
            follower = next((each for each in around if self._link(self._at.hash, each) == each.hash), None)
            if follower is not None:
                self._flaw(FlawKind.REORDERED, kept.number, f"number {follower.number} was written at this place")
            else:
                self._flaw(FlawKind.CHANGED, kept.number, "it does not follow from the record before it")
        if not kept.sound:
            self._flaw(FlawKind.CHANGED, kept.number, "the message is not the one that was written")
        if self._known is not None and self._known.number == kept.number and self._known.hash != kept.hash:
            self._flaw(FlawKind.CHANGED, kept.number, "the chain had another hash here when it was noted")
        self._at = Head(number=kept.number, hash=kept.hash)

    def _flaw(self, kind: FlawKind, number: int, reason: str) -> None:
        self.flaws.append(Flaw(kind=kind, number=number, reason=reason))
