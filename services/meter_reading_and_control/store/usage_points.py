"""How usage points are set up, and who has an agreement about them."""

from collections.abc import AsyncIterator, Iterable, Sequence

from msgspec import json

from contracts.nouns.usage_point_config import UsagePoint
from services.meter_reading_and_control.domain.usage_points import TRANSFORMER, Agreed, checked_by, effective_at, named
from shared.store import Store as KernelStore

PAGE = 500
"""How many usage points go into one part of a reply."""


class UsagePoints(KernelStore):
    """Usage points."""

    async def usage_points(self, mrids: Sequence[str]) -> dict[str, list[UsagePoint]]:
        """Everything that these usage points were ever set up to, in the order of the times from which it counts."""
        rows = await self.fetch(
            "SELECT mrid, noun FROM usage_point WHERE mrid = ANY($1) ORDER BY mrid, effective_at", mrids
        )
        found: dict[str, list[UsagePoint]] = {}
        for row in rows:
            found.setdefault(row["mrid"], []).append(json.decode(row["noun"], type=UsagePoint))
        return found

    async def all_usage_points(self) -> AsyncIterator[list[UsagePoint]]:
        """Pages of all usage points as they are set up at last."""
        after = ""
        while True:
            rows = await self.fetch(
                "SELECT DISTINCT ON (mrid) mrid, noun FROM usage_point WHERE mrid > $1"
                " ORDER BY mrid, effective_at DESC LIMIT $2",
                after,
                PAGE,
            )
            yield [json.decode(row["noun"], type=UsagePoint) for row in rows]
            if len(rows) < PAGE:
                return
            after = rows[-1]["mrid"]

    async def save_usage_points(self, points: Iterable[UsagePoint]) -> None:
        """Keep how usage points are set up, from their time on."""
        await self.executemany(
            "INSERT INTO usage_point (mrid, effective_at, noun, checked_by, measures) VALUES ($1, $2, $3, $4, $5)"
            " ON CONFLICT (mrid, effective_at) DO UPDATE SET noun = excluded.noun, checked_by = excluded.checked_by,"
            " measures = excluded.measures",
            [
                (
                    each.mrid,
                    effective_at(each),
                    json.encode(each).decode(),
                    (checked_by(each) or (None,))[0],
                    named(each, TRANSFORMER) or None,
                )
                for each in points
            ],
        )

    async def agreed_at(self, points: Sequence[str]) -> dict[str, list[Agreed]]:
        """The agreements about usage points, those that are over included."""
        rows = await self.fetch("SELECT * FROM agreed WHERE usage_point = ANY($1)", points)
        found: dict[str, list[Agreed]] = {}
        for row in rows:
            found.setdefault(row["usage_point"], []).append(Agreed(**dict(row)))
        return found

    async def save_agreed(self, agreement: str, told: Sequence[Agreed]) -> None:
        """Keep which usage points an agreement has, unless something later is known of it."""
        await self.execute(
            "DELETE FROM agreed WHERE agreement = $1 AND revision <= $2 AND usage_point <> ALL($3)",
            agreement,
            max((each.revision for each in told), default=0),
            [each.usage_point for each in told],
        )
        await self.executemany(
            "INSERT INTO agreed (agreement, usage_point, revision, starts, ends, shut_off, state)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7)"
            " ON CONFLICT (agreement, usage_point) DO UPDATE SET revision = excluded.revision,"
            " starts = excluded.starts, ends = excluded.ends, shut_off = excluded.shut_off, state = excluded.state"
            " WHERE agreed.revision <= excluded.revision",
            [
                (each.agreement, each.usage_point, each.revision, each.starts, each.ends, each.shut_off, each.state)
                for each in sorted_by_point(told)
            ],
        )


def sorted_by_point(told: Iterable[Agreed]) -> list[Agreed]:
    """In one order everywhere, so nobody waits for each other."""
    return sorted(told, key=lambda each: each.usage_point)
