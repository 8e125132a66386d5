"""Each fault of nats-py or of the line that the bus puts right; without its counter-measure the test fails."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

import pytest
import pytest_asyncio
from nats.js.api import AckPolicy

from contracts.errors import Denied, Unavailable
from shared.bus import connection, link
from shared.bus.connection import Bus
from shared.bus.messages import Received
from shared.bus.pull import Pull
from shared.tools.nats_server import BrokerUser, NatsServer
from shared.tools.proxy import TcpProxy

PING_S = 0.2


class Connect(Protocol):
    async def __call__(self, role: str, *through: TcpProxy, **options: Any) -> Bus: ...


@pytest.fixture
def root() -> str:
    return f"t{uuid4().hex[:12]}"


@pytest.fixture
def seed_file(nats_seed: str, tmp_path: Path) -> Path:
    file = tmp_path / "user.nk"
    file.write_text(nats_seed)
    return file


@pytest.fixture
def lost() -> list[str]:
    """What the buses gave as the reason for their loss."""
    return []


@pytest_asyncio.fixture
async def proxy(nats_server: NatsServer) -> AsyncIterator[TcpProxy]:
    async with TcpProxy("127.0.0.1", nats_server.port) as proxy:
        yield proxy


@pytest_asyncio.fixture
async def connect(nats_server: NatsServer, seed_file: Path, root: str, lost: list[str]) -> AsyncIterator[Connect]:
    buses: list[Bus] = []

    async def connected(role: str, *through: TcpProxy, **options: Any) -> Bus:
        ports = [proxy.port for proxy in through] or [nats_server.port]
        bus = await Bus.connect(
            [f"nats://127.0.0.1:{port}" for port in ports],
            role=role,
            context="testing",
            root=root,
            on_lost=lost.append,
            **{"seed_file": seed_file, "ping_interval_s": PING_S, **options},
        )
        buses.append(bus)
        return bus

    yield connected
    for bus in buses:
        await bus.close()


@pytest_asyncio.fixture
async def durable(connect: Connect, root: str) -> AsyncIterator[str]:
    """The subject of a stream named like the root, with the durable ``worker``."""
    admin = await connect("admin")
    await admin.manager.add_stream(name=root, subjects=[f"{root}.work.>"])
    await admin.manager.add_consumer(root, name="worker", durable_name="worker", ack_policy=AckPolicy.EXPLICIT)
    yield f"{root}.work.piece"
    await admin.manager.delete_stream(root)


async def until(condition: Callable[[], object], within_s: float = 5.0) -> None:
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - what is awaited lies inside others and sets no event
            await asyncio.sleep(0.01)


async def echo(bus: Bus, subject: str) -> None:
    async def answer(request: Received) -> None:
        await bus.publish_core(request.reply, request.body)

    await bus.serve(subject, bus.role, answer)


@pytest.mark.parametrize("failure", [RuntimeError("a defect"), asyncio.CancelledError()])
async def test_a_callback_that_fails_hears_the_next_message(connect: Connect, failure: BaseException) -> None:
    bus = await connect("crews")

    async def fail_once(request: Received) -> None:
        if request.body == b"fail":
            raise failure
        await bus.publish_core(request.reply, b"well")

    await bus.serve("x.fails", "crews", fail_once)
    with pytest.raises(Unavailable):
        await bus.request("x.fails", b"fail", timeout_s=0.2)
    assert (await bus.request("x.fails", b"", timeout_s=1)).body == b"well"
    assert bus.counters.callback_errors == 1


async def test_an_error_while_an_error_is_noted_does_not_end_the_reading(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus = await connect("crews")
    await echo(bus, "x.echo")

    def fail(_: Exception) -> None:
        raise RuntimeError("a defect of the listener")

    monkeypatch.setattr(bus._faults, "_note", fail)
    await bus._client._process_err('permissions violation for publish to "x"')
    assert bus.counters.callback_errors == 1
    assert (await bus.request("x.echo", b"1", timeout_s=1)).body == b"1"
    assert bus.counters.reconnects == 0


async def test_a_half_open_peer_is_found_by_its_missing_answers(connect: Connect, proxy: TcpProxy) -> None:
    bus = await connect("crews", proxy)
    await echo(bus, "x.echo")
    proxy.freeze()
    await until(lambda: not bus.connected, within_s=10 * PING_S)
    proxy.restore()
    await until(lambda: bus.connected)
    assert (await bus.request("x.echo", b"1")).body == b"1"


async def test_a_half_open_peer_with_a_full_send_buffer_does_not_hold_up_reconnecting(
    connect: Connect, nats_server: NatsServer, proxy: TcpProxy
) -> None:
    async with TcpProxy("127.0.0.1", nats_server.port) as other:
        bus = await connect("crews", proxy, other)
        used, spare = (proxy, other) if proxy.accepted else (other, proxy)
        used.freeze()
        for _ in range(40):
            await bus.publish_core("x.flood", bytes(900_000))
        await until(lambda: spare.accepted and bus.connected, within_s=5)
        await echo(bus, "x.echo")
        assert (await bus.request("x.echo", b"1")).body == b"1"


async def test_attempts_that_fail_leave_no_socket_open(
    connect: Connect, proxy: TcpProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "_CONNECT_TIMEOUT_S", 0.1)
    bus = await connect("crews", proxy)
    proxy.freeze()
    writers = []

    def attempted() -> bool:
        writer = bus._link.transport._io_writer
        if writer not in writers:
            writers.append(writer)
        return len(writers) > 3

    await until(attempted)
    assert all(writer is not None and writer.transport.is_closing() for writer in writers[:-1])


async def test_publishing_while_the_broker_is_away_fails_at_once(connect: Connect, proxy: TcpProxy) -> None:
    bus = await connect("crews", proxy)
    proxy.cut(refuse=True)
    await until(lambda: not bus.connected)
    async with asyncio.timeout(0.2):
        with pytest.raises(Unavailable, match="the broker is away"):
            await bus.publish_core("x.any", b"")
        with pytest.raises(Unavailable, match="the broker is away"):
            await bus.publish_stream("x.any", b"", msg_id="one")
        with pytest.raises(Unavailable, match="the broker is away"):
            await bus.request("x.any", b"")


async def test_a_question_ends_when_the_connection_breaks(connect: Connect, proxy: TcpProxy) -> None:
    asker, server = await connect("crews", proxy), await connect("scada")
    asked = asyncio.Event()

    async def keep_silent(_: Received) -> None:
        asked.set()

    await server.serve("x.silent", "scada", keep_silent)
    asking = asyncio.create_task(asker.request("x.silent", b"", timeout_s=60))
    await asked.wait()
    proxy.cut()
    with pytest.raises(Unavailable, match="the connection broke"):
        await asyncio.wait_for(asking, 2)


async def test_a_lost_acknowledgement_is_asked_for_again_with_the_same_identifier(
    connect: Connect, proxy: TcpProxy, durable: str
) -> None:
    teller = await connect("scada", proxy, ping_interval_s=60)
    proxy.delay_s = 0.3
    publishing = asyncio.create_task(teller.publish_stream(durable, b"once", msg_id="one"))
    await asyncio.sleep(0.45)  # the stream has it, and its acknowledgement is under way
    proxy.cut()
    proxy.delay_s = 0.0
    receipt = await publishing
    assert (receipt.seq, receipt.duplicate) == (1, True)
    assert teller.counters.reconnects == 1


async def test_reconnecting_outlasts_any_number_of_failures(
    connect: Connect, proxy: TcpProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "FIRST_DELAY_S", 0.001)
    monkeypatch.setattr(link, "LONGEST_DELAY_S", 0.001)
    bus = await connect("crews", proxy)
    await echo(bus, "x.echo")
    proxy.cut(refuse=True)
    await until(lambda: proxy.accepted > 100, within_s=20)
    proxy.restore()
    await until(lambda: bus.connected)
    assert (await bus.request("x.echo", b"1")).body == b"1"


async def test_the_delay_before_reconnecting_doubles_up_to_a_limit_and_differs(connect: Connect) -> None:
    bus = await connect("crews")
    servers = bus._client.server_pool
    first = [bus._link._next_server(servers, {})[1] for _ in range(12)]
    bus._link._attempts = 0
    second = [bus._link._next_server(servers, {})[1] for _ in range(12)]
    assert first != second
    for attempt, delay_s in enumerate(first):
        full_s = min(link.LONGEST_DELAY_S, link.FIRST_DELAY_S * 2**attempt)
        assert 0.5 * full_s <= delay_s <= full_s


async def test_a_connection_that_the_broker_ends_for_good_is_lost_with_its_reason(
    connect: Connect, lost: list[str]
) -> None:
    bus = await connect("crews")
    assert bus._client._transport is not None
    bus._client._transport.write(b"NONSENSE\r\n")
    await until(lambda: lost)
    assert "unknown protocol operation" in lost[0]
    assert len(lost) == 1


async def test_an_error_that_ends_reconnecting_is_seen_by_the_watchdog(
    connect: Connect, proxy: TcpProxy, seed_file: Path, lost: list[str]
) -> None:
    bus = await connect("crews", proxy, echo_interval_s=0.1)
    await asyncio.to_thread(seed_file.write_text, "half of a new seed")
    proxy.cut()
    await until(lambda: lost)
    assert "stopped reconnecting" in lost[0]
    assert not bus.connected


async def test_a_bus_that_no_longer_hears_itself_is_lost(connect: Connect, lost: list[str]) -> None:
    bus = await connect("crews", echo_interval_s=0.1, echo_limit_s=0.5)
    await asyncio.sleep(0.7)
    assert not lost
    bus._client._subs.clear()  # the client believes that it is connected, and hears nothing
    await until(lambda: lost)
    assert "connected, and no echo" in lost[0]


async def test_a_broker_that_is_away_for_long_is_no_reason_to_give_up(
    connect: Connect, proxy: TcpProxy, lost: list[str]
) -> None:
    bus = await connect("crews", proxy, echo_interval_s=0.1, echo_limit_s=0.3)
    proxy.cut(refuse=True)
    await asyncio.sleep(1)
    proxy.restore()
    await until(lambda: bus.connected, within_s=6)
    await asyncio.sleep(0.5)
    assert not lost


async def test_a_flush_that_was_given_up_does_not_end_the_reading(connect: Connect, proxy: TcpProxy) -> None:
    bus = await connect("crews", proxy, ping_interval_s=60)
    await echo(bus, "x.echo")
    proxy.delay_s = 0.2
    with pytest.raises(Unavailable):
        await bus.flush(timeout_s=0.05)
    await asyncio.sleep(0.6)
    proxy.delay_s = 0.0
    assert (await bus.request("x.echo", b"1")).body == b"1"
    assert bus.counters.reconnects == 0


async def test_messages_that_are_taken_too_slowly_are_counted(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "PENDING_MESSAGES", 10)
    slow, teller = await connect("crews"), await connect("scada")
    go, heard = asyncio.Event(), []

    async def take(event: Received) -> None:
        await go.wait()
        heard.append(event.body)

    await slow.subscribe("x.flood", take)
    for number in range(50):
        await teller.publish_core("x.flood", b"%d" % number)
    await teller.flush()
    await until(lambda: slow.counters.slow_consumer >= 39)
    go.set()
    await until(lambda: len(heard) == 50 - slow.counters.slow_consumer)


async def test_credentials_that_the_broker_does_not_know_are_denied_at_once(connect: Connect, tmp_path: Path) -> None:
    stranger = tmp_path / "stranger.nk"
    stranger.write_text("SUAMYWLCHUGYD3MU2IXXLXLGBVZ5WYEJHM35SNE7HXKU3ZBGO6EXR7BAKA")
    async with asyncio.timeout(2):
        with pytest.raises(Denied, match="does not accept"):
            await connect("crews", seed_file=stranger)


async def test_a_broker_that_is_not_there_is_unavailable_after_the_patience(connect: Connect, proxy: TcpProxy) -> None:
    proxy.cut(refuse=True)
    async with asyncio.timeout(3):
        with pytest.raises(Unavailable, match="no broker"):
            await connect("crews", proxy, patience_s=0.5)


async def test_deliveries_go_on_at_once_after_the_death_of_the_broker(
    state: Path, nats_user: BrokerUser, seed_file: Path, root: str
) -> None:
    async with NatsServer(state, [nats_user]) as server:
        bus = await Bus.connect(
            [server.url], role="crews", context="testing", root=root, seed_file=seed_file, on_lost=pytest.fail
        )
        await bus.manager.add_stream(name=root, subjects=[f"{root}.>"])
        await bus.manager.add_consumer(root, name="worker", durable_name="worker", ack_policy=AckPolicy.EXPLICIT)
        pull = Pull(bus, root, "worker", 64, expires_s=60, heartbeat_s=20)
        bus.pulls.add(pull)
        waiting = asyncio.create_task(anext(pull))
        await bus.flush()
        os.kill(server.pid, signal.SIGKILL)  # a broker that is stopped would say goodbye to the pull
        await server.ended()
        await server.stop()
        await server.start()
        await until(lambda: bus.connected and bus.counters.reconnects)
        await bus.publish_stream(f"{root}.piece", b"after", msg_id="one")
        assert (await asyncio.wait_for(waiting, 3)).body == b"after"
        await bus.close()


async def test_a_verdict_that_cannot_be_sent_is_told_and_counted(
    connect: Connect, proxy: TcpProxy, durable: str, root: str
) -> None:
    worker, teller = await connect("crews", proxy), await connect("scada")
    await teller.publish_stream(durable, b"", msg_id="one")
    delivery = await anext(worker.pull(root, "worker"))
    proxy.cut(refuse=True)
    await until(lambda: not worker.connected)
    assert not await delivery.ack()
    assert worker.counters.unsettled == 1


async def test_a_pull_that_has_gone_silent_is_made_anew(connect: Connect, durable: str, root: str) -> None:
    worker, teller = await connect("crews"), await connect("scada")
    pull = Pull(worker, root, "worker", 64, expires_s=1, heartbeat_s=0.2)
    waiting = asyncio.create_task(anext(pull))
    await asyncio.sleep(0.1)
    silenced = [sid for sid, sub in worker._client._subs.items() if sub.subject.startswith(f"{pull._inbox}.")]
    worker._client._remove_sub(silenced[0])
    worker._link.transport.frames.leave(b"%d" % silenced[0])
    await asyncio.sleep(1.2)
    await teller.publish_stream(durable, b"1", msg_id="one")
    assert (await asyncio.wait_for(waiting, 3)).body == b"1"
    assert worker.counters.resubscribed == 1
    await pull.close()


async def test_a_durable_that_appears_later_is_found(connect: Connect, durable: str, root: str) -> None:
    worker, admin = await connect("crews"), await connect("admin")
    await admin.publish_stream(durable, b"1", msg_id="one")
    waiting = asyncio.create_task(anext(worker.pull(root, "late")))
    await asyncio.sleep(0.6)
    await admin.manager.add_consumer(root, name="late", durable_name="late", ack_policy=AckPolicy.EXPLICIT)
    assert (await asyncio.wait_for(waiting, 3)).body == b"1"


async def test_closing_towards_a_half_open_peer_does_not_hang(connect: Connect, proxy: TcpProxy) -> None:
    bus = await connect("crews", proxy, ping_interval_s=60)
    proxy.freeze()
    for _ in range(20):
        await bus.publish_core("x.flood", bytes(900_000))
    await asyncio.sleep(0.1)
    async with asyncio.timeout(10):
        await bus.close()
    proxy.restore()
