"""What is derived from the interfaces, on a broker that enforces it.

Longer than 400 lines because streams, durables and permissions are tried on one small house of roles.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from uuid import uuid4

import nkeys  # type: ignore[import-untyped]  # it has neither annotations nor stubs
import pytest
import pytest_asyncio
from msgspec import Struct
from msgspec.structs import replace

from contracts.catalogue import CATALOGUE as HOUSE
from contracts.errors import Conflict, Denied, Unavailable
from contracts.interface import Ask, Catalogue, Exchange, Interface, Lane, Mode, Publication, Subscription
from contracts.verbs import Verb
from shared.bus.connection import Bus
from shared.bus.messages import Received
from shared.bus.permissions import permissions
from shared.bus.subjects import (
    ADMIN,
    AUDITOR,
    AdminSubject,
    AdminVerb,
    CommandSubject,
    EventSubject,
    ReplySubject,
    RequestSubject,
    Space,
)
from shared.bus.topology import Stream, durables, ensure, streams
from shared.tools.nats_server import BrokerUser, NatsServer

Connect = Callable[[str], Awaitable[Bus]]
MEBIBYTE = 1 << 20
ROOT, CONTEXT = "busbar", "training"
SPACE = {"root": ROOT, "context": CONTEXT}


class SwitchingPlans(Struct): ...


class FeederTopology(Struct): ...


class Measurements(Struct): ...


OPERATION = Interface(
    role="network-operation",
    title="switches",
    part="3",
    revision="1",
    serves=(Exchange(verb=Verb.GET, noun=FeederTopology), Exchange(verb=Verb.CREATE, noun=SwitchingPlans)),
    asks=(Ask(role="crews", verb=Verb.EXECUTE, noun=SwitchingPlans),),
    publishes=(
        Publication(lane=Lane.CONTROL, verb=Verb.CHANGED, noun=FeederTopology),
        Publication(lane=Lane.CONTROL, verb=Verb.CLOSED, noun=SwitchingPlans),
    ),
    subscribes=(Subscription(role="scada", verb=Verb.CREATED, noun=Measurements, mode=Mode.SHARED),),
)
FAULTS = Interface(
    role="fault-management",
    title="finds faults",
    part="3",
    revision="1",
    asks=(
        Ask(role="network-operation", verb=Verb.GET, noun=FeederTopology),
        Ask(role="network-operation", verb=Verb.CREATE, noun=SwitchingPlans),
    ),
    subscribes=(
        Subscription(role="network-operation", verb=Verb.CHANGED, noun=FeederTopology, mode=Mode.FOLLOW),
        Subscription(role="network-operation", verb=Verb.CLOSED, noun=SwitchingPlans, mode=Mode.KEYED),
    ),
)
CREWS = Interface(
    role="crews",
    title="go there",
    part="6",
    revision="1",
    field=True,
    serves=(Exchange(verb=Verb.EXECUTE, noun=SwitchingPlans),),
)
SCADA = Interface(
    role="scada",
    title="measures",
    part="3",
    revision="1",
    field=True,
    publishes=(Publication(lane=Lane.CONTROL, verb=Verb.CREATED, noun=Measurements),),
)
SIMULATION = Interface(role="emergency-simulation", title="plays the field", part="1", revision="1")
NOUNS = (SwitchingPlans, FeederTopology, Measurements)
CATALOGUE = Catalogue(NOUNS, (OPERATION, FAULTS, CREWS, SCADA, SIMULATION))
USERS = (ADMIN, AUDITOR, *CATALOGUE.interfaces)


def granted(user: str) -> dict[str, dict[str, list[str]]]:
    return permissions(CATALOGUE, ROOT, CONTEXT, user, grants_clock=user == SIMULATION.role)


def event(noun: type, verb: Verb, source: str, partition: int = 0) -> str:
    return str(
        EventSubject(**SPACE, lane=Lane.CONTROL, source=source, noun=noun.__name__, verb=verb, partition=partition)
    )


@pytest_asyncio.fixture
async def connect(state: Path, tmp_path: Path) -> AsyncIterator[Connect]:
    """A broker of the test's own with all users, and its streams."""
    users = []
    for user in USERS:
        seed = nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER)
        (tmp_path / f"{user}.nk").write_bytes(seed)
        users.append(BrokerUser(nkeys.from_seed(bytearray(seed)).public_key.decode(), granted(user)))
    buses: list[Bus] = []
    async with NatsServer(state, users, sync_interval="1s") as server:

        async def connected(role: str) -> Bus:
            bus = await Bus.connect(
                [server.url],
                role=role,
                context=CONTEXT,
                root=ROOT,
                seed_file=tmp_path / f"{role}.nk",
                on_lost=pytest.fail,
            )
            buses.append(bus)
            return bus

        await ensure(await connected(ADMIN), CATALOGUE, ROOT, CONTEXT, capacity_bytes=64 * MEBIBYTE)
        yield connected
        for bus in buses:
            await bus.close()


