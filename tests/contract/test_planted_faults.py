"""One fault planted in a golden example is refused, with its line and its code, and by the schema as well.

Every place of every example where such a fault can stand gets one: two neighbours change places, something mandatory is
taken away, a value becomes one of another type, or one that its enumeration does not have.
"""

from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from lxml import etree
from msgspec import Struct, inspect

import contracts
from contracts.catalogue import ROLES
from contracts.errors import Malformed
from contracts.message import NAMESPACE
from shared.codec import CONTENT_XML, Codec
from shared.codec.guard import Element
from shared.codec.shape import ATTRIBUTE, namespace
from shared.codec.wire import Wire
from shared.tools.generate.members import Member, members_of

FOLDER = Path(contracts.__file__).parent
EXAMPLES = sorted(f"{path.parent.name}/{path.stem}" for path in (FOLDER / "examples").glob("*/*.xml"))
CODEC = Codec(ROLES)
BODIES = Wire(ROLES).bodies
PROFILES = {namespace(noun): name for name, noun in ROLES.nouns.items()}
MISSING_IN = {"Header": "1.5", "Request": "1.6", "Payload": "1.7"}


class Fault(NamedTuple):
    """A document with a fault.

    Attributes:
        what: for a test that fails.
        document: the example with the fault.
        line: the line at which the fault stands.
        code: the reply code of 61968-9.
    """

    what: str
    document: bytes
    line: int
    code: str


Planter = Callable[[str], Iterator[Fault]]


@cache
def members(struct: type[Struct]) -> dict[str, Member]:
    return {member.wire: member for member in members_of(struct)}


def local(element: Element) -> str:
    return etree.QName(element).localname


def path_of(element: Element) -> list[str]:
    return [local(step) for step in [*reversed(list(element.iterancestors())), element]]


def code_at(element: Element) -> str:
    """The code for something wrong at an element: whatever it is, at the verb it is that of an invalid verb."""
    return "2.9" if path_of(element)[1:] == ["Header", "Verb"] else "1.8"


def planted(what: str, root: Element, culprit: Element, code: str) -> Fault:
    """The fault as it stands in the document; ``culprit`` is the element whose line tells where."""
    path = root.getroottree().getpath(culprit)
    document = etree.tostring(root, encoding="utf-8", xml_declaration=True)
    line: Any = found(etree.fromstring(document), path).sourceline
    return Fault(f"{what} at {path}", document, line, code)


def found(root: Element, path: str) -> Element:
    """The element at a path of the document of ``root``."""
    here = root.getroottree().xpath(path)
    assert isinstance(here, list)
    assert isinstance(here[0], Element)
    return here[0]


def typed(element: Element, struct: type[Struct]) -> Iterator[tuple[Element, type[Struct]]]:
    """Every element that is made of others, with its struct."""
    yield element, struct
    for child in element:
        held = members(struct)[local(child)].type
        if isinstance(held, inspect.StructType):
            yield from typed(child, held.cls)


def of_example(example: str) -> Element:
    return etree.parse(FOLDER / "examples" / f"{example}.xml").getroot()


def places(example: str) -> Iterator[tuple[Element, Element, type[Struct]]]:
    """The document, each element in it that is made of others, and its struct."""
    root = of_example(example)
    for element, struct in typed(root, BODIES[local(root)]):
        yield root, element, struct


def copied(root: Element, element: Element) -> tuple[Element, Element]:
    """A copy of the document, and the same element in it."""
    copy = deepcopy(root)
    return copy, found(copy, root.getroottree().getpath(element))


def swapped(example: str) -> Iterator[Fault]:
    """Two neighbours of different names change places."""
    for root, element, _ in places(example):
        for at in range(len(element) - 1):
            if element[at].tag != element[at + 1].tag:
                copy, parent = copied(root, element)
                first, second = parent[at], parent[at + 1]
                first.tail, second.tail = second.tail, first.tail
                parent.insert(at, second)
                yield planted("order", copy, first, code_at(first))


def shortened(example: str) -> Iterator[Fault]:
    """Something mandatory is taken away: an element that stands alone, or an attribute."""
    for root, element, struct in places(example):
        for name, member in members(struct).items():
            if not member.required or member.least == 0:
                continue
            copy, parent = copied(root, element)
            if member.place == ATTRIBUTE:
                del parent.attrib[name]
            else:
                present = [child for child in parent if local(child) == name]
                if len(present) != 1:
                    continue
                parent.remove(present[0])
            section = [*path_of(parent), name][1]
            yield planted(f"no {name}", copy, parent, MISSING_IN.get(section, "1.8"))


def mistyped(example: str) -> Iterator[Fault]:
    """A value becomes text, or a time loses its zone."""
    for root, element, struct in places(example):
        for at, member in leaves(element, struct):
            if isinstance(member.type, inspect.StrType | inspect.EnumType):
                continue
            wrong = ["seven"]
            if isinstance(member.type, inspect.DateTimeType):
                wrong.append(str(element[at].text).rstrip("Z"))
            for text in wrong:
                copy, parent = copied(root, element)
                parent[at].text = text
                yield planted(f"'{text}'", copy, parent[at], code_at(parent[at]))


def misnamed(example: str) -> Iterator[Fault]:
    """A value is not one of its enumeration."""
    for root, element, struct in places(example):
        for at, member in leaves(element, struct):
            if isinstance(member.type, inspect.EnumType):
                copy, parent = copied(root, element)
                parent[at].text = f"{parent[at].text}ish"
                yield planted("value", copy, parent[at], code_at(parent[at]))


def leaves(element: Element, struct: type[Struct]) -> Iterator[tuple[int, Member]]:
    """The children that hold a value alone, by their places."""
    for at, child in enumerate(element):
        member = members(struct)[local(child)]
        if not isinstance(member.type, inspect.StructType):
            yield at, member


@cache
def schema(name: str) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(FOLDER / "schemas" / "xsd" / f"{name}.xsd"))


def is_valid(document: bytes) -> bool:
    """True when the schema of the envelope and that of the profile accept the document."""
    root = etree.fromstring(document)
    sections = root.findall(f"{{{NAMESPACE}}}Payload") + root.findall(f"{{{NAMESPACE}}}Request")
    profiles = [child for section in sections for child in section if etree.QName(child).namespace in PROFILES]
    return schema("Message").validate(root) and all(
        schema(local(profile)).validate(etree.ElementTree(profile)) for profile in profiles
    )


def refusal(document: bytes) -> tuple[str, int | None] | None:
    try:
        CODEC.decode(document, CONTENT_XML)
    except Malformed as refused:
        return refused.code, refused.line
    return None


@pytest.mark.parametrize("plant", [swapped, shortened, mistyped, misnamed])
@pytest.mark.parametrize("example", EXAMPLES)
def test_a_planted_fault_is_refused_with_its_line_and_code_and_by_the_schema(example: str, plant: Planter) -> None:
    faults = list(plant(example))
    assert faults
    for fault in faults:
        assert refusal(fault.document) == (fault.code, fault.line), fault.what
        assert not is_valid(fault.document), fault.what


@pytest.mark.parametrize("example", EXAMPLES)
def test_nothing_is_refused_where_nothing_was_planted(example: str) -> None:
    document = etree.tostring(of_example(example), encoding="utf-8", xml_declaration=True)
    assert refusal(document) is None
    assert is_valid(document)
