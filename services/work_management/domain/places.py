"""Where things are, how long a way takes, and what of the network lies upstream of what."""

import math
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from datetime import timedelta

from msgspec import Struct

from contracts.nouns.feeder_topology import Feeder
from contracts.nouns.work_types import PositionPoint

SPEED = 50.0
"""km/h of a crew on the road [P]; policy."""

DETOUR = 1.3
"""Roads are longer than the straight line [P]; policy."""

UNKNOWN_WAY = timedelta(minutes=20)
"""A way between places of which one is not known [P]; policy."""

EARTH_KM = 6371.0
SOURCE = "EnergySource"


class Place(Struct, frozen=True):
    """A place on the map, in degrees of WGS 84."""

    longitude: float
    latitude: float


class Spot(Struct, frozen=True, kw_only=True):
    """Something of the network: what is next to it on the way to the source, where it is, and who hangs there.

    Attributes:
        above: the mRID of the next equipment upstream in the normal state.
        weight: the customers that are connected at this very spot, critical ones with their weight.
    """

    mrid: str
    above: str | None = None
    place: Place | None = None
    weight: float = 0.0


def place_in(points: Sequence[PositionPoint]) -> Place | None:
    """The first point of a shape, if it is one on the map."""
    for point in points:
        try:
            return Place(float(point.x_position or ""), float(point.y_position or ""))
        except ValueError:
            continue
    return None


def travel(start: Place | None, end: Place | None) -> timedelta:
    """How long a crew drives: the great circle (haversine) times a detour at a speed."""
    if start is None or end is None:
        return UNKNOWN_WAY
    latitudes = math.radians(start.latitude), math.radians(end.latitude)
    north = math.sin((latitudes[1] - latitudes[0]) / 2) ** 2
    east = math.sin(math.radians(end.longitude - start.longitude) / 2) ** 2
    share = north + math.cos(latitudes[0]) * math.cos(latitudes[1]) * east
    kilometres = 2 * EARTH_KM * math.asin(math.sqrt(min(1.0, share)))
    return timedelta(hours=kilometres * DETOUR / SPEED)


def spots_in(feeders: Iterable[Feeder], critical_weight: float) -> list[Spot]:
    """Every equipment and usage point of the network in its normal state, from the sources outwards.

    In a mesh the shortest way counts. Where a model knows consumers and no usage points, a consumer is its usage point
    as well, under one mRID: then it is one spot, that of the usage point.
    """
    known = list(feeders)
    equipment = {each.mrid: each for feeder in known for each in feeder.equipment}
    edges: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for mrid, each in sorted(equipment.items()):
        if each.node2 is not None and not each.normal_open:
            edges[each.node1].append((mrid, each.node2))
            edges[each.node2].append((mrid, each.node1))
    reached = {each.node1: mrid for mrid, each in sorted(equipment.items()) if each.kind == SOURCE}
    above: dict[str, str | None] = dict.fromkeys(reached.values())
    queue = deque(reached)
    while queue:
        node = queue.popleft()
        for mrid, other in edges[node]:
            above.setdefault(mrid, reached[node])
            if other not in reached:
                reached[other] = mrid
                queue.append(other)
    spots = {
        mrid: Spot(mrid=mrid, above=above.get(mrid), place=_place(each.longitude, each.latitude))
        for mrid, each in equipment.items()
    }
    points = {each.mrid: each for feeder in known for each in feeder.usage_point}
    spots |= {
        mrid: Spot(
            mrid=mrid,
            above=reached.get(each.node),
            place=_place(each.longitude, each.latitude),
            weight=each.customers + (critical_weight if each.critical else 0.0),
        )
        for mrid, each in points.items()
    }
    return list(spots.values())


def _place(longitude: float | None, latitude: float | None) -> Place | None:
    return None if longitude is None or latitude is None else Place(longitude, latitude)
