"""AuxiliaryAgreementConfig: what is paid along with a prepaid service, such as an old debt.

IEC 61968-9 names the noun; no public copy of the profile was found. 61968-style: written from the public class
model by the ordering rule, not verified against the published profile [P]. The namespace is our proposal. Class:
AuxiliaryAgreement.

Ours: ``revisionNumber`` is a whole number that grows by one with each change (text in the class model).
"""

from datetime import date
from decimal import Decimal

from msgspec import Struct, field

from contracts.nouns.device_types import ConfigurationEvent
from contracts.types import DateTimeInterval, Instant, Name, ObjectReference, Status, attribute

NAMESPACE = "http://iec.ch/TC57/2011/AuxiliaryAgreementConfig#"

Money = Decimal
"""Money in the currency that the utility works in."""

PerCent = float
"""Per cent."""


class AuxiliaryAgreement(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One agreement; ``vend_portion`` is the share of each payment that goes to it."""

    mrid: str | None = None
    arrears_interest: PerCent | None = None
    aux_cycle: str | None = None
    aux_priority_code: str | None = None
    created_date_time: Instant | None = None
    description: str | None = None
    fixed_amount: Money | None = None
    last_modified_date_time: Instant | None = None
    min_amount: Money | None = None
    pay_cycle: str | None = None
    revision_number: int | None = None
    sign_date: date | None = None
    sub_type: str | None = None
    type: str | None = None
    vend_portion: PerCent | None = None
    vend_portion_arrear: PerCent | None = None
    auxiliary_accounts: tuple[ObjectReference, ...] = field(name="AuxiliaryAccounts", default=())
    configuration_events: ConfigurationEvent | None = field(name="ConfigurationEvents", default=None)
    customer_agreement: ObjectReference | None = field(name="CustomerAgreement", default=None)
    names: tuple[Name, ...] = field(name="Names", default=())
    status: Status | None = None
    validity_interval: DateTimeInterval | None = None


class AuxiliaryAgreementConfig(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile."""

    auxiliary_agreement: tuple[AuxiliaryAgreement, ...] = field(name="AuxiliaryAgreement", default=())
