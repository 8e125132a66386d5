"""Groups of end devices."""

from collections.abc import Iterable

from msgspec import json

from contracts.errors import Invalid
from contracts.nouns.end_device_groups import EndDeviceGroup
from services.meter_reading_and_control.domain.lanes import COLLECTOR
from shared.store import Store as KernelStore


class Groups(KernelStore):
    """Which devices belong together."""

    async def groups(self, mrids: Iterable[str] = ()) -> dict[str, EndDeviceGroup]:
        """Those of ``mrids`` that are known, or all when none is named."""
        wanted = sorted(set(mrids))
        rows = await self.fetch(
            "SELECT mrid, body FROM device_group WHERE $1::text[] = '{}' OR mrid = ANY($1) ORDER BY mrid", wanted
        )
        return {row["mrid"]: json.decode(row["body"], type=EndDeviceGroup) for row in rows}

    async def save_group(self, group: EndDeviceGroup) -> None:
        """Keep a group as it is now."""
        await self.execute(
            "INSERT INTO device_group (mrid, body) VALUES ($1, $2)"
            " ON CONFLICT (mrid) DO UPDATE SET body = excluded.body",
            group.mrid,
            json.encode(group).decode(),
        )
        await self.execute("DELETE FROM collected WHERE collector = $1", group.mrid)
        if group.type == COLLECTOR:
            await self.execute(
                "INSERT INTO collected (meter, collector) SELECT meter, $2 FROM unnest($1::text[]) AS meter",
                sorted({each.mrid for each in group.end_devices if each.mrid}),
                group.mrid,
            )

    async def delete_group(self, mrid: str) -> None:
        """Forget a group."""
        await self.execute("DELETE FROM device_group WHERE mrid = $1", mrid)
        await self.execute("DELETE FROM collected WHERE collector = $1", mrid)

    async def groups_in_use(self) -> set[str]:
        """The groups that a schedule reads which is not over."""
        rows = await self.fetch(
            "SELECT DISTINCT named ->> 'mRID' AS mrid FROM read_schedule,"
            " jsonb_array_elements(body -> 'noun' -> 'EndDeviceGroup') AS named"
            " WHERE body ->> 'state' IN ('active', 'suspended')"
        )
        return {row["mrid"] for row in rows}

    async def members(self, mrids: Iterable[str]) -> tuple[str, ...]:
        """The devices of these groups as they are now, each once.

        Raises:
            Invalid: 2.15, there is no such group.
        """
        wanted = sorted(set(mrids))
        known = await self.groups(wanted) if wanted else {}
        missing = next((mrid for mrid in wanted if mrid not in known), None)
        if missing is not None:
            raise Invalid(f"there is no group {missing}", code="2.15", object_id=missing)
        devices = (each.mrid for group in known.values() for each in group.end_devices if each.mrid)
        return tuple(dict.fromkeys(devices))
