"""The ledger: who was without supply from when to when, and by which outage.

Everything follows from what was told of the outages, each telling by its revision. The order in which tellings arrive
and how often each does make no difference.
"""

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct


class Telling(Struct, frozen=True, kw_only=True):
    """What one event tells of an outage.

    Attributes:
        outage: its mRID.
        revision: grows by one with each change of the outage.
        told_at: when the change happened, as far as the event says.
        counts: False for what is only inferred, was dismissed or cancelled: nobody is interrupted by it.
        planned: True for an outage on purpose.
        began_at: when the supply was lost.
        ended_at: when the last customer had it again, once all have.
        dark: the usage points without supply.
        live: those that had lost it and have it again.
        steps: when each of them had it again, where the event says so.
    """

    outage: str
    revision: int
    told_at: datetime
    counts: bool
    planned: bool
    began_at: datetime
    ended_at: datetime | None
    dark: tuple[str, ...]
    live: tuple[str, ...]
    steps: dict[str, datetime] = {}


class Interval(Struct, frozen=True, kw_only=True):
    """A usage point without supply, from ``began_at`` until before ``ended_at``, or still."""

    usage_point: str
    outage: str
    began_at: datetime
    ended_at: datetime | None
    planned: bool

    @property
    def order(self) -> tuple[datetime, bool, datetime, str]:
        """Who began first comes first; of those who began together, who ended first."""
        return (self.began_at, self.ended_at is None, self.ended_at or self.began_at, self.outage)


def claims(history: Iterable[Telling]) -> list[Interval]:
    """What an outage says of each of its usage points, from all that was told of it.

    The newest telling says whose supply was lost, when, and when all had it again. It may say for each of them when;
    where it does not, that is when it was first told of, unless a later telling took that back.
    """
    by_revision = sorted(history, key=lambda telling: telling.revision)
    if not by_revision or not by_revision[-1].counts:
        return []
    newest = by_revision[-1]
    back = dict.fromkeys(newest.dark, newest.ended_at)
    for point in newest.live:
        if point in newest.steps:
            back[point] = newest.steps[point]
            continue
        told = newest
        for telling in reversed(by_revision):
            if point not in telling.live:
                break
            told = telling
        if told.ended_at is None:
            back[point] = min(told.told_at, newest.ended_at or told.told_at)
        else:
            back[point] = newest.ended_at or told.ended_at
    return [
        Interval(
            usage_point=point, outage=newest.outage, began_at=newest.began_at, ended_at=end, planned=newest.planned
        )
        for point, end in sorted(back.items())
        if end is None or end > newest.began_at
    ]


def disjoint(claimed: Iterable[Interval]) -> list[Interval]:
    """The intervals of one usage point such that no two overlap and together they last as long as all that is claimed.

    Where outages claim the same time it belongs to the one that began first: a customer who is off already cannot be
    interrupted again. So a nested outage has what is left after its parent was restored.
    """
    result: list[Interval] = []
    free: datetime | None = None
    for claim in sorted(claimed, key=lambda each: each.order):
        start = claim.began_at if free is None else max(claim.began_at, free)
        if claim.ended_at is None or claim.ended_at > start:
            result.append(
                Interval(
                    usage_point=claim.usage_point,
                    outage=claim.outage,
                    began_at=start,
                    ended_at=claim.ended_at,
                    planned=claim.planned,
                )
            )
            free = claim.ended_at
        if claim.ended_at is None:
            break
    return result
