"""ReliabilityIndices: how often and how long customers were without power.

Ours [P]; the indices are those of IEEE 1366, named as there. Every figure names the rules by which it was counted
and what was known when, so that it can be counted again.
"""

from msgspec import Struct, field

from contracts.types import DateTimeInterval, Instant, Name, ObjectReference, attribute

NAMESPACE = "urn:busbar:2026:ReliabilityIndices#"

Minutes = float
"""Minutes."""

PerCustomer = float
"""Times for each customer served."""


class ReliabilityIndex(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The indices of one period, for the whole utility or one feeder.

    ``asai`` is a share between 0 and 1; ``t_med`` is the daily SAIDI in minutes above which a day is a major event day;
    ``data_cut_off`` is until when reports of outages counted. A correction is the same index with the next revision.
    """

    mrid: str
    asai: float | None = None
    caidi: Minutes | None = None
    created_date_time: Instant | None = None
    customers_served: int | None = None
    data_cut_off: Instant | None = None
    description: str | None = None
    maifi: PerCustomer | None = None
    maifi_e: PerCustomer | None = None
    major_event_days: int | None = None
    major_event_days_included: bool | None = None
    revision: int | None = None
    rule_set: str
    saidi: Minutes | None = None
    saifi: PerCustomer | None = None
    t_med: Minutes | None = None
    feeder: ObjectReference | None = field(name="Feeder", default=None)
    names: tuple[Name, ...] = field(name="Names", default=())
    period: DateTimeInterval


class ReliabilityIndices(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the noun."""

    reliability_index: tuple[ReliabilityIndex, ...] = field(name="ReliabilityIndex", default=())
