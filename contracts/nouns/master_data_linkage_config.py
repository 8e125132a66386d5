"""MasterDataLinkageConfig: which meters, customers and usage points belong together.

IEC 61968-9, profile of 2011. Source: one public copy, vendor additions removed. How sure: read there, not compared with
the published text [S].
"""

from msgspec import Struct, field

from contracts.nouns.device_types import ConfigurationEvent
from contracts.types import ObjectReference, attribute

NAMESPACE = "http://iec.ch/TC57/2011/MasterDataLinkageConfig#"


class MasterDataLinkageConfig(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile."""

    auxiliary_agreement: tuple[ObjectReference, ...] = field(name="AuxiliaryAgreement", default=())
    com_module: tuple[ObjectReference, ...] = field(name="ComModule", default=())
    configuration_event: ConfigurationEvent | None = field(name="ConfigurationEvent", default=None)
    customer: tuple[ObjectReference, ...] = field(name="Customer", default=())
    customer_account: tuple[ObjectReference, ...] = field(name="CustomerAccount", default=())
    customer_agreement: tuple[ObjectReference, ...] = field(name="CustomerAgreement", default=())
    end_device: tuple[ObjectReference, ...] = field(name="EndDevice", default=())
    meter: tuple[ObjectReference, ...] = field(name="Meter", default=())
    pricing_structure: tuple[ObjectReference, ...] = field(name="PricingStructure", default=())
    service_location: tuple[ObjectReference, ...] = field(name="ServiceLocation", default=())
    service_supplier: tuple[ObjectReference, ...] = field(name="ServiceSupplier", default=())
    transformer_tank: tuple[ObjectReference, ...] = field(name="TransformerTank", default=())
    usage_point: tuple[ObjectReference, ...] = field(name="UsagePoint", default=())
    usage_point_location: tuple[ObjectReference, ...] = field(name="UsagePointLocation", default=())
