"""Where things stand, in degrees of WGS 84."""

from math import isfinite

from services.network_model_management.domain.model import LOCATIONS, CimObject, Model

_GEOGRAPHIC = ("4326", "crs84")
"""What the name of a coordinate system has in it when its x is a longitude and its y a latitude."""

_LINKS = ("PowerSystemResource.Location", "UsagePoint.ServiceLocation", "UsagePoint.UsagePointLocation")
_LONGITUDE, _LATITUDE = 180.0, 90.0

Place = tuple[float, float]
"""Longitude and latitude."""


class Places:
    """The places of a model; the coordinates of another system than WGS 84 are none."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._of_location: dict[str, Place | None] = {
            location.id: self._middle(location) for location in model.of(*LOCATIONS)
        }

    def of(self, each: CimObject) -> Place | None:
        """The place of an equipment or a usage point; of what has a course that of its middle point."""
        for link in _LINKS:
            place = self._of_location.get(each.link(link))
            if place is not None:
                return place
        return None

    def of_location(self, location: CimObject) -> Place | None:
        """The place of a location itself."""
        return self._of_location.get(location.id)

    def is_geographic(self, location: CimObject) -> bool:
        """True where the location says so; one that names no system is taken as such."""
        system = self._model.follow(location, "Location.CoordinateSystem")
        if system is None:
            return True
        urn = system.values.get("CoordinateSystem.crsUrn", "").lower()
        return any(known in urn for known in _GEOGRAPHIC)

    def _middle(self, location: CimObject) -> Place | None:
        if not self.is_geographic(location):
            return None
        points = sorted(
            (number(point, "PositionPoint.sequenceNumber") or 0.0, place)
            for point in self._model.pointing("PositionPoint.Location", location)
            if (place := place_of(point)) is not None
        )
        if not points:
            return None
        (_, (x1, y1)), (_, (x2, y2)) = points[(len(points) - 1) // 2], points[len(points) // 2]
        return (x1 + x2) / 2, (y1 + y2) / 2


def place_of(point: CimObject) -> Place | None:
    """The place that a PositionPoint states; None where it is no longitude and latitude."""
    x, y = number(point, "PositionPoint.xPosition"), number(point, "PositionPoint.yPosition")
    if x is None or y is None or abs(x) > _LONGITUDE or abs(y) > _LATITUDE:
        return None
    return x, y


def number(each: CimObject, name: str) -> float | None:
    """A number that is stated, or None where it is not, or is none."""
    try:
        value = float(each.values[name])
    except (KeyError, ValueError):
        return None
    return value if isfinite(value) else None
