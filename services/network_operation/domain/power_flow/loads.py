"""What is taken at the nodes in one state of the network, and how it follows the voltage."""

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from services.network_operation.domain.power_flow.grid import EARTH, GENERATION, LOAD, Grid
from services.network_operation.domain.power_flow.islands import Islands, SwitchedState
from services.network_operation.domain.power_flow.phases import bits
from services.network_operation.domain.power_flow.rows import Complex, Floats, Truths, Whole


class Loads(Struct, frozen=True, kw_only=True):
    """The injections of a grid in one state.

    ``parts`` are their powers by row, as in the grid and times what the state says; ``on`` are those whose phases live.
    """

    parts: Complex
    on: Truths

    @property
    def as_impedances(self) -> "Loads":
        """The same loads at nominal voltage, as impedances."""
        parts = np.zeros_like(self.parts)
        parts[:, 2] = self.parts.sum(axis=1)
        return replace(self, parts=parts)


def loads_of(grid: Grid, islands: Islands, state: SwitchedState) -> Loads:
    """The injections in this state; where the voltage is abnormal they are taken as impedances."""
    rows = grid.injections
    at = np.arange(len(rows.node))
    second = np.maximum(rows.second, 0)
    live = bits(islands.live[rows.node])
    on = live[at, rows.first] & ((rows.second == EARTH) | live[at, second])
    parts = rows.parts.copy()
    if state.factors:
        factors = np.array([state.factors.get(node, 1.0) for node in grid.nodes])
        parts[rows.kind == LOAD] *= factors[rows.node[rows.kind == LOAD], None]
    if state.without_generation:
        still = np.array([node in state.without_generation for node in grid.nodes])
        on &= ~(still[rows.node] & (rows.kind == GENERATION))
    if islands.abnormal.any():
        wrong = bits(islands.abnormal[rows.node])
        odd = wrong[at, rows.first] | ((rows.second != EARTH) & wrong[at, second])
        parts[odd, 2] = parts[odd].sum(axis=1)
        parts[odd, :2] = 0
    return Loads(parts=parts, on=on)


def to_earth(grid: Grid, loads: Loads, chosen: Truths) -> Complex:
    """The parts of the chosen rows that lie between a phase and earth, by node and phase."""
    rows = grid.injections
    found = np.zeros((len(grid.nodes), 3, 3), dtype=complex)
    chosen = chosen & loads.on & (rows.second == EARTH)
    np.add.at(found, (rows.node[chosen], rows.first[chosen]), loads.parts[chosen])
    return found


def behind_collapsed(grid: Grid, islands: Islands, loads: Loads) -> Complex:
    """The loads of the islands without a source by their first node; what lies between two phases is half in each."""
    rows = grid.injections
    found = np.zeros((len(grid.nodes), 3, 3), dtype=complex)
    island = islands.island[rows.node]
    chosen = loads.on & ~islands.has_source[rows.node] & (island >= 0)
    if not chosen.any():
        return found
    half = np.where(rows.second == EARTH, 1.0, 0.5)[:, None]
    np.add.at(found, (island[chosen], rows.first[chosen]), (loads.parts * half)[chosen])
    both = chosen & (rows.second != EARTH)
    np.add.at(found, (island[both], rows.second[both]), loads.parts[both] / 2)
    return found


def between_phases(grid: Grid, loads: Loads, rows: Whole, voltage: Complex) -> Complex:
    """The power that loads between phases take, by node and phase, at these voltages per unit."""
    taken = np.zeros((len(grid.nodes), 3), dtype=complex)
    if not len(rows):
        return taken
    injections = grid.injections
    node, first, second = injections.node[rows], injections.first[rows], injections.second[rows]
    across = voltage[node, first] - voltage[node, second]
    power = at_voltage(loads.parts[rows], np.abs(across) / np.sqrt(3))
    share = power / np.where(across == 0, 1, across)
    np.add.at(taken, (node, first), share * voltage[node, first])
    np.add.at(taken, (node, second), -share * voltage[node, second])
    return taken


def at_voltage(parts: Complex, level: Floats) -> Complex:
    """The power of loads by row at a voltage per unit of the nominal one."""
    power: Complex = parts[:, 0] + parts[:, 1] * level + parts[:, 2] * level**2
    return power
