"""Kill -9 at the points that hurt: every accepted command has one effect and one answer, every event arrives.

The counts are printed; ``-s`` shows them.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from contracts.errors import Unavailable
from contracts.message import Message
from contracts.verbs import Verb
from shared.config import Context, Settings
from shared.tools.bootstrap import Schema
from shared.tools.testing import Installation, Peer
from tests.chaos.supervisor import Counts, Process, at_rest, counted, give, hasten, kill, tell_story
from tests.service.toys.interfaces import CATALOGUE
from tests.service.toys.orders import Orders, orders
from tests.service.toys.services import make_depot, make_ledger, make_shop
from tests.service.toys.world import eventually, notes, rows

COUNT = 15
"""Commands of the customer in one story; each third makes the shop give one of its own."""

POINTS = {
    "after commit, before publish": ("shop", "before-publish:2"),
    "after publish, before mark": ("shop", "before-mark:3"),
    "after work, before ack": ("shop", "before-ack:5"),
    "after reply, before ack": ("shop", "before-ack:5:0.5"),
    "after commit, before publish of a reply": ("depot", "before-publish:1"),
    "after work on a command of a service": ("depot", "before-ack:2"),
    "after an event was heard, before ack": ("ledger", "before-ack:3"),
}
pytestmark = [pytest.mark.chaos, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def toys(server_state: Path) -> AsyncIterator[Installation]:
    """Servers that may be killed."""
    settings = Settings(context=Context.TESTING, state_dir=server_state.parent / "chaos", request_timeout_s=2.0)
    schemas = [Schema(service.role, service.migrations) for service in (make_shop(), make_depot(), make_ledger())]
    async with Installation.start(settings, CATALOGUE, schemas) as installation:
        await installation.prepare()
        await hasten(installation)
        yield installation


@pytest.mark.parametrize("point", POINTS)
async def test_a_service_that_is_killed_at_a_point_has_done_everything_once(toys: Installation, point: str) -> None:
    role, failpoint = POINTS[point]
    name = f"at{list(POINTS).index(point)}"
    processes = {each: Process(toys, each) for each in ("shop", "depot", "ledger")}
    try:
        for each, process in processes.items():
            await process.start(failpoint if each == role else "")
        async with toys.peer("customer") as customer:
            await tell_story(customer, name, COUNT)
            await processes[role].died()
            await at_rest(toys)
            counts = await _end_of(toys, name)
        print(f"killed {role} {point}: {counts}")
        assert processes[role].deaths == 1
        assert counts.is_whole
    finally:
        for process in processes.values():
            await process.stop()


async def test_a_request_whose_server_died_after_the_answer_is_repeated_and_not_done_again(toys: Installation) -> None:
    shop = Process(toys, "shop")
    try:
        await shop.start("after-reply:1")
        async with toys.peer("customer") as customer:
            answers = [await _ask_until_answered(customer, "asked") for _ in range(2)]
    finally:
        await shop.stop()
    [thing] = await rows(toys, "shop", "SELECT times FROM thing WHERE mrid = 'asked'")
    print(f"killed shop after reply: {len(answers)} answers, {thing['times']} effect")
    assert shop.deaths == 1
    assert answers[0] == answers[1]
    assert thing["times"] == 1


@pytest.mark.parametrize("server", ["nats", "postgres"])
async def test_a_server_that_is_killed_comes_back_and_nothing_is_missing(toys: Installation, server: str) -> None:
    processes = [Process(toys, each) for each in ("shop", "depot", "ledger")]
    try:
        for process in processes:
            await process.start()
        async with toys.peer("customer") as customer:
            story = asyncio.create_task(tell_story(customer, server, 4 * COUNT))
            await eventually(
                lambda: rows(toys, "ledger", "SELECT FROM note WHERE mrid LIKE $1 OFFSET 3", f"{server}-%")
            )
            victim = toys.servers.nats if server == "nats" else toys.servers.postgres
            kill(victim.pid)
            await victim.stop()
            await victim.start()
            await story
            counts = await _end_of(toys, server, 4 * COUNT)
        print(f"killed {server}: {counts}")
        assert counts.is_whole
    finally:
        for process in processes:
            await process.stop()


async def test_a_message_that_kills_its_process_again_and_again_becomes_a_dead_letter(toys: Installation) -> None:
    ledger = Process(toys, "ledger")
    async with toys.peer("shop") as shop:
        await shop.tell(Verb.CHANGED, orders("poison"))
        await shop.tell(Verb.CREATED, orders("poison", note="kill"), key="poison")
        for number in range(5):
            await shop.tell(Verb.CREATED, orders(f"innocent-{number}"), key="poison")
        try:
            await ledger.start()
            await eventually(lambda: _five(toys), 40)
        finally:
            await ledger.stop()
    letters = await rows(toys, "ledger", "SELECT reason FROM dead_letter")
    print(f"a poisoned message: {ledger.deaths} deaths, {len(letters)} dead letter, 5 of 5 others heard")
    assert [letter["reason"] for letter in letters] == ["its handling ended the process again and again"]


async def test_a_wake_that_kills_its_process_again_and_again_becomes_a_dead_letter(toys: Installation) -> None:
    shop = Process(toys, "shop")
    try:
        async with toys.peer("customer") as customer:
            await give(customer, Verb.EXECUTE, orders("unharmed", amount=100), "unharmed")
            await give(customer, Verb.EXECUTE, orders("kill", amount=100), "kill")
        await shop.start()
        letters = await eventually(lambda: rows(toys, "shop", "SELECT subject, reason FROM dead_letter"), 40)
        await eventually(lambda: notes(toys, "shop", "unharmed"))
    finally:
        await shop.stop()
    print(f"a poisoned wake: {shop.deaths} deaths, {len(letters)} dead letter")
    assert [(letter["subject"], letter["reason"]) for letter in letters] == [
        ("wake finish kill", "it ended the process again and again")
    ]


async def _ask_until_answered(customer: Peer, name: str) -> Message[Orders]:
    """Ask with the same MessageID until there is an answer."""
    async with asyncio.timeout(30):
        while True:
            try:
                return await customer.request("shop", Verb.CREATE, orders(name), message_id=name, timeout_s=1)
            except Unavailable:
                await asyncio.sleep(0.1)


async def _five(toys: Installation) -> bool:
    return len(await notes(toys, "ledger", "innocent-%")) == 5


async def _end_of(toys: Installation, name: str, count: int = COUNT) -> Counts:
    """The counts as soon as they are whole, or as they are when nothing changes any more."""
    counts = await counted(toys, name, count)
    for _ in range(150):
        if counts.is_whole:
            break
        await asyncio.sleep(0.1)
        counts = await counted(toys, name, count)
    return counts
