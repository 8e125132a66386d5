"""Orders and crews: who gets which order, and what the reports of a crew come to (IEC 61968-6).

Reports arrive late and in any order, since crews work out of reach of the radio. An order only ever moves forward, and
what is found is kept whenever it arrives; so the same reports give the same order in any sequence.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from contracts.errors import Invalid
from contracts.nouns import maintenance_orders as orders
from contracts.nouns import work_requests as requests
from contracts.nouns.maintenance_orders import MaintenanceOrder
from contracts.nouns.work_requests import WorkRequest
from contracts.nouns.work_types import ActivityRecord, WorkKind, WorkStatusKind
from contracts.types import Name, NameType

K = WorkStatusKind

FORWARD = (
    K.WAITING_TO_BE_SCHEDULED,
    K.SCHEDULED,
    K.DISPATCHED,
    K.ENROUTE,
    K.ON_SITE,
    K.IN_PROGRESS,
    K.COMPLETED,
    K.CLOSED,
    K.CANCELLED,
)
"""The way of an order. A report may skip stages, whose own reports are still on their way, and never leads back.

What was cancelled stays so, whatever its crew reports."""

REPORTED = frozenset({K.DISPATCHED, K.ENROUTE, K.ON_SITE, K.IN_PROGRESS, K.COMPLETED})
"""What a crew may say of an order."""

ON_THE_BOOKS = frozenset({K.SCHEDULED, K.DISPATCHED, K.ENROUTE, K.ON_SITE, K.IN_PROGRESS})
"""An order in one of these occupies its crew."""

ASK_AGAIN = timedelta(minutes=15)
"""After this an order that every crew refused is offered again."""

LAST_RANK = 9
"""The rank of work whose requester states none; 1 is life and safety."""

_SKILLS = {
    WorkKind.REPAIR: frozenset({"line"}),
    WorkKind.CONNECT: frozenset({"service"}),
    WorkKind.DISCONNECT: frozenset({"service"}),
    WorkKind.RECONNECT: frozenset({"service"}),
}


class Crew(Struct, frozen=True, kw_only=True):
    """A crew on shift; it takes ``capacity`` orders at a time."""

    mrid: str
    name: str
    skills: frozenset[str]
    available: bool
    capacity: int


class Order(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An order with what the noun has no place for.

    Attributes:
        noun: the order as it is told.
        request: the mRID of the request that it fulfils.
        crew: the crew that it was sent to.
        refused: the crews that did not take it.
    """

    noun: MaintenanceOrder
    request: str
    requested_at: datetime
    crew: str | None = None
    refused: tuple[str, ...] = ()

    @property
    def mrid(self) -> str:
        """The mRID of the order."""
        return self.noun.mrid or ""

    @property
    def status(self) -> WorkStatusKind:
        """How far it is: as far as the work that is behind the others."""
        return min((work.status_kind or FORWARD[0] for work in self.noun.work), key=FORWARD.index)

    @property
    def rank(self) -> int:
        """How urgent it is; lower is sooner."""
        priority = self.noun.work[0].priority
        return LAST_RANK if priority is None or priority.rank is None else priority.rank

    @property
    def skills(self) -> frozenset[str]:
        """What a crew must be able to do."""
        needed = (_SKILLS.get(work.kind or WorkKind.OTHER, frozenset()) for work in self.noun.work)
        return frozenset().union(*needed)


def accept(request: WorkRequest, order: str, works: Sequence[str], now: datetime) -> tuple[WorkRequest, Order]:
    """The accepted request, whose works have an identity, and the order made from it.

    Args:
        request: what was asked for; its mRID is known.
        order: the mRID of the new order.
        works: an mRID for each of its works that has none.
        now: the time of the acceptance.

    Raises:
        Invalid: when it asks for no work, or for work without a task.
    """
    problems = [] if request.work else ["it asks for no work"]
    problems += [f"work {number} has no task" for number, work in enumerate(request.work, 1) if not work.work_tasks]
    if problems:
        raise Invalid("; ".join(problems), object_id=request.mrid)
    named = [
        replace(work, mrid=work.mrid or mrid, request_date_time=work.request_date_time or now)
        for work, mrid in zip(request.work, works, strict=True)
    ]
    accepted = replace(request, work=tuple(replace(work, status_kind=K.APPROVED) for work in named))
    request_name = Name(name=request.mrid or "", name_type=NameType(name="WorkRequest"))
    noun = MaintenanceOrder(
        mrid=order,
        organisation=request.organisation,
        work=tuple(_ordered(replace(work, names=(*work.names, request_name)), now) for work in named),
    )
    requested_at = min(work.request_date_time or now for work in named)
    return accepted, Order(noun=noun, request=request.mrid or "", requested_at=requested_at)


def _ordered(work: requests.Work, now: datetime) -> orders.Work:
    """A work as an order has it; every element of a request has the same name in an order."""
    same = msgspec.convert(msgspec.to_builtins(work, builtin_types=(datetime,)), orders.Work)
    return replace(same, status_kind=K.WAITING_TO_BE_SCHEDULED, last_modified_date_time=now)


