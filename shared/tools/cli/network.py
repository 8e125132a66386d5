"""`busbar network`: models of the network in and out, through the same door as everybody's."""

import asyncio
import hashlib
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from contracts.errors import NotFound
from contracts.nouns.network_models import Blob, ModelStatusKind, NetworkModel, NetworkModels
from contracts.types import Name
from contracts.verbs import Verb
from shared.config import Settings
from shared.tools.cli.asking import asked, insisted, operator
from shared.tools.cli.composition import Composition

SHIPPED = Path(__file__).resolve().parents[3] / "infra" / "networks"
MANAGEMENT = "network-model-management"
INLINE_BYTES = 400_000
"""A larger document goes through the object store."""


async def import_network(settings: Settings, composition: Composition, name: str) -> NetworkModel:
    """Import a file, or a network that is shipped by its name; the model that is active then.

    Raises:
        NotFound: there is no such file.
        Invalid: the model is refused, with everything that is wrong.
    """
    file = _file(name)
    document = await asyncio.to_thread(file.read_bytes)
    digest = hashlib.sha256(document).hexdigest()
    model = NetworkModel(
        mrid=str(uuid5(NAMESPACE_URL, digest)),
        model_format="CIM100 RDF/XML",
        description=file.stem,
        names=(Name(name=file.stem),),
    )
    async with operator(settings, composition) as peer:
        if len(document) <= INLINE_BYTES:
            model = _with(model, document=document.decode("utf-8"))
        else:
            reference = await peer.bus.blobs.put(document)
            model = _with(model, blob=Blob(reference=reference, sha256=digest, size=len(document)))
        answer = await insisted(peer, MANAGEMENT, Verb.CREATE, NetworkModels(network_model=(model,)))
    created: NetworkModel = answer.network_model[0]
    return created


def _file(name: str) -> Path:
    """The file of that path, or the network that is shipped under that name.

    Raises:
        NotFound: there is neither.
    """
    for file in (Path(name), SHIPPED / f"{name}.xml"):
        if file.exists():
            return file
    shipped = ", ".join(sorted(each.stem for each in SHIPPED.glob("*.xml")))
    raise NotFound(f"there is no file '{name}', and no network of that name is shipped ({shipped} is)")


async def networks(
    settings: Settings, composition: Composition, *, patience_s: float = 0.0
) -> tuple[NetworkModel, ...]:
    """The models that are known, without their documents; ``patience_s`` for a role that is only just starting."""
    async with operator(settings, composition) as peer:
        answer: NetworkModels = await insisted(peer, MANAGEMENT, Verb.GET, NetworkModels, patience_s=patience_s)
    return answer.network_model


async def export_network(settings: Settings, composition: Composition, mrid: str | None) -> str:
    """The document of a model, by default of the active one.

    Raises:
        NotFound: there is no such model.
    """
    async with operator(settings, composition) as peer:
        known: NetworkModels = await asked(peer, MANAGEMENT, Verb.GET, NetworkModels)
        wanted = mrid or next(
            (model.mrid for model in known.network_model if model.status_kind is ModelStatusKind.ACTIVE), None
        )
        if wanted is None:
            raise NotFound("no network is active")
        answer: NetworkModels = await asked(peer, MANAGEMENT, Verb.GET, NetworkModels, ids=[wanted])
        model = answer.network_model[0]
        if model.blob is not None:
            document: bytes = await peer.bus.blobs.get(model.blob.reference)
            return document.decode("utf-8")
    return model.document or ""


def _with(model: NetworkModel, **fields: object) -> NetworkModel:
    values = {name: getattr(model, name) for name in model.__struct_fields__} | fields
    return NetworkModel(**values)
