"""OperationSets: several operations in one message, all of them or each by itself, and once in effect as a whole."""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import pytest

from contracts.message import Enclosure, Message, OperationSet, Result
from contracts.verbs import Verb
from shared.codec import CONTENT_JSON, CONTENT_XML, operations
from shared.codec.operations import Step
from shared.tools.testing import Installation, Peer
from tests.service.toys.orders import Orders, orders
from tests.service.toys.parcels import parcels
from tests.service.toys.services import make_depot, make_shop
from tests.service.toys.world import code_of, eventually, notes, reply_of, rows, run


def create(number: int, mrid: str, note: str | None = None) -> Step:
    return Step(operation_id=number, verb=Verb.CREATE, payload=orders(mrid, note=note))


def body_of(
    customer: Peer, steps: Sequence[Step], *, as_one: bool | None = None, message_id: str = "", **fields: Any
) -> bytes:
    header = customer.header(Verb.EXECUTE, "OperationSet", message_id=message_id or str(uuid4()), **fields)
    wanted = operations.write(customer.codec, steps, in_sequence=True, as_one=as_one)
    message: Message[Any] = Message(header=header, enclosure=Enclosure(operation_set=wanted))
    return customer.codec.encode(message, CONTENT_XML)


async def execute(
    customer: Peer, *steps: Step, as_one: bool | None = None, message_id: str = "", **fields: Any
) -> Message[Any]:
    """The reply of the shop to a set."""
    body = body_of(customer, steps, as_one=as_one, message_id=message_id, **fields)
    received = await customer.ask_raw("shop", Verb.EXECUTE, "OperationSet", body)
    answer = customer.codec.decode(received.body, CONTENT_XML)
    assert isinstance(answer, Message)
    return answer


def errors_of(answer: Message[Any]) -> list[tuple[str, int | None]]:
    return [(error.code, error.operation_id) for error in reply_of(answer).error]


def given_back(customer: Peer, answer: Message[Any]) -> dict[int, list[str]]:
    """The orders in the reply, by the number of the operation."""
    if answer.enclosure is None or answer.enclosure.operation_set is None:
        return {}
    steps = operations.read(customer.codec, answer.enclosure.operation_set)
    return {step.operation_id: [order.mrid for order in step.payload.order] for step in steps}


async def orders_like(toys: Installation, pattern: str) -> dict[str, int]:
    """The orders that the shop keeps, with how often each was taken."""
    found = await rows(toys, "shop", "SELECT mrid, times FROM thing WHERE mrid LIKE $1 ORDER BY mrid", pattern)
    return {row["mrid"]: row["times"] for row in found}


async def told_of(toys: Installation, message_id: str) -> int:
    """How many events the shop told because of a message."""
    found = await rows(
        toys,
        "shop",
        "SELECT count(*) AS told FROM outbox WHERE subject LIKE '%.event.general.%' "
        "AND convert_from(body, 'UTF8') LIKE '%<CorrelationID>' || $1 || '</CorrelationID>%'",
        message_id,
    )
    count: int = found[0]["told"]
    return count


@pytest.mark.parametrize("as_one", [True, None])
async def test_the_operations_of_a_set_are_done_in_order_and_give_back_what_their_handlers_do(
    toys: Installation, as_one: bool | None
) -> None:
    async with run(toys, make_shop()), toys.peer("customer") as customer:
        name = f"all-{as_one}"
        answer = await execute(
            customer, create(7, f"{name}-1"), create(3, f"{name}-2"), as_one=as_one, message_id=f"id-{name}"
        )
        assert (reply_of(answer).result, errors_of(answer)) == (Result.OK, [])
        assert answer.header.noun == "OperationSet"
        assert answer.payload is None
        assert given_back(customer, answer) == {7: [f"{name}-1"], 3: [f"{name}-2"]}
        assert await orders_like(toys, f"{name}-%") == {f"{name}-1": 1, f"{name}-2": 1}
        assert await told_of(toys, f"id-{name}") == 2


