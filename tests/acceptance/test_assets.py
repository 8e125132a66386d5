"""The acceptance scenarios of the planning guide for assets, message by message on real servers."""

from datetime import UTC, date, datetime

import pytest

from contracts.errors import Conflict
from contracts.nouns import test_results as results
from contracts.nouns.analytic_scores import AnalyticKind
from contracts.nouns.asset_health_events import AssetHealthEvents
from contracts.nouns.assets import Asset, AssetDeployment, AssetLocation, Assets, DeploymentStateKind
from contracts.nouns.maintenance_plans import MaintenancePlan, MaintenancePlans
from contracts.nouns.procedure_data_sets import ProcedureDataSets
from contracts.nouns.procedure_types import MeasurementValue
from contracts.types import ObjectReference
from contracts.verbs import Verb
from shared.tools.testing import Installation
from tests.fixtures.asset_office import DAY, Office, done, exchange, h, names_of, office, seen, transformer

P, Q = "fuse-a", "fuse-b"
SUBSTANTIAL = {"externalCondition": "substantial deterioration"}


async def told_of(here: Office, *ids: str, at: datetime | None = None) -> list[tuple[str, DeploymentStateKind | None]]:
    found = await here.find(*ids, at=at)
    return [(each.mrid, (each.asset_deployment or AssetDeployment()).deployment_state) for each in found]


async def test_given_t1_at_p_when_a_task_completes_with_old_asset_t1_and_new_t2_then_p_keeps_its_mrid(
    dms: Installation,
) -> None:
    """Scenario 1: T1 is removed, T2 in service from the energisation; yesterday is T1; a repeat changes nothing."""
    async with office(dms) as here:
        await here.model()
        await here.until("SELECT count(*)::int FROM equipment", 9)
        await here.enter(transformer("T1", P), transformer("T2"))
        await here.voltage(1, h(8), n2=False, n3=False)
        await here.until("SELECT count(*)::int FROM liveness", 1)
        order = exchange("O1", "T1", "T2", at=h(9))
        await here.close(order)
        await here.until("SELECT count(*)::int FROM span WHERE asset = 'T2'", 3)
        await here.voltage(2, h(10), n2=True, n3=True)
        await here.until("SELECT state FROM span WHERE asset = 'T2' ORDER BY starts DESC LIMIT 1", "inService")

        assert await told_of(here, P) == [("T2", DeploymentStateKind.IN_SERVICE)]
        assert await told_of(here, "T1") == [("T1", DeploymentStateKind.REMOVED)]
        assert await told_of(here, P, at=h(9.5)) == [("T2", DeploymentStateKind.INSTALLED)]
        assert await told_of(here, P, at=h(-12)) == [("T1", DeploymentStateKind.IN_SERVICE)]
        spans = await here.sql("SELECT starts FROM span WHERE asset = 'T2' AND state = 'inService'")
        assert spans == [(h(10),)]

        before = await here.find("T1", "T2")
        await here.told("Assets", 5)
        await here.close(order, order)
        await here.close(exchange("O9", "T8", "T9", at=h(11)))
        await here.until("SELECT count(*)::int FROM fact WHERE id LIKE 'O9%'", 1)
        await here.nothing_told("Assets")
        assert await here.find("T1", "T2") == before


async def test_given_serial_77_installed_at_p_when_it_is_reported_installed_at_q_then_conflict_names_p(
    dms: Installation,
) -> None:
    """Scenario 2: and no deployment row overlaps."""
    async with office(dms) as here:
        await here.model()
        await here.until("SELECT count(*)::int FROM equipment", 9)
        await here.enter(transformer("T1", P, serial_number="77"))
        in_service = AssetDeployment(deployment_state=DeploymentStateKind.IN_SERVICE)
        (known,) = await here.find(serialNumber="77")
        moved = Asset(mrid=known.mrid, asset_deployment=in_service, power_system_resources=(ObjectReference(mrid=Q),))
        refused = await here.refused(Verb.CHANGE, Assets(asset=(moved,)))
        assert isinstance(refused, Conflict)
        assert (refused.code, P in refused.reason, refused.object_id) == ("5.2", True, "T1")
        again = await here.refused(Verb.CREATE, Assets(asset=(transformer("T9", Q, serial_number="77"),)))
        assert isinstance(again, Conflict)
        overlaps = (
            "SELECT count(*)::int FROM span a JOIN span b ON a.asset = b.asset AND a.starts < b.starts"
            " AND coalesce(a.ends, 'infinity') > b.starts WHERE a.known_until IS NULL AND b.known_until IS NULL"
        )
        assert await here.sql(overlaps) == [(0,)]
        assert await told_of(here, P) == [("T1", DeploymentStateKind.IN_SERVICE)]
        assert await told_of(here, Q) == []


