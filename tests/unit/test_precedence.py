"""Commands and replies come before batches."""

import asyncio

import pytest

from contracts.verbs import Verb
from shared import precedence
from shared.arrival import Arrival, Entrance
from shared.clock import real_now
from shared.precedence import GIVE_WAY_S, Precedence


def _arrival(entrance: Entrance, verb: Verb) -> Arrival:
    return Arrival(
        entrance=entrance,
        role="meter-reading-and-control",
        source="operator",
        noun="EndDeviceControls",
        verb=verb,
        subject="a.subject",
        headers={},
        body=b"",
        received_at=real_now(),
    )


async def _is_free(first: Precedence) -> bool:
    """True when a batch may begin at once."""
    waiting = asyncio.ensure_future(first.give_way())
    for _ in range(5):
        await asyncio.sleep(0)
    is_free = waiting.done()
    await waiting
    return is_free


@pytest.mark.parametrize("entrance", [Entrance.COMMAND, Entrance.REPLY, Entrance.REQUEST])
async def test_a_batch_begins_only_after_a_command_or_a_reply_is_handled(entrance: Entrance) -> None:
    first = Precedence()
    with first.given(_arrival(entrance, Verb.CREATE)):
        assert not await _is_free(first)
    await asyncio.sleep(2 * precedence.LINGER_S)
    assert await _is_free(first)


@pytest.mark.parametrize(("entrance", "verb"), [(Entrance.EVENT, Verb.CREATED), (Entrance.REQUEST, Verb.GET)])
async def test_a_batch_does_not_wait_for_events_and_questions(entrance: Entrance, verb: Verb) -> None:
    first = Precedence()
    with first.given(_arrival(entrance, verb)):
        assert await _is_free(first)


async def test_a_batch_does_not_wait_for_ever_while_one_command_follows_the_other() -> None:
    first = Precedence()
    with first.given(_arrival(Entrance.COMMAND, Verb.CREATE)):
        async with asyncio.timeout(50 * GIVE_WAY_S):
            await first.give_way()


async def test_what_a_command_said_has_a_moment_to_be_sent() -> None:
    first = Precedence()
    with first.given(_arrival(Entrance.COMMAND, Verb.CREATE)):
        pass
    assert not await _is_free(first)


async def test_after_a_batch_has_waited_long_enough_nothing_waits_for_as_long() -> None:
    first = Precedence()
    with first.given(_arrival(Entrance.COMMAND, Verb.CREATE)):
        await first.give_way()
        assert await _is_free(first)
        await asyncio.sleep(2 * GIVE_WAY_S)
        assert not await _is_free(first)
