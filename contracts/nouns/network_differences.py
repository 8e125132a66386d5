"""NetworkDifferences: changes of a network model, forward and back.

Ours [P]; IEC 61970-552 says what a difference model is, Part 13 what is in it, and both leave the exchange open.
The statements are RDF/XML: those that are true after the change and not before (forward), those that were true
before (reverse), and those that must hold for it to be applied.
"""

from enum import StrEnum

from msgspec import Struct, field

from contracts.nouns.network_models import Blob, ObjectMapping
from contracts.types import Instant, Name, ObjectReference, attribute

NAMESPACE = "urn:busbar:2026:NetworkDifferences#"


class DifferenceStatusKind(StrEnum):
    """How far the change is from being built."""

    ABANDONED = "abandoned"
    BUILT = "built"
    IN_SERVICE = "inService"
    PLANNED = "planned"
    PROPOSED = "proposed"
    REMOVED = "removed"
    UNDER_CONSTRUCTION = "underConstruction"


class NetworkDifference(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One change against ``base_model``; undone by exchanging forward and reverse.

    The statements stand inline, each as a document with the root rdf:RDF, or, when they are large, all in the blob
    store by ``blob``, as one difference model of 61970-552; an event and a list have neither. A ``base_model`` without
    mRID is the model that is active.

    Raises:
        ValueError: when it has both.
    """

    mrid: str
    created_date_time: Instant | None = None
    description: str | None = None
    effective_date_time: Instant | None = None
    forward_differences: str | None = None
    model_format: str
    preconditions: str | None = None
    reverse_differences: str | None = None
    revision: int | None = None
    status_kind: DifferenceStatusKind | None = None
    base_model: ObjectReference = field(name="BaseModel")
    blob: Blob | None = field(name="Blob", default=None)
    mapping: tuple[ObjectMapping, ...] = field(name="Mapping", default=())
    names: tuple[Name, ...] = field(name="Names", default=())
    works: tuple[ObjectReference, ...] = field(name="Works", default=())

    def __post_init__(self) -> None:
        inline = (self.forward_differences, self.preconditions, self.reverse_differences)
        if self.blob is not None and any(statements is not None for statements in inline):
            raise ValueError(f"the difference {self.mrid} has its statements both inline and as a blob")


class NetworkDifferences(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the noun."""

    network_difference: tuple[NetworkDifference, ...] = field(name="NetworkDifference", default=())