def test_the_durables_are_those_of_the_subscriptions() -> None:
    derived = {(durable.stream, durable.name): durable for durable in durables(CATALOGUE, ROOT, CONTEXT)}
    command, reply, control = (f"busbar_training_{kind}" for kind in ("command", "reply", "control"))
    assert set(derived) == {
        (command, "network-operation"),
        (command, "crews"),
        (reply, "network-operation"),
        (reply, "fault-management"),
        (control, "network-operation_shared"),
        *((control, f"fault-management_keyed_{number}") for number in range(4)),
    }
    keyed = derived[control, "fault-management_keyed_2"]
    assert keyed.filters == ("busbar.training.event.control.network-operation.SwitchingPlans.closed.2",)
    assert keyed.max_ack_pending == 1
    shared = derived[control, "network-operation_shared"]
    assert shared.filters == ("busbar.training.event.control.scada.Measurements.created.*",)
    assert shared.max_ack_pending > 1


def test_the_filters_of_a_durable_let_through_what_is_heard_and_nothing_else() -> None:
    space = Space(ROOT, CONTEXT)
    for interface in HOUSE.interfaces.values():
        for durable in durables(HOUSE, ROOT, CONTEXT, interface.role):
            if durable.mode is None:
                continue
            heard = {(each.role, each.verb, each.noun) for each in interface.subscribes if each.mode is durable.mode}
            partition = int(durable.name.rpartition("_")[2]) if durable.mode is Mode.KEYED else 0
            for teller in HOUSE.interfaces.values():
                for told in teller.publishes:
                    subject = space.events(told.lane, teller.role, told.noun.__name__, told.verb, partition)
                    is_let_through = any(_matches(subject, each) for each in durable.filters)
                    assert is_let_through is (
                        told.lane is durable.lane and (teller.role, told.verb, told.noun) in heard
                    ), f"{durable.name}: {subject}"


def test_where_all_is_heard_that_a_role_tells_of_a_noun_one_filter_says_so() -> None:
    (readings,) = (
        each
        for each in durables(HOUSE, ROOT, CONTEXT, "meter-reading-and-control")
        if each.lane is Lane.READINGS and each.mode is Mode.SHARED
    )
    assert readings.filters == ("busbar.training.event.readings.head-end.MeterReadings.*.*",)


def _matches(subject: str, pattern: str) -> bool:
    tokens, wanted = subject.split("."), pattern.split(".")
    return len(tokens) == len(wanted) and all(each in {"*", token} for token, each in zip(tokens, wanted, strict=True))


def test_the_streams_fit_the_capacity() -> None:
    planned = streams(ROOT, CONTEXT, 64 * MEBIBYTE)
    assert sum(stream.max_bytes for stream in planned) <= 64 * MEBIBYTE
    assert {stream.name for stream in planned} == {
        *(f"busbar_training_{kind}" for kind in ("command", "reply", *Lane)),
        "OBJ_busbar_training_blobs",
    }


@pytest.mark.parametrize("role", [role for role in USERS if role != ADMIN])
async def test_every_role_may_do_what_it_was_derived_to_do(connect: Connect, role: str) -> None:
    bus = await connect(role)
    await bus.self_test(granted(role))
    assert bus.violations == ()


