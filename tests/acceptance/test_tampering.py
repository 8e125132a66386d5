"""Tampering, and last gasps that people at work explain (metering guide 7, 8 stage 4, 13 F4), message by message."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta

import pytest

from contracts.interface import Lane
from contracts.message import Error, Message, Option, Reply, Request, Result
from contracts.nouns.customer_agreement_config import CustomerAgreement, CustomerAgreementConfig
from contracts.nouns.end_device_events import EndDeviceEvent, EndDeviceEvents
from contracts.nouns.maintenance_orders import Asset, MaintenanceOrder, MaintenanceOrders, Work, WorkTask
from contracts.nouns.planned_outage_notifications import PlannedOutageNotification, PlannedOutageNotifications
from contracts.nouns.service_requests import ServiceRequest, ServiceRequestState
from contracts.nouns.work_types import WorkKind, WorkStatusKind
from contracts.types import DateTimeInterval, ObjectReference, Reference
from contracts.verbs import Verb
from shared.envelope import success
from shared.tools.testing import Installation, Peer
from tests.acceptance.judged_days import LATER, ONE_DAY, at, found, named, set_up
from tests.acceptance.test_metering import LONG_AGO, MRC, at_end, linked, meter, told, whole_day
from tests.acceptance.test_reads import MINUTE, NOW, Desk, desk
from tests.service.toys.world import eventually

COVER, CLEARED, REVERSED = "3.12.0.257", "3.12.93.28", "3.33.1.219"
LOST, BACK, DISCONNECTED, CONNECTED = "3.26.9.185", "3.26.9.216", "3.31.0.68", "3.31.0.42"


class Watch(Desk):
    """The same desk, with customer management and work management beside it."""

    def __init__(self, plain: Desk, cm: Peer, wm: Peer) -> None:
        super().__init__(plain.here)
        self.cm = cm
        self.wm = wm

    async def told_of(self, code: str, at: datetime, mrid: str = "meter") -> None:
        event = EndDeviceEvent(
            created_date_time=at,
            assets=ObjectReference(mrid=mrid),
            end_device_event_type=Reference(ref=code),
        )
        await self.here.head_end.tell(Verb.CREATED, EndDeviceEvents(end_device_event=(event,)), key=mrid)

    async def case(self, verb: Verb) -> ServiceRequest:
        """What customer management is asked next."""
        message = (await self.cm.next()).message
        assert (message.header.verb, message.header.noun) == (verb, "ServiceRequests")
        await self.cm.reply(message, success())
        (request,) = message.noun.service_request
        assert isinstance(request, ServiceRequest)
        return request

    async def suspicion(self, state: str, point: str = "point") -> None:
        """Wait until what is suspected of the usage point stands so."""
        sql = "SELECT body ->> 'state' = $1 FROM suspicion WHERE usage_point = $2"
        await eventually(lambda: self.here.database.fetchval(sql, state, point))

    async def crew(
        self, status: WorkStatusKind, at: datetime, kind: WorkKind = WorkKind.SERVICE, point: str = "point"
    ) -> None:
        """How an order at the usage point stands."""
        task = WorkTask(assets=(Asset(mrid=point),))
        work = Work(mrid="work", kind=kind, last_modified_date_time=at, status_kind=status, work_tasks=(task,))
        order = MaintenanceOrders(maintenance_order=(MaintenanceOrder(mrid="order", work=(work,)),))
        await self.wm.tell(Verb.CHANGED, order, key="order")

    async def dropped(self) -> list[tuple[str, str | None]]:
        """The events that were not passed on, with the reason."""
        question = Request(option=(Option(name="dropped", value="true"),))
        answer = await self.here.cis.request(MRC, Verb.GET, EndDeviceEvents, question=question)
        events = () if answer.payload is None else answer.payload.end_device_event
        return [(each.end_device_event_type.ref, each.status.reason) for each in events]


@asynccontextmanager
async def watch(dms: Installation, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Watch]:
    async with (
        desk(dms, monkeypatch) as plain,
        plain.here.installation.peer("customer-management") as cm,
        plain.here.installation.peer("work-management") as wm,
    ):
        cm.drain("command", "customer-management")
        yield Watch(plain, cm, wm)


async def test_a_cover_that_opens_and_a_meter_that_runs_backwards_after_an_outage_are_a_case_and_one_alone_is_not(
    dms: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F4: the event is passed on, the meter is read, the score makes the case; cleared, what was watched ends."""
    async with watch(dms, monkeypatch) as here:
        await here.here.admin.follow(here.here.admin.space.events(Lane.OUTAGE, MRC))
        await here.told_of(COVER, NOW)
        (passed,) = (await here.here.admin.next()).message.noun.end_device_event
        assert passed.end_device_event_type.ref == COVER
        await here.shows(await here.question(), "12")
        await here.suspicion("watched")
        await here.told_of(CLEARED, NOW + MINUTE)
        await here.suspicion("cleared")
        assert here.cm.heard.empty()

        await here.pass_time(3 * MINUTE)
        await here.told_of(COVER, NOW + 2 * MINUTE)
        await here.shows(await here.question(), "13")
        await here.told_of(BACK, NOW + 3 * MINUTE)
        await here.told_of(REVERSED, NOW + 3 * MINUTE)
        await here.shows(await here.question(), "14")
        case = await here.case(Verb.CREATE)
        assert (case.kind, case.type) == (WorkKind.INSPECTION, "revenue protection")
        assert case.usage_point == ObjectReference(mrid="point")
        assert case.subject == "meter meter may have been tampered with (score 8)"
        assert "tamper, reverseAfterOutage" in (case.description or "")
        assert "shows 14" in (case.description or "")
        await here.told_of(CLEARED, NOW + 3 * MINUTE)
        await here.told_of(REVERSED, NOW + 3 * MINUTE + MINUTE / 2)
        await here.suspicion("case")

        await here.crew(WorkStatusKind.ON_SITE, NOW)
        await here.suspicion("explained")
        withdrawn = await here.case(Verb.CHANGE)
        assert withdrawn.mrid == case.mrid
        assert withdrawn.status is not None
        assert withdrawn.status.value == ServiceRequestState.CANCELLED


