"""Orders: made from requests, moved by facts, told as MaintenanceOrders (IEC 61968-6).

One crew has an order with all its tasks; what takes two crews is two orders. What the profile has no place for stands
in names: the type ``Capability`` is a skill that the work takes (twice for two people), ``Vehicle`` the type of a
vehicle, ``SafetyDocument`` a clearance that must be issued before anybody works and released before the order is
closed. A schedule of the kind ``request`` with a start and an end is an appointment, ``estimate`` how long it takes.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from contracts.errors import Conflict, Invalid
from contracts.nouns import maintenance_orders as orders
from contracts.nouns import work_requests as requests
from contracts.nouns.maintenance_orders import MaintenanceOrder
from contracts.nouns.work_requests import WorkRequest
from contracts.nouns.work_types import (
    ActivityRecord,
    WorkKind,
    WorkStatusKind,
    WorkTimeSchedule,
    WorkTimeScheduleKind,
)
from contracts.types import DateTimeInterval, Name, NameType
from services.work_management.domain.life import Fact, Life, after, in_order, play
from services.work_management.domain.places import Place, place_in
from services.work_management.domain.planning import LAST_RANK
from services.work_management.domain.states import IN_HAND, OVER, TOLD, Event, State, whole

CAPABILITY, VEHICLE, CLEARANCE, REQUEST, FOLLOWS = (
    "Capability",
    "Vehicle",
    "SafetyDocument",
    "WorkRequest",
    "FollowedWork",
)

MATERIAL = "material"
"""How a lack of material begins in words."""

ASK_AGAIN = timedelta(minutes=15)
"""After this an order that every crew refused is offered again."""

ANSWER_WITHIN = timedelta(minutes=5)
"""A crew that has not said by then that it takes an order is not counted on; policy."""

_SKILLS = {
    WorkKind.REPAIR: ("line",),
    WorkKind.CONNECT: ("service",),
    WorkKind.DISCONNECT: ("service",),
    WorkKind.RECONNECT: ("service",),
}

_HOURS = {
    WorkKind.REPAIR: 1.5,
    WorkKind.CONSTRUCTION: 8.0,
    WorkKind.MAINTENANCE: 2.0,
    WorkKind.CONNECT: 0.5,
    WorkKind.DISCONNECT: 0.5,
    WorkKind.RECONNECT: 0.5,
}
"""The median hours of a kind of work until somebody has looked [P]; policy."""

OTHER_HOURS = 1.0

T = TypeVar("T", orders.Work, requests.Work)


class Told(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a crew said of a task at a time: its assets, what went out, what it used."""

    at: datetime
    task: orders.WorkTask
    done: bool = False


