"""The promise of docs/binding.md: a stranger with nats-py and hand-written XML can take a role.

The services run as a user runs them, two roles left to a product: work management, and meter reading and control.
"""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import nats.errors
import pytest

from tests.system.bare_client import (
    ORDERS,
    TICKETS,
    WORK,
    Bare,
    Heard,
    bare,
    gasp,
    message,
    now,
    opened,
    order,
    partition,
    payload,
    request,
    ticket,
)

BUSBAR = Path(sys.executable).with_name("busbar")

T = TypeVar("T")
Join = Callable[[str], AbstractAsyncContextManager[Bare]]


@pytest.fixture(scope="module")
def state() -> Iterator[Path]:
    """The state folder of a DMS that waits for a product."""
    home = Path(tempfile.mkdtemp(prefix="busbar-"))
    home.chmod(0o711)
    folder = home / ".busbar"
    words = ["up", "--external", "work-management", "--external", "meter-reading-and-control"]
    with (home / "log").open("w+") as log:
        running = subprocess.Popen([BUSBAR, *words], env=_environment(folder), stdout=log, stderr=log)
        try:
            give_up = time.monotonic() + 60
            while "Ready in" not in (said := (home / "log").read_text()):
                assert running.poll() is None, said
                assert time.monotonic() < give_up, said
                time.sleep(0.05)
            yield folder
        finally:
            running.terminate()
            running.wait(20)
    shutil.rmtree(home)


@pytest.fixture(scope="module")
def join(state: Path) -> Join:
    """Connects as a role: with the address that is noted, and the file of its seed."""
    note = json.loads((state / "up.json").read_text())
    return lambda role: bare(note["nats_url"], Path(note["credentials"], "production", f"{role}.nk"), role)


@pytest.fixture
async def callers(join: Join) -> AsyncIterator[Bare]:
    """The telephony system."""
    async with join("callers") as connected:
        yield connected


async def test_a_get_is_answered_in_parts_into_the_own_inbox(join: Join) -> None:
    parts = await _feeders(join)
    assert [part.code for part in parts] == ["0.1", "0.2"]
    for part in parts:
        assert part.text("Reply/Result") == "PARTIAL"
        assert part.text("Header/CorrelationID") == "which feeders?"
        assert part.text("Header/Source") == part.headers["Busbar-Producer"] == "network-operation"
        assert len(part.texts("Payload/FeederTopology/Feeder")) == 1


async def test_a_created_ticket_is_answered_and_a_retry_gets_the_same_bytes(join: Join, callers: Bare) -> None:
    place = (await _places(join))[0]
    call = request("callers", "create", "TroubleTickets", ticket(place))
    first = await callers.ask("fault-management", "create", "TroubleTickets", call)
    again = await callers.ask("fault-management", "create", "TroubleTickets", call)
    assert (first.text("Reply/Result"), first.code) == ("OK", "0.0")
    assert first.text("//TroubleTicket/Incident/mRID")
    assert again.msg.data == first.msg.data
    assert (await _dark_places(join)).count(place) == 1


async def test_the_same_message_id_with_another_content_is_another_message(join: Join, callers: Bare) -> None:
    replies = [
        await callers.ask("fault-management", "create", "TroubleTickets", body)
        for body in (
            request("callers", "create", "TroubleTickets", ticket(place), MessageID="reused")
            for place in (await _places(join))[1:3]
        )
    ]
    assert len({reply.text("//TroubleTicket/mRID") for reply in replies}) == 2


