"""What is too old goes by months; of what nobody corrects any more there is one version, in as few bytes as hold it."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from itertools import groupby

from services.meter_reading_and_control.domain import calendar
from services.meter_reading_and_control.domain.columns import BUNCH
from services.meter_reading_and_control.store.blocks import Blocks
from services.meter_reading_and_control.store.copying import in_pieces, packed, whole
from services.meter_reading_and_control.store.rows import COLUMNS, outcome_of
from shared.store import Record

BUNCHES = 8
"""So many bunches are packed at a time."""

REGISTERS = 10_000
"""So many values of registers go at a time."""


class Packing(Blocks):
    """Months that have had their time."""

    async def months(self) -> list[date]:
        """The first days of the months of which there may be blocks."""
        rows = await self.fetch("SELECT month FROM months() AS month")
        return [row["month"] for row in rows]

    async def packed_months(self) -> dict[date, datetime]:
        """The months that were packed, and when."""
        return {row["month"]: row["packed_at"] for row in await self.fetch("SELECT month, packed_at FROM packed")}

    async def drop_month(self, month: date) -> None:
        """The blocks of a month go."""
        await self.lock("SELECT drop_month($1)", month)
        self.memory.known.months -= {month}

    async def drop_registers(self, before: datetime) -> bool:
        """Some values of registers from before that time go; True when there may be more."""
        told = await self.execute(
            "DELETE FROM register_read WHERE ctid = ANY(ARRAY("
            "SELECT ctid FROM register_read WHERE read_at < $1 LIMIT $2))",
            before,
            REGISTERS,
        )
        return told == f"DELETE {REGISTERS}"

    async def pack(self, month: date, now: datetime) -> None:
        """Write the blocks of a month anew, each as it is known ``now``; what is told later is a version again."""
        await self.lock("SELECT begin_packing($1)", month)
        day = month
        while day < calendar.after_month(month):
            rows = await self.fetch("SELECT bunch FROM filled WHERE market_day = $1 ORDER BY bunch", day)
            bunches = [row["bunch"] for row in rows]
            for place in range(0, len(bunches), BUNCHES):
                some = bunches[place : place + BUNCHES]
                await self._pack_some(day, some[0] * BUNCH, some[-1] * BUNCH + BUNCH - 1)
            day += calendar.DAY
        await self.lock("SELECT end_packing($1, $2)", month, now)

    async def _pack_some(self, day: date, first: int, last: int) -> None:
        rows = await self.fetch(
            "SELECT * FROM block WHERE market_day = $1 AND series BETWEEN $2 AND $3 ORDER BY series, version",
            day,
            first,
            last,
        )
        await self.copy("block_packed", COLUMNS, whole(in_pieces(_packed(rows))))


def _packed(rows: Sequence[Record]) -> Iterator[bytes]:
    for _, versions in groupby(rows, lambda row: row["series"]):
        yield packed(outcome_of([*versions]))
