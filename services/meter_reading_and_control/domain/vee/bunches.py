"""A market day of many usage points as arrays, and what a rule set finds of it (metering guide 15).

What was stored becomes arrays without an object for each value; those of one scale and rule set are judged together.
What is found is the same as of each usage point by itself.
"""

from collections.abc import Sequence
from datetime import date, tzinfo
from functools import lru_cache

import numpy as np
from msgspec import Struct, json
from numpy.typing import NDArray

from contracts.codes.reading_type import ReadingTypeCode
from services.meter_reading_and_control.domain import calendar
from services.meter_reading_and_control.domain.folding import NOTHING, Layer
from services.meter_reading_and_control.domain.readings import Origin, Value, interval_length
from services.meter_reading_and_control.domain.vee.beside import NOTHING as NOTHING_BESIDE
from services.meter_reading_and_control.domain.vee.beside import Beside, counts, facts_beside
from services.meter_reading_and_control.domain.vee.days import Days, Facts, Mark, Mask, Numbers, supply_marks
from services.meter_reading_and_control.domain.vee.judging import MOST, Interruptions, fitted, holds, reference
from services.meter_reading_and_control.domain.vee.keeping import OURS
from services.meter_reading_and_control.domain.vee.marking import marks_of, origin_marks
from services.meter_reading_and_control.domain.vee.rule_sets import RuleSet
from services.meter_reading_and_control.domain.vee.statistics import Before, Statistics, before, with_day
from services.meter_reading_and_control.domain.vee.validation import Findings, validated

Marks = NDArray[np.uint16]


class Row(Struct, frozen=True, eq=False, kw_only=True):
    """What is known of the day of one usage point.

    Attributes:
        numbers: of its values as they were told, one for each interval; 0 where there is none.
        marks: bits of Mark.
        gained: what the register gained; None where a reading is missing.
        least: its least count.
        fell: it went down, and not by a roll-over.
        beside: what else is known of the usage point on that day.
    """

    numbers: NDArray[np.int64]
    marks: Marks
    scale: int
    gained: Value | None = None
    least: Value | None = None
    fell: bool = False
    beside: Beside = NOTHING_BESIDE


def row_of_layer(layer: Layer) -> tuple[NDArray[np.int64], Marks]:
    """The numbers and marks of a block that is stored in one row."""
    missing = layer.numbers == NOTHING
    bits = np.array([_marks_of_text(each) for each in layer.origins] or [0], np.uint16)
    marks = np.where(missing, np.uint16(Mark.MISSING), bits[layer.marks])
    return np.where(missing, 0, layer.numbers), marks.astype(np.uint16)


def row_of_values(values: Sequence[Value | None]) -> tuple[NDArray[np.int64], Marks, int]:
    """The numbers, marks and scale of values."""
    scale = min((0, *(each.scale for each in values if each is not None)))
    told = [0 if each is None else each.at_scale(scale) for each in values]
    numbers = np.array([each if abs(each) <= MOST else MOST + 1 for each in told], np.int64)
    return numbers, np.array([marks_of(each) for each in values], np.uint16), scale


def is_ours(layer: Layer) -> bool:
    """True where some of its values were estimated here."""
    return any(OURS in each for each in layer.origins)


@lru_cache(maxsize=4096)
def _marks_of_text(origin: str) -> int:
    return origin_marks(json.decode(origin, type=Origin))


class Judgement(Struct, frozen=True, eq=False, kw_only=True):
    """What a rule set found of many usage points, a row for each.

    Attributes:
        findings: with a row for each.
        is_judged: where the numbers are not too large to be judged.
        marks: of all, supply included.
        usual: what is usual, in counts of ``scales``.
        scales: in which each was judged.
    """

    findings: Findings
    is_judged: Mask
    marks: Marks
    usual: Before
    scales: Numbers


def counts_of(rows: Sequence[Row]) -> tuple[int, int]:
    """How many values were due, and how many have come."""
    marks = np.stack([each.marks for each in rows])
    due = (marks & Mark.ABSENT) == 0
    return int(due.sum()), int((due & ((marks & Mark.MISSING) == 0)).sum())


