"""The life of an inspection as a table, from the plan to the file (planning guide, 1.2)."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

from contracts.errors import Conflict
from contracts.nouns.procedure_data_sets import InspectionState

AHEAD = timedelta(days=30)
"""How long before its last day a planned inspection is due."""


class Step(StrEnum):
    """What happens to an inspection."""

    FELL_DUE = "fellDue"
    LAPSED = "lapsed"
    BEGUN = "begun"
    RECORDED = "recorded"
    PREVENTED = "prevented"
    RESCHEDULED = "rescheduled"
    REVIEWED = "reviewed"
    CLOSED = "closed"
    CANCELLED = "cancelled"


I = InspectionState  # noqa: E741 - as short as the table needs it

NEXT: Mapping[tuple[InspectionState, Step], InspectionState] = {
    (I.PLANNED, Step.FELL_DUE): I.DUE,
    (I.PLANNED, Step.BEGUN): I.IN_PROGRESS,
    (I.PLANNED, Step.RECORDED): I.RECORDED,
    (I.PLANNED, Step.PREVENTED): I.UNABLE_TO_INSPECT,
    (I.PLANNED, Step.RESCHEDULED): I.PLANNED,
    (I.PLANNED, Step.CANCELLED): I.CANCELLED,
    (I.DUE, Step.LAPSED): I.OVERDUE,
    (I.DUE, Step.BEGUN): I.IN_PROGRESS,
    (I.DUE, Step.RECORDED): I.RECORDED,
    (I.DUE, Step.PREVENTED): I.UNABLE_TO_INSPECT,
    (I.DUE, Step.RESCHEDULED): I.PLANNED,
    (I.DUE, Step.CANCELLED): I.CANCELLED,
    (I.OVERDUE, Step.BEGUN): I.IN_PROGRESS,
    (I.OVERDUE, Step.RECORDED): I.RECORDED,
    (I.OVERDUE, Step.PREVENTED): I.UNABLE_TO_INSPECT,
    (I.OVERDUE, Step.RESCHEDULED): I.PLANNED,
    (I.OVERDUE, Step.CANCELLED): I.CANCELLED,
    (I.IN_PROGRESS, Step.RECORDED): I.RECORDED,
    (I.IN_PROGRESS, Step.PREVENTED): I.UNABLE_TO_INSPECT,
    (I.IN_PROGRESS, Step.CANCELLED): I.CANCELLED,
    (I.UNABLE_TO_INSPECT, Step.RESCHEDULED): I.PLANNED,
    (I.UNABLE_TO_INSPECT, Step.CANCELLED): I.CANCELLED,
    (I.RECORDED, Step.REVIEWED): I.REVIEWED,
    (I.REVIEWED, Step.CLOSED): I.CLOSED,
}

TO: Mapping[InspectionState, Step] = {
    I.PLANNED: Step.RESCHEDULED,
    I.DUE: Step.FELL_DUE,
    I.OVERDUE: Step.LAPSED,
    I.IN_PROGRESS: Step.BEGUN,
    I.RECORDED: Step.RECORDED,
    I.UNABLE_TO_INSPECT: Step.PREVENTED,
    I.REVIEWED: Step.REVIEWED,
    I.CLOSED: Step.CLOSED,
    I.CANCELLED: Step.CANCELLED,
}
"""The step by which a state is reached: whoever asks for a state means this one."""

WAITING = frozenset({I.PLANNED, I.DUE})
"""In these the clock alone leads on."""


def moved(state: InspectionState, step: Step) -> InspectionState:
    """The state after a step.

    Raises:
        Conflict: the table refuses it.
    """
    after = NEXT.get((state, step))
    if after is None:
        raise Conflict(f"an inspection that is '{state}' cannot be '{step}'")
    return after
