"""Why the last gasp of a meter says nothing new of the network (metering guide 8, stages 2 to 4).

Only the loss of power is suppressed; that power is back is always passed on. Every event is kept, with its reason.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from contracts.codes.end_device_events import EventKind
from services.meter_reading_and_control.domain.events import Drop, Heard
from services.meter_reading_and_control.domain.installation import Installed

SAME = timedelta(seconds=5)
"""A last gasp that is told again so soon before or after is the same one; two collectors heard it (guide 8)."""

EXCHANGE = timedelta(minutes=15)
"""So long before and after it is put, exchanged or removed a meter may lose its power because of that [P]."""

CORRELATED = timedelta(hours=24)
"""So long before and after work at a usage point what its meter tells of tampering is explained by it (guide 7)."""


class FieldWork(Struct, frozen=True, kw_only=True):
    """People at a usage point or a meter, other than for a repair; ``ends`` is empty while they are there.

    Attributes:
        work: the mRID of the work.
        place: the usage point or meter.
    """

    work: str
    place: str
    starts: datetime
    ends: datetime | None = None

    def covers(self, at: datetime, margin: timedelta = timedelta()) -> bool:
        """True when they were there at that time, or within some time before or after it."""
        return self.starts - margin <= at and (self.ends is None or at <= self.ends + margin)


class Planned(Struct, frozen=True, kw_only=True):
    """A usage point that is to be without power for a while, as its customers were told."""

    usage_point: str
    starts: datetime
    ends: datetime


class Facts(Struct, frozen=True, kw_only=True):
    """What is known of the places of some events.

    Attributes:
        installed: every installation of the meters, by meter.
        works: people at the places, by place.
        planned: outages that were announced, by usage point.
        switched: what disconnect switches last did, by usage point: when, and what.
        gasps: when meters told that they lose their power, by meter.
    """

    installed: Mapping[str, Sequence[Installed]] = {}
    works: Mapping[str, Sequence[FieldWork]] = {}
    planned: Mapping[str, Sequence[Planned]] = {}
    switched: Mapping[str, Sequence[tuple[datetime, EventKind]]] = {}
    gasps: Mapping[str, Sequence[datetime]] = {}


def judged(heard: Iterable[Heard], facts: Facts) -> list[Heard]:
    """The events with what suppresses them, in their order; of last gasps of one time the first counts."""
    gasps = {meter: list(times) for meter, times in facts.gasps.items()}
    found = []
    for each in heard:
        at = each.happened_at
        reason = suppressed(each.kind, each.meter, each.usage_point or "", at, facts)
        if each.kind is EventKind.POWER_LOST:
            before = gasps.setdefault(each.meter, [])
            if at not in before and any(abs(at - told) <= SAME for told in before):
                reason = Drop.REPEATED
            else:
                before.append(at)
        found.append(each if reason is None else replace(each, suppressed=reason))
    return found


def suppressed(kind: EventKind | None, meter: str, usage_point: str, at: datetime, facts: Facts) -> Drop | None:
    """Why an event is not passed on; None where it is."""
    if kind is not EventKind.POWER_LOST:
        return None
    own = facts.installed.get(meter, ())
    works = (*facts.works.get(usage_point, ()), *facts.works.get(meter, ()))
    reasons = {
        Drop.EXCHANGE: any(abs(at - edge) <= EXCHANGE for each in own for edge in (each.starts, each.ends) if edge),
        Drop.NOT_INSTALLED: bool(own) and not any(each.covers(at) for each in own),
        Drop.DISCONNECTED: _last_switched(facts.switched.get(usage_point, ()), at) is EventKind.DISCONNECTED,
        Drop.PLANNED: any(each.starts <= at <= each.ends for each in facts.planned.get(usage_point, ())),
        Drop.WORK: any(each.covers(at) for each in works),
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def explaining(works: Iterable[FieldWork], places: Iterable[str], at: datetime) -> FieldWork | None:
    """The work at one of ``places`` that explains what a meter told of tampering at that time."""
    wanted = set(places)
    return next((each for each in works if each.place in wanted and each.covers(at, CORRELATED)), None)


def explains_day(works: Iterable[FieldWork], places: Iterable[str], edges: tuple[datetime, datetime]) -> bool:
    """True where people were at one of ``places`` within a day before or after any time of a market day."""
    wanted = set(places)
    return any(
        each.place in wanted
        and each.starts - CORRELATED < edges[1]
        and (each.ends is None or each.ends + CORRELATED > edges[0])
        for each in works
    )


def _last_switched(switched: Iterable[tuple[datetime, EventKind]], at: datetime) -> EventKind | None:
    return max((each for each in switched if each[0] <= at), default=(at, None))[1]
