"""Between what is kept of condition and the nouns of it: data sets, tests, scores, health events."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from math import isfinite

from msgspec.structs import replace

from contracts.errors import Conflict, Invalid
from contracts.nouns.analytic_scores import (
    Analytic,
    AnalyticKind,
    AnalyticScore,
    AnalyticScores,
    Consequence,
    Outlook,
    RiskScoreKind,
    ScaleKind,
)
from contracts.nouns.asset_health_events import AssetHealthEvent, AssetHealthEvents
from contracts.nouns.device_types import ActivityRecord
from contracts.nouns.procedure_data_sets import InspectionState, ProcedureDataSet, ProcedureDataSets
from contracts.nouns.procedure_types import MeasurementValue, UserAttribute
from contracts.nouns.test_results import TestDataSet
from contracts.nouns.units import UnitMultiplier
from contracts.types import Name, ObjectReference, Status
from services.asset_management.domain import gases, inspections
from services.asset_management.domain.assessment import PARAMETERS, RULES, Assessment, Inputs, Observation
from services.asset_management.domain.changes import MANDATORY
from services.asset_management.domain.gases import Diagnosis, Sample
from services.asset_management.domain.health import NEW, WORST
from services.asset_management.domain.health_events import HealthEvent
from services.asset_management.domain.records import Activity, Inspection, Scored
from services.asset_management.views.digests import digest

_POWERS = {
    UnitMultiplier.MICRO: -6,
    UnitMultiplier.MILLI: -3,
    UnitMultiplier.CENTI: -2,
    UnitMultiplier.DECI: -1,
    UnitMultiplier.DECA: 1,
    UnitMultiplier.HECTO: 2,
    UnitMultiplier.KILO: 3,
    UnitMultiplier.MEGA: 6,
    UnitMultiplier.GIGA: 9,
}
_PPM = {None: 1.0, "ppm": 1.0, "ul/l": 1.0, "µl/l": 1.0, "ml/l": 1000.0}

DIAGNOSIS, STATUS = "IEC 60599", "IEEE C57.104"
"""The names under which the register tells what it makes of a sample of oil."""

FIRST = frozenset(
    {
        InspectionState.PLANNED,
        InspectionState.IN_PROGRESS,
        InspectionState.RECORDED,
        InspectionState.UNABLE_TO_INSPECT,
    }
)
"""The states in which a data set may come."""


def inspection(given: ProcedureDataSet, asset: str, now: datetime) -> Inspection:
    """A new data set as it is kept.

    Raises:
        Invalid: its state cannot be the first, or lacks what it needs.
    """
    state = _state(given) or InspectionState.RECORDED
    if state not in FIRST:
        raise Invalid(f"status/value: an inspection does not begin '{state}'", object_id=given.mrid)
    noun = replace(given, created_date_time=given.created_date_time or now, asset=_named(given.asset, asset))
    return _kept(Inspection(noun=noun, state=state, revision=1, digest=digest(given), at=now), given, now)


def changed_inspection(before: Inspection, given: ProcedureDataSet, now: datetime) -> Inspection:
    """A data set after a change; elements that are not there stay as they are.

    Raises:
        Conflict: the table of states does not allow it.
        Invalid: the new state lacks what it needs.
    """
    state = _state(given)
    if state is None:
        raise Invalid("status/value: a change of an inspection says which state it is to have", object_id=given.mrid)
    moved = inspections.moved(before.state, inspections.TO[state])
    old = before.noun
    if before.state in {InspectionState.RECORDED, InspectionState.REVIEWED} and (
        given.measurement_value or given.properties
    ):
        raise Conflict("what was recorded stays; make another data set", object_id=given.mrid)
    noun = replace(
        old,
        comment=given.comment or old.comment,
        completed_date_time=given.completed_date_time or old.completed_date_time,
        due_date_time=given.due_date_time or old.due_date_time,
        measurement_value=given.measurement_value or old.measurement_value,
        properties=given.properties or old.properties,
        work_task=given.work_task or old.work_task,
    )
    return _kept(replace(before, noun=noun, state=moved, revision=before.revision + 1), given, now)


def stepped(before: Inspection, state: InspectionState, now: datetime) -> Inspection:
    """A data set after the clock alone led it on."""
    status = Status(date_time=now, value=state.value)
    noun = replace(before.noun, revision_number=before.revision + 1, status=status)
    return replace(before, noun=noun, state=state, revision=before.revision + 1)


def _kept(kept: Inspection, given: ProcedureDataSet, now: datetime) -> Inspection:
    """The data set with what its state needs."""
    said, noun = given.status or Status(), kept.noun
    if kept.state is InspectionState.PLANNED and noun.due_date_time is None:
        raise Invalid("dueDateTime: what is planned has a last day", code=MANDATORY, object_id=given.mrid)
    if kept.state is InspectionState.UNABLE_TO_INSPECT and said.reason is None:
        raise Invalid("status/reason: what could not be done has a reason", code=MANDATORY, object_id=given.mrid)
    if kept.state is InspectionState.RECORDED:
        noun = replace(noun, completed_date_time=noun.completed_date_time or said.date_time or now)
    status = replace(said, date_time=said.date_time or now, value=kept.state.value)
    return replace(
        kept,
        noun=replace(noun, revision_number=kept.revision, status=status),
        at=noun.completed_date_time or noun.due_date_time or now,
    )


def _state(given: ProcedureDataSet) -> InspectionState | None:
    value = None if given.status is None else given.status.value
    if value is not None and value not in set(InspectionState):
        raise Invalid(f"status/value: '{value}' is no state of an inspection", object_id=given.mrid)
    return None if value is None else InspectionState(value)


def observations(
    values: Iterable[MeasurementValue], properties: Iterable[UserAttribute], at: datetime, about: str
) -> list[Observation]:
    """What a data set says: numbers in their unit without powers of ten, and words.

    Raises:
        Invalid: a value without a type, or one that is no number.
    """
    seen = []
    for value in values:
        if not value.measurement_type:
            raise Invalid("MeasurementValue/measurementType: a value says what it is", code=MANDATORY, object_id=about)
        number = value.value * 10.0 ** _POWERS.get(value.unit_multiplier or UnitMultiplier.NONE, 0)
        if not isfinite(number):
            raise Invalid(f"MeasurementValue: {value.measurement_type} is no number", object_id=about)
        seen.append(Observation(name=value.measurement_type, at=value.time_stamp or at, number=number))
    return seen + [Observation(name=each.name, at=at, word=each.value) for each in properties]


def sample(given: TestDataSet, at: datetime) -> Sample | None:
    """The gases of a test of oil, in ppm by volume; None where it is another test.

    Raises:
        Invalid: a unit that is not by volume, or less than nothing of a gas.
    """
    found: dict[str, float] = {}
    taken = at
    for value in given.measurement_value:
        gas = value.measurement_type
        if gas not in gases.GASES:
            continue
        factor = _PPM.get(value.unit_symbol)
        if factor is None:
            raise Invalid(
                f"MeasurementValue/unitSymbol: '{value.unit_symbol}' is not ppm or ml/l", object_id=given.mrid
            )
        (seen,) = observations((value,), (), at, given.mrid)
        if seen.number is None or seen.number < 0:
            raise Invalid(f"MeasurementValue: there is no less than nothing of {gas}", object_id=given.mrid)
        found[gas] = seen.number * factor
        taken = seen.at
    return Sample(taken_at=taken, gases=found) if found else None


def judged(noun: TestDataSet, diagnosis: Diagnosis, status: gases.Status) -> TestDataSet:
    """A test of oil with what the register makes of it among its properties."""
    said = f"{status.number}: {gases.ACTIONS[status.number]}"
    if status.assumed is not None:
        said += f" ({status.assumed})"
    return replace(
        noun,
        conclusion=noun.conclusion or diagnosis.text,
        properties=(
            *(each for each in noun.properties if each.name not in {DIAGNOSIS, STATUS}),
            UserAttribute(name=DIAGNOSIS, value=diagnosis.text),
            UserAttribute(name=STATUS, value=said),
        ),
    )


def recorded_test(given: TestDataSet, asset: str, now: datetime) -> tuple[TestDataSet, datetime]:
    """A new test as it is told, and when it was made."""
    at = given.completed_date_time or now
    noun = replace(
        given,
        completed_date_time=at,
        created_date_time=given.created_date_time or now,
        revision_number=1,
        asset=_named(given.asset, asset),
        status=replace(given.status or Status(), date_time=now, value=InspectionState.RECORDED.value),
    )
    return noun, at


def degassed(noun: ProcedureDataSet, at: datetime) -> Activity:
    """What a data set says that tells of the degassing of oil: the trend of its gases begins anew."""
    record = ActivityRecord(reason=noun.comment or noun.subject, type=noun.type)
    return Activity(source=f"data set {noun.mrid}", record=record, at=at, asset=noun.asset.mrid)


def _named(reference: ObjectReference, mrid: str) -> ObjectReference:
    return replace(reference, mrid=mrid)


def as_sets(kept: Iterable[Inspection]) -> ProcedureDataSets:
    """Data sets in their container."""
    return ProcedureDataSets(procedure_data_set=tuple(each.noun for each in kept))


_BY_WHAT: Mapping[str, RiskScoreKind] = {
    "financial": RiskScoreKind.FINANCIAL,
    "safety": RiskScoreKind.SAFETY,
    "environmental": RiskScoreKind.ENVIRONMENTAL,
    "network": RiskScoreKind.CUSTOMER_SERVICE,
}


def scored(inputs: Inputs, found: Assessment, asset: str, now: datetime, ids: Sequence[str]) -> Scored:
    """The scores of an asset as they are kept and told; ``ids`` are those of health and of risk."""
    inputs_hash = digest(replace(inputs, known_at=inputs.at))
    health = AnalyticScore(
        mrid=ids[0],
        band=found.band,
        calculation_date_time=now,
        code_version=RULES,
        data_cut_off=inputs.known_at,
        effective_date_time=inputs.at,
        inputs_hash=inputs_hash,
        parameter_set=PARAMETERS,
        probability_of_failure=round(found.failure_rate, 6),
        value=round(found.health.score, 6),
        analytic=Analytic(
            best_value=NEW,
            kind=AnalyticKind.HEALTH_ANALYTIC,
            scale_kind=ScaleKind.EXPONENTIAL,
            worst_value=WORST,
            names=(Name(name=f"CNAIM health score, {found.class_name}"),),
        ),
        asset=ObjectReference(mrid=asset),
        outlooks=tuple(
            Outlook(probability_of_failure=round(each.failure_rate, 6), value=round(each.score, 6), years=each.years)
            for each in found.outlook
        ),
    )
    risk = replace(
        health,
        mrid=ids[1],
        band=found.criticality,
        value=round(found.risk.total, 2),
        analytic=Analytic(
            best_value=0.0,
            kind=AnalyticKind.RISK_ANALYTIC,
            scale_kind=ScaleKind.LINEAR,
            names=(Name(name=f"CNAIM risk a year, {found.class_name}"),),
        ),
        consequences=tuple(
            Consequence(cost=_money(cost), kind=_BY_WHAT[name], risk=_money(getattr(found.risk, name)))
            for name, cost in found.costs._asdict().items()
        ),
        outlooks=(),
    )
    return Scored(
        asset=asset,
        inputs=inputs,
        inputs_hash=inputs_hash,
        band=found.band,
        value=found.health.score,
        noun=AnalyticScores(analytic_score=(health, risk)),
    )


def _money(amount: float) -> Decimal:
    return Decimal(str(round(amount, 2))).quantize(Decimal("0.01"))


def merged(scores: Iterable[AnalyticScores]) -> AnalyticScores:
    """Scores of several assets in one container."""
    return AnalyticScores(analytic_score=tuple(score for each in scores for score in each.analytic_score))


def as_event(event: HealthEvent) -> AssetHealthEvent:
    """A health event as it is told."""
    source = None if event.source is None else ObjectReference(mrid=event.source)
    return AssetHealthEvent(
        mrid=event.mrid,
        accepted_until_date_time=event.until,
        action_recommendation=event.advice,
        action_timeline=f"P{event.priority.days}D",
        created_date_time=event.created_at,
        effective_date_time=event.since,
        reason=event.reason,
        revision_number=event.revision,
        severity=event.priority.value,
        type=event.code,
        asset=ObjectReference(mrid=event.asset),
        procedure_data_set=None if event.tested else source,
        status=Status(date_time=event.changed_at, reason=event.note, remark=event.by, value=event.state.value),
        test_data_set=source if event.tested else None,
        work=None if event.work is None else ObjectReference(mrid=event.work),
    )


def as_events(events: Iterable[HealthEvent]) -> AssetHealthEvents:
    """Health events in their container."""
    return AssetHealthEvents(asset_health_event=tuple(map(as_event, events)))
