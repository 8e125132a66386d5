"""The life of a process: it waits for what is away, comes back by itself, and stops in order."""

import asyncio
import json
import time
from functools import partial

import pytest

from contracts.errors import Unavailable
from contracts.verbs import Verb
from shared.health import Phase
from shared.outbox import Relay
from shared.tools.proxy import TcpProxy
from shared.tools.testing import Installation, Peer, administrator
from tests.service.toys.orders import Orders, orders
from tests.service.toys.services import gate, make_depot, make_shop
from tests.service.toys.world import admin, code_of, eventually, rows, run

_ALL_SENT = "SELECT WHERE NOT EXISTS (SELECT FROM outbox WHERE sent_at IS NULL)"


async def test_a_process_waits_for_servers_that_are_away_and_goes_on_after_each_cut(toys: Installation) -> None:
    nats_port = int(toys.settings.nats_url.rpartition(":")[2])
    database_port = administrator(toys.servers).port
    async with TcpProxy("127.0.0.1", nats_port) as nats, TcpProxy("127.0.0.1", database_port) as database:
        nats.cut(refuse=True)
        database.cut(refuse=True)
        asyncio.get_running_loop().call_later(0.5, database.restore)
        asyncio.get_running_loop().call_later(1.0, nats.restore)
        ways = {
            "nats_url": f"nats://127.0.0.1:{nats.port}",
            "postgres_host": "127.0.0.1",
            "postgres_port": database.port,
        }
        async with run(toys, make_shop(), **ways) as process, toys.peer("customer") as customer:
            for round_, server in enumerate((database, nats, database)):
                server.cut()
                await eventually(partial(_takes, customer, f"cut-{round_}"))
                await eventually(lambda: rows(toys, "shop", _ALL_SENT))
            database.cut(refuse=True)
            await eventually(lambda: _is(not process.health.ready))
            database.restore()
            await eventually(lambda: _is(process.health.ready))


async def test_a_stopping_process_is_not_ready_first_and_finishes_what_it_has_begun(toys: Installation) -> None:
    async with toys.peer("customer") as customer:
        async with run(toys, make_shop(), make_depot()) as process:
            assert process.health.ready
            begun = asyncio.create_task(customer.request("shop", Verb.CREATE, orders("finished", note="wait")))
            await asyncio.sleep(0.1)
            while_stopping: list[bool] = []
            asyncio.get_running_loop().call_later(0.1, lambda: while_stopping.append(process.health.ready))
            asyncio.get_running_loop().call_later(0.2, gate.open)
        assert code_of(await begun) == "0.0"
        assert while_stopping == [False]
        assert {health.phase for health in process.health.roles.values()} == {Phase.STOPPED}
        assert await rows(toys, "shop", _ALL_SENT), "what it has said is sent"
        with pytest.raises(Unavailable):
            await customer.request("shop", Verb.GET, Orders)


async def test_a_task_that_fails_ends_the_process_and_names_itself(
    toys: Installation, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(_: Relay) -> None:
        await asyncio.sleep(0.1)
        raise RuntimeError("a defect of the kernel")

    monkeypatch.setattr(Relay, "run", fail)
    with pytest.raises(ExceptionGroup) as failure:
        async with run(toys, make_shop()) as process:
            await asyncio.sleep(5)
    assert failure.group_contains(RuntimeError, match="a defect of the kernel")
    assert "the task 'relay' failed; the process ends" in caplog.text
    assert process.health.roles["shop"].phase is Phase.FAILED


async def test_each_role_answers_to_the_service_api_of_nats(toys: Installation) -> None:
    async with run(toys, make_shop()), admin(toys) as broker:
        told = json.loads((await broker.request("$SRV.INFO.busbar-testing-shop", b"")).body)
        assert told["metadata"] == {
            "role": "shop",
            "context": "testing",
            "part": "test",
            "revision": "1",
            "implementation": "reference",
        }
        assert told["endpoints"] == []


async def test_without_a_database_or_a_broker_the_start_ends_with_a_sentence(
    toys: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.runtime.START_PATIENCE_S", 0.3)
    for away, sentence in (
        ({"postgres_host": "127.0.0.1", "postgres_port": 9}, "no database at 127.0.0.1:9"),
        (
            {"nats_url": "nats://127.0.0.1:9"},
            "no broker at nats://127.0.0.1:9",
        ),
    ):
        begun_at = time.perf_counter()
        with pytest.raises(ExceptionGroup) as failure:
            async with run(toys, make_shop(), **away):
                pass
        assert failure.group_contains(Unavailable, match=sentence)
        assert time.perf_counter() - begun_at < 5


async def _takes(customer: Peer, name: str) -> bool:
    try:
        answer = await customer.request("shop", Verb.CREATE, orders(name), message_id=name, timeout_s=1)
    except Unavailable:
        return False
    return code_of(answer) == "0.0"


async def _is(condition: bool) -> bool:
    return condition
