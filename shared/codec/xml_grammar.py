"""The readers of plain XML: generated source around regular expressions, made once for each type, tag and prefix.

One expression takes as many fields of an object as it can. What may be absent or repeated in it begins with a name of
its own, so that there is one way only to match, and no text takes long. For a Meter with a name, perhaps a status with
a value, and a list of readings with lists of lists in them, a reader is, with ``_`` for blanks::

    def read(text, at, scope):
        values = {}
        # <Meter>_<name>([^<]*+)</name>_(?:<status>_(?:<value>([^<]*+)</value>_)?</status>_())?
        found = match_0(text, at)
        if found is None:
            raise NotPlainError
        name, g1, g2 = found.groups()
        values["name"] = name  # or unescape(name), in a text that has references
        if g2 is not None:
            inner = values["status"] = {}
            if g1 is not None:
                inner["value"] = g1
        at = found.end()
        if text.startswith("<Reading>", at):
            items = values["Reading"] = []
            while text.startswith("<Reading>", at):
                item, at = read_1(text, at, scope)
                items.append(item)
        # </Meter>_
        found = match_2(text, at)
        if found is None:
            raise NotPlainError
        return convert(values, struct), found.end()

The values of a long list are made into structs one by one, for the garbage collector goes through all that is there
again and again while it grows.
"""

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple, TypeVar

from msgspec import NODEFAULT, Struct, convert

from shared.codec.shape import ATTRIBUTE, CHILD, CONTENT, FRAGMENT, ROOT, Part, parts_of, scalar_forms

T = TypeVar("T")

Scope = Mapping[str, str]
Reader = Callable[[str, int, Scope], tuple[Any, int]]
ProfileReader = Callable[[str, int, Scope], tuple[str | None, Any, int]]

BLANK = "[ \t\n]*+"

_KEPT = "\x00"
"""Where a group of an expression begins whose text is kept."""

_TEXT = f"{_KEPT}[^<]*+)"
_VALUE = f'="{_KEPT}[^"<\t\n]*+)"'
_REFERENCE = re.compile("&([^;]*;?)")
_CHARACTERS = {"amp;": "&", "lt;": "<", "gt;": ">", "quot;": '"', "apos;": "'", "#9;": "\t", "#10;": "\n", "#13;": "\r"}

_MOST_LISTS = 2
"""How many lists stand within one another in one expression; the text of each is matched again by its own."""


class NotPlainError(ValueError):
    """The text is not plain; nothing is said about what else it is."""


class Grammar:
    """The readers of elements that have one prefix, or none."""

    def __init__(self, prefix: str, has_references: bool, read_profile: ProfileReader) -> None:
        """``prefix`` is written with its colon; ``read_profile`` is asked where a profile may begin.

        Without ``has_references`` there must be no ``&`` in what is read.
        """
        self.prefix = prefix
        self.has_references = has_references
        self.read_profile = read_profile
        self._made: dict[tuple[type[Struct], str, str], Any] = {}

    def inside(self, struct: type[Struct], tag: str) -> Reader:
        """The reader of an element ``tag`` of type ``struct`` from behind its start tag."""
        return self._once(_Source.inside, struct, tag)

    def whole(self, struct: type[Struct], tag: str) -> Reader:
        """The reader of an element ``tag`` of type ``struct``."""
        return self._once(_Source.whole, struct, tag)

    def rows(self, struct: type[Struct], tag: str) -> "Rows":
        """The expression for elements ``tag`` of type ``struct``, of which one expression can say all."""
        return self._once(_Source.rows, struct, tag)

    def _once(self, make: "Callable[[_Source, type[Struct], str], T]", struct: type[Struct], tag: str) -> T:
        key = (struct, tag, make.__name__)
        if key not in self._made:
            self._made[key] = make(_Source(self), struct, tag)
        made: T = self._made[key]
        return made


class Rows(NamedTuple):
    """What knows the elements of a list.

    Attributes:
        pattern: the expression for one of them, in which nothing is kept.
        read: what makes the values of each, from the text of all.
    """

    pattern: str
    read: Callable[[str], list[dict[str, Any]]]


