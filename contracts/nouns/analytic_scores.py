"""AnalyticScores: how healthy an asset is, and what its failure would cost.

IEC 61968-4:2019 has profiles of analytics results, whose names are not public; the noun is our proposal; no public copy
of the profile was found. 61968-style: written from the public class model by the ordering rule, not verified against
the published profile [P]. The namespace is our proposal. Classes: AnalyticScore, HealthScore, RiskScore and Analytic.

Ours: everything that a score needs to be counted again (``codeVersion``, ``dataCutOff``, ``inputsHash``,
``parameterSet``), its ``band``, the probability of failure and the outlook. The literals of the kinds are from general
knowledge of the class model [GK].
"""

from decimal import Decimal
from enum import StrEnum

from msgspec import Struct, field

from contracts.types import Instant, Name, ObjectReference, attribute

NAMESPACE = "http://iec.ch/TC57/2019/AnalyticScores#"

Money = Decimal
"""Money in the currency that the utility works in."""

PerCent = float
"""Per cent."""


class AnalyticKind(StrEnum):
    """What an analytic finds out."""

    AGING_ANALYTIC = "agingAnalytic"
    HEALTH_ANALYTIC = "healthAnalytic"
    OTHER = "other"
    REPLACEMENT_ANALYTIC = "replacementAnalytic"
    RISK_ANALYTIC = "riskAnalytic"


class ScaleKind(StrEnum):
    """How the values of an analytic lie between its best and its worst one."""

    EXPONENTIAL = "exponential"
    LINEAR = "linear"
    OTHER = "other"


class RiskScoreKind(StrEnum):
    """Who or what bears the consequences of a failure."""

    CUSTOMER_SERVICE = "customerService"
    ENVIRONMENTAL = "environmental"
    FINANCIAL = "financial"
    SAFETY = "safety"


class Analytic(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The method; no two scores compare without its best and its worst value, since some count up to bad."""

    mrid: str | None = None
    best_value: float
    kind: AnalyticKind
    scale_kind: ScaleKind | None = None
    worst_value: float | None = None
    names: tuple[Name, ...] = field(name="Names", default=())


class Consequence(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """What a failure costs in one respect, and the risk that follows, a year."""

    cost: Money
    kind: RiskScoreKind
    risk: Money


class Outlook(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The score, and the probability of failure in per cent a year, in so many years."""

    probability_of_failure: PerCent
    value: float
    years: int


class AnalyticScore(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One score of one asset.

    ``effective_date_time`` is for when it is, ``calculation_date_time`` when it was counted, ``data_cut_off`` until
    when what was told is regarded. ``probability_of_failure`` is in per cent a year. ``value`` is the health score, or
    the risk in money a year with a Consequence for each respect.
    """

    mrid: str
    band: str | None = None
    calculation_date_time: Instant
    code_version: str
    data_cut_off: Instant
    effective_date_time: Instant
    inputs_hash: str
    parameter_set: str
    probability_of_failure: PerCent | None = None
    value: float
    analytic: Analytic = field(name="Analytic")
    asset: ObjectReference = field(name="Asset")
    consequences: tuple[Consequence, ...] = field(name="Consequences", default=())
    names: tuple[Name, ...] = field(name="Names", default=())
    outlooks: tuple[Outlook, ...] = field(name="Outlooks", default=())


class AnalyticScores(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile."""

    analytic_score: tuple[AnalyticScore, ...] = field(name="AnalyticScore", default=())
