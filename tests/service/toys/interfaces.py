"""Roles of the tests: a customer asks a shop, the shop commands a depot and tells everybody, a ledger listens."""

from contracts.interface import Ask, Catalogue, Exchange, Interface, Lane, Mode, Publication, Subscription
from contracts.verbs import Verb
from tests.service.toys.orders import Orders
from tests.service.toys.parcels import Parcels

SHOP = Interface(
    role="shop",
    title="takes orders",
    part="test",
    revision="1",
    serves=(
        Exchange(verb=Verb.GET, noun=Orders),
        Exchange(verb=Verb.CREATE, noun=Orders),
        Exchange(verb=Verb.CHANGE, noun=Orders),
        Exchange(verb=Verb.EXECUTE, noun=Orders),
        Exchange(verb=Verb.CLOSE, noun=Orders),
    ),
    asks=(
        Ask(role="depot", verb=Verb.GET, noun=Parcels),
        Ask(role="depot", verb=Verb.CREATE, noun=Parcels),
    ),
    publishes=(
        Publication(lane=Lane.GENERAL, verb=Verb.CREATED, noun=Orders),
        Publication(lane=Lane.GENERAL, verb=Verb.CHANGED, noun=Orders),
    ),
    subscribes=(Subscription(role="depot", verb=Verb.CHANGED, noun=Parcels, mode=Mode.FOLLOW),),
)
DEPOT = Interface(
    role="depot",
    title="sends parcels",
    part="test",
    revision="1",
    serves=(Exchange(verb=Verb.GET, noun=Parcels), Exchange(verb=Verb.CREATE, noun=Parcels)),
    publishes=(
        Publication(lane=Lane.CONTROL, verb=Verb.CHANGED, noun=Parcels),
        Publication(lane=Lane.READINGS, verb=Verb.CREATED, noun=Parcels),
    ),
)
LEDGER = Interface(
    role="ledger",
    title="writes down what it hears",
    part="test",
    revision="1",
    subscribes=(
        Subscription(role="shop", verb=Verb.CREATED, noun=Orders, mode=Mode.KEYED),
        Subscription(role="shop", verb=Verb.CHANGED, noun=Orders, mode=Mode.SHARED),
        Subscription(role="depot", verb=Verb.CREATED, noun=Parcels, mode=Mode.SHARED),
    ),
)
CUSTOMER = Interface(
    role="customer",
    title="orders",
    part="test",
    revision="1",
    asks=tuple(
        Ask(role="shop", verb=verb, noun=Orders)
        for verb in (Verb.GET, Verb.CREATE, Verb.CHANGE, Verb.EXECUTE, Verb.CLOSE)
    ),
)
STRANGER = Interface(
    role="stranger",
    title="another one who asks",
    part="test",
    revision="1",
    asks=(Ask(role="shop", verb=Verb.GET, noun=Orders),),
)
SIMULATION = Interface(
    role="emergency-simulation",
    title="grants the clock, and orders every hour",
    part="test",
    revision="1",
    asks=(Ask(role="shop", verb=Verb.CREATE, noun=Orders),),
)
CATALOGUE = Catalogue((Orders, Parcels), (SHOP, DEPOT, LEDGER, CUSTOMER, STRANGER, SIMULATION))
