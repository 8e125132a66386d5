"""Compliance management: the ledger of interruptions and the indices that are reported."""

from contracts.interface import Ask, Exchange, Interface, Lane, Mode, Publication, Subscription
from contracts.nouns.feeder_topology import FeederTopology
from contracts.nouns.network_models import NetworkModels
from contracts.nouns.reliability_indices import ReliabilityIndices
from contracts.nouns.unplanned_outages import UnplannedOutages
from contracts.verbs import Verb

COMPLIANCE_MANAGEMENT = Interface(
    role="compliance-management",
    title="Counts interruptions and reports reliability",
    part="IEC 61968-1:2020 4.3.8",
    revision="1",
    serves=(
        Exchange(verb=Verb.CREATE, noun=ReliabilityIndices),
        Exchange(verb=Verb.GET, noun=ReliabilityIndices),
    ),
    asks=(Ask(role="network-model-management", verb=Verb.GET, noun=FeederTopology),),
    publishes=(
        Publication(lane=Lane.GENERAL, verb=Verb.CREATED, noun=ReliabilityIndices),
        Publication(lane=Lane.GENERAL, verb=Verb.CHANGED, noun=ReliabilityIndices),
    ),
    subscribes=(
        Subscription(role="fault-management", verb=Verb.CREATED, noun=UnplannedOutages, mode=Mode.KEYED),
        Subscription(role="fault-management", verb=Verb.CHANGED, noun=UnplannedOutages, mode=Mode.KEYED),
        Subscription(role="fault-management", verb=Verb.CLOSED, noun=UnplannedOutages, mode=Mode.KEYED),
        Subscription(role="network-model-management", verb=Verb.CREATED, noun=NetworkModels, mode=Mode.SHARED),
    ),
    state=(ReliabilityIndices,),
)
