"""Asset management on real servers, with peers that enter assets, work on them and look at them."""

import asyncio
from datetime import date

import asyncpg
import pytest
from msgspec.structs import replace

from contracts.errors import Conflict, Invalid, NotFound
from contracts.nouns.asset_catalogue import AssetCatalogue, CatalogAssetType
from contracts.nouns.asset_health_events import AssetHealthState
from contracts.nouns.assets import (
    AcceptanceTest,
    Asset,
    AssetDeployment,
    AssetLifecycleStateKind,
    AssetLocation,
    Assets,
    DeploymentStateKind,
    InUseStateKind,
    RetiredReasonKind,
)
from contracts.nouns.device_types import ConfigurationEvent
from contracts.nouns.maintenance_orders import Asset as Piece
from contracts.nouns.maintenance_orders import MaintenanceOrder, Work, WorkTask
from contracts.nouns.unplanned_outages import OutageStatusKind, UnplannedOutage, UnplannedOutages
from contracts.nouns.work_types import ActivityRecord, WorkKind, WorkStatusKind
from contracts.types import ObjectReference
from contracts.verbs import Verb
from shared.tools.data.assets import assets
from shared.tools.testing import Installation
from tests.fixtures.asset_office import DAY, FM, Office, exchange, h, office, seen, transformer

D, S = DeploymentStateKind, AssetHealthState
P, Q = "fuse-a", "fuse-b"


def at_p(asset: Asset) -> bool:
    return [each.mrid for each in asset.power_system_resources] == [P]


def state(asset: Asset) -> DeploymentStateKind | None:
    return None if asset.asset_deployment is None else asset.asset_deployment.deployment_state


# The register.


async def test_what_is_entered_is_told_and_entered_again_changes_nothing(dms: Installation) -> None:
    async with office(dms) as here:
        entered = await here.enter(transformer("T1", P), transformer("T2"))
        assert [(each.mrid, each.revision_number, state(each)) for each in entered.asset] == [
            ("T1", 1, D.IN_SERVICE),
            ("T2", 1, D.NOT_YET_INSTALLED),
        ]
        told = [(verb, payload.asset[0].mrid) for verb, payload in await here.told("Assets", 2)]
        assert sorted(told) == [(Verb.CREATED, "T1"), (Verb.CREATED, "T2")]
        assert await here.enter(transformer("T1", P), transformer("T2")) == entered
        await here.nothing_told("Assets")
        refused = await here.refused(Verb.CREATE, Assets(asset=(transformer("T1", P, description="other"),)))
        assert isinstance(refused, Conflict)
        assert refused.object_id == "T1"


async def test_a_message_with_a_fault_enters_nothing_and_names_every_fault(dms: Installation) -> None:
    async with office(dms) as here:
        await here.model()
        await here.until("SELECT count(*)::int FROM equipment", 9)
        await here.enter(transformer("T1", P))
        wrong = (
            transformer("T2", Q),
            transformer("T3", "nowhere"),
            transformer("T4", serial_number="serial of T1"),
            transformer("T5", product_asset_model=ObjectReference(mrid="unheard of")),
        )
        refused = await here.refused(Verb.CREATE, Assets(asset=wrong))
        assert isinstance(refused, Conflict)
        for word in ("no equipment nowhere", "serial of T1 belongs to asset T1", "unheard of is not in the catalogue"):
            assert word in refused.reason
        assert await here.find(type="distribution transformer") != ()
        assert [each.mrid for each in await here.find()] == ["T1"]
        taken = await here.refused(Verb.CREATE, Assets(asset=(transformer("T6", P),)))
        assert "the position fuse-a is taken by asset T1" in taken.reason


