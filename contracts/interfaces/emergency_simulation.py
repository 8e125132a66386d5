"""Emergency simulation: storms to order, in the contexts that are not production."""

from contracts.interface import Ask, Exchange, Interface, Lane, Mode, Publication, Subscription
from contracts.nouns.feeder_topology import FeederTopology
from contracts.nouns.network_models import NetworkModels
from contracts.nouns.scenario_scores import ScenarioScores
from contracts.nouns.training_scenarios import TrainingScenarios
from contracts.nouns.unplanned_outages import UnplannedOutages
from contracts.verbs import Verb

EMERGENCY_SIMULATION = Interface(
    role="emergency-simulation",
    title="Strikes the network and sees how the system does",
    part="IEC 61968-1:2020 4.3.4",
    revision="2",
    serves=(
        Exchange(verb=Verb.CREATE, noun=TrainingScenarios),
        Exchange(verb=Verb.GET, noun=TrainingScenarios),
        Exchange(verb=Verb.GET, noun=ScenarioScores),
    ),
    asks=(Ask(role="network-model-management", verb=Verb.GET, noun=FeederTopology),),
    publishes=(Publication(lane=Lane.GENERAL, verb=Verb.CHANGED, noun=TrainingScenarios),),
    subscribes=(
        Subscription(role="fault-management", verb=Verb.CREATED, noun=UnplannedOutages, mode=Mode.KEYED),
        Subscription(role="fault-management", verb=Verb.CHANGED, noun=UnplannedOutages, mode=Mode.KEYED),
        Subscription(role="fault-management", verb=Verb.CLOSED, noun=UnplannedOutages, mode=Mode.KEYED),
        Subscription(role="network-model-management", verb=Verb.CREATED, noun=NetworkModels, mode=Mode.SHARED),
    ),
    state=(TrainingScenarios, ScenarioScores),
)
