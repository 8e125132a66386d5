"""How long a power flow takes, as a ratio to power-grid-model alone on a network of the same size.

``python -m tests.speed.power_flow`` gives network operation's solver to :func:`report`; nothing here knows a service.

The network is a feeder with branches of fifty nodes each: lines with a matrix, loads on one phase or three. It has so
many nodes of its own as are asked for, and a tenth more behind closed switches, which ours has to merge; power-grid-
model alone is given arrays without them. In ``served`` there is a load at each fifth node, behind a centre-tapped
transformer, which power-grid-model does not know: ours solves more than once, and the other side has the loads alone.

Both sides run in alternating rounds of one process, from what is live and closed to the voltages, and a ratio is the
median over the rounds of the processor time taken. Data that a switching changes nothing in are prepared before: our
arrays of the model, and theirs of the whole input. The voltages of ``plain`` must agree.
"""

import argparse
import json
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from time import process_time
from typing import Any

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray
from power_grid_model import ComponentType, DatasetType, LoadGenType, PowerGridModel, initialize_array

from contracts.nouns.electrical_models import (
    ElectricalLine,
    ElectricalLoad,
    ElectricalModel,
    ElectricalNode,
    ElectricalSource,
    ElectricalSwitch,
    ElectricalTransformer,
    PerLengthPhaseImpedance,
    PhaseImpedanceData,
    TransformerEnd,
    TransformerMeshImpedance,
    TransformerTank,
)
from contracts.nouns.units import PhaseCode

SIZES = (1_000, 5_000, 20_000)
ROUNDS = {1_000: 41, 5_000: 15, 20_000: 7}
BRANCH, VOLTS, METRES = 50, 12_000.0, 40.0
CLOSE = 1e-6
"""Per unit: so near must the voltages of both sides be."""

# ohms and siemens a metre, the lower triangle
_MATRIX = (
    (1, 1, 2.153e-4, 6.325e-4, 3.9e-9),
    (2, 1, 9.69e-5, 3.117e-4, -1.2e-9),
    (2, 2, 2.097e-4, 6.511e-4, 3.7e-9),
    (3, 1, 9.82e-5, 2.632e-4, -7.8e-10),
    (3, 2, 9.54e-5, 2.392e-4, -4.6e-10),
    (3, 3, 2.121e-4, 6.43e-4, 3.5e-9),
)

Voltages = Mapping[str, Sequence[float]]
Solve = Callable[[], Voltages]
Solver = Callable[[ElectricalModel, Callable[[], Mapping[str, int]], Callable[[], Mapping[str, int]]], Solve]
"""Makes, of a model and of what tells anew the live phases of nodes and the closed ones of switches, a run."""


class _Load(Struct, frozen=True):
    node: int
    phases: str
    p: float
    q: float


def model(nodes: int, *, served: bool) -> tuple[ElectricalModel, list[_Load]]:
    """The feeder and its loads; ``served`` hangs those of one phase on transformers."""
    loads = [_Load(n, ("ABC", "A", "B", "C")[n % 4], 1500.0 + n % 7 * 200, 500.0) for n in range(1, nodes)]
    if served:
        loads = [replace(each, phases="ABC"[each.node % 3]) for each in loads[::5]]
    behind = {each.node for each in loads if served}
    matrix = PerLengthPhaseImpedance(
        mrid="matrix",
        conductor_count=3,
        phase_impedance_data=tuple(
            PhaseImpedanceData(row=row, column=column, r=r, x=x, b=b) for row, column, r, x, b in _MATRIX
        ),
    )
    names = [f"n{n}" for n in range(nodes)]
    switched = {n: f"s{n}" for n in range(10, nodes, 10)}
    lines = tuple(
        ElectricalLine(
            mrid=f"l{n}",
            node1=switched.get(_parent(n), names[_parent(n)]),
            node2=names[n],
            phases=PhaseCode.ABC,
            length=METRES,
            per_length_impedance="matrix",
            normal_limit=400.0,
        )
        for n in range(1, nodes)
    )
    switches = tuple(
        ElectricalSwitch(mrid=f"k{n}", node1=names[n], node2=other, phases=PhaseCode.ABC, rated_current=400.0)
        for n, other in switched.items()
    )
    return (
        ElectricalModel(
            mrid="feeder",
            model_version="1",
            node=tuple(
                [ElectricalNode(mrid=name, nominal_voltage=VOLTS) for name in (*names, *switched.values())]
                + [ElectricalNode(mrid=f"h{n}", nominal_voltage=240.0) for n in sorted(behind)]
            ),
            line=lines,
            switch=switches,
            load=tuple(
                ElectricalLoad(
                    mrid=f"c{each.node}",
                    node=f"h{each.node}" if each.node in behind else names[each.node],
                    phases=PhaseCode(each.phases),
                    p=each.p,
                    q=each.q,
                )
                for each in loads
            ),
            per_length_phase_impedance=(matrix,),
            source=(ElectricalSource(mrid="grid", node="n0", nominal_voltage=VOLTS, voltage_magnitude=VOLTS),),
            transformer=tuple(_pole_top(each) for each in loads if each.node in behind),
        ),
        loads,
    )


