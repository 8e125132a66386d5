"""How many last gasps come in, and which of them wait."""

from collections.abc import Iterable
from datetime import datetime

from msgspec import json

from contracts.codes.end_device_events import EventKind, codes_of
from contracts.nouns.end_device_events import EndDeviceEvent
from services.meter_reading_and_control.domain.events import Drop
from services.meter_reading_and_control.domain.storm import BELLWETHER, MOMENTARY, WINDOW, Storm
from shared.store import Store as KernelStore

_LOST = codes_of(EventKind.POWER_LOST)


class Storms(KernelStore):
    """Storms of last gasps."""

    async def storm(self) -> Storm:
        """Whether there is one."""
        row = await self.fetchrow("SELECT since, calm_since FROM gasp_storm")
        return Storm() if row is None else Storm(**dict(row))

    async def save_storm(self, storm: Storm) -> None:
        """Keep whether there is one."""
        await self.execute("UPDATE gasp_storm SET since = $1, calm_since = $2", storm.since, storm.calm_since)

    async def bellwethers(self) -> frozenset[str]:
        """The meters whose last gasps are told first."""
        rows = await self.fetch(
            "SELECT DISTINCT member ->> 'mRID' AS meter FROM device_group,"
            " jsonb_array_elements(body -> 'EndDevices') AS member WHERE body ->> 'type' = $1",
            BELLWETHER,
        )
        return frozenset(row["meter"] for row in rows)

    async def count_gasps(self, gasps: int, now: datetime) -> None:
        """So many came in."""
        await self.execute("INSERT INTO gasps_taken (taken_at, gasps) VALUES ($1, $2)", now, gasps)

    async def gasps_of_late(self, now: datetime) -> int:
        """How many came in within the last minute; what is older is forgotten."""
        await self.execute("DELETE FROM gasps_taken WHERE taken_at <= $1", now - WINDOW)
        found: int = await self.fetchval("SELECT coalesce(sum(gasps), 0)::bigint FROM gasps_taken")
        return found

    async def drop_momentary(self, back: Iterable[tuple[str, datetime]]) -> int:
        """Of the last gasps that wait those are dropped whose meters have power again so soon; how many."""
        meters, times = zip(*back, strict=True)
        tag = await self.execute(
            "UPDATE event SET held = false, dropped = $3 FROM unnest($1::text[], $2::timestamptz[]) AS back (meter, at)"
            " WHERE event.meter = back.meter AND held AND code = ANY($4)"
            " AND happened_at <= back.at AND happened_at >= back.at - $5::interval",
            meters,
            times,
            Drop.MOMENTARY,
            _LOST,
            MOMENTARY,
        )
        return int(tag.rpartition(" ")[2])

    async def let_go(self, most: int) -> list[tuple[str, EndDeviceEvent]]:
        """The oldest of those that wait, which wait no more, with their usage points."""
        rows = await self.lock_all(
            "UPDATE event SET held = false WHERE (meter, code, happened_at) IN (SELECT meter, code, happened_at"
            " FROM event WHERE held ORDER BY happened_at LIMIT $1 FOR UPDATE SKIP LOCKED)"
            " RETURNING usage_point, happened_at, noun",
            most,
        )
        ordered = sorted(rows, key=lambda row: (row["happened_at"], row["usage_point"]))
        return [(row["usage_point"], json.decode(row["noun"], type=EndDeviceEvent)) for row in ordered]

    async def anything_held(self) -> bool:
        """True while a last gasp waits."""
        found: bool = await self.fetchval("SELECT EXISTS (SELECT FROM event WHERE held)")
        return found
