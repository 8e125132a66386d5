"""Readings that were not taken, days that could not be judged, and the sources that mean another device by an mRID."""

from collections.abc import AsyncIterator, Iterable
from datetime import datetime

from msgspec import json

from contracts.nouns.meter_readings import MeterReading
from services.meter_reading_and_control.domain.columns import EPOCH
from services.meter_reading_and_control.domain.meters import Collision
from services.meter_reading_and_control.domain.quarantine import Aside, Question, Refused
from shared.store import Store as KernelStore

PAGE = 200
"""How many readings go into one part of a reply."""


class Quarantine(KernelStore):
    """What is kept apart."""

    async def collisions(self, meters: Iterable[str]) -> frozenset[Collision]:
        """The sources that mean other devices by these mRIDs."""
        rows = await self.fetch(
            "SELECT meter, source, there, told FROM collision WHERE meter = ANY($1)", sorted(set(meters))
        )
        return frozenset(Collision(**dict(row)) for row in rows)

    async def save_collisions(self, found: Iterable[Collision], now: datetime) -> None:
        """Keep that sources mean other devices by mRIDs, of which no process may rely on what it remembers any more."""
        await self.executemany(
            "INSERT INTO collision (meter, source, there, told, found_at) VALUES ($1, $2, $3, $4, $5)"
            " ON CONFLICT (meter, source) DO UPDATE SET there = excluded.there, told = excluded.told",
            [(each.meter, each.source, each.there, each.told, now) for each in found],
        )
        await self.executemany("SELECT move($1)", [(each.meter,) for each in found])

    async def end_collisions(self, ended: Iterable[Collision]) -> None:
        """These sources mean the device that is known after all."""
        for each in ended:
            await self.execute("DELETE FROM collision WHERE meter = $1 AND source = $2", each.meter, each.source)

    async def refused(self, asked: Question) -> AsyncIterator[list[Refused]]:
        """Pages of the readings that were not taken, in the order in which they were refused."""
        after = (asked.start, "")
        while True:
            rows = await self.fetch(
                "SELECT digest, source, code, reason, refused_at, noun FROM refused_reading"
                " WHERE ($1::text[] = '{}' OR meter = ANY($1) OR noun -> 'UsagePoint' ->> 'mRID' = ANY($1))"
                " AND ($2::text[] = '{}' OR EXISTS (SELECT FROM unnest($2) AS wanted WHERE wanted = source"
                " OR jsonb_path_exists(noun, '$.**.source ? (@ == $it)', jsonb_build_object('it', wanted))))"
                " AND (refused_at, digest) > (coalesce($3, '-infinity'::timestamptz), $4)"
                " AND refused_at < coalesce($5, 'infinity'::timestamptz) ORDER BY refused_at, digest LIMIT $6",
                asked.named,
                asked.sources,
                *after,
                asked.end,
                PAGE,
            )
            yield [
                Refused(
                    part=json.decode(row["noun"], type=MeterReading),
                    source=row["source"],
                    code=row["code"],
                    reason=row["reason"],
                    refused_at=row["refused_at"],
                )
                for row in rows
            ]
            if len(rows) < PAGE:
                return
            after = (rows[-1]["refused_at"], rows[-1]["digest"])

    async def aside(self, asked: Question) -> AsyncIterator[list[Aside]]:
        """Pages of the days that could not be judged, in the order in which they were set aside."""
        after = (asked.start, EPOCH.date(), 0, 0)
        while True:
            rows = await self.fetch(
                "SELECT a.*, s.usage_point, s.reading_type FROM set_aside AS a JOIN series AS s ON s.id = a.series"
                " WHERE ($1::text[] = '{}' OR s.usage_point = ANY($1) OR EXISTS (SELECT FROM series AS other"
                "  WHERE other.usage_point = s.usage_point AND other.meter = ANY($1)))"
                " AND (aside_at, market_day, bunch, series)"
                "  > (coalesce($2, '-infinity'::timestamptz), $3::date, $4::bigint, $5::bigint)"
                " AND aside_at < coalesce($6, 'infinity'::timestamptz)"
                " ORDER BY aside_at, market_day, bunch, series LIMIT $7",
                asked.named,
                *after,
                asked.end,
                PAGE,
            )
            yield [
                Aside(
                    usage_point=row["usage_point"],
                    reading_type=row["reading_type"],
                    day=row["market_day"],
                    reason=row["reason"],
                    aside_at=row["aside_at"],
                )
                for row in rows
            ]
            if len(rows) < PAGE:
                return
            after = (rows[-1]["aside_at"], rows[-1]["market_day"], rows[-1]["bunch"], rows[-1]["series"])
