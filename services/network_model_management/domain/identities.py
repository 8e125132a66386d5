"""Which object is which: the mRIDs by which objects are known here, and those by which a document names them.

An mRID is never used again, and whoever holds something of an object knows it by its mRID. A document in which an
object has another one, because a system was replaced or two lists were merged, comes with a mapping. From then on its
object is told under the mRID that is known, so what is held of it (switch states, tags, outages, interruptions) stays
as it is, byte by byte.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from contracts.nouns.network_models import ObjectMapping
from services.network_model_management.domain.model import MRID, CimObject, Problem

Identities = Mapping[str, str]
"""The mRID by which each object is known, by the mRID that documents give it; of those that have two."""


class Meaning(Struct, frozen=True, kw_only=True):
    """What the objects of an offered document mean.

    Attributes:
        identities: the mRIDs by which objects are known already.
        mappings: those that come with the document.
        known: all that is told of the active model; only this can be mapped.
    """

    identities: Identities = {}
    mappings: tuple[ObjectMapping, ...] = ()
    known: frozenset[str] = frozenset()

    @property
    def after(self) -> dict[str, str]:
        """The identities with the mappings; an object that is mapped to itself has only one mRID again."""
        found = {**self.identities, **{each.document_mrid: each.mrid for each in self.mappings}}
        return {document: mrid for document, mrid in found.items() if document != mrid}

    @property
    def mapped(self) -> frozenset[str]:
        """The mRIDs of what may have other phases."""
        return frozenset(each.mrid for each in self.mappings)


def known_by(objects: tuple[CimObject, ...], identities: Identities) -> tuple[CimObject, ...]:
    """The objects under the mRIDs by which they are known."""
    if not identities:
        return objects
    return tuple(
        replace(each, values={**each.values, MRID: identities[each.mrid]}) if each.mrid in identities else each
        for each in objects
    )


def mapping_problems(objects: tuple[CimObject, ...], meaning: Meaning) -> Iterator[Problem]:
    """Mappings of what is not there, here or in the document, and two objects that would be one."""
    stated = {each.mrid: each for each in objects}
    sides = {"mRID": [each.mrid for each in meaning.mappings], "documentMRID": _documents(meaning.mappings)}
    for field, mrids in sides.items():
        for mrid, count in sorted(Counter(mrids).items()):
            if count > 1:
                yield Problem(line=0, id=mrid, text=f"Mapping/{field}: named {count} times")
    for each in sorted(meaning.mappings, key=lambda each: (each.mrid, each.document_mrid)):
        if each.mrid not in meaning.known:
            text = "Mapping/mRID: the active model has no such equipment, usage point or node"
            yield Problem(line=0, id=each.mrid, text=text)
        if each.document_mrid not in stated:
            yield Problem(line=0, id=each.document_mrid, text="Mapping/documentMRID: the document has no such object")
    identities = meaning.after
    for document, mrid in sorted(identities.items()):
        if document in stated and mrid in stated and mrid not in identities:
            line = stated[mrid].line
            yield stated[document].problem(f"it is known as {mrid}, and so is the object of line {line}")


def _documents(mappings: Iterable[ObjectMapping]) -> list[str]:
    return [each.document_mrid for each in mappings]
