"""Market settlement: metered quantities by supplier, closed to the last watt-hour."""

from contracts.interface import Ask, Exchange, Interface, Lane, Mode, Publication, Subscription
from contracts.nouns.der_group_dispatches import DERGroupDispatches
from contracts.nouns.get_meter_readings import GetMeterReadings
from contracts.nouns.master_data_linkage_config import MasterDataLinkageConfig
from contracts.nouns.meter_readings import MeterReadings
from contracts.nouns.service_supplier_config import ServiceSupplierConfig
from contracts.verbs import Verb

MARKET_SETTLEMENT = Interface(
    role="market-settlement",
    title="Settles what was metered between those who supply and balance",
    part="IEC 61968-1:2020 4.3.10, IEC 62325",
    revision="1",
    serves=(
        Exchange(verb=Verb.CREATE, noun=MeterReadings),
        Exchange(verb=Verb.GET, noun=MeterReadings, query=GetMeterReadings),
    ),
    asks=(Ask(role="retail-market-operation", verb=Verb.GET, noun=ServiceSupplierConfig),),
    publishes=(
        Publication(lane=Lane.READINGS, verb=Verb.CREATED, noun=MeterReadings),
        Publication(lane=Lane.READINGS, verb=Verb.CHANGED, noun=MeterReadings),
    ),
    subscribes=(
        Subscription(role="market-operation", verb=Verb.CREATED, noun=DERGroupDispatches, mode=Mode.KEYED),
        Subscription(role="retail-market-operation", verb=Verb.CHANGED, noun=MasterDataLinkageConfig, mode=Mode.KEYED),
    ),
    state=(MeterReadings,),
)
