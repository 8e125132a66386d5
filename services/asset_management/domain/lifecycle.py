"""The life of an asset as a table: in each state an event either leads on or is refused (planning guide, 1.2).

The class model tells a state by three enumerations that move together. Here a state is one word, and :data:`SHAPES`
says which three values it is told by; no two states have the same three.
"""

from collections import deque
from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

from contracts.errors import Conflict
from contracts.nouns.assets import AssetLifecycleStateKind, DeploymentStateKind, InUseStateKind


class State(StrEnum):
    """Where an asset is in its life."""

    ORDERED = "ordered"
    MADE = "made"
    RECEIVED = "received"
    READY = "ready"
    INSTALLED = "installed"
    IN_SERVICE = "inService"
    OUT_OF_SERVICE = "outOfService"
    OUT_OF_ORDER = "outOfOrder"
    REMOVED = "removed"
    SPARE = "spare"
    RETIRED = "retired"
    DISPOSED = "disposed"


class Event(StrEnum):
    """What happens to an asset, in the order in which it counts when several happen in one instant."""

    MADE = "made"
    ARRIVED = "arrived"
    ACCEPTED = "accepted"
    TAKEN_OUT = "takenOut"
    BROKEN = "broken"
    RETURNED = "returned"
    REMOVED = "removed"
    REPAIRED = "repaired"
    INSTALLED = "installed"
    ENERGISED = "energised"
    RETIRED = "retired"
    DISPOSED = "disposed"


S, E = State, Event

TABLE: Mapping[tuple[State, Event], State] = {
    (S.ORDERED, E.MADE): S.MADE,
    (S.ORDERED, E.ARRIVED): S.RECEIVED,
    (S.ORDERED, E.RETIRED): S.RETIRED,
    (S.MADE, E.ARRIVED): S.RECEIVED,
    (S.MADE, E.RETIRED): S.RETIRED,
    (S.RECEIVED, E.ACCEPTED): S.READY,
    (S.RECEIVED, E.RETIRED): S.RETIRED,
    (S.READY, E.BROKEN): S.RECEIVED,
    (S.READY, E.INSTALLED): S.INSTALLED,
    (S.READY, E.RETIRED): S.RETIRED,
    (S.INSTALLED, E.BROKEN): S.OUT_OF_ORDER,
    (S.INSTALLED, E.REMOVED): S.REMOVED,
    (S.INSTALLED, E.ENERGISED): S.IN_SERVICE,
    (S.INSTALLED, E.RETIRED): S.RETIRED,
    (S.IN_SERVICE, E.TAKEN_OUT): S.OUT_OF_SERVICE,
    (S.IN_SERVICE, E.BROKEN): S.OUT_OF_ORDER,
    (S.IN_SERVICE, E.REMOVED): S.REMOVED,
    (S.OUT_OF_SERVICE, E.BROKEN): S.OUT_OF_ORDER,
    (S.OUT_OF_SERVICE, E.RETURNED): S.IN_SERVICE,
    (S.OUT_OF_SERVICE, E.REMOVED): S.REMOVED,
    (S.OUT_OF_SERVICE, E.RETIRED): S.RETIRED,
    (S.OUT_OF_ORDER, E.RETURNED): S.IN_SERVICE,
    (S.OUT_OF_ORDER, E.REMOVED): S.REMOVED,
    (S.OUT_OF_ORDER, E.RETIRED): S.RETIRED,
    (S.REMOVED, E.REPAIRED): S.SPARE,
    (S.REMOVED, E.RETIRED): S.RETIRED,
    (S.SPARE, E.BROKEN): S.REMOVED,
    (S.SPARE, E.INSTALLED): S.INSTALLED,
    (S.SPARE, E.RETIRED): S.RETIRED,
    (S.RETIRED, E.DISPOSED): S.DISPOSED,
}
"""What leads where. Whoever retires an asset that is in service takes it out first; what is disposed of is gone."""

IN_PLACE = frozenset({S.INSTALLED, S.IN_SERVICE, S.OUT_OF_SERVICE, S.OUT_OF_ORDER})
"""In these an asset occupies its position."""

GONE = frozenset({S.RETIRED, S.DISPOSED})

