"""Customer management on real servers: who is served, who calls, and who is told what."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec import json

from contracts.catalogue import CATALOGUE
from contracts.errors import BusbarError, from_reply
from contracts.interface import Lane
from contracts.message import Message, Reply, Result
from contracts.nouns.customer_agreement_config import CustomerAgreement, CustomerAgreementConfig
from contracts.nouns.customer_config import Customer, CustomerConfig
from contracts.nouns.customer_types import CustomerNotification, NotificationTriggerKind
from contracts.nouns.incident_information import Incident, IncidentInformation
from contracts.nouns.maintenance_orders import MaintenanceOrder, MaintenanceOrders, Work
from contracts.nouns.service_requests import ServiceRequest, ServiceRequests
from contracts.nouns.trouble_tickets import TroubleTicket, TroubleTickets
from contracts.nouns.unplanned_outages import (
    EstimatedRestorationTime,
    OutageState,
    OutageStatusKind,
    UnplannedOutage,
    UnplannedOutages,
)
from contracts.nouns.usage_point_groups import UsagePointGroups
from contracts.nouns.work_types import WorkKind
from contracts.types import DateTimeInterval, Name, ObjectReference, Status
from contracts.verbs import Verb
from services.customer_management.service import service as customer_management
from shared.runtime import running
from shared.tools.bootstrap import Schema
from shared.tools.testing import Installation, Peer

CM = "customer-management"
T0 = datetime(2026, 3, 14, 10, 0, tzinfo=UTC)


class Town:
    """Customer management with its neighbours."""

    def __init__(self, installation: Installation, peers: dict[str, Peer]) -> None:
        self.installation = installation
        self.peers = peers

    async def grant(self, seconds: float) -> None:
        """Move the time of the context."""
        admin = self.peers["admin"]
        at = T0 + timedelta(seconds=seconds)
        await admin.bus.publish_core(admin.space.clock, json.encode({"now": at}))
        await asyncio.sleep(0.2)

    async def ask(self, verb: Verb, payload: Any, *, role: str = "operator", ids: tuple[str, ...] = ()) -> Any:
        """The payload of an answer; what is refused is raised."""
        answer = await self.peers[role].request(CM, verb, payload, ids=ids)
        error = None if answer.reply is None else from_reply(answer.reply)
        if error is not None:
            raise error
        return answer.payload

    async def move_in(self, name: str, point: str, **customer: Any) -> None:
        """A customer with an agreement since the day before."""
        told = tuple(CustomerNotification(contact_type="sms", trigger=each) for each in NotificationTriggerKind)
        who = Customer(mrid=name, names=(Name(name=f"Mrs {name}"),), notifications=told, **customer)
        await self.ask(Verb.CREATE, CustomerConfig(customer=(who,)))
        agreement = CustomerAgreement(
            mrid=f"{name} at {point}",
            customer=ObjectReference(mrid=name),
            usage_points=(ObjectReference(mrid=point),),
            validity_interval=DateTimeInterval(start=T0 - timedelta(days=1)),
        )
        await self.ask(Verb.CREATE, CustomerAgreementConfig(customer_agreement=(agreement,)))

    async def outage(self, revision: int, state: OutageState, verb: Verb = Verb.CHANGED, **more: Any) -> None:
        """What fault management tells of an outage of two homes."""
        outage = UnplannedOutage(
            mrid="outage",
            revision_number=revision,
            outage_kind=OutageStatusKind.CONFIRMED,
            status=Status(value=state),
            actual_period=DateTimeInterval(start=T0),
            de_energized_usage_point=(ObjectReference(mrid="home"), ObjectReference(mrid="shop")),
            **more,
        )
        await self.peers["fault-management"].tell(verb, UnplannedOutages(unplanned_outage=(outage,)), key="outage")

    async def told(self, verb: Verb) -> Incident:
        """The next event about an incident of this verb."""
        while True:
            message = (await self.peers["admin"].next()).message
            if message.header.verb is verb and isinstance(message.payload, IncidentInformation):
                (incident,) = message.payload.incident
                return incident

    async def who_was_told(self) -> list[tuple[str | None, str | None]]:
        """Customers with what they were told, as asked for by the incident's outage."""
        found = await self.ask(Verb.GET, IncidentInformation, ids=("outage",))
        (incident,) = found.incident
        return [
            (None if each.customer is None else each.customer.mrid, each.trigger)
            for each in incident.customer_notifications
        ]


