"""Meters and where they are, their readings and events, and the controls that wait for them."""

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime
from hashlib import sha256
from zlib import crc32

from msgspec import json

from contracts.errors import BusbarError
from contracts.nouns.meter_config import MeterConfig
from contracts.nouns.meter_readings import MeterReading
from services.meter_reading_and_control.config import Config
from services.meter_reading_and_control.domain.installation import Change, Installed
from services.meter_reading_and_control.domain.meters import effective_at
from services.meter_reading_and_control.domain.readings import Origin, Register, Value
from services.meter_reading_and_control.store.balance import Balances
from services.meter_reading_and_control.store.campaigns import Campaigns
from services.meter_reading_and_control.store.commands import Commands
from services.meter_reading_and_control.store.events import Events
from services.meter_reading_and_control.store.groups import Groups
from services.meter_reading_and_control.store.judging import Judging
from services.meter_reading_and_control.store.lanes import Lanes
from services.meter_reading_and_control.store.membership import Membership
from services.meter_reading_and_control.store.packing import Packing
from services.meter_reading_and_control.store.quarantine import Quarantine
from services.meter_reading_and_control.store.reads import Reads
from services.meter_reading_and_control.store.schedules import Schedules
from services.meter_reading_and_control.store.storms import Storms
from services.meter_reading_and_control.store.success import Success
from services.meter_reading_and_control.store.surroundings import Surroundings
from services.meter_reading_and_control.store.usage_points import UsagePoints
from services.meter_reading_and_control.store.virtual import Virtual
from shared.store import Record

OURS, LOCKS = 0x6D657465, 1024
"""The name space of the locks of mRIDs, and how many there are."""

PAGE = 500
"""How many meters go into one part of a reply."""


