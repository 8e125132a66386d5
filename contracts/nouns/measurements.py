"""Measurements: values and states of equipment in the field.

IEC 61968-3 speaks of the exchange between SCADA and distribution management; no public copy of a profile was found.
61968-style: written from the public class model by the ordering rule, not verified against the published profile [P].
Noun and namespace are our proposal. Classes: Analog, Discrete and their values of the public class model; the quality
flags of IEC 61970-301 are general knowledge [GK].

The position of a switch is a Discrete whose ``measurementType`` is ``SwitchPosition`` and whose values are those of
:class:`SwitchPosition`; of one phase, where ``phases`` names it. What protection tells are Discretes of the other types
of :class:`MeasurementType`, 1 for yes and 0 for no, with the time stamp of the operation that they are about. Values of
one instant stand in one message. ``maxValue`` and ``minValue`` of an Analog are its limits: beyond them is an alarm.

A value that an operator puts in the place of what is measured has the source ``SUBSTITUTED`` and a
:class:`Substitution`, which is ours.
"""

from enum import IntEnum, StrEnum

from msgspec import Struct, field

from contracts.nouns.units import PhaseCode, UnitMultiplier
from contracts.types import Instant, Name, ObjectReference, attribute

NAMESPACE = "http://iec.ch/TC57/2021/Measurements#"


class Source(StrEnum):
    """Where a value comes from."""

    DEFAULTED = "DEFAULTED"
    PROCESS = "PROCESS"
    SUBSTITUTED = "SUBSTITUTED"


class Validity(StrEnum):
    """Whether a value may be used."""

    GOOD = "GOOD"
    INVALID = "INVALID"
    QUESTIONABLE = "QUESTIONABLE"


class MeasurementValueQuality(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """What is known about the trust in a value, as IEC 61850 has it."""

    bad_reference: bool | None = None
    estimator_replaced: bool | None = None
    failure: bool | None = None
    old_data: bool | None = None
    operator_blocked: bool | None = None
    oscillatory: bool | None = None
    out_of_range: bool | None = None
    over_flow: bool | None = None
    source: Source | None = None
    suspect: bool | None = None
    test: bool | None = None
    validity: Validity | None = None


class AnalogValue(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A value at a time."""

    mrid: str | None = None
    sensor_accuracy: float | None = None
    time_stamp: Instant
    value: float
    measurement_value_quality: MeasurementValueQuality | None = field(name="MeasurementValueQuality", default=None)
    measurement_value_source: ObjectReference | None = field(name="MeasurementValueSource", default=None)
    names: tuple[Name, ...] = field(name="Names", default=())


class Analog(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A continuous quantity with its values, oldest first, in the unit that it names."""

    mrid: str | None = None
    max_value: float | None = None
    measurement_type: str
    min_value: float | None = None
    normal_value: float | None = None
    phases: PhaseCode | None = None
    positive_flow_in: bool | None = None
    unit_multiplier: UnitMultiplier | None = None
    unit_symbol: str | None = None
    analog_values: tuple[AnalogValue, ...] = field(name="AnalogValues", default=())
    names: tuple[Name, ...] = field(name="Names", default=())
    power_system_resource: ObjectReference | None = field(name="PowerSystemResource", default=None)
    terminal: ObjectReference | None = field(name="Terminal", default=None)


class Substitution(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """Why, until when and by whose word a value stands in the place of what is measured (ours)."""

    reason: str
    until_date_time: Instant
    operator: ObjectReference | None = field(name="Operator", default=None)


class DiscreteValue(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A state at a time."""

    mrid: str | None = None
    sensor_accuracy: float | None = None
    time_stamp: Instant
    value: int
    measurement_value_quality: MeasurementValueQuality | None = field(name="MeasurementValueQuality", default=None)
    measurement_value_source: ObjectReference | None = field(name="MeasurementValueSource", default=None)
    names: tuple[Name, ...] = field(name="Names", default=())
    substitution: Substitution | None = field(name="Substitution", default=None)


class Discrete(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """A state with its values, oldest first."""

    mrid: str | None = None
    max_value: int | None = None
    measurement_type: str
    min_value: int | None = None
    normal_value: int | None = None
    phases: PhaseCode | None = None
    unit_multiplier: UnitMultiplier | None = None
    unit_symbol: str | None = None
    discrete_values: tuple[DiscreteValue, ...] = field(name="DiscreteValues", default=())
    names: tuple[Name, ...] = field(name="Names", default=())
    power_system_resource: ObjectReference | None = field(name="PowerSystemResource", default=None)
    terminal: ObjectReference | None = field(name="Terminal", default=None)
    value_alias_set: ObjectReference | None = field(name="ValueAliasSet", default=None)


class Measurements(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile."""

    analog: tuple[Analog, ...] = field(name="Analog", default=())
    discrete: tuple[Discrete, ...] = field(name="Discrete", default=())


class SwitchPosition(IntEnum):
    """The position of a switch in measurements and commands, coded as the double point of IEC 61850."""

    INTERMEDIATE = 0
    OPEN = 1
    CLOSED = 2
    BAD = 3


class MeasurementType(StrEnum):
    """What is measured: the values of ``measurementType`` that we know (ours, after the names of 61970-301)."""

    ACTIVE_POWER = "ThreePhaseActivePower"
    """Analog, W."""

    COMMUNICATION = "CommunicationStatus"
    """Discrete: the outstation of this equipment answers, or does not."""

    CURRENT = "LineCurrent"
    """Analog, A."""

    FAULT_CURRENT = "FaultCurrent"
    """Analog, A: the largest current of a fault that a device has seen."""

    FAULT_INDICATION = "FaultIndication"
    """Discrete: fault current has passed a FaultIndicator, or its flag was reset."""

    LOCKOUT = "Lockout"
    """Discrete: a device has used its shots, or is told to close no more by itself."""

    OUTSTATION_FAULT = "OutstationFault"
    """Discrete: the outstation of this equipment is in trouble itself, such as on its battery, or no longer."""

    REACTIVE_POWER = "ThreePhaseReactivePower"
    """Analog, var."""

    RECLOSING_ENABLED = "ReclosingEnabled"
    """Discrete: a device may close again by itself."""

    SWITCH_POSITION = "SwitchPosition"
    """Discrete, :class:`SwitchPosition`."""

    TRIP = "ProtectionTrip"
    """Discrete: the operation of this instant was ordered by protection."""

    VOLTAGE = "PhaseVoltage"
    """Analog, V, from phase to earth."""

    WIND_GUST = "WindGust"
    """Analog, m/s (mPers): the strongest gust of the last minutes, at a station beside this equipment."""
