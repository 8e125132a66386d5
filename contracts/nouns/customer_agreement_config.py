"""CustomerAgreementConfig: what customers and suppliers agreed on, for which usage points.

IEC 61968-9 names the noun; no public copy of the profile was found. 61968-style: written from the public class
model by the ordering rule, not verified against the published profile [P]. The namespace is our proposal. Class:
CustomerAgreement; Part 8 has the message type as well.

Ours: ``revisionNumber`` is a whole number that grows by one with each change (text in the class model).
"""

from datetime import date

from msgspec import Struct, field

from contracts.nouns.device_types import ConfigurationEvent
from contracts.types import DateTimeInterval, Instant, Name, ObjectReference, Status, attribute

NAMESPACE = "http://iec.ch/TC57/2011/CustomerAgreementConfig#"


class CustomerAgreement(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One agreement; ``validity_interval`` says from when until when it holds."""

    mrid: str | None = None
    created_date_time: Instant | None = None
    description: str | None = None
    is_pre_pay: bool | None = None
    last_modified_date_time: Instant | None = None
    load_mgmt: str | None = None
    revision_number: int | None = None
    shut_off_date_time: Instant | None = None
    sign_date: date | None = None
    subject: str | None = None
    type: str | None = None
    auxiliary_agreements: tuple[ObjectReference, ...] = field(name="AuxiliaryAgreements", default=())
    configuration_events: ConfigurationEvent | None = field(name="ConfigurationEvents", default=None)
    customer: ObjectReference | None = field(name="Customer", default=None)
    customer_account: ObjectReference | None = field(name="CustomerAccount", default=None)
    demand_response_programs: tuple[ObjectReference, ...] = field(name="DemandResponsePrograms", default=())
    names: tuple[Name, ...] = field(name="Names", default=())
    pricing_structures: tuple[ObjectReference, ...] = field(name="PricingStructures", default=())
    service_category: ObjectReference | None = field(name="ServiceCategory", default=None)
    service_locations: tuple[ObjectReference, ...] = field(name="ServiceLocations", default=())
    service_supplier: ObjectReference | None = field(name="ServiceSupplier", default=None)
    status: Status | None = None
    usage_points: tuple[ObjectReference, ...] = field(name="UsagePoints", default=())
    validity_interval: DateTimeInterval | None = None


class CustomerAgreementConfig(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile."""

    customer_agreement: tuple[CustomerAgreement, ...] = field(name="CustomerAgreement", default=())