async def test_a_later_operation_sees_what_an_earlier_one_of_the_set_did(toys: Installation) -> None:
    async with run(toys, make_shop()), toys.peer("customer") as customer:
        answer = await execute(customer, create(1, "same"), create(2, "same"))
        assert (reply_of(answer).result, errors_of(answer)) == (Result.PARTIAL, [("5.2", 2)])
        assert reply_of(answer).error[0].id is not None


@pytest.mark.parametrize("note", ["reject", "too late"])
async def test_one_refused_operation_undoes_the_whole_of_a_set_with_integrity(toys: Installation, note: str) -> None:
    async with run(toys, make_shop()), toys.peer("customer") as customer:
        name, message_id = f"none-{note}", f"id-none-{note.replace(' ', '-')}"
        steps = (create(1, f"{name}-1"), create(2, f"{name}-2", note), create(3, f"{name}-3"))
        answer = await execute(customer, *steps, as_one=True, message_id=message_id)
        assert reply_of(answer).result is Result.FAILED
        assert errors_of(answer) == [("5.9", None), ("6.1", 2)]
        assert given_back(customer, answer) == {}
        assert await orders_like(toys, f"{name}-%") == {}
        assert await told_of(toys, message_id) == 0
        again = await execute(customer, *steps, as_one=True, message_id=message_id)
        assert again.header.message_id == answer.header.message_id


@pytest.mark.parametrize("note", ["reject", "too late"])
async def test_without_integrity_a_refused_operation_is_undone_by_itself(toys: Installation, note: str) -> None:
    async with run(toys, make_shop()), toys.peer("customer") as customer:
        name, message_id = f"some-{note}", f"id-some-{note.replace(' ', '-')}"
        steps = [create(number, f"{name}-{number}", note if number in {1, 3, 4} else None) for number in range(1, 6)]
        answer = await execute(customer, *steps, message_id=message_id)
        assert reply_of(answer).result is Result.PARTIAL
        assert errors_of(answer) == [("6.1", 1), ("6.1", 3), ("6.1", 4)]
        assert given_back(customer, answer) == {2: [f"{name}-2"], 5: [f"{name}-5"]}
        assert await orders_like(toys, f"{name}-%") == {f"{name}-2": 1, f"{name}-5": 1}
        assert await told_of(toys, message_id) == 2


async def test_a_set_of_which_everything_is_refused_has_failed(toys: Installation) -> None:
    async with run(toys, make_shop()), toys.peer("customer") as customer:
        unserved = Step(operation_id=2, verb=Verb.DELETE, payload=orders("a"))
        foreign = Step(operation_id=3, verb=Verb.CREATE, payload=parcels("a"))
        later = Step(operation_id=4, verb=Verb.EXECUTE, payload=orders("set-later", amount=1))
        answer = await execute(customer, create(1, "failed", "too late"), unserved, foreign, later)
        assert reply_of(answer).result is Result.FAILED
        assert errors_of(answer) == [("6.1", 1), ("2.9", 2), ("2.5", 3), ("2.9", 4)]
        assert await orders_like(toys, "failed") == {}
        assert await rows(toys, "shop", "SELECT FROM wake WHERE key = 'set-later'") == []


@pytest.mark.parametrize("as_one", [True, None])
async def test_the_same_set_again_gets_the_same_reply_and_has_no_second_effect(
    toys: Installation, as_one: bool | None
) -> None:
    async with run(toys, make_shop()), toys.peer("customer") as customer:
        name = f"twice-{as_one}"
        body = body_of(customer, [create(1, f"{name}-1"), create(2, f"{name}-2")], as_one=as_one)
        answers = {(await customer.ask_raw("shop", Verb.EXECUTE, "OperationSet", body)).body for _ in range(3)}
        read = customer.codec.decode(body, CONTENT_XML)
        other = customer.codec.encode(read, CONTENT_JSON)
        answers.add((await customer.ask_raw("shop", Verb.EXECUTE, "OperationSet", other, CONTENT_JSON)).body)
        assert len(answers) == 1
        assert await orders_like(toys, f"{name}-%") == {f"{name}-1": 1, f"{name}-2": 1}


