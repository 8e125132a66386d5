"""Commands: they wait for whom they are for, have one effect and get one answer, whoever gives it."""

import asyncio

from contracts.errors import Rejected, to_reply
from contracts.message import Error, Fault, Message, Reply, Result
from contracts.verbs import Verb
from shared.codec import CONTENT_XML
from shared.envelope import success
from shared.tools.testing import Installation, Peer
from tests.service.toys.orders import orders
from tests.service.toys.parcels import Parcels
from tests.service.toys.services import make_depot, make_shop
from tests.service.toys.world import code_of, eventually, notes, rows, run


async def next_command(depot: Peer) -> Message[Parcels]:
    """What the shop has commanded; the peer takes the place of the depot."""
    return (await depot.next()).message


async def test_a_command_given_twice_has_one_effect_and_one_answer(toys: Installation) -> None:
    async with run(toys, make_shop()), toys.peer("customer") as customer:
        customer.drain("reply", "customer")
        message_id = await customer.command("shop", Verb.CREATE, orders("twice"), message_id="twice")
        heard = await customer.next()
        assert heard.subject == f"busbar.testing.reply.customer.{message_id}.shop"
        assert heard.message.header.correlation_id == message_id
        header = customer.header(Verb.CREATE, "Orders", message_id="twice", async_reply_flag=True)
        body = customer.codec.encode(Message(header=header, payload=orders("twice")), CONTENT_XML)
        await customer.command_raw("shop", Verb.CREATE, "Orders", body, "by another way")
        await eventually(
            lambda: rows(
                toys, "shop", "SELECT FROM outbox WHERE subject LIKE '%twice.shop' AND sent_at > created_at OFFSET 1"
            )
        )
        await asyncio.sleep(0.2)
        assert customer.heard.empty(), "the broker dropped the repeated answer, which has the identity of the first"
        assert (await rows(toys, "shop", "SELECT times FROM thing WHERE mrid = 'twice'"))[0]["times"] == 1


async def test_a_command_is_acknowledged_and_answered_in_parts_when_its_work_is_done(toys: Installation) -> None:
    async with run(toys, make_shop()), toys.peer("customer") as customer:
        customer.drain("reply", "customer")
        await customer.command("shop", Verb.EXECUTE, orders("two-parts", amount=100), ack_required=True)
        answers = [(await customer.next()).message for _ in range(3)]
        assert [code_of(answer) for answer in answers] == ["0.3", "0.1", "0.2"]
        assert len({answer.header.message_id for answer in answers}) == 3
        assert len({answer.header.correlation_id for answer in answers}) == 1


async def test_a_command_waits_for_the_role_that_is_away_and_its_reply_finds_what_it_is_about(
    toys: Installation,
) -> None:
    async with run(toys, make_shop()), toys.peer("customer") as customer:
        await customer.request("shop", Verb.CHANGE, orders("patience"))
        await customer.request("shop", Verb.CHANGE, orders("refused", note="reject"))
        await asyncio.sleep(0.3)
        assert await notes(toys, "shop", "patience") == []
        async with run(toys, make_depot()):
            assert await eventually(lambda: notes(toys, "shop", "patience")) == [("patience", "OK 0.0")]
            assert await eventually(lambda: notes(toys, "shop", "refused")) == [("refused", "FAILED 6.1")]
        asked = await rows(toys, "depot", "SELECT count(*) AS times FROM inbox WHERE source = 'shop'")
        assert asked[0]["times"] == 2


async def test_a_product_may_acknowledge_answer_in_parts_or_with_a_fault_message(toys: Installation) -> None:
    async with run(toys, make_shop()), toys.peer("customer") as customer, toys.peer("depot") as depot:
        depot.drain("command", "depot")
        await customer.request("shop", Verb.CHANGE, orders("product"))
        command = await next_command(depot)
        for reply in (success("0.3"), success("0.1"), success("0.2"), to_reply(Rejected("too late to refuse"))):
            await depot.reply(command, reply)
        await eventually(
            lambda: rows(toys, "shop", "SELECT FROM sent WHERE about = 'product' AND replied_at IS NOT NULL")
        )
        assert await notes(toys, "shop", "product") == [("product", "PARTIAL 0.1"), ("product", "PARTIAL 0.2")]

        await customer.request("shop", Verb.CHANGE, orders("fault"))
        command = await next_command(depot)
        fault = Fault(reply=Reply(result=Result.FAILED, error=(Error(code="1.8", reason="I cannot read you"),)))
        body = depot.codec.encode(fault, CONTENT_XML)
        await depot.bus.publish_stream(command.header.reply_address or "", body, msg_id="fault")
        assert await eventually(lambda: notes(toys, "shop", "fault")) == [("fault", "FAILED 1.8")]


async def test_an_answer_to_a_command_that_was_not_given_is_put_aside(toys: Installation) -> None:
    async with run(toys, make_shop()), toys.peer("stranger") as stranger, toys.peer("customer") as customer:
        await customer.request("shop", Verb.CHANGE, orders("for-the-depot"))
        sent = (await rows(toys, "shop", "SELECT message_id FROM sent WHERE about = 'for-the-depot'"))[0]["message_id"]
        for message_id in ("never-given", sent):
            response = stranger.writer.response("stranger", "Parcels", success(), message_id=message_id, thread=None)
            body = stranger.codec.encode(response, CONTENT_XML)
            subject = f"busbar.testing.reply.shop.{message_id}.stranger"
            await stranger.bus.publish_stream(subject, body, msg_id=f"answer to {message_id}")
        letters = await eventually(lambda: rows(toys, "shop", "SELECT code, reason FROM dead_letter OFFSET 1"))
        assert letters[0]["code"] == "2.15"
        assert letters[0]["reason"] == "'stranger' answers a command that it was not given"
        assert await notes(toys, "shop", "for-the-depot") == []
