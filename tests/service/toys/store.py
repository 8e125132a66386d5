"""What the services of the tests keep."""

from datetime import datetime

from shared.store import Record, Store
from tests.service.toys.orders import Order


class ToyStore(Store):
    async def add(self, order: Order) -> bool:
        tag = await self.execute(
            "INSERT INTO thing (mrid, amount) VALUES ($1, $2) ON CONFLICT DO NOTHING", order.mrid, order.amount
        )
        return tag == "INSERT 0 1"

    async def count(self, mrid: str) -> None:
        """Counts how often something was done, so that a second effect would show."""
        await self.execute("UPDATE thing SET times = times + 1 WHERE mrid = $1", mrid)

    async def note(self, mrid: str, text: str, at: datetime | None = None) -> None:
        await self.execute(
            "INSERT INTO note (mrid, text, at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", mrid, text, at
        )

    async def things(self) -> list[Record]:
        return await self.fetch("SELECT mrid, amount, times FROM thing ORDER BY mrid")
