"""NetworkModels: a model of the network as a document, with its place in the life of models.

Ours [P]; Part 13 says what is in the document (CIM RDF/XML) and leaves the exchange open.
"""

from enum import StrEnum

from msgspec import Struct, field

from contracts.types import Instant, Name, attribute

NAMESPACE = "urn:busbar:2026:NetworkModels#"


class ModelStatusKind(StrEnum):
    """Where a model is in its life; one model is active in a context."""

    ACTIVE = "active"
    IMPORTED = "imported"
    REJECTED = "rejected"
    SUPERSEDED = "superseded"
    VALIDATED = "validated"


class Blob(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """Where the document is in the blob store, with its SHA-256 in hexadecimal digits and its size in bytes."""

    reference: str
    sha256: str
    size: int


class ModelFindingKind(StrEnum):
    """What the model leaves open; none of it keeps the model out."""

    CROWDED_TRANSFORMER = "crowdedTransformer"
    DUPLICATE_NAME = "duplicateName"
    IMPLAUSIBLE_IMPEDANCE = "implausibleImpedance"
    INCOMPLETE_TRANSFORMER = "incompleteTransformer"
    LEFT_OUT = "leftOut"
    LOOP = "loop"
    MISPLACED = "misplaced"
    MISSING_BASE_VOLTAGE = "missingBaseVoltage"
    MISSING_IMPEDANCE = "missingImpedance"
    MISSING_PHASES = "missingPhases"
    MISSING_PLACE = "missingPlace"
    MISSING_RATING = "missingRating"
    MIXED_BASE_VOLTAGES = "mixedBaseVoltages"
    NORMAL_POSITION = "normalPosition"
    NO_TRANSFORMER = "noTransformer"
    OPEN_PHASE = "openPhase"
    PHASES_NOT_SUPPLIED = "phasesNotSupplied"
    PROTECTION_ORDER = "protectionOrder"
    UNKNOWN_CLASS = "unknownClass"
    UNPROTECTED = "unprotected"
    UNREADABLE_NUMBER = "unreadableNumber"
    UNSUPPLIED_CONSUMER = "unsuppliedConsumer"
    UNSUPPLIED_ISLAND = "unsuppliedIsland"


class ModelFinding(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """What was assumed of one object because the model does not say it; ``mrid`` is that object's."""

    mrid: str
    description: str
    kind: ModelFindingKind


class ObjectMapping(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """Which object a document means: the one that is known as ``mrid`` is ``documentMRID`` in the document.

    It goes on to be told as ``mrid``, in this version and in all that follow. An object that is mapped may have other
    phases than before; one that only has other phases is mapped to itself.
    """

    mrid: str
    document_mrid: str = field(name="documentMRID")


class NetworkModel(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One model; ``model_format`` says how to read it, such as ``CIM100 RDF/XML``.

    The document stands inline in ``document`` or, when it is large, in the blob store by ``blob``; an event and a list
    have neither. A model in several documents is told as several of these with one mRID. ``finding_count`` is how many
    findings there were; ``finding`` lists them where the model is asked for by its mRID, of each kind a hundred.

    Raises:
        ValueError: when it has both.
    """

    mrid: str
    created_date_time: Instant | None = None
    description: str | None = None
    document: str | None = None
    finding_count: int | None = None
    model_format: str
    revision: int | None = None
    status_kind: ModelStatusKind | None = None
    blob: Blob | None = field(name="Blob", default=None)
    finding: tuple[ModelFinding, ...] = field(name="Finding", default=())
    mapping: tuple[ObjectMapping, ...] = field(name="Mapping", default=())
    names: tuple[Name, ...] = field(name="Names", default=())

    def __post_init__(self) -> None:
        if self.document is not None and self.blob is not None:
            raise ValueError(f"the model {self.mrid} has its document both inline and as a blob")


class NetworkModels(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the noun."""

    network_model: tuple[NetworkModel, ...] = field(name="NetworkModel", default=())
