"""Campaigns and how each of their devices stands."""

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime

from msgspec import json

from services.meter_reading_and_control.domain.campaigns import Campaign, Device, DeviceState
from shared.store import Record
from shared.store import Store as KernelStore

PAGE = 500
"""How many devices go into one part of a reply."""

_DEVICE = "device, place, state, attempts, due_at, code, reason"


class Campaigns(KernelStore):
    """Campaigns."""

    async def campaign(self, mrid: str) -> Campaign | None:
        """One campaign, which nobody else changes until this is done; None where there is none."""
        row = await self.lock("SELECT body FROM campaign WHERE mrid = $1 FOR UPDATE", mrid)
        return None if row is None else json.decode(row["body"], type=Campaign)

    async def campaigns(self, mrids: Iterable[str] = ()) -> list[Campaign]:
        """Those of ``mrids`` that are known, or all when none is named, as they were seen last."""
        rows = await self.fetch(
            "SELECT body FROM campaign WHERE $1::text[] = '{}' OR mrid = ANY($1) ORDER BY mrid", sorted(set(mrids))
        )
        return [json.decode(row["body"], type=Campaign) for row in rows]

    async def save_campaign(self, campaign: Campaign) -> None:
        """Keep how a campaign stands."""
        await self.execute(
            "INSERT INTO campaign (mrid, state, body) VALUES ($1, $2, $3)"
            " ON CONFLICT (mrid) DO UPDATE SET state = excluded.state, body = excluded.body",
            campaign.mrid,
            campaign.state,
            json.encode(campaign).decode(),
        )

    async def save_devices(self, campaign: str, devices: Sequence[Device]) -> None:
        """Keep how devices of a campaign stand."""
        if not devices:
            return
        columns = zip(
            *((d.device, d.place, d.state, d.attempts, d.due_at, d.code, d.reason) for d in devices), strict=True
        )
        await self.execute(
            f"INSERT INTO campaign_device (campaign, {_DEVICE}) SELECT $1, *"  # noqa: S608 - a constant
            " FROM unnest($2::text[], $3::int[], $4::text[], $5::int[], $6::timestamptz[], $7::text[], $8::text[])"
            " ON CONFLICT (campaign, device) DO UPDATE SET state = excluded.state, attempts = excluded.attempts,"
            " due_at = excluded.due_at, code = excluded.code, reason = excluded.reason",
            campaign,
            *map(list, columns),
        )

    async def device_of(self, campaign: str, device: str) -> Device | None:
        """One device of a campaign."""
        row = await self.fetchrow(
            f"SELECT {_DEVICE} FROM campaign_device WHERE campaign = $1 AND device = $2",  # noqa: S608 - a constant
            campaign,
            device,
        )
        return None if row is None else _device(row)

    async def devices_of(self, campaign: str) -> AsyncIterator[list[Device]]:
        """Pages of the devices of a campaign, in the order in which they are told."""
        after = -1
        while True:
            rows = await self.fetch(
                f"SELECT {_DEVICE} FROM campaign_device WHERE campaign = $1 AND place > $2"  # noqa: S608 - a constant
                " ORDER BY place LIMIT $3",
                campaign,
                after,
                PAGE,
            )
            yield [_device(row) for row in rows]
            if len(rows) < PAGE:
                return
            after = rows[-1]["place"]

    async def to_tell(self, campaign: str, before: int | None, now: datetime, most: int) -> list[Device]:
        """Whose turn is now, of all or of those that have a place ``before`` this."""
        rows = await self.fetch(
            f"SELECT {_DEVICE} FROM campaign_device WHERE campaign = $1 AND state = 'PENDING'"  # noqa: S608
            " AND due_at <= $2 AND place < coalesce($3, 2147483647) ORDER BY place LIMIT $4",
            campaign,
            now,
            before,
            most,
        )
        return [_device(row) for row in rows]

    async def to_read(self, campaign: str, now: datetime) -> list[Device]:
        """Those that have done it and are to be read now."""
        rows = await self.fetch(
            f"SELECT {_DEVICE} FROM campaign_device WHERE campaign = $1 AND state = 'DONE'"  # noqa: S608 - a constant
            " AND due_at <= $2 ORDER BY place",
            campaign,
            now,
        )
        return [_device(row) for row in rows]

    async def is_any_open(self, campaign: str, before: int | None) -> bool:
        """True while it is not known of all, or of those with a place ``before`` this, how they end."""
        found: bool = await self.fetchval(
            "SELECT EXISTS (SELECT FROM campaign_device WHERE campaign = $1 AND state = 'PENDING'"
            " AND place < coalesce($2, 2147483647)) OR EXISTS (SELECT FROM campaign_device WHERE campaign = $1"
            " AND state IN ('SENT', 'DONE') AND place < coalesce($2, 2147483647))",
            campaign,
            before,
        )
        return found

    async def under_way_in(self, campaign: str) -> int:
        """How many have been told, and it is not known how they end."""
        found: int = await self.fetchval(
            "SELECT count(*) FROM campaign_device WHERE campaign = $1 AND state IN ('SENT', 'DONE')", campaign
        )
        return found

    async def next_due(self, campaign: str, before: int | None) -> tuple[datetime | None, datetime | None]:
        """When the next may be told, of all or of those with a place ``before`` this, and when one is to be read."""
        row = await self.fetchrow(
            "SELECT (SELECT min(due_at) FROM campaign_device WHERE campaign = $1 AND state = 'PENDING'"
            " AND place < coalesce($2, 2147483647)) AS tells, (SELECT min(due_at) FROM campaign_device"
            " WHERE campaign = $1 AND state IN ('SENT', 'DONE') AND state = 'DONE') AS reads",
            campaign,
            before,
        )
        return (None, None) if row is None else (row["tells"], row["reads"])

    async def take_back(self, campaign: str, now: datetime) -> None:
        """Those that wait for their turn at a head-end are not told for now; what somebody has in hand goes on."""
        rows = await self.lock_all(
            "DELETE FROM command WHERE id IN (SELECT command.id FROM campaign_device JOIN command"
            " ON command.device = campaign_device.device AND overdue_at IS NOT NULL"
            " WHERE campaign = $1 AND campaign_device.state = 'SENT' AND command.body ->> 'campaign' = $1"
            " FOR UPDATE OF command SKIP LOCKED) RETURNING device",
            campaign,
        )
        await self.execute(
            "UPDATE campaign_device SET state = 'PENDING', attempts = attempts - 1, due_at = $3"
            " WHERE campaign = $1 AND device = ANY($2)",
            campaign,
            [row["device"] for row in rows],
            now,
        )

    async def skip_all(self, campaign: str, reason: str) -> None:
        """Those that have not been told are not told any more."""
        await self.execute(
            "UPDATE campaign_device SET state = $2, reason = $3 WHERE campaign = $1 AND state = 'PENDING'",
            campaign,
            DeviceState.SKIPPED,
            reason,
        )

    async def save_reconfigured(self, usage_point: str, at: datetime, control: str) -> None:
        """Keep when the meter of a usage point took what a control told it about itself."""
        await self.execute(
            "INSERT INTO reconfigured (usage_point, at, control) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            usage_point,
            at,
            control,
        )

    async def reconfigured(
        self, points: Sequence[str], begins: datetime, ends: datetime
    ) -> dict[str, list[tuple[datetime, str]]]:
        """When meters of usage points took something in a time, and by which control."""
        rows = await self.fetch(
            "SELECT usage_point, at, control FROM reconfigured WHERE usage_point = ANY($1) AND at >= $2 AND at < $3"
            " ORDER BY usage_point, at",
            points,
            begins,
            ends,
        )
        found: dict[str, list[tuple[datetime, str]]] = {}
        for row in rows:
            found.setdefault(row["usage_point"], []).append((row["at"], row["control"]))
        return found

    async def counts_in(self, campaigns: Sequence[str]) -> dict[str, dict[str, int]]:
        """How many devices of campaigns are in each state."""
        rows = await self.fetch(
            "SELECT campaign, state, count(*) AS devices FROM campaign_device WHERE campaign = ANY($1)"
            " GROUP BY campaign, state",
            campaigns,
        )
        found: dict[str, dict[str, int]] = {}
        for row in rows:
            found.setdefault(row["campaign"], {})[row["state"]] = row["devices"]
        return found


def _device(row: Record) -> Device:
    return Device(**{**dict(row), "state": DeviceState(row["state"])})
