"""Findings about the electrical data of a model: rules V7, V8, V9 and V11 of the guide, planted in the harbour."""

import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from contracts.nouns.network_models import ModelFindingKind as Kind
from services.network_model_management.adapters.importing import Document, import_documents
from services.network_model_management.domain.model import Finding
from services.network_model_management.domain.versions import RDF_XML
from tests.fixtures.cim import document, nodes, obj, piece

HARBOUR = (Path(__file__).parents[2] / "infra" / "networks" / "harbour.xml").read_text()


def findings(text: str) -> tuple[Finding, ...]:
    offered = Document(content=text.encode(), model_format=RDF_XML)
    result = import_documents((offered,), "1", datetime(2026, 3, 1, 12, tzinfo=UTC)).result
    assert result.problems == ()
    return result.findings


def test_a_winding_without_a_rated_power_is_told_with_its_end() -> None:
    (told,) = findings(
        HARBOUR.replace("<cim:PowerTransformerEnd.ratedS>10000000</cim:PowerTransformerEnd.ratedS>", "", 1)
    )
    assert (told.kind, told.text) == (Kind.INCOMPLETE_TRANSFORMER, "PowerTransformer without a rated power at end 1")


def test_what_a_whole_feeder_leaves_out_is_one_finding_and_a_rating_of_zero_is_one_of_its_device() -> None:
    bare = re.sub(r"<cim:Switch.ratedCurrent>\d+</cim:Switch.ratedCurrent>", "", HARBOUR)
    told = findings(bare)
    assert {each.kind for each in told} == {Kind.MISSING_RATING}
    assert len(told) == len(re.findall("<cim:Feeder ", HARBOUR))
    assert all(re.search(r"^Feeder of which (\d+) of \1 switches have no rating$", each.text) for each in told)
    (zero,) = findings(HARBOUR.replace("ratedCurrent>100<", "ratedCurrent>0<", 1))
    assert (zero.kind, zero.text) == (Kind.MISSING_RATING, "with a rating of no current at all")
    assert f'<cim:Fuse rdf:about="urn:uuid:{zero.mrid}"' in HARBOUR


@pytest.mark.parametrize(
    ("stated", "instead", "text"),
    [
        ("r>0.076<", "r>76<", "r of 190 ohm/km, which is not between 0.01 and 10"),
        ("x>0.156<", "x>0.000156<", "x of 0.00039 ohm/km, which is not between 0.01 and 2"),
    ],
)
def test_an_impedance_that_no_line_has_is_told_for_a_kilometre(stated: str, instead: str, text: str) -> None:
    (told,) = findings(HARBOUR.replace(stated, instead, 1))
    assert (told.kind, told.text) == (Kind.IMPLAUSIBLE_IMPEDANCE, f"ACLineSegment with {text}")


def test_a_transformer_with_more_usage_points_than_it_can_feed_is_told_with_their_number() -> None:
    small = HARBOUR.replace("TransformerEndInfo.ratedS>50000<", "TransformerEndInfo.ratedS>3000<")
    told = findings(small)
    assert {each.kind for each in told} == {Kind.CROWDED_TRANSFORMER}
    assert Counter(each.text for each in told)["PowerTransformer of 3 kVA that supplies 5 usage points"] > 0


def test_a_usage_point_at_low_voltage_without_a_transformer_is_told() -> None:
    volts = obj("BaseVoltage", "volts", nominalVoltage=240)
    parts = piece("EnergySource", "source", "a") + piece("Breaker", "breaker", "a", "b", ratedCurrent=100)
    small = document(obj("Feeder", "feeder") + volts + nodes("ab") + parts + piece("EnergyConsumer", "home", "b"))
    (told,) = [each for each in findings(small.decode()) if each.kind is Kind.NO_TRANSFORMER]
    assert (told.mrid, told.text) == ("home", "UsagePoint at 240 V that no transformer supplies in the normal state")
