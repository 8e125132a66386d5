"""What becomes of a CIM document."""

import re
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from uuid import UUID, uuid5

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from contracts.errors import Invalid
from contracts.nouns.feeder_topology import Equipment, Feeder, UsagePoint
from contracts.nouns.network_models import ModelFindingKind, ModelStatusKind, NetworkModel, NetworkModels
from services.network_model_management.adapters.importing import Document, import_documents
from services.network_model_management.adapters.plain_rdf import read_document
from services.network_model_management.domain.derivation import Import
from services.network_model_management.domain.model import Finding, Problem, refusal
from services.network_model_management.domain.problems import document_problems
from services.network_model_management.domain.versions import (
    PANDAPOWER,
    RDF_XML,
    activated,
    the_offered,
    valid_from,
    with_findings,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HARBOUR = Path(__file__).parents[2] / "infra" / "networks" / "harbour.xml"
IEEE13 = Path(__file__).resolve().parents[3] / "shared" / "samples" / "models" / "IEEE13.xml"

HEAD = (
    '<rdf:RDF xmlns:cim="http://iec.ch/TC57/CIM100#" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
    ' xmlns:md="http://iec.ch/TC57/61970-552/ModelDescription/1#">\n'
)
SMALL = """<cim:Feeder rdf:ID="_f"/>
<cim:ConnectivityNode rdf:ID="_n1"/>
<cim:ConnectivityNode rdf:ID="_n2"/>
<cim:EnergySource rdf:ID="_s"/>
<cim:Terminal rdf:ID="_st">
  <cim:Terminal.ConductingEquipment rdf:resource="#_s"/>
  <cim:Terminal.ConnectivityNode rdf:resource="#_n1"/>
</cim:Terminal>
<cim:Breaker rdf:ID="_b"/>
<cim:Terminal rdf:ID="_b1">
  <cim:Terminal.ConductingEquipment rdf:resource="#_b"/>
  <cim:Terminal.ConnectivityNode rdf:resource="#_n1"/>
</cim:Terminal>
<cim:Terminal rdf:ID="_b2">
  <cim:Terminal.ConductingEquipment rdf:resource="#_b"/>
  <cim:Terminal.ConnectivityNode rdf:resource="#_n2"/>
</cim:Terminal>
<cim:EnergyConsumer rdf:ID="_c">
  <cim:EnergyConsumer.customerCount>3</cim:EnergyConsumer.customerCount>
</cim:EnergyConsumer>
<cim:Terminal rdf:ID="_ct">
  <cim:Terminal.ConductingEquipment rdf:resource="#_c"/>
  <cim:Terminal.ConnectivityNode rdf:resource="#_n2"/>
</cim:Terminal>
"""


def import_document(document: bytes, version: str = "1") -> Import:
    return import_documents((Document(content=document, model_format=RDF_XML),), version, NOON).result


def imported(body: str) -> Import:
    return import_document(f"{HEAD}{body}</rdf:RDF>".encode())


def problems(body: str) -> list[str]:
    return [str(problem) for problem in imported(body).problems]


def kinds(feeder: Feeder) -> Counter[str]:
    return Counter(each.kind for each in feeder.equipment)


def equipment(result: Import, name: str) -> Equipment:
    (found,) = [each for feeder in result.feeders for each in feeder.equipment if each.name == name]
    return found


def usage_points(result: Import) -> list[UsagePoint]:
    return [point for feeder in result.feeders for point in feeder.usage_point]


def _finding(kind: ModelFindingKind, mrid: str, text: str) -> Finding:
    return Finding(kind=kind, mrid=mrid, text=text)


@pytest.fixture(scope="module")
def harbour() -> Import:
    return import_document(HARBOUR.read_bytes(), "7")


@pytest.fixture(scope="module")
def ieee13() -> Import:
    if not IEEE13.exists():
        pytest.skip("the published models are not beside the repository")
    return import_document(IEEE13.read_bytes())


def test_harbour_imports_without_problem_and_without_finding(harbour: Import) -> None:
    assert (harbour.problems, harbour.findings) == ((), ())
    hill, quay = harbour.feeders
    assert (hill.names[0].name, hill.model_version, hill.event_time) == ("Hill", "7", NOON)
    assert (len(hill.connectivity_node), len(hill.usage_point)) == (21, 21)
    assert (len(quay.connectivity_node), len(quay.usage_point)) == (16, 19)
    assert kinds(hill) == {
        "ACLineSegment": 7,
        "Breaker": 1,
        "BusbarSection": 1,
        "Disconnector": 1,
        "EnergyConsumer": 21,
        "EnergySource": 1,
        "Fuse": 4,
        "LoadBreakSwitch": 2,
        "PowerTransformer": 6,
    }
    assert kinds(quay) == {
        "ACLineSegment": 6,
        "Breaker": 1,
        "EnergyConsumer": 19,
        "Fuse": 4,
        "PowerTransformer": 4,
        "Recloser": 1,
    }


def test_harbour_has_one_open_tie_and_knows_what_protects_and_what_is_remote(harbour: Import) -> None:
    everything = [each for feeder in harbour.feeders for each in feeder.equipment]
    assert [each.name for each in everything if each.open] == ["Tie"]
    assert {each.kind for each in everything if each.protective} == {"Breaker", "Fuse", "Recloser"}
    assert {each.kind for each in everything if each.remotely_operable} == {"Breaker", "LoadBreakSwitch", "Recloser"}
    assert equipment(harbour, "Quay line 1").open is None


def test_homes_have_the_phase_of_the_primary_winding_of_their_transformer(harbour: Import) -> None:
    (home,) = [point for point in usage_points(harbour) if point.name == "Baker Lane 2"]
    assert home.phases == equipment(harbour, "Baker Lane fuse").phases == "B"
    assert home.transformer == equipment(harbour, "Baker Lane transformer").mrid
    (hospital,) = [point for point in usage_points(harbour) if point.name == "Hospital 1"]
    assert (hospital.phases, hospital.critical) == ("ABC", True)
    assert len({point.meter for point in usage_points(harbour)}) == 40
    assert not any(point.meter.endswith("-meter") for point in usage_points(harbour))


def test_the_script_beside_harbour_writes_these_bytes(tmp_path: Path) -> None:
    script = HARBOUR.with_name("make_harbour.py")
    copy = tmp_path / script.name
    copy.write_bytes(script.read_bytes())
    subprocess.run([sys.executable, str(copy)], check=True)
    assert (tmp_path / HARBOUR.name).read_bytes() == HARBOUR.read_bytes()


def test_the_ieee_13_node_feeder_imports_with_what_it_leaves_open_as_findings(ieee13: Import) -> None:
    assert ieee13.problems == ()
    (feeder,) = ieee13.feeders
    assert (len(feeder.connectivity_node), len(feeder.usage_point)) == (22, 16)
    found = kinds(feeder)
    assert (found["ACLineSegment"], found["PowerTransformer"], found["EnergyConsumer"]) == (11, 5, 16)
    assert Counter(finding.kind for finding in ieee13.findings) == {
        ModelFindingKind.DUPLICATE_NAME: 4,
        ModelFindingKind.MISPLACED: 1,
        ModelFindingKind.MISSING_PHASES: 5,
        ModelFindingKind.UNPROTECTED: 3,
    }
    laterals = {each.mrid for each in ieee13.findings if each.kind is ModelFindingKind.UNPROTECTED}
    assert laterals == {equipment(ieee13, name).mrid for name in ("632645", "671684", "684652")}
    assert equipment(ieee13, "sect1").phases == "C"
    assert equipment(ieee13, "671684").phases == "AC"


def test_a_house_on_the_legs_of_the_ieee_transformer_is_on_its_primary_phase(ieee13: Import) -> None:
    (house,) = [point for point in usage_points(ieee13) if point.name == "house"]
    assert (house.phases, house.transformer) == ("B", equipment(ieee13, "tpoletop").mrid)
    assert house.meter == f"{house.mrid}-meter"


def test_a_transformer_with_three_windings_is_two_edges_from_the_first(ieee13: Import) -> None:
    first, second = (each for each in ieee13.feeders[0].equipment if each.name == "sub3")
    assert (first.node1, f"{first.mrid}-3") == (second.node1, second.mrid)
    assert first.node2 != second.node2


def test_the_smallest_model_counts_a_consumer_without_usage_point_as_one() -> None:
    result = imported(SMALL)
    (point,) = result.feeders[0].usage_point
    assert (point.mrid, point.meter, point.customers, point.transformer) == ("c", "c-meter", 3, None)
    assert [(finding.kind, finding.mrid) for finding in result.findings] == [
        (ModelFindingKind.MISSING_BASE_VOLTAGE, "b"),
        (ModelFindingKind.MISSING_BASE_VOLTAGE, "c"),
        (ModelFindingKind.MISSING_BASE_VOLTAGE, "s"),
        (ModelFindingKind.MISSING_PHASES, "b"),
        (ModelFindingKind.MISSING_PHASES, "c"),
        (ModelFindingKind.MISSING_RATING, "f"),
    ]
    assert result.finding_count == 6


def test_every_problem_is_named_at_once_with_line_and_identifier() -> None:
    body = SMALL + (
        '<cim:Breaker rdf:ID="_b"/>\n'
        '<cim:Terminal rdf:ID="_x">\n'
        '  <cim:Terminal.ConductingEquipment rdf:resource="#_gone"/>\n'
        '  <cim:Terminal.ConnectivityNode rdf:resource="#_b"/>\n'
        "</cim:Terminal>\n"
        '<cim:TransformerEndInfo rdf:ID="_y"><cim:Any.thing rdf:resource="urn:uuid:away"/></cim:TransformerEndInfo>\n'
        '<cim:BaseVoltage rdf:ID="_v"><cim:BaseVoltage.nominalVoltage>high</cim:BaseVoltage.nominalVoltage>'
        "</cim:BaseVoltage>\n"
        '<cim:Terminal rdf:ID="_z"><cim:Terminal.ConductingEquipment rdf:resource="#_b"/></cim:Terminal>\n'
    )
    assert problems(body) == [
        "line 26: b: the identifier is already that of line 10",
        "line 27: x: Terminal.ConductingEquipment leads to gone, which is not there",
        "line 27: x: Terminal.ConnectivityNode leads to b, which is a Breaker",
        "line 31: y: Any.thing leads to away, which is not there",
        "line 32: v: BaseVoltage.nominalVoltage is not a number: 'high'",
        "line 33: z: Terminal without Terminal.ConnectivityNode",
    ]


def test_equipment_that_hangs_in_the_air_and_a_model_without_a_source_are_refused() -> None:
    body = re.sub(r'<cim:Terminal rdf:ID="_b2">.*?</cim:Terminal>\n', "", SMALL, flags=re.DOTALL)
    assert problems(body) == ["line 10: b: Breaker with 1 terminals instead of 2"]
    body = '<cim:Substation rdf:ID="_u"/>'
    assert problems(body) == ["the model has no EnergySource", "the model has no Feeder"]


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (f"{HEAD}<cim:Feeder>\n</rdf:RDF>", "line 3: ill-formed XML"),
        (f'<!DOCTYPE x [<!ENTITY e "x">]>{HEAD}<cim:Feeder rdf:ID="_f"/></rdf:RDF>', "a DOCTYPE is not allowed"),
        (f"{HEAD}</rdf:RDF>", "no object of the namespace"),
        (f'{HEAD}<md:FullModel rdf:about="#_m"/></rdf:RDF>', "no object of the namespace"),
        (f"{HEAD}<cim:Feeder/></rdf:RDF>", "line 2: Feeder without rdf:about or rdf:ID"),
        ("<feeder/>", "line 1: the root is feeder, not rdf:RDF"),
        ("", "ill-formed XML"),
    ],
)
def test_what_is_no_cim_document_is_refused_with_its_reason(document: str, reason: str) -> None:
    (problem,) = import_document(document.encode()).problems
    assert reason in str(problem)


