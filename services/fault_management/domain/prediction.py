"""Which device opened: the threshold roll-up, the method that products ship.

Each level of the supply tree asks whether the one above it explains the darkness better:

* a *transformer* is out when two of its usage points, or 30 % of them, are dark;
* a *fuse* (or sectionaliser) is out when two of its transformers have dark usage points, or its only one is out;
* what else protects, and a source, is out when two laterals or transformers of its zone are out, or its only
  transformer is;
* anything is out at once when all below it are dark, unless a single lateral explains that as well.

Nothing is out above a usage point that had power after the darkness began, nor what is telemetered and reported closed;
above such a device the roll-up goes on only when all below it are dark. The lowest device that explains all is named.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from services.fault_management.domain.evidence import Evidence, Standing, standing
from services.fault_management.domain.network import Device, Network

CUSTOMERS = 2
SHARE = 0.3
PARTS = 2

_MELTS_ALONE = frozenset({"Fuse", "Sectionaliser"})


class Prediction(Struct, frozen=True, kw_only=True):
    """One dark area.

    Attributes:
        likely: the thresholds are passed; otherwise it is a mere suspicion at one usage point.
        device: what is out, a device or a transformer; None for a suspicion, or where the model has no transformer.
        points: who is without supply if that is so, sorted.
        dark: those of them who said so, sorted.
        since: the earliest of what they said.
        why: one sentence for the operator.
    """

    likely: bool
    device: str | None
    points: tuple[str, ...]
    dark: tuple[str, ...]
    since: datetime
    why: str


def predict(
    network: Network, evidence: Iterable[Evidence], now: datetime, outside: frozenset[str] = frozenset()
) -> tuple[Prediction, ...]:
    """The dark areas that explain ``evidence``, disjoint and sorted.

    The result depends on the set of the evidence alone: neither its order nor repetitions change it.

    Args:
        network: the area as operated.
        evidence: what was heard and is not explained otherwise.
        now: the present instant; evidence from later is left out.
        outside: usage points whose darkness has another, known reason.
    """
    standings = {
        mrid: each for mrid, each in standing(evidence, now).items() if mrid in network.points and mrid not in outside
    }
    return _RollUp(network, standings, outside).areas()


class _Part(Struct, frozen=True, kw_only=True):
    """What one lateral or transformer comes to.

    Attributes:
        areas: its dark areas.
        out: it counts as out as a whole.
        lateral: it is a device with what is below it, not a transformer.
        orphan: all of it is dark, and its device cannot be why.
    """

    areas: tuple[Prediction, ...]
    out: bool
    lateral: bool
    orphan: bool = False


class _RollUp:
    """One pass up the tree."""

    def __init__(self, network: Network, standings: dict[str, Standing], outside: frozenset[str]) -> None:
        self._network = network
        self._standings = standings
        self._outside = outside
        self._groups: defaultdict[str | None, defaultdict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        for mrid in network.points.keys() - outside:
            self._groups[network.zone.get(mrid)][network.groups[mrid]].add(mrid)
        self._laterals: defaultdict[str | None, list[_Part]] = defaultdict(list)
        self._has_laterals: set[str | None] = set()

    def areas(self) -> tuple[Prediction, ...]:
        """The dark areas of the whole network."""
        for device in self._network.devices.values():
            points = self._network.under(device.mrid) - self._outside
            if points:
                self._has_laterals.add(device.upstream)
            if any(self._is_dark(mrid) for mrid in points):
                self._laterals[device.upstream].append(self._rise(device, points))
        top = [*self._laterals[None], *self._transformers(None)]
        return tuple(sorted((area for part in top for area in part.areas), key=lambda area: area.points))

    def _rise(self, device: Device, points: frozenset[str]) -> _Part:
        """Whether ``device`` explains what its laterals and transformers say better than they do."""
        laterals = self._laterals[device.mrid]
        transformers = self._transformers(device.mrid)
        parts = [*laterals, *transformers]
        only = len(self._groups[device.mrid]) == 1 and device.mrid not in self._has_laterals
        dark = sorted(mrid for mrid in points if self._is_dark(mrid))
        all_dark = len(dark) == len(points) and (len(parts) > 1 or bool(transformers) or parts[0].orphan)
        if device.kind in _MELTS_ALONE:
            enough = sum(part.out or not part.lateral for part in parts) >= PARTS
        else:
            enough = sum(part.out for part in parts) >= PARTS
        enough = enough or all_dark or (only and transformers[0].out)
        below = tuple(area for part in parts for area in part.areas)
        if not enough or self._has_power(points):
            out = len(parts) == 1 and parts[0].out and len(dark) == len(points)
            return _Part(areas=below, out=out, lateral=True)
        if device.closed:
            return _Part(areas=below, out=all_dark, lateral=True, orphan=all_dark)
        return _Part(areas=(self._area(device.mrid, points),), out=True, lateral=True)

    def _transformers(self, device: str | None) -> list[_Part]:
        """What each transformer directly below ``device`` says, if it says anything."""
        parts = []
        for _, points in sorted(self._groups[device].items()):
            members = frozenset(points)
            dark = sorted(mrid for mrid in members if self._is_dark(mrid))
            if not dark:
                continue
            if (len(dark) >= CUSTOMERS or len(dark) >= SHARE * len(members)) and not self._has_power(members):
                transformer = self._network.points[dark[0]].transformer
                parts.append(_Part(areas=(self._area(transformer, members),), out=True, lateral=False))
            else:
                single = tuple(self._suspicion(mrid) for mrid in dark)
                parts.append(_Part(areas=single, out=False, lateral=False))
        return parts

    def _area(self, device: str | None, points: frozenset[str]) -> Prediction:
        dark = tuple(sorted(mrid for mrid in points if self._is_dark(mrid)))
        where = "one transformer" if device is None else self._network.name(device) or device
        return Prediction(
            likely=True,
            device=device,
            points=tuple(sorted(points)),
            dark=dark,
            since=min(self._standings[mrid].since for mrid in dark),
            why=f"{len(dark)} of {len(points)} usage points under {where} report no power",
        )

    def _suspicion(self, mrid: str) -> Prediction:
        return Prediction(
            likely=False,
            device=None,
            points=(mrid,),
            dark=(mrid,),
            since=self._standings[mrid].since,
            why="one usage point reports no power",
        )

    def _is_dark(self, mrid: str) -> bool:
        return mrid in self._standings and self._standings[mrid].dark

    def _has_power(self, points: frozenset[str]) -> bool:
        """True when one of them had power after the first of them lost it."""
        told = [self._standings[mrid] for mrid in points if mrid in self._standings]
        begun = min(each.since for each in told if each.dark)
        return any(each.latest > begun for each in told if not each.dark)
