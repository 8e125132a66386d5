"""Plain RDF/XML read without a tree, by expressions that are made from its own objects.

Almost all documents of 61970-552 are written by machines, object after object in a few dozen shapes: the same
properties in the same order with other values. The first object of a shape is looked at closely and becomes an
expression in which its values are left open; all others of its shape are then read by one match each. So there is no
tree in memory, it takes half the time, and lines are exact, where libxml2 guesses those after the 65,535th.

What has no shape (references to characters, nested structures, other namespaces) is read by lxml in a document of its
own. Whatever is not certain is left to lxml as a whole: only it says what is wrong with a document.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from typing import NamedTuple

from lxml import etree
from msgspec.structs import replace

from services.network_model_management.adapters.rdf import RDF, ROOT, Bare, read_tree
from services.network_model_management.domain.model import CIM, FOLLOWED, MRID, CimObject, Problem

Objects = tuple[CimObject, ...]

_HEAD = re.compile(r"\s*(?:<\?xml[^<>]*\?>\s*)?<([\w.\-]+:RDF)(?:\s[^<>]*)?>")
_COMMENT = re.compile(r"<!--(?:[^-]|-[^-])*-->")
_NAME = r"[\w.\-]+"

# What may stand in an element and in an attribute, as long as a parser would change nothing in it.
_TEXT, _URI = r"[^<>&\x00-\x08\x0b\x0c\x0e-\x1f]*", r'[^"<&\x00-\x1f]*'

# More shapes than this, or more than this share without one, and the whole is left to lxml.
_MOST_SHAPES, _LARGEST_REST = 500, 0.2
_MARKER = "between"


class _Shape(NamedTuple):
    """The expression of a shape, where values stand in its matches by the names of properties, and what matched."""

    match: Callable[[str, int], re.Match[str] | None]
    kind: str
    literals: tuple[tuple[str, int], ...]
    links: tuple[tuple[str, int], ...]
    rows: list[tuple[str, ...]]
    lines: list[int]


class _Rest(NamedTuple):
    """Text that has no shape, and the line at which it begins."""

    line: int
    text: str


class _Uncertain(Exception):  # noqa: N818 - it is no error: another reader takes over
    """The document is not so plain that it can be read here."""


def read_document(document: bytes, file: str = "") -> tuple[Objects, tuple[Problem, ...]]:
    """The CIM objects of an RDF/XML document in UTF-8, and why it is not one.

    Elements of other namespaces, such as the header ``md:FullModel``, are passed over.
    """
    plain = read_plain(document, file)
    return read_tree(document, file) if plain is None else (plain, ())


def read_plain(document: bytes, file: str = "") -> Objects | None:
    """The objects of a document in UTF-8, or None where that is not certain."""
    try:
        reading = _Reading(_text(document))
        reading.run()
        found = [*reading.objects(file), *reading.others(file)]
    except _Uncertain:
        return None
    return tuple(sorted(found, key=lambda each: each.line)) or None


def _text(document: bytes) -> str:
    """The text without its comments, line for line."""
    try:
        text = document.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _Uncertain from error
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "<!--" in text:
        text = _COMMENT.sub(lambda comment: "\n" * comment[0].count("\n"), text)
    if "\ufffe" in text or "\uffff" in text:
        raise _Uncertain
    return text


class _Reading:
    """One reading: the shapes with what was found of each, and what has none."""

    def __init__(self, text: str) -> None:
        head = _HEAD.match(text)
        if head is None:
            raise _Uncertain
        self._text = text
        self._head = head
        self._prefixes = _prefixes(head)
        cim, rdf = (_prefix(self._prefixes, namespace) for namespace in (CIM, RDF))
        link = rf'\s+{rdf}:resource="{_URI}"\s*/>'
        self._object = re.compile(
            rf'<{cim}:({_NAME}) {rdf}:(?:about|ID)="({_URI})" ?>'
            rf"(?:\s*<{_NAME}:{_NAME}(?:>{_TEXT}</{_NAME}:{_NAME}\s*>|{link}))*\s*</{cim}:\1\s*>"
        )
        self._property = re.compile(
            rf'<({_NAME}):({_NAME})(?:>({_TEXT})</({_NAME}:{_NAME})\s*>|\s+{rdf}:resource="({_URI})"\s*/>)'
        )
        self._end_of_rest = re.compile(rf"</{cim}:{_NAME}\s*>(?=\s*<{cim}:{_NAME}\s+{rdf}:)")
        self._cim = cim
        self._end = text.rfind("</")
        if text[self._end :].rstrip() != f"</{head[1]}>":
            raise _Uncertain
        self._shapes: dict[str, list[_Shape]] = {}
        self._rest: list[_Rest] = []

    def run(self) -> None:
        """Read to the end."""
        text, find, count, shapes = self._text, self._text.find, self._text.count, self._shapes
        place, line = self._head.end(), self._head[0].count("\n") + 1
        while (start := find("<", place)) < self._end:
            if start > place:
                line += count("\n", place, start)
                if not text[place:start].isspace():
                    raise _Uncertain
            for shape in shapes.get(text[start : find(" ", start)], ()):
                matched = shape.match(text, start)
                if matched is not None:
                    shape.rows.append(matched.groups())
                    shape.lines.append(line)
                    place = matched.end()
                    break
            else:
                place = self._meet(start, line)
            line += count("\n", start, place)
        if text[place : self._end].strip():
            raise _Uncertain

    def _meet(self, start: int, line: int) -> int:
        """Take what is met for the first time, and return where it ends: an object of a new shape, or one of none."""
        whole = self._object.match(self._text, start)
        shape = None if whole is None else self._shape_of(whole)
        if whole is None or shape is None:
            last = self._end_of_rest.search(self._text, start)
            end = self._end if last is None else last.end()
            self._rest.append(_Rest(line, self._text[start:end]))
            return end
        matched = shape.match(self._text, start)
        if matched is None or sum(map(len, self._shapes.values())) == _MOST_SHAPES:
            raise _Uncertain
        shape.rows.append(matched.groups())
        shape.lines.append(line)
        self._shapes.setdefault(f"<{self._cim}:{shape.kind}", []).append(shape)
        return matched.end()

    def _shape_of(self, whole: re.Match[str]) -> _Shape | None:
        """The shape of an object; None where a name is not declared, is closed by another or comes twice."""
        kind, start = whole[1], whole.start()
        pieces, done = [], whole.start(2) - start
        pieces.append(f"{re.escape(whole[0][:done])}({_URI})")
        done += len(whole[2])
        literals: list[tuple[str, int]] = []
        links: list[tuple[str, int]] = []
        for number, found in enumerate(self._property.finditer(whole[0], done), start=1):
            prefix, name, text, closed, uri = found.groups()
            if prefix not in self._prefixes or closed not in {None, f"{prefix}:{name}"}:
                return None
            (links if text is None else literals).append((name, number))
            begin, end = found.span(5 if text is None else 3)
            pieces.append(f"{re.escape(whole[0][done:begin])}({_TEXT if uri is None else _URI})")
            done = end
        pieces.append(re.escape(whole[0][done:]))
        if len({name for name, _ in (*literals, *links)}) < len(literals) + len(links):
            return None
        if kind not in FOLLOWED:
            literals = [each for each in literals if each[0] == MRID]
        return _Shape(re.compile("".join(pieces)).match, kind, tuple(literals), tuple(links), [], [])

    def objects(self, file: str) -> Iterator[CimObject]:
        """The objects that have a shape; a link to a URI of the web is an enumeration, whose literal is a value."""
        bares = Bare()
        for shape in (each for some in self._shapes.values() for each in some):
            _, kind, literals, links, rows, lines = shape
            for row, line in zip(rows, lines, strict=True):
                values = {name: row[number] for name, number in literals}
                targets = {}
                for name, number in links:
                    if row[number].startswith("http"):
                        values[name] = row[number].rpartition(".")[2]
                    else:
                        targets[name] = bares[row[number]]
                yield CimObject(kind=kind, id=bares[row[0]], line=line, values=values, links=targets, file=file)

    def others(self, file: str) -> Iterator[CimObject]:
        """The objects in what has no shape, each piece of which must be whole elements.

        All pieces stand in one document, each on lines of its own and behind an element that marks where it begins:
        where a piece is not whole, such an element is no child of the root.
        """
        rest, written, starts, line = self._rest, [self._head[0]], [], self._head[0].count("\n") + 1
        if not rest:
            return
        for each in rest:
            written.append(f"\n<{_MARKER}/>{each.text}")
            starts.append(line + 1)
            line += 1 + each.text.count("\n")
        document = "".join((*written, f"</{self._head[1]}>"))
        if len(document) > _LARGEST_REST * len(self._text) or "<!" in document:
            raise _Uncertain
        try:
            root = etree.fromstring(document.encode(), etree.XMLParser(resolve_entities=False, no_network=True))
        except etree.XMLSyntaxError as error:
            raise _Uncertain from error
        objects, problems = read_tree(document.encode(), file)
        if problems or sum(1 for _ in root.iterchildren(_MARKER)) != len(rest):
            raise _Uncertain
        for found in objects:
            place = bisect_right(starts, found.line) - 1
            yield replace(found, line=rest[place].line + found.line - starts[place])


def _prefixes(head: re.Match[str]) -> dict[str, str]:
    """The namespaces of a document of RDF by their prefixes."""
    try:
        root = etree.fromstring(f"{head[0]}</{head[1]}>".encode())
    except etree.XMLSyntaxError as error:
        raise _Uncertain from error
    if root.tag != ROOT:
        raise _Uncertain
    return {prefix: uri for prefix, uri in root.nsmap.items() if prefix}


def _prefix(prefixes: dict[str, str], namespace: str) -> str:
    """The prefix of a namespace as an expression."""
    for prefix, uri in prefixes.items():
        if uri == namespace:
            return re.escape(prefix)
    raise _Uncertain
