"""Whose values are kept: each series has a number, and the process remembers those of the meters that it hears of."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
from msgspec import Struct

from contracts.compact_readings import Ids, texts
from services.meter_reading_and_control.domain.columns import BUNCH, Array
from services.meter_reading_and_control.domain.names import some
from services.meter_reading_and_control.domain.roster import NOWHERE, Roster
from shared.store import Store, Transaction

MOVES = 10_000
"""So many moves are read at a time: a town may have been put since the process last looked."""


TOGETHER = 40 * BUNCH
"""So many meters that are heard of for the first time are asked for at once: a batch may be about a city."""

EVER = 2**63 - 1
"""No move has this number."""


class Series(Struct, frozen=True, order=True):
    """Whose values they are, and of what; ``meter`` is empty for what no meter measured."""

    usage_point: str
    reading_type: str
    meter: str


class SeriesStore(Store):
    """The series, and where the meters are that measure them.

    What is new in a transaction is not remembered beyond it, since it may be undone.
    """

    def __init__(self, transaction: Transaction, memory: Any = None) -> None:
        super().__init__(transaction, memory)
        self._begun: set[int] = set()

    async def series_of(self, wanted: Sequence[Series]) -> dict[Series, int]:
        """The numbers of series; new ones get theirs, side by side in the order in which they are named."""
        found = await self._series(wanted)
        if len(found) < len(set(wanted)):
            await self.lock("SELECT pg_advisory_xact_lock(hashtextextended('series', 0))")
            found = await self._series(wanted)
            missing = [each for each in dict.fromkeys(wanted) if each not in found]
            for code in dict.fromkeys(each.reading_type for each in missing):
                found |= await self._begin_series(code, [each for each in missing if each.reading_type == code])
        return found

    async def _series(self, wanted: Sequence[Series]) -> dict[Series, int]:
        rows = await self.fetch(
            "SELECT id, usage_point, reading_type, meter FROM series JOIN unnest($1::text[], $2::text[], $3::text[])"
            " AS wanted (usage_point, reading_type, meter) USING (usage_point, reading_type, meter)",
            [each.usage_point for each in wanted],
            [each.reading_type for each in wanted],
            [each.meter for each in wanted],
        )
        return {Series(row["usage_point"], row["reading_type"], row["meter"]): row["id"] for row in rows}

    async def _begin_series(self, code: str, new: Sequence[Series]) -> dict[Series, int]:
        """Number new series of one reading type: in its last bunch where they fit, else from a new one on.

        None is 0, which stands for what is not remembered.
        """
        row = await self.lock(
            "SELECT (SELECT max(id) FROM series WHERE reading_type = $1) AS own, (SELECT max(id) FROM series) AS last",
            code,
        )
        own, last = (None, None) if row is None else (row["own"], row["last"])
        fits = own is not None and own // BUNCH == (own + len(new)) // BUNCH
        first = own + 1 if own is not None and fits else BUNCH * (1 if last is None else last // BUNCH + 1)
        numbered = {each: first + place for place, each in enumerate(new)}
        await self.execute(
            "INSERT INTO series (id, usage_point, reading_type, meter)"
            " SELECT id, usage_point, $2, meter FROM unnest($1::bigint[], $3::text[], $4::text[])"
            " AS new (id, usage_point, meter)",
            list(numbered.values()),
            code,
            [each.usage_point for each in numbered],
            [each.meter for each in numbered],
        )
        self._begun.update(numbered.values())
        return numbered

    async def heed_moves(self) -> None:
        """Forget the meters that were put, exchanged or removed; none moves until this transaction ends."""
        known: Roster = self.memory.known
        rows = await self.lock_all(
            "SELECT number, meter FROM moved_since($1) LIMIT $2", EVER if known.is_empty else known.seen, MOVES
        )
        if known.is_empty:  # there is nothing to forget, however many were put before
            known.seen = await self.fetchval("SELECT coalesce(max(number), 0) FROM moved")
        while rows:
            known.forget([row["meter"] for row in rows])
            known.seen = rows[-1]["number"]
            rows = await self.fetch(
                "SELECT number, meter FROM moved WHERE number > $1 ORDER BY number LIMIT $2", known.seen, MOVES
            )

    async def recall(self, meters: Ids) -> Array:
        """Where in what is remembered these meters are; what is worth it is remembered from now on."""
        known: Roster = self.memory.known
        places = known.find(meters)
        lacking = np.flatnonzero(places == NOWHERE)
        if not len(lacking):
            return places
        unknown = [*dict.fromkeys(texts(some(meters, lacking)))]
        for first in range(0, len(unknown), TOGETHER):
            known.learn(await self._only_places(unknown[first : first + TOGETHER]))
        return known.find(meters)

    async def series_at(self, code: str, meters: Ids, rows: Array, places: Array) -> Array:
        """The numbers of the series of one reading type of those rows' ``meters``, at places of what is remembered."""
        known: Roster = self.memory.known
        series = known.series(code, places)
        none = np.flatnonzero(series == 0)
        for lacking in np.split(none, range(TOGETHER, len(none), TOGETHER)) if len(none) else ():
            points, told = texts(known.points(places[lacking])), texts(some(meters, rows[lacking]))
            wanted = [Series(point, code, meter) for point, meter in zip(points, told, strict=True)]
            found = await self.series_of(wanted)
            series[lacking] = [found[each] for each in wanted]
            sure = [each for each in lacking.tolist() if series[each] not in self._begun]
            known.learn_series(code, places[sure].tolist(), series[sure].tolist())
        return series

    async def _only_places(self, meters: Sequence[str]) -> list[tuple[str, str, datetime, datetime | None]]:
        """Meter, usage point, from when and until when, of those that are set up and were never anywhere else.

        What is told of an mRID that several devices have is looked at each time, since it may be of another one.
        """
        rows = await self.fetch(
            "SELECT meter, min(usage_point) AS usage_point, min(starts) AS starts, min(ends) AS ends FROM installed"
            " WHERE meter = ANY($1) AND EXISTS (SELECT FROM meter AS m WHERE m.mrid = installed.meter)"
            " AND NOT EXISTS (SELECT FROM collision WHERE collision.meter = installed.meter)"
            " GROUP BY meter HAVING count(*) = 1",
            meters,
        )
        return [(row["meter"], row["usage_point"], row["starts"], row["ends"]) for row in rows]
