"""What a relay sends, in lines: the rows of one are sent one after the other, and lines do not wait for each other."""

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Iterator, Sequence

from contracts.errors import BusbarError, Unavailable
from shared.failpoints import failpoint
from shared.store import Record

log = logging.getLogger(__name__)


class Lines:
    """Rows under way to the broker.

    Args:
        send: brings one row to the broker; a :class:`BusbarError` says that it was not taken.

    Attributes:
        stuck: lines of which the broker did not take a row; what was behind it is forgotten here.
    """

    def __init__(self, send: Callable[[Record], Awaitable[None]]) -> None:
        self._send = send
        self._queues: dict[str, deque[Record]] = defaultdict(deque)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._done: list[int] = []
        self._failure: Exception | None = None
        self.stuck: set[str] = set()

    @property
    def under_way(self) -> list[int]:
        """The rows that are here and not sent."""
        return [row["id"] for queue in self._queues.values() for row in queue]

    @property
    def unmarked(self) -> Sequence[int]:
        """The rows that were sent since :meth:`take_done`."""
        return tuple(self._done)

    async def take_done(self) -> list[int]:
        """The rows that were sent, each once; who takes them notes it."""
        if self._done:
            await failpoint("before-mark")
        done, self._done = self._done, []
        return done

    async def add(self, rows: Sequence[Record]) -> None:
        """Put rows behind those of their lines."""
        if rows:
            await failpoint("before-publish")
        for row in _in_order(rows):
            line = row["line"]
            self._queues[line].append(row)
            if line not in self._tasks:
                self._tasks[line] = asyncio.create_task(self._run(line), name=f"send {line}")

    async def settle(self, patience_s: float) -> None:
        """Wait until all is sent or is stuck, or for ``patience_s``.

        Raises:
            Exception: what a line met that was no word of the broker.
        """
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=patience_s)
        if self._failure is not None:
            raise self._failure

    async def close(self) -> None:
        """Break off; what was not marked will be sent again by whoever comes next."""
        tasks = [*self._tasks.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, line: str) -> None:
        queue = self._queues[line]
        try:
            while queue:
                await self._send(queue[0])
                self._done.append(queue.popleft()["id"])
        except BusbarError as error:
            level = logging.WARNING if isinstance(error, Unavailable) else logging.ERROR
            log.log(level, "a line is stuck: %s", error.reason, extra={"subject": queue[0]["subject"]})
            self.stuck.add(line)
        except Exception as error:  # noqa: BLE001  a defect ends the relay, which is told of it by settle()
            self._failure = error
        finally:
            del self._queues[line], self._tasks[line]


def _in_order(rows: Sequence[Record]) -> Iterator[Record]:
    """By id, since that is the order in which things were said; but on one subject by the numbers that were given.

    The two differ where a transaction that took its ids earlier was committed later.
    """
    by_subject: dict[str, deque[Record]] = defaultdict(deque)
    for row in sorted(rows, key=lambda row: (row["sequence"], row["id"])):
        by_subject[row["subject"]].append(row)
    for row in sorted(rows, key=lambda row: int(row["id"])):
        yield by_subject[row["subject"]].popleft()
