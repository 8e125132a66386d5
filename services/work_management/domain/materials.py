"""Material: promised to an order whole or not at all, used by its crew, the rest returned.

The stores' own system keeps the ledger; here is what lies there as it was last told, less what was used since.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from contracts.nouns.maintenance_orders import MaterialItem as Piece
from contracts.nouns.material_items import IntegerQuantity, MaterialItem
from services.work_management.domain.orders import Order
from services.work_management.domain.states import DONE, OVER, State


class Promise(StrEnum):
    """What has become of material that an order was promised."""

    RESERVED = "reserved"
    CONSUMED = "consumed"
    RELEASED = "released"


class Reservation(Struct, frozen=True, kw_only=True):
    """An item for an order; ``used`` of ``quantity`` were consumed, what is left was returned."""

    order: str
    item: str
    quantity: int
    used: int = 0
    state: Promise = Promise.RESERVED


class Stock(Struct, frozen=True, kw_only=True):
    """An item of the stores, with what is promised of it."""

    told: MaterialItem
    reserved: int = 0

    @property
    def on_hand(self) -> int:
        """How much lies there."""
        return 0 if self.told.quantity is None else self.told.quantity.value

    @property
    def free(self) -> int:
        """How much can be promised: what lies there less what is promised and less the safety stock."""
        safety = 0 if self.told.safety_stock is None else self.told.safety_stock.value
        return self.on_hand - self.reserved - safety

    def shown(self) -> MaterialItem:
        """The item as it is told, with what is allocated."""
        unit = None if self.told.quantity is None else self.told.quantity.unit
        return replace(self.told, allocated=IntegerQuantity(unit=unit, value=self.reserved))


def wanted(order: Order) -> dict[str, int]:
    """What an order is planned to take, by the mRID of the item."""
    kit: Counter[str] = Counter()
    for work in order.planned.work:
        for task in work.work_tasks:
            _count(task.material_items, kit)
    return {item: many for item, many in kit.items() if many > 0}


def used(order: Order) -> dict[str, int] | None:
    """What the crew says that it used; None where it says nothing and nothing was planned for it either."""
    said = {told.task.mrid for told in order.told if told.done and told.task.material_items}
    if not said:
        return None
    kit: Counter[str] = Counter()
    for task in order.tasks:
        if task.mrid in said:
            _count(task.material_items, kit)
    return dict(kit)


def _count(items: tuple[Piece, ...], kit: Counter[str]) -> None:
    for piece in items:
        if piece.mrid is not None and piece.quantity is not None:
            kit[piece.mrid] += piece.quantity.value or 0


def lacking(kit: Mapping[str, int], stocks: Mapping[str, Stock]) -> list[str]:
    """What keeps a kit from being promised whole, in words."""
    found = []
    for item, many in sorted(kit.items()):
        stock = stocks.get(item)
        free = 0 if stock is None else max(0, stock.free)
        if free < many:
            found.append(f"{many} of '{item}', of which {free} are free")
    return found


def after(order: Order, held: Mapping[str, Reservation], stocks: Mapping[str, Stock]) -> list[Reservation]:
    """The reservations of an order as they have to be now; whole or not at all, and used only once.

    Args:
        order: as it is now.
        held: its reservations so far, by item.
        stocks: the items that it wants.
    """
    if order.state in DONE:
        return _used(order, held)
    if order.state in OVER:
        return _released(held)
    if order.state is State.IN_REVIEW:
        return []
    kit = wanted(order)
    own = {item: each.quantity for item, each in held.items() if each.state is Promise.RESERVED}
    if own == kit:
        return []
    less = {item: without(stock, held.get(item)) for item, stock in stocks.items()}
    if lacking(kit, less):
        return _released(held)
    gone = [each for item, each in held.items() if item not in kit]
    return _released({each.item: each for each in gone}) + [
        Reservation(order=order.mrid, item=item, quantity=many) for item, many in sorted(kit.items())
    ]


def _used(order: Order, held: Mapping[str, Reservation]) -> list[Reservation]:
    said = used(order)
    if said is None:
        return [] if wanted(order) and not _is_cut_short(order) else _released(held)
    return [
        Reservation(
            order=order.mrid,
            item=item,
            quantity=held[item].quantity if item in held else 0,
            used=said.get(item, 0),
            state=Promise.CONSUMED,
        )
        for item in sorted({*held, *said})
    ]


def without(stock: Stock, own: Reservation | None) -> Stock:
    """A stock as if what one order is promised of it were free."""
    promised = own.quantity if own is not None and own.state is Promise.RESERVED else 0
    return Stock(told=stock.told, reserved=stock.reserved - promised)


def taken(
    changes: Iterable[Reservation], held: Mapping[str, Reservation], stocks: Mapping[str, Stock]
) -> list[MaterialItem]:
    """The items of which less lies there, or more again, now that it is known what was used."""
    found = []
    for each in changes:
        more = each.used - (held[each.item].used if each.item in held else 0)
        stock = stocks.get(each.item)
        if more and stock is not None:
            unit = None if stock.told.quantity is None else stock.told.quantity.unit
            found.append(replace(stock.told, quantity=IntegerQuantity(unit=unit, value=stock.on_hand - more)))
    return found


def _is_cut_short(order: Order) -> bool:
    return all(life.outcome != "done" for life in order.lives())


def _released(held: Mapping[str, Reservation]) -> list[Reservation]:
    return [
        Reservation(order=each.order, item=item, quantity=each.quantity, used=each.used, state=Promise.RELEASED)
        for item, each in sorted(held.items())
        if each.state is Promise.RESERVED
    ]


def is_reconciled(order: Order) -> bool:
    """Whether it is known what became of the material that an order was planned to take."""
    return not wanted(order) or used(order) is not None or _is_cut_short(order)


def renewed(told: MaterialItem, change: MaterialItem) -> MaterialItem:
    """An item after a change that says what is different; what it leaves out stays."""
    return MaterialItem(
        mrid=told.mrid,
        description=change.description or told.description,
        names=change.names or told.names,
        quantity=change.quantity or told.quantity,
        safety_stock=change.safety_stock or told.safety_stock,
    )