class Order(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An order with what the noun has no place for.

    Attributes:
        noun: the order as it is told.
        planned: the order as it was planned, before any crew said anything of it.
        request: the mRID of the request that it fulfils.
        facts: what was decided and reported.
        records, told: what crews reported besides.
        begins: the state in which it was made.
        asked_again: what crews refused before this does not count any more.
        lacks: what has to be there before anybody is sent.
    """

    noun: MaintenanceOrder
    planned: MaintenanceOrder
    request: str
    requested_at: datetime
    begins: State = State.PLANNED
    facts: tuple[Fact, ...] = ()
    records: tuple[tuple[str, ActivityRecord], ...] = ()
    told: tuple[Told, ...] = ()
    asked_again: datetime | None = None
    lacks: tuple[str, ...] = ()
    crew: str | None = None
    state: State = State.PLANNED

    @property
    def mrid(self) -> str:
        """The mRID of the order."""
        return self.noun.mrid or ""

    @property
    def status(self) -> WorkStatusKind:
        """How it is told."""
        return TOLD[self.state]

    @property
    def tasks(self) -> list[orders.WorkTask]:
        """The tasks of all its works."""
        return [task for work in self.noun.work for task in work.work_tasks]

    @property
    def works(self) -> list[str]:
        """The mRIDs of its works."""
        return [work.mrid for work in self.noun.work if work.mrid is not None]

    @property
    def rank(self) -> int:
        """How urgent it is; lower is sooner."""
        ranks = (work.priority.rank for work in self.noun.work if work.priority is not None)
        return min((rank for rank in ranks if rank is not None), default=LAST_RANK)

    def life(self, task: str) -> Life:
        """The life of one of its tasks."""
        return play(self.facts, task, self.begins)

    def lives(self) -> list[Life]:
        """The lives of its tasks."""
        return [self.life(task.mrid or "") for task in self.tasks]

    @property
    def refused_by(self) -> frozenset[str]:
        """The crews that did not take it, or did not answer, since it was last offered to everybody."""
        no = {Event.DECLINE, Event.TIME_OUT}
        return frozenset(
            fact.crew
            for fact in self.facts
            if fact.event in no and fact.crew is not None and (self.asked_again is None or fact.at > self.asked_again)
        )


def accept(request: WorkRequest, order: str, ids: Sequence[str], now: datetime) -> tuple[WorkRequest, Order]:
    """The accepted request, whose works and tasks have an identity, and the order made from it.

    A work that waits for its approval is planned after that.

    Args:
        request: what was asked for; its mRID is known.
        order: the mRID of the new order.
        ids: an mRID for each work and each task that has none.
        now: the time of the acceptance.

    Raises:
        Invalid: when it asks for no work, for work without a task, or for the same task twice.
    """
    problems = [] if request.work else ["it asks for no work"]
    problems += [f"work {number} has no task" for number, work in enumerate(request.work, 1) if not work.work_tasks]
    if problems:
        raise Invalid("; ".join(problems), object_id=request.mrid)
    left = iter(ids)
    named = [
        replace(
            work,
            mrid=work.mrid or next(left),
            request_date_time=work.request_date_time or now,
            work_tasks=tuple(replace(task, mrid=task.mrid or next(left)) for task in work.work_tasks),
        )
        for work in request.work
    ]
    twice = [
        mrid for mrid, times in Counter(task.mrid for work in named for task in work.work_tasks).items() if times > 1
    ]
    if twice:
        raise Invalid("two of its tasks have the same mRID", object_id=twice[0])
    reviewed = any(work.status_kind is WorkStatusKind.WAITING_ON_APPROVAL for work in named)
    status = WorkStatusKind.WAITING_ON_APPROVAL if reviewed else WorkStatusKind.APPROVED
    accepted = replace(request, work=tuple(replace(work, status_kind=status) for work in named))
    name = Name(name=request.mrid or "", name_type=NameType(name=REQUEST))
    noun = MaintenanceOrder(
        mrid=order,
        organisation=request.organisation,
        work=tuple(_ordered(replace(work, names=(*work.names, name)), now) for work in named),
    )
    made = Order(
        noun=noun,
        planned=noun,
        request=request.mrid or "",
        requested_at=min(work.request_date_time or now for work in named),
        begins=State.IN_REVIEW if reviewed else State.PLANNED,
    )
    return accepted, settled(made)


def missing_ids(request: WorkRequest) -> int:
    """How many of the works and tasks of a request have no mRID."""
    return sum((work.mrid is None) + sum(task.mrid is None for task in work.work_tasks) for work in request.work)


def _ordered(work: requests.Work, now: datetime) -> orders.Work:
    """A work as an order has it; every element of a request has the same name in an order."""
    same = msgspec.convert(msgspec.to_builtins(work, builtin_types=(datetime,)), orders.Work)
    return replace(same, last_modified_date_time=now)


def settled(order: Order) -> Order:
    """An order whose states, crews, records and times follow from its facts."""
    lives = {task.mrid or "": order.life(task.mrid or "") for work in order.planned.work for task in work.work_tasks}
    noun = replace(order.planned, work=tuple(_as_told(order, work, lives) for work in order.planned.work))
    state = whole([life.state for life in lives.values()])
    crew = next((life.crew for life in lives.values() if life.crew is not None and life.state not in OVER), None)
    last = next((life.crew for life in lives.values() if life.crew is not None), None)
    return replace(order, noun=noun, state=state, crew=crew or last)


def _as_told(order: Order, work: orders.Work, lives: dict[str, Life]) -> orders.Work:
    own = [lives[task.mrid or ""] for task in work.work_tasks]
    state = whole([life.state for life in own])
    history = {fact for life in own for fact in life.history}
    names = {fact.crew: fact.reason for fact in order.facts if fact.event in {Event.SCHEDULE, Event.DISPATCH}}
    reported = {record for mrid, record in order.records if mrid == work.mrid}
    records = {*work.activity_records, *reported, *map(_record, history)}
    times = [each.created_date_time for each in records if each.created_date_time is not None]
    status = TOLD[state]
    if state is State.PLANNED and any(each.startswith(MATERIAL) for each in order.lacks):
        status = WorkStatusKind.WAITING_ON_MATERIAL
    return replace(
        work,
        activity_records=tuple(sorted(records, key=_place_of)),
        last_modified_date_time=max([*times, work.last_modified_date_time or order.requested_at]),
        status_kind=status,
        work_tasks=tuple(_task_as_told(order, task, lives[task.mrid or ""], names) for task in work.work_tasks),
    )


def _task_as_told(
    order: Order, task: orders.WorkTask, life: Life, names: dict[str | None, str | None]
) -> orders.WorkTask:
    for told in sorted((each for each in order.told if each.task.mrid == task.mrid), key=_told_at):
        said = told.task
        task = replace(
            task,
            assets=said.assets or task.assets,
            old_asset=said.old_asset or task.old_asset,
            task_kind=said.task_kind or task.task_kind,
            material_items=(said.material_items or task.material_items) if told.done else task.material_items,
        )
    crews = task.crews
    if life.crew is not None:
        name = names.get(life.crew)
        crews = (orders.Crew(mrid=life.crew, names=() if name is None else (Name(name=name),)),)
    elif life.history:
        crews = ()
    started = life.when(State.ON_SITE, State.IN_PROGRESS)
    ended = life.when(State.FIELD_COMPLETE)
    actual: tuple[WorkTimeSchedule, ...] = ()
    if started is not None or ended is not None:
        span = DateTimeInterval(start=started, end=ended)
        actual = (WorkTimeSchedule(kind=WorkTimeScheduleKind.ACTUAL, schedule_interval=span),)
    return replace(
        task,
        status_kind=TOLD[life.state],
        crews=crews,
        crew_eta=life.until if life.state in IN_HAND else task.crew_eta,
        time_schedules=(*task.time_schedules, *actual),
    )


def _told_at(told: Told) -> tuple[datetime, bool, str]:
    return (told.at, told.done, repr(told.task))


def _record(fact: Fact) -> ActivityRecord:
    return ActivityRecord(created_date_time=fact.at, reason=fact.reason, type=fact.event.value)


def _place_of(record: ActivityRecord) -> tuple[float, int, str, str, str]:
    at = 0.0 if record.created_date_time is None else record.created_date_time.timestamp()
    kind = record.type or ""
    return (at, _SEQUENCE.get(kind, len(_SEQUENCE)), kind, record.reason or "", record.severity or "")


_SEQUENCE = {event.value: number for number, event in enumerate(Event)}


def allows(order: Order, event: Event) -> bool:
    """Whether an event would move a task of an order as it is now."""
    return any(after(life.state, event) is not None for life in order.lives())


def decided(
    order: Order,
    event: Event,
    now: datetime,
    *,
    crew: str | None = None,
    reason: str | None = None,
    until: datetime | None = None,
) -> Order:
    """An order after a decision of the desk.

    Raises:
        Conflict: when the table does not have it for any of its tasks.
    """
    if not allows(order, event):
        sentence = f"the order is {order.state.value}, and '{event.value}' does not apply to that"
        raise Conflict(sentence, object_id=order.mrid)
    number = 1 + max((fact.number for fact in order.facts), default=0)
    at = now
    if event is Event.CLOSE:
        at = max([now, *(fact.at for fact in in_order(order.facts))])
    fact = Fact(event=event, at=at, number=number, crew=crew, reason=reason, until=until)
    return settled(replace(order, facts=(*order.facts, fact)))


def with_facts(order: Order, facts: Iterable[Fact]) -> Order:
    """An order with what a crew says happened; the same again changes nothing."""
    new = [fact for fact in facts if fact not in order.facts]
    return settled(replace(order, facts=(*order.facts, *new))) if new else order


def with_lacks(order: Order, lacks: Sequence[str]) -> Order:
    """An order with what has to be there before anybody is sent; what was begun lacks nothing."""
    waits = order.state in {State.IN_REVIEW, State.PLANNED, State.ON_HOLD, State.SCHEDULED}
    found = tuple(lacks) if waits else ()
    return order if found == order.lacks else settled(replace(order, lacks=found))


def job_hours(order: Order) -> timedelta:
    """How long a crew will be at work: as estimated, or the median of the kinds of its works."""
    total = timedelta()
    for work in order.noun.work:
        spans = [interval_of(each, WorkTimeScheduleKind.ESTIMATE) for each in items_of(work)]
        told = [each.end - each.start for each in spans if each is not None and each.end and each.start]
        total += sum(told, timedelta()) or timedelta(hours=_HOURS.get(work.kind or WorkKind.OTHER, OTHER_HOURS))
    return total


def items_of(work: orders.Work) -> list[orders.Work | orders.WorkTask]:
    """A work and its tasks."""
    return [work, *work.work_tasks]


def interval_of(item: orders.Work | orders.WorkTask, kind: WorkTimeScheduleKind) -> DateTimeInterval | None:
    """The interval of a kind that a work or a task has."""
    return next((each.schedule_interval for each in item.time_schedules if each.kind is kind), None)


def named(order: Order, kind: str) -> list[str]:
    """The names of a type that the works and tasks of an order have."""
    items = [each for work in order.noun.work for each in items_of(work)]
    return [
        name.name for each in items for name in each.names if name.name_type is not None and name.name_type.name == kind
    ]


def skills_of(order: Order) -> dict[str, int]:
    """How many people with each skill an order takes."""
    needed = Counter(named(order, CAPABILITY))
    for work in order.noun.work:
        for skill in _SKILLS.get(work.kind or WorkKind.OTHER, ()):
            needed[skill] = max(1, needed[skill])
    return dict(needed)


def place_of(order: Order) -> Place | None:
    """Where the order itself says that the work is."""
    locations = [work.work_location for work in order.noun.work]
    locations += [asset.location for task in order.tasks for asset in task.assets]
    places = (place_in(each.position_points) for each in locations if each is not None)
    return next((place for place in places if place is not None), None)


def device_of(order: Order) -> str | None:
    """The first asset of an order, which is where a crew goes."""
    return next((asset.mrid for task in order.tasks for asset in task.assets if asset.mrid is not None), None)


def identities(order: Order) -> list[str]:
    """The mRIDs of the works and tasks of an order."""
    return [each.mrid or "" for work in order.noun.work for each in items_of(work)]
