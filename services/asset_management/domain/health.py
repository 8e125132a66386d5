"""Health score and probability of failure by the formulae of CNAIM v2.1 (Ofgem, 1 April 2021; planning guide, 1.3).

A health score counts up to bad: 0.5 is new, 10 the worst that is seen today, 15 the worst that is forecast. The
formulae are of sections 6.1 to 6.8 of the methodology. Health scores below 4 have the probability of failure of 4, now
as in the future; the public R package does so for the future only.
"""

from collections.abc import Mapping, Sequence
from math import exp, inf, log
from typing import NamedTuple

from msgspec import Struct

NEW = 0.5
EXPECTED = 5.5
"""The health score at the end of the expected life, and the most that age alone makes."""
WORST = 10.0
WORST_FORECAST = 15.0

C = 1.087
"""The constant of the curve of failures, for all classes (table 21)."""
FLOOR = 4.0
"""The health score below which the probability of failure does not fall (table 21)."""

DIVIDER = 1.5
"""Both factor dividers, wherever factors are combined (tables 9 to 11, 13 and 15)."""

RELIABILITY = (0.6, 1.5)
"""The least and the most that a reliability modifier may be."""


class Modifier(NamedTuple):
    """What a condition does to the health score: a factor, the most and the least that remains possible."""

    factor: float = 1.0
    cap: float = WORST
    collar: float = NEW


class Band(NamedTuple):
    """A band of health scores, from ``least`` on."""

    name: str
    least: float


BANDS: Mapping[str, Sequence[Band]] = {
    "v1.1": (Band("HI1", 0.5), Band("HI2", 4.0), Band("HI3", 5.5), Band("HI4", 6.5), Band("HI5", 8.0)),
    "v2.1": (Band("HI1", 0.5), Band("HI2", 3.0), Band("HI3", 5.5), Band("HI4", 6.5), Band("HI5", 8.0)),
}
"""The bands by version of the methodology (table 5): in v1.1 the first one reached to 4."""


class Health(Struct, frozen=True, kw_only=True):
    """The health of an asset now.

    Attributes:
        initial: what age alone makes.
        rate: the ageing rate that follows from the expected life, a year.
        factor, cap, collar: what its condition does to it.
        score: the health score.
    """

    initial: float
    rate: float
    factor: float
    cap: float
    collar: float
    score: float


def expected_life(normal: float, duty: float, location: float) -> float:
    """The expected life in years, from the normal one and the factors of duty and location."""
    return normal / (duty * location)


def ageing_rate(life: float) -> float:
    """The rate at which health worsens from new to the end of a life of so many years."""
    return log(EXPECTED / NEW) / life


def initial_score(rate: float, age: float) -> float:
    """What age in years makes of a new asset."""
    return min(EXPECTED, NEW * exp(rate * age))


def combined(factors: Sequence[float], most: int) -> float:
    """Factors as one, by the technique of maximum and multiple increment (MMI).

    Above 1 the worst counts in full and the next ones by a part of what they exceed 1, ``most`` factors in all; where
    none is above 1, the best counts and the next one by a part of what it lacks.
    """
    if not factors:
        return 1.0
    bad = sorted((factor for factor in factors if factor > 1), reverse=True)
    if bad:
        return bad[0] + sum(factor - 1 for factor in bad[1:most]) / DIVIDER
    good = sorted(factors)
    second = good[1] if len(good) > 1 else 1.0
    return good[0] + (second - 1) / DIVIDER


def merged(modifiers: Sequence[Modifier], most: int) -> Modifier:
    """Several modifiers as one: factors combined, the lowest cap, the highest collar."""
    return Modifier(
        combined([each.factor for each in modifiers], most),
        min((each.cap for each in modifiers), default=WORST),
        max((each.collar for each in modifiers), default=NEW),
    )


def score_factor(observed: float, measured: float) -> float:
    """The factor from what was seen and what was measured (table 9; all but transformers of 33 kV and more)."""
    worse, better = max(observed, measured), min(observed, measured)
    if better > 1:
        return worse + (better - 1) / DIVIDER
    if worse > 1:
        return worse
    return better + (worse - 1) / DIVIDER


def health(life: float, age: float, modifier: Modifier, reliability: float = 1.0) -> Health:
    """The health of an asset of an age in years with an expected life; the cap is applied before the collar."""
    rate = ageing_rate(life)
    initial = initial_score(rate, age)
    least, most = RELIABILITY
    score = initial * modifier.factor * min(max(reliability, least), most)
    score = max(min(score, modifier.cap), modifier.collar)
    return Health(
        initial=initial,
        rate=rate,
        factor=modifier.factor,
        cap=modifier.cap,
        collar=modifier.collar,
        score=min(max(score, NEW), WORST),
    )


def failure_rate(k: float, score: float) -> float:
    """The probability of failure in per cent a year, for an asset or a kilometre, at a health score."""
    x = C * max(score, FLOOR)
    return k * (1 + x + x**2 / 2 + x**3 / 6)


def forecast(now: Health, age: float, years: float) -> float:
    """The health score in so many years."""
    if now.score <= NEW:
        rate = now.rate
    else:
        seen = log(now.score / NEW) / age if age > 0 else inf
        rate = min(seen, 2 * now.rate)
    return min(WORST_FORECAST, now.score * exp(rate * years / _reduction(now.score)))


def _reduction(score: float) -> float:
    """By how much ageing slows as health worsens (table 216)."""
    return min(max(1 + (score - 2) / 7, 1.0), 1.5)


def band(score: float, version: str = "v2.1") -> str:
    """The band that a health score falls into; its last character is the number of the band."""
    return next(each.name for each in reversed(BANDS[version]) if score >= each.least or each.least <= NEW)
