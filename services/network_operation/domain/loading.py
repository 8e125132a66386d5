"""From a state of the network to a power flow, and from that to what switching has to know.

:func:`posed` is done here, :func:`figures_of` and :func:`feeder_flows` in the process pool, where each process keeps
the grid that it has made of the electrical data.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from contracts.nouns.feeder_topology import Equipment
from contracts.nouns.switching_studies import BranchLoading, NodeVoltage
from contracts.types import ObjectReference
from services.network_operation.domain.feeder_flow import FeederFlow
from services.network_operation.domain.figures import BAND, EMERGENCY_BAND, NOTHING_LIVE, SOLVED, Figures, Question
from services.network_operation.domain.interruptions import ColdLoads
from services.network_operation.domain.network_state import NetworkState
from services.network_operation.domain.power_flow import solution
from services.network_operation.domain.power_flow.flow import BranchFlow, PowerFlow
from services.network_operation.domain.power_flow.grid import LOAD, Grid, part_of, unpacked
from services.network_operation.domain.power_flow.islands import SwitchedState
from services.network_operation.domain.power_flow.phases import mask_of
from services.network_operation.domain.power_flow.rows import Whole
from services.network_operation.domain.structure import Structure
from services.network_operation.domain.windings import ABNORMAL, DEAD

AT_ONCE = 4
"""So many states of the network are solved by one process, one after the other."""

_BITS = np.array([1, 2, 4])
_WITHOUT_DATA = frozenset({"Cut", "Jumper"})
_FULL = 100.0


class Posed(Struct, frozen=True, kw_only=True):
    """A question as another process gets it.

    Attributes:
        feeders: those it is about; None where it may be about any.
        unknown: why there is no answer.
    """

    state: SwitchedState
    device: str | None = None
    picked_up: frozenset[str] = frozenset()
    feeders: frozenset[str] | None = None
    unknown: str | None = None


class Members(Struct, frozen=True, kw_only=True):
    """The nodes of a feeder, and its equipment; ``unknown`` says why nothing is known of it."""

    feeder: str
    nodes: tuple[str, ...]
    equipment: frozenset[str]
    unknown: str | None = None


class _Known(Struct, frozen=True):
    """A power flow, with what all feeders are told from."""

    flow: PowerFlow
    place: Mapping[str, int]
    live: Mapping[str, int]
    loadings: tuple[BranchLoading, ...]
    voltages: tuple[NodeVoltage, ...]


def switched_state(state: NetworkState, cold: ColdLoads, nodes: Whole | None = None) -> SwitchedState:
    """A state as the power flow gets it; only what these nodes have of it, by their numbers, where they are given."""
    structure = state.structure
    names = structure.nodes if nodes is None else [structure.nodes[number] for number in nodes]
    zones = structure.zone_table if nodes is None else structure.zone_table[nodes]
    levels = np.frombuffer(state.supply.level, dtype=np.uint8)[zones]
    live, odd = (levels != DEAD) @ _BITS, (levels == ABNORMAL) @ _BITS
    return SwitchedState(
        live=dict(zip(names, live.tolist(), strict=True)),
        abnormal={name: mask for name, mask in zip(names, odd.tolist(), strict=True) if mask},
        closed={
            each.mrid: mask_of(each.phases) & ~state.open_masks[number]
            for number, each in enumerate(structure.switches)
        },
        factors=cold.factors,
        without_generation=cold.without_generation,
    )


def dark_nodes(state: NetworkState) -> frozenset[str]:
    """The nodes of which no phase has any voltage."""
    levels = np.frombuffer(state.supply.level, dtype=np.uint8)[state.structure.zone_table]
    numbers = np.flatnonzero((levels == DEAD).all(axis=1)).tolist()
    return frozenset(state.structure.nodes[number] for number in numbers)


def posed(question: Question, cold: ColdLoads) -> Posed:
    """A question for another process.

    The model has no impedance of what crews put up: where a jumper or a cut is among what is asked about, nothing is
    known.
    """
    state = question.grid.state
    structure = state.structure
    nodes = _beside(question, structure)
    here = None if nodes is None else _together(state, nodes)
    names = set(structure.nodes if here is None else (structure.nodes[number] for number in here))
    return Posed(
        state=switched_state(state, cold, here),
        device=question.devices[-1] if question.devices else None,
        picked_up=question.picked_up,
        feeders=None if here is None else _feeders_of(structure, here),
        unknown=next((_no_data_of(each) for each in _added(structure) if not names.isdisjoint(_ends(each))), None),
    )


def shared_out(data: bytes, questions: Sequence[Posed]) -> Iterator[tuple[bytes, tuple[Posed, ...]]]:
    """The questions for one process after the other, each with the electrical data that they need."""
    for place in range(0, len(questions), AT_ONCE):
        share = tuple(questions[place : place + AT_ONCE])
        feeders = frozenset[str]().union(*(each.feeders or () for each in share))
        yield data if any(each.feeders is None for each in share) else part_of(data, feeders), share


def members(state: NetworkState) -> tuple[Members, ...]:
    """What each feeder has; nothing is known of one that hangs together with what a crew put up."""
    structure = state.structure
    unknown: dict[str, str] = {}
    for each in _added(structure):
        for number in _together(state, _ends(each)).tolist():
            for feeder in structure.feeders_of_node[number]:
                unknown[feeder] = _no_data_of(each)
    return tuple(
        Members(
            feeder=mrid,
            nodes=tuple(node.mrid for node in each.connectivity_node),
            equipment=frozenset(piece.mrid for piece in each.equipment),
            unknown=unknown.get(mrid),
        )
        for mrid, each in structure.feeders.items()
    )


def figures_of(data: bytes, questions: tuple[Posed, ...]) -> tuple[Figures, ...]:
    """The figures of each question: what runs in the pool.

    Where something is beyond an emergency limit and loads are cold, it is solved again with warm loads, to tell what
    the cold is to blame for.
    """
    grid = unpacked(data)
    return tuple(_figures(grid, each) for each in questions)


def feeder_flows(
    data: bytes, state: SwitchedState, feeders: tuple[Members, ...], at: datetime, model_version: str
) -> tuple[FeederFlow, ...]:
    """The power flow of each feeder as it is at a time: what runs in the pool."""
    flow = solution.solve(data, state)
    known = _Known(
        flow=flow,
        place={node: number for number, node in enumerate(flow.nodes)},
        live=state.live,
        loadings=_loadings(flow),
        voltages=_voltages(flow),
    )
    return tuple(
        _feeder_flow(known, each, FeederFlow(feeder=each.feeder, made_at=at, model_version=model_version))
        for each in feeders
    )


def _figures(grid: Grid, question: Posed) -> Figures:
    if question.unknown is not None:
        return Figures(status=question.unknown)
    flow = solution.solved(grid, question.state)
    if not flow.is_solved:
        return Figures(status=NOTHING_LIVE if flow.quality == solution.NOTHING_LIVE else _status(flow))
    loadings, voltages = _loadings(flow), _voltages(flow)
    is_cold = bool(question.state.factors or question.state.without_generation)
    if is_cold and (any(map(_is_too_much, loadings)) or any(map(_is_too_far, voltages))):
        warm = solution.solved(grid, replace(question.state, factors={}, without_generation=frozenset()))
        heavy = {each.power_system_resource.mrid for each in _loadings(warm) if _is_too_much(each)}
        far = {each.connectivity_node.mrid for each in _voltages(warm) if _is_too_far(each)}
        loadings = tuple(
            replace(each, cold_load=True)
            if _is_too_much(each) and each.power_system_resource.mrid not in heavy
            else each
            for each in loadings
        )
        voltages = tuple(
            replace(each, cold_load=True) if _is_too_far(each) and each.connectivity_node.mrid not in far else each
            for each in voltages
        )
    return Figures(
        status=_status(flow),
        loadings=loadings,
        margin=flow.margin,
        picked_up=_power_at(grid, question),
        through=_through(flow, question.device),
        voltages=voltages,
    )


def _status(flow: PowerFlow, first: set[str] | None = None) -> str:
    """What came of the islands, of those with these first nodes if any are given; failures alone where any failed."""
    found = {each.quality for each in flow.islands if first is None or each.first in first}
    failed = {each for each in found if not each.startswith(SOLVED)}
    return "; ".join(sorted(failed or found)) or flow.quality


def _loadings(flow: PowerFlow) -> tuple[BranchLoading, ...]:
    """The branches beyond their normal rating, the worst first."""
    beyond = sorted(flow.loaded_beyond(_FULL), key=lambda each: -each.loading)
    return tuple(
        BranchLoading(
            current=_most(each),
            emergency_loading=None if np.isnan(each.emergency_loading) else each.emergency_loading,
            loading=each.loading,
            power_system_resource=ObjectReference(mrid=each.mrid),
        )
        for each in beyond
    )


def _voltages(flow: PowerFlow) -> tuple[NodeVoltage, ...]:
    """The nodes with a voltage that is not normal, the worst first."""
    outside = sorted(flow.voltages_outside(*BAND), key=lambda each: -abs(each[2] - 1))
    return tuple(
        NodeVoltage(phases=phase, voltage=voltage, connectivity_node=ObjectReference(mrid=node))
        for node, phase, voltage in outside
    )


def _is_too_much(each: BranchLoading) -> bool:
    return each.emergency_loading is not None and each.emergency_loading > _FULL


def _is_too_far(each: NodeVoltage) -> bool:
    low, high = EMERGENCY_BAND
    return not low <= each.voltage <= high


def _most(each: BranchFlow) -> float | None:
    known = [value for value in each.currents if not np.isnan(value)]
    return max(known) if known else None


def _through(flow: PowerFlow, device: str | None) -> float | None:
    return None if device not in flow.branches else _most(flow.branch(device))


def _power_at(grid: Grid, question: Posed) -> float:
    """What the loads at the nodes that are picked up take at nominal voltage, W."""
    rows, factors = grid.injections, question.state.factors
    chosen = np.array([node in question.picked_up for node in grid.nodes], dtype=bool)
    weight = np.where(chosen, [factors.get(node, 1.0) for node in grid.nodes], 0.0)
    power = rows.parts.sum(axis=1).real * weight[rows.node]
    return float(power[rows.kind == LOAD].sum())


def _feeder_flow(known: _Known, feeder: Members, nothing: FeederFlow) -> FeederFlow:
    """What a power flow says of one feeder; ``nothing`` is that it says nothing."""
    if feeder.unknown is not None:
        return replace(nothing, status=feeder.unknown)
    flow = known.flow
    nodes = [known.place[node] for node in feeder.nodes if node in known.place and known.live.get(node)]
    live = np.array(nodes, dtype=np.int64)
    if not len(live):
        return replace(nothing, status=NOTHING_LIVE)
    status = _status(flow, {flow.nodes[root] for root in np.unique(flow.root[live]).tolist() if root >= 0})
    if not status.startswith(SOLVED):
        return replace(nothing, status=status)
    rows = np.array([row for row, mrid in enumerate(flow.branches) if mrid in feeder.equipment], dtype=np.int64)
    volts, loads = flow.voltage[live], flow.loading[rows]
    lost = int(np.isnan(volts).all(axis=1).sum())
    if lost:
        return replace(nothing, status=f"not solved: {lost} live nodes without a source in the electrical data")
    level = volts[~np.isnan(volts)]
    rated = np.flatnonzero(~np.isnan(loads[:, 0]))
    most = int(rows[rated[loads[rated, 0].argmax()]]) if len(rated) else None
    mine = set(feeder.nodes)
    return replace(
        nothing,
        status=status,
        highest_loading=None if most is None else float(flow.loading[most, 0]),
        highest_voltage=float(level.max()) if len(level) else None,
        loadings=tuple(each for each in known.loadings if each.power_system_resource.mrid in feeder.equipment),
        lowest_voltage=float(level.min()) if len(level) else None,
        margin=None if most is None else float(_FULL - np.nanmax(loads[:, 1])),
        most_loaded=None if most is None else flow.branches[most],
        voltages=tuple(each for each in known.voltages if each.connectivity_node.mrid in mine),
    )


def _feeders_of(structure: Structure, nodes: Whole) -> frozenset[str] | None:
    """The feeders that have any of these nodes; None where one has no feeder, so that nobody knows whose it is."""
    of_each = [structure.feeders_of_node[number] for number in nodes.tolist()]
    return frozenset[str]().union(*of_each) if all(of_each) else None


def _beside(question: Question, structure: Structure) -> list[str] | None:
    """The nodes at the devices that are asked about; None for a question about everything."""
    known = [structure.equipment[each] for each in question.devices if each in structure.equipment]
    if len(known) < len(question.devices) or not known:
        return None
    return [node for each in known for node in _ends(each)]


def _added(structure: Structure) -> tuple[Equipment, ...]:
    """The jumpers and cuts."""
    return tuple(each for each in structure.equipment.values() if each.kind in _WITHOUT_DATA)


def _ends(each: Equipment) -> list[str]:
    return [node for node in (each.node1, each.node2) if node is not None]


def _no_data_of(each: Equipment) -> str:
    return f"not solved: no electrical data of the {each.kind} '{each.mrid}'"


def _together(state: NetworkState, nodes: Iterable[str]) -> Whole:
    """The numbers of all nodes that hang together with one of some."""
    zones = set[int]().union(*(state.reach(node) for node in dict.fromkeys(nodes)))
    return state.structure.nodes_of_zone.of(sorted(zones))
