"""Interruptions of customers, each by its own duration, as IEEE 1366 counts them."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta, tzinfo
from itertools import groupby

from msgspec import Struct, msgpack
from msgspec.structs import replace

MOMENTARY = timedelta(minutes=5)
"""An interruption of up to so long is momentary, and momentary ones that begin within it are one event."""

MINUTE = timedelta(minutes=1)


class Entry(Struct, frozen=True, kw_only=True):
    """A line of the ledger with the customers that it concerns."""

    usage_point: str
    feeder: str | None
    customers: int
    began_at: datetime
    ended_at: datetime | None
    planned: bool


class Interruption(Struct, frozen=True, kw_only=True):
    """The customers of a usage point without supply, from the loss to its return; so far, where it is not ``over``."""

    usage_point: str
    feeder: str | None
    customers: int
    began_at: datetime
    ended_at: datetime
    planned: bool
    over: bool

    @property
    def duration(self) -> timedelta:
        """How long these customers were without supply."""
        return self.ended_at - self.began_at

    @property
    def sustained(self) -> bool:
        """True when it lasted longer than a momentary one may; five minutes to the instant are momentary."""
        return self.duration > MOMENTARY

    @property
    def minutes(self) -> float:
        """Its customer-minutes."""
        return self.customers * (self.duration / MINUTE)

    def day(self, zone: tzinfo) -> date:
        """The local day to which all of it belongs: that on which it began."""
        return self.began_at.astimezone(zone).date()


def packed(entries: Sequence[Entry]) -> bytes:
    """The entries for another process; years of them in a fraction of a second, where pickling takes several."""
    return msgpack.encode(entries)


def unpacked(ledger: bytes) -> list[Entry]:
    """The entries that were packed."""
    return msgpack.decode(ledger, type=list[Entry])


def interruptions(entries: Iterable[Entry], cut_off: datetime) -> list[Interruption]:
    """The interruptions that had begun before ``cut_off``, by usage point in the order of time.

    Where one outage takes over from another without a moment of supply it is one interruption, planned and unplanned
    apart. What is not over at ``cut_off`` lasted until then, and is left out while it may yet be momentary.
    """
    result: list[Interruption] = []
    for entry in sorted(entries, key=lambda each: (each.usage_point, each.began_at)):
        if entry.began_at >= cut_off:
            continue
        end = cut_off if entry.ended_at is None else min(entry.ended_at, cut_off)
        over = end == entry.ended_at
        last = result[-1] if result else None
        if last is not None and (last.usage_point, last.ended_at, last.planned) == (
            entry.usage_point,
            entry.began_at,
            entry.planned,
        ):
            result[-1] = replace(last, ended_at=end, over=over)
        else:
            result.append(
                Interruption(
                    usage_point=entry.usage_point,
                    feeder=entry.feeder,
                    customers=entry.customers,
                    began_at=entry.began_at,
                    ended_at=end,
                    planned=entry.planned,
                    over=over,
                )
            )
    return [each for each in result if each.over or each.sustained]


def momentary_events(counted: Iterable[Interruption]) -> list[Interruption]:
    """The first interruption of each momentary event; ``counted`` is by usage point in the order of time.

    Momentary interruptions that begin within five minutes of the first are one event. It is none when a sustained
    interruption follows within that time, since then the supply did not hold.
    """
    events: list[Interruption] = []
    for _, group in groupby(counted, key=lambda each: each.usage_point):
        events += _events_of_one(group)
    return events


def _events_of_one(group: Iterable[Interruption]) -> Iterator[Interruption]:
    first: Interruption | None = None
    for each in group:
        if first is not None and each.began_at - first.began_at > MOMENTARY:
            yield first
            first = None
        if each.sustained:
            first = None
        elif first is None:
            first = each
    if first is not None:
        yield first
