"""Network operation: the live topology, every switching plan, and what forbids to switch."""

from contracts.interface import Ask, Exchange, Interface, Lane, Mode, Publication, Subscription
from contracts.nouns.alarms import Alarms
from contracts.nouns.controls import Controls
from contracts.nouns.electrical_models import ElectricalModels
from contracts.nouns.feeder_topology import FeederTopology
from contracts.nouns.get_switching_studies import GetSwitchingStudies
from contracts.nouns.measurements import Measurements
from contracts.nouns.network_models import NetworkModels
from contracts.nouns.operational_tags import OperationalTags
from contracts.nouns.safety_documents import SafetyDocuments
from contracts.nouns.switching_events import SwitchingEvents
from contracts.nouns.switching_plans import SwitchingPlans
from contracts.nouns.switching_studies import SwitchingStudies
from contracts.nouns.unplanned_outages import UnplannedOutages
from contracts.verbs import Verb

NETWORK_OPERATION = Interface(
    role="network-operation",
    title="Knows the state of the network and switches it",
    part="IEC 61968-1:2020 4.3.12, IEC 61968-3",
    revision="1",
    serves=(
        Exchange(verb=Verb.GET, noun=FeederTopology),
        Exchange(verb=Verb.CREATE, noun=SwitchingPlans),
        Exchange(verb=Verb.CHANGE, noun=SwitchingPlans),
        Exchange(verb=Verb.GET, noun=SwitchingPlans),
        Exchange(verb=Verb.GET, noun=SwitchingStudies, query=GetSwitchingStudies),
        Exchange(verb=Verb.CREATE, noun=Measurements),
        Exchange(verb=Verb.DELETE, noun=Measurements),
        Exchange(verb=Verb.GET, noun=Measurements),
        Exchange(verb=Verb.CREATE, noun=OperationalTags),
        Exchange(verb=Verb.CHANGE, noun=OperationalTags),
        Exchange(verb=Verb.GET, noun=OperationalTags),
        Exchange(verb=Verb.CREATE, noun=SafetyDocuments),
        Exchange(verb=Verb.CHANGE, noun=SafetyDocuments),
        Exchange(verb=Verb.GET, noun=SafetyDocuments),
        Exchange(verb=Verb.CHANGE, noun=Alarms),
        Exchange(verb=Verb.GET, noun=Alarms),
    ),
    asks=(
        Ask(role="network-model-management", verb=Verb.GET, noun=FeederTopology),
        Ask(role="network-model-management", verb=Verb.GET, noun=ElectricalModels),
        Ask(role="fault-management", verb=Verb.GET, noun=UnplannedOutages),
        Ask(role="scada", verb=Verb.CREATE, noun=Controls),
        Ask(role="crews", verb=Verb.EXECUTE, noun=SwitchingPlans),
    ),
    publishes=(
        Publication(lane=Lane.CONTROL, verb=Verb.CHANGED, noun=FeederTopology),
        Publication(lane=Lane.CONTROL, verb=Verb.CREATED, noun=SwitchingEvents),
        Publication(lane=Lane.CONTROL, verb=Verb.CREATED, noun=SwitchingPlans),
        Publication(lane=Lane.CONTROL, verb=Verb.CHANGED, noun=SwitchingPlans),
        Publication(lane=Lane.CONTROL, verb=Verb.CLOSED, noun=SwitchingPlans),
        Publication(lane=Lane.CONTROL, verb=Verb.CREATED, noun=OperationalTags),
        Publication(lane=Lane.CONTROL, verb=Verb.CHANGED, noun=OperationalTags),
        Publication(lane=Lane.CONTROL, verb=Verb.CREATED, noun=SafetyDocuments),
        Publication(lane=Lane.CONTROL, verb=Verb.CHANGED, noun=SafetyDocuments),
        Publication(lane=Lane.CONTROL, verb=Verb.CREATED, noun=Alarms),
        Publication(lane=Lane.CONTROL, verb=Verb.CHANGED, noun=Alarms),
    ),
    subscribes=(
        Subscription(role="network-model-management", verb=Verb.CREATED, noun=NetworkModels, mode=Mode.SHARED),
        Subscription(role="scada", verb=Verb.CREATED, noun=Measurements, mode=Mode.KEYED),
        Subscription(role="fault-management", verb=Verb.CREATED, noun=UnplannedOutages, mode=Mode.SHARED),
        Subscription(role="fault-management", verb=Verb.CHANGED, noun=UnplannedOutages, mode=Mode.SHARED),
        Subscription(role="fault-management", verb=Verb.CLOSED, noun=UnplannedOutages, mode=Mode.SHARED),
    ),
    state=(
        Alarms,
        FeederTopology,
        Measurements,
        OperationalTags,
        SafetyDocuments,
        SwitchingEvents,
        SwitchingPlans,
        SwitchingStudies,
    ),
)
