"""Gateway: REST, SOAP and other transports, for those who are not on the bus."""

from collections.abc import Iterable

from contracts.interface import Ask, Interface
from contracts.interfaces.event_history import everything_told


def gateway(interfaces: Iterable[Interface]) -> Interface:
    """The interface of the gateway beside ``interfaces``: it carries every request in and every event out.

    Who outside may ask and hear what is its own matter; on the bus it is one principal.
    """
    known = tuple(interfaces)
    return Interface(
        role="gateway",
        title="Carries messages between the bus and other transports",
        part="IEC 61968-100",
        revision="1",
        asks=tuple(
            Ask(role=interface.role, verb=exchange.verb, noun=exchange.noun)
            for interface in known
            for exchange in interface.serves
        ),
        subscribes=everything_told(known),
    )
