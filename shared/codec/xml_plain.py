"""XML in its plain form into structs: regular expressions made from the contracts, in place of a parser.

Plain is what our own writer writes and what most others do: UTF-8; one prefix or none for the envelope and one or none
for the profile, declared in the root element or where the profile begins; blanks and line feeds between elements;
attributes in the order of their type. Other references than those our writer makes, comments, CDATA, carriage
returns, processing instructions, ``any`` elements and types within themselves are not plain.

What the expressions accept is well-formed, and has the names and the order of its type. All else, right or wrong, is
not plain, and :mod:`shared.codec.xml_reader` reads it or says what is wrong with it. So nothing is refused here and
nothing tolerated: what must not be is only that something is read here which the other refuses or reads differently.
"""

import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct, convert

from shared.codec.guard import has_too_many_elements
from shared.codec.shape import ROOT, namespace, parts_of
from shared.codec.xml_grammar import BLANK, Grammar, NotPlainError, Reader, Scope

MOST_PREFIXES = 16
"""Prefixes for which readers are made, so that no stranger can have ever more of them made."""

MOST_BYTES = 10_000_000
"""Of a body that is read here; a longer one could hold a longer text than lxml takes."""

_NOT_PLAIN = bytes(code for code in range(32) if code not in {9, 10})
_NO_CHARACTER = re.compile("[\ufffe\uffff]")
_PROLOG = re.compile(
    r"(?:<\?xml version=(['\"])1\.0\1(?: encoding=(['\"])(?:UTF|utf)-8\2)?(?: standalone=(['\"])(?:yes|no)\3)? ?\?>)?"
    + BLANK
)
_PREFIX = r"(?![Xx][Mm][Ll])[A-Za-z_][A-Za-z0-9_.-]{0,15}+"
_START = re.compile(
    rf'<(?:({_PREFIX}):)?([A-Za-z][A-Za-z0-9_]*+)((?: xmlns(?::{_PREFIX})?="[^"<&\t\n]*+")*+)>{BLANK}'
)
_DECLARATIONS = re.compile(rf' xmlns(?::({_PREFIX}))?="([^"]*+)"')
_SCHEMA_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"


class PlainReaders:
    """Reads plain bodies; the readers of what is in them are made when it is first met."""

    def __init__(self, bodies: Mapping[str, type[Struct]], uri: str) -> None:
        """``bodies`` are the types of the root elements by name, which are in the namespace ``uri``."""
        self._uri = uri
        self._bodies = bodies
        self._grammars: dict[str, Grammar] = {}
        self._profiles: dict[tuple[str, str], type[Struct]] = {}
        for body in bodies.values():
            for section in parts_of(body):
                for part in parts_of(section.struct) if section.struct is not None else ():
                    if part.place == ROOT and part.struct is not None:
                        self._profiles[namespace(part.struct), part.wire] = part.struct
        self._uris = frozenset({uri, _SCHEMA_INSTANCE, *(own for own, _ in self._profiles)})

    def read(self, body: bytes) -> tuple[str, Any]:
        """The name of the root element of ``body``, and what it holds.

        Raises:
            ValueError: when it is not plain, or when a value in it is not what its type allows.
        """
        text = _text(body)
        prolog = _PROLOG.match(text)
        found = None if prolog is None else _START.match(text, prolog.end())
        if found is None:
            raise NotPlainError
        prefix, name, scope = self._started(found, {})
        struct = self._bodies.get(name)
        if struct is None or scope.get(prefix) != self._uri:
            raise NotPlainError
        values, end = self._grammar(prefix).inside(struct, name)(text, found.end(), scope)
        if end != len(text):
            raise NotPlainError
        return name, convert(values, struct)

    def _profile(self, text: str, at: int, scope: Scope) -> tuple[str | None, Any, int]:
        """The name, the values and the end of the profile that begins at ``at``, if one does."""
        found = _START.match(text, at)
        if found is None:
            return None, None, at
        prefix, name, scope = self._started(found, scope)
        struct = self._profiles.get((scope.get(prefix, ""), name))
        if struct is None:
            return None, None, at
        values, end = self._grammar(prefix).inside(struct, name)(text, found.end(), scope)
        return name, values, end

    def _started(self, start: re.Match[str], scope: Scope) -> tuple[str, str, Scope]:
        """The prefix and the name of a start tag, and the prefixes that hold in its element."""
        prefix, name, declarations = start.groups("")
        if declarations:
            declared = _DECLARATIONS.findall(declarations)
            scope = {**scope, **dict(declared)}
            if len(dict(declared)) < len(declared) or not self._uris.issuperset(scope.values()):
                raise NotPlainError
        return prefix, name, scope

    def _grammar(self, prefix: str) -> Grammar:
        found = self._grammars.get(prefix)
        if found is None:
            if len(self._grammars) >= MOST_PREFIXES:
                raise NotPlainError
            found = self._grammars[prefix] = Grammar(f"{prefix}:" if prefix else "", self._profile)
        return found


def _text(body: bytes) -> str:
    """The characters of a body that holds none that XML or its line ends would change or refuse."""
    if len(body) > MOST_BYTES or len(body.translate(None, _NOT_PLAIN)) < len(body) or has_too_many_elements(body):
        raise NotPlainError
    text = body.decode()
    if "]]>" in text or not (text.isascii() or _NO_CHARACTER.search(text) is None):
        raise NotPlainError
    return text
