"""Currents and voltages: what holds for every network, and what happens where something is missing or dead.

Longer than 400 lines because each of its networks stands beside what is expected of it.
"""

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from contracts.nouns.electrical_models import (
    ElectricalLine,
    ElectricalLoad,
    ElectricalModel,
    ElectricalShunt,
    ElectricalSource,
    ElectricalSwitch,
    LoadResponseCharacteristic,
    PhasePower,
    WindingConnection,
)
from contracts.nouns.units import PhaseCode
from services.network_operation.domain.power_flow.grid import compiled, packed, unpacked
from services.network_operation.domain.power_flow.solution import AS_IMPEDANCES, NO_IMPEDANCES, NOTHING_LIVE, solved
from tests.fixtures.electrical import KV, energised, feeder, flow, line, load, swept

PHASES = ("ABC", "AB", "BC", "AC", "A", "B", "C")


def switch(mrid: str, one: str, other: str, phases: str = "ABC") -> ElectricalSwitch:
    return ElectricalSwitch(mrid=mrid, node1=one, node2=other, phases=PhaseCode(phases), rated_current=400)


@st.composite
def radial(draw: st.DrawFn) -> ElectricalModel:
    """A feeder that grows at random: laterals have phases of their own, loads follow the voltage as they like."""
    count = draw(st.integers(1, 12))
    lines: list[ElectricalLine] = []
    loads: list[ElectricalLoad] = []
    phases = {"0": "ABC"}
    for number in range(1, count + 1):
        start = draw(st.sampled_from(sorted(phases)))
        own = draw(st.sampled_from([each for each in PHASES if set(each) <= set(phases[start])]))
        ohms = complex(draw(st.floats(0.05, 1.5)), draw(st.floats(0.05, 1.5)))
        lines.append(line(f"L{number}", start, str(number), own, ohms, bch=0.0, b0ch=0.0))
        phases[str(number)] = own
        current, impedance = draw(st.sampled_from([(0.0, 0.0), (100.0, 0.0), (0.0, 100.0), (30.0, 30.0)]))
        response = LoadResponseCharacteristic(
            p_constant_current=current,
            p_constant_impedance=impedance,
            q_constant_current=current,
            q_constant_impedance=impedance,
        )
        p = draw(st.floats(-30e3, 120e3))
        loads.append(load(f"C{number}", str(number), own, p, p * draw(st.floats(-0.3, 0.5)), load_response=response))
    return feeder(lines, loads)


@given(radial())
@settings(max_examples=60, deadline=None)
def test_a_radial_feeder_has_the_voltages_of_a_backward_and_forward_sweep(model: ElectricalModel) -> None:
    found, expected = flow(model), swept(model)
    live = energised([model]).live
    assert found.quality == "solved"
    for node, voltage in zip(found.nodes, found.voltage, strict=True):
        for phase in range(3):
            if live[node] & 1 << phase:
                assert voltage[phase] == pytest.approx(abs(expected[node][phase]), abs=1e-6)
            else:
                assert np.isnan(voltage[phase])


@given(radial())
@settings(max_examples=40, deadline=None)
def test_on_each_phase_what_comes_in_goes_out_or_is_lost(model: ElectricalModel) -> None:
    (island,) = flow(model).islands
    assert island.balance is not None
    balance = island.balance
    for phase in range(3):
        into = balance.supplied[phase] + balance.generated[phase]
        assert into == pytest.approx(balance.consumed[phase] + balance.lost[phase], abs=1.0)
    assert balance.losses_w >= -1e-3


@given(radial())
@settings(max_examples=40, deadline=None)
def test_turning_the_names_of_the_phases_turns_the_result(model: ElectricalModel) -> None:
    turned = {"A": "B", "B": "C", "C": "A"}

    def turn(code: PhaseCode) -> PhaseCode:
        return PhaseCode("".join(sorted(turned[letter] for letter in code)))

    other = replace(
        model,
        line=tuple(replace(each, phases=turn(each.phases)) for each in model.line),
        load=tuple(replace(each, phases=turn(each.phases)) for each in model.load),
    )
    before, after = flow(model), flow(other)
    assert after.nodes == before.nodes
    np.testing.assert_allclose(after.voltage, np.roll(before.voltage, 1, axis=1), atol=1e-8)


@given(radial(), st.integers(0, 2**32))
@settings(max_examples=25, deadline=None)
def test_the_order_in_which_a_model_is_told_changes_nothing(model: ElectricalModel, seed: int) -> None:
    random = Random(seed)
    lists = {name: random.sample(getattr(model, name), len(getattr(model, name))) for name in ("line", "load", "node")}
    shuffled = replace(model, **{name: tuple(each) for name, each in lists.items()})
    parts = [replace(shuffled, line=()), replace(model, load=(), node=(), source=(), line=shuffled.line)]
    before = flow(model)
    after = solved(compiled(parts), energised([model]))
    rows = [after.nodes.index(node) for node in before.nodes]
    np.testing.assert_allclose(after.voltage[rows], before.voltage, atol=1e-9)


