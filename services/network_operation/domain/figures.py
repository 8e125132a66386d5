"""What a power flow says of a state of the network, as far as switching has to know it.

Whoever computes gives a :data:`FiguresOf`; the rules ask it for the state after an act, and only where it matters. What
nobody computes is :data:`UNSOLVED`, of which the rules warn.
"""

from collections.abc import Callable

from msgspec import Struct

from contracts.nouns.switching_studies import BranchLoading, NodeVoltage
from services.network_operation.domain.grid import Grid

SOLVED = "solved"


class Figures(Struct, frozen=True, kw_only=True):
    """Loading and voltage beyond the normal limits; ``status`` is ``solved`` or why there are none.

    ``margin`` is the least that is left to an emergency rating, in per cent; ``through`` is the current through the
    device that was asked about, in A.
    """

    status: str
    loadings: tuple[BranchLoading, ...] = ()
    margin: float | None = None
    through: float | None = None
    voltages: tuple[NodeVoltage, ...] = ()


UNSOLVED = Figures(status="not solved")

FiguresOf = Callable[[Grid, str], Figures]
"""The figures of a state of the network, with the current through one device."""


def unsolved(_grid: Grid, _device: str) -> Figures:
    """Nobody computes."""
    return UNSOLVED
