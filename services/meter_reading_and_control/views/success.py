"""What is asked about the reads that were due, and how many came, on the wire (IEC 61968-9, and options of ours)."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo

from msgspec import Struct

from contracts.errors import Invalid
from contracts.message import Request
from contracts.nouns.get_meter_readings import GetMeterReadings
from contracts.nouns.meter_readings import MeterReading, MeterReadings
from contracts.nouns.reading_types import Reading, ReadingType
from contracts.types import DateTimeInterval, Name, ObjectReference, Reference
from services.meter_reading_and_control.domain import calendar
from services.meter_reading_and_control.domain.lanes import COLLECTOR
from services.meter_reading_and_control.domain.readings import DERIVED_SUM, Quality
from services.meter_reading_and_control.domain.success import CAUSES, Counts
from services.meter_reading_and_control.views.answers import MISSING, shown_qualities

SUCCESS = "success"
"""The option of ``get MeterReadings`` by which reads are not seen but counted (ours)."""

TOGETHER, HEAD_END = "together", "headEnd"
"""What it may say: all together, by the head-end that reaches a meter, and by its ``collector``."""

ALL = "all"
"""The name of all together."""

RSR, BSR = "11.0.0.9.0.3.0.0.0.0.0.0.0.0.0.0.111.0", "11.0.4.9.0.3.0.0.0.0.0.0.0.0.0.0.111.0"
"""The reading types of the counts: daily, a summation, of communication, a count; of reads, and of days of 24 hours."""


class Asked(Struct, frozen=True, kw_only=True):
    """Which reads are counted.

    Attributes:
        start, end: the days that begin in this time.
        each: by groups and not together.
        by_collector: counted by the groups of end devices of the type ``collector``, else by head-ends.
    """

    start: datetime
    end: datetime
    each: bool
    by_collector: bool

    def days(self, zone: tzinfo) -> tuple[date, date]:
        """The first and the last day."""
        first, last = calendar.days(self.start, self.end - timedelta(microseconds=1), zone)
        return first if calendar.bounds(first, zone)[0] >= self.start else first + calendar.DAY, last


def asked_in(request: Request) -> Asked | None:
    """What is asked about reads; None where nothing is.

    Raises:
        Invalid: 2.29, the option says something that it cannot say; 5.8, it does not say of which days.
    """
    said = {each.name: each.value or "" for each in request.option}.get(SUCCESS)
    if said is None:
        return None
    if said not in {TOGETHER, HEAD_END, COLLECTOR}:
        reason = f"Option {SUCCESS}: '{said}' is none of '{TOGETHER}', '{HEAD_END}' and '{COLLECTOR}'"
        raise Invalid(reason, code="2.29")
    if request.start_time is None or request.end_time is None:
        raise Invalid(f"Option {SUCCESS}: it needs StartTime and EndTime", code="5.8")
    return Asked(
        start=request.start_time,
        end=request.end_time,
        each=said != TOGETHER,
        by_collector=said == COLLECTOR,
    )


def names_anybody(request: Request) -> bool:
    """True where only some meters or usage points are asked about."""
    query = request.query if isinstance(request.query, GetMeterReadings) else GetMeterReadings()
    groups = (query.usage_point_group, query.end_device_group, query.transformer_tank)
    return bool(request.id or query.usage_point or query.end_device or any(groups))


def shown(found: Mapping[str, Sequence[Counts]], edges: tuple[datetime, datetime]) -> MeterReadings:
    """What came of a day, by group: for each cut-off the reads and the days that are whole, and why the others are not.

    The usage point is the name of the group, empty for meters that are in none.
    """
    parts = (
        MeterReading(
            readings=tuple(one for each in counts for one in _readings(each)),
            usage_point=ObjectReference(mrid=name),
            values_interval=DateTimeInterval(start=edges[0], end=edges[1]),
        )
        for name, counts in sorted(found.items())
    )
    names = {RSR: "RSR", BSR: "BSR"}
    types = (ReadingType(mrid=code, names=(Name(name=name),)) for code, name in names.items())
    return MeterReadings(meter_reading=tuple(parts), reading_type=tuple(types) if found else ())


def _readings(counts: Counts) -> Iterable[Reading]:
    """The counts of a cut-off, which is the TimeStamp."""
    at = counts.cut_off
    yield _reading(at, RSR, counts.stored, Quality(code=DERIVED_SUM.code, comment=f"{counts.stored} of {counts.reads}"))
    whole = f"{counts.complete} of {counts.meters}"
    yield _reading(at, BSR, counts.complete, Quality(code=DERIVED_SUM.code, comment=whole))
    for cause, number in zip(CAUSES, counts.causes, strict=True):
        if number:
            yield _reading(at, BSR, number, Quality(code=MISSING, comment=cause))


def _reading(at: datetime, code: str, number: int, quality: Quality) -> Reading:
    return Reading(
        time_stamp=at,
        value=str(number),
        reading_qualities=shown_qualities((quality,)),
        reading_type=Reference(ref=code),
    )
