"""The named rules of validation as masks over a whole day of many meters (metering guide 4).

A rule says where it finds something: in intervals, [points x intervals], or in the day of a usage point, [points].
V1, V2, V3, V9 and V26 are not here: who a reading is from, whether its shape is the configured one and whether it was
there before is decided when it is taken, before it is in any block.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

import numpy as np
from msgspec import Struct

from services.meter_reading_and_control.domain.vee.days import Days, Facts, Mark, Mask

RECONNECTED_FOR_S = 7200
"""So long after an outage loads are larger than usual, and a spike is none."""


class Severity(StrEnum):
    """What follows from a finding: a failed interval is estimated, a failed day waits for a person or a register."""

    FAIL = "fail"
    WARN = "warn"


Check = Callable[..., Mask | None]


class Rule(Struct, frozen=True, kw_only=True):
    """A named rule.

    Attributes:
        code: the ReadingQuality that says it.
        severity: what follows.
        of_day: it judges the day of a usage point and not its intervals.
        check: ``check(days, facts, **settings)``, the mask; None where it knows too little to judge.
    """

    code: str
    severity: Severity
    of_day: bool
    check: Check

    @property
    def settings(self) -> Mapping[str, float]:
        """What may be set, and what counts where nothing is."""
        found: Mapping[str, float] = getattr(self.check, "__kwdefaults__", None) or {}
        return found


def _clock(days: Days, _facts: Facts) -> Mask:
    return days.marked(Mark.CLOCK)


def _sum(days: Days, facts: Facts, *, relative: float = 0.001) -> Mask | None:
    """V5: intervals and register agree within least counts, a pulse, a share, and what the reading times explain."""
    if facts.advance is None or facts.least is None:
        return None
    values = np.where(days.present, days.values, 0)
    tolerance = 2.0 * facts.least + relative * np.abs(facts.advance)
    if facts.pulse is not None:
        tolerance = tolerance + facts.pulse
    if facts.read_offset_s is not None:
        tolerance = tolerance + facts.read_offset_s / days.length.total_seconds() * values.max(axis=1, initial=0)
    found = np.abs(values.sum(axis=1) - facts.advance) > tolerance
    known = np.ones_like(found) if facts.advance_known is None else facts.advance_known
    judged: Mask = found & known & days.present.all(axis=1)
    return judged


def _tou(_days: Days, facts: Facts) -> Mask | None:
    """V6: the registers of all buckets of the tariff gained what that of the total did, within a count of each."""
    if facts.tou_sum is None or facts.tou_count is None or facts.advance is None or facts.least is None:
        return None
    judged: Mask = np.abs(facts.tou_sum - facts.advance) > (facts.tou_count + 1) * facts.least
    return judged


def _check_meter(days: Days, facts: Facts, *, relative: float = 0.01) -> Mask | None:
    """V7: main and check meter agree within a share or two counts, of the register where one is known."""
    if facts.check is None or facts.least is None:
        return None
    tolerance = np.maximum(relative * np.abs(days.values), 2 * facts.least.clip(min=1)[:, None])
    judged: Mask = days.present & (np.abs(days.values - facts.check) > tolerance)
    return judged


def _missing(days: Days, _facts: Facts) -> Mask:
    return days.marked(Mark.MISSING) & ~days.marked(Mark.ABSENT)


def _overflow(days: Days, _facts: Facts) -> Mask:
    return days.marked(Mark.OVERFLOW)


def _test_mode(days: Days, _facts: Facts) -> Mask:
    return days.marked(Mark.TEST)


def _odd_length(days: Days, _facts: Facts) -> Mask:
    return days.marked(Mark.PARTIAL | Mark.LONG) & ~days.marked(Mark.OFF)


def _odd_length_of_outage(days: Days, _facts: Facts) -> Mask:
    return days.marked(Mark.PARTIAL | Mark.LONG) & days.marked(Mark.OFF)


def _spikes(days: Days, facts: Facts, *, ratio: float, floor: float) -> Mask:
    """V13: the first, and the second with it, is more than ``ratio`` above the third highest value of the day."""
    values = np.where(days.present, days.values, np.iinfo(np.int64).min // 4)
    if values.shape[1] < 3:  # noqa: PLR2004 the rule compares with the third
        return np.zeros_like(days.present)
    third = np.partition(values, -3, axis=1)[:, -3]
    enough = third > 0
    if facts.class_mean is not None:
        enough &= third >= floor * facts.class_mean
    judged: Mask = enough[:, None] & (values - third[:, None] > ratio * third[:, None])
    return judged


def _spike(days: Days, facts: Facts, *, ratio: float = 1.8, floor: float = 0.2) -> Mask:
    return _spikes(days, facts, ratio=ratio, floor=floor) & ~_reconnected(days)


def _spike_after_outage(days: Days, facts: Facts, *, ratio: float = 1.8, floor: float = 0.2) -> Mask:
    return _spikes(days, facts, ratio=ratio, floor=floor) & _reconnected(days)


def _reconnected(days: Days) -> Mask:
    """Within the time after an outage in which loads pick up."""
    off = days.marked(Mark.OFF)
    found = off.copy()
    for shift in range(1, int(RECONNECTED_FOR_S / days.length.total_seconds()) + 1):
        found[:, shift:] |= off[:, :-shift]
    return found


def _usage(days: Days) -> Any:
    return np.where(days.present, days.values, 0).sum(axis=1)


def _unusual(
    days: Days, facts: Facts, *, high: float = 2.0, low: float = 0.5, least: float = 1000.0, estimated: float = 0.2
) -> Mask | None:
    """V14: usage of the day against the reference; no verdict by a small or estimated reference, nor in an outage."""
    if facts.reference is None:
        return None
    usage = _usage(days)
    found = (usage > high * facts.reference) | (usage < low * facts.reference)
    found &= facts.reference >= least
    if facts.reference_estimated is not None:
        found &= facts.reference_estimated <= estimated
    judged: Mask = found & ~days.marked(Mark.OFF | Mark.HELD).any(axis=1)
    return judged


def _abrupt(days: Days, _facts: Facts, *, ratio: float = 4.0) -> Mask:
    found = np.zeros_like(days.present)
    both = days.present[:, 1:] & days.present[:, :-1] & (days.values[:, :-1] != 0)
    steps = np.abs(days.values[:, 1:] - days.values[:, :-1])
    found[:, 1:] = both & (steps > ratio * np.abs(days.values[:, :-1]))
    return found


def _capacity(days: Days, facts: Facts) -> Mask | None:
    return None if facts.limit is None else days.present & (days.values > facts.limit[:, None])


def _reactive(days: Days, facts: Facts, *, counts: float = 5.0) -> Mask | None:
    """V17: reactive energy of more than some counts, of the register where one is known, beside no active one."""
    if facts.reactive is None or facts.least is None:
        return None
    judged: Mask = days.present & (days.values == 0) & (facts.reactive > counts * facts.least.clip(min=1)[:, None])
    return judged


def _zero_on_active(days: Days, facts: Facts, *, home: int = 7, business: int = 1) -> Mask | None:
    if facts.zero_days is None:
        return None
    patience = np.full(len(days.values), home)
    if facts.business is not None:
        patience = np.where(facts.business, business, home)
    found = days.present.all(axis=1) & ~days.values.any(axis=1) & (facts.zero_days + 1 >= patience)
    for excuse in (facts.inactive, facts.minimal_use_expected):
        if excuse is not None:
            found &= ~excuse
    return found & ~days.marked(Mark.OFF | Mark.HELD).any(axis=1)


def _usage_on_inactive(days: Days, facts: Facts, *, least: float = 100.0) -> Mask | None:
    return None if facts.inactive is None else facts.inactive & (_usage(days) > least)


def _negative(days: Days, _facts: Facts) -> Mask:
    return days.present & (days.values < 0)


def _reverse(_days: Days, facts: Facts, *, least: float = 50.0) -> Mask | None:
    if facts.reverse is None or facts.generation is None:
        return None
    return (facts.reverse > least) & ~facts.generation


def _frozen(days: Days, _facts: Facts, *, run: int = 12) -> Mask:
    """V22: so many intervals one after the other have the same value, and not 0."""
    found = np.zeros_like(days.present)
    count = days.values.shape[1]
    if count < run:
        return found
    same = (days.values[:, 1:] == days.values[:, :-1]) & (days.values[:, 1:] != 0)
    same &= days.present[:, 1:] & days.present[:, :-1]
    rows = np.flatnonzero(same.sum(axis=1) >= run - 1)
    if not rows.size:
        return found
    sums = np.zeros((rows.size, count), np.int32)
    np.cumsum(same[rows], axis=1, out=sums[:, 1:], dtype=np.int32)
    whole = sums[:, run - 1 :] - sums[:, : count - run + 1] == run - 1
    for shift in range(run):
        found[rows, shift : shift + whole.shape[1]] |= whole
    return found


def _device(days: Days, _facts: Facts) -> Mask:
    return days.marked(Mark.DEVICE)


def _outage_zero(days: Days, _facts: Facts) -> Mask:
    judged: Mask = days.present & days.marked(Mark.OFF) & (days.values == 0)
    return judged


def _register_fell(_days: Days, facts: Facts) -> Mask | None:
    return facts.register_fell


def _sibling(_days: Days, facts: Facts) -> Mask | None:
    return facts.siblings_missing


def _prolonged(days: Days, facts: Facts, *, most: int = 10) -> Mask | None:
    if facts.estimated_days is None:
        return None
    return days.marked(Mark.MISSING | Mark.ESTIMATED).any(axis=1) & (facts.estimated_days + 1 > most)


def _load_without_voltage(days: Days, facts: Facts, *, share: float = 0.5) -> Mask | None:
    return None if facts.voltage is None else days.present & (days.values > 0) & (facts.voltage < share)


def _rule(code: str, severity: Severity, check: Check, *, of_day: bool = False) -> Rule:
    return Rule(code=code, severity=severity, of_day=of_day, check=check)


RULES: Mapping[str, Rule] = {
    "V4": _rule("3.4.9", Severity.FAIL, _clock),
    "V5": _rule("3.6.0", Severity.FAIL, _sum, of_day=True),
    "V6": _rule("3.6.9", Severity.FAIL, _tou, of_day=True),
    "V7": _rule("3.6.0", Severity.WARN, _check_meter),
    "V8": _rule("3.5.259", Severity.FAIL, _missing),
    "V10": _rule("3.4.1", Severity.FAIL, _overflow),
    "V11": _rule("3.4.5", Severity.FAIL, _test_mode),
    "V12": _rule("3.4.2", Severity.FAIL, _odd_length),
    "V12w": _rule("3.4.2", Severity.WARN, _odd_length_of_outage),
    "V13": _rule("3.5.256", Severity.FAIL, _spike),
    "V13w": _rule("3.5.256", Severity.WARN, _spike_after_outage),
    "V14": _rule("3.6.3", Severity.WARN, _unusual, of_day=True),
    "V15": _rule("3.5.258", Severity.WARN, _abrupt),
    "V16": _rule("3.5.256", Severity.FAIL, _capacity),
    "V17": _rule("3.5.258", Severity.WARN, _reactive),
    "V18": _rule("3.6.1", Severity.WARN, _zero_on_active, of_day=True),
    "V19": _rule("3.6.2", Severity.WARN, _usage_on_inactive, of_day=True),
    "V20": _rule("3.5.257", Severity.FAIL, _negative),
    "V21": _rule("3.3.4", Severity.WARN, _reverse, of_day=True),
    "V22": _rule("3.5.258", Severity.WARN, _frozen),
    "V23": _rule("3.1.4", Severity.FAIL, _device),
    "V24": _rule("3.2.32", Severity.WARN, _outage_zero),
    "V25": _rule("3.5.257", Severity.FAIL, _register_fell, of_day=True),
    "V27": _rule("3.5.259", Severity.WARN, _sibling, of_day=True),
    "V28": _rule("3.8.0", Severity.WARN, _prolonged, of_day=True),
    "V30": _rule("3.3.3", Severity.WARN, _load_without_voltage),
    "V5e": _rule("3.6.0", Severity.WARN, _sum, of_day=True),
    "V16e": _rule("3.5.256", Severity.WARN, _capacity),
    "V20e": _rule("3.5.257", Severity.WARN, _negative),
}
"""The rules that judge a day, by name; V12w and V13w are what V12 and V13 find where an outage explains it.

V5e, V16e and V20e are what V5, V16 and V20 find of estimates: they look once, and nothing is estimated anew for it.

Findings are kept as bits by their place here, so a new rule is put at the end and none is ever taken out."""

ORDER = (
    ("V23", "V11", "V10", "V4", "V12", "V12w"),
    ("V8", "V24"),
    ("V20", "V25", "V16"),
    ("V5", "V6", "V7"),
    ("V13", "V13w", "V15", "V22", "V17"),
    ("V18", "V19", "V21", "V14", "V27", "V28", "V30"),
)
"""The order of the guide: what the device says, completeness, range, sums, shape, use."""

SECOND_LOOK: Mapping[str, str] = {"V20": "V20e", "V16": "V16e", "V5": "V5e"}
"""The rules that look once more when gaps are filled, and under what name they tell what they find (guide 4)."""
