"""The electrical data that a CIM document tells in many ways, and that ElectricalModels tells in one."""

from collections.abc import Mapping
from datetime import UTC, datetime
from math import hypot

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import json
from msgspec.structs import replace

from contracts.nouns.electrical_models import ElectricalLoad, ElectricalModel, GenerationKind, WindingConnection
from contracts.nouns.network_models import ModelFindingKind
from contracts.nouns.units import PhaseCode
from services.network_model_management.adapters.importing import Document, import_documents
from services.network_model_management.domain.derivation import Import
from services.network_model_management.domain.parts import LARGEST_PART, parts_of
from services.network_model_management.domain.versions import RDF_XML
from tests.fixtures.cim import HEAD, between, obj

BASE = (
    obj("Feeder", "f")
    + obj("BaseVoltage", "kv", nominalVoltage=12000)
    + "".join(obj("ConnectivityNode", name) for name in ("n1", "n2", "n3"))
    + obj("EnergySource", "s", {"ConductingEquipment.BaseVoltage": "kv"}, nominalVoltage=12000, r=0.5, x=4)
    + between("s", "n1")
)
SEQUENCE = {"r": 0.3, "x": 0.6, "r0": 0.9, "x0": 1.8, "bch": 3e-6, "b0ch": 1e-6}


def imported(body: str) -> Import:
    document = Document(content=f"{HEAD}{BASE}{body}</rdf:RDF>".encode(), model_format=RDF_XML)
    return import_documents((document,), "1", datetime(2026, 3, 14, tzinfo=UTC)).result


def model(body: str) -> ElectricalModel:
    result = imported(body)
    assert result.problems == ()
    (found,) = result.electrical
    return found


def findings(body: str, kind: ModelFindingKind) -> list[tuple[str, str]]:
    return [(each.mrid, each.text) for each in imported(body).findings if each.kind is kind]


def line(links: dict[str, str] | None = None, /, **values: object) -> str:
    return obj("ACLineSegment", "l", links, **values) + between("l", "n1", "n2")


def phases(letters: str) -> str:
    return "".join(
        obj(
            "ACLineSegmentPhase",
            f"l-{letter}",
            {"ACLineSegmentPhase.ACLineSegment": "l"},
            phase=f"SinglePhaseKind.{letter}",
            sequenceNumber=number,
        )
        for number, letter in enumerate(letters, start=1)
    )


def test_a_line_tells_its_own_impedance_and_limits() -> None:
    (found,) = model(line(Conductor__length=250, **SEQUENCE)).line
    assert (found.node1, found.node2, found.length) == ("n1", "n2", 250)
    assert {name: getattr(found, name) for name in SEQUENCE} == SEQUENCE
    assert found.per_length_impedance is None


def test_lines_share_the_impedance_of_a_metre() -> None:
    impedance = obj("PerLengthSequenceImpedance", "z", **{name: value / 1000 for name, value in SEQUENCE.items()})
    found = model(line({"ACLineSegment.PerLengthImpedance": "z"}, Conductor__length=400) + impedance)
    assert (found.line[0].per_length_impedance, found.line[0].r) == ("z", None)
    assert found.per_length_sequence_impedance[0].x0 == pytest.approx(1.8e-3)


@pytest.mark.parametrize("numbered", [True, False])
def test_a_matrix_names_the_phases_of_its_rows(numbered: bool) -> None:
    parts = [(1, 1, 0.8, 0.9), (2, 1, 0.1, 0.3), (2, 2, 0.7, 0.85)]
    matrix = obj("PerLengthPhaseImpedance", "z", conductorCount=2)
    for number, (row, column, r, x) in enumerate(parts, start=1):
        place = {"sequenceNumber": number} if numbered else {"row": row, "column": column}
        matrix += obj("PhaseImpedanceData", f"z{number}", {"PhaseImpedanceData.PhaseImpedance": "z"}, r=r, x=x, **place)
    found = model(line({"ACLineSegment.PerLengthImpedance": "z"}, Conductor__length=100) + matrix + phases("CB"))
    assert (found.line[0].phase_order, found.line[0].phases) == ("CB", "BC")
    told = found.per_length_phase_impedance[0].phase_impedance_data
    assert [(each.row, each.column, each.r, each.x) for each in told] == parts


def test_a_line_without_an_impedance_is_told_without_one_and_is_a_finding() -> None:
    (found,) = model(line(Conductor__length=100)).line
    assert (found.r, found.x) == (None, None)
    text = "ACLineSegment without an impedance: no currents are computed where it is live"
    assert findings(line(), ModelFindingKind.MISSING_IMPEDANCE) == [("l", text)]