ONWARD = frozenset({E.MADE, E.ARRIVED, E.ACCEPTED, E.REPAIRED, E.INSTALLED, E.ENERGISED})
"""Events that may be meant together by one request, such as accepted, installed and energised."""


class Shape(Struct, frozen=True, kw_only=True):
    """The three enumerations of the class model; None where the state has no value or a request gives none."""

    lifecycle: AssetLifecycleStateKind | None = None
    in_use: InUseStateKind | None = None
    deployment: DeploymentStateKind | None = None


L, U, D = AssetLifecycleStateKind, InUseStateKind, DeploymentStateKind

SHAPES: Mapping[State, Shape] = {
    S.ORDERED: Shape(lifecycle=L.PURCHASED, in_use=U.NOT_READY_FOR_USE),
    S.MADE: Shape(lifecycle=L.MANUFACTURED, in_use=U.NOT_READY_FOR_USE),
    S.RECEIVED: Shape(lifecycle=L.RECEIVED, in_use=U.NOT_READY_FOR_USE, deployment=D.NOT_YET_INSTALLED),
    S.READY: Shape(lifecycle=L.RECEIVED, in_use=U.READY_FOR_USE, deployment=D.NOT_YET_INSTALLED),
    S.INSTALLED: Shape(lifecycle=L.RECEIVED, in_use=U.READY_FOR_USE, deployment=D.INSTALLED),
    S.IN_SERVICE: Shape(lifecycle=L.RECEIVED, in_use=U.IN_USE, deployment=D.IN_SERVICE),
    S.OUT_OF_SERVICE: Shape(lifecycle=L.RECEIVED, in_use=U.IN_USE, deployment=D.OUT_OF_SERVICE),
    S.OUT_OF_ORDER: Shape(lifecycle=L.RECEIVED, in_use=U.NOT_READY_FOR_USE, deployment=D.OUT_OF_SERVICE),
    S.REMOVED: Shape(lifecycle=L.RECEIVED, in_use=U.NOT_READY_FOR_USE, deployment=D.REMOVED),
    S.SPARE: Shape(lifecycle=L.RECEIVED, in_use=U.READY_FOR_USE, deployment=D.REMOVED),
    S.RETIRED: Shape(lifecycle=L.RETIRED, in_use=U.NOT_READY_FOR_USE, deployment=D.REMOVED),
    S.DISPOSED: Shape(lifecycle=L.DISPOSED_OF),
}
"""By which three values each state is told."""


def after(state: State, event: Event) -> State | None:
    """The state that ``event`` leads to, or None where the table refuses it."""
    return TABLE.get((state, event))


def meant(given: Shape) -> list[State]:
    """The states that fit what is given of the three values, in the order of a life; all of them when nothing is."""
    return [state for state, shape in SHAPES.items() if _fits(given, shape)]


def steps(state: State, given: Shape) -> list[Event]:
    """The events by which an asset in ``state`` comes to be as ``given`` says; none when it is so already.

    One event, or several of :data:`ONWARD`; the fewest that do.

    Raises:
        Conflict: the table has no such way from this state.
    """
    goals = set(meant(given))
    if state in goals:
        return []
    single = next((event for event in Event if after(state, event) in goals), None)
    way = [single] if single is not None else _onward(state, goals)
    if way is None:
        said = ", ".join(str(value) for value in (given.lifecycle, given.in_use, given.deployment) if value)
        raise Conflict(f"an asset that is '{state}' cannot become '{said}'")
    return way


def _onward(state: State, goals: set[State]) -> list[Event] | None:
    ways: deque[tuple[State, list[Event]]] = deque([(state, [])])
    seen = {state}
    while ways:
        at, way = ways.popleft()
        for event in Event:
            to = after(at, event) if event in ONWARD else None
            if to is None or to in seen:
                continue
            if to in goals:
                return [*way, event]
            seen.add(to)
            ways.append((to, [*way, event]))
    return None


def _fits(given: Shape, shape: Shape) -> bool:
    pairs = (
        (given.lifecycle, shape.lifecycle),
        (given.in_use, shape.in_use),
        (given.deployment, shape.deployment),
    )
    return all(wanted is None or wanted is is_ for wanted, is_ in pairs)
