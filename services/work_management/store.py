"""The crews, the requests, the orders and what was reported of them."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import json

from contracts.nouns.maintenance_orders import MaintenanceOrder
from contracts.nouns.work_requests import WorkRequest
from contracts.nouns.work_types import WorkStatusKind
from services.work_management.domain import ON_THE_BOOKS, Crew, Order
from shared.store import Store as KernelStore


class Store(KernelStore):
    """What work management keeps. Every change of an order follows :meth:`lock_crews` in the same transaction."""

    async def lock_crews(self) -> list[Crew]:
        """Wait until nobody else gives out orders; all crews."""
        rows = await self.lock_all("SELECT mrid, name, skills, available, capacity FROM crew ORDER BY mrid FOR UPDATE")
        return [
            Crew(
                mrid=row["mrid"],
                name=row["name"],
                skills=frozenset(row["skills"]),
                available=row["available"],
                capacity=row["capacity"],
            )
            for row in rows
        ]

    async def queues(self) -> dict[str, int]:
        """How many orders each crew has in hand."""
        rows = await self.fetch(
            "SELECT crew, count(*) AS orders FROM work_order WHERE status = ANY($1) AND crew IS NOT NULL GROUP BY crew",
            sorted(status.value for status in ON_THE_BOOKS),
        )
        return {row["crew"]: row["orders"] for row in rows}

    async def waiting(self) -> list[Order]:
        """The orders without a crew."""
        status = WorkStatusKind.WAITING_TO_BE_SCHEDULED.value
        rows = await self.fetch("SELECT body FROM work_order WHERE status = $1", status)
        return [json.decode(row["body"], type=Order) for row in rows]

    async def order(self, mrid: str) -> Order | None:
        """One order."""
        body = await self.fetchval("SELECT body FROM work_order WHERE mrid = $1", mrid)
        return None if body is None else json.decode(body, type=Order)

    async def order_with(self, works: Sequence[str]) -> Order | None:
        """The order with one of these works."""
        rows = await self.fetch(
            "SELECT body FROM work_order WHERE EXISTS (SELECT FROM jsonb_array_elements(body->'noun'->'Work') AS work"
            " WHERE work->>'mRID' = ANY($1)) ORDER BY mrid LIMIT 1",
            works,
        )
        return next((json.decode(row["body"], type=Order) for row in rows), None)

    async def open_orders(self) -> list[Order]:
        """The orders that are neither closed nor cancelled."""
        rows = await self.fetch("SELECT body FROM work_order WHERE status NOT IN ('closed', 'cancelled') ORDER BY mrid")
        return [json.decode(row["body"], type=Order) for row in rows]

    async def save_orders(self, orders: Sequence[Order]) -> None:
        """Keep orders, new or changed."""
        await self.executemany(
            "INSERT INTO work_order (mrid, status, crew, body) VALUES ($1, $2, $3, $4) ON CONFLICT (mrid)"
            " DO UPDATE SET status = excluded.status, crew = excluded.crew, body = excluded.body",
            [(order.mrid, order.status.value, order.crew, json.encode(order).decode()) for order in orders],
        )

    async def request(self, mrid: str) -> WorkRequest | None:
        """One request as it was accepted."""
        noun = await self.fetchval("SELECT noun FROM request WHERE mrid = $1", mrid)
        return None if noun is None else json.decode(noun, type=WorkRequest)

    async def requests(self) -> list[WorkRequest]:
        """All requests."""
        rows = await self.fetch("SELECT noun FROM request ORDER BY mrid")
        return [json.decode(row["noun"], type=WorkRequest) for row in rows]

    async def save_request(self, request: WorkRequest) -> None:
        """Keep a request as it was accepted."""
        sql = "INSERT INTO request (mrid, noun) VALUES ($1, $2)"
        await self.execute(sql, request.mrid, json.encode(request).decode())

    async def save_report(self, order: Order, report: MaintenanceOrder, now: datetime) -> None:
        """Keep what a crew reported, as it came."""
        sql = "INSERT INTO report (work_order, heard_at, noun) VALUES ($1, $2, $3)"
        await self.execute(sql, order.mrid, now, json.encode(report).decode())
