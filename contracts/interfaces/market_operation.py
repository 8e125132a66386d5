"""Market operation: groups of distributed resources, and what they are called on to do."""

from contracts.interface import Ask, Exchange, Interface, Lane, Mode, Publication, Subscription
from contracts.nouns.der_group_dispatches import DERGroupDispatches
from contracts.nouns.der_group_forecasts import DERGroupForecasts
from contracts.nouns.der_group_queries import DERGroupQueries
from contracts.nouns.der_group_status_queries import DERGroupStatusQueries
from contracts.nouns.der_group_statuses import DERGroupStatuses
from contracts.nouns.der_groups import DERGroups
from contracts.verbs import Verb

MARKET_OPERATION = Interface(
    role="market-operation",
    title="Keeps the groups of distributed resources and dispatches them",
    part="IEC 61968-1:2020 4.3.9, IEC 61968-5, IEC 62325",
    revision="1",
    serves=(
        Exchange(verb=Verb.CREATE, noun=DERGroups),
        Exchange(verb=Verb.CHANGE, noun=DERGroups),
        Exchange(verb=Verb.DELETE, noun=DERGroups),
        Exchange(verb=Verb.GET, noun=DERGroups, query=DERGroupQueries),
        Exchange(verb=Verb.CREATE, noun=DERGroupDispatches),
        Exchange(verb=Verb.GET, noun=DERGroupStatuses, query=DERGroupStatusQueries),
    ),
    asks=(Ask(role="predictive-operation-planning", verb=Verb.GET, noun=DERGroupForecasts),),
    publishes=(
        Publication(lane=Lane.GENERAL, verb=Verb.CREATED, noun=DERGroups),
        Publication(lane=Lane.GENERAL, verb=Verb.CHANGED, noun=DERGroups),
        Publication(lane=Lane.GENERAL, verb=Verb.DELETED, noun=DERGroups),
        Publication(lane=Lane.GENERAL, verb=Verb.CREATED, noun=DERGroupDispatches),
        Publication(lane=Lane.GENERAL, verb=Verb.CHANGED, noun=DERGroupStatuses),
    ),
    subscribes=(
        Subscription(role="predictive-operation-planning", verb=Verb.CREATED, noun=DERGroupForecasts, mode=Mode.KEYED),
    ),
    state=(
        DERGroups,
        DERGroupDispatches,
        DERGroupStatuses,
    ),
)
