"""Meters as they are set up: one device for each mRID, its register, its multipliers, from when on."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from math import prod

from msgspec import Struct

from contracts.errors import Conflict, Invalid
from contracts.nouns.meter_config import Meter, MeterConfig
from contracts.nouns.service_kinds import MeterMultiplierKind
from services.meter_reading_and_control.domain.registers import Factor

ALWAYS = datetime(1900, 1, 1, tzinfo=UTC)
"""From when on a meter is set up that does not say so."""

_RATIOS = frozenset({MeterMultiplierKind.CT_RATIO, MeterMultiplierKind.PT_RATIO, MeterMultiplierKind.TRANSFORMER_RATIO})


def each_by_itself(config: MeterConfig) -> list[MeterConfig]:
    """One MeterConfig for each meter of ``config``, with the functions that it refers to."""
    return [_alone(meter, config) for meter in config.meter]


def _alone(meter: Meter, config: MeterConfig) -> MeterConfig:
    refs = {
        each.ref
        for each in (*meter.com_function, *meter.connect_disconnect_function, *meter.simple_end_device_function)
    }
    return MeterConfig(
        com_function=tuple(each for each in config.com_function if each.mrid in refs),
        connect_disconnect_function=tuple(each for each in config.connect_disconnect_function if each.mrid in refs),
        meter=(meter,),
        simple_end_device_function=tuple(each for each in config.simple_end_device_function if each.mrid in refs),
    )


def together_again(configs: Iterable[MeterConfig]) -> MeterConfig:
    """One MeterConfig of many."""
    all_of = list(configs)
    return MeterConfig(
        com_function=tuple(each for config in all_of for each in config.com_function),
        connect_disconnect_function=tuple(each for config in all_of for each in config.connect_disconnect_function),
        meter=tuple(each for config in all_of for each in config.meter),
        simple_end_device_function=tuple(each for config in all_of for each in config.simple_end_device_function),
    )


def effective_at(meter: Meter) -> datetime:
    """From when on a meter is set up like this."""
    event = meter.configuration_events
    return (event and event.effective_date_time) or ALWAYS


def same_device(meter: Meter, known: Mapping[str, MeterConfig]) -> MeterConfig | None:
    """What is known of the device of ``meter``, if anything is.

    Raises:
        Invalid: 5.8, it has no mRID.
    """
    if not meter.mrid:
        raise Invalid("Meter: mRID is missing", code="5.8")
    return known.get(meter.mrid)


class Collision(Struct, frozen=True, kw_only=True):
    """Two devices have one mRID, by a template that was cloned or a seed that was bad (metering guide 17.19).

    Nothing of the second is kept but this; what its source tells of the mRID is about another device than the one that
    is known.

    Attributes:
        meter: the mRID.
        source: who says that it is another device: the system that reads it, else who told it.
        there, told: the business keys of the one that is known and of the other.
    """

    meter: str
    source: str
    there: str
    told: str

    @property
    def conflict(self) -> Conflict:
        """The word to who told it; both business keys are in it."""
        return Conflict(f"two meters have the mRID {self.meter}: {self.there} and {self.told}", object_id=self.meter)


def collisions(config: MeterConfig, known: Mapping[str, MeterConfig], teller: str) -> tuple[Collision, ...]:
    """The meters of ``config`` that are other devices than those that are known by their mRIDs."""
    found = []
    for meter in config.meter:
        there = known.get(meter.mrid or "")
        if there is not None and there.meter[0].serial_number != meter.serial_number:
            source = meter.amr_system or teller
            keys = (_key(there.meter[0]), _key(meter))
            found.append(Collision(meter=meter.mrid or "", source=source, there=keys[0], told=keys[1]))
    return tuple(found)


def _key(meter: Meter) -> str:
    return f"serial number {meter.serial_number} of {meter.amr_system or 'unknown'}"


def factors(setups: Iterable[MeterConfig]) -> tuple[Factor, ...]:
    """By what the secondary values of a meter are multiplied: the product of its ratios, from when on."""
    return tuple(Factor(since=effective_at(setup.meter[0]), value=_factor(setup.meter[0])) for setup in setups)


def _factor(meter: Meter) -> Fraction:
    values = [each.value for each in meter.meter_multipliers if each.kind in _RATIOS and each.value is not None]
    return prod((Fraction(str(value)) for value in values), start=Fraction(1))


def modulus(setups: Sequence[MeterConfig], reading_types: Iterable[str]) -> int | None:
    """Where the register of one of these reading types begins again at 0; None where nobody told its digits."""
    wanted = set(reading_types)
    registers = [
        each for setup in setups for function in setup.simple_end_device_function for each in function.registers
    ]
    digits = [
        register.left_digit_count
        for register in registers
        if register.left_digit_count is not None
        and any(each.reading_type is not None and each.reading_type.ref in wanted for each in register.channels)
    ]
    return 10 ** digits[-1] if digits else None