async def test_assets_are_found_by_position_serial_location_and_type_for_a_date(dms: Installation) -> None:
    async with office(dms) as here:
        store = AssetLocation(mrid="store")
        await here.enter(transformer("T1", P), transformer("T2", location=store), transformer("T3", type="Pole"))
        assert [each.mrid for each in await here.find(P)] == ["T1"]
        assert [each.mrid for each in await here.find(P, kind="PowerSystemResource", at=h(-24))] == ["T1"]
        assert await here.find(P, at=h(-24 * 365 * 50)) == ()
        assert [each.mrid for each in await here.find("store")] == ["T2"]
        assert [each.mrid for each in await here.find(serialNumber="serial of T2")] == ["T2"]
        assert [each.mrid for each in await here.find("T1", "T2", type="Distribution Transformer")] == ["T1", "T2"]
        assert isinstance(await here.lost("unknown"), NotFound)
        assert isinstance(await here.lost(P, kind="Asset"), NotFound)
        assert isinstance(await here.lost(colour="red"), Invalid)
        await here.do(
            Verb.CHANGE,
            Assets(
                asset=(
                    Asset(
                        mrid="T2",
                        location=AssetLocation(mrid="yard"),
                        configuration_events=(ConfigurationEvent(effective_date_time=h(6)),),
                    ),
                )
            ),
        )
        assert [each.mrid for each in await here.find("yard")] == ["T2"]
        assert await here.find("store") == ()
        assert [each.mrid for each in await here.find("store", at=h(5))] == ["T2"]


async def test_a_life_goes_from_the_order_to_the_scrap_by_the_table(dms: Installation) -> None:
    async with office(dms) as here:
        begins = (ConfigurationEvent(effective_date_time=h(0)),)
        ordered = transformer("T1", lifecycle_state=AssetLifecycleStateKind.PURCHASED, in_use_state=None)
        await here.enter(replace(ordered, asset_deployment=None, configuration_events=begins))

        async def move(at: float, **wanted: object) -> Asset:
            event = ConfigurationEvent(effective_date_time=h(at))
            change = Asset(mrid="T1", configuration_events=(event,), **wanted)  # type: ignore[arg-type]
            (moved,) = (await here.do(Verb.CHANGE, Assets(asset=(change,)))).asset
            assert isinstance(moved, Asset)
            return moved

        def deployed(kind: DeploymentStateKind) -> AssetDeployment:
            return AssetDeployment(deployment_state=kind)

        await move(1, lifecycle_state=AssetLifecycleStateKind.RECEIVED)
        live = Asset(
            mrid="T1", asset_deployment=deployed(D.IN_SERVICE), power_system_resources=(ObjectReference(mrid=P),)
        )
        assert "has not passed" in (await here.refused(Verb.CHANGE, Assets(asset=(live,)))).reason
        passed = AcceptanceTest(success=True, type="factory and site")
        await move(2, in_use_state=InUseStateKind.READY_FOR_USE, acceptance_test=passed)
        in_service = await move(
            3, asset_deployment=deployed(D.IN_SERVICE), power_system_resources=(ObjectReference(mrid=P),)
        )
        assert at_p(in_service)
        retired = Asset(mrid="T1", lifecycle_state=AssetLifecycleStateKind.RETIRED)
        refused = await here.refused(Verb.CHANGE, Assets(asset=(retired,)))
        assert isinstance(refused, Conflict)
        assert "'inService'" in refused.reason
        await move(4, asset_deployment=deployed(D.OUT_OF_SERVICE))
        await move(5, asset_deployment=deployed(D.REMOVED))
        assert (await here.refused(Verb.CHANGE, Assets(asset=(retired,)))).code == "5.8"
        await move(6, lifecycle_state=AssetLifecycleStateKind.RETIRED, retired_reason=RetiredReasonKind.OBSOLESCENCE)
        await here.record(seen("filled", "T1", h(1), oilFilled=200.0))
        scrap = Asset(mrid="T1", lifecycle_state=AssetLifecycleStateKind.DISPOSED_OF)
        assert "not accounted for: oil 200" in (await here.refused(Verb.CHANGE, Assets(asset=(scrap,)))).reason
        await here.record(seen("emptied", "T1", h(6), oilRecovered=200.0))
        gone = await move(7, lifecycle_state=AssetLifecycleStateKind.DISPOSED_OF)
        assert gone.lifecycle_state is AssetLifecycleStateKind.DISPOSED_OF
        again = await here.refused(Verb.CREATE, Assets(asset=(transformer("T9", serial_number="serial of T1"),)))
        assert "belongs to asset T1" in again.reason
        (then,) = await here.find("T1", at=h(3.5))
        assert (state(then), at_p(then)) == (D.IN_SERVICE, True)
        (now,) = await here.find("T1")
        assert [each.type for each in now.activity_records] == [
            "arrived",
            "accepted",
            "energised",
            "installed",
            "takenOut",
            "removed",
            "retired",
            "disposed",
        ]
        spans = await here.sql("SELECT state FROM span WHERE known_until IS NULL ORDER BY starts")
        assert [each for (each,) in spans] == [
            "ordered",
            "received",
            "ready",
            "inService",
            "outOfService",
            "removed",
            "retired",
            "disposed",
        ]


