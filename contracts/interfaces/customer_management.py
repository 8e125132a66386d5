"""Customer management: customers, what they agreed on, what they ask for and what they are told."""

from contracts.interface import Ask, Exchange, Interface, Lane, Mode, Publication, Subscription
from contracts.nouns.customer_account_config import CustomerAccountConfig
from contracts.nouns.customer_agreement_config import CustomerAgreementConfig
from contracts.nouns.customer_config import CustomerConfig
from contracts.nouns.incident_information import IncidentInformation
from contracts.nouns.maintenance_orders import MaintenanceOrders
from contracts.nouns.planned_outage_notifications import PlannedOutageNotifications
from contracts.nouns.service_location_config import ServiceLocationConfig
from contracts.nouns.service_requests import ServiceRequests
from contracts.nouns.trouble_tickets import TroubleTickets
from contracts.nouns.unplanned_outages import UnplannedOutages
from contracts.nouns.usage_point_groups import UsagePointGroups
from contracts.nouns.usage_point_location_config import UsagePointLocationConfig
from contracts.nouns.work_requests import WorkRequests
from contracts.verbs import Verb

CUSTOMER_MANAGEMENT = Interface(
    role="customer-management",
    title="Knows the customers, takes their requests and tells them what happens",
    part="IEC 61968-1:2020 4.3.3, IEC 61968-8, IEC 61968-9",
    revision="1",
    serves=(
        Exchange(verb=Verb.CREATE, noun=CustomerConfig),
        Exchange(verb=Verb.CHANGE, noun=CustomerConfig),
        Exchange(verb=Verb.GET, noun=CustomerConfig),
        Exchange(verb=Verb.CREATE, noun=CustomerAccountConfig),
        Exchange(verb=Verb.GET, noun=CustomerAccountConfig),
        Exchange(verb=Verb.CREATE, noun=CustomerAgreementConfig),
        Exchange(verb=Verb.CHANGE, noun=CustomerAgreementConfig),
        Exchange(verb=Verb.GET, noun=CustomerAgreementConfig),
        Exchange(verb=Verb.CREATE, noun=ServiceLocationConfig),
        Exchange(verb=Verb.GET, noun=ServiceLocationConfig),
        Exchange(verb=Verb.CREATE, noun=UsagePointLocationConfig),
        Exchange(verb=Verb.GET, noun=UsagePointLocationConfig),
        Exchange(verb=Verb.CREATE, noun=ServiceRequests),
        Exchange(verb=Verb.CHANGE, noun=ServiceRequests),
        Exchange(verb=Verb.GET, noun=ServiceRequests),
        Exchange(verb=Verb.CREATE, noun=TroubleTickets),
        Exchange(verb=Verb.GET, noun=IncidentInformation),
        Exchange(verb=Verb.CREATE, noun=PlannedOutageNotifications),
        Exchange(verb=Verb.GET, noun=PlannedOutageNotifications),
        Exchange(verb=Verb.GET, noun=UsagePointGroups),
    ),
    asks=(
        Ask(role="fault-management", verb=Verb.CREATE, noun=TroubleTickets),
        Ask(role="work-management", verb=Verb.CREATE, noun=WorkRequests),
    ),
    publishes=(
        Publication(lane=Lane.GENERAL, verb=Verb.CREATED, noun=CustomerConfig),
        Publication(lane=Lane.GENERAL, verb=Verb.CHANGED, noun=CustomerConfig),
        Publication(lane=Lane.GENERAL, verb=Verb.CREATED, noun=CustomerAgreementConfig),
        Publication(lane=Lane.GENERAL, verb=Verb.CHANGED, noun=CustomerAgreementConfig),
        Publication(lane=Lane.GENERAL, verb=Verb.CREATED, noun=ServiceRequests),
        Publication(lane=Lane.GENERAL, verb=Verb.CHANGED, noun=ServiceRequests),
        Publication(lane=Lane.GENERAL, verb=Verb.CLOSED, noun=ServiceRequests),
        Publication(lane=Lane.GENERAL, verb=Verb.CREATED, noun=IncidentInformation),
        Publication(lane=Lane.GENERAL, verb=Verb.CHANGED, noun=IncidentInformation),
        Publication(lane=Lane.GENERAL, verb=Verb.CLOSED, noun=IncidentInformation),
        Publication(lane=Lane.GENERAL, verb=Verb.CREATED, noun=PlannedOutageNotifications),
    ),
    subscribes=(
        Subscription(role="fault-management", verb=Verb.CREATED, noun=UnplannedOutages, mode=Mode.KEYED),
        Subscription(role="fault-management", verb=Verb.CHANGED, noun=UnplannedOutages, mode=Mode.KEYED),
        Subscription(role="fault-management", verb=Verb.CLOSED, noun=UnplannedOutages, mode=Mode.KEYED),
        Subscription(role="work-management", verb=Verb.CLOSED, noun=MaintenanceOrders, mode=Mode.KEYED),
    ),
    state=(
        CustomerConfig,
        CustomerAccountConfig,
        CustomerAgreementConfig,
        ServiceLocationConfig,
        UsagePointLocationConfig,
        ServiceRequests,
        TroubleTickets,
        IncidentInformation,
        PlannedOutageNotifications,
        UsagePointGroups,
    ),
)