async def test_json_is_answered_in_json(callers: Bare) -> None:
    header = {"Verb": "create", "Noun": "TroubleTickets", "Source": "callers", "MessageID": str(uuid4())}
    tickets = {"TroubleTicket": [{"dateTimeOfReport": now(), "troubleCode": "powerOut"}]}
    body = {"RequestMessage": {"Header": header, "Payload": {"TroubleTickets": tickets}}}
    reply = await callers.client.request(
        "busbar.production.request.fault-management.TroubleTickets.create.callers",
        json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    assert reply.headers is not None
    assert reply.headers["Content-Type"] == "application/json"
    assert json.loads(reply.data)["ResponseMessage"]["Reply"]["Result"] == "OK"


async def test_an_asynchronous_request_is_acknowledged_and_answered_at_its_reply_address(callers: Bare) -> None:
    address = "busbar.production.reply.callers.later-1.fault-management"
    call = request(
        "callers",
        "create",
        "TroubleTickets",
        ticket("nowhere"),
        AsyncReplyFlag="true",
        ReplyAddress=address,
        MessageID="later-1",
    )
    acknowledgement = await callers.ask("fault-management", "create", "TroubleTickets", call)
    assert (acknowledgement.text("Reply/Result"), acknowledgement.code) == ("OK", "0.3")
    reply = await _reply(callers, address)
    assert (reply.text("Reply/Result"), reply.code) == ("OK", "0.0")
    assert reply.text("//TroubleTicket/status/value") == "UNLOCATED"


async def test_a_command_is_answered_once_however_often_it_is_left(callers: Bare) -> None:
    address = "busbar.production.reply.callers.command-1.fault-management"
    call = request("callers", "create", "TroubleTickets", ticket("nowhere"), MessageID="command-1")
    for _ in range(3):
        await callers.command("fault-management", "create", "TroubleTickets", call, "command-1")
    assert (await _reply(callers, address)).code == "0.0"
    with pytest.raises(nats.errors.TimeoutError):
        await callers.take("reply", "callers", timeout_s=1)


async def test_a_product_takes_work_management(state: Path, join: Join) -> None:
    """A recloser opens; the product gets the order for work, answers it, tells of its order, and is asked for it."""
    async with join("scada") as scada, join("work-management") as product:
        await scada.tell("control", "created", "Measurements", opened(await _recloser(join)), key="recloser")
        command = await product.take("command", "work-management")
        assert command.msg.subject == ("busbar.production.command.work-management.WorkRequests.create.fault-management")
        asked = command.text("//WorkRequest/mRID")
        outage = next(name for name in command.texts("//Work/Names/name"))
        thread = command.text("Header/CorrelationID")
        works = f"<WorkRequest><mRID>{asked}</mRID><Work><mRID>work-7</mRID></Work></WorkRequest>"
        rest = "<Reply><Result>OK</Result></Reply>" + payload("WorkRequests", WORK, works)
        await product.answer(command.text("Header/ReplyAddress"), "WorkRequests", thread, rest)
        await command.msg.ack_sync()

        await product.tell("general", "created", "MaintenanceOrders", order("dispatched", outage), key="order-7")
        await product.tell("general", "changed", "MaintenanceOrders", order("onSite", outage), key="order-7")
        assert await _comes_to(lambda: _crew_status(join, outage), lambda status: status == "arrived")

        serving = await product.client.subscribe("busbar.production.request.work-management.>", queue="work-management")
        asking = await _busbar(state, "send", "get", "WorkRequests", "--json")
        question = Heard(await serving.next_msg(timeout=30))
        assert question.text("Header/Source") == "operator"
        await product.answer(question.msg.reply, "WorkRequests", question.text("Header/MessageID"), rest)
        assert asked in await _said(asking)


async def test_events_come_again_until_they_are_acknowledged(join: Join) -> None:
    """The product takes meter reading and control: it hears the head-end, and fault management hears the product."""
    place = (await _places(join))[2]
    async with join("head-end") as field, join("meter-reading-and-control") as product:
        key = "a key of the head-end"
        for number in ("first", "second"):
            await field.tell("outage", "created", "EndDeviceEvents", gasp(place, number), key=key)
        durable = "meter-reading-and-control_shared"
        heard = await product.take("outage", durable)
        assert heard.text("//EndDeviceEvent/mRID") == "first"
        await heard.msg.nak()
        await product.tell("outage", "created", "EndDeviceEvents", gasp(place, "first"), key=place)
        delivered = {}
        for _ in range(2):
            again = await product.take("outage", durable)
            delivered[again.text("//EndDeviceEvent/mRID")] = again.msg.metadata.num_delivered
            await again.msg.ack_sync()
        assert delivered == {"first": 2, "second": 1}
    assert await _comes_to(lambda: _dark_places(join), lambda places: place in places)


ANOTHERS_COMMANDS = "busbar.production.command.crews.SwitchingPlans.execute.callers"
ANOTHERS_REPLIES = "busbar.production.reply.crews.x.fault-management"
LONG_AGO = "<Nonce>old</Nonce><Created>2020-01-01T00:00:00Z</Created>"


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"Source": "crews"}, "2.14", "Header/Source"),
        ({"Source": None}, "1.5", "Header/Source"),
        ({"Context": "TRAINING"}, "7.7", "Header/Context"),
        ({"Noun": "WorkRequests"}, "2.5", "another noun than the header names"),
        ({"Verb": "change"}, "2.9", "Header/Verb"),
        ({"MessageID": None}, "1.5", "Header/MessageID"),
        ({"AsyncReplyFlag": "true", "ReplyAddress": ANOTHERS_COMMANDS}, "7.7", "Header/ReplyAddress"),
        ({"AsyncReplyFlag": "true", "ReplyAddress": ANOTHERS_REPLIES}, "7.7", "Header/ReplyAddress"),
        ({"ReplayDetection": LONG_AGO}, "7.4", "Header/ReplayDetection/Created"),
    ],
)
async def test_a_header_that_lies_is_refused_with_its_code_and_field(
    callers: Bare, changes: dict[str, str | None], code: str, field: str
) -> None:
    body = request("callers", "create", "TroubleTickets", ticket("nowhere"), **changes)
    reply = await callers.ask("fault-management", "create", "TroubleTickets", body)
    assert (reply.text("Reply/Result"), reply.code) == ("FAILED", code)
    assert field in reply.text("Reply/Error/reason")


