"""What is done to an asset to learn about it, and what was found: for ProcedureDataSets and TestResults.

Classes: Procedure, MeasurementValue and UserAttribute of the public class model (CIM 17), by the ordering rule [P].
Ours: type and unit stand with the value instead of in a Measurement beside it, as in the profile of MaintenanceOrders.
"""

from msgspec import Struct, field

from contracts.nouns.maintenance_orders import ProcedureKind
from contracts.nouns.units import UnitMultiplier
from contracts.types import Instant, Name, attribute


class Procedure(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The procedure by which it was done."""

    mrid: str | None = None
    instruction: str | None = None
    kind: ProcedureKind | None = None
    sequence_number: str | None = None
    names: tuple[Name, ...] = field(name="Names", default=())


class MeasurementValue(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One value that was found, in ``unit_symbol`` with its power of ten."""

    mrid: str | None = None
    measurement_type: str | None = None
    sensor_accuracy: float | None = None
    time_stamp: Instant | None = None
    unit_multiplier: UnitMultiplier | None = None
    unit_symbol: str | None = None
    value: float
    names: tuple[Name, ...] = field(name="Names", default=())


class UserAttribute(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One observation in words: what was looked at, and what was seen."""

    name: str
    sequence_number: int | None = None
    value: str | None = None