async def test_the_self_test_names_what_is_not_granted(connect: Connect) -> None:
    bus = await connect("scada")
    with pytest.raises(Denied) as denied:
        await bus.self_test(granted("crews"))
    assert "subscribe busbar.training.request.crews.>" in denied.value.reason
    assert "publish busbar.training.event.journal.crews" in denied.value.reason
    assert "busbar.training.clock" not in denied.value.reason


async def test_nobody_asks_in_the_name_of_another(connect: Connect) -> None:
    bus = await connect("crews")
    stolen = RequestSubject(
        **SPACE, role="network-operation", noun="FeederTopology", verb=Verb.GET, asker="fault-management"
    )
    command = CommandSubject(
        **SPACE, role="network-operation", noun="SwitchingPlans", verb=Verb.CREATE, asker="fault-management"
    )
    async with asyncio.timeout(1):
        with pytest.raises(Denied, match="does not let 'crews' publish"):
            await bus.request(str(stolen), b"", timeout_s=60)
        with pytest.raises(Denied):
            await bus.publish_stream(str(command), b"", msg_id="one")
    assert len(bus.violations) == 2


async def test_nobody_tells_in_the_name_of_another(connect: Connect) -> None:
    bus = await connect("scada")
    await bus.publish_stream(event(Measurements, Verb.CREATED, "scada"), b"", msg_id="one")
    with pytest.raises(Denied):
        await bus.publish_stream(event(FeederTopology, Verb.CHANGED, "network-operation"), b"", msg_id="two")


@pytest.mark.parametrize(
    "foreign",
    [
        "_INBOX.training-network-operation.>",
        "_INBOX.>",
        "busbar.training.request.network-operation.>",
        "busbar.training.event.control.scada.Measurements.created.*",
        "busbar.training.>",
        ">",
    ],
)
async def test_nobody_hears_what_is_not_for_it(connect: Connect, foreign: str) -> None:
    bus = await connect("fault-management")

    async def hear(_: Received) -> None: ...

    with pytest.raises(Denied, match="does not let 'fault-management' hear"):
        await bus.subscribe(foreign, hear)
    await bus.flush()


async def test_nobody_takes_the_deliveries_of_another(connect: Connect) -> None:
    bus = await connect("fault-management")
    async with asyncio.timeout(1):
        with pytest.raises(Denied):
            await anext(bus.pull("busbar_training_command", "crews"))


async def test_no_role_touches_streams_or_durables(connect: Connect) -> None:
    bus = await connect("fault-management")
    for forbidden in (
        "$JS.API.STREAM.DELETE.busbar_training_control",
        "$JS.API.STREAM.PURGE.OBJ_busbar_training_blobs",
        "$JS.API.CONSUMER.CREATE.busbar_training_control",
        "$JS.API.CONSUMER.DELETE.busbar_training_command.fault-management",
    ):
        with pytest.raises(Denied):
            await bus.request(forbidden, b"")


async def test_a_command_goes_to_its_server_and_the_reply_comes_back(connect: Connect) -> None:
    asker, server = await connect("fault-management"), await connect("network-operation")
    command = CommandSubject(
        **SPACE, role="network-operation", noun="SwitchingPlans", verb=Verb.CREATE, asker="fault-management"
    )
    await asker.publish_stream(str(command), b"plan", msg_id="id-1")
    delivery = await anext(server.pull("busbar_training_command", "network-operation"))
    assert CommandSubject.parse(delivery.subject) == command
    reply = ReplySubject(**SPACE, asker="fault-management", message_id="id-1", responder="network-operation")
    await server.publish_stream(str(reply), b"done", msg_id="id-2")
    await delivery.ack()
    answered = await anext(asker.pull("busbar_training_reply", "fault-management"))
    assert (ReplySubject.parse(answered.subject), answered.body) == (reply, b"done")