async def test_a_nonce_works_once(callers: Bare) -> None:
    replay = {"ReplayDetection": f"<Nonce>{uuid4()}</Nonce><Created>{now()}</Created>"}
    codes = []
    for _ in range(2):
        body = request("callers", "create", "TroubleTickets", ticket("nowhere"), **replay)
        codes.append((await callers.ask("fault-management", "create", "TroubleTickets", body)).code)
    assert codes == ["0.0", "7.4"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"no XML at all", "1.8"),
        (b'<!DOCTYPE a [<!ENTITY x "y">]><RequestMessage/>', "1.8"),
        (message("RequestMessage", {"Verb": "create"}), "1.5"),
        (b"<a>" + b"<a/>" * 250_000 + b"</a>", "3.1"),
    ],
)
async def test_what_has_no_header_is_answered_with_a_fault_message(callers: Bare, body: bytes, code: str) -> None:
    reply = await callers.ask("fault-management", "create", "TroubleTickets", body)
    assert reply.root.tag.endswith("}FaultMessage")
    assert (reply.text("Reply/Result"), reply.code) == ("FAILED", code)


async def test_a_request_that_its_role_does_not_serve_is_refused(callers: Bare) -> None:
    asked = (("close", "TroubleTickets", TICKETS, "2.9"), ("create", "MaintenanceOrders", ORDERS, "2.5"))
    for verb, noun, namespace, code in asked:
        body = request("callers", verb, noun, payload(noun, namespace, ""))
        reply = await callers.ask("fault-management", verb, noun, body)
        assert (reply.text("Reply/Result"), reply.code) == ("FAILED", code)


async def test_nobody_is_answered_at_an_inbox_that_is_not_the_askers(state: Path, join: Join, callers: Bare) -> None:
    async with join("crews") as victim:
        inbox = victim.client.new_inbox()
        hearing = await victim.client.subscribe(inbox)
        await victim.client.flush()
        body = request("callers", "create", "TroubleTickets", ticket("nowhere"))
        subject = "busbar.production.request.fault-management.TroubleTickets.create.callers"
        await callers.client.publish(subject, body, reply=inbox)
        with pytest.raises(nats.errors.TimeoutError):
            await hearing.next_msg(timeout=1)
    assert ("7.7", subject) in await _dead_letters(state, "fault-management")


async def test_a_command_that_cannot_be_read_is_answered_with_a_fault_message(callers: Bare) -> None:
    await callers.command("fault-management", "create", "TroubleTickets", b"no XML", "unreadable-1")
    reply = await _reply(callers, "busbar.production.reply.callers.unreadable-1.fault-management")
    assert (reply.text("Reply/Result"), reply.code) == ("FAILED", "1.8")


async def test_an_event_and_a_reply_that_cannot_be_right_become_dead_letters(state: Path, join: Join) -> None:
    async with join("scada") as scada, join("crews") as crews:
        await scada.tell("control", "created", "Measurements", "<Payload><Nonsense/></Payload>", key="")
        address = "busbar.production.reply.network-operation.never-asked.crews"
        await crews.answer(address, "SwitchingPlans", "never-asked", "<Reply><Result>OK</Result></Reply>")
    subject = f"busbar.production.event.control.scada.Measurements.created.{partition('')}"
    letters = await _comes_to(lambda: _dead_letters(state, "network-operation"), lambda found: len(found) > 1)
    assert sorted(letters) == [("1.8", subject), ("2.15", address)]


