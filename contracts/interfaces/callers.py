"""Callers: the customers who report trouble."""

from contracts.interface import Ask, Interface
from contracts.nouns.trouble_tickets import TroubleTickets
from contracts.verbs import Verb

CALLERS = Interface(
    role="callers",
    title="Customers who report trouble",
    part="IEC 61968-8",
    revision="1",
    field=True,
    asks=(
        Ask(role="customer-management", verb=Verb.CREATE, noun=TroubleTickets),
        Ask(role="fault-management", verb=Verb.CREATE, noun=TroubleTickets),
    ),
)
