"""What others tell of the places of meters, and what is asked of customer management (IEC 61968-6, 61968-8)."""

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from contracts.nouns.maintenance_orders import MaintenanceOrders, Work
from contracts.nouns.planned_outage_notifications import PlannedOutageNotification
from contracts.nouns.service_requests import ServiceRequest, ServiceRequests, ServiceRequestState
from contracts.nouns.work_types import WorkKind, WorkStatusKind
from contracts.types import ObjectReference, Status
from services.meter_reading_and_control.domain.reads import Job
from services.meter_reading_and_control.domain.suppression import Planned
from services.meter_reading_and_control.domain.tamper import Suspicion

_THERE = frozenset({WorkStatusKind.ON_SITE, WorkStatusKind.IN_PROGRESS})
_OVER = frozenset({WorkStatusKind.COMPLETED, WorkStatusKind.CLOSED, WorkStatusKind.CANCELLED})


class Progress(Struct, frozen=True, kw_only=True):
    """People have come to some places, or have left them."""

    work: str
    places: tuple[str, ...]
    at: datetime
    has_left: bool


def progress(noun: MaintenanceOrders, now: datetime) -> Iterable[Progress]:
    """What orders say of people at places; a repair explains nothing, since what is broken is what it is for."""
    for order in noun.maintenance_order:
        for work in order.work:
            if work.mrid is not None and work.kind is not WorkKind.REPAIR and work.status_kind in _THERE | _OVER:
                at = work.last_modified_date_time or now
                yield Progress(work=work.mrid, places=_places(work), at=at, has_left=work.status_kind in _OVER)


def _places(work: Work) -> tuple[str, ...]:
    assets = (asset for task in work.work_tasks for asset in (*task.assets, task.old_asset) if asset is not None)
    return tuple(asset.mrid for asset in assets if asset.mrid is not None)


def planned(notice: PlannedOutageNotification) -> list[Planned]:
    """The usage points that will be without power, and when."""
    period = notice.planned_period
    if period is None or period.start is None or period.end is None:
        return []
    points = (each.mrid for each in notice.usage_points if each.mrid is not None)
    return [Planned(usage_point=point, starts=period.start, ends=period.end) for point in dict.fromkeys(points)]


def inspection(suspicion: Suspicion, job: Job) -> ServiceRequests:
    """A case for customer management, which has the place looked at."""
    read = [each for reading in job.answered for each in reading.readings]
    shows = ", ".join(f"{each.value} ({each.reading_type.ref})" for each in read)
    status = f"the meter answers and shows {shows}" if shows else f"the meter does not answer: {job.failures[0].reason}"
    request = ServiceRequest(
        mrid=suspicion.request,
        description=f"{suspicion.reason} since {suspicion.since.isoformat()}; {status}",
        kind=WorkKind.INSPECTION,
        request_date_time=suspicion.latest,
        subject=f"meter {suspicion.meter} may have been tampered with (score {suspicion.score})",
        type="revenue protection",
        usage_point=ObjectReference(mrid=suspicion.usage_point),
    )
    return ServiceRequests(service_request=(request,))


def withdrawn(suspicion: Suspicion) -> ServiceRequests:
    """A case that was none."""
    status = Status(value=ServiceRequestState.CANCELLED, reason=suspicion.reason)
    return ServiceRequests(service_request=(ServiceRequest(mrid=suspicion.request, status=status),))
