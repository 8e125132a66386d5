"""Between the rules of upkeep and MaintenancePlans."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time

from msgspec.structs import replace

from contracts.errors import Invalid
from contracts.nouns.maintenance_orders import ProcedureKind
from contracts.nouns.maintenance_plans import MaintenancePlan, MaintenancePlans, MaintenancePlanState
from contracts.types import ObjectReference, Status
from services.asset_management.domain import plans
from services.asset_management.domain.plans import HORIZON_DAYS, TOLERANCE_DAYS, Plan
from services.asset_management.domain.records import KeptPlan
from services.asset_management.views.digests import digest


def plan_in(given: MaintenancePlan, asset: str, site: str) -> KeptPlan:
    """A new plan as it is kept.

    Raises:
        Invalid: it has no trigger or several, or a day that is none.
    """
    procedure = given.procedure
    plan = Plan(
        mrid=given.mrid,
        asset=asset,
        site=site,
        kind=ProcedureKind.MAINTENANCE if procedure is None or procedure.kind is None else procedure.kind,
        instruction=given.description if procedure is None else procedure.instruction or given.description,
        months=given.interval_months,
        days=given.interval_days,
        counter=given.counter_type,
        limit=given.counter_limit,
        threshold=given.health_score_limit,
        last_done=given.last_done_date,
        season=_season(given),
        statutory=given.statutory or False,
        horizon=HORIZON_DAYS if given.call_horizon is None else given.call_horizon,
        tolerance=TOLERANCE_DAYS if given.tolerance is None else given.tolerance,
    )
    plans.check(plan)
    if plan.last_done is None and given.next_due_date is None and plan.threshold is None and plan.counter is None:
        raise Invalid(
            "lastDoneDate or nextDueDate: an interval is counted from a day", code="5.8", object_id=given.mrid
        )
    due = plans.next_due(plan) if plan.last_done is not None else replace(plan, due=given.next_due_date)
    return KeptPlan(plan=due, noun=given, revision=1, digest=digest(given))


def wanted_state(given: MaintenancePlan) -> MaintenancePlanState:
    """The state that a change asks for.

    Raises:
        Invalid: none that people may ask for.
    """
    value = None if given.status is None else given.status.value
    if value not in {state.value for state in plans.TO}:
        raise Invalid("status/value: a plan is made ACTIVE, SUSPENDED or RETIRED", object_id=given.mrid)
    return MaintenancePlanState(value)


def told(kept: KeptPlan, now: datetime) -> KeptPlan:
    """A plan with the words by which it is told from now on."""
    plan = kept.plan
    noun = replace(
        kept.noun,
        call_horizon=plan.horizon,
        created_date_time=kept.noun.created_date_time or now,
        last_done_date=plan.last_done,
        next_due_date=plan.due,
        revision_number=kept.revision,
        statutory=plan.statutory,
        tolerance=plan.tolerance,
        asset=replace(kept.noun.asset, mrid=plan.asset),
        status=Status(date_time=now, value=plan.state.value),
        work=None if plan.call is None else ObjectReference(mrid=plan.call),
    )
    return replace(kept, noun=noun)


def as_noun(kept: Iterable[KeptPlan]) -> MaintenancePlans:
    """Plans in their container."""
    return MaintenancePlans(maintenance_plan=tuple(each.noun for each in kept))


def morning(day: date) -> datetime:
    """The instant at which a day begins, in UTC."""
    return datetime.combine(day, time(), UTC)


def _season(given: MaintenancePlan) -> tuple[tuple[int, int], tuple[int, int]] | None:
    named: Mapping[str, str | None] = {"seasonStart": given.season_start, "seasonEnd": given.season_end}
    said = {name: _day(text, name, given.mrid) for name, text in named.items() if text is not None}
    if not said:
        return None
    if len(said) != len(named):
        raise Invalid("seasonStart and seasonEnd: a season has both", code="5.8", object_id=given.mrid)
    return said["seasonStart"], said["seasonEnd"]


def _day(text: str, name: str, about: str) -> tuple[int, int]:
    """A day of every year, such as ``04-01``."""
    try:
        found = date.fromisoformat(f"2001-{text}")
    except ValueError as error:
        raise Invalid(f"{name}: '{text}' is no day of every year", object_id=about) from error
    return found.month, found.day
