"""Requests: answered at once, in parts, later or elsewhere; once in effect, however often they come."""

import asyncio
import resource
import time

import pytest

from contracts.errors import Unavailable
from contracts.message import Id, Message, Request
from contracts.verbs import Verb
from shared.codec import CONTENT_JSON, CONTENT_XML
from shared.envelope import success
from shared.tools.testing import Installation
from tests.service.toys.orders import Orders, orders
from tests.service.toys.services import gate, make_shop
from tests.service.toys.world import code_of, eventually, notes, reply_of, rows, run


async def test_a_get_is_answered_in_parts_and_in_the_encoding_of_the_question(toys: Installation) -> None:
    async with run(toys, make_shop()), toys.peer("customer") as customer:
        for name in ("p-1", "p-2", "p-3"):
            await customer.request("shop", Verb.CREATE, orders(name))
        body = customer.codec.encode(Message(header=customer.header(Verb.GET, "Orders")), CONTENT_JSON)
        subject = "busbar.testing.request.shop.Orders.get.customer"
        parts = []
        async for received in customer.bus.ask(subject, body, {"Content-Type": CONTENT_JSON}):
            assert received.headers["Content-Type"] == CONTENT_JSON
            answer = customer.codec.decode(received.body, CONTENT_JSON)
            assert isinstance(answer, Message)
            assert answer.payload is not None
            parts.append((code_of(answer), [order.mrid for order in answer.payload.order]))
            if parts[-1][0] == "0.2":
                break
        assert parts == [("0.1", ["p-1", "p-2"]), ("0.2", ["p-3"])]
        one = await customer.request("shop", Verb.GET, Orders, ids=["p-2"])
        assert code_of(one) == "0.0"


async def test_the_first_part_of_an_answer_is_there_while_the_last_is_still_made(toys: Installation) -> None:
    async with run(toys, make_shop()), toys.peer("customer") as customer:
        names = [f"p-{number}" for number in range(6)]
        for name in names:
            await customer.request("shop", Verb.CREATE, orders(name))
        for wish, expected in (("wait at last", ["0.1", "0.1", "0.2"]), ("reject at last", ["0.1", "6.1"])):
            gate.close()
            question = Request(id=tuple(Id(value=each) for each in (*names, "wait at last", wish)))
            message: Message[Orders] = Message(header=customer.header(Verb.GET, "Orders"), request=question)
            body = customer.codec.encode(message, CONTENT_XML)
            subject = "busbar.testing.request.shop.Orders.get.customer"
            codes = []
            async for received in customer.bus.ask(subject, body):
                answer = customer.codec.decode(received.body, CONTENT_XML)
                assert isinstance(answer, Message)
                codes.append(code_of(answer))
                gate.open()
                if codes[-1] != "0.1":
                    break
            assert codes == expected


async def test_the_same_request_again_gets_the_same_reply_and_has_no_second_effect(toys: Installation) -> None:
    async with run(toys, make_shop()), toys.peer("customer") as customer:
        message = Message(header=customer.header(Verb.CREATE, "Orders"), payload=orders("same"))
        answers = set()
        for content_type in (CONTENT_XML, CONTENT_XML, CONTENT_JSON):
            body = customer.codec.encode(message, content_type)
            received = await customer.ask_raw("shop", Verb.CREATE, "Orders", body, content_type)
            answers.add(received.body)
        assert len(answers) == 1
        assert [dict(row) for row in await rows(toys, "shop", "SELECT times FROM thing WHERE mrid = 'same'")] == [
            {"times": 1}
        ]
        rejected = [
            await customer.request("shop", Verb.CREATE, orders("too-late", note="too late"), message_id="m-late")
            for _ in range(2)
        ]
        assert [code_of(answer) for answer in rejected] == ["6.1", "6.1"]
        assert rejected[0].header.message_id == rejected[1].header.message_id
        assert await rows(toys, "shop", "SELECT FROM thing WHERE mrid = 'too-late'") == []


