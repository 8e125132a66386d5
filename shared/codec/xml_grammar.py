"""The readers of plain XML: generated source around regular expressions, made once for each type, tag and prefix.

One expression takes as many fields of an object as it can, and whatever follows one another in it begins with a name of
its own, so that it is tried in one way only: matching takes time in proportion to the text. For a Meter with a name,
perhaps a status with a value, and a list of readings that hold lists themselves, a reader is, with ``_`` for blanks::

    def read(text, at, scope):
        values = {}
        found = match_0(text, at)  # <Meter>_<name>([^<]*+)</name>_(?:<status>_()(?:<value>([^<]*+)</value>_)?</status>_)?
        if found is None:
            raise NotPlainError
        g0, g1, g2 = found.groups()
        values["name"] = unescape(g0) if "&" in g0 else g0
        if g1 is not None:
            inner = values["status"] = {}
            if g2 is not None:
                inner["value"] = unescape(g2) if "&" in g2 else g2
        at = found.end()
        if text.startswith("<Reading>", at):
            items = values["Reading"] = []
            while text.startswith("<Reading>", at):
                item, at = read_1(text, at, scope)
                items.append(item)
        found = match_2(text, at)  # </Meter>_
        if found is None:
            raise NotPlainError
        return values, found.end()
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from msgspec import NODEFAULT, Struct

from shared.codec.shape import ATTRIBUTE, CONTENT, FRAGMENT, ROOT, Part, parts_of, scalar_forms

Scope = Mapping[str, str]
Reader = Callable[[str, int, Scope], tuple[dict[str, Any], int]]
ProfileReader = Callable[[str, int, Scope], tuple[str | None, Any, int]]

BLANK = "[ \t\n]*+"

_KEPT = "\x00"
"""Where a group of an expression begins whose text is kept."""

_TEXT = f"{_KEPT}[^<]*+)"
_VALUE = f'="{_KEPT}[^"<\t\n]*+)"'
_REFERENCE = re.compile("&([^;]*;?)")
_CHARACTERS = {"amp;": "&", "lt;": "<", "gt;": ">", "quot;": '"', "#9;": "\t", "#10;": "\n", "#13;": "\r"}

_ROW, _ROWS, _TREE = range(3)
"""What one expression can say of a type: all; all but the fields of the rows in its lists; not all."""


class NotPlainError(ValueError):
    """The text is not plain; nothing is said about what else it is."""


class Grammar:
    """The readers of elements that have one prefix, or none."""

    def __init__(self, prefix: str, read_profile: ProfileReader) -> None:
        """``prefix`` is written with its colon; ``read_profile`` is asked where a profile may begin."""
        self._prefix = prefix
        self._read_profile = read_profile
        self._made: dict[tuple[type[Struct], str, str], Callable[..., Any]] = {}

    def inside(self, struct: type[Struct], tag: str) -> Reader:
        """The reader of an element ``tag`` of type ``struct`` from behind its start tag."""
        key = (struct, tag, "inside")
        if key not in self._made:
            source = _Source(self, self._prefix)
            source.fields(struct, "values", " ")
            source.pattern += f"</{self._prefix}{tag}>{BLANK}"
            self._made[key] = source.reader()
        return self._made[key]

    def whole(self, struct: type[Struct], tag: str) -> Reader:
        """The reader of a whole element ``tag`` of type ``struct``."""
        key = (struct, tag, "whole")
        if key not in self._made:
            source = _Source(self, self._prefix)
            source.element(struct, tag, "values", " ")
            self._made[key] = source.reader()
        return self._made[key]
