"""The day of a usage point as a rule set has it: what is valid, what is suspect, and what stands in its place.

What was told becomes an array, is judged and estimated, and becomes values again, each with the qualities of 61968-9
that say so. It is a function of what is known: the same day judged twice is the same.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from contracts.codes.end_device_events import EventKind, kind_of
from contracts.codes.reading_quality import ESTIMATED, POWER_FAILED, VALIDATED
from contracts.codes.reading_type import ReadingTypeCode
from contracts.errors import Invalid
from contracts.nouns.end_device_events import EndDeviceEvent
from services.meter_reading_and_control.domain import calendar
from services.meter_reading_and_control.domain.readings import (
    ACCEPTED,
    LOCKED,
    NOTHING_KNOWN,
    Origin,
    Quality,
    Value,
    interval_length,
)
from services.meter_reading_and_control.domain.vee.beside import NOTHING, Beside, counts, facts_beside
from services.meter_reading_and_control.domain.vee.days import Days, Facts, Mark, Mask, supply_marks
from services.meter_reading_and_control.domain.vee.estimation import SCALED, Estimate, Knowledge, Scaling, estimated
from services.meter_reading_and_control.domain.vee.marking import marks_of
from services.meter_reading_and_control.domain.vee.rule_sets import RuleSet
from services.meter_reading_and_control.domain.vee.rules import RULES, Severity
from services.meter_reading_and_control.domain.vee.sides import WATT_HOURS
from services.meter_reading_and_control.domain.vee.statistics import Usual
from services.meter_reading_and_control.domain.vee.validation import looked_again, named, validated

ONE_WAY = (1, 19)
"""Flow directions of a ReadingType."""

KNOWN_MISSING, OFF_ALL = "3.5.259", "E1"

NOT_BACK = "power was lost, and nobody has told that it is back"
"""Why a gap after a power-down waits."""

MOST = 10**15
"""The largest number that is judged; what is larger would not be exact in every sum."""

_WEEKEND = (5, 6)
_LIKE = 4
"""So many like days of the same weekday are looked at, and so many of other weekdays of its kind."""

Values = Sequence[Value | None]

Interruptions = Sequence[tuple[datetime, datetime | None]]
"""Pairs of a power-down and its power-up; None where nobody has told it."""


class Case(Struct, frozen=True, kw_only=True):
    """What is known of a market day of a usage point and a reading type.

    Attributes:
        reading_type, day: what it is about.
        values: of all its meters together, one for each interval, as they were told.
        known: the same as they are known by now, with what was kept of earlier judgements.
        history: of days before it, as they are known by now.
        usual: what is usual before it.
        absent: for each interval, whether no meter was there; empty where one always was.
        gained: what the register gained, in the unit of the reading type; None where a reading is missing.
        least: the least count of that register, in the same unit.
        fell: the register went down, and not by a roll-over.
        interruptions: when power was off.
        beside: what else is known of the usage point on that day.
        held: why gaps wait and are not estimated, beside a power-down without a power-up; empty where they do not.
    """

    reading_type: ReadingTypeCode
    day: date
    values: Values
    known: Values = ()
    history: Mapping[date, Values] = {}
    usual: Usual = Usual()
    absent: Sequence[bool] = ()
    held: str = ""
    gained: Value | None = None
    least: Value | None = None
    fell: bool = False
    interruptions: Interruptions = ()
    beside: Beside = NOTHING


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


def interruptions(events: Iterable[EndDeviceEvent]) -> Interruptions:
    """When power was off, as events tell."""
    return outages((each.created_date_time, kind_of(each.end_device_event_type.ref)) for each in events)


def outages(told: Iterable[tuple[datetime, EventKind | None]]) -> Interruptions:
    """From the first word that power is lost to the first that it is back; None where that has not come."""
    found: list[tuple[datetime, datetime | None]] = []
    for at, kind in sorted(told, key=lambda each: each[0]):
        is_off = bool(found) and found[-1][1] is None
        if kind is EventKind.POWER_LOST and not is_off:
            found.append((at, None))
        elif kind is EventKind.POWER_RESTORED and is_off:
            found[-1] = (found[-1][0], at)
    return found


def judged(case: Case, rule_set: RuleSet, zone: tzinfo) -> list[Verdict]:
    """What ``rule_set`` says of each interval of a day, and of its estimates when it looks at them once more.

    What a person edited or accepted is judged, and stays.

    Raises:
        Invalid: 2.29, its numbers are too large to be judged exactly.
    """
    if not is_exact(case):
        raise Invalid(f"{case.reading_type} on {case.day}: numbers above {MOST} are not judged", code="2.29")
    alike, scale = like_days(case.day, case.history), _scale(case)
    numbers = _whole(case.values, scale)
    advance = None if case.gained is None else case.gained.at_scale(scale)
    length = interval_length(case.reading_type)
    starts = calendar.starts(case.day, zone, length)
    row, marks = np.array(numbers, np.int64), np.array([marks_of(each) for each in case.values], np.uint16)
    marks |= supply_marks(starts, length, case.interruptions)
    if case.absent:
        marks[np.array(case.absent)] |= np.uint16(Mark.ABSENT)
    if case.held:
        marks[holds(marks)] |= np.uint16(Mark.HELD)
    days = Days(values=row[None, :], marks=marks[None, :], length=length, starts=starts)
    fitting = fitted(rule_set, case.reading_type, scale)
    facts = facts_beside(_facts(case, advance, scale), [case.beside], days, case.reading_type, scale)
    findings = validated(days, facts, fitting)
    kept = np.array([each is not None and each.origin.rank in (LOCKED, ACCEPTED) for each in case.values])
    known = _knowledge(case, alike, advance, scale, zone)
    known = replace(known, check=checked(case.beside, row, ~days.present[0], scale))
    if case.beside.profile is not None and case.beside.class_use is not None:
        use = case.beside.class_use if case.usual.mean is None else case.usual.mean
        shares = case.beside.profile.shares(case.day, timedelta(days=1) // length)
        known = replace(known, profile=shares, daily_use=float(use) * 10.0**-scale)
    made = estimated(row, marks, findings.failed[0] & ~kept, known, rule_set=fitting, length=length)
    filled = np.array([[method != "" for method in made.methods]])
    again = looked_again(after(days, made, filled), filled, facts, fitting)
    of_intervals = findings.of_intervals[0] | again.of_intervals[0]
    of_day = named(int(findings.of_days[0] | again.of_days[0]))
    return [
        _verdict(told, (*named(int(bits)), *of_day), made, place, rule_set=rule_set, scale=scale, held=case.held)
        for place, (told, bits) in enumerate(zip(case.values, of_intervals, strict=True))
    ]


def after(days: Days, made: Estimate, filled: Mask) -> Days:
    """The day of one usage point with its estimates; what is failed and not filled is missing."""
    marks = np.where(filled, days.marks & ~np.uint16(Mark.MISSING), days.marks)
    marks |= np.where(made.missing, np.uint16(Mark.MISSING), np.uint16(0))
    return Days(values=made.values[None, :], marks=marks, length=days.length, starts=days.starts)


def holds(marks: NDArray[np.uint16]) -> NDArray[np.bool_]:
    """Where a gap waits while gaps wait: not in an outage of which both ends were told, since that is known."""
    found: NDArray[np.bool_] = (marks & np.uint16(Mark.MISSING | Mark.OFF)) == np.uint16(Mark.MISSING)
    return found


def is_exact(case: Case) -> bool:
    """True where no number of a day is too large for sums of it to be exact."""
    scale = _scale(case)
    return max(map(abs, _whole((*case.values, case.gained), scale))) <= MOST


def _scale(case: Case) -> int:
    """The finest scale of what is known of the day, and of what may fill its gaps."""
    past = (each for day in like_days(case.day, case.history) for each in case.history[day])
    return min((0, *(each.scale for each in (*case.values, *past, case.gained) if each is not None)))


def _verdict(
    told: Value | None,
    found: tuple[str, ...],
    made: Estimate,
    place: int,
    *,
    rule_set: RuleSet,
    scale: int,
    held: str,
) -> Verdict:
    """The verdict of the interval at ``place``."""
    method = made.methods[place]
    why = reasons(found, (rule_set.id, rule_set.version))
    if method:
        comment = f"method=E6 {method}" if made.scaling is Scaling.DONE and method in SCALED else f"method={method}"
        outage = (Quality(code=POWER_FAILED),) if method == OFF_ALL else ()
        qualities = (*why, *outage, Quality(code=ESTIMATED, comment=comment))
        value = Value(number=int(made.values[place]), scale=scale, origin=Origin(qualities=tuple(sorted(qualities))))
        return Verdict(value=value, found=found, method=comment.removeprefix("method="), qualities=())
    if told is None or told.origin.rank == NOTHING_KNOWN:
        qualities = (*why, waiting(held or NOT_BACK)) if made.held[place] else why or (Quality(code=KNOWN_MISSING),)
        return Verdict(value=None, found=found, method="", qualities=tuple(sorted(qualities)))
    return Verdict(value=validated_value(told, found, why), found=found, method="", qualities=())


def validated_value(told: Value, found: Sequence[str], why: Sequence[Quality]) -> Value:
    """A measured value with what was found of it; one of which no rule that fails says anything is valid."""
    is_valid = not any(RULES[each].severity is Severity.FAIL for each in found)
    added = (*why, Quality(code=VALIDATED)) if is_valid else why
    origin = replace(told.origin, qualities=tuple(sorted({*told.origin.qualities, *added})))
    return replace(told, origin=origin)


def waiting(reason: str) -> Quality:
    """What is said of a gap that waits."""
    return Quality(code=KNOWN_MISSING, comment=f"held: {reason}")


def reasons(found: Sequence[str], rule_set: tuple[str, int]) -> tuple[Quality, ...]:
    """The codes of rules that found something, with their names and severity and whose rules they are."""
    name = f"{rule_set[0]}/{rule_set[1]}"
    return tuple(Quality(code=RULES[each].code, comment=f"{each} {RULES[each].severity} {name}") for each in found)


def _whole(values: Values, scale: int) -> list[int]:
    """The numbers of a scale that is fine enough; 0 for what is missing."""
    return [0 if each is None else each.at_scale(scale) for each in values]


def fitted(rule_set: RuleSet, code: ReadingTypeCode, scale: int) -> RuleSet:
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
    """What the rules are told beside the day."""
    mean = case.usual.mean
    return Facts(
        advance=None if advance is None else np.array([advance]),
        least=np.array([0 if case.least is None else counts(case.least.exact, scale)]),
        reference=reference(case.reading_type, np.array([0 if mean is None else counts(mean, scale)])),
        zero_days=np.array([case.usual.idle_days]),
        estimated_days=np.array([case.usual.filled_days]),
        register_fell=np.array([case.fell]),
    )


def reference(code: ReadingTypeCode, mean: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """With what the usage of a day is compared, 0 where too little is known; nothing where it is no energy in Wh."""
    return mean if code.unit == WATT_HOURS else None


def like_days(day: date, known: Iterable[date]) -> list[date]:
    """The days that a gap of ``day`` may be filled from: the nearest of its weekday, then the nearest of its kind."""
    alike = [each for each in known if (each.weekday() in _WEEKEND) == (day.weekday() in _WEEKEND)]
    nearest = sorted(alike, key=lambda each: day - each)
    same = [each for each in nearest if each.weekday() == day.weekday()][:_LIKE]
    return [*same, *[each for each in nearest if each.weekday() != day.weekday()][:_LIKE]]


def checked(
    beside: Beside, row: NDArray[np.int64], missing: NDArray[np.bool_], scale: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]] | None:
    """What a check meter measured, and where it may stand for a value: where that is not the very value that failed."""
    if beside.check is None:
        return None
    numbers = np.rint(beside.check.at_scale(scale)).astype(np.int64)
    return numbers, beside.check.valid & (missing | (numbers != row))


def _knowledge(case: Case, alike: Sequence[date], advance: int | None, scale: int, zone: tzinfo) -> Knowledge:
    """What may fill gaps."""
    length = interval_length(case.reading_type)
    return Knowledge(
        slots=calendar.clock_slots(case.day, zone, length),
        advance=advance,
        like_days=[_like(case, day, length, scale, zone) for day in alike],
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
        if value is not None and not off[place] and not marks_of(value):
            number = value.at_scale(scale)
            if abs(number) <= MOST:
                row[slot], valid[slot] = number, True
    return row, valid
