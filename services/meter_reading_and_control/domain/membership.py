"""Which usage points belong together, from when until when: behind a transformer, in a feeder, in a group."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from msgspec import Struct

Spell = tuple[datetime | None, datetime | None]
"""From when until when; None: always."""

ALWAYS: Spell = (None, None)


class Served(Struct, frozen=True, kw_only=True, order=True):
    """Where a usage point is served since then; nowhere where there is no ``feeder``."""

    usage_point: str
    since: datetime
    feeder: str | None
    transformer: str | None = None

    @property
    def places(self) -> frozenset[str]:
        """What it belongs to."""
        return frozenset(each for each in (self.feeder, self.transformer) if each is not None)


class Group(Struct, frozen=True, kw_only=True):
    """Usage points that are asked for by one name, each with the times at which it belongs to it."""

    name: str
    members: Mapping[str, tuple[Spell, ...]]


def news(known: Mapping[str, Served], told: Iterable[Served], since: datetime) -> list[Served]:
    """What a model changes since then; a usage point that it has not is served nowhere."""
    there = {each.usage_point: each for each in told}
    moved = [each for point, each in there.items() if point not in known or known[point].places != each.places]
    gone = [
        Served(usage_point=point, since=since, feeder=None)
        for point, each in known.items()
        if point not in there and each.feeder is not None
    ]
    return sorted([*moved, *gone])


def groups_in(served: Iterable[Served], wanted: Iterable[str]) -> list[Group]:
    """The usage points of each transformer or feeder that is wanted; of those where there are some."""
    by_point: dict[str, list[Served]] = {}
    for each in sorted(served):
        by_point.setdefault(each.usage_point, []).append(each)
    found = [Group(name=name, members=_members(by_point, name)) for name in sorted(set(wanted))]
    return [group for group in found if group.members]


def _members(by_point: Mapping[str, Sequence[Served]], name: str) -> dict[str, tuple[Spell, ...]]:
    found: dict[str, tuple[Spell, ...]] = {}
    for point, spells in by_point.items():
        ends: list[datetime | None] = [each.since for each in spells[1:]]
        own = [(each.since, end) for each, end in zip(spells, [*ends, None], strict=True) if name in each.places]
        if own:
            found[point] = tuple(own)
    return found


def united(groups: Iterable[Group]) -> Group:
    """All of them as one, such as a zone of some feeders; who belongs to several counts once."""
    every = list(groups)
    members: dict[str, tuple[Spell, ...]] = {}
    for group in every:
        for point, spells in group.members.items():
            members[point] = (*members.get(point, ()), *spells)
    return Group(name=" + ".join(group.name for group in every), members=members)


def covers(spells: Iterable[Spell], at: datetime) -> bool:
    """True when one of these times contains that instant."""
    return any((since is None or since <= at) and (until is None or at < until) for since, until in spells)


def narrowed(spells: Iterable[Spell], start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """What of these times lies from ``start`` until ``end``."""
    within = [
        (start if since is None else max(since, start), end if until is None else min(until, end))
        for since, until in spells
    ]
    return sorted(each for each in within if each[0] < each[1])
