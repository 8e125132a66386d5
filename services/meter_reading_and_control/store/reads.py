"""Who waits for which value, and under which question to the head-end each value is on its way."""

from collections.abc import Iterable

from msgspec import json

from services.meter_reading_and_control.domain.reads import Job, Wanted
from shared.store import Store as KernelStore


class Reads(KernelStore):
    """The reading of meters that is under way."""

    async def save_job(self, job: Job) -> None:
        """Keep how a question of an asker stands; one that is over is forgotten."""
        if job.is_over:
            await self.execute("DELETE FROM read_job WHERE mrid = $1", job.mrid)
            return
        await self.execute(
            "INSERT INTO read_job (mrid, meters, body) VALUES ($1, $2, $3)"
            " ON CONFLICT (mrid) DO UPDATE SET meters = excluded.meters, body = excluded.body",
            job.mrid,
            sorted({each.meter for each in job.waits_for}),
            json.encode(job).decode(),
        )

    async def job(self, mrid: str) -> Job | None:
        """A question that is not over."""
        row = await self.lock("SELECT body FROM read_job WHERE mrid = $1 FOR UPDATE", mrid)
        return None if row is None else json.decode(row["body"], type=Job)

    async def jobs_about(self, meters: Iterable[str]) -> list[Job]:
        """The questions that wait for a value of one of ``meters``."""
        rows = await self.lock_all(
            "SELECT body FROM read_job WHERE meters && $1 ORDER BY mrid FOR UPDATE", sorted(set(meters))
        )
        return [json.decode(row["body"], type=Job) for row in rows]

    async def under_way(self, wanted: frozenset[Wanted]) -> set[Wanted]:
        """Those of ``wanted`` that the head-end was asked for already."""
        rows = await self.fetch(
            "SELECT meter, reading_type, since, until FROM read_under_way WHERE meter = ANY($1)",
            sorted({each.meter for each in wanted}),
        )
        return {Wanted(**dict(row)) for row in rows} & wanted

    async def begin(self, question: str, wanted: Iterable[Wanted]) -> None:
        """The head-end is asked for these in ``question``."""
        await self.executemany(
            "INSERT INTO read_under_way (meter, reading_type, period, since, until, question)"
            " VALUES ($1, $2, $3, $4, $5, $6)",
            [(each.meter, each.reading_type, each.period, each.since, each.until, question) for each in wanted],
        )

    async def asked_in(self, question: str) -> set[Wanted]:
        """What was asked for in ``question`` and is still on its way."""
        rows = await self.fetch(
            "SELECT meter, reading_type, since, until FROM read_under_way WHERE question = $1", question
        )
        return {Wanted(**dict(row)) for row in rows}

    async def end(self, wanted: Iterable[Wanted]) -> None:
        """These are not on their way any more."""
        await self.executemany(
            "DELETE FROM read_under_way WHERE meter = $1 AND reading_type = $2 AND period = $3",
            [(each.meter, each.reading_type, each.period) for each in wanted],
        )
