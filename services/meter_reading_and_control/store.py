"""The events of the meters, where the meters are, and the controls that wait for them."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from msgspec import json

from contracts.nouns.end_device_events import EndDeviceEvent
from services.meter_reading_and_control.domain import Control, Generation, Heard, meter_of, usage_point_of
from shared.store import Store as KernelStore

PAGE = 500
"""How many events go into one part of a reply; some hundred bytes each."""


class Store(KernelStore):
    """What meter reading and control keeps; ``memory`` is the generation of codes that it passes on."""

    memory: Generation

    async def places(self, meters: Sequence[str]) -> dict[str, str]:
        """The usage points of those of ``meters`` that were heard before."""
        rows = await self.fetch("SELECT meter, usage_point FROM installation WHERE meter = ANY($1)", meters)
        return {row["meter"]: row["usage_point"] for row in rows}

    async def learn_places(self, events: Sequence[EndDeviceEvent]) -> None:
        """Keep where meters are, from the events that say so; the newest event is right."""
        said = [
            (meter, place, event.created_date_time)
            for event in events
            if (meter := meter_of(event)) is not None and (place := usage_point_of(event)) is not None
        ]
        await self.executemany(
            "INSERT INTO installation (meter, usage_point, said_at) VALUES ($1, $2, $3)"
            " ON CONFLICT (meter) DO UPDATE SET usage_point = excluded.usage_point, said_at = excluded.said_at"
            " WHERE installation.said_at < excluded.said_at",
            sorted(said, key=lambda each: (each[0], each[2])),
        )

    async def add(self, heard: Sequence[Heard]) -> list[Heard]:
        """Keep events; those that were not here before."""
        new = []
        for each in sorted(heard, key=lambda h: (h.meter, h.code, h.happened_at)):
            row = await self.lock(
                "INSERT INTO event (meter, code, happened_at, usage_point, dropped, noun)"
                " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (meter, code, happened_at)"
                " DO UPDATE SET repeats = event.repeats + 1 RETURNING repeats",
                each.meter,
                each.code,
                each.happened_at,
                each.usage_point,
                each.dropped,
                json.encode(each.event).decode(),
            )
            if row is not None and row["repeats"] == 0:
                new.append(each)
        return new

    async def events(
        self, mrids: Sequence[str], start: datetime | None, end: datetime | None
    ) -> AsyncIterator[tuple[EndDeviceEvent, ...]]:
        """Pages of the events at these usage points or meters, or of all, from ``start`` until before ``end``."""
        after: tuple[datetime | None, str, str] = (start, "", "")
        while True:
            rows = await self.fetch(
                "SELECT meter, code, happened_at, noun FROM event"
                " WHERE ($1 OR usage_point = ANY($2) OR meter = ANY($2))"
                " AND (happened_at, meter, code) > (coalesce($3, '-infinity'::timestamptz), $4, $5)"
                " AND happened_at < coalesce($6, 'infinity'::timestamptz)"
                " ORDER BY happened_at, meter, code LIMIT $7",
                not mrids,
                mrids,
                *after,
                end,
                PAGE,
            )
            yield tuple(json.decode(row["noun"], type=EndDeviceEvent) for row in rows)
            if len(rows) < PAGE:
                return
            after = (rows[-1]["happened_at"], rows[-1]["meter"], rows[-1]["code"])

    async def save_control(self, ticket: str, control: Control) -> None:
        """Keep a control until its device has answered."""
        sql = "INSERT INTO control (ticket, body) VALUES ($1, $2)"
        await self.execute(sql, ticket, json.encode(control).decode())

    async def end_control(self, ticket: str) -> Control | None:
        """A control that its device has not answered yet, taken out; None where there is none."""
        row = await self.lock("DELETE FROM control WHERE ticket = $1 RETURNING body", ticket)
        return None if row is None else json.decode(row["body"], type=Control)
