"""From what is known of an asset to its scores: health, probability of failure, criticality and risk.

A score is a function of its :class:`Inputs` and of the rules, so whoever has the inputs of a score can count it again.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from msgspec import Struct

from services.asset_management.domain import classes, gases, health
from services.asset_management.domain.classes import Class, Costs
from services.asset_management.domain.gases import Sample
from services.asset_management.domain.health import Health, Modifier

RULES = "1"
"""The version of these rules; it grows when the same inputs give other scores."""

PARAMETERS = f"{classes.VERSION}; bands {classes.BAND_VERSION}; {gases.VERSION}"

HORIZONS = (5, 10, 20)
"""The years for which health is forecast."""

YEAR_DAYS = 365.25


class Observation(Struct, frozen=True, kw_only=True):
    """What was seen or measured of one thing, in words or as a number; the newest counts."""

    name: str
    at: datetime
    word: str | None = None
    number: float | None = None


class Inputs(Struct, frozen=True, kw_only=True):
    """Everything that the scores of an asset follow from.

    Attributes:
        asset_type: the word by which its class is found.
        made_on: when it was made, or else first built in; None where nobody knows, and then there is no score.
        at: for when the scores are.
        known_at: until when what was told is regarded.
        customers: who depends on its position; None where it has none.
        length_m: of a line or cable, in metres; None where the model does not say.
        observations: the newest of each name.
        samples: of oil, since it was last degassed.
    """

    asset_type: str | None
    made_on: date | None
    at: datetime
    known_at: datetime
    customers: int | None = None
    length_m: float | None = None
    observations: tuple[Observation, ...] = ()
    samples: tuple[Sample, ...] = ()


class Outlook(Struct, frozen=True, kw_only=True):
    """Health and failures in so many years."""

    years: int
    score: float
    failure_rate: float


class Assessment(Struct, frozen=True, kw_only=True):
    """The scores of an asset.

    Attributes:
        failure_rate: probability of failure in per cent a year.
        costs: what a failure costs.
        criticality: its band, against the reference of its class.
        risk: failure rate times costs, money a year.
    """

    class_name: str
    age: float
    health: Health
    band: str
    failure_rate: float
    outlook: tuple[Outlook, ...]
    costs: Costs
    criticality: str
    risk: Costs


def assess(known: Inputs) -> Assessment | None:
    """The scores that follow from what is known; None without a published class or an age."""
    kind = classes.class_of(known.asset_type)
    if kind is None or known.made_on is None:
        return None
    said = {each.name: each for each in known.observations}
    age = max((known.at.date() - known.made_on).days, 0) / YEAR_DAYS
    life = health.expected_life(_normal_life(kind, known.made_on), duty(kind, said), _number(said, "locationFactor", 1))
    now = health.health(life, age, modifier(kind, said, known.samples), _number(said, "reliabilityFactor", 1))
    size = (known.length_m or 1000.0) / 1000 if kind.per_kilometre else 1.0
    rate = health.failure_rate(kind.k, now.score) * size
    cost = costs(kind, said, known.customers)
    return Assessment(
        class_name=kind.name,
        age=age,
        health=now,
        band=health.band(now.score, classes.BAND_VERSION),
        failure_rate=rate,
        outlook=tuple(_outlook(kind, now, age, years, size) for years in HORIZONS),
        costs=cost,
        criticality=criticality(cost.total / kind.costs.total),
        risk=Costs(*(rate / 100 * each for each in cost)),
    )


def _outlook(kind: Class, now: Health, age: float, years: int, size: float) -> Outlook:
    score = health.forecast(now, age, years)
    return Outlook(years=years, score=score, failure_rate=health.failure_rate(kind.k, score) * size)


def _normal_life(kind: Class, made_on: date) -> float:
    if kind.year is not None and kind.life_before is not None and made_on.year < kind.year:
        return kind.life_before
    return kind.life


def duty(kind: Class, said: Mapping[str, Observation]) -> float:
    """The factor of duty, from the highest load in per cent or from how often it operates."""
    if kind.duty == "transformer":
        load = said.get("maximumLoad")
        if load is None or load.number is None:
            return 1.0
        return next((f for most, f in classes.DUTY_BY_LOAD if load.number <= most), classes.DUTY_OVERLOADED)
    if kind.duty == "operations" and _word(said, "operations") == "often":
        return classes.DUTY_OFTEN
    return 1.0


def modifier(kind: Class, said: Mapping[str, Observation], samples: Sequence[Sample]) -> Modifier:
    """What the condition of an asset does to its health score."""
    observed = health.merged(_said_of(kind.observed, said), kind.most_observed)
    tests = _said_of(kind.measured, said)
    oil = oil_modifier(said) if kind.oil else None
    if kind.gases:
        parts = [observed, health.merged(tests, kind.most_measured), oil or Modifier(), gases.gas_modifier(samples)]
        return health.merged(parts, len(parts))
    measured = health.merged([*tests, *([oil] if oil is not None else [])], kind.most_measured)
    return Modifier(
        health.score_factor(observed.factor, measured.factor),
        min(observed.cap, measured.cap),
        max(observed.collar, measured.collar),
    )


def _said_of(tables: Mapping[str, classes.Words], said: Mapping[str, Observation]) -> list[Modifier]:
    """The modifiers of what was said; a word that a table does not have counts as not said."""
    words = {name: _word(said, name) for name in tables}
    return [tables[name][word] for name, word in words.items() if word is not None and word in tables[name]]


def oil_modifier(said: Mapping[str, Observation]) -> Modifier | None:
    """What a test of the oil does; None where none was made."""
    tested = {name: said[name].number for name in classes.OIL_SCORES if name in said}
    scores = [
        classes.OIL_WEIGHTS[name] * next(points for most, points in classes.OIL_SCORES[name] if number <= most)
        for name, number in tested.items()
        if number is not None
    ]
    if not scores:
        return None
    total = sum(scores)
    factor, collar = next((factor, collar) for most, factor, collar in classes.OIL_FACTORS if total <= most)
    return Modifier(factor, collar=collar)


def costs(kind: Class, said: Mapping[str, Observation], customers: int | None) -> Costs:
    """What a failure costs: the reference costs of the class, each times the factors of this asset and its place."""
    access = classes.ACCESS.get(_word(said, "access") or "normal", 1.0)
    place, sort = (_rating(said, name) for name in ("locationRisk", "typeRisk"))
    water = said.get("distanceToWater")
    proximity = 1.0
    if water is not None and water.number is not None:
        proximity = next(factor for most, factor in classes.WATER if water.number < most)
    bunded = classes.BUNDED.get(_word(said, "bunded") or "no", 1.0)
    power = _number(said, "ratedPower", classes.SMALL_KVA)
    size = classes.SMALL if kind.duty == "transformer" and power < classes.SMALL_KVA else 1.0
    served = customers / kind.customers if customers is not None and kind.customers else 1.0
    return Costs(
        financial=kind.costs.financial * access,
        safety=kind.costs.safety * classes.SAFETY[place][sort],
        environmental=kind.costs.environmental * proximity * bunded * size,
        network=kind.costs.network * served,
    )


def criticality(share: float) -> str:
    """The band of what a failure costs, as a share of the average of the class."""
    return next(name for name, least in reversed(classes.CRITICALITY) if share >= least)


def _rating(said: Mapping[str, Observation], name: str) -> int:
    word = _word(said, name)
    return classes.RATINGS.index(word) if word in classes.RATINGS else 1


def _word(said: Mapping[str, Observation], name: str) -> str | None:
    found = said.get(name)
    return None if found is None or found.word is None else found.word.strip().lower()


def _number(said: Mapping[str, Observation], name: str, otherwise: float) -> float:
    found = said.get(name)
    return otherwise if found is None or found.number is None else found.number
