"""The condition and the upkeep of assets on real servers: what is seen, judged, asked for and planned."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from contracts.errors import Conflict, Invalid, NotFound
from contracts.message import Error, Reply, Result, User
from contracts.nouns import test_results as results
from contracts.nouns.analytic_scores import AnalyticKind
from contracts.nouns.asset_health_events import AssetHealthEvent, AssetHealthEvents, AssetHealthState
from contracts.nouns.assets import (
    Asset,
    AssetLifecycleStateKind,
    Assets,
    RetiredReasonKind,
)
from contracts.nouns.maintenance_plans import MaintenancePlan, MaintenancePlans, MaintenancePlanState
from contracts.nouns.procedure_data_sets import InspectionState, ProcedureDataSet, ProcedureDataSets
from contracts.nouns.procedure_types import MeasurementValue
from contracts.nouns.work_types import WorkStatusKind
from contracts.types import ObjectReference, Status
from contracts.verbs import Verb
from shared.tools.testing import Installation
from tests.fixtures.asset_office import DAY, Office, done, exchange, h, office, seen, transformer

S = AssetHealthState
P, Q = "fuse-a", "fuse-b"


async def test_a_finding_asks_for_work_once_and_is_over_when_somebody_looks_again(dms: Installation) -> None:
    async with office(dms) as here:
        await here.enter(transformer("T1", P))
        leak = {"externalCondition": "Some deterioration"}
        await here.record(seen("I1", "T1", h(1), leak, oilLevel=40.0))
        request = await here.requested()
        assert request.work[0].work_tasks[0].assets[0].mrid == "T1"
        (oil, outside) = sorted(await here.events("T1"), key=lambda each: each.severity or "")
        assert (oil.type, oil.severity, oil.status and oil.status.value) == ("oilLevel", "P2", S.WORK_REQUESTED)
        assert (outside.type, outside.severity, outside.status and outside.status.value) == (
            "externalCondition",
            "P4",
            S.PRIORITISED,
        )
        await here.record(seen("I1", "T1", h(1), leak, oilLevel=40.0), seen("I2", "T1", h(2), oilLevel=30.0))
        await here.nothing_requested()
        await here.close(done(request, h(5)), done(request, h(5)))
        await here.until("SELECT state FROM health_event WHERE code = 'oilLevel'", "REMEDIED")
        await here.record(seen("I0", "T1", h(4), oilLevel=90.0))
        await here.until("SELECT state FROM health_event WHERE code = 'oilLevel'", "REMEDIED")
        await here.record(seen("I3", "T1", h(8), oilLevel=90.0))
        await here.until("SELECT state FROM health_event WHERE code = 'oilLevel'", "VERIFIED")
        closing = AssetHealthEvent(mrid=oil.mrid, status=Status(value=S.CLOSED))
        await here.do(Verb.CHANGE, AssetHealthEvents(asset_health_event=(closing,)))
        assert [each.type for each in await here.events()] == ["externalCondition"]
        refused = await here.refused(Verb.CHANGE, AssetHealthEvents(asset_health_event=(closing,)))
        assert isinstance(refused, Conflict)
        assert "'CLOSED'" in refused.reason


async def test_work_that_is_refused_is_asked_for_again_in_a_day(dms: Installation) -> None:
    async with office(dms) as here:
        await here.enter(transformer("T1", P))
        await here.record(seen("I1", "T1", h(1), oilLevel=10.0))
        broken = Error(code="6.1", reason="nobody can do that")
        first = await here.requested(refuse=Reply(result=Result.FAILED, error=(broken,)))
        await here.until("SELECT state FROM health_event", "PRIORITISED")
        (event,) = await here.events()
        assert event.status is not None
        assert "nobody can do that" in (event.status.reason or "")
        await here.grant(h(37))
        assert (await here.requested()).work[0].mrid != first.work[0].mrid
        await here.until("SELECT state FROM health_event", "WORK_REQUESTED")


async def test_a_risk_is_accepted_by_whoever_says_so_until_a_day(dms: Installation) -> None:
    async with office(dms) as here:
        await here.enter(transformer("T1", P))
        await here.record(seen("I1", "T1", h(1), {"externalCondition": "some deterioration"}))
        (event,) = await here.events()
        accept = AssetHealthEvent(
            mrid=event.mrid, accepted_until_date_time=h(100), status=Status(value=S.ACCEPTED_RISK)
        )
        wanted = AssetHealthEvents(asset_health_event=(accept,))
        assert (await here.refused(Verb.CHANGE, wanted)).code == "5.8"
        user = User(user_id="Ruiz", organization="asset engineer")
        await here.do(Verb.CHANGE, wanted, user=user)
        (accepted,) = await here.events()
        assert accepted.status is not None
        assert (accepted.status.value, accepted.status.remark) == (S.ACCEPTED_RISK, "Ruiz")
        await here.grant(h(101))
        await here.until("SELECT state FROM health_event", "PRIORITISED")


async def test_a_planned_inspection_comes_up_goes_over_and_is_reviewed(dms: Installation) -> None:
    async with office(dms) as here:
        await here.enter(transformer("T1", P))
        planned = ProcedureDataSet(
            mrid="I1",
            due_date_time=DAY + timedelta(days=60),
            asset=ObjectReference(mrid="T1"),
            status=Status(value=InspectionState.PLANNED),
        )
        await here.record(planned)
        for days, expected in ((31, "DUE"), (61, "OVERDUE")):
            await here.grant(DAY + timedelta(days=days))
            await here.until("SELECT state FROM data_set", expected)

        def change(value: InspectionState, **more: object) -> ProcedureDataSets:
            told = ProcedureDataSet(
                mrid="I1",
                due_date_time=DAY + timedelta(days=200),
                asset=ObjectReference(mrid="T1"),
                status=Status(value=value, **more),  # type: ignore[arg-type]
            )
            return ProcedureDataSets(procedure_data_set=(told,))

        assert (await here.refused(Verb.CHANGE, change(InspectionState.UNABLE_TO_INSPECT))).code == "5.8"
        await here.do(Verb.CHANGE, change(InspectionState.UNABLE_TO_INSPECT, reason="flooded"))
        await here.do(Verb.CHANGE, change(InspectionState.PLANNED))
        await here.do(Verb.CHANGE, change(InspectionState.RECORDED))
        await here.do(Verb.CHANGE, change(InspectionState.REVIEWED))
        refused = await here.refused(Verb.CHANGE, change(InspectionState.CANCELLED))
        assert isinstance(refused, Conflict)
        assert "'REVIEWED'" in refused.reason
        (kept,) = (await here.do(Verb.GET, ProcedureDataSets, ids=["T1"])).procedure_data_set
        assert kept.revision_number == 7
        unknown = replace(planned, mrid="I2", asset=ObjectReference(mrid="unknown"))
        assert isinstance(await here.refused(Verb.CREATE, ProcedureDataSets(procedure_data_set=(unknown,))), NotFound)


def oil(mrid: str, at: float, **gases: float) -> results.TestDataSet:
    values = tuple(MeasurementValue(measurement_type=gas, value=ppm, unit_symbol="ppm") for gas, ppm in gases.items())
    return results.TestDataSet(
        mrid=mrid,
        completed_date_time=h(at),
        type="dissolvedGas",
        asset=ObjectReference(mrid="T1"),
        measurement_value=values,
    )


async def test_gases_in_oil_are_judged_told_and_asked_for_again(dms: Installation) -> None:
    async with office(dms) as here:
        await here.enter(transformer("T1", P, type="Power transformer"))
        hot = oil("G1", 2, H2=100, CH4=150, C2H6=50, C2H4=250, C2H2=5)
        (told,) = (await here.do(Verb.CREATE, results.TestResults(test_data_set=(hot,)))).test_data_set
        assert {each.name: (each.value or "")[:2] for each in told.properties} == {
            "IEC 60599": "T3",
            "IEEE C57.104": "3:",
        }
        assert told.conclusion == "T3"
        assert (await here.requested()).work[0].work_tasks[0].instruction == "sample again at once"
        (again,) = (await here.do(Verb.CREATE, results.TestResults(test_data_set=(hot,)))).test_data_set
        assert again == told
        await here.nothing_requested()
        assert (await here.scores("T1"))[AnalyticKind.HEALTH_ANALYTIC].value == pytest.approx(1340 / 220, abs=1e-6)
        unit = replace(
            oil("G2", 3, H2=1), measurement_value=(MeasurementValue(measurement_type="H2", value=1, unit_symbol="bar"),)
        )
        assert isinstance(await here.refused(Verb.CREATE, results.TestResults(test_data_set=(unit,))), Invalid)
        await here.record(replace(seen("D1", "T1", h(4)), type="degassing"))
        air = {"O2": 1000.0, "N2": 60000.0}
        small = oil("G3", 5, H2=10, CH4=10, C2H6=5, C2H4=5, C2H2=0, **air)
        (well,) = (await here.do(Verb.CREATE, results.TestResults(test_data_set=(small,)))).test_data_set
        assert well.properties[-1].value == "1: sample again in a year"
        assert [each.mrid for each in (await here.do(Verb.GET, results.TestResults, ids=["T1"])).test_data_set] == [
            "G1",
            "G3",
        ]


async def test_the_fleet_is_scored_soon_after_it_was_entered_and_every_month(dms: Installation) -> None:
    async with office(dms) as here:
        fleet = [transformer(f"T{n}", f"position {n}", made=1950 + n) for n in range(120)]
        await here.enter(*fleet, transformer("spare"))
        await here.grant(h(12.1))
        await here.until("SELECT count(*)::int FROM score", 120)
        old = (await here.scores("T0"))[AnalyticKind.HEALTH_ANALYTIC]
        assert (old.band, old.code_version, old.data_cut_off) == ("HI3", "1", old.calculation_date_time)
        assert await here.scores("spare") == {}
        await here.grant(DAY + timedelta(days=32))
        await here.until("SELECT count(*)::int FROM score", 240)
        assert await here.events() == ()
        (told,) = await here.find("T0")
        assert told.asset_deployment is not None
        assert told.asset_deployment.likelihood_of_failure == 3


async def test_the_same_inputs_give_the_same_score_with_the_same_hash(dms: Installation) -> None:
    async with office(dms) as here:
        await here.enter(transformer("T1", P), transformer("T2", Q))
        for asset in ("T1", "T2"):
            await here.record(seen(f"I {asset}", asset, h(2), {"externalCondition": "no deterioration"}))
        one, other = [(await here.scores(asset))[AnalyticKind.HEALTH_ANALYTIC] for asset in ("T1", "T2")]
        assert (one.value, one.inputs_hash, one.parameter_set) == (other.value, other.inputs_hash, other.parameter_set)
        await here.record(seen("late", "T1", h(1), {"externalCondition": "substantial deterioration"}))
        assert (await here.scores("T1"))[AnalyticKind.HEALTH_ANALYTIC].value == one.value
        await here.nothing_requested()


# Upkeep.


def plan(mrid: str, asset: str, **more: object) -> MaintenancePlan:
    return MaintenancePlan(mrid=mrid, asset=ObjectReference(mrid=asset), **more)  # type: ignore[arg-type]


async def shown(here: Office, mrid: str) -> MaintenancePlan:
    (found,) = (await here.do(Verb.GET, MaintenancePlans, ids=[mrid])).maintenance_plan
    assert isinstance(found, MaintenancePlan)
    return found


async def test_a_counter_and_a_health_score_call_for_work(dms: Installation) -> None:
    async with office(dms) as here:
        await here.enter(transformer("T1", P))
        counted = plan("M1", "T1", counter_type="operations", counter_limit=100.0)
        by_health = plan("M2", "T1", health_score_limit=6.5, tolerance=0)
        entered = await here.do(Verb.CREATE, MaintenancePlans(maintenance_plan=(counted, by_health)))
        assert [each.next_due_date for each in entered.maintenance_plan] == [None, None]
        await here.record(seen("C1", "T1", h(-24 * 10), operations=20.0), seen("C2", "T1", h(0), operations=40.0))
        assert (await shown(here, "M1")).next_due_date == (DAY + timedelta(days=30)).date()
        await here.requested()
        await here.record(seen("I1", "T1", h(2), {"externalCondition": "substantial deterioration"}))
        asked = [await here.requested() for _ in range(2)]
        assert sorted(each.work[0].priority.type or "" for each in asked if each.work[0].priority) == ["P2", "plan"]
        await here.until("SELECT string_agg(state, ' ') FROM plan", "CALLED CALLED")


async def test_a_plan_is_suspended_resumed_and_ends_with_its_asset(dms: Installation) -> None:
    async with office(dms) as here:
        await here.enter(transformer("T1", P), transformer("T2"))
        yearly = plan("M1", "T1", interval_months=12, last_done_date=DAY.date())
        await here.do(Verb.CREATE, MaintenancePlans(maintenance_plan=(yearly,)))
        await here.do(Verb.CREATE, MaintenancePlans(maintenance_plan=(yearly,)))

        def change(value: MaintenancePlanState) -> MaintenancePlans:
            return MaintenancePlans(maintenance_plan=(plan("M1", "T1", status=Status(value=value)),))

        await here.do(Verb.CHANGE, change(MaintenancePlanState.SUSPENDED))
        await here.grant(DAY + timedelta(days=340))
        await here.nothing_requested()
        await here.do(Verb.CHANGE, change(MaintenancePlanState.ACTIVE))
        request = await here.requested()
        await here.close(done(request, h(24 * 341), WorkStatusKind.CANCELLED))
        await here.until("SELECT state FROM plan", "DUE")
        await here.grant(DAY + timedelta(days=342))
        await here.requested()
        await here.close(exchange("O1", "T1", "T2", h(24 * 342)))
        await here.until("SELECT count(*)::int FROM span WHERE asset = 'T1' AND state = 'removed'", 1)
        scrap = Asset(
            mrid="T1",
            lifecycle_state=AssetLifecycleStateKind.RETIRED,
            retired_reason=RetiredReasonKind.FAILED,
        )
        await here.do(Verb.CHANGE, Assets(asset=(scrap,)))
        assert await here.sql("SELECT state FROM plan") == [("RETIRED",)]
        refused = await here.refused(Verb.CHANGE, change(MaintenancePlanState.ACTIVE))
        assert isinstance(refused, Conflict)
        wrong = plan("M2", "T1", interval_months=12)
        assert (await here.refused(Verb.CREATE, MaintenancePlans(maintenance_plan=(wrong,)))).code == "5.8"