@pytest.mark.parametrize("stated", ["much", "NaN", "inf", ""])
def test_a_number_that_is_none_is_a_finding_and_not_told(stated: str) -> None:
    body = line(r=stated, x=0.6)
    assert model(body).line[0].r is None
    assert findings(body, ModelFindingKind.UNREADABLE_NUMBER) == [("l", f"ACLineSegment.r is no number: '{stated}'")]


def test_limits_are_the_least_for_always_and_the_largest_for_a_while() -> None:
    body = line(**SEQUENCE) + obj("OperationalLimitSet", "set", {"OperationalLimitSet.Terminal": "l-1"})
    body += obj("OperationalLimitType", "always", isInfiniteDuration="true")
    body += obj("OperationalLimitType", "hour", acceptableDuration=3600)
    body += obj("OperationalLimitType", "minute", acceptableDuration=60)
    for kind, amperes in (("always", 300), ("hour", 360), ("minute", 420)):
        links = {"OperationalLimit.OperationalLimitSet": "set", "OperationalLimit.OperationalLimitType": kind}
        body += obj("CurrentLimit", f"i-{kind}", links, value=amperes)
    body += obj("VoltageLimit", "u", {"OperationalLimit.OperationalLimitSet": "set"}, value=12600)
    (found,) = model(body).line
    assert (found.normal_limit, found.emergency_limit) == (300, 420)


def transformer(*ends: Mapping[str, object], mesh: tuple[float, float] | None = None) -> str:
    body = obj("PowerTransformer", "t")
    for number, (node, values) in enumerate(zip(("n1", "n2", "n3"), ends, strict=False), start=1):
        body += obj("Terminal", f"t{number}", {"Terminal.ConductingEquipment": "t", "Terminal.ConnectivityNode": node})
        links = {"PowerTransformerEnd.PowerTransformer": "t", "TransformerEnd.Terminal": f"t{number}"}
        body += obj("PowerTransformerEnd", f"e{number}", links, TransformerEnd__endNumber=number, **values)
    if mesh is not None:
        links = {"TransformerMeshImpedance.FromTransformerEnd": "e1", "TransformerMeshImpedance.ToTransformerEnd": "e2"}
        body += obj("TransformerMeshImpedance", "m", links, r=mesh[0], x=mesh[1])
    return body


def test_ohms_at_the_ends_become_those_between_them() -> None:
    high = {
        "ratedU": 12000,
        "ratedS": 1e6,
        "r": 1.0,
        "x": 6.0,
        "g": 2e-5,
        "b": -5e-5,
        "connectionKind": "WindingConnection.D",
    }
    low = {
        "ratedU": 400,
        "ratedS": 1e6,
        "r": 0.001,
        "x": 0.004,
        "connectionKind": "WindingConnection.Yn",
        "phaseAngleClock": 13,
    }
    (found,) = model(transformer(high, low)).transformer
    (mesh,) = found.transformer_mesh_impedance
    assert (mesh.from_end_number, mesh.to_end_number) == (1, 2)
    assert (mesh.r, mesh.x) == pytest.approx((1.0 + 0.001 * 900, 6.0 + 0.004 * 900))
    assert found.transformer_core_admittance is not None
    assert (found.transformer_core_admittance.g, found.transformer_core_admittance.b) == (2e-5, -5e-5)
    first, last = found.transformer_end
    assert (first.connection_kind, last.connection_kind) == (WindingConnection.D, WindingConnection.YN)
    assert last.phase_angle_clock == 1


def test_a_mesh_that_is_stated_goes_before_ohms_at_the_ends() -> None:
    ends = ({"ratedU": 12000, "r": 1.0, "x": 6.0}, {"ratedU": 400, "r": 0.0, "x": 0.0})
    (found,) = model(transformer(*ends, mesh=(0.5, 7.0))).transformer
    assert [(each.r, each.x) for each in found.transformer_mesh_impedance] == [(0.5, 7.0)]


def test_a_transformer_without_any_impedance_is_a_finding() -> None:
    body = transformer({"ratedU": 12000}, {"ratedU": 400})
    text = "PowerTransformer without an impedance: no currents are computed where it is live"
    assert findings(body, ModelFindingKind.MISSING_IMPEDANCE) == [("t", text)]


