"""Tap changers that keep a voltage: where they move, given what they measure."""

from collections.abc import Callable, Iterator, Sequence
from math import ceil

from msgspec import Struct

from services.network_operation.domain.power_flow.grid import Grid
from services.network_operation.domain.power_flow.islands import Islands
from services.network_operation.domain.power_flow.pgm import Steps
from services.network_operation.domain.power_flow.rows import Complex
from services.network_operation.domain.power_flow.transformers import Tap

PHASE_TO_PHASE = 1.4
"""A target of more than this times the voltage to earth is one from phase to phase."""

_SQRT3 = 3**0.5


class Changer(Struct, frozen=True, kw_only=True):
    """A tap changer with a control: that of a row of the units or of the regulators, measuring at ``node``.

    ``volts`` is the nominal voltage to earth there.
    """

    tap: Tap
    node: int
    volts: float
    unit: int = -1
    regulator: int | None = None


def changers(grid: Grid, islands: Islands, island: int) -> tuple[Changer, ...]:
    """The tap changers of an island that may move."""
    found = _changers(grid, islands)
    return tuple(each for each in found if each.tap.controlled and islands.island[each.node] == island)


def moved(
    taps: Sequence[Changer], volts: Complex, steps: Steps, leaving: Callable[[Changer], Complex]
) -> dict[str, float]:
    """The steps after each tap changer has gone as far as its voltage is outside its band; the same when all rest.

    A band that is narrower than a step is taken as one step wide, else the changer would never rest (guide 3.11).

    Args:
        taps: the tap changers.
        volts: the voltages to earth by node and phase.
        steps: where tap changers stand that have moved.
        leaving: the currents that leave the transformer of a tap changer, for its line-drop compensation.
    """
    after = dict(steps)
    for each in taps:
        tap = each.tap
        target = tap.target / _SQRT3 if tap.target * tap.pt > PHASE_TO_PHASE * each.volts else tap.target
        measured = volts[each.node] / tap.pt
        if tap.drop:
            measured = measured - tap.drop * leaving(each)
        phase = tap.phase if tap.monitored is None else tap.monitored
        level = float(abs(measured).mean() if phase is None else abs(measured[phase]))
        step_v = abs(tap.increment) * target
        outside = abs(target - level) - max(tap.band, step_v) / 2
        if outside > 0 and step_v > 0:
            # more turns at the second winding raise its voltage, more at the first lower it
            up = (target > level) == ((tap.increment > 0) == (tap.side > 0))
            now = steps.get(tap.mrid, tap.step)
            there = min(max(now + ceil(outside / step_v) * (1 if up else -1), tap.low), tap.high)
            if there != now:
                after[tap.mrid] = there
    return after


def _changers(grid: Grid, islands: Islands) -> Iterator[Changer]:
    for row, unit in enumerate(grid.banks.units):
        for winding in unit.windings if islands.units[row] else ():
            if winding.tap is not None:
                node = unit.windings[1].node if winding.tap.node is None else winding.tap.node
                yield Changer(tap=winding.tap, node=node, volts=float(grid.nominal[node]) / _SQRT3, unit=row)
    for row, regulator in enumerate(grid.banks.regulators):
        for tap in regulator.taps if islands.regulators[row] else ():
            node = regulator.node2 if tap.node is None else tap.node
            yield Changer(tap=tap, node=node, volts=float(grid.nominal[node]) / _SQRT3, regulator=row)
