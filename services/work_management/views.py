"""Between messages and orders: what is asked for, what is shown, and what a crew is told."""

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from contracts.message import Request
from contracts.nouns import maintenance_orders as orders
from contracts.nouns.get_maintenance_orders import GetMaintenanceOrders
from contracts.nouns.maintenance_orders import MaintenanceOrder
from contracts.nouns.material_items import MaterialItem
from contracts.nouns.safety_documents import ClearanceDocument, SafetyDocument, SafetyDocuments
from contracts.nouns.work_requests import WorkRequest
from contracts.nouns.work_types import ActivityRecord
from contracts.verbs import Verb
from services.work_management.domain.orders import Order
from services.work_management.domain.states import DONE, IN_HAND, Event, State

ENDS = {State.CLOSED: Verb.CLOSED, State.CANCELLED: Verb.CANCELED, State.REJECTED: Verb.CANCELED}
"""The event that tells of the end of an order."""


def reason_in(request: WorkRequest) -> str | None:
    """Why work is not wanted any more, if somebody says so."""
    records = (record for work in request.work for record in work.activity_records)
    return next((record.reason for record in records if record.reason is not None), None)


def as_far_as(request: WorkRequest, found: Iterable[Order]) -> WorkRequest:
    """A request whose works say how far they are."""
    status = {work.mrid: work.status_kind for order in found for work in order.noun.work}
    return replace(
        request,
        work=tuple(replace(work, status_kind=status.get(work.mrid, work.status_kind)) for work in request.work),
    )


def shown(order: Order, reasons: Sequence[str]) -> MaintenanceOrder:
    """An order with why it waits: what it lacks, and what speaks against each crew."""
    why = [f"it lacks {each}" for each in order.lacks] if order.lacks else reasons
    if order.state is not State.PLANNED or not why:
        return order.noun
    records = tuple(ActivityRecord(reason=reason, type="waiting") for reason in why)
    works = tuple(replace(work, activity_records=(*work.activity_records, *records)) for work in order.noun.work)
    return replace(order.noun, work=works)


def is_asked_for(order: Order, request: Request | None) -> bool:
    """Whether a query is about an order: by order, crew, asset, and by kind, status and rank of a work."""
    query = None if request is None else request.query
    if not isinstance(query, GetMaintenanceOrders):
        return True
    tasks = order.tasks
    assets = {asset.mrid for task in tasks for asset in task.assets}
    crews = {crew.mrid for task in tasks for crew in task.crews}
    wanted = (
        (query.maintenance_order, {order.mrid}),
        (query.crew, crews),
        (query.asset, assets),
        (query.old_asset, {task.old_asset.mrid for task in tasks if task.old_asset is not None}),
    )
    if any(named and not {each.mrid for each in named} & has for named, has in wanted):
        return False
    return not query.work or any(
        (asked.kind in {None, work.kind})
        and (asked.status_kind in {None, work.status_kind})
        and (asked.priority is None or asked.priority.rank in {None, order.rank})
        for asked in query.work
        for work in order.noun.work
    )


def recalled(before: Order, after: Order) -> list[str]:
    """The crews that have to hear that an order is not theirs any more, or to be ended at once."""
    crew = _bound(before)
    if crew is None or crew == _bound(after):
        return [crew] if crew and after.state is State.RECALLED and before.state is not State.RECALLED else []
    if after.state in DONE and after.crew == crew:
        return []
    declined = any(fact.event is Event.DECLINE and fact.crew == crew for fact in set(after.facts) - set(before.facts))
    return [] if declined else [crew]


def _bound(order: Order) -> str | None:
    return order.crew if order.state in {*IN_HAND, State.SUSPENDED} else None


def for_crew(order: Order, before: Order, crew: str) -> MaintenanceOrder:
    """An order as it is told to a crew that is recalled: with that crew, so that it knows itself."""
    crews = {
        task.mrid: tuple(each for each in task.crews if each.mrid == crew) or (orders.Crew(mrid=crew),)
        for task in before.tasks
    }
    works = tuple(
        replace(work, work_tasks=tuple(replace(task, crews=crews.get(task.mrid, ())) for task in work.work_tasks))
        for work in order.noun.work
    )
    return replace(order.noun, work=works)


def is_the_same(known: MaterialItem, told: MaterialItem) -> bool:
    """Whether an item is told as it is known; what lies there has changed since, and what is allocated is ours."""
    return replace(known, quantity=None, allocated=None) == replace(told, quantity=None, allocated=None)


def documents_in(noun: SafetyDocuments) -> list[tuple[str, int, str]]:
    """The safety documents that are told: mRID, revision and state."""
    documents: list[ClearanceDocument | SafetyDocument] = [*noun.clearance_document, *noun.safety_document]
    return [
        (each.mrid, each.revision_number or 0, (None if each.status is None else each.status.value) or "")
        for each in documents
    ]
