"""Difference models of IEC 61970-552: RDF/XML as sets of statements, and what they make of a document."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import attrgetter

from lxml import etree
from msgspec import Struct

from contracts.nouns.network_differences import NetworkDifference
from services.network_model_management.adapters.rdf import (
    ABOUT,
    DESCRIPTION,
    RDF,
    RESOURCE,
    ROOT,
    bare,
    parse,
    parser,
    uri_of,
)
from services.network_model_management.domain.difference import TYPE, Difference, Statement, Statements, exact
from services.network_model_management.domain.model import CIM, Problem

DM = "http://iec.ch/TC57/61970-552/DifferenceModel/1#"
_MODEL = f"{{{DM}}}DifferenceModel"
_PARTS = ("preconditions", "reverseDifferences", "forwardDifferences")
_PARSE_TYPE = f"{{{RDF}}}parseType"
_NAMES = {"rdf": RDF, "cim": CIM, "dm": DM}


class Offer(Struct, frozen=True, kw_only=True):
    """A difference as RDF/XML: three documents, any of them empty, or one difference model in ``whole``."""

    forward: bytes = b""
    reverse: bytes = b""
    preconditions: bytes = b""
    whole: bytes = b""


class Outcome(Struct, frozen=True, kw_only=True):
    """What came of a difference: the document after it and the exact difference, or why it cannot be applied."""

    document: bytes = b""
    forward: bytes = b""
    reverse: bytes = b""
    problems: tuple[Problem, ...] = ()


class _Spelling(dict[str, str]):
    """How identifiers are spelled in a model; one that is not there keeps the spelling in which it was first met."""

    def note(self, uri: str) -> str:
        """The identifier without its prefix."""
        name = bare(uri)
        self.setdefault(name, uri)
        return name


def offered(difference: NetworkDifference, whole: bytes) -> Offer:
    """The difference in a message, whose ``whole`` difference model was in the object store if it has a Blob."""
    return Offer(
        forward=(difference.forward_differences or "").encode(),
        reverse=(difference.reverse_differences or "").encode(),
        preconditions=(difference.preconditions or "").encode(),
        whole=whole,
    )


def apply_offer(document: bytes, offer: Offer) -> Outcome:
    """The document of a model after a difference.

    What the difference does not touch stays as it was written, comments and blanks included. A pure function of the
    bytes, so that it can run in another process.
    """
    root, problems = parse(document, keep_all=True)
    if root is None:
        return Outcome(problems=problems)
    spelling = _Spelling()
    elements = [(spelling.note(uri), each) for each in root.iterchildren(etree.Element) if (uri := uri_of(each))]
    difference, problems = _read(offer, spelling)
    if problems:
        return Outcome(problems=problems)
    touched = [each for name, each in elements if name in difference.subjects]
    found = {statement: each for element in touched for statement, each in _statements(element, spelling)}
    meant, problems = exact(difference, found.keys())
    if problems:
        return Outcome(problems=problems)
    reclassed = {each.subject for each in meant.forward if each.predicate == TYPE}
    for statement in meant.reverse:
        if statement.predicate != TYPE or statement.subject not in reclassed:
            _remove(found[statement])
    _add(root, meant.forward, {bare(uri_of(each) or ""): each for each in touched}, spelling)
    return Outcome(
        document=etree.tostring(root, encoding="utf-8", xml_declaration=True),
        forward=_written(meant.forward, spelling),
        reverse=_written(meant.reverse, spelling),
    )


def difference_model(mrid: str, forward: bytes, reverse: bytes) -> bytes:
    """Both sides of a difference as one difference model."""
    root = etree.Element(ROOT, nsmap=_NAMES)
    model = etree.SubElement(root, _MODEL, {ABOUT: f"urn:uuid:{mrid}"})
    for part, document in ((_PARTS[1], reverse), (_PARTS[2], forward)):
        side = etree.SubElement(model, f"{{{DM}}}{part}", {_PARSE_TYPE: "Statements"})
        side.extend(list(etree.fromstring(document)))
    return etree.tostring(root, encoding="utf-8")


def _read(offer: Offer, spelling: _Spelling) -> tuple[Difference, tuple[Problem, ...]]:
    """The statements of all parts, and why they cannot be read."""
    parts: dict[str, Statements] = dict.fromkeys(_PARTS, frozenset())
    problems: list[Problem] = []
    if offer.whole:
        root, found = parse(offer.whole, file="the difference model", keep_all=True)
        problems.extend(found)
        models = [] if root is None else list(root.iterchildren(_MODEL))
        if root is not None and len(models) != 1:
            text = f"{len(models)} elements dm:DifferenceModel instead of one"
            problems.append(Problem(file="the difference model", line=0, text=text))
        for model in models:
            for part in _PARTS:
                for side in model.iterchildren(f"{{{DM}}}{part}"):
                    parts[part] |= frozenset(_all_statements(side, spelling))
    else:
        for part, document in zip(_PARTS, (offer.preconditions, offer.reverse, offer.forward), strict=True):
            if document:
                root, found = parse(document, file=part, keep_all=True)
                problems.extend(found)
                parts[part] = frozenset() if root is None else frozenset(_all_statements(root, spelling))
    difference = Difference(preconditions=parts[_PARTS[0]], reverse=parts[_PARTS[1]], forward=parts[_PARTS[2]])
    if not problems and not difference.subjects:
        problems.append(Problem(line=0, text="the difference has no statement"))
    return difference, tuple(problems)


def _all_statements(side: etree._Element, spelling: _Spelling) -> Iterator[Statement]:
    for element in side.iterchildren(etree.Element):
        yield from (statement for statement, _ in _statements(element, spelling))


def _statements(element: etree._Element, spelling: _Spelling) -> Iterator[tuple[Statement, etree._Element]]:
    """What an element says of its object, each statement with the element that makes it."""
    uri = uri_of(element)
    if uri is None:
        return
    subject = spelling.note(uri)
    if element.tag != DESCRIPTION:
        yield Statement(subject=subject, predicate=TYPE, value=element.tag, kind="resource"), element
    for child in element.iterchildren(etree.Element):
        resource = child.get(RESOURCE)
        attributes = tuple(sorted((str(name), str(value)) for name, value in child.items() if name != RESOURCE))
        if resource is None:
            kind = "structure" if len(child) else "literal"
            value = _inside(child) if len(child) else child.text or ""
        else:
            kind = "resource" if resource.startswith("http") else "link"
            value = resource if kind == "resource" else spelling.note(resource)
        yield Statement(subject=subject, predicate=child.tag, value=value, kind=kind, attributes=attributes), child


def _inside(element: etree._Element) -> str:
    """The markup in an element, in its canonical form and without the blanks that only set it out."""
    plain = etree.fromstring(etree.tostring(element, with_tail=False), parser())
    return b"".join(etree.tostring(each, method="c14n", exclusive=True) for each in plain).decode()


def _remove(element: etree._Element) -> None:
    """Take an element out, with the blanks after it; the element that states the class is that of the object."""
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)


def _add(root: etree._Element, statements: Statements, present: dict[str, etree._Element], spelling: _Spelling) -> None:
    """Say what is new at the element of its object, or at a new one at the end."""
    for subject, group in groupby(sorted(statements), key=attrgetter("subject")):
        said = list(group)
        element = present.get(subject)
        kind = next((each.value for each in said if each.predicate == TYPE), None)
        if element is None or element.getparent() is None:
            element = _described(subject, kind, spelling)
            root.append(element)
        elif kind is not None:
            element.tag = kind
        _say(element, said, spelling)


def _written(statements: Statements, spelling: _Spelling) -> bytes:
    """Statements as a document of their own; an object whose class is not stated is an rdf:Description."""
    root = etree.Element(ROOT, nsmap={"rdf": RDF, "cim": CIM})
    for subject, group in groupby(sorted(statements), key=attrgetter("subject")):
        said = list(group)
        element = _described(subject, next((each.value for each in said if each.predicate == TYPE), None), spelling)
        root.append(element)
        _say(element, said, spelling)
    return etree.tostring(root, encoding="utf-8")


def _described(subject: str, kind: str | None, spelling: _Spelling) -> etree._Element:
    element = etree.Element(kind or DESCRIPTION, {ABOUT: spelling[subject]}, nsmap={"rdf": RDF, "cim": CIM})
    element.tail = "\n"
    return element


def _say(element: etree._Element, statements: Iterable[Statement], spelling: _Spelling) -> None:
    for each in statements:
        if each.predicate == TYPE:
            continue
        child = etree.SubElement(element, each.predicate, dict(each.attributes))
        if each.kind == "literal":
            child.text = each.value
        elif each.kind == "structure":
            child.extend(list(etree.fromstring(f"<inside>{each.value}</inside>")))
        else:
            child.set(RESOURCE, each.value if each.kind == "resource" else spelling[each.value])
