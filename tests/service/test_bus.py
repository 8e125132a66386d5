"""What the bus does when nothing goes wrong, on a real broker."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest
import pytest_asyncio
import uvloop
from nats.js.api import AckPolicy
from nats.js.object_store import ObjectStore

from contracts.errors import Invalid, Malformed, NotFound, Unavailable
from contracts.interface import Catalogue
from shared.bus.connection import Bus
from shared.bus.messages import Received
from shared.bus.topology import ensure
from shared.tools.nats_server import NatsServer

Connect = Callable[[str], Awaitable[Bus]]
MEBIBYTE = 1 << 20


@pytest.fixture
def root() -> str:
    return f"t{uuid4().hex[:12]}"


@pytest.fixture
def seed_file(nats_seed: str, tmp_path: Path) -> Path:
    file = tmp_path / "user.nk"
    file.write_text(nats_seed)
    return file


@pytest_asyncio.fixture
async def connect(nats_server: NatsServer, seed_file: Path, root: str) -> AsyncIterator[Connect]:
    buses: list[Bus] = []

    async def connected(role: str) -> Bus:
        bus = await Bus.connect(
            [nats_server.url], role=role, context="testing", root=root, seed_file=seed_file, on_lost=pytest.fail
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
    await admin.manager.add_consumer(
        root, name="worker", durable_name="worker", ack_policy=AckPolicy.EXPLICIT, ack_wait=30, max_ack_pending=256
    )
    yield f"{root}.work.piece"
    await admin.manager.delete_stream(root)


async def test_a_request_gets_the_reply_with_its_headers(connect: Connect) -> None:
    asker, server = await connect("crews"), await connect("scada")

    async def answer(request: Received) -> None:
        await server.publish_core(request.reply, request.body[::-1], {**request.headers, "Answered": "yes"})

    await server.serve("x.get", "scada", answer)
    reply = await asker.request("x.get", b"abc", {"Content-Type": "text/plain", "Name": "Zürich"})
    assert reply.body == b"cba"
    assert reply.headers == {"Content-Type": "text/plain", "Name": "Zürich", "Answered": "yes"}


async def test_a_question_that_nobody_serves_fails_at_once(connect: Connect) -> None:
    asker = await connect("crews")
    with pytest.raises(Unavailable, match="nobody serves"):
        async with asyncio.timeout(1):
            await asker.request("x.nobody", b"", timeout_s=60)


async def test_a_question_that_nobody_answers_fails_after_its_time(connect: Connect) -> None:
    asker, server = await connect("crews"), await connect("scada")

    async def keep_silent(_: Received) -> None: ...

    await server.serve("x.silent", "scada", keep_silent)
    with pytest.raises(Unavailable, match=r"no answer on x\.silent within 0\.1 s"):
        await asker.request("x.silent", b"", timeout_s=0.1)


async def test_the_parts_of_a_reply_come_in_order_and_as_they_are_sent(connect: Connect) -> None:
    asker, server = await connect("crews"), await connect("scada")
    read = asyncio.Event()

    async def answer(request: Received) -> None:
        await server.publish_core(request.reply, b"0")
        await read.wait()
        for part in (b"1", b"2", b"end"):
            await server.publish_core(request.reply, part)

    await server.serve("x.pages", "scada", answer)
    parts = []
    async with aclosing(asker.ask("x.pages", b"")) as replies:
        async for reply in replies:
            parts.append(reply.body)
            read.set()
            if reply.body == b"end":
                break
    assert parts == [b"0", b"1", b"2", b"end"]


async def test_many_requests_at_once_each_get_their_own_reply(connect: Connect) -> None:
    asker, server = await connect("crews"), await connect("scada")

    async def answer(request: Received) -> None:
        await server.publish_core(request.reply, request.body)

    await server.serve("x.echo", "scada", answer)
    bodies = [b"%d" % number for number in range(500)]
    replies = await asyncio.gather(*(asker.request("x.echo", body) for body in bodies))
    assert [reply.body for reply in replies] == bodies


async def test_requests_are_shared_by_the_replicas_of_a_role(connect: Connect) -> None:
    asker, first, second = await connect("crews"), await connect("scada"), await connect("scada")
    answered = {first: 0, second: 0}
    for server in answered:

        async def answer(request: Received, server: Bus = server) -> None:
            answered[server] += 1
            await server.publish_core(request.reply, b"")

        await server.serve("x.shared", "scada", answer)
    await asyncio.gather(*(asker.request("x.shared", b"") for _ in range(200)))
    assert sum(answered.values()) == 200
    assert all(answered.values())


async def test_a_message_larger_than_the_broker_takes_is_invalid(connect: Connect) -> None:
    asker = await connect("crews")
    with pytest.raises(Invalid, match="larger than the 1048576"):
        await asker.publish_core("x.large", bytes(MEBIBYTE + 1))


async def test_a_stream_drops_the_second_copy_of_a_message(connect: Connect, durable: str, root: str) -> None:
    teller = await connect("scada")
    first = await teller.publish_stream(durable, b"1", {"A": "b"}, msg_id="one")
    again = await teller.publish_stream(durable, b"1", {"A": "b"}, msg_id="one")
    assert (first.stream, first.seq, first.duplicate) == (root, 1, False)
    assert (again.seq, again.duplicate) == (1, True)


async def test_a_full_stream_refuses_and_forgets_nothing(connect: Connect, durable: str, root: str) -> None:
    teller = await connect("scada")
    await teller.manager.update_stream(name=root, subjects=[f"{root}.work.>"], max_msgs=1, discard="new")
    await teller.publish_stream(durable, b"1", msg_id="one")
    with pytest.raises(Unavailable, match="maximum messages exceeded"):
        await teller.publish_stream(durable, b"2", msg_id="two")


async def test_a_subject_without_a_stream_is_unavailable(connect: Connect) -> None:
    teller = await connect("scada")
    with pytest.raises(Unavailable, match=r"no stream has acknowledged x\.nowhere"):
        await teller.publish_stream("x.nowhere", b"", msg_id="one", timeout_s=0.5)


async def test_deliveries_come_in_order_and_tell_where_they_stand(connect: Connect, durable: str, root: str) -> None:
    teller, worker = await connect("scada"), await connect("crews")
    for number in range(5):
        await teller.publish_stream(durable, b"%d" % number, {"Number": str(number)}, msg_id=f"id-{number}")
    seen = []
    async for delivery in worker.pull(root, "worker", batch=2):
        seen.append((delivery.stream_sequence, delivery.body, delivery.headers["Number"], delivery.pending))
        assert (delivery.subject, delivery.stream, delivery.durable) == (durable, root, "worker")
        assert delivery.num_delivered == 1
        assert await delivery.ack()
        if len(seen) == 5:
            break
    assert [(row[0], row[1], row[2]) for row in seen] == [(n + 1, b"%d" % n, str(n)) for n in range(5)]
    assert seen[-1][3] == 0
    await _nothing_waits(worker, root)


async def test_a_batch_is_what_is_there(connect: Connect, durable: str, root: str) -> None:
    teller, worker = await connect("scada"), await connect("crews")
    pull = worker.pull(root, "worker", batch=10)
    waiting = asyncio.create_task(pull.take(10))
    for number in range(7):
        await teller.publish_stream(durable, b"", msg_id=f"id-{number}")
    taken = await waiting
    while len(taken) < 7:
        taken += await pull.take(10)
    assert [delivery.stream_sequence for delivery in taken] == list(range(1, 8))
    assert await worker.backlog(root) == 7
    for delivery in taken:
        await delivery.ack()


async def test_what_is_given_back_comes_again_and_what_is_ended_does_not(
    connect: Connect, durable: str, root: str
) -> None:
    teller, worker = await connect("scada"), await connect("crews")
    for number in range(2):
        await teller.publish_stream(durable, b"%d" % number, msg_id=f"id-{number}")
    pull = worker.pull(root, "worker")
    first, second = await anext(pull), await anext(pull)
    await second.term("it can never be done")
    await first.in_progress()
    await first.nak(delay_s=0.2)
    again = await anext(pull)
    assert (again.body, again.num_delivered) == (b"0", 2)
    await again.ack()
    await _nothing_waits(worker, root)


async def test_a_closed_pull_gives_back_what_nobody_has_taken(connect: Connect, durable: str, root: str) -> None:
    teller, worker, successor = await connect("scada"), await connect("crews"), await connect("crews")
    for number in range(10):
        await teller.publish_stream(durable, b"", msg_id=f"id-{number}")
    pull = worker.pull(root, "worker", batch=10)
    await (await anext(pull)).ack()
    await asyncio.sleep(0.2)
    await pull.close()
    assert await pull.take() == []
    heir = successor.pull(root, "worker", batch=10)
    async with asyncio.timeout(3):  # the broker alone would wait 30 s for the dead
        sequences = {(await anext(heir)).stream_sequence for _ in range(9)}
    assert sequences == set(range(2, 11))


async def test_closing_the_bus_finishes_what_has_arrived(connect: Connect) -> None:
    asker, server = await connect("crews"), await connect("scada")
    done = []

    async def work(request: Received) -> None:
        await asyncio.sleep(0.01)
        done.append(request.body)
        await server.publish_core(request.reply, request.body)

    await server.serve("x.work", "scada", work)
    asking = [asyncio.create_task(asker.request("x.work", b"%d" % number)) for number in range(20)]
    await asyncio.sleep(0)  # let them ask
    await asker.flush()
    await server.close()
    assert [(await task).body for task in asking] == done
    assert len(done) == 20


async def test_large_content_travels_by_reference(connect: Connect, root: str) -> None:
    admin, reader = await connect("admin"), await connect("crews")
    await ensure(admin, Catalogue([], []), root, "testing", capacity_bytes=64 * MEBIBYTE)
    content = bytes(range(256)) * 5000
    reference = await admin.blobs.put(content)
    assert await reader.blobs.get(reference) == content
    assert await admin.blobs.put(content) == reference
    assert await admin.blobs.get(await admin.blobs.put(b"")) == b""
    bucket = reader.space.bucket
    stored = await ObjectStore(bucket, f"OBJ_{bucket}", admin._client.jetstream()).get(reference)
    assert stored.data == content
    with pytest.raises(NotFound):
        await reader.blobs.get("0" * 64)
    await _forget(admin, root)


async def test_content_that_was_changed_is_not_given_out(connect: Connect, root: str) -> None:
    admin = await connect("admin")
    await ensure(admin, Catalogue([], []), root, "testing", capacity_bytes=64 * MEBIBYTE)
    reference, other = await admin.blobs.put(b"close the breaker"), await admin.blobs.put(b"open the breaker")
    stored = await admin.request(f"{admin.blobs._get}.{admin.blobs._meta(other)}", b"")
    forged = msgspec.json.encode({**msgspec.json.decode(stored.body), "name": reference})
    await admin.publish_stream(admin.blobs._meta(reference), forged, {"Nats-Rollup": "sub"}, msg_id="forged")
    with pytest.raises(Malformed, match="not what was put"):
        await admin.blobs.get(reference)
    await _forget(admin, root)


def test_the_bus_runs_on_uvloop(nats_server: NatsServer, seed_file: Path, root: str) -> None:
    async def conversation() -> bytes:
        bus = await Bus.connect(
            [nats_server.url], role="crews", context="testing", root=root, seed_file=seed_file, on_lost=pytest.fail
        )

        async def answer(request: Received) -> None:
            await bus.publish_core(request.reply, request.body)

        await bus.serve("x.uvloop", "crews", answer)
        reply = await bus.request("x.uvloop", b"hello")
        await bus.close()
        return reply.body

    assert uvloop.run(conversation()) == b"hello"


async def _nothing_waits(bus: Bus, stream: str) -> None:
    async with asyncio.timeout(3):  # the broker counts a verdict some time after it has got it
        while await bus.backlog(stream):  # noqa: ASYNC110 - nothing tells when it changes
            await asyncio.sleep(0.01)


async def _forget(admin: Bus, root: str) -> None:
    for info in await admin.manager.streams_info():
        if info.config.name and root in info.config.name:
            await admin.manager.delete_stream(info.config.name)
