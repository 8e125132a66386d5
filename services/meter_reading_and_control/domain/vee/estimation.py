"""Gaps are filled by the first method of a ladder that can, and estimates are scaled to what the register gained.

Numbers are whole; what is shared out is shared out without a rest, by the largest remainder (metering guide 5.1).
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from enum import Enum
from itertools import pairwise

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from services.meter_reading_and_control.domain.vee.days import Mark, Mask
from services.meter_reading_and_control.domain.vee.rule_sets import Estimator, RuleSet

Row = NDArray[np.int64]


class Scaling(Enum):
    """What became of the sum of a day: it fits the register, nothing was to scale, or it cannot fit."""

    DONE = "scaled"
    NO_REGISTER = "no register"
    UNSCALED = "unscaled"


class Knowledge(Struct, frozen=True, eq=False, kw_only=True):
    """What is known of one usage point and may fill its gaps; clock slots are intervals of a day without clock change.

    Attributes:
        slots: for each interval of the day its clock slot; the hour that comes twice has its slots twice.
        advance: what the register gained over the day; None where a reading is missing.
        check: values of another meter of the same load, for each interval, and where they are valid.
        like_days: values by clock slot of like days, nearest first, and where they are measured and without an outage.
        profile: shares of a day's use of the class by clock slot, of sum 1.
        daily_use: average use of a day.
    """

    slots: Sequence[int]
    advance: int | None = None
    check: tuple[Row, NDArray[np.bool_]] | None = None
    like_days: Sequence[tuple[Row, NDArray[np.bool_]]] = ()
    profile: NDArray[np.float64] | None = None
    daily_use: float | None = None


class Estimate(Struct, frozen=True, eq=False, kw_only=True):
    """The day of one usage point after its gaps were looked at.

    Attributes:
        values: for each interval; what was measured is as it was.
        methods: for each interval the method that made its value; empty for what was measured and what stays missing.
        missing: where there still is no value.
        held: where supply went off and nobody has said when it came back; no method fills that.
        scaling: what became of the sum.
    """

    values: Row
    methods: Sequence[str]
    missing: NDArray[np.bool_]
    held: NDArray[np.bool_]
    scaling: Scaling


def estimated(
    values: Row,
    marks: NDArray[np.uint16],
    failed: NDArray[np.bool_],
    known: Knowledge,
    *,
    rule_set: RuleSet,
    length: timedelta,
) -> Estimate:
    """Fill the failed intervals of one usage point.

    Args:
        values: of the day, [intervals].
        marks: bits of Mark.
        failed: the intervals that need a value.
        known: what may fill them.
        rule_set: whose ladder is climbed.
        length: of an interval.
    """
    filled = values.copy()
    methods = [""] * len(values)
    held = failed & ((marks & np.uint16(Mark.HELD)) != 0)
    off = (marks & np.uint16(Mark.OFF)) != 0
    missing = failed.copy()
    for first, after in _gaps(failed & ~held, off):
        gap = Gap(first=first, after=after, values=values, failed=failed, off=off, known=known)
        for step in rule_set.ladder:
            fill = _METHODS.get(step.method)
            if fill is None or (step.longest is not None and (after - first) * length > step.longest):
                continue
            made = fill(gap, step)
            if made is not None:
                filled[first:after] = made
                methods[first:after] = [step.method] * (after - first)
                missing[first:after] = False
                break
    scaling = Scaling.NO_REGISTER
    if any(step.method == "E6" for step in rule_set.ladder) and known.advance is not None and not missing.any():
        scaling = _scale(filled, methods, known.advance)
    return Estimate(values=filled, methods=methods, missing=missing, held=held, scaling=scaling)


class Gap(Struct, frozen=True, eq=False, kw_only=True):
    """Intervals from ``first`` to before ``after`` that have no valid value."""

    first: int
    after: int
    values: Row
    failed: NDArray[np.bool_]
    off: NDArray[np.bool_]
    known: Knowledge

    @property
    def size(self) -> int:
        """How many intervals it has."""
        return self.after - self.first

    def edge(self, place: int) -> int | None:
        """The value beside the gap, where there is one that was measured while supply was on."""
        inside = 0 <= place < len(self.values)
        return int(self.values[place]) if inside and not self.failed[place] and not self.off[place] else None

    def beside_outage(self, place: int) -> bool:
        """True where supply was off beside the gap."""
        return 0 <= place < len(self.values) and bool(self.off[place])


def _outage(gap: Gap, _step: Estimator) -> Row | None:
    """E1: supply was off in all of the gap; where the register gained more than was measured, its last interval did."""
    if not gap.off[gap.first : gap.after].all():
        return None
    made = np.zeros(gap.size, np.int64)
    others = gap.failed.copy()
    others[gap.first : gap.after] = False
    if gap.known.advance is not None and not others.any():
        made[-1] = max(0, gap.known.advance - int(gap.values[~gap.failed].sum()))
    return made


def _check_meter(gap: Gap, _step: Estimator) -> Row | None:
    """E2: what another meter of the same load measured, where it is valid in all of the gap."""
    if gap.known.check is None:
        return None
    values, valid = gap.known.check
    made: Row = values[gap.first : gap.after]
    return made if valid[gap.first : gap.after].all() else None


def _line(gap: Gap, _step: Estimator) -> Row | None:
    """E3: a straight line between measured values; level where one side is known; none where supply was off at both."""
    before, behind = gap.edge(gap.first - 1), gap.edge(gap.after)
    if before is None and behind is None:
        both_off = gap.beside_outage(gap.first - 1) and gap.beside_outage(gap.after)
        return np.zeros(gap.size, np.int64) if both_off else None
    start, end = (before if before is not None else behind), (behind if behind is not None else before)
    return np.array([interpolated(start or 0, end or 0, place, gap.size) for place in range(1, gap.size + 1)], np.int64)


def _like_days(gap: Gap, step: Estimator) -> Row | None:
    """E4: the mean of the nearest like days at the same time of the clock."""
    made = []
    for slot in gap.known.slots[gap.first : gap.after]:
        same = [int(values[slot]) for values, valid in gap.known.like_days if valid[slot]][: step.days]
        if not same:
            return None
        made.append(rounded(sum(same), len(same)))
    return np.array(made, np.int64)


def _profile(gap: Gap, _step: Estimator) -> Row | None:
    """E5: the shape of the class times the average use of a day."""
    if gap.known.profile is None or gap.known.daily_use is None:
        return None
    shares = gap.known.profile[np.asarray(gap.known.slots[gap.first : gap.after])]
    made: Row = np.rint(shares * gap.known.daily_use).astype(np.int64)
    return made


def _nothing(gap: Gap, _step: Estimator) -> Row:
    """E7: no use, as agreed for what is vacant."""
    return np.zeros(gap.size, np.int64)


_METHODS: dict[str, Callable[[Gap, Estimator], Row | None]] = {
    "E1": _outage,
    "E2": _check_meter,
    "E3": _line,
    "E4": _like_days,
    "E5": _profile,
    "E7": _nothing,
}

SCALED = ("E3", "E4", "E5")
"""What is a guess of the shape, and is scaled so that the day agrees with the register."""


def _scale(values: Row, methods: list[str], advance: int) -> Scaling:
    """E6: only estimates are scaled; a target below zero is not reached, since something else is wrong."""
    places = [place for place, method in enumerate(methods) if method in SCALED]
    if not places:
        return Scaling.NO_REGISTER
    target = advance - int(values.sum()) + int(values[places].sum())
    if target < 0:
        return Scaling.UNSCALED
    values[places] = shared_out(target, [int(value) for value in values[places]])
    return Scaling.DONE


def interpolated(before: int, behind: int, place: int, count: int) -> int:
    """The ``place``-th of ``count`` values on the line between two, x_k = a + (b - a) k / (n + 1)."""
    return before + rounded((behind - before) * place, count + 1)


def rounded(number: int, by: int) -> int:
    """``number / by`` to the nearest whole number, halves up."""
    return (2 * number + by) // (2 * by)


def shared_out(total: int, weights: Sequence[int]) -> list[int]:
    """``total`` in whole parts as ``weights`` are, without a rest: the largest remainders get one more.

    Of equal remainders the first one does. Equal parts where all weights are 0. No number is negative.
    """
    whole = sum(weights)
    by = list(weights) if whole else [1] * len(weights)
    whole = whole or len(weights)
    parts = [total * each // whole for each in by]
    rest = total - sum(parts)
    for place in sorted(range(len(by)), key=lambda place: (-(total * by[place] % whole), place))[:rest]:
        parts[place] += 1
    return parts


def _gaps(failed: Mask, off: Mask) -> Iterator[tuple[int, int]]:
    """Where gaps begin and end; one that an outage is only a part of is several."""
    state = np.where(failed, 1 + off.astype(np.int8), 0)
    edges = np.flatnonzero(np.diff(np.concatenate(([0], state, [0]))))
    yield from ((int(first), int(after)) for first, after in pairwise(edges) if state[first])
