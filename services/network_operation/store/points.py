"""The last values of what telemetry tells."""

from collections.abc import Sequence

from msgspec import json

from services.network_operation.domain.measured import Point
from shared.store import Store


class Points(Store):
    """The points with their last values."""

    async def keep_points(self, points: Sequence[Point]) -> None:
        """Keep what is newer than what is known; of two values of one instant the one heard later counts."""
        await self.executemany(
            "INSERT INTO measurement (key, equipment, at, body) VALUES ($1, $2, $3, $4)"
            " ON CONFLICT (key) DO UPDATE SET equipment = excluded.equipment, at = excluded.at, body = excluded.body"
            " WHERE measurement.at <= excluded.at",
            [
                (point.key, point.equipment, point.at, json.encode(point).decode())
                for point in sorted(points, key=lambda point: point.key)
            ],
        )

    async def points(self, named: Sequence[str] = ()) -> tuple[Point, ...]:
        """The points of these mRIDs, or of equipment with these; without any all of them."""
        rows = await self.fetch(
            "SELECT body FROM measurement WHERE $1::text[] = '{}' OR key = ANY($1) OR equipment = ANY($1) ORDER BY key",
            list(named),
        )
        return tuple(json.decode(row["body"], type=Point) for row in rows)
