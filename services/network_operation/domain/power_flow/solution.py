"""The power flow of a grid in one state, island by island."""

from collections import Counter

import numpy as np
from power_grid_model.errors import PowerGridError  # type: ignore[attr-defined] # it is there, but not re-exported

from services.network_operation.domain.power_flow.behind import seen
from services.network_operation.domain.power_flow.case import Case, case_of
from services.network_operation.domain.power_flow.flow import NOT_SOLVED, SOLVED, PowerFlow
from services.network_operation.domain.power_flow.grid import Grid, unpacked
from services.network_operation.domain.power_flow.island import Settled, settled
from services.network_operation.domain.power_flow.islands import SwitchedState
from services.network_operation.domain.power_flow.outcome import Found, flow_of

IMPLAUSIBLE_PU = 2.0
"""A voltage above this is no solution."""

NO_IMPEDANCES = f"{NOT_SOLVED}: no impedances"
"""The quality where the model has no electrical data."""

NOTHING_LIVE = f"{NOT_SOLVED}: nothing is live"
AS_IMPEDANCES = "solved with all loads as impedances, since with constant power there is no solution"
RESTLESS = "solved with tap changers that find no rest"


def solve(data: bytes, state: SwitchedState) -> PowerFlow:
    """The power flow of the electrical data that :func:`grid.packed` made, in this state: what runs in the pool."""
    return solved(unpacked(data), state)


def solved(grid: Grid, state: SwitchedState, *, regulate: bool = True) -> PowerFlow:
    """The power flow of a grid; with ``regulate`` tap changers with a control move, else they stay where they are."""
    if not grid.has_impedances:
        return PowerFlow(quality=NO_IMPEDANCES)
    case = case_of(grid, state)
    islands = case.islands
    lacking, found = _lacking(case), Found(grid)
    qualities: dict[int, str] = {}
    steps: dict[str, float] = {}
    for first in np.unique(islands.island[islands.has_source]).tolist():
        qualities[first] = lacking.get(first, SOLVED)
        if first not in lacking:
            qualities[first], island = _tried(case, first, regulate=regulate)
            if island is not None:
                found.take(island.given, island.result, island.voltage * case.scale, islands.island == first)
                steps |= island.steps
    if not qualities:
        return PowerFlow(quality=NOTHING_LIVE)
    served = seen(case.ranks, case.zones, found.volts / case.scale, grid.nominal)
    return flow_of(case, served, found, qualities, steps)


def _tried(case: Case, first: int, *, regulate: bool) -> tuple[str, Settled | None]:
    """What came of one island: how good it is, and the solution if there is one."""
    quality = SOLVED
    try:
        island = settled(case, first, regulate=regulate)
    except PowerGridError:
        quality = AS_IMPEDANCES
        try:
            island = settled(case.as_impedances, first, regulate=regulate)
        except PowerGridError as error:
            return f"{NOT_SOLVED}: {type(error).__name__}", None
    if np.nanmax(np.abs(island.voltage)) > IMPLAUSIBLE_PU:
        return f"{NOT_SOLVED}: voltages above {IMPLAUSIBLE_PU:g} per unit", None
    return quality if island.rests else RESTLESS, island


def _lacking(case: Case) -> dict[int, str]:
    """The islands that cannot be solved, since something in them has no impedance or no voltage."""
    grid, islands = case.grid, case.islands
    counts = Counter(islands.island[grid.lines.node1[islands.lines & ~grid.lines.known]].tolist())
    for _, nodes in grid.banks.unknown:
        counts.update({int(islands.island[node]) for node in nodes if islands.live[node]})
    reasons = {first: f"{NOT_SOLVED}: {count} branches without an impedance" for first, count in counts.items()}
    for first in np.unique(islands.island[np.isnan(grid.nominal) & islands.has_source]).tolist():
        reasons.setdefault(first, f"{NOT_SOLVED}: nodes without a nominal voltage")
    return reasons
