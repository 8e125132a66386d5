"""RDF/XML of IEC 61970-552: documents as objects of the domain, several documents as one, one object out of many."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import cast

from lxml import etree

from services.network_model_management.domain.model import CIM, FOLLOWED, MRID, CimObject, Problem

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
ROOT = f"{{{RDF}}}RDF"
ABOUT = f"{{{RDF}}}about"
ID = f"{{{RDF}}}ID"
RESOURCE = f"{{{RDF}}}resource"
DESCRIPTION = f"{{{RDF}}}Description"
CIM_TAG = f"{{{CIM}}}"


class _LocalNames(dict[str, str]):
    """Names without their namespace, each cut once."""

    def __missing__(self, tag: str) -> str:
        name = self[tag] = tag.rpartition("}")[2]
        return name


def parser(*, keep_all: bool = False) -> etree.XMLParser:
    """A parser that knows no DTD, no entities and no network; with ``keep_all`` comments and blanks stay."""
    return etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        collect_ids=False,
        remove_comments=not keep_all,
        remove_pis=not keep_all,
        remove_blank_text=not keep_all,
    )


def parse(
    document: bytes, *, file: str = "", keep_all: bool = False
) -> tuple[etree._Element | None, tuple[Problem, ...]]:
    """The root of an RDF/XML document in UTF-8, or why it is not one."""
    try:
        root = etree.fromstring(document, parser(keep_all=keep_all))
    except etree.XMLSyntaxError as error:
        return None, (Problem(file=file, line=error.lineno or 0, text=f"ill-formed XML: {error.msg}"),)
    if root.getroottree().docinfo.internalDTD is not None:
        return None, (Problem(file=file, line=1, text="a DOCTYPE is not allowed"),)
    if root.tag != ROOT:
        return None, (Problem(file=file, line=_line(root), text=f"the root is {root.tag}, not rdf:RDF"),)
    return root, ()


def read_tree(document: bytes, file: str = "") -> tuple[tuple[CimObject, ...], tuple[Problem, ...]]:
    """The CIM objects of an RDF/XML document in UTF-8, from the tree of lxml, and why it is not one."""
    root, problems = parse(document, file=file)
    return ((), problems) if root is None else _objects(root, file)


def bare(uri: str) -> str:
    """The identifier without what 61970-552 allows around it: ``urn:uuid:x``, ``#_x`` and ``_x`` are ``x``."""
    if uri.startswith("urn:uuid:"):
        uri = uri[9:]
    elif uri.startswith("#"):
        uri = uri[1:]
    return uri.removeprefix("_")


class Bare(dict[str, str]):
    """Identifiers without their prefix; all that name the same object are one string, which is looked up faster."""

    def __missing__(self, uri: str) -> str:
        name = self[uri] = bare(uri)
        return name


def uri_of(element: etree._Element) -> str | None:
    """The identifier of the object that an element describes, as it is spelled in a link."""
    about = element.get(ABOUT)
    if about is not None:
        return about
    name = element.get(ID)
    return None if name is None else f"#{name}"


def merged(documents: tuple[bytes, ...]) -> bytes:
    """Several documents as one with the same statements; what is said of one object stands together.

    The documents must have been read without a problem.
    """
    roots = [etree.fromstring(document, parser(keep_all=True)) for document in documents]
    first, *others = roots
    known = {bare(uri): element for element in first.iterchildren(etree.Element) if (uri := uri_of(element))}
    for root in others:
        for element in list(root.iterchildren(etree.Element)):
            uri = uri_of(element)
            target = known.get(bare(uri)) if uri else None
            if target is None:
                first.append(element)
                known.update({bare(uri): element} if uri else {})
            else:
                said = {_signature(child) for child in target.iterchildren(etree.Element)}
                added = [child for child in element.iterchildren(etree.Element) if _signature(child) not in said]
                target.extend(added)
    return etree.tostring(first, encoding="utf-8", xml_declaration=True)


def excerpt(document: bytes, wanted: frozenset[str]) -> tuple[bytes, frozenset[str]]:
    """The objects with these identifiers as a document of their own, and the identifiers that were found.

    An object is known by its identifier of RDF or by the mRID that it states.
    """
    root, _ = parse(document, keep_all=True)
    found: set[str] = set()
    if root is None:
        return b"", frozenset()
    kept = etree.Element(root.tag, nsmap=cast("dict[str, str]", root.nsmap))
    for element in root.iterchildren(etree.Element):
        names = {bare(uri_of(element) or ""), element.findtext(f"{CIM_TAG}{MRID}", "")}
        if names & wanted:
            found |= names & wanted
            kept.append(deepcopy(element))
    return etree.tostring(kept, encoding="utf-8"), frozenset(found)


@contextmanager
def no_collection() -> Iterator[None]:
    """Without the search for cycles: a million new objects have none, and to look for them takes half the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _objects(root: etree._Element, file: str) -> tuple[tuple[CimObject, ...], tuple[Problem, ...]]:
    names, bares = _LocalNames(), Bare()
    objects: list[CimObject] = []
    problems: list[Problem] = []
    for element in root:
        tag = element.tag
        if not tag.startswith(CIM_TAG):
            continue
        identity = element.items()
        if len(identity) != 1 or identity[0][0] not in {ABOUT, ID}:
            wrong = "without" if uri_of(element) is None else "with other attributes than one of"
            text = f"{names[tag]} {wrong} rdf:about or rdf:ID"
            problems.append(Problem(file=file, line=_line(element), text=text))
            continue
        kind = names[tag]
        followed = kind in FOLLOWED
        values: dict[str, str] = {}
        links: dict[str, str] = {}
        for child in element:
            name = names[child.tag]
            literal = child.text
            # to ask for an attribute costs more than all else here, so only what has no text is asked
            resource = child.get(RESOURCE) if literal is None or literal.isspace() else None
            if resource is None:
                if followed or name == MRID:
                    values[name] = literal or ""
            elif resource.startswith("http"):
                values[name] = resource.rpartition(".")[2]
            elif name in links:
                links[name] = f"{links[name]} {bares[resource]}"
            else:
                links[name] = bares[resource]
        objects.append(
            CimObject(
                kind=names[tag],
                id=bares[str(identity[0][1])],
                line=_line(element),
                values=values,
                links=links,
                file=file,
            )
        )
    if not objects and not problems:
        problems.append(Problem(file=file, line=_line(root), text=f"no object of the namespace {CIM}"))
    return tuple(objects), tuple(problems)


def _signature(element: etree._Element) -> tuple[str, str, str]:
    """What makes two properties of one object the same statement."""
    inner = b"".join(etree.tostring(child, method="c14n", exclusive=True) for child in element)
    attributes = repr(sorted(element.items()))
    return element.tag, attributes, f"{element.text or ''}{inner.decode()}"


def _line(element: etree._Element) -> int:
    # lxml-stubs leaves the type of the attribute out.
    return cast("int | None", element.sourceline) or 0