def bare(nodes: int, loads: Sequence[_Load]) -> Solve:
    """Power-grid-model alone on the same feeder."""
    data: dict[ComponentType, NDArray[Any]] = {
        kind: initialize_array(DatasetType.input, kind, count)
        for kind, count in (
            (ComponentType.node, nodes),
            (ComponentType.asym_line, nodes - 1),
            (ComponentType.source, 1),
            (ComponentType.asym_load, len(loads)),
        )
    }
    first = 0
    for array in data.values():
        array["id"] = np.arange(first, first + len(array))
        first += len(array)
    node, line, source, load = data.values()
    node["u_rated"] = VOLTS
    line["from_node"] = [_parent(n) for n in range(1, nodes)]
    line["to_node"] = np.arange(1, nodes)
    line["from_status"] = line["to_status"] = 1
    for row, column, r, x, b in _MATRIX:
        place = "abc"[row - 1] + "abc"[column - 1]
        line[f"r_{place}"], line[f"x_{place}"] = r * METRES, x * METRES
        line[f"c_{place}"] = b * METRES / (2 * np.pi * 50)
    source["node"], source["status"], source["u_ref"], source["sk"] = 0, 1, 1.0, 1e20
    load["node"], load["status"], load["type"] = [each.node for each in loads], 1, LoadGenType.const_power
    for name in ("p", "q"):
        load[f"{name}_specified"] = [
            [getattr(each, name) / len(each.phases) if letter in each.phases else 0.0 for letter in "ABC"]
            for each in loads
        ]

    def solve() -> Voltages:
        result = PowerGridModel(data, system_frequency=50.0).calculate_power_flow(symmetric=False)
        return {f"n{n}": row for n, row in enumerate(result[ComponentType.node]["u_pu"])}

    return solve


def measure(nodes: int, solver: Solver, *, served: bool) -> dict[str, float]:
    """Seconds of both sides for one size, and their ratio."""
    given, loads = model(nodes, served=served)
    phase_of = {f"h{each.node}": 1 << "ABC".index(each.phases) for each in loads if served}
    live = {each.mrid: phase_of.get(each.mrid, 7) for each in given.node}
    closed = {each.mrid: 7 for each in given.switch}
    ours, theirs = solver(given, lambda: dict(live), lambda: dict(closed)), bare(nodes, loads)
    found, expected = ours(), theirs()
    if not served and any(abs(a - b) > CLOSE for n in expected for a, b in zip(found[n], expected[n], strict=True)):
        raise RuntimeError("the two sides find different voltages")
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS.get(nodes, 7)):
        for side, times in zip((ours, theirs), taken, strict=True):
            start = process_time()
            side()
            times.append(process_time() - start)
    return {
        "ours_s": statistics.median(taken[0]),
        "bare_s": statistics.median(taken[1]),
        "ratio": statistics.median(mine / other for mine, other in zip(*taken, strict=True)),
    }


def report(solver: Solver) -> None:
    """Print the figures of a solver."""
    options = argparse.ArgumentParser(description="How long a power flow takes beside power-grid-model alone.")
    options.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options.add_argument("--nodes", type=int, nargs="+", default=list(SIZES))
    given = options.parse_args()
    figures = {
        kind: {nodes: measure(nodes, solver, served=kind == "served") for nodes in given.nodes}
        for kind in ("plain", "served")
    }
    if given.json:
        json.dump(figures, sys.stdout, indent=2)
        sys.stdout.write("\n")
        return
    sys.stdout.write(f"{'network':8} {'nodes':>7} {'ours ms':>9} {'bare ms':>9} {'ratio':>6}\n")
    for kind, sizes in figures.items():
        for nodes, each in sizes.items():
            ours, other = each["ours_s"] * 1000, each["bare_s"] * 1000
            sys.stdout.write(f"{kind:8} {nodes:7} {ours:9.1f} {other:9.1f} {each['ratio']:6.2f}\n")


def _parent(node: int) -> int:
    return 0 if node % BRANCH == 1 else node - 1


def _pole_top(load: _Load) -> ElectricalTransformer:
    letter, rated = load.phases, 10e3
    ends = (
        TransformerEnd(
            end_number=1, node=f"n{load.node}", ordered_phases=f"{letter}N", rated_u=VOLTS / 3**0.5, rated_s=rated
        ),
        TransformerEnd(end_number=2, node=f"h{load.node}", ordered_phases="s1N", rated_u=120.0, rated_s=rated),
        TransformerEnd(end_number=3, node=f"h{load.node}", ordered_phases="Ns2", rated_u=120.0, rated_s=rated),
    )
    ohms, low = VOLTS**2 / 3 / rated, 120.0**2 / rated
    mesh = tuple(
        TransformerMeshImpedance(from_end_number=one, to_end_number=other, r=0.012 * base, x=0.02 * base)
        for one, other, base in ((1, 2, ohms), (1, 3, ohms), (2, 3, low))
    )
    tank = TransformerTank(mrid=f"tank {load.node}", transformer_end=ends, transformer_mesh_impedance=mesh)
    return ElectricalTransformer(mrid=f"t{load.node}", transformer_tank=(tank,))
