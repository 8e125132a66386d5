"""XML into structs: a strict reader for any struct of the contracts, worked out once for each type and namespace.

It reads what :mod:`shared.codec.xml_plain` does not, and finds the error in whatever is refused.

Beside what :mod:`shared.codec.xsd` tolerates in values, reading tolerates: any prefix, comments, CDATA, white space
between elements, ``xsi:schemaLocation`` and ``xsi:noNamespaceSchemaLocation`` (never followed), and nothing else.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from msgspec import Struct, ValidationError, convert

from shared.codec import fragment
from shared.codec.flaws import SPACE, flaw, found, refuse_attributes, refuse_structure, unknown
from shared.codec.guard import Element
from shared.codec.shape import ATTRIBUTE, CONTENT, FRAGMENT, ROOT, Part, namespace, parts_of, scalar_forms

Reader = Callable[[Element], Any]


_Child = tuple[int, str, bool, Reader | None, Callable[[str], Any] | None]
"""What is known of a child element, in a plain tuple, which is unpacked several times as fast as a named one.

Where it may stand, its field's name on the wire, whether it may be repeated, what reads the element or, for a leaf,
what reads its text; text that is taken as it stands has neither.
"""


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
            self._made[key] = partial(self._later, key)
            self._made[key] = self._make(struct, uri)
        return self._made[key]

    def _later(self, key: tuple[type[Struct], str], element: Element) -> Any:
        return self._made[key](element)

    def _make(self, struct: type[Struct], uri: str) -> Reader:  # noqa: C901 - the loop in it is counted as well
        parts = parts_of(struct)
        read_attributes = _attribute_reader(tuple(part for part in parts if part.place == ATTRIBUTE))
        content = next((part for part in parts if part.place == CONTENT), None)
        if content is not None:
            return _content_reader(struct, content, read_attributes)
        children = self._children(parts, uri)
        as_any = _any_finder(parts, uri, children.pop(FRAGMENT, None))
        find = children.get
        may_be_empty = tuple(part.wire for part in parts if part.may_be_empty)

        def read(element: Element) -> Any:  # noqa: C901, PLR0912 - one loop over the children, whole for its speed
            values: dict[str, Any] = {}
            reached = -1
            if (text := element.text) is not None and text.strip(SPACE):
                raise flaw(element, "holds text between its elements")
            if element.keys():
                read_attributes(element, values)
            for child in element[:]:  # type: ignore[index]  # the stubs do not know slices, which are fastest
                slot, name, many, read_element, read_text = find(child.tag) or as_any(child)
                if read_element is not None:
                    value = read_element(child)
                else:
                    if len(child) or child.keys():
                        refuse_structure(child)
                    value = child.text or ""
                    if read_text is not None:
                        try:
                            value = read_text(value)
                        except ValueError as error:
                            raise flaw(child, str(error)) from None
                if slot > reached or (slot == reached and name not in values):
                    reached = slot
                    values[name] = [value] if many else value
                elif many and slot == reached:
                    values[name].append(value)
                else:
                    raise flaw(child, "stands out of order or too often")
                if (text := child.tail) is not None and text.strip(SPACE):
                    raise flaw(element, "holds text between its elements")
            for name in may_be_empty:
                values.setdefault(name, ())
            try:
                return convert(values, struct)
            except ValidationError as error:
                raise found(element, error) from None

        return read

    def _children(self, parts: tuple[Part, ...], uri: str) -> dict[Any, _Child]:
        children: dict[Any, _Child] = {}
        slot = 0
        for part in parts:
            if part.place == FRAGMENT:
                children[FRAGMENT] = (slot, part.wire, part.many, _read_fragment, None)
            elif part.struct is not None:
                own = namespace(part.struct) if part.place == ROOT else uri
                children[f"{{{own}}}{part.wire}"] = (slot, part.wire, part.many, self.of(part.struct, own), None)
            elif part.place != ATTRIBUTE:
                children[f"{{{uri}}}{part.wire}"] = (slot, part.wire, part.many, None, scalar_forms(part.scalar).read)
            # profiles and the elements that nobody knows are all xs:any, in any order among themselves
            slot += part.place != ROOT
        return children


def _any_finder(parts: tuple[Part, ...], uri: str, any_child: _Child | None) -> Callable[[Element], _Child]:
    """What an element that is not known by name is: one of the ``any`` elements, or nothing that may stand there."""
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
    readers = tuple((part.wire, scalar_forms(part.scalar).value) for part in parts)
    known = frozenset(part.wire for part in parts)

    def read(element: Element, values: dict[str, Any]) -> None:
        for wire, read_text in readers:
            text = element.get(wire)
            if text is not None:
                try:
                    values[wire] = read_text(text)
                except ValueError as error:
                    raise flaw(element, f"has an attribute {wire} that {error}") from None
        refuse_attributes(element, known)

    return read


def _content_reader(
    struct: type[Struct], content: Part, read_attributes: Callable[[Element, dict[str, Any]], None]
) -> Reader:
    read_text = scalar_forms(content.scalar).value

    def read(element: Element) -> Any:
        values: dict[str, Any] = {}
        if len(element):
            raise flaw(element, "holds elements where a value belongs")
        if element.keys():
            read_attributes(element, values)
        try:
            values[content.wire] = read_text(element.text or "")
            return convert(values, struct)
        except ValidationError as error:
            raise found(element, error) from None
        except ValueError as error:
            raise flaw(element, str(error)) from None

    return read
