"""Structs into XML: a strict writer for any struct of the contracts, generated once for each type.

The envelope and each profile declare their namespace as the default one where they begin; there is no white space
between elements. What a schema would refuse is not written.

The writers are generated source, since straight-line code writes about twice as fast as closures over a table of
fields do. For two fields of a struct of the type Name it is::

    def write(value, append):
        if value.__class__ is not struct:
            raise TypeError
        append(f"<Names><name>{text if special(text := value.name) is None else escape(text)}</name>")
        field = value.name_type
        if field is not None:
            write_2(field, append)
        append("</Names>")
"""

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from msgspec import NODEFAULT, Struct, ValidationError, convert, to_builtins

from shared.codec import fragment
from shared.codec.shape import ATTRIBUTE, CONTENT, FRAGMENT, ROOT, Part, namespace, parts_of, scalar_forms
from shared.codec.xsd import write_attribute, write_string

Append = Callable[[str], None]
Writer = Callable[[Any, Append], None]


class Writers:
    """The writers of all elements, by type, tag and the namespace that the element declares."""

    def __init__(self) -> None:
        self._made: dict[tuple[type[Struct], str, str | None], Writer] = {}

    def text(self, value: Struct, tag: str, uri: str) -> str:
        """The whole element ``tag`` with the default namespace ``uri`` that ``value`` makes.

        Raises:
            ValueError: when something in it is not what its type or the standard allows.
        """
        texts: list[str] = []
        try:
            self.of(type(value), tag, uri)(value, texts.append)
        except (ValueError, TypeError, AttributeError, LookupError) as error:
            raise _unwritable(value, tag, error) from None
        return "".join(texts)

    def of(self, struct: type[Struct], tag: str, uri: str | None = None) -> Writer:
        """The writer of an element ``tag`` of type ``struct``, which declares ``uri`` as default namespace if given."""
        key = (struct, tag, uri)
        if key not in self._made:
            # a struct that contains itself finds this while its own writer is being made
            self._made[key] = partial(self._later, key)
            self._made[key] = self._generate(struct, tag, uri)
        return self._made[key]

    def _later(self, key: tuple[type[Struct], str, str | None], value: Any, append: Append) -> None:
        self._made[key](value, append)

    def _generate(self, struct: type[Struct], tag: str, uri: str | None) -> Writer:
        names: dict[str, Any] = {
            "struct": struct,
            "special": _SPECIAL.search,
            "escape": write_string,
            "escape_attribute": write_attribute,
        }
        parts = parts_of(struct)
        begin = f"<{tag}" if uri is None else f'<{tag} xmlns="{uri}"'
        lines = ["def write(value, append):", " if value.__class__ is not struct:", "  raise TypeError"]
        lines += [f" append(f'{begin}')"]
        for place, part in enumerate(parts):
            if part.place == ATTRIBUTE:
                lines += self._field(place, part, names)
        lines += [" append(f'>')"]
        for place, part in enumerate(parts):
            if part.place != ATTRIBUTE:
                lines += self._field(place, part, names)
        lines += [f" append(f'</{tag}>')"]
        exec("\n".join(_joined(lines)), names)  # noqa: S102 - made of the names in the contracts and of nothing that came in
        write: Writer = names["write"]
        return write

    def _field(self, place: int, part: Part, names: dict[str, Any]) -> Iterator[str]:
        """The lines that write one field, whose names end with its ``place``."""
        if part.default is NODEFAULT and not part.many:
            yield f" {self._one(place, part, f'value.{part.name}', names)}"
            return
        yield f" field = value.{part.name}"
        indent = " "
        if part.default is not NODEFAULT:
            names[f"default_{place}"] = part.default
            absent = "None" if part.default is None else f"default_{place}"
            yield f" if field is not {absent}:"
            indent = "  "
        if part.check_list is not None:
            names[f"check_{place}"] = part.check_list
            yield f"{indent}check_{place}(field)"
        item = "field"
        if part.many:
            yield f"{indent}for item in field:"
            indent, item = indent + " ", "item"
        yield indent + self._one(place, part, item, names)

    def _one(self, place: int, part: Part, item: str, names: dict[str, Any]) -> str:
        """The line that writes one value, which is ``item``."""
        if part.place == FRAGMENT:
            names[f"write_{place}"] = fragment.embedded
            return f"append(write_{place}({item}))"
        if part.struct is not None:
            names[f"write_{place}"] = self.of(
                part.struct, part.wire, namespace(part.struct) if part.place == ROOT else None
            )
            return f"write_{place}({item}, append)"
        write = scalar_forms(part.scalar).write
        names[f"write_{place}"] = write
        text = f"write_{place}({item})"
        if write is write_string:
            text = f"text if special(text := {item}) is None else escape(text)"
        if part.place == ATTRIBUTE:
            return f"append(f' {part.wire}=\"{{escape_attribute({text})}}\"')"
        if part.place == CONTENT:
            return f"append(f'{{{text}}}')"
        return f"append(f'<{part.wire}>{{{text}}}</{part.wire}>')"


_SPECIAL = re.compile("[&<>\r]")


def _joined(lines: list[str]) -> list[str]:
    """The lines with one append of a string for any that follow one another."""
    joined = lines[:1]
    for line in lines[1:]:
        indent, appends, more = line.partition("append(f'")
        if appends and joined[-1].startswith(indent + appends):
            joined[-1] = joined[-1].removesuffix("')") + more
        else:
            joined.append(line)
    return joined


def _unwritable(value: Struct, tag: str, error: Exception) -> ValueError:
    """Why ``value`` could not be written, as msgspec tells it with the path, or else as the writer does."""
    try:
        convert(to_builtins(value), type(value))
    except ValidationError as found:
        return ValueError(f"{tag} cannot be written: {found}")
    return ValueError(f"{tag} cannot be written: something in it {error}")
