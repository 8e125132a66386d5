"""Crews: they are dispatched, report, and switch by hand."""

from contracts.interface import Ask, Exchange, Interface
from contracts.nouns.crews import Crews
from contracts.nouns.maintenance_orders import MaintenanceOrders
from contracts.nouns.switching_plans import SwitchingPlans
from contracts.verbs import Verb

CREWS = Interface(
    role="crews",
    title="The people who repair and who switch by hand",
    part="IEC 61968-6, IEC 61968-3",
    revision="1",
    field=True,
    serves=(
        Exchange(verb=Verb.CREATE, noun=MaintenanceOrders),
        Exchange(verb=Verb.CANCEL, noun=MaintenanceOrders),
        Exchange(verb=Verb.EXECUTE, noun=SwitchingPlans),
    ),
    asks=(
        Ask(role="work-management", verb=Verb.CHANGE, noun=MaintenanceOrders),
        Ask(role="work-management", verb=Verb.CHANGE, noun=Crews),
    ),
    state=(
        MaintenanceOrders,
        SwitchingPlans,
    ),
)
