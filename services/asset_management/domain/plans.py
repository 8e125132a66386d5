"""Maintenance that comes again: when it is next due, what is called together, and the life of a plan (guide, 1.2).

A plan is one procedure on one asset with one trigger: a time, a counter or the health score. What is due at one site at
about the same time is called together: one request for work with a task for each plan.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from contracts.errors import Conflict, Invalid
from contracts.nouns.maintenance_orders import ProcedureKind
from contracts.nouns.maintenance_plans import MaintenancePlanState
from services.asset_management.domain.assessment import YEAR_DAYS

M = MaintenancePlanState

HORIZON_DAYS, TOLERANCE_DAYS = 30, 15
"""How long before the date a plan is called, and by how much it may come earlier to join another, if not said."""

_DECEMBER = 12


class Step(StrEnum):
    """What happens to a plan."""

    FELL_DUE = "fellDue"
    CALLED = "called"
    GIVEN_UP = "givenUp"
    FULFILLED = "fulfilled"
    SUSPENDED = "suspended"
    RESUMED = "resumed"
    RETIRED = "retired"


NEXT: Mapping[tuple[MaintenancePlanState, Step], MaintenancePlanState] = {
    (M.ACTIVE, Step.FELL_DUE): M.DUE,
    (M.ACTIVE, Step.CALLED): M.CALLED,
    (M.ACTIVE, Step.SUSPENDED): M.SUSPENDED,
    (M.ACTIVE, Step.RETIRED): M.RETIRED,
    (M.DUE, Step.CALLED): M.CALLED,
    (M.DUE, Step.SUSPENDED): M.SUSPENDED,
    (M.DUE, Step.RETIRED): M.RETIRED,
    (M.CALLED, Step.FULFILLED): M.ACTIVE,
    (M.CALLED, Step.GIVEN_UP): M.DUE,
    (M.CALLED, Step.SUSPENDED): M.SUSPENDED,
    (M.CALLED, Step.RETIRED): M.RETIRED,
    (M.SUSPENDED, Step.RESUMED): M.ACTIVE,
    (M.SUSPENDED, Step.RETIRED): M.RETIRED,
}
"""What leads where. A plan is called early, from active, when another one of its site is called."""

TO: Mapping[MaintenancePlanState, Step] = {
    M.ACTIVE: Step.RESUMED,
    M.SUSPENDED: Step.SUSPENDED,
    M.RETIRED: Step.RETIRED,
}
"""The states that people may ask for, by the step that leads there."""

WAITING = frozenset({M.ACTIVE, M.DUE})
"""In these a plan may be called."""


class Reading(Struct, frozen=True, kw_only=True):
    """What a counter showed on a day."""

    on: date
    value: float


class Plan(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One procedure on one asset that comes again.

    Attributes:
        site: where the work is; plans of one site are called together.
        months, days: the interval of a plan by time.
        counter, limit: the counter of a plan by operations or hours, and by how much it may grow.
        threshold: the health score from which on the procedure is due.
        last_done: the day that the interval is counted from.
        season: the first and the last day (month, day) on which the work can be done.
        statutory: the interval is counted from the day on which it was due, not from that on which it was done.
        due: the next day, as far as it is known.
        call: the work by which it was called.
    """

    mrid: str
    asset: str
    site: str
    state: MaintenancePlanState = M.ACTIVE
    kind: ProcedureKind = ProcedureKind.MAINTENANCE
    instruction: str | None = None
    months: int | None = None
    days: int | None = None
    counter: str | None = None
    limit: float | None = None
    threshold: float | None = None
    last_done: date | None = None
    last_count: float = 0.0
    season: tuple[tuple[int, int], tuple[int, int]] | None = None
    statutory: bool = False
    horizon: int = HORIZON_DAYS
    tolerance: int = TOLERANCE_DAYS
    due: date | None = None
    call: str | None = None


def check(plan: Plan) -> None:
    """Hold a plan to what it needs.

    Raises:
        Invalid: it has no trigger or several, or an interval without a day to count from.
    """
    by_time = plan.months is not None or plan.days is not None
    by_count = plan.counter is not None or plan.limit is not None
    if [by_time, by_count, plan.threshold is not None].count(True) != 1:
        raise Invalid("a plan has one trigger: an interval, a counter with its limit, or a health score")
    if plan.months is not None and plan.days is not None:
        raise Invalid("the interval of a plan is in months or in days")
    if any(each is not None and each <= 0 for each in (plan.months, plan.days, plan.limit)):
        raise Invalid("an interval or a limit is more than nothing")
    if by_count and (plan.counter is None or plan.limit is None):
        raise Invalid("a counter needs its limit, and a limit its counter")
    if plan.horizon < 0 or plan.tolerance < 0:
        raise Invalid("a horizon and a tolerance are no less than nothing")


