"""How many customers are served, from when on."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import Struct


class Served(Struct, frozen=True, kw_only=True):
    """A usage point with its customers."""

    usage_point: str
    feeder: str
    customers: int


class Count(Struct, frozen=True, kw_only=True):
    """How many customers are served from ``since`` on, until the next count."""

    since: datetime
    customers: int


def news(known: Mapping[str, Served], told: Sequence[Served]) -> list[Served]:
    """What was told and is not known."""
    return [each for each in told if known.get(each.usage_point) != each]


def average(counts: Sequence[Count], start: datetime, end: datetime) -> float:
    """N_T, the customers served on average of the time; before the first of ``counts`` as many as it has.

    ``counts`` are in the order of time. Zero when there is none.
    """
    if not counts:
        return 0.0
    if end <= start:
        return float(next((each for each in reversed(counts) if each.since <= start), counts[0]).customers)
    total = 0.0
    for place, count in enumerate(counts):
        begin = start if place == 0 else max(start, count.since)
        until = end if place + 1 == len(counts) else min(end, counts[place + 1].since)
        if until > begin:
            total += count.customers * (until - begin).total_seconds()
    return total / (end - start).total_seconds()
