"""Somebody may tamper with a meter: it is read, and where enough speaks for it people are asked to look."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec import json
from msgspec.structs import replace

from contracts.codes.end_device_events import EventKind
from contracts.nouns.reading_types import ReadingReasonKind
from contracts.verbs import Verb
from services.meter_reading_and_control.domain.events import Heard
from services.meter_reading_and_control.domain.reads import Job, Part, Wanted
from services.meter_reading_and_control.domain.suppression import CORRELATED, explaining
from services.meter_reading_and_control.domain.tamper import (
    TELLING,
    WINDOW,
    Suspicion,
    SuspicionState,
    cleared,
    explained,
    signs,
    suspected,
)
from services.meter_reading_and_control.service.asking import ask
from services.meter_reading_and_control.service.declared import service
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
            before[each.usage_point] = await weigh(each, known, work)


async def weigh(each: Heard, before: Suspicion | None, work: Work[Store]) -> Suspicion:
    """What is suspected of a usage point after an event; when that is more than before, its meter is read."""
    point, at = each.usage_point or "", each.happened_at
    shown = signs(await work.store.happened(point, at - WINDOW), at)
    told = Suspicion(
        usage_point=point, meter=each.meter, since=at, latest=at, state=SuspicionState.WATCHED, signs=shown
    )
    works = explaining(await work.store.works_at([point, each.meter]), [point, each.meter], at)
    config = work.store.memory
    after = suspected(before, told, config.tamper_weights, config.tamper_case, None if works is None else works.work)
    if after.is_open and (before is None or not before.is_open or before.state is not after.state):
        part = Part(wanted=Wanted(meter=each.meter), usage_point=point)
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
