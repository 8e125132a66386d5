"""MaintenancePlans: what is to be done again and again to an asset, and when next.

Ours [P]; the class model has procedures and orders for work, and nothing that brings them up again. One plan is one
procedure on one asset with one trigger: an interval, a counter with its limit, or a health score.

``status.value`` is one of :class:`MaintenancePlanState`. Every event carries the whole plan after the change.
"""

from datetime import date
from enum import StrEnum

from msgspec import Struct, field

from contracts.nouns.procedure_types import Procedure
from contracts.types import Instant, Name, ObjectReference, Status, attribute

NAMESPACE = "urn:busbar:2026:MaintenancePlans#"


class MaintenancePlan(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One plan.

    ``call_horizon`` is how many days before ``next_due_date`` work is asked for, ``tolerance`` by how many days it may
    come earlier to be done together with another plan of the site. ``counter_type`` is the measurementType of the
    counter, ``counter_limit`` by how much it may grow. ``season_start`` and ``season_end`` are days of the year, such
    as ``04-01``. ``statutory`` plans count the interval from the day on which the work was due.
    """

    mrid: str
    call_horizon: int | None = None
    counter_limit: float | None = None
    counter_type: str | None = None
    created_date_time: Instant | None = None
    description: str | None = None
    health_score_limit: float | None = None
    interval_days: int | None = None
    interval_months: int | None = None
    last_done_date: date | None = None
    next_due_date: date | None = None
    revision_number: int | None = None
    season_end: str | None = None
    season_start: str | None = None
    statutory: bool | None = None
    tolerance: int | None = None
    asset: ObjectReference = field(name="Asset")
    names: tuple[Name, ...] = field(name="Names", default=())
    procedure: Procedure | None = field(name="Procedure", default=None)
    status: Status | None = None
    work: ObjectReference | None = field(name="Work", default=None)


class MaintenancePlans(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the noun."""

    maintenance_plan: tuple[MaintenancePlan, ...] = field(name="MaintenancePlan", default=())


class MaintenancePlanState(StrEnum):
    """Where a plan is: the values of ``MaintenancePlan.status`` (ours).

    A plan that was called waits for its work to be done, which makes it active again with a new date.
    """

    ACTIVE = "ACTIVE"
    DUE = "DUE"
    CALLED = "CALLED"
    SUSPENDED = "SUSPENDED"
    RETIRED = "RETIRED"