async def test_events_are_followed_and_pulled_by_partition(connect: Connect) -> None:
    teller, hearer = await connect("network-operation"), await connect("fault-management")
    followed: asyncio.Queue[bytes] = asyncio.Queue()

    async def follow(told: Received) -> None:
        await followed.put(told.body)

    pattern = Space(ROOT, CONTEXT).events(Lane.CONTROL, "network-operation", "FeederTopology", Verb.CHANGED)
    await hearer.subscribe(pattern, follow)
    await teller.publish_stream(event(FeederTopology, Verb.CHANGED, "network-operation", 3), b"f", msg_id="1")
    assert await followed.get() == b"f"
    for number in (1, 2):
        subject = event(SwitchingPlans, Verb.CLOSED, "network-operation", number)
        await teller.publish_stream(subject, b"%d" % number, msg_id=f"plan {number}")
        delivery = await anext(hearer.pull("busbar_training_control", f"fault-management_keyed_{number}"))
        assert delivery.body == b"%d" % number


async def test_a_partition_has_one_event_in_flight_over_all_replicas(connect: Connect) -> None:
    teller = await connect("network-operation")
    replicas = [await connect("fault-management") for _ in range(2)]
    for number in range(2):
        subject = event(SwitchingPlans, Verb.CLOSED, "network-operation", 0)
        await teller.publish_stream(subject, b"%d" % number, msg_id=f"id-{number}")
    pulls = [bus.pull("busbar_training_control", "fault-management_keyed_0", 1) for bus in replicas]
    takings = [asyncio.create_task(anext(pull)) for pull in pulls]
    done, waiting = await asyncio.wait(takings, timeout=0.5)
    assert [task.result().body for task in done] == [b"0"]
    await done.pop().result().ack()
    # the next may be prefetched by the replica that had the first
    async with asyncio.timeout(2):
        follower = asyncio.create_task(anext(pulls[takings.index(next(t for t in takings if t.done()))]))
        finished, _ = await asyncio.wait([follower, *waiting], return_when=asyncio.FIRST_COMPLETED)
        assert [task.result().body for task in finished] == [b"1"]
    for task in (follower, *waiting):
        task.cancel()


async def test_only_who_grants_the_clock_may_tell_it_and_see_whether_all_is_quiet(connect: Connect) -> None:
    granter, hearer = await connect("emergency-simulation"), await connect("crews")
    told: asyncio.Queue[bytes] = asyncio.Queue()

    async def hear(clock: Received) -> None:
        await told.put(clock.body)

    await hearer.subscribe("busbar.training.clock", hear)
    await granter.publish_core("busbar.training.clock", b"now")
    assert await told.get() == b"now"
    assert await granter.backlog("busbar_training_control") == 0
    await hearer.publish_core("busbar.training.clock", b"mine")
    await hearer.flush()
    assert hearer.violations == ("publish busbar.training.clock",)
    with pytest.raises(Denied):
        await hearer.backlog("busbar_training_control")
    with pytest.raises(ValueError, match="in production nobody"):
        permissions(CATALOGUE, ROOT, "production", "emergency-simulation", grants_clock=True)


async def test_a_role_asks_for_a_replay_only_those_that_it_hears(connect: Connect) -> None:
    bus, teller = await connect("fault-management"), await connect("network-operation")

    async def answer(asked: Received) -> None:
        await teller.publish_core(asked.reply, b"{}")

    replay = AdminSubject(**SPACE, role="network-operation", verb=AdminVerb.REPLAY)
    await teller.serve(str(replay), "network-operation", answer)
    assert (await bus.request(str(replay), b"{}")).body == b"{}"
    with pytest.raises(Denied):
        await bus.request(str(AdminSubject(**SPACE, role="crews", verb=AdminVerb.REPLAY)), b"{}")
    with pytest.raises(Denied):
        await bus.request(str(AdminSubject(**SPACE, role="network-operation", verb=AdminVerb.STATUS)), b"{}")


