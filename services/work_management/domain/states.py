"""The states of a task, as a table: what is not in it does not happen.

The states are richer than WorkStatusKind, which has no word for held, suspended, recalled or rejected; ``TOLD`` says
how each is told. Whoever wants to know why reads the activity records.
"""

from enum import StrEnum

from contracts.nouns.work_types import WorkStatusKind as K


class State(StrEnum):
    """Where a task is in its life."""

    IN_REVIEW = "inReview"
    PLANNED = "planned"
    ON_HOLD = "onHold"
    SCHEDULED = "scheduled"
    DISPATCHED = "dispatched"
    ACCEPTED = "accepted"
    ENROUTE = "enroute"
    ON_SITE = "onSite"
    IN_PROGRESS = "inProgress"
    SUSPENDED = "suspended"
    RECALLED = "recalled"
    FIELD_COMPLETE = "fieldComplete"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    REJECTED = "rejected"


class Event(StrEnum):
    """What can happen to a task: what the desk decides, and what its crew reports."""

    APPROVE = "approve"
    REJECT = "reject"
    HOLD = "hold"
    RELEASE = "release"
    SCHEDULE = "schedule"
    UNSCHEDULE = "unschedule"
    DISPATCH = "dispatch"
    TIME_OUT = "timeOut"
    CANCEL = "cancel"
    CLOSE = "close"
    ACCEPT = "accept"
    DECLINE = "decline"
    DEPART = "depart"
    ARRIVE = "arrive"
    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    COMPLETE = "complete"


S, E = State, Event

BY_CREW = frozenset({E.ACCEPT, E.DECLINE, E.DEPART, E.ARRIVE, E.START, E.PAUSE, E.RESUME, E.COMPLETE})
"""What only the crew that has the task can bring about."""

STARTED = frozenset({S.ON_SITE, S.IN_PROGRESS})
"""People are at work; the time that passes in these is labour."""

IN_HAND = frozenset({S.DISPATCHED, S.ACCEPTED, S.ENROUTE, *STARTED, S.RECALLED})
"""A crew has it and can take nothing else."""

DONE = frozenset({S.FIELD_COMPLETE, S.CLOSED})
OVER = frozenset({*DONE, S.CANCELLED, S.REJECTED})
"""Nobody has to go there any more."""

FINAL = frozenset({S.CLOSED, S.CANCELLED, S.REJECTED})

_OFFICE = {
    (S.IN_REVIEW, E.APPROVE): S.PLANNED,
    (S.IN_REVIEW, E.REJECT): S.REJECTED,
    (S.IN_REVIEW, E.CANCEL): S.CANCELLED,
    (S.PLANNED, E.SCHEDULE): S.SCHEDULED,
    (S.PLANNED, E.DISPATCH): S.DISPATCHED,
    (S.PLANNED, E.HOLD): S.ON_HOLD,
    (S.PLANNED, E.CANCEL): S.CANCELLED,
    (S.ON_HOLD, E.RELEASE): S.PLANNED,
    (S.ON_HOLD, E.CANCEL): S.CANCELLED,
    (S.SCHEDULED, E.SCHEDULE): S.SCHEDULED,
    (S.SCHEDULED, E.UNSCHEDULE): S.PLANNED,
    (S.SCHEDULED, E.DISPATCH): S.DISPATCHED,
    (S.SCHEDULED, E.HOLD): S.ON_HOLD,
    (S.SCHEDULED, E.CANCEL): S.CANCELLED,
}

_ON_THE_WAY = (S.DISPATCHED, S.ACCEPTED, S.ENROUTE)

