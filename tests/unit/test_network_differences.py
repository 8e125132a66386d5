"""What becomes of the statements of a model: kept, changed by a difference, and put back."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from services.network_model_management.adapters.difference_model import Offer, Outcome, apply_offer, difference_model
from services.network_model_management.adapters.rdf import excerpt, merged
from services.network_model_management.domain.difference import (
    TYPE,
    Difference,
    Statement,
    applied,
    exact,
    reversed_,
)
from tests.fixtures.statements import RDF, statements

CIM = "http://iec.ch/TC57/CIM100#"
HARBOUR = (Path(__file__).parents[2] / "infra" / "networks" / "harbour.xml").read_bytes()
IEEE13 = Path(__file__).resolve().parents[3] / "shared" / "samples" / "models" / "IEEE13.xml"

HEAD = (
    f'<rdf:RDF xmlns:cim="{CIM}" xmlns:rdf="{RDF}" xmlns:md="http://iec.ch/TC57/61970-552/ModelDescription/1#"'
    ' xmlns:our="urn:our#">\n'
)
MODEL = f"""{HEAD}<md:FullModel rdf:about="urn:uuid:header"><md:Model.created>today</md:Model.created></md:FullModel>
<!-- the only breaker -->
<cim:Breaker rdf:ID="_b"><cim:Switch.open>false</cim:Switch.open>
  <cim:Equipment.EquipmentContainer rdf:resource="#_f"/>
  <our:colour>  green &amp; grey </our:colour>
  <cim:IdentifiedObject.name xml:lang="de">Trenner</cim:IdentifiedObject.name>
</cim:Breaker>
<cim:Location rdf:about="urn:uuid:l"><cim:Location.mainAddress><cim:StreetAddress>
  <cim:StreetAddress.postalCode>1</cim:StreetAddress.postalCode></cim:StreetAddress></cim:Location.mainAddress>
