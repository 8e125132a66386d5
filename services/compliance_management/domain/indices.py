"""The indices of IEEE 1366, and which days are major event days."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from math import exp, fsum, log, sqrt

from msgspec import Struct

from contracts.errors import Conflict, Invalid
from contracts.nouns.reliability_indices import ComparisonKind, CountingRules, DeviationKind, InterruptionKind
from services.compliance_management.domain.customers import Count, average
from services.compliance_management.domain.interruptions import (
    MINUTE,
    Entry,
    Interruption,
    interruptions,
    momentary_events,
    unpacked,
)

YEARS = 5
"""So many years before the year of a day decide whether it is a major event day; fewer where there are fewer."""

BETAS = 2.5
"""So many deviations above the mean of the logarithms lies the threshold."""

_LEAST = 2
"""From fewer days with interruptions there is no deviation and no threshold."""


class Question(Struct, frozen=True, kw_only=True):
    """What is asked.

    Attributes:
        start, end: the period; an interruption counts when it began in it.
        cut_off: what was told of later does not count; what is not over lasted until then.
        rules: how to count.
        zone: the time zone of the rules.
        kind: planned and unplanned interruptions are counted apart.
        feeder: the mRID of the only feeder that counts, or None for all.
        with_major_days: whether what began on a major event day counts.
    """

    start: datetime
    end: datetime
    cut_off: datetime
    rules: CountingRules
    zone: tzinfo
    kind: InterruptionKind
    feeder: str | None
    with_major_days: bool


class Figures(Struct, frozen=True, kw_only=True):
    """What is answered; the names are those of the noun.

    ``caidi`` is None when nobody was interrupted for long, ``t_med`` when there is too little history.
    """

    customers_served: float
    customer_interruptions: int
    customer_minutes: float
    saifi: float
    saidi: float
    caidi: float | None
    asai: float
    maifi: float
    maifi_e: float
    cemi: float
    celid_s: float
    celid_t: float
    t_med: float | None
    major_event_days: int


def history_start(start: datetime, zone: tzinfo) -> datetime:
    """From when on the ledger is needed to answer a question about a period that begins at ``start``."""
    return _new_year(start.astimezone(zone).year - YEARS, zone)


def answers(
    questions: Sequence[Question], ledger: bytes, counts: Sequence[Count], counts_of_all: Sequence[Count]
) -> list[Figures]:
    """What :func:`figures` says to each question; ``ledger`` are the entries packed, as another process gets them.

    Raises:
        Invalid, Conflict: as :func:`figures` does.
    """
    entries = unpacked(ledger)
    return [figures(question, entries, counts, counts_of_all) for question in questions]


def figures(
    question: Question, entries: Sequence[Entry], counts: Sequence[Count], counts_of_all: Sequence[Count]
) -> Figures:
    """The indices of a period.

    Args:
        question: what is asked.
        entries: the ledger of the whole utility from :func:`history_start` on.
        counts: the customers served by the feeder that is asked for, or by all.
        counts_of_all: the customers served by all, for the major event days, which are those of the utility.

    Raises:
        Invalid: the period had not begun at the cut-off.
        Conflict: nobody has told of any customers.
    """
    until = min(question.end, question.cut_off)
    minutes = (until.astimezone(UTC) - question.start.astimezone(UTC)) / MINUTE
    served = average(counts, question.start, until)
    if minutes <= 0:
        raise Invalid("the period ends before it begins, or had not begun at the cut-off")
    if served <= 0:
        raise Conflict("no network model with customers is known, so there is nobody to count by")
    counted = interruptions(entries, question.cut_off)
    t_med, major = _major_days(question, [each for each in counted if not each.planned], counts_of_all)
    chosen = [each for each in counted if _counts(each, question)]
    left_out: Collection[date] = () if question.with_major_days else major
    inside = [each for each in chosen if _inside(each, question, left_out)]
    events = [each for each in momentary_events(chosen) if _inside(each, question, left_out)]
    sustained = [each for each in inside if each.sustained]
    frequency = sum(each.customers for each in sustained)
    duration = fsum(each.minutes for each in sustained)
    return Figures(
        customers_served=served,
        customer_interruptions=frequency,
        customer_minutes=duration,
        saifi=frequency / served,
        saidi=duration / served,
        caidi=duration / frequency if frequency else None,
        asai=1 - duration / (served * minutes),
        maifi=sum(each.customers for each in inside if not each.sustained) / served,
        maifi_e=sum(each.customers for each in events) / served,
        cemi=_many(sustained, question.rules) / served,
        celid_s=_long(sustained, question.rules, in_all=False) / served,
        celid_t=_long(sustained, question.rules, in_all=True) / served,
        t_med=t_med,
        major_event_days=len(major),
    )


def threshold(daily: Iterable[float], deviation: DeviationKind) -> float | None:
    """T_MED, the daily SAIDI above which a day is a major event day, from the daily SAIDI of earlier years.

    IEEE 1366, 2.5 beta: days without interruptions are left out; alpha and beta are mean and standard deviation of the
    logarithms. None from fewer than two days.
    """
    logs = [log(saidi) for saidi in daily if saidi > 0]
    if len(logs) < _LEAST:
        return None
    alpha = fsum(logs) / len(logs)
    divisor = len(logs) - 1 if deviation is DeviationKind.SAMPLE else len(logs)
    beta = sqrt(fsum((each - alpha) ** 2 for each in logs) / divisor)
    return exp(alpha + BETAS * beta)


def daily_saidi(counted: Iterable[Interruption], counts: Sequence[Count], zone: tzinfo) -> dict[date, float]:
    """The SAIDI of each local day on which a sustained interruption began; all its minutes belong to that day."""
    minutes: defaultdict[date, float] = defaultdict(float)
    for each in counted:
        if each.sustained:
            minutes[each.day(zone)] += each.minutes
    result = {}
    for day, total in minutes.items():
        served = average(counts, _midnight(day, zone), _midnight(day + timedelta(days=1), zone))
        if served > 0:
            result[day] = total / served
    return result


def _major_days(
    question: Question, counted: Sequence[Interruption], counts: Sequence[Count]
) -> tuple[float | None, frozenset[date]]:
    """The threshold of the year in which the period ends, and the major event days in it, each by its own year."""
    zone, deviation = question.zone, question.rules.deviation
    daily = daily_saidi(counted, counts, zone)
    first = question.start.astimezone(zone).date()
    last = (question.end - timedelta(microseconds=1)).astimezone(zone).date()
    thresholds: Mapping[int, float | None] = {
        year: threshold((daily[day] for day in sorted(daily) if year - YEARS <= day.year < year), deviation)
        for year in range(first.year, last.year + 1)
    }
    major = set()
    for day in daily:
        limit = thresholds.get(day.year)
        if first <= day <= last and limit is not None and daily[day] > limit:
            major.add(day)
    return thresholds[last.year], frozenset(major)


def _counts(each: Interruption, question: Question) -> bool:
    planned = question.kind is InterruptionKind.PLANNED
    return each.planned == planned and question.feeder in {None, each.feeder}


def _inside(each: Interruption, question: Question, left_out: Collection[date]) -> bool:
    return question.start <= each.began_at < question.end and each.day(question.zone) not in left_out


def _many(sustained: Iterable[Interruption], rules: CountingRules) -> int:
    """The customers with many interruptions."""
    times = Counter(each.usage_point for each in sustained)
    customers = {each.usage_point: each.customers for each in sustained}
    least = rules.cemi_interruptions + (rules.cemi_comparison is ComparisonKind.MORE_THAN)
    return sum(customers[point] for point, count in times.items() if count >= least)


def _long(sustained: Iterable[Interruption], rules: CountingRules, *, in_all: bool) -> int:
    """The customers with one long interruption, or with interruptions that are as long together."""
    lasted: defaultdict[str, timedelta] = defaultdict(timedelta)
    customers: dict[str, int] = {}
    for each in sustained:
        lasted[each.usage_point] = (
            lasted[each.usage_point] + each.duration if in_all else max(lasted[each.usage_point], each.duration)
        )
        customers[each.usage_point] = each.customers
    limit = timedelta(hours=rules.celid_hours)
    return sum(customers[point] for point, duration in lasted.items() if duration >= limit)


def _new_year(year: int, zone: tzinfo) -> datetime:
    return _midnight(date(year, 1, 1), zone)


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)