class _Source:
    """The source of one reader while it grows.

    Attributes:
        _lines: what is finished.
        _pattern: the expression that is being made.
        _taking: the lines that take what the expression keeps.
        _kept: how many groups the expression keeps.
        _names: what the source refers to.
    """

    def __init__(self, grammar: Grammar) -> None:
        self._grammar = grammar
        self._lines: list[str] = []
        self._pattern = ""
        self._taking: list[str] = []
        self._kept = 0
        self._names: dict[str, Any] = {"NotPlainError": NotPlainError, "unescape": unescape}

    def inside(self, struct: type[Struct], tag: str) -> Reader:
        """The reader of an element from behind its start tag."""
        self._children(struct, "values", " ", lists_apart=True)
        self._pattern += f"</{self._tag(tag)}>{BLANK}"
        return self._reader(struct)

    def whole(self, struct: type[Struct], tag: str) -> Reader:
        """The reader of an element."""
        self._element(struct, tag, "values", " ")
        return self._reader(struct)

    def rows(self, struct: type[Struct], tag: str) -> Rows:
        """What knows the elements of a list."""
        self._element(struct, tag, "values", "  ")
        self._names["find"] = re.compile(self._pattern.replace(_KEPT, "(")).finditer
        lines = ["def read(text):", " items = []", " for found in find(text):", "  values = {}", *self._unpacked("  ")]
        lines += [*self._taking, "  items.append(values)", " return items"]
        return Rows(self._pattern.replace(_KEPT, "(?:"), self._made(lines))

    def _reader(self, struct: type[Struct]) -> Reader:
        self._finish_expression()
        self._lines[-1] = " return convert(values, struct), found.end()"
        self._names |= {"convert": convert, "struct": struct}
        read: Reader = self._made(["def read(text, at, scope):", " values = {}", *self._lines])
        return read

    def _made(self, lines: list[str]) -> Any:
        exec("\n".join(lines), self._names)  # noqa: S102 - made of the names in the contracts and a prefix that is a name
        return self._names["read"]

    def _name(self, kind: str, meant: Any) -> str:
        """A new name in the source for what is meant."""
        name = f"{kind}_{len(self._names)}"
        self._names[name] = meant
        return name

    def _tag(self, wire: str) -> str:
        return re.escape(self._grammar.prefix + wire)

    def _group(self) -> str:
        """The variable with the text of the next group that is kept."""
        self._kept += 1
        return f"g{self._kept}"

    def _unpacked(self, indent: str) -> list[str]:
        variables = "".join(f"g{place}, " for place in range(1, self._kept + 1))
        return [f"{indent}{variables}= found.groups()"] if variables else []

    def _finish_expression(self) -> None:
        """Match and take what the expression has, and begin a new one."""
        if self._pattern:
            match = self._name("match", re.compile(self._pattern.replace(_KEPT, "(")).match)
            self._lines += [f" found = {match}(text, at)", " if found is None:", "  raise NotPlainError"]
            taking = [*self._unpacked(" "), *self._taking]
            if all(line.startswith((" if ", "  ")) for line in self._taking):
                # all of it may be absent, and often is
                taking = [" if found.lastindex:", *(f" {line}" for line in taking)] if taking else []
            self._lines += [*taking, " at = found.end()"]
        self._pattern, self._taking, self._kept = "", [], 0

    def _element(self, struct: type[Struct], tag: str, values: str, indent: str) -> None:
        """A whole element, whose fields go into the variable ``values``."""
        name, parts = self._tag(tag), _known(struct)
        self._pattern += f"<{name}"
        for part in parts:
            if part.place == ATTRIBUTE:
                self._field(part, f" {re.escape(part.wire)}{_VALUE}", values, indent)
        content = next((part for part in parts if part.place == CONTENT), None)
        if content is not None:
            self._field(content, f">{_TEXT}</{name}>{BLANK}", values, indent)
        elif all(part.place == ATTRIBUTE for part in parts):
            self._pattern += f" ?(?:/>|>{BLANK}</{name}>){BLANK}"
        else:
            self._pattern += f">{BLANK}"
            self._children(struct, values, indent)
            self._pattern += f"</{name}>{BLANK}"

    def _children(self, struct: type[Struct], values: str, indent: str, *, lists_apart: bool = False) -> None:
        roots = 0
        for part in _known(struct):
            if part.may_be_empty:
                self._taking.append(f"{indent}{values}[{part.wire!r}] = ()")
            if part.place == ROOT:
                roots += 1
                if roots == 1:
                    self._profile(values)
            elif part.struct is not None and lists_apart and part.many:
                self._apart(part, part.struct, values)
            elif part.struct is not None:
                self._structs(part, part.struct, values, indent)
            elif part.place == CHILD:
                tag = self._tag(part.wire)
                if part.many:
                    self._values(part, f"<{tag}>{_TEXT}</{tag}>{BLANK}", values, indent)
                else:
                    self._field(part, f"<{tag}>{_TEXT}</{tag}>{BLANK}", values, indent)

    def _field(self, part: Part, pattern: str, values: str, indent: str) -> None:
        """A field with one value."""
        kept = self._group()
        if part.default is not NODEFAULT:
            pattern = f"(?:{pattern})?"
            self._taking.append(f"{indent}if {kept} is not None:")
            indent += " "
        self._pattern += pattern
        self._taking.append(f"{indent}{values}[{part.wire!r}] = {self._value(part, kept)}")

    def _values(self, part: Part, pattern: str, values: str, indent: str) -> None:
        """A list of values."""
        kept = self._group()
        self._pattern += f"{_KEPT}(?:{pattern.replace(_KEPT, '(?:')})*+)"
        find = self._name("find", re.compile(pattern.replace(_KEPT, "(")).findall)
        self._taking += [
            f"{indent}if {kept}:",
            f"{indent} {values}[{part.wire!r}] = [{self._value(part, 'item')} for item in {find}({kept})]",
        ]

    def _value(self, part: Part, kept: str) -> str:
        """What makes the value of a text."""
        read = scalar_forms(part.scalar).read
        if read is None:
            return f"unescape({kept})" if self._grammar.has_references else kept
        return f"{self._name('read', read)}({kept})"

    def _structs(self, part: Part, struct: type[Struct], values: str, indent: str) -> None:
        """A field with a struct or a list of structs."""
        if part.many + _lists(struct) > _MOST_LISTS:
            self._apart(part, struct, values)
            return
        inner, field = self._name("values", None), f"{values}[{part.wire!r}]"
        if not part.many and part.default is NODEFAULT:
            self._taking.append(f"{indent}{inner} = {field} = {{}}")
            self._element(struct, part.wire, inner, indent)
            return
        # the last group within, which is empty or the rest of a list, tells that the element is there
        place = len(self._taking)
        self._pattern += "(?:"
        self._element(struct, part.wire, inner, f"{indent} ")
        kept = self._group()
        if part.many:
            rows = self._grammar.rows(struct, part.wire)
            self._pattern += f"{_KEPT}(?:{rows.pattern})*+))?"
            begin = [f"{inner} = {{}}", f"{field} = [{inner}]"]
            more = self._name("read", rows.read)
            self._taking += [f"{indent} if {kept}:", f"{indent}  {field} += {more}({kept})"]
        else:
            self._pattern += f"{_KEPT}))?"
            begin = [f"{inner} = {field} = {{}}"]
        self._taking[place:place] = [f"{indent}if {kept} is not None:", *(f"{indent} {line}" for line in begin)]

    def _apart(self, part: Part, struct: type[Struct], values: str) -> None:
        """A field with a struct or a list of structs that have a reader of their own."""
        self._finish_expression()
        tag = self._grammar.prefix + part.wire
        has_attributes = any(inner.place == ATTRIBUTE for inner in parts_of(struct))
        begins = f"text.startswith({(f'<{tag}>', f'<{tag} ') if has_attributes else f'<{tag}>'!r}, at)"
        read = self._name("read", self._grammar.whole(struct, part.wire))
        if part.many:
            self._lines += [
                f" if {begins}:",
                f"  items = {values}[{part.wire!r}] = []",
                f"  while {begins}:",
                f"   item, at = {read}(text, at, scope)",
                "   items.append(item)",
            ]
        else:
            self._lines += [f" if {begins}:", f"  {values}[{part.wire!r}], at = {read}(text, at, scope)"]

    def _profile(self, values: str) -> None:
        """One of the profiles, if there is one."""
        self._finish_expression()
        read = self._name("read", self._grammar.read_profile)
        self._lines += [
            f" name, item, at = {read}(text, at, scope)",
            " if name is not None:",
            f"  {values}[name] = item",
        ]


