"""TransactionRecord: payments at the counter and what was bought with them.

IEC 61968-9 names the noun; no public copy of the profile was found. 61968-style: written from general knowledge of
the class model by the ordering rule, not verified against the published profile [GK]. The namespace is our
proposal. Class: Transaction. The classes of the package PaymentMetering are known in general only: no public copy
was at hand.
"""

# ruff: noqa: S105 - a prepayment token is something to buy, not a password

from decimal import Decimal
from enum import StrEnum

from msgspec import Struct, field

from contracts.types import Instant, Name, ObjectReference, attribute

NAMESPACE = "http://iec.ch/TC57/2011/TransactionRecord#"

Money = Decimal
"""Money in the currency that the utility works in."""

RealEnergy = float
"""Watt-hours."""


class TransactionKind(StrEnum):
    """What was done."""

    ACCOUNT_PAYMENT = "accountPayment"
    AUXILIARY_CHARGE_PAYMENT = "auxiliaryChargePayment"
    DIVERSE_PAYMENT = "diversePayment"
    METER_CONFIGURATION_TOKEN = "meterConfigurationToken"
    OTHER = "other"
    SERVICE_CHARGE_PAYMENT = "serviceChargePayment"
    TAX_CHARGE_PAYMENT = "taxChargePayment"
    TOKEN_CANCELLATION = "tokenCancellation"
    TOKEN_EXCHANGE = "tokenExchange"
    TOKEN_FREE_ISSUE = "tokenFreeIssue"
    TOKEN_GRANT = "tokenGrant"
    TOKEN_SALE_PAYMENT = "tokenSalePayment"
    TRANSACTION_REVERSAL = "transactionReversal"


class LineDetail(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """An amount with its rounding, and when it was entered."""

    amount: Money | None = None
    date_time: Instant | None = None
    note: str | None = None
    rounding: Money | None = None


class Transaction(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One transaction; ``reversed_id`` names the one that it takes back."""

    mrid: str | None = None
    diverse_reference: str | None = None
    donor_reference: str | None = None
    kind: TransactionKind | None = None
    receiver_reference: str | None = None
    reversed_id: str | None = field(name="reversedId", default=None)
    service_units_energy: RealEnergy | None = None
    service_units_error: RealEnergy | None = None
    auxiliary_account: ObjectReference | None = field(name="AuxiliaryAccount", default=None)
    customer_account: ObjectReference | None = field(name="CustomerAccount", default=None)
    line: LineDetail | None = None
    meter: ObjectReference | None = field(name="Meter", default=None)
    names: tuple[Name, ...] = field(name="Names", default=())
    pricing_structure: ObjectReference | None = field(name="PricingStructure", default=None)
    receipt: ObjectReference | None = field(name="Receipt", default=None)


class TransactionRecord(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile."""

    transaction: tuple[Transaction, ...] = field(name="Transaction", default=())
