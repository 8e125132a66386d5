"""XML in its plain form into structs: regular expressions made from the contracts, in place of a parser.

Plain is what our own writer writes and what most others do: UTF-8; one prefix or none for the envelope and one or none
for the profile, declared in the root element or where the profile begins; ``xsi:schemaLocation`` there; white space
between elements; attributes in the order of their type. Not plain are references to other characters than those that
our writer escapes, comments, CDATA, document types, processing instructions, ``any`` elements and types that hold
themselves.

What the expressions accept is well-formed, and has the names and the order of its type. All else, right or wrong, is
not plain, and :mod:`shared.codec.xml_reader` reads it or says what is wrong with it. So nothing is refused here and
nothing tolerated: what must not be is only that something is read here which the other refuses or reads differently.

It is for speed. lxml parses an element in 0.16 microseconds, and to walk over what it parsed takes Python twice as long
before anything is checked; an expression looks at all fields of an object at once. Rates relative to
``lxml.etree.fromstring`` alone, by ``python -m loadtest.bench_codec``, the median of five runs:

    ====================================================  ====
    one event, 1.1 kB                                     0.48
    one reading, 0.9 kB                                   0.42
    a thousand events, 606 kB                             0.52
    a thousand meters with a reading each, 435 kB         0.37
    a thousand events with prefixes and line breaks       0.60
    a thousand events with a comment, which is not plain  0.14
    ====================================================  ====
"""

import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from shared.codec.guard import MAX_ELEMENTS, count_elements
from shared.codec.shape import ROOT, namespace, parts_of
from shared.codec.xml_grammar import BLANK, Grammar, NotPlainError, Reader, Scope

MOST_GRAMMARS = 16
"""For how many prefixes readers are made, with and without references: no stranger can have ever more of them made."""

MOST_STARTS, LONGEST_START = 256, 1000
"""How many start tags of envelopes and profiles are remembered, and how many characters the longest of them has."""

MOST_BYTES = 10_000_000
"""Of a body that is read here; a longer one could hold a longer text than lxml takes."""

_NO_CHARACTERS = bytes(code for code in range(32) if code not in {9, 10, 13})
_NO_CHARACTER = re.compile("[\ufffe\uffff]")
_PROLOG = re.compile(
    r"(?:<\?xml version=(['\"])1\.0\1(?: encoding=(['\"])(?:UTF|utf)-8\2)?(?: standalone=(['\"])(?:yes|no)\3)? ?\?>)?"
    + BLANK
)
_PREFIX = r"(?![Xx][Mm][Ll])[A-Za-z_][A-Za-z0-9_.-]{0,15}+"
_SPACE = "[ \t\n]++"
_START = re.compile(
    rf'<(?:({_PREFIX}):)?([A-Za-z][A-Za-z0-9_]*+)((?:{_SPACE}xmlns(?::{_PREFIX})?="[^"<&\t\n]*+")*+)'
    rf'(?:{_SPACE}({_PREFIX}):schemaLocation="[^"<&]*+")?>'
)
_DECLARATIONS = re.compile(rf'{_SPACE}xmlns(?::({_PREFIX}))?="([^"]*+)"')
_EMPTY = re.compile("<([A-Za-z0-9_.:-]++) ?/>")
_BLANKS = re.compile(BLANK)
_SCHEMA_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"


