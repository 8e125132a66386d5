"""Controls of devices as they stand."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec import json

from contracts.codes.end_device_controls import ControlKind
from contracts.codes.end_device_events import KINDS, EventKind, codes_of
from services.meter_reading_and_control.domain.controls import OPEN, SWITCHING, Command, State
from services.meter_reading_and_control.domain.guards import FEEDER, Feeder
from services.meter_reading_and_control.domain.lanes import lane_of
from shared.store import Store as KernelStore

LOST = [code for code, kind in KINDS.items() if kind is EventKind.POWER_LOST]
BACK = [code for code, kind in KINDS.items() if kind is EventKind.POWER_RESTORED]

FED = codes_of(EventKind.LOAD_SIDE_VOLTAGE)
NOT_FED = codes_of(EventKind.CONNECTED, EventKind.DISCONNECTED, EventKind.TAMPER_CLEARED, EventKind.METER_INSTALLED)
"""What a meter tells after which its word about voltage behind the switch counts no more."""


class Commands(KernelStore):
    """What was asked of devices, and what became of it."""

    async def command(self, identity: str) -> Command | None:
        """A command, locked until this is done; None where there is none."""
        row = await self.lock("SELECT body FROM command WHERE id = $1 FOR UPDATE", identity)
        return None if row is None else json.decode(row["body"], type=Command)

    async def waiting_command(self, identity: str) -> Command | None:
        """A command as it was seen last, without a lock: for questions that come before the first write."""
        body = await self.fetchval("SELECT body FROM command WHERE id = $1", identity)
        return None if body is None else json.decode(body, type=Command)

    async def expect(self, ticket: str, commands: int) -> None:
        """A request waits for so many commands."""
        await self.execute("INSERT INTO control_request (ticket, open) VALUES ($1, $2)", ticket, commands)

    async def one_less(self, ticket: str) -> bool:
        """A command of a request is open no longer; True when it was the last, and the request waits no more.

        The row is the lock of all who hear of the request, so that one of them, and one alone, finds the end.
        """
        if await self.lock("DELETE FROM control_request WHERE ticket = $1 AND open = 1 RETURNING open", ticket):
            return True
        row = await self.lock("UPDATE control_request SET open = open - 1 WHERE ticket = $1 RETURNING open", ticket)
        if row is None or row["open"] > 0:
            return False
        await self.forget_request(ticket)
        return True

    async def forget_request(self, ticket: str) -> None:
        """A request waits no more."""
        await self.execute("DELETE FROM control_request WHERE ticket = $1", ticket)

    async def is_waited_for(self, ticket: str) -> bool:
        """True while a command of the request is open; who ends it meanwhile is waited for."""
        return await self.lock("SELECT open FROM control_request WHERE ticket = $1 FOR UPDATE", ticket) is not None

    async def commands_of(self, ticket: str) -> list[Command]:
        """The commands of one request, in their order."""
        rows = await self.fetch("SELECT body FROM command WHERE ticket = $1", ticket)
        return sorted((json.decode(row["body"], type=Command) for row in rows), key=lambda each: _place(each.id))

    async def commands_named(self, mrids: Iterable[str]) -> list[Command]:
        """The commands of the controls with these mRIDs, or all that are not over when none is named."""
        wanted = sorted(set(mrids))
        rows = await self.fetch(
            "SELECT body FROM command WHERE mrid = ANY($1) OR ($1::text[] = '{}' AND state = ANY($2))"
            " ORDER BY since, id",
            wanted,
            [*OPEN, State.UNKNOWN],
        )
        return [json.decode(row["body"], type=Command) for row in rows]

    async def in_the_way(self, mrids: Iterable[str], devices: Iterable[str]) -> list[Command]:
        """The commands of the controls with these mRIDs, and then those for the switches of devices that are not over.

        One may be both.
        """
        rows = await self.fetch(
            "SELECT body FROM (SELECT 1 AS place, since, id, body FROM command WHERE mrid = ANY($1)"
            " UNION ALL SELECT 2, since, id, body FROM command"
            " WHERE device = ANY($2) AND kind = ANY($3) AND state = ANY($4)) AS found ORDER BY place, since, id",
            sorted(set(mrids)),
            sorted(set(devices)),
            sorted(SWITCHING),
            [*OPEN, State.UNKNOWN],
        )
        return [json.decode(row["body"], type=Command) for row in rows]

    async def loads(self, devices: Iterable[str]) -> list[Command]:
        """The controls of the loads of these devices that are not over."""
        rows = await self.fetch(
            "SELECT body FROM command WHERE device = ANY($1) AND kind = 'loadControl'"
            " AND state NOT IN ('FAILED', 'CANCELLED', 'CLOSED')",
            sorted(set(devices)),
        )
        return [json.decode(row["body"], type=Command) for row in rows]

    async def disconnected_since(self, since: datetime) -> int:
        """How many disconnections were sent since then, or wait to be."""
        found: int = await self.fetchval(
            "SELECT count(*) FROM command WHERE kind = $1 AND (state = ANY($2) OR since >= $3) AND state <> ALL($4)",
            ControlKind.DISCONNECT,
            list(OPEN),
            since,
            [State.FAILED, State.CANCELLED],
        )
        return found

    async def feeders_of(self, devices: Iterable[str], since: datetime) -> tuple[Feeder, ...]:
        """The feeders of meters and usage points, with how many of each are meant and were disconnected since then."""
        rows = await self.fetch(
            "WITH meant AS (SELECT device FROM unnest($1::text[]) AS asked (device)"
            " UNION SELECT meter FROM installed WHERE usage_point = ANY($1) AND ends IS NULL"
            "), fed AS (SELECT mrid, member ->> 'mRID' AS meter FROM device_group,"
            " jsonb_array_elements(body -> 'EndDevices') AS member WHERE body ->> 'type' = $2"
            "), gone AS (SELECT coalesce(installed.meter, device) AS meter FROM command"
            " LEFT JOIN installed ON installed.usage_point = device AND installed.ends IS NULL"
            " WHERE kind = $3 AND (state = ANY($4) OR since >= $5) AND state <> ALL($6))"
            " SELECT mrid AS name, count(*) AS devices, count(meant.device) AS asked, count(gone.meter) AS disconnected"
            " FROM fed LEFT JOIN meant ON meant.device = fed.meter"
            " LEFT JOIN (SELECT DISTINCT meter FROM gone) AS gone ON gone.meter = fed.meter"
            " GROUP BY mrid HAVING count(meant.device) > 0 ORDER BY mrid",
            sorted(set(devices)),
            FEEDER,
            ControlKind.DISCONNECT,
            list(OPEN),
            since,
            [State.FAILED, State.CANCELLED],
        )
        return tuple(Feeder(**dict(row)) for row in rows)

    async def save_command(self, command: Command) -> None:
        """Keep a command as it is now."""
        await self.execute(
            "INSERT INTO command (id, mrid, device, kind, state, ticket, since, body, head_end, lane, overdue_at, kept,"
            " collector) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
            " ON CONFLICT (id) DO UPDATE SET state = excluded.state, since = excluded.since, body = excluded.body,"
            " head_end = excluded.head_end, lane = excluded.lane, overdue_at = excluded.overdue_at,"
            " collector = excluded.collector",
            command.id,
            command.mrid,
            command.device,
            command.kind or "",
            command.state,
            command.ticket,
            command.since,
            json.encode(command).decode(),
            command.head_end,
            lane_of(command),
            command.overdue_at,
            command.is_kept,
            command.collector,
        )

    async def forget_command(self, identity: str) -> None:
        """A ping that was answered is over."""
        await self.execute("DELETE FROM command WHERE id = $1", identity)

    async def forget_commands_of(self, ticket: str) -> None:
        """A request was answered: what need not be kept is over, but for that of which nothing is known."""
        await self.execute("DELETE FROM command WHERE ticket = $1 AND NOT kept AND state <> $2", ticket, State.UNKNOWN)

    async def second_words(self, words: Sequence[str], since: datetime) -> set[str]:
        """Who has said all these words since then."""
        rows = await self.fetch(
            "SELECT person FROM second_word WHERE word = ANY($1) AND said_at >= $2"
            " GROUP BY person HAVING count(*) = cardinality($1)",
            words,
            since,
        )
        return {row["person"] for row in rows}

    async def say_second_word(self, words: Iterable[str], person: str, now: datetime) -> None:
        """Keep that somebody wants these controls, for the second person to agree with."""
        await self.executemany(
            "INSERT INTO second_word (word, person, said_at) VALUES ($1, $2, $3)"
            " ON CONFLICT (word, person) DO UPDATE SET said_at = excluded.said_at",
            [(word, person, now) for word in words],
        )

    async def dark(self, places: Iterable[str]) -> frozenset[str]:
        """The meters and usage points among these of which the last word about the power is that it was lost."""
        rows = await self.fetch(
            "SELECT DISTINCT ON (meter) meter, usage_point, code FROM event"
            " WHERE (meter = ANY($1) OR usage_point = ANY($1)) AND code = ANY($2)"
            " ORDER BY meter, happened_at DESC",
            sorted(set(places)),
            [*LOST, *BACK],
        )
        lost = [row for row in rows if row["code"] in LOST]
        return frozenset(each for row in lost for each in (row["meter"], row["usage_point"]) if each is not None)

    async def fed_behind(self, places: Iterable[str]) -> frozenset[str]:
        """The meters and usage points among these with voltage behind their open switch, by the last word about it.

        Where people were at work since, it is taken for cleared.
        """
        rows = await self.fetch(
            "WITH last AS (SELECT DISTINCT ON (coalesce(usage_point, meter)) meter, usage_point, code, happened_at"
            " FROM event WHERE (meter = ANY($1) OR usage_point = ANY($1)) AND code = ANY($2)"
            " ORDER BY coalesce(usage_point, meter), happened_at DESC, code = ANY($3) DESC)"
            " SELECT meter, usage_point FROM last WHERE code = ANY($3) AND NOT EXISTS"
            " (SELECT FROM field_work WHERE place IN (last.meter, last.usage_point) AND ends > last.happened_at)",
            sorted(set(places)),
            [*FED, *NOT_FED],
            FED,
        )
        return frozenset(each for row in rows for each in (row["meter"], row["usage_point"]) if each is not None)


def _place(identity: str) -> int:
    return int(identity.rpartition("/")[2])
