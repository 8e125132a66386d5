"""Structs into XML: a strict writer for any struct of the contracts, worked out once for each type.

The envelope and each profile declare their namespace as the default one where they begin; there is no white space
between elements. What a schema would refuse is not written.
"""

import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from msgspec import Struct

from shared.codec import fragment
from shared.codec.shape import ATTRIBUTE, CONTENT, FRAGMENT, ROOT, Part, namespace, parts_of, scalar_forms
from shared.codec.xsd import write_attribute

Append = Callable[[str], None]
Writer = Callable[[Any, Append], None]


class UnwritableError(ValueError):
    """A value that its type or the standard does not allow.

    Attributes:
        path: local names from the root to the field.
        sentence: what is wrong, with the path as its subject.
    """

    def __init__(self, path: tuple[str, ...], sentence: str) -> None:
        super().__init__(f"{'/'.join(path)} {sentence}")
        self.path = path
        self.sentence = sentence


class _Child(NamedTuple):
    """How one field is written: a leaf's ``write`` makes its text, a struct's appends the whole element."""

    name: str
    wire: str
    default: Any
    many: bool
    leaf: bool
    opening: str
    closing: str
    write: Callable[..., Any]


class Writers:
    """The writers of all elements, by type, tag and the namespace that the element declares."""

    def __init__(self) -> None:
        self._made: dict[tuple[type[Struct], str, str | None], Writer] = {}

    def of(self, struct: type[Struct], tag: str, uri: str | None = None) -> Writer:
        """The writer of an element ``tag`` of type ``struct``, which declares ``uri`` as default namespace if given.

        The writer raises ValueError, with the path of the field, for what may not be written.
        """
        key = (struct, tag, uri)
        if key not in self._made:
            # a struct that contains itself finds this while its own writer is being made
            self._made[key] = lambda value, append: self._made[key](value, append)
            self._made[key] = self._make(struct, tag, uri)
        return self._made[key]

    def _make(self, struct: type[Struct], tag: str, uri: str | None) -> Writer:
        parts = parts_of(struct)
        begin = f"<{tag}" if uri is None else f'<{tag} xmlns="{uri}"'
        attributes = tuple(
            (part.name, part.wire, part.default, scalar_forms(part.scalar).write)
            for part in parts
            if part.place == ATTRIBUTE
        )
        children = tuple(self._child(part) for part in parts if part.place != ATTRIBUTE)
        limited = tuple(part for part in parts if part.many and (part.least or part.most < sys.maxsize))
        closing = f"</{tag}>"

        def write(value: Any, append: Append) -> None:
            at = ""
            try:
                if type(value) is not struct:
                    raise TypeError(f"is not of the type {struct.__name__}")
                append(begin)
                for name, at, default, write_text in attributes:
                    field = getattr(value, name)
                    if field is not default:
                        append(f' {at}="{write_attribute(write_text(field))}"')
                append(">")
                for name, at, default, many, leaf, before, after, write_child in children:
                    field = getattr(value, name)
                    if field is default:
                        continue
                    if not many:
                        if leaf:
                            append(before + write_child(field) + after)
                        else:
                            write_child(field, append)
                    elif type(field) is not tuple:
                        raise TypeError("is not a tuple")
                    elif leaf:
                        for item in field:
                            append(before + write_child(item) + after)
                    else:
                        for item in field:
                            write_child(item, append)
                append(closing)
                for part in limited:
                    at = part.wire
                    if not part.allows(len(getattr(value, part.name))):
                        raise ValueError("stands too few or too many times")
            except UnwritableError as error:
                raise UnwritableError((tag, *error.path), error.sentence) from None
            except (ValueError, TypeError) as error:
                raise UnwritableError((tag, at) if at else (tag,), str(error)) from None

        return write

    def _child(self, part: Part) -> _Child:
        opening, closing, leaf = f"<{part.wire}>", f"</{part.wire}>", True
        write: Callable[..., Any]
        if part.place == FRAGMENT:
            opening, closing, write = "", "", _write_fragment
        elif part.struct is None:
            write = scalar_forms(part.scalar).write
            if part.place == CONTENT:
                opening, closing = "", ""
        else:
            leaf = False
            write = self.of(part.struct, part.wire, namespace(part.struct) if part.place == ROOT else None)
        return _Child(part.name, part.wire, part.default, part.many, leaf, opening, closing, write)


def _write_fragment(text: str) -> str:
    return fragment.embedded(fragment.from_text(text))
