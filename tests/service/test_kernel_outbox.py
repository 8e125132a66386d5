"""The outbox: in order for a key, numbered without a hole, sent by one process of several, delayed by nobody."""

import asyncio
import time
from collections import defaultdict
from datetime import timedelta

import asyncpg
import pytest

from contracts.message import Message
from contracts.verbs import Verb
from shared import cleaning
from shared.cleaning import Cleaner
from shared.codec import CONTENT_XML
from shared.store import Database
from shared.tools.testing import Installation, administrator
from tests.service.toys.orders import orders
from tests.service.toys.services import make_ledger, make_shop
from tests.service.toys.world import eventually, rows, run

ALL_SENT = "SELECT WHERE NOT EXISTS (SELECT FROM outbox WHERE sent_at IS NULL)"


async def test_rows_are_numbered_without_a_hole_in_the_order_in_which_a_subject_got_them(toys: Installation) -> None:
    async with run(toys, make_shop()), toys.peer("customer") as customer:
        await asyncio.gather(
            *(customer.request("shop", Verb.CREATE, orders(f"numbered-{number}")) for number in range(40))
        )
        await eventually(lambda: rows(toys, "shop", ALL_SENT))
        numbers = defaultdict(list)
        for row in await rows(toys, "shop", "SELECT subject, sequence FROM outbox WHERE counted ORDER BY id"):
            numbers[row["subject"]].append(row["sequence"])
        assert all(sorted(given) == list(range(1, len(given) + 1)) for given in numbers.values())


