"""From MeterReadings as they are told to values that have a place, and those that are refused (IEC 61968-9)."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta, tzinfo
from fractions import Fraction

from msgspec import Struct
from msgspec.structs import replace

from contracts.codes.end_device_events import CLOCK_AHEAD, EventKind, kind_of
from contracts.codes.reading_type import ReadingTypeCode
from contracts.errors import BusbarError, Invalid, Rejected
from contracts.nouns.meter_readings import (
    IntervalBlock,
    IntervalReading,
    MeterReading,
    PendingCalculation,
)
from contracts.nouns.reading_types import Reading, ReadingQuality
from contracts.types import DateTimeInterval
from services.meter_reading_and_control.domain import calendar
from services.meter_reading_and_control.domain.clock import Jump, Piece, righted
from services.meter_reading_and_control.domain.installation import Installed
from services.meter_reading_and_control.domain.meters import Collision
from services.meter_reading_and_control.domain.readings import (
    PARTIAL,
    Interval,
    Origin,
    Quality,
    Register,
    Value,
    interval_length,
    value_of,
)
from services.meter_reading_and_control.domain.registers import as_text, calculated

AHEAD = timedelta(minutes=2)
"""How far a reading may lie in the future, by a clock that is not ours (metering guide V29)."""


class Refusal(Struct, frozen=True, kw_only=True):
    """What was not taken, with the reason; ``part`` holds that and nothing else."""

    part: MeterReading
    error: BusbarError


class Teller(Struct, frozen=True, kw_only=True):
    """What must be known to read what somebody tells.

    Attributes:
        source: who tells it, where a value does not say so.
        zone: of the market days.
        now: the time; nothing is measured after it.
        kept: how long readings are kept; what is older is the word of a meter that has lost its time.
        installed: every installation of the meters and usage points that are named.
        meters: those of the meters that are known.
        collisions: the sources that mean another device by an mRID.
    """

    source: str
    zone: tzinfo
    now: datetime
    kept: timedelta
    installed: Sequence[Installed]
    meters: frozenset[str]
    collisions: frozenset[Collision] = frozenset()

    def read(self, reading: MeterReading) -> Iterator[Interval | Register | Refusal]:
        """Every value of ``reading``, or why it is not taken."""
        for register in reading.readings:
            part = replace(reading, readings=(register,), interval_blocks=(), end_device_events=())
            try:
                yield self._register(reading, register)
            except Rejected as error:
                yield Refusal(part=part, error=error)
        for block in reading.interval_blocks:
            yield from self._block(reading, block)

    def _block(self, reading: MeterReading, block: IntervalBlock) -> Iterator[Interval | Refusal]:
        bare = replace(reading, readings=(), interval_blocks=(block,), end_device_events=())
        try:
            code, length = _interval_type(block)
            jumps = _jumps(reading)
            begins = (None,) if jumps else self._starts_of_list(reading, block, length)
        except Rejected as error:
            yield Refusal(part=bare, error=error)
            return
        if jumps:
            yield from self._righted(reading, block, jumps)
            return
        for told, start in zip(block.interval_readings, begins, strict=True):
            try:
                timed = told.time_stamp is not None or told.time_period is not None
                if told.value is None and (told.reading_qualities or not (timed or start)):
                    continue
                yield self._interval(reading, block, told, start, code=str(code), length=length)
            except Rejected as error:
                one = replace(block, interval_readings=(told,))
                yield Refusal(part=replace(bare, interval_blocks=(one,)), error=error)

    def _righted(
        self, reading: MeterReading, block: IntervalBlock, jumps: Sequence[Jump]
    ) -> Iterator[Interval | Refusal]:
        """The values of a meter whose clock jumped, in true time; what lies in one interval is added up."""
        code, length = _interval_type(block)
        bare = replace(reading, readings=(), interval_blocks=(block,), end_device_events=())
        parts: dict[tuple[str, str, date, int], list[tuple[Piece, Value]]] = {}
        try:
            spans = [_span(told, None, length) for told in block.interval_readings]
            for told, piece in zip(block.interval_readings, righted(spans, jumps), strict=True):
                period = DateTimeInterval(start=piece.begins, end=piece.ends)
                one = replace(told, time_stamp=None, time_period=period)
                found = self._interval(reading, block, one, None, code=str(code), length=length)
                key = (found.usage_point, found.meter, found.day, found.place)
                parts.setdefault(key, []).append((piece, found.value))
        except Rejected as error:
            yield Refusal(part=bare, error=error)
            return
        for (point, meter, day, place), found_parts in parts.items():
            value = _added(found_parts, length)
            yield Interval(usage_point=point, reading_type=str(code), day=day, meter=meter, place=place, value=value)

    def _starts_of_list(
        self, reading: MeterReading, block: IntervalBlock, length: timedelta
    ) -> tuple[datetime | None, ...]:
        """When the values begin that say nothing of time; None for all where they do, or where no time is."""
        values = block.interval_readings
        if any(each.time_stamp is not None or each.time_period is not None for each in values):
            return (None,) * len(values)
        start = None if reading.values_interval is None else reading.values_interval.start
        if start is None:
            raise Invalid("IntervalBlock: neither its values nor valuesInterval say when", code="5.8")
        day = calendar.market_day(start, self.zone)
        if calendar.bounds(day, self.zone)[0] != start:
            raise Invalid(f"valuesInterval: {start} is not the beginning of a market day", code="2.29")
        slots = calendar.columns(day, self.zone, length, len(values))
        for told, slot in zip(values, slots, strict=True):
            if slot is None and told.value is not None:
                raise Invalid(f"{day}: there is a value for a time that the clock skips", code="2.29")
        return slots

    def _interval(
        self,
        reading: MeterReading,
        block: IntervalBlock,
        told: IntervalReading,
        start: datetime | None,
        *,
        code: str,
        length: timedelta,
    ) -> Interval:
        begins, ends = _span(told, start, length)
        day = calendar.market_day(begins, self.zone)
        slots = calendar.starts(day, self.zone, length)
        place = (begins - slots[0]) // length
        if ends > slots[place] + length:
            raise Invalid(f"{begins} to {ends} is not within one interval of {length}", code="2.29")
        self._of_a_time(ends)
        self._no_twin(reading, told.source)
        value = _value(told.value, self._origin(told), block.pending_calculation)
        if ends - begins < length and all(each.code.endswith(".4.2") is False for each in value.origin.qualities):
            qualities = tuple(sorted({*value.origin.qualities, PARTIAL}))
            value = replace(value, origin=replace(value.origin, qualities=qualities))
        meter, point = self._place(reading, begins, ends)
        return Interval(usage_point=point, reading_type=code, day=day, meter=meter, place=place, value=value)

    def _register(self, reading: MeterReading, told: Reading) -> Register:
        code = ReadingTypeCode.parse(told.reading_type.ref).canonical
        period = told.time_period
        at = told.time_stamp or (None if period is None else period.end)
        if at is None:
            raise Invalid("Reading: it does not say when", code="5.8")
        self._of_a_time(at)
        self._no_twin(reading, told.source)
        origin = replace(self._origin(told), reason=told.reason.value if told.reason else "")
        value = _value(told.value, origin, None)
        meter, point = self._place(reading, at, at)
        return Register(usage_point=point, reading_type=str(code), read_at=at, meter=meter, value=value)

    def _of_a_time(self, at: datetime) -> None:
        if at > self.now + AHEAD:
            raise Invalid(f"{at} is in the future", code="2.29")
        if at < self.now - self.kept:
            raise Invalid(f"{at} is more than {self.kept.days} days ago: the clock of the meter is wrong", code="2.29")

    def _no_twin(self, reading: MeterReading, source: str | None) -> None:
        """Quarantine what is told of an mRID by a source that means another device by it (metering guide 17.19).

        Raises:
            Invalid: 2.14.
        """
        meter = None if reading.meter is None else reading.meter.mrid
        for each in self.collisions:
            if (each.meter, each.source) == (meter, source or self.source):
                reason = f"{each.source} means {each.told} by meter {meter}, and not {each.there}"
                raise Invalid(reason, code="2.14", object_id=meter)

    def _origin(self, told: IntervalReading | Reading) -> Origin:
        qualities = tuple(sorted({_quality(each) for each in told.reading_qualities}))
        origin = Origin(source=told.source or self.source, reported_at=told.reported_date_time)
        return replace(origin, qualities=qualities) if qualities else origin

    def _place(self, reading: MeterReading, begins: datetime, ends: datetime) -> tuple[str, str]:
        """The meter and the usage point of a value; the meter is empty where none is named.

        Raises:
            Invalid: 2.4 or 2.12, meter or usage point are not known; 2.13, they do not belong together at that time.
        """
        meter = "" if reading.meter is None else reading.meter.mrid or ""
        point = "" if reading.usage_point is None else reading.usage_point.mrid or ""
        if not meter:
            if not any(each.usage_point == point for each in self.installed):
                raise Invalid(f"usage point '{point}' is not known", code="2.12", object_id=point or None)
            return "", point
        there = [each for each in self.installed if each.meter == meter]
        if meter not in self.meters:
            raise Invalid(f"meter '{meter}' is not known", code="2.4", object_id=meter)
        for each in there:
            inside = each.starts <= begins and (each.ends is None or ends <= each.ends)
            if (inside or each.touches(begins, ends)) and point in {"", each.usage_point}:
                return meter, each.usage_point
        where = f"usage point '{point}'" if point else "a usage point"
        raise Invalid(f"meter {meter} was not at {where} at {begins}", code="2.13", object_id=meter)


def _interval_type(block: IntervalBlock) -> tuple[ReadingTypeCode, timedelta]:
    """The reading type of the values that come of a block: the target of a calculation that is still to be done."""
    pending = block.pending_calculation
    code = ReadingTypeCode.parse((block.reading_type if pending is None else pending.reading_type).ref).canonical
    return code, interval_length(code)


def _span(told: IntervalReading, start: datetime | None, length: timedelta) -> tuple[datetime, datetime]:
    """From when until when; ``timePeriod`` wins, and a bare time is the end (metering guide 3.1)."""
    period = told.time_period
    if start is not None:
        return start, start + length
    if period is not None and period.start is not None:
        return period.start, period.end or period.start + length
    end = told.time_stamp if period is None else period.end
    if end is None:
        raise Invalid("IntervalReading: it does not say when", code="5.8")
    return end - length, end


def _value(text: str | None, origin: Origin, pending: PendingCalculation | None) -> Value:
    if text is None:
        raise Invalid("value is missing", code="5.8")
    value = value_of(text, origin)
    if pending is None:
        return value
    scalar = Fraction(pending.scalar_numerator or 1, pending.scalar_denominator or 1)
    if pending.scalar_float is not None:
        scalar *= Fraction(str(pending.scalar_float))
    first = pending.multiply_before_add is not False
    done = calculated(value.exact, scalar=scalar, offset=pending.offset or 0, multiply_first=first)
    return value_of(as_text(done), origin)


def _jumps(reading: MeterReading) -> tuple[Jump, ...]:
    """What the head-end tells of the clock of the meter: when it jumped, and by how much it was ahead from then on.

    Raises:
        Invalid: 2.29, that is no number.
    """
    return tuple(
        Jump(at=event.created_date_time, ahead=timedelta(seconds=int(value_of(detail.value, Origin()).exact)))
        for event in reading.end_device_events
        if kind_of(event.end_device_event_type.ref) is EventKind.CLOCK_ERROR
        for detail in event.end_device_event_details
        if detail.name == CLOCK_AHEAD and detail.value is not None
    )


def _added(parts: Sequence[tuple[Piece, Value]], length: timedelta) -> Value:
    """The value of one interval that was recorded in several parts; partial where they do not fill it."""
    scale = min(value.scale for _, value in parts)
    newest = max((value for _, value in parts), key=lambda value: value.precedence).origin
    told = {quality for _, value in parts for quality in value.origin.qualities} - {PARTIAL}
    told |= {Quality(code=piece.quality) for piece, _ in parts if piece.quality}
    if sum((piece.ends - piece.begins for piece, _ in parts), timedelta()) < length:
        told |= {PARTIAL}
    origin = replace(newest, qualities=tuple(sorted(told)))
    return Value(number=sum(value.at_scale(scale) for _, value in parts), scale=scale, origin=origin)


def _quality(quality: ReadingQuality) -> Quality:
    found = Quality(code=quality.reading_quality_type.ref, comment=quality.comment or "")
    _ = found.rank  # a quality that cannot be read is refused here, with the value that has it
    return found
