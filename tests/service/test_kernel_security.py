"""What bad input gets: the right code and a sentence that names the field, or a dead letter where nobody can answer."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec import structs

from contracts.errors import BusbarError, Denied
from contracts.message import Fault, Message, ReplayDetection
from contracts.verbs import Verb
from shared.codec import CONTENT_JSON, CONTENT_XML
from shared.tools.testing import Installation, Peer
from tests.service.toys.orders import Orders, orders
from tests.service.toys.services import make_ledger, make_shop
from tests.service.toys.world import code_of, eventually, reply_of, rows, run

BAD_HEADERS: dict[str, tuple[dict[str, Any], str, str]] = {
    "forged source": ({"source": "depot"}, "2.14", "Header/Source"),
    "no source": ({"source": None}, "1.5", "Header/Source"),
    "another context": ({"context": "PRODUCTION"}, "7.7", "Header/Context"),
    "another verb than the subject": ({"verb": Verb.CLOSE}, "2.9", "Header/Verb"),
    "no MessageID": ({"message_id": None}, "1.5", "Header/MessageID"),
    "somebody else's inbox": (
        {"async_reply_flag": True, "reply_address": "_INBOX.testing-depot.x"},
        "7.7",
        "Header/ReplyAddress",
    ),
    "somebody else's reply subject": (
        {"async_reply_flag": True, "reply_address": "busbar.testing.reply.depot.m.shop"},
        "7.7",
        "Header/ReplyAddress",
    ),
    "another responder": (
        {"async_reply_flag": True, "reply_address": "busbar.testing.reply.customer.m.depot"},
        "7.7",
        "Header/ReplyAddress",
    ),
    "a stale nonce": (
        {"replay_detection": ReplayDetection(nonce="old", created=datetime.now(UTC) - timedelta(minutes=6))},
        "7.4",
        "Header/ReplayDetection/Created",
    ),
}
BAD_BODIES: dict[str, tuple[bytes, str, str]] = {
    "not XML": (b"what?", "1.8", "root element"),
    "a DOCTYPE": (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "1.8", ""),
    "too large": (b"<a>" + b" " * 1_040_000 + b"</a>", "1.8", ""),
    "no message": (b"<a/>", "1.8", "a"),
}


@pytest.mark.parametrize("case", BAD_HEADERS)
async def test_a_header_that_disagrees_with_its_subject_is_refused_by_name(toys: Installation, case: str) -> None:
    fields, code, field = BAD_HEADERS[case]
    async with run(toys, make_shop()), toys.peer("customer") as customer:
        header = structs.replace(customer.header(Verb.CREATE, "Orders"), **fields)
        body = customer.codec.encode(Message(header=header, payload=orders(case.replace(" ", "-"))), CONTENT_XML)
        answer = _read(customer, await customer.ask_raw("shop", Verb.CREATE, "Orders", body))
        assert isinstance(answer, Message)
        assert code_of(answer) == code
        assert (reply_of(answer).error[0].reason or "").startswith(field)
        assert await rows(toys, "shop", "SELECT FROM thing WHERE mrid = $1", case.replace(" ", "-")) == []


async def test_what_cannot_be_read_gets_a_fault_message_by_any_way(toys: Installation) -> None:
    async with run(toys, make_shop()), toys.peer("customer") as customer:
        for case, (body, code, word) in BAD_BODIES.items():
            answer = _read(customer, await customer.ask_raw("shop", Verb.CREATE, "Orders", body))
            assert isinstance(answer, Fault), case
            assert answer.reply.error[0].code == code, case
            assert word in (answer.reply.error[0].reason or ""), case
        await customer.command_raw("shop", Verb.CREATE, "Orders", b"what?", "unreadable")

        delivery = await anext(customer.bus.pull("busbar_testing_reply", "customer"))
        fault = customer.codec.decode(delivery.body, CONTENT_XML)
        assert isinstance(fault, Fault), "a command is answered where its Nats-Msg-Id leads"


async def test_a_noun_or_verb_that_the_role_does_not_serve_is_refused(toys: Installation) -> None:
    async with run(toys, make_shop()), toys.peer("customer") as customer:
        answer = await customer.request("shop", Verb.DELETE, orders("x"))
        assert code_of(answer) == "2.9"
        header = customer.header(Verb.GET, "Parcels")
        body = customer.codec.encode(Message(header=header), CONTENT_XML)
        answer = _message(customer, await customer.ask_raw("shop", Verb.GET, "Parcels", body))
        assert (code_of(answer), reply_of(answer).error[0].reason) == (
            "2.5",
            "Header/Noun: 'shop' does not take 'get Parcels'",
        )
        answer = await customer.request("shop", Verb.CREATE, Orders)
        assert (code_of(answer), reply_of(answer).error[0].reason) == ("1.7", "Payload/Orders is missing")


async def test_a_nonce_serves_one_message_and_its_repetitions(toys: Installation) -> None:
    detection = ReplayDetection(nonce="once", created=datetime.now(UTC))
    async with run(toys, make_shop()), toys.peer("customer") as customer:
        for expected, message_id in (("0.0", "first"), ("0.0", "first"), ("7.4", "second")):
            answer = await customer.request(
                "shop", Verb.CREATE, orders("nonce"), message_id=message_id, replay_detection=detection
            )
            assert code_of(answer) == expected
        renewed = ReplayDetection(nonce="renewed", created=datetime.now(UTC))
        answer = await customer.request(
            "shop", Verb.CREATE, orders("renewed"), message_id="second", replay_detection=renewed
        )
        assert code_of(answer) == "0.0", "a refusal for the nonce does not stick to the message"
        customer.drain("reply", "customer")
        await customer.command("shop", Verb.CREATE, orders("replayed"), replay_detection=detection)
        assert code_of((await customer.next()).message) == "7.4"
        for expected in ("0.0", "7.4"):
            read = ReplayDetection(nonce="read", created=detection.created)
            answer = await customer.request("shop", Verb.GET, Orders, ids=["nonce"], replay_detection=read)
            assert code_of(answer) == expected


async def test_the_broker_and_the_kernel_together_know_who_asks(toys: Installation) -> None:
    async with run(toys, make_shop()), toys.peer("customer") as customer:
        body = customer.codec.encode(Message(header=customer.header(Verb.GET, "Orders")), CONTENT_XML)
        with pytest.raises(Denied):
            await customer.bus.request("busbar.testing.request.shop.Orders.get.stranger", body)
        foreign = "_INBOX.testing-stranger.trap"
        async with toys.peer("stranger") as stranger:
            await stranger.follow(foreign)
            subject = "busbar.testing.request.shop.Orders.get.customer"
            await customer.bus.publish_core(subject, body, reply=foreign)
            letters = await eventually(lambda: rows(toys, "shop", "SELECT code, reason FROM dead_letter"))
            assert stranger.heard.empty()
        assert [(row["code"], row["reason"]) for row in letters] == [
            ("7.7", "the reply subject is not an inbox of 'customer'")
        ]


async def test_an_event_that_cannot_be_believed_is_put_aside_and_holds_up_nobody(toys: Installation) -> None:
    async with run(toys, make_ledger()), toys.peer("shop") as shop:
        await shop.tell(Verb.CREATED, orders("forged"), key="k", source="depot")
        await shop.tell_raw(Verb.CREATED, "Orders", b"what?", "unreadable", key="k")
        await shop.tell(Verb.CREATED, orders("believed"), key="k")
        await eventually(lambda: rows(toys, "ledger", "SELECT FROM note WHERE mrid = 'believed'"))
        letters = await rows(toys, "ledger", "SELECT code FROM dead_letter ORDER BY id")
        assert [row["code"] for row in letters] == ["2.14", "1.8"]


async def test_text_that_no_database_keeps_is_refused_and_ends_nothing(toys: Installation) -> None:
    async with run(toys, make_shop()), toys.peer("customer") as customer:
        header = customer.header(Verb.CREATE, "Orders", message_id="a\x00b")
        try:
            body = customer.codec.encode(Message(header=header, payload=orders("nul")), CONTENT_JSON)
        except (ValueError, BusbarError):
            header = customer.header(Verb.CREATE, "Orders", message_id="a-b")
            body = customer.codec.encode(Message(header=header, payload=orders("nul")), CONTENT_JSON)
            body = body.replace(b"a-b", rb"a\u0000b")
        answer = await customer.ask_raw("shop", Verb.CREATE, "Orders", body, CONTENT_JSON)
        read = customer.codec.decode(answer.body, answer.headers["Content-Type"])
        assert read.reply is not None
        assert read.reply.error[0].code in {"1.8", "5.3"}
        assert code_of(await customer.request("shop", Verb.CREATE, orders("still-here"))) == "0.0"


def _read(customer: Peer, received: Any) -> Message[Any] | Fault:
    return customer.codec.decode(received.body, received.headers.get("Content-Type", CONTENT_XML))


def _message(customer: Peer, received: Any) -> Message[Any]:
    answer = _read(customer, received)
    assert isinstance(answer, Message)
    return answer