async def test_given_a_40_year_11_kv_transformer_with_a_factor_of_1_3_then_its_health_is_3_215(
    dms: Installation,
) -> None:
    """Scenario 3: .2223 % now, .8992 % in 20 years; a collar of 8 is HI5 at once, 1.2254 %, one event, one request."""
    async with office(dms) as here:
        await here.enter(transformer("T1", P, made=1986), transformer("T2", Q, made=1986))
        await here.record(seen("I0", "T2", DAY, {"cableBoxes": "substantial deterioration"}))
        health = (await here.scores("T2"))[AnalyticKind.HEALTH_ANALYTIC]
        assert health.value == pytest.approx(3.2150, abs=5e-4)
        assert health.probability_of_failure == pytest.approx(0.2223, abs=5e-5)
        in_twenty = next(each for each in health.outlooks if each.years == 20)
        assert in_twenty.probability_of_failure == pytest.approx(0.8992, abs=5e-4)
        assert (health.analytic.best_value, health.analytic.worst_value) == (0.5, 10.0)
        await here.nothing_requested()

        await here.told("AssetHealthEvents")
        inspection = seen("I1", "T1", h(1), SUBSTANTIAL)
        sent = ProcedureDataSets(procedure_data_set=(inspection,))
        for message_id in ("one", "one", "two", "three"):
            await here.do(Verb.CREATE, sent, message_id=message_id)
        await here.record(seen("I2", "T1", h(2), SUBSTANTIAL))
        health = (await here.scores("T1"))[AnalyticKind.HEALTH_ANALYTIC]
        assert (health.band, health.value) == ("HI5", 8.0)
        assert health.probability_of_failure == pytest.approx(1.2254, abs=5e-5)
        request = await here.requested()
        (event,) = await here.events("T1")
        assert names_of(request) == {("AssetHealthEvent", event.mrid)}
        await here.nothing_requested()
        created = [payload for verb, payload in await here.told("AssetHealthEvents", 1) if verb is Verb.CREATED]
        assert [isinstance(each, AssetHealthEvents) for each in created] == [True]


def oil(mrid: str, **gases: float) -> results.TestResults:
    values = tuple(MeasurementValue(measurement_type=gas, value=ppm, unit_symbol="ppm") for gas, ppm in gases.items())
    test = results.TestDataSet(
        mrid=mrid,
        completed_date_time=h(1),
        type="dissolvedGas",
        asset=ObjectReference(mrid="T1"),
        measurement_value=values,
    )
    return results.TestResults(test_data_set=(test,))


async def test_given_h2_100_ch4_150_c2h6_50_c2h4_250_c2h2_5_ppm_then_t3(dms: Installation) -> None:
    """Scenario 4: a tenth is within typical values; without C2H6 R5 is not applicable, and nothing fails."""
    async with office(dms) as here:
        await here.enter(transformer("T1", P))
        hot = {"H2": 100.0, "CH4": 150.0, "C2H6": 50.0, "C2H4": 250.0, "C2H2": 5.0}

        async def diagnosis(mrid: str, gases: dict[str, float]) -> str | None:
            told: results.TestResults = await here.do(Verb.CREATE, oil(mrid, **gases))
            return next(each.value for each in told.test_data_set[0].properties if each.name == "IEC 60599")

        assert await diagnosis("G1", hot) == "T3"
        tenth = {gas: ppm / 10 for gas, ppm in hot.items()}
        assert await diagnosis("G2", tenth) == "within typical values, no diagnosis"
        assert await diagnosis("G3", {**hot, "C2H6": 0.0}) == "undetermined; R5 not applicable"


async def test_given_oil_due_10_may_and_inspection_due_20_may_at_one_site_then_one_request_with_two_tasks(
    dms: Installation,
) -> None:
    """Scenario 5: tolerance 15 days; finishing late does not shift the next date of the statutory one."""
    async with office(dms) as here:
        site = AssetLocation(mrid="the substation")
        await here.enter(transformer("T1", P, location=site), transformer("T2", Q, location=site))
        await here.grant(datetime(2026, 5, 2, tzinfo=UTC))

        def plan(mrid: str, asset: str, done_on: date, *, statutory: bool) -> MaintenancePlan:
            return MaintenancePlan(
                mrid=mrid,
                asset=ObjectReference(mrid=asset),
                interval_months=24,
                last_done_date=done_on,
                statutory=statutory,
                tolerance=15,
                call_horizon=7,
            )

        oil_sample = plan("oil sample", "T1", date(2024, 5, 10), statutory=True)
        inspection = plan("inspection", "T2", date(2024, 5, 20), statutory=False)
        await here.do(Verb.CREATE, MaintenancePlans(maintenance_plan=(oil_sample, inspection)))
        await here.grant(datetime(2026, 5, 3, 1, tzinfo=UTC))
        request = await here.requested()
        assert names_of(request) == {("MaintenancePlan", "oil sample"), ("MaintenancePlan", "inspection")}
        assert len(request.work[0].work_tasks) == 2
        await here.grant(datetime(2026, 5, 30, tzinfo=UTC))
        await here.nothing_requested()

        await here.close(done(request, datetime(2026, 6, 20, tzinfo=UTC)))
        await here.until("SELECT count(*)::int FROM plan WHERE state = 'ACTIVE'", 2)
        kept = await here.do(Verb.GET, MaintenancePlans, ids=["T1", "T2"])
        due = {each.mrid: each.next_due_date for each in kept.maintenance_plan}
        assert due == {"oil sample": date(2028, 5, 10), "inspection": date(2028, 6, 20)}
