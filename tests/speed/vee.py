"""``python -m tests.speed.vee``: validation and estimation of a day, in readings a second of processor time.

Days of many meters with a share of rows that have gaps are judged by the default rule set and their gaps are filled.
Beside it stands what numpy needs to add the same numbers up once, so that the figure is a ratio: how many times as long
as one pass over the day everything takes.
"""

import json
import sys
from datetime import UTC, datetime, timedelta
from statistics import median
from time import process_time

import numpy as np

from services.meter_reading_and_control.domain.vee.days import Days, Facts, Mark
from services.meter_reading_and_control.domain.vee.estimation import Knowledge, estimated
from services.meter_reading_and_control.domain.vee.rule_sets import INTERVALS
from services.meter_reading_and_control.domain.vee.validation import rows, validated

QUARTER = timedelta(minutes=15)
SLICE = 2_000
"""Meters that are judged together: what fits the caches."""

METERS = 100_000
ROUNDS = 5
WITH_GAPS = 0.02
PROFILE = np.full(96, 1 / 96)


def days_of(meters: int, seed: int) -> tuple[Days, Facts]:
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
        limit=np.full(meters, 5_000, np.int64),
        class_mean=np.full(meters, 120, np.int64),
        reference=daily,
        zero_days=np.zeros(meters, np.int64),
        estimated_days=np.zeros(meters, np.int64),
        inactive=np.zeros(meters, np.bool_),
    )
    return Days(values=values, marks=marks, length=QUARTER, starts=starts), facts


def judged(days: Days, facts: Facts) -> tuple[int, int]:
    """Validate and estimate one slice; how many intervals failed, and how many have a value in the end."""
    found = validated(days, facts, INTERVALS)
    failed, filled = found.failed, 0
    like = [(days.values[0], np.ones(96, np.bool_))]
    for row in rows(failed):
        advance = None if facts.advance is None else int(facts.advance[row])
        known = Knowledge(slots=range(96), advance=advance, like_days=like, profile=PROFILE, daily_use=11_520.0)
        done = estimated(days.values[row], days.marks[row], failed[row], known, rule_set=INTERVALS, length=days.length)
        filled += int((failed[row] & ~done.missing).sum())
    return int(failed.sum()), filled


def main() -> None:
    """Measure and print JSON."""
    slices = [days_of(SLICE, seed) for seed in range(METERS // SLICE)]
    readings = METERS * 96
    ours, once, failed, filled = [], [], 0, 0
    for _ in range(ROUNDS):
        began = process_time()
        found = [judged(days, facts) for days, facts in slices]
        ours.append(process_time() - began)
        failed, filled = (sum(each) for each in zip(*found, strict=True))
        began = process_time()
        sum(int(days.values.sum()) for days, _ in slices)
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
