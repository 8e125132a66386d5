"""What telemetry tells of devices besides their positions."""

from datetime import datetime

from msgspec import Struct

from contracts.nouns.measurements import Measurements, MeasurementType
from services.network_operation.domain.positions import is_good


class Reclosing(Struct, frozen=True, kw_only=True):
    """Whether a device closes again by itself after a trip, since ``at``."""

    device: str
    enabled: bool
    at: datetime


def reclosing_in(measurements: Measurements) -> tuple[Reclosing, ...]:
    """What may be believed of who closes again by itself, oldest first."""
    found = [
        Reclosing(device=discrete.power_system_resource.mrid, enabled=value.value != 0, at=value.time_stamp)
        for discrete in measurements.discrete
        if discrete.measurement_type == MeasurementType.RECLOSING_ENABLED
        and discrete.power_system_resource is not None
        and discrete.power_system_resource.mrid is not None
        for value in discrete.discrete_values
        if is_good(value)
    ]
    return tuple(sorted(found, key=lambda heard: heard.at))
