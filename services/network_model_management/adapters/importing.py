"""From the documents of an offered model to its feeders: what runs in the process pool."""

from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from contracts.nouns.network_differences import NetworkDifference
from contracts.nouns.network_models import NetworkModel
from services.network_model_management.adapters.blobs import INLINE_LIMIT, Blobs, fetched, stored
from services.network_model_management.adapters.difference_model import Offer, Outcome, apply_offer, difference_model
from services.network_model_management.adapters.pandapower_network import converted
from services.network_model_management.adapters.plain_rdf import read_document
from services.network_model_management.adapters.rdf import merged, no_collection
from services.network_model_management.domain.derivation import Import, import_model
from services.network_model_management.domain.identities import Meaning, known_by, mapping_problems
from services.network_model_management.domain.model import Problem
from services.network_model_management.domain.problems import Objects, document_problems, joined
from services.network_model_management.domain.versions import PANDAPOWER


class Document(Struct, frozen=True, kw_only=True):
    """A document of a model; ``file`` is its name where the model has several."""

    content: bytes
    model_format: str
    file: str = ""


class Imported(Struct, frozen=True, kw_only=True):
    """A model that may become the active version, as one document; or why it may not."""

    document: bytes
    result: Import


class Changed(Struct, frozen=True, kw_only=True):
    """A model after a difference, and the exact difference."""

    imported: Imported
    outcome: Outcome


async def documents_of(offered: tuple[NetworkModel, ...], blobs: Blobs) -> tuple[Document, ...]:
    """The documents of an offered model, from the message or from the object store, in UTF-8.

    Raises:
        Invalid: the bytes in the object store are not those that the reference tells of.
    """
    several = len(offered) > 1
    found = []
    for place, model in enumerate(offered, start=1):
        name = model.names[0].name if model.names else f"document {place}"
        content = await fetched(model.blob, blobs, model.mrid) if model.blob else (model.document or "").encode()
        found.append(Document(content=content, model_format=model.model_format, file=name if several else ""))
    return tuple(found)


def validated(*documents: bytes, files: tuple[str, ...] = ("",)) -> tuple[Objects, tuple[Problem, ...]]:
    """The objects of a model in documents with these names, and everything that is wrong with them by line.

    A pure function of the bytes, so that it can run in another process.
    """
    with no_collection():
        read = [read_document(document, file) for document, file in zip(documents, files, strict=True)]
        problems = tuple(problem for _, found in read for problem in found)
        if problems:
            return (), problems
        objects, problems = joined(tuple(objects for objects, _ in read))
        return objects, problems or document_problems(objects)


def import_documents(
    documents: tuple[Document, ...], version: str, at: datetime, meaning: Meaning | None = None
) -> Imported:
    """The feeders in the documents as ``version`` of the model from ``at`` on, or all that is wrong with them."""
    contents = tuple(each.content for each in documents)
    if documents[0].model_format == PANDAPOWER:
        content, problems = converted(contents[0])
        if problems:
            return Imported(document=b"", result=Import(problems=problems))
        contents = (content,)
    objects, problems = validated(*contents, files=tuple(each.file for each in documents))
    if problems:
        return Imported(document=b"", result=Import(problems=problems))
    with no_collection():
        result = _meant(objects, version, at, meaning)
        return Imported(document=contents[0] if len(contents) == 1 else merged(contents), result=result)


def change_document(
    document: bytes, offer: Offer, version: str, at: datetime, meaning: Meaning | None = None
) -> Changed:
    """A model after a difference as ``version`` from ``at`` on, or all that is wrong with either of them."""
    outcome = apply_offer(document, offer)
    problems = outcome.problems
    if not problems:
        objects, problems = validated(outcome.document, files=("after the difference",))
    result = Import(problems=problems) if problems else _meant(objects, version, at, meaning)
    return Changed(imported=Imported(document=outcome.document, result=result), outcome=outcome)


def _meant(objects: Objects, version: str, at: datetime, meaning: Meaning | None) -> Import:
    """What the objects are under the mRIDs by which they are known."""
    meaning = meaning or Meaning()
    problems = tuple(mapping_problems(objects, meaning))
    return Import(problems=problems) if problems else import_model(known_by(objects, meaning.after), version, at)


async def with_document(model: NetworkModel, document: bytes, blobs: Blobs) -> NetworkModel:
    """The model with its document: inline when it is small, else by reference."""
    if len(document) <= INLINE_LIMIT:
        return replace(model, document=document.decode())
    return replace(model, blob=await stored(document, blobs))


async def with_statements(
    difference: NetworkDifference, forward: bytes, reverse: bytes, blobs: Blobs
) -> NetworkDifference:
    """The difference with its statements: inline when they are few, else as one difference model by reference."""
    if len(forward) + len(reverse) <= INLINE_LIMIT:
        return replace(
            difference, forward_differences=forward.decode() or None, reverse_differences=reverse.decode() or None
        )
    whole = difference_model(difference.mrid, forward, reverse)
    return replace(difference, blob=await stored(whole, blobs))
