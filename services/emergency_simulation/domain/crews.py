"""Crews: how they travel, what they find, how long they work.

A crew has a home on the map and is where it was last sent. Where the model has no coordinates a way takes 10 to 25
minutes. Figures marked [P] are our proposals.
"""

import math
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from services.emergency_simulation.domain.chance import Stream
from services.emergency_simulation.domain.conditions import Conditions
from services.emergency_simulation.domain.faults import Fault
from services.emergency_simulation.domain.network import SOURCE, Network
from services.emergency_simulation.domain.supply import Supply
from services.emergency_simulation.domain.timing import after

LEAVING_S = (60.0, 180.0)
"""From the order to the road [P]."""

UNKNOWN_WAY_S = (600.0, 1500.0)
"""A way without a map [P]."""

DETOUR = 1.35
"""Roads are longer than the straight line [P]."""

PARKING_S = 120.0
"""The least that a way takes [P]."""

ROADS = (0.8, 1.2)
"""What roads are worth: so many times the speed [P]."""

LOOKING_S = (180.0, 600.0)
"""To look at a place and to find what is wrong [P]."""

HANDLING_S = (240.0, 720.0)
"""To switch by hand, for a crew that is somewhere near [P]."""

NEAR_KM = 0.5
"""A crew that is so near does not drive to a switch."""

MEDIAN_S = {
    "none": 600.0,
    "conductor": 2700.0,
    "insulator": 2400.0,
    "pole": 5400.0,
    "transformer": 4500.0,
}
"""The median time of a repair by damage; nothing is broken where only a fuse has to be replaced [P]."""

SPREAD = 0.4
"""The standard deviation of the logarithm of a repair's time [P]."""

EARTH_KM = 6371.0


class Place(Struct, frozen=True):
    """A place on the map, in degrees of WGS 84."""

    longitude: float
    latitude: float


class Crew(Struct, frozen=True, kw_only=True):
    """A crew of the field: where it is, and since when it is on shift."""

    mrid: str
    place: Place | None
    since: datetime


def place_of(network: Network, mrid: str) -> Place | None:
    """Where a device or a usage point is, if the model says so."""
    for each in (network.equipment.get(mrid), network.usage_points.get(mrid)):
        if each is not None and each.longitude is not None and each.latitude is not None:
            return Place(each.longitude, each.latitude)
    return None


def home_of(stream: Stream, network: Network, crew: str) -> Place | None:
    """The home of a crew: one of the places where the network is fed."""
    sources = (place_of(network, mrid) for mrid, each in network.equipment.items() if each.kind == SOURCE)
    homes: Sequence[Place] = [each for each in sources if each is not None]
    return homes[int(stream.fraction("home", crew) * len(homes))] if homes else None


def distance_km(one: Place, other: Place) -> float:
    """The straight line between two places, in km (equirectangular, right for a town)."""
    east = math.radians(other.longitude - one.longitude) * math.cos(math.radians((one.latitude + other.latitude) / 2))
    return EARTH_KM * math.hypot(east, math.radians(other.latitude - one.latitude))


def is_off_shift(crew: Crew, now: datetime, conditions: Conditions) -> bool:
    """True for a crew that has gone home; it comes back after as many hours as it has worked."""
    if conditions.shift_hours == 0:
        return False
    hours = (now - crew.since) / timedelta(hours=1)
    return int(hours // conditions.shift_hours) % 2 == 1


def departure(stream: Stream, goal: str, now: datetime) -> datetime:
    """When a crew that was sent to a place leaves."""
    return after(now, stream.between(*LEAVING_S, "departure", goal, now.isoformat()))


def travel_s(stream: Stream, start: Place | None, end: Place | None, name: tuple[str, ...], speed: float) -> float:
    """How long a way takes; ``speed`` is in km/h, and roads are worth it to within a fifth."""
    if start is None or end is None:
        return stream.between(*UNKNOWN_WAY_S, "travel", *name)
    hours = distance_km(start, end) * DETOUR / (speed * stream.between(*ROADS, "road", *name))
    return max(PARKING_S, hours * 3600.0)


def finding_time(
    stream: Stream, start: Place | None, end: Place | None, goal: str, *, now: datetime, conditions: Conditions
) -> datetime:
    """When a crew on its way has arrived and looked."""
    name = (goal, now.isoformat())
    travel = travel_s(stream, start, end, name, conditions.speed)
    return after(now, travel + stream.between(*LOOKING_S, "look", *name))


def repair_time(stream: Stream, fault: Fault, now: datetime, conditions: Conditions) -> datetime:
    """When the damage is repaired; before that a crew may have to wait for its clearance."""
    work = stream.lognormal(MEDIAN_S[fault.damage], SPREAD, "repair", fault.mrid)
    return after(now, 60.0 * conditions.clearance + work)


def switching_time(
    stream: Stream,
    crews: Iterable[Crew],
    places: Sequence[Place | None],
    plan: str,
    *,
    now: datetime,
    conditions: Conditions,
) -> datetime:
    """When the nearest crew has switched by hand."""
    name = (plan, now.isoformat())
    work = stream.between(*HANDLING_S, "switching", *name)
    end = next((place for place in places if place is not None), None)
    known = [crew.place for crew in crews if crew.place is not None]
    if end is None or not known:
        return after(now, work)
    near = min(known, key=lambda place: distance_km(place, end))
    if distance_km(near, end) <= NEAR_KM:
        return after(now, work)
    return after(now, work + travel_s(stream, near, end, name, conditions.speed))


def found_at(network: Network, opened: Collection[str], faults: Iterable[Fault], place: str) -> Fault | None:
    """The fault that a crew finds that was sent to ``place``, a device or a usage point; None when there is nothing.

    It finds the one for which this device opened; else it follows the wires that ``place`` normally feeds and finds
    the one whose extent is the most alike. What is repaired and back in operation leaves no trace.
    """
    traces = [fault for fault in faults if fault.lasting and (not fault.repaired or fault.device in opened)]
    here = [fault for fault in traces if place in {fault.device, fault.equipment}]
    if here:
        return min(here, key=lambda fault: (fault.at, fault.mrid))
    fed = _fed_by(network, place)
    related = [fault for fault in traces if fed & set(fault.dark)]
    return min(related, key=lambda fault: (len(fed ^ set(fault.dark)), fault.at, fault.mrid), default=None)


def _fed_by(network: Network, place: str) -> frozenset[str]:
    """Who loses power when ``place`` opens in the normal state; a usage point is itself."""
    if place in network.usage_points or place not in network.equipment:
        return frozenset({place})
    normal = Supply(network)
    normal.move(network.normally)
    return frozenset(normal.move({**network.normally, place: network.phases(place)})[0])


def taken_for(stream: Stream, network: Network, fault: Fault | None, conditions: Conditions) -> str | None:
    """The device that a crew says has opened: the right one, or by mistake another of its kind."""
    if fault is None or fault.device is None:
        return None
    kind = network.equipment[fault.device].kind
    others = [mrid for mrid, each in network.equipment.items() if each.kind == kind and mrid != fault.device]
    if not others or stream.fraction("mistake", fault.mrid) >= conditions.wrong_finding:
        return fault.device
    return others[int(stream.fraction("mistaken", fault.mrid) * len(others))]
