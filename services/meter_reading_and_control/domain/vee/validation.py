"""A day is judged by a rule set: a bit for each rule that found something, and what other rules would have found."""

from collections.abc import Mapping, Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from services.meter_reading_and_control.domain.vee.days import Bits, Days, Facts, Mask
from services.meter_reading_and_control.domain.vee.rule_sets import RuleSet
from services.meter_reading_and_control.domain.vee.rules import RULES, SECOND_LOOK, Severity

BIT: Mapping[str, np.uint32] = {name: np.uint32(1 << place) for place, name in enumerate(RULES)}
"""The bit of each rule in findings."""


class Findings(Struct, frozen=True, eq=False, kw_only=True):
    """What rule sets found.

    Attributes:
        rule_sets: by which each row was judged, as id and version.
        of_intervals: bits of rules, [points x intervals].
        of_days: bits of rules that judge a day, [points].
    """

    rule_sets: Sequence[tuple[str, int]]
    of_intervals: Bits
    of_days: Bits

    @property
    def failed(self) -> Mask:
        """The intervals that are to be estimated."""
        found: Mask = (self.of_intervals & _FAILS) != 0
        return found

    @property
    def failed_days(self) -> Mask:
        """The usage points whose day waits for a person or for a register."""
        found: Mask = (self.of_days & _FAILS) != 0
        return found

    def found(self, name: str) -> Mask:
        """Where one rule found something: intervals, or days for a rule of the day."""
        found: Mask = ((self.of_days if RULES[name].of_day else self.of_intervals) & BIT[name]) != 0
        return found


_FAILS = np.uint32(sum(int(BIT[name]) for name, rule in RULES.items() if rule.severity is Severity.FAIL))


def validated(days: Days, facts: Facts, rule_set: RuleSet) -> Findings:
    """Judge a day of many usage points by ``rule_set``.

    The sum check exempts from nothing: a day whose sum is right may have a spike (metering guide 4, S 31).
    """
    of_intervals = np.zeros(days.values.shape, np.uint32)
    of_days = np.zeros(len(days.values), np.uint32)
    for name in rule_set.in_order:
        rule = RULES[name]
        found = rule.check(days, facts, **rule_set.rules[name])
        if found is not None and found.any():
            target = of_days if rule.of_day else of_intervals
            target[found] |= BIT[name]
    return Findings(rule_sets=[rule_set.key] * len(of_days), of_intervals=of_intervals, of_days=of_days)


def looked_again(days: Days, made: Mask, facts: Facts, rule_set: RuleSet) -> Findings:
    """Look at days once more when their gaps are filled, by the settings of the first look; never a third time.

    Args:
        days: with their estimates.
        made: where those are, [points x intervals]; of what was measured nothing more is said.
        facts: what is known beside them.
        rule_set: of its rules those of ``SECOND_LOOK``.
    """
    of_intervals = np.zeros(days.values.shape, np.uint32)
    of_days = np.zeros(len(days.values), np.uint32)
    for name, again in SECOND_LOOK.items():
        found = RULES[again].check(days, facts, **rule_set.rules[name]) if name in rule_set.rules else None
        if found is not None and RULES[again].of_day:
            of_days[found & made.any(axis=1)] |= BIT[again]
        elif found is not None:
            of_intervals[found & made] |= BIT[again]
    return Findings(rule_sets=[rule_set.key] * len(of_days), of_intervals=of_intervals, of_days=of_days)


def named(bits: int) -> tuple[str, ...]:
    """The names of the rules whose bits are set."""
    return tuple(name for name, bit in BIT.items() if bits & int(bit))


class Difference(Struct, frozen=True, kw_only=True):
    """What another rule set would have found of the same day.

    Attributes:
        more, fewer: intervals and days with a finding, by rule.
        estimated: intervals that would be estimated and are not; ``kept``: the other way round.
    """

    more: Mapping[str, int]
    fewer: Mapping[str, int]
    estimated: int
    kept: int


def difference(now: Findings, then: Findings) -> Difference:
    """How ``then`` differs from ``now``: the preview of a change of rules."""
    more, fewer = ({name: _count(a, b, name) for name in RULES} for a, b in ((then, now), (now, then)))
    return Difference(
        more={name: count for name, count in more.items() if count},
        fewer={name: count for name, count in fewer.items() if count},
        estimated=int((then.failed & ~now.failed).sum()),
        kept=int((now.failed & ~then.failed).sum()),
    )


def _count(of: Findings, without: Findings, name: str) -> int:
    return int((of.found(name) & ~without.found(name)).sum())


def rows(mask: Mask) -> Sequence[int]:
    """The rows in which anything is found."""
    found: NDArray[np.intp] = np.flatnonzero(mask.any(axis=1))
    return [int(each) for each in found]
