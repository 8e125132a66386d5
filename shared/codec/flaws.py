"""Where a message breaks the contract: the sentence that names the field by its path, the line and the reply code.

Nothing of the content of a message is repeated, save the name of an element or attribute that nobody knows, cut short.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from msgspec import ValidationError

from contracts.errors import Malformed
from shared.codec.guard import Element

SPACE = " \t\r\n"
"""White space of XML."""

LONGEST_NAME = 64
"""Characters of an unknown name that an error repeats."""

_LOCATED = re.compile(r"(.*?)(?: - at `\$(.*)`)?", re.DOTALL)
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+)\]")
_MISSING = re.compile(r"Object missing required field `(.*)`", re.DOTALL)
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
_MISSING_IN = {"Header": "1.5", "Request": "1.6", "Payload": "1.7"}
_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
_HINTS = frozenset({f"{_XSI}schemaLocation", f"{_XSI}noNamespaceSchemaLocation"})


def reply_code(path: Sequence[str], *, missing: bool = False) -> str:
    """The code of 61968-9 for a flaw at ``path``, which begins with the root element; or for what is missing there."""
    if missing:
        return _MISSING_IN.get(path[1] if len(path) > 1 else "", "1.8")
    return "2.9" if tuple(path[1:]) == ("Header", "Verb") else "1.8"


def flaw(element: Element, sentence: str, code: str | None = None) -> Malformed:
    """The error that ``element`` has, as a sentence of which its path is the subject."""
    path = _path(element)
    return Malformed(f"{'/'.join(path)} {sentence}", code=code or reply_code(path), line=_line(element))


def at_path(root: Element, path: Sequence[str]) -> Element:
    """The element below ``root`` that these local names lead to, or the last on the way that there is."""
    found = root
    for name in path:
        found = next((child for child in found if _local(child) == name), found)
    return found


class Finding(NamedTuple):
    """What msgspec found, told without anything of the content of the message.

    Attributes:
        path: local names from where it looked to the field, a place in a list counted from one.
        sentence: what is wrong, with the path as its subject.
        missing: the mandatory field that is missing there, if one is.
    """

    path: tuple[str | int, ...]
    sentence: str
    missing: str | None


def finding(error: ValidationError) -> Finding:
    """What ``error`` says of a message."""
    located = _LOCATED.fullmatch(str(error))
    what, where = (located[1], located[2] or "") if located else ("is not what belongs there", "")
    path = tuple(name or int(place) + 1 for name, place in _STEP.findall(where))
    if absent := _MISSING.fullmatch(what):
        return Finding(path, f"lacks the mandatory {absent[1]}", absent[1])
    if strange := _UNKNOWN.fullmatch(what):
        return Finding(path, f"holds an unknown element {clipped(strange[1])}", None)
    if what.startswith("Expected "):
        return Finding(path, f"is not what belongs there: {what[0].lower()}{what[1:]}", None)
    return Finding(path, "is none of the values of its type" if what.startswith("Invalid ") else what, None)


def malformed(error: ValidationError) -> Malformed:
    """The error that msgspec found in a whole message."""
    path, sentence, missing = finding(error)
    told = "".join(f"[{step}]" if isinstance(step, int) else f"/{step}" for step in path)[1:] or "the message"
    names = [step for step in path if isinstance(step, str)]
    code = reply_code([*names, missing], missing=True) if missing else reply_code(names)
    return Malformed(f"{told} {sentence}", code=code)


def found(element: Element, error: ValidationError) -> Malformed:
    """The error that msgspec found in what ``element`` holds."""
    path, sentence, missing = finding(error)
    at = element
    if path:
        place = path[1] if len(path) > 1 and isinstance(path[1], int) else 1
        like = [child for child in element if _local(child) == path[0]]
        at = like[place - 1] if place <= len(like) else element
    code = (
        None
        if missing is None
        else reply_code([*(_local(step) for step in _line_of_descent(at)), missing], missing=True)
    )
    return flaw(at, sentence, code)


def unknown(element: Element) -> Malformed:
    """The error that nobody knows ``element`` where it stands."""
    parent = element.getparent()
    path = [] if parent is None else _path(parent)
    kind = f"an unknown element {clipped(_local(element))}" if isinstance(element.tag, str) else "what is no element"
    return Malformed(f"{'/'.join(path)} holds {kind}", code="1.8", line=_line(element))


def refuse_attributes(element: Element, known: frozenset[str] = frozenset()) -> None:
    """Refuse attributes of ``element`` that are neither known nor hints where its schema lies.

    Raises:
        Malformed: 1.8.
    """
    for name in element.keys():  # noqa: SIM118 - an element is no mapping of its attributes
        if name not in known and name not in _HINTS:
            raise flaw(element, f"has an unknown attribute {clipped(str(name).rpartition('}')[2])}")


def refuse_structure(leaf: Element) -> None:
    """Refuse elements and attributes in an element that holds a value alone.

    Raises:
        Malformed: 1.8.
    """
    if len(leaf):
        raise flaw(leaf, "holds elements where a value belongs")
    refuse_attributes(leaf)


def clipped(name: str) -> str:
    """A name that came in a message, short and on one line."""
    return name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}..."


def _path(element: Element) -> list[str]:
    """Local names from the root to ``element``, with the place of each among its like where there are several."""
    steps = []
    step: Element | None = element
    while step is not None:
        place = 1 + sum(1 for _ in step.itersiblings(step.tag, preceding=True))
        alone = place == 1 and next(step.itersiblings(step.tag), None) is None
        name = clipped(_local(step))
        steps.append(name if alone else f"{name}[{place}]")
        step = step.getparent()
    return steps[::-1]


def _line_of_descent(element: Element) -> list[Element]:
    """The elements from the root to ``element``."""
    return [*reversed(list(element.iterancestors())), element]


def _line(element: Element) -> int | None:
    line: int | None = element.sourceline  # type: ignore[assignment]  # the stubs have an ellipsis here
    return line


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]
