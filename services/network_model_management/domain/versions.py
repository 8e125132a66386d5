"""Versions of the model: one is active, the one imported last."""

from datetime import datetime

from msgspec.structs import replace

from contracts.errors import Invalid
from contracts.nouns.network_models import ModelStatusKind, NetworkModel, NetworkModels
from services.network_model_management.domain.model import Finding

MODEL_FORMAT = "CIM100 RDF/XML"
"""The only form of document that is read: one whole model by IEC 61970-552."""


def the_offered(models: NetworkModels) -> NetworkModel:
    """The one model that a request offers.

    Raises:
        Invalid: it offers none or several, in another format, or without a document.
    """
    if len(models.network_model) != 1:
        raise Invalid(f"NetworkModels: {len(models.network_model)} models in one request; one is imported at a time")
    offered = models.network_model[0]
    if offered.model_format != MODEL_FORMAT:
        raise Invalid(f"modelFormat: '{offered.model_format}' is not '{MODEL_FORMAT}'", object_id=offered.mrid)
    if offered.document is None and offered.blob is None:
        raise Invalid("document: the model has neither a document nor a Blob", object_id=offered.mrid)
    return offered


def activated(offered: NetworkModel, revision: int, findings: tuple[Finding, ...], at: datetime) -> NetworkModel:
    """The model as it is told once it is active: without its document, with what was assumed in importing it."""
    told = [f"{finding.mrid}: {finding.text}" for finding in findings]
    description = [offered.description, f"{len(told)} findings: {'; '.join(told)}" if told else None]
    return replace(
        offered,
        created_date_time=at,
        description="; ".join(text for text in description if text) or None,
        document=None,
        blob=None,
        revision=revision,
        status_kind=ModelStatusKind.ACTIVE,
    )


def superseded(model: NetworkModel) -> NetworkModel:
    """An earlier version, kept and no longer in use."""
    return replace(model, status_kind=ModelStatusKind.SUPERSEDED)
