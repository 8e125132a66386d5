"""How an order ends: what the office wants to see before it closes it, and what of it still has to be done."""

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from contracts.nouns.work_types import WorkTaskKind
from contracts.types import Name, NameType
from services.work_management.domain.materials import is_reconciled
from services.work_management.domain.orders import FOLLOWS, Order, settled
from services.work_management.domain.states import DONE, Event, State


def missing(order: Order, unreleased: Sequence[str]) -> list[str]:
    """What an order that is complete in the field lacks to be closed, in words.

    Args:
        order: whose tasks are complete.
        unreleased: those of the safety documents it names under which people may still be at work.
    """
    found = [f"the safety document {each} is not released" for each in unreleased]
    if not is_reconciled(order):
        found.append("it is not said what became of its material")
    for task in order.tasks:
        life = order.life(task.mrid or "")
        if life.state is not State.FIELD_COMPLETE or life.outcome != "done":
            continue
        if task.task_kind is WorkTaskKind.EXCHANGE and (task.old_asset is None or not task.assets):
            found.append(f"the task {task.mrid} does not say what went out and what came in")
    return found


def follow_up(order: Order, mrid: str, works: Sequence[str], now: datetime) -> Order:
    """The order for what a crew left undone; it has the names and the priority of the first one.

    Args:
        order: what ended as done in part, or not at all.
        mrid: of the new order.
        works: an mRID for each of its works, and for each of their tasks.
        now: when it is made.
    """
    left = iter(works)
    lives = {task.mrid: order.life(task.mrid or "") for task in order.tasks}
    made = [
        replace(
            work,
            mrid=next(left),
            activity_records=(),
            last_modified_date_time=now,
            names=(*work.names, Name(name=work.mrid or "", name_type=NameType(name=FOLLOWS))),
            work_tasks=tuple(
                replace(task, mrid=next(left), material_items=(), crews=(), crew_eta=None)
                for task in work.work_tasks
                if lives[task.mrid].outcome != "done"
            ),
        )
        for work in order.planned.work
        if any(lives[task.mrid].outcome not in {None, "done"} for task in work.work_tasks)
    ]
    noun = replace(order.planned, mrid=mrid, work=tuple(made))
    return settled(Order(noun=noun, planned=noun, request=order.request, requested_at=order.requested_at))


def is_left_undone(order: Order) -> bool:
    """Whether an order ended with something that somebody still has to do; what was cancelled is not."""
    return order.state in DONE and any(
        life.outcome in {"partial", "notDone"} and not any(fact.event is Event.CANCEL for fact in life.history)
        for life in order.lives()
    )
