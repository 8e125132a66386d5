"""Dead letters: what cannot succeed is put aside with its reason and may be tried again; what must wait never is."""

import msgspec
import pytest

from contracts.message import Message
from contracts.verbs import Verb
from shared import answering, dead_letters, suspects
from shared.admin import Requeued
from shared.bus.connection import Bus
from shared.dead_letters import DeadLetter
from shared.service import Service
from shared.tools.testing import Installation
from shared.work import Work
from tests.service.toys.interfaces import LEDGER
from tests.service.toys.orders import Orders, orders
from tests.service.toys.parcels import Parcels
from tests.service.toys.services import make_ledger, make_shop, write_down_change, write_down_many
from tests.service.toys.store import ToyStore
from tests.service.toys.world import admin, code_of, eventually, notes, rows, run


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What failed is tried again soon."""
    monkeypatch.setattr(suspects, "RETRY_S", 0.001)
    monkeypatch.setattr(answering, "NOT_NOW_S", 0.001)


async def test_a_defect_puts_an_event_aside_until_the_service_is_mended_and_requeues_it(toys: Installation) -> None:
    async with toys.peer("shop") as shop, admin(toys) as broker:
        async with run(toys, make_ledger()):
            await shop.tell(Verb.CREATED, orders("spoiled", note="defect"), key="k")
            await shop.tell(Verb.CREATED, orders("behind-it"), key="k")
            assert await eventually(lambda: notes(toys, "ledger", "behind-it")) == [("behind-it", "1")]
            letter = (await _letters(broker, "ledger"))[0]
            assert letter.code == "5.3"
            assert letter.reason == "its handling failed again and again; the last time: RuntimeError"
            assert letter.requeued_at is None
            again = await _requeue(broker, "ledger", letter.id)
            assert (again.done, again.reason) == (False, letter.reason)
            assert (await _letters(broker, "ledger"))[0].requeued_at is None
        async with run(toys, _mended_ledger()):
            assert (await _requeue(broker, "ledger", letter.id)).done
            assert await notes(toys, "ledger", "spoiled") == [("spoiled", "mended")]
            assert (await _requeue(broker, "ledger", letter.id)).done
            assert await notes(toys, "ledger", "spoiled") == [("spoiled", "mended")], "it has its effect once"
            assert (await _letters(broker, "ledger"))[0].requeued_at is not None
    dead = await rows(toys, "ledger", "SELECT subject FROM outbox WHERE subject LIKE '%.event.dead.ledger.Orders.%'")
    assert len(dead) == 1


async def test_a_command_that_met_a_defect_is_refused_and_its_dead_letter_may_still_succeed(toys: Installation) -> None:
    async with toys.peer("customer") as customer, admin(toys) as broker, run(toys, make_shop()):
        customer.drain("reply", "customer")
        await customer.command("shop", Verb.CREATE, orders("spoiled", note="defect"))
        answer = (await customer.next()).message
        assert code_of(answer) == "5.3"
        [letter] = await _letters(broker, "shop")
        assert letter.subject == "busbar.testing.command.shop.Orders.create.customer"
        broken = b'<?xml version="1.0"?><no-message/>'
        told = await broker.request("busbar.testing.admin.shop.requeue", b'{"id": 4711}')
        assert b"there is no dead letter 4711" in told.body
        told = await broker.request("busbar.testing.admin.shop.requeue", broken)
        assert b"the question cannot be read" in told.body


async def test_what_has_to_wait_waits_as_long_as_it_takes_and_is_never_put_aside(toys: Installation) -> None:
    async with toys.peer("shop") as shop, run(toys, make_ledger()):
        before = await rows(toys, "ledger", "SELECT FROM dead_letter UNION ALL SELECT FROM failure WHERE count > 1")
        await shop.tell(Verb.CREATED, orders("patient", note="not now"), key="patient")
        async with admin(toys) as broker:

            async def redelivered() -> bool:
                total = 0
                for partition in range(4):
                    info = await broker.manager.consumer_info("busbar_testing_general", f"ledger_keyed_{partition}")
                    total += (info.delivered.consumer_seq if info.delivered else 0) - (
                        info.ack_floor.consumer_seq if info.ack_floor else 0
                    )
                return total > suspects.FORGIVEN * 2

            await eventually(redelivered)
        after = await rows(toys, "ledger", "SELECT FROM dead_letter UNION ALL SELECT FROM failure WHERE count > 1")
        assert len(after) == len(before)


async def test_a_rule_that_rejects_an_event_puts_it_aside_at_once_with_its_code(toys: Installation) -> None:
    await toys.prepare()
    async with toys.peer("shop") as shop, run(toys, make_ledger()), admin(toys) as broker:
        for number in range(dead_letters.LISTED + 3):
            await shop.tell(Verb.CREATED, orders(f"rejected-{number}", note="reject"), key=str(number))
        await eventually(lambda: rows(toys, "ledger", "SELECT FROM dead_letter OFFSET $1", dead_letters.LISTED + 2))
        letters = await _letters(broker, "ledger")
        assert len(letters) == dead_letters.LISTED, "a listing shows the newest"
        assert {(letter.code, letter.reason) for letter in letters} == {("6.1", "the rule says no")}


async def _letters(broker: Bus, role: str) -> list[DeadLetter]:
    told = await broker.request(f"busbar.testing.admin.{role}.dead-letters", b"")
    return msgspec.json.decode(told.body, type=list[DeadLetter])


async def _requeue(broker: Bus, role: str, number: int) -> Requeued:
    told = await broker.request(f"busbar.testing.admin.{role}.requeue", b'{"id": %d}' % number)
    return msgspec.json.decode(told.body, type=Requeued)


def _mended_ledger() -> Service[ToyStore]:
    async def write_down(message: Message[Orders], work: Work[ToyStore]) -> None:
        await work.store.note(message.noun.order[0].mrid, "mended")

    ledger = Service(LEDGER, store=ToyStore)
    ledger.on(Verb.CREATED, Orders)(write_down)
    ledger.on(Verb.CHANGED, Orders)(write_down_change)
    ledger.on_batch(Verb.CREATED, Parcels)(write_down_many)
    return ledger
