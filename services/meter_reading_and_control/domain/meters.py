"""Meters as they are set up: one device for each mRID, its register, its multipliers, from when on."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from math import prod
from typing import Protocol, TypeVar

from msgspec import Struct

from contracts.errors import Conflict, Invalid, NotFound, Rejected
from contracts.nouns.meter_config import Meter, MeterConfig
from contracts.nouns.service_kinds import MeterMultiplierKind
from services.meter_reading_and_control.domain.registers import Factor

ALWAYS = datetime(1900, 1, 1, tzinfo=UTC)
"""From when on a meter is set up that does not say so."""

_RATIOS = frozenset({MeterMultiplierKind.CT_RATIO, MeterMultiplierKind.PT_RATIO, MeterMultiplierKind.TRANSFORMER_RATIO})


def each_by_itself(config: MeterConfig) -> list[MeterConfig]:
    """One MeterConfig for each meter of ``config``, with the functions that it refers to."""
    radios = _by_mrid(config.com_function)
    switches = _by_mrid(config.connect_disconnect_function)
    functions = _by_mrid(config.simple_end_device_function)
    return [
        MeterConfig(
            com_function=_referred(meter, radios),
            connect_disconnect_function=_referred(meter, switches),
            meter=(meter,),
            simple_end_device_function=_referred(meter, functions),
        )
        for meter in config.meter
    ]


class _Function(Protocol):
    @property
    def mrid(self) -> str | None: ...


F = TypeVar("F", bound=_Function)


def _by_mrid(functions: Iterable[F]) -> dict[str, list[tuple[int, F]]]:
    """The functions of each mRID, with their places."""
    found: dict[str, list[tuple[int, F]]] = {}
    for place, each in enumerate(functions):
        if each.mrid is not None:
            found.setdefault(each.mrid, []).append((place, each))
    return found


def _referred(meter: Meter, functions: Mapping[str, list[tuple[int, F]]]) -> tuple[F, ...]:
    """The functions to which a meter refers, in the order in which they stand."""
    refs = (*meter.com_function, *meter.connect_disconnect_function, *meter.simple_end_device_function)
    found = dict(each for mrid in {ref.ref for ref in refs} for each in functions.get(mrid, ()))
    return tuple(found[place] for place in sorted(found))


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


def beginning(config: MeterConfig, there: MeterConfig | None) -> Rejected | bool:
    """Whether a meter is new; why not where it is set up otherwise."""
    if there is not None and there != config:
        mrid = config.meter[0].mrid
        return Conflict(f"meter {mrid} is set up otherwise; change it", object_id=mrid)
    return there is None


def changing(config: MeterConfig, there: MeterConfig | None) -> Rejected | bool:
    """Whether a meter is set up otherwise from now on; why not where it is not known."""
    if there is None:
        return NotFound("there is no such meter", code="2.4", object_id=config.meter[0].mrid)
    return there != config


Judge = Callable[[MeterConfig, MeterConfig | None], Rejected | bool]
"""Says of a meter whether anything is new of it, given what is known of it, or why it cannot be."""


def sorted_out(
    config: MeterConfig, known: Mapping[str, MeterConfig], judge: Judge
) -> tuple[list[MeterConfig], list[Rejected]]:
    """Of the meters of ``config`` each that is new, by itself, and why others cannot be, one after the other.

    Raises:
        Invalid: 5.8, one has no mRID.
    """
    seen = dict(known)
    new: list[MeterConfig] = []
    errors: list[Rejected] = []
    for each in each_by_itself(config):
        verdict = judge(each, same_device(each.meter[0], seen))
        if isinstance(verdict, Rejected):
            errors.append(verdict)
        elif verdict:
            seen[each.meter[0].mrid or ""] = each
            new.append(each)
    return new, errors


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
