"""What is live and what is safe, phase by phase, and that it does not matter how a state came about."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from contracts.errors import NotFound
from contracts.nouns.feeder_topology import Equipment, Feeder, SafetyStateKind
from contracts.nouns.units import PhaseCode
from services.network_operation.domain.network_state import Effect, Grounding, NetworkState, Operation
from services.network_operation.domain.phases import ALL, NONE, Phases
from services.network_operation.domain.structure import NOWHERE, Structure
from services.network_operation.domain.windings import ABNORMAL, DEAD, LIVE, case, winding
from tests.fixtures.phased_networks import (
    feeder,
    levels_of,
    naive_levels,
    naive_safety,
    networks,
    operations,
    piece,
    point,
    switch,
)

S = SafetyStateKind
A, B, C = Phases.A, Phases.B, Phases.C


def state_of(*feeders: Feeder) -> NetworkState:
    return NetworkState.of(Structure(feeders))


def masks(state: NetworkState) -> dict[str, Phases]:
    return {each.mrid: state.open_phases(each.mrid) for each in state.structure.switches}


def same(one: NetworkState, other: NetworkState) -> bool:
    """Whether two states of one structure agree in all that they say."""
    return (one.open_masks, one.supply.closed, one.supply.level, dict(one.specials)) == (
        other.open_masks,
        other.supply.closed,
        other.supply.level,
        dict(other.specials),
    )


def anew(state: NetworkState) -> NetworkState:
    """The same state, made from nothing."""
    doubted = [state.structure.switches[number].mrid for number in state.doubted]
    return NetworkState.of(state.structure, masks(state), doubted=doubted, grounds=state.grounds.values())


def opened(mrid: str, phases: Phases = ALL) -> Operation:
    return Operation(device=mrid, open=True, phases=phases)


def closed(mrid: str, phases: Phases = ALL) -> Operation:
    return Operation(device=mrid, open=False, phases=phases)


@settings(max_examples=200)
@given(networks())
def test_what_is_live_follows_from_the_sources_and_from_nothing_else(network: Feeder) -> None:
    state = state_of(network)
    assert levels_of(state) == naive_levels(network, masks(state))


@settings(max_examples=150, deadline=None)
@given(st.data(), networks())
def test_a_state_after_any_operations_is_the_one_made_from_nothing(data: st.DataObject, network: Feeder) -> None:
    state = state_of(network)
    for number in range(data.draw(st.integers(1, 8))):
        operation = data.draw(operations(network))
        doubted = {} if operation is None else {operation.device: data.draw(st.booleans())}
        placed = data.draw(st.lists(st.sampled_from(state.structure.nodes), max_size=1))
        grounds = [
            Grounding(mrid=f"{number}", node=node, phases=data.draw(st.sampled_from([A, ALL]))) for node in placed
        ]
        removed = data.draw(st.sampled_from([[], sorted(state.grounds)]))
        before = state
        state = state.after(
            *([] if operation is None else [operation]), doubted=doubted, placed=grounds, removed=removed
        )
        assert same(state, anew(state))
        assert same(before, anew(before)), "thinking of another state changes none"


@settings(deadline=None)
@given(st.data(), networks())
def test_what_is_safe_follows_from_generators_banks_doubts_and_grounds(data: st.DataObject, network: Feeder) -> None:
    structure = Structure([network])
    nodes = data.draw(st.lists(st.sampled_from(structure.nodes), max_size=2))
    grounds = {f"{n}": Grounding(mrid=f"{n}", node=node) for n, node in enumerate(nodes)}
    names = [each.mrid for each in structure.switches]
    doubted = data.draw(st.sets(st.sampled_from(names))) if names else set()
    state = NetworkState.of(structure, doubted=doubted, grounds=grounds.values())
    wanted = naive_safety(network, masks(state), doubted, grounds)
    for node in structure.nodes:
        for place, zone in enumerate(structure.zones(node)):
            said = S.LIVE if zone != NOWHERE and state.supply.level[zone] else S.DEAD
            said = state.specials.get(zone, said)
            expected = wanted.get((node, "ABC"[place]), S.DEAD)
            if zone != NOWHERE:
                assert (S.LIVE if said is S.FAULTED else said) is expected


@given(st.data(), networks())
def test_closing_never_takes_life_and_opening_never_gives_it(data: st.DataObject, network: Feeder) -> None:
    before = state_of(network)
    operation = data.draw(operations(network))
    if operation is not None:
        after = before.after(operation)
        less, more = (after, before) if operation.open else (before, after)
        assert all(low <= high for low, high in zip(less.supply.level, more.supply.level, strict=True))


@given(st.randoms(use_true_random=False), networks())
def test_other_names_and_another_order_change_nothing(random: Random, network: Feeder) -> None:
    names = sorted({name for each in network.equipment for name in (each.mrid, each.node1, each.node2) if name})
    new = [f"x{number}" for number in range(len(names))]
    random.shuffle(new)
    called = dict(zip(names, new, strict=True))
    equipment = [
        replace(each, mrid=called[each.mrid], node1=called[each.node1], node2=called.get(each.node2 or ""))
        for each in network.equipment
    ]
    random.shuffle(equipment)
    points = tuple(replace(each, node=called[each.node]) for each in network.usage_point)
    renamed = state_of(feeder(*equipment, points=points))
    state = state_of(network)
    for node in state.structure.nodes:
        told = state.node(node)
        assert renamed.node(called[node]) == replace(told, mrid=called[node])


@given(networks(rotatable=True), st.sampled_from(["BCA", "CAB"]))
def test_rotated_phases_rotate_the_answer(network: Feeder, turn: str) -> None:
    def turned(code: str | None) -> str | None:
        return None if code is None else "".join(turn["ABC".index(letter)] for letter in code)

    def rotated(each: Equipment) -> Equipment:
        new = turned(each.phases) or ""
        there = turned(each.phases_at_node2)
        order = sorted(range(len(new)), key=lambda place: new[place])
        return replace(
            each,
            phases=PhaseCode("".join(sorted(new))),
            phases_at_node2=None if there is None else "".join(there[place] for place in order),
            open_phases=None
            if each.open_phases is None
            else PhaseCode("".join(sorted(turned(each.open_phases) or ""))),
        )

    points = tuple(
        replace(each, phases=PhaseCode("".join(sorted(turned(each.phases) or "")))) for each in network.usage_point
    )
    state, other = state_of(network), state_of(feeder(*map(rotated, network.equipment), points=points))
    said = {(node, turned(phase)): level for (node, phase), level in levels_of(state).items()}
    assert levels_of(other) == said
    assert [other.safety(node) for node in state.structure.nodes] == [
        state.safety(node) for node in state.structure.nodes
    ]


def net(*equipment: Equipment, points: tuple[str, ...] = ()) -> NetworkState:
    return state_of(feeder(*equipment, points=tuple(point(f"u{node}", node) for node in points)))


@pytest.mark.parametrize("clock", [1, 3, 5, 7, 9, 11])
def test_the_pairs_of_a_delta_are_those_whose_voltage_is_in_phase(clock: int) -> None:
    unit = [complex(1, 0), complex(-0.5, -(0.75**0.5)), complex(-0.5, 0.75**0.5)]
    turn = complex(0.75**0.5, -0.5) ** clock
    found = winding(f"Dyn{clock}", ALL)
    assert found is not None
    for lost in range(3):
        one, other = (place for place in range(3) if place != lost)
        levels = found.forward[case(*(DEAD if place == lost else LIVE for place in range(3)))]
        right = unit[levels.index(LIVE)] * turn
        between = (unit[one] - unit[other]) / abs(unit[one] - unit[other])
        assert min(abs(between - right), abs(between + right)) < 1e-9
        assert sorted(levels) == [ABNORMAL, ABNORMAL, LIVE]


def test_a_delta_that_loses_a_phase_leaves_one_phase_right_and_two_wrong() -> None:
    state = net(
        piece("s", "EnergySource", "1"),
        switch("f", "1", "2"),
        piece("t", "PowerTransformer", "2", "3", connection="Dyn11"),
        points=("3",),
    ).after(opened("f", C))
    assert (state.live("2"), state.live("3"), state.abnormal("3")) == (A | B, A, B | C)
    assert state.node("3").abnormal_phases == PhaseCode.BC
    assert state.is_supplied("u3"), "an abnormal voltage is not yet an interruption"
    state = state.after(opened("f", B))
    assert (state.live("3"), state.abnormal("3"), state.is_supplied("u3")) == (NONE, NONE, False)


def test_a_lost_phase_is_possibly_live_while_a_delta_bank_stands_on_the_others() -> None:
    state = net(
        piece("s", "EnergySource", "1"),
        switch("f", "1", "2"),
        switch("d", "2", "3"),
        piece("t", "PowerTransformer", "3", "4", connection="Dyn11"),
    ).after(opened("f", C))
    assert state.safety("2") is S.LIVE
    zone = state.structure.zones("2")[2]
    assert state.specials[zone] is S.POSSIBLY_LIVE
    assert zone not in state.after(opened("d")).specials


@pytest.mark.parametrize(
    ("connection", "phases", "lost", "levels"),
    [
        ("YNyn0", "ABC", C, (LIVE, LIVE, DEAD)),
        (None, "ABC", A | B, (DEAD, DEAD, LIVE)),
        ("YNd1", "ABC", A | B, (ABNORMAL, ABNORMAL, ABNORMAL)),
        ("Yd1", "ABC", C, (ABNORMAL, ABNORMAL, ABNORMAL)),
        ("Yd1", "ABC", A | B, (DEAD, DEAD, DEAD)),
        ("Dyn", "ABC", C, (ABNORMAL, ABNORMAL, ABNORMAL)),
        ("Yzn5", "ABC", C, (ABNORMAL, ABNORMAL, ABNORMAL)),
        ("II0", "AB", A, (DEAD, DEAD, DEAD)),
        ("II0", "AB", C, (LIVE, LIVE, DEAD)),
        ("II0", "A", C, (LIVE, DEAD, DEAD)),
    ],
)
def test_each_vector_group_makes_its_own_of_lost_phases(
    connection: str | None, phases: str, lost: Phases, levels: tuple[int, ...]
) -> None:
    state = net(
        piece("s", "EnergySource", "1"),
        switch("f", "1", "2"),
        piece("t", "PowerTransformer", "2", "3", connection=connection, phases=PhaseCode(phases)),
    ).after(opened("f", lost))
    known = levels_of(state)
    assert tuple(known.get(("3", letter), DEAD) for letter in "ABC") == levels


def test_two_transformers_in_parallel_do_not_keep_each_other_alive() -> None:
    state = net(
        piece("s", "EnergySource", "1"),
        switch("f", "1", "2"),
        piece("t1", "PowerTransformer", "2", "3", connection="Dyn11"),
        piece("t2", "PowerTransformer", "2", "3", connection="Dyn11"),
    )
    assert state.live("3") == ALL
    dead = state.after(opened("f"))
    assert (dead.live("2"), dead.live("3")) == (NONE, NONE)


def test_a_roll_carries_a_phase_on_as_another() -> None:
    state = net(
        piece("s", "EnergySource", "1"),
        switch("r", "1", "2", phases_at_node2="BCA"),
        switch("x", "2", "3", phases=PhaseCode.A),
    )
    assert state.after(opened("r", C)).live("3") == NONE
    assert state.after(opened("r", A)).live("3") == A
    assert state.after(opened("r", A)).live("2") == A | C


def test_what_a_generator_may_feed_is_possibly_live_and_what_is_grounded_is_earthed() -> None:
    state = net(
        piece("s", "EnergySource", "1"),
        switch("f", "1", "2"),
        piece("t", "PowerTransformer", "2", "3", connection="Dyn5"),
        piece("pv", "PowerElectronicsConnection", "3"),
    ).after(opened("f"))
    assert (state.safety("1"), state.safety("2"), state.safety("3")) == (S.LIVE, S.POSSIBLY_LIVE, S.POSSIBLY_LIVE)
    assert state.node("2").safety_state is S.POSSIBLY_LIVE
    ground = Grounding(mrid="g", node="2")
    earthed = state.after(placed=[ground])
    assert (earthed.safety("2"), earthed.safety("3")) == (S.EARTHED, S.POSSIBLY_LIVE)
    faulted = earthed.after(closed("f"))
    assert (faulted.safety("2"), faulted.safety("1"), faulted.safety("3")) == (S.FAULTED, S.LIVE, S.LIVE)
    assert same(earthed.after(removed=["g"]), state)
    with pytest.raises(NotFound, match="no such ground"):
        state.after(removed=["g"])


def test_what_is_dead_behind_a_switch_in_doubt_is_possibly_live() -> None:
    state = net(piece("s", "EnergySource", "1"), switch("f", "1", "2"), points=("2",)).after(
        opened("f"), doubted={"f": True}
    )
    assert (state.safety("2"), state.device("f").suspect, state.is_supplied("u2")) == (S.POSSIBLY_LIVE, True, False)
    assert state.after(doubted={"f": False}).safety("2") is S.DEAD


def test_an_effect_says_who_is_dropped_and_who_is_picked_up() -> None:
    state = net(
        piece("s", "EnergySource", "1"),
        switch("f", "1", "2"),
        switch("tie", "1", "3", open=True),
        switch("x", "2", "3"),
        points=("2", "3"),
    )
    assert Effect(state, state.after(opened("f"))).dropped == ("u2", "u3")
    moved = state.after(opened("x"), closed("tie"))
    assert Effect(state, moved).dropped == Effect(state, moved).picked_up == ()
    assert Effect(state, moved).switches == ("tie", "x")
    one = state.after(opened("f", B))
    assert Effect(state, one).dropped == ("u2", "u3"), "one lost phase is an interruption"
    assert Effect(one, state).picked_up == ("u2", "u3")


def test_the_sides_of_a_switch_are_what_its_closing_would_join() -> None:
    state = net(
        piece("s", "EnergySource", "1"),
        switch("f", "1", "2"),
        switch("x", "2", "3"),
        switch("y", "3", "4", open=True),
        points=("2", "3"),
    ).after(opened("f"), placed=[Grounding(mrid="g", node="3")])
    source, dead = state.sides("f")
    assert (source.nodes, source.states, source.grounds) == (("1",), frozenset({S.LIVE}), ())
    assert (dead.nodes, dead.usage_points, dead.grounds, dead.borders) == (("2", "3"), ("u2", "u3"), ("g",), ("f", "y"))
    assert dead.states == {S.EARTHED}
    assert state.section("4").nodes == ("4",)
    with pytest.raises(NotFound, match="no such switch"):
        state.sides("nothing")


def test_a_device_is_told_as_it_stands() -> None:
    state = net(piece("s", "EnergySource", "1"), switch("f", "1", "2"))
    one = state.after(opened("f", A)).device("f")
    assert (one.open, one.open_phases) == (False, PhaseCode.A)
    whole = state.after(opened("f", A), opened("f", B | C)).device("f")
    assert (whole.open, whole.open_phases) == (True, None)
    assert state.feeder("f").equipment[1] == state.device("f")