def test_an_external_entity_is_never_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("<cim:Feeder/>")
    document = f'<!DOCTYPE x [<!ENTITY e SYSTEM "{secret.as_uri()}">]>{HEAD}&e;</rdf:RDF>'
    assert [problem.text for problem in import_document(document.encode()).problems] == ["a DOCTYPE is not allowed"]


def test_entities_that_multiply_are_refused_before_they_grow() -> None:
    grown = "".join(f'<!ENTITY e{number} "{f"&e{number - 1};" * 10}">' for number in range(1, 10))
    text = f'<!DOCTYPE x [<!ENTITY e0 "ha">{grown}]>{HEAD}<cim:Feeder rdf:ID="&e9;">&e9;</cim:Feeder></rdf:RDF>'
    assert len(import_document(text.encode()).problems) == 1


def test_a_refusal_of_very_many_problems_still_fits_in_a_message() -> None:
    many = tuple(Problem(line=number, text="wrong") for number in range(1, 1001))
    assert refusal(many).startswith("1000 problems in the document: line 1: wrong; ")
    assert refusal(many).endswith("line 100: wrong; and 900 more")


@given(st.randoms(use_true_random=False))
@settings(max_examples=15, deadline=None)
def test_reordering_the_document_changes_nothing(random: Random) -> None:
    root = etree.fromstring(HARBOUR.read_bytes())
    elements = list(root)
    random.shuffle(elements)
    root[:] = elements
    assert import_document(etree.tostring(root)) == import_document(HARBOUR.read_bytes())


