"""AssetCatalogue: what can be bought and built in: types of assets and their models.

IEC 61968-4:2019 had the message type in its first edition; no public copy of the profile was found. 61968-style:
written from the public class model by the ordering rule, not verified against the published profile [P]. The
namespace is our proposal. Classes: CatalogAssetType and ProductAssetModel.
"""

from decimal import Decimal

from msgspec import Struct, field

from contracts.nouns.asset_kinds import AssetKind
from contracts.nouns.device_types import AssetModelUsageKind, CorporateStandardKind
from contracts.nouns.units import UnitMultiplier
from contracts.types import Name, ObjectReference, attribute

NAMESPACE = "http://iec.ch/TC57/2019/AssetCatalogue#"

Money = Decimal
"""Money in the currency that the utility works in."""

Length = float
"""Metres."""

Mass = float
"""Kilograms."""


class Quantity(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """How many, of what unit."""

    multiplier: UnitMultiplier | None = None
    unit: str | None = None
    value: str | None = None


class ProductAssetModel(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A model of a manufacturer."""

    mrid: str | None = None
    catalogue_number: str | None = None
    corporate_standard_kind: CorporateStandardKind | None = None
    description: str | None = None
    drawing_number: str | None = None
    instruction_manual: str | None = None
    model_number: str | None = None
    model_version: str | None = None
    overall_length: Length | None = None
    style_number: str | None = None
    usage_kind: AssetModelUsageKind | None = None
    weight_total: Mass | None = None
    manufacturer: ObjectReference | None = field(name="Manufacturer", default=None)
    names: tuple[Name, ...] = field(name="Names", default=())


class CatalogAssetType(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A type of asset in the catalogue; ``asset_info`` is its type data in the network model."""

    mrid: str
    description: str | None = None
    estimated_unit_cost: Money | None = None
    kind: AssetKind | None = None
    stock_item: bool | None = None
    type: str | None = None
    asset_info: ObjectReference | None = field(name="AssetInfo", default=None)
    names: tuple[Name, ...] = field(name="Names", default=())
    product_asset_model: tuple[ProductAssetModel, ...] = field(name="ProductAssetModel", default=())
    quantity: Quantity | None = None


class AssetCatalogue(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile."""

    catalog_asset_type: tuple[CatalogAssetType, ...] = field(name="CatalogAssetType", default=())