async def test_what_a_meter_tells_while_people_work_at_it_is_explained_and_one_that_is_silent_is_still_a_case(
    dms: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F4: within a day of work nothing is suspected; where the meter does not answer, the case says so."""
    async with watch(dms, monkeypatch) as here:
        await here.crew(WorkStatusKind.ON_SITE, NOW - timedelta(hours=20))
        await here.crew(WorkStatusKind.COMPLETED, NOW - timedelta(hours=19))
        await eventually(lambda: here.here.database.fetchval("SELECT count(ends) = 1 FROM field_work"))
        await here.told_of(COVER, NOW)
        await here.suspicion("explained")
        await here.pass_time(timedelta(hours=6))
        await here.told_of(DISCONNECTED, here.now)
        await here.told_of("3.31.1.143", here.now)
        question = await here.question()
        refusal = Error(code="5.7", reason="the meter is gone")
        await here.here.head_end.reply(question, Reply(result=Result.FAILED, error=(refusal,)))
        case = await here.case(Verb.CREATE)
        assert case.subject == "meter meter may have been tampered with (score 9)"
        assert "does not answer: the meter is gone" in (case.description or "")


async def test_usage_where_the_switch_is_open_counts_with_what_the_meter_tells_unless_people_were_there(
    dms: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """V19: one is watched, and a case with its cover; one had work; of one it is told late that it was connected."""
    day, off = date(2026, 11, 29), datetime(2026, 11, 28, 12, tzinfo=UTC)
    meters = {"meter": "point", "worked": "worked point", "late": "late point"}
    async with watch(dms, monkeypatch) as here:
        for mrid in ("worked", "late"):
            await here.here.do(Verb.CREATE, meter(mrid, serial=mrid))
            await here.here.do(Verb.CREATE, linked(mrid, LONG_AGO, meters[mrid]))
        await here.crew(WorkStatusKind.ON_SITE, off - timedelta(hours=2), point="worked point")
        await here.crew(WorkStatusKind.COMPLETED, off, point="worked point")
        await eventually(lambda: here.here.database.fetchval("SELECT count(ends) = 1 FROM field_work"))
        for mrid in meters:
            await here.told_of(DISCONNECTED, off, mrid)
            await here.here.do(Verb.CREATE, told(whole_day(day), mrid))
        switched = "SELECT count(*) FROM event WHERE code = ANY($1)"
        await eventually(lambda: here.here.database.fetchval(f"SELECT ({switched}) = 3", [DISCONNECTED]))
        await at(here.here, LATER)
        assert [await found(here.here, point, day=day) for point in meters.values()] == [{"V19": 96}] * 3
        await here.suspicion("watched")
        await here.suspicion("watched", "late point")
        rows = await here.here.database.fetch("SELECT usage_point, body -> 'score' AS score FROM suspicion ORDER BY 1")
        assert [tuple(row) for row in rows] == [("late point", "5"), ("point", "5")]
        assert here.here.head_end.heard.empty(), "its days are known, so nothing is read for it"

        here.now = LATER
        await here.told_of(COVER, LATER)
        await here.shows(await here.question(), "15")
        case = await here.case(Verb.CREATE)
        assert case.subject == "meter meter may have been tampered with (score 9)"
        assert "tamper, usageOnInactive" in (case.description or "")

        await here.told_of(CONNECTED, off + timedelta(hours=20), "late")
        await eventually(lambda: here.here.database.fetchval(f"SELECT ({switched}) = 1", [CONNECTED]))
        await at(here.here, LATER + timedelta(hours=3))
        assert await found(here.here, "late point", day=day) == {}
        await here.suspicion("cleared", "late point")


async def test_a_week_without_usage_is_a_sign_where_the_neighbours_behind_the_transformer_have_theirs(
    dms: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """V18 at two usage points: three are beside the one, and two beside the other."""
    idle, busy = ["meter", "lone"], ["a", "b", "c"]
    days = [date(2026, 11, 29) - number * ONE_DAY for number in range(9)]
    async with watch(dms, monkeypatch) as here:
        for mrid in ("lone", *busy):
            await here.here.do(Verb.CREATE, meter(mrid, serial=mrid))
            await here.here.do(Verb.CREATE, linked(mrid, LONG_AGO, f"{mrid} point"))
        behind = {"point": "t1", "lone point": "t2", **dict.fromkeys(("a point", "b point", "c point"), "t1")}
        await here.here.database.executemany(
            "INSERT INTO served (usage_point, since, recorded_at, feeder, transformer) VALUES ($1, $2, $2, 'f', $3)",
            [(point, LONG_AGO, transformer) for point, transformer in behind.items()],
        )
        for day in days:
            for mrid in (*idle, *busy):
                values = whole_day(day)
                still = [at_end(each.time_stamp or NOW, 0) for each in values]
                await here.here.do(Verb.CREATE, told(still if mrid in idle else values, mrid))
        await at(here.here, LATER)
        assert await found(here.here, "lone point", day=days[0]) == {"V18": 96}
        rows = await here.here.database.fetch("SELECT usage_point, body -> 'signs' AS signs FROM suspicion")
        assert [tuple(row) for row in rows] == [("point", '["zeroAmongNeighbours"]')]


async def test_a_month_of_far_less_than_in_the_year_before_is_a_sign_where_the_neighbours_go_on_as_before(
    dms: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of four that take far less one has moved in, one has a generator, and one had people at work."""
    fallen, busy = ["meter", "new", "sun", "worked"], ["a", "b", "c", "d", "e"]
    days = [date(2026, 11, 30) - number * ONE_DAY for number in range(8)]
    async with watch(dms, monkeypatch) as here:
        for mrid in (*fallen[1:], *busy):
            await here.here.do(Verb.CREATE, meter(mrid, serial=mrid))
            await here.here.do(Verb.CREATE, linked(mrid, LONG_AGO, f"{mrid} point"))
        await here.here.do(Verb.CREATE, set_up("sun point", names=(named("roof", "generation"),)))
        agreement = CustomerAgreement(
            mrid="contract",
            revision_number=1,
            usage_points=(ObjectReference(mrid="new point"),),
            validity_interval=DateTimeInterval(start=datetime(2026, 8, 1, tzinfo=UTC)),
        )
        told_of = CustomerAgreementConfig(customer_agreement=(agreement,))
        await here.cm.tell(Verb.CREATED, told_of, key="contract")
        await eventually(lambda: here.here.database.fetchval("SELECT count(*) = 1 FROM agreed"))
        began = datetime(2026, 11, 9, 12, tzinfo=UTC)
        await here.crew(WorkStatusKind.ON_SITE, began, point="worked point")
        await here.crew(WorkStatusKind.COMPLETED, began, point="worked point")
        await eventually(lambda: here.here.database.fetchval("SELECT count(ends) = 1 FROM field_work"))
        for mrid in (*fallen, *busy):
            file = [each for day in days for each in whole_day(day)]
            small = [at_end(each.time_stamp or NOW, 20) for each in file]
            await here.here.do(Verb.CREATE, told(small if mrid in fallen else file, mrid))
        await here.here.database.execute(
            "INSERT INTO served (usage_point, since, recorded_at, feeder, transformer)"
            " SELECT DISTINCT usage_point, $1::timestamptz, $1::timestamptz, 'f', 't1' FROM series",
            LONG_AGO,
        )
        year = [14_160.0 + month for month in range(13)]
        await here.here.database.execute(
            "INSERT INTO monthly_use (series, last_month, use) SELECT id, '2026-10-01', $1 FROM series", year
        )
        await at(here.here, NOW + timedelta(hours=6))
        kept = await here.here.database.fetch(
            "SELECT usage_point, last_month, use FROM monthly_use JOIN series ON id = series"
        )
        use = {row["usage_point"]: row["use"] for row in kept}
        assert {row["last_month"] for row in kept} == {date(2026, 11, 1)}
        assert (use["point"], use["a point"]) == ([*year[1:], 1920.0], [*year[1:], 14_160.0])
        await at(here.here, NOW + timedelta(hours=8))
        await here.suspicion("watched")
        waiting = "SELECT count(*) = 0 FROM wake WHERE name = 'usage-fell'"
        await eventually(lambda: here.here.database.fetchval(waiting))
        rows = await here.here.database.fetch(
            "SELECT usage_point, body -> 'signs' AS signs, body -> 'score' AS score FROM suspicion"
        )
        assert [tuple(row) for row in rows] == [("point", '["usageDropped"]', "3")]


@pytest.mark.parametrize(("percent", "is_lost"), [(110, True), (103, False), (80, False)])
async def test_what_passes_a_transformer_for_a_week_and_does_not_arrive_is_a_sign_at_those_behind_it_until_it_does(
    dms: Installation, monkeypatch: pytest.MonkeyPatch, *, percent: int, is_lost: bool
) -> None:
    """The meter of the transformer is behind a current transformer of ten to one."""
    busy, end = ("a", "b", "c"), date(2026, 11, 30)
    reachable = [f"{mrid} point" for mrid in busy]

    async def measured(here: Watch, days: list[date], percent: int) -> None:
        file = [each for day in days for each in whole_day(day)]
        for mrid in busy:
            await here.here.do(Verb.CREATE, told(file, mrid))
        passed = [at_end(each.time_stamp or NOW, int(each.value or 0) * 3 * percent // 1000) for each in file]
        await here.here.do(Verb.CREATE, told(passed, "tm"))

    async with watch(dms, monkeypatch) as here:
        for mrid in (*busy, "tm"):
            await here.here.do(Verb.CREATE, meter(mrid, ratio=10.0 if mrid == "tm" else 1.0, serial=mrid))
            await here.here.do(Verb.CREATE, linked(mrid, LONG_AGO, f"{mrid} point"))
        await here.here.do(Verb.CREATE, set_up("tm point", names=(named("t1", "transformer"),)))
        await here.here.database.executemany(
            "INSERT INTO served (usage_point, since, recorded_at, feeder, transformer) VALUES ($1, $2, $2, 'f', 't1')",
            [(point, LONG_AGO) for point in reachable],
        )
        await measured(here, [end - number * ONE_DAY for number in range(7)], percent)
        await at(here.here, NOW + timedelta(hours=6))
        await at(here.here, NOW + timedelta(hours=8))
        looked_at = "SELECT count(*) = 0 FROM wake WHERE name = 'balance'"
        await eventually(lambda: here.here.database.fetchval(looked_at))
        signs = "SELECT usage_point, body ->> 'signs', body ->> 'state' FROM suspicion ORDER BY usage_point"
        shown = [(point, '["balanceLoss"]', "watched") for point in reachable] if is_lost else []
        assert [tuple(row) for row in await here.here.database.fetch(signs)] == shown
        lost = await here.here.database.fetch("SELECT transformer, market_day, share FROM balance_loss")
        assert [tuple(row)[:2] for row in lost] == ([("t1", end)] if is_lost else [])
        assert all(row["share"] == pytest.approx(1 - 1 / 1.1, abs=0.01) for row in lost)
        if is_lost:
            await at(here.here, NOW + ONE_DAY)
            await measured(here, [end + ONE_DAY], 101)
            await at(here.here, NOW + timedelta(hours=31))
            await at(here.here, NOW + timedelta(hours=33))
            for point in reachable:
                await here.suspicion("cleared", point)
            assert await here.here.database.fetchval("SELECT count(*) FROM balance_loss") == 0


async def test_last_gasps_of_meters_at_which_people_work_are_kept_with_the_reason_and_not_passed_on(
    dms: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stage 4: exchange, disconnect, planned outage, open order; that power is back is always told."""
    hour = timedelta(hours=1)
    async with watch(dms, monkeypatch) as here:
        await here.here.admin.follow(here.here.admin.space.events(Lane.OUTAGE, MRC))
        await here.crew(WorkStatusKind.ON_SITE, NOW - 9 * hour, WorkKind.REPAIR)
        await here.crew(WorkStatusKind.ON_SITE, NOW - 8 * hour)
        await here.crew(WorkStatusKind.COMPLETED, NOW - 7 * hour)
        await eventually(lambda: here.here.database.fetchval("SELECT count(ends) = 1 FROM field_work"))
        period = DateTimeInterval(start=NOW - 6 * hour, end=NOW - 5 * hour)
        notice = PlannedOutageNotification(
            mrid="notice",
            planned_outage=ObjectReference(mrid="outage"),
            planned_period=period,
            usage_points=(ObjectReference(mrid="point"),),
        )
        noun = PlannedOutageNotifications(planned_outage_notification=(notice,))
        await here.cm.tell(Verb.CREATED, noun, key="notice")
        await eventually(lambda: here.here.database.fetchval("SELECT count(*) = 1 FROM planned_outage"))
        for at in (NOW - 8.5 * hour, NOW - 7.5 * hour, NOW - 5.5 * hour):
            await here.told_of(LOST, at)
        await here.told_of(DISCONNECTED, NOW - 4 * hour)
        await here.told_of(LOST, NOW - 3 * hour)
        await here.told_of(BACK, NOW - 3 * hour)
        assert await passed(here, 3) == [LOST, DISCONNECTED, BACK]
        assert await here.dropped() == [(LOST, "work"), (LOST, "plannedOutage"), (LOST, "disconnected")]

        await here.here.do(Verb.CREATE, meter("new", serial="2"))
        await here.here.do(Verb.CHANGE, linked("new", NOW - hour))
        await here.told_of(LOST, NOW - hour + MINUTE)
        await here.told_of(LOST, NOW)
        await eventually(lambda: here.here.database.fetchval("SELECT count(*) = 5 FROM event WHERE dropped > ''"))
        assert (await here.dropped())[3:] == [(LOST, "exchange"), (LOST, "notInstalled")]


async def passed(here: Watch, count: int) -> list[str]:
    """The codes of so many events that are passed on next, however they travel together."""
    codes: list[str] = []
    while len(codes) < count:
        message: Message[EndDeviceEvents] = (await here.here.admin.next()).message
        codes += [event.end_device_event_type.ref for event in message.noun.end_device_event]
    return codes