def test_what_is_dead_has_no_voltage_and_takes_nothing() -> None:
    lines = [line("L1", "0", "1"), line("L2", "2", "3")]
    model = feeder(lines, [load("C1", "1"), load("C3", "3")], switch=(switch("S", "1", "2"),))
    closed, opened = flow(model), flow(model, {"S": ""})
    assert closed.voltages_of("3") == pytest.approx((0.99958,) * 3, abs=1e-5)
    assert np.isnan(opened.voltages_of("3")).all()
    assert np.isnan(opened.voltages_of("2")).all()
    (island,) = opened.islands
    assert island.balance is not None
    assert sum(island.balance.consumed) == pytest.approx(30e3 + 10e3j)
    assert opened.branch("L1").currents[0] == pytest.approx(closed.branch("L1").currents[0] / 2, rel=1e-2)
    assert np.isnan(opened.branch("L2").loading)


def test_with_every_source_off_nothing_is_solved_and_nothing_fails() -> None:
    model = feeder([line("L1", "0", "1")], [load("C1", "1")])
    assert solved(compiled([model]), replace(energised([model]), live={})).quality == NOTHING_LIVE


def test_each_island_is_solved_by_itself() -> None:
    model = feeder([line("L1", "0", "1"), line("L2", "8", "9")], [load("C1", "1"), load("C9", "9")])
    other = ElectricalSource(mrid="other", node="8", nominal_voltage=KV * 1000, voltage_magnitude=KV * 1030)
    model = replace(model, source=(*model.source, other))
    both = flow(model)
    assert [island.quality for island in both.islands] == ["solved", "solved"]
    assert both.voltages_of("9")[0] == pytest.approx(1.03, abs=2e-3)

    lacking = replace(model, line=(model.line[0], replace(model.line[1], r=None, x=None)))
    found = flow(lacking)
    assert found.quality == "not solved: 1 branches without an impedance; solved"
    assert found.voltages_of("1") == pytest.approx(both.voltages_of("1"))
    assert np.isnan(found.voltages_of("9")).all()
    assert found.is_solved


def test_a_model_without_electrical_data_says_so_at_once() -> None:
    bare = feeder([ElectricalLine(mrid="L1", node1="0", node2="1", phases=PhaseCode.ABC)], [])
    found = flow(bare)
    assert (found.quality, found.is_solved, found.margin) == (NO_IMPEDANCES, False, None)
    assert list(found.loaded_beyond(100)) == []
    assert list(found.voltages_outside(0.95, 1.05)) == []


def test_an_open_phase_is_dead_behind_and_loads_nothing_before() -> None:
    lines = [line("L1", "0", "1"), line("L2", "2", "3", bch=2e-4, b0ch=1e-4)]
    model = feeder(lines, [load("C3", "3", p=300e3)], switch=(switch("S", "1", "2"),))
    found = flow(model, {"S": "AC"})
    assert found.quality == "solved"
    assert np.isnan(found.voltages_of("3")[1])
    assert found.voltages_of("3")[0] < 1
    a, b, c = found.branch("L1").currents
    assert a == pytest.approx(c, rel=0.1)
    assert a > 10
    assert b < 0.01


def test_a_phase_that_lives_on_both_sides_of_a_one_phase_tie_is_not_joined_by_it() -> None:
    lines = [line("L1", "0", "1", ohms=1 + 1j), line("L2", "0", "2", ohms=1 + 1j)]
    loads = [load("C1", "1", p=900e3), load("C2", "2", p=90e3)]
    model = feeder(lines, loads, switch=(switch("T", "1", "2", "B"),))
    tied, apart = flow(model), flow(model, {"T": ""})
    assert tied.voltages_of("1")[1] == pytest.approx(tied.voltages_of("2")[1], abs=1e-5)
    assert tied.voltages_of("1")[0] == pytest.approx(apart.voltages_of("1")[0], abs=2e-3)
    assert tied.voltages_of("2")[0] - tied.voltages_of("1")[0] > 4e-3


def test_currents_through_switches_follow_from_what_flows_on() -> None:
    lines = [line("L1", "2", "3"), line("L2", "2", "4")]
    loads = [load("C3", "3"), load("C4", "4", p=60e3), load("C1", "1")]
    switches = (switch("head", "0", "1"), switch("S", "1", "2"))
    found = flow(feeder(lines, loads, switch=switches))
    each = [complex(*power) for power in ((30e3, 10e3), (60e3, 10e3), (30e3, 10e3))]
    expected = sum(abs(power) for power in each) / 3 / (KV * 1000 / np.sqrt(3))
    assert found.branch("head").currents[0] == pytest.approx(expected, rel=0.02)
    assert found.branch("S").currents == pytest.approx(
        [found.branch("L1").currents[0] + found.branch("L2").currents[0]] * 3, rel=1e-2
    )
    assert found.branch("head").loading == pytest.approx(found.branch("head").currents[0] / 4)