</cim:Location>
<cim:Feeder rdf:ID="_f"/>
</rdf:RDF>""".encode()


def rdf(body: str) -> bytes:
    return f"{HEAD}{body}</rdf:RDF>".encode() if body else b""


def outcome(model: bytes, forward: str = "", reverse: str = "", preconditions: str = "") -> Outcome:
    return apply_offer(model, Offer(forward=rdf(forward), reverse=rdf(reverse), preconditions=rdf(preconditions)))


def undone(changed: Outcome) -> Outcome:
    return apply_offer(changed.document, Offer(forward=changed.reverse, reverse=changed.forward))


def problems(found: Outcome) -> list[str]:
    return [f"{problem.id}: {problem.text}" for problem in found.problems]


@pytest.mark.parametrize(
    ("forward", "reverse"),
    [
        pytest.param(
            '<rdf:Description rdf:about="#_b"><cim:Switch.open>true</cim:Switch.open></rdf:Description>',
            '<rdf:Description rdf:about="#_b"><cim:Switch.open>false</cim:Switch.open></rdf:Description>',
            id="a value",
        ),
        pytest.param(
            '<cim:Breaker rdf:about="urn:uuid:b"><cim:Switch.open>true</cim:Switch.open></cim:Breaker>',
            '<cim:Breaker rdf:ID="b"><cim:Switch.open>false</cim:Switch.open></cim:Breaker>',
            id="a value, where elements name the class and spell the identifier otherwise",
        ),
        pytest.param(
            '<cim:Fuse rdf:about="urn:uuid:n"><cim:Equipment.EquipmentContainer rdf:resource="urn:uuid:f"/></cim:Fuse>',
            "",
            id="a new object",
        ),
        pytest.param("", '<cim:Feeder rdf:about="#_f"/>', id="an object that goes"),
        pytest.param(
            '<cim:Recloser rdf:about="#_b"/>', '<cim:Breaker rdf:about="#_b"/>', id="an object of another class"
        ),
        pytest.param(
            "",
            '<cim:Location rdf:about="#_l"><cim:Location.mainAddress><cim:StreetAddress>\n  '
            "<cim:StreetAddress.postalCode>1</cim:StreetAddress.postalCode></cim:StreetAddress></cim:Location.mainAddress>"
            "</cim:Location>",
            id="a structure",
        ),
        pytest.param(
            "",
            '<rdf:Description rdf:about="#_b"><our:colour>  green &amp; grey </our:colour>'
            '<cim:IdentifiedObject.name xml:lang="de">Trenner</cim:IdentifiedObject.name></rdf:Description>',
            id="what we do not use",
        ),
    ],
)
def test_a_difference_and_its_reverse_leave_every_statement_as_it_was(forward: str, reverse: str) -> None:
    changed = outcome(MODEL, forward, reverse)
    assert changed.problems == ()
    assert statements(changed.document) != statements(MODEL)
    back = undone(changed)
    assert back.problems == ()
    assert statements(back.document) == statements(MODEL)
    assert b"<!-- the only breaker -->" in back.document
    again = apply_offer(back.document, Offer(whole=difference_model("d", changed.forward, changed.reverse)))
    assert statements(again.document) == statements(changed.document)


@pytest.mark.parametrize(
    ("forward", "reverse", "preconditions", "expected"),
    [
        (
            '<cim:Breaker rdf:about="#_b"><cim:Switch.open>true</cim:Switch.open></cim:Breaker>',
            "",
            "",
            ["b: forward: Switch.open would be false and true"],
        ),
        (
            "",
            '<cim:Breaker rdf:about="#_b"><cim:Switch.open>true</cim:Switch.open></cim:Breaker>',
            '<cim:Fuse rdf:about="#_b"/>',
            [
                "b: preconditions: the model does not say type Fuse",
                "b: reverse: the model does not say Switch.open true",
            ],
        ),
        (
            '<rdf:Description rdf:about="#_b"><cim:Switch.open>false</cim:Switch.open></rdf:Description>',
            "",
            "",
            ["b: forward: the model says Switch.open false already"],
        ),
        ('<cim:Fuse rdf:about="#_b"/>', "", "", ["b: forward: it would be Breaker and Fuse"]),
        (
            '<rdf:Description rdf:about="#_n"><cim:Switch.open>false</cim:Switch.open></rdf:Description>',
            "",
            "",
            ["n: forward: there is no such object, and its class is not stated"],
        ),
        ("", "", "", [": the difference has no statement"]),
        ("<cim:Fuse>", "", "", None),
    ],
)
def test_a_difference_that_does_not_fit_is_refused_with_every_reason(
    forward: str, reverse: str, preconditions: str, expected: list[str] | None
) -> None:
    found = outcome(MODEL, forward, reverse, preconditions)
    assert found.document == b""
    if expected is None:
        assert "ill-formed XML" in problems(found)[0]
    else:
        assert problems(found) == expected


def test_a_difference_model_without_a_difference_is_no_difference() -> None:
    assert problems(apply_offer(MODEL, Offer(whole=MODEL))) == [": 0 elements dm:DifferenceModel instead of one"]


def _statement(draw: Callable[[st.SearchStrategy[str]], str]) -> Statement:
    predicate = draw(st.sampled_from([TYPE, "name", "open", "f"]))
    kind = {TYPE: "resource", "f": "link"}.get(predicate, "literal")
    return Statement(
        subject=draw(st.sampled_from("abc")), predicate=predicate, value=draw(st.sampled_from("xyz")), kind=kind
    )


@st.composite
def models(draw: Callable[[st.SearchStrategy[str]], str]) -> frozenset[Statement]:
    """Models in which every object has one class and every attribute one value."""
    found = {
        (each.subject, each.predicate, each.value if each.kind == "link" else ""): each
        for each in (_statement(draw) for _ in range(12))
    }
    typed = {each.subject for each in found.values() if each.predicate == TYPE}
    return frozenset(each for each in found.values() if each.subject in typed)


@given(models(), models())
@settings(max_examples=300)
def test_what_leads_from_a_model_to_any_other_leads_back(
    before: frozenset[Statement], after: frozenset[Statement]
) -> None:
    meant, found = exact(Difference(forward=after - before, reverse=before - after), before)
    assert found == ()
    assert applied(meant, before) == after
    back, found = exact(reversed_(meant), after)
    assert found == ()
    assert back == reversed_(meant)
    assert applied(back, applied(meant, before)) == before


@given(models(), models(), models())
@settings(max_examples=300)
def test_a_difference_that_is_taken_is_always_undone_by_its_reverse(
    model: frozenset[Statement], forward: frozenset[Statement], reverse: frozenset[Statement]
) -> None:
    meant, found = exact(Difference(forward=forward, reverse=reverse), model)
    if not found:
        changed = applied(meant, model)
        back, found = exact(reversed_(meant), changed)
        assert found == ()
        assert applied(back, changed) == model


@given(st.data())
@settings(max_examples=15, deadline=None)
def test_any_change_of_harbour_is_undone_by_its_reverse(data: st.DataObject) -> None:
    elements = [each for each in etree.fromstring(HARBOUR) if each.tag in {f"{{{CIM}}}Fuse", f"{{{CIM}}}Location"}]
    gone = data.draw(st.lists(st.sampled_from(elements), min_size=1, max_size=5, unique=True))
    reverse = b"".join(etree.tostring(each) for each in gone).decode()
    changed = outcome(HARBOUR, '<cim:Fuse rdf:about="urn:uuid:new"/>', reverse)
    assert changed.problems == ()
    assert len(statements(changed.document)) < len(statements(HARBOUR))
    assert statements(undone(changed).document) == statements(HARBOUR)


def test_the_ieee_13_node_feeder_comes_back_statement_by_statement() -> None:
    if not IEEE13.exists():
        pytest.skip("the published models are not beside the repository")
    model = IEEE13.read_bytes()
    found = re.search(rb'<cim:Recloser rdf:about="(urn:uuid:[^"]+)">.*?<cim:Switch.open>(\w+)<', model, re.DOTALL)
    assert found is not None
    uri, position = (each.decode() for each in found.groups())
    sides = [
        f'<rdf:Description rdf:about="{uri}"><cim:Switch.open>{each}</cim:Switch.open></rdf:Description>'
        for each in ("true" if position == "false" else "false", position)
    ]
    changed = outcome(model, *sides)
    assert len(statements(changed.document) ^ statements(model)) == 2
    assert statements(undone(changed).document) == statements(model)


def test_several_documents_become_one_with_the_statements_of_all() -> None:
    more = rdf(
        '<cim:Breaker rdf:about="#_b"><cim:Switch.open>false</cim:Switch.open>'
        '<cim:Switch.retained>true</cim:Switch.retained></cim:Breaker>\n<cim:Fuse rdf:ID="_n"/>'
    )
    whole = merged((MODEL, more))
    assert statements(whole) == statements(MODEL) | statements(more)
    assert whole.count(b"<cim:Breaker") == 1


def test_an_object_is_found_by_its_identifier_and_by_its_mrid() -> None:
    document, found = excerpt(MODEL, frozenset({"b", "nobody"}))
    assert found == {"b"}
    assert statements(document) == {each for each in statements(MODEL) if each[0] == "#_b"}
