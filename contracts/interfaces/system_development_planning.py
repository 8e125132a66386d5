"""System development planning: what the network will need in the years to come."""

from contracts.interface import Ask, Exchange, Interface, Lane, Mode, Publication, Subscription
from contracts.nouns.assets import Assets
from contracts.nouns.der_group_forecasts import DERGroupForecasts
from contracts.nouns.network_differences import NetworkDifferences
from contracts.nouns.network_models import NetworkModels
from contracts.nouns.unplanned_outages import UnplannedOutages
from contracts.nouns.work_requests import WorkRequests
from contracts.verbs import Verb

SYSTEM_DEVELOPMENT_PLANNING = Interface(
    role="system-development-planning",
    title="Finds what the network will need and proposes how to build it",
    part="IEC 61968-1:2020 4.3.15",
    revision="1",
    serves=(Exchange(verb=Verb.GET, noun=NetworkDifferences),),
    asks=(
        Ask(role="asset-management", verb=Verb.GET, noun=Assets),
        Ask(role="engineering-design-management", verb=Verb.CREATE, noun=WorkRequests),
        Ask(role="network-model-management", verb=Verb.GET, noun=NetworkModels),
        Ask(role="predictive-operation-planning", verb=Verb.GET, noun=DERGroupForecasts),
    ),
    publishes=(Publication(lane=Lane.GENERAL, verb=Verb.CREATED, noun=NetworkDifferences),),
    subscribes=(
        Subscription(role="asset-management", verb=Verb.CHANGED, noun=Assets, mode=Mode.KEYED),
        Subscription(role="fault-management", verb=Verb.CLOSED, noun=UnplannedOutages, mode=Mode.KEYED),
        Subscription(role="network-model-management", verb=Verb.CREATED, noun=NetworkModels, mode=Mode.SHARED),
    ),
    state=(NetworkDifferences,),
)
