"""Transformers in the power flow: regulators phase by phase, banks of tanks, and what is collapsed."""

import numpy as np
import pytest
from msgspec.structs import replace

from contracts.nouns.electrical_models import (
    ElectricalModel,
    ElectricalNode,
    ElectricalTransformer,
    RatioTapChanger,
    TapChangerControl,
    TransformerEnd,
    TransformerMeshImpedance,
    TransformerTank,
    WindingConnection,
)
from services.network_operation.domain.power_flow.grid import compiled
from services.network_operation.domain.power_flow.solution import solved
from tests.fixtures.electrical import KV, energised, feeder, flow, line, load


def regulated(target: float, band: float, step: float = 0.0) -> ElectricalModel:
    """Three tanks from node 1 to node 2, each with 32 steps of 5/8 per cent that keep a voltage at an instrument."""
    kilo = KV * 1000 / np.sqrt(3)
    tanks = []
    for phase in "ABC":
        control = TapChangerControl(
            enabled=True, line_drop_compensation=False, target_value=target, target_deadband=band, monitored_phase=phase
        )
        changer = RatioTapChanger(
            mrid=f"tap {phase}",
            high_step=16,
            low_step=-16,
            neutral_step=0,
            step=step,
            step_voltage_increment=0.625,
            pt_ratio=kilo / 120,
            tap_changer_control=control,
        )
        ends = tuple(
            TransformerEnd(
                end_number=number,
                node=str(number),
                ordered_phases=f"{phase}N",
                rated_u=kilo,
                rated_s=500e3,
                ratio_tap_changer=changer if number == 2 else None,
            )
            for number in (1, 2)
        )
        z = (TransformerMeshImpedance(from_end_number=1, to_end_number=2, r=0.01, x=0.1),)
        tanks.append(TransformerTank(mrid=f"tank {phase}", transformer_end=ends, transformer_mesh_impedance=z))
    bank = ElectricalTransformer(mrid="R", transformer_tank=tuple(tanks))
    loads = [load("A", "3", "A", 500e3), load("B", "3", "B", 200e3), load("C", "3", "C", 50e3)]
    return feeder([line("L1", "0", "1", ohms=2 + 2j), line("L2", "2", "3")], loads, transformer=(bank,))


def test_regulators_bring_each_phase_into_its_band() -> None:
    model = regulated(target=122, band=2)
    found = flow(model)
    assert found.quality == "solved"
    for phase, volts in zip("ABC", found.voltages_of("2"), strict=True):
        assert abs(volts * 120 - 122) <= 1.0 + 1e-9, phase
    assert len(set(found.taps.values())) > 1


def test_locked_regulators_stay_where_the_model_has_them() -> None:
    found = flow(regulated(target=122, band=2, step=5), regulate=False)
    assert found.taps == {}
    before, after = found.voltages_of("1"), found.voltages_of("2")
    for one, other in zip(before, after, strict=True):
        assert other / one == pytest.approx(1 + 5 * 0.00625, abs=1.5e-3)


def test_a_band_that_is_narrower_than_a_step_finds_rest() -> None:
    found = flow(regulated(target=122, band=0.1))
    assert found.quality == "solved"
    assert found.voltages_of("2") == pytest.approx((122 / 120,) * 3, abs=0.00625)


def test_a_regulator_at_its_last_step_stays_there() -> None:
    found = flow(regulated(target=140, band=2))
    assert set(found.taps.values()) == {16}


def bank(*pairs: tuple[str, str], rated: float = 50e3) -> ElectricalTransformer:
    """Tanks from node 1 (12 kV) to node 2 (416 V), each with its primary and secondary phases."""
    tanks = []
    for number, (high, low) in enumerate(pairs):
        high_v = KV * 1000 / (np.sqrt(3) if "N" in high else 1)
        low_v = 416 / (np.sqrt(3) if "N" in low else 1)
        ends = (
            TransformerEnd(end_number=1, node="1", ordered_phases=high, rated_u=high_v, rated_s=rated),
            TransformerEnd(end_number=2, node="2", ordered_phases=low, rated_u=low_v, rated_s=rated),
        )
        ohms = high_v**2 / rated
        z = TransformerMeshImpedance(from_end_number=1, to_end_number=2, r=0.01 * ohms, x=0.03 * ohms)
        tanks.append(TransformerTank(mrid=f"T{number}", transformer_end=ends, transformer_mesh_impedance=(z,)))
    return ElectricalTransformer(mrid="T", transformer_tank=tuple(tanks))


def behind(transformer: ElectricalTransformer, phases: str = "ABC", p: float = 60e3) -> ElectricalModel:
    model = feeder([line("L1", "0", "1")], [load("C", "2", phases, p, 0.0)], transformer=(transformer,))
    return replace(model, node=(*model.node, ElectricalNode(mrid="2", nominal_voltage=416)))


def test_three_equal_tanks_are_one_transformer() -> None:
    tanks = bank(("AB", "AN"), ("BC", "BN"), ("CA", "CN"))
    ends = (
        TransformerEnd(end_number=1, node="1", connection_kind=WindingConnection.D, rated_u=KV * 1000, rated_s=150e3),
        TransformerEnd(
            end_number=2,
            node="2",
            connection_kind=WindingConnection.YN,
            rated_u=416,
            rated_s=150e3,
            phase_angle_clock=11,
        ),
    )
    ohms = (KV * 1000) ** 2 / 150e3
    z = (TransformerMeshImpedance(from_end_number=1, to_end_number=2, r=0.01 * ohms, x=0.03 * ohms),)
    whole = ElectricalTransformer(mrid="T", transformer_end=ends, transformer_mesh_impedance=z)
    one, other = flow(behind(tanks)), flow(behind(whole))
    assert one.assumed == other.assumed == ()
    np.testing.assert_allclose(one.voltage, other.voltage, atol=1e-9)
    assert one.branch("T").loading == pytest.approx(other.branch("T").loading)


@pytest.mark.parametrize(
    ("pairs", "loaded"), [((("AN", "AN"), ("BN", "BN")), "AB"), ((("AB", "AB"), ("BC", "BC")), "ABC")]
)
def test_a_bank_with_a_tank_too_few_is_collapsed_and_the_result_says_so(
    pairs: tuple[tuple[str, str], ...], loaded: str
) -> None:
    model = behind(bank(*pairs), loaded)
    state = replace(energised([model]), live={"0": 7, "1": 7, "2": 7 if loaded == "ABC" else 3})
    found = solved(compiled([model]), state)
    assert found.quality == "solved"
    assert found.assumed == ("banks that cannot be represented are collapsed to their load and losses",)
    (island,) = found.islands
    assert island.balance is not None
    assert sum(island.balance.consumed).real == pytest.approx(60e3)
    assert 0.9 < min(each for each in found.voltages_of("2") if not np.isnan(each)) < 1.0
    assert island.balance.losses_w > 2 * 0.01 * 0.5**2 * 50e3
    for phase in range(3):
        into = island.balance.supplied[phase] + island.balance.generated[phase]
        assert into == pytest.approx(island.balance.consumed[phase] + island.balance.lost[phase], abs=5.0)


def test_a_transformer_without_an_impedance_keeps_its_island_from_being_solved() -> None:
    bare = replace(
        bank(("AN", "AN")),
        transformer_tank=(replace(bank(("AN", "AN")).transformer_tank[0], transformer_mesh_impedance=()),),
    )
    found = flow(behind(bare, "A"))
    assert found.quality == "not solved: 1 branches without an impedance"