async def test_what_is_known_now_cannot_overlap_even_for_whoever_writes_by_hand(dms: Installation) -> None:
    async with office(dms) as here:
        await here.enter(transformer("T1", P), transformer("T2"))
        row = (
            "INSERT INTO span (asset, state, position, starts, known_from) VALUES ('{}', 'inService', '{}', $1, now())"
        )
        for asset, position, name in (
            ("T9", P, "one_asset_at_each_position"),
            ("T1", Q, "one_position_for_each_asset"),
        ):
            with pytest.raises(asyncpg.ExclusionViolationError, match=name):
                await here.sql(row.format(asset, position), DAY)


async def test_a_late_correction_changes_what_is_known_and_keeps_what_was_known(dms: Installation) -> None:
    async with office(dms) as here:
        await here.enter(transformer("T1", P))

        def change(at: float, kind: DeploymentStateKind) -> Assets:
            event = ConfigurationEvent(effective_date_time=h(at))
            deployment = AssetDeployment(deployment_state=kind)
            return Assets(asset=(Asset(mrid="T1", asset_deployment=deployment, configuration_events=(event,)),))

        await here.do(Verb.CHANGE, change(10, D.OUT_OF_SERVICE))
        await here.grant(h(20))
        late = await here.refused(Verb.CHANGE, change(9, D.REMOVED))
        assert isinstance(late, Conflict)
        assert "contradicts what is known of a later time" in late.reason
        await here.do(Verb.CHANGE, change(11, D.REMOVED))
        (now,) = await here.find("T1", at=h(11.5))
        (then,) = await here.find("T1", at=h(11.5), knownAt=h(15).isoformat())
        assert (state(now), state(then)) == (D.REMOVED, D.OUT_OF_SERVICE)


async def test_the_catalogue_is_kept_changed_and_asked(dms: Installation) -> None:
    async with office(dms) as here:
        await here.enter()
        assert (await here.told("AssetCatalogue", 1))[0][0] is Verb.CREATED
        named = await here.do(Verb.GET, AssetCatalogue, ids=["model TX-200"])
        (kind,) = named.catalog_asset_type
        assert (await here.do(Verb.GET, AssetCatalogue)) == named
        dearer = AssetCatalogue(catalog_asset_type=(replace(kind, description="dearer"),))
        assert isinstance(await here.refused(Verb.CREATE, dearer), Conflict)
        await here.do(Verb.CHANGE, dearer)
        await here.do(Verb.CHANGE, dearer)
        assert [verb for verb, _ in await here.told("AssetCatalogue", 1)] == [Verb.CHANGED]
        assert (await here.do(Verb.GET, AssetCatalogue)).catalog_asset_type[0].description == "dearer"
        unknown = AssetCatalogue(catalog_asset_type=(CatalogAssetType(mrid="unknown"),))
        assert isinstance(await here.refused(Verb.CHANGE, unknown), NotFound)


# Work and the network.


async def test_exchanges_told_late_and_in_disorder_end_in_the_same_history(dms: Installation) -> None:
    async with office(dms) as here:
        await here.enter(transformer("T1", P), transformer("T2"))
        first, second = exchange("O1", "T1", "T2", h(9)), exchange("O2", "T2", "T3", h(11))
        await here.close(second)
        await here.until("SELECT refused FROM fact WHERE id LIKE 'O2%'", "asset T2 is 'ready' and in no place")
        (waiting,) = await here.find("T1")
        assert at_p(waiting)
        await here.close(first, first)
        await here.until("SELECT refused FROM fact WHERE id LIKE 'O2%'", "asset T3 has no record")
        assert await here.find(P) == ()
        await here.enter(transformer("T3"))
        assert [each.mrid for each in await here.find(P)] == ["T3"]
        assert [each.mrid for each in await here.find(P, at=h(10))] == ["T2"]
        assert [each.mrid for each in await here.find(P, at=h(8))] == ["T1"]


