"""What is to be judged, what was found, and what is usual."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

import numpy as np
from msgspec import Struct

from contracts.codes.end_device_events import EventKind, codes_of, kind_of
from services.meter_reading_and_control.domain.columns import BUNCH
from services.meter_reading_and_control.domain.vee.findings import Finding, Said, bits_of, runs_of_bits
from services.meter_reading_and_control.domain.vee.judging import Interruptions, outages
from services.meter_reading_and_control.domain.vee.months import Months, first_day, number_of
from services.meter_reading_and_control.domain.vee.statistics import DAYS, Statistics
from services.meter_reading_and_control.domain.vee.storms import LONGEST, NORM, SILENT, Reads
from services.meter_reading_and_control.store.blocks import Blocks
from services.meter_reading_and_control.store.series import Series
from shared.store import Record

_POWER = codes_of(EventKind.POWER_LOST, EventKind.POWER_RESTORED)


class Member(Struct, frozen=True):
    """A series with its number, and the number of the first one of its usage point and reading type."""

    number: int
    first: int
    series: Series


class Judging(Blocks):
    """Days that are over."""

    async def all_to_judge(self, day: date, now: datetime) -> None:
        """All bunches are to be judged of that day."""
        await self.execute(
            "INSERT INTO to_judge (market_day, bunch, since, is_spread)"
            " SELECT DISTINCT $1::date, id / $2, $3::timestamptz, true FROM series ON CONFLICT DO NOTHING",
            day,
            BUNCH,
            now,
        )

    async def judge_again(self, of: Iterable[tuple[date, int]], now: datetime) -> None:
        """Something came late of these bunches; who judges one of them waits until it can be seen."""
        rows = sorted(set(of))
        await self.execute(
            "INSERT INTO to_judge (market_day, bunch, since) SELECT day, bunch, $3"
            " FROM unnest($1::date[], $2::bigint[]) AS late (day, bunch)"
            " ON CONFLICT (market_day, bunch) DO UPDATE SET since = excluded.since, is_spread = false",
            [day for day, _ in rows],
            [bunch for _, bunch in rows],
            now,
        )

    async def spread_late(self, now: datetime) -> None:
        """Where something came late, judge again what is judged beside it as well.

        Those are bunches of other reading types at the same usage points, and of usage points of which these are the
        check. It is asked for once for all that came, and not for each message.
        """
        await self.execute(
            "WITH late AS (UPDATE to_judge SET is_spread = true FROM (SELECT market_day, bunch FROM to_judge"
            "   WHERE NOT is_spread ORDER BY market_day, bunch FOR UPDATE SKIP LOCKED) AS told"
            "  WHERE to_judge.market_day = told.market_day AND to_judge.bunch = told.bunch"
            "  RETURNING to_judge.market_day, to_judge.bunch),"
            " points AS (SELECT DISTINCT bunch, usage_point FROM (SELECT DISTINCT bunch FROM late) AS told"
            "  JOIN series ON id BETWEEN bunch * $1 AND bunch * $1 + $1 - 1),"
            " beside AS (SELECT bunch, usage_point FROM points UNION"
            "  SELECT bunch, mrid FROM points JOIN usage_point ON checked_by = usage_point),"
            " of AS (SELECT DISTINCT beside.bunch, id / $1 AS other FROM beside JOIN series USING (usage_point))"
            " INSERT INTO to_judge (market_day, bunch, since, is_spread)"
            " SELECT DISTINCT market_day, other, $2::timestamptz, true FROM late JOIN of USING (bunch)"
            " WHERE (market_day, other) NOT IN (SELECT market_day, bunch FROM late) ORDER BY market_day, other"
            " ON CONFLICT (market_day, bunch) DO UPDATE SET since = excluded.since",
            BUNCH,
            now,
        )

    async def bunches_of(self, points: Iterable[str]) -> dict[str, list[int]]:
        """In which bunches the series of usage points are."""
        rows = await self.fetch(
            "SELECT DISTINCT usage_point, id / $2 AS bunch FROM series WHERE usage_point = ANY($1)", [*points], BUNCH
        )
        found: dict[str, list[int]] = {}
        for row in rows:
            found.setdefault(row["usage_point"], []).append(row["bunch"])
        return found

    async def due_to_judge(self, most: int) -> list[tuple[date, int]]:
        """Days and bunches that are to be judged, taken out; nobody else takes them.

        What came late is not among them before it is spread (:meth:`spread_late`).
        """
        rows = await self.lock_all(
            "DELETE FROM to_judge USING (SELECT market_day, bunch FROM to_judge WHERE is_spread"
            "  ORDER BY market_day, bunch LIMIT $1 FOR UPDATE SKIP LOCKED) AS due"
            " WHERE to_judge.market_day = due.market_day AND to_judge.bunch = due.bunch"
            " RETURNING to_judge.market_day, to_judge.bunch",
            most,
        )
        return sorted((row["market_day"], row["bunch"]) for row in rows)

    async def bunch_members(self, bunch: int) -> list[Member]:
        """All series of the usage points that have one in a bunch, of the reading type of the bunch."""
        rows = await self.fetch(
            "WITH own AS (SELECT DISTINCT usage_point, reading_type FROM series WHERE id BETWEEN $1 AND $2)"
            " SELECT id, min(id) OVER (PARTITION BY usage_point, reading_type) AS first, usage_point, reading_type,"
            " meter FROM series JOIN own USING (usage_point, reading_type) ORDER BY id",
            bunch * BUNCH,
            bunch * BUNCH + BUNCH - 1,
        )
        return [_member(row) for row in rows]

    async def members_of(self, wanted: Sequence[tuple[str, str]]) -> list[Member]:
        """All series of usage points and reading types."""
        rows = await self.fetch(
            "SELECT id, min(id) OVER (PARTITION BY usage_point, reading_type) AS first, usage_point, reading_type,"
            " meter FROM series JOIN unnest($1::text[], $2::text[]) AS wanted (usage_point, reading_type)"
            " USING (usage_point, reading_type) ORDER BY id",
            [point for point, _ in wanted],
            [code for _, code in wanted],
        )
        return [_member(row) for row in rows]

    async def with_ratios(self, meters: Sequence[str]) -> list[str]:
        """Those of meters that are, or ever were, behind instrument transformers."""
        rows = await self.fetch(
            "SELECT DISTINCT mrid FROM meter WHERE mrid = ANY($1) AND noun #> '{Meter,0,MeterMultipliers}' IS NOT NULL",
            meters,
        )
        return [row["mrid"] for row in rows]

    async def channels_of(self, meters: Sequence[str]) -> dict[str, set[str]]:
        """The reading types for which meters have channels, as they are set up at last."""
        rows = await self.fetch(
            "SELECT mrid, type #>> '{}' AS type FROM (SELECT DISTINCT ON (mrid) mrid, noun FROM meter"
            "  WHERE mrid = ANY($1) ORDER BY mrid, effective_at DESC) AS last, jsonb_path_query(noun,"
            "  '$.SimpleEndDeviceFunction[*].Registers[*].Channels[*].ReadingType.ref') AS type",
            meters,
        )
        found: dict[str, set[str]] = {}
        for row in rows:
            found.setdefault(row["mrid"], set()).add(row["type"])
        return found

    async def day_rows(self, series: Sequence[int], days: Sequence[date]) -> dict[tuple[int, date], list[Record]]:
        """The rows of blocks that count on some days, by series; what is still in the tail of these days is folded."""
        bunches = sorted({each // BUNCH for each in series})
        tail = await self.fetch(
            "SELECT DISTINCT bunch, market_day FROM tail WHERE bunch = ANY($1) AND market_day = ANY($2) ORDER BY 1, 2",
            bunches,
            days,
        )
        for row in tail:
            await self.fold(row["bunch"], row["market_day"])
        found: dict[tuple[int, date], list[Record]] = {}
        for row in await self.fetch(
            "SELECT b.* FROM unnest($2::date[]) AS day CROSS JOIN unnest($1::bigint[]) AS wanted CROSS JOIN LATERAL"
            " ((SELECT * FROM block WHERE market_day = day AND series = wanted AND version > 0"
            "  ORDER BY version DESC LIMIT 1)"
            "  UNION ALL SELECT * FROM block WHERE market_day = day AND series = wanted AND version = 0) AS b",
            series,
            days,
        ):
            found.setdefault((row["series"], row["market_day"]), []).append(row)
        return found

    async def outages_at(self, points: Sequence[str]) -> dict[str, Interruptions]:
        """When usage points had no power, as their meters told; those of which none did are not named."""
        rows = await self.fetch(
            "SELECT usage_point, happened_at, code FROM event WHERE usage_point = ANY($1) AND code = ANY($2)",
            points,
            _POWER,
        )
        told: dict[str, list[tuple[datetime, EventKind | None]]] = {}
        for row in rows:
            told.setdefault(row["usage_point"], []).append((row["happened_at"], kind_of(row["code"])))
        return {point: outages(each) for point, each in told.items()}

    async def statistics(self, series: Sequence[int]) -> Statistics:
        """What is usual at usage points, in the order of ``series``."""
        known = Statistics.empty(len(series))
        place = {each: row for row, each in enumerate(series)}
        for row in await self.fetch("SELECT * FROM statistic WHERE series = ANY($1)", series):
            at = place[row["series"]]
            known.last[at], known.scales[at] = row["last_day"].toordinal(), row["scale"]
            known.usage[at] = np.frombuffer(row["usage"], ">i8")
            known.marks[at] = np.frombuffer(row["marks"], np.uint8)
        return known

    async def save_statistics(self, series: Sequence[int], known: Statistics) -> None:
        """Keep what is usual."""
        usage, marks = known.usage.astype(">i8").tobytes(), known.marks.tobytes()
        await self.execute(
            "INSERT INTO statistic (series, last_day, scale, usage, marks)"
            " SELECT * FROM unnest($1::bigint[], $2::date[], $3::smallint[], $4::bytea[], $5::bytea[])"
            " ON CONFLICT (series) DO UPDATE SET last_day = excluded.last_day, scale = excluded.scale,"
            " usage = excluded.usage, marks = excluded.marks WHERE statistic IS DISTINCT FROM excluded",
            series,
            [date.fromordinal(each) for each in known.last.tolist()],
            known.scales.tolist(),
            [usage[at : at + 8 * DAYS] for at in range(0, len(usage), 8 * DAYS)],
            [marks[at : at + DAYS] for at in range(0, len(marks), DAYS)],
        )

    async def monthly_use(self, series: Sequence[int]) -> Months:
        """What usage points used on average in months, in the order of ``series``."""
        known = Months.empty(len(series))
        place = {each: row for row, each in enumerate(series)}
        for row in await self.fetch("SELECT * FROM monthly_use WHERE series = ANY($1)", series):
            at = place[row["series"]]
            known.last[at], known.use[at] = number_of(row["last_month"]), row["use"]
        return known

    async def save_monthly_use(self, series: Sequence[int], known: Months) -> None:
        """Keep what was used on average in months, of those of which it is known."""
        rows = zip(series, known.last.tolist(), known.use.tolist(), strict=True)
        await self.executemany(
            "INSERT INTO monthly_use (series, last_month, use) VALUES ($1, $2, $3) ON CONFLICT (series) DO UPDATE"
            " SET last_month = excluded.last_month, use = excluded.use WHERE monthly_use IS DISTINCT FROM excluded",
            [(each, first_day(last), use) for each, last, use in rows if last],
        )

    async def findings(self, series: Sequence[int], day: date) -> dict[int, Finding]:
        """What was found last at usage points on a day, by the first of their series."""
        rows = await self.fetch(
            "SELECT DISTINCT ON (series) * FROM finding WHERE series = ANY($1) AND market_day = $2"
            " ORDER BY series, revision DESC",
            series,
            day,
        )
        return {row["series"]: _finding(row) for row in rows}

    async def found_since(self, point: str, since: date) -> list[tuple[str, date, Finding]]:
        """What was found at a usage point on the days since then, with the reading type and the day."""
        rows = await self.fetch(
            "SELECT DISTINCT ON (f.series, f.market_day) own.reading_type, f.* FROM ("
            "  SELECT reading_type, min(id) AS first FROM series WHERE usage_point = $1 GROUP BY reading_type) AS own"
            " JOIN finding AS f ON f.series = own.first AND f.market_day >= $2"
            " ORDER BY f.series, f.market_day, f.revision DESC",
            point,
            since,
        )
        return [(row["reading_type"], row["market_day"], _finding(row)) for row in rows]

    async def neighbours(self, point: str, reading_type: str) -> list[int]:
        """The first series of this type of each other usage point behind the same transformer, as known at last."""
        rows = await self.fetch(
            "WITH last AS (SELECT DISTINCT ON (usage_point) usage_point, transformer FROM served WHERE usage_point IN ("
            "   SELECT other.usage_point FROM served AS own JOIN served AS other USING (transformer)"
            "   WHERE own.usage_point = $1)"
            "  ORDER BY usage_point, since DESC, recorded_at DESC)"
            " SELECT min(id) AS first FROM last JOIN series USING (usage_point)"
            " WHERE transformer = (SELECT transformer FROM last WHERE usage_point = $1)"
            "  AND usage_point <> $1 AND reading_type = $2 GROUP BY usage_point ORDER BY 1",
            point,
            reading_type,
        )
        return [row["first"] for row in rows]

    async def said(self, point: str, days: tuple[date, date], as_of: datetime | None) -> dict[tuple[str, date], Said]:
        """What was said of the days of a usage point, by reading type and day, as it was known ``as_of`` a time."""
        rows = await self.fetch(
            "SELECT own.reading_type, j.market_day, j.rule_set AS by_set, j.rule_version AS by_version, j.held, f.*,"
            " t.bunch IS NULL AND NOT EXISTS (SELECT FROM set_aside WHERE set_aside.market_day = j.market_day"
            "  AND set_aside.bunch = j.bunch AND set_aside.series = own.first) AS is_current FROM ("
            "  SELECT reading_type, min(id) AS first FROM series WHERE usage_point = $1 GROUP BY reading_type) AS own"
            " JOIN judged AS j ON j.bunch = own.first / $5 AND j.market_day BETWEEN $2 AND $3"
            "  AND j.judged_at <= coalesce($4, 'infinity'::timestamptz)"
            " LEFT JOIN to_judge AS t ON t.market_day = j.market_day AND t.bunch = j.bunch"
            " LEFT JOIN LATERAL (SELECT revision, rule_set, rule_version, of_day, of_intervals FROM finding"
            "  WHERE series = own.first AND market_day = j.market_day"
            "  AND found_at <= coalesce($4, 'infinity'::timestamptz) ORDER BY revision DESC LIMIT 1) AS f ON true",
            point,
            *days,
            as_of,
            BUNCH,
        )
        return {
            (row["reading_type"], row["market_day"]): Said(
                rule_set=(row["by_set"], row["by_version"]),
                finding=None if row["revision"] is None else _finding(row),
                is_current=row["is_current"],
                held=SILENT if row["held"] else "",
            )
            for row in rows
        }

    async def save_findings(self, day: date, found: Mapping[int, Finding], now: datetime) -> None:
        """Keep what was found, by the first series of each usage point."""
        await self.executemany(
            "INSERT INTO finding (series, market_day, revision, rule_set, rule_version, of_day, of_intervals, found_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            [
                (series, day, each.revision, *each.rule_set, each.of_day, runs_of_bits(each.of_intervals), now)
                for series, each in sorted(found.items())
            ],
        )

    async def save_judged(self, bunch: int, rule_set: tuple[str, int], reads: Reads, now: datetime) -> None:
        """A day of a bunch was judged."""
        await self.execute(
            "INSERT INTO judged (bunch, market_day, rule_set, rule_version, due, came, held, judged_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (bunch, market_day) DO UPDATE SET"
            " rule_set = excluded.rule_set, rule_version = excluded.rule_version, due = excluded.due,"
            " came = excluded.came, held = excluded.held, judged_at = excluded.judged_at",
            bunch,
            reads.day,
            *rule_set,
            reads.due,
            reads.came,
            reads.is_held,
            now,
        )

    async def set_aside(self, bunch: int, day: date, spoiled: Mapping[int, str], now: datetime) -> None:
        """Keep of which usage points a day could not be judged and why, by the first of their series; of no others."""
        await self.execute("DELETE FROM set_aside WHERE market_day = $1 AND bunch = $2", day, bunch)
        await self.executemany(
            "INSERT INTO set_aside (market_day, bunch, series, reason, aside_at) VALUES ($1, $2, $3, $4, $5)",
            [(day, bunch, series, reason, now) for series, reason in sorted(spoiled.items())],
        )

    async def reads_around(self, bunch: int, day: date) -> list[Reads]:
        """How many values came of a bunch on the days before and after one that were judged."""
        rows = await self.fetch(
            "SELECT market_day, due, came, held FROM judged"
            " WHERE bunch = $1 AND market_day BETWEEN $2 AND $3 AND market_day <> $4",
            bunch,
            day - NORM,
            day + LONGEST,
            day,
        )
        return [Reads(day=row["market_day"], due=row["due"], came=row["came"], is_held=row["held"]) for row in rows]

    async def judge_held(self, day: date, now: datetime) -> None:
        """The bunches whose gaps of a day wait are to be judged again."""
        await self.execute(
            "INSERT INTO to_judge (market_day, bunch, since) SELECT market_day, bunch, $2 FROM judged"
            " WHERE market_day = $1 AND held ON CONFLICT DO NOTHING",
            day,
            now,
        )


def _member(row: Record) -> Member:
    return Member(row["id"], row["first"], Series(row["usage_point"], row["reading_type"], row["meter"]))


def _finding(row: Record) -> Finding:
    return Finding(
        revision=row["revision"],
        rule_set=(row["rule_set"], row["rule_version"]),
        of_day=row["of_day"],
        of_intervals=bits_of(row["of_intervals"]),
    )
