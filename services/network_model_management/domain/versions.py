"""Versions of the model: one is active, the one that came last."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec.structs import replace

from contracts.errors import Invalid
from contracts.nouns.network_differences import DifferenceStatusKind, NetworkDifference, NetworkDifferences
from contracts.nouns.network_models import ModelFinding, ModelStatusKind, NetworkModel, NetworkModels
from contracts.types import ObjectReference
from services.network_model_management.domain.model import Finding

RDF_XML = "CIM100 RDF/XML"
"""One whole model, or one difference model, by IEC 61970-552."""

PANDAPOWER = "pandapower JSON"
"""A network as pandapower writes it."""

INSTANT = timedelta(milliseconds=1)
"""The least time between two versions; a granted clock may stand still between them."""

FORMATS = (RDF_XML, PANDAPOWER)


def the_offered(models: NetworkModels) -> tuple[NetworkModel, ...]:
    """The one model that a request offers, in one document or in several under one mRID.

    Raises:
        Invalid: it offers none or several, in another format, or without a document.
    """
    offered = models.network_model
    if len({each.mrid for each in offered}) != 1:
        raise Invalid(f"NetworkModels: {len(offered)} models in one request; one is imported at a time")
    for each in offered:
        if each.model_format not in FORMATS:
            known = "' nor '".join(FORMATS)
            raise Invalid(f"modelFormat: '{each.model_format}' is neither '{known}'", object_id=each.mrid)
        if each.document is None and each.blob is None:
            raise Invalid("document: the model has neither a document nor a Blob", object_id=each.mrid)
    if len(offered) > 1 and any(each.model_format != RDF_XML for each in offered):
        raise Invalid(f"modelFormat: only '{RDF_XML}' may be in several documents", object_id=offered[0].mrid)
    return offered


def the_difference(differences: NetworkDifferences) -> NetworkDifference:
    """The one difference that a request asks to apply.

    Raises:
        Invalid: it has none or several, in another format, or without statements.
    """
    if len(differences.network_difference) != 1:
        count = len(differences.network_difference)
        raise Invalid(f"NetworkDifferences: {count} differences in one request; one is applied at a time")
    difference = differences.network_difference[0]
    if difference.model_format != RDF_XML:
        raise Invalid(f"modelFormat: '{difference.model_format}' is not '{RDF_XML}'", object_id=difference.mrid)
    if difference.blob is None and not (difference.forward_differences or difference.reverse_differences):
        raise Invalid("the difference has neither statements nor a Blob", object_id=difference.mrid)
    return difference


def valid_from(versions: Iterable[NetworkModel], now: datetime) -> datetime:
    """Since when the next version is valid: now, and after every version before, so that no two share an instant."""
    told = [each.created_date_time + INSTANT for each in versions if each.created_date_time is not None]
    return max([now, *told])


def activated(offered: NetworkModel, revision: int, finding_count: int, at: datetime) -> NetworkModel:
    """The model as it is told once it is active: without its document, with how many findings there were."""
    return replace(
        offered,
        created_date_time=at,
        document=None,
        blob=None,
        finding=(),
        mapping=(),
        finding_count=finding_count,
        model_format=RDF_XML,
        revision=revision,
        status_kind=ModelStatusKind.ACTIVE,
    )


def superseded(model: NetworkModel) -> NetworkModel:
    """An earlier version, kept and no longer in use."""
    return replace(model, status_kind=ModelStatusKind.SUPERSEDED)


def with_findings(model: NetworkModel, findings: tuple[Finding, ...]) -> NetworkModel:
    """The model with what was assumed of it."""
    told = (ModelFinding(mrid=each.mrid, description=each.text, kind=each.kind) for each in findings)
    return replace(model, finding=tuple(told))


def in_service(difference: NetworkDifference, model: NetworkModel, at: datetime) -> NetworkDifference:
    """A difference as it is told once ``model`` is the version that it made: without its statements."""
    return replace(
        difference,
        created_date_time=difference.created_date_time or at,
        effective_date_time=at,
        forward_differences=None,
        preconditions=None,
        reverse_differences=None,
        revision=model.revision,
        status_kind=DifferenceStatusKind.IN_SERVICE,
        base_model=ObjectReference(mrid=model.mrid, names=model.names),
        blob=None,
    )
