"""Floods: more alarms than an operator can look at.

A flood begins when more than ten alarms have called for each operator within ten minutes, and is over when fewer than
five did (ANSI/ISA-18.2 [GK]).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from contracts.nouns.alarms import AlarmFlood

WINDOW = timedelta(minutes=10)
MOST = 10
"""So many alarms in a window an operator can bear."""

FEW = 5
"""With fewer in a window a flood is over."""


def flooded(known: AlarmFlood | None, called: Sequence[datetime], operators: int, now: datetime) -> AlarmFlood | None:
    """The flood that there is now, or that ends now; None when there is none.

    Args:
        known: the flood that there was until now; one that has ended does not count.
        called: when alarms have called for an operator within the last window.
        operators: how many operators share the alarms.
        now: the time.
    """
    count = sum(now - WINDOW < at <= now for at in called)
    is_on = known is not None and known.end_date_time is None
    if not is_on:
        return AlarmFlood(count=count, start_date_time=now) if count > MOST * operators else None
    if known is None or count >= FEW * operators:
        return known
    return replace(known, count=count, end_date_time=now)
