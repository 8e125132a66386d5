"""What is odd about a model that can be used."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from contracts.nouns.network_models import ModelFindingKind
from services.network_model_management.adapters.importing import Document, import_documents
from services.network_model_management.domain.versions import RDF_XML
from tests.fixtures.cim import document, nodes, obj, phase, piece

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HARBOUR = (Path(__file__).parents[2] / "infra" / "networks" / "harbour.xml").read_bytes()
K = ModelFindingKind

# A source, a breaker and a line to a node from which all else goes: s -a- b1 -b- l1 -c-
BASE = (
    obj("Feeder", "feeder", IdentifiedObject__name="North")
    + obj("BaseVoltage", "volts", nominalVoltage=12470)
    + nodes("abcdefgh")
    + piece("EnergySource", "s", "a")
    + piece("Breaker", "b1", "a", "b")
    + piece("ACLineSegment", "l1", "b", "c")
)


def told(kind: ModelFindingKind, body: str, base: str = BASE) -> list[tuple[str, str]]:
    """The findings of a kind: of which object, and in which words."""
    (model,) = [import_documents((Document(content=document(base + body), model_format=RDF_XML),), "1", NOON)]
    assert model.result.problems == ()
    return [(finding.mrid, finding.text) for finding in model.result.findings if finding.kind is kind]


def test_a_loop_is_told_with_the_switches_over_which_it_leads() -> None:
    ring = (
        piece("LoadBreakSwitch", "w1", "c", "d")
        + piece("ACLineSegment", "l2", "d", "e")
        + piece("LoadBreakSwitch", "w2", "e", "c")
    )
    assert told(K.LOOP, ring) == [
        ("l2", "ACLineSegment closes a loop in the normal state, in North, over w1, w2"),
    ]
    opened = ring + phase("w2", "A", normal=True) + phase("w2", "B", normal=True)
    assert told(K.LOOP, opened) == []
    parallel = piece("ACLineSegment", "l2", "c", "d") + piece("ACLineSegment", "l3", "c", "d")
    assert told(K.LOOP, parallel) == [
        ("l3", "ACLineSegment closes a loop in the normal state, in North, over no switch"),
    ]


def test_a_switch_that_joins_two_sources_in_the_normal_state_is_told_with_both() -> None:
    other = piece("EnergySource", "s2", "e") + piece("Breaker", "b2", "e", "d") + piece("Breaker", "tie", "c", "d")
    assert told(K.LOOP, other) == [
        ("tie", "Breaker joins the sources s and s2 in the normal state, over b1, tie, b2"),
    ]


def test_phases_that_do_not_reach_an_equipment_or_its_customers_are_told() -> None:
    body = (
        piece("Fuse", "x", "c", "d", phases="AB")
        + piece("ACLineSegment", "l2", "d", "e", phases="BC")
        + piece("EnergyConsumer", "u", "e", phases="B")
        + piece("EnergyConsumer", "w", "e", phases="C")
    )
    assert told(K.PHASES_NOT_SUPPLIED, body) == [
        ("l2", "ACLineSegment on phases BC, of which C does not reach it"),
        ("w", "EnergyConsumer on phases C, of which C does not reach it"),
    ]
    point = obj("UsagePoint", "p", {"UsagePoint.Equipments": "u"}, phaseCode="PhaseCode.A")
    assert ("p", "UsagePoint on phases A, of which A does not reach it") in told(K.PHASES_NOT_SUPPLIED, body + point)


def test_phases_that_change_places_in_a_switch_arrive_under_their_new_names_from_both_sides() -> None:
    roll = "".join(phase("x", one, two) for one, two in ("AB", "BC", "CA"))
    rolled = piece("Breaker", "x", "c", "d") + roll + piece("EnergyConsumer", "t", "d")
    assert told(K.PHASES_NOT_SUPPLIED, rolled) == []
    body = piece("Breaker", "x", "c", "d") + piece("Fuse", "y", "d", "e", phases="A") + phase("y", "A", "B")
    assert told(K.PHASES_NOT_SUPPLIED, body + piece("EnergyConsumer", "u", "e", phases="B")) == []
    assert [mrid for mrid, _ in told(K.PHASES_NOT_SUPPLIED, body + piece("EnergyConsumer", "u", "e", phases="A"))] == [
        "u"
    ]
    backwards = piece("Fuse", "y", "e", "d", phases="A") + phase("y", "A", "B") + piece("Breaker", "x", "c", "d")
    assert told(K.PHASES_NOT_SUPPLIED, backwards + piece("EnergyConsumer", "u", "e", phases="A")) == []


def test_lines_without_protection_and_laterals_without_a_device_of_their_own_are_told() -> None:
    lateral = piece("ACLineSegment", "l2", "c", "d", phases="A") + piece("ACLineSegment", "l3", "d", "e", phases="A")
    assert told(K.UNPROTECTED, lateral) == [
        ("l2", "ACLineSegment on phases A without a device between it and b1"),
    ]
    fused = piece("Fuse", "x", "c", "d", phases="A") + piece("ACLineSegment", "l2", "d", "e", phases="A")
    assert told(K.UNPROTECTED, fused) == []
    assert told(K.UNPROTECTED, "", BASE.replace("Breaker", "Disconnector")) == [
        ("s", "EnergySource of which 1 lines have no protective device above them"),
    ]


def test_a_recloser_behind_a_fuse_is_told() -> None:
    body = piece("Fuse", "x", "c", "d") + piece("ACLineSegment", "l2", "d", "e") + piece("Recloser", "r", "e", "g")
    assert told(K.PROTECTION_ORDER, body) == [("r", "Recloser behind the fuse x, which melts before it opens")]
    assert told(K.PROTECTION_ORDER, body.replace("Fuse", "Sectionaliser")) == []


def test_all_of_one_class_that_share_a_name_in_a_container_are_told() -> None:
    body = piece("Fuse", "x", "c", "d") + piece("Fuse", "y", "c", "e", IdentifiedObject__name="x")
    assert told(K.DUPLICATE_NAME, body) == [
        ("x", "Fuse named 'x' like 1 more of its class and container"),
        ("y", "Fuse named 'x' like 1 more of its class and container"),
    ]
    other = piece("Breaker", "y", "c", "e", IdentifiedObject__name="x")
    assert told(K.DUPLICATE_NAME, piece("Fuse", "x", "c", "d") + other) == []


@pytest.mark.parametrize(("value", "is_told"), [(2, True), (0, False), (1, False)])
def test_a_normal_value_that_is_another_position_than_the_normal_one_is_told(value: int, *, is_told: bool) -> None:
    tie = piece("Breaker", "tie", "c", "d", Switch__normalOpen="true")
    measured = obj(
        "Discrete",
        "m",
        {"Measurement.PowerSystemResource": "tie"},
        IdentifiedObject__name="tie position",
        normalValue=value,
    )
    text = "Breaker normally open, and the normal value of its measurement tie position is closed"
    assert told(K.NORMAL_POSITION, tie + measured) == ([("tie", text)] if is_told else [])


def test_places_that_are_missing_far_away_or_in_another_system_are_told() -> None:
    def at(name: str, x: object, y: object, system: str = "crs") -> str:
        links = {"PositionPoint.Location": f"place-{name}"}
        place = obj("Location", f"place-{name}", {"Location.CoordinateSystem": system})
        return place + obj("PositionPoint", f"point-{name}", links, xPosition=x, yPosition=y)

    systems = obj("CoordinateSystem", "crs", crsUrn="urn:ogc:def:crs:EPSG::4326")
    systems += obj("CoordinateSystem", "own", crsUrn="OurTown")
    fuses = "".join(piece("Fuse", name, "c", node) for name, node in zip("uvwxy", "defgh", strict=True))
    for name in "uvwxy":
        fuses = fuses.replace(
            f'<cim:Fuse rdf:ID="_{name}">',
            f'<cim:Fuse rdf:ID="_{name}"><cim:PowerSystemResource.Location rdf:resource="#_place-{name}"/>',
        )
    body = systems + fuses + at("u", 7.0, 50.0) + at("v", 7.1, 50.0) + at("w", 7.0, 53.0) + at("x", "far", 50.0)
    body += at("y", 3, 4, "own")
    assert told(K.MISPLACED, body) == [
        ("own", "CoordinateSystem 'OurTown' of 1 locations, which are not told: it is not WGS 84"),
        ("point-x", "PositionPoint of place-x without a longitude and a latitude"),
        ("w", "Fuse 334 km from the middle of its feeder"),
    ]
    assert told(K.MISSING_PLACE, body) == [("feeder", "Feeder of which 5 of 8 pieces of equipment have no place")]
    assert told(K.MISSING_PLACE, "") == []


def test_the_network_that_is_shipped_has_none_of_all_this() -> None:
    model = import_documents((Document(content=HARBOUR, model_format=RDF_XML),), "1", NOON)
    assert model.result.findings == ()
