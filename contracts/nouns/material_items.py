"""MaterialItems: what lies in the stores, and how much of it is promised to orders.

The noun is ours [P], from the class MaterialItem of Part 6; no public profile tells of stock. Quantities are whole
numbers of ``unit``. ``quantity`` is what lies there, ``safety_stock`` what is never promised; ``allocated`` is what
work management has promised, and only work management says it.

A task of an order names an item by the mRID of its MaterialItems.
"""

from msgspec import Struct, field

from contracts.nouns.units import UnitMultiplier
from contracts.types import Name, attribute

NAMESPACE = "urn:busbar:2026:MaterialItems#"


class IntegerQuantity(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A whole number of a unit."""

    multiplier: UnitMultiplier | None = None
    unit: str | None = None
    value: int


class MaterialItem(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One kind of thing in the stores."""

    mrid: str
    description: str | None = None
    allocated: IntegerQuantity | None = None
    names: tuple[Name, ...] = field(name="Names", default=())
    quantity: IntegerQuantity | None = None
    safety_stock: IntegerQuantity | None = None


class MaterialItems(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the noun."""

    material_item: tuple[MaterialItem, ...] = field(name="MaterialItem", default=())