async def test_a_report_that_does_not_fit_is_kept_and_shows_as_a_discrepancy(dms: Installation) -> None:
    async with office(dms) as here:
        await here.enter(transformer("T1", P), transformer("T2", Q))
        await here.close(exchange("O1", "T1", "T2", h(9)))
        await here.until("SELECT count(*)::int FROM fact WHERE refused IS NOT NULL", 1)
        (told,) = await here.find("T2")
        record = told.activity_records[-1]
        assert (record.type, record.severity) == ("discrepancy", "order O1")
        assert record.reason == "asset T2 is 'inService' at fuse-b and cannot be 'installed'"
        assert await here.find(P) == ()


async def test_what_was_built_in_waits_for_the_voltage_of_its_position(dms: Installation) -> None:
    async with office(dms) as here:
        await here.model()
        await here.until("SELECT count(*)::int FROM equipment", 9)
        await here.enter(transformer("T1", P), transformer("T2"))
        await here.voltage(1, h(8), n2=False, n3=False)
        await here.until("SELECT count(*)::int FROM liveness", 1)
        await here.close(exchange("O1", "T1", "T2", h(9)))
        await here.until(
            "SELECT state FROM span WHERE asset = 'T2' AND known_until IS NULL AND ends IS NULL", "installed"
        )
        await here.voltage(2, h(10), n2=True)
        await here.until(
            "SELECT state FROM span WHERE asset = 'T2' AND known_until IS NULL AND ends IS NULL", "inService"
        )
        (now,) = await here.find("T2", at=h(9.5))
        assert state(now) is D.INSTALLED
        assert [
            each.revision_number for _, p in await here.told("Assets", 5) for each in p.asset if each.mrid == "T2"
        ] == [
            1,
            2,
            3,
        ]


async def test_failures_and_operations_are_in_the_history_of_what_was_at_the_position(dms: Installation) -> None:
    async with office(dms) as here:
        await here.enter(transformer("T1", P), transformer("T2"))
        found = ActivityRecord(created_date_time=h(4), reason="equipment", severity="burnt", type="finding")
        task = WorkTask(mrid="K", assets=(Piece(mrid=P),))
        work = Work(
            mrid="W",
            kind=WorkKind.REPAIR,
            status_kind=WorkStatusKind.CLOSED,
            activity_records=(found,),
            work_tasks=(task,),
        )
        await here.close(MaintenanceOrder(mrid="O1", work=(work,)), exchange("O2", P, "T2", h(9)))
        outage = UnplannedOutage(
            mrid="U",
            cause="weather",
            original_customers_served=9,
            outage_kind=OutageStatusKind.CONFIRMED,
            reported_start_time=h(10),
            revision_number=3,
            opened_switches=(ObjectReference(mrid=P),),
        )
        await here.peers[FM].tell(Verb.CLOSED, UnplannedOutages(unplanned_outage=(outage,)), key="U")
        await here.until("SELECT count(*)::int FROM activity", 2)
        await here.until("SELECT count(*)::int FROM span WHERE asset = 'T2'", 3)
        (old,), (new,) = await here.find("T1"), await here.find("T2")
        assert [(each.type, each.reason) for each in old.activity_records] == [
            ("failure", "equipment"),
            ("removed", "order O2"),
        ]
        assert [(each.type, each.reason) for each in new.activity_records] == [
            ("installed", "order O2"),
            ("operation", "opened on a fault: weather"),
        ]


async def test_a_folder_made_for_the_network_is_taken_whole_and_again_without_effect(dms: Installation) -> None:
    async with office(dms) as here:
        await here.model()
        await here.until("SELECT count(*)::int FROM equipment", 9)
        for _ in range(2):
            for file in assets(here.feeders, context="testing", day=date(2026, 1, 1)):
                await here.do(Verb.CREATE, file.message.noun)
        standing = await here.find()
        assert {each.revision_number for each in standing} == {1}
        assert {each.mrid for each in await here.find("breaker")} < {each.mrid for each in standing}
        await here.grant(h(13))
        await here.nothing_requested()


async def test_what_was_done_before_a_restart_is_known_after_it(dms: Installation) -> None:
    async with office(dms) as here:
        await here.enter(transformer("T1", P), transformer("T2"))
    installation = here.installation
    async with installation.peer("admin") as admin:
        again = Office(installation, {"admin": admin})
        async with again.running():
            await again.grant(h(12))
            await again.enter(transformer("T1", P), transformer("T2"))
            assert [each.revision_number for each in await again.find()] == [1, 1]
            await asyncio.sleep(0)
