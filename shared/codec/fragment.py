"""``xs:any`` elements, kept as XML text in every encoding.

The text is exclusive canonical XML: it declares what it uses and nothing else, so it says the same wherever it stands
and is the same after any round trip. Prefixes that only an ``xsi:type`` uses are kept as well.
"""

import re
from functools import cache
from typing import Any, TypeVar

from lxml import etree
from msgspec import Struct
from msgspec.structs import replace

from contracts.errors import Malformed
from shared.codec.guard import Element, parse
from shared.codec.shape import FRAGMENT, Part, parts_of

StructT = TypeVar("StructT", bound=Struct)

MOST_PREFIXES = 16
"""Prefixes in the ``xsi:type`` attributes of one fragment."""

_TYPES = etree.XPath(".//@xsi:type", namespaces={"xsi": "http://www.w3.org/2001/XMLSchema-instance"})
_PREFIXED = re.compile(r"<([^\s:/>]+:[^\s/>]+)")
_NO_DEFAULT = ' xmlns=""'


def canonical(element: Element) -> str:
    """The text of an element and everything in it.

    Raises:
        ValueError: when it has no canonical form.
    """
    types: list[str] = _TYPES(element)  # type: ignore[assignment]  # what an XPath gives depends on the XPath
    prefixes = {name.strip().rpartition(":")[0] for name in types} - {""}
    if len(prefixes) > MOST_PREFIXES:
        raise ValueError("names more types than are read here")
    try:
        text = etree.tostring(
            element, method="c14n", exclusive=True, with_comments=False, inclusive_ns_prefixes=sorted(prefixes) or None
        )
    except (etree.LxmlError, ValueError):
        raise ValueError("has no canonical form") from None
    return text.decode()


def from_text(text: str) -> str:
    """The canonical form of a fragment that came as text.

    Raises:
        ValueError: when it is not one well-formed element of a namespace.
    """
    try:
        element = None if text.startswith("<?") else parse(text.encode())
    except (Malformed, UnicodeEncodeError):
        element = None
    if element is None:
        raise ValueError("is not one well-formed XML element")
    if not element.tag.startswith("{"):
        raise ValueError("is an element without a namespace")
    return canonical(element)


def embedded(text: str) -> str:
    """A canonical fragment as it stands below an element that declares a default namespace."""
    prefixed = _PREFIXED.match(text)
    if prefixed is None:
        return text
    return text[: prefixed.end()] + _NO_DEFAULT + text[prefixed.end() :]


def with_canonical_fragments(value: StructT) -> StructT:
    """``value`` with every fragment in it in canonical form.

    Raises:
        ValueError: when one of them is not one well-formed element of a namespace.
    """
    changes: dict[str, Any] = {}
    for part in _parts_with_fragments(type(value)):
        field = getattr(value, part.name)
        if field is None or field == ():
            continue
        settle = from_text if part.place == FRAGMENT else with_canonical_fragments
        settled = tuple(settle(item) for item in field) if part.many else settle(field)
        if settled != field:
            changes[part.name] = settled
    return replace(value, **changes) if changes else value


@cache
def _parts_with_fragments(struct: type[Struct]) -> tuple[Part, ...]:
    return tuple(part for part in parts_of(struct) if _holds_fragments(part, frozenset({struct})))


def _holds_fragments(part: Part, seen: frozenset[type[Struct]]) -> bool:
    if part.place == FRAGMENT:
        return True
    if part.struct is None or part.struct in seen:
        return False
    return any(_holds_fragments(below, seen | {part.struct}) for below in parts_of(part.struct))
