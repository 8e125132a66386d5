"""Why the last gasp of a meter says nothing about the network: people are at work there (metering guide 8, stage 4).

Only the loss of power is suppressed; that power is back is always passed on. Every event is kept, with its reason.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from contracts.codes.end_device_events import EventKind
from services.meter_reading_and_control.domain.events import Drop
from services.meter_reading_and_control.domain.installation import Installed

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
        installed: every installation of the meters.
        works: people at the places.
        planned: outages that were announced.
        switched: what disconnect switches last did, by usage point: when, and what.
    """

    installed: Sequence[Installed] = ()
    works: Sequence[FieldWork] = ()
    planned: Sequence[Planned] = ()
    switched: Sequence[tuple[str, datetime, EventKind]] = ()


def suppressed(kind: EventKind | None, meter: str, usage_point: str, at: datetime, facts: Facts) -> Drop | None:
    """Why an event is not passed on; None where it is."""
    if kind is not EventKind.POWER_LOST:
        return None
    own = [each for each in facts.installed if each.meter == meter]
    edges = [edge for each in own for edge in (each.starts, each.ends) if edge is not None]
    reasons = {
        Drop.EXCHANGE: any(abs(at - edge) <= EXCHANGE for edge in edges),
        Drop.NOT_INSTALLED: bool(own) and not any(each.covers(at) for each in own),
        Drop.DISCONNECTED: _last_switched(facts.switched, usage_point, at) is EventKind.DISCONNECTED,
        Drop.PLANNED: any(p.usage_point == usage_point and p.starts <= at <= p.ends for p in facts.planned),
        Drop.WORK: any(each.place in {usage_point, meter} and each.covers(at) for each in facts.works),
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def explaining(works: Iterable[FieldWork], places: Iterable[str], at: datetime) -> FieldWork | None:
    """The work at one of ``places`` that explains what a meter told of tampering at that time."""
    wanted = set(places)
    return next((each for each in works if each.place in wanted and each.covers(at, CORRELATED)), None)


def _last_switched(
    switched: Iterable[tuple[str, datetime, EventKind]], usage_point: str, at: datetime
) -> EventKind | None:
    before = [(when, kind) for point, when, kind in switched if point == usage_point and when <= at]
    return max(before)[1] if before else None
