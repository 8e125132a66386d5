"""Data warehouse: what happened, by columns, for reports and analysis."""

from collections.abc import Iterable

from contracts.interface import Interface
from contracts.interfaces.event_history import everything_told


def data_warehouse(interfaces: Iterable[Interface]) -> Interface:
    """The interface of the data warehouse beside ``interfaces``; it can be filled again from the event history."""
    return Interface(
        role="data-warehouse",
        title="Keeps the columns from which reports are made",
        part="IEC 61968-1:2020 4.3",
        revision="1",
        subscribes=everything_told(interfaces),
    )
