"""The meters of transformers, and which transformers lose what passes them."""

from collections.abc import Sequence
from datetime import date

from shared.store import Store as KernelStore


class Balances(KernelStore):
    """What passes transformers and does not arrive."""

    async def transformer_meters(self, after: str, most: int) -> list[tuple[str, str]]:
        """Transformers that come after one by their mRID, each with the usage point whose meter measures it."""
        rows = await self.fetch(
            "SELECT DISTINCT ON (measures) measures, mrid FROM usage_point AS own WHERE measures > $1 AND NOT EXISTS"
            " (SELECT FROM usage_point AS later WHERE later.mrid = own.mrid AND later.effective_at > own.effective_at)"
            " ORDER BY measures, mrid LIMIT $2",
            after,
            most,
        )
        return [(row["measures"], row["mrid"]) for row in rows]

    async def balance_loss(self, transformer: str) -> tuple[date, float] | None:
        """The last day of which it is known that a transformer loses what passes it, and which share."""
        row = await self.fetchrow("SELECT market_day, share FROM balance_loss WHERE transformer = $1", transformer)
        return None if row is None else (row["market_day"], row["share"])

    async def save_balance_loss(self, transformer: str, day: date, share: float) -> None:
        """Keep that it loses that."""
        await self.execute(
            "INSERT INTO balance_loss (transformer, market_day, share) VALUES ($1, $2, $3) ON CONFLICT (transformer)"
            " DO UPDATE SET market_day = excluded.market_day, share = excluded.share",
            transformer,
            day,
            share,
        )

    async def end_balance_loss(self, transformer: str) -> None:
        """It loses nothing any more."""
        await self.execute("DELETE FROM balance_loss WHERE transformer = $1", transformer)

    async def balance_loss_at(self, point: str) -> date | None:
        """The same day, of the transformer behind which a usage point is, as known at last."""
        found: date | None = await self.fetchval(
            "SELECT market_day FROM balance_loss WHERE transformer = (SELECT transformer FROM served"
            " WHERE usage_point = $1 ORDER BY since DESC, recorded_at DESC LIMIT 1)",
            point,
        )
        return found

    async def firsts_of(self, points: Sequence[str]) -> dict[str, dict[str, int]]:
        """The first series of usage points, by reading type, the oldest first."""
        rows = await self.fetch(
            "SELECT usage_point, reading_type, min(id) AS first FROM series WHERE usage_point = ANY($1)"
            " GROUP BY usage_point, reading_type ORDER BY first",
            points,
        )
        found: dict[str, dict[str, int]] = {}
        for row in rows:
            found.setdefault(row["usage_point"], {})[row["reading_type"]] = row["first"]
        return found
