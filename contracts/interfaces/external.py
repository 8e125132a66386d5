"""External: the rest of the enterprise, behind adapters: people, stores, money and maps."""

from contracts.interface import Exchange, Interface, Lane, Mode, Publication, Subscription
from contracts.nouns.assets import Assets
from contracts.nouns.crews import Crews
from contracts.nouns.maintenance_orders import MaintenanceOrders
from contracts.verbs import Verb

EXTERNAL = Interface(
    role="external",
    title="Brings what the rest of the enterprise knows, and tells it what happened",
    part="IEC 61968-1:2020 4.3.17",
    revision="1",
    serves=(Exchange(verb=Verb.GET, noun=Crews),),
    publishes=(
        Publication(lane=Lane.GENERAL, verb=Verb.CREATED, noun=Crews),
        Publication(lane=Lane.GENERAL, verb=Verb.CHANGED, noun=Crews),
    ),
    subscribes=(
        Subscription(role="asset-management", verb=Verb.CREATED, noun=Assets, mode=Mode.KEYED),
        Subscription(role="asset-management", verb=Verb.CHANGED, noun=Assets, mode=Mode.KEYED),
        Subscription(role="work-management", verb=Verb.CLOSED, noun=MaintenanceOrders, mode=Mode.KEYED),
    ),
    state=(Crews,),
)
