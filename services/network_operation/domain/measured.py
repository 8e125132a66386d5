"""The last value of each point that telemetry tells: what is kept, and how old it may grow.

A point is what one Analog or Discrete is about: its mRID, or else its equipment, terminal, type and phases. What a
device tells by itself when something happens (positions, trips, flags, fault currents) is true until it tells another
thing; what is measured all the time is old when nothing was heard of it for a while.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from contracts.nouns.measurements import (
    Analog,
    Discrete,
    Measurements,
    MeasurementType,
    MeasurementValueQuality,
    Validity,
)
from services.network_operation.domain.positions import is_test

CONTINUOUS = frozenset(
    {
        MeasurementType.ACTIVE_POWER,
        MeasurementType.CURRENT,
        MeasurementType.REACTIVE_POWER,
        MeasurementType.VOLTAGE,
    }
)
"""What is measured all the time."""

MOST_POINTS = 500
"""How many points one message tells at most."""


class Point(Struct, frozen=True, kw_only=True):
    """One point with its last value: an Analog or a Discrete of one value, which came at ``at`` in the field."""

    key: str
    equipment: str
    at: datetime
    analog: Analog | None = None
    discrete: Discrete | None = None

    @property
    def told(self) -> Analog | Discrete:
        """The point as it was told.

        Raises:
            ValueError: it has neither.
        """
        found = self.analog if self.analog is not None else self.discrete
        if found is None:
            raise ValueError(f"the point '{self.key}' has no value")
        return found

    @property
    def type(self) -> str:
        """What is measured."""
        return self.told.measurement_type

    @property
    def value(self) -> float:
        """The last value, in the unit of the point."""
        if self.analog is not None:
            return self.analog.analog_values[-1].value
        return 0.0 if self.discrete is None else float(self.discrete.discrete_values[-1].value)

    @property
    def quality(self) -> MeasurementValueQuality | None:
        """What was told of the trust in the last value."""
        if self.analog is not None:
            return self.analog.analog_values[-1].measurement_value_quality
        return None if self.discrete is None else self.discrete.discrete_values[-1].measurement_value_quality

    @property
    def is_good(self) -> bool:
        """True for a value that may be believed."""
        quality = self.quality
        return quality is None or (quality.validity in {None, Validity.GOOD} and not quality.old_data)

    def is_old(self, now: datetime, after: timedelta) -> bool:
        """True when it is measured all the time and nothing was heard of it for longer than ``after``."""
        return self.type in CONTINUOUS and now - self.at > after

    def aged(self, now: datetime, after: timedelta) -> "Point":
        """The point as it is told at ``now``: an old value says so in its quality."""
        if self.analog is None or not self.is_old(now, after):
            return self
        (value,) = self.analog.analog_values
        known = value.measurement_value_quality or MeasurementValueQuality()
        worse = Validity.INVALID if known.validity is Validity.INVALID else Validity.QUESTIONABLE
        quality = replace(known, old_data=True, validity=worse)
        return replace(
            self, analog=replace(self.analog, analog_values=(replace(value, measurement_value_quality=quality),))
        )


def points_in(measurements: Measurements) -> tuple[Point, ...]:
    """The newest value of each point of a message; values of tests, and of no equipment, are left out."""
    found: dict[str, Point] = {}
    for point in (*_analogs(measurements.analog), *_discretes(measurements.discrete)):
        if point.key not in found or found[point.key].at <= point.at:
            found[point.key] = point
    return tuple(found.values())


def parts(points: Iterable[Point]) -> Iterator[Measurements]:
    """The points as nouns, each of a size that a message bears."""
    waiting = list(points)
    for start in range(0, len(waiting), MOST_POINTS):
        some = waiting[start : start + MOST_POINTS]
        yield Measurements(
            analog=tuple(point.analog for point in some if point.analog is not None),
            discrete=tuple(point.discrete for point in some if point.discrete is not None),
        )


def key_of(point: Analog | Discrete) -> str:
    """What names a point."""
    equipment = "" if point.power_system_resource is None else point.power_system_resource.mrid or ""
    terminal = "" if point.terminal is None else point.terminal.mrid or ""
    return point.mrid or "/".join((equipment, terminal, point.measurement_type, point.phases or ""))


def _analogs(told: Iterable[Analog]) -> Iterator[Point]:
    for each in told:
        for value in each.analog_values:
            quality = value.measurement_value_quality
            if _equipment(each) and not (quality is not None and quality.test):
                one = replace(each, analog_values=(value,))
                yield Point(key=key_of(each), equipment=_equipment(each), at=value.time_stamp, analog=one)


def _discretes(told: Iterable[Discrete]) -> Iterator[Point]:
    for each in told:
        for value in each.discrete_values:
            if _equipment(each) and not is_test(value):
                one = replace(each, discrete_values=(value,))
                yield Point(key=key_of(each), equipment=_equipment(each), at=value.time_stamp, discrete=one)


def _equipment(point: Analog | Discrete) -> str:
    return "" if point.power_system_resource is None else point.power_system_resource.mrid or ""