@asynccontextmanager
async def town(dms: Installation) -> AsyncIterator[Town]:
    installation = dms.of(Schema(CM, customer_management.migrations), granted_clock=True)
    async with AsyncExitStack() as stack:
        await installation.prepare()
        roles = ("admin", "operator", "callers", "fault-management", "work-management")
        peers = {role: await stack.enter_async_context(installation.peer(role)) for role in roles}
        for role in ("fault-management", "work-management"):
            peers[role].drain("command", role)
        await peers["admin"].follow(peers["admin"].space.events(Lane.GENERAL, CM))
        await stack.enter_async_context(
            running(customer_management, settings=installation.settings, catalogue=CATALOGUE)
        )
        here = Town(installation, peers)
        await here.grant(0)
        yield here


async def test_a_home_has_one_customer_at_a_time_and_a_new_one_after_the_move(dms: Installation) -> None:
    async with town(dms) as here:
        await here.move_in("ada", "home")
        await here.move_in("ada", "home")
        with pytest.raises(BusbarError, match="ada at home has the usage point home") as refused:
            await here.move_in("bob", "home")
        assert refused.value.code == "5.2"
        leaving = CustomerAgreement(
            mrid="ada at home",
            status=Status(value="TERMINATING"),
            validity_interval=DateTimeInterval(start=T0 - timedelta(days=1), end=T0 + timedelta(hours=1)),
        )
        await here.ask(Verb.CHANGE, CustomerAgreementConfig(customer_agreement=(leaving,)))
        coming = CustomerAgreement(
            mrid="bob moves in",
            customer=ObjectReference(mrid="bob"),
            usage_points=(ObjectReference(mrid="home"),),
            validity_interval=DateTimeInterval(start=T0 + timedelta(hours=1)),
        )
        await here.ask(Verb.CREATE, CustomerAgreementConfig(customer_agreement=(coming,)))
        await here.grant(3600)
        async with asyncio.timeout(30):
            while True:
                found = (await here.ask(Verb.GET, CustomerAgreementConfig, ids=("home",))).customer_agreement
                states = {each.mrid: each.status.value for each in found}
                if states == {"ada at home": "ENDED", "bob moves in": "ACTIVE"}:
                    break
                await asyncio.sleep(0.1)


async def test_a_name_is_seen_by_people_and_by_no_other_service(dms: Installation) -> None:
    async with town(dms) as here:
        await here.move_in("ada", "home", special_need="lifeSupport")
        (seen,) = (await here.ask(Verb.GET, CustomerConfig, ids=("ada",))).customer
        assert seen.names[0].name == "Mrs ada"
        told = [(await here.peers["admin"].next()).message for _ in range(2)]
        (event,) = [message.payload for message in told if isinstance(message.payload, CustomerConfig)]
        assert (event.customer[0].mrid, event.customer[0].names, event.customer[0].notifications) == ("ada", (), ())
        (group,) = (await here.ask(Verb.GET, UsagePointGroups)).usage_point_group
        assert (group.type, [point.mrid for point in group.usage_points]) == ("lifeSupport", ["home"])


async def answer_call(here: Town, status: Status) -> TroubleTicket:
    """Fault management takes the next call and attaches it."""
    peer = here.peers["fault-management"]
    message: Message[Any] = (await peer.next()).message
    (ticket,) = message.noun.trouble_ticket
    answered = TroubleTicket(**{name: getattr(ticket, name) for name in ticket.__struct_fields__} | {"status": status})
    await peer.reply(message, Reply(result=Result.OK), TroubleTickets(trouble_ticket=(answered,)))
    assert isinstance(ticket, TroubleTicket)
    return ticket


async def test_a_caller_hears_in_the_same_reply_what_fault_management_says(dms: Installation) -> None:
    async with town(dms) as here:
        await here.move_in("ada", "home")
        call = TroubleTicket(date_time_of_report=T0, customer=ObjectReference(mrid="ada"))
        calling = asyncio.create_task(here.ask(Verb.CREATE, TroubleTickets(trouble_ticket=(call,)), role="callers"))
        first = await answer_call(here, Status(value="ATTACHED", reason="A fuse has melted."))
        assert first.usage_point is not None
        assert (first.usage_point.mrid, first.customer) == ("home", None), "who calls is nobody else's business"
        (heard,) = (await calling).trouble_ticket
        assert heard.status.reason == "A fuse has melted."
        again = asyncio.create_task(here.ask(Verb.CREATE, TroubleTickets(trouble_ticket=(call,)), role="callers"))
        second = await answer_call(here, Status(value="ATTACHED", reason="Still the fuse."))
        assert second.mrid == first.mrid, "one usage point has one open ticket"
        await again


