"""What rules say of readings, on the wire: a preview, of which nothing is kept."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, tzinfo

from msgspec import Struct
from msgspec.structs import replace

from contracts.codes.reading_type import ReadingTypeCode
from contracts.errors import Invalid
from contracts.message import Request
from contracts.nouns.meter_readings import IntervalBlock, IntervalReading, MeterReading
from contracts.types import ObjectReference, Reference
from services.meter_reading_and_control.domain import calendar
from services.meter_reading_and_control.domain.readings import Block, Register, Value, interval_length, together
from services.meter_reading_and_control.domain.vee.beside import NOTHING, Beside
from services.meter_reading_and_control.domain.vee.days import is_judged
from services.meter_reading_and_control.domain.vee.judging import Case, Interruptions, Verdict
from services.meter_reading_and_control.domain.vee.keeping import as_told
from services.meter_reading_and_control.domain.vee.rule_sets import RuleSet, among
from services.meter_reading_and_control.domain.vee.statistics import HISTORY, usual
from services.meter_reading_and_control.views.answers import Question, shown_interval, shown_qualities
from services.meter_reading_and_control.views.derived import Equipment, gains, of_tiers, tiers

JUDGED_BY, COMPARED_TO = "judgedBy", "comparedTo"
"""The options of ``get MeterReadings`` that name rule sets (ours)."""


KEPT = "kept"
"""Compares with what is kept: the values as they are known, and what was found when their days were judged last."""


class Preview(Struct, frozen=True, kw_only=True):
    """By which rule sets days are judged; only what differs from the other ones is shown, where there are such.

    With ``to_kept`` it is compared with what is kept.
    """

    by: Sequence[RuleSet]
    compared_to: Sequence[RuleSet] | None
    to_kept: bool = False


def preview(request: Request | None, rule_sets: Sequence[RuleSet]) -> Preview | None:
    """What is asked of rules; None where nothing is.

    Raises:
        Invalid: 2.29, there is no such rule set; 2.15, it says what to compare to and not what.
    """
    said = {} if request is None else {each.name: each.value or "" for each in request.option}
    if JUDGED_BY not in said:
        if COMPARED_TO in said:
            raise Invalid(f"Option {COMPARED_TO}: it needs the option {JUDGED_BY}", code="2.15")
        return None
    to_kept = said.get(COMPARED_TO) == KEPT
    other = among(rule_sets, said[COMPARED_TO]) if COMPARED_TO in said and not to_kept else None
    return Preview(by=among(rule_sets, said[JUDGED_BY]), compared_to=other, to_kept=to_kept)


def cases_of(
    point: str,
    blocks: Iterable[Block],
    reads: Sequence[Register],
    asked: Question,
    *,
    days: tuple[date, date],
    equipment: Equipment,
    zone: tzinfo,
    off: Interruptions,
    beside: Mapping[tuple[ReadingTypeCode, date], Beside],
) -> Iterator[Case]:
    """What is known of the days of a usage point, of each type whose intervals are judged.

    Of a type that is known there is also the day of which nothing came, while a meter was there.
    """
    by_type: dict[str, dict[date, list[Block]]] = defaultdict(lambda: defaultdict(list))
    for block in blocks:
        if not asked.types or block.reading_type in asked.types:
            by_type[block.reading_type][block.day].append(block)
    for name, of_type in sorted(by_type.items()):
        code = ReadingTypeCode.parse(name)
        if not is_judged(code):
            continue
        known = {day: of_all_meters(of_day) for day, of_day in of_type.items()}
        gained = gains(point, reads, code, equipment, zone)
        by_tier = [gains(point, reads, each, equipment, zone) for each in tiers(reads, code)]
        for day in calendar.each_day(*days):
            edges = calendar.bounds(day, zone)
            if day not in known and not any(each.touches(*edges) for each in equipment.installed):
                continue
            nothing = (None,) * len(calendar.starts(day, zone, interval_length(code)))
            gain = gained.get(day)
            history = {past: values for past, values in known.items() if day - HISTORY <= past < day}
            yield Case(
                reading_type=code,
                day=day,
                values=tuple(as_told(each) for each in known.get(day, nothing)),
                known=known.get(day, nothing),
                history=history,
                usual=usual(history, day),
                absent=equipment.absent(day, code, zone),
                gained=None if gain is None else gain.gained,
                least=None if gain is None else gain.least,
                fell=gain is not None and gain.gained is None,
                interruptions=off,
                beside=replace(beside.get((code, day), NOTHING), tiers=of_tiers([each.get(day) for each in by_tier])),
            )


def of_all_meters(blocks: Sequence[Block]) -> tuple[Value | None, ...]:
    """The values of a day, of all meters together."""
    if len(blocks) == 1:
        return blocks[0].values
    told = ({block.meter: block.values[place] for block in blocks} for place in range(len(blocks[0].values)))
    return tuple(together({meter: value for meter, value in each.items() if value is not None}) for each in told)


def of_usage_point(
    point: str, verdicts: Mapping[tuple[str, date], Mapping[int, Verdict]], asked: Question, zone: tzinfo
) -> MeterReading | None:
    """The intervals of a usage point that are asked for, by reading type and day; None where there are none."""
    shown: dict[str, list[IntervalReading]] = {}
    for (code, day), of_day in sorted(verdicts.items()):
        length = interval_length(ReadingTypeCode.parse(code))
        slots = calendar.starts(day, zone, length)
        shown.setdefault(code, []).extend(
            _interval(slots[place] + length, verdict)
            for place, verdict in sorted(of_day.items())
            if slots[place] >= asked.start and slots[place] + length <= asked.end
        )
    blocks = tuple(
        IntervalBlock(interval_readings=tuple(values), reading_type=Reference(ref=code))
        for code, values in shown.items()
        if values
    )
    return MeterReading(interval_blocks=blocks, usage_point=ObjectReference(mrid=point)) if blocks else None


def _interval(end: datetime, verdict: Verdict) -> IntervalReading:
    if verdict.value is not None:
        return shown_interval(end, verdict.value)
    return IntervalReading(time_stamp=end, reading_qualities=shown_qualities(verdict.qualities))
