"""Event history: every event that anybody tells, kept."""

from collections.abc import Iterable

from contracts.interface import Interface, Mode, Subscription


def everything_told(interfaces: Iterable[Interface]) -> tuple[Subscription, ...]:
    """One subscription to each event of ``interfaces``; whoever keeps them all needs them in no order."""
    return tuple(
        Subscription(role=interface.role, verb=told.verb, noun=told.noun, mode=Mode.SHARED)
        for interface in interfaces
        for told in interface.publishes
    )


def event_history(interfaces: Iterable[Interface]) -> Interface:
    """The interface of the event history beside ``interfaces``; its state is every noun that an event was about."""
    heard = everything_told(interfaces)
    return Interface(
        role="event-history",
        title="Keeps every event so that it can be found, proved and told again",
        part="IEC 61968-1:2020 7",
        revision="1",
        subscribes=heard,
        state=tuple(dict.fromkeys(event.noun for event in heard)),
    )
