"""Reading types whose values follow from intervals: which are asked for, from what, and how they are told.

| asked for | from |
|---|---|
| an interval that is longer than what is kept | the sum of those in it |
| macroPeriod daily or monthly, accumulation deltaData, a tou | the intervals of that bucket, by the tariff calendar |
| macroPeriod daily or monthly, aggregate maximum, measurementKind demand, a measuringPeriod | blocks of intervals |
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta, tzinfo
from fractions import Fraction

from msgspec import Struct
from msgspec.structs import replace

from contracts.codes.reading_type import ReadingTypeCode
from contracts.nouns.meter_readings import MeterReading
from contracts.nouns.reading_types import Reading
from contracts.types import DateTimeInterval, ObjectReference, Reference
from services.meter_reading_and_control.domain import calendar
from services.meter_reading_and_control.domain.quantities import Slot, longer, peak, summed
from services.meter_reading_and_control.domain.readings import LENGTHS, Block, Quality, Value, interval_length, together
from services.meter_reading_and_control.domain.registers import as_text
from services.meter_reading_and_control.domain.time_of_use import TariffCalendar, valid_at
from services.meter_reading_and_control.views.answers import MISSING, shown_qualities

DAILY, MONTHLY = 11, 13
_DELTA = 4
_MAXIMUM, _DEMAND, _ENERGY = 8, 8, 12
_POWER_OF = {72: 38, 73: 63, 71: 61}
"""Units of energy, and of what passes by the hour: Wh to W, VArh to VAr, VAh to VA."""

_FIXED, _ROLLING = re.compile(r"fixedBlock(\d+)Min"), re.compile(r"rollingBlock(\d+)MinIntvl(\d+)MinSubIntvl")


class Wanted(Struct, frozen=True, kw_only=True):
    """A quantity of days or months.

    Attributes:
        code: the ReadingType that is asked for.
        block, step: how long the blocks of a demand are, and how far apart; None for an energy.
    """

    code: ReadingTypeCode
    block: timedelta | None = None
    step: timedelta | None = None

    def follows_from(self, code: ReadingTypeCode) -> bool:
        """True when intervals of this type are what it is made of."""
        alike = replace(
            code, macro_period=self.code.macro_period, measuring_period=self.code.measuring_period, tou=self.code.tou
        )
        if self.block is None:
            return _is_energy(code) and alike == self.code
        alike = replace(
            alike,
            aggregate=_MAXIMUM,
            measurement_kind=_DEMAND,
            accumulation=self.code.accumulation,
            unit=_POWER_OF.get(code.unit, -1),
        )
        length = interval_length(code)
        fits = self.step is not None and not self.step % length and not self.block % self.step
        return _is_energy(code) and alike == self.code and fits


def wanted(types: Iterable[str]) -> list[Wanted]:
    """The quantities of days and months among the reading types that are asked for."""
    return [each for text in sorted(types) if (each := _wanted(ReadingTypeCode.parse(text))) is not None]


def _wanted(code: ReadingTypeCode) -> Wanted | None:
    if code.macro_period not in {DAILY, MONTHLY}:
        return None
    if (code.aggregate, code.measurement_kind) == (_MAXIMUM, _DEMAND):
        block, step = _blocks(code)
        return None if block is None else Wanted(code=code, block=block, step=step)
    if code.tou and not code.measuring_period and code.accumulation == _DELTA:
        return Wanted(code=code)
    return None


def _blocks(code: ReadingTypeCode) -> tuple[timedelta | None, timedelta | None]:
    """How long the blocks of a demand are, and how far apart."""
    name = code.names["measuring_period"]
    if name in LENGTHS:
        return LENGTHS[name], LENGTHS[name]
    if fixed := _FIXED.fullmatch(name):
        length = timedelta(minutes=int(fixed[1]))
        return length, length
    if rolling := _ROLLING.fullmatch(name):
        return timedelta(minutes=int(rolling[1])), timedelta(minutes=int(rolling[2]))
    return None, None


def longer_blocks(blocks: Sequence[Block], types: Iterable[str]) -> list[Block]:
    """The blocks of intervals that are asked for and not kept, of the shortest that are."""
    found: list[Block] = []
    for text in sorted(types):
        code = ReadingTypeCode.parse(text)
        if code.names["measuring_period"] not in LENGTHS or not _is_energy(code):
            continue
        length = interval_length(code)
        of_day: dict[date, dict[timedelta, list[Block]]] = {}
        for block in blocks:
            of = ReadingTypeCode.parse(block.reading_type)
            if replace(of, measuring_period=code.measuring_period) == code and not length % interval_length(of):
                of_day.setdefault(block.day, {}).setdefault(interval_length(of), []).append(block)
        for _, of_length in sorted(of_day.items()):
            shortest = min(of_length)
            if length in of_length:
                continue
            parts = of_length[shortest]
            values = [together(_told(parts, place)) for place in range(len(parts[0].values))]
            meter = parts[0].meter if len(parts) == 1 else ""
            many = length // shortest
            found.append(replace(parts[0], reading_type=text, meter=meter, values=longer(values, many)))
    return found


def _told(blocks: Iterable[Block], place: int) -> dict[str, Value]:
    """What each meter told of an interval."""
    return {each.meter: value for each in blocks if (value := each.values[place]) is not None}


def periods(macro_period: int, days: tuple[date, date]) -> Iterator[tuple[date, date]]:
    """The first and the last day of each day or month that has any of ``days``."""
    day, last = days
    while day <= last:
        if macro_period == DAILY:
            yield day, day
            day += calendar.DAY
            continue
        first = day.replace(day=1)
        day = calendar.after_month(day)
        yield first, day - calendar.DAY


def reading(
    each: Wanted,
    days: tuple[date, date],
    blocks: Sequence[Block],
    calendars: Sequence[TariffCalendar],
    zone: tzinfo,
) -> Reading | None:
    """The value of a quantity from the first to the last of ``days``; None where what it is made of is not known.

    Raises:
        Invalid: 2.10, a bucket begins within an interval.
    """
    kinds = {code for block in blocks if each.follows_from(code := ReadingTypeCode.parse(block.reading_type))}
    if not kinds:
        return None
    source = min(kinds, key=interval_length)
    slots = [*_slots(source, days, [block for block in blocks if block.reading_type == str(source)], calendars, zone)]
    inside = [slot for slot in slots if slot.bucket == each.code.tou or not each.code.tou]
    if not inside:
        return None
    period = calendar.bounds(days[0], zone)[0], calendar.bounds(days[1], zone)[1]
    if any(slot.value is None for slot in inside):
        return _reading(each, period, period[1], None, (Quality(code=MISSING),))
    if each.block is None or each.step is None:
        value = summed([slot.value for slot in inside])
        return (
            None if value is None else _reading(each, period, period[1], as_text(value.exact), value.origin.qualities)
        )
    runs = (peak(run, interval_length(source), each.block, each.step) for run in _runs(inside, interval_length(source)))
    highest = max((run for run in runs if run is not None), key=lambda run: Fraction(run.text), default=None)
    return None if highest is None else _reading(each, period, highest.ends, highest.text, highest.qualities)


def shown(point: str, readings: Sequence[Reading]) -> tuple[MeterReading, ...]:
    """The quantities of a usage point."""
    if not readings:
        return ()
    return (MeterReading(readings=tuple(readings), usage_point=ObjectReference(mrid=point)),)


def _is_energy(code: ReadingTypeCode) -> bool:
    return (code.measurement_kind, code.accumulation, code.macro_period, code.aggregate) == (_ENERGY, _DELTA, 0, 0)


def _slots(
    code: ReadingTypeCode,
    days: tuple[date, date],
    blocks: Sequence[Block],
    calendars: Sequence[TariffCalendar],
    zone: tzinfo,
) -> Iterator[Slot]:
    """The intervals from the first to the last of ``days``, over all meters, with their buckets."""
    length = interval_length(code)
    of_day = {day: [each for each in blocks if each.day == day] for day in {each.day for each in blocks}}
    day = days[0]
    while day <= days[1]:
        tariff = valid_at(calendars, day)
        starts = calendar.starts(day, zone, length)
        buckets = (0,) * len(starts) if tariff is None else tariff.buckets(day, zone, length)
        for place, (start, bucket) in enumerate(zip(starts, buckets, strict=True)):
            yield Slot(start=start, value=together(_told(of_day.get(day, ()), place)), bucket=bucket)
        day += calendar.DAY


def _runs(slots: Sequence[Slot], length: timedelta) -> Iterator[list[Slot]]:
    """The slots that follow one another without a gap."""
    run: list[Slot] = []
    for slot in slots:
        if run and slot.start != run[-1].start + length:
            yield run
            run = []
        run.append(slot)
    if run:
        yield run


def _reading(
    each: Wanted, period: tuple[datetime, datetime], at: datetime, text: str | None, qualities: Iterable[Quality]
) -> Reading:
    return Reading(
        time_stamp=at,
        value=text,
        reading_qualities=shown_qualities(qualities),
        reading_type=Reference(ref=str(each.code)),
        time_period=DateTimeInterval(start=period[0], end=period[1]),
    )
