"""The operator: a person at the command line, who may put to every role whatever it serves."""

from collections.abc import Iterable

from contracts.interface import Ask, Interface


def operator(interfaces: Iterable[Interface]) -> Interface:
    """The interface of the operator beside ``interfaces``."""
    return Interface(
        role="operator",
        title="A person at the command line",
        part="IEC 61968-1:2020 4.3",
        revision="1",
        asks=tuple(
            Ask(role=interface.role, verb=exchange.verb, noun=exchange.noun)
            for interface in interfaces
            for exchange in interface.serves
        ),
    )
