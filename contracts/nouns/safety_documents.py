"""SafetyDocuments: permissions to work, clearances above all.

IEC 61968-3:2021 is about such documents; the noun is our proposal; no public copy of the profile was found.
61968-style: written from the public class model by the ordering rule, not verified against the published profile
[P]. The namespace is our proposal. Classes: SafetyDocument and ClearanceDocument.

Ours: ``revisionNumber`` is a whole number that grows by one with each change (text in the class model).
"""

from enum import StrEnum

from msgspec import Struct, field

from contracts.types import Instant, Name, ObjectReference, Status, attribute

NAMESPACE = "http://iec.ch/TC57/2021/SafetyDocuments#"


class SafetyDocument(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A permission, from whom to whom."""

    mrid: str
    comment: str | None = None
    created_date_time: Instant | None = None
    description: str | None = None
    issued_date_time: Instant | None = None
    last_modified_date_time: Instant | None = None
    released_date_time: Instant | None = None
    revision_number: int | None = None
    subject: str | None = None
    type: str | None = None
    issued_by_supervisor: ObjectReference | None = field(name="IssuedBySupervisor", default=None)
    issued_to_supervisor: ObjectReference | None = field(name="IssuedToSupervisor", default=None)
    names: tuple[Name, ...] = field(name="Names", default=())
    released_by_supervisor: ObjectReference | None = field(name="ReleasedBySupervisor", default=None)
    released_to_supervisor: ObjectReference | None = field(name="ReleasedToSupervisor", default=None)
    status: Status | None = None
    switching_plan: ObjectReference | None = field(name="SwitchingPlan", default=None)


class ClearanceDocument(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The permission to work on equipment that is kept dead; ``tagged_psrs`` are the tagged boundaries."""

    mrid: str
    comment: str | None = None
    created_date_time: Instant | None = None
    description: str | None = None
    issued_date_time: Instant | None = None
    last_modified_date_time: Instant | None = None
    must_be_deenergised: bool | None = None
    must_be_grounded: bool | None = None
    released_date_time: Instant | None = None
    revision_number: int | None = None
    subject: str | None = None
    type: str | None = None
    clearance_action: ObjectReference | None = field(name="ClearanceAction", default=None)
    issued_by_supervisor: ObjectReference | None = field(name="IssuedBySupervisor", default=None)
    issued_to_supervisor: ObjectReference | None = field(name="IssuedToSupervisor", default=None)
    names: tuple[Name, ...] = field(name="Names", default=())
    released_by_supervisor: ObjectReference | None = field(name="ReleasedBySupervisor", default=None)
    released_to_supervisor: ObjectReference | None = field(name="ReleasedToSupervisor", default=None)
    status: Status | None = None
    switching_plan: ObjectReference | None = field(name="SwitchingPlan", default=None)
    tagged_psrs: tuple[ObjectReference, ...] = field(name="TaggedPSRs", default=())


class SafetyDocuments(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile; a clearance stands under its own name."""

    clearance_document: tuple[ClearanceDocument, ...] = field(name="ClearanceDocument", default=())
    safety_document: tuple[SafetyDocument, ...] = field(name="SafetyDocument", default=())


class ClearanceState(StrEnum):
    """Where a clearance is in its life: the values of ``ClearanceDocument.status`` (ours)."""

    DRAFT = "DRAFT"
    PREPARED = "PREPARED"
    ISSUED = "ISSUED"
    SUSPENDED = "SUSPENDED"
    SURRENDERED = "SURRENDERED"
    RELEASED = "RELEASED"
    CANCELLED = "CANCELLED"
