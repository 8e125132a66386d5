"""Events: keyed in order, shared by all, followed by each process, in batches; and none is lost for good."""

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Iterable

import pytest

from contracts.message import Message
from contracts.verbs import Verb
from shared import batches, gaps, intake, suspects
from shared.codec import CONTENT_XML
from shared.tools.testing import Installation, Peer
from tests.service.toys.orders import Orders, orders
from tests.service.toys.parcels import parcels
from tests.service.toys.services import gate, make_depot, make_ledger, make_shop
from tests.service.toys.world import admin, eventually, notes, rows, run


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing number is asked for soon."""
    monkeypatch.setattr(gaps, "GRACE_S", 0.2)
    monkeypatch.setattr(gaps, "LOOK_S", 0.1)
    monkeypatch.setattr(suspects, "RETRY_S", 0.001)


async def test_events_of_a_key_keep_their_order_over_two_replicas_that_stumble(toys: Installation) -> None:
    count, keys = 120, 6
    async with toys.peer("shop") as shop, run(toys, make_ledger()), run(toys, make_ledger()):
        for number in range(count):
            key = f"key-{number % keys}"
            await shop.tell(Verb.CREATED, orders(key, amount=number), key=key)
        heard = await eventually(lambda: _at_least(toys, "key-%", count))
        order = defaultdict(list)
        for key, amount in heard:
            order[key].append(int(amount))
        assert len(heard) == count
        assert all(amounts == sorted(amounts) for amounts in order.values())


async def test_shared_events_are_taken_by_any_replica_once(toys: Installation) -> None:
    async with toys.peer("shop") as shop, run(toys, make_ledger()), run(toys, make_ledger()):
        for number in range(60):
            await shop.tell(Verb.CHANGED, orders(f"shared-{number}"), key=f"shared-{number}")
        heard = await eventually(lambda: _at_least(toys, "shared-%", 60))
        assert sorted({mrid for mrid, _ in heard}) == sorted(mrid for mrid, _ in heard)


async def test_what_was_lost_on_its_way_is_found_by_its_number_and_sent_again(toys: Installation) -> None:
    async with run(toys, make_shop(), make_ledger()), toys.peer("customer") as customer:
        await customer.request("shop", Verb.CREATE, orders("counted"))
        await eventually(lambda: _at_least(toys, "counted", 1))
        lost = await rows(
            toys,
            "shop",
            "WITH numbered AS (UPDATE sequence SET last = last + 3 "
            "WHERE subject LIKE '%.general.shop.Orders.created.%' RETURNING subject, last) "
            "INSERT INTO outbox (source, subject, message_id, headers, body, counted, sequence, sent_at) "
            "SELECT source, subject, 'lost ' || n, headers, "
            "replace(convert_from(body, 'UTF8'), 'counted', 'lost-' || n)::bytea, true, last - 3 + n, now() "
            "FROM outbox JOIN numbered USING (subject), generate_series(1, 3) n RETURNING id",
        )
        assert len(lost) == 3, "the broker never got these, though their producer believes that it did"
        await rows(toys, "shop", "DELETE FROM thing WHERE mrid = 'counted'")
        await customer.request("shop", Verb.CREATE, orders("counted", amount=2))
        heard = await eventually(lambda: _at_least(toys, "lost-%", 3))
        assert sorted(mrid for mrid, _ in heard) == ["lost-1", "lost-2", "lost-3"]
        await eventually(lambda: rows(toys, "ledger", "SELECT WHERE NOT EXISTS (SELECT FROM gap)"))


async def test_each_process_follows_from_a_snapshot_on_and_mends_a_gap_by_another(toys: Installation) -> None:
    shops = [make_shop(), make_shop()]
    async with toys.peer("shop") as asker, run(toys, make_depot()):
        await rows(toys, "depot", "INSERT INTO thing (mrid, amount) VALUES ('before', 7)")
        memories = []
        for shop in shops:
            made = shop.memory

            def keep(made: object = made) -> object:
                assert callable(made)
                memories.append(made())
                return memories[-1]

            shop.memory = keep
        async with run(toys, shops[0]), run(toys, shops[1]):
            await eventually(lambda: _all(memory.parcels.get("before") == 7 for memory in memories))
            await asker.command("depot", Verb.CREATE, parcels("after", weight=3))
            await eventually(lambda: _all(memory.parcels.get("after") == 3 for memory in memories))
            await rows(toys, "depot", "UPDATE sequence SET last = last + 5 WHERE subject LIKE '%control%'")
            await rows(toys, "depot", "INSERT INTO thing (mrid, amount) VALUES ('missed', 9)")
            for number in range(8):
                await asker.command("depot", Verb.CREATE, parcels(f"next-{number}"))
            await eventually(lambda: _all(memory.parcels.get("missed") == 9 for memory in memories))


async def test_a_batch_is_one_transaction_and_its_bad_message_alone_is_put_aside(toys: Installation) -> None:
    async with toys.peer("depot") as depot:
        for number in range(40):
            await depot.tell(Verb.CREATED, parcels(f"batch-{number}"), key=str(number))
        async with run(toys, make_ledger()):
            heard = await eventually(lambda: _at_least(toys, "batch-%", 40))
            assert any(text != "batch of 1" for _, text in heard)
            for number in range(40, 60):
                note = "bad in a batch" if number == 47 else None
                await depot.tell(Verb.CREATED, parcels(f"batch-{number}", note=note), key=str(number))
            heard = await eventually(lambda: _at_least(toys, "batch-%", 59))
            assert len({mrid for mrid, _ in heard}) == 59
            letters = await eventually(lambda: rows(toys, "ledger", "SELECT subject, reason FROM dead_letter"), 40)
        assert [letter["reason"].rpartition(" ")[2] for letter in letters] == ["RuntimeError"]


async def test_of_messages_that_come_one_after_the_other_few_batches_are_made_where_these_are_handled_in_turn(
    toys: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "GATHER_S", 1.0)
    async with toys.peer("depot") as depot, run(toys, make_ledger(in_turn=True)):
        for number in range(40):
            await depot.tell(Verb.CREATED, parcels(f"gathered-{number}"), key=str(number))
            await asyncio.sleep(0.01)
        heard = await eventually(lambda: _at_least(toys, "gathered-%", 40))
    sizes = Counter(int(text.removeprefix("batch of ")) for _, text in heard)
    assert sum(count // size for size, count in sizes.items()) <= 4


async def test_a_batch_that_had_to_wait_is_handled_together_when_it_comes_again(
    toys: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "RETRY_S", 0.2)
    before = await rows(toys, "ledger", "SELECT FROM failure")
    async with toys.peer("depot") as depot:
        for number in range(20):
            note = "not now at first" if number == 7 else None
            await depot.tell(Verb.CREATED, parcels(f"put-off-{number}", note=note), key=str(number))
        async with run(toys, make_ledger()):
            heard = await eventually(lambda: _at_least(toys, "put-off-%", 20))
        assert await rows(toys, "ledger", "SELECT FROM failure") == before, "no mark is left"
    assert len({mrid for mrid, _ in heard}) == len(heard) == 20
    assert dict(heard)["put-off-7"] != "batch of 1"


async def test_a_batch_that_takes_long_is_not_handed_out_again(
    toys: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "LONG_WORK_S", 0.1)
    gate.close()
    async with toys.peer("depot") as depot, admin(toys) as broker:
        stream = broker.space.stream("readings")
        usual = (await broker.manager.consumer_info(stream, "ledger_shared")).config
        await broker.manager.add_consumer(stream, usual.evolve(ack_wait=2.0))
        try:
            async with run(toys, make_ledger()):
                for number in range(3):
                    note = "wait in a batch" if number == 1 else None
                    await depot.tell(Verb.CREATED, parcels(f"long-{number}", note=note), key=str(number))
                await asyncio.sleep(4.5)  # more than twice the patience of the broker
                told = await broker.manager.consumer_info(stream, "ledger_shared")
                assert (told.num_redelivered, bool(told.num_ack_pending)) == (0, True)
                gate.open()
                await eventually(lambda: _at_least(toys, "long-%", 3))
        finally:
            await broker.manager.add_consumer(stream, usual)
    assert sorted(mrid for mrid, _ in await notes(toys, "ledger", "long-%")) == ["long-0", "long-1", "long-2"]


async def test_an_event_that_is_told_again_in_any_order_is_heard_once(toys: Installation) -> None:
    async with toys.peer("shop") as shop, run(toys, make_ledger()):
        chosen = random.Random(7)
        told = [f"again-{number % 20}" for number in range(60)]
        chosen.shuffle(told)
        for place, name in enumerate(told):
            body = shop.codec.encode(_same(shop, name), CONTENT_XML)
            await shop.tell_raw(Verb.CHANGED, "Orders", body, f"sent {place}", key=name)
        await eventually(lambda: _at_least(toys, "again-%", 20))
        await asyncio.sleep(0.3)
        assert len(await notes(toys, "ledger", "again-%")) == 20


def _same(shop: Peer, name: str) -> Message[Orders]:
    """The same event for the same name."""
    return Message(header=shop.header(Verb.CHANGED, "Orders", message_id=f"id of {name}"), payload=orders(name))


async def _at_least(toys: Installation, pattern: str, count: int) -> list[tuple[str, str]]:
    heard = await notes(toys, "ledger", pattern)
    return heard if len(heard) >= count else []


async def _all(conditions: Iterable[bool]) -> bool:
    return all(conditions)