def moved(plan: Plan, step: Step) -> Plan:
    """The plan after a step.

    Raises:
        Conflict: the table refuses it.
    """
    after = NEXT.get((plan.state, step))
    if after is None:
        raise Conflict(f"a maintenance plan that is '{plan.state}' cannot be '{step}'", object_id=plan.mrid)
    return replace(plan, state=after)


def may(plan: Plan, step: Step) -> bool:
    """True when the table has the step."""
    return (plan.state, step) in NEXT


def next_due(
    plan: Plan, readings: Sequence[Reading] = (), score: float | None = None, today: date | None = None
) -> Plan:
    """The plan with the day on which it is due next, or without one where that cannot be known yet.

    Args:
        plan: its trigger.
        readings: of its counter, in any order.
        score: the health score of its asset.
        today: the day on which a threshold that was crossed makes it due.
    """
    if plan.threshold is not None:
        due = plan.due or today if score is not None and score >= plan.threshold else None
    elif plan.counter is not None:
        due = _by_count(plan, readings)
    else:
        due = plan.due if plan.last_done is None else _later(plan.last_done, plan)
    return replace(plan, due=None if due is None else _in_season(due, plan))


def _later(day: date, plan: Plan) -> date:
    return day + timedelta(days=plan.days) if plan.days is not None else months_later(day, plan.months or 0)


def months_later(day: date, months: int) -> date:
    """The same day so many months later; the last of the month where it has no such day."""
    years, month = divmod(day.month - 1 + months, 12)
    first = date(day.year + years, month + 1, 1)
    following = date(first.year + first.month // _DECEMBER, first.month % _DECEMBER + 1, 1)
    return min(first + timedelta(days=day.day - 1), following - timedelta(days=1))


def _by_count(plan: Plan, readings: Sequence[Reading]) -> date | None:
    """When the counter reaches its limit, as fast as it went between the first reading and the last."""
    if not readings or plan.limit is None:
        return None
    ordered = sorted(readings, key=lambda each: each.on)
    first, last = ordered[0], ordered[-1]
    left = plan.limit - (last.value - plan.last_count)
    if left <= 0:
        return last.on
    days = (last.on - first.on).days
    rate = (last.value - first.value) / days if days > 0 else 0.0
    return None if rate <= 0 else last.on + timedelta(days=min(left / rate, 100 * YEAR_DAYS))


def _in_season(due: date, plan: Plan) -> date:
    """A day in the season, never after the one that is due."""
    if plan.season is None:
        return due
    begins, ends = plan.season
    day = (due.month, due.day)
    inside = begins <= day <= ends if begins <= ends else day >= begins or day <= ends
    if inside:
        return due
    last = date(due.year, *ends)
    return last if last <= due else date(due.year - 1, *ends)


def called_together(plan: Plan, others: Iterable[Plan]) -> list[Plan]:
    """The plan and whatever else of its site is due at about the same time, by mRID.

    Another plan comes along when it is due before, or may come earlier by so much.
    """
    if plan.due is None:
        return [plan]
    along = [
        each
        for each in others
        if each.mrid != plan.mrid
        and each.site == plan.site
        and each.state in WAITING
        and each.due is not None
        and (each.due - plan.due).days <= each.tolerance
    ]
    return sorted([plan, *along], key=lambda each: each.mrid)


def fulfilled(plan: Plan, done_on: date, count: float | None = None) -> Plan:
    """The plan after its work was done; a statutory one counts from the day on which it was due."""
    counted_from = plan.due if plan.statutory and plan.due is not None else done_on
    done = replace(moved(plan, Step.FULFILLED), last_done=counted_from, due=None, call=None)
    return next_due(done if count is None else replace(done, last_count=count))


def call_on(plan: Plan) -> date | None:
    """The day on which to call the plan."""
    return None if plan.due is None else plan.due - timedelta(days=plan.horizon)
