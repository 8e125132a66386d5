"""Which meter measures which usage point, from when until when.

At any instant a meter is at one usage point at most, and a usage point has one meter at most (metering guide 2.4).
An installation ends at the instant at which the next one of its usage point begins, so an exchange has no hole.
"""

from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from contracts.errors import Conflict, Invalid, Rejected


class Installed(Struct, frozen=True, kw_only=True, order=True):
    """A meter at a usage point ``starts`` on, until before ``ends``; None while it is there."""

    usage_point: str
    starts: datetime
    meter: str
    ends: datetime | None = None

    def covers(self, at: datetime) -> bool:
        """True when the meter is there ``at`` that time."""
        return self.starts <= at and (self.ends is None or at < self.ends)

    def touches(self, begins: datetime, ends: datetime) -> bool:
        """True when the meter is there in some of that time."""
        return self.starts < ends and (self.ends is None or begins < self.ends)

    def lasts(self, begins: datetime, ends: datetime) -> bool:
        """True when the meter is there in all of that time."""
        return self.starts <= begins and (self.ends is None or ends <= self.ends)

    def overlaps(self, other: "Installed") -> bool:
        """True when there is an instant that both cover."""
        return (other.ends is None or self.starts < other.ends) and (self.ends is None or other.starts < self.ends)


class Change(Struct, frozen=True, kw_only=True):
    """What an order changes in the installations.

    Attributes:
        ended: an installation that now has an end, as it is now.
        begun: a new installation.
    """

    ended: Installed | None = None
    begun: Installed | None = None


NOTHING = Change()

Order = Callable[[Sequence[Installed], str, str, datetime], Change]
"""What may be ordered about a meter and a usage point at a time, given what is known of both."""


def install(known: Sequence[Installed], meter: str, usage_point: str, at: datetime) -> Change:
    """Put ``meter`` at ``usage_point``, where none is.

    Args:
        known: every installation of the meter and of the usage point.
        meter: what is put there.
        usage_point: where it is put.
        at: from when on.

    Raises:
        Conflict: 5.2, another meter is there, or the meter is elsewhere.
    """
    return _begun(known, meter, usage_point, at, ending=None)


def exchange(known: Sequence[Installed], meter: str, usage_point: str, at: datetime) -> Change:
    """Put ``meter`` at ``usage_point`` in the place of what is there; the old one ends at the same instant.

    Raises:
        Conflict: 5.2, the meter is elsewhere.
    """
    there = at_point(known, usage_point, at)
    return _begun(known, meter, usage_point, at, ending=there)


def remove(known: Sequence[Installed], meter: str, usage_point: str, at: datetime) -> Change:
    """Take ``meter`` away from ``usage_point``.

    Raises:
        Invalid: 2.13, it is not there.
        Conflict: 5.2, it was taken away at another time.
    """
    here = [each for each in known if (each.meter, each.usage_point) == (meter, usage_point) and each.starts < at]
    if not here:
        raise Invalid(f"meter {meter} is not at usage point {usage_point} at {at}", code="2.13", object_id=meter)
    last = max(here, key=lambda each: each.starts)
    if last.ends is None:
        return Change(ended=replace(last, ends=at))
    if last.ends != at:
        raise Conflict(f"meter {meter} left usage point {usage_point} at {last.ends}", object_id=meter)
    return NOTHING


def each_in_turn(
    known: Iterable[Installed], pairs: Sequence[tuple[str, str]], at: datetime, order: Order, set_up: AbstractSet[str]
) -> list[Change | Rejected]:
    """What one order changes for many meters, as if it were given for one after the other.

    Args:
        known: every installation of the meters and of the usage points.
        pairs: meters and usage points.
        at: from when on.
        order: what is ordered.
        set_up: the meters that are known.

    Returns:
        for each pair what changes, or why it cannot be.
    """
    by_mrid: dict[str, dict[tuple[str, datetime], Installed]] = {}
    for each in known:
        _note(each, by_mrid)
    found: list[Change | Rejected] = []
    for meter, point in pairs:
        if meter not in set_up:
            found.append(Invalid(f"meter {meter} is not known", code="2.4", object_id=meter))
            continue
        concerned = by_mrid.get(meter, {}) | by_mrid.get(point, {})
        try:
            change = order(sorted(concerned.values()), meter, point, at)
        except Rejected as error:
            found.append(error)
            continue
        found.append(change)
        for new in (change.ended, change.begun):
            if new is not None:
                _note(new, by_mrid)
    return found


def _note(new: Installed, by_mrid: dict[str, dict[tuple[str, datetime], Installed]]) -> None:
    for mrid in (new.meter, new.usage_point):
        by_mrid.setdefault(mrid, {})[new.usage_point, new.starts] = new


def at_point(known: Iterable[Installed], usage_point: str, at: datetime) -> Installed | None:
    """The installation at ``usage_point`` at that time."""
    return next((each for each in known if each.usage_point == usage_point and each.covers(at)), None)


def of_meter(known: Iterable[Installed], meter: str, at: datetime) -> Installed | None:
    """Where ``meter`` is at that time."""
    return next((each for each in known if each.meter == meter and each.covers(at)), None)


def _begun(
    known: Sequence[Installed], meter: str, usage_point: str, at: datetime, *, ending: Installed | None
) -> Change:
    if any((each.meter, each.usage_point, each.starts) == (meter, usage_point, at) for each in known):
        return NOTHING
    later = [each.starts for each in known if each.usage_point == usage_point and each.starts > at]
    new = Installed(usage_point=usage_point, starts=at, meter=meter, ends=min(later, default=None))
    if ending is not None and ending.meter == meter:
        raise Conflict(f"meter {meter} is at usage point {usage_point} since {ending.starts}", object_id=meter)
    ended = None if ending is None or ending.starts == at else replace(ending, ends=at)
    kept = [each for each in known if each is not ending]
    for each in [*kept, *([ending] if ending is not None and ended is None else [])]:
        if each.overlaps(new):
            reason = f"meter {each.meter} is at usage point {each.usage_point} since {each.starts}"
            raise Conflict(reason, object_id=each.meter)
    return Change(ended=ended, begun=new)
