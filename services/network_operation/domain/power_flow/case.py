"""A grid in one state, with its loads and what hangs on collapsed transformers: what one power flow is about."""

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from services.network_operation.domain.power_flow.behind import Behind, behind
from services.network_operation.domain.power_flow.grid import Grid
from services.network_operation.domain.power_flow.islands import Islands, SwitchedState, islands_of
from services.network_operation.domain.power_flow.loads import Loads, behind_collapsed, loads_of
from services.network_operation.domain.power_flow.rows import Complex, Floats


class Case(Struct, frozen=True, kw_only=True):
    """A grid in one state.

    Attributes:
        grid, islands, loads: the grid, what hangs together, what is taken.
        ranks: the collapsed transformers.
        zones: the loads behind them, by the first node of each zone.
        scale: by node in a column, the volts to earth of one per unit.
    """

    grid: Grid
    islands: Islands
    loads: Loads
    ranks: Behind
    zones: Complex
    scale: Floats

    @property
    def as_impedances(self) -> "Case":
        """The same with all loads as impedances."""
        loads = self.loads.as_impedances
        return replace(self, loads=loads, zones=behind_collapsed(self.grid, self.islands, loads))


def case_of(grid: Grid, state: SwitchedState) -> Case:
    """The grid in this state."""
    islands = islands_of(grid, state)
    loads = loads_of(grid, islands, state)
    return Case(
        grid=grid,
        islands=islands,
        loads=loads,
        ranks=behind(grid, islands),
        zones=behind_collapsed(grid, islands, loads),
        scale=(grid.nominal / np.sqrt(3))[:, None],
    )
