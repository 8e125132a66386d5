"""What meters told, every event once, with what became of it."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime

from msgspec import json
from msgspec.structs import replace

from contracts.codes.end_device_events import EventKind, codes_of
from contracts.nouns.end_device_events import EndDeviceEvent
from contracts.types import Status
from services.meter_reading_and_control.domain.events import Drop, Heard, Stage, Tally, meter_of, usage_point_of
from services.meter_reading_and_control.domain.suppression import SAME
from shared.store import Record
from shared.store import Store as KernelStore

PAGE = 500
"""How many events go into one part of a reply; some hundred bytes each."""

ROWS = 100
"""How many events one statement writes: some two milliseconds of a core, as long as who comes first may wait for it."""

_LOST = codes_of(EventKind.POWER_LOST)

_ANYWHERE = "WITH told AS (SELECT * FROM event WHERE $1::text[] = '{}' AND octet_length(meter) >= 0)"
_AT_THESE = (
    "WITH told AS MATERIALIZED (SELECT * FROM event WHERE usage_point = ANY($1::text[]) UNION ALL"
    " SELECT * FROM event WHERE meter = ANY($1) AND (usage_point = ANY($1)) IS NOT TRUE)"
)
"""The events of few are found by what they are about, and by their time only then: else the planner, which knows
neither how many are named nor how long the time is, may go through the events of all."""

GASPS_NEAR = (
    "SELECT meter, happened_at FROM event WHERE meter = ANY($1) AND code = ANY($2)"
    " AND happened_at BETWEEN $3 AND $4 AND dropped IS DISTINCT FROM $5"
)
"""What some meters told in a time. It goes by meter: in a storm all that happens does so at one time, and the index of
times is kept out of it by the condition that it has."""

_IN_TIME = (
    "happened_at >= coalesce($2, '-infinity'::timestamptz) AND happened_at < coalesce($3, 'infinity'::timestamptz)"
)


class Events(KernelStore):
    """The events of meters, and where their meters were said to be."""

    async def places(self, meters: Sequence[str]) -> dict[str, str]:
        """The usage points of those of ``meters`` that were heard before."""
        rows = await self.fetch("SELECT meter, usage_point FROM installation WHERE meter = ANY($1)", meters)
        return {row["meter"]: row["usage_point"] for row in rows}

    async def learn_places(self, events: Iterable[EndDeviceEvent]) -> None:
        """Keep where meters are of which no order says it, from the events that do; the newest event is right."""
        said = sorted(
            (meter, place, event.created_date_time)
            for event in events
            if (meter := meter_of(event)) is not None and (place := usage_point_of(event)) is not None
        )
        for begin in range(0, len(said), ROWS):
            await self.execute(
                "INSERT INTO installation (meter, usage_point, said_at)"
                " SELECT DISTINCT ON (meter) * FROM unnest($1::text[], $2::text[], $3::timestamptz[])"
                " AS said (meter, usage_point, said_at) ORDER BY meter, said_at DESC ON CONFLICT (meter)"
                " DO UPDATE SET usage_point = excluded.usage_point, said_at = excluded.said_at"
                " WHERE installation.said_at < excluded.said_at",
                *map(list, zip(*said[begin : begin + ROWS], strict=True)),
            )

    async def gasps(self, meters: Iterable[str], first: datetime, last: datetime) -> dict[str, list[datetime]]:
        """When these meters told that they lose their power, in that time and shortly before and after it."""
        rows = await self.fetch(GASPS_NEAR, sorted(set(meters)), _LOST, first - SAME, last + SAME, Drop.REPEATED)
        found: dict[str, list[datetime]] = {}
        for row in rows:
            found.setdefault(row["meter"], []).append(row["happened_at"])
        return found

    async def add(self, heard: Iterable[Heard]) -> list[Heard]:
        """Keep events; those that were not here before."""
        told: dict[tuple[str, str, datetime], list[Heard]] = {}
        for each in sorted(heard, key=lambda h: (h.meter, h.code, h.happened_at)):
            told.setdefault((each.meter, each.code, each.happened_at), []).append(each)
        every = [*told.values()]
        repeats: dict[tuple[str, str, datetime], int] = {}
        for begin in range(0, len(every), ROWS):
            repeats |= await self._add(every[begin : begin + ROWS])
        return [each[0] for key, each in told.items() if repeats[key] < len(each)]

    async def _add(self, told: Sequence[Sequence[Heard]]) -> dict[tuple[str, str, datetime], int]:
        """Keep events, each as often as it was told; how often it was told after the first time, by its key."""
        first = [each[0] for each in told]
        rows = await self.lock_all(
            "INSERT INTO event (meter, code, happened_at, usage_point, dropped, noun, repeats, held)"
            " SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::jsonb[],"
            " $7::int[], $8::boolean[]) ON CONFLICT (meter, code, happened_at)"
            " DO UPDATE SET repeats = event.repeats + excluded.repeats + 1 RETURNING meter, code, happened_at, repeats",
            [each.meter for each in first],
            [each.code for each in first],
            [each.happened_at for each in first],
            [each.usage_point for each in first],
            [each.dropped for each in first],
            [json.encode(each.event).decode() for each in first],
            [len(each) - 1 for each in told],
            [each.held for each in first],
        )
        return {(row["meter"], row["code"], row["happened_at"]): row["repeats"] for row in rows}

    async def events(
        self, mrids: Sequence[str], start: datetime | None, end: datetime | None, *, is_dropped: bool
    ) -> AsyncIterator[tuple[EndDeviceEvent, ...]]:
        """Pages of the events at these usage points or meters, or of all, from ``start`` until before ``end``.

        The status of one that was not passed on says why, that of one that waits that it does. With ``is_dropped``
        there are only those that are not passed on.
        """
        after: tuple[datetime | None, str, str] = (start, "", "")
        while True:
            rows = await self.fetch(
                f"{_AT_THESE if mrids else _ANYWHERE}"  # noqa: S608 - constants
                " SELECT meter, code, happened_at, dropped, held, noun FROM told"
                f" WHERE {_IN_TIME} AND (dropped IS NOT NULL OR NOT $7)"
                " AND (happened_at, meter, code) > (coalesce($2, '-infinity'::timestamptz), $4, $5)"
                " ORDER BY happened_at, meter, code LIMIT $6",
                mrids,
                after[0],
                end,
                *after[1:],
                PAGE,
                is_dropped,
            )
            yield tuple(_event(row) for row in rows)
            if len(rows) < PAGE:
                return
            after = (rows[-1]["happened_at"], rows[-1]["meter"], rows[-1]["code"])

    async def tallies(
        self, mrids: Sequence[str], start: datetime | None, end: datetime | None
    ) -> Mapping[str, Sequence[Tally]]:
        """How many events of each code came to which end, of those that :meth:`events` has."""
        rows = await self.fetch(
            f"{_AT_THESE if mrids else _ANYWHERE}"  # noqa: S608 - constants
            " SELECT code, dropped, held, count(*) AS events, sum(repeats) AS repeats,"
            f" max(happened_at) AS latest FROM told WHERE {_IN_TIME}"
            " GROUP BY code, dropped, held ORDER BY code, dropped, held",
            mrids,
            start,
            end,
        )
        found: dict[str, list[Tally]] = {}
        for row in rows:
            found.setdefault(row["code"], []).append(Tally(**{name: row[name] for name in Tally.__struct_fields__}))
        return found


def _event(row: Record) -> EndDeviceEvent:
    event = json.decode(row["noun"], type=EndDeviceEvent)
    if row["held"]:
        return replace(event, status=Status(value=Stage.HELD))
    if row["dropped"] is None:
        return event
    return replace(event, status=Status(value="dropped", reason=row["dropped"]))