async def test_a_set_may_be_a_command_and_its_reply_comes_by_the_stream(toys: Installation) -> None:
    async with run(toys, make_shop(), make_depot()), toys.peer("customer") as customer:
        customer.drain("reply", "customer")
        steps = [
            Step(operation_id=1, verb=Verb.CHANGE, payload=orders("set-parcel")),
            create(2, "set-refused", "too late"),
            Step(operation_id=3, verb=Verb.CHANGE, payload=orders("set-parcel-too")),
        ]
        address = customer.writer.reply_subject("customer", "id-command", "shop")
        flags: dict[str, Any] = {"async_reply_flag": True, "reply_address": address}
        for copy in ("first", "second"):
            body = body_of(customer, steps, message_id="id-command", **flags)
            await customer.command_raw("shop", Verb.EXECUTE, "OperationSet", body, copy)
        answer = (await customer.next()).message
        assert (reply_of(answer).result, errors_of(answer)) == (Result.PARTIAL, [("6.1", 2)])
        assert await eventually(lambda: notes(toys, "shop", "set-parcel-too"))
        assert await eventually(lambda: notes(toys, "shop", "set-parcel")) == [("set-parcel", "OK 0.0")]
        sent = await rows(toys, "shop", "SELECT count(*) AS times FROM sent WHERE about LIKE 'set-%'")
        assert sent[0]["times"] == 2, "two operations have commanded once each"


async def test_an_operation_may_ask_another_role_before_the_set_has_written(toys: Installation) -> None:
    async with run(toys, make_shop(), make_depot()), toys.peer("customer") as customer:
        asking = Step(operation_id=2, verb=Verb.CHANGE, payload=orders("set-asks", note="ask"))
        too_late = Step(operation_id=4, verb=Verb.CHANGE, payload=orders("set-asks-late", note="ask"))
        answer = await execute(customer, create(1, "set-first", "reject"), asking, create(3, "set-last"), too_late)
        assert errors_of(answer) == [("6.1", 1), ("5.2", 4)]
        assert given_back(customer, answer) == {2: ["set-asks"], 3: ["set-last"]}


@pytest.mark.parametrize(("note", "code"), [("not now", "5.1"), ("defect", "5.3")])
async def test_what_no_rule_says_concerns_the_whole_set_and_leaves_no_trace(
    toys: Installation, note: str, code: str
) -> None:
    async with run(toys, make_shop()), toys.peer("customer") as customer:
        name, message_id = f"trace-{note}", f"id-trace-{note.replace(' ', '-')}"
        answer = await execute(customer, create(1, f"{name}-1"), create(2, f"{name}-2", note), message_id=message_id)
        assert (reply_of(answer).result, errors_of(answer)) == (Result.FAILED, [(code, None)])
        assert await orders_like(toys, f"{name}-%") == {}
        assert await rows(toys, "shop", "SELECT FROM inbox WHERE message_id = $1", message_id) == []


async def test_what_is_no_set_is_refused_as_a_whole(toys: Installation) -> None:
    async with run(toys, make_shop()), toys.peer("customer") as customer:
        twice = await execute(customer, create(1, "no-set-1"), create(1, "no-set-2"))
        assert code_of(twice) == "1.8"
        assert await orders_like(toys, "no-set-%") == {}
        for verb, enclosure, code in (
            (Verb.EXECUTE, None, "1.7"),
            (Verb.EXECUTE, Enclosure(operation_set=OperationSet(enforce_msg_sequence=True)), "1.7"),
            (Verb.CREATE, Enclosure(operation_set=operations.write(customer.codec, [create(1, "no-set-3")])), "2.9"),
        ):
            message: Message[Orders] = Message(header=customer.header(verb, "OperationSet"), enclosure=enclosure)
            body = customer.codec.encode(message, CONTENT_XML)
            answer = customer.codec.decode(
                (await customer.ask_raw("shop", verb, "OperationSet", body)).body, CONTENT_XML
            )
            assert isinstance(answer, Message)
            assert code_of(answer) == code
