"""The acceptance scenarios of the planning guide for work, message by message on real servers.

Longer than 400 lines because they share one desk, with which a scenario is told in a few lines.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import json
from msgspec.structs import replace

from contracts.catalogue import CATALOGUE
from contracts.errors import BusbarError, Conflict, Rejected, from_reply
from contracts.message import Message, Reply, Result
from contracts.nouns import crews as crew_noun
from contracts.nouns import maintenance_orders as orders
from contracts.nouns.crews import Crews
from contracts.nouns.feeder_topology import FeederTopology
from contracts.nouns.maintenance_orders import MaintenanceOrder, MaintenanceOrders
from contracts.nouns.material_items import IntegerQuantity, MaterialItem, MaterialItems
from contracts.nouns.network_models import NetworkModel, NetworkModels
from contracts.nouns.safety_documents import ClearanceDocument, SafetyDocuments
from contracts.nouns.unplanned_outages import OutageStatusKind, UnplannedOutage, UnplannedOutages
from contracts.nouns.work_requests import Asset, Work, WorkRequest, WorkRequests, WorkTask
from contracts.nouns.work_types import (
    ActivityRecord,
    Priority,
    WorkKind,
    WorkStatusKind,
    WorkTimeSchedule,
    WorkTimeScheduleKind,
)
from contracts.types import DateTimeInterval, Name, NameType, ObjectReference, Status
from contracts.verbs import Verb
from services.work_management.service import service as work_management
from shared.runtime import running
from shared.tools.bootstrap import Schema
from shared.tools.testing import Installation, Peer
from tests.fixtures.streets import equipment, feeder, usage_point

WM = "work-management"
K = WorkStatusKind
T0 = datetime(2026, 3, 14, 10, 0, tzinfo=UTC)
SIMULATED = [f"c4e30000-0000-4000-8000-00000000000{number}" for number in (1, 2, 3)]


def at(minutes: float) -> datetime:
    return T0 + timedelta(minutes=minutes)


def typed(name: str, kind: str) -> Name:
    return Name(name=name, name_type=NameType(name=kind))


class Desk:
    """Work management in granted time, with its crews, the control room and whoever asks."""

    def __init__(self, admin: Peer, crews: Peer, control: Peer) -> None:
        self.admin, self.crews, self.control = admin, crews, control

    async def grant(self, now: datetime) -> None:
        await self.admin.bus.publish_core(self.admin.space.clock, json.encode({"now": now}))
        await asyncio.sleep(0.1)

    async def do(self, verb: Verb, payload: Any, peer: Peer | None = None, **more: Any) -> Any:
        answer = await (peer or self.admin).request(WM, verb, payload, timeout_s=30, **more)
        assert answer.reply is not None
        assert answer.reply.result is Result.OK, answer.reply
        return answer.payload

    async def refused(self, verb: Verb, payload: Any) -> BusbarError:
        answer = await self.admin.request(WM, verb, payload, timeout_s=30)
        assert answer.reply is not None
        error = from_reply(answer.reply)
        assert error is not None
        return error

    async def only(self, *members: crew_noun.CrewMember, mrid: str = "crew", **more: Any) -> None:
        """One crew instead of those of the simulation."""
        gone = tuple(crew_noun.Crew(mrid=each, status=Status(value="RELEASED")) for each in SIMULATED)
        await self.do(Verb.CHANGE, Crews(crew=gone))
        line = (crew_noun.Capability(type="line"),)
        crew = crew_noun.Crew(mrid=mrid, capabilities=line, crew_members=members, names=(Name(name=mrid),), **more)
        await self.do(Verb.CREATE, Crews(crew=(crew,)))

    async def ask(self, mrid: str, *names: Name, tasks: int = 1, **more: Any) -> None:
        """Ask for the repair of something."""
        work = Work(
            mrid=f"{mrid} work",
            kind=WorkKind.REPAIR,
            names=names,
            work_tasks=tuple(WorkTask(mrid=f"{mrid} task {each}") for each in range(1, tasks + 1)),
            **more,
        )
        await self.do(Verb.CREATE, WorkRequests(work_request=(WorkRequest(mrid=mrid, work=(work,)),)))

    async def order_of(self, mrid: str) -> MaintenanceOrder:
        """The order that a request became, if it is not over."""
        shown = (await self.do(Verb.GET, MaintenanceOrders)).maintenance_order
        found: MaintenanceOrder = next(each for each in shown if each.work[0].mrid == f"{mrid} work")
        return found

    async def status(self, order: MaintenanceOrder) -> WorkStatusKind | None:
        (shown,) = (await self.do(Verb.GET, MaintenanceOrders, ids=[order.mrid])).maintenance_order
        status: WorkStatusKind | None = shown.work[0].status_kind
        return status

    async def sent(self, verb: Verb = Verb.CREATE, *, take: bool = True) -> MaintenanceOrder:
        """The next order that reaches the crews."""
        message: Message[Any] = (await self.crews.next()).message
        assert message.header.verb is verb
        if take:
            await self.crews.reply(message, Reply(result=Result.OK))
        (order,) = message.noun.maintenance_order
        assert isinstance(order, MaintenanceOrder)
        return order

    async def shows(self, order: MaintenanceOrder, fits: Callable[[orders.Work], bool]) -> MaintenanceOrder:
        """The order as soon as its work fits."""
        async with asyncio.timeout(30):
            while True:
                (shown,) = (await self.do(Verb.GET, MaintenanceOrders, ids=[order.mrid])).maintenance_order
                if fits(shown.work[0]):
                    assert isinstance(shown, MaintenanceOrder)
                    return shown
                await asyncio.sleep(0.02)

    async def accepted(self, order: MaintenanceOrder) -> None:
        """Wait until the desk has heard that the crew takes an order; who does not answer in time loses it."""
        await self.shows(order, lambda work: any(each.type == "accept" for each in work.activity_records))

    async def nothing_sent(self) -> None:
        await asyncio.sleep(0.4)
        assert self.crews.heard.empty()

    async def report(
        self,
        order: MaintenanceOrder,
        status: WorkStatusKind | None,
        minute: float,
        *records: ActivityRecord,
        task: str | None = None,
        **content: Any,
    ) -> MaintenanceOrder:
        """A crew reports of a task, or of all."""
        known = order.work[0]
        said = tuple(
            orders.WorkTask(mrid=each.mrid, status_kind=status, crews=each.crews, **content)
            for each in known.work_tasks
            if task in {None, each.mrid}
        )
        work = orders.Work(
            mrid=known.mrid, last_modified_date_time=at(minute), activity_records=records, work_tasks=said
        )
        told = MaintenanceOrders(maintenance_order=(MaintenanceOrder(mrid=order.mrid, work=(work,)),))
        after: MaintenanceOrder = (await self.do(Verb.CHANGE, told, self.crews)).maintenance_order[0]
        return after

    async def clearance(self, mrid: str, state: str, revision: int) -> None:
        """The control room tells of a clearance."""
        document = ClearanceDocument(mrid=mrid, revision_number=revision, status=Status(value=state))
        told = SafetyDocuments(clearance_document=(document,))
        await self.control.tell(Verb.CHANGED if revision > 1 else Verb.CREATED, told, key=mrid)


@asynccontextmanager
async def desk(dms: Installation) -> AsyncIterator[Desk]:
    installation = dms.of(Schema(WM, work_management.migrations), granted_clock=True)
    async with AsyncExitStack() as stack:
        await installation.prepare()
        roles = ("admin", "crews", "network-operation")
        peers = [await stack.enter_async_context(installation.peer(role)) for role in roles]
        peers[1].drain("command", "crews")
        await stack.enter_async_context(running(work_management, settings=installation.settings, catalogue=CATALOGUE))
        here = Desk(*peers)
        await here.grant(T0)
        yield here


async def test_given_a_done_and_a_cancelled_task_then_the_order_waits_for_its_safety_document_and_is_closed(
    dms: Installation,
) -> None:
    """Scenario 6: `close` without the document released is rejected with that reason."""
    async with desk(dms) as here:
        await here.only()
        await here.ask("pole", typed("D", "SafetyDocument"))
        await here.nothing_sent()
        await here.clearance("D", "ISSUED", 1)
        order = await here.sent()
        await here.report(order, K.ON_SITE, 0)
        done = await here.report(order, K.COMPLETED, 0)
        assert done.work[0].status_kind is K.COMPLETED
        error = await here.refused(
            Verb.CLOSE, MaintenanceOrders(maintenance_order=(MaintenanceOrder(mrid=order.mrid),))
        )
        assert isinstance(error, Rejected)
        assert (error.code, error.reason) == ("6.1", "the safety document D is not released")
        await here.clearance("D", "RELEASED", 2)
        assert (await here.shows(order, lambda work: work.status_kind is K.CLOSED)).mrid == order.mrid


async def test_given_start_complete_and_hold_that_arrive_out_of_order_then_the_order_is_completed(
    dms: Installation,
) -> None:
    """Scenario 7: three lines of history in the order of events, half an hour of labour; twice changes nothing."""
    async with desk(dms) as here:
        await here.only()
        await here.ask("pole")
        order = await here.sent()
        await here.accepted(order)
        await here.grant(at(120))
        hold = ActivityRecord(created_date_time=at(30), reason="lunch", type="hold")
        for _ in range(2):
            await here.report(order, K.COMPLETED, 60)
            await here.report(order, K.IN_PROGRESS, 0)
            after = await here.report(order, None, 60, hold)
        (work,) = after.work
        lines = [(each.type, each.created_date_time) for each in work.activity_records]
        assert [each for each in lines if each[0] in {"start", "pause", "complete"}] == [
            ("start", at(0)),
            ("pause", at(30)),
            ("complete", at(60)),
        ]
        assert work.status_kind is K.CLOSED
        actual = work.work_tasks[0].time_schedules[-1].schedule_interval
        assert actual == DateTimeInterval(start=at(0), end=at(60))


async def test_given_a_cancel_and_an_acceptance_at_one_instant_then_one_wins_and_the_crew_is_free(
    dms: Installation,
) -> None:
    """Scenario 8: whichever comes first; the requester is told the truth, and what has begun is not cancelled."""
    async with desk(dms) as here:
        await here.only()
        for mrid, answers_first in (("one", True), ("two", False)):
            await here.ask(mrid)
            order = await here.sent(take=answers_first)
            recall = WorkRequests(work_request=(WorkRequest(work=(Work(mrid=f"{mrid} work"),)),))
            told = await here.do(Verb.CANCEL, recall)
            assert told.work_request[0].work[0].status_kind is K.CANCELLED
            back = await here.sent(Verb.CANCEL)
            assert (back.mrid, back.work[0].work_tasks[0].crews[0].mrid) == (order.mrid, "crew")
            assert await here.status(order) is K.CANCELLED
        await here.ask("three")
        order = await here.sent()
        await here.report(order, K.ON_SITE, 0)
        await here.grant(at(10))
        recall = WorkRequests(work_request=(WorkRequest(work=(Work(mrid="three work"),)),))
        told = await here.do(Verb.CANCEL, recall)
        assert told.work_request[0].work[0].status_kind is K.IN_PROGRESS
        await here.sent(Verb.CANCEL)
        ended = await here.report(order, K.COMPLETED, 10)
        assert ended.work[0].status_kind is K.CLOSED


async def storm(here: Desk, models: Peer, faults: Peer) -> None:
    """Section 2.4: A, of 100 customers and 4 h, lies upstream of B, of 400 and 1 h; C, of 150 and 1 h, is elsewhere."""
    drawn = feeder(
        [
            equipment("source", "EnergySource", "s"),
            *(
                equipment(name, "Fuse", *nodes)
                for name, nodes in {"A": ("s", "a"), "B": ("a", "b"), "C": ("s", "c")}.items()
            ),
        ],
        [usage_point("pa", "a", 100), usage_point("pb", "b", 400), usage_point("pc", "c", 150)],
    )

    async def shown(_: Message[Any]) -> tuple[Reply, Any]:
        return Reply(result=Result.OK), FeederTopology(feeder=(drawn,))

    await models.serve(shown)
    await models.tell(
        Verb.CREATED,
        NetworkModels(network_model=(NetworkModel(mrid="model", model_format="application/rdf+xml"),)),
        key="model",
    )
    for name in ("A", "B", "C"):
        dark = (ObjectReference(mrid=f"p{name.lower()}"),)
        outage = UnplannedOutage(
            mrid=f"outage {name}",
            revision_number=1,
            outage_kind=OutageStatusKind.PREDICTED,
            de_energized_usage_point=dark,
        )
        await faults.tell(Verb.CREATED, UnplannedOutages(unplanned_outage=(outage,)), key=outage.mrid)
    await asyncio.sleep(1.0)
    for name, hours in (("A", 4), ("B", 1), ("C", 1)):
        span = WorkTimeSchedule(
            kind=WorkTimeScheduleKind.ESTIMATE, schedule_interval=DateTimeInterval(start=T0, end=at(60 * hours))
        )
        task = WorkTask(mrid=f"{name} task", assets=(Asset(mrid=name),))
        work = Work(
            mrid=f"{name} work",
            kind=WorkKind.REPAIR,
            names=(typed(f"outage {name}", "UnplannedOutage"),),
            priority=Priority(rank=3),
            time_schedules=(span,),
            work_tasks=(task,),
        )
        asked = WorkRequest(mrid=name, work=(work,))
        await here.do(Verb.CREATE, WorkRequests(work_request=(asked,)))


async def test_given_a_b_and_c_and_one_crew_then_it_repairs_c_then_a_then_b(dms: Installation) -> None:
    """Scenario 9: 3,050 customer-hours, where the largest outage first would have cost 3,300."""
    async with (
        desk(dms) as here,
        dms.peer("network-model-management") as models,
        dms.peer("fault-management") as faults,
    ):
        gone = tuple(crew_noun.Crew(mrid=each, status=Status(value="RELEASED")) for each in SIMULATED)
        await here.do(Verb.CHANGE, Crews(crew=gone))
        await storm(here, models, faults)
        line = (crew_noun.Capability(type="line"),)
        crew = crew_noun.Crew(mrid="crew", capabilities=line, names=(Name(name="crew"),))
        await here.do(Verb.CREATE, Crews(crew=(crew,)))
        minute, sequence = 0.0, []
        for hours in (1, 4, 1):
            order = await here.sent()
            sequence.append(order.work[0].mrid)
            await here.accepted(order)
            minute += 60 * hours
            await here.grant(at(minute))
            await here.report(order, K.COMPLETED, minute)
        assert sequence == ["C work", "A work", "B work"]


async def test_given_a_wire_down_when_the_only_crew_is_on_its_way_elsewhere_then_it_goes_there_first(
    dms: Installation,
) -> None:
    """Scenario 9, the last part: it pre-empts; what was taken away waits again and comes next."""
    async with desk(dms) as here:
        await here.only()
        await here.ask("outage", priority=Priority(rank=3))
        first = await here.sent()
        await here.ask("wire down", priority=Priority(rank=1))
        assert (await here.sent(Verb.CANCEL)).mrid == first.mrid
        urgent = await here.sent()
        assert urgent.work[0].mrid == "wire down work"
        assert await here.status(first) is K.WAITING_TO_BE_SCHEDULED
        await here.report(urgent, K.COMPLETED, 0)
        assert (await here.sent()).mrid == first.mrid


async def test_given_a_crew_at_15_h_30_of_16_then_a_job_of_an_hour_waits_with_its_reason_for_8_h_of_rest(
    dms: Installation,
) -> None:
    """Scenario 10."""
    async with desk(dms) as here:
        await here.only(shift=DateTimeInterval(start=at(-15.5 * 60), end=at(60)))
        await here.ask("outage", priority=Priority(rank=2))
        await here.nothing_sent()
        reasons = [each.reason for each in (await here.order_of("outage")).work[0].activity_records]
        assert reasons[-1] == "crew: it would be on duty for more than 16 h"
        rested = crew_noun.Crew(mrid="crew", shift=DateTimeInterval(start=at(60 + 480), end=at(60 + 960)))
        await here.do(Verb.CHANGE, Crews(crew=(rested,)))
        await here.nothing_sent()
        await here.grant(at(60 + 480))
        assert (await here.sent()).work[0].mrid == "outage work"


async def test_given_the_only_live_line_member_goes_sick_then_live_line_work_returns_and_other_work_stays(
    dms: Installation,
) -> None:
    """Scenario 11: within one event."""
    async with desk(dms) as here:
        live = crew_noun.Capability(type="liveLine")
        ana = crew_noun.CrewMember(mrid="ana", capabilities=(live,))
        tom = crew_noun.CrewMember(mrid="tom")
        await here.only(ana, tom)
        window = DateTimeInterval(start=at(300), end=at(360))
        appointment = WorkTimeSchedule(kind=WorkTimeScheduleKind.REQUEST, schedule_interval=window)
        await here.ask("live", typed("liveLine", "Capability"), time_schedules=(appointment,))
        await here.ask("plain")
        plain = await here.sent()
        scheduled = await here.order_of("live")
        assert scheduled.work[0].status_kind is K.SCHEDULED
        sick = crew_noun.Crew(mrid="crew", crew_members=(replace(ana, status=Status(value="SICK")), tom))
        await here.do(Verb.CHANGE, Crews(crew=(sick,)))
        assert await here.status(scheduled) is K.WAITING_TO_BE_SCHEDULED
        assert await here.status(plain) is K.DISPATCHED


async def test_given_10_poles_and_two_orders_of_6_then_one_gets_6_and_the_other_none_until_more_come(
    dms: Installation,
) -> None:
    """Scenario 12: 4 are not held; receipt of 2 releases it, and so does a cancel of the first; 2 unused come back."""
    async with desk(dms) as here:
        await here.only()
        pole = MaterialItem(mrid="pole", quantity=IntegerQuantity(value=10))
        await here.do(Verb.CREATE, MaterialItems(material_item=(pole,)))

        async def stock() -> tuple[int, int]:
            (shown,) = (await here.do(Verb.GET, MaterialItems, ids=["pole"])).material_item
            return shown.quantity.value, shown.allocated.value

        kit = (orders.MaterialItem(mrid="pole", quantity=orders.Quantity(value=6)),)
        for mrid in ("one", "two"):
            await here.ask(mrid, status_kind=K.WAITING_ON_APPROVAL)
            made = await here.order_of(mrid)
            task = orders.WorkTask(mrid=f"{mrid} task 1", material_items=kit)
            work = orders.Work(mrid=f"{mrid} work", status_kind=K.APPROVED, work_tasks=(task,))
            plan = MaintenanceOrders(maintenance_order=(MaintenanceOrder(mrid=made.mrid, work=(work,)),))
            await here.do(Verb.CHANGE, plan)
        first, second = await here.sent(), await here.order_of("two")
        assert (second.work[0].status_kind, await stock()) == (K.WAITING_ON_MATERIAL, (10, 6))
        twelve = MaterialItem(mrid="pole", quantity=IntegerQuantity(value=12))
        await here.do(Verb.CHANGE, MaterialItems(material_item=(twelve,)))
        assert (await here.status(second), await stock()) == (K.WAITING_TO_BE_SCHEDULED, (12, 12))
        recall = WorkRequests(work_request=(WorkRequest(work=(Work(mrid="one work"),)),))
        await here.do(Verb.CANCEL, recall)
        assert (await here.sent(Verb.CANCEL)).mrid == first.mrid
        assert await stock() == (12, 6)
        last = await here.sent()
        used = (orders.MaterialItem(mrid="pole", quantity=orders.Quantity(value=4)),)
        for _ in range(2):
            await here.report(last, K.COMPLETED, 0, material_items=used)
        assert await here.status(last) is K.CLOSED
        assert await stock() == (8, 0)


async def test_another_scheduler_may_give_out_what_the_judge_lets_pass_and_nothing_else(dms: Installation) -> None:
    async with desk(dms) as here:
        await here.only()
        hold = ActivityRecord(reason="being planned", type="hold")
        await here.ask("one", typed("cable", "Capability"))
        made = await here.order_of("one")
        task = orders.WorkTask(mrid="one task 1", crews=(orders.Crew(mrid="crew"),))
        work = orders.Work(mrid="one work", status_kind=K.SCHEDULED, work_tasks=(task,))
        change = MaintenanceOrders(maintenance_order=(MaintenanceOrder(mrid=made.mrid, work=(work,)),))
        error = await here.refused(Verb.CHANGE, change)
        assert isinstance(error, Conflict)
        assert "0 of 1 with the skill 'cable'" in error.reason
        held = orders.Work(mrid="one work", activity_records=(hold,))
        await here.do(
            Verb.CHANGE, MaintenanceOrders(maintenance_order=(MaintenanceOrder(mrid=made.mrid, work=(held,)),))
        )
        able = crew_noun.Crew(
            mrid="crew", capabilities=(crew_noun.Capability(type="line"), crew_noun.Capability(type="cable"))
        )
        await here.do(Verb.CHANGE, Crews(crew=(able,)))
        await here.nothing_sent()
        assert isinstance(await here.refused(Verb.CHANGE, change), Conflict), "what is held is given to nobody"
