"""Weather: squalls that follow one another over the map, and what the stations on the ground measure of them.

A squall is a round field of gusts that crosses the map in a straight line. The rate of faults grows with the square of
the gust above a threshold, so what lies in the path of a squall is struck while it passes, and the rest seldom. Figures
marked [P] are our proposals; the form of the rate is general knowledge, see the guide of the domain.
"""

import math
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import accumulate

from msgspec import Struct

from services.emergency_simulation.domain.chance import Stream
from services.emergency_simulation.domain.crews import Place, place_of
from services.emergency_simulation.domain.network import SOURCE, Network
from services.emergency_simulation.domain.timing import after

FAULTS = 3
"""So many faults a squall brings on average, unless there would be too many squalls [P]."""

MOST = 12
"""A storm has no more squalls than this, so it is over after six hours; what is more violent brings more faults [P]."""

APART_S = 600.0
"""The mean time from one fault to the next where there is no weather [P]."""

BETWEEN_S = 1800.0
"""The mean time from one squall to the next [P]."""

APART = (0.5, 1.5)
"""From one squall to the next, as a share of its mean [P]."""

BREEZE = 8.0
"""The wind in m/s outside squalls, and that from which on faults become more frequent [GK]."""

GROWTH = 4.0
"""How much more frequent faults are at twice the square of that wind [P]."""

PEAK = (24.0, 38.0)
"""The strongest gust of a squall in m/s [P]."""

SPEED_KM_H = (12.0, 30.0)
"""How fast a squall moves [P]."""

RADIUS = (0.12, 0.25)
"""From the middle of a squall to where its gusts have fallen to three fifths, as a share of the map's diagonal [P]."""

TURN = math.radians(20.0)
"""By so much the paths of squalls differ from the direction of the storm [P]."""

LINGER_S = 120.0
"""A fault follows the gust within this time [P]."""

EARTH_KM = 6371.0

STATIONS = 12
"""So many stations measure the wind at most."""

OBSERVED = timedelta(minutes=2)
"""How often stations tell of the wind while a squall is over the map."""

Spot = tuple[float, float]
"""Kilometres to the east and to the north of the middle of the map."""


class Squall(Struct, frozen=True, kw_only=True):
    """A field of gusts on its way.

    Attributes:
        enters_at, leaves_at: when its middle is above the first and the last of the network on its way.
        course: the direction of its way, as a unit vector to the east and to the north.
        lateral: how far to the left of the middle of the map it passes, in km.
        first: where along its way it enters, in km from the middle of the map.
        speed: km each second.
        radius: km.
        peak: its strongest gust, m/s.
    """

    enters_at: datetime
    leaves_at: datetime
    course: Spot
    lateral: float
    first: float
    speed: float
    radius: float
    peak: float

    def passes(self, spot: Spot) -> datetime:
        """When it is nearest to a spot."""
        return self.enters_at + timedelta(seconds=(_along(self.course, spot) - self.first) / self.speed)

    def gust(self, spot: Spot, at: datetime | None = None) -> float:
        """The gust that it brings to a spot at a time, or the strongest of all."""
        ahead = 0.0
        if at is not None:
            way = self.first + (at - self.enters_at).total_seconds() * self.speed
            ahead = _along(self.course, spot) - way
        aside = _across(self.course, spot) - self.lateral
        share = math.exp(-(ahead * ahead + aside * aside) / (2 * self.radius * self.radius))
        return BREEZE + (self.peak - BREEZE) * share


