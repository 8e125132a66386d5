"""Predictive operation planning: what is to be expected, and which outages are planned."""

from contracts.interface import Ask, Exchange, Interface, Lane, Mode, Publication, Subscription
from contracts.nouns.der_group_forecast_queries import DERGroupForecastQueries
from contracts.nouns.der_group_forecasts import DERGroupForecasts
from contracts.nouns.der_groups import DERGroups
from contracts.nouns.feeder_topology import FeederTopology
from contracts.nouns.measurements import Measurements
from contracts.nouns.network_models import NetworkModels
from contracts.nouns.planned_outages import PlannedOutages
from contracts.nouns.switching_plans import SwitchingPlans
from contracts.verbs import Verb

PREDICTIVE_OPERATION_PLANNING = Interface(
    role="predictive-operation-planning",
    title="Forecasts load and distributed resources and plans outages",
    part="IEC 61968-1:2020 4.3.13, IEC 61968-3, IEC 61968-5",
    revision="1",
    serves=(
        Exchange(verb=Verb.CREATE, noun=PlannedOutages),
        Exchange(verb=Verb.CANCEL, noun=PlannedOutages),
        Exchange(verb=Verb.GET, noun=PlannedOutages),
        Exchange(verb=Verb.GET, noun=DERGroupForecasts, query=DERGroupForecastQueries),
    ),
    asks=(
        Ask(role="market-operation", verb=Verb.GET, noun=DERGroups),
        Ask(role="network-operation", verb=Verb.GET, noun=FeederTopology),
        Ask(role="network-operation", verb=Verb.CREATE, noun=SwitchingPlans),
    ),
    publishes=(
        Publication(lane=Lane.OUTAGE, verb=Verb.CREATED, noun=PlannedOutages),
        Publication(lane=Lane.OUTAGE, verb=Verb.CHANGED, noun=PlannedOutages),
        Publication(lane=Lane.OUTAGE, verb=Verb.CANCELED, noun=PlannedOutages),
        Publication(lane=Lane.OUTAGE, verb=Verb.CLOSED, noun=PlannedOutages),
        Publication(lane=Lane.GENERAL, verb=Verb.CREATED, noun=DERGroupForecasts),
    ),
    subscribes=(
        Subscription(role="market-operation", verb=Verb.CREATED, noun=DERGroups, mode=Mode.KEYED),
        Subscription(role="market-operation", verb=Verb.CHANGED, noun=DERGroups, mode=Mode.KEYED),
        Subscription(role="network-model-management", verb=Verb.CREATED, noun=NetworkModels, mode=Mode.SHARED),
        Subscription(role="network-operation", verb=Verb.CHANGED, noun=SwitchingPlans, mode=Mode.KEYED),
        Subscription(role="network-operation", verb=Verb.CLOSED, noun=SwitchingPlans, mode=Mode.KEYED),
        Subscription(role="weather", verb=Verb.CREATED, noun=Measurements, mode=Mode.KEYED),
    ),
    state=(
        PlannedOutages,
        DERGroupForecasts,
    ),
)
