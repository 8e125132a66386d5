"""Customers, agreements, tickets, incidents, notices and requests."""

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from msgspec import Struct, json

from contracts.nouns.customer_account_config import CustomerAccount
from contracts.nouns.customer_agreement_config import CustomerAgreement
from contracts.nouns.customer_config import Customer
from contracts.nouns.planned_outage_notifications import PlannedOutageNotification
from contracts.nouns.service_location_config import ServiceLocation
from contracts.nouns.service_requests import ServiceRequest
from contracts.nouns.trouble_tickets import TroubleTicket, TroubleTickets
from contracts.nouns.usage_point_location_config import UsagePointLocation
from services.customer_management.domain.agreement import SERVED, Claim, claims, direction, state
from services.customer_management.domain.incidents import OVER, Known
from services.customer_management.domain.notices import Notice, NoticeState
from shared.store import Store as KernelStore

T = TypeVar("T", bound=Customer | CustomerAccount | ServiceLocation | UsagePointLocation)

PAGE = 200
"""Objects in one part of a reply."""


class Resident(Struct, frozen=True, kw_only=True):
    """A customer who is served at a usage point."""

    usage_point: str
    customer: Customer


class Store(KernelStore):
    """What customer management keeps; ``memory`` is the zone in which customers read the clock."""

    memory: ZoneInfo

    async def document(self, kind: type[T], mrid: str) -> T | None:
        """One configured object."""
        noun = await self.fetchval("SELECT noun FROM document WHERE kind = $1 AND mrid = $2", kind.__name__, mrid)
        return None if noun is None else json.decode(noun, type=kind)

    async def documents(self, kind: type[T], mrids: Sequence[str]) -> AsyncIterator[list[T]]:
        """Those that are named, or all, in pages, in the order of their mRIDs."""
        after = ""
        while rows := await self.fetch(
            "SELECT mrid, noun FROM document WHERE kind = $1 AND mrid > $2 AND ($3 OR mrid = ANY($4))"
            " ORDER BY mrid LIMIT $5",
            kind.__name__,
            after,
            not mrids,
            mrids,
            PAGE,
        ):
            yield [json.decode(row["noun"], type=kind) for row in rows]
            after = rows[-1]["mrid"]

    async def save_document(self, document: Customer | CustomerAccount | ServiceLocation | UsagePointLocation) -> None:
        """Keep an object, new or changed."""
        await self.execute(
            "INSERT INTO document (kind, mrid, noun) VALUES ($1, $2, $3)"
            " ON CONFLICT (kind, mrid) DO UPDATE SET noun = excluded.noun",
            type(document).__name__,
            document.mrid,
            _text(document),
        )

    async def lock_points(self, mrids: Iterable[str]) -> None:
        """Wait until nobody else changes what is agreed about these usage points; in the order of their mRIDs."""
        wanted = sorted(set(mrids))
        await self.executemany(
            "INSERT INTO usage_point (mrid) VALUES ($1) ON CONFLICT DO NOTHING", [(mrid,) for mrid in wanted]
        )
        await self.lock_all("SELECT mrid FROM usage_point WHERE mrid = ANY($1) ORDER BY mrid FOR UPDATE", wanted)

    async def claims(self, points: Sequence[str]) -> list[Claim]:
        """All that is claimed of usage points by any agreement, whenever."""
        rows = await self.fetch(
            "SELECT DISTINCT noun FROM agreement JOIN agreement_point ON agreement = mrid WHERE usage_point = ANY($1)",
            points,
        )
        return [claim for row in rows for claim in claims(json.decode(row["noun"], type=CustomerAgreement))]

    async def agreement(self, mrid: str) -> CustomerAgreement | None:
        """One agreement."""
        noun = await self.fetchval("SELECT noun FROM agreement WHERE mrid = $1", mrid)
        return None if noun is None else json.decode(noun, type=CustomerAgreement)

    async def agreements(self, mrids: Sequence[str]) -> AsyncIterator[list[CustomerAgreement]]:
        """Those that are named by their own mRID, their customer's or a usage point's, or all, in pages."""
        after = ""
        while rows := await self.fetch(
            "SELECT mrid, noun FROM agreement WHERE mrid > $1 AND ($2 OR mrid = ANY($3) OR customer = ANY($3) OR EXISTS"
            " (SELECT FROM agreement_point WHERE agreement = mrid AND usage_point = ANY($3))) ORDER BY mrid LIMIT $4",
            after,
            not mrids,
            mrids,
            PAGE,
        ):
            yield [json.decode(row["noun"], type=CustomerAgreement) for row in rows]
            after = rows[-1]["mrid"]

    async def save_agreement(self, agreement: CustomerAgreement) -> None:
        """Keep an agreement, new or changed."""
        interval, customer = agreement.validity_interval, agreement.customer
        await self.execute(
            "INSERT INTO agreement (mrid, state, direction, customer, starts, ends, noun)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (mrid) DO UPDATE SET state = excluded.state,"
            " direction = excluded.direction, starts = excluded.starts, ends = excluded.ends, noun = excluded.noun",
            agreement.mrid,
            state(agreement),
            direction(agreement),
            None if customer is None else customer.mrid,
            None if interval is None else interval.start,
            None if interval is None else interval.end,
            _text(agreement),
        )
        await self.executemany(
            "INSERT INTO agreement_point (usage_point, agreement) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            [(point.mrid, agreement.mrid) for point in agreement.usage_points],
        )

    async def residents(self, points: Sequence[str], at: datetime) -> list[Resident]:
        """Who is served at usage points."""
        rows = await self.fetch(
            "SELECT usage_point, document.noun FROM agreement_point JOIN agreement ON agreement.mrid = agreement"
            " JOIN document ON kind = 'Customer' AND document.mrid = customer"
            " WHERE usage_point = ANY($1) AND state = ANY($2) AND starts <= $3 AND (ends IS NULL OR ends > $3)",
            points,
            [*SERVED],
            at,
        )
        return [
            Resident(usage_point=row["usage_point"], customer=json.decode(row["noun"], type=Customer)) for row in rows
        ]

    async def homes(self, customer: str, at: datetime) -> list[str]:
        """The usage points at which a customer is served."""
        rows = await self.fetch(
            "SELECT DISTINCT usage_point FROM agreement_point JOIN agreement ON mrid = agreement"
            " WHERE customer = $1 AND state = ANY($2) AND starts <= $3 AND (ends IS NULL OR ends > $3)"
            " ORDER BY usage_point",
            customer,
            [*SERVED],
            at,
        )
        return [row["usage_point"] for row in rows]

    async def critical_points(self, at: datetime) -> dict[str, list[str]]:
        """The usage points of customers who depend on the supply, by their need; no names."""
        rows = await self.fetch(
            "SELECT document.noun ->> 'specialNeed' AS need, array_agg(DISTINCT usage_point ORDER BY usage_point)"
            " AS points FROM document JOIN agreement ON customer = document.mrid"
            " JOIN agreement_point ON agreement = agreement.mrid WHERE kind = 'Customer'"
            " AND document.noun ? 'specialNeed' AND state = ANY($1) AND starts <= $2 AND (ends IS NULL OR ends > $2)"
            " GROUP BY need ORDER BY need",
            [*SERVED],
            at,
        )
        return {row["need"]: row["points"] for row in rows}

    async def open_ticket(self, usage_point: str) -> TroubleTicket | None:
        """The ticket of a usage point that is not closed; nobody else changes it until this unit of work has ended."""
        await self.lock_points([usage_point])
        row = await self.fetchrow("SELECT noun FROM trouble_ticket WHERE usage_point = $1 AND open", usage_point)
        return None if row is None else json.decode(row["noun"], type=TroubleTicket)

    async def save_ticket(self, ticket: TroubleTicket) -> None:
        """Keep a ticket, new or answered."""
        await self.execute(
            "INSERT INTO trouble_ticket (mrid, usage_point, outage, open, noun) VALUES ($1, $2, $3, true, $4)"
            " ON CONFLICT (mrid) DO UPDATE SET outage = excluded.outage, noun = excluded.noun",
            ticket.mrid,
            None if ticket.usage_point is None else ticket.usage_point.mrid,
            None if ticket.incident is None else ticket.incident.mrid,
            _text(ticket),
        )

    async def close_tickets(self, outage: str) -> None:
        """The tickets of an outage that is over."""
        await self.execute("UPDATE trouble_ticket SET open = false WHERE outage = $1", outage)

    async def wait(self, ticket: str, call: TroubleTickets) -> None:
        """A caller waits for the word of fault management."""
        await self.execute("INSERT INTO waiting_call (ticket, noun) VALUES ($1, $2)", ticket, _text(call))

    async def answer(self, ticket: str) -> TroubleTickets | None:
        """The call that waits, which is answered now; None when it was answered before."""
        row = await self.lock("DELETE FROM waiting_call WHERE ticket = $1 RETURNING noun", ticket)
        return None if row is None else json.decode(row["noun"], type=TroubleTickets)

    async def incident(self, outage: str) -> tuple[str, Known] | None:
        """What is known of an outage, with the mRID of its incident."""
        row = await self.lock("SELECT mrid, known FROM incident WHERE outage = $1 FOR UPDATE", outage)
        return None if row is None else (row["mrid"], json.decode(row["known"], type=Known))

    async def incidents(self, mrids: Sequence[str]) -> list[tuple[str, Known]]:
        """The incidents that are named, by their own mRID or their outage's, or else all that are open."""
        rows = await self.fetch(
            "SELECT mrid, known FROM incident WHERE CASE WHEN $1 THEN open ELSE mrid = ANY($2) OR outage = ANY($2) END"
            " ORDER BY mrid",
            not mrids,
            mrids,
        )
        return [(row["mrid"], json.decode(row["known"], type=Known)) for row in rows]

    async def incident_at(self, usage_point: str) -> Known | None:
        """The incident that is open at a usage point."""
        known = await self.fetchval("SELECT known FROM incident WHERE open AND known -> 'points' ? $1", usage_point)
        return None if known is None else json.decode(known, type=Known)

    async def save_incident(self, mrid: str, known: Known) -> None:
        """Keep what is known of an outage."""
        await self.execute(
            "INSERT INTO incident (outage, mrid, open, known) VALUES ($1, $2, $3, $4)"
            " ON CONFLICT (outage) DO UPDATE SET open = excluded.open, known = excluded.known",
            known.outage,
            mrid,
            known.state not in OVER,
            _text(known),
        )

    async def notices(self, outage: str) -> list[Notice]:
        """All notices about an outage, the oldest first."""
        rows = await self.fetch("SELECT body FROM notice WHERE outage = $1 ORDER BY number", outage)
        return [json.decode(row["body"], type=Notice) for row in rows]

    async def due_notices(self, now: datetime) -> list[Notice]:
        """The held notices whose time has come."""
        rows = await self.lock_all(
            "SELECT body FROM notice WHERE state = 'HELD' AND due_at <= $1 ORDER BY mrid FOR UPDATE", now
        )
        return [json.decode(row["body"], type=Notice) for row in rows]

    async def next_due(self) -> datetime | None:
        """When the next held notice may go."""
        due: datetime | None = await self.fetchval("SELECT min(due_at) FROM notice WHERE state = 'HELD'")
        return due

    async def save_notices(self, notices: Sequence[Notice]) -> None:
        """Keep notices, new or changed."""
        await self.executemany(
            "INSERT INTO notice (mrid, outage, customer, state, due_at, sent_at, body)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (mrid) DO UPDATE"
            " SET state = excluded.state, sent_at = excluded.sent_at, body = excluded.body",
            [
                (each.mrid, each.outage, each.customer, each.state, each.due_at, each.sent_at, _text(each))
                for each in notices
            ],
        )

    async def told(self, outage: str) -> list[Notice]:
        """The notices about an outage that went out."""
        return [each for each in await self.notices(outage) if each.state is NoticeState.SENT]

    async def service_request(self, mrid: str) -> ServiceRequest | None:
        """One service request; nobody else changes it until this unit of work has ended."""
        row = await self.lock("SELECT noun FROM service_request WHERE mrid = $1 FOR UPDATE", mrid)
        return None if row is None else json.decode(row["noun"], type=ServiceRequest)

    async def request_of_work(self, works: Sequence[str]) -> ServiceRequest | None:
        """The service request for which one of these works was ordered."""
        row = await self.lock("SELECT noun FROM service_request WHERE work = ANY($1) FOR UPDATE", works)
        return None if row is None else json.decode(row["noun"], type=ServiceRequest)

    async def service_requests(self, mrids: Sequence[str]) -> list[ServiceRequest]:
        """Those that are named, or all."""
        rows = await self.fetch(
            "SELECT noun FROM service_request WHERE $1 OR mrid = ANY($2) ORDER BY mrid", not mrids, mrids
        )
        return [json.decode(row["noun"], type=ServiceRequest) for row in rows]

    async def save_request(self, request: ServiceRequest) -> None:
        """Keep a service request, new or changed."""
        await self.execute(
            "INSERT INTO service_request (mrid, work, noun) VALUES ($1, $2, $3)"
            " ON CONFLICT (mrid) DO UPDATE SET work = excluded.work, noun = excluded.noun",
            request.mrid,
            request.works[-1].mrid if request.works else None,
            _text(request),
        )

    async def planned(self, mrids: Sequence[str]) -> list[PlannedOutageNotification]:
        """The notices of planned outages that are named, or all."""
        rows = await self.fetch(
            "SELECT noun FROM planned_notification WHERE $1 OR mrid = ANY($2) ORDER BY mrid", not mrids, mrids
        )
        return [json.decode(row["noun"], type=PlannedOutageNotification) for row in rows]

    async def save_planned(self, notification: PlannedOutageNotification) -> bool:
        """Keep a notice of a planned outage; False when it is here already."""
        row = await self.lock(
            "INSERT INTO planned_notification (mrid, noun) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING mrid",
            notification.mrid,
            _text(notification),
        )
        return row is not None


def _text(value: Any) -> str:
    return json.encode(value).decode()
