"""Work management: requests come in, orders go to crews."""

from contracts.interface import Ask, Exchange, Interface, Lane, Publication
from contracts.nouns.get_maintenance_orders import GetMaintenanceOrders
from contracts.nouns.get_work_requests import GetWorkRequests
from contracts.nouns.maintenance_orders import MaintenanceOrders
from contracts.nouns.work_requests import WorkRequests
from contracts.verbs import Verb

WORK_MANAGEMENT = Interface(
    role="work-management",
    title="Turns requests into orders and sends crews",
    part="IEC 61968-1:2020 4.3.16, IEC 61968-6",
    revision="1",
    serves=(
        Exchange(verb=Verb.CREATE, noun=WorkRequests),
        Exchange(verb=Verb.CANCEL, noun=WorkRequests),
        Exchange(verb=Verb.GET, noun=WorkRequests, query=GetWorkRequests),
        Exchange(verb=Verb.CHANGE, noun=MaintenanceOrders),
        Exchange(verb=Verb.GET, noun=MaintenanceOrders, query=GetMaintenanceOrders),
    ),
    asks=(
        Ask(role="crews", verb=Verb.CREATE, noun=MaintenanceOrders),
        Ask(role="crews", verb=Verb.CANCEL, noun=MaintenanceOrders),
    ),
    publishes=(
        Publication(lane=Lane.GENERAL, verb=Verb.CREATED, noun=MaintenanceOrders),
        Publication(lane=Lane.GENERAL, verb=Verb.CHANGED, noun=MaintenanceOrders),
        Publication(lane=Lane.GENERAL, verb=Verb.CLOSED, noun=MaintenanceOrders),
        Publication(lane=Lane.GENERAL, verb=Verb.CANCELED, noun=MaintenanceOrders),
    ),
    state=(
        WorkRequests,
        MaintenanceOrders,
    ),
)
