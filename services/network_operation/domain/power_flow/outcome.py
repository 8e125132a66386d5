"""From the voltages of all islands to currents, loadings and the balance of power."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from power_grid_model import ComponentType

from services.network_operation.domain.power_flow.behind import Seen
from services.network_operation.domain.power_flow.case import Case
from services.network_operation.domain.power_flow.flow import Balance, IslandFlow, PowerFlow
from services.network_operation.domain.power_flow.grid import EARTH, GENERATION, Grid
from services.network_operation.domain.power_flow.islands import Islands
from services.network_operation.domain.power_flow.loads import at_voltage
from services.network_operation.domain.power_flow.pgm import Input, Steps, ratios
from services.network_operation.domain.power_flow.phases import bits
from services.network_operation.domain.power_flow.rows import Complex, Floats, Truths, Whole
from services.network_operation.domain.power_flow.switches import switch_currents

Result = Mapping[ComponentType, NDArray[Any]]
"""What power-grid-model gives back."""

_TWO_ENDS, _THREE_ENDS = ("from", "to"), ("1", "2", "3")


class Found:
    """What the solved islands tell: volts to earth by node, volt-amperes into the ends of branches by row.

    What was not solved is NaN.
    """

    def __init__(self, grid: Grid) -> None:
        self.volts = _unknown(len(grid.nodes))
        self.lines = (_unknown(len(grid.lines.mrid)), _unknown(len(grid.lines.mrid)))
        self.partly = (_unknown(len(grid.switches.mrid)), _unknown(len(grid.switches.mrid)))
        self.units = [np.full((len(unit.windings), 3), np.nan, dtype=complex) for unit in grid.banks.units]
        self.sources = _unknown(len(grid.sources.mrid))

    def take(self, given: Input, result: Result, volts: Complex, here: Truths) -> None:
        """Add an island: its input, what power-grid-model made of it, and the voltages of its nodes."""
        self.volts[here] = volts[here]
        self.sources[given.sources] = _power(result[ComponentType.source])
        if ComponentType.asym_line in result:
            lines, partly, behind = len(given.lines), len(given.partly), len(given.behind)
            for side, name in enumerate(_TWO_ENDS):
                power = _power(result[ComponentType.asym_line], f"_{name}")
                self.lines[side][given.lines] = power[:lines]
                self.partly[side][given.partly] = power[lines : lines + partly]
                if side and behind:
                    self.sources[given.behind] = -power[-behind:]
        for kind, rows, names in (
            (ComponentType.transformer, given.units, _TWO_ENDS),
            (ComponentType.three_winding_transformer, given.triples, _THREE_ENDS),
        ):
            if len(rows):
                ends = np.stack([_power(result[kind], f"_{name}") for name in names], axis=1)
                for row, power in zip(rows, ends, strict=True):
                    self.units[row][:] = power


class _Branches(Struct, frozen=True, kw_only=True):
    """Branches of one kind by row: a node, the current into the first end, the largest of all ends, limits, losses."""

    mrid: tuple[str, ...]
    node: Whole
    current: Complex
    most: Floats
    limits: Floats
    lost: Complex


def flow_of(case: Case, served: Seen, found: Found, qualities: Mapping[int, str], steps: Steps) -> PowerFlow:
    """The power flow of all islands, of which ``qualities`` tells by their first nodes what came of each."""
    grid = case.grid
    telling = _Telling(case, found)
    telling.leaving += _known(np.conj(_ratio(served.taken, found.volts)))
    branches = list(telling.branches(served, steps))
    level = _level(case.islands, served)
    drawn = _drawn(case, level)
    telling.leave(drawn)
    branches.append(telling.switches())
    root = case.ranks.roots(case.islands)
    balancing = _Balancing(case, root, drawn, tuple(branches), served, found.sources)
    most = np.concatenate([each.most for each in branches])
    return PowerFlow(
        quality="; ".join(sorted(set(qualities.values()))),
        islands=tuple(
            IslandFlow(
                first=grid.nodes[first],
                nodes=int((root == first).sum()),
                quality=quality,
                balance=None if np.isnan(found.volts[first]).all() else balancing.of(first),
            )
            for first, quality in qualities.items()
        ),
        assumed=grid.assumed,
        nodes=grid.nodes,
        root=root,
        voltage=np.abs(level),
        branches=tuple(mrid for each in branches for mrid in each.mrid),
        current=np.concatenate([np.abs(each.current) for each in branches]),
        loading=most[:, None] / np.concatenate([each.limits for each in branches]) * 100,
        taps=dict(steps),
    )


class _Telling:
    """The branches of each kind, while ``leaving`` sums what leaves each node by them."""

    def __init__(self, case: Case, found: Found) -> None:
        grid = case.grid
        self._case = case
        self._grid = grid
        self._islands = case.islands
        self._found = found
        self.leaving = np.zeros((len(grid.nodes), 3), dtype=complex)
        sources = grid.sources.node
        np.add.at(self.leaving, sources, -_known(np.conj(_ratio(found.sources, found.volts[sources]))))

    def branches(self, served: Seen, steps: Steps) -> Iterator[_Branches]:
        """All kinds of which there are any, but for switches."""
        banks = self._grid.banks
        yield self.lines()
        if banks.units:
            yield self.units()
        if banks.regulators:
            yield self.regulators(steps)
        if banks.collapsed:
            yield self.collapsed(served)

    def lines(self) -> _Branches:
        """Lines; a phase that is dead or that the line does not have is NaN."""
        lines, live = self._grid.lines, self._islands.live
        present = bits(lines.phases & live[lines.node1] & live[lines.node2])
        one, other = (np.where(present, power, np.nan) for power in self._found.lines)
        first, last = self._currents(lines.node1, one), self._currents(lines.node2, other)
        return _Branches(
            mrid=lines.mrid,
            node=lines.node1,
            current=first,
            most=_most(first, last),
            limits=lines.limits,
            lost=one + other,
        )

    def units(self) -> _Branches:
        """Three-phase transformers; their limits belong to the first winding."""
        units = self._grid.banks.units
        first = _unknown(len(units))
        for row, unit in enumerate(units):
            for number, winding in enumerate(unit.windings):
                power = self._found.units[row][number : number + 1]
                current = self._currents(np.array([winding.node]), power)
                if number == 0:
                    first[row] = current[0]
        lost = np.array([np.nansum(power, axis=0) for power in self._found.units], dtype=complex).reshape(-1, 3)
        return _Branches(
            mrid=tuple(unit.mrid for unit in units),
            node=_whole([unit.windings[0].node for unit in units]),
            current=first,
            most=_most(first),
            limits=_limits([unit.limits for unit in units]),
            lost=lost,
        )

    def regulators(self, steps: Steps) -> _Branches:
        """Regulators, from the voltages at both their nodes."""
        every = self._grid.banks.regulators
        count = len(every)
        nodes = _whole([each.node1 for each in every]), _whole([each.node2 for each in every])
        volts = self._found.volts[nodes[0]], self._found.volts[nodes[1]]
        ratio = np.array([ratios(each, steps) for each in every], dtype=float).reshape(count, 3)
        z = np.array([each.z for each in every], dtype=complex).reshape(count, 3)
        core = np.array([each.core for each in every], dtype=complex).reshape(count, 3)
        present = bits(_whole([each.phases for each in every]) & self._islands.live[nodes[0]])
        through = np.where(present, (volts[0] - volts[1] / ratio) / z, np.nan)
        first, last = through + core * volts[0], -through / ratio
        for node, current in zip(nodes, (first, last), strict=True):
            np.add.at(self.leaving, node, _known(current))
        return _Branches(
            mrid=tuple(each.mrid for each in every),
            node=nodes[0],
            current=first,
            most=_most(first),
            limits=_limits([each.limits for each in every]),
            lost=volts[0] * np.conj(first) + volts[1] * np.conj(last),
        )

    def collapsed(self, served: Seen) -> _Branches:
        """Collapsed tanks, one row each; what they lose is the difference of what they take and what is behind."""
        every = self._grid.banks.collapsed
        current = _unknown(len(every))
        rows = np.arange(len(every))
        tanks = self._grid.banks.tanks
        first, second = tanks.first, tanks.second
        current[rows, first] = served.currents
        between = second != EARTH
        current[rows[between], second[between]] = -served.currents[between]
        return _Branches(
            mrid=tuple(each.mrid for each in every),
            node=tanks.node1,
            current=current,
            most=_most(current),
            limits=tanks.limits,
            lost=np.zeros((len(every), 3), dtype=complex),
        )

    def switches(self) -> _Branches:
        """Switches; in a ring of closed ones the currents are not known."""
        switches, islands = self._grid.switches, self._islands
        joins = np.flatnonzero(islands.joins)
        first = _unknown(len(switches.mrid))
        one, other = self._found.partly
        partly = np.flatnonzero(islands.partly)
        first[partly] = self._currents(switches.node1[partly], one[partly])
        self._currents(switches.node2[partly], other[partly])
        first[joins] = switch_currents(switches.node1[joins], switches.node2[joins], self.leaving)
        solved = np.isfinite(self._found.volts[switches.node1])
        present = bits(islands.closed & islands.live[switches.node1] & islands.live[switches.node2])
        first = np.where(present & solved, first, np.nan)
        return _Branches(
            mrid=switches.mrid,
            node=switches.node1,
            current=first,
            most=_most(first),
            limits=switches.limits,
            lost=_known(one + other),
        )

    def leave(self, drawn: Complex) -> None:
        """Add what is drawn at nodes of solved islands by loads and infeeds."""
        rows = self._grid.injections
        at = self._case.loads.on & self._islands.has_source[rows.node]
        current = _known(np.conj(_ratio(drawn[at], self._found.volts[rows.node[at]])))
        np.add.at(self.leaving, rows.node[at], current)

    def _currents(self, node: Whole, power: Complex) -> Complex:
        """The currents into the ends of branches at these nodes."""
        current = np.conj(_ratio(power, self._found.volts[node]))
        np.add.at(self.leaving, node, _known(current))
        return current


def _level(islands: Islands, served: Seen) -> Complex:
    """The voltages of all nodes per unit, those behind collapsed transformers included; NaN where a phase is dead."""
    level = served.voltage.copy()
    is_behind = ~islands.has_source & (islands.island >= 0)
    level[is_behind] = level[islands.island[is_behind]]
    level[~bits(islands.live)] = np.nan
    return level


def _drawn(case: Case, level: Complex) -> Complex:
    """What each injection draws by phase, VA; one between phases behind a collapsed transformer by halves."""
    rows = case.grid.injections
    at = np.arange(len(rows.node))
    drawn = np.zeros((len(rows.node), 3), dtype=complex)
    first = level[rows.node, rows.first]
    single = rows.second == EARTH
    second = level[rows.node, np.maximum(rows.second, 0)]
    across = np.where(single, first, first - second)
    is_level = np.abs(across) / np.where(single, 1.0, np.sqrt(3))
    behind = ~case.islands.has_source[rows.node]
    power = at_voltage(case.loads.parts, np.where(behind, np.abs(first), is_level))
    share = np.where(behind, 0.5, _ratio(first, across))
    drawn[at, rows.first] = np.where(single, power, power * share)
    pairs = at[~single]
    drawn[pairs, rows.second[pairs]] = (power * (1 - share))[pairs]
    return np.where(case.loads.on[:, None], drawn, 0)


class _Balancing(Struct, frozen=True):
    """What the balances of islands are summed from; ``root`` is the island that feeds a node."""

    case: Case
    root: Whole
    drawn: Complex
    branches: tuple[_Branches, ...]
    served: Seen
    supplied: Complex

    def of(self, first: int) -> Balance:
        """The balance of an island with all that hangs on it."""
        grid, rows = self.case.grid, self.case.grid.injections
        here = self.root == first
        solved = here & self.case.islands.has_source
        generates = rows.kind == GENERATION
        lost = np.zeros(3, dtype=complex)
        for each in self.branches:
            lost += _known(each.lost[here[each.node]]).sum(axis=0)
        behind = self.drawn[here[rows.node] & ~solved[rows.node]].sum(axis=0)
        lost += np.nansum(self.served.taken[solved], axis=0) - behind
        return Balance(
            supplied=_triple(np.nansum(self.supplied[here[grid.sources.node]], axis=0)),
            generated=_triple(-self.drawn[here[rows.node] & generates].sum(axis=0)),
            consumed=_triple(self.drawn[here[rows.node] & ~generates].sum(axis=0)),
            lost=_triple(lost),
        )


def _known(values: Complex) -> Complex:
    """The same, with nothing in the place of what is not known."""
    known = values.copy()
    known[np.isnan(known)] = 0
    return known


def _unknown(count: int) -> Complex:
    return np.full((count, 3), np.nan, dtype=complex)


def _power(told: NDArray[Any], end: str = "") -> Complex:
    power: Complex = told[f"p{end}"] + 1j * told[f"q{end}"]
    return power


def _ratio(power: Complex, volts: Complex) -> Complex:
    """A quotient that is NaN where the divisor is nothing or unknown."""
    with np.errstate(invalid="ignore"):
        quotient: Complex = power / np.where(volts == 0, np.nan, volts)
    return quotient


def _most(*ends: Complex) -> Floats:
    """The largest current of a row over phases and ends; NaN where none is known."""
    every = np.abs(np.concatenate(ends, axis=1))
    most: Floats = np.where(np.isnan(every), -1.0, every).max(axis=1)
    return np.where(most < 0, np.nan, most)


def _triple(values: Complex) -> tuple[complex, complex, complex]:
    return complex(values[0]), complex(values[1]), complex(values[2])


def _whole(numbers: list[int]) -> Whole:
    return np.array(numbers, dtype=np.int64)


def _limits(pairs: list[tuple[float, float]]) -> Floats:
    return np.array(pairs, dtype=float).reshape(-1, 2)
