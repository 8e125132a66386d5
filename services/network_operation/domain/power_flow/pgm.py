"""One island as input of power-grid-model, whose identifiers are the places in one list of all components.

Everything is told in three phases. A phase that a branch does not have is only filled in: without load nothing flows
there, and energisation says what is dead. Where such a phase is live at both ends for another reason, it is barred.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from power_grid_model import ComponentType, DatasetType, LoadGenType, initialize_array

from services.network_operation.domain.power_flow.case import Case
from services.network_operation.domain.power_flow.grid import LEAST_OHM, symmetric
from services.network_operation.domain.power_flow.phases import bits
from services.network_operation.domain.power_flow.rows import Complex, Floats, Whole
from services.network_operation.domain.power_flow.transformers import DELTA, WYE, ZIGZAG, Regulator, Unit, Winding

FREQUENCY_HZ = 50.0
"""Only turns susceptances into capacitances and back, so any will do."""

BARRED_OHM = 1e6
"""Between the contacts of a phase that is open while others are closed."""

STIFF_VA = 1e20
"""The short-circuit power of a source whose impedance is a branch of its own."""

LEAK_PU = 1e-4
"""An island of delta windings has no place in the voltage to earth: it is held there by so much, of 1 MVA."""

Steps = Mapping[str, float]
"""Where tap changers stand, if not where the model has them."""


class Input(Struct, frozen=True, kw_only=True):
    """The input of an island, and to which rows of the grid its components belong.

    Attributes:
        data: the components of power-grid-model.
        clusters: the nodes of the grid that stand for the first nodes of the input.
        lines, partly, units, triples: rows of lines, of switches and of units, in the order of the input.
        load_at: the nodes of the loads of constant power, by which a change finds its load.
        first_load: the identifier of the first of them.
        sources, behind: rows of sources, and those of them that have an impedance, whose branches are the last lines.
    """

    data: dict[ComponentType, NDArray[Any]]
    clusters: Whole
    lines: Whole
    partly: Whole
    regulators: Whole
    units: Whole
    triples: Whole
    load_at: Whole
    first_load: int
    sources: Whole
    behind: Whole


def ratios(regulator: Regulator, steps: Steps) -> Floats:
    """The ratio of each phase of a regulator at these steps, voltage at node 2 for that at node 1."""
    found = np.array(regulator.ratio)
    for tap in regulator.taps:
        factor = tap.ratio(steps.get(tap.mrid, tap.step))
        if tap.phase is not None:
            found[tap.phase] *= factor if tap.side == 1 else 1 / factor
    return found


def island_input(case: Case, island: int, parts: Complex, moving: Whole, steps: Steps) -> Input:
    """The input of the island of which ``island`` is the first node.

    ``parts`` are the loads of each node by phase that are constant in power, current and impedance; ``moving`` are the
    nodes whose constant power will be changed between two runs.
    """
    grid, islands = case.grid, case.islands
    here = islands.island == island
    clusters = np.unique(islands.cluster[here])
    local = np.full(len(grid.nodes), -1)
    local[clusters] = np.arange(len(clusters))
    local = local[islands.cluster]
    making = _Making(case, local, len(clusters), steps)
    lines = np.flatnonzero(islands.lines & here[grid.lines.node1])
    partly = np.flatnonzero(islands.partly & here[grid.switches.node1])
    regulators = _rows(islands.regulators[row] and here[each.node1] for row, each in enumerate(grid.banks.regulators))
    live_units = _rows(islands.units[row] and here[_first(each).node] for row, each in enumerate(grid.banks.units))
    pairs = np.array([row for row in live_units if len(grid.banks.units[row].windings) == 2], dtype=np.int64)  # noqa: PLR2004
    triples = np.array([row for row in live_units if len(grid.banks.units[row].windings) > 2], dtype=np.int64)  # noqa: PLR2004
    making.branches(lines, partly, regulators)
    making.units([grid.banks.units[row] for row in pairs])
    making.triples([grid.banks.units[row] for row in triples])
    first_load, load_at = making.loads(clusters, parts, moving)
    return Input(
        data=making.data(clusters),
        clusters=clusters,
        lines=lines,
        partly=partly,
        regulators=regulators,
        units=pairs,
        triples=triples,
        load_at=load_at,
        first_load=first_load,
        sources=making.sources,
        behind=making.behind,
    )


class _Making:
    """One input that grows; a source behind an impedance gets a node of its own."""

    def __init__(self, case: Case, local: Whole, count: int, steps: Steps) -> None:
        grid, islands = case.grid, case.islands
        self._grid = grid
        self._islands = islands
        self._local = local
        self._steps = steps
        self._next = count
        self._made: dict[ComponentType, NDArray[Any]] = {}
        self._leaks: list[tuple[int, float]] = []
        self._extra = np.zeros((count, 3), dtype=complex)
        sources = grid.sources
        rows = np.flatnonzero((local[sources.node] >= 0) & (islands.live[sources.node] != 0))
        self.behind = rows[np.abs(sources.z[rows, 0]) > 0]
        self.sources = rows
        self._next += len(self.behind)

    def data(self, clusters: Whole) -> dict[ComponentType, NDArray[Any]]:
        """All components, nodes and sources included."""
        grid, sources = self._grid, self._grid.sources
        hidden = sources.node[self.behind]
        nodes = initialize_array(DatasetType.input, ComponentType.node, len(clusters) + len(hidden))
        nodes["id"] = np.arange(len(nodes))
        nodes["u_rated"] = np.concatenate((grid.nominal[clusters], grid.nominal[hidden]))
        at = {row: len(clusters) + number for number, row in enumerate(self.behind)}
        source = self._array(ComponentType.source, len(self.sources))
        source["node"] = [at.get(row, self._local[sources.node[row]]) for row in self.sources]
        source["status"] = 1
        source["u_ref"] = sources.volts[self.sources]
        source["u_ref_angle"] = sources.angle[self.sources]
        source["sk"] = STIFF_VA
        shunt = self._array(ComponentType.shunt, len(self._leaks))
        shunt["node"] = [node for node, _ in self._leaks]
        shunt["status"] = 1
        shunt["g1"] = shunt["b1"] = shunt["b0"] = 0.0
        shunt["g0"] = [LEAK_PU * 1e6 / volts**2 for _, volts in self._leaks]
        return {ComponentType.node: nodes, **{kind: made for kind, made in self._made.items() if len(made)}}

    def branches(self, lines: Whole, partly: Whole, regulators: Whole) -> None:
        """Lines, switches that are open in part, regulators, and the impedances of sources."""
        grid, islands, sources = self._grid, self._islands, self._grid.sources
        live_both = islands.live[grid.lines.node1[lines]] & islands.live[grid.lines.node2[lines]]
        z, b = _barred(grid.lines.z[lines], live_both & ~grid.lines.phases[lines]), grid.lines.b[lines]
        dead = ~bits(live_both)
        if dead.any():
            b = np.where(dead[:, :, None] | dead[:, None, :], 0.0, b)
        closed = bits(islands.closed[partly])
        switch_z = np.where(closed, LEAST_OHM, BARRED_OHM)[:, :, None] * np.eye(3)
        banks = [grid.banks.regulators[row] for row in regulators]
        regulator_z = np.array([np.diag(self._regulator(bank)) for bank in banks], dtype=complex).reshape(-1, 3, 3)
        source_z = np.array([symmetric(*sources.z[row]) for row in self.behind], dtype=complex).reshape(-1, 3, 3)
        whole_z = np.concatenate((z, switch_z, regulator_z, source_z))
        count = len(whole_z)
        hidden = np.arange(len(self.behind)) + len(self._extra)
        array = self._array(ComponentType.asym_line, count)
        array["from_node"] = np.concatenate(
            (
                self._local[grid.lines.node1[lines]],
                self._local[grid.switches.node1[partly]],
                self._local[_whole(bank.node1 for bank in banks)],
                hidden,
            )
        )
        array["to_node"] = np.concatenate(
            (
                self._local[grid.lines.node2[lines]],
                self._local[grid.switches.node2[partly]],
                self._local[_whole(bank.node2 for bank in banks)],
                self._local[sources.node[self.behind]],
            )
        )
        array["from_status"] = array["to_status"] = 1
        whole_b = np.zeros((count, 3, 3))
        whole_b[: len(b)] = b / (2 * np.pi * FREQUENCY_HZ)
        for row, one in enumerate("abc"):
            for column, other in enumerate("abc"[: row + 1]):
                array[f"r_{one}{other}"] = whole_z[:, row, column].real
                array[f"x_{one}{other}"] = whole_z[:, row, column].imag
                array[f"c_{one}{other}"] = whole_b[:, row, column]

    def units(self, units: Sequence[Unit]) -> None:
        """Transformers of two windings."""
        array = self._array(ComponentType.transformer, len(units))
        for row, unit in enumerate(units):
            one, other = unit.windings
            array[row]["tap_side"] = array[row]["tap_pos"] = array[row]["tap_min"] = array[row]["tap_max"] = 0
            array[row]["tap_size"] = 0.0
            for side, name, number in ((one, "from", 1), (other, "to", 2)):
                array[row][f"{name}_node"] = self._local[side.node]
                array[row][f"{name}_status"] = 1
                array[row][f"u{number}"] = self._volts(side)
                array[row][f"winding_{name}"] = side.kind
                array[row][f"r_grounding_{name}"] = side.earthing.real
                array[row][f"x_grounding_{name}"] = side.earthing.imag
            power = min(one.power, other.power)
            array[row]["sn"], array[row]["clock"] = power, other.clock
            array[row]["uk"], array[row]["pk"] = abs(unit.z[0]), unit.z[0].real * power
            # power-grid-model takes the admittance of the core at the second winding
            array[row]["i0"] = abs(unit.core) * one.power / power
            array[row]["p0"] = unit.core.real * one.power

    def triples(self, units: Sequence[Unit]) -> None:
        """Transformers of three windings."""
        array = self._array(ComponentType.three_winding_transformer, len(units))
        for row, unit in enumerate(units):
            array[row]["tap_side"] = array[row]["tap_pos"] = array[row]["tap_min"] = array[row]["tap_max"] = 0
            array[row]["tap_size"] = 0.0
            places = [int(self._local[side.node]) for side in unit.windings]
            for number, side in enumerate(unit.windings, start=1):
                # a winding that is dead has no node here, and open as it is may stand at any
                array[row][f"node_{number}"] = places[number - 1] if places[number - 1] >= 0 else max(places)
                array[row][f"status_{number}"] = places[number - 1] >= 0
                array[row][f"u{number}"] = self._volts(side)
                array[row][f"sn_{number}"] = side.power
                array[row][f"winding_{number}"] = side.kind
                array[row][f"r_grounding_{number}"] = side.earthing.real
                array[row][f"x_grounding_{number}"] = side.earthing.imag
            for (one, other), z in zip(((1, 2), (1, 3), (2, 3)), unit.z, strict=True):
                power = min(unit.windings[one - 1].power, unit.windings[other - 1].power)
                array[row][f"uk_{one}{other}"] = abs(z)
                array[row][f"pk_{one}{other}"] = z.real * power
            array[row]["clock_12"], array[row]["clock_13"] = unit.windings[1].clock, unit.windings[2].clock
            array[row]["i0"], array[row]["p0"] = abs(unit.core), unit.core.real * unit.windings[0].power

    def loads(self, clusters: Whole, parts: Complex, moving: Whole) -> tuple[int, Whole]:
        """Loads of the three kinds at the clusters; the identifier of the first of constant power and their places."""
        own = np.zeros((len(self._extra), 3, 3), dtype=complex)
        np.add.at(own, self._local[self._local >= 0], parts[self._local >= 0])
        own[:, :, 2] += self._extra
        kinds = (LoadGenType.const_power, LoadGenType.const_current, LoadGenType.const_impedance)
        moved = np.zeros(len(clusters), dtype=bool)
        moved[self._local[moving][self._local[moving] >= 0]] = True
        nodes = [np.flatnonzero(own[:, :, part].any(axis=1) | (moved & (part == 0))) for part in range(3)]
        first = self._next
        array = self._array(ComponentType.asym_load, sum(map(len, nodes)))
        start = 0
        for part, (at, kind) in enumerate(zip(nodes, kinds, strict=True)):
            rows = slice(start, start + len(at))
            array["node"][rows], array["type"][rows] = at, kind
            array["p_specified"][rows] = own[at, :, part].real
            array["q_specified"][rows] = own[at, :, part].imag
            start += len(at)
        array["status"] = 1
        return first, nodes[0]

    def _regulator(self, bank: Regulator) -> Complex:
        """The diagonal of the matrix of a regulator; its shunts are added to the loads of its nodes."""
        both = int(self._islands.live[bank.node1] & self._islands.live[bank.node2])
        present, ratio, z = bits(np.array([bank.phases]))[0], ratios(bank, self._steps), np.array(bank.z)
        y = 1 / z
        volts2 = self._grid.nominal[bank.node1] ** 2 / 3
        at = self._local[bank.node1], self._local[bank.node2]
        shunts = y - y / ratio + np.array(bank.core), y / ratio**2 - y / ratio
        for node, shunt in zip(at, shunts, strict=True):
            self._extra[node] += np.where(present, np.conj(shunt) * volts2, 0)
        filled: Complex = np.where(present, z * ratio, z)
        barred = bits(np.array([both & ~bank.phases]))[0]
        return np.where(barred, BARRED_OHM, filled)

    def _volts(self, winding: Winding) -> float:
        """The voltage of a winding at the step of its tap changer; a winding that nothing earths is held to earth."""
        if winding.kind in {WYE, DELTA, ZIGZAG} and self._local[winding.node] >= 0:
            self._leaks.append((int(self._local[winding.node]), winding.volts))
        tap = winding.tap
        return winding.volts if tap is None else winding.volts * tap.ratio(self._steps.get(tap.mrid, tap.step))

    def _array(self, kind: ComponentType, count: int) -> NDArray[Any]:
        array = initialize_array(DatasetType.input, kind, count)
        array["id"] = np.arange(self._next, self._next + count)
        self._next += count
        self._made[kind] = array
        return array


def _barred(z: Complex, masks: Whole) -> Complex:
    """Matrices with these phases uncoupled and barred."""
    if not masks.any():
        return z
    barred = bits(masks)
    coupled = ~(barred[:, :, None] | barred[:, None, :])
    return np.where(coupled, z, barred[:, :, None] * np.eye(3) * BARRED_OHM)


def _first(unit: Unit) -> Winding:
    return unit.windings[0]


def _rows(chosen: Iterable[object]) -> Whole:
    return np.array([row for row, is_chosen in enumerate(chosen) if is_chosen], dtype=np.int64)


def _whole(numbers: Iterable[int]) -> Whole:
    return np.array(list(numbers), dtype=np.int64)
