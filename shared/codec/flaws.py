"""Where a message breaks the contract: the sentence that names the field by its path, the line and the reply code.

Nothing of the content of a message is repeated, save the name of an element or attribute that nobody knows, cut short.
"""

from collections.abc import Sequence

from contracts.errors import Malformed
from shared.codec.guard import Element

SPACE = " \t\r\n"
"""White space of XML."""

LONGEST_NAME = 64
"""Characters of an unknown name that an error repeats."""

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
    return Malformed(f"{'/'.join(path)} {sentence}", code=code or reply_code(path), line=element.sourceline)


def at_path(root: Element, path: Sequence[str]) -> Element:
    """The element below ``root`` that these local names lead to, or the last on the way that there is."""
    found = root
    for name in path:
        found = next((child for child in found if _local(child) == name), found)
    return found


def missing(element: Element, wire: str) -> Malformed:
    """The error that ``element`` lacks a mandatory element or attribute."""
    path = _path(element)
    reason = f"{'/'.join(path)} lacks the mandatory {wire}"
    return Malformed(reason, code=reply_code([*path, wire], missing=True), line=element.sourceline)


def unknown(element: Element) -> Malformed:
    """The error that nobody knows ``element`` where it stands."""
    parent = element.getparent()
    path = [] if parent is None else _path(parent)
    kind = f"an unknown element {clipped(_local(element))}" if isinstance(element.tag, str) else "what is no element"
    return Malformed(f"{'/'.join(path)} holds {kind}", code="1.8", line=element.sourceline)


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


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]
