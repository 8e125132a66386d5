"""Work management on real servers, with peers that ask for work and do it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from msgspec.structs import replace

from contracts.catalogue import CATALOGUE
from contracts.errors import Invalid, NotFound, from_reply
from contracts.interface import Lane
from contracts.message import Error, Message, Reply, Result
from contracts.nouns.maintenance_orders import MaintenanceOrder, MaintenanceOrders
from contracts.nouns.work_requests import Asset, Work, WorkRequest, WorkRequests, WorkTask
from contracts.nouns.work_types import ActivityRecord, WorkKind, WorkStatusKind
from contracts.types import Name, NameType
from contracts.verbs import Verb
from services.work_management.service import service as work_management
from shared.runtime import running
from shared.tools.bootstrap import Schema
from shared.tools.testing import Installation, Peer

WM = "work-management"
K = WorkStatusKind
CREWS = 3


class Yard:
    """The service with who asks it and who works for it."""

    def __init__(self, admin: Peer, crews: Peer) -> None:
        self.admin = admin
        self.crews = crews

    async def ask(self, mrid: str) -> Message[WorkRequests]:
        """Ask for a repair."""
        outage = Name(name=f"outage of {mrid}", name_type=NameType(name="UnplannedOutage"))
        task = WorkTask(mrid=f"{mrid}-task", assets=(Asset(mrid="F1"),))
        work = Work(mrid=f"{mrid}-work", kind=WorkKind.REPAIR, names=(outage,), work_tasks=(task,))
        request = WorkRequest(mrid=mrid, work=(work,))
        return await self.admin.request(WM, Verb.CREATE, WorkRequests(work_request=(request,)))

    async def told(self) -> tuple[Verb, WorkStatusKind | None, MaintenanceOrder]:
        """The next event."""
        message = (await self.admin.next()).message
        (order,) = message.noun.maintenance_order
        assert isinstance(order, MaintenanceOrder)
        return message.header.verb, order.work[0].status_kind, order

    async def sent(self) -> tuple[Message[Any], MaintenanceOrder]:
        """The next order that reaches the crews."""
        message = (await self.crews.next()).message
        (order,) = message.noun.maintenance_order
        assert isinstance(order, MaintenanceOrder)
        return message, order

    async def report(
        self, order: MaintenanceOrder, status: WorkStatusKind, cause: str | None = None
    ) -> Message[MaintenanceOrders]:
        """A crew reports."""
        (work,) = order.work
        found = () if cause is None else (ActivityRecord(reason=cause, type="finding"),)
        told = replace(order, work=(replace(work, status_kind=status, activity_records=found),))
        return await self.crews.request(WM, Verb.CHANGE, MaintenanceOrders(maintenance_order=(told,)))


@asynccontextmanager
async def yard(dms: Installation) -> AsyncIterator[Yard]:
    installation = dms.of(Schema(work_management.role, work_management.migrations))
    async with AsyncExitStack() as stack:
        await installation.prepare()
        await stack.enter_async_context(running(work_management, settings=installation.settings, catalogue=CATALOGUE))
        admin, crews = [await stack.enter_async_context(installation.peer(role)) for role in ("admin", "crews")]
        crews.drain("command", "crews")
        await admin.follow(admin.space.events(Lane.GENERAL, WM))
        yield Yard(admin, crews)


async def test_a_request_becomes_one_order_that_a_crew_takes_reports_on_and_completes(dms: Installation) -> None:
    async with yard(dms) as here:
        accepted = (await here.ask("first")).noun
        assert (await here.ask("first")).noun == accepted
        assert accepted.work_request[0].work[0].mrid == "first-work"
        assert (await here.told())[:2] == (Verb.CREATED, K.WAITING_TO_BE_SCHEDULED)
        assert (await here.told())[:2] == (Verb.CHANGED, K.DISPATCHED)
        message, order = await here.sent()
        await here.crews.reply(message, Reply(result=Result.OK))
        assert (await here.told())[:2] == (Verb.CHANGED, K.DISPATCHED)
        assert order.work[0].work_tasks[0].crews[0].mrid is not None

        await here.report(order, K.ON_SITE, "animal")
        verb, status, told = await here.told()
        assert (verb, status, told.work[0].activity_records[0].reason) == (Verb.CHANGED, K.ON_SITE, "animal")
        await here.report(order, K.ENROUTE)
        assert (await here.told())[:2] == (Verb.CHANGED, K.ON_SITE), (
            "it has its place in the history, and leads nowhere"
        )
        answer = await here.report(order, K.COMPLETED)
        assert answer.noun.maintenance_order[0].work[0].status_kind is K.CLOSED
        assert (await here.told())[:2] == (Verb.CHANGED, K.COMPLETED)
        verb, status, told = await here.told()
        assert (verb, status, told.work[0].names[0].name) == (Verb.CLOSED, K.CLOSED, "outage of first")
        assert (await here.admin.request(WM, Verb.GET, MaintenanceOrders)).noun.maintenance_order == ()
        (kept,) = (
            await here.admin.request(WM, Verb.GET, MaintenanceOrders, ids=[order.mrid or ""])
        ).noun.maintenance_order
        assert kept == told
        (shown,) = (await here.admin.request(WM, Verb.GET, WorkRequests)).noun.work_request
        assert shown == accepted.work_request[0]


async def test_an_order_waits_for_a_crew_and_is_sent_when_one_is_free(dms: Installation) -> None:
    async with yard(dms) as here:
        for number in range(CREWS + 1):
            await here.ask(f"request {number}")
        sent = [(await here.sent())[1] for _ in range(CREWS)]
        assert len({order.work[0].work_tasks[0].crews[0].mrid for order in sent}) == CREWS
        waiting = (await here.admin.request(WM, Verb.GET, MaintenanceOrders)).noun.maintenance_order
        assert [order.work[0].status_kind for order in waiting].count(K.WAITING_TO_BE_SCHEDULED) == 1
        await here.report(sent[1], K.COMPLETED)
        _, last = await here.sent()
        assert last.work[0].work_tasks[0].crews == sent[1].work[0].work_tasks[0].crews


async def test_an_order_that_a_crew_refuses_goes_to_the_next(dms: Installation) -> None:
    async with yard(dms) as here:
        await here.ask("first")
        message, order = await here.sent()
        broken = Error(code="6.1", reason="the truck does not start")
        await here.crews.reply(message, Reply(result=Result.FAILED, error=(broken,)))
        _, again = await here.sent()
        assert again.mrid == order.mrid
        assert again.work[0].work_tasks[0].crews != order.work[0].work_tasks[0].crews


async def test_what_makes_no_sense_is_refused_with_its_reason(dms: Installation) -> None:
    async with yard(dms) as here:
        nothing = WorkRequests(work_request=(WorkRequest(mrid="empty"),))
        refused = await here.admin.request(WM, Verb.CREATE, nothing)
        assert refused.reply is not None
        assert isinstance(from_reply(refused.reply), Invalid)
        lost = await here.admin.request(WM, Verb.GET, MaintenanceOrders, ids=["lost"])
        assert lost.reply is not None
        assert isinstance(from_reply(lost.reply), NotFound)


async def test_work_that_nobody_wants_any_more_is_taken_back_and_its_crew_recalled(dms: Installation) -> None:
    async with yard(dms) as here:
        for number in range(CREWS + 1):
            await here.ask(f"r{number}")
        sent = [await here.sent() for _ in range(CREWS)]
        for message, _ in sent:
            await here.crews.reply(message, Reply(result=Result.OK), message.payload)
        work = sent[0][1].work[0].mrid
        recall = WorkRequests(work_request=(WorkRequest(work=(Work(mrid=work),)),))
        answer = await here.admin.request(WM, Verb.CANCEL, recall)
        assert answer.reply is not None
        assert answer.reply.result is Result.OK
        message, order = await here.sent()
        assert (message.header.verb, order.mrid, order.work[0].status_kind) == (
            Verb.CANCEL,
            sent[0][1].mrid,
            K.CANCELLED,
        )
        message, order = await here.sent()
        assert message.header.verb is Verb.CREATE, "the crew is free for the one that waited"
        assert order.work[0].mrid == f"r{CREWS}-work"
        again = await here.admin.request(WM, Verb.CANCEL, recall)
        assert again.reply is not None
        assert again.reply.result is Result.OK, "once more changes nothing"
        unknown = WorkRequests(work_request=(WorkRequest(work=(Work(mrid="nobody's"),)),))
        refused = await here.admin.request(WM, Verb.CANCEL, unknown)
        assert refused.reply is not None
        assert isinstance(from_reply(refused.reply), NotFound)
