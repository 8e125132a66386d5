"""Registers, buckets and demands of virtual usage points, which follow from the sums of their intervals.

A register has no beginning that somebody read: it is 0 at the midnight before the first whole day, so only what it
gains means something. R(t) = R(t0) + the sum of all intervals since (metering guide 3.4).
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, tzinfo
from fractions import Fraction

from msgspec.structs import replace

from contracts.codes.reading_type import ReadingTypeCode
from contracts.nouns.meter_readings import MeterReading
from contracts.nouns.reading_types import Reading
from contracts.types import ObjectReference, Reference
from services.meter_reading_and_control.domain import calendar
from services.meter_reading_and_control.domain.readings import DERIVED_SUM, Block, Quality
from services.meter_reading_and_control.domain.registers import as_text
from services.meter_reading_and_control.domain.sums import can_be_split, primary_of
from services.meter_reading_and_control.domain.time_of_use import TariffCalendar
from services.meter_reading_and_control.views import quantities
from services.meter_reading_and_control.views.answers import MISSING, Question, shown_qualities
from services.meter_reading_and_control.views.derived import BULK, DAILY, DELTA
from services.meter_reading_and_control.views.quantities import MONTHLY, Wanted


def registers_in(types: Iterable[str]) -> list[ReadingTypeCode]:
    """The registers of energy among reading types, as primary."""
    return [code for code in _primary(types) if code.accumulation == BULK and _has_no_interval(code)]


def periods_in(types: Iterable[str]) -> list[Wanted]:
    """The energies and demands of days and months among reading types, as primary, with a bucket or without."""
    codes = _primary(types)
    whole = [
        Wanted(code=code)
        for code in codes
        if code.macro_period in {DAILY, MONTHLY}
        and (code.accumulation, code.tou) == (DELTA, 0)
        and _has_no_interval(replace(code, macro_period=0))
    ]
    return [*quantities.wanted(map(str, codes)), *whole]


def intervals_in(types: frozenset[str]) -> frozenset[str]:
    """What is neither a register nor of days and months."""
    made = {*registers_in(types), *(each.code for each in periods_in(types))}
    return frozenset(each for each in types if primary_of(ReadingTypeCode.parse(each)) not in made)


def _primary(types: Iterable[str]) -> list[ReadingTypeCode]:
    return [primary_of(ReadingTypeCode.parse(each)) for each in sorted(types)]


def _has_no_interval(code: ReadingTypeCode) -> bool:
    return can_be_split(replace(code, accumulation=DELTA)) and not (
        code.macro_period or code.measuring_period or code.aggregate
    )


def in_unit(block: Block, multiplier: int) -> Block:
    """The same amounts in a unit of another power of ten."""
    code = ReadingTypeCode.parse(block.reading_type)
    by = code.multiplier - multiplier
    values = tuple(None if each is None else replace(each, scale=each.scale + by) for each in block.values)
    return replace(block, reading_type=str(replace(code, multiplier=multiplier)), values=values)


class Running:
    """A register while the days pass.

    From a day on of which something is missing nobody knows how it stands.
    """

    def __init__(self, code: ReadingTypeCode) -> None:
        self.code = code
        self._of_day = replace(code, macro_period=DAILY, accumulation=DELTA)
        self._stands: Fraction | None = None
        self._lacks: date | None = None
        self._qualities = {DERIVED_SUM}

    def pass_day(
        self, day: date, blocks: Sequence[Block], calendars: Sequence[TariffCalendar], zone: tzinfo
    ) -> Iterator[Reading]:
        """How it stands after a day, and before it where it is the first.

        Raises:
            Invalid: 2.10, a bucket begins within an interval.
        """
        days, edges = (day, day), calendar.bounds(day, zone)
        whole = quantities.reading(Wanted(code=replace(self._of_day, tou=0)), days, blocks, calendars, zone)
        is_whole = whole is not None and whole.value is not None
        if self._stands is None:
            if not is_whole:
                return
            self._stands = Fraction(0)
            yield self._reading(edges[0])
        if not is_whole and self._lacks is None:
            self._lacks = day
        passed = quantities.reading(Wanted(code=self._of_day), days, blocks, calendars, zone)
        if self._lacks is None and passed is not None:
            self._stands += Fraction(passed.value or 0)
            self._qualities |= {Quality(code=each.reading_quality_type.ref) for each in passed.reading_qualities}
        yield self._reading(edges[1])

    def _reading(self, at: datetime) -> Reading:
        lacks, stands = self._lacks, self._stands or Fraction(0)
        qualities = self._qualities if lacks is None else {Quality(code=MISSING, comment=f"since {lacks}")}
        return Reading(
            time_stamp=at,
            value=as_text(stands) if lacks is None else None,
            reading_qualities=shown_qualities(sorted(qualities)),
            reading_type=Reference(ref=str(self.code)),
        )


def shown(point: str, readings: Sequence[Reading], asked: Question) -> MeterReading:
    """Those readings of registers whose time is asked for."""
    told = (each for each in readings if each.time_stamp and asked.start <= each.time_stamp <= asked.end)
    return MeterReading(readings=tuple(told), usage_point=ObjectReference(mrid=point))
