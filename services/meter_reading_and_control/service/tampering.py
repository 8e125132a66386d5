"""Somebody may tamper with a meter: it is read, and where enough speaks for it people are asked to look."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, tzinfo

import numpy as np
from msgspec import json
from msgspec.structs import replace

from contracts.codes.end_device_events import EventKind
from contracts.codes.reading_type import ReadingTypeCode
from contracts.nouns.reading_types import ReadingReasonKind
from contracts.verbs import Verb
from services.meter_reading_and_control.domain import calendar, usage_points
from services.meter_reading_and_control.domain.events import Heard
from services.meter_reading_and_control.domain.reads import Job, Part, Wanted
from services.meter_reading_and_control.domain.suppression import CORRELATED, explaining, explains_day
from services.meter_reading_and_control.domain.tamper import (
    LEFT,
    TELLING,
    WINDOW,
    Sign,
    Suspicion,
    SuspicionState,
    are_as_usual,
    cleared,
    explained,
    has_dropped,
    is_use,
    shown,
    signs,
    suspected,
)
from services.meter_reading_and_control.domain.vee import months
from services.meter_reading_and_control.domain.vee.findings import Finding
from services.meter_reading_and_control.domain.vee.statistics import Statistics
from services.meter_reading_and_control.domain.vee.statistics import before as usual_before
from services.meter_reading_and_control.service.asking import ask
from services.meter_reading_and_control.service.bunches import Known
from services.meter_reading_and_control.service.declared import service
from services.meter_reading_and_control.service.places import Place
from services.meter_reading_and_control.store import Store
from services.meter_reading_and_control.views import surroundings
from shared.work import Wake, Work


async def look_for_tampering(heard: Sequence[Heard], work: Work[Store]) -> None:
    """Weigh what meters have told, where something speaks for tampering, or did before."""
    concerned = [each for each in heard if each.kind in {*TELLING, EventKind.TAMPER_CLEARED, EventKind.POWER_LOST}]
    points = [each.usage_point for each in concerned if each.usage_point is not None]
    before = await work.store.suspicions(points) if points else {}
    for each in concerned:
        known = before.get(each.usage_point or "")
        is_open = known is not None and known.is_open
        if each.kind is EventKind.TAMPER_CLEARED and known is not None:
            before[known.usage_point] = cleared(known, each.happened_at)
            await work.store.save_suspicion(before[known.usage_point])
        elif each.usage_point is not None and (each.kind in TELLING or is_open):
            period = (each.happened_at, each.happened_at)
            if (after := await weigh(each.usage_point, each.meter, period, known, work)) is not None:
                before[each.usage_point] = after


async def look_at_days(
    known: Known, found: Mapping[int, Finding], before: Mapping[int, Finding], work: Work[Store]
) -> None:
    """Weigh what was found anew of a day, where it may be a sign of tampering or was one before."""
    if not is_use(known.code):
        return
    concerned = {
        place.usage_point: meter
        for place in known.places
        if (new := found.get(place.first)) is not None
        and (shown(new) or ((old := before.get(place.first)) is not None and shown(old)))
        and (meter := meter_of(place, known, work))
    }
    suspected_before = await work.store.suspicions(concerned) if concerned else {}
    period = calendar.bounds(known.day, work.store.memory.zone)
    for point, meter in sorted(concerned.items()):
        await weigh(point, meter, period, suspected_before.get(point), work)


async def look_at_month(known: Known, usual: Statistics, work: Work[Store]) -> None:
    """Keep what was used on average in the month of a day, once that is over; who uses far less than before is weighed.

    That is done when the neighbours, who may be in other bunches, have been judged as well.
    """
    month = months.number_of(known.day)
    use = months.mean_use(usual, month)
    if not is_use(known.code) or np.isnan(use).all():
        return
    before = await work.store.monthly_use(known.series)
    after = months.with_month(before, month, use)
    await work.store.save_monthly_use(known.series, after)
    fell = [months.shares(each, month) < LEFT for each in (before, after)]
    for row in np.flatnonzero(fell[0] | fell[1]).tolist():
        point, meter = known.places[row].usage_point, meter_of(known.places[row], known, work)
        if meter:
            payload = json.encode((meter, month)).decode()
            work.wake("usage-fell", point, work.now + work.store.memory.judge_late, payload, new_thread=True)


@service.on_wake("usage-fell")
async def look_at_fall(wake: Wake, work: Work[Store]) -> None:
    """Far less was used at a usage point in a month than before, or was when that was judged last."""
    meter, month = json.decode(wake.payload, type=tuple[str, int])
    before = (await work.store.suspicions([wake.key])).get(wake.key)
    period = calendar.bounds(months.first_day(month + 1) - calendar.DAY, work.store.memory.zone)
    await weigh(wake.key, meter, period, before, work)


def meter_of(place: Place, known: Known, work: Work[Store]) -> str:
    """The meter that was last at a usage point on a day; empty where none was."""
    edges = calendar.bounds(known.day, work.store.memory.zone)
    there = [each for each in place.equipment.installed if each.touches(*edges)]
    return there[-1].meter if there else ""


async def signs_of_days(point: str, meter: str, at: datetime, work: Work[Store]) -> frozenset[Sign]:
    """What days that are over show at a usage point; a day within one of work there shows nothing."""
    zone = work.store.memory.zone
    found = await work.store.found_since(point, calendar.market_day(at - WINDOW, zone))
    works = await work.store.works_at([point, meter])
    last: dict[Sign, tuple[date, str]] = {}
    for code, day, finding in found:
        edges = calendar.bounds(day, zone)
        if is_use(ReadingTypeCode.parse(code)) and not explains_day(works, [point, meter], edges):
            last |= {sign: max((day, code), last.get(sign, (day, code))) for sign in shown(finding)}
    if Sign.ZERO_AMONG_NEIGHBOURS in last:
        day, code = last[Sign.ZERO_AMONG_NEIGHBOURS]
        others = await work.store.statistics(await work.store.neighbours(point, code))
        if not are_as_usual(usual_before(others, day + calendar.DAY, 0)):
            del last[Sign.ZERO_AMONG_NEIGHBOURS]
    seen = set(last)
    month = months.number_of(calendar.market_day(at, zone)) - 1
    edges = month_of(month, zone)
    is_shown = at - edges[1] <= WINDOW and not explains_day(works, [point, meter], edges)
    if is_shown and await dropped_in(point, month, edges[1], work):
        seen.add(Sign.USAGE_DROPPED)
    lost = await work.store.balance_loss_at(point)
    if lost is not None and not explains_day(works, [point, meter], calendar.bounds(lost, zone)):
        seen.add(Sign.BALANCE_LOSS)
    return frozenset(seen)


async def dropped_in(point: str, month: int, at: datetime, work: Work[Store]) -> bool:
    """Whether far less was used in a month than in the year before by the same people, and neighbours go on as before.

    Where a generator is registered less is taken from the network.
    """
    setup = usage_points.at((await work.store.usage_points([point])).get(point, ()), at)
    if setup is not None and usage_points.named(setup, usage_points.GENERATION):
        return False
    turns = (usage_points.last_turn(each, at) for each in (await work.store.agreed_at([point])).get(point, ()))
    turn = max((each for each in turns if each is not None), default=None)
    since = 0 if turn is None else months.number_of(calendar.market_day(turn, work.store.memory.zone))
    for code, first in (await work.store.firsts_of([point])).get(point, {}).items():
        if is_use(ReadingTypeCode.parse(code)):
            (share,) = months.shares(await work.store.monthly_use([first]), month, since).tolist()
            others = months.shares(await work.store.monthly_use(await work.store.neighbours(point, code)), month)
            if has_dropped(share, others):
                return True
    return False


def month_of(number: int, zone: tzinfo) -> tuple[datetime, datetime]:
    """The first instant of a month and the first after it."""
    first, after = (calendar.bounds(months.first_day(each), zone)[0] for each in (number, number + 1))
    return first, after


async def weigh(
    point: str, meter: str, period: tuple[datetime, datetime], before: Suspicion | None, work: Work[Store]
) -> Suspicion | None:
    """What is suspected of a usage point after an event, or after a day that is over; None where nothing is or was.

    With the first sign of an event its meter is read, and with a case in any case.
    """
    is_event, at = period[0] == period[1], period[1]
    told = signs(await work.store.happened(point, at - WINDOW), at)
    of_days = await signs_of_days(point, meter, at, work)
    seen = tuple(sign for sign in Sign if sign in {*told, *of_days})
    if not seen and (before is None or not before.is_open):
        return before
    new = Suspicion(
        usage_point=point, meter=meter, since=period[0], latest=at, state=SuspicionState.WATCHED, signs=seen
    )
    works = explaining(await work.store.works_at([point, meter]), [point, meter], at) if is_event else None
    config = work.store.memory
    after = suspected(before, new, config.tamper_weights, config.tamper_case, None if works is None else works.work)
    is_other = before is None or not before.is_open or before.state is not after.state
    if after.is_open and is_other and (is_event or after.state is SuspicionState.CASE):
        part = Part(wanted=Wanted(meter=meter), usage_point=point)
        job = Job(
            mrid=work.new_id(),
            parts=(part,),
            asked_at=work.now,
            due_at=work.now + config.read_patience,
            reason=ReadingReasonKind.OTHER,
            then="suspect-read",
            about=point,
        )
        after = replace(after, reading=job.mrid)
        await ask(job, work)
    await work.store.save_suspicion(after)
    return after


@service.on_wake("suspect-read")
async def make_case(wake: Wake, work: Work[Store]) -> None:
    """The meter was read, or did not answer; a case goes to customer management, once."""
    job = json.decode(wake.payload, type=Job)
    suspicion = (await work.store.suspicions([wake.key])).get(wake.key)
    if suspicion is None or suspicion.state is not SuspicionState.CASE or suspicion.request:
        return
    if job.mrid != suspicion.reading:
        return
    suspicion = replace(suspicion, request=work.new_id())
    await work.store.save_suspicion(suspicion)
    work.send(Verb.CREATE, surroundings.inspection(suspicion, job), about=wake.key)


async def explain(name: str, places: Iterable[str], at: datetime, work: Work[Store]) -> None:
    """Work that is heard of explains what was suspected at its place within a day."""
    for suspicion in (await work.store.suspicions(places)).values():
        if suspicion.is_open and abs(suspicion.latest - at) <= CORRELATED:
            await work.store.save_suspicion(explained(suspicion, name))
            if suspicion.request:
                work.send(Verb.CHANGE, surroundings.withdrawn(explained(suspicion, name)), about=suspicion.usage_point)