@given(st.uuids())
@settings(max_examples=15, deadline=None)
def test_relabelling_every_mrid_relabels_the_result_and_changes_nothing_else(seed: UUID) -> None:
    document = HARBOUR.read_text()
    names = {mrid: str(uuid5(seed, mrid)) for mrid in re.findall(r"urn:uuid:([-0-9a-f]+)", document)}
    relabelled = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", lambda found: names[found[0]], document)
    before, after = (import_document(text.encode()) for text in (document, relabelled))
    expected = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", lambda found: names[found[0]], repr(before))
    assert repr(after) == expected


def test_a_consumer_behind_a_normally_open_switch_is_a_finding() -> None:
    body = SMALL.replace(
        '<cim:Breaker rdf:ID="_b"/>',
        '<cim:Breaker rdf:ID="_b"><cim:Switch.normalOpen>true</cim:Switch.normalOpen></cim:Breaker>',
    )
    result = imported(body)
    assert equipment(result, "b").open is True
    assert [(finding.mrid, finding.text) for finding in result.findings if finding.kind.startswith("unsupplied")] == [
        ("c", "EnergyConsumer that no source reaches in the normal state"),
        ("n2", "no source reaches the island of this node and 0 others in the normal state"),
    ]


def test_only_one_model_of_a_known_format_with_documents_is_taken() -> None:
    model = NetworkModel(mrid="m", model_format=RDF_XML, document="<x/>")
    assert the_offered(NetworkModels(network_model=(model, model))) == (model, model)
    for models in (
        (),
        (model, NetworkModel(mrid="n", model_format=RDF_XML, document="<x/>")),
        (model, NetworkModel(mrid="m", model_format=PANDAPOWER, document="{}")),
        (NetworkModel(mrid="m", model_format="GridLAB-D", document="<x/>"),),
        (NetworkModel(mrid="m", model_format=RDF_XML),),
    ):
        with pytest.raises(Invalid):
            the_offered(NetworkModels(network_model=models))


