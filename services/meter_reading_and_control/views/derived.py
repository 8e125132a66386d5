"""What follows from what was measured: primary values from secondary ones, the usage of a day from registers.

Both are made when they are asked for, so a multiplier is applied once and a later correction of it counts at once; who
asks as of a time gets them by the multipliers and installations that were known then.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo
from fractions import Fraction
from functools import lru_cache

from msgspec import Struct
from msgspec.structs import replace

from contracts.codes.reading_type import ReadingTypeCode
from contracts.errors import Invalid
from contracts.nouns.meter_config import MeterConfig
from contracts.nouns.meter_readings import MeterReading
from contracts.nouns.reading_types import Reading, ReadingQuality
from contracts.types import DateTimeInterval, ObjectReference, Reference
from services.meter_reading_and_control.domain import calendar
from services.meter_reading_and_control.domain.installation import Installed
from services.meter_reading_and_control.domain.meters import factors, modulus
from services.meter_reading_and_control.domain.readings import (
    DERIVED_SUM,
    Block,
    Origin,
    Register,
    Value,
    interval_length,
    value_of,
)
from services.meter_reading_and_control.domain.registers import Factor, as_text, factor_at, usage

SECONDARY, PRIMARY = 1, 2
"""Commodities: measured behind instrument transformers, and as it is in front of them."""

DAILY, BULK, DELTA, NET = 11, 1, 4, 4
"""macroPeriod, accumulations and flowDirection of a ReadingType."""


class Equipment(Struct, frozen=True, kw_only=True):
    """The meters of one usage point: how they were set up and when they were there."""

    installed: Sequence[Installed]
    setups: Mapping[str, Sequence[MeterConfig]]

    def there(self, block: Block, zone: tzinfo) -> Block:
        """``block`` without what its meter told of times at which it was elsewhere, as is known.

        An exchange may be told after readings of the old meter were taken; they stay, and count no more.
        """
        if not block.meter:
            return block
        length = interval_length(ReadingTypeCode.parse(block.reading_type))
        own = [each for each in self.installed if each.meter == block.meter]
        if any(each.lasts(*calendar.bounds(block.day, zone)) for each in own):
            return block
        slots = calendar.starts(block.day, zone, length)
        values = tuple(
            value if any(each.touches(slot, slot + length) for each in own) else None
            for slot, value in zip(slots, block.values, strict=True)
        )
        return replace(block, values=values)

    def absent(self, day: date, code: ReadingTypeCode, zone: tzinfo) -> tuple[bool, ...]:
        """For each interval of a day whether no meter was there; empty where one always was, or never any."""
        first, after = calendar.bounds(day, zone)
        if not self.installed or any(each.lasts(first, after) for each in self.installed):
            return ()
        length = interval_length(code)
        slots = calendar.starts(day, zone, length)
        return tuple(not any(each.touches(slot, slot + length) for each in self.installed) for slot in slots)

    def factors(self, meter: str) -> Sequence[Factor]:
        """By what the secondary values of ``meter`` are multiplied."""
        return factors(self.setups.get(meter, ()))


def primary(blocks: Iterable[Block], wanted: frozenset[str], equipment: Equipment, zone: tzinfo) -> list[Block]:
    """The blocks of primary values that are wanted and were told as secondary ones."""
    found = []
    for block in blocks:
        code = ReadingTypeCode.parse(block.reading_type)
        target = str(replace(code, commodity=PRIMARY))
        if code.commodity == SECONDARY and target in wanted:
            known = equipment.factors(block.meter)
            slots = calendar.starts(block.day, zone, interval_length(code))
            values = tuple(
                None if value is None else _times(value, factor_at(known, slot))
                for value, slot in zip(block.values, slots, strict=True)
            )
            found.append(replace(block, reading_type=target, values=values))
    return found


def usages(
    point: str, registers: Sequence[Register], wanted: frozenset[str], equipment: Equipment, zone: tzinfo
) -> MeterReading | None:
    """The usage of each day that the registers tell of, for the wanted types of daily usage."""
    days = sorted({calendar.market_day(each.read_at, zone) for each in registers})
    readings = [
        each
        for code in map(ReadingTypeCode.parse, sorted(wanted))
        if (code.macro_period, code.accumulation) == (DAILY, DELTA)
        for day in days
        if (each := _usage(code, day, registers, equipment, zone)) is not None
    ]
    return MeterReading(readings=tuple(readings), usage_point=ObjectReference(mrid=point)) if readings else None


class Gain(Struct, frozen=True, kw_only=True):
    """What a register gained in a day, and its least count, in the unit of the intervals; None: it fell."""

    gained: Value | None
    least: Value


def gains(
    point: str, registers: Sequence[Register], code: ReadingTypeCode, equipment: Equipment, zone: tzinfo
) -> dict[date, Gain]:
    """What the register beside intervals of type ``code`` gained in each day that has readings at its edges.

    The least count is the last digit that was told.
    """
    for register in sorted({each.reading_type for each in registers}):
        of = _register_beside(register, code)
        if of is None:
            continue
        finer = of.multiplier - code.multiplier
        digits = min(each.value.scale for each in registers if each.reading_type == register)
        least = Value(number=1, scale=digits + finer, origin=Origin())
        daily = str(replace(of, macro_period=DAILY, accumulation=DELTA))
        found = usages(point, registers, frozenset({daily}), equipment, zone)
        told = () if found is None else found.readings
        return {
            calendar.market_day(each.time_period.start, zone): Gain(gained=_shifted(each.value, finer), least=least)
            for each in told
            if each.time_period is not None and each.time_period.start is not None
        }
    return {}


def plain_gain(reads: Sequence[Register], code: ReadingTypeCode, edges: tuple[datetime, datetime]) -> Gain | None:
    """The same for one day at whose ``edges`` one and the same meter was read, and which was there all the time.

    None where it takes more than to subtract: then :func:`gains` says what it was, if anything.
    """
    at_edges = {(each.reading_type, each.meter, each.read_at): each.value for each in reads}
    for kind, meter in sorted({(each.reading_type, each.meter) for each in reads}):
        of = _register_beside(kind, code)
        begun, ended = (at_edges.get((kind, meter, edge)) for edge in edges)
        if of is None or begun is None or ended is None:
            continue
        finer, scale = of.multiplier - code.multiplier, min(begun.scale, ended.scale)
        number = ended.at_scale(scale) - begun.at_scale(scale)
        if number < 0:
            continue
        digits = min(each.value.scale for each in reads if each.reading_type == kind)
        return Gain(
            gained=Value(number=number, scale=scale + finer, origin=Origin()),
            least=Value(number=1, scale=digits + finer, origin=Origin()),
        )
    return None


def tiers(reads: Sequence[Register], code: ReadingTypeCode) -> list[ReadingTypeCode]:
    """What intervals of type ``code`` would be in each bucket of a tariff that has a register of its own."""
    if code.tou:
        return []
    found = {of.tou for each in reads if (of := _parsed(each.reading_type)).tou and _counts(of, code)}
    return [replace(code, tou=each) for each in sorted(found)]


def of_tiers(gained: Sequence[Gain | None]) -> tuple[Fraction, int] | None:
    """What the registers of all buckets gained together, and how many there are; None where that of one is unknown."""
    told = [each.gained.exact for each in gained if each is not None and each.gained is not None]
    return (sum(told, Fraction(0)), len(told)) if told and len(told) == len(gained) else None


_parsed = lru_cache(maxsize=1024)(ReadingTypeCode.parse)


@lru_cache(maxsize=1024)
def _counts(of: ReadingTypeCode, code: ReadingTypeCode) -> bool:
    """True for a register of any bucket that counts what intervals of type ``code`` measure."""
    return _register_beside(str(replace(of, tou=0)), code) is not None


@lru_cache(maxsize=1024)
def _register_beside(kind: str, code: ReadingTypeCode) -> ReadingTypeCode | None:
    """The type of a register, where it counts what intervals of type ``code`` measure."""
    of = ReadingTypeCode.parse(kind)
    beside = replace(of, accumulation=DELTA, measuring_period=code.measuring_period, multiplier=code.multiplier)
    return of if of.accumulation == BULK and beside == code else None


def _shifted(text: str | None, by: int) -> Value | None:
    if text is None:
        return None
    value = value_of(text, Origin())
    return replace(value, scale=value.scale + by)


def _usage(
    code: ReadingTypeCode, day: date, registers: Sequence[Register], equipment: Equipment, zone: tzinfo
) -> Reading | None:
    """The usage of a day, each meter's part by its own multiplier; None where a reading at an edge is missing."""
    first, after = calendar.bounds(day, zone)
    register = replace(code, macro_period=0, accumulation=BULK)
    secondary = replace(register, commodity=SECONDARY) if code.commodity == PRIMARY else register
    total, known = Fraction(0), timedelta()
    comments = []
    for each in equipment.installed:
        since, until = max(first, each.starts), min(after, each.ends or after)
        if since >= until:
            continue
        reads = {
            read.read_at: read.value.exact
            for read in registers
            if read.meter == each.meter and read.reading_type == str(secondary) and since <= read.read_at <= until
        }
        if since not in reads or until not in reads:
            return None
        multipliers: Sequence[Factor] = equipment.factors(each.meter) if secondary != register else ()
        rolls = modulus(equipment.setups.get(each.meter, ()), {str(secondary)})
        try:
            total += usage(sorted(reads.items()), modulus=rolls, factors=multipliers, net=code.flow_direction == NET)
        except Invalid as error:
            comments.append(error.reason)
        known += until - since
    if not known:
        return None
    return _reading(code, (first, after), None if comments else total, "; ".join(comments))


def _reading(code: ReadingTypeCode, day: tuple[datetime, datetime], total: Fraction | None, finding: str) -> Reading:
    """A usage, or the finding that says why there is none."""
    quality = DERIVED_SUM.code if total is not None else "3.5.257"
    return Reading(
        time_stamp=day[1],
        value=None if total is None else as_text(total),
        reading_qualities=(ReadingQuality(comment=finding or None, reading_quality_type=Reference(ref=quality)),),
        reading_type=Reference(ref=str(code)),
        time_period=DateTimeInterval(start=day[0], end=day[1]),
    )


def _times(value: Value, factor: Fraction) -> Value:
    if factor == 1:
        return value
    qualities = tuple(sorted({*value.origin.qualities, DERIVED_SUM}))
    return value_of(as_text(value.exact * factor), replace(value.origin, qualities=qualities))
