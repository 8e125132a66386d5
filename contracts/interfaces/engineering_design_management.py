"""Engineering design management: designs become changes of the network model."""

from contracts.interface import Ask, Exchange, Interface, Lane, Mode, Publication, Subscription
from contracts.nouns.asset_catalogue import AssetCatalogue
from contracts.nouns.maintenance_orders import MaintenanceOrders
from contracts.nouns.network_differences import NetworkDifferences
from contracts.nouns.network_models import NetworkModels
from contracts.nouns.work_requests import WorkRequests
from contracts.verbs import Verb

ENGINEERING_DESIGN_MANAGEMENT = Interface(
    role="engineering-design-management",
    title="Designs what is to be built and tells how it was built",
    part="IEC 61968-1:2020 4.3.6, IEC 61968-4, IEC 61968-6",
    revision="1",
    serves=(
        Exchange(verb=Verb.CREATE, noun=WorkRequests),
        Exchange(verb=Verb.GET, noun=NetworkDifferences),
    ),
    asks=(
        Ask(role="asset-management", verb=Verb.GET, noun=AssetCatalogue),
        Ask(role="network-model-management", verb=Verb.CREATE, noun=NetworkModels),
        Ask(role="network-model-management", verb=Verb.GET, noun=NetworkModels),
        Ask(role="work-management", verb=Verb.CREATE, noun=WorkRequests),
    ),
    publishes=(
        Publication(lane=Lane.GENERAL, verb=Verb.CREATED, noun=NetworkDifferences),
        Publication(lane=Lane.GENERAL, verb=Verb.CHANGED, noun=NetworkDifferences),
    ),
    subscribes=(
        Subscription(role="network-model-management", verb=Verb.CREATED, noun=NetworkModels, mode=Mode.SHARED),
        Subscription(role="work-management", verb=Verb.CLOSED, noun=MaintenanceOrders, mode=Mode.KEYED),
    ),
    state=(NetworkDifferences,),
)
