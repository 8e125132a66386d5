"""When a device of a campaign is left alone: while its load is controlled, and when it is billed (metering guide 2.5).

A usage point is billed where an agreement about it begins or ends: a register is read for somebody's first or last
bill. Midnight, at which all others are billed, no campaign comes near (:mod:`.campaigns`).
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from services.meter_reading_and_control.domain.controls import Command
from services.meter_reading_and_control.domain.usage_points import Agreed

MARGIN = timedelta(minutes=30)
"""So long before its load is controlled, and before and after it is billed, a device is left alone."""


class Quiet(NamedTuple):
    """Until when a device is left alone, and why."""

    until: datetime
    why: str


def quiet(loads: Iterable[Command], agreed: Iterable[Agreed], now: datetime) -> Quiet | None:
    """Until when a device is left alone; None where it may be told now.

    Args:
        loads: the controls of its load that are not over.
        agreed: the agreements about its usage point.
        now: the present instant.
    """
    held = [(*_controlled(each), "its load is controlled") for each in loads]
    edges = (edge for each in agreed for edge in (each.starts, each.ends) if edge is not None)
    held += [(edge - MARGIN, edge + MARGIN, "an agreement begins or ends") for edge in edges]
    return max((Quiet(ends, why) for begins, ends, why in held if begins <= now < ends), default=None)


def _controlled(load: Command) -> tuple[datetime, datetime]:
    """From when until when a load is controlled; where nobody said for how long, as long as its answer may take."""
    begins = load.starts or load.since
    return begins - MARGIN, load.ends or max(begins, load.since) + load.patience