_FIELD = {
    (S.DISPATCHED, E.ACCEPT): S.ACCEPTED,
    (S.DISPATCHED, E.DECLINE): S.PLANNED,
    (S.DISPATCHED, E.TIME_OUT): S.PLANNED,
    (S.ACCEPTED, E.DECLINE): S.PLANNED,
    **{(state, E.DEPART): S.ENROUTE for state in (S.DISPATCHED, S.ACCEPTED)},
    **{(state, E.ARRIVE): S.ON_SITE for state in _ON_THE_WAY},
    **{(state, E.START): S.IN_PROGRESS for state in (*_ON_THE_WAY, S.ON_SITE)},
    **{(state, E.PAUSE): S.SUSPENDED for state in (*_ON_THE_WAY, *STARTED)},
    **{(state, E.COMPLETE): S.FIELD_COMPLETE for state in (*_ON_THE_WAY, *STARTED, S.SUSPENDED, S.RECALLED)},
    **{(state, E.DISPATCH): S.DISPATCHED for state in (*_ON_THE_WAY, *STARTED, S.SUSPENDED)},
    **{(state, E.UNSCHEDULE): S.PLANNED for state in _ON_THE_WAY},
    **{(state, E.HOLD): S.ON_HOLD for state in _ON_THE_WAY},
    **{(state, E.CANCEL): S.CANCELLED for state in _ON_THE_WAY},
    **{(state, E.CANCEL): S.RECALLED for state in STARTED},
    (S.SUSPENDED, E.DEPART): S.ENROUTE,
    (S.SUSPENDED, E.ARRIVE): S.ON_SITE,
    (S.SUSPENDED, E.START): S.IN_PROGRESS,
    (S.SUSPENDED, E.RESUME): S.IN_PROGRESS,
    (S.SUSPENDED, E.RELEASE): S.PLANNED,
    (S.SUSPENDED, E.CANCEL): S.FIELD_COMPLETE,
    (S.RECALLED, E.PAUSE): S.FIELD_COMPLETE,
    (S.FIELD_COMPLETE, E.CLOSE): S.CLOSED,
}

TABLE = {**_OFFICE, **_FIELD}
"""From where what leads where.

A report may skip stages, whose own reports are still on their way. Work that has begun cannot be cancelled: its crew is
recalled, and ends it as not done, with the hours and the material that it took. A dispatch while another crew has the
task is a reassignment."""

TOLD = {
    S.IN_REVIEW: K.WAITING_ON_APPROVAL,
    S.PLANNED: K.WAITING_TO_BE_SCHEDULED,
    S.ON_HOLD: K.WAITING_TO_BE_SCHEDULED,
    S.SCHEDULED: K.SCHEDULED,
    S.DISPATCHED: K.DISPATCHED,
    S.ACCEPTED: K.DISPATCHED,
    S.ENROUTE: K.ENROUTE,
    S.ON_SITE: K.ON_SITE,
    S.IN_PROGRESS: K.IN_PROGRESS,
    S.SUSPENDED: K.WAITING_TO_BE_SCHEDULED,
    S.RECALLED: K.IN_PROGRESS,
    S.FIELD_COMPLETE: K.COMPLETED,
    S.CLOSED: K.CLOSED,
    S.CANCELLED: K.CANCELLED,
    S.REJECTED: K.CANCELLED,
}
"""How a state is told outside."""

REPORTED = {
    K.DISPATCHED: E.ACCEPT,
    K.ENROUTE: E.DEPART,
    K.ON_SITE: E.ARRIVE,
    K.IN_PROGRESS: E.START,
    K.COMPLETED: E.COMPLETE,
}
"""What a crew's word for the status of a task says has happened."""


def whole(states: list[State]) -> State:
    """The state of an order, or of a work, that has tasks in these states.

    Over when all tasks are: cancelled when all are, else as far as those that were done. In progress while one task
    was done and another is still open; else as far as the furthest of the open ones.
    """
    left = [state for state in states if state not in OVER]
    done = [state for state in states if state in DONE]
    if left:
        furthest = max(left, key=_PROGRESS.index)
        return S.IN_PROGRESS if done and furthest in IN_HAND else furthest
    if done:
        return min(done, key=_PROGRESS.index)
    return S.REJECTED if states and set(states) == {S.REJECTED} else S.CANCELLED


_PROGRESS = list(State)
