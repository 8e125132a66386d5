"""The reader of plain documents: what it reads it reads as lxml does, and it takes nothing that lxml refuses."""

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.network_model_management.adapters.plain_rdf import read_document, read_plain
from services.network_model_management.adapters.rdf import bare, read_tree
from services.network_model_management.domain.model import CimObject

HARBOUR = Path(__file__).parents[2] / "infra" / "networks" / "harbour.xml"
IEEE13 = Path(__file__).resolve().parents[3] / "shared" / "samples" / "models" / "IEEE13.xml"
HEAD = (
    '<?xml version="1.0" encoding="utf-8"?>\n<!-- written by\n a machine -->\n'
    '<rdf:RDF xmlns:cim="http://iec.ch/TC57/CIM100#" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
    ' xmlns:our="urn:our#">\n'
)
FUSE = """<cim:Fuse rdf:ID="_{0}">
  <cim:IdentifiedObject.name>{1}</cim:IdentifiedObject.name>
  <cim:Switch.open>false</cim:Switch.open>
  <cim:Equipment.EquipmentContainer rdf:resource="#_f"/>
  <cim:Fuse.kind rdf:resource="http://iec.ch/TC57/CIM100#Kind.{0}"/>
</cim:Fuse>
"""
ODD = """<cim:Feeder rdf:about="urn:uuid:f"/>
<cim:Fuse rdf:ID="_o"><our:colour>  green &amp; grey </our:colour></cim:Fuse>
<!-- <cim:Fuse rdf:ID="_never"></cim:Fuse> <cim:Fuse rdf:ID="_nor"></cim:Fuse> -->
<our:Thing rdf:ID="_t"><cim:Fuse.kind rdf:resource="#_f"/></our:Thing>
<cim:Location rdf:ID="_l"><cim:Location.mainAddress><cim:StreetAddress>
  <cim:StreetAddress.name>x</cim:StreetAddress.name></cim:StreetAddress></cim:Location.mainAddress></cim:Location>
<cim:Fuse rdf:ID="_p"><cim:Equipment.EquipmentContainer rdf:resource="#_f"/><cim:Equipment.EquipmentContainer
 rdf:resource="#_g"/></cim:Fuse>
"""
MANY = "".join(FUSE.format(number, f"Fuse {number}") for number in range(12))
DOCUMENT = f"{HEAD}{MANY}{ODD}{FUSE.format('last', '')}</rdf:RDF>\n"
SHORT = (
    f"{HEAD}{FUSE.format(1, 'One')}{FUSE.format(2, 'Two')}<cim:Feeder rdf:ID='_f'/>\n{FUSE.format(3, '3')}</rdf:RDF>"
)


def plain(document: str) -> tuple[CimObject, ...] | None:
    return read_plain(document.encode(), "part")


def tree(document: str) -> tuple[CimObject, ...]:
    objects, problems = read_tree(document.encode(), "part")
    assert problems == ()
    return objects


def test_plain_objects_and_odd_ones_between_them_are_read_as_lxml_reads_them_line_by_line() -> None:
    found = plain(DOCUMENT)
    assert found == tree(DOCUMENT)
    assert found is not None
    assert [each.id for each in found] == [*map(str, range(12)), "f", "o", "l", "p", "last"]
    assert found[1].line == 11
    assert found[1].values == {
        "IdentifiedObject.name": "Fuse 1",
        "Switch.open": "false",
        "Fuse.kind": "1",
    }
    assert found[-2].links == {"Equipment.EquipmentContainer": "f g"}


@pytest.mark.parametrize("file", [HARBOUR, IEEE13], ids=["harbour", "IEEE13"])
def test_whole_models_are_read_as_lxml_reads_them(file: Path) -> None:
    if not file.exists():
        pytest.skip("the published models are not beside the repository")
    document = file.read_text()
    assert plain(document) == tree(document) == plain(document.replace("\n", "\r\n"))


def test_lines_are_exact_beyond_those_that_libxml2_counts() -> None:
    count = 20_000
    document = f"{HEAD}{''.join(FUSE.format(number, 'x') for number in range(count))}</rdf:RDF>"
    found = plain(document)
    assert found is not None
    assert [each.line for each in found] == [5 + 6 * number for number in range(count)]


@pytest.mark.parametrize(
    "document",
    [
        "",
        "no document",
        f"{HEAD}</rdf:RDF>",
        DOCUMENT.replace("</rdf:RDF>", ""),
        DOCUMENT.replace("Fuse 7", "Fuse \x01 7"),
        DOCUMENT.replace("Fuse 7", "Fuse & 7"),
        DOCUMENT.replace("Fuse 7", "Fuse ]]> 7"),
        DOCUMENT.replace("Fuse 7", "Fuse \uffff 7"),
        DOCUMENT.replace("Fuse 7</cim:IdentifiedObject.name>", "Fuse 7</cim:IdentifiedObject.nam>"),
        DOCUMENT.replace("<cim:IdentifiedObject.name>Fuse 7<", "<who:IdentifiedObject.name>Fuse 7<"),
        f"{DOCUMENT}<more/>",
        f"{HEAD}stray{MANY}</rdf:RDF>",
        f"{HEAD}{MANY}stray</rdf:RDF>",
        f"{HEAD}<cim:A rdf:ID='_a'><cim:A.b>{MANY}</cim:A.b></cim:A>{MANY}</rdf:RDF>",
        f"{HEAD}<!-- -- -->{MANY}</rdf:RDF>",
        f"{HEAD}{MANY}<?{FUSE.format('x', 'x')}{FUSE.format('y', 'y')}?></rdf:RDF>",
        f"{HEAD}{MANY}<![CDATA[{FUSE.format('x', 'x')}{FUSE.format('y', 'y')}]]></rdf:RDF>",
        f"<!DOCTYPE x>{HEAD.partition('?>')[2].strip()}{MANY}</rdf:RDF>",
        DOCUMENT.replace("rdf:RDF", "rdf:Bag"),
    ],
)
def test_what_is_not_certain_is_left_to_lxml(document: str) -> None:
    found = plain(document)
    assert found is None or found == tree(document)


def test_a_document_without_much_that_is_plain_is_left_to_lxml_as_a_whole() -> None:
    document = DOCUMENT.replace("<cim:Switch.open>false", "<cim:Switch.open>&#102;alse")
    assert plain(document) is None
    assert len(read_document(document.encode())[0]) == 17


_PIECES = ("<", ">", '"', "'", "&", "/", " ", "\n", "\t", "=", "cim:", "rdf:", "_", "-->", "<!--", "</cim:Fuse>", "<x>")


@given(
    st.lists(
        st.tuples(st.integers(0, len(SHORT)), st.integers(0, 12), st.sampled_from(("", *_PIECES))),
        min_size=1,
        max_size=3,
    )
)
@example([(len(HEAD) + 5, 0, "\n")])
@settings(max_examples=400, deadline=None)
def test_no_slip_of_the_pen_is_read_otherwise_than_by_lxml(edits: list[tuple[int, int, str]]) -> None:
    document = SHORT
    for place, length, piece in edits:
        document = f"{document[:place]}{piece}{document[place + length :]}"
    found = plain(document)
    assert found is None or found == tree(document)


def test_an_identifier_is_told_without_its_prefix() -> None:
    assert {bare(each) for each in ("urn:uuid:x", "#_x", "_x", "x", "#x", "urn:uuid:_x")} == {"x"}
