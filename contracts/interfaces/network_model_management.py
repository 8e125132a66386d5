"""Network model management: models come in as documents, topology goes out."""

from contracts.interface import Ask, Exchange, Interface, Lane, Publication
from contracts.nouns.electrical_models import ElectricalModels
from contracts.nouns.feeder_topology import FeederTopology
from contracts.nouns.network_differences import NetworkDifferences
from contracts.nouns.network_models import NetworkModels
from contracts.nouns.operational_tags import OperationalTags
from contracts.nouns.safety_documents import SafetyDocuments
from contracts.nouns.unplanned_outages import UnplannedOutages
from contracts.verbs import Verb

NETWORK_MODEL_MANAGEMENT = Interface(
    role="network-model-management",
    title="Keeps the models of the network and tells its topology as built",
    part="IEC 61968-1:2020 4.3.11, IEC 61968-13",
    revision="1",
    serves=(
        Exchange(verb=Verb.CREATE, noun=NetworkModels),
        Exchange(verb=Verb.GET, noun=NetworkModels),
        Exchange(verb=Verb.CREATE, noun=NetworkDifferences),
        Exchange(verb=Verb.GET, noun=NetworkDifferences),
        Exchange(verb=Verb.GET, noun=FeederTopology),
        Exchange(verb=Verb.GET, noun=ElectricalModels),
    ),
    asks=(
        Ask(role="network-operation", verb=Verb.GET, noun=FeederTopology),
        Ask(role="network-operation", verb=Verb.GET, noun=OperationalTags),
        Ask(role="network-operation", verb=Verb.GET, noun=SafetyDocuments),
        Ask(role="fault-management", verb=Verb.GET, noun=UnplannedOutages),
    ),
    publishes=(Publication(lane=Lane.GENERAL, verb=Verb.CREATED, noun=NetworkModels),),
    state=(
        NetworkModels,
        NetworkDifferences,
        FeederTopology,
        ElectricalModels,
    ),
)