def test_in_a_ring_of_switches_nobody_knows_the_currents() -> None:
    switches = (switch("S1", "0", "1"), switch("S2", "1", "2"), switch("S3", "2", "0"), switch("S4", "2", "3"))
    found = flow(feeder([line("L1", "3", "4")], [load("C4", "4")], switch=switches))
    assert all(np.isnan(found.branch(each).loading) for each in ("S1", "S2", "S3"))
    assert found.branch("S4").currents == pytest.approx(found.branch("L1").currents, rel=1e-6)


def test_a_load_that_cannot_be_carried_is_taken_as_an_impedance_and_the_result_says_so() -> None:
    found = flow(feeder([line("L1", "0", "1", ohms=5 + 5j)], [load("C1", "1", p=20e6)]))
    assert found.quality == AS_IMPEDANCES
    assert found.voltages_of("1")[0] < 0.8


def test_a_load_between_phases_draws_from_both() -> None:
    delta = load("C1", "1", "AB", 100e3, 0.0, phase_connection=WindingConnection.D)
    found = flow(feeder([line("L1", "0", "1", ohms=0.01 + 0.01j)], [delta]))
    a, b, c = found.branch("L1").currents
    assert (a, b) == pytest.approx((100e3 / (KV * 1000),) * 2, rel=1e-3)
    assert c == pytest.approx(0, abs=1e-6)


def test_a_capacitor_raises_the_voltage_of_its_phases_alone() -> None:
    shunt = ElectricalShunt(mrid="K", node="1", phases=PhaseCode.A, b=100e3 / (KV * 1000 / np.sqrt(3)) ** 2, g=0.0)
    model = feeder([replace(line("L1", "0", "1"), r0=0.4, x0=0.8)], [], shunt=(shunt,))
    a, b, c = flow(model).voltages_of("1")
    assert a > 1.0005
    assert (b, c) == pytest.approx((1.0, 1.0), abs=1e-9)


def test_the_loading_is_that_of_the_worst_phase() -> None:
    model = feeder([line("L1", "0", "1", normal_limit=10, emergency_limit=20)], [load("C", "1", "B", 120e3, 0.0)])
    found = flow(model)
    (worst,) = found.loaded_beyond(100)
    assert worst.mrid == "L1"
    assert worst.currents[1] == pytest.approx(120e3 / (KV * 1000 / np.sqrt(3)), rel=0.02)
    assert worst.loading == pytest.approx(worst.currents[1] * 10)
    assert found.margin == pytest.approx(100 - worst.currents[1] * 5)


def test_voltages_outside_the_band_are_told_with_their_phase() -> None:
    model = feeder([line("L1", "0", "1", ohms=6 + 6j)], [load("C", "1", "B", 600e3, 0.0)])
    told = list(flow(model).voltages_outside(0.95, 1.05))
    assert [(node, phase) for node, phase, _ in told] == [("1", "B")]
    assert 0.8 < told[0][2] < 0.95


def test_factors_and_missing_infeed_change_what_is_taken() -> None:
    model = feeder([line("L1", "0", "1")], [load("C", "1", p=90e3, q=0.0)])
    state = energised([model])
    grid = compiled([model])
    doubled = solved(grid, replace(state, factors={"1": 2.0}))
    assert doubled.branch("L1").currents[0] == pytest.approx(2 * solved(grid, state).branch("L1").currents[0], rel=1e-2)


def test_a_phase_with_a_wrong_voltage_takes_its_load_as_an_impedance() -> None:
    model = feeder([line("L1", "0", "1")], [load("C", "1", p=90e3, q=0.0)])
    state = replace(energised([model]), abnormal={"1": 2})
    assert solved(compiled([model]), state).quality == "solved"


def test_a_load_by_phase_is_taken_as_it_is_stated() -> None:
    powers = (PhasePower(phase="A", p=10e3, q=0.0), PhasePower(phase="s1", p=3e3, q=0.0))
    split = ElectricalLoad(mrid="C", node="1", phases=PhaseCode.A, p=99.0, phase_power=powers)
    (island,) = flow(feeder([line("L1", "0", "1", "A")], [split])).islands
    assert island.balance is not None
    assert island.balance.consumed[0] == pytest.approx(13e3)


def test_packed_data_are_compiled_once_for_all_runs() -> None:
    data = packed([feeder([line("L1", "0", "1")], [load("C", "1")])])
    assert unpacked(data) is unpacked(bytes(data))
