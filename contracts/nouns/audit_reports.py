"""AuditReports: whether the event history is still what was written.

Ours [P]; IEC 61968-1 clause 7 asks for an audit trail. Each lane is a chain: the hash of a record is the SHA-256 of the
hash before it, its number, its place at the broker, its subject, its time and the hash of its body.
"""

from enum import StrEnum

from msgspec import Struct, field

from contracts.types import Instant, attribute

NAMESPACE = "urn:busbar:2026:AuditReports#"


class FlawKind(StrEnum):
    """What is wrong with a record."""

    CHANGED = "changed"
    DROPPED = "dropped"
    REORDERED = "reordered"


class Flaw(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The record ``number`` is not what was written; after it the chain is followed from what is there."""

    kind: FlawKind
    number: int
    reason: str


class AuditReport(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One lane: how many records were verified up to which hash, and what is wrong.

    ``head_hash`` of an earlier report, kept elsewhere, is what a later one is held against: give it as the option
    ``<lane>`` with the value ``<number>:<hash>``.
    """

    checked_date_time: Instant
    flaw_count: int
    head_hash: str | None = None
    head_number: int
    lane: str
    records: int
    flaw: tuple[Flaw, ...] = field(name="Flaw", default=())


class AuditReports(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the noun."""

    audit_report: tuple[AuditReport, ...] = field(name="AuditReport", default=())
