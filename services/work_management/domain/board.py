"""The board of the dispatcher: orders as jobs, and as what crews have in hand."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from contracts.nouns.work_types import WorkTimeScheduleKind
from contracts.types import DateTimeInterval
from services.work_management.domain.life import Life
from services.work_management.domain.orders import (
    VEHICLE,
    Order,
    device_of,
    interval_of,
    items_of,
    job_hours,
    named,
    place_of,
    skills_of,
)
from services.work_management.domain.places import Place, travel
from services.work_management.domain.planning import Engagement, Job
from services.work_management.domain.states import IN_HAND, STARTED, State
from services.work_management.domain.storm import nearest_above

OUTAGE = "UnplannedOutage"


class Surroundings(Struct, frozen=True, kw_only=True):
    """What of the network matters to orders.

    Attributes:
        places: where devices are.
        upstream: what lies between a device and the source, the nearest first.
        weights: of the customers who are without power by each outage.
    """

    places: Mapping[str, Place] = {}
    upstream: Mapping[str, list[str]] = {}
    weights: Mapping[str, float] = {}


def devices_and_outages(orders: Iterable[Order]) -> tuple[list[str], list[str]]:
    """What has to be known of the network for these orders."""
    known = list(orders)
    devices = {device for order in known if (device := device_of(order)) is not None}
    return sorted(devices), sorted({outage for order in known for outage in named(order, OUTAGE)})


def jobs(orders: Iterable[Order], now: datetime, around: Surroundings) -> list[Job]:
    """Those of the orders that wait for a crew."""
    waiting = {order.mrid: order for order in orders if order.state is State.PLANNED}
    damages = {
        mrid: device
        for mrid, order in waiting.items()
        if (device := device_of(order)) is not None and named(order, OUTAGE)
    }
    above = nearest_above(damages, around.upstream)
    return [
        replace(
            job_of(order, now, around.places),
            device=damages.get(mrid),
            above=above.get(mrid),
            weight=sum(around.weights.get(outage, 1.0) for outage in named(order, OUTAGE)),
        )
        for mrid, order in waiting.items()
    ]


def job_of(order: Order, now: datetime, places: Mapping[str, Place]) -> Job:
    """An order by itself."""
    window = _first(order, WorkTimeScheduleKind.REQUEST)
    earliest = _first(order, WorkTimeScheduleKind.EARLIEST)
    latest = _first(order, WorkTimeScheduleKind.LATEST)
    appointment = window if window is not None and window.end is not None else None
    missed = appointment is not None and appointment.end is not None and appointment.end <= now
    return Job(
        order=order.mrid,
        rank=order.rank,
        requested_at=order.requested_at,
        skills=skills_of(order),
        vehicles=frozenset(named(order, VEHICLE)),
        hours=job_hours(order),
        place=place_of(order) or places.get(device_of(order) or ""),
        window=appointment,
        earliest=None if earliest is None else earliest.start,
        latest=None if latest is None else latest.end,
        refused_by=order.refused_by,
        lacks=(*order.lacks, *(("another appointment",) if missed else ())),
    )


def _first(order: Order, kind: WorkTimeScheduleKind) -> DateTimeInterval | None:
    spans = (interval_of(each, kind) for work in order.noun.work for each in items_of(work))
    return next((span for span in spans if span is not None), None)


def engagements(orders: Iterable[Order], now: datetime, places: Mapping[str, Place]) -> list[Engagement]:
    """What crews have in hand or are booked for; what takes longer than was thought ends now at the earliest."""
    found = []
    for order in orders:
        crew, life = order.crew, _open_life(order)
        if crew is None or life is None:
            continue
        job = job_of(order, now, places)
        booked = life.state is State.SCHEDULED
        leaves = life.until if booked else life.since
        arrives = (leaves or now) + travel(None, None) if booked else life.until
        began = life.when(*STARTED) or arrives or now
        found.append(
            Engagement(
                order=order.mrid,
                crew=crew,
                leaves=leaves or now,
                ends=max(now, began + job.hours),
                place=job.place,
                rank=order.rank,
                booked=booked,
                begun=life.state in {*STARTED, State.RECALLED},
            )
        )
    return found


def _open_life(order: Order) -> Life | None:
    busy = {State.SCHEDULED, *IN_HAND}
    return next((life for life in order.lives() if life.state in busy and life.crew is not None), None)
