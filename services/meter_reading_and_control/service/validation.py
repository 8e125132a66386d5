"""What a rule set says of the readings of usage points: a preview, of which nothing is kept."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date

from contracts.codes.reading_type import ReadingTypeCode
from contracts.nouns.meter_readings import MeterReadings
from services.meter_reading_and_control.domain import calendar
from services.meter_reading_and_control.domain.vee.days import is_judged
from services.meter_reading_and_control.domain.vee.findings import Said, kept
from services.meter_reading_and_control.domain.vee.judging import Case, Interruptions, Verdict, interruptions, judged
from services.meter_reading_and_control.domain.vee.rule_sets import RuleSet, chosen
from services.meter_reading_and_control.domain.vee.statistics import HISTORY
from services.meter_reading_and_control.service.beside import beside
from services.meter_reading_and_control.service.sides import told_in_values
from services.meter_reading_and_control.store import Store
from services.meter_reading_and_control.views.answers import Question
from services.meter_reading_and_control.views.derived import Equipment
from services.meter_reading_and_control.views.judged import Preview, cases_of, of_usage_point
from shared.work import Work


async def previews(
    point: str, equipment: Equipment, asked: Question, wanted: Preview, work: Work[Store]
) -> AsyncIterator[MeterReadings]:
    """The days of a usage point that are over, by weeks, as ``wanted`` rule sets have them."""
    zone = work.store.memory.zone
    pages = work.store.events([point], None, None, is_dropped=False)
    off = interruptions([event async for page in pages for event in page])
    for week in calendar.weeks(*await work.store.known_days(point, calendar.days(asked.start, asked.end, zone))):
        cases = await week_of(point, week, equipment, asked, work, off=off)
        said = await work.store.said(point, week, asked.as_of) if wanted.to_kept else {}
        verdicts = {(str(each.reading_type), each.day): said_of(each, wanted, said, work) for each in cases}
        shown = of_usage_point(point, verdicts, asked, zone)
        if shown is not None:
            yield MeterReadings(meter_reading=(shown,))


async def week_of(
    point: str,
    week: tuple[date, date],
    equipment: Equipment,
    asked: Question,
    work: Work[Store],
    *,
    off: Interruptions,
) -> Sequence[Case]:
    """What is known of the days of a week that are over, with four weeks before them."""
    zone = work.store.memory.zone
    known = await work.store.blocks([point], (week[0] - HISTORY, week[1]), asked.as_of)
    edges = (calendar.bounds(week[0], zone)[0], calendar.bounds(week[1], zone)[1])
    reads = [register for register, _ in await work.store.registers([point], edges, asked.as_of)]
    own = [equipment.there(each, zone) for each in known if asked.about(point, each.meter)]
    over = (week[0], min(week[1], calendar.market_day(work.now, zone) - calendar.DAY))
    days = [*calendar.each_day(*over)]
    told = told_in_values(asked.as_of)
    codes = {ReadingTypeCode.parse(each.reading_type) for each in own}
    others = {
        (code, day): each
        for code in codes
        if is_judged(code)
        for (_, day), each in (await beside([point], code, days, told, work)).items()
    }
    cases = cases_of(point, own, reads, asked, days=over, equipment=equipment, zone=zone, off=off, beside=others)
    return [*cases]


def said_of(
    case: Case, wanted: Preview, known: Mapping[tuple[str, date], Said], work: Work[Store]
) -> dict[int, Verdict]:
    """What is said of the intervals of a day, by place; of what is compared only where it differs.

    With what is ``known`` of judgements that are kept it may be compared too.
    """
    said = said_by(case, wanted.by, work)
    if wanted.to_kept:
        other = kept(case.known, known.get((str(case.reading_type), case.day)))
    elif wanted.compared_to is not None:
        other = said_by(case, wanted.compared_to, work)
    else:
        return dict(enumerate(said))
    return {place: each for place, (each, was) in enumerate(zip(said, other, strict=True)) if each.differs(was)}


def said_by(case: Case, rule_sets: Sequence[RuleSet], work: Work[Store]) -> list[Verdict]:
    """What the rule set that is valid for the day, and for the class of the usage point, says of it."""
    rule_set = chosen(rule_sets, case.beside.of_class, str(case.reading_type), case.day)
    return judged(case, rule_set, work.store.memory.zone)
