"""What a power flow says of a state of the network, as far as switching has to know it.

Whoever computes gives a :data:`FiguresOf`; the rules ask it for the states before and after an act, and only where it
matters. Rules compute nothing: :func:`first_look` lets somebody judge once to learn for which states figures are
wanted, and with :func:`answers` the same is judged again. What nobody computes is :data:`UNSOLVED`, of which the rules
warn.
"""

from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

from msgspec import Struct

from contracts.errors import BusbarError
from contracts.nouns.switching_studies import BranchLoading, NodeVoltage
from services.network_operation.domain.grid import Grid

T = TypeVar("T")

SOLVED = "solved"
NOTHING_LIVE = "nothing is live"

BAND = (0.95, 1.05)
"""Voltage that is normal, per unit (ANSI C84.1, range A, [GK])."""

EMERGENCY_BAND = (0.917, 1.058)
"""Voltage that is borne for a while, per unit (range B, [GK])."""


class Figures(Struct, frozen=True, kw_only=True):
    """Loading and voltage beyond the normal limits; ``status`` says how far to believe them, or why there are none.

    Branches and nodes are in the order of how bad they are, the worst first. ``margin`` is the least that is left to an
    emergency rating, in per cent; ``picked_up`` what those would take who get supply, in W; ``through`` the current
    through the last device that was asked about, in A.
    """

    status: str
    loadings: tuple[BranchLoading, ...] = ()
    margin: float | None = None
    picked_up: float | None = None
    through: float | None = None
    voltages: tuple[NodeVoltage, ...] = ()

    @property
    def are_known(self) -> bool:
        """False where nothing was computed."""
        return self.status.startswith(SOLVED) or self.status == NOTHING_LIVE


UNSOLVED = Figures(status="not solved")
NO_DATA = Figures(status="not solved: no electrical data")

Key = tuple[bytes, tuple[str, ...], frozenset[str]]


class Question(Struct, frozen=True, kw_only=True):
    """A state of the network; what hangs together with ``devices`` is wanted, everything where none is named.

    ``picked_up`` are nodes of which it is wanted what they would take.
    """

    grid: Grid
    devices: tuple[str, ...] = ()
    picked_up: frozenset[str] = frozenset()

    @property
    def key(self) -> Key:
        """The same for questions with the same answer, as long as nobody puts anything on the network."""
        return self.grid.state.open_masks, self.devices, self.picked_up


FiguresOf = Callable[[Question], Figures]
"""The figures of a state of the network."""


def unsolved(_question: Question) -> Figures:
    """Nobody computes."""
    return UNSOLVED


class FirstLook(Struct, Generic[T], frozen=True, kw_only=True):
    """What was judged without figures, and the questions for figures by their keys; without any, the result stands."""

    asked: Mapping[Key, Question]
    result: T | None = None


def first_look(judge: Callable[[FiguresOf], T]) -> FirstLook[T]:
    """Judge without figures, and write down which are wanted.

    Raises:
        BusbarError: the judgement refuses, and no figures are wanted for it.
    """
    asked: dict[Key, Question] = {}

    def wanted(question: Question) -> Figures:
        asked.setdefault(question.key, question)
        return UNSOLVED

    try:
        return FirstLook(result=judge(wanted), asked=asked)
    except BusbarError:
        if not asked:
            raise
        return FirstLook(asked=asked)


def answers(known: Mapping[Key, Figures]) -> FiguresOf:
    """The figures that are known by the keys of their questions."""
    return lambda question: known.get(question.key, NO_DATA)
