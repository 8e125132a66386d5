"""Documents: where they come from, and RDF/XML of IEC 61970-552 as values of the domain."""

from datetime import datetime
from hashlib import sha256
from typing import Protocol, cast

from lxml import etree
from msgspec.structs import replace

from contracts.errors import Invalid
from contracts.nouns.network_models import Blob, NetworkModel
from services.network_model_management.domain.derivation import Import, import_model
from services.network_model_management.domain.model import CIM, CimObject, Problem

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_ROOT = f"{{{_RDF}}}RDF"
_IDENTIFIERS = (f"{{{_RDF}}}about", f"{{{_RDF}}}ID")
_RESOURCE = f"{{{_RDF}}}resource"
_CIM_TAG = f"{{{CIM}}}"

INLINE_LIMIT = 400_000
"""A document of more bytes is told by reference, so that it fits in a message of 1 MiB with its markup escaped."""


class Blobs(Protocol):
    """The object store of the context."""

    async def put(self, data: bytes) -> str:
        """Keep ``data`` and return a reference to it."""

    async def get(self, reference: str) -> bytes:
        """What is kept under ``reference``."""


def digest_of(document: bytes) -> str:
    """The SHA-256 of a document in hexadecimal digits."""
    return sha256(document).hexdigest()


async def document_of(model: NetworkModel, blobs: Blobs) -> bytes:
    """The document of an offered model, from the message or from the object store, in UTF-8.

    Raises:
        Invalid: the bytes in the object store are not those that the reference tells of.
    """
    if model.blob is None:
        return (model.document or "").encode()
    document = await blobs.get(model.blob.reference)
    if digest_of(document) != model.blob.sha256.lower():
        raise Invalid("Blob/sha256: the document in the object store is another one", object_id=model.mrid)
    return document


async def with_document(model: NetworkModel, document: bytes, blobs: Blobs) -> NetworkModel:
    """The model with its document: inline when it is small, else by reference."""
    if len(document) <= INLINE_LIMIT:
        return replace(model, document=document.decode())
    reference = await blobs.put(document)
    return replace(model, blob=Blob(reference=reference, sha256=digest_of(document), size=len(document)))


def import_document(document: bytes, version: str, at: datetime) -> Import:
    """The feeders in a CIM100 document as ``version`` of the model from ``at`` on, or all that is wrong with it.

    A pure function of the bytes, so that it can run in another process.
    """
    objects, problems = read_document(document)
    return Import(problems=problems) if problems else import_model(objects, version, at)


def read_document(document: bytes) -> tuple[tuple[CimObject, ...], tuple[Problem, ...]]:
    """The CIM objects of an RDF/XML document in UTF-8, and why it is not one.

    The reader knows no DTD, no entities and no network. Elements of other namespaces, such as the header
    ``md:FullModel``, are passed over.
    """
    parser = etree.XMLParser(
        encoding="utf-8", resolve_entities=False, load_dtd=False, no_network=True, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(document, parser)
    except etree.XMLSyntaxError as error:
        return (), (Problem(line=error.lineno or 0, text=f"ill-formed XML: {error.msg}"),)
    if root.getroottree().docinfo.internalDTD is not None:
        return (), (Problem(line=1, text="a DOCTYPE is not allowed"),)
    if root.tag != _ROOT:
        return (), (Problem(line=_line(root), text=f"the root is {root.tag}, not rdf:RDF"),)
    objects: list[CimObject] = []
    problems: list[Problem] = []
    for element in root.iterchildren(f"{_CIM_TAG}*"):
        identifier = next((element.get(name) for name in _IDENTIFIERS if name in element.attrib), None)
        if identifier is None:
            problems.append(Problem(line=_line(element), text=f"{_local(element)} without rdf:about or rdf:ID"))
        else:
            objects.append(_object(element, _bare(identifier)))
    if not objects and not problems:
        problems.append(Problem(line=_line(root), text=f"no object of the namespace {CIM}"))
    return tuple(objects), tuple(problems)


def _object(element: etree._Element, identifier: str) -> CimObject:
    values: dict[str, str] = {}
    links: dict[str, tuple[str, ...]] = {}
    for child in element.iterchildren(f"{_CIM_TAG}*"):
        name = _local(child)
        resource = child.get(_RESOURCE)
        if resource is None:
            values[name] = (child.text or "").strip()
        elif resource.startswith(CIM):
            values[name] = resource.rpartition(".")[2]
        else:
            links[name] = (*links.get(name, ()), _bare(resource))
    return CimObject(kind=_local(element), id=identifier, line=_line(element), values=values, links=links)


def _bare(identifier: str) -> str:
    """The identifier without what 61970-552 allows around it: ``urn:uuid:x``, ``#_x`` and ``_x`` are ``x``."""
    return identifier.removeprefix("urn:uuid:").removeprefix("#").removeprefix("_")


def _local(element: etree._Element) -> str:
    return etree.QName(element).localname


def _line(element: etree._Element) -> int:
    # lxml-stubs leaves the type of the attribute out.
    return cast("int | None", element.sourceline) or 0
