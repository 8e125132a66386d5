"""Two results side by side: is one of them better, or do they differ by no more than runs differ anyway?

Rounds are few and not normal, so no mean and no t-test: the ratio of medians with a bootstrap interval, and the rank
test of Mann and Whitney by counting all orders. On shared machines rounds move by 20 per cent, so less than that is no
difference, whatever the tests say.
"""

import statistics
from collections.abc import Sequence
from itertools import combinations

import numpy as np
from msgspec import Struct

from loadtest.results import Result
from loadtest.rounds import Round
from shared.fleet.chance import Purpose, bits, keys

NOISE = 0.2
"""Differences up to this share are nothing."""

LIKELIHOOD = 0.1
"""A difference that chance makes more often than this is none; three rounds against three reach exactly this."""

_DRAWS = 2000


class Difference(Struct, frozen=True, kw_only=True):
    """One figure of two results.

    Attributes:
        first, second: medians.
        ratio: second to first.
        low, high: the 95 per cent interval of the ratio.
        likelihood: how often chance alone orders rounds like this.
        verdict: ``better``, ``worse``, ``the same`` or ``not known``.
    """

    first: float
    second: float
    ratio: float
    low: float
    high: float
    likelihood: float
    verdict: str


class Comparison(Struct, frozen=True, kw_only=True):
    """Two results.

    Attributes:
        comparable: why not, if they are not: another scenario, another durability, a run that is not valid.
        differences: by figure.
    """

    first: str
    second: str
    comparable: tuple[str, ...]
    differences: dict[str, Difference]

    @property
    def verdict(self) -> str:
        """``worse`` when anything is, else ``better`` when anything is, else ``the same``."""
        if self.comparable:
            return "not comparable"
        verdicts = {each.verdict for each in self.differences.values()}
        return next((each for each in ("worse", "better", "not known") if each in verdicts), "the same")


def compare(first: Result, second: Result) -> Comparison:
    """Hold ``second`` against ``first``."""
    against = []
    if first.scenario != second.scenario:
        against.append(f"scenario {first.scenario} and {second.scenario}")
    against += [
        f"{name} {first.environment.get(name)} and {second.environment.get(name)}"
        for name in ("sync_interval", "postgres_synchronous_commit", "cores", "cpu")
        if first.environment.get(name) != second.environment.get(name)
    ]
    against += [f"{each.name} is not valid: {each.reasons[0]}" for each in (first, second) if not each.valid]
    found = {
        "readings_per_s": _held([r.readings_per_s for r in first.rounds], [r.readings_per_s for r in second.rounds])
    }
    ratios = [[r.ratio_to_raw_limit for r in each.rounds if r.ratio_to_raw_limit] for each in (first, second)]
    if all(ratios):
        found["ratio_to_raw_limit"] = _held(*([float(value or 0) for value in each] for each in ratios))
    for load in first.settings.loads:
        if all(load.name in each.rounds[0].loads for each in (first, second)):
            latencies = [_p99(each.rounds, load.name) for each in (first, second)]
            found[f"p99_ms of {load.name}"] = _held(*latencies, less_is_better=True)
    return Comparison(first=first.name, second=second.name, comparable=tuple(against), differences=found)


def _p99(rounds: Sequence[Round], load: str) -> list[float]:
    return [each.loads[load].acknowledged["p99"] for each in rounds]


def _held(first: Sequence[float], second: Sequence[float], *, less_is_better: bool = False) -> Difference:
    before, after = statistics.median(first), statistics.median(second)
    ratio = after / before if before else float("inf") if after else 1.0
    low, high = _interval(first, second)
    likelihood = rank_test(first, second)
    gain = 1 / ratio if less_is_better and ratio else ratio
    if abs(ratio - 1) <= NOISE:
        verdict = "the same"
    elif likelihood > LIKELIHOOD or low <= 1 <= high:
        verdict = "not known"
    else:
        verdict = "better" if gain > 1 else "worse"
    return Difference(
        first=round(before, 4),
        second=round(after, 4),
        ratio=round(ratio, 4),
        low=round(low, 4),
        high=round(high, 4),
        likelihood=round(likelihood, 4),
        verdict=verdict,
    )


def rank_test(first: Sequence[float], second: Sequence[float]) -> float:
    """How likely two samples of one kind are ordered at least as unevenly as these (two-sided, exact for few values).

    Mann and Whitney's U, by counting all ways of dealing the values; equal values count as half.
    """
    both = [*first, *second]
    if len(both) > 16:  # noqa: PLR2004 more orders than can be counted, and more than rounds there ever are
        both, first = [*first[:8], *second[:8]], first[:8]
    middle = len(first) * (len(both) - len(first)) / 2

    def unevenness(chosen: Sequence[int]) -> float:
        mine = set(chosen)
        ours = [both[place] for place in chosen]
        others = [value for place, value in enumerate(both) if place not in mine]
        return abs(sum((a > b) + (a == b) / 2 for a in ours for b in others) - middle)

    seen = unevenness(range(len(first)))
    deals = [unevenness(chosen) for chosen in combinations(range(len(both)), len(first))]
    return sum(each >= seen for each in deals) / len(deals)


def _interval(first: Sequence[float], second: Sequence[float]) -> tuple[float, float]:
    """The 95 per cent interval of the ratio of medians, by drawing rounds again; the draws are always the same."""
    draws = bits(keys(1, Purpose.READ, np.arange(_DRAWS))[:, None], np.arange(len(first) + len(second))[None, :])
    before = np.median(np.array(first)[(draws[:, : len(first)] % np.uint64(len(first))).astype(int)], axis=1)
    after = np.median(np.array(second)[(draws[:, len(first) :] % np.uint64(len(second))).astype(int)], axis=1)
    ratios = after / np.maximum(before, 1e-12)
    low, high = np.percentile(ratios, [2.5, 97.5])
    return float(low), float(high)
