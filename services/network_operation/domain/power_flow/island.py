"""One island, solved again until the loads that depend on its voltages stay, and its tap changers rest."""

import numpy as np
from msgspec import Struct
from power_grid_model import CalculationMethod, ComponentType, DatasetType, PowerGridModel, initialize_array
from power_grid_model.errors import PowerGridError  # type: ignore[attr-defined] # it is there, but not re-exported

from services.network_operation.domain.power_flow.behind import seen
from services.network_operation.domain.power_flow.case import Case
from services.network_operation.domain.power_flow.grid import EARTH
from services.network_operation.domain.power_flow.loads import between_phases, to_earth
from services.network_operation.domain.power_flow.outcome import Result
from services.network_operation.domain.power_flow.pgm import FREQUENCY_HZ, Input, Steps, island_input, ratios
from services.network_operation.domain.power_flow.phases import TURN
from services.network_operation.domain.power_flow.rows import Complex
from services.network_operation.domain.power_flow.tapping import Changer, changers, moved

ROUNDS = 12
"""So often an island is solved for the loads that depend on its voltages."""

SETTLED = 1e-5
"""These loads have settled when none of them changes by more than this part of the load of the island."""

MOVES = 40
"""So often tap changers are moved by as much as they need: one that goes step by step has reached its end before."""

_OUTPUT = {
    ComponentType.node,
    ComponentType.asym_line,
    ComponentType.transformer,
    ComponentType.three_winding_transformer,
    ComponentType.source,
}


class Settled(Struct, frozen=True, kw_only=True):
    """What an island came to: its input, the result, the voltages by node per unit, the steps of its tap changers.

    ``rests`` is False where tap changers would go on moving.
    """

    given: Input
    result: Result
    voltage: Complex
    steps: Steps
    rests: bool


def settled(case: Case, first: int, *, regulate: bool) -> Settled:
    """The island of which ``first`` is the first node.

    Raises:
        PowerGridError: there is no solution.
    """
    island = _Island(case, first)
    taps = changers(case.grid, case.islands, first) if regulate else ()
    voltage, steps = island.start(), dict[str, float]()
    for _ in range(MOVES):
        found = island.solve(voltage, steps)
        after = moved(taps, found.voltage * case.scale, steps, lambda changer: _leaving(case, changer, found))  # noqa: B023
        if after == steps:
            return found
        voltage, steps = found.voltage, after
    return Settled(given=found.given, result=found.result, voltage=found.voltage, steps=found.steps, rests=False)


