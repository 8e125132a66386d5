"""Network model management: models come in as documents, topology goes out."""

from contracts.interface import Exchange, Interface, Lane, Publication
from contracts.nouns.feeder_topology import FeederTopology
from contracts.nouns.network_models import NetworkModels
from contracts.verbs import Verb

NETWORK_MODEL_MANAGEMENT = Interface(
    role="network-model-management",
    title="Keeps the models of the network and tells its topology as built",
    part="IEC 61968-1:2020 4.3.11, IEC 61968-13",
    revision="1",
    serves=(
        Exchange(verb=Verb.CREATE, noun=NetworkModels),
        Exchange(verb=Verb.GET, noun=NetworkModels),
        Exchange(verb=Verb.GET, noun=FeederTopology),
    ),
    publishes=(Publication(lane=Lane.GENERAL, verb=Verb.CREATED, noun=NetworkModels),),
    state=(
        NetworkModels,
        FeederTopology,
    ),
)
