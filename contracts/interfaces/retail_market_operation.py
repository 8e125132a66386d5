"""Retail market operation: suppliers, their prices, who is supplied by whom, and prepayment."""

from contracts.interface import Ask, Exchange, Interface, Lane, Mode, Publication, Subscription
from contracts.nouns.auxiliary_agreement_config import AuxiliaryAgreementConfig
from contracts.nouns.customer_agreement_config import CustomerAgreementConfig
from contracts.nouns.master_data_linkage_config import MasterDataLinkageConfig
from contracts.nouns.pricing_structure_config import PricingStructureConfig
from contracts.nouns.receipt_record import ReceiptRecord
from contracts.nouns.service_category_config import ServiceCategoryConfig
from contracts.nouns.service_supplier_config import ServiceSupplierConfig
from contracts.nouns.transaction_record import TransactionRecord
from contracts.verbs import Verb

RETAIL_MARKET_OPERATION = Interface(
    role="retail-market-operation",
    title="Keeps suppliers and prices, switches suppliers and takes payments",
    part="IEC 61968-1:2020 4.3.14, IEC 61968-8, IEC 61968-9",
    revision="1",
    serves=(
        Exchange(verb=Verb.CREATE, noun=PricingStructureConfig),
        Exchange(verb=Verb.GET, noun=PricingStructureConfig),
        Exchange(verb=Verb.CREATE, noun=ServiceSupplierConfig),
        Exchange(verb=Verb.GET, noun=ServiceSupplierConfig),
        Exchange(verb=Verb.GET, noun=ServiceCategoryConfig),
        Exchange(verb=Verb.CREATE, noun=AuxiliaryAgreementConfig),
        Exchange(verb=Verb.GET, noun=AuxiliaryAgreementConfig),
        Exchange(verb=Verb.CHANGE, noun=MasterDataLinkageConfig),
        Exchange(verb=Verb.GET, noun=MasterDataLinkageConfig),
        Exchange(verb=Verb.CREATE, noun=TransactionRecord),
        Exchange(verb=Verb.GET, noun=TransactionRecord),
        Exchange(verb=Verb.GET, noun=ReceiptRecord),
    ),
    asks=(
        Ask(role="customer-management", verb=Verb.GET, noun=CustomerAgreementConfig),
        Ask(role="customer-management", verb=Verb.CHANGE, noun=CustomerAgreementConfig),
    ),
    publishes=(
        Publication(lane=Lane.GENERAL, verb=Verb.CREATED, noun=PricingStructureConfig),
        Publication(lane=Lane.GENERAL, verb=Verb.CHANGED, noun=MasterDataLinkageConfig),
        Publication(lane=Lane.GENERAL, verb=Verb.CREATED, noun=TransactionRecord),
        Publication(lane=Lane.GENERAL, verb=Verb.CREATED, noun=ReceiptRecord),
    ),
    subscribes=(
        Subscription(role="customer-management", verb=Verb.CREATED, noun=CustomerAgreementConfig, mode=Mode.KEYED),
        Subscription(role="customer-management", verb=Verb.CHANGED, noun=CustomerAgreementConfig, mode=Mode.KEYED),
    ),
    state=(
        PricingStructureConfig,
        ServiceSupplierConfig,
        ServiceCategoryConfig,
        AuxiliaryAgreementConfig,
        MasterDataLinkageConfig,
        TransactionRecord,
        ReceiptRecord,
    ),
)