def tank() -> str:
    """A pole-top transformer whose type was tested: 25 kVA, 2.5 %, 400 W at full load, 100 W at none."""
    body = obj("PowerTransformer", "t") + obj("TransformerTankInfo", "info")
    links = {"TransformerTank.PowerTransformer": "t", "TransformerTank.TransformerTankInfo": "info"}
    body += obj("TransformerTank", "k", links)
    for number, (node, letters, volts) in enumerate((("n1", "BN", 6928), ("n2", "s1N", 120)), start=1):
        body += obj("Terminal", f"t{number}", {"Terminal.ConductingEquipment": "t", "Terminal.ConnectivityNode": node})
        links = {"TransformerTankEnd.TransformerTank": "k", "TransformerEnd.Terminal": f"t{number}"}
        body += obj(
            "TransformerTankEnd",
            f"e{number}",
            links,
            TransformerEnd__endNumber=number,
            orderedPhases=f"OrderedPhaseCodeKind.{letters}",
        )
        body += obj(
            "TransformerEndInfo",
            f"i{number}",
            {"TransformerEndInfo.TransformerTankInfo": "info"},
            endNumber=number,
            ratedU=volts,
            ratedS=25000,
            emergencyS=37500,
        )
    tested = {"ShortCircuitTest.EnergisedEnd": "i1", "ShortCircuitTest.GroundedEnds": "i2"}
    body += obj("ShortCircuitTest", "sc", tested, leakageImpedance=48.0, loss=0.4)
    return body + obj("NoLoadTest", "nl", {"NoLoadTest.EnergisedEnd": "i1"}, loss=0.1, excitingCurrent=0.5)


def test_the_tests_of_a_type_become_ohms_and_siemens() -> None:
    (found,) = model(tank()).transformer
    (unit,) = found.transformer_tank
    (mesh,) = unit.transformer_mesh_impedance
    assert mesh.r == pytest.approx(400 * (6928 / 25000) ** 2)
    assert hypot(mesh.r, mesh.x) == pytest.approx(48.0)
    core = unit.transformer_core_admittance
    assert core is not None
    assert core.g == pytest.approx(100 / 6928**2)
    assert hypot(core.g, core.b) == pytest.approx(0.005 * 25000 / 6928**2)
    assert core.b < 0
    assert [(end.ordered_phases, end.rated_u, end.emergency_s) for end in unit.transformer_end] == [
        ("BN", 6928, 37500),
        ("s1N", 120, 37500),
    ]


def test_a_tap_changer_tells_what_it_keeps_and_where() -> None:
    body = transformer({"ratedU": 12000, "r": 1, "x": 6}, {"ratedU": 400, "r": 0, "x": 0})
    links = {"RatioTapChanger.TransformerEnd": "e2", "TapChanger.TapChangerControl": "c"}
    body += obj(
        "RatioTapChanger",
        "taps",
        links,
        stepVoltageIncrement=1.25,
        TapChanger__step=3,
        TapChanger__neutralStep=0,
        TapChanger__lowStep=-8,
        TapChanger__highStep=8,
        TapChanger__ptRatio=60,
    )
    body += obj(
        "TapChangerControl",
        "c",
        {"RegulatingControl.Terminal": "t2"},
        RegulatingControl__enabled="true",
        RegulatingControl__targetValue=122,
        RegulatingControl__targetDeadband=2,
        RegulatingControl__mode="RegulatingControlModeKind.voltage",
        lineDropCompensation="true",
        lineDropR=3,
        lineDropX=9,
    )
    taps = model(body).transformer[0].transformer_end[1].ratio_tap_changer
    assert taps is not None
    assert (taps.step, taps.low_step, taps.high_step, taps.step_voltage_increment, taps.pt_ratio) == (
        3,
        -8,
        8,
        1.25,
        60,
    )
    control = taps.tap_changer_control
    assert control is not None
    assert (control.enabled, control.node, control.target_value, control.target_deadband) == (True, "n2", 122, 2)
    assert (control.line_drop_compensation, control.line_drop_r, control.line_drop_x) == (True, 3, 9)


def consumer(links: dict[str, str] | None = None, /, **values: object) -> str:
    return obj("EnergyConsumer", "c", links, **values) + between("c", "n2")


def test_a_consumer_tells_its_power_its_connection_and_how_it_follows_the_voltage() -> None:
    response = obj("LoadResponseCharacteristic", "how", pConstantImpedance=40, qConstantCurrent=100)
    links = {"EnergyConsumer.LoadResponse": "how"}
    (found,) = model(consumer(links, p=9000, q=3000, phaseConnection="PhaseShuntConnectionKind.D") + response).load
    assert (found.p, found.q, found.phase_connection) == (9000, 3000, WindingConnection.D)
    assert found.load_response is not None
    assert (found.load_response.p_constant_impedance, found.load_response.q_constant_current) == (40, 100)


