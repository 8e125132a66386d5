"""The records, their chain and their bodies."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

from services.event_history.domain import Entry, Head, Kept, Search
from shared.store import Record as Row
from shared.store import Store as KernelStore

PAGE_RECORDS = 500
PAGE_BYTES = 400_000
"""A page of an answer holds at most so many records, and bodies of so many bytes beside one: it must fit a message."""

WALK = 10_000
"""How many records are verified at a time."""


_CLAUSES = {
    "lane": "lane = {}",
    "noun": "noun = {}",
    "verb": "verb = {}",
    "source": "source = {}",
    "thread": "(correlation_id = {0} OR message_id = {0})",
    "objects": "(lane, number) IN (SELECT lane, number FROM mention WHERE mrid = ANY({}))",
    "text": "position(convert_to({}, 'UTF8') IN content) > 0",
    "start": "stored_at >= {}",
    "end": "stored_at < {}",
}


class Store(KernelStore):
    """What the event history keeps; ``memory`` is how many days a body is kept, None for ever."""

    memory: int | None

    async def lock_chain(self, lane: str, start: bytes) -> Head:
        """The end of a chain; nobody else appends to it until this unit of work has ended."""
        await self.execute(
            "INSERT INTO head (lane, number, hash) VALUES ($1, 0, $2) ON CONFLICT DO NOTHING", lane, start
        )
        row = await self.lock("SELECT number, hash FROM head WHERE lane = $1 FOR UPDATE", lane)
        return Head(number=0, hash=start) if row is None else Head(**row)

    async def known(self, lane: str, sequences: Sequence[int]) -> frozenset[tuple[int, datetime]]:
        """Which places at the broker are recorded already."""
        rows = await self.fetch(
            "SELECT sequence, stored_at FROM record WHERE lane = $1 AND sequence = ANY($2)", lane, sequences
        )
        return frozenset((row["sequence"], row["stored_at"]) for row in rows)

    async def append(self, entries: Sequence[Entry]) -> None:
        """Write records at the end of their chain."""
        await self.executemany(
            "INSERT INTO body (hash, content) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            sorted({(each.kept.content_hash, each.body) for each in entries if each.body is not None}),
        )
        await self.executemany(
            "INSERT INTO record VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
            [_row(each) for each in entries],
        )
        await self.executemany(
            "INSERT INTO mention (mrid, lane, number) VALUES ($1, $2, $3)",
            [(mrid, each.kept.lane, each.kept.number) for each in entries for mrid in each.mrids],
        )
        last = entries[-1].kept
        await self.execute("UPDATE head SET number = $2, hash = $3 WHERE lane = $1", last.lane, last.number, last.hash)

    async def search(self, wanted: Search) -> AsyncIterator[list[Entry]]:
        """The records that are wanted, in pages, in the order in which the broker stored them."""
        given = {name: value for name in _CLAUSES if (value := getattr(wanted, name)) not in {None, ()}}
        clauses = [_CLAUSES[name].format(f"${place}") for place, name in enumerate(given, start=1)]
        after = f"(stored_at, lane, number) > (${len(given) + 1}, ${len(given) + 2}, ${len(given) + 3})"
        content = "content" if wanted.with_body else "NULL::bytea AS content"
        join = "LEFT JOIN body ON body.hash = record.content_hash" if wanted.with_body or wanted.text else ""
        place: tuple[Any, ...] = (datetime.fromisoformat("0001-01-01T00:00:00+00:00"), "", 0)
        while True:
            rows = await self.fetch(
                f"SELECT record.*, {content}, ARRAY(SELECT mrid FROM mention WHERE mention.lane = record.lane"  # noqa: S608 - the clauses are our own text, what is looked for are arguments
                f" AND mention.number = record.number ORDER BY mrid LIMIT 20) AS mrids FROM record {join}"
                f" WHERE {' AND '.join([*clauses, after])} ORDER BY stored_at, lane, number LIMIT {PAGE_RECORDS}",
                *given.values(),
                *place,
            )
            page: list[Entry] = []
            size = 0
            for row in rows:
                entry = _entry(row)
                size += len(entry.body or b"")
                if page and size > PAGE_BYTES:
                    yield page
                    page, size = [], len(entry.body or b"")
                page.append(entry)
            if page:
                yield page
            if len(rows) < PAGE_RECORDS:
                return
            place = (rows[-1]["stored_at"], rows[-1]["lane"], rows[-1]["number"])

    async def heads(self) -> dict[str, Head]:
        """The end of each chain, by lane."""
        rows = await self.fetch("SELECT lane, number, hash FROM head ORDER BY lane")
        return {row["lane"]: Head(number=row["number"], hash=row["hash"]) for row in rows}

    async def chain(self, lane: str, last: int) -> AsyncIterator[list[Kept]]:
        """The records of a lane from the first to number ``last``, in pieces, each with whether its body is sound."""
        number = -1
        while rows := await self.fetch(
            "SELECT lane, number, sequence, subject, stored_at, content_hash, record.hash,"
            " content IS NULL OR sha256(content) = content_hash AS sound"
            " FROM record LEFT JOIN body ON body.hash = content_hash"
            " WHERE lane = $1 AND number > $2 AND number <= $3 ORDER BY number LIMIT $4",
            lane,
            number,
            last,
            WALK,
        ):
            yield [Kept(**row) for row in rows]
            number = rows[-1]["number"]

    async def forget_bodies(self, before: datetime) -> None:
        """Delete messages that were stored before, unless they were stored again since; their hashes stay."""
        await self.execute(
            "DELETE FROM body WHERE EXISTS (SELECT FROM record WHERE content_hash = body.hash AND stored_at < $1)"
            " AND NOT EXISTS (SELECT FROM record WHERE content_hash = body.hash AND stored_at >= $1)",
            before,
        )


def _row(entry: Entry) -> tuple[object, ...]:
    kept = entry.kept
    return (
        kept.lane,
        kept.number,
        kept.sequence,
        kept.stored_at,
        entry.context_at,
        kept.subject,
        entry.source,
        entry.noun,
        entry.verb,
        entry.message_id,
        entry.correlation_id,
        entry.time_stamp,
        entry.content_type,
        entry.size,
        kept.content_hash,
        kept.hash,
    )


def _entry(row: Row) -> Entry:
    kept = Kept(**{name: row[name] for name in Kept.__struct_fields__ if name != "sound"})
    return Entry(
        kept=kept,
        body=row["content"],
        mrids=tuple(row["mrids"]),
        **{name: row[name] for name in Entry.__struct_fields__ if name not in {"kept", "body", "mrids"}},
    )
