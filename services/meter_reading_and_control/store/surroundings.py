"""What is known of the places of meters: people at work, outages on purpose, open switches, and what is suspected."""

from collections.abc import Iterable
from datetime import datetime

from msgspec import json

from contracts.codes.end_device_events import EventKind, codes_of, kind_of
from services.meter_reading_and_control.domain.guards import Dispute
from services.meter_reading_and_control.domain.suppression import FieldWork, Planned
from services.meter_reading_and_control.domain.tamper import Happened, Suspicion
from shared.store import Store as KernelStore

_SWITCHED = codes_of(EventKind.CONNECTED, EventKind.DISCONNECTED)


class Surroundings(KernelStore):
    """Facts that others tell, and what follows from them."""

    async def works_at(self, places: Iterable[str]) -> list[FieldWork]:
        """The works at usage points or meters, those that are over included."""
        rows = await self.fetch(
            "SELECT work, place, starts, ends FROM field_work WHERE place = ANY($1) ORDER BY starts",
            sorted(set(places)),
        )
        return [FieldWork(**dict(row)) for row in rows]

    async def begin_work(self, work: str, places: Iterable[str], at: datetime) -> list[str]:
        """People are at these places since then; gives those of which that was not known."""
        rows = await self.lock_all(
            "INSERT INTO field_work (work, place, starts) SELECT $1, place, $3 FROM unnest($2::text[]) AS place"
            " ON CONFLICT DO NOTHING RETURNING place",
            work,
            sorted(set(places)),
            at,
        )
        return [row["place"] for row in rows]

    async def end_work(self, work: str, at: datetime) -> None:
        """They are not there any more."""
        await self.execute(
            "UPDATE field_work SET ends = greatest($2, starts) WHERE work = $1 AND ends IS NULL", work, at
        )

    async def planned_at(self, points: Iterable[str]) -> list[Planned]:
        """The outages on purpose that were announced for usage points."""
        rows = await self.fetch(
            "SELECT usage_point, starts, ends FROM planned_outage WHERE usage_point = ANY($1)", sorted(set(points))
        )
        return [Planned(**dict(row)) for row in rows]

    async def save_planned(self, notice: str, planned: Iterable[Planned]) -> None:
        """Keep whom an outage on purpose was announced to; a notice that is told again replaces what it said."""
        await self.execute("DELETE FROM planned_outage WHERE notice = $1", notice)
        await self.executemany(
            "INSERT INTO planned_outage (notice, usage_point, starts, ends) VALUES ($1, $2, $3, $4)",
            [(notice, each.usage_point, each.starts, each.ends) for each in planned],
        )

    async def switched(self, points: Iterable[str]) -> list[tuple[str, datetime, EventKind]]:
        """What the disconnect switches at usage points did, and when."""
        rows = await self.fetch(
            "SELECT usage_point, happened_at, code FROM event WHERE usage_point = ANY($1) AND code = ANY($2)",
            sorted(set(points)),
            _SWITCHED,
        )
        kinds = ((row, kind_of(row["code"])) for row in rows)
        return [(row["usage_point"], row["happened_at"], kind) for row, kind in kinds if kind is not None]

    async def happened(self, point: str, since: datetime) -> list[Happened]:
        """What meters told at a usage point since then, what was not passed on included."""
        rows = await self.fetch(
            "SELECT happened_at, code FROM event WHERE usage_point = $1 AND happened_at >= $2", point, since
        )
        kinds = ((row["happened_at"], kind_of(row["code"])) for row in rows)
        return [Happened(at=at, kind=kind) for at, kind in kinds if kind is not None]

    async def save_dispute(self, dispute: Dispute) -> None:
        """Keep how a dispute stands, unless something later is known of it."""
        await self.execute(
            "INSERT INTO dispute (request, revision, usage_point, agreement, is_open) VALUES ($1, $2, $3, $4, $5)"
            " ON CONFLICT (request) DO UPDATE SET revision = excluded.revision, usage_point = excluded.usage_point,"
            " agreement = excluded.agreement, is_open = excluded.is_open WHERE dispute.revision <= excluded.revision",
            dispute.request,
            dispute.revision,
            dispute.usage_point,
            dispute.agreement,
            dispute.is_open,
        )

    async def disputed(self, points: Iterable[str]) -> frozenset[str]:
        """Those of the usage points about which, or about an agreement of which, a dispute is open."""
        rows = await self.fetch(
            "SELECT usage_point FROM dispute WHERE is_open AND usage_point = ANY($1)"
            " UNION SELECT agreed.usage_point FROM agreed JOIN dispute USING (agreement)"
            " WHERE dispute.is_open AND agreed.usage_point = ANY($1)",
            sorted(set(points)),
        )
        return frozenset(row["usage_point"] for row in rows)

    async def noticed(self, points: Iterable[str], now: datetime) -> dict[str, datetime]:
        """Until when nobody is disconnected at usage points where a notice was given by an agreement that holds now."""
        rows = await self.fetch(
            "SELECT usage_point, max(shut_off) AS shut_off FROM agreed WHERE usage_point = ANY($1)"
            " AND starts <= $2 AND coalesce(ends, 'infinity') > $2 AND shut_off > $2 GROUP BY usage_point",
            sorted(set(points)),
            now,
        )
        return {row["usage_point"]: row["shut_off"] for row in rows}

    async def suspicions(self, points: Iterable[str]) -> dict[str, Suspicion]:
        """What is, or was last, suspected of usage points, which nobody else changes until this is done."""
        rows = await self.lock_all(
            "SELECT usage_point, body FROM suspicion WHERE usage_point = ANY($1) ORDER BY usage_point FOR UPDATE",
            sorted(set(points)),
        )
        return {row["usage_point"]: json.decode(row["body"], type=Suspicion) for row in rows}

    async def save_suspicion(self, suspicion: Suspicion) -> None:
        """Keep what is suspected of a usage point."""
        await self.execute(
            "INSERT INTO suspicion (usage_point, body) VALUES ($1, $2)"
            " ON CONFLICT (usage_point) DO UPDATE SET body = excluded.body",
            suspicion.usage_point,
            json.encode(suspicion).decode(),
        )
