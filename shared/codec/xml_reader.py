"""XML into structs: a strict reader for any struct of the contracts, worked out once for each type and namespace.

Beside what :mod:`shared.codec.xsd` tolerates in values, reading tolerates: any prefix, comments, CDATA, white space
between elements, ``xsi:schemaLocation`` and ``xsi:noNamespaceSchemaLocation`` (never followed), and nothing else.
"""

import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from msgspec import NODEFAULT, Struct

from shared.codec import fragment
from shared.codec.flaws import SPACE, flaw, missing, refuse_attributes, refuse_structure, unknown
from shared.codec.guard import Element
from shared.codec.shape import ATTRIBUTE, CONTENT, FRAGMENT, ROOT, Part, namespace, parts_of, scalar_forms

Reader = Callable[[Element], Any]


class _Child(NamedTuple):
    """What is known of a child element: where it may stand, which field it is, how it is read.

    A leaf is read from its text, and taken as it stands when there is no reader; other elements are read themselves.
    """

    slot: int
    name: str
    many: bool
    leaf: bool
    read: Callable[[Any], Any] | None


class Readers:
    """The readers of all types, by type and namespace."""

    def __init__(self) -> None:
        self._made: dict[tuple[type[Struct], str], Reader] = {}

    def of(self, struct: type[Struct], uri: str) -> Reader:
        """The reader of elements of type ``struct`` whose children are in the namespace ``uri``.

        The reader raises Malformed with path, line and code.
        """
        key = (struct, uri)
        if key not in self._made:
            # a struct that contains itself finds this while its own reader is being made
            self._made[key] = lambda element: self._made[key](element)
            self._made[key] = self._make(struct, uri)
        return self._made[key]

    def _make(self, struct: type[Struct], uri: str) -> Reader:
        parts = parts_of(struct)
        read_attributes = _attribute_reader(tuple(part for part in parts if part.place == ATTRIBUTE))
        content = next((part for part in parts if part.place == CONTENT), None)
        finish = _finisher(struct, parts)
        if content is not None:
            return _content_reader(content, read_attributes, finish)
        children = self._children(parts, uri)
        find = children.get
        as_any = _any_finder(parts, uri, children)

        def read(element: Element) -> Any:
            values: dict[str, Any] = {}
            lists: list[str] = []
            reached = -1
            if (text := element.text) is not None and text.strip(SPACE):
                raise flaw(element, "holds text between its elements")
            if element.keys():
                read_attributes(element, values)
            for child in element[:]:
                slot, name, many, leaf, read_child = find(child.tag) or as_any(child)
                if not leaf:
                    value = read_child(child)
                else:
                    if len(child) or child.keys():
                        refuse_structure(child)
                    value = child.text or ""
                    if read_child is not None:
                        try:
                            value = read_child(value)
                        except ValueError as error:
                            raise flaw(child, str(error)) from None
                if slot > reached or (slot == reached and name not in values):
                    reached = slot
                    if many:
                        values[name] = [value]
                        lists.append(name)
                    else:
                        values[name] = value
                elif many and slot == reached:
                    values[name].append(value)
                else:
                    raise flaw(child, "stands out of order or too often")
                if (text := child.tail) is not None and text.strip(SPACE):
                    raise flaw(element, "holds text between its elements")
            for name in lists:
                values[name] = tuple(values[name])
            return finish(element, values)

        return read

    def _children(self, parts: tuple[Part, ...], uri: str) -> dict[Any, _Child]:
        children: dict[Any, _Child] = {}
        slot = 0
        for part in parts:
            if part.place == FRAGMENT:
                children[FRAGMENT] = _Child(slot, part.name, part.many, False, _read_fragment)
            elif part.struct is not None:
                own = namespace(part.struct) if part.place == ROOT else uri
                children[f"{{{own}}}{part.wire}"] = _Child(slot, part.name, part.many, False, self.of(part.struct, own))
            elif part.place != ATTRIBUTE:
                children[f"{{{uri}}}{part.wire}"] = _Child(
                    slot, part.name, part.many, True, scalar_forms(part.scalar).read
                )
            # profiles and the elements that nobody knows are all xs:any, in any order among themselves
            slot += part.place != ROOT
        return children


def _any_finder(parts: tuple[Part, ...], uri: str, children: dict[Any, _Child]) -> Callable[[Element], _Child]:
    """What an element that is not known by name is: one of the ``any`` elements, or nothing that may stand there."""
    any_child = children.pop(FRAGMENT, None)
    roots = {part.wire: namespace(part.struct) for part in parts if part.place == ROOT and part.struct is not None}
    ours = {uri, *roots.values()}

    def find(element: Element) -> _Child:
        tag = element.tag
        if any_child is None or not isinstance(tag, str) or not tag.startswith("{"):
            raise unknown(element)
        space, _, local = tag[1:].partition("}")
        if local in roots:
            raise flaw(element, "stands in another namespace than its profile")
        if space in ours:
            raise unknown(element)
        return any_child

    return find


def _read_fragment(element: Element) -> str:
    try:
        return fragment.canonical(element)
    except ValueError as error:
        raise flaw(element, str(error)) from None


def _attribute_reader(parts: tuple[Part, ...]) -> Callable[[Element, dict[str, Any]], None]:
    if not parts:
        return lambda element, _: refuse_attributes(element)
    readers = tuple((part.wire, part.name, scalar_forms(part.scalar).value) for part in parts)
    known = frozenset(part.wire for part in parts)

    def read(element: Element, values: dict[str, Any]) -> None:
        for wire, name, read_text in readers:
            text = element.get(wire)
            if text is not None:
                try:
                    values[name] = read_text(text)
                except ValueError as error:
                    raise flaw(element, f"has an attribute {wire} that {error}") from None
        refuse_attributes(element, known)

    return read


def _content_reader(
    part: Part, read_attributes: Callable[[Element, dict[str, Any]], None], finish: Callable[[Element, Any], Any]
) -> Reader:
    read_text = scalar_forms(part.scalar).value

    def read(element: Element) -> Any:
        values: dict[str, Any] = {}
        if len(element):
            raise flaw(element, "holds elements where a value belongs")
        if element.keys():
            read_attributes(element, values)
        try:
            values[part.name] = read_text(element.text or "")
        except ValueError as error:
            raise flaw(element, str(error)) from None
        return finish(element, values)

    return read


def _finisher(struct: type[Struct], parts: tuple[Part, ...]) -> Callable[[Element, dict[str, Any]], Any]:
    """Makes the struct when everything that it must have is there."""
    limited = tuple(part for part in parts if part.many and (part.least or part.most < sys.maxsize))
    may_be_empty = tuple(part.name for part in parts if part.many and part.default is NODEFAULT and not part.mandatory)

    def finish(element: Element, values: dict[str, Any]) -> Any:
        for part in limited:
            if part.name in values and not part.allows(len(values[part.name])):
                raise flaw(element, f"has too few or too many of {part.wire}")
        for name in may_be_empty:
            values.setdefault(name, ())
        try:
            return struct(**values)
        except TypeError:
            raise missing(element, next(part.wire for part in parts if part.mandatory and part.name not in values)) from None
        except ValueError as error:
            raise flaw(element, str(error)) from None

    return finish
