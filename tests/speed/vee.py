"""``python -m tests.speed.vee``: validation and estimation of a day, in readings a second of processor time.

Of each meter is known what may be: rating, class, profile, a reactive channel, voltage, a check meter and registers
of a tariff; that these become arrays is a part of what is measured.

Days of many meters with a share of rows that have gaps are judged by the default rule set, their gaps are filled, and
these are looked at once more.
Beside it stands what numpy needs to add the same numbers up once, so that the figure is a ratio: how many times as long
as one pass over the day everything takes.
"""

import json
import sys
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from statistics import median
from time import process_time

import numpy as np

from contracts.codes.reading_type import ReadingTypeCode
from services.meter_reading_and_control.domain.vee.beside import Beside, facts_beside
from services.meter_reading_and_control.domain.vee.days import Days, Facts, Mark
from services.meter_reading_and_control.domain.vee.estimation import Knowledge, estimated
from services.meter_reading_and_control.domain.vee.profiles import Profile
from services.meter_reading_and_control.domain.vee.rule_sets import INTERVALS
from services.meter_reading_and_control.domain.vee.sides import Side
from services.meter_reading_and_control.domain.vee.validation import looked_again, rows, validated

QUARTER = timedelta(minutes=15)
SLICE = 2_000
"""Meters that are judged together: what fits the caches."""

METERS = 100_000
ROUNDS = 5
WITH_GAPS = 0.02
PROFILE = Profile(of_class="*", daily_use=11_520.0, workday=(1.0,))
FORWARD = ReadingTypeCode.parse("0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.0.72.0")


def days_of(meters: int, seed: int) -> tuple[Days, Facts, list[Beside]]:
    """A day of loads with the noise of single homes; of two meters in a hundred two hours are missing."""
    draw = np.random.default_rng(seed)
    values = draw.gamma(1.5, 80.0, (meters, 96)).astype(np.int64)
    marks = np.zeros((meters, 96), np.uint16)
    for row in np.flatnonzero(draw.random(meters) < WITH_GAPS):
        first = int(draw.integers(0, 88))
        marks[row, first : first + 9] |= np.uint16(Mark.MISSING)
    starts = [datetime(2026, 6, 1, tzinfo=UTC) + place * QUARTER for place in range(96)]
    daily = values.sum(axis=1)
    facts = Facts(
        advance=daily,
        least=np.ones(meters, np.int64),
        reference=daily,
        zero_days=np.zeros(meters, np.int64),
        estimated_days=np.zeros(meters, np.int64),
    )
    everywhere, volts = np.ones(96, np.bool_), np.full(96, 2300)
    beside = [
        Beside(
            of_class="residential",
            rated=4_000.0,
            tiers=(Fraction(int(used)), 2),
            profile=PROFILE,
            class_use=11_520.0,
            reactive=Side(numbers=row // 5, valid=everywhere, scale=0),
            voltage=Side(numbers=volts, valid=everywhere, scale=-1, factor=1 / 230),
            check=Side(numbers=row, valid=marks[place] == 0, scale=0),
        )
        for place, (row, used) in enumerate(zip(values, daily, strict=True))
    ]
    return Days(values=values, marks=marks, length=QUARTER, starts=starts), facts, beside


def judged(days: Days, facts: Facts, beside: list[Beside]) -> tuple[int, int]:
    """Validate and estimate one slice; how many intervals failed, and how many have a value in the end."""
    facts = facts_beside(facts, beside, days, FORWARD, 0)
    found = validated(days, facts, INTERVALS)
    failed, filled = found.failed, 0
    like = [(days.values[0], np.ones(96, np.bool_))]
    for row in rows(failed):
        advance = None if facts.advance is None else int(facts.advance[row])
        known = Knowledge(slots=range(96), advance=advance, like_days=like)
        done = estimated(days.values[row], days.marks[row], failed[row], known, rule_set=INTERVALS, length=days.length)
        made = failed[row] & ~done.missing
        filled += int(made.sum())
        marks = np.where(made, days.marks[row] & ~np.uint16(Mark.MISSING), days.marks[row])
        one = Days(values=done.values[None], marks=marks[None], length=days.length, starts=days.starts)
        looked_again(one, made[None], of_row(facts, row), INTERVALS)
    return int(failed.sum()), filled


def of_row(facts: Facts, row: int) -> Facts:
    """What the second look is told of one meter."""
    advance, least, limit = (
        None if each is None else each[row : row + 1] for each in (facts.advance, facts.least, facts.limit)
    )
    return Facts(advance=advance, least=least, limit=limit)


def main() -> None:
    """Measure and print JSON."""
    slices = [days_of(SLICE, seed) for seed in range(METERS // SLICE)]
    readings = METERS * 96
    ours, once, failed, filled = [], [], 0, 0
    for _ in range(ROUNDS):
        began = process_time()
        found = [judged(*each) for each in slices]
        ours.append(process_time() - began)
        failed, filled = (sum(each) for each in zip(*found, strict=True))
        began = process_time()
        sum(int(days.values.sum()) for days, *_ in slices)
        once.append(process_time() - began)
    report = {
        "meters": METERS,
        "failed_intervals": failed,
        "estimated_intervals": filled,
        "readings_per_s": round(readings / median(ours)),
        "passes_of_numpy": round(median(ours) / median(once), 1),
    }
    json.dump(report, sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
