"""Work management: requests come in, orders go to crews."""

from contracts.interface import Ask, Exchange, Interface, Lane, Mode, Publication, Subscription
from contracts.nouns.crews import Crews
from contracts.nouns.feeder_topology import FeederTopology
from contracts.nouns.get_maintenance_orders import GetMaintenanceOrders
from contracts.nouns.get_work_requests import GetWorkRequests
from contracts.nouns.maintenance_orders import MaintenanceOrders
from contracts.nouns.material_items import MaterialItems
from contracts.nouns.network_models import NetworkModels
from contracts.nouns.safety_documents import SafetyDocuments
from contracts.nouns.unplanned_outages import UnplannedOutages
from contracts.nouns.work_requests import WorkRequests
from contracts.verbs import Verb

WORK_MANAGEMENT = Interface(
    role="work-management",
    title="Turns requests into orders and sends crews",
    part="IEC 61968-1:2020 4.3.16, IEC 61968-6",
    revision="1",
    serves=(
        Exchange(verb=Verb.CREATE, noun=WorkRequests),
        Exchange(verb=Verb.CANCEL, noun=WorkRequests),
        Exchange(verb=Verb.GET, noun=WorkRequests, query=GetWorkRequests),
        Exchange(verb=Verb.CHANGE, noun=MaintenanceOrders),
        Exchange(verb=Verb.CLOSE, noun=MaintenanceOrders),
        Exchange(verb=Verb.GET, noun=MaintenanceOrders, query=GetMaintenanceOrders),
        Exchange(verb=Verb.CREATE, noun=Crews),
        Exchange(verb=Verb.CHANGE, noun=Crews),
        Exchange(verb=Verb.GET, noun=Crews),
        Exchange(verb=Verb.CREATE, noun=MaterialItems),
        Exchange(verb=Verb.CHANGE, noun=MaterialItems),
        Exchange(verb=Verb.GET, noun=MaterialItems),
    ),
    asks=(
        Ask(role="crews", verb=Verb.CREATE, noun=MaintenanceOrders),
        Ask(role="crews", verb=Verb.CANCEL, noun=MaintenanceOrders),
        Ask(role="network-model-management", verb=Verb.GET, noun=FeederTopology),
    ),
    publishes=(
        Publication(lane=Lane.GENERAL, verb=Verb.CREATED, noun=MaintenanceOrders),
        Publication(lane=Lane.GENERAL, verb=Verb.CHANGED, noun=MaintenanceOrders),
        Publication(lane=Lane.GENERAL, verb=Verb.CLOSED, noun=MaintenanceOrders),
        Publication(lane=Lane.GENERAL, verb=Verb.CANCELED, noun=MaintenanceOrders),
        Publication(lane=Lane.GENERAL, verb=Verb.CREATED, noun=Crews),
        Publication(lane=Lane.GENERAL, verb=Verb.CHANGED, noun=Crews),
        Publication(lane=Lane.GENERAL, verb=Verb.CREATED, noun=MaterialItems),
        Publication(lane=Lane.GENERAL, verb=Verb.CHANGED, noun=MaterialItems),
    ),
    subscribes=(
        Subscription(role="network-model-management", verb=Verb.CREATED, noun=NetworkModels, mode=Mode.SHARED),
        Subscription(role="network-operation", verb=Verb.CREATED, noun=SafetyDocuments, mode=Mode.KEYED),
        Subscription(role="network-operation", verb=Verb.CHANGED, noun=SafetyDocuments, mode=Mode.KEYED),
        Subscription(role="fault-management", verb=Verb.CREATED, noun=UnplannedOutages, mode=Mode.KEYED),
        Subscription(role="fault-management", verb=Verb.CHANGED, noun=UnplannedOutages, mode=Mode.KEYED),
        Subscription(role="fault-management", verb=Verb.CLOSED, noun=UnplannedOutages, mode=Mode.KEYED),
    ),
    state=(
        WorkRequests,
        MaintenanceOrders,
        Crews,
        MaterialItems,
    ),
)