async def test_the_same_message_id_with_other_content_is_another_message(toys: Installation) -> None:
    async with run(toys, make_shop()), toys.peer("customer") as customer:
        first, second = [
            await customer.request("shop", Verb.CREATE, orders(name), message_id="reused") for name in ("r-1", "r-2")
        ]
        assert code_of(first) == code_of(second) == "0.0"
        assert first.header.message_id != second.header.message_id
        told = await rows(toys, "shop", "SELECT DISTINCT message_id FROM outbox WHERE subject LIKE '%.general.%'")
        assert len(told) >= 2


async def test_a_rule_that_says_not_now_leaves_no_trace_and_may_be_asked_again(toys: Installation) -> None:
    async with run(toys, make_shop()), toys.peer("customer") as customer:
        answer = await customer.request("shop", Verb.CREATE, orders("n-1", note="not now"), message_id="not-now")
        assert code_of(answer) == "5.1"
        defect = await customer.request("shop", Verb.CREATE, orders("n-2", note="defect"), message_id="defect")
        assert code_of(defect) == "5.3"
        assert "RuntimeError" not in str(reply_of(defect))
        assert await rows(toys, "shop", "SELECT FROM inbox WHERE message_id IN ('not-now', 'defect')") == []


async def test_an_asynchronous_request_is_acknowledged_and_answered_at_its_reply_address(toys: Installation) -> None:
    async with run(toys, make_shop()), toys.peer("customer") as customer:
        inbox = customer.bus.new_inbox()
        await customer.follow(inbox)
        for verb, payload in ((Verb.CREATE, orders("async")), (Verb.GET, Orders)):
            acknowledged = await customer.request("shop", verb, payload, async_reply_flag=True, reply_address=inbox)
            assert code_of(acknowledged) == "0.3"
            answer = (await customer.next()).message
            assert answer.payload
            assert code_of(answer) in {"0.0", "0.1"}


async def test_a_request_that_is_answered_later_reaches_who_waits_last_and_is_repeated_then(toys: Installation) -> None:
    async with run(toys, make_shop()), toys.peer("customer") as customer:
        header = customer.header(Verb.EXECUTE, "Orders", ack_required=True)
        body = customer.codec.encode(Message(header=header, payload=orders("later", amount=400)), CONTENT_XML)
        acknowledgement = customer.codec.decode(
            (await customer.ask_raw("shop", Verb.EXECUTE, "Orders", body)).body, CONTENT_XML
        )
        assert isinstance(acknowledgement, Message)
        assert code_of(acknowledgement) == "0.3"
        header = customer.header(Verb.EXECUTE, "Orders", message_id=header.message_id)
        body = customer.codec.encode(Message(header=header, payload=orders("later", amount=400)), CONTENT_XML)
        first, second = [(await customer.ask_raw("shop", Verb.EXECUTE, "Orders", body)).body for _ in range(2)]
        assert first == second
        done = customer.codec.decode(first, CONTENT_XML)
        assert isinstance(done, Message)
        assert done.payload == orders("done")


