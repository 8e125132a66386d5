"""OperationalTags: tags that forbid or warn.

IEC 61968-3:2021 is about such documents; the noun is our proposal; no public copy of the profile was found.
61968-style: written from the public class model by the ordering rule, not verified against the published profile
[P]. The namespace is our proposal. Class: OperationalTag; the author of the document is who holds the tag.

Ours: ``revisionNumber`` is a whole number that grows by one with each change (text in the class model). The class
model has no kinds of tags; ours are :class:`OperationalTagType`. Tags are counted by who holds them: equipment is
free when the last one is gone.
"""

from enum import StrEnum

from msgspec import Struct, field

from contracts.types import Instant, Name, ObjectReference, Status, attribute

NAMESPACE = "http://iec.ch/TC57/2021/OperationalTags#"


class OperationalTag(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One tag on one piece of equipment, held by one crew or one person."""

    mrid: str
    comment: str | None = None
    created_date_time: Instant | None = None
    description: str | None = None
    last_modified_date_time: Instant | None = None
    revision_number: int | None = None
    subject: str | None = None
    type: str | None = None
    asset: ObjectReference | None = field(name="Asset", default=None)
    author: ObjectReference | None = field(name="Author", default=None)
    names: tuple[Name, ...] = field(name="Names", default=())
    power_system_resource: ObjectReference | None = field(name="PowerSystemResource", default=None)
    status: Status | None = None
    tag_action: ObjectReference | None = field(name="TagAction", default=None)


class OperationalTags(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile."""

    operational_tag: tuple[OperationalTag, ...] = field(name="OperationalTag", default=())


class OperationalTagType(StrEnum):
    """What a tag means: the values of ``OperationalTag.type`` (ours)."""

    CAUTION = "CAUTION"
    DO_NOT_OPERATE = "DO_NOT_OPERATE"
    GROUND_PLACED = "GROUND_PLACED"
    HOLD_OPEN = "HOLD_OPEN"
    HOT_LINE = "HOT_LINE"


class OperationalTagState(StrEnum):
    """Where a tag is in its life: the values of ``OperationalTag.status`` (ours)."""

    PLANNED = "PLANNED"
    PLACED = "PLACED"
    VERIFIED = "VERIFIED"
    REMOVED = "REMOVED"
