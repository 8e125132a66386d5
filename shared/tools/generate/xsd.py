"""XML Schemas (XSD 1.0) from the structs: one for each noun, complete in itself, and one for the envelope.

Order, number and facets are those of the structs, so what the codec refuses in an element's place, presence or value is
refused by the schema as well. What XSD 1.0 cannot say is left to the codec: that of several elements exactly one stands
(the checks in the structs), and that header and payload name the same noun.
"""

import sys
from collections import deque
from collections.abc import Collection, Iterable, Mapping
from enum import Enum
from typing import Any

from lxml import etree
from msgspec import Struct, inspect

from contracts import message
from contracts.interface import Catalogue, NounType
from shared.codec.guard import Element
from shared.codec.shape import ATTRIBUTE, CONTENT, FRAGMENT, namespace
from shared.codec.wire import Wire
from shared.tools.generate.members import Member, documentation, members_of

_XS = "http://www.w3.org/2001/XMLSchema"
_GENERATED = "<!-- Generated from the contracts by `busbar contracts`; what is changed by hand is lost. -->"

_NAMES: dict[type[inspect.Type], str] = {
    inspect.StrType: "xs:string",
    inspect.IntType: "m:Integer",
    inspect.FloatType: "xs:double",
    inspect.BoolType: "xs:boolean",
    inspect.DecimalType: "xs:decimal",
    inspect.DateType: "xs:date",
    inspect.BytesType: "xs:base64Binary",
}
_FACETS = {
    "gt": "minExclusive",
    "ge": "minInclusive",
    "lt": "maxExclusive",
    "le": "maxInclusive",
    "min_length": "minLength",
    "max_length": "maxLength",
    "pattern": "pattern",
}
_SHARED: dict[str, tuple[str, dict[str, str], str]] = {
    "Instant": (
        "dateTime",
        {"pattern": r"(Z|[+\-][0-9]{2}:[0-9]{2})$"},
        "A date and time with its zone; a time without one is nobody's time.",
    ),
    "Integer": (
        "integer",
        {"minInclusive": str(-(2**63)), "maxInclusive": str(2**64 - 1)},
        "An integer of at most 64 bits.",
    ),
}
"""The simple types that every schema may use: base, facets and what they are."""


def noun_schema(noun: NounType) -> str:
    """The schema of the profile whose container is ``noun``."""
    text = sys.modules[noun.__module__].__doc__ or ""
    return _written(_schema(namespace(noun), text, {noun.__name__: noun}))


def message_schema() -> str:
    """The schema of the envelope with its five roots; to it every noun is ``any``."""
    schema = _schema(message.NAMESPACE, message.__doc__ or "", Wire(Catalogue((), ())).bodies)
    types = {made.get("name"): made for made in schema.iter(f"{{{_XS}}}complexType")}
    for name in ("Payload", "Operation"):
        # 61968-100 has no validation of what stands here; elsewhere it is lax
        for held in types[name].iter(f"{{{_XS}}}any"):
            held.set("processContents", "skip")
    for name, struct in {"Payload": message.Enclosure, "Request": message.Request}.items():
        _document(types[name], documentation(struct))
    (payload,) = types["Payload"].iter(f"{{{_XS}}}sequence")
    choice = etree.Element(f"{{{_XS}}}choice")
    # of what a Payload may hold one kind stands, and then its format
    choice.extend(list(payload)[:-1])
    payload.insert(0, choice)
    return _written(schema)


def _schema(uri: str, text: str, roots: Mapping[str, type[Struct]]) -> Element:
    schema = etree.Element(
        f"{{{_XS}}}schema",
        {"targetNamespace": uri, "elementFormDefault": "qualified", "attributeFormDefault": "unqualified"},
        nsmap={"xs": _XS, "m": uri},
    )
    _document(schema, text.strip())
    for root, struct in roots.items():
        _add(schema, "element", name=root, type=f"m:{struct.__name__}")
    for described in _types_below(roots.values()):
        if issubclass(described, Enum):
            made = _restrict(schema, "xs:string", {}, described.__name__)
            for member in described:
                _add(made[0], "enumeration", value=str(member.value))
            _document(made, documentation(described))
        else:
            _add_complex(schema, described)
    used = {made.get("type") or made.get("base") for made in schema.iter()}
    for name, (base, facets, sentence) in _SHARED.items():
        if f"m:{name}" in used:
            _document(_restrict(schema, f"xs:{base}", facets, name), sentence)
    return schema