class PlainReaders:
    """Reads plain bodies; the readers of what is in them are made when it is first met."""

    def __init__(self, bodies: Mapping[str, type[Struct]], uri: str) -> None:
        """``bodies`` are the types of the root elements by name, which are in the namespace ``uri``."""
        self._uri = uri
        self._starts: dict[str, tuple[str, str, Scope]] = {}
        self._grammars: dict[tuple[str, bool], Grammar] = {}
        self._readers: dict[tuple[str, str | None, str, bool], Reader] = {}
        self._known: dict[tuple[str | None, str], type[Struct]] = {(uri, name): body for name, body in bodies.items()}
        for body in bodies.values():
            for section in parts_of(body):
                for part in parts_of(section.struct) if section.struct is not None else ():
                    if part.place == ROOT and part.struct is not None:
                        self._known[namespace(part.struct), part.wire] = part.struct
        self._uris = frozenset({_SCHEMA_INSTANCE, *(own for own, _ in self._known)})

    def read(self, body: bytes) -> tuple[str, Any]:
        """The name of the root element of ``body``, and what it holds.

        Raises:
            ValueError: when it is not plain, or when a value in it is not what its type allows.
        """
        return self.read_text(plain_text(body))

    def read_text(self, text: str) -> tuple[str, Any]:
        """As :meth:`read`, of what :func:`plain_text` said of a body.

        Raises:
            ValueError: as there.
        """
        try:
            return self._read(text)
        except NotPlainError:
            spelled_out = _EMPTY.sub(r"<\1></\1>", text)
            if spelled_out == text:
                raise
            return self._read(spelled_out)

    def _read(self, text: str) -> tuple[str, Any]:
        prolog = _PROLOG.match(text)
        start = None if prolog is None else self._start(text, prolog.end(), {})
        if start is None:
            raise NotPlainError
        prefix, name, at, scope = start
        uri = scope.get(prefix)
        read = self._reader(prefix, uri, name, "&" in text)
        if read is None or uri != self._uri:
            raise NotPlainError
        held, at = read(text, at, scope)
        if at != len(text):
            raise NotPlainError
        return name, held

    def _profile(self, text: str, at: int, scope: Scope) -> tuple[str | None, Any, int]:
        """The name, the struct and the end of the profile that begins at ``at``, if one does."""
        start = self._start(text, at, scope)
        if start is None:
            return None, None, at
        prefix, name, inside, scope = start
        uri = scope.get(prefix)
        read = self._reader(prefix, uri, name, "&" in text)
        if read is None or uri == self._uri:
            return None, None, at
        held, end = read(text, inside, scope)
        return name, held, end

    def _start(self, text: str, at: int, scope: Scope) -> tuple[str, str, int, Scope] | None:
        """The prefix, the name and the end of the start tag at ``at``, and the prefixes that hold behind it."""
        end = text.find(">", at) + 1
        tag = text[at:end]
        known = self._starts.get(tag)
        if known is None:
            known = _start(tag)
            if known is None:
                return None
            if not self._uris.issuperset(known[2].values()):
                raise NotPlainError
            if len(self._starts) < MOST_STARTS and len(tag) <= LONGEST_START:
                self._starts[tag] = known
        prefix, name, declared = known
        if declared:
            scope = {**scope, **declared}
        if not text.startswith("<", end) and (blank := _BLANKS.match(text, end)) is not None:
            end = blank.end()
        return prefix, name, end, scope

    def _reader(self, prefix: str, uri: str | None, name: str, has_references: bool) -> Reader | None:
        """What reads an element from behind its start tag, if it is a root element or a profile."""
        key = (prefix, uri, name, has_references)
        found = self._readers.get(key)
        if found is None and (uri, name) in self._known:
            found = self._readers[key] = self._grammar(prefix, has_references).inside(self._known[uri, name], name)
        return found

    def _grammar(self, prefix: str, has_references: bool) -> Grammar:
        found = self._grammars.get((prefix, has_references))
        if found is None:
            if len(self._grammars) >= MOST_GRAMMARS:
                raise NotPlainError
            found = Grammar(f"{prefix}:" if prefix else "", has_references, self._profile)
            self._grammars[prefix, has_references] = found
        return found


def plain_text(body: bytes) -> str:
    """The characters of a body, with line feeds at the ends of its lines.

    Raises:
        ValueError: there is something in it that nothing plain has.
    """
    if len(body) > MOST_BYTES or count_elements(body) > MAX_ELEMENTS:
        raise NotPlainError
    if len(body.translate(None, _NO_CHARACTERS)) < len(body):
        raise NotPlainError
    text = body.decode()
    # one character is found much faster than several, and most texts hold none of these
    if "\r" in text and "\r" in (text := text.replace("\r\n", "\n")):
        raise NotPlainError
    if ("]" in text and "]]>" in text) or (not text.isascii() and _NO_CHARACTER.search(text)):
        raise NotPlainError
    if "!" in text and "<!" in text:
        raise NotPlainError  # the expressions would see it as well, but perhaps at the end
    return text


def _start(tag: str) -> tuple[str, str, Scope] | None:
    """The prefix, the name and the declarations of a start tag with no other attribute than where its schema lies."""
    found = _START.fullmatch(tag)
    if found is None:
        return None
    prefix, name, declarations, hint = found.groups("")
    pairs = _DECLARATIONS.findall(declarations)
    declared = dict(pairs)
    is_plain = len(declared) == len(pairs) and (not hint or declared.get(hint) == _SCHEMA_INSTANCE)
    return (prefix, name, declared) if is_plain else None
