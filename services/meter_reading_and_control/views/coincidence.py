"""The greatest sum of usage points that belong together, and what each took then, on the wire (IEC 61968-9)."""

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from contracts.codes.reading_type import ReadingTypeCode
from contracts.nouns.meter_readings import IntervalBlock, IntervalReading, MeterReading
from contracts.types import ObjectReference, Reference
from services.meter_reading_and_control.domain.coincidence import Coincidence
from services.meter_reading_and_control.domain.readings import DERIVED_SUM, Quality, Value, interval_length
from services.meter_reading_and_control.views.answers import MISSING, shown_interval, shown_qualities
from services.meter_reading_and_control.views.sums import shown_sum

FACTOR = "coincidenceFactor"
"""What the comment of 3.11.0 at the greatest sum says before an equals sign; three digits behind the point (ours)."""


def shown(name: str, code: str, found: Coincidence, taken: Mapping[str, Value | None]) -> Iterator[MeterReading]:
    """The greatest sum of a group, and what each member took in its interval; nothing where there is none."""
    if found.start is None or found.sum is None:
        return
    end = found.start + interval_length(ReadingTypeCode.parse(code))
    factor = "" if found.factor is None else f"{FACTOR}={float(found.factor):.3f}"
    qualities = {*found.sum.qualities} - {DERIVED_SUM} | {Quality(code=DERIVED_SUM.code, comment=factor)}
    yield _reading(name, code, shown_sum(end, replace(found.sum, qualities=tuple(sorted(qualities)))))
    missing = IntervalReading(time_stamp=end, reading_qualities=shown_qualities((Quality(code=MISSING),)))
    for point, value in taken.items():
        yield _reading(point, code, missing if value is None else shown_interval(end, value))


def _reading(name: str, code: str, reading: IntervalReading) -> MeterReading:
    return MeterReading(
        is_coincident_trigger=True,
        interval_blocks=(IntervalBlock(interval_readings=(reading,), reading_type=Reference(ref=code)),),
        usage_point=ObjectReference(mrid=name),
    )
