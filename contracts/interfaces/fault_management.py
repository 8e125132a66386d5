"""Fault management: evidence comes in, outages go out."""

from contracts.interface import Ask, Exchange, Interface, Lane, Mode, Publication, Subscription
from contracts.nouns.end_device_controls import EndDeviceControls
from contracts.nouns.end_device_events import EndDeviceEvents
from contracts.nouns.feeder_topology import FeederTopology
from contracts.nouns.maintenance_orders import MaintenanceOrders
from contracts.nouns.operational_tags import OperationalTags
from contracts.nouns.switching_events import SwitchingEvents
from contracts.nouns.switching_plans import SwitchingPlans
from contracts.nouns.switching_studies import SwitchingStudies
from contracts.nouns.trouble_tickets import TroubleTickets
from contracts.nouns.unplanned_outages import UnplannedOutages
from contracts.nouns.work_requests import WorkRequests
from contracts.verbs import Verb

FAULT_MANAGEMENT = Interface(
    role="fault-management",
    title="Finds outages from what meters and customers tell, and has them repaired",
    part="IEC 61968-1:2020 4.3.7, IEC 61968-3",
    revision="1",
    serves=(
        Exchange(verb=Verb.CREATE, noun=TroubleTickets),
        Exchange(verb=Verb.CHANGE, noun=TroubleTickets),
        Exchange(verb=Verb.GET, noun=TroubleTickets),
        Exchange(verb=Verb.GET, noun=UnplannedOutages),
        Exchange(verb=Verb.CHANGE, noun=UnplannedOutages),
    ),
    asks=(
        Ask(role="meter-reading-and-control", verb=Verb.CREATE, noun=EndDeviceControls),
        Ask(role="network-operation", verb=Verb.GET, noun=FeederTopology),
        Ask(role="network-operation", verb=Verb.GET, noun=OperationalTags),
        Ask(role="network-operation", verb=Verb.GET, noun=SwitchingStudies),
        Ask(role="network-operation", verb=Verb.CREATE, noun=SwitchingPlans),
        Ask(role="network-operation", verb=Verb.CHANGE, noun=SwitchingPlans),
        Ask(role="work-management", verb=Verb.CREATE, noun=WorkRequests),
        Ask(role="work-management", verb=Verb.CANCEL, noun=WorkRequests),
    ),
    publishes=(
        Publication(lane=Lane.OUTAGE, verb=Verb.CREATED, noun=UnplannedOutages),
        Publication(lane=Lane.OUTAGE, verb=Verb.CHANGED, noun=UnplannedOutages),
        Publication(lane=Lane.OUTAGE, verb=Verb.CLOSED, noun=UnplannedOutages),
        Publication(lane=Lane.OUTAGE, verb=Verb.CREATED, noun=TroubleTickets),
        Publication(lane=Lane.OUTAGE, verb=Verb.CHANGED, noun=TroubleTickets),
        Publication(lane=Lane.OUTAGE, verb=Verb.CLOSED, noun=TroubleTickets),
    ),
    subscribes=(
        Subscription(role="meter-reading-and-control", verb=Verb.CREATED, noun=EndDeviceEvents, mode=Mode.KEYED),
        Subscription(role="network-operation", verb=Verb.CHANGED, noun=FeederTopology, mode=Mode.FOLLOW),
        Subscription(role="network-operation", verb=Verb.CREATED, noun=SwitchingEvents, mode=Mode.KEYED),
        Subscription(role="network-operation", verb=Verb.CHANGED, noun=SwitchingPlans, mode=Mode.KEYED),
        Subscription(role="network-operation", verb=Verb.CLOSED, noun=SwitchingPlans, mode=Mode.KEYED),
        Subscription(role="work-management", verb=Verb.CHANGED, noun=MaintenanceOrders, mode=Mode.KEYED),
        Subscription(role="work-management", verb=Verb.CLOSED, noun=MaintenanceOrders, mode=Mode.KEYED),
    ),
    state=(
        UnplannedOutages,
        TroubleTickets,
    ),
)
