"""What feeders say of a model: positions phase by phase, shots, places, lengths, vector groups and fault indicators."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from contracts.nouns.feeder_topology import Equipment, FaultIndicator, RecloseSequence, UsagePoint
from contracts.nouns.network_models import ModelFindingKind
from services.network_model_management.adapters.importing import Document, import_documents
from services.network_model_management.domain.derivation import Import
from services.network_model_management.domain.versions import RDF_XML
from tests.fixtures.cim import between, document, obj, phase

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
IEEE13 = Path(__file__).resolve().parents[3] / "shared" / "samples" / "models" / "IEEE13.xml"

BASE = (
    obj("Feeder", "f")
    + "".join(obj("ConnectivityNode", name) for name in ("n1", "n2", "n3"))
    + obj("EnergySource", "s")
    + between("s", "n1")
    + obj("Recloser", "r")
    + between("r", "n1", "n2")
)


def imported(body: str) -> Import:
    return import_documents((Document(content=document(f"{BASE}{body}"), model_format=RDF_XML),), "1", NOON).result


def equipment(body: str, mrid: str) -> Equipment:
    result = imported(body)
    assert result.problems == ()
    (found,) = [each for each in result.feeders[0].equipment if each.mrid == mrid]
    return found


def test_a_switch_with_one_phase_open_says_which_and_is_a_finding() -> None:
    body = phase("r", "A") + phase("r", "B", closed=False) + phase("r", "C")
    recloser = equipment(body, "r")
    assert (recloser.phases, recloser.open, recloser.open_phases) == ("ABC", False, "B")
    kinds = {finding.text for finding in imported(body).findings if finding.kind is ModelFindingKind.OPEN_PHASE}
    assert kinds == {"Recloser with phase B open while others are closed"}
    body = "".join(phase("r", letter, closed=False, normal=True) for letter in "AC")
    recloser = equipment(body, "r")
    assert (recloser.phases, recloser.open, recloser.normal_open, recloser.open_phases) == ("AC", True, True, None)


def test_phases_that_change_places_in_a_switch_are_told_in_the_order_of_its_phases() -> None:
    rolled = phase("r", "C", "A") + phase("r", "A", "B") + phase("r", "B", "C")
    assert (equipment(rolled, "r").phases, equipment(rolled, "r").phases_at_node2) == ("ABC", "BCA")
    straight = phase("r", "A", "A") + phase("r", "C", "C")
    assert equipment(straight, "r").phases_at_node2 is None
    assert equipment(phase("r", "A"), "r").phases_at_node2 is None
    assert equipment(phase("r", "A", "C"), "r").phases_at_node2 == "C"


def test_the_shots_of_a_recloser_come_in_their_order() -> None:
    shots = "".join(
        obj(
            "RecloseSequence",
            f"shot-{step}",
            {"RecloseSequence.ProtectedSwitch": "r"},
            recloseStep=step,
            recloseDelay=delay,
        )
        for step, delay in ((2, 15), (1, 0.5), (3, 45))
    )
    assert equipment(shots, "r").reclose_sequences == (
        RecloseSequence(reclose_delay=0.5, reclose_step=1),
        RecloseSequence(reclose_delay=15.0, reclose_step=2),
        RecloseSequence(reclose_delay=45.0, reclose_step=3),
    )
    assert equipment("", "r").reclose_sequences == ()
    wrong = obj("RecloseSequence", "shot", {"RecloseSequence.ProtectedSwitch": "s"}, recloseDelay="soon")
    assert [problem.text for problem in imported(wrong).problems] == [
        "RecloseSequence.ProtectedSwitch leads to s, which is a EnergySource",
        "RecloseSequence.recloseDelay is not a number: 'soon'",
    ]


def test_a_line_has_its_length_and_the_middle_of_its_course() -> None:
    line = obj("ACLineSegment", "l", {"PowerSystemResource.Location": "place"}, Conductor__length=412.5) + between(
        "l", "n2", "n3"
    )
    system = obj("CoordinateSystem", "crs", crsUrn="urn:ogc:def:crs:OGC:1.3:CRS84")
    place = obj("Location", "place", {"Location.CoordinateSystem": "crs"})
    points = "".join(
        obj(
            "PositionPoint",
            f"point-{number}",
            {"PositionPoint.Location": "place"},
            sequenceNumber=number,
            xPosition=x,
            yPosition=43,
        )
        for number, x in ((10, -69.2), (2, -69.5), (1, -69.6))
    )
    found = equipment(line + system + place + points, "l")
    assert (found.length, found.longitude, found.latitude) == (412.5, -69.5, 43.0)
    even = equipment(line + system + place + points.split("\n", 1)[1], "l")
    assert even.longitude == pytest.approx(-69.55)
    elsewhere = system.replace("OGC:1.3:CRS84", "EPSG::31468")
    assert equipment(line + elsewhere + place + points, "l").longitude is None
    assert equipment(line + system + place + points.replace("43", "143"), "l").latitude is None


def test_a_usage_point_stands_where_it_says_and_else_where_its_equipment_stands() -> None:
    def at(name: str, kind: str, y: float) -> str:
        return obj(kind, name) + obj(
            "PositionPoint", f"{name}-point", {"PositionPoint.Location": name}, xPosition=7, yPosition=y
        )

    consumer = obj("EnergyConsumer", "c", {"PowerSystemResource.Location": "pole"}) + between("c", "n2")
    points = obj("UsagePoint", "u", {"UsagePoint.Equipments": "c", "UsagePoint.ServiceLocation": "door"}) + obj(
        "UsagePoint", "v", {"UsagePoint.Equipments": "c", "UsagePoint.UsagePointLocation": "yard"}
    )
    points += obj("UsagePoint", "w", {"UsagePoint.Equipments": "c"})
    body = (
        consumer
        + points
        + at("pole", "Location", 1)
        + at("door", "ServiceLocation", 2)
        + at("yard", "UsagePointLocation", 3)
    )
    (feeder,) = imported(body).feeders
    assert [(each.mrid, each.longitude, each.latitude) for each in feeder.usage_point] == [
        ("u", 7.0, 2.0),
        ("v", 7.0, 3.0),
        ("w", 7.0, 1.0),
    ]
    assert isinstance(feeder.usage_point[0], UsagePoint)


def test_a_fault_indicator_is_told_with_the_equipment_and_the_node_of_its_terminal() -> None:
    body = obj("FaultIndicator", "i", {"AuxiliaryEquipment.Terminal": "r-2"}) + obj("FaultIndicator", "j")
    result = imported(body)
    assert result.feeders[0].fault_indicator == (FaultIndicator(mrid="i", equipment="r", name="i", node="n2"),)
    left_out = [finding for finding in result.findings if finding.kind is ModelFindingKind.LEFT_OUT]
    assert [(finding.mrid, finding.text) for finding in left_out] == [
        ("j", "FaultIndicator without a terminal: left out")
    ]


@pytest.mark.parametrize(
    ("kinds", "clocks", "connection"),
    [
        (("D", "Yn"), (None, 11), "Dyn11"),
        (("D", "Yn"), (0, 1), "Dyn1"),
        (("Yn", "Yn"), (0, 0), "YNyn0"),
        (("Yn", "D"), (1, 0), "YNd11"),
        (("D", "Yn"), (None, None), "Dyn"),
        ((None, "Yn"), (0, 1), None),
    ],
)
def test_the_vector_group_is_made_of_both_windings_and_the_clock_only_where_it_is_stated(
    kinds: tuple[str | None, str], clocks: tuple[int | None, int | None], connection: str | None
) -> None:
    body = obj("PowerTransformer", "t") + between("t", "n2", "n3")
    for number, (kind, clock) in enumerate(zip(kinds, clocks, strict=True), start=1):
        values: dict[str, object] = {} if kind is None else {"connectionKind": f"WindingConnection.{kind}"}
        values |= {} if clock is None else {"phaseAngleClock": clock}
        links = {"PowerTransformerEnd.PowerTransformer": "t", "TransformerEnd.Terminal": f"t-{number}"}
        body += obj("PowerTransformerEnd", f"t-end-{number}", links, TransformerEnd__endNumber=number, **values)
    assert equipment(body, "t").connection == connection


def test_banks_of_single_phase_units_have_the_group_that_their_phases_make() -> None:
    def bank(*tanks: tuple[str, str]) -> str | None:
        body = obj("PowerTransformer", "t") + between("t", "n2", "n3")
        for place, phases in enumerate(tanks):
            body += obj("TransformerTank", f"k{place}", {"TransformerTank.PowerTransformer": "t"})
            for number, code in enumerate(phases, start=1):
                links = {"TransformerTankEnd.TransformerTank": f"k{place}", "TransformerEnd.Terminal": f"t-{number}"}
                body += obj(
                    "TransformerTankEnd",
                    f"k{place}-{number}",
                    links,
                    TransformerEnd__endNumber=number,
                    orderedPhases=f"OrderedPhaseCodeKind.{code}",
                )
        return equipment(body, "t").connection

    assert bank(("AN", "AN"), ("BN", "BN"), ("CN", "CN")) == "YNyn0"
    assert bank(("AB", "AN"), ("BC", "BN"), ("CA", "CN")) == "Dyn"
    assert bank(("AB", "AB"), ("BC", "BC")) == "Vv0"
    assert bank(("AN", "BN")) == "Ii"


def test_the_ieee_13_node_feeder_tells_its_vector_groups_and_lengths() -> None:
    if not IEEE13.exists():
        pytest.skip("the published models are not beside the repository")
    published = Document(content=IEEE13.read_bytes(), model_format=RDF_XML)
    (feeder,) = import_documents((published,), "1", NOON).result.feeders
    connections = {each.name: each.connection for each in feeder.equipment if each.kind == "PowerTransformer"}
    assert connections["tpoletop"] == "Ii0"
    assert {each.connection for each in feeder.equipment if each.name == "sub3"} == {"Dyn1", "Dy1"}
    lengths = [each.length for each in feeder.equipment if each.kind == "ACLineSegment"]
    assert None not in lengths
    assert max(length for length in lengths if length) == pytest.approx(609.6, abs=0.1)
    assert {each.longitude for each in feeder.equipment} == {None}, "its coordinates are not geographic"