class Weather:
    """The weather of a storm on a map: the same for the same seed, network, start and number of faults.

    Attributes:
        squalls: in the order in which they come; none where the model tells no places.
    """

    def __init__(self, network: Network, seed: int, faults: int, start: datetime) -> None:
        self._stream = Stream(seed, "weather")
        placed = {mrid: place for mrid in network.mrids if (place := place_of(network, mrid)) is not None}
        self._spots = _on_plane(placed)
        self.stations = _stations(network, placed)
        number = min(MOST, max(1, math.ceil(faults / FAULTS)))
        self.squalls = tuple(self._squalls(number, start)) if self._extent() else ()

    def spot(self, equipment: str) -> Spot | None:
        """Where a piece of equipment is on the map."""
        return self._spots.get(equipment)

    def strike(self, equipment: str) -> tuple[float, datetime] | None:
        """By which rank and when a piece of equipment is struck; None where it has no place, or there is no weather.

        The rank is a waiting time with the rate of all squalls together: the lower, the sooner chance takes this place.
        The squall that strikes it is drawn by their shares of that rate.
        """
        spot = self._spots.get(equipment)
        if spot is None or not self.squalls:
            return None
        rates = list(accumulate(rate_of(squall.gust(spot)) for squall in self.squalls))
        drawn = self._stream.fraction("squall", equipment) * rates[-1]
        squall = next(squall for squall, rate in zip(self.squalls, rates, strict=True) if drawn < rate)
        at = after(squall.passes(spot), self._stream.between(0.0, LINGER_S, "linger", equipment))
        return self._stream.exponential(1.0 / rates[-1], "strike", equipment), at

    def observations(self) -> list[tuple[datetime, list[tuple[str, float]]]]:
        """What the stations tell of the wind and when: while squalls are over the map, and once when each is gone."""
        times: set[datetime] = set()
        for squall in self.squalls:
            at = after(squall.enters_at, 0)
            while at < squall.leaves_at + OBSERVED:
                times.add(at)
                at += OBSERVED
        return [(at, self._observed(at)) for at in sorted(times)]

    def _observed(self, at: datetime) -> list[tuple[str, float]]:
        """The gust at each station, in m/s to one place."""
        return [
            (station, round(max(squall.gust(self._spots[station], at) for squall in self.squalls), 1))
            for station in self.stations
        ]

    def _extent(self) -> float:
        """The diagonal of the map in km; nothing where there is no map."""
        if not self._spots:
            return 0.0
        east, north = zip(*self._spots.values(), strict=True)
        return math.hypot(max(east) - min(east), max(north) - min(north))

    def _squalls(self, number: int, start: datetime) -> Iterator[Squall]:
        storm = self._stream.between(0.0, 2 * math.pi, "course")
        at = after(start, self._stream.between(60, 300, "first"))
        for turn in map(str, range(number)):
            angle = storm + self._stream.between(-TURN, TURN, "course", turn)
            course = (math.cos(angle), math.sin(angle))
            along = sorted(_along(course, spot) for spot in self._spots.values())
            across = sorted(_across(course, spot) for spot in self._spots.values())
            speed = self._stream.between(*SPEED_KM_H, "speed", turn) / 3600.0
            yield Squall(
                enters_at=at,
                leaves_at=at + timedelta(seconds=(along[-1] - along[0]) / speed),
                course=course,
                lateral=across[int(self._stream.fraction("lateral", turn) * len(across))],
                first=along[0],
                speed=speed,
                radius=self._extent() * self._stream.between(*RADIUS, "radius", turn),
                peak=self._stream.between(*PEAK, "peak", turn),
            )
            at = after(at, BETWEEN_S * self._stream.between(*APART, "next", turn))


def rate_of(gust: float) -> float:
    """How many times as often as in a breeze a place is struck in this gust."""
    return 1.0 + GROWTH * max(0.0, (gust / BREEZE) ** 2 - 1.0)


def _on_plane(placed: dict[str, Place]) -> dict[str, Spot]:
    """Places as km from their middle (equirectangular, right for a town)."""
    if not placed:
        return {}
    longitudes = [place.longitude for place in placed.values()]
    latitudes = [place.latitude for place in placed.values()]
    longitude, latitude = (min(longitudes) + max(longitudes)) / 2, (min(latitudes) + max(latitudes)) / 2
    narrow = math.cos(math.radians(latitude))
    return {
        mrid: (
            EARTH_KM * math.radians(place.longitude - longitude) * narrow,
            EARTH_KM * math.radians(place.latitude - latitude),
        )
        for mrid, place in placed.items()
    }


def _stations(network: Network, placed: Iterable[str]) -> tuple[str, ...]:
    """What has a station beside it: where the network is fed, and switches that are operated from afar."""
    known = [network.equipment[mrid] for mrid in placed]
    sources = [each.mrid for each in known if each.kind == SOURCE]
    switches = [each.mrid for each in known if each.remotely_operable]
    spread = switches[:: max(1, len(switches) // STATIONS)]
    return tuple(sorted([*sources, *spread][:STATIONS]))


def _along(course: Spot, spot: Spot) -> float:
    return course[0] * spot[0] + course[1] * spot[1]


def _across(course: Spot, spot: Spot) -> float:
    return course[0] * spot[1] - course[1] * spot[0]
