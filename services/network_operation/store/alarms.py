"""The alarms, what was done about them, and the floods that they made."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import json

from contracts.nouns.alarms import Alarm, AlarmFlood
from services.network_operation.domain.alarms.machine import is_over, state_of
from shared.store import Store


class AlarmList(Store):
    """The list of alarms and its record."""

    async def alarms(self, named: Sequence[str] = ()) -> Mapping[str, Alarm]:
        """The alarms that are not over, and those of these mRIDs, by mRID."""
        rows = await self.fetch("SELECT noun FROM alarm WHERE listed OR mrid = ANY($1) ORDER BY mrid", list(named))
        found = (json.decode(row["noun"], type=Alarm) for row in rows)
        return {alarm.mrid: alarm for alarm in found}

    async def save_alarm(self, alarm: Alarm, *, calls: bool) -> bool:
        """Keep an alarm and enter it into the record, with whether it calls for a person; True for a new one."""
        row = await self.lock(
            "INSERT INTO alarm (mrid, listed, noun) VALUES ($1, $2, $3)"
            " ON CONFLICT (mrid) DO UPDATE SET listed = excluded.listed, noun = excluded.noun"
            " RETURNING xmax = 0 AS is_new",
            alarm.mrid,
            not is_over(alarm),
            json.encode(alarm).decode(),
        )
        await self.execute(
            "INSERT INTO alarm_record (alarm, at, state, calls, noun) VALUES ($1, $2, $3, $4, $5)",
            alarm.mrid,
            alarm.last_modified_date_time,
            state_of(alarm),
            calls,
            json.encode(alarm).decode(),
        )
        return row is not None and bool(row["is_new"])

    async def calls(self, since: datetime) -> tuple[datetime, ...]:
        """When alarms have called for a person, after a time."""
        rows = await self.fetch("SELECT at FROM alarm_record WHERE calls AND at > $1 ORDER BY number", since)
        return tuple(row["at"] for row in rows)

    async def flood(self) -> AlarmFlood | None:
        """The last flood."""
        noun = await self.fetchval("SELECT noun FROM alarm_flood ORDER BY started DESC LIMIT 1")
        return None if noun is None else json.decode(noun, type=AlarmFlood)

    async def save_flood(self, flood: AlarmFlood) -> None:
        """Keep a flood that begins or ends."""
        await self.execute(
            "INSERT INTO alarm_flood (started, noun) VALUES ($1, $2)"
            " ON CONFLICT (started) DO UPDATE SET noun = excluded.noun",
            flood.start_date_time,
            json.encode(flood).decode(),
        )