@pytest.mark.parametrize(
    "subject",
    [
        "busbar.production.request.fault-management.TroubleTickets.create.crews",
        "busbar.production.command.work-management.WorkRequests.create.callers",
        "busbar.production.event.outage.head-end.EndDeviceEvents.created.0",
        "busbar.production.reply.crews.1.fault-management",
        "busbar.training.request.fault-management.TroubleTickets.create.callers",
        "$JS.API.STREAM.DELETE.busbar_production_command",
    ],
)
async def test_the_broker_refuses_to_publish_for_another(callers: Bare, subject: str) -> None:
    await callers.client.publish(subject, b"")
    refusal = await asyncio.wait_for(callers.refusals.get(), 30)
    assert "permissions violation for publish" in refusal
    assert subject.lower() in refusal


@pytest.mark.parametrize("subject", ["_INBOX.>", "_INBOX.production-crews.>", "busbar.production.>"])
async def test_the_broker_refuses_to_hear_for_another(callers: Bare, subject: str) -> None:
    await callers.client.subscribe(subject)
    assert "permissions violation for subscription" in await asyncio.wait_for(callers.refusals.get(), 30)


async def _feeders(join: Join) -> list[Heard]:
    """The live feeders; network operation has them a moment after the network was imported."""
    question = request("operator", "get", "FeederTopology", MessageID="which feeders?")
    async with join("operator") as operator:
        return await _comes_to(
            lambda: operator.ask_in_parts("network-operation", "get", "FeederTopology", question),
            lambda parts: bool(parts[0].texts("//Feeder")),
        )


async def _recloser(join: Join) -> str:
    """The only recloser of the network."""
    for feeder in await _feeders(join):
        for equipment in feeder.root.iter("{urn:busbar:2026:FeederTopology#}Equipment"):
            if equipment.findtext("{*}kind") == "Recloser":
                return str(equipment.findtext("{*}mRID"))
    raise LookupError("there is no recloser")


async def _places(join: Join) -> list[str]:
    """The usage points of a feeder without recloser, one for each transformer."""
    for feeder in await _feeders(join):
        if "Recloser" not in feeder.texts("//Equipment/kind"):
            points = feeder.root.iter("{urn:busbar:2026:FeederTopology#}UsagePoint")
            found = {point.findtext("{*}transformer"): str(point.findtext("{*}mRID")) for point in points}
            return list(found.values())
    raise LookupError("each feeder has a recloser")


async def _dark_places(join: Join) -> list[str]:
    """The usage points that are without supply, as fault management has it."""
    async with join("operator") as operator:
        question = request("operator", "get", "UnplannedOutages")
        answer = await operator.ask("fault-management", "get", "UnplannedOutages", question)
    return answer.texts("//UnplannedOutage/DeEnergizedUsagePoint/mRID")


async def _crew_status(join: Join, outage: str) -> str:
    """Where the crew of an outage is, as fault management has it."""
    async with join("operator") as operator:
        question = request("operator", "get", "UnplannedOutages", f"<Request><ID>{outage}</ID></Request>")
        answer = await operator.ask("fault-management", "get", "UnplannedOutages", question)
    return answer.text("//UnplannedOutage/statusKind")


async def _dead_letters(state: Path, role: str) -> list[tuple[str, str]]:
    """Code and subject of each dead letter of a role."""
    letters = json.loads(await _said(await _busbar(state, "dlq", role)))
    return [(letter["code"], letter["subject"]) for letter in letters]


async def _comes_to(ask: Callable[[], Awaitable[T]], fits: Callable[[T], bool]) -> T:
    """The first answer that fits, asked for again and again."""
    async with asyncio.timeout(30):
        answer = await ask()
        while not fits(answer):
            await asyncio.sleep(0.1)
            answer = await ask()
    return answer


async def _reply(role: Bare, address: str) -> Heard:
    """The reply at an address; others that come before it are acknowledged."""
    while True:
        reply = await role.take("reply", role.role)
        await reply.msg.ack_sync()
        if reply.msg.subject == address:
            return reply


def _environment(state: Path) -> dict[str, str]:
    return {**os.environ, "BUSBAR_STATE": str(state), "BUSBAR_LOG_FORMAT": "text"}


async def _busbar(state: Path, *words: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(BUSBAR, *words, env=_environment(state), stdout=asyncio.subprocess.PIPE)


async def _said(command: asyncio.subprocess.Process) -> str:
    out, _ = await command.communicate()
    assert command.returncode == 0
    return out.decode()
