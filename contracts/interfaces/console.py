"""Console: the page of the operators, who see everything at once and act through the services."""

from contracts.interface import Ask, Interface, Mode, Subscription
from contracts.nouns.alarms import Alarms
from contracts.nouns.feeder_topology import FeederTopology
from contracts.nouns.maintenance_orders import MaintenanceOrders
from contracts.nouns.planned_outages import PlannedOutages
from contracts.nouns.reliability_indices import ReliabilityIndices
from contracts.nouns.switching_plans import SwitchingPlans
from contracts.nouns.trouble_tickets import TroubleTickets
from contracts.nouns.unplanned_outages import UnplannedOutages
from contracts.nouns.work_requests import WorkRequests
from contracts.verbs import Verb

CONSOLE = Interface(
    role="console",
    title="The operators' page",
    part="IEC 61968-1:2020 4.3.12",
    revision="1",
    asks=(
        Ask(role="fault-management", verb=Verb.CREATE, noun=TroubleTickets),
        Ask(role="fault-management", verb=Verb.GET, noun=UnplannedOutages),
        Ask(role="network-operation", verb=Verb.GET, noun=Alarms),
        Ask(role="network-operation", verb=Verb.CHANGE, noun=Alarms),
        Ask(role="fault-management", verb=Verb.CHANGE, noun=UnplannedOutages),
        Ask(role="network-operation", verb=Verb.GET, noun=FeederTopology),
        Ask(role="network-operation", verb=Verb.CREATE, noun=SwitchingPlans),
        Ask(role="network-operation", verb=Verb.GET, noun=SwitchingPlans),
        Ask(role="work-management", verb=Verb.CREATE, noun=WorkRequests),
        Ask(role="work-management", verb=Verb.GET, noun=MaintenanceOrders),
        Ask(role="predictive-operation-planning", verb=Verb.GET, noun=PlannedOutages),
        Ask(role="compliance-management", verb=Verb.GET, noun=ReliabilityIndices),
    ),
    subscribes=(
        Subscription(role="fault-management", verb=Verb.CREATED, noun=UnplannedOutages, mode=Mode.FOLLOW),
        Subscription(role="fault-management", verb=Verb.CHANGED, noun=UnplannedOutages, mode=Mode.FOLLOW),
        Subscription(role="fault-management", verb=Verb.CLOSED, noun=UnplannedOutages, mode=Mode.FOLLOW),
        Subscription(role="network-operation", verb=Verb.CREATED, noun=Alarms, mode=Mode.FOLLOW),
        Subscription(role="network-operation", verb=Verb.CHANGED, noun=Alarms, mode=Mode.FOLLOW),
        Subscription(role="network-operation", verb=Verb.CHANGED, noun=FeederTopology, mode=Mode.FOLLOW),
        Subscription(role="network-operation", verb=Verb.CREATED, noun=SwitchingPlans, mode=Mode.FOLLOW),
        Subscription(role="network-operation", verb=Verb.CHANGED, noun=SwitchingPlans, mode=Mode.FOLLOW),
        Subscription(role="network-operation", verb=Verb.CLOSED, noun=SwitchingPlans, mode=Mode.FOLLOW),
        Subscription(role="work-management", verb=Verb.CREATED, noun=MaintenanceOrders, mode=Mode.FOLLOW),
        Subscription(role="work-management", verb=Verb.CHANGED, noun=MaintenanceOrders, mode=Mode.FOLLOW),
        Subscription(role="work-management", verb=Verb.CLOSED, noun=MaintenanceOrders, mode=Mode.FOLLOW),
        Subscription(role="predictive-operation-planning", verb=Verb.CREATED, noun=PlannedOutages, mode=Mode.FOLLOW),
        Subscription(role="predictive-operation-planning", verb=Verb.CHANGED, noun=PlannedOutages, mode=Mode.FOLLOW),
        Subscription(role="predictive-operation-planning", verb=Verb.CLOSED, noun=PlannedOutages, mode=Mode.FOLLOW),
    ),
)
