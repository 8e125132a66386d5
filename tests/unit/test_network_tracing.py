"""Traces: who hangs on what, in trees, in meshes and behind transformers."""

from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from msgspec.structs import replace

from contracts.errors import NotFound
from contracts.nouns.feeder_topology import Equipment, Feeder
from contracts.nouns.units import PhaseCode
from services.network_operation.domain.feeding import Feeding
from services.network_operation.domain.network_state import NetworkState, Operation
from services.network_operation.domain.phases import ALL, Phases
from services.network_operation.domain.structure import NOWHERE, Structure
from services.network_operation.domain.tracing import Loop, Tracing
from tests.fixtures.phased_networks import feeder, networks, piece, point, switch

A, B, C = Phases.A, Phases.B, Phases.C


def opened(mrid: str) -> Operation:
    return Operation(device=mrid, open=True)


def trace(*equipment: Equipment, points: tuple[str, ...] = ()) -> Tracing:
    net = feeder(*equipment, points=tuple(point(f"u{node}", node) for node in points))
    return Tracing(NetworkState.of(Structure([net])))


def unrolled(network: Feeder) -> Feeder:
    """The same without rolls: a switch then has but one phase on any way round."""
    return replace(network, equipment=tuple(replace(each, phases_at_node2=None) for each in network.equipment))


@settings(deadline=None)
@given(networks().map(unrolled))
def test_what_stands_above_a_place_are_the_switches_that_take_its_supply(network: Feeder) -> None:
    state = NetworkState.of(Structure([network]))
    tracing = Tracing(state)
    for node in state.structure.nodes:
        for place, zone in enumerate(state.structure.zones(node)):
            if zone == NOWHERE or not state.supply.level[zone]:
                assert tracing.above(node, Phases(1 << place)) == ()
                continue
            needed = {
                each.mrid
                for each in state.structure.switches
                if state.after(opened(each.mrid)).supply.level[zone] < state.supply.level[zone]
            }
            told = tracing.above(node, Phases(1 << place))
            assert len(told) == len(set(told))
            assert set(told) == needed


@settings(deadline=None)
@given(networks().map(unrolled))
def test_a_switch_above_stands_nearer_to_the_source_than_what_follows_it(network: Feeder) -> None:
    assume(all(each.connection is None for each in network.equipment))
    state = NetworkState.of(Structure([network]))
    tracing = Tracing(state)
    for node in state.structure.nodes:
        for phase in state.live(node):
            way = tracing.above(node, phase)
            for upper, lower in pairwise(way):
                beyond = state.structure.equipment[lower]
                ends = (beyond.node1, beyond.node2 or beyond.node1)
                dark = state.after(opened(upper))
                assert all(not dark.live(end) & phase for end in ends)


STREET = (
    piece("s", "EnergySource", "bus"),
    switch("breaker", "bus", "1", protective=True),
    switch("isolator", "1", "2"),
    switch("fuse a", "2", "3", protective=True, phases=PhaseCode.A),
    switch("fuse", "2", "4", protective=True),
    switch("recloser", "2", "5", protective=True),
    switch("tie", "5", "6", open=True, normal_open=True),
    switch("other breaker", "bus", "6", protective=True),
    piece("line", "ACLineSegment", "5", "7"),
)
NODES = ("2", "3", "4", "7", "6")


def test_a_street_is_traced_up_and_down() -> None:
    tracing = trace(*STREET, points=NODES)
    assert tracing.above("3", A) == ("breaker", "isolator", "fuse a")
    assert tracing.above("3", B) == ()
    assert tracing.above("bus", A) == ()
    assert tracing.common([("4", ALL), ("7", ALL)]) == ("breaker", "isolator")
    assert tracing.common([("3", A), ("4", A)]) == ("breaker", "isolator")
    assert tracing.common([("4", ALL), ("6", ALL)]) == ()
    assert (tracing.protection("2"), tracing.protection("3", A), tracing.protection("bus")) == (
        "breaker",
        "fuse a",
        None,
    )
    assert tracing.below("isolator") == ("u2", "u4", "u7"), "at 3 two of three phases were never there"
    assert tracing.below("fuse a") == ()
    assert tracing.open_points("breaker") == ("tie",)
    between = tracing.between("breaker", "recloser")
    assert (between.switches, between.usage_points) == (("isolator",), ("u2", "u4"))
    with pytest.raises(NotFound, match="'fuse' does not hang on 'recloser'"):
        tracing.between("recloser", "fuse")


def test_a_dead_section_finds_its_ties_and_an_element_its_isolation() -> None:
    tracing = Tracing(trace(*STREET, points=NODES).state.after(opened("recloser")))
    assert tracing.ties("7") == ("recloser", "tie")
    assert tracing.isolation("line") == ("recloser", "tie")
    assert tracing.isolation("isolator") == ("breaker", "fuse", "fuse a", "isolator", "recloser")
    assert tracing.isolation("bus") == ("breaker", "other breaker")
    with pytest.raises(NotFound):
        tracing.isolation("nothing")


