"""The truth's own ledger: who was really in the dark and how long, counted by the rules of IEEE 1366.

Only real darkness counts. Times in the dark that follow one another while a device tries to close belong together: when
one of them is sustained those before it are part of that interruption, which began with the first of them; what comes
after the last sustained one is another event, as somebody had switched on again. Momentary interruptions within five
minutes of the first are one event, and none when a sustained one follows within that time.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import groupby

from msgspec import Struct

MOMENTARY = timedelta(minutes=5)
"""An interruption of up to so long is momentary, and momentary ones that begin within it are one event."""

ATTEMPTS = timedelta(seconds=60)
"""Power that was there for less than this between two times in the dark did not hold."""

MINUTE = timedelta(minutes=1)


class Darkness(Struct, frozen=True, kw_only=True, order=True):
    """A time in the dark of a usage point; ``ended`` is None while it lasts."""

    usage_point: str
    began: datetime
    ended: datetime | None = None


class Truth(Struct, frozen=True, kw_only=True):
    """What was really so: sums over customers, and the indices for each customer served.

    Attributes:
        interruptions: sustained interruptions of customers.
        minutes: the customer-minutes of those.
        customers: who was in the dark for longer than a momentary interruption, each once.
        momentary: momentary interruptions of customers, and events of these.
    """

    served: int
    interruptions: int
    minutes: float
    customers: int
    momentary: int
    momentary_events: int

    @property
    def saifi(self) -> float:
        """Sustained interruptions for each customer."""
        return self.interruptions / self.served

    @property
    def saidi(self) -> float:
        """Minutes for each customer."""
        return self.minutes / self.served

    @property
    def caidi(self) -> float | None:
        """Minutes for each interruption of a customer."""
        return self.minutes / self.interruptions if self.interruptions else None


def truth_of(darkness: Iterable[Darkness], customers: Mapping[str, int], until: datetime) -> Truth:
    """The truth of all times in the dark that are given; what lasts is counted up to ``until``.

    ``customers`` are those served at each usage point.
    """
    interruptions = dark = momentary = events = 0
    seconds = 0.0
    for point, group in groupby(sorted(darkness), key=lambda each: each.usage_point):
        weight = customers.get(point, 0)
        sustained, brief, brief_events, spent = _counted(group, until)
        interruptions += weight * sustained
        dark += weight if sustained else 0
        momentary += weight * brief
        events += weight * brief_events
        seconds += weight * spent
    return Truth(
        served=sum(customers.values()),
        interruptions=interruptions,
        minutes=seconds / 60.0,
        customers=dark,
        momentary=momentary,
        momentary_events=events,
    )


def _counted(group: Iterable[Darkness], until: datetime) -> tuple[int, int, int, float]:
    """Of one usage point: sustained interruptions, momentary ones, events of these; the seconds of the sustained."""
    sustained = brief = events = 0
    seconds = 0.0
    first: datetime | None = None
    for attempts in _sequences(group):
        if first is not None and attempts[0].began - first > MOMENTARY:
            events += 1
            first = None
        lasting = [place for place, each in enumerate(attempts) if (each.ended or until) - each.began > MOMENTARY]
        if lasting:
            sustained += 1
            seconds += ((attempts[lasting[-1]].ended or until) - attempts[0].began).total_seconds()
            first = None
        after = attempts[lasting[-1] + 1 :] if lasting else attempts
        if after:
            brief += len(after)
            first = first or after[0].began
    return sustained, brief, events + (first is not None), seconds


def _sequences(group: Iterable[Darkness]) -> Iterator[list[Darkness]]:
    """The times in the dark of one usage point, put together while power did not hold between them."""
    sequence: list[Darkness] = []
    for each in group:
        last = sequence[-1].ended if sequence else None
        if last is not None and each.began - last >= ATTEMPTS:
            yield sequence
            sequence = []
        sequence.append(each)
    if sequence:
        yield sequence
