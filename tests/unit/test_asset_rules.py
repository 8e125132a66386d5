"""What is entered and changed in the register, where assets stand, and what orders say of them."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from contracts.errors import Conflict, Invalid
from contracts.message import Id, Option, Request
from contracts.nouns.assets import (
    AcceptanceTest,
    Asset,
    AssetDeployment,
    AssetLifecycleStateKind,
    AssetLocation,
    DeploymentStateKind,
    InUseStateKind,
    RetiredReasonKind,
)
from contracts.nouns.device_types import ConfigurationEvent, LifecycleDate
from contracts.nouns.feeder_topology import ConnectivityNode, FeederChange, FeederTopology
from contracts.nouns.maintenance_orders import Asset as Piece
from contracts.nouns.maintenance_orders import MaintenanceOrder, Work, WorkTask
from contracts.nouns.units import PhaseCode
from contracts.nouns.work_types import (
    ActivityRecord,
    WorkKind,
    WorkStatusKind,
    WorkTaskKind,
    WorkTimeSchedule,
    WorkTimeScheduleKind,
)
from contracts.types import DateTimeInterval, Name, NameType, ObjectReference, Status
from services.asset_management.domain.changes import Change, Claim, facts_of, fresh, open_media, refuse_clashes
from services.asset_management.domain.changes import refuse_what_is_not_ready as hold
from services.asset_management.domain.history import Span
from services.asset_management.domain.lifecycle import Event, State
from services.asset_management.domain.places import Liveliness, liveness_in, positions_in, timeline
from services.asset_management.domain.records import Record
from services.asset_management.views import assets as view
from services.asset_management.views import orders
from tests.fixtures.streets import street

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
L, U, D = AssetLifecycleStateKind, InUseStateKind, DeploymentStateKind
AT_P = (ObjectReference(mrid="P"),)


def asset(mrid: str = "T1", **more: Any) -> Asset:
    return Asset(mrid=mrid, **more)


def record(**more: Any) -> Record:
    return Record(core=asset(**more), revision=1, digest="", band=None)


def span(state: State = State.READY, position: str | None = None) -> Span:
    return Span(asset="T1", state=state, starts=NOW - timedelta(days=9), position=position)


# Entering.


def test_an_asset_that_says_nothing_of_its_state_is_in_service_where_it_stands_or_else_received() -> None:
    assert view.arrival(asset(power_system_resources=AT_P), NOW).fact.state is State.IN_SERVICE
    assert view.arrival(asset(), NOW).fact.state is State.RECEIVED


def test_a_record_begins_on_the_day_of_its_state_and_never_in_the_future() -> None:
    dates = LifecycleDate(installation_date=date(2001, 6, 1), received_date=date(2001, 5, 1))
    placed = asset(power_system_resources=AT_P, lifecycle_date=dates)
    assert view.arrival(placed, NOW).fact.at == datetime(2001, 6, 1, tzinfo=UTC)
    assert view.arrival(asset(lifecycle_date=dates), NOW).fact.at == datetime(2001, 5, 1, tzinfo=UTC)
    coming = asset(lifecycle_date=LifecycleDate(received_date=date(2030, 1, 1)))
    assert view.arrival(coming, NOW).fact.at == NOW
    said = asset(configuration_events=(ConfigurationEvent(effective_date_time=NOW - timedelta(hours=3)),))
    assert view.arrival(said, NOW).fact.at == NOW - timedelta(hours=3)


@pytest.mark.parametrize(
    ("wrong", "word", "code"),
    [
        (asset(lifecycle_state=L.RETIRED, in_use_state=U.IN_USE), "do not go together", "2.29"),
        (asset(asset_deployment=AssetDeployment(deployment_state=D.IN_SERVICE)), "somewhere", "5.8"),
        (asset(lifecycle_state=L.RETIRED, power_system_resources=AT_P), "has no position", "2.29"),
        (asset(lifecycle_state=L.PURCHASED), "of a model", "5.8"),
        (asset(power_system_resources=(*AT_P, ObjectReference(mrid="Q"))), "one position", "2.29"),
        (asset(power_system_resources=(ObjectReference(),)), "by its mRID", "2.29"),
        (asset(""), "mRID", "5.8"),
    ],
)
def test_an_asset_that_makes_no_sense_is_refused_with_its_code(wrong: Asset, word: str, code: str) -> None:
    with pytest.raises(Invalid, match=word) as refused:
        view.arrival(wrong, NOW)
    assert refused.value.code == code


def test_what_was_sent_before_in_the_same_words_changes_nothing() -> None:
    assert fresh([("a", "1", "A"), ("b", "2", "B"), ("b", "2", "B")], {"a": "1"}) == ["B"]
    for given, known in (([("a", "1", "A")], {"a": "2"}), ([("a", "1", "A"), ("a", "2", "A")], {})):
        with pytest.raises(Conflict):
            fresh(given, known)


def test_a_serial_number_is_used_once_within_its_model_and_all_problems_are_told() -> None:
    model = ObjectReference(mrid="M")
    claims = [Claim(core=asset(f"T{n}", serial_number="77", product_asset_model=model), position=None) for n in (1, 2)]
    with pytest.raises(Conflict, match="asset T2: serialNumber 77 belongs to asset T1") as refused:
        refuse_clashes(claims, models={"M"}, serials={}, unknown_positions=set())
    assert refused.value.object_id == "T2"
    with pytest.raises(Conflict, match="belongs to asset T9"):
        refuse_clashes(claims[:1], models={"M"}, serials={("M", "77"): "T9"}, unknown_positions=set())
    other = Claim(core=asset("T3", serial_number="77", type="Recloser"), position=None)
    refuse_clashes([claims[0], other], models={"M"}, serials={}, unknown_positions=set())
    many = [Claim(core=asset(f"T{n}", product_asset_model=model), position="Q") for n in range(8)]
    with pytest.raises(Invalid, match=r"M is not in the catalogue; .*no equipment Q.*; and 6 more"):
        refuse_clashes(many, models=set(), serials={}, unknown_positions={"Q"})


# Changing.


def wanted(before: Record | None = None, **more: Any) -> Change:
    return view.change(before or record(), asset(**more), NOW, "a change")


def deployed(state: DeploymentStateKind) -> AssetDeployment:
    return AssetDeployment(deployment_state=state)


def test_what_a_change_does_not_say_stays_as_it_is() -> None:
    before = record(serial_number="77", description="old", type="Recloser")
    changed = wanted(before, description="new").core
    assert (changed.serial_number, changed.description, changed.type) == ("77", "new", "Recloser")
    assert wanted(status=Status(date_time=NOW - timedelta(days=1), value="lost")).at == NOW - timedelta(days=1)


def test_a_change_is_the_events_that_lead_to_what_it_wants() -> None:
    change = wanted(asset_deployment=deployed(D.IN_SERVICE), power_system_resources=AT_P)
    facts = facts_of(change, span(), "abc")
    assert [(fact.event, fact.position, fact.at) for fact in facts] == [
        (Event.INSTALLED, "P", NOW),
        (Event.ENERGISED, None, NOW),
    ]
    assert facts_of(wanted(description="x"), span(), "abc") == []


def test_an_asset_in_one_place_is_not_built_in_at_another() -> None:
    change = wanted(asset_deployment=deployed(D.IN_SERVICE), power_system_resources=(ObjectReference(mrid="Q"),))
    with pytest.raises(Conflict, match="asset T1 is at P: it is 'inService' and cannot be 'installed' at Q"):
        facts_of(change, span(State.IN_SERVICE, "P"), "abc")
    with pytest.raises(Invalid, match="an asset that is 'ready' has no position"):
        facts_of(wanted(power_system_resources=AT_P), span(), "abc")
    with pytest.raises(Invalid, match="what is in place is somewhere"):
        facts_of(wanted(asset_deployment=deployed(D.INSTALLED)), span(), "abc")
    pole = wanted(asset_deployment=deployed(D.INSTALLED), location=AssetLocation(mrid="L"))
    assert [fact.event for fact in facts_of(pole, span(), "abc")] == [Event.INSTALLED]


def test_each_step_has_what_must_be_there_before_it() -> None:
    def steps(change: Change, state: State, **given: Any) -> None:
        held = {"commissioned": False, "open_media": (), **given}
        hold(change, facts_of(change, span(state), "abcdef"), **held)

    ready: dict[str, Any] = {"in_use_state": U.READY_FOR_USE, "asset_deployment": deployed(D.NOT_YET_INSTALLED)}
    with pytest.raises(Conflict, match="has not passed"):
        steps(wanted(**ready, acceptance_test=AcceptanceTest(success=False)), State.RECEIVED)
    steps(wanted(**ready, acceptance_test=AcceptanceTest(success=True)), State.RECEIVED)
    live: dict[str, Any] = {"asset_deployment": deployed(D.IN_SERVICE), "power_system_resources": AT_P}
    with pytest.raises(Conflict, match="no commissioning test"):
        steps(wanted(**live), State.READY)
    steps(wanted(**live), State.READY, commissioned=True)
    steps(wanted(**live, acceptance_test=AcceptanceTest(success=True, type="factory and site")), State.READY)
    with pytest.raises(Invalid, match="retiredReason") as refused:
        steps(wanted(lifecycle_state=L.RETIRED), State.REMOVED)
    assert refused.value.code == "5.8"
    steps(wanted(lifecycle_state=L.RETIRED, retired_reason=RetiredReasonKind.FAILED), State.REMOVED)
    with pytest.raises(Conflict, match="not accounted for: oil 50"):
        steps(wanted(lifecycle_state=L.DISPOSED_OF), State.RETIRED, open_media=open_media([("oilFilled", 50.0)]))


def test_a_medium_is_accounted_for_when_what_was_filled_in_was_recovered_or_lost() -> None:
    closed = [("oilFilled", 200.0), ("oilRecovered", 190.0), ("oilLost", 10.0), ("other", 3.0)]
    assert open_media(closed) == []
    assert open_media([*closed, ("sf6Filled", 1.5)]) == ["sf6 1.5"]


# Telling.


def test_an_asset_is_told_as_it_was_at_an_instant() -> None:
    spans = [
        Span(asset="T1", state=State.READY, starts=NOW - timedelta(days=9), ends=NOW - timedelta(days=5)),
        Span(asset="T1", state=State.IN_SERVICE, starts=NOW - timedelta(days=5), ends=NOW, position="P"),
        Span(asset="T1", state=State.REMOVED, starts=NOW),
    ]
    kept = replace(record(serial_number="77"), band="HI4")
    then = view.told(kept, spans, NOW - timedelta(days=1), None, ())
    assert then is not None
    assert then.power_system_resources == AT_P
    assert (then.in_use_state, then.lifecycle_state) == (U.IN_USE, L.RECEIVED)
    assert then.asset_deployment == AssetDeployment(deployment_state=D.IN_SERVICE, likelihood_of_failure=4)
    assert then.lifecycle_date == LifecycleDate(installation_date=date(2026, 4, 26))
    now = view.told(kept, spans, NOW, None, ())
    assert now is not None
    assert now.power_system_resources == ()
    assert now.lifecycle_date == LifecycleDate(installation_date=date(2026, 4, 26), removal_date=date(2026, 5, 1))
    assert view.told(kept, spans, NOW - timedelta(days=10), None, ()) is None


def test_a_question_that_is_not_understood_is_refused() -> None:
    asked = view.question_in(
        Request(
            start_time=NOW,
            option=(Option(name="type", value="Recloser"), Option(name="knownAt", value="2026-04-01T00:00:00Z")),
            id=(Id(value="P", object_type="PowerSystemResource"),),
        ),
        NOW + timedelta(days=3),
    )
    assert (asked.at, asked.asset_type, asked.kinds) == (NOW, "Recloser", ("PowerSystemResource",))
    assert asked.known_at == datetime(2026, 4, 1, tzinfo=UTC)
    for wrong in (
        Request(option=(Option(name="colour", value="red"),)),
        Request(option=(Option(name="knownAt", value="yesterday"),)),
        Request(option=(Option(name="knownAt", value="2026-04-01T00:00:00"),)),
        Request(id=(Id(value="P", object_type="Crew"),)),
    ):
        with pytest.raises(Invalid):
            view.question_in(wrong, NOW)


# Positions.


def test_customers_depend_on_what_is_between_them_and_the_source() -> None:
    behind = {each.mrid: each.customers for each in positions_in(street())}
    assert behind == {
        "source": 9,
        "breaker": 9,
        "main": 9,
        "fuse-a": 4,
        "line-a": 2,
        "fuse-b": 4,
        "line-b": 2,
        "other source": 0,
        "tie": 0,
    }


def test_a_position_is_live_while_one_of_its_nodes_is() -> None:
    fuse = next(each for each in positions_in(street()) if each.mrid == "fuse-a")

    def told(at: int, live: str = "", dead: str = "") -> Liveliness:
        return Liveliness(
            feeder="feeder",
            at=NOW + timedelta(hours=at),
            revision=at,
            live=tuple(live.split()),
            dead=tuple(dead.split()),
        )

    line = timeline(fuse, [told(3, live="n2"), told(1, dead="n2 n3"), told(4, live="n3"), told(5, dead="n9")])
    assert line == [(NOW + timedelta(hours=1), False), (NOW + timedelta(hours=3), True)]


def test_a_change_of_a_feeder_tells_of_the_nodes_that_changed_and_a_feeder_of_all() -> None:
    nodes = (ConnectivityNode(mrid="n2", source_phases=PhaseCode.ABC), ConnectivityNode(mrid="n3"))
    change = FeederChange(mrid="feeder", event_time=NOW, model_version="1", revision=4, connectivity_node=nodes)
    news = replace(change, connectivity_node=(), model_version="2")
    whole = replace(street(), connectivity_node=nodes)
    told = liveness_in(FeederTopology(feeder=(whole,), feeder_change=(change, news)))
    assert [(each.revision, each.live, each.dead) for each in told] == [(0, ("n2",), ("n3",)), (4, ("n2",), ("n3",))]


# Orders.


def order(task: WorkTask, **more: Any) -> MaintenanceOrder:
    work = Work(mrid="W", work_tasks=(task,), last_modified_date_time=NOW, **more)
    return MaintenanceOrder(mrid="O", work=(work,))


def task(**more: Any) -> WorkTask:
    return WorkTask(mrid="K", **more)


def test_an_exchange_is_one_fact_about_what_went_out_and_what_came_in() -> None:
    ended = NOW - timedelta(hours=1)
    interval = WorkTimeSchedule(kind=WorkTimeScheduleKind.ACTUAL, schedule_interval=DateTimeInterval(end=ended))
    done = task(
        task_kind=WorkTaskKind.EXCHANGE,
        old_asset=Piece(mrid="T1"),
        assets=(Piece(mrid="T2"),),
        time_schedules=(interval,),
    )
    (fact,) = orders.facts_in(order(done), set(), NOW)
    assert (fact.id, fact.asset, fact.replaces, fact.at, fact.event) == ("O K T2", "T2", "T1", ended, Event.INSTALLED)
    (by_place,) = orders.facts_in(order(replace(done, old_asset=Piece(mrid="P"))), {"P"}, NOW)
    assert (by_place.position, by_place.replaces, by_place.evicts) == ("P", None, True)
    (named,) = orders.facts_in(order(replace(done, old_asset=None, assets=(Piece(mrid="P"), *done.assets))), {"P"}, NOW)
    assert (named.asset, named.position, named.evicts) == ("T2", "P", True)


def test_building_in_says_where_by_a_name_and_taking_out_says_what() -> None:
    where = (Name(name="P", name_type=NameType(name="PowerSystemResource")),)
    built = task(task_kind=WorkTaskKind.INSTALL, assets=(Piece(mrid="T2", names=where),))
    (fact,) = orders.facts_in(order(built), set(), NOW)
    assert (fact.asset, fact.position, fact.evicts) == ("T2", "P", False)
    gone = task(task_kind=WorkTaskKind.REMOVE, assets=(Piece(mrid="T1"), Piece(mrid="P")))
    first, second = orders.facts_in(order(gone), {"P"}, NOW)
    assert (first.asset, first.event, first.position) == ("T1", Event.REMOVED, None)
    assert (second.asset, second.position) == (None, "P")


def test_what_only_looked_or_was_cancelled_changes_no_asset() -> None:
    assert (
        orders.facts_in(order(task(task_kind=WorkTaskKind.INVESTIGATE, assets=(Piece(mrid="T1"),))), set(), NOW) == []
    )
    swap = task(old_asset=Piece(mrid="T1"), assets=(Piece(mrid="T2"),))
    assert orders.facts_in(order(replace(swap, status_kind=WorkStatusKind.CANCELLED)), set(), NOW) == []
    assert orders.facts_in(order(swap, status_kind=WorkStatusKind.CANCELLED), set(), NOW) == []


def test_a_finding_of_a_repair_is_a_failure_of_the_device_that_it_names() -> None:
    found = ActivityRecord(reason="equipment", severity="burnt", type="finding", created_date_time=NOW)
    looked = task(task_kind=WorkTaskKind.INVESTIGATE, assets=(Piece(mrid="P"),))
    repair = order(looked, kind=WorkKind.REPAIR, activity_records=(found,))
    (failure,) = orders.failures_in(repair, {"P"}, NOW)
    assert (failure.position, failure.asset, failure.record.reason, failure.at) == ("P", None, "equipment", NOW)
    assert orders.failures_in(order(looked, kind=WorkKind.MAINTENANCE, activity_records=(found,)), {"P"}, NOW) == []


def test_the_fate_of_what_was_asked_for_is_found_by_its_name() -> None:
    name = Name(name="E1", name_type=NameType(name=orders.HEALTH_EVENT))
    plan = Name(name="M1", name_type=NameType(name=orders.PLAN))
    done = order(task(names=(plan,)), names=(name,))
    assert orders.fate_of(done, orders.HEALTH_EVENT, NOW) == [("E1", NOW)]
    assert orders.fate_of(done, orders.PLAN, NOW) == [("M1", NOW)]
    cancelled = order(task(names=(plan,)), status_kind=WorkStatusKind.CANCELLED)
    assert orders.fate_of(cancelled, orders.PLAN, NOW) == [("M1", None)]