async def test_what_is_told_of_one_key_arrives_in_its_order_whatever_the_verb(toys: Installation) -> None:
    async with run(toys, make_shop()), toys.peer("auditor") as auditor:
        await auditor.follow("busbar.testing.event.general.shop.Orders.*.2")
        told = [(f"turn-{number}", (Verb.CREATED, Verb.CHANGED)[number // 10 % 2]) for number in range(60)]
        connection = await _connect(toys, "shop")
        async with connection.transaction():
            for message_id, verb in told:
                message = Message(
                    header=auditor.header(verb, "Orders", source="shop", message_id=message_id), payload=orders("one")
                )
                await connection.execute(
                    "INSERT INTO outbox (source, subject, message_id, headers, body, counted) "
                    "VALUES ('shop', $1, $2, '{}', $3, true)",
                    f"busbar.testing.event.general.shop.Orders.{verb}.2",
                    message_id,
                    auditor.codec.encode(message, CONTENT_XML),
                )
        await connection.close()
        heard = [(await auditor.next()).message.header for _ in told]
        assert [(header.message_id, header.verb) for header in heard] == told


async def test_what_is_sent_twice_reaches_the_stream_once(toys: Installation) -> None:
    async with run(toys, make_shop()) as process, toys.peer("customer") as customer:
        await customer.request("shop", Verb.CREATE, orders("doubled"))
        await eventually(lambda: rows(toys, "shop", ALL_SENT))
        again = await rows(toys, "shop", "UPDATE outbox SET sent_at = NULL WHERE counted RETURNING id")
        await eventually(lambda: rows(toys, "shop", ALL_SENT))
        doubles = process.metrics.counter("busbar_outbox_doubles_total", "", role="shop")
        assert doubles.value == len(again) > 0


async def test_a_transaction_that_stays_open_elsewhere_delays_no_event(toys: Installation) -> None:
    login = administrator(toys.servers)
    elsewhere = await asyncpg.connect(
        host=login.host, port=login.port, user=login.user, password=login.password, database="postgres"
    )
    beside = await _connect(toys, "ledger")
    own = await _connect(toys, "shop")
    for connection in (elsewhere, beside, own):
        await connection.execute("BEGIN")
        await connection.execute("SELECT pg_current_xact_id()")
    await own.execute(
        "INSERT INTO outbox (source, subject, message_id, headers, body, counted) "
        "VALUES ('shop', 'busbar.testing.event.general.shop.Orders.created.0', 'open', '{}', '', true)"
    )
    try:
        async with run(toys, make_shop(), make_ledger()), toys.peer("customer") as customer:
            begun_at = time.perf_counter()
            for number in range(8):
                await customer.request("shop", Verb.CREATE, orders(f"prompt-{number}"))
            await eventually(lambda: rows(toys, "ledger", "SELECT FROM note WHERE mrid LIKE 'prompt-%' OFFSET 7"))
            assert time.perf_counter() - begun_at < 3
    finally:
        for connection in (elsewhere, beside, own):
            await connection.execute("ROLLBACK")
            await connection.close()


async def test_one_process_sends_for_all_and_another_takes_over_when_it_is_gone(toys: Installation) -> None:
    relays = "SELECT pid FROM pg_stat_activity WHERE application_name LIKE '%_shop relay' ORDER BY backend_start"
    holder = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted"
    async with run(toys, make_shop()), run(toys, make_shop()), toys.peer("customer") as customer:
        await eventually(lambda: rows(toys, "shop", f"{relays} OFFSET 1"))
        slowest = 0.0
        for number in range(10):
            await customer.request("shop", Verb.CREATE, orders(f"led-{number}"))
            told_at = time.perf_counter()
            await eventually(lambda: rows(toys, "shop", ALL_SENT))
            slowest = max(slowest, time.perf_counter() - told_at)
        assert slowest < 0.5, "whoever commits tells the process that sends, and does not leave it to its next look"
        first = {row["pid"] for row in await rows(toys, "shop", holder)}
        login = administrator(toys.servers)
        root = await asyncpg.connect(
            host=login.host, port=login.port, user=login.user, password=login.password, database="postgres"
        )
        for pid in first:
            await root.execute("SELECT pg_terminate_backend($1)", pid)
        await root.close()
        await customer.request("shop", Verb.CREATE, orders("after-the-fall"))
        await eventually(lambda: rows(toys, "shop", ALL_SENT))
        assert {row["pid"] for row in await rows(toys, "shop", holder)}.isdisjoint(first)


async def test_a_stream_that_is_full_does_not_hold_up_another(
    toys: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.runtime.FLUSH_S", 0.1)
    await rows(
        toys,
        "shop",
        "INSERT INTO outbox (source, subject, message_id, headers, body, counted) "
        "VALUES ('shop', 'busbar.testing.event.outage.shop.Orders.created.0', 'forbidden', '{}', '', true)",
    )
    async with run(toys, make_shop(), make_ledger()), toys.peer("customer") as customer:
        for number in range(5):
            await customer.request("shop", Verb.CREATE, orders(f"free-{number}"))
        await eventually(lambda: rows(toys, "ledger", "SELECT FROM note WHERE mrid LIKE 'free-%' OFFSET 4"))
        unsent = "SELECT array_agg(message_id) = ARRAY['forbidden'] AS is_alone FROM outbox WHERE sent_at IS NULL"
        await eventually(lambda: rows(toys, "shop", f"SELECT FROM ({unsent}) AS left_over WHERE is_alone"))
    await rows(toys, "shop", "DELETE FROM outbox WHERE message_id = 'forbidden'")


async def test_what_is_past_its_horizon_goes_and_what_is_open_stays(
    toys: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = cleaning.MEMORY + timedelta(days=1)
    monkeypatch.setattr(cleaning, "BATCH", 2)
    await rows(toys, "shop", "UPDATE outbox SET created_at = now() - $1::interval", old)
    await rows(toys, "shop", "UPDATE inbox SET received_at = now() - $1::interval WHERE message_id <> 'kept'", old)
    open_row = await rows(
        toys,
        "shop",
        "INSERT INTO outbox (source, subject, message_id, headers, body, counted, created_at) "
        "VALUES ('shop', 's', 'unsent', '{}', '', true, now() - $1::interval) RETURNING id",
        old,
    )
    for verb in ("get", "create"):
        await rows(
            toys,
            "shop",
            "INSERT INTO sent (message_id, asker, role, verb, noun, about, sent_at)"
            " VALUES ($1, 'shop', 'depot', $1, 'Parcels', '', now() - $2::interval)",
            verb,
            old,
        )
    database = await Database.open(toys.settings.login("shop"))
    try:
        assert await Cleaner(database).clean() > 2
    finally:
        await database.close()
    left = await rows(toys, "shop", "SELECT id FROM outbox")
    assert [row["id"] for row in left] == [row["id"] for row in open_row]
    assert await rows(toys, "shop", "SELECT FROM inbox") == []
    waiting = await rows(toys, "shop", "SELECT verb FROM sent WHERE message_id IN ('get', 'create')")
    assert [row["verb"] for row in waiting] == ["create"], "a question that nobody answered is not waited for"


async def _connect(toys: Installation, role: str) -> "asyncpg.Connection[asyncpg.Record]":
    login = toys.settings.login(role)
    return await asyncpg.connect(
        host=login.host, port=login.port, user=login.user, password=login.password, database=login.database
    )
