"""The catalogue: types of assets, entered and changed."""

from collections.abc import Iterable

from contracts.errors import NotFound
from contracts.message import Message
from contracts.nouns.asset_catalogue import AssetCatalogue, CatalogAssetType
from contracts.verbs import Verb
from services.asset_management.domain import changes
from services.asset_management.service.declared import service
from services.asset_management.service.register import ids_of
from services.asset_management.store import Store
from services.asset_management.views.digests import digest
from shared.work import Work


@service.on(Verb.CREATE, AssetCatalogue)
async def enter_types(message: Message[AssetCatalogue], work: Work[Store]) -> AssetCatalogue:
    """Types come into the catalogue; the same ones again change nothing."""
    await work.store.lock_register()
    sent = [(each.mrid, digest(each), each) for each in message.noun.catalog_asset_type]
    new = changes.fresh(sent, await work.store.catalogue_digests([mrid for mrid, _, _ in sent]))
    await work.store.save_types([(each, digest(each)) for each in new])
    for each in new:
        work.publish(Verb.CREATED, AssetCatalogue(catalog_asset_type=(each,)), key=each.mrid)
    return references(message.noun.catalog_asset_type)


@service.on(Verb.CHANGE, AssetCatalogue)
async def change_types(message: Message[AssetCatalogue], work: Work[Store]) -> AssetCatalogue:
    """A type is replaced by what is said now."""
    await work.store.lock_register()
    known = await work.store.catalogue_digests([each.mrid for each in message.noun.catalog_asset_type])
    for each in message.noun.catalog_asset_type:
        if each.mrid not in known:
            raise NotFound("there is no such type in the catalogue", object_id=each.mrid)
        if known[each.mrid] != digest(each):
            await work.store.save_types([(each, digest(each))])
            work.publish(Verb.CHANGED, AssetCatalogue(catalog_asset_type=(each,)), key=each.mrid)
    return references(message.noun.catalog_asset_type)


@service.on(Verb.GET, AssetCatalogue)
async def show_types(message: Message[AssetCatalogue], work: Work[Store]) -> AssetCatalogue:
    """The types that are named, by themselves or by their models, or all."""
    ids = ids_of(message)
    found = await work.store.catalogue(ids)
    if ids and not found:
        raise NotFound("there is no such type in the catalogue", object_id=ids[0])
    return AssetCatalogue(catalog_asset_type=tuple(found))


def references(types: Iterable[CatalogAssetType]) -> AssetCatalogue:
    """What an answer says of types that were entered or changed."""
    return AssetCatalogue(catalog_asset_type=tuple(CatalogAssetType(mrid=each.mrid) for each in types))
