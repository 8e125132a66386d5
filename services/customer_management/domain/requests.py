"""Service requests: from the first word to the confirmation (metering guide 2.8)."""

from datetime import datetime

from msgspec.structs import replace

from contracts.errors import Conflict, Invalid
from contracts.nouns.service_requests import ServiceRequest, ServiceRequestState
from contracts.types import ObjectReference, Status

R = ServiceRequestState

NEXT: dict[ServiceRequestState, frozenset[ServiceRequestState]] = {
    R.RECEIVED: frozenset({R.CLASSIFIED, R.CANCELLED}),
    R.CLASSIFIED: frozenset({R.IN_PROGRESS, R.RESOLVED, R.CANCELLED}),
    R.IN_PROGRESS: frozenset({R.RESOLVED, R.CANCELLED}),
    R.RESOLVED: frozenset({R.CONFIRMED, R.REOPENED}),
    R.REOPENED: frozenset({R.IN_PROGRESS, R.RESOLVED, R.CANCELLED}),
    R.CONFIRMED: frozenset(),
    R.CANCELLED: frozenset(),
}

FINAL = frozenset({R.CONFIRMED, R.CANCELLED})


def state(request: ServiceRequest) -> ServiceRequestState:
    """Where a request is in its life.

    Raises:
        Invalid: the status is none of a request.
    """
    value = None if request.status is None else request.status.value
    if value is not None and value not in set(R):
        raise Invalid(f"status/value: '{value}'; a request may be {', '.join(R)}", object_id=request.mrid)
    return R.RECEIVED if value is None else R(value)


def received(request: ServiceRequest, now: datetime) -> ServiceRequest:
    """A new request; one that says which kind of work it needs is classified by that.

    Raises:
        Invalid: it does not say where.
    """
    if request.usage_point is None and request.service_location is None:
        raise Invalid("a request is about a usage point or a service location", object_id=request.mrid)
    to = R.RECEIVED if request.kind is None else R.CLASSIFIED
    return _in_state(replace(request, created_date_time=request.created_date_time or now), to, now, None)


def moved(request: ServiceRequest, to: ServiceRequestState, now: datetime, reason: str | None = None) -> ServiceRequest:
    """A request in another state.

    Raises:
        Conflict: the state may not follow.
    """
    before = state(request)
    if to is before:
        return request
    if to not in NEXT[before]:
        raise Conflict(f"a request that is {before} cannot become {to}", object_id=request.mrid)
    return _in_state(request, to, now, reason)


def with_work(request: ServiceRequest, work: str, now: datetime) -> ServiceRequest:
    """A request for which work was ordered."""
    return moved(replace(request, works=(*request.works, ObjectReference(mrid=work))), R.IN_PROGRESS, now)


def _in_state(request: ServiceRequest, to: ServiceRequestState, now: datetime, reason: str | None) -> ServiceRequest:
    return replace(
        request,
        last_modified_date_time=now,
        revision_number=(request.revision_number or 0) + 1,
        status=Status(date_time=now, reason=reason, value=to),
    )
