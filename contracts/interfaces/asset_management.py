"""Asset management: what is owned, what it is like, and what is to be done about it."""

from contracts.interface import Ask, Exchange, Interface, Lane, Mode, Publication, Subscription
from contracts.nouns.asset_catalogue import AssetCatalogue
from contracts.nouns.assets import Assets
from contracts.nouns.feeder_topology import FeederTopology
from contracts.nouns.maintenance_orders import MaintenanceOrders
from contracts.nouns.network_models import NetworkModels
from contracts.nouns.procedure_data_sets import ProcedureDataSets
from contracts.nouns.test_results import TestResults
from contracts.nouns.work_requests import WorkRequests
from contracts.verbs import Verb

ASSET_MANAGEMENT = Interface(
    role="asset-management",
    title="Keeps the register of assets, their catalogue and their condition",
    part="IEC 61968-1:2020 4.3.2, IEC 61968-4",
    revision="1",
    serves=(
        Exchange(verb=Verb.CREATE, noun=Assets),
        Exchange(verb=Verb.CHANGE, noun=Assets),
        Exchange(verb=Verb.GET, noun=Assets),
        Exchange(verb=Verb.CREATE, noun=AssetCatalogue),
        Exchange(verb=Verb.GET, noun=AssetCatalogue),
        Exchange(verb=Verb.CREATE, noun=ProcedureDataSets),
        Exchange(verb=Verb.GET, noun=ProcedureDataSets),
        Exchange(verb=Verb.CREATE, noun=TestResults),
        Exchange(verb=Verb.GET, noun=TestResults),
    ),
    asks=(
        Ask(role="network-model-management", verb=Verb.GET, noun=FeederTopology),
        Ask(role="work-management", verb=Verb.CREATE, noun=WorkRequests),
    ),
    publishes=(
        Publication(lane=Lane.GENERAL, verb=Verb.CREATED, noun=Assets),
        Publication(lane=Lane.GENERAL, verb=Verb.CHANGED, noun=Assets),
        Publication(lane=Lane.GENERAL, verb=Verb.CREATED, noun=AssetCatalogue),
        Publication(lane=Lane.GENERAL, verb=Verb.CREATED, noun=ProcedureDataSets),
        Publication(lane=Lane.GENERAL, verb=Verb.CREATED, noun=TestResults),
    ),
    subscribes=(
        Subscription(role="network-model-management", verb=Verb.CREATED, noun=NetworkModels, mode=Mode.SHARED),
        Subscription(role="work-management", verb=Verb.CLOSED, noun=MaintenanceOrders, mode=Mode.KEYED),
    ),
    state=(
        Assets,
        AssetCatalogue,
        ProcedureDataSets,
        TestResults,
    ),
)
