"""A noun of the tests."""

from msgspec import Struct, field

from contracts.types import attribute

NAMESPACE = "urn:test:Orders#"


class Order(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    mrid: str
    amount: int = 0
    note: str | None = None


class Orders(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    order: tuple[Order, ...] = field(name="Order", default=())


def orders(*mrids: str, amount: int = 1, note: str | None = None) -> Orders:
    return Orders(order=tuple(Order(mrid=mrid, amount=amount, note=note) for mrid in mrids))