def test_an_active_model_is_told_without_its_document_and_with_its_findings() -> None:
    model = NetworkModel(mrid="m", model_format=RDF_XML, document="<x/>", description="Spring")
    finding = Finding(kind=ModelFindingKind.MISSING_PHASES, mrid="b", text="Breaker without phases: taken as ABC")
    told = with_findings(activated(model, 3, 7, NOON), (finding,))
    assert (told.document, told.revision, told.status_kind) == (None, 3, ModelStatusKind.ACTIVE)
    assert (told.description, told.finding_count, told.finding[0].mrid) == ("Spring", 7, "b")


def test_identifiers_of_all_spellings_name_the_same_object() -> None:
    for spelling in ('rdf:about="urn:uuid:n1"', 'rdf:about="#_n1"', 'rdf:ID="_n1"', 'rdf:ID="n1"'):
        body = SMALL.replace('<cim:ConnectivityNode rdf:ID="_n1"/>', f"<cim:ConnectivityNode {spelling}/>")
        assert imported(body).problems == ()


def test_reading_keeps_every_value_of_an_association_with_several() -> None:
    body = '<cim:UsagePoint rdf:ID="_u"><cim:UsagePoint.Equipments rdf:resource="#_a"/>'
    objects, _ = read_document(
        f'{HEAD}{body}<cim:UsagePoint.Equipments rdf:resource="#_b"/></cim:UsagePoint></rdf:RDF>'.encode()
    )
    assert objects[0].links["UsagePoint.Equipments"] == "a b"
    assert len(document_problems(objects)) == 2


def test_no_two_versions_begin_at_one_instant_even_where_time_stands_still() -> None:
    first = activated(NetworkModel(mrid="m", model_format=RDF_XML), 1, 0, valid_from([], NOON))
    second = activated(NetworkModel(mrid="m", model_format=RDF_XML), 2, 0, valid_from([first], NOON))
    assert first.created_date_time == NOON
    assert second.created_date_time == NOON + timedelta(milliseconds=1)
    assert valid_from([first, second], NOON + timedelta(hours=1)) == NOON + timedelta(hours=1)