def judged_together(
    rows: Sequence[Row],
    off: Sequence[Interruptions],
    known: Statistics,
    code: ReadingTypeCode,
    day: date,
    *,
    rule_sets: Sequence[RuleSet],
    zone: tzinfo,
    held: Mask,
) -> Judgement:
    """Judge a day of many usage points.

    Args:
        rows: one for each.
        off: when each had no power.
        known: what is usual at each.
        code: the reading type.
        day: the market day.
        rule_sets: by which each is judged.
        zone: of the market days.
        held: at which of them gaps wait and are not estimated.
    """
    length = interval_length(code)
    starts = calendar.starts(day, zone, length)
    marks = np.stack([each.marks for each in rows])
    for place, each in enumerate(off):
        if each:
            marks[place] |= supply_marks(starts, length, each)
    marks |= np.where(held[:, None] & holds(marks), np.uint16(Mark.HELD), np.uint16(0))
    scales = np.array([_scale(row, int(scale)) for row, scale in zip(rows, known.scales, strict=True)])
    of_intervals, of_days = np.zeros(marks.shape, np.uint32), np.zeros(len(rows), np.uint32)
    is_judged = np.zeros(len(rows), np.bool_)
    means, idle, filled = (np.zeros(len(rows), np.int64) for _ in range(3))
    alike: dict[tuple[int, tuple[str, int]], list[int]] = {}
    for place, rule_set in enumerate(rule_sets):
        alike.setdefault((int(scales[place]), rule_set.key), []).append(place)
    for (scale, _), places in alike.items():
        at, rule_set = np.array(places), rule_sets[places[0]]
        here = [rows[place] for place in places]
        values, fits = _values(here, scale)
        usual = before(known.rows(at), day, scale)
        days = Days(values=values, marks=marks[at], length=length, starts=starts)
        facts = _facts(here, scale, fits, usual, code)
        facts = facts_beside(facts, [each.beside for each in here], days, code, scale)
        found = validated(days, facts, fitted(rule_set, code, scale))
        of_intervals[at], of_days[at] = found.of_intervals * fits[:, None], found.of_days * fits
        is_judged[at], means[at], idle[at], filled[at] = fits, usual.mean, usual.idle_days, usual.filled_days
    return Judgement(
        findings=Findings(rule_sets=[each.key for each in rule_sets], of_intervals=of_intervals, of_days=of_days),
        is_judged=is_judged,
        marks=marks,
        usual=Before(mean=means, idle_days=idle, filled_days=filled),
        scales=scales,
    )


def _scale(row: Row, usual: int) -> int:
    """In which scale a day is judged: the finest of what was told, or the usual one where nothing was."""
    told = row.scale if not (row.marks & Mark.MISSING).all() else min(row.scale, usual)
    return min(told, 0, 0 if row.gained is None else row.gained.scale)


def _values(rows: Sequence[Row], scale: int) -> tuple[Numbers, Mask]:
    """The numbers of rows in counts of a scale, and which of the rows are not too large for it."""
    factors = [10 ** min(each.scale - scale, 18) for each in rows]
    most = np.array([MOST // factor for factor in factors], np.int64)
    numbers = np.stack([each.numbers for each in rows])
    gained = [0 if each.gained is None else each.gained.at_scale(scale) for each in rows]
    fits = (np.abs(numbers).max(axis=1) <= most) & np.array([abs(each) <= MOST for each in gained])
    return np.where(fits[:, None], numbers, 0) * np.array(factors, np.int64)[:, None], fits


def _facts(rows: Sequence[Row], scale: int, fits: Mask, usual: Before, code: ReadingTypeCode) -> Facts:
    gained = [
        each.gained.at_scale(scale) if each.gained is not None and fit else 0
        for each, fit in zip(rows, fits.tolist(), strict=True)
    ]
    return Facts(
        advance=np.array(gained, np.int64),
        advance_known=np.array([each.gained is not None for each in rows]),
        least=np.array([0 if each.least is None else counts(each.least.exact, scale) for each in rows], np.int64),
        reference=reference(code, usual.mean),
        zero_days=usual.idle_days,
        estimated_days=usual.filled_days,
        register_fell=np.array([each.fell for each in rows]),
    )


def statistics_after(
    rows: Sequence[tuple[NDArray[np.int64], Marks, int]],
    known: Statistics,
    code: ReadingTypeCode,
    day: date,
    zone: tzinfo,
) -> Statistics:
    """What is usual after the day, whose numbers, marks and scale are those that are known now."""
    length = interval_length(code)
    starts = calendar.starts(day, zone, length)
    last, scales = known.last.copy(), known.scales.copy()
    usage, marks = known.usage.copy(), known.marks.copy()
    of = np.array([scale for _, _, scale in rows])
    for scale in np.unique(of).tolist():
        at = np.flatnonzero(of == scale)
        days = Days(
            values=np.stack([rows[place][0] for place in at.tolist()]),
            marks=np.stack([rows[place][1] for place in at.tolist()]),
            length=length,
            starts=starts,
        )
        after = with_day(known.rows(at), day, days, scale)
        last[at], scales[at], usage[at], marks[at] = after.last, after.scales, after.usage, after.marks
    return Statistics(last=last, scales=scales, usage=usage, marks=marks)