async def test_a_flood_of_requests_is_refused_at_once_and_memory_stays_flat(toys: Installation) -> None:
    async with run(toys, make_shop(), requests_in_flight=4), toys.peer("customer") as customer:
        held = [asyncio.create_task(customer.request("shop", Verb.GET, Orders, ids=["wait"])) for _ in range(4)]
        await asyncio.sleep(0.2)
        body = customer.codec.encode(Message(header=customer.header(Verb.GET, "Orders")), CONTENT_XML)

        async def ask() -> tuple[str, float]:
            begun_at = time.perf_counter()
            received = await customer.ask_raw("shop", Verb.GET, "Orders", body)
            answer = customer.codec.decode(received.body, CONTENT_XML)
            assert isinstance(answer, Message)
            assert received.headers["Nats-Service-Error-Code"] == "503"
            return code_of(answer), time.perf_counter() - begun_at

        await asyncio.gather(*(ask() for _ in range(500)))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        answers = []
        for _ in range(30):
            answers += await asyncio.gather(*(ask() for _ in range(100)))
        grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        assert {code for code, _ in answers} == {"5.1"}
        assert sorted(seconds for _, seconds in answers)[len(answers) // 2] < 0.5
        assert grown_kib < 16 * 1024
        gate.open()
        assert {code_of(await task) for task in held} <= {"0.0", "0.2"}


async def test_a_reply_larger_than_a_message_is_refused_with_a_sentence(toys: Installation) -> None:
    async with run(toys, make_shop()), toys.peer("customer") as customer:
        await rows(
            toys,
            "shop",
            "INSERT INTO thing (mrid, amount) SELECT repeat(n::text, 700000), 1 FROM generate_series(8, 9) n",
        )
        answer = await customer.request("shop", Verb.GET, Orders)
        await rows(toys, "shop", "DELETE FROM thing WHERE length(mrid) > 1000")
        assert code_of(answer) == "3.1"
        assert "larger than" in (reply_of(answer).error[0].reason or "")


async def test_a_question_that_nobody_serves_is_answered_at_once(toys: Installation) -> None:
    async with toys.peer("customer") as customer:
        with pytest.raises(Unavailable, match="nobody serves"):
            await customer.request("shop", Verb.GET, Orders)


async def test_every_change_and_its_answer_stand_in_the_journal(toys: Installation) -> None:
    async with run(toys, make_shop()), toys.peer("customer") as customer:
        await customer.request("shop", Verb.CREATE, orders("journal"))
        await eventually(
            lambda: rows(toys, "shop", "SELECT WHERE NOT EXISTS (SELECT FROM outbox WHERE sent_at IS NULL)")
        )
        journal = await rows(
            toys,
            "shop",
            "SELECT split_part(subject, '.', 7) AS verb FROM outbox WHERE subject LIKE '%.journal.%' "
            "ORDER BY id DESC LIMIT 2",
        )
        assert [row["verb"] for row in journal] == ["reply", "create"]


async def test_a_question_that_does_not_wait_is_answered_in_parts_and_is_not_kept_for_who_is_away(
    toys: Installation,
) -> None:
    async with run(toys, make_shop()), toys.peer("customer") as customer:
        assert code_of(await customer.request("shop", Verb.CHANGE, orders("nobody", note="inquire"))) == "0.0"
        sent = "SELECT FROM outbox WHERE subject LIKE '%.request.%' AND sent_at IS NOT NULL"
        await eventually(lambda: rows(toys, "shop", sent))
        async with toys.peer("depot") as depot:
            await depot.hear_requests()
            await customer.request("shop", Verb.CHANGE, orders("asked", note="inquire"))
            question = (await depot.next()).message
            assert question.request is not None
            assert [each.value for each in question.request.id] == ["asked"]
            for code in ("0.1", "0.2", "0.2"):
                await depot.reply(question, success(code))
            await eventually(lambda: rows(toys, "shop", "SELECT FROM sent WHERE replied_at IS NOT NULL"))
            assert await notes(toys, "shop", "asked") == [("asked", "PARTIAL 0.1"), ("asked", "PARTIAL 0.2")]
            assert depot.heard.empty()


async def test_what_a_handler_counts_is_in_the_metrics_once_and_only_if_it_was_done(toys: Installation) -> None:
    async with run(toys, make_shop()) as process, toys.peer("customer") as customer:
        for _ in range(2):
            await customer.request("shop", Verb.CREATE, orders("counted"), message_id="count me")
        await customer.request("shop", Verb.CREATE, orders("not counted", note="too late"))
        labels = {"role": "shop", "what": "orders"}
        counted = process.metrics.counter("busbar_counted_total", "What services count", **labels, note="none")
        refused = process.metrics.counter("busbar_counted_total", "What services count", **labels, note="too late")
        assert (counted.value, refused.value) == (1, 0)