async def test_a_caller_is_answered_by_what_is_known_when_fault_management_is_silent(dms: Installation) -> None:
    async with town(dms) as here:
        await here.outage(
            1,
            OutageState.CONFIRMED,
            Verb.CREATED,
            estimated_restoration_time=EstimatedRestorationTime(ert=T0 + timedelta(hours=2)),
        )
        await here.told(Verb.CREATED)
        call = TroubleTicket(date_time_of_report=T0, usage_point=ObjectReference(mrid="shop"))
        calling = asyncio.create_task(here.ask(Verb.CREATE, TroubleTickets(trouble_ticket=(call,)), role="callers"))
        await here.peers["fault-management"].next()
        await here.grant(11)
        (heard,) = (await calling).trouble_ticket
        assert (heard.incident.mrid, heard.status.value) == ("outage", "ATTACHED")
        assert "12:00 on 14 March" in heard.status.reason


async def test_a_customer_with_two_homes_is_asked_which_one_is_dark(dms: Installation) -> None:
    async with town(dms) as here:
        await here.move_in("ada", "home")
        await here.move_in("ada", "shop")
        call = TroubleTicket(date_time_of_report=T0, customer=ObjectReference(mrid="ada"))
        with pytest.raises(BusbarError, match="served at home, shop; which") as refused:
            await here.ask(Verb.CREATE, TroubleTickets(trouble_ticket=(call,)), role="callers")
        assert refused.value.code == "2.29"


async def test_customers_are_told_once_that_power_is_out_and_once_that_it_is_back(dms: Installation) -> None:
    async with town(dms) as here:
        await here.move_in("ada", "home")
        await here.move_in("bob", "elsewhere")
        await here.outage(1, OutageState.SUSPECTED, Verb.CREATED)
        await here.outage(2, OutageState.PREDICTED)
        await here.outage(2, OutageState.PREDICTED)
        created = await here.told(Verb.CREATED)
        assert (created.outage.mrid if created.outage else None, created.customer_notifications) == ("outage", ())
        await here.outage(3, OutageState.CONFIRMED)
        await here.told(Verb.CHANGED)
        assert await here.who_was_told() == [("ada", "powerOut")]
        await here.outage(4, OutageState.VERIFIED)
        await here.outage(5, OutageState.CLOSED, Verb.CLOSED)
        closed = await here.told(Verb.CLOSED)
        assert closed.mrid == created.mrid
        assert await here.who_was_told() == [("ada", "powerOut"), ("ada", "powerRestored")]


async def test_a_request_orders_its_work_and_is_resolved_when_that_is_done(dms: Installation) -> None:
    async with town(dms) as here:
        asked = ServiceRequest(mrid="tree", kind=WorkKind.INSPECTION, usage_point=ObjectReference(mrid="home"))
        for _ in range(2):
            await here.ask(Verb.CREATE, ServiceRequests(service_request=(asked,)))
        peer = here.peers["work-management"]
        order = (await peer.next()).message
        await peer.reply(order, Reply(result=Result.OK), order.payload)
        work = order.noun.work_request[0].work[0].mrid

        async def until(state: str) -> None:
            async with asyncio.timeout(30):
                while True:
                    (found,) = (await here.ask(Verb.GET, ServiceRequests, ids=("tree",))).service_request
                    if found.status.value == state:
                        return
                    await asyncio.sleep(0.1)

        await until("IN_PROGRESS")
        done = MaintenanceOrder(mrid="order", work=(Work(mrid=work),))
        await peer.tell(Verb.CLOSED, MaintenanceOrders(maintenance_order=(done,)), key="order")
        await until("RESOLVED")
        content = ServiceRequest(mrid="tree", status=Status(value="CONFIRMED"))
        await here.ask(Verb.CHANGE, ServiceRequests(service_request=(content,)))
        again = ServiceRequest(mrid="tree", status=Status(value="REOPENED"))
        with pytest.raises(BusbarError, match="CONFIRMED cannot become REOPENED"):
            await here.ask(Verb.CHANGE, ServiceRequests(service_request=(again,)))
