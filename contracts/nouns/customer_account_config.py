"""CustomerAccountConfig: the accounts by which customers are billed.

IEC 61968-9 names the noun; no public copy of the profile was found. 61968-style: written from the public class
model by the ordering rule, not verified against the published profile [P]. The namespace is our proposal. Class:
CustomerAccount.

Ours: ``revisionNumber`` is a whole number that grows by one with each change (text in the class model).
"""

from decimal import Decimal

from msgspec import Struct, field

from contracts.nouns.device_types import ConfigurationEvent
from contracts.types import Instant, Name, ObjectReference, Status, attribute

NAMESPACE = "http://iec.ch/TC57/2011/CustomerAccountConfig#"

Money = Decimal
"""Money in the currency that the utility works in."""


class CustomerAccount(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """An account and the agreements that are billed by it."""

    mrid: str | None = None
    billing_cycle: str | None = None
    budget_bill: str | None = None
    created_date_time: Instant | None = None
    description: str | None = None
    last_bill_amount: Money | None = None
    last_modified_date_time: Instant | None = None
    revision_number: int | None = None
    configuration_events: ConfigurationEvent | None = field(name="ConfigurationEvents", default=None)
    customer: ObjectReference | None = field(name="Customer", default=None)
    customer_agreements: tuple[ObjectReference, ...] = field(name="CustomerAgreements", default=())
    names: tuple[Name, ...] = field(name="Names", default=())
    status: Status | None = None


class CustomerAccountConfig(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile."""

    customer_account: tuple[CustomerAccount, ...] = field(name="CustomerAccount", default=())
