"""The desk: crews, requests, orders, what was reported of them, and what of the network matters to their sequence."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec import json

from contracts.nouns.maintenance_orders import MaintenanceOrder
from contracts.nouns.material_items import MaterialItem
from contracts.nouns.safety_documents import ClearanceState
from contracts.nouns.work_requests import WorkRequest
from services.work_management.domain.board import Surroundings
from services.work_management.domain.crews import Crew
from services.work_management.domain.materials import Promise, Reservation, Stock
from services.work_management.domain.orders import FOLLOWS, Order
from services.work_management.domain.places import Place, Spot
from services.work_management.domain.states import FINAL, IN_HAND, State
from shared.store import Store as KernelStore

ON_THE_BOARD = sorted(state.value for state in {State.PLANNED, State.SCHEDULED, *IN_HAND})


class Store(KernelStore):
    """What work management keeps. Every change of a crew or an order follows :meth:`lock_desk` in its transaction."""

    async def lock_desk(self) -> None:
        """Wait until nobody else changes orders or gives them out."""
        await self.lock("SELECT FROM desk FOR UPDATE")

    async def crews(self) -> list[Crew]:
        """All crews."""
        rows = await self.fetch("SELECT body FROM crew ORDER BY mrid")
        return [json.decode(row["body"], type=Crew) for row in rows]

    async def crew(self, mrid: str) -> Crew | None:
        """One crew."""
        body = await self.fetchval("SELECT body FROM crew WHERE mrid = $1", mrid)
        return None if body is None else json.decode(body, type=Crew)

    async def save_crew(self, crew: Crew) -> None:
        """Keep a crew, new or changed."""
        sql = "INSERT INTO crew (mrid, body) VALUES ($1, $2) ON CONFLICT (mrid) DO UPDATE SET body = excluded.body"
        await self.execute(sql, crew.mrid, json.encode(crew).decode())

    async def board(self) -> dict[str, Order]:
        """The orders that wait for a crew, are booked, or are in hand."""
        return await self._orders("SELECT body FROM work_order WHERE status = ANY($1) ORDER BY mrid", ON_THE_BOARD)

    async def order(self, mrid: str) -> Order | None:
        """One order."""
        return (await self._orders("SELECT body FROM work_order WHERE mrid = $1", mrid)).get(mrid)

    async def orders_with(self, works: Sequence[str]) -> list[Order]:
        """The orders with one of these works, and those that follow one of them up."""
        found = await self._orders(
            "SELECT body FROM work_order WHERE EXISTS"
            " (SELECT FROM jsonb_array_elements(body->'planned'->'Work') AS work"
            " WHERE work->>'mRID' = ANY($1) OR EXISTS (SELECT FROM jsonb_array_elements(work->'Names') AS name"
            " WHERE name#>>'{NameType,name}' = $2 AND name->>'name' = ANY($1))) ORDER BY mrid",
            works,
            FOLLOWS,
        )
        return list(found.values())

    async def open_orders(self) -> list[Order]:
        """The orders that are not over."""
        over = sorted(state.value for state in FINAL)
        return list(
            (await self._orders("SELECT body FROM work_order WHERE status <> ALL($1) ORDER BY mrid", over)).values()
        )

    async def _orders(self, sql: str, *values: object) -> dict[str, Order]:
        orders = [json.decode(row["body"], type=Order) for row in await self.fetch(sql, *values)]
        return {order.mrid: order for order in orders}

    async def save_order(self, order: Order) -> None:
        """Keep an order, new or changed."""
        await self.execute(
            "INSERT INTO work_order (mrid, status, crew, body) VALUES ($1, $2, $3, $4) ON CONFLICT (mrid)"
            " DO UPDATE SET status = excluded.status, crew = excluded.crew, body = excluded.body",
            order.mrid,
            order.state.value,
            order.crew,
            json.encode(order).decode(),
        )

    async def reasons(self) -> dict[str, list[str]]:
        """Why orders are not given out."""
        rows = await self.fetch("SELECT mrid, reasons FROM work_order WHERE status = 'planned' AND reasons <> '{}'")
        return {row["mrid"]: row["reasons"] for row in rows}

    async def save_reasons(self, reasons: dict[str, tuple[str, ...]]) -> None:
        """Keep why orders are not given out."""
        await self.executemany(
            "UPDATE work_order SET reasons = $2 WHERE mrid = $1 AND reasons <> $2",
            [(mrid, list(words)) for mrid, words in reasons.items()],
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

    async def complete_orders(self) -> list[Order]:
        """The orders that are complete in the field and not closed."""
        state = State.FIELD_COMPLETE.value
        found = await self._orders("SELECT body FROM work_order WHERE status = $1 ORDER BY mrid", state)
        return list(found.values())

    async def stocks(self, items: Iterable[str] | None = None) -> dict[str, Stock]:
        """Items of the stores, with what is promised of them; all, or those that are named."""
        rows = await self.fetch(
            "SELECT mrid, body, (SELECT coalesce(sum(quantity), 0) FROM reservation"
            " WHERE item = material.mrid AND state = 'reserved')::int AS reserved"
            " FROM material WHERE $1::text[] IS NULL OR mrid = ANY($1) ORDER BY mrid",
            None if items is None else sorted(set(items)),
        )
        return {
            row["mrid"]: Stock(told=json.decode(row["body"], type=MaterialItem), reserved=row["reserved"])
            for row in rows
        }

    async def save_material(self, told: MaterialItem) -> None:
        """Keep an item of the stores, new or changed."""
        sql = "INSERT INTO material (mrid, body) VALUES ($1, $2) ON CONFLICT (mrid) DO UPDATE SET body = excluded.body"
        await self.execute(sql, told.mrid, json.encode(told).decode())

    async def reservations(self, order: str) -> dict[str, Reservation]:
        """What an order was promised, by item."""
        rows = await self.fetch("SELECT * FROM reservation WHERE work_order = $1 ORDER BY item", order)
        return {
            row["item"]: Reservation(
                order=order,
                item=row["item"],
                quantity=row["quantity"],
                used=row["used"],
                state=Promise(row["state"]),
            )
            for row in rows
        }

    async def save_reservations(self, reservations: Iterable[Reservation]) -> None:
        """Keep what orders are promised, or what became of it."""
        await self.executemany(
            "INSERT INTO reservation (work_order, item, quantity, used, state) VALUES ($1, $2, $3, $4, $5)"
            " ON CONFLICT (work_order, item) DO UPDATE SET quantity = excluded.quantity, used = excluded.used,"
            " state = excluded.state",
            [(each.order, each.item, each.quantity, each.used, each.state.value) for each in reservations],
        )

    async def documents_not(self, states: Iterable[ClearanceState], documents: Sequence[str]) -> list[str]:
        """Those of the safety documents that are in none of these states; one that nobody has told of is in none."""
        rows = await self.fetch(
            "SELECT named FROM unnest($1::text[]) AS named WHERE NOT EXISTS (SELECT FROM safety_document"
            " WHERE mrid = named AND state = ANY($2)) ORDER BY named",
            documents,
            sorted(state.value for state in states),
        )
        return [row["named"] for row in rows]

    async def save_document(self, mrid: str, revision: int, state: str) -> None:
        """Keep how a safety document is; what is older than what is known changes nothing."""
        await self.execute(
            "INSERT INTO safety_document (mrid, revision, state) VALUES ($1, $2, $3) ON CONFLICT (mrid)"
            " DO UPDATE SET revision = excluded.revision, state = excluded.state"
            " WHERE safety_document.revision < excluded.revision",
            mrid,
            revision,
            state,
        )

    async def replace_network(self, spots: Iterable[Spot]) -> None:
        """Keep the network as it is built now."""
        rows = [
            (
                each.mrid,
                each.above,
                None if each.place is None else each.place.longitude,
                None if each.place is None else each.place.latitude,
                each.weight,
            )
            for each in spots
        ]
        await self.execute("DELETE FROM spot")
        await self.executemany(
            "INSERT INTO spot (mrid, above, longitude, latitude, weight) VALUES ($1, $2, $3, $4, $5)", rows
        )

    async def save_outage(self, mrid: str, revision: int, points: Sequence[str]) -> None:
        """Keep who is without power by an outage; what is older than what is known changes nothing."""
        await self.execute(
            "INSERT INTO outage (mrid, revision, points) VALUES ($1, $2, $3) ON CONFLICT (mrid)"
            " DO UPDATE SET revision = excluded.revision, points = excluded.points"
            " WHERE outage.revision < excluded.revision",
            mrid,
            revision,
            points,
        )

    async def surroundings(self, devices: Sequence[str], outages: Sequence[str]) -> Surroundings:
        """Where devices are, what lies upstream of them from the nearest on, and who is without power by outages."""
        rows = await self.fetch(
            "WITH RECURSIVE up AS (SELECT mrid AS device, mrid, above, longitude, latitude, 0 AS depth FROM spot"
            " WHERE mrid = ANY($1) UNION ALL SELECT up.device, spot.mrid, spot.above, NULL, NULL, up.depth + 1"
            " FROM up JOIN spot ON spot.mrid = up.above WHERE up.depth < 1000)"
            " SELECT device, max(longitude) AS longitude, max(latitude) AS latitude,"
            " array_agg(mrid ORDER BY depth) AS chain FROM up GROUP BY device",
            devices,
        )
        weights = await self.fetch(
            "SELECT outage.mrid, sum(coalesce(spot.weight, 1)) AS weight FROM outage, unnest(points) AS point"
            " LEFT JOIN spot ON spot.mrid = point WHERE outage.mrid = ANY($1) GROUP BY outage.mrid",
            outages,
        )
        return Surroundings(
            places={
                row["device"]: Place(row["longitude"], row["latitude"]) for row in rows if row["longitude"] is not None
            },
            upstream={row["device"]: row["chain"][1:] for row in rows},
            weights={row["mrid"]: row["weight"] for row in weights},
        )
