"""What a model leaves open, what keeps its next version from being activated, and models in other forms."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from contracts.nouns.feeder_topology import Equipment, Feeder, UsagePoint
from contracts.nouns.network_models import ModelFindingKind
from contracts.nouns.units import PhaseCode
from contracts.nouns.unplanned_outages import OutageStatusKind, UnplannedOutage, UnplannedOutages
from contracts.types import ObjectReference
from services.network_model_management.adapters.importing import Document, Imported, import_documents
from services.network_model_management.domain.carried import carriers, conflicts, lost_or_rephased
from services.network_model_management.domain.findings import LISTED
from services.network_model_management.domain.versions import PANDAPOWER, RDF_XML
from tests.fixtures.statements import statements

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HARBOUR = (Path(__file__).parents[2] / "infra" / "networks" / "harbour.xml").read_bytes()
HEAD = '<rdf:RDF xmlns:cim="http://iec.ch/TC57/CIM100#" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n'


def imported(*bodies: str) -> Imported:
    named = [(f"{HEAD}{body}</rdf:RDF>".encode(), f"part {place}") for place, body in enumerate(bodies, start=1)]
    several = len(bodies) > 1
    return import_documents(
        tuple(Document(content=body, model_format=RDF_XML, file=name if several else "") for body, name in named),
        "1",
        NOON,
    )


def obj(kind: str, name: str, *, values: str = "", **links: str) -> str:
    said = "".join(f'<cim:{key.replace("_", ".")} rdf:resource="#_{to}"/>' for key, to in links.items())
    return f'<cim:{kind} rdf:ID="_{name}">{values}{said}</cim:{kind}>\n'


def terminal(equipment: str, node: str) -> str:
    return obj(
        "Terminal", f"{equipment}-{node}", Terminal_ConductingEquipment=equipment, Terminal_ConnectivityNode=node
    )


def volts(name: str, value: str) -> str:
    return obj("BaseVoltage", name, values=f"<cim:BaseVoltage.nominalVoltage>{value}</cim:BaseVoltage.nominalVoltage>")


SOURCE = obj("Feeder", "f") + obj("ConnectivityNode", "n1") + obj("ConnectivityNode", "n2") + terminal("s", "n1")
LINE = terminal("l", "n1") + terminal("l", "n2")


def found(model: Imported, kind: ModelFindingKind) -> list[str]:
    assert model.result.problems == ()
    return [finding.mrid for finding in model.result.findings if finding.kind is kind]


@pytest.mark.parametrize(
    "stated",
    [
        pytest.param(obj("ACLineSegment", "l", ConductingEquipment_BaseVoltage="v"), id="itself"),
        pytest.param(obj("ACLineSegment", "l", Equipment_EquipmentContainer="level"), id="its container"),
        pytest.param(
            obj("ACLineSegment", "l", Equipment_EquipmentContainer="bay") + obj("Bay", "bay", Bay_VoltageLevel="level"),
            id="the container of its container",
        ),
        pytest.param(
            obj("ACLineSegment", "l")
            + obj("PowerTransformer", "t")
            + terminal("t", "n2")
            + terminal("t", "n3")
            + obj("ConnectivityNode", "n3")
            + "".join(
                obj(
                    "PowerTransformerEnd",
                    f"e{node}",
                    PowerTransformerEnd_PowerTransformer="t",
                    TransformerEnd_Terminal=f"t-{node}",
                    TransformerEnd_BaseVoltage="v",
                )
                for node in ("n2", "n3")
            ),
            id="a winding at its end",
        ),
        pytest.param(
            obj("ACLineSegment", "l")
            + obj("BusbarSection", "bus", ConductingEquipment_BaseVoltage="v")
            + terminal("bus", "n2"),
            id="a neighbour",
        ),
    ],
)
def test_a_base_voltage_may_be_stated_by_any_of_those_around(stated: str) -> None:
    level = obj("VoltageLevel", "level", VoltageLevel_BaseVoltage="v") + volts("v", "20000")
    model = imported(SOURCE + LINE + obj("EnergySource", "s") + stated + level)
    assert found(model, ModelFindingKind.MISSING_BASE_VOLTAGE) == []


def test_equipment_whose_voltage_nobody_states_and_voltages_that_meet_are_findings() -> None:
    silent = imported(SOURCE + LINE + obj("EnergySource", "s") + obj("ACLineSegment", "l"))
    assert found(silent, ModelFindingKind.MISSING_BASE_VOLTAGE) == ["l", "s"]
    mixed = imported(
        SOURCE
        + LINE
        + obj("EnergySource", "s", ConductingEquipment_BaseVoltage="v")
        + obj("ACLineSegment", "l", ConductingEquipment_BaseVoltage="w")
        + volts("v", "20000")
        + volts("w", "400")
    )
    assert found(mixed, ModelFindingKind.MIXED_BASE_VOLTAGES) == ["l"]


def test_islands_without_a_source_and_unknown_classes_are_findings_and_the_many_are_counted() -> None:
    alone = "".join(obj("ConnectivityNode", f"z{number:03}") for number in range(LISTED + 5))
    model = imported(SOURCE + obj("EnergySource", "s") + alone + obj("Braeker", "x") + obj("Braeker", "a"))
    assert found(model, ModelFindingKind.UNKNOWN_CLASS) == ["a"]
    islands = found(model, ModelFindingKind.UNSUPPLIED_ISLAND)
    assert (len(islands), islands[0]) == (LISTED, "n2")
    assert model.result.finding_count == len(model.result.findings) + 6


def test_a_model_in_two_documents_is_one_and_its_problems_name_the_document() -> None:
    first = SOURCE + obj("EnergySource", "s", values="<cim:IdentifiedObject.name>S</cim:IdentifiedObject.name>")
    second = (
        '<cim:EnergySource rdf:about="#_s"><cim:Equipment.aggregate>true</cim:Equipment.aggregate></cim:EnergySource>'
    )
    whole = imported(first, second)
    assert whole.result.problems == ()
    parts = [f"{HEAD}{body}</rdf:RDF>".encode() for body in (first, second)]
    assert statements(whole.document) == statements(parts[0]) | statements(parts[1])
    wrong = imported(
        first,
        second + '\n<cim:Feeder rdf:about="#_n1"/>\n<cim:EnergySource rdf:about="#_s"/>' + terminal("gone", "n1"),
    )
    assert [str(problem) for problem in wrong.result.problems] == [
        "part 2 line 3: n1: Feeder here and ConnectivityNode in part 1, line 3"
    ]
    dangling = imported(first, second + "\n" + terminal("gone", "n1"))
    assert [str(problem) for problem in dangling.result.problems] == [
        "part 2 line 3: gone-n1: Terminal.ConductingEquipment leads to gone, which is not there"
    ]


def test_what_is_planted_in_a_large_model_is_named_with_its_line() -> None:
    lines = HARBOUR.decode().splitlines(keepends=True)
    second = next(number for number, line in enumerate(lines) if "<cim:Fuse" in line)
    fuse = lines[second].split('"')[1]
    lines.insert(-1, f'<cim:Fuse rdf:about="{fuse}"/>\n')
    lines.insert(
        -1, '<cim:Location rdf:about="#_p"><cim:Location.CoordinateSystem rdf:resource="#_q"/></cim:Location>\n'
    )
    result = import_documents((Document(content="".join(lines).encode(), model_format=RDF_XML),), "1", NOON).result
    name = fuse.removeprefix("urn:uuid:")
    assert [str(problem) for problem in result.problems] == [
        f"line {len(lines) - 2}: {name}: the identifier is already that of line {second + 1}",
        f"line {len(lines) - 1}: p: Location.CoordinateSystem leads to q, which is not there",
    ]


def test_only_what_carries_something_keeps_a_version_from_being_activated() -> None:
    def switch(name: str, *, is_open: bool = False, phases: PhaseCode = PhaseCode.ABC) -> Equipment:
        return Equipment(
            mrid=name, kind="Fuse", name=name, node1="n", phases=phases, protective=True, remotely_operable=False,
            normal_open=False, open=is_open,
        )  # fmt: skip

    point = UsagePoint(mrid="p", critical=False, customers=1, meter="m", name="p", node="n", phases=PhaseCode.A)
    before = Feeder(
        mrid="f",
        event_time=NOON,
        model_version="1",
        revision=0,
        equipment=(switch("a"), switch("b"), switch("c")),
        usage_point=(point,),
    )
    after = replace(before, equipment=(switch("b", phases=PhaseCode.A),), usage_point=())
    changes = lost_or_rephased([before], [after])
    assert changes == {
        "a": "would be lost",
        "b": "would change from phases ABC to A",
        "c": "would be lost",
        "p": "would be lost",
    }
    assert lost_or_rephased([before], [before]) == {}
    live = replace(before, equipment=(switch("a"), switch("b", is_open=True), switch("c")))
    outage = UnplannedOutage(
        mrid="o",
        outage_kind=OutageStatusKind.CONFIRMED,
        revision_number=1,
        de_energized_usage_point=(ObjectReference(mrid="p"),),
    )
    assert conflicts(changes, carriers([live], UnplannedOutages(unplanned_outage=(outage,)))) == (
        "b is open and normally closed and would change from phases ABC to A",
        "p is part of the outage o and would be lost",
    )
    assert conflicts(changes, carriers([before], UnplannedOutages())) == ()


def test_mv_oberrhein_of_pandapower_becomes_a_model_like_any_other() -> None:
    pandapower = pytest.importorskip("pandapower")
    document = (Path(pandapower.__file__).parent / "networks" / "mv_oberrhein.json").read_bytes()
    net = pandapower.from_json_string(document.decode())
    model = import_documents((Document(content=document, model_format=PANDAPOWER),), "1", NOON)
    assert model.result.problems == ()
    (feeder,) = model.result.feeders
    (told,) = model.result.findings
    switches = len(net.switch)
    assert (told.mrid, told.text) == (feeder.mrid, f"Feeder of which {switches} of {switches} switches have no rating")
    kinds = [each.kind for each in feeder.equipment]
    assert kinds.count("ACLineSegment") == len(net.line)
    assert kinds.count("LoadBreakSwitch") + kinds.count("Breaker") == len(net.switch)
    assert sum(each.open is True for each in feeder.equipment) == int((~net.switch.closed).sum())
    assert len(feeder.usage_point) == len(net.load)
    again = import_documents((Document(content=model.document, model_format=RDF_XML),), "1", NOON)
    assert again.result == model.result


def test_what_is_no_network_of_pandapower_is_refused_with_its_reason() -> None:
    pytest.importorskip("pandapower")
    hostile = json.dumps({"_module": "subprocess", "_class": "Popen", "_object": "true"})
    for document in ("", "{}", "[]", hostile):
        model = import_documents((Document(content=document.encode(), model_format=PANDAPOWER),), "1", NOON)
        assert "no network of pandapower" in str(model.result.problems[0])