async def test_the_auditor_hears_all_and_says_nothing(connect: Connect) -> None:
    auditor, teller = await connect(AUDITOR), await connect("scada")
    heard: asyncio.Queue[str] = asyncio.Queue()

    async def hear(message: Received) -> None:
        await heard.put(message.subject)

    await auditor.subscribe("busbar.training.>", hear)
    subject = event(Measurements, Verb.CREATED, "scada")
    await teller.publish_stream(subject, b"1", msg_id="one")
    assert await heard.get() == subject
    past = await auditor._client.jetstream().subscribe(subject, stream="busbar_training_control", ordered_consumer=True)
    assert (await past.next_msg(5)).data == b"1"
    await auditor._client._send_unsubscribe(past._id)
    with pytest.raises(Denied):
        await auditor.publish_stream(subject, b"2", msg_id="two")
    with pytest.raises(Denied):
        await anext(auditor.pull("busbar_training_command", "crews"))


async def test_the_bootstrap_may_run_again_and_changes_nothing(connect: Connect) -> None:
    admin = await connect(ADMIN)
    assert await ensure(admin, CATALOGUE, ROOT, CONTEXT, capacity_bytes=64 * MEBIBYTE) == ()


async def test_the_bootstrap_adds_what_a_new_interface_needs(connect: Connect) -> None:
    admin = await connect(ADMIN)
    more = Catalogue(
        NOUNS,
        (
            *CATALOGUE.interfaces.values(),
            Interface(
                role="event-history",
                title="keeps",
                part="1",
                revision="1",
                subscribes=(Subscription(role="scada", verb=Verb.CREATED, noun=Measurements, mode=Mode.SHARED),),
            ),
        ),
    )
    changes = await ensure(admin, more, ROOT, CONTEXT, capacity_bytes=128 * MEBIBYTE)
    assert "created the durable event-history_shared of busbar_training_control" in changes
    assert "updated the stream busbar_training_control" in changes
    assert len(changes) == len(streams(ROOT, CONTEXT)) + 1


async def test_the_bootstrap_widens_what_a_durable_hears(connect: Connect) -> None:
    admin = await connect(ADMIN)
    changed = Subscription(role="scada", verb=Verb.CHANGED, noun=Measurements, mode=Mode.SHARED)
    told = Publication(lane=Lane.CONTROL, verb=Verb.CHANGED, noun=Measurements)
    wider = replace(OPERATION, revision="2", subscribes=(*OPERATION.subscribes, changed))
    louder = replace(SCADA, revision="2", publishes=(*SCADA.publishes, told))
    catalogue = Catalogue(NOUNS, (wider, FAULTS, CREWS, louder, SIMULATION))
    changes = await ensure(admin, catalogue, ROOT, CONTEXT, capacity_bytes=64 * MEBIBYTE)
    assert changes == ("updated the durable network-operation_shared of busbar_training_control",)


async def test_the_bootstrap_refuses_what_would_lose_messages(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin, teller = await connect(ADMIN), await connect("scada")
    await teller.publish_stream(event(Measurements, Verb.CREATED, "scada"), os.urandom(5000), msg_id="one")
    before = await admin.manager.stream_info("busbar_training_control")
    with pytest.raises(Conflict, match=r"busbar_training_control holds \d+ bytes, more than"):
        await ensure(admin, CATALOGUE, ROOT, CONTEXT, capacity_bytes=32 * 1000)
    original = Stream.config

    def shorter(stream: Stream, replicas: int) -> object:
        return original(stream, replicas).evolve(max_age=60.0)

    monkeypatch.setattr(Stream, "config", shorter)
    with pytest.raises(Conflict, match="keeps messages for 1209600 s, longer than the 60 s"):
        await ensure(admin, CATALOGUE, ROOT, CONTEXT, capacity_bytes=64 * MEBIBYTE)
    after = await admin.manager.stream_info("busbar_training_control")
    assert after.config == before.config


async def test_a_broker_without_room_for_the_streams_says_so(connect: Connect) -> None:
    admin = await connect(ADMIN)
    with pytest.raises(Unavailable, match="insufficient storage"):
        await ensure(admin, CATALOGUE, f"t{uuid4().hex[:8]}", CONTEXT, capacity_bytes=1 << 50)
