"""What kills its process must not do so for ever: a delivery that was begun and never ended is counted.

A message that was handed out before is marked in the database before it is handled again, and the mark is taken back
when the handling ends well or only had to wait. What ends the process leaves the mark. A message with marks is handled
alone, so that no other is blamed for its deed; with too many it is not handled any more.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from shared.arrival import Arrival
from shared.store import Database

FORGIVEN = 5
"""How often the handling of a message may fail by a defect or end its process before it is put aside."""

RETRY_S = 0.4
"""How long a message that met a defect waits; four times as long with each failure, at most half a minute."""


class Suspects:
    """The marks of one service."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._alone = asyncio.Lock()

    @asynccontextmanager
    async def watched(self, arrival: Arrival) -> AsyncIterator[bool]:
        """Handle a message of a stream within; gives False when it must not be handled any more."""
        if arrival.deliveries == 1 or arrival.stream is None:
            yield True
        elif await self._marks(arrival) == 0:
            yield await self._mark(arrival) <= FORGIVEN
        else:
            async with self._alone:
                yield await self._mark(arrival) <= FORGIVEN

    async def mark_unmarked(self, arrivals: Sequence[Arrival]) -> set[int]:
        """Mark messages of one stream that were handed out before and have no mark yet, to be handled together.

        Returns:
            their numbers in the stream; what is not among them has a mark and is to be handled alone.
        """
        rows = await self._database.pool.fetch(
            "INSERT INTO failure (stream, stream_sequence, count) SELECT $1, number, 1"
            " FROM unnest($2::bigint[]) AS number ON CONFLICT DO NOTHING RETURNING stream_sequence",
            arrivals[0].stream,
            sorted(arrival.stream_sequence or 0 for arrival in arrivals),
        )
        return {row["stream_sequence"] for row in rows}

    async def forgive(self, *arrivals: Arrival) -> None:
        """The handling came to an end for which these messages of one stream are not to blame."""
        again = [arrival for arrival in arrivals if arrival.deliveries > 1 and arrival.stream is not None]
        if again:
            await self._database.pool.execute(
                "DELETE FROM failure WHERE stream = $1 AND stream_sequence = ANY($2)",
                again[0].stream,
                [arrival.stream_sequence for arrival in again],
            )

    async def blame(self, arrival: Arrival) -> float | None:
        """Note that a defect spoiled the handling.

        Returns:
            the seconds after which to try again, or None when it was tried often enough.
        """
        count = await (self._mark(arrival) if arrival.deliveries == 1 else self._marks(arrival))
        return None if count >= FORGIVEN else float(min(RETRY_S * 4 ** (count - 1), 30.0))

    async def _marks(self, arrival: Arrival) -> int:
        count: int | None = await self._database.pool.fetchval(
            "SELECT count FROM failure WHERE stream = $1 AND stream_sequence = $2",
            arrival.stream,
            arrival.stream_sequence,
        )
        return count or 0

    async def _mark(self, arrival: Arrival) -> int:
        count: int = await self._database.pool.fetchval(
            "INSERT INTO failure AS f (stream, stream_sequence, count) VALUES ($1, $2, 1) "
            "ON CONFLICT (stream, stream_sequence) DO UPDATE SET count = f.count + 1, at = now() RETURNING count",
            arrival.stream,
            arrival.stream_sequence,
        )
        return count
