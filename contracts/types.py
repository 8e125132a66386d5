"""The few types that are the same in every profile, and how a field is spelled on the wire.

Every struct of the contracts is frozen, takes keywords only and keeps the element order of its schema in its field
order. Wire names follow from the field's name by :func:`attribute` (``created_date_time`` is ``createdDateTime``);
what the standard spells otherwise, associations above all, says so in ``field(name=...)``.
"""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct, field

Instant = Annotated[datetime, Meta(tz=True)]
"""xs:dateTime with its zone; a time without one is nobody's time."""

XmlAttribute = Annotated[str, Meta(extra={"xml": "attribute"})]
"""A value that XML carries as an attribute of the element instead of as a child."""

XmlContent = Annotated[str, Meta(extra={"xml": "content"})]
"""A value that XML carries as the text of the element itself."""

XmlFragment = Annotated[str, Meta(extra={"xml": "fragment"})]
"""An ``xs:any`` element, kept as XML text in every encoding."""


def attribute(name: str) -> str:
    """The wire name of an attribute: ``created_date_time`` is ``createdDateTime``, ``mrid`` is ``mRID``."""
    if name == "mrid":
        return "mRID"
    first, *rest = name.split("_")
    return first + "".join("ID" if part == "id" else part.capitalize() for part in rest)


def envelope(name: str) -> str:
    """The wire name of an element of the envelope: ``message_id`` is ``MessageID``."""
    return "".join("ID" if part == "id" else part.capitalize() for part in name.split("_"))


class NameTypeAuthority(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """Who issues the names of one type."""

    description: str | None = None
    name: str


class NameType(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """What kind of name it is, such as the serial number or the number in the GIS."""

    description: str | None = None
    name: str
    name_type_authority: NameTypeAuthority | None = field(name="NameTypeAuthority", default=None)


class Name(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One of the names by which others know an object."""

    name: str
    name_type: NameType | None = field(name="NameType", default=None)


class Status(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A state with the time and the reason for it."""

    date_time: Instant | None = None
    reason: str | None = None
    remark: str | None = None
    value: str | None = None


class DateTimeInterval(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """From ``start`` until ``end``; on the wire the end comes first, as the schemas have it."""

    end: Instant | None = None
    start: Instant | None = None


class Reference(Struct, frozen=True, kw_only=True):
    """An empty element whose ``ref`` names an object listed elsewhere in the same message, or a code."""

    ref: XmlAttribute


class ObjectReference(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """An object by identity alone: its mRID, its names, or both."""

    mrid: str | None = None
    names: tuple[Name, ...] = field(name="Names", default=())
