"""Controls: commands and set points for equipment in the field.

IEC 61968-3 speaks of the exchange between distribution management and SCADA; no public copy of a profile was found.
61968-style: written from the public class model by the ordering rule, not verified against the published profile [P].
Noun and namespace are our proposal. Classes: Command and SetPoint of IEC 61970-301 (general knowledge [GK]).

A switch is operated by a Command whose ``controlType`` is ``SwitchPosition`` and whose value is a
:class:`contracts.nouns.measurements.SwitchPosition`.
"""

from msgspec import Struct, field

from contracts.nouns.units import UnitMultiplier
from contracts.types import Instant, Name, ObjectReference, attribute

NAMESPACE = "http://iec.ch/TC57/2021/Controls#"


class Command(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A control with discrete values; ``power_system_resource`` is the equipment."""

    mrid: str | None = None
    control_type: str
    normal_value: int | None = None
    operation_in_progress: bool | None = None
    time_stamp: Instant | None = None
    unit_multiplier: UnitMultiplier | None = None
    unit_symbol: str | None = None
    value: int
    names: tuple[Name, ...] = field(name="Names", default=())
    power_system_resource: ObjectReference = field(name="PowerSystemResource")


class SetPoint(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A control with a continuous value, in the unit that it names."""

    mrid: str | None = None
    control_type: str
    max_value: float | None = None
    min_value: float | None = None
    normal_value: float | None = None
    operation_in_progress: bool | None = None
    time_stamp: Instant | None = None
    unit_multiplier: UnitMultiplier | None = None
    unit_symbol: str | None = None
    value: float
    names: tuple[Name, ...] = field(name="Names", default=())
    power_system_resource: ObjectReference = field(name="PowerSystemResource")


class Controls(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile."""

    command: tuple[Command, ...] = field(name="Command", default=())
    set_point: tuple[SetPoint, ...] = field(name="SetPoint", default=())
