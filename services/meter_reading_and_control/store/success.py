"""Which reads were due on a market day, and when each came: by pages of usage points, with a few questions for each."""

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

import numpy as np

from contracts.codes.end_device_events import EventKind, codes_of
from services.meter_reading_and_control.domain.columns import BUNCH, Array, marks_of
from services.meter_reading_and_control.domain.folding import LAG_S
from services.meter_reading_and_control.domain.installation import Installed
from services.meter_reading_and_control.domain.readings import grouped
from services.meter_reading_and_control.domain.success import NEVER, Due, reads_among
from services.meter_reading_and_control.store.series import Series
from shared.store import Record
from shared.store import Store as KernelStore

PAGE = 5_000
"""So many usage points are looked at together."""

RECENT = timedelta(days=28)
"""What a meter told within this time before a day is due on it."""

_TROUBLE = codes_of(EventKind.DEVICE_ERROR, EventKind.CLOCK_ERROR, EventKind.TEST_MODE_STARTED)
_NOT_TAKEN = ("2.6", "2.10", "2.14", "2.29", "5.8")


class Part(NamedTuple):
    """When reads of series came: in seconds since 1970, by series and by intervals, these ``places`` of the day."""

    series: Array
    came: Array
    places: slice


class Success(KernelStore):
    """Reads that were due."""

    async def due_on(
        self, edges: tuple[datetime, datetime], named: Sequence[str], *, by_collector: bool
    ) -> AsyncIterator[list[Due]]:
        """Pages of the usage points where a meter was in that time, of those that are named or all.

        A group is the head-end that reaches the meter, or, ``by_collector``, the first of the groups of collectors in
        which it is. A meter that never told anything but registers is not there.
        """
        after = ""
        while True:
            rows = await self.fetch(
                "WITH page AS (SELECT DISTINCT usage_point FROM installed"
                "  WHERE usage_point > $1 AND starts < $3 AND coalesce(ends, 'infinity') > $2"
                "  AND ($4::text[] = '{}' OR usage_point = ANY($4) OR meter = ANY($4)) ORDER BY usage_point LIMIT $5)"
                " SELECT usage_point, starts, meter, ends, CASE WHEN $6"
                "  THEN (SELECT min(collector) FROM collected WHERE collected.meter = installed.meter)"
                "  ELSE (SELECT noun -> 'Meter' -> 0 ->> 'amrSystem' FROM meter WHERE mrid = installed.meter"
                "   ORDER BY effective_at DESC LIMIT 1) END AS name,"
                " NOT EXISTS (SELECT FROM series WHERE series.usage_point = page.usage_point) AND"
                "  EXISTS (SELECT FROM register_read AS r WHERE r.usage_point = page.usage_point) AS has_registers_only"
                " FROM page JOIN installed USING (usage_point)"
                " WHERE starts < $3 AND coalesce(ends, 'infinity') > $2 ORDER BY usage_point, starts",
                after,
                *edges,
                named,
                PAGE,
                by_collector,
            )
            if not rows:
                return
            of_points = (own for _, own in grouped(rows, lambda row: row["usage_point"]))
            yield [_due(own) for own in of_points if not own[0]["has_registers_only"]]
            after = rows[-1]["usage_point"]

    async def all_series(self, points: Sequence[str]) -> list[tuple[int, Series]]:
        """The series of usage points with their numbers."""
        rows = await self.fetch("SELECT * FROM series WHERE usage_point = ANY($1) ORDER BY id", points)
        return [(row["id"], Series(row["usage_point"], row["reading_type"], row["meter"])) for row in rows]

    async def told_recently(self, series: Sequence[int], day: date) -> set[int]:
        """Those of the series that told something within four weeks before a day."""
        rows = await self.fetch(
            "SELECT wanted FROM unnest($1::bigint[]) AS wanted WHERE EXISTS"
            " (SELECT FROM block WHERE series = wanted AND market_day >= $2 AND market_day < $3)",
            series,
            day - RECENT,
            day,
        )
        return {row["wanted"] for row in rows}

    async def came(self, series: Sequence[int], day: date) -> AsyncIterator[Part]:
        """When the reads of a day came, by what is alike.

        The tail is read first, as for the values: what is folded meanwhile is seen twice, and came when it came first.
        """
        own = set(series)
        tail = await self.fetch(
            "SELECT *, NULL::bytea AS lags FROM tail WHERE bunch = ANY($1) AND market_day = $2",
            sorted({each // BUNCH for each in own}),
            day,
        )
        rows = await self.fetch(
            "SELECT series, width, numbers, runs, origins, recorded_at, lags FROM block"
            " WHERE market_day = $1 AND series = ANY($2) ORDER BY series, version",
            day,
            series,
        )
        for (width, runs, origins, _, _), alike in grouped(
            rows, lambda row: (row["width"], row["runs"], row["origins"], row["lags"] is None, len(row["numbers"]))
        ):
            yield Part(np.array([row["series"] for row in alike]), _came(alike, width, runs, origins), slice(None))
        for row in tail:
            members = row["bunch"] * BUNCH + np.frombuffer(row["members"], np.uint8).astype(np.int64)
            when = _came([row], row["width"], row["runs"], row["origins"]).T
            yield Part(members, when, slice(row["place"], row["place"] + 1))

    async def in_trouble(self, points: Sequence[str], first: datetime, until: datetime) -> set[str]:
        """Those of the usage points whose meter told of a fault of its own, or was read by its register after all."""
        rows = await self.fetch(
            "SELECT DISTINCT usage_point FROM event WHERE usage_point = ANY($1) AND code = ANY($2)"
            " AND happened_at >= $3 AND happened_at < $4"
            " UNION SELECT DISTINCT usage_point FROM register_read WHERE usage_point = ANY($1)"
            " AND read_at >= $3 + (interval '1 day') AND read_at < $4",
            points,
            _TROUBLE,
            first,
            until,
        )
        return {row["usage_point"] for row in rows}

    async def not_taken(self, meters: Sequence[str], first: datetime, until: datetime) -> set[str]:
        """Those of the meters of which something was refused in that time, for what it was."""
        rows = await self.fetch(
            "SELECT DISTINCT meter FROM refused_reading WHERE meter = ANY($1) AND code = ANY($2)"
            " AND refused_at >= $3 AND refused_at < $4",
            meters,
            _NOT_TAKEN,
            first,
            until,
        )
        return {row["meter"] for row in rows}


def _due(rows: Sequence[Record]) -> Due:
    return Due(
        usage_point=rows[0]["usage_point"],
        group=rows[-1]["name"] or "",
        installed=tuple(
            Installed(usage_point=row["usage_point"], starts=row["starts"], meter=row["meter"], ends=row["ends"])
            for row in rows
        ),
    )


def _came(rows: Iterable[Record], width: int, runs: bytes | None, origins: str) -> Array:
    """When the reads in rows of one length, runs and origins came: an array of rows by intervals."""
    told = list(rows)
    numbers = np.frombuffer(b"".join([row["numbers"] for row in told]), f">i{width}").reshape(len(told), -1)
    is_read = reads_among(origins)[np.array(marks_of(runs, numbers.shape[1]))]
    seconds = np.array([[row["recorded_at"].timestamp()] for row in told])
    if told[0]["lags"] is not None:
        lags = np.frombuffer(b"".join([row["lags"] for row in told]), ">u2").reshape(numbers.shape)
        seconds = seconds + LAG_S * lags.astype(np.int64)
    is_there = is_read & (numbers != np.iinfo(f"i{width}").min)
    found: Array = np.where(is_there, np.ceil(seconds), NEVER).astype(np.int64)
    return found