class _Island:
    """The island with its loads, those of them apart that depend on the voltages in a way of their own."""

    def __init__(self, case: Case, first: int) -> None:
        grid, islands, rows = case.grid, case.islands, case.grid.injections
        self._case = case
        self._first = first
        self._here = islands.island == first
        here = self._here[rows.node]
        self._own = to_earth(grid, case.loads, here)
        self._between = np.flatnonzero(here & case.loads.on & (rows.second != EARTH))
        self._hanging = case.ranks.within(self._here)
        self._moving = np.unique(np.concatenate((rows.node[self._between], self._hanging.nodes)))
        self._size = float(np.abs(self._own).sum() + np.abs(case.loads.parts[self._between]).sum())

    def start(self) -> Complex:
        """Voltages as they should be, turned as the first source is."""
        sources = self._case.grid.sources
        rows = np.flatnonzero(self._here[sources.node])
        turned = TURN * np.exp(1j * sources.angle[rows[0]]) if len(rows) else TURN
        voltage: Complex = np.where(self._here[:, None], turned, np.nan)
        return voltage

    def solve(self, voltage: Complex, steps: Steps) -> Settled:
        """The island at these steps; a symmetrical solution gives the first guess, and tells early if there is none."""
        taken = self._taken(voltage)
        parts = self._own.copy()
        parts[:, :, 0] += taken
        given = island_input(self._case, self._first, parts, self._moving, steps)
        model = PowerGridModel(given.data, system_frequency=FREQUENCY_HZ)
        if len(self._moving) and not steps:
            node = _calculated(model, symmetric=True)[ComponentType.node]
            guess = (node["u_pu"] * np.exp(1j * node["u_angle"]))[:, None] * TURN
            taken = self._update(model, given, self._spread(given, guess))
        for _ in range(ROUNDS):
            result = _calculated(model, symmetric=False)
            node = result[ComponentType.node]
            voltage = self._spread(given, node["u_pu"] * np.exp(1j * node["u_angle"]))
            if not len(self._moving):
                break
            before, taken = taken, self._update(model, given, voltage)
            if np.abs(taken - before).max() <= SETTLED * (self._size + np.abs(taken).sum()):
                break
        return Settled(given=given, result=result, voltage=voltage, steps=steps, rests=True)

    def _spread(self, given: Input, voltage: Complex) -> Complex:
        """The voltages of merged nodes as those of all nodes."""
        count = len(self._case.grid.nodes)
        of_cluster = np.full((count, 3), np.nan, dtype=complex)
        of_cluster[given.clusters] = voltage[: len(given.clusters)]
        spread: Complex = np.where(self._here[:, None], of_cluster[self._case.islands.cluster], np.nan)
        return spread

    def _taken(self, voltage: Complex) -> Complex:
        """What is taken between phases and by collapsed transformers at these voltages."""
        case = self._case
        taken = between_phases(case.grid, case.loads, self._between, voltage)
        if self._hanging.ranks:
            served = seen(self._hanging, case.zones, voltage, case.grid.nominal)
            taken = taken + np.where(self._here[:, None], served.taken, 0)
        return taken

    def _update(self, model: PowerGridModel, given: Input, voltage: Complex) -> Complex:
        """Tell power-grid-model what is taken at these voltages."""
        taken = self._taken(voltage)
        at_cluster = np.zeros((len(self._case.grid.nodes), 3), dtype=complex)
        np.add.at(at_cluster, self._case.islands.cluster[self._here], (self._own[:, :, 0] + taken)[self._here])
        power = at_cluster[given.clusters[given.load_at]]
        loads = initialize_array(DatasetType.update, ComponentType.asym_load, len(power))
        loads["id"] = given.first_load + np.arange(len(power))
        loads["p_specified"], loads["q_specified"] = power.real, power.imag
        model.update(update_data={ComponentType.asym_load: loads})
        return taken


def _calculated(model: PowerGridModel, *, symmetric: bool) -> Result:
    """What power-grid-model finds: by iterated currents, which takes half the time, else by Newton and Raphson.

    Raises:
        PowerGridError: there is no solution.
    """
    try:
        return model.calculate_power_flow(
            symmetric=symmetric,
            calculation_method=CalculationMethod.iterative_current,
            output_component_types=_OUTPUT,
        )
    except PowerGridError:
        return model.calculate_power_flow(symmetric=symmetric, output_component_types=_OUTPUT)


def _leaving(case: Case, changer: Changer, found: Settled) -> Complex:
    """The currents by phase, in A, that leave a transformer with a tap changer at its second winding."""
    banks = case.grid.banks
    if changer.regulator is not None:
        bank = banks.regulators[changer.regulator]
        volts = (found.voltage * case.scale)[[bank.node1, bank.node2]]
        ratio = ratios(bank, found.steps)
        through: Complex = (volts[0] - volts[1] / ratio) / np.array(bank.z) / ratio
        return through
    unit = banks.units[changer.unit]
    kind, rows, name = (
        (ComponentType.transformer, found.given.units, "to")
        if len(unit.windings) == 2  # noqa: PLR2004 - from and to
        else (ComponentType.three_winding_transformer, found.given.triples, "2")
    )
    told = found.result[kind][int(np.flatnonzero(rows == changer.unit)[0])]
    node = unit.windings[1].node
    into: Complex = np.conj((told[f"p_{name}"] + 1j * told[f"q_{name}"]) / (found.voltage * case.scale)[node])
    return -into
