"""Whole networks, imported as CIM documents and solved, against pandapower and OpenDSS: within 1e-3 per unit."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import numpy as np
import pytest
from lxml import etree

from services.network_model_management.adapters.importing import Document, import_documents
from services.network_model_management.domain.derivation import Import
from services.network_model_management.domain.versions import PANDAPOWER, RDF_XML
from services.network_operation.domain.power_flow.flow import PowerFlow
from services.network_operation.domain.power_flow.grid import compiled
from services.network_operation.domain.power_flow.solution import solved
from tests.fixtures.electrical import energised, opendss
from tests.fixtures.ieee13 import script

HARBOUR = Path(__file__).parents[2] / "infra" / "networks" / "harbour.xml"
IEEE13 = Path(__file__).resolve().parents[3] / "shared" / "samples" / "models" / "IEEE13.xml"
CIM = "{http://iec.ch/TC57/CIM100#}"
CLOSE = 1e-3

Voltages = dict[str, dict[int, float]]


def imported(content: bytes, model_format: str = RDF_XML) -> Import:
    document = Document(content=content, model_format=model_format)
    return import_documents((document,), "1", datetime(2026, 3, 14, tzinfo=UTC)).result


def normally_open(model: Import) -> set[str]:
    return {each.mrid for feeder in model.feeders for each in feeder.equipment if each.normal_open}


def solve(model: Import) -> PowerFlow:
    """The network in its normal state, with tap changers locked."""
    state = energised(model.electrical, dict.fromkeys(normally_open(model), ""))
    return solved(compiled(model.electrical), state, regulate=False)


def by_opendss(commands: list[str]) -> tuple[Any, Voltages]:
    """The engine after these commands, and the volts to earth of its nodes by number."""
    dss = pytest.importorskip("opendssdirect")
    for command in commands:
        dss.Text.Command(command)
    assert dss.Solution.Converged()
    found: Voltages = {}
    for bus in dss.Circuit.AllBusNames():
        dss.Circuit.SetActiveBus(bus)
        volts = dss.Bus.VMagAngle()[::2]
        found[bus] = dict(zip(dss.Bus.Nodes(), volts, strict=True))
    return dss, found


@pytest.mark.filterwarnings(
    "ignore:tap_dependency_table is missing:DeprecationWarning"
)  # said by pandapower of its own
def test_mv_oberrhein_has_the_voltages_and_loadings_that_pandapower_finds() -> None:
    """The document that is solved is the CIM document which comes of the conversion."""
    pandapower = pytest.importorskip("pandapower")
    document = (Path(pandapower.__file__).parent / "networks" / "mv_oberrhein.json").read_bytes()
    net = pandapower.from_json_string(document.decode())
    pandapower.runpp(net, numba=False)
    flow = solve(imported(document, PANDAPOWER))
    assert flow.quality == "solved"
    assert len(flow.islands) == 2

    def of(table: str, index: int) -> str:
        return str(uuid5(NAMESPACE_URL, f"pandapower/{net.name or 'pandapower'}/{table}/{index}"))

    voltage = dict(zip(flow.nodes, flow.voltage, strict=True))
    for bus, expected in net.res_bus["vm_pu"].items():
        if not np.isnan(expected):
            np.testing.assert_allclose(voltage[of("bus", bus)], expected, atol=CLOSE)
    for index, expected in net.res_line["loading_percent"].items():
        if expected > 0.01:
            assert flow.branch(of("line", index)).loading == pytest.approx(expected, abs=0.05)
    lost = net.res_line["pl_mw"].sum() + net.res_trafo["pl_mw"].sum()
    assert sum(each.balance.losses_w for each in flow.islands if each.balance) == pytest.approx(lost * 1e6, rel=1e-3)


def test_the_ieee_13_node_feeder_has_the_voltages_that_opendss_finds() -> None:
    if not IEEE13.exists():
        pytest.skip("the published feeder is not beside the repository")
    names = {
        node.findtext(f"{CIM}IdentifiedObject.mRID"): (node.findtext(f"{CIM}IdentifiedObject.name") or "").lower()
        for kind in ("ConnectivityNode", "LoadBreakSwitch", "ACLineSegment")
        for node in etree.parse(IEEE13).iter(f"{CIM}{kind}")
    }
    model = imported(IEEE13.read_bytes())
    flow = solve(model)
    dss, expected = by_opendss(script())
    nominal = {node.mrid: node.nominal_voltage or 0 for each in model.electrical for node in each.node}
    assert flow.quality == "solved"
    compared = 0
    for node, voltage in zip(flow.nodes, flow.voltage, strict=True):
        if names[node] == "house":
            # per unit of its windings of 120 V, both of which have the phase of the primary one
            assert voltage[1] * 120 == pytest.approx(expected["house"][1], abs=120 * CLOSE)
            continue
        for phase in range(3):
            if not np.isnan(voltage[phase]):
                volts = voltage[phase] * nominal[node] / np.sqrt(3)
                assert volts == pytest.approx(expected[names[node]][phase + 1], abs=nominal[node] / np.sqrt(3) * CLOSE)
                compared += 1
            else:
                assert phase + 1 not in expected[names[node]]
    assert compared == 54
    for mrid in (each for each in flow.branches if names.get(each) in {"671692", "632670", "632645"}):
        dss.Circuit.SetActiveElement(f"line.{names[mrid]}")
        order = [node - 1 for node in dss.CktElement.NodeOrder()]
        currents = dss.CktElement.CurrentsMagAng()[::2][: len(order) // 2]
        found = flow.branch(mrid).currents
        for phase, amperes in zip(order, currents, strict=False):
            assert found[phase] == pytest.approx(amperes, rel=2e-3)
    losses = sum(each.balance.losses_w for each in flow.islands if each.balance)
    assert losses == pytest.approx(dss.Circuit.Losses()[0], rel=5e-3)


def test_the_harbour_has_the_voltages_that_opendss_finds() -> None:
    model = imported(HARBOUR.read_bytes())
    flow = solve(model)
    _, expected = by_opendss(opendss(model.electrical, normally_open(model)))
    nominal = {node.mrid: node.nominal_voltage or 0 for each in model.electrical for node in each.node}
    assert flow.quality == "solved"
    for node, voltage in zip(flow.nodes, flow.voltage, strict=True):
        live = np.flatnonzero(~np.isnan(voltage))
        if nominal[node] == 240:
            (phase,) = live
            assert voltage[phase] * 120 == pytest.approx(expected[node][1], abs=120 * CLOSE)
        else:
            for phase in live:
                volts = voltage[phase] * nominal[node] / np.sqrt(3)
                assert volts == pytest.approx(expected[node][int(phase) + 1], abs=nominal[node] / np.sqrt(3) * CLOSE)
    (island,) = flow.islands
    assert island.balance is not None
    assert sum(island.balance.consumed).real == pytest.approx(32 * 1800 + 8 * 24000)
