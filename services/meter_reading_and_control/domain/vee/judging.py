"""The day of a usage point as a rule set has it: what is valid, what is suspect, and what stands in its place.

What was told becomes an array, is judged and estimated, and becomes values again, each with the qualities of 61968-9
that say so. It is a function of what is known: the same day judged twice is the same.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo
from fractions import Fraction

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from contracts.codes.end_device_events import EventKind, kind_of
from contracts.codes.reading_quality import ESTIMATED, VALIDATED, ReadingQualityCode
from contracts.codes.reading_type import ReadingTypeCode
from contracts.errors import Invalid
from contracts.nouns.end_device_events import EndDeviceEvent
from services.meter_reading_and_control.domain import calendar
from services.meter_reading_and_control.domain.readings import (
    ACCEPTED,
    DERIVED_SUM,
    LOCKED,
    NOTHING_KNOWN,
    PARTIAL,
    VALID,
    Origin,
    Quality,
    Value,
    interval_length,
)
from services.meter_reading_and_control.domain.vee.days import Days, Facts, Mark, supply_marks
from services.meter_reading_and_control.domain.vee.estimation import SCALED, Estimate, Knowledge, Scaling, estimated
from services.meter_reading_and_control.domain.vee.rule_sets import RuleSet
from services.meter_reading_and_control.domain.vee.rules import RULES, Severity
from services.meter_reading_and_control.domain.vee.validation import named, validated

HISTORY = timedelta(days=28)
"""So many days before a day are looked at for like days and for what is usual."""

DELTA, ONE_WAY, WATT_HOURS = 4, (1, 19), 72
"""Accumulation, flow directions and unit of a ReadingType."""

KNOWN_MISSING, POWER_FAIL, OFF_ALL = "3.5.259", "3.2.32", "E1"

_MOST = 10**15
"""The largest number that is judged; what is larger would not be exact in every sum."""

_LARGEST = 10**18

_LEAST_DAYS = 7
"""So many whole days are needed to say what is usual."""

_WEEKEND = (5, 6)
_DATA_ERRORS = range(4, 9)
_MARKS = {(4, 1): Mark.OVERFLOW, (4, 5): Mark.TEST, (4, 3): Mark.LONG, (4, 9): Mark.CLOCK, (2, 32): Mark.OFF}
"""What the category and the index of a quality say of an interval. A jump of the clock (4.64, 4.128) says nothing: the
values were put into true time when they were taken."""

Values = Sequence[Value | None]


class Case(Struct, frozen=True, kw_only=True):
    """What is known of a market day of a usage point and a reading type.

    Attributes:
        reading_type, day: what it is about.
        values: of all its meters together, one for each interval.
        history: the same of days before it.
        gained: what the register gained, in the unit of the reading type; None where a reading is missing.
        least: the least count of that register, in the same unit.
        fell: the register went down, and not by a roll-over.
        interruptions: pairs of a power-down and its power-up, None where nobody has told it.
    """

    reading_type: ReadingTypeCode
    day: date
    values: Values
    history: Mapping[date, Values] = {}
    gained: Value | None = None
    least: Value | None = None
    fell: bool = False
    interruptions: Sequence[tuple[datetime, datetime | None]] = ()


class Verdict(Struct, frozen=True, kw_only=True):
    """What a rule set says of an interval.

    Attributes:
        value: the value that would count; None where there is none.
        found: the names of the rules that found something, of the interval and of its day.
        method: how the value was estimated; empty for what was measured.
        qualities: of what has no value.
    """

    value: Value | None
    found: tuple[str, ...]
    method: str
    qualities: tuple[Quality, ...]

    def differs(self, other: "Verdict") -> bool:
        """True when it says another value, another finding or another method."""
        numbers = [None if each.value is None else each.value.exact for each in (self, other)]
        return numbers[0] != numbers[1] or (self.found, self.method) != (other.found, other.method)


def is_judged(reading_type: ReadingTypeCode) -> bool:
    """True for what passed in intervals; what was at an instant is not judged, and never estimated (guide 5.1)."""
    return reading_type.accumulation == DELTA


def interruptions(events: Iterable[EndDeviceEvent]) -> list[tuple[datetime, datetime | None]]:
    """From the first word that power is lost to the first that it is back; None where that has not come."""
    found: list[tuple[datetime, datetime | None]] = []
    for event in sorted(events, key=lambda each: each.created_date_time):
        kind, is_off = kind_of(event.end_device_event_type.ref), bool(found) and found[-1][1] is None
        if kind is EventKind.POWER_LOST and not is_off:
            found.append((event.created_date_time, None))
        elif kind is EventKind.POWER_RESTORED and is_off:
            found[-1] = (found[-1][0], event.created_date_time)
    return found


def judged(case: Case, rule_set: RuleSet, zone: tzinfo) -> list[Verdict]:
    """What ``rule_set`` says of each interval of a day.

    What a person edited or accepted is judged, and stays.

    Raises:
        Invalid: 2.29, its numbers are too large to be judged exactly.
    """
    past = (each for values in case.history.values() for each in values)
    scale = min((0, *(each.scale for each in (*case.values, *past, case.gained) if each is not None)))
    numbers = _whole(case.values, scale)
    advance = None if case.gained is None else case.gained.at_scale(scale)
    if max(map(abs, (*numbers, advance or 0))) > _MOST:
        raise Invalid(f"{case.reading_type} on {case.day}: numbers above {_MOST} are not judged", code="2.29")
    length = interval_length(case.reading_type)
    starts = calendar.starts(case.day, zone, length)
    row, marks = np.array(numbers, np.int64), np.array([_marks(each) for each in case.values], np.uint16)
    marks |= supply_marks(starts, length, case.interruptions)
    days = Days(values=row[None, :], marks=marks[None, :], length=length, starts=starts)
    fitted = _fitted(rule_set, case.reading_type, scale)
    findings = validated(days, _facts(case, advance, scale), fitted)
    kept = np.array([each is not None and each.origin.rank in (LOCKED, ACCEPTED) for each in case.values])
    known = _knowledge(case, advance, scale, zone)
    made = estimated(row, marks, findings.failed[0] & ~kept, known, rule_set=fitted, length=length)
    of_day = named(int(findings.of_days[0]))
    return [
        _verdict(told, (*named(int(bits)), *of_day), made, place, rule_set=rule_set, scale=scale)
        for place, (told, bits) in enumerate(zip(case.values, findings.of_intervals[0], strict=True))
    ]


def _verdict(
    told: Value | None, found: tuple[str, ...], made: Estimate, place: int, *, rule_set: RuleSet, scale: int
) -> Verdict:
    """The verdict of the interval at ``place``."""
    method = made.methods[place]
    why = tuple(
        Quality(code=RULES[each].code, comment=f"{each} {RULES[each].severity} {rule_set.id}/{rule_set.version}")
        for each in found
    )
    if method:
        comment = f"method=E6 {method}" if made.scaling is Scaling.DONE and method in SCALED else f"method={method}"
        outage = (Quality(code=POWER_FAIL),) if method == OFF_ALL else ()
        qualities = (*why, *outage, Quality(code=ESTIMATED, comment=comment))
        value = Value(number=int(made.values[place]), scale=scale, origin=Origin(qualities=tuple(sorted(qualities))))
        return Verdict(value=value, found=found, method=comment.removeprefix("method="), qualities=())
    if told is None or told.origin.rank == NOTHING_KNOWN:
        held = Quality(code=KNOWN_MISSING, comment="held: power was lost, and nobody has told that it is back")
        qualities = (*why, held) if made.held[place] else why or (Quality(code=KNOWN_MISSING),)
        return Verdict(value=None, found=found, method="", qualities=tuple(sorted(qualities)))
    is_valid = not any(RULES[each].severity is Severity.FAIL for each in found)
    added = (*why, Quality(code=VALIDATED)) if is_valid else why
    origin = replace(told.origin, qualities=tuple(sorted({*told.origin.qualities, *added})))
    return Verdict(value=replace(told, origin=origin), found=found, method="", qualities=())


def _whole(values: Values, scale: int) -> list[int]:
    """The numbers of a scale that is fine enough; 0 for what is missing."""
    return [0 if each is None else each.at_scale(scale) for each in values]


def _marks(value: Value | None) -> int:
    """What the qualities of a value say of its interval; one that two meters share is whole again by their sum."""
    if value is None or value.origin.rank == NOTHING_KNOWN:
        return int(Mark.MISSING)
    said = set(value.origin.qualities)
    marks = int(Mark.PARTIAL) if PARTIAL in said and DERIVED_SUM not in said else 0
    for code in (ReadingQualityCode.parse(each.code) for each in said):
        marks |= int(_MARKS.get((code.category, code.index), 0))
        if code.category == 1 and code.index in _DATA_ERRORS:
            marks |= int(Mark.DEVICE)
        if ReadingQualityCode.parse(ESTIMATED).category == code.category:
            marks |= int(Mark.ESTIMATED)
    return marks


def _fitted(rule_set: RuleSet, code: ReadingTypeCode, scale: int) -> RuleSet:
    """The rule set for this reading type: what counts down may be negative, and thresholds of Wh are in its counts."""
    counts = 10.0 ** -(scale + code.multiplier)
    rules = {
        name: {**settings, "least": settings.get("least", RULES[name].settings["least"]) * counts}
        if "least" in RULES[name].settings
        else settings
        for name, settings in rule_set.rules.items()
        if name != "V20" or code.flow_direction in ONE_WAY
    }
    return replace(rule_set, rules=rules)


def _facts(case: Case, advance: int | None, scale: int) -> Facts:
    """What the rules are told beside the day; of the past only where it is known enough to compare with."""
    whole = [day for _, day in sorted(case.history.items(), reverse=True) if _is_whole(day)]
    usage = [sum((each.exact for each in day if each is not None), Fraction(0)) for day in whole]
    idle = next((place for place, each in enumerate(usage) if each), len(usage))
    is_usual = len(usage) >= _LEAST_DAYS and case.reading_type.unit == WATT_HOURS
    return Facts(
        advance=None if advance is None else np.array([advance]),
        least=None if case.least is None else np.array([_counts(case.least.exact, scale)]),
        reference=np.array([_counts(sum(usage, Fraction(0)) / len(usage), scale)]) if is_usual else None,
        zero_days=np.array([idle]) if usage else None,
        register_fell=np.array([case.fell]),
    )


def _counts(amount: Fraction, scale: int) -> int:
    """An amount in whole counts of a scale, the nearest; at most what an array surely holds."""
    return max(-_LARGEST, min(_LARGEST, round(amount / Fraction(10) ** scale)))


def _is_whole(values: Values) -> bool:
    return all(each is not None and each.origin.rank >= VALID for each in values)


def _knowledge(case: Case, advance: int | None, scale: int, zone: tzinfo) -> Knowledge:
    """What may fill gaps: days of the same weekday first, the nearest first, then the others of its kind."""
    length = interval_length(case.reading_type)
    alike = [day for day in case.history if (day.weekday() in _WEEKEND) == (case.day.weekday() in _WEEKEND)]
    nearest = sorted(alike, key=lambda day: (day.weekday() != case.day.weekday(), case.day - day))
    return Knowledge(
        slots=calendar.clock_slots(case.day, zone, length),
        advance=advance,
        like_days=[_like(case, day, length, scale, zone) for day in nearest],
    )


def _like(
    case: Case, day: date, length: timedelta, scale: int, zone: tzinfo
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Values of a day by clock slot, and where they were measured while supply was on."""
    off = supply_marks(calendar.starts(day, zone, length), length, case.interruptions) != 0
    row = np.zeros(calendar.DAY // length, np.int64)
    valid = np.zeros(calendar.DAY // length, np.bool_)
    for place, slot in enumerate(calendar.clock_slots(day, zone, length)):
        value = case.history[day][place]
        if value is not None and value.origin.rank >= VALID and not off[place] and not _marks(value):
            number = _counts(value.exact, scale)
            if abs(number) <= _MOST:
                row[slot], valid[slot] = number, True
    return row, valid
