"""What gases dissolved in the oil of a transformer say (planning guide, 1.4).

The diagnosis is that of the ratios of IEC 60599, the status that of IEEE C57.104-2019, the modifier that of CNAIM v2.1.
All numbers are second-hand: the ratios and the typical values from public tools that cite the standards, the limits of
change and rate of C57.104 from general knowledge. Gas is in microlitres per litre (ppm by volume).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from services.asset_management.domain.health import WORST, Modifier

VERSION = "IEC 60599:2015, IEEE C57.104-2019 (age not regarded)"

FAULT_GASES = ("H2", "CH4", "C2H6", "C2H4", "C2H2")
GASES = (*FAULT_GASES, "CO", "CO2", "O2", "N2")

Values = Mapping[str, float]

TYPICAL: Values = {"H2": 150, "CH4": 130, "C2H6": 90, "C2H4": 280, "C2H2": 20, "CO": 600, "CO2": 14000}
"""IEC 60599: 90 % of transformers are below; without communicating tap changer."""
TYPICAL_C2H2_COMMUNICATING = 280.0

NOTHING = "within typical values, no diagnosis"
UNDETERMINED = "undetermined"


class Sample(Struct, frozen=True, kw_only=True):
    """The gases of one sample of oil; what was not measured is left out."""

    taken_at: datetime
    gases: dict[str, float]


class Ratios(Struct, frozen=True, kw_only=True):
    """The ratios of IEC 60599; None where the denominator is zero or missing, which is not zero."""

    r1: float | None
    """CH4 to H2."""
    r2: float | None
    """C2H2 to C2H4."""
    r5: float | None
    """C2H4 to C2H6."""


class Diagnosis(Struct, frozen=True, kw_only=True):
    """The faults that the ratios fit; D1 and D2 overlap, so there may be two, and none where nothing fits."""

    ratios: Ratios
    faults: tuple[str, ...]
    text: str


def ratios(gases: Values) -> Ratios:
    """The ratios of a sample."""
    return Ratios(
        r1=_ratio(gases, "CH4", "H2"),
        r2=_ratio(gases, "C2H2", "C2H4"),
        r5=_ratio(gases, "C2H4", "C2H6"),
    )


def diagnose(gases: Values, *, communicating: bool = False) -> Diagnosis:
    """The diagnosis of IEC 60599; only where a gas exceeds its typical value, since small ratios are noise."""
    found = ratios(gases)
    typical = {**TYPICAL, "C2H2": TYPICAL_C2H2_COMMUNICATING} if communicating else TYPICAL
    if not any(gases.get(gas, 0.0) > typical[gas] for gas in FAULT_GASES):
        return Diagnosis(ratios=found, faults=(), text=NOTHING)
    faults = tuple(_faults(found))
    missing = [name for name, value in (("R1", found.r1), ("R2", found.r2), ("R5", found.r5)) if value is None]
    text = " or ".join(faults) or UNDETERMINED
    if missing:
        text += f"; {', '.join(missing)} not applicable"
    return Diagnosis(ratios=found, faults=faults, text=text)


def _ratio(gases: Values, above: str, below: str) -> float | None:
    one, other = gases.get(above), gases.get(below)
    return None if one is None or other is None or other == 0 else one / other


def _faults(found: Ratios) -> list[str]:
    """All codes whose conditions hold; a ratio that is not applicable fulfils none."""
    r1, r2, r5 = found.r1, found.r2, found.r5
    table = {
        "PD": _below(r1, 0.1) and _below(r5, 0.2),
        "D1": _above(r2, 1) and _within(r1, 0.1, 0.5) and _above(r5, 1),
        "D2": _within(r2, 0.6, 2.5) and _within(r1, 0.1, 1) and _above(r5, 2),
        "T1": _above(r1, 1) and _below(r5, 1),
        "T2": _below(r2, 0.1) and _above(r1, 1) and _within(r5, 1, 4),
        "T3": _below(r2, 0.2) and _above(r1, 1) and _above(r5, 4),
    }
    return [fault for fault, fits in table.items() if fits]


def _below(value: float | None, limit: float) -> bool:
    return value is not None and value < limit


def _above(value: float | None, limit: float) -> bool:
    return value is not None and value > limit


def _within(value: float | None, least: float, most: float) -> bool:
    return value is not None and least <= value <= most


class Limits(Struct, frozen=True, kw_only=True):
    """The limits of IEEE C57.104 for one range of oxygen to nitrogen.

    Attributes:
        p90, p95: typical values.
        change: how much more than in the sample before.
        rate: how much more a year, over a time of 4 to 24 months.
    """

    p90: Values
    p95: Values
    change: Values
    rate: Values


_KEYS = ("H2", "CH4", "C2H6", "C2H4", "C2H2", "CO", "CO2")


def _values(*numbers: float) -> Values:
    return dict(zip(_KEYS, numbers, strict=True))


SEALED = Limits(
    p90=_values(80, 90, 90, 50, 1, 900, 9000),
    p95=_values(200, 150, 175, 100, 2, 1100, 12500),
    change=_values(40, 30, 25, 20, 0, 250, 2500),
    rate=_values(20, 10, 9, 7, 0, 100, 1000),
)
"""Oxygen is at most a fifth of nitrogen."""

BREATHING = Limits(
    p90=_values(40, 20, 15, 50, 2, 500, 5000),
    p95=_values(90, 50, 40, 100, 7, 600, 7000),
    change=_values(25, 10, 7, 20, 0, 175, 1750),
    rate=_values(10, 3, 2, 5, 0, 80, 800),
)
"""There is more oxygen than that."""

STRICTER = Limits(
    **{
        name: {gas: min(getattr(SEALED, name)[gas], getattr(BREATHING, name)[gas]) for gas in _KEYS}
        for name in ("p90", "p95", "change", "rate")
    }
)
"""Where oxygen or nitrogen was not measured the lower limit of the two counts for each gas."""

SHARE = 0.2
SHORTEST, LONGEST = timedelta(days=120), timedelta(days=730)
LEAST_SAMPLES = 3


class Status(Struct, frozen=True, kw_only=True):
    """The status of IEEE C57.104 with what it follows from.

    Attributes:
        number: 1 sample yearly, 2 sample again and watch the trend, 3 sample again at once and tell.
        reasons: what exceeded which limit; for status 1 nothing.
        assumed: what was missing and how that was taken.
    """

    number: int
    reasons: tuple[str, ...]
    assumed: str | None


ACTIONS = {1: "sample again in a year", 2: "sample again and watch the trend", 3: "sample again at once"}


def status(samples: Sequence[Sample]) -> Status:
    """The status that the newest of ``samples`` has, seen from those before it since the oil was last degassed.

    Args:
        samples: at least one, in any order.
    """
    *older, newest = sorted(samples, key=lambda each: each.taken_at)
    limits, assumed = _limits(newest.gases)
    over = [_exceeds(newest.gases, limits.p95, "the 95 % value")]
    over.append(_exceeds(_rates([*older, newest]), limits.rate, "the rate"))
    reasons = [reason for each in over for reason in each]
    if reasons:
        return Status(number=3, reasons=tuple(reasons), assumed=assumed)
    reasons = _exceeds(newest.gases, limits.p90, "the 90 % value")
    if older:
        before = older[-1].gases
        grown = {gas: value - before[gas] for gas, value in newest.gases.items() if gas in before}
        reasons += _exceeds(grown, limits.change, "the change")
    return Status(number=2 if reasons else 1, reasons=tuple(reasons), assumed=assumed)


def _limits(gases: Values) -> tuple[Limits, str | None]:
    oxygen, nitrogen = gases.get("O2"), gases.get("N2")
    if oxygen is None or not nitrogen:
        return STRICTER, "O2 or N2 was not measured: for each gas the stricter limit counts"
    return (SEALED if oxygen / nitrogen <= SHARE else BREATHING), None


def _exceeds(values: Values, limits: Values, what: str) -> list[str]:
    return [
        f"{gas} {values[gas]:g} exceeds {what} {limits[gas]:g}"
        for gas in _KEYS
        if gas in values and values[gas] > limits[gas]
    ]


def _rates(samples: Sequence[Sample]) -> Values:
    """How fast each gas grows a year, by the line of least squares through three samples or more."""
    newest = samples[-1].taken_at
    recent = [each for each in samples if newest - each.taken_at <= LONGEST]
    if len(recent) < LEAST_SAMPLES or newest - recent[0].taken_at < SHORTEST:
        return {}
    return {gas: _slope(recent, gas) for gas in _KEYS if all(gas in each.gases for each in recent)}


def _slope(samples: Sequence[Sample], gas: str) -> float:
    year = timedelta(days=365.25)
    times = [(each.taken_at - samples[0].taken_at) / year for each in samples]
    values = [each.gases[gas] for each in samples]
    mean_time, mean = sum(times) / len(times), sum(values) / len(values)
    above = sum((time - mean_time) * (value - mean) for time, value in zip(times, values, strict=True))
    return above / sum((time - mean_time) ** 2 for time in times)


_INF = float("inf")
CNAIM_STATES: Mapping[str, Sequence[tuple[float, int]]] = {  # tables 208 to 212: up to ppm, the condition state
    "H2": ((20, 0), (40, 2), (100, 4), (200, 10), (_INF, 16)),
    "CH4": ((10, 0), (20, 2), (50, 4), (150, 10), (_INF, 16)),
    "C2H4": ((10, 0), (20, 2), (50, 4), (150, 10), (_INF, 16)),
    "C2H6": ((10, 0), (20, 2), (50, 4), (150, 10), (_INF, 16)),
    "C2H2": ((1, 0), (5, 2), (20, 4), (100, 8), (_INF, 10)),
}
CNAIM_WEIGHTS = {"H2": 50, "CH4": 30, "C2H4": 30, "C2H6": 30, "C2H2": 120}
CNAIM_CHANGES = ((-5.0, 0.9), (5.0, 1.0), (25.0, 1.1), (100.0, 1.2), (_INF, 1.5))
"""Up to a change of the score in per cent against the sample before, the factor (tables 213 and 214)."""


def gas_score(gases: Values) -> float:
    """The score of CNAIM that the collar follows from."""
    return sum(
        weight * next(state for most, state in CNAIM_STATES[gas] if gases.get(gas, 0.0) <= most)
        for gas, weight in CNAIM_WEIGHTS.items()
    )


def gas_modifier(samples: Sequence[Sample]) -> Modifier:
    """What the gases of a transformer do to its health score; without a sample nothing."""
    ordered = sorted(samples, key=lambda each: each.taken_at)
    if not ordered:
        return Modifier()
    score = gas_score(ordered[-1].gases)
    factor = 1.0
    if len(ordered) > 1:
        before = gas_score(ordered[-2].gases)
        change = (score / before - 1) * 100 if before else (0.0 if score == 0 else _INF)
        factor = next(each for most, each in CNAIM_CHANGES if change <= most)
    return Modifier(factor, WORST, min(max(score / 220, 1.0), 7.0))
