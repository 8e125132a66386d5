"""Asset management: what is owned, what it is like, and what is to be done about it."""

from contracts.interface import Ask, Exchange, Interface, Lane, Mode, Publication, Subscription
from contracts.nouns.analytic_scores import AnalyticScores
from contracts.nouns.asset_catalogue import AssetCatalogue
from contracts.nouns.asset_health_events import AssetHealthEvents
from contracts.nouns.assets import Assets
from contracts.nouns.feeder_topology import FeederTopology
from contracts.nouns.maintenance_orders import MaintenanceOrders
from contracts.nouns.maintenance_plans import MaintenancePlans
from contracts.nouns.network_models import NetworkModels
from contracts.nouns.procedure_data_sets import ProcedureDataSets
from contracts.nouns.test_results import TestResults
from contracts.nouns.unplanned_outages import UnplannedOutages
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
        Exchange(verb=Verb.CHANGE, noun=AssetCatalogue),
        Exchange(verb=Verb.GET, noun=AssetCatalogue),
        Exchange(verb=Verb.CREATE, noun=ProcedureDataSets),
        Exchange(verb=Verb.CHANGE, noun=ProcedureDataSets),
        Exchange(verb=Verb.GET, noun=ProcedureDataSets),
        Exchange(verb=Verb.CREATE, noun=TestResults),
        Exchange(verb=Verb.GET, noun=TestResults),
        Exchange(verb=Verb.GET, noun=AnalyticScores),
        Exchange(verb=Verb.CHANGE, noun=AssetHealthEvents),
        Exchange(verb=Verb.GET, noun=AssetHealthEvents),
        Exchange(verb=Verb.CREATE, noun=MaintenancePlans),
        Exchange(verb=Verb.CHANGE, noun=MaintenancePlans),
        Exchange(verb=Verb.GET, noun=MaintenancePlans),
    ),
    asks=(
        Ask(role="network-model-management", verb=Verb.GET, noun=FeederTopology),
        Ask(role="network-operation", verb=Verb.GET, noun=FeederTopology),
        Ask(role="work-management", verb=Verb.CREATE, noun=WorkRequests),
    ),
    publishes=(
        Publication(lane=Lane.GENERAL, verb=Verb.CREATED, noun=Assets),
        Publication(lane=Lane.GENERAL, verb=Verb.CHANGED, noun=Assets),
        Publication(lane=Lane.GENERAL, verb=Verb.CREATED, noun=AssetCatalogue),
        Publication(lane=Lane.GENERAL, verb=Verb.CHANGED, noun=AssetCatalogue),
        Publication(lane=Lane.GENERAL, verb=Verb.CREATED, noun=ProcedureDataSets),
        Publication(lane=Lane.GENERAL, verb=Verb.CHANGED, noun=ProcedureDataSets),
        Publication(lane=Lane.GENERAL, verb=Verb.CREATED, noun=TestResults),
        Publication(lane=Lane.GENERAL, verb=Verb.CREATED, noun=AnalyticScores),
        Publication(lane=Lane.GENERAL, verb=Verb.CREATED, noun=AssetHealthEvents),
        Publication(lane=Lane.GENERAL, verb=Verb.CHANGED, noun=AssetHealthEvents),
        Publication(lane=Lane.GENERAL, verb=Verb.CREATED, noun=MaintenancePlans),
        Publication(lane=Lane.GENERAL, verb=Verb.CHANGED, noun=MaintenancePlans),
    ),
    subscribes=(
        Subscription(role="network-model-management", verb=Verb.CREATED, noun=NetworkModels, mode=Mode.SHARED),
        Subscription(role="network-operation", verb=Verb.CHANGED, noun=FeederTopology, mode=Mode.KEYED),
        Subscription(role="work-management", verb=Verb.CLOSED, noun=MaintenanceOrders, mode=Mode.KEYED),
        Subscription(role="fault-management", verb=Verb.CLOSED, noun=UnplannedOutages, mode=Mode.KEYED),
    ),
    state=(
        Assets,
        AssetCatalogue,
        ProcedureDataSets,
        TestResults,
        AnalyticScores,
        AssetHealthEvents,
        MaintenancePlans,
    ),
)
