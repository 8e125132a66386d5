"""ReliabilityIndices: how often and how long customers were without power.

Ours [P]; the indices are those of IEEE 1366, named as there. Every figure names the rules by which it was counted
and what was known when, so that it can be counted again.
"""

from enum import StrEnum

from msgspec import Struct, field

from contracts.types import DateTimeInterval, Instant, Name, ObjectReference, attribute

NAMESPACE = "urn:busbar:2026:ReliabilityIndices#"

Minutes = float
"""Minutes."""

PerCustomer = float
"""Times for each customer served."""


class ComparisonKind(StrEnum):
    """How many interruptions a customer of CEMI has: so many at least, or more; the editions of IEEE 1366 differ."""

    AT_LEAST = "atLeast"
    MORE_THAN = "moreThan"


class DeviationKind(StrEnum):
    """By what the sum of squares is divided for beta: by one less than the days, or by the days."""

    POPULATION = "population"
    SAMPLE = "sample"


class InterruptionKind(StrEnum):
    """Which interruptions an index counts."""

    PLANNED = "planned"
    UNPLANNED = "unplanned"


class CountingRules(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """What a utility chooses before it counts.

    ``celid_hours`` is how long an interruption of CELID is, ``cemi_interruptions`` how many CEMI asks for. A day begins
    at midnight in ``time_zone``, a name of the IANA data base.
    """

    celid_hours: float
    cemi_comparison: ComparisonKind
    cemi_interruptions: int
    deviation: DeviationKind
    time_zone: str


class ReliabilityIndex(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The indices of one period, for the whole utility or one feeder.

    ``asai`` is a share between 0 and 1, and so are ``cemi``, ``celid_s`` (one interruption of so many hours) and
    ``celid_t`` (so many hours in all). ``customer_interruptions`` and ``customer_minutes`` are the sums behind
    ``saifi`` and ``saidi``. ``t_med`` is the daily SAIDI in minutes above which a day is a major event day.

    ``data_cut_off`` is until when reports of outages counted, ``ledger_revision`` the state of the ledger that was
    counted; the same question with both has the same answer for ever. A correction is the same index with the next
    revision.
    """

    mrid: str
    asai: float | None = None
    caidi: Minutes | None = None
    celid_s: float | None = None
    celid_t: float | None = None
    cemi: float | None = None
    created_date_time: Instant | None = None
    customer_interruptions: int | None = None
    customer_minutes: float | None = None
    customers_served: int | None = None
    data_cut_off: Instant | None = None
    description: str | None = None
    interruption_kind: InterruptionKind | None = None
    ledger_revision: int | None = None
    maifi: PerCustomer | None = None
    maifi_e: PerCustomer | None = None
    major_event_days: int | None = None
    major_event_days_included: bool | None = None
    revision: int | None = None
    rule_set: str
    saidi: Minutes | None = None
    saifi: PerCustomer | None = None
    t_med: Minutes | None = None
    counting_rules: CountingRules | None = field(name="CountingRules", default=None)
    feeder: ObjectReference | None = field(name="Feeder", default=None)
    names: tuple[Name, ...] = field(name="Names", default=())
    period: DateTimeInterval


class ReliabilityIndices(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the noun."""

    reliability_index: tuple[ReliabilityIndex, ...] = field(name="ReliabilityIndex", default=())