def _written(schema: Element) -> str:
    etree.indent(schema)
    body = etree.tostring(schema, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{_GENERATED}\n{body}\n'


def _types_below(structs: Iterable[type[Struct]]) -> Collection[type[Any]]:
    """The structs and enumerations that ``structs`` are made of, themselves first.

    Raises:
        TypeError: when two of them have the same name.
    """
    found: dict[str, type[Any]] = {}
    waiting = deque[type[Any]](structs)
    while waiting:
        described = waiting.popleft()
        known = found.setdefault(described.__name__, described)
        if known is not described:
            raise TypeError(f"two types of one profile have the same name: {known} and {described}")
        if issubclass(described, Struct):
            below = [member.type for member in members_of(described)]
            named = [held.cls for held in below if isinstance(held, inspect.StructType | inspect.EnumType)]
            waiting.extend(held for held in named if found.get(held.__name__) is not held)
    return found.values()


def _add_complex(schema: Element, struct: type[Struct]) -> None:
    made = _add(schema, "complexType", name=struct.__name__)
    _document(made, documentation(struct))
    members = list(members_of(struct))
    content = next((member for member in members if member.place == CONTENT), None)
    if content is None:
        holder = made
        children = [member for member in members if member.place != ATTRIBUTE]
        sequence = _add(made, "sequence") if children else made
        for member in children:
            _add_member(sequence, member)
    else:
        holder = _add(_add(made, "simpleContent"), "extension", base=_name_of(content.type))
    for member in members:
        if member.place == ATTRIBUTE:
            _add_typed(holder, "attribute", member, {"use": "required"} if member.required else {})


def _add_member(sequence: Element, member: Member) -> None:
    occurs = {}
    if not member.required or member.least != 1:
        occurs["minOccurs"] = str(member.least if member.required else 0)
    if member.most != 1:
        occurs["maxOccurs"] = "unbounded" if member.most is None else str(member.most)
    if not member.required and member.least > 1:
        # none at all, or at least so many
        sequence = _add(sequence, "sequence", minOccurs="0")
        occurs["minOccurs"] = str(member.least)
    if member.place == FRAGMENT:
        _add(sequence, "any", namespace="##other", processContents="lax", **occurs)
    else:
        _add_typed(sequence, "element", member, occurs)


def _add_typed(parent: Element, kind: str, member: Member, attributes: Mapping[str, str]) -> None:
    """An element or attribute with its type, which has no name of its own when its values are bounded."""
    limits = {facet: getattr(member.type, name, None) for name, facet in _FACETS.items()}
    facets = {facet: limit for facet, limit in limits.items() if limit is not None}
    if facets:
        _restrict(_add(parent, kind, name=member.wire, **attributes), _name_of(member.type), facets)
    else:
        _add(parent, kind, name=member.wire, type=_name_of(member.type), **attributes)


def _restrict(parent: Element, base: str, facets: Mapping[str, object], name: str | None = None) -> Element:
    """A simple type of what ``base`` allows within ``facets``."""
    made = _add(parent, "simpleType", **({} if name is None else {"name": name}))
    restriction = _add(made, "restriction", base=base)
    for facet, limit in facets.items():
        _add(restriction, facet, value=_anchored(str(limit)) if facet == "pattern" else str(limit))
    return made


def _anchored(pattern: str) -> str:
    """A pattern that msgspec searches for, as one that matches the whole value, which is how XSD reads it."""
    begins, ends = pattern.startswith("^"), pattern.endswith("$") and not pattern.endswith(r"\$")
    return ("" if begins else ".*") + pattern[begins : len(pattern) - ends] + ("" if ends else ".*")


def _name_of(held: inspect.Type) -> str:
    """The name of a type, with its prefix.

    Raises:
        TypeError: when no schema can say it.
    """
    if isinstance(held, inspect.StructType | inspect.EnumType):
        return f"m:{held.cls.__name__}"
    if isinstance(held, inspect.DateTimeType) and held.tz:
        return "m:Instant"
    if getattr(held, "multiple_of", None) is not None or type(held) not in _NAMES:
        raise TypeError(f"{held} has no form in XSD")
    return _NAMES[type(held)]


def _add(parent: Element, kind: str, **attributes: str) -> Element:
    return etree.SubElement(parent, f"{{{_XS}}}{kind}", attributes)


def _document(made: Element, text: str) -> None:
    """Say what something is, in front of all that it holds."""
    if text:
        annotation = etree.Element(f"{{{_XS}}}annotation")
        _add(annotation, "documentation").text = text
        made.insert(0, annotation)
