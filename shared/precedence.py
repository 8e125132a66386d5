"""Commands and the replies to them come first: somebody waits for each, and a batch is safe at the broker meanwhile.

The event loop and the database take statements as they come, so a command shares both with what was begun before it.
While one is handled no batch and no wake is begun, and those that were begun wait where a statement begins or ends.
None waits for ever: a stream of commands does not stop what is told, and a command may need what a batch has locked.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from contracts.verbs import Verb
from shared.arrival import Arrival, Entrance

GIVE_WAY_S = 0.1
"""How long a batch waits for those who come first, at most; after that nobody waits for as long."""

LINGER_S = 0.01
"""How long one that was handled still comes first, so that the relay can send what it said."""

_FIRST = {Entrance.REQUEST, Entrance.COMMAND, Entrance.REPLY}


class Precedence:
    """Who comes first in one running service."""

    def __init__(self) -> None:
        self._first = 0
        self._nobody = asyncio.Event()
        self._nobody.set()
        self._waited_until = 0.0

    @contextmanager
    def given(self, arrival: Arrival) -> Iterator[None]:
        """A message is handled; commands and replies come before batches, questions and events do not."""
        if arrival.entrance not in _FIRST or arrival.verb is Verb.GET:
            yield
            return
        self._first += 1
        self._nobody.clear()
        try:
            yield
        finally:
            asyncio.get_running_loop().call_later(LINGER_S, self._leave)

    def _leave(self) -> None:
        self._first -= 1
        if not self._first:
            self._nobody.set()

    async def give_way(self) -> None:
        """Wait until nobody comes first, or long enough."""
        clock = asyncio.get_running_loop().time
        if not self._first or clock() < self._waited_until:
            return
        try:
            async with asyncio.timeout(GIVE_WAY_S):
                await self._nobody.wait()
        except TimeoutError:
            self._waited_until = clock() + GIVE_WAY_S
