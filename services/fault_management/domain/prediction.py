"""Which device opened: the threshold roll-up, the method that products ship (operations guide 3.3).

Each level of the supply tree asks whether the one above it explains the darkness better:

* a *transformer* is out when two of its usage points, or 30 % of them, are dark;
* a *fuse* (or sectionaliser) is out when two of its transformers have dark usage points, or its only one is out;
* what else protects, and a source, is out when two laterals or transformers of its zone are out, or its only
  transformer is;
* anything is out at once when all below it are dark, unless a single lateral explains that as well.

Nothing is out above a usage point that had power after the darkness began, nor what is telemetered and reported closed;
above such a device the roll-up goes on only when all below it are dark. The lowest device that explains all is named.

Phases are kept apart. A fuse is out on those phases on which customers are dark; what moves all its poles together is
out on all of them, unless somebody on another phase has power. A customer with several phases has power as long as one
of them is left, and one who misses only a part of the power speaks for the loss of some phases and against that of all.

Each darkness is judged by the network as it was when it began, and each sign of life by the network of its own time.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from msgspec import Struct

from services.fault_management.domain.evidence import Evidence, Standing, standing
from services.fault_management.domain.network import Network
from services.fault_management.domain.structure import ALL
from services.fault_management.domain.timeline import Timeline
from services.fault_management.domain.tree import Device, Tree

CUSTOMERS = 2
SHARE = 0.3
PARTS = 2

_EVER = datetime.min.replace(tzinfo=UTC)

_MELTS_ALONE = frozenset({"Fuse", "Sectionaliser"})
_ONE_POLE = frozenset({"Fuse"})


class Prediction(Struct, frozen=True, kw_only=True):
    """One dark area.

    Attributes:
        likely: the thresholds are passed; otherwise it is a mere suspicion at one usage point.
        device: what is out, a device or a transformer; None for a suspicion, or where the model has no transformer.
        phases: those that are out, as bits; None where they are all those of the device, or nobody knows which.
        points: who is without supply if that is so, sorted.
        dark: who said so, sorted; with those who miss a part of their power.
        since: the earliest of what they said.
        why: one sentence for the operator.
    """

    likely: bool
    device: str | None
    phases: int | None = None
    points: tuple[str, ...]
    dark: tuple[str, ...]
    since: datetime
    why: str


def predict(
    topology: Timeline,
    evidence: Iterable[Evidence],
    now: datetime,
    outside: Mapping[str, datetime] | None = None,
) -> tuple[Prediction, ...]:
    """The dark areas that explain ``evidence``, disjoint and sorted.

    The result depends on the set of the evidence alone: neither its order nor repetitions change it.

    Args:
        topology: the area, as it was at any time.
        evidence: what was heard and is not explained otherwise.
        now: the present instant; evidence from later is left out.
        outside: usage points whose darkness has another, known reason, with the time since when it has.
    """
    points = topology.structure.points
    told = {mrid: each for mrid, each in standing(evidence, now).items() if mrid in points}
    dark = {mrid: each for mrid, each in told.items() if each.dark}
    alive = _signs_of_life(topology, told)
    found: list[Prediction] = []
    taken: set[str] = set()
    for network, begun in _epochs(topology, dark):
        rest = {
            mrid: each for mrid, each in dark.items() if mrid in begun or _same_place(topology, network, mrid, each)
        }
        for area in _RollUp(network, rest, alive, {**(outside or {}), **dict.fromkeys(taken, _EVER)}).areas():
            if not begun.isdisjoint(area.dark):
                found.append(area)
                taken |= {*area.points, *area.dark}
        dark = {mrid: each for mrid, each in dark.items() if mrid not in taken}
    return tuple(sorted(found, key=lambda area: area.points))


def _epochs(topology: Timeline, dark: Mapping[str, Standing]) -> list[tuple[Network, set[str]]]:
    """The networks in which darkness began, the oldest first, each with whom it caught."""
    epochs: list[tuple[Network, set[str]]] = []
    for mrid, each in sorted(dark.items(), key=lambda item: (item[1].since, item[0])):
        network = topology.at(each.since)
        if not epochs or epochs[-1][0].tree is not network.tree:
            epochs.append((network, set()))
        epochs[-1][1].add(mrid)
    return epochs


def _same_place(topology: Timeline, network: Network, point: str, each: Standing) -> bool:
    """True when a usage point hung on the same devices when it went dark as in ``network``."""
    then = topology.at(each.since).tree
    return then is network.tree or then.chain(point) == network.tree.chain(point)


def _signs_of_life(topology: Timeline, told: Mapping[str, Standing]) -> list[tuple[Tree, dict[str, datetime]]]:
    """When usage points had power for certain, with the tree of that time."""
    found: dict[int, tuple[Tree, dict[str, datetime]]] = {}
    for mrid, each in told.items():
        if not each.dark:
            tree = topology.at(each.latest).tree
            found.setdefault(id(tree), (tree, {}))[1][mrid] = each.latest
    return list(found.values())


class _Part(Struct, frozen=True, kw_only=True):
    """What one lateral or transformer comes to.

    Attributes:
        areas: its dark areas.
        dark: who is dark in it.
        out: it counts as out as a whole.
        lateral: it is a device with what is below it, not a transformer.
        orphan: all of it is dark, and its device cannot be why.
    """

    areas: tuple[Prediction, ...]
    dark: frozenset[str]
    out: bool
    lateral: bool
    orphan: bool = False


class _Reach(Struct, frozen=True, kw_only=True):
    """Whom the loss of some phases of something would concern.

    Attributes:
        phases: these phases, as bits; None where it is one of several and nobody knows which.
        whole: who would have no power at all.
        some: who would lose a phase at least.
    """

    phases: int | None
    whole: frozenset[str]
    some: frozenset[str]


class _RollUp:
    """One pass up the tree, along the ways from the dark usage points to the sources."""

    def __init__(
        self,
        network: Network,
        dark: Mapping[str, Standing],
        alive: list[tuple[Tree, dict[str, datetime]]],
        outside: Mapping[str, datetime],
    ) -> None:
        self._network = network
        self._tree = network.tree
        self._dark = dark
        self._alive = alive
        self._outside = outside
        self._partial = frozenset(mrid for mrid, each in dark.items() if each.partial)
        self._parts: dict[str | None, list[_Part]] = {}

    def areas(self) -> tuple[Prediction, ...]:
        """The dark areas of the whole network."""
        groups: dict[str, set[str]] = {}
        for mrid in self._dark:
            groups.setdefault(self._network.groups[mrid], set()).add(mrid)
        for group in sorted(groups):
            for above, members in sorted(self._by_device(groups[group]).items(), key=lambda item: item[0] or ""):
                self._parts.setdefault(above, []).append(self._transformer(group, above, members))
        for device in self._concerned():
            parts = self._parts.pop(device.mrid, [])
            self._parts.setdefault(device.upstream, []).append(self._rise(device, parts))
        return tuple(area for part in self._parts.get(None, []) for area in part.areas)

    def _by_device(self, points: set[str]) -> dict[str | None, set[str]]:
        found: dict[str | None, set[str]] = {}
        for mrid in points:
            found.setdefault(self._tree.zone.get(mrid), set()).add(mrid)
        return found

    def _concerned(self) -> list[Device]:
        """The devices upstream of something dark, each after those below it."""
        mrids = {device for mrid in self._dark for device in self._tree.chain(mrid)}
        found = [self._tree.devices[mrid] for mrid in mrids]
        return sorted(found, key=lambda device: (-device.depth, device.mrid))

    def _transformer(self, group: str, device: str | None, dark: set[str]) -> _Part:
        """What the dark usage points of a transformer come to."""
        members = frozenset(
            mrid for mrid in self._network.structure.group_members[group] if self._tree.zone.get(mrid) == device
        )
        transformer = self._network.points[min(dark)].transformer
        for reach in self._reaches_at_group(members, dark):
            told = frozenset(mrid for mrid in dark if self._explains(reach, mrid))
            enough = len(told) >= CUSTOMERS or len(told) >= SHARE * len(reach.some & members)
            if told and enough and not self._contradicted(reach, told, None):
                area = self._area(transformer, reach, told)
                rest = tuple(self._suspicion(mrid) for mrid in sorted(dark - told))
                return _Part(areas=(area, *rest), dark=frozenset(dark), out=not rest, lateral=False)
        single = tuple(self._suspicion(mrid) for mrid in sorted(dark))
        return _Part(areas=single, dark=frozenset(dark), out=False, lateral=False)

    def _reaches_at_group(self, members: frozenset[str], dark: set[str]) -> list[_Reach]:
        """The losses that may be why usage points of a transformer are dark: of all phases, or of those concerned."""
        phases = {mrid: self._phases_of(mrid) for mrid in members}
        own = 0
        seen = 0
        for mrid, each in phases.items():
            own |= each
            if mrid in dark and mrid not in self._partial:
                seen |= each
        candidates = [own] if seen in {0, own} else [own, seen]
        reaches = [
            _Reach(
                phases=None if lost == own else lost,
                whole=frozenset(mrid for mrid, each in phases.items() if not each & ~lost),
                some=frozenset(mrid for mrid, each in phases.items() if each & lost),
            )
            for lost in candidates
        ]
        if self._partial.isdisjoint(dark):
            return reaches
        many = frozenset(mrid for mrid, each in phases.items() if each & (each - 1))
        return [*reaches, _Reach(phases=None, whole=frozenset(), some=many)]

    def _phases_of(self, point: str) -> int:
        return sum(1 << vertex % 3 for vertex in self._network.structure.vertices[point])

    def _rise(self, device: Device, parts: list[_Part]) -> _Part:
        """Whether ``device`` explains what its laterals and transformers say better than they do."""
        dark = frozenset().union(*(part.dark for part in parts))
        for reach in self._reaches(device, dark):
            explained = [part for part in parts if all(self._explains(reach, mrid) for mrid in part.dark)]
            risen = self._risen(device, reach, explained, [part for part in parts if part not in explained])
            if risen is not None:
                return risen
        below = tuple(area for part in parts for area in part.areas)
        whole = self._tree.wholly_under(device.mrid)
        out = len(parts) == 1 and parts[0].out and dark >= whole
        return _Part(areas=below, dark=dark, out=out, lateral=True)

    def _risen(self, device: Device, reach: _Reach, parts: list[_Part], rest: list[_Part]) -> _Part | None:
        """The part of ``device`` when its loss explains ``parts`` better than they do themselves."""
        transformers = [part for part in parts if not part.lateral]
        dark = frozenset().union(*(part.dark for part in parts))
        alone = len(self._tree.zone_groups.get(device.mrid, ())) == 1 and device.mrid not in self._tree.laterals
        affected = reach.whole or reach.some
        all_dark = bool(parts) and dark >= affected and (len(parts) > 1 or bool(transformers) or parts[0].orphan)
        if device.kind in _MELTS_ALONE:
            enough = sum(part.out or not part.lateral for part in parts) >= PARTS
        else:
            enough = sum(part.out for part in parts) >= PARTS
        enough = enough or all_dark or (alone and any(part.out for part in transformers))
        if not enough or self._contradicted(reach, dark, device.mrid):
            return None
        left = tuple(area for part in rest for area in part.areas)
        whole = dark.union(*(part.dark for part in rest))
        if self._network.supply.is_closed(device.mrid):
            if not all_dark:
                return None
            below = tuple(area for part in parts for area in part.areas)
            return _Part(areas=(*below, *left), dark=whole, out=True, lateral=True, orphan=True)
        taken = frozenset(mrid for area in left for mrid in (*area.points, *area.dark))
        area = self._area(device.mrid, reach, dark, taken)
        return _Part(areas=(area, *left), dark=whole, out=True, lateral=True)

    def _reaches(self, device: Device, dark: frozenset[str]) -> list[_Reach]:
        """The losses of ``device`` that may be why usage points are dark."""
        own = self._network.structure.phases[device.mrid]
        seen = 0
        for mrid in dark:
            if mrid not in self._partial:
                seen |= self._tree.phases_through(device.mrid, mrid)
        candidates = [seen] if device.kind in _ONE_POLE or seen == own else [own, seen]
        reaches = [self._reach(device, lost, own) for lost in candidates if lost]
        return reaches if self._partial.isdisjoint(dark) else [*reaches, self._some_phase(device, own)]

    def _reach(self, device: Device, lost: int, own: int) -> _Reach:
        return _Reach(
            phases=None if lost == own else lost,
            whole=self._tree.wholly_under(device.mrid, lost),
            some=self._tree.under(device.mrid, lost),
        )

    def _some_phase(self, device: Device, own: int) -> _Reach:
        """The loss of one phase of ``device``, nobody knows which unless all others are seen to be there."""
        single = [1 << phase for phase in range(3) if own >> phase & 1]
        under = [self._tree.under(device.mrid, phase) for phase in single]
        several = under[0].intersection(*under[1:]) if len(single) > 1 else frozenset()
        left = [phase for phase in single if not self._has_power(device.mrid, phase, None)]
        return _Reach(phases=left[0] if len(left) == 1 else None, whole=frozenset(), some=several)

    def _explains(self, reach: _Reach, point: str) -> bool:
        """True when the loss leaves a usage point with as much, or as little, as it says."""
        if point in self._partial:
            return point in reach.some and point not in reach.whole
        return point in reach.whole

    def _contradicted(self, reach: _Reach, dark: frozenset[str], device: str | None) -> bool:
        """True when somebody who would have no power had some, all of it or a part, after the first lost it."""
        if not self._partial.isdisjoint(reach.whole):
            return True
        begun = min(self._dark[mrid].since for mrid in dark)
        if device is not None:
            return bool(reach.whole) and self._has_power(device, ALL if reach.phases is None else reach.phases, begun)
        return any(times[mrid] > begun for _, times in self._alive for mrid in reach.whole.intersection(times))

    def _has_power(self, device: str, phases: int, begun: datetime | None) -> bool:
        """True when somebody had power, after ``begun``, who had none if these phases of ``device`` were out."""
        for tree, times in self._alive:
            lit = tree.wholly_under(device, phases).intersection(times)
            if any(begun is None or times[mrid] > begun for mrid in lit):
                return True
        return False

    def _area(
        self, device: str | None, reach: _Reach, dark: frozenset[str], taken: frozenset[str] = frozenset()
    ) -> Prediction:
        since = min(self._dark[mrid].since for mrid in dark)
        points = frozenset(
            mrid
            for mrid in (reach.whole or dark) - taken
            if mrid in self._dark or mrid not in self._outside or self._outside[mrid] > since
        )
        where = self._network.title(device, reach.phases)
        return Prediction(
            likely=True,
            device=device,
            phases=reach.phases,
            points=tuple(sorted(points)),
            dark=tuple(sorted(dark)),
            since=since,
            why=f"{len(dark)} of {len(points | dark)} usage points under {where} report no power",
        )

    def _suspicion(self, mrid: str) -> Prediction:
        return Prediction(
            likely=False,
            device=None,
            points=(mrid,),
            dark=(mrid,),
            since=self._dark[mrid].since,
            why="one usage point reports no power",
        )
