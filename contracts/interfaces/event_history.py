"""Event history: every message of the lanes, kept as it was."""

from collections.abc import Iterable

from contracts.interface import Exchange, Interface, Lane, Mode, Subscription
from contracts.nouns.audit_reports import AuditReports
from contracts.nouns.event_records import EventRecords
from contracts.nouns.get_event_records import GetEventRecords
from contracts.verbs import Verb


def everything_told(interfaces: Iterable[Interface]) -> tuple[Subscription, ...]:
    """One subscription to each event of ``interfaces``; whoever keeps them all needs them in no order."""
    return tuple(
        Subscription(role=interface.role, verb=told.verb, noun=told.noun, mode=Mode.SHARED)
        for interface in interfaces
        for told in interface.publishes
    )


EVENT_HISTORY = Interface(
    role="event-history",
    title="Keeps every event so that it can be found, proved and told again",
    part="IEC 61968-1:2020 7",
    revision="1",
    serves=(
        Exchange(verb=Verb.GET, noun=EventRecords, query=GetEventRecords),
        Exchange(verb=Verb.GET, noun=AuditReports),
    ),
    state=(EventRecords, AuditReports),
    records=(Lane.CONTROL, Lane.OUTAGE, Lane.READINGS, Lane.GENERAL, Lane.JOURNAL, Lane.DEAD),
)
"""Requests, commands and their replies come in the lane ``journal``, as copies that each service writes down."""
