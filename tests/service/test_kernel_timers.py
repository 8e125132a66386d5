"""Wakes: durable, replaced and cancelled by their key, and put aside when they cannot succeed."""

from datetime import UTC, datetime
from functools import partial

import pytest

from contracts.errors import Rejected
from contracts.verbs import Verb
from shared import timers
from shared.clock import SystemClock
from shared.tools.testing import Installation
from shared.work import Wake, Work
from tests.service.toys.orders import orders
from tests.service.toys.services import gate, make_shop
from tests.service.toys.store import ToyStore
from tests.service.toys.world import admin, code_of, eventually, notes, rows, run


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What failed is tried again soon."""
    monkeypatch.setattr(timers, "POSTPONED_S", 0.01)
    monkeypatch.setattr(timers, "LOOK_AGAIN_S", 0.01)


async def test_a_wake_survives_its_process_and_carries_the_thread_of_what_set_it(toys: Installation) -> None:
    async with toys.peer("customer") as customer:
        customer.drain("reply", "customer")
        async with run(toys, make_shop()):
            message_id = await customer.command("shop", Verb.EXECUTE, orders("survivor", amount=400))
            await eventually(lambda: rows(toys, "shop", "SELECT FROM wake WHERE key = 'survivor'"))
        async with run(toys, make_shop()):
            answer = (await customer.next()).message
        assert code_of(answer) == "0.0"
        assert answer.header.correlation_id == message_id
        assert await rows(toys, "shop", "SELECT FROM ticket") == []


async def test_two_processes_fire_a_wake_once_and_a_later_one_replaces_it(toys: Installation) -> None:
    async with toys.peer("customer") as customer, run(toys, make_shop()), run(toys, make_shop()):
        customer.drain("reply", "customer")
        for amount in (60_000, 100):
            await customer.command("shop", Verb.EXECUTE, orders("replaced", amount=amount))
            await eventually(lambda: rows(toys, "shop", "SELECT FROM ticket"))
        await eventually(lambda: notes(toys, "shop", "replaced"))
        await customer.command("shop", Verb.EXECUTE, orders("cancelled", amount=60_000))
        await eventually(lambda: rows(toys, "shop", "SELECT FROM wake WHERE key = 'cancelled'"))
        await customer.command("shop", Verb.CLOSE, orders("cancelled"))
        await eventually(lambda: rows(toys, "shop", "SELECT WHERE NOT EXISTS (SELECT FROM wake)"))
        assert await notes(toys, "shop", "replaced") == [("replaced", "finished")]


async def test_a_wake_that_comes_sooner_than_what_is_waited_for_is_fired_in_its_time_and_one_that_comes_later_too(
    toys: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SystemClock.__init__, "__defaults__", (60.0,))  # nobody looks without being told
    async with toys.peer("customer") as customer, run(toys, make_shop()):
        customer.drain("reply", "customer")
        await customer.command("shop", Verb.EXECUTE, orders("waited-for", amount=4_000))
        await eventually(lambda: rows(toys, "shop", "SELECT FROM wake WHERE key = 'waited-for'"))
        await customer.command("shop", Verb.EXECUTE, orders("later", amount=5_000))
        await eventually(lambda: rows(toys, "shop", "SELECT FROM wake WHERE key = 'later'"))
        await customer.command("shop", Verb.EXECUTE, orders("sooner", amount=100))
        await eventually(lambda: notes(toys, "shop", "sooner"))
        assert not await notes(toys, "shop", "waited-for")
        await eventually(lambda: notes(toys, "shop", "waited-for"))
        await eventually(lambda: notes(toys, "shop", "later"))


async def test_a_wake_that_takes_long_in_one_process_is_left_to_it_by_the_others(toys: Installation) -> None:
    gate.close()
    shops = [make_shop() for _ in range(3)]
    async with toys.peer("customer") as customer, run(toys, shops[0]), run(toys, shops[1]), run(toys, shops[2]):
        customer.drain("reply", "customer")
        await customer.request("shop", Verb.CREATE, orders("contended long"))
        await customer.command("shop", Verb.EXECUTE, orders("contended long", amount=0))
        await eventually(lambda: rows(toys, "shop", "SELECT FROM wake WHERE attempts > 0"))
        for number in range(20):  # the others are told to look again, and again find it under way
            await customer.command("shop", Verb.EXECUTE, orders(f"meanwhile {number}", amount=0))
            await eventually(lambda: notes(toys, "shop", f"meanwhile {number}"))  # noqa: B023  awaited in its turn
        assert await rows(toys, "shop", "SELECT FROM wake WHERE key = 'contended long' AND attempts BETWEEN 1 AND 3")
        gate.open()
        await eventually(lambda: rows(toys, "shop", "SELECT WHERE NOT EXISTS (SELECT FROM wake)"))
        assert await rows(toys, "shop", "SELECT FROM dead_letter") == []
        assert len(await rows(toys, "shop", "SELECT FROM thing WHERE mrid = 'contended long' AND times = 3")) == 1


async def test_what_sets_a_wake_anew_while_it_is_handled_does_not_wait_for_it(toys: Installation) -> None:
    gate.close()
    async with toys.peer("customer") as customer, run(toys, make_shop()):
        customer.drain("reply", "customer")
        await customer.request("shop", Verb.CREATE, orders("contended anew"))
        await customer.command("shop", Verb.EXECUTE, orders("contended anew", amount=0))
        await gate.reached()
        await customer.command("shop", Verb.EXECUTE, orders("contended anew", amount=400))
        await eventually(lambda: rows(toys, "shop", "SELECT FROM wake WHERE attempts = 0"))
        assert await notes(toys, "shop", "contended anew") == [], "the first one is still under way"
        gate.open()
        await eventually(lambda: rows(toys, "shop", "SELECT WHERE NOT EXISTS (SELECT FROM wake)"))
        both = await rows(toys, "shop", "SELECT FROM thing WHERE mrid = 'contended anew' AND times = 5")
        assert both != [], "each had its effect once"


async def test_what_was_done_by_a_wake_that_is_cancelled_meanwhile_is_undone(toys: Installation) -> None:
    gate.close()
    async with toys.peer("customer") as customer, run(toys, make_shop()):
        customer.drain("reply", "customer")
        await customer.command("shop", Verb.EXECUTE, orders("contended in vain", amount=0))
        await gate.reached()
        await customer.command("shop", Verb.CLOSE, orders("contended in vain"))
        await eventually(lambda: rows(toys, "shop", "SELECT WHERE NOT EXISTS (SELECT FROM wake)"))
        gate.open()
        await customer.command("shop", Verb.EXECUTE, orders("later", amount=0))
        await eventually(lambda: notes(toys, "shop", "later"))
        assert await notes(toys, "shop", "contended in vain") == []


async def test_a_wake_that_cannot_succeed_is_put_aside_and_may_be_requeued(toys: Installation) -> None:
    async with toys.peer("customer") as customer, run(toys, make_shop()), admin(toys) as broker:
        await customer.command("shop", Verb.EXECUTE, orders("broken", amount=0))
        await customer.command("shop", Verb.EXECUTE, orders("unharmed", amount=1))
        letters = await eventually(lambda: rows(toys, "shop", "SELECT id, subject, reason FROM dead_letter"))
        assert [letter["subject"] for letter in letters] == ["wake finish broken"]
        assert letters[0]["reason"].endswith("RuntimeError")
        assert await eventually(lambda: notes(toys, "shop", "unharmed")) == [("unharmed", "finished")]
        assert await notes(toys, "shop", "broken") == [], "a wake that failed has left nothing"
        told = await broker.request("busbar.testing.admin.shop.requeue", b'{"id": %d}' % letters[0]["id"])
        assert told.body == b'{"id":%d,"done":true}' % letters[0]["id"]
        await eventually(lambda: rows(toys, "shop", "SELECT FROM dead_letter OFFSET 1"))


async def test_of_parts_that_are_attempted_those_that_fail_are_undone_and_so_is_what_was_only_a_trial(
    toys: Installation,
) -> None:
    """By an error of the handler, by one of the database, and by a rule; what was done before and after stays."""

    async def do(name: str, fault: Exception | None, part: Work[ToyStore]) -> None:
        await part.store.note("attempted", name)
        part.publish(Verb.CREATED, orders(name), key=name)
        if isinstance(fault, ZeroDivisionError):
            await part.store.fetch("SELECT 1 / 0")
        if fault is not None:
            raise fault

    async def try_parts(_: Wake, work: Work[ToyStore]) -> None:
        faults = {"by code": KeyError("lost"), "by sql": ZeroDivisionError(), "by rule": Rejected("no", code="6.1")}
        await work.store.note("attempted", "before")
        why = [await work.attempt(name, partial(do, name, fault)) for name, fault in faults.items()]
        why.append(await work.attempt("trial", partial(do, "trial", None), is_trial=True))
        why.append(await work.attempt("well", partial(do, "well", None)))
        await work.store.note("reasons", "; ".join(why))

    shop = make_shop()
    shop.on_wake("attempts")(try_parts)
    sql = "INSERT INTO wake (name, key, id, at, payload, trace) VALUES ('attempts', '', 'attempts', $1, '', '{}')"
    await rows(toys, "shop", sql, datetime(2026, 1, 1, tzinfo=UTC))
    async with run(toys, shop):
        await eventually(lambda: notes(toys, "shop", "reasons"))
        found = sorted(await notes(toys, "shop", "attempted"))
        assert found == [("attempted", "before"), ("attempted", "well")]
        ((_, why),) = await notes(toys, "shop", "reasons")
        assert why == "KeyError: 'lost'; DivisionByZeroError: division by zero; Rejected: no; ; "