def test_a_closed_tie_makes_a_loop_and_nothing_hangs_on_what_is_in_it() -> None:
    tracing = Tracing(trace(*STREET, points=NODES).state.after(Operation(device="tie", open=False)))
    assert tracing.loops == (Loop(switches=("breaker", "isolator", "other breaker", "recloser", "tie")),)
    assert tracing.above("7", A) == ()
    assert tracing.above("4", A) == ("fuse",)
    assert tracing.below("breaker") == ()


def test_a_loop_between_two_sources_names_them() -> None:
    tracing = trace(
        piece("s1", "EnergySource", "1"),
        switch("x", "1", "2"),
        switch("y", "2", "3"),
        piece("s2", "EnergySource", "3"),
    )
    assert tracing.loops == (Loop(switches=("x", "y"), sources=("s1", "s2")),)
    assert tracing.above("2", A) == ()


def test_what_lies_behind_a_delta_hangs_on_the_phases_that_it_needs() -> None:
    single = [switch(f"fuse {code}", "1", "2", phases=PhaseCode(code), protective=True) for code in ("A", "B", "C")]
    tracing = trace(
        piece("s", "EnergySource", "1"),
        *single,
        piece("t", "PowerTransformer", "2", "3", connection="Dyn11"),
        switch("main", "3", "4"),
        points=("4",),
    )
    assert tracing.above("4", A) == ("fuse A", "fuse B", "main")
    assert tracing.above("4", B) == ("fuse B", "fuse C", "main")
    assert tracing.isolation("t") == ("fuse A", "fuse B", "fuse C", "main")


def test_two_transformers_in_parallel_are_a_loop() -> None:
    tracing = trace(
        piece("s", "EnergySource", "1"),
        switch("head", "1", "2"),
        *(switch(f"high {number}", "2", f"h{number}") for number in (1, 2)),
        *(piece(f"t{number}", "PowerTransformer", f"h{number}", f"l{number}", connection="Dyn5") for number in (1, 2)),
        *(switch(f"low {number}", f"l{number}", "3") for number in (1, 2)),
    )
    assert tracing.loops == (Loop(switches=("high 1", "high 2", "low 1", "low 2")),)
    assert tracing.above("3", A) == ("head",)


def two_feeders() -> list[Feeder]:
    """Two feeders of one busbar with a tie between their ends, and an incomer above both in the first."""
    one = feeder(
        piece("s", "EnergySource", "grid"),
        switch("incomer", "grid", "bus"),
        switch("breaker 1", "bus", "11", protective=True),
        switch("recloser 1", "11", "12", protective=True),
        switch("tie", "12", "22", open=True, normal_open=True),
        mrid="one",
    )
    two = feeder(
        switch("breaker 2", "bus", "21", protective=True),
        switch("fuse 2", "21", "22", protective=True),
        piece("t", "PowerTransformer", "22", "23", connection="Dyn11"),
        mrid="two",
    )
    return [one, two]


def test_a_place_is_fed_by_the_feeder_whose_head_stands_next_above_it() -> None:
    structure = Structure(two_feeders())
    feeding, state = Feeding(structure), NetworkState.of(structure)
    assert feeding.heads == {"breaker 1": "one", "breaker 2": "two"}
    assert [feeding.feeders_at(state, node) for node in ("bus", "12", "23")] == [(), ("one",), ("two",)]
    moved = state.after(opened("fuse 2"), Operation(device="tie", open=False))
    assert feeding.feeders_at(moved, "23") == ("one",)
    assert feeding.feeders_at(moved, "21") == ("two",)
    dead = moved.after(opened("breaker 1"))
    assert (feeding.feeders_at(dead, "23"), feeding.parallels(moved)) == ((), ())


def test_a_tie_closed_between_two_feeders_makes_them_parallel() -> None:
    structure = Structure(two_feeders())
    feeding, state = Feeding(structure), NetworkState.of(structure)
    parallel = state.after(Operation(device="tie", open=False))
    assert feeding.parallels(state) == ()
    assert feeding.parallels(parallel) == (("one", "two"),)
    assert [feeding.parallels(parallel, among) for among in ({"one"}, {"two"}, set[str]())] == [
        (("one", "two"),),
        (("one", "two"),),
        (),
    ]
    assert feeding.feeders_at(parallel, "23") == ("one", "two")
    assert feeding.parallels(parallel.after(opened("breaker 1"))) == ()


def test_a_feeder_that_feeds_the_busbar_backwards_is_parallel_to_none() -> None:
    spare = switch("spare", "elsewhere", "22", open=True, normal_open=True)
    structure = Structure([*two_feeders(), feeder(piece("s2", "EnergySource", "elsewhere"), spare, mrid="three")])
    feeding = Feeding(structure)
    closing = (Operation(device=mrid, open=False) for mrid in ("spare", "tie"))
    state = NetworkState.of(structure).after(opened("incomer"), opened("fuse 2"), *closing)
    assert feeding.feeders_at(state, "21") == ("two",)
    assert feeding.feeders_at(state, "bus") == ()
    assert feeding.parallels(state) == ()
