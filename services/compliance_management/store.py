"""The ledger, what was told of the outages behind it, the customers, and the reports that were filed."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec import json

from contracts.nouns.reliability_indices import CountingRules, ReliabilityIndex
from services.compliance_management.domain.customers import Count, Served, news
from services.compliance_management.domain.interruptions import MOMENTARY, Entry
from services.compliance_management.domain.ledger import Interval, Telling, claims, disjoint
from shared.store import Record
from shared.store import Store as KernelStore


class Store(KernelStore):
    """What compliance management keeps; ``memory`` is how it counts unless the asker says otherwise.

    Every change of the ledger follows :meth:`next_ledger` in the same transaction, and has a state of its own.
    """

    memory: CountingRules

    async def ledger(self) -> int:
        """The state of the ledger."""
        revision: int = await self.fetchval("SELECT revision FROM ledger")
        return revision

    async def next_ledger(self) -> int:
        """Wait until nobody else changes the ledger; its next state."""
        row = await self.lock("UPDATE ledger SET revision = revision + 1 RETURNING revision")
        if row is None:
            raise LookupError("the table 'ledger' has no row")
        revision: int = row["revision"]
        return revision

    async def add_tellings(self, tellings: Sequence[Telling], now: datetime) -> list[str]:
        """Keep what was told; the outages of which something is new."""
        new = []
        for telling in sorted(tellings, key=lambda each: (each.outage, each.revision)):
            row = await self.lock(
                "INSERT INTO telling (outage, revision, heard_at, body) VALUES ($1, $2, $3, $4)"
                " ON CONFLICT DO NOTHING RETURNING outage",
                telling.outage,
                telling.revision,
                now,
                json.encode(telling).decode(),
            )
            if row is not None:
                new.append(telling.outage)
        return sorted(set(new))

    async def restate(self, outage: str, ledger: int) -> list[Interval]:
        """Write the ledger anew for whoever the outage concerns or concerned; the lines that came or went."""
        rows = await self.fetch("SELECT body FROM telling WHERE outage = $1", outage)
        after = set(claims(json.decode(row["body"], type=Telling) for row in rows))
        before = set(map(_interval, await self.fetch("SELECT * FROM claim WHERE outage = $1", outage)))
        points = sorted({claim.usage_point for claim in after ^ before})
        await self.execute("DELETE FROM claim WHERE outage = $1 AND usage_point = ANY($2)", outage, points)
        await self.executemany(
            "INSERT INTO claim (outage, usage_point, began_at, ended_at, planned) VALUES ($1, $2, $3, $4, $5)",
            [(c.outage, c.usage_point, c.began_at, c.ended_at, c.planned) for c in after - before],
        )
        return await self._rewrite(points, ledger)

    async def _rewrite(self, points: Sequence[str], ledger: int) -> list[Interval]:
        """Make the ledger of ``points`` follow from all that is claimed of them."""
        claimed: dict[str, list[Interval]] = {point: [] for point in points}
        for row in await self.fetch("SELECT * FROM claim WHERE usage_point = ANY($1)", points):
            claimed[row["usage_point"]].append(_interval(row))
        after = {line for each in claimed.values() for line in disjoint(each)}
        rows = await self.fetch("SELECT * FROM entry WHERE usage_point = ANY($1) AND known_until IS NULL", points)
        before = set(map(_interval, rows))
        await self.executemany(
            "UPDATE entry SET known_until = $3 WHERE usage_point = $1 AND began_at = $2 AND known_until IS NULL",
            [(line.usage_point, line.began_at, ledger) for line in before - after],
        )
        await self.executemany(
            "INSERT INTO entry (usage_point, outage, began_at, ended_at, planned, known_from)"
            " VALUES ($1, $2, $3, $4, $5, $6)",
            [(e.usage_point, e.outage, e.began_at, e.ended_at, e.planned, ledger) for e in after - before],
        )
        return list(after ^ before)

    async def entries(self, since: datetime, ledger: int) -> list[Entry]:
        """The ledger as it was, of whatever was not over at ``since``; its customers by the model of that time.

        A usage point that no model ever had counts as one customer.
        """
        rows = await self.fetch(
            "SELECT e.usage_point, e.began_at, e.ended_at, e.planned, c.feeder, coalesce(c.customers, 1) AS customers"
            " FROM entry e LEFT JOIN LATERAL ("
            "  SELECT feeder, customers FROM customer"
            "  WHERE usage_point = e.usage_point AND known_from <= $2"
            "  ORDER BY greatest(e.began_at - since, since - e.began_at) + CASE WHEN since <= e.began_at"
            "   THEN interval '0' ELSE interval '1000 years' END LIMIT 1"
            " ) c ON true WHERE (e.ended_at IS NULL OR e.ended_at >= $1)"
            " AND e.known_from <= $2 AND (e.known_until IS NULL OR e.known_until > $2)",
            since - MOMENTARY,
            ledger,
        )
        return [Entry(**row) for row in rows]

    async def counts(self, feeder: str | None, ledger: int) -> list[Count]:
        """How many customers one feeder, or all, served from when on."""
        rows = await self.fetch(
            "SELECT since, coalesce(sum(customers) FILTER (WHERE $1::text IS NULL OR feeder = $1), 0)::bigint"
            " AS customers FROM served WHERE known_from <= $2 GROUP BY since ORDER BY since",
            feeder,
            ledger,
        )
        return [Count(**row) for row in rows]

    async def learn_customers(self, told: Sequence[Served], since: datetime, ledger: int) -> None:
        """Keep who is served from ``since`` on; the same time told again changes nothing."""
        total: dict[str, int] = {}
        for each in told:
            total[each.feeder] = total.get(each.feeder, 0) + each.customers
        await self.executemany(
            "INSERT INTO served (since, feeder, customers, known_from) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
            [(since, feeder, customers, ledger) for feeder, customers in sorted(total.items())],
        )
        rows = await self.fetch(
            "SELECT DISTINCT ON (usage_point) usage_point, feeder, customers FROM customer"
            " WHERE since <= $1 ORDER BY usage_point, since DESC",
            since,
        )
        await self.executemany(
            "INSERT INTO customer (usage_point, since, feeder, customers, known_from) VALUES ($1, $2, $3, $4, $5)"
            " ON CONFLICT DO NOTHING",
            [
                (each.usage_point, since, each.feeder, each.customers, ledger)
                for each in news({row["usage_point"]: Served(**row) for row in rows}, told)
            ],
        )

    async def save_report(self, report: ReliabilityIndex, start: datetime, end: datetime, cut_off: datetime) -> bool:
        """Keep a revision of a report; False when there is one already."""
        row = await self.lock(
            "INSERT INTO report (mrid, revision, period_start, period_end, cut_off, noun)"
            " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING mrid",
            report.mrid,
            report.revision,
            start,
            end,
            cut_off,
            json.encode(report).decode(),
        )
        return row is not None

    async def report(self, mrid: str, revision: int | None = None) -> ReliabilityIndex | None:
        """A report as it was told, by default its newest revision."""
        noun = await self.fetchval(
            "SELECT noun FROM report WHERE mrid = $1 AND ($2::integer IS NULL OR revision = $2)"
            " ORDER BY revision DESC LIMIT 1",
            mrid,
            revision,
        )
        return None if noun is None else json.decode(noun, type=ReliabilityIndex)

    async def reports(self) -> tuple[ReliabilityIndex, ...]:
        """The newest revision of every report."""
        rows = await self.fetch("SELECT DISTINCT ON (mrid) noun FROM report ORDER BY mrid, revision DESC")
        return tuple(json.decode(row["noun"], type=ReliabilityIndex) for row in rows)

    async def reports_about(self, lines: Iterable[Interval]) -> list[str]:
        """The reports that count, or counted, one of ``lines``."""
        times = sorted({line.began_at for line in lines})
        rows = await self.fetch(
            "SELECT DISTINCT mrid FROM report JOIN unnest($1::timestamptz[]) AS began(at)"
            " ON at >= period_start AND at < period_end AND at < cut_off ORDER BY mrid",
            times,
        )
        return [row["mrid"] for row in rows]


def _interval(row: Record) -> Interval:
    return Interval(
        usage_point=row["usage_point"],
        outage=row["outage"],
        began_at=row["began_at"],
        ended_at=row["ended_at"],
        planned=row["planned"],
    )
