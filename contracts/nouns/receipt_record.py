"""ReceiptRecord: receipts for what was paid, and how it was paid.

IEC 61968-9 names the noun; no public copy of the profile was found. 61968-style: written from general knowledge of
the class model by the ordering rule, not verified against the published profile [GK]. The namespace is our
proposal. Classes: Receipt and Tender. The classes of the package PaymentMetering are known in general only: no
public copy was at hand.
"""

from decimal import Decimal
from enum import StrEnum

from msgspec import Struct, field

from contracts.types import Instant, Name, ObjectReference, attribute

NAMESPACE = "http://iec.ch/TC57/2011/ReceiptRecord#"

Money = Decimal
"""Money in the currency that the utility works in."""


class TenderKind(StrEnum):
    """By what it was paid."""

    CARD = "card"
    CASH = "cash"
    CHEQUE = "cheque"
    OTHER = "other"
    UNSPECIFIED = "unspecified"


class LineDetail(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """An amount with its rounding, and when it was entered."""

    amount: Money | None = None
    date_time: Instant | None = None
    note: str | None = None
    rounding: Money | None = None


class Tender(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """What was handed over, and what was given back."""

    mrid: str | None = None
    amount: Money | None = None
    change: Money | None = None
    kind: TenderKind | None = None


class Receipt(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One receipt; what is bankable leaves the till."""

    mrid: str | None = None
    is_bankable: bool | None = None
    line: LineDetail | None = None
    names: tuple[Name, ...] = field(name="Names", default=())
    tenders: tuple[Tender, ...] = field(name="Tenders", default=())
    transactions: tuple[ObjectReference, ...] = field(name="Transactions", default=())


class ReceiptRecord(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile."""

    receipt: tuple[Receipt, ...] = field(name="Receipt", default=())