class Store(
    Judging,
    Packing,
    Membership,
    UsagePoints,
    Reads,
    Groups,
    Schedules,
    Success,
    Quarantine,
    Surroundings,
    Balances,
    Events,
    Storms,
    Commands,
    Campaigns,
    Lanes,
    Virtual,
):
    """What meter reading and control keeps; ``memory`` holds its settings."""

    memory: Config

    async def lock_all_of(self, keys: Iterable[str]) -> None:
        """Let nobody else change meters or usage points of these mRIDs until this is done.

        A thousand mRIDs take no more locks than the server has room for: some of them share one.
        """
        if places := sorted({crc32(key.encode()) % LOCKS for key in keys}):
            await self.lock_all("SELECT pg_advisory_xact_lock($1, place) FROM unnest($2::int[]) AS place", OURS, places)

    async def lock_some_of(self, keys: Sequence[str]) -> frozenset[str]:
        """Those of ``keys`` that nobody else changes now; nobody else does until this is done."""
        places = {key: crc32(key.encode()) % LOCKS for key in keys}
        rows = await self.lock_all(
            "SELECT place, pg_try_advisory_xact_lock($1, place) AS is_ours FROM unnest($2::int[]) AS place",
            OURS,
            sorted(set(places.values())),
        )
        ours = {row["place"] for row in rows if row["is_ours"]}
        return frozenset(key for key, place in places.items() if place in ours)

    async def meters(self, mrids: Sequence[str], at: datetime | None = None) -> dict[str, MeterConfig]:
        """Those of ``mrids`` that are known, each by itself, as they are set up ``at`` that time, or at last."""
        rows = await self.fetch(
            "SELECT DISTINCT ON (mrid) mrid, noun FROM meter WHERE mrid = ANY($1)"
            " AND effective_at <= coalesce($2, 'infinity'::timestamptz) ORDER BY mrid, effective_at DESC",
            mrids,
            at,
        )
        return {row["mrid"]: json.decode(row["noun"], type=MeterConfig) for row in rows}

    async def all_meters(self) -> AsyncIterator[list[MeterConfig]]:
        """Pages of all meters as they are set up at last."""
        after = ""
        while True:
            rows = await self.fetch(
                "SELECT DISTINCT ON (mrid) mrid, noun FROM meter WHERE mrid > $1"
                " ORDER BY mrid, effective_at DESC LIMIT $2",
                after,
                PAGE,
            )
            yield [json.decode(row["noun"], type=MeterConfig) for row in rows]
            if len(rows) < PAGE:
                return
            after = rows[-1]["mrid"]

    async def setups(self, mrids: Sequence[str], as_of: datetime | None) -> dict[str, list[MeterConfig]]:
        """Everything that these meters were ever set up to, in the order of the times from which it counts.

        As it was known ``as_of`` a time: a multiplier that was corrected since is as it was.
        """
        rows = await self.fetch(
            "SELECT mrid, effective_at, noun FROM meter"
            " WHERE mrid = ANY($1) AND recorded_at <= coalesce($2, 'infinity'::timestamptz)"
            " UNION ALL SELECT mrid, effective_at, noun FROM meter_before"
            " WHERE mrid = ANY($1) AND recorded_at <= $2 AND until > $2 ORDER BY effective_at",
            mrids,
            as_of,
        )
        found: dict[str, list[MeterConfig]] = {}
        for row in rows:
            found.setdefault(row["mrid"], []).append(json.decode(row["noun"], type=MeterConfig))
        return found

    async def save_meters(self, configs: Iterable[MeterConfig], now: datetime) -> None:
        """Keep how meters are set up, each by itself and from its time on."""
        await self.executemany(
            "INSERT INTO meter (mrid, effective_at, noun, recorded_at) VALUES ($1, $2, $3, $4)"
            " ON CONFLICT (mrid, effective_at) DO UPDATE SET noun = excluded.noun, recorded_at = excluded.recorded_at",
            [(each.meter[0].mrid, effective_at(each.meter[0]), json.encode(each).decode(), now) for each in configs],
        )

    async def set_up_of(self, mrids: Sequence[str]) -> frozenset[str]:
        """Those of ``mrids`` that are meters which are known."""
        rows = await self.fetch("SELECT DISTINCT mrid FROM meter WHERE mrid = ANY($1)", mrids)
        return frozenset(row["mrid"] for row in rows)

    async def installed(self, mrids: Sequence[str], as_of: datetime | None = None) -> list[Installed]:
        """Every installation of these meters or usage points, as it was known ``as_of`` a time, or at last."""
        rows = await self.fetch(
            "SELECT usage_point, starts, meter, ends FROM installed"
            " WHERE (usage_point = ANY($1) OR meter = ANY($1)) AND recorded_at <= coalesce($2, 'infinity'::timestamptz)"
            " UNION ALL SELECT usage_point, starts, meter, ends FROM installed_before"
            " WHERE (usage_point = ANY($1) OR meter = ANY($1)) AND recorded_at <= $2 AND until > $2"
            " ORDER BY usage_point, starts",
            mrids,
            as_of,
        )
        return [Installed(**dict(row)) for row in rows]

    async def move(self, meters: Sequence[str]) -> None:
        """Meters are about to move; first of all, since whoever takes readings relies on where they are until then."""
        await self.execute("SELECT count(move(meter)) FROM unnest($1::text[]) AS meter", meters)

    async def save_changes(self, changes: Iterable[Change], now: datetime) -> None:
        """Keep what an order changed."""
        new = [each for change in changes for each in (change.ended, change.begun) if each is not None]
        await self.executemany(
            "INSERT INTO installed (usage_point, starts, meter, ends, recorded_at) VALUES ($1, $2, $3, $4, $5)"
            " ON CONFLICT (usage_point, starts) DO UPDATE SET ends = excluded.ends, recorded_at = excluded.recorded_at",
            [(each.usage_point, each.starts, each.meter, each.ends, now) for each in new],
        )

    async def registers(
        self, points: Sequence[str], times: tuple[datetime, datetime], as_of: datetime | None
    ) -> list[tuple[Register, int]]:
        """The values of registers of usage points, first to last time, with their versions."""
        rows = await self.fetch(
            "SELECT DISTINCT ON (usage_point, reading_type, read_at, meter) * FROM register_read"
            " WHERE usage_point = ANY($1) AND read_at BETWEEN $2 AND $3"
            " AND recorded_at <= coalesce($4, 'infinity'::timestamptz)"
            " ORDER BY usage_point, reading_type, read_at, meter, version DESC",
            points,
            *times,
            as_of,
        )
        return [(_register(row), row["version"]) for row in rows]

    async def save_register(self, register: Register, version: int, now: datetime) -> None:
        """Keep a version of the value of a register."""
        await self.execute(
            "INSERT INTO register_read (usage_point, reading_type, read_at, meter, version, scale, number, origin,"
            " recorded_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            register.usage_point,
            register.reading_type,
            register.read_at,
            register.meter,
            version,
            register.value.scale,
            register.value.number,
            json.encode(register.value.origin).decode(),
            now,
        )

    async def points_of(self, points: Iterable[str], meters: Iterable[str]) -> set[str]:
        """Those of ``points`` that are known, and wherever the ``meters`` ever were."""
        rows = await self.fetch(
            "SELECT DISTINCT usage_point FROM installed WHERE usage_point = ANY($1) OR meter = ANY($2)",
            list(points),
            list(meters),
        )
        return {row["usage_point"] for row in rows}

    async def refuse(self, part: MeterReading, error: BusbarError, source: str, now: datetime) -> None:
        """Keep readings that were not taken; the same ones once."""
        noun = json.encode(part).decode()
        await self.execute(
            "INSERT INTO refused_reading (digest, meter, source, code, reason, refused_at, noun)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
            sha256(noun.encode()).hexdigest(),
            "" if part.meter is None else part.meter.mrid or "",
            source,
            error.code,
            error.reason,
            now,
            noun,
        )

    async def refused_of(self, meters: Sequence[str]) -> list[tuple[str, MeterReading]]:
        """The readings of meters that had no place, with who told them, taken out to be tried again."""
        rows = await self.lock_all(
            "DELETE FROM refused_reading WHERE meter = ANY($1) AND code IN ('2.4', '2.13') RETURNING source, noun",
            meters,
        )
        return [(row["source"], json.decode(row["noun"], type=MeterReading)) for row in rows]


def _register(row: Record) -> Register:
    origin = json.decode(row["origin"], type=Origin)
    return Register(
        usage_point=row["usage_point"],
        reading_type=row["reading_type"],
        read_at=row["read_at"],
        meter=row["meter"],
        value=Value(number=row["number"], scale=row["scale"], origin=origin),
    )