def choose(crews: Iterable[Crew], order: Order, queues: Mapping[str, int]) -> Crew | None:
    """The crew for ``order``: available, able, willing and free, with the shortest queue; of equals the first mRID."""
    fit = [
        crew
        for crew in crews
        if crew.available
        and crew.skills >= order.skills
        and crew.mrid not in order.refused
        and queues.get(crew.mrid, 0) < crew.capacity
    ]
    return min(fit, key=lambda crew: (queues.get(crew.mrid, 0), crew.mrid), default=None)


def assign(waiting: Iterable[Order], crews: Sequence[Crew], queues: Mapping[str, int], now: datetime) -> list[Order]:
    """Those of the ``waiting`` orders that can be sent now, with their crews; the most urgent and oldest first."""
    load = dict(queues)
    sent = []
    for order in sorted(waiting, key=lambda each: (each.rank, each.requested_at, each.mrid)):
        crew = choose(crews, order, load)
        if crew is not None:
            load[crew.mrid] = load.get(crew.mrid, 0) + 1
            sent.append(_given_to(order, crew, now))
    return sent


def _given_to(order: Order, crew: Crew, now: datetime) -> Order:
    who = orders.Crew(mrid=crew.mrid, names=(Name(name=crew.name),))
    works = tuple(
        replace(work, work_tasks=tuple(replace(task, crews=(who,)) for task in work.work_tasks))
        for work in order.noun.work
    )
    return _moved(replace(order, crew=crew.mrid, noun=replace(order.noun, work=works)), K.SCHEDULED, now)


def taken(order: Order, now: datetime) -> Order:
    """``order`` after its crew said that it takes it; nothing changes when its reports were faster."""
    return _moved(order, K.DISPATCHED, now) if order.status is K.SCHEDULED else order


def refused(order: Order, now: datetime) -> Order:
    """``order`` after its crew did not take it: it waits for another."""
    if order.status is not K.SCHEDULED or order.crew is None:
        return order
    again = replace(order, crew=None, refused=(*order.refused, order.crew))
    return _moved(again, K.WAITING_TO_BE_SCHEDULED, now)


def reported(order: Order, report: MaintenanceOrder) -> Order:
    """``order`` with what its crew reports of each work.

    Raises:
        Invalid: when it reports on no work, or says what only a dispatcher can.
    """
    told = {work.mrid: work for work in report.work}
    if told.keys() & {work.mrid for work in order.noun.work} != told.keys() or not told:
        raise Invalid("the report must be about works of the order", object_id=order.mrid)
    for work in report.work:
        if work.status_kind is not None and work.status_kind not in REPORTED:
            raise Invalid(f"a crew cannot make an order '{work.status_kind.value}'", object_id=order.mrid)
    works = tuple(_merged(work, told[work.mrid]) if work.mrid in told else work for work in order.noun.work)
    return replace(order, noun=replace(order.noun, work=works))


def _merged(work: orders.Work, report: orders.Work) -> orders.Work:
    """What is known of a work and what is reported of it, put together so that the sequence does not matter."""
    records = tuple(sorted({*work.activity_records, *report.activity_records}, key=_record))
    newest = _newest_finding(records)
    tasks = work.work_tasks
    if newest is not None and newest == _newest_finding(report.activity_records):
        found = {task.mrid: task.assets for task in report.work_tasks}
        tasks = tuple(replace(task, assets=found.get(task.mrid, task.assets)) for task in tasks)
    status = max(work.status_kind or FORWARD[0], report.status_kind or FORWARD[0], key=FORWARD.index)
    times = [each for each in (work.last_modified_date_time, report.last_modified_date_time) if each is not None]
    return replace(
        work,
        activity_records=records,
        last_modified_date_time=max(times, default=None),
        status_kind=status,
        work_tasks=tuple(replace(task, status_kind=status) for task in tasks),
    )


def _record(record: ActivityRecord) -> tuple[float, str, str, str]:
    at = 0.0 if record.created_date_time is None else record.created_date_time.timestamp()
    return (at, record.type or "", record.reason or "", record.severity or "")


def _newest_finding(records: Iterable[ActivityRecord]) -> ActivityRecord | None:
    return max((record for record in records if record.type == "finding"), key=_record, default=None)


def cancelled(order: Order, now: datetime) -> Order:
    """``order`` after nobody wants it any more; what is done already stays done."""
    return order if order.status in {K.COMPLETED, K.CLOSED, K.CANCELLED} else _moved(order, K.CANCELLED, now)


def closed(order: Order, now: datetime) -> Order:
    """``order`` after the office has looked at what the crew completed; here it always agrees."""
    return _moved(order, K.CLOSED, now)


def _moved(order: Order, status: WorkStatusKind, now: datetime) -> Order:
    works = tuple(
        replace(
            work,
            status_kind=status,
            last_modified_date_time=max(now, work.last_modified_date_time or now),
            work_tasks=tuple(replace(task, status_kind=status) for task in work.work_tasks),
        )
        for work in order.noun.work
    )
    return replace(order, noun=replace(order.noun, work=works))