def unescape(text: str) -> str:
    """Text with the characters that its references mean.

    Raises:
        NotPlainError: when there is another reference than our writer makes.
    """
    return _REFERENCE.sub(_character, text) if "&" in text else text


def _character(reference: re.Match[str]) -> str:
    found = _CHARACTERS.get(reference[1])
    if found is None:
        raise NotPlainError
    return found


@cache
def _known(struct: type[Struct]) -> tuple[Part, ...]:
    """The fields that a plain element has: no ``any`` elements, and nothing that holds its like."""
    return tuple(
        part
        for part in parts_of(struct)
        if part.place != FRAGMENT and (part.struct is None or part.struct not in _below(part.struct))
    )


@cache
def _below(struct: type[Struct]) -> frozenset[type[Struct]]:
    """The types of everything that ``struct`` may hold."""
    found: set[type[Struct]] = set()
    left = [struct]
    while left:
        more = {part.struct for part in parts_of(left.pop()) if part.struct is not None} - found
        found |= more
        left += more
    return frozenset(found)


@cache
def _lists(struct: type[Struct]) -> int:
    """How many lists stand within one another in ``struct``; too many when there are profiles in it."""
    if any(part.place == ROOT for part in _known(struct)):
        return _MOST_LISTS + 1
    return max((part.many + (_lists(part.struct) if part.struct else 0) for part in _known(struct)), default=0)