@pytest.mark.parametrize(("exponent", "current", "impedance"), [(0, 0, 0), (1, 100, 0), (2, 0, 100), (0.8, 0, 40)])
def test_an_exponent_becomes_the_shares_of_its_slope(exponent: float, current: float, impedance: float) -> None:
    response = obj(
        "LoadResponseCharacteristic", "how", exponentModel="true", pVoltageExponent=exponent, qVoltageExponent=2
    )
    (found,) = model(consumer({"EnergyConsumer.LoadResponse": "how"}, p=1, q=1) + response).load
    assert found.load_response is not None
    told = (found.load_response.p_constant_current, found.load_response.p_constant_impedance)
    assert told == pytest.approx((current, impedance))
    assert found.load_response.q_constant_impedance == 100


@pytest.mark.parametrize(
    ("unit", "values", "stated", "infeed"),
    [
        ("PhotovoltaicUnit", {}, 4000, 4000),
        ("PhotovoltaicUnit", {}, -4000, 4000),
        ("BatteryUnit", {"batteryState": "BatteryStateKind.discharging"}, 5000, 5000),
        ("BatteryUnit", {"batteryState": "BatteryStateKind.charging"}, -5000, -5000),
        ("BatteryUnit", {"batteryState": "BatteryStateKind.charging"}, 5000, -5000),
        ("BatteryUnit", {"batteryState": "BatteryStateKind.waiting"}, -200, -200),
        ("BatteryUnit", {}, -3000, 3000),
        ("PowerElectronicsWindUnit", {}, -700, 700),
    ],
)
def test_an_infeed_counts_into_the_network_whichever_way_the_document_counts(
    unit: str, values: dict[str, object], stated: float, infeed: float
) -> None:
    body = obj(
        "PowerElectronicsConnection", "i", {"PowerElectronicsConnection.PowerElectronicsUnit": "u"}, p=stated, q=0
    )
    (found,) = model(body + between("i", "n2") + obj(unit, "u", **values)).generation
    assert found.p == infeed
    kinds = {"PhotovoltaicUnit": GenerationKind.PHOTOVOLTAIC, "BatteryUnit": GenerationKind.BATTERY}
    assert found.kind is kinds.get(unit, GenerationKind.OTHER)


def test_shunts_tell_what_is_in_service_in_each_phase() -> None:
    body = obj("LinearShuntCompensator", "k", bPerSection=1e-3, ShuntCompensator__sections=2) + between("k", "n2")
    (found,) = model(body).shunt
    assert (found.b, found.g, found.phases) == (2e-3, 0, "ABC")
    one = {"ShuntCompensatorPhase.ShuntCompensator": "k"}
    for letter, b in (("A", 1e-3), ("C", 3e-3)):
        body += obj(
            "LinearShuntCompensatorPhase",
            f"k{letter}",
            one,
            bPerSection=b,
            ShuntCompensatorPhase__phase=f"SinglePhaseKind.{letter}",
            ShuntCompensatorPhase__sections=1,
        )
    assert [(each.mrid, each.phases, each.b) for each in model(body).shunt] == [("kA", "A", 1e-3), ("kC", "C", 3e-3)]


def test_nodes_and_sources_tell_their_voltage() -> None:
    found = model(line(**SEQUENCE))
    assert {node.mrid: node.nominal_voltage for node in found.node} == {"n1": 12000, "n2": 12000, "n3": None}
    (source,) = found.source
    assert (source.nominal_voltage, source.r, source.x, source.voltage_angle) == (12000, 0.5, 4, None)


@given(st.integers(0, 60), st.integers(0, 3000))
def test_parts_fit_in_a_message_and_make_the_whole_again(count: int, length: int) -> None:
    loads = tuple(
        ElectricalLoad(mrid=f"{number} {'x' * length}", node="n", phases=PhaseCode.ABC) for number in range(count)
    )
    whole = ElectricalModel(mrid="f", model_version="1", load=loads)
    parts = list(parts_of(whole))
    assert tuple(load for part in parts for load in part.load) == loads
    assert all(len(json.encode(part)) <= LARGEST_PART + 4000 for part in parts)
    assert {replace(part, load=()) for part in parts} == {replace(whole, load=())}
